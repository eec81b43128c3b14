"""Find portfolios by the names that users type."""

from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import tables
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
