"""States of alerts: histories with what is told each day, and a slow oracle, day by day."""

from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.insights.alert_states import AlertState, last_alert_state

BETA, WEIGHT, LEVERAGE = (1.2, 1.5, 2.0), (0.1, 0.2, 0.5), (1.5, 2.0, 3.0)
RANK, DRAWDOWN = (0.95,), (0.1, 0.2, 0.35)


def state_of(
    values: list[float], limits: tuple[float, ...], counted: list[bool] | None = None
) -> AlertState:
    found = np.array(values)
    counts = np.full(len(values), True) if counted is None else np.array(counted)
    return last_alert_state(found, limits, np.isfinite(found), counts)


def in_note(state: AlertState, value: float) -> str:
    """Return what a state tells: event, limit, and limit that is left."""
    parts = [] if state.event == "none" else [f"{state.event} {state.limit:g}"]
    if state.left is not None:
        parts.append(f"{'below' if abs(value) < 0.95 * state.left else 'ended'} {state.left:g}")
    return ", ".join(parts)


HISTORIES = [
    # figure below, and at or beyond each limit
    (BETA, [1.1, 1.1], ["", ""]),
    (BETA, [1.1, 1.2, 1.5, 2.0], ["", "reached 1.2", "reached 1.5", "reached 2"]),
    (BETA, [1.1, 2.1, 2.2], ["", "reached 2", "stands 2"]),
    (BETA, [1.6, 1.6], ["known 1.5", "stands 1.5"]),
    # exactly at a limit, since below it
    (LEVERAGE, [1.0, 1.6, 1.55, 1.5], ["", "reached 1.5", "stands 1.5", "stands 1.5"]),
    (LEVERAGE, [1.0, 1.6, 1.4, 1.5], ["", "reached 1.5", "below 1.5", "back 1.5"]),
    # the limit that is left ends, once
    (WEIGHT, [0.05, 0.21, 0.098, 0.096, 0.094],
        ["", "reached 0.2", "below 0.2", "", "below 0.1"]),
    (BETA, [1.0, 2.1, 1.45, 1.43, 1.3],
        ["", "reached 2", "stands 1.2, below 2", "stands 1.2", "stands 1.2, below 1.5"]),
    (BETA, [1.0, 1.6, 1.19, 1.17, 1.13], ["", "reached 1.5", "below 1.5", "", "below 1.2"]),
    (BETA, [1.0, 2.1, 1.0, 1.0], ["", "reached 2", "below 2", ""]),
    (BETA, [1.0, 2.05, 1.95, 1.9, 1.89],
        ["", "reached 2", "stands 1.5", "stands 1.5", "stands 1.5, below 2"]),
    # a leap out of a hover
    (WEIGHT, [0.3, 0.505, 0.498, 0.75, 0.75],
        ["known 0.2", "reached 0.5", "stands 0.2", "worse 0.5", "stands 0.5"]),
    (BETA, [1.1, 1.55, 1.49, 1.95, 1.95],
        ["", "reached 1.5", "stands 1.2", "worse 1.5", "stands 1.5"]),
    # a peak counts since the alert was clearly left
    (BETA, [1.1, 1.55, 1.86, 1.49, 1.55, 1.86],
        ["", "reached 1.5", "worse 1.5", "stands 1.2", "stands 1.5", "stands 1.5"]),
    (BETA, [1.1, 1.55, 1.86, 1.4, 1.55, 1.86],
        ["", "reached 1.5", "worse 1.5", "stands 1.2, below 1.5", "back 1.5", "worse 1.5"]),
    (BETA, [1.0, 1.25, 1.495, 1.19, 1.495],
        ["", "reached 1.2", "worse 1.2", "", "stands 1.2"]),
    # a fifth of the limit beyond what was stated last, and no step at a round value
    (BETA, [1.1, 1.79, 1.81, 1.98], ["", "reached 1.5", "stands 1.5", "stands 1.5"]),
    (WEIGHT, [0.05, 0.22, 0.25, 0.259, 0.261, 0.29, 0.31],
        ["", "reached 0.2", *["stands 0.2"] * 2, "worse 0.2", "stands 0.2", "worse 0.2"]),
    # a hover is neither left nor back
    (BETA, [1.1, 1.55, 1.49, 1.55, 1.425, 1.5],
        ["", "reached 1.5", "stands 1.2", "stands 1.5", "stands 1.2", "stands 1.5"]),
    (RANK, [0.8, 0.96, 0.94, 0.96, 0.94, 0.96],
        ["", "reached 0.95", "", "stands 0.95", "", "stands 0.95"]),
    # back up to five sessions after the limit was left, not after the value was below it
    (BETA, [1.1, 1.25, 1.19, 1.18, 1.17, 1.16, 1.15, 1.1, 1.25],
        ["", "reached 1.2", "", "", "", "", "", "below 1.2", "back 1.2"]),
    (BETA, [1.1, 1.25, 1.1, 1, 1, 1, 1, 1.25],
        ["", "reached 1.2", "below 1.2", "", "", "", "", "back 1.2"]),
    (BETA, [1.1, 1.25, 1.1, 1, 1, 1, 1, 1, 1.25],
        ["", "reached 1.2", "below 1.2", "", "", "", "", "", "reached 1.2"]),
    (BETA, [1.0, 1.25, 1.10, 1.19, 1.15, 1.22, 1.22],
        ["", "reached 1.2", "below 1.2", "", "", "back 1.2", "stands 1.2"]),
    # undefined sessions neither leave nor reach
    (LEVERAGE, [2.0, 3.5, 3.5, nan, 3.5, 3.5],
        ["known 2", "reached 3", "stands 3", "", "stands 3", "stands 3"]),
    (BETA, [1.1, nan, 1.6], ["", "", "known 1.5"]),
    (BETA, [1.1, 1.6, nan, 1.4, 1.4], ["", "reached 1.5", "", "stands 1.2, below 1.5",
        "stands 1.2"]),
    (BETA, [1.1, 1.6, nan, 1.45, 1.6],
        ["", "reached 1.5", "", "stands 1.2", "stands 1.5"]),
    # sold
    (WEIGHT, [0.3, 0.55, 0.55, 0, 0],
        ["known 0.2", "reached 0.5", "stands 0.5", "below 0.5", ""]),
    # a change of side is another streak
    (WEIGHT, [0.05, 0.3, -0.3, -0.3], ["", "reached 0.2", "reached 0.2", "stands 0.2"]),
    (WEIGHT, [0.05, 0.55, -0.3, -0.05],
        ["", "reached 0.5", "reached 0.2, below 0.5", "below 0.2"]),
    (WEIGHT, [0.05, 0.3, 0, -0.3], ["", "reached 0.2", "below 0.2", "reached 0.2"]),
    (WEIGHT, [0.05, 0.3, -0.195, -0.3], ["", "reached 0.2", "reached 0.1, ended 0.2",
        "reached 0.2"]),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "values", "expected"), HISTORIES)
def test_what_is_told_of_a_history_day_by_day(
    limits: tuple[float, ...], values: list[float], expected: list[str]
) -> None:
    days = range(1, len(values) + 1)
    assert [in_note(state_of(values[:day], limits), values[day - 1]) for day in days] == expected


@pytest.mark.parametrize(
    ("values", "counted", "expected"),
    [
        ([0.05, 0.21, 0.21, 0.21, 0.21, 0.21], [1, 0, 0, 1, 1, 0],
            ["", "", "", "known 0.2", "stands 0.2", "ended 0.2"]),
        ([0.05, 0.12, 0.21], [0, 0, 1], ["", "", "reached 0.2"]),
        ([0.05, 0.21, 0.05, 0.05], [1, 1, 0, 0], ["", "reached 0.2", "below 0.2", ""]),
        ([0.21, 0.21, 0.21], [1, 0, 1], ["known 0.2", "ended 0.2", "back 0.2"]),
        ([0.21] * 8, [1, *[0] * 6, 1], ["known 0.2", "ended 0.2", *[""] * 5, "known 0.2"]),
    ],
)  # fmt: skip
def test_an_alert_that_begins_to_count_is_known_and_one_that_stops_has_ended(
    values: list[float], counted: list[int], expected: list[str]
) -> None:
    flags = [bool(each) for each in counted]
    days = range(1, len(values) + 1)
    assert [
        in_note(state_of(values[:day], DRAWDOWN, flags[:day]), values[day - 1]) for day in days
    ] == expected


def test_an_alert_is_kept_while_its_value_is_just_below_the_limit() -> None:
    state = state_of([1.1, 1.55, 1.49, 1.43], BETA)
    assert (state.event, state.limit, state.sessions) == ("stands", 1.2, 3)
    assert (state.kept, state.kept_sessions, state.is_kept_start_known) == (1.5, 3, True)
    assert state_of([1.55, 1.49], BETA).is_kept_start_known is False
    assert state_of([1.1, 1.55, 1.49, 1.42], BETA).kept is None


def test_sessions_are_those_of_the_alert_with_its_hovers() -> None:
    state = state_of([1.1, 1.55, 1.49, nan, 1.49, 1.55], BETA)
    assert (state.sessions, state.is_start_known) == (4, True)
    state = state_of([1.55, 1.55], BETA)
    assert (state.sessions, state.is_start_known) == (2, False)
    assert state_of([1.1, 1.25, 1.19, 1.1, 1.1, 1.25], BETA).away == 2


def step_by_step(
    values: list[float], limits: tuple[float, ...], counted: list[bool]
) -> list[tuple[str, float | None, float | None, float | None]]:
    """Return event, limit, left and kept limit of each day from what stood the day before."""
    standing: dict[float, float] = {}  # limit to the size that was stated last
    left_at: dict[float, tuple[int, float]] = {}
    found: list[tuple[str, float | None, float | None, float | None]] = []
    day, previous, is_counted_before = 0, nan, True
    is_adjacent = False
    for value, is_counted in zip(values, counted, strict=True):
        if np.isnan(value):
            found.append(("none", None, None, None))
            is_adjacent = False
            continue
        size, side = abs(value), np.sign(value)
        gone = []
        for limit in list(standing):
            has_flipped = np.sign(previous) != side
            if size < 0.95 * limit or not is_counted or has_flipped:
                del standing[limit]
                left_at[limit] = (day, float(np.sign(previous)))
                gone.append(limit)
        event, top = "none", None
        reached = [limit for limit in limits if size >= limit] if is_counted else []
        for limit in reached:
            if limit in standing:
                event = "worse" if size >= standing[limit] + 0.2 * limit else "stands"
            elif not is_adjacent:
                event = "known"
            else:
                when, last_side = left_at.get(limit, (-100, side))
                is_known = not is_counted_before and abs(previous) >= limit
                event = "known" if is_known else "reached"
                event = "back" if day - when <= 5 and last_side == side else event
            top = limit
        for limit in reached:
            if size >= standing.get(limit, 0.0) + 0.2 * limit or limit not in standing:
                standing[limit] = size
            left_at.pop(limit, None)
        ended = [limit for limit in gone if limit not in standing]
        kept = max((limit for limit in standing if size < limit), default=None)
        found.append((event, top, max(ended, default=None), kept))
        previous, is_counted_before, day, is_adjacent = value, is_counted, day + 1, True
    return found


SIZES = st.sampled_from(
    (
        *(nan, 0.0, 0.09, 0.0949, 0.095, 0.0999, 0.1, 0.12, 0.139, 0.14, 0.19, 0.1899, 0.2, 0.24),
        *(0.3, 0.32, 0.475, 0.4749, 0.499, 0.5, 0.6, 0.61, 0.7, 2.0),
    )
)
SIDES = st.sampled_from([1, 1, 1, 1, 1, -1])
DAYS = st.tuples(SIZES, SIDES, st.sampled_from([True] * 6 + [False]))


@given(st.lists(DAYS, min_size=1, max_size=25))
@settings(max_examples=300)
def test_states_are_those_of_a_walk_from_day_to_day(days: list[tuple[float, int, bool]]) -> None:
    values = [size * side for size, side, _ in days]
    counted = [each for _, _, each in days]
    states = [state_of(values[:day], WEIGHT, counted[:day]) for day in range(1, len(values) + 1)]
    found = [(state.event, state.limit, state.left, state.kept) for state in states]
    assert found == step_by_step(values, WEIGHT, counted)
