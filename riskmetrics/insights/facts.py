"""Fact sheets: what is stored of a portfolio on a session, as figures with an id, a unit, a window and a source. All arithmetic is here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import facts as stored
from riskmetrics.db.facts import Record, Records
from riskmetrics.insights.kinds import CHANGED, KINDS, Kind, show, sources
from riskmetrics.insights.severity import Severity, judge
from riskmetrics.metrics.forecast_score import HORIZON
from riskmetrics.report.reservations import doubted_closes, missing_prices, small_equity

_LARGEST = 5
"""Symbols by weight, and as many by share of volatility."""

_SECTORS, _SCENARIOS = 3, 3
"""Sectors by gross weight, beside the most over- and underweight ones; scenarios by loss."""

PORTFOLIO = "PTF"
"""How the alias of a portfolio begins."""


@dataclass(frozen=True)
class Fact:
    """A figure that prose may state."""

    id: str
    kind: Kind
    value: float | str
    shown_as: str
    as_of: date
    source_key: dict[str, str]
    about: str | None = None
    """Alias of the position, sector or scenario; None: the portfolio."""
    rank: int | None = None
    """1: the largest, or of stress results the worst."""
    n_obs: int | None = None
    quality: str = "ok"
    currency: str = ""

    @property
    def size(self) -> str:
        """The figure without its sign."""
        return show(self.value, self.kind.unit, self.currency, size=True)

    @property
    def shown(self) -> str:
        """The figure as its value is shown."""
        return show(self.value, self.kind.unit, self.currency)

    @cached_property
    def record(self) -> dict[str, Any]:
        """It, as `context_data` keeps it."""
        shown = {"id": self.id, "kind": self.kind.name, "value": self.value, "unit": self.kind.unit, "shown_as": self.shown_as}
        table = {"source": self.kind.source, "key": self.source_key, "as_of": self.as_of.isoformat(), "quality": self.quality}
        optional = {"window": self.kind.window, "about": self.about, "rank": self.rank, "n_obs": self.n_obs, "currency": self.currency}
        return shown | table | {name: value for name, value in optional.items() if value not in (None, "")}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Fact":
        """Return the fact of a record."""
        kept = {name: record[name] for name in ("about", "rank", "n_obs", "currency") if name in record}
        return cls(
            record["id"],
            KINDS[record["kind"]],
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
    """By id."""
    called: dict[str, dict[str, str]]
    """What the aliases stand for: symbol and name, sector, or scenario."""
    missing: dict[str, str] = field(default_factory=dict)
    """'table.column' of the portfolio that has no value, and why."""
    caveats: tuple[str, ...] = ()
    """What to know before any figure of the portfolio is read."""
    severity: Severity | None = None

    @property
    def portfolio(self) -> str:
        """The portfolio's alias: of its id, so that it tells nothing and never changes."""
        return f"{PORTFOLIO}_{sha256(self.portfolio_id.encode()).hexdigest()[:12]}"

    @cached_property
    def digest(self) -> str:
        """Sha256 hex of the figures, as they are and as they are shown, and of what they are about."""
        facts = [[fact.id, fact.shown_as, fact.value, fact.quality] for fact in self.facts.values()]
        return sha256(json.dumps([facts, self.called, self.missing, *self.caveats]).encode()).hexdigest()

    @cached_property
    def by_kind(self) -> dict[tuple[str, str | None], Fact]:
        """The facts by kind and what they are about."""
        return {(fact.kind.name, fact.about): fact for fact in self.facts.values()}

    def of(self, insight_type: str, providers: Sequence[str]) -> "Sheet":
        """Return the facts of some providers, with the severity that they mean for a type of insight and its thresholds."""
        kept = {fact.id: fact for fact in self.facts.values() if fact.kind.provider in providers}
        severity = judge(insight_type, kept.values())
        stated: dict[str, float | str] = {"severity": severity.level, **severity.thresholds}
        for name, value in stated.items():
            kept[name] = _fact(KINDS[name], value, self.day, {"version": str(severity.version)})
        about = {fact.about for fact in kept.values()}
        called = {alias: name for alias, name in self.called.items() if alias in about}
        read = sources(tuple(providers))
        missing = {metric: reason for metric, reason in self.missing.items() if metric in read}
        return replace(self, facts=kept, called=called, missing=missing, severity=severity)


def sheets(connection: sa.Connection, days: Sequence[date], portfolio: str | None = None) -> list[Sheet]:
    """Return the sheet of every portfolio that has a snapshot on one of ``days``, by portfolio and day; one bulk read for all."""
    before = trading_calendar.previous(days[0])
    snapshots = stored.snapshots(connection, [before, *days], portfolio)
    names = ("forecasts", "scores", "rate_betas", "sectors", "stress", "tail_risk", "drawdowns", "coverage", "undefined")
    rest = {name: getattr(stored, name)(connection, days, portfolio) for name in names}
    rest["positions"] = stored.positions(connection, days, portfolio, count=_LARGEST)
    earlier = dict(zip(days, [before, *days], strict=False))
    keys = sorted(key for key in snapshots if key[1] in earlier)
    return [_sheet(*key, snapshots[key][0], snapshots.get((key[0], earlier[key[1]]), [None])[0], rest) for key in keys]


def _sheet(portfolio_id: str, day: date, snapshot: Record, before: Record | None, rest: Mapping[str, Records]) -> Sheet:
    of = {name: records.get((portfolio_id, day), []) for name, records in rest.items()}
    called: dict[str, dict[str, str]] = {}
    counts = {row["metric"]: (row["n_covered"], row["n_total"]) for row in of["coverage"]}
    n_known, n_traded = counts.get("daily_pnl", (0, 0))
    make = partial(_fact, as_of=day, key={"portfolio_id": portfolio_id, "day": day.isoformat()}, currency=snapshot["currency"])
    found = [
        *_of_snapshot(make, snapshot, {row["metric"]: row["coverage"] for row in of["coverage"]}),
        *_of_forecasts(make, snapshot, next(iter(of["forecasts"]), None), next(iter(of["scores"]), None)),
        *_of_positions(make, of["positions"], called),
        *_of_sectors(make, of["sectors"], called),
        *_of_losses(make, of, called),
        *_of_changes(make, snapshot, before, is_profit_known=n_known >= n_traded),
    ]
    missing = {row["metric"]: row["reason"] for row in of["undefined"]}
    unpriced = missing_prices(*counts.get("prices", (0, 0)))
    doubted = doubted_closes(*counts.get("believed_prices", (0, 0)))
    equity = small_equity(float(snapshot["total_value"]), float(snapshot["gross_exposure"]))
    caveats = tuple(text for text in (unpriced, equity, doubted) if text)
    return Sheet(portfolio_id, day, {fact.id: fact for fact in found if fact is not None}, called, missing, caveats)


def _fact(kind: Kind, value: float | str, as_of: date, key: dict[str, str], currency: str = "", **more: Any) -> Fact:
    about = more.get("about")
    name = f"{about.lower()}_{kind.name}" if about else kind.name
    more.setdefault("currency", currency if kind.unit.endswith("money") else "")
    return Fact(name, kind, value, show(value, kind.unit, currency), as_of, key, **more)


def _given(make: "partial[Fact]", figures: Mapping[str, float | str | None], **more: Any) -> Iterator[Fact]:
    """Make facts of the figures that are defined."""
    return (make(KINDS[name], value, **more) for name, value in figures.items() if value is not None)


def _of_snapshot(make: "partial[Fact]", row: Record, coverage: Mapping[str, float]) -> Iterator[Fact]:
    columns = ("total_value", "cash_value", "long_value", "short_value", "gross_exposure", "net_exposure")
    counts = ("num_positions", "num_long_positions", "num_short_positions")
    profit = {name: row[name] for name in ("daily_pnl", "daily_return", "cumulative_pnl")}
    yield from _given(make, {name: row[name] for name in (*columns, *counts)} | profit)
    if row["gross_exposure"] > 0 and not small_equity(float(row["total_value"]), float(row["gross_exposure"])):
        shares = {"gross_to_equity": "gross_exposure", "net_to_equity": "net_exposure"}
        yield from _given(make, {name: row[of] / row["total_value"] for name, of in shares.items()})
    yield from _given(make, {"price_coverage": coverage.get("prices"), "beta_coverage": coverage.get("beta")})
    betas = {"beta": "beta_calculated_90d", "beta_r_squared": "beta_calculated_90d_r_squared", "own_beta": "beta_portfolio_regression"}
    yield from _given(make, {name: row[of] for name, of in betas.items()}, n_obs=row["beta_calculated_90d_observations"])
    tops = {
        "hhi": "hhi",
        "effective_positions": "effective_num_positions",
        "top_3": "top_3_concentration",
        "top_10": "top_10_concentration",
    }
    yield from _given(make, {name: row[of] for name, of in ({"provider_beta": "beta_provider_1y"} | tops).items()})


def _of_forecasts(make: "partial[Fact]", row: Record, forecast: Record | None, score: Record | None) -> Iterator[Fact]:
    past = {"volatility_21d": row["realized_volatility_21d"], "volatility_63d": row["realized_volatility_63d"]}
    yield from _given(make, past | {name: row[name] for name in ("volatility_percentile", "volatility_trend")})
    if forecast:
        expected = {
            "expected_volatility": row["expected_volatility_21d"],
            "expected_low": forecast["low"],
            "expected_high": forecast["high"],
        }
        quality = "in sample" if forecast["in_sample"] else "short history" if forecast["short_history"] else "ok"
        n_obs = forecast["observations"]
        yield from _given(make, expected | {"rise_probability": forecast["rise_probability"]}, n_obs=n_obs, quality=quality)
    if score:
        figures = {"past_forecast": "expected", "past_outcome": "realized", "past_low": "low", "past_high": "high"}
        quality = "in sample" if score["in_sample"] else "ok"
        yield from _given(make, {name: score[of] for name, of in figures.items()}, n_obs=HORIZON, quality=quality)


def _of_positions(make: "partial[Fact]", rows: Sequence[Record], called: dict[str, dict[str, str]]) -> Iterator[Fact]:
    for number, row in enumerate(rows, start=1):
        alias = f"POS_{number:02}"
        called[alias] = {"symbol": row["symbol"]} | ({"name": row["company"]} if row["company"] else {})
        side = "long" if row["weight"] > 0 else "short"
        yield from _given(make, {"weight": abs(row["weight"])}, about=alias, rank=row["weight_rank"])
        yield from _given(make, {"side": side}, about=alias)
        yield from _given(make, {"share": row["share"]}, about=alias, rank=row["share_rank"], n_obs=row["observations"])
    if rows:
        yield from _given(make, {"short_share": rows[0]["short_share"]})


def _of_sectors(make: "partial[Fact]", rows: Sequence[Record], called: dict[str, dict[str, str]]) -> Iterator[Fact]:
    """Take the sectors in which most is held, and those that differ most from the benchmark."""
    held = [row for row in rows if row["gross_weight"] > 0]
    active = sorted((row for row in rows if row["active_weight"] is not None), key=lambda row: -row["active_weight"])
    chosen = held[:_SECTORS] + [row for row in (*active[:1], *active[-1:]) if row not in held[:_SECTORS]]
    for number, row in enumerate(chosen, start=1):
        alias = f"SEC_{number:02}"
        called[alias] = {"sector": row["sector"]}
        yield from _given(make, {"gross": row["gross_weight"]}, about=alias, rank=rows.index(row) + 1)
        yield from _given(make, {"benchmark": row["benchmark_weight"]}, about=alias)
        if row in active:
            yield from _given(make, {"active": row["active_weight"]}, about=alias, rank=active.index(row) + 1)


def _of_losses(make: "partial[Fact]", of: Mapping[str, Sequence[Record]], called: dict[str, dict[str, str]]) -> Iterator[Fact]:
    for row in of["rate_betas"]:
        yield from _given(make, {name: row[name] for name in ("rate_beta", "two_factor_rate_beta")}, n_obs=row["observations"])
    for number, row in enumerate(of["stress"][:_SCENARIOS], start=1):
        alias = f"SCN_{number:02}"
        called[alias] = {"scenario": row["scenario"]}
        covered = f"{row['coverage']:.0%}"
        quality = "ok" if covered == "100%" else f"covers {covered} of gross exposure"
        yield from _given(make, {"result": -row["loss"]}, about=alias, rank=number, quality=quality)
    for row in of["tail_risk"]:
        level = f"{row['level']:.2f}".removeprefix("0.")
        figures = {f"var_{level}": row["value_at_risk"], f"shortfall_{level}": row["expected_shortfall"]}
        yield from _given(make, {name: value for name, value in figures.items() if name in KINDS}, n_obs=row["observations"])
    for row in of["drawdowns"]:
        yield from _given(make, {"drawdown": row["current"], "largest_drawdown": row["largest"]}, n_obs=row["observations"])


_MONEY_CHANGES = ("total_value", "gross_exposure")
"""Changes that are no facts where the profit of an instrument is unknown: they would state it."""


def _of_changes(
    make: "partial[Fact]",
    row: Record,
    before: Record | None,
    *,
    is_profit_known: bool,
) -> Iterator[Fact]:
    columns = {
        "beta": "beta_calculated_90d",
        "volatility_21d": "realized_volatility_21d",
        "expected_volatility": "expected_volatility_21d",
        "top_3": "top_3_concentration",
    }
    for name in CHANGED:
        column = columns.get(name, name)
        if name in _MONEY_CHANGES and not is_profit_known:
            continue
        if before and None not in (row[column], before[column]):
            yield from _given(make, {f"{name}_change": row[column] - before[column]})
