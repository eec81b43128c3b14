"""One self-contained HTML page of all portfolios on one session, from stored results."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import jinja2
import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import read, stored
from riskmetrics.errors import DataQualityError
from riskmetrics.metrics.portfolio import MIN_COVERAGE
from riskmetrics.report import figures
from riskmetrics.report.figures import Axis
from riskmetrics.report.notes import OF_PORTFOLIO, Notes, Record
from riskmetrics.results.betas import MIN_PAIRS, WINDOW

_POSITION_TYPES = {"LONG": "Long", "SHORT": "Short", "LC": "Long call", "LP": "Long put", "SC": "Short call", "SP": "Short put"}
_AMOUNTS = ("total_value", "cash_value", "long_value", "short_value", "gross_exposure", "net_exposure")


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
    notes: Notes

    @cached_property
    def amounts(self) -> Axis:
        """The axis of the values' bars."""
        return Axis.over((self.snapshot or {}).get(name) for name in _AMOUNTS)

    @cached_property
    def weights(self) -> Axis:
        """The axis of the sectors' bars."""
        return Axis.over(row[name] for row in self.sectors for name in ("net_weight", "benchmark_weight"))

    @cached_property
    def beta_axis(self) -> Axis:
        """The axis of the positions' betas; it holds the market's, 1."""
        ends = [end for row in self.betas if row["beta"] is not None for end in uncertainty(row)]
        return Axis.over([1.0, *ends])


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
            market=", ".join(sorted({row["market_index"] for section in sections for row in section.betas})) or "the market index",
            runs=_distinct(snapshots, "dagster_run_id"),
            versions=_distinct(snapshots, "code_version"),
        )
    )


def uncertainty(row: Record) -> tuple[float, float]:
    """Where the beta of the next window is to be expected: one widened standard error to either side."""
    half = figures.NEXT_WINDOW * (row["std_error"] or 0.0)
    return row["beta"] - half, row["beta"] + half


def _sections(connection: sa.Connection, day: date) -> list[Section]:
    """Return the portfolios that have a snapshot, or a reason for having none."""
    portfolios = _records(read.portfolios(connection))
    tables = {name: _by_portfolio(query(connection, day)) for name, query in _QUERIES.items()}
    stated = [row for row in portfolios if row["name"] in tables["snapshots"] or row["name"] in tables["undefined"]]
    if len({row["name"] for row in stated}) < len(stated):
        raise DataQualityError("two portfolios have the same name: rename one in the database, names must tell them apart")
    return [_section(number, row, {name: of.get(row["name"], []) for name, of in tables.items()}) for number, row in enumerate(stated, 1)]


_QUERIES = {
    "snapshots": stored.snapshots,
    "betas": stored.betas,
    "sectors": stored.sectors,
    "coverage": stored.coverage,
    "undefined": stored.undefined,
}


def _section(number: int, portfolio: Record, tables: dict[str, list[Record]]) -> Section:
    shown = {
        "portfolio_snapshots": tables["snapshots"],
        "position_market_betas": tables["betas"],
        "portfolio_sector_weights": tables["sectors"],
    }
    return Section(
        anchor=f"portfolio-{number}",
        name=portfolio["name"],
        currency=portfolio["currency"],
        snapshot=next(iter(tables["snapshots"]), None),
        betas=tables["betas"],
        sectors=tables["sectors"],
        coverage={row["metric"]: row for row in tables["coverage"]},
        notes=Notes(tables["undefined"], shown),
    )


def _by_portfolio(rows: pd.DataFrame) -> dict[str, list[Record]]:
    return {str(name): _records(of) for name, of in rows.groupby("portfolio", sort=False)}


def _records(rows: pd.DataFrame) -> list[Record]:
    """Return rows in which what is missing is None."""
    return [{str(name): value for name, value in row.items()} for row in rows.astype(object).where(rows.notna(), None).to_dict("records")]


def _distinct(rows: list[Record], column: str) -> str:
    return ", ".join(sorted({row[column] for row in rows if row[column]})) or "not recorded"


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        figures=figures,
        of_portfolio=OF_PORTFOLIO,
        uncertainty=uncertainty,
        position_types=_POSITION_TYPES,
        next_window=figures.NEXT_WINDOW,
        window=WINDOW,
        min_pairs=MIN_PAIRS,
        min_coverage=MIN_COVERAGE,
    )
    return environment
