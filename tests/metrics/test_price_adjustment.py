"""Adjustment for splits and dividends, compared with the holdings of a shareholder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.price_adjustment import (
    dividend_factors,
    has_raw_closes,
    later_split_factors,
)

repeatable = settings(max_examples=60)
MOVES = st.lists(st.floats(0.97, 1.03), min_size=2, max_size=12)
RATIOS = st.sampled_from([2.0, 3.0, 1.5, 0.1, 20.0, 4.0])


@repeatable
@given(MOVES, RATIOS, st.data())
def test_raw_closes_are_told_from_adjusted_ones_and_become_them(moves, ratio, data):
    """Oracle: the value of one share that is held through the split."""
    value = 100 * np.cumprod(moves)
    day = data.draw(st.integers(1, len(moves) - 1))
    splits = np.ones(len(moves))
    splits[day] = ratio
    shares = np.cumprod(splits)
    raw = value / shares
    adjusted = value / shares[-1]
    assert has_raw_closes(raw, splits) is True
    assert has_raw_closes(adjusted, splits) is False
    assert raw / later_split_factors(splits) == pytest.approx(adjusted, rel=1e-12)


@repeatable
@given(MOVES, st.floats(1.01, 1.2), st.data())
def test_small_splits_are_decided_by_the_adjusted_closes(moves, ratio, data):
    value = 100 * np.cumprod(moves)
    splits = np.ones(len(moves))
    splits[data.draw(st.integers(1, len(moves) - 1))] = ratio
    assert has_raw_closes(value / np.cumprod(splits), splits, value) is True
    assert has_raw_closes(value, splits, value) is False


@pytest.mark.parametrize(
    ("remainder_of_raw", "is_raw"), [(0.99, True), (1.01, None), (1.98, None), (2.02, False)]
)
def test_a_split_is_decided_from_twice_the_other_remainder_on(remainder_of_raw, is_raw):
    """The remainders of both readings add up to the logarithm of the ratio, 3 times the unit."""
    unit = np.log(8) / 3
    closes = np.array([np.exp(np.log(8) - remainder_of_raw * unit), 1.0])
    assert has_raw_closes(closes, np.array([1.0, 8.0])) is is_raw


def test_splits_that_contradict_each_other_are_undecided_and_small_ones_do_not_matter():
    assert has_raw_closes(np.array([100.0, 50.0, 50.0]), np.array([1.0, 2.0, 2.0])) is None
    assert has_raw_closes(np.array([100.0, 50.0, 48.0]), np.array([1.0, 2.0, 1.05])) is True
    assert has_raw_closes(np.array([50.0, 50.0]), np.array([1.0, 1.0])) is None


@repeatable
@given(
    st.lists(
        st.tuples(st.floats(20, 200), st.sampled_from([0, 0, 0.5, 3.25])), min_size=2, max_size=9
    )
)
def test_adjusted_closes_have_the_return_of_a_buyer_at_the_price_without_the_dividend(rows):
    closes, dividends = np.array(rows, dtype=float).T
    adjusted = closes * dividend_factors(closes, dividends)
    returns = closes[1:] / (closes[:-1] - dividends[1:])
    assert adjusted[1:] / adjusted[:-1] == pytest.approx(returns, rel=1e-12)
    assert adjusted[-1] == closes[-1]
