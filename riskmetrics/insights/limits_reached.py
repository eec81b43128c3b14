"""Limits that the facts of a sheet reach, of all positions and sectors.

Stress scenarios have none: a first-order loss in a market scenario is the beta once more.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from riskmetrics.insights.alert_facts import UNKNOWN_START
from riskmetrics.insights.alert_states import CLEARLY_BELOW
from riskmetrics.insights.claims import View
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.limit_facts import LIMIT_NAMES
from riskmetrics.insights.severity import (
    LEVELS,
    MIN_INVESTED,
    NO_SECTORS,
    OWN_LIMITS,
    Reached,
    highest_reached,
    market_multiple,
)


class Reach(NamedTuple):
    """A limit that is reached."""

    kind: str
    """Type with the limit."""
    alias: str
    """Position or sector; empty for the portfolio."""
    level: str
    limit: float
    value: float
    facts: tuple[Fact, ...]
    event: str
    """What happened to its alert, an `alert_states.Event`."""
    sessions: int
    """Stored sessions since the alert is in force, at least 1."""
    is_start_known: bool
    """Whether the session before those is stored."""
    away: int | None
    """Sessions since the limit was left, if it is reached again."""
    edges: tuple[float, ...]
    """All limits of the figure."""
    earlier: tuple[float, date] | None
    """Value and session that were stated last, if it is farther beyond."""

    @property
    def is_kept(self) -> bool:
        """Whether the value is below the limit, but not clearly, so that the alert is in force."""
        return self.value < self.limit

    @property
    def is_new(self) -> bool:
        """Whether the alert was not in force the session before."""
        return self.event in ("reached", "back")

    @property
    def is_standing(self) -> bool:
        """Whether it was in force the session before, and is not worse."""
        return self.event == "stands"

    @property
    def is_first_known(self) -> bool:
        """Whether it is not known to have been in force, or not, or did not count."""
        return self.event == "known"

    @property
    def rank(self) -> tuple[int, float]:
        """Order: the most severe and the farthest beyond first."""
        return -LEVELS.index(self.level), -self.value / self.limit


def reached_limits(view: View) -> list[Reach]:
    """Return the limits that are reached, the most severe first."""
    return view.evaluate_once(_sorted_reaches)


def _sorted_reaches(view: View) -> list[Reach]:
    return sorted(_find(view), key=lambda reach: (*reach.rank, reach.kind, reach.alias))


def has_alert_news(view: View) -> bool:
    """Return whether a limit is reached by more than what stood the session before."""
    return any(not reach.is_standing for reach in reached_limits(view))


def _find(view: View) -> Iterator[Reach]:
    for kind, alias in _find_limited_values(view):
        if kind in OWN_LIMITS:
            market = view.fact("market_drawdown") if kind == "drawdown" else None
            yield from _reach(view, kind, alias, (market,) if market else ())


class Left(NamedTuple):
    """An alert that ended in the session."""

    kind: str
    alias: str
    level: str
    limit: float
    value: float
    facts: tuple[Fact, ...]
    lower: str
    """Level that is reached still; empty if none is."""
    edges: tuple[float, ...]
    """All limits of the figure."""
    is_closed: bool
    """Whether it is a position that was closed in the session."""

    @property
    def has_weight(self) -> bool:
        """Whether it is no position, or one of which a weight is stored."""
        return self.kind != "weight" or self.value > 0

    @property
    def is_sold(self) -> bool:
        """Whether it is a position that was closed in the session, of which nothing is left."""
        return self.is_closed and not self.has_weight

    @property
    def is_below(self) -> bool:
        """Whether the value is clearly below; else it is no alert for another reason."""
        return self.has_weight and self.value < CLEARLY_BELOW * self.limit


def left_limits(view: View) -> list[Left]:
    """Return the alerts that ended in the session, the severest first.

    None ends if a limit of the user replaces its levels: nothing improved.
    """
    own = _own_limits(view)
    lower = {(reach.kind, reach.alias): reach.level for reach in reached_limits(view)}
    of_type = {"weight": view.aliases("POS"), "gross": view.aliases("SEC")}
    found = [
        each
        for kind in view.sheet.limits
        if not _is_replaced(kind, own)
        for alias in of_type.get(kind, [""])
        for each in _find_left(view, kind, alias, lower.get((kind, alias), ""))
    ]
    return sorted(found, key=lambda each: (-LEVELS.index(each.level), each.kind, each.alias))


def _find_left(view: View, kind: str, alias: str, lower: str) -> Iterator[Left]:
    now = view.fact(kind, alias or None) or view.fact(f"{kind}_now", alias or None)
    left = view.fact(f"{kind}_left", alias or None)
    if now and left:
        limits, value = view.sheet.limits, float(now.value)
        reached = highest_reached(limits, kind, float(left.value))
        if reached:
            edges = tuple(limits[kind].values())
            closed = view.fact("closed", alias or None)
            market = view.fact("market_drawdown") if kind == "drawdown" else None
            facts = (now, left, *(each for each in (closed, market) if each))
            yield Left(kind, alias, *reached, value, facts, lower, edges, closed is not None)


def _find_limited_values(view: View) -> Iterator[tuple[str, str | None]]:
    """Yield type and alias of what has limits that no limit of a user replaces."""
    own = _own_limits(view)
    for kind, alias in _find_limited(view):
        if not _is_replaced(kind, own):
            yield kind, alias


def _is_replaced(kind: str, own: set[str]) -> bool:
    """Return whether a limit of the user replaces the levels of a kind."""
    return kind in OWN_LIMITS and LIMIT_NAMES[OWN_LIMITS[kind]] in own


def _find_limited(view: View) -> Iterator[tuple[str, str | None]]:
    for alias in view.aliases("POS"):
        kind = view.fact("fund", alias)
        if kind is None or kind.value != "fund":
            yield "weight", alias
    for alias in view.aliases("SEC") if _has_sectors(view) else ():
        if view.sheet.aliases[alias].get("sector") not in NO_SECTORS:
            yield "gross", alias
    for name in ("beta", "gross_to_equity", "volatility_percentile"):
        yield name, None
    market, own = view.fact("market_drawdown"), view.number("drawdown")
    if own is not None and (market is None or own >= market_multiple() * float(market.value)):
        yield "drawdown", None


def _own_limits(view: View) -> set[str]:
    """Return the names of the checked limits of a user; they replace those of `severity.yaml`."""
    return {
        view.sheet.aliases[alias]["limit"]
        for alias in view.aliases("LIM")
        if view.fact("checked", alias) or view.fact("checked_number", alias)
    }


def _has_sectors(view: View) -> bool:
    """Return whether a sector's share of gross exposure says something about the risk.

    It does not if little is invested, and that of a single position is the position once more.
    """
    gross = view.number("gross_to_equity")
    return view.number("num_positions") != 1 and (gross is None or gross >= MIN_INVESTED)


def limit_in_force(view: View, kind: str, alias: str | None = None) -> Reached | None:
    """Return the highest limit whose alert is in force: reached, or reached before and not left."""
    value = view.number(kind, alias)
    if value is None:
        return None
    event, kept = view.fact(f"{kind}_alert", alias), view.number(f"{kind}_kept", alias)
    is_kept = kept is not None and event is not None and event.value == "stands"
    if kept is not None and is_kept and CLEARLY_BELOW * kept <= value < kept:
        value = kept
    return highest_reached(view.sheet.limits, kind, value)


def _reach(
    view: View, kind: str, alias: str | None = None, context: tuple[Fact, ...] = ()
) -> Iterator[Reach]:
    fact, reached = view.fact(kind, alias), limit_in_force(view, kind, alias)
    if fact is None or reached is None:
        return
    event, streak, away, kept, stated, day = (
        view.fact(f"{kind}_{each}", alias)
        for each in ("alert", "streak", "away", "kept", "stated", "stated_day")
    )
    is_worse = event is not None and event.value == "worse"
    earlier = (stated, day) if is_worse and stated and day else ()
    yield Reach(
        kind,
        alias or "",
        *reached,
        float(fact.value),
        tuple(each for each in (fact, event, streak, *context, away, kept, *earlier) if each),
        str(event.value) if event else "known",
        int(float(streak.value)) if streak else 1,
        streak is not None and streak.quality != UNKNOWN_START,
        int(float(away.value)) if away else None,
        tuple(view.sheet.limits[kind].values()),
        (float(stated.value), date.fromisoformat(str(day.value)))
        if is_worse and stated and day
        else None,
    )
