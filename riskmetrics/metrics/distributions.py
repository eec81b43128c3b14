"""Cash distributions of a share, inferred from a close and its dividend-adjusted twin."""

import numpy as np

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.price_quality import split_suspects

_DECIMALS = (2, 4, 6)
"""Decimals that price files round to; a price with more is taken as exact."""


def cash_distribution(
    close_before: FloatArray,
    close: FloatArray,
    adj_close_before: FloatArray,
    adj_close: FloatArray,
) -> FloatArray:
    r"""Infer the distribution per share that goes ex between two sessions.

    Parameters
    ----------
    close_before, close : (N,) arrays
        Closes of two consecutive sessions, adjusted for splits but not for distributions.
    adj_close_before, adj_close : (N,) arrays
        The same closes, adjusted for distributions too.

    Returns
    -------
    (N,) array
        Money per share, 0 or more. NaN where a price is missing, where the adjustment falls, which no
        distribution does (two histories adjusted as of different days meet), and where one of the
        two closes moves by the ratio of a split and the other does not.

    Notes
    -----
    A vendor lowers the adjusted closes before an ex-day by the factor 1 - D / close_before, so
    :math:`D = C_{t-1} - C_t\, A_{t-1} / A_t`. What rounding of the four prices explains is 0: a half
    unit of their last decimal each.

    Examples
    --------
    A share closes at 100, pays 1.50 and closes at 99; the vendor multiplies the older close by .985:

    >>> import numpy as np
    >>> of = np.array
    >>> cash_distribution(of([100.0]), of([99.0]), of([98.5]), of([99.0])).round(2)
    array([1.5])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = adj_close_before / adj_close
        distribution = close_before - close * ratio
        half_close = _half_unit(close_before, close)
        half_adjusted = _half_unit(adj_close_before, adj_close)
        noise = half_close * (1.0 + ratio) + close * half_adjusted * (1.0 + ratio) / adj_close
    distribution = np.where(distribution > noise, distribution, 0.0 * distribution)
    falls = close_before - close * ratio < -noise
    closes, adjusted = np.stack((close_before, close)), np.stack((adj_close_before, adj_close))
    no_range = np.full_like(closes, np.nan)
    is_split = np.isfinite(split_suspects(closes, adjusted, no_range, no_range).half_adjusted[1])
    return np.where(falls | is_split, np.nan, distribution)


def _half_unit(first: FloatArray, second: FloatArray) -> FloatArray:
    """Half a unit of the last decimal that a pair of prices uses: what rounding may have moved each by."""
    half = np.zeros(len(first))
    for decimals in reversed(_DECIMALS):
        rounded = [np.abs(np.round(of, decimals) - of) < 1e-9 for of in (first, second)]
        half = np.where(rounded[0] & rounded[1], 0.5 * 10.0**-decimals, half)
    return half
