"""Plans: wrong ones are pruned, planted events lead, quiet days are short."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from riskmetrics.insights.claims import catalog, claims_of, remember_claims
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.plan import (
    LEADING_TYPE,
    MAX_FINDINGS,
    MAX_PARAGRAPHS,
    MAX_RECOMMENDATIONS,
    MAX_STEPS,
    Plan,
    Step,
    plan_by_rules,
    prune,
)
from riskmetrics.insights.realize import realize_note
from tests.insights.days import EVENTS, plain_day, planted_day
from tests.insights.fact_sheets import build_sheet, random_sheet
from tests.insights.situations import situation
from tests.insights.wrong_plans import CONNECTIVES, wrong_plan

N_PLANS, N_DAYS = 1_000, 250
"""Wrong plans, and days with each event; `python -m benchmarks.insight_claims` tries more."""


def rules_plan(sheet: Sheet, insight_type: str = LEADING_TYPE) -> Plan:
    found = plan_by_rules(claims_of(sheet), insight_type)
    assert found is not None
    return found


def test_wrong_plans_are_pruned_to_true_claims_told_once() -> None:
    random = Random(3)
    for _ in range(N_PLANS):
        sheet = random_sheet(random)
        claims = claims_of(sheet)
        if not any(each.form.role == "headline" for each in claims.values()):
            continue
        kept = prune(wrong_plan(random, sorted(claims)), claims)
        in_note = kept.statements()
        assert prune(kept, claims) == kept
        assert {*in_note, *kept.recommendations} <= claims.keys()
        assert len(set(in_note)) == len(in_note)
        proved = {
            each.id
            for each in claims.values()
            if each.form.role == "headline"
            and (not each.proofs or set(each.proofs) & {*in_note})
            and (not each.form.needs or {*in_note} & {*each.form.needs})
        }
        assert kept.headline in (proved or {""})
        assert all(claims[each].form.role == "statement" for each in in_note)
        assert all(claims[each].form.role == "advice" for each in kept.recommendations)
        figures = [fact for each in in_note for fact in claims[each].shown_ids]
        assert len(set(figures)) == len(figures)
        assert len(kept.paragraphs) <= MAX_PARAGRAPHS
        assert all(1 <= len(steps) <= MAX_STEPS for steps in kept.paragraphs)
        assert len(kept.findings) <= MAX_FINDINGS
        assert len(kept.recommendations) <= MAX_RECOMMENDATIONS
        for steps in kept.paragraphs:
            assert steps[0].connective == ""
            for first, second in pairwise(steps):
                one, other = claims[first.claim].instance, claims[second.claim].instance
                if second.connective == "mainly because":
                    assert other.supports == claims[first.claim].form.id
                if second.connective in ("but", "while"):
                    assert one.sign * other.sign == -1
        assert realize_note(kept, claims, sheet).title


@pytest.mark.parametrize("insight_type", ["daily_summary", "volatility_analysis", "hedge_quality"])
def test_a_sentence_of_a_note_proves_its_headline(insight_type: str) -> None:
    random, proved = Random(insight_type), 0
    for _ in range(300):
        claims = claims_of(random_sheet(random))
        plan = plan_by_rules(claims, insight_type)
        if plan is not None and (proofs := claims[plan.headline].proofs):
            assert not set(proofs).isdisjoint(plan.statements()), plan
            needs = claims[plan.headline].form.needs
            assert not needs or {*needs} & {*plan.statements()}, plan
            proved += 1
    assert proved > 50


def test_a_headline_that_no_sentence_proves_is_replaced() -> None:
    facts = {"total_value": 5e4, "daily_pnl": -900.0, "daily_return": -0.018}
    claims = claims_of(build_sheet(facts | {"previous_var_95": 0.015, "beta": 1.0}))
    sentences = [[Step(claim="session_loss")]]
    kept = prune(Plan(headline="headline_var_exceeded", paragraphs=sentences), claims)
    assert kept.headline == "headline_loss"
    sentences = [[Step(claim="var_exceeded")]]
    kept = prune(Plan(headline="headline_var_exceeded", paragraphs=sentences), claims)
    assert kept.headline == "headline_var_exceeded"


def test_a_note_whose_sentences_prove_no_headline_has_a_neutral_title() -> None:
    """A model chose one sentence, on gains and losses, of a portfolio with negative equity."""
    facts = {"total_value": -5e3, "daily_pnl": -900.0, "losers_pnl": -1900.0, "winners_pnl": 1000.0}
    sheet = build_sheet(facts)
    claims = claims_of(sheet, insight_type=LEADING_TYPE)
    assert {"headline_equity_negative", "headline_loss"} <= claims.keys()
    sentences = [[Step(claim="netting")]]
    kept = prune(Plan(headline="headline_equity_negative", paragraphs=sentences), claims)
    assert kept == Plan(headline="", paragraphs=sentences)
    text = realize_note(kept, claims, sheet)
    assert text.title == "Figures of the session"
    assert "$1,900" in text.summary
    assert [each["text"] for each in text.key_findings] == [text.summary]


def test_a_true_plan_is_kept_as_it_is() -> None:
    random, seen = Random(4), 0
    for _ in range(200):
        sheet = random_sheet(random)
        claims = claims_of(sheet)
        plan = plan_by_rules(claims, LEADING_TYPE)
        if plan is not None:
            assert prune(plan, claims) == plan
            seen += 1
    assert seen > 150


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_a_planted_event_is_the_headline_in_at_least_95_percent_of_days(event: str) -> None:
    random, led = Random(event), 0
    for _ in range(N_DAYS):
        sheet = planted_day(random, event)
        led += rules_plan(sheet).headline.partition(":")[0] in EVENTS[event]
    assert led >= 0.95 * N_DAYS


def test_a_quiet_day_has_at_most_five_sentences() -> None:
    random = Random(8)
    for _ in range(N_DAYS):
        before = plain_day(random)
        facts = {
            fact.id: fact.value
            for fact in before.facts.values()
            if not fact.id.endswith(("_pnl", "_winners", "_losers"))
        }
        quiet = build_sheet(
            facts | {"daily_pnl": 40.0, "daily_return": 0.0004, "market_return": 0.0008}
        )
        plan = rules_plan(replace(quiet, before=remember_claims(before)))
        assert plan.headline == "headline_quiet"
        assert 1 <= len(plan.statements()) <= 5


def test_shares_of_losses_are_told_where_gains_offset_them() -> None:
    """RRC lost 1,690 of 3,252 that losers lost; the portfolio, after gains, 2,103."""
    sheet = build_sheet(
        {
            "daily_pnl": -2102.97,
            "daily_return": -0.017,
            "n_losers": 5,
            "n_winners": 6,
            "losers_pnl": -3252.01,
            "winners_pnl": 1149.04,
            "pos_01_pnl": -1690.2,
        }
    )
    text = realize_note(rules_plan(sheet), claims_of(sheet), sheet)
    assert (
        "mainly because SYM1 alone cost $1,690; losers cost $3,252 in all and winners made $1,149."
    ) in text.summary


def test_a_cause_needs_half_of_the_result() -> None:
    """The largest loser made 52% of the losses, but 40% of the result only with gains netted."""
    sheet = build_sheet(
        {
            "daily_pnl": 1000.0,
            "daily_return": 0.01,
            "n_losers": 2,
            "n_winners": 3,
            "losers_pnl": -500.0,
            "winners_pnl": 1500.0,
            "pos_01_pnl": -400.0,
        }
    )
    text = realize_note(rules_plan(sheet), claims_of(sheet), sheet)
    assert "because" not in text.summary


@pytest.mark.parametrize(
    ("outcome", "is_told"), [(0.2, False), (0.3, False), (0.306, False), (0.307, True)]
)
def test_a_note_scores_a_forecast_only_if_it_missed(outcome: float, is_told: bool) -> None:
    facts = {"past_forecast": 0.2, "past_outcome": outcome, "past_low": 0.15, "past_high": 0.3}
    sheet = build_sheet(facts | {"daily_pnl": 1.0, "daily_return": 1e-5, "total_value": 1e5})
    assert ("forecast_missed_low" in rules_plan(sheet).statements()) == is_told
    assert any(each.startswith("forecast_") for each in rules_plan(sheet).statements()) == is_told


@pytest.mark.parametrize(
    ("forecast", "outcome", "low", "high", "in_note"),
    [
        (
            0.012,
            0.0097,
            0.01,
            0.02,
            "1.20%, was too high: 0.97% followed, below the range of 1.00%",
        ),
        (0.015, 0.02042, 0.01, 0.02, "2.04% followed, above the range of 1.00% to 2.00%"),
        (0.0012, 0.00097, 0.001, 0.002, "0.097% followed, below the range of 0.100% to 0.200%"),
        (0.015, 0.0212, 0.01, 0.02, "2.1% followed, above the range of 1.0% to 2.0%"),
        (0.2, 0.307, 0.15, 0.3, "31% followed, above the range of 15% to 30%"),
    ],
)
def test_an_outcome_outside_of_a_range_is_shown_apart_from_its_end(
    forecast: float, outcome: float, low: float, high: float, in_note: str
) -> None:
    facts = {"past_forecast": forecast, "past_outcome": outcome}
    facts |= {"past_low": low, "past_high": high, "total_value": 1e5}
    sheet = build_sheet(facts | {"daily_pnl": 1.0, "daily_return": 1e-5})
    note = realize_note(rules_plan(sheet), claims_of(sheet), sheet)
    assert in_note in f"{note.summary} {note.full_analysis}"


def test_the_volatility_is_told_where_there_is_no_result() -> None:
    facts: dict[str, float | str] = {"volatility_21d": 0.173, "total_value": 195_000.0}
    results = ({}, {"daily_pnl": 1.0, "daily_return": 1e-5})
    in_note = [
        "volatility_level" in rules_plan(build_sheet(facts | each)).statements() for each in results
    ]
    assert in_note == [True, False]


def test_a_plan_of_another_type_needs_news() -> None:
    figures = {"beta": 0.7, "own_beta": 0.7, "own_beta_error": 0.05, "market_r_squared": 0.9}
    sheet = build_sheet(figures)
    assert plan_by_rules(claims_of(sheet), "factor_exposure") is not None
    assert plan_by_rules(claims_of(sheet, remember_claims(sheet)), "factor_exposure") is None


def test_connectives_are_a_closed_set() -> None:
    allowed = {"", *CONNECTIVES} - {"although"}
    assert set(Step.model_json_schema()["properties"]["connective"]["enum"]) == allowed
    with pytest.raises(ValueError, match="connective"):
        Step.model_validate({"claim": "x", "connective": "although"})


def test_names_with_braces_are_inserted_as_they_are() -> None:
    aliases = {"POS_01": {"symbol": "{loss}\n{0}"}}
    sheet = build_sheet(
        {"pos_01_weight": 0.3, "total_value": 5.0, "daily_pnl": -1.0}, aliases=aliases
    )
    claims = claims_of(sheet)
    plan = Plan(headline="headline_loss", paragraphs=[[Step(claim="largest_weight:POS_01")]])
    text = realize_note(plan, claims, sheet)
    assert "{loss} {0}" in text.summary
    assert all(each.role in ("statement", "headline", "advice") for each in catalog().values())


def test_the_main_position_of_the_result_is_named_before_what_made_it_a_surprise() -> None:
    """A gain of 1,006 on a market that implies more: 614 of it before the loss of 140."""
    facts: dict[str, float | str] = {
        "daily_pnl": 1_006.0,
        "daily_return": 0.005,
        "total_value": 200_000.0,
        "previous_own_beta": 0.75,
        "market_return": 0.01,
        "previous_var_95": 0.05,
        "winners_pnl": 1_406.0,
        "losers_pnl": -400.0,
        "n_winners": 8,
        "n_losers": 4,
        "pos_01_pnl": -140.0,
        "pos_02_pnl": 614.0,
    }
    stated = rules_plan(build_sheet(facts)).statements()
    named = [each for each in stated if ":POS" in each]
    assert named == ["largest_contributor:POS_02", "largest_detractor:POS_01"]


def test_a_position_that_made_more_than_a_small_result_is_named() -> None:
    facts: dict[str, float | str] = {
        "daily_pnl": -525.0,
        "daily_return": -0.0041,
        "total_value": 127_000.0,
        "previous_var_95": 0.02,
        "winners_pnl": 1_705.0,
        "losers_pnl": -2_230.0,
        "n_winners": 6,
        "n_losers": 5,
        "pos_01_pnl": -939.0,
    }
    assert "largest_detractor:POS_01" in rules_plan(build_sheet(facts)).statements()
    alike = build_sheet(facts | {"pos_01_pnl": -380.0})
    assert "largest_detractor:POS_01" not in rules_plan(alike).statements()


def test_a_trade_that_is_the_title_is_stated_after_the_result() -> None:
    sheet = situation("a trade reaches a limit")
    plan = rules_plan(sheet)
    assert plan.headline == "headline_by_trade:POS_02"
    assert plan.paragraphs[0][1].claim == "limit_by_trade:POS_02"
    opened = rules_plan(situation("positions are opened"))
    assert opened.headline == "headline_opened"
    in_note = [step.claim for step in opened.paragraphs[0]]
    assert in_note[1:4] == ["opened", "closed", "resized"]


@pytest.mark.parametrize(("lost", "leads"), [(499.0, "week"), (500.0, "cause")])
def test_a_week_does_not_lead_before_one_large_cause_that_others_offset(
    lost: float, leads: str
) -> None:
    """SYM1 made 900 and the others lost half a percent of equity: the day is not quiet."""
    facts = {"total_value": 100_000.0, "daily_pnl": 900.0 - lost, "return_5d": 0.06}
    facts |= {"daily_return": (900.0 - lost) / 100_000.0, "previous_var_95": 0.08}
    facts |= {"winners_pnl": 900.0, "losers_pnl": -lost, "n_winners": 1, "n_losers": 3}
    headline = rules_plan(build_sheet(facts | {"pos_01_pnl": 900.0})).headline
    expected = "headline_week_up" if leads == "week" else "headline_outweighed_losses_sole:POS_01"
    assert headline == expected


@pytest.mark.parametrize(("size", "is_quiet"), [(499.0, True), (500.0, False)])
def test_a_day_is_not_quiet_if_large_gains_and_losses_offset(size: float, is_quiet: bool) -> None:
    """Half a percent of equity on each side, for a result of nothing much."""
    facts = {"total_value": 100_000.0, "daily_pnl": 10.0, "daily_return": 0.0001}
    facts |= {"previous_var_95": 0.02, "n_winners": 3, "n_losers": 3}
    facts |= {"winners_pnl": size + 10.0, "losers_pnl": -size}
    plan = rules_plan(build_sheet(facts))
    assert (plan.headline == "headline_quiet") == is_quiet
    assert "netting" in plan.statements()
