"""Self-contained HTML page of all portfolios on one session, from stored results."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import jinja2
import markupsafe
import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog import Statistic, all_listings, all_statistics, find_figure
from riskmetrics.db import (
    input_queries,
    insight_store,
    listed_rows,
    result_queries,
    volatility_queries,
)
from riskmetrics.db.split_suspects import find_import_splices, find_suspected_splits
from riskmetrics.errors import DataQualityError
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY_SHARE
from riskmetrics.present import formatting
from riskmetrics.present.caveats import portfolio_caveats
from riskmetrics.present.figures import page_format
from riskmetrics.present.footnotes import PORTFOLIO_SUBJECT, Footnotes, Record
from riskmetrics.report.axis import Axis
from riskmetrics.results import price_faults, score_results
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.text import escape_controls

_POSITION_TYPES = {
    "LONG": "Long",
    "SHORT": "Short",
    "LC": "Long call",
    "LP": "Long put",
    "SC": "Short call",
    "SP": "Short put",
}
_AMOUNTS = (
    "total_value",
    "cash_value",
    "long_value",
    "short_value",
    "gross_exposure",
    "net_exposure",
)


class Instrument(NamedTuple):
    """Volatility and rate beta rows of an instrument, lots netted; None if a step has not run."""

    symbol: str
    position_type: str
    contract: str
    """Strike and expiration of an option, else empty."""
    volatility: Record | None
    rates: Record | None


@dataclass(frozen=True)
class Section:
    """Stored results of one portfolio on the session; a missing value is None."""

    anchor: str
    name: str
    currency: str
    snapshot: Record | None
    """The row of `portfolio_snapshots`; None if none of the holdings has a price."""
    betas: list[Record]
    sectors: list[Record]
    coverage: dict[str, Record]
    """Metric to coverage row."""
    risk: dict[str, list[Record]]
    """Rows of the tables in `_RISK_QUERIES`, by name."""
    volatility: Record | None
    """Volatility figures with the 80% interval; None if there is no snapshot."""
    rates: Record | None
    instruments: list[Instrument]
    footnotes: Footnotes
    caveats: list[str]
    """Caveats of its values and weights."""
    faults: list[Record]
    """Price faults of its instruments and the market index, from `price_faults.find_faults`."""
    insights: list[Record]
    """Rows of `ai_insights`, most severe first."""

    @cached_property
    def amount_axis(self) -> Axis:
        """Axis of the value bars."""
        return Axis.spanning((self.snapshot or {}).get(name) for name in _AMOUNTS)

    @cached_property
    def weight_axis(self) -> Axis:
        """Axis of the sector bars."""
        return Axis.spanning(
            row[name] for row in self.sectors for name in ("net_weight", "benchmark_weight")
        )

    @cached_property
    def component_axis(self) -> Axis:
        """Axis of the contribution bars."""
        return Axis.spanning(row["component"] for row in self.risk["contributions"])

    @cached_property
    def stress_loss_axis(self) -> Axis:
        """Axis of the scenario bars."""
        return Axis.spanning(row["loss"] for row in self.risk["stress"])

    @cached_property
    def beta_axis(self) -> Axis:
        """Axis of the positions' betas; it includes the market's beta, 1."""
        ends = [end for row in self.betas if row["beta"] is not None for end in beta_interval(row)]
        return Axis.spanning([1.0, *ends])

    @cached_property
    def volatility_axis(self) -> Axis:
        """Axis of the positions' forecast intervals."""
        rows = [
            instrument.volatility
            for instrument in self.instruments
            if instrument.volatility and instrument.volatility["low"] is not None
        ]
        return Axis.spanning(row[name] for row in rows for name in ("high", "realized_vol_21d"))


def render_page(connection: sa.Connection, day: date) -> str:
    """Return the page of a session.

    Raises
    ------
    DataQualityError
        If no snapshot is stored for ``day``, or two portfolios share a name.
    """
    sections = _sections(connection, day)
    snapshots = [section.snapshot for section in sections if section.snapshot]
    if not snapshots:
        raise DataQualityError(
            f"no snapshot is stored for {day}. Run the session with `riskmetrics run --date {day}`."
        )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            day=day,
            sections=sections,
            track_record_rows=_track_record(connection, day),
            market=", ".join(
                sorted({row["market_index"] for section in sections for row in section.betas})
            )
            or "the market index",
            runs=_distinct(snapshots, "dagster_run_id"),
            versions=_distinct(snapshots, "code_version"),
        )
    )


def _track_record(connection: sa.Connection, day: date) -> list[Record]:
    """Return pooled `score_results.summarize_scores` rows of forecasts completed by the day."""
    found = score_results.summarize_scores(volatility_queries.read_forecast_scores(connection, day))
    return _records(found[found["subject"] == score_results.POOLED])


def beta_interval(row: Record) -> tuple[float, float]:
    """Return the interval of the next window's beta: ± NEXT_WINDOW_STD_ERRORS standard errors."""
    half = formatting.NEXT_WINDOW_STD_ERRORS * (row["std_error"] or 0.0)
    return row["beta"] - half, row["beta"] + half


def _sections(connection: sa.Connection, day: date) -> list[Section]:
    """Return sections of the portfolios with a snapshot or a reason for a missing one."""
    portfolios = _records(input_queries.read_portfolios(connection))
    frames = {name: query(connection, day) for name, query in (_QUERIES | _RISK_QUERIES).items()}
    tables = {name: _by_portfolio(frame) for name, frame in frames.items()}
    tables["insights"] = _insights_by_portfolio(connection, day)
    caveats = portfolio_caveats(frames["snapshots"], frames["coverage"])
    indices = {row["market_index"] for rows in tables["betas"].values() for row in rows}
    bars = input_queries.read_held_bars(connection, price_faults.required_sessions(day), indices)
    suspects = find_suspected_splits(connection, bars.close.columns)
    seams = find_import_splices(connection, bars.close.columns, price_faults.required_sessions(day))
    faults = _records(price_faults.find_faults(bars, suspects, seams))
    reported = [
        row
        for row in portfolios
        if row["name"] in tables["snapshots"] or row["name"] in tables["undefined"]
    ]
    if len({row["name"] for row in reported}) < len(reported):
        raise DataQualityError(
            "two portfolios have the same name. Names must be unique in the report; rename one in"
            " the database."
        )
    return [
        _section(
            number,
            row,
            {name: by_name.get(row["name"], []) for name, by_name in tables.items()},
            caveats.get(row["name"], []),
            faults,
        )
        for number, row in enumerate(reported, 1)
    ]


_QUERIES: dict[str, Callable[..., pd.DataFrame]] = {
    "snapshots": result_queries.read_snapshots,
    "betas": listed_rows.read_market_betas,
    "sectors": listed_rows.read_sector_weights,
    "coverage": listed_rows.read_coverage,
    "undefined": result_queries.read_undefined_metrics,
    "volatility": volatility_queries.read_portfolio_volatility,
    "position_volatility": volatility_queries.read_position_volatility,
    "rates": partial(listed_rows.read_rows, "portfolio_rate_betas"),
    "rate_betas": partial(listed_rows.read_rows, "position_interest_rate_betas"),
}
_RISK_QUERIES: dict[str, Callable[..., pd.DataFrame]] = {
    listing.name: partial(listed_rows.read_rows, listing.table)
    for listing in all_listings()
    if listing.view in ("risk", "contributions", "stress", "options")
    or listing.table == "volatility_horizon_forecasts"
}


def _section(
    number: int,
    portfolio: Record,
    tables: dict[str, list[Record]],
    caveats: list[str],
    faults: list[Record],
) -> Section:
    symbols = {row[name] for row in tables["betas"] for name in ("symbol", "market_index")}
    symbols |= {row["underlying_symbol"] for row in tables["options"]}
    displayed_rows = {
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
        risk={name: tables[name] for name in _RISK_QUERIES},
        volatility=next(iter(tables["volatility"]), None),
        rates=next(iter(tables["rates"]), None),
        instruments=_instruments(tables["position_volatility"], tables["rate_betas"]),
        footnotes=Footnotes(tables["undefined"], displayed_rows),
        caveats=caveats,
        faults=[fault for fault in faults if fault["symbol"] in symbols],
        insights=tables["insights"],
    )


def _instruments(volatilities: list[Record], rate_betas: list[Record]) -> list[Instrument]:
    volatility_rows, rate_rows = (
        {(row["symbol"], row["position_type"], contract_terms(row)): row for row in rows}
        for rows in (volatilities, rate_betas)
    )
    return [
        Instrument(*key, volatility_rows.get(key), rate_rows.get(key))
        for key in sorted(volatility_rows.keys() | rate_rows.keys())
    ]


def _insights_by_portfolio(connection: sa.Connection, day: date) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in insight_store.read_latest_insights(connection, day):
        found.setdefault(row["portfolio"], []).append(row)
    return found


def contract_terms(row: Record) -> str:
    """Return strike and expiration of an option as far as known; empty for other positions."""
    strike, expiration = row["strike_price"], row["expiration_date"]
    parts = (
        "" if strike is None else formatting.quantity(strike),
        "" if expiration is None else formatting.day(expiration),
    )
    return " ".join(part for part in parts if part)


def _by_portfolio(rows: pd.DataFrame) -> dict[str, list[Record]]:
    return {str(name): _records(frame) for name, frame in rows.groupby("portfolio", sort=False)}


def _records(rows: pd.DataFrame) -> list[Record]:
    """Return rows as dicts, with None for missing values."""
    return [
        {str(name): value for name, value in row.items()}
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
    ]


def _note(statistic: Statistic, column: str, row: Record) -> str:
    """Return the note of a statistic's figure; empty if a figure in it is undefined."""
    named = {
        figure.column: None
        if row[figure.column] is None
        else page_format(figure.name)(row[figure.column])
        for figure in statistic.figures
        if f"{{{figure.column}}}" in statistic.rows[column]
    }
    return "" if None in named.values() else statistic.rows[column].format(**named)


def _distinct(rows: list[Record], column: str) -> str:
    return ", ".join(sorted({row[column] for row in rows if row[column]})) or "not recorded"


def _printable(value: object) -> object:
    """Return a template value; control characters of untrusted text are escaped."""
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
        formatting=formatting,
        find_figure=find_figure,
        page_format=page_format,
        statistics=all_statistics(),
        note=_note,
        contract_terms=contract_terms,
        portfolio_subject=PORTFOLIO_SUBJECT,
        beta_interval=beta_interval,
        position_types=_POSITION_TYPES,
        next_window=formatting.NEXT_WINDOW_STD_ERRORS,
        window=BETA_WINDOW,
        min_pairs=MIN_PAIRED_RETURNS,
        min_coverage=MIN_COVERAGE,
        min_equity_share=MIN_EQUITY_SHARE,
    )
    return environment
