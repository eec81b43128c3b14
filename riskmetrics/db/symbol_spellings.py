"""Bring stored symbols to their normal form, and name what keeps two spellings of one symbol apart.

A database may hold symbols that an earlier version, or other code, spelled in another way than
`symbols.normalize_symbol` does. The revision that normalizes them and the check before an upgrade
both work from `SYMBOL_COLUMNS`, as far as the database has them: an older schema lacks some.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from riskmetrics.symbols import add_class_dash, normalize_symbol

CLOSE_ONLY_SUFFIX = ": close only"
"""What `input_queries.CLOSE_ONLY_SUFFIX` is; a migration depends on nothing that knows the newest tables."""

_BOOKKEEPING = ("id", "created_at", "updated_at", "last_updated", "data_source")
_PROVENANCE = ("dagster_run_id", "code_version")
"""With these, the columns in which two rows may differ and still have the same contents."""


_NO_CONDITION = "true"


class SymbolColumn(NamedTuple):
    """A column that holds symbols.

    ``key`` names the columns that identify a row together with the symbol; None: no key has it.
    ``if_rows_differ`` says what becomes of rows with different contents under one key:

    - ``refuse``: they are inputs, and a person must choose. The database is not upgraded.
    - ``choose``: they are results of a symbol. One is kept: a defined one, or else the normal one.
    - ``remove``: they are parts of a portfolio's result. All go, and have to be computed again.
    - ``forget``: rows in another spelling go, with or without a second: the vendor is asked again.
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
    SymbolColumn("vendor_answers", "subject", None, "kind <> 'benchmark'", "forget"),
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
"""Every column that holds symbols; one symbol is in one spelling in all of them."""


def find_class_shares(connection: sa.Connection, symbols: Iterable[str]) -> dict[str, str]:
    """Map symbols without a mark to the class shares that they stand for, as the database tells.

    ABCA stands for ABC-A where prices or a profile of ABC-A are stored, and neither prices, nor a
    profile, nor a position of ABCA. What `symbols.CLASS_SHARES` lists has its mark already.
    """
    candidates = {symbol: share for symbol in symbols if (share := add_class_dash(symbol))}
    return (
        dict(connection.execute(_CLASS_SHARES, _parameters(candidates)).all()) if candidates else {}
    )


def find_stored_spelling(connection: sa.Connection, text: str) -> str:
    """Return the spelling in which the symbol that a user typed is stored, if it is stored."""
    symbol = normalize_symbol(text) or text  # other code may have stored what is no symbol
    return find_class_shares(connection, [symbol]).get(symbol, symbol)


def find_collisions(connection: sa.Connection) -> list[str]:
    """Return a sentence for each symbol whose inputs in several spellings contradict each other."""
    collisions: list[str] = []
    for column in _present_columns(connection):
        if column.key is None or column.if_rows_differ != "refuse":
            continue
        parameters = _parameters(_new_spellings(connection, column))
        found = connection.execute(_render_statement(_COLLISIONS, column), parameters).all()
        contradicting = [
            (*names, f"contradict each other (keys: {keys:,})") for *names, keys in found
        ]
        if column.table == "market_data_cache":
            parameters["close_only"] = CLOSE_ONLY_SUFFIX
            reason = "are adjusted for dividends in part, and one history must not mix the two"
            mixed = connection.execute(_render_statement(_MIXED_CLOSES, column), parameters)
            contradicting += [(symbol, spellings, reason) for symbol, spellings in mixed]
        for symbol, spellings, reason in contradicting:
            other = next(spelling for spelling in spellings if spelling != symbol)
            rows = f"rows of {column.table} for {' and '.join(spellings)}"
            delete = f"DELETE FROM {column.table} WHERE {column.name} = '{other}'"  # noqa: S608
            advice = f"delete those of one spelling, as in {delete}"
            collisions.append(f"{rows}, which are one symbol, {reason}: {advice}")
    return collisions


def normalize_stored_symbols(connection: sa.Connection) -> int:
    """Bring every stored symbol to its normal form; return the number of values changed.

    There must be no collision (`find_collisions`). A warning names results to compute again.
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
    """Remove what each of several spellings holds a part of, and say so."""
    parts = connection.execute(_render_statement(_COLLISIONS, column), _parameters(new)).all()
    if parts:
        connection.execute(_render_statement(_REMOVE_CONTRADICTING, column), _parameters(new))
        symbols = ", ".join(symbol for symbol, _, _ in parts)
        keys = sum(keys for _, _, keys in parts)
        logging.getLogger("riskmetrics").warning(
            "%s held parts of %s in several spellings; they are removed (keys: %d): "
            "compute those sessions again with `riskmetrics reprocess`",
            *(column.table, symbols, keys),
        )


def _present_columns(connection: sa.Connection) -> list[SymbolColumn]:
    """Return the columns of symbols that the database has."""
    tables = sorted({column.table for column in SYMBOL_COLUMNS})
    present = {
        (table, name) for table, name in connection.execute(_PRESENT_COLUMNS, {"tables": tables})
    }
    return [column for column in SYMBOL_COLUMNS if (column.table, column.name) in present]


def _new_spellings(connection: sa.Connection, column: SymbolColumn) -> dict[str, str]:
    """Map the symbols of a column that are not in their normal form to it."""
    normal = {
        text: normalize_symbol(text)
        for text in connection.scalars(_render_statement(_DISTINCT, column))
    }
    return {text: symbol for text, symbol in normal.items() if symbol and symbol != text}


def _parameters(new: Mapping[str, str]) -> dict[str, Any]:
    return {"old": list(new), "new": list(new.values())}


def _render_statement(template: str, column: SymbolColumn) -> sa.TextClause:
    """Return a statement on a column of symbols; every name in it is one of `SYMBOL_COLUMNS`."""
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

# Below are templates, which `_render_statement` completes.
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
