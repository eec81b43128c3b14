"""Filtered historical simulation: past returns at today's volatility.

Losses are positive, in fractions of equity, as in `tail_risk`.
"""

import numpy as np

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.tail_risk import VAR_WINDOW, HistoricalRisk, historical_risk
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR, ewma_volatility

FILTER_DECAY = 0.94
"""Weight of a session relative to the next one in the volatility that filters returns.

That of RiskMetrics (1996) for daily data.
"""

FILTER_WINDOW = 252
"""Sessions of that volatility: less than a millionth of the weights lies beyond."""

MIN_FILTER_OBS = 63
"""Minimum returns of that volatility: a quarter."""


def filtered_historical_risk(
    returns: FloatArray,
    *,
    level: float,
    window: int = VAR_WINDOW,
    filter_window: int = FILTER_WINDOW,
    min_filter_obs: int = MIN_FILTER_OBS,
    min_obs: int,
) -> HistoricalRisk:
    r"""Return value at risk and expected shortfall by filtered historical simulation.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns, oldest first, NaN where missing; T at least ``window + filter_window``.
        Earlier rows are ignored.
    level : float
        Confidence, between 0 and 1.
    window : int
        Returns that are simulated.
    filter_window, min_filter_obs : int
        Sessions of the volatility before each of them, and the minimum of returns in it.
    min_obs : int
        Minimum number of simulated returns: MIN_OBS_95, MIN_OBS_99.

    Returns
    -------
    HistoricalRisk
        Quantile and tail mean as of `historical_risk`; ``n_obs`` counts simulated returns. A return
        whose volatility before it is undefined or 0 is left out.

    Raises
    ------
    ValueError
        If there are too few rows, or an argument is out of range.

    Notes
    -----
    Each return is divided by the volatility known at the close before it,
    :math:`\sigma_{t-1} = \sqrt{\sum_k \lambda^k r_{t-1-k}^2 / \sum_k \lambda^k}` with
    :math:`\lambda = 0.94`, and multiplied by that of the last close.

    References
    ----------
    Hull and White (1998), Incorporating volatility updating into the historical simulation method
    for value-at-risk, Journal of Risk 1(1). Barone-Adesi, Giannopoulos and Vosper (1999), VaR
    without correlations for portfolios of derivative securities, Journal of Futures Markets 19(5).

    Examples
    --------
    A loss of 1 % when volatility was 1 %, which is 2 % now, is simulated as a loss of 2 %:

    >>> returns = np.array([[0.01], [-0.01], [-0.01], [0.02], [0.02]])
    >>> found = filtered_historical_risk(
    ...     returns, level=0.9, window=3, filter_window=2, min_filter_obs=1, min_obs=3
    ... )
    >>> found.expected_shortfall.round(4), found.n_obs
    (array([0.02]), array([3]))
    """
    needed = window + filter_window
    if returns.ndim != 2 or len(returns) < needed:
        raise ValueError(f"returns must be (T, N) with T >= {needed}, not {returns.shape}")
    returns = returns[-needed:]
    volatility = (
        ewma_volatility(returns, decay=FILTER_DECAY, window=filter_window, min_obs=min_filter_obs)
        / SESSIONS_PER_YEAR**0.5
    )
    before, latest = volatility[:-1], volatility[-1]
    filtered = np.divide(
        returns[filter_window:],
        before,
        out=np.full(before.shape, np.nan),
        where=before > 0.0,
    )
    return historical_risk(filtered * latest, level=level, window=window, min_obs=min_obs)
