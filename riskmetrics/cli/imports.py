"""`riskmetrics import`: users' files into the database."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.options import DAY_FORMAT, File, day_of
from riskmetrics.cli.output import counted, say

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.write import Written
    from riskmetrics.sources.files import Parsed, RejectedRow

_EQUITY_LIMIT = 1e14
"""What the column holds."""

app = typer.Typer(
    help="Bring in prices, holdings, profiles, benchmark weights and stress scenarios from CSV or Parquet files.", no_args_is_help=True
)


@app.command()
def prices(file: File) -> None:
    """Daily prices: symbol, date, close; and open, high, low, volume, adj_close.

    Example: riskmetrics import prices bars.csv
    """
    from riskmetrics.sources.files import read_prices

    _import("prices", file, read_prices, lambda connection, parsed: store_prices(connection, parsed, str(file)))


@app.command()
def profiles(file: File) -> None:
    """Company profiles: symbol; and name, asset_type, sector, beta.

    Example: riskmetrics import profiles companies.csv
    """
    from riskmetrics.db import imports
    from riskmetrics.sources.files import read_profiles

    _import("profiles", file, read_profiles, lambda connection, parsed: told(imports.profiles(connection, parsed.rows, "file")))


@app.command()
def benchmark(file: File, code: Annotated[str, typer.Option(help="Which benchmark; results are compared with SP500.")] = "SP500") -> None:
    """Sector weights of a benchmark: date, sector, weight.

    Example: riskmetrics import benchmark sp500_sectors.csv
    """
    from riskmetrics.db import imports
    from riskmetrics.sources.files import read_benchmark

    _import("benchmark", file, read_benchmark, lambda connection, parsed: told(imports.benchmark(connection, parsed.rows, code, "file")))


@app.command()
def scenarios(
    file: File, only: Annotated[bool, typer.Option("--only", help="Remove the scenarios that are not in the file.")] = False
) -> None:
    """Stress scenarios: name; market_move, rate_move, or first_day and last_day of a window to replay; description.

    Moves are fractions of a price (-0.2 is a fall by a fifth); rate_move is that of the rate index, a bond fund. A name that is
    there already gets the new terms.

    Example: riskmetrics import scenarios scenarios.csv
    """
    from riskmetrics.db import imports
    from riskmetrics.sources.scenarios import read_scenarios

    _import("scenarios", file, read_scenarios, lambda connection, parsed: told(imports.scenarios(connection, parsed.rows, only=only)))


@app.command()
def portfolio(
    file: File,
    name: Annotated[str, typer.Option(help="Name of the portfolio; a new one is created.")],
    equity: Annotated[float | None, typer.Option(help="Equity (net value plus cash) on the day, in USD.")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=DAY_FORMAT, help="Day that the file describes. Default: today.")] = None,
) -> None:
    """Holdings of a portfolio on a day: symbol, quantity; and entry_price, entry_date, position_type.

    What was held before and is not in the file counts as left on that day.

    Example: riskmetrics import portfolio holdings.csv --name Growth --equity 345000
    """
    from datetime import date
    from decimal import Decimal

    from riskmetrics.db import holdings
    from riskmetrics.errors import UsageError
    from riskmetrics.sources.files import read_portfolio

    day = day_of(as_of) or date.today()
    if day > date.today():
        raise UsageError(f"--as-of {day} lies in the future")
    if not 0 < len(name.strip()) <= 255:  # what the column holds
        raise UsageError("--name must have 1 to 255 characters")

    if equity is not None and not abs(equity) < _EQUITY_LIMIT:  # NaN is not either
        raise UsageError(f"--equity {equity} is not an amount of money")

    def store(connection: "sa.Connection", parsed: "Parsed") -> str:
        stated = Decimal(str(equity)).quantize(Decimal("0.01")) if equity is not None else None
        result = holdings.state(connection, name.strip(), parsed.rows, as_of=day, equity=stated, unclear=_symbols_in(parsed.rejected))
        assumed = int(parsed.rows["entry_date"].isna().sum())
        if assumed and result.opened:
            say(f"{counted(assumed, 'lot')} without an entry_date: a new one counts as held since before any session")
        if result.closed_symbols:
            say(f"not stated any more, or with another quantity, so closed on {day}: {', '.join(result.closed_symbols)}")
        if result.left_alone:
            say(f"left as held, because a row of theirs was rejected: {', '.join(result.left_alone)}")
        kept = f"{result.corrected} corrected, {result.unchanged} unchanged"
        return f"{counted(result.opened, 'lot')} opened, {result.closed} closed, {kept}, as of {day}"

    _import("portfolio", file, lambda path: read_portfolio(path, day), store)


def _symbols_in(rejected: "list[RejectedRow]") -> set[str]:
    """Return what may be a symbol in rows that could not be read."""
    from riskmetrics.sources import cells

    words = {word for row in rejected for word in re.split(r"[^\w./^=-]+", row.raw_row) if word}
    return {symbol for symbol in map(cells.symbol, words) if symbol}


def store_prices(connection: "sa.Connection", parsed: "Parsed", file: str) -> str:
    """Store prices, refuse symbols that would mix adjusted and unadjusted closes, and say what was done."""
    from riskmetrics.db import imports
    from riskmetrics.errors import DataQualityError

    written, mixed = imports.prices(connection, parsed.rows, "file")
    if mixed and not written.changed + written.unchanged:
        raise DataQualityError(f"{_mixed_sentence(mixed)}; nothing else is in the file")
    if mixed:
        imports.reject(connection, "prices", file, _mixed_rows(parsed, mixed))
        say(f"warning: {_mixed_sentence(mixed)}")
    return told(written)


def _mixed_sentence(symbols: list[str]) -> str:
    return (
        f"{', '.join(symbols)}: the file and what is stored differ in whether adj_close is adjusted, and mixing the two would put a false "
        "return where they meet; import their whole history from one source"
    )


def _mixed_rows(parsed: "Parsed", symbols: list[str]) -> "list[tuple[int | None, str, str]]":
    rows = parsed.rows[parsed.rows["symbol"].isin(symbols)].drop(columns="has_adj_close")
    return [(None, line, "adj_close of another kind than that stored") for line in rows.to_csv(index=False, header=False).splitlines()]


def told(written: "Written") -> str:
    """Say what a write did."""
    return f"{counted(written.changed, 'row')} written, {written.unchanged} unchanged" + (
        f", {written.removed} removed" if written.removed else ""
    )


def _import(kind: str, file: Path, read: "Callable[[Path], Parsed]", store: "Callable[[sa.Connection, Parsed], str]") -> None:
    from riskmetrics.cli.database import writing
    from riskmetrics.db import imports

    parsed = read(file)
    with writing() as connection:
        summary = store(connection, parsed)
        imports.reject(connection, kind, str(file), parsed.rejected)
    for note in parsed.notes:
        say(f"note: {note}")
    if parsed.rejected:
        first = parsed.rejected[0]
        where = f"line {first.line}: " if first.line else ""
        say(f"{counted(len(parsed.rejected), 'row')} rejected and kept in rejected_rows; the first, {where}{first.reason}")
    typer.echo(f"{file}: {summary}")
