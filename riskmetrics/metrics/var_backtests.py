"""Judge stored value at risk and expected shortfall by the losses that followed.

Losses are positive fractions of equity. An exception is a loss above the value at risk; an equal
one is not.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from riskmetrics.metrics._typing import FloatArray, IntArray

YELLOW_PROBABILITY, RED_PROBABILITY = 0.95, 0.9999
"""Probabilities of at most the observed number of exceptions from which the zones begin."""

SIGNIFICANCE = 0.05
"""Largest p-value that counts as evidence against a model."""


class LikelihoodRatio(NamedTuple):
    """Likelihood ratio of a test and its p-value, each of the shape of the counts."""

    likelihood_ratio: FloatArray
    p_value: FloatArray


class Transitions(NamedTuple):
    """Pairs of consecutive sessions, by whether each had an exception; arrays of one shape."""

    n_00: IntArray
    """Neither session had one."""
    n_01: IntArray
    """Only the second had one."""
    n_10: IntArray
    """Only the first had one."""
    n_11: IntArray
    """Both had one."""


def quantile_loss(
    losses: FloatArray, value_at_risk: FloatArray, *, level: FloatArray | float
) -> FloatArray:
    r"""Return the loss of quantile forecasts, elementwise, in the unit of the losses.

    Parameters
    ----------
    losses, value_at_risk : arrays of one shape
        Losses and the forecasts of their ``level`` quantile.
    level : float or array
        Confidence, between 0 and 1.

    Returns
    -------
    array of the same shape
        :math:`p\,\max(L - q, 0) + (1 - p)\,\max(q - L, 0)`: its mean is smallest for the true
        quantile. NaN where either is missing.

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles, Econometrica 46(1).

    Examples
    --------
    At 99 %, a loss 1 % above the value at risk costs as much as 99 that are 1 % below it:

    >>> quantile_loss(np.array([0.03, 0.01]), np.array([0.02, 0.02]), level=0.99).round(6)
    array([0.0099, 0.0001])
    """
    excess = losses - value_at_risk
    loss: FloatArray = np.where(excess > 0, level * excess, (level - 1.0) * excess)
    return loss


def independence_test(transitions: Transitions) -> LikelihoodRatio:
    r"""Test whether VaR exceptions follow each other more often than others (Christoffersen).

    Returns
    -------
    LikelihoodRatio
        Chi-squared with 1 degree of freedom. NaN where no exception has a session after it, which
        says nothing about whether exceptions cluster.

    Notes
    -----
    With :math:`\pi_i = n_{i1} / (n_{i0} + n_{i1})` and :math:`\pi = (n_{01} + n_{11}) / n`:
    :math:`2 [\ln L(\pi_0, \pi_1) - \ln L(\pi)]`, where
    :math:`L = (1-\pi_0)^{n_{00}} \pi_0^{n_{01}} (1-\pi_1)^{n_{10}} \pi_1^{n_{11}}`.

    References
    ----------
    Christoffersen (1998), Evaluating interval forecasts, International Economic Review 39(4).

    Examples
    --------
    Five exceptions, each alone, among 250 sessions:

    >>> counts = Transitions(*(np.array([count]) for count in (239, 5, 5, 0)))
    >>> independence_test(counts).p_value.round(4)
    array([0.6508])
    """
    from scipy.special import chdtrc, xlogy

    n_00, n_01, n_10, n_11 = (np.asarray(count, np.float64) for count in transitions)
    after_none, after_one = _share(n_01, n_00 + n_01), _share(n_11, n_10 + n_11)
    overall = _share(n_01 + n_11, n_00 + n_01 + n_10 + n_11)
    ratio = 2.0 * (
        xlogy(n_00, 1.0 - after_none)
        + xlogy(n_01, after_none)
        + xlogy(n_10, 1.0 - after_one)
        + xlogy(n_11, after_one)
        - xlogy(n_00 + n_10, 1.0 - overall)
        - xlogy(n_01 + n_11, overall)
    )
    found: FloatArray = np.where(n_10 + n_11 > 0, np.maximum(ratio, 0.0), np.nan)
    return LikelihoodRatio(found, chdtrc(1.0, found).astype(np.float64))


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return part / whole; 0 where the whole is 0, whose terms of a likelihood vanish."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def conditional_coverage_test(
    coverage_ratio: FloatArray, independence_ratio: FloatArray
) -> LikelihoodRatio:
    """Test frequency and independence of VaR exceptions together (Christoffersen).

    Parameters
    ----------
    coverage_ratio, independence_ratio : arrays of one shape
        Likelihood ratios of `tail_risk.kupiec` and of `independence_test`.

    Returns
    -------
    LikelihoodRatio
        Their sum, chi-squared with 2 degrees of freedom; NaN where either is.

    Examples
    --------
    >>> conditional_coverage_test(np.array([3.0]), np.array([2.9915])).p_value.round(4)
    array([0.05])
    """
    from scipy.special import chdtrc

    ratio = coverage_ratio + independence_ratio
    return LikelihoodRatio(ratio, chdtrc(2.0, ratio).astype(np.float64))


def acerbi_szekely_z2(relative_losses: FloatArray, n_obs: IntArray, *, level: float) -> FloatArray:
    r"""Return the second test statistic of expected shortfall of Acerbi and Szekely.

    Parameters
    ----------
    relative_losses : array
        Sum of loss / expected shortfall over the sessions with an exception.
    n_obs : array of the same shape
        Tested sessions.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    array of the same shape
        :math:`1 - \sum L_t / ES_t / (n (1 - p))`: 0 is expected of a correct model; negative if
        exceptions are too many, or their losses too large. NaN without a session.

    Notes
    -----
    The 5 % critical value is near -0.7 for 250 sessions at 97.5 %, whatever the distribution.

    References
    ----------
    Acerbi and Szekely (2014), Back-testing expected shortfall, Risk 27(11).

    Examples
    --------
    Five losses of the size of the expected shortfall in 250 sessions at 99 %: twice as many as
    expected.

    >>> acerbi_szekely_z2(np.array([5.0]), np.array([250]), level=0.99).round(4)
    array([-1.])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic: FloatArray = 1.0 - relative_losses / (n_obs * (1.0 - level))
    return statistic


def traffic_light(exceptions: IntArray, n_obs: IntArray, *, level: float) -> "NDArray[np.str_]":
    """Return the zone of the Basel traffic light: green, yellow or red; empty without a session.

    Parameters
    ----------
    exceptions, n_obs : arrays of one shape
        VaR exceptions and tested sessions.
    level : float
        Confidence, between 0 and 1.

    Notes
    -----
    Yellow begins where a correct model has at most that many exceptions with a probability of
    95 %, red at 99.99 %: at 99 % and 250 sessions from 5 and from 10 exceptions on.

    References
    ----------
    Basel Committee on Banking Supervision (1996), Supervisory framework for the use of
    "backtesting" in conjunction with the internal models approach to market risk capital.

    Examples
    --------
    >>> traffic_light(np.array([4, 5, 9, 10]), np.array([250] * 4), level=0.99).tolist()
    ['green', 'yellow', 'yellow', 'red']
    """
    probability = probability_of_at_most(exceptions, n_obs, level=level)
    zone = np.where(
        probability < YELLOW_PROBABILITY,
        "green",
        np.where(probability < RED_PROBABILITY, "yellow", "red"),
    )
    return np.where(n_obs > 0, zone, "")


def probability_of_at_most(exceptions: IntArray, n_obs: IntArray, *, level: float) -> FloatArray:
    """Return the probability that a correct model has at most ``exceptions`` exceptions.

    Parameters
    ----------
    exceptions, n_obs : arrays of one shape
        VaR exceptions and tested sessions.
    level : float
        Confidence, between 0 and 1.

    Examples
    --------
    No exception in 252 sessions at 99 % is no evidence, though Kupiec's p-value is 0.024:

    >>> probability_of_at_most(np.array([0]), np.array([252]), level=0.99).round(3)
    array([0.079])
    """
    from scipy.special import bdtr

    probability: FloatArray = bdtr(
        exceptions.astype(np.float64), n_obs.astype(np.int64), 1.0 - level
    ).astype(np.float64)
    return probability


def is_evidence(
    exceptions: IntArray, n_obs: IntArray, p_value: FloatArray, *, level: float
) -> "NDArray[np.bool_]":
    """Return whether a p-value of Kupiec's test is evidence against a model.

    The test's chi-squared distribution is an approximation, which is poor where few exceptions are
    expected: it is evidence only if the exact probability of so few, or of so many exceptions is
    below 5 % too.

    Parameters
    ----------
    exceptions, n_obs : arrays of one shape
        VaR exceptions and tested sessions.
    p_value : array of the same shape
        That of `tail_risk.kupiec`.
    level : float
        Confidence, between 0 and 1.

    Examples
    --------
    >>> counts, days = np.array([0, 0, 7]), np.array([252, 300, 252])
    >>> is_evidence(counts, days, np.array([0.024, 0.014, 0.02]), level=0.99)
    array([False,  True,  True])
    """
    at_most = probability_of_at_most(exceptions, n_obs, level=level)
    below = probability_of_at_most(np.maximum(exceptions - 1, 0), n_obs, level=level)
    at_least = np.where(exceptions > 0, 1.0 - below, 1.0)
    found: NDArray[np.bool_] = (p_value < SIGNIFICANCE) & (
        np.minimum(at_most, at_least) < SIGNIFICANCE
    )
    return found
