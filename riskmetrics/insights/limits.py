"""Limits that the facts of a sheet reach, of all positions and sectors.

Stress scenarios have none: a first-order loss in a market scenario is the beta once more.
"""

from collections.abc import Iterator
from typing import NamedTuple

from riskmetrics.funds import BONDS, NOT_LOOKED_THROUGH
from riskmetrics.gics import UNCLASSIFIED
from riskmetrics.insights.claims import View
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.history_facts import UNKNOWN_START
from riskmetrics.insights.limit_facts import LIMIT_NAMES
from riskmetrics.insights.severity import LEVELS, highest_reached, market_multiple

NO_SECTORS = (BONDS, NOT_LOOKED_THROUGH, UNCLASSIFIED)
"""Groups of the sector table that are no sectors, and have no limit."""


_OWN = {
    "weight": "single_name",
    "gross": "sector",
    "beta": "beta",
    "drawdown": "drawdown",
    "gross_to_equity": "leverage",
}
"""Type with a limit to the limit that a user can set on it."""


_INVESTED = 0.5
"""Gross exposure over equity from which a sector's share of it is an alarm."""


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
    sessions: int
    """Stored sessions in a row that reach it, at least 1."""
    is_start_known: bool
    """Whether the session before those is stored and does not reach it."""

    @property
    def is_new(self) -> bool:
        """Whether the limit was not reached the session before."""
        return self.sessions == 1 and self.is_start_known

    @property
    def is_standing(self) -> bool:
        """Whether the limit was reached the session before."""
        return self.sessions > 1

    @property
    def rank(self) -> tuple[int, float]:
        """Order: the most severe and the farthest beyond first."""
        return -LEVELS.index(self.level), -self.value / self.limit


def reached_limits(view: View) -> list[Reach]:
    """Return the limits that are reached, the most severe first."""
    return sorted(_find(view), key=lambda reach: (*reach.rank, reach.kind, reach.alias))


def _find(view: View) -> Iterator[Reach]:
    own = _own_limits(view)
    yield from (reach for reach in _find_all(view) if LIMIT_NAMES[_OWN[reach.kind]] not in own)


def _own_limits(view: View) -> set[str]:
    """Return the names of the limits that a user set; they replace those of `severity.yaml`."""
    return {
        view.sheet.aliases[alias]["limit"]
        for alias in view.aliases("LIM")
        if view.fact("limit_status", alias)
    }


def _find_all(view: View) -> Iterator[Reach]:
    for alias in view.aliases("POS"):
        kind = view.fact("fund", alias)
        if kind is None or kind.value != "fund":
            yield from _reach(view, "weight", alias)
    for alias in view.aliases("SEC") if _has_sectors(view) else ():
        if view.sheet.aliases[alias].get("sector") not in NO_SECTORS:
            yield from _reach(view, "gross", alias)
    for name in ("beta", "gross_to_equity"):
        yield from _reach(view, name)
    market, own = view.fact("market_drawdown"), view.number("drawdown")
    if own is not None and (market is None or own >= market_multiple() * float(market.value)):
        yield from _reach(view, "drawdown", context=(market,) if market else ())


def _has_sectors(view: View) -> bool:
    """Return whether a sector's share of gross exposure says something about the risk.

    It does not if little is invested, and that of a single position is the position once more.
    """
    gross = view.number("gross_to_equity")
    return view.number("num_positions") != 1 and (gross is None or gross >= _INVESTED)


def _reach(
    view: View, kind: str, alias: str | None = None, context: tuple[Fact, ...] = ()
) -> Iterator[Reach]:
    fact, streak = view.fact(kind, alias), view.fact(f"{kind}_streak", alias)
    if fact is None:
        return
    value = float(fact.value)
    reached = highest_reached(view.sheet.limits, kind, value)
    if reached:
        is_known = streak is not None and streak.quality != UNKNOWN_START
        sessions = int(float(streak.value)) if streak is not None else 1
        facts = (fact, *((streak,) if streak else ()), *context)
        yield Reach(kind, alias or "", *reached, value, facts, sessions, is_known)
