"""Databases with foreign spellings of symbols are normalized whole, or refused before anything is changed."""

import logging
import re
from datetime import date
from pathlib import Path

import foreign_databases
import pytest
import sqlalchemy as sa

from riskmetrics.db import imports, migrate, read, spellings, tables
from riskmetrics.errors import SchemaError
from riskmetrics.sources.brokers import read_portfolio
from riskmetrics.sources.files import read_prices, read_profiles
from tests.db.small_results import FIRST, GROWTH, SECOND, store
from tests.db.statements import execute, query
from tests.db.test_existing_databases import a_few_rows, built

REVISION = "5b0e7d31c9a6"
FOREIGN = {"AAPL": "AAPL.US", "BRK-B": "BRK/B", "SPY": "SPY.US", "TLT": "tlt", "VOD.L": "VOD.L"}
NO_SYMBOLS = {("ai_spend", "subject"), ("ai_batch_requests", "subject")}
"""Keys of prompts."""


def symbol_columns() -> set[tuple[str, str]]:
    """Columns that hold symbols, by their names and types alone."""
    found = {
        (table.name, column.name)
        for table in tables.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.String) and column.name.endswith(("symbol", "_index", "subject"))
    }
    return found - NO_SYMBOLS | {("database_settings", "value")}


def test_every_column_of_symbols_is_normalized() -> None:
    assert {(column.table, column.name) for column in spellings.SYMBOL_COLUMNS} == symbol_columns()
    assert read.CLOSE_ONLY == spellings.CLOSE_ONLY


def fill(engine: sa.Engine) -> None:
    """Store a row with symbols in the normal form in every table that has a column of symbols."""
    forecast = {"coefficients": "shipped-1", "in_sample": True}
    flags = dict.fromkeys(("clipped", "short_history", "day_replaced"), False) | {"observations": 252, "proxy": "close"}
    with engine.begin() as connection:
        store(connection)
        option = {"position_type": "LC", "underlying_symbol": "BRK-B", "symbol": "BRKB250117C00400000", "quantity": 1}
        portfolio = connection.scalar(sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == GROWTH))
        connection.execute(sa.insert(tables.positions).values(**option, entry_date=FIRST, portfolio_id=portfolio))
        connection.execute(sa.update(tables.position_interest_rate_betas).values(rate_index="TLT"))
        for symbol in FOREIGN:
            for day in (FIRST, SECOND):
                price = {"symbol": symbol, "date": day, "close": 100, "adj_close": 99, "data_source": "FMP"}
                connection.execute(sa.insert(tables.market_data_cache).values(price))
            connection.execute(sa.insert(tables.company_profiles).values(symbol=symbol, data_source="FMP"))
            connection.execute(sa.insert(tables.vendor_answers).values(vendor="FMP", kind="prices", subject=symbol))
        score = forecast | {"subject": "BRK-B", "day": FIRST, "completed_on": SECOND}
        connection.execute(sa.insert(tables.volatility_forecasts).values(forecast | flags | {"subject": "BRK-B", "day": FIRST}))
        connection.execute(sa.insert(tables.har_forecast_scores).values(score))
        imports.keep_setting(connection, "market_index", "SPY")
        imports.keep_setting(connection, "rate_index", "TLT")


def contents(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the answers of vendors, which are asked again."""
    names = sa.inspect(engine).get_table_names()
    return {name: query(engine, f"SELECT row::text FROM {name} AS row ORDER BY 1") for name in names if name != "vendor_answers"}


def go_back(engine: sa.Engine) -> None:
    """Say that the database is at the revision before the one that normalizes symbols."""
    before = next(known.down_revision for known in migrate.history() if known.revision == REVISION)
    migrate.downgrade(engine, str(before))


def test_a_database_full_of_foreign_spellings_becomes_the_one_that_normal_ones_make(engine: sa.Engine) -> None:
    """The columns are found by name and type, and each must hold a symbol whose spelling changes."""
    fill(engine)
    expected = contents(engine)
    go_back(engine)
    for table, column in symbol_columns():
        cases = " ".join(f"WHEN '{normal}' THEN '{foreign}'" for normal, foreign in FOREIGN.items())
        execute(engine, f"UPDATE {table} SET {column} = CASE {column} {cases} ELSE {column} END")
        present = {value for (value,) in query(engine, f"SELECT {column} FROM {table}")}
        assert present & {"AAPL.US", "BRK/B", "SPY.US", "tlt"}, (table, column)
    assert contents(engine) != expected
    migrate.ensure_head(engine)
    assert contents(engine) == expected
    assert query(engine, "SELECT subject FROM vendor_answers") == [("VOD.L",)]


def test_a_database_with_normal_spellings_is_left_as_it_is(engine: sa.Engine) -> None:
    fill(engine)
    before = query(engine, "SELECT xmin::text, ctid::text FROM market_data_cache ORDER BY ctid")
    answers = query(engine, "SELECT * FROM vendor_answers ORDER BY subject")
    go_back(engine)
    migrate.ensure_head(engine)
    assert query(engine, "SELECT xmin::text, ctid::text FROM market_data_cache ORDER BY ctid") == before
    assert query(engine, "SELECT * FROM vendor_answers ORDER BY subject") == answers


def test_what_other_code_stored_reads_as_a_fresh_import_of_the_same_files(engine: sa.Engine, tmp_path: Path) -> None:
    """Oracle: the same foreign spellings through the doors of today."""
    foreign = ["BRKB", "BF.B", "AAPL.US", "BRK B 17JAN25 400 C", "BAC.PRL", "VOD.L"]

    def file(text: str) -> Path:
        path = tmp_path / "file.csv"
        path.write_text(text)
        return path

    lots = read_portfolio(file("symbol,quantity\n" + "".join(f"{symbol},1\n" for symbol in foreign))).rows
    prices = read_prices(file("symbol,date,close\n" + "".join(f"{symbol},2024-12-06,5\n" for symbol in foreign))).rows
    profiles = read_profiles(file("symbol,name\n" + "".join(f"{symbol},x\n" for symbol in foreign))).rows
    go_back(engine)
    with engine.begin() as connection:
        portfolio = connection.scalar(sa.insert(tables.portfolios).values(name="P", currency="USD").returning(tables.portfolios.c.id))
        for symbol in foreign:
            lot = {"portfolio_id": portfolio, "symbol": symbol, "quantity": 1, "position_type": "LONG", "entry_date": FIRST}
            connection.execute(sa.insert(tables.positions).values(lot))
            price = {"symbol": symbol, "date": date(2024, 12, 6), "close": 5, "data_source": "other"}
            connection.execute(sa.insert(tables.market_data_cache).values(price))
            connection.execute(sa.insert(tables.company_profiles).values(symbol=symbol, data_source="other"))
    migrate.ensure_head(engine)
    for table, rows in (("positions", lots), ("market_data_cache", prices), ("company_profiles", profiles)):
        assert {symbol for (symbol,) in query(engine, f"SELECT symbol FROM {table}")} == set(rows["symbol"]), table


def price(symbol: str, day: str, close: float, source: str = "FMP") -> str:
    return (
        "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source) "
        f"VALUES ('{symbol}', '{day}', {close}, {close}, '{source}');"
    )


def profile(symbol: str, beta: float) -> str:
    return f"INSERT INTO company_profiles (symbol, beta, data_source) VALUES ('{symbol}', {beta}, 'FMP');"


COLLISIONS = {
    price("BRK.B", "2024-12-05", 469) + price("BRK-B", "2024-12-05", 469) + price("BRK.B", "2024-12-06", 1) + price("BRK-B", "2024-12-06", 2):
        "rows of market_data_cache for BRK-B and BRK.B, which are one symbol, contradict each other (keys: 1): delete those of one "
        "spelling, as in DELETE FROM market_data_cache WHERE symbol = 'BRK.B'",
    price("BRK.B", "2024-12-06", 1) + price("BRK/B", "2024-12-06", 2):
        "rows of market_data_cache for BRK.B and BRK/B, which are one symbol, contradict each other (keys: 1)",
    price("BRK.B", "2024-12-05", 1) + price("BRK-B", "2024-12-06", 1, "file: close only"):
        "rows of market_data_cache for BRK-B and BRK.B, which are one symbol, are adjusted for dividends in part",
    profile("AAPL.US", 1.1) + profile("AAPL", 1.2):
        "rows of company_profiles for AAPL and AAPL.US, which are one symbol, contradict each other (keys: 1): delete those of one "
        "spelling, as in DELETE FROM company_profiles WHERE symbol = 'AAPL.US'",
}  # fmt: skip


@pytest.mark.parametrize(("planted", "sentence"), COLLISIONS.items(), ids=COLLISIONS.values())
def test_inputs_that_contradict_each_other_are_named_and_nothing_is_changed(engine: sa.Engine, planted: str, sentence: str) -> None:
    go_back(engine)
    execute(engine, price("SPY.US", "2024-12-06", 607) + planted)
    before = contents(engine)
    with pytest.raises(SchemaError, match="nothing was changed") as refused:
        migrate.ensure_head(engine)
    assert sentence in str(refused.value)
    assert refused.value.exit_code == 6
    assert contents(engine) == before
    for advice in re.findall("DELETE FROM [^;]+", str(refused.value)):
        execute(engine, advice)
    assert migrate.ensure_head(engine) is True
    assert ("SPY",) in query(engine, "SELECT symbol FROM market_data_cache")


def test_every_collision_is_named_at_once(engine: sa.Engine) -> None:
    of_prices, *_, of_profiles = COLLISIONS
    execute(engine, of_prices + of_profiles)
    with engine.connect() as connection:
        assert len(spellings.find_collisions(connection)) == 2


def test_an_upgrade_from_other_code_names_collisions_with_the_other_obstacles(empty_database: str) -> None:
    for engine in built(empty_database, a_few_rows(foreign_databases.DATABASES["19c513d3bf90"])):
        execute(engine, "UPDATE company_profiles SET symbol = 'BRK.B' WHERE symbol = 'S1'")
        execute(engine, "UPDATE company_profiles SET symbol = 'BRK-B' WHERE symbol = 'S2'")
        with pytest.raises(SchemaError, match="rows of company_profiles for BRK-B and BRK.B, which are one symbol"):
            migrate.ensure_head(engine)


def test_equal_rows_in_two_spellings_become_one(engine: sa.Engine) -> None:
    go_back(engine)
    execute(engine, price("BRK.B", "2024-12-06", 470.5, "file") + price("BRK-B", "2024-12-06", 470.5) + price("BRKB", "2024-12-05", 469))
    migrate.ensure_head(engine)
    rows = query(engine, "SELECT symbol, date::text, close::float, data_source FROM market_data_cache ORDER BY date")
    assert rows == [("BRK-B", "2024-12-05", 469, "FMP"), ("BRK-B", "2024-12-06", 470.5, "FMP")]


def test_lots_in_two_spellings_become_lots_of_one_symbol(engine: sa.Engine) -> None:
    fill(engine)
    go_back(engine)
    execute(engine, "UPDATE positions SET symbol = CASE quantity WHEN 1 THEN 'BRK.B' ELSE 'BRK B' END")
    lots = len(query(engine, "SELECT id FROM positions"))
    migrate.ensure_head(engine)
    assert query(engine, "SELECT symbol, count(*) FROM positions GROUP BY 1") == [("BRK-B", lots)]


def test_results_of_two_spellings_keep_the_defined_one_and_parts_are_computed_again(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """A beta without value of BRK.B, which had no prices, gives way; two contributions to one volatility are neither's."""
    fill(engine)
    go_back(engine)
    with engine.begin() as connection:
        portfolio = connection.scalar(sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == GROWTH))
        beta = {"day": FIRST, "prior_mean": 1, "prior_std": 0.35, "market_index": "SPY"}
        for symbol, value, reason in (("BRK-B", None, "no price"), ("BRK.B", 0.8, None)):
            row = beta | {"symbol": symbol, "beta": value, "undefined_reason": reason}
            connection.execute(sa.insert(tables.symbol_adjusted_betas).values(row))
            part = {"portfolio_id": portfolio, "symbol": symbol, "day": FIRST, "observations": 252, "component": value}
            connection.execute(sa.insert(tables.portfolio_risk_contributions).values(part))
    with caplog.at_level(logging.WARNING, "riskmetrics"):
        migrate.ensure_head(engine)
    assert query(engine, "SELECT symbol, beta FROM symbol_adjusted_betas WHERE symbol <> 'AAPL'") == [("BRK-B", 0.8)]
    assert query(engine, "SELECT DISTINCT symbol FROM portfolio_risk_contributions") == [("AAPL",)]
    assert "portfolio_risk_contributions held parts of BRK-B in several spellings; they are removed (keys: 1)" in caplog.text


def test_what_is_no_symbol_stays(engine: sa.Engine) -> None:
    fill(engine)
    go_back(engine)
    execute(engine, "UPDATE positions SET symbol = 'My house, 2nd floor'")
    migrate.ensure_head(engine)
    assert query(engine, "SELECT DISTINCT symbol FROM positions") == [("My house, 2nd floor",)]
