"""Facts about alerts: what their history says has happened to them in the session."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from riskmetrics.insights.alert_states import AlertState, Flags, last_alert_state
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.insights.history_facts import History, position_alias
from riskmetrics.insights.severity import (
    MIN_INVESTED,
    NO_SECTORS,
    OWN_LIMITS,
    Limits,
    market_multiple,
)
from riskmetrics.metrics._typing import FloatArray

UNKNOWN_START = "since the first stored session"
"""Quality of a streak whose first session follows one without the figure."""

_COLUMNS: Final = {"beta": "beta_calculated_90d", "drawdown": "current_drawdown"}
"""Type with a limit to the column of its history, if it has another name."""

_ENTITIES: Final = {"weight": "symbol", "gross": "sector"}
"""Type with a limit about things to what they are."""


class _Past(NamedTuple):
    """Values of a figure by session, and in which sessions it is defined."""

    values: FloatArray
    is_defined: Flags


def alert_facts(
    make: "partial[Fact]",
    history: History,
    found: Mapping[tuple[str, str | None], Fact],
    aliases: dict[str, dict[str, str]],
    limits: Limits,
) -> Iterator[Fact]:
    """Yield what happened to the alerts of figures with limits; add aliases of what is gone.

    Of a figure at or beyond a limit: what happened, for how many sessions its alert is in force,
    of one that is back, since when it was left, and of one that is worse, what was stated last. Of
    one just below a limit whose alert is in force: the limit. Of an alert that ended in the
    session: its limit, and if no other fact states it, the value now.
    """
    for (kind, alias), fact in found.items():
        if kind in limits:
            past = _past_values(history, kind, aliases[alias] if alias else None)
            if past is not None:
                values, is_defined = past
                values[-1] = _with_sign(float(fact.value), values[-1])
                is_defined[-1] = True
                state = _state(history, kind, past, limits, found.get(("market_drawdown", None)))
                yield from _state_facts(make, kind, alias, state)
                if state.stated is not None:
                    stated: dict[str, float | str | None] = {
                        f"{kind}_stated": abs(float(values[state.stated])),
                        f"{kind}_stated_day": history.days[state.stated].isoformat(),
                    }
                    yield from defined_facts(make, stated, entity=alias)
    yield from _gone_facts(make, history, found, aliases, limits)


def _state(
    history: History, kind: str, past: _Past, limits: Limits, market: Fact | None
) -> AlertState:
    counts = _counted_sessions(history, kind, past.values, market)
    return last_alert_state(past.values, [*limits[kind].values()], past.is_defined, counts)


def _state_facts(
    make: "partial[Fact]", kind: str, alias: str | None, state: AlertState
) -> Iterator[Fact]:
    is_kept = state.kept is not None
    event = "stands" if is_kept else state.event
    if event != "none":
        is_known = state.is_kept_start_known if is_kept else state.is_start_known
        yield from defined_facts(make, {f"{kind}_alert": event}, entity=alias)
        streak = {f"{kind}_streak": state.kept_sessions if is_kept else state.sessions}
        quality = "ok" if is_known else UNKNOWN_START
        yield from defined_facts(make, streak, entity=alias, quality=quality)
    away = None if is_kept else state.away
    limits = {f"{kind}_away": away, f"{kind}_left": state.left, f"{kind}_kept": state.kept}
    yield from defined_facts(make, limits, entity=alias)


def _gone_facts(
    make: "partial[Fact]",
    history: History,
    found: Mapping[tuple[str, str | None], Fact],
    aliases: dict[str, dict[str, str]],
    limits: Limits,
) -> Iterator[Fact]:
    """Yield the alerts that ended of positions and sectors without a fact: sold, or small."""
    known = {
        (kind, aliases[alias][_ENTITIES[kind]])
        for kind, alias in found
        if alias and kind in _ENTITIES
    }
    for kind, name in sorted(history.entities.keys() - known):
        past = _past_values(history, kind, {_ENTITIES[kind]: name})
        if past is None or name in NO_SECTORS:
            continue
        state = _state(history, kind, past, limits, None)
        if state.left is not None:
            alias = _alias_for(aliases, kind, name)
            facts = {f"{kind}_left": state.left, f"{kind}_now": abs(float(past.values[-1]))}
            yield from defined_facts(make, facts, entity=alias)


def _alias_for(aliases: dict[str, dict[str, str]], kind: str, name: str) -> str:
    """Return the alias of a position or sector; it is added if it is new."""
    if kind == "weight":
        return position_alias(aliases, name)
    for alias, entity in aliases.items():
        if entity.get("sector") == name:
            return alias
    alias = f"SEC_{1 + sum('sector' in entity for entity in aliases.values()):02}"
    aliases[alias] = {"sector": name}
    return alias


def _past_values(history: History, kind: str, entity: Mapping[str, str] | None) -> _Past | None:
    """Return a figure by session; None if it never was near its limit."""
    figures = history.figures
    if entity is not None:
        by_day = history.entities.get((kind, next(iter(entity.values()))))
        if by_day is None:
            return None
        stored = figures["has_weights"] == 1 if kind == "weight" else figures["hhi"].notna()
        values = np.array([by_day.get(day, 0.0) for day in history.days])
        return _Past(values, stored.to_numpy(copy=True))
    if kind == "gross_to_equity":
        values = history.leverage
    else:
        values = figures[_COLUMNS.get(kind, kind)].to_numpy()
    return _Past(np.maximum(values, 0.0), np.isfinite(values))


def _with_sign(value: float, other: float) -> float:
    """Return a value, with the sign of the stored one: that of a short position."""
    return -abs(value) if other < 0 else max(value, 0.0)


def _counted_sessions(
    history: History, kind: str, values: FloatArray, market: Fact | None
) -> Flags:
    """Return the sessions in which a value at a limit is an alert.

    It is none if a limit of a user replaces the level. A drawdown must be clearly deeper than that
    of the market, and a sector a part of several positions that are much of equity.
    """
    index = history.figures.index
    own = history.checks.get(OWN_LIMITS.get(kind, ""), {})
    counts = np.array([day not in own for day in history.days])
    if kind == "drawdown":
        past = history.market_drawdown.reindex(index).to_numpy(copy=True)
        past[-1] = np.nan if market is None else float(market.value)
        counts &= ~(values < market_multiple() * past)
    if kind == "gross":
        counts &= ~(history.leverage < MIN_INVESTED)
        counts &= (history.figures["num_positions"] != 1).to_numpy()
    return counts
