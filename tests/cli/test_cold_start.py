"""Modules that commands must not import: unlike seconds, the list is the same on all machines."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

RUNS_ONLY = {
    "dagster",
    "scipy",
    "statsmodels",
    "exchange_calendars",
    "alembic",
    "jinja2",
    "requests",
    "anthropic",
}
SCRIPT = """
import atexit, gc, sys
atexit.register(lambda: print(gc.isenabled(), *sys.modules, file=sys.stderr))
{}
"""


def _loaded(script: str) -> tuple[bool, set[str]]:
    """Run a script in a new process; return whether gc is on at its end, and loaded modules."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(script)], capture_output=True, text=True, check=False
    )
    collects, *modules = done.stderr.splitlines()[-1].split()
    return collects == "True", set(modules)


@pytest.mark.parametrize(
    "arguments", [("show", "betas"), ("portfolio", "list"), ("db", "current")], ids=" ".join
)
def test_a_command_that_shows_loads_nothing_that_only_runs_need(
    arguments: tuple[str, ...], database: str, monkeypatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    collects, modules = _loaded(
        f"sys.argv[1:] = {arguments}; from riskmetrics.cli.main import main; main()"
    )
    assert "psycopg" in modules
    assert RUNS_ONLY.isdisjoint(modules)
    assert collects


def test_the_asset_graph_loads_nothing_that_only_some_assets_need() -> None:
    """Whatever starts Dagster (a run, the UI, the schedule) imports the definitions first."""
    _, modules = _loaded("import riskmetrics.definitions")
    assert "dagster" in modules
    assert {
        "statsmodels",
        "jinja2",
        "anthropic",
        "alembic.command",
        "pyarrow.parquet",
        "dagster_webserver",
    }.isdisjoint(modules)


def test_a_run_collects_garbage_again_when_dagster_is_loaded(
    database: str, monkeypatch, tmp_path
) -> None:
    """The run fails later because no prices are stored."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path))
    collects, modules = _loaded(
        "sys.argv[1:] = ['run', '--date', '2022-12-28']; from riskmetrics.cli.main import main;"
        " main()"
    )
    assert "dagster" in modules
    assert collects
