"""Dagster's home. Oracles: Dagster itself for paths, the file system for modes and owners."""

import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from riskmetrics import settings
from riskmetrics.cli import dagster_home, launch
from riskmetrics.dagster_events import BatchingEventLogStorage
from riskmetrics.errors import ConfigurationError
from tests.cli.conftest import Call
from tests.commands import invoke
from tests.other_account import ORDINARY, call_as, needs_root

pytestmark = pytest.mark.integration

DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Return a folder with a short path that other accounts can reach."""
    with tempfile.TemporaryDirectory(prefix="h") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def of_length(folder: Path, size: int) -> Path:
    """Return a path below a folder with the given length in bytes."""
    parts, left = [], size - len(str(folder))
    while left > 0:
        part = min(left - 1, 200 if left != 202 else 150)
        parts.append("x" * part)
        left -= part + 1
    path = folder.joinpath(*parts)
    assert len(str(path)) == size
    return path


def works(home: Path) -> bool:
    """Return whether Dagster stores a run and its events below a folder, and nowhere else."""
    home.mkdir(parents=True)
    try:
        with dg.DagsterInstance.local_temp(str(home)) as instance:
            run = create_run_for_test(instance)
            instance.report_run_failed(run)
            n_events = len(instance.all_logs(run.run_id))
    except Exception:  # noqa: BLE001  # whatever SQLAlchemy and Dagster raise
        return False
    return n_events > 0 and all(
        (home / name).exists() for name in (*DATABASES, f"history/runs/{run.run_id}.db")
    )


USABLE = "spa ce grüße 日 😀 100% %zz #'\"&=+ u:p@h :memory: {a}[b]$HOME;`x` \\ \n , ~"


@pytest.mark.parametrize("name", [USABLE, "x" * 200, "what?", "a?mode=memory", "a%20b", "a%2Fb"])
def test_a_path_is_refused_if_and_only_if_dagster_cannot_use_it(
    short_folder: Path, name: str
) -> None:
    assert (dagster_home.find_path_fault(short_folder / name) is None) == works(short_folder / name)


@pytest.mark.parametrize(
    ("size", "is_usable"),
    [(dagster_home.MAX_PATH_BYTES, True), (dagster_home.MAX_PATH_BYTES + 1, False), (850, False)],
)
def test_the_longest_path_that_dagster_can_use_is_the_longest_that_is_accepted(
    short_folder: Path, size: int, is_usable: bool
) -> None:
    home = of_length(short_folder, size)
    assert (dagster_home.find_path_fault(home) is None, works(home)) == (is_usable, is_usable)
    link = short_folder / "link"
    link.symlink_to(home)
    assert (dagster_home.find_path_fault(link) is None) == is_usable


EVENT_STORAGE = "event_log_storage: {module: %s, class: %s, config: {base_dir: HOME/history/runs}}"


@pytest.mark.parametrize(
    ("file", "is_batching"),
    [
        (None, True),
        ("", True),
        ("telemetry: {enabled: false}", True),
        ("storage: {sqlite: {base_dir: HOME}}", False),
        (EVENT_STORAGE % ("dagster._core.storage.event_log", "SqliteEventLogStorage"), False),
        (EVENT_STORAGE % ("riskmetrics.dagster_events", "BatchingEventLogStorage"), True),
    ],
    ids=["the bundled file", "an empty file", "an earlier file", "a storage", "Dagster's", "ours"],
)
def test_own_runs_write_batches_unless_the_file_of_the_home_names_a_storage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str | None, is_batching: bool
) -> None:
    home = tmp_path / "dagster"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    if file is not None:
        home.mkdir()
        (home / "dagster.yaml").write_text(file.replace("HOME", str(home)))
    with launch._open_instance(settings.load()) as instance:
        assert isinstance(instance.event_log_storage, BatchingEventLogStorage) == is_batching
        run = create_run_for_test(instance)
        instance.report_run_failed(run)
        events = instance.all_logs(run.run_id)
    assert len(events) > 0
    with dg.DagsterInstance.from_config(str(home)) as other:  # as the UI and the doctor open it
        is_named = "BatchingEventLogStorage" in (home / "dagster.yaml").read_text()
        assert isinstance(other.event_log_storage, BatchingEventLogStorage) == is_named
        assert other.all_logs(run.run_id) == events
        other.report_engine_event("seen", other.get_run_by_id(run.run_id))
    with launch._open_instance(settings.load()) as instance:
        assert len(instance.all_logs(run.run_id)) == len(events) + 1


COMMANDS = [
    ("run", "--date", "2022-12-28", "--offline"),
    ("backfill", "--from", "2022-12-27", "--to", "2022-12-28", "--offline"),
    ("reprocess", "--all", "--from", "2022-12-28", "--to", "2022-12-28", "--yes"),
    ("demo",),
    ("ui", "--port", "0"),
    ("env",),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_every_command_that_opens_the_instance_refuses_in_one_sentence(
    call: Call, monkeypatch, tmp_path, arguments
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "what?"))
    error = call(*arguments).exception
    assert isinstance(error, ConfigurationError)
    assert error.exit_code == 6
    assert str(error).startswith(
        f"Dagster cannot store its files in {tmp_path / 'what?'}: its SQLite storage cannot use"
    )
    assert str(error).endswith("Set DAGSTER_HOME to another directory")
    assert not (tmp_path / "what?").exists()


def test_doctor_names_a_path_that_dagster_cannot_use(call: Call, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "a%20b"))
    result = call("doctor")
    assert result.exit_code == 6
    assert (
        f"fail  dagster        Dagster cannot store its files in {tmp_path / 'a%20b'}: its SQLite"
        " storage reads %20" in result.stdout
    )


def test_only_dagster_is_refused_where_its_home_alone_cannot_be_used(
    call: Call, monkeypatch, tmp_path
) -> None:
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "what?"))
    assert call("db", "current").exit_code == 0
    assert isinstance(call("env").exception, ConfigurationError)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    assert call("env").exit_code == 0


def _modes(home: Path) -> dict[str, int]:
    return {
        str(path.relative_to(home.parent)): stat.S_IMODE(path.stat().st_mode)
        for path in (home, *home.rglob("*"))
    }


@pytest.mark.parametrize(
    "is_made_before", [False, True], ids=["new home", "home and folder made with mode 0777"]
)
@pytest.mark.parametrize("is_set", [False, True], ids=["default", "DAGSTER_HOME"])
def test_a_run_under_umask_000_leaves_nothing_that_others_can_use(
    call: Call, monkeypatch, tmp_path, is_made_before, is_set
) -> None:
    home = tmp_path / "above" / "home"
    monkeypatch.setenv("RISKMETRICS_HOME", str(home))
    if is_set:
        monkeypatch.setenv("DAGSTER_HOME", str(home / "elsewhere"))
    folder = home / ("elsewhere" if is_set else "dagster")
    before = os.umask(0)
    try:
        if is_made_before:
            (folder / "history" / "runs").mkdir(parents=True)
        call("run", "--date", "2022-12-28", "--offline", "--assets", "market_prices")
        (tmp_path / "later").touch()
    finally:
        os.umask(before)
    found = _modes(folder)
    made_by_user = (
        {folder.name} if is_made_before and is_set else set()
    )  # a folder that a setting names keeps what others may read
    assert {
        name: oct(mode)
        for name, mode in found.items()
        if mode & (0o022 if name in made_by_user else 0o077)
    } == {}
    assert {
        f"{folder.name}/{name}" for name in (*DATABASES, "dagster.yaml", "creating.lock")
    } <= set(found)
    assert stat.S_IMODE((folder if is_set else home).stat().st_mode) == (
        0o755 if is_made_before else 0o700
    )
    assert stat.S_IMODE((tmp_path / "later").stat().st_mode) == 0o666


def test_links_in_a_home_are_not_followed_to_what_they_would_overwrite(tmp_path: Path) -> None:
    """Another account with write permission could have planted links to files of this one."""
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "home").mkdir()
    for name in ("creating.lock", f"dagster.yaml.{os.getpid()}"):
        (tmp_path / "home" / name).symlink_to(tmp_path / "precious")
    dagster_home.prepare_home(tmp_path / "home", is_default_home=False)
    refused = pytest.raises(
        ConfigurationError, match=r"cannot write .*creating\.lock: Too many levels"
    )
    with refused, launch._lock_creation(tmp_path / "home"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


@needs_root
@pytest.mark.parametrize(
    "foreign",
    ["", "history", "history/runs.db", "history/runs/index.db-wal", "schedules", "creating.lock"],
)
def test_what_root_left_in_a_home_is_named_with_its_owner_and_the_command(
    short_folder: Path, foreign: str
) -> None:
    home = short_folder / "dagster"
    for folder in ("history/runs", "schedules"):
        (home / folder).mkdir(parents=True)
    for name in (*DATABASES, "history/runs/index.db-wal", "creating.lock", "dagster.yaml"):
        (home / name).touch()
    for path in (home, *home.rglob("*")):
        shutil.chown(path, ORDINARY)
    prepare = lambda: dagster_home.prepare_home(home, is_default_home=False)  # noqa: E731
    assert call_as(ORDINARY, prepare) == "None"
    shutil.chown(home / foreign, "root")
    assert (
        call_as(ORDINARY, prepare)
        == f"ConfigurationError: Dagster cannot store its files in {home}: {home / foreign} belongs"
        f" to root, but riskmetrics runs as {ORDINARY}. Run `chown -R {ORDINARY} {home}` as root."
        " Set DAGSTER_HOME to another directory"
    )
    with pytest.raises(ConfigurationError, match=f"belongs to {ORDINARY}, who could change what"):
        prepare()


@pytest.mark.integration
@needs_root
@pytest.mark.parametrize("is_new", [True, False])
def test_a_home_on_a_file_system_mounted_read_only_is_refused(
    short_folder: Path, is_new: bool
) -> None:
    script = (
        "import sys; from pathlib import Path; from riskmetrics.cli import dagster_home as d\n"
        "try: d.prepare_home(Path(sys.argv[1]), is_default_home=False)\n"
        "except d.ConfigurationError as error: print(error)"
    )
    home = short_folder / "home" if is_new else short_folder
    mount = f"mount -t tmpfs -o ro tmpfs {short_folder}"
    if subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting is not allowed here")
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'{mount} && exec "$@"',
        "sh",
        sys.executable,
        "-c",
        script,
        str(home),
    ]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert said.startswith(
        f"Dagster cannot store its files in {home}: Read-only file system: {home}"
    )


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda home: home.touch(), "File exists: {home}"),
        (lambda home: home.symlink_to("nowhere"), "File exists: {home}"),
        (
            lambda home: (home / "creating.lock").mkdir(parents=True),
            "cannot write {home}/creating.lock: Is a directory",
        ),
        (lambda home: (home.mkdir(), (home / "history").touch()), "File exists: {home}/history"),
        (
            lambda home: (home.mkdir(), (home / "dagster.yaml").write_text("nonsense: 1")),
            "Dagster's storage does not open",
        ),
    ],
)
def test_an_obstacle_is_reported_in_one_sentence(
    call: Call, monkeypatch, tmp_path, make: Callable[[Path], object], fault: str
) -> None:
    home = tmp_path / "dagster"
    make(home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    error = call("run", "--date", "2022-12-28", "--offline", "--assets", "market_prices").exception
    assert isinstance(error, ConfigurationError)
    assert fault.format(home=home) in str(error)
    assert "\n" not in str(error)


def test_an_instance_file_that_does_not_fit_on_the_disk_is_not_left_half_written(
    tmp_path: Path,
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(ConfigurationError, match="File too large"):
            dagster_home.prepare_home(tmp_path, is_default_home=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    dagster_home.prepare_home(tmp_path, is_default_home=False)
    assert (tmp_path / "dagster.yaml").read_bytes() == settings.bundled_path(
        "dagster.yaml"
    ).read_bytes()


def test_a_symlinked_home_works_and_stays_a_link(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "link"))
    assert launch.prepare_instance(settings.load()) == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "dagster.yaml").exists()


@pytest.mark.integration
def test_the_environment_of_plain_dagster_has_the_bytes_of_a_name_that_is_not_utf8(
    monkeypatch, tmp_path: Path
) -> None:
    home = tmp_path / os.fsdecode(b"caf\xe9 'x'")
    monkeypatch.setenv("RISKMETRICS_HOME", str(home))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    printed = invoke("env").stdout_bytes
    shown = subprocess.run(
        ["sh", "-c", printed + b'printf %s "$RISKMETRICS_HOME"'], capture_output=True, check=True
    ).stdout
    assert shown == os.fsencode(home)
