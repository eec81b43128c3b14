"""Storage of imported rows and of rejected rows."""

import threading
from datetime import date

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics.db import input_queries, input_writes, stored_settings, tables
from riskmetrics.db.copy import fetch_frame
from tests.forked_commands import PATIENCE

PRICES = tables.market_data_cache
FRIDAY, MONDAY, TUESDAY = date(2024, 12, 6), date(2024, 12, 9), date(2024, 12, 10)


def bars(
    symbol: str, days: list[date], *, adjusted: bool = True, close: float = 100.0, **others: float
) -> pd.DataFrame:
    """Return rows in the format of `read_prices`; columns not in ``others`` are missing."""
    rows = pd.DataFrame({"symbol": symbol, "date": pd.Series(days, dtype=object)})
    for name in ("open", "high", "low"):
        rows[name] = float(others.get(name, np.nan))
    volume = pd.array([others.get("volume", pd.NA)] * len(days), dtype="Int64")
    return rows.assign(
        close=close,
        adj_close=close - 1 if adjusted else close,
        volume=volume,
        has_adj_close=adjusted,
    )


def stored(connection: sa.Connection, *columns: str) -> list[tuple[object, ...]]:
    """Return columns of the stored prices by symbol and day."""
    statement = sa.select(*(PRICES.c[name] for name in columns)).order_by(
        PRICES.c.symbol, PRICES.c.date
    )
    return [tuple(row) for row in connection.execute(statement)]


def test_the_same_file_again_changes_nothing(connection):
    rows = pd.concat(
        [bars("A", [FRIDAY, MONDAY], open=1.00004), bars("B", [FRIDAY], adjusted=False)]
    )
    assert input_writes.store_prices(connection, rows, "file") == ((3, 0, 0), [])
    assert input_writes.store_prices(connection, rows, "file") == ((0, 0, 3), [])
    assert stored(connection, "symbol", "data_source") == [
        ("A", "file"),
        ("A", "file"),
        ("B", "file: close only"),
    ]


@pytest.mark.parametrize("first", [True, False])
def test_a_history_is_not_continued_with_closes_of_the_other_kind(connection, first):
    """The refusal is per symbol: B, which has only new days, is stored."""
    input_writes.store_prices(connection, bars("A", [FRIDAY, MONDAY], adjusted=first), "file")
    news = pd.concat(
        [
            bars("A", [MONDAY, TUESDAY], adjusted=not first, close=50),
            bars("B", [TUESDAY], adjusted=not first),
        ]
    )
    assert input_writes.store_prices(connection, news, "file") == ((1, 0, 0), ["A"])
    assert [(symbol, float(close)) for symbol, close in stored(connection, "symbol", "close")] == [
        ("A", 100),
        ("A", 100),
        ("B", 100),
    ]


@pytest.mark.parametrize("first", [True, False])
def test_a_whole_history_is_replaced_by_one_of_the_other_kind(connection, first):
    input_writes.store_prices(connection, bars("A", [FRIDAY, MONDAY], adjusted=first), "file")
    whole = bars("A", [FRIDAY, MONDAY, TUESDAY], adjusted=not first)
    assert input_writes.store_prices(connection, whole, "file") == ((3, 0, 0), [])
    assert {source for (source,) in stored(connection, "data_source")} == {
        "file: close only" if first else "file"
    }


@pytest.mark.parametrize("adjusted", [True, False])
def test_a_history_is_continued_with_closes_of_its_own_kind_from_any_source(connection, adjusted):
    input_writes.store_prices(connection, bars("A", [FRIDAY], adjusted=adjusted), "file")
    assert input_writes.store_prices(
        connection, bars("A", [MONDAY], adjusted=adjusted), "vendor"
    ) == ((1, 0, 0), [])


def test_where_every_symbol_is_refused_nothing_is_written(connection):
    input_writes.store_prices(connection, bars("A", [FRIDAY]), "file")
    assert input_writes.store_prices(connection, bars("A", [MONDAY], adjusted=False), "file") == (
        (0, 0, 0),
        ["A"],
    )


def test_two_files_of_different_kinds_at_the_same_time_do_not_mix(engine):
    barrier, refused = threading.Barrier(2), []

    def run(rows: pd.DataFrame) -> None:
        with engine.begin() as connection:
            barrier.wait(PATIENCE)
            refused.extend(input_writes.store_prices(connection, rows, "file")[1])

    files = bars("A", [FRIDAY]), bars("A", [MONDAY], adjusted=False)
    threads = [threading.Thread(target=run, args=(rows,)) for rows in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert refused == ["A"]
    with engine.connect() as connection:
        assert len(stored(connection, "close")) == 1


def test_a_file_with_closes_alone_leaves_the_rest_of_the_day(connection):
    input_writes.store_prices(
        connection, bars("A", [FRIDAY], open=99, high=101, low=98, volume=5000), "file"
    )
    assert input_writes.store_prices(connection, bars("A", [FRIDAY]), "file") == ((0, 0, 1), [])
    assert [float(value) for value in stored(connection, "open", "high", "low", "volume")[0]] == [
        99,
        101,
        98,
        5000,
    ]


def test_another_close_takes_the_rest_of_the_day_with_it(connection):
    """After a split the old high and low do not match a close of half the size."""
    input_writes.store_prices(
        connection, bars("A", [FRIDAY], open=99, high=101, low=98, volume=5000), "file"
    )
    assert input_writes.store_prices(
        connection, bars("A", [FRIDAY], close=50, high=50.5), "file"
    ) == ((1, 0, 0), [])
    assert stored(connection, "open", "low", "volume") == [(None, None, None)]
    assert float(str(stored(connection, "high")[0][0])) == 50.5


def profiles(**columns: list[object]) -> pd.DataFrame:
    """Return rows in the format of `read_profiles`."""
    count = len(columns["symbol"])
    missing = dict.fromkeys(
        ("company_name", "sector", "industry"), pd.Series([None] * count, dtype=object)
    )
    flags = dict.fromkeys(("is_etf", "is_fund"), pd.array([pd.NA] * count, dtype="boolean"))
    return pd.DataFrame({**missing, **flags, "beta": np.nan, **columns})


def test_a_file_without_a_column_leaves_what_is_stored_of_it(connection):
    whole = profiles(
        symbol=["A", "B"],
        company_name=["Alpha", "Beta"],
        sector=["Energy", None],
        beta=[1.2, 0.8],
        is_etf=[False, True],
    )
    assert input_writes.store_profiles(connection, whole, "file") == (2, 0, 0)
    assert input_writes.store_profiles(connection, profiles(symbol=["A", "B"]), "file") == (0, 0, 2)
    assert input_writes.store_profiles(
        connection,
        profiles(symbol=["A", "B"], sector=["Utilities", None], beta=[np.nan, 0.9]),
        "file",
    ) == (2, 0, 0)
    found = input_queries.read_profiles(connection, ["A", "B"])
    assert found["beta"].to_list() == [1.2, 0.9]
    assert found["sector"].fillna("").to_list() == ["Utilities", ""]
    assert found["is_etf"].to_list() == [False, True]


def weights(day: date, **shares: float) -> pd.DataFrame:
    """Return rows in the format of `read_benchmark`."""
    return pd.DataFrame({"date": day, "sector": list(shares), "weight": list(shares.values())})


def test_a_benchmarks_day_becomes_that_of_the_file_and_other_days_and_benchmarks_stay(connection):
    input_writes.store_benchmark_weights(
        connection, weights(FRIDAY, Energy=0.4, Materials=0.6), "SP500", "file"
    )
    input_writes.store_benchmark_weights(connection, weights(MONDAY, Energy=1.0), "SP500", "file")
    input_writes.store_benchmark_weights(connection, weights(FRIDAY, Energy=1.0), "OTHER", "file")
    again = weights(FRIDAY, Energy=0.4, Utilities=0.6)
    assert input_writes.store_benchmark_weights(connection, again, "SP500", "file") == (1, 1, 1)
    assert input_writes.store_benchmark_weights(connection, again, "SP500", "file") == (0, 0, 2)
    found = input_queries.read_benchmark_weights(connection, "SP500", MONDAY)
    assert found.fillna(0).to_dict("index") == {
        pd.Timestamp(FRIDAY): {"Energy": 0.4, "Utilities": 0.6},
        pd.Timestamp(MONDAY): {"Energy": 1.0, "Utilities": 0.0},
    }
    assert len(input_queries.read_benchmark_weights(connection, "SP500", FRIDAY)) == 1
    assert len(input_queries.read_benchmark_weights(connection, "OTHER", MONDAY)) == 1


def test_a_rejected_row_is_kept_once_however_often_it_comes(connection):
    rows = [
        (3, 'X,"1,0"\n', "close '1,0' is not a number"),
        (None, "", "no symbol"),
        (3, 'X,"1,0"\n', "close '1,0' is not a number"),
    ]
    assert input_writes.store_rejected_rows(connection, "prices", "bars.csv", rows) == 3
    assert input_writes.store_rejected_rows(connection, "prices", "bars.csv", rows) == 3
    assert input_writes.store_rejected_rows(connection, "prices", "bars.csv", []) == 0
    table = tables.rejected_rows
    found = connection.execute(
        sa.select(
            table.c.kind, table.c.source, table.c.line, table.c.raw_row, table.c.reason
        ).order_by("line")
    )
    assert found.all() == [("prices", "bars.csv", *row) for row in rows[:2]]
    input_writes.store_rejected_rows(connection, "prices", "other.csv", rows[:1])
    input_writes.store_rejected_rows(connection, "prices", "bars.csv", [(4, *rows[0][1:])])
    assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 4


def test_a_rejected_row_is_kept_in_part(connection):
    """A row of a vendor's response may have megabytes."""
    input_writes.store_rejected_rows(
        connection, "prices", "FMP", [(None, "x" * 1_000_000, "too long")]
    )
    assert connection.scalar(sa.select(sa.func.length(tables.rejected_rows.c.raw_row))) == 2_000


def test_a_rejected_row_with_a_nul_is_kept(connection):
    """Postgres cannot store NUL in text; it may be the reason of the rejection."""
    input_writes.store_rejected_rows(
        connection, "prices", "bars.csv", [(2, "X\x00Y,1", "symbol 'X\x00Y' is not a symbol")]
    )
    assert fetch_frame(connection, sa.select(tables.rejected_rows.c.raw_row))[
        "raw_row"
    ].to_list() == ["X\ufffdY,1"]


def test_a_file_whose_name_is_not_text_can_have_rejected_rows(connection):
    input_writes.store_rejected_rows(connection, "prices", "b\udcff.csv", [(2, "X", "no date")])
    assert connection.scalars(sa.select(tables.rejected_rows.c.source)).all() == ["b?.csv"]


def test_a_setting_kept_with_the_database_can_be_changed(connection):
    for value in ("SPX", "SPX", "VTI"):
        input_writes.store_setting(connection, stored_settings.MARKET_INDEX, value)
    table = tables.database_settings
    assert connection.execute(sa.select(table.c.name, table.c.value)).all() == [
        ("market_index", "VTI")
    ]
