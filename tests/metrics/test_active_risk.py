"""Comparison with the market: statsmodels and numpy as oracles, boundaries and invariants."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.active_risk import (
    HALF_LIFE,
    active_risk,
    expected_active_risk,
    market_regression,
)

repeatable = settings(max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def _market_and_returns(
    seed: int, rows: int = 90, series: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_t(4, rows)
    own = 0.02 * rng.standard_normal((rows, series))
    returns = rng.uniform(-1, 2, series) * market[:, np.newaxis] + own
    returns[rng.random(returns.shape) < 0.1] = np.nan
    market[rng.random(rows) < 0.02] = np.nan
    return market, returns


@repeatable
@given(seeds)
def test_the_regression_is_that_of_statsmodels(seed: int) -> None:
    market, returns = _market_and_returns(seed)
    found = market_regression(returns, market, min_obs=30)
    for column in range(returns.shape[1]):
        paired = np.isfinite(returns[:, column]) & np.isfinite(market)
        fit = sm.OLS(returns[paired, column], sm.add_constant(market[paired])).fit()
        np.testing.assert_allclose(
            [each[column] for each in found],
            [
                fit.params[1],
                fit.bse[1],
                fit.rsquared,
                np.sqrt(252 * fit.mse_resid),
                paired.sum(),
            ],
            rtol=1e-9,
            atol=4 * np.finfo(float).eps,  # statsmodels subtracts SSR / SST from 1
        )


@repeatable
@given(seeds)
def test_active_risk_is_that_of_the_differences(seed: int) -> None:
    market, returns = _market_and_returns(seed)
    found = active_risk(returns, market, min_obs=30)
    for column in range(returns.shape[1]):
        active = (returns[:, column] - market)[np.isfinite(returns[:, column] - market)]
        risk, mean = active.std(ddof=1) * np.sqrt(252), active.mean() * 252
        np.testing.assert_allclose(
            [each[column] for each in found], [risk, mean, mean / risk, len(active)], rtol=1e-9
        )


@pytest.mark.parametrize("function", [market_regression, active_risk])
def test_a_series_has_the_same_bits_alone_and_beside_others(function) -> None:
    market, returns = _market_and_returns(11, series=70)
    together = function(returns, market, min_obs=30)
    for column in (0, 33, 69):
        alone = function(returns[:, column : column + 1], market, min_obs=30)
        for whole, part in zip(together, alone, strict=True):
            assert whole[column] == part[0]


@pytest.mark.parametrize("function", [market_regression, active_risk])
@pytest.mark.parametrize(("n_known", "is_defined"), [(60, True), (59, False)])
def test_just_enough_pairs(function, n_known: int, is_defined: bool) -> None:
    rng = np.random.default_rng(3)
    market, returns = 0.01 * rng.standard_normal(90), 0.01 * rng.standard_normal((90, 1))
    returns[: 90 - n_known - 5] = np.nan
    market[-5:] = np.nan
    found = function(returns, market, min_obs=60)
    assert found.n_obs.tolist() == [n_known]
    for values in found[:-1]:
        assert np.isfinite(values).all() == is_defined


def test_the_index_itself_has_no_active_risk_and_a_perfect_fit() -> None:
    market = 0.01 * np.random.default_rng(4).standard_normal(90)
    found = active_risk(market[:, np.newaxis], market, min_obs=60)
    assert (found.tracking_error[0], found.active_return[0]) == (0.0, 0.0)
    assert np.isnan(found.information_ratio[0])
    fit = market_regression(market[:, np.newaxis], market, min_obs=60)
    assert [float(values[0]) for values in fit] == [1.0, 0.0, 1.0, 0.0, 90]


def test_a_constant_market_explains_nothing() -> None:
    returns = 0.01 * np.random.default_rng(5).standard_normal((90, 2))
    fit = market_regression(returns, np.full(90, 0.001), min_obs=60)
    assert all(np.isnan(values).all() for values in fit[:-1])
    assert fit.n_obs.tolist() == [90, 90]


def test_no_pair_at_all_is_undefined_without_a_warning() -> None:
    fit = market_regression(np.full((90, 1), np.nan), np.zeros(90), min_obs=60)
    assert np.isnan(fit.specific_volatility[0])
    assert fit.n_obs.tolist() == [0]


def test_expected_active_risk_is_that_of_pandas_exponential_weights() -> None:
    rng = np.random.default_rng(8)
    market = 0.01 * rng.standard_normal(252)
    returns = market[:, None] * [0.8, 1.3] + 0.006 * rng.standard_normal((252, 2))
    returns[10:30, 1] = np.nan
    found = expected_active_risk(returns, market, min_obs=126)
    for at in range(2):
        frame = pd.DataFrame({"a": returns[:, at] - market, "m": market})
        frame.loc[frame["a"].isna(), "m"] = np.nan
        moments = frame.ewm(halflife=HALF_LIFE).cov().loc[251]
        beta = moments.loc["a", "m"] / moments.loc["m", "m"]
        assert found.expected_tracking_error[at] == pytest.approx(
            np.sqrt(252 * moments.loc["a", "a"]), rel=1e-10
        )
        assert found.active_beta[at] == pytest.approx(beta, rel=1e-9)
        assert found.market_share[at] == pytest.approx(
            beta**2 * moments.loc["m", "m"] / moments.loc["a", "a"], rel=1e-9
        )
    assert found.n_obs.tolist() == [252, 232]


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_expected_active_risk_needs_enough_pairs(n_known: int, is_defined: bool) -> None:
    rng = np.random.default_rng(9)
    returns, market = rng.standard_normal((252, 1)), rng.standard_normal(252)
    market[n_known:] = np.nan
    found = expected_active_risk(returns, market, min_obs=126)
    assert all(np.isfinite(values[0]) == is_defined for values in found[:3])
    assert found.n_obs[0] == n_known


def test_expected_active_risk_of_the_index_is_0_and_of_a_flat_market_undefined() -> None:
    market = np.random.default_rng(10).standard_normal(252)
    found = expected_active_risk(market[:, None], market, min_obs=126)
    assert found.expected_tracking_error[0] == 0.0
    assert found.active_beta[0] == 0.0
    assert np.isnan(found.market_share[0])
    flat = expected_active_risk(market[:, None], np.zeros(252), min_obs=126)
    assert np.isnan(flat.expected_tracking_error[0])


def test_expected_active_risk_has_the_same_bits_alone_and_in_a_batch() -> None:
    rng = np.random.default_rng(11)
    returns, market = rng.standard_normal((252, 40)), rng.standard_normal(252)
    together = expected_active_risk(returns, market, min_obs=126)
    alone = expected_active_risk(np.ascontiguousarray(returns[:, 7:8]), market, min_obs=126)
    for one, many in zip(alone, together, strict=True):
        assert one[0] == many[7]
