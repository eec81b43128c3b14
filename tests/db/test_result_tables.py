"""Result tables: which tables contain results, and which rows are removed."""

import threading

import pytest
import sqlalchemy as sa

from riskmetrics.db import portfolios, result_tables, tables, write
from riskmetrics.db.result_tables import Scope
from tests.db.small_results import FIRST_DAY, GROWTH, SECOND_DAY, store_small_results
from tests.forked_commands import PATIENCE

INPUT = {
    *(
        "portfolios",
        "positions",
        "market_data_cache",
        "company_profiles",
        "benchmarks_sector_weights",
    ),
    "price_decisions",
    "security_identifiers",
    "symbol_events",
    "portfolio_limits",
    "transactions",
    *(
        "database_settings",
        "har_coefficients",
        "variance_corrections",
        "rejected_rows",
        "factor_returns",
        "stress_scenarios",
        "vendor_responses",
        "vendor_quotas",
    ),
}
OF_PEOPLE = {"ai_insights", "ai_insight_templates", "ai_spend", "ai_batches", "ai_batch_requests"}

RESULTS = tables.metadata.tables.keys() - INPUT - OF_PEOPLE
OF_SYMBOLS = {
    name
    for name in RESULTS
    if not {"portfolio_id", "position_id"} & set(tables.metadata.tables[name].c.keys())
}


def counted(portfolio_days: int, days: int) -> dict[str, int]:
    """Return the rows of each table: one per portfolio and day, or one per day of the symbol."""
    rows = {name: days if name in OF_SYMBOLS else portfolio_days for name in RESULTS}
    return {name: count for name, count in rows.items() if count}


@pytest.fixture
def filled(connection: sa.Connection) -> sa.Connection:
    """Store a row in every table for two portfolios and two days."""
    store_small_results(connection)
    return connection


def test_every_table_is_input_or_a_result() -> None:
    """A new table is a result, with provenance and a day, unless it is listed here."""
    found = result_tables.list_result_tables()
    assert {result.table.name for result in found} == RESULTS
    assert all(isinstance(result.day.type, sa.Date) for result in found)
    assert tables.metadata.tables.keys() > INPUT | OF_PEOPLE
    assert {
        "symbol_adjusted_betas",
        "symbol_decayed_betas",
        "symbol_factor_exposures",
        "symbol_two_factor_betas",
    } == OF_SYMBOLS


@pytest.mark.parametrize(
    ("scope", "portfolio_days", "days"),
    [
        (Scope(), 4, 2),
        (Scope(GROWTH), 2, 0),
        (Scope(first=SECOND_DAY), 2, 1),
        (Scope(last=FIRST_DAY), 2, 1),
        (Scope(GROWTH, FIRST_DAY, FIRST_DAY), 1, 0),
        (Scope("nobody"), 0, 0),
    ],
)
def test_what_is_counted_is_removed_and_nothing_else(
    filled: sa.Connection, scope: Scope, portfolio_days: int, days: int
) -> None:
    expected = counted(portfolio_days, days)
    assert result_tables.count_results(filled, Scope()) == counted(4, 2)
    assert result_tables.count_results(filled, scope) == expected
    assert result_tables.remove_results(filled, scope, assets=["position_betas"]) == expected
    assert result_tables.count_results(filled, Scope()) == counted(4 - portfolio_days, 2 - days)
    assert result_tables.count_results(filled, scope) == {}
    assert len(filled.execute(sa.select(tables.positions)).all()) == 2


def test_the_span_is_that_of_the_chosen_results(filled: sa.Connection) -> None:
    assert result_tables.read_day_range(filled, Scope()) == (FIRST_DAY, SECOND_DAY)
    assert result_tables.read_day_range(filled, Scope(GROWTH, last=FIRST_DAY)) == (
        FIRST_DAY,
        FIRST_DAY,
    )
    assert result_tables.read_day_range(filled, Scope("nobody")) is None


def test_a_removed_portfolio_is_chosen_with_all_and_not_by_its_name(filled: sa.Connection) -> None:
    portfolios.remove_portfolio(filled, GROWTH)
    assert result_tables.count_results(filled, Scope(GROWTH)) == {}
    assert result_tables.count_results(filled, Scope()) == counted(4, 2)


def test_insights_stay_unless_they_are_asked_for(filled: sa.Connection) -> None:
    """A copy of a removed insight in another portfolio is kept, without its source id."""
    table, ids = (
        tables.ai_insights,
        dict(filled.execute(sa.select(tables.portfolios.c.name, tables.portfolios.c.id)).all()),
    )
    source = None
    for portfolio in (ids.pop(GROWTH), *ids.values()):
        insight = dict.fromkeys(("title", "summary", "model_used"), "x") | {
            "insight_type": "custom",
            "severity": "info",
        }
        source = filled.scalar(
            sa.insert(table)
            .values(**insight, portfolio_id=portfolio, cache_source_id=source)
            .returning(table.c.id)
        )
    assert "ai_insights" not in result_tables.remove_results(filled, Scope(GROWTH), assets=[])
    assert result_tables.count_results(filled, Scope(GROWTH), include_insights=True) == {
        "ai_insights": 1
    }
    assert result_tables.remove_results(
        filled, Scope(GROWTH), assets=[], include_insights=True
    ) == {"ai_insights": 1}
    assert [
        tuple(row) for row in filled.execute(sa.select(table.c.id, table.c.cache_source_id))
    ] == [(source, None)]


def test_insights_are_chosen_by_their_day(filled: sa.Connection) -> None:
    """Insights of other programs have no day: they are in scope only without days."""
    portfolio = filled.scalar(
        sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == GROWTH)
    )
    insight = dict.fromkeys(("title", "summary", "model_used"), "x") | {
        "insight_type": "custom",
        "severity": "info",
        "portfolio_id": portfolio,
    }
    for day in (FIRST_DAY, SECOND_DAY, None):
        filled.execute(sa.insert(tables.ai_insights).values(**insight, day=day))
    assert (
        result_tables.count_results(filled, Scope(first=SECOND_DAY), include_insights=True)[
            "ai_insights"
        ]
        == 1
    )
    assert result_tables.count_results(filled, Scope(), include_insights=True)["ai_insights"] == 3


def test_removal_waits_for_an_asset_that_is_writing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        store_small_results(connection)
    removed: dict[str, int] = {}

    def remove() -> None:
        with engine.begin() as connection:
            removed.update(
                result_tables.remove_results(
                    connection, Scope(), assets=["portfolio_values", "position_betas"]
                )
            )

    with engine.begin() as asset:
        write.lock_asset(asset, "position_betas")
        waiting = threading.Thread(target=remove)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(PATIENCE)
    assert removed == counted(4, 2)
