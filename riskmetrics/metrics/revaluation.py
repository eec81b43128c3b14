"""Full revaluation of options: what a delta approximation of their change of value leaves out."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.options import black_scholes
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR

VOLATILITY_DECAY = 0.97
"""Weight of a session relative to the next one in the volatility after a simulated move.

That of RiskMetrics (1996) for a horizon of a month, the horizon of the volatility forecast.
"""

_MIN_SPOT_RATIO = 1e-6
"""Smallest price of an underlying relative to today's, for moves that would make it negative."""


class Options(NamedTuple):
    """Options of one session, each of shape (N,)."""

    is_call: BoolArray
    units: FloatArray
    """Signed number of shares: contracts x contract size."""
    spot: FloatArray
    strike: FloatArray
    years: FloatArray
    volatility: FloatArray


def revaluation_difference(
    options: Options,
    move: FloatArray,
    volatility: FloatArray,
    *,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> FloatArray:
    r"""Return the change of value by Black-Scholes minus that by delta, for moves of underlyings.

    Parameters
    ----------
    options : Options
        N options.
    move : (K, N) array
        Return of each option's underlying in each of K cases, as a fraction; a price does not fall
        below a millionth of today's.
    volatility : (K, N) array
        Annualized volatility after the move.
    rate, dividend_yield : float
        As in `options.black_scholes`.

    Returns
    -------
    (K, N) array
        In currency; NaN where a move or the value of the option is unknown. No time passes.

    Notes
    -----
    With units u, value V and delta Δ at the spot S:
    :math:`u\,[V(S (1 + x), v') - V(S, v) - \Delta S x]`. Added to the result of the delta
    approximation it gives that of a full revaluation.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd edition, section 10.2.

    Examples
    --------
    A call of 4.76 (example of Hull) gains 3.62 if the share rises by 4.20, and 3.27 by delta:

    >>> one = np.ones(1)
    >>> call = Options(one > 0, one, 42 * one, 40 * one, 0.5 * one, 0.2 * one)
    >>> move = np.array([[0.1], [-0.1]])
    >>> difference = revaluation_difference(call, move, np.full((2, 1), 0.2), rate=0.1)
    >>> difference.round(2).ravel()
    array([0.35, 0.53])
    """
    rates = {"rate": rate, "dividend_yield": dividend_yield}
    is_call, units, spot, strike, years, now = options
    today = black_scholes(is_call, spot, strike, years, now, **rates)
    moved = spot * np.maximum(1.0 + move, _MIN_SPOT_RATIO)
    after = black_scholes(is_call, moved, strike, years, volatility, **rates).value
    return units * (after - today.value - today.delta * spot * move)


def volatility_after(volatility: FloatArray, moves: FloatArray) -> FloatArray:
    r"""Return the volatility after simulated moves: exponentially weighted with those moves.

    Parameters
    ----------
    volatility : (N,) array
        Annualized volatility before them.
    moves : (H, K, N) array
        Returns of H sessions, oldest first, in each of K cases.

    Returns
    -------
    (K, N) array
        :math:`\sqrt{\lambda^H v^2 + 252 (1 - \lambda) \sum_h \lambda^{H - h} x_h^2}` with
        :math:`\lambda = 0.97`.

    References
    ----------
    J.P. Morgan (1996), RiskMetrics technical document, 4th edition, section 5.2.

    Examples
    --------
    A fall of 10 % in a session raises a volatility of 20 % to 33.8 %, and no move lowers it a bit:

    >>> volatility_after(np.array([0.2]), np.array([[[-0.1], [0.0]]])).round(3).ravel()
    array([0.338, 0.197])
    """
    variance = np.broadcast_to(volatility**2, moves.shape[1:])
    for move in moves:
        variance = VOLATILITY_DECAY * variance + (1.0 - VOLATILITY_DECAY) * (
            SESSIONS_PER_YEAR * move**2
        )
    return np.sqrt(variance)
