"""Limits on their boundaries, and what has none: funds, groups that are no sectors, the market."""

from typing import Any

import numpy as np
import pytest

from riskmetrics.insights import severity
from riskmetrics.insights.claims import View, claims_of
from riskmetrics.insights.limits_reached import reached_limits
from riskmetrics.insights.plan import Plan, Step, prune
from riskmetrics.insights.realize import display_names, realize_claim
from tests.insights.fact_sheets import build_sheet

LIMITS = [
    (kind, level, limit)
    for kind, limits in severity.default_limits().items()
    for level, limit in limits.items()
]
FACTS = {"weight": "pos_01_weight", "gross": "sec_01_gross"}


def level_at(kind: str, value: float, **facts: Any) -> str:
    """Return the highest level of the limits that a figure reaches."""
    sheet = build_sheet({FACTS.get(kind, kind): value, **facts})
    if kind == "volatility_percentile":
        sheet = build_sheet({kind: value, "volatility_21d": 0.2})
        levels = [each.instance.level for each in claims_of(sheet, {}).values()]
        return max(levels, key=severity.LEVELS.index)
    return next((reach.level for reach in reached_limits(View(sheet))), "info")


@pytest.mark.parametrize(("kind", "level", "limit"), LIMITS)
def test_a_limit_itself_is_reached_and_the_number_before_it_is_not(
    kind: str, level: str, limit: float
) -> None:
    levels = list(severity.default_limits()[kind])
    assert level_at(kind, limit) == level
    lower = levels.index(level) - 1
    assert level_at(kind, float(np.nextafter(limit, 0.0))) == (
        levels[lower] if lower >= 0 else "info"
    )


def test_a_sector_alarms_only_if_it_is_a_part_of_something() -> None:
    """Not of a book with little invested, and not of a single position, which alarms itself."""
    assert level_at("gross", 0.6, gross_to_equity=0.5) == "warning"
    assert level_at("gross", 0.6, gross_to_equity=float(np.nextafter(0.5, 0))) == "info"
    assert level_at("gross", 0.6, num_positions=2) == "warning"
    assert level_at("gross", 0.6, num_positions=1) == "info"


@pytest.mark.parametrize(("coverage", "level"), [(0.95, "elevated"), (0.9499, "warning")])
def test_missing_prices_are_a_warning_below_nineteen_of_twenty(coverage: float, level: str) -> None:
    found = claims_of(build_sheet({"price_coverage": coverage}), {})
    assert found["prices_missing"].instance.level == level


def test_a_fund_alone_has_no_alarm() -> None:
    """100 shares of an index fund: its weight, its group, a market drawdown, a beta of 1."""
    sheet = build_sheet(
        {
            "pos_01_weight": 1.0,
            "pos_01_share": 1.0,
            "pos_01_fund": "fund",
            "sec_03_gross": 1.0,
            "beta": 1.0,
            "drawdown": 0.25,
            "market_drawdown": 0.25,
            "max_drawdown": 0.25,
            "daily_pnl": 114.99,
            "daily_return": 0.003,
            "scn_01_result": -0.4,
            "scn_01_market_move": -0.4,
            "total_value": 38_000.0,
        }
    )
    levels = {each.instance.level for each in claims_of(sheet, {}).values()}
    assert levels == {"info"}


def test_a_drawdown_counts_from_a_quarter_more_than_the_market_s() -> None:
    """0.20 x 1.25 = 0.25."""
    assert level_at("drawdown", 0.25, market_drawdown=0.2) == "warning"
    assert level_at("drawdown", float(np.nextafter(0.25, 0)), market_drawdown=0.2) == "info"


def test_every_position_is_judged_not_only_the_largest() -> None:
    """The largest is a fund without limit, the second a stock of 30%."""
    sheet = build_sheet({"pos_01_weight": 0.6, "pos_01_fund": "fund", "pos_02_weight": 0.3})
    assert [(reach.alias, reach.level) for reach in reached_limits(View(sheet))] == [
        ("POS_02", "warning")
    ]


def test_a_failing_test_of_the_value_at_risk_is_the_first_finding_after_the_lead() -> None:
    """24 losses where 12.6 are expected (p 0.003), and a position that passes its limit."""
    from riskmetrics.insights.plan import LEADING_TYPE, plan_by_rules

    sheet = build_sheet(
        {
            "var_exceptions": 24,
            "var_expected": 12.6,
            "var_tested": 252,
            "var_p_value": 0.0032,
            "pos_01_weight": 0.6,
            "pos_01_weight_streak": 1,
            "daily_pnl": -10.0,
            "daily_return": -0.001,
        }
    )
    plan = plan_by_rules(claims_of(sheet), LEADING_TYPE)
    assert plan is not None
    assert plan.paragraphs[0][0].claim == "limit_position:POS_01"
    assert plan.findings == ["var_too_low"]


@pytest.mark.parametrize(("p_value", "verdict"), [(0.0099, True), (0.01, False), (0.0479, False)])
def test_a_weak_test_is_told_without_a_verdict(p_value: float, verdict: bool) -> None:
    """20 losses where 12.6 are expected: at p 0.048 the figures are told, and no more."""
    sheet = build_sheet(
        {
            "var_exceptions": 20,
            "var_expected": 12.6,
            "var_tested": 252,
            "var_p_value": p_value,
        }
    )
    found = claims_of(sheet, {})
    assert ("var_too_low" in found) == verdict
    assert ("var_often_exceeded" in found) == (not verdict)


@pytest.mark.parametrize(("rate", "level"), [(0.005, "warning"), (0.00499, "elevated")])
def test_a_loss_beyond_the_value_at_risk_is_a_warning_from_half_a_percent(
    rate: float, level: str
) -> None:
    sheet = build_sheet({"daily_pnl": -5.0, "daily_return": -rate, "previous_var_95": 0.003})
    assert claims_of(sheet, {})["var_exceeded"].instance.level == level


def test_one_fact_alarms_once() -> None:
    """A position of 60%, and a beta of 1.55: each in one statement with a level.

    The two lists of alerts share facts; a note has one of them, whoever plans it.
    """
    sheet = build_sheet(
        {
            "pos_01_weight": 0.6,
            "pos_01_weight_streak": 5,
            "beta": 1.55,
            "beta_streak": 1,
            "pos_01_share": 0.8,
            "scn_01_result": -0.62,
            "scn_01_market_move": -0.4,
        }
    )
    claims = claims_of(sheet, {})
    alarms = [each for each in claims.values() if each.instance.level != "info"]
    cited = {each.form.figure or each.id: {fact.id for fact in each.evidence} for each in alarms}
    assert sum(map(len, cited.values())) == len(set().union(*cited.values()))
    assert {"pos_01_weight", "beta"} <= set().union(*cited.values())
    lists = ["limits_standing", "alerts_unchanged"]
    assert "limits_standing" in {each.id for each in alarms}
    assert set(lists) < claims.keys()
    for order in (lists, lists[::-1]):
        plan = Plan(headline="", paragraphs=[[Step(claim=order[0])]], findings=order[1:])
        assert prune(plan, claims).statements() == (order[0],)


ALERTS: dict[str, float | str] = {
    "lim_01_checked_number": 1.2,
    "lim_01_checked_number_limit": 1.0,
    "lim_01_limit_status": "exceeded",
    "lim_01_limit_status_before": "exceeded",
    "var_exceptions": 24,
    "var_expected": 12.6,
    "var_tested": 252,
    "var_p_value": 0.003,
    "previous_var_p_value": 0.003,
    "volatility_21d": 0.31,
    "volatility_percentile": 0.96,
    "volatility_percentile_streak": 9,
    "pos_01_weight": 0.6,
    "pos_01_weight_streak": 40,
    "sec_01_gross": 0.7,
    "sec_01_gross_streak": 3,
    "beta": 1.55,
    "beta_streak": 8,
    "gross_to_equity": 1.6,
    "gross_to_equity_streak": 5,
}
"""Alerts of the session before as well. A user's limit on the beta replaces its alert level."""


def list_of(facts: dict[str, float | str], form_id: str) -> str:
    """Return the sentence of a list of alerts."""
    sheet = build_sheet(facts)
    return realize_claim(claims_of(sheet, {})[form_id], display_names(sheet))


def test_standing_alerts_are_named_the_worst_first() -> None:
    """Critical first, then warnings, then what is elevated; in a session that ended another."""
    ended: dict[str, float | str] = {"drawdown": 0.05, "drawdown_left": 0.2}
    assert list_of(ALERTS | ended, "alerts_unchanged") == (
        "Alerts still in force: SYM1 position, breach of the limit on beta, test of the historical"
        " value at risk, Energy sector, volatility and gross exposure."
    )
    facts = ALERTS | ended
    facts |= {"pos_02_weight": 0.12, "pos_02_weight_streak": 2, "pos_02_side": "short"}
    assert list_of(facts, "alerts_unchanged").startswith(
        "Alerts still in force: positions in SYM1 and SYM2 (short); breach of the limit on beta;"
    )


def test_alerts_are_listed_in_full_with_level_and_session() -> None:
    facts = {name: value for name, value in ALERTS.items() if name[:3] not in ("sec", "lim")}
    small: dict[str, float | str] = {"pos_02_weight": 0.1996, "pos_03_weight": 0.1}
    small |= {f"{name}_streak": 4 for name in small}
    assert list_of(facts | small, "limits_standing") == (
        "Alerts in force: SYM1 60% of equity (critical from 50%, 40th session); historical value at"
        " risk too low (24 larger losses in 252 days, about 13 expected); beta 1.55 (warning from"
        " 1.50, 8th session); volatility higher than on 96% of days; SYM2 19.96% and SYM3 10%"
        " (elevated from 10% of equity); gross exposure 1.60× equity (elevated from 1.50×, 5th"
        " session)."
    )


def test_alerts_beyond_the_tenth_entry_are_counted_each() -> None:
    """Of fourteen alerts ten are stated; positions of one level are one entry, and count each."""
    facts = {name: value for name, value in ALERTS.items() if name[:3] not in ("sec", "gro")}
    assert list_of(facts, "limits_standing").endswith(" and volatility higher than on 96% of days.")
    facts = ALERTS | {"drawdown": 0.5, "drawdown_streak": 40, "sec_04_gross": 0.75}
    facts |= {"lim_03_checked": 0.2, "lim_03_checked_limit": 0.1}
    facts |= {f"lim_03_limit_status{when}": "exceeded" for when in ("", "_before")}
    for number in (4, 5, 6):  # just below a level: each an entry of its own
        facts |= {f"pos_0{number}_weight": 0.195, f"pos_0{number}_weight_kept": 0.2}
        facts[f"pos_0{number}_weight_alert"] = "stands"
    assert list_of(facts, "limits_standing").endswith(" and 2 others.")
    small: dict[str, float | str] = {f"pos_0{number}_weight": 0.11 for number in (2, 3)}
    assert list_of(facts | small, "limits_standing").endswith(" and 4 others.")
