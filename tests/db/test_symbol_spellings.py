"""Other spellings in a founding database are normalized, or refused before any change."""

import re
from datetime import date
from pathlib import Path

import foreign_databases
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from riskmetrics.db import migrate, symbol_spellings
from riskmetrics.errors import SchemaError
from riskmetrics.settings import bundled_path
from riskmetrics.sources.brokers import read_portfolio
from riskmetrics.sources.files import read_prices, read_profiles
from tests.db.sql_helpers import execute, query
from tests.db.test_existing_databases import a_few_rows, built

FOUNDING = migrate.LAST_FOUNDING_REVISION
FOREIGN = {"AAPL": "AAPL.US", "BRK-B": "BRK/B", "SPY": "SPY.US", "TLT": "tlt", "VOD.L": "VOD.L"}
PORTFOLIO = "00000000-0000-0000-0000-00000000000a"
LOTS = f"""
    INSERT INTO portfolios (id, name, currency) VALUES ('{PORTFOLIO}', 'Growth', 'USD');
    INSERT INTO positions (portfolio_id, symbol, underlying_symbol, position_type, quantity,
        entry_price, entry_date)
    VALUES ('{PORTFOLIO}', 'AAPL', NULL, 'LONG', 1, 150, '2024-01-02'),
        ('{PORTFOLIO}', 'BRK-B', NULL, 'LONG', 2, 350, '2024-01-02'),
        ('{PORTFOLIO}', 'BRKB250117C00400000', 'BRK-B', 'LC', 1, 10, '2024-01-02');
    INSERT INTO position_market_betas (portfolio_id, position_id, calc_date, beta, observations)
    SELECT portfolio_id, id, '2024-12-06', 1, 90 FROM positions;
"""


@pytest.fixture
def founding(empty: sa.Engine) -> sa.Engine:
    """Return an engine for a database at the last founding revision, without rows."""
    migrate.upgrade(empty, FOUNDING)
    return empty


def symbol_columns(engine: sa.Engine) -> set[tuple[str, str]]:
    """Return the symbol columns of a database, identified by their names and types."""
    return {
        (table, column["name"])
        for (_, table), columns in sa.inspect(engine).get_multi_columns().items()
        for column in columns
        if isinstance(column["type"], sa.String)
        and column["name"].endswith(("symbol", "_index", "subject"))
    }


def price(symbol: str, day: str, close: float, source: str = "FMP") -> str:
    return (
        "INSERT INTO market_data_cache (symbol, date, close, data_source) "
        f"VALUES ('{symbol}', '{day}', {close}, '{source}');"
    )


def profile(symbol: str, beta: float) -> str:
    return (
        f"INSERT INTO company_profiles (symbol, beta, data_source) VALUES ('{symbol}', {beta},"
        " 'FMP');"
    )


def fill(engine: sa.Engine) -> None:
    """Store a row with a normal symbol in every table with a symbol column."""
    prices = "".join(
        price(symbol, day, 100) + (profile(symbol, 1) if day == "2024-12-06" else "")
        for symbol in FOREIGN
        for day in ("2024-12-05", "2024-12-06")
    )
    execute(engine, LOTS + prices)


def contents(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    rows = "SELECT row::text FROM {} AS row ORDER BY 1"
    return {name: query(engine, rows.format(name)) for name in sa.inspect(engine).get_table_names()}


def test_every_symbol_column_of_the_founding_tables_is_listed(founding: sa.Engine) -> None:
    listed = [(column.table, column.name) for column in symbol_spellings.SYMBOL_COLUMNS]
    assert sorted(listed) == sorted(symbol_columns(founding))


def test_a_database_full_of_foreign_spellings_becomes_a_normal_one(founding: sa.Engine) -> None:
    """Columns are found by name and type; each must hold a symbol whose spelling changes."""
    fill(founding)
    expected = contents(founding)
    cases = " ".join(f"WHEN '{normal}' THEN '{foreign}'" for normal, foreign in FOREIGN.items())
    for table, column in symbol_columns(founding):
        execute(founding, f"UPDATE {table} SET {column} = CASE {column} {cases} ELSE {column} END")
        present = {value for (value,) in query(founding, f"SELECT {column} FROM {table}")}
        assert present & {"AAPL.US", "BRK/B", "SPY.US", "tlt"}, (table, column)
    assert contents(founding) != expected
    migrate.ensure_head(founding)
    migrate.downgrade(founding, FOUNDING)
    assert contents(founding) == expected


def test_a_database_with_normal_spellings_is_left_as_it_is(founding: sa.Engine) -> None:
    fill(founding)
    rows = "SELECT xmin::text, ctid::text FROM company_profiles ORDER BY ctid"
    before = query(founding, rows)
    migrate.ensure_head(founding)
    assert query(founding, rows) == before


def test_what_other_code_stored_reads_as_an_import_of_today(
    founding: sa.Engine, tmp_path: Path
) -> None:
    """Oracle: imports of the same spellings by the current version."""
    foreign = ["BRKB", "BF.B", "AAPL.US", "BRK B 17JAN25 400 C", "BAC.PRL", "VOD.L"]
    path = tmp_path / "file.csv"
    imported = {}
    for table, reader, header, rest in (
        ("positions", read_portfolio, "symbol,quantity,currency", "1,USD"),
        ("market_data_cache", read_prices, "symbol,date,close,currency", "2024-12-06,5,USD"),
        ("company_profiles", read_profiles, "symbol,name", "x"),
    ):
        path.write_text("\n".join([header, *(f"{symbol},{rest}" for symbol in foreign)]))
        imported[table] = set(reader(path).rows["symbol"])
    execute(
        founding,
        f"INSERT INTO portfolios (id, name, currency) VALUES ('{PORTFOLIO}', 'Growth', 'USD')",
    )
    for symbol in foreign:
        execute(
            founding,
            "INSERT INTO positions (portfolio_id, symbol, position_type, quantity, entry_price,"
            f" entry_date) VALUES ('{PORTFOLIO}', '{symbol}', 'LONG', 1, 1, '{date(2024, 1, 2)}');"
            + price(symbol, "2024-12-06", 5)
            + profile(symbol, 1),
        )
    migrate.ensure_head(founding)
    for table, symbols in imported.items():
        assert {symbol for (symbol,) in query(founding, f"SELECT symbol FROM {table}")} == symbols


CONFLICT = "are one symbol, conflict (keys: 1): delete those of one spelling, for example"
ADVICE = "DELETE FROM {} WHERE symbol = '{}'"
TWO_CLOSES = price("BRK.B", "2024-12-06", 1) + price("BRK-B", "2024-12-06", 2)
TWO_BETAS = profile("AAPL.US", 1.1) + profile("AAPL", 1.2)
PRICES, PROFILES = "market_data_cache", "company_profiles"
COLLISIONS = [
    (
        price("BRK.B", "2024-12-05", 469) + price("BRK-B", "2024-12-05", 469) + TWO_CLOSES,
        (
            f"rows of {PRICES} for BRK-B and BRK.B, which {CONFLICT}"
            f" {ADVICE.format(PRICES, 'BRK.B')}"
        ),
    ),
    (
        price("BRK.B", "2024-12-06", 1) + price("BRK/B", "2024-12-06", 2),
        (
            f"rows of {PRICES} for BRK.B and BRK/B, which {CONFLICT}"
            f" {ADVICE.format(PRICES, 'BRK.B')}"
        ),
    ),
    (
        TWO_BETAS,
        (
            f"rows of {PROFILES} for AAPL and AAPL.US, which {CONFLICT}"
            f" {ADVICE.format(PROFILES, 'AAPL.US')}"
        ),
    ),
]


@pytest.mark.parametrize(("planted", "sentence"), COLLISIONS)
def test_contradicting_inputs_are_named_and_nothing_is_changed(
    founding: sa.Engine, planted: str, sentence: str
) -> None:
    """The advice of the message resolves the conflict."""
    execute(founding, price("SPY.US", "2024-12-06", 607) + planted)
    before = contents(founding)
    with pytest.raises(SchemaError, match="nothing was changed") as refused:
        migrate.ensure_head(founding)
    assert sentence in str(refused.value)
    assert refused.value.exit_code == 6
    assert contents(founding) == before
    for advice in re.findall("DELETE FROM [^;]+", str(refused.value)):
        execute(founding, advice)
    assert migrate.ensure_head(founding) is True
    assert ("SPY",) in query(founding, "SELECT symbol FROM market_data_cache")


def test_the_bare_alembic_command_names_contradicting_inputs(founding: sa.Engine) -> None:
    """It does not check the database before the upgrade; the revision does."""
    execute(founding, TWO_BETAS)
    config = Config()
    config.set_main_option("script_location", str(bundled_path("migrations")))
    with founding.connect() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(SchemaError, match=r"company_profiles for AAPL and AAPL\.US"):
            command.upgrade(config, "head")
        connection.rollback()
        assert migrate.current(connection) == FOUNDING


def test_every_collision_is_named_at_once(founding: sa.Engine) -> None:
    execute(founding, TWO_CLOSES + TWO_BETAS)
    with founding.connect() as connection:
        assert len(symbol_spellings.find_collisions(connection)) == 2


def test_an_upgrade_from_other_code_names_collisions(empty_database: str) -> None:
    earliest = a_few_rows(foreign_databases.DATABASES["19c513d3bf90"])
    for engine in built(empty_database, earliest):
        execute(engine, "UPDATE company_profiles SET symbol = 'BRK.B' WHERE symbol = 'S1'")
        execute(engine, "UPDATE company_profiles SET symbol = 'BRK-B' WHERE symbol = 'S2'")
        with pytest.raises(SchemaError, match=r"company_profiles for BRK-B and BRK\.B, which are"):
            migrate.ensure_head(engine)


def test_equal_rows_in_two_spellings_become_one(founding: sa.Engine) -> None:
    execute(founding, price("BRK.B", "2024-12-06", 470.5, "file"))
    execute(founding, price("BRK-B", "2024-12-06", 470.5) + price("BRKB", "2024-12-05", 469))
    migrate.ensure_head(founding)
    columns = "symbol, date::text, close::float, data_source"
    assert query(founding, f"SELECT {columns} FROM market_data_cache ORDER BY date") == [
        ("BRK-B", "2024-12-05", 469, "FMP"),
        ("BRK-B", "2024-12-06", 470.5, "FMP"),
    ]


def test_lots_in_two_spellings_become_lots_of_one_symbol(founding: sa.Engine) -> None:
    fill(founding)
    spelled = "CASE quantity WHEN 1 THEN 'BRK.B' ELSE 'BRK B' END"
    execute(founding, f"UPDATE positions SET symbol = {spelled}")
    migrate.ensure_head(founding)
    assert query(founding, "SELECT symbol, count(*) FROM positions GROUP BY 1") == [("BRK-B", 3)]


def test_what_is_no_symbol_stays(founding: sa.Engine) -> None:
    fill(founding)
    execute(founding, "UPDATE positions SET symbol = 'My house, floor 2'")
    migrate.ensure_head(founding)
    assert query(founding, "SELECT DISTINCT symbol FROM positions") == [("My house, floor 2",)]
