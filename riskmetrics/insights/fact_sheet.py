"""Fact sheets: the facts of a portfolio on a session, read from the stored results."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import fact_queries as stored
from riskmetrics.db.fact_queries import Record, Records
from riskmetrics.insights import result_facts
from riskmetrics.insights.fact_types import FACT_TYPES, source_columns
from riskmetrics.insights.facts import Fact, make_fact
from riskmetrics.insights.severity import Severity, judge_severity
from riskmetrics.present.caveats import list_caveats

_MAX_POSITIONS = 5
"""Largest symbols by weight, and as many by share of volatility."""

_BATCH_SHEETS = 500
"""Sheets that are in memory at once."""

PORTFOLIO_ALIAS_PREFIX = "PTF"
"""Prefix of portfolio aliases."""


def portfolio_alias(portfolio_id: str) -> str:
    """Return the alias of a portfolio: a hash of its id, anonymous and stable."""
    return f"{PORTFOLIO_ALIAS_PREFIX}_{sha256(portfolio_id.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Sheet:
    """The facts of one portfolio on one session."""

    portfolio_id: str
    day: date
    facts: dict[str, Fact]
    """Fact id to fact."""
    aliases: dict[str, dict[str, str]]
    """Alias to symbol and name, sector, or scenario."""
    missing: dict[str, str] = field(default_factory=dict)
    """'table.column' of the portfolio's undefined values to the reason."""
    caveats: tuple[str, ...] = ()
    """Caveats of all figures of the portfolio."""
    severity: Severity | None = None
    before: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Claims of the session before with their values, which make a claim old or new."""

    @property
    def portfolio(self) -> str:
        """Alias of the portfolio."""
        return portfolio_alias(self.portfolio_id)

    @cached_property
    def digest(self) -> str:
        """SHA-256 hex digest of values, formatted values, aliases, undefined values and caveats."""
        facts = [
            [fact.id, fact.formatted, fact.value, fact.quality] for fact in self.facts.values()
        ]
        return sha256(
            json.dumps([facts, self.aliases, self.missing, *self.caveats]).encode()
        ).hexdigest()

    @cached_property
    def by_type(self) -> dict[tuple[str, str | None], Fact]:
        """Type name and entity to fact."""
        return {(fact.fact_type.name, fact.entity): fact for fact in self.facts.values()}

    def select_facts(self, insight_type: str, providers: Sequence[str]) -> "Sheet":
        """Return the sheet with the facts of some providers, severity and thresholds."""
        selected = {
            fact.id: fact for fact in self.facts.values() if fact.fact_type.provider in providers
        }
        severity = judge_severity(insight_type, selected.values())
        stated: dict[str, float | str] = {"severity": severity.level, **severity.thresholds}
        for name, value in stated.items():
            selected[name] = make_fact(
                FACT_TYPES[name], value, self.day, {"version": str(severity.version)}
            )
        entities = {fact.entity for fact in selected.values()}
        aliases = {alias: name for alias, name in self.aliases.items() if alias in entities}
        read = source_columns(tuple(providers))
        missing = {metric: reason for metric, reason in self.missing.items() if metric in read}
        return replace(self, facts=selected, aliases=aliases, missing=missing, severity=severity)


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
    size = max(1, _BATCH_SHEETS // len(days))
    portfolios = stored.read_portfolio_ids(connection, days, portfolio)
    for first in range(0, len(portfolios), size):
        yield _read_batch(connection, days, portfolios[first : first + size])


def _read_batch(
    connection: sa.Connection, days: Sequence[date], portfolios: Sequence[UUID]
) -> list[Sheet]:
    previous_day = trading_calendar.previous_session(days[0])
    snapshots = stored.snapshots(connection, [previous_day, *days], portfolios)
    records_by_name = stored.read_records(connection, days, portfolios)
    records_by_name["positions"] = stored.positions(
        connection, days, portfolios, count=_MAX_POSITIONS
    )
    earlier = dict(zip(days, [previous_day, *days], strict=False))
    keys = sorted(key for key in snapshots if key[1] in earlier)
    return [
        _build_sheet(
            *key,
            snapshots[key][0],
            snapshots.get((key[0], earlier[key[1]]), [None])[0],
            records_by_name,
        )
        for key in keys
    ]


def _build_sheet(
    portfolio_id: str,
    day: date,
    snapshot: Record,
    previous_snapshot: Record | None,
    records_by_name: Mapping[str, Records],
) -> Sheet:
    rows_by_name = {
        name: records.get((portfolio_id, day), []) for name, records in records_by_name.items()
    }
    aliases: dict[str, dict[str, str]] = {}
    counts = {row["metric"]: (row["n_covered"], row["n_total"]) for row in rows_by_name["coverage"]}
    n_known, n_traded = counts.get("daily_pnl", (0, 0))
    make = partial(
        make_fact,
        as_of=day,
        key={"portfolio_id": portfolio_id, "day": day.isoformat()},
        currency=snapshot["currency"],
    )
    found = [
        *result_facts.snapshot_facts(
            make, snapshot, {row["metric"]: row["coverage"] for row in rows_by_name["coverage"]}
        ),
        *result_facts.forecast_facts(
            make,
            snapshot,
            next(iter(rows_by_name["forecasts"]), None),
            next(iter(rows_by_name["scores"]), None),
        ),
        *result_facts.position_facts(make, rows_by_name["positions"], aliases),
        *result_facts.sector_facts(make, rows_by_name["sectors"], aliases),
        *result_facts.risk_facts(make, rows_by_name, aliases),
        *result_facts.change_facts(
            make, snapshot, previous_snapshot, is_profit_known=n_known >= n_traded
        ),
    ]
    missing = {row["metric"]: row["reason"] for row in rows_by_name["undefined"]}
    equity, gross = float(snapshot["total_value"]), float(snapshot["gross_exposure"])
    return Sheet(
        portfolio_id,
        day,
        {fact.id: fact for fact in found if fact is not None},
        aliases,
        missing,
        tuple(list_caveats(counts, equity, gross)),
    )
