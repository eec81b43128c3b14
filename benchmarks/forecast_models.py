"""Forecasts of volatility on a file of prices: riskmetrics, and named simple alternatives."""

import itertools
import warnings
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks import shipped_versions
from benchmarks.price_panels import pivot_rows
from riskmetrics import panels, trading_calendar
from riskmetrics.errors import DataQualityError
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.forecast_features import FEATURE_WINDOW, build_features
from riskmetrics.metrics.forecast_score import HORIZONS, forward_realized_volatility
from riskmetrics.metrics.variance_correction import DIVERSIFIED, EWMA_DECAYS, PORTFOLIO, STOCK
from riskmetrics.metrics.volatility import (
    MIN_MONTH_OBS,
    MONTH,
    SESSIONS_PER_YEAR,
    ewma_volatility,
    range_proxy,
    realized_volatility,
)
from riskmetrics.results.volatility_results import forecast_volatility
from riskmetrics.sources import files

FIRST_ROW = FEATURE_WINDOW - 1
"""Row of the last return that the first forecast uses."""

OURS, FORMER, CLOSES_ONLY = "riskmetrics", "shipped-1", "riskmetrics, closes only"
TRAILING, EWMA_97, EWMA_94, GARCH = "trailing 21 days", "EWMA .97", "EWMA .94", "GARCH(1,1)"

N_PORTFOLIOS = 40


class History(NamedTuple):
    """Inputs of models: returns, ranges, opens over closes, volumes (T, N), market returns (T,)."""

    days: list[date]
    symbols: list[str]
    returns: FloatArray
    ranges: FloatArray
    opens: FloatArray
    volumes: FloatArray
    market: FloatArray
    is_fund: BoolArray
    """Whether a series is a fund, (N,)."""
    is_portfolio: bool = False
    """Whether all series are portfolios."""

    def select(self, columns: "BoolArray | list[int]") -> "History":
        """Return some of the series."""
        return self._replace(
            symbols=list(np.array(self.symbols, dtype=object)[columns]),
            returns=self.returns[:, columns],
            ranges=self.ranges[:, columns],
            opens=self.opens[:, columns],
            volumes=self.volumes[:, columns],
            is_fund=self.is_fund[columns],
        )


class Prediction(NamedTuple):
    """Forecasts of a model, each (M, N): those of the rows from `FIRST_ROW` on."""

    volatility_forecast: FloatArray
    root_variance_forecast: FloatArray
    low: FloatArray
    high: FloatArray


def load_history(
    path: Path, market: str, excluded: set[str], funds: frozenset[str] = frozenset()
) -> History:
    """Read a file of prices; excluded symbols are not scored, but may be the market."""
    rows = files.read_prices(path).rows
    sessions = trading_calendar.sessions_between(rows["date"].min(), rows["date"].max())
    needed = FEATURE_WINDOW + max(HORIZONS) + 1
    if len(sessions) < needed:
        raise DataQualityError(
            f"{path} covers {len(sessions)} sessions; a forecast with its target needs {needed}"
        )
    symbols = sorted(set(rows["symbol"]) - excluded)
    all_returns = panels.simple_returns(
        pivot_rows(rows, sessions, sorted({*symbols, market}), "adj_close")
    )
    high, low, opens, close, volume = (
        pivot_rows(rows, sessions[1:], symbols, value).to_numpy()
        for value in ("high", "low", "open", "close", "volume")
    )
    return History(
        sessions[1:],
        symbols,
        all_returns[symbols].to_numpy(),
        range_proxy(high, low),
        opens / close,
        volume,
        all_returns[market].to_numpy(),
        np.array([symbol in funds for symbol in symbols], dtype=bool),
    )


def random_weights(n_symbols: int, count: int, seed: int = 1) -> FloatArray:
    """Return weights (count, n_symbols) of portfolios of 3 to 25 symbols."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((count, n_symbols))
    for number in range(count):
        held = rng.choice(n_symbols, rng.integers(3, min(25, n_symbols) + 1), replace=False)
        own = rng.dirichlet(np.ones(len(held)))
        if number % 5 == 0:
            own = np.where(rng.random(len(held)) < 0.3, -own, own)
        weights[number, held] = own
    return weights


def random_portfolios(returns: FloatArray, count: int, seed: int = 1) -> FloatArray:
    """Return daily returns (T, count) of portfolios of 3 to 25 of the columns of ``returns``."""
    return returns @ random_weights(returns.shape[1], count, seed).T


def portfolio_history(stocks: History, count: int = N_PORTFOLIOS) -> History:
    """Return the history of random portfolios of stocks, a fifth of them with short positions."""
    returns = random_portfolios(stocks.returns, count)
    missing = np.full(returns.shape, np.nan)
    names = [f"portfolio {number + 1}" for number in range(count)]
    return stocks._replace(
        symbols=names,
        returns=returns,
        ranges=missing,
        opens=missing,
        volumes=missing,
        is_fund=np.zeros(count, dtype=bool),
        is_portfolio=True,
    )


def realized_after(history: History, horizon: int) -> FloatArray:
    """Return realized volatility after the rows from `FIRST_ROW` on; NaN where incomplete."""
    found = np.full(history.returns[FIRST_ROW:].shape, np.nan)
    realized = forward_realized_volatility(history.returns[FIRST_ROW:], horizon)
    found[: len(realized)] = realized
    return found


def predict(history: History, horizon: int) -> dict[str, Prediction]:
    """Forecast with all models."""
    found = {OURS: predict_shipped(history, horizon)}
    if np.isfinite(history.ranges).any():
        missing = np.full(history.ranges.shape, np.nan)
        found[CLOSES_ONLY] = predict_shipped(history._replace(ranges=missing), horizon)
    former = har.forecast(har.build_regressors(history.returns, history.market, history.ranges))
    found[FORMER] = Prediction(*(values[-len(found[OURS].low) :] for values in former[:4]))
    year = history.returns[FIRST_ROW - har.LEVEL_WINDOW + 1 :]
    month = history.returns[FIRST_ROW - MONTH + 1 :]
    return found | {
        TRAILING: _without_interval(
            realized_volatility(month, window=MONTH, min_obs=MIN_MONTH_OBS).volatility
        ),
        EWMA_97: _without_interval(ewma_volatility(year, decay=0.97)),
        EWMA_94: _without_interval(ewma_volatility(year, decay=0.94)),
        GARCH: _without_interval(garch_forecasts(history, horizon)),
    }


def predict_shipped(history: History, horizon: int) -> Prediction:
    """Forecast with the version of each session among those that riskmetrics ships."""
    versions = shipped_versions.load()
    inputs = har.build_regressors(history.returns, history.market, history.ranges)
    features = build_features(history.returns, history.ranges, history.opens, history.volumes)
    n_dates = len(features.quarter)
    of_symbols = np.where(history.is_fund, DIVERSIFIED, STOCK)
    year = history.returns[FIRST_ROW - har.LEVEL_WINDOW + 1 :]
    corrected = forecast_volatility(
        har.Regressors._make(values[-n_dates:] for values in inputs),
        features,
        versions,
        versions.version_on(pd.DatetimeIndex(history.days[FIRST_ROW:])),
        np.full_like(of_symbols, PORTFOLIO) if history.is_portfolio else of_symbols,
        horizon,
        tuple(ewma_volatility(year, decay=decay) for decay in EWMA_DECAYS),
    )
    return Prediction(*corrected.forecast[:4])


def _without_interval(volatility: FloatArray) -> Prediction:
    """Return a prediction that uses volatility for the root variance too, without interval."""
    return Prediction(volatility, volatility, *[np.full_like(volatility, np.nan)] * 2)


def garch_forecasts(history: History, horizon: int = MONTH) -> FloatArray:
    """Forecast with a GARCH(1,1) per symbol, fitted by maximum likelihood at the start of quarters.

    Fits use the full history; within a quarter, parameters are constant and the variance is
    filtered. The forecast is based on the mean variance of the next sessions. NaN before the first
    quarter that starts with 126 returns.
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
                variances = _garch_variances(
                    per_cent[: latest[end - 1] + 1], latest[first], horizon
                )
                forecast[first:end, column] = (
                    np.sqrt(SESSIONS_PER_YEAR * variances[latest[first:end] - latest[first]])
                    / 100.0
                )
    return forecast


def _garch_variances(per_cent: FloatArray, fitted: int, horizon: int) -> FloatArray:
    """Return the mean variance of the next returns, from ``fitted``, the end of the fit, on."""
    from arch import arch_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that does not converge is used as it is
        result = arch_model(per_cent, rescale=False).fit(
            last_obs=fitted + 1, disp="off", show_warning=False
        )
        variances: FloatArray = (
            result.forecast(horizon=horizon, start=fitted).variance.to_numpy().mean(axis=1)
        )
    return variances
