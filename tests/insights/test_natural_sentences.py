"""Sentences as analysts write them: which of them the catalog can state, and states truly."""

import tomllib
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from riskmetrics.insights.claims import catalog, claims_of
from riskmetrics.insights.realize import display_names, realize_phrasing
from tests.insights.fact_sheets import build_sheet

SETS = {
    name: tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text())["sentence"]
    for name in ("natural_sentences", "natural_sentences_2")
}
EXPRESSED = [each for found in SETS.values() for each in found if "form" in each]

MIN_EXPRESSED = {"natural_sentences": (100, 85), "natural_sentences_2": (50, 33)}
"""Set to its sentences, and those of them that forms express."""


@pytest.mark.parametrize("name", SETS)
def test_most_natural_sentences_can_be_expressed(name: str) -> None:
    size, floor = MIN_EXPRESSED[name]
    assert len({each["says"] for each in SETS[name]}) == len(SETS[name]) == size
    assert sum("form" in each for each in SETS[name]) >= floor


def test_no_form_is_named_that_is_missing() -> None:
    assert {each["form"].partition(":")[0] for each in EXPRESSED} <= catalog().keys()


@pytest.mark.parametrize("sentence", EXPRESSED, ids=lambda each: each["says"])
def test_a_natural_sentence_is_stated_where_it_is_true_and_refused_where_it_is_false(
    sentence: dict[str, Any],
) -> None:
    true = build_sheet(sentence["facts"])
    claim = claims_of(true, {})[sentence["form"]]
    for phrasing in claim.form.phrasings:
        text = realize_phrasing(phrasing, claim.slots, display_names(true))
        assert [part for part in sentence.get("shows", []) if part not in text] == [], text
    changed = {name for name, value in sentence["false"].items() if name in sentence["facts"]}
    assert changed or sentence["form"] == "risk_undefined"
    facts = sentence["facts"] | sentence["false"]
    missing = {name for name, value in facts.items() if isinstance(value, float) and isnan(value)}
    false = build_sheet({name: facts[name] for name in facts.keys() - missing})
    assert sentence["form"] not in claims_of(false, {})
