"""Tables of results per symbol and session, which are the same in every portfolio.

undefined_reason of a row is the reason of its NULLs.
"""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    PARAMETER,
    metadata,
    provenance_columns,
    undefined_reason_column,
)

symbol_two_factor_betas = sa.Table(
    "symbol_two_factor_betas",
    metadata,
    sa.Column("symbol", sa.String(20), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="Last session of the window."),
    sa.Column(
        "market_beta",
        sa.Double,
        comment="Return per unit of the market's return, that of the rate index held fixed.",
    ),
    sa.Column("market_std_error", sa.Double, comment="Classical, of market_beta."),
    sa.Column("market_p_value", sa.Double, comment="Two-sided, of market_beta = 0."),
    sa.Column(
        "rate_beta",
        sa.Double,
        comment="Return per unit of the rate index's return, that of the market held fixed.",
    ),
    sa.Column("rate_std_error", sa.Double, comment="Classical, of rate_beta."),
    sa.Column("rate_p_value", sa.Double, comment="Two-sided, of rate_beta = 0."),
    sa.Column("alpha", sa.Double, comment="Return per session, as a fraction."),
    sa.Column("r_squared", sa.Double, comment="In [0, 1]."),
    sa.Column(
        "observations",
        sa.Integer,
        nullable=False,
        comment="Sessions on which all three have a return.",
    ),
    sa.Column(
        "window_days", sa.Integer, nullable=False, comment="Sessions in the window.", info=PARAMETER
    ),
    sa.Column(
        "market_index",
        sa.String(16),
        nullable=False,
        comment="Symbol that stands for the market.",
        info=PARAMETER,
    ),
    sa.Column(
        "rate_index",
        sa.String(16),
        nullable=False,
        comment="Symbol that stands for interest rates.",
        info=PARAMETER,
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per symbol and session: the regression on the market and the rate index together."
    ),
)

symbol_adjusted_betas = sa.Table(
    "symbol_adjusted_betas",
    metadata,
    sa.Column("symbol", sa.String(20), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="Last session of the window."),
    sa.Column(
        "beta",
        sa.Double,
        comment="Market beta drawn towards the prior by as much as it is uncertain (Vasicek 1973).",
    ),
    sa.Column("std_error", sa.Double, comment="Posterior, of beta."),
    sa.Column(
        "prior_mean", sa.Double, nullable=False, comment="Of betas of stocks.", info=PARAMETER
    ),
    sa.Column(
        "prior_std", sa.Double, nullable=False, comment="Of betas of stocks.", info=PARAMETER
    ),
    sa.Column(
        "market_index",
        sa.String(16),
        nullable=False,
        comment="Symbol that stands for the market.",
        info=PARAMETER,
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per symbol and session: the Vasicek-adjusted market beta, shrunk toward 1 by its"
        " sampling error."
    ),
)
