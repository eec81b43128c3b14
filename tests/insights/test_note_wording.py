"""Wording of notes: what a figure is, in plain sentences."""

import pytest

from riskmetrics.insights.claims import catalog, claims_of
from riskmetrics.insights.realize import display_names, realize_phrasing
from tests.insights.fact_sheets import build_sheet

Facts = dict[str, float | str]

TEST: Facts = {"var_expected": 12.6, "var_tested": 252}


def phrasings(facts: Facts, claim_id: str) -> list[str]:
    """Return all phrasings of a claim."""
    sheet = build_sheet(facts)
    claim = claims_of(sheet, {})[claim_id]
    names = display_names(sheet)
    return [realize_phrasing(each, claim.slots, names) for each in claim.form.phrasings]


@pytest.mark.parametrize(
    ("exceptions", "shown"), [(0, "0 larger losses"), (1, "1 larger loss in"), (2, "2 larger loss")]
)
def test_one_larger_loss_is_singular(exceptions: int, shown: str) -> None:
    facts = TEST | {"var_exceptions": exceptions, "var_p_value": 0.001}
    assert all(shown in each for each in phrasings(facts, "var_too_high"))


def test_a_drawdown_says_that_weights_are_constant() -> None:
    """Pro-forma returns apply today's weights to each earlier session: rebalanced daily."""
    about = [
        phrasing
        for each in catalog().values()
        for phrasing in each.phrasings
        if "holdings would stand" in phrasing or "drawdown of today's holdings" in phrasing
        if each.role == "statement" and "{value}" not in phrasing
    ]
    assert [each for each in about if "rebalanced daily" not in each] == []
    (text,) = phrasings({"drawdown": 0.051}, "drawdown_level")
    assert text.startswith("Today's holdings, rebalanced daily to today's weights, would stand")


def test_the_share_of_shorts_is_one_of_contributions() -> None:
    """Longs of 35.3% and a whole of 26.4%: a share of −18% is not what shorts take off."""
    facts: Facts = {"num_short_positions": 5, "num_positions": 9}
    hedging = phrasings(facts | {"short_share": -0.18}, "shorts_reduce")
    assert all("contributions" in each and "−18%" in each for each in hedging)
    adding = phrasings(facts | {"short_share": 0.1}, "shorts_add")
    assert all("contributions" in each and "hedg" not in each for each in adding)


def test_a_scenario_states_its_multiple_of_the_market() -> None:
    """A loss of 31% in a fall of 40% is 0.775 of it, next to a beta of 0.80."""
    facts: Facts = {"scn_01_result": -0.312, "scn_01_market_move": -0.4, "own_beta": 0.8}
    for form_id in ("scenario_less_than_market:SCN_01", "scenario_in_line:SCN_01"):
        assert all("0.78 times" in each for each in phrasings(facts, form_id))


@pytest.mark.parametrize("is_beyond", [True, False])
def test_a_test_that_passes_again_is_no_relief_on_a_day_beyond_the_value_at_risk(
    is_beyond: bool,
) -> None:
    facts = TEST | {
        "beta": 0.8,
        "var_exceptions": 5,
        "var_p_value": 0.02,
        "previous_var_p_value": 0.003,
    }
    facts |= {"daily_pnl": -2000.0, "daily_return": -0.03, "total_value": 70000.0}
    facts["previous_var_95"] = 0.02 if is_beyond else 0.04
    found = claims_of(build_sheet(facts), {})["var_not_rejected"].instance
    assert (found.salience < 1, found.sign) == ((True, 0) if is_beyond else (False, 1))
    (text,) = phrasings(facts, "var_not_rejected")
    assert "historical value at risk, which takes no account of today's volatility," in text
