"""Column types and descriptions of the tables that assets write, for Dagster's UI."""

import dagster as dg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from riskmetrics.dagster_private import RawMetadataValue

_POSTGRES_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

_COMMON_COLUMN_DOCS = {
    "id": "Surrogate key.",
    "portfolio_id": "Id in portfolios.",
    "position_id": "Id in positions: a lot.",
    "symbol": "Ticker in its normal form, such as BRK-B or VOD.L.",
    "data_source": "Source: vendor or file.",
    "created_at": "When the row was first written.",
    "updated_at": "When the row was last changed.",
}
"""Descriptions of columns that are the same in every table, unless the table has its own."""


def table_metadata(table: sa.Table, *further_tables: sa.Table) -> dict[str, RawMetadataValue]:
    """Return an asset's metadata: its table's name and columns, and those of further tables."""
    others: dict[str, RawMetadataValue] = {
        f"columns of {other.name}": _table_schema(other) for other in further_tables
    }
    return {
        "dagster/table_name": str(table.name),
        "dagster/column_schema": _table_schema(table),
        **others,
    }


def _table_schema(table: sa.Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type.compile(dialect=_POSTGRES_DIALECT).lower(),
                description=column.comment or column.doc or _COMMON_COLUMN_DOCS.get(column.name),
                constraints=dg.TableColumnConstraints(
                    nullable=bool(column.nullable), unique=bool(column.unique)
                ),
            )
            for column in table.columns
        ],
        constraints=dg.TableConstraints(other=[table.comment] if table.comment else []),
    )
