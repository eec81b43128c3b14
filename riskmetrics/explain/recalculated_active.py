"""Recalculated figures against the market, performance, and incremental value at risk."""

import math
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculated_betas import fit_ols
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row, first_and_last_day
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics import tail_risk as method
from riskmetrics.metrics.active_risk import HALF_LIFE, ROUNDING
from riskmetrics.metrics.minimums import MIN_VOLATILITY
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.betas import BETA_WINDOW
from riskmetrics.results.exposures import symbol_sectors
from riskmetrics.results.holding_risk import CASH
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW
from riskmetrics.results.tail_risk_results import MIN_OBS_BY_LEVEL


def active_and_incremental(sources: SourceRows, symbol: str, weight: float) -> dict[str, float]:
    """Return the active contribution of a symbol, and its incremental value at risk."""
    own = pro_forma_returns(sources, method.VAR_WINDOW)
    returns = sources.returns({sources.market, symbol}, method.VAR_WINDOW)[symbol]
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
    returns = sources.returns({sources.market, symbol}, method.VAR_WINDOW)[symbol]
    year = pro_forma_returns(sources, method.VAR_WINDOW).iloc[-YEAR_WINDOW:]
    market = sources.index_returns(sources.market, YEAR_WINDOW)
    excess = (returns.iloc[-YEAR_WINDOW:] - market) * weight / year["coverage"]
    active = _active_returns(year["return"], market).dropna()
    component = math.nan
    if len(active) >= MIN_YEAR_OBS and excess.reindex(active.index).notna().any():
        weights = 0.5 ** ((len(year) - 1 - year.index.get_indexer(active.index)) / HALF_LIFE)
        covariance = np.cov(excess.reindex(active.index).fillna(0.0), active, aweights=weights)
        component = float(covariance[0, 1] / math.sqrt(covariance[1, 1]))
    return component * math.sqrt(SESSIONS_PER_YEAR)


def _active_returns(own: "pd.Series[float]", market: "pd.Series[float]") -> "pd.Series[float]":
    """Return the differences; those that are rounding errors of equal returns are 0."""
    active = own - market
    return active.mask(active.abs() <= ROUNDING * market.abs(), 0.0)


@compute_once
def _active_by_symbol(sources: SourceRows) -> pd.DataFrame:
    """Return weight, active contribution and sector by underlying symbol."""
    holdings = delta_holdings(sources)
    held = holdings.instruments[holdings.instruments["has_return_series"]]
    exposures = held.groupby("underlying")["exposure"].agg(lambda known: known.sum(skipna=False))
    weights = exposures / holdings.risk_denominator
    parts = [_active_component(sources, str(name), weight) for name, weight in weights.items()]
    sectors = symbol_sectors(list(weights.index), sources.profiles(weights.index))
    return pd.DataFrame({"weight": weights, "active": parts, "sector": sectors})


def _recompute_active_sector(sources: SourceRows, row: Row) -> Recalculation:
    symbols, sector = _active_by_symbol(sources), row["sector"]
    expected = _recompute_expected_active_risk(sources, row).values
    risk = expected["expected_tracking_error"] or math.nan
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


def _recompute_market_regression(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, BETA_WINDOW)["return"]
    market = sources.index_returns(sources.market, BETA_WINDOW)
    fit = fit_ols(own, market)
    (beta,), (std_error,), n_obs = fit["beta"], fit["std_error"], fit["observations"]
    residuals = (own - fit["alpha"] - beta * market).dropna()
    variance = SESSIONS_PER_YEAR * float((residuals**2).sum()) / (n_obs - 2) if n_obs > 2 else 0.0
    values = {
        "beta": beta,
        "std_error": std_error,
        "r_squared": fit["r_squared"],
        "specific_volatility": math.sqrt(variance) if math.isfinite(beta) else math.nan,
        "observations": n_obs,
    }
    return _compared_with_market(sources, values, own, n_obs)


def _recompute_active_risk(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    active = _active_returns(own, sources.index_returns(sources.market, YEAR_WINDOW)).dropna()
    risk, mean = (
        (
            float(active.std()) * math.sqrt(SESSIONS_PER_YEAR),
            float(active.mean()) * SESSIONS_PER_YEAR,
        )
        if len(active) >= MIN_YEAR_OBS
        else (math.nan, math.nan)
    )
    values = {
        "tracking_error": risk,
        "active_return": mean,
        "information_ratio": mean / risk if risk else math.nan,
        "observations": len(active),
    }
    return _compared_with_market(sources, values, own, len(active))


def _recompute_expected_active_risk(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    market = sources.index_returns(sources.market, YEAR_WINDOW)
    frame = pd.DataFrame({"active": _active_returns(own, market), "market": market})
    frame.loc[frame["active"].isna(), "market"] = math.nan
    n_obs = int(frame["active"].notna().sum())
    names = ("expected_tracking_error", "active_beta", "market_share")
    values: dict[str, Any] = dict.fromkeys(names, math.nan) | {"observations": n_obs}
    if n_obs >= MIN_YEAR_OBS:
        moments = frame.ewm(halflife=HALF_LIFE).cov().loc[frame.index[-1]]
        variance, index = moments.loc["active", "active"], moments.loc["market", "market"]
        beta = moments.loc["active", "market"] / index
        risk = math.sqrt(SESSIONS_PER_YEAR * max(variance, 0.0))
        estimates = (risk, beta, beta**2 * index / variance if variance > 0 else math.nan)
        values |= dict(zip(names, estimates, strict=True))
    return _compared_with_market(sources, values, own, n_obs)


def _recompute_performance(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    index = sources.index_returns(sources.market, YEAR_WINDOW)
    paired = pd.concat([own, index], axis=1, keys=["own", "index"]).dropna()
    names = ("annual_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio")
    values: dict[str, Any] = dict.fromkeys((*names, "up_capture", "down_capture"), math.nan)
    if len(paired) >= MIN_YEAR_OBS:
        r = paired["own"]
        wealth = np.exp(np.log1p(r).cumsum())
        annual = float(wealth.iloc[-1] ** (SESSIONS_PER_YEAR / len(r)) - 1)
        worst = float((1 - wealth / wealth.cummax().clip(lower=1)).max())
        spreads = float(r.std()), float(np.sqrt((r.clip(upper=0) ** 2).mean()))
        ratios = [
            float(r.mean()) * math.sqrt(SESSIONS_PER_YEAR) / s if s else math.nan for s in spreads
        ]
        if spreads[0] * math.sqrt(SESSIONS_PER_YEAR) < MIN_VOLATILITY:
            ratios[0] = math.nan
        captures = []
        for rows in (paired[paired["index"] > 0], paired[paired["index"] < 0]):
            means = np.expm1(np.log1p(rows).mean())
            captures.append(float(means["own"] / means["index"]) if len(rows) else math.nan)
        found = (annual, *ratios, annual / worst if worst else math.nan, *captures)
        values = dict(zip(values, found, strict=True))
    values["observations"] = len(paired)
    return _compared_with_market(sources, values, own, len(paired))


def _compared_with_market(
    sources: SourceRows, values: dict[str, Any], own: "pd.Series[float]", n_obs: int
) -> Recalculation:
    holdings = delta_holdings(sources)
    inputs = {"market index": sources.market, **holdings.weight_inputs()}
    return Recalculation(values, inputs, first_and_last_day(own), n_obs)


METRIC_GROUPS = [
    MetricGroup(
        tables.portfolio_active_sectors,
        "contributions by numpy's weighted covariance, summed by sector; cash: the rest of"
        " pandas' tracking error",
        _recompute_active_sector,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_market_regressions"],
        "statsmodels OLS of the portfolio's returns on the index",
        _recompute_market_regression,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_active_risk"],
        "pandas mean and standard deviation of the differences",
        _recompute_active_risk,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_performance"],
        "pandas: sums of logarithms, and sample moments",
        _recompute_performance,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_expected_active_risk"],
        "pandas exponentially weighted covariance",
        _recompute_expected_active_risk,
    ),
]
