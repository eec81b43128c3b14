"""Sums over every window of consecutive rows, in an order that makes them reproducible."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray


class WindowMeans(NamedTuple):
    """One entry per window and series, each of shape (T - window + 1, N)."""

    mean: FloatArray
    n_obs: IntArray


def window_sums(values: FloatArray, window: int) -> FloatArray:
    """Sum every window of ``window`` rows of ``values`` (T, N), from its oldest row to its newest.

    Returns shape (T - window + 1, N), row d for the window that ends at row d + window - 1. A sum depends on nothing but its own
    rows and column, to the last bit, as cumulative sums and matrix products would not. One NaN makes a sum NaN: mask first.
    """
    n_dates = len(values) - window + 1
    total = values[:n_dates].copy()
    for start in range(1, window):
        total += values[start : start + n_dates]
    return total


def window_means(values: FloatArray, window: int, *, min_obs: int) -> WindowMeans:
    """Average the finite values of every window of ``values`` (T, N); the others are missing, never filled.

    The mean is NaN under ``min_obs`` values (at least 1). Rows are windows as in `window_sums`.
    """
    known = np.isfinite(values)
    n_obs = window_counts(known, window)
    total = window_sums(np.where(known, values, 0.0), window)
    return WindowMeans(np.divide(total, n_obs, out=np.full_like(total, np.nan), where=n_obs >= min_obs), n_obs)


def window_counts(known: BoolArray, window: int) -> IntArray:
    """Count the true rows of every window of ``known`` (T, N), rows as in `window_sums`; whole numbers add up exactly in any order."""
    running = np.zeros((len(known) + 1, known.shape[1]), np.int64)
    np.cumsum(known, axis=0, out=running[1:])
    counts: IntArray = running[window:] - running[:-window]
    return counts


def require_windows(rows: int, window: int) -> None:
    """Raise ValueError unless there is one window at least."""
    if not 1 <= window <= rows:
        raise ValueError(f"a window of {window} rows needs as many, not {rows}")
