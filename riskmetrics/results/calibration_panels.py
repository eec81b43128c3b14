"""Blocks of regressors, features and outcomes that the volatility forecast is calibrated to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_features import FEATURE_WINDOW, Features, build_features
from riskmetrics.metrics.forecast_score import HORIZONS, forward_realized_volatility
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.metrics.variance_calibration import (
    PAIR_STEP,
    VariancePairs,
    equal_weight_portfolios,
)
from riskmetrics.metrics.variance_correction import BARS, EWMA_DECAYS, STOCK, feature_values
from riskmetrics.metrics.volatility import (
    MIN_MONTH_OBS,
    MONTH,
    ewma_volatility,
    realized_volatility,
)

PADDING_SESSIONS = FEATURE_WINDOW + max(HORIZONS) + 2
"""Empty sessions before a history, so that a stock has a pair as soon as its level has enough
returns."""

BLOCK_SYMBOLS = 500
"""Symbols per block: ten years of them take some hundred megabytes of working arrays."""


class CalibrationBlock(NamedTuple):
    """Regressors, features and outcomes of some series on D days."""

    inputs: har.Regressors
    features: Features
    trailing: FloatArray
    """Volatility of the last 21 sessions, (D, N)."""
    ewma: FloatArray
    """Exponentially weighted volatilities of `EWMA_DECAYS`, (D, N, 2); 0 of stocks."""
    outcomes: dict[int, FloatArray]
    """Realized volatility after each day by horizon, (D, N); NaN where it is not complete."""
    days: pd.DatetimeIndex
    """The D days."""


@dataclass(frozen=True, eq=False)
class CalibrationPanel:
    """A history of clean returns and bars, from which every pair of a calibration is taken."""

    returns: panels.Returns
    """Returns with `PADDING_SESSIONS` before the history."""
    ranges: FloatArray
    opens: FloatArray
    """Opening prices over closes, (T, N)."""
    volumes: FloatArray
    market: str

    @classmethod
    def build(
        cls, bars: dict[str, pd.DataFrame], market: str, suspects: pd.DataFrame | None = None
    ) -> "CalibrationPanel":
        """Clean the bars of a history; see `panels.clean_bars`.

        ``bars`` are adj_close, high and low, and optionally open, close and volume.
        """
        padded = {
            name: panels.pad_history(prices, len(prices) + PADDING_SESSIONS)
            for name, prices in bars.items()
        }
        prices = {name: padded[name] for name in ("adj_close", "high", "low")}
        returns, ranges = panels.clean_bars(**prices, suspects=suspects)
        missing = np.full(returns.frame.shape, np.nan)
        has_opens = {"open", "close"} <= set(bars)
        return cls(
            returns,
            ranges.to_numpy(),
            panels.opens_over_closes(padded["open"], padded["close"]) if has_opens else missing,
            padded["volume"].to_numpy(float)[2:] if "volume" in bars else missing,
            market,
        )

    @property
    def days(self) -> pd.DatetimeIndex:
        """Sessions with features: the last of each window."""
        return pd.DatetimeIndex(self.returns.frame.index[FEATURE_WINDOW - 1 :])

    def known_returns(self) -> FloatArray:
        """Return the returns without a move that is not confirmed on the last session."""
        known = self.returns.values().copy()
        known[-1, self.returns.unconfirmed[-1]] = np.nan
        return known

    def stock_blocks(self, proxy: str) -> Iterator[CalibrationBlock]:
        """Yield the blocks of every symbol but the market, with regressors of one proxy."""
        known = self.known_returns()
        stocks = np.flatnonzero(self.returns.frame.columns != self.market)
        for left in range(0, len(stocks), BLOCK_SYMBOLS):
            block = stocks[left : left + BLOCK_SYMBOLS]
            bars = self.ranges[:, block], self.opens[:, block], self.volumes[:, block]
            yield self._block(known[:, block], self.returns.unconfirmed[:, block], proxy, bars)

    def portfolio_block(self) -> CalibrationBlock:
        """Return the block of equally weighted portfolios of the stocks."""
        stocks = np.flatnonzero(self.returns.frame.columns != self.market)
        portfolios = equal_weight_portfolios(self.known_returns()[:, stocks])
        never = np.zeros(portfolios.shape, dtype=bool)
        return self._block(portfolios, never, har.PROXIES[har.CLOSE_MARKET], None)

    def _block(
        self,
        known: FloatArray,
        unconfirmed: BoolArray,
        proxy: str,
        bars: tuple[FloatArray, FloatArray, FloatArray] | None,
    ) -> CalibrationBlock:
        """Return the block of some series; those without ``bars`` have exponential weights."""
        uses_ranges = proxy == har.PROXIES[har.RANGE_MARKET]
        market = self.returns.column(self.market)
        if proxy == har.PROXIES[har.CLOSE]:
            market = np.full_like(market, np.nan)

        def measure(values: FloatArray, rows: slice, columns: slice | IntArray) -> tuple[Any, ...]:
            own = None if bars is None else tuple(one[rows][:, columns] for one in bars)
            ranges = own[0] if own is not None and uses_ranges else None
            inputs = har.build_regressors(values, market[rows], ranges)
            features = build_features(values, *(own or ()))
            n_dates = len(features.quarter)
            month = realized_volatility(
                values[-(n_dates + MONTH - 1) :],
                window=MONTH,
                min_obs=MIN_MONTH_OBS,
            ).volatility
            year = values[-(n_dates + har.LEVEL_WINDOW - 1) :]
            ewma = (
                np.zeros_like(month) if own else ewma_volatility(year, decay=decay)
                for decay in EWMA_DECAYS
            )
            return (*(part[-n_dates:].copy() for part in inputs), *features, month, *ewma)

        n_inputs = len(har.Regressors._fields)
        *found, trailing, first, second = point_in_time_estimates(
            measure, known, unconfirmed, FEATURE_WINDOW
        )
        days = self.days
        outcomes = {}
        for horizon in HORIZONS:
            realized = forward_realized_volatility(known[FEATURE_WINDOW - 1 :], horizon)
            outcomes[horizon] = np.full((len(days), known.shape[1]), np.nan)
            outcomes[horizon][: len(realized)] = realized
        return CalibrationBlock(
            har.Regressors._make(found[:n_inputs]),
            Features._make(found[n_inputs:]),
            trailing,
            np.stack([first, second], axis=-1),
            outcomes,
            days,
        )


class MatchedPairs(NamedTuple):
    """Completed forecasts of series with bars, as two classes of series."""

    bars: VariancePairs
    stock: VariancePairs
    log_variance_difference: FloatArray
    """Log of the squared forecast from closes over that from ranges, (K,)."""


def variance_pairs(
    block: CalibrationBlock, coefficients: har.ModelVersion, horizon: int, series_class: int
) -> VariancePairs:
    """Return the completed forecasts of a block, as a class of series uses its features."""
    forecast = har.forecast(block.inputs, [coefficients]).volatility_forecast
    usable = _has_outcome(block, forecast, horizon)
    return _take_pairs(block, forecast, horizon, series_class, usable)


def matched_pairs(
    closes: CalibrationBlock, ranges: CalibrationBlock, coefficients: har.ModelVersion, horizon: int
) -> MatchedPairs:
    """Return the completed forecasts of series with usable bars, from ranges and from closes."""
    close_forecast, range_forecast = (
        har.forecast(block.inputs, [coefficients]).volatility_forecast for block in (closes, ranges)
    )
    usable = ranges.features.uses_bars & (close_forecast > 0.0)
    usable &= _has_outcome(ranges, range_forecast, horizon)
    return MatchedPairs(
        _take_pairs(ranges, range_forecast, horizon, BARS, usable),
        _take_pairs(closes, close_forecast, horizon, STOCK, usable),
        2.0 * np.log(close_forecast[usable] / range_forecast[usable]),
    )


def _has_outcome(block: CalibrationBlock, forecast: FloatArray, horizon: int) -> BoolArray:
    """Return which forecasts make a pair: those with an outcome, on every fifth session."""
    realized = block.outcomes[horizon]
    is_chosen = (np.arange(len(forecast)) % PAIR_STEP == 0)[:, np.newaxis]
    completed: BoolArray = (forecast > 0.0) & (realized > 0.0) & np.isfinite(realized)
    completed &= is_chosen & ~block.inputs.short_history
    return completed


def _take_pairs(
    block: CalibrationBlock,
    forecast: FloatArray,
    horizon: int,
    series_class: int,
    usable: BoolArray,
) -> VariancePairs:
    row = np.nonzero(usable)[0]
    values = feature_values(block.features, np.full(forecast.shape, series_class))
    trailing = np.where(block.trailing > 0.0, block.trailing, np.nan)
    return VariancePairs(
        day=block.days.to_numpy(dtype="datetime64[D]").astype(np.int64)[row],
        year=block.days.year.to_numpy(dtype=np.int64)[row],
        ratio=(block.outcomes[horizon][usable] / forecast[usable]) ** 2,
        trailing=trailing[usable] / forecast[usable],
        features=np.stack([one[usable] for one in values], axis=1),
        ewma=(block.ewma[usable] / forecast[usable][:, np.newaxis]) ** 2,
    )
