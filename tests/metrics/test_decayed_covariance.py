"""Exponentially weighted covariance against other libraries and numpy, its sums, sign and bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.datasets import longley

from riskmetrics.metrics.contributions import risk_contributions
from riskmetrics.metrics.decayed_covariance import (
    decayed_risk_contributions,
    shrink_to_constant_correlation,
)

repeatable = settings(max_examples=30)
seeds = st.integers(0, 2**32 - 1)
PORTFOLIO, COLUMN = np.array([0, 0, 0, 0, 1, 1, 1, 2]), np.array([0, 1, 2, 3, 3, 4, 5, 2])


def book(seed, missing=0.0, sessions=80):
    """Three portfolios of eight holdings in six symbols: (series, coverage, returns, weights)."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0.0, 0.01, (sessions, 1))
    returns = common * rng.uniform(0, 2, 6) + rng.normal(0.0005, 0.01, (sessions, 6))
    returns[rng.random(returns.shape) < missing] = np.nan
    weight = rng.normal(0.0, 0.4, len(PORTFOLIO))
    series, coverage = (np.full((sessions, 3), np.nan) for _ in range(2))
    for p in range(3):
        mine = np.flatnonzero(p == PORTFOLIO)
        known = np.isfinite(returns[:, COLUMN[mine]])
        coverage[:, p] = known @ np.abs(weight[mine]) / np.abs(weight[mine]).sum()
        total = np.where(known, returns[:, COLUMN[mine]], 0.0) @ weight[mine]
        is_counted = coverage[:, p] >= 0.8
        series[is_counted, p] = total[is_counted] / coverage[is_counted, p]
    return series, coverage, returns, weight


def split(series, coverage, returns, weight, **changed):
    arguments = {"column": COLUMN, "portfolio": PORTFOLIO, "half_life": 20, "min_obs": 20}
    return decayed_risk_contributions(series, coverage, returns, weight, **arguments | changed)


def shrunk_matrix(deviations):
    """Return the shrunk covariance matrix, entry by entry."""
    found = shrink_to_constant_correlation(deviations)
    sample, deviation = deviations.T @ deviations / len(deviations), np.sqrt(found.variance)
    target = found.mean_correlation * np.outer(deviation, deviation)
    np.fill_diagonal(target, found.variance)
    return (1 - found.intensity) * sample + found.intensity * target


def test_agrees_with_another_library_on_longleys_data():
    """Oracle: PyPortfolioOpt 1.6.0, constant correlation, with the covariance over n as in the
    paper, on the yearly growth of Longley's regressors.
    """
    growth = longley.load_pandas().exog.pct_change().dropna().to_numpy()
    deviations = growth - growth.mean(axis=0)
    found = shrink_to_constant_correlation(deviations)
    assert_allclose(found.intensity, 0.8033050129598621, rtol=1e-12)
    matrix = shrunk_matrix(deviations)
    assert_allclose(matrix[0, 1], 9.2573360678125817e-05, rtol=1e-12)
    assert_allclose(matrix[2, 3], -7.7837444720888545e-03, rtol=1e-12)
    assert_allclose(matrix[3, 5], 5.2617452493259438e-09, rtol=1e-12)
    assert_allclose(np.diag(matrix), growth.var(axis=0), rtol=1e-12)


@repeatable
@given(seeds, st.integers(2, 40), st.integers(3, 60))
def test_agrees_with_the_double_sums_of_the_paper(seed, n_series, n_obs):
    """Oracle: the estimators of Ledoit and Wolf (2004), appendix B, as they are written there."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n_obs, n_series)) * rng.uniform(0.5, 2, n_series)
    x += rng.normal(0, 1, (n_obs, 1))
    x -= x.mean(axis=0)
    s, t = x.T @ x / n_obs, n_obs
    d = np.sqrt(np.diag(s))
    pairs = [(i, j) for i in range(n_series) for j in range(n_series) if i != j]
    r = np.mean([s[i, j] / d[i] / d[j] for i, j in pairs])
    f = np.where(np.eye(n_series) == 1, s, r * np.outer(d, d))
    pi = np.einsum("tij->ij", (x[:, :, None] * x[:, None, :] - s) ** 2) / t
    rho = np.trace(pi)
    for i, j in pairs:
        crossed = x[:, i] * x[:, j] - s[i, j]
        of_i = ((x[:, i] ** 2 - s[i, i]) * crossed).sum() / t
        of_j = ((x[:, j] ** 2 - s[j, j]) * crossed).sum() / t
        rho += r / 2 * (d[j] / d[i] * of_i + d[i] / d[j] * of_j)
    gamma = ((f - s) ** 2).sum()
    expected = np.clip((pi.sum() - rho) / gamma / t, 0, 1) if n_series > 2 else 0.0
    found = shrink_to_constant_correlation(x)
    assert_allclose(found.mean_correlation, r, rtol=1e-9, atol=1e-12)
    assert_allclose(found.intensity, expected, rtol=1e-7, atol=1e-10)


@repeatable
@given(seeds, st.integers(1, 40))
def test_the_shrunk_matrix_is_positive_semidefinite_with_fewer_sessions_than_series(seed, n_obs):
    x = np.random.default_rng(seed).standard_t(3, (n_obs + 1, 30))
    values = np.linalg.eigvalsh(shrunk_matrix(x - x.mean(axis=0)))
    assert values.min() >= -1e-10 * values.max()


@repeatable
@given(seeds, st.floats(1e-3, 1e3))
def test_shrinkage_depends_neither_on_scale_nor_on_order(seed, scale):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.01, (50, 12)) + rng.normal(0, 0.01, (50, 1))
    one = shrink_to_constant_correlation(x)
    other = shrink_to_constant_correlation(scale * x[:, rng.permutation(12)])
    assert_allclose(other.intensity, one.intensity, rtol=1e-7)
    assert_allclose(other.mean_correlation, one.mean_correlation, rtol=1e-9)


def test_a_series_that_does_not_move_is_left_out_of_the_mean_correlation():
    x = np.random.default_rng(1).normal(0, 1, (40, 5))
    x[:, 4] = 0.0
    assert_allclose(
        shrink_to_constant_correlation(x).mean_correlation,
        shrink_to_constant_correlation(x[:, :4]).mean_correlation,
        rtol=1e-12,
    )
    assert shrink_to_constant_correlation(x[:, 3:])[:2] == (0.0, 0.0)


@repeatable
@given(seeds, st.sampled_from([0.0, 0.03, 0.1]))
def test_components_sum_to_the_volatility_whatever_is_missing(seed, missing):
    found = split(*book(seed, missing))
    for p in range(3):
        total = np.nansum(found.component[p == PORTFOLIO])
        assert_allclose(total, np.nan_to_num(found.volatility[p]), rtol=1e-9)


def test_equal_weights_of_one_holding_are_those_of_numpy():
    """Oracle: np.std over n; a portfolio of one holding has nothing to shrink."""
    series, coverage, returns, weight = book(2)
    found = split(series, coverage, returns, weight, half_life=1e12)
    assert_allclose(found.volatility[2], series[:, 2].std() * np.sqrt(252), rtol=1e-9)
    assert found.shrinkage[2] == 0
    assert_allclose(found.effective_observations, 80, rtol=1e-9)


def test_weights_agree_with_the_weighted_covariance_of_numpy():
    """Oracle: np.cov with analytic weights; two holdings have nothing to shrink."""
    *_, returns, weight = book(3)
    column, portfolio = np.array([0, 1]), np.array([0, 0])
    own = (returns[:, :2] @ weight[:2])[:, np.newaxis]
    found = split(own, np.ones_like(own), returns, weight[:2], column=column, portfolio=portfolio)
    decay = 0.5 ** (np.arange(80)[::-1] / 20)
    matrix = np.cov(returns[:, :2].T, aweights=decay, ddof=0)
    volatility = np.sqrt(weight[:2] @ matrix @ weight[:2] * 252)
    assert_allclose(found.volatility, [volatility], rtol=1e-9)
    assert_allclose(found.marginal, matrix @ weight[:2] * 252 / volatility, rtol=1e-9)
    assert_allclose(found.effective_observations, decay.sum() ** 2 / (decay**2).sum(), rtol=1e-12)


def test_a_recent_rise_of_volatility_counts_more_than_with_equal_weights():
    series, coverage, returns, weight = book(4)
    series[60:] *= 3
    returns[60:] *= 3
    equal = risk_contributions(
        series, coverage, returns, weight, column=COLUMN, portfolio=PORTFOLIO, min_obs=20
    )
    assert (split(series, coverage, returns, weight).volatility > 1.2 * equal.volatility).all()


@pytest.mark.parametrize(("sessions", "is_defined"), [(20, True), (19, False)])
def test_just_enough_sessions_are_enough(sessions, is_defined):
    series, coverage, returns, weight = book(5)
    series[: 80 - sessions, 0] = np.nan
    found = split(series, coverage, returns, weight)
    assert_array_equal(np.isfinite(found.volatility), [is_defined, True, True])
    assert_array_equal(np.isfinite(found.component[:4]), is_defined)


def test_a_holding_without_returns_is_undefined_and_not_part_of_the_sum():
    series, coverage, returns, weight = book(6)
    column = np.where(np.arange(8) == 3, -1, COLUMN)
    series[:, 0], coverage[:, 0] = returns[:, :3] @ weight[:3], 1.0
    found = split(series, coverage, returns, weight, column=column)
    assert_array_equal(np.isnan(found.component), np.arange(8) == 3)
    assert_allclose(found.component[:3].sum(), found.volatility[0], rtol=1e-9)


def test_returns_that_never_vary_leave_risk_undivided():
    series, coverage, returns, weight = book(7)
    returns[:, [3, 4, 5]], series[:, 1] = 0.0007, 0.0007 * weight[4:7].sum()
    found = split(series, coverage, returns, weight)
    assert found.volatility[1] == 0
    assert np.isnan(found.component[4:7]).all()


def test_a_holding_without_a_weight_changes_nothing():
    series, coverage, returns, weight = book(8)
    weight[3] = np.nan
    series[:, 0] = returns[:, :3] @ weight[:3]
    found = split(series, coverage, returns, weight)
    only = [0, 1, 2, 4, 5, 6, 7]
    others = split(
        series, coverage, returns, weight[only], column=COLUMN[only], portfolio=PORTFOLIO[only]
    )
    assert_array_equal(found.component[only], others.component)
    assert np.isnan(found.component[3])


@repeatable
@given(seeds)
def test_a_portfolio_has_the_same_bits_alone_and_in_any_order(seed):
    series, coverage, returns, weight = book(seed, 0.05)
    together = split(series, coverage, returns, weight)
    order = np.random.default_rng(seed).permutation(8)
    shuffled = split(
        series,
        coverage,
        returns,
        weight[order],
        column=COLUMN[order],
        portfolio=PORTFOLIO[order],
    )
    alone = split(
        series[:, 1:2],
        coverage[:, 1:2],
        returns,
        weight[4:7],
        column=COLUMN[4:7],
        portfolio=np.zeros(3, int),
    )
    assert_array_equal(shuffled.component, together.component[order])
    assert_array_equal(shuffled.volatility, together.volatility)
    assert_array_equal(alone.component, together.component[4:7])
    assert_array_equal(alone.volatility, together.volatility[1:2])
