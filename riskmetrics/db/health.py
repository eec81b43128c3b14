"""What a database says of itself and of how far its data go: facts to judge, nothing is changed."""

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from riskmetrics.db import read, stored, tables


class Server(NamedTuple):
    """The server, the database, and what the present role may do in it."""

    version: str
    encoding: str
    role: str
    read_only: bool
    """A standby, or transactions that only read by default."""
    may_copy: bool
    """Create temporary tables, through which every write goes."""
    may_migrate: bool
    """Create tables, and change those that there are."""
    excess: list[str]
    """Rights beyond owning tables, by which a query reaches the server's files, programs or other roles."""
    not_writable: list[str]
    """Tables that the role may not read, insert into, update and delete from."""


class Freshness(NamedTuple):
    """How far inputs and results go."""

    market_close: date | None
    """Last ended session on which the market index has a close."""
    n_held: int
    """Symbols held on it."""
    without_price: list[str]
    """Symbols held on it that have no close on it."""
    without_profile: list[str]
    """Symbols held on it of which it is not known what they are."""
    benchmark: date | None
    """Day that the newest benchmark weights describe."""
    results: stored.Sessions


_EXCESS = sa.text("""
    SELECT rolsuper AS superuser, rolcreaterole AS roles, rolreplication AS replication,
        pg_has_role(session_user, 'pg_execute_server_program', 'MEMBER') AS programs,
        pg_has_role(session_user, 'pg_write_server_files', 'MEMBER') AS written,
        pg_has_role(session_user, 'pg_read_server_files', 'MEMBER') AS read
    FROM pg_roles WHERE rolname = session_user
""")  # session_user, because whatever SET ROLE took away comes back with RESET ROLE
_EXCESS_WORDS = {
    "programs": "runs programs on the server",
    "written": "writes files on the server",
    "read": "reads files on the server",
    "roles": "creates roles",
    "replication": "replicates the server",
}


def server(connection: sa.Connection) -> Server:
    """Ask the server what it is, and what the role may do."""
    own: sa.BindParameter[list[str]] = sa.bindparam("names", list(tables.metadata.tables), expanding=True)
    rights = " AND ".join(f"has_table_privilege(oid, '{right}')" for right in ("SELECT", "INSERT", "UPDATE", "DELETE"))
    ours = "FROM pg_class WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relname IN :names"
    of_role = sa.text(
        "SELECT current_setting('server_version'), current_setting('server_encoding'), current_user, "
        "pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean, "
        "has_database_privilege(current_database(), 'TEMPORARY'), "
        f"coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AND NOT EXISTS (SELECT {ours} "  # fixed words
        "AND NOT pg_has_role(relowner, 'USAGE'))"
    ).bindparams(own)
    refused = sa.text(f"SELECT relname {ours} AND NOT ({rights}) ORDER BY relname").bindparams(own)  # fixed words
    version, encoding, role, read_only, may_copy, may_migrate = connection.execute(of_role).one()
    not_writable = list(connection.scalars(refused))
    version = version.partition(" ")[0]
    return Server(version, encoding, role, read_only, may_copy, may_migrate, excess_rights(connection), not_writable)


def excess_rights(connection: sa.Connection) -> list[str]:
    """Return what the role that logged in may do beyond the tables of its database, in words; empty: nothing."""
    found = connection.execute(_EXCESS).one()
    if found.superuser:
        return ["is a superuser"]
    words = found._asdict()
    return [_EXCESS_WORDS[name] for name in _EXCESS_WORDS if words[name]]


def freshness(connection: sa.Connection, market: str, benchmark_code: str) -> Freshness:
    """Compare what is stored with what is held; the schema must be at head."""
    last = read.last_close(connection, market)
    held = read.held_symbols(connection, last) if last else []
    prices, profiles = tables.market_data_cache, tables.company_profiles
    priced = set(connection.scalars(sa.select(prices.c.symbol).where(prices.c.symbol == read.any_of(held), prices.c.date == last)))
    known = set(connection.scalars(sa.select(profiles.c.symbol).where(profiles.c.symbol == read.any_of(held))))
    benchmark = read.latest_benchmark(connection, benchmark_code)
    without_price, without_profile = (sorted(set(held) - there) for there in (priced, known))
    newest = benchmark[0] if benchmark else None
    return Freshness(last, len(held), without_price, without_profile, newest, stored.sessions(connection))
