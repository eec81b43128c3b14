"""The result of a session in a few lines per portfolio."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from riskmetrics.cli.output import cell, print_table, records
from riskmetrics.report import figures
from riskmetrics.report.reservations import reservations

if TYPE_CHECKING:
    import pandas as pd

_PARTS = {"long": "long_value", "short": "short_value", "cash": "cash_value"}


def print_summaries(day: date, portfolios: Sequence[str]) -> None:
    """Print value, beta, volatility, sectors against the benchmark and concentration of each portfolio, and its insights."""
    from riskmetrics.cli.database import reading
    from riskmetrics.cli.insight_list import print_insights
    from riskmetrics.db import insights, stored, volatility

    with reading() as connection:
        table = stored.snapshots(connection, day)
        notes = reservations(table, stored.coverage(connection, day))
        volatilities = {row["portfolio"]: row for row in records(volatility.of_portfolios(connection, day))}
        sectors = stored.sectors(connection, day)
        said = insights.latest(connection, day)
    snapshots = {row["portfolio"]: row for row in records(table)}
    for name in portfolios:
        _print(day, snapshots[name] | volatilities[name], sectors[sectors["portfolio"] == name], notes.get(name, []))
        print_insights(day, [row for row in said if row["portfolio"] == name], whole=False)


def _print(day: date, row: "dict[str, Any]", sectors: "pd.DataFrame", notes: list[str]) -> None:
    two = figures.two_decimals
    fit, n_obs = cell(row["beta_calculated_90d_r_squared"], two), cell(row["beta_calculated_90d_observations"])
    parts = ", ".join(f"{name} {figures.money(row[column])}" for name, column in _PARTS.items())
    effective = cell(row["effective_num_positions"], two)
    lines = [
        ("Value", f"{figures.money(row['total_value'])}  ({parts})"),
        *(("", note) for note in notes),
        ("Beta, 90 sessions", f"{cell(row['beta_calculated_90d'], two)}  (R² of its positions {fit}, {n_obs} observations)"),
        ("Beta, own returns", cell(row["beta_portfolio_regression"], two)),
        *_volatility(row),
        ("HHI", f"{cell(row['hhi'], figures.four_decimals)}  ({effective} effective positions of {row['num_positions']})"),
        (
            "Largest weights",
            f"top 3 {cell(row['top_3_concentration'], figures.percent)}, top 10 {cell(row['top_10_concentration'], figures.percent)}",
        ),
    ]
    typer.echo(f"\n{row['portfolio']}, {day}")
    for label, text in lines:
        typer.echo(f"  {label:<18} {text}")
    _print_sectors(sectors)


def _volatility(row: "dict[str, Any]") -> list[tuple[str, str]]:
    """What volatility was, and what is expected of it."""
    month, quarter, expected, low, high, percentile, rise = (
        cell(row[name], figures.percent)
        for name in (
            *("realized_volatility_21d", "realized_volatility_63d", "expected_volatility_21d", "low", "high"),
            *("volatility_percentile", "rise_probability"),
        )
    )
    outlook = f"{cell(row['volatility_trend'])}, rises with {rise}" + ("; in sample" if row["in_sample"] else "")
    return [
        ("Volatility", f"{month} over 21 sessions  (63 sessions {quarter}; higher than {percentile} of the past year)"),
        ("Expected, next 21", f"{expected}  (four times in five {low} to {high}; {outlook})"),
    ]


def _print_sectors(sectors: "pd.DataFrame") -> None:
    columns = {
        "sector": None,
        "gross_weight": figures.percent,
        "net_weight": figures.percent,
        "benchmark_weight": figures.percent,
        "active_weight": figures.signed_percent,
    }
    rows = [[cell(sector[name], form) for name, form in columns.items()] for sector in records(sectors)]
    print_table(["Sector", "of gross", "net, of equity", "benchmark", "active"], rows, right=[False, True, True, True, True])
