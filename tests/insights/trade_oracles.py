"""What forms about trades say, written again from their meaning."""

from collections.abc import Callable, Mapping
from functools import partial
from math import isnan, nan

from tests.insights.figures import Expected, Figures
from tests.insights.name_oracles import Entries, others

_DONE = {
    "opened": ("opened",),
    "closed": ("closed",),
    "resized": ("quantity_increase", "quantity_decrease", "turned"),
}
"""Kind of trade to the facts of a position that it gives."""


def _traded(f: Figures, kind: str) -> list[tuple[str, str, float]]:
    """Return position, what was done to it, and its weight; the largest first, unknown ones last.

    A closed position has the weight of the session before.
    """
    found = []
    for alias in f.things("POS"):
        for done in _DONE[kind]:
            if f"{alias.lower()}_{done}" in f.sheet.facts:
                weight = f.of(alias, "traded_from" if kind == "closed" else "weight")
                if isnan(weight) and kind != "closed":
                    weight = f.of(alias, "traded_to")
                if f.text(f"{alias.lower()}_with_options"):
                    weight = nan  # a weight includes the options
                found.append((alias, done, weight))
                break
    return sorted(found, key=lambda each: (0.0 if isnan(each[2]) else -each[2], each[0]))


def traded_share(f: Figures, *kinds: str) -> float:
    """Return the part of equity that was traded: the difference of weights at one price."""
    share = 0.0
    for kind in kinds:
        for alias, done, weight in _traded(f, kind) if getattr(f, f"n_{kind}") >= 0 else []:
            held = 0.0 if isnan(weight) else weight
            before = (
                {
                    "quantity_increase": held / (1 + f.of(alias, done)),
                    "quantity_decrease": held / (1 - f.of(alias, done))
                    if f.of(alias, done) < 1
                    else held,
                }.get(done, 0.0)
                if done.startswith("quantity")
                else 0.0
            )
            share += abs(held - before)
    return share


def _positions(f: Figures, kind: str) -> Expected:
    """Return the five largest positions by name, and how many others there are."""
    traded, total = _traded(f, kind), getattr(f, f"n_{kind}")
    if not traded or not total >= len(traded):
        return {}
    entries = []
    for alias, done, weight in traded[:5]:
        is_sized = not isnan(weight) and done != "turned"
        values = {"name": alias} | ({"value": weight} if is_sized else {})
        if done.startswith("quantity"):
            values["change"] = f.of(alias, done)
        entries.append((_words(f, alias, kind, done, has_weight=not isnan(weight)), values))
    return {"": {"positions": Entries([*entries, *others(int(total) - len(entries))])}}


def _words(f: Figures, alias: str, kind: str, done: str, *, has_weight: bool) -> str:
    if done == "turned":
        other = {"long": "short", "short": "long"}[f.text(f"{alias.lower()}_turned")]
        return "{name} from " + other
    if kind == "resized":
        move = "up" if done == "quantity_increase" else "down"
        return f"{{name}} {move} {{change}}{' to {value} of equity' * has_weight}"
    when = " the day before" * (kind == "closed")
    return "{name}" + f" at {{value}} of equity{when}" * has_weight


TRADE_STATEMENTS: Mapping[str, Callable[[Figures], Expected]] = {
    kind: partial(_positions, kind=kind) for kind in _DONE
}
"""Form to its expected instances."""
