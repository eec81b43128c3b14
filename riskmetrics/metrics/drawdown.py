"""Drawdowns of return series."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray


class Drawdown(NamedTuple):
    """Current and maximum drawdown, fractions from 0 to 1, and their closes; shape (N,)."""

    current_drawdown: FloatArray
    current_drawdown_peak: IntArray
    max_drawdown: FloatArray
    max_drawdown_peak: IntArray
    max_drawdown_trough: IntArray
    n_obs: IntArray


def drawdown(returns: FloatArray, *, min_obs: int) -> Drawdown:
    """Return the current and the maximum drawdown of compounded returns.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns of a window, oldest first. A missing return (NaN) counts as 0 and is not an
        observation.
    min_obs : int
        Minimum number of returns, at least 1.

    Returns
    -------
    Drawdown
        Peaks and troughs number the T + 1 closes of the window: close 0 is the one before the first
        return, close t the one that ends the t-th. A peak is the close with the highest value so
        far, a trough the first close at the maximum drawdown; both are -1 if there was no drawdown.
        After a return of -1 or below the drawdown is 1. With fewer than ``min_obs`` returns
        drawdowns are NaN and closes are -1.

    Raises
    ------
    ValueError
        If ``returns`` is not (T, N) or ``min_obs`` is out of range.

    References
    ----------
    Grossman and Zhou (1993), Optimal investment strategies for controlling drawdowns, Mathematical
    Finance 3(3).

    Examples
    --------
    Closes of 1, 1.1, 0.88, 0.924 and 0.8316; 1 - 0.8316 / 1.1 = 0.244.

    >>> result = drawdown(np.array([[0.1], [-0.2], [0.05], [-0.1]]), min_obs=1)
    >>> result.max_drawdown.round(4), result.max_drawdown_peak, result.max_drawdown_trough
    (array([0.244]), array([1]), array([4]))
    """
    if returns.ndim != 2 or not 1 <= min_obs <= len(returns):
        raise ValueError(
            f"returns must be (T, N) with 1 <= min_obs <= T, not {returns.shape} and {min_obs}"
        )
    is_valid = np.isfinite(returns)
    n_obs = is_valid.sum(axis=0)
    wealth = np.ones((len(returns) + 1, returns.shape[1]))
    np.cumprod(np.where(is_valid, np.maximum(1.0 + returns, 0.0), 1.0), axis=0, out=wealth[1:])
    highest = np.maximum.accumulate(wealth, axis=0)
    drawdowns = 1.0 - wealth / highest
    close = np.arange(len(wealth))[:, np.newaxis]
    peak = np.zeros(wealth.shape, np.int64)
    peak[1:] = np.maximum.accumulate(np.where(highest[1:] > highest[:-1], close[1:], 0), axis=0)
    trough = drawdowns.argmax(axis=0)
    series = np.arange(returns.shape[1])
    enough = n_obs >= min_obs
    max_drawdown = drawdowns[trough, series]
    has_drawdown = enough & (max_drawdown > 0)
    return Drawdown(
        current_drawdown=np.where(enough, drawdowns[-1], np.nan),
        current_drawdown_peak=np.where(enough, peak[-1], -1),
        max_drawdown=np.where(enough, max_drawdown, np.nan),
        max_drawdown_peak=np.where(has_drawdown, peak[trough, series], -1),
        max_drawdown_trough=np.where(has_drawdown, trough, -1),
        n_obs=n_obs,
    )
