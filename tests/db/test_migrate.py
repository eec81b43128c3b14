"""Migration runner: when it migrates, when it refuses, and that it is atomic."""

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from riskmetrics.db import migrate
from riskmetrics.errors import SchemaError
from riskmetrics.settings import bundled_path
from tests.forked_commands import PATIENCE

RACER = (
    "from riskmetrics.db import engine, migrate; import sys;"
    " print(migrate.ensure_head(engine.create_engine(sys.argv[1])))"
)


@pytest.fixture
def own_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a copy of the revisions in a folder whose name has special characters."""
    copy = tmp_path / "100% ours"
    shutil.copytree(bundled_path("migrations"), copy)
    monkeypatch.setattr(migrate, "bundled_path", lambda _: copy)
    migrate.history.cache_clear()
    yield copy / "versions"
    migrate.history.cache_clear()


def add_revision(versions: Path, revision: str, statement: str) -> None:
    """Write a new revision that creates the table ``added`` and executes ``statement``."""
    (versions / f"{revision}_added.py").write_text(f'''"""Add something."""
from alembic import op

revision = "{revision}"
down_revision = "{migrate.head()}"


def upgrade():
    op.execute("CREATE TABLE added (day date)")
    op.execute("{statement}")


def downgrade():
    op.drop_table("added")
''')
    migrate.history.cache_clear()


def test_an_empty_database_is_migrated_once(empty: sa.Engine) -> None:
    assert migrate.ensure_head(empty) is True
    assert migrate.ensure_head(empty) is False
    with empty.connect() as connection:
        assert migrate.current(connection) == migrate.head()


def test_a_database_at_head_costs_milliseconds_and_no_alembic(database: str) -> None:
    """Run in a separate process, which does not import Alembic otherwise."""
    code = (
        "import sys, time; from riskmetrics.db import engine, migrate\nopened ="
        " engine.create_engine(sys.argv[1]); opened.connect().close(); start ="
        " time.process_time()\nprint(migrate.ensure_head(opened), 'alembic' in sys.modules,"
        " time.process_time() - start)"
    )
    changed, imported, seconds = subprocess.run(
        [sys.executable, "-c", code, database], capture_output=True, text=True, check=True
    ).stdout.split()
    assert (changed, imported) == ("False", "False")
    assert float(seconds) < 0.05


def test_of_four_processes_that_start_at_once_one_migrates_and_none_fails(
    empty_database: str,
) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, empty_database],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [racer.communicate(timeout=PATIENCE) for racer in racers]
    assert sorted(out.strip() for out, _ in answers) == ["False", "False", "False", "True"], answers


def test_a_revision_that_fails_rolls_everything_back_and_is_named(
    empty: sa.Engine, own_versions: Path
) -> None:
    add_revision(own_versions, "badbadbadbad", "SELECT 1 / 0")
    with pytest.raises(
        SchemaError,
        match=(
            r"upgrade .* to head: revision badbadbadbad failed: division by zero; nothing was"
            r" changed"
        ),
    ):
        migrate.ensure_head(empty)
    assert sa.inspect(empty).get_table_names() == []


def test_a_revision_that_is_added_runs_and_is_undone(engine: sa.Engine, own_versions: Path) -> None:
    before = migrate.head()
    add_revision(own_versions, "abcabcabcabc", "SELECT 1")
    assert migrate.head() == "abcabcabcabc"
    assert migrate.ensure_head(engine) is True
    assert sa.inspect(engine).has_table("added")
    assert migrate.downgrade(engine, before) is True
    assert not sa.inspect(engine).has_table("added")


@pytest.mark.parametrize("fault", ["missing", "fork", "nameless"])
def test_revisions_that_are_no_chain_are_refused(own_versions: Path, fault: str) -> None:
    if fault == "missing":
        next(own_versions.glob("h1i2j3k4l5m6_*.py")).unlink()
    elif fault == "fork":
        add_revision(own_versions, "aaaaaaaaaaaa", "SELECT 1")
        twin = (
            (own_versions / "aaaaaaaaaaaa_added.py")
            .read_text()
            .replace("aaaaaaaaaaaa", "bbbbbbbbbbbb")
        )
        (own_versions / "bbbbbbbbbbbb_added.py").write_text(twin)
    else:
        (own_versions / "cccccccccccc_added.py").write_text("upgrade = None\n")
    migrate.history.cache_clear()
    with pytest.raises(SchemaError, match=r"chain|is not a migration"):
        migrate.head()


def test_a_database_of_unknown_revision_is_refused(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'fffffffffff1'")
    for attempt in (migrate.ensure_head, lambda engine: migrate.downgrade(engine, "base")):
        with pytest.raises(
            SchemaError,
            match=r"fffffffffff1, unknown to .*: upgrade riskmetrics, or, .* inputs into a new one",
        ):
            attempt(engine)


def test_tables_without_a_revision_are_refused_until_they_are_stamped(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(
        SchemaError, match=r"has tables .*positions.* but no revision.*`riskmetrics db stamp REV`"
    ):
        migrate.ensure_head(engine)
    migrate.stamp(engine, "h1i2j3k4l5m6")
    with engine.connect() as connection:
        assert migrate.current(connection) == "h1i2j3k4l5m6"
    migrate.stamp(engine, "head")
    assert migrate.ensure_head(engine) is False


def test_several_revisions_at_once_are_refused(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('19c513d3bf90')")
    with pytest.raises(SchemaError, match="several revisions"):
        migrate.ensure_head(engine)


@pytest.mark.parametrize("action", [migrate.upgrade, migrate.downgrade, migrate.stamp])
def test_a_revision_that_does_not_exist_is_named(
    engine: sa.Engine, action: Callable[[sa.Engine, str], object]
) -> None:
    with pytest.raises(SchemaError, match=r"'nonsense'.*nothing was changed"):
        action(engine, "nonsense")


def test_waiting_for_another_process_ends_with_a_sentence(
    engine: sa.Engine, empty: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "50ms")
    with empty.begin() as connection:
        migrate.lock_migrations(connection)
        assert migrate.ensure_head(engine) is False  # another database's lock is not ours
        start = time.perf_counter()
        with pytest.raises(
            SchemaError, match=r"another process holds a lock on it \(waited 50ms\)"
        ):
            migrate.ensure_head(empty)
        assert time.perf_counter() - start < 30


def test_migrating_is_silent(
    empty: sa.Engine, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    migrate.ensure_head(empty)
    migrate.downgrade(empty, "19c513d3bf90")
    migrate.stamp(empty, "19c513d3bf90")
    assert capfd.readouterr() == ("", "")
    assert [record.name for record in caplog.records if record.name.startswith("alembic")] == []


def test_differences_say_what_departs_from_the_code(engine: sa.Engine) -> None:
    """Each planted difference is one sentence."""
    with engine.begin() as connection:
        assert migrate.list_differences(connection) == []
        connection.exec_driver_sql("""
            DROP TABLE database_settings;
            ALTER TABLE positions DROP COLUMN exit_price;
            ALTER TABLE portfolios ALTER currency TYPE text, ALTER currency DROP NOT NULL;
            ALTER TABLE portfolio_coverage DROP CONSTRAINT ck_portfolio_coverage_coverage;
            ALTER TABLE portfolio_coverage
                ADD CONSTRAINT ck_portfolio_coverage_coverage CHECK (coverage <= 2);
            DROP INDEX idx_pos_beta_lookup;
            CREATE UNIQUE INDEX once ON positions (symbol);
            ALTER TYPE insight_severity RENAME VALUE 'normal' TO 'usual';
        """)
        assert migrate.list_differences(connection) == [
            "column portfolios.currency is text; expected character varying(3) NOT NULL",
            "column positions.exit_price is missing; expected numeric(12,4)",
            (
                "constraint ck_portfolio_coverage_coverage on portfolio_coverage is CHECK (coverage"
                " <= 2::double precision); expected CHECK (coverage >= 0::double precision AND"
                " coverage <= 1::double precision)"
            ),
            (
                "enum insight_severity is info, usual, elevated, warning, critical; expected info,"
                " normal, elevated, warning, critical"
            ),
            (
                "index idx_pos_beta_lookup on position_market_betas is missing; expected CREATE"
                " INDEX idx_pos_beta_lookup ON position_market_betas USING btree (portfolio_id,"
                " calc_date)"
            ),
            (
                "index once on positions is unexpected: CREATE UNIQUE INDEX once ON positions"
                " USING btree (symbol)"
            ),
            "table database_settings is missing",
        ]
        assert connection.exec_driver_sql("SHOW search_path").scalar() == '"$user", public'


def test_the_bare_alembic_command_migrates_the_database_of_the_settings(
    empty: sa.Engine, empty_database: str
) -> None:
    environment = os.environ | {"RISKMETRICS_DATABASE_URL": empty_database}
    checkout = bundled_path("migrations").parent
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=checkout,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert migrate.ensure_head(empty) is False


def test_writing_the_migrations_as_a_script_is_refused_with_the_reason() -> None:
    config = Config()
    config.set_main_option("script_location", str(bundled_path("migrations")))
    with pytest.raises(CommandError, match="read the names of constraints"):
        command.upgrade(config, "head", sql=True)
