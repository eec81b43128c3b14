"""Walk-forward comparison of the volatility forecast with other models, on any file of prices.

    python -m benchmarks.forecast_skill PRICES [--profiles FILE] [--exclude SPY,TLT] [--from
    2021-01-04] [--json FILE]

PRICES is a CSV or Parquet file in the format of `riskmetrics import prices`, with closes, and
optionally highs and lows. The forecast of each session uses the prices up to it and is compared
with the volatility of the next 21 sessions. All models are scored on the same pairs of symbol and
day. Days before the end of the data that the shipped coefficients were fitted to are in-sample:
each table states their number, and the other days have a separate table.
"""

# ruff: noqa: T201 — a benchmark prints its results
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
from riskmetrics.metrics import forecast_comparison, forecast_score, har
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.calibration import fit
from riskmetrics.metrics.volatility import (
    ABSOLUTE_SCALE,
    MIN_MONTH_OBS,
    MONTH,
    SESSIONS_PER_YEAR,
    ewma_volatility,
    lagged_means,
    range_proxy,
    realized_volatility,
)
from riskmetrics.sources import files

FITTED_THROUGH = date(2022, 12, 30)
"""Last session of the prices that the shipped coefficients were fitted to."""

FIRST_ROW = har.LEVEL_WINDOW - 1
"""Row of the last return that the first forecast uses."""

OURS, WITHOUT_RANGES, REESTIMATED = (
    "riskmetrics",
    "riskmetrics, closes only",
    "riskmetrics, re-estimated yearly",
)
TRAILING, EWMA_97, EWMA_94 = "trailing 21 days", "EWMA .97", "EWMA .94"
GARCH, HAR_PER_SYMBOL, HAR_UNSCALED = (
    "GARCH(1,1)",
    "HAR per symbol, one year",
    "HAR per symbol, without √(π/2)",
)

GOALS = {TRAILING: 0.30, EWMA_97: 0.07}
"""Target reduction of QLIKE against other models, as a fraction."""
MAX_ABS_BIAS = 0.05


class History(NamedTuple):
    """Inputs of models: returns and ranges of shape (T, N), and market returns (T,)."""

    days: list[date]
    symbols: list[str]
    returns: FloatArray
    ranges: FloatArray
    market: FloatArray


class Prediction(NamedTuple):
    """Forecasts of a model, each of shape (M, N).

    The M sessions are those of rows FIRST_ROW to T - 22, for which the next 21 returns are known.
    """

    volatility_forecast: FloatArray
    root_variance_forecast: FloatArray
    low: FloatArray
    high: FloatArray


class ModelScore(NamedTuple):
    """Score of a model over a period, and t statistics of the difference from riskmetrics."""

    model: str
    qlike: float
    rmse: float
    bias: float
    coverage: float | None
    ours_below: float
    """Reduction of QLIKE by riskmetrics, as a fraction of the QLIKE of the model."""
    t_qlike: float | None
    """Diebold-Mariano t statistic; above 2, riskmetrics is significantly better."""
    t_squared_error: float | None


class Period(NamedTuple):
    """Scores of all models over the same pairs of symbol and day."""

    first: date
    last: date
    n_days: int
    n_in_sample: int
    """In-sample days of the shipped coefficients."""
    n_pairs: int
    n_zero: int
    lines: list[ModelScore]


def load_history(path: Path, market: str, excluded: set[str]) -> History:
    """Read a file of prices; excluded symbols are not scored, but may be the market."""
    rows = files.read_prices(path).rows
    sessions = trading_calendar.sessions_between(rows["date"].min(), rows["date"].max())
    if len(sessions) <= har.LEVEL_WINDOW + forecast_score.FORECAST_HORIZON:
        needed = har.LEVEL_WINDOW + forecast_score.FORECAST_HORIZON + 1
        raise DataQualityError(
            f"{path} covers {len(sessions)} sessions; a forecast with its target needs {needed}"
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
    """Return the symbols of ETFs and funds in a file of profiles."""
    if profiles is None:
        return set()
    rows = files.read_profiles(profiles).rows
    return set(rows.loc[rows["is_etf"].fillna(False) | rows["is_fund"].fillna(False), "symbol"])


def predict_with_all_models(history: History, realized: FloatArray) -> dict[str, Prediction]:
    """Forecast with all models; yearly fits use ``realized`` (M, N) up to their day."""
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
    """Return trailing and EWMA volatility as forecasts."""
    trailing = realized_volatility(returns, window=MONTH, min_obs=MIN_MONTH_OBS).volatility[
        FIRST_ROW - MONTH + 1 :
    ]
    slow, fast = (ewma_volatility(returns, decay=decay) for decay in (0.97, 0.94))
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
    """Return a prediction that uses volatility for the root variance too, without interval."""
    return Prediction(volatility, volatility, *[np.full_like(volatility, np.nan)] * 2)


def yearly_versions(
    days: Sequence[date], inputs: har.Regressors, realized: FloatArray
) -> tuple[list[har.ModelVersion], IntArray]:
    """Fit at the first session of each year; return model versions, and the version of each day.

    Fits use all pairs that are complete at that session. A proxy whose fit is rejected, such as
    with less than five years of pairs, keeps its previous coefficients, at first the shipped ones.
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
    """Forecast with a GARCH(1,1) per symbol, fitted by maximum likelihood at the start of quarters.

    Fits use the full history; within a quarter, parameters are constant and the variance is
    filtered. The forecast is based on the mean variance of the next 21 sessions. NaN before the
    first quarter that starts with 126 returns.
    """
    quarters = np.array([4 * day.year + (day.month - 1) // 3 for day in history.days[FIRST_ROW:]])
    starts = [0, *(np.flatnonzero(np.diff(quarters)) + 1), len(quarters)]
    forecast = np.full((len(quarters), len(history.symbols)), np.nan)
    for column in range(len(history.symbols)):
        is_finite = np.isfinite(history.returns[:, column])
        per_cent = 100.0 * history.returns[is_finite, column]
        # position of the last return of each day among the finite ones
        latest = np.cumsum(is_finite)[FIRST_ROW:] - 1
        for first, end in itertools.pairwise(starts):
            if latest[first] + 1 >= har.FULL_LEVEL_OBS:
                variances = _garch_variances(per_cent[: latest[end - 1] + 1], latest[first])
                forecast[first:end, column] = (
                    np.sqrt(SESSIONS_PER_YEAR * variances[latest[first:end] - latest[first]])
                    / 100.0
                )
    return forecast


def _garch_variances(per_cent: FloatArray, fitted: int) -> FloatArray:
    """Return the mean variance of the next 21 returns, from ``fitted``, the end of the fit, on."""
    from arch import arch_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that does not converge is used as it is
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
    """Forecast with an HAR per symbol, fitted every session to one year by least squares.

    Regresses daily absolute returns on their lags. The next-day forecast is used for the next 21
    sessions, and is at least a quarter of the mean of the year.
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
    """Score all models on the pairs with a forecast of every model, on ``is_scored`` (M,) days."""
    where = is_scored[:, np.newaxis] & np.isfinite(realized)
    for model in models.values():
        where &= np.isfinite(model.volatility_forecast) & (model.root_variance_forecast > 0)
    if not where.any():
        raise DataQualityError(
            f"no day has a forecast of all models ({', '.join(models)}) and 21 following sessions"
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
            forecast_comparison.diebold_mariano(theirs, ours).t
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
    """Return a figure, with None for NaN, which JSON cannot represent."""
    return None if np.isnan(figure) else figure


def score_periods(history: History, first_target: date) -> list[Period]:
    """Score all days with a target from ``first_target`` on, and also the out-of-sample days."""
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
    """Return the scores of a period and the comparison with targets, in Markdown."""
    head = ["", "QLIKE", "QLIKE reduction", "t", "RMSE", "t", "bias", "interval coverage"]
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
            f"QLIKE reduction against {name}, at least",
            f"{minimum:.0%}",
            f"{score_by_model[name].ours_below:.1%}",
            score_by_model[name].ours_below >= minimum,
        )
        for name, minimum in GOALS.items()
    ]
    bias = score_by_model[OURS].bias
    goals.append(
        (
            "absolute bias of volatility, below",
            f"±{MAX_ABS_BIAS:.0%}",
            f"{bias:+.1%}",
            abs(bias) < MAX_ABS_BIAS,
        )
    )
    days = (
        f"{period.n_days:,} days from {period.first} to {period.last}, of which"
        f" {period.n_in_sample} in-sample"
    )
    pairs = (
        f"{period.n_pairs:,} pairs of symbol and day, of which QLIKE excludes {period.n_zero}"
        " with zero volatility"
    )
    verdict = measure.markdown_table(
        ["", "target", "measured", "met"],
        [(*cells, "yes" if met else "no") for *cells, met in goals],
    )
    return f"{days}; {pairs}\n\n{measure.markdown_table(head, rows)}\n\n{verdict}\n"


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


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
    parser.add_argument(
        "--profiles",
        type=Path,
        help="file of profiles; ETFs and funds in it are not scored",
    )
    parser.add_argument("--exclude", default="SPY,TLT", help="other symbols that are not scored")
    parser.add_argument(
        "--from",
        dest="first",
        type=date.fromisoformat,
        default=date.min,
        help="first session of the first target",
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
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
        "t: Diebold-Mariano statistic of the loss difference; above 2, riskmetrics is significantly"
        " better."
    )
    if all(line.model != REESTIMATED for line in found[0].lines):
        print(
            "No re-estimation: it needs five years of pairs of twenty symbols before the start of a"
            " year. All forecasts use the shipped coefficients."
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
