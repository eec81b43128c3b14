"""Shape of return series: asymmetry, tails, gains against losses, and losing streaks."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_SESSION_RISK, divide_by_risk
from riskmetrics.metrics.windows import is_constant, window_sums


class ReturnDistribution(NamedTuple):
    """Shape of the returns of N series, each of shape (N,)."""

    win_rate: FloatArray
    payoff_ratio: FloatArray
    omega_ratio: FloatArray
    skewness: FloatArray
    excess_kurtosis: FloatArray
    tail_ratio: FloatArray
    losing_streak: FloatArray
    probabilistic_sharpe: FloatArray
    kelly_leverage: FloatArray
    n_obs: IntArray


class _Moments(NamedTuple):
    """Moments of N series, each of shape (N,); NaN where they are undefined."""

    mean: FloatArray
    deviation: FloatArray
    skewness: FloatArray
    excess_kurtosis: FloatArray


TAIL_LEVEL = 0.95
"""Quantile of the gains and of the losses that the tail ratio compares."""


def return_distribution(returns: FloatArray, *, min_obs: int) -> ReturnDistribution:
    r"""Return asymmetry, tails, and gains against losses of the returns of a window.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns of a window, oldest first, NaN where missing.
    min_obs : int
        Minimum number of returns, at least 4.

    Returns
    -------
    ReturnDistribution
        Of the n known returns r, with mean m and sample standard deviation s: ``win_rate`` is the
        share with r > 0; ``payoff_ratio`` the mean gain divided by the mean loss; ``omega_ratio``
        the sum of gains divided by the sum of losses (the target is 0), which is 1 more than the
        gain-to-pain ratio; ``skewness`` and ``excess_kurtosis`` are Fisher's unbiased :math:`G_1`
        and :math:`G_2`; ``tail_ratio`` is the 95 % quantile divided by the amount of the 5 %
        quantile; ``losing_streak`` the most negative returns in a row, missing ones skipped;
        ``probabilistic_sharpe`` the probability that the true Sharpe ratio is positive,
        :math:`\Phi(q \sqrt{n - 1} / \sqrt{1 - G_1 q + (G_2 + 2) q^2 / 4})` with :math:`q = m / s`;
        ``kelly_leverage`` :math:`m / s^2`, the leverage that would have maximized growth.
        NaN with fewer than ``min_obs`` returns, or where a denominator is 0, a sum of losses below
        `MIN_RISK`, or a mean loss, a 5 % quantile or s below `MIN_SESSION_RISK`.

    Raises
    ------
    ValueError
        If ``returns`` is not (T, N) or ``min_obs`` is out of range.

    References
    ----------
    Joanes and Gill (1998), Comparing measures of sample skewness and kurtosis, The Statistician
    47(1). Keating and Shadwick (2002), A universal performance measure, Journal of Performance
    Measurement 6(3). Bailey and López de Prado (2012), The Sharpe ratio efficient frontier, Journal
    of Risk 15(2). Thorp (2006), The Kelly criterion in blackjack, sports betting and the stock
    market, Handbook of Asset and Liability Management.

    Examples
    --------
    >>> returns = np.array([[0.02], [-0.01], [-0.01], [0.03]])
    >>> found = return_distribution(returns, min_obs=4)
    >>> found.win_rate, found.payoff_ratio, found.omega_ratio, found.losing_streak
    (array([0.5]), array([2.5]), array([2.5]), array([2.]))
    >>> found.skewness.round(3), found.excess_kurtosis.round(3)
    (array([0.2]), array([-4.858]))
    """
    if returns.ndim != 2 or not 4 <= min_obs <= len(returns):
        raise ValueError(
            f"returns must be (T, N) with 4 <= min_obs <= T, not {returns.shape} and {min_obs}"
        )
    from scipy.special import ndtr  # slow to import

    is_known = np.isfinite(returns)
    n_obs = is_known.sum(axis=0)
    is_enough = n_obs >= min_obs
    values = np.where(is_known, returns, 0.0)
    n_gains, n_losses = (values > 0.0).sum(axis=0), (values < 0.0).sum(axis=0)
    gains, losses = (_total(np.maximum(sign * values, 0.0)) for sign in (1.0, -1.0))
    moments = _moments(values, is_known, n_obs)
    with np.errstate(divide="ignore", invalid="ignore"):  # undefined is NaN
        ratio = moments.mean / moments.deviation
        error = 1.0 - moments.skewness * ratio + (moments.excess_kurtosis + 2.0) / 4.0 * ratio**2
        found = (
            n_gains / n_obs,
            divide_by_risk(gains / n_gains, losses / n_losses, minimum=MIN_SESSION_RISK),
            divide_by_risk(gains, losses),
            moments.skewness,
            moments.excess_kurtosis,
            _tail_ratio(returns, n_obs),
            longest_runs(values < 0.0, is_known).astype(np.float64),
            ndtr(ratio * np.sqrt(n_obs - 1) / np.sqrt(error)),
            divide_by_risk(moments.mean, moments.deviation**2, minimum=MIN_SESSION_RISK**2),
        )
    known_figures = [np.where(is_enough, each, np.nan) for each in found]
    return ReturnDistribution._make([*known_figures, n_obs])


def longest_runs(is_true: BoolArray, is_counted: BoolArray) -> IntArray:
    """Return the most true rows in a row of each column of (T, N); rows not counted are skipped.

    Examples
    --------
    >>> is_true = np.array([[True], [False], [True], [False], [True]])
    >>> longest_runs(is_true, np.array([[True], [True], [True], [False], [True]]))
    array([2])
    """
    total = np.cumsum(is_true & is_counted, axis=0)
    before = np.maximum.accumulate(np.where(is_counted & ~is_true, total, 0), axis=0)
    longest: IntArray = (total - before).max(axis=0)
    return longest


def _total(values: FloatArray) -> FloatArray:
    """Return the sums of columns, which do not depend on the other columns to the last bit."""
    total: FloatArray = window_sums(values, len(values))[0]
    return total


def _moments(values: FloatArray, known: BoolArray, n_obs: IntArray) -> _Moments:
    """Return the moments of the known values; those of order 2 and above in a second pass."""
    n = n_obs.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _total(values) / n
        deviations = np.where(known, values - mean, 0.0)
        squares = _total(deviations**2)
        variance = np.where(is_constant(squares, mean, n), np.nan, squares / (n - 1.0))
        third, fourth = (_total(deviations**power) for power in (3, 4))
        skewness = n / ((n - 1.0) * (n - 2.0)) * third / variance**1.5
        tails = n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0)) * fourth / variance**2
        kurtosis = tails - 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0))
    return _Moments(mean, np.sqrt(variance), skewness, kurtosis)


def _tail_ratio(returns: FloatArray, n_obs: IntArray) -> FloatArray:
    """Return the quantile of `TAIL_LEVEL` divided by the amount of the opposite one."""
    ordered = np.sort(np.where(np.isfinite(returns), returns, np.nan), axis=0)  # NaN last
    series = np.arange(returns.shape[1])

    def quantile(level: float) -> FloatArray:
        position = level * np.maximum(n_obs - 1, 0)
        below = position.astype(np.int64)
        above = np.minimum(below + 1, np.maximum(n_obs - 1, 0))
        lower, upper = ordered[below, series], ordered[above, series]
        between: FloatArray = lower + (upper - lower) * (position - below)
        return between

    high, low = np.abs(quantile(TAIL_LEVEL)), np.abs(quantile(1.0 - TAIL_LEVEL))
    return divide_by_risk(high, low, minimum=MIN_SESSION_RISK)
