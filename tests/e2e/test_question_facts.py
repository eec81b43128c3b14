"""Facts that only questions ask for, on the sample: against pandas and the stored rows."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics.db import stored_settings
from riskmetrics.db.engine import create_engine
from riskmetrics.insights import fact_reading
from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.question_facts import add_question_facts
from riskmetrics.insights.questions.answering import answer_by_rules
from tests.conftest import NewDatabase
from tests.e2e.conftest import ComputedSample

DAY = date(2022, 12, 28)


@pytest.fixture(scope="module")
def sheet(
    computed_template: ComputedSample, create_database: NewDatabase
) -> Iterator[tuple[Sheet, sa.Connection]]:
    """The sheet of the concentrated portfolio with the facts of questions, which tests read."""
    engine = create_engine(create_database(sa.make_url(computed_template.url).database))
    with engine.connect() as connection:
        (plain,) = fact_reading.read_sheets(connection, [DAY], "Concentrated")
        yield add_question_facts(connection, plain), connection
    engine.dispose()


def value(sheet: Sheet, fact: str) -> float:
    """Return the value of a fact."""
    return float(sheet.facts[fact].value)


def test_tail_risks_are_those_of_the_stored_rows(sheet: tuple[Sheet, sa.Connection]) -> None:
    found, connection = sheet
    rows = connection.execute(
        sa.text(
            "SELECT method, level::float AS level, horizon_days, value_at_risk, expected_shortfall,"
            " value_at_risk_amount, expected_shortfall_amount FROM portfolio_tail_risk"
            " WHERE portfolio_id = :id AND day = :day"
        ),
        {"id": found.portfolio_id, "day": DAY},
    ).mappings()
    stored = {(row["method"], row["level"], row["horizon_days"]): row for row in rows}
    for name, key, column in (
        ("var_99", ("filtered", 0.99, 1), "value_at_risk"),
        ("shortfall_99", ("filtered", 0.99, 1), "expected_shortfall"),
        ("var_95_10d", ("filtered", 0.95, 10), "value_at_risk"),
        ("var_99_10d", ("filtered", 0.99, 10), "value_at_risk"),
        ("shortfall_95_10d", ("filtered", 0.95, 10), "expected_shortfall"),
        ("shortfall_99_10d", ("filtered", 0.99, 10), "expected_shortfall"),
        ("var_95_amount", ("filtered", 0.95, 1), "value_at_risk_amount"),
        ("var_99_amount", ("filtered", 0.99, 1), "value_at_risk_amount"),
        ("shortfall_99_amount", ("filtered", 0.99, 1), "expected_shortfall_amount"),
        ("var_95_historical", ("historical", 0.95, 1), "value_at_risk"),
    ):
        assert value(found, name) == float(stored[key][column]), name


def test_statistics_and_positions_are_those_of_the_stored_rows(
    sheet: tuple[Sheet, sa.Connection],
) -> None:
    found, connection = sheet
    for name, statement in (
        ("sharpe_ratio", "SELECT sharpe_ratio FROM portfolio_performance"),
        ("win_rate", "SELECT win_rate FROM portfolio_return_distribution"),
        ("longest_drawdown", "SELECT longest_drawdown FROM portfolio_underwater"),
        ("alpha", "SELECT alpha FROM portfolio_alpha"),
    ):
        stored = connection.scalar(
            sa.text(f"{statement} WHERE portfolio_id = :id AND day = :day"),
            {"id": found.portfolio_id, "day": DAY},
        )
        assert value(found, name) == float(stored), name
    symbols = {entity["symbol"]: alias for alias, entity in found.aliases.items()
        if "symbol" in entity}  # fmt: skip
    rows = connection.execute(
        sa.text(
            "SELECT p.symbol, b.beta, b.std_error, v.realized_vol_21d FROM positions p"
            " JOIN position_market_betas b ON b.position_id = p.id AND b.calc_date = :day"
            " JOIN position_volatility v ON v.position_id = p.id AND v.calculation_date = :day"
            " WHERE p.portfolio_id = :id"
        ),
        {"id": found.portfolio_id, "day": DAY},
    ).all()
    assert rows
    for symbol, beta, error, volatility in rows:
        alias = symbols[symbol].lower()
        assert value(found, f"{alias}_position_beta") == float(beta)
        assert value(found, f"{alias}_position_beta_error") == float(error)
        assert value(found, f"{alias}_position_volatility") == float(volatility)


def test_the_market_s_volatility_and_returns_are_those_of_its_closes(
    sheet: tuple[Sheet, sa.Connection],
) -> None:
    found, connection = sheet
    rows = connection.execute(
        sa.text(
            "SELECT date, coalesce(adj_close, close)::float FROM market_data_cache"
            " WHERE symbol = :symbol AND date <= :day ORDER BY date"
        ),
        {"day": DAY, "symbol": stored_settings.read_market_index(connection)},
    ).all()
    closes = pd.Series(dict(rows))
    assert len(closes) > 252
    returns = closes.pct_change().dropna()
    expected = returns.iloc[-21:].std(ddof=1) * np.sqrt(252)
    assert value(found, "market_volatility_21d") == pytest.approx(expected, rel=1e-9)
    before = closes[closes.index < date(2022, 1, 1)].iloc[-1]
    assert value(found, "market_return_ytd") == pytest.approx(closes.iloc[-1] / before - 1)
    month = closes[closes.index < date(2022, 12, 1)].iloc[-1]
    assert value(found, "market_return_mtd") == pytest.approx(closes.iloc[-1] / month - 1)
    assert value(found, "market_return_252d") == pytest.approx(
        closes.iloc[-1] / closes.iloc[-253] - 1
    )


def test_a_return_is_no_fact_unless_every_session_of_it_is_stored(
    sheet: tuple[Sheet, sa.Connection],
) -> None:
    """One session of the portfolio is stored: there is no year to date, and no worst day."""
    found, _ = sheet
    for name in ("return_ytd", "return_mtd", "return_252d", "worst_return", "best_day"):
        assert name not in found.facts


def test_all_sectors_below_their_weight_in_the_benchmark_are_listed(
    sheet: tuple[Sheet, sa.Connection],
) -> None:
    found, connection = sheet
    below = connection.scalars(
        sa.text(
            "SELECT sector FROM portfolio_sector_weights WHERE portfolio_id = :id AND day = :day"
            " AND active_weight < 0 AND sector NOT IN ('Unclassified', 'Bonds')"
        ),
        {"id": found.portfolio_id, "day": DAY},
    )
    plan = answer_by_rules("Which sectors are underweight?", claims_of(found), found.aliases)
    named = {found.aliases[each.partition(":")[2]]["sector"] for each in plan.statements()}
    assert named == set(below) != set()


def test_all_stored_scenarios_are_facts_and_each_market_move_is_answered(
    sheet: tuple[Sheet, sa.Connection],
) -> None:
    found, connection = sheet
    rows = connection.execute(
        sa.text(
            "SELECT s.scenario, s.loss::float, c.market_move::float FROM portfolio_stress s"
            " JOIN stress_scenarios c ON c.name = s.scenario"
            " WHERE s.portfolio_id = :id AND s.day = :day AND s.loss IS NOT NULL"
        ),
        {"id": found.portfolio_id, "day": DAY},
    ).all()
    assert len(rows) > 3
    aliases = {entity["scenario"]: alias for alias, entity in found.aliases.items()
        if "scenario" in entity}  # fmt: skip
    for name, loss, move in rows:
        assert value(found, f"{aliases[name].lower()}_result") == -loss
        if move is not None:
            assert value(found, f"{aliases[name].lower()}_market_move") == move
    claims = claims_of(found)
    plan = answer_by_rules("What happens if the market falls 20%?", claims, found.aliases)
    (stated,) = plan.statements()
    slots = claims[stated].slots
    expected = next(loss for _, loss, move in rows if move == -0.2)
    assert (slots["move"].value, slots["amount"].value) == (-0.2, pytest.approx(expected))


def test_all_stored_factors_are_facts(sheet: tuple[Sheet, sa.Connection]) -> None:
    found, connection = sheet
    rows = connection.execute(
        sa.text(
            "SELECT factor, exposure::float, std_error::float FROM portfolio_factor_exposures"
            " WHERE portfolio_id = :id AND day = :day AND factor <> 'market'"
        ),
        {"id": found.portfolio_id, "day": DAY},
    ).all()
    assert len(rows) > 3
    aliases = {entity["factor"]: alias for alias, entity in found.aliases.items()
        if "factor" in entity}  # fmt: skip
    for factor, exposure, error in rows:
        assert value(found, f"{aliases[factor].lower()}_factor_exposure") == exposure
        assert value(found, f"{aliases[factor].lower()}_factor_error") == error


def test_since_when_a_limit_is_exceeded_is_the_first_check_of_the_unbroken_run(
    computed_sample: str,
) -> None:
    engine = create_engine(computed_sample)
    checks = (  # the second ends a run, the third and fourth are the one in force
        ("2022-12-21", "exceeded"), ("2022-12-22", "kept"), ("2022-12-23", "exceeded"),
        ("2022-12-28", "exceeded"),
    )  # fmt: skip
    with engine.connect() as connection:
        for day, status in checks:
            connection.execute(
                sa.text(
                    "INSERT INTO portfolio_limit_checks (portfolio_id, day, limit_name,"
                    " limit_value, value, status, code_version)"
                    " SELECT id, CAST(:day AS date), 'beta', 1.0, 1.1, :status, 'test'"
                    " FROM portfolios WHERE name = 'Concentrated'"
                ),
                {"day": day, "status": status},
            )
        (plain,) = fact_reading.read_sheets(connection, [DAY], "Concentrated")
        found = add_question_facts(connection, plain)
        assert found.facts["lim_01_exceeded_since"].value == "2022-12-23"
        plan = answer_by_rules(
            "Since when is the beta limit exceeded?", claims_of(found), found.aliases
        )
        assert plan.statements() == ("own_limit_since:LIM_01",)
    engine.dispose()


def test_the_result_of_every_position_is_a_fact(sheet: tuple[Sheet, sa.Connection]) -> None:
    found, connection = sheet
    symbols = set(
        connection.scalars(
            sa.text(
                "SELECT symbol FROM portfolio_risk_contributions"
                " WHERE portfolio_id = :id AND day = :day AND weight IS NOT NULL"
            ),
            {"id": found.portfolio_id, "day": DAY},
        )
    )
    known = {entity["symbol"] for entity in found.aliases.values() if "symbol" in entity}
    assert known == symbols
    results = [fact for fact in found.facts.values() if fact.fact_type.name == "pnl"]
    counts = value(found, "n_winners") + value(found, "n_losers")
    assert len(results) == counts
    total = sum(float(fact.value) for fact in results)
    assert total == pytest.approx(value(found, "daily_pnl"), abs=0.02)
