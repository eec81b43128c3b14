"""Users' queries: results, limits on size and time, and killed clients."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg
import pytest
import sqlalchemy as sa

from riskmetrics.db import copy, query
from riskmetrics.errors import QueryError
from riskmetrics.size_limits import MEGABYTE
from tests.commands import invoke
from tests.conftest import COMMAND
from tests.forked_commands import PATIENCE

RUN_AND_MEASURE = r"""
import re, sys
from pathlib import Path
from riskmetrics.cli.main import main

try:
    main()
finally:
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]
    print(peak, file=sys.stderr)
"""
"""Peak memory in KB is read from /proc: ru_maxrss of a child is at least that of its parent."""

TOO_LARGE = r"^The result has more than .* MB\. Add LIMIT.* raise RISKMETRICS_MAX_RESULT_MB$"

QUERIES = [
    "SELECT i, -i AS j FROM generate_series(1, 3000) AS i ORDER BY j",
    "VALUES (1, 'a'), (NULL, ''), (2, NULL)",
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n",
    (
        "SELECT 1.50 AS a, 'NaN'::float8 AS b, true AS c, ARRAY[1, 2] AS d, ROW(1, 'x') AS e,"
        " '{\"k\": [1]}'::jsonb AS f, '\\x00ff'::bytea AS g, date '2022-12-28' AS h"
    ),
    "SELECT relname, relacl, reltuples FROM pg_class ORDER BY oid DESC LIMIT 70",
    "SELECT WHERE false",
    "SELECT 1 AS a -- and a remark",
    "SELECT '%s {braces} ;' AS a",
]


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("ending", ["", ";", " ;\n; "])
def test_a_result_is_what_postgres_returns(
    shared_engine: sa.Engine,
    text: str,
    ending: str,
) -> None:
    with shared_engine.connect() as connection:
        cursor = copy.driver_connection(connection).execute(text.encode())
        names, rows = [column.name for column in cursor.description or ()], cursor.fetchall()
    with shared_engine.connect() as connection:
        table = query.run_query(connection, text + ("" if "--" in text else ending), 30, MEGABYTE)
    assert list(table.columns) == names
    assert repr([tuple(row) for row in table.itertuples(index=False)]) == repr(rows)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("SELECT 'abc' AS a FROM generate_series(1, 3)", 3 * (len("(abc)") + query.CELL_BYTES)),
        ("SELECT 'ä' AS a, 7 AS b", len("(ä,7)".encode()) + 2 * query.CELL_BYTES),
        ("SELECT repeat('x', 100000) AS a", 100_000 + len("()") + query.CELL_BYTES),
        ("SELECT i FROM generate_series(1, 100) AS i", 9 * 3 + 90 * 4 + 5 + 100 * query.CELL_BYTES),
    ],
)
def test_a_result_may_have_the_largest_size_and_no_byte_more(
    shared_engine: sa.Engine,
    text: str,
    size: int,
) -> None:
    with shared_engine.connect() as connection:
        assert len(query.run_query(connection, text, 30, size)) > 0
    with shared_engine.connect() as connection, pytest.raises(QueryError, match=TOO_LARGE):
        query.run_query(connection, text, 30, size - 1)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT repeat('x', 1000000) FROM generate_series(1, 1000000)",
        "SELECT repeat('x', 150000000)",
        "SELECT (repeat('9', 130000) || 'e-9')::numeric FROM generate_series(1, 100000)",
        "SELECT i FROM generate_series(1, 6000000) AS i",
    ],
)
def test_a_result_without_end_is_refused_within_500_mb(server, database: str, text: str) -> None:
    environment = os.environ | {"RISKMETRICS_DATABASE_URL": database}
    command = [sys.executable, "-c", RUN_AND_MEASURE, "db", "sql", text, "--format", "csv"]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    *said, peak = done.stderr.splitlines()
    assert (done.returncode, int(peak) < 500 * 1024) == (1, True)
    assert "The result has more than 64 MB. Add LIMIT" in " ".join(said)


def test_the_limit_on_size_is_a_setting(call_sql: Callable[..., str], monkeypatch) -> None:
    text = f"SELECT repeat('x', {MEGABYTE}) AS a"
    assert len(call_sql(text, "--format", "csv")) == MEGABYTE + len("a\n\n")
    monkeypatch.setenv("RISKMETRICS_MAX_RESULT_MB", "1")
    assert "The result has more than 1 MB" in call_sql(text)


@pytest.fixture
def call_sql(database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Call `riskmetrics db sql` on a database, and return its output."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    return lambda *arguments: invoke("db", "sql", *arguments).output


@pytest.mark.parametrize(
    "text",
    [
        "SELECT pg_sleep(0.2) FROM generate_series(1, 150)",
        (
            "SELECT set_config('statement_timeout', '0', true), pg_sleep(1)"
            " FROM generate_series(1, 30)"
        ),
    ],
)
def test_the_limit_on_time_holds_for_all_rows_together(shared_engine: sa.Engine, text: str) -> None:
    begun = time.monotonic()
    with shared_engine.connect() as connection, pytest.raises(QueryError, match="limit is 1 sec"):
        query.run_query(connection, text, 1, MEGABYTE)
    assert 1 <= time.monotonic() - begun < 25  # all rows together take 30


@pytest.mark.parametrize(
    "text",
    ["SELECT 1) AS a, (SELECT 2", "SELECT 1 /*", "SELECT '", "SELECT 1; --"],
)
def test_a_query_cannot_leave_its_parentheses(shared_engine: sa.Engine, text: str) -> None:
    with shared_engine.connect() as connection, pytest.raises(QueryError, match="The query failed"):
        query.run_query(connection, text, 30, MEGABYTE)


def test_a_query_sends_no_notification(database: str, call_sql: Callable[..., str]) -> None:
    """A read-only transaction may NOTIFY, and Postgres sends it at commit."""
    url = database.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as listener, psycopg.connect(url) as sender:
        listener.execute("LISTEN runs")
        assert "pg_notify" in call_sql("SELECT pg_notify('runs', 'of db sql')")
        sender.execute("SET TRANSACTION READ ONLY")
        sender.execute("SELECT pg_notify('runs', 'committed')")
        sender.commit()
        received = [sent.payload for sent in listener.notifies(timeout=PATIENCE, stop_after=1)]
        assert received == ["committed"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_query_of_a_killed_client_ends_at_its_time_limit(
    database: str,
    ending: signal.Signals,
) -> None:
    limit = 3
    active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'FETCH%'"
    active += " AND datname = current_database() AND pid <> pg_backend_pid()"
    environment = os.environ | {"RISKMETRICS_DATABASE_URL": database}
    command = [COMMAND, "db", "sql", "SELECT pg_sleep(60)", "--timeout", str(limit)]
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as watcher:

        def wait_until(number: int, seconds: float) -> bool:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if watcher.execute(active).fetchone() == (number,):
                    return True
                time.sleep(0.02)
            return False

        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as client:
            assert wait_until(1, PATIENCE)
            client.send_signal(ending)
            client.wait(PATIENCE)
        assert wait_until(0, 30)  # half of what the query takes without a limit
