"""Summary of a session's results, a few lines per portfolio."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from riskmetrics.cli.output import format_cell, print_table, to_records
from riskmetrics.present import formatting
from riskmetrics.present.caveats import portfolio_caveats

if TYPE_CHECKING:
    import pandas as pd

_VALUE_COLUMNS = {"long": "long_value", "short": "short_value", "cash": "cash_value"}


def print_summaries(day: date, portfolios: Sequence[str]) -> None:
    """Print value, betas, volatility, concentration, sectors and insights of each portfolio."""
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.cli.show_insights import print_insights
    from riskmetrics.db import insight_store, result_queries, volatility_queries

    with read_transaction() as connection:
        table = result_queries.read_snapshots(connection, day)
        notes = portfolio_caveats(table, result_queries.read_coverage(connection, day))
        volatilities = {
            row["portfolio"]: row
            for row in to_records(volatility_queries.read_portfolio_volatility(connection, day))
        }
        sectors = result_queries.read_sector_weights(connection, day)
        insight_rows = insight_store.read_latest_insights(connection, day)
    snapshots = {row["portfolio"]: row for row in to_records(table)}
    for name in portfolios:
        _print_summary(
            day,
            snapshots[name] | volatilities[name],
            sectors[sectors["portfolio"] == name],
            notes.get(name, []),
        )
        print_insights(
            day, [row for row in insight_rows if row["portfolio"] == name], is_full=False
        )


def _print_summary(
    day: date, row: "dict[str, Any]", sectors: "pd.DataFrame", notes: list[str]
) -> None:
    two_decimals = formatting.two_decimals
    fit, n_obs = (
        format_cell(row["beta_calculated_90d_r_squared"], two_decimals),
        format_cell(row["beta_calculated_90d_observations"]),
    )
    parts = ", ".join(
        f"{name} {formatting.money(row[column])}" for name, column in _VALUE_COLUMNS.items()
    )
    effective_positions = format_cell(row["effective_num_positions"], two_decimals)
    lines = [
        ("Value", f"{formatting.money(row['total_value'])}  ({parts})"),
        *(("", note) for note in notes),
        (
            "Beta, 90 sessions",
            (
                f"{format_cell(row['beta_calculated_90d'], two_decimals)}  (exposure-weighted mean"
                f" R² {fit}, {n_obs} observations)"
            ),
        ),
        ("Portfolio regression", format_cell(row["beta_portfolio_regression"], two_decimals)),
        *_volatility_lines(row),
        (
            "HHI",
            (
                f"{format_cell(row['hhi'], formatting.four_decimals)}  ({effective_positions}"
                f" effective positions of {row['num_positions']})"
            ),
        ),
        (
            "Largest weights",
            (
                f"top 3 {format_cell(row['top_3_concentration'], formatting.percent)}, top 10"
                f" {format_cell(row['top_10_concentration'], formatting.percent)}"
            ),
        ),
    ]
    typer.echo(f"\n{row['portfolio']}, {day}")
    for label, text in lines:
        typer.echo(f"  {label:<21} {text}")
    _print_sectors(sectors)


def _volatility_lines(row: "dict[str, Any]") -> list[tuple[str, str]]:
    """Return the lines of realized and forecast volatility."""
    month, quarter, forecast, low, high, rise = (
        format_cell(row[name], formatting.percent)
        for name in (
            "realized_volatility_21d",
            "realized_volatility_63d",
            "expected_volatility_21d",
            "low",
            "high",
            "rise_probability",
        )
    )
    percentile = format_cell(row["volatility_percentile"], _format_percentile)
    outlook = f"P(increase) {rise}; {format_cell(row['volatility_trend'])}" + (
        "; in-sample" if row["in_sample"] else ""
    )
    return [
        (
            "Volatility",
            (
                f"{month} over 21 sessions  (63 sessions {quarter}; {percentile} percentile of the"
                " past year)"
            ),
        ),
        (
            "Forecast volatility",
            f"{forecast} over the next 21 sessions  (80% interval {low} to {high}; {outlook})",
        ),
    ]


def _format_percentile(rank: float) -> str:
    """Return a rank from 0 to 1 as an ordinal: 19th."""
    number = round(rank * 100)
    suffixes = {1: "st", 2: "nd", 3: "rd"}
    is_teen = 10 < number % 100 < 20
    return f"{number}{'th' if is_teen else suffixes.get(number % 10, 'th')}"


def _print_sectors(sectors: "pd.DataFrame") -> None:
    columns = {
        "sector": None,
        "gross_weight": formatting.percent,
        "net_weight": formatting.percent,
        "benchmark_weight": formatting.percent,
        "active_weight": formatting.signed_percent,
    }
    rows = [
        [format_cell(sector[name], form) for name, form in columns.items()]
        for sector in to_records(sectors)
    ]
    print_table(
        ["Sector", "% of gross", "net % of equity", "benchmark", "active"],
        rows,
        right_aligned=[False, True, True, True, True],
    )
