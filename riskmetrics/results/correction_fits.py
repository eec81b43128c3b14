"""Fits of the corrections of one horizon to histories of prices."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.calibration import MIN_CALIBRATION_YEARS
from riskmetrics.metrics.forecast_features import FEATURES
from riskmetrics.metrics.variance_calibration import (
    PAIR_STEP,
    PORTFOLIO_EWMA_WEIGHTS,
    VariancePairs,
    concatenate,
    deviations_within_days,
    fit_correction,
    match_level,
    require_safe,
)
from riskmetrics.metrics.variance_correction import DIVERSIFIED, EWMA_DECAYS, STOCK, Correction
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
    on the same day. Funds and portfolios have the weight of the quarter of stocks, and a level of
    their own; the variance of a portfolio is averaged with exponentially weighted ones.

    Histories of bars are short, and levels vary by a fifth between years. So the level of series
    with bars follows from that of closes: their mean log forecasts are equal, less what smaller
    errors take from the mean of realized over forecast variance (smearing, Duan 1983). Their
    interval is that of their class, in logarithms times the ratio of the standard deviations of
    both errors. Both are measured between the stocks of a day: what a day's stocks have in common
    says nothing about bars.

    References
    ----------
    Duan (1983), Smearing estimate: a nonparametric retransformation method, Journal of the American
    Statistical Association 78(383).
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
    for name, ewma_weights in (("diversified", None), ("portfolio", PORTFOLIO_EWMA_WEIGHTS)):
        fit = partial(fit_correction, portfolios, ("quarter",), weights=stock.weights)
        _try_fit(fits, name, portfolios, partial(fit, ewma_weights=ewma_weights))
    _fit_bars(fits, bars, coefficients, horizon)
    return fits


def _fit_bars(
    fits: CorrectionFits,
    bars: Sequence[CalibrationPanel],
    coefficients: har.ModelVersion,
    horizon: int,
) -> None:
    """Add the corrections of stocks and funds with bars, or the reason why there are none."""
    matched = _match(bars, coefficients, horizon)
    if len(matched.log_variance_difference) < MIN_BAR_PAIRS:
        fits.rejections["bars"] = (
            f"{len(matched.log_variance_difference)} completed forecasts have opens, highs, lows"
            f" and volumes of a year; {MIN_BAR_PAIRS} required"
        )
        return
    stock = fits.corrections["stock"]
    for name, of_closes in (("bars", "stock"), ("diversified_bars", "diversified")):
        if of_closes in fits.corrections:
            interval = fits.corrections[of_closes]
            _try_fit(fits, name, matched.bars, partial(_correct_bars, matched, stock, interval))


def _match(
    bars: Sequence[CalibrationPanel], coefficients: har.ModelVersion, horizon: int
) -> MatchedPairs:
    """Return the matched pairs of all histories."""
    found = [
        matched_pairs(close_block, range_block, coefficients, horizon)
        for panel in bars
        for close_block, range_block in zip(
            panel.stock_blocks(har.PROXIES[har.CLOSE_MARKET]),
            panel.stock_blocks(har.PROXIES[har.RANGE_MARKET]),
            strict=True,
        )
    ]
    return MatchedPairs(
        concatenate([one.bars for one in found]) if found else _no_pairs(),
        concatenate([one.stock for one in found]) if found else _no_pairs(),
        np.concatenate([one.log_variance_difference for one in found] or [np.zeros(0)]),
    )


def _correct_bars(matched: MatchedPairs, stock: Correction, of_closes: Correction) -> Correction:
    """Fit the correction of series with bars, with the interval of the class ``of_closes``.

    The volatility ratio is the exponential of a variance of log errors, so it is raised to the
    square of the ratio of their standard deviations.
    """
    own = fit_correction(matched.bars, FEATURES, constant=0.0)
    of_stock, of_bars = log_correction(stock, matched.stock), log_correction(own, matched.bars)
    error, error_of_stock = (
        deviations_within_days(np.log(pairs.ratio) - correction, pairs.day)
        for pairs, correction in ((matched.bars, of_bars), (matched.stock, of_stock))
    )
    narrower = float(np.std(error) / np.std(error_of_stock))
    smearing = float(np.log(np.exp(error).mean() / np.exp(error_of_stock).mean()))
    difference = matched.log_variance_difference + of_stock
    return own._replace(
        constant=match_level(stock.constant, difference, of_bars) + smearing,
        volatility_ratio=float(of_closes.volatility_ratio ** (narrower**2)),
        low=float(of_closes.low**narrower),
        high=float(of_closes.high**narrower),
        rise_mean=of_closes.rise_mean,
        rise_sd=of_closes.rise_sd * narrower,
    )


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
    features, ewma = np.zeros((0, len(FEATURES))), np.zeros((0, len(EWMA_DECAYS)))
    return VariancePairs(none, none, np.zeros(0), np.zeros(0), features, ewma)
