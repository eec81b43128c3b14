"""Trades, deposits and withdrawals that the chart of the equity marks."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics.charts import rows
from riskmetrics.charts.portfolio_data import read_chart_data
from riskmetrics.charts.pro_forma_data import BookInputs
from riskmetrics.db import tables

FIRST, DAY = date(2024, 12, 5), date(2024, 12, 6)


@pytest.mark.parametrize(
    ("n_trades", "shown"),
    [
        (3, "deposit 1,200, withdrawal 300, opened S0, opened S1, opened S2"),
        (6, "deposit 1,200, withdrawal 300, opened S0, opened S1, opened S2 …"),
    ],
)
def test_a_day_with_many_trades_still_marks_its_deposits_and_withdrawals(
    connection: sa.Connection, n_trades: int, shown: str
) -> None:
    portfolios = tables.portfolios
    key = connection.scalar(
        sa.insert(portfolios).values(name="P", currency="USD").returning(portfolios.c.id)
    )
    lot = {"portfolio_id": key, "position_type": "LONG", "quantity": 1, "entry_date": DAY}
    lots = [lot | {"symbol": f"S{number}"} for number in range(n_trades)]
    connection.execute(sa.insert(tables.positions), lots)
    flow = {"portfolio_id": key, "quantity": 0, "fees": 0, "ordinal": 0, "day": DAY}
    flow |= {"layout": "L", "source": "f.csv", "source_digest": "0" * 64}
    flows = [
        flow | {"reference": kind, "kind": kind, "amount": amount}
        for kind, amount in (("withdrawal", -300), ("deposit", 1200))
    ]
    connection.execute(sa.insert(tables.transactions), flows)
    nothing = BookInputs(pd.DataFrame(columns=["portfolio"]), {}, "SPY")
    data = read_chart_data(connection, FIRST, DAY, nothing, {"P": "USD"}, 2)["P"]
    history = pd.DataFrame({"day": pd.to_datetime([FIRST, DAY])})
    history = history.assign(total_value=1.0, cumulative_pnl=0.0, daily_pnl=0.0)
    marked = rows.equity(replace(data, history=history))["trades"]
    assert marked.fillna("").tolist() == ["", shown]
