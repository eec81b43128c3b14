"""Severity of facts by the versioned thresholds of `severity.yaml`, independent of the writer."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from riskmetrics.insights.facts import Fact

LEVELS = ("info", "normal", "elevated", "warning", "critical")
"""Ascending levels; info if no fact has a threshold."""


class Severity(NamedTuple):
    """Severity of a set of facts."""

    level: str
    focus: str | None
    """Type of the fact that determined the level."""
    thresholds: dict[str, float]
    """'<type>_threshold' to the highest limit reached, or the lowest if none was reached."""
    version: int


@cache
def load_thresholds() -> dict[str, Any]:
    """Return the contents of `severity.yaml`."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "severity.yaml").read_text())
    return found


def judge_severity(insight_type: str, facts: Iterable["Fact"]) -> Severity:
    """Return the severity of the worst fact that counts for a type of insight.

    Of several facts of a type, the one with rank 1 counts.
    """
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
    """Return whether a value reaches a limit: at least a positive or at most a negative one."""
    return value >= limit if limit > 0 else value <= limit
