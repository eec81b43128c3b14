"""Two portfolios with the same symbol, and a row of each in every result table on two days."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from riskmetrics.db import result_tables, tables

FIRST_DAY, SECOND_DAY = date(2022, 12, 27), date(2022, 12, 28)
GROWTH, FORMULA_NAME = "Growth", "=1+1"
_DAYS = (FIRST_DAY, SECOND_DAY)
_MONEY = (
    "total_value",
    "cash_value",
    "long_value",
    "short_value",
    "gross_exposure",
    "net_exposure",
)
_VALUES_BY_TYPE = {
    sa.Boolean: True,
    sa.Integer: 1,
    sa.Numeric: 1,
    sa.Double: 1,
    sa.Date: SECOND_DAY,
    sa.String: "x",
}


def store_small_results(connection: sa.Connection) -> None:
    """Store a long position of 100 shares and its results for both portfolios.

    The beta of AAPL changes from 1 to 2 ± 0.1.
    """
    for name in (GROWTH, FORMULA_NAME):
        portfolio = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name=name, currency="USD")
            .returning(tables.portfolios.c.id)
        )
        lot = {
            "portfolio_id": portfolio,
            "symbol": "AAPL",
            "position_type": "LONG",
            "quantity": 100,
            "entry_date": date(2020, 1, 2),
        }
        position = connection.scalar(
            sa.insert(tables.positions).values(lot).returning(tables.positions.c.id)
        )
        for day, value, beta in zip(_DAYS, ("1000.10", "1500.00"), (1, 2), strict=True):
            for table, row in _rows(portfolio, position, day, value, beta).items():
                # rows of symbols are stored once, however many portfolios are
                connection.execute(insert(table).values(row).on_conflict_do_nothing())


def _rows(
    portfolio: uuid.UUID, position: uuid.UUID, day: date, value: str, beta: int
) -> dict[sa.Table, dict[str, object]]:
    """Return the rows of one portfolio and its only position on a day, by table."""
    keys = {"portfolio_id": portfolio, "position_id": position, "subject": str(portfolio)}
    symbols = {
        "symbol": "AAPL",
        "underlying_symbol": "AAPL",
        "market_index": "SPY",
        "rate_index": "TLT",
    }
    chosen: dict[sa.Table, dict[str, object]] = {
        tables.portfolio_snapshots: dict.fromkeys(_MONEY, value),
        tables.portfolio_figures: {"value": 0},
        tables.portfolio_sector_weights: {"sector": "Energy"},
        tables.portfolio_tail_risk: {"method": "historical", "level": "0.95"},
        tables.portfolio_limit_checks: {"status": "kept"},
        tables.portfolio_ex_ante_volatility: {"method": "decayed"},
        tables.position_market_betas: {"beta": beta, "std_error": "0.1", "alpha": 0},
        tables.position_interest_rate_betas: {"ir_beta": "-0.000001"},
        tables.undefined_metrics: {
            "subject": position,
            "metric": f"t.{beta}",
            "reason": "-1 left, ü",
        },
    }
    return {
        result.table: smallest_row(
            result.table,
            keys | symbols | {result.day.name: day} | chosen.get(result.table, {}),
        )
        for result in result_tables.list_result_tables()
    }


def smallest_row(table: sa.Table, values: dict[str, object]) -> dict[str, object]:
    """Return the given values of a table's columns, and one of each other column that needs one."""
    row = {name: value for name, value in values.items() if name in table.c}
    for column in table.c:
        if column.name not in row and not column.nullable and column.server_default is None:
            row[column.name] = next(
                value for kind, value in _VALUES_BY_TYPE.items() if isinstance(column.type, kind)
            )
    return row
