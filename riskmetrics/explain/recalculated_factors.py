"""Recalculated factor exposures and risk by factor: one statsmodels fit at a time."""

import math
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import Holdings, delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculated_betas import weight_betas
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.factor_sets import MARKET, SPECIFIC
from riskmetrics.metrics.factor_model import MAX_VIF
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.factor_results import FACTOR_HALF_LIFE
from riskmetrics.results.factor_stress import scenario_moves
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW

_ROUNDING_TOLERANCE = 1e-12
_METHOD = "statsmodels WLS with HC1 errors"


def _weights(rows: "pd.Series[bool]") -> "np.ndarray[Any, Any]":
    age = np.arange(len(rows))[::-1]
    return (0.5 ** (age / FACTOR_HALF_LIFE))[rows.to_numpy(bool)]


def _r_squared(y: "pd.Series[float]", x: pd.DataFrame, weights: "np.ndarray[Any, Any]") -> float:
    """Return R² of a weighted regression, also on collinear regressors."""
    root = np.sqrt(weights)
    design = np.column_stack([np.ones(len(y)), x.to_numpy(float)]) * root[:, np.newaxis]
    fitted = design @ np.linalg.lstsq(design, y.to_numpy(float) * root)[0]
    centered = (y.to_numpy(float) - np.average(y, weights=weights)) * root
    return 1.0 - float(((y.to_numpy(float) * root - fitted) ** 2).sum() / (centered**2).sum())


@compute_once
def _select_factors(sources: SourceRows) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the kept factors, sessions x factors, and the variance inflation factors of all."""
    returns = sources.factor_returns(YEAR_WINDOW)
    inflation = dict.fromkeys(returns.columns, math.nan)
    is_enough = (returns.count() >= MIN_YEAR_OBS) & (returns.max() > returns.min())
    if not is_enough.get(MARKET, default=False):
        return returns.iloc[:, :0], inflation
    others = returns.loc[:, is_enough].drop(columns=MARKET).count()
    names = [MARKET]
    for name in others.sort_values(ascending=False, kind="stable").index:
        if len(returns[[*names, name]].dropna()) >= MIN_YEAR_OBS:
            names.append(name)
    kept = returns[[name for name in returns if name in names]]
    while True:
        rows = kept.notna().all(axis=1)
        known, weights = kept[rows], _weights(rows)
        for name in kept.columns:
            r_squared = _r_squared(known[name], known.drop(columns=name), weights)
            is_exact = 1.0 - r_squared < math.sqrt(np.finfo(float).eps)
            inflation[name] = math.inf if is_exact else 1.0 / (1.0 - r_squared)
        largest = max(kept.columns, key=lambda name: (inflation[name], name))
        if max(inflation[name] for name in kept.columns) <= MAX_VIF or len(kept.columns) == 1:
            return kept, inflation
        if largest == MARKET:
            largest = max(kept.columns.drop(MARKET), key=lambda name: (inflation[name], name))
        kept = kept.drop(columns=largest)


def _fit(sources: SourceRows, series: "pd.Series[float]") -> dict[str, Any]:
    """Regress a series on the kept factors.

    Returns exposure and std_error by factor, component with the specific one, r_squared, volatility
    and observations; undefined values are NaN.
    """
    from statsmodels.regression.linear_model import WLS  # slow to import
    from statsmodels.tools import add_constant

    factors, _ = _select_factors(sources)
    rows = series.notna() & factors.notna().all(axis=1)
    n_obs = int(rows.sum()) if len(factors.columns) else 0
    nan = dict.fromkeys([*factors.columns, SPECIFIC], math.nan)
    if n_obs < MIN_YEAR_OBS:
        undefined = {"exposure": nan, "std_error": nan, "component": nan, "r_squared": math.nan}
        return undefined | {"volatility": math.nan, "observations": n_obs}
    y, x, weights = series[rows].to_numpy(float), factors[rows].to_numpy(float), _weights(rows)
    covariance = np.atleast_2d(np.cov(x.T, y, aweights=weights))
    if np.ptp(y) <= _ROUNDING_TOLERANCE * np.abs(y).max():
        zero = dict.fromkeys(nan, 0.0)
        constant = {"exposure": zero, "std_error": zero, "component": zero, "r_squared": math.nan}
        return constant | {"volatility": 0.0, "observations": n_obs}
    found = WLS(y, add_constant(x), weights).fit(cov_type="HC1")
    exposure, errors, r_squared = found.params[1:], found.bse[1:], float(found.rsquared)
    if 1.0 - r_squared < _ROUNDING_TOLERANCE:  # a factor's own fund
        exposure = np.where(np.abs(exposure) < _ROUNDING_TOLERANCE, 0.0, exposure)
        errors, r_squared = 0.0 * errors, 1.0
    volatility = math.sqrt(SESSIONS_PER_YEAR * covariance[-1, -1])
    component = exposure * covariance[:-1, -1] * SESSIONS_PER_YEAR / volatility
    names = list(factors.columns)
    return {
        "exposure": dict(zip(names, exposure, strict=True)),
        "std_error": dict(zip(names, errors, strict=True)),
        "component": dict(zip(names, component, strict=True))
        | {SPECIFIC: volatility * (1.0 - r_squared)},
        "r_squared": r_squared,
        "volatility": volatility,
        "observations": n_obs,
    }


def _ratio(exposure: float, error: float) -> float:
    return exposure / error if error > 0 else math.nan


@compute_once
def symbol_fit(sources: SourceRows, symbol: str) -> dict[str, Any]:
    """Regress a symbol on the kept factors; see `_fit`."""
    return _fit(sources, sources.returns([symbol], YEAR_WINDOW)[symbol])


def _portfolio_exposure(sources: SourceRows, holdings: Holdings, factor: str) -> dict[str, float]:
    """Return the exposure of a portfolio to a factor, bottom-up, and its coverage."""
    figures = {
        symbol: {"beta": symbol_fit(sources, symbol)["exposure"].get(factor, math.nan)}
        for symbol in set(holdings.exposed_instruments["underlying"])
    }
    return weight_betas(holdings, figures)


def symbol_move(sources: SourceRows, scenario: "pd.Series[Any]", symbol: str) -> float:
    """Return the return of a symbol in a scenario that moves factors."""
    moves = scenario_moves({str(name): value for name, value in scenario.items()})
    exposure = symbol_fit(sources, symbol)["exposure"]
    return float(sum(exposure.get(name, math.nan) * move for name, move in moves.items()))


def _recalculate_symbol(sources: SourceRows, row: Row) -> Recalculation:
    found, factor = symbol_fit(sources, row["symbol"]), row["factor"]
    exposure, error = (found[name].get(factor, math.nan) for name in ("exposure", "std_error"))
    values = {
        "exposure": exposure,
        "std_error": error,
        "t_statistic": _ratio(exposure, error),
        "r_squared": found["r_squared"],
        "observations": found["observations"],
    }
    return Recalculation(values, {"symbol": row["symbol"], "factor": factor})


@compute_once
def _own_fit(sources: SourceRows) -> dict[str, Any]:
    return _fit(sources, pro_forma_returns(sources, YEAR_WINDOW)["return"])


def _recalculate_exposure(sources: SourceRows, row: Row) -> Recalculation:
    holdings, factor = delta_holdings(sources), row["factor"]
    kept, inflation = _select_factors(sources)
    found, own = _portfolio_exposure(sources, holdings, factor), _own_fit(sources)
    error = own["std_error"].get(factor, math.nan)
    error = math.nan if math.isnan(found["beta"]) else error
    values = {
        "exposure": found["beta"],
        "std_error": error,
        "t_statistic": _ratio(found["beta"], error),
        "coverage": found["coverage"] if factor in kept else math.nan,
        "vif": inflation[factor] if math.isfinite(inflation[factor]) else math.nan,
    }
    inputs = {"factor": factor, "kept factors": ", ".join(kept.columns)}
    return Recalculation(values, inputs | holdings.weight_inputs(), None, own["observations"])


def _recalculate_risk(sources: SourceRows, row: Row) -> Recalculation:
    own, factor = _own_fit(sources), row["factor"]
    component = own["component"].get(factor, math.nan)
    values = {
        "component": component,
        "share": component / own["volatility"] if own["volatility"] else math.nan,
        "observations": own["observations"],
    }
    inputs = {"factor": factor, "volatility": own["volatility"]}
    return Recalculation(values, inputs | delta_holdings(sources).weight_inputs())


METRIC_GROUPS = [
    MetricGroup(tables.symbol_factor_exposures, _METHOD, _recalculate_symbol),
    MetricGroup(
        tables.portfolio_factor_exposures,
        f"{_METHOD}, one fit per symbol, and pandas",
        _recalculate_exposure,
    ),
    MetricGroup(
        tables.portfolio_factor_risk, f"{_METHOD} and numpy.cov with weights", _recalculate_risk
    ),
]
