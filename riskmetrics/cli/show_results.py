"""Read and print stored results, for the commands of `riskmetrics show`."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from riskmetrics.cli.output import (
    CellFormat,
    fail,
    print_caveats,
    print_frame,
    print_json,
    to_records,
)
from riskmetrics.present.caveats import portfolio_caveats

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa


def print_results(
    table: "pd.DataFrame", formats: dict[str, CellFormat], title: str, *, as_json: bool
) -> None:
    """Print a table with reasons, or its rows as JSON."""
    if as_json:
        print_json(to_records(table))
        return
    print_with_reasons(table, formats, title)


def print_with_reasons(table: "pd.DataFrame", formats: dict[str, CellFormat], title: str) -> None:
    """Print a table; its column of reasons is shown only if some value is undefined."""
    visible = (
        table if table["undefined_reason"].notna().any() else table.drop(columns="undefined_reason")
    )
    print_frame(visible, as_json=False, formats=formats, title=title)


def read_results(
    query: "Callable[[sa.Connection, date, str | None], pd.DataFrame]",
    day: date | None,
    portfolio: str | None,
    *,
    is_empty_allowed: bool = False,
    has_caveats: bool = False,
) -> "tuple[date, pd.DataFrame]":
    """Read the results of a day, by default the latest; exit with advice if there are none.

    ``has_caveats`` also prints the caveats of the portfolios, for results based on their values.
    """
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import result_queries
    from riskmetrics.db.input_queries import read_portfolios

    with read_transaction() as connection:
        session = day or result_queries.read_latest_day(connection)
        if session is None:
            raise fail("no results are stored yet: compute them with riskmetrics run")
        table = query(connection, session, portfolio)
        snapshots = result_queries.read_snapshots(connection, session, portfolio)
        notes = (
            portfolio_caveats(
                snapshots, result_queries.read_coverage(connection, session, portfolio)
            )
            if has_caveats
            else {}
        )
        known_portfolios = set(read_portfolios(connection)["name"])
    if portfolio and portfolio not in known_portfolios:
        raise fail(f"there is no portfolio {portfolio}: see riskmetrics portfolio list", code=2)
    portfolio_phrase = f" of {portfolio}" if portfolio else ""
    if table.empty and len(snapshots) and not is_empty_allowed:
        raise fail(
            f"all of these results{portfolio_phrase} are undefined on {session}: see riskmetrics"
            f" show undefined --date {session}"
        )
    if table.empty and not (is_empty_allowed and len(snapshots)):
        raise fail(
            f"no results{portfolio_phrase} are stored for {session}: compute them with riskmetrics"
            f" run --date {session}"
        )
    print_caveats(session, notes)
    return session, table
