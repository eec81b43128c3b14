"""Metadata of all tables with its naming convention, and columns that several tables share."""

import sqlalchemy as sa

from riskmetrics.catalog import all_figures

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

PARAMETER = {"role": "parameter"}
"""`info` of a column that stores a parameter of the computation of a row."""

ADDED = {"role": "added"}
"""`info` of a figure's column that riskmetrics added to a founding table."""


def surrogate_key_column(comment: str | None = None) -> sa.Column[object]:
    """Return the uuid primary key of a table whose natural key is a unique constraint."""
    return sa.Column(
        "id",
        sa.Uuid,
        primary_key=True,
        server_default=sa.func.gen_random_uuid(),
        comment=comment,
    )


def portfolio_key_column() -> sa.Column[object]:
    """Return the column of the portfolio in a primary key."""
    return sa.Column(
        "portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True, comment="Portfolio."
    )


def day_key_column(comment: str = "Session.") -> sa.Column[object]:
    """Return the column of the session in a primary key."""
    return sa.Column("day", sa.Date, primary_key=True, comment=comment)


def timestamp_column(name: str, comment: str | None = None) -> sa.Column[object]:
    """Return a timestamptz column with the current time as default."""
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment=comment,
    )


def provenance_columns() -> tuple[sa.Column[object], sa.Column[object]]:
    """Return the columns of a row's Dagster run and code version."""
    return (
        sa.Column(
            "dagster_run_id",
            sa.String(36),
            comment="Dagster run that last changed the row. NULL: another program.",
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row. NULL: another program.",
        ),
    )


def undefined_reason_column() -> sa.Column[object]:
    """Return the column for the reason why values of a row are NULL."""
    return sa.Column(
        "undefined_reason",
        sa.Text,
        comment="Why figures of the row are NULL. NULL: all are defined.",
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
