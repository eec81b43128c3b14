"""Read stored interest-rate betas, as frames for the command line and the report."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import (
    HOLDING_COLUMNS,
    filter_by_portfolio,
    net_lots,
    select_undefined_reason,
)
from riskmetrics.db.sql_expressions import IS_LISTED

_portfolios = tables.portfolios


def read_portfolio_rate_betas(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return one-factor and two-factor rate betas of portfolios on a day, by name.

    undefined_reason is the reason of NULLs in the row.
    """
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
    return fetch_frame(
        connection, filter_by_portfolio(statement, portfolio).order_by(_portfolios.c.name)
    )


def read_position_rate_betas(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return one-factor and two-factor rate betas of positions on a day, with lots netted.

    Ordered by portfolio and symbol. undefined_reason is the reason if the one-factor beta is NULL.
    """
    table, position, two_factor = (
        tables.position_interest_rate_betas,
        tables.positions,
        tables.symbol_two_factor_betas,
    )
    statement = (
        sa.select(
            *HOLDING_COLUMNS,
            table.c.ir_beta,
            table.c.std_error,
            table.c.p_value,
            table.c.r_squared,
            table.c.alpha,
            table.c.observations,
            two_factor.c.rate_beta.label("two_factor_rate_beta"),
            two_factor.c.rate_std_error.label("two_factor_std_error"),
            table.c.rate_index,
            select_undefined_reason(
                "position_interest_rate_betas.ir_beta", table.c.position_id, day
            ),
        )
        .select_from(table)
        .join(position, position.c.id == table.c.position_id)
        .join(_portfolios, _portfolios.c.id == table.c.portfolio_id)
        .outerjoin(
            two_factor,
            sa.and_(
                two_factor.c.symbol == position.c.symbol,
                two_factor.c.day == table.c.calculation_date,
                IS_LISTED,
            ),
        )
        .where(table.c.calculation_date == day)
    )
    order = _portfolios.c.name, position.c.symbol, position.c.id
    return net_lots(
        fetch_frame(connection, filter_by_portfolio(statement, portfolio).order_by(*order))
    )
