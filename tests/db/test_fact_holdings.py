"""Trades of the session next to options, by lots that a test writes."""

from datetime import date

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.fact_holdings import read_changed_holdings

BEFORE, DAY = date(2024, 12, 5), date(2024, 12, 6)
CALL = {"symbol": "X241206C00050000", "underlying_symbol": "X", "position_type": "LC"}


@pytest.mark.parametrize(
    ("dates", "is_held"),
    [
        ({"entry_date": BEFORE}, True),
        ({"entry_date": DAY}, True),
        ({"entry_date": date(2024, 12, 9)}, False),
        ({"exit_date": DAY}, True),  # held at the close before
        ({"exit_date": BEFORE}, False),
        ({"expiration_date": BEFORE}, True),
        ({"expiration_date": date(2024, 12, 4)}, False),
        ({"expiration_date": date(2021, 1, 15)}, False),
    ],
)
def test_weights_are_missing_while_options_on_a_traded_stock_are_held(
    connection: sa.Connection, dates: dict[str, date], is_held: bool
) -> None:
    portfolios = tables.portfolios
    key = connection.scalar(
        sa.insert(portfolios).values(name="P", currency="USD").returning(portfolios.c.id)
    )
    assert key is not None
    lot = {"portfolio_id": key, "quantity": 10, "entry_date": date(2020, 1, 2)}
    stock = lot | {"symbol": "X", "position_type": "LONG"}
    option = lot | CALL | {"strike_price": 50, "expiration_date": date(2025, 1, 17)} | dates
    for each in (stock, stock | {"entry_date": DAY}, option):
        connection.execute(sa.insert(tables.positions), each)
    shares = tables.portfolio_risk_contributions
    for day, weight in ((BEFORE, 0.1), (DAY, 0.2)):
        row = {"portfolio_id": key, "day": day, "symbol": "X", "weight": weight, "observations": 1}
        connection.execute(sa.insert(shares), row)
    found = read_changed_holdings(connection, [DAY], [key])[str(key), DAY]
    (row_of_stock,) = (each for each in found if each["symbol"] == "X")
    assert row_of_stock["has_options"] is is_held
    weights = (row_of_stock["weight_before"], row_of_stock["weight_after"])
    assert weights == ((None, None) if is_held else (0.1, 0.2))
