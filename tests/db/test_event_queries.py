"""Storage of the calendar of events."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import event_queries, symbol_renames, tables

TODAY = date(2024, 1, 19)
"""Session of the import."""


def rows(*events: tuple[str, str, str | None]) -> pd.DataFrame:
    """Return events as `read_events` does, from symbol, day and known_on."""
    return pd.DataFrame(
        [
            (symbol, date.fromisoformat(day), known and date.fromisoformat(known))
            for symbol, day, known in events
        ],
        columns=["symbol", "day", "known_on"],
    )


def store(connection: sa.Connection, *events: tuple[str, str, str | None], today: date = TODAY):
    return event_queries.store_events(connection, rows(*events), "events.csv", today)


def stored(connection: sa.Connection) -> list[tuple[str, str, str]]:
    names = connection.scalars(sa.select(tables.symbol_events.c.symbol)).all()
    found = event_queries.read_events(connection, set(names))
    return [
        (row.symbol, str(row.day.date()), str(row.known_on.date()))
        for row in found.itertuples(index=False)
    ]


def test_an_event_is_known_from_the_import_or_as_the_file_says(connection):
    assert store(connection, ("B", "2024-02-01", "2024-01-05"), ("A", "2024-02-02", None)) == (
        *(2, 0, 0),
    )
    assert stored(connection) == [
        ("A", "2024-02-02", "2024-01-19"),
        ("B", "2024-02-01", "2024-01-05"),
    ]


def test_the_same_calendar_a_day_later_keeps_when_an_event_became_known(connection):
    store(connection, ("A", "2024-02-02", None), ("B", "2024-02-01", None))
    again = ("A", "2024-02-02", None), ("B", "2024-02-01", "2024-01-08")
    assert store(connection, *again, today=date(2024, 1, 22)) == (1, 0, 1)
    assert stored(connection) == [
        ("A", "2024-02-02", "2024-01-19"),
        ("B", "2024-02-01", "2024-01-08"),
    ]


def test_a_file_is_the_whole_calendar_of_its_symbols_from_its_first_date_on(connection):
    store(
        connection,
        *(("A", day, None) for day in ("2023-07-27", "2023-10-26", "2024-02-01")),
        *(("B", day, None) for day in ("2023-10-25", "2024-02-01")),
    )
    assert store(connection, ("A", "2023-10-27", None), ("A", "2024-02-06", None)) == (2, 1, 0)
    assert [event[:2] for event in stored(connection)] == [
        *(("A", day) for day in ("2023-07-27", "2023-10-26", "2023-10-27", "2024-02-06")),
        *(("B", day) for day in ("2023-10-25", "2024-02-01")),
    ]


def test_each_symbol_has_its_own_first_date(connection):
    """An early event of one symbol removes none of another."""
    store(connection, *(("AMD", day, "2019-12-01") for day in ("2020-01-28", "2022-11-01")))
    later = ("AAPL", "2019-01-29", None), ("AMD", "2024-12-15", None)
    assert store(connection, *later) == (2, 0, 0)
    assert [event[:2] for event in stored(connection)] == [
        ("AAPL", "2019-01-29"),
        *(("AMD", day) for day in ("2020-01-28", "2022-11-01", "2024-12-15")),
    ]


def test_a_date_that_is_moved_replaces_the_former_one_but_not_what_has_happened(connection):
    store(
        connection, ("A", "2024-01-19", None), ("A", "2024-01-20", None), ("A", "2024-02-01", None)
    )
    store(connection, ("A", "2024-02-08", None))
    assert [day for _, day, _ in stored(connection)] == ["2024-01-19", "2024-02-08"]


def test_only_events_of_the_symbols_are_read(connection):
    store(connection, *((symbol, "2024-02-01", None) for symbol in "CAB"))
    assert list(event_queries.read_events(connection, {"C", "A", "X"})["symbol"]) == ["A", "C"]
    assert event_queries.read_events(connection, set()).empty


def test_a_renamed_symbol_keeps_its_events(connection):
    connection.execute(
        sa.insert(tables.market_data_cache).values(
            symbol="FB", date=TODAY, close=1, adj_close=1, data_source="file"
        )
    )
    store(connection, ("FB", "2024-02-01", None), ("META", "2024-02-01", "2024-01-02"))
    symbol_renames.rename_symbol(connection, "FB", "META")
    assert stored(connection) == [("META", "2024-02-01", "2024-01-02")]
