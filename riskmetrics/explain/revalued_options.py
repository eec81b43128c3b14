"""Options of a portfolio, revalued one by one with the formula of `recalculated_options`."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from riskmetrics.explain.recalculated_options import black_scholes
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.revaluation import VOLATILITY_DECAY
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.transactions.model import CONTRACT_SIZE

Moves = Callable[[str], FloatArray]
"""Function of an underlying: its returns, sessions x cases; NaN where unknown."""


def revaluation_difference(
    sources: SourceRows, moves: Moves, volatility_move: float | None = None
) -> FloatArray | None:
    """Return what revaluation adds to the delta approximation in each case; None without options.

    Volatility changes by ``volatility_move``, or if that is None with the moves. NaN if an option
    has no value.
    """
    total: FloatArray | None = None
    for position, option in sources.options.iterrows():
        steps = np.nan_to_num(moves(option["underlying_symbol"]))
        lot = sources.lot(position)
        added = _difference(option, lot, steps, volatility_move)
        total = added if total is None else total + added
    return total


def _difference(
    option: Any, lot: Any, steps: FloatArray, volatility_move: float | None
) -> FloatArray:
    spot, now, delta = (
        math.nan if option[name] is None else float(option[name])
        for name in ("underlying_price", "value", "delta")
    )
    if math.isnan(now):
        return np.full(steps.shape[1], np.nan)
    volatility = float(option["volatility"])
    variance = np.full(steps.shape[1], volatility**2)
    for step in steps:
        variance = VOLATILITY_DECAY * variance + (
            (1 - VOLATILITY_DECAY) * SESSIONS_PER_YEAR * step**2
        )
    after = (
        np.sqrt(variance)
        if volatility_move is None
        else np.full(len(variance), volatility * (1 + volatility_move))
    )
    sign = 1 if lot["position_type"] in ("LC", "SC") else -1
    terms = float(lot["strike_price"]), float(option["years_to_expiration"])
    rates = float(option["risk_free_rate"]), float(option["dividend_yield"])
    move_of_path = steps.sum(axis=0)
    values = [
        black_scholes(sign, spot * max(1 + move, 1e-6), *terms, sigma, *rates)["value"]
        for move, sigma in zip(move_of_path.tolist(), after.tolist(), strict=True)
    ]
    units = float(lot["quantity"]) * CONTRACT_SIZE
    found: FloatArray = units * (np.array(values) - now - delta * spot * move_of_path)
    return found
