"""Merging of a stored price history with the history that a vendor returns today.

A split restates every earlier price, a dividend every earlier adjusted close. Appending rows to a
history that was adjusted on another day creates a spurious move where they meet.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, FloatArray

OVERLAP_SESSIONS = 10
"""Stored sessions that an incremental request fetches again."""

_PRICES = ("open", "high", "low", "close")
_CLOSES = ("close", "adj_close")
_STORED_PRICE_TOLERANCE = 5.1e-5
"""Half a unit in the last decimal of a stored price."""
_CENT = 0.01
"""Difference of two prices that are both rounded to cents, at most."""
_FACTOR_ROUNDING = 3e-4
"""Difference of returns that factors of adjustment rounded to four decimals explain."""

_RATIO_TOLERANCE = 2e-3
"""Tolerance of ratios of the same restatement, in addition to rounding of prices to cents."""
MIN_SPLIT = 1.04
"""New shares per old share, or old per new, from which a restatement of closes is a split.

A stock dividend of 5% is one.
"""
_MIN_SPLIT_LOG_MOVE = 0.22
"""Log move of a split of 5:4 or larger; such a move does not appear later in past rows."""


def matches_stored(stored: pd.DataFrame, fetched: pd.DataFrame) -> bool:
    """Return whether ``fetched`` has the stored prices, so that it can be appended.

    Parameters
    ----------
    stored, fetched : DataFrame
        date (datetime.date), close, adj_close. The latest stored day may differ if others are
        shared: its prices may have been provisional.
    """
    both = _merge_shared_days(stored, fetched)
    if both.empty:
        return False
    ratio = _is_restated(both)
    before_last = (
        ratio[:-1] if len(ratio) > 1 and both["date"].iloc[-1] == stored["date"].max() else ratio
    )
    return not before_last.any()


class Disagreement(NamedTuple):
    """First day on which two histories of a symbol differ by more than rounding, USD per share."""

    day: date
    column: str
    stored: float
    fetched: float


def find_disagreement(stored: pd.DataFrame, fetched: pd.DataFrame) -> Disagreement | None:
    """Return the first day on which a history of another vendor differs from the stored one.

    Each close may differ by one ratio on all days (a split or dividend since the stored history was
    fetched) and by rounding to cents; adjusted closes also by 0.2 %, because vendors round the
    factors of dividends differently. The latest stored day may be provisional and is ignored.

    Parameters
    ----------
    stored, fetched : DataFrame
        As in `matches_stored`; adjusted closes are compared only if both have them.
    """
    both = _merge_shared_days(stored, fetched)
    if len(both) > 1 and both["date"].iloc[-1] == stored["date"].max():
        both = both[:-1]
    has_adjusted = stored["has_adj_close"].all() and fetched["has_adj_close"].all()
    found = [
        disagreement
        for name, tolerance in (("close", 0.0), ("adj_close", _RATIO_TOLERANCE))
        if (name == "close" or has_adjusted)
        and (disagreement := _first_disagreement(both, name, tolerance)) is not None
    ]
    return min(found, key=lambda one: one.day, default=None)


def _first_disagreement(both: pd.DataFrame, name: str, tolerance: float) -> Disagreement | None:
    before, after = both[name].to_numpy(float), both[f"{name}_new"].to_numpy(float)
    if not len(before):
        return None
    ratio = float(np.median(after / before))
    if abs(ratio - 1) <= _RATIO_TOLERANCE:  # not a restatement: an error of all days must be found
        ratio = 1.0
    allowed = _CENT * max(1.0, 1 / ratio) + _STORED_PRICE_TOLERANCE + tolerance * before
    rows = np.flatnonzero(np.abs(after / ratio - before) > allowed)
    if not len(rows):
        return None
    row = int(rows[0])
    return Disagreement(both["date"].iloc[row], name, float(before[row]), float(after[row]))


def splice(stored: pd.DataFrame, fetched: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows that merge both histories, with ``fetched`` where it has a day.

    A stored day that is not in ``fetched`` is restated by the ratio of the next day in both, so
    that days older than the vendor's history are kept.

    Parameters
    ----------
    stored, fetched : DataFrame
        symbol, date (datetime.date), open, high, low, close, adj_close, volume, has_adj_close;
        ``fetched`` is the vendor's whole history.

    Returns
    -------
    DataFrame or None
        ``fetched`` and the stored rows that change. None if they share too few days, or if their
        differences are not a single restatement.
    """
    absent = stored[~stored["date"].isin(fetched["date"])]
    if absent.empty:
        return fetched
    both = _merge_shared_days(stored, fetched)
    if len(both) < OVERLAP_SESSIONS or not _is_one_restatement(both.iloc[:OVERLAP_SESSIONS]):
        return None
    following = np.searchsorted(both["date"].to_numpy(), absent["date"].to_numpy()).clip(
        max=len(both) - 1
    )
    price, adjusted = (
        both[f"{name}_new"].to_numpy()[following] / both[name].to_numpy()[following]
        for name in _CLOSES
    )
    moved = absent.assign(
        **{name: absent[name] * price for name in _PRICES},
        adj_close=absent["adj_close"] * adjusted,
        volume=(absent["volume"].astype("Float64") / price).round().astype("Int64"),
    )
    changed = _is_restated(both)[following]
    return pd.concat([fetched, moved[changed]], ignore_index=True) if changed.any() else fetched


def partial_split_date(stored: pd.DataFrame, fetched: pd.DataFrame) -> date | None:
    """Return the first day of a 25 % move that is in ``fetched`` only; None if there is none.

    Such a move is a split that was applied to later days only. Parameters are those of
    `matches_stored`.
    """
    both = _merge_shared_days(stored, fetched)
    before, after = (
        np.abs(np.diff(np.log(both[names].to_numpy(float)), axis=0))
        for names in (list(_CLOSES), [f"{name}_new" for name in _CLOSES])
    )
    split_rows = np.flatnonzero((after > before + _MIN_SPLIT_LOG_MOVE).any(axis=1))
    return both["date"].iloc[split_rows[0] + 1] if len(split_rows) else None


def find_split_ratio(stored: pd.DataFrame, fetched: pd.DataFrame) -> float | None:
    """Return new shares per old share by which the closes of shared days are restated.

    None without a restatement of at least MIN_SPLIT: dividends do not change closes. Parameters are
    those of `matches_stored`.
    """
    both = _merge_shared_days(stored, fetched)
    if both.empty:
        return None
    before, after = both["close"].to_numpy(float), both["close_new"].to_numpy(float)
    is_split = max(np.median(before / after), np.median(after / before)) >= MIN_SPLIT
    return float(np.median(before / after)) if is_split else None


def find_changed_returns(stored: pd.DataFrame, fetched: pd.DataFrame) -> list[date]:
    """Return the shared days on which adj_close has another return, and close the same, ascending.

    So it is on the ex-day of a dividend that the stored history does not contain. A return differs
    if it does by more than closes rounded to cents, and factors of adjustment rounded to four
    decimals, explain. Parameters are those of `matches_stored`.
    """
    both = _merge_shared_days(stored, fetched)
    close, adjusted = (
        _has_other_return(both[name].to_numpy(float), both[f"{name}_new"].to_numpy(float))
        for name in _CLOSES
    )
    days: list[date] = both["date"][1:][adjusted & ~close].tolist()
    return days


def _has_other_return(before: FloatArray, after: FloatArray) -> BoolArray:
    """Return where returns differ by more than rounding, one less than prices."""
    inverse = 1 / before + 1 / after
    allowed = np.maximum(_CENT / 2 * (inverse[1:] + inverse[:-1]), _FACTOR_ROUNDING)
    changed: BoolArray = np.abs(np.diff(np.log(after / before))) > allowed
    return changed


def scale_to_stored(stored: pd.DataFrame, fetched: pd.DataFrame) -> pd.DataFrame | None:
    """Continue a dividend-adjusted history with unadjusted closes.

    Returns the later days, with adjusted closes at the ratio of the last stored day. Their returns
    exclude dividends; stored rows do not change.

    Parameters
    ----------
    stored, fetched : DataFrame
        As in `splice`; only the closes of ``fetched`` are used.

    Returns
    -------
    DataFrame or None
        None if the closes of shared days differ.
    """
    as_unadjusted = fetched.assign(adj_close=fetched["close"])
    if not matches_stored(stored.assign(adj_close=stored["close"]), as_unadjusted):
        return None
    last = stored.sort_values("date").iloc[-1]
    later: pd.DataFrame = fetched[fetched["date"] > last["date"]]
    return later.assign(
        adj_close=later["close"] * (last["adj_close"] / last["close"]), has_adj_close=True
    )


def _merge_shared_days(stored: pd.DataFrame, fetched: pd.DataFrame) -> pd.DataFrame:
    """Return the shared days in order, with close and adj_close of each history."""
    columns = ["date", *_CLOSES]
    return (
        stored[columns]
        .merge(fetched[columns], on="date", suffixes=("", "_new"))
        .sort_values("date", ignore_index=True)
    )


def _is_restated(both: pd.DataFrame) -> BoolArray:
    """Return where a day's close or adjusted close differs from the stored one."""
    closes = (both["close_new"] - both["close"]).abs() > _STORED_PRICE_TOLERANCE
    adjusted = (both["adj_close_new"] - both["adj_close"]).abs() > 1e-6 * both["adj_close"]
    return (closes | adjusted).to_numpy(bool)


def _is_one_restatement(both: pd.DataFrame) -> bool:
    """Return whether each close is restated by one ratio, up to rounding to cents."""
    return all(
        _is_one_ratio(both[name].to_numpy(float), both[f"{name}_new"].to_numpy(float))
        for name in _CLOSES
    )


def _is_one_ratio(before: FloatArray, after: FloatArray) -> bool:
    ratios = after / before
    return bool(
        ratios.max() / ratios.min() - 1
        <= _RATIO_TOLERANCE + 2 * _CENT / min(before.min(), after.min())
    )
