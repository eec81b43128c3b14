"""Read last closes, distributions, coverage and full histories of stored prices."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.price_arrays import PriceArrays, read_price_arrays
from riskmetrics.db.price_decisions import adjusted_prices
from riskmetrics.db.sql_expressions import (
    CLOSE_ONLY_SUFFIX,
    LIVE_LOTS,
    UNDERLYING_SYMBOL,
    any_of,
    is_open,
    symbol_rows,
)
from riskmetrics.symbols import find_near_symbols


def find_unpriced_symbols(connection: sa.Connection, days: Sequence[date]) -> list[str]:
    """Return the symbols of positions open on one of ``days`` without a price, sorted.

    These are symbols of instruments or option underlyings without a price up to the last day.
    """
    prices = tables.market_data_cache
    has_price = sa.exists().where(prices.c.symbol == UNDERLYING_SYMBOL, prices.c.date <= days[-1])
    statement = (
        sa.select(UNDERLYING_SYMBOL.label("underlying"))
        .distinct()
        .select_from(LIVE_LOTS)
        .where(UNDERLYING_SYMBOL.is_not(None), is_open(days[0], days[-1]), ~has_price)
        .order_by("underlying")
    )
    return list(connection.scalars(statement))


def read_last_closes(
    connection: sa.Connection, symbols: Iterable[str], before: date
) -> "pd.Series[float]":
    """Return the last close before a day by symbol, however old; no symbol that has none."""
    table, symbol = adjusted_prices(connection), symbol_rows(symbols)
    last = (
        sa.select(table.c.close)
        .where(table.c.symbol == symbol.c.symbol, table.c.date < before, table.c.close.is_not(None))
        .order_by(table.c.date.desc())
        .limit(1)
        .lateral("last")
    )
    rows = fetch_frame(
        connection,
        sa.select(symbol.c.symbol, last.c.close).select_from(symbol.join(last, sa.true())),
    )
    return rows.set_index("symbol")["close"].astype(float)


_MIN_ADJUSTMENT_STEP = 1e-7
"""Minimum relative change of adj_close / close at a distribution: one cent per 100,000."""


def read_close_history(
    connection: sa.Connection,
    symbols: Iterable[str] | None = None,
    first: date = date.min,
    last: date = date.max,
) -> PriceArrays:
    """Return closes and adjusted closes of symbols, by default of all, in the order of days."""
    table = adjusted_prices(connection)
    conditions = [] if symbols is None else [table.c.symbol == any_of(sorted(set(symbols)))]
    if first > date.min or last < date.max:
        conditions.append(table.c.date.between(first, last))
    names = ("close", "adj_close")
    return read_price_arrays(connection, table, names, sa.and_(sa.true(), *conditions)).by_day()


def read_adjustment_steps(
    connection: sa.Connection, symbols: Iterable[str], first: date, last: date
) -> pd.DataFrame:
    """Return the rows of a span on which adj_close / close changes; see `find_adjustment_steps`."""
    closes = read_close_history(connection, symbols, first, last)
    return select_steps(find_adjustment_steps(connection, closes), symbols, first, last)


def find_adjustment_steps(connection: sa.Connection, closes: PriceArrays) -> pd.DataFrame:
    """Return the rows of `read_close_history` on which adj_close / close changes.

    Columns symbol, date, date_before, close_before, close, adj_close_before, adj_close, close_scale
    and adj_close_scale (`_read_scales`), by symbol and date. Symbols with a single close have no
    such rows.
    """
    is_positive = (closes.values["close"] > 0.0) & (closes.values["adj_close"] > 0.0)
    prices = closes if is_positive.all() else closes.select(is_positive)
    close, adj_close = (prices.values[name] for name in ("close", "adj_close"))
    before = {f"{name}_before": prices.previous(name) for name in prices.values}
    step = adj_close / close * before["close_before"] / before["adj_close_before"] - 1.0
    at = np.flatnonzero(np.abs(step) > _MIN_ADJUSTMENT_STEP)
    rows = prices.select(at).to_frame()
    rows = rows.assign(
        date_before=prices.day[at - 1].astype("datetime64[s]"),
        **{name: value[at] for name, value in before.items()},
    )
    rows = rows.sort_values(["symbol", "date"], ignore_index=True)
    table = adjusted_prices(connection)
    if table is tables.market_data_cache:
        return rows.assign(close_scale=1.0, adj_close_scale=1.0)
    return rows.merge(_read_scales(connection, table, rows), on=["symbol", "date"], how="left")


def select_steps(
    steps: pd.DataFrame, symbols: Iterable[str], first: date, last: date
) -> pd.DataFrame:
    """Return the steps of symbols between two prices of a span."""
    is_inside = (steps["date_before"] >= pd.Timestamp(first)) & (
        steps["date"] <= pd.Timestamp(last)
    )
    return steps[is_inside & steps["symbol"].isin(set(symbols))].reset_index(drop=True)


def _read_scales(
    connection: sa.Connection, table: sa.FromClause, rows: pd.DataFrame
) -> pd.DataFrame:
    """Return the ratios of adjusted to stored prices on ``rows``; not 1 before recorded splits."""
    names = ("close", "adj_close")
    adjusted, stored = (
        read_price_arrays(
            connection,
            prices,
            names,
            sa.and_(
                prices.c.symbol == any_of(rows["symbol"].unique()),
                prices.c.date == any_of(rows["date"].dt.date.unique(), sa.Date),
            ),
        )
        .to_frame()
        .sort_values(["symbol", "date"], ignore_index=True)
        for prices in (table, tables.market_data_cache)
    )
    scales = {f"{name}_scale": adjusted[name] / stored[name] for name in names}
    return adjusted[["symbol", "date"]].assign(**scales)


def find_unadjusted_symbols(connection: sa.Connection, symbols: Iterable[str]) -> list[str]:
    """Return the symbols without prices, or with prices from a file without adjusted closes."""
    table, symbol = tables.market_data_cache, symbol_rows(symbols)
    source = (
        sa.select(table.c.data_source)
        .where(table.c.symbol == symbol.c.symbol)
        .order_by(table.c.date.desc())
        .limit(1)
        .lateral("source")
    )
    statement = sa.select(symbol.c.symbol).select_from(symbol.outerjoin(source, sa.true()))
    is_unadjusted = sa.or_(
        source.c.data_source.is_(None), source.c.data_source.endswith(CLOSE_ONLY_SUFFIX)
    )
    return list(connection.scalars(statement.where(is_unadjusted).order_by(symbol.c.symbol)))


def read_price_coverage(
    connection: sa.Connection,
    symbols: Iterable[str],
    last_day: date | None = None,
) -> pd.DataFrame:
    """Return number, first day and last day of the closes of each symbol that has closes.

    Parameters
    ----------
    last_day : date, optional
        Closes after this day are ignored.
    """
    table = tables.market_data_cache
    is_known = sa.true() if last_day is None else table.c.date <= last_day
    statement = (
        sa.select(
            table.c.symbol,
            sa.func.count().label("closes"),
            sa.func.min(table.c.date).label("first"),
            sa.func.max(table.c.date).label("last"),
        )
        .where(table.c.symbol == any_of(symbols), is_known)
        .group_by(table.c.symbol)
        .order_by(table.c.symbol)
    )
    return fetch_frame(connection, statement)


class PriceSource(NamedTuple):
    """Source of the latest stored price of a symbol: a vendor, or else a file."""

    name: str
    is_vendor: bool


def read_price_sources(connection: sa.Connection, symbols: Iterable[str]) -> dict[str, PriceSource]:
    """Return the source of the latest stored price of each symbol that has prices."""
    table, answers = tables.market_data_cache, tables.vendor_responses
    source = sa.func.regexp_replace(table.c.data_source, f"{CLOSE_ONLY_SUFFIX}$", "")
    latest = (
        sa.select(table.c.symbol, source.label("source"))
        .ext(distinct_on(table.c.symbol))
        .where(table.c.symbol == any_of(symbols))
        .order_by(table.c.symbol, table.c.date.desc())
        .subquery("latest")
    )
    is_vendor = latest.c.source.in_(sa.select(answers.c.vendor).distinct())
    return {
        symbol: PriceSource(*source)
        for symbol, *source in connection.execute(sa.select(latest, is_vendor))
    }


def read_price_history(connection: sa.Connection, symbol: str) -> pd.DataFrame:
    """Return the stored prices of a symbol, in the format of `sources.files.read_prices`.

    Dates are datetime.date. `price_decisions` are not applied, because the prices are compared with
    those of other sources.
    """
    table = tables.market_data_cache
    names = ("symbol", "date", "open", "high", "low", "close", "adj_close", "volume", "data_source")
    rows = fetch_frame(
        connection,
        sa.select(*(table.c[name] for name in names))
        .where(table.c.symbol == symbol)
        .order_by(table.c.date),
    )
    adjusted = ~rows["data_source"].str.endswith(CLOSE_ONLY_SUFFIX)
    return rows.drop(columns="data_source").assign(
        date=rows["date"].dt.date.astype(object), has_adj_close=adjusted.astype(bool)
    )


def suggest_symbols(connection: sa.Connection, symbols: Iterable[str]) -> list[str]:
    """Return symbols, each with the known ones that it may be a typing error of."""
    known = read_known_symbols(connection)
    near = {symbol: find_near_symbols(symbol, known) for symbol in symbols}
    return [
        f"{symbol} (is it {' or '.join(others)}?)" if others else symbol
        for symbol, others in near.items()
    ]


def read_known_symbols(connection: sa.Connection) -> set[str]:
    """Return the symbols with a close or a profile.

    The index is skipped through from symbol to symbol, which a DISTINCT over all closes is not.
    """
    prices, profiles = tables.market_data_cache, tables.company_profiles
    first = sa.select(sa.func.min(prices.c.symbol, type_=sa.String).label("symbol"))
    symbols = first.cte("symbols", recursive=True)
    after = (
        sa.select(sa.func.min(prices.c.symbol, type_=sa.String))
        .where(prices.c.symbol > symbols.c.symbol)
        .scalar_subquery()
    )
    symbols = symbols.union_all(sa.select(after).where(symbols.c.symbol.is_not(None)))
    found = sa.union(
        sa.select(symbols.c.symbol).where(symbols.c.symbol.is_not(None)),
        sa.select(profiles.c.symbol),
    )
    return set(connection.scalars(found))


def read_symbols_with_profile(connection: sa.Connection, symbols: Iterable[str]) -> set[str]:
    """Return those of ``symbols`` that have a profile."""
    profiles = tables.company_profiles
    return set(
        connection.scalars(sa.select(profiles.c.symbol).where(profiles.c.symbol == any_of(symbols)))
    )


def read_last_priced_day(connection: sa.Connection, symbols: Collection[object]) -> date | None:
    """Return the last day to which all symbols have a close; None if one has none."""
    table = tables.market_data_cache
    newest = (
        sa.select(table.c.symbol, sa.func.max(table.c.date).label("day"))
        .where(table.c.symbol == any_of(symbols))
        .group_by(table.c.symbol)
        .subquery()
    )
    n_priced, day = connection.execute(
        sa.select(sa.func.count(), sa.func.min(newest.c.day)).select_from(newest)
    ).one()
    return day if n_priced == len(set(symbols)) else None
