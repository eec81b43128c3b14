"""Margins of factor losses: the sampling error of the betas of portfolios."""

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from riskmetrics import panels
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.decayed_beta import (
    DECAYED_WINDOW,
    FORECAST_ERROR_MULTIPLIER,
    HALF_LIFE,
    Z_95,
)
from riskmetrics.metrics.stress import slope_std_error
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.results.pro_forma import pro_forma_blocks
from riskmetrics.results.valuation import Valuation

_DECAY_WEIGHTS = 0.5 ** (np.arange(DECAYED_WINDOW - 1, -1, -1.0) / HALF_LIFE)


def loss_margins(
    valuation: Valuation,
    scenarios: pd.DataFrame,
    returns: panels.Returns,
    indices: tuple[str, str],
) -> FloatArray:
    """Return half the 95 % interval of the loss in each scenario with moves, (K, P, D).

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    scenarios : DataFrame
        K rows of `stress_scenarios` with moves.
    returns : Returns
        Returns of the DECAYED_WINDOW sessions that end on each of them.
    indices : tuple of str
        Market index and rate index.

    Returns
    -------
    (K, P, D) array
        Fractions of equity. The error is that of a regression of the portfolio's pro-forma returns
        in the window of the betas: exponentially weighted for moves of the market, where it is that
        of a forecast; else the 90 sessions of the rate betas, without what may change after them.
    """
    moves = scenarios[["market_move", "rate_move"]].to_numpy(float)
    found = np.full((len(moves), *valuation.net.shape), np.nan)
    series = [returns.column(index) for index in indices]
    for block in pro_forma_blocks(valuation, returns, DECAYED_WINDOW):
        factors = [
            np.repeat(
                sliding_window_view(values, DECAYED_WINDOW)[block.days].T,
                len(valuation.portfolios),
                axis=1,
            )
            for values in series
        ]
        errors: dict[tuple[int | float, ...], FloatArray] = {}
        for scenario, move in enumerate(moves):
            main = int(np.nanargmax(np.abs(move)))
            ratio = move[1 - main] / move[main] if move[main] else 0.0
            is_joint = bool(np.isfinite(move).all())
            key = (main, ratio) if is_joint else (main,)
            if key not in errors:
                error = _std_error(block.series, factors[main], factors[1 - main], *key)
                errors[key] = block.by_day(error)
            found[scenario, :, block.days] = Z_95 * abs(move[main]) * errors[key]
    return found


def _std_error(
    series: FloatArray, main: FloatArray, other: FloatArray, factor: int, ratio: float | None = None
) -> FloatArray:
    """Return the standard error of the loss of each series per unit of the main move, (N,).

    ``main`` and ``other`` are the returns of the factors in the window of each, (T, N). ``factor``
    is 0 if the main one is the market; ``ratio`` is the other move over it, None if the other
    factor does not move.
    """
    if ratio is None and factor == 0:
        error = slope_std_error(series, main, _DECAY_WEIGHTS, min_obs=MIN_PAIRED_RETURNS)
        return FORECAST_ERROR_MULTIPLIER * error
    recent = slice(-BETA_WINDOW, None)
    series, main, other, weight = series[recent], main[recent], other[recent], np.ones(BETA_WINDOW)
    # with this control, the coefficient of the main factor is beta + ratio * other beta
    control = None if ratio is None else other - ratio * main
    return slope_std_error(series, main, weight, control=control, min_obs=MIN_PAIRED_RETURNS)
