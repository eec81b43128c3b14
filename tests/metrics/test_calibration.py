"""The calibration against numpy's least squares, known truths and what it must refuse."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_equal
from scipy import optimize

from riskmetrics.errors import CalibrationRejectedError, DataQualityError
from riskmetrics.metrics.calibration import estimate, fit, horizon_scale
from riskmetrics.metrics.har import (
    CLOSE,
    PROXIES,
    SHIPPED_COEFFICIENTS,
    Regressors,
    build_regressors,
    forecast,
)

TRUTH = {proxy: coefficients.weights for proxy, coefficients in SHIPPED_COEFFICIENTS.items()}


def panel(
    proxy: str = "close_market", *, days: int = 1300, symbols: int = 22, seed: int = 1
) -> Regressors:
    """Regressors as independent gamma variables of mean 1, all of one proxy."""
    rng = np.random.default_rng(seed)
    shape = days, symbols
    market = (
        np.full(shape, np.nan)
        if proxy == "close"
        else np.broadcast_to(rng.gamma(4.0, 0.25, (days, 1)), shape)
    )
    nowhere = np.zeros(shape, bool)
    return Regressors(
        level=rng.uniform(0.005, 0.03, shape),
        n_obs=np.full(shape, 252),
        day=rng.gamma(1.0, 1.0, shape),
        week=rng.gamma(3.0, 1 / 3, shape),
        month=rng.gamma(2.0, 0.5, shape),
        market=market,
        proxy=np.full(shape, PROXIES.index(proxy)),
        short_history=nowhere,
        daily_lag_imputed=nowhere,
        no_price_movement=nowhere,
    )


def realized_by(inputs: Regressors, weights: np.ndarray, *, noise: float = 0.0) -> np.ndarray:
    """Return the model's volatility with these weights times a gamma error with mean 1."""
    market = np.where(inputs.proxy == CLOSE, 0.0, inputs.market)
    ratio = (
        weights[0]
        + weights[1] * inputs.day
        + weights[2] * inputs.week
        + weights[3] * inputs.month
        + weights[4] * market
    )
    error = np.random.default_rng(2).gamma(noise**-2, noise**2, ratio.shape) if noise else 1.0
    return math.sqrt(252) * inputs.level * ratio * error


@pytest.mark.parametrize("proxy", PROXIES)
def test_recovers_the_weights_exactly_where_there_is_no_noise(proxy):
    inputs = panel(proxy)
    ours = fit([(inputs, realized_by(inputs, TRUTH[proxy]))], proxy=proxy)
    assert_allclose(ours.coefficients.weights, TRUTH[proxy], atol=1e-12)
    assert_allclose(ours.coefficients.residual_variance, 0.0, atol=1e-12)
    assert_allclose(ours.r_squared, 1.0)
    assert ours[2:5] == (1300 * 22, 1300, 22)


def test_recovers_weights_and_variance_from_noisy_targets():
    """A relative error of standard deviation .35 has E[RV²] = F² (1 + .35²)."""
    inputs = panel(days=4000, symbols=25)
    ours = fit(
        [(inputs, realized_by(inputs, TRUTH["close_market"], noise=0.35))], proxy="close_market"
    )
    assert_allclose(ours.coefficients.weights, TRUTH["close_market"], atol=0.012)
    assert_allclose(ours.coefficients.residual_variance, 0.35**2, rtol=0.03)


@pytest.mark.parametrize("proxy", PROXIES)
def test_agrees_with_weighted_least_squares_written_out(proxy):
    """Oracle: numpy.linalg.lstsq on rows times the root of their weights."""
    inputs = panel(proxy, days=300, symbols=5)
    realized = realized_by(inputs, TRUTH[proxy], noise=0.4)
    realized[np.random.default_rng(5).random(realized.shape) < 0.3] = np.nan
    ours = estimate([(inputs, realized)], proxy=proxy)
    pairs = ~np.isnan(realized)
    used = [inputs.day, inputs.week, inputs.month] + ([] if proxy == "close" else [inputs.market])
    x = np.column_stack([np.ones(pairs.sum()), *(values[pairs] for values in used)])
    target = realized[pairs] / inputs.level[pairs] / math.sqrt(252)
    root = 1.0 / np.maximum(inputs.month[pairs], 0.2)
    theirs = np.linalg.lstsq(x * root[:, None], target * root)[0]
    assert ours.n_obs == pairs.sum()
    assert_allclose(ours.coefficients.weights[: len(theirs)], theirs, rtol=1e-9, atol=1e-12)
    assert_allclose(
        ours.coefficients.residual_variance, np.mean((target / (x @ theirs)) ** 2) - 1.0, rtol=1e-9
    )


@pytest.mark.parametrize(("horizon", "lags"), [(1, 63), (21, 63), (31, 63), (32, 64), (63, 126)])
def test_standard_errors_are_those_of_driscoll_and_kraay_written_out(horizon, lags):
    """Write out Driscoll-Kraay errors: daily sums, Bartlett-weighted autocovariances."""
    inputs = panel(days=300, symbols=5)
    realized = realized_by(inputs, TRUTH["close_market"], noise=0.4)
    realized[:3] = realized[100] = np.nan
    ours = estimate([(inputs, realized)], proxy="close_market", horizon=horizon)
    x = np.stack(
        [np.ones_like(inputs.day), inputs.day, inputs.week, inputs.month, inputs.market], axis=-1
    )
    weight = (1.0 / np.maximum(inputs.month, 0.2) ** 2)[..., None]
    target = realized / inputs.level / math.sqrt(252) / horizon_scale(horizon)
    error = target - x @ ours.coefficients.weights
    known = np.isfinite(error)
    scores = np.where(known[..., None], x * weight * error[..., None], 0.0).sum(axis=1)[3:]
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        between = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (between + between.T)
    outside = np.linalg.inv((x[known] * weight[known]).T @ x[known])
    assert_allclose(ours.std_errors, np.sqrt(np.diag(outside @ middle @ outside)), rtol=1e-8)


def test_the_market_has_no_standard_error_where_it_has_no_weight():
    inputs = panel("close", days=300, symbols=5)
    ours = estimate([(inputs, realized_by(inputs, TRUTH["close"], noise=0.4))], proxy="close")
    assert np.isnan(ours.std_errors).tolist() == [False, False, False, False, True]


def test_the_variance_forecast_is_unbiased_and_no_multiple_of_it_has_less_qlike():
    """Oracle: scipy's search over multiples of the forecast."""
    inputs = panel()
    realized = realized_by(inputs, TRUTH["close_market"], noise=0.4)
    fitted = fit([(inputs, realized)], proxy="close_market").coefficients
    variance = forecast(inputs, [dict.fromkeys(PROXIES, fitted)]).root_variance_forecast ** 2
    assert_allclose(np.mean(realized**2 / variance), 1.0, rtol=1e-12)

    def qlike(log_multiple: float) -> float:
        ratio = realized**2 / (math.exp(log_multiple) * variance)
        return float(np.mean(ratio - np.log(ratio) - 1.0))

    assert_allclose(optimize.minimize_scalar(qlike, bounds=(-1.0, 1.0)).x, 0.0, atol=1e-5)


def test_pairs_that_are_not_of_the_proxy_or_not_forecast_leave_no_trace():
    inputs = panel()
    realized = realized_by(inputs, TRUTH["close_market"], noise=0.3)
    inputs.level[0, 0] = 0.0
    inputs.week[1, 1] = inputs.month[2, 2] = np.nan
    inputs.proxy[3] = PROXIES.index("range_market")
    short, unmoved = inputs.short_history.copy(), inputs.no_price_movement.copy()
    short[4], unmoved[5] = True, True
    inputs = inputs._replace(short_history=short, no_price_movement=unmoved)
    expected = realized.copy()
    expected[0, 0] = expected[1, 1] = expected[2, 2] = np.nan
    expected[3:6] = np.nan
    realized[3:6] *= 50.0
    ours = estimate([(inputs, realized)], proxy="close_market")
    assert_equal(
        ours.coefficients.weights,
        estimate([(inputs, expected)], proxy="close_market").coefficients.weights,
    )
    assert ours.n_obs == 1297 * 22 - 3
    assert ours.n_days == 1297


def test_series_may_come_in_blocks():
    inputs = panel()
    realized = realized_by(inputs, TRUTH["close_market"], noise=0.3)
    realized[:5, :7] = realized[3:9, 7:] = np.nan
    blocks = [
        (Regressors._make(of[:, some] for of in inputs), realized[:, some])
        for some in (slice(0, 7), slice(7, None))
    ]
    whole, parts = (
        estimate([(inputs, realized)], proxy="close_market"),
        estimate(blocks, proxy="close_market"),
    )
    assert_allclose(parts.coefficients.weights, whole.coefficients.weights, rtol=1e-10)
    assert_allclose(
        parts.coefficients.residual_variance, whole.coefficients.residual_variance, rtol=1e-10
    )
    assert parts[2:5] == whole[2:5] == (realized.size - 5 * 7 - 6 * 15, 1298, 22)


def test_fits_what_regressors_and_the_volatility_after_them_say():
    """End to end: mean-reverting volatility of a market and 22 symbols gets an unbiased fit."""
    rng = np.random.default_rng(8)
    sessions, symbols = 1600, 22
    log_volatility = np.zeros((sessions, symbols + 1))
    shocks = rng.normal(0.0, 0.12, log_volatility.shape) + rng.normal(0.0, 0.08, (sessions, 1))
    for t in range(1, sessions):
        log_volatility[t] = 0.97 * log_volatility[t - 1] + shocks[t]
    returns = 0.012 * np.exp(log_volatility) * rng.normal(size=log_volatility.shape)
    squares = np.lib.stride_tricks.sliding_window_view(returns[252:, 1:] ** 2, 21, axis=0)
    realized = np.sqrt(252 * squares.mean(axis=2))
    inputs = build_regressors(returns[:-21, 1:], returns[:-21, 0])
    ours = fit([(inputs, realized)], proxy="close_market")
    risk = forecast(inputs, [dict.fromkeys(PROXIES, ours.coefficients)]).root_variance_forecast
    assert_allclose(np.mean((realized / risk) ** 2), 1.0, rtol=1e-9)
    assert ours.n_days == 1600 - 251 - 21
    assert 0.1 < ours.r_squared < 0.9


def refusal(inputs: Regressors, realized: np.ndarray) -> str:
    with pytest.raises(CalibrationRejectedError) as refused:
        fit([(inputs, realized)], proxy="close_market")
    assert isinstance(refused.value, DataQualityError)
    return str(refused.value)


def test_a_negative_weight_is_refused():
    inputs = panel()
    weights = np.array([0.7, 0.05, -0.1, 0.2, 0.18])
    assert "negative weight (0.700, 0.050, -0.100, 0.200, 0.180)" in refusal(
        inputs, realized_by(inputs, weights)
    )


@pytest.mark.parametrize(("scale", "total"), [(0.85, "0.884"), (1.12, "1.165")])
def test_weights_that_forecast_another_level_are_refused(scale, total):
    inputs = panel()
    assert f"sum to {total}, outside 0.9 to 1.15" in refusal(
        inputs, realized_by(inputs, scale * TRUTH["close_market"])
    )


def test_less_than_five_years_are_refused():
    inputs = panel(days=1259)
    assert "1259 sessions have pairs for close_market; 1260 required" in refusal(
        inputs, realized_by(inputs, TRUTH["close_market"])
    )


def test_symbols_with_less_than_a_year_of_pairs_do_not_count():
    inputs = panel()
    realized = realized_by(inputs, TRUTH["close_market"])
    realized[251:, :3] = np.nan
    assert "19 series have a year of pairs for close_market; 20 required" in refusal(
        inputs, realized
    )


def test_nothing_to_fit_to_is_refused():
    inputs = panel()
    assert "no pair" in refusal(inputs, np.full_like(inputs.level, np.nan))


def test_arguments_that_do_not_fit_are_refused():
    inputs = panel(days=2)
    with pytest.raises(ValueError, match="have the regressors' shape"):
        estimate([(inputs, inputs.level[:1])], proxy="close")
    with pytest.raises(ValueError, match="not 'open'"):
        estimate([(inputs, inputs.level)], proxy="open")
