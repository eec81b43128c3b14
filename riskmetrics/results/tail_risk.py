"""How much portfolios can lose in a day or ten, and whether past answers held: rows of two tables."""

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import tail_risk as metrics
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.results.as_of import too_few, windows
from riskmetrics.results.valuation import Reason, Valuation

MIN_OBS = {0.95: metrics.MIN_OBS_95, 0.99: metrics.MIN_OBS_99}
"""Levels, and the fewest returns that each needs."""

MIN_TESTED = 126
"""Sessions tested below which the test of their breaches has no answer: 95 % expects 6 in them, 99 % one."""

_NO_FORECAST = "the portfolio's volatility has no forecast: `riskmetrics show volatility` says why"

HORIZONS = (1, 10)
"""Sessions; ten are the market-risk horizon of the Basel rules, scaled by the square root."""

WINDOW = metrics.WINDOW + metrics.TESTED
"""Returns behind a day's rows: those of the value at risk of the first session tested."""


def rows(valuation: Valuation, returns: panels.Returns, risk: FloatArray, n_obs: IntArray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_tail_risk` and of `portfolio_var_backtests`.

    Parameters
    ----------
    valuation : Valuation
        Of D days.
    returns : Returns
        Of the WINDOW sessions that end on each of them.
    risk, n_obs : (P, D) arrays
        Square root of the forecast variance of each portfolio's change of value, annualized, in money,
        and the returns it rests on.
    """
    shape = valuation.net.shape
    found = {level: (np.full((2, *shape), np.nan), np.zeros((3, *shape), np.int64)) for level in MIN_OBS}
    for day, changes, _, _ in windows(valuation, returns, WINDOW, in_money=True):
        smaller = metrics.smaller_losses(changes)
        for level, min_obs in MIN_OBS.items():
            measured = metrics.historical(changes, level=level, min_obs=min_obs)
            tested = metrics.historical_breaches(changes, smaller, level=level, min_obs=min_obs)
            found[level][0][:, :, day] = measured[:2]
            found[level][1][:, :, day] = measured.n_obs, *tested
    tail, backtests = [], []
    for level, (losses, (n_returns, breaches, n_tested)) in found.items():
        why = too_few(n_returns, metrics.WINDOW, MIN_OBS[level])
        tail += _tail_rows(valuation, "historical", level, losses, n_returns, why)
        expected = np.stack(metrics.parametric(risk, level=level))
        tail += _tail_rows(valuation, "parametric", level, expected, n_obs, Reason(_NO_FORECAST, np.isnan(risk)))
        backtests.append(_backtest_rows(valuation, level, breaches, n_tested))
    return pd.concat(tail, ignore_index=True), pd.concat(backtests, ignore_index=True)


def _tail_rows(valuation: Valuation, method: str, level: float, losses: FloatArray, n_obs: IntArray, why: Reason) -> list[pd.DataFrame]:
    """Return a frame for each horizon; ``losses`` are value at risk and expected shortfall of one day, (2, P, D), in money."""
    frames = []
    *gates, too_little_equity = valuation.gates
    for horizon in HORIZONS:
        at_risk, shortfall = metrics.scaled(losses, days=horizon)
        columns = {
            "value_at_risk": at_risk / valuation.weight_base,
            "expected_shortfall": shortfall / valuation.weight_base,
            "value_at_risk_amount": at_risk,
            "expected_shortfall_amount": shortfall,
            "observations": n_obs.astype(float),
        }
        frame = valuation.rows(columns, "day").astype({"observations": "int64"})
        reason = valuation.reasons(columns["value_at_risk"], *gates, why, too_little_equity)
        frames.append(frame.assign(method=method, level=level, horizon_days=horizon, undefined_reason=reason))
    return frames


def _backtest_rows(valuation: Valuation, level: float, breaches: IntArray, n_tested: IntArray) -> pd.DataFrame:
    test = metrics.kupiec(breaches, n_tested, level=level)
    test = test._replace(**{name: np.where(n_tested < MIN_TESTED, np.nan, getattr(test, name)) for name in ("likelihood_ratio", "p_value")})
    counts = {"breaches": breaches.astype(float), "n_tested": n_tested.astype(float)}
    frame = valuation.rows({**test._asdict(), **counts}, "day").astype(dict.fromkeys(counts, "int64"))
    few = Reason(
        f"{{:.0f}} of the last {metrics.TESTED} sessions have a return, and {MIN_OBS[level]} of them in the {metrics.WINDOW} sessions "
        f"before; {MIN_TESTED} are needed",
        number=counts["n_tested"],
    )
    *gates, _ = valuation.gates  # how often losses pass does not depend on what they are fractions of
    reason = valuation.reasons(test.p_value, *gates, few)
    return frame.assign(level=level, undefined_reason=reason)
