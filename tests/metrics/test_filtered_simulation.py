"""Filtered historical simulation against a recursion in pandas, and its invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.filtered_simulation import (
    FILTER_DECAY,
    FILTER_WINDOW,
    N_PATHS,
    filter_returns,
    simulate_paths,
    volatility_ratios,
)
from riskmetrics.metrics.tail_risk import VAR_WINDOW, HistoricalRisk, historical_risk

ROWS = VAR_WINDOW + FILTER_WINDOW


def _returns(seed: int, rows: int = ROWS, series: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scale = np.exp(np.cumsum(rng.normal(0.0, 0.05, (rows, series)), axis=0))
    return 0.01 * scale * rng.standard_t(5, (rows, series))


def _filtered_risk(returns: np.ndarray, level: float = 0.95, min_obs: int = 126) -> HistoricalRisk:
    """Return the quantile and the tail mean of filtered returns."""
    return historical_risk(filter_returns(returns), level=level, min_obs=min_obs)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_agrees_with_volatility_updating_by_pandas(level: float) -> None:
    returns = _returns(1)
    squares = pd.DataFrame(returns**2)
    expected = []
    for name in squares:
        # the weighted mean of each window of 252 squares, as pandas' own adjusted recursion
        volatility = np.sqrt(
            squares[name]
            .rolling(FILTER_WINDOW)
            .apply(
                lambda window: window.ewm(alpha=1 - FILTER_DECAY, adjust=True).mean().iloc[-1],
                raw=False,
            )
        )
        residuals = returns[:, name] / volatility.shift(1)
        losses = -(residuals * volatility.iloc[-1]).dropna().to_numpy()
        at_risk = np.quantile(losses, level)
        expected.append((at_risk, losses[losses >= at_risk].mean()))
    found = _filtered_risk(returns, level, min_obs=500)
    np.testing.assert_allclose(np.transpose(found[:2]), expected, rtol=1e-12)
    assert found.n_obs.tolist() == [VAR_WINDOW] * 4


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0))
def test_scales_with_the_returns_and_ignores_what_is_older(seed: int, factor: float) -> None:
    returns = _returns(seed, ROWS + 7)
    found = _filtered_risk(returns)
    scaled = _filtered_risk(factor * returns)
    np.testing.assert_allclose(scaled.value_at_risk, factor * found.value_at_risk, rtol=1e-12)
    alone = _filtered_risk(returns[7:, 2:3])
    assert alone.value_at_risk[0] == found.value_at_risk[2]  # to the last bit
    assert (found.expected_shortfall >= found.value_at_risk).all()


def test_is_the_historical_one_while_volatility_is_constant() -> None:
    signs = np.where(np.random.default_rng(3).random((ROWS, 3)) < 0.3, -1.0, 1.0)
    returns = 0.01 * signs
    filtered = _filtered_risk(returns)
    historical = historical_risk(returns, level=0.95, min_obs=126)
    np.testing.assert_allclose(filtered[:2], historical[:2], rtol=1e-12)


def test_rises_with_the_last_days_where_the_historical_one_waits_for_its_quantile() -> None:
    calm = 0.01 * np.random.default_rng(5).standard_normal((ROWS, 1))
    stormy = calm.copy()
    stormy[-20:] *= 4.0
    before, after = (_filtered_risk(each).value_at_risk[0] for each in (calm, stormy))
    assert after > 2.0 * before
    assert historical_risk(stormy, level=0.95, min_obs=126).value_at_risk[0] < 1.3 * before


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_needs_enough_returns_with_a_volatility_before_them(n_known: int, is_defined: bool) -> None:
    returns = _returns(7, series=1)
    returns[: ROWS - n_known - 63] = np.nan  # 63 returns make the first volatility
    found = _filtered_risk(returns)
    assert found.n_obs.tolist() == [n_known]
    assert np.isfinite(found.value_at_risk).all() == is_defined


def test_a_day_without_volatility_before_it_is_left_out() -> None:
    returns = _returns(9, series=1)
    returns[: ROWS - 200] = 0.0  # unchanged prices: volatility 0 until the first move
    found = _filtered_risk(returns)
    assert found.n_obs.tolist() == [199]
    assert np.isfinite(found.value_at_risk).all()


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"T >= 756, not \(755, 1\)"):
        _filtered_risk(np.zeros((ROWS - 1, 1)))


def _exact_sum(values: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Oracle: outcomes and probabilities of a sum of draws from integers, by convolution."""
    low = values.min()
    one = np.bincount(values - low) / len(values)
    whole = np.ones(1)
    for _ in range(horizon):
        whole = np.convolve(whole, one)
    return np.arange(len(whole)) + horizon * low, whole


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_paths_have_the_quantiles_of_the_exact_convolution(level: float) -> None:
    values = np.round(np.random.default_rng(12).standard_t(4, VAR_WINDOW) * 100).astype(int)
    outcomes, probabilities = _exact_sum(values, 10)
    outcomes = outcomes - 10 * values.mean()
    paths = simulate_paths(values[:, None].astype(float), horizon=10)[:, 0]
    losses = -outcomes[::-1]
    at = np.searchsorted(np.cumsum(probabilities[::-1]), level)
    exact, found = losses[at], np.quantile(-paths, level)
    # the share of paths beyond a quantile has a standard error of sqrt(p (1 - p) / 2,000)
    inside = np.quantile(-paths, np.clip(level + 2.5 * np.array([-1, 1]) * np.sqrt(
        level * (1 - level) / N_PATHS), 0, 1))  # fmt: skip
    assert inside[0] <= exact <= inside[1]
    assert found == pytest.approx(exact, rel=0.1)


def test_paths_have_mean_0_and_the_variance_of_ten_sessions() -> None:
    filtered = 0.01 * np.random.default_rng(13).standard_t(5, (VAR_WINDOW, 3)) + 0.001
    paths = simulate_paths(filtered, horizon=10)
    np.testing.assert_allclose(paths.mean(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(paths.var(axis=0), 10 * filtered.var(axis=0), rtol=0.1)


def test_one_session_is_the_sample_itself_less_its_mean() -> None:
    values = np.arange(8.0)[:, None]
    paths = simulate_paths(values, horizon=1, n_paths=16)
    np.testing.assert_array_equal(np.sort(paths[:, 0]), np.repeat(np.arange(8.0) - 3.5, 2))


def test_paths_skip_missing_changes_and_have_the_same_bits_alone() -> None:
    filtered = 0.01 * np.random.default_rng(14).standard_normal((VAR_WINDOW, 5))
    filtered[::3, 1] = np.nan
    filtered[:, 4] = np.nan
    together = simulate_paths(filtered, horizon=10)
    for column in range(4):
        alone = simulate_paths(np.ascontiguousarray(filtered[:, column : column + 1]), horizon=10)
        np.testing.assert_array_equal(alone[:, 0], together[:, column])
    known = filtered[np.isfinite(filtered[:, 1]), 1][:, None]
    np.testing.assert_array_equal(simulate_paths(known, horizon=10)[:, 0], together[:, 1])
    assert np.isnan(together[:, 4]).all()


@pytest.mark.parametrize(("horizon", "n_paths"), [(0, 10), (1, 0)])
def test_paths_need_positive_numbers(horizon: int, n_paths: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        simulate_paths(np.ones((3, 1)), horizon=horizon, n_paths=n_paths)


def test_ratios_filter_as_the_filter_does() -> None:
    returns = _returns(15)
    np.testing.assert_allclose(
        returns[-VAR_WINDOW:] * volatility_ratios(returns), filter_returns(returns), rtol=1e-12
    )
