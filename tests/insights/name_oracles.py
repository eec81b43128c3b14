"""Lists of names that forms state: what has no price, and what makes a sector."""

from riskmetrics.insights.slots import Item
from tests.insights.figures import Expected, Figures


class Entries(list[tuple[str, dict[str, object]]]):
    """Entries of a list, which equal items with the same texts and values."""

    def __eq__(self, other: object) -> bool:
        """Compare texts and values."""
        if not isinstance(other, tuple):
            return NotImplemented
        shown = [
            (each.phrasing, {name: slot.value for name, slot in each.slots.items()})
            for each in other
            if isinstance(each, Item)
        ]
        return list(self) == shown

    __hash__ = None  # type: ignore[assignment]


def others(count: int) -> list[tuple[str, dict[str, object]]]:
    """Return the entry of what is not named."""
    if count == 1:
        return [("one other", {})]
    return [("{count} others", {"count": count})] if count else []


def _named(f: Figures, kind: str, value: str, total: float) -> Entries | None:
    """Return the positions with a text, and the number of the others; None if none is known."""
    found = [alias for alias in f.things("POS") if f.text(f"{alias.lower()}_{kind}") == value]
    found.sort(key=lambda alias: (f.rank(alias, kind), alias))
    if not found or not total >= len(found):
        return None
    names = [("{name}", {"name": alias}) for alias in found]
    return Entries([*names, *others(int(total) - len(found))])


def unpriced_instruments(f: Figures) -> Entries | None:
    """Return the instruments without a price."""
    return _named(f, "unpriced", "no price", f.n_unpriced)


def with_positions(f: Figures, found: Expected, *, is_named: bool) -> Expected:
    """Return claims about sectors whose positions are known, with them, or the other claims."""
    result: Expected = {}
    for alias, slots in found.items():
        through = f.of(alias, "through_funds")
        sector, total = f.sheet.aliases[alias]["sector"], f.of(alias, "n_in_sector")
        held = _named(f, "in_sector", sector, total) if through >= 0 else None
        if is_named and held is not None:
            result[alias] = slots | {
                "positions": Entries([*held, *[("funds", {})] * (through > 0)])
            }
        elif not is_named and held is None:
            result[alias] = slots
    return result
