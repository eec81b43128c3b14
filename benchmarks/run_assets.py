"""Computations of the assets of a run on simulated inputs, up to the written rows."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmarks.run_inputs import RunInputs
from riskmetrics.catalog import Statistic, all_statistics
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.results import (
    betas,
    contribution_results,
    correlation_results,
    decayed_betas,
    exposures,
    factor_results,
    forecasts,
    holding_risk,
    option_results,
    pro_forma,
    rate_sensitivity,
    snapshots,
    stress_results,
    tail_risk_results,
)
from riskmetrics.results.statistic_rows import statistic_rows
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.sources import simulate
from riskmetrics.sources.simulate import MARKET_INDEX

PRICING_PARAMETERS = option_results.PricingParameters(risk_free_rate=0.04, dividend_yield=0.0)

MOVES = (
    (0.1, None),
    (-0.1, None),
    (-0.2, None),
    (-0.4, None),
    (None, 0.1),
    (None, -0.1),
    (-0.2, -0.1),
)
REPLAYS = ((-250, -210), (-200, -160), (-150, -110), (-100, -60), (-50, -10))
"""Windows of historical scenarios, in sessions from the last; as many scenarios as are shipped."""

Frames: TypeAlias = tuple[pd.DataFrame, ...]
Asset: TypeAlias = Callable[[RunInputs], Frames]


def position_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    one, lots, days = inputs.market_betas, inputs.lots, inputs.days
    return (
        *betas.position_rows(one, lots, days, betas.MARKET_BETA_TABLE),
        betas.adjusted_beta_rows(one, lots, days),
        decayed_betas.symbol_rows(inputs.decayed_betas, lots, days),
    )


def interest_rate_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    (one, two), lots, days = inputs.rate_betas, inputs.lots, inputs.days
    return *betas.position_rows(
        one, lots, days, betas.RATE_BETA_TABLE
    ), rate_sensitivity.symbol_rows(two, lots, days)


def position_volatility(inputs: RunInputs) -> Frames:
    """Return the rows of the asset, with option values."""
    estimates, lots, days = inputs.symbol_volatility, inputs.lots, inputs.days
    option_rows = option_results.position_rows(
        option_results.option_lots(lots),
        days,
        inputs.bars["adj_close"],
        estimates,
        PRICING_PARAMETERS,
    )
    return *forecasts.position_rows(estimates, lots, days, option_rows), forecasts.symbol_forecasts(
        estimates, lots, days
    )


def portfolio_values(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return *snapshots.value_rows(inputs.portfolio_valuation), snapshots.value_coverage(
        inputs.portfolio_valuation
    )


def portfolio_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    valued, returns = inputs.portfolio_valuation, inputs.returns(decayed_betas.DECAYED_WINDOW)
    return (
        *snapshots.beta_rows(valued, inputs.market_betas, inputs.profiles),
        *decayed_betas.portfolio_rows(valued, inputs.decayed_betas, returns),
    )


def portfolio_rate_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return rate_sensitivity.portfolio_rows(inputs.portfolio_valuation, *inputs.rate_betas)


def portfolio_volatility(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    estimates = inputs.portfolio_volatility
    return *forecasts.portfolio_rows(
        inputs.portfolio_valuation, estimates
    ), forecasts.portfolio_forecasts(inputs.portfolio_valuation, estimates)


def sector_concentration(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    weights = simulate.benchmark(inputs.days[0]).pivot(
        index="date", columns="sector", values="weight"
    )
    sectors = exposures.sector_rows(
        inputs.portfolio_valuation, inputs.profiles, weights, DEFAULT_BENCHMARK
    )
    return sectors, *exposures.concentration_rows(inputs.portfolio_valuation, sectors)


def portfolio_tail_risk(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    expected = inputs.portfolio_volatility
    returns = inputs.returns(tail_risk_results.TAIL_RISK_WINDOW)
    return tail_risk_results.tail_risk_rows(
        inputs.portfolio_valuation,
        returns,
        expected.root_variance_amount,
        expected.figures.observations,
    )


def risk_contributions(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    valued, year = inputs.portfolio_valuation, inputs.returns(pro_forma.YEAR_WINDOW)
    net = contribution_results.net_by_underlying(valued)
    returns = inputs.returns(VAR_WINDOW)
    risk = holding_risk.estimate_holding_risk(valued, net, returns, MARKET_INDEX)
    rows, volatility = contribution_results.contribution_rows(valued, net, year)
    return (
        holding_risk.extend_contributions(valued, net, risk, rows),
        volatility,
        holding_risk.active_sector_rows(valued, net, risk, inputs.profiles),
    )


def correlations(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return correlation_results.correlation_rows(
        inputs.portfolio_valuation, inputs.returns(pro_forma.YEAR_WINDOW)
    )


def _compute_statistic(statistic: Statistic, inputs: RunInputs) -> Frames:
    """Return the rows of a statistic."""
    valued, returns = inputs.portfolio_valuation, inputs.returns(statistic.sessions)
    return (statistic_rows(statistic, valued, returns, MARKET_INDEX),)


def stress_tests(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    closes = inputs.bars["adj_close"]
    moves = pd.DataFrame(MOVES, columns=["market_move", "rate_move"], dtype=float)
    windows = pd.DataFrame(
        closes.index.to_numpy()[np.array(REPLAYS)], columns=["first_day", "last_day"]
    )
    scenarios = pd.concat([moves, windows], ignore_index=True).assign(
        name=lambda rows: rows.index.astype("str"), volatility_move=np.nan
    )
    replayed = closes.reindex(pd.to_datetime(stress_results.window_ends(scenarios)))
    return (
        stress_results.stress_rows(
            inputs.portfolio_valuation,
            scenarios,
            stress_results.StressBetas(inputs.decayed_betas, *inputs.rate_betas),
            stress_results.History(replayed, inputs.returns(DECAYED_WINDOW)),
        ),
    )


def portfolio_factor_exposures(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    returns = inputs.returns(pro_forma.YEAR_WINDOW)
    return factor_results.portfolio_rows(inputs.portfolio_valuation, inputs.symbol_factors, returns)


SYMBOL_ESTIMATES = (
    "clean_returns",
    "market_betas",
    "decayed_betas",
    "rate_betas",
    "symbol_volatility",
)
"""Inputs that the assets of positions share."""

SHARED_INPUTS = (
    "clean_returns",
    "portfolio_valuation",
    "market_betas",
    "decayed_betas",
    "rate_betas",
    "symbol_factors",
    "portfolio_volatility",
)
"""Inputs that the assets of portfolios share."""

POSITION_ASSETS: dict[str, Asset] = {
    asset.__name__: asset for asset in (position_betas, interest_rate_betas, position_volatility)
}

PORTFOLIO_ASSETS: dict[str, Asset] = {
    asset.__name__: asset
    for asset in (
        portfolio_values,
        portfolio_betas,
        portfolio_rate_betas,
        portfolio_volatility,
        sector_concentration,
        portfolio_tail_risk,
        risk_contributions,
        correlations,
        portfolio_factor_exposures,
        stress_tests,
    )
} | {statistic.table: partial(_compute_statistic, statistic) for statistic in all_statistics()}
