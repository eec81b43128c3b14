"""Scores of volatility forecasts against hand calculation and statsmodels.

Includes missing-value rules and bit-exactness.
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.metrics.forecast_comparison import diebold_mariano
from riskmetrics.metrics.forecast_score import (
    OutOfSampleRSquared,
    forward_realized_volatility,
    qlike,
    rolling_oos_r_squared,
)
from riskmetrics.metrics.volatility import ewma_volatility

repeatable = settings(max_examples=40)
seeds = st.integers(0, 2**32 - 1)


def simulated(seed: int, rows: int = 330, series: int = 5) -> np.ndarray:
    """Daily returns, a tenth of them missing."""
    rng = np.random.default_rng(seed)
    returns = rng.standard_t(4, (rows, series)) * rng.uniform(0.005, 0.03, series)
    returns[rng.random(returns.shape) < 0.1] = np.nan
    return returns


def forecasts(seed: int, rows: int = 300, series: int = 5) -> tuple[np.ndarray, ...]:
    """Return realized volatility, two forecasts, and the interval of the first, with gaps."""
    rng = np.random.default_rng(seed)
    realized, expected, risk = rng.lognormal(-1.5, 0.4, (3, rows, series))
    realized[rng.random(realized.shape) < 0.05] = 0.0
    for values in (realized, expected, risk):
        values[rng.random(values.shape) < 0.05] = np.nan
    return realized, expected, risk, 0.7 * expected, 1.4 * expected


def test_what_happened_is_the_root_mean_square_of_the_returns_after_the_day():
    """A hand calculation: 20 returns of 1 % and one of 2 % after a day of 50 %."""
    returns = np.full((22, 1), 0.01)
    returns[0], returns[9] = 0.5, -0.02
    assert_allclose(
        forward_realized_volatility(returns),
        [[math.sqrt(252 * (20 * 1e-4 + 4e-4) / 21)]],
        rtol=1e-14,
    )


def test_what_happened_needs_fifteen_returns_and_averages_over_those_that_exist():
    returns = np.full((23, 1), 0.01)
    returns[2:8] = np.nan
    assert_allclose(forward_realized_volatility(returns), [[math.sqrt(252 * 1e-4)]] * 2, rtol=1e-14)
    returns[8] = np.nan
    assert_array_equal(forward_realized_volatility(returns), [[np.nan]] * 2)
    assert_array_equal(forward_realized_volatility(np.zeros((22, 1))), [[0.0]])


@repeatable
@given(seeds)
def test_an_exponentially_weighted_volatility_is_numpys_weighted_average_over_its_window(seed):
    """Oracle: numpy.average of the squares that exist."""
    returns = simulated(seed, rows=70)
    ours = ewma_volatility(returns, decay=0.94, window=60, min_obs=20)
    for row in (0, 10):
        for column in range(returns.shape[1]):
            window = returns[row : row + 60, column]
            known = np.isfinite(window)
            expected = math.sqrt(
                252 * np.average(window[known] ** 2, weights=(0.94 ** np.arange(60))[::-1][known])
            )
            assert_allclose(ours[row, column], expected, rtol=1e-12)


def test_an_exponentially_weighted_volatility_of_even_weights_is_the_plain_one():
    returns = simulated(7, rows=60)
    assert_allclose(
        ewma_volatility(returns, decay=1.0, window=60, min_obs=20)[0],
        np.sqrt(252 * np.nanmean(returns**2, axis=0)),
        rtol=1e-13,
    )


def test_too_few_returns_have_no_exponentially_weighted_volatility():
    returns = np.full((252, 2), 0.01)
    returns[62:, 0] = returns[63:, 1] = np.nan
    assert_allclose(
        ewma_volatility(returns, decay=0.97), [[np.nan, math.sqrt(252) * 0.01]], rtol=1e-13
    )


def test_qlike_by_hand():
    """Twice the forecast volatility: 4 - ln 4 - 1; half of it: 1/4 + ln 4 - 1; no movement, no
    forecast: undefined.
    """
    found = qlike(
        np.array([0.4, 0.1, 0.2, 0.0, np.nan, 0.2, 0.2]),
        np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.0, np.inf]),
    )
    assert_allclose(
        found, [3 - math.log(4), math.log(4) - 0.75, 0, np.nan, np.nan, np.nan, np.nan], rtol=1e-14
    )


@repeatable
@given(seeds, st.floats(0.01, 100))
def test_qlike_is_never_negative_and_does_not_know_units(seed, k):
    realized, risk, *_ = forecasts(seed)
    found = qlike(realized, risk)
    assert np.nanmin(found) >= 0
    assert_allclose(qlike(k * realized, k * risk), found, rtol=1e-9, atol=1e-13)


def test_a_perfect_forecast_has_no_loss_and_skill_one():
    realized = np.abs(simulated(3)[:280]) + 0.01
    assert_allclose(np.nanmax(qlike(realized, realized)), 0, atol=1e-15)
    assert_array_equal(
        rolling_oos_r_squared(realized, 0 * realized, realized).r_squared, np.ones((29, 5))
    )


def test_skill_by_hand():
    """Errors .1, .1 against .2, .1 of trailing volatility: 1 - .02/.05; then .1, 0 against .1, .1;
    the last forecast is not complete.
    """
    realized = np.array([[0.3], [0.3], [0.3]])
    expected, trailing = (
        np.array([[0.2], [0.4], [0.3], [0.9]]),
        np.array([[0.1], [0.4], [0.2], [0.9]]),
    )
    found = rolling_oos_r_squared(expected, trailing, realized, window=2, min_obs=2)
    assert_allclose(found.r_squared, [[0.6], [0.5]], rtol=1e-12)
    assert_array_equal(found.n_obs, [[2], [2]])


def test_skill_counts_the_forecasts_for_which_everything_is_known():
    realized, expected, trailing = (
        np.full((252, 3), 0.2),
        np.full((273, 3), 0.3),
        np.full((273, 3), 0.4),
    )
    expected[:126, 0] = trailing[:127, 1] = np.nan
    found = rolling_oos_r_squared(expected, trailing, realized)
    assert_allclose(found.r_squared, [[0.75, np.nan, 0.75]], rtol=1e-12)
    assert_array_equal(found.n_obs, [[126, 125, 252]])


@repeatable
@given(seeds)
def test_trailing_volatility_has_no_skill_over_itself(seed):
    realized, expected, *_ = forecasts(seed)
    assert_array_equal(
        rolling_oos_r_squared(expected, expected, realized, window=250, min_obs=1).r_squared,
        np.zeros((51, 5)),
    )


@pytest.mark.parametrize("lags", [0, 5, 63])
def test_a_diebold_mariano_t_is_that_of_statsmodels(lags):
    """Oracle: OLS of the daily mean difference on a constant with HAC errors; days without a pair
    are left out.
    """
    realized, risk, other, *_ = forecasts(11)
    realized[40:43] = np.nan
    losses = qlike(realized, risk), qlike(realized, other)
    found = diebold_mariano(*losses, lags=lags)
    daily = np.nanmean(np.delete(losses[0] - losses[1], slice(40, 43), axis=0), axis=1)
    theirs = sm.OLS(daily, np.ones(len(daily))).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    assert found.n_days == theirs.nobs == 297
    assert_allclose(found.difference, theirs.params[0], rtol=1e-12)
    assert_allclose(found.t, theirs.tvalues[0], rtol=1e-10)


def test_a_diebold_mariano_t_changes_sign_with_the_order_and_not_with_the_unit():
    realized, a, b, *_ = forecasts(5)
    found, swapped = (
        diebold_mariano((realized - a) ** 2, (realized - b) ** 2),
        diebold_mariano((realized - b) ** 2, (realized - a) ** 2),
    )
    assert (swapped.difference, swapped.t) == (-found.difference, -found.t)
    assert_allclose(
        diebold_mariano(9 * (realized - a) ** 2, 9 * (realized - b) ** 2).t, found.t, rtol=1e-12
    )


def test_a_difference_on_few_days_or_one_that_never_varies_has_no_t():
    loss = np.ones((64, 2))
    assert diebold_mariano(loss, loss)[:2] == (0, pytest.approx(np.nan, nan_ok=True))
    few = diebold_mariano(np.arange(63.0)[:, None], np.zeros((63, 1)))
    assert (few.difference, few.n_days) == (31, 63)
    assert np.isnan(few.t)
    none = diebold_mariano(np.full((3, 1), np.nan), np.zeros((3, 1)))
    assert_array_equal(none, [np.nan, np.nan, 0])


def last_of(
    seed: int, columns: object = slice(None), changed: bool = False
) -> tuple[np.ndarray, OutOfSampleRSquared]:
    """Everything per series up to row 320 of some columns, the ten returns after it as they are or
    all changed.
    """
    returns = simulated(seed)
    if changed:
        returns[320:] = 0.5
    returns = np.ascontiguousarray(returns[:, columns])
    volatility, outcome = (
        ewma_volatility(returns, decay=0.97, window=63, min_obs=20)[:258],
        forward_realized_volatility(returns)[62:299],
    )
    other = ewma_volatility(returns, decay=0.94, window=63, min_obs=20)[:258]
    return volatility, rolling_oos_r_squared(volatility, other, outcome, window=200)


@repeatable
@given(seeds)
def test_a_series_has_the_same_bits_alone_and_whatever_comes_after(seed):
    together = last_of(seed)
    for found, columns in (
        (last_of(seed, changed=True), slice(None)),
        (last_of(seed, [3]), [3]),
        (last_of(seed, [4, 0]), [4, 0]),
    ):
        assert_array_equal(found[0], together[0][:, columns])
        for ours, all_of_them in zip(found[1], together[1], strict=True):
            assert_array_equal(ours, all_of_them[:, columns])


@repeatable
@given(seeds)
def test_a_batch_of_windows_has_the_bits_of_single_ones(seed):
    returns = simulated(seed, rows=100)
    volatility, outcome = (
        ewma_volatility(returns, decay=0.97, window=63, min_obs=20),
        forward_realized_volatility(returns)[62:],
    )
    skill = rolling_oos_r_squared(volatility, 0.9 * volatility, outcome, window=10, min_obs=5)
    for row in range(len(skill.n_obs)):
        assert_array_equal(
            volatility[row],
            ewma_volatility(returns[row : row + 63], decay=0.97, window=63, min_obs=20)[0],
        )
        assert_array_equal(
            outcome[row], forward_realized_volatility(returns[62 + row : 84 + row])[0]
        )
        part = slice(row, row + 10)
        alone = rolling_oos_r_squared(
            volatility[part], 0.9 * volatility[part], outcome[part], window=10, min_obs=5
        )
        assert_array_equal(alone.r_squared[0], skill.r_squared[row])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: forward_realized_volatility(np.zeros((21, 2))),
        lambda: ewma_volatility(np.zeros((100, 2)), decay=0.97),
        lambda: ewma_volatility(np.zeros((300, 2)), decay=1.5),
        lambda: ewma_volatility(np.zeros((300, 2)), decay=0.97, min_obs=253),
        lambda: rolling_oos_r_squared(np.zeros((300, 2)), np.zeros((299, 2)), np.zeros((279, 2))),
        lambda: rolling_oos_r_squared(np.zeros((260, 2)), np.zeros((260, 2)), np.zeros((239, 2))),
    ],
)
def test_arrays_that_do_not_fit_are_a_bug_and_raise(wrong):
    with pytest.raises(ValueError, match=r"must|needs|required"):
        wrong()
