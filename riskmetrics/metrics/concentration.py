"""Concentration of portfolios in instruments, and their sector values and weights.

A batch is ragged: one entry per instrument, with the index of its portfolio. A portfolio on another
day is another portfolio to these functions. Sums run over a portfolio's own entries in order, so
its results do not depend on what else is in the batch.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray


class Concentration(NamedTuple):
    """Concentration of each portfolio, each of shape (P,)."""

    hhi: FloatArray
    effective_positions: FloatArray
    top_3: FloatArray
    top_10: FloatArray


def concentration(values: FloatArray, portfolio: IntArray, n_portfolios: int) -> Concentration:
    r"""Measure how concentrated each portfolio's gross value is in its instruments.

    Parameters
    ----------
    values : (M,) array
        Signed net value of each instrument, lots already netted, in the portfolio's currency.
    portfolio : (M,) array
        Index of the portfolio that holds it, from 0 to ``n_portfolios`` - 1.
    n_portfolios : int
        P, including empty portfolios.

    Returns
    -------
    Concentration
        With weights w = |value| / gross: ``hhi`` is the Herfindahl-Hirschman index :math:`\sum w^2`
        in [1/N, 1], ``effective_positions`` its inverse, ``top_3`` and ``top_10`` the sums of the
        largest weights. The order of entries does not matter. NaN where gross is 0 or nothing is
        held. Values that are not finite are unpriced instruments and are ignored.

    Raises
    ------
    ValueError
        If the shapes do not match, or an index is out of bounds.

    References
    ----------
    Hirschman (1964), The paternity of an index, American Economic Review 54(5).

    Examples
    --------
    Weights of 60, 30 and 10 %: 0.36 + 0.09 + 0.01.

    >>> found = concentration(np.array([60.0, -30.0, 10.0]), np.zeros(3, int), 1)
    >>> found.hhi.round(4), found.effective_positions.round(4), found.top_3
    (array([0.46]), array([2.1739]), array([1.]))
    """
    _require_indices(values, portfolio, n_portfolios)
    magnitude = np.abs(_unpriced_as_zero(values))
    largest_first = np.lexsort((-magnitude, portfolio))
    magnitude, portfolio = magnitude[largest_first], portfolio[largest_first]
    gross = _gross(magnitude, portfolio, n_portfolios)
    weight = magnitude / gross[portfolio]
    rank = np.arange(len(portfolio)) - np.searchsorted(portfolio, portfolio)

    def total(weights: FloatArray) -> FloatArray:
        return np.where(np.isnan(gross), np.nan, _sum_by_group(weights, portfolio, n_portfolios))

    hhi = total(weight**2)
    # rounding may exceed 1
    top_3, top_10 = (np.minimum(total(np.where(rank < k, weight, 0.0)), 1.0) for k in (3, 10))
    return Concentration(hhi, 1.0 / hhi, top_3, top_10)


def sector_values(
    values: FloatArray, portfolio: IntArray, sector: IntArray, *, n_portfolios: int, n_sectors: int
) -> FloatArray:
    """Sum each portfolio's signed values by sector.

    Parameters
    ----------
    values : (M,) array
        Signed net value of each instrument; values that are not finite are unpriced instruments and
        are ignored.
    portfolio, sector : (M,) arrays
        Index of the portfolio that holds it and of its sector, from 0 to ``n_portfolios`` - 1 and
        ``n_sectors`` - 1.
    n_portfolios, n_sectors : int
        P and S, including those without an instrument.

    Returns
    -------
    (P, S) array
        Net values in the units of ``values``, summed in the given order; 0 where nothing is held.

    Raises
    ------
    ValueError
        If the shapes do not match, or an index is out of bounds.

    Examples
    --------
    >>> values, portfolio, sector = np.array([60.0, -30.0, 10.0]), np.zeros(3, int), [0, 1, 0]
    >>> sector_values(values, portfolio, np.array(sector), n_portfolios=1, n_sectors=2)
    array([[ 70., -30.]])
    """
    _require_indices(values, portfolio, n_portfolios)
    _require_indices(values, sector, n_sectors)
    return _sum_by_group(
        _unpriced_as_zero(values), portfolio * n_sectors + sector, n_portfolios * n_sectors
    ).reshape(n_portfolios, n_sectors)


def sector_weights(
    values: FloatArray, portfolio: IntArray, sector: IntArray, *, n_portfolios: int, n_sectors: int
) -> FloatArray:
    """Return the share of each sector in each portfolio's gross value.

    Parameters are those of `sector_values`. Returns a (P, S) array whose rows sum to 1; for a
    long-only portfolio they are its value weights. Rows are NaN where gross is 0 or nothing is
    held.

    Examples
    --------
    >>> values, portfolio, sector = np.array([60.0, -30.0, 10.0]), np.zeros(3, int), [0, 1, 0]
    >>> sector_weights(values, portfolio, np.array(sector), n_portfolios=1, n_sectors=2)
    array([[0.7, 0.3]])
    """
    magnitude = np.abs(_unpriced_as_zero(values))
    gross_values = sector_values(
        magnitude, portfolio, sector, n_portfolios=n_portfolios, n_sectors=n_sectors
    )
    return gross_values / _gross(magnitude, portfolio, n_portfolios)[:, np.newaxis]


def _unpriced_as_zero(values: FloatArray) -> FloatArray:
    """Return the values with 0 for unpriced instruments."""
    return np.where(np.isfinite(values), values, 0.0)


def _gross(magnitude: FloatArray, portfolio: IntArray, n_portfolios: int) -> FloatArray:
    """Return the gross value of each portfolio; NaN where it is 0."""
    gross = _sum_by_group(magnitude, portfolio, n_portfolios)
    return np.where(gross > 0.0, gross, np.nan)


def _sum_by_group(values: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """Sum each group's values in the given order, as ``bincount`` does."""
    # bincount returns integers if there are no values
    return np.bincount(group, values, n_groups).astype(np.float64)


def _require_indices(values: FloatArray, index: IntArray, count: int) -> None:
    if values.ndim != 1 or index.shape != values.shape:
        raise ValueError(
            f"values and their indices must be (M,), not {values.shape} and {index.shape}"
        )
    if index.size and not 0 <= index.min() <= index.max() < count:
        raise ValueError(f"indices must lie in 0..{count - 1}, not {index.min()}..{index.max()}")
