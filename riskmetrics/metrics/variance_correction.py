"""Log-linear correction of a variance forecast, its interval and its probability of a rise."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_features import Features
from riskmetrics.metrics.har import Forecast
from riskmetrics.metrics.volatility import LOG_ERROR_MEAN, LOG_ERROR_SD

SERIES_CLASSES = ("stock", "diversified", "bars", "diversified_bars", "portfolio")
"""Classes of series with a correction of their own.

A stock and a fund without usable bars, both with opens, highs, lows and volumes, and a portfolio
of several symbols. The variance of series with bars is forecast alike: the level of ranges says
whether they are diversified. Their intervals differ.
"""

STOCK, DIVERSIFIED, BARS, DIVERSIFIED_BARS, PORTFOLIO = range(len(SERIES_CLASSES))

FALLBACKS = {"diversified_bars": "bars", "portfolio": "diversified"}
"""Class whose correction is used if a version does not have one of a class."""

EWMA_DECAYS = (0.94, 0.97)
"""Decays of the exponentially weighted variances that a forecast may be averaged with."""


class Correction(NamedTuple):
    """Fitted correction of one class of series at one horizon."""

    constant: float
    """Log of realized variance over the squared volatility forecast of the regression."""
    weights: FloatArray
    """Weights of the features season, quarter and range level, (3,)."""
    centers: FloatArray
    """Value of each feature at which its correction is zero, also used if it is missing, (3,)."""
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
    ewma_weights: FloatArray = np.zeros(len(EWMA_DECAYS))
    """Weights of the exponentially weighted variances of `EWMA_DECAYS` in the forecast, (2,)."""


Corrections = Mapping[str, Correction]
"""Corrections by class of series; empty for a version from before there were any."""


class CorrectionTable(NamedTuple):
    """The numbers of all corrections, each (versions, classes) or (versions, classes, n)."""

    constant: FloatArray
    weights: FloatArray
    centers: FloatArray
    lowest: FloatArray
    highest: FloatArray
    volatility_ratio: FloatArray
    low: FloatArray
    high: FloatArray
    rise_mean: FloatArray
    rise_sd: FloatArray
    ewma_weights: FloatArray
    has_bars: BoolArray
    """Whether a version has a correction of series with bars, (versions,)."""
    is_corrected: BoolArray
    """Whether a version has corrections, (versions,)."""

    @classmethod
    def build(cls, corrections: Sequence[Corrections]) -> "CorrectionTable":
        """Return the table of versions.

        A class that a version does not know has the correction of `FALLBACKS`, or NaN, never used.
        """
        arrays, scalars = [np.full(3, np.nan)] * 4, [np.nan] * 5
        unknown = Correction._make([np.nan, *arrays, *scalars, np.zeros(len(EWMA_DECAYS))])
        rows = [
            [
                known.get(name, known.get(FALLBACKS.get(name, ""), unknown))
                for name in SERIES_CLASSES
            ]
            for known in corrections
        ]
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

    Only `BARS` and `DIVERSIFIED_BARS` use the range level, and the season of opening gaps and
    volumes.

    Examples
    --------
    >>> of_bars = Features(*(np.full((1, 1), x) for x in (1.0, 2.0, 3.0, 4.0)), np.array([[True]]))
    >>> feature_values(of_bars, np.array([[BARS]])).ravel()
    array([2., 3., 4.])
    >>> feature_values(of_bars, np.array([[STOCK]])).ravel()
    array([ 1.,  3., nan])
    """
    is_bars = (series_class == BARS) | (series_class == DIVERSIFIED_BARS)
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
    ewma: tuple[FloatArray, ...] | None = None,
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
        `STOCK`, `DIVERSIFIED` or `PORTFOLIO`. Stocks with usable bars are `BARS`, and others
        `DIVERSIFIED_BARS`, on days whose version has a correction for them.
    ewma : tuple of (D, N) arrays, optional
        Exponentially weighted volatilities of `EWMA_DECAYS`, in the unit of ``forecast``; a
        `PORTFOLIO` needs them.

    Returns
    -------
    CorrectedForecast
        With the volatility forecast F of the regression and features x,
        :math:`V = F^2 \exp(a + \sum_k b_k (\mathrm{clip}(x_k) - c_k))`, averaged with
        exponentially weighted variances, :math:`(1 - \sum_i w_i) V + \sum_i w_i E_i^2`, where the
        class has weights of them. The root variance forecast is the square root of that, the
        volatility forecast a multiple of it, the bounds multiples of the volatility forecast.

    References
    ----------
    Timmermann (2006), Forecast combinations, Handbook of Economic Forecasting 1, on averages.

    Patton (2011), Volatility forecast comparison using imperfect volatility proxies, Journal of
    Econometrics 160(1): the Gamma likelihood of the fit is the QLIKE loss.

    Examples
    --------
    A correction by the constant alone, by ln 1.44 of variance, with a volatility ratio of 1:

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
    with_bars = np.where(series_class == STOCK, BARS, DIVERSIFIED_BARS)
    chosen = np.where(features.uses_bars & has_bars, with_bars, series_class)
    which = np.broadcast_to(version[:, np.newaxis], shape), chosen
    log_variance = known.constant[which]
    for feature, values in enumerate(feature_values(features, chosen)):
        center = known.centers[..., feature][which]
        bounded = np.clip(
            np.where(np.isnan(values), center, values),
            known.lowest[..., feature][which],
            known.highest[..., feature][which],
        )
        log_variance = log_variance + known.weights[..., feature][which] * (bounded - center)
    root = forecast.volatility_forecast * np.exp(0.5 * log_variance)
    if ewma is not None:
        root = _average_with_ewma(root, ewma, known.ewma_weights[which])
    volatility = root * known.volatility_ratio[which]
    is_corrected = known.is_corrected[version][:, np.newaxis]
    new = (volatility, root, volatility * known.low[which], volatility * known.high[which])
    chosen_values = (np.where(is_corrected, *pair) for pair in zip(new, forecast[:4], strict=True))
    return CorrectedForecast(
        Forecast._make((*chosen_values, forecast.ratio, forecast.clipped)),
        np.where(is_corrected, known.rise_mean[which], LOG_ERROR_MEAN),
        np.where(is_corrected, known.rise_sd[which], LOG_ERROR_SD),
    )


def _average_with_ewma(
    root: FloatArray, ewma: tuple[FloatArray, ...], weights: FloatArray
) -> FloatArray:
    """Return the root of the weighted mean of variances; ``weights`` of ``ewma`` are (D, N, 2)."""
    total = weights.sum(axis=-1)
    variance = (1.0 - total) * root**2
    for decayed, weight in zip(ewma, np.moveaxis(weights, -1, 0), strict=True):
        variance = variance + weight * decayed**2
    return np.where(total > 0.0, np.sqrt(variance), root)
