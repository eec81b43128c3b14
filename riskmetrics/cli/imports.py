"""`riskmetrics import`: import files of prices, profiles, sector weights and scenarios."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.class_shares import resolve_class_shares
from riskmetrics.cli.import_portfolio import portfolio
from riskmetrics.cli.import_transactions import transactions
from riskmetrics.cli.output import echo_err, pluralize, require_printable
from riskmetrics.cli.shared_options import File
from riskmetrics.symbols import add_class_dash

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.write import WriteCounts
    from riskmetrics.limits import Limits
    from riskmetrics.sources.files import ParseResult

app = typer.Typer(
    help=(
        "Import prices, holdings, transactions, profiles, benchmark weights and stress scenarios"
        " from files."
    ),
    no_args_is_help=True,
)
app.command()(portfolio)
app.command()(transactions)


@app.command()
def prices(file: File) -> None:
    """Import daily prices: symbol, date, close; optionally open, high, low, volume, adj_close.

    Example: riskmetrics import prices bars.csv
    """
    from riskmetrics.sources.files import read_prices

    _import_file(
        "prices",
        file,
        read_prices,
        lambda connection, parsed: store_prices(connection, parsed, str(file)),
    )


@app.command()
def profiles(file: File) -> None:
    """Import company profiles: symbol; optionally name, asset_type, sector, beta.

    Example: riskmetrics import profiles companies.csv
    """
    from riskmetrics.db import input_writes
    from riskmetrics.sources.files import read_profiles

    _import_file(
        "profiles",
        file,
        read_profiles,
        lambda connection, parsed: format_write(
            input_writes.store_profiles(connection, parsed.rows, "file")
        ),
    )


@app.command()
def benchmark(
    file: File,
    code: Annotated[
        str | None, typer.Option(help="Code of the benchmark. Default: the one that results use.")
    ] = None,
) -> None:
    """Import sector weights of a benchmark: date, sector, weight.

    Results use SP500, unless `riskmetrics db setting benchmark CODE` sets another one.

    Example: riskmetrics import benchmark sp500_sectors.csv
    """
    from riskmetrics import settings
    from riskmetrics.db import input_writes, stored_settings
    from riskmetrics.sources.files import read_benchmark

    if code:
        require_printable(code, "--code", one_line=True)
    requested_code = settings.parse_benchmark_code(code) if code else None
    configured = settings.load().benchmark

    def store(connection: "sa.Connection", parsed: "ParseResult") -> str:
        in_use = stored_settings.read_benchmark_code(connection, configured)
        if requested_code and requested_code != in_use:
            echo_err(
                f"note: results use the benchmark {in_use}; switch with riskmetrics db setting"
                f" benchmark {requested_code}"
            )
        return format_write(
            input_writes.store_benchmark_weights(
                connection, parsed.rows, requested_code or in_use, "file"
            )
        )

    _import_file("benchmark", file, read_benchmark, store)


@app.command()
def scenarios(
    file: File,
    only: Annotated[
        bool, typer.Option("--only", help="Remove the scenarios that are not in the file.")
    ] = False,
) -> None:
    """Import stress scenarios: moves of the market and rates, or a historical window to replay.

    Columns are name; market_move and rate_move, or first_day and last_day of a window; and
    description. Moves are fractions of a price (-0.2 is a fall by a fifth); rate_move is the move
    of the rate index, a bond fund. Existing scenarios of the same name are replaced.

    Example: riskmetrics import scenarios scenarios.csv
    """
    from riskmetrics.db import input_writes
    from riskmetrics.sources.scenarios import read_scenarios

    _import_file(
        "scenarios",
        file,
        read_scenarios,
        lambda connection, parsed: format_write(
            input_writes.store_scenarios(connection, parsed.rows, is_complete_set=only)
        ),
    )


def store_prices(connection: "sa.Connection", parsed: "ParseResult", file: str) -> str:
    """Store prices except of symbols that would mix adjusted and unadjusted closes.

    Returns the summary of the write.

    Raises
    ------
    DataQualityError
        If every symbol of the file would mix them.
    """
    from riskmetrics.db import input_writes
    from riskmetrics.errors import DataQualityError

    written, mixed = input_writes.store_prices(connection, parsed.rows, "file")
    if mixed and not written.changed + written.unchanged:
        raise DataQualityError(f"{_describe_mixed_closes(mixed)}; the file has no other symbols")
    if mixed:
        input_writes.store_rejected_rows(connection, "prices", file, _mixed_rows(parsed, mixed))
        echo_err(f"warning: {_describe_mixed_closes(mixed)}")
    return format_write(written)


def _describe_mixed_closes(symbols: list[str]) -> str:
    return (
        f"{', '.join(symbols)}: the file and the stored prices differ in whether adj_close is"
        " adjusted, and mixing the two would create a false return where they meet; import the"
        " whole history from one source"
    )


def _mixed_rows(parsed: "ParseResult", symbols: list[str]) -> "list[tuple[int | None, str, str]]":
    rows = parsed.rows[parsed.rows["symbol"].isin(symbols)].drop(columns="has_adj_close")
    return [
        (None, line, "adj_close is adjusted in only one of the file and the stored prices")
        for line in rows.to_csv(index=False, header=False).splitlines()
    ]


def format_write(written: "WriteCounts") -> str:
    """Return the counts of a write as text."""
    return f"{pluralize(written.changed, 'row')} written, {written.unchanged} unchanged" + (
        f", {written.removed} removed" if written.removed else ""
    )


def _import_file(
    kind: str,
    file: Path,
    parse: "Callable[[Path, Limits], ParseResult]",
    store: "Callable[[sa.Connection, ParseResult], str]",
) -> None:
    from riskmetrics import settings
    from riskmetrics.cli.database import write_transaction
    from riskmetrics.db import input_writes

    parsed = parse(file, settings.load().limits)
    with write_transaction() as connection:
        if "symbol" in parsed.rows:
            symbols = set(parsed.rows["symbol"])
            unmarked = {symbol for symbol in symbols if add_class_dash(symbol) not in symbols}
            if shares := resolve_class_shares(connection, unmarked):
                parsed = parsed._replace(rows=parsed.rows.replace({"symbol": shares}))
        summary = store(connection, parsed)
        input_writes.store_rejected_rows(connection, kind, str(file), parsed.rejected)
    for note in parsed.notes:
        echo_err(f"note: {note}")
    if parsed.rejected:
        first = parsed.rejected[0]
        where = f"line {first.line}: " if first.line else ""
        echo_err(
            f"{pluralize(len(parsed.rejected), 'row')} rejected and stored in rejected_rows; the"
            f" first, {where}{first.reason}"
        )
    typer.echo(f"{file}: {summary}")
