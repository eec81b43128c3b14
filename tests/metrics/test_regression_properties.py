"""What must hold for any returns: how OLS moves with its data, and what it must not see."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_equal

from riskmetrics.metrics.regression import OLS, rolling_ols

WINDOW, MIN_OBS = 8, 5

repeatable = settings(max_examples=60)
factors = st.floats(0.01, 100.0) | st.floats(-100.0, -0.01)


@st.composite
def panels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Returns of 1 to 6 symbols and of a market in whole basis points, over 1 to 13 windows, with
    gaps in both.
    """
    periods, symbols = draw(st.integers(WINDOW, WINDOW + 12)), draw(st.integers(1, 6))
    basis_points = arrays(np.int64, (periods, symbols + 1), elements=st.integers(-2000, 2000))
    missing = arrays(
        np.bool_, (periods, symbols + 1), elements=st.integers(0, 9).map(lambda digit: digit == 0)
    )
    values = np.where(draw(missing), np.nan, draw(basis_points) / 10_000)
    return values[:, 1:], values[:, 0]


def rolling(returns: np.ndarray, market: np.ndarray) -> OLS:
    return rolling_ols(returns, market, window=WINDOW, min_obs=MIN_OBS)


def columns(fits: OLS, selection: object) -> OLS:
    return OLS(*(values[:, selection] for values in fits))


def assert_close(ours: OLS, expected: OLS, *, rtol: float = 1e-7, atol: float = 1e-9) -> None:
    for name, left, right in zip(OLS._fields, ours, expected, strict=True):
        assert_allclose(left, right, rtol=rtol, atol=atol, err_msg=name)


@repeatable
@given(panels(), factors)
def test_leverage_scales_beta_alpha_and_standard_error_and_nothing_else(panel, k):
    returns, market = panel
    fits = rolling(returns, market)
    scaled = fits._replace(
        beta=k * fits.beta, alpha=k * fits.alpha, std_error=abs(k) * fits.std_error
    )
    assert_close(rolling(k * returns, market), scaled)


@repeatable
@given(panels(), factors)
def test_a_scaled_market_divides_beta_and_standard_error_and_nothing_else(panel, k):
    returns, market = panel
    fits = rolling(returns, market)
    assert_close(
        rolling(returns, k * market),
        fits._replace(beta=fits.beta / k, std_error=fits.std_error / abs(k)),
    )


@repeatable
@given(panels(), st.floats(-1.0, 1.0))
def test_a_constant_added_to_returns_moves_alpha_only(panel, constant):
    returns, market = panel
    fits = rolling(returns, market)
    assert_close(rolling(returns + constant, market), fits._replace(alpha=fits.alpha + constant))


@repeatable
@given(panels(), st.floats(-1.0, 1.0))
def test_a_constant_added_to_the_market_moves_alpha_by_beta_times_it(panel, constant):
    returns, market = panel
    fits = rolling(returns, market)
    assert_close(
        rolling(returns, market + constant), fits._replace(alpha=fits.alpha - fits.beta * constant)
    )


@repeatable
@given(panels())
def test_r_squared_and_p_lie_in_the_unit_interval_and_counts_in_the_window(panel):
    fits = rolling(*panel)
    for share in (fits.r_squared, fits.p_value):
        defined = share[~np.isnan(share)]
        assert ((defined >= 0.0) & (defined <= 1.0)).all()
    assert ((fits.n_obs >= 0) & (fits.n_obs <= WINDOW)).all()
    assert not (fits.std_error < 0.0).any()


@repeatable
@given(panels(), st.randoms(use_true_random=False))
def test_permuting_symbols_permutes_results_to_the_last_bit(panel, random):
    returns, market = panel
    order = random.sample(range(returns.shape[1]), returns.shape[1])
    assert_equal(rolling(returns[:, order], market), columns(rolling(returns, market), order))


@repeatable
@given(panels())
def test_a_batch_equals_each_symbol_alone_to_the_last_bit(panel):
    returns, market = panel
    fits = rolling(returns, market)
    for symbol in range(returns.shape[1]):
        alone = slice(symbol, symbol + 1)
        assert_equal(rolling(returns[:, alone], market), columns(fits, alone))


@repeatable
@given(panels(), st.integers(0, 5))
def test_dropping_a_symbol_leaves_the_others_to_the_last_bit(panel, dropped):
    returns, market = panel
    others = [symbol for symbol in range(returns.shape[1]) if symbol != dropped % returns.shape[1]]
    assert_equal(rolling(returns[:, others], market), columns(rolling(returns, market), others))


@repeatable
@given(panels())
def test_a_range_equals_each_of_its_dates_alone_to_the_last_bit(panel):
    returns, market = panel
    fits = rolling(returns, market)
    for day in range(len(fits.beta)):
        rows = slice(day, day + WINDOW)
        assert_equal(
            rolling(returns[rows], market[rows]), OLS(*(values[day : day + 1] for values in fits))
        )


@repeatable
@given(panels())
def test_a_gap_equals_the_regression_on_the_remaining_rows_to_twelve_digits(panel):
    returns, market = panel
    fits = rolling(returns, market)
    for day, symbol in np.argwhere(fits.n_obs >= MIN_OBS):
        y, x = returns[day : day + WINDOW, symbol], market[day : day + WINDOW]
        both = np.isfinite(y) & np.isfinite(x)
        compact = rolling_ols(y[both, np.newaxis], x[both], window=int(both.sum()), min_obs=MIN_OBS)
        assert_equal(compact.n_obs, fits.n_obs[day, symbol])
        assert_close(
            compact,
            OLS(*(values[day, symbol].reshape(1, 1) for values in fits)),
            rtol=1e-12,
            atol=1e-14,
        )


@repeatable
@given(panels(), st.sampled_from([np.nan, np.inf, 0.0, 1e6]))
def test_nothing_after_a_day_moves_its_estimates(panel, tick):
    returns, market = panel
    fits = rolling(returns, market)
    for day in range(len(fits.beta)):
        later_returns, later_market = returns.copy(), market.copy()
        later_returns[day + WINDOW :] = tick
        later_market[day + WINDOW :] = tick
        changed = rolling(later_returns, later_market)
        assert_equal(
            OLS(*(values[: day + 1] for values in changed)),
            OLS(*(values[: day + 1] for values in fits)),
        )
