"""Deployment files: checked by the programs that read them, and compared with each other."""

import itertools
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from riskmetrics.db import migrate
from tests.conftest import COMMAND
from tests.deploy.conftest import CHECKOUT, COMPOSE


def test_the_compose_file_is_one() -> None:
    """Oracle: the schema of the compose specification in check-jsonschema."""
    checker = Path(COMMAND).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", CHECKOUT / "docker-compose.yml"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


def test_nothing_is_published_beyond_loopback_and_no_password_has_a_default() -> None:
    published = [
        port for service in COMPOSE["services"].values() for port in service.get("ports", [])
    ]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)
    needed = re.findall(r"\$\{(\w*PASSWORD)(.)", (CHECKOUT / "docker-compose.yml").read_text())
    assert {name for name, _ in needed} == {
        f"{name}_PASSWORD" for name in ("POSTGRES", "OWNER", "WRITER", "READER", "GRAFANA")
    }
    assert {sign for _, sign in needed} == {":"}


def test_only_the_migration_knows_the_owners_password_and_no_process_is_root() -> None:
    knowing = {
        name for name, service in COMPOSE["services"].items() if "OWNER_PASSWORD" in str(service)
    }
    assert knowing == {"postgres", "migrate"}
    assert re.findall(r"^USER (\w+)$", (CHECKOUT / "Dockerfile").read_text(), re.M) == [
        "riskmetrics"
    ]


def test_the_wheel_of_the_image_can_be_built_of_what_the_build_context_admits(
    tmp_path: Path,
) -> None:
    """Built by the command of the Dockerfile, without network."""
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    admitted = [line[1:] for line in ignored if line.startswith("!")]
    for name in admitted:
        source, target = CHECKOUT / name, tmp_path / "context" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            if source.is_dir()
            else shutil.copyfile(source, target)
        )
    (options,) = re.findall(r"/bin/pip wheel (.*) \.", (CHECKOUT / "Dockerfile").read_text())
    command = [sys.executable, "-m", "pip", "wheel", *options.split(), "."]
    subprocess.run(command, cwd=tmp_path / "context", check=True, capture_output=True)
    (wheel,) = (tmp_path / "context" / "dist").glob("riskmetrics-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any(
        name.startswith(f"riskmetrics/_bundled/migrations/versions/{migrate.head()}_")
        for name in names
    )
    assert "riskmetrics/cli/main.py" in names
    assert "riskmetrics/_bundled/deploy/postgres/roles.sql" in names
    assert [name for name in names if ".env" in name or "tests/" in name] == []


def test_workers_are_of_the_same_image_and_reach_nothing_but_their_scheduler_and_postgres() -> None:
    """Dask's ports have no login, so nothing publishes them."""
    services = {name: COMPOSE["services"][f"dask-{name}"] for name in ("scheduler", "worker")}
    for service in services.values():
        assert service["profiles"] == ["dask"]
        assert service["image"] == COMPOSE["services"]["code"]["image"]
        assert service["environment"] == COMPOSE["services"]["code"]["environment"]
        assert "ports" not in service
    program = {name: service["command"][:2] for name, service in services.items()}
    assert program == {"scheduler": ["dask", "scheduler"], "worker": ["dask", "worker"]}
    port = services["scheduler"]["command"][services["scheduler"]["command"].index("--port") + 1]
    assert services["worker"]["command"][2] == f"tcp://dask-scheduler:{port}"


def test_the_image_has_what_is_locked_for_every_installation_and_dask() -> None:
    """Pins and hashes are those of the other locks."""
    dask, core, dev = (
        _locked(CHECKOUT / f"requirements{name}.lock") for name in ("-dask", "", "-dev")
    )
    assert core.items() <= dask.items() <= (core | dev).items()
    assert "distributed" in dask
    assert "requirements-dask.lock" in (CHECKOUT / "Dockerfile").read_text()


def _locked(file: Path) -> dict[str, str]:
    """Return pin and hashes by package."""
    pins = re.split(r"^(?=\w)", file.read_text(), flags=re.M)[1:]
    return {pin.partition("==")[0]: pin.strip() for pin in pins}


def test_systemd_runs_the_commands_of_the_compose_file() -> None:
    for name in ("code", "webserver", "daemon"):
        unit = (CHECKOUT / "deploy" / "systemd" / f"riskmetrics-{name}.service").read_text()
        (command,) = re.findall(r"^ExecStart=/opt/riskmetrics/bin/(.*)$", unit, re.M)
        assert command.split() == [
            word.replace("0.0.0.0", "127.0.0.1") for word in COMPOSE["services"][name]["command"]
        ]
    migrate = (CHECKOUT / "deploy" / "systemd" / "riskmetrics-migrate.service").read_text()
    commands = re.findall(r"^ExecStart=/opt/riskmetrics/bin/(.*)$", migrate, re.M)
    assert " && ".join(commands) == COMPOSE["services"]["migrate"]["command"][-1]


def test_what_the_services_of_systemd_write_is_private() -> None:
    units = [unit.read_text() for unit in (CHECKOUT / "deploy" / "systemd").glob("*.service")]
    assert len(units) == 4
    assert all("\nUMask=0077\n" in unit.partition("[Service]")[2] for unit in units)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """Oracle: systemd's own check of units whose commands exist."""
    for unit in (CHECKOUT / "deploy" / "systemd").glob("*.service"):
        text = (
            unit.read_text()
            .replace("/opt/riskmetrics/bin", str(Path(COMMAND).parent))
            .replace("User=riskmetrics", "User=root")
        )
        (tmp_path / unit.name).write_text(text)
    checked = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        ["systemd-analyze", "verify", *checked], capture_output=True, text=True, check=False
    )
    assert len(checked) == 4
    assert [line for line in done.stderr.splitlines() if "riskmetrics-" in line] == []


def test_the_settings_of_systemd_are_those_of_the_compose_file() -> None:
    lines = (CHECKOUT / "deploy" / "systemd" / "riskmetrics.env").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert names == set(COMPOSE["x-riskmetrics"]["environment"])
    assert yaml.safe_load((CHECKOUT / "deploy" / "workspace.yaml").read_text())["load_from"][0][
        "grpc_server"
    ]["host"] == {"env": "DAGSTER_CODE_HOST"}


UNITS = {"percentunit", "dateTimeAsIso", "none", "short"}
"""Units of Grafana that the dashboards may use, of its list of value formats."""


@pytest.mark.parametrize(
    "path",
    sorted((CHECKOUT / "deploy/grafana/dashboards").glob("*.json")),
    ids=lambda path: path.stem,
)
def test_the_panels_of_a_dashboard_neither_overlap_nor_leave_its_24_columns(path: Path) -> None:
    panels = json.loads(path.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place, fields = panel["gridPos"], panel["fieldConfig"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        found = {fields["defaults"].get("unit", "none")} | {
            each["value"]
            for override in fields["overrides"]
            for each in override["properties"]
            if each["id"] == "unit"
        }
        assert found <= UNITS
    for one, other in itertools.combinations(panels, 2):
        a, b = one["gridPos"], other["gridPos"]
        is_beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        is_above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert is_beside or is_above, (one["title"], other["title"])
