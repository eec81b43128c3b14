"""External databases in encodings other than UTF-8, and text that they cannot store."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from riskmetrics.cli.database import describe_database_error
from riskmetrics.db import input_writes, migrate, tables
from riskmetrics.db.engine import create_engine
from riskmetrics.errors import DatabaseError
from tests.commands import invoke
from tests.conftest import open_connection

NAMES = {"€": "Über €", "中": "中文公司"}


@pytest.fixture(scope="module", params=["LATIN1", "SQL_ASCII"])
def foreign(request: pytest.FixtureRequest, server) -> Iterator[tuple[str, str]]:
    """Return encoding and URL of a database at head."""
    name, encoding = f"encoding_{request.param.lower()}", request.param
    address = server.url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        settings = f"ENCODING '{encoding}' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {settings}".encode())
    engine = create_engine(server.database_url(name))
    migrate.ensure_head(engine)
    engine.dispose()
    yield encoding, server.database_url(name)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def run(url: str, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Return exit code and message of a command."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url)
    result = invoke(*arguments)
    error = result.exception
    if error is None or isinstance(error, SystemExit):
        return result.exit_code, result.output
    return getattr(error, "exit_code", 6), describe_database_error(error) or str(error)


def count(url: str, table: sa.Table) -> int:
    with open_connection(url) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_the_encoding_lacks_is_a_sentence_and_nothing_is_stored(
    foreign, name, tmp_path, monkeypatch
):
    encoding, url = foreign
    profiles, holdings = tmp_path / "profiles.csv", tmp_path / "holdings.csv"
    profiles.write_text(f"symbol,name\nA,Plain\nB,{name}\n")
    holdings.write_text("symbol,quantity\nA,1\n")
    for arguments, table in (
        (("import", "profiles", str(profiles)), tables.company_profiles),
        (
            ("import", "portfolio", str(holdings), "--name", name, "--equity", "1"),
            tables.portfolios,
        ),
    ):
        before = count(url, table)
        code, said = run(url, *arguments, monkeypatch=monkeypatch)
        if encoding == "LATIN1":
            assert code == 6
            assert "encoding cannot store a character" in said
            assert "ENCODING 'UTF8'" in said
            assert count(url, table) == before
        else:
            assert code == 0, said


def test_letters_that_the_encoding_has_come_back_as_they_went_in(foreign, tmp_path, monkeypatch):
    _, url = foreign
    path = tmp_path / "profiles.csv"
    path.write_text("symbol,name\nZ,Zürich Größe\n")
    assert run(url, "import", "profiles", str(path), monkeypatch=monkeypatch)[0] == 0
    with open_connection(url) as connection:
        column = tables.company_profiles.c.company_name
        assert (
            connection.scalar(sa.select(column).where(tables.company_profiles.c.symbol == "Z"))
            == "Zürich Größe"
        )


def test_a_rejected_row_does_not_keep_the_good_ones_out(foreign, tmp_path: Path, monkeypatch):
    encoding, url = foreign
    path = tmp_path / "profiles.csv"
    path.write_text("symbol,name\nGOOD,Plain\n€€,Bad\n")
    assert run(url, "import", "profiles", str(path), monkeypatch=monkeypatch)[0] == 4
    rejected = tables.rejected_rows.c.raw_row
    with open_connection(url) as connection:
        raw = connection.scalar(sa.select(rejected).where(rejected.like("%,Bad")))
    assert raw == ("\\u20ac\\u20ac,Bad" if encoding == "LATIN1" else "€€,Bad")


def test_a_rejected_row_may_hold_anything(connection):
    rows = [(1, "\ud800\x00", "bad"), (2, "€", "bad")]
    assert input_writes.store_rejected_rows(connection, "prices", "file", rows) == 2
    stored = connection.scalars(
        sa.select(tables.rejected_rows.c.raw_row).order_by(tables.rejected_rows.c.line)
    )
    assert list(stored) == ["?\ufffd", "€"]


@pytest.mark.parametrize("foreign", ["LATIN1"], indirect=True)  # the other stores any bytes
def test_a_database_error_is_what_a_lacking_character_raises(foreign):
    _, url = foreign
    import pandas as pd

    from riskmetrics.db import write

    with (
        pytest.raises(DatabaseError, match="company_profiles: the database encoding cannot store"),
        open_connection(url) as connection,
    ):
        write.upsert_rows(
            connection,
            tables.company_profiles,
            pd.DataFrame({"symbol": ["A"], "company_name": ["€"]}),
            key=["symbol"],
        )
