"""Shape of returns: quantstats, pandas and scipy, boundaries and invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from riskmetrics.metrics.return_distribution import longest_runs, return_distribution

repeatable = settings(max_examples=30)


def _simulate(seed: int, series: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    returns = 0.01 * rng.standard_t(4, (252, series)) + rng.uniform(-0.002, 0.002, series)
    returns[rng.random(returns.shape) < 0.1] = np.nan
    returns[rng.random(returns.shape) < 0.02] = 0.0
    return returns


def test_figures_are_those_of_quantstats() -> None:
    """Values of quantstats 0.0.86 on the same 252 returns, without a risk-free rate."""
    rng = np.random.default_rng(2022)
    market = 0.01 * rng.standard_t(4, 252)
    returns = 0.7 * market + 0.006 * rng.standard_normal(252)
    found = return_distribution(returns[:, np.newaxis], min_obs=126)
    assert found.win_rate[0] == pytest.approx(0.4801587301587302)
    assert found.payoff_ratio[0] == pytest.approx(1.0226699666811807)
    assert found.omega_ratio[0] == pytest.approx(0.9446035570108615)  # profit factor and omega
    assert found.omega_ratio[0] - 1 == pytest.approx(-0.055396442989138296)  # gain to pain
    assert found.skewness[0] == pytest.approx(4.1910634937159745)
    assert found.excess_kurtosis[0] == pytest.approx(45.13028484475288)
    assert found.tail_ratio[0] == pytest.approx(0.7481479961195432)
    assert found.losing_streak[0] == 7
    assert found.probabilistic_sharpe[0] == pytest.approx(0.3942847925982082)
    assert found.kelly_leverage[0] == pytest.approx(returns.mean() / returns.var(ddof=1))


@repeatable
@given(st.integers(0, 2**32 - 1))
def test_moments_and_quantiles_are_those_of_pandas_and_scipy(seed: int) -> None:
    returns = _simulate(seed)
    found = return_distribution(returns, min_obs=126)
    for column in range(returns.shape[1]):
        own = pd.Series(returns[:, column]).dropna()
        assert found.n_obs[column] == len(own)
        assert found.skewness[column] == pytest.approx(own.skew())
        assert found.excess_kurtosis[column] == pytest.approx(own.kurt())
        assert found.skewness[column] == pytest.approx(stats.skew(own, bias=False))
        high, low = own.quantile([0.95, 0.05])
        assert found.tail_ratio[column] == pytest.approx(abs(high / low))
        gains, losses = own[own > 0], own[own < 0]
        assert found.win_rate[column] == pytest.approx((own > 0).mean())
        assert found.payoff_ratio[column] == pytest.approx(-gains.mean() / losses.mean())
        assert found.omega_ratio[column] == pytest.approx(-gains.sum() / losses.sum())
        runs = (own < 0).groupby((own >= 0).cumsum()).sum()
        assert found.losing_streak[column] == runs.max()


def test_a_series_has_the_same_bits_alone_and_beside_others() -> None:
    returns = _simulate(11, series=70)
    together = return_distribution(returns, min_obs=126)
    for column in (0, 33, 69):
        alone = return_distribution(returns[:, column : column + 1], min_obs=126)
        for whole, part in zip(together, alone, strict=True):
            assert whole[column] == part[0]


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_just_enough_returns(n_known: int, is_defined: bool) -> None:
    returns = 0.01 * np.random.default_rng(3).standard_normal((252, 1))
    returns[: 252 - n_known] = np.nan
    found = return_distribution(returns, min_obs=126)
    assert found.n_obs.tolist() == [n_known]
    for values in found[:-1]:
        assert np.isfinite(values).all() == is_defined


def test_equal_gains_have_no_shape() -> None:
    found = return_distribution(np.full((130, 1), 0.01), min_obs=126)
    assert (found.win_rate[0], found.losing_streak[0], found.tail_ratio[0]) == (1.0, 0.0, 1.0)
    ratios = (found.payoff_ratio, found.omega_ratio, found.kelly_leverage)
    for values in (*ratios, found.skewness, found.excess_kurtosis, found.probabilistic_sharpe):
        assert np.isnan(values[0])


def test_losses_alone_have_an_omega_of_zero_and_no_payoff_ratio() -> None:
    returns = np.where(np.arange(130) % 2, -0.01, -0.02)[:, np.newaxis]
    found = return_distribution(returns, min_obs=126)
    assert (found.win_rate[0], found.omega_ratio[0], found.losing_streak[0]) == (0.0, 0.0, 130.0)
    assert np.isnan(found.payoff_ratio[0])


def test_a_quantile_of_zero_has_no_tail_ratio() -> None:
    returns = np.zeros((130, 1))
    returns[:4] = [[-0.01], [0.01], [0.02], [-0.03]]
    assert np.isnan(return_distribution(returns, min_obs=126).tail_ratio[0])


@pytest.mark.parametrize("n_known", range(4))
def test_a_handful_of_returns_is_undefined_without_a_warning(n_known: int) -> None:
    """The kurtosis of up to three values divides by 0; `filterwarnings` makes a warning an
    error.
    """
    returns = np.full((130, 1), np.nan)
    returns[:n_known, 0] = [0.01, -0.02, 0.03][:n_known]
    found = return_distribution(returns, min_obs=126)
    assert all(np.isnan(values[0]) for values in found[:-1])
    assert found.n_obs.tolist() == [n_known]


def test_a_missing_return_does_not_end_a_run() -> None:
    is_true = np.array([[1, 1], [1, 0], [0, 0], [1, 0]], bool)
    is_counted = np.array([[1, 1], [1, 1], [0, 1], [1, 1]], bool)
    assert longest_runs(is_true, is_counted).tolist() == [3, 1]


@pytest.mark.parametrize("min_obs", [3, 253])
def test_a_minimum_out_of_range_is_refused(min_obs: int) -> None:
    with pytest.raises(ValueError, match="min_obs"):
        return_distribution(np.zeros((252, 1)), min_obs=min_obs)
