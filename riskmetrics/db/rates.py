"""Stored sensitivities to interest rates, as frames for people and the report; beside `stored`."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch
from riskmetrics.db.read import LISTED
from riskmetrics.db.stored import HOLDING, net_lots, of_portfolio, why_undefined

_portfolios = tables.portfolios


def of_portfolios(connection: sa.Connection, day: date, portfolio: str | None = None) -> pd.DataFrame:
    """Betas of portfolios to the rate index on a day, alone and beside the market, by name; a row says why figures in it are NULL."""
    table = tables.portfolio_rate_betas
    statement = (
        sa.select(
            _portfolios.c.name.label("portfolio"),
            table.c.rate_beta,
            table.c.r_squared,
            table.c.observations,
            table.c.two_factor_rate_beta,
            table.c.two_factor_market_beta,
            table.c.rate_index,
            table.c.undefined_reason,
        )
        .join(_portfolios, _portfolios.c.id == table.c.portfolio_id)
        .where(table.c.day == day)
    )
    return fetch(connection, of_portfolio(statement, portfolio).order_by(_portfolios.c.name))


def of_positions(connection: sa.Connection, day: date, portfolio: str | None = None) -> pd.DataFrame:
    """Return betas of a day's positions to the rate index, alone and beside the market, lots netted.

    Ordered by portfolio and symbol. A row says why its one-factor beta is NULL.
    """
    table, position, both = tables.position_interest_rate_betas, tables.positions, tables.symbol_two_factor_betas
    statement = (
        sa.select(
            *HOLDING,
            table.c.ir_beta,
            table.c.std_error,
            table.c.p_value,
            table.c.r_squared,
            table.c.alpha,
            table.c.observations,
            both.c.rate_beta.label("two_factor_rate_beta"),
            both.c.rate_std_error.label("two_factor_std_error"),
            table.c.rate_index,
            why_undefined("position_interest_rate_betas.ir_beta", table.c.position_id, day),
        )
        .select_from(table)
        .join(position, position.c.id == table.c.position_id)
        .join(_portfolios, _portfolios.c.id == table.c.portfolio_id)
        .outerjoin(both, sa.and_(both.c.symbol == position.c.symbol, both.c.day == table.c.calculation_date, LISTED))
        .where(table.c.calculation_date == day)
    )
    order = _portfolios.c.name, position.c.symbol, position.c.id
    return net_lots(fetch(connection, of_portfolio(statement, portfolio).order_by(*order)))
