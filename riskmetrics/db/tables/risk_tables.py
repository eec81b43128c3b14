"""Tables of tail risk, VaR backtests, risk contributions and stress tests.

Losses are positive fractions of equity. undefined_reason of a row is the reason of its NULLs.
"""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    key_column,
    metadata,
    optional_column,
    parameter_column,
    portfolio_key_column,
    required_column,
    result_table,
    symbol_key_column,
    timestamp_column,
)
from riskmetrics.db.tables.statistic_tables import PRO_FORMA_DAY

_LAST_DAY = "Last session of the window."

portfolio_tail_risk = result_table(
    "portfolio_tail_risk",
    "One row per portfolio, session, method, level and horizon: value at risk and expected"
    " shortfall.",
    (
        portfolio_key_column(),
        day_key_column(PRO_FORMA_DAY),
        key_column(
            "method",
            sa.String(16),
            "historical: past returns. filtered: the same, each rescaled to today's volatility."
            " revalued: filtered, with options valued at the simulated prices and volatilities."
            " parametric: normal distribution with the forecast variance.",
        ),
        key_column(
            "level",
            sa.Numeric(4, 3),
            "Confidence level: at 0.99, one session in a hundred has a larger loss.",
        ),
        key_column(
            "horizon_days",
            sa.Integer(),
            "Horizon in sessions; more than 1: simulated (filtered, revalued), or scaled by the"
            " square root of time.",
        ),
    ),
    sa.CheckConstraint(
        "method IN ('historical', 'filtered', 'revalued', 'parametric')", name="method"
    ),
)

portfolio_var_backtests = result_table(
    "portfolio_var_backtests",
    "One row per portfolio, session and level: backtest of the value at risk over the trailing"
    " year.",
    (
        portfolio_key_column(),
        day_key_column(
            "Last tested session; its weights are applied to earlier returns (pro-forma)."
        ),
        key_column(
            "level", sa.Numeric(4, 3), "Confidence level of the historical one-day value at risk."
        ),
    ),
    sa.CheckConstraint("exceptions BETWEEN 0 AND n_tested", name="exceptions"),
)

portfolio_risk_contributions = result_table(
    "portfolio_risk_contributions",
    "One row per portfolio, symbol and session: contribution to the volatility over the trailing"
    " year.",
    (
        portfolio_key_column(),
        symbol_key_column("Symbol held, or underlying of a held option."),
        day_key_column(_LAST_DAY),
    ),
)

portfolio_ex_ante_volatility = result_table(
    "portfolio_ex_ante_volatility",
    "One row per portfolio, session and method: ex-ante volatility by covariance.",
    (
        portfolio_key_column(),
        day_key_column("Last session of the window; its weights are applied to earlier returns."),
        key_column(
            "method",
            sa.String(16),
            "equal_weighted: sample covariance. decayed: with exponential weights, shrunk toward"
            " constant correlation.",
        ),
    ),
    sa.CheckConstraint("method IN ('equal_weighted', 'decayed')", name="method"),
)

portfolio_diversification = result_table(
    "portfolio_diversification",
    "One row per portfolio and session: diversification of the largest holdings.",
    (portfolio_key_column(), day_key_column(_LAST_DAY)),
    sa.Column("highest_pair", sa.String(48)),
    sa.Column("lowest_pair", sa.String(48)),
)

portfolio_correlations = result_table(
    "portfolio_correlations",
    "One row per portfolio, session and pair of its largest holdings: their correlation.",
    (
        portfolio_key_column(),
        day_key_column(_LAST_DAY),
        key_column("symbol_a", sa.String(20), "Symbol that is first in the alphabet."),
        key_column("symbol_b", sa.String(20), "The other symbol of the pair."),
    ),
)

portfolio_active_sectors = result_table(
    "portfolio_active_sectors",
    "One row per portfolio, sector and session: contribution to the expected tracking error.",
    (
        portfolio_key_column(),
        key_column(
            "sector",
            sa.String(64),
            "Sector of the holdings; Cash: equity minus net exposure.",
        ),
        day_key_column(_LAST_DAY),
    ),
)

_LIQUIDATION_DAY = "Session whose holdings are sold."


def _participation_column() -> sa.Column[float]:
    return parameter_column(
        "participation", sa.Double(), "Share of the median volume that is sold per day."
    )


portfolio_liquidity = result_table(
    "portfolio_liquidity",
    "One row per portfolio and session: days to sell its holdings.",
    (portfolio_key_column(), day_key_column(_LIQUIDATION_DAY)),
    _participation_column(),
)

holding_liquidity = result_table(
    "holding_liquidity",
    "One row per portfolio, listed symbol and session: days to sell the holding.",
    (
        portfolio_key_column(),
        symbol_key_column("Symbol held."),
        day_key_column(_LIQUIDATION_DAY),
    ),
    _participation_column(),
)

stress_scenarios = sa.Table(
    "stress_scenarios",
    metadata,
    key_column("name", sa.String(64), "Name of the scenario."),
    optional_column(
        "market_move",
        sa.Double(),
        "Return of the market index, fraction: -0.2 is a fall of 20%. NULL: no such move.",
    ),
    optional_column(
        "rate_move",
        sa.Double(),
        "Return of the rate index, fraction; negative if yields rise. NULL: no such move.",
    ),
    optional_column(
        "volatility_move",
        sa.Double(),
        "Relative change of volatilities, for options: 0.5 is from 20% to 30%. NULL: unchanged.",
    ),
    optional_column(
        "first_day",
        sa.Date(),
        "Session at whose close the replayed window begins. NULL: no window.",
    ),
    optional_column(
        "last_day", sa.Date(), "Session at whose close the replayed window ends. NULL: no window."
    ),
    optional_column(
        "factor_moves",
        sa.Text(),
        "Returns of factors as fractions, such as 'value=-0.05, size=0.02'; the market's is"
        " market_move. NULL: no such move.",
    ),
    required_column("description", sa.Text(), "Description, one line."),
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

portfolio_stress = result_table(
    "portfolio_stress",
    "One row per portfolio, session and scenario: first-order stress loss.",
    (
        portfolio_key_column(),
        day_key_column("Session whose holdings are stressed."),
        key_column("scenario", sa.String(64), "Name in stress_scenarios at the time."),
    ),
)
