"""Evidence of notes: every sentence of a stored note has the facts that it states."""

import re
from collections.abc import Iterator
from datetime import date
from random import Random

import pytest

from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.fact_shapes import format_value
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.plan import LEADING_TYPE, Plan, plan_by_rules, prune
from riskmetrics.insights.realize import NoteText, evidence, realize_note
from riskmetrics.present import formatting
from tests.insights.days import EVENTS, plain_day, planted_day
from tests.insights.fact_sheets import random_sheet
from tests.insights.situations import SITUATIONS, situation
from tests.insights.wrong_plans import wrong_plan

N_DAYS = 60
"""Simulated days of each kind."""

_JOINED = re.compile(r"(, (and|but|while|mainly because) )|[.\s]")
"""What is left of a note's prose without its sentences."""


def notes() -> Iterator[tuple[Sheet, Plan, NoteText]]:
    """Yield notes of situations, planted and random days, by rules and of pruned wrong plans."""
    random = Random(57)
    sheets = [situation(name) for name in SITUATIONS]
    sheets += [planted_day(random, event) for event in EVENTS for _ in range(N_DAYS)]
    sheets += [plain_day(random) for _ in range(N_DAYS)]
    sheets += [random_sheet(random) for _ in range(3 * N_DAYS)]
    for sheet in sheets:
        claims = claims_of(sheet)
        plans = [plan_by_rules(claims, LEADING_TYPE), wrong_plan(random, sorted(claims))]
        for plan in filter(None, plans):
            kept = prune(plan, claims)
            if kept.headline or kept.statements():
                yield sheet, kept, realize_note(kept, claims, sheet)


@pytest.fixture(scope="module")
def all_notes() -> list[tuple[Sheet, Plan, NoteText]]:
    """The notes."""
    return list(notes())


def without_findings(text: NoteText, column: str) -> str:
    """Return what is left of a column without the sentences whose evidence is kept."""
    left = getattr(text, column)
    stated = [each["text"] for each in text.key_findings if each.get("column") == column]
    for sentence in sorted((each.removesuffix(".") for each in stated), key=len, reverse=True):
        joined = sentence[0].lower() + sentence[1:]
        found = sentence if sentence in left else joined
        assert found in left, (sentence, left)
        left = left.replace(found, "", 1)
    return left


def test_every_sentence_of_a_note_is_listed_with_its_evidence(
    all_notes: list[tuple[Sheet, Plan, NoteText]],
) -> None:
    for _, _, text in all_notes:
        for column in ("summary", "full_analysis"):
            assert _JOINED.sub("", without_findings(text, column)) == "", text


def test_a_sentence_without_evidence_quotes_no_figure(
    all_notes: list[tuple[Sheet, Plan, NoteText]],
) -> None:
    n_sentences = 0
    for sheet, plan, text in all_notes:
        sentences = [*text.key_findings, *text.recommendations]
        assert len(sentences) == len(plan.statements()) + len(plan.recommendations)
        for sentence in sentences:
            n_sentences += 1
            assert sentence["evidence"] or not re.search(r"\d", sentence["text"]), sentence
            assert {fact["fact"] for fact in sentence["evidence"]} <= sheet.facts.keys()
    assert n_sentences > 1_000


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("var_95", 0.041, "−4.1%"),
        ("previous_var_95", -0.002, "+0.2%"),
        ("drawdown", 0.45, "−45.0%"),
        ("drawdown", 0.0, "0.0%"),
        ("market_drawdown", 0.0004, "0.0%"),
        ("average_drawdown", 0.055, "−5.5%"),
        ("var_95_amount", 2718.0, "−2,718 USD"),
        ("drawdown_stated", 0.36, "−36.0%"),
        ("drawdown_left", 0.35, "35.0%"),
        ("drawdown_kept", 0.35, "35.0%"),
        ("volatility_21d", 0.34, "34.0%"),
        ("result", -0.308, "−30.8%"),
    ],
)
def test_losses_are_negative_in_the_evidence(name: str, value: float, shown: str) -> None:
    kind = FACT_TYPES[name]
    text = format_value(value, kind.unit, "USD")
    fact = Fact(name, kind, value, text, date(2022, 12, 28), {}, currency="USD")
    assert [each["value"] for each in evidence([fact], {})] == [shown]


def test_evidence_of_the_prose_is_shown_once_and_its_sentences_are_not_repeated() -> None:
    """By hand: the equity is the evidence of two sentences of the prose."""
    equity = {"fact": "total_value", "what": "equity", "value": "$5"}
    cash = {"fact": "cash_value", "what": "cash", "value": "$1"}
    listed = {"text": "Cash is low.", "evidence": [cash]}
    findings = [
        {"text": "Equity is $5.", "evidence": [equity], "column": "summary"},
        {"text": "Cash is 20%.", "evidence": [cash, equity], "column": "full_analysis"},
        listed,
    ]
    assert formatting.prose_evidence(findings) == "equity $5; cash $1"
    assert formatting.listed_findings(findings) == [listed]
    assert formatting.prose_evidence([listed]) == ""
