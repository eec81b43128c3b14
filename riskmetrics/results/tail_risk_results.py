"""Tail risk of portfolios and its backtests: rows of two tables."""

from itertools import product

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import tail_risk as metrics
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.filtered_simulation import filtered_historical_risk
from riskmetrics.results.pro_forma import insufficient_observations, pro_forma_windows
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation

MIN_OBS_BY_LEVEL = {0.95: metrics.MIN_OBS_95, 0.99: metrics.MIN_OBS_99}
"""Minimum number of returns by confidence level."""

MIN_BACKTEST_DAYS = 126
"""Minimum number of tested sessions for a Kupiec test.

6 exceptions are expected in them at 95 %, 1 at 99 %.
"""

_NO_FORECAST = "the portfolio has no volatility forecast: see `riskmetrics show volatility`"

VAR_HORIZONS = (1, 10)
"""Horizons in sessions; ten is the market-risk horizon of the Basel rules, √-scaled."""

TAIL_RISK_WINDOW = metrics.VAR_WINDOW + metrics.BACKTEST_WINDOW
"""Returns needed for a day: those behind the value at risk of the first tested session.

As many are behind the first volatility that filters a simulated return.
"""

_SIMULATIONS = {
    "historical": metrics.historical_risk,
    "filtered": filtered_historical_risk,
}
"""Functions of the methods that simulate past returns."""


def tail_risk_rows(
    valuation: Valuation, returns: panels.Returns, root_variance: FloatArray, n_obs: IntArray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_tail_risk` and of `portfolio_var_backtests`.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    returns : Returns
        Returns of the TAIL_RISK_WINDOW sessions that end on each of them.
    root_variance, n_obs : (P, D) arrays
        Square root of the forecast variance of each portfolio's change of value, annualized, in
        currency, and the number of returns behind it.
    """
    shape = valuation.net.shape
    losses = {key: np.full((2, *shape), np.nan) for key in product(_SIMULATIONS, MIN_OBS_BY_LEVEL)}
    n_returns = {key: np.zeros(shape, np.int64) for key in losses}
    tests = {level: np.zeros((2, *shape), np.int64) for level in MIN_OBS_BY_LEVEL}
    for window in pro_forma_windows(valuation, returns, TAIL_RISK_WINDOW, in_currency=True):
        day, changes = window.day, window.series
        ranks = metrics.loss_ranks(changes)
        for level, min_obs in MIN_OBS_BY_LEVEL.items():
            for method, simulate in _SIMULATIONS.items():
                measured = simulate(changes, level=level, min_obs=min_obs)
                losses[method, level][:, :, day] = measured[:2]
                n_returns[method, level][:, day] = measured.n_obs
            tests[level][:, :, day] = metrics.var_exceptions(
                changes, ranks, level=level, min_obs=min_obs
            )
    tail, backtests = [], []
    for level, min_obs in MIN_OBS_BY_LEVEL.items():
        for method in _SIMULATIONS:
            count = n_returns[method, level]
            insufficient = insufficient_observations(count, metrics.VAR_WINDOW, min_obs)
            tail += _tail_rows(valuation, method, level, losses[method, level], count, insufficient)
        expected = np.stack(metrics.parametric_risk(root_variance, level=level))
        tail += _tail_rows(
            valuation,
            "parametric",
            level,
            expected,
            n_obs,
            Reason(_NO_FORECAST, np.isnan(root_variance)),
        )
        backtests.append(_backtest_rows(valuation, level, *tests[level]))
    return pd.concat(tail, ignore_index=True), pd.concat(backtests, ignore_index=True)


def _tail_rows(
    valuation: Valuation,
    method: str,
    level: float,
    losses: FloatArray,
    n_obs: IntArray,
    insufficient: Reason,
) -> list[pd.DataFrame]:
    """Return one frame per horizon.

    ``losses`` are one-day value at risk and expected shortfall, (2, P, D), in currency.
    """
    frames = []
    *gates, too_little_equity = valuation.common_reasons
    for horizon in VAR_HORIZONS:
        value_at_risk, shortfall = metrics.sqrt_time_scaled(losses, days=horizon)
        columns = {
            "value_at_risk": value_at_risk / valuation.weight_denominator,
            "expected_shortfall": shortfall / valuation.weight_denominator,
            "value_at_risk_amount": value_at_risk,
            "expected_shortfall_amount": shortfall,
            "observations": n_obs,
        }
        frame = valuation.to_frame(columns, "day")
        reason = valuation.undefined_reasons(
            columns["value_at_risk"], *gates, insufficient, too_little_equity
        )
        frames.append(
            frame.assign(method=method, level=level, horizon_days=horizon, undefined_reason=reason)
        )
    return frames


def _backtest_rows(
    valuation: Valuation, level: float, exceptions: IntArray, n_tested: IntArray
) -> pd.DataFrame:
    test = metrics.kupiec(exceptions, n_tested, level=level)
    test = test._replace(
        **{
            name: np.where(n_tested < MIN_BACKTEST_DAYS, np.nan, getattr(test, name))
            for name in ("likelihood_ratio", "p_value")
        }
    )
    counts = {"exceptions": exceptions, "n_tested": n_tested}
    frame = valuation.to_frame({**test._asdict(), **counts}, "day")
    few = Reason(
        f"{{:.0f}} of the last {metrics.BACKTEST_WINDOW} sessions have a return and"
        f" {MIN_OBS_BY_LEVEL[level]} returns in the {metrics.VAR_WINDOW} sessions before;"
        f" {MIN_BACKTEST_DAYS} required",
        number=n_tested.astype(float),
    )
    # the number of exceptions does not depend on equity, so the last reason does not apply
    *gates, _ = valuation.common_reasons
    reason = valuation.undefined_reasons(test.p_value, *gates, few)
    return frame.assign(level=level, undefined_reason=reason)
