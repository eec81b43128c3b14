"""Alerts of notes: stated when they come, go, return or get worse, and named while they stand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

import numpy as np
import pandas as pd
import pytest

from riskmetrics import trading_calendar
from riskmetrics.insights.alert_facts import UNKNOWN_START, alert_facts
from riskmetrics.insights.claims import claims_of, remember_claims
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact, make_fact
from riskmetrics.insights.history_facts import Check, History
from riskmetrics.insights.limit_facts import limit_facts
from riskmetrics.insights.plan import LEADING_TYPE, plan_by_rules
from riskmetrics.insights.realize import display_names, realize_claim, realize_note
from riskmetrics.insights.request import Request, most_severe
from riskmetrics.insights.severity import default_limits
from riskmetrics.insights.templates import Template
from tests.insights.fact_sheets import ALIASES, DAY, KEY, build_sheet

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
LAST_DAY = date(2022, 12, 16)
"""A Friday, before which weeks have five sessions."""

TUESDAY, WEDNESDAY = date(2022, 12, 27), date(2022, 12, 28)
"""The Monday before was a holiday, so that the Tuesday is the first session of its week."""


def severity_of(sheet: Sheet) -> str:
    return Request(DAILY, sheet).severity


def news_of(sheet: Sheet) -> str:
    """Return the level of what is new in a note."""
    found = most_severe(Request(DAILY, sheet).news)
    return found.instance.level if found else "normal"


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
def test_standing_alerts_are_named_in_the_first_session_of_a_week_and_when_one_changes(
    is_first_day: bool,
) -> None:
    """With figures in the first week after one began: the week before had four sessions."""
    full = (
        "Alerts in force: SYM1 60% of equity (critical from 50%, 40th session), drawdown of today's"
        " holdings 45% (critical from 35%, 40th session) and beta 1.55 (warning from 1.50, {}"
        " session)."
    )
    for n_sessions, shown in ((6, "6th"), (2, "2nd")):
        recent = build_sheet(RESULT | STANDING | {"beta_streak": n_sessions})
        before = {} if is_first_day else remember_claims(recent)
        assert full.format(shown) in prose(replace(recent, day=TUESDAY, before=before))
        assert "in force" not in prose(replace(recent, day=WEDNESDAY, before=before))
    sheet = build_sheet(RESULT | STANDING)
    before = {} if is_first_day else remember_claims(sheet)
    silent = prose(replace(sheet, day=WEDNESDAY, before=before))
    assert "in force" not in silent
    unchanged = prose(replace(sheet, day=TUESDAY, before=before))
    assert "Alerts still in force: SYM1 position, drawdown and beta." in unchanged
    assert "Alerts in force" not in unchanged
    changed = build_sheet(RESULT | STANDING | {"beta": 1.1, "beta_left": 1.5})
    named = prose(replace(changed, day=WEDNESDAY, before=before))
    assert "Back below the alert level: beta 1.10 (warning from 1.50)." in named
    assert "Alerts still in force: SYM1 position and drawdown." in named


@pytest.mark.parametrize(
    ("facts", "streak"),
    [
        (
            {
                "lim_03_checked": 0.2,
                "lim_03_checked_limit": 0.1,
                "lim_03_limit_status": "exceeded",
                "lim_03_limit_status_before": "exceeded",
            },
            "lim_03_limit_sessions",
        ),
        (
            {
                "var_exceptions": 24,
                "var_expected": 12.6,
                "var_tested": 252,
                "var_p_value": 0.003,
                "previous_var_p_value": 0.003,
            },
            "var_failing_sessions",
        ),
        ({"volatility_21d": 0.31, "volatility_percentile": 0.96}, "volatility_percentile_streak"),
    ],
)
def test_every_alert_is_listed_with_figures_in_the_first_week_after_it_began(
    facts: Facts, streak: str
) -> None:
    """A limit of the user, the test of the value at risk and volatility, too; four sessions ago."""
    for n_sessions, listed in ((4, True), (30, False)):
        sheet = build_sheet(RESULT | STANDING | facts | {streak: n_sessions})
        note = prose(replace(sheet, day=TUESDAY, before=remember_claims(sheet)))
        assert ("Alerts in force: " in note) == listed
        assert ("Alerts still in force: " in note) != listed


def test_a_note_is_as_severe_as_its_worst_alert_in_force_or_news() -> None:
    """A position of 60% for 40 sessions, which the note of a Wednesday does not state."""
    sheet = build_sheet(RESULT | STANDING)
    for day in (TUESDAY, WEDNESDAY):
        assert severity_of(replace(sheet, day=day, before=remember_claims(sheet))) == "critical"
    calm = build_sheet(RESULT | {"beta": 1.55, "beta_streak": 9})
    assert severity_of(replace(calm, before=remember_claims(calm))) == "warning"
    loss = build_sheet(RESULT | {"daily_return": -0.09, "previous_var_95": 0.02})
    assert severity_of(loss) == "warning"
    assert severity_of(build_sheet({"daily_return": 0.001, "daily_pnl": 1.0})) == "normal"


def test_a_standing_alert_is_no_news() -> None:
    sheet = build_sheet(RESULT | STANDING)
    for day in (TUESDAY, WEDNESDAY):
        assert news_of(replace(sheet, day=day, before=remember_claims(sheet))) == "normal"


@pytest.mark.parametrize(
    ("changed", "qualities", "severity"),
    [
        ({"beta_streak": 1}, {}, "warning"),
        ({"pos_01_weight_streak": 1}, {}, "critical"),
        ({"beta_streak": 1, "beta_away": 3}, {}, "warning"),
        ({"beta": 1.8, "beta_alert": "worse"}, {}, "warning"),
        ({"beta": 1.4, "beta_left": 1.5}, {}, "normal"),
        ({"drawdown_streak": 1}, {"drawdown_streak": UNKNOWN_START}, "critical"),
    ],
)
def test_the_news_are_as_severe_as_what_is_new(
    changed: Facts, qualities: dict[str, str], severity: str
) -> None:
    """New, back, worse, left, and known since the session only."""
    before = remember_claims(build_sheet(RESULT | STANDING))
    sheet = build_sheet(RESULT | STANDING | changed, qualities=qualities)
    assert news_of(replace(sheet, before=before)) == severity


def test_an_alert_that_is_back_says_since_when_it_was_left() -> None:
    facts: Facts = {"beta": 1.55, "beta_streak": 1, "beta_away": 1}
    found = claims_of(build_sheet(facts), {})
    assert "limit_beta" not in found
    assert sentence(facts, "limits_back") == (
        "Back at the alert level: beta 1.55 (warning from 1.50, left one session before)."
    )


def test_an_alert_that_is_left_says_which_level_is_still_reached() -> None:
    facts: Facts = {"pos_01_weight": 0.1899, "pos_01_weight_left": 0.2, "beta": 1.1}
    facts |= {"beta_left": 1.2, "pos_01_weight_streak": 9}
    assert sentence(facts, "limits_left") == (
        "Back below the alert level: SYM1 19% of equity (warning from 20%, still elevated) and"
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


def test_a_background_statement_is_new_when_it_is_first_defined_and_after_trades() -> None:
    facts: Facts = {"fac_01_factor_exposure": 0.5, "fac_01_factor_error": 0.1}
    sheet = build_sheet(RESULT | facts)
    tilt = "factor_tilt:FAC_01"
    other = remember_claims(build_sheet(RESULT | facts | {"fac_01_factor_exposure": 0.1}))
    assert claims_of(sheet, {})[tilt].is_new
    assert not claims_of(sheet, other)[tilt].is_new
    assert claims_of(sheet, remember_claims(build_sheet(RESULT)))[tilt].is_new
    assert claims_of(build_sheet(RESULT | facts | {"n_resized": 1}), other)[tilt].is_new
    assert not claims_of(build_sheet(RESULT | facts | {"n_resized": 0}), other)[tilt].is_new


@pytest.mark.parametrize(
    ("form_id", "figure", "lower", "higher", "more"),
    [
        ("drawdown_with_market", "drawdown", 0.21, 0.26, {"market_drawdown": 0.3}),
        ("volatility_high", "volatility_percentile", 0.9, 0.96, {"volatility_21d": 0.3}),
    ],
)
def test_a_level_is_new_if_it_rose(
    form_id: str, figure: str, lower: float, higher: float, more: Facts
) -> None:
    low, high = (build_sheet(more | {figure: value}) for value in (lower, higher))
    assert claims_of(high, remember_claims(low))[form_id].is_new
    assert not claims_of(low, remember_claims(high))[form_id].is_new
    assert not claims_of(high, remember_claims(high))[form_id].is_new


@pytest.mark.parametrize(
    ("event", "is_new"),
    [("reached", True), ("back", True), ("worse", True), ("known", True), ("stands", False)],
)
def test_what_to_look_at_is_new_when_something_happens_to_its_alert(
    event: str, is_new: bool
) -> None:
    facts: Facts = {"beta": 1.6, "beta_alert": event, "drawdown": 0.4, "drawdown_alert": event}
    facts |= {"pos_01_weight": 0.6, "pos_01_weight_alert": event, "pos_01_share": 0.2}
    sheet = build_sheet(RESULT | facts)
    claims = claims_of(sheet, remember_claims(sheet))
    for form_id in ("look_at_beta", "look_at_drawdown", "look_at_size:POS_01"):
        assert claims[form_id].is_new == is_new, form_id


@pytest.mark.parametrize("event", ["reached", "back", "worse", "known"])
@pytest.mark.parametrize(
    "facts",
    [
        {"pos_02_weight": 0.55, "pos_01_weight": 0.3, "pos_01_share": 0.9},
        {"beta": 2.1},
        {"drawdown": 0.36, "pos_01_share": 0.3},
        {"drawdown": 0.36},
        {"gross_to_equity": 3.2},
    ],
)
def test_a_critical_day_ends_with_something_to_look_at(facts: Facts, event: str) -> None:
    """Though something to look at was true the session before."""
    names = [name for name in facts if not name.startswith("pos_01")]
    standing, alerts = ({f"{name}_alert": each for name in names} for each in ("stands", event))
    alerts |= {f"{name}_away": 2 for name in names if event == "back"}
    before = remember_claims(build_sheet(RESULT | facts | standing))
    sheet = replace(build_sheet(RESULT | facts | alerts), before=before)
    plan = plan_by_rules(claims_of(sheet), LEADING_TYPE)
    assert plan is not None
    assert news_of(sheet) == "critical"
    assert len(plan.recommendations) == 1


def test_all_new_alerts_of_a_session_are_told_the_first_in_a_sentence_of_its_own() -> None:
    facts: Facts = {f"pos_0{number}_weight": 0.1 + number / 20 for number in range(1, 7)}
    facts |= {f"pos_0{number}_weight_streak": 1 for number in range(1, 7)}
    in_note = prose(build_sheet(RESULT | facts | {"beta": 2.2, "beta_streak": 1}))
    assert "Beta reached the critical level of 2.00 and is now 2.20." in in_note
    assert (
        "Other new alerts: SYM6 40% of equity (warning from 20%), SYM5 35% of equity (warning from"
        " 20%), SYM4 30% of equity (warning from 20%), SYM3 25% of equity (warning from 20%), SYM2"
        " 20% of equity (warning from 20%) and one other."
    ) in in_note
    assert in_note.count("reached") == 1


def test_a_new_alert_is_looked_at_before_one_that_got_worse() -> None:
    facts: Facts = {"pos_01_weight": 0.43, "pos_01_weight_alert": "worse", "pos_02_weight": 0.203}
    found = claims_of(build_sheet(RESULT | facts | {"pos_02_weight_streak": 1}), {})
    assert "look_at_size:POS_02" in found
    assert "look_at_size:POS_01" not in found


def test_other_positions_beyond_a_limit_of_a_user_are_told_when_there_are_more() -> None:
    facts: Facts = {"lim_02_checked": 0.3, "lim_02_checked_limit": 0.2, "pos_01_weight": 0.3}
    facts |= {"lim_02_limit_status": "exceeded", "lim_02_limit_status_before": "exceeded"}
    two = build_sheet(RESULT | facts | {"pos_02_weight": 0.2001})
    said = "portfolio's limit of 20.00% on single positions, next to SYM1: SYM2 20.01%."
    assert sentence(
        RESULT | facts | {"pos_02_weight": 0.21}, "look_at_own_limit_others:LIM_02"
    ) == ("Look at: the size of SYM2, above the portfolio's limit on single positions.")
    assert said in prose(replace(two, before=remember_claims(build_sheet(RESULT | facts))))
    assert news_of(replace(two, before=remember_claims(build_sheet(RESULT | facts)))) == "warning"
    assert "next to SYM1" not in prose(replace(two, before=remember_claims(two)))
    many = build_sheet(RESULT | facts | {"pos_02_weight": 0.21, "num_positions": 3})
    assert "SYM2 21% and further ones." in prose(many), "the facts do not have the third"
    three = build_sheet(RESULT | facts | {"pos_02_weight": 0.21, "pos_03_weight": 0.22})
    assert "SYM3 22% and SYM2 21%." in prose(replace(three, before=remember_claims(two)))


LOST: Facts = RESULT | {"daily_return": -0.02, "daily_pnl": -1_360.0, "previous_var_95": 0.04}
"""A clear loss, within the value at risk."""


def headline(facts: Facts) -> str:
    plan = plan_by_rules(claims_of(build_sheet(facts)), LEADING_TYPE)
    assert plan is not None
    return plan.headline.partition(":")[0]


@pytest.mark.parametrize(
    ("value", "before", "leads"),
    [(0.4001, "kept", True), (0.4081, "kept", True), (0.38, "exceeded", False)],
)
def test_a_limit_that_is_newly_exceeded_leads_a_clear_result(
    value: float, before: str, leads: bool
) -> None:
    """By however little; that it is respected again is no title above a loss."""
    facts: Facts = {"lim_03_checked": value, "lim_03_checked_limit": 0.4}
    facts |= {"lim_03_limit_status": "exceeded" if value > 0.4 else "kept"}
    facts |= {"lim_03_limit_status_before": before}
    assert headline(LOST | facts).startswith("headline_own_limit") == leads
    in_note = "back within" if before == "exceeded" else "newly above"
    assert in_note in prose(build_sheet(LOST | facts))
    beyond = LOST | {"previous_var_95": 0.9 * abs(float(LOST["daily_return"]))}
    assert headline(beyond | facts).startswith("headline_var_exceeded")
    small = LOST | {"daily_return": -0.001, "daily_pnl": -68.0}
    assert headline(small | facts).startswith("headline_own_limit") == (before == "kept")


@pytest.mark.parametrize(
    ("facts", "leads"),
    [
        ({"beta": 1.9, "beta_alert": "worse"}, False),
        ({"beta": 2.5, "beta_alert": "worse"}, True),
        ({"beta": 1.52, "beta_alert": "back", "beta_away": 2}, False),
        ({"beta": 1.54, "beta_alert": "back", "beta_away": 2}, True),
    ],
)
def test_an_alert_farther_beyond_or_just_back_does_not_lead_a_clear_result(
    facts: Facts, leads: bool
) -> None:
    """Unless it is critical; "back" leads from a fiftieth beyond the level of 1.50."""
    assert headline(LOST | facts).startswith("headline_limits_") == leads


def test_the_title_of_a_sharp_fall_of_volatility_names_the_day_that_left() -> None:
    """From 50% to 35%: a variance of (0.5² - 0.35²) / 12 = 0.0106 a day, a return of 10.3%."""
    facts: Facts = {"volatility_21d": 0.35, "volatility_21d_change": -0.15, "left_return": 0.105}
    facts |= {"left_day": "2022-11-10"}
    assert headline(LOST | facts) == "headline_gain_left"
    assert "dropped out of the window" in prose(build_sheet(LOST | facts))
    assert headline(LOST | facts | {"left_return": 0.02}) == "headline_volatility_fell"


def test_the_title_of_a_quiet_day_names_the_alert_that_makes_it_critical() -> None:
    quiet: Facts = RESULT | {"daily_return": 0.001, "daily_pnl": 68.0, "previous_var_95": 0.02}
    facts: Facts = {"pos_01_weight": 0.57, "pos_01_weight_alert": "stands"}
    assert headline(quiet | facts) == "headline_quiet_critical"
    assert sentence(quiet | facts, "headline_quiet_critical") == (
        "A quiet day; SYM1 at 57% of equity stays critical"
    )
    assert headline(quiet | facts | {"pos_01_weight": 0.49}) == "headline_quiet"


def test_a_volatility_that_reaches_its_level_by_a_sharp_rise_is_told() -> None:
    facts: Facts = {"volatility_21d": 0.19, "volatility_21d_change": 0.04}
    facts |= {"volatility_percentile": 1.0, "volatility_percentile_alert": "reached"}
    facts |= {"volatility_percentile_streak": 1}
    in_note = prose(build_sheet(RESULT | facts))
    assert "volatility rose from 15% to 19% on the day" in in_note
    assert (
        "Volatility reached the elevated level: higher than on at least 95% of the days on record"
        " in the past year."
    ) in in_note
    stands: Facts = {"volatility_percentile_alert": "stands", "volatility_percentile_streak": 2}
    assert "reached the elevated level" not in prose(build_sheet(RESULT | facts | stands))


def test_a_drawdown_that_is_no_alert_next_to_that_of_the_market_says_so() -> None:
    facts: Facts = {"drawdown": 0.137, "drawdown_left": 0.1, "market_drawdown": 0.128}
    assert sentence(facts, "limits_ended") == (
        "No longer an alert: drawdown of today's holdings 14% (elevated from 10%, less than"
        " 1.25× the market's 13%)."
    )


def test_a_position_with_an_alert_that_cost_the_most_of_a_gain_is_named() -> None:
    facts: Facts = {"daily_pnl": 1436.0, "daily_return": 0.011, "pos_02_pnl": -1200.0}
    facts |= {"winners_pnl": 4000.0, "losers_pnl": -2564.0, "n_winners": 5, "n_losers": 5}
    facts |= {"pos_02_weight": 0.11, "pos_02_weight_alert": "back", "pos_02_weight_away": 4}
    in_note = prose(build_sheet(RESULT | facts))
    assert "SYM2 cost $1,200, the most of all positions." in in_note
    assert "cost $1,200" not in prose(build_sheet(RESULT | facts | {"pos_02_weight": 0.09}))


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (0.7949, 0.79, "0.005 above the portfolio's limit"),
        (1.25, 1.2, "0.05 above the portfolio's limit"),
    ],
)
def test_the_excess_over_a_limit_has_the_decimals_that_tell_value_and_limit_apart(
    value: float, limit: float, shown: str
) -> None:
    facts: Facts = {"lim_01_checked_number": value, "lim_01_checked_number_limit": limit}
    facts |= {"lim_01_limit_status": "exceeded", "lim_01_limit_status_before": "kept"}
    assert f", {shown}." in sentence(facts, "look_at_own_limit:LIM_01")


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (0.023, 0.0185, "tracking error is 2.30%, newly above the portfolio's limit of 1.85%."),
        (0.15, 0.125, "tracking error is 15.0%, newly above the portfolio's limit of 12.5%."),
        (0.64, 0.0185, "tracking error is 64.00%, newly above the portfolio's limit of 1.85%."),
        (0.3, 0.2, "tracking error is 30%, newly above the portfolio's limit of 20%."),
    ],
)
def test_a_limit_of_a_user_is_shown_as_it_was_set(value: float, limit: float, shown: str) -> None:
    facts: Facts = {"lim_03_checked": value, "lim_03_checked_limit": limit}
    facts |= {"lim_03_limit_status": "exceeded", "lim_03_limit_status_before": "kept"}
    assert sentence(facts, "own_limit_breached:LIM_03") == f"The {shown}"


Told = list[tuple[str, str, str]]
"""Title, level of the news, and sentences about alerts of each day."""

COLUMNS = ("beta_calculated_90d", "volatility_percentile", "current_drawdown", "gross_exposure")


def notes_of(
    figures: dict[str, list[float]],
    *,
    weights: dict[str, list[float]] | None = None,
    facts: list[Facts] | None = None,
    own: list[tuple[str, float, float]] | None = None,
    rate: float = -0.012,
) -> Told:
    """Return the notes of the rules of some sessions, the facts of whose alerts are read.

    Parameters
    ----------
    figures : dict
        Beta, drawdown, volatility_percentile or gross exposure (of an equity of 100) by session.
    weights : dict, optional
        Alias to signed weights by session, 0 if it is not held.
    own : list, optional
        Subject, value and limit of a checked limit on beta, or on single positions.
    """
    n_days = max(map(len, (own or (), *figures.values(), *(weights or {}).values())))
    days = [LAST_DAY]
    while len(days) < n_days:
        days.insert(0, trading_calendar.previous_session(days[0]))
    frame = pd.DataFrame(np.nan, pd.DatetimeIndex(days), [*COLUMNS, "total_value", "has_weights"])
    frame["has_weights"], frame["hhi"], frame["num_positions"] = 1.0, 0.1, 9.0
    frame["total_value"] = 100.0
    for name, values in figures.items():
        frame[{"beta": COLUMNS[0], "drawdown": COLUMNS[2]}.get(name, name)] = values
    entities = {
        ("weight", ALIASES[alias]["symbol"]): {
            day: weight for day, weight in zip(days, values, strict=True) if weight
        }
        for alias, values in (weights or {}).items()
    }
    checks = {
        day: Check(subject, value / limit, value > limit, value)
        for day, (subject, value, limit) in zip(days, own or (), strict=False)
    }
    limit_name = "single_name" if own and own[0][0] else "beta"
    in_note: Told = []
    before: dict[str, tuple[float, ...]] = {}
    for place, day in enumerate(days):
        found: Facts = RESULT | {"daily_return": rate, "daily_pnl": 68_000 * rate}
        found |= (facts or [{}] * n_days)[place]
        found |= {
            name: values[place]
            for name, values in figures.items()
            if name in FACT_TYPES and name != "gross_exposure" and np.isfinite(values[place])
        }
        if "gross_exposure" in figures and frame["total_value"].iloc[place] > 0:
            found["gross_to_equity"] = figures["gross_exposure"][place] / 100
        for alias, values in (weights or {}).items():
            if values[place]:
                found[f"{alias.lower()}_weight"] = abs(values[place])
        market = pd.Series([
            float(each.get("market_drawdown", np.nan)) for each in facts or [{}] * n_days
        ], frame.index)  # fmt: skip
        history = History(
            frame.iloc[: place + 1], entities, market_drawdown=market.iloc[: place + 1],
            checks={limit_name: {each: checks[each] for each in days[: place + 1] if checks}},
        )  # fmt: skip
        sheet = build_sheet(found)
        make, aliases = partial(make_fact, as_of=day, key=KEY), dict(sheet.aliases)
        more = list(own_facts(make, limit_name, own, place, aliases, history))
        by_type = {(each.fact_type.name, each.entity): each for each in sheet.facts.values()}
        more += alert_facts(make, history, by_type, aliases, default_limits())
        sheet = Sheet(
            "p", day, sheet.facts | {each.id: each for each in more}, aliases, before=before
        )
        claims = claims_of(sheet)
        plan = plan_by_rules(claims, LEADING_TYPE)
        assert plan is not None
        stated = [
            realize_claim(claims[each], display_names(sheet))
            for each in plan.statements()
            if claims[each].form.id.startswith(
                ("limit", "alerts", "own_limit", "volatility", "draw")
            )
        ]
        title = realize_note(plan, claims, sheet).title
        in_note.append((title, news_of(sheet), " ".join(stated)))
        before = remember_claims(sheet)
    return in_note


def own_facts(
    make: "partial[Fact]", limit_name: str, own: list[tuple[str, float, float]] | None, place: int,
    aliases: dict[str, dict[str, str]], history: History,
) -> list[Fact]:  # fmt: skip
    """Return the facts of a checked limit."""
    if own is None:
        return []
    for alias in [each for each in aliases if each.startswith("LIM")]:
        del aliases[alias]

    def status(number: int) -> str:
        return "exceeded" if own[number][1] > own[number][2] else "kept"

    row = {
        "limit_name": limit_name,
        "subject": own[place][0] or None,
        "value": own[place][1],
        "limit_value": own[place][2],
        "status": status(place),
        "status_before": status(place - 1) if place else None,
    }
    return list(limit_facts(make, [row], aliases, history))


def sentences(in_note: Told) -> list[str]:
    return [each for _, _, each in in_note]


def test_weights_of_a_position_that_falls_through_two_levels() -> None:
    assert sentences(notes_of({}, weights={"POS_01": [0.05, 0.21, 0.098, 0.096, 0.094]})) == [
        "",
        "SYM1 reached the warning level of 20% for a single position: 21% of equity.",
        "Back below the alert level: SYM1 9.8% of equity (warning from 20%, still elevated).",
        "",
        "Back below the alert level: SYM1 9.4% of equity (elevated from 10%).",
    ]


def test_an_alert_that_leaps_out_of_a_hover_is_told_and_leads_a_quiet_day() -> None:
    in_note = notes_of({"beta": [1.1, 1.55, 1.49, 1.95, 1.95]}, rate=-0.0001)
    assert in_note[1:] == [
        ("Beta reached the warning level", "warning",
            "Beta reached the warning level of 1.50 and is now 1.55."),
        ("A quiet day", "normal", ""),
        ("Farther beyond an alert level: beta", "warning",
            "Farther beyond the alert level: beta 1.95 (warning from 1.50, up from 1.55 on"
            " December 13)."),
        ("A quiet day", "normal", ""),
    ]  # fmt: skip


def test_a_position_that_is_sold_ends_its_alert_and_one_without_a_weight_is_not_below() -> None:
    in_note = notes_of({}, weights={"POS_01": [0.3, 0.55, 0.55, 0, 0], "POS_02": [0.05] * 5})
    assert sentences(in_note)[2:] == [
        "",
        "No longer an alert: SYM1 without a weight (critical from 50%).",
        "",
    ]
    closed: Facts = {"pos_01_weight_left": 0.5, "pos_01_weight_now": 0.0, "pos_01_closed": "closed"}
    assert sentence(closed, "limit_sold:POS_01") == (
        "SYM1 was closed, which ended the alert on the position (critical from 50% of equity)."
    )


def test_a_drawdown_is_an_alert_while_it_is_deeper_than_the_market_s() -> None:
    market: list[Facts] = [{"market_drawdown": each} for each in (0.2, 0.2, 0.15, 0.15, 0.2)]
    in_note = notes_of({"drawdown": [0.21] * 5}, facts=market)
    assert [each.partition(" Today's")[0] for each in sentences(in_note)[2:]] == [
        "Alerts in force: drawdown of today's holdings 21% (warning from 20%).",
        "",
        "No longer an alert: drawdown of today's holdings 21% (warning from 20%, less than 1.25×"
        " the market's 20%).",
    ]
    assert [severity for _, severity, _ in in_note][2:] == ["warning", "normal", "normal"]
    returned = notes_of({"drawdown": [0.21] * 6}, facts=[*market, {"market_drawdown": 0.15}])
    assert "Back at the alert level: drawdown of today's holdings 21%" in sentences(returned)[-1]


def test_a_volatility_that_hovers_at_its_level_is_told_once() -> None:
    ranks = [0.8, 0.96, 0.94, 0.96, 0.94, 0.96]
    in_note = notes_of({"volatility_percentile": ranks}, facts=[{"volatility_21d": 0.3}] * 6)
    assert [severity for _, severity, _ in in_note] == ["normal", "elevated", *["normal"] * 4]


def test_a_limit_of_a_user_is_told_when_it_is_breached_and_when_it_gets_worse() -> None:
    values = [1.0, 1.25, 1.26, 2.5, 2.5, 5.0]
    in_note = notes_of({}, own=[("", each, 1.2) for each in values])
    severities = [severity for _, severity, _ in in_note]
    assert severities == ["normal", "warning", "normal", "warning", "normal", "warning"]
    assert sentences(in_note)[1:5] == [
        "The beta is 1.25, newly above the portfolio's limit of 1.20.",
        "",
        "The beta is 2.50, farther above the portfolio's limit of 1.20 than the 1.25 on December"
        " 12.",
        "",
    ]


def test_another_position_beyond_a_limit_of_a_user_is_told() -> None:
    own = [("SYM1", 0.4, 0.5), ("SYM1", 0.51, 0.5), ("SYM2", 0.52, 0.5), ("SYM2", 0.52, 0.5)]
    in_note = notes_of({}, own=own)
    assert sentences(in_note)[1:3] == [
        "SYM1 at 51% is newly above the portfolio's limit of 50% on single positions.",
        "SYM2 at 52% is now above the portfolio's limit of 50% on single positions.",
    ]
    assert [severity for _, severity, _ in in_note] == ["normal", "warning", "warning", "normal"]


def test_a_limit_that_replaces_alert_levels_ends_no_alert_and_leads_if_it_is_exceeded() -> None:
    """AMD stays at 60% of equity; the levels of 10, 20 and 50% are replaced by a limit of 50%."""
    before = remember_claims(
        build_sheet(RESULT | {"pos_01_weight": 0.6, "pos_01_weight_streak": 9})
    )
    facts: Facts = {"pos_01_weight": 0.6, "pos_01_weight_left": 0.5, "lim_02_checked": 0.6}
    facts |= {"lim_02_checked_limit": 0.5, "lim_02_limit_status": "exceeded"}
    sheet = build_sheet(RESULT | facts | {"lim_02_limit_alert": "known"})
    sheet = replace(sheet, before=before)
    note = prose(sheet)
    assert "No longer" not in note
    assert "Back below" not in note
    assert (
        "SYM1 at 60% is above the portfolio's limit of 50% on single positions, which was not"
        " checked the session before."
    ) in note
    claims = claims_of(sheet)
    plan = plan_by_rules(claims, LEADING_TYPE)
    assert plan is not None
    assert plan.headline == "headline_own_limit_first_of:LIM_02"
    assert news_of(sheet) == "warning"


def test_a_drawdown_that_grows_with_the_market_is_told_again() -> None:
    depths = [0.0, 0.03, 0.06, 0.1, 0.2, 0.3]
    market: list[Facts] = [{"market_drawdown": each} for each in (0, 0.03, 0.06, 0.1, 0.19, 0.28)]
    in_note = sentences(notes_of({"drawdown": depths}, facts=market))
    assert [day for day, each in enumerate(in_note) if "below the high" in each] == [2, 3, 4, 5]


@pytest.mark.parametrize(("depth", "is_told"), [(0.03, False), (0.0499, False), (0.05, True)])
def test_a_note_states_the_deepest_drawdown_from_five_percent(depth: float, is_told: bool) -> None:
    sheet = build_sheet(RESULT | {"drawdown": depth, "max_drawdown": depth})
    assert ("is the deepest of" in prose(sheet)) == is_told


def test_leverage_exactly_at_its_level_whose_quotient_of_floats_is_below() -> None:
    """The fact is a quotient of Decimals, the history one of floats."""
    gross, equity = Decimal("3000.12"), Decimal("2000.08")
    found = make_fact(FACT_TYPES["gross_to_equity"], float(gross / equity), DAY, KEY)
    index = pd.bdate_range(end=DAY, periods=4)
    frame = pd.DataFrame({"total_value": float(equity)}, index)
    for earlier in ([1.6, 1.55], [1.6, 1.4]):
        below = np.nextafter(float(gross), 0)
        frame["gross_exposure"] = [1000.0, *(each * float(equity) for each in earlier), below]
        make = partial(make_fact, as_of=DAY, key=KEY)
        facts: dict[tuple[str, str | None], Fact] = {("gross_to_equity", None): found}
        read = alert_facts(make, History(frame), facts, {}, default_limits())
        event = {each.fact_type.name: each.value for each in read}["gross_to_equity_alert"]
        assert event == ("stands" if earlier[-1] == 1.55 else "back")


def test_an_alert_just_below_its_level_is_in_the_list_as_it_is_for_events() -> None:
    """A beta of 1.49 after 1.55: its warning ends below 1.425, and not before."""
    kept: Facts = {"beta": 1.49, "beta_kept": 1.5, "beta_streak": 3}
    assert sentence(kept, "limits_standing") == (
        "Alerts in force: beta 1.49 (warning from 1.50, in force until below 1.425)."
    )
    assert severity_of(build_sheet(RESULT | kept)) == "warning"
    assert sentence({"beta": 1.42, "beta_streak": 3}, "limits_standing") == (
        "Alerts in force: beta 1.42 (elevated from 1.20, 3rd session)."
    )
    assert sentences(notes_of({"beta": [1.1, 1.55, 1.49, 1.49, 1.42]}))[2:] == [
        "",
        "",
        "Back below the alert level: beta 1.42 (warning from 1.50, still elevated).",
    ]


def test_a_limit_on_stress_losses_quotes_the_scenario() -> None:
    facts: Facts = {"lim_02_checked": 0.32, "lim_02_checked_limit": 0.3}
    facts |= {"lim_02_limit_status": "exceeded", "lim_02_limit_status_before": "kept"}
    aliases = {
        **ALIASES,
        "LIM_02": {"limit": "stress losses", "of": "SCN_01"},
        "SCN_01": {"scenario": "market -40%"},
    }
    sheet = build_sheet(facts, aliases=aliases)
    claim = claims_of(sheet, {})["own_limit_breached_of:LIM_02"]
    assert realize_claim(claim, display_names(sheet)) == (
        "“market −40%” at 32% is newly above the portfolio's limit of 30% on stress losses."
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("-40%", "−40%"),
        ("market (-40%)", "market (−40%)"),
        ("rates [-1, +1]", "rates [−1, +1]"),
        ("COVID-19 crash 2008-2009", "COVID-19 crash 2008-2009"),
        ("T-10 year", "T-10 year"),
        ("a - b", "a - b"),
    ],
)
def test_only_a_hyphen_that_begins_a_number_is_a_minus(name: str, shown: str) -> None:
    sheet = build_sheet({}, aliases={"SCN_01": {"scenario": name}})
    assert display_names(sheet) == {"SCN_01": shown}


@pytest.mark.parametrize(("side", "end"), [("long", "bought"), ("short", "written")])
def test_an_option_is_bought_or_written(side: str, end: str) -> None:
    aliases = {"POS_01": {"symbol": "AAPL240119P00150000"}, "POS_02": {"symbol": "XOM"}}
    sheet = build_sheet({"pos_01_side": side, "pos_02_side": "short"}, aliases=aliases)
    assert display_names(sheet) == {
        "POS_01": f"AAPL Jan 19 2024 150 put ({end})",
        "POS_02": "XOM (short)",
    }


def test_a_busy_day_loses_no_alert() -> None:
    """Seven events of the result, three of alerts, and six places."""
    busy: Facts = {
        "n_opened": 2,
        "n_closed": 1,
        "n_resized": 3,
        "num_positions": 12,
        "pos_01_pnl": -500.0,
        "pos_02_pnl": -100.0,
        "pos_03_pnl": 200.0,
        "losers_pnl": -1_000.0,
        "winners_pnl": 160.7,
        "n_losers": 5,
        "n_winners": 2,
        "market_return": -0.03,
        "own_beta": 0.3,
        "previous_own_beta": 0.3,
        "loss_rank": 1,
        "previous_var_95": 0.011,
        "pos_03_quantity_increase": 0.5,
        "pos_03_weight": 0.11,
        "pos_03_weight_streak": 1,
        "beta": 1.1,
        "beta_left": 1.5,
        "drawdown": 0.36,
        "drawdown_streak": 1,
        "drawdown_away": 2,
        "pos_02_weight": 0.37,
        "pos_02_weight_alert": "worse",
    }
    sheet = build_sheet(RESULT | busy)
    plan = plan_by_rules(claims_of(sheet, {}), LEADING_TYPE)
    assert plan is not None
    stated = set(plan.statements())
    assert {"limits_left", "limits_back", "limits_worse", "limit_by_trade:POS_03"} <= stated


def test_a_model_is_offered_the_list_of_alerts_that_the_rules_state() -> None:
    sheet = build_sheet(RESULT | STANDING)
    ended = build_sheet(RESULT | STANDING | {"beta": 1.1, "beta_left": 1.5})
    for each, day, expected in (
        (sheet, TUESDAY, {"alerts_unchanged"}),
        (sheet, WEDNESDAY, set()),
        (ended, WEDNESDAY, {"alerts_unchanged"}),
    ):
        offered = Request(DAILY, replace(each, day=day)).claims.keys()
        assert offered & {"limits_standing", "alerts_unchanged"} == expected
