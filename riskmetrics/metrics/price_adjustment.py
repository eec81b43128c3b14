"""Adjustment of the prices of one symbol for splits and dividends.

All arrays are ordered by day. A split ratio is new shares per old share on the first day at the new
price, 1 on all other days.
"""

import numpy as np

from riskmetrics.metrics._typing import FloatArray

_MIN_LEAD = 2.0
"""How many times nearer one reading of a split must be than the other to be decided."""


def later_split_factors(splits: FloatArray) -> FloatArray:
    """Return the product of the split ratios after each day, by which a raw price is divided.

    Parameters
    ----------
    splits : (T,) array
        Split ratios.

    Returns
    -------
    (T,) array
        Dimensionless; 1 on the last day.

    Examples
    --------
    A 3:1 split on the last of three days:

    >>> later_split_factors(np.array([1.0, 1.0, 3.0])).tolist()
    [3.0, 3.0, 1.0]
    """
    later = np.append(splits[1:], 1.0)
    factors: FloatArray = np.cumprod(later[::-1])[::-1]
    return factors


def has_raw_closes(
    closes: FloatArray, splits: FloatArray, adjusted: FloatArray | None = None
) -> bool | None:
    """Return whether closes make the moves of the splits; None if they neither do nor do not.

    Parameters
    ----------
    closes : (T,) array
        Closes, dollars.
    splits : (T,) array
        Split ratios.
    adjusted : (T,) array, optional
        Closes adjusted for splits and dividends, dollars, which give the return of each day.

    Notes
    -----
    On the day of a split with ratio f the logarithm of a raw close moves by r - log f, and that of
    an adjusted close by r, the return. Without adjusted closes r is taken as 0. A split is decided
    if one remainder is at most half of the other; all decided splits must agree.

    Examples
    --------
    >>> splits = np.array([1.0, 2.0])
    >>> [has_raw_closes(np.array([before, 51.0]), splits) for before in (100.0, 50.0, 70.0)]
    [True, False, None]
    """
    days = np.flatnonzero(splits[1:] != 1) + 1
    moves = np.log(closes[days] / closes[days - 1])
    returns = 0.0 if adjusted is None else np.log(adjusted[days] / adjusted[days - 1])
    from_raw, from_adjusted = (
        np.abs(moves + np.log(splits[days]) - returns),
        np.abs(moves - returns),
    )
    is_raw = from_raw * _MIN_LEAD <= from_adjusted
    is_adjusted = from_adjusted * _MIN_LEAD <= from_raw
    return None if is_raw.any() == is_adjusted.any() else bool(is_raw.any())


def dividend_factors(closes: FloatArray, dividends: FloatArray) -> FloatArray:
    r"""Return the factors that adjust closes for later dividends.

    Parameters
    ----------
    closes : (T,) array
        Closes adjusted for splits, dollars.
    dividends : (T,) array
        Dividends per share on their ex-days, adjusted for splits, dollars; below the close before.

    Returns
    -------
    (T,) array
        Dimensionless, :math:`\prod_{s > t} (1 - D_s / C_{s-1})`; 1 on the last day.

    Notes
    -----
    The method of CRSP and Yahoo: a holder who buys at the close before the ex-day pays
    :math:`C_{s-1} - D_s` for what is left after the dividend.

    Examples
    --------
    >>> dividend_factors(np.array([100.0, 98.0]), np.array([0.0, 2.0])).tolist()
    [0.98, 1.0]
    """
    steps = np.append(1 - dividends[1:] / closes[:-1], 1.0)
    factors: FloatArray = np.cumprod(steps[::-1])[::-1]
    return factors
