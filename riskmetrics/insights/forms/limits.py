"""Alert levels of `severity.yaml`: reached, reached again, left, farther beyond, or standing.

Limits that a user set for a portfolio are in `own_limits`.
"""

from collections.abc import Callable, Iterator

from riskmetrics.insights.alert_states import CLEARLY_BELOW
from riskmetrics.insights.claims import Form, Topic, View, form
from riskmetrics.insights.forms.alert_titles import title_salience
from riskmetrics.insights.forms.lists import FUNDS, REST, sector_positions, shorten_list
from riskmetrics.insights.forms.result import largest_contribution
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import Left, Reach, left_limits, reached_limits
from riskmetrics.insights.plan import CHANGES_PLACE, MIN_SALIENCE
from riskmetrics.insights.severity import LEVELS, market_multiple
from riskmetrics.insights.slots import (
    MAX_DECIMALS,
    Item,
    Slot,
    day,
    distinct_slots,
    is_shown_apart,
    items,
    level,
    money,
    name,
    number,
    percent,
    sessions,
    times,
)
from riskmetrics.present.limit_texts import decimals_as_set

_NEW, _FURTHER, _BACK, _WORSE = 3.5, 3.2, 3.0, 2.8
"""Salience of the first limit that was reached in the session, of the others, of one that was
reached again, and of one farther beyond.
"""

_TOLD = ("reached", "back", "worse")
"""What happens to an alert that names the position."""

_LEFT = 1.5
"""Salience of a limit that is not reached any more."""

_STATED = 0.4
"""Salience of an alert level that trades made a position reach: they have their own sentence."""

VALUES = {
    "beta": "beta {value}",
    "drawdown": "drawdown of today's holdings {value}",
    "gross_to_equity": "gross exposure {value} equity",
    "weight": "{name} {value} of equity",
    "gross": "{name} {value} of gross exposure",
    "volatility_percentile": "volatility higher than on {value} of days",
}
"""Kind of limit to a value of it."""

SUBJECTS = {
    "beta": "beta",
    "drawdown": "drawdown of today's holdings",
    "gross_to_equity": "gross exposure",
    "weight": "{name}",
    "gross": "{name} sector",
}
"""Kind of limit to what a title calls it."""

_WITH_MARKET = (
    "drawdown of today's holdings {value} ({level} from {limit}, less than {multiple} the"
    " market's {market})"
)
"""Drawdown that is no alert next to that of the market."""

FROM, JUST_BELOW, FROM_SINCE, _FROM_LEFT, _FROM_NOW, _FROM_THAN = (
    " ({level} from {limit})",
    " ({level} from {limit}, in force until below {until})",
    " ({level} from {limit}, {sessions} session)",
    " ({level} from {limit}, left {away} before)",
    " ({level} from {limit}, still {lower})",
    " ({level} from {limit}, up from {earlier} on {day})",
)
"""Ends of an entry: the level, in force though the value is just below the limit, with the sessions
that it is reached or since it was left, the level that is reached still, or the earlier value.
"""

_WITHOUT_WEIGHT = "{name} without a weight"
"""Position of which no weight is stored."""


def value_slots(of: Reach | Left) -> dict[str, Slot]:
    """Return the slots of a value with its level and limit."""
    limit, value = shown_apart(of)
    named = {"name": name(of.alias)} if of.alias else {}
    return {"limit": limit, "value": value, "level": level(of.level), **named}


def new_alerts(view: View) -> list[Reach]:
    """Return the alert levels that were reached in the session, the one that leads first."""
    return view.evaluate_once(_sorted_new)


def _sorted_new(view: View) -> list[Reach]:
    found = [reach for reach in reached_limits(view) if reach.event == "reached"]
    return sorted(found, key=lambda reach: -title_salience(view, reach))


def _add_changed_limits(
    form_id: str,
    phrasing: str,
    salience: float,
    sign: int,
    *entries: str,
    topic: Topic = "result",
    place: int = CHANGES_PLACE,
) -> Callable[[Callable[[View], Iterator[tuple[Reach | Left, Item]]]], Form]:
    """Return a decorator that adds the form of a list of limits that came or went."""

    def add(find: Callable[[View], Iterator[tuple[Reach | Left, Item]]]) -> Form:
        def evaluate(view: View) -> Iterator[Instance]:
            found = list(find(view))
            levels = [of.level for of, _ in found]
            if found:
                yield Instance(
                    {"limits": items(*shorten_list([item for _, item in found]))},
                    tuple(of.facts[0] for of, _ in found),
                    salience,
                    sign=sign,
                    level="info" if sign >= 0 else max(levels, key=LEVELS.index),
                    context=tuple(fact for of, _ in found for fact in of.facts[1:]),
                )

        return form(
            form_id,
            topic,
            "limits: items",
            phrasing,
            entries=(*entries, *REST),
            place=place,
            is_event=True,
        )(evaluate)

    return add


def _values(*ends: str) -> tuple[str, ...]:
    return tuple(value + end for value in VALUES.values() for end in ends)


@_add_changed_limits("limits_new", "Other new alerts: {limits}.", _FURTHER, -1, *_values(FROM),
    topic="limits", place=6)  # fmt: skip
def limits_new(view: View) -> Iterator[tuple[Reach | Left, Item]]:
    """Limits that were reached in the session, without the first, which has its own sentence."""
    for reach in new_alerts(view)[1:]:
        if is_by_trade(view, reach):
            continue
        yield reach, Item(VALUES[reach.kind] + FROM, value_slots(reach))


@_add_changed_limits(
    "limits_back", "Back at the alert level: {limits}.", _BACK, -1, *_values(_FROM_LEFT)
)
def limits_back(view: View) -> Iterator[tuple[Reach | Left, Item]]:
    """Limits that are reached again, up to five sessions after they were left."""
    for reach in reached_limits(view):
        if reach.event == "back" and reach.away is not None and not is_by_trade(view, reach):
            slots = value_slots(reach) | {"away": sessions(reach.away)}
            yield reach, Item(VALUES[reach.kind] + _FROM_LEFT, slots)


@_add_changed_limits("limits_worse", "Farther beyond the alert level: {limits}.", _WORSE, -1,
    *_values(FROM, _FROM_THAN))  # fmt: skip
def limits_worse(view: View) -> Iterator[tuple[Reach | Left, Item]]:
    """Alerts in force that are a fifth of their limit farther beyond than stated last."""
    for reach in reached_limits(view):
        if reach.event == "worse":
            slots = value_slots(reach)
            if reach.earlier:
                value, when = reach.earlier
                slots |= {
                    "earlier": shown_limit(reach.kind, value),
                    "day": day(when, view.sheet.day),
                }
            end = _FROM_THAN if reach.earlier else FROM
            yield reach, Item(VALUES[reach.kind] + end, slots)


@_add_changed_limits("limits_left", "Back below the alert level: {limits}.", _LEFT, 1,
    *_values(FROM, _FROM_NOW))  # fmt: skip
def limits_left(view: View) -> Iterator[tuple[Reach | Left, Item]]:
    """Alerts that ended since their value is clearly below the limit."""
    for left in left_limits(view):
        if left.is_below:
            slots = value_slots(left)
            if left.lower:
                slots["lower"] = level(left.lower)
            yield left, Item(VALUES[left.kind] + (_FROM_NOW if left.lower else FROM), slots)


@form("limit_sold", "result", "name: name, level: level, limit: percent",
    "{name} was closed, which ended the alert on the position ({level} from {limit} of equity).",
    place=4, is_event=True)  # fmt: skip
def limit_sold(view: View) -> Iterator[Instance]:
    """A position with an alert was closed; if it is the only one, its number is stated with it."""
    one = view.facts_of("n_closed") or ()
    closed = one if one and float(one[0].value) == 1 else ()
    for left in left_limits(view):
        if left.is_sold:
            slots = {"name": name(left.alias), "level": level(left.level),
                "limit": shown_limit(left.kind, left.limit)}  # fmt: skip
            yield Instance(slots, (left.facts[1], *closed), _LEFT, left.alias,
                context=(left.facts[0], *left.facts[2:]))  # fmt: skip


@_add_changed_limits("limits_ended", "No longer an alert: {limits}.", _LEFT, 0, *_values(FROM),
    _WITHOUT_WEIGHT + FROM, _WITH_MARKET)  # fmt: skip
def limits_ended(view: View) -> Iterator[tuple[Reach | Left, Item]]:
    """Alerts that ended though their value is not clearly below the limit.

    It does not count any more, such as a drawdown next to that of the market, or the weight of a
    position that was not closed is not stored.
    """
    for left in left_limits(view):
        if not (left.is_below or left.is_sold):
            market = view.number("market_drawdown") if left.kind == "drawdown" else None
            if market is not None and left.value < market_multiple() * market:
                slots = {"multiple": times(market_multiple(), 2), "market": percent(market)}
                yield left, Item(_WITH_MARKET, value_slots(left) | slots)
                continue
            value = VALUES[left.kind] if left.has_weight else _WITHOUT_WEIGHT
            yield left, Item(value + FROM, value_slots(left))


@form("alert_position_cost", "result", "name: name, amount: money",
    "{name} cost {amount}, the most of all positions.", place=CHANGES_PLACE,
    is_event=True)  # fmt: skip
def alert_position_cost(view: View) -> Iterator[Instance]:
    """On a day with a gain, the position that lost most if something happened to its alert."""
    found, total = largest_contribution(view, -1), view.fact("daily_pnl")
    if found is None or total is None or float(total.value) <= 0:
        return
    alias, pnl, _, facts = found
    for reach in reached_limits(view):
        if reach.kind == "weight" and reach.alias == alias and reach.event in _TOLD:
            yield Instance({"name": name(alias), "amount": money(pnl, view.currency)}, facts[:1],
                _BACK, alias, -1, context=(*facts[1:], total, *reach.facts))  # fmt: skip


def subjects(view: View, event: str) -> Slot:
    """Return the names of what a thing happened to the alerts of."""
    found = [reach for reach in reached_limits(view) if reach.event == event]
    return items(*shorten_list([
        Item(SUBJECTS[each.kind], {"name": name(each.alias)} if each.alias else {})
        for each in found
    ]))  # fmt: skip


def shown_limit(kind: str, value: float) -> Slot:
    """Return a value of a kind of limit, as sentences show it."""
    if kind == "gross_to_equity":
        return times(value, 2)
    return number(value) if kind == "beta" else percent(value)


def shown_end(of: Reach) -> Slot:
    """Return the value below which an alert ends, to its last decimal."""
    end = round(CLEARLY_BELOW * of.limit, MAX_DECIMALS + 2)
    shown = shown_limit(of.kind, end)
    decimals = decimals_as_set(end, is_percent=shown.kind == "percent")
    return shown._replace(decimals=max(decimals, _decimals(shown)))


def shown_apart(of: Reach | Left) -> tuple[Slot, Slot]:
    """Return limit and value; a percentage has decimals that tell it from every limit."""
    limit, value = (shown_limit(of.kind, each) for each in (of.limit, of.value))
    if limit.kind != "percent":
        return limit, value
    for edge in of.edges:
        if edge != of.value and not is_shown_apart(shown_limit(of.kind, edge), value):
            value = max(value, distinct_slots("percent", edge, of.value, most=2)[1], key=_decimals)
    if of.limit != of.value and not is_shown_apart(limit, shown_limit(of.kind, of.value)):
        limit = distinct_slots("percent", of.limit, of.value, most=2)[0]
    return limit, value


def _decimals(slot: Slot) -> int:
    return slot.decimals or 0


def _add_reached_level(
    form_id: str, topic: Topic, slots: str, kind: str, slot: str, *phrasings: str
) -> Form:
    """Add the form of alert levels of a kind that were reached in the session."""

    def evaluate(view: View) -> Iterator[Instance]:
        for reach in reached_limits(view):
            if reach.kind == kind and reach.event == "reached":
                limit, value = shown_apart(reach)
                shown = {"limit": limit, slot: value, "level": level(reach.level)}
                if reach.alias:
                    shown["name"] = name(reach.alias)
                shares = view.facts_of("share", alias=reach.alias) if kind == "weight" else None
                if shares and float(shares[0].value) < 0:
                    shares = None
                if bool(shares) != ("share" in slots):
                    continue
                if shares:
                    shown["share"] = percent(float(shares[0].value))
                held = sector_positions(view, reach.alias) if kind == "gross" else None
                if bool(held) != ("positions" in slots):
                    continue
                if held:
                    shown["positions"] = held[0]
                is_first = reach is new_alerts(view)[0]
                salience = _NEW + LEVELS.index(reach.level) / 2 if is_first else MIN_SALIENCE
                salience = _STATED if is_by_trade(view, reach) else salience
                yield Instance(
                    shown,
                    (*reach.facts[:1], *(shares or ())),
                    salience,
                    reach.alias,
                    -1,
                    level=reach.level,
                    context=(*reach.facts[1:], *(held[1] if held else ())),
                )

    entries = ("{name}", FUNDS, *REST) if "positions" in slots else ()
    return form(form_id, topic, slots, *phrasings, is_event=True, entries=entries)(evaluate)


limit_position = _add_reached_level(
    "limit_position", "concentration", "level: level, name: name, limit: percent, weight: percent",
    "weight", "weight",
    "{name} reached the {level} level of {limit} for a single position: {weight} of equity.",
)  # fmt: skip
limit_position_share = _add_reached_level(
    "limit_position_share", "concentration",
    "level: level, name: name, limit: percent, weight: percent, share: percent", "weight", "weight",
    "{name} reached the {level} level of {limit} for a single position: {weight} of equity and"
    " {share} of the volatility.",
)  # fmt: skip
limit_sector = _add_reached_level(
    "limit_sector", "sectors", "level: level, name: name, limit: percent, weight: percent",
    "gross", "weight",
    "{name} reached the {level} level of {limit} for a sector: {weight} of gross exposure.",
)  # fmt: skip
limit_sector_of = _add_reached_level(
    "limit_sector_of", "sectors",
    "level: level, name: name, limit: percent, weight: percent, positions: items", "gross",
    "weight",
    "{name} ({positions}) reached the {level} level of {limit} for a sector: {weight} of gross"
    " exposure.",
)  # fmt: skip
limit_beta = _add_reached_level(
    "limit_beta", "factors", "level: level, limit: number, beta: number", "beta", "beta",
    "Beta reached the {level} level of {limit} and is now {beta}.",
)  # fmt: skip
limit_drawdown = _add_reached_level(
    "limit_drawdown", "stress", "level: level, limit: percent, drawdown: percent",
    "drawdown", "drawdown",
    "The drawdown of today's holdings, rebalanced daily, reached the {level} level of {limit} and"
    " is now {drawdown}.",
)  # fmt: skip
limit_leverage = _add_reached_level(
    "limit_leverage", "hedge", "level: level, limit: times, gross: times",
    "gross_to_equity", "gross",
    "Gross exposure reached the {level} level of {limit} equity and is now {gross}.",
)  # fmt: skip


def is_by_trade(view: View, reach: Reach) -> bool:
    """Return whether a position reached a level that its quantity of the day before does not reach.

    Trades move value between the position and cash, so equity is the same without them. Of a
    position that was opened the day before has none. Unknown next to options, which the weight
    includes.
    """
    has_options = view.fact("with_options", reach.alias or None) is not None
    if reach.kind != "weight" or not reach.is_new or has_options:
        return False
    increase = view.number("quantity_increase", reach.alias or None) or 0.0
    is_opened = view.fact("opened", reach.alias or None) is not None
    return is_opened or reach.value / reach.limit - 1 < increase
