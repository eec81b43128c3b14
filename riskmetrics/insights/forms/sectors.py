"""Sectors: net weights against the benchmark."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms.lists import FUNDS, REST, sector_positions
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import reached_limits
from riskmetrics.insights.severity import NO_SECTORS
from riskmetrics.insights.slots import Slot, name, size

_MAX_SALIENCE = 1.6
"""Largest salience of a sector: an old one is not stated again."""

_CLEAR_ACTIVE = 0.10
"""Active weight that is worth a sentence."""


_SLOTS = "name: name, net: percent, benchmark: percent"
_ENTRIES = ("{name}", FUNDS, *REST)
"""Slots of a sector against the benchmark, and entries of its positions."""


def _named_positions(view: View, sector: str) -> tuple[Slot, tuple[Fact, ...]] | None:
    """Return the positions of a sector, unless the sentence on its new alert has them."""
    reaches = (each for each in reached_limits(view) if each.kind == "gross")
    is_told = any(each.alias == sector and each.event == "reached" for each in reaches)
    return None if is_told else sector_positions(view, sector)


def _against_benchmark(form_id: str, word: str, find: Callable[[View], Iterator[Instance]]) -> None:
    """Add the forms of a sector against the benchmark, without its positions and with them."""
    rest = ", against {benchmark} in the benchmark."
    start = f"{{name}} is {word}: {{net}} of equity net"

    @form(form_id, "sectors", _SLOTS, start + rest, is_background=True)
    def without_positions(view: View) -> Iterator[Instance]:
        for found in find(view):
            if _named_positions(view, found.subject) is None:
                yield found

    @form(f"{form_id}_of", "sectors", f"{_SLOTS}, positions: items",
        f"{start} ({{positions}}){rest}", entries=_ENTRIES, is_background=True)  # fmt: skip
    def with_positions(view: View) -> Iterator[Instance]:
        for found in find(view):
            if positions := _named_positions(view, found.subject):
                slots = {**found.slots, "positions": positions[0]}
                yield replace(found, slots=slots, context=(*found.context, *positions[1]))


def _overweight_sector(view: View) -> Iterator[Instance]:
    """Yield the sector with the largest active weight if it is clearly overweight."""
    found = sorted(_active(view), reverse=True)
    if found and found[0][0] >= _CLEAR_ACTIVE:
        yield from _sector(view, found[0][1], found[0][0], -1)


def _underweight_sector(view: View) -> Iterator[Instance]:
    """Yield the sector with the smallest active weight if it is clearly underweight and held."""
    found = sorted(_active(view))
    if found and found[0][0] <= -_CLEAR_ACTIVE and (view.number("net", found[0][1]) or 0) > 0:
        yield from _sector(view, found[0][1], found[0][0], 0)


_against_benchmark("sector_over", "overweight", _overweight_sector)
_against_benchmark("sector_under", "underweight", _underweight_sector)


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


@form("sector_holds", "sectors", "name: name, positions: items",
    "{name} is made up of {positions}.", entries=_ENTRIES, is_answer=True)  # fmt: skip
def sector_holds(view: View) -> Iterator[Instance]:
    """The positions of each sector, the largest first."""
    for alias in view.aliases("SEC"):
        if positions := sector_positions(view, alias):
            slots = {"name": name(alias), "positions": positions[0]}
            yield Instance(slots, (), 0.5, alias, context=positions[1])


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
