"""Fits of the corrections of one horizon to histories of prices."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.calibration import MIN_CALIBRATION_YEARS
from riskmetrics.metrics.forecast_features import FEATURES
from riskmetrics.metrics.variance_calibration import (
    PAIR_STEP,
    VariancePairs,
    concatenate,
    fit_correction,
    match_level,
    require_safe,
)
from riskmetrics.metrics.variance_correction import DIVERSIFIED, STOCK, Correction
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.calibration_panels import (
    CalibrationPanel,
    MatchedPairs,
    matched_pairs,
    variance_pairs,
)

MIN_BAR_PAIRS = 10 * SESSIONS_PER_YEAR // PAIR_STEP
"""Minimum pairs with usable bars: those of ten series in a year, or of fewer in more."""

MIN_STOCK_DAYS = MIN_CALIBRATION_YEARS * SESSIONS_PER_YEAR // PAIR_STEP
"""Minimum days with a pair of a stock: those of five years."""


class CorrectionFits(NamedTuple):
    """Corrections by class of series, with their numbers of pairs, and why others are missing."""

    corrections: dict[str, Correction]
    n_obs: dict[str, int]
    rejections: dict[str, str]


def fit_corrections(
    closes: CalibrationPanel,
    bars: Sequence[CalibrationPanel],
    coefficients: har.ModelVersion,
    horizon: int,
) -> CorrectionFits:
    """Fit the corrections of every class of series at one horizon.

    Parameters
    ----------
    closes : CalibrationPanel
        History of stocks, whose closes the corrections of stocks and portfolios are fitted to.
    bars : sequence of CalibrationPanel
        Histories with opens, highs, lows and volumes; may be the same.
    coefficients : mapping
        Coefficients of the regression by proxy.
    horizon : int
        Sessions that are forecast.

    Notes
    -----
    Weights of the season, the quarter and the range level come from the differences between stocks
    on the same day. Portfolios have the weight of the quarter of stocks, and a level of their own.
    The level of series with bars is the one at which their forecasts have the mean of those from
    closes, and their interval is that of stocks, in logarithms times the ratio of the standard
    deviations of both errors: histories of bars are short, and levels vary by a fifth between
    years.
    """
    fits = CorrectionFits({}, {}, {})
    proxy = har.PROXIES[har.CLOSE_MARKET]
    pairs = concatenate(
        [
            variance_pairs(block, coefficients, horizon, STOCK)
            for block in closes.stock_blocks(proxy)
        ]
    )
    n_days = len(np.unique(pairs.day))
    if n_days < MIN_STOCK_DAYS:
        raise CalibrationRejectedError(
            f"{n_days} days have a completed forecast of {horizon} sessions; {MIN_STOCK_DAYS}"
            " required: import longer histories"
        )
    _try_fit(fits, "stock", pairs, lambda: fit_correction(pairs, ("season", "quarter")))
    if "stock" not in fits.corrections:
        return fits
    stock = fits.corrections["stock"]
    block = closes.portfolio_block()
    portfolios = variance_pairs(block, coefficients, horizon, DIVERSIFIED)
    _try_fit(
        fits,
        "diversified",
        portfolios,
        lambda: fit_correction(portfolios, ("quarter",), weights=stock.weights),
    )
    _fit_bars(fits, bars, coefficients, horizon)
    return fits


def _fit_bars(
    fits: CorrectionFits,
    bars: Sequence[CalibrationPanel],
    coefficients: har.ModelVersion,
    horizon: int,
) -> None:
    found = [
        matched_pairs(close_block, range_block, coefficients, horizon)
        for panel in bars
        for close_block, range_block in zip(
            panel.stock_blocks(har.PROXIES[har.CLOSE_MARKET]),
            panel.stock_blocks(har.PROXIES[har.RANGE_MARKET]),
            strict=True,
        )
    ]
    matched = MatchedPairs(
        concatenate([one.bars for one in found]) if found else _no_pairs(),
        concatenate([one.stock for one in found]) if found else _no_pairs(),
        np.concatenate([one.log_variance_difference for one in found] or [np.zeros(0)]),
    )
    if len(matched.log_variance_difference) < MIN_BAR_PAIRS:
        fits.rejections["bars"] = (
            f"{len(matched.log_variance_difference)} completed forecasts have opens, highs, lows"
            f" and volumes of a year; {MIN_BAR_PAIRS} required"
        )
        return

    def fit() -> Correction:
        stock, own = fits.corrections["stock"], fit_correction(matched.bars, FEATURES, level=0.0)
        stock_correction = log_correction(stock, matched.stock)
        bar_correction = log_correction(own, matched.bars)
        difference = matched.log_variance_difference
        bar_errors = np.log(matched.bars.ratio) - bar_correction
        stock_errors = np.log(matched.stock.ratio) - stock_correction
        error_ratio = float(np.std(bar_errors) / np.std(stock_errors))
        return stock._replace(
            level=match_level(stock.level, difference + stock_correction, bar_correction),
            weights=own.weights,
            centers=own.centers,
            lowest=own.lowest,
            highest=own.highest,
            low=float(stock.low**error_ratio),
            high=float(stock.high**error_ratio),
            rise_sd=stock.rise_sd * error_ratio,
        )

    _try_fit(fits, "bars", matched.bars, fit)


def log_correction(correction: Correction, pairs: VariancePairs) -> FloatArray:
    """Return the log of the corrected over the uncorrected variance, without the level, (K,)."""
    values = np.where(np.isnan(pairs.features), correction.centers, pairs.features)
    bounded = np.clip(values, correction.lowest, correction.highest)
    total: FloatArray = (bounded - correction.centers) @ correction.weights
    return total


def _try_fit(
    fits: CorrectionFits, name: str, pairs: VariancePairs, fit: Callable[[], Correction]
) -> None:
    """Add a correction, or the reason why it is rejected."""
    try:
        fits.corrections[name] = require_safe(fit(), name)
        fits.n_obs[name] = len(pairs.ratio)
    except CalibrationRejectedError as error:
        fits.rejections[name] = str(error)


def _no_pairs() -> VariancePairs:
    none = np.zeros(0, dtype=np.int64)
    return VariancePairs(none, none, np.zeros(0), np.zeros(0), np.zeros((0, len(FEATURES))))
