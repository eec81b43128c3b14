"""Joint regression on factors: statsmodels and pandas as oracles, boundaries and invariants."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor

from riskmetrics.metrics.factor_model import (
    MAX_VIF,
    FactorFit,
    age_weights,
    fit_factors,
    select_factors,
)

repeatable = settings(max_examples=30)
seeds = st.integers(0, 2**32 - 1)
ROWS, FACTORS, SERIES = 252, 4, 5
WEIGHTS = age_weights(ROWS, 126)


def _factors_and_returns(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factors = 0.01 * rng.standard_t(5, (ROWS, FACTORS)) @ rng.normal(size=(FACTORS, FACTORS))
    betas = rng.uniform(-1.5, 1.5, (FACTORS, SERIES))
    noise = 0.02 * rng.standard_normal((ROWS, SERIES)) * (1 + 20 * np.abs(factors[:, :1]))
    return factors, factors @ betas + noise, betas


def _with_gaps(values: np.ndarray, seed: int, share: float) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(values.shape) < share, np.nan, values)


@repeatable
@given(seeds)
def test_the_fit_is_the_weighted_one_of_statsmodels(seed: int) -> None:
    factors, returns, _ = _factors_and_returns(seed)
    factors, returns = _with_gaps(factors, seed, 0.02), _with_gaps(returns, seed + 1, 0.1)
    found = fit_factors(returns, factors, WEIGHTS, min_obs=100)
    for column in range(SERIES):
        rows = np.isfinite(returns[:, column]) & np.isfinite(factors).all(axis=1)
        model = sm.WLS(returns[rows, column], sm.add_constant(factors[rows]), WEIGHTS[rows])
        fit = model.fit(cov_type="HC1")
        for name, expected in (
            ("exposure", fit.params[1:]),
            ("std_error", fit.bse[1:]),
            ("t_statistic", fit.tvalues[1:]),
        ):
            np.testing.assert_allclose(getattr(found, name)[:, column], expected, rtol=1e-7)
        assert found.r_squared[column] == pytest.approx(fit.rsquared, rel=1e-9)
        assert found.n_obs[column] == rows.sum()


@repeatable
@given(seeds)
def test_contributions_sum_to_the_age_weighted_volatility_of_pandas(seed: int) -> None:
    factors, returns, _ = _factors_and_returns(seed)
    found = fit_factors(returns, factors, WEIGHTS, min_obs=100)
    expected = pd.DataFrame(returns).ewm(halflife=126).std(bias=False).iloc[-1] * np.sqrt(252)
    np.testing.assert_allclose(found.volatility, expected, rtol=1e-9)
    np.testing.assert_allclose(found.component.sum(axis=0) + found.specific, expected, rtol=1e-9)
    np.testing.assert_allclose(1 - found.specific / expected, found.r_squared, atol=1e-9)
    weighted = np.cov(factors.T, returns.T, aweights=WEIGHTS)
    for column in range(SERIES):
        covariance = weighted[:FACTORS, FACTORS + column]
        np.testing.assert_allclose(
            found.component[:, column],
            found.exposure[:, column]
            * covariance
            * np.sqrt(252)
            / np.sqrt(weighted[FACTORS + column, FACTORS + column]),
            rtol=1e-7,
            atol=1e-12,
        )


@repeatable
@given(seeds)
def test_inflation_is_that_of_statsmodels(seed: int) -> None:
    factors, _, _ = _factors_and_returns(seed)
    found = select_factors(factors, np.ones(ROWS), min_obs=100, max_vif=np.inf)
    design = sm.add_constant(factors)
    expected = [variance_inflation_factor(design, k + 1) for k in range(FACTORS)]
    np.testing.assert_allclose(found.vif, expected, rtol=1e-6)
    assert found.kept.all()


def test_known_exposures_are_within_their_errors_as_often_as_stated() -> None:
    """Of 4,000 exposures, 93-97 % are within 1.96 standard errors of what simulated them."""
    inside = []
    for seed in range(200):
        factors, returns, betas = _factors_and_returns(seed)
        found = fit_factors(returns, factors, WEIGHTS, min_obs=100)
        inside.append(np.abs(found.exposure - betas) < 1.96 * found.std_error)
    assert 0.93 < np.mean(inside) < 0.97


def test_a_factor_on_the_limit_of_inflation_is_kept_and_the_next_number_beyond_is_not() -> None:
    rng = np.random.default_rng(1)
    market = rng.standard_normal(ROWS)
    factors = np.column_stack([market, market + 0.3 * rng.standard_normal(ROWS)])
    vif = select_factors(factors, WEIGHTS, min_obs=100, max_vif=np.inf).vif[1]
    assert vif > MAX_VIF
    at, below = (
        select_factors(factors, WEIGHTS, min_obs=100, max_vif=limit)
        for limit in (vif, np.nextafter(vif, 0))
    )
    assert at.kept.tolist() == [True, True]
    assert below.kept.tolist() == [True, False]
    assert below.vif.tolist() == [1, vif]


def test_factors_are_dropped_from_the_most_inflated_and_later_on_and_never_the_first() -> None:
    rng = np.random.default_rng(2)
    first, second, third = rng.standard_normal((3, ROWS))
    same = np.column_stack([first, second, third, first + second, third])
    found = select_factors(same, WEIGHTS, min_obs=100)
    assert found.kept.tolist() == [True, True, True, False, False]
    assert np.isinf(found.vif[3:]).all()
    assert (found.vif[:3] < 1.2).all()
    pair = select_factors(np.column_stack([first, 2 * first]), WEIGHTS, min_obs=100)
    assert pair.kept.tolist() == [True, False]


def test_a_constant_or_short_factor_is_left_out_without_inflation() -> None:
    rng = np.random.default_rng(3)
    factors = 0.01 * rng.standard_normal((ROWS, 3))
    factors[:, 1] = 0.1
    for n_known, is_kept in ((100, True), (99, False)):
        factors[:, 2] = np.where(np.arange(ROWS) < ROWS - n_known, np.nan, factors[:, 0] ** 2)
        found = select_factors(factors, WEIGHTS, min_obs=100)
        assert found.kept.tolist() == [True, False, is_kept]
        assert np.isnan(found.vif).tolist() == [False, True, not is_kept]


@pytest.mark.parametrize("shorter", [1, 2])
def test_a_factor_that_shares_too_few_rows_is_left_out_alone(shorter: int) -> None:
    rng = np.random.default_rng(8)
    factors = 0.01 * rng.standard_normal((ROWS, 4))
    longer = 3 - shorter
    factors[-60:, longer] = np.nan
    for n_known, is_kept in ((160, True), (159, False)):
        short = factors.copy()
        short[:-n_known, shorter] = np.nan  # 100 or 99 rows in common with the longer one
        found = select_factors(short, WEIGHTS, min_obs=100)
        others = np.delete(short, shorter, axis=1)
        alone = select_factors(others, WEIGHTS, min_obs=100)
        assert found.kept[shorter] == is_kept
        assert np.delete(found.kept, shorter).all()
        if not is_kept:
            assert np.isnan(found.vif[shorter])
            assert (np.delete(found.vif, shorter) == alone.vif).all()


def test_as_many_rows_as_are_needed_are_enough_and_one_less_is_not() -> None:
    factors, returns, _ = _factors_and_returns(4)
    returns[: ROWS - 100, 0] = returns[: ROWS - 99, 1] = np.nan
    found = fit_factors(returns, factors, WEIGHTS, min_obs=100)
    assert found.n_obs[:3].tolist() == [100, 99, ROWS]
    assert np.isfinite(found.exposure).all(axis=0)[:3].tolist() == [True, False, True]
    assert np.isnan(found.volatility[:3]).tolist() == [False, True, False]


@repeatable
@given(seeds)
def test_a_series_has_the_same_bits_alone_and_in_a_batch(seed: int) -> None:
    factors, returns, _ = _factors_and_returns(seed)
    returns = np.tile(_with_gaps(returns, seed, 0.001), (1, 20))
    whole = fit_factors(returns, factors, WEIGHTS, min_obs=100)
    for column in (0, 1, 37, returns.shape[1] - 1):
        alone = fit_factors(returns[:, [column]], factors, WEIGHTS, min_obs=100)
        for batch, single in zip(whole, alone, strict=True):
            assert (batch[..., column] == single[..., 0]).all()


def test_a_factor_fund_has_an_exposure_of_one_to_itself_and_none_to_others() -> None:
    factors, _, _ = _factors_and_returns(5)
    fund = factors[:, [0]] + factors[:, [2]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_factors(fund, factors, WEIGHTS, min_obs=100)
    np.testing.assert_allclose(found.exposure[:, 0], [1, 0, 1, 0], rtol=1e-12)
    assert found.exposure[[1, 3], 0].tolist() == [0, 0]
    assert found.std_error[:, 0].tolist() == [0] * FACTORS
    assert np.isnan(found.t_statistic).all()
    assert (found.r_squared[0], found.specific[0]) == (1, 0)


def test_a_constant_series_has_no_exposure_and_no_r_squared() -> None:
    factors, _, _ = _factors_and_returns(6)
    found = fit_factors(np.full((ROWS, 1), 0.1), factors, WEIGHTS, min_obs=100)
    assert found.exposure[:, 0].tolist() == found.component[:, 0].tolist() == [0] * FACTORS
    assert (found.volatility[0], found.specific[0]) == (0, 0)
    assert np.isnan(found.r_squared[0])


def test_collinear_factors_have_no_fit() -> None:
    factors, returns, _ = _factors_and_returns(7)
    factors[:, 3] = factors[:, 0] - factors[:, 1]
    found = fit_factors(returns, factors, WEIGHTS, min_obs=100)
    assert all(np.isnan(getattr(found, name)).all() for name in FactorFit._fields[:-1])


def test_shapes_and_minimums_are_checked() -> None:
    factors, returns, _ = _factors_and_returns(8)
    with pytest.raises(ValueError, match="same rows"):
        fit_factors(returns[1:], factors, WEIGHTS, min_obs=100)
    fit_factors(returns, factors, WEIGHTS, min_obs=FACTORS + 2)
    with pytest.raises(ValueError, match="min_obs >= 6, not 5"):
        fit_factors(returns, factors, WEIGHTS, min_obs=FACTORS + 1)
