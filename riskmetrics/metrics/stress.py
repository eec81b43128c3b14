"""Stress losses of portfolios: moves of one factor, and replays of past episodes.

Losses are positive, in the unit of the exposures: currency, or fractions of equity where they are
weights; a gain is a negative loss.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.metrics.windows import window_sums


class Replay(NamedTuple):
    """Replayed losses, each of shape (P, E).

    `coverage` is the share of gross exposure with prices at both ends of the episode, or a proxy;
    `proxied_share` the part of it that has a proxy.
    """

    loss: FloatArray
    coverage: FloatArray
    proxied_share: FloatArray


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
    proxy: FloatArray | None = None,
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
    proxy : (E, S) array, optional
        Returns to use for symbols without both prices, such as beta times the return of an index.

    Returns
    -------
    Replay
        ``loss`` is minus the sum of exposure times return over the holdings with a price at both
        ends or a proxy, rescaled to all that have a price. It is NaN where ``coverage``, their
        share of gross exposure, is below MIN_COVERAGE. Without exposure all are NaN.

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
    >>> found.loss.round(9), found.coverage, found.proxied_share
    (array([[18.]]), array([[1.]]), array([[0.]]))
    """
    if before.shape != after.shape or before.ndim != 2:
        raise ValueError(
            f"closes before and after must be (E, S), not {before.shape} and {after.shape}"
        )
    if not exposure.shape == column.shape == portfolio.shape:
        shapes = f"{exposure.shape}, {column.shape} and {portfolio.shape}"
        raise ValueError(f"exposures and their indices must be (I,), not {shapes}")
    returns = np.full((len(exposure), len(before)), np.nan)
    held, own = column >= 0, after / before - 1.0
    returns[held] = (own if proxy is None else np.where(np.isnan(own), proxy, own)).T[column[held]]
    is_proxied = np.zeros(returns.shape, np.bool_)
    is_proxied[held] = np.isnan(own).T[column[held]]
    is_proxied &= np.isfinite(returns)
    size = np.abs(exposure)[:, np.newaxis]
    gross = group_sums(size, portfolio, n_portfolios)
    covered = group_sums(np.where(np.isnan(returns), 0.0, size), portfolio, n_portfolios)
    with np.errstate(invalid="ignore"):
        known = covered / gross
        loss = -group_sums(exposure[:, np.newaxis] * returns, portfolio, n_portfolios) / known
        proxied = group_sums(np.where(is_proxied, size, 0.0), portfolio, n_portfolios) / gross
    of_all = np.broadcast_to(priced_share, n_portfolios)[:, np.newaxis]
    coverage = known * of_all
    is_defined = meets_minimum(coverage, MIN_COVERAGE)
    return Replay(np.where(is_defined, loss, np.nan), coverage, proxied * of_all)


def slope_std_error(
    y: FloatArray,
    x: FloatArray,
    weight: FloatArray,
    *,
    control: FloatArray | None = None,
    min_obs: int,
) -> FloatArray:
    r"""Return the standard error of the slope of each column of ``y`` on ``x``, by weighted OLS.

    Parameters
    ----------
    y : (T, N) array
        Returns of portfolios in a window; NaN is missing.
    x : (T,) or (T, N) array
        Returns of a factor: the same for all columns, or one for each.
    weight : (T,) array
        Weights of the sessions.
    control : (T,) or (T, N) array, optional
        Returns of a second regressor, which is held fixed.
    min_obs : int
        Minimum number of sessions with all returns.

    Returns
    -------
    (N,) array
        Heteroskedasticity-robust (HC0); NaN with fewer than ``min_obs`` sessions or a constant x.

    Notes
    -----
    With the residuals :math:`\tilde x` of x on the intercept and the control, and e of the whole
    regression: :math:`\sqrt{\sum w^2 \tilde x^2 e^2} / \sum w \tilde x^2` (Frisch and Waugh).
    The slope of a portfolio's returns is the weighted sum of its holdings' slopes, so its error
    contains what their residuals have in common.

    References
    ----------
    White (1980), A heteroskedasticity-consistent covariance matrix estimator and a direct test for
    heteroskedasticity, Econometrica 48(4).

    Examples
    --------
    >>> x = np.array([0.01, -0.01, 0.01, -0.01])
    >>> y = np.array([[0.02], [-0.02], [0.01], [-0.01]])
    >>> slope_std_error(y, x, np.ones(4), min_obs=3)
    array([0.25])
    """
    factors = [each.reshape(len(y), -1) for each in (control, x) if each is not None]
    is_known = np.isfinite(y) & np.isfinite(sum(factors))
    weights = np.where(is_known, weight[:, np.newaxis], 0.0)

    def total(values: FloatArray) -> FloatArray:
        whole: FloatArray = window_sums(values, len(values))[0]
        return whole

    def remove(values: FloatArray, factor: FloatArray) -> FloatArray:
        slope = total(weights * factor * values) / total(weights * factor**2)
        remainder: FloatArray = values - slope * factor
        return remainder

    with np.errstate(divide="ignore", invalid="ignore"):  # undefined is NaN
        columns = [np.where(is_known, values, 0.0) for values in factors]
        columns.append(np.where(is_known, y, 0.0))
        columns = [values - total(weights * values) / total(weights) for values in columns]
        for values in columns[:-2]:
            columns[-2:] = [remove(each, values) for each in columns[-2:]]
        own = columns[-2]
        residual = remove(columns[-1], own)
        error = np.sqrt(total((weights * own * residual) ** 2)) / total(weights * own**2)
    return np.where((is_known.sum(axis=0) >= min_obs) & np.isfinite(error), error, np.nan)
