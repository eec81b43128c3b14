"""The `riskmetrics` command: its groups, and the translation of errors to exit codes."""

import errno
import gc
import logging
import re
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

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
from riskmetrics.cli.database import describe_database_error
from riskmetrics.cli.output import PrintableStream, configure_streams, echo_err
from riskmetrics.errors import ConfigurationError, RiskmetricsError, UsageError
from riskmetrics.text import simplify_validation

_COMMANDS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "First steps": {"demo": demo.demo, "init": init.init},
    "Your data": {
        "import": imports.app,
        "portfolio": portfolio_commands.app,
        "prices": price_commands.app,
        "symbols": symbol_commands.app,
        "layouts": layout_commands.app,
        "seed": seed.app,
    },
    "Run and schedule": {
        "run": run.run,
        "backfill": run.backfill,
        "catch-up": run.catch_up,
        "reprocess": reset.reprocess,
        "reset": reset.reset,
        "ui": shell.ui,
    },
    "Look at results": {
        "show": show.app,
        "report": report.report,
        "explain": explain.explain,
        "compare": compare.compare,
        "export": export.export,
    },
    "Insights, limits and alerts": {
        "ai": insight_commands.app,
        "mcp": mcp_command.mcp,
        "limits": limit_commands.app,
        "alert": alert.alert,
    },
    "Operations": {
        "status": status.status,
        "doctor": doctor.doctor,
        "db": db.app,
        "env": shell.env,
        "calibrate": calibrate.calibrate,
        "simulate": simulate_command.simulate,
    },
}
"""Commands and groups of commands by task, in the order of `riskmetrics --help`."""

_INTERRUPTED_EXIT_CODE = 130
_EXTRA_DAY = re.compile(r"unexpected extra argument.*\((\d{4}-\d\d-\d\d)\)")
_FREE_SPACE = "Free disk space, and repeat the command"
_ADVICE = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "Raise the limit of file sizes (ulimit -f), and repeat the command",
}
"""What to do about an error of the operating system."""


class _TaskGroup(TyperGroup):
    """The root group; typer alone would list its commands before its groups."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # of the base class
        """Return the names of all commands, by task."""
        return [name for commands in _COMMANDS.values() for name in commands]


app = typer.Typer(
    name="riskmetrics",
    cls=_TaskGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for _task, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name, rich_help_panel=_task)
        else:
            app.command(_name, rich_help_panel=_task)(_command)


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
    """Compute daily portfolio risk in your own Postgres.

    Start with `riskmetrics demo`. Every command has --help with an example.
    """


def main() -> None:
    """Run the command line; print an expected error to stderr and exit with its code."""
    configure_streams()
    # Ctrl-C while a connection closes would be logged with a traceback.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    # Collecting garbage during imports takes a seventh of a command's start; `connect_unmigrated`
    # turns it on again.
    gc.disable()
    if sys.stdout is not None and sys.stderr is not None:  # a shell can close them
        sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)
    sentence = ""
    try:
        code: int = app(standalone_mode=False) or 0
    except Exception as error:
        described = describe_failure(error)
        if described is None:
            raise
        code, sentence = described
    if code == _INTERRUPTED_EXIT_CODE:
        sentence = "interrupted; results stored so far are kept"
    if sentence:
        echo_err(f"riskmetrics: {sentence}")
    sys.exit(code)


def describe_failure(error: Exception) -> tuple[int, str] | None:
    """Return the exit code of an expected error and what to print, or None for a defect."""
    if isinstance(error, RiskmetricsError):
        return error.exit_code, str(error)
    if isinstance(error, typer.Abort):
        can_ask = sys.stdin is not None and sys.stdin.isatty()
        advice = "" if can_ask else ": without a terminal, pass --yes"
        return RiskmetricsError.exit_code, f"not confirmed, so nothing was done{advice}"
    if isinstance(error, typer.TyperException):
        return error.exit_code, _describe_wrong_arguments(error)
    if isinstance(error, UnicodeEncodeError):
        # The text is not shown: it may be a database URL with a password.
        character = error.object[error.start] if isinstance(error.object, str) else ""
        return UsageError.exit_code, (
            f"a text contains {character!a}, which is not valid in {error.encoding}. Use UTF-8 in"
            " arguments and settings, and a UTF-8 locale such as LC_ALL=C.UTF-8"
        )
    if isinstance(error, OSError):
        return RiskmetricsError.exit_code, _describe_os_error(error)
    sentence = describe_database_error(error)
    return None if sentence is None else (ConfigurationError.exit_code, sentence)


def _describe_os_error(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    advice = _ADVICE.get(error.errno or 0, "Check the path, its owner and its mode")
    return f"cannot read or write{where}: {error.strerror or error}. {advice}"


def _describe_wrong_arguments(error: Any) -> str:
    """Return what is wrong with the arguments, and where to read which are right."""
    if not (message := error.format_message()):
        return ""  # a group was named without a command, and its help is printed already
    text = simplify_validation(message)
    end = "" if text.endswith((".", "?")) else "."
    command = error.ctx.command_path if error.ctx else "riskmetrics"
    day = _EXTRA_DAY.search(text)
    if day and any("--date" in option.opts for option in error.ctx.command.params):
        return f"{day[1]} is without an option. Write {command} --date {day[1]}"
    return f"{text[0].lower()}{text[1:]}{end} See {command} --help"
