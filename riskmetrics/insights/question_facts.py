"""Facts that only answers to questions state: other levels of tail risk, returns, the market."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog import all_statistics
from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
from riskmetrics.db import fact_history, fact_queries
from riskmetrics.db.fact_queries import Record
from riskmetrics.factor_sets import MAX_FACTORS
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact, defined_facts, make_fact
from riskmetrics.insights.history_facts import (
    MIN_RANKED,
    VOLATILITY_WINDOW,
    WINDOWS,
    History,
    aliases_by_name,
    position_alias,
)
from riskmetrics.insights.limit_facts import LIMIT_NAMES
from riskmetrics.insights.question_fact_types import (
    CALENDAR_WINDOWS,
    POSITION_COLUMNS,
    QUESTIONS,
    TESTED_METHOD,
    statistic_fact_names,
)
from riskmetrics.insights.result_facts import (
    MAX_SCENARIOS,
    factor_facts,
    position_facts,
    scenario_facts,
)
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.volatility import realized_volatility

_YEAR = 252

_MAX_POSITIONS = 100
"""Largest symbols by weight, and as many by share of volatility, that questions may name."""

_PNL_WINDOWS = {"": 1} | {f"_{name}": sessions for name, sessions in WINDOWS.items()}
"""Suffix of the P&L of a position to its sessions."""


def add_question_facts(connection: sa.Connection, sheet: Sheet) -> Sheet:
    """Return a sheet with the facts that only answers state, read for it."""
    portfolio, day = UUID(sheet.portfolio_id), sheet.day
    rows = {
        name: records.get((sheet.portfolio_id, day), [])
        for name, records in fact_queries.read_question_records(connection, day, portfolio).items()
    }
    n_before = fact_history.MAX_YEAR_SESSIONS  # a year to date begins after the year before
    positions = fact_queries.read_positions(connection, [day], [portfolio], count=_MAX_POSITIONS)
    rows["positions"] = positions.get((sheet.portfolio_id, day), [])
    rows["contributions"] = fact_history.read_contributions(
        connection, [day], [portfolio], _PNL_WINDOWS.values(), _MAX_POSITIONS
    ).get((sheet.portfolio_id, day), [])
    figures = fact_history.read_snapshot_history(connection, [day], [portfolio], n_before)
    market = fact_history.read_market_closes(connection, [day], n_before)
    make = partial(
        make_fact,
        as_of=day,
        key={"portfolio_id": sheet.portfolio_id, "day": day.isoformat()},
        currency=next((fact.currency for fact in sheet.facts.values() if fact.currency), "USD"),
    )
    aliases = {alias: dict(entity) for alias, entity in sheet.aliases.items()}
    facts = [
        *scenario_facts(make, rows["stress"][MAX_SCENARIOS:], aliases, MAX_SCENARIOS + 1),
        *factor_facts(make, rows, aliases, MAX_FACTORS),
        *exceeded_facts(make, rows["exceeded_limits"], aliases),
        *position_facts(make, rows["positions"], aliases),
        *pnl_facts(make, rows["contributions"], sheet, aliases),
        *other_sector_facts(make, rows["sectors"], sheet, aliases),
        *tail_level_facts(make, rows["tail_levels"]),
        *statistic_facts(make, rows),
        *return_facts(make, History(figures[sheet.portfolio_id], market=market)),
        *position_risk_facts(make, rows["position_risk"], aliases),
    ]
    found = {fact.id: fact for fact in facts}
    return replace(sheet, facts=sheet.facts | found, aliases=aliases)


def exceeded_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: Mapping[str, Mapping[str, str]]
) -> Iterator[Fact]:
    """Yield since when limits that users set are exceeded."""
    named = aliases_by_name(aliases, "limit")
    for row in rows:
        if alias := named.get(LIMIT_NAMES[row["limit_name"]]):
            since = {"exceeded_since": row["since"].date().isoformat()}
            yield from defined_facts(make, since, entity=alias)


def other_sector_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    sheet: Sheet,
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield the weights of the sectors that the sheet does not have, and add their aliases."""
    known = aliases_by_name(aliases, "sector")
    active = sorted(
        row["active_weight"] for row in rows if row["active_weight"] is not None
    )[::-1]  # fmt: skip
    for at, row in enumerate(rows, start=1):
        alias = known.setdefault(row["sector"], f"SEC_{len(known) + 1:02}")
        if ("gross", alias) not in sheet.by_type:
            aliases[alias] = {"sector": row["sector"]}
            yield from defined_facts(make, {"gross": row["gross_weight"]}, entity=alias, rank=at)
            more = {"benchmark": row["benchmark_weight"], "net": row["net_weight"]}
            yield from defined_facts(make, more, entity=alias)
            if (weight := row["active_weight"]) is not None:
                rank = active.index(weight) + 1
                yield from defined_facts(make, {"active": weight}, entity=alias, rank=rank)


def pnl_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    sheet: Sheet,
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield the P&L of all positions over the windows for which the sheet has that of some."""
    for suffix, sessions in _PNL_WINDOWS.items():
        if (f"winners_pnl{suffix}", None) in sheet.by_type:  # the P&L of positions is proved
            for row in rows:
                if row["n_sessions"] == sessions:
                    alias = position_alias(aliases, row["symbol"])
                    yield from defined_facts(
                        make, {f"pnl{suffix}": float(row["pnl"])}, entity=alias
                    )


def statistic_facts(make: "partial[Fact]", rows: Mapping[str, Sequence[Record]]) -> Iterator[Fact]:
    """Yield the figures of statistics that no note states."""
    for statistic in all_statistics():
        for row in rows[statistic.key] if not statistic.facts else ():
            figures = {fact: row[name] for name, fact in statistic_fact_names(statistic).items()}
            yield from defined_facts(make, figures, n_obs=row["observations"])


def position_risk_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: Mapping[str, Mapping[str, str]]
) -> Iterator[Fact]:
    """Yield beta and volatility of the positions that have an alias."""
    named = aliases_by_name(aliases, "symbol")
    for row in rows:
        if alias := named.get(row["symbol"]):
            figures = {
                fact: row[figure.partition(".")[2]] for fact, figure in POSITION_COLUMNS.items()
            }
            yield from defined_facts(make, figures, entity=alias, n_obs=row["observations"])


def tail_level_facts(make: "partial[Fact]", rows: Sequence[Record]) -> Iterator[Fact]:
    """Yield value at risk and shortfall in money, over ten sessions, and at other levels.

    Parameters
    ----------
    rows : sequence of dict
        Rows of `portfolio_tail_risk` of all levels, horizons and methods.
    """
    for row in rows:
        level, days = f"{row['level']:.2f}".removeprefix("0."), row["horizon_days"]
        over = "" if days == 1 else f"_{days}d"
        figures = {
            f"var_{level}{over}": row["value_at_risk"],
            f"shortfall_{level}{over}": row["expected_shortfall"],
            f"var_{level}_amount{over}": row["value_at_risk_amount"],
            f"shortfall_{level}_amount{over}": row["expected_shortfall_amount"],
        }
        if row["method"] == TESTED_METHOD:
            figures = {f"var_{level}{over}_historical": row["value_at_risk"]}
        elif row["method"] != HEADLINE_TAIL["method"]:
            continue
        asked = {name: value for name, value in figures.items() if _is_of_questions(name)}
        yield from defined_facts(make, asked, n_obs=row["observations"])


def _is_of_questions(name: str) -> bool:
    return name in FACT_TYPES and FACT_TYPES[name].provider == QUESTIONS


def return_facts(make: "partial[Fact]", history: History) -> Iterator[Fact]:
    """Yield the worst and best return of the past year, returns to date, and the market's risk.

    A return over several sessions is a fact if that of each session is known.
    """
    days = pd.DatetimeIndex(history.figures.index)
    returns = history.figures["daily_return"].to_numpy(dtype=np.float64)
    closes = history.market.to_numpy(dtype=np.float64)
    market, market_days = closes[1:] / closes[:-1] - 1, pd.DatetimeIndex(history.market.index)[1:]
    yield from _extremes(make, returns[-_YEAR:], days[-_YEAR:])
    for of, values, dates in (("", returns, days), ("market_", market, market_days)):
        for name in CALENDAR_WINDOWS:
            window = _window(values, dates, name)
            if len(window) and np.isfinite(window).all():
                facts = {f"{of}return_{name}": float(np.prod(1 + window) - 1)}
                yield from defined_facts(make, facts, n_obs=len(window))
    last = market[-VOLATILITY_WINDOW:]
    if len(last) == VOLATILITY_WINDOW and np.isfinite(last).all():
        found = realized_volatility(
            last[:, None], window=VOLATILITY_WINDOW, min_obs=VOLATILITY_WINDOW
        ).volatility
        yield from defined_facts(make, {"market_volatility_21d": float(found[0, 0])})


def _extremes(
    make: "partial[Fact]", returns: FloatArray, days: "pd.DatetimeIndex"
) -> Iterator[Fact]:
    n_known = int(np.isfinite(returns).sum())
    if n_known >= MIN_RANKED:
        for name, at in (("worst", np.nanargmin(returns)), ("best", np.nanargmax(returns))):
            facts: dict[str, float | str | None] = {
                f"{name}_return": float(returns[at]),
                f"{name}_day": days[int(at)].date().isoformat(),
            }
            yield from defined_facts(make, facts, n_obs=n_known)


def _window(returns: FloatArray, days: "pd.DatetimeIndex", name: str) -> FloatArray:
    """Return the returns of a window of `CALENDAR_WINDOWS`; none if it begins before the first."""
    if name == "252d":
        return returns[-_YEAR:] if len(returns) >= _YEAR else returns[:0]
    if not len(days):
        return returns
    is_in = np.asarray(days.year == days[-1].year)
    if name == "mtd":
        is_in &= np.asarray(days.month == days[-1].month)
    return returns[is_in] if not is_in.all() else returns[:0]
