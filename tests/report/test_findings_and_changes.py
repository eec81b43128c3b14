"""What needs attention, what changed, and which positions are folded: boundaries by hand."""

from datetime import date
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmetrics.catalog.tail_risk import VAR_TOO_LOW
from riskmetrics.report.attention import list_findings
from riskmetrics.report.changes import Change, Contributor, list_changes, list_contributors
from riskmetrics.report.limit_table import build_limit_rows
from riskmetrics.report.page import _environment
from riskmetrics.report.position_table import build_table


def backtest(p_value: float | None, exceptions: int = 24) -> dict[str, Any]:
    return {
        "level": 0.95,
        "expected_exceptions": 12.6,
        "exceptions": exceptions,
        "n_tested": 252,
        "p_value": p_value,
    }


@pytest.mark.parametrize(
    ("p_value", "is_found"), [(0.0099, True), (0.01, False), (0.048, False), (None, False)]
)
def test_a_backtest_fails_below_one_percent(p_value: float | None, is_found: bool) -> None:
    assert bool(list_findings([backtest(p_value)], [], [], [])) == is_found


def test_a_failed_backtest_says_which_way_it_fails() -> None:
    (many,) = list_findings([backtest(0.003)], [], [], [])
    assert many == (
        "The historical value at risk was exceeded at 95% on 24 of 252 sessions (12.6 expected,"
        " p 0.003): it understates the risk."
    )
    (few,) = list_findings([backtest(0.003, exceptions=3)], [], [], [])
    assert few.endswith("it overstates the risk.")


def test_two_failed_levels_are_one_finding_unless_they_fail_in_two_ways() -> None:
    other = backtest(0.006, exceptions=8) | {"level": 0.99, "expected_exceptions": 2.52}
    (both,) = list_findings([backtest(0.003), other], [], [], [])
    assert "sessions (12.6 expected, p 0.003) and at 99% on 8 of 252 sessions (2.5" in both
    assert len(list_findings([backtest(0.003, exceptions=3), other], [], [], [])) == 2


def insight(severity: str, title: str) -> dict[str, Any]:
    return {"severity": severity, "title": title, "context_data": None}


def test_all_alerts_in_force_are_findings_whatever_the_title_of_the_note() -> None:
    """A quiet day on which two alerts stand, and a loss beyond the value at risk."""
    alerts = ["AMD 60% of equity (critical from 50%).", "XOM 43% of equity (warning from 20%)."]
    loss = "The portfolio lost $839 (5.0%), beyond the value at risk of 4.1%."
    for severity in ("critical", "normal"):
        note = insight(severity, "A quiet day") | {"context_data": {"attention": [*alerts, loss]}}
        other = insight("warning", "The shorts do not hedge")
        assert list_findings([], [], [], [note, other]) == [*alerts, loss, other["title"]]
        found = list_findings([backtest(0.003)], [], [], [note], [check("beta", 1.4, 1.2,
            "exceeded")])  # fmt: skip
        assert found[1:-1] == [*alerts, loss]
    quiet = insight("critical", "A quiet day") | {"context_data": {"attention": []}}
    assert list_findings([], [], [], [quiet]) == []


def test_findings_are_backtests_caveats_faults_and_severe_insights() -> None:
    severities = ("critical", "warning", "elevated", "normal", "info")
    insights = [insight(severity, severity) for severity in severities]
    faults = [{"symbol": "AMD"}, {"symbol": "AMD"}, {"symbol": "BAC"}]
    assert list_findings([], ["1 of 2 has a price"], faults, insights) == [
        "1 of 2 has a price.",
        "Prices of AMD, BAC have issues: see below.",
        "critical",
        "warning",
    ]


def test_a_cause_is_named_once() -> None:
    insights = [insight("critical", VAR_TOO_LOW), insight("warning", VAR_TOO_LOW)]
    assert list_findings([], [], [], insights) == [VAR_TOO_LOW]
    (only,) = list_findings([backtest(0.003)], [], [], insights)
    assert only.startswith("The historical value at risk was exceeded")
    others = [*insights, insight("warning", "AMD is most of the risk"), insight("critical", "AMD")]
    assert list_findings([backtest(0.003)], [], [], others)[1:] == [
        "AMD is most of the risk",
        "AMD",
    ]


def check(name: str, value: float | None, limit: float, status: str) -> dict[str, Any]:
    return {
        "portfolio": "P",
        "limit_name": name,
        "value": value,
        "limit_value": limit,
        "subject": "AMD" if name == "single_name" else None,
        "status": status,
        "since": date(2022, 12, 28),
        "limit_set": date(2022, 12, 28),
        "undefined_reason": None if value is not None else "no price",
    }


def test_limits_have_their_room_and_the_exceeded_come_first_and_are_findings() -> None:
    checks = [
        check("leverage", 1.5, 2.0, "kept"),
        check("beta", None, 1.0, "undefined"),
        check("single_name", 0.598, 0.25, "exceeded"),
    ]
    kept, undefined, exceeded = (build_limit_rows([row])[0] for row in checks)
    for order in permutations(checks):
        assert build_limit_rows(order) == [exceeded, undefined, kept]
    name = "Share of equity of a symbol, with options on it (AMD)"
    assert exceeded == (
        name,
        "59.8%",
        "25.0%",
        "−34.8 pp",
        "exceeded",
        "2022-12-28",
        "",
        exceeded.sentence,
    )
    assert kept == (
        "Gross exposure divided by equity",
        *("1.50", "2.00", "+0.50", "kept", "2022-12-28", "", kept.sentence),
    )
    assert (undefined.value, undefined.room, undefined.reason) == ("—", "—", "no price")
    assert list_findings([], [], [], [], checks) == ["AMD: 59.8% of equity, limit 25.0%."]


@pytest.mark.parametrize(
    ("limit_set", "shown"),
    [
        (date(2022, 12, 28), "2022-12-28"),
        (date(2022, 12, 29), "2022-12-28 (limit set 2022-12-29)"),
        (None, "2022-12-28"),  # removed since
    ],
)
def test_a_limit_that_was_set_after_its_first_session_says_so(
    limit_set: date | None, shown: str
) -> None:
    row = check("leverage", 2.5, 2.0, "exceeded") | {"limit_set": limit_set}
    assert build_limit_rows([row])[0].since == shown
    as_read = {name: pd.Timestamp(row[name]) for name in ("since", "limit_set") if row[name]}
    assert build_limit_rows([row | as_read])[0].since == shown


def test_a_limit_that_is_barely_exceeded_has_a_room_with_as_many_digits() -> None:
    texts = [
        build_limit_rows([check(name, value, limit, status)])[0][1:4]
        for name, value, limit, status in (
            ("single_name", 0.25001, 0.25, "exceeded"),
            ("leverage", 1.9999, 2.0, "kept"),
            ("leverage", 2.0, 2.0, "kept"),
            ("leverage", 0.0499999, 0.05, "kept"),
        )
    ]
    assert texts == [
        ("25.001%", "25.000%", "−0.001 pp"),
        ("1.9999", "2.0000", "+0.0001"),
        ("2.00", "2.00", "0.00"),
        ("0.0499999", "0.0500000", "+0.0000001"),
    ]
    nearest = 0.25 + 2e-9  # a value is at its limit up to a rounding of 1e-9
    (row,) = build_limit_rows([check("single_name", nearest, 0.25, "exceeded")])
    assert row.value != row.limit
    assert row.room.startswith("−0.000")
    assert row.room != "−0.0 pp"


def test_changes_of_shares_are_percentage_points_and_of_amounts_have_signs() -> None:
    before = {
        "portfolio_snapshots.total_value": 1000.0,
        "portfolio_snapshots.expected_volatility_21d": 0.2,
        "portfolio_snapshots.beta_calculated_90d": 1.0,
        "portfolio_tail_risk.value_at_risk": 0.02,
    }
    after = before | {
        "portfolio_snapshots.total_value": 1250.5,
        "portfolio_snapshots.expected_volatility_21d": 0.175,
        "portfolio_snapshots.beta_calculated_90d": 1.25,
        "portfolio_tail_risk.value_at_risk": None,
    }
    assert list_changes(before, after) == [
        Change("Equity", "1,000", "1,250", "+250"),
        Change("Beta, 90 sessions", "1.00", "1.25", "+0.25"),
        Change("Volatility, forecast for 21 sessions", "20.0%", "17.5%", "−2.5 pp"),
    ]
    assert list_changes({}, after) == []


def positions(**prices: float) -> pd.DataFrame:
    """Ten shares of each symbol at a price."""
    return pd.DataFrame(
        {
            "portfolio": "P",
            "symbol": list(prices),
            "right": None,
            "underlying": list(prices),
            "price": list(prices.values()),
            "value": [10 * price for price in prices.values()],
        }
    )


def test_contributors_are_the_three_largest_moves_at_the_quantities_before() -> None:
    before = positions(A=10.0, B=10.0, C=10.0, D=10.0, E=10.0, SOLD=10.0)
    after = positions(A=11.0, B=7.0, C=10.0, D=12.0, E=10.5, BOUGHT=99.0)
    after["value"] *= 2  # bought more of all since
    assert list_contributors(before, after) == [
        Contributor("B", "−30"),
        Contributor("D", "+20"),
        Contributor("A", "+10"),
    ]


def held(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "symbol": [f"S{number:03}" for number in range(count)],
            "right": None,
            "underlying": None,
            "quantity": 1.0,
            "price": 1.0,
            "is_stale": False,
            "is_stated": False,
            "value": np.arange(count, 0, -1.0),
            "weight": np.nan,
            "daily_pnl": 0.0,
            "cumulative_price_pnl": np.nan,
            "sector": None,
        }
    )


@pytest.mark.parametrize(
    ("count", "n_largest", "n_others"), [(1, 1, 0), (15, 15, 0), (16, 16, 0), (17, 15, 2)]
)
def test_a_table_folds_two_or_more(count: int, n_largest: int, n_others: int) -> None:
    table = build_table(held(count), [], [], [])
    assert (len(table.largest), len(table.others)) == (n_largest, n_others)
    assert table.others_share == pytest.approx(3 / 153 if n_others else 0.0)


def test_positions_are_ordered_by_their_share_of_risk_and_join_what_is_known() -> None:
    contributions = [{"symbol": "S001", "share": -0.3}, {"symbol": "S002", "share": 0.2}]
    betas = [{"symbol": "S002", "beta": 1.5, "std_error": 0.1}]
    volatilities = [{"symbol": "S000", "expected_vol_21d": 0.4}]
    rows = build_table(held(3), betas, volatilities, contributions).largest
    assert [row.symbol for row in rows] == ["S001", "S002", "S000"]
    assert (rows[1].beta, rows[1].std_error, rows[2].volatility) == (1.5, 0.1, 0.4)
    assert (rows[0].beta, rows[0].weight, rows[0].cumulative_price_pnl) == (None, None, None)


@pytest.mark.parametrize(
    ("is_stated", "daily_pnl", "shown"),
    [(True, 0.0, None), (True, -5.0, -5.0), (False, 0.0, 0.0)],
)
def test_no_change_of_a_stated_price_is_an_unknown_pnl(
    is_stated: bool, daily_pnl: float, shown: float | None
) -> None:
    """A contract that ends has a P&L; a close that did not change has one of 0."""
    table = build_table(held(1).assign(is_stated=is_stated, daily_pnl=daily_pnl), [], [], [])
    assert table.largest[0].daily_pnl == shown


def test_a_remark_on_tests_names_method_level_and_portfolios() -> None:
    numbers = dict.fromkeys(("kupiec_p", "independence_p", "conditional_p", "z2"), 0.01)
    counts = {"n_tested": 252, "expected_exceptions": 2.5, "exceptions": 6}
    rest = (
        numbers | counts | {"shortfall_ratio": None, "traffic_light": "", "remark": "no evidence"}
    )
    rows = [
        {"subject": subject, "method": method, "level": level, **rest}
        for method, level in (("filtered", 0.99), ("historical", 0.95), ("historical", 0.99))
        for subject in ("Core", "Growth")
        if (method, level, subject) != ("historical", 0.95, "Core")
    ]
    macros: Any = _environment().get_template("track_record.html.j2").module
    text = " ".join(str(macros.tests(rows)).split())
    assert (
        '<p class="caption">Filtered simulation, 99%, of Core, Growth; Historical, 95%, of Growth;'
        " Historical, 99%, of Core, Growth: no evidence.</p>"
    ) in text


def test_deposits_follow_the_equity_and_are_no_result() -> None:
    before, after = ({"portfolio_snapshots.total_value": value} for value in (1000.0, 1500.0))
    assert [change.change for change in list_changes(before, after)] == ["+500"]
    equity, flows = list_changes(before, after, 450.0)
    assert (equity.change, flows.label, flows.change) == (
        *("+500", "Deposits less withdrawals"),
        "+450",
    )


@pytest.mark.parametrize(
    ("name", "before", "after", "texts"),
    [
        ("portfolio_drawdowns.current_drawdown", 0.12249, 0.11651, ("−12.2%", "−11.7%", "+0.5 pp")),
        ("portfolio_drawdowns.current_drawdown", 0.00551, 0.00649, ("−0.6%", "−0.6%", "0.0 pp")),
        ("portfolio_snapshots.beta_calculated_90d", 0.6749, 0.6851, ("0.67", "0.69", "+0.02")),
        ("portfolio_snapshots.total_value", 1000.6, 1001.4, ("1,001", "1,001", "+1")),
    ],
)
def test_a_row_of_shares_or_betas_adds_up(
    name: str, before: float, after: float, texts: tuple[str, str, str]
) -> None:
    """Amounts are rounded by themselves: the same change has the same text in every row."""
    (change,) = list_changes({name: before}, {name: after})
    assert (change.before, change.after, change.change) == texts
