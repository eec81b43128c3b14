"""Rolling OLS against certified data sets, statsmodels and hand calculation.

Includes missing-value rules and bit-exactness.
"""

from pathlib import Path

import numpy as np
import pytest
import scipy
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal, assert_equal

from riskmetrics.metrics import windows
from riskmetrics.metrics.regression import OLS, rolling_ols


def significant_digits(value: float, certified: float) -> float:
    """Log relative error, as NIST scores software."""
    return np.inf if value == certified else -np.log10(abs(value - certified) / abs(certified))


def whole(y: np.ndarray, x: np.ndarray) -> OLS:
    """The fit over all rows as one window."""
    fits = rolling_ols(y.reshape(len(x), -1), x, window=len(x), min_obs=3)
    return OLS(*(values[0] for values in fits))


@pytest.fixture
def panel() -> tuple[np.ndarray, np.ndarray]:
    """Returns of 37 symbols and of a market over 230 sessions, a tenth of the symbols' missing,
    some of the market's too.
    """
    rng = np.random.default_rng(20241206)
    market = rng.normal(0.0004, 0.01, 230)
    returns = (
        0.0002 + market[:, None] * rng.normal(1.0, 0.5, 37) + rng.normal(0.0, 0.015, (230, 37))
    )
    returns[rng.random(returns.shape) < 0.1] = np.nan
    returns[:, :5] = np.nan_to_num(returns[:, :5])  # some series without a gap
    market[[7, 120]] = np.nan
    return returns, market


def test_agrees_with_the_certified_values_of_nist_norris():
    """Oracle: NIST StRD, linear regression, Norris: observations of y and x from line 61 of the
    file in the scipy wheel.
    """
    path = Path(scipy.__file__).parent / "stats/tests/data/nist_linregress/Norris.dat"
    y, x = np.loadtxt(path, skiprows=60, unpack=True)
    fit = whole(y, x)
    assert fit.n_obs[0] == 36
    assert significant_digits(fit.beta[0], 1.00211681802045) >= 12
    assert significant_digits(fit.alpha[0], -0.262323073774029) >= 12
    assert significant_digits(fit.r_squared[0], 0.999993745883712) >= 12
    assert significant_digits(fit.std_error[0], 0.429796848199937e-03) >= 10


def test_agrees_with_the_first_of_anscombes_quartet():
    """Oracle: Anscombe (1973), Graphs in statistical analysis, The American Statistician 27(1);
    digits from R's lm.
    """
    x = np.array([10.0, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5])
    y = np.array([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68])
    fit = whole(y, x)
    assert_allclose(fit.beta, 0.500090909090909, rtol=1e-14)
    assert_allclose(fit.alpha, 3.000090909090909, rtol=1e-14)
    assert_allclose(fit.std_error, 0.117905500595634, rtol=1e-13)
    assert_allclose(fit.r_squared, 0.666542459508775, rtol=1e-14)
    assert_allclose(fit.p_value, 0.00216962887307879, rtol=1e-13)


@pytest.mark.parametrize("window", [20, 90, 230])
def test_agrees_with_statsmodels_on_random_windows_with_missing_data(panel, window):
    """Oracle: statsmodels OLS on the rows of the window where both values exist."""
    returns, market = panel
    ours = rolling_ols(returns, market, window=window, min_obs=10)
    rng = np.random.default_rng(window)
    for day, symbol in zip(
        rng.integers(0, len(ours.beta), 120), rng.integers(0, returns.shape[1], 120), strict=True
    ):
        rows = slice(day, day + window)
        theirs = sm.OLS(returns[rows, symbol], sm.add_constant(market[rows]), missing="drop").fit()
        assert ours.n_obs[day, symbol] == theirs.nobs
        assert_allclose(ours.beta[day, symbol], theirs.params[1], rtol=1e-9)
        assert_allclose(ours.alpha[day, symbol], theirs.params[0], rtol=1e-9, atol=1e-15)
        assert_allclose(ours.std_error[day, symbol], theirs.bse[1], rtol=1e-9)
        assert_allclose(ours.r_squared[day, symbol], theirs.rsquared, rtol=1e-9, atol=1e-14)
        assert_allclose(ours.p_value[day, symbol], theirs.pvalues[1], rtol=1e-8)


def test_agrees_with_scipy_where_the_p_value_is_far_in_the_tail():
    """Oracle: scipy.stats.linregress, whose p-value is below 1e-40 here."""
    rng = np.random.default_rng(5)
    x = rng.normal(0.0, 0.01, 90)
    y = x + rng.normal(0.0, 0.002, 90)
    theirs = scipy.stats.linregress(x, y)
    assert 0.0 < theirs.pvalue < 1e-40
    assert_allclose(whole(y, x).p_value, theirs.pvalue, rtol=1e-8)


def test_row_d_is_the_window_that_ends_at_row_d_plus_window_minus_one():
    """By hand: the slope is 1 up to the fifth row, and 3 from there."""
    x = np.arange(9.0)
    y = np.where(x < 4, x, 3 * x - 8)[:, None]
    assert_allclose(rolling_ols(y, x, window=5, min_obs=3).beta[[0, -1], 0], [1.0, 3.0], rtol=1e-14)


def test_only_finite_pairs_count_and_an_infinity_is_missing():
    x = np.array([1.0, 2, 3, np.nan, 5, 6, np.inf, 8])
    y = np.array([2.0, np.inf, 7, 8, 9, np.nan, 13, 17])
    fit = whole(y, x)
    assert fit.n_obs[0] == 4
    assert_equal(fit, whole(y[[0, 2, 4, 7]], x[[0, 2, 4, 7]]))


def test_under_the_minimum_only_the_count_is_known(panel):
    returns, market = panel
    fits = rolling_ols(returns, market, window=90, min_obs=80)
    few = fits.n_obs < 80
    assert few.any()
    assert not few.all()
    for values in fits[:-1]:
        assert_array_equal(np.isnan(values), few)


@pytest.mark.parametrize("absent", ["y", "x"])
def test_a_window_without_a_single_pair_counts_zero(absent):
    values = {"x": np.arange(10.0), "y": np.arange(10.0), absent: np.full(10, np.nan)}
    fit = whole(values["y"], values["x"])
    assert fit.n_obs[0] == 0
    assert all(np.isnan(estimate[0]) for estimate in fit[:-1])


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9])
def test_a_series_that_does_not_vary_has_beta_zero_and_no_r_squared(constant):
    """A price that stands still; the mean of 90 times 0.1 is not 0.1 in floating point."""
    x = np.random.default_rng(1).normal(0.0, 0.01, 90)
    fit = whole(np.full(90, constant), x)
    assert fit.n_obs[0] == 90
    assert (fit.beta[0], fit.std_error[0]) == (0.0, 0.0)
    assert_allclose(fit.alpha, constant, rtol=1e-13)
    assert np.isnan(fit.r_squared[0])
    assert np.isnan(fit.p_value[0])


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9])
def test_a_regressor_that_does_not_vary_explains_nothing(constant):
    y = np.random.default_rng(1).normal(0.0, 0.01, 90)
    fit = whole(y, np.full(90, constant))
    assert fit.n_obs[0] == 90
    assert all(np.isnan(estimate[0]) for estimate in fit[:-1])


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 1.0), (0.01, -2.3), (5.0, 1e-4)])
@pytest.mark.parametrize("n_obs", [3, 90, 500])
def test_a_perfect_fit_has_no_standard_error_and_p_zero(alpha, beta, n_obs):
    x = np.random.default_rng(n_obs).normal(0.0, 0.01, n_obs)
    fit = whole(alpha + beta * x, x)
    assert_allclose(fit.beta, beta, rtol=1e-8)
    assert_allclose(fit.r_squared, 1.0, rtol=1e-12)
    assert (fit.std_error[0], fit.p_value[0]) == (0.0, 0.0)


def test_rounding_does_not_push_r_squared_past_one():
    """Among 500 exact lines the ratio of sums exceeds 1 by an epsilon here and there."""
    rng = np.random.default_rng(3)
    x = rng.normal(0.0, 0.01, 90)
    fits = whole(x[:, np.newaxis] * rng.normal(0.0, 3.0, 500), x)
    assert fits.r_squared.max() == 1.0


def test_a_nearly_perfect_fit_keeps_its_standard_error():
    """Oracle: statsmodels; a residual a millionth of the series is small, but no rounding."""
    rng = np.random.default_rng(2)
    x = rng.normal(0.0, 0.01, 90)
    y = x + rng.normal(0.0, 1e-8, 90)
    assert_allclose(whole(y, x).std_error, sm.OLS(y, sm.add_constant(x)).fit().bse[1], rtol=1e-3)


@pytest.mark.parametrize(
    ("block_values", "block_dates"), [(24, 24), (14, 7), (64, 8), (1000, 1000)]
)
def test_blocks_of_any_size_give_the_same_bits(panel, monkeypatch, block_values, block_dates):
    returns, market = panel
    expected = rolling_ols(returns, market, window=60, min_obs=40)
    monkeypatch.setattr(windows, "_BLOCK_VALUES", block_values)
    monkeypatch.setattr(windows, "_BLOCK_DATES", block_dates)
    assert_equal(rolling_ols(returns, market, window=60, min_obs=40), expected)


@pytest.mark.parametrize("n_symbols", [1, 2, 3, 5, 8, 13, 37])
@pytest.mark.parametrize("n_dates", [1, 2, 7, 66])
def test_any_range_and_any_symbols_give_the_same_bits(panel, n_symbols, n_dates):
    """Odd sizes leave tails in vectorized loops; series alone share one mask, together they do
    not.
    """
    returns, market = panel
    full = rolling_ols(returns, market, window=90, min_obs=60)
    for first in (0, 31):
        rows = slice(first, first + n_dates)
        part = rolling_ols(
            returns[first : first + n_dates + 89, :n_symbols],
            market[first : first + n_dates + 89],
            window=90,
            min_obs=60,
        )
        assert_equal(part, OLS(*(values[rows, :n_symbols] for values in full)))


def test_memory_order_does_not_change_a_bit(panel):
    returns, market = panel
    assert_equal(
        rolling_ols(np.asfortranarray(returns), market, window=90, min_obs=60),
        rolling_ols(returns, market, window=90, min_obs=60),
    )


def test_no_series_give_empty_results_with_the_dates_kept():
    fits = rolling_ols(np.empty((100, 0)), np.arange(100.0), window=90, min_obs=60)
    assert {values.shape for values in fits} == {(11, 0)}


@pytest.mark.parametrize(
    ("y_shape", "x_shape", "window", "min_obs"),
    [
        ((100, 2), (99,), 90, 60),  # other periods
        ((100,), (100,), 90, 60),  # one series must be a column
        ((100, 2), (100, 1), 90, 60),
        ((80, 2), (80,), 90, 60),  # a window longer than the data
        ((100, 2), (100,), 90, 2),  # no degree of freedom
        ((100, 2), (100,), 90, 91),  # no window could ever have an estimate
    ],
)
def test_what_cannot_be_a_regression_raises(y_shape, x_shape, window, min_obs):
    with pytest.raises(ValueError, match=r"periods"):
        rolling_ols(np.zeros(y_shape), np.zeros(x_shape), window=window, min_obs=min_obs)
