"""The `riskmetrics` command: its groups, and the translation of errors to exit codes."""

import gc
import logging
import sys
from typing import Annotated

import typer

from riskmetrics.cli import (
    alert,
    calibrate,
    compare,
    db,
    demo,
    doctor,
    explain,
    export,
    imports,
    init,
    insight_commands,
    layout_commands,
    limit_commands,
    mcp_command,
    portfolio_commands,
    price_commands,
    report,
    reset,
    run,
    seed,
    shell,
    show,
    simulate_command,
    status,
    symbol_commands,
)
from riskmetrics.cli.output import PrintableStream

app = typer.Typer(
    name="riskmetrics",
    help="Compute daily portfolio risk in your own Postgres.  Start with: riskmetrics demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(init.init)
app.command()(simulate_command.simulate)
app.add_typer(imports.app, name="import")
app.add_typer(layout_commands.app, name="layouts")
app.add_typer(seed.app, name="seed")
app.add_typer(portfolio_commands.app, name="portfolio")
app.add_typer(limit_commands.app, name="limits")
app.add_typer(price_commands.app, name="prices")
app.add_typer(symbol_commands.app, name="symbols")
app.command()(run.run)
app.command()(run.backfill)
app.command()(run.catch_up)
app.command()(alert.alert)
app.command()(reset.reset)
app.command()(reset.reprocess)
app.command()(calibrate.calibrate)
app.add_typer(show.app, name="show")
app.add_typer(insight_commands.app, name="ai")
app.command()(compare.compare)
app.command()(explain.explain)
app.command()(report.report)
app.command()(export.export)
app.command()(mcp_command.mcp)
app.command()(status.status)
app.command()(doctor.doctor)
app.add_typer(db.app, name="db")
app.command()(shell.env)
app.command()(shell.ui)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        from importlib.metadata import version

        typer.echo(version("riskmetrics"))
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Compute daily portfolio risk in your own Postgres.  Start with: riskmetrics demo."""


def main() -> None:
    """Run the command line; print an expected error to stderr and exit with its code."""
    from riskmetrics.cli.output import configure_streams
    from riskmetrics.errors import RiskmetricsError

    configure_streams()
    # Ctrl-C while a connection closes would be logged with a traceback.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    # Collecting garbage during imports takes a seventh of a command's start; `connect_unmigrated`
    # turns it on again.
    gc.disable()
    if sys.stdout is not None and sys.stderr is not None:  # a shell can close them
        sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)
    try:
        app()
    except RiskmetricsError as error:
        typer.echo(f"riskmetrics: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("riskmetrics: interrupted; results stored so far are kept", err=True)
        sys.exit(130)
    except UnicodeEncodeError as error:
        # The text is not shown: it may be a database URL with a password.
        character = error.object[error.start] if isinstance(error.object, str) else ""
        typer.echo(
            f"riskmetrics: a text contains {character!a}, which is not valid in {error.encoding}."
            " Use UTF-8 in arguments and settings, and a UTF-8 locale such as LC_ALL=C.UTF-8",
            err=True,
        )
        sys.exit(2)
    except Exception as error:
        from riskmetrics.cli.database import describe_database_error

        sentence = describe_database_error(error)
        if sentence is not None:
            typer.echo(f"riskmetrics: {sentence}", err=True)
            sys.exit(6)
        if not isinstance(error, OSError):
            raise
        typer.echo(f"riskmetrics: operating system error: {error}", err=True)
        sys.exit(1)
