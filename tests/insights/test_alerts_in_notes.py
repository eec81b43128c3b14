"""Alerts of notes: stated when they come, go, return or get worse, and named while they stand."""

from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest

from riskmetrics.insights.claims import claims_of, remembered
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact, make_fact
from riskmetrics.insights.history_facts import UNKNOWN_START, History, streak_facts
from riskmetrics.insights.plan import LEADING_TYPE, plan_by_rules
from riskmetrics.insights.realize import display_names, realize_claim, realize_note
from riskmetrics.insights.request import Request
from riskmetrics.insights.severity import default_limits
from riskmetrics.insights.templates import Template
from tests.insights.fact_sheets import DAY, KEY, build_sheet

DAILY = Template(LEADING_TYPE, "v3", "", "", None, 4000, ("snapshot",), ())
Facts = dict[str, float | str]

RESULT: Facts = {
    "total_value": 68_000.0,
    "daily_pnl": -839.3,
    "daily_return": -0.012,
    "previous_var_95": 0.04,
}
STANDING: Facts = {
    "beta": 1.55,
    "beta_streak": 19,
    "drawdown": 0.45,
    "drawdown_streak": 40,
    "pos_01_weight": 0.598,
    "pos_01_weight_streak": 40,
}
TUESDAY, WEDNESDAY = date(2022, 12, 27), date(2022, 12, 28)
"""The Monday before was a holiday, so that the Tuesday is the first session of its week."""


def severity_of(sheet: Sheet) -> str:
    return Request(DAILY, sheet).severity


def prose(sheet: Sheet) -> str:
    claims = claims_of(sheet)
    plan = plan_by_rules(claims, LEADING_TYPE)
    assert plan is not None
    text = realize_note(plan, claims, sheet)
    listed = [each["text"] for each in text.key_findings if "column" not in each]
    return " ".join((text.summary, text.full_analysis, *listed))


def sentence(facts: Facts, form_id: str) -> str:
    sheet = build_sheet(facts)
    return realize_claim(claims_of(sheet, {})[form_id], display_names(sheet))


@pytest.mark.parametrize("is_first_day", [False, True])
def test_standing_alerts_are_named_but_in_full_in_the_first_session_of_a_week(
    is_first_day: bool,
) -> None:
    full = (
        "Alerts in force: SYM1 60% of equity (critical from 50%, 40th session), drawdown of today's"
        " holdings 45% (critical from 35%, 40th session) and beta 1.55 (warning from 1.50, 19th"
        " session)."
    )
    sheet = build_sheet(RESULT | STANDING)
    before = {} if is_first_day else remembered(sheet)
    named = prose(replace(sheet, day=WEDNESDAY, before=before))
    assert "Standing alerts: SYM1 position, drawdown and beta." in named
    assert "Alerts in force" not in named
    listed = prose(replace(sheet, day=TUESDAY, before=before))
    assert full in listed
    assert "Standing alerts" not in listed


def test_a_standing_alert_makes_no_note_severe() -> None:
    sheet = build_sheet(RESULT | STANDING)
    for day in (TUESDAY, WEDNESDAY):
        assert severity_of(replace(sheet, day=day, before=remembered(sheet))) == "normal"


@pytest.mark.parametrize(
    ("changed", "qualities", "severity"),
    [
        ({"beta_streak": 1}, {}, "warning"),
        ({"pos_01_weight_streak": 1}, {}, "critical"),
        ({"beta_streak": 1, "beta_away": 3}, {}, "warning"),
        ({"beta": 1.8, "beta_highest": 1.79}, {}, "warning"),
        ({"beta": 1.4, "beta_before": 1.55}, {}, "normal"),
        ({"drawdown_streak": 1}, {"drawdown_streak": UNKNOWN_START}, "critical"),
    ],
)
def test_a_note_is_as_severe_as_what_is_new(
    changed: Facts, qualities: dict[str, str], severity: str
) -> None:
    """New, back, worse, left, and known since the session only."""
    before = remembered(build_sheet(RESULT | STANDING))
    sheet = build_sheet(RESULT | STANDING | changed, qualities=qualities)
    assert severity_of(replace(sheet, before=before)) == severity


@pytest.mark.parametrize(("away", "is_back"), [(5, True), (6, False)])
def test_an_alert_is_back_up_to_five_sessions_after_it_was_left(away: int, is_back: bool) -> None:
    facts: Facts = {"beta": 1.55, "beta_streak": 1, "beta_away": away}
    found = claims_of(build_sheet(facts), {})
    assert ("limits_back" in found) == is_back
    assert ("limit_beta" in found) == (not is_back)
    assert sentence(facts | {"beta_away": 1}, "limits_back") == (
        "Back at the alert level: beta 1.55 (warning from 1.50, after one session below)."
    )


def test_an_alert_that_is_left_says_which_level_is_still_reached() -> None:
    facts: Facts = {"pos_01_weight": 0.1899, "pos_01_weight_before": 0.21, "beta": 1.1}
    facts |= {"beta_before": 1.25, "pos_01_weight_streak": 9}
    assert sentence(facts, "limits_left") == (
        "Back below the alert level: SYM1 19% of equity (warning from 20%, now elevated) and"
        " beta 1.10 (elevated from 1.20)."
    )


def test_a_position_of_little_risk_does_not_lead_a_day_of_its_own_result() -> None:
    """An alert at 10% and another at 20%, on a day that lost 2.5% where 4% was at risk."""
    result = RESULT | {"daily_return": -0.025, "daily_pnl": -1_700.0, "pos_01_weight_streak": 1}
    cases = [(0.104, 0.039, False), (0.201, 0.12, False), (0.201, 0.15, True), (0.5, 0.02, True)]
    for weight, share, leads in cases:
        facts: Facts = {"pos_01_weight": weight, "pos_01_share": share, "pos_02_share": 0.2}
        plan = plan_by_rules(claims_of(build_sheet(result | facts)), LEADING_TYPE)
        assert plan is not None
        is_led = plan.headline == "headline_limit_position_share:POS_01"
        assert is_led == leads, (weight, share)


def test_an_alert_leads_a_day_with_a_small_result_only_then_if_it_is_elevated() -> None:
    facts: Facts = {"pos_01_weight": 0.11, "pos_01_share": 0.2, "pos_01_weight_streak": 1}
    for rate, leads in ((-0.0099, True), (-0.01, False)):
        result = RESULT | {"daily_return": rate, "daily_pnl": 68_000 * rate}
        plan = plan_by_rules(claims_of(build_sheet(result | facts)), LEADING_TYPE)
        assert plan is not None
        assert (plan.headline == "headline_limit_position_share:POS_01") == leads


def test_a_background_statement_is_new_once_and_after_trades() -> None:
    facts: Facts = {"fac_01_factor_exposure": 0.5, "fac_01_factor_error": 0.1}
    sheet = build_sheet(RESULT | facts)
    tilt = "factor_tilt:FAC_01"
    other = remembered(build_sheet(RESULT))
    assert claims_of(sheet, {})[tilt].is_new
    assert not claims_of(sheet, other)[tilt].is_new
    assert claims_of(build_sheet(RESULT | facts | {"n_resized": 1}), other)[tilt].is_new
    assert not claims_of(build_sheet(RESULT | facts | {"n_resized": 0}), other)[tilt].is_new


@pytest.mark.parametrize(
    ("form_id", "figure", "lower", "higher", "more"),
    [
        ("look_at_beta", "beta", 1.6, 2.1, {}),
        ("volatility_high", "volatility_percentile", 0.9, 0.96, {"volatility_21d": 0.3}),
    ],
)
def test_a_level_is_new_if_it_rose(
    form_id: str, figure: str, lower: float, higher: float, more: Facts
) -> None:
    low, high = (build_sheet(more | {figure: value}) for value in (lower, higher))
    assert claims_of(high, remembered(low))[form_id].is_new
    assert not claims_of(low, remembered(high))[form_id].is_new
    assert not claims_of(high, remembered(high))[form_id].is_new


def streaks_of(
    figures: dict[str, list[float]], weights: list[float] | None = None
) -> dict[str, tuple[float, str]]:
    """Return the facts of the last of some sessions: value and quality by id."""
    n_sessions = len(next(iter(figures.values())))
    days = pd.bdate_range(end=DAY, periods=n_sessions)
    columns = ["beta_calculated_90d", "volatility_percentile", "current_drawdown"]
    columns += ["gross_exposure", "total_value", "has_weights", "hhi"]
    frame = pd.DataFrame({name: figures.get(name, [np.nan] * n_sessions) for name in columns}, days)
    entities = {}
    found: dict[tuple[str, str | None], Fact] = {}
    make = partial(make_fact, as_of=DAY, key=KEY)
    if weights is not None:
        stored = zip(days, weights, strict=True)
        entities[("weight", "AMD")] = {day.date(): each for day, each in stored if each}
        found[("weight", "POS_01")] = make(FACT_TYPES["weight"], weights[-1], entity="POS_01")
    if "beta_calculated_90d" in figures:
        found[("beta", None)] = make(FACT_TYPES["beta"], figures["beta_calculated_90d"][-1])
    aliases = {"POS_01": {"symbol": "AMD"}}
    history = History(frame, entities)
    facts = streak_facts(make, history, found, aliases, default_limits())
    return {fact.id: (float(fact.value), fact.quality) for fact in facts}


@pytest.mark.parametrize(
    ("betas", "expected"),
    [
        ([1.1, 1.1], {}),
        ([1.1, 1.3], {"beta_streak": 1}),
        ([1.1, 1.55, 1.45], {"beta_streak": 2, "beta_highest": 1.55}),
        ([1.1, 1.55, 1.42], {"beta_streak": 2, "beta_before": 1.55, "beta_highest": 1.55}),
        ([1.55, 1.45, 1.44, 1.42], {"beta_streak": 4, "beta_before": 1.55, "beta_highest": 1.55}),
        ([1.55, 1.42, 1.41], {"beta_streak": 3, "beta_highest": 1.55}),
        ([2.1, 1.95, 1.42], {"beta_streak": 3, "beta_before": 2.1, "beta_highest": 2.1}),
        ([2.1, 1.7, 1.42], {"beta_streak": 3, "beta_before": 1.7, "beta_highest": 2.1}),
        ([1.1, 1.25, 1.1], {"beta_before": 1.25}),
        ([1.55, 1.4, 1.39, 1.6], {"beta_streak": 1, "beta_away": 2, "beta_lowest": 1.39}),
        ([1.4, 1.6, 1.9, 1.7], {"beta_streak": 3, "beta_highest": 1.9}),
        ([1.55, np.nan, 1.4, 1.6], {"beta_streak": 1}),
        ([1.6, np.nan, 1.4], {"beta_streak": 1}),
    ],
)
def test_facts_of_a_figure_with_limits_by_hand(
    betas: list[float], expected: dict[str, float]
) -> None:
    """Sessions without a beta end a streak, and what is known of the time before."""
    found = streaks_of({"beta_calculated_90d": betas})
    assert {name: value for name, (value, _) in found.items()} == expected


def test_a_streak_that_begins_with_the_stored_history_is_of_unknown_length() -> None:
    assert streaks_of({"beta_calculated_90d": [1.6, 1.7]}) == {
        "beta_streak": (2.0, UNKNOWN_START),
        "beta_highest": (1.6, "ok"),
    }


def test_weights_of_a_session_without_any_are_unknown() -> None:
    stored = {"has_weights": [1.0, 1.0, 1.0]}
    assert streaks_of(stored, [0.21, 0.0, 0.22]) == {
        "pos_01_weight_streak": (1.0, "ok"),
        "pos_01_weight_away": (1.0, "ok"),
        "pos_01_weight_lowest": (0.0, "ok"),
    }
    unknown = {"has_weights": [1.0, 0.0, 1.0]}
    assert streaks_of(unknown, [0.21, 0.0, 0.22]) == {"pos_01_weight_streak": (1.0, UNKNOWN_START)}
    assert streaks_of(unknown, [0.21, 0.0, 0.05]) == {}
