"""Minimum shares of a portfolio below which a figure is undefined, and their comparison."""

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR

MIN_COVERAGE = 0.80
"""Minimum share of a portfolio with inputs; below it a figure describes another portfolio."""

MIN_EQUITY_SHARE = 0.05
"""Minimum equity as a share of gross exposure for fractions of equity.

Weights of 20 times equity and more describe the denominator, not the holdings.
"""

MIN_RISK = 0.001
"""Minimum measure of a year's risk for ratios of returns to it.

Such as an annualized volatility, a drawdown, or a sum of losses. Prices of 100 that are rounded to
cents have a volatility of 0.07 % by rounding alone.
"""

MIN_SESSION_RISK = MIN_RISK / SESSIONS_PER_YEAR**0.5
"""Minimum measure of a session's risk, such as a mean loss: 0.0063 %."""

INSUFFICIENT_EQUITY = f"equity is {{:.1%}} of gross exposure; {MIN_EQUITY_SHARE:.0%} required"
"""Reason of undefined fractions of equity; gross exposure counts options by delta where the figure
does."""

SHARE_TOLERANCE = 1e-9
"""Rounding tolerance of sums of shares: 4 of 5 equal shares are 80 %."""


def meets_minimum(share: FloatArray | float, minimum: float) -> BoolArray:
    """Return whether shares reach a minimum, up to a rounding of 1e-9; NaN does not reach it.

    Examples
    --------
    >>> meets_minimum(np.array([0.8 - 1e-12, 0.79, np.nan]), 0.8)
    array([ True, False, False])
    """
    reached: BoolArray = np.asarray(share) >= minimum - SHARE_TOLERANCE
    return reached


def is_within(value: float, limit: float) -> bool:
    """Return whether a value keeps a limit, up to a rounding of 1e-9.

    Examples
    --------
    >>> is_within(0.25000000000000006, 0.25), is_within(0.2501, 0.25)
    (True, False)
    """
    return value <= limit + SHARE_TOLERANCE


def divide_by_risk(
    numerator: FloatArray, risk: FloatArray, *, minimum: float = MIN_RISK
) -> FloatArray:
    """Return the quotients; NaN where the amount of risk is missing or below ``minimum``.

    Examples
    --------
    >>> divide_by_risk(np.array([0.02, 0.02, 0.02]), np.array([0.1, -0.1, 0.0009]))
    array([ 0.2, -0.2,  nan])
    """
    quotient: FloatArray = np.divide(
        numerator, risk, out=np.full(numerator.shape, np.nan), where=np.abs(risk) >= minimum
    )
    return quotient


def sufficient_equity(equity: FloatArray, gross: FloatArray) -> FloatArray:
    """Return equity; NaN where it is not positive or below MIN_EQUITY_SHARE of gross exposure.

    Examples
    --------
    >>> sufficient_equity(np.array([100.0, 5.0, 4.0, -1.0]), np.full(4, 100.0))
    array([100.,   5.,  nan,  nan])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        enough = meets_minimum(equity / gross, MIN_EQUITY_SHARE)
    return np.where((equity > 0) & enough, equity, np.nan)
