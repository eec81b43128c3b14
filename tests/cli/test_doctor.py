"""`riskmetrics doctor` on faulty settings, databases and homes."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from riskmetrics import processes, settings, trading_calendar
from riskmetrics.cli.doctor_database import _check_model
from riskmetrics.db import health
from riskmetrics.db.embedded import EmbeddedServer
from riskmetrics.db.engine import create_engine
from riskmetrics.db.postgres_cluster import SUPERUSER
from tests.commands import invoke
from tests.fmp_server import BAD_KEY, KEY, Reply, serve
from tests.tiingo_server import TiingoMarket, serve_tiingo


def diagnosis(*arguments: str) -> tuple[int, dict[str, list[dict[str, Any]]], str]:
    """Return the exit code, the findings by area, and the output."""
    result = invoke("doctor", "--json", *arguments)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(result.stdout):
        found.setdefault(finding["area"], []).append(finding)
    return result.exit_code, found, result.stdout


@pytest.fixture
def home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the settings at an empty database at head, and a home that does not exist yet."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def change(database: str, *statements: str) -> None:
    engine = create_engine(database)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def test_each_setting_is_shown_with_its_origin_and_no_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    Path(".env").write_text("RISKMETRICS_RATE_INDEX=IEF\nRISKMETRICS_MARKET_INDEX=\n")
    monkeypatch.setenv("FMP_API_KEY", KEY)
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database.replace("@", ":hidden-word@"))
    monkeypatch.setenv("RISKMETRICS_FMP_URL", "http://me:hidden-word@proxy:8080/fmp")
    code, found, printed = diagnosis()
    lines = [finding["finding"] for finding in found["settings"]]
    assert code == 0
    assert "RISKMETRICS_RATE_INDEX = IEF  (.env)" in lines
    assert "RISKMETRICS_MARKET_INDEX = not set  (default)" in lines
    assert "FMP_API_KEY = set, value hidden  (environment)" in lines
    assert any(
        line.startswith("RISKMETRICS_DATABASE_URL = postgresql://riskmetrics_owner@")
        for line in lines
    )
    assert "RISKMETRICS_FMP_URL = http://[hidden]@proxy:8080/fmp  (environment)" in lines
    assert "hidden-word" not in printed
    assert KEY not in printed
    text = invoke("doctor").stdout
    n_defaults = sum(line.endswith("(default)") for line in lines)
    assert "(default)" not in text
    assert f"{n_defaults} settings at the default" in text
    assert "RISKMETRICS_RATE_INDEX = IEF  (.env)" in text


def test_a_setting_that_is_wrong_is_named_and_exits_6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMETRICS_FMP_CALLS_PER_MINUTE", "many")
    code, found, _ = diagnosis()
    assert (code, found["settings"][0]["state"]) == (6, "fail")
    assert "RISKMETRICS_FMP_CALLS_PER_MINUTE" in found["settings"][0]["finding"]


def test_a_database_that_does_not_answer_exits_6_and_the_rest_is_still_looked_at(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "RISKMETRICS_DATABASE_URL", "postgresql://someone:hidden-word@127.0.0.1:1/none"
    )
    code, found, printed = diagnosis()
    assert code == 6
    assert found["database"][0]["state"] == "fail"
    assert found["dagster"][0]["state"] == "ok"
    assert "hidden-word" not in printed


def test_an_empty_database_at_head_has_warnings_with_advice_and_exits_0(home: Path) -> None:
    code, found, _ = diagnosis()
    assert code == 0
    assert [
        found[about][0]["state"] for about in ("database", "roles", "schema", "prices", "disk")
    ] == ["ok", "ok", "ok", "warn", "ok"]
    assert "import prices" in found["prices"][0]["what_to_do"]
    printed = invoke("doctor").stdout
    assert "→ riskmetrics import prices FILE" in printed
    assert printed.splitlines()[-1].endswith("0 failed")


def test_older_newer_and_changed_schemas_are_distinguished(home: Path, database: str) -> None:
    change(database, "ALTER TABLE portfolio_snapshots DROP COLUMN cumulative_pnl CASCADE")
    code, found, _ = diagnosis()
    assert (code, found["schema"][1]["state"]) == (0, "warn")
    assert "cumulative_pnl" in found["schema"][1]["finding"]
    change(database, "UPDATE alembic_version SET version_num = 'h1i2j3k4l5m6'")
    assert diagnosis()[1]["schema"][0]["what_to_do"].startswith("the next run migrates it")
    change(database, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    code, found, _ = diagnosis()
    assert (code, found["schema"][0]["state"]) == (6, "fail")
    assert "upgrade riskmetrics" in found["schema"][0]["what_to_do"]


@pytest.fixture
def role(
    home: Path, server: EmbeddedServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Return the name of a read-only role, and point the settings at it."""
    parsed = sa.make_url(database)
    name = f"limited_{parsed.database}"
    superuser = server.database_url(str(parsed.database), SUPERUSER)
    change(superuser, f"CREATE ROLE {name}", f"GRANT {name} TO riskmetrics_owner")
    change(database, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", f"{database}&options=-c%20role%3D{name}")
    yield name
    change(superuser, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_missing_privileges_of_a_read_only_role_are_listed(role: str) -> None:
    code, found, _ = diagnosis()
    assert code == 6
    (finding,) = found["roles"]
    assert "may not write" in finding["finding"]
    assert f"TO {role}" in finding["what_to_do"]


def test_a_writer_without_migrate_rights_passes_until_the_schema_is_behind(
    role: str, database: str
) -> None:
    """The writer of a deployment: its runs stop at a schema that only the owner can upgrade."""
    change(database, f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    code, found, _ = diagnosis()
    assert code == 0
    assert [finding["state"] for about in ("roles", "schema") for finding in found[about]] == [
        "ok",
        "ok",
    ]
    change(database, "UPDATE alembic_version SET version_num = 'h1i2j3k4l5m6'")
    code, found, _ = diagnosis()
    assert (code, found["schema"][0]["state"]) == (6, "fail")
    assert "as the owner" in found["schema"][0]["what_to_do"]


def test_a_superuser_is_warned_about(
    home: Path, server: EmbeddedServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(sa.make_url(database).database)
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", server.database_url(name, SUPERUSER))
    code, found, _ = diagnosis()
    assert code == 0
    assert [(finding["state"], finding["finding"]) for finding in found["roles"]] == [
        ("warn", "the connecting role is a superuser, and queries run with its privileges"),
        ("ok", "riskmetrics may migrate and write"),
    ]
    assert "deploy/postgres/roles.sql" in found["roles"][0]["what_to_do"]


@pytest.mark.parametrize(
    ("attribute", "right"),
    [
        ("NOSUPERUSER CREATEDB", []),
        ("SUPERUSER CREATEROLE", ["is a superuser"]),
        ("CREATEROLE", ["creates roles"]),
        ("REPLICATION", ["replicates the server"]),
        ("IN ROLE pg_execute_server_program", ["runs programs on the server"]),
        ("NOINHERIT IN ROLE pg_write_server_files", ["writes files on the server"]),
        ("IN ROLE pg_read_server_files", ["reads files on the server"]),
    ],
)
def test_rights_beyond_tables_are_those_of_the_role_that_logged_in(
    server: EmbeddedServer, database: str, attribute: str, right: list[str]
) -> None:
    """SET ROLE to a lesser one does not hide them: RESET ROLE brings them back."""
    opened = create_engine(server.database_url(str(sa.make_url(database).database), SUPERUSER))
    with opened.connect() as connection:
        connection.execute(sa.text(f"CREATE ROLE too_much LOGIN {attribute}"))
        connection.execute(sa.text("CREATE ROLE lesser; GRANT lesser TO too_much"))
        connection.execute(
            sa.text("SET LOCAL SESSION AUTHORIZATION too_much; SET LOCAL ROLE lesser")
        )
        assert health.list_excess_rights(connection) == right
        connection.rollback()
    opened.dispose()


def test_what_is_missing_of_the_data_is_named(home: Path, database: str) -> None:
    """By hand: three sessions of SPY, two of AAPL; results of the first and the third."""
    days = trading_calendar.sessions_with_lookback([date(2022, 12, 28)], 2)
    close = (
        "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source) VALUES ('{}',"
        " '{}', 1, 1, 'test')"
    )
    key = "11111111-1111-1111-1111-111111111111"
    snapshot = (
        "INSERT INTO portfolio_snapshots (portfolio_id, snapshot_date, total_value, cash_value,"
        " long_value, short_value, gross_exposure, net_exposure, num_positions,"
        f" num_long_positions, num_short_positions) VALUES ('{key}', '{{}}', 1, 0, 1, 0, 1, 1, 1,"
        " 1, 0)"
    )
    change(
        database,
        *(close.format("SPY", day) for day in days),
        *(close.format("AAPL", day) for day in days[:2]),
        f"INSERT INTO portfolios (id, name, currency) VALUES ('{key}', 'One', 'USD')",
        "INSERT INTO positions (portfolio_id, symbol, position_type, quantity, entry_date) "
        f"VALUES ('{key}', 'AAPL', 'LONG', 1, '2022-12-01')",
        *(snapshot.format(day) for day in (days[0], days[2])),
    )
    code, found, _ = diagnosis()
    assert code == 0
    assert found["prices"][0]["finding"].startswith(f"SPY until {days[2]}, ")
    missing = "missing for 1 of 1 symbol held on that session: AAPL"
    assert found["prices"][1]["finding"] == missing
    assert found["profiles"][0]["finding"] == missing
    assert found["benchmark"][0]["state"] == "warn"
    assert found["results"][0]["finding"] == f"2 sessions, {days[0]} to {days[2]}"
    assert (
        found["results"][1]["what_to_do"] == f"riskmetrics backfill --from {days[1]} --to {days[1]}"
    )


def test_the_vendor_is_called_only_with_online_and_a_rejected_key_exits_6(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMP_API_KEY", KEY)
    monkeypatch.setenv("RISKMETRICS_FMP_CALLS_PER_DAY", "7")
    with serve(lambda _path, _params: Reply(BAD_KEY, status=401)) as server:
        monkeypatch.setenv("RISKMETRICS_FMP_URL", server.url)
        code, found, _ = diagnosis()
        assert (code, server.calls) == (0, [])
        assert found["vendor"][0]["finding"] == "FMP: 7 calls left today"
        code, found, printed = diagnosis("--online")
    assert (code, found["vendor"][-1]["state"]) == (6, "fail")
    assert "rejects the key" in found["vendor"][-1]["finding"]
    assert KEY not in printed


@pytest.mark.parametrize("arguments", [(), ("--online",)])
def test_a_source_that_cannot_be_used_is_a_failure_and_the_other_checks_are_made(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RISKMETRICS_SOURCE", "tiingo")
    code, found, _ = diagnosis(*arguments)
    (vendor,) = found["vendor"]
    assert (code, vendor["state"]) == (6, "fail")
    assert "Tiingo cannot be used: RISKMETRICS_TIINGO_API_KEY is not set" in vendor["finding"]
    assert found["schema"][0]["state"] == found["model"][0]["state"] == "ok"


def test_a_source_without_profiles_is_asked_for_prices(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_SOURCE", "tiingo")
    monkeypatch.setenv("RISKMETRICS_TIINGO_API_KEY", KEY)
    with serve_tiingo(TiingoMarket(trading_calendar.last_completed_session())) as server:
        monkeypatch.setenv("RISKMETRICS_TIINGO_URL", server.url)
        code, found, _ = diagnosis("--online")
    assert code == 0
    assert [finding["finding"] for finding in found["vendor"]] == [
        "Tiingo: 1,000 calls left today",
        "Tiingo answered a request for SPY",
    ]
    assert [path for path, _ in server.calls] == ["/tiingo/daily/SPY/prices"]


def test_a_run_that_a_dead_process_left_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg
    from dagster._core.test_utils import create_run_for_test

    from riskmetrics.cli import launch

    monkeypatch.setenv("DAGSTER_HOME", str(launch.prepare_instance(settings.load())))
    tags = processes.process_tags() | {".dagster/riskmetrics_process_start": "0"}
    with dg.DagsterInstance.get() as instance:
        run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=tags)
    code, found, _ = diagnosis()
    assert (code, found["runs"][0]["state"]) == (0, "warn")
    assert run.run_id in found["runs"][0]["finding"]


def test_a_storage_of_dagster_that_does_not_open_is_reported_with_the_fix(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(Path(__file__).parents[2] / "deploy" / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("DAGSTER_DATABASE_URL", raising=False)
    # Dagster tries six times within twelve seconds
    monkeypatch.setattr("dagster_postgres.utils.time", SimpleNamespace(sleep=lambda _: None))
    code, found, _ = diagnosis()
    assert (code, found["dagster"][0]["state"]) == (6, "fail")
    assert "DAGSTER_DATABASE_URL" in found["dagster"][0]["finding"]
    monkeypatch.setenv(
        "DAGSTER_DATABASE_URL", "postgresql+psycopg2://someone:hidden-word@127.0.0.1:1/none"
    )
    code, found, printed = diagnosis()
    assert (code, found["dagster"][0]["state"]) == (6, "fail")
    assert "Connection refused" in found["dagster"][0]["finding"]
    assert "hidden-word" not in printed


def test_a_schedule_without_daemon_or_alerts_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg
    from dagster._daemon.types import DaemonHeartbeat

    from riskmetrics.cli import launch

    monkeypatch.setenv("DAGSTER_HOME", str(launch.prepare_instance(settings.load())))
    code, found, _ = diagnosis()
    assert (code, found["schedule"][0]["state"], "alerts" in found) == (0, "ok", False)

    monkeypatch.setenv("RISKMETRICS_NIGHTLY", "true")
    code, found, _ = diagnosis()
    assert (code, found["schedule"][0]["state"], found["alerts"][0]["state"]) == (0, "warn", "warn")
    assert "scheduler, sensor" in found["schedule"][0]["finding"]

    monkeypatch.setenv("RISKMETRICS_ALERT_EMAIL", "ops@example.com")
    with dg.DagsterInstance.get() as instance:
        for kind in instance.get_required_daemon_types():
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), kind, "1", []))
    code, found, _ = diagnosis()
    assert (code, found["schedule"][0]["state"], found["alerts"][0]["state"]) == (6, "ok", "fail")

    monkeypatch.setenv("RISKMETRICS_SMTP_URL", f"smtp://me:{KEY}@localhost")
    code, found, printed = diagnosis()
    assert (code, found["alerts"][0]["state"]) == (0, "ok")
    assert KEY not in printed


def test_the_remaining_model_budget_is_reported(
    home: Path, database: str, monkeypatch: pytest.MonkeyPatch, no_day_ends: datetime
) -> None:
    assert "fixed rules" in diagnosis()[1]["model"][0]["finding"]
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    assert diagnosis()[1]["model"][0]["state"] == "ok"
    change(
        database,
        "INSERT INTO ai_spend (day, run_id, prompt_hash, model, reserved)"
        f" VALUES ('{no_day_ends.date()}', 'r', 's', 'm', 2)",
    )
    code, found, printed = diagnosis()
    assert (code, found["model"][0]["state"]) == (0, "warn")
    assert "2.000000 of 2.00 USD" in found["model"][0]["finding"]
    assert KEY not in printed


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        ("claude-haiku-5-5", []),
        ("claude-3-opus-20240229", ["was retired by its vendor on 2026-01-05", "rates"]),
        ("claude-nobody-9", ["rates of claude-nobody-9 are unknown"]),
    ],
)
def test_a_model_that_ends_or_has_no_rates_is_a_warning(
    home: Path, monkeypatch: pytest.MonkeyPatch, model: str, texts: list[str]
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("RISKMETRICS_AI_MODEL", model)
    warnings = [each for each in diagnosis()[1]["model"] if each["state"] == "warn"]
    assert len(warnings) == len(texts)
    for text, warning in zip(texts, warnings, strict=True):
        assert text in warning["finding"]
        assert "claude-haiku-5-5" in warning["what_to_do"]


def test_a_model_is_announced_to_end_until_the_day_and_has_ended_on_it() -> None:
    model, day = "claude-3-opus-20240229", date(2026, 1, 5)
    for today, verb in ((day - timedelta(1), "is to be retired"), (day, "was retired")):
        (found, _) = list(_check_model(model, today))
        assert verb in found[1]


def break_disk_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the check of free space raise an error that doctor does not expect."""

    def disk_usage(_: object) -> object:
        raise OSError(5, f"Input/output error of {KEY}")

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)


def test_a_check_that_cannot_be_made_exits_1_and_the_others_are_made(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMP_API_KEY", KEY)
    break_disk_check(monkeypatch)
    code, found, printed = diagnosis()
    assert (code, found["disk"][0]["state"]) == (1, "fail")
    assert "the check could not be run: OSError" in found["disk"][0]["finding"]
    assert found["schema"][0]["state"] == "ok"
    assert KEY not in printed


def test_a_home_that_is_a_file_exits_6(home: Path) -> None:
    home.touch()
    code, found, _ = diagnosis()
    assert (code, found["disk"][0]["state"]) == (6, "fail")
    assert f"{home} is not a directory" in found["disk"][0]["finding"]


@pytest.mark.parametrize(
    ("reply", "is_disk_check_broken", "expected"),
    [
        (Reply([]), False, 0),
        (Reply([]), True, 1),
        (Reply("down", status=404), False, 5),
        (Reply("down", status=404), True, 5),
        (Reply(BAD_KEY, status=401), False, 6),
        (Reply(BAD_KEY, status=401), True, 6),
    ],
)
def test_every_failure_sets_the_exit_code_and_warnings_do_not(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    reply: Reply,
    is_disk_check_broken: bool,
    expected: int,
) -> None:
    """The exit code is 0 if and only if no finding of the table and of the JSON is a failure."""
    monkeypatch.setenv("FMP_API_KEY", KEY)
    if is_disk_check_broken:
        break_disk_check(monkeypatch)
    with serve(lambda _path, _params: reply) as server:
        monkeypatch.setenv("RISKMETRICS_FMP_URL", server.url)
        code, found, _ = diagnosis("--online")
        result = invoke("doctor", "--online")
    states = [finding["state"] for findings in found.values() for finding in findings]
    assert "warn" in states
    assert code == result.exit_code == expected
    assert ("fail" in states) is (expected > 0)
    assert f"{states.count('fail')} failed" in result.stdout


def test_the_highest_code_of_several_failures_counts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMP_API_KEY", KEY)
    monkeypatch.setenv("RISKMETRICS_ALERT_EMAIL", "ops@example.com")
    break_disk_check(monkeypatch)
    with serve(lambda _path, _params: Reply("down", status=404)) as server:
        monkeypatch.setenv("RISKMETRICS_FMP_URL", server.url)
        code, found, _ = diagnosis("--online")
    failed = {area for area, findings in found.items() if findings[-1]["state"] == "fail"}
    assert failed == {"disk", "vendor", "alerts"}
    assert code == 6


def test_help_lists_the_exit_codes() -> None:
    shown = " ".join(invoke("doctor", "--help", env={"COLUMNS": "300"}).stdout.split())
    assert all(f" {code} (" in shown for code in (1, 3, 5, 6))


def test_a_vendor_that_never_answers_is_a_failure_within_its_time_limit(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMP_API_KEY", KEY)
    monkeypatch.setenv("RISKMETRICS_FMP_CALL_SECONDS", "0.3")
    with serve(lambda _path, _params: Reply(fault="drip headers")) as server:
        monkeypatch.setenv("RISKMETRICS_FMP_URL", server.url)
        code, found, _ = diagnosis("--online")
    assert code == 5
    assert "RISKMETRICS_FMP_CALL_SECONDS" in found["vendor"][-1]["finding"]
