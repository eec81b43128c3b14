"""Fact sheets: the figures of a portfolio on a session with id, unit, window and source.

All arithmetic of insights is here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import fact_queries as stored
from riskmetrics.db.fact_queries import Record, Records
from riskmetrics.insights.fact_types import (
    CHANGE_UNITS,
    FACT_TYPES,
    FactType,
    format_value,
    source_columns,
)
from riskmetrics.insights.severity import Severity, judge_severity
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.report.caveats import (
    missing_prices_caveat,
    small_equity_caveat,
    unconfirmed_closes_caveat,
)

_MAX_POSITIONS = 5
"""Largest symbols by weight, and as many by share of volatility."""

_MAX_SECTORS, _MAX_SCENARIOS = 3, 3
"""Largest sectors by gross weight (plus the most over- and underweight); worst scenarios."""

PORTFOLIO_ALIAS_PREFIX = "PTF"
"""Prefix of portfolio aliases."""


@dataclass(frozen=True)
class Fact:
    """A figure that an insight may state."""

    id: str
    fact_type: FactType
    value: float | str
    formatted: str
    as_of: date
    source_key: dict[str, str]
    entity: str | None = None
    """Alias of the position, sector or scenario; None for the portfolio."""
    rank: int | None = None
    """1 is the largest, or the worst stress result."""
    n_obs: int | None = None
    quality: str = "ok"
    currency: str = ""

    @property
    def unsigned(self) -> str:
        """Formatted value without its sign."""
        return format_value(self.value, self.fact_type.unit, self.currency, is_unsigned=True)

    @property
    def reformatted(self) -> str:
        """Value formatted again, to compare with `formatted`."""
        return format_value(self.value, self.fact_type.unit, self.currency)

    @cached_property
    def record(self) -> dict[str, Any]:
        """Record of the fact in `context_data`."""
        shown = {
            "id": self.id,
            "kind": self.fact_type.name,
            "value": self.value,
            "unit": self.fact_type.unit,
            "shown_as": self.formatted,
        }
        table = {
            "source": self.fact_type.source,
            "key": self.source_key,
            "as_of": self.as_of.isoformat(),
            "quality": self.quality,
        }
        optional = {
            "window": self.fact_type.window,
            "about": self.entity,
            "rank": self.rank,
            "n_obs": self.n_obs,
            "currency": self.currency,
        }
        return (
            shown
            | table
            | {name: value for name, value in optional.items() if value not in (None, "")}
        )

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Fact":
        """Return the fact of a record."""
        kept = {name: record[name] for name in ("rank", "n_obs", "currency") if name in record} | {
            "entity": record.get("about")
        }
        return cls(
            record["id"],
            FACT_TYPES[record["kind"]],
            record["value"],
            record["shown_as"],
            date.fromisoformat(record["as_of"]),
            record["key"],
            quality=record["quality"],
            **kept,
        )


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

    @property
    def portfolio(self) -> str:
        """Alias of the portfolio: a hash of its id, anonymous and stable."""
        return f"{PORTFOLIO_ALIAS_PREFIX}_{sha256(self.portfolio_id.encode()).hexdigest()[:12]}"

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
            selected[name] = _make_fact(
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
    previous_day = trading_calendar.previous_session(days[0])
    snapshots = stored.snapshots(connection, [previous_day, *days], portfolio)
    names = (
        "forecasts",
        "scores",
        "rate_betas",
        "sectors",
        "stress",
        "tail_risk",
        "drawdowns",
        "coverage",
        "undefined",
    )
    records_by_name = {name: getattr(stored, name)(connection, days, portfolio) for name in names}
    records_by_name["positions"] = stored.positions(
        connection, days, portfolio, count=_MAX_POSITIONS
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
        _make_fact,
        as_of=day,
        key={"portfolio_id": portfolio_id, "day": day.isoformat()},
        currency=snapshot["currency"],
    )
    found = [
        *_snapshot_facts(
            make, snapshot, {row["metric"]: row["coverage"] for row in rows_by_name["coverage"]}
        ),
        *_forecast_facts(
            make,
            snapshot,
            next(iter(rows_by_name["forecasts"]), None),
            next(iter(rows_by_name["scores"]), None),
        ),
        *_position_facts(make, rows_by_name["positions"], aliases),
        *_sector_facts(make, rows_by_name["sectors"], aliases),
        *_risk_facts(make, rows_by_name, aliases),
        *_change_facts(make, snapshot, previous_snapshot, is_profit_known=n_known >= n_traded),
    ]
    missing = {row["metric"]: row["reason"] for row in rows_by_name["undefined"]}
    unpriced = missing_prices_caveat(*counts.get("prices", (0, 0)))
    unconfirmed = unconfirmed_closes_caveat(*counts.get("believed_prices", (0, 0)))
    equity = small_equity_caveat(float(snapshot["total_value"]), float(snapshot["gross_exposure"]))
    caveats = tuple(text for text in (unpriced, equity, unconfirmed) if text)
    return Sheet(
        portfolio_id,
        day,
        {fact.id: fact for fact in found if fact is not None},
        aliases,
        missing,
        caveats,
    )


def _make_fact(
    fact_type: FactType,
    value: float | str,
    as_of: date,
    key: dict[str, str],
    currency: str = "",
    **more: Any,
) -> Fact:
    entity = more.get("entity")
    name = f"{entity.lower()}_{fact_type.name}" if entity else fact_type.name
    more.setdefault("currency", currency if fact_type.unit.endswith("money") else "")
    return Fact(
        name, fact_type, value, format_value(value, fact_type.unit, currency), as_of, key, **more
    )


def _defined_facts(
    make: "partial[Fact]", figures: Mapping[str, float | str | None], **more: Any
) -> Iterator[Fact]:
    """Yield facts of the figures that are defined."""
    return (
        make(FACT_TYPES[name], value, **more)
        for name, value in figures.items()
        if value is not None
    )


def _snapshot_facts(
    make: "partial[Fact]", row: Record, coverage: Mapping[str, float]
) -> Iterator[Fact]:
    columns = (
        "total_value",
        "cash_value",
        "long_value",
        "short_value",
        "gross_exposure",
        "net_exposure",
    )
    counts = ("num_positions", "num_long_positions", "num_short_positions")
    pnl = {name: row[name] for name in ("daily_pnl", "daily_return", "cumulative_pnl")}
    yield from _defined_facts(make, {name: row[name] for name in (*columns, *counts)} | pnl)
    if row["gross_exposure"] > 0 and not small_equity_caveat(
        float(row["total_value"]), float(row["gross_exposure"])
    ):
        shares = {"gross_to_equity": "gross_exposure", "net_to_equity": "net_exposure"}
        yield from _defined_facts(
            make, {name: row[of] / row["total_value"] for name, of in shares.items()}
        )
    yield from _defined_facts(
        make, {"price_coverage": coverage.get("prices"), "beta_coverage": coverage.get("beta")}
    )
    betas = {
        "beta": "beta_calculated_90d",
        "beta_r_squared": "beta_calculated_90d_r_squared",
        "own_beta": "beta_portfolio_regression",
    }
    yield from _defined_facts(
        make,
        {name: row[of] for name, of in betas.items()},
        n_obs=row["beta_calculated_90d_observations"],
    )
    tops = {
        "hhi": "hhi",
        "effective_positions": "effective_num_positions",
        "top_3": "top_3_concentration",
        "top_10": "top_10_concentration",
    }
    yield from _defined_facts(
        make, {name: row[of] for name, of in ({"provider_beta": "beta_provider_1y"} | tops).items()}
    )


def _forecast_facts(
    make: "partial[Fact]", row: Record, forecast: Record | None, score: Record | None
) -> Iterator[Fact]:
    past = {
        "volatility_21d": row["realized_volatility_21d"],
        "volatility_63d": row["realized_volatility_63d"],
    }
    yield from _defined_facts(
        make, past | {name: row[name] for name in ("volatility_percentile", "volatility_trend")}
    )
    if forecast:
        expected = {
            "expected_volatility": row["expected_volatility_21d"],
            "expected_low": forecast["low"],
            "expected_high": forecast["high"],
        }
        quality = (
            "in sample"
            if forecast["in_sample"]
            else "short history"
            if forecast["short_history"]
            else "ok"
        )
        n_obs = forecast["observations"]
        yield from _defined_facts(
            make,
            expected | {"rise_probability": forecast["rise_probability"]},
            n_obs=n_obs,
            quality=quality,
        )
    if score:
        figures = {
            "past_forecast": "expected",
            "past_outcome": "realized",
            "past_low": "low",
            "past_high": "high",
        }
        quality = "in sample" if score["in_sample"] else "ok"
        yield from _defined_facts(
            make,
            {name: score[of] for name, of in figures.items()},
            n_obs=FORECAST_HORIZON,
            quality=quality,
        )


def _position_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: dict[str, dict[str, str]]
) -> Iterator[Fact]:
    for number, row in enumerate(rows, start=1):
        alias = f"POS_{number:02}"
        aliases[alias] = {"symbol": row["symbol"]} | (
            {"name": row["company"]} if row["company"] else {}
        )
        side = "long" if row["weight"] > 0 else "short"
        yield from _defined_facts(
            make, {"weight": abs(row["weight"])}, entity=alias, rank=row["weight_rank"]
        )
        yield from _defined_facts(make, {"side": side}, entity=alias)
        yield from _defined_facts(
            make,
            {"share": row["share"]},
            entity=alias,
            rank=row["share_rank"],
            n_obs=row["observations"],
        )
    if rows:
        yield from _defined_facts(make, {"short_share": rows[0]["short_share"]})


def _sector_facts(
    make: "partial[Fact]", rows: Sequence[Record], aliases: dict[str, dict[str, str]]
) -> Iterator[Fact]:
    """Yield facts of the largest and of the most over- and underweight sectors."""
    held = [row for row in rows if row["gross_weight"] > 0]
    active = sorted(
        (row for row in rows if row["active_weight"] is not None),
        key=lambda row: -row["active_weight"],
    )
    chosen = held[:_MAX_SECTORS] + [
        row for row in (*active[:1], *active[-1:]) if row not in held[:_MAX_SECTORS]
    ]
    for number, row in enumerate(chosen, start=1):
        alias = f"SEC_{number:02}"
        aliases[alias] = {"sector": row["sector"]}
        yield from _defined_facts(
            make, {"gross": row["gross_weight"]}, entity=alias, rank=rows.index(row) + 1
        )
        yield from _defined_facts(make, {"benchmark": row["benchmark_weight"]}, entity=alias)
        if row in active:
            yield from _defined_facts(
                make, {"active": row["active_weight"]}, entity=alias, rank=active.index(row) + 1
            )


def _risk_facts(
    make: "partial[Fact]",
    rows_by_name: Mapping[str, Sequence[Record]],
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    for row in rows_by_name["rate_betas"]:
        yield from _defined_facts(
            make,
            {name: row[name] for name in ("rate_beta", "two_factor_rate_beta")},
            n_obs=row["observations"],
        )
    for number, row in enumerate(rows_by_name["stress"][:_MAX_SCENARIOS], start=1):
        alias = f"SCN_{number:02}"
        aliases[alias] = {"scenario": row["scenario"]}
        covered = f"{row['coverage']:.0%}"
        quality = "ok" if covered == "100%" else f"covers {covered} of gross exposure"
        yield from _defined_facts(
            make, {"result": -row["loss"]}, entity=alias, rank=number, quality=quality
        )
    for row in rows_by_name["tail_risk"]:
        level = f"{row['level']:.2f}".removeprefix("0.")
        figures = {
            f"var_{level}": row["value_at_risk"],
            f"shortfall_{level}": row["expected_shortfall"],
        }
        yield from _defined_facts(
            make,
            {name: value for name, value in figures.items() if name in FACT_TYPES},
            n_obs=row["observations"],
        )
    for row in rows_by_name["drawdowns"]:
        yield from _defined_facts(
            make,
            {"drawdown": row["current"], "largest_drawdown": row["largest"]},
            n_obs=row["observations"],
        )


_MONEY_CHANGES = ("total_value", "gross_exposure")
"""Changes that are omitted if an instrument's P&L is unknown, because they would reveal it."""


def _change_facts(
    make: "partial[Fact]",
    row: Record,
    previous: Record | None,
    *,
    is_profit_known: bool,
) -> Iterator[Fact]:
    columns = {
        "beta": "beta_calculated_90d",
        "volatility_21d": "realized_volatility_21d",
        "expected_volatility": "expected_volatility_21d",
        "top_3": "top_3_concentration",
    }
    for name in CHANGE_UNITS:
        column = columns.get(name, name)
        if name in _MONEY_CHANGES and not is_profit_known:
            continue
        if previous and None not in (row[column], previous[column]):
            yield from _defined_facts(make, {f"{name}_change": row[column] - previous[column]})
