"""Normalize stored symbols, and find conflicts between spellings of the same symbol.

A database may contain symbols in other spellings than `symbols.normalize_symbol`, written by an
earlier version or another program. The revision that normalizes them and the check before an
upgrade both use those of `SYMBOL_COLUMNS` that exist in the database.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from riskmetrics.symbols import add_class_dash, normalize_symbol

CLOSE_ONLY_SUFFIX = ": close only"
"""Copy of `sql_expressions.CLOSE_ONLY_SUFFIX`: migrations must not import the current tables."""

_BOOKKEEPING = ("id", "created_at", "updated_at", "last_updated", "data_source")
_PROVENANCE = ("dagster_run_id", "code_version")
"""Columns that are ignored, with _BOOKKEEPING, when the contents of two rows are compared."""


_NO_CONDITION = "true"


class SymbolColumn(NamedTuple):
    """A column that contains symbols.

    ``key`` names the columns that identify a row together with the symbol; None if no key includes
    it. ``if_rows_differ`` is the treatment of rows with different contents but the same key:

    - ``refuse``: inputs, among which a user must choose. The database is not upgraded.
    - ``choose``: results of a symbol. One is kept, preferably defined and in the normal spelling.
    - ``remove``: parts of a portfolio's result. All are removed and must be computed again.
    - ``forget``: responses of a vendor. Rows in other spellings are removed, to be requested again.
    """

    table: str
    name: str
    key: tuple[str, ...] | None = None
    where: str = _NO_CONDITION
    if_rows_differ: Literal["refuse", "choose", "remove", "forget"] = "refuse"


SYMBOL_COLUMNS = (
    SymbolColumn("positions", "symbol"),
    SymbolColumn("positions", "underlying_symbol"),
    SymbolColumn("database_settings", "value", where="name IN ('market_index', 'rate_index')"),
    SymbolColumn("market_data_cache", "symbol", ("date",)),
    SymbolColumn("company_profiles", "symbol", ()),
    SymbolColumn("vendor_responses", "subject", None, "kind <> 'benchmark'", "forget"),
    SymbolColumn("symbol_adjusted_betas", "symbol", ("day",), if_rows_differ="choose"),
    SymbolColumn("symbol_two_factor_betas", "symbol", ("day",), if_rows_differ="choose"),
    SymbolColumn("volatility_forecasts", "subject", ("day",), "portfolio_id IS NULL", "choose"),
    SymbolColumn("har_forecast_scores", "subject", ("day",), "portfolio_id IS NULL", "choose"),
    SymbolColumn(
        "portfolio_risk_contributions", "symbol", ("portfolio_id", "day"), _NO_CONDITION, "remove"
    ),
    SymbolColumn("position_option_exposures", "underlying_symbol"),
    SymbolColumn("position_market_betas", "market_index"),
    SymbolColumn("symbol_adjusted_betas", "market_index"),
    SymbolColumn("symbol_two_factor_betas", "market_index"),
    SymbolColumn("symbol_two_factor_betas", "rate_index"),
    SymbolColumn("position_interest_rate_betas", "rate_index"),
    SymbolColumn("portfolio_rate_betas", "rate_index"),
)
"""All columns that contain symbols; a symbol has the same spelling in all of them."""


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
    """Return a sentence for each symbol with conflicting inputs in several spellings."""
    collisions: list[str] = []
    for column in _present_columns(connection):
        if column.key is None or column.if_rows_differ != "refuse":
            continue
        parameters = _parameters(_new_spellings(connection, column))
        found = connection.execute(_render_statement(_COLLISIONS, column), parameters).all()
        contradicting = [(*names, f"conflict (keys: {keys:,})") for *names, keys in found]
        if column.table == "market_data_cache":
            parameters["close_only"] = CLOSE_ONLY_SUFFIX
            reason = "mix closes with and without dividend adjustment in one history"
            mixed = connection.execute(_render_statement(_MIXED_CLOSES, column), parameters)
            contradicting += [(symbol, spellings, reason) for symbol, spellings in mixed]
        for symbol, spellings, reason in contradicting:
            other = next(spelling for spelling in spellings if spelling != symbol)
            rows = f"rows of {column.table} for {' and '.join(spellings)}"
            delete = f"DELETE FROM {column.table} WHERE {column.name} = '{other}'"  # noqa: S608
            advice = f"delete those of one spelling, for example {delete}"
            collisions.append(f"{rows}, which are one symbol, {reason}: {advice}")
    return collisions


def normalize_stored_symbols(connection: sa.Connection) -> int:
    """Convert every stored symbol to its normal form; return the number of changed values.

    `find_collisions` must be empty. A warning names removed results that must be computed again.
    """
    changed = 0
    for column in _present_columns(connection):
        if not (new := _new_spellings(connection, column)):
            continue
        if column.if_rows_differ == "forget":
            connection.execute(_render_statement(_FORGET, column), {"old": list(new)})
            continue
        if column.if_rows_differ == "remove":
            _remove_parts(connection, column, new)
        if column.key is not None:
            connection.execute(_render_statement(_REMOVE_REPEATED, column), _parameters(new))
        changed += connection.execute(_render_statement(_UPDATE, column), _parameters(new)).rowcount
    return changed


def _remove_parts(connection: sa.Connection, column: SymbolColumn, new: Mapping[str, str]) -> None:
    """Remove results that are split between several spellings, and log a warning."""
    parts = connection.execute(_render_statement(_COLLISIONS, column), _parameters(new)).all()
    if parts:
        connection.execute(_render_statement(_REMOVE_CONTRADICTING, column), _parameters(new))
        symbols = ", ".join(symbol for symbol, _, _ in parts)
        keys = sum(keys for _, _, keys in parts)
        logging.getLogger("riskmetrics").warning(
            "%s had parts of %s in several spellings; they were removed (keys: %d): "
            "compute those sessions again with `riskmetrics reprocess`",
            *(column.table, symbols, keys),
        )


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
    names = {"table": column.table, "name": column.name, "where": column.where}
    names |= {"respelled": _RESPELLED, "joined": _JOINED.format(**names, respelled=_RESPELLED)}
    key = "".join(f", {name}" for name in column.key or ())
    undefined = "undefined_reason IS NOT NULL" if column.if_rows_differ == "choose" else "false"
    ignored = ",".join([column.name, *_BOOKKEEPING, *_PROVENANCE])
    rows = _ROWS.format(**names, key=key, undefined=undefined, ignored=ignored)
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
_JOINED = """
    FROM {table} AS source LEFT JOIN {respelled} ON old = {name}
    WHERE {where} AND {name} = ANY(CAST(:old AS text[]) || CAST(:new AS text[]))
"""
_ROWS = """
    SELECT place, symbol, spelling,
        min(content) OVER same_key <> max(content) OVER same_key AS contradicts,
        row_number() OVER (same_key ORDER BY is_undefined, spelling <> symbol, spelling) AS number
    FROM (
        SELECT source.ctid AS place, coalesce(new, {name}) AS symbol, {name} AS spelling,
            {undefined} AS is_undefined,
            CAST(to_jsonb(source) - CAST('{{{ignored}}}' AS text[]) AS text) AS content{key}
        {joined}
    ) AS spelled
    WINDOW same_key AS (PARTITION BY symbol{key})
"""
_DISTINCT = "SELECT DISTINCT {name} FROM {table} WHERE {name} IS NOT NULL AND {where}"
_COLLISIONS = """
    SELECT symbol, array_agg(DISTINCT spelling ORDER BY spelling),
        count(*) FILTER (WHERE number = 1)
    FROM ({rows}) AS numbered WHERE contradicts GROUP BY symbol ORDER BY symbol
"""
_MIXED_CLOSES = """
    SELECT coalesce(new, {name}) AS normal, array_agg(DISTINCT {name} ORDER BY {name}) {joined}
    GROUP BY normal
    HAVING count(DISTINCT {name}) > 1
        AND count(DISTINCT right(data_source, length(:close_only)) = :close_only) > 1
    ORDER BY normal
"""
_FORGET = "DELETE FROM {table} WHERE {where} AND {name} = ANY(:old)"
_REMOVE_CONTRADICTING = """
    DELETE FROM {table} WHERE ctid IN (SELECT place FROM ({rows}) AS numbered WHERE contradicts)
"""
_REMOVE_REPEATED = """
    DELETE FROM {table} WHERE ctid IN (SELECT place FROM ({rows}) AS numbered WHERE number > 1)
"""
_UPDATE = "UPDATE {table} SET {name} = new FROM {respelled} WHERE old = {name} AND {where}"
