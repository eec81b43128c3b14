"""Normalize stored symbols, and find conflicts between spellings of the same symbol.

The database of another program may contain symbols in other spellings than
`symbols.normalize_symbol`. The revision that normalizes them and the check before an upgrade both
use those of `SYMBOL_COLUMNS` that exist in the database. Migrations must not import the current
tables, so the columns are listed here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from riskmetrics.symbols import add_class_dash, normalize_symbol

_BOOKKEEPING = ("id", "created_at", "updated_at", "last_updated", "data_source")
"""Columns that are ignored when the contents of two rows are compared."""


class SymbolColumn(NamedTuple):
    """A column that contains symbols.

    ``key`` names the columns that identify a row together with the symbol; None if no key includes
    it.
    """

    table: str
    name: str
    key: tuple[str, ...] | None = None


SYMBOL_COLUMNS = (
    SymbolColumn("positions", "symbol"),
    SymbolColumn("positions", "underlying_symbol"),
    SymbolColumn("market_data_cache", "symbol", ("date",)),
    SymbolColumn("company_profiles", "symbol", ()),
    SymbolColumn("position_market_betas", "market_index"),
)
"""All columns of the founding tables that contain symbols."""


def find_class_shares(connection: sa.Connection, symbols: Iterable[str]) -> dict[str, str]:
    """Map symbols without separator to the class shares that they mean in this database.

    ABCA means ABC-A if prices or a profile of ABC-A are stored, but no prices, profile or position
    of ABCA. Symbols of `symbols.CLASS_SHARES` already have their separator.
    """
    candidates = {symbol: share for symbol in symbols if (share := add_class_dash(symbol))}
    return (
        dict(connection.execute(_CLASS_SHARES, _parameters(candidates)).all()) if candidates else {}
    )


def find_stored_spelling(connection: sa.Connection, text: str) -> str:
    """Return the stored spelling of a symbol that a user typed, or else its normal form."""
    symbol = normalize_symbol(text) or text  # other programs may have stored other text
    return find_class_shares(connection, [symbol]).get(symbol, symbol)


def find_collisions(connection: sa.Connection) -> list[str]:
    """Return a sentence for each symbol whose rows in several spellings contradict each other."""
    collisions: list[str] = []
    for column in _present_columns(connection):
        if column.key is None:
            continue
        parameters = _parameters(_new_spellings(connection, column))
        found = connection.execute(_render_statement(_COLLISIONS, column), parameters)
        for symbol, spellings, n_keys in found:
            other = next(spelling for spelling in spellings if spelling != symbol)
            rows = f"rows of {column.table} for {' and '.join(spellings)}"
            delete = f"DELETE FROM {column.table} WHERE {column.name} = '{other}'"  # noqa: S608
            collisions.append(
                f"{rows}, which are one symbol, conflict (keys: {n_keys:,}): delete those of one"
                f" spelling, for example {delete}"
            )
    return collisions


def normalize_stored_symbols(connection: sa.Connection) -> None:
    """Convert every stored symbol to its normal form; `find_collisions` must be empty."""
    for column in _present_columns(connection):
        if not (new := _new_spellings(connection, column)):
            continue
        if column.key is not None:
            connection.execute(_render_statement(_REMOVE_REPEATED, column), _parameters(new))
        connection.execute(_render_statement(_UPDATE, column), _parameters(new))


def _present_columns(connection: sa.Connection) -> list[SymbolColumn]:
    """Return the columns of `SYMBOL_COLUMNS` that exist in the database."""
    tables = sorted({column.table for column in SYMBOL_COLUMNS})
    present = {
        (table, name) for table, name in connection.execute(_PRESENT_COLUMNS, {"tables": tables})
    }
    return [column for column in SYMBOL_COLUMNS if (column.table, column.name) in present]


def _new_spellings(connection: sa.Connection, column: SymbolColumn) -> dict[str, str]:
    """Map the symbols of a column that are not in their normal form to their normal form."""
    normal = {
        text: normalize_symbol(text)
        for text in connection.scalars(_render_statement(_DISTINCT, column))
    }
    return {text: symbol for text, symbol in normal.items() if symbol and symbol != text}


def _parameters(new: Mapping[str, str]) -> dict[str, Any]:
    return {"old": list(new), "new": list(new.values())}


def _render_statement(template: str, column: SymbolColumn) -> sa.TextClause:
    """Return a statement about a symbol column; all names in it come from `SYMBOL_COLUMNS`."""
    names = {"table": column.table, "name": column.name, "respelled": _RESPELLED}
    key = "".join(f", {name}" for name in column.key or ())
    rows = _ROWS.format(**names, key=key, ignored=",".join([column.name, *_BOOKKEEPING]))
    return sa.text(template.format(**names, rows=rows))


_CLASS_SHARES = sa.text("""
    SELECT old, new FROM unnest(CAST(:old AS text[]), CAST(:new AS text[])) AS marked (old, new)
    WHERE (EXISTS (SELECT FROM market_data_cache WHERE symbol = new)
            OR EXISTS (SELECT FROM company_profiles WHERE symbol = new))
        AND NOT EXISTS (SELECT FROM market_data_cache WHERE symbol = old)
        AND NOT EXISTS (SELECT FROM company_profiles WHERE symbol = old)
        AND NOT EXISTS (SELECT FROM positions WHERE symbol = old OR underlying_symbol = old)
""")
_PRESENT_COLUMNS = sa.text("""
    SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relname = ANY(:tables) AND relkind IN ('r', 'p') AND NOT attisdropped
        AND pg_table_is_visible(pg_class.oid)
""")

# Templates for `_render_statement`.
_RESPELLED = "unnest(CAST(:old AS text[]), CAST(:new AS text[])) AS respelled (old, new)"
_ROWS = """
    SELECT place, symbol, spelling,
        min(content) OVER same_key <> max(content) OVER same_key AS contradicts,
        row_number() OVER (same_key ORDER BY spelling <> symbol, spelling) AS number
    FROM (
        SELECT source.ctid AS place, coalesce(new, {name}) AS symbol, {name} AS spelling,
            CAST(to_jsonb(source) - CAST('{{{ignored}}}' AS text[]) AS text) AS content{key}
        FROM {table} AS source LEFT JOIN {respelled} ON old = {name}
        WHERE {name} = ANY(CAST(:old AS text[]) || CAST(:new AS text[]))
    ) AS spelled
    WINDOW same_key AS (PARTITION BY symbol{key})
"""
_DISTINCT = "SELECT DISTINCT {name} FROM {table} WHERE {name} IS NOT NULL"
_COLLISIONS = """
    SELECT symbol, array_agg(DISTINCT spelling ORDER BY spelling),
        count(*) FILTER (WHERE number = 1)
    FROM ({rows}) AS numbered WHERE contradicts GROUP BY symbol ORDER BY symbol
"""
_REMOVE_REPEATED = """
    DELETE FROM {table} WHERE ctid IN (SELECT place FROM ({rows}) AS numbered WHERE number > 1)
"""
_UPDATE = "UPDATE {table} SET {name} = new FROM {respelled} WHERE old = {name}"
