"""Risk contributions against numpy's covariances, numerical differentiation and their sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_equal

from riskmetrics.metrics.contributions import RiskContributions, risk_contributions

repeatable = settings(max_examples=40)
seeds = st.integers(0, 2**32 - 1)
PORTFOLIO, COLUMN = np.array([0, 0, 0, 0, 1, 1, 1, 2]), np.array([0, 1, 2, 3, 3, 4, 5, 2])


def book(seed, missing=0.0, sessions=80):
    """Three portfolios of eight holdings in six symbols: (series, coverage, returns, weights)."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0.0, 0.01, (sessions, 1))
    returns = common * rng.uniform(0, 2, 6) + rng.normal(0.0005, 0.01, (sessions, 6))
    returns[rng.random(returns.shape) < missing] = np.nan
    weight = rng.normal(0.0, 0.4, len(PORTFOLIO))
    return *compounded(returns, weight), returns, weight


def compounded(returns, weight):
    """Each portfolio's rescaled series and its coverage, written as a loop; days under 80 % of
    gross do not count.
    """
    series, coverage = (np.full((len(returns), 3), np.nan) for _ in range(2))
    for p in range(3):
        mine = np.flatnonzero(p == PORTFOLIO)
        for t, row in enumerate(returns):
            known = [i for i in mine if np.isfinite(row[COLUMN[i]])]
            coverage[t, p] = sum(abs(weight[i]) for i in known) / sum(abs(weight[i]) for i in mine)
            if coverage[t, p] >= 0.8:
                series[t, p] = sum(weight[i] * row[COLUMN[i]] for i in known) / coverage[t, p]
    return series, coverage


def split(series, coverage, returns, weight, min_obs=20):
    return risk_contributions(
        series, coverage, returns, weight, column=COLUMN, portfolio=PORTFOLIO, min_obs=min_obs
    )


@repeatable
@given(seeds)
def test_agrees_with_the_covariances_of_numpy_where_data_is_complete(seed):
    """Oracle: np.cov of each holding's returns with its portfolio's."""
    series, coverage, returns, weight = book(seed)
    found = split(series, coverage, returns, weight)
    for i, (p, s) in enumerate(zip(PORTFOLIO, COLUMN, strict=True)):
        covariance = np.cov(returns[:, s], series[:, p])
        marginal = covariance[0, 1] / np.sqrt(covariance[1, 1]) * np.sqrt(252)
        assert_allclose(found.marginal[i], marginal, rtol=1e-9, atol=1e-12)
        assert_allclose(found.component[i], weight[i] * marginal, rtol=1e-9, atol=1e-12)
    assert_allclose(found.volatility, series.std(axis=0, ddof=1) * np.sqrt(252), rtol=1e-12)
    assert_array_equal(found.n_obs, np.full(8, 80))


@repeatable
@given(seeds, st.sampled_from([0.0, 0.05, 0.2]))
def test_components_sum_to_the_volatility_whatever_is_missing(seed, missing):
    """Oracle: np.std of the days that count."""
    series, coverage, returns, weight = book(seed, missing)
    found = split(series, coverage, returns, weight, min_obs=2)
    for p in range(3):
        days = series[np.isfinite(series[:, p]), p]
        if len(days) >= 2:
            assert_allclose(
                np.nansum(found.component[p == PORTFOLIO]),
                days.std(ddof=1) * np.sqrt(252),
                rtol=1e-11,
            )


def test_the_marginal_contribution_is_the_derivative_of_volatility_by_weight():
    """Oracle: central differences of np.std."""
    series, coverage, returns, weight = book(5)
    found = split(series, coverage, returns, weight)
    for i, p in enumerate(PORTFOLIO):
        above, below = (
            (series[:, p] + step * returns[:, COLUMN[i]]).std(ddof=1) * np.sqrt(252)
            for step in (1e-5, -1e-5)
        )
        assert_allclose(found.marginal[i], (above - below) / 2e-5, rtol=1e-6)


def test_a_portfolio_of_one_holding_is_all_its_risk():
    found = split(*book(6))
    assert_allclose(found.component[7], found.volatility[2], rtol=1e-13)


def test_a_hedge_takes_risk_away():
    """By hand: 1 of one symbol and -0.5 of the same in another holding: 2 sd, -1 sd, together 1
    sd.
    """
    returns = np.random.default_rng(8).normal(0.0, 0.01, (50, 1))
    found = risk_contributions(
        returns,
        np.ones((50, 1)),
        returns,
        np.array([2.0, -1.0]),
        column=np.array([0, 0]),
        portfolio=np.array([0, 0]),
        min_obs=2,
    )
    sd = returns.std(ddof=1) * np.sqrt(252)
    assert_allclose(found.component, [2 * sd, -sd], rtol=1e-12)
    assert_allclose(found.volatility, [sd], rtol=1e-12)


def test_a_holding_without_returns_is_undefined_and_has_no_part_in_the_sum():
    series, coverage, returns, weight = book(9)
    column = np.where(np.arange(8) == 3, -1, COLUMN)
    weight[3], returns[:, 2] = 1e-3, np.nan
    series[:, 0] = returns[:, :2] @ weight[:2]
    coverage[:, 0] = 1.0
    found = risk_contributions(
        series, coverage, returns, weight, column=column, portfolio=PORTFOLIO, min_obs=20
    )
    assert_array_equal(found.n_obs, [80, 80, 0, 0, 80, 80, 80, 0])
    assert_array_equal(np.isnan(found.component), found.n_obs == 0)
    assert_allclose(np.nansum(found.component[:4]), found.volatility[0], rtol=1e-12)


def test_too_few_days_or_a_return_that_never_varies_leave_risk_undivided():
    series, coverage, returns, weight = book(10)
    series[19:, 0] = np.nan
    series[:, 1] = 0.0007
    found = split(series, coverage, returns, weight)
    assert_array_equal(np.isnan(found.component), [True] * 7 + [False])
    assert_array_equal(np.isnan(found.marginal), np.isnan(found.component))
    assert_array_equal(found.n_obs, [19] * 4 + [80] * 4)
    assert_array_equal(found.volatility[:2], [np.nan, 0.0])


@repeatable
@given(seeds)
def test_a_portfolio_has_the_same_bits_alone_and_in_a_batch(seed):
    series, coverage, returns, weight = book(seed, 0.05)
    batch = split(series, coverage, returns, weight)
    for p in range(3):
        mine = p == PORTFOLIO
        symbols, column = np.unique(COLUMN[mine], return_inverse=True)
        alone = risk_contributions(
            np.asfortranarray(series[:, [p]]),
            coverage[:, [p]],
            np.asfortranarray(returns[:, symbols]),
            weight[mine],
            column=column,
            portfolio=np.zeros(len(column), np.int64),
            min_obs=20,
        )
        assert_equal(
            alone, RiskContributions(*(values[mine] for values in batch[:3]), batch.volatility[[p]])
        )


def test_arrays_that_do_not_fit_raise():
    series, coverage, returns, weight = book(1)
    for wrong in (
        (series, coverage[1:], returns, weight),
        (series, coverage, returns[1:], weight),
        (series, coverage, returns, weight[1:]),
    ):
        with pytest.raises(ValueError, match="must be"):
            split(*wrong)
    with pytest.raises(ValueError, match="min_obs"):
        split(series, coverage, returns, weight, min_obs=1)
