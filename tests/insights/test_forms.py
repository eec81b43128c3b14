"""Forms: each against an oracle, both ways, on random and boundary sheets; phrasings; inverses."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random

import pytest

from riskmetrics.insights.claims import Claim, Form, View, catalog, claims_of
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.realize import display_names, realize_phrasing
from riskmetrics.insights.slots import Slot, distinct_slots, flat_slots, percent
from tests.insights.fact_sheets import random_sheet
from tests.insights.figures import Figures
from tests.insights.inverse import number_in, parse
from tests.insights.oracles import BECAUSE, CHOICES, STATEMENTS, SUBJECTS

pytestmark = pytest.mark.together(15)

N_SHEETS = 1_000
"""Random sheets in the tests; `python -m benchmarks.insight_claims` tries more."""


@pytest.fixture(scope="module")
def sheets() -> list[Sheet]:
    """Random sheets."""
    random = Random(20)
    return [random_sheet(random) for _ in range(N_SHEETS)]


def instances(sheet: Sheet) -> dict[str, dict[str, Instance]]:
    """Return the instances of all forms by form and subject."""
    found: dict[str, dict[str, Instance]] = {each: {} for each in catalog()}
    for claim in claims_of(sheet, {}).values():
        found[claim.form.id][claim.instance.subject] = claim.instance
    return found


def value_of(slot: Slot) -> object:
    return slot.value


def test_every_form_has_an_oracle() -> None:
    known = {*STATEMENTS, *BECAUSE, *SUBJECTS, *CHOICES}
    assert set(catalog()) == known


def test_a_claim_is_made_exactly_when_its_oracle_says_it_is_true(sheets: list[Sheet]) -> None:
    made = dict.fromkeys(catalog(), 0)
    for sheet in sheets:
        found, figures = instances(sheet), Figures(sheet)
        for form_id, oracle in STATEMENTS.items():
            expected = oracle(figures)
            assert found[form_id].keys() == expected.keys(), (form_id, dict(sheet.facts))
            for subject, slots in expected.items():
                shown = {
                    name: value_of(slot) for name, slot in found[form_id][subject].slots.items()
                }
                for name, value in slots.items():
                    is_same = shown[name] == (
                        pytest.approx(value) if isinstance(value, float) else value
                    )
                    assert is_same, (form_id, name)
            made[form_id] += len(expected)
        for form_id, statement in BECAUSE.items():
            assert found[form_id].keys() == STATEMENTS[statement](figures).keys(), form_id
        for form_id, subjects in SUBJECTS.items():
            assert set(found[form_id]) == subjects(figures), form_id
        for form_id, choices in CHOICES.items():
            chosen, allowed = set(found[form_id]), choices(figures)
            assert chosen <= allowed, form_id
            assert len(chosen) == min(len(allowed), 1), form_id
    # an oracle that is never true would prove nothing
    assert [form_id for form_id in STATEMENTS if not made[form_id]] == []


def test_figures_in_sentences_are_those_of_the_claim_to_the_last_digit(
    sheets: list[Sheet],
) -> None:
    for sheet in sheets[:200]:
        names = display_names(sheet)
        for claim in claims_of(sheet, {}).values():
            for phrasing in claim.form.phrasings:
                text = realize_phrasing(phrasing, claim.slots, names)
                parsed = dict(parse(text))
                assert claim.form.id in parsed, text
                for name, shown in parsed[claim.form.id].items():
                    assert _says(shown, claim.slots[name], names, sheet.day), (text, name)


def _says(shown: str, slot: Slot, names: dict[str, str], day: date) -> bool:
    """Return whether the text of a slot is its value."""
    if slot.kind == "items":
        return bool(shown)
    if slot.kind in ("level", "reason"):
        return shown == slot.value
    if slot.kind == "sessions":
        shown = shown.replace("one session", "1 sessions")
    if slot.kind in ("span", "window", "sessions"):
        year = {"span": "year", "window": "the past year"}.get(slot.kind)
        is_year = year is not None and int(str(slot.value)) >= 250
        return shown == (year if is_year else f"{slot.value} sessions")
    if slot.kind in ("name", "label", "subject"):
        return shown == names[str(slot.value)]
    if isinstance(slot.value, date):
        expected = f"{slot.value:%B} {slot.value.day}"
        return shown == (
            expected if slot.value.year == day.year else f"{expected}, {slot.value.year}"
        )
    value, half_unit = number_in(shown)
    return abs(value - float(slot.value)) <= half_unit * (1 + 1e-9)  # type: ignore[arg-type]


def test_a_sentence_belongs_to_one_form(sheets: list[Sheet]) -> None:
    for sheet in sheets[:200]:
        names = display_names(sheet)
        for claim in claims_of(sheet, {}).values():
            for phrasing in claim.form.phrasings:
                text = realize_phrasing(phrasing, claim.slots, names)
                found = {form_id for form_id, _ in parse(text)}
                same_text = {each for each in found if set(catalog()[each].phrasings) & {phrasing}}
                assert found == same_text, (text, found)


def test_compared_figures_are_shown_apart(sheets: list[Sheet]) -> None:
    pairs = {
        "var_exceeded": ("rate", "var"),
        "volatility_rose": ("before", "now"),
        "volatility_fell": ("before", "now"),
        "beta_rose": ("before", "now"),
        "windows_compared": ("short", "long"),
    }
    for sheet in sheets:
        view = View(sheet)
        for form_id, (one, other) in pairs.items():
            for instance in view.instances(catalog()[form_id]):
                first, second = instance.slots[one], instance.slots[other]
                differ = abs(float(first.value) - float(second.value))  # type: ignore[arg-type]
                assert first.show() != second.show() or differ < 1e-5, form_id


def test_the_loss_of_a_day_beyond_the_value_at_risk_is_told_apart() -> None:
    """4.05% beyond 3.98%: with one decimal both are 4.0%."""
    assert [slot.show() for slot in distinct_slots("percent", 0.0405, 0.0398)] == ["4.05%", "3.98%"]
    assert [slot.show() for slot in distinct_slots("percent", 0.60, 0.50)] == ["60%", "50%"]
    assert [slot.show() for slot in distinct_slots("percent", 3e-5, 4e-5)] == ["0.003%", "0.004%"]
    assert percent(3e-5).show() == "below 0.01%"


@pytest.mark.parametrize(
    ("phrasing", "problem"),
    [
        ("It lost {loss}.", "'It' reaches out"),
        ("The loss of {loss} exceeded that.", "'that' reaches out"),
        ("The portfolio lost 5 and {loss}.", "'5' outside slots"),
        ("The portfolio lost {loss} because of rates.", "unlisted"),
        ("The portfolio lost {loss} and {gain}.", "slots"),
        ("The portfolio lost {loss}. The market fell.", "is not one statement"),
        ("The portfolio lost {loss}", "is not one statement"),
    ],
)
def test_a_phrasing_that_can_be_misread_is_refused(phrasing: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Form("x", "result", {"loss": "money"}, (phrasing,), _nothing)


def _nothing(_: View) -> Iterator[Instance]:
    yield from ()


def test_no_pronoun_reaches_out_of_a_sentence_in_any_order() -> None:
    """All pairs of claims in both orders read right if no sentence refers to another one."""
    reference = re.compile(
        r"\b(it|its|they|them|their|this|these|that|those|he|she|former|latter|also|again|both"
        r"|such|same|previous|instead)\b",
        re.IGNORECASE,
    )
    for each in catalog().values():
        for phrasing in (*each.phrasings, *each.entries):
            assert reference.search(phrasing) is None, phrasing


def test_every_evidence_is_a_fact_of_the_sheet(sheets: list[Sheet]) -> None:
    for sheet in sheets[:200]:
        for claim in claims_of(sheet, {}).values():
            assert all(sheet.facts[fact.id] is fact for fact in claim.evidence)
            assert claim.evidence or claim.form.id in {"no_change"}
            assert {slot.value for slot in flat_slots(claim.slots) if slot.kind == "name"} <= {
                *sheet.aliases
            }


def test_a_claim_is_new_unless_it_was_true_with_nearly_the_same_figures(
    sheets: list[Sheet],
) -> None:
    """A beta of 1.30 after 1.20 is within a tenth; after 1.10 it is not."""
    sheet = next(each for each in sheets if STATEMENTS["beta_error"](Figures(each)))
    key, stated = "beta_error:", claims_of(sheet, {})["beta_error"]

    def found(*before: float) -> Claim:
        return claims_of(sheet, {key: before})["beta_error"]

    beta, error = (float(slot.value) for slot in stated.slots.values())  # type: ignore[arg-type]
    assert stated.is_new
    assert not found(beta, error).is_new
    assert not found(beta / 1.09, error).is_new
    assert found(beta / 1.11, error).is_new
    assert found(beta, error).salience == pytest.approx(0.3 * stated.salience)
    assert replace(sheet, before={key: (beta, error)}).before != {}
