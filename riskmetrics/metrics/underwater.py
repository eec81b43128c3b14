"""How deep and how long return series are below their highest value."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import divide_by_risk
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import window_sums


class Underwater(NamedTuple):
    """Depth and length of the drawdowns of N series, each of shape (N,)."""

    ulcer_index: FloatArray
    average_drawdown: FloatArray
    time_under_water: FloatArray
    longest_drawdown: FloatArray
    martin_ratio: FloatArray
    n_obs: IntArray


def underwater(returns: FloatArray, *, min_obs: int) -> Underwater:
    r"""Return depth and length of the drawdowns of compounded returns.

    Parameters
    ----------
    returns, min_obs
        As in `drawdown.drawdown`: a missing return counts as 0 and is not an observation.

    Returns
    -------
    Underwater
        With the drawdown :math:`d_t` from the highest value so far, on the n sessions with a
        return: ``ulcer_index`` :math:`\sqrt{mean(d^2)}`; ``average_drawdown`` :math:`mean(d)`, also
        known as pain index; ``time_under_water`` the share of these sessions with :math:`d > 0`;
        ``longest_drawdown`` the most sessions from a highest value to its recovery, or to the
        last session; ``martin_ratio`` :math:`(G^{252/n} - 1)` divided by the ulcer index, with the
        growth G of the n returns, NaN with an ulcer index below `MIN_RISK`. NaN with fewer than
        ``min_obs`` returns.

    Notes
    -----
    Sessions before the first return are in no mean: a short history would seem to be under water
    for less of its time, and its ulcer index would not have the n returns of the Martin ratio.

    Raises
    ------
    ValueError
        If ``returns`` is not (T, N) or ``min_obs`` is out of range.

    References
    ----------
    Martin and McCann (1989), The Investor's Guide to Fidelity Funds (ulcer index). Bacon (2008),
    Practical portfolio performance measurement and attribution, 2nd edition, chapter 4.

    Examples
    --------
    Closes of 1, 1.1, 0.55, 1.1 and 0.99: a loss of half that lasts two sessions, then one of 10 %.

    >>> found = underwater(np.array([[0.1], [-0.5], [1.0], [-0.1]]), min_obs=1)
    >>> found.ulcer_index.round(4), found.average_drawdown.round(4), found.time_under_water
    (array([0.255]), array([0.15]), array([0.5]))
    >>> found.longest_drawdown
    array([2.])
    """
    if returns.ndim != 2 or not 1 <= min_obs <= len(returns):
        raise ValueError(
            f"returns must be (T, N) with 1 <= min_obs <= T, not {returns.shape} and {min_obs}"
        )
    is_valid = np.isfinite(returns)
    n_obs = is_valid.sum(axis=0)
    wealth = np.cumprod(np.where(is_valid, np.maximum(1.0 + returns, 0.0), 1.0), axis=0)
    highest = np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    depth = 1.0 - wealth / highest
    window = len(returns)
    is_below = depth > 0.0
    counted = np.where(is_valid, depth, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # undefined is NaN
        ulcer = np.sqrt(window_sums(counted**2, window)[0] / n_obs)
        annual = wealth[-1] ** (SESSIONS_PER_YEAR / n_obs) - 1.0
        found = (
            ulcer,
            window_sums(counted, window)[0] / n_obs,
            (is_below & is_valid).sum(axis=0) / n_obs,
            _longest_spell(is_below),
            divide_by_risk(annual, ulcer),
        )
    known_figures = [np.where(n_obs >= min_obs, each, np.nan) for each in found]
    return Underwater._make([*known_figures, n_obs])


def _longest_spell(is_below: BoolArray) -> IntArray:
    """Return the most sessions from a highest value to the one that ends the drawdown."""
    session = np.arange(1, len(is_below) + 1)[:, np.newaxis]
    peak = np.maximum.accumulate(np.where(is_below, 0, session), axis=0)
    before = np.vstack([np.zeros((1, is_below.shape[1]), np.int64), peak[:-1]])
    was_below = np.vstack([np.zeros((1, is_below.shape[1]), np.bool_), is_below[:-1]])
    longest: IntArray = np.where(is_below | was_below, session - before, 0).max(axis=0)
    return longest
