"""Number of rows of a table or join that meet conditions."""

import sqlalchemy as sa


def count_rows(
    connection: sa.Connection, source: sa.FromClause, *conditions: sa.ColumnElement[bool]
) -> int:
    """Return the number of rows that meet all conditions."""
    counted = sa.select(sa.func.count()).select_from(source).where(*conditions)
    return connection.execute(counted).scalar_one()


def has_rows(
    connection: sa.Connection, source: sa.FromClause, *conditions: sa.ColumnElement[bool]
) -> bool:
    """Return whether any row meets all conditions."""
    found = sa.select(sa.exists().select_from(source).where(*conditions))
    return connection.execute(found).scalar_one()
