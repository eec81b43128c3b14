"""`riskmetrics env` and `riskmetrics ui`: Dagster's own commands on the same instance."""

import os
import shlex
import sys
from typing import Annotated

import typer

from riskmetrics.cli.options import AsJson
from riskmetrics.cli.output import print_json, say


def env(as_json: AsJson = False) -> None:
    """Print the settings that plain `dagster` commands need, for a shell to evaluate.

    Example: eval "$(riskmetrics env)" && dagster job list
    """
    variables = _variables()
    if as_json:
        print_json(variables)
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; Dagster's UI has no login.")] = "127.0.0.1",
) -> None:
    """Start Dagster's own UI and daemon: graph, runs, backfills, schedules.

    Example: riskmetrics ui --port 3000
    """
    from riskmetrics.cli.database import connected

    with connected():
        pass  # says what is wrong with the database before the UI is up
    say(f"Dagster's UI: http://{host}:{port}  (Ctrl-C stops it)")
    os.environ.update(_variables())
    command = [sys.executable, "-m", "dagster", "dev", "-h", host, "-p", str(port)]
    os.execv(sys.executable, command)  # noqa: S606  # no shell is meant


def _variables() -> dict[str, str]:
    """Return the environment of plain Dagster commands; a database password is not in it, it stays where it was set."""
    from riskmetrics import settings
    from riskmetrics.cli.launch import prepare_instance

    configured = settings.load()
    return {
        "DAGSTER_HOME": str(prepare_instance(configured)),
        "DAGSTER_MODULE_NAME": "riskmetrics.definitions",  # what Dagster's commands load, in whatever directory
        "RISKMETRICS_HOME": str(configured.home_directory),
    }
