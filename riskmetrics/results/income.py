"""Distributions: those of symbols by ex-date, and those that portfolios received."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.distributions import cash_distribution

NO_DISTRIBUTIONS = pd.DataFrame(
    {"symbol": pd.Series(dtype=object), "date": pd.Series(dtype="datetime64[s]"), "amount": []}
)
"""Events of `Distributions` if closes show none."""


class Distributions(NamedTuple):
    """Known distributions of symbols."""

    events: pd.DataFrame
    """symbol, date (ex-day), amount per share in the prices' currency; NaN where unknown."""
    single_close_symbols: frozenset[str]
    """Symbols with only one kind of close, from which no distribution can be inferred."""


class Income(NamedTuple):
    """Distributions of portfolios in currency, each (P, D) except by_instrument.

    Short lots pay them.
    """

    daily: FloatArray
    """Sum over instruments with known distributions; NaN if there are none."""
    n_known: FloatArray
    """Listed instruments whose distributions of the day are known."""
    n_listed: FloatArray
    """Listed instruments held overnight before the day."""
    n_single: FloatArray
    """Listed instruments held overnight without an adjusted close."""
    by_instrument: FloatArray
    """Known distributions of each instrument, (I, D)."""
    cash: FloatArray
    """Received between the cash anchor and each day; with the opposite sign before the anchor."""
    cumulative: FloatArray
    """Received since entry by lots with a known entry date."""


def infer_distributions(
    steps: pd.DataFrame, single_close_symbols: Sequence[str], suspects: pd.DataFrame | None = None
) -> Distributions:
    """Infer distributions from the days on which adj_close / close changes.

    ``steps`` are those of `db.stored_prices.find_adjustment_steps`: symbol, date, and both closes
    of the day and of the row before it. The amount is unknown on the session of one of
    ``suspects``, rows of `panels.suspected_splits`.
    """
    names = ("close_before", "close", "adj_close_before", "adj_close")
    scales = {name: steps[name].to_numpy(float) for name in ("close_scale", "adj_close_scale")}
    amount = cash_distribution(*(steps[name].to_numpy(float) for name in names), **scales)
    if suspects is not None:
        moves = pd.MultiIndex.from_frame(suspects[["symbol", "date"]])
        amount[pd.MultiIndex.from_frame(steps[["symbol", "date"]]).isin(moves)] = np.nan
    amount = _reverse_bad_ticks(steps, amount)
    events = pd.DataFrame({"symbol": steps["symbol"], "date": steps["date"], "amount": amount})
    return Distributions(events[events["amount"] != 0], frozenset(single_close_symbols))


_SAME_LEVEL_TOLERANCE = 2e-3
"""Relative tolerance for adj_close / close to count as back at its level two rows before.

At most half of the step may be left, too: rounding moves the level of every row a little, so that a
dividend of less than the tolerance follows or precedes a step.
"""


def _reverse_bad_ticks(steps: pd.DataFrame, amount: FloatArray) -> FloatArray:
    """Reverse the amount caused by one wrong price, on the step back to the previous adjustment."""
    before = steps.shift(1)
    level = before["adj_close_before"] / before["close_before"]
    is_next_row = (steps["symbol"] == before["symbol"]) & (steps["close_before"] == before["close"])
    is_next_row &= steps["adj_close_before"] == before["adj_close"]
    step, left = ((rows["adj_close"] / rows["close"] / level - 1).abs() for rows in (before, steps))
    is_back = is_next_row & (left < _SAME_LEVEL_TOLERANCE) & (left < step / 2)
    paid = np.nan_to_num(np.roll(amount, 1))
    return np.where(is_back, -paid, amount)
