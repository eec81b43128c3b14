"""Recalculated tail risk and contributions."""

import math
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import Holdings, delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculated_active import active_and_incremental
from riskmetrics.explain.recalculated_covariance import decayed_covariance
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row, first_and_last_day
from riskmetrics.explain.revalued_options import revaluation_difference
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.explain.volatility_figures import portfolio_figures
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.filtered_simulation import (
    FILTER_DECAY,
    FILTER_WINDOW,
    MIN_FILTER_OBS,
    draw_changes,
)
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW
from riskmetrics.results.tail_risk_results import (
    MIN_BACKTEST_DAYS,
    MIN_OBS_BY_LEVEL,
    TAIL_RISK_WINDOW,
)


def _recalculate_tail_risk(sources: SourceRows, row: Row) -> Recalculation:
    method, horizon, level = row["method"], row["horizon_days"], float(row["level"])
    inputs = {"method": method, "level": level, "sessions": horizon}
    if method == "parametric":
        return _recalculate_parametric(sources, level, math.sqrt(horizon), inputs)
    changes = pro_forma_returns(sources, TAIL_RISK_WINDOW)["change"]
    returns = changes
    if method != "historical":
        returns = _rescaled_changes(sources)
    returns = returns.iloc[-VAR_WINDOW:]
    sample: FloatArray
    is_simulated = method == "revalued" or (method == "filtered" and horizon > 1)
    if is_simulated:
        n_known = int(returns.notna().sum())
        # which known sessions each simulated path consists of, horizon x paths
        drawn = draw_changes(n_known, horizon) if horizon > 1 else np.arange(n_known)[np.newaxis]
        sample = _sum_of_sessions(returns, drawn)
        if method == "revalued":
            sample += _revaluation(sources, changes, returns, drawn)
    else:
        sample = np.asarray(returns.dropna(), dtype=float)
    n_obs = int(returns.notna().sum())
    at_risk = shortfall = math.nan
    if n_obs >= MIN_OBS_BY_LEVEL[level] and np.isfinite(sample).all():
        at_risk = float(np.quantile(-sample, level))
        shortfall = float(-sample[-sample >= at_risk].mean())
    holdings, root = delta_holdings(sources), 1.0 if is_simulated else math.sqrt(horizon)
    values = _tail_risk_values(holdings, at_risk * root, shortfall * root)
    if not is_simulated:
        inputs["losses beyond"] = int((-sample > at_risk).sum())
    window = first_and_last_day(returns)
    inputs |= holdings.weight_inputs()
    return Recalculation(values | {"observations": n_obs}, inputs, window, n_obs)


def _recalculate_parametric(
    sources: SourceRows, level: float, root: float, inputs: dict[str, Any]
) -> Recalculation:
    """Return the tail of a normal distribution with the stored forecast of the variance."""
    from scipy import stats

    holdings, forecast = delta_holdings(sources), sources.stored_forecast(sources.portfolio) or {}
    risk, n_obs = forecast.get("root_variance_forecast"), forecast.get("observations", 0)
    in_money = (
        portfolio_figures(sources)["root_variance_amount"]
        if risk is None
        else risk * holdings.weight_denominator
    )
    daily = in_money / math.sqrt(SESSIONS_PER_YEAR)
    quantile = stats.norm.ppf(level)
    density = stats.norm.pdf(quantile) / (1 - level)
    values = _tail_risk_values(holdings, quantile * daily * root, density * daily * root)
    inputs["daily volatility in money"] = daily
    return Recalculation(values | {"observations": n_obs}, inputs, None, n_obs)


def _sum_of_sessions(returns: "pd.Series[float]", drawn: Any) -> FloatArray:
    """Return sums of the drawn changes, less their mean if there are several."""
    known = returns.dropna().to_numpy(float)
    if not len(known):
        return np.zeros(0)
    changes = known - known.mean() if len(drawn) > 1 else known
    total: FloatArray = changes[drawn].sum(axis=0)
    return total


def _revaluation(
    sources: SourceRows, changes: "pd.Series[float]", filtered: "pd.Series[float]", drawn: Any
) -> FloatArray:
    """Return what revaluing the options adds to each sum of drawn sessions."""
    ratio = filtered / changes.reindex(filtered.index)
    is_known = filtered.notna()

    def moves(symbol: str) -> FloatArray:
        own = (sources.returns([symbol], TAIL_RISK_WINDOW)[symbol].reindex(filtered.index) * ratio)[
            is_known
        ].fillna(0.0)
        steps = own - own.mean() if len(drawn) > 1 else own
        found: FloatArray = steps.to_numpy(float)[drawn]
        return found

    found = revaluation_difference(sources, moves)
    return np.full(drawn.shape[1], math.nan) if found is None else found


@compute_once
def _rescaled_changes(sources: SourceRows) -> "pd.Series[float]":
    return _rescale_to_latest_volatility(pro_forma_returns(sources, TAIL_RISK_WINDOW)["change"])


def _rescale_to_latest_volatility(returns: "pd.Series[float]") -> "pd.Series[float]":
    """Return each return times the latest volatility / the volatility before it."""

    def volatility(window: "np.ndarray[Any, Any]") -> float:
        is_known = np.isfinite(window)
        if is_known.sum() < MIN_FILTER_OBS:
            return math.nan
        weights = FILTER_DECAY ** np.arange(len(window) - 1, -1, -1)[is_known]
        return math.sqrt(float(np.average(window[is_known] ** 2, weights=weights)))

    estimates, values = pd.Series(math.nan, returns.index), returns.to_numpy(float)
    for last in range(FILTER_WINDOW, len(values) + 1):
        estimates.iloc[last - 1] = volatility(values[last - FILTER_WINDOW : last])
    before = estimates.shift(1)
    return returns / before.where(before > 0) * estimates.iloc[-1]


def _tail_risk_values(holdings: Holdings, at_risk: float, shortfall: float) -> dict[str, Any]:
    """Return value at risk and expected shortfall as fractions of equity and as amounts."""
    values = {
        "value_at_risk": at_risk / holdings.weight_denominator,
        "expected_shortfall": shortfall / holdings.weight_denominator,
    }
    return values | {"value_at_risk_amount": at_risk, "expected_shortfall_amount": shortfall}


def _recalculate_backtest(sources: SourceRows, row: Row) -> Recalculation:
    from scipy import stats

    level, returns = float(row["level"]), pro_forma_returns(sources, TAIL_RISK_WINDOW)["change"]
    losses, tested = -returns.to_numpy(float), []
    for at in range(VAR_WINDOW, TAIL_RISK_WINDOW):
        before = losses[at - VAR_WINDOW : at]
        before = before[np.isfinite(before)]
        if np.isfinite(losses[at]) and len(before) >= MIN_OBS_BY_LEVEL[level]:
            tested.append(losses[at] > np.quantile(before, level))
    n, exceptions = len(tested), int(sum(tested))
    expected = n * (1 - level)
    values = {
        "expected_exceptions": expected,
        "exceptions": exceptions,
        "n_tested": n,
        "likelihood_ratio": math.nan,
        "p_value": math.nan,
    }
    if n >= MIN_BACKTEST_DAYS:
        test = stats.power_divergence(
            [exceptions, n - exceptions], [expected, n - expected], lambda_="log-likelihood"
        )
        values |= {"likelihood_ratio": float(test.statistic), "p_value": float(test.pvalue)}
    return Recalculation(
        values,
        {"level": level} | delta_holdings(sources).weight_inputs(),
        first_and_last_day(returns),
        n,
    )


def _recalculate_contribution(sources: SourceRows, row: Row) -> Recalculation:
    holdings, symbol = delta_holdings(sources), row["symbol"]
    own = pro_forma_returns(sources, YEAR_WINDOW)
    counted, weight = own["return"].notna(), float(holdings.symbol_weights.get(symbol, 0.0))
    returns = sources.returns(
        {*holdings.exposed_instruments["underlying"], sources.market, symbol}, YEAR_WINDOW
    )[symbol]
    whole, part = own["return"][counted], (returns / own["coverage"])[counted]
    marginal = volatility = math.nan
    if len(whole) >= MIN_YEAR_OBS:
        volatility = float(whole.std())
        if volatility > 0 and part.notna().any():
            marginal = float(np.cov(part.fillna(0.0), whole)[0, 1]) / volatility
    year = math.sqrt(SESSIONS_PER_YEAR)
    decayed = decayed_covariance(sources)
    added = decayed.marginal_contribution(symbol)
    values = active_and_incremental(sources, symbol, weight) | {
        "weight": weight,
        "component": weight * marginal * year,
        "marginal": marginal * year,
        "share": weight * marginal / volatility if volatility > 0 else math.nan,
        "decayed_component": weight * added,
        "decayed_marginal": added,
        "decayed_share": weight * added / decayed.volatility
        if decayed.volatility > 0
        else math.nan,
        "observations": len(part.dropna()),
    }
    inputs = {
        "symbol": symbol,
        "volatility of the portfolio": volatility * year,
        "volatility, exponentially weighted": decayed.volatility,
    } | holdings.weight_inputs()
    return Recalculation(values, inputs, first_and_last_day(own), int(counted.sum()))


def _recalculate_ex_ante(sources: SourceRows, row: Row) -> Recalculation:
    holdings, own = delta_holdings(sources), pro_forma_returns(sources, YEAR_WINDOW)
    n_obs = int(own["return"].count())
    if row["method"] == "decayed":
        found = decayed_covariance(sources)
        figures = (found.volatility, found.shrinkage, found.effective_observations)
    elif n_obs >= MIN_YEAR_OBS:
        figures = (float(own["return"].std()) * math.sqrt(SESSIONS_PER_YEAR), 0.0, float(n_obs))
    else:
        figures = (math.nan,) * 3
    names = ("volatility", "shrinkage", "effective_observations")
    values = dict(zip(names, figures, strict=True)) | {"observations": n_obs}
    return Recalculation(
        values, holdings.weight_inputs(), first_and_last_day(own), int(values["observations"])
    )


METRIC_GROUPS = [
    MetricGroup(
        tables.portfolio_tail_risk,
        "numpy.quantile and scipy.stats.norm over the source returns and the stored forecast",
        _recalculate_tail_risk,
    ),
    MetricGroup(
        tables.portfolio_var_backtests,
        "numpy.quantile per day, and scipy.stats.power_divergence (G test)",
        _recalculate_backtest,
    ),
    MetricGroup(
        tables.portfolio_risk_contributions,
        "numpy.cov over the source returns",
        _recalculate_contribution,
    ),
    MetricGroup(
        tables.portfolio_ex_ante_volatility,
        "numpy.cov of the holdings, and the matrices of Ledoit and Wolf (2004)",
        _recalculate_ex_ante,
    ),
]
