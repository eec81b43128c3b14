"""`riskmetrics show`: stored results."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import typer

from riskmetrics.cli.options import AsJson, Day, PortfolioName, day_of
from riskmetrics.cli.output import Format, cell, fail, present, print_json, print_table, records
from riskmetrics.report import figures

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

app = typer.Typer(help="Show stored results of a session.", no_args_is_help=True)

_BETAS: dict[str, Format] = {
    "quantity": figures.quantity,
    "beta": "{:.3f}".format,
    "std_error": "{:.3f}".format,
    "alpha": "{:.6f}".format,
    "r_squared": "{:.3f}".format,
    "p_value": figures.p_value,
}
_SECTORS: dict[str, Format] = {
    "gross_weight": figures.percent,
    "net_weight": figures.percent,
    "benchmark_weight": figures.percent,
    "active_weight": figures.signed_percent,
}


@app.command()
def betas(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print the market beta of every position.

    Example: riskmetrics show betas --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.betas, day_of(day), portfolio)
    present(table, as_json=as_json, formats=_BETAS, title=f"Market betas, {session}")
    if not as_json:
        times = figures.NEXT_WINDOW
        typer.echo(f"std_error is that of the regression; the next window's beta differs from this one by about {times} times as much.")


@app.command()
def sectors(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print sector weights beside the benchmark's.

    Example: riskmetrics show sectors --date 2022-12-28
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.sectors, day_of(day), portfolio)
    present(table, as_json=as_json, formats=_SECTORS, title=f"Sector weights, {session}")


@app.command()
def snapshot(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print every figure of the portfolios, one column a portfolio.

    Example: riskmetrics show snapshot --date 2022-12-28 --json
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.snapshots, day_of(day), portfolio)
    if as_json:
        print_json(records(table))
        return
    rows = records(table)
    names = [name for name in table.columns if name not in ("portfolio", "portfolio_id", "created_at", "sector_exposure")]
    print_table(
        ["", *(row["portfolio"] for row in rows)],
        [[str(name), *(cell(row[name]) for row in rows)] for name in names],
        right=[False, *(True for _ in rows)],
        title=f"Portfolios, {session}",
    )


@app.command()
def undefined(day: Day = None, portfolio: PortfolioName = None, as_json: AsJson = False) -> None:
    """Print what has no value, and why.

    Example: riskmetrics show undefined --date 2022-12-28
    """
    from riskmetrics.db import stored

    session, table = _stored(stored.undefined, day_of(day), portfolio, may_be_empty=True)
    if table.empty and not as_json:
        typer.echo(f"nothing is undefined on {session}")
        return
    present(table, as_json=as_json, title=f"Undefined on {session}")


def _stored(
    read: "Callable[[sa.Connection, date, str | None], pd.DataFrame]",
    day: date | None,
    portfolio: str | None,
    *,
    may_be_empty: bool = False,
) -> "tuple[date, pd.DataFrame]":
    """Read a day's results, by default the latest day's; an empty answer ends the command with what to check."""
    from riskmetrics.cli.database import reading
    from riskmetrics.db import stored
    from riskmetrics.db.read import portfolios as read_portfolios

    with reading() as connection:
        session = day or stored.latest_day(connection)
        if session is None:
            raise fail("no results are stored yet: riskmetrics run")
        table = read(connection, session, portfolio)
        has_run = len(stored.snapshots(connection, session, portfolio)) > 0
        known = set(read_portfolios(connection)["name"])
    if portfolio and portfolio not in known:
        raise fail(f"there is no portfolio {portfolio}: see riskmetrics portfolio list", code=2)
    if table.empty and not (may_be_empty and has_run):
        whose = f" for {portfolio}" if portfolio else ""
        raise fail(f"nothing is stored on {session}{whose}: has that session run? riskmetrics run --date {session}")
    return session, table
