"""Tables of factors: imported returns, exposures of symbols and portfolios, and the split of risk.

undefined_reason of a row is the reason of its NULLs.
"""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    PARAMETER,
    day_key_column,
    metadata,
    portfolio_key_column,
    provenance_columns,
    timestamp_column,
    undefined_reason_column,
)
from riskmetrics.factor_sets import MAX_FACTOR_LENGTH


def _factor_key_column(comment: str = "Name of the factor.") -> sa.Column[object]:
    return sa.Column("factor", sa.String(MAX_FACTOR_LENGTH), primary_key=True, comment=comment)


def _definition_column() -> sa.Column[object]:
    return sa.Column(
        "definition",
        sa.String(40),
        nullable=False,
        comment=(
            "Return of the factor: symbol of the market index, FUND - INDEX for a spread over it,"
            " or imported."
        ),
        info=PARAMETER,
    )


factor_returns = sa.Table(
    "factor_returns",
    metadata,
    _factor_key_column("Name of the factor, as in the file."),
    day_key_column(),
    sa.Column(
        "factor_return",
        sa.Double,
        nullable=False,
        comment="Return of the factor on the session, as a fraction.",
    ),
    sa.Column("data_source", sa.Text, nullable=False, comment="Name of the imported file."),
    timestamp_column("updated_at", comment="When the row was last changed."),
    comment="One row per factor and session: imported returns of factors.",
)

symbol_factor_exposures = sa.Table(
    "symbol_factor_exposures",
    metadata,
    sa.Column(
        "symbol", sa.String(20), primary_key=True, comment="Symbol in normal form, such as BRK-B."
    ),
    day_key_column("Last session of the window."),
    _factor_key_column(),
    sa.Column("exposure", sa.Double),
    sa.Column("std_error", sa.Double),
    sa.Column("t_statistic", sa.Double),
    sa.Column("r_squared", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    _definition_column(),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per symbol, session and factor of the joint regression.",
)

portfolio_factor_exposures = sa.Table(
    "portfolio_factor_exposures",
    metadata,
    portfolio_key_column(),
    day_key_column("Session; its weights are applied to earlier returns (pro-forma)."),
    _factor_key_column(),
    sa.Column("exposure", sa.Double),
    sa.Column("std_error", sa.Double),
    sa.Column("t_statistic", sa.Double),
    sa.Column("coverage", sa.Double),
    sa.Column("vif", sa.Double),
    _definition_column(),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per portfolio, session and factor, with those that the regression leaves out."
    ),
)

portfolio_factor_risk = sa.Table(
    "portfolio_factor_risk",
    metadata,
    portfolio_key_column(),
    day_key_column("Session; its weights are applied to earlier returns (pro-forma)."),
    _factor_key_column("Name of the factor, or specific."),
    sa.Column("component", sa.Double),
    sa.Column("share", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per portfolio, session and factor of the regression, and one for what they leave"
        " unexplained: contributions to volatility."
    ),
)
