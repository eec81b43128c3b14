"""Filtered historical simulation against a recursion in pandas, and its invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.filtered_simulation import (
    FILTER_DECAY,
    FILTER_WINDOW,
    filtered_historical_risk,
)
from riskmetrics.metrics.tail_risk import VAR_WINDOW, historical_risk

ROWS = VAR_WINDOW + FILTER_WINDOW


def _returns(seed: int, rows: int = ROWS, series: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scale = np.exp(np.cumsum(rng.normal(0.0, 0.05, (rows, series)), axis=0))
    return 0.01 * scale * rng.standard_t(5, (rows, series))


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
    found = filtered_historical_risk(returns, level=level, min_obs=500)
    np.testing.assert_allclose(np.transpose(found[:2]), expected, rtol=1e-12)
    assert found.n_obs.tolist() == [VAR_WINDOW] * 4


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0))
def test_scales_with_the_returns_and_ignores_what_is_older(seed: int, factor: float) -> None:
    returns = _returns(seed, ROWS + 7)
    found = filtered_historical_risk(returns, level=0.95, min_obs=126)
    scaled = filtered_historical_risk(factor * returns, level=0.95, min_obs=126)
    np.testing.assert_allclose(scaled.value_at_risk, factor * found.value_at_risk, rtol=1e-12)
    alone = filtered_historical_risk(returns[7:, 2:3], level=0.95, min_obs=126)
    assert alone.value_at_risk[0] == found.value_at_risk[2]  # to the last bit
    assert (found.expected_shortfall >= found.value_at_risk).all()


def test_is_the_historical_one_while_volatility_is_constant() -> None:
    signs = np.where(np.random.default_rng(3).random((ROWS, 3)) < 0.3, -1.0, 1.0)
    returns = 0.01 * signs
    filtered = filtered_historical_risk(returns, level=0.95, min_obs=126)
    historical = historical_risk(returns, level=0.95, min_obs=126)
    np.testing.assert_allclose(filtered[:2], historical[:2], rtol=1e-12)


def test_rises_with_the_last_days_where_the_historical_one_waits_for_its_quantile() -> None:
    calm = 0.01 * np.random.default_rng(5).standard_normal((ROWS, 1))
    stormy = calm.copy()
    stormy[-20:] *= 4.0
    before, after = (
        filtered_historical_risk(each, level=0.95, min_obs=126).value_at_risk[0]
        for each in (calm, stormy)
    )
    assert after > 2.0 * before
    assert historical_risk(stormy, level=0.95, min_obs=126).value_at_risk[0] < 1.3 * before


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_needs_enough_returns_with_a_volatility_before_them(n_known: int, is_defined: bool) -> None:
    returns = _returns(7, series=1)
    returns[: ROWS - n_known - 63] = np.nan  # 63 returns make the first volatility
    found = filtered_historical_risk(returns, level=0.95, min_obs=126)
    assert found.n_obs.tolist() == [n_known]
    assert np.isfinite(found.value_at_risk).all() == is_defined


def test_a_day_without_volatility_before_it_is_left_out() -> None:
    returns = _returns(9, series=1)
    returns[: ROWS - 200] = 0.0  # unchanged prices: volatility 0 until the first move
    found = filtered_historical_risk(returns, level=0.95, min_obs=126)
    assert found.n_obs.tolist() == [199]
    assert np.isfinite(found.value_at_risk).all()


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"T >= 756, not \(755, 1\)"):
        filtered_historical_risk(np.zeros((ROWS - 1, 1)), level=0.95, min_obs=126)
