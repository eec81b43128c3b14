"""Stress losses of portfolios: moves of one factor, and replays of past episodes.

Losses are positive, in the unit of the exposures: currency, or fractions of equity where they are
weights; a gain is a negative loss.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.portfolio import group_sums


class Replay(NamedTuple):
    """Replayed losses, each of shape (P, E).

    `coverage` is the share of gross exposure with prices at both ends of the episode.
    """

    loss: FloatArray
    coverage: FloatArray


def factor_losses(beta: FloatArray, moves: FloatArray) -> FloatArray:
    """Return first-order losses (P, M) under M moves of one factor: minus beta times move.

    ``beta`` (P,) is the sum of weights times betas to that factor, as from
    `portfolio.weighted_beta`: to SPY for a move of the market, to TLT for one of rates, which is
    then the move of TLT's price. ``moves`` (M,) are fractions: -0.2 is a fall of 20 %. NaN where a
    beta is NaN.

    Examples
    --------
    A fall of 20 % costs a portfolio with a beta of 1.2 24 %; a rise of 10 % brings 12 %:

    >>> factor_losses(np.array([1.2]), np.array([-0.2, 0.1]))
    array([[ 0.24, -0.12]])
    """
    return -beta[:, np.newaxis] * moves


def replay(
    before: FloatArray,
    after: FloatArray,
    exposure: FloatArray,
    *,
    column: IntArray,
    portfolio: IntArray,
    n_portfolios: int,
    priced_share: FloatArray | float = 1.0,
) -> Replay:
    """Return the losses of unchanged portfolios in each of E past episodes.

    Parameters
    ----------
    before, after : (E, S) arrays
        Adjusted closes of the symbols on the session before each episode and on its last session:
        their ratio compounds the returns in the episode. NaN is unknown.
    exposure : (I,) array
        Signed exposure of each holding, in currency or as a share of equity; NaN is unpriced.
    column, portfolio : (I,) arrays
        Column of each holding's symbol, -1 if it has no prices, and row of its portfolio.
    n_portfolios : int
        P, including empty portfolios.
    priced_share : (P,) array
        Share of gross exposure that has a price and is therefore in ``exposure``.

    Returns
    -------
    Replay
        ``loss`` is minus the sum of exposure times return over the holdings with a price at both
        ends, rescaled to all that have a price. It is NaN where ``coverage``, their share of gross
        exposure, is below MIN_COVERAGE. Without exposure both are NaN.

    Raises
    ------
    ValueError
        If the shapes do not match.

    Examples
    --------
    An episode in which the first symbol loses a quarter and the second gains a tenth:

    >>> found = replay(
    ...     np.array([[100.0, 50.0]]),
    ...     np.array([[75.0, 55.0]]),
    ...     np.array([80.0, 20.0]),
    ...     column=np.array([0, 1]),
    ...     portfolio=np.array([0, 0]),
    ...     n_portfolios=1,
    ... )
    >>> found.loss.round(9), found.coverage
    (array([[18.]]), array([[1.]]))
    """
    if before.shape != after.shape or before.ndim != 2:
        raise ValueError(
            f"closes before and after must be (E, S), not {before.shape} and {after.shape}"
        )
    if not exposure.shape == column.shape == portfolio.shape:
        shapes = f"{exposure.shape}, {column.shape} and {portfolio.shape}"
        raise ValueError(f"exposures and their indices must be (I,), not {shapes}")
    returns = np.full((len(exposure), len(before)), np.nan)
    held = column >= 0
    returns[held] = (after / before - 1.0).T[column[held]]
    size = np.abs(exposure)[:, np.newaxis]
    gross = group_sums(size, portfolio, n_portfolios)
    covered = group_sums(np.where(np.isnan(returns), 0.0, size), portfolio, n_portfolios)
    with np.errstate(invalid="ignore"):
        known = covered / gross
        loss = -group_sums(exposure[:, np.newaxis] * returns, portfolio, n_portfolios) / known
    coverage = known * np.broadcast_to(priced_share, n_portfolios)[:, np.newaxis]
    return Replay(np.where(meets_minimum(coverage, MIN_COVERAGE), loss, np.nan), coverage)
