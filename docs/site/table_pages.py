"""Data dictionary: tables and columns with their types, comments and formulas."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from docs.site.figures import describe_figure
from docs.site.markdown import as_code, build_table, escape_cell, link_to_heading
from riskmetrics.db.tables import metadata

_INTRODUCTION = """# Data dictionary

After reading this page you know each column of each table: its type, whether it may be NULL, what
it contains, and the formula of a computed figure. [Tables](tables.md) gives an overview by purpose,
the [methodology](../explanation/methodology/README.md) windows, minimums and sources.

Formulas are those that `riskmetrics explain` prints and recalculates. Losses are positive; weights,
returns and volatilities are fractions.

"""


_UNCOMMENTED = {
    "created_at": "Time at which the row was inserted.",
    "updated_at": "Time at which the row was last changed.",
    "data_source": "Origin of the row: the vendor, a file or the sample.",
}
"""Columns of many tables without a comment of their own."""


def build_tables_page() -> str:
    """Return the page: one section for each table, in alphabetical order."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    index = ", ".join(link_to_heading(table.name) for table in tables)
    return _INTRODUCTION + f"{index}\n\n" + "\n".join(map(_build_section, tables))


def _build_section(table: sa.Table) -> str:
    comment = f"{escape_cell(table.comment)}\n\n" if table.comment else ""
    rows = [
        (
            as_code(column.name),
            as_code(column.type.compile(postgresql.dialect()))
            + ("" if column.nullable else " not NULL"),
            _describe(column),
        )
        for column in table.columns
    ]
    columns = build_table(("column", "type", "content"), rows)
    return f"## {table.name}\n\n{comment}{_describe_keys(table)}\n\n{columns}"


def _describe_keys(table: sa.Table) -> str:
    """Return the keys of a table, the natural one before a surrogate one."""
    keys = [
        list(constraint.columns.keys())
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    ]
    primary = list(table.primary_key.columns.keys())
    keys.insert(len(keys) if primary == ["id"] else 0, primary)
    return "Key: " + "; also unique: ".join(", ".join(map(as_code, key)) for key in keys) + "."


def _describe(column: "sa.Column[object]") -> str:
    """Return the definition of a figure; of another column its content and what it refers to."""
    figure = describe_figure(column.table.name, column.name, is_nullable=bool(column.nullable))
    if figure:
        return figure
    parts = [escape_cell(column.comment or column.doc or _UNCOMMENTED.get(column.name, ""))]
    parts += [f"Refers to {link_to_heading(key.column.table.name)}." for key in column.foreign_keys]
    if column.primary_key and column.name == "id":
        parts.append("Identifier of the row.")
    return " ".join(filter(None, parts))
