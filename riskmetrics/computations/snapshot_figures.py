"""Figures of portfolios that are columns of `portfolio_snapshots`; each asset owns some."""

from collections.abc import Sequence

import pandas as pd

from riskmetrics.computations.result_asset import DELTA_NOTE, Edge, ResultAsset
from riskmetrics.db import tables
from riskmetrics.db.result_writes import Computed, Subjects, TableRows
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW
from riskmetrics.results import (
    decayed_betas,
    exposures,
    forecasts,
    horizon_forecasts,
    option_results,
    snapshots,
)


def compute_values(inputs: RunInputs) -> Computed:
    """Compute values, exposures, P&L and counts of portfolios."""
    rows, undefined = snapshots.value_rows(inputs.valuation)
    return Computed(
        [TableRows(tables.portfolio_snapshots, rows, undefined, snapshots.VALUE_METRICS)],
        snapshots.value_coverage(inputs.valuation),
        snapshots.VALUE_COVERAGE,
    )


def compute_betas(inputs: RunInputs) -> Computed:
    """Compute portfolios' market betas: by position, regression, vendor, exponential weights."""
    rows, coverage, undefined = snapshots.beta_rows(
        inputs.option_adjusted_valuation, inputs.market_betas, inputs.profiles
    )
    decayed, decayed_coverage = decayed_betas.portfolio_rows(
        inputs.option_adjusted_valuation,
        inputs.decayed_betas,
        inputs.clean_returns(DECAYED_WINDOW),
    )
    return Computed(
        [
            _snapshot_columns(rows, undefined, snapshots.BETA_METRICS),
            TableRows(tables.portfolio_decayed_betas, decayed),
        ],
        pd.concat([coverage, decayed_coverage]),
        (*snapshots.BETA_COVERAGE, *decayed_betas.DECAYED_COVERAGE),
    )


def compute_volatility(inputs: RunInputs) -> Computed:
    """Compute realized and forecast volatility of portfolios from pro-forma returns."""
    valuation, estimates = inputs.option_adjusted_valuation, inputs.portfolio_volatility
    rows, coverage, undefined = forecasts.portfolio_rows(valuation, estimates)
    forecast_rows = forecasts.portfolio_forecasts(valuation, estimates)
    return Computed(
        [
            _snapshot_columns(rows, undefined, forecasts.SNAPSHOT_METRICS),
            TableRows(tables.volatility_forecasts, forecast_rows, subjects=Subjects.PORTFOLIOS),
            TableRows(
                tables.volatility_horizon_forecasts,
                horizon_forecasts.portfolio_rows(valuation, estimates, forecast_rows),
                subjects=Subjects.PORTFOLIOS,
            ),
        ],
        coverage,
        forecasts.VOLATILITY_COVERAGE,
    )


def compute_concentration(inputs: RunInputs) -> Computed:
    """Compute sector weights, active weights against the benchmark, and concentration."""
    sectors = exposures.sector_rows(
        inputs.valuation,
        inputs.profiles,
        inputs.benchmark_weights,
        inputs.snapshot.benchmark_code,
        inputs.fund_weights,
    )
    rows, undefined = exposures.concentration_rows(inputs.valuation, sectors)
    return Computed(
        [
            _snapshot_columns(rows, undefined, exposures.EXPOSURE_METRICS),
            TableRows(tables.portfolio_sector_weights, sectors),
        ]
    )


def compute_greeks(inputs: RunInputs) -> Computed:
    """Compute sums of the sensitivities of options by portfolio."""
    option_lots = option_results.option_lots(inputs.snapshot.lots)
    rows, undefined = option_results.portfolio_rows(
        inputs.valuation, option_lots, inputs.option_exposures
    )
    return Computed(
        [
            TableRows(tables.position_option_exposures, inputs.option_exposures),
            _snapshot_columns(rows, undefined, option_results.GREEK_METRICS),
        ]
    )


def _snapshot_columns(
    rows: pd.DataFrame, undefined: pd.DataFrame, metrics: Sequence[str]
) -> TableRows:
    """Return columns of the rows of `portfolio_snapshots` that `portfolio_values` writes."""
    return TableRows(tables.portfolio_snapshots, rows, undefined, metrics, is_update=True)


SNAPSHOT_ASSETS = (
    ResultAsset(
        "portfolio_values",
        "Values, exposures, P&L and counts of every portfolio at each close.",
        {"market_prices": Edge.READS},
        (tables.portfolio_snapshots, tables.portfolio_coverage),
        compute_values,
        "total_value",
    ),
    ResultAsset(
        "portfolio_betas",
        "Portfolio market betas: weighted by position, by regression, vendor's, and exponentially"
        f" weighted. {DELTA_NOTE}",
        {
            "position_betas": Edge.SHARES,
            "portfolio_values": Edge.UPDATES,
            "company_profiles": Edge.READS,
            "har_coefficients": Edge.READS,
        },
        (
            tables.portfolio_snapshots,
            tables.portfolio_coverage,
            tables.portfolio_decayed_betas,
        ),
        compute_betas,
        "beta_calculated_90d",
    ),
    ResultAsset(
        "portfolio_volatility",
        "Realized and forecast portfolio volatility from pro-forma returns.",
        {"portfolio_values": Edge.UPDATES, "har_coefficients": Edge.READS},
        (
            tables.portfolio_snapshots,
            tables.volatility_forecasts,
            tables.volatility_horizon_forecasts,
        ),
        compute_volatility,
        "expected_volatility_21d",
    ),
    ResultAsset(
        "sector_concentration",
        "Sector weights, active weights against the benchmark, and concentration.",
        {
            "portfolio_values": Edge.UPDATES,
            "company_profiles": Edge.READS,
            "benchmark_weights": Edge.READS,
        },
        (tables.portfolio_sector_weights, tables.portfolio_snapshots),
        compute_concentration,
        "hhi",
    ),
    ResultAsset(
        "option_exposures",
        "Black-Scholes values and sensitivities of options, and their sums by portfolio.",
        {"portfolio_values": Edge.UPDATES, "position_volatility": Edge.SHARES},
        (tables.position_option_exposures, tables.portfolio_snapshots),
        compute_greeks,
        "exposure",
    ),
)
