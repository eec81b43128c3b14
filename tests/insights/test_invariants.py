"""Invariants: facts that contradict each other make no claim, and their reason is kept."""

import pytest

from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.fact_sheet import without_broken_facts
from tests.insights.fact_sheets import build_sheet

_UNDEFINED = ("risk_undefined", "headline_risk_undefined")

BROKEN = {
    "opposite signs": {"daily_pnl": 10.0, "daily_return": -0.01},
    "outside its interval": {
        "expected_low": 0.3,
        "expected_volatility": 0.2,
        "expected_high": 0.4,
    },
    "interval of the past forecast": {"past_low": 0.4, "past_high": 0.3},
    "exceeds the maximum": {"drawdown": 0.5, "max_drawdown": 0.4},
    "does not add up": {"winners_pnl": 5.0, "losers_pnl": -1.0, "daily_pnl": 3.0},
    "counts more losses": {"var_exceptions": 300, "var_expected": 12.6, "var_tested": 252},
    "net weight": {"sec_01_net": 0.2, "sec_01_gross": 0.0},
    "absurd": {"pos_01_share": 5.1},
    "outside 0 to 1": {"market_r_squared": 1.01},
    "is negative": {"volatility_21d": -0.1},
    "is a gain": {"losers_pnl": 1.0},
}


@pytest.mark.parametrize("reason", BROKEN)
def test_contradicting_facts_are_removed_with_their_reason(reason: str) -> None:
    sheet = without_broken_facts(build_sheet(BROKEN[reason] | {"total_value": 5.0}))
    assert set(sheet.facts) == {"total_value"}
    assert all("inconsistent results" in each for each in sheet.missing.values())
    assert any(reason in each for each in sheet.missing.values())
    stated = {each.form.id for each in claims_of(sheet, {}).values()}
    of_equity = {"equity", "headline_equity", "headline_first", "headline_answer"}
    assert stated <= of_equity | {*_UNDEFINED}


def test_consistent_facts_are_kept() -> None:
    """At the edges: a return of zero, an interval of one point, the deepest drawdown."""
    facts = {
        "daily_pnl": 0.004,
        "daily_return": 0.0,
        "past_low": 0.2,
        "past_high": 0.2,
        "drawdown": 0.4,
        "max_drawdown": 0.4,
        "market_r_squared": 1.0,
        "volatility_21d": 0.0,
        "expected_low": 0.2,
        "expected_volatility": 0.2,
        "expected_high": 0.2,
    }
    sheet = build_sheet(facts)
    assert without_broken_facts(sheet) is sheet
