"""Tables of factors: imported returns, exposures of symbols and portfolios, and the split of risk.

undefined_reason of a row is the reason of its NULLs.
"""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    key_column,
    metadata,
    parameter_column,
    portfolio_key_column,
    required_column,
    result_table,
    symbol_key_column,
    timestamp_column,
)
from riskmetrics.db.tables.statistic_tables import PRO_FORMA_DAY
from riskmetrics.factor_sets import MAX_FACTOR_LENGTH


def _factor_key_column(comment: str = "Name of the factor.") -> sa.Column[str]:
    return key_column("factor", sa.String(MAX_FACTOR_LENGTH), comment)


def _definition_column() -> sa.Column[str]:
    return parameter_column(
        "definition",
        sa.String(40),
        "Return of the factor: symbol of the market index, FUND - INDEX for a spread over it,"
        " or imported.",
    )


factor_returns = sa.Table(
    "factor_returns",
    metadata,
    _factor_key_column("Name of the factor, as in the file."),
    day_key_column(),
    required_column(
        "factor_return", sa.Double(), "Return of the factor on the session, as a fraction."
    ),
    required_column("data_source", sa.Text(), "Name of the imported file."),
    timestamp_column("updated_at", comment="When the row was last changed."),
    comment="One row per factor and session: imported returns of factors.",
)

symbol_factor_exposures = result_table(
    "symbol_factor_exposures",
    "One row per symbol, session and factor of the joint regression.",
    (
        symbol_key_column(),
        day_key_column("Last session of the window."),
        _factor_key_column(),
    ),
    _definition_column(),
)

portfolio_factor_exposures = result_table(
    "portfolio_factor_exposures",
    "One row per portfolio, session and factor, with those that the regression leaves out.",
    (portfolio_key_column(), day_key_column(PRO_FORMA_DAY), _factor_key_column()),
    _definition_column(),
)

portfolio_factor_risk = result_table(
    "portfolio_factor_risk",
    "One row per portfolio, session and factor of the regression, and one for what they leave"
    " unexplained: contributions to volatility.",
    (
        portfolio_key_column(),
        day_key_column(PRO_FORMA_DAY),
        _factor_key_column("Name of the factor, or specific."),
    ),
)
