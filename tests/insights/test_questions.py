"""Questions that rules answer, and what a question's plan states as missing."""

from typing import get_args

import pytest

from riskmetrics.insights.claims import Claim, Instance, catalog
from riskmetrics.insights.common_questions import COMMON_QUESTIONS
from riskmetrics.insights.plan import MISSING_FACTS, RULE_ANSWERS, MissingFact, Plan, Step, prune
from riskmetrics.insights.prompts import MAX_CLAIMS, plan_schema, with_ids
from riskmetrics.insights.question_subjects import find_subjects
from riskmetrics.insights.questions import answer_by_rules, find_question, without_portfolios
from riskmetrics.insights.realize import realize_missing

KNOWN = [each for each in COMMON_QUESTIONS if each.example]
"""Questions that are offered; the others are refused."""


def claim(
    form_id: str, salience: float = 1.0, *, is_new: bool = True, level: str = "info"
) -> Claim:
    """Return a claim of a form, without slots: the plan does not read them."""
    instance = Instance({}, (), salience, level=level)
    return Claim(form_id, catalog()[form_id], instance, is_new, salience)


CLAIMS = {
    each.id: each
    for each in (
        claim("session_loss", 3.0),
        claim("largest_weight", 0.2, is_new=False),
        claim("position_dominates", 0.4, is_new=False, level="warning"),
        claim("beta_level", 0.1, is_new=False),
        claim("volatility_level", 0.1, is_new=False),
        claim("scenario_cost", 0.3, is_new=False),
        claim("headline_loss", 3.0),
        claim("headline_beta", 0.1, is_new=False),
        claim("look_at_position", 0.5, is_new=False),
    )
}


@pytest.mark.parametrize("question", KNOWN, ids=lambda each: each.example)
def test_each_example_is_recognized_as_its_own_kind(question) -> None:
    assert find_question(question.example) is question


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("what drives risk", "What drives the risk?"),
        ("How liquid is the portfolio?", "How fast could it be sold?"),
        ("How long would it take to sell everything?", "How fast could it be sold?"),
        ("What are the style factors?", "Which factors is it tilted to?"),
        ("Did it beat the index?", "How far is it from the index?"),
        ("tracking error", "How large is the tracking error?"),
        ("Are my stocks correlated?", "How correlated are the holdings?"),
        ("How risky is it?", "What drives the risk?"),
        ("Why did I lose money yesterday?", "Why did it lose or gain?"),
        ("How much could I lose in a crash?", "What is the worst case?"),
        ("How certain is the beta of 1.5?", "How sure is the beta?"),
        ("what is new since last week", "What changed?"),
        ("Am I diversified?", "How concentrated is it?"),
        ("Is my VaR any good", "Has the value at risk been right?"),
        ("Is it sensitive to rates", "How sensitive is it to interest rates?"),
        ("Anything to worry about?", "What should I look at?"),
    ],
)
def test_questions_as_people_ask_them_are_recognized(text: str, example: str) -> None:
    found = find_question(text)
    assert found is not None
    assert found.example == example


@pytest.mark.parametrize(
    "text", ["Who is the CEO?", "What is the weather?", "Is it going to rain?", "Separate it"]
)
def test_other_questions_are_refused(text: str) -> None:
    assert find_question(text) is None
    plan = answer_by_rules(text, CLAIMS)
    assert (plan.headline, plan.statements(), plan.missing) == ("", (), ["no_rule"])


def test_an_answer_has_the_claims_of_its_topics_however_old_they_are() -> None:
    plan = answer_by_rules("What drives the risk?", CLAIMS)
    expected = ("position_dominates", "largest_weight", "volatility_level", "beta_level")
    assert plan.statements() == expected
    assert plan.recommendations == ["look_at_position"]
    assert plan.missing == []
    assert answer_by_rules("What changed?", CLAIMS).statements() == ("session_loss",)
    assert answer_by_rules("Which limits?", CLAIMS).statements() == ("position_dominates",)


def test_without_a_claim_of_its_topics_an_answer_says_what_is_missing() -> None:
    plan = answer_by_rules("How well is it hedged?", CLAIMS)
    assert (plan.headline, plan.paragraphs, plan.missing) == ("", [], ["undefined_figures"])
    assert realize_missing(plan.missing) == (
        "The stored facts do not contain a defined figure that answers the question."
    )


@pytest.mark.parametrize("question", KNOWN, ids=lambda each: each.example)
def test_a_question_about_alarms_is_answered_by_their_absence(question) -> None:
    plan = answer_by_rules(question.example, {})
    assert plan.missing == [question.nothing]
    is_alarm = question.nothing in ("no_limit", "no_change", "no_gap")
    assert realize_missing(plan.missing).startswith("No") == is_alarm


def test_a_plan_without_claims_keeps_what_is_missing_and_no_headline() -> None:
    wrong = Plan(headline="headline_loss", paragraphs=[[Step(claim="?")]], missing=["costs"] * 2)
    assert prune(wrong, CLAIMS) == Plan(headline="", paragraphs=[], missing=["costs"])


def test_the_schema_names_what_may_be_missing_and_is_the_same_for_all() -> None:
    assert set(get_args(MissingFact)) == MISSING_FACTS.keys() | RULE_ANSWERS.keys()
    asked, told = plan_schema(is_question=True), plan_schema(is_question=False)
    assert set(asked["properties"]["missing"]["items"]["enum"]) == MISSING_FACTS.keys()
    assert "missing" not in told["properties"]
    assert told["properties"]["headline"] == {"$ref": "#/$defs/Number"}
    numbers = told["$defs"]["Number"]["enum"]
    assert (numbers[0], numbers[-1], len(numbers)) == ("C01", "C99", MAX_CLAIMS)


def test_numbers_become_ids_and_unknown_ones_nothing() -> None:
    told = Plan(headline="C02", paragraphs=[[Step(claim="C01"), Step(claim="C03")]], findings=["x"])
    expected = Plan(headline="b", paragraphs=[[Step(claim="a"), Step(claim="")]], findings=[""])
    assert with_ids(told, ["a", "b"]) == expected


@pytest.mark.parametrize(
    ("text", "portfolios", "expected"),
    [
        ("Value at risk?", ("Core", "Value"), ("Value at risk?", False)),
        ("What is the risk of Value?", ("Core", "Value"), ("What is the risk of Value?", True)),
        ("What is the risk?", ("is", "Core"), ("What is the risk?", False)),
        ("How risky is Core?", ("Core", "Value"), ("How risky is it?", False)),
    ],
)
def test_a_portfolio_named_by_a_common_word_changes_no_question(text, portfolios, expected) -> None:
    assert without_portfolios(text, portfolios) == expected


@pytest.mark.parametrize(
    ("symbol", "text"), [("BETA", "What is the beta?"), ("PEAK", "How far below its peak is it?")]
)
def test_a_position_named_by_a_word_of_questions_counts_in_capitals_only(symbol, text) -> None:
    held = {"POS_01": {"symbol": symbol, "name": "Holdings"}}
    assert find_subjects(text, held)[0] == frozenset()
    assert find_subjects(f"What about {symbol}?", held)[0] == {"POS_01"}
