"""Read the stocks that the volatility model is calibrated on, and all versions of the model."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame

_IS_FUND = sa.or_(
    sa.func.coalesce(tables.company_profiles.c.is_etf, sa.false()),
    sa.func.coalesce(tables.company_profiles.c.is_fund, sa.false()),
)


def read_fund_symbols(connection: sa.Connection) -> list[str]:
    """Return the symbols of ETFs and funds according to their profiles."""
    return list(connection.scalars(sa.select(tables.company_profiles.c.symbol).where(_IS_FUND)))


def read_stocks(
    connection: sa.Connection, last_day: date, *, exclude: Sequence[str]
) -> pd.DataFrame:
    """Return symbol and first day of every stock with prices up to ``last_day``.

    Symbols in ``exclude``, and ETFs and funds according to their profiles, are left out.
    """
    prices, profiles = tables.market_data_cache, tables.company_profiles
    statement = (
        sa.select(prices.c.symbol, sa.func.min(prices.c.date).label("first"))
        .outerjoin(profiles, profiles.c.symbol == prices.c.symbol)
        .where(prices.c.date <= last_day, prices.c.symbol.not_in(exclude), sa.not_(_IS_FUND))
        .group_by(prices.c.symbol)
        .order_by(prices.c.symbol)
    )
    return fetch_frame(connection, statement)


def read_har_coefficients(connection: sa.Connection) -> pd.DataFrame:
    """Return every version of the volatility model, a row per version, proxy and horizon."""
    return fetch_frame(connection, sa.select(tables.har_coefficients))


def read_variance_corrections(connection: sa.Connection) -> pd.DataFrame:
    """Return the corrections of every version, one row per class of series and horizon."""
    return fetch_frame(connection, sa.select(tables.variance_corrections))
