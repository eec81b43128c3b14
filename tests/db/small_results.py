"""Two portfolios with the same symbol, and a row of each in every result table on two days."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from riskmetrics.db import tables

FIRST_DAY, SECOND_DAY = date(2022, 12, 27), date(2022, 12, 28)
GROWTH, FORMULA_NAME = "Growth", "=1+1"
_DAYS = (FIRST_DAY, SECOND_DAY)
_MONEY = (
    "total_value",
    "cash_value",
    "long_value",
    "short_value",
    "gross_exposure",
    "net_exposure",
)
_COUNTS = ("num_positions", "num_long_positions", "num_short_positions")

_FORECAST = {
    "observations": 252,
    "proxy": "close",
    "coefficients": "shipped-1",
    "in_sample": True,
    **dict.fromkeys(("clipped", "short_history", "daily_lag_imputed"), False),
}
_OPTION = {
    "underlying_symbol": "AAPL",
    "risk_free_rate": 0,
    "dividend_yield": 0,
    "linearized": True,
}


def store_small_results(connection: sa.Connection) -> None:
    """Store a long position of 100 shares and its results for both portfolios.

    The beta of AAPL changes from 1 to 2 ± 0.1.
    """
    for name in (GROWTH, FORMULA_NAME):
        portfolio = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name=name, currency="USD")
            .returning(tables.portfolios.c.id)
        )
        lot = {
            "portfolio_id": portfolio,
            "symbol": "AAPL",
            "position_type": "LONG",
            "quantity": 100,
            "entry_date": date(2020, 1, 2),
        }
        position = connection.scalar(
            sa.insert(tables.positions).values(lot).returning(tables.positions.c.id)
        )
        for day, value, beta in zip(_DAYS, ("1000.10", "1500.00"), (1, 2), strict=True):
            for table, row in _rows(portfolio, position, day, value, beta).items():
                connection.execute(sa.insert(table).values(row))
    for day in _DAYS:
        symbol_day = {"symbol": "AAPL", "day": day, "market_index": "SPY"}
        rows_of_symbol = {
            tables.symbol_adjusted_betas: symbol_day | {"prior_mean": 1, "prior_std": 0.35},
            tables.symbol_two_factor_betas: (
                symbol_day | {"rate_index": "TLT", "observations": 90, "window_days": 90}
            ),
        }
        for table, row in rows_of_symbol.items():  # once, however often portfolios are stored
            connection.execute(insert(table).values(row).on_conflict_do_nothing())


def _rows(
    portfolio: uuid.UUID, position: uuid.UUID, day: date, value: str, beta: int
) -> dict[sa.Table, dict[str, object]]:
    """Return the rows of one portfolio and its only position on a day, by table."""
    position_key = {"portfolio_id": portfolio, "position_id": position}
    portfolio_day = {"portfolio_id": portfolio, "day": day}
    subject_key = portfolio_day | {"subject": str(portfolio)}
    return {
        tables.portfolio_snapshots: (
            {"portfolio_id": portfolio, "snapshot_date": day}
            | dict.fromkeys(_MONEY, value)
            | dict.fromkeys(_COUNTS, 1)
        ),
        tables.portfolio_sector_weights: (
            portfolio_day | {"sector": "Energy", "gross_weight": 1, "net_weight": 1}
        ),
        tables.portfolio_coverage: (
            portfolio_day | {"metric": "beta", "coverage": 1, "n_covered": 1, "n_total": 1}
        ),
        tables.undefined_metrics: (
            portfolio_day | {"subject": position, "metric": f"t.{beta}", "reason": "-1 left, ü"}
        ),
        tables.position_market_betas: (
            position_key
            | {
                "calc_date": day,
                "beta": beta,
                "std_error": "0.1",
                "alpha": 0,
                "observations": 90,
            }
        ),
        tables.position_interest_rate_betas: (
            position_key | {"calculation_date": day, "ir_beta": "-0.000001"}
        ),
        tables.position_volatility: {"position_id": position, "calculation_date": day},
        tables.portfolio_tail_risk: (
            portfolio_day
            | {
                "method": "historical",
                "level": "0.95",
                "horizon_days": 1,
                "observations": 504,
            }
        ),
        tables.portfolio_var_backtests: (
            portfolio_day
            | {"level": "0.95", "expected_exceptions": 12.6, "exceptions": 12, "n_tested": 252}
        ),
        tables.portfolio_risk_contributions: (
            portfolio_day | {"symbol": "AAPL", "observations": 252}
        ),
        tables.portfolio_drawdowns: portfolio_day | {"observations": 252},
        tables.portfolio_figures: portfolio_day | {"figure": "beta_of_nothing", "value": 0},
        tables.portfolio_stress: portfolio_day | {"scenario": "market -20%"},
        tables.position_option_exposures: portfolio_day | {"position_id": position} | _OPTION,
        tables.portfolio_rate_betas: portfolio_day | {"rate_index": "TLT"},
        tables.volatility_forecasts: subject_key | _FORECAST,
        tables.har_forecast_scores: (
            subject_key
            | {
                "completed_on": SECOND_DAY,
                "coefficients": "shipped-1",
                "in_sample": True,
            }
        ),
    }
