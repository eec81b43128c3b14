"""Rename the lots, prices, profile, decisions and events of a symbol, such as FB to META."""

import re
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import identifier_store, stored_settings, tables, write
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.stored_prices import read_price_history
from riskmetrics.db.transaction_renames import record_symbol_changes
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.funds import load_funds
from riskmetrics.results import price_history

_OPTION_TERMS = r"\d{6}[CP]\d{8}$"
"""Pattern of the part of an option's symbol after its root."""
_MAX_RETURN_DIFFERENCE = 0.15
"""Difference of two sources' returns of one security, in median absolute returns."""
_ROUNDING = 0.005
"""Rounding error of closes that are rounded to cents."""
_MIN_EQUAL_SHARE = 0.8
"""Share of common returns that are equal if two symbols are of one security."""
_RESTATED = ("open", "high", "low", "close", "adj_close", "volume")


class RenamedRows(NamedTuple):
    """Number of rows that a renaming changed."""

    lots: int
    closes: int


def rename_symbol(connection: sa.Connection, old: str, new: str) -> RenamedRows:
    """Rename everything that is stored for ``old`` to ``new``; results do not change.

    Where both have a close, that of ``new`` is kept. Earlier closes of ``old`` are restated by the
    ratio of the next day that both have, as in `price_history.splice`.

    Raises
    ------
    UsageError
        If nothing is stored of ``old``, or the names are the same.
    DataQualityError
        If both have prices that do not continue each other.
    """
    if old == new:
        raise UsageError(f"the old and the new symbol are both {old}")
    for asset in ("holdings", "prices", "profiles"):
        write.lock_asset(connection, asset)
    changed = RenamedRows(_rename_lots(connection, old, new), _rename_prices(connection, old, new))
    if changed == (0, 0):
        raise UsageError(f"no lot and no price of {old} is stored: check the symbol")
    record_symbol_changes(connection, lambda symbol: _rename_text(symbol, old, new))
    if _is_fund(connection, old):  # a benchmark may have the code of a symbol
        weights = tables.benchmarks_sector_weights
        _move_rows(connection, weights, old, new, key=("asof_date",), name="benchmark_code")
    _move_rows(connection, tables.company_profiles, old, new, key=())
    _move_rows(connection, tables.price_decisions, old, new, key=("date",))
    identifier_store.rename_symbol(connection, old, new)
    _move_rows(connection, tables.symbol_events, old, new, key=("day",))
    answers, settings = tables.vendor_responses, tables.database_settings
    connection.execute(sa.delete(answers).where(answers.c.subject == any_of([old, new])))
    indices = (stored_settings.MARKET_INDEX, stored_settings.RATE_INDEX)
    connection.execute(
        sa.update(settings)
        .where(settings.c.name.in_(indices), settings.c.value == old)
        .values(value=new)
    )
    return changed


def _is_fund(connection: sa.Connection, symbol: str) -> bool:
    """Return whether a symbol is a fund by its profile, or a well-known one."""
    table = tables.company_profiles
    query = sa.select(table.c.is_etf | table.c.is_fund).where(table.c.symbol == symbol)
    known = load_funds()
    return bool(connection.scalar(query)) or symbol in {*known.benchmark_codes, *known.classes}


def _rename_lots(connection: sa.Connection, old: str, new: str) -> int:
    """Rename lots, and options on the symbol; return their number."""
    table = tables.positions
    old_root, new_root = (symbol.replace("-", "") for symbol in (old, new))  # as in options
    is_option = sa.and_(
        table.c.underlying_symbol == old,
        table.c.symbol.regexp_match(f"^{re.escape(old_root)}{_OPTION_TERMS}"),
    )
    terms = sa.func.substr(table.c.symbol, len(old_root) + 1)
    statement = (
        sa.update(table)
        .where(sa.or_(table.c.symbol == old, table.c.underlying_symbol == old))
        .values(
            symbol=sa.case(
                (table.c.symbol == old, new),
                (is_option, sa.literal(new_root) + terms),
                else_=table.c.symbol,
            ),
            underlying_symbol=sa.case(
                (table.c.underlying_symbol == old, new), else_=table.c.underlying_symbol
            ),
            updated_at=sa.func.now(),
        )
    )
    return connection.execute(statement).rowcount


def _rename_text(symbol: str, old: str, new: str) -> str:
    """Return the new name of a symbol, or of an option on it; other symbols as they are."""
    if symbol == old:
        return new
    old_root, new_root = (name.replace("-", "") for name in (old, new))
    return re.sub(f"^{re.escape(old_root)}(?={_OPTION_TERMS})", new_root, symbol)


def _rename_prices(connection: sa.Connection, old: str, new: str) -> int:
    """Rename closes, restated where necessary; return the number of closes of ``old``."""
    before, after = (read_price_history(connection, symbol) for symbol in (old, new))
    if before.empty:
        return 0
    if not after.empty:
        restated = _restate(before.assign(symbol=new), after)
        if restated is None:
            raise DataQualityError(
                f"prices of {old} and {new} do not continue each other: they have fewer than"
                f" {price_history.OVERLAP_SESSIONS} common sessions, differ on them, or only one"
                " has adjusted closes. Fetch or import the whole history of one of them first"
            )
        if restated.empty and not _have_equal_returns(before, after):
            raise DataQualityError(
                f"{old} and {new} have different returns on the same sessions, so {new} is not the"
                f" new name of {old}. If it is, remove the wrong prices first: riskmetrics symbols"
                f" refetch {new}, or import the whole history of {new}"
            )
        _store_restated(connection, old, restated)
    return _move_rows(connection, tables.market_data_cache, old, new, key=("date",))


def _have_equal_returns(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Return whether most returns on common sessions are equal, as those of one security are.

    A split or a dividend that only one of them is adjusted for changes few. The tolerance is a
    share of the median absolute return, which these do not move, and the rounding of both closes.
    """
    closes = before.merge(after, on="date", suffixes=("", "_new")).sort_values("date")
    prices = closes[["close", "close_new"]]
    returns = prices.pct_change().iloc[1:]
    tolerance = _MAX_RETURN_DIFFERENCE * returns.abs().median().min()
    rounding = (_ROUNDING / prices.iloc[1:]).sum(axis=1)
    is_equal = (returns["close"] - returns["close_new"]).abs() <= tolerance + rounding
    return returns.empty or bool(is_equal.mean() >= _MIN_EQUAL_SHARE)


def _restate(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows of ``before`` that are missing in ``after`` and change; None if they differ.

    Without a missing row nothing is compared: the history of the new name replaces the old one.
    """
    if before["has_adj_close"].iloc[-1] != after["has_adj_close"].iloc[0]:
        return None
    merged = price_history.splice(before, after)
    return None if merged is None else merged.iloc[len(after) :]


def _store_restated(connection: sa.Connection, old: str, rows: pd.DataFrame) -> None:
    table = tables.market_data_cache
    if rows.empty:
        return
    numbers = rows[list(_RESTATED)].astype(object).where(rows[list(_RESTATED)].notna(), None)
    values = [
        {"day": day, **{f"new_{name}": value for name, value in row.items()}}
        for day, row in zip(rows["date"], numbers.to_dict("records"), strict=True)
    ]
    statement = (
        sa.update(table)
        .where(table.c.symbol == old, table.c.date == sa.bindparam("day"))
        .values({name: sa.bindparam(f"new_{name}") for name in _RESTATED})
    )
    connection.execute(statement, values)


def _move_rows(
    connection: sa.Connection,
    table: sa.Table,
    old: str,
    new: str,
    *,
    key: tuple[str, ...],
    name: str = "symbol",
) -> int:
    """Rename the rows whose key is free under the new name, delete the others; return both.

    ``name`` is the column of the symbol.
    """
    taken, symbol = table.alias("taken"), table.c[name]
    is_taken = sa.exists().where(
        taken.c[name] == new, *(taken.c[column] == table.c[column] for column in key)
    )
    moved = connection.execute(sa.update(table).where(symbol == old, ~is_taken).values({name: new}))
    rest = connection.execute(sa.delete(table).where(symbol == old))
    return moved.rowcount + rest.rowcount
