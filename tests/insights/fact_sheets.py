"""Fact sheets with random figures and all types of facts."""

from datetime import date
from random import Random

from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import FACT_TYPES, format_value
from riskmetrics.insights.facts import Fact

ALIAS_PREFIXES = {
    "weight": "POS",
    "side": "POS",
    "share": "POS",
    "gross": "SEC",
    "benchmark": "SEC",
    "active": "SEC",
    "result": "SCN",
}
"""Types about positions, sectors or scenarios, and the prefix of their aliases."""


DAY = date(2022, 12, 28)
COUNT = {"POS": 5, "SEC": 4, "SCN": 3}
_RANKED = {"weight": "POS", "share": "POS", "gross": "SEC", "active": "SEC", "result": "SCN"}
_WORDS = {
    "volatility_trend": ("increasing", "stable"),
    "side": ("long", "short"),
    "severity": ("normal", "warning"),
}


def sheet(random: Random) -> Sheet:
    """Return a sheet with a fact of every type; ranks follow the values."""
    facts: dict[str, Fact] = {}
    called = {
        f"{begins}_{n:02}": _called(begins, n)
        for begins, count in COUNT.items()
        for n in range(1, count + 1)
    }
    for name, kind in FACT_TYPES.items():
        abouts = (
            [alias for alias in called if alias.startswith(ALIAS_PREFIXES[name])]
            if name in ALIAS_PREFIXES
            else [None]
        )
        values = [_value(random, name, kind.unit) for _ in abouts]
        if name in ("weight", "gross", "result"):  # the order of the aliases
            values.sort(key=float, reverse=name != "result")
        for about, value in zip(abouts, values, strict=True):
            fact = f"{about.lower()}_{name}" if about else name
            key = {"portfolio_id": "p", "day": DAY.isoformat()}
            rank = _rank(name, values, value) if name in _RANKED else None
            facts[fact] = Fact(
                fact,
                kind,
                value,
                format_value(value, kind.unit, "USD"),
                DAY,
                key,
                entity=about,
                rank=rank,
                currency="USD",
            )
    return Sheet("p", DAY, facts, called)


def _called(begins: str, number: int) -> dict[str, str]:
    return {
        "POS": {"symbol": f"S{number}"},
        "SEC": {"sector": f"Sector {number}"},
        "SCN": {"scenario": f"scenario {number}"},
    }[begins]


def _value(random: Random, name: str, unit: str) -> float | str:
    if unit == "text":
        return random.choice(_WORDS[name])
    if unit == "count":
        return random.randint(1, 60)
    if unit.endswith("money"):
        return round(
            (
                random.uniform(-90_000, 90_000)
                if unit.startswith("signed")
                else random.uniform(1_000, 900_000)
            ),
            2,
        )
    if name in ("net_exposure", "net_to_equity") or "signed" in unit or "points" in unit:
        return random.uniform(-0.6, 0.6)
    return random.uniform(0.01, 0.99)


def _rank(name: str, values: list[float | str], value: float | str) -> int:
    numbers = [float(of) for of in values]
    ahead = [of < float(value) if name == "result" else of > float(value) for of in numbers]
    return 1 + sum(ahead)
