"""`riskmetrics import`: import files of prices, profiles, sectors, factors, events, scenarios."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import write_transaction
from riskmetrics.cli.file_results import (
    end_dry_run,
    exit_if_rejected,
    format_write,
    report_dry_run,
    report_result,
    resolve_rows,
)
from riskmetrics.cli.import_portfolio import portfolio
from riskmetrics.cli.import_prices import prices
from riskmetrics.cli.import_transactions import transactions
from riskmetrics.cli.output import echo_err, pluralize, report_outdated, require_printable
from riskmetrics.cli.shared_options import Dates, Decimal, File, parse_notation

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.size_limits import Limits
    from riskmetrics.sources.files import ParseResult
    from riskmetrics.sources.row_validation import Notation

_HOLDINGS, _MARKET_DATA = "Holdings", "Market data and scenarios"

app = typer.Typer(
    help="Import holdings, prices and other data from files.",
    no_args_is_help=True,
)
app.command(rich_help_panel=_HOLDINGS)(portfolio)
app.command(rich_help_panel=_HOLDINGS)(transactions)
app.command(rich_help_panel=_MARKET_DATA)(prices)


@app.command(rich_help_panel=_MARKET_DATA)
def profiles(file: File, decimal: Decimal = "", dates: Dates = "") -> None:
    """Import names and sectors of companies.

    Columns are symbol; optionally name, asset_type, sector, beta.

    Example: riskmetrics import profiles companies.csv
    """
    from riskmetrics.db import identifier_store, input_writes
    from riskmetrics.sources.files import read_profiles

    def store(connection: "sa.Connection", parsed: "ParseResult") -> str:
        if "identifiers" in parsed.rows:
            stated = parsed.rows[["symbol", "identifiers"]].explode("identifiers").dropna()
            stated = stated.rename(columns={"identifiers": "identifier"})
            for note in identifier_store.describe_conflicts(connection, stated):
                echo_err(f"note: {note}")
        return format_write(input_writes.store_profiles(connection, parsed.rows, "file"))

    _import_file("profiles", file, read_profiles, store, parse_notation(decimal, dates))


@app.command(rich_help_panel=_MARKET_DATA)
def benchmark(
    file: File,
    code: Annotated[
        str | None, typer.Option(help="Code of the benchmark. Default: the one that results use.")
    ] = None,
    decimal: Decimal = "",
    dates: Dates = "",
) -> None:
    """Import sector weights of a benchmark.

    Columns are date, sector, weight. Results use SP500, unless `riskmetrics db setting benchmark
    CODE` sets another one. With the symbol of a fund as --code, holdings of the fund are divided
    into these sectors.

    Example: riskmetrics import benchmark sp500_sectors.csv
    """
    from riskmetrics import setting_types, settings
    from riskmetrics.db import input_queries, input_writes, outdated_results, stored_settings
    from riskmetrics.sources.files import read_benchmark

    if code:
        require_printable(code, "--code", one_line=True)
    requested_code = setting_types.parse_benchmark_code(code) if code else None
    configured = settings.load().benchmark

    def store(connection: "sa.Connection", parsed: "ParseResult") -> str:
        in_use = stored_settings.read_benchmark_code(connection, configured)
        if requested_code and requested_code != in_use:
            echo_err(f"note: {_describe_use(connection, requested_code, in_use)}")
        used_code = requested_code or in_use
        written = input_writes.store_benchmark_weights(connection, parsed.rows, used_code, "file")
        is_used = used_code == in_use or input_queries.can_be_fund(connection, used_code)
        first = input_queries.read_first_new_weight(connection, used_code)
        if is_used and first is not None:
            report_outdated(outdated_results.mark_outdated(connection, first))
        return format_write(written)

    _import_file("benchmark", file, read_benchmark, store, parse_notation(decimal, dates))


def _describe_use(connection: "sa.Connection", code: str, in_use: str) -> str:
    """Return what results use the sector weights of another code than the benchmark's for."""
    from riskmetrics.db import input_queries
    from riskmetrics.funds import load_funds

    if not input_queries.can_be_fund(connection, code):
        return (
            f"results use the benchmark {in_use}; switch with riskmetrics db setting benchmark"
            f" {code}"
        )
    if load_funds().benchmark_codes.get(code) == in_use:
        return f"{code} tracks {in_use}: its holdings are divided by the sector weights of {in_use}"
    return f"holdings of {code} are divided into these sectors; the benchmark stays {in_use}"


@app.command(rich_help_panel=_MARKET_DATA)
def factors(
    file: File,
    percent: Annotated[
        bool, typer.Option("--percent", help="Returns are in percent: 1.2 is 1.2%.")
    ] = False,
    decimal: Decimal = "",
    dates: Dates = "",
) -> None:
    """Import daily returns of factors.

    Columns are date, factor, return; or date and one per factor. Returns are fractions, and percent
    in the daily files of Kenneth French's data library. Results use the factors that
    RISKMETRICS_FACTORS names.

    Example: riskmetrics import factors F-F_Research_Data_Factors_daily.csv
    """
    from riskmetrics.db import factor_queries
    from riskmetrics.sources.factor_files import read_factors

    def store(connection: "sa.Connection", parsed: "ParseResult") -> str:
        written = factor_queries.store_factor_returns(connection, parsed.rows, file.name)
        names = ", ".join(dict.fromkeys(parsed.rows["factor"]))
        return f"{names}: {format_write(written)}"

    _import_file(
        "factors",
        file,
        lambda path, limits, notation: read_factors(path, limits, notation, is_percent=percent),
        store,
        parse_notation(decimal, dates),
    )


@app.command(rich_help_panel=_MARKET_DATA)
def events(
    file: File,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be read; store nothing.")
    ] = False,
    dates: Dates = "",
) -> None:
    """Import days of events, such as earnings reports.

    Columns are symbol, date; optionally known_on, the day on which the date became known. By
    default an event to come is known from the import on. A file is the whole calendar of its
    symbols from its first date on: later events of these symbols that it does not have are removed.
    Volatility forecasts use the calendar from the next run of a session on.

    Example: riskmetrics import events earnings.csv
    """
    from riskmetrics import trading_calendar
    from riskmetrics.db import event_queries
    from riskmetrics.sources.event_files import read_events

    def store(connection: "sa.Connection", parsed: "ParseResult") -> str:
        today = trading_calendar.current_session()
        written = event_queries.store_events(connection, parsed.rows, file.name, today)
        return format_write(written)

    _import_file("events", file, read_events, store, parse_notation("", dates), dry_run=dry_run)


@app.command(rich_help_panel=_MARKET_DATA)
def scenarios(
    file: File,
    only: Annotated[
        bool, typer.Option("--only", help="Remove the scenarios that are not in the file.")
    ] = False,
    decimal: Decimal = "",
    dates: Dates = "",
) -> None:
    """Import stress scenarios.

    A scenario is moves of the market and of rates, or a historical window to replay. Columns are
    name; market_move and rate_move, or first_day and last_day of a window; and optionally
    volatility_move, the relative change of volatilities for options, and description. Moves are
    fractions of a price (-0.2 is a fall by a fifth); rate_move is the move of the rate index, a
    bond fund. factor_moves are returns of factors, such as "value=-0.05, size=0.02", alone or with
    market_move. Existing scenarios of the same name are replaced.

    Example: riskmetrics import scenarios scenarios.csv
    """
    from riskmetrics.db import input_writes, outdated_results
    from riskmetrics.sources.scenarios import read_scenarios

    def store(connection: "sa.Connection", parsed: "ParseResult") -> str:
        written = input_writes.store_scenarios(connection, parsed.rows, is_complete_set=only)
        if written.changed or written.removed:
            report_outdated(outdated_results.mark_outdated(connection, date.min))
        return format_write(written)

    _import_file("scenarios", file, read_scenarios, store, parse_notation(decimal, dates))


def _import_file(
    kind: str,
    file: Path,
    parse: "Callable[[Path, Limits, Notation], ParseResult]",
    store: "Callable[[sa.Connection, ParseResult], str]",
    notation: "Notation",
    *,
    dry_run: bool = False,
) -> None:
    from riskmetrics import settings
    from riskmetrics.db import input_writes

    parsed = parse(file, settings.load().limits, notation)
    if dry_run:
        report_dry_run(parsed)
        typer.echo(f"{file}: {pluralize(len(parsed.rows), 'row')} read; dry run: nothing stored")
        end_dry_run(len(parsed.rejected))
        return
    with write_transaction() as connection:
        if "symbol" in parsed.rows:
            parsed = resolve_rows(connection, parsed)
        summary = store(connection, parsed)
        input_writes.store_rejected_rows(connection, kind, str(file), parsed.rejected)
    report_result(parsed)
    typer.echo(f"{file}: {summary}")
    exit_if_rejected(len(parsed.rejected))
