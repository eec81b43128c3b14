"""`riskmetrics portfolio`: add, list, rename and remove portfolios."""

import sys
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import read_transaction, write_transaction
from riskmetrics.cli.file_results import resolve_class_shares
from riskmetrics.cli.output import echo_err, pluralize, print_frame
from riskmetrics.cli.shared_options import (
    AsJson,
    check_amount,
    check_not_future,
    check_portfolio_name,
    day_option,
)
from riskmetrics.errors import NotStoredError, UsageError
from riskmetrics.present.formatting import fixed_point
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Add, list, rename and remove portfolios.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the new portfolio.")],
    holdings: Annotated[
        list[str], typer.Argument(help="Symbol and shares, such as AAPL=10; a short has -10.")
    ],
    equity: Annotated[
        float | None, typer.Option(help="Equity (net value plus cash) in USD. Default: no cash.")
    ] = None,
    as_of: Annotated[
        date | None,
        day_option(help_text="Date of the holdings. Default: today."),
    ] = None,
) -> None:
    """Add a portfolio without a file.

    Its lots count as held since before the first session. Import a file to change them later.

    Example: riskmetrics portfolio add Growth AAPL=10 MSFT=5

    riskmetrics portfolio add Hedged SPY=100 QQQ=-40 --equity 50000
    """
    name, day = check_portfolio_name(name.strip()), as_of or date.today()
    check_not_future(day)
    check_amount("--equity", equity)
    _store_portfolio(name, _parse_lots(holdings, day), day, equity)


def _store_portfolio(name: str, lots: "pd.DataFrame", day: date, equity: float | None) -> None:
    """Store a new portfolio, and name the symbols without prices.

    Raises UsageError if there is a portfolio with the name.
    """
    from riskmetrics.db import holdings, input_queries, stored_prices, transactions
    from riskmetrics.results.lot_frames import underlying
    from riskmetrics.transactions.model import CASH_UNIT

    balance = None if equity is None else Decimal(str(equity)).quantize(CASH_UNIT)
    with write_transaction() as connection:
        if name in set(input_queries.read_portfolios(connection)["name"]):
            is_kept = transactions.find_portfolio(connection, name) is not None
            command = "transactions FILE --portfolio" if is_kept else "portfolio FILE --name"
            raise UsageError(
                f"there is a portfolio {name} already: change it with `riskmetrics import"
                f" {command} {name}`, or remove it first"
            )
        shares = resolve_class_shares(connection, lots["symbol"])
        lots = lots.replace({"symbol": shares, "underlying_symbol": shares})
        changes = holdings.apply_statement(connection, name, lots, as_of=day, equity=balance)
        symbols = set(underlying(lots).dropna())
        coverage = stored_prices.read_price_coverage(connection, symbols)
        unpriced = sorted(symbols - set(coverage["symbol"]))
        unpriced = stored_prices.suggest_symbols(connection, unpriced)
        last = None if coverage.empty else coverage["last"].max().date()
    if unpriced:
        echo_err(
            f"no price is stored for {join_names(unpriced)}: riskmetrics run fetches it if a data"
            " source is configured; riskmetrics symbols rename OLD NEW corrects a symbol"
        )
    end = f" (their prices end on {last})" if last and last < day else ""
    typer.echo(f"{name}: {pluralize(changes.opened, 'lot')}, as of {day}{end}")


def _parse_lots(texts: list[str], day: date) -> "pd.DataFrame":
    """Return the lots of texts such as AAPL=10, validated like those of a file.

    Raises UsageError if a text is not a symbol and a number, or a symbol is repeated.
    """
    import pyarrow as pa

    from riskmetrics.sources.lot_validation import validate_lots
    from riskmetrics.sources.tabular_files import Table

    parts = [text.partition("=") for text in texts]
    if wrong := next((text for text, part in zip(texts, parts, strict=True) if not part[1]), None):
        raise UsageError(f"{wrong!r} has no number of shares: write SYMBOL=SHARES, such as AAPL=10")
    columns = {
        name: pa.chunked_array([pa.array(values, pa.string())])
        for name, values in (
            ("symbol", [symbol for symbol, _, _ in parts]),
            ("quantity", [quantity for _, _, quantity in parts]),
        )
    }
    table = Table(
        Path("the command line"), columns, [], [], lambda rows: [(0, texts[row]) for row in rows]
    )
    parsed = validate_lots(table, day)
    if parsed.rejected:
        raise UsageError(f"{parsed.rejected[0].raw_row}: {parsed.rejected[0].reason}")
    repeated = parsed.rows["symbol"][parsed.rows["symbol"].duplicated()]
    if len(repeated):
        raise UsageError(f"{repeated.iloc[0]} is named twice: add its shares up")
    return parsed.rows


@app.command("list")
def list_portfolios(as_json: AsJson = False) -> None:
    """List all portfolios with their holdings.

    Example: riskmetrics portfolio list
    """
    from riskmetrics.db import storage_overview

    with read_transaction() as connection:
        table = storage_overview.read_portfolio_overview(connection)
    if table.empty and not as_json:
        raise NotStoredError(
            "no portfolio is stored yet: import one with riskmetrics import portfolio holdings.csv"
            " --name NAME, or add one with riskmetrics portfolio add NAME AAPL=10"
        )
    print_frame(
        table, as_json=as_json, formats={"equity_balance": partial(fixed_point, decimals=2)}
    )


@app.command()
def rename(
    old: Annotated[str, typer.Argument(help="Name of the portfolio.")],
    new: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Give a portfolio another name.

    Its holdings, limits and results stay. Notes that are stored keep the old name.

    Example: riskmetrics portfolio rename Portfolio Growth
    """
    from riskmetrics.db import holdings, portfolios

    name = check_portfolio_name(new.strip())
    with write_transaction() as connection:
        portfolio_id = portfolios.find_portfolio_id(connection, old)
        holdings.lock(connection)
        portfolios.rename_portfolio(connection, portfolio_id, name)
    typer.echo(f"{old} is now {name}")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name of the portfolio.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove a portfolio from lists and future runs.

    Its holdings and results stay in the database.

    Example: riskmetrics portfolio remove Growth
    """
    from riskmetrics.db import portfolios

    with read_transaction() as connection:
        portfolios.find_portfolio_id(connection, name)
    if not (yes or sys.stdin.isatty()):
        raise UsageError("cannot ask for confirmation without a terminal: pass --yes")
    if not yes:
        typer.confirm(f"Remove {name}?", abort=True, err=True)
    with write_transaction() as connection:
        portfolios.remove_portfolio(connection, name)
    typer.echo(f"{name} removed")
