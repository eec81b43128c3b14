"""Sentences as analysts write them: which of them the catalog can state, and states truly."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from riskmetrics.insights.claims import catalog, claims_of
from riskmetrics.insights.realize import display_names, realize_phrasing
from tests.insights.fact_sheets import build_sheet

SENTENCES = tomllib.loads((Path(__file__).parent / "natural_sentences.toml").read_text())[
    "sentence"
]
EXPRESSED = [each for each in SENTENCES if "form" in each]

MIN_EXPRESSED = 85
"""Sentences of the hundred that forms express."""


def test_most_natural_sentences_can_be_expressed() -> None:
    assert len({each["says"] for each in SENTENCES}) == len(SENTENCES) == 100
    assert len(EXPRESSED) >= MIN_EXPRESSED


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
    false = build_sheet(sentence["facts"] | sentence["false"])
    assert sentence["form"] not in claims_of(false, {})
