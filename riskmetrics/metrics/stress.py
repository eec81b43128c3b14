"""What portfolios would lose if a factor moved, or if a stretch of history came again.

Losses are positive, in the unit of the exposures: money, or fractions of equity where they are
weights; a gain is a negative loss.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.portfolio import group_sums


class Replay(NamedTuple):
    """Each of shape (P, E); `coverage` is the share of gross exposure that has prices at both ends of the episode."""

    loss: FloatArray
    coverage: FloatArray


def factor_losses(beta: FloatArray, moves: FloatArray) -> FloatArray:
    """Losses (P, M) of portfolios under each of M moves of one factor, to first order: minus beta times move.

    ``beta`` (P,) is the sum of weights times betas to that factor, as ``portfolio.weighted_beta``
    gives it: to SPY for a move of the market, to TLT for one of rates, which is then the move of
    TLT's price. ``moves`` (M,) are fractions: -0.2 is a fall by a fifth. NaN where a beta is.
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
    """Losses of portfolios held unchanged through each of E episodes of the past.

    Parameters
    ----------
    before, after : (E, S) arrays
        Adjusted closes of the symbols on the session before each episode and on its last: their
        ratio compounds the returns in it. NaN is unknown.
    exposure : (I,) array
        Signed exposure of each holding, in money or as a share of equity; NaN is unpriced.
    column, portfolio : (I,) arrays
        Each holding's symbol, -1 for one that has no prices, and its portfolio.
    n_portfolios : int
        P, counting portfolios that hold nothing.
    priced : (P,) array
        Share of gross exposure that has a price: ``exposure`` holds no more than that.

    Returns
    -------
    Replay
        ``loss`` is minus the sum of exposure times return over the holdings with a price at both
        ends, rescaled to all that have a price. Where ``coverage``, their share of gross exposure,
        is below ``portfolio.MIN_COVERAGE`` it is NaN; a portfolio without exposure has neither.

    Raises
    ------
    ValueError
        If the arrays do not fit each other.
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
