"""One self-contained HTML page of all portfolios on one session, from stored results."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import jinja2
import markupsafe
import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import insights, losses, rates, read, stored, volatility
from riskmetrics.db.suspects import import_seams, suspected_moves
from riskmetrics.errors import DataQualityError
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.report import figures
from riskmetrics.report.figures import Axis
from riskmetrics.report.notes import OF_PORTFOLIO, Notes, Record
from riskmetrics.report.reservations import reservations
from riskmetrics.results import price_quality, scores
from riskmetrics.results.betas import MIN_PAIRS, WINDOW
from riskmetrics.text import escape_controls

_POSITION_TYPES = {"LONG": "Long", "SHORT": "Short", "LC": "Long call", "LP": "Long put", "SC": "Short call", "SP": "Short put"}
_AMOUNTS = ("total_value", "cash_value", "long_value", "short_value", "gross_exposure", "net_exposure")


class Instrument(NamedTuple):
    """Rows of `db.volatility` and `db.rates` on what is held, its lots together; None if a step has not run."""

    symbol: str
    position_type: str
    contract: str
    """Strike and expiration of an option."""
    volatility: Record | None
    rates: Record | None


@dataclass(frozen=True)
class Section:
    """What is stored of one portfolio on the session; a missing value is None."""

    anchor: str
    name: str
    currency: str
    snapshot: Record | None
    """The row of `portfolio_snapshots`; None if none of the holdings has a price."""
    betas: list[Record]
    sectors: list[Record]
    coverage: dict[str, Record]
    """By metric."""
    risk: dict[str, list[Record]]
    """Rows of the tables of `db.losses`, by its functions' names."""
    volatility: Record | None
    """With the forecast's band; None as the snapshot is."""
    rates: Record | None
    instruments: list[Instrument]
    notes: Notes
    reservations: list[str]
    """What to know before its values and weights are read."""
    faults: list[Record]
    """What is wrong with the prices of what it holds, and of the market index, as `price_quality.find` lists it."""
    insights: list[Record]
    """Rows of `ai_insights`, the severest first."""

    @cached_property
    def amounts(self) -> Axis:
        """The axis of the values' bars."""
        return Axis.over((self.snapshot or {}).get(name) for name in _AMOUNTS)

    @cached_property
    def weights(self) -> Axis:
        """The axis of the sectors' bars."""
        return Axis.over(row[name] for row in self.sectors for name in ("net_weight", "benchmark_weight"))

    @cached_property
    def components(self) -> Axis:
        """The axis of the contributions' bars."""
        return Axis.over(row["component"] for row in self.risk["contributions"])

    @cached_property
    def stress_losses(self) -> Axis:
        """The axis of the scenarios' bars."""
        return Axis.over(row["loss"] for row in self.risk["stress"])

    @cached_property
    def beta_axis(self) -> Axis:
        """The axis of the positions' betas; it holds the market's, 1."""
        ends = [end for row in self.betas if row["beta"] is not None for end in uncertainty(row)]
        return Axis.over([1.0, *ends])

    @cached_property
    def volatility_axis(self) -> Axis:
        """The axis of the positions' bands."""
        rows = [of.volatility for of in self.instruments if of.volatility and of.volatility["low"] is not None]
        return Axis.over(row[name] for row in rows for name in ("high", "realized_vol_21d"))


def render(connection: sa.Connection, day: date) -> str:
    """Return the page of a session.

    Raises
    ------
    DataQualityError
        If no snapshot is stored for ``day``, or two portfolios share a name.
    """
    sections = _sections(connection, day)
    snapshots = [section.snapshot for section in sections if section.snapshot]
    if not snapshots:
        raise DataQualityError(f"no snapshot is stored for {day}: run that session with `riskmetrics run --date {day}`")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            day=day,
            sections=sections,
            track_record_rows=_track_record(connection, day),
            market=", ".join(sorted({row["market_index"] for section in sections for row in section.betas})) or "the market index",
            runs=_distinct(snapshots, "dagster_run_id"),
            versions=_distinct(snapshots, "code_version"),
        )
    )


def _track_record(connection: sa.Connection, day: date) -> list[Record]:
    """How the forecasts complete by the day did: rows of `scores.summary` over all pairs."""
    found = scores.summary(volatility.forecast_scores(connection, day))
    return _records(found[found["subject"] == scores.POOLED])


def uncertainty(row: Record) -> tuple[float, float]:
    """Where the beta of the next window is to be expected: one widened standard error to either side."""
    half = figures.NEXT_WINDOW * (row["std_error"] or 0.0)
    return row["beta"] - half, row["beta"] + half


def _sections(connection: sa.Connection, day: date) -> list[Section]:
    """Return the portfolios that have a snapshot, or a reason for having none."""
    portfolios = _records(read.portfolios(connection))
    frames = {name: query(connection, day) for name, query in (_QUERIES | _LOSSES).items()}
    tables = {name: _by_portfolio(frame) for name, frame in frames.items()}
    tables["insights"] = _said(connection, day)
    reserved = reservations(frames["snapshots"], frames["coverage"])
    indices = {row["market_index"] for rows in tables["betas"].values() for row in rows}
    bars = read.held_bars(connection, price_quality.sessions(day), indices)
    suspects = suspected_moves(connection, bars.close.columns)
    seams = import_seams(connection, bars.close.columns, price_quality.sessions(day))
    faults = _records(price_quality.find(bars, suspects, seams))
    stated = [row for row in portfolios if row["name"] in tables["snapshots"] or row["name"] in tables["undefined"]]
    if len({row["name"] for row in stated}) < len(stated):
        raise DataQualityError("two portfolios have the same name: rename one in the database, names must tell them apart")
    return [
        _section(number, row, {name: of.get(row["name"], []) for name, of in tables.items()}, reserved.get(row["name"], []), faults)
        for number, row in enumerate(stated, 1)
    ]


_QUERIES = {
    "snapshots": stored.snapshots,
    "betas": stored.betas,
    "sectors": stored.sectors,
    "coverage": stored.coverage,
    "undefined": stored.undefined,
    "volatility": volatility.of_portfolios,
    "position_volatility": volatility.of_positions,
    "rates": rates.of_portfolios,
    "rate_betas": rates.of_positions,
}
_LOSSES = {
    "tail_risk": losses.tail_risk,
    "var_backtests": losses.var_backtests,
    "drawdowns": losses.drawdowns,
    "contributions": losses.contributions,
    "stress": losses.stress,
    "options": losses.options,
}


def _section(number: int, portfolio: Record, tables: dict[str, list[Record]], reserved: list[str], faults: list[Record]) -> Section:
    symbols = {row[name] for row in tables["betas"] for name in ("symbol", "market_index")}
    symbols |= {row["underlying_symbol"] for row in tables["options"]}
    shown = {
        "portfolio_snapshots": tables["snapshots"],
        "position_market_betas": tables["betas"],
        "portfolio_sector_weights": tables["sectors"],
        "position_volatility": tables["position_volatility"],
        "portfolio_rate_betas": tables["rates"],
        "position_interest_rate_betas": tables["rate_betas"],
    }
    return Section(
        anchor=f"portfolio-{number}",
        name=portfolio["name"],
        currency=portfolio["currency"],
        snapshot=next(iter(tables["snapshots"]), None),
        betas=tables["betas"],
        sectors=tables["sectors"],
        coverage={row["metric"]: row for row in tables["coverage"]},
        risk={name: tables[name] for name in _LOSSES},
        volatility=next(iter(tables["volatility"]), None),
        rates=next(iter(tables["rates"]), None),
        instruments=_instruments(tables["position_volatility"], tables["rate_betas"]),
        notes=Notes(tables["undefined"], shown),
        reservations=reserved,
        faults=[fault for fault in faults if fault["symbol"] in symbols],
        insights=tables["insights"],
    )


def _instruments(volatilities: list[Record], rate_betas: list[Record]) -> list[Instrument]:
    of, to = ({(row["symbol"], row["position_type"], contract(row)): row for row in rows} for rows in (volatilities, rate_betas))
    return [Instrument(*key, of.get(key), to.get(key)) for key in sorted(of.keys() | to.keys())]


def _said(connection: sa.Connection, day: date) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in insights.latest(connection, day):
        found.setdefault(row["portfolio"], []).append(row)
    return found


def contract(row: Record) -> str:
    """Strike and expiration of an option, as far as they are known; of another position nothing."""
    strike, expiration = row["strike_price"], row["expiration_date"]
    parts = ("" if strike is None else figures.quantity(strike), "" if expiration is None else figures.day(expiration))
    return " ".join(part for part in parts if part)


def _by_portfolio(rows: pd.DataFrame) -> dict[str, list[Record]]:
    return {str(name): _records(of) for name, of in rows.groupby("portfolio", sort=False)}


def _records(rows: pd.DataFrame) -> list[Record]:
    """Return rows in which what is missing is None."""
    return [{str(name): value for name, value in row.items()} for row in rows.astype(object).where(rows.notna(), None).to_dict("records")]


def _distinct(rows: list[Record], column: str) -> str:
    return ", ".join(sorted({row[column] for row in rows if row[column]})) or "not recorded"


def _printable(value: object) -> object:
    """Return what a template shows, without control characters if it is text that others wrote."""
    is_text = isinstance(value, str) and not isinstance(value, markupsafe.Markup)
    return escape_controls(str(value)) if is_text else value


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_printable,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        figures=figures,
        contract=contract,
        of_portfolio=OF_PORTFOLIO,
        uncertainty=uncertainty,
        position_types=_POSITION_TYPES,
        next_window=figures.NEXT_WINDOW,
        window=WINDOW,
        min_pairs=MIN_PAIRS,
        min_coverage=MIN_COVERAGE,
    )
    return environment
