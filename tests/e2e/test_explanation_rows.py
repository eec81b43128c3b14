"""Source rows of explanations: which are read, and how they are merged."""

from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries
from riskmetrics.explain.price_rows import PriceRows
from riskmetrics.explain.rows_used import RowsUsed
from tests.conftest import open_connection

DAY = date(2022, 12, 28)


def prices(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.Index([DAY.replace(day=27), DAY], name="date"))


def test_prices_are_merged_and_other_rows_are_the_latest() -> None:
    a, both = prices(A=[1.0, 2.0]), prices(A=[8.0, 9.0], B=[3.0, 4.0])
    used = RowsUsed()
    used.record("prices", lambda: a)
    used.record("lots", lambda: pd.DataFrame({"id": [1]}))
    assert used["prices"] is a
    used.record("prices", lambda: both)
    used.record("lots", lambda: pd.DataFrame({"id": [2]}))
    pd.testing.assert_frame_equal(used["prices"], a.combine_first(both))
    assert used["lots"]["id"].tolist() == [2]
    assert list(used) == ["prices", "lots"]
    assert len(used) == 2


def test_rows_are_read_when_they_are_shown_and_once() -> None:
    reads: list[int] = []
    part, whole = RowsUsed(), RowsUsed()

    def read() -> pd.DataFrame:
        reads.append(1)
        return prices(A=[1.0, 2.0])

    part.record("prices", read)
    whole.include(part)
    assert reads == []
    assert whole["prices"]["A"].tolist() == [1.0, 2.0]
    assert whole["prices"] is part["prices"]
    assert reads == [1]


def test_a_symbol_is_read_again_only_for_earlier_sessions(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[tuple[list[str], int]] = []
    read = input_queries.read_adjusted_closes

    def read_and_count(
        connection: sa.Connection,
        symbols: list[str],
        sessions: list[date],
        prices: sa.FromClause | None = None,
    ) -> pd.DataFrame:
        reads.append((list(symbols), len(sessions)))
        return read(connection, symbols, sessions, prices)

    monkeypatch.setattr(input_queries, "read_adjusted_closes", read_and_count)
    with open_connection(sample) as connection:
        rows = PriceRows(connection)
        for symbols, lookback in ((["KO"], 5), (["KO", "PG"], 3), (["KO"], 9), (["KO", "PG"], 3)):
            sessions = trading_calendar.sessions_with_lookback([DAY], lookback)
            expected = read(connection, symbols, sessions)
            found = rows.adjusted_closes(symbols, DAY, lookback)
            pd.testing.assert_frame_equal(found, expected, check_names=False, check_freq=False)
    assert reads == [(["KO"], 6), (["PG"], 4), (["KO"], 10)]
