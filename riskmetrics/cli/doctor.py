"""`riskmetrics doctor`: what is set, what is there, what is missing, and what to do about it; nothing is changed."""

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics import folders
from riskmetrics.cli import dagster_home
from riskmetrics.cli.database import connect_unmigrated, describe_database_error
from riskmetrics.cli.db import ROLE_ADVICE
from riskmetrics.cli.doctor_data import check_data
from riskmetrics.cli.findings import MAX_NAMES_PER_LINE, Finding
from riskmetrics.cli.output import echo_err, pluralize, print_json
from riskmetrics.cli.shared_options import AsJson
from riskmetrics.db.roles import Role
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import dagster as dg
    import sqlalchemy as sa

    from riskmetrics.db.health import ServerInfo
    from riskmetrics.settings import Settings

_UNEXPECTED_ERROR_CODE = 1
"""Exit code of a check that could not be made."""

_MIN_FREE_BYTES, _LOW_FREE_BYTES = 100 << 20, 1 << 30
"""Bytes free below which a night of a large database may not fit, and a small one's."""


_MAX_RUN_SECONDS = 7200
"""Seconds after which a run is taken to be stuck, as Dagster's run monitoring has it."""


def doctor(
    online: Annotated[
        bool,
        typer.Option(
            "--online", help="Ask the vendor for one company, to see whether the key is good."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, database, schema, data, vendor, model, disk, Dagster and the nights, and say what to do about what is wrong.

    Exit codes: 0 if no check fails; warnings do not count. Else the highest of 1 (a check could not
    be made), 3 (data), 5 (network or vendor) and 6 (settings, disk, database, roles, schema,
    Dagster or alerts).

    Example: riskmetrics doctor --online
    """
    found = list(_run_checks(online=online))
    if as_json:
        print_json(
            [
                {name: value for name, value in one._asdict().items() if name != "exit_code"}
                for one in found
            ]
        )
    else:
        _print_findings(found)
    if code := max((one.exit_code for one in found if one.state == "fail"), default=0):
        raise typer.Exit(code)


def _print_findings(found: "Sequence[Finding]") -> None:
    for one in found:
        typer.echo(f"{one.state:<5} {one.area:<14} {one.finding}")
        if one.what_to_do:
            typer.echo(f"{'':<20} → {one.what_to_do}")
    counts = {state: sum(one.state == state for one in found) for state in ("ok", "warn", "fail")}
    typer.echo(
        f"\n{counts['ok']} ok, {pluralize(counts['warn'], 'warning')}, {counts['fail']} failed"
    )


def _run_checks(*, online: bool) -> Iterator[Finding]:
    from riskmetrics import settings
    from riskmetrics.errors import ConfigurationError

    try:
        configured = settings.load()
    except ConfigurationError as error:
        yield Finding(
            "fail",
            "settings",
            str(error),
            "mend the variable named here, in the environment or in .env",
        )
        return
    sections = {
        "settings": _check_settings(configured),
        "disk": _check_disk(configured),
        "database": _check_database(configured, online=online),
        "dagster": _check_dagster(configured),
        "alerts": _check_alerts(configured),
    }
    for area, findings in sections.items():
        yield from _catch_unexpected_errors(area, findings, configured)


def _catch_unexpected_errors(
    area: str, findings: Iterator[Finding], configured: "Settings"
) -> Iterator[Finding]:
    """Yield findings; an error that a check did not expect is one more, and the next section is checked all the same."""
    from riskmetrics.alerts import redact_secrets

    try:
        yield from findings
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        reason = redact_secrets(configured, f"{type(error).__name__}: {error}").partition("\n")[0]
        yield Finding(
            "fail",
            area,
            f"the check could not be made: {reason[:300]}",
            "remove the cause",
            _UNEXPECTED_ERROR_CODE,
        )


def _check_settings(configured: "Settings") -> Iterator[Finding]:
    from riskmetrics import settings
    from riskmetrics.db.engine import normalize_url, redact_url
    from riskmetrics.errors import ConfigurationError

    for name, field, origin, is_secret in settings.setting_origins():
        value = getattr(configured, field)
        shown = (
            "not set"
            if value is None
            else "set, and not shown"
            if is_secret
            else _redact_login(str(value))
        )
        if field == "database_url" and value is not None:
            try:
                shown = redact_url(normalize_url(value.get_secret_value()))
            except ConfigurationError as error:
                yield Finding(
                    "fail",
                    "settings",
                    f"{name}: {error}",
                    "correct it: postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
                )
                continue
        yield Finding("ok", "settings", f"{name} = {shown}  ({origin})")


def _redact_login(text: str) -> str:
    """Return a text, of an address without its user and password, which a proxy may ask for."""
    return re.sub(r"(?<=://)[^/?#]*@", "[hidden]@", text)


def _check_disk(configured: "Settings") -> Iterator[Finding]:
    for name, folder in (
        ("RISKMETRICS_HOME", configured.home_directory),
        ("Dagster's home", configured.dagster_directory),
    ):
        existing = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
        if not existing.is_dir():
            yield Finding(
                "fail",
                "disk",
                f"{name} cannot be {folder}: {existing} is not a folder",
                "remove it, or name another folder",
            )
            continue
        if not os.access(existing, os.W_OK):
            yield Finding(
                "fail",
                "disk",
                f"{name} cannot be written: {existing}",
                "give yourself the right to, or name another folder",
            )
            continue
        free = shutil.disk_usage(existing).free
        state = "fail" if free < _MIN_FREE_BYTES else "warn" if free < _LOW_FREE_BYTES else "ok"
        advice = (
            "" if state == "ok" else "make room: a year of 100 portfolios takes about a gigabyte"
        )
        yield Finding(
            state, "disk", f"{free / (1 << 30):,.1f} GB free for {name}, {folder}", advice
        )


def _check_database(configured: "Settings", *, online: bool) -> Iterator[Finding]:
    from riskmetrics.db import health, migrate
    from riskmetrics.errors import RiskmetricsError

    try:
        is_embedded = configured.database_url is None
        with connect_unmigrated(Role.WRITER) as engine, engine.connect() as connection:
            server = health.read_server_info(connection)
            yield from _check_server(server, is_embedded=is_embedded)
            connection.rollback()
            is_at_head = False
            for finding in _check_schema(
                connection, may_migrate=server.has_migrate_privilege or is_embedded
            ):  # commands do it as the owner
                is_at_head = finding.state == "ok"
                yield finding
            connection.rollback()
            if is_at_head and migrate.current(connection) == migrate.head():
                yield from check_data(connection, configured)
                yield from _check_vendor(connection, configured)
                yield _check_language_model(connection, configured)
                if online:
                    yield from _request_from_vendor(engine, configured)
    except RiskmetricsError as error:
        yield Finding(
            "fail", "database", str(error), "follow the sentence, then ask again", error.exit_code
        )
    except Exception as error:
        sentence = describe_database_error(error)
        if sentence is None:
            raise
        yield Finding(
            "fail", "database", sentence, "start the server, or correct RISKMETRICS_DATABASE_URL"
        )


def _check_server(server: "ServerInfo", *, is_embedded: bool) -> Iterator[Finding]:
    kind = "the embedded PostgreSQL" if is_embedded else "Postgres"
    yield Finding(
        "ok",
        "database",
        f"{kind} {server.version} answers, as {server.role}; no extension is needed",
    )
    if server.encoding != "UTF8":
        yield Finding(
            "warn",
            "database",
            f"the encoding is {server.encoding}",
            "create the database with ENCODING 'UTF8': some names cannot be stored",
        )
    for right in server.excess_rights:
        yield Finding(
            "warn", "roles", f"the role that connects {right}: a query has its rights", ROLE_ADVICE
        )
    if server.is_read_only:
        yield Finding(
            "fail",
            "database",
            "it only lets read: a standby, or default_transaction_read_only",
            "connect to the primary",
        )
    if not server.has_temp_privilege:
        yield Finding(
            "fail",
            "roles",
            f"{server.role} may not create temporary tables",
            f"GRANT TEMPORARY ON DATABASE … TO {server.role}",
        )
    if server.unwritable_tables:
        yield Finding(
            "fail",
            "roles",
            f"{server.role} may not write"
            f" {join_names(server.unwritable_tables, MAX_NAMES_PER_LINE)}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {server.role}",
        )
    if server.has_temp_privilege and not server.unwritable_tables:
        yield Finding(
            "ok",
            "roles",
            f"{server.role} may"
            f" {'migrate and write' if server.has_migrate_privilege else 'write; the owner migrates'}",
        )


def _check_schema(connection: "sa.Connection", *, may_migrate: bool) -> Iterator[Finding]:
    from riskmetrics.db import migrate

    revision, head = migrate.current(connection), migrate.head()
    known_revisions = {known.revision for known in migrate.history()}
    outdated_state, owner_advice = (
        "warn" if may_migrate else "fail",
        "riskmetrics db upgrade as the owner of the tables: this role may not",
    )
    if revision is None:
        sentence = "no revision: an empty database, or tables made elsewhere"
        yield Finding(
            outdated_state,
            "schema",
            sentence,
            "riskmetrics db upgrade says which" if may_migrate else owner_advice,
        )
    elif revision not in known_revisions:
        sentence = f"revision {revision} is newer than this version, which ends at {head}"
        yield Finding("fail", "schema", sentence, "upgrade riskmetrics on this machine")
    elif revision != head:
        advice = (
            "the next run migrates it; or riskmetrics db upgrade" if may_migrate else owner_advice
        )
        yield Finding(outdated_state, "schema", f"revision {revision}, not yet {head}", advice)
    elif drift := migrate.list_differences(connection):
        yield Finding("ok", "schema", f"revision {head}, the newest")
        yield Finding(
            "warn",
            "schema",
            f"it departs from the revision: {join_names(drift, 2, '; ')}",
            "see riskmetrics db verify",
        )
    else:
        yield Finding("ok", "schema", f"revision {head}, the newest, and every table as expected")


def _check_vendor(connection: "sa.Connection", configured: "Settings") -> Iterator[Finding]:
    from riskmetrics.db import vendor
    from riskmetrics.ingest.vendor_client import NO_API_KEY_WARNING, VENDOR

    if configured.fmp_api_key is None:
        yield Finding("ok", "vendor", NO_API_KEY_WARNING)
        return
    calls_left = vendor.read_remaining_calls(connection, VENDOR, configured.fmp_calls_per_day)
    text = (
        "as many calls as the plan has"
        if calls_left is None
        else f"{pluralize(calls_left, 'call')} left today"
    )
    yield Finding(
        "warn" if calls_left == 0 else "ok",
        "vendor",
        text,
        "wait until tomorrow (UTC), or take a larger plan" if calls_left == 0 else "",
    )
    if problem := vendor.read_last_problem(connection, VENDOR):
        subject, reason, time_of_error = problem
        yield Finding(
            "warn",
            "vendor",
            f"the last answer that brought nothing: {subject}, {time_of_error:%Y-%m-%d %H:%M}:"
            f" {reason}",
            "see docs/data.md",
        )


def _check_language_model(connection: "sa.Connection", configured: "Settings") -> Finding:
    from riskmetrics.db import spending

    if configured.anthropic_api_key is None:
        return Finding(
            "ok", "model", "ANTHROPIC_API_KEY is not set: insights are written by fixed rules"
        )
    spent, limit = spending.read_spend_today(connection), configured.ai_usd_per_day
    text = (
        f"{configured.ai_model} words insights; {spent:f} of {limit:f} USD are spent or reserved"
        " today"
    )
    if spent < limit:
        return Finding("ok", "model", text)
    return Finding(
        "warn",
        "model",
        text,
        "wait until tomorrow (UTC), or raise RISKMETRICS_AI_USD_PER_DAY; fixed rules write"
        " meanwhile",
    )


def _request_from_vendor(engine: "sa.Engine", configured: "Settings") -> Iterator[Finding]:
    """Ask for the market index, which every plan has."""
    from riskmetrics.db import input_queries
    from riskmetrics.errors import SourceError
    from riskmetrics.ingest.vendor_client import open_vendor_client

    with engine.connect() as connection:
        market = input_queries.read_market_index(connection, configured.market_index)
    with open_vendor_client(engine, configured, echo_err) as feed:
        if feed is None:
            return
        try:
            feed.api.fetch_profile(market)
        except SourceError as error:
            yield Finding(
                "fail", "vendor", str(error), "follow the sentence, then ask again", error.exit_code
            )
        else:
            yield Finding("ok", "vendor", f"it answered when asked for {market}")


def _check_dagster(configured: "Settings") -> Iterator[Finding]:
    home = configured.dagster_directory
    if fault := dagster_home.find_path_fault(home):
        yield Finding(
            "fail",
            "dagster",
            f"Dagster cannot keep its files in {home}: {fault}",
            "set DAGSTER_HOME to another folder",
        )
        return
    if not (home / "dagster.yaml").exists():
        yield Finding("ok", "dagster", f"{home} is made by the first run")
        return
    import dagster as dg

    from riskmetrics.cli import launch

    try:
        with folders.private_umask(), dg.DagsterInstance.from_config(str(home)) as instance:
            dead = {run.run_id for run in launch.find_dead_runs(instance)}
            started = instance.get_run_records(
                dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
            )
            n_runs = instance.get_runs_count()
            schedule_finding = _check_schedule(instance, is_enabled=configured.nightly)
    except Exception as error:  # noqa: BLE001  # whatever its storage raises is a finding
        sentence = f"its storage does not open: {dagster_home.describe_storage_fault(error)}"
        yield Finding(
            "fail",
            "dagster",
            sentence,
            f"look at {home / 'dagster.yaml'}, and the variables that it names",
        )
        return
    yield Finding("ok", "dagster", f"{pluralize(n_runs, 'run')} kept in {_describe_storage(home)}")
    yield schedule_finding
    if dead:
        yield Finding(
            "warn",
            "runs",
            f"left by processes that died: {join_names(sorted(dead), MAX_NAMES_PER_LINE)}",
            "the next riskmetrics run marks them as failed",
        )
    slow = [
        record.dagster_run.run_id
        for record in started
        if record.start_time and time.time() - record.start_time > _MAX_RUN_SECONDS
    ]
    if stuck := sorted(set(slow) - dead):
        yield Finding(
            "warn",
            "runs",
            f"running for more than two hours: {join_names(stuck, MAX_NAMES_PER_LINE)}",
            "terminate them in riskmetrics ui if they hang",
        )


def _check_schedule(instance: "dg.DagsterInstance", *, is_enabled: bool) -> Finding:
    """Whether the schedule is on, and the daemon that it needs is there; ``is_enabled``: where nobody has switched it."""
    from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType

    schedule_statuses = {
        state.status
        for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
    }
    if InstigatorStatus.RUNNING not in schedule_statuses and (
        not is_enabled or InstigatorStatus.STOPPED in schedule_statuses
    ):
        return Finding(
            "ok",
            "schedule",
            "the schedule is off: sessions are computed when asked for, or by riskmetrics catch-up",
        )
    unhealthy_daemons = [
        kind.lower()
        for kind, daemon in instance.get_daemon_statuses().items()
        if daemon.required and not daemon.healthy
    ]
    if unhealthy_daemons:
        sentence = (
            "the schedule is on, and the daemon is not there, or in trouble: no good sign of"
            f" {join_names(sorted(unhealthy_daemons), MAX_NAMES_PER_LINE)}"
        )
        return Finding(
            "warn",
            "schedule",
            sentence,
            "start dagster-daemon or riskmetrics ui; what it prints tells the rest",
        )
    return Finding("ok", "schedule", "the schedule is on, and the daemon is there")


def _check_alerts(configured: "Settings") -> Iterator[Finding]:
    if configured.alert_email and configured.smtp_url is None:
        yield Finding(
            "fail",
            "alerts",
            "RISKMETRICS_ALERT_EMAIL is set and RISKMETRICS_SMTP_URL is not",
            "say what sends the e-mails",
        )
    elif configured.alert_email or configured.alert_webhook:
        yield Finding("ok", "alerts", "set, and not tried: riskmetrics alert sends one")
    elif configured.nightly:
        advice = (
            "set RISKMETRICS_ALERT_WEBHOOK, or RISKMETRICS_ALERT_EMAIL and RISKMETRICS_SMTP_URL"
        )
        yield Finding(
            "warn",
            "alerts",
            "none is set: a night that fails or is missed is told to nobody",
            advice,
        )


def _describe_storage(home: Path) -> str:
    return (
        f"{home} (SQLite)"
        if (home / "history").exists()
        else f"the storage that {home / 'dagster.yaml'} names"
    )
