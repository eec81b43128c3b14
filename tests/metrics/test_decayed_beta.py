"""Exponentially weighted betas against statsmodels and hand calculation, minimum and bits."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.metrics import windows
from riskmetrics.metrics.decayed_beta import FORECAST_ERROR_MULTIPLIER, DecayedBeta, decayed_beta

repeatable = settings(max_examples=20)
seeds = st.integers(0, 2**32 - 1)


def simulated(seed, sessions=160, series=9, missing=0.1):
    """Returns whose volatility depends on the market's, with gaps in all but the first series."""
    rng = np.random.default_rng(seed)
    market = rng.normal(3e-4, 0.01, sessions)
    noise = rng.normal(0, 1, (sessions, series)) * (0.005 + np.abs(market))[:, None]
    returns = market[:, None] * rng.normal(1, 0.5, series) + noise
    returns[rng.random(returns.shape) < missing] = np.nan
    returns[:, 0] = np.nan_to_num(returns[:, 0])
    market[[7, 52]] = np.nan
    return returns, market


def fit(y, x, **changed):
    return decayed_beta(y, x, **{"window": 100, "half_life": 30, "min_obs": 10} | changed)


def of_statsmodels(y, x, half_life):
    """Beta, robust standard error and number of pairs of one window."""
    weight = 0.5 ** (np.arange(len(y))[::-1] / half_life)
    rows = np.isfinite(y) & np.isfinite(x)
    found = sm.WLS(y[rows], sm.add_constant(x[rows]), weights=weight[rows]).fit(cov_type="HC0")
    return found.params[1], found.bse[1], rows.sum()


@pytest.mark.parametrize(("window", "half_life"), [(20, 5), (100, 30), (160, 1000)])
def test_agrees_with_weighted_least_squares_of_statsmodels(window, half_life):
    y, x = simulated(window)
    ours = fit(y, x, window=window, half_life=half_life)
    for day in range(0, len(ours.beta), 7):
        rows = slice(day, day + window)
        for series in range(y.shape[1]):
            theirs = of_statsmodels(y[rows, series], x[rows], half_life)
            found = [of[day, series] for of in (ours.beta, ours.std_error, ours.n_obs)]
            assert_allclose(found, theirs, rtol=1e-9)
    assert_array_equal(ours.forecast_std_error, FORECAST_ERROR_MULTIPLIER * ours.std_error)


def test_effective_observations_of_equal_weights_are_the_observations():
    y, x = simulated(1)
    ours = fit(y, x, half_life=1e12)
    assert_allclose(ours.effective_observations, ours.n_obs, rtol=1e-9)


def test_effective_observations_of_a_long_window_follow_from_the_half_life():
    """By hand: (1 + d) / (1 - d) for geometric weights with ratio d."""
    y, x = np.random.default_rng(2).normal(0, 0.01, (2, 400))
    ours = fit(y[:, None], x, window=400, half_life=10)
    decay = 0.5**0.1
    assert_allclose(ours.effective_observations[0, 0], (1 + decay) / (1 - decay), rtol=1e-9)


@pytest.mark.parametrize(("min_obs", "is_defined"), [(40, True), (41, False)])
def test_just_enough_pairs_are_enough(min_obs, is_defined):
    y, x = simulated(3, sessions=100, missing=0)
    y[:60, 1], x[:60] = np.nan, 0.01
    x[60:] = np.random.default_rng(3).normal(0, 0.01, 40)
    ours = fit(y, x, min_obs=min_obs)
    assert ours.n_obs[0, 1] == 40
    figures = [of[0, 1] for of in ours[:-1]]
    assert_array_equal(np.isfinite(figures), is_defined)


def test_a_constant_market_or_price_has_no_beta():
    y, x = simulated(4, sessions=100)
    flat = np.full(100, 0.001)
    assert np.isnan(fit(y, flat).beta).all()
    y[:, 2] = 0.001
    ours = fit(y, x)
    assert_array_equal(np.isnan(ours.beta[0]), np.arange(9) == 2)
    assert_array_equal(np.isnan(ours.effective_observations[0]), np.arange(9) == 2)


def test_the_market_itself_has_beta_one_without_error():
    _, x = simulated(5)
    ours = fit(np.column_stack([x, 2 * x, -x / 3]), x)
    assert_allclose(ours.beta, np.broadcast_to([1, 2, -1 / 3], ours.beta.shape), rtol=1e-14)
    assert (ours.std_error == 0).all()


@repeatable
@given(seeds, st.floats(0.01, 100), st.floats(0.01, 100), st.floats(-0.05, 0.05))
def test_scaling_scales_betas_and_a_constant_changes_nothing(seed, of_y, of_x, constant):
    y, x = simulated(seed, sessions=110)
    one, other = fit(y, x), fit(of_y * y + constant, of_x * x)
    assert_allclose(other.beta * of_x / of_y, one.beta, rtol=1e-6, atol=1e-9)
    assert_allclose(other.std_error * of_x / of_y, one.std_error, rtol=1e-6)
    assert_array_equal(other.n_obs, one.n_obs)


@repeatable
@given(seeds, st.sampled_from([64, 1024, 16_384]))
def test_a_result_has_the_same_bits_alone_and_in_any_batch(seed, block_values):
    y, x = simulated(seed)
    order = np.random.default_rng(seed).permutation(y.shape[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "_BLOCK_VALUES", block_values)
        together, permuted = fit(y, x), fit(y[:, order], x)
    for day in (0, 31, 60):
        for series in (0, 4):
            alone = fit(y[day : day + 100, series : series + 1], x[day : day + 100])
            for name in DecayedBeta._fields:
                assert getattr(together, name)[day, series] == getattr(alone, name)[0, 0]
    for whole, other in zip(together, permuted, strict=True):
        assert_array_equal(whole[:, order], other)


def test_later_returns_change_nothing():
    y, x = simulated(6)
    before = fit(y, x)
    y[150], x[151:] = 0.5, 0.3
    for one, other in zip(before, fit(y, x), strict=True):
        assert_array_equal(one[:51], other[:51])


@pytest.mark.parametrize(
    "changed", [{"min_obs": 2}, {"min_obs": 101}, {"window": 161}, {"half_life": 0.0}]
)
def test_arguments_out_of_range_are_refused(changed):
    with pytest.raises(ValueError, match="half-life required"):
        fit(*simulated(7), **changed)


def test_shapes_must_match():
    y, x = simulated(8)
    with pytest.raises(ValueError, match="over the same periods"):
        fit(y, x[1:])
