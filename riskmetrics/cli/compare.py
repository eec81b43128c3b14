"""`riskmetrics compare`: what changed between two computed sessions."""

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import find_session, missing_results_error, read_transaction
from riskmetrics.cli.output import (
    CellFormat,
    format_cell,
    print_caveats,
    print_frame,
    print_json,
    print_table,
    to_records,
)
from riskmetrics.cli.shared_options import AsJson, PortfolioName, day_option
from riskmetrics.errors import UsageError
from riskmetrics.present import formatting
from riskmetrics.present.caveats import portfolio_caveats

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.catalog import Unit
    from riskmetrics.results.comparison import Comparison, SessionResults

_MAX_SECTOR_MOVES = 5
"""Sectors of a portfolio that are printed."""


def compare(
    before: Annotated[date, day_option("--from", help_text="Session to compare with.")],
    after: Annotated[date, day_option("--to", help_text="Later session.")],
    portfolio: PortfolioName = None,
    as_json: AsJson = False,
) -> None:
    """Print the changes between two computed sessions.

    Covers the headline figures of each portfolio, and the positions whose prices changed its value
    most; deposits and withdrawals; the largest changes of sector weights; positions opened, closed
    and resized; position betas that changed by more than two standard errors; and values that
    became undefined or defined again. Caveats of either session are printed to stderr.

    Example: riskmetrics compare --from 2022-12-21 --to 2022-12-28 --portfolio Growth
    """
    from riskmetrics import settings
    from riskmetrics.charts.pro_forma_data import read_positions
    from riskmetrics.db import history_queries, listed_rows
    from riskmetrics.inputs.snapshot import read_terms
    from riskmetrics.results import comparison

    if before > after:
        raise UsageError(
            f"the range is reversed: {before} comes after {after}. Exchange --from and --to"
        )
    if before == after:
        raise UsageError(f"--from and --to are both {after}. Name an earlier session with --from")
    with read_transaction() as connection:
        sessions = {day: _read_session(connection, day, portfolio) for day in (before, after)}
        changes = comparison.compare(sessions[before], sessions[after])
        terms = read_terms(connection, settings.load())
        values = (read_positions(connection, terms, day) for day in (before, after))
        contributors = comparison.find_contributors(*values)
        contributors = contributors[contributors["portfolio"].isin(changes.figures["portfolio"])]
        flows = history_queries.read_cash_flows(connection, before, after, portfolio)
        for day, session in sessions.items():
            covered = listed_rows.read_coverage(connection, day, portfolio)
            print_caveats(day, portfolio_caveats(session.snapshots, covered))
    if as_json:
        parts = {name: to_records(frame) for name, frame in changes._asdict().items()}
        parts |= {"contributors": to_records(contributors), "cash_flows": to_records(flows)}
        print_json({"from": before.isoformat(), "to": after.isoformat(), **parts})
    else:
        _print_comparison(changes, contributors, flows, before, after)


def _read_session(
    connection: "sa.Connection", day: date, portfolio: str | None
) -> "SessionResults":
    """Read the stored results of a session; end the command if there are none."""
    from riskmetrics.db import listed_rows, result_queries
    from riskmetrics.results.comparison import SessionResults

    find_session(connection, day, portfolio)
    session = SessionResults(
        *(
            read(connection, day, portfolio)
            for read in (
                result_queries.read_snapshots,
                listed_rows.read_sector_weights,
                listed_rows.read_market_betas,
                result_queries.read_undefined_metrics,
            )
        )
    )
    if session.snapshots.empty and session.undefined.empty:
        raise missing_results_error(connection, day, portfolio)
    names = session.snapshots["portfolio"]
    if not names.is_unique:
        raise UsageError(
            f"several portfolios are named {names[names.duplicated()].iloc[0]}: rename them so that"
            " each name is unique"
        )
    return session._replace(
        snapshots=_add_tail_figures(session.snapshots, connection, day, portfolio)
    )


def _add_tail_figures(
    snapshots: "pd.DataFrame", connection: "sa.Connection", day: date, portfolio: str | None
) -> "pd.DataFrame":
    """Return snapshots with the compared figures of tail risk and drawdowns."""
    import numpy as np

    from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
    from riskmetrics.db import listed_rows

    tail, drawdowns = (
        listed_rows.read_rows(table, connection, day, portfolio)
        for table in ("portfolio_tail_risk", "portfolio_drawdowns")
    )
    found = snapshots.copy()
    is_shown = np.logical_and.reduce([tail[key] == value for key, value in HEADLINE_TAIL.items()])
    for rows, columns in (
        (tail[is_shown], ["value_at_risk", "expected_shortfall"]),
        (drawdowns, ["current_drawdown"]),
    ):
        values = rows.set_index("portfolio")[columns].astype(float)
        for column in columns:
            found[column] = [values[column].get(name) for name in snapshots["portfolio"]]
    return found


def _print_comparison(
    changes: "Comparison",
    contributors: "pd.DataFrame",
    flows: "pd.DataFrame",
    before: date,
    after: date,
) -> None:
    from riskmetrics.catalog import Unit

    days = {"before": before.isoformat(), "after": after.isoformat()}
    print_table(
        ["portfolio", "figure", *days.values(), "change"],
        [
            [row["portfolio"], *_figure_cells(row["figure"], row["before"], row["after"])]
            for row in to_records(changes.figures)
        ],
        right_aligned=[False, False, True, True, True],
    )
    quantities: dict[str, CellFormat] = {
        **dict.fromkeys(days.values(), formatting.quantity),
        "change": _signed_quantity,
    }
    amounts: dict[str, CellFormat] = {"amount": formatting.signed_amount}
    share, beta = formatting.percent, partial(formatting.fixed_point, decimals=3)
    for title, frame, formats in (
        (
            f"Prices that changed the value most, at the quantities of {before}",
            contributors,
            amounts,
        ),
        ("Deposits and withdrawals", flows, amounts),
        (
            "Sector weights, share of gross value: largest changes",
            _format_sides(
                changes.sectors.groupby("portfolio").head(_MAX_SECTOR_MOVES), share, Unit.FRACTION
            ),
            {},
        ),
        ("Positions opened, closed and resized", changes.positions, quantities),
        (
            "Betas that changed by more than two standard errors",
            _format_sides(changes.betas, beta, Unit.BETA),
            {"standard_errors": formatting.one_decimal},
        ),
        ("Undefined values", changes.undefined, {}),
    ):
        if len(frame):
            typer.echo()
            print_frame(
                frame.rename(columns=days),
                as_json=False,
                formats=formats,
                title=title,
                right_aligned=[*days.values(), "change"],
            )


def _figure_cells(name: str, before: float | None, after: float | None) -> list[str]:
    """Return a compared figure's label, its two values and their difference."""
    from riskmetrics.catalog import find_figure
    from riskmetrics.present.figures import TABLE_FORMATS
    from riskmetrics.results.comparison import COMPARED_FIGURES

    compared = COMPARED_FIGURES[name]
    figure = find_figure(f"{compared.table}.{name}")
    sides = _format_pair(before, after, TABLE_FORMATS[figure.unit], figure.unit)
    return [compared.label or figure.label, *sides]


def _format_sides(frame: "pd.DataFrame", form: CellFormat, unit: "Unit") -> "pd.DataFrame":
    """Return a frame whose columns before, after and change are text."""
    names = ["before", "after", "change"]
    texts = [_format_pair(row["before"], row["after"], form, unit) for row in to_records(frame)]
    columns = zip(*texts, strict=True) if texts else ([], [], [])
    return frame.assign(**dict(zip(names, map(list, columns), strict=True)))


def _format_pair(
    before: float | None, after: float | None, form: CellFormat, unit: "Unit"
) -> list[str]:
    from riskmetrics.present.figures import format_change

    texts = [format_cell(value, form) for value in (before, after)]
    if before is None or after is None:
        return [*texts, format_cell(None)]
    return [*texts, format_change(before, after, form, unit)]


def _signed_quantity(value: float) -> str:
    return ("−" if value < 0 else "+" if value > 0 else "") + formatting.quantity(abs(value))
