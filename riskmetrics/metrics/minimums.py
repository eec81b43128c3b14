"""Shares of a portfolio below which a figure is undefined, and how they are compared."""

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray

MIN_COVERAGE = 0.80
"""Share of a portfolio below which a figure would describe another portfolio: it is undefined."""

MIN_EQUITY_SHARE = 0.05
"""Equity as a share of gross exposure below which nothing is divided by it: a weight of 20 times
equity and more tells of the denominator, not of the holdings."""

INSUFFICIENT_EQUITY = f"equity is {{:.1%}} of gross exposure; {MIN_EQUITY_SHARE:.0%} required"
"""Why a fraction of equity is undefined; options count by delta where the figure counts them so."""

SHARE_TOLERANCE = 1e-9
"""What sums of shares may lose to rounding: 4 of 5 equal shares are 80 %."""


def meets_minimum(share: FloatArray | float, minimum: float) -> BoolArray:
    """Compare shares with a minimum, which counts as reached up to rounding of 1e-9; NaN does not reach it."""
    reached: BoolArray = np.asarray(share) >= minimum - SHARE_TOLERANCE
    return reached
