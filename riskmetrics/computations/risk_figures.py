"""Risk figures of portfolios, each in a table of its own."""

import pandas as pd

from riskmetrics.computations.forecast_scores import TRACK_RECORD_ASSET
from riskmetrics.computations.result_asset import DELTA_EDGES, DELTA_NOTE, Edge, ResultAsset
from riskmetrics.computations.statistic_assets import STATISTIC_ASSETS
from riskmetrics.db import tables
from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.results import (
    contribution_results,
    correlation_results,
    factor_results,
    factor_stress,
    holding_risk,
    liquidity_results,
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


def compute_tail_risk(inputs: RunInputs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute value at risk and expected shortfall, and backtests of value at risk."""
    forecasts = inputs.portfolio_volatility
    return tail_risk_results.tail_risk_rows(
        inputs.option_adjusted_valuation,
        inputs.clean_returns(tail_risk_results.TAIL_RISK_WINDOW),
        forecasts.root_variance_amount,
        forecasts.figures.observations,
        inputs.option_book,
    )


def compute_contributions(inputs: RunInputs) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Compute volatility by two covariances, contributions to it, and risk by holding."""
    valuation = inputs.option_adjusted_valuation
    net = contribution_results.net_by_underlying(valuation)
    risk = holding_risk.estimate_holding_risk(
        valuation, net, inputs.clean_returns(VAR_WINDOW), inputs.snapshot.market_index
    )
    rows, volatility = contribution_results.contribution_rows(
        valuation, net, inputs.clean_returns(pro_forma.YEAR_WINDOW)
    )
    rows = holding_risk.extend_contributions(valuation, net, risk, rows)
    return rows, volatility, holding_risk.active_sector_rows(valuation, net, risk, inputs.profiles)


def compute_liquidity(inputs: RunInputs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the days to liquidate portfolios and holdings."""
    return liquidity_results.liquidity_rows(
        inputs.valuation, inputs.liquidity_market, inputs.snapshot.terms.liquidation_share
    )


def compute_correlations(inputs: RunInputs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute correlations of the largest holdings, and the diversification of portfolios."""
    return correlation_results.correlation_rows(
        inputs.option_adjusted_valuation,
        inputs.clean_returns(pro_forma.YEAR_WINDOW),
        inputs.snapshot.terms.correlated_holdings,
    )


def compute_factor_exposures(inputs: RunInputs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute factor exposures of portfolios, and the split of their volatility by factor."""
    return factor_results.portfolio_rows(
        inputs.option_adjusted_valuation,
        inputs.symbol_factors,
        inputs.clean_returns(pro_forma.YEAR_WINDOW),
    )


def compute_stress(inputs: RunInputs) -> tuple[pd.DataFrame]:
    """Compute the loss of every portfolio in each stress scenario."""
    valuation, scenarios = inputs.option_adjusted_valuation, inputs.snapshot.stress_scenarios
    moves_factors = scenarios["factor_moves"].notna()
    rows = stress_results.stress_rows(
        valuation,
        scenarios[~moves_factors],
        inputs.stress_betas,
        inputs.stress_history,
        inputs.option_book,
    )
    if moves_factors.any():
        found = factor_stress.factor_stress_rows(
            valuation, scenarios, inputs.symbol_factors, inputs.option_book
        )
        rows = pd.concat([rows, found], ignore_index=True)
    return (rows,)


RISK_ASSETS = (
    ResultAsset(
        "portfolio_rate_betas",
        f"Portfolio rate betas: one-factor, and two-factor with the market. {DELTA_NOTE}",
        {"interest_rate_betas": Edge.SHARES, **DELTA_EDGES},
        (tables.portfolio_rate_betas,),
        compute_rate_betas,
        "rate_beta",
    ),
    ResultAsset(
        "portfolio_tail_risk",
        "Value at risk and expected shortfall of every portfolio, and VaR backtests.",
        {"portfolio_values": Edge.SHARES, "portfolio_volatility": Edge.SHARES},
        (tables.portfolio_tail_risk, tables.portfolio_var_backtests),
        compute_tail_risk,
        "value_at_risk",
    ),
    ResultAsset(
        "risk_contributions",
        "Ex-ante volatility of every portfolio by two covariances, contributions of symbols to it"
        " and to tracking error, incremental value at risk, and active contributions of sectors."
        f" {DELTA_NOTE}",
        {"company_profiles": Edge.READS, **DELTA_EDGES},
        (
            tables.portfolio_risk_contributions,
            tables.portfolio_ex_ante_volatility,
            tables.portfolio_active_sectors,
        ),
        compute_contributions,
        "component",
    ),
    ResultAsset(
        "correlations",
        "Correlations of the largest holdings of every portfolio, and its diversification."
        f" {DELTA_NOTE}",
        DELTA_EDGES,
        (tables.portfolio_diversification, tables.portfolio_correlations),
        compute_correlations,
        "diversification_ratio",
    ),
    ResultAsset(
        "portfolio_factor_exposures",
        "Exposures of every portfolio to the market and other factors, and its risk by factor."
        f" {DELTA_NOTE}",
        {"symbol_factor_exposures": Edge.SHARES, **DELTA_EDGES},
        (tables.portfolio_factor_exposures, tables.portfolio_factor_risk),
        compute_factor_exposures,
        "exposure",
    ),
    *STATISTIC_ASSETS,
    ResultAsset(
        "liquidity",
        "Days to liquidate every portfolio and its holdings at a share of the median volume.",
        {"portfolio_values": Edge.SHARES, "market_prices": Edge.READS},
        (tables.portfolio_liquidity, tables.holding_liquidity),
        compute_liquidity,
        "days_to_liquidate",
    ),
    ResultAsset(
        "stress_tests",
        "Loss of every portfolio in each scenario of `stress_scenarios`.",
        dict.fromkeys(
            ("portfolio_betas", "portfolio_rate_betas", "portfolio_factor_exposures"), Edge.SHARES
        ),
        (tables.portfolio_stress,),
        compute_stress,
        "loss",
    ),
    TRACK_RECORD_ASSET,
)
