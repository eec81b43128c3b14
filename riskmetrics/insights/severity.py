"""How much attention facts deserve: by thresholds of a versioned file, for every writer the same; a model only words it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from riskmetrics.insights.fact_sheet import Fact

LEVELS = ("info", "normal", "elevated", "warning", "critical")
"""From the least to the most; info: there is nothing to judge by."""


class Severity(NamedTuple):
    """What facts mean together."""

    level: str
    focus: str | None
    """The kind of fact that decided it."""
    thresholds: dict[str, float]
    """By '<kind>_threshold': the highest that was reached, or the lowest if none was, of each kind that has one."""
    version: int


@cache
def load_thresholds() -> dict[str, Any]:
    """Return the file of thresholds."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "severity.yaml").read_text())
    return found


def judge_severity(insight_type: str, facts: Iterable["Fact"]) -> Severity:
    """Return the severity of the worst fact by which a type of insight is judged; of several facts of a kind rank 1 counts."""
    config, level, focus, thresholds = load_thresholds(), "info", None, {}
    for fact in facts:
        kind, limits = fact.fact_type.name, config["thresholds"].get(fact.fact_type.name)
        if limits is None or fact.rank not in (None, 1) or isinstance(fact.value, str):
            continue
        reached = [name for name, limit in limits.items() if is_at_or_beyond(fact.value, limit)]
        thresholds[f"{kind}_threshold"] = limits[reached[-1] if reached else next(iter(limits))]
        found = reached[-1] if reached else "normal"
        if kind in config["judged_by"][insight_type] and LEVELS.index(found) > LEVELS.index(level):
            level, focus = found, kind
    return Severity(level, focus, thresholds, config["version"])


def is_at_or_beyond(value: float, limit: float) -> bool:
    """Return whether a value is at or beyond a limit: above a positive one, below a negative one."""
    return value >= limit if limit > 0 else value <= limit
