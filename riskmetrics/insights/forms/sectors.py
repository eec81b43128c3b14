"""Sectors: net weights against the benchmark."""

from collections.abc import Iterator

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.severity import NO_SECTORS
from riskmetrics.insights.slots import name, size

_MAX_SALIENCE = 1.6
"""Largest salience of a sector: an old one is not stated again."""

_CLEAR_ACTIVE = 0.10
"""Active weight that is worth a sentence."""


@form(
    "sector_over",
    "sectors",
    "name: name, net: percent, benchmark: percent",
    "{name} is overweight: {net} of equity net, against {benchmark} in the benchmark.",
    is_background=True,
)
def sector_over(view: View) -> Iterator[Instance]:
    """The sector with the largest active weight is clearly overweight."""
    found = sorted(_active(view), reverse=True)
    if found and found[0][0] >= _CLEAR_ACTIVE:
        yield from _sector(view, found[0][1], found[0][0], -1)


@form(
    "sector_under",
    "sectors",
    "name: name, net: percent, benchmark: percent",
    "{name} is underweight: {net} of equity net, against {benchmark} in the benchmark.",
    is_background=True,
)
def sector_under(view: View) -> Iterator[Instance]:
    """The sector with the smallest active weight is clearly underweight and held."""
    found = sorted(_active(view))
    if found and found[0][0] <= -_CLEAR_ACTIVE and (view.number("net", found[0][1]) or 0) > 0:
        yield from _sector(view, found[0][1], found[0][0], 0)


@form(
    "sector_absent",
    "sectors",
    "name: name, benchmark: percent",
    "The portfolio holds nothing in {name}, which is {benchmark} of the benchmark.",
    is_background=True,
)
def sector_absent(view: View) -> Iterator[Instance]:
    """The most underweight sector is not held at all."""
    found = sorted(_active(view))
    if found and found[0][0] <= -_CLEAR_ACTIVE and view.number("gross", found[0][1]) == 0:
        alias = found[0][1]
        facts = view.facts_of("benchmark", "gross", alias=alias)
        if facts:
            slots = {"name": name(alias), "benchmark": size(float(facts[0].value))}
            yield Instance(slots, facts[:1], 0.6, alias, context=facts[1:])


def _active(view: View) -> Iterator[tuple[float, str]]:
    """Yield active weights with aliases, of sectors with a net and a benchmark weight."""
    for alias in view.aliases("SEC"):
        active = view.number("active", alias)
        is_sector = view.sheet.aliases[alias].get("sector") not in NO_SECTORS
        if active is not None and is_sector and view.facts_of("net", "benchmark", alias=alias):
            yield active, alias


def _sector(view: View, alias: str, active: float, sign: int) -> Iterator[Instance]:
    facts = view.facts_of("net", "benchmark", alias=alias)
    extreme = view.facts_of("active", alias=alias)
    if facts and extreme and extreme[0].rank is not None and float(facts[0].value) > 0:
        net, benchmark = (size(float(fact.value)) for fact in facts)
        slots = {"name": name(alias), "net": net, "benchmark": benchmark}
        salience = min(0.7 + abs(active), _MAX_SALIENCE)
        yield Instance(slots, facts, salience, alias, sign, context=extreme)
