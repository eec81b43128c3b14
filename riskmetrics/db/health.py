"""Read the state of a database for `riskmetrics doctor`: server, privileges, data freshness."""

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from riskmetrics.db import input_queries, storage_overview, stored_prices, tables
from riskmetrics.db.sql_expressions import any_of


class ServerInfo(NamedTuple):
    """Server, database, and privileges of the current role."""

    version: str
    encoding: str
    role: str
    is_read_only: bool
    """True on a standby, or if transactions are read-only by default."""
    has_temp_privilege: bool
    """May create temporary tables, which every write uses."""
    has_migrate_privilege: bool
    """May create tables and alter the existing ones."""
    excess_rights: list[str]
    """Privileges on the server's files, programs or other roles, which a query could use."""
    unwritable_tables: list[str]
    """Tables on which SELECT, INSERT, UPDATE or DELETE is not granted."""


class Freshness(NamedTuple):
    """Latest inputs and results."""

    last_market_session: date | None
    """Last completed session on which the market index has a close."""
    n_held: int
    """Number of symbols held on that session."""
    symbols_without_price: list[str]
    """Symbols held on that session without a close on it."""
    symbols_without_profile: list[str]
    """Symbols held on that session without a company profile."""
    benchmark_day: date | None
    """As-of date of the latest benchmark weights."""
    stored_sessions: storage_overview.StoredSessions


_EXCESS_RIGHTS_QUERY = sa.text("""
    SELECT rolsuper AS superuser, rolcreaterole AS roles, rolreplication AS replication,
        pg_has_role(session_user, 'pg_execute_server_program', 'MEMBER') AS programs,
        pg_has_role(session_user, 'pg_write_server_files', 'MEMBER') AS written,
        pg_has_role(session_user, 'pg_read_server_files', 'MEMBER') AS read
    FROM pg_roles WHERE rolname = session_user
""")  # session_user, because RESET ROLE restores the rights that SET ROLE removed
_EXCESS_RIGHT_LABELS = {
    "programs": "runs programs on the server",
    "written": "writes files on the server",
    "read": "reads files on the server",
    "roles": "creates roles",
    "replication": "replicates the server",
}


def read_server_info(connection: sa.Connection) -> ServerInfo:
    """Return version, encoding and role of the server, and the privileges of the role."""
    table_names: sa.BindParameter[list[str]] = sa.bindparam(
        "names", list(tables.metadata.tables), expanding=True
    )
    rights = " AND ".join(
        f"has_table_privilege(oid, '{right}')" for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
    )
    from_own_tables = (
        "FROM pg_class WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relname IN"
        " :names"
    )
    privileges_query = sa.text(
        "SELECT current_setting('server_version'), current_setting('server_encoding'),"
        " current_user, "
        "pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean, "
        "has_database_privilege(current_database(), 'TEMPORARY'), "
        # constants only
        "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AND NOT EXISTS (SELECT"
        f" {from_own_tables} "
        "AND NOT pg_has_role(relowner, 'USAGE'))"
    ).bindparams(table_names)
    unwritable_query = sa.text(
        f"SELECT relname {from_own_tables} AND NOT ({rights}) ORDER BY relname"
    ).bindparams(table_names)  # constants only
    version, *properties = connection.execute(privileges_query).one()
    unwritable_tables = list(connection.scalars(unwritable_query))
    excess_rights = list_excess_rights(connection)
    return ServerInfo._make(
        [version.partition(" ")[0], *properties, excess_rights, unwritable_tables]
    )


def list_excess_rights(connection: sa.Connection) -> list[str]:
    """Return the privileges of the session user beyond the tables of the database, as phrases."""
    found = connection.execute(_EXCESS_RIGHTS_QUERY).one()
    if found.superuser:
        return ["is a superuser"]
    flags = found._asdict()
    return [_EXCESS_RIGHT_LABELS[name] for name in _EXCESS_RIGHT_LABELS if flags[name]]


def read_freshness(connection: sa.Connection, market_index: str, benchmark_code: str) -> Freshness:
    """Compare stored prices, profiles and benchmark weights with the holdings.

    The schema must be at head.
    """
    last_session = input_queries.read_last_close_date(connection, market_index)
    held = input_queries.read_held_symbols(connection, last_session) if last_session else []
    prices = tables.market_data_cache
    on_session = (prices.c.symbol == any_of(held), prices.c.date == last_session)
    priced = connection.scalars(sa.select(prices.c.symbol).where(*on_session))
    profiled = stored_prices.read_symbols_with_profile(connection, held)
    benchmark = input_queries.read_latest_benchmark(connection, benchmark_code)
    return Freshness(
        last_session,
        len(held),
        sorted(set(held).difference(priced)),
        sorted(set(held) - profiled),
        None if benchmark.empty else benchmark["asof_date"].iloc[0].date(),
        storage_overview.read_stored_sessions(connection),
    )
