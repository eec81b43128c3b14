"""Tail risk of portfolios and its backtests: rows of two tables."""

from itertools import product

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import tail_risk
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.filtered_simulation import (
    FILTER_WINDOW,
    MIN_FILTER_OBS,
    filter_returns,
    simulate_paths,
)
from riskmetrics.results.option_revaluation import OptionBook, revalue_paths, revalue_session
from riskmetrics.results.pro_forma import (
    ProFormaBlock,
    insufficient_observations,
    pro_forma_blocks,
)
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation

MIN_OBS_BY_LEVEL = {0.95: tail_risk.MIN_OBS_95, 0.99: tail_risk.MIN_OBS_99}
"""Minimum number of returns by confidence level."""

MIN_BACKTEST_DAYS = 126
"""Minimum number of tested sessions for a Kupiec test.

6 exceptions are expected in them at 95 %, 1 at 99 %.
"""

MAX_LOSS_TO_GROSS = 100.0
"""Simulated loss beyond which it is undefined, in gross values: some return is a wrong price."""

_EXTREME_LOSS = (
    f"the simulated loss exceeds {MAX_LOSS_TO_GROSS:.0f} times the gross value, so that a price of"
    " the window must be wrong: see `riskmetrics show quality`"
)
_NO_FORECAST = "the portfolio has no volatility forecast: see `riskmetrics show volatility`"

VAR_HORIZONS = (1, 10)
"""Horizons in sessions; ten is the market-risk horizon of the Basel rules."""

TAIL_RISK_WINDOW = tail_risk.VAR_WINDOW + tail_risk.BACKTEST_WINDOW
"""Returns needed for a day: those behind the value at risk of the first tested session.

As many are behind the first volatility that filters a simulated return.
"""

_SAMPLES = (("historical", 1), ("filtered", 1), ("filtered", 10), ("revalued", 1), ("revalued", 10))
"""Methods and horizons with simulated losses; other ones of ten sessions are √10-scaled."""

_Losses = dict[tuple[str, int, float], FloatArray]
"""Value at risk and expected shortfall in currency, (2, P, D), by method, horizon and level."""


def tail_risk_rows(
    valuation: Valuation,
    returns: panels.Returns,
    root_variance: FloatArray,
    n_obs: IntArray,
    options: OptionBook | None = None,
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
    options : OptionBook, optional
        Options to be revalued; None: no portfolio has options.
    """
    shape = valuation.net.shape
    losses: _Losses = {
        (*sample, level): np.full((2, *shape), np.nan)
        for sample, level in product(_SAMPLES, MIN_OBS_BY_LEVEL)
    }
    n_returns = {method: np.zeros(shape, np.int64) for method, _ in _SAMPLES}
    tests = {level: np.zeros((2, *shape), np.int64) for level in MIN_OBS_BY_LEVEL}
    for block in pro_forma_blocks(valuation, returns, TAIL_RISK_WINDOW, is_in_currency=True):
        days, ranks = block.days, tail_risk.loss_ranks(block.series)
        samples = _simulate(block, returns.frame.columns, options)
        for method, horizon in samples:
            if horizon == 1:
                known = np.isfinite(samples[method, 1]).sum(axis=0)
                n_returns[method][:, days] = block.by_day(known)
        n_returns["revalued"][:, days] = n_returns["filtered"][:, days]
        for level, min_obs in MIN_OBS_BY_LEVEL.items():
            for (method, horizon), sample in samples.items():
                at_risk = tail_risk.historical_risk(
                    sample, level=level, window=len(sample), min_obs=1
                )
                is_enough = n_returns[method][:, days] >= min_obs
                found = block.by_day(np.stack(at_risk[:2]))
                losses[method, horizon, level][:, :, days] = np.where(is_enough, found, np.nan)
            tests[level][:, :, days] = block.by_day(
                np.stack(
                    tail_risk.var_exceptions(block.series, ranks, level=level, min_obs=min_obs)
                )
            )
    parametric = {
        level: np.stack(tail_risk.parametric_risk(root_variance, level=level))
        for level in MIN_OBS_BY_LEVEL
    }
    tail = _simulated_rows(valuation, losses, n_returns, options)
    no_forecast = Reason(_NO_FORECAST, np.isnan(root_variance))
    for level, horizon in product(MIN_OBS_BY_LEVEL, VAR_HORIZONS):
        scaled = tail_risk.sqrt_time_scaled(parametric[level], days=horizon)
        tail.append(
            _tail_rows(valuation, ("parametric", horizon, level), scaled, n_obs, no_forecast)
        )
    backtests = [_backtest_rows(valuation, level, *tests[level]) for level in MIN_OBS_BY_LEVEL]
    return pd.concat(tail, ignore_index=True), pd.concat(backtests, ignore_index=True)


def _simulate(
    block: ProFormaBlock, symbols: "pd.Index[str]", options: OptionBook | None
) -> dict[tuple[str, int], FloatArray]:
    """Return the simulated changes of value by method and horizon, (N, K·P) each."""
    horizon = VAR_HORIZONS[-1]
    filtered = filter_returns(block.series)
    found = {
        ("historical", 1): block.series[-tail_risk.VAR_WINDOW :],
        ("filtered", 1): filtered,
        ("filtered", horizon): simulate_paths(filtered, horizon=horizon),
    }
    if options is None:
        return found
    revalued = {
        ("revalued", 1): np.full_like(filtered, np.nan),
        ("revalued", horizon): np.full_like(found["filtered", horizon], np.nan),
    }
    for place, window in enumerate(block.windows):
        held, n_series = options.session(window.day), window.series.shape[1]
        if held is None or not len(held.portfolio):
            continue
        of_day = np.s_[:, place * n_series : (place + 1) * n_series]
        column = symbols.get_indexer(held.underlying)
        moves = np.where(column >= 0, window.symbol_returns[:, column], np.nan)
        inputs = held, window.series, filtered[of_day], moves
        revalued["revalued", 1][of_day] = revalue_session(*inputs)
        paths = found["filtered", horizon][of_day]
        revalued["revalued", horizon][of_day] = revalue_paths(*inputs, paths, horizon)
    return found | revalued


def _simulated_rows(
    valuation: Valuation,
    losses: _Losses,
    n_returns: dict[str, IntArray],
    options: OptionBook | None,
) -> list[pd.DataFrame]:
    """Return one frame per simulated method, horizon and level."""
    frames = []
    for method, horizon, level in product(n_returns, VAR_HORIZONS, MIN_OBS_BY_LEVEL):
        if method == "revalued" and options is None:
            continue
        sample = losses.get((method, horizon, level))
        if sample is None:
            sample = tail_risk.sqrt_time_scaled(losses[method, 1, level], days=horizon)
        n_obs = n_returns[method]
        largest = np.maximum(np.abs(sample[0]), np.abs(sample[1]))
        is_extreme = largest > MAX_LOSS_TO_GROSS * valuation.gross_value
        sample = np.where(is_extreme, np.nan, sample)
        reasons = [
            Reason(_EXTREME_LOSS, is_extreme),
            _too_few_returns(method, n_obs, MIN_OBS_BY_LEVEL[level]),
        ]
        if method == "revalued" and options is not None:
            sample = np.where(options.n_unknown > 0, np.nan, sample)
            reasons.insert(0, options.unknown_reason)
        frame = _tail_rows(valuation, (method, horizon, level), sample, n_obs, *reasons)
        if method == "revalued" and options is not None:
            frame = frame[(options.n_options > 0)[valuation.is_valued]]
        frames.append(frame)
    return frames


def _too_few_returns(method: str, n_obs: IntArray, min_obs: int) -> Reason:
    """Return the reason of a sample with fewer than ``min_obs`` returns, (P, D)."""
    if method == "historical":
        return insufficient_observations(n_obs, tail_risk.VAR_WINDOW, min_obs)
    text = (
        f"{{:.0f}} of the trailing {tail_risk.VAR_WINDOW} sessions have a return, and a volatility"
        f" above 0 from {MIN_FILTER_OBS} returns in the {FILTER_WINDOW} sessions before;"
        f" {min_obs} required"
    )
    return Reason(text, n_obs < min_obs, n_obs.astype(np.float64))


def _tail_rows(
    valuation: Valuation,
    key: tuple[str, int, float],
    losses: FloatArray,
    n_obs: IntArray,
    *reasons: Reason,
) -> pd.DataFrame:
    """Return the rows of one method, horizon and level.

    ``losses`` are value at risk and expected shortfall, (2, P, D), in currency.
    """
    *gates, too_little_equity = valuation.common_reasons
    value_at_risk, shortfall = losses
    columns = {
        "value_at_risk": value_at_risk / valuation.weight_denominator,
        "expected_shortfall": shortfall / valuation.weight_denominator,
        "value_at_risk_amount": value_at_risk,
        "expected_shortfall_amount": shortfall,
        "observations": n_obs,
    }
    reason = valuation.undefined_reasons(
        columns["value_at_risk"], *gates, *reasons, too_little_equity
    )
    method, horizon, level = key
    return valuation.to_frame(columns, "day").assign(
        method=method, level=level, horizon_days=horizon, undefined_reason=reason
    )


def _backtest_rows(
    valuation: Valuation, level: float, exceptions: IntArray, n_tested: IntArray
) -> pd.DataFrame:
    test = tail_risk.kupiec(exceptions, n_tested, level=level)
    test = test._replace(
        **{
            name: np.where(n_tested < MIN_BACKTEST_DAYS, np.nan, getattr(test, name))
            for name in ("likelihood_ratio", "p_value")
        }
    )
    counts = {"exceptions": exceptions, "n_tested": n_tested}
    frame = valuation.to_frame({**test._asdict(), **counts}, "day")
    few = Reason(
        f"{{:.0f}} of the last {tail_risk.BACKTEST_WINDOW} sessions have a return and"
        f" {MIN_OBS_BY_LEVEL[level]} returns in the {tail_risk.VAR_WINDOW} sessions before;"
        f" {MIN_BACKTEST_DAYS} required",
        number=n_tested.astype(float),
    )
    # the number of exceptions does not depend on equity, so the last reason does not apply
    *gates, _ = valuation.common_reasons
    reason = valuation.undefined_reasons(test.p_value, *gates, few)
    return frame.assign(level=level, undefined_reason=reason)
