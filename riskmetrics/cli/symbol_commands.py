"""`riskmetrics symbols`: rename a symbol, and replace its prices by those of another source."""

from typing import Annotated

import typer

from riskmetrics.cli.database import connect_at_head, write_transaction
from riskmetrics.cli.output import echo_err, pluralize, report_outdated
from riskmetrics.errors import UsageError
from riskmetrics.symbols import normalize_symbol

app = typer.Typer(
    help="Rename a symbol, or replace its prices by those of a source.",
    no_args_is_help=True,
)


@app.command()
def rename(
    old: Annotated[str, typer.Argument(help="Symbol as it is stored, such as FB.")],
    new: Annotated[str, typer.Argument(help="Its new symbol, such as META.")],
) -> None:
    """Give a symbol its new name, with its lots, options and prices.

    The old price history is kept under the new name. Where both names have a close, that of the new
    name is kept.

    Example: riskmetrics symbols rename FB META
    """
    from riskmetrics.db import outdated_results, symbol_renames, symbol_spellings

    with write_transaction() as connection:
        stored = symbol_spellings.find_stored_spelling(connection, old)
        symbol = symbol_spellings.find_stored_spelling(connection, _parse_symbol(new))
        changed = symbol_renames.rename_symbol(connection, stored, symbol)
        outdated = outdated_results.record_renamed_symbol(connection, symbol)
    typer.echo(
        f"{stored} is now {symbol}: {pluralize(changed.lots, 'lot')},"
        f" {pluralize(changed.closes, 'close')}"
    )
    report_outdated(outdated)


@app.command()
def refetch(
    symbol: Annotated[str, typer.Argument(help="Symbol whose stored prices are replaced.")],
    source: Annotated[
        str, typer.Option(help="Name of the data source. Default: the first with prices.")
    ] = "",
    shorten: Annotated[
        bool, typer.Option("--shorten", help="Accept a history that starts later than the stored.")
    ] = False,
) -> None:
    """Replace the stored price history of a symbol by a download.

    Use it if a source disagrees with the stored prices and you trust the source.

    Example: riskmetrics symbols refetch AAPL --source yahoo
    """
    from riskmetrics import settings
    from riskmetrics.db import symbol_spellings
    from riskmetrics.ingest import refetch as refetching
    from riskmetrics.ingest.vendor_client import open_vendor_clients

    configured = settings.load()
    with (
        connect_at_head() as engine,
        open_vendor_clients(engine, configured, echo_err) as clients,
    ):
        with engine.connect() as connection:
            name = symbol_spellings.find_stored_spelling(connection, _parse_symbol(symbol))
        client = refetching.choose_source(clients, source)
        replaced = refetching.replace_history(client, name, is_shorter_accepted=shorten)
    typer.echo(
        f"{name}: {pluralize(replaced.stored, 'close')} from {client.name}, {replaced.first} to"
        f" {replaced.last}, instead of {pluralize(replaced.removed, 'close')}"
    )
    for warning in replaced.warnings:
        echo_err(f"warning: {warning}")


def _parse_symbol(text: str) -> str:
    """Return the normal form of a symbol, or raise UsageError."""
    if symbol := normalize_symbol(text):
        return symbol
    raise UsageError(f"{text!r} is not a symbol: use at most 20 letters, digits and . - ^ = _")
