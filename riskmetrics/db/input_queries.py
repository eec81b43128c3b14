"""Read the inputs of the pipeline in bulk, as labeled frames of float64.

Stored results are read in `result_queries`.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics import gics, trading_calendar
from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.missing_indices import describe_missing_market
from riskmetrics.db.price_arrays import read_price_arrays
from riskmetrics.db.price_decisions import adjusted_prices
from riskmetrics.db.row_counts import has_rows
from riskmetrics.db.shards import Shard, has_portfolio, has_position
from riskmetrics.db.sql_expressions import (
    LIVE_LOTS,
    SIGNED_QUANTITY,
    UNDERLYING_SYMBOL,
    any_of,
    intrinsic_value,
    is_by_transactions,
    is_expired,
    is_open,
)
from riskmetrics.db.stored_settings import read_market_index
from riskmetrics.errors import DataQualityError
from riskmetrics.funds import load_funds
from riskmetrics.panels import Bars

_STATED_COLUMNS = (
    *("underlying_symbol", "strike_price", "expiration_date", "investment_class"),
    *("last_price", "market_value"),
)
_LOT_ORDER = (
    *("portfolio_id", "symbol", "position_type", "strike_price", "expiration_date"),
    *("entry_date", "id"),
)


def read_portfolios(connection: sa.Connection, shard: Shard | None = None) -> pd.DataFrame:
    """Return the portfolios that are not deleted, by name; of a shard or all.

    Columns portfolio_id, name, currency, equity_balance and equity_as_of.
    """
    table = tables.portfolios
    names = ("name", "currency", "equity_balance", "equity_as_of")
    return fetch_frame(
        connection,
        sa.select(table.c.id.label("portfolio_id"), *(table.c[name] for name in names))
        .where(table.c.deleted_at.is_(None), has_portfolio(shard))
        .order_by(table.c.name, table.c.id),
    )


def read_lots(connection: sa.Connection, as_of: date, shard: Shard | None = None) -> pd.DataFrame:
    """Return every open and closed lot that is not deleted, grouped by instrument.

    Of a shard, or of the whole book.

    `quantity` is positive if long and negative if short, regardless of the stored sign.
    `exit_close` is the last close at or before the exit of a lot without exit price, however old.
    An option that expired before ``as_of`` and was not closed ends on the day after its
    expiration, at its intrinsic value. In a portfolio that is kept by transactions it ends at the
    price of the line that closes it, else at 0: what exercising it brought is a line of its own.
    """
    table, prices = tables.positions, adjusted_prices(connection)
    expired = is_expired(as_of)
    last_close = (
        sa.select(prices.c.close)
        .where(
            prices.c.symbol == table.c.symbol,
            prices.c.date <= table.c.exit_date,
            table.c.exit_price.is_(None),
        )
        .order_by(prices.c.date.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            table.c.id.label("position_id"),
            *(table.c[name] for name in ("portfolio_id", "symbol", "position_type")),
            SIGNED_QUANTITY,
            *(table.c[name] for name in ("entry_price", "entry_date", "entry_date_assumed")),
            sa.case(
                (
                    expired & is_by_transactions(table.c.portfolio_id),
                    sa.func.coalesce(table.c.exit_price, 0),
                ),
                (expired, intrinsic_value(prices)),
                else_=table.c.exit_price,
            ).label("exit_price"),
            sa.case((expired, table.c.expiration_date + 1), else_=table.c.exit_date).label(
                "exit_date"
            ),
            last_close.label("exit_close"),
            *(table.c[name] for name in _STATED_COLUMNS),
        )
        .select_from(LIVE_LOTS)
        .where(has_position(shard))
        .order_by(*(table.c[name] for name in _LOT_ORDER))
    )
    return fetch_frame(connection, statement)


def read_held_symbols(
    connection: sa.Connection, day: date, last_day: date | None = None
) -> list[str]:
    """Return the symbols of instruments and option underlyings held on a day, sorted.

    With ``last_day``: held on a day from ``day`` to ``last_day``.
    """
    statement = (
        sa.select(UNDERLYING_SYMBOL.label("underlying"))
        .distinct()
        .select_from(LIVE_LOTS)
        .where(UNDERLYING_SYMBOL.is_not(None), is_open(day, last_day))
        .order_by("underlying")
    )
    return list(connection.scalars(statement))


def read_symbols_ever_held(connection: sa.Connection) -> set[str]:
    """Return the symbols of all positions, including removed portfolios and removed lots."""
    statement = sa.select(UNDERLYING_SYMBOL).where(UNDERLYING_SYMBOL.is_not(None)).distinct()
    return set(connection.scalars(statement))


def read_price_end_dates(connection: sa.Connection) -> dict[str, date | None]:
    """Return the last day on which prices of a symbol are needed; None if it is still held.

    Includes symbols that were held earlier, and underlyings of options.
    """
    exit_date, symbol = tables.positions.c.exit_date, UNDERLYING_SYMBOL.label("underlying")
    last_day = sa.case((sa.func.bool_or(exit_date.is_(None)), None), else_=sa.func.max(exit_date))
    statement = (
        sa.select(symbol, last_day)
        .select_from(LIVE_LOTS)
        .where(UNDERLYING_SYMBOL.is_not(None))
        .group_by(symbol)
        .order_by(symbol)
    )
    return dict(connection.execute(statement).all())


def _read_panel(
    column: str,
    connection: sa.Connection,
    symbols: Iterable[str],
    sessions: Sequence[date],
    prices: sa.FromClause | None = None,
) -> pd.DataFrame:
    """Return a column of prices, sessions x symbols.

    ``prices`` are those of `adjusted_prices`, if they are known.
    """
    table = adjusted_prices(connection) if prices is None else prices
    requested = sorted(set(symbols))
    is_requested = sa.and_(
        table.c.symbol == any_of(requested), table.c.date == any_of(sessions, sa.Date)
    )
    found = read_price_arrays(connection, table, [column], is_requested)
    return found.pivot(sessions, requested, column)


read_closes = partial(_read_panel, "close")
"""Closes adjusted for splits but not for dividends, sessions x symbols, for values."""

read_adjusted_closes = partial(_read_panel, "adj_close")
"""Closes adjusted for splits and dividends, sessions x symbols, for returns."""


def read_held_bars(
    connection: sa.Connection, sessions: Sequence[date], indices: Iterable[str]
) -> Bars:
    """Return prices of the symbols held on the last session and of indices, sessions x symbols.

    Indices without a close are left out.
    """
    held = read_held_symbols(connection, sessions[-1])
    found = read_price_panels(connection, Bars._fields, {*held, *indices}, sessions)
    is_kept = found["close"].notna().any() | found["close"].columns.isin(held)
    return Bars(**{name: prices.loc[:, is_kept] for name, prices in found.items()})


def read_price_panels(
    connection: sa.Connection,
    columns: Sequence[str],
    symbols: Iterable[str],
    sessions: Sequence[date],
    prices: sa.FromClause | None = None,
) -> dict[str, pd.DataFrame]:
    """Return price panels by column name, each sessions x symbols.

    ``prices`` are those of `adjusted_prices`, if they are known.
    """
    table = adjusted_prices(connection) if prices is None else prices
    requested = sorted(set(symbols))
    is_requested = sa.and_(
        table.c.symbol == any_of(requested), table.c.date.between(min(sessions), max(sessions))
    )
    found = read_price_arrays(connection, table, columns, is_requested)
    return {name: found.pivot(sessions, requested, name) for name in columns}


def read_cash_anchors(connection: sa.Connection, shard: Shard | None = None) -> "pd.Series[Any]":
    """Return the session that each stated equity balance refers to, by portfolio_id.

    It is the last day, up to the stated day, on which a holding has a close: if prices end before
    the stated day, the balance refers to the last day that can be valued.
    """
    portfolio, position, prices = tables.portfolios, tables.positions, tables.market_data_cache
    stated_day = sa.func.coalesce(
        portfolio.c.equity_as_of, sa.cast(sa.func.timezone("UTC", portfolio.c.created_at), sa.Date)
    )
    held = (
        sa.select(portfolio.c.id, stated_day.label("stated"), position.c.symbol)
        .outerjoin(
            position,
            sa.and_(
                position.c.portfolio_id == portfolio.c.id,
                position.c.deleted_at.is_(None),
                position.c.entry_date <= stated_day,
            ),
        )
        .where(
            portfolio.c.deleted_at.is_(None),
            portfolio.c.equity_balance.is_not(None),
            has_portfolio(shard),
        )
        .cte("held")
    )
    # distinct, because many portfolios hold the same symbols
    requested = sa.select(held.c.symbol, held.c.stated).distinct().cte("requested")
    last = (
        sa.select(sa.func.max(prices.c.date).label("day"))
        .where(prices.c.symbol == requested.c.symbol, prices.c.date <= requested.c.stated)
        .lateral("last")
    )
    found = sa.select(requested, last.c.day).join(last, sa.true()).cte("found")
    is_same = sa.and_(found.c.symbol == held.c.symbol, found.c.stated == held.c.stated)
    day = sa.func.coalesce(sa.func.max(found.c.day), sa.func.max(held.c.stated))
    rows = connection.execute(
        sa.select(held.c.id, day).select_from(held.outerjoin(found, is_same)).group_by(held.c.id)
    )
    return pd.Series({str(portfolio_id): day for portfolio_id, day in rows}, dtype=object)


def read_latest_session(
    connection: sa.Connection, market_index_override: str | None = None
) -> date:
    """Return the last completed session on which the market index has a close.

    Raises
    ------
    DataQualityError
        If no close of the market index is stored.
    """
    index = read_market_index(connection, market_index_override)
    day = read_last_close_date(connection, index)
    if day is None:
        raise DataQualityError(describe_missing_market(connection, market_index_override))
    return day


def read_last_close_date(connection: sa.Connection, symbol: str) -> date | None:
    """Return the last completed session on which a symbol has a close, or None."""
    table = tables.market_data_cache
    newest = sa.select(sa.func.max(table.c.date)).where(
        table.c.symbol == symbol, table.c.date <= trading_calendar.last_completed_session()
    )
    day: date | None = connection.scalar(newest)
    return day


def read_profiles(connection: sa.Connection, symbols: Iterable[str]) -> pd.DataFrame:
    """Return company profiles by symbol: sector, is_etf, is_fund, beta."""
    table = tables.company_profiles
    statement = (
        sa.select(table.c.symbol, table.c.sector, table.c.is_etf, table.c.is_fund, table.c.beta)
        .where(table.c.symbol == any_of(symbols))
        .order_by(table.c.symbol)
    )
    found = fetch_frame(connection, statement).set_index("symbol")
    return found.assign(sector=_to_gics_names(found["sector"]))


def _to_gics_names(sectors: "pd.Series[Any]") -> "pd.Series[Any]":
    """Map sector names to GICS names; other programs may have stored the vendor's names."""
    return sectors.map(lambda name: gics.to_gics_sector(name) or name, na_action="ignore")


def read_market_caps(connection: sa.Connection, symbols: Iterable[str]) -> dict[str, float]:
    """Return the known market capitalizations by symbol, USD."""
    table = tables.company_profiles
    known = sa.select(table.c.symbol, table.c.market_cap).where(
        table.c.symbol == any_of(symbols), table.c.market_cap > 0
    )
    return {row.symbol: float(row.market_cap) for row in connection.execute(known)}


def read_latest_benchmark(connection: sa.Connection, code: str) -> pd.DataFrame:
    """Return sector weights of a benchmark on its latest as-of date, largest first.

    Columns asof_date, sector, weight, market_cap and num_constituents (NaN: not known).
    """
    table = tables.benchmarks_sector_weights
    latest = (
        sa.select(sa.func.max(table.c.asof_date))
        .where(table.c.benchmark_code == code)
        .scalar_subquery()
    )
    names = ("asof_date", "sector", "weight", "market_cap", "num_constituents")
    chosen = sa.select(*(table.c[name] for name in names)).where(
        table.c.benchmark_code == code, table.c.asof_date == latest
    )
    return fetch_frame(connection, chosen.order_by(table.c.weight.desc(), table.c.sector))


def read_benchmark_weights(
    connection: sa.Connection, benchmark: str, last_day: date
) -> pd.DataFrame:
    """Return sector weights of a benchmark up to ``last_day``, as-of dates x sectors."""
    table = tables.benchmarks_sector_weights
    statement = sa.select(table.c.asof_date, table.c.sector, table.c.weight).where(
        table.c.benchmark_code == benchmark, table.c.asof_date <= last_day
    )
    rows = fetch_frame(connection, statement)
    weights: pd.DataFrame = (
        rows["weight"].groupby([rows["asof_date"], _to_gics_names(rows["sector"])]).sum().unstack()
    )
    return weights


def read_first_new_weight(connection: sa.Connection, benchmark: str) -> date | None:
    """Return the first as-of date whose weights this transaction wrote, or None."""
    table = tables.benchmarks_sector_weights
    query = sa.select(sa.func.min(table.c.asof_date)).where(
        table.c.benchmark_code == benchmark, table.c.updated_at == sa.func.now()
    )
    first: date | None = connection.scalar(query)
    return first


def read_fund_weights(
    connection: sa.Connection, symbols: Iterable[str], last_day: date
) -> dict[str, pd.DataFrame]:
    """Return sector weights of funds up to ``last_day`` by symbol, as-of dates x sectors.

    They are stored like those of a benchmark whose code is the symbol of the fund.
    """
    table = tables.benchmarks_sector_weights
    stored = connection.scalars(
        sa.select(table.c.benchmark_code)
        .where(table.c.benchmark_code == any_of(symbols), table.c.asof_date <= last_day)
        .distinct()
    )
    return {code: read_benchmark_weights(connection, code, last_day) for code in sorted(stored)}


def can_be_fund(connection: sa.Connection, symbol: str) -> bool:
    """Return whether a symbol is a fund by its profile; without one, if it is known or held."""
    profiles, lots = tables.company_profiles, tables.positions
    flags = connection.execute(
        sa.select(profiles.c.is_etf, profiles.c.is_fund).where(profiles.c.symbol == symbol)
    ).first()
    if flags is not None and any(flag is not None for flag in flags):
        return any(flags)
    funds = load_funds()
    is_known = symbol in funds.benchmark_codes or symbol in funds.classes
    return is_known or has_rows(connection, lots, lots.c.symbol == symbol)


def read_stress_scenarios(connection: sa.Connection) -> pd.DataFrame:
    """Return every stress scenario, index moves before historical windows.

    Columns name, market_move, rate_move, volatility_move, first_day, last_day, factor_moves and
    description.
    """
    table = tables.stress_scenarios
    columns = [column for column in table.c if not isinstance(column.type, sa.DateTime)]
    return fetch_frame(
        connection,
        sa.select(*columns).order_by(
            table.c.first_day.nulls_first(), table.c.rate_move.nulls_first(), table.c.name
        ),
    )
