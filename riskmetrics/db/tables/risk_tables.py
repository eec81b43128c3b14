"""Tables of tail risk, VaR backtests, risk contributions, drawdowns, stress tests and options.

Losses are positive fractions of equity. undefined_reason of a row is the reason of its NULLs.
"""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    PARAMETER,
    metadata,
    provenance_columns,
    timestamp_column,
    undefined_reason_column,
)

portfolio_tail_risk = sa.Table(
    "portfolio_tail_risk",
    metadata,
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True),
    sa.Column(
        "day",
        sa.Date,
        primary_key=True,
        comment="Session; its weights are applied to the returns before it.",
    ),
    sa.Column(
        "method",
        sa.String(16),
        primary_key=True,
        comment="historical: past returns; parametric: normal, of forecast volatility.",
    ),
    sa.Column(
        "level",
        sa.Numeric(4, 3),
        primary_key=True,
        comment="Confidence: at 0.99 one day in a hundred is worse.",
    ),
    sa.Column(
        "horizon_days",
        sa.Integer,
        primary_key=True,
        comment="Sessions; more than 1 is that of one scaled by the square root.",
    ),
    sa.Column(
        "value_at_risk", sa.Double, comment="Loss that is passed with probability 1 - level."
    ),
    sa.Column(
        "expected_shortfall", sa.Double, comment="Mean of the losses at or beyond value_at_risk."
    ),
    sa.Column(
        "value_at_risk_amount",
        sa.Numeric(24, 2),
        comment="value_at_risk in the portfolio's currency.",
    ),
    sa.Column(
        "expected_shortfall_amount",
        sa.Numeric(24, 2),
        comment="expected_shortfall in the portfolio's currency.",
    ),
    sa.Column(
        "observations",
        sa.Integer,
        nullable=False,
        comment="Returns of the portfolio that it rests on.",
    ),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint("method IN ('historical', 'parametric')", name="method"),
    comment=(
        "One row per portfolio, session, method, level and horizon: value at risk and expected"
        " shortfall."
    ),
)

portfolio_var_backtests = sa.Table(
    "portfolio_var_backtests",
    metadata,
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True),
    sa.Column(
        "day",
        sa.Date,
        primary_key=True,
        comment="Last session tested; its weights are applied to the returns before it.",
    ),
    sa.Column(
        "level",
        sa.Numeric(4, 3),
        primary_key=True,
        comment="Confidence of the historical one-day value at risk.",
    ),
    sa.Column(
        "expected", sa.Double, nullable=False, comment="Breaches that the level lets expect."
    ),
    sa.Column(
        "breaches",
        sa.Integer,
        nullable=False,
        comment="Sessions whose loss passed the value at risk known before.",
    ),
    sa.Column(
        "n_tested",
        sa.Integer,
        nullable=False,
        comment="Sessions that have a return and a value at risk before it.",
    ),
    sa.Column(
        "likelihood_ratio",
        sa.Double,
        comment="Kupiec (1995), chi-squared with 1 degree of freedom.",
    ),
    sa.Column("p_value", sa.Double, comment="Of breaches as frequent as the level says."),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint("breaches BETWEEN 0 AND n_tested", name="breaches"),
    comment=(
        "One row per portfolio, session and level: whether losses passed the value at risk as often"
        " as they should."
    ),
)

portfolio_risk_contributions = sa.Table(
    "portfolio_risk_contributions",
    metadata,
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True),
    sa.Column(
        "symbol",
        sa.String(20),
        primary_key=True,
        comment="What is held, or what a held option is on.",
    ),
    sa.Column("day", sa.Date, primary_key=True, comment="Last session of the window."),
    sa.Column("weight", sa.Double, comment="Signed share of equity. NULL: no price."),
    sa.Column(
        "component",
        sa.Double,
        comment="Part of the portfolio's volatility, annualized fraction; the parts sum to it.",
    ),
    sa.Column("marginal", sa.Double, comment="Volatility that one more unit of weight adds."),
    sa.Column(
        "share",
        sa.Double,
        comment="component over the portfolio's volatility; the shares sum to 1.",
    ),
    sa.Column(
        "observations",
        sa.Integer,
        nullable=False,
        comment="Sessions of the window on which portfolio and symbol have a return.",
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per portfolio, symbol and session: contribution to the volatility over the"
        " trailing year."
    ),
)

portfolio_drawdowns = sa.Table(
    "portfolio_drawdowns",
    metadata,
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True),
    sa.Column(
        "day",
        sa.Date,
        primary_key=True,
        comment="Session; its weights are applied to the returns before it.",
    ),
    sa.Column(
        "current",
        sa.Double,
        comment="Fall from the highest close of the window to this one, in [0, 1].",
    ),
    sa.Column("current_peak", sa.Date, comment="Session of that highest close."),
    sa.Column(
        "largest", sa.Double, comment="Largest fall from the highest close before it, in [0, 1]."
    ),
    sa.Column(
        "largest_peak",
        sa.Date,
        comment="Session that the largest fall began with. NULL: there was none.",
    ),
    sa.Column(
        "largest_trough",
        sa.Date,
        comment="Session that the largest fall ended with. NULL: there was none.",
    ),
    sa.Column(
        "observations",
        sa.Integer,
        nullable=False,
        comment="Returns of the portfolio in the window.",
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per portfolio and session: falls from a high over the trailing year.",
)

stress_scenarios = sa.Table(
    "stress_scenarios",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column(
        "market_move",
        sa.Double,
        comment="Of the market index, as a fraction: -0.2 is a fall by a fifth.",
    ),
    sa.Column(
        "rate_move",
        sa.Double,
        comment="Of the price of the rate index, which falls when yields rise, as a fraction.",
    ),
    sa.Column("first_day", sa.Date, comment="Session at whose close a window of the past begins."),
    sa.Column("last_day", sa.Date, comment="Session at whose close it ends."),
    sa.Column("description", sa.Text, nullable=False),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    sa.CheckConstraint(
        "(first_day IS NULL) = (last_day IS NULL) AND first_day < last_day IS NOT FALSE",
        name="window",
    ),
    sa.CheckConstraint(
        "(first_day IS NULL) = (num_nonnulls(market_move, rate_move) > 0)", name="kind"
    ),
    sa.CheckConstraint(
        "market_move > -1 IS NOT FALSE AND rate_move > -1 IS NOT FALSE", name="moves"
    ),
    comment=(
        "One row per scenario: moves of the market, of rates or of both, or a window of the past"
        " that is replayed."
    ),
)

portfolio_stress = sa.Table(
    "portfolio_stress",
    metadata,
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="Session whose holdings are stressed."),
    sa.Column(
        "scenario",
        sa.String(64),
        primary_key=True,
        comment="Name in stress_scenarios, as it was then.",
    ),
    sa.Column("loss", sa.Double, comment="Fraction of equity; a gain is negative."),
    sa.Column("loss_value", sa.Numeric(24, 2), comment="The loss in the portfolio's currency."),
    sa.Column(
        "coverage",
        sa.Double,
        comment=(
            "Share of gross exposure that has a beta, or prices at both ends. NULL: none is"
            " known of."
        ),
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment="One row per portfolio, session and scenario: what it would lose, to first order.",
)

position_option_exposures = sa.Table(
    "position_option_exposures",
    metadata,
    sa.Column("position_id", sa.ForeignKey("positions.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="Session."),
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False),
    sa.Column(
        "value",
        sa.Double,
        comment="Black-Scholes, of a European option, money per share; so are the sensitivities.",
    ),
    sa.Column("delta", sa.Double, comment="Money per unit of the underlying's price."),
    sa.Column("gamma", sa.Double, comment="Delta per unit of the underlying's price."),
    sa.Column("theta", sa.Double, comment="Money per calendar day that passes."),
    sa.Column("vega", sa.Double, comment="Money per point of volatility: from 20 % to 21 %."),
    sa.Column(
        "exposure", sa.Double, comment="delta x signed contracts x 100 x underlying_price, money."
    ),
    sa.Column(
        "underlying_symbol",
        sa.String(20),
        nullable=False,
        doc="Underlying of the option.",
        info=PARAMETER,
    ),
    sa.Column(
        "underlying_price",
        sa.Double,
        comment="Close of the day, or one up to 5 sessions old. NULL: none.",
    ),
    sa.Column(
        "volatility",
        sa.Double,
        comment="The underlying's forecast for 21 sessions, annualized fraction. NULL: none.",
    ),
    sa.Column(
        "years",
        sa.Double,
        comment=(
            "Calendar days to expiration over 365; negative: expired. NULL: expiration not known."
        ),
    ),
    sa.Column(
        "risk_free_rate",
        sa.Double,
        nullable=False,
        comment="Continuously compounded, per year, as set for the run.",
        info=PARAMETER,
    ),
    sa.Column(
        "dividend_yield",
        sa.Double,
        nullable=False,
        comment="Continuously compounded, per year, as set for the run.",
        info=PARAMETER,
    ),
    sa.Column(
        "linearised",
        sa.Boolean,
        nullable=False,
        comment="True: exposure leaves out how delta moves with the price.",
        info=PARAMETER,
    ),
    undefined_reason_column(),
    *provenance_columns(),
    sa.Index(None, "portfolio_id", "day"),
    comment="One row per option position and session: value and sensitivities by Black-Scholes.",
)
