"""Values, cash flows, P&L and returns of portfolios from lots and prices.

Lots are rows, days are columns. Sums run over a portfolio's own rows in their given order (a sparse
incidence matrix), so that a result is the same to the last bit whatever else is in the batch.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.regression import rolling_ols

_MIN_UNITS, _NETTING_TOLERANCE = 1e-10, 1e-13
"""Smallest quantity that counts as a holding (quantities have ten decimals), and the rounding
tolerance of lots that cancel, relative to their sizes."""


class Lots(NamedTuple):
    """Lots as arrays, each of shape (L,).

    `units` is the signed quantity times the contract's multiplier; `exit` is NaT while the lot is
    open; an unknown price is NaN.
    """

    units: FloatArray
    entry: DateArray
    entry_price: FloatArray
    exit: DateArray
    exit_price: FloatArray


class LotPnL(NamedTuple):
    """P&L of lots, each of shape (L, D); NaN where a price is missing, 0 where not active."""

    daily: FloatArray
    cumulative: FloatArray
    is_active: BoolArray
    """Whether the lot was held at some time after the previous close."""
    end_price: FloatArray
    """Price at the end of the day or at exit, at which both P&Ls are measured."""


def group_sums(values: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """Sum the rows of ``values`` (M, D) by ``group`` (M,): shape (n_groups, D).

    Groups are numbered from 0. NaN counts as 0; a group without rows is 0.

    Examples
    --------
    >>> group_sums(np.array([[1.0], [2.0], [np.nan]]), np.array([0, 0, 1]), 2)
    array([[3.],
           [0.]])
    """
    # one entry per column, so scipy needs no sorting, which is slow for arrays beyond the caches
    incidence = sparse.csc_array(
        (np.ones(len(group)), group, np.arange(len(group) + 1)), shape=(n_groups, len(group))
    )
    sums: FloatArray = incidence @ np.where(np.isnan(values), 0.0, values)
    return sums


def is_open(entry: DateArray, exit_: DateArray, days: DateArray) -> BoolArray:
    """Return whether each lot is open at the close of each day, (L, D); an exit of NaT is never.

    ``days`` is (D,), or (L, 1) for one day per lot; a lot is not open on NaT.

    Examples
    --------
    >>> entry, exit_ = np.array(["2022-12-27"], "M8[D]"), np.array(["2022-12-29"], "M8[D]")
    >>> is_open(entry, exit_, np.array(["2022-12-27", "2022-12-28", "2022-12-29"], "M8[D]"))
    array([[ True,  True, False]])
    """
    open_: BoolArray = (entry[:, None] <= days) & ~(exit_[:, None] <= days)
    return open_


class Holdings(NamedTuple):
    """Holdings: lots netted by instrument, each of shape (I, D)."""

    direction: FloatArray
    """Sign of the netted units; 0 where nothing is held, including lots that cancel."""
    values: FloatArray
    """Signed market values: 0 where nothing is held, NaN where an open lot has no price."""


def net_lots(
    lots: Lots, days: DateArray, prices: FloatArray, instrument: IntArray, n_instruments: int
) -> Holdings:
    """Net lots by instrument on each day.

    Parameters
    ----------
    lots : Lots
        L of them.
    days : (D,) or (L, 1) dates
        As in `is_open`.
    prices : (L, D) array
        Price of each lot on each day; NaN is unpriced.
    instrument : (L,) array
        Row of each lot's instrument.
    n_instruments : int
        Number of instruments, I.

    Returns
    -------
    Holdings
        Values in the prices' currency: `Lots.units` times price.

    Examples
    --------
    100 long and 30 short are 70 of one instrument:

    >>> entry, exit_ = np.full(2, "2022-12-27", "M8[D]"), np.full(2, "NaT", "M8[D]")
    >>> lots = Lots(np.array([100.0, -30.0]), entry, np.ones(2), exit_, np.full(2, np.nan))
    >>> found = net_lots(lots, entry[:1], np.full((2, 1), 5.0), np.array([0, 0]), 1)
    >>> found.direction, found.values
    (array([[1.]]), array([[350.]]))
    """
    open_, units = is_open(lots.entry, lots.exit, days), lots.units[:, None]
    held = np.where(open_, units, 0.0)
    netted = group_sums(held, instrument, n_instruments)
    # lots that cancel may leave a rounding error, which is not a holding
    dust = np.maximum(
        _MIN_UNITS / 2, _NETTING_TOLERANCE * group_sums(np.abs(held), instrument, n_instruments)
    )
    direction = np.where(np.abs(netted) > dust, np.sign(netted), 0.0)
    values = group_sums(np.where(open_, units * prices, 0.0), instrument, n_instruments)
    unpriced = group_sums((open_ & np.isnan(prices)).astype(float), instrument, n_instruments) > 0
    return Holdings(direction, np.where(direction == 0, 0.0, np.where(unpriced, np.nan, values)))


def lot_pnl(
    lots: Lots, days: DateArray, prices: FloatArray, counts_when_closed: BoolArray | None = None
) -> LotPnL:
    """Return the P&L of each lot on each day but the first, and since its entry.

    Parameters
    ----------
    lots : Lots
        L of them.
    days : (D + 1,) dates
        Consecutive sessions, starting with the one before the first day of the result.
    prices : (L, D + 1) array
        Closes on them.
    counts_when_closed : (L,) array of bool, optional
        Lots without a price from entry to exit. Default: none.

    Returns
    -------
    LotPnL
        `daily` runs from the last close, or the entry price on the opening day, to the close, or
        the exit price on the closing day. Of a lot without a price, the closing day has all since
        entry. `cumulative` runs from the entry price.

    Examples
    --------
    100 bought at 9.50 on the second day:

    >>> days = np.array(["2022-12-27", "2022-12-28", "2022-12-29"], "M8[D]")
    >>> units, price, never = np.array([100.0]), np.array([9.5]), np.array(["NaT"], "M8[D]")
    >>> lots = Lots(units, days[1:2], price, never, np.array([np.nan]))
    >>> found = lot_pnl(lots, days, np.array([[9.0, 10.0, 11.0]]))
    >>> found.daily, found.cumulative
    (array([[ 50., 100.]]), array([[ 50., 150.]]))
    """
    entered, exited = lots.entry[:, None] <= days, lots.exit[:, None] <= days
    end = np.where(exited, lots.exit_price[:, None], prices)[:, 1:]
    starts_at_close = entered[:, :-1]
    if counts_when_closed is not None:
        starts_at_close = starts_at_close & ~counts_when_closed[:, None]
    start = np.where(starts_at_close, prices[:, :-1], lots.entry_price[:, None])
    is_active = entered[:, 1:] & ~exited[:, :-1]
    units = lots.units[:, None]
    return LotPnL(
        daily=np.where(is_active, units * (end - start), 0.0),
        cumulative=np.where(entered[:, 1:], units * (end - lots.entry_price[:, None]), 0.0),
        is_active=is_active,
        end_price=end,
    )


def cash_flows(lots: Lots, anchor: DateArray, days: DateArray) -> FloatArray:
    """Return the cash flow of each lot between its anchor and each day, (L, D).

    A purchase costs units x entry price, a sale brings units x exit price; NaN where a trade in
    between has no known price. ``anchor`` (L,) is the day on which the cash is known, after its own
    trades. Flows between a day before the anchor and the anchor have the opposite sign.

    Examples
    --------
    Bought at 9.50, and sold at 11 on the third day; the cash is known after the first:

    >>> days = np.array(["2022-12-27", "2022-12-28", "2022-12-29"], "M8[D]")
    >>> lots = Lots(np.array([100.0]), days[1:2], np.array([9.5]), days[2:], np.array([11.0]))
    >>> cash_flows(lots, days[:1], days)
    array([[   0., -950.,  150.]])
    """
    flows = np.zeros((len(lots.units), len(days)))
    for when, amount in (
        (lots.entry, -lots.units * lots.entry_price),
        (lots.exit, lots.units * lots.exit_price),
    ):
        between = (when[:, None] <= days).astype(float) - (when <= anchor).astype(float)[:, None]
        flows += np.where(between == 0, 0.0, amount[:, None] * between)
    return flows


class WeightedBeta(NamedTuple):
    """Betas of portfolios, each of shape (P, D); `coverage`: exposure share with a beta."""

    beta: FloatArray
    r_squared: FloatArray
    observations: FloatArray
    coverage: FloatArray


def weighted_beta(
    exposures: FloatArray,
    beta: FloatArray,
    r_squared: FloatArray,
    n_obs: FloatArray,
    portfolio: IntArray,
    equity: FloatArray,
    priced_share: FloatArray | float = 1.0,
) -> WeightedBeta:
    """Return portfolio betas: sums of signed weights times betas.

    Parameters
    ----------
    exposures : (I, D) array
        Netted, signed exposures of instruments; 0 where not held, NaN where unpriced.
    beta, r_squared, n_obs : (I, D) arrays
        Regression results of each instrument; NaN where undefined.
    portfolio : (I,) array
        Row of each instrument's portfolio.
    equity : (P, D) array
        Denominator of weights; where it is NaN, only `coverage` is defined.
    priced_share : (P, D) array
        Share of gross exposure that has a price and is therefore in `exposures`.

    Returns
    -------
    WeightedBeta
        `beta` = sum(exposure x beta) / equity over the covered instruments, rescaled to all that
        have a price; `r_squared` is the mean weighted by gross exposure; `observations` the
        smallest. Below MIN_COVERAGE all but `coverage` is NaN; without exposure `coverage` is also
        NaN.

    Examples
    --------
    (80 × 1.5 - 20 × 1) / 100:

    >>> exposures, ones = np.array([[80.0], [-20.0]]), np.ones((2, 1))
    >>> equity, beta = np.array([[100.0]]), np.array([[1.5], [1.0]])
    >>> found = weighted_beta(exposures, beta, 0.5 * ones, 90 * ones, np.array([0, 0]), equity)
    >>> found.beta, found.r_squared, found.observations, found.coverage
    (array([[1.]]), array([[0.5]]), array([[90.]]), array([[1.]]))
    """
    n = len(equity)
    held = np.nan_to_num(exposures)
    gross = group_sums(np.abs(held), portfolio, n)
    covered = np.where(np.isfinite(beta), held, 0.0)
    explained = np.where(np.isfinite(r_squared), np.abs(covered), 0.0)
    fewest = np.full(equity.shape, np.inf)
    np.minimum.at(fewest, portfolio, np.where(covered != 0, n_obs, np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        known = group_sums(np.abs(covered), portfolio, n) / gross
        total = group_sums(covered * np.nan_to_num(beta), portfolio, n) / equity / known
        mean_r_squared = group_sums(
            explained * np.nan_to_num(r_squared), portfolio, n
        ) / group_sums(explained, portfolio, n)
    coverage = known * priced_share
    enough = meets_minimum(coverage, MIN_COVERAGE) & np.isfinite(equity)
    return WeightedBeta(
        beta=np.where(enough, total, np.nan),
        r_squared=np.where(enough, mean_r_squared, np.nan),
        observations=np.where(enough, fewest, np.nan),
        coverage=coverage,
    )


class RegressionBeta(NamedTuple):
    """Regression betas of portfolios, each of shape (P, D); `n_obs` counts the paired returns."""

    beta: FloatArray
    n_obs: FloatArray


def regression_beta(
    windows: Iterable[FloatArray], market: FloatArray, *, min_obs: int
) -> RegressionBeta:
    """Return betas from regressions of pro-forma portfolio returns on the market.

    Parameters
    ----------
    windows : iterable of D (W, P) arrays
        Pro-forma returns of each day's holdings over the window that ends on the day, as from
        `pro_forma_returns.scale_to_equity`.
    market : (D + W - 1,) array
        The market's simple returns; the last is the last day's.
    min_obs : int
        Minimum number of sessions with both returns, at least 3.

    Returns
    -------
    RegressionBeta
        Dimensionless; beta is NaN with fewer than ``min_obs`` sessions, and where the market return
        is constant.

    Examples
    --------
    A portfolio that returns twice the market:

    >>> market = np.array([0.01, -0.02, 0.03, 0.01])
    >>> found = regression_beta([2 * market[:, np.newaxis]], market, min_obs=3)
    >>> found.beta, found.n_obs
    (array([[2.]]), array([[4.]]))
    """
    fits = [
        rolling_ols(series, market[d : d + len(series)], window=len(series), min_obs=min_obs)
        for d, series in enumerate(windows)
    ]
    return RegressionBeta(
        np.stack([fit.beta[0] for fit in fits], axis=1),
        np.stack([fit.n_obs[0] for fit in fits], axis=1).astype(float),
    )
