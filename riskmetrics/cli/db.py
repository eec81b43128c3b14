"""`riskmetrics db`: the server, schema revisions, the database's URL, settings and SQL."""

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import connect_unmigrated, read_transaction, write_transaction
from riskmetrics.cli.output import echo_err, print_csv, print_frame, print_json, report_outdated
from riskmetrics.cli.shared_options import AsJson
from riskmetrics.db.roles import DATABASE, Role
from riskmetrics.errors import UsageError
from riskmetrics.symbols import normalize_symbol

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

_SERVER, _SCHEMA = "Server and data", "Schema"

ROLE_ADVICE = "Connect as one of the roles in deploy/postgres/roles.sql."

app = typer.Typer(
    help="Start, stop and query the database, and change its schema.",
    no_args_is_help=True,
)


class RoleOption(StrEnum):
    """Roles of the database, as spelled on the command line."""

    OWNER = "owner"
    WRITER = "writer"
    READER = "reader"


class RowFormat(StrEnum):
    """Output formats of a query."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command(rich_help_panel=_SERVER)
def start() -> None:
    """Start the embedded server, and keep it up.

    For psql, Grafana and notebooks. Without it the server runs while a command does. It stays up
    until riskmetrics db stop; after a restart of the machine the next command starts it.

    Example: riskmetrics db start && psql "$(riskmetrics db url)"
    """
    from riskmetrics.db import embedded
    from riskmetrics.db.engine import normalize_url, redact_url

    with embedded.keep_running(_embedded_home()) as server:
        reader = redact_url(normalize_url(server.database_url(DATABASE, Role.READER)))
    typer.echo(f"running until `riskmetrics db stop`: {reader}")


@app.command(rich_help_panel=_SERVER)
def stop() -> None:
    """Stop the embedded server that riskmetrics db start keeps up.

    While other riskmetrics processes use it, it stops with the last of them.

    Example: riskmetrics db stop
    """
    from riskmetrics.db import embedded

    if embedded.stop_when_unused(_embedded_home()):
        typer.echo("stopped")
    else:
        typer.echo("in use by another riskmetrics process; stops when that process ends")


@app.command(rich_help_panel=_SERVER)
def status(as_json: AsJson = False) -> None:
    """Print which database is used, and whether its server runs.

    Nothing is started.

    Example: riskmetrics db status
    """
    from riskmetrics import settings
    from riskmetrics.db import embedded
    from riskmetrics.db.engine import normalize_url, redact_url

    configured = settings.load()
    if configured.database_url is not None:
        url = redact_url(normalize_url(configured.database_url.get_secret_value()))
        found: dict[str, object] = {"server": "RISKMETRICS_DATABASE_URL", "url": url}
    else:
        home = configured.home_directory
        found = {
            "server": "embedded",
            "data": str(home / "postgres" / "data"),
            "running": embedded.is_running(home),
            "kept_running": embedded.is_kept_running(home),
        }
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        shown = ("yes" if value else "no") if isinstance(value, bool) else value
        typer.echo(f"{name.replace('_', ' ')}: {shown}")


def _embedded_home() -> "Path":
    """Return the home of the embedded server; refuse if another server is configured."""
    from riskmetrics import settings

    configured = settings.load()
    if configured.database_url is not None:
        raise UsageError(
            "RISKMETRICS_DATABASE_URL names a server of your own, which riskmetrics neither starts"
            " nor stops: unset it to use the embedded one"
        )
    return configured.home_directory


@app.command(rich_help_panel=_SERVER)
def url(
    role: Annotated[
        RoleOption, typer.Option(help="Role to connect as, in the embedded server.")
    ] = RoleOption.READER,
) -> None:
    """Print the URL of the database, without its password.

    Example: riskmetrics db start && psql "$(riskmetrics db url)"
    """
    from riskmetrics.db.engine import redact_url

    with connect_unmigrated(Role[role.name]) as engine:
        typer.echo(redact_url(engine.url))


@app.command(rich_help_panel=_SERVER)
def setting(
    name: Annotated[
        str, typer.Argument(help="Name of the setting: market_index, rate_index or benchmark.")
    ],
    value: Annotated[
        str | None, typer.Argument(help="New value. Default: print the current value.")
    ] = None,
) -> None:
    """Print or change a setting stored in the database.

    Warns of a symbol without stored prices, of a benchmark without stored sector weights, and of
    results that the change outdates.

    Example: riskmetrics db setting market_index SPY
    """
    from riskmetrics import setting_types, settings
    from riskmetrics.db import input_writes, outdated_results, stored_settings, symbol_spellings

    if name not in stored_settings.DEFAULT_SETTINGS:
        raise UsageError(
            f"there is no setting {name}: use one of {', '.join(stored_settings.DEFAULT_SETTINGS)}"
        )
    override = getattr(settings.load(), name)
    with read_transaction() if value is None else write_transaction() as connection:
        before = stored_settings.read_setting(connection, name, override)
        if value is not None and name == stored_settings.BENCHMARK_CODE:
            input_writes.store_setting(connection, name, setting_types.parse_benchmark_code(value))
        elif value is not None:
            index = normalize_symbol(value, setting_types.MAX_INDEX_LENGTH)
            if index is None:
                raise UsageError(f"{value!r} is not a symbol: {setting_types.INDEX_SYMBOL_RULE}")
            index = symbol_spellings.find_class_shares(connection, [index]).get(index, index)
            input_writes.store_setting(connection, name, index)
        in_use = stored_settings.read_setting(connection, name, override)
        outdated = (
            outdated_results.mark_outdated(connection, date.min) if in_use != before else None
        )
        missing = "" if value is None else _describe_missing_data(connection, name, in_use)
    typer.echo(in_use)
    if missing:
        echo_err(f"warning: {missing}")
    report_outdated(outdated)


def _describe_missing_data(connection: "sa.Connection", name: str, value: str) -> str:
    """Return what a run misses with the value of a setting, and what to do; empty if nothing."""
    from riskmetrics.db import input_queries, stored_prices, stored_settings

    if name == stored_settings.BENCHMARK_CODE:
        if len(input_queries.read_latest_benchmark(connection, value)):
            return ""
        return (
            f"no sector weights of {value} are stored. Import them: riskmetrics import benchmark"
            f" FILE --code {value}"
        )
    if len(stored_prices.read_price_coverage(connection, [value])):
        return ""
    (named,) = stored_prices.suggest_symbols(connection, [value])
    return (
        f"no price of {named} is stored. riskmetrics run fetches it if a data source is"
        " configured; else import it: riskmetrics import prices FILE"
    )


@app.command(rich_help_panel=_SERVER)
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT statement.")],
    output: Annotated[RowFormat, typer.Option("--format", help="Output format.")] = RowFormat.TABLE,
    timeout: Annotated[
        int, typer.Option(min=1, max=3600, help="Time limit of the query, in seconds.")
    ] = 30,
) -> None:
    """Run a query in a read-only transaction.

    The embedded server uses its read-only role.

    Example: riskmetrics db sql "SELECT symbol, count(*) FROM market_data_cache GROUP BY 1" --format
    csv
    """
    from riskmetrics import settings
    from riskmetrics.db import health
    from riskmetrics.db.query import run_query
    from riskmetrics.size_limits import MEGABYTE

    max_bytes = settings.load().max_result_mb * MEGABYTE
    with connect_unmigrated(Role.READER) as engine:
        with engine.connect() as connection:
            for right in health.list_excess_rights(connection):
                echo_err(
                    f"warning: the role of RISKMETRICS_DATABASE_URL {right}, and queries run with"
                    f" its privileges. {ROLE_ADVICE}"
                )
        with engine.connect() as connection:
            table = run_query(connection, query, timeout, max_bytes)
    if output is RowFormat.CSV:
        print_csv(table)
    else:
        print_frame(table, as_json=output is RowFormat.JSON)


@app.command(rich_help_panel=_SCHEMA)
def upgrade(
    revision: Annotated[str, typer.Argument(help="Revision to upgrade to.")] = "head",
) -> None:
    """Upgrade the schema to a revision; every run upgrades to head.

    Example: riskmetrics db upgrade
    """
    from riskmetrics.db import migrate

    with connect_unmigrated(Role.OWNER) as engine:
        changed = migrate.upgrade(engine, revision)
        _print_revision(engine, "upgraded to" if changed else "already at")


@app.command(rich_help_panel=_SCHEMA)
def downgrade(
    revision: Annotated[
        str, typer.Argument(help="Revision to downgrade to, or base to drop every table.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Downgrade the schema; data of later tables and columns is lost.

    Example: riskmetrics db downgrade h1i2j3k4l5m6
    """
    from riskmetrics.db import migrate

    if not yes:
        typer.confirm(
            f"Downgrade to {revision}? Columns and tables that later revisions added are dropped"
            " with their data.",
            abort=True,
            err=True,
        )
    with connect_unmigrated(Role.OWNER) as engine:
        changed = migrate.downgrade(engine, revision)
        _print_revision(engine, "downgraded to" if changed else "already at")


@app.command(rich_help_panel=_SCHEMA)
def current(as_json: AsJson = False) -> None:
    """Print the current schema revision of the database.

    Example: riskmetrics db current
    """
    from riskmetrics.db import migrate

    with connect_unmigrated(Role.READER) as engine, engine.connect() as connection:
        revision = migrate.current(connection)
    if as_json:
        print_json({"revision": revision, "head": migrate.head()})
    else:
        typer.echo(f"{revision or 'no revision'}{' (head)' if revision == migrate.head() else ''}")


@app.command(rich_help_panel=_SCHEMA)
def history(as_json: AsJson = False) -> None:
    """Print all schema revisions of this version, newest first.

    Example: riskmetrics db history
    """
    from riskmetrics.db import migrate

    if as_json:
        print_json([revision._asdict() for revision in migrate.history()])
        return
    for revision in migrate.history():
        typer.echo(f"{revision.revision}  {revision.doc}")


@app.command(rich_help_panel=_SCHEMA)
def heads() -> None:
    """Print the newest schema revision of this version.

    Example: riskmetrics db heads
    """
    from riskmetrics.db import migrate

    typer.echo(migrate.head())


@app.command(rich_help_panel=_SCHEMA)
def stamp(
    revision: Annotated[str, typer.Argument(help="Revision of the existing tables.")],
) -> None:
    """Record a revision without changing tables.

    For a database created by other means.

    Example: riskmetrics db stamp 19c513d3bf90
    """
    from riskmetrics.db import migrate

    with connect_unmigrated(Role.OWNER) as engine:
        migrate.stamp(engine, revision)
        _print_revision(engine, "stamped")


@app.command(rich_help_panel=_SCHEMA)
def verify(as_json: AsJson = False) -> None:
    """Compare the live schema with the expected one, column by column.

    Additions by other programs are listed and accepted. Exit code: 6 if the schemas differ.

    Example: riskmetrics db verify
    """
    from riskmetrics.db import migrate

    # the writer, because the expected tables are created as temporary ones
    with connect_unmigrated(Role.WRITER) as engine, engine.begin() as connection:
        comparison = migrate.compare_schema(connection)
    differences = comparison.differences
    if as_json:
        print_json({"differences": differences, "additions": comparison.additions})
    else:
        for addition in comparison.additions:
            typer.echo(f"accepted: {addition}")
        typer.echo(
            "\n".join(differences) if differences else "the schema is as this version expects"
        )
    if differences:
        raise typer.Exit(6)


def _print_revision(engine: "sa.Engine", action: str) -> None:
    from riskmetrics.db import migrate

    with engine.connect() as connection:
        typer.echo(f"{action} {migrate.current(connection) or 'base: no tables'}")
