"""Metadata of all tables with its naming convention, and columns that several tables share."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from riskmetrics.catalog import Unit, all_figures, figures_of

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_TYPES: dict[Unit, "sa.types.TypeEngine[Any]"] = {
    **dict.fromkeys((Unit.MONEY, Unit.LOSS_AMOUNT), sa.Numeric(24, 2)),
    Unit.COUNT: sa.Integer(),
    Unit.DATE: sa.Date(),
    Unit.FLAG: sa.Boolean(),
}
"""Unit of a figure to the type of its column; others are double precision."""

PARAMETER = {"role": "parameter"}
"""`info` of a column that stores a parameter of the computation of a row."""

ADDED = {"role": "added"}
"""`info` of a figure's column that riskmetrics added to a founding table."""


def surrogate_key_column(comment: str | None = None) -> sa.Column[Any]:
    """Return the uuid primary key of a table whose natural key is a unique constraint."""
    return sa.Column(
        "id",
        sa.Uuid,
        primary_key=True,
        server_default=sa.func.gen_random_uuid(),
        comment=comment,
    )


def key_column(name: str, kind: "sa.types.TypeEngine[Any]", comment: str) -> sa.Column[Any]:
    """Return a column of a primary key."""
    return sa.Column(name, kind, primary_key=True, comment=comment)


def portfolio_key_column() -> sa.Column[Any]:
    """Return the column of the portfolio in a primary key."""
    return sa.Column(
        "portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True, comment="Portfolio."
    )


def symbol_key_column(
    comment: str = "Symbol in normal form, such as BRK-B.",
) -> sa.Column[Any]:
    """Return the column of the symbol in a primary key."""
    return key_column("symbol", sa.String(20), comment)


def day_key_column(comment: str = "Session.") -> sa.Column[Any]:
    """Return the column of the session in a primary key."""
    return key_column("day", sa.Date(), comment)


def required_column(name: str, kind: "sa.types.TypeEngine[Any]", comment: str) -> sa.Column[Any]:
    """Return a column that is never NULL."""
    return sa.Column(name, kind, nullable=False, comment=comment)


def optional_column(name: str, kind: "sa.types.TypeEngine[Any]", comment: str) -> sa.Column[Any]:
    """Return a column that can be NULL, whose comment says what that means."""
    return sa.Column(name, kind, comment=comment)


def parameter_column(name: str, kind: "sa.types.TypeEngine[Any]", comment: str) -> sa.Column[Any]:
    """Return the column of a parameter of the computation, which is never NULL."""
    return sa.Column(name, kind, nullable=False, comment=comment, info=PARAMETER)


def index_column(index: str) -> sa.Column[Any]:
    """Return the column of the symbol of the market index or of the rate index."""
    return parameter_column(f"{index}_index", sa.String(16), f"Symbol of the {index} index.")


def window_column() -> sa.Column[Any]:
    """Return the column of the length of the window."""
    return parameter_column("window_days", sa.Integer(), "Sessions in the window.")


def timestamp_column(name: str, comment: str | None = None) -> sa.Column[Any]:
    """Return a timestamptz column with the current time as default."""
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment=comment,
    )


def provenance_columns() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Return the columns of a row's Dagster run and code version."""
    last_change = "that last changed the row. NULL: another program."
    return (
        optional_column("dagster_run_id", sa.String(36), f"Dagster run {last_change}"),
        optional_column("code_version", sa.String(64), f"Version of riskmetrics {last_change}"),
    )


def undefined_reason_column() -> sa.Column[Any]:
    """Return the column for the reason why values of a row are NULL."""
    comment = "Why figures of the row are NULL. NULL: all are defined."
    return optional_column("undefined_reason", sa.Text(), comment)


def figure_columns(table: str) -> list[sa.Column[Any]]:
    """Return the columns of a table's figures, as the catalog defines their units and NULLs."""
    return [
        sa.Column(
            figure.stored_column, _TYPES.get(figure.unit, sa.Double()), nullable=figure.is_nullable
        )
        for figure in figures_of(table)
    ]


def result_table(
    name: str,
    content: str,
    keys: Iterable[sa.Column[Any]],
    *others: sa.schema.SchemaItem,
    has_reason: bool = True,
) -> sa.Table:
    """Return a table of figures with the run that stored them.

    Parameters
    ----------
    name : str
        Name of the table in the catalog.
    content : str
        Comment of the table: what a row contains.
    keys : iterable of columns
        Columns before the figures.
    *others
        Columns of parameters and constraints. A column with the name of a figure replaces the one
        that the catalog defines.
    has_reason : bool
        Whether a row has a reason for its NULLs.
    """
    columns = {item.name: item for item in others if isinstance(item, sa.Column)}
    return sa.Table(
        name,
        metadata,
        *keys,
        *(columns.pop(column.name, column) for column in figure_columns(name)),
        *columns.values(),
        *([undefined_reason_column()] if has_reason else []),
        *provenance_columns(),
        *(item for item in others if not isinstance(item, sa.Column)),
        comment=content,
    )


def describe_figures() -> None:
    """Describe the columns of all figures by their records in the catalog.

    Columns of riskmetrics get a comment, those of the founding tables a ``doc``.
    """
    for figure in all_figures():
        table = metadata.tables[figure.table]
        column = table.c[figure.stored_column]
        text = figure.comment(is_nullable=bool(column.nullable))
        if table.comment or column.info is ADDED:
            column.comment = text
        else:
            column.doc = text
