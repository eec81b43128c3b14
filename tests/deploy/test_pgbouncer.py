"""Commands through a real PgBouncer in transaction mode, which shares sessions between clients."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from riskmetrics.cli.demo import load_sample
from riskmetrics.db import copy, migrate, tables
from riskmetrics.db.engine import create_engine
from tests.deploy.conftest import ENVIRONMENT, Postgres, new_folder, riskmetrics
from tests.forked_commands import PATIENCE, ForkedCommand
from tests.listening import free_port

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    PGBOUNCER is None, reason="pgbouncer is not installed (Debian: apt-get install pgbouncer)"
)

DAYS = ("2022-12-22", "2022-12-23", "2022-12-27", "2022-12-28")
ASSETS = "portfolio_values,position_betas"
POOL = 3
"""Server sessions that four runs share."""

SESSION = (
    "SELECT name, setting FROM pg_settings WHERE source = 'session' AND name <> 'application_name'"
    " ORDER BY name"
)
"""Settings of a session by its clients; PgBouncer passes application_name on."""


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Postgres:
    """Return the server with the sample in its database at head."""
    engine = create_engine(postgres.url("owner"))
    migrate.ensure_head(engine)
    with engine.begin() as connection:
        load_sample(connection)
    engine.dispose()
    return postgres


@pytest.fixture(scope="module")
def bouncer(database: Postgres) -> Iterator[Postgres]:
    """Return the server behind PgBouncer, with databases riskmetrics and single (one session)."""
    folder, port = new_folder(), free_port()
    users = "".join(
        f'"riskmetrics_{role}" "{database.passwords[f"{role.upper()}_PASSWORD"]}"\n'
        for role in ("owner", "writer", "reader")
    )
    (folder / "users").write_text(users)
    server = f"host=127.0.0.1 port={database.port} dbname=riskmetrics"
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\nriskmetrics = {server} pool_size={POOL}\nsingle = {server}"
        f" pool_size=1\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir"
        f" =\nlogfile = {folder}/log\nauth_type = scram-sha-256\nauth_file ="
        f" {folder}/users\npool_mode = transaction\nquery_wait_timeout = 240\n"
    )
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # it refuses to run as root
    if account is not None:
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
    process = subprocess.Popen(
        [str(PGBOUNCER), "--quiet", str(folder / "pgbouncer.ini")],
        **(
            {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        ),
    )
    through = Postgres(database.binaries, port, database.passwords)
    for _ in range(10 * PATIENCE):
        with suppress(psycopg.OperationalError), psycopg.connect(through.url("writer")):
            break
        assert process.poll() is None, (folder / "log").read_text()
        time.sleep(0.1)
    yield through
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=PATIENCE)
    shutil.rmtree(folder)


@pytest.mark.slow(15)
def test_four_runs_at_once_share_three_sessions(
    bouncer: Postgres, database: Postgres, tmp_path: Path, command_server: None
) -> None:
    """One computes everything, the others the two assets that are looked at."""
    environment = {
        **ENVIRONMENT,
        "RISKMETRICS_DATABASE_URL": bouncer.url("writer"),
        "RISKMETRICS_HOME": str(tmp_path),
    }
    running = [
        ForkedCommand(
            ["run", "--offline", "--date", day, *([] if day == DAYS[-1] else ["--assets", ASSETS])],
            environment,
            tmp_path,
            tmp_path / f"output-{day}",
        )
        for day in DAYS
    ]
    for process in running:
        printed, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, printed
    with psycopg.connect(database.url("reader")) as connection:
        days = "SELECT snapshot_date::text, count(*) FROM portfolio_snapshots GROUP BY 1 ORDER BY 1"
        assert connection.execute(days).fetchall() == [(day, 3) for day in DAYS]
    shown = riskmetrics("show", "betas", "--json", url=bouncer.url("reader"), home=tmp_path)
    assert shown == riskmetrics(
        "show", "betas", "--json", url=database.url("reader"), home=tmp_path
    )


def test_a_session_is_given_back_as_it_was_found(
    bouncer: Postgres, database: Postgres, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("symbol,quantity\nAAPL,10\n")
    single = {role: bouncer.url(role, "single") for role in ("writer", "reader")}
    with psycopg.connect(single["writer"]) as connection:
        before = connection.execute(SESSION).fetchall()
    riskmetrics(
        "import",
        "portfolio",
        str(file),
        "--name",
        "Mine",
        "--equity",
        "10000",
        url=single["writer"],
        home=tmp_path,
    )
    riskmetrics("db", "verify", url=single["writer"], home=tmp_path)
    riskmetrics("db", "sql", "SELECT pg_sleep(0)", url=single["writer"], home=tmp_path)
    with psycopg.connect(single["writer"]) as connection:
        assert connection.execute(SESSION).fetchall() == before
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        ).fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
        ).fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM pg_cursors WHERE is_holdable"
        ).fetchone() == (0,)


def test_dates_and_numbers_do_not_depend_on_defaults_of_the_role(
    bouncer: Postgres, database: Postgres
) -> None:
    """COPY formats dates by DateStyle, and digits of doubles by extra_float_digits."""
    database.run(
        "psql",
        "--dbname",
        "riskmetrics",
        "--command",
        "ALTER ROLE riskmetrics_reader SET extra_float_digits = -9",
    )
    database.run(
        "psql",
        "--dbname",
        "riskmetrics",
        "--command",
        "ALTER ROLE riskmetrics_reader SET datestyle = 'German'",
    )
    engine = create_engine(bouncer.url("reader", "single"))
    prices = tables.market_data_cache
    columns = (
        sa.select(prices.c.date, sa.literal(1 / 3, sa.Double).label("third"))
        .order_by(prices.c.date)
        .limit(1)
    )
    with engine.connect() as connection:
        (row,) = copy.fetch_frame(connection, columns).itertuples(index=False)
        (first,) = connection.execute(sa.select(sa.func.min(prices.c.date))).one()
    engine.dispose()
    database.run(
        "psql",
        "--dbname",
        "riskmetrics",
        "--command",
        "ALTER ROLE riskmetrics_reader RESET extra_float_digits",
    )
    database.run(
        "psql",
        "--dbname",
        "riskmetrics",
        "--command",
        "ALTER ROLE riskmetrics_reader RESET datestyle",
    )
    assert (row.date.date(), row.third) == (first, 1 / 3)


def test_db_sql_runs_one_statement_through_the_pooler_too(
    bouncer: Postgres, tmp_path: Path
) -> None:
    url = bouncer.url("reader")
    assert (
        riskmetrics("db", "sql", "SELECT 1 AS one", "--format", "csv", url=url, home=tmp_path)
        == "one\n1\n"
    )
    refused = riskmetrics("db", "sql", "SELECT 1; SELECT 2", url=url, home=tmp_path, code=1)
    assert "cannot insert multiple commands into a prepared statement" in refused


def test_the_same_statement_many_times_prepares_nothing_unless_asked(
    bouncer: Postgres, database: Postgres
) -> None:
    for url, expected in (
        (bouncer.url("writer", "single"), 0),
        (f"{database.url('writer')}?prepare_threshold=1", 1),
    ):
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            for _ in range(10):
                connection.execute(
                    sa.text("SELECT count(*) FROM portfolios WHERE name = :name"), {"name": "Mine"}
                )
            prepared = connection.scalar(
                sa.text(
                    "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM"
                    " portfolios WHERE name%'"
                )
            )
        engine.dispose()
        assert prepared == expected
