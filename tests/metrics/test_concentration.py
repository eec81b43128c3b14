"""Concentration and sector weights against hand calculation, exact fractions and invariants."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.metrics.concentration import concentration, sector_values, sector_weights

repeatable = settings(max_examples=60)
positions = st.lists(st.floats(0.01, 1e9) | st.floats(-1e9, -0.01), min_size=1, max_size=30).map(
    np.array
)


def of_one(values):
    """The four numbers of a single portfolio."""
    return np.array(
        [
            field[0]
            for field in concentration(
                np.asarray(values, float), np.zeros(len(values), np.int64), 1
            )
        ]
    )


def test_a_long_short_portfolio_by_hand():
    """Gross 100: weights .5, .3, .2 whatever their sign; HHI .25 + .09 + .04 = .38."""
    assert_allclose(of_one([50.0, -30.0, 20.0]), [0.38, 1 / 0.38, 1.0, 1.0], rtol=1e-15)


def test_equal_weights_have_as_many_effective_positions_as_positions():
    assert_allclose(of_one(np.full(40, 2.5)), [1 / 40, 40.0, 3 / 40, 10 / 40], rtol=1e-14)


def test_a_single_position_is_all_there_is():
    assert_array_equal(of_one([-1234.56]), [1.0, 1.0, 1.0, 1.0])


def test_an_unpriced_instrument_is_ignored():
    assert_array_equal(of_one([50.0, np.nan, -30.0, 20.0, np.inf]), of_one([50.0, -30.0, 20.0]))


def test_a_portfolio_without_gross_value_is_undefined_and_leaves_the_others_alone():
    """Portfolio 1 holds nothing, 2 holds zeros, 3 holds what has no price."""
    result = concentration(np.array([3.0, 0.0, np.nan, 1.0]), np.array([0, 2, 3, 0]), 4)
    for field, expected in zip(result, [0.625, 1.6, 1.0, 1.0], strict=True):
        assert_array_equal(field, [expected, np.nan, np.nan, np.nan])


def test_no_instrument_at_all_leaves_every_portfolio_undefined():
    none = np.array([], dtype=np.int64)
    assert np.isnan(concentration(np.array([]), none, 2)).all()
    assert_array_equal(
        sector_values(np.array([]), none, none, n_portfolios=2, n_sectors=3),
        np.zeros((2, 3)),
        strict=True,
    )


@repeatable
@given(positions)
def test_agrees_with_exact_fractions_and_keeps_its_bounds(values):
    """Oracle: rational arithmetic."""
    exact = sorted((abs(Fraction(value)) for value in values), reverse=True)
    weights = [value / sum(exact) for value in exact]
    hhi, effective, top_3, top_10 = of_one(values)
    assert_allclose(hhi, float(sum(weight**2 for weight in weights)), rtol=1e-13)
    assert_allclose(
        [top_3, top_10], [float(sum(weights[:3])), float(sum(weights[:10]))], rtol=1e-13
    )
    assert effective == 1 / hhi
    assert 1 / len(values) * (1 - 1e-13) <= hhi <= 1.0
    assert top_3 <= top_10 <= 1.0


def test_rounding_does_not_push_the_largest_weights_past_one():
    """Among 1,000 portfolios of three the weights add up to 1 plus an epsilon here and there."""
    values = np.random.default_rng(3).normal(0.0, 1.0, 3000)
    result = concentration(values, np.repeat(np.arange(1000), 3), 1000)
    assert_array_equal([result.top_3.max(), result.top_10.max()], [1.0, 1.0])


@repeatable
@given(positions, st.floats(0.001, 1000.0))
def test_leverage_leaves_concentration(values, leverage):
    assert_allclose(of_one(leverage * values), of_one(values), rtol=1e-12)


@repeatable
@given(st.lists(positions, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_a_portfolio_has_the_same_bits_alone_and_in_any_batch_and_order(portfolios, random):
    values = np.concatenate(portfolios)
    portfolio = np.repeat(np.arange(len(portfolios)), [len(part) for part in portfolios])
    order = np.array(random.sample(range(len(values)), len(values)))
    batch = concentration(values[order], portfolio[order], len(portfolios))
    for index, part in enumerate(portfolios):
        assert_array_equal([field[index] for field in batch], of_one(part))


def test_sectors_by_hand():
    """Portfolio 0: gross 100, of it 60 and 40; net 60 - 20 + 20.

    Portfolio 1 holds nothing, 2 is unpriced.
    """
    values = np.array([60.0, -30.0, 10.0, np.nan])
    portfolio, sector = np.array([0, 0, 0, 2]), np.array([1, 0, 0, 1])
    net = sector_values(values, portfolio, sector, n_portfolios=3, n_sectors=2)
    assert_array_equal(net, [[-20.0, 60.0], [0.0, 0.0], [0.0, 0.0]])
    weights = sector_weights(values, portfolio, sector, n_portfolios=3, n_sectors=2)
    assert_array_equal(weights, [[0.4, 0.6], [np.nan, np.nan], [np.nan, np.nan]])


@repeatable
@given(positions, st.randoms(use_true_random=False))
def test_sector_weights_sum_to_one(values, random):
    sector = np.array([random.randrange(4) for _ in values])
    weights = sector_weights(
        values, np.zeros(len(values), np.int64), sector, n_portfolios=1, n_sectors=4
    )
    assert_allclose(weights.sum(), 1.0, rtol=1e-14)


@repeatable
@given(positions, st.randoms(use_true_random=False))
def test_sector_weights_have_the_same_bits_alone_and_in_a_batch(values, random):
    sector = np.array([random.randrange(4) for _ in values])
    portfolio = np.array([random.randrange(3) for _ in values])
    batch = sector_weights(values, portfolio, sector, n_portfolios=3, n_sectors=4)
    for index in range(3):
        mine = portfolio == index
        alone = sector_weights(
            values[mine], np.zeros(mine.sum(), np.int64), sector[mine], n_portfolios=1, n_sectors=4
        )
        assert_array_equal(batch[index], alone[0])


def test_an_index_out_of_bounds_or_missing_raises():
    values = np.array([1.0, 2.0])
    for portfolio in ([0, 3], [-1, 0], [0], [[0, 1]]):
        with pytest.raises(ValueError, match="ind"):
            concentration(values, np.array(portfolio), 3)
    with pytest.raises(
        ValueError, match="indices"
    ):  # would otherwise fall into the next portfolio's first sector
        sector_values(values, np.array([0, 1]), np.array([0, 2]), n_portfolios=3, n_sectors=2)
