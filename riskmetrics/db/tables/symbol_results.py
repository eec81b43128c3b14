"""Tables of results per symbol and session, which are the same in every portfolio.

undefined_reason of a row is the reason of its NULLs.
"""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    index_column,
    parameter_column,
    result_table,
    symbol_key_column,
    window_column,
)

_LAST_DAY = "Last session of the window."

symbol_two_factor_betas = result_table(
    "symbol_two_factor_betas",
    "One row per symbol and session: regression on market index and rate index together.",
    (symbol_key_column(), day_key_column(_LAST_DAY)),
    window_column(),
    index_column("market"),
    index_column("rate"),
)

symbol_adjusted_betas = result_table(
    "symbol_adjusted_betas",
    "One row per symbol and session: Vasicek-adjusted market beta.",
    (symbol_key_column(), day_key_column(_LAST_DAY)),
    parameter_column("prior_mean", sa.Double(), "Mean of the prior distribution of stocks' betas."),
    parameter_column(
        "prior_std", sa.Double(), "Standard deviation of the prior distribution of stocks' betas."
    ),
    index_column("market"),
)

symbol_decayed_betas = result_table(
    "symbol_decayed_betas",
    "One row per symbol and session: market beta with exponential weights.",
    (symbol_key_column(), day_key_column(_LAST_DAY)),
    window_column(),
    parameter_column("half_life", sa.Integer(), "Age in sessions at which a return counts half."),
    index_column("market"),
)
