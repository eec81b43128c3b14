"""Severity thresholds on their boundaries: the limit is reached, the number before is not."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from riskmetrics.insights import severity
from tests.insights.fact_sheets import sheet

LIMITS = [
    (kind, level, limit)
    for kind, limits in severity.load_thresholds()["thresholds"].items()
    for level, limit in limits.items()
]
LEVELS = {kind: list(limits) for kind, limits in severity.load_thresholds()["thresholds"].items()}


def judged(kind: str, value: float) -> tuple[str, float]:
    """Return the severity of a single fact, and its threshold."""
    facts = [fact for fact in sheet(Random(7)).facts.values() if fact.fact_type.name == kind]
    fact = replace(facts[0], value=value, rank=None)
    insight_type = next(
        of for of, kinds in severity.load_thresholds()["judged_by"].items() if kind in kinds
    )
    found = severity.judge_severity(insight_type, [fact])
    return found.level, found.thresholds[f"{kind}_threshold"]


@pytest.mark.parametrize(("kind", "level", "limit"), LIMITS)
def test_a_limit_itself_is_reached_and_the_number_before_it_is_not(
    kind: str, level: str, limit: float
) -> None:
    assert judged(kind, limit) == (level, limit)
    before = LEVELS[kind].index(level) - 1
    expected = LEVELS[kind][before] if before >= 0 else "normal"
    short = float(np.nextafter(limit, 0.0))  # towards zero: less of it, whatever its sign
    assert judged(kind, short)[0] == expected
