"""`riskmetrics compare`: two sessions as text and as JSON."""

import json

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.errors import UsageError
from riskmetrics.results.comparison import COMPARED_FIGURES
from tests.db.small_results import FIRST_DAY, GROWTH, SECOND_DAY, store_small_results

DAYS = ("--from", f"{FIRST_DAY}", "--to", f"{SECOND_DAY}")


@pytest.fixture(autouse=True)
def filled(engine: sa.Engine) -> None:
    """Store a row of every kind for two portfolios and two days."""
    with engine.begin() as connection:
        store_small_results(connection)


def test_json_has_every_change_of_the_requested_portfolio(call) -> None:
    found = json.loads(call("compare", *DAYS, "--portfolio", GROWTH, "--json").stdout)
    assert (found["from"], found["to"]) == ("2022-12-27", "2022-12-28")
    value = {
        "portfolio": GROWTH,
        "figure": "total_value",
        "before": 1000.1,
        "after": 1500.0,
        "change": 499.9,
    }
    assert found["figures"][0] == value
    known = {row["figure"] for row in found["figures"] if row["change"] is not None}
    assert known == {"total_value", "gross_exposure", "net_exposure"}
    assert [row["figure"] for row in found["figures"]] == list(COMPARED_FIGURES)
    assert found["contributors"] == []
    assert (found["sectors"], found["positions"]) == ([], [])
    beta = {
        "portfolio": GROWTH,
        "symbol": "AAPL",
        "position_type": "LONG",
        "before": 1.0,
        "after": 2.0,
        "change": 1.0,
    }
    assert found["betas"] == [beta | {"standard_errors": 10.0}]
    assert [(row["metric"], row["status"]) for row in found["undefined"]] == [
        ("t.1", "resolved"),
        ("t.2", "new"),
    ]


def test_text_shows_what_moved_and_leaves_out_what_did_not(call) -> None:
    result = call("compare", *DAYS)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [GROWTH, "Equity", "1,000", "1,500", "+500"] in lines
    assert [GROWTH, "HHI", "—", "—", "—"] in lines
    assert [GROWTH, "AAPL", "LONG", "1.000", "2.000", "+1.000", "10.0"] in lines
    assert "Sector weights" not in result.stdout
    assert "opened" not in result.stdout


def test_rows_name_their_section_and_the_value_at_risk_is_the_filtered_one(
    call, engine: sa.Engine
) -> None:
    owner = sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == GROWTH)
    with engine.begin() as connection:
        key = {"portfolio_id": connection.scalar(owner), "level": 0.95, "horizon_days": 1}
        for method, day, risk in (
            ("filtered", FIRST_DAY, 0.02),
            ("filtered", SECOND_DAY, 0.01),
            ("parametric", SECOND_DAY, 0.013),
        ):
            row = key | {"method": method, "day": day, "value_at_risk": risk, "observations": 504}
            connection.execute(sa.insert(tables.portfolio_tail_risk).values(row))
        held = tables.portfolio_snapshots
        for day, hhi in ((FIRST_DAY, 0.1347), (SECOND_DAY, 0.1353)):
            is_row = sa.and_(
                held.c.portfolio_id == key["portfolio_id"], held.c.snapshot_date == day
            )
            connection.execute(sa.update(held).where(is_row).values(hhi=hhi))
    shown = [" ".join(line.split()) for line in call("compare", *DAYS).stdout.splitlines()]
    assert f"{GROWTH} Value at risk, 95%, filtered −2.0% −1.0% +1.0 pp" in shown
    assert f"{GROWTH} HHI 0.1347 0.1353 +0.0006" in shown
    for label in ("Gross exposure", "Net exposure", "Volatility, last 21 sessions"):
        assert any(line.startswith(f"{GROWTH} {label}") for line in shown)


def test_deposits_and_withdrawals_between_the_sessions_are_listed(call, engine: sa.Engine) -> None:
    """Of the day after the earlier session to the later one; other transactions are no flows."""
    owner = sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == GROWTH)
    with engine.begin() as connection:
        fixed = {"portfolio_id": connection.scalar(owner), "quantity": 0, "fees": 0, "ordinal": 0}
        fixed |= {"layout": "L", "source": "f.csv", "source_digest": "0" * 64}
        for number, (day, kind, amount) in enumerate(
            (
                (FIRST_DAY, "deposit", 100),
                (SECOND_DAY, "deposit", 250),
                (SECOND_DAY, "deposit", 50),
                (SECOND_DAY, "withdrawal", -70),
                (SECOND_DAY, "dividend", 9),
            )
        ):
            row = fixed | {"reference": f"{number}", "day": day, "kind": kind, "amount": amount}
            connection.execute(sa.insert(tables.transactions).values(row))
    shown = [" ".join(line.split()) for line in call("compare", *DAYS).stdout.splitlines()]
    assert f"{GROWTH} {SECOND_DAY} deposit +300" in shown
    assert f"{GROWTH} {SECOND_DAY} withdrawal −70" in shown
    found = json.loads(call("compare", *DAYS, "--json").stdout)["cash_flows"]
    assert [row["amount"] for row in found] == [300.0, -70.0]


def test_unconfirmed_closes_of_a_session_are_reported(call, engine: sa.Engine) -> None:
    """A change of value over a suspected split is no profit; the JSON on stdout stays JSON."""
    half = {"metric": "validated_prices", "coverage": 0.5, "n_covered": 1, "n_total": 2}
    owner = sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == GROWTH)
    with engine.begin() as connection:
        row = {"portfolio_id": connection.scalar(owner), "day": SECOND_DAY, **half}
        connection.execute(sa.insert(tables.portfolio_coverage).values(row))
    for arguments in ((), ("--json",)):
        result = call("compare", *DAYS, *arguments)
        assert result.stderr.count("1 of 2 instruments has an unconfirmed close") == 1
        assert f"{GROWTH}, {SECOND_DAY}: 1 of 2 instruments" in result.stderr
    assert json.loads(result.stdout)["to"] == f"{SECOND_DAY}"


def test_a_session_that_was_not_computed_exits_1_and_is_named(call) -> None:
    result = call("compare", "--from", "2022-12-23", "--to", f"{SECOND_DAY}")
    assert result.exit_code == 1
    assert "no results are stored for 2022-12-23" in result.stderr
    assert "riskmetrics run --date 2022-12-23" in result.stderr
    unknown = call("compare", *DAYS, "--portfolio", "Nobody").exception
    assert "there is no portfolio Nobody" in str(unknown)


def test_portfolios_that_a_name_does_not_tell_apart_are_refused(call, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        store_small_results(connection)
    result = call("compare", *DAYS)
    assert isinstance(result.exception, UsageError)
    assert "several portfolios are named" in str(result.exception)


def test_a_reversed_range_is_refused(call) -> None:
    result = call("compare", "--from", f"{SECOND_DAY}", "--to", f"{FIRST_DAY}")
    assert isinstance(result.exception, UsageError)
