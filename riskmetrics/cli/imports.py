"""`riskmetrics import`: users' files into the database."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.class_shares import name_class_shares
from riskmetrics.cli.import_portfolio import portfolio
from riskmetrics.cli.options import File
from riskmetrics.cli.output import counted, require_printable, say
from riskmetrics.symbols import mark_class

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.write import Written
    from riskmetrics.limits import Limits
    from riskmetrics.sources.files import Parsed

app = typer.Typer(
    help="Bring in prices, holdings, profiles, benchmark weights and stress scenarios from CSV or Parquet files.", no_args_is_help=True
)
app.command()(portfolio)


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
def benchmark(
    file: File,
    code: Annotated[str | None, typer.Option(help="Which benchmark. Default: the one that results use.")] = None,
) -> None:
    """Sector weights of a benchmark: date, sector, weight.

    Results use SP500, or what `riskmetrics db setting benchmark CODE` says.

    Example: riskmetrics import benchmark sp500_sectors.csv
    """
    from riskmetrics import settings
    from riskmetrics.db import imports, read
    from riskmetrics.sources.files import read_benchmark

    if code:
        require_printable(code, "--code", one_line=True)
    wanted = settings.parse_benchmark_code(code) if code else None
    configured = settings.load().benchmark

    def store(connection: "sa.Connection", parsed: "Parsed") -> str:
        in_use = read.benchmark_code(connection, configured)
        if wanted and wanted != in_use:
            say(f"note: results use the benchmark {in_use}; to use {wanted}: riskmetrics db setting benchmark {wanted}")
        return told(imports.benchmark(connection, parsed.rows, wanted or in_use, "file"))

    _import("benchmark", file, read_benchmark, store)


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


def _import(
    kind: str,
    file: Path,
    read: "Callable[[Path, Limits], Parsed]",
    store: "Callable[[sa.Connection, Parsed], str]",
) -> None:
    from riskmetrics import settings
    from riskmetrics.cli.database import writing
    from riskmetrics.db import imports

    parsed = read(file, settings.load().limits)
    with writing() as connection:
        if "symbol" in parsed.rows:
            symbols = set(parsed.rows["symbol"])
            unmarked = {symbol for symbol in symbols if mark_class(symbol) not in symbols}
            if shares := name_class_shares(connection, unmarked):
                parsed = parsed._replace(rows=parsed.rows.replace({"symbol": shares}))
        summary = store(connection, parsed)
        imports.reject(connection, kind, str(file), parsed.rejected)
    for note in parsed.notes:
        say(f"note: {note}")
    if parsed.rejected:
        first = parsed.rejected[0]
        where = f"line {first.line}: " if first.line else ""
        say(f"{counted(len(parsed.rejected), 'row')} rejected and kept in rejected_rows; the first, {where}{first.reason}")
    typer.echo(f"{file}: {summary}")
