"""Where partitions begin: the first stored price, read only from a database that runs."""

import time
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.assets import partitions
from riskmetrics.db import embedded, first_session, tables
from riskmetrics.db.first_session import find_first_session, read_first_session
from tests.conftest import open_connection

FIRST = date(2017, 12, 1)


@pytest.fixture
def priced(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a database with two prices, which the settings have."""
    store_prices(database, FIRST, date(2022, 12, 28))
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    return database


def store_prices(url: str, *days: date) -> None:
    """Store a price of each day."""
    rows = [{"symbol": "AAPL", "date": day, "close": 1, "data_source": "test"} for day in days]
    with open_connection(url) as connection:
        connection.execute(sa.insert(tables.market_data_cache), rows)


def test_partitions_begin_with_the_first_stored_price(priced: str) -> None:
    with open_connection(priced) as connection:
        assert read_first_session(connection) == FIRST
    assert partitions._first_listed_session() == FIRST


def test_the_setting_goes_before_the_prices(priced: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMETRICS_FIRST_SESSION", "2020-01-02")
    assert partitions._first_listed_session() == date(2020, 1, 2)
    monkeypatch.setenv("RISKMETRICS_FIRST_SESSION", "1980-01-02")
    assert partitions._first_listed_session() == date(1991, 1, 2)


def test_prices_before_the_calendar_do_not_move_it(priced: str) -> None:
    store_prices(priced, date(1970, 1, 2))
    assert partitions._first_listed_session() == date(1991, 1, 2)


def test_partitions_begin_with_the_calendar_without_prices(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    assert find_first_session(settings.load()) is None
    assert partitions._first_listed_session() == date(1991, 1, 2)


def test_a_database_without_tables_has_no_first_session(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", empty_database)
    assert find_first_session(settings.load()) is None


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "no URL"])
def test_a_database_that_cannot_be_reached_is_not_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url)
    started = time.monotonic()
    assert find_first_session(settings.load()) is None
    assert time.monotonic() - started < 10


def test_no_embedded_server_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
    assert find_first_session(settings.load()) is None
    assert not (tmp_path / "home").exists()


def test_an_embedded_server_that_runs_is_asked(
    database: str,
    server: embedded.EmbeddedServer,
    fast_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store_prices(database, FIRST)
    name = sa.make_url(database).database
    with open_connection(database) as connection:  # as the server's own database grants them
        connection.execute(sa.text(f"GRANT CONNECT ON DATABASE {name} TO riskmetrics_reader"))
        connection.execute(sa.text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC"))
    monkeypatch.setenv("RISKMETRICS_HOME", str(fast_folder / "server"))
    monkeypatch.setattr(first_session, "DATABASE", name)
    assert find_first_session(settings.load()) == FIRST
