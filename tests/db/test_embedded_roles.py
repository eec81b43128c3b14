"""Roles of the embedded server: privileges, connections, and homes of the previous version."""

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from riskmetrics import folders
from riskmetrics.cli.database import read_transaction
from riskmetrics.cli.demo import load_sample
from riskmetrics.db import embedded, engine, migrate, tables, write
from riskmetrics.db.postgres_cluster import ROOT_SUBSTITUTE, SUPERUSER
from riskmetrics.db.roles import Role, set_up_digest, set_up_sql
from riskmetrics.errors import DatabaseError
from tests.commands import invoke
from tests.db.test_embedded import user
from tests.other_account import call_as

pytestmark = pytest.mark.integration

DENIED = errors.InsufficientPrivilege
ESCAPED = "/tmp/riskmetrics-test-escaped"
"""File that the attacks try to write."""

ATTACKS = [
    ("COPY (SELECT 1) TO PROGRAM 'touch {escaped}'", DENIED),
    ("COPY (SELECT 1) TO '{escaped}'", DENIED),
    ("COPY portfolios FROM '/etc/passwd'", DENIED),
    ("COPY portfolios FROM PROGRAM 'id'", DENIED),
    ("SELECT pg_read_file('/etc/passwd')", DENIED),
    ("SELECT pg_read_binary_file('postgresql.conf')", DENIED),
    ("SELECT pg_ls_dir('.')", DENIED),
    ("SELECT pg_stat_file('postgresql.conf')", DENIED),
    ("SELECT * FROM pg_hba_file_rules", DENIED),
    ("SELECT * FROM pg_authid", DENIED),
    ("SELECT lo_import('/etc/passwd')", DENIED),
    ("SELECT lo_export(1, '{escaped}')", DENIED),
    ("SELECT lo_create(0)", DENIED),
    ("SELECT lo_creat(-1)", DENIED),
    ("SELECT lo_from_bytea(0, 'x')", DENIED),
    ("SELECT pg_logical_emit_message(false, 'x', 'x')", DENIED),
    ("SELECT pg_terminate_backend({writer})", DENIED),
    ("SELECT pg_cancel_backend({writer})", DENIED),
    ("SELECT pg_terminate_backend({reader})", DENIED),
    ("SELECT pg_cancel_backend({reader})", DENIED),
    ("SELECT pg_reload_conf()", DENIED),
    ("SELECT pg_export_snapshot()", DENIED),
    ("SELECT pg_advisory_lock(1)", DENIED),
    ("SELECT pg_advisory_lock_shared(1, 2)", DENIED),
    ("SELECT pg_try_advisory_lock(1)", DENIED),
    ("SELECT pg_advisory_xact_lock(1, 2)", DENIED),
    ("SELECT pg_try_advisory_xact_lock_shared(1)", DENIED),
    ("SELECT set_config('role', 'riskmetrics_owner', false)", DENIED),
    ("SELECT set_config('role', 'riskmetrics', false)", DENIED),
    ("SELECT set_config('session_authorization', 'riskmetrics', false)", DENIED),
    ("SELECT set_config('temp_file_limit', '-1', false)", DENIED),
    ("SELECT * FROM portfolios FOR UPDATE", DENIED),
    ("SELECT 1 INTO TEMPORARY more", DENIED),
    ("SET ROLE riskmetrics_owner", DENIED),
    ("SET ROLE riskmetrics", DENIED),
    ("SET SESSION AUTHORIZATION riskmetrics", DENIED),
    ("SET temp_file_limit = -1", DENIED),
    ("SET log_min_messages = debug5", DENIED),
    ("ALTER ROLE riskmetrics_reader SET log_min_messages = debug5", DENIED),
    ("CREATE EXTENSION vector", DENIED),
    ("LOAD '/tmp/mine.so'", DENIED),
    ("LOAD '$libdir/plugins/../../../../../../tmp/mine.so'", DENIED),
    ("LOAD '$libdir/vector'", DENIED),
    ("SET session_preload_libraries = '/tmp/mine.so'", DENIED),
    ("ALTER ROLE riskmetrics_reader SET session_preload_libraries = '/tmp/mine.so'", DENIED),
    ("SET dynamic_library_path = '/tmp'", DENIED),
    ("ALTER DEFAULT PRIVILEGES FOR ROLE riskmetrics_owner GRANT ALL ON TABLES TO PUBLIC", DENIED),
    ("CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'", DENIED),
    ("CREATE TEMPORARY TABLE more (id integer)", DENIED),
    ("CREATE TABLE more (id integer)", DENIED),
    ("CREATE SCHEMA more", DENIED),
    ("CREATE ROLE more", DENIED),
    ("CREATE DATABASE more", DENIED),
    ("ALTER SYSTEM SET work_mem = '1GB'", DENIED),
    ("ALTER ROLE riskmetrics_reader SUPERUSER", DENIED),
    ("ALTER ROLE riskmetrics_owner PASSWORD 'x'", DENIED),
    ("GRANT riskmetrics_owner TO riskmetrics_reader", DENIED),
    ("DELETE FROM portfolios", DENIED),
    ("WITH gone AS (DELETE FROM portfolios RETURNING *) SELECT * FROM gone", DENIED),
    ("EXPLAIN ANALYZE DELETE FROM portfolios", DENIED),
    ("TRUNCATE portfolios", DENIED),
    ("DROP TABLE portfolios", DENIED),
    ("DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(9); EXCEPTION WHEN query_canceled THEN NULL; END;"
     " END LOOP; END $$", DENIED),
]  # fmt: skip
ONLY_THROUGH_SQL = [  # what Postgres lets every role do in its own session
    "CREATE EXTENSION dblink",  # not in the wheel's Postgres
    "LOCK TABLE portfolios IN ACCESS SHARE MODE",
    "RESET ROLE",
    "SET TRANSACTION READ WRITE",
    "SET statement_timeout = 0",
    "LISTEN runs",
    "NOTIFY runs",
    "PREPARE again AS SELECT 1",
    "DISCARD ALL",
    "ROLLBACK; DELETE FROM portfolios",
    "SELECT 1; COMMIT",
    "SELECT 1; SELECT 2",
    "ALTER ROLE riskmetrics_reader SET statement_timeout = 0",
    "ALTER ROLE riskmetrics_reader PASSWORD 'x'",
    "ALTER ROLE riskmetrics_reader SET local_preload_libraries = 'mine'",
    "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC",
]


def connect(url: str, **options: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True, **options)


@pytest.fixture(scope="module")
def home(fast_folder: Path) -> Path:
    return fast_folder / "roles"


@pytest.fixture(scope="module")
def shared(home: Path) -> Iterator[embedded.EmbeddedServer]:
    """Return a server at head with the sample data, as a user has it."""
    with embedded.connect_or_start(home, is_durable=False) as server:
        opened = engine.create_engine(server.url)
        migrate.ensure_head(opened)
        with opened.begin() as connection:
            load_sample(connection)
        opened.dispose()
        yield server
        if engine._embedded_server.cache_info().currsize:
            engine._embedded_server(home).release()
        engine._embedded_server.cache_clear()


@pytest.fixture
def others(shared: embedded.EmbeddedServer) -> Iterator[dict[str, int]]:
    """Return the pids of connected sessions of a writer and another reader."""
    with ExitStack() as opened:
        roles = {"writer": Role.WRITER, "reader": Role.READER}
        urls = {name: shared.database_url(role=role) for name, role in roles.items()}
        yield {
            name: opened.enter_context(connect(url)).info.backend_pid for name, url in urls.items()
        }


@pytest.fixture
def sql(shared: embedded.EmbeddedServer, home: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that calls `riskmetrics db sql` on the server."""
    monkeypatch.setenv("RISKMETRICS_HOME", str(home))
    return lambda *arguments: invoke("db", "sql", *arguments)


@pytest.fixture
def escaped() -> Iterator[Path]:
    Path(ESCAPED).unlink(missing_ok=True)
    yield Path(ESCAPED)
    Path(ESCAPED).unlink(missing_ok=True)


@pytest.mark.parametrize(("attack", "error"), ATTACKS)
def test_a_reader_that_lifts_its_own_limits_is_still_refused(
    shared, others, escaped, attack, error
):
    options = "-c default_transaction_read_only=off -c statement_timeout=0"
    with (
        connect(shared.database_url(role=Role.READER), options=options) as connection,
        pytest.raises(error),
    ):
        connection.execute(attack.format(escaped=escaped, **others))
    assert not escaped.exists()


@pytest.mark.parametrize("attack", [*(attack for attack, _ in ATTACKS), *ONLY_THROUGH_SQL])
def test_db_sql_refuses_whatever_is_not_one_query_that_reads(shared, others, escaped, sql, attack):
    result = sql(attack.format(escaped=escaped, **others))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("riskmetrics: The query failed: ")
    assert not escaped.exists()
    with connect(shared.url) as connection:
        assert connection.execute("SELECT count(*) FROM portfolios").fetchone() == (3,)
        alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s)"
        assert connection.execute(alive, [list(others.values())]).fetchone() == (2,)
        assert connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        ).fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        # a warning for each row
        "SELECT count(pg_advisory_unlock(1)) FROM generate_series(1, 1000)",
        "SELECT repeat('x', 100000)::integer",  # an error that quotes it
        "SET debug_print_plan = on; SELECT 1",
    ],
)
def test_a_reader_does_not_fill_the_disk_by_the_log(shared, home, statement):
    log = home / "postgres.log"
    with connect(shared.database_url(role=Role.READER)) as connection:
        connection.execute("SELECT 1")
        before = log.stat().st_size
        with suppress(errors.InvalidTextRepresentation):
            connection.execute(statement)
    assert log.stat().st_size == before


def test_a_reader_loads_no_library_of_its_own(shared):
    """A session may name a library, which Postgres loads from one folder only."""
    options = "-c local_preload_libraries="
    for library in ("/tmp/mine.so", "../../../../../../tmp/mine.so", "../vector"):
        with pytest.raises(psycopg.OperationalError, match=r"access to library .* is not allowed"):
            connect(shared.database_url(role=Role.READER), options=options + library)
    missing = r'could not access file "\$libdir/plugins/mine"'
    with pytest.raises(psycopg.OperationalError, match=missing):
        connect(shared.database_url(role=Role.READER), options=options + "mine")
    plugins = shared._cluster.binaries.parent / "lib/postgresql/plugins"
    for folder in (plugins, plugins.parent, plugins.parent.parent, plugins.parent.parent.parent):
        if folder.exists():
            assert stat.S_IMODE(folder.stat().st_mode) & 0o022 == 0
            assert folder.stat().st_uid in {0, os.geteuid()}


def test_a_default_with_which_no_reader_can_connect_can_be_removed(shared):
    url = shared.database_url(role=Role.READER)
    writable = "-c default_transaction_read_only=off"
    library = "ALTER ROLE riskmetrics_reader {} local_preload_libraries {}"
    with connect(url, options=writable) as connection:
        connection.execute(library.format("SET", "= 'mine'"))
    with pytest.raises(psycopg.OperationalError, match="plugins/mine"):
        connect(url)
    with connect(url, options=f"-c local_preload_libraries= {writable}") as connection:
        connection.execute(library.format("RESET", ""))
    connect(url).close()


def test_the_own_default_privileges_of_a_reader_open_nothing(shared):
    with connect(shared.database_url(role=Role.READER)) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC")
        schema = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO PUBLIC"
        connection.execute(schema)
    with connect(shared.url) as connection:
        connection.execute("CREATE TABLE later (id integer)")
        grants = (
            "SELECT grantee FROM information_schema.role_table_grants WHERE table_name = 'later'"
        )
        assert {row[0] for row in connection.execute(grants)} == set(Role)
        connection.execute("DROP TABLE later")


def test_notifications_that_nobody_reads_take_little_of_the_disk(shared):
    urls = [shared.database_url(role=Role.READER)] * 2
    with connect(urls[0]) as listener, connect(urls[1]) as connection:
        listener.execute("LISTEN runs; BEGIN; SELECT 1")
        with pytest.raises(errors.ProgramLimitExceeded):
            connection.execute(
                "SELECT count(pg_notify('runs', repeat('x', 7900) || i)) FROM generate_series(1,"
                " 2000) AS i"
            )


@pytest.mark.parametrize(
    "query",
    ["SELECT pg_sleep(60)", "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)"],
)
def test_a_query_ends_at_its_limit_and_the_user_learns_how_to_raise_it(sql, query):
    result = sql(query, "--timeout", "1")
    assert result.exit_code == 1
    assert "The limit is 1 seconds: raise --timeout" in result.stderr


def test_a_query_runs_as_the_reader_and_sees_no_query_of_others(shared, others, sql):
    row = sql(
        "SELECT session_user AS who, current_setting('temp_file_limit') AS disk", "--format", "csv"
    )
    assert row.stdout == "who,disk\nriskmetrics_reader,4GB\n"
    assert row.stderr == ""
    seen = sql(
        f"SELECT query FROM pg_stat_activity WHERE pid = {others['writer']}", "--format", "csv"
    )
    assert "insufficient privilege" in seen.stdout
    for query in (
        "TABLE portfolios",
        "VALUES (1, 2)",
        "WITH one AS (SELECT 1 AS a) SELECT a FROM one",
    ):
        assert sql(query).exit_code == 0


def test_the_limits_of_a_reader_do_not_end_a_long_report(shared, home, monkeypatch):
    monkeypatch.setenv("RISKMETRICS_HOME", str(home))
    limits = (
        "SELECT current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout')"
    )
    with read_transaction() as connection:
        assert connection.execute(sa.text(limits)).one() == ("0", "0")
        with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
            connection.execute(sa.text("CREATE TABLE more (id integer)"))
    with connect(shared.database_url(role=Role.READER)) as bare:
        assert bare.execute(limits).fetchone() == ("30s", "30s")


@pytest.mark.parametrize("name", ["postgres", "template1"])
@pytest.mark.parametrize("role", list(Role))
def test_there_is_no_way_around_through_another_database(shared, name, role):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(shared.database_url(name, role))


def test_nobody_connects_as_the_superuser(shared):
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
        connect(shared.database_url(role=SUPERUSER))


def test_no_role_of_clients_is_a_superuser_or_a_member_of_another(shared):
    with connect(shared.url) as connection:
        rights = (
            "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR"
            " rolbypassrls FROM pg_roles"
        )
        found = dict(
            connection.execute(f"{rights} WHERE rolname LIKE 'riskmetrics\\_%'").fetchall()
        )
        assert found == dict.fromkeys(Role, False)
        members = (
            "SELECT count(*) FROM pg_auth_members WHERE member::regrole::text LIKE"
            " 'riskmetrics\\_%'"
        )
        assert connection.execute(members).fetchone() == (0,)


PLANTED = [
    ("=", "oid, integer"),
    ("=", "oid, regnamespace"),
    ("=", "oid, regrole"),
    ("~", "name, name"),
]
"""Operators that match the comparisons of the set-up better than those of Postgres."""


def test_the_owner_does_not_get_the_superusers_rights_when_the_roles_are_made_again(shared):
    with connect(shared.url) as connection:
        connection.execute("CREATE TABLE loot (who text)")
        connection.execute("GRANT INSERT ON loot TO PUBLIC")
        for number, (operator, types) in enumerate(PLANTED):
            body = f"INSERT INTO public.loot VALUES (session_user) RETURNING {number} = 0"
            left, right = types.split(", ")
            connection.execute(
                f"CREATE FUNCTION planted_{number}({types}) RETURNS boolean LANGUAGE sql AS"
                f" '{body}'"
            )
            connection.execute(
                f"CREATE OPERATOR {operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION ="
                f" planted_{number})"
            )
        try:
            with shared._cluster.superuser_connection() as superuser:
                superuser.execute(set_up_sql().encode())
            assert connection.execute("SELECT DISTINCT who FROM loot").fetchall() == []
        finally:
            for number in range(len(PLANTED)):
                connection.execute(f"DROP FUNCTION planted_{number} CASCADE")
            connection.execute("DROP TABLE loot")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a stand-in")
@pytest.mark.parametrize("role", [*Role, SUPERUSER])
def test_the_account_that_runs_the_server_for_root_may_not_connect(shared, role):
    """Otherwise functions such as dblink could connect back to the server."""
    data = shared._cluster.data  # its owner may not walk there, and uses the folder it stands in
    address = f"host=/proc/self/cwd port=5432 dbname=riskmetrics user={role}"
    change = f"os.setuid({data.stat().st_uid})"
    refused = subprocess.run(
        [sys.executable, "-c", f"import os, psycopg; {change}; psycopg.connect({address!r})"],
        cwd=data,
        check=False,
        capture_output=True,
        text=True,
    )
    reason = "rejects connection" if role == SUPERUSER else "Peer authentication failed"
    assert refused.returncode == 1
    assert reason in refused.stderr, refused.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a stand-in")
def test_other_programs_of_the_account_that_runs_the_server_for_root_do_not_reach_its_files(shared):
    data, group = shared._cluster.data, pwd.getpwnam("nobody").pw_gid
    server = (data / "postmaster.pid").read_text().split()[0]
    places = (data / "pg_hba.conf", f"/proc/{server}/cwd/pg_hba.conf", f"/proc/{server}/fd/1")
    for place in places:
        refused = subprocess.run(
            ["cat", place],
            check=False,
            capture_output=True,
            text=True,
            user="nobody",
            group=group,
            extra_groups=[],
        )
        assert "Permission denied" in refused.stderr, (place, refused.stdout)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a stand-in")
def test_no_account_of_the_machine_can_end_the_server_of_root(shared):
    server = int((shared._cluster.data / "postmaster.pid").read_text().split()[0])
    with pytest.raises(KeyError):
        pwd.getpwuid(Path(f"/proc/{server}").stat().st_uid)
    assert call_as("nobody", lambda: os.kill(server, 0)).startswith("PermissionError")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a stand-in")
def test_what_a_parallel_query_shares_belongs_to_no_account(shared, fast_folder):
    """Any program of that account could read the rows in the shared memory."""
    server = (shared._cluster.data / "postmaster.pid").read_text().split()[0]
    mapped = Path(f"/proc/{server}/maps").read_text().split()
    segments = {Path(path).stat() for path in mapped if path.startswith("/dev/shm/PostgreSQL.")}
    owners = {(status.st_uid, stat.S_IMODE(status.st_mode)) for status in segments}
    assert owners == {(ROOT_SUBSTITUTE, 0o600)}


def test_the_writer_takes_statistics_of_a_table_that_it_filled(shared):
    """Postgres skips statistics with a warning if the role has no privilege."""
    opened = engine.create_engine(shared.database_url(role=Role.WRITER))
    with opened.begin() as connection:
        write.analyze(connection, tables.market_data_cache, 10_000)
        known, counted = connection.execute(
            sa.text(
                "SELECT reltuples, (SELECT count(*) FROM market_data_cache) FROM pg_class WHERE"
                " relname = 'market_data_cache'"
            )
        ).one()
    opened.dispose()
    assert known == counted > 0


SHOWS = [
    "show betas", "show insights", "report --out page.html", "status",
    "explain Long-Short hhi --date 2022-12-28", "compare --from 2022-12-27 --to 2022-12-28",
    "export tables", "portfolio list", "db current", "db setting market_index",
    "db sql TABLE(portfolios)", "ai budget", "show model",
]  # fmt: skip


@pytest.fixture(scope="module")
def connections(shared: embedded.EmbeddedServer, home: Path):
    """Return a function that returns the roles that connected since its last call."""
    with shared._cluster.superuser_connection() as connection:
        connection.execute("ALTER SYSTEM SET log_connections = 'authorization'")
    log = home / "postgres.log"
    read_until = 0

    def connections() -> set[str]:
        nonlocal read_until
        lines = log.read_bytes()[read_until:]
        read_until += len(lines)
        return {
            line.partition(b"user=")[2].split()[0].decode()
            for line in lines.splitlines()
            if b"connection authorized" in line
        }

    engine._embedded_server(home)  # asks whether the server answers, once in a process
    connections()
    connect(shared.url).close()
    assert connections() == {Role.OWNER}
    return connections


@pytest.mark.parametrize("command", SHOWS)
def test_what_shows_connects_as_the_reader_alone(connections, home, monkeypatch, command):
    monkeypatch.setenv("RISKMETRICS_HOME", str(home))
    connections()
    result = invoke(*command.split())
    assert result.exit_code in {0, 1}, result.output  # there may be no results to show
    assert connections() == {Role.READER}


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("db upgrade", Role.OWNER),
        ("db verify", Role.WRITER),
        ("db setting rate_index TLT", Role.WRITER),
        ("doctor", Role.WRITER),
    ],
)
def test_what_writes_connects_as_the_writer_and_migrations_as_the_owner(
    connections, home, monkeypatch, command, role
):
    monkeypatch.setenv("RISKMETRICS_HOME", str(home))
    connections()
    assert invoke(*command.split()).exit_code == 0
    assert connections() == {role}


@pytest.mark.parametrize("role", ["owner", "writer", "reader"])
def test_the_url_for_other_clients_names_the_role_that_was_asked_for(
    shared, home, monkeypatch, role
):
    monkeypatch.setenv("RISKMETRICS_HOME", str(home))
    url = invoke("db", "url", "--role", role).stdout.strip()
    with connect(url) as connection:
        assert connection.execute("SELECT session_user").fetchone() == (f"riskmetrics_{role}",)
    assert invoke("db", "url").stdout.startswith("postgresql://riskmetrics_reader@")


def superuser_url(home: Path) -> str:
    return f"postgresql+psycopg://riskmetrics@/riskmetrics?host={home / 'postgres/data'}&port=5432"


def start_as_before(home: Path) -> None:
    """Start the server of a home as version 0.1 did, with the superuser as the only role."""
    cluster = embedded._resolve_cluster(home, is_durable=False)
    (cluster.data / "pg_hba.conf").write_text("local all all peer map=riskmetrics\n")
    accounts = {"root", pwd.getpwuid(cluster.data.stat().st_uid).pw_name}
    (cluster.data / "pg_ident.conf").write_text(
        "".join(f'riskmetrics "{name}" riskmetrics\n' for name in accounts)
    )
    options = ("listen_addresses=", "unix_socket_directories=.", "port=5432", "fsync=off")
    arguments = ("-w", "-o", " ".join(f"-c {option}" for option in options))
    with folders.open_private_file(home / "postgres" / "running.lock") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        cluster.run_tool("pg_ctl", "start", *arguments, inherited_fds=(running.fileno(),))


@pytest.fixture(scope="module")
def first_old_home(fast_folder: Path) -> Path:
    """Return a stopped home of version 0.1: the superuser owns everything, also user tables."""
    home = fast_folder / "old"
    (home / "postgres").mkdir(parents=True, mode=0o700)
    cluster = embedded._resolve_cluster(home, is_durable=False)
    cluster.initialize()
    start_as_before(home)
    opened = engine.create_engine(superuser_url(home))
    migrate.ensure_head(opened)
    with opened.begin() as connection:
        load_sample(connection)
        for statement in OF_THE_USER:
            connection.execute(sa.text(statement))
    opened.dispose()
    cluster.stop()
    return home


@pytest.fixture
def old_home(first_old_home: Path, fast_folder: Path) -> Iterator[Path]:
    """Return a home of version 0.1 with a running server."""
    home = fast_folder / "upgraded"
    subprocess.run(["cp", "--archive", str(first_old_home), str(home)], check=True)
    start_as_before(home)
    yield home
    embedded._resolve_cluster(home, is_durable=False).stop()
    shutil.rmtree(home)


OF_THE_USER = [
    "CREATE SCHEMA mine",
    "CREATE TYPE mine.mood AS ENUM ('good', 'bad')",
    "CREATE TYPE mine.pair AS (a integer, b integer)",
    "CREATE DOMAIN mine.share AS numeric CHECK (VALUE <= 1)",
    "CREATE TABLE mine.\"My notes\" (id serial PRIMARY KEY,"
    " other integer GENERATED ALWAYS AS IDENTITY, mood mine.mood)",
    "CREATE SEQUENCE mine.numbers",
    "CREATE VIEW mine.v_notes AS SELECT * FROM mine.\"My notes\"",
    "CREATE MATERIALIZED VIEW mine.m_notes AS SELECT * FROM mine.\"My notes\"",
    "CREATE FUNCTION mine.one(integer, text DEFAULT 'x') RETURNS integer"
    " LANGUAGE sql AS 'SELECT 1'",
]  # fmt: skip

LEFT_BEHIND = """
    SELECT count(*) FROM (
        SELECT relowner AS owner, relnamespace AS schema FROM pg_class
        UNION ALL SELECT typowner, typnamespace FROM pg_type
        UNION ALL SELECT proowner, pronamespace FROM pg_proc
        UNION ALL SELECT nspowner, oid FROM pg_namespace
    ) AS objects JOIN pg_namespace ON pg_namespace.oid = schema
    WHERE owner = 'riskmetrics'::regrole
        AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""


def assert_upgraded(server: embedded.EmbeddedServer) -> None:
    with connect(server.url) as connection:
        assert connection.execute(LEFT_BEHIND).fetchone() == (0,)
        connection.execute("ALTER TABLE portfolios ADD COLUMN more integer")
        connection.execute("ALTER TABLE portfolios DROP COLUMN more")
        connection.execute("CREATE TABLE newer (id integer)")
        connection.execute("DROP TABLE newer")
    for role in (Role.WRITER, Role.READER):
        with connect(server.database_url(role=role)) as connection:
            assert connection.execute("SELECT count(*) FROM portfolios").fetchone() == (3,)
    with connect(server.database_url(role=Role.WRITER)) as connection:
        connection.execute("UPDATE portfolios SET currency = currency")
    with pytest.raises(psycopg.OperationalError):
        connect(server.database_url(role=SUPERUSER))


def test_a_home_of_the_version_before_is_upgraded_when_its_server_starts(old_home):
    embedded._resolve_cluster(old_home, is_durable=False).stop()
    with embedded.connect_or_start(old_home, is_durable=False) as server:
        assert_upgraded(server)
    access = old_home / "postgres/data/pg_hba.conf"
    written = access.stat().st_mtime_ns
    with (
        embedded.connect_or_start(old_home, is_durable=False) as server,
        embedded.connect_or_start(old_home, is_durable=False),
    ):
        assert_upgraded(server)
    assert access.stat().st_mtime_ns == written


def test_a_home_of_the_version_before_is_upgraded_while_its_server_runs(old_home):
    with embedded.connect_or_start(old_home, is_durable=False) as server:
        assert_upgraded(server)


def test_four_processes_at_once_upgrade_a_home_once(old_home):
    embedded._resolve_cluster(old_home, is_durable=False).stop()
    log = old_home / "postgres.log"
    reloads = log.read_text().count("received SIGHUP")
    with ExitStack() as users:
        for process in [users.enter_context(user(old_home)) for _ in range(4)]:
            assert process.stdout.readline() == "ready\n"
        assert log.read_text().count("received SIGHUP") == reloads + 2
        with embedded.connect_or_start(old_home, is_durable=False) as server:
            assert_upgraded(server)


def test_a_home_that_the_version_before_used_again_is_upgraded_again(old_home):
    """The old version overwrites the access files, and its tables belong to the superuser."""
    with embedded.connect_or_start(old_home, is_durable=False) as server:
        cluster = server._cluster
        with cluster.superuser_connection() as connection:
            connection.execute("CREATE TABLE later (id integer)")
    (cluster.data / "pg_hba.conf").write_text("local all all peer map=riskmetrics\n")
    with embedded.connect_or_start(old_home, is_durable=False) as server:
        assert_upgraded(server)
        with connect(server.database_url(role=Role.READER)) as connection:
            assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_a_process_of_the_version_before_that_holds_a_table_is_named_as_the_cause(
    old_home, monkeypatch
):
    monkeypatch.setattr("riskmetrics.db.roles.LOCK_TIMEOUT", "100ms")
    set_up_sql.cache_clear(), set_up_digest.cache_clear()
    with connect(superuser_url(old_home)) as connection, connection.transaction():
        connection.execute("SELECT count(*) FROM portfolios")
        with pytest.raises(
            DatabaseError, match="stop other riskmetrics processes that use it and retry"
        ):
            embedded.connect_or_start(old_home, is_durable=False)
    set_up_sql.cache_clear(), set_up_digest.cache_clear()
    with embedded.connect_or_start(old_home, is_durable=False) as server:
        assert_upgraded(server)
