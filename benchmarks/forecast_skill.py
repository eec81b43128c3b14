"""Comparison of the volatility forecast with other models, on any file of prices.

    python -m benchmarks.forecast_skill PRICES [--funds SPY,TLT] [--exclude IVV] [--from 2021-01-04]
    [--horizons 1,5,21,63] [--json FILE]

PRICES is a CSV or Parquet file in the format of `riskmetrics import prices`. The forecast of each
session uses the prices up to it, and the shipped version that was fitted to data before it. Stocks,
funds and random portfolios of the stocks are scored separately, with the same pairs for all models.
"""

# ruff: noqa: T201 — a benchmark prints its results
import argparse
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import measure
from benchmarks.forecast_models import (
    EWMA_94,
    EWMA_97,
    FIRST_ROW,
    FORMER,
    GARCH,
    OURS,
    History,
    Prediction,
    load_history,
    portfolio_history,
    predict,
    realized_after,
)
from riskmetrics.errors import DataQualityError, RiskmetricsError
from riskmetrics.metrics import forecast_comparison, forecast_score
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON, HORIZONS

MIN_REDUCTIONS = {FORMER: 0.10, GARCH: 0.12}
"""Target reduction of the QLIKE of stocks over 21 sessions, as a fraction."""

MIN_T, MAX_VARIANCE_BIAS, COVERAGE_BOUNDS = 2.0, 0.05, (0.78, 0.84)
MIN_PORTFOLIO_STOCKS = 3


class ModelScore(NamedTuple):
    """Score of a model over a period, and its difference from riskmetrics."""

    model: str
    qlike: float
    rmse: float
    bias: float
    variance_bias: float
    """Mean of realized over forecast variance, minus 1."""
    coverage: float | None
    reduction: float
    """Reduction of QLIKE by riskmetrics, as a fraction of the QLIKE of the model."""
    t: float | None
    """Diebold-Mariano t statistic; above 2, riskmetrics is significantly better."""


class GroupScore(NamedTuple):
    """Scores of all models over the same pairs of series and day."""

    group: str
    horizon: int
    first: date
    last: date
    n_pairs: int
    models: list[ModelScore]
    by_year: dict[int, dict[str, float]]
    by_symbol: dict[str, dict[str, float]]
    """QLIKE by model."""


def score_group(group: str, history: History, horizon: int, first_target: date) -> GroupScore:
    """Score all models on the pairs with a forecast of every model."""
    realized, models = realized_after(history, horizon), predict(history, horizon)
    days = history.days[FIRST_ROW:]
    targets = [*history.days[FIRST_ROW + 1 :], date.max]
    where = np.array([day >= first_target for day in targets])[:, np.newaxis] & (realized > 0)
    for model in models.values():
        where &= np.isfinite(model.volatility_forecast) & (model.root_variance_forecast > 0)
    if not where.any():
        raise DataQualityError(
            f"no day has a forecast of all models ({', '.join(models)}) and {horizon} following"
            " sessions"
        )
    outcome = np.where(where, realized, np.nan)
    losses = {
        name: forecast_score.qlike(outcome, model.root_variance_forecast)
        for name, model in models.items()
    }
    rows = np.flatnonzero(where.any(axis=1))
    years = np.array([day.year for day in days])
    return GroupScore(
        group,
        horizon,
        days[rows[0]],
        days[rows[-1]],
        int(where.sum()),
        [_score_model(name, model, outcome, losses, horizon) for name, model in models.items()],
        {
            int(year): _mean_losses(losses, (years == year)[:, np.newaxis] & where)
            for year in np.unique(years[rows])
        },
        {
            symbol: _mean_losses(losses, where & (np.arange(where.shape[1]) == column))
            for column, symbol in enumerate(history.symbols)
            if where[:, column].any()
        },
    )


def _score_model(
    name: str,
    model: Prediction,
    outcome: FloatArray,
    losses: dict[str, FloatArray],
    horizon: int,
) -> ModelScore:
    error = outcome - model.volatility_forecast
    is_inside = (model.low <= outcome) & (outcome <= model.high)
    has_interval = np.isfinite(outcome) & ~np.isnan(model.low) & ~np.isnan(model.high)
    test = forecast_comparison.diebold_mariano(losses[name], losses[OURS], lags=3 * horizon)
    qlike = float(np.nanmean(losses[name]))
    return ModelScore(
        name,
        qlike,
        float(np.sqrt(np.nanmean(error**2))),
        -float(np.nansum(error) / np.nansum(outcome)),
        float(np.nanmean((outcome / model.root_variance_forecast) ** 2) - 1.0),
        float(is_inside[has_interval].mean()) if has_interval.any() else None,
        1.0 - float(np.nanmean(losses[OURS])) / qlike,
        _nan_to_none(test.t),
    )


def _mean_losses(losses: dict[str, FloatArray], where: BoolArray) -> dict[str, float]:
    return {name: float(values[where].mean()) for name, values in losses.items()}


def _nan_to_none(figure: float) -> float | None:
    """Return a figure, with None for NaN, which JSON cannot represent."""
    return None if np.isnan(figure) else figure


def score_groups(
    history: History, first_target: date, horizons: Sequence[int] = HORIZONS
) -> list[GroupScore]:
    """Score stocks, funds and portfolios of the stocks over every horizon."""
    stocks = history.select(~history.is_fund)
    groups = {"stocks": stocks, "funds": history.select(history.is_fund)}
    if len(stocks.symbols) >= MIN_PORTFOLIO_STOCKS:
        groups["portfolios"] = portfolio_history(stocks)
    return [
        score_group(name, group, horizon, first_target)
        for horizon in horizons
        for name, group in groups.items()
        if group.symbols
    ]


def judge(groups: Sequence[GroupScore]) -> list[tuple[str, str, str, bool]]:
    """Return every goal with its target, what was measured, and whether it is met."""
    goals = []
    for group in groups:
        models = {model.model: model for model in group.models}
        ours, label = models[OURS], f"{group.group}, {group.horizon} sessions"
        if group.group == "stocks" and group.horizon == FORECAST_HORIZON:
            for name, least in MIN_REDUCTIONS.items():
                found = models[name].reduction
                goals.append((f"{label}: QLIKE reduction against {name}, at least",
                              f"{least:.0%}", f"{found:.1%}", found >= least))  # fmt: skip
            t = models[GARCH].t or 0.0
            goals.append((f"{label}: t against {GARCH}, above", f"{MIN_T}", f"{t:.1f}", t > MIN_T))
        elif group.horizon != FORECAST_HORIZON or group.group == "portfolios":
            for name in (EWMA_94, EWMA_97):
                found = models[name].reduction
                goals.append((f"{label}: QLIKE reduction against {name}, above", "0%",
                              f"{found:.1%}", found > 0.0))  # fmt: skip
        if group.horizon == FORECAST_HORIZON:
            goals.append((f"{label}: absolute bias of variance, below", f"{MAX_VARIANCE_BIAS:.0%}",
                          f"{ours.variance_bias:+.1%}",
                          abs(ours.variance_bias) < MAX_VARIANCE_BIAS))  # fmt: skip
            low, high = COVERAGE_BOUNDS
            coverage = ours.coverage or 0.0
            goals.append((f"{label}: coverage of the 80% interval", f"{low:.0%} to {high:.0%}",
                          f"{coverage:.1%}", low <= coverage <= high))  # fmt: skip
    return goals


def render(group: GroupScore) -> str:
    """Return the scores of a group in Markdown."""
    head = ["", "QLIKE", "reduction", "t", "RMSE", "bias", "variance", "coverage"]
    rows = [
        [
            *(model.model, f"{model.qlike:.4f}", f"{model.reduction:.1%}"),
            *("" if model.t is None else f"{model.t:+.1f}", f"{model.rmse:.4f}"),
            *(f"{model.bias:+.1%}", f"{model.variance_bias:+.1%}"),
            "" if model.coverage is None else f"{model.coverage:.1%}",
        ]
        for model in group.models
    ]
    shown = [OURS, FORMER, GARCH, EWMA_97]
    parts = [
        measure.markdown_table(
            [title, *shown],
            [[str(name), *(f"{losses[model]:.4f}" for model in shown)] for name, losses in rows],
        )
        for title, rows in (
            ("QLIKE by year", group.by_year.items()),
            ("QLIKE by symbol", group.by_symbol.items()),
        )
        if group.group != "portfolios" or title == "QLIKE by year"
    ]
    title = (
        f"## {group.group.capitalize()}, next {group.horizon} sessions\n\n"
        f"{group.n_pairs:,} pairs of series and day, {group.first} to {group.last}"
    )
    return "\n\n".join([title, measure.markdown_table(head, rows), *parts]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Score all models on a price file and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", type=Path, help="daily prices, CSV or Parquet")
    parser.add_argument(
        "--market",
        default="SPY",
        help="symbol of the market; optional, the forecast works without its prices",
    )
    parser.add_argument("--funds", default="SPY,TLT", help="symbols of ETFs, funds and indices")
    parser.add_argument("--exclude", default="", help="symbols that are not scored")
    parser.add_argument(
        "--from",
        dest="first",
        type=date.fromisoformat,
        default=date.min,
        help="first session of the first target",
    )
    parser.add_argument("--horizons", default=",".join(map(str, HORIZONS)), help="sessions ahead")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    try:
        history = load_history(
            options.prices,
            options.market,
            set(options.exclude.split(",")),
            frozenset(options.funds.split(",")),
        )
        found = score_groups(
            history, options.first, [int(horizon) for horizon in options.horizons.split(",")]
        )
    except RiskmetricsError as error:
        parser.exit(error.exit_code, f"{error}\n")
    print("\n".join(render(group) for group in found))
    goals = [(*cells, "yes" if met else "no") for *cells, met in judge(found)]
    print(measure.markdown_table(["", "target", "measured", "met"], goals))
    print(
        "\nt: Diebold-Mariano statistic of the QLIKE difference; above 2, riskmetrics is"
        " significantly better. variance: realized over forecast variance, minus 1."
    )
    if options.json:
        content = [
            group._asdict() | {"models": [model._asdict() for model in group.models]}
            for group in found
        ]
        options.json.write_text(json.dumps(content, indent=2, default=str) + "\n")


if __name__ == "__main__":
    main()
