"""Other spellings in a database are normalized, or refused before any change."""

import logging
import re
from datetime import date
from pathlib import Path
from uuid import UUID

import foreign_databases
import pytest
import sqlalchemy as sa

from riskmetrics.db import input_writes, migrate, sql_expressions, symbol_spellings, tables
from riskmetrics.errors import SchemaError
from riskmetrics.sources.brokers import read_portfolio
from riskmetrics.sources.files import read_prices, read_profiles
from tests.db.small_results import FIRST_DAY, GROWTH, SECOND_DAY, store_small_results
from tests.db.sql_helpers import execute, query
from tests.db.test_existing_databases import a_few_rows, built

REVISION = "5b0e7d31c9a6"
FOREIGN = {"AAPL": "AAPL.US", "BRK-B": "BRK/B", "SPY": "SPY.US", "TLT": "tlt", "VOD.L": "VOD.L"}
CREATED_LATER = {("price_decisions", "symbol")}
"""Columns that always had the normal spelling."""


def symbol_columns() -> set[tuple[str, str]]:
    """Return the symbol columns, identified by their names and types."""
    ends = ("symbol", "_index", "subject")
    found = {
        (table.name, column.name)
        for table in tables.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.String) and column.name.endswith(ends)
    }
    return found - CREATED_LATER | {("database_settings", "value")}


def test_every_column_of_symbols_is_normalized() -> None:
    listed = [(column.table, column.name) for column in symbol_spellings.SYMBOL_COLUMNS]
    assert sorted(listed) == sorted(symbol_columns())
    assert sql_expressions.CLOSE_ONLY_SUFFIX == symbol_spellings.CLOSE_ONLY_SUFFIX


def growth(connection: sa.Connection) -> UUID:
    """Return the id of the portfolio Growth."""
    table = tables.portfolios
    return connection.execute(sa.select(table.c.id).where(table.c.name == GROWTH)).scalar_one()


def insert(connection: sa.Connection, table: sa.Table, **values: object) -> None:
    connection.execute(sa.insert(table).values(values))


def fill(engine: sa.Engine) -> None:
    """Store a row with a normal symbol in every table with a symbol column."""
    forecast = {
        "subject": "BRK-B",
        "day": FIRST_DAY,
        "coefficients": "shipped-1",
        "in_sample": True,
    }
    flags = dict.fromkeys(("clipped", "short_history", "daily_lag_imputed"), False)
    option = {"position_type": "LC", "underlying_symbol": "BRK-B", "symbol": "BRKB250117C00400000"}
    with engine.begin() as connection:
        store_small_results(connection)
        held = {"portfolio_id": growth(connection), "quantity": 1, "entry_date": FIRST_DAY}
        insert(connection, tables.positions, **option, **held)
        connection.execute(sa.update(tables.position_interest_rate_betas).values(rate_index="TLT"))
        for symbol in FOREIGN:
            price = {"symbol": symbol, "close": 100, "adj_close": 99, "data_source": "FMP"}
            for day in (FIRST_DAY, SECOND_DAY):
                insert(connection, tables.market_data_cache, **price, date=day)
            insert(connection, tables.company_profiles, symbol=symbol, data_source="FMP")
            insert(connection, tables.vendor_responses, vendor="FMP", kind="prices", subject=symbol)
        made = {"observations": 252, "proxy": "close"}
        insert(connection, tables.volatility_forecasts, **forecast, **flags, **made)
        insert(connection, tables.har_forecast_scores, **forecast, completed_on=SECOND_DAY)
        input_writes.store_setting(connection, "market_index", "SPY")
        input_writes.store_setting(connection, "rate_index", "TLT")


def contents(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table except vendor responses, which are requested again."""
    names = sa.inspect(engine).get_table_names()
    rows = "SELECT row::text FROM {} AS row ORDER BY 1"
    return {name: query(engine, rows.format(name)) for name in names if name != "vendor_responses"}


def go_back(engine: sa.Engine) -> None:
    """Downgrade the database to the revision before the normalization of symbols."""
    [before] = [one.down_revision for one in migrate.history() if one.revision == REVISION]
    migrate.downgrade(engine, str(before))


def test_a_database_full_of_foreign_spellings_becomes_a_normal_one(engine: sa.Engine) -> None:
    """Columns are found by name and type; each must hold a symbol whose spelling changes."""
    fill(engine)
    expected = contents(engine)
    go_back(engine)
    cases = " ".join(f"WHEN '{normal}' THEN '{foreign}'" for normal, foreign in FOREIGN.items())
    for table, column in symbol_columns():
        execute(engine, f"UPDATE {table} SET {column} = CASE {column} {cases} ELSE {column} END")
        present = {value for (value,) in query(engine, f"SELECT {column} FROM {table}")}
        assert present & {"AAPL.US", "BRK/B", "SPY.US", "tlt"}, (table, column)
    assert contents(engine) != expected
    migrate.ensure_head(engine)
    assert contents(engine) == expected
    assert query(engine, "SELECT subject FROM vendor_responses") == [("VOD.L",)]


def test_a_database_with_normal_spellings_is_left_as_it_is(engine: sa.Engine) -> None:
    fill(engine)
    rows = "SELECT xmin::text, ctid::text FROM market_data_cache ORDER BY ctid"
    answers = "SELECT * FROM vendor_responses ORDER BY subject"
    before = query(engine, rows), query(engine, answers)
    go_back(engine)
    migrate.ensure_head(engine)
    assert (query(engine, rows), query(engine, answers)) == before


def test_what_other_code_stored_reads_as_an_import_of_today(
    engine: sa.Engine,
    tmp_path: Path,
) -> None:
    """Oracle: imports of the same spellings by the current version."""
    foreign = ["BRKB", "BF.B", "AAPL.US", "BRK B 17JAN25 400 C", "BAC.PRL", "VOD.L"]
    path = tmp_path / "file.csv"
    imported = {}
    for table, reader, header, rest in (
        ("positions", read_portfolio, "symbol,quantity", "1"),
        ("market_data_cache", read_prices, "symbol,date,close", "2024-12-06,5"),
        ("company_profiles", read_profiles, "symbol,name", "x"),
    ):
        path.write_text("\n".join([header, *(f"{symbol},{rest}" for symbol in foreign)]))
        imported[table] = set(reader(path).rows["symbol"])
    go_back(engine)
    with engine.begin() as connection:
        store_small_results(connection)
        connection.execute(sa.text("TRUNCATE positions CASCADE"))
        lot = {"portfolio_id": growth(connection), "quantity": 1, "position_type": "LONG"}
        price = {"date": date(2024, 12, 6), "close": 5, "data_source": "other"}
        for symbol in foreign:
            insert(connection, tables.positions, **lot, symbol=symbol, entry_date=FIRST_DAY)
            insert(connection, tables.market_data_cache, **price, symbol=symbol)
            insert(connection, tables.company_profiles, symbol=symbol, data_source="other")
    migrate.ensure_head(engine)
    for table, symbols in imported.items():
        assert {symbol for (symbol,) in query(engine, f"SELECT symbol FROM {table}")} == symbols


def price(symbol: str, day: str, close: float, source: str = "FMP") -> str:
    return (
        "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source) "
        f"VALUES ('{symbol}', '{day}', {close}, {close}, '{source}');"
    )


def profile(symbol: str, beta: float) -> str:
    return (
        f"INSERT INTO company_profiles (symbol, beta, data_source) VALUES ('{symbol}', {beta},"
        " 'FMP');"
    )


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
        price("BRK.B", "2024-12-05", 1) + price("BRK-B", "2024-12-06", 1, "file: close only"),
        (
            f"rows of {PRICES} for BRK-B and BRK.B, which are one symbol, mix closes with and"
            " without dividend adjustment"
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
    engine: sa.Engine,
    planted: str,
    sentence: str,
) -> None:
    """The advice of the message resolves the conflict."""
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
    execute(engine, TWO_CLOSES + TWO_BETAS)
    with engine.connect() as connection:
        assert len(symbol_spellings.find_collisions(connection)) == 2


def test_an_upgrade_from_other_code_names_collisions(empty_database: str) -> None:
    founding = a_few_rows(foreign_databases.DATABASES["19c513d3bf90"])
    for engine in built(empty_database, founding):
        execute(engine, "UPDATE company_profiles SET symbol = 'BRK.B' WHERE symbol = 'S1'")
        execute(engine, "UPDATE company_profiles SET symbol = 'BRK-B' WHERE symbol = 'S2'")
        with pytest.raises(SchemaError, match=r"company_profiles for BRK-B and BRK\.B, which are"):
            migrate.ensure_head(engine)


def test_equal_rows_in_two_spellings_become_one(engine: sa.Engine) -> None:
    go_back(engine)
    execute(engine, price("BRK.B", "2024-12-06", 470.5, "file"))
    execute(engine, price("BRK-B", "2024-12-06", 470.5) + price("BRKB", "2024-12-05", 469))
    migrate.ensure_head(engine)
    columns = "symbol, date::text, close::float, data_source"
    assert query(engine, f"SELECT {columns} FROM market_data_cache ORDER BY date") == [
        ("BRK-B", "2024-12-05", 469, "FMP"),
        ("BRK-B", "2024-12-06", 470.5, "FMP"),
    ]


def test_lots_in_two_spellings_become_lots_of_one_symbol(engine: sa.Engine) -> None:
    fill(engine)
    go_back(engine)
    spelled = "CASE quantity WHEN 1 THEN 'BRK.B' ELSE 'BRK B' END"
    execute(engine, f"UPDATE positions SET symbol = {spelled}")
    lots = len(query(engine, "SELECT id FROM positions"))
    migrate.ensure_head(engine)
    assert query(engine, "SELECT symbol, count(*) FROM positions GROUP BY 1") == [("BRK-B", lots)]


def test_of_two_results_the_defined_one_stays_and_parts_are_computed_again(
    engine: sa.Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An undefined beta of BRK-B is removed; two contributions of a symbol are both removed."""
    fill(engine)
    go_back(engine)
    with engine.begin() as connection:
        beta = {"day": FIRST_DAY, "prior_mean": 1, "prior_std": 0.35, "market_index": "SPY"}
        part = {"portfolio_id": growth(connection), "day": FIRST_DAY, "observations": 252}
        for symbol, value, reason in (("BRK-B", None, "no price"), ("BRK.B", 0.8, None)):
            named = {"symbol": symbol, "undefined_reason": reason}
            insert(connection, tables.symbol_adjusted_betas, **beta, **named, beta=value)
            insert(connection, tables.portfolio_risk_contributions, **part, **named, share=value)
    with caplog.at_level(logging.WARNING, "riskmetrics"):
        migrate.ensure_head(engine)
    betas = "SELECT symbol, beta FROM symbol_adjusted_betas WHERE symbol <> 'AAPL'"
    assert query(engine, betas) == [("BRK-B", 0.8)]
    parts = "SELECT DISTINCT symbol FROM portfolio_risk_contributions"
    assert query(engine, parts) == [("AAPL",)]
    table = "portfolio_risk_contributions"
    warning = f"{table} had parts of BRK-B in several spellings; they were removed (keys: 1)"
    assert warning in caplog.text


def test_what_is_no_symbol_stays(engine: sa.Engine) -> None:
    fill(engine)
    go_back(engine)
    execute(engine, "UPDATE positions SET symbol = 'My house, floor 2'")
    migrate.ensure_head(engine)
    assert query(engine, "SELECT DISTINCT symbol FROM positions") == [("My house, floor 2",)]
