"""Keep what portfolios may lose: tail risk, contributions, drawdowns, stress scenarios, options."""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "cc798442684f"
down_revision = "5704a4f44e3d"

MOVES = (
    ("market +10%", 0.1, None, "The market index rises by a tenth."),
    ("market -10%", -0.1, None, "The market index falls by a tenth."),
    ("market -20%", -0.2, None, "The market index falls by a fifth, as bear markets begin."),
    ("market -40%", -0.4, None, "The market index falls by two fifths, as from 2007 to late 2008."),
    ("rate index +10%", None, 0.1, "The price of the rate index rises by a tenth: yields fall."),
    ("rate index -10%", None, -0.1, "The price of the rate index falls by a tenth: yields rise."),
    ("market -20%, rate index -10%", -0.2, -0.1, "Stocks and bonds fall together."),
)
"""Name, move of the market, move of the rate index, description."""

REPLAYS = (
    (
        "dot-com bust",
        date(2000, 3, 24),
        date(2002, 10, 9),
        "From the high of the S&P 500 to its low.",
    ),
    (
        "Lehman Brothers",
        date(2008, 9, 12),
        date(2008, 11, 20),
        "From the close before the bankruptcy to the low of November.",
    ),
    (
        "fourth quarter of 2018",
        date(2018, 9, 20),
        date(2018, 12, 24),
        "Rising policy rates and a trade dispute.",
    ),
    ("COVID-19", date(2020, 2, 19), date(2020, 3, 23), "From the high of the S&P 500 to its low."),
    ("rate rises of 2022", date(2022, 1, 3), date(2022, 10, 12), "Stocks and bonds fell together."),
)
"""Name, session at whose close it begins and at whose close it ends, description."""


def upgrade() -> None:
    _create_scenarios()
    _create_drawdowns()
    _create_contributions()
    _create_stress()
    _create_tail_risk()
    _create_backtests()
    _create_option_exposures()


def _origin() -> list[sa.Column[str]]:
    """Columns that each table of results ends with."""
    return [
        sa.Column(
            "undefined_reason", sa.Text, comment="Why figures of this row are NULL. NULL: none is."
        ),
        sa.Column(
            "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row.",
        ),
    ]


def _create_scenarios() -> None:
    scenarios = op.create_table(
        "stress_scenarios",
        sa.Column("name", sa.String(64), nullable=False),
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
        sa.Column(
            "first_day", sa.Date, comment="Session at whose close a window of the past begins."
        ),
        sa.Column("last_day", sa.Date, comment="Session at whose close it ends."),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(first_day IS NULL) = (last_day IS NULL) AND first_day < last_day IS NOT FALSE",
            name=op.f("ck_stress_scenarios_window"),
        ),
        sa.CheckConstraint(
            "(first_day IS NULL) = (num_nonnulls(market_move, rate_move) > 0)",
            name=op.f("ck_stress_scenarios_kind"),
        ),
        sa.CheckConstraint(
            "market_move > -1 IS NOT FALSE AND rate_move > -1 IS NOT FALSE",
            name=op.f("ck_stress_scenarios_moves"),
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stress_scenarios")),
        comment="One row per scenario: moves of the market, of rates or of both, or a window of the past that is replayed.",
    )
    columns = ("name", "market_move", "rate_move", "first_day", "last_day", "description")
    rows = [
        *((name, market, rates, None, None, text) for name, market, rates, text in MOVES),
        *((name, None, None, first, last, text) for name, first, last, text in REPLAYS),
    ]
    op.bulk_insert(scenarios, [dict(zip(columns, row, strict=True)) for row in rows])


def _create_drawdowns() -> None:
    op.create_table(
        "portfolio_drawdowns",
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column(
            "day",
            sa.Date,
            nullable=False,
            comment="Session; its weights are applied to the returns before it.",
        ),
        sa.Column(
            "current_drawdown",
            sa.Double,
            comment="Fall from the highest close of the window to this one, in [0, 1].",
        ),
        sa.Column("current_drawdown_peak", sa.Date, comment="Session of that highest close."),
        sa.Column(
            "max_drawdown",
            sa.Double,
            comment="Largest fall from the highest close before it, in [0, 1].",
        ),
        sa.Column(
            "max_drawdown_peak",
            sa.Date,
            comment="Session that the largest fall began with. NULL: there was none.",
        ),
        sa.Column(
            "max_drawdown_trough",
            sa.Date,
            comment="Session that the largest fall ended with. NULL: there was none.",
        ),
        sa.Column(
            "observations",
            sa.Integer,
            nullable=False,
            comment="Returns of the portfolio in the window.",
        ),
        *_origin(),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_portfolio_drawdowns_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint("portfolio_id", "day", name=op.f("pk_portfolio_drawdowns")),
        comment="One row per portfolio and session: falls from a high over the trailing year.",
    )


def _create_contributions() -> None:
    op.create_table(
        "portfolio_risk_contributions",
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column(
            "symbol",
            sa.String(20),
            nullable=False,
            comment="Listed; options and private holdings have no return series.",
        ),
        sa.Column("day", sa.Date, nullable=False, comment="Last session of the window."),
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
        *_origin(),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_portfolio_risk_contributions_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "symbol", "day", name=op.f("pk_portfolio_risk_contributions")
        ),
        comment="One row per portfolio, symbol and session: contribution to the volatility over the trailing year.",
    )


def _create_stress() -> None:
    op.create_table(
        "portfolio_stress",
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="Session whose holdings are stressed."),
        sa.Column(
            "scenario",
            sa.String(64),
            nullable=False,
            comment="Name in stress_scenarios, as it was then.",
        ),
        sa.Column("loss", sa.Double, comment="Fraction of equity; a gain is negative."),
        sa.Column("loss_value", sa.Numeric(24, 2), comment="The loss in the portfolio's currency."),
        sa.Column(
            "coverage",
            sa.Double,
            comment="Share of gross exposure that has a beta, or prices at both ends. NULL: none is known of.",
        ),
        *_origin(),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_portfolio_stress_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "day", "scenario", name=op.f("pk_portfolio_stress")
        ),
        comment="One row per portfolio, session and scenario: what it would lose, to first order.",
    )


def _create_tail_risk() -> None:
    op.create_table(
        "portfolio_tail_risk",
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column(
            "day",
            sa.Date,
            nullable=False,
            comment="Session; its weights are applied to the returns before it.",
        ),
        sa.Column(
            "method",
            sa.String(16),
            nullable=False,
            comment="historical: past returns; parametric: normal, of forecast volatility.",
        ),
        sa.Column(
            "level",
            sa.Numeric(4, 3),
            nullable=False,
            comment="Confidence: at 0.99 one day in a hundred is worse.",
        ),
        sa.Column(
            "horizon_days",
            sa.Integer,
            nullable=False,
            comment="Sessions; more than 1 is that of one scaled by the square root.",
        ),
        sa.Column(
            "value_at_risk", sa.Double, comment="Loss that is passed with probability 1 - level."
        ),
        sa.Column(
            "expected_shortfall",
            sa.Double,
            comment="Mean of the losses at or beyond value_at_risk.",
        ),
        sa.Column(
            "observations",
            sa.Integer,
            nullable=False,
            comment="Returns of the portfolio that it rests on.",
        ),
        *_origin(),
        sa.CheckConstraint(
            "method IN ('historical', 'parametric')", name=op.f("ck_portfolio_tail_risk_method")
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_portfolio_tail_risk_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint(
            "portfolio_id",
            "day",
            "method",
            "level",
            "horizon_days",
            name=op.f("pk_portfolio_tail_risk"),
        ),
        comment="One row per portfolio, session, method, level and horizon: value at risk and expected shortfall.",
    )


def _create_backtests() -> None:
    op.create_table(
        "portfolio_var_backtests",
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column(
            "day",
            sa.Date,
            nullable=False,
            comment="Last session tested; its weights are applied to the returns before it.",
        ),
        sa.Column(
            "level",
            sa.Numeric(4, 3),
            nullable=False,
            comment="Confidence of the historical one-day value at risk.",
        ),
        sa.Column(
            "expected_exceptions",
            sa.Double,
            nullable=False,
            comment="Exceptions that the level implies.",
        ),
        sa.Column(
            "exceptions",
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
        sa.Column("p_value", sa.Double, comment="Of exceptions as frequent as the level says."),
        *_origin(),
        sa.CheckConstraint(
            "exceptions BETWEEN 0 AND n_tested", name=op.f("ck_portfolio_var_backtests_exceptions")
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_portfolio_var_backtests_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "day", "level", name=op.f("pk_portfolio_var_backtests")
        ),
        comment="One row per portfolio, session and level: whether losses passed the value at risk as often as they should.",
    )


def _create_option_exposures() -> None:
    op.create_table(
        "position_option_exposures",
        sa.Column("position_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="Session."),
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
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
            "exposure",
            sa.Double,
            comment="delta x signed contracts x 100 x underlying_price, money.",
        ),
        sa.Column("underlying_symbol", sa.String(20), nullable=False),
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
            "years_to_expiration",
            sa.Double,
            comment="Calendar days to expiration over 365; negative: expired. NULL: expiration not known.",
        ),
        sa.Column(
            "risk_free_rate",
            sa.Double,
            nullable=False,
            comment="Continuously compounded, per year, as set for the run.",
        ),
        sa.Column(
            "dividend_yield",
            sa.Double,
            nullable=False,
            comment="Continuously compounded, per year, as set for the run.",
        ),
        sa.Column(
            "linearized",
            sa.Boolean,
            nullable=False,
            comment="True: exposure leaves out how delta moves with the price.",
        ),
        *_origin(),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_position_option_exposures_portfolio_id_portfolios"),
        ),
        sa.ForeignKeyConstraint(
            ["position_id"],
            ["positions.id"],
            name=op.f("fk_position_option_exposures_position_id_positions"),
        ),
        sa.PrimaryKeyConstraint("position_id", "day", name=op.f("pk_position_option_exposures")),
        comment="One row per option position and session: value and sensitivities by Black-Scholes.",
    )
    op.create_index(
        op.f("ix_position_option_exposures_portfolio_id_day"),
        "position_option_exposures",
        ["portfolio_id", "day"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("position_option_exposures")
    op.drop_table("portfolio_stress")
    op.drop_table("stress_scenarios")
    op.drop_table("portfolio_drawdowns")
    op.drop_table("portfolio_risk_contributions")
    op.drop_table("portfolio_var_backtests")
    op.drop_table("portfolio_tail_risk")
