"""Symbols of ISINs and CUSIPs in files: those that are stored, and what files add."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import read_transaction
from riskmetrics.cli.output import echo_err
from riskmetrics.errors import UsageError
from riskmetrics.symbols import normalize_symbol

if TYPE_CHECKING:
    import sqlalchemy as sa

SymbolPairs = Annotated[
    list[str] | None,
    typer.Option("--map", help="Symbol of a name or ISIN in the file, as in US0378331005=AAPL."),
]


def parse_symbol_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Return symbols by name or identifier, or raise UsageError."""
    found = {}
    for pair in pairs:
        name, _, text = pair.rpartition("=")
        symbol = normalize_symbol(text)
        if not name or symbol is None:
            raise UsageError(f"--map {pair} is invalid: use NAME=SYMBOL, as in US0378331005=AAPL")
        found[name] = symbol
    return found


def look_up_symbols(keys: Collection[str]) -> Mapping[str, str]:
    """Return the stored symbols of identifiers, by key; none without a database that answers."""
    import sqlalchemy as sa

    from riskmetrics import settings
    from riskmetrics.db import embedded, identifier_store

    configured = settings.load()
    if configured.database_url is None and not embedded.has_cluster(configured.home_directory):
        return {}
    try:
        with read_transaction() as connection:
            return identifier_store.read_symbols(connection, keys)
    except sa.exc.OperationalError:
        echo_err("note: no ISIN or CUSIP is looked up, because the database does not answer")
        return {}


def remember_symbols(
    connection: "sa.Connection", stated: Mapping[str, str], mapped: Mapping[str, str]
) -> None:
    """Store the symbols that a file states next to identifiers, and those that the user maps.

    A file does not replace a stored symbol: an old statement has old symbols.
    """
    from riskmetrics.db import identifier_store
    from riskmetrics.sources.security_identifiers import identifier_key

    by_user = {key: symbol for text, symbol in mapped.items() if (key := identifier_key(text))}
    identifier_store.store_symbols(connection, by_user, identifier_store.USER)
    kept = identifier_store.add_symbols(connection, stated, "statement")
    for key, symbol in kept.items():
        echo_err(
            f"note: {key} is {stated[key]} in this file and stored as {symbol}. If it was renamed:"
            f" riskmetrics symbols rename {symbol} {stated[key]}"
        )
