"""Filtered historical simulation: past returns at today's volatility.

Losses are positive, in fractions of equity, as in `tail_risk`.
"""

from functools import cache

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR, ewma_volatility
from riskmetrics.metrics.windows import window_sums

FILTER_DECAY = 0.94
"""Weight of a session relative to the next one in the volatility that filters returns.

That of RiskMetrics (1996) for daily data.
"""

FILTER_WINDOW = 252
"""Sessions of that volatility: less than a millionth of the weights lies beyond."""

MIN_FILTER_OBS = 63
"""Minimum returns of that volatility: a quarter."""

N_PATHS = 2_000
"""Simulated paths of several sessions; each past return is in as many of them, within one."""

_PATH_SEED = 1
"""Seed of the draws, which are the same for every series and session."""


def filter_returns(
    returns: FloatArray,
    *,
    window: int = VAR_WINDOW,
    filter_window: int = FILTER_WINDOW,
    min_filter_obs: int = MIN_FILTER_OBS,
) -> FloatArray:
    r"""Return the last ``window`` returns at the volatility of the last close, (window, N).

    Their quantile is value at risk by filtered historical simulation.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns, oldest first, NaN where missing; T at least ``window + filter_window``.
        Earlier rows are ignored.
    window : int
        Returns that are simulated.
    filter_window, min_filter_obs : int
        Sessions of the volatility before each of them, and the minimum of returns in it.

    Returns
    -------
    (window, N) array
        Each return divided by the volatility known at the close before it,
        :math:`\sigma_{t-1} = \sqrt{\sum_k \lambda^k r_{t-1-k}^2 / \sum_k \lambda^k}` with
        :math:`\lambda = 0.94`, and multiplied by that of the last close. NaN where a return is
        missing, or the volatility before it is undefined or 0.

    Raises
    ------
    ValueError
        If there are too few rows, or an argument is out of range.

    References
    ----------
    Hull and White (1998), Incorporating volatility updating into the historical simulation method
    for value-at-risk, Journal of Risk 1(1). Barone-Adesi, Giannopoulos and Vosper (1999), VaR
    without correlations for portfolios of derivative securities, Journal of Futures Markets 19(5).

    Examples
    --------
    A loss of 1 % when volatility was 1 %, which is 2 % now, is simulated as a loss of 2 %:

    >>> returns = np.array([[0.01], [-0.01], [-0.01], [0.02], [0.02]])
    >>> filter_returns(returns, window=3, filter_window=2, min_filter_obs=1).round(4).ravel()
    array([-0.02  ,  0.04  ,  0.0251])
    """
    before, latest, recent = _filter_volatility(returns, window, filter_window, min_filter_obs)
    filtered = np.divide(recent, before, out=np.full(before.shape, np.nan), where=before > 0.0)
    rescaled: FloatArray = filtered * latest
    return rescaled


def volatility_ratios(returns: FloatArray) -> FloatArray:
    """Return today's volatility over that before each of the last VAR_WINDOW returns, (W, N).

    A past return times its ratio is `filter_returns`; other changes of the same session are
    filtered by the same ratio, which keeps them together. NaN as there.

    Examples
    --------
    Volatility has doubled, half a year ago:

    >>> returns = np.where(np.arange(756) < 630, 0.01, 0.02)[:, np.newaxis] * [[1.0]]
    >>> volatility_ratios(returns)[[0, -1], 0].round(3)
    array([2., 1.])
    """
    before, latest, _ = _filter_volatility(returns, VAR_WINDOW, FILTER_WINDOW, MIN_FILTER_OBS)
    ratios: FloatArray = np.divide(
        latest, before, out=np.full(before.shape, np.nan), where=before > 0.0
    )
    return ratios


def _filter_volatility(
    returns: FloatArray, window: int, filter_window: int, min_filter_obs: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the volatility before each simulated return, that of the last close, and the returns.

    Their shapes are (window, N), (N,) and (window, N).
    """
    needed = window + filter_window
    if returns.ndim != 2 or len(returns) < needed:
        raise ValueError(f"returns must be (T, N) with T >= {needed}, not {returns.shape}")
    returns = returns[-needed:]
    volatility = (
        ewma_volatility(returns, decay=FILTER_DECAY, window=filter_window, min_obs=min_filter_obs)
        / SESSIONS_PER_YEAR**0.5
    )
    return volatility[:-1], volatility[-1], returns[filter_window:]


def simulate_paths(filtered: FloatArray, *, horizon: int, n_paths: int = N_PATHS) -> FloatArray:
    r"""Return changes over several sessions: sums of filtered returns that are drawn at random.

    Parameters
    ----------
    filtered : (W, N) array
        Filtered one-session changes, as from `filter_returns`; NaN is missing.
    horizon : int
        Sessions of a path.
    n_paths : int
        Number of paths.

    Returns
    -------
    (n_paths, N) array
        Sums of ``horizon`` draws with replacement from a series' known changes, less their mean:
        the drift of the window is not a forecast. NaN for a series without changes.

    Raises
    ------
    ValueError
        If ``horizon`` or ``n_paths`` is not positive.

    Notes
    -----
    The draws of a session are a Latin hypercube: each change occurs equally often, within one. They
    have a fixed seed and depend on the number of changes only, so a series has the same bits alone
    and in a batch. The volatility stays that of the last close along a path. Losses at a horizon
    grow by less than its square root far in the tail, because sums of independent changes have
    thinner tails than one change.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999), as in `filter_returns`. McKay, Beckman
    and Conover (1979), A comparison of three methods for selecting values of input variables,
    Technometrics 21(2).

    Examples
    --------
    Two sessions of ±1 % end at ±2 % or at 0:

    >>> paths = simulate_paths(np.array([[0.01], [-0.01]]), horizon=2)
    >>> np.unique(paths.round(9))
    array([-0.02,  0.  ,  0.02])
    """
    if horizon < 1 or n_paths < 1:
        raise ValueError(f"horizon and n_paths must be positive, not {horizon} and {n_paths}")
    is_known = np.isfinite(filtered)
    n_obs = is_known.sum(axis=0)
    paths = np.full((n_paths, filtered.shape[1]), np.nan)
    order = np.argsort(~is_known, axis=0, kind="stable")  # known changes first, in their order
    for count in np.unique(n_obs[n_obs > 0]):
        chosen = np.flatnonzero(n_obs == count)
        changes = np.take_along_axis(filtered[:, chosen], order[:count, chosen], axis=0)
        changes = changes - window_sums(changes, int(count))[0] / count
        total = np.zeros((n_paths, len(chosen)))
        for drawn in draw_changes(int(count), horizon, n_paths):
            total += changes[drawn]
        paths[:, chosen] = total
    return paths


@cache
def draw_changes(count: int, horizon: int, n_paths: int = N_PATHS) -> IntArray:
    """Return which of ``count`` past changes each session of each path repeats, (horizon, paths).

    Examples
    --------
    >>> np.bincount(draw_changes(4, 1, 8)[0])
    array([2, 2, 2, 2])
    """
    rng = np.random.default_rng(_PATH_SEED)
    strata = np.stack([rng.permutation(n_paths) for _ in range(horizon)])
    drawn: IntArray = strata * count // n_paths
    return drawn
