"""Databases of another program are upgraded without loss, or refused before any change."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import foreign_databases
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics.db import migrate, tables, write
from riskmetrics.db.engine import create_engine
from riskmetrics.errors import SchemaError
from tests.commands import invoke
from tests.conftest import COMMAND
from tests.db.sql_helpers import execute, query

RUNNING_SYSTEM = "h1i2j3k4l5m6"
RATE_BETAS = "position_interest_rate_betas"
SUPERSEDED = "position_interest_rate_betas_superseded"


@pytest.fixture(params=foreign_databases.DATABASES)
def large(request: pytest.FixtureRequest, empty_database: str) -> Iterator[sa.Engine]:
    """Return an engine for another program's large database with a time zone far from UTC."""
    yield from built(empty_database, foreign_databases.DATABASES[request.param])


@pytest.fixture(params=foreign_databases.DATABASES)
def small(request: pytest.FixtureRequest, empty_database: str) -> Iterator[sa.Engine]:
    """Return an engine for another program's database with a few rows in each table."""
    yield from built(empty_database, a_few_rows(foreign_databases.DATABASES[request.param]))


@pytest.fixture
def running_system(empty_database: str) -> Iterator[sa.Engine]:
    """Return an engine for the later of the two databases with a few rows."""
    yield from built(empty_database, a_few_rows(foreign_databases.DATABASES[RUNNING_SYSTEM]))


def a_few_rows(sql: str) -> str:
    return re.sub(r"generate_series\(1, \d+\)", "generate_series(1, 3)", sql)


def built(url: str, sql: str) -> Iterator[sa.Engine]:
    engine = create_engine(url)
    execute(
        engine, sql + f"ALTER DATABASE {engine.url.database} SET timezone TO 'America/St_Johns'"
    )
    engine.dispose()  # the setting holds for new connections
    yield engine
    engine.dispose()


class Contents(NamedTuple):
    """Rows of a table, and a checksum of each column's values."""

    rows: int
    checksums: dict[str, str]


def contents(engine: sa.Engine, table: str, columns: list[str]) -> Contents:
    """Return every value as text: timestamps in UTC, naive ones read as UTC, JSON as jsonb."""
    types = dict(
        query(
            engine,
            "SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid ="
            f" '{table}'::regclass",
        )
    )
    spelled = {"json": "::jsonb", "timestamp with time zone": " AT TIME ZONE 'UTC'"}
    values = [f'("{column}"{spelled.get(types[column], "")})::text' for column in columns]
    sums = ", ".join(
        f"md5(string_agg(coalesce({value}, 'NULL'), '|' ORDER BY key))" for value in values
    )
    key = "symbol" if table == "company_profiles" else "id"
    source = f'SELECT *, {key}::text COLLATE "C" AS key FROM {table}'
    if table == RATE_BETAS and sa.inspect(engine).has_table(SUPERSEDED):
        names = ", ".join(columns)
        both = f"SELECT {names} FROM {table} UNION ALL SELECT {names} FROM {SUPERSEDED}"
        source = f'SELECT *, id::text COLLATE "C" AS key FROM ({both}) AS all_of_them'
    if table == "ai_insight_templates":  # those that a revision seeds are not the other program's
        source += (
            " WHERE left(system_prompt, 20) NOT IN ('You explain the risk', 'You are the editor o')"
        )
    [[count, *found]] = query(engine, f"SELECT count(*), {sums} FROM ({source}) AS source")
    return Contents(count, dict(zip(columns, found, strict=True)))


def everything(engine: sa.Engine, columns: dict[str, list[str]]) -> dict[str, Contents]:
    return {table: contents(engine, table, names) for table, names in columns.items()}


def columns_of(engine: sa.Engine) -> dict[str, list[str]]:
    found = sa.inspect(engine).get_multi_columns()
    return {
        table: [column["name"] for column in columns]
        for (_, table), columns in found.items()
        if table != "alembic_version"
    }


def every_row(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: query(engine, f"SELECT source::text FROM {table} AS source ORDER BY 1")
        for table in columns_of(engine)
    }


def schema(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """Return columns, constraints, indexes, views and revision as in the catalog."""
    return query(
        engine,
        """
        SELECT attrelid::regclass::text, attname::text, attnum::text, format_type(atttypid,
            atttypmod), attnotnull::text,
            pg_get_expr(adbin, adrelid)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid =
            attrelid AND adnum = attnum
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid),
            convalidated::text, ''
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT tablename, indexname, indexdef, '', '',
            '' FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT viewname, definition, '', '', '',
            '' FROM pg_views WHERE schemaname = 'public'
        UNION ALL SELECT typname, enumlabel, '', '', '',
            '' FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
        UNION ALL SELECT version_num, '', '', '', '', '' FROM alembic_version
        ORDER BY 1, 2, 3, 4
        """,
    )


def call(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    return invoke(*arguments)


def test_nothing_is_lost_and_everything_works_afterwards(
    large: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every earlier table and column keeps its values; a second upgrade does nothing."""
    columns = columns_of(large)
    before, quantities = (
        everything(large, columns),
        query(large, "SELECT id::text, quantity::float FROM positions ORDER BY 1"),
    )
    assert sum(found.rows for found in before.values()) > 200_000
    assert migrate.ensure_head(large) is True
    assert migrate.ensure_head(large) is False
    filled = {
        ("portfolios", "updated_at"),
        ("ai_insights", "updated_at"),
    }  # were NULL in every row, and must not be
    for table, found in everything(large, columns).items():
        assert found.rows == before[table].rows, table
        changed = {
            (table, name)
            for name, checksum in found.checksums.items()
            if checksum != before[table].checksums[name]
        }
        assert changed <= filled | {("positions", "quantity")}  # written with more decimals
    assert query(large, "SELECT id::text, quantity::float FROM positions ORDER BY 1") == quantities
    verified = call(large, monkeypatch, "db", "verify")
    assert verified.exit_code == 0, verified.stdout
    assert verified.stdout.endswith("the schema is as this version expects\n")
    for addition in (
        "table users belongs",
        "table notes belongs",
        "portfolios.Color is",
        "company_profiles.ceo is",
        "treasury is",
    ):
        assert addition in verified.stdout
    betas_can_be_written(large)
    latest = migrate.history()[0]
    migrate.downgrade(large, str(latest.down_revision))
    assert migrate.ensure_head(large) is True
    with large.connect() as connection:
        assert migrate.list_differences(connection) == []


def betas_can_be_written(engine: sa.Engine) -> None:
    """Write both betas of one day, as an asset does."""
    held = pd.DataFrame(
        query(engine, "SELECT portfolio_id, id FROM positions"),
        columns=["portfolio_id", "position_id"],
    ).astype(str)
    with engine.begin() as connection:
        for table, day, values, key in (
            (
                tables.position_market_betas,
                "calc_date",
                {"beta": 1.5, "observations": 90, "window_days": 90, "method": "OLS_SIMPLE"},
                ("portfolio_id", "position_id", "calc_date", "method", "window_days"),
            ),
            (
                tables.position_interest_rate_betas,
                "calculation_date",
                {"ir_beta": None},
                ("position_id", "calculation_date"),
            ),
        ):
            rows = held.assign(**{day: date(2030, 1, 2), **values})
            written = write.replace_rows(
                connection, table, rows, key=key, scope=table.c[day] == date(2030, 1, 2)
            )
            assert written == (len(held), 0, 0)


def test_the_command_line_upgrades_too_and_says_where_older_betas_went(
    small: sa.Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = call(small, monkeypatch, "db", "upgrade")
    assert (done.exit_code, done.stdout) == (0, f"upgraded to {migrate.head()}\n")
    assert (
        f"3 older rate betas of a position and day moved to the table {SUPERSEDED}" in caplog.text
    )


def test_the_newest_of_several_rate_betas_stays_and_a_downgrade_brings_the_others_back(
    small: sa.Engine,
) -> None:
    before = sorted(query(small, f"SELECT id, ir_beta, treasury FROM {RATE_BETAS}"))
    migrate.ensure_head(small)
    assert query(
        small, f"SELECT ir_beta::text, treasury FROM {SUPERSEDED} ORDER BY calculation_date"
    ) == [
        ("-0.001000", "2y"),
        ("-0.002000", "2y"),
        ("-0.003000", "2y"),
    ]
    assert query(small, f"SELECT DISTINCT treasury FROM {RATE_BETAS}") == [("10y",)]
    migrate.downgrade(small, RUNNING_SYSTEM)
    assert sorted(query(small, f"SELECT id, ir_beta, treasury FROM {RATE_BETAS}")) == before


def test_instants_without_a_zone_are_read_as_utc(small: sa.Engine) -> None:
    """2:30 on a day in July, with a database time zone 2.5 hours behind UTC."""
    migrate.ensure_head(small)
    assert query(small, "SHOW timezone") == [("America/St_Johns",)]
    assert query(small, "SELECT min(created_at) = '2025-07-01 03:30Z' FROM market_data_cache") == [
        (True,)
    ]
    naive = query(
        small,
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'",
    )
    assert naive in ([], [(SUPERSEDED, "created_at")])


OBSTACLES = {
    "ALTER TABLE positions ALTER quantity TYPE text USING quantity::text;"
    " UPDATE positions SET quantity = 'many' WHERE symbol = 'S1'":
        "positions.quantity does not fit numeric(28,10) without loss (rows: 1): fix them",
    "ALTER TABLE market_data_cache ALTER close TYPE numeric;"
    " UPDATE market_data_cache SET close = 1.23456 WHERE symbol < 'S3'":
        "market_data_cache.close does not fit numeric(12,4) without loss (rows: 6): fix them",
    "ALTER TABLE positions ALTER symbol TYPE text; UPDATE positions SET symbol = repeat('S', 21)":
        "positions.symbol does not fit character varying(20) without loss (rows: 3): fix them",
    "ALTER TABLE positions DROP CONSTRAINT \"of: portfolio\";"
    " UPDATE positions SET portfolio_id = md5('nobody')::uuid WHERE symbol = 'S2'":
        "positions.portfolio_id refers to missing rows of portfolios (rows: 1): delete them or add"
        " the missing rows",
    "ALTER TABLE market_data_cache ALTER data_source DROP NOT NULL;"
    " UPDATE market_data_cache SET data_source = NULL":
        "market_data_cache.data_source is NULL but a value is required (rows: 9): fill or delete"
        " them",
    "DROP INDEX one_price_a_day; UPDATE market_data_cache SET date = '2020-01-03'":
        "market_data_cache has duplicate (symbol, date) (rows: 6): keep one of each",
    "ALTER TABLE positions DROP exit_date":
        "column positions.exit_date is missing: ALTER TABLE positions ADD exit_date date",
    "DROP TABLE position_volatility": "table position_volatility is missing",
    "CREATE VIEW volumes AS SELECT symbol, volume FROM market_data_cache":
        "view volumes reads market_data_cache.volume, which changes from integer to bigint: drop"
        " the view",
    "CREATE TABLE rejected_rows (id integer)":
        "table or view rejected_rows exists already, and a later revision creates it: rename it",
    "ALTER TABLE market_data_cache ADD adj_close numeric":
        "column market_data_cache.adj_close exists already",
    "UPDATE portfolio_snapshots SET sector_exposure = '{\"\\u0000\": 1}'"
    " WHERE id = md5('snapshot11')::uuid":
        "portfolio_snapshots.sector_exposure does not fit jsonb without loss (rows: 1): fix them",
    "ALTER TABLE ai_insights ALTER portfolio_id TYPE varchar(36)":
        "column ai_insights.portfolio_id is character varying(36), but keys are uuid: change it",
    "ALTER TYPE positiontype RENAME VALUE 'SHORT' TO 'S'":
        "labels of enum positiontype are missing (SHORT): ALTER TYPE positiontype ADD VALUE",
}  # fmt: skip


@pytest.mark.parametrize(("planted", "sentence"), OBSTACLES.items(), ids=OBSTACLES.values())
def test_what_cannot_be_upgraded_is_said_and_nothing_is_changed(
    running_system: sa.Engine, planted: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(running_system, planted)
    before, rows = schema(running_system), every_row(running_system)
    with pytest.raises(SchemaError, match=re.escape(sentence)) as refused:
        migrate.ensure_head(running_system)
    assert "nothing was changed" in str(refused.value)
    assert schema(running_system) == before
    assert every_row(running_system) == rows
    done = call(running_system, monkeypatch, "db", "upgrade")
    assert isinstance(done.exception, SchemaError)
    assert done.exception.exit_code == 6


def test_several_obstacles_are_said_at_once_with_exit_code_6_and_can_be_mended(
    running_system: sa.Engine,
) -> None:
    """Run in a separate process, as by a user."""
    execute(
        running_system,
        "CREATE VIEW volumes AS SELECT symbol, volume FROM market_data_cache; UPDATE positions SET"
        " deleted_at = now()",
    )
    execute(
        running_system,
        "ALTER TABLE positions ALTER quantity TYPE numeric; UPDATE positions SET quantity ="
        " 1.23456789012",
    )
    environment = os.environ | {
        "RISKMETRICS_DATABASE_URL": running_system.url.render_as_string(hide_password=False)
    }
    done = subprocess.run(
        [COMMAND, "db", "upgrade"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith(
        "riskmetrics: the database cannot be upgraded from h1i2j3k4l5m6, and nothing was changed:"
        " view volumes"
    )
    assert "positions.quantity does not fit numeric(28,10) without loss (rows: 3)" in done.stderr
    execute(running_system, "DROP VIEW volumes; UPDATE positions SET quantity = round(quantity, 8)")
    assert migrate.ensure_head(running_system) is True
    assert query(running_system, "SELECT DISTINCT quantity::text FROM positions") == [
        ("1.2345678900",)
    ]


@pytest.mark.parametrize(
    "clash",
    [
        "TABLE position_volatility (id uuid)",
        "TYPE insight_type AS ENUM ('x')",
        "INDEX idx_pos_beta_lookup ON users (id)",
    ],
)
def test_what_a_founding_revision_creates_must_not_be_there(
    empty_database: str, clash: str
) -> None:
    for engine in built(empty_database, a_few_rows(foreign_databases.DATABASES["19c513d3bf90"])):
        execute(engine, f"CREATE {clash}")
        before = schema(engine)
        with pytest.raises(
            SchemaError,
            match=f"{clash.split()[1]} exists already, and a later revision creates it: rename it",
        ):
            migrate.ensure_head(engine)
        assert schema(engine) == before


PLANTED = {
    "ALTER TABLE positions DROP exit_price":
        "column positions.exit_price is missing; expected numeric(12,4)",
    "ALTER TABLE positions ALTER strike_price TYPE numeric(20,8)":
        "column positions.strike_price is numeric(20,8); expected numeric(12,4)",
    "DROP INDEX ix_positions_symbol":
        "index ix_positions_symbol on positions is missing; expected CREATE INDEX"
        " ix_positions_symbol ON positions USING btree (symbol)",
    "ALTER TABLE portfolio_coverage DROP CONSTRAINT ck_portfolio_coverage_n_covered,"
    " ADD CONSTRAINT ck_portfolio_coverage_n_covered CHECK (n_covered <= n_total)":
        "constraint ck_portfolio_coverage_n_covered on portfolio_coverage is CHECK (n_covered <="
        " n_total); expected CHECK (n_covered >= 0 AND n_covered <= n_total)",
    "ALTER TABLE position_market_betas ALTER window_days DROP DEFAULT":
        "column position_market_betas.window_days is integer NOT NULL; expected integer NOT NULL"
        " DEFAULT 90",
    "ALTER TABLE positions ADD CONSTRAINT long_only CHECK (quantity > 0)":
        "constraint long_only on positions is unexpected: CHECK (quantity > 0::numeric)",
}  # fmt: skip


@pytest.mark.parametrize(("planted", "sentence"), PLANTED.items(), ids=PLANTED.values())
def test_verify_names_each_planted_difference(
    engine: sa.Engine, planted: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(engine, planted)
    found = call(engine, monkeypatch, "db", "verify", "--json")
    assert found.exit_code == 6
    assert json.loads(found.stdout) == {"differences": [sentence], "additions": []}


def test_verify_accepts_and_names_what_other_programs_added(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        engine,
        "CREATE TABLE users (id uuid); ALTER TABLE positions ADD tags text[], ALTER"
        " investment_class SET NOT NULL",
    )
    execute(
        engine,
        "CREATE INDEX by_quantity ON positions (quantity); ALTER TABLE portfolios ALTER currency"
        " SET DEFAULT 'EUR'",
    )
    found = call(engine, monkeypatch, "db", "verify", "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout) == {
        "differences": [],
        "additions": [
            (
                "column portfolios.currency is character varying(3) NOT NULL DEFAULT"
                " 'EUR'::character varying; expected character varying(3) NOT NULL"
            ),
            (
                "column positions.investment_class is character varying(20) NOT NULL; expected"
                " character varying(20)"
            ),
            "column positions.tags is unexpected: text[]",
            (
                "index by_quantity on positions is unexpected: CREATE INDEX by_quantity ON"
                " positions USING btree (quantity)"
            ),
            "table users belongs to another program",
        ],
    }
