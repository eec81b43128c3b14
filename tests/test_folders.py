"""Modes and owners of folders on a real file system, under several umasks and accounts."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics import folders, settings
from riskmetrics.cli import dagster_home, export, report
from riskmetrics.db import embedded
from riskmetrics.deadlines import run_with_timeout
from riskmetrics.errors import ConfigurationError, DatabaseError, UsageError
from tests.forked_commands import PATIENCE
from tests.other_account import ANOTHER, ORDINARY, call_as, needs_root


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """Return a folder that other accounts can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_what_is_created_is_private_whatever_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "above" / "home"
    folders.create_home(home)
    folders.create_private_folder(home / "part")
    with folders.private_umask():
        (home / "file").touch()
    assert [mode(path) for path in (home.parent, home, home / "part", home / "file")] == [
        0o700,
        0o700,
        0o700,
        0o600,
    ]


def test_the_umask_is_the_users_again_after_the_block_also_after_an_error(
    tmp_path: Path, umask: int
) -> None:
    with pytest.raises(ZeroDivisionError), folders.private_umask():
        1 / 0  # noqa: B018
    (tmp_path / "report").touch()
    assert mode(tmp_path / "report") == 0o666 & ~umask


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (0o777, 0o755),
        (0o773, 0o751),
        (0o702, 0o700),
        (0o775, 0o775),
        (0o2770, 0o2770),
        (0o755, 0o755),
        (0o1777, 0o1777),
    ],
    ids=oct,
)
def test_a_home_that_exists_is_closed_to_writes_only_where_everybody_may_write(
    tmp_path: Path, before: int, after: int
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(before)
    folders.create_home(tmp_path / "home")
    assert mode(tmp_path / "home") == after


@pytest.mark.parametrize("before", [0o777, 0o755, 0o701, 0o700, 0o500], ids=oct)
def test_a_private_folder_that_exists_gets_mode_0700(tmp_path: Path, before: int) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part").chmod(before)
    folders.create_private_folder(tmp_path / "part")
    assert mode(tmp_path / "part") == 0o700


@needs_root
def test_a_folder_of_another_ordinary_account_is_refused_and_one_of_root_is_not(
    reachable_folder: Path,
) -> None:
    for owner in (ANOTHER, ORDINARY, "root"):
        (reachable_folder / owner).mkdir(mode=0o755)
        shutil.chown(reachable_folder / owner, owner)
    answers = {
        owner: call_as(
            ORDINARY, lambda owner=owner: folders.create_private_folder(reachable_folder / owner)
        )
        for owner in (ANOTHER, ORDINARY, "root")
    }
    foreign = reachable_folder / ANOTHER
    assert answers == {
        ANOTHER: (
            f"ConfigurationError: {foreign} belongs to {ANOTHER}, but riskmetrics runs as"
            f" {ORDINARY}. Run `chown -R {ORDINARY} {foreign}` as root"
        ),
        ORDINARY: "None",
        "root": "None",
    }


@pytest.mark.integration
@needs_root
@pytest.mark.parametrize("folder_mode", [0o700, 0o755, 0o777])
def test_root_uses_no_folder_or_file_of_another_account(
    reachable_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder_mode: int,
) -> None:
    """The account could replace files that root reads, and create links where root writes."""
    home = reachable_folder / "it's"
    (home / "postgres").mkdir(parents=True)
    home.chmod(folder_mode)
    owner = pwd.getpwnam(ANOTHER).pw_uid
    names = ("", "postgres", "dagster.yaml", ".env")
    for name in names[2:]:
        (home / name).touch()
    (reachable_folder / "link").symlink_to(home)
    monkeypatch.chdir(home)
    calls = {
        home: lambda: folders.create_home(home),
        home.parent / "link": lambda: folders.create_home(home.parent / "link"),
        home / "postgres": lambda: embedded.connect_or_start(home),
        home / "dagster.yaml": lambda: dagster_home.prepare_home(home, is_default_home=False),
        Path(".env"): settings.load,
    }
    for path, call in calls.items():
        before = path.stat()
        os.chown(path, owner, -1)
        with pytest.raises(
            (ConfigurationError, DatabaseError), match=f" belongs to {ANOTHER}"
        ) as e:
            call()
        if folder_mode != 0o777:
            assert f"Run riskmetrics as {ANOTHER}, or give it to root" in str(e.value)
            subprocess.run(str(e.value).split("`")[1], shell=True, check=True)
            assert (path.stat().st_uid, path.stat().st_mode) == (0, before.st_mode)
        os.chown(path, 0, -1)


@needs_root
def test_root_does_not_follow_a_link_that_another_account_made(reachable_folder: Path) -> None:
    (reachable_folder / "link").symlink_to("home")
    (reachable_folder / "home").mkdir()
    os.lchown(reachable_folder / "link", pwd.getpwnam(ANOTHER).pw_uid, -1)
    with pytest.raises(ConfigurationError, match=f"link belongs to {ANOTHER}"):
        folders.create_home(reachable_folder / "link")


@needs_root
def test_a_home_of_another_account_keeps_its_mode(reachable_folder: Path) -> None:
    """Container volumes often belong to root and have mode 0777."""
    (reachable_folder / "volume").mkdir()
    (reachable_folder / "volume").chmod(0o777)
    assert call_as(ORDINARY, lambda: folders.create_home(reachable_folder / "volume")) == "None"
    assert mode(reachable_folder / "volume") == 0o777


@pytest.mark.parametrize(
    ("name", "expected"), [(b"caf\xe9", False), ("café".encode(), True), (b"\xed\xa0\x80", False)]
)
def test_names_that_are_not_utf8_are_told_from_those_that_are(name: bytes, expected: bool) -> None:
    assert folders.is_utf8(os.fsdecode(name)) is expected


@pytest.mark.parametrize("name", ["postgres.log", "postgres/deciding.lock", "postgres/users.lock"])
def test_a_pipe_in_place_of_a_file_of_the_server_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "postgres").mkdir()
    os.mkfifo(tmp_path / name)
    with pytest.raises(DatabaseError, match=f"{name} is a pipe, socket or device"):
        run_with_timeout(PATIENCE, lambda: embedded.connect_or_start(tmp_path, is_durable=False))


@pytest.mark.parametrize(
    "name", ["dagster.yaml", ".env", "creating.lock", "schedules/schedules.db"]
)
def test_a_pipe_in_place_of_a_file_of_dagster_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ConfigurationError, match=f"{name} is a pipe, socket or device"):
        dagster_home.prepare_home(tmp_path, is_default_home=False)


@needs_root
@pytest.mark.parametrize("command", ["report", "export"])
def test_a_link_that_another_account_put_into_a_shared_folder_is_not_followed(
    reachable_folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    reachable_folder.chmod(0o1777)
    target = reachable_folder / "of-the-victim"
    target.mkdir() if command == "export" else target.write_text("precious")
    link = reachable_folder / "link"
    link.symlink_to(target)

    def follow() -> None:
        if command == "report":
            report.write_file(link, b"page")
        else:
            export.export(link)

    os.lchown(link, pwd.getpwnam(ANOTHER).pw_uid, -1)
    with pytest.raises((PermissionError, UsageError), match=r"link belongs to another account"):
        follow()
    os.lchown(link, os.geteuid(), -1)
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with suppress(sa.exc.OperationalError):  # an own link leads on, to the database
        follow()
    assert command == "export" or target.read_text() == "page"


@needs_root
@pytest.mark.parametrize(
    ("folder_mode", "account", "is_refused"),
    [
        (0o1777, ANOTHER, True),
        (0o777, ANOTHER, True),
        (0o755, ANOTHER, True),
        (0o1777, "root", False),
    ],
)
def test_settings_that_another_account_put_into_a_shared_folder_are_refused(
    reachable_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder_mode: int,
    account: str,
    is_refused: bool,
) -> None:
    reachable_folder.chmod(folder_mode)
    (reachable_folder / ".env").write_text("RISKMETRICS_FMP_URL=http://evil.example")
    os.chown(reachable_folder / ".env", pwd.getpwnam(account).pw_uid, -1)
    monkeypatch.chdir(reachable_folder)
    if is_refused:
        reason = "(and .* is world-writable|who could)"
        with pytest.raises(ConfigurationError, match=f"^.env belongs to {account}, {reason}"):
            settings.load()
    else:
        assert settings.load().fmp_url == "http://evil.example"


@needs_root
@pytest.mark.parametrize("folder_mode", [0o1777, 0o777])
def test_what_a_stranger_put_into_a_shared_folder_is_refused(
    reachable_folder: Path, folder_mode: int
) -> None:
    """Dagster's instance file names code to run."""
    folder = reachable_folder / "planted"
    folder.mkdir()
    os.chown(folder, pwd.getpwnam(ANOTHER).pw_uid, -1)
    reachable_folder.chmod(folder_mode)
    with pytest.raises(ConfigurationError, match=f"belongs to {ANOTHER}, and .* is world-writable"):
        folders.create_private_folder(folder)
    assert f"belongs to {ANOTHER}, and " in call_as(ORDINARY, lambda: folders.create_home(folder))
    assert call_as(ANOTHER, lambda: folders.create_home(folder)) == "None"
