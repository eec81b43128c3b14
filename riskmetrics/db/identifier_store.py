"""Store the symbols of ISINs and CUSIPs; keys are those of `sources.security_identifiers`."""

from collections.abc import Collection, Mapping

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables, write
from riskmetrics.db.sql_expressions import any_of

USER = "user"
"""Source of the symbols that the user has mapped."""

_TABLE = tables.security_identifiers


def read_symbols(connection: sa.Connection, keys: Collection[str]) -> dict[str, str]:
    """Return the symbols of identifiers, by key; those that are stored."""
    query = sa.select(_TABLE.c.identifier, _TABLE.c.symbol).where(
        _TABLE.c.identifier == any_of(keys)
    )
    return dict(connection.execute(query).all())


def store_symbols(connection: sa.Connection, symbols: Mapping[str, str], source: str) -> None:
    """Store the symbols of identifiers, and replace other symbols of the same identifiers.

    Only the user replaces what the user has mapped.
    """
    if not symbols:
        return
    write.lock_asset(connection, "identifiers")
    rows = pd.DataFrame(
        {"identifier": list(symbols), "symbol": list(symbols.values()), "data_source": source}
    )
    known = read_symbols(connection, symbols)
    changed = rows[rows["identifier"].map(known) != rows["symbol"]]
    if source != USER:
        mapped = sa.select(_TABLE.c.identifier).where(
            _TABLE.c.identifier == any_of(symbols), _TABLE.c.data_source == USER
        )
        changed = changed[~changed["identifier"].isin(connection.scalars(mapped).all())]
    if len(changed):
        write.upsert_rows(connection, _TABLE, changed, key=["identifier"])


def add_symbols(
    connection: sa.Connection, symbols: Mapping[str, str], source: str
) -> dict[str, str]:
    """Store the symbols of identifiers that are not known yet.

    Returns
    -------
    dict
        Stored symbols, by key, of the identifiers that have another one; they stay.
    """
    if not symbols:
        return {}
    write.lock_asset(connection, "identifiers")
    known = read_symbols(connection, symbols)
    store_symbols(
        connection, {key: one for key, one in symbols.items() if key not in known}, source
    )
    return {key: stored for key, stored in known.items() if stored != symbols[key]}


def describe_conflicts(connection: sa.Connection, stated: pd.DataFrame) -> list[str]:
    """Return a note of each identifier of several symbols, or of another one than the user mapped.

    Parameters
    ----------
    stated : DataFrame
        symbol and identifier, as `store_symbols` is about to store them.
    """
    symbols = stated.groupby("identifier")["symbol"].agg(lambda of_one: sorted({*of_one}))
    several = symbols[symbols.map(len) > 1]
    notes = [
        f"{key} is not stored: it is that of {' and '.join(names)}"
        for key, names in several.items()
    ]
    query = sa.select(_TABLE.c.identifier, _TABLE.c.symbol).where(
        _TABLE.c.identifier == any_of(symbols.index), _TABLE.c.data_source == USER
    )
    for key, mapped in connection.execute(query.order_by(_TABLE.c.identifier)):
        if others := [one for one in symbols[key] if one != mapped]:
            notes.append(f"{key} stays {mapped}, as you mapped it, and is {others[0]} in the file")
    return notes


def rename_symbol(connection: sa.Connection, old: str, new: str) -> None:
    """Give the identifiers of a symbol its new name."""
    connection.execute(
        sa.update(_TABLE).where(_TABLE.c.symbol == old).values(symbol=new, updated_at=sa.func.now())
    )
