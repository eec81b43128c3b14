"""Checks of `riskmetrics doctor` on the database, its schema, the vendor and the language model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from riskmetrics.cli.database import connect_unmigrated, describe_database_error
from riskmetrics.cli.db import ROLE_ADVICE
from riskmetrics.cli.doctor_data import check_data
from riskmetrics.cli.findings import MAX_NAMES_PER_LINE, Finding
from riskmetrics.cli.output import echo_err, pluralize
from riskmetrics.db.roles import Role
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.health import ServerInfo
    from riskmetrics.settings import Settings

_RERUN_ADVICE = "fix the problem above and rerun doctor"


def check_database(configured: "Settings", *, online: bool) -> Iterator[Finding]:
    """Check server, roles and schema; at head, also data, vendor and language model."""
    from riskmetrics.db import health, migrate
    from riskmetrics.errors import RiskmetricsError

    try:
        is_embedded = configured.database_url is None
        with connect_unmigrated(Role.WRITER) as engine, engine.connect() as connection:
            server = health.read_server_info(connection)
            yield from _check_server(server, is_embedded=is_embedded)
            connection.rollback()
            is_at_head = False
            # the embedded server is migrated by commands, as its owner
            may_migrate = server.has_migrate_privilege or is_embedded
            for finding in _check_schema(connection, may_migrate=may_migrate):
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
        yield Finding("fail", "database", str(error), _RERUN_ADVICE, error.exit_code)
    except Exception as error:
        sentence = describe_database_error(error)
        if sentence is None:
            raise
        advice = "start the server, or correct RISKMETRICS_DATABASE_URL"
        yield Finding("fail", "database", sentence, advice)


def _check_server(server: "ServerInfo", *, is_embedded: bool) -> Iterator[Finding]:
    kind = "embedded PostgreSQL" if is_embedded else "Postgres"
    text = f"connected to {kind} {server.version} as {server.role}; no extension is needed"
    yield Finding("ok", "database", text)
    if server.encoding != "UTF8":
        yield Finding(
            "warn",
            "database",
            f"the encoding is {server.encoding}: some names cannot be stored",
            "create the database with ENCODING 'UTF8'",
        )
    for right in server.excess_rights:
        text = f"the connecting role {right}, and queries run with its privileges"
        yield Finding("warn", "roles", text, ROLE_ADVICE)
    if server.is_read_only:
        yield Finding(
            "fail",
            "database",
            "read-only: a standby, or default_transaction_read_only is on",
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
        tables = join_names(server.unwritable_tables, MAX_NAMES_PER_LINE)
        yield Finding(
            "fail",
            "roles",
            f"{server.role} may not write {tables}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {server.role}",
        )
    if server.has_temp_privilege and not server.unwritable_tables:
        may = "migrate and write" if server.has_migrate_privilege else "write; the owner migrates"
        yield Finding("ok", "roles", f"{server.role} may {may}")


def _check_schema(connection: "sa.Connection", *, may_migrate: bool) -> Iterator[Finding]:
    from riskmetrics.db import migrate

    revision, head = migrate.current(connection), migrate.head()
    known_revisions = {known.revision for known in migrate.history()}
    outdated_state = "warn" if may_migrate else "fail"
    owner_advice = "run riskmetrics db upgrade as the owner of the tables; this role may not"
    if revision is None:
        text = "no revision: the database is empty, or its tables were created by other means"
        advice = "riskmetrics db upgrade tells which" if may_migrate else owner_advice
        yield Finding(outdated_state, "schema", text, advice)
    elif revision not in known_revisions:
        text = f"revision {revision} is unknown to this version of riskmetrics, at {head}"
        advice = "upgrade riskmetrics here; a database from before 0.1.0 must be created again"
        yield Finding("fail", "schema", text, advice)
    elif revision != head:
        advice = (
            "the next run migrates it, or run riskmetrics db upgrade"
            if may_migrate
            else owner_advice
        )
        yield Finding(outdated_state, "schema", f"revision {revision}, behind {head}", advice)
    elif drift := migrate.list_differences(connection):
        yield Finding("ok", "schema", f"revision {head}, the newest")
        text = f"differs from the revision: {join_names(drift, 2, '; ')}"
        yield Finding("warn", "schema", text, "see riskmetrics db verify")
    else:
        yield Finding("ok", "schema", f"revision {head}, the newest; all tables as expected")


def _check_vendor(connection: "sa.Connection", configured: "Settings") -> Iterator[Finding]:
    from riskmetrics.db import vendor
    from riskmetrics.ingest.vendor_client import NO_API_KEY_WARNING, VENDOR

    if configured.fmp_api_key is None:
        yield Finding("ok", "vendor", NO_API_KEY_WARNING)
        return
    calls_left = vendor.read_remaining_calls(connection, VENDOR, configured.fmp_calls_per_day)
    if calls_left is None:
        yield Finding("ok", "vendor", "no daily limit of calls is configured")
    elif calls_left:
        yield Finding("ok", "vendor", f"{pluralize(calls_left, 'call')} left today")
    else:
        advice = "wait until tomorrow (UTC), or upgrade your plan"
        yield Finding("warn", "vendor", "0 calls left today", advice)
    if problem := vendor.read_last_problem(connection, VENDOR):
        subject, reason, time_of_error = problem
        text = f"last failed request: {subject}, {time_of_error:%Y-%m-%d %H:%M}: {reason}"
        yield Finding("warn", "vendor", text, "see docs/how-to/data.md")


def _check_language_model(connection: "sa.Connection", configured: "Settings") -> Finding:
    from riskmetrics.db import spending

    if configured.anthropic_api_key is None:
        return Finding(
            "ok", "model", "ANTHROPIC_API_KEY is not set: fixed rules write the insights"
        )
    spent, limit = spending.read_spend_today(connection), configured.ai_usd_per_day
    text = f"{configured.ai_model}: {spent:f} of {limit:f} USD spent or reserved today"
    if spent < limit:
        return Finding("ok", "model", text)
    return Finding(
        "warn",
        "model",
        text,
        "wait until tomorrow (UTC), or raise RISKMETRICS_AI_USD_PER_DAY;"
        " until then, fixed rules write the insights",
    )


def _request_from_vendor(engine: "sa.Engine", configured: "Settings") -> Iterator[Finding]:
    """Request the profile of the market index, which every plan includes."""
    from riskmetrics.db import stored_settings
    from riskmetrics.errors import SourceError
    from riskmetrics.ingest.vendor_client import open_vendor_client

    with engine.connect() as connection:
        market = stored_settings.read_market_index(connection, configured.market_index)
    with open_vendor_client(engine, configured, echo_err) as feed:
        if feed is None:
            return
        try:
            feed.api.fetch_profile(market)
        except SourceError as error:
            yield Finding("fail", "vendor", str(error), _RERUN_ADVICE, error.exit_code)
        else:
            yield Finding("ok", "vendor", f"it answered a request for {market}")
