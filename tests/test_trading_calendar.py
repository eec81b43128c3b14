"""The calendar against days that the exchange published, and its own rules."""

from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from riskmetrics import trading_calendar as calendar
from riskmetrics.errors import InvalidSessionError
from tests import write_closed_days
from tests.stopped_clocks import stopped_date

NEW_YORK = ZoneInfo("America/New_York")
LONG_AFTER = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "opened"),
    [
        (date(2022, 12, 28), True),
        (date(2022, 12, 26), False),  # Christmas, observed on Monday
        (date(2022, 12, 24), False),  # Saturday
        (date(2025, 1, 9), False),  # mourning of a president
        (date(2018, 12, 5), False),
        (date(2012, 10, 29), False),  # a hurricane
        (date(2001, 9, 11), False),
        (date(2024, 11, 29), True),  # a half-day
        (date(2022, 6, 20), False),  # Juneteenth, from 2022 on
        (date(2021, 6, 18), True),
        (date(1990, 1, 2), True),
        (date(1990, 1, 1), False),
        (date(1989, 12, 29), False),  # a session, but before the calendar in use
        (date(2150, 1, 4), False),
    ],
)
def test_the_exchange_opened_as_it_published(day, opened):
    assert calendar.is_session(day) is opened


@pytest.mark.parametrize(
    ("year", "sessions"),
    [(1996, 254), (2001, 248), (2012, 250), (2020, 253), (2022, 251), (2024, 252)],
)
def test_a_year_has_as_many_sessions_as_it_had(year, sessions):
    assert len(calendar.sessions_between(date(year, 1, 1), date(year, 12, 31))) == sessions


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2024, 12, 6, 15, 59, 59, tzinfo=NEW_YORK), date(2024, 12, 5)),
        (datetime(2024, 12, 6, 16, 0, tzinfo=NEW_YORK), date(2024, 12, 6)),
        (datetime(2024, 12, 6, 20, 59, tzinfo=UTC), date(2024, 12, 5)),
        (
            datetime(2024, 11, 29, 12, 59, tzinfo=NEW_YORK),
            date(2024, 11, 27),
        ),  # the day after Thanksgiving closes at 13:00
        (datetime(2024, 11, 29, 13, 0, tzinfo=NEW_YORK), date(2024, 11, 29)),
        (datetime(2024, 7, 5, 15, 59, tzinfo=NEW_YORK), date(2024, 7, 3)),
        (datetime(2024, 12, 8, 12, 0, tzinfo=NEW_YORK), date(2024, 12, 6)),
        (datetime(2024, 7, 12, 20, 0, tzinfo=UTC), date(2024, 7, 12)),  # summer time
    ],
)
def test_a_session_has_ended_from_its_close_on(now, last):
    assert calendar.last_completed_session(now) == last


def test_by_default_now_is_the_present():
    today = datetime.now(NEW_YORK).date()
    assert today - timedelta(days=7) < calendar.last_completed_session() <= today


def test_results_begin_a_year_of_sessions_after_the_calendar():
    """What the first results look back on: 252 sessions, as a year has."""
    assert calendar.is_session(calendar.FIRST_SESSION)
    assert calendar.is_session(calendar.FIRST_RESULT_SESSION)
    assert (
        len(calendar.sessions_between(calendar.FIRST_SESSION, calendar.FIRST_RESULT_SESSION)) - 1
        == 253
    )
    assert calendar.sessions_index()[0].date() == calendar.FIRST_SESSION


@pytest.mark.parametrize("today", [date(2026, 12, 31), date(2026, 1, 1)])
def test_the_calendar_reaches_into_next_year(monkeypatch, today):
    monkeypatch.setattr(calendar, "date", stopped_date(today))
    assert calendar.calendar_end() == date(2027, 12, 31)


def test_the_calendar_goes_on_in_a_process_that_runs_for_years(monkeypatch):
    """The first session of 2029 is January 2, a Tuesday, by the published holidays."""
    new_year = datetime(2029, 1, 2, 22, 0, tzinfo=UTC)
    monkeypatch.setattr(calendar, "date", stopped_date(date(2026, 11, 30)))
    assert calendar.calendar_end() == date(2027, 12, 31)
    monkeypatch.setattr(calendar, "date", stopped_date(new_year.date()))
    assert calendar.last_completed_session(new_year) == new_year.date()
    assert calendar.is_session(new_year.date())
    assert calendar.session_close(new_year.date()).hour == 21
    assert calendar.sessions_index()[-1].year == calendar.calendar_end().year == 2030


def test_closed_weekdays_are_the_holidays():
    closed = [midnight.date() for midnight in calendar.closed_weekdays() if midnight.year == 2025]
    assert closed[:3] == [date(2025, 1, 1), date(2025, 1, 9), date(2025, 1, 20)]
    assert len(closed) == 11
    assert all(day.weekday() < 5 for day in closed)


def test_steps_back_count_sessions():
    assert calendar.previous_session(date(2022, 12, 28)) == date(2022, 12, 27)
    assert calendar.previous_session(date(2022, 12, 27)) == date(2022, 12, 23)
    assert (
        calendar.previous_session(date(2022, 12, 28), 90)
        == calendar.sessions_between(date(2022, 1, 1), date(2022, 12, 28))[-91]
    )
    assert calendar.previous_session(date(1990, 1, 3), 10) == calendar.FIRST_SESSION
    assert calendar.previous_or_same_session(date(2022, 12, 26)) == date(2022, 12, 23)
    assert calendar.previous_or_same_session(date(2022, 12, 28)) == date(2022, 12, 28)
    assert calendar.previous_or_same_session(date(1980, 1, 1)) == calendar.FIRST_SESSION


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1677, 9, 20), date(1989, 12, 29)])
def test_days_before_the_calendar_are_before_its_first_session(day: date) -> None:
    first = calendar.FIRST_SESSION
    assert not calendar.is_session(day)
    assert calendar.previous_session(day) == calendar.next_session(day) == first
    assert calendar.previous_or_same_session(day) == first


def test_a_window_has_the_lookback_and_the_days():
    days = calendar.sessions_between(date(2022, 12, 19), date(2022, 12, 28))
    window = calendar.sessions_with_lookback(days, 90)
    assert (len(window), window[-len(days) :]) == (90 + len(days), days)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (
            date(2022, 12, 25),
            date(2022, 12, 28),
            r"2022-12-25 \(Sunday\) is not a session: .* the previous session is 2022-12-23",
        ),
        (date(2022, 12, 23), date(2022, 12, 26), r"2022-12-26 \(Monday\) is not a session"),
        (
            date(2022, 12, 28),
            date(2022, 12, 23),
            "the range is reversed: 2022-12-28 comes after 2022-12-23",
        ),
        (
            date(2022, 12, 23),
            date(2026, 1, 15),
            "the session 2026-01-15 has not closed yet; the latest completed session is 2026-01-14",
        ),
        (date(2022, 12, 23), date(2999, 1, 4), "2999-01-04 is outside the calendar"),
        (date(1989, 12, 29), date(1999, 1, 4), "1989-12-29 is outside the calendar"),
        (
            date(1990, 6, 1),
            date(1999, 1, 4),
            "results begin with 1991-01-02: 1990-06-01 has too little history",
        ),
    ],
)
def test_a_range_that_is_not_one_of_ended_sessions_is_refused(first, last, sentence):
    with pytest.raises(InvalidSessionError, match=sentence):
        calendar.validate_range(first, last, LONG_AFTER)


def test_a_checked_range_is_its_sessions():
    days = [date(2022, 12, 23), date(2022, 12, 27), date(2022, 12, 28)]
    assert calendar.validate_range(days[0], days[-1], LONG_AFTER) == days
    assert calendar.validate_range(days[0], days[0], LONG_AFTER) == days[:1]


@pytest.mark.parametrize(
    ("first", "last", "inside"),
    [
        (date(2022, 12, 24), date(2022, 12, 27), [date(2022, 12, 27)]),
        (date(2026, 1, 13), date(2030, 1, 1), [date(2026, 1, 13), date(2026, 1, 14)]),
        (date(1980, 1, 1), date(1991, 1, 3), [date(1991, 1, 2), date(1991, 1, 3)]),
    ],
)
def test_a_rounded_range_is_the_ended_sessions_inside(first, last, inside):
    assert calendar.clip_to_sessions(first, last, LONG_AFTER) == inside


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (
            date(2022, 12, 24),
            date(2022, 12, 26),
            "no completed session between 2022-12-24 and 2022-12-26",
        ),
        (date(2030, 1, 1), date(2031, 1, 1), "no completed session between"),
        (date(1980, 1, 1), date(1990, 12, 31), "no completed session between"),
        (date(2022, 12, 28), date(2022, 12, 27), "the range is reversed"),
    ],
)
def test_a_range_without_an_ended_session_is_refused(first, last, sentence):
    with pytest.raises(InvalidSessionError, match=sentence):
        calendar.clip_to_sessions(first, last, LONG_AFTER)


@pytest.mark.parametrize(
    ("day", "hour"), [(date(2024, 12, 6), 16), (date(2024, 7, 5), 16), (date(2024, 11, 29), 13)]
)
def test_a_session_closes_when_the_exchange_says(day, hour):
    """In New York, winter, summer and on a half-day."""
    assert calendar.session_close(day) == datetime(
        day.year, day.month, day.day, hour, tzinfo=NEW_YORK
    )


@pytest.mark.parametrize("last", [calendar.calendar_end(), write_closed_days.LAST])
def test_the_file_of_closed_days_is_that_of_the_installed_calendar(last):
    """After an upgrade of exchange_calendars: python -m tests.write_closed_days."""
    stored, computed = calendar.read_schedule(last), calendar.compute_schedule(last)
    assert stored is not None
    pd.testing.assert_index_equal(stored.sessions, computed.sessions, check_freq=False)
    pd.testing.assert_series_equal(
        stored.closes, computed.closes, check_freq=False, check_names=False
    )


def test_a_file_of_another_version_or_of_fewer_years_is_not_used(monkeypatch):
    assert calendar.read_schedule(write_closed_days.LAST + timedelta(days=1)) is None
    monkeypatch.setattr(metadata, "version", lambda _: "4.13.3")
    assert calendar.read_schedule(write_closed_days.LAST) is None
