"""State of an alert: what its history of values says has happened to it in the last session."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from riskmetrics.metrics._typing import FloatArray

CLEARLY_BELOW: Final = 0.95
"""Part of a limit below which a value has left it: one that hovers at a limit is no news."""

BACK_SESSIONS: Final = 5
"""Sessions after an alert was left up to which reaching it again is no new alert."""

_LEAST_MOVE = 0.2
"""Move beyond what was stated last, as a part of the limit, below which nothing is stated."""

Event = Literal["none", "reached", "back", "worse", "stands", "known"]

Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True)
class AlertState:
    """What happened to an alert in the last session."""

    event: Event = "none"
    """Of the highest limit at or below the value.

    reached: not in force the session before; back: reached, and left at most `BACK_SESSIONS` ago;
    worse: in force, and clearly farther beyond than when it was reached, or last was worse;
    stands: in force;
    known: in force, but whether it was the session before is unknown, or it did not count then.
    """
    limit: float | None = None
    """Highest limit at or below the value."""
    sessions: int = 0
    """Defined sessions since it is in force, the last one included."""
    is_start_known: bool = False
    """Whether the session before its start is defined."""
    away: int | None = None
    """Defined sessions since an alert that is back was left."""
    kept: float | None = None
    """Highest limit whose alert is in force though the value is below it, but not clearly."""
    kept_sessions: int = 0
    """Defined sessions since the alert of ``kept`` is in force."""
    is_kept_start_known: bool = False
    """Whether the session before its start is defined."""
    stated: int | None = None
    """Place of the value that was stated last, of one that is worse."""
    left: float | None = None
    """Highest limit whose alert ended: the value is clearly below, or does not count any more."""


@dataclass(frozen=True)
class _Run:
    """Sessions in a row in which an alert is in force, up to the session before and the last."""

    start: int | None
    """First session; None unless the alert is in force in the last one."""
    was_active: bool
    """Whether it was in force the session before."""
    is_reached: bool
    """Whether the last value is at or beyond the limit, and counts."""


def last_alert_state(
    values: FloatArray, limits: Sequence[float], is_defined: Flags, is_counted: Flags
) -> AlertState:
    """Return what happened to the alert of a figure in the last session.

    The alert of a limit is in force since a value at or beyond it, until one is clearly below, does
    not count, or has the other sign. Undefined sessions are skipped.

    Parameters
    ----------
    values : array of shape (n_sessions,)
        Signed values; their size counts.
    limits : sequence of float
        Limits of the size.
    is_defined : array of bool of shape (n_sessions,)
        Sessions with a value.
    is_counted : array of bool of shape (n_sessions,)
        Sessions in which a value at a limit is an alert.

    Examples
    --------
    >>> betas = np.array([1.1, 1.55, 1.49, 1.95])
    >>> always = np.full(4, True)
    >>> last_alert_state(betas, (1.2, 1.5, 2.0), always, always).event
    'worse'
    """
    if not is_defined[-1]:
        return AlertState()
    place = np.flatnonzero(is_defined)
    sizes, sides, counts = np.abs(values[place]), np.sign(values[place]), is_counted[place]
    has_gap = np.append(True, np.diff(place) > 1)
    flips = np.append(False, sides[1:] != sides[:-1])
    state = AlertState()
    for limit in sorted(limits):
        begins, ends = (sizes >= limit) & counts, (sizes < CLEARLY_BELOW * limit) | ~counts | flips
        run = _last_run(begins, ends)
        if run.was_active and run.start is None:
            state = replace(state, left=limit)
        if run.start is None:
            continue
        start, n_sessions = run.start, len(sizes) - run.start
        is_known = not bool(has_gap[start])
        if not run.is_reached:
            state = replace(
                state, kept=limit, kept_sessions=n_sessions, is_kept_start_known=is_known
            )
        else:
            away: int | None = None
            stated: int | None = None
            if n_sessions > 1:
                before = _stated_before(limit, sizes[start:])
                event: Event = "stands" if before is None else "worse"
                stated = None if before is None else int(place[start + before])
            elif has_gap[-1]:
                event = "known"
            elif (away := _sessions_away(begins, ends, sides)) is not None:
                event = "back"
            else:
                event = "known" if not counts[-2] and sizes[-2] >= limit else "reached"
            state = AlertState(event, limit, n_sessions, is_known, away, stated=stated)
    return state


def _last_run(begins: Flags, ends: Flags) -> _Run:
    """Return the run of the last session; one that ends and begins at once is another run."""
    start = _start(begins, ends)
    was_active = _start(begins[:-1], ends[:-1]) is not None
    return _Run(start, was_active, bool(begins[-1]))


def _start(begins: Flags, ends: Flags) -> int | None:
    """Return the first session that begins a run and is not before the last one that ends one."""
    last_end = np.flatnonzero(ends)[-1] if ends.any() else 0
    found = np.flatnonzero(begins[last_end:])
    return int(last_end + found[0]) if len(found) else None


def _sessions_away(begins: Flags, ends: Flags, sides: FloatArray) -> int | None:
    """Return the sessions since an alert was left; None if they are many, or it never was."""
    last = len(begins) - 1
    earlier = np.flatnonzero(begins[:last])
    if not len(earlier) or sides[earlier[-1]] != sides[last]:
        return None
    left = earlier[-1] + 1 + int(np.argmax(ends[earlier[-1] + 1 :]))
    away = int(last - left)
    return away if 0 < away <= BACK_SESSIONS else None


def _stated_before(limit: float, sizes: FloatArray) -> int | None:
    """Return the place of the size stated last if the last one is clearly farther, else None.

    Stated are the first one, and each that is clearly farther than the one stated before.
    """
    stated, before = 0, None
    for at, size in enumerate(sizes.tolist()):
        is_worse = size >= sizes[stated] + _LEAST_MOVE * limit
        stated, before = (at, stated) if is_worse else (stated, None)
    return before
