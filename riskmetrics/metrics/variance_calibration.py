"""Estimation of the correction of a variance forecast from completed forecasts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_features import FEATURES
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.variance_correction import EWMA_DECAYS, Correction

WINSORIZED_SHARES = (0.002, 0.998)
"""Quantiles of a feature that it is clipped to."""

INTERVAL_SHARES = (0.1, 0.9)
"""Quantiles of realized over forecast volatility between which 80 % of a typical year lie."""

PAIR_STEP = 5
"""Sessions from one with pairs to the next: those between share most of their outcomes."""

MIN_YEAR_DAYS = 126 // PAIR_STEP
"""Days with a pair that a calendar year needs to count in a level: half a year."""

PORTFOLIO_GROUPS = (1, 2, 4)
"""Numbers of equally weighted portfolios that stocks are divided into to measure diversification.

20 stocks make portfolios of 20, 10 and 5.
"""

PORTFOLIO_EWMA_WEIGHTS = np.array([0.2, 0.4])
"""Weights of the exponentially weighted variances of `EWMA_DECAYS` in a portfolio's forecast.

They are not fitted: the loss is flat around them, and the weights that were best until 2017 lost
to a decay of 0.97 alone in 2021 to 2024 (decision 53).
"""

CONSTANT_BOUNDS = (-0.5, 0.8)
"""Bounds of a constant: variance of 0.6 to 2.2 times the squared forecast of the regression."""

_MAX_STEPS = 50

_MIN_WITHIN_DAYS = 1e-9
"""Minimum share of a regressor's squares within days; less is rounding."""


class VariancePairs(NamedTuple):
    """Completed forecasts of the regression, each of shape (K,) unless stated otherwise."""

    day: IntArray
    """Number of the session; equal numbers are one session."""
    year: IntArray
    """Calendar year of the session."""
    ratio: FloatArray
    """Realized variance over the squared volatility forecast, positive."""
    trailing: FloatArray
    """Realized volatility of the last 21 sessions over the forecast; NaN where undefined."""
    features: FloatArray
    """Values of `FEATURES`, (K, 3)."""
    ewma: FloatArray
    """Exponentially weighted variances of `EWMA_DECAYS` over the squared forecast, (K, 2); 0 where
    no class uses them."""


def concatenate(parts: Sequence[VariancePairs]) -> VariancePairs:
    """Return the pairs of all parts.

    Examples
    --------
    >>> one = VariancePairs(*[np.ones(2)] * 4, np.ones((2, 3)), np.ones((2, 2)))
    >>> concatenate([one, one]).features.shape
    (4, 3)
    """
    return VariancePairs(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def fit_day_effects(ratio: FloatArray, x: FloatArray, day: IntArray) -> FloatArray:
    r"""Estimate log-linear weights from the differences between the series of each day.

    Parameters
    ----------
    ratio : (K,) array
        Positive outcomes: realized over forecast variance.
    x : (K, F) array
        Regressors.
    day : (K,) array
        Session of each outcome.

    Returns
    -------
    (F,) array
        The weights b that maximize the Gamma likelihood of :math:`E[ratio] = \mu_{day} e^{x b}`,
        which is to minimize the QLIKE loss, with a free level :math:`\mu` of every day. A crash
        moves all series of its days, and not the weights.

    Raises
    ------
    CalibrationRejectedError
        If a regressor does not vary within days.

    References
    ----------
    McCullagh and Nelder (1989), Generalized linear models, chapter 8.

    Examples
    --------
    Outcomes that follow the model give its weights back, whatever the levels of the days:

    >>> rng = np.random.default_rng(1)
    >>> x, day = rng.normal(size=(60, 2)), np.repeat(np.arange(20), 3)
    >>> ratio = np.exp(0.1 * day + x @ [0.3, -0.2])
    >>> fit_day_effects(ratio, x, day).round(6)
    array([ 0.3, -0.2])
    """
    group = np.unique(day, return_inverse=True)[1]
    size = np.bincount(group).astype(np.float64)
    weights = np.zeros(x.shape[1])
    for _ in range(_MAX_STEPS):
        scaled = ratio * np.exp(-x @ weights)
        share = scaled / np.bincount(group, scaled)[group] * size[group]
        mean = np.column_stack([np.bincount(group, share * one) for one in x.T]) / size[:, None]
        deviation = x - mean[group]
        information = (deviation * share[:, None]).T @ deviation
        size_of_x = (share[:, None] * x**2).sum(axis=0)
        if (np.diag(information) <= _MIN_WITHIN_DAYS * size_of_x).any():
            break
        step = np.linalg.solve(information, (share[:, None] * x).sum(axis=0) - x.sum(axis=0))
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            return weights
    raise CalibrationRejectedError(
        "the features of the variance correction do not vary between the series of a day;"
        " import prices of more symbols"
    )


def typical_level(
    values: FloatArray,
    year: IntArray,
    day: IntArray,
    statistic: Callable[[FloatArray], float] = np.mean,
) -> float:
    """Return the median over calendar years of the mean, or another statistic, of ``values``.

    A year of a crash counts as one year, however large its values are. Years with fewer than 25
    days with a value are left out.

    Raises
    ------
    CalibrationRejectedError
        If no year is left.

    Examples
    --------
    >>> year = np.repeat([2019, 2020, 2021], 25)
    >>> typical_level(np.where(year == 2020, 9.0, year - 2018.0), year, np.arange(75))
    3.0
    """
    means = [
        statistic(values[year == one])
        for one in np.unique(year)
        if len(np.unique(day[year == one])) >= MIN_YEAR_DAYS
    ]
    if not means:
        raise CalibrationRejectedError(
            f"no calendar year has {MIN_YEAR_DAYS} days with a completed forecast; import longer"
            " histories"
        )
    return float(np.median(means))


def fit_correction(
    pairs: VariancePairs,
    features: Sequence[str],
    *,
    weights: FloatArray | None = None,
    constant: float | None = None,
    ewma_weights: FloatArray | None = None,
) -> Correction:
    """Fit the correction of one class of series.

    Parameters
    ----------
    pairs : VariancePairs
        Pairs of the class. Those without one of ``features`` are left out.
    features : sequence of str
        Features in use; the others have weight 0.
    weights : (3,) array, optional
        Weights of all features. Default: `fit_day_effects`.
    constant : float, optional
        Log of the level. Default: that of the typical year.
    ewma_weights : (2,) array, optional
        Weights of the exponentially weighted variances of `EWMA_DECAYS`. Default: 0.

    Raises
    ------
    CalibrationRejectedError
        If there are too few pairs, or forecasts do not say whether volatility rises.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> day = np.repeat(np.arange(300), 10)
    >>> x = rng.normal(size=(3000, 3))
    >>> ratio = 1.2 * np.exp(0.3 * x[:, 0]) * rng.gamma(5.0, 0.2, 3000)
    >>> trailing, none = np.exp(rng.normal(0, 0.5, 3000)), np.zeros((3000, 2))
    >>> pairs = VariancePairs(day, day // 150, ratio, trailing, x, none)
    >>> found = fit_correction(pairs, ["season"])
    >>> found.weights.round(2), round(float(np.exp(found.constant)), 2)
    (array([0.29, 0.  , 0.  ]), 1.21)
    """
    used = np.array([FEATURES.index(name) for name in features], dtype=np.int64)
    complete = np.isfinite(pairs.features[:, used]).all(axis=1) & (pairs.ratio > 0.0)
    if not complete.any():
        raise CalibrationRejectedError(
            f"no completed forecast has the features {', '.join(features)}; import longer histories"
        )
    pairs = VariancePairs._make(values[complete] for values in pairs)
    x = pairs.features[:, used]
    lowest, highest, centers, chosen = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    lowest[used], highest[used] = np.quantile(x, WINSORIZED_SHARES, axis=0)
    x = np.clip(x, lowest[used], highest[used])
    centers[used] = x.mean(axis=0)
    chosen[used] = fit_day_effects(pairs.ratio, x, pairs.day) if weights is None else weights[used]
    log_variance = (x - centers[used]) @ chosen[used]
    if constant is None:
        of_typical_year = typical_level(pairs.ratio * np.exp(-log_variance), pairs.year, pairs.day)
        constant = float(np.log(of_typical_year))
    log_variance = log_variance + constant
    if ewma_weights is None:
        ewma_weights = np.zeros(len(EWMA_DECAYS))
    else:
        regression_share = 1.0 - ewma_weights.sum()
        log_variance = np.log(regression_share * np.exp(log_variance) + pairs.ewma @ ewma_weights)
    error = np.sqrt(pairs.ratio * np.exp(-log_variance))
    volatility_ratio = typical_level(error, pairs.year, pairs.day)
    error = error / volatility_ratio
    low, high = (
        typical_level(error, pairs.year, pairs.day, partial(np.quantile, q=share))
        for share in INTERVAL_SHARES
    )
    growth = 0.5 * log_variance + np.log(volatility_ratio / pairs.trailing)
    rise_mean, rise_sd = _fit_rise(np.sqrt(pairs.ratio) > pairs.trailing, growth)
    return Correction(
        constant=constant,
        weights=chosen,
        centers=centers,
        lowest=lowest,
        highest=highest,
        volatility_ratio=volatility_ratio,
        low=low,
        high=high,
        rise_mean=rise_mean,
        rise_sd=rise_sd,
        ewma_weights=ewma_weights,
    )


def require_safe(correction: Correction, name: str) -> Correction:
    """Return the correction, or reject it if it is unsafe to forecast with.

    Raises
    ------
    CalibrationRejectedError
        If the weight of the season is negative, or the constant is outside [-0.5, 0.8].

    Examples
    --------
    >>> none = np.zeros(3)
    >>> of = Correction(0.9, none, none, none, none, 1.0, 0.6, 1.4, 0.0, 0.3)
    >>> require_safe(of, "stock")
    Traceback (most recent call last):
        ...
    riskmetrics.errors.CalibrationRejectedError: the constant of stock is 0.900, outside -0.5...
    """
    season = correction.weights[FEATURES.index("season")]
    if season < 0.0:
        raise CalibrationRejectedError(
            f"the season of {name} has a negative weight ({season:.3f}); keep the version in use"
        )
    lowest, highest = CONSTANT_BOUNDS
    if not lowest <= correction.constant <= highest:
        raise CalibrationRejectedError(
            f"the constant of {name} is {correction.constant:.3f}, outside {lowest} to {highest};"
            " keep the version in use"
        )
    return correction


def _fit_rise(rises: BoolArray, growth: FloatArray) -> tuple[float, float]:
    """Regress rises on the log of forecast over trailing volatility; return mean and sd of Φ."""
    import statsmodels.api as sm  # slow to import, and rarely needed

    is_known = np.isfinite(growth)
    share = rises[is_known].mean() if is_known.any() else 0.0
    slope = constant = np.nan
    if 0.0 < share < 1.0:
        x = np.column_stack([np.ones(is_known.sum()), growth[is_known]])
        constant, slope = sm.Probit(rises[is_known].astype(np.float64), x).fit(disp=0).params
    if not slope > 0.0:
        raise CalibrationRejectedError(
            "forecasts do not say whether volatility rises; keep the version in use"
        )
    return float(-constant / slope), float(1.0 / slope)


def deviations_within_days(values: FloatArray, day: IntArray) -> FloatArray:
    """Return the differences from the mean of the day, (K,).

    Examples
    --------
    >>> deviations_within_days(np.array([1.0, 3.0, 8.0]), np.array([5, 5, 6]))
    array([-1.,  1.,  0.])
    """
    group = np.unique(day, return_inverse=True)[1]
    deviations: FloatArray = values - (np.bincount(group, values) / np.bincount(group))[group]
    return deviations


def match_level(level: float, log_variance: FloatArray, other_log_variance: FloatArray) -> float:
    """Return the level at which the other forecast has the mean log variance of the first.

    Both arrays are the log variances of the same pairs, without their levels.

    Examples
    --------
    >>> match_level(0.1, np.array([0.2, 0.4]), np.array([0.1, 0.3]))
    0.2
    """
    return level + float(np.mean(log_variance - other_log_variance))


def equal_weight_portfolios(returns: FloatArray) -> FloatArray:
    """Return the returns (T, P) of equally weighted portfolios of the columns of ``returns``.

    Columns are divided into 1, 2 and 4 portfolios by turns. A session counts if 80 % of the
    portfolio have a return.

    Examples
    --------
    >>> equal_weight_portfolios(np.array([[0.01, 0.02, 0.03, 0.04]])).round(3)
    array([[0.025, 0.02 , 0.03 , 0.01 , 0.02 , 0.03 , 0.04 ]])
    """
    portfolios = []
    for n_groups in PORTFOLIO_GROUPS:
        for first in range(n_groups):
            part = returns[:, first::n_groups]
            is_known = np.isfinite(part)
            total, count = np.where(is_known, part, 0.0).sum(axis=1), is_known.sum(axis=1)
            is_covered = meets_minimum(count / max(part.shape[1], 1), MIN_COVERAGE)
            portfolios.append(
                np.divide(total, count, out=np.full(len(part), np.nan), where=is_covered)
            )
    return np.column_stack(portfolios)
