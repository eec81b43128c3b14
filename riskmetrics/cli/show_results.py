"""Read and print the views of stored results, for the commands of `riskmetrics show`."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import typer

from riskmetrics.cli.output import (
    fail,
    format_cell,
    print_caveats,
    print_frame,
    print_json,
    print_table,
    spell_infinities,
    to_records,
)

if TYPE_CHECKING:
    import pandas as pd

    from riskmetrics.cli.views import Table, View


def show_view(
    name: str, day: date | None, portfolio: str | None, *, as_json: bool, is_wide: bool
) -> None:
    """Print a view of a day's results, by default the latest; exit with advice without any."""
    view, session, frames = _read(name, day, portfolio)
    if as_json:
        records = {key: to_records(spell_infinities(frame)) for key, frame in frames.items()}
        print_json(records.get("", records))
        return
    if view.text_if_empty and all(frame.empty for frame in frames.values()):
        typer.echo(view.text_if_empty.format(session=session))
        return
    for key, table in view.tables.items():
        _print(table, frames[key], session, is_wide=is_wide)
    for line in view.notes(frames):
        typer.echo(line)


def _print(table: "Table", frame: "pd.DataFrame", session: date, *, is_wide: bool) -> None:
    """Print a table; its column of reasons is shown only if some value is undefined."""
    from riskmetrics.cli.views import DETAILS
    from riskmetrics.present.figures import table_formats

    title = table.title.format(session=session)
    hidden = set(table.hidden)
    if "undefined_reason" in frame and frame["undefined_reason"].isna().all():
        hidden.add("undefined_reason")
    shown = table.arrange(frame)
    shown = shown[[name for name in shown.columns if name not in hidden]]
    figures = table.figures
    formats = table_formats(figures)
    if table.is_transposed:
        rows = to_records(shown)
        print_table(
            ["", *(row["portfolio"] for row in rows)],
            [
                [str(name), *(format_cell(row[name], formats.get(name)) for row in rows)]
                for name in shown.columns
                if name != "portfolio"
            ],
            right_aligned=[False, *(True for _ in rows)],
            title=title,
            is_wide=is_wide,
        )
        return
    headings = {column: figure.heading for column, figure in figures.items()}
    print_frame(
        shown,
        as_json=False,
        formats=formats,
        headings=headings if table.has_headings else {},
        title=title,
        is_wide=is_wide,
        details=DETAILS,
    )


def _read(
    name: str, day: date | None, portfolio: str | None
) -> "tuple[View, date, Mapping[str, pd.DataFrame]]":
    from riskmetrics.cli.database import fail_without_results, find_session, read_transaction

    with read_transaction() as connection:
        from riskmetrics.cli.views import VIEWS  # with the server, which takes as long to start
        from riskmetrics.db import listed_rows, result_queries
        from riskmetrics.present.caveats import portfolio_caveats

        view = VIEWS[name]
        session = find_session(connection, day, portfolio)
        frames = {
            key: table.query(connection, session, portfolio) for key, table in view.tables.items()
        }
        snapshots = result_queries.read_snapshots(connection, session, portfolio)
        coverage = listed_rows.read_coverage(connection, session, portfolio)
        missing = [view.tables[key] for key, frame in frames.items() if frame.empty]
        if missing and snapshots.empty:
            raise fail_without_results(connection, session, portfolio)
    if not all(table.is_optional for table in missing):
        of_portfolio = f" of {portfolio}" if portfolio else ""
        raise fail(
            f"all of these results{of_portfolio} are undefined on {session}: see riskmetrics show"
            f" undefined --date {session}"
        )
    if view.has_caveats:
        print_caveats(session, portfolio_caveats(snapshots, coverage))
    return view, session, frames
