"""Choice of the database, spellings of its URL, and redaction of its password."""

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from riskmetrics.db import copy, engine
from riskmetrics.db.roles import Role
from riskmetrics.errors import ConfigurationError, DatabaseError
from riskmetrics.settings import Settings

PASSWORD = "s3cr3t-p@ss/w:rd"
ESCAPED = "s3cr3t-p%40ss%2Fw%3Ard"


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"],
)
def test_every_usual_scheme_is_one_for_psycopg(scheme):
    url = engine.normalize_url(f"{scheme}://risk:{ESCAPED}@db.example:6543/metrics")
    assert (url.drivername, url.username, url.password) == ("postgresql+psycopg", "risk", PASSWORD)
    assert (url.host, url.port, url.database) == ("db.example", 6543, "metrics")


@pytest.mark.parametrize(
    ("query", "understood"),
    [
        ("ssl=require", {"sslmode": "require"}),
        ("sslmode=disable&a=b", {"sslmode": "disable", "a": "b"}),
    ],
)
def test_the_ssl_option_of_asyncpg_is_that_of_libpq(query, understood):
    assert (
        dict(engine.normalize_url(f"postgresql+asyncpg://risk@db/metrics?{query}").query)
        == understood
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"mysql://risk:{ESCAPED}@db/metrics", "must start with postgresql://, not mysql://"),
        (f"risk:{ESCAPED}@db/metrics", "cannot be read; expected postgresql://"),
        (f"postgresql://risk:{ESCAPED}@db:port/metrics", "cannot be read; expected postgresql://"),
        (f"postgresql//risk:{PASSWORD}@db", "cannot be read; expected postgresql://"),
        ("postgresql://risk:x@/s3cr3t@db/metrics", "contains two @ signs"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(text, sentence):
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        engine.normalize_url(text)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_settings_url_is_used_and_its_password_is_shown_nowhere():
    settings = Settings(RISKMETRICS_DATABASE_URL=f"postgres://risk:{ESCAPED}@127.0.0.1:1/metrics")
    opened = engine.open_engine(settings)
    with pytest.raises(OperationalError) as caught:
        opened.connect()
    for text in (str(caught.value), repr(settings), repr(opened), str(opened.url)):
        assert "s3cr3t" not in text


@pytest.mark.parametrize(
    "given",
    [
        f"postgres://risk:{ESCAPED}@db:6543/metrics",
        f"postgresql+asyncpg://risk@db:6543/metrics?password={ESCAPED}",
    ],
)
def test_a_database_is_described_without_its_password(given):
    assert engine.redact_url(engine.normalize_url(given)) == "postgresql://risk@db:6543/metrics"


def test_without_a_url_the_embedded_server_under_home_is_used(server, monkeypatch, tmp_path):
    """The server of the test suite replaces a new one."""
    homes = []
    monkeypatch.setattr(
        "riskmetrics.db.embedded.connect_or_start", lambda home: homes.append(home) or server
    )
    engine._embedded_server.cache_clear()
    try:
        settings = Settings(RISKMETRICS_HOME=tmp_path)
        assert [engine.database_url(settings, role) for role in Role] == [
            sa.make_url(server.database_url(role=role)) for role in Role
        ]
    finally:
        engine._embedded_server.cache_clear()
    assert homes == [tmp_path]


@pytest.mark.parametrize(
    ("version", "refused"), [(130_022, True), (90_603, True), (140_000, False)]
)
def test_a_server_older_than_14_is_refused(database, monkeypatch, version, refused):
    """No such server is available: a newer one reports the version."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda _: version))
    opened = engine.create_engine(database)
    if refused:
        with pytest.raises(
            DatabaseError,
            match=rf"^Postgres {version // 10_000} is too old: riskmetrics requires 14 or newer$",
        ):
            opened.connect()
    else:
        with opened.connect() as connection:
            assert connection.scalar(sa.text("SELECT 1")) == 1
    opened.dispose()


def test_the_server_sees_who_is_connected_and_in_which_encoding(database):
    opened = engine.create_engine(database)
    with opened.connect() as connection:
        assert connection.scalar(sa.text("SHOW application_name")) == "riskmetrics"
        assert connection.scalar(sa.text("SHOW client_encoding")) == "UTF8"
    opened.dispose()


def test_settings_hold_for_a_transaction_and_leave_the_session_as_it_was(database):
    """Behind a pooler, another client may get the session after each transaction."""
    ask = (
        "SELECT current_setting('datestyle'), current_setting('extra_float_digits'),"
        " current_setting('client_connection_check_interval')"
    )
    opened = engine.create_engine(database)
    with opened.connect() as connection:
        for _ in range(2):
            with connection.begin():
                assert connection.execute(sa.text(ask)).one() == ("ISO, YMD", "1", "5s")
        bare = connection.connection.driver_connection.execute(ask).fetchone()
        connection.connection.driver_connection.rollback()
        assert bare == ("ISO, MDY", "1", "0")
        assert copy.driver_connection(connection).execute(ask).fetchone() == ("ISO, YMD", "1", "5s")
    opened.dispose()


@pytest.mark.parametrize(("query", "prepared"), [("", 0), ("&prepare_threshold=2", 1)])
def test_statements_are_prepared_only_if_the_url_asks(database, query, prepared):
    opened = engine.create_engine(database + query)
    count = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 42%'")
    with opened.connect() as connection:
        for _ in range(10):
            connection.execute(sa.text("SELECT 42 + :one"), {"one": 1})
        assert connection.scalar(count) == prepared
    assert "prepare_threshold" not in engine.redact_url(sa.make_url(database + query))
    opened.dispose()
