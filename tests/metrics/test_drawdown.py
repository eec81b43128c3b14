"""Drawdowns against every pair of closes, hand calculation and their invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_equal

from riskmetrics.metrics.drawdown import Drawdown, drawdown

repeatable = settings(max_examples=60)
seeds = st.integers(0, 2**32 - 1)


def of_closes(*closes):
    """The drawdown of one series of closes."""
    closes = np.array(closes, float)
    return Drawdown(
        *(values[0] for values in drawdown((closes[1:] / closes[:-1] - 1)[:, None], min_obs=1))
    )


def panel(seed):
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.03, (40, 6))
    returns[rng.random(returns.shape) < 0.1] = np.nan
    return returns


def test_hand_calculated_path():
    """From 100 to 120 at close 1, down to 90 at 3, a new high of 150 at 5, down to 135."""
    found = of_closes(100, 120, 108, 90, 130, 150, 135)
    assert_allclose([found.max_drawdown, found.current_drawdown], [0.25, 0.10], rtol=1e-14)
    assert found[1:2] + found[3:] == (5, 1, 3, 6)


def test_a_fall_from_the_first_day_starts_at_the_close_before_it():
    found = of_closes(100, 80, 90)
    assert_allclose([found.max_drawdown, found.current_drawdown], [0.20, 0.10], rtol=1e-14)
    assert (found.current_drawdown_peak, found.max_drawdown_peak, found.max_drawdown_trough) == (
        0,
        0,
        1,
    )


def test_a_rising_path_has_no_drawdown():
    found = of_closes(1, 2, 3, 4)
    assert (found.max_drawdown, found.current_drawdown) == (0.0, 0.0)
    assert (found.current_drawdown_peak, found.max_drawdown_peak, found.max_drawdown_trough) == (
        3,
        -1,
        -1,
    )


def test_a_missing_return_changes_nothing_and_is_not_counted():
    """The high of close 1 and the trough of close 3 last through a missing day each."""
    found = drawdown(np.array([[0.25], [np.nan], [-0.5], [np.inf], [0.5]]), min_obs=3)
    assert_array_equal(np.concatenate(found), [0.25, 1, 0.5, 1, 3, 3])


def test_total_loss_keeps_drawdown_at_one():
    found = drawdown(np.array([[0.1], [-1.5], [3.0], [-0.2]]), min_obs=1)
    assert_array_equal(np.concatenate(found), [1, 1, 1, 1, 2, 4])


def test_too_few_returns_leave_the_count():
    found = drawdown(np.array([[0.1, np.nan], [-0.1, np.nan], [np.nan, 0.1]]), min_obs=2)
    assert_array_equal([values[1] for values in found], [np.nan, -1, np.nan, -1, -1, 1])
    assert_array_equal(np.isfinite([values[0] for values in found]), True)


@repeatable
@given(seeds)
def test_agrees_with_the_worst_of_all_pairs_of_closes(seed):
    """Oracle: every earlier close against every later one."""
    returns = panel(seed)
    found = drawdown(returns, min_obs=1)
    wealth = np.vstack([np.ones(6), np.cumprod(1 + np.nan_to_num(returns), axis=0)])
    for series in range(6):
        path = wealth[:, series]
        worst = max(
            1 - path[later] / path[earlier] for later in range(41) for earlier in range(later + 1)
        )
        assert_allclose(found.max_drawdown[series], worst, rtol=1e-12)
        assert_allclose(
            1 - path[found.max_drawdown_trough[series]] / path[found.max_drawdown_peak[series]],
            worst,
            rtol=1e-12,
        )
        assert_allclose(
            found.current_drawdown[series], 1 - path[-1] / path.max(), rtol=1e-12, atol=1e-15
        )
        assert found.current_drawdown_peak[series] == path.argmax()
    assert (
        (found.current_drawdown >= 0)
        & (found.current_drawdown <= found.max_drawdown)
        & (found.max_drawdown <= 1)
    ).all()
    assert (found.max_drawdown_peak <= found.max_drawdown_trough).all()


@repeatable
@given(seeds)
def test_a_series_has_the_same_bits_alone_and_in_a_batch(seed):
    returns = panel(seed)
    batch = drawdown(returns, min_obs=30)
    for series in range(6):
        alone = drawdown(np.asfortranarray(returns[:, [series]]), min_obs=30)
        assert_equal(alone, Drawdown(*(values[[series]] for values in batch)))


def test_as_many_returns_as_the_minimum_are_enough() -> None:
    found = drawdown(np.array([[0.1], [-0.2]]), min_obs=2)
    assert found.max_drawdown == pytest.approx([0.2], rel=1e-15)


def test_a_wrong_shape_or_minimum_raises():
    for returns, min_obs in ((np.zeros(3), 1), (np.zeros((3, 1)), 0), (np.zeros((3, 1)), 4)):
        with pytest.raises(ValueError, match="min_obs"):
            drawdown(returns, min_obs=min_obs)
