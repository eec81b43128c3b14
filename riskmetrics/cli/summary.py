"""Summary of a session's results: a compact table and the note of each portfolio."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from riskmetrics.catalog import figures_of
from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
from riskmetrics.cli.database import read_transaction
from riskmetrics.cli.output import format_cell, to_records
from riskmetrics.cli.show_insights import print_lead
from riskmetrics.present.caveats import portfolio_caveats
from riskmetrics.present.figures import PAGE_FORMATS

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
"""Rows of a portfolio by table."""

_TABLES = (
    *("portfolio_market_regressions", "portfolio_drawdowns", "portfolio_tail_risk"),
    *("portfolio_stress", "portfolio_risk_contributions"),
)


def print_summaries(day: date, portfolios: Sequence[str]) -> None:
    """Print value, risk and concentration of each portfolio in a few lines, and its note."""
    from riskmetrics.db import insight_store, listed_rows, result_queries, volatility_queries

    with read_transaction() as connection:
        snapshots = result_queries.read_snapshots(connection, day)
        notes = portfolio_caveats(snapshots, listed_rows.read_coverage(connection, day))
        frames = {name: listed_rows.read_rows(name, connection, day) for name in _TABLES} | {
            "portfolio_snapshots": snapshots,
            "volatility": volatility_queries.read_portfolio_volatility(connection, day),
        }
        insights = insight_store.read_latest_insights(connection, day)
    for name in portfolios:
        rows = {table: _rows_of(frame, name) for table, frame in frames.items()}
        typer.echo(f"\n{name}, {day}")
        for label, text in [*_summary_lines(rows), *(("", note) for note in notes.get(name, []))]:
            typer.echo(f"  {label:<12}{text}")
        print_lead([row for row in insights if row["portfolio"] == name])


def _rows_of(frame: "pd.DataFrame", portfolio: str) -> Sequence[Row]:
    return to_records(frame[frame["portfolio"] == portfolio])


def _summary_lines(rows: Rows) -> Iterator[tuple[str, str]]:
    """Yield the label and text of each line; a figure that is undefined is a dash."""
    snapshot = _merge_rows(rows, "portfolio_snapshots")
    volatility = _merge_rows(rows, "volatility", "volatility_forecasts", "portfolio_snapshots")
    regression = _merge_rows(rows, "portfolio_market_regressions")
    drawdown = _merge_rows(rows, "portfolio_drawdowns")
    yield (
        "Value",
        (
            f"{snapshot['total_value']}   session {snapshot['daily_pnl']}"
            f" ({snapshot['daily_return']})   cash {snapshot['cash_value']}"
        ),
    )
    yield (
        "Market beta",
        f"{regression['beta']} ± {regression['std_error']}   R² {regression['r_squared']}",
    )
    yield (
        "Volatility",
        (
            f"{volatility['realized_volatility_21d']} past 21 sessions; next 21 sessions"
            f" {volatility['expected_volatility_21d']} ({volatility['low']} to"
            f" {volatility['high']})"
        ),
    )
    yield (
        "Tail",
        (
            f"one-day value at risk {_value_at_risk(rows)} (95%, filtered); drawdown"
            f" {drawdown['current_drawdown']}; {_worst_scenario(rows)}"
        ),
    )
    yield (
        "Weights",
        (
            f"{_largest_weight(rows)}; top 3"
            f" {snapshot['top_3_concentration']} of gross; {snapshot['effective_num_positions']}"
            f" effective of {snapshot['num_positions']}"
        ),
    )


@dataclass(frozen=True)
class _Shown:
    """A row whose figures are shown as on the page of the report; a dash for missing ones."""

    row: Row
    tables: tuple[str, ...]

    def __getitem__(self, column: str) -> str:
        figures = (figure for table in self.tables for figure in figures_of(table))
        unit = next((one.unit for one in figures if one.column == column), None)
        return format_cell(self.row.get(column), PAGE_FORMATS.get(unit) if unit else None)


def _merge_rows(rows: Rows, *tables: str) -> _Shown:
    """Return the only row of the first table, with figures of all."""
    return _Shown(next(iter(rows[tables[0]]), {}), tables)


def _value_at_risk(rows: Rows) -> str:
    """Return the value at risk that leads: one day, 95%, by filtered simulation."""
    found = (row for row in rows["portfolio_tail_risk"] if row.items() >= HEADLINE_TAIL.items())
    return _Shown(next(found, {}), ("portfolio_tail_risk",))["value_at_risk"]


def _worst_scenario(rows: Rows) -> str:
    losses = [row for row in rows["portfolio_stress"] if row["loss"] is not None]
    if not losses:
        return "no scenario is defined"
    worst = max(losses, key=lambda row: float(row["loss"]))
    result = _Shown(worst, ("portfolio_stress",))["loss"]
    return f"“{worst['scenario']}” {result}"


def _largest_weight(rows: Rows) -> str:
    weights = [row for row in rows["portfolio_risk_contributions"] if row["weight"] is not None]
    if not weights:
        return "weights undefined"
    largest = max(weights, key=lambda row: abs(float(row["weight"])))
    shown = _Shown(largest, ("portfolio_risk_contributions",))
    return f"{largest['symbol']} {shown['weight']} of equity, {shown['share']} of volatility"
