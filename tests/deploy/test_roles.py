"""Privileges of owner, writer and reader as created by roles.sql."""

from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from riskmetrics.cli.demo import load_sample
from riskmetrics.db.engine import create_engine
from tests.deploy.conftest import CHECKOUT, Postgres, riskmetrics

WRITABLE = "SET default_transaction_read_only = off; COMMIT"
"""Statement by which a role changes its own default."""


def test_the_owner_migrates_the_writer_runs_and_the_reader_reads(
    postgres: Postgres, tmp_path: Path
) -> None:
    owner, writer, reader = (postgres.url(role) for role in ("owner", "writer", "reader"))
    refused = riskmetrics("run", "--date", "2022-12-28", url=writer, home=tmp_path, code=6)
    assert (
        "permission denied for schema public: run `riskmetrics db upgrade` as the owner of the"
        " tables" in refused
    )
    riskmetrics("db", "upgrade", url=owner, home=tmp_path)
    engine = create_engine(writer)
    with engine.begin() as connection:
        load_sample(connection)
    engine.dispose()
    riskmetrics("run", "--date", "2022-12-28", "--offline", url=writer, home=tmp_path)
    riskmetrics("db", "verify", url=writer, home=tmp_path)
    assert "Long-Short" in riskmetrics(
        "show", "betas", "--date", "2022-12-28", url=reader, home=tmp_path
    )
    for table in ("positions", "v_portfolio_risk_latest"):
        with psycopg.connect(reader) as connection:
            assert connection.execute(f"SELECT count(*) > 0 FROM {table}").fetchone() == (True,)
    for url, statement in (
        (reader, f"{WRITABLE}; DELETE FROM positions"),
        (writer, "TRUNCATE positions"),
        (writer, "DROP TABLE positions"),
    ):
        with pytest.raises(InsufficientPrivilege), psycopg.connect(url) as connection:
            connection.execute(statement)


CREATE, CREATE_TEMP = "CREATE TABLE more (id integer)", "CREATE TEMP TABLE more (id integer)"


@pytest.mark.parametrize(
    ("role", "database", "statement", "error"),
    [
        ("writer", "riskmetrics", CREATE, InsufficientPrivilege),
        ("writer", "riskmetrics", "CREATE SCHEMA more", InsufficientPrivilege),
        ("reader", "riskmetrics", CREATE, ReadOnlySqlTransaction),
        ("reader", "riskmetrics", f"{WRITABLE}; {CREATE}", InsufficientPrivilege),
        ("reader", "riskmetrics", f"{WRITABLE}; {CREATE_TEMP}", InsufficientPrivilege),
        ("reader", "riskmetrics", "SELECT pg_advisory_lock(1)", InsufficientPrivilege),
        ("reader", "riskmetrics", "SELECT pg_try_advisory_xact_lock(1)", InsufficientPrivilege),
        ("reader", "riskmetrics", "SELECT pg_terminate_backend(1)", InsufficientPrivilege),
        ("reader", "riskmetrics", f"{WRITABLE}; SELECT lo_create(0)", InsufficientPrivilege),
        ("reader", "riskmetrics", "DO $$ BEGIN END $$", InsufficientPrivilege),
        ("reader", "riskmetrics", "COPY (SELECT 1) TO PROGRAM 'id'", InsufficientPrivilege),
        ("reader", "riskmetrics", "SET ROLE riskmetrics_writer", InsufficientPrivilege),
        ("writer", "riskmetrics", "COPY (SELECT 1) TO PROGRAM 'id'", InsufficientPrivilege),
        ("writer", "riskmetrics", "SET ROLE riskmetrics_owner", InsufficientPrivilege),
        ("owner", "riskmetrics", "COPY (SELECT 1) TO PROGRAM 'id'", InsufficientPrivilege),
        ("owner", "riskmetrics", "SELECT pg_read_file('/etc/passwd')", InsufficientPrivilege),
        ("reader", "dagster", "SELECT 1", psycopg.OperationalError),
        ("owner", "dagster", "SELECT 1", psycopg.OperationalError),
        ("owner", "riskmetrics", "CREATE ROLE more", InsufficientPrivilege),
    ],
)  # fmt: skip
def test_a_role_is_refused_what_is_not_its_own(
    postgres: Postgres, role: str, database: str, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error), psycopg.connect(postgres.url(role, database)) as connection:
        connection.execute(statement)


def test_making_the_roles_again_sets_passwords_anew_and_changes_nothing_else(
    postgres: Postgres,
) -> None:
    grants = (
        "SELECT datname, datacl::text FROM pg_database UNION ALL SELECT oid::text, defaclacl::text"
        " FROM pg_default_acl ORDER BY 1"
    )
    with psycopg.connect(postgres.url("owner")) as connection:
        before = connection.execute(grants).fetchall()
        postgres.run(
            "psql", "--quiet", "--file", str(CHECKOUT / "deploy" / "postgres" / "roles.sql")
        )
        assert connection.execute(grants).fetchall() == before
    with psycopg.connect(postgres.url("writer", "dagster")) as connection:
        connection.execute("CREATE TABLE ours (id integer)")


def test_the_writer_takes_statistics_and_locks_as_the_owner_does(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url("owner")) as connection:
        connection.execute("CREATE TABLE measured AS SELECT generate_series(1, 10) AS id")
    with psycopg.connect(postgres.url("writer")) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute("ANALYZE measured")
        assert connection.execute(
            "SELECT reltuples FROM pg_class WHERE relname = 'measured'"
        ).fetchone() == (10,)
    with psycopg.connect(postgres.url("owner")) as connection:
        connection.execute("DROP TABLE measured")
