"""Read and store the imported returns of factors."""

from collections.abc import Collection
from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables, write
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.write import WriteCounts


def read_factor_returns(
    connection: sa.Connection, factors: Collection[str], first: date, last: date
) -> pd.DataFrame:
    """Return imported returns of factors, sessions x factors; those without any are left out."""
    table = tables.factor_returns
    statement = (
        sa.select(table.c.day, table.c.factor, table.c.factor_return)
        .where(table.c.factor == any_of(factors), table.c.day.between(first, last))
        .order_by(table.c.day, table.c.factor)
    )
    rows = fetch_frame(connection, statement)
    return rows.pivot(index="day", columns="factor", values="factor_return")


def read_factor_names(connection: sa.Connection) -> set[str]:
    """Return the names of the factors with imported returns."""
    return set(connection.scalars(sa.select(tables.factor_returns.c.factor).distinct()))


def store_factor_returns(connection: sa.Connection, rows: pd.DataFrame, source: str) -> WriteCounts:
    """Store returns of factors, one per factor and day; other days keep their stored returns."""
    write.lock_asset(connection, "factors")
    return write.upsert_rows(
        connection,
        tables.factor_returns,
        rows.assign(data_source=source),
        key=["factor", "day"],
    )
