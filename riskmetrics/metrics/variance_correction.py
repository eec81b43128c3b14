"""Log-linear correction of a variance forecast, its interval and its probability of a rise."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_features import Features
from riskmetrics.metrics.har import Forecast
from riskmetrics.metrics.volatility import LOG_ERROR_MEAN, LOG_ERROR_SD

SERIES_CLASSES = ("stock", "diversified", "bars")
"""Classes of series with a correction of their own.

A stock without usable bars, a fund or portfolio without them, and any series with opens, highs,
lows and volumes: of these the level of ranges says whether they are diversified.
"""

STOCK, DIVERSIFIED, BARS = range(len(SERIES_CLASSES))


class Correction(NamedTuple):
    """Fitted correction of one class of series at one horizon."""

    level: float
    """Log of realized variance over the squared volatility forecast of the regression."""
    weights: FloatArray
    """Weights of the features season, quarter and range level, (3,)."""
    centers: FloatArray
    """Value of each feature that corrects nothing, also used where it is missing, (3,)."""
    lowest: FloatArray
    highest: FloatArray
    """Bounds that features are clipped to, (3,)."""
    volatility_ratio: float
    """Volatility forecast over the root of the variance forecast."""
    low: float
    high: float
    """10th and 90th percentile of realized volatility over the volatility forecast."""
    rise_mean: float
    rise_sd: float
    """The probability of a rise is Φ((ln(volatility forecast / trailing) - mean) / sd)."""


Corrections = Mapping[str, Correction]
"""Corrections by class of series; empty for a version from before there were any."""


class CorrectionTable(NamedTuple):
    """The numbers of all corrections, each (versions, classes) or (versions, classes, 3)."""

    level: FloatArray
    weights: FloatArray
    centers: FloatArray
    lowest: FloatArray
    highest: FloatArray
    volatility_ratio: FloatArray
    low: FloatArray
    high: FloatArray
    rise_mean: FloatArray
    rise_sd: FloatArray
    has_bars: BoolArray
    """Whether a version has a correction of series with bars, (versions,)."""
    is_corrected: BoolArray
    """Whether a version has corrections, (versions,)."""

    @classmethod
    def build(cls, corrections: Sequence[Corrections]) -> "CorrectionTable":
        """Return the table of versions; a class that one does not know has NaN, never used."""
        unknown = Correction._make([np.nan, *[np.full(3, np.nan)] * 4, *[np.nan] * 5])
        rows = [[known.get(name, unknown) for name in SERIES_CLASSES] for known in corrections]
        numbers = (
            np.array([[getattr(one, field) for one in row] for row in rows])
            for field in cls._fields[:-2]
        )
        has_bars = np.array(["bars" in known for known in corrections])
        is_corrected = np.array([bool(known) for known in corrections])
        return cls._make((*numbers, has_bars, is_corrected))


class CorrectedForecast(NamedTuple):
    """A corrected forecast and the parameters of its probability of a rise, each (D, N)."""

    forecast: Forecast
    rise_mean: FloatArray
    rise_sd: FloatArray


def feature_values(features: Features, series_class: IntArray) -> FloatArray:
    """Return season, quarter and range level as the class of each series uses them, (3, D, N).

    Only `BARS` uses the range level, and the season of opening gaps and volumes.

    Examples
    --------
    >>> of_bars = Features(*(np.full((1, 1), x) for x in (1.0, 2.0, 3.0, 4.0)), np.array([[True]]))
    >>> feature_values(of_bars, np.array([[BARS]])).ravel()
    array([2., 3., 4.])
    >>> feature_values(of_bars, np.array([[STOCK]])).ravel()
    array([ 1.,  3., nan])
    """
    is_bars = series_class == BARS
    return np.stack(
        [
            np.where(is_bars, features.bar_season, features.close_season),
            features.quarter,
            np.where(is_bars, features.range_level, np.nan),
        ]
    )


def correct(
    forecast: Forecast,
    features: Features,
    known: CorrectionTable,
    version: IntArray,
    series_class: IntArray,
) -> CorrectedForecast:
    r"""Correct the variance forecast of the regression by what it does not know.

    Parameters
    ----------
    forecast : Forecast
        Forecast of `har.forecast`, of shape (D, N).
    features : Features
        Features of the same days and series.
    known : CorrectionTable
        Corrections of every version; those of a version without any change nothing.
    version : (D,) array
        Index of the version known on each day.
    series_class : (N,) array
        `STOCK` or `DIVERSIFIED`. Series with usable bars are `BARS` on days whose version has a
        correction for them.

    Returns
    -------
    CorrectedForecast
        With the volatility forecast F of the regression and features x,
        :math:`V = F^2 \exp(a + \sum_k b_k (\mathrm{clip}(x_k) - c_k))`. The root variance forecast
        is :math:`\sqrt V`, the volatility forecast a multiple of it, the bounds multiples of that.

    References
    ----------
    Patton (2011), Volatility forecast comparison using imperfect volatility proxies, Journal of
    Econometrics 160(1): the Gamma likelihood of the fit is the QLIKE loss.

    Examples
    --------
    A correction of the level alone, by ln 1.44 of variance, with a volatility ratio of 1:

    >>> forecast = Forecast(*(np.full((1, 1), 0.2) for _ in Forecast._fields))
    >>> features = Features(*(np.full((1, 1), np.nan) for _ in range(4)), np.array([[False]]))
    >>> none, one = np.zeros(3), np.ones(3)
    >>> of = {"stock": Correction(np.log(1.44), none, none, none, one, 1.0, 0.6, 1.4, 0.0, 0.3)}
    >>> table = CorrectionTable.build([of])
    >>> found = correct(forecast, features, table, np.zeros(1, int), np.array([STOCK]))
    >>> found.forecast.volatility_forecast.round(3), found.forecast.low.round(3)
    (array([[0.24]]), array([[0.144]]))
    """
    shape = forecast.volatility_forecast.shape
    if not known.is_corrected.any():
        return CorrectedForecast(
            forecast, np.full(shape, LOG_ERROR_MEAN), np.full(shape, LOG_ERROR_SD)
        )
    has_bars = known.has_bars[version][:, np.newaxis]
    chosen = np.where(features.uses_bars & has_bars, BARS, series_class)
    which = np.broadcast_to(version[:, np.newaxis], shape), chosen
    log_variance = known.level[which]
    for feature, values in enumerate(feature_values(features, chosen)):
        center = known.centers[..., feature][which]
        bounded = np.clip(
            np.where(np.isnan(values), center, values),
            known.lowest[..., feature][which],
            known.highest[..., feature][which],
        )
        log_variance = log_variance + known.weights[..., feature][which] * (bounded - center)
    root = forecast.volatility_forecast * np.exp(0.5 * log_variance)
    volatility = root * known.volatility_ratio[which]
    is_corrected = known.is_corrected[version][:, np.newaxis]
    new = (volatility, root, volatility * known.low[which], volatility * known.high[which])
    chosen_values = (np.where(is_corrected, *pair) for pair in zip(new, forecast[:4], strict=True))
    return CorrectedForecast(
        Forecast._make((*chosen_values, forecast.ratio, forecast.clipped)),
        np.where(is_corrected, known.rise_mean[which], LOG_ERROR_MEAN),
        np.where(is_corrected, known.rise_sd[which], LOG_ERROR_SD),
    )
