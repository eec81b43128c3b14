"""Alpha: statsmodels and quantstats, boundaries and invariants."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.decayed_beta import Z_95
from riskmetrics.metrics.market_alpha import market_alpha

repeatable = settings(max_examples=30)


def _simulate(seed: int, series: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_t(4, 252)
    returns = rng.uniform(-1, 2, series) * market[:, np.newaxis]
    returns += 0.015 * rng.standard_normal((252, series))
    returns[rng.random(returns.shape) < 0.1] = np.nan
    market[rng.random(252) < 0.02] = np.nan
    return market, returns


def test_figures_are_those_of_quantstats() -> None:
    """Values of quantstats 0.0.86 on the same 252 returns, without a risk-free rate."""
    rng = np.random.default_rng(2022)
    market = 0.01 * rng.standard_t(4, 252)
    returns = 0.7 * market + 0.006 * rng.standard_normal(252)
    found = market_alpha(returns[:, np.newaxis], market, min_obs=126)
    assert found.alpha[0] == pytest.approx(0.10354919347071881)
    assert found.year_beta[0] == pytest.approx(0.7053540742386578)
    assert found.market_correlation[0] == pytest.approx(0.9241818451532294)
    assert found.treynor_ratio[0] == pytest.approx(-0.12500396363527075)


@repeatable
@given(st.integers(0, 2**32 - 1))
def test_regressions_are_those_of_statsmodels(seed: int) -> None:
    market, returns = _simulate(seed)
    found = market_alpha(returns, market, min_obs=126)
    for column in range(returns.shape[1]):
        paired = np.isfinite(returns[:, column]) & np.isfinite(market)
        own, index = returns[paired, column], market[paired]
        fit = sm.OLS(own, sm.add_constant(index)).fit()
        assert found.alpha[column] == pytest.approx(252 * fit.params[0])
        assert found.alpha_std_error[column] == pytest.approx(252 * fit.bse[0])
        assert found.year_beta[column] == pytest.approx(fit.params[1])
        correlation = np.corrcoef(own, index)[0, 1]
        assert found.market_correlation[column] == pytest.approx(correlation)
        annual = np.prod(1 + own) ** (252 / len(own)) - 1
        is_significant = abs(fit.tvalues[1]) > Z_95
        treynor = annual / fit.params[1] if is_significant else np.nan
        assert found.treynor_ratio[column] == pytest.approx(treynor, nan_ok=True)
        assert found.n_obs[column] == len(own)


def test_a_series_has_the_same_bits_alone_and_beside_others() -> None:
    market, returns = _simulate(11, series=70)
    together = market_alpha(returns, market, min_obs=126)
    for column in (0, 33, 69):
        alone = market_alpha(returns[:, column : column + 1], market, min_obs=126)
        for whole, part in zip(together, alone, strict=True):
            assert whole[column] == part[0]


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_just_enough_pairs(n_known: int, is_defined: bool) -> None:
    rng = np.random.default_rng(3)
    market = 0.01 * rng.standard_normal(252)
    returns = market[:, np.newaxis] + 0.01 * rng.standard_normal((252, 1))
    returns[: 252 - n_known - 5] = np.nan
    market[-5:] = np.nan
    found = market_alpha(returns, market, min_obs=126)
    assert found.n_obs.tolist() == [n_known]
    for values in found[:-1]:
        assert np.isfinite(values).all() == is_defined


def test_a_constant_index_explains_nothing() -> None:
    returns = 0.01 * np.random.default_rng(4).standard_normal((130, 1))
    found = market_alpha(returns, np.full(130, 0.01), min_obs=126)
    assert all(np.isnan(values[0]) for values in found[:-1])


def test_a_constant_series_has_an_alpha_and_neither_correlation_nor_treynor_ratio() -> None:
    market = 0.01 * np.random.default_rng(4).standard_normal(130)
    found = market_alpha(np.full((130, 1), 0.001), market, min_obs=126)
    assert found.alpha[0] == pytest.approx(0.252)
    assert (found.year_beta[0], found.alpha_std_error[0]) == (0.0, 0.0)
    assert np.isnan([found.market_correlation[0], found.treynor_ratio[0]]).all()


def test_no_pair_at_all_is_undefined_without_a_warning() -> None:
    found = market_alpha(np.full((130, 1), np.nan), np.zeros(130), min_obs=126)
    assert all(np.isnan(values[0]) for values in found[:-1])
    assert found.n_obs.tolist() == [0]
