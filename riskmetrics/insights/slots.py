"""Slots of phrasings: typed values, and how a sentence shows them.

Figures are rounded for reading: 60%, $839. A figure that is compared with another one has as many
decimals as tell the two apart (`apart`), so that a loss of 4.05% beyond 3.98% is shown as such.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from riskmetrics.present import formatting
from riskmetrics.present.limit_texts import decimals_as_set

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")

_FAR_APART = 20
"""Ratio from which figures need no decimals to be shown apart."""

FULL_YEAR = 250
"""Observations from which a window of 252 sessions is called a year."""

MAX_DECIMALS = 4
"""Decimals, of a percentage or a number, that `apart` tries at most."""

_LEAST = 0.01
"""Percentage below which, when rounded, no decimals are added: the figure is below it."""

PATTERNS: Final = {
    "money": r"(?:\$|[A-Z]{3} )[\d,]+(?:\.\d+)?",
    "percent": r"(?:below )?−?[\d,]+(?:\.\d+)?%",
    "points": r"(?:below )?[\d,]+(?:\.\d+)? points?",
    "number": r"−?[\d,]+(?:\.\d+)?",
    "figure": r"(?:below )?−?[\d,]+(?:\.\d+)?%?",
    "excess": r"(?:below )?[\d,]+(?:\.\d+)?(?: points?)?",
    "times": r"[\d,]+(?:\.\d+)?×",
    "count": r"[\d,]+",
    "losses": r"1 larger loss|[\d,]+ larger losses",
    "ordinal": r"[\d,]+(?:st|nd|rd|th)",
    "sessions": r"one session|[\d,]+ sessions",
    "level": r"elevated|warning|critical",
    "reason": r".+?",
    "day": r"[A-Z][a-z]+ \d{1,2}(?:, \d{4})?",
    "span": r"year|[\d,]+ sessions",
    "window": r"the past year|[\d,]+ sessions",
    "name": r".+?",
    "symbol": r".+?",
    "label": r".+?",
    "subject": r".+?",
    "items": r".+?",
}
"""Kind of slot to a regular expression of its text; a figure is a percentage or a number."""


class Item(NamedTuple):
    """An entry of a list in a sentence: a phrasing of its own with its slots."""

    phrasing: str
    slots: "Mapping[str, Slot]"


class Slot(NamedTuple):
    """A typed value of a claim."""

    kind: str
    """A key of `PATTERNS`."""
    value: float | str | date | tuple[Item, ...]
    decimals: int | None = None
    """None: chosen for reading."""
    currency: str = "USD"
    reference: date | None = None
    """Session of the note; a day of another year is shown with its year."""

    def show(self) -> str:
        """Return the text of a value that is not a name."""
        value = self.value
        if isinstance(value, date):
            is_same_year = self.reference is not None and value.year == self.reference.year
            return f"{value:%B} {value.day}" + ("" if is_same_year else f", {value.year}")
        if self.kind in ("level", "reason"):
            return str(value)
        if isinstance(value, str | tuple):
            raise TypeError(f"names are shown by realize, not {value!r}")
        return _SHOW[self.kind](value, self)


def money(value: float, currency: str = "USD") -> Slot:
    """Return the size of an amount."""
    return Slot("money", abs(float(value)), currency=currency)


def percent(value: float, decimals: int | None = None) -> Slot:
    """Return a fraction shown as a percentage, with its sign."""
    return Slot("percent", float(value), decimals)


def below_all(value: float) -> Slot:
    """Return a share below 1, shown with as many decimals, up to two, as tell it from 100%."""
    shown = (percent(value, decimals) for decimals in range(3))
    return next((each for each in shown if not each.show().startswith("100")), percent(value, 2))


def size(value: float, decimals: int | None = None) -> Slot:
    """Return the size of a fraction shown as a percentage."""
    return Slot("percent", abs(float(value)), decimals)


def return_size(value: float) -> Slot:
    """Return the size of a return as a percentage, with one decimal at least.

    Examples
    --------
    >>> return_size(0.106).show(), return_size(-0.0002).show()
    ('10.6%', '0.02%')
    """
    return with_decimal(size(value))


def return_points(value: float) -> Slot:
    """Return the size of a difference of returns in points, with one decimal at least."""
    return with_decimal(points(value))


def with_decimal(slot: Slot) -> Slot:
    """Return a slot with one decimal at least."""
    return slot._replace(decimals=max(_decimals(slot), 1))


def points(value: float) -> Slot:
    """Return the size of a difference of percentages, in percentage points."""
    return Slot("points", abs(float(value)))


def number(value: float, decimals: int = 2) -> Slot:
    """Return a beta or another plain number."""
    return Slot("number", float(value), decimals)


def times(value: float, decimals: int = 1) -> Slot:
    """Return a multiple, such as 2.2×."""
    return Slot("times", float(value), decimals)


def count(value: float) -> Slot:
    """Return a whole number."""
    return Slot("count", int(value))


def larger_losses(value: float) -> Slot:
    """Return a number of losses beyond a figure, with its noun."""
    return Slot("losses", int(value))


def ordinal(value: float) -> Slot:
    """Return a whole number as an ordinal, such as 19th."""
    return Slot("ordinal", int(value))


def sessions(value: float) -> Slot:
    """Return a number of sessions, in words."""
    return Slot("sessions", int(value))


def level(name: str) -> Slot:
    """Return the name of an alert level."""
    return Slot("level", name)


def reason(text: str) -> Slot:
    """Return why a figure is undefined, as results store it."""
    return Slot("reason", text)


def span(observations: int | None) -> Slot:
    """Return the length of a window of up to 252 sessions: a year, or as many as are known."""
    return Slot("span", int(observations or 0))


def window(observations: int | None) -> Slot:
    """Return up to 252 sessions that a figure is compared with: the past year, or as many."""
    return Slot("window", int(observations or 0))


def day(value: date, reference: date) -> Slot:
    """Return a day, shown with its year if the note is of another one."""
    return Slot("day", value, reference=reference)


def name(alias: str) -> Slot:
    """Return the name of an alias."""
    return Slot("name", alias)


def symbol(alias: str) -> Slot:
    """Return the name of a position without its side: of a stock next to options on it."""
    return Slot("symbol", alias)


def subject(alias: str) -> Slot:
    """Return what has a limit: a position or sector, or a scenario, whose name is quoted."""
    return Slot("subject", alias)


def label(alias: str) -> Slot:
    """Return the name of an alias that is written in lower case: a factor, or a limit."""
    return Slot("label", alias)


def items(*entries: Item) -> Slot:
    """Return a list of entries."""
    return Slot("items", entries)


def flat_slots(slots: "Mapping[str, Slot]") -> "Iterator[Slot]":
    """Yield slots and the slots of their items."""
    for slot in slots.values():
        yield slot
        for entry in slot.value if isinstance(slot.value, tuple) else ():
            yield from flat_slots(entry.slots)


def distinct_slots(
    kind: str, *values: float, has_decimal: bool = False, most: int = MAX_DECIMALS
) -> tuple[Slot, ...]:
    """Return slots of values with the same decimals, the fewest that show most of them apart.

    With ``has_decimal`` they have one decimal at least, as returns do.

    Values that differ by less than ``most`` decimals show are shown alike, and do not lengthen the
    others. Of different orders of magnitude, each has the decimals of its own.
    """
    base = [Slot(kind, float(value)) for value in values]
    base = [with_decimal(slot) for slot in base] if has_decimal else base
    n_distinct = len({slot.value for slot in base})
    sizes = sorted(abs(float(value)) for value in values)
    is_far = sizes[-1] >= _FAR_APART * sizes[0] > 0
    if is_far and _count_shown(base) == n_distinct:
        return tuple(base)
    fewest = max(_decimals(slot) for slot in base)
    best, n_best = tuple(base), 0
    for decimals in range(fewest, max(fewest, most) + 1):
        shown = tuple(Slot(kind, slot.value, decimals) for slot in base)
        if (n_shown := _count_shown(shown)) > n_best:
            best, n_best = shown, n_shown
        if n_best == n_distinct:
            break
    return best


def apart_from_limit(kind: str, limit: float, *values: float) -> tuple[Slot, ...]:
    """Return slots of a limit and of values, shown apart; the limit is shown as it was set.

    Examples
    --------
    >>> [slot.show() for slot in apart_from_limit("percent", 0.0185, 0.0231)]
    ['1.85%', '2.31%']
    """
    shown = distinct_slots(kind, limit, *values)
    decimals = min(decimals_as_set(limit, is_percent=kind == "percent"), MAX_DECIMALS)
    if _decimals(shown[0]) >= decimals:
        return shown
    return tuple(slot._replace(decimals=decimals) for slot in shown)


def _count_shown(slots: Sequence[Slot]) -> int:
    """Return the number of different texts of slots."""
    return len({slot.show() for slot in slots})


def is_shown_apart(one: Slot, other: Slot) -> bool:
    """Return whether two slots are shown differently."""
    return one.show() != other.show()


def clean_name(text: str) -> str:
    """Return a name without control characters."""
    return _UNPRINTABLE.sub(" ", text).strip()


def _decimals(slot: Slot) -> int:
    if slot.decimals is not None:
        return slot.decimals
    if slot.kind in ("percent", "points"):
        shown = abs(float(slot.value)) * 100  # type: ignore[arg-type]
        edges = (9.95, 0.095 if shown else 0.0)
        return next((each for each, edge in enumerate(edges) if shown >= edge), 2)
    return 2 if slot.kind == "number" else 1


def _show_money(value: float, slot: Slot) -> str:
    amount = f"{value:,.2f}" if value < 9.995 else f"{value:,.0f}"
    return f"${amount}" if slot.currency == "USD" else f"{slot.currency} {amount}"


def _is_below_least(value: float) -> bool:
    """Return whether a fraction is not 0, and a percentage that rounds to less than the least."""
    return 0 < abs(value) * 100 < _LEAST / 2


def _is_shown_by_decimals(value: float, slot: Slot) -> bool:
    """Return whether a fraction does not round to 0 with the decimals that were chosen for it."""
    return round(abs(value) * 100, _decimals(slot)) > 0


def _show_percent(value: float, slot: Slot) -> str:
    if _is_below_least(value) and not _is_shown_by_decimals(value, slot):
        return f"below {_LEAST}%" if value > 0 else "−0.00%"
    return formatting.fixed_point(value * 100, _decimals(slot)) + "%"


def _show_points(value: float, slot: Slot) -> str:
    if _is_below_least(value) and not _is_shown_by_decimals(value, slot):
        return f"below {_LEAST} points"
    shown = formatting.fixed_point(value * 100, _decimals(slot))
    return f"{shown} point{'' if float(shown.replace(',', '')) == 1 else 's'}"


_SHOW: Final[Mapping[str, Callable[[float, Slot], str]]] = {
    "money": _show_money,
    "percent": _show_percent,
    "points": _show_points,
    "number": lambda value, slot: formatting.fixed_point(value, _decimals(slot)),
    "times": lambda value, slot: formatting.fixed_point(value, _decimals(slot)) + "×",
    "count": lambda value, _: formatting.count(value),
    "losses": lambda value, _: f"{formatting.count(value)} larger loss{'' if value == 1 else 'es'}",
    "span": lambda value, _: (
        "year" if value >= FULL_YEAR else f"{formatting.count(value)} sessions"
    ),
    "window": lambda value, _: (
        "the past year" if value >= FULL_YEAR else f"{formatting.count(value)} sessions"
    ),
    "ordinal": lambda value, _: formatting.ordinal(int(value)),
    "sessions": lambda value, _: (
        "one session" if value == 1 else f"{formatting.count(value)} sessions"
    ),
}
