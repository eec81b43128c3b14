"""Risk figures of portfolios, each in a table of its own."""

from riskmetrics.computations.result_asset import DELTA_NOTE, Edge, ResultAsset
from riskmetrics.computations.statistic_assets import STATISTIC_ASSETS
from riskmetrics.computations.track_records import TRACK_RECORD_ASSET
from riskmetrics.db import tables
from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.results import (
    contribution_results,
    pro_forma,
    rate_sensitivity,
    stress_results,
    tail_risk_results,
)


def compute_rate_betas(inputs: RunInputs) -> Computed:
    """Compute rate betas of portfolios, alone and with the market held fixed."""
    rows, coverage = rate_sensitivity.portfolio_rows(
        inputs.option_adjusted_valuation, inputs.rate_betas, inputs.two_factor_betas
    )
    return Computed(
        [TableRows(tables.portfolio_rate_betas, rows)],
        coverage=coverage,
        coverage_metrics=rate_sensitivity.RATE_BETA_COVERAGE,
    )


def compute_tail_risk(inputs: RunInputs) -> Computed:
    """Compute value at risk and expected shortfall, and backtests of value at risk."""
    forecasts = inputs.portfolio_volatility
    rows, backtests = tail_risk_results.tail_risk_rows(
        inputs.option_adjusted_valuation,
        inputs.clean_returns(tail_risk_results.TAIL_RISK_WINDOW),
        forecasts.root_variance_amount,
        forecasts.figures.observations,
    )
    return Computed(
        [
            TableRows(tables.portfolio_tail_risk, rows),
            TableRows(tables.portfolio_var_backtests, backtests),
        ]
    )


def compute_contributions(inputs: RunInputs) -> Computed:
    """Compute the contribution of each symbol to its portfolio's volatility."""
    rows = contribution_results.contribution_rows(
        inputs.option_adjusted_valuation, inputs.clean_returns(pro_forma.YEAR_WINDOW)
    )
    return Computed([TableRows(tables.portfolio_risk_contributions, rows)])


def compute_stress(inputs: RunInputs) -> Computed:
    """Compute the loss of every portfolio in each stress scenario."""
    rows = stress_results.stress_rows(
        inputs.option_adjusted_valuation,
        inputs.snapshot.stress_scenarios,
        inputs.stress_betas,
        inputs.stress_closes,
        inputs.snapshot.suspected_splits,
    )
    return Computed([TableRows(tables.portfolio_stress, rows)])


RISK_ASSETS = (
    ResultAsset(
        "portfolio_rate_betas",
        "portfolios",
        f"Portfolio rate betas: one-factor, and two-factor with the market. {DELTA_NOTE}",
        {
            "interest_rate_betas": Edge.SHARES,
            "portfolio_values": Edge.SHARES,
            "har_coefficients": Edge.READS,
        },
        (tables.portfolio_rate_betas,),
        compute_rate_betas,
        "rate_beta",
    ),
    ResultAsset(
        "portfolio_tail_risk",
        "portfolios",
        "Value at risk and expected shortfall of every portfolio, and VaR backtests.",
        {"portfolio_values": Edge.SHARES, "portfolio_volatility": Edge.SHARES},
        (tables.portfolio_tail_risk, tables.portfolio_var_backtests),
        compute_tail_risk,
        "value_at_risk",
    ),
    ResultAsset(
        "risk_contributions",
        "portfolios",
        f"Contribution of each symbol to its portfolio's volatility. {DELTA_NOTE}",
        {"portfolio_values": Edge.SHARES, "har_coefficients": Edge.READS},
        (tables.portfolio_risk_contributions,),
        compute_contributions,
        "component",
    ),
    *STATISTIC_ASSETS,
    ResultAsset(
        "stress_tests",
        "portfolios",
        "Loss of every portfolio in each scenario of `stress_scenarios`.",
        {"portfolio_betas": Edge.SHARES, "portfolio_rate_betas": Edge.SHARES},
        (tables.portfolio_stress,),
        compute_stress,
        "loss",
    ),
    TRACK_RECORD_ASSET,
)
