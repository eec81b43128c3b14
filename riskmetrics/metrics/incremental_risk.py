"""Incremental value at risk: what the value at risk would be without one of the holdings."""

from functools import partial

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.tail_risk import historical_value_at_risk

_BLOCK_HOLDINGS = 256
"""Holdings per block, so that two years of their returns fit in a core's cache."""


def incremental_value_at_risk(
    series: FloatArray,
    coverage: FloatArray,
    returns: FloatArray,
    weight: FloatArray,
    *,
    column: IntArray,
    portfolio: IntArray,
    level: float,
    min_obs: int,
) -> FloatArray:
    r"""Return the historical value at risk of each holding's portfolio minus that without it.

    Parameters
    ----------
    series, coverage, returns, weight, column, portfolio
        As in `contributions.risk_contributions`; every holding has a column of ``returns``.
    level : float
        Confidence, between 0 and 1.
    min_obs : int
        Minimum number of days with a portfolio return.

    Returns
    -------
    (I,) array
        In the unit of the weights: positive if the holding adds to the value at risk, negative if
        it is a hedge. NaN with fewer than ``min_obs`` days or without a weight.

    Raises
    ------
    ValueError
        If ``level`` or ``min_obs`` is out of range.

    Notes
    -----
    The portfolio without holding i has the returns :math:`R_t - w_i r_{it} / \text{coverage}_t`: it
    is sold, and nothing is bought for it. The figures of a portfolio do not sum to its value at
    risk, which is a quantile of different days each time; component value at risk does, but answers
    another question.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd edition, section 7.2.3.

    Examples
    --------
    A holding and its exact hedge: without the hedge the loss is back.

    >>> returns = np.array([[0.01, -0.01], [-0.02, 0.02]])
    >>> incremental_value_at_risk(
    ...     (returns @ [1.0, 1.0])[:, np.newaxis],
    ...     np.ones((2, 1)),
    ...     returns,
    ...     np.array([1.0, 1.0]),
    ...     column=np.array([0, 1]),
    ...     portfolio=np.array([0, 0]),
    ...     level=0.99,
    ...     min_obs=2,
    ... ).round(4)
    array([-0.0097, -0.0197])
    """
    value_at_risk = partial(historical_value_at_risk, level=level, min_obs=min_obs)
    whole = value_at_risk(series)
    found = np.empty(len(weight))
    for first in range(0, len(weight), _BLOCK_HOLDINGS):
        block = slice(first, first + _BLOCK_HOLDINGS)
        owner, own = portfolio[block], returns[:, column[block]]
        with np.errstate(divide="ignore", invalid="ignore"):  # days that are left out
            part = np.where(np.isfinite(own), own, 0.0) * weight[block] / coverage[:, owner]
        found[block] = whole[owner] - value_at_risk(series[:, owner] - part)
    return found
