"""Lists in sentences: the first entries, and how many others there are."""

from collections.abc import Sequence
from typing import Final

from riskmetrics.insights.claims import View
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.slots import Item, Slot, count, items, name

MAX_ITEMS: Final = 5
"""Entries of a list; the others are counted."""

_OTHERS, _ONE_OTHER = "{count} others", "one other"

REST: Final = (_OTHERS, _ONE_OTHER)
"""Last entries of a list that does not state all."""

FUNDS: Final = "funds"
"""Entry of the funds that hold a part of a sector."""


def shorten_list(
    entries: Sequence[Item], sizes: Sequence[int] = (), most: int = MAX_ITEMS
) -> Sequence[Item]:
    """Return the first entries of a list; the rest is counted.

    Parameters
    ----------
    sizes : sequence of int, optional
        Things that each entry states. Default: one.
    most : int, optional
        Entries that are stated.
    """
    if len(entries) <= most:
        return entries
    return [*entries[:most], rest_of(sum((sizes or [1] * len(entries))[most:]))]


def rest_of(n_others: int) -> Item:
    """Return the entry that counts what a list does not state."""
    return Item(_OTHERS, {"count": count(n_others)}) if n_others > 1 else Item(_ONE_OTHER, {})


def names(aliases: Sequence[str], total: int) -> list[Item]:
    """Return the entries of some things by name, and the number of the others."""
    found = [Item("{name}", {"name": name(alias)}) for alias in aliases]
    return [*found, rest_of(total - len(found))] if total > len(found) else found


def ranked_aliases(view: View, kind: str, value: str) -> list[tuple[str, Fact]]:
    """Return the positions with a text as their fact of a type, by its rank."""
    found = ((alias, view.fact(kind, alias)) for alias in view.aliases("POS"))
    known = [(alias, fact) for alias, fact in found if fact and fact.value == value]
    return sorted(known, key=lambda each: (each[1].rank or 0, each[0]))


def sector_positions(view: View, sector: str) -> tuple[Slot, tuple[Fact, ...]] | None:
    """Return the largest positions of a sector as a list, with its facts; None if unknown."""
    counts = view.facts_of("n_in_sector", "through_funds", alias=sector)
    held = ranked_aliases(view, "in_sector", view.sheet.aliases[sector].get("sector", ""))
    total = int(float(counts[0].value)) if counts else 0
    if counts is None or not held or total < len(held):
        return None
    entries = names([alias for alias, _ in held], total)
    entries += [Item(FUNDS, {})] if float(counts[1].value) > 0 else []
    return items(*entries), (*counts, *(fact for _, fact in held))
