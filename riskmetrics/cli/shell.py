"""`riskmetrics env` and `riskmetrics ui`: use Dagster's own commands on the same instance."""

import os
import shlex
import signal
import subprocess
import sys
from typing import Annotated

import typer

from riskmetrics import folders
from riskmetrics.addresses import LOOPBACK, require_free_port
from riskmetrics.cli.database import connect_at_head
from riskmetrics.cli.output import echo_err, print_json
from riskmetrics.cli.shared_options import AsJson


def env(as_json: AsJson = False) -> None:
    """Print the environment variables for `dagster` commands.

    Example: eval "$(riskmetrics env)" && dagster job list -m riskmetrics.definitions
    """
    variables = _dagster_environment()
    if as_json:
        print_json(variables)
        return
    for name, value in variables.items():
        typer.echo(os.fsencode(f"export {name}={shlex.quote(value)}"))


def ui(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine.")] = 3000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; Dagster's UI has no login.")
    ] = LOOPBACK,
) -> None:
    """Start Dagster's UI and daemon: asset graph, runs and backfills.

    Example: riskmetrics ui --port 3000
    """
    from dotenv import dotenv_values

    require_free_port(port, host)
    own_variables = _dagster_environment()  # reports faults of .env before it is read here
    dotenv_variables = {
        name: value
        for name, value in dotenv_values(".env").items()
        if value and not os.environ.get(name)
    }
    variables = {**os.environ, **dotenv_variables, **own_variables}
    # Report a database error first, and keep an embedded server up as long as the UI runs.
    with connect_at_head():
        echo_err(f"Dagster's UI: http://{host}:{port} in about ten seconds  (Ctrl-C stops it)")
        # A shell that starts this in the background ignores SIGINT, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Its own session receives no Ctrl-C from the terminal, only one SIGINT from this process:
        # on SIGTERM it would leave its servers running. In DAGSTER_HOME it does not warn about the
        # dagster.yaml of a checkout; the variables of .env are passed on.
        process = subprocess.Popen(  # noqa: S603  # fixed words
            _ui_command(host, port),
            env=variables,
            cwd=variables["DAGSTER_HOME"],
            start_new_session=True,
            umask=folders.PRIVATE_UMASK,
        )
        for stop_signal in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop_signal, lambda *_: process.send_signal(signal.SIGINT))
        code = process.wait()
    raise typer.Exit(0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else 1)


def _ui_command(host: str, port: int) -> list[str]:
    from riskmetrics.settings import bundled_path

    # The successor that the warning names would add thirty packages, one a client of Dagster Cloud.
    options = ["-W", "ignore:Function `dev_command` is superseded", "-m", "dagster", "dev"]
    workspace = str(bundled_path("workspace.yaml"))
    address = ["--host", host, "--port", str(port), "--log-level", "warning"]
    return [sys.executable, *options, "--workspace", workspace, *address]


def _dagster_environment() -> dict[str, str]:
    """Return the environment of Dagster commands; it never includes a database password."""
    from riskmetrics import settings
    from riskmetrics.cli.launch import DAGSTER_EVENT_SETTINGS, prepare_instance

    configured = settings.load()
    return {
        "DAGSTER_HOME": str(prepare_instance(configured)),
        "RISKMETRICS_HOME": str(configured.home_directory),
        **DAGSTER_EVENT_SETTINGS,
    }
