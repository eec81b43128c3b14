"""Tables of tail risk, VaR backtests, risk contributions and stress tests.

Losses are positive fractions of equity. undefined_reason of a row is the reason of its NULLs.
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


def _participation_column() -> sa.Column[object]:
    return sa.Column(
        "participation",
        sa.Double,
        nullable=False,
        comment="Share of the median volume that is sold per day.",
        info=PARAMETER,
    )


portfolio_tail_risk = sa.Table(
    "portfolio_tail_risk",
    metadata,
    portfolio_key_column(),
    day_key_column("Session; its weights are applied to earlier returns (pro-forma)."),
    sa.Column(
        "method",
        sa.String(16),
        primary_key=True,
        comment=(
            "historical: past returns. filtered: the same, each rescaled to today's"
            " volatility. revalued: filtered, with options valued at the simulated prices and"
            " volatilities. parametric: normal distribution with the forecast variance."
        ),
    ),
    sa.Column(
        "level",
        sa.Numeric(4, 3),
        primary_key=True,
        comment="Confidence level: at 0.99, one session in a hundred has a larger loss.",
    ),
    sa.Column(
        "horizon_days",
        sa.Integer,
        primary_key=True,
        comment=(
            "Horizon in sessions; more than 1: simulated (filtered, revalued), or scaled by the"
            " square root of time."
        ),
    ),
    sa.Column("value_at_risk", sa.Double),
    sa.Column("expected_shortfall", sa.Double),
    sa.Column("value_at_risk_amount", sa.Numeric(24, 2)),
    sa.Column("expected_shortfall_amount", sa.Numeric(24, 2)),
    sa.Column("observations", sa.Integer, nullable=False),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint(
        "method IN ('historical', 'filtered', 'revalued', 'parametric')", name="method"
    ),
    comment=(
        "One row per portfolio, session, method, level and horizon: value at risk and "
        "expected shortfall."
    ),
)

portfolio_var_backtests = sa.Table(
    "portfolio_var_backtests",
    metadata,
    portfolio_key_column(),
    day_key_column("Last tested session; its weights are applied to earlier returns (pro-forma)."),
    sa.Column(
        "level",
        sa.Numeric(4, 3),
        primary_key=True,
        comment="Confidence level of the historical one-day value at risk.",
    ),
    sa.Column("expected_exceptions", sa.Double, nullable=False),
    sa.Column("exceptions", sa.Integer, nullable=False),
    sa.Column("n_tested", sa.Integer, nullable=False),
    sa.Column("likelihood_ratio", sa.Double),
    sa.Column("p_value", sa.Double),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint("exceptions BETWEEN 0 AND n_tested", name="exceptions"),
    comment=(
        "One row per portfolio, session and level: backtest of the value at risk over the "
        "trailing year."
    ),
)

portfolio_risk_contributions = sa.Table(
    "portfolio_risk_contributions",
    metadata,
    portfolio_key_column(),
    sa.Column(
        "symbol",
        sa.String(20),
        primary_key=True,
        comment="Symbol held, or underlying of a held option.",
    ),
    day_key_column("Last session of the window."),
    sa.Column("weight", sa.Double),
    sa.Column("component", sa.Double),
    sa.Column("marginal", sa.Double),
    sa.Column("share", sa.Double),
    sa.Column("decayed_component", sa.Double),
    sa.Column("decayed_marginal", sa.Double),
    sa.Column("decayed_share", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    sa.Column("active_component", sa.Double),
    sa.Column("incremental_var_95", sa.Double),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per portfolio, symbol and session: contribution to the volatility over the"
        " trailing year."
    ),
)

portfolio_ex_ante_volatility = sa.Table(
    "portfolio_ex_ante_volatility",
    metadata,
    portfolio_key_column(),
    day_key_column("Last session of the window; its weights are applied to earlier returns."),
    sa.Column(
        "method",
        sa.String(16),
        primary_key=True,
        comment=(
            "equal_weighted: sample covariance. decayed: with age-decayed weights, shrunk toward"
            " constant correlation."
        ),
    ),
    sa.Column("volatility", sa.Double),
    sa.Column("shrinkage", sa.Double),
    sa.Column("effective_observations", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint("method IN ('equal_weighted', 'decayed')", name="method"),
    comment="One row per portfolio, session and method: ex-ante volatility by covariance.",
)

portfolio_diversification = sa.Table(
    "portfolio_diversification",
    metadata,
    portfolio_key_column(),
    day_key_column("Last session of the window."),
    sa.Column("average_correlation", sa.Double),
    sa.Column("first_component_share", sa.Double),
    sa.Column("diversification_ratio", sa.Double),
    sa.Column("highest_correlation", sa.Double),
    sa.Column("highest_pair", sa.String(48)),
    sa.Column("lowest_correlation", sa.Double),
    sa.Column("lowest_pair", sa.String(48)),
    sa.Column("symbols", sa.Integer, nullable=False),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per portfolio and session: diversification of the largest holdings.",
)

portfolio_correlations = sa.Table(
    "portfolio_correlations",
    metadata,
    portfolio_key_column(),
    day_key_column("Last session of the window."),
    sa.Column(
        "symbol_a", sa.String(20), primary_key=True, comment="Symbol that is first in the alphabet."
    ),
    sa.Column("symbol_b", sa.String(20), primary_key=True, comment="The other symbol of the pair."),
    sa.Column("correlation", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per portfolio, session and pair of its largest holdings: their correlation.",
)

portfolio_active_sectors = sa.Table(
    "portfolio_active_sectors",
    metadata,
    portfolio_key_column(),
    sa.Column(
        "sector",
        sa.String(64),
        primary_key=True,
        comment="Sector of the holdings; Cash: what the exposures differ from equity.",
    ),
    day_key_column("Last session of the window."),
    sa.Column("exposure_weight", sa.Double),
    sa.Column("sector_component", sa.Double),
    sa.Column("sector_share", sa.Double),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per portfolio, sector and session: contribution to the expected tracking error."
    ),
)

portfolio_liquidity = sa.Table(
    "portfolio_liquidity",
    metadata,
    portfolio_key_column(),
    day_key_column("Session whose holdings are sold."),
    sa.Column("days_to_liquidate", sa.Double),
    sa.Column("sold_in_1d", sa.Double),
    sa.Column("sold_in_5d", sa.Double),
    sa.Column("sold_in_20d", sa.Double),
    sa.Column("coverage", sa.Double),
    _participation_column(),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per portfolio and session: days to sell its holdings.",
)

holding_liquidity = sa.Table(
    "holding_liquidity",
    metadata,
    portfolio_key_column(),
    sa.Column("symbol", sa.String(20), primary_key=True, comment="Symbol held."),
    day_key_column("Session whose holdings are sold."),
    sa.Column("holding_days", sa.Double),
    sa.Column("median_volume", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    _participation_column(),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per portfolio, listed symbol and session: days to sell the holding.",
)

stress_scenarios = sa.Table(
    "stress_scenarios",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True, comment="Name of the scenario."),
    sa.Column(
        "market_move",
        sa.Double,
        comment="Return of the market index, fraction: -0.2 is a fall of 20%. NULL: no such move.",
    ),
    sa.Column(
        "rate_move",
        sa.Double,
        comment="Return of the rate index, fraction; negative if yields rise. NULL: no such move.",
    ),
    sa.Column(
        "volatility_move",
        sa.Double,
        comment=(
            "Relative change of volatilities, for options: 0.5 is from 20% to 30%. NULL: unchanged."
        ),
    ),
    sa.Column(
        "first_day",
        sa.Date,
        comment="Session at whose close the replayed window begins. NULL: no window.",
    ),
    sa.Column(
        "last_day",
        sa.Date,
        comment="Session at whose close the replayed window ends. NULL: no window.",
    ),
    sa.Column(
        "factor_moves",
        sa.Text,
        comment=(
            "Returns of factors as fractions, such as 'value=-0.05, size=0.02'; the market's is"
            " market_move. NULL: no such move."
        ),
    ),
    sa.Column("description", sa.Text, nullable=False, comment="Description, one line."),
    timestamp_column("created_at", comment="When the scenario was added."),
    timestamp_column("updated_at", comment="When the scenario was last changed."),
    sa.CheckConstraint(
        "(first_day IS NULL) = (last_day IS NULL) AND first_day < last_day IS NOT FALSE",
        name="window",
    ),
    sa.CheckConstraint(
        "(first_day IS NULL) = (num_nonnulls(market_move, rate_move, factor_moves) > 0)",
        name="kind",
    ),
    sa.CheckConstraint("num_nonnulls(rate_move, factor_moves) < 2", name="factors"),
    sa.CheckConstraint(
        "market_move > -1 IS NOT FALSE AND rate_move > -1 IS NOT FALSE", name="moves"
    ),
    sa.CheckConstraint("volatility_move > -1 IS NOT FALSE", name="volatility_move"),
    comment=(
        "One row per stress scenario: moves of the market and of rates, or a past window to replay."
    ),
)

portfolio_stress = sa.Table(
    "portfolio_stress",
    metadata,
    portfolio_key_column(),
    day_key_column("Session whose holdings are stressed."),
    sa.Column(
        "scenario",
        sa.String(64),
        primary_key=True,
        comment="Name in stress_scenarios at the time.",
    ),
    sa.Column("loss", sa.Double),
    sa.Column("loss_margin", sa.Double),
    sa.Column("loss_value", sa.Numeric(24, 2)),
    sa.Column("revalued_loss", sa.Double),
    sa.Column("revalued_loss_value", sa.Numeric(24, 2)),
    sa.Column("coverage", sa.Double),
    sa.Column("proxied_share", sa.Double),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per portfolio, session and scenario: first-order stress loss.",
)
