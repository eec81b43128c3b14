"""`riskmetrics portfolio`: list and remove portfolios."""

import sys
from typing import Annotated

import typer

from riskmetrics.cli.output import fail, print_frame
from riskmetrics.cli.shared_options import AsJson

app = typer.Typer(help="List and remove portfolios.", no_args_is_help=True)


@app.command("list")
def list_portfolios(as_json: AsJson = False) -> None:
    """List all portfolios with their holdings.

    Example: riskmetrics portfolio list
    """
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import storage_overview

    with read_transaction() as connection:
        table = storage_overview.read_portfolio_overview(connection)
    if table.empty and not as_json:
        raise fail(
            "no portfolio is stored yet: import one with riskmetrics import portfolio holdings.csv"
            " --name NAME"
        )
    print_frame(table, as_json=as_json, formats={"equity_balance": "{:,.2f}".format})


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name of the portfolio.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove a portfolio from lists and future runs.

    Its holdings and results stay in the database.

    Example: riskmetrics portfolio remove Growth
    """
    from riskmetrics.cli.database import write_transaction
    from riskmetrics.db import holdings

    if not yes and not sys.stdin.isatty():
        raise fail("cannot ask for confirmation without a terminal: pass --yes", code=2)
    if not yes:
        typer.confirm(f"Remove {name}?", abort=True, err=True)
    with write_transaction() as connection:
        removed = holdings.remove_portfolio(connection, name)
    if not removed:
        raise fail(f"there is no portfolio {name}: see riskmetrics portfolio list")
    typer.echo(f"{name} removed")
