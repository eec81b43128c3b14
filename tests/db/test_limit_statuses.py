"""Which status a limit has, and why its figure is undefined, from rows written by hand."""

from typing import Any
from uuid import UUID

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics.db import portfolio_limits, tables
from tests.db.small_results import GROWTH, SECOND_DAY, smallest_row, store_small_results


@pytest.fixture
def portfolio(connection: sa.Connection) -> UUID:
    """Return a portfolio with small results."""
    store_small_results(connection)
    found: UUID | None = connection.scalar(
        sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == GROWTH)
    )
    assert found
    return found


def check(connection: sa.Connection, portfolio: UUID, name: str, limit: float) -> dict[str, Any]:
    """Set a limit, check it on the session and return the stored row."""
    portfolio_limits.set_limit(connection, portfolio, name, limit)
    portfolio_limits.check_limits(connection, [SECOND_DAY], None)
    rows = portfolio_limits.read_limit_checks(connection, SECOND_DAY, GROWTH)
    row = rows[rows["limit_name"] == name].iloc[0]
    return {str(key): None if pd.isna(value) else value for key, value in row.items()}


def replace(
    connection: sa.Connection, table: sa.Table, portfolio: UUID, rows: list[dict[str, Any]]
) -> None:
    """Replace the rows of a portfolio in a result table by one row each on the session."""
    connection.execute(sa.delete(table).where(table.c.portfolio_id == portfolio))
    for row in rows:
        values = smallest_row(table, {"portfolio_id": portfolio, "day": SECOND_DAY} | row)
        connection.execute(sa.insert(table).values(values))


def scenario(name: str, loss: float | None, coverage: float | None) -> dict[str, Any]:
    """Return a row of a scenario."""
    reason = None if loss is not None else f"no beta in {name}"
    return {"scenario": name, "loss": loss, "coverage": coverage, "undefined_reason": reason}


LOW = scenario("fall", 0.02, 1.0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([LOW, scenario("rise", None, 0.5)], ("undefined", None)),
        ([LOW, scenario("fall 2", 0.3, 1.0), scenario("rise", None, 0.5)], ("exceeded", "fall 2")),
        ([LOW, scenario("1929", None, 0.0)], ("kept", "fall")),
        ([LOW, scenario("later", None, None)], ("kept", "fall")),
        ([scenario("1929", None, 0.0)], ("undefined", None)),
        ([LOW], ("kept", "fall")),
        ([], ("undefined", None)),
    ],
    ids=["partly", "exceeded", "no data", "after the day", "nothing", "all", "no row"],
)
def test_a_limit_is_kept_only_if_every_row_with_data_is_defined(
    connection, portfolio, rows, expected
):
    replace(connection, tables.portfolio_stress, portfolio, rows)
    row = check(connection, portfolio, "stress_loss", 0.1)
    assert (row["status"], row["subject"]) == expected
    assert (row["value"] is None) == (row["status"] == "undefined")
    assert (row["undefined_reason"] is None) == (row["status"] != "undefined")


def test_undefined_rows_are_counted_and_one_cause_is_named(connection, portfolio):
    undefined = [scenario(f"rise {n}", None, 0.5) for n in range(8)]
    old = scenario("1929", None, 0.0)
    replace(connection, tables.portfolio_stress, portfolio, [LOW, old, *undefined])
    assert check(connection, portfolio, "stress_loss", 0.1)["undefined_reason"] == (
        "portfolio_stress.loss is undefined for 8 of 9 scenarios: no beta in rise 0"
    )


def test_a_symbol_without_a_price_makes_the_largest_weight_undefined(connection, portfolio):
    weights = [
        {"symbol": "A", "weight": -0.2, "undefined_reason": "few returns"},
        {"symbol": "B", "weight": None, "undefined_reason": "no price of B"},
    ]
    replace(connection, tables.portfolio_risk_contributions, portfolio, weights)
    row = check(connection, portfolio, "single_name", 0.25)
    assert (row["status"], row["undefined_reason"]) == (
        "undefined",
        "portfolio_risk_contributions.weight is undefined for 1 of 2 symbols: no price of B",
    )
    assert check(connection, portfolio, "single_name", 0.1)["status"] == "exceeded"


def test_a_quarter_of_equity_is_within_a_limit_of_a_quarter_however_it_is_rounded(
    connection, portfolio
):
    """1,000 shares at 83.0374 are 0.25 of an equity of 332,149.60, and 0.25000000000000006 as
    doubles; one cent of equity less is 7.5e-9 beyond.
    """
    value, cash = 1000 * 83.0374, 332149.60 - 1000 * 83.0374
    weight = value / (value + cash)
    assert weight > 0.25
    for size, status in ((weight, "kept"), (value / 332149.59, "exceeded")):
        held = [{"symbol": "A", "weight": size, "undefined_reason": None}]
        replace(connection, tables.portfolio_risk_contributions, portfolio, held)
        assert check(connection, portfolio, "single_name", 0.25)["status"] == status


@pytest.mark.parametrize(
    ("equity", "status", "reason"),
    [
        (750, "kept", None),
        (-10, "undefined", "equity is not positive"),
        (0, "undefined", "equity is not positive"),
    ],
)
def test_leverage_without_equity_is_undefined_for_that_reason(
    connection, portfolio, equity, status, reason
):
    snapshots = tables.portfolio_snapshots
    connection.execute(sa.update(snapshots).values(total_value=equity, gross_exposure=1500))
    row = check(connection, portfolio, "leverage", 2.0)
    assert (row["status"], row["undefined_reason"]) == (status, reason)


def test_the_stored_reason_of_a_figure_is_passed_through(connection, portfolio):
    """That of its row, or for a snapshot that of `undefined_metrics`."""
    drawdown = {"current_drawdown": None, "undefined_reason": "too few sessions"}
    table = tables.STATISTIC_TABLES["portfolio_drawdowns"]
    replace(connection, table, portfolio, [drawdown])
    assert check(connection, portfolio, "drawdown", 0.1)["undefined_reason"] == (
        "portfolio_drawdowns.current_drawdown is undefined: too few sessions"
    )
    figure = "portfolio_snapshots.expected_volatility_21d"
    connection.execute(sa.update(tables.portfolio_snapshots).values(expected_volatility_21d=None))
    reason = {"metric": figure, "subject": portfolio, "reason": "no model"}
    row = smallest_row(
        tables.undefined_metrics, {"portfolio_id": portfolio, "day": SECOND_DAY} | reason
    )
    connection.execute(sa.insert(tables.undefined_metrics).values(row))
    assert check(connection, portfolio, "volatility", 0.1)["undefined_reason"] == (
        f"{figure} is undefined: no model"
    )


def test_a_preview_is_of_one_portfolio_even_if_a_deleted_one_had_its_name(connection, portfolio):
    row = smallest_row(
        tables.portfolios, {"name": GROWTH, "currency": "USD", "deleted_at": sa.func.now()}
    )
    deleted = connection.scalar(
        sa.insert(tables.portfolios).values(row).returning(tables.portfolios.c.id)
    )
    snapshots = tables.portfolio_snapshots
    values = {"portfolio_id": deleted, "snapshot_date": SECOND_DAY}
    amounts = dict.fromkeys(("total_value", "gross_exposure"), 5)
    connection.execute(sa.insert(snapshots).values(smallest_row(snapshots, values | amounts)))
    for each, limit in ((portfolio, 2.0), (deleted, 3.0)):
        portfolio_limits.set_limit(connection, each, "leverage", limit)
    (found,) = portfolio_limits.preview_checks(connection, SECOND_DAY, portfolio, "leverage")
    assert (found["portfolio"], found["limit_value"]) == (GROWTH, 2.0)
