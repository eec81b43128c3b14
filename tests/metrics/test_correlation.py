"""Correlations against pandas, scipy and hand calculation, and their invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import linalg

from riskmetrics.metrics.correlation import (
    diversification_ratio,
    first_component_share,
    pairwise_correlation,
)

repeatable = settings(max_examples=40)
seeds = st.integers(0, 2**32 - 1)


def simulated(seed, missing=0.0, series=8, sessions=60):
    rng = np.random.default_rng(seed)
    returns = rng.normal(5e-4, 0.01, (sessions, series)) + rng.normal(0, 0.01, (sessions, 1))
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns


@repeatable
@given(seeds, st.sampled_from([0.0, 0.2, 0.6]))
def test_agrees_with_pandas_pair_by_pair(seed, missing):
    returns = simulated(seed, missing)
    found = pairwise_correlation(returns, min_obs=12)
    frame = pd.DataFrame(returns)
    assert_allclose(found.correlation, frame.corr(min_periods=12), rtol=1e-9, atol=1e-12)
    assert_array_equal(found.n_obs, frame.notna().astype(int).T @ frame.notna().astype(int))


@pytest.mark.parametrize(("min_obs", "is_defined"), [(30, True), (31, False)])
def test_just_enough_common_sessions_are_enough(min_obs, is_defined):
    returns = simulated(1, series=2)
    returns[:15, 0], returns[45:, 1] = np.nan, np.nan
    found = pairwise_correlation(returns, min_obs=min_obs)
    assert found.n_obs[0, 1] == 30
    assert np.isfinite(found.correlation[0, 1]) == is_defined


def test_a_series_that_does_not_move_has_no_correlation():
    returns = simulated(2, series=3)
    returns[:, 1] = 0.0007
    found = pairwise_correlation(returns, min_obs=10).correlation
    assert_array_equal(np.isnan(found), [[False, True, False], [True] * 3, [False, True, False]])


@repeatable
@given(seeds)
def test_scale_changes_nothing_and_order_only_the_order(seed):
    returns = simulated(seed, 0.1)
    rng = np.random.default_rng(seed)
    order, scale = rng.permutation(8), rng.uniform(0.1, 10, 8)
    one = pairwise_correlation(returns, min_obs=10).correlation
    other = pairwise_correlation((scale * returns)[:, order], min_obs=10).correlation
    assert_allclose(other, one[np.ix_(order, order)], rtol=1e-9, atol=1e-12)
    assert_array_equal(one, one.T)


@repeatable
@given(seeds)
def test_complete_correlations_are_positive_semidefinite(seed):
    found = pairwise_correlation(simulated(seed, series=30, sessions=20), min_obs=2)
    assert np.linalg.eigvalsh(found.correlation).min() > -1e-12


def test_the_first_components_share_is_that_of_the_singular_values():
    """Oracle: squared singular values of the standardized returns, by scipy."""
    returns = simulated(3)
    standardized = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    values = linalg.svdvals(standardized) ** 2
    matrix = pairwise_correlation(returns, min_obs=2).correlation
    assert_allclose(first_component_share(matrix), values[0] / values.sum(), rtol=1e-12)
    assert np.isnan(first_component_share(np.array([[1.0, np.nan], [np.nan, 1.0]])))


def test_equal_correlations_have_a_known_first_component():
    """By hand: (1 + (n - 1) r) / n."""
    matrix = np.full((5, 5), 0.4) + 0.6 * np.eye(5)
    assert_allclose(first_component_share(matrix), (1 + 4 * 0.4) / 5, rtol=1e-12)


@repeatable
@given(seeds)
def test_the_ratio_is_that_of_the_covariance_and_at_least_one_without_short_positions(seed):
    """Oracle: numpy's covariance."""
    returns = simulated(seed)
    weight = np.random.default_rng(seed).dirichlet(np.ones(8))
    covariance = np.cov(returns.T)
    deviation, of_portfolio = np.sqrt(np.diag(covariance)), np.sqrt(weight @ covariance @ weight)
    found = diversification_ratio(weight, returns.std(axis=0, ddof=1), of_portfolio)
    assert_allclose(found, weight @ deviation / of_portfolio, rtol=1e-9)
    assert found >= 1 - 1e-12
    assert_allclose(diversification_ratio(3 * weight, deviation, 3 * of_portfolio), found)


def test_holdings_with_a_volatility_stand_for_the_others():
    """By hand: the half that is known has 0.2; without any there is no ratio."""
    weight = np.array([0.5, -0.5])
    assert diversification_ratio(weight, np.array([0.2, np.nan]), 0.1) == 2.0
    assert np.isnan(diversification_ratio(weight, np.full(2, np.nan), 0.1))
    assert np.isnan(diversification_ratio(weight, np.full(2, 0.2), 0.0))


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        pairwise_correlation(simulated(4), min_obs=1)
