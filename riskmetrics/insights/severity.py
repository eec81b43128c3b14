"""Limits of figures from the versioned `severity.yaml`, independent of who plans a note."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from riskmetrics.funds import BONDS, NOT_LOOKED_THROUGH
from riskmetrics.gics import UNCLASSIFIED

LEVELS = ("info", "normal", "elevated", "warning", "critical")
"""Ascending levels; normal if no limit is reached, info without figures that have one."""

Limits = Mapping[str, Mapping[str, float]]
"""Type of a fact to its limits by ascending level."""

MARKET_MULTIPLE = "market_multiple"

OWN_LIMITS: Mapping[str, str] = {
    "weight": "single_name",
    "gross": "sector",
    "beta": "beta",
    "drawdown": "drawdown",
    "gross_to_equity": "leverage",
}
"""Type with an alert level to the limit of a user that replaces it."""

NO_SECTORS = (BONDS, NOT_LOOKED_THROUGH, UNCLASSIFIED)
"""Groups of the sector table that are no sectors, and have no limit."""

MIN_INVESTED = 0.5
"""Gross exposure over equity from which a sector's share of it is an alarm."""


REJECTED = 0.01
"""p-value below which the test of the value at risk fails."""


class Reached(NamedTuple):
    """The highest limit that a value reaches."""

    level: str
    limit: float


@cache
def load_thresholds() -> dict[str, Any]:
    """Return the contents of `severity.yaml`."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "severity.yaml").read_text())
    return found


def default_limits() -> Limits:
    """Return the limits of `severity.yaml`."""
    found: Limits = load_thresholds()["thresholds"]
    return found


def thresholds_version() -> int:
    """Return the version of the limits."""
    return int(load_thresholds()["version"])


def market_multiple() -> float:
    """Return the multiple of the market's drawdown from which a drawdown counts."""
    return float(load_thresholds()[MARKET_MULTIPLE])


def highest_reached(limits: Limits, kind: str, value: float) -> Reached | None:
    """Return the highest limit that a value is at or beyond, or None."""
    reached = [Reached(*each) for each in limits.get(kind, {}).items() if value >= each[1]]
    return reached[-1] if reached else None
