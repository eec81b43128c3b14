"""`riskmetrics env` and `riskmetrics ui`: Dagster's own commands on the same instance."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from typing import Annotated

import typer

from riskmetrics import folders
from riskmetrics.cli.options import AsJson
from riskmetrics.cli.output import print_json, say


def env(as_json: AsJson = False) -> None:
    """Print the settings that plain `dagster` commands need, for a shell to evaluate.

    Example: eval "$(riskmetrics env)" && dagster job list -m riskmetrics.definitions
    """
    variables = _variables()
    if as_json:
        print_json(variables)
        return
    for name, value in variables.items():
        typer.echo(os.fsencode(f"export {name}={shlex.quote(value)}"))


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; Dagster's UI has no login.")] = "127.0.0.1",
) -> None:
    """Start Dagster's own UI and daemon: graph, runs and backfills.

    Example: riskmetrics ui --port 3000
    """
    from dotenv import dotenv_values

    from riskmetrics.cli.database import connected
    from riskmetrics.errors import UsageError
    from riskmetrics.settings import bundled

    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port} ({error.strerror}): choose another --port") from None
    # The successor of `dagster dev` that it names is a package with thirty more, a client of Dagster's cloud among them.
    command = [sys.executable, "-W", "ignore:Function `dev_command` is superseded", "-m", "dagster", "dev"]
    command += ["--workspace", str(bundled("workspace.yaml")), "--host", host, "--port", str(port)]
    ours = _variables()  # says what is wrong with .env before it is read here
    stated = {name: value for name, value in dotenv_values(".env").items() if value and not os.environ.get(name)}
    variables = {**os.environ, **stated, **ours}
    with connected():  # says what is wrong with the database first, and keeps an embedded server up as long as the UI
        say(f"Dagster's UI: http://{host}:{port} in about ten seconds  (Ctrl-C stops it)")
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts it in the background has it ignored, by children too
        # In a session of its own it gets no Ctrl-C from the terminal, but one SIGINT from us: on SIGTERM it leaves its servers behind.
        # In its own folder it does not warn that the checkout's dagster.yaml is not the one it uses; what .env says goes with it.
        process = subprocess.Popen(  # noqa: S603  # fixed words
            command,
            env=variables,
            cwd=variables["DAGSTER_HOME"],
            start_new_session=True,
            umask=folders.PRIVATE_UMASK,
        )
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: process.send_signal(signal.SIGINT))
        code = process.wait()
    raise typer.Exit(0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else 1)


def _variables() -> dict[str, str]:
    """Return the environment of plain Dagster commands; a database password is not in it, it stays where it was set."""
    from riskmetrics import settings
    from riskmetrics.cli.launch import FEWER_EVENTS, prepare_instance

    configured = settings.load()
    return {
        "DAGSTER_HOME": str(prepare_instance(configured)),
        "RISKMETRICS_HOME": str(configured.home_directory),
        **FEWER_EVENTS,
    }
