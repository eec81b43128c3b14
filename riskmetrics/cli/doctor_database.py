"""Checks of `riskmetrics doctor` on the database, its schema, the vendor and the language model."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

from riskmetrics.cli.database import connect_unmigrated, describe_database_error
from riskmetrics.cli.db import ROLE_ADVICE
from riskmetrics.cli.doctor_data import check_data
from riskmetrics.cli.findings import MAX_NAMES_PER_LINE, Check, Finding, run_checks
from riskmetrics.cli.output import echo_err, pluralize
from riskmetrics.db.roles import Role
from riskmetrics.errors import ConfigurationError, RiskmetricsError, SourceError
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.health import ServerInfo
    from riskmetrics.ingest.vendor_client import VendorClient
    from riskmetrics.settings import Settings
    from riskmetrics.sources.market_data_source import SourceDefinition

    _Stored = tuple[sa.Connection, Settings]

_RERUN_ADVICE = "fix the problem above and rerun doctor"
_BEGIN_ADVICE = (
    "riskmetrics init or riskmetrics demo creates one; else use the directory of an earlier one"
)
_OWNER_ADVICE = "run riskmetrics db upgrade as the owner of the tables; this role may not"


def check_database(configured: "Settings", *, online: bool) -> Iterator[Finding]:
    """Check server, roles and schema; at head, also data, vendor and language model."""
    from riskmetrics.db import embedded, health

    home = configured.home_directory
    if configured.database_url is None and not embedded.has_cluster(home):
        yield Finding("warn", "database", f"there is no database in {home}", _BEGIN_ADVICE)
        return
    try:
        with connect_unmigrated(Role.WRITER) as engine, engine.connect() as connection:
            server, is_embedded = health.read_server_info(connection), not configured.database_url
            kind = "embedded PostgreSQL" if is_embedded else "Postgres"
            text = f"connected to {kind} {server.version} as {server.role}; no extension is needed"
            yield Finding("ok", "database", text)
            yield from run_checks(_SERVER_CHECKS, server)
            connection.rollback()
            # the embedded server is migrated by commands, as its owner
            may_migrate = server.has_migrate_privilege or is_embedded
            check = Check("schema", partial(_check_schema, may_migrate=may_migrate))
            schema_findings = list(run_checks([check], connection))
            yield from schema_findings
            connection.rollback()
            if all(finding.state == "ok" for finding in schema_findings):
                yield from check_data(connection, configured)
                yield from run_checks(_SERVICE_CHECKS, (connection, configured))
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


def _check_encoding(server: "ServerInfo") -> Iterator[tuple[str, ...]]:
    if server.encoding != "UTF8":
        yield "warn", f"the encoding is {server.encoding}: some names cannot be stored"


def _check_excess_rights(server: "ServerInfo") -> Iterator[tuple[str, ...]]:
    for right in server.excess_rights:
        yield "warn", f"the connecting role {right}, and queries run with its privileges"


def _check_read_only(server: "ServerInfo") -> Iterator[tuple[str, ...]]:
    if server.is_read_only:
        yield "fail", "read-only: a standby, or default_transaction_read_only is on"


def _check_privileges(server: "ServerInfo") -> Iterator[tuple[str, ...]]:
    role = server.role
    if not server.has_temp_privilege:
        text = f"{role} may not create temporary tables"
        yield "fail", text, f"GRANT TEMPORARY ON DATABASE … TO {role}"
    if server.unwritable_tables:
        names = join_names(server.unwritable_tables, MAX_NAMES_PER_LINE)
        grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        yield "fail", f"{role} may not write {names}", grant
    elif server.has_temp_privilege:
        may = "migrate and write" if server.has_migrate_privilege else "write; the owner migrates"
        yield "ok", f"{role} may {may}"


def _check_schema(connection: "sa.Connection", *, may_migrate: bool) -> Iterator[tuple[str, ...]]:
    from riskmetrics.db import migrate

    revision, head = migrate.current(connection), migrate.head()
    outdated_state = "warn" if may_migrate else "fail"
    if revision is None:
        text = "no revision: the database is empty, or its tables were created by other means"
        advice = "riskmetrics db upgrade reports which" if may_migrate else _OWNER_ADVICE
        yield outdated_state, text, advice
    elif revision not in {known.revision for known in migrate.history()}:
        text = f"revision {revision} is unknown to this version of riskmetrics, at {head}"
        advice = "upgrade riskmetrics here; a database from before 0.1.0 must be created again"
        yield "fail", text, advice
    elif revision != head:
        advice = "the next run migrates it, or run riskmetrics db upgrade"
        text = f"revision {revision}, behind {head}"
        yield outdated_state, text, advice if may_migrate else _OWNER_ADVICE
    elif drift := migrate.list_differences(connection):
        yield "ok", f"revision {head}, the newest"
        text = f"differs from the revision: {join_names(drift, 2, '; ')}"
        yield "warn", text, "see riskmetrics db verify"
    else:
        yield "ok", f"revision {head}, the newest; all tables as expected"


def _check_vendor_quota(stored: "_Stored") -> Iterator[tuple[str, ...]]:
    from riskmetrics.db import vendor
    from riskmetrics.ingest.vendor_client import NO_SOURCE_WARNING
    from riskmetrics.sources.source_registry import configured_definitions

    connection, configured = stored
    if not configured.source_names:
        yield "ok", NO_SOURCE_WARNING
    try:
        sources = configured_definitions(configured)
    except ConfigurationError as error:
        yield "fail", str(error), "correct RISKMETRICS_SOURCE or the setting that it names"
        return
    for source in sources:
        limits = source.limits(configured)
        calls_left = vendor.read_remaining_calls(connection, source.name, limits.calls_per_day)
        if calls_left is None:
            yield "ok", f"{source.name}: no daily limit of calls is configured"
        else:
            state = "ok" if calls_left else "warn"
            yield state, f"{source.name}: {pluralize(calls_left, 'call')} left today"


def _check_vendor_problems(stored: "_Stored") -> Iterator[tuple[str, ...]]:
    from riskmetrics.db import vendor

    connection, configured = stored
    for source in _usable_sources(configured):
        if problem := vendor.read_last_problem(connection, source.name):
            subject, reason, time_of_error = problem
            text = f"last failed request: {subject}, {time_of_error:%Y-%m-%d %H:%M}: {reason}"
            yield "warn", text


def _usable_sources(configured: "Settings") -> "tuple[SourceDefinition, ...]":
    """Return the configured data sources; none if one of them cannot be used."""
    from riskmetrics.sources.source_registry import configured_definitions

    try:
        return configured_definitions(configured)
    except ConfigurationError:  # `_check_vendor_quota` reports it
        return ()


def _check_language_model(stored: "_Stored") -> Iterator[tuple[str, ...]]:
    from riskmetrics.db import spending
    from riskmetrics.db.insight_store import read_active_templates

    connection, configured = stored
    if configured.anthropic_api_key is None:
        yield "ok", "ANTHROPIC_API_KEY is not set: fixed rules write the insights"
        return
    spent, limit = spending.read_spend_today(connection), configured.ai_usd_per_day
    text = f"{configured.ai_model}: {spent:f} of {limit:f} USD spent or reserved today"
    yield "ok" if spent < limit else "warn", text
    preferred = {row["model_preference"] for row in read_active_templates(connection)}
    for model in sorted({configured.ai_model, *preferred} - {None}):
        yield from _check_model(model, datetime.now(UTC).date())


def _check_model(model: str, today: date) -> Iterator[tuple[str, ...]]:
    """Yield warnings about a model that is retired or has no rates."""
    from riskmetrics.insights import cost

    rated = [name for name in cost.rated_models(today) if cost.end_of_life(name) is None]
    advice = f"choose one of {', '.join(rated)}: RISKMETRICS_AI_MODEL, or the template's model"
    if (end := cost.end_of_life(model)) is not None:
        verb = "is to be retired" if today < end else "was retired"
        yield "warn", f"{model} {verb} by its vendor on {end}; then, fixed rules write", advice
    if not cost.has_rates(model, today):
        yield "warn", f"the rates of {model} are unknown: it is not called", advice


def _request_from_vendor(engine: "sa.Engine", configured: "Settings") -> Iterator[Finding]:
    """Request the market index, which every plan includes, from each data source."""
    from riskmetrics.db import stored_settings
    from riskmetrics.ingest.vendor_client import open_vendor_clients

    if not _usable_sources(configured):
        return
    with engine.connect() as connection:
        market = stored_settings.read_market_index(connection, configured.market_index)
    with open_vendor_clients(engine, configured, echo_err) as clients:
        for client in clients:
            try:
                _request_index(client, market)
            except SourceError as error:
                yield Finding("fail", "vendor", str(error), _RERUN_ADVICE, error.exit_code)
            else:
                text = f"{client.name} answered a request for {market}"
                yield Finding("ok", "vendor", text)


def _request_index(client: "VendorClient", market: str) -> None:
    """Request the profile of the market index, or its prices from a source without profiles."""
    from riskmetrics import trading_calendar
    from riskmetrics.sources.market_data_source import Capability

    if client.has(Capability.PROFILES):
        client.api.fetch_profile(market)
    else:
        last = trading_calendar.last_completed_session()
        client.api.fetch_prices(market, trading_calendar.previous_session(last, 5), last)


_SERVER_CHECKS = (
    Check("database", _check_encoding, "create the database with ENCODING 'UTF8'"),
    Check("roles", _check_excess_rights, ROLE_ADVICE),
    Check("database", _check_read_only, "connect to the primary"),
    Check("roles", _check_privileges),
)
_SERVICE_CHECKS = (
    Check("vendor", _check_vendor_quota, "wait until tomorrow (UTC), or upgrade your plan"),
    Check("vendor", _check_vendor_problems, "see docs/how-to/data.md"),
    Check(
        "model",
        _check_language_model,
        "wait until tomorrow (UTC), or raise RISKMETRICS_AI_USD_PER_DAY; until then, fixed rules"
        " write the insights",
    ),
)
