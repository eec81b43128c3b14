"""Generated sentences, half of them false: no false one passes, few true ones are rejected."""

from collections import Counter
from random import Random

import pytest

from riskmetrics.insights import verify
from tests.insights.fact_sheets import sheet
from tests.insights.sentences import generate_sentences

WAYS = {
    "direction",
    "unit",
    "sign",
    "id",
    "another",
    "swap",
    "entity",
    "time",
    "quantifier",
    "negation",
    "tense",
}
SHEETS, PER_SHEET = 40, 300


@pytest.mark.slow(4)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_false_sentence_passes_and_under_two_percent_of_true_ones_are_rejected(
    seed: int,
) -> None:
    random, passed, refused, ways = Random(seed), [], [], Counter[str]()
    for _ in range(SHEETS):
        facts = sheet(random)
        for sentence in generate_sentences(facts, PER_SHEET, random):
            wrong = verify.text_violations(sentence.text, facts)
            ways[sentence.mutation] += 1
            if sentence.true and wrong:
                refused.append((sentence.text, wrong))
            if not sentence.true and not wrong:
                passed.append((sentence.mutation, sentence.text))
    assert passed == []
    assert len(refused) < 0.02 * ways[""], refused[:20]
    assert sum(ways.values()) == SHEETS * PER_SHEET > 10_000
    assert ways[""] == SHEETS * PER_SHEET / 2
    assert all(ways[way] > 200 for way in WAYS), ways
