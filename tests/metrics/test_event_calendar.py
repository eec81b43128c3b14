"""Months around events by hand, against a loop, and without look-ahead."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.metrics.event_calendar import event_month_ages
from riskmetrics.metrics.forecast_features import FEATURE_WINDOW, SEASON_LAGS, build_features

NONE = [-1, -1, -1, -1]
REPORTS = np.array([100, 165, 225, 290, 352])
LONG_KNOWN = np.zeros(5, np.int64)


def ages_on(day: int, events: np.ndarray = REPORTS, known: np.ndarray = LONG_KNOWN) -> list[int]:
    return list(event_month_ages(np.array([day]), events, known)[0])


def test_months_around_irregular_events_by_hand():
    """The report at 352 is 12 sessions ahead: months end 9 sessions after those before it."""
    assert ages_on(340) == [340 - 299, 340 - 234, 340 - 174, 340 - 109]


def test_a_date_counts_from_the_session_on_whose_close_it_is_known():
    """Until then the next report is expected 252 sessions after that of the year before: at 352."""
    moved = np.array([100, 165, 225, 290, 349])
    known = np.array([0, 0, 0, 0, 341])
    assert ages_on(340, moved, known) == [340 - 299, 340 - 234, 340 - 174, 340 - 109]
    assert ages_on(341, moved, known) == [341 - 303, 341 - 238, 341 - 178, 341 - 113]
    assert ages_on(349, moved, known) == ages_on(349, moved, LONG_KNOWN)


def test_boundaries_of_the_year_and_of_a_month():
    at, known = np.array([0, 100]), np.zeros(2, np.int64)
    assert ages_on(80, at + 152, known) == NONE  # nothing has happened yet
    for last, expected in ((252, [131, 231, -1, -1]), (253, [132, -1, -1, -1])):
        events = np.array([0, 100, last])
        assert ages_on(240, events, np.zeros(3, np.int64)) == expected
    for after, expected in ((21, [0, -1, -1, -1]), (20, NONE)):
        assert ages_on(99, np.array([99, 99 + after]), known) == expected


def test_an_event_of_more_than_a_year_ago_is_not_expected_again():
    event, known = np.array([10]), np.zeros(1, np.int64)
    assert ages_on(261, event, known) == [231, -1, -1, -1]
    assert ages_on(262, event, known) == NONE


def test_two_dates_on_one_session_are_one_event_known_with_the_first():
    twice = np.array([100, 165, 225, 290, 352, 352])
    known = np.array([0, 0, 0, 0, 400, 0])
    assert ages_on(340, twice, known) == ages_on(340)


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=12),
    st.integers(0, 500),
)
def test_a_value_is_that_of_a_loop_and_depends_on_what_was_known(pairs, day):
    events = np.array([event for event, _ in pairs], dtype=np.int64)
    known = np.array([when for _, when in pairs], dtype=np.int64)
    past = {event for event, _ in pairs if event <= day}
    coming = [event for event, when in pairs if event > day and when <= day]
    coming = coming or [event + 252 for event in past if event + 252 > day]
    lags = sorted(min(coming) - event for event in past) if coming else []
    expected = [lag - 21 for lag in lags if 21 <= lag <= 252][:4]
    found = ages_on(day, events, known)
    assert found == expected + NONE[len(expected) :]
    is_visible = (events <= day) | (known <= day)
    assert ages_on(day, events[is_visible], known[is_visible]) == found


def reporting(rows: int, events: np.ndarray) -> np.ndarray:
    """Returns of 1 % up and down, and of 6 % on events."""
    returns = np.where(np.arange(rows) % 2, 0.01, -0.01)[:, np.newaxis]
    returns[events] *= 6.0
    return returns


def test_events_every_quarter_have_the_inferred_season_to_the_last_bit():
    rows = 420
    events = np.arange(3, rows + 63, 63)
    returns = reporting(rows, events[events < rows])
    ages = event_month_ages(np.arange(rows), events, np.zeros_like(events))[:, np.newaxis]
    found, inferred = build_features(returns, event_ages=ages), build_features(returns)
    assert set(SEASON_LAGS) >= {*ages[-1, 0].tolist()} - {-1}
    assert_array_equal(found.close_season, inferred.close_season)


def test_the_season_is_the_mean_of_the_months_around_events():
    """A report 3 sessions ahead: fixed lags miss those of 64 and 190 sessions ago."""
    events = FEATURE_WINDOW - 1 - np.array([245, 190, 122, 64])
    returns = reporting(FEATURE_WINDOW, events)
    days, all_events = np.arange(FEATURE_WINDOW), np.append(events, FEATURE_WINDOW + 2)
    ages = event_month_ages(days, all_events, np.zeros(5, np.int64))[:, np.newaxis]
    assert (ages[-1] >= 0).all()
    usual = np.array([np.abs(returns[at - 62 : at + 1]).mean() for at in events])
    by_hand = np.log(np.abs(np.log1p(returns[events, 0])) / usual).mean()
    found = build_features(returns, event_ages=ages).close_season
    assert_allclose(found, by_hand, rtol=1e-12)
    assert build_features(returns).close_season < found - 0.3


def test_one_month_around_an_event_is_too_few():
    returns = reporting(FEATURE_WINDOW, np.array([263]))
    inferred = build_features(returns)
    for ages, is_replaced in (([40, -1, -1, -1], False), ([40, 44, -1, -1], True)):
        event_ages = np.broadcast_to(np.array(ages), (FEATURE_WINDOW, 1, 4))
        found = build_features(returns, event_ages=event_ages)
        assert (found.close_season != inferred.close_season) == is_replaced
        assert_array_equal(found.quarter, inferred.quarter)


def test_a_month_without_enough_returns_is_left_out():
    returns = reporting(FEATURE_WINDOW, np.array([250]))
    returns[FEATURE_WINDOW - 1 - 100 - 20 : FEATURE_WINDOW - 100] = np.nan
    ages = np.broadcast_to(np.array([40, 44, 100, -1]), (FEATURE_WINDOW, 1, 4))
    without = np.broadcast_to(np.array([40, 44, -1, -1]), (FEATURE_WINDOW, 1, 4))
    assert_array_equal(
        build_features(returns, event_ages=ages).close_season,
        build_features(returns, event_ages=without).close_season,
    )
