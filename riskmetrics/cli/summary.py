"""Summary of a session's results, a few lines per portfolio."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import typer

from riskmetrics.cli.output import format_cell, to_records
from riskmetrics.present import formatting
from riskmetrics.present.caveats import portfolio_caveats

_VALUE_COLUMNS = {"long": "long_value", "short": "short_value", "cash": "cash_value"}


def print_summaries(day: date, portfolios: Sequence[str]) -> None:
    """Print value, beta, volatility and the leading note of each portfolio."""
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.cli.show_insights import print_lead
    from riskmetrics.db import insight_store, listed_rows, result_queries, volatility_queries

    with read_transaction() as connection:
        table = result_queries.read_snapshots(connection, day)
        notes = portfolio_caveats(table, listed_rows.read_coverage(connection, day))
        volatilities = {
            row["portfolio"]: row
            for row in to_records(volatility_queries.read_portfolio_volatility(connection, day))
        }
        insight_rows = insight_store.read_latest_insights(connection, day)
    snapshots = {row["portfolio"]: row for row in to_records(table)}
    for name in portfolios:
        _print_summary(day, snapshots[name] | volatilities[name], notes.get(name, []))
        print_lead([row for row in insight_rows if row["portfolio"] == name])


def _print_summary(day: date, row: "dict[str, Any]", notes: list[str]) -> None:
    parts = ", ".join(
        f"{name} {formatting.money(row[column])}" for name, column in _VALUE_COLUMNS.items()
    )
    lines = [
        ("Value", f"{_text(row, 'total_value')}  ({parts})"),
        *(("", note) for note in notes),
        (
            "Beta, 90 sessions",
            (
                f"{_text(row, 'beta_calculated_90d')}  (exposure-weighted mean R²"
                f" {_text(row, 'beta_calculated_90d_r_squared')},"
                f" {_text(row, 'beta_calculated_90d_observations')} observations)"
            ),
        ),
        *_volatility_lines(row),
    ]
    typer.echo(f"\n{row['portfolio']}, {day}")
    for label, text in lines:
        typer.echo(f"  {label:<21} {text}")


def _volatility_lines(row: "dict[str, Any]") -> list[tuple[str, str]]:
    """Return the lines of realized and forecast volatility."""
    percentile = format_cell(row["volatility_percentile"], _format_percentile)
    trend = format_cell(row["volatility_trend"]) + ("; in-sample" if row["in_sample"] else "")
    return [
        (
            "Volatility",
            (
                f"{_text(row, 'realized_volatility_21d')} over 21 sessions  (63 sessions"
                f" {_text(row, 'realized_volatility_63d')}; {percentile} percentile of the past"
                " year)"
            ),
        ),
        (
            "Forecast volatility",
            (
                f"{_text(row, 'expected_volatility_21d')} over the next 21 sessions  (80% interval"
                f" {_text(row, 'low')} to {_text(row, 'high')}; P(increase)"
                f" {_text(row, 'rise_probability')}; {trend})"
            ),
        ),
    ]


def _text(row: "dict[str, Any]", column: str) -> str:
    """Return a figure of a snapshot, or of its forecast, in the format of the report."""
    from riskmetrics.present.figures import page_format

    is_of_forecast = column in ("low", "high", "rise_probability")
    table = "volatility_forecasts" if is_of_forecast else "portfolio_snapshots"
    return format_cell(row[column], page_format(f"{table}.{column}"))


def _format_percentile(rank: float) -> str:
    """Return a rank from 0 to 1 as an ordinal: 19th."""
    return formatting.ordinal(round(rank * 100))
