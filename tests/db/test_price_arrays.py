"""Prices read as arrays, compared with the rows that SQLAlchemy reads one by one."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from benchmarks.price_panels import pivot_rows
from riskmetrics.db import tables
from riskmetrics.db.price_arrays import PriceArrays, read_price_arrays

TABLE = tables.market_data_cache
NAMES = ("close", "adj_close", "volume")
DAYS = [date(1999, 12, 31), date(2024, 12, 4), date(2024, 12, 5), date(2024, 12, 6)]


@pytest.fixture
def stored(connection: sa.Connection) -> sa.Connection:
    """Store prices in no order: without some values, with long fractions and large volumes."""
    rows = [
        ("ÄÖ.DE", DAYS[3], Decimal("0.1"), 1 / 3, 2**53 + 1),
        ("A", DAYS[2], Decimal("123.4567"), 123.45670000000001, 7),
        ("ÄÖ.DE", DAYS[0], Decimal("99999999.9999"), 5e-324, 0),
        ("A", DAYS[3], Decimal("5.00"), None, None),
        ("A", DAYS[0], Decimal("1.10"), -0.0, 1),
        ("OTHER", DAYS[1], Decimal("2.00"), 2.0, 2),
    ]
    names = ("symbol", "date", *NAMES)
    values = [dict(zip(names, row, strict=True)) | {"data_source": "test"} for row in rows]
    connection.execute(sa.insert(TABLE), values)
    return connection


def read(connection: sa.Connection) -> PriceArrays:
    """Return the prices of two symbols."""
    return read_price_arrays(connection, TABLE, NAMES, TABLE.c.symbol != "OTHER")


def expected_rows(connection: sa.Connection) -> pd.DataFrame:
    """Return the same by symbol and day, as rows that the driver decodes."""
    statement = sa.select(TABLE.c.symbol, TABLE.c.date, *(TABLE.c[name] for name in NAMES))
    rows = connection.execute(
        statement.where(TABLE.c.symbol != "OTHER").order_by(TABLE.c.symbol, TABLE.c.date)
    )
    frame = pd.DataFrame(rows, columns=["symbol", "date", *NAMES])
    return frame.assign(
        date=pd.to_datetime(frame["date"]).astype("datetime64[s]"),
        **{name: frame[name].astype(float) for name in NAMES},
    )


def test_every_price_is_read_with_its_bits(stored: sa.Connection) -> None:
    found = read(stored).to_frame().sort_values(["symbol", "date"], ignore_index=True)
    expected = expected_rows(stored)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert np.signbit(found["adj_close"][0])


def test_prices_are_ordered_and_preceded_within_their_symbol(stored: sa.Connection) -> None:
    prices = read(stored).by_day()
    frame = prices.to_frame()
    by_symbol = frame.groupby("symbol")
    assert by_symbol["date"].is_monotonic_increasing.all()
    for name in NAMES:
        np.testing.assert_array_equal(prices.previous(name), by_symbol[name].shift())
    first = frame["symbol"].to_numpy()[prices.first_of_symbol()]
    assert (first == frame["symbol"]).all()
    assert len(set(prices.first_of_symbol())) == 2
    assert prices.by_day() is prices


def test_a_panel_is_that_of_rows(stored: sa.Connection) -> None:
    sessions, symbols = DAYS[1:], ["NONE", "A", "ÄÖ.DE"]
    for name in NAMES:
        panel = read(stored).pivot(sessions, symbols, name)
        rows = expected_rows(stored)
        pd.testing.assert_frame_equal(
            panel, pivot_rows(rows, sessions, symbols, name), check_exact=True
        )
    assert panel.notna().to_numpy().sum() == 2  # of the volumes


@pytest.mark.parametrize(("sessions", "symbols"), [([], ["A"]), (DAYS, []), (DAYS[1:2], ["A"])])
def test_a_panel_can_be_empty(
    stored: sa.Connection, sessions: list[date], symbols: list[str]
) -> None:
    panel = read(stored).pivot(sessions, symbols, "close")
    assert panel.shape == (len(sessions), len(symbols))
    assert panel.isna().to_numpy().all()


def test_nothing_stored_is_an_empty_panel(connection: sa.Connection) -> None:
    prices = read_price_arrays(connection, TABLE, NAMES, TABLE.c.symbol == "A")
    assert prices.symbols == []
    assert prices.by_day().to_frame().empty
    assert prices.pivot(DAYS, ["A"], "close").isna().to_numpy().all()
