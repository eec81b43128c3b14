"""Facts that compare a session with earlier ones: moves, the VaR test, contributors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.db.fact_queries import Record
from riskmetrics.insights.fact_types import FACT_TYPES, MOVES
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.insights.severity import REJECTED
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.drawdown import drawdown
from riskmetrics.present.caveats import is_equity_small

WINDOWS: Final = {"5d": 5, "21d": 21}
"""Suffix of a fact to the sessions that it covers."""

VOLATILITY_WINDOW = 21
"""Sessions of the volatility whose window a return can leave."""

MIN_RANKED, MIN_CHANGES = 60, 60
"""Returns in a rank among the past year's, and changes in a usual change, at least."""

LEVEL = 0.95
"""Confidence level of the value at risk in facts."""

_MAX_PNL_DIFFERENCE = 0.01
"""Difference, in money, up to which P&L by position adds up to the stored P&L."""

_DRAWDOWN_SESSIONS, _MIN_DRAWDOWN_RETURNS = 252, 126


class Check(NamedTuple):
    """A limit of a user, checked in a session."""

    subject: str
    """Symbol, sector or scenario with the value; empty for the portfolio."""
    ratio: float
    """Value over the limit."""
    is_exceeded: bool
    value: float


@dataclass(frozen=True)
class History:
    """What is stored about a portfolio's earlier sessions."""

    figures: pd.DataFrame
    """Sessions x figures, the last row is the session of the facts."""
    entities: Mapping[tuple[str, str], Mapping[date, float]] = field(default_factory=dict)
    """Kind (weight, gross) and name to signed values by session."""
    market: "pd.Series[float]" = field(default_factory=lambda: pd.Series(dtype=float))
    """Closes of the market index by session, the last one that of the facts."""
    market_drawdown: "pd.Series[float]" = field(default_factory=lambda: pd.Series(dtype=float))
    """Drawdown of the market index by session."""
    checks: Mapping[str, Mapping[date, Check]] = field(default_factory=dict)
    """Limit of a user to its checks with a value by session."""
    tests: Mapping[date, float] = field(default_factory=dict)
    """p-values of the test of the value at risk in the sessions of about a week."""

    @cached_property
    def days(self) -> "list[date]":
        """Sessions of the figures."""
        return list(pd.DatetimeIndex(self.figures.index).date)

    @cached_property
    def leverage(self) -> FloatArray:
        """Gross exposure over equity by session; undefined if equity is too small."""
        gross = self.figures["gross_exposure"].to_numpy(dtype=np.float64)
        equity = self.figures["total_value"].to_numpy(dtype=np.float64)
        return np.array([
            value / base if value > 0 and not is_equity_small(base, value) else np.nan
            for value, base in zip(gross.tolist(), equity.tolist(), strict=True)
        ])  # fmt: skip


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
    if len(history.market_drawdown) and np.isfinite(history.market_drawdown.iloc[-1]):
        found = float(history.market_drawdown.iloc[-1])
        yield from defined_facts(make, {"market_drawdown": found})


def market_drawdowns(closes: "pd.Series[float]") -> "pd.Series[float]":
    """Return the drawdown of the market index over up to 252 sessions, by session."""
    returns = closes.pct_change(fill_method=None).to_numpy()
    padded = np.concatenate((np.full(_DRAWDOWN_SESSIONS - 1, np.nan), returns))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _DRAWDOWN_SESSIONS)
    found = drawdown(windows.T, min_obs=_MIN_DRAWDOWN_RETURNS).current_drawdown
    return pd.Series(found, index=closes.index)


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
    pnl, income = (
        history.figures[name].to_numpy(dtype=np.float64)[-sessions:]
        for name in ("daily_pnl", "income")
    )
    if len(pnl) < sessions or not np.isfinite(pnl).all():
        return None
    return float(pnl.sum() - np.nansum(income))


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
    if not suffix:
        sides = {name: float(rows[0][name] or 0.0) for name in ("long_pnl", "short_pnl")}
        yield from defined_facts(make, sides)
    for row in rows:
        alias = position_alias(aliases, row["symbol"])
        yield from defined_facts(make, {f"pnl{suffix}": float(row["pnl"])}, entity=alias)


def _failing_sessions(history: History) -> int | None:
    """Return the sessions in a row whose test fails; None if their first one is unknown, or 0."""
    for count, day in enumerate(reversed(history.days)):
        if day not in history.tests:
            return None
        if history.tests[day] >= REJECTED:
            return count or None
    return None


def aliases_by_name(aliases: Mapping[str, Mapping[str, str]], kind: str) -> dict[str, str]:
    """Return the aliases of things of a kind, such as sector, by their names."""
    return {entity[kind]: alias for alias, entity in aliases.items() if kind in entity}


def position_alias(aliases: dict[str, dict[str, str]], symbol: str) -> str:
    """Return the alias of a symbol; it is added if it is new."""
    for alias, entity in aliases.items():
        if entity.get("symbol") == symbol:
            return alias
    number = 1 + sum("symbol" in entity for entity in aliases.values())
    alias = f"POS_{number:02}"
    aliases[alias] = {"symbol": symbol}
    return alias


def tail_facts(
    make: "partial[Fact]",
    make_earlier: "partial[Fact]",
    previous: Sequence[Record],
    tests: Sequence[Record],
    previous_tests: Sequence[Record],
    history: History,
) -> Iterator[Fact]:
    """Yield the value at risk of the session before, and how its test comes out, then and now.

    For how many sessions the test has been failing is a fact if it began in about a week.
    """
    for row in previous:
        if float(row["level"]) == LEVEL:
            values = {"previous_var_95": row["value_at_risk"]}
            yield from defined_facts(make_earlier, values, n_obs=row["observations"])
    for row in tests:
        if float(row["level"]) == LEVEL:
            figures = {
                "var_exceptions": row["exceptions"],
                "var_expected": row["expected_exceptions"],
                "var_tested": row["n_tested"],
                "var_p_value": row["p_value"],
            }
            yield from defined_facts(make, figures, n_obs=row["n_tested"])
    yield from defined_facts(make, {"var_failing_sessions": _failing_sessions(history)})
    for row in previous_tests:
        if float(row["level"]) == LEVEL:
            values = {"previous_var_p_value": row["p_value"]}
            yield from defined_facts(make_earlier, values, n_obs=row["n_tested"])
