"""Cash distributions per share, inferred from closes and dividend-adjusted closes."""

import numpy as np

from riskmetrics.metrics._typing import FloatArray

_PRICE_DECIMALS = (2, 4, 6)
"""Decimals to which price files round; a price with more decimals is taken as exact."""


def cash_distribution(
    close_before: FloatArray,
    close: FloatArray,
    adj_close_before: FloatArray,
    adj_close: FloatArray,
    *,
    close_scale: FloatArray | float = 1.0,
    adj_close_scale: FloatArray | float = 1.0,
) -> FloatArray:
    r"""Infer the distribution per share that goes ex between two sessions.

    Parameters
    ----------
    close_before, close : (N,) arrays
        Closes of two consecutive sessions, adjusted for splits but not for distributions.
    adj_close_before, adj_close : (N,) arrays
        The same closes, adjusted for distributions too.
    close_scale, adj_close_scale : (N,) arrays
        Factors applied to the prices after they were rounded: old shares per new share of a split.

    Returns
    -------
    (N,) array
        Amount per share in the prices' currency, 0 or more. NaN where a price is missing, and where
        the adjustment factor falls, which a distribution cannot cause: the rows are adjusted as of
        different days, or a price is wrong.

    Notes
    -----
    A vendor lowers the adjusted closes before an ex-day by the factor 1 - D / close_before, so
    :math:`D = C_{t-1} - C_t\, A_{t-1} / A_t`. An amount within the rounding of the four prices
    (half a unit of the last decimal each) is 0.

    Examples
    --------
    A share closes at 100, pays 1.50 and closes at 99; the vendor multiplies the older close by
    0.985:

    >>> import numpy as np
    >>> array = np.array
    >>> cash_distribution(array([100.0]), array([99.0]), array([98.5]), array([99.0])).round(2)
    array([1.5])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = adj_close_before / adj_close
        distribution = close_before - close * ratio
        half_close = _half_last_digit(close_before, close, close_scale)
        half_adjusted = _half_last_digit(adj_close_before, adj_close, adj_close_scale)
        noise = half_close * (1.0 + ratio) + close * half_adjusted * (1.0 + ratio) / adj_close
    distribution = np.where(distribution < -noise, np.nan, distribution)
    return np.where(distribution > noise, distribution, 0.0 * distribution)


def _half_last_digit(
    first: FloatArray, second: FloatArray, scale: FloatArray | float
) -> FloatArray:
    """Return half a unit of the last decimal of each pair of prices, (N,): its rounding error."""
    half = np.zeros(len(first))
    for decimals in reversed(_PRICE_DECIMALS):
        stored = [prices / scale for prices in (first, second)]
        rounded = [np.abs(np.round(prices, decimals) - prices) < 1e-9 for prices in stored]
        half = np.where(rounded[0] & rounded[1], 0.5 * 10.0**-decimals, half)
    return half * scale
