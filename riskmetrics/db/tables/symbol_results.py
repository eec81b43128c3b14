"""Tables of results per symbol and session, which are the same in every portfolio.

undefined_reason of a row is the reason of its NULLs.
"""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    PARAMETER,
    day_key_column,
    metadata,
    provenance_columns,
    undefined_reason_column,
)

symbol_two_factor_betas = sa.Table(
    "symbol_two_factor_betas",
    metadata,
    sa.Column(
        "symbol", sa.String(20), primary_key=True, comment="Symbol in normal form, such as BRK-B."
    ),
    day_key_column("Last session of the window."),
    sa.Column("market_beta", sa.Double),
    sa.Column("market_std_error", sa.Double),
    sa.Column("market_p_value", sa.Double),
    sa.Column("rate_beta", sa.Double),
    sa.Column("rate_std_error", sa.Double),
    sa.Column("rate_p_value", sa.Double),
    sa.Column("alpha", sa.Double),
    sa.Column("r_squared", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    sa.Column(
        "window_days",
        sa.Integer,
        nullable=False,
        comment="Sessions in the window.",
        info=PARAMETER,
    ),
    sa.Column(
        "market_index",
        sa.String(16),
        nullable=False,
        comment="Symbol of the market index.",
        info=PARAMETER,
    ),
    sa.Column(
        "rate_index",
        sa.String(16),
        nullable=False,
        comment="Symbol of the rate index.",
        info=PARAMETER,
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per symbol and session: regression on market index and rate index together.",
)

symbol_adjusted_betas = sa.Table(
    "symbol_adjusted_betas",
    metadata,
    sa.Column(
        "symbol", sa.String(20), primary_key=True, comment="Symbol in normal form, such as BRK-B."
    ),
    day_key_column("Last session of the window."),
    sa.Column("beta", sa.Double),
    sa.Column("std_error", sa.Double),
    sa.Column(
        "prior_mean",
        sa.Double,
        nullable=False,
        comment="Mean of the prior distribution of stocks' betas.",
        info=PARAMETER,
    ),
    sa.Column(
        "prior_std",
        sa.Double,
        nullable=False,
        comment="Standard deviation of the prior distribution of stocks' betas.",
        info=PARAMETER,
    ),
    sa.Column(
        "market_index",
        sa.String(16),
        nullable=False,
        comment="Symbol of the market index.",
        info=PARAMETER,
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per symbol and session: Vasicek-adjusted market beta.",
)

symbol_decayed_betas = sa.Table(
    "symbol_decayed_betas",
    metadata,
    sa.Column(
        "symbol", sa.String(20), primary_key=True, comment="Symbol in normal form, such as BRK-B."
    ),
    day_key_column("Last session of the window."),
    sa.Column("beta", sa.Double),
    sa.Column("std_error", sa.Double),
    sa.Column("forecast_std_error", sa.Double),
    sa.Column("effective_observations", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    sa.Column(
        "window_days",
        sa.Integer,
        nullable=False,
        comment="Sessions in the window.",
        info=PARAMETER,
    ),
    sa.Column(
        "half_life",
        sa.Integer,
        nullable=False,
        comment="Age in sessions at which a return counts half.",
        info=PARAMETER,
    ),
    sa.Column(
        "market_index",
        sa.String(16),
        nullable=False,
        comment="Symbol of the market index.",
        info=PARAMETER,
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per symbol and session: market beta with age-decayed weights.",
)
