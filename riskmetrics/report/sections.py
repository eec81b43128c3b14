"""Read the sections of a page from stored results and inputs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.catalog import all_listings
from riskmetrics.charts.portfolio_data import PortfolioData, read_chart_data
from riskmetrics.charts.pro_forma_data import read_book_inputs, read_positions
from riskmetrics.db import (
    history_queries,
    input_queries,
    insight_store,
    listed_rows,
    portfolio_limits,
    result_queries,
    volatility_queries,
)
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.inputs.stored_faults import read_faults
from riskmetrics.present.caveats import portfolio_caveats
from riskmetrics.present.footnotes import Footnotes, Record
from riskmetrics.present.realized import read_realized
from riskmetrics.report.attention import list_findings
from riskmetrics.report.changes import list_changes, list_contributors
from riskmetrics.report.drawn_charts import NO_FIGURES, draw_figures
from riskmetrics.report.limit_table import build_limit_rows
from riskmetrics.report.position_table import build_table
from riskmetrics.report.report_options import ReportOptions
from riskmetrics.report.section import (
    Section,
    headline_figures,
    list_instruments,
    realized_figures,
)

_WEEK = 5
"""Sessions between the page's session and the one it is compared with."""

Query = Callable[..., pd.DataFrame]
Tables = dict[str, list[Record]]

_RISK_LISTINGS = [
    listing
    for listing in all_listings()
    if listing.view in ("risk", "contributions", "factors", "liquidity", "stress", "options")
    or listing.table == "volatility_horizon_forecasts"
]
_BOOK_QUERIES: dict[str, Query] = {
    "snapshots": result_queries.read_snapshots,
    "sectors": listed_rows.read_sector_weights,
    "coverage": listed_rows.read_coverage,
    "undefined": result_queries.read_undefined_metrics,
    "volatility": volatility_queries.read_portfolio_volatility,
    "rates": partial(listed_rows.read_rows, "portfolio_rate_betas"),
    "limits": portfolio_limits.read_limit_checks,
    **{
        listing.name: partial(listed_rows.read_rows, listing.table)
        for listing in _RISK_LISTINGS
        if listing.view in ("risk", "factors", "stress", "volatility")
        or listing.name == "portfolio_liquidity"
    },
    "diversification": partial(listed_rows.read_rows, "portfolio_diversification"),
}
"""Tables with a few rows per portfolio, which are read of all."""

_POSITION_QUERIES: dict[str, Query] = {
    "realized": read_realized,
    "betas": listed_rows.read_market_betas,
    "position_volatility": volatility_queries.read_position_volatility,
    "rate_betas": partial(listed_rows.read_rows, "position_interest_rate_betas"),
    **{
        listing.name: partial(listed_rows.read_rows, listing.table)
        for listing in _RISK_LISTINGS
        if listing.view in ("contributions", "options") or listing.name == "holding_liquidity"
    },
}
"""Tables with rows per position or session, read of the portfolios that are shown in full."""


class Sections(NamedTuple):
    """Sections of the portfolios with results, and the session that they are compared with."""

    rows: list[Section]
    against: date | None


class _Book(NamedTuple):
    """What the sections of one page share."""

    day: date
    caveats: dict[str, list[str]]
    faults: list[Record]
    earlier: dict[str, Record]
    """Headline figures of the session that is compared with."""
    earlier_positions: dict[str, pd.DataFrame]
    flows: dict[str, float]
    """Deposits less withdrawals since that session, by portfolio."""
    charts: dict[str, PortfolioData]


def read_sections(connection: sa.Connection, day: date, options: ReportOptions) -> Sections:
    """Return sections of the portfolios with a snapshot or a reason for a missing one.

    Raises
    ------
    DataQualityError
        If two portfolios share a name.
    UsageError
        If there is no portfolio of that name, or nothing is stored of the session to compare
        with.
    """
    only = options.portfolio
    frames = {name: query(connection, day, only) for name, query in _BOOK_QUERIES.items()}
    tables = {name: records_by_portfolio(frame) for name, frame in frames.items()}
    tables["insights"] = _insights_by_portfolio(connection, day)
    caveats = portfolio_caveats(frames["snapshots"], frames["coverage"])
    reported = [
        row
        for row in to_records(input_queries.read_portfolios(connection))
        if (row["name"] in tables["snapshots"] or row["name"] in tables["undefined"])
        and only in (None, row["name"])
    ]
    if len({row["name"] for row in reported}) < len(reported):
        raise DataQualityError(
            "two portfolios have the same name. Names must be unique in the report; rename one in"
            " the database."
        )
    if only is not None and not reported:
        raise UsageError(
            f"no results of {only} are stored for {day}. List portfolios with"
            " `riskmetrics portfolio list`."
        )
    full = _select_full(reported, tables, caveats, options.max_full)
    for name, query in _POSITION_QUERIES.items():
        tables[name] = _read_positions_of(query, connection, day, reported, full)
    against = _find_earlier_session(connection, day, options.against)
    earlier = {} if against is None else _read_headlines(connection, against, only)
    book = _Book(
        day,
        caveats,
        _find_faults(connection, day, tables["betas"]),
        earlier,
        _read_earlier_positions(connection, options, against if earlier else None),
        {} if against is None else _sum_flows(connection, against, day),
        _read_charts(connection, day, options, {row["name"]: row["currency"] for row in full}),
    )
    sections = [
        _build_section(
            number,
            row,
            {name: by_name.get(row["name"], []) for name, by_name in tables.items()},
            book,
            options,
        )
        for number, row in enumerate(reported, 1)
    ]
    return Sections(sections, against if earlier else None)


def _select_full(
    reported: Sequence[Record],
    tables: Mapping[str, dict[str, list[Record]]],
    caveats: Mapping[str, list[str]],
    max_full: int,
) -> list[Record]:
    """Return the portfolios that are shown in full: most findings first, then the largest."""

    def rank(row: Record) -> tuple[int, float]:
        name = row["name"]
        backtests = tables["var_backtests"].get(name, [])
        insights, checks = (tables[key].get(name, []) for key in ("insights", "limits"))
        findings = list_findings(backtests, caveats.get(name, []), [], insights, checks)
        snapshot = next(iter(tables["snapshots"].get(name, [])), None)
        return -len(findings), -float(snapshot["gross_exposure"]) if snapshot else 0.0

    return list(reported) if len(reported) <= max_full else sorted(reported, key=rank)[:max_full]


def _read_positions_of(
    query: Query,
    connection: sa.Connection,
    day: date,
    reported: Sequence[Record],
    full: Sequence[Record],
) -> dict[str, list[Record]]:
    names = [None] if len(full) == len(reported) > 1 else [row["name"] for row in full]
    found: dict[str, list[Record]] = {}
    for name in names:
        found |= records_by_portfolio(query(connection, day, name))
    return found


def _find_faults(
    connection: sa.Connection, day: date, betas: Mapping[str, list[Record]]
) -> list[Record]:
    indices = {row["market_index"] for rows in betas.values() for row in rows}
    return to_records(read_faults(connection, day, indices).found)


def _find_earlier_session(
    connection: sa.Connection, day: date, against: date | None
) -> date | None:
    """Return the session to compare with; without a wish, none if it is not stored."""
    if against is None:
        if not trading_calendar.is_session(day):
            return None
        return trading_calendar.previous_session(day, _WEEK)
    if against >= day:
        raise UsageError(f"--against {against} is not before the session of {day}")
    if result_queries.read_snapshots(connection, against).empty:
        raise UsageError(
            f"no results are stored for {against}. Compute them with"
            f" `riskmetrics run --date {against}`."
        )
    return against


def _read_headlines(connection: sa.Connection, day: date, only: str | None) -> dict[str, Record]:
    names = ("snapshots", "tail_risk", "drawdowns")
    tables = {
        name: records_by_portfolio(_BOOK_QUERIES[name](connection, day, only)) for name in names
    }
    return {
        name: headline_figures(
            rows[0], {key: tables[key].get(name, []) for key in ("tail_risk", "drawdowns")}
        )
        for name, rows in tables["snapshots"].items()
    }


def _read_earlier_positions(
    connection: sa.Connection, options: ReportOptions, against: date | None
) -> dict[str, pd.DataFrame]:
    if against is None:
        return {}
    positions = read_positions(connection, options.terms, against)
    return {str(name): rows for name, rows in positions.groupby("portfolio")}


def _sum_flows(connection: sa.Connection, first: date, last: date) -> dict[str, float]:
    flows = history_queries.read_cash_flows(connection, first, last)
    return {str(name): float(rows["amount"].sum()) for name, rows in flows.groupby("portfolio")}


def _read_charts(
    connection: sa.Connection, day: date, options: ReportOptions, currencies: dict[str, str]
) -> dict[str, PortfolioData]:
    inputs = read_book_inputs(connection, options.terms, day, set(currencies))
    first = trading_calendar.previous_session(day, options.n_sessions)
    return read_chart_data(connection, first, day, inputs, currencies, options.n_sessions)


def _build_section(
    number: int, portfolio: Record, tables: Tables, book: _Book, options: ReportOptions
) -> Section:
    name = portfolio["name"]
    charts = book.charts.get(name)
    symbols = {row[key] for row in tables["betas"] for key in ("symbol", "market_index")}
    symbols |= {row["underlying_symbol"] for row in tables["options"]}
    faults = [fault for fault in book.faults if fault["symbol"] in symbols]
    snapshot = next(iter(tables["snapshots"]), None)
    risk = {
        name: tables[name]
        for name in (*(listing.name for listing in _RISK_LISTINGS), "diversification")
    }
    headlines = headline_figures(snapshot, risk)
    positions = pd.DataFrame() if charts is None else charts.positions
    earlier_positions = book.earlier_positions.get(name)
    return Section(
        anchor=f"portfolio-{number}",
        name=name,
        currency=portfolio["currency"],
        is_full=charts is not None,
        snapshot=snapshot,
        headlines=headlines,
        betas=tables["betas"],
        sectors=tables["sectors"],
        coverage={row["metric"]: row for row in tables["coverage"]},
        risk=risk,
        realized=realized_figures(tables["realized"]),
        volatility=next(iter(tables["volatility"]), None),
        rates=next(iter(tables["rates"]), None),
        instruments=list_instruments(tables["position_volatility"], tables["rate_betas"]),
        footnotes=Footnotes(tables["undefined"], _displayed_rows(tables)),
        faults=faults,
        insights=tables["insights"],
        findings=list_findings(
            tables["var_backtests"],
            book.caveats.get(name, []),
            faults,
            tables["insights"],
            tables["limits"],
        ),
        limits=build_limit_rows(tables["limits"]),
        positions=build_table(
            positions, tables["betas"], tables["position_volatility"], tables["contributions"]
        ),
        figures=NO_FIGURES if charts is None else draw_figures(charts, options.renderer),
        changes=list_changes(book.earlier.get(name, {}), headlines, book.flows.get(name, 0.0)),
        contributors=[]
        if earlier_positions is None or charts is None
        else list_contributors(earlier_positions, positions),
    )


def _displayed_rows(tables: Tables) -> dict[str, list[Record]]:
    """Return the rows whose missing values have footnotes, by table."""
    return {
        "portfolio_snapshots": tables["snapshots"],
        "position_market_betas": tables["betas"],
        "portfolio_sector_weights": tables["sectors"],
        "position_volatility": tables["position_volatility"],
        "portfolio_rate_betas": tables["rates"],
        "position_interest_rate_betas": tables["rate_betas"],
    }


def _insights_by_portfolio(connection: sa.Connection, day: date) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in insight_store.read_latest_insights(connection, day):
        found.setdefault(row["portfolio"], []).append(row)
    return found


def records_by_portfolio(rows: pd.DataFrame) -> dict[str, list[Record]]:
    """Return rows as dicts, by the name of their portfolio."""
    found: dict[str, list[Record]] = {}
    for row in to_records(rows):  # of all at once: a frame of a few rows takes as long
        found.setdefault(row["portfolio"], []).append(row)
    return found


def to_records(rows: pd.DataFrame) -> list[Record]:
    """Return rows as dicts, with None for missing values."""
    return [
        {str(name): value for name, value in row.items()}
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records")
    ]
