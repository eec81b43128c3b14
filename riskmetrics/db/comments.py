"""Write the comments of tables and columns into the database, as `db.tables` states them.

Revisions contain no comments: those of figures follow from their records in the catalog, whose
texts may change without a revision.
"""

import sqlalchemy as sa

from riskmetrics.db.tables import metadata

_STORED_COMMENTS = sa.text("""
    SELECT relname, attname, description
    FROM pg_class
        LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_description
            ON objoid = pg_class.oid AND classoid = 'pg_class'::regclass AND objsubid = attnum
    WHERE relkind IN ('r', 'p') AND pg_table_is_visible(pg_class.oid) AND relname = ANY(:tables)
    UNION ALL
    SELECT relname, '', obj_description(oid, 'pg_class') FROM pg_class
    WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relname = ANY(:tables)
""")
"""Tables and columns with their comments; the column of a table's own comment is ''."""


def write_comments(connection: sa.Connection) -> int:
    """Write the comments that differ from those of the code; return their number.

    Only tables and columns that exist get a comment, and a comment that the code does not state is
    kept: after an upgrade to an earlier revision some are missing, and other programs add columns.
    """
    rows = connection.execute(_STORED_COMMENTS, {"tables": [*metadata.tables]})
    stored = {(table, column): comment for table, column, comment in rows}
    changes: list[sa.schema.SetTableComment | sa.schema.SetColumnComment] = []
    for table in metadata.tables.values():
        if _differs(table.comment, stored, (table.name, "")):
            changes.append(sa.schema.SetTableComment(table))
        changes += [
            sa.schema.SetColumnComment(column)
            for column in table.c
            if _differs(column.comment, stored, (table.name, column.name))
        ]
    for change in changes:
        connection.execute(change)
    return len(changes)


def _differs(
    comment: str | None, stored: dict[tuple[str, str], str | None], key: tuple[str, str]
) -> bool:
    return comment is not None and key in stored and stored[key] != comment
