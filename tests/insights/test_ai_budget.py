"""Spending caps of models, enforced by the database to the cent, also concurrently."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import sqlalchemy as sa

from riskmetrics.db import spending, tables
from riskmetrics.insights.budget import Budget, BudgetRefusal, Caps, Reservation
from riskmetrics.insights.draft_schemas import Usage

pytestmark = pytest.mark.usefixtures("no_day_ends")

CENT, DOLLAR = Decimal("0.01"), Decimal(1)


def committed(engine: sa.Engine) -> Decimal:
    """Return the USD spent or reserved."""
    with engine.connect() as connection:
        return connection.execute(
            sa.text("SELECT coalesce(sum(coalesce(cost, reserved)), 0) FROM ai_spend")
        ).scalar_one()


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        (Caps(3 * CENT, DOLLAR, DOLLAR), "RISKMETRICS_AI_USD_PER_INSIGHT"),
        (Caps(DOLLAR, 3 * CENT, DOLLAR), "RISKMETRICS_AI_USD_PER_RUN"),
        (Caps(DOLLAR, DOLLAR, 3 * CENT), "RISKMETRICS_AI_USD_PER_DAY"),
    ],
)
def test_each_cap_is_reached_and_never_exceeded(engine, caps, reason):
    budget = Budget(engine, caps, "run")
    for _ in range(3):
        assert isinstance(budget.reserve("insight", "model", CENT), Reservation)
    refused = budget.reserve("insight", "model", Decimal("0.000001"))
    assert isinstance(refused, BudgetRefusal)
    assert reason in refused.reason
    assert committed(engine) == 3 * CENT


def test_insights_runs_and_days_have_separate_caps(engine):
    caps = Caps(CENT, 2 * CENT, 4 * CENT)
    for run in ("one", "two"):
        for insight in ("a", "b"):
            assert isinstance(
                Budget(engine, caps, run).reserve(insight, "model", CENT), Reservation
            )
    assert isinstance(Budget(engine, caps, "three").reserve("a", "model", CENT), BudgetRefusal)
    with engine.begin() as connection:
        connection.execute(sa.update(tables.ai_spend).values(day=sa.text("day - 1")))
    assert isinstance(Budget(engine, caps, "three").reserve("a", "model", CENT), Reservation)


def test_a_settled_call_counts_with_its_cost_and_is_settled_once(engine):
    budget = Budget(engine, Caps(DOLLAR, DOLLAR, CENT), "run")
    held = budget.reserve("insight", "model", CENT)
    assert isinstance(held, Reservation)
    assert isinstance(budget.reserve("insight", "model", CENT), BudgetRefusal)
    for cost in (CENT / 4, CENT):
        budget.settle(held, Usage(6000, 2000, cost))
    assert committed(engine) == CENT / 4
    assert isinstance(budget.reserve("insight", "model", CENT * 3 / 4), Reservation)
    with engine.connect() as connection:
        (day,) = spending.read_spend_by_day(connection, 7)
    assert {
        name: day[name]
        for name in ("calls", "input_tokens", "output_tokens", "paid_usd", "reserved_usd")
    } == {
        "calls": 2,
        "input_tokens": 6000,
        "output_tokens": 2000,
        "paid_usd": CENT / 4,
        "reserved_usd": CENT * 3 / 4,
    }


def test_an_unknown_cost_counts_as_the_reserved_maximum(engine):
    budget = Budget(engine, Caps(CENT, DOLLAR, DOLLAR), "run")
    held = budget.reserve("insight", "model", CENT / 2)
    assert isinstance(held, Reservation)
    budget.settle(held, Usage(6000, 2000, None))
    assert committed(engine) == CENT / 2


def test_a_model_without_rates_is_refused_and_reserves_nothing(engine):
    """What it costs has no bound."""
    refused = Budget(engine, Caps(CENT, DOLLAR, DOLLAR), "run").reserve("insight", "gpt", None)
    assert isinstance(refused, BudgetRefusal)
    assert "rates of gpt" in refused.reason
    assert "claude-haiku-5-5, claude-sonnet-5-5, claude-opus-5-5" in refused.reason
    assert committed(engine) == 0


PROCESS = """
import sys
from datetime import datetime
from decimal import Decimal
from riskmetrics.db.engine import create_engine
from riskmetrics.insights import budget as module
from riskmetrics.insights.budget import Budget, Caps
class StoppedClock(datetime):
    @classmethod
    def now(cls, zone):
        return datetime.fromisoformat(sys.argv[3])
module.datetime = StoppedClock
caps = Caps(Decimal(1), Decimal(1), Decimal("0.10"))
budget = Budget(create_engine(sys.argv[1]), caps, sys.argv[2])
sys.stdin.readline()
for number in range(12):
    budget.reserve(str(number), "model", Decimal("0.007"))
"""


def test_concurrent_processes_and_threads_stay_within_the_daily_cap(engine, no_day_ends):
    """14 * 0.7 cents are 9.8 cents; a fifteenth would exceed ten."""
    url = engine.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, url, name, no_day_ends.isoformat()],
            stdin=subprocess.PIPE,
        )
        for name in "ab"
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.close()
    budget = Budget(engine, Caps(DOLLAR, DOLLAR, 10 * CENT), "threads")
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda number: budget.reserve(str(number), "model", Decimal("0.007")), range(24)
            )
        )
    assert [process.wait() for process in processes] == [0, 0]
    assert committed(engine) == Decimal("0.098")
