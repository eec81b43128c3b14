"""Trades of the session: which positions were opened, closed or resized, and what that moved."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from riskmetrics.insights.claims import Form, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms import factors, volatility
from riskmetrics.insights.forms.limits import is_by_trade, shown_apart
from riskmetrics.insights.forms.lists import REST, rest_of
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import Reach, reached_limits
from riskmetrics.insights.slots import Item, Slot, below_all, items, level, name, percent, symbol
from riskmetrics.insights.trade_facts import MAX_NAMED

_SALIENCE, _BY_SIZE, _MAX_SIZE = 1.4, 3.0, 0.5
"""Salience of trades, what the traded share of equity adds to it, and that share at most."""

_BY_TRADE = 5.5
"""Salience of the trades that made a position reach an alert level."""

LARGE: Final = 0.05
"""Traded share of equity from which it leads a quiet day, and moves figures of risk."""

_MEASURED = 1.15
"""Salience of what figures of risk compare after trades."""

_AT, _FROM = "{name} at {value} of equity", "{name} at {value} of equity the day before"
_UP, _DOWN = "{name} up {change}", "{name} down {change}"
_UP_TO = "{name} up {change} to {value} of equity"
_DOWN_TO = "{name} down {change} to {value} of equity"
_WAS = {"short": "{name} from long", "long": "{name} from short"}
"""Entries: with the weight if it is known, and with the side before the trades."""

_ENTRIES: Final[Mapping[str, tuple[str, ...]]] = {
    "opened": (_AT, "{name}"),
    "closed": (_FROM, "{name}"),
    "resized": (_UP_TO, _DOWN_TO, _UP, _DOWN, *_WAS.values()),
}
"""Kind of trade to its entries."""

_VERBS: Final = {"opened": "Opened", "closed": "Closed", "resized": "Quantity changed"}
"""Kind of trade to the words before its list."""


def _weight(view: View, alias: str, kind: str) -> Fact | None:
    """Return the weight after the trades, or of a closed position before them.

    None next to options on it, which the stored weight includes.
    """
    if view.fact("with_options", alias):
        return None
    if kind == "closed":
        return view.fact("traded_from", alias)
    return view.fact("weight", alias) or view.fact("traded_to", alias)


def _changes(view: View, alias: str, kind: str) -> tuple[Fact, ...]:
    """Return the facts of what trades did to a position; empty if none of the kind."""
    of_kind = {"resized": ("quantity_increase", "quantity_decrease", "turned")}
    found = (view.fact(each, alias) for each in of_kind.get(kind, (kind,)))
    return tuple(fact for fact in found if fact is not None)


def _traded_positions(view: View, kind: str) -> list[tuple[str, Fact, Fact | None]]:
    """Return the traded positions of a kind, the largest first: alias, change and weight."""
    found = [
        (alias, changes[0], _weight(view, alias, kind))
        for alias in view.aliases("POS")
        if (changes := _changes(view, alias, kind))
    ]
    return sorted(found, key=lambda each: (-float(each[2].value) if each[2] else 0.0, each[0]))


def _item(view: View, alias: str, kind: str, change: Fact, weight: Fact | None) -> Item:
    is_named_alone = view.fact("with_options", alias) is not None
    slots: dict[str, Slot] = {"name": symbol(alias) if is_named_alone else name(alias)}
    if weight is not None:
        slots["value"] = percent(float(weight.value))
    if kind != "resized":
        return Item(_ENTRIES[kind][0 if weight is not None else 1], slots)
    if change.fact_type.name == "turned":
        return Item(_WAS[str(change.value)], {"name": slots["name"]})
    is_up = change.fact_type.name == "quantity_increase"
    phrasing = (_UP_TO if is_up else _DOWN_TO) if weight is not None else (_UP if is_up else _DOWN)
    shown = percent(float(change.value)) if is_up else below_all(float(change.value))
    return Item(phrasing, slots | {"change": shown})


def _size(change: Fact, weight: Fact | None) -> float:
    """Return the share of equity that was traded; 0 if it is unknown."""
    held = float(weight.value) if weight is not None else 0.0
    if change.fact_type.name == "quantity_increase":
        return held * float(change.value) / (1 + float(change.value))
    if change.fact_type.name == "quantity_decrease":
        kept = 1 - float(change.value)
        return held * float(change.value) / kept if kept > 0 else 0.0
    return held


def traded_share(view: View, *kinds: str) -> float:
    """Return the share of equity that was traded, of the positions that are named."""
    return sum(
        _size(change, weight)
        for kind in kinds or _ENTRIES
        if view.fact(f"n_{kind}")
        for _, change, weight in _traded_positions(view, kind)
    )


def _trades(view: View, kind: str) -> Iterator[Instance]:
    """Yield the positions that were traded, the largest by name."""
    counted, named = view.fact(f"n_{kind}"), _traded_positions(view, kind)
    total = int(float(counted.value)) if counted else 0
    if counted and named and total >= len(named):
        shown = named[:MAX_NAMED]
        entries = [_item(view, alias, kind, change, weight) for alias, change, weight in shown]
        entries += [rest_of(total - len(shown))] if total > len(shown) else []
        facts = (fact for _, *each in shown for fact in each if fact is not None)
        salience = _SALIENCE + _BY_SIZE * min(traded_share(view, kind), _MAX_SIZE)
        yield Instance({"positions": items(*entries)}, (counted, *facts), salience)


TRADES: Final[Mapping[str, Form]] = {
    kind: form(
        kind,
        "result",
        "positions: items",
        f"{words}: {{positions}}.",
        entries=(*_ENTRIES[kind], *REST),
        place=4,
        is_event=True,
    )(partial(_trades, kind=kind))
    for kind, words in _VERBS.items()
}
"""Kind of trade to its form."""  # fmt: skip


@form("no_trades", "result", "", "No position was opened, closed or resized.",
    is_answer=True)  # fmt: skip
def no_trades(view: View) -> Iterator[Instance]:
    """No quantity changed in the session."""
    facts = view.facts_of(*(f"n_{kind}" for kind in _ENTRIES))
    if facts and not any(float(fact.value) for fact in facts):
        yield Instance({}, (), 0.5, context=facts)


def _state_no_trade(view: View, kind: str) -> Iterator[Instance]:
    """No position was traded in one way."""
    counted = view.fact(f"n_{kind}")
    if counted and not float(counted.value):
        yield Instance({}, (), 0.5, context=(counted,))


for _kind in _VERBS:
    form(f"no_{_kind}", "result", "", f"No position was {_kind}.",
        is_answer=True)(partial(_state_no_trade, kind=_kind))  # fmt: skip


_MOVED: Final = ("beta", "volatility", "the volatility forecast")


@form("risk_after_trades", "result", "figures: items",
    "The change of {figures} includes the effect of the trades: risk is measured on the holdings at"
    " the close.",
    entries=_MOVED, place=7, is_event=True)  # fmt: skip
def risk_after_trades(view: View) -> Iterator[Instance]:
    """Beta or volatility clearly moved on a day on which much was traded."""
    kinds = (factors.beta_moves, volatility.moves, volatility.forecast_moves)
    moved = [
        (entry, found)
        for entry, of in zip(_MOVED, kinds, strict=True)
        for each in of.values()
        for found in view.instances(each)
    ]
    if moved and traded_share(view) >= LARGE:
        counts = tuple(fact for kind in _ENTRIES if (fact := view.fact(f"n_{kind}")))
        facts = [fact for _, found in moved for fact in (*found.facts, *found.context)]
        slots = {"figures": items(*(Item(entry, {}) for entry, _ in moved))}
        yield Instance(slots, (), _MEASURED, context=(*counts, *facts))


@form(
    "limit_by_trade",
    "result",
    "name: name, increase: percent, level: level, limit: percent, weight: percent",
    "Trades raised the quantity of {name} by {increase}, which took the position past the {level}"
    " level of {limit}: {weight} of equity.",
    place=4,
    is_event=True,
)
def limit_by_trade(view: View) -> Iterator[Instance]:
    """A position that trades took past an alert level."""
    for reach in reached_limits(view):
        increase = view.fact("quantity_increase", reach.alias or None)
        if increase and is_by_trade(view, reach) and not view.fact("opened", reach.alias or None):
            slots = {"increase": percent(float(increase.value))}
            yield _past_level(view, reach, "n_resized", increase, slots)


@form(
    "limit_by_opening",
    "result",
    "name: name, level: level, limit: percent, weight: percent",
    "{name} was opened at {weight} of equity, past the {level} level of {limit} for a single"
    " position.",
    place=4,
    is_event=True,
)
def limit_by_opening(view: View) -> Iterator[Instance]:
    """A position that was opened beyond an alert level."""
    for reach in reached_limits(view):
        opened = view.fact("opened", reach.alias or None)
        if opened and is_by_trade(view, reach):
            yield _past_level(view, reach, "n_opened", opened, {})


def _past_level(
    view: View, reach: Reach, counted: str, change: Fact, slots: Mapping[str, Slot]
) -> Instance:
    """Return the alert that a trade made; of the only trade of its kind, with the number."""
    limit, value = shown_apart(reach)
    shown = {"name": name(reach.alias), "limit": limit, "weight": value, **slots}
    number = view.fact(counted)
    only = (number,) if number and float(number.value) == 1 else ()
    return Instance(shown | {"level": level(reach.level)}, (change, reach.facts[0], *only),
        _BY_TRADE, reach.alias, -1, level=reach.level, context=reach.facts[1:])  # fmt: skip


def names(found: Instance) -> Slot:
    """Return the list of what was traded without weights."""
    entries = found.slots["positions"].value
    return items(*(
        Item("{name}", {"name": each.slots["name"]}) if "name" in each.slots else each
        for each in (entries if isinstance(entries, tuple) else ())
    ))  # fmt: skip
