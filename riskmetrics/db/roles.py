"""Database roles: their names, and the SQL that creates them in the embedded server.

Grants are in ``deploy/postgres/roles.sql``, which also sets up an external server with the same
privileges.
"""

import hashlib
from enum import StrEnum
from functools import cache

DATABASE = "riskmetrics"


class Role(StrEnum):
    """A database role; none is a superuser."""

    OWNER = "riskmetrics_owner"
    """Owns and migrates the tables."""
    WRITER = "riskmetrics_writer"
    """Reads and writes rows: for runs and imports."""
    READER = "riskmetrics_reader"
    """Reads rows: for commands that show results, and for users' queries."""


LOCK_TIMEOUT = "60s"
"""Maximum wait for a table in use by a process of another version."""

_TRANSFER_OWNERSHIP = f"""
ALTER DATABASE {DATABASE} OWNER TO {Role.OWNER};
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        WITH mine AS (
            SELECT 'pg_class'::regclass AS catalog, pg_class.oid, relnamespace AS schema
            FROM pg_class
            WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relowner = current_user::regrole
            UNION ALL
            SELECT 'pg_type'::regclass, pg_type.oid, typnamespace
            FROM pg_type
            LEFT JOIN pg_class ON pg_class.oid = typrelid
            WHERE typowner = current_user::regrole AND typelem = 0 AND typtype <> 'm'
                AND coalesce(relkind, 'c') = 'c'
            UNION ALL
            SELECT 'pg_proc'::regclass, oid, pronamespace
            FROM pg_proc WHERE proowner = current_user::regrole
            UNION ALL
            SELECT 'pg_namespace'::regclass, oid, oid
            FROM pg_namespace WHERE nspowner = current_user::regrole
        )
        SELECT format('ALTER %s %s OWNER TO {Role.OWNER}', object.type, object.identity)
        FROM mine
        JOIN pg_namespace ON pg_namespace.oid = mine.schema
        CROSS JOIN pg_identify_object(mine.catalog, mine.oid, 0) AS object
        WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
            AND NOT EXISTS ( -- objects of extensions, and sequences owned by a table
                SELECT FROM pg_depend
                WHERE classid = mine.catalog AND objid = mine.oid AND deptype IN ('e', 'a', 'i'))
        ORDER BY mine.catalog, mine.oid
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
"""  # noqa: S608  # constants only
"""Transfers objects of the superuser to the owner: older versions used only the superuser."""


@cache
def set_up_sql() -> str:
    """Return the SQL that creates roles and grants in the embedded server.

    A superuser runs it in the database ``riskmetrics``; it is idempotent and one transaction.
    """
    # Imported late: the command line imports this module before it needs settings.
    from riskmetrics.settings import bundled_path

    script = bundled_path("deploy/postgres/roles.sql").read_text(encoding="utf-8")
    shared = script.partition("-- BEGIN SHARED")[2].partition("-- END SHARED")[0]
    return f"SET lock_timeout = '{LOCK_TIMEOUT}'; --{shared}{_TRANSFER_OWNERSHIP}"


@cache
def set_up_digest() -> str:
    """Return a digest that identifies the version of `set_up_sql`."""
    return hashlib.sha256(set_up_sql().encode()).hexdigest()[:16]
