"""Facts that compare a session with earlier ones: moves, streaks, the VaR test, contributors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from riskmetrics.db.fact_queries import Record
from riskmetrics.insights.fact_types import FACT_TYPES, MOVES
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.drawdown import drawdown

WINDOWS: Final = {"5d": 5, "21d": 21}
"""Suffix of a fact to the sessions that it covers."""

VOLATILITY_WINDOW = 21
"""Sessions of the volatility whose window a return can leave."""

MIN_RANKED, MIN_CHANGES = 60, 60
"""Returns in a rank among the past year's, and changes in a usual change, at least."""

UNKNOWN_START = "since the first stored session"
"""Quality of a streak that reaches back to the first session with results."""

CLEARLY_BELOW = 0.95
"""Part of a limit below which a value has left it: one that hovers at a limit is no news."""

_LEVEL = 0.95
"""Confidence level of the value at risk in facts."""

_MAX_PNL_DIFFERENCE = 0.01
"""Difference, in money, up to which P&L by position adds up to the stored P&L."""

_DRAWDOWN_SESSIONS, _MIN_DRAWDOWN_RETURNS = 252, 126

_HISTORY_COLUMNS: Final = {"beta": "beta_calculated_90d", "drawdown": "current_drawdown"}
"""Type with a limit to the column of its history, if it has another name."""


@dataclass(frozen=True)
class History:
    """What is stored about a portfolio's earlier sessions."""

    figures: pd.DataFrame
    """Sessions x figures, the last row is the session of the facts."""
    entities: Mapping[tuple[str, str], Mapping[date, float]] = field(default_factory=dict)
    """Kind (weight, gross) and name to values by session."""
    market: "pd.Series[float]" = field(default_factory=lambda: pd.Series(dtype=float))
    """Closes of the market index by session, the last one that of the facts."""


def move_facts(make: "partial[Fact]", history: History) -> Iterator[Fact]:
    """Yield returns over several sessions, their ranks, and changes with their usual size."""
    returns = history.figures["daily_return"].to_numpy()
    for suffix, sessions in WINDOWS.items():
        last = returns[-sessions:]
        if len(last) == sessions and np.isfinite(last).all():
            yield from defined_facts(make, {f"return_{suffix}": float(np.prod(1 + last) - 1)})
    year, today = returns[-252:], returns[-1]
    known = year[np.isfinite(year)]
    if np.isfinite(today) and len(known) >= MIN_RANKED:
        ranks = {
            "loss_rank": 1 + int((known < today).sum()),
            "gain_rank": 1 + int((known > today).sum()),
        }
        yield from defined_facts(make, ranks, n_obs=len(known))
    for name in MOVES:
        values = history.figures[FACT_TYPES[name].column].to_numpy()
        for suffix, sessions in WINDOWS.items():
            if len(values) > sessions and np.isfinite(values[[-1, -1 - sessions]]).all():
                change = float(values[-1] - values[-1 - sessions])
                yield from defined_facts(make, {f"{name}_change_{suffix}": change})
        changes = np.diff(values)[:-1]
        changes = changes[np.isfinite(changes)]
        if len(changes) >= MIN_CHANGES:
            usual = float(np.sqrt(np.mean(changes**2)))
            facts = {f"{name}_usual_change": usual}
            yield from defined_facts(make, facts, n_obs=len(changes))


def window_facts(make: "partial[Fact]", history: History) -> Iterator[Fact]:
    """Yield the return that left the window of the volatility in the session, and its day."""
    returns = history.figures["daily_return"]
    if len(returns) > VOLATILITY_WINDOW and np.isfinite(returns.iloc[-1 - VOLATILITY_WINDOW]):
        left = returns.index[-1 - VOLATILITY_WINDOW].date().isoformat()
        value = float(returns.iloc[-1 - VOLATILITY_WINDOW])
        yield from defined_facts(make, {"left_return": value, "left_day": left})


def market_facts(make: "partial[Fact]", history: History) -> Iterator[Fact]:
    """Yield returns and the drawdown of the market index."""
    closes = history.market.to_numpy()
    spans = {"market_return": 1}
    spans |= {f"market_return_{suffix}": count for suffix, count in WINDOWS.items()}
    for name, sessions in spans.items():
        if len(closes) > sessions and np.isfinite(closes[[-1, -1 - sessions]]).all():
            yield from defined_facts(make, {name: float(closes[-1] / closes[-1 - sessions] - 1)})
    returns = (closes[1:] / closes[:-1] - 1)[-_DRAWDOWN_SESSIONS:]
    if len(returns) >= _MIN_DRAWDOWN_RETURNS:
        found = drawdown(returns[:, None], min_obs=_MIN_DRAWDOWN_RETURNS).current_drawdown[0]
        if np.isfinite(found):
            yield from defined_facts(make, {"market_drawdown": float(found)})


def contribution_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    daily_pnl: float | None,
    history: History,
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield the P&L of the largest winners and losers, and the sums of all, by window.

    Without facts of a window unless the sums make the stored P&L: trades, splits, options or other
    currencies make a difference, and then a position's share of it is unknown. Over several
    sessions they are compared with the P&L without income, since dividends are too frequent.
    """
    windows = {"": 1} | {f"_{name}": sessions for name, sessions in WINDOWS.items()}
    for suffix, sessions in windows.items():
        of_window = [row for row in rows if row["n_sessions"] == sessions]
        total = daily_pnl if sessions == 1 else _price_pnl(history, sessions)
        if of_window and total is not None:
            yield from _contributions(make, of_window, float(total), suffix, aliases)


def _price_pnl(history: History, sessions: int) -> float | None:
    """Return the P&L of the last sessions without income; None unless all are stored.

    Income that is undefined, without an adjusted close, is not part of the stored P&L.
    """
    last = history.figures.iloc[-sessions:]
    pnl, income = last["daily_pnl"].to_numpy(), last["income"].fillna(0.0).to_numpy()
    if len(last) < sessions or not np.isfinite(pnl).all():
        return None
    return float(pnl.sum() - income.sum())


def _contributions(
    make: "partial[Fact]",
    rows: Sequence[Record],
    total: float,
    suffix: str,
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    sums = {name: float(rows[0][name] or 0.0) for name in ("winners_pnl", "losers_pnl")}
    sessions = rows[0]["n_sessions"]
    if abs(sum(sums.values()) - total) > _MAX_PNL_DIFFERENCE * sessions:
        return
    counts = {name: int(rows[0][name]) for name in ("n_winners", "n_losers")}
    yield from defined_facts(make, {f"{name}{suffix}": each for name, each in sums.items()})
    yield from defined_facts(make, {f"{name}{suffix}": each for name, each in counts.items()})
    for row in rows:
        alias = position_alias(aliases, row["symbol"])
        yield from defined_facts(make, {f"pnl{suffix}": float(row["pnl"])}, entity=alias)


def position_alias(aliases: dict[str, dict[str, str]], symbol: str) -> str:
    """Return the alias of a symbol; it is added if it is new."""
    for alias, entity in aliases.items():
        if entity.get("symbol") == symbol:
            return alias
    number = 1 + sum("symbol" in entity for entity in aliases.values())
    alias = f"POS_{number:02}"
    aliases[alias] = {"symbol": symbol}
    return alias


def holding_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    n_held: int,
    aliases: Mapping[str, Mapping[str, str]],
) -> Iterator[Fact]:
    """Yield the numbers of new, closed and resized positions, unless all are new, and increases."""
    opened = sum(not row["before"] for row in rows)
    closed = sum(not row["after"] for row in rows)
    if opened < n_held:
        counts = {"n_opened": opened, "n_closed": closed, "n_resized": len(rows) - opened - closed}
        yield from defined_facts(make, counts)
    named = {entity["symbol"]: alias for alias, entity in aliases.items() if "symbol" in entity}
    for row in rows:
        before, after = float(row["before"]), float(row["after"])
        if row["symbol"] in named and before and after / before > 1:
            increase = {"quantity_increase": after / before - 1}
            yield from defined_facts(make, increase, entity=named[row["symbol"]])


def tail_facts(
    make: "partial[Fact]",
    previous: Sequence[Record],
    tests: Sequence[Record],
    previous_tests: Sequence[Record],
) -> Iterator[Fact]:
    """Yield the value at risk of the session before, and how its test comes out, then and now."""
    for row in previous:
        if float(row["level"]) == _LEVEL:
            values = {"previous_var_95": row["value_at_risk"]}
            yield from defined_facts(make, values, n_obs=row["observations"])
    for row in tests:
        if float(row["level"]) == _LEVEL:
            figures = {
                "var_exceptions": row["exceptions"],
                "var_expected": row["expected_exceptions"],
                "var_tested": row["n_tested"],
                "var_p_value": row["p_value"],
            }
            yield from defined_facts(make, figures, n_obs=row["n_tested"])
    for row in previous_tests:
        if float(row["level"]) == _LEVEL:
            values = {"previous_var_p_value": row["p_value"]}
            yield from defined_facts(make, values, n_obs=row["n_tested"])


def streak_facts(
    make: "partial[Fact]",
    history: History,
    found: Mapping[tuple[str, str | None], Fact],
    aliases: Mapping[str, Mapping[str, str]],
    limits: Mapping[str, Mapping[str, float]],
) -> Iterator[Fact]:
    """Yield how figures with a limit came to where they are: streaks, and earlier values.

    Of a figure at or beyond a limit: for how many sessions in a row it has been, the largest value
    of the earlier ones, how many sessions it had been below before, and the lowest value of those.
    Of one that is clearly below a limit for the first session: the last value that reached it.
    """
    for (name, alias), fact in found.items():
        if name in limits and f"{name}_streak" in FACT_TYPES:
            past = _past_values(history, name, aliases[alias] if alias else None)
            if past is not None:
                values, is_stored = past
                levels = limits[name].values()
                yield from _alert_facts(make, fact, values, is_stored, levels)


_Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def _past_values(
    history: History, name: str, entity: Mapping[str, str] | None
) -> tuple[FloatArray, _Flags] | None:
    """Return a figure by session and whether it is stored; None if it never was at its limit."""
    figures = history.figures
    if entity is not None:
        by_day = history.entities.get((name, next(iter(entity.values()))))
        if by_day is None:
            return None
        stored = figures["has_weights"] == 1 if name == "weight" else figures["hhi"].notna()
        values = np.array([by_day.get(day.date(), 0.0) for day in figures.index])
        return values, stored.to_numpy()
    if name == "gross_to_equity":
        values = (figures["gross_exposure"] / figures["total_value"]).to_numpy()
    else:
        values = figures[_HISTORY_COLUMNS.get(name, name)].to_numpy()
    return values, np.isfinite(values)


def _alert_facts(
    make: "partial[Fact]",
    fact: Fact,
    values: FloatArray,
    is_stored: _Flags,
    levels: Collection[float],
) -> Iterator[Fact]:
    """Yield the facts of a figure with limits, whose last value is that of the fact."""
    name, value = fact.fact_type.name, float(fact.value)
    last = {f"{name}_before": _last_reached(values, is_stored, levels)}
    yield from defined_facts(make, last, entity=fact.entity)
    reached = [limit for limit in levels if value >= limit]
    if not reached:
        return
    is_reached = values >= max(reached)
    length, is_known = _streak(is_reached, is_stored)
    quality = "ok" if is_known else UNKNOWN_START
    counted = {f"{name}_streak": max(length, 1)}
    yield from defined_facts(make, counted, entity=fact.entity, quality=quality)
    away = _sessions_away(is_reached, is_stored, length) if is_known else None
    highest = float(values[-length:-1].max()) if length > 1 else None
    lowest = float(values[-length - away : -length].min()) if away else None
    more = {f"{name}_away": away, f"{name}_highest": highest, f"{name}_lowest": lowest}
    yield from defined_facts(make, more, entity=fact.entity)


def _last_reached(values: FloatArray, is_stored: _Flags, levels: Collection[float]) -> float | None:
    """Return the last value at a limit that the last session is the first one clearly below."""
    for limit in sorted(levels, reverse=True):
        if values[-1] < CLEARLY_BELOW * limit:
            for value, stored in zip(values[-2::-1], is_stored[-2::-1], strict=True):
                if not stored or value < CLEARLY_BELOW * limit:
                    break
                if value >= limit:
                    return float(value)
    return None


def _streak(is_reached: _Flags, is_stored: _Flags) -> tuple[int, bool]:
    """Return the number of last sessions in a row that reach a limit, and if its start is known."""
    length = 0
    for reached, stored in zip(is_reached[::-1], is_stored[::-1], strict=True):
        if not stored:
            return length, False
        if not reached:
            return length, True
        length += 1
    return length, False


def _sessions_away(is_reached: _Flags, is_stored: _Flags, length: int) -> int | None:
    """Return the stored sessions below a limit before a streak; None if it was never reached."""
    earlier = slice(len(is_reached) - length - 1, None, -1)
    flags = zip(is_reached[earlier], is_stored[earlier], strict=True)
    for away, (reached, stored) in enumerate(flags):
        if reached or not stored:
            return away if stored else None
    return None
