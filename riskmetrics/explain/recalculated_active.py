"""Recalculated active contributions, and incremental value at risk."""

import math

import numpy as np
import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculated_statistics import active_returns, expected_active_risk
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.active_risk import HALF_LIFE
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.exposures import symbol_sectors
from riskmetrics.results.holding_risk import CASH
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW
from riskmetrics.results.tail_risk_results import MIN_OBS_BY_LEVEL


def active_and_incremental(sources: SourceRows, symbol: str, weight: float) -> dict[str, float]:
    """Return the active contribution of a symbol, and its incremental value at risk."""
    own = pro_forma_returns(sources, VAR_WINDOW)
    returns = sources.returns({sources.market, symbol}, VAR_WINDOW)[symbol]
    parts = pd.DataFrame({"part": returns * weight / own["coverage"], "whole": own["return"]})
    before = parts["whole"].dropna()
    without = (parts["whole"] - parts["part"].fillna(0.0)).dropna()
    level = float(np.quantile(-before, 0.95) - np.quantile(-without, 0.95)) if len(before) else 0.0
    return {
        "active_component": _active_component(sources, symbol, weight),
        "incremental_var_95": level
        if len(before) >= MIN_OBS_BY_LEVEL[0.95] and math.isfinite(weight)
        else math.nan,
    }


def _active_component(sources: SourceRows, symbol: str, weight: float) -> float:
    """Return the active contribution of a symbol."""
    returns = sources.returns({sources.market, symbol}, VAR_WINDOW)[symbol]
    year = pro_forma_returns(sources, VAR_WINDOW).iloc[-YEAR_WINDOW:]
    market = sources.index_returns(sources.market, YEAR_WINDOW)
    excess = (returns.iloc[-YEAR_WINDOW:] - market) * weight / year["coverage"]
    active = active_returns(year["return"], market).dropna()
    component = math.nan
    if len(active) >= MIN_YEAR_OBS and excess.reindex(active.index).notna().any():
        weights = 0.5 ** ((len(year) - 1 - year.index.get_indexer(active.index)) / HALF_LIFE)
        covariance = np.cov(excess.reindex(active.index).fillna(0.0), active, aweights=weights)
        component = float(covariance[0, 1] / math.sqrt(covariance[1, 1]))
    return component * math.sqrt(SESSIONS_PER_YEAR)


@compute_once
def _active_by_symbol(sources: SourceRows) -> pd.DataFrame:
    """Return weight, active contribution and sector by underlying symbol."""
    weights = delta_holdings(sources).symbol_weights
    parts = [_active_component(sources, str(name), weight) for name, weight in weights.items()]
    sectors = symbol_sectors(list(weights.index), sources.profiles(weights.index))
    return pd.DataFrame({"weight": weights, "active": parts, "sector": sectors})


def _expected_tracking_error(sources: SourceRows) -> float:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    market = sources.index_returns(sources.market, YEAR_WINDOW)
    if (own.notna() & market.notna()).sum() < MIN_YEAR_OBS:
        return math.nan
    return float(expected_active_risk(own, market)["expected_tracking_error"])


def _recalculate_active_sector(sources: SourceRows, row: Row) -> Recalculation:
    symbols, sector = _active_by_symbol(sources), row["sector"]
    risk = _expected_tracking_error(sources) or math.nan
    if sector == CASH:
        weight, component = 1.0 - symbols["weight"].sum(), risk - symbols["active"].sum()
        weight = weight if math.isfinite(delta_holdings(sources).risk_denominator) else math.nan
    else:
        own = symbols[symbols["sector"] == sector]
        weight, component = own["weight"].sum(skipna=False), own["active"].sum() + 0.0 * risk
    values = {
        "exposure_weight": weight,
        "sector_component": component,
        "sector_share": component / risk,
    }
    inputs = {"expected tracking error": risk, "symbols": ", ".join(symbols.index)}
    return Recalculation(values, inputs | delta_holdings(sources).weight_inputs())


METRIC_GROUPS = [
    MetricGroup(
        tables.portfolio_active_sectors,
        "contributions by numpy's weighted covariance, summed by sector; cash: the rest of"
        " pandas' tracking error",
        _recalculate_active_sector,
    ),
]
