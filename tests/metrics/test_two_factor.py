"""Two-factor regressions against statsmodels, a published data set and hand calculation.

Includes missing-value rules and bit-exactness.
"""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from statsmodels.datasets import longley

from riskmetrics.metrics import windows
from riskmetrics.metrics.two_factor import TwoFactorOLS, rolling_two_factor

repeatable = settings(max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def simulated(seed, sessions=150, series=23, missing=0.1):
    """Returns of stocks on a market and a bond fund, which fall and rise together a little."""
    rng = np.random.default_rng(seed)
    market, bonds = rng.multivariate_normal(
        [4e-4, 1e-4], [[1e-4, -3e-5], [-3e-5, 8e-5]], sessions
    ).T
    returns = market[:, None] * rng.normal(1, 0.5, series) + bonds[:, None] * rng.normal(
        0, 0.3, series
    )
    returns += rng.normal(2e-4, 0.012, (sessions, series))
    returns[rng.random(returns.shape) < missing] = np.nan
    returns[:, :3] = np.nan_to_num(returns[:, :3])  # some series without a gap
    market[[7, 52]], bonds[[30, 41]] = np.nan, np.inf
    return returns, market, bonds


def whole(y, x1, x2):
    """The fit over all rows as one window."""
    fits = rolling_two_factor(y.reshape(len(x1), -1), x1, x2, window=len(x1), min_obs=4)
    return TwoFactorOLS(*(values[0] for values in fits))


def of_statsmodels(y, x1, x2):
    """The same fields from statsmodels' OLS on the rows where all three values exist."""
    rows = np.isfinite(y) & np.isfinite(x1) & np.isfinite(x2)
    fit = sm.OLS(y[rows], sm.add_constant(np.column_stack([x1, x2])[rows])).fit()
    return TwoFactorOLS(
        fit.params[1],
        fit.params[2],
        fit.params[0],
        fit.rsquared,
        *fit.bse[1:],
        *fit.pvalues[1:],
        fit.nobs,
    )


@pytest.mark.parametrize("window", [20, 90, 150])
def test_agrees_with_statsmodels_on_random_windows_with_missing_data(window):
    """Oracle: statsmodels OLS."""
    y, x1, x2 = simulated(window)
    ours = rolling_two_factor(y, x1, x2, window=window, min_obs=10)
    rng = np.random.default_rng(window)
    for day, series in zip(
        rng.integers(0, len(ours.alpha), 120), rng.integers(0, y.shape[1], 120), strict=True
    ):
        rows = slice(day, day + window)
        theirs = of_statsmodels(y[rows, series], x1[rows], x2[rows])
        for name, left, right in zip(TwoFactorOLS._fields, ours, theirs, strict=True):
            tolerance = 1e-8 if name.startswith("p_value") else 1e-9
            assert_allclose(left[day, series], right, rtol=tolerance, atol=1e-14, err_msg=name)


@pytest.mark.parametrize(
    "regressors", [("GNPDEFL", "UNEMP"), ("GNP", "ARMED"), ("GNP", "POP"), ("YEAR", "GNP")]
)
def test_agrees_with_statsmodels_on_longleys_data(regressors):
    """Oracle: statsmodels, by QR, on the data set that single precision programs failed on; GNP and
    population correlate at 0.991.
    """
    data = longley.load_pandas().data
    y, x1, x2 = (data[name].to_numpy(np.float64) for name in ("TOTEMP", *regressors))
    for name, left, right in zip(
        TwoFactorOLS._fields, whole(y, x1, x2), of_statsmodels(y, x1, x2), strict=True
    ):
        assert_allclose(left[0], right, rtol=1e-8, err_msg=name)


def test_a_plane_is_found_exactly_with_no_error_left():
    """By hand: y = 1 + 2 x1 - 3 x2."""
    rng = np.random.default_rng(1)
    x1, x2 = rng.normal(size=(2, 50))
    fit = whole(1 + 2 * x1 - 3 * x2, x1, x2)
    assert_allclose([fit.alpha[0], fit.beta_1[0], fit.beta_2[0]], [1, 2, -3], rtol=1e-13)
    assert_allclose(fit.r_squared, 1.0, rtol=1e-14)
    assert_array_equal(
        [fit.std_error_1[0], fit.std_error_2[0], fit.p_value_1[0], fit.p_value_2[0]], np.zeros(4)
    )


@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-6])
def test_collinear_regressors_have_no_betas(noise):
    rng = np.random.default_rng(2)
    y, x1, jitter = rng.normal(size=(3, 90)) * 0.01
    fit = whole(y, x1, 0.001 - 2.5 * x1 + noise * jitter)
    assert_array_equal([values[0] for values in fit], [np.nan] * 8 + [90])


def test_a_regressor_that_does_not_vary_determines_nothing():
    rng = np.random.default_rng(3)
    y, x = rng.normal(size=(2, 90))
    for x1, x2 in ((x, np.full(90, 0.1)), (np.full(90, 0.1), x)):
        assert_array_equal([values[0] for values in whole(y, x1, x2)], [np.nan] * 8 + [90])


def test_a_constant_depends_on_nothing():
    x1, x2 = np.random.default_rng(4).normal(size=(2, 90))
    fit = whole(np.full(90, 0.1), x1, x2)
    assert_allclose(fit.alpha, 0.1, rtol=1e-14)
    assert_array_equal(
        [fit.beta_1[0], fit.beta_2[0], fit.std_error_1[0], fit.std_error_2[0]], np.zeros(4)
    )
    assert np.isnan([fit.r_squared, fit.p_value_1, fit.p_value_2]).all()


def test_under_the_minimum_only_the_count_is_known():
    y, x1, x2 = simulated(5)
    fits = rolling_two_factor(y, x1, x2, window=90, min_obs=80)
    few = fits.n_obs < 80
    assert few.any()
    assert not few.all()
    for values in fits[:-1]:
        assert_array_equal(np.isnan(values), few)


@repeatable
@given(seeds, st.sampled_from([-3.0, 0.5, 100.0]))
def test_scaling_a_regressor_divides_its_own_beta_and_nothing_else(seed, k):
    y, x1, x2 = simulated(seed, 60, 4)
    fits = whole(y, x1, x2)
    expected = fits._replace(beta_2=fits.beta_2 / k, std_error_2=fits.std_error_2 / abs(k))
    for name, left, right in zip(TwoFactorOLS._fields, whole(y, x1, k * x2), expected, strict=True):
        assert_allclose(left, right, rtol=1e-8, atol=1e-12, err_msg=name)


@repeatable
@given(seeds, st.sampled_from([-3.0, 0.01, 100.0]))
def test_leverage_scales_betas_alpha_and_standard_errors_and_nothing_else(seed, k):
    y, x1, x2 = simulated(seed, 60, 4)
    fits = whole(y, x1, x2)
    scaled = {name: k * getattr(fits, name) for name in ("beta_1", "beta_2", "alpha")}
    scaled |= {name: abs(k) * getattr(fits, name) for name in ("std_error_1", "std_error_2")}
    for name, left, right in zip(
        TwoFactorOLS._fields, whole(k * y, x1, x2), fits._replace(**scaled), strict=True
    ):
        assert_allclose(left, right, rtol=1e-9, err_msg=name)


@repeatable
@given(seeds, st.sampled_from([-0.5, 1e-4, 1.0]))
def test_a_constant_added_to_returns_moves_alpha_only(seed, constant):
    y, x1, x2 = simulated(seed, 60, 4)
    fits = whole(y, x1, x2)
    for name, left, right in zip(
        TwoFactorOLS._fields,
        whole(y + constant, x1, x2),
        fits._replace(alpha=fits.alpha + constant),
        strict=True,
    ):
        assert_allclose(left, right, rtol=1e-8, atol=1e-12, err_msg=name)


@repeatable
@given(seeds, st.permutations(range(5)))
def test_series_in_another_order_have_the_same_bits_in_that_order(seed, order):
    y, x1, x2 = simulated(seed, 60, 5)
    fits = rolling_two_factor(y, x1, x2, window=50, min_obs=20)
    assert_equal(
        rolling_two_factor(y[:, order], x1, x2, window=50, min_obs=20),
        TwoFactorOLS(*(values[:, order] for values in fits)),
    )


@repeatable
@given(seeds)
def test_the_order_of_the_regressors_does_not_matter(seed):
    y, x1, x2 = simulated(seed, 60, 4)
    b1, b2, alpha, r_squared, s1, s2, p1, p2, n_obs = whole(y, x2, x1)
    for name, left, right in zip(
        TwoFactorOLS._fields,
        (b2, b1, alpha, r_squared, s2, s1, p2, p1, n_obs),
        whole(y, x1, x2),
        strict=True,
    ):
        assert_allclose(left, right, rtol=1e-8, atol=1e-12, err_msg=name)


@repeatable
@given(seeds)
def test_every_series_and_window_has_the_same_bits_alone_and_in_a_batch(seed):
    y, x1, x2 = simulated(seed, 60, 5)
    batch = rolling_two_factor(y, x1, x2, window=50, min_obs=20)
    for series in range(y.shape[1]):
        alone = rolling_two_factor(np.asfortranarray(y[:, [series]]), x1, x2, window=50, min_obs=20)
        assert_equal(alone, TwoFactorOLS(*(values[:, [series]] for values in batch)))
    for day in range(len(batch.alpha)):
        rows = slice(day, day + 50)
        single = rolling_two_factor(y[rows], x1[rows], x2[rows], window=50, min_obs=20)
        assert_equal(single, TwoFactorOLS(*(values[[day]] for values in batch)))


def test_of_a_regressor_itself_only_its_own_beta_is_significant():
    """By definition: y = x1 has betas 1 and 0 without error, in every window."""
    _, x1, x2 = simulated(4)
    for own, other, fits in ((1, 2, rolling(x1, x1, x2)), (2, 1, rolling(x2, x1, x2))):
        assert_allclose(getattr(fits, f"beta_{own}"), 1.0, rtol=1e-12)
        assert (getattr(fits, f"beta_{other}") == 0).all()
        assert (getattr(fits, f"p_value_{own}") == 0).all()
        assert (getattr(fits, f"p_value_{other}") == 1).all()
        assert (getattr(fits, f"std_error_{other}") == 0).all()


def rolling(y, x1, x2):
    return rolling_two_factor(y[:, None], x1, x2, window=90, min_obs=40)


def test_the_size_of_blocks_does_not_change_results(monkeypatch):
    y, x1, x2 = simulated(6)
    whole_blocks = rolling_two_factor(y, x1, x2, window=90, min_obs=40)
    monkeypatch.setattr(windows, "_BLOCK_DATES", 7)
    monkeypatch.setattr(windows, "_BLOCK_VALUES", 35)
    assert_equal(rolling_two_factor(y, x1, x2, window=90, min_obs=40), whole_blocks)


@repeatable
@given(seeds, st.sampled_from([np.nan, 0.0, 1e6]))
def test_nothing_after_a_day_moves_its_estimates(seed, tick):
    y, x1, x2 = simulated(seed, 60, 3)
    fits = rolling_two_factor(y, x1, x2, window=50, min_obs=20)
    for values in (y, x1, x2):
        values[55:] = tick
    changed = rolling_two_factor(y, x1, x2, window=50, min_obs=20)
    assert_equal(
        TwoFactorOLS(*(values[:6] for values in changed)),
        TwoFactorOLS(*(values[:6] for values in fits)),
    )


def test_arrays_and_minimums_that_do_not_fit_raise():
    y, x = np.zeros((10, 2)), np.zeros(10)
    for wrong in ((y[:, 0], x, x), (y, x[1:], x), (y, x, x[1:])):
        with pytest.raises(ValueError, match="same periods"):
            rolling_two_factor(*wrong, window=5, min_obs=4)
    for window, min_obs in ((5, 3), (5, 6), (11, 4)):
        with pytest.raises(ValueError, match="min_obs"):
            rolling_two_factor(y, x, x, window=window, min_obs=min_obs)
