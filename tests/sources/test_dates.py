"""Dates in every notation: what is read is the day that was written, or it is refused."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics import trading_calendar
from riskmetrics.sources import cells
from riskmetrics.sources.dates import infer_order, parse_date, possible_days

repeatable = settings(max_examples=60)
NEW_YORK = ZoneInfo("America/New_York")
DAYS = st.dates(date(1990, 1, 1), date(2069, 12, 31))
SESSIONS = st.sampled_from(trading_calendar.sessions_between(date(1991, 1, 2), date(2024, 12, 31)))

UNAMBIGUOUS = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y-%m-%d 00:00:00",
    "%Y-%m-%dT16:00:00",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d %Y",
    "%d-%b-%y",
    "%d%b%Y",
    "%a, %d %b %Y",
    "%Y-%b-%d",
    "%d.%m.%Y",
    "%b %d, %Y 4:00 PM",
]
ORDERED = {"mdy": ["%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y"], "dmy": ["%d/%m/%Y", "%d-%m-%y", "%d.%m.%y"]}
ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Asia/Singapore", "Asia/Tokyo", "Europe/Berlin", "Australia/Sydney"]
).map(ZoneInfo)


def column(*texts: str) -> pa.ChunkedArray:
    """Return a column of cells."""
    return pa.chunked_array([pa.array(texts)])


@repeatable
@given(DAYS, st.sampled_from(UNAMBIGUOUS))
def test_a_day_is_read_back(day, notation):
    days, invalid = cells.parse_dates(column(day.strftime(notation), "x"))
    assert (days[0].astype(date), invalid.tolist()) == (day, [False, True])


@repeatable
@given(DAYS, st.sampled_from([(order, one) for order, all_ in ORDERED.items() for one in all_]))
def test_a_day_in_numbers_is_read_back_in_its_order_and_otherwise_only_if_it_is_proved(
    day, notation
):
    order, pattern = notation
    text = day.strftime(pattern)
    assert parse_date(text, order) == day
    found, _ = cells.parse_dates(column(text))
    assert str(found[0]) in {str(day), "NaT"}


@repeatable
@given(st.lists(SESSIONS, min_size=1, max_size=8), st.sampled_from(["mdy", "dmy"]))
def test_a_column_in_one_order_is_read_back_or_refused(days, order):
    """The order is inferred from 25 December, which has one reading."""
    for pattern in ORDERED[order]:
        texts = [day.strftime(pattern) for day in [*days, date(2024, 12, 25), date(2024, 12, 26)]]
        assert infer_order(texts) in {order, None}
        if not pattern.endswith("y"):
            found, _ = cells.parse_dates(column(*texts))
            assert found.astype(object).tolist()[:-2] == days


@repeatable
@given(SESSIONS, ZONES, st.sampled_from(["%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]))
def test_a_close_belongs_to_its_session_in_every_zone(day, zone, pattern):
    """Oracle: the exchange calendar's close, converted by the time zone database."""
    close = trading_calendar.session_close(day)
    assert parse_date(close.astimezone(zone).strftime(pattern)) == day
    assert parse_date(close.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")) == day


@repeatable
@given(SESSIONS, ZONES, st.sampled_from([ZoneInfo("UTC"), NEW_YORK]))
def test_midnight_in_utc_or_new_york_labels_a_day_in_every_zone(day, zone, of):
    """Only 19:00 or 20:00 in New York, which is midnight in UTC, is an hour of its own day."""
    moment = datetime.combine(day, time(), of).astimezone(zone)
    is_evening = (zone, of) == (NEW_YORK, ZoneInfo("UTC"))
    assert parse_date(moment.isoformat()) == (moment.date() if is_evening else day)


@repeatable
@given(SESSIONS, st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_seconds_to_nanoseconds_since_1970_are_read_back(day, unit):
    close = int(trading_calendar.session_close(day).timestamp()) * unit
    midnight = int(datetime.combine(day, time(), UTC).timestamp()) * unit
    assert parse_date(str(close)) == parse_date(str(midnight)) == day


@repeatable
@given(DAYS)
def test_a_serial_number_of_excel_is_read_back(day):
    """Oracle: Excel counts 1900-03-01 as day 61."""
    serial = 61 + (day - date(1900, 3, 1)).days
    assert parse_date(str(serial)) == parse_date(f"{serial}.0") == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("32874", date(1990, 1, 1)),
        ("32873", None),
        ("73050", date(2099, 12, 31)),
        ("73051", None),
        ("631152000", date(1990, 1, 1)),
        ("631151999", None),
        ("4102444799", date(2099, 12, 31)),
        ("4102444800", None),
    ],
)
def test_counts_outside_of_a_century_are_no_dates(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1/2/70", date(1970, 1, 2)),
        ("1/2/69", date(2069, 1, 2)),
        ("2024-02-30", None),
        ("2/30/2024", None),
        ("13/13/2024", None),
        ("2024-13-01", None),
        ("12 Foo 2024", None),
        ("2024-12-06 25:00:00", date(2024, 12, 6)),
        ("12/6/2024 13:00 PM", None),
    ],
)
def test_a_day_that_does_not_exist_is_no_date(text, day):
    assert parse_date(text, "mdy") == day


@pytest.mark.parametrize(
    "text",
    [
        "6. Dezember 2024",  # codespell:ignore
        "6 déc. 2024",
        "viernes, 6 de diciembre de 2024",
        "6 dicembre 2024",
        "6 dez 2024",
        "6 december 2024",
        "Fri, 06 Dec 2024 16:00:00 -0500",
        "DEC 6, 2024",
    ],
)
def test_month_names_of_seven_languages_are_known(text):
    assert parse_date(text) == date(2024, 12, 6)


def test_two_digit_years_at_either_end_are_told_apart_by_the_column():
    """The end with fewer distinct numbers is the year; with one row nothing tells."""
    assert infer_order(["24-12-02", "24-12-03"]) == "ymd"
    assert infer_order(["29-11-24", "02-12-24", "03-12-24"]) == "dmy"
    assert infer_order(["24-12-02"]) is None
    assert infer_order(["99-12-02"]) == "ymd"
    assert infer_order(["24-12-99"]) == "dmy"
    assert parse_date("18-10-18") == date(2018, 10, 18)
    assert possible_days("24-12-02") == [date(2002, 12, 24), date(2024, 12, 2)]


def test_midnight_of_a_zone_where_new_york_trades_the_day_before_is_refused():
    assert parse_date("2024-12-03 00:00:00+08:00") is None
    assert parse_date("2024-12-03 00:00:00+01:00") == date(2024, 12, 3)


def test_dates_of_a_typed_column_are_those_of_its_text():
    day = datetime(2024, 12, 6, tzinfo=UTC)
    for kind in (pa.timestamp("ns"), pa.timestamp("s", "UTC"), pa.date32()):
        array = pa.chunked_array([pa.array([day, day + timedelta(days=3)]).cast(kind)])
        found, invalid = cells.parse_dates(array)
        assert found.astype(object).tolist() == [date(2024, 12, 6), date(2024, 12, 9)]
        assert not invalid.any()
    ended = datetime(2024, 12, 6, 16, tzinfo=NEW_YORK)
    for unit in (1, 10**3, 10**9):
        array = pa.chunked_array([pa.array([int(ended.timestamp()) * unit])])
        assert cells.parse_dates(array)[0].astype(object).tolist() == [date(2024, 12, 6)]
