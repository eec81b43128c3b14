"""Walk-forward comparison of value at risk by method, on any file of prices.

    python -m benchmarks.var_skill PRICES [--portfolios 40] [--exclude SPY,TLT] [--from 2021-01-04]

PRICES is a CSV or Parquet file in the format of `riskmetrics import prices`. Random portfolios are
held at constant weights; the value at risk of each session uses the returns up to it, and is
compared with the return of the next one. A fifth of the portfolios have short positions.
"""

# ruff: noqa: T201 — a benchmark prints its results
import argparse
import math
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmarks import measure
from benchmarks.forecast_models import load_history, random_portfolios
from riskmetrics.errors import RiskmetricsError
from riskmetrics.metrics import tail_risk
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.filtered_simulation import (
    FILTER_DECAY,
    FILTER_WINDOW,
    filter_returns,
    simulate_paths,
)
from riskmetrics.metrics.volatility import ewma_volatility
from riskmetrics.results.tail_risk_results import MIN_OBS_BY_LEVEL

WINDOW = tail_risk.VAR_WINDOW + FILTER_WINDOW
SIGNIFICANCE = 0.05


class Tail(NamedTuple):
    """Value at risk and expected shortfall of N portfolios, each of shape (N,)."""

    value_at_risk: FloatArray
    expected_shortfall: FloatArray


class Score(NamedTuple):
    """Judgment of one method at one level, over all portfolios."""

    method: str
    level: float
    breach_rate: float
    """Share of the days with a loss beyond the value at risk."""
    kupiec_rejections: float
    """Share of the portfolios whose number of exceptions Kupiec's test rejects."""
    independence_rejections: float
    """Share of the portfolios whose exceptions cluster, by Christoffersen's test."""
    shortfall_ratio: float
    """Sum of the losses beyond the value at risk / sum of the expected shortfalls of their days."""
    mean_value_at_risk: float


def _historical(returns: FloatArray, level: float) -> Tail:
    return Tail(
        *tail_risk.historical_risk(returns, level=level, min_obs=MIN_OBS_BY_LEVEL[level])[:2]
    )


def _filtered(returns: FloatArray, level: float) -> Tail:
    return _historical(filter_returns(returns), level)


def _normal(returns: FloatArray, level: float) -> Tail:
    volatility = ewma_volatility(returns[-FILTER_WINDOW:], decay=FILTER_DECAY)[0]
    return Tail(*tail_risk.parametric_risk(volatility, level=level))


METHODS: Mapping[str, Callable[[FloatArray, float], Tail]] = {
    "historical, 504 sessions": _historical,
    "filtered": _filtered,
    f"normal, EWMA {FILTER_DECAY}": _normal,
}


def score_methods(returns: FloatArray, first: int = WINDOW) -> list[Score]:
    """Score every method and level on the returns (T, N) of portfolios from row ``first`` on."""
    found = []
    for level in MIN_OBS_BY_LEVEL:
        for name, method in METHODS.items():
            tails = [
                method(returns[day - WINDOW : day], level) for day in range(first, len(returns))
            ]
            found.append(
                _score(
                    name,
                    level,
                    -returns[first:],
                    np.array([tail.value_at_risk for tail in tails]),
                    np.array([tail.expected_shortfall for tail in tails]),
                )
            )
    return found


def score_horizon(returns: FloatArray, first: int = WINDOW, horizon: int = 10) -> list[Score]:
    """Score filtered value at risk over ``horizon`` sessions, by paths and by its square root.

    The sums of returns overlap, so that tests of independent exceptions do not apply: Kupiec's uses
    every ``horizon``-th session, and clusters are NaN.
    """
    found = []
    sums = np.lib.stride_tricks.sliding_window_view(returns, horizon, axis=0).sum(axis=-1)
    days = range(first, len(sums))
    for level, min_obs in MIN_OBS_BY_LEVEL.items():
        by_path, by_root = [], []
        for day in days:
            filtered = filter_returns(returns[day - WINDOW : day])
            paths = simulate_paths(filtered, horizon=horizon)
            by_path.append(
                tail_risk.historical_risk(paths, level=level, window=len(paths), min_obs=1)[:2]
            )
            one_day = tail_risk.historical_risk(filtered, level=level, min_obs=min_obs)[:2]
            by_root.append(tail_risk.sqrt_time_scaled(np.stack(one_day), days=horizon))
        for name, tails in (("filtered, paths", by_path), ("filtered, √-scaled", by_root)):
            value_at_risk, shortfall = np.moveaxis(np.array(tails), 1, 0)
            losses = -sums[first:]
            score = _score(name, level, losses, value_at_risk, shortfall)
            every = slice(None, None, horizon)
            apart = _score(name, level, losses[every], value_at_risk[every], shortfall[every])
            found.append(
                score._replace(
                    kupiec_rejections=apart.kupiec_rejections, independence_rejections=math.nan
                )
            )
    return found


def _score(
    name: str,
    level: float,
    losses: FloatArray,
    value_at_risk: FloatArray,
    expected_shortfall: FloatArray,
) -> Score:
    is_tested = np.isfinite(losses) & np.isfinite(value_at_risk)
    is_exception = is_tested & (losses > value_at_risk)
    counts, n_tested = is_exception.sum(axis=0), is_tested.sum(axis=0)
    kupiec = tail_risk.kupiec(counts, n_tested, level=level)
    independence = np.array(
        [
            independence_p_value(is_exception[is_tested[:, column], column])
            for column in range(losses.shape[1])
        ]
    )
    return Score(
        name,
        level,
        _ratio(counts.sum(), n_tested.sum()),
        float(np.mean(kupiec.p_value < SIGNIFICANCE)),
        float(np.mean(independence < SIGNIFICANCE)),
        _ratio(losses[is_exception].sum(), expected_shortfall[is_exception].sum()),
        float(value_at_risk[is_tested].mean()),
    )


def _ratio(numerator: float, denominator: float) -> float:
    """Return NaN without a denominator: no day was tested, or none was an exception."""
    return float(numerator / denominator) if denominator else math.nan


def independence_p_value(is_exception: BoolArray) -> float:
    """Return the p-value of Christoffersen's (1998) test that exceptions do not follow each other.

    Its likelihood ratio is that of a 2 x 2 table of each day and the day before; 1 if there is no
    exception to follow.
    """
    before, after = is_exception[:-1], is_exception[1:]
    table = np.array(
        [[np.sum((before == row) & (after == column)) for column in (0, 1)] for row in (0, 1)]
    )
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return 1.0
    return float(stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").pvalue)


def render(scores: list[Score]) -> str:
    """Return the scores as a table."""
    return measure.markdown_table(
        ["method", "level", "breached", "Kupiec rejects", "clusters", "ES ratio", "mean VaR"],
        [
            [
                score.method,
                f"{score.level:.0%}",
                f"{score.breach_rate:.2%}",
                f"{score.kupiec_rejections:.0%}",
                "—"
                if math.isnan(score.independence_rejections)
                else f"{score.independence_rejections:.0%}",
                f"{score.shortfall_ratio:.3f}",
                f"{score.mean_value_at_risk:.2%}",
            ]
            for score in scores
        ],
    )


def main(arguments: list[str] | None = None) -> None:
    """Score the methods on a file of prices, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", type=Path, help="daily prices, CSV or Parquet")
    parser.add_argument("--market", default="SPY", help="symbol of the market")
    parser.add_argument("--exclude", default="SPY,TLT", help="symbols that no portfolio holds")
    parser.add_argument("--portfolios", type=int, default=40, help="number of random portfolios")
    parser.add_argument(
        "--from",
        dest="first",
        type=date.fromisoformat,
        default=date.min,
        help="first session that is judged",
    )
    options = parser.parse_args(arguments)
    try:
        history = load_history(options.prices, options.market, set(options.exclude.split(",")))
    except RiskmetricsError as error:
        parser.exit(error.exit_code, f"{error}\n")
    returns = random_portfolios(history.returns, options.portfolios)
    first = max(WINDOW, sum(day < options.first for day in history.days))
    if first >= len(returns):
        parser.exit(1, f"{len(returns)} returns are too few: {WINDOW} come before the first day\n")
    scores = score_methods(returns, first)
    print(
        f"{options.portfolios} portfolios of {len(history.symbols)} symbols of"
        f" {options.prices.name}, {history.days[first]} to {history.days[-1]}:"
        f" {len(returns) - first} sessions each\n"
    )
    print(render(scores))
    horizon = 10
    if first + horizon < len(returns):
        print(f"\nLosses of {horizon} sessions:\n")
        print(render(score_horizon(returns, first, horizon)))
    print(
        "\nbreached: at best 1 - level. Kupiec, clusters: share of portfolios rejected at 5 %. ES"
        " ratio: losses\nbeyond the value at risk / expected shortfall, at best 1."
    )


if __name__ == "__main__":
    main()
