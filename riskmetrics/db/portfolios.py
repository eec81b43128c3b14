"""Portfolios by the names that users type: find, create, rename and remove them."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from riskmetrics.db import tables
from riskmetrics.db.row_counts import has_rows
from riskmetrics.db.sql_expressions import is_live_portfolio
from riskmetrics.errors import UsageError
from riskmetrics.text import suggest_name

_TABLE = tables.portfolios


def find_portfolio_id(connection: sa.Connection, name: str) -> UUID:
    """Return the id of the portfolio with a name that is not deleted.

    Raises
    ------
    UsageError
        If there is none; the message names the nearest one.
    """
    found: UUID | None = connection.scalar(sa.select(_TABLE.c.id).where(is_live_portfolio(name)))
    if found is not None:
        return found
    names = connection.scalars(sa.select(_TABLE.c.name).where(_TABLE.c.deleted_at.is_(None))).all()
    raise UsageError(
        f"there is no portfolio {name}{suggest_name(name, names)}: see riskmetrics portfolio list"
    )


def find_or_create_portfolio(connection: sa.Connection, name: str) -> sa.RowMapping:
    """Return id, last statement and equity of the portfolio of a name; create it if there is none.

    Raises
    ------
    UsageError
        If several portfolios have the name.
    """
    columns = (_TABLE.c[key] for key in ("id", "holdings_as_of", "equity_balance", "equity_as_of"))
    query = sa.select(*columns).where(is_live_portfolio(name))
    found = connection.execute(query).mappings().all()
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} portfolios are named {name}: rename them in the database so that names"
            " are unique"
        )
    if not found:
        connection.execute(sa.insert(_TABLE).values(name=name, currency="USD"))
        found = connection.execute(query).mappings().all()
    return found[0]


def create_portfolio_of_id(connection: sa.Connection, name: str, portfolio_id: UUID) -> None:
    """Create a portfolio of a given id, unless one has the name, or a deleted one has the id."""
    values = {"id": portfolio_id, "name": name, "currency": "USD"}
    if not has_rows(connection, _TABLE, is_live_portfolio(name)):
        statement = postgresql.insert(_TABLE).values(values)
        connection.execute(statement.on_conflict_do_nothing())


def rename_portfolio(connection: sa.Connection, portfolio_id: object, name: str) -> None:
    """Give a portfolio another name; stored notes keep the old one.

    The caller holds the lock of holdings.

    Raises
    ------
    UsageError
        If another portfolio has the name.
    """
    is_other = _TABLE.c.id != portfolio_id
    if has_rows(connection, _TABLE, is_live_portfolio(name), is_other):
        raise UsageError(f"there is a portfolio {name} already: choose another name")
    renamed = sa.update(_TABLE).where(_TABLE.c.id == portfolio_id)
    connection.execute(renamed.values(name=name, updated_at=sa.func.now()))


def remove_portfolio(connection: sa.Connection, name: str) -> bool:
    """Mark a portfolio as deleted and keep its rows and results; return whether it existed."""
    statement = sa.update(_TABLE).where(is_live_portfolio(name)).values(deleted_at=sa.func.now())
    return connection.execute(statement).rowcount > 0
