"""Fact sheets of stored results, read in bulk: those of a session remember those before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain
from uuid import UUID

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import fact_history, fact_holdings, fact_queries
from riskmetrics.db.fact_queries import Record, Records
from riskmetrics.insights import history_facts, holding_facts, novelty, result_facts, trade_facts
from riskmetrics.insights.alert_facts import alert_facts
from riskmetrics.insights.alert_states import CLEARLY_BELOW
from riskmetrics.insights.claims import remember_claims
from riskmetrics.insights.fact_sheet import Sheet, without_broken_facts
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact, defined_facts, make_fact
from riskmetrics.insights.history_facts import Check, History
from riskmetrics.insights.limit_facts import limit_facts
from riskmetrics.insights.severity import default_limits
from riskmetrics.present.caveats import list_caveats

_MAX_POSITIONS = 10
"""Largest symbols by weight, and as many by share of volatility."""

_SOURCES = frozenset(kind.source for kind in FACT_TYPES.values())
"""Columns that facts are based on."""

_BATCH_SHEETS = 500
"""Sheets that are in memory at once."""


def read_sheets(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> list[Sheet]:
    """Return the sheets of all portfolios with a snapshot on ``days``, read in bulk.

    They are ordered by portfolio and day.
    """
    return [sheet for batch in read_sheet_batches(connection, days, portfolio) for sheet in batch]


def read_sheet_batches(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Iterator[list[Sheet]]:
    """Yield the sheets of `read_sheets` in batches, which bound the memory that they take."""
    size = max(1, _BATCH_SHEETS // (len(days) + novelty.SESSIONS))
    portfolios = fact_queries.read_portfolio_ids(connection, days, portfolio)
    for first in range(0, len(portfolios), size):
        yield _read_batch(connection, days, portfolios[first : first + size])


@dataclass(frozen=True)
class _Stored:
    """Stored results of a batch of portfolios, on its sessions and those before."""

    snapshots: Records
    records: Mapping[str, Records]
    """Kind of result to rows, by portfolio and session."""
    figures: "Mapping[str, pd.DataFrame]"
    entities: Mapping[str, Mapping[tuple[str, str], Mapping[date, float]]]
    market: "pd.Series[float]"
    market_drawdown: "pd.Series[float]"
    checks: Mapping[str, Mapping[str, Mapping[date, Check]]]
    tests: Mapping[str, Mapping[date, float]]

    def history(self, portfolio_id: str, day: date) -> History:
        """Return what is stored about a portfolio up to a session."""
        entities = self.entities.get(portfolio_id, {})
        figures = self.figures[portfolio_id]
        of_market = _sessions_up_to(day, self.market)
        return History(
            figures.iloc[_sessions_up_to(day, figures)],
            entities,
            self.market.iloc[of_market],
            self.market_drawdown.iloc[of_market],
            self.checks.get(portfolio_id, {}),
            self.tests.get(portfolio_id, {}),
        )


def _sessions_up_to(day: date, by_session: "pd.DataFrame | pd.Series[float]") -> slice:
    """Return the places of the sessions of a history that ends with a day."""
    end = int(by_session.index.searchsorted(pd.Timestamp(day), side="right"))
    return slice(max(0, end - fact_history.HISTORY_SESSIONS - 1), end)


def _read_batch(
    connection: sa.Connection, days: Sequence[date], portfolios: Sequence[UUID]
) -> list[Sheet]:
    """Return the sheets of portfolios; those of the sessions before tell what is new."""
    sessions_before = {day: _sessions_before(day) for day in days}
    all_days = sorted({*days, *chain.from_iterable(sessions_before.values())})
    found = _read_stored(connection, all_days, portfolios)
    remembering = set(chain.from_iterable(sessions_before.values()))
    sheets, memories = list[Sheet](), dict[tuple[str, date], Mapping[str, tuple[float, ...]]]()
    for portfolio_id, day in sorted(key for key in found.snapshots if key[1] in set(all_days)):
        sheet = _build_sheet(portfolio_id, day, found)
        if day in sessions_before:
            keys = ((portfolio_id, earlier) for earlier in sessions_before[day])
            before, *earlier_ones = (memories.get(key, {}) for key in keys)
            sheet = replace(sheet, before=before, earlier=tuple(earlier_ones))
            sheets.append(sheet)  # the one that is remembered: its forms are evaluated once
        if day in remembering:
            memories[portfolio_id, day] = remember_claims(sheet)
    return sheets


def _sessions_before(day: date) -> list[date]:
    """Return the sessions before a day that notes remember, the last one first."""
    found = [trading_calendar.previous_session(day)]
    while len(found) < novelty.SESSIONS:
        found.append(trading_calendar.previous_session(found[-1]))
    return found


def _with_sessions_before(days: Sequence[date]) -> list[date]:
    """Return the days and the session before each, which need not be one of them."""
    return sorted({*days, *map(trading_calendar.previous_session, days)})


def _read_stored(
    connection: sa.Connection, days: Sequence[date], portfolios: Sequence[UUID]
) -> _Stored:
    read_days = _with_sessions_before(days)
    limits = {
        kind: CLEARLY_BELOW * min(default_limits()[kind].values()) for kind in ("weight", "gross")
    }
    records = fact_queries.read_records(connection, read_days, portfolios) | {
        "positions": fact_queries.read_positions(
            connection, days, portfolios, count=_MAX_POSITIONS
        ),
        "contributions": fact_history.read_contributions(
            connection, days, portfolios, (1, *history_facts.WINDOWS.values())
        ),
        "limit_checks": fact_history.read_limit_checks(connection, days, portfolios),
        "holdings": fact_holdings.read_changed_holdings(connection, days, portfolios),
        "unpriced": fact_holdings.read_unpriced_holdings(connection, days, portfolios),
        "sector_holdings": fact_holdings.read_sector_holdings(connection, days, portfolios),
    }
    n_before = 2 * fact_history.HISTORY_SESSIONS  # each session of a history has a drawdown
    market = fact_history.read_market_closes(connection, days, n_before)
    return _Stored(
        fact_queries.read_snapshots(connection, read_days, portfolios),
        records,
        fact_history.read_snapshot_history(connection, days, portfolios),
        fact_history.read_entity_history(connection, days, portfolios, limits),
        market,
        history_facts.market_drawdowns(market),
        {
            portfolio: {
                name: {day: Check(*each) for day, each in by_day.items()}
                for name, by_day in by_name.items()
            }
            for portfolio, by_name in fact_history.read_check_history(
                connection, days, portfolios
            ).items()
        },
        fact_history.read_test_history(connection, days, portfolios, history_facts.LEVEL),
    )


def _build_sheet(portfolio_id: str, day: date, found: _Stored) -> Sheet:
    (snapshot,) = found.snapshots[portfolio_id, day]
    earlier = trading_calendar.previous_session(day)
    previous_snapshot = next(iter(found.snapshots.get((portfolio_id, earlier), [])), None)
    aliases: dict[str, dict[str, str]] = {}
    rows, rows_before = (
        {name: each.get((portfolio_id, when), []) for name, each in found.records.items()}
        for when in (day, earlier)
    )
    counts = {row["metric"]: (row["n_covered"], row["n_total"]) for row in rows["coverage"]}
    make, make_before = (
        partial(
            make_fact,
            as_of=when,
            key={"portfolio_id": portfolio_id, "day": when.isoformat()},
            currency=snapshot["currency"],
        )
        for when in (day, earlier)
    )
    history = found.history(portfolio_id, day)
    n_known, n_traded = counts.get("daily_pnl", (0, 0))
    facts = [
        *_state_facts(make, rows, snapshot, counts.get("prices"), aliases),
        *result_facts.change_facts(
            make, snapshot, previous_snapshot, is_profit_known=n_known >= n_traded
        ),
        *history_facts.contribution_facts(
            make, rows["contributions"], snapshot["daily_pnl"], history, aliases
        ),
        *result_facts.diversification_facts(make, rows["diversification"], aliases),
        *limit_facts(make, rows["limit_checks"], aliases, history),
        *_forecast_facts(make, make_before, rows, rows_before, previous_snapshot, history),
    ]
    weighed = {
        fact.entity: fact for fact in facts if fact.entity and fact.fact_type.name == "weight"
    }
    traded, n_positions = rows["holdings"], snapshot["num_positions"]
    facts += [
        *trade_facts.traded_facts(
            make, make_before, traded, n_positions, aliases, weighed, history
        ),
        *history_facts.move_facts(make, history),
        *history_facts.window_facts(make, history),
        *history_facts.market_facts(make, history),
    ]
    by_type = {(fact.fact_type.name, fact.entity): fact for fact in facts}
    facts += alert_facts(make, history, by_type, aliases, default_limits())
    missing = {
        row["metric"]: row["reason"] for row in rows["undefined"] if row["metric"] in _SOURCES
    }
    facts += defined_facts(make, {"undefined_reason": missing.get(FACT_TYPES["own_beta"].source)})
    equity, gross = float(snapshot["total_value"]), float(snapshot["gross_exposure"])
    caveats = tuple(list_caveats(counts, equity, gross))
    known = {fact.id: fact for fact in facts}
    return without_broken_facts(Sheet(portfolio_id, day, known, aliases, missing, caveats))


def _state_facts(
    make: "partial[Fact]",
    rows: Mapping[str, Sequence[Record]],
    snapshot: Record,
    n_priced: tuple[int, int] | None,
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield what holds at the close of a session: values, positions, sectors, risk, factors."""
    coverage = {row["metric"]: row["coverage"] for row in rows["coverage"]}
    forecast, score = (next(iter(rows[name]), None) for name in ("forecasts", "scores"))
    yield from result_facts.snapshot_facts(make, snapshot, coverage)
    yield from result_facts.forecast_facts(make, snapshot, forecast, score)
    yield from result_facts.position_facts(make, rows["positions"], aliases)
    yield from result_facts.sector_facts(make, rows["sectors"], aliases)
    yield from holding_facts.sector_holding_facts(
        make, rows["sector_holdings"], rows["sectors"], snapshot, aliases
    )
    yield from holding_facts.unpriced_facts(make, rows["unpriced"], n_priced, aliases)
    yield from result_facts.risk_facts(make, rows, aliases)
    yield from result_facts.factor_facts(make, rows, aliases)


def _forecast_facts(
    make: "partial[Fact]",
    make_before: "partial[Fact]",
    rows: Mapping[str, Sequence[Record]],
    rows_before: Mapping[str, Sequence[Record]],
    previous_snapshot: Record | None,
    history: History,
) -> Iterator[Fact]:
    """Yield what the session before said of this one, and how such statements proved."""
    yield from history_facts.tail_facts(
        make,
        make_before,
        rows_before["tail_risk"],
        rows["var_tests"],
        rows_before["var_tests"],
        history,
    )
    yield from result_facts.previous_beta_facts(
        make_before, previous_snapshot, rows_before["market_regression"]
    )
    yield from result_facts.historical_var_facts(make_before, rows_before["historical_tail_risk"])
