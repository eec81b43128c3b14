"""Sums over every window of consecutive rows, in an order that makes them reproducible."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray

ROUNDING_PER_OBSERVATION = 4 * float(np.finfo(np.float64).eps)
"""Per observation, what a relative variance or residual must exceed to be more than the rounding of its sum.

In 1.3 million exactly linear windows of 3 to 504 pairs, 1 - R² reached 1.34 eps per observation.
"""

_BLOCK_VALUES = 16_384
"""Values per working array: 128 KB, so that the handful in use stay in a core's L2 cache."""

_BLOCK_DATES = 64
"""Dates per block where there are many series: long rows of series make it cheap to broadcast a regressor over them."""


class WindowMeans(NamedTuple):
    """One entry per window and series, each of shape (T - window + 1, N)."""

    mean: FloatArray
    n_obs: IntArray


def window_sums(values: FloatArray, window: int, *, decay: float = 1.0) -> FloatArray:
    """Sum every window of ``window`` rows of ``values`` (T, N), each row weighted ``decay`` times the row after it, the newest by 1.

    Returns shape (T - window + 1, N), row d for the window that ends at row d + window - 1. One NaN
    makes a sum NaN: mask first.

    Notes
    -----
    Sums of 1, 2, 4, 8 … rows are made of each other, and a window of as many of them as its length
    has binary digits: a handful of passes instead of one per row, and less rounding. A sum depends
    on nothing but its own rows and column, to the last bit, as cumulative sums and matrix products
    would not.
    """
    n_dates = len(values) - window + 1
    total, covered = np.zeros((n_dates, values.shape[1])), 0
    part, width = values, 1  # part[t] is the sum of rows t to t + width - 1
    while True:
        if window & width:
            total *= decay**width
            total += part[covered : covered + n_dates]
            covered += width
        if 2 * width > window:
            return total
        part = decay**width * part[:-width] + part[width:]
        width *= 2


def window_means(values: FloatArray, window: int, *, min_obs: int) -> WindowMeans:
    """Average the finite values of every window of ``values`` (T, N); the others are missing, never filled.

    The mean is NaN under ``min_obs`` values (at least 1). Rows are windows as in `window_sums`.
    """
    known = np.isfinite(values)
    n_obs = window_counts(known, window)
    total = window_sums(np.where(known, values, 0.0), window)
    return WindowMeans(
        np.divide(total, n_obs, out=np.full_like(total, np.nan), where=n_obs >= min_obs), n_obs
    )


def window_counts(known: BoolArray, window: int) -> IntArray:
    """Count the true rows of every window of ``known`` (T, N), rows as in `window_sums`; whole numbers add up exactly in any order."""
    running = np.zeros((len(known) + 1, known.shape[1]), np.int64)
    np.cumsum(known, axis=0, out=running[1:])
    counts: IntArray = running[window:] - running[:-window]
    return counts


def is_constant(squares: FloatArray, mean: FloatArray, n_obs: FloatArray) -> BoolArray:
    """Whether sums of squared deviations from a mean are no more than the rounding of ``n_obs`` equal values; all of one shape."""
    constant: BoolArray = squares <= n_obs * (n_obs * ROUNDING_PER_OBSERVATION * mean) ** 2
    return constant


def iterate_blocks(
    n_windows: int, n_series: int, window: int
) -> Iterator[tuple[tuple[slice, slice], slice]]:
    """Cut windows x series into pieces that a core's cache holds: the piece, as an index of both, and the rows that its windows look at."""
    columns = _BLOCK_VALUES // min(n_windows, _BLOCK_DATES)
    rows = _BLOCK_VALUES // max(1, min(n_series, columns))
    for first in range(0, n_windows, rows):
        for left in range(0, n_series, columns):
            yield (
                (slice(first, first + rows), slice(left, left + columns)),
                slice(first, first + rows + window - 1),
            )


def require_windows(rows: int, window: int) -> None:
    """Raise ValueError unless there is one window at least."""
    if not 1 <= window <= rows:
        raise ValueError(f"a window of {window} rows needs as many, not {rows}")
