"""Limits that the facts of a sheet reach, of all positions and sectors.

Stress scenarios have none: a first-order loss in a market scenario is the beta once more.
"""

from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from riskmetrics.funds import BONDS, NOT_LOOKED_THROUGH
from riskmetrics.gics import UNCLASSIFIED
from riskmetrics.insights.claims import View
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.history_facts import CLEARLY_BELOW, UNKNOWN_START
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


_SOON = 5
"""Sessions below a limit up to which one that is reached again is no new alert."""

_STEP, _MAX_STEPS = 0.2, 50
"""Step above a limit, as a part of it, that is worth a sentence, and the steps that count."""


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
    away: int | None
    """Sessions below the limit before those, if it was reached before."""
    lowest: float
    """Smallest value of those; minus infinity if there is none."""
    highest: float
    """Largest value of the earlier sessions that reach it; infinite if there is none."""
    edges: tuple[float, ...]
    """All limits of the figure."""

    @property
    def is_back(self) -> bool:
        """Whether the limit is reached again, a few sessions after it was left."""
        return self.is_new and self.away is not None and self.away <= _SOON

    @property
    def is_worse(self) -> bool:
        """Whether the value is at a step above the limit that none of the streak had reached."""
        steps = (self.limit * (1 + _STEP * number) for number in range(1, _MAX_STEPS))
        return any(self.highest < step <= self.value for step in steps)

    @property
    def is_new(self) -> bool:
        """Whether the limit was not reached the session before, and is not hovered at."""
        return self.sessions == 1 and self.is_start_known and not self._is_hovering

    @property
    def is_standing(self) -> bool:
        """Whether the limit was reached the session before, or never clearly left."""
        return self.sessions > 1 or self._is_hovering

    @property
    def _is_hovering(self) -> bool:
        """Whether it was not clearly left since it was last reached."""
        return self.away is not None and self.lowest >= CLEARLY_BELOW * self.limit

    @property
    def rank(self) -> tuple[int, float]:
        """Order: the most severe and the farthest beyond first."""
        return -LEVELS.index(self.level), -self.value / self.limit


def reached_limits(view: View) -> list[Reach]:
    """Return the limits that are reached, the most severe first."""
    return view.once(_sorted_reaches)


def _sorted_reaches(view: View) -> list[Reach]:
    return sorted(_find(view), key=lambda reach: (*reach.rank, reach.kind, reach.alias))


def _find(view: View) -> Iterator[Reach]:
    for kind, alias in _limited(view):
        if kind in _OWN:
            market = view.fact("market_drawdown") if kind == "drawdown" else None
            yield from _reach(view, kind, alias, (market,) if market else ())


class Left(NamedTuple):
    """A limit that the session is the first one clearly below."""

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


def left_limits(view: View) -> list[Left]:
    """Return the limits that are clearly left since the session, the severest first."""
    found = [each for kind, alias in _limited(view) for each in _left(view, kind, alias)]
    return sorted(found, key=lambda each: (-LEVELS.index(each.level), each.kind, each.alias))


def _left(view: View, kind: str, alias: str | None) -> Iterator[Left]:
    now, before = view.fact(kind, alias), view.fact(f"{kind}_before", alias)
    if now and before:
        value, limits = float(now.value), view.sheet.limits
        left = highest_reached(limits, kind, float(before.value))
        if left and value < CLEARLY_BELOW * left.limit:
            still = highest_reached(limits, kind, value)
            lower = still.level if still else ""
            edges = tuple(limits[kind].values())
            yield Left(kind, alias or "", *left, value, (now, before), lower, edges)


def _limited(view: View) -> Iterator[tuple[str, str | None]]:
    """Yield type and alias of what has limits that no limit of a user replaces."""
    own = _own_limits(view)
    for kind, alias in _find_limited(view):
        if kind not in _OWN or LIMIT_NAMES[_OWN[kind]] not in own:
            yield kind, alias


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
    """Return the names of the limits that a user set; they replace those of `severity.yaml`."""
    return {
        view.sheet.aliases[alias]["limit"]
        for alias in view.aliases("LIM")
        if view.fact("limit_status", alias)
    }


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
        away, lowest, highest = (
            view.fact(f"{kind}_{each}", alias) for each in ("away", "lowest", "highest")
        )
        facts = tuple(each for each in (fact, streak, *context, away, lowest, highest) if each)
        yield Reach(
            kind,
            alias or "",
            *reached,
            value,
            facts,
            sessions,
            is_known,
            int(float(away.value)) if away else None,
            float(lowest.value) if lowest else -inf,
            float(highest.value) if highest else inf,
            tuple(view.sheet.limits[kind].values()),
        )
