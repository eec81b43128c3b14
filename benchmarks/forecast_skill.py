"""How good the volatility forecast is, beside what one would use otherwise: walk-forward, on any file of prices.

    python -m benchmarks.forecast_skill PRICES [--profiles FILE] [--exclude SPY,TLT] [--from
    2021-01-04] [--json FILE]

PRICES is a CSV or Parquet file that `riskmetrics import prices` takes, with closes, or with highs
and lows too. Each session's forecast sees the prices up to it and is compared with the volatility
of the 21 sessions after it. All models are compared on the same pairs of symbol and day. Days
before the end of the shipped coefficients' fit are in sample for them: each table says how many,
and the rest has a table of its own.
"""

# ruff: noqa: T201 — printing is what a benchmark is for
import argparse
import itertools
import json
import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import measure
from riskmetrics import panels, trading_calendar
from riskmetrics.errors import CalibrationRejectedError, DataQualityError, RiskmetricsError
from riskmetrics.metrics import forecast_score, har
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.calibration import fit
from riskmetrics.metrics.volatility import (
    ABSOLUTE_SCALE,
    MIN_MONTH_OBS,
    MONTH,
    SESSIONS_PER_YEAR,
    lagged_means,
    range_proxy,
    realized_volatility,
)
from riskmetrics.sources import files

FITTED_THROUGH = date(2022, 12, 30)
"""Last session of the prices that the shipped coefficients were fitted to."""

FIRST_ROW = har.LEVEL_WINDOW - 1
"""Row of the returns after which the first forecast is made."""

OURS, WITHOUT_RANGES, REESTIMATED = (
    "riskmetrics",
    "riskmetrics, closes only",
    "riskmetrics, re-estimated yearly",
)
TRAILING, EWMA_97, EWMA_94 = "trailing 21 days", "EWMA .97", "EWMA .94"
GARCH, HAR_PER_SYMBOL, HAR_UNSCALED = (
    "GARCH(1,1)",
    "HAR per symbol, one year",
    "the same, without √(π/2)",
)

GOALS = {TRAILING: 0.30, EWMA_97: 0.07}
"""How far below another model's QLIKE ours should lie."""
MAX_ABS_BIAS = 0.05


class History(NamedTuple):
    """Returns of N symbols on T sessions, and what else models look at."""

    days: list[date]
    symbols: list[str]
    returns: FloatArray
    ranges: FloatArray
    market: FloatArray


class Prediction(NamedTuple):
    """A model's forecasts, each of shape (M, N): made on the sessions of rows FIRST_ROW to T - 22, whose 21 next are known."""

    volatility_forecast: FloatArray
    root_variance_forecast: FloatArray
    low: FloatArray
    high: FloatArray


class ModelScore(NamedTuple):
    """A model's score over a period, and whether ours is better by more than chance."""

    model: str
    qlike: float
    rmse: float
    bias: float
    coverage: float | None
    ours_below: float
    """Share of its QLIKE that ours is lower by."""
    t_qlike: float | None
    """Diebold and Mariano's t of the loss over ours: above 2, ours is better by more than chance."""
    t_squared_error: float | None


class Period(NamedTuple):
    """Scores of every model over the same pairs."""

    first: date
    last: date
    n_days: int
    n_in_sample: int
    """Days among them that the shipped coefficients were fitted to."""
    n_pairs: int
    n_zero: int
    lines: list[ModelScore]


def load_history(path: Path, market: str, excluded: set[str]) -> History:
    """Read a file of prices; an ``excluded`` symbol is not scored, and may still be the ``market``."""
    rows = files.read_prices(path).rows
    sessions = trading_calendar.sessions_between(rows["date"].min(), rows["date"].max())
    if len(sessions) <= har.LEVEL_WINDOW + forecast_score.FORECAST_HORIZON:
        needed = har.LEVEL_WINDOW + forecast_score.FORECAST_HORIZON + 1
        raise DataQualityError(
            f"{path} covers {len(sessions)} sessions: a forecast and what follows it need {needed}"
        )
    symbols = sorted(set(rows["symbol"]) - excluded)
    all_returns = panels.simple_returns(
        panels.pivot_to_panel(rows, sessions, sorted({*symbols, market}), "adj_close")
    )
    high, low = (
        panels.pivot_to_panel(rows, sessions[1:], symbols, value).to_numpy()
        for value in ("high", "low")
    )
    return History(
        sessions[1:],
        symbols,
        all_returns[symbols].to_numpy(),
        range_proxy(high, low),
        all_returns[market].to_numpy(),
    )


def read_fund_symbols(profiles: Path | None) -> set[str]:
    """Symbols that a file of profiles calls ETFs or funds."""
    if profiles is None:
        return set()
    rows = files.read_profiles(profiles).rows
    return set(rows.loc[rows["is_etf"].fillna(False) | rows["is_fund"].fillna(False), "symbol"])


def predict_with_all_models(history: History, realized: FloatArray) -> dict[str, Prediction]:
    """Forecast with every model; ``realized`` (M, N) is what the yearly fits learn from, up to their day."""
    returns, n_days = history.returns, len(realized)
    narrow = har.build_regressors(returns, history.market)
    wide = har.build_regressors(returns, history.market, history.ranges)
    found = {OURS: _to_prediction(har.forecast(wide), n_days)}
    if (wide.proxy == har.RANGE_MARKET).any():
        found[WITHOUT_RANGES] = _to_prediction(har.forecast(narrow), n_days)
    own = har_per_symbol(returns)[:n_days]
    versions, version = yearly_versions(history.days, wide, realized)
    if len(versions) > 1:
        found[REESTIMATED] = _to_prediction(har.forecast(wide, versions, version), n_days)
    return (
        found
        | trailing_forecasts(returns, n_days)
        | {
            GARCH: _without_interval(garch_forecasts(history)[:n_days]),
            HAR_PER_SYMBOL: _without_interval(own),
            HAR_UNSCALED: _without_interval(own / ABSOLUTE_SCALE),
        }
    )


def trailing_forecasts(returns: FloatArray, n_days: int) -> dict[str, Prediction]:
    """Take what has been for what will be."""
    trailing = realized_volatility(returns, window=MONTH, min_obs=MIN_MONTH_OBS).volatility[
        FIRST_ROW - MONTH + 1 :
    ]
    slow, fast = (forecast_score.ewma_volatility(returns, decay=decay) for decay in (0.97, 0.94))
    return {
        TRAILING: _without_interval(trailing[:n_days]),
        EWMA_97: _without_interval(slow[:n_days]),
        EWMA_94: _without_interval(fast[:n_days]),
    }


def _to_prediction(forecast: har.Forecast, n_days: int) -> Prediction:
    return Prediction(
        *(
            values[:n_days]
            for values in (
                forecast.volatility_forecast,
                forecast.root_variance_forecast,
                forecast.low,
                forecast.high,
            )
        )
    )


def _without_interval(volatility: FloatArray) -> Prediction:
    """One figure for volatility and the root of variance, without a band."""
    return Prediction(volatility, volatility, *[np.full_like(volatility, np.nan)] * 2)


def yearly_versions(
    days: Sequence[date], inputs: har.Regressors, realized: FloatArray
) -> tuple[list[har.ModelVersion], IntArray]:
    """Fit to all pairs complete by the first session of each year, and tell which version each forecast day uses.

    A proxy whose fit is refused, as with under five years of pairs, keeps the coefficients it had:
    at first the shipped ones.
    """
    versions: list[har.ModelVersion] = [har.SHIPPED_COEFFICIENTS]
    version = np.zeros(len(inputs.level), np.int64)
    years = np.array([day.year for day in days[FIRST_ROW:]])
    for first in np.flatnonzero(np.diff(years)) + 1:
        targets = np.full_like(inputs.level, np.nan)
        complete = max(first + 1 - forecast_score.FORECAST_HORIZON, 0)
        targets[:complete] = realized[:complete]
        fitted = dict(versions[-1])
        for proxy in har.PROXIES:
            try:
                fitted[proxy] = fit([(inputs, targets)], proxy=proxy).coefficients
            except CalibrationRejectedError:
                continue
        if any(fitted[proxy] is not versions[-1][proxy] for proxy in har.PROXIES):
            versions.append(fitted)
        version[first:] = len(versions) - 1
    return versions, version


def garch_forecasts(history: History) -> FloatArray:
    """Forecast with GARCH(1,1) of each symbol, fitted to all its past at each quarter's first session, by maximum likelihood.

    Between, parameters stay and the variance is filtered on. The forecast is the mean of the
    variances of the next 21 sessions. NaN before a quarter that begins with 126 returns.
    """
    quarters = np.array([4 * day.year + (day.month - 1) // 3 for day in history.days[FIRST_ROW:]])
    starts = [0, *(np.flatnonzero(np.diff(quarters)) + 1), len(quarters)]
    forecast = np.full((len(quarters), len(history.symbols)), np.nan)
    for column in range(len(history.symbols)):
        is_finite = np.isfinite(history.returns[:, column])
        per_cent = 100.0 * history.returns[is_finite, column]
        latest = (
            np.cumsum(is_finite)[FIRST_ROW:] - 1
        )  # position of each day's last return among those known
        for first, end in itertools.pairwise(starts):
            if latest[first] + 1 >= har.FULL_LEVEL_OBS:
                variances = _garch_variances(per_cent[: latest[end - 1] + 1], latest[first])
                forecast[first:end, column] = (
                    np.sqrt(SESSIONS_PER_YEAR * variances[latest[first:end] - latest[first]])
                    / 100.0
                )
    return forecast


def _garch_variances(per_cent: FloatArray, fitted: int) -> FloatArray:
    """Mean variance of the next 21 returns, seen from the one at ``fitted``, which is the last that the fit sees, and each later one."""
    from arch import arch_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that stops early is still the best known
        result = arch_model(per_cent, rescale=False).fit(
            last_obs=fitted + 1, disp="off", show_warning=False
        )
        variances: FloatArray = (
            result.forecast(horizon=forecast_score.FORECAST_HORIZON, start=fitted)
            .variance.to_numpy()
            .mean(axis=1)
        )
    return variances


def har_per_symbol(returns: FloatArray) -> FloatArray:
    """Forecast with an HAR of each symbol's own: a year of daily absolute returns on their lags, by least squares, for the next day.

    Refitted every session. The forecast for the next day stands for the 21 next; one under a
    quarter of the year's mean is raised to it.
    """
    absolute = ABSOLUTE_SCALE * np.abs(returns)
    lags = np.stack([np.ones_like(absolute[MONTH - 1 :]), *lagged_means(absolute)], axis=2)
    forecast = np.full((len(returns) - FIRST_ROW, returns.shape[1]), np.nan)
    for day, row in enumerate(range(FIRST_ROW, len(returns))):
        first = max(row - SESSIONS_PER_YEAR, MONTH - 1)
        x, y = lags[first - MONTH + 1 : row - MONTH + 1], absolute[first + 1 : row + 1]
        paired = np.isfinite(x).all(axis=2) & np.isfinite(y)
        x, y = np.where(paired[:, :, np.newaxis], x, 0.0), np.where(paired, y, 0.0)
        squares = np.einsum("tni,tnj->nij", x, x, optimize=True)
        weights = (
            np.linalg.pinv(squares, hermitian=True)
            @ np.einsum("tni,tn->ni", x, y)[:, :, np.newaxis]
        )
        n_obs = paired.sum(axis=0)
        level = y.sum(axis=0) / np.where(n_obs >= har.FULL_LEVEL_OBS, n_obs, np.nan)
        ahead = (lags[row - MONTH + 1] * weights[:, :, 0]).sum(axis=1)
        forecast[day] = np.sqrt(SESSIONS_PER_YEAR) * np.maximum(ahead, har.MIN_RATIO * level)
    return forecast


def score_models(
    days: Sequence[date], is_scored: BoolArray, realized: FloatArray, models: dict[str, Prediction]
) -> Period:
    """Score every model on the pairs for which all of them have a forecast, of the ``is_scored`` among M days."""
    where = is_scored[:, np.newaxis] & np.isfinite(realized)
    for model in models.values():
        where &= np.isfinite(model.volatility_forecast) & (model.root_variance_forecast > 0)
    if not where.any():
        raise DataQualityError(
            f"no day for which all of {', '.join(models)} have a forecast and 21 sessions after it"
        )
    outcome = np.where(where, realized, np.nan)
    scores = {name: forecast_score.pooled_score(outcome, *model) for name, model in models.items()}
    losses = {
        name: (
            forecast_score.qlike(outcome, model.root_variance_forecast),
            (outcome - model.volatility_forecast) ** 2,
        )
        for name, model in models.items()
    }
    lines = []
    for name, score in scores.items():
        ts = [
            forecast_score.diebold_mariano(theirs, ours).t
            for theirs, ours in zip(losses[name], losses[OURS], strict=True)
        ]
        qlike, rmse, bias, coverage = (float(values[0]) for values in score[:4])
        lines.append(
            ModelScore(
                name,
                qlike,
                rmse,
                bias,
                _nan_to_none(coverage),
                1.0 - float(scores[OURS].qlike[0]) / qlike,
                *map(_nan_to_none, ts),
            )
        )
    compared = [days[row] for row in np.flatnonzero(where.any(axis=1)).tolist()]
    in_sample = sum(day < FITTED_THROUGH for day in compared)
    n_zero = int(scores[OURS].n_zero[0])
    return Period(
        compared[0], compared[-1], len(compared), in_sample, int(where.sum()), n_zero, lines
    )


def _nan_to_none(figure: float) -> float | None:
    """None for NaN, which JSON has no word for."""
    return None if np.isnan(figure) else figure


def score_periods(history: History, first_target: date) -> list[Period]:
    """Score all days whose target begins on ``first_target`` or later, and apart those of them that the shipped fit has not seen."""
    realized = forecast_score.forward_realized_volatility(history.returns)[FIRST_ROW:]
    models = predict_with_all_models(history, realized)
    days, targets = (
        history.days[FIRST_ROW:][: len(realized)],
        history.days[FIRST_ROW + 1 :][: len(realized)],
    )
    is_in_period, is_out_of_sample = (
        np.array([day >= first_target for day in targets]),
        np.array([day >= FITTED_THROUGH for day in days]),
    )
    whole = score_models(days, is_in_period, realized, models)
    if not 0 < whole.n_in_sample < whole.n_days:
        return [whole]
    return [whole, score_models(days, is_in_period & is_out_of_sample, realized, models)]


def render_period(period: Period) -> str:
    """Return the period's scores and what was asked of them, in Markdown."""
    head = ["", "QLIKE", "ours below", "t", "RMSE", "t", "bias", "in the band"]
    rows = [
        [
            *(
                line.model,
                f"{line.qlike:.3f}",
                f"{line.ours_below:.1%}",
                _figure(line.t_qlike, "+.1f"),
            ),
            *(
                f"{line.rmse:.4f}",
                _figure(line.t_squared_error, "+.1f"),
                f"{line.bias:+.1%}",
                _figure(line.coverage, ".1%"),
            ),
        ]
        for line in period.lines
    ]
    score_by_model = {line.model: line for line in period.lines}
    goals = [
        (
            f"QLIKE below {name}",
            f"{least:.0%}",
            f"{score_by_model[name].ours_below:.1%}",
            score_by_model[name].ours_below >= least,
        )
        for name, least in GOALS.items()
    ]
    bias = score_by_model[OURS].bias
    goals.append(
        (
            "bias of volatility, below",
            f"±{MAX_ABS_BIAS:.0%}",
            f"{bias:+.1%}",
            abs(bias) < MAX_ABS_BIAS,
        )
    )
    days = (
        f"{period.n_days:,} days from {period.first} to {period.last}, {period.n_in_sample} of them"
        " in sample"
    )
    pairs = (
        f"{period.n_pairs:,} pairs of symbol and day, of which QLIKE leaves out {period.n_zero}"
        " without movement"
    )
    verdict = measure.markdown_table(
        ["", "goal", "seen", "met"], [(*cells, "yes" if met else "no") for *cells, met in goals]
    )
    return f"{days}; {pairs}\n\n{measure.markdown_table(head, rows)}\n\n{verdict}\n"


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the file, run every model, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", type=Path, help="daily prices, CSV or Parquet")
    parser.add_argument(
        "--market",
        default="SPY",
        help="the market's symbol; without its prices the forecast does without it",
    )
    parser.add_argument(
        "--profiles",
        type=Path,
        help="a file of profiles: symbols that are ETFs or funds are not scored",
    )
    parser.add_argument("--exclude", default="SPY,TLT", help="more symbols that are not scored")
    parser.add_argument(
        "--from",
        dest="first",
        type=date.fromisoformat,
        default=date.min,
        help="first session of the first target",
    )
    parser.add_argument("--json", type=Path, help="write the same figures here")
    options = parser.parse_args(arguments)
    try:
        history = load_history(
            options.prices,
            options.market,
            read_fund_symbols(options.profiles) | set(options.exclude.split(",")),
        )
        found = score_periods(history, options.first)
    except RiskmetricsError as error:
        parser.exit(error.exit_code, f"{error}\n")
    print(
        f"{len(history.symbols)} symbols of {options.prices.name}: volatility of the next"
        f" {forecast_score.FORECAST_HORIZON} sessions\n"
    )
    print("\n".join(render_period(period) for period in found))
    print(
        "t is Diebold and Mariano's, of the loss over ours: above 2, ours is better by more than"
        " chance."
    )
    if all(line.model != REESTIMATED for line in found[0].lines):
        print(
            "No year begins after five years of pairs of twenty symbols: the coefficients are the"
            " shipped ones throughout."
        )
    if options.json:
        content = [
            period._asdict() | {"lines": [line._asdict() for line in period.lines]}
            for period in found
        ]
        options.json.write_text(
            json.dumps({"symbols": history.symbols, "periods": content}, indent=2, default=str)
            + "\n"
        )


if __name__ == "__main__":
    main()
