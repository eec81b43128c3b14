"""Figures of positions and of the symbols they hold: estimated per symbol, written per position."""

import pandas as pd

from riskmetrics.computations.result_asset import Edge, ResultAsset
from riskmetrics.db import tables
from riskmetrics.db.result_writes import Computed, Subjects, TableRows
from riskmetrics.db.shards import Unit
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.results import (
    betas,
    decayed_betas,
    factor_results,
    forecasts,
    horizon_forecasts,
    rate_sensitivity,
)


def compute_position_betas(inputs: RunInputs) -> Computed:
    """Compute market betas of positions; adjusted and exponentially weighted ones of symbols."""
    estimates, lots, sessions = inputs.market_betas, inputs.snapshot.lots, inputs.sessions
    rows, undefined = betas.position_rows(estimates, lots, sessions, betas.MARKET_BETA_TABLE)
    adjusted = betas.adjusted_beta_rows(estimates, lots, sessions)
    decayed = decayed_betas.symbol_rows(inputs.decayed_betas, lots, sessions)
    return Computed(
        [
            TableRows(
                tables.position_market_betas, rows, undefined, betas.MARKET_BETA_TABLE.metrics
            ),
            TableRows(tables.symbol_adjusted_betas, adjusted),
            TableRows(tables.symbol_decayed_betas, decayed),
        ]
    )


def compute_rate_betas(inputs: RunInputs) -> Computed:
    """Compute rate betas of positions, and two-factor betas of symbols."""
    lots, sessions = inputs.snapshot.lots, inputs.sessions
    rows, undefined = betas.position_rows(inputs.rate_betas, lots, sessions, betas.RATE_BETA_TABLE)
    two_factor = rate_sensitivity.symbol_rows(inputs.two_factor_betas, lots, sessions)
    return Computed(
        [
            TableRows(
                tables.position_interest_rate_betas, rows, undefined, betas.RATE_BETA_TABLE.metrics
            ),
            TableRows(tables.symbol_two_factor_betas, two_factor),
        ]
    )


def compute_symbol_factors(inputs: RunInputs) -> tuple[pd.DataFrame]:
    """Compute factor exposures of symbols."""
    rows = factor_results.symbol_rows(inputs.symbol_factors, inputs.snapshot.lots, inputs.sessions)
    return (rows,)


def compute_position_volatility(inputs: RunInputs) -> Computed:
    """Compute realized volatility of positions, and volatility forecasts of symbols."""
    estimates, lots, sessions = inputs.symbol_volatility, inputs.snapshot.lots, inputs.sessions
    rows, undefined = forecasts.position_rows(estimates, lots, sessions, inputs.option_exposures)
    forecast_rows = forecasts.symbol_forecasts(estimates, lots, sessions)
    return Computed(
        [
            TableRows(tables.position_volatility, rows, undefined, forecasts.POSITION_METRICS),
            TableRows(tables.volatility_forecasts, forecast_rows, subjects=Subjects.SYMBOLS),
            TableRows(
                tables.volatility_horizon_forecasts,
                horizon_forecasts.symbol_rows(estimates, lots, sessions, forecast_rows),
                subjects=Subjects.SYMBOLS,
            ),
        ]
    )


POSITION_ASSETS = (
    ResultAsset(
        "position_betas",
        "Market betas of open positions, 90 sessions; adjusted and exponentially weighted betas of"
        " symbols.",
        {"market_prices": Edge.READS},
        (
            tables.position_market_betas,
            tables.symbol_adjusted_betas,
            tables.symbol_decayed_betas,
        ),
        compute_position_betas,
        "beta",
        Unit.SYMBOLS,
        "positions",
    ),
    ResultAsset(
        "interest_rate_betas",
        "Rate betas of open positions, and two-factor betas of symbols (market and rates).",
        {"market_prices": Edge.READS},
        (tables.position_interest_rate_betas, tables.symbol_two_factor_betas),
        compute_rate_betas,
        "ir_beta",
        Unit.SYMBOLS,
        "positions",
    ),
    ResultAsset(
        "symbol_factor_exposures",
        "Exposures of held symbols to the market, style and other factors, one year.",
        {"market_prices": Edge.READS},
        (tables.symbol_factor_exposures,),
        compute_symbol_factors,
        "r_squared",
        Unit.SYMBOLS,
        "positions",
    ),
    ResultAsset(
        "position_volatility",
        "Realized volatility of open positions, and volatility forecasts of symbols.",
        {"market_prices": Edge.READS, "har_coefficients": Edge.READS},
        (
            tables.position_volatility,
            tables.volatility_forecasts,
            tables.volatility_horizon_forecasts,
        ),
        compute_position_volatility,
        "expected_vol_21d",
        Unit.SYMBOLS,
        "positions",
    ),
)
