"""Detection of faults in price histories: bad ticks, stale prices, missed splits.

Arrays are (T, N): rows are sessions, oldest first, columns symbols. NaN is a missing price; a price
that cannot be judged is not flagged.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.windows import window_counts

Estimates = TypeVar("Estimates", bound=tuple[NDArray[Any], ...])

SUSPECT_MOVE = 0.5
"""Size of a one-day return that is unconfirmed until the next session.

35 large stocks and funds had none in 2020-2024.
"""

MIN_STALE_RUN = 5
STALE_WINDOW = 63
MAX_ZERO_RETURN_SHARE = 0.25
"""A close is stale if it is the same on 5 sessions in a row, or if more than a quarter of the last
63 returns are 0."""

_SPLITS = np.array([2.0, 3.0, 4.0, 5.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0])
_SPLIT_RATIOS = np.concatenate([_SPLITS, 1.0 / _SPLITS])
"""Old price over new. 7 was Apple's in 2014, 1/8 General Electric's in 2021, 20 Alphabet's and
Amazon's in 2022, 50 Chipotle's in 2024. 3:2 is left out, because prices often fall by a third
without a split."""

_MIN_WIDE_SPLIT = 3.0
"""Ratio from which a split is suspected regardless of the day's range: a stock rarely loses 62% in
a day without a split, but often gains or loses 4% on the day of one."""

_SMALL_SPLITS = np.array([5.0 / 4.0, 4.0 / 3.0, 3.0 / 2.0])
"""Old price over new. A price often moves this far without a split, so these ratios are recognized
only where the close falls by one relative to an adjusted close that includes the split."""

_SMALL_SPLIT_TOLERANCE = 0.002
"""Relative tolerance in addition to price rounding; Brown-Forman's 5:4 of 2018 is off by 1e-6."""

MAX_PRICES_BEFORE = 6
"""Maximum number of stored prices before a move in which its last good price is searched. They
count regardless of the length of a halt, because a split often comes with one."""

_SPLIT_RANGE_TOLERANCE = 0.025
"""Maximum distance, as a share, of the previous close from the day's range times the split; after a
gap of n sessions, times the square root of n."""

_MAX_SPLIT_DAY_MOVE = 1.15
"""Maximum move of the close, as a ratio, on the day of a split: Tesla rose 12.6 % on 2020-08-31."""

HALF_CENT = 0.005
"""Rounding error of a price in its currency: many vendors give two decimals."""


class Ticks(NamedTuple):
    """Flags of bad, unconfirmed and suspect prices, each of shape (T, N)."""

    bad: BoolArray
    """Whether a price is not positive and finite, or ends a move over SUSPECT_MOVE that the next
    session reverts; treat it as missing."""
    unconfirmed: BoolArray
    """Whether a price ends any other move over SUSPECT_MOVE; its return counts from the next
    session."""
    suspect: BoolArray
    """Whether a price is invalid, or ends a move over SUSPECT_MOVE that is not the return from a
    bad tick; known without later prices."""


class Staleness(NamedTuple):
    """Measures of stale closes, each of shape (T - STALE_WINDOW, N).

    Row d is the session of row d + STALE_WINDOW.
    """

    run: IntArray
    """Sessions in a row, including this one, with the same close: 0 if it is missing, at most
    STALE_WINDOW + 1."""
    zero_share: FloatArray
    """Share of zero returns among known returns of the window; NaN if fewer than half are known."""
    is_stale: BoolArray
    """Whether either measure is above its limit."""


class LastValues(NamedTuple):
    """The last known value before each session, each of shape (T, N)."""

    values: FloatArray
    """NaN where there is none among the MAX_PRICES_BEFORE stored prices before."""
    age: IntArray
    """Sessions since then; undefined where there is no value."""


class SplitSuspects(NamedTuple):
    """Ratios of suspected splits (old price over new), each of shape (T, N); NaN if not suspected.

    A ratio is on the first session at the new price.
    """

    unadjusted: FloatArray
    """Close and adjusted close jump by the same ratio: neither is adjusted, or the move is real."""
    half_adjusted: FloatArray
    """Only one of the two closes jumps, or they jump by different ratios."""
    in_close: FloatArray
    """Ratio of the close alone, judged on its own session without later prices."""
    in_adj_close: FloatArray
    """Ratio of the adjusted close alone, judged on its own session without later prices."""
    close_reverts: BoolArray
    """Whether the next session shows that a suspected close was a bad tick, not a split."""
    adj_close_reverts: BoolArray
    """Whether the next session shows that a suspected adjusted close was a bad tick."""


def bad_ticks(adj_close: FloatArray) -> Ticks:
    """Find bad ticks, and large moves that only the next session can confirm.

    Parameters
    ----------
    adj_close : (T, N) array
        Each price is judged by the session before and the one after. The first row has no session
        before: W returns without bad ticks need W + 2 closes, and the first return is dropped. NaN
        is a missing price.

    Returns
    -------
    Ticks
        A missing price is neither bad nor unconfirmed.

    Notes
    -----
    A move reverts if less than a quarter of it, in logs, is left a session later: 11 % for a price
    1.5 times too high, 19 % for one that is half too low, 78 % for a factor of ten. GameStop's
    +68 % of 2021-01-29 kept 29 % and counts.

    Results for day t must not depend on the price of t + 1. A move over SUSPECT_MOVE, tick or not,
    is therefore left out of the window that ends on its own day; a real one counts from the next
    session on, a tick never. Usage: set bad prices to NaN, compute returns, and estimate with
    `point_in_time_estimates`. Counting a move at once would store an extreme figure for every tick;
    excluding all of them for good would lose crashes; including them a session late, as a return
    over two sessions, would net out spikes. A session without a price confirms the move before it.

    Examples
    --------
    1,000 reverts to 101 and is a bad tick; nothing confirms the fall to 40 yet:

    >>> found = bad_ticks(np.array([[100.0], [1000.0], [101.0], [40.0]]))
    >>> found.bad.ravel(), found.unconfirmed.ravel()
    (array([False,  True, False, False]), array([False, False, False,  True]))
    """
    prices = _nonpositive_as_nan(adj_close)
    invalid = ~np.isnan(adj_close) & np.isnan(prices)
    bad = invalid.copy()
    jump = np.zeros_like(bad)
    with np.errstate(over="ignore"):
        move, move_after_next = prices[1:] / prices[:-1], prices[2:] / prices[:-2]
        jump[1:] = (move > 1.0 + SUSPECT_MOVE) | (move < 1.0 - SUSPECT_MOVE)
        # fourth powers for quarters of logarithms, the last bit of which depends on the processor
        bad[1:-1] |= jump[1:-1] & (
            np.square(np.square(_ratio_above_one(move_after_next))) < _ratio_above_one(move[:-1])
        )
    jump[1:] &= ~bad[:-1]  # the way back from a tick is no move
    suspect = jump | invalid
    return Ticks(bad, suspect & ~bad, suspect)


def point_in_time_estimates(
    estimate: Callable[[FloatArray, slice, slice | IntArray], Estimates],
    returns: FloatArray,
    unconfirmed: BoolArray,
    window: int,
) -> Estimates:
    """Estimate over rolling windows of returns, each without an unconfirmed move at its end.

    Parameters
    ----------
    estimate : callable
        Takes (T', C) returns and their rows and columns among all, to select other inputs with;
        returns arrays of shape (T' - window + 1, C) whose values depend only on their own window
        and column.
    returns, unconfirmed : (T, N) arrays
        Simple returns without bad ticks, and where `bad_ticks` found an unconfirmed move.
    window : int
        Rows per estimate.

    Returns
    -------
    tuple of (T - window + 1, N) arrays
        The arrays of `estimate`: to the last bit the results of each day alone, without later
        prices.

    Notes
    -----
    Only windows that end with such a move are estimated twice. Set the unconfirmed returns of a
    market index to NaN before using it as a regressor.

    Examples
    --------
    Sums of two returns, without the last one where it is unconfirmed:

    >>> def estimate(returns, rows, columns):
    ...     return (np.nansum([returns[:-1], returns[1:]], axis=0),)
    >>> returns = np.array([[0.01], [0.6], [0.02]])
    >>> point_in_time_estimates(estimate, returns, returns > 0.5, 2)[0].round(2)
    array([[0.01],
           [0.62]])
    """
    estimates = estimate(returns, slice(0, len(returns)), slice(0, returns.shape[1]))
    for first in np.flatnonzero(unconfirmed[window - 1 :].any(axis=1)):
        rows = slice(int(first), int(first) + window)
        columns = np.flatnonzero(unconfirmed[rows.stop - 1])
        known = returns[rows, columns]
        known[-1] = np.nan
        for whole, part in zip(estimates, estimate(known, rows, columns), strict=True):
            whole[first, columns] = part[0]
    return estimates


def stale_closes(close: FloatArray) -> Staleness:
    """Measure how long, and how often, closes (T, N) are unchanged over STALE_WINDOW returns.

    A missing close (NaN) ends a run, and the returns on either side of it are unknown.

    Raises
    ------
    ValueError
        If there are STALE_WINDOW sessions or fewer.

    Examples
    --------
    >>> found = stale_closes(np.full((64, 1), 10.0))
    >>> found.run, found.zero_share, found.is_stale
    (array([[64]]), array([[1.]]), array([[ True]]))
    """
    if len(close) <= STALE_WINDOW:
        raise ValueError(
            f"{STALE_WINDOW} returns need {STALE_WINDOW + 1} sessions of closes, not {len(close)}"
        )
    same, known = close[1:] == close[:-1], ~np.isnan(close)
    run = known.astype(np.int64)
    for t in range(1, len(close)):
        run[t] += np.where(same[t - 1], run[t - 1], 0)
    run = np.minimum(run[STALE_WINDOW:], STALE_WINDOW + 1)
    n_obs = window_counts(known[1:] & known[:-1], STALE_WINDOW)
    zero_share = window_counts(same, STALE_WINDOW) / np.where(
        2 * n_obs >= STALE_WINDOW, n_obs, np.nan
    )
    return Staleness(run, zero_share, (run >= MIN_STALE_RUN) | (zero_share > MAX_ZERO_RETURN_SHARE))


def split_suspects(
    close: FloatArray, adj_close: FloatArray, high: FloatArray, low: FloatArray
) -> SplitSuspects:
    """Find moves by the ratio of a split for which prices are not adjusted.

    Parameters
    ----------
    close, adj_close, high, low : (T, N) arrays
        Prices in one currency per share; high and low are on the scale of the close. NaN is a
        missing price, and any of high and low may be missing.

    Returns
    -------
    SplitSuspects
        A ratio depends on the last MAX_PRICES_BEFORE stored prices before it and their neighbors;
        ``close_reverts`` and ``adj_close_reverts`` also depend on the next session.

    Notes
    -----
    A price is compared with the last good one before it, over a halt of any length: what lies
    between two prices may be a split however far apart they are. The price before must lie within
    2.5 % of the split times the day's range, times the square root of the sessions between the two,
    and within 15 % of the split times its close: without the range, a day like Tesla's 5:1 looks as
    much like a 4:1. From 3:1 on, 15 % of the close are enough if no ratio fits the range: prices
    also move overnight. Ratios from 2 on and their inverses are searched in each close. 5:4, 4:3
    and 3:2 are searched only where the close makes the move and the adjusted close does not: in
    both, they cannot be distinguished from an ordinary loss.

    Examples
    --------
    Both closes halve: a split of 2:1, or a fall of half.

    >>> close, missing = np.array([[100.0], [101.0], [50.0], [50.5]]), np.full((4, 1), np.nan)
    >>> split_suspects(close, close, missing, missing).unadjusted.ravel()
    array([nan, nan,  2., nan])
    """
    above, below = (
        np.where(np.isnan(extreme), 1.0, extreme / _nonpositive_as_nan(close))
        for extreme in (high, low)
    )
    is_stored = ~(np.isnan(close) & np.isnan(adj_close))
    last, adjusted_last = (
        _last_price_before(_without_bad_ticks(prices), is_stored) for prices in (close, adj_close)
    )
    in_close = _split_ratios(last, close, above, below)
    in_adj_close = _split_ratios(adjusted_last, adj_close, above, below)
    small = _small_split_ratios(close, adj_close, is_stored)
    in_close = np.where(np.isnan(in_close), small, in_close)
    reverts, adjusted_reverts = (
        bad_ticks(prices).bad & ~np.isnan(ratio)
        for prices, ratio in ((close, in_close), (adj_close, in_adj_close))
    )
    lasting = np.where(reverts, np.nan, in_close)
    lasting_adjusted = np.where(adjusted_reverts, np.nan, in_adj_close)
    alike = lasting == lasting_adjusted
    either = np.where(np.isnan(lasting), lasting_adjusted, lasting)
    return SplitSuspects(
        unadjusted=np.where(alike, lasting, np.nan),
        half_adjusted=np.where(alike, np.nan, either),
        in_close=in_close,
        in_adj_close=in_adj_close,
        close_reverts=reverts,
        adj_close_reverts=adjusted_reverts,
    )


def _nonpositive_as_nan(prices: FloatArray) -> FloatArray:
    return np.where(np.isfinite(prices) & (prices > 0.0), prices, np.nan)


def _ratio_above_one(ratio: FloatArray) -> FloatArray:
    """Return the ratio or its inverse, whichever is above 1."""
    return np.maximum(ratio, 1.0 / ratio)


def _without_bad_ticks(prices: FloatArray) -> FloatArray:
    """Return prices with bad ticks as NaN; the next session shows whether a price is one."""
    return np.where(bad_ticks(prices).bad, np.nan, _nonpositive_as_nan(prices))


def _last_price_before(values: FloatArray, is_stored: BoolArray) -> LastValues:
    """Return for each session the last known value of the MAX_PRICES_BEFORE stored before it."""
    found, age = np.full(values.shape, np.nan), np.ones(values.shape, dtype=np.int64)
    session = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, session), axis=0)[:-1]
    at = np.maximum(last, 0)
    age[1:] = session[1:] - at
    number: IntArray = np.cumsum(is_stored, axis=0)
    n_later: IntArray = number[:-1] - np.take_along_axis(number, at, axis=0)
    is_near = (last >= 0) & (n_later < MAX_PRICES_BEFORE)
    found[1:] = np.where(is_near, np.take_along_axis(values, at, axis=0), np.nan)
    return LastValues(found, age)


def _split_ratios(
    last: LastValues,
    prices: FloatArray,
    above: FloatArray,
    below: FloatArray,
) -> FloatArray:
    """Return the split that each move to ``prices`` looks like, or NaN.

    ``above`` and ``below`` are the session's high and low over its close.
    """
    found = np.full(prices.shape, np.nan)
    with np.errstate(over="ignore"):
        move = last.values / _nonpositive_as_nan(prices)
    rows, columns = np.nonzero(_ratio_above_one(move) > _SPLITS[0] / _MAX_SPLIT_DAY_MOVE)
    gap = 1.0 + _SPLIT_RANGE_TOLERANCE * np.sqrt(last.age[rows, columns, None])
    move, above, below = (values[rows, columns, None] for values in (move, above, below))
    reach_up = np.minimum(above * gap, _MAX_SPLIT_DAY_MOVE)
    reach_down = np.maximum(below / gap, 1.0 / _MAX_SPLIT_DAY_MOVE)
    distance = _ratio_above_one(move / _SPLIT_RATIOS)
    is_far = (move > _SPLIT_RATIOS * reach_up) | (move < _SPLIT_RATIOS * reach_down)
    is_wide = (_ratio_above_one(_SPLIT_RATIOS) >= _MIN_WIDE_SPLIT) & (
        distance <= _MAX_SPLIT_DAY_MOVE
    )
    fits_range = ~is_far.all(axis=1, keepdims=True)
    distance[is_far & (fits_range | ~is_wide)] = np.inf
    nearest = _SPLIT_RATIOS[distance.argmin(axis=1)]
    found[rows, columns] = np.where(np.isfinite(distance).any(axis=1), nearest, np.nan)
    return found


def _small_split_ratios(
    close: FloatArray,
    adj_close: FloatArray,
    is_stored: BoolArray,
) -> FloatArray:
    """Return the small split by which the close falls relative to the adjusted close, or NaN."""
    good, good_adjusted = _without_bad_ticks(close), _without_bad_ticks(adj_close)
    before = _last_price_before(good / good_adjusted, is_stored).values
    with np.errstate(over="ignore"):
        fall = before / (_nonpositive_as_nan(close) / _nonpositive_as_nan(adj_close))
    # relative; the prices before have the same size, apart from the ratio
    rounding = (
        2.0 * HALF_CENT * (1.0 / _nonpositive_as_nan(close) + 1.0 / _nonpositive_as_nan(adj_close))
    )
    found = np.full(close.shape, np.nan)
    for ratio in _SMALL_SPLITS:
        found[np.abs(fall / ratio - 1.0) <= _SMALL_SPLIT_TOLERANCE + rounding] = ratio
    return found
