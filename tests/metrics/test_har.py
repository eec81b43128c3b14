"""The HAR forecast against its formula written out, arch's lags and invariants."""

import math

import numpy as np
import pytest
from arch.univariate import HARX
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_equal

from riskmetrics.metrics.har import (
    CLOSE,
    CLOSE_MARKET,
    PROXIES,
    RANGE_MARKET,
    SHIPPED_COEFFICIENTS,
    Coefficients,
    Forecast,
    Regressors,
    build_regressors,
    forecast,
)
from riskmetrics.metrics.volatility import range_proxy, realized_volatility

repeatable = settings(max_examples=25)

NUMERICS_TABLE = {
    "close_market": ([0.48, 0.015, 0.085, 0.28, 0.18], 0.13),
    "close": ([0.54, 0.013, 0.083, 0.40, 0.0], 0.13),
    "range_market": ([0.21, 0.05, 0.125, 0.425, 0.215], 0.11),
}


def simulated(
    seed: int, sessions: int = 300, symbols: int = 6
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns with clusters of volatility, a market's, and ranges; a few missing."""
    rng = np.random.default_rng(seed)
    log_volatility = np.cumsum(rng.normal(0.0, 0.1, (sessions, symbols)), axis=0) * 0.5
    volatility = 0.015 * np.exp(np.clip(log_volatility, -1.5, 1.5))
    returns = volatility * rng.normal(size=(sessions, symbols))
    returns[rng.random(returns.shape) < 0.03] = np.nan
    market = 0.01 * rng.standard_t(4, sessions)
    ranges = range_proxy(
        np.exp(volatility * rng.uniform(0.5, 3.0, volatility.shape)), np.ones_like(volatility)
    )
    ranges[rng.random(ranges.shape) < 0.02] = np.nan
    return returns, market, ranges


def written_out(
    returns: np.ndarray, market: np.ndarray, ranges: np.ndarray | None
) -> tuple[float, str]:
    """The formula for one window of 252 sessions of one series: ratio and proxy, or NaN."""
    c = math.sqrt(math.pi / 2)

    def mean(values: np.ndarray, last: int, needed: int) -> float:
        known = values[-last:][~np.isnan(values[-last:])]
        return float(np.mean(known)) if len(known) >= needed else math.nan

    a, proxy = c * np.abs(returns), "close_market"
    if ranges is not None and (~np.isnan(ranges)).sum() >= 0.95 * 252:
        a, proxy = ranges, "range_market"
    m = mean(np.abs(market), 21, 15) / mean(np.abs(market), 252, 63)
    if math.isnan(m):
        a, proxy, m = c * np.abs(returns), "close", 0.0
    level = mean(a, 252, 63)
    month = mean(a, 21, 15) / level
    recent = a[-4:][~np.isnan(a[-4:])]
    x = [1.0, recent[-1] / level if len(recent) else month, mean(a, 5, 3) / level, month, m]
    return (
        sum(weight * value for weight, value in zip(NUMERICS_TABLE[proxy][0], x, strict=True)),
        proxy,
    )


@pytest.mark.parametrize("with_ranges", [False, True])
@pytest.mark.parametrize("with_market", [False, True])
def test_agrees_with_the_formula_written_out_window_by_window(with_ranges, with_market):
    """Oracle: plain means over each window and the published coefficients."""
    returns, market, ranges = simulated(1)
    ranges[:40, 2] = np.nan  # too few ranges in the first windows, enough in later ones
    market = market if with_market else np.full_like(market, np.nan)
    found = build_regressors(returns, market, ranges if with_ranges else None)
    ours = forecast(found)
    for day, symbol in np.ndindex(ours.ratio.shape):
        window = slice(day, day + 252)
        ratio, proxy = written_out(
            returns[window, symbol], market[window], ranges[window, symbol] if with_ranges else None
        )
        assert PROXIES[found.proxy[day, symbol]] == proxy
        assert_allclose(ours.ratio[day, symbol], ratio, rtol=1e-12)
        known = returns[window, symbol][~np.isnan(returns[window, symbol])]
        assert found.n_obs[day, symbol] == len(known)
        level = math.sqrt(math.pi / 2) * np.abs(known).mean()
        expected = math.sqrt(252) * level * min(max(ratio, 0.25), 6.0)
        assert_allclose(ours.volatility_forecast[day, symbol], expected, rtol=1e-12)
        assert_allclose(
            ours.root_variance_forecast[day, symbol],
            expected * math.sqrt(1.0 + NUMERICS_TABLE[proxy][1]),
            rtol=1e-12,
        )
    assert (
        set(np.unique(found.proxy))
        == ({RANGE_MARKET, CLOSE_MARKET} if with_ranges else {CLOSE_MARKET})
        if with_market
        else {CLOSE}
    )
    assert_allclose(np.log(ours.low / ours.volatility_forecast), -0.45)
    assert_allclose(np.log(ours.high / ours.volatility_forecast), 0.36)


def test_lags_agree_with_arch():
    """Oracle: the regressors of arch's HARX, which stand next to the day after the one they end
    on.
    """
    returns = np.random.default_rng(2).normal(0.0, 0.01, (300, 1))
    ours = build_regressors(returns, returns[:, 0])
    absolute = math.sqrt(math.pi / 2) * np.abs(returns[:, 0])
    model = HARX(absolute, lags=[1, 5, 21], rescale=False)
    model.fit()
    theirs = model.regressors[252:, 1:]
    for k, values in enumerate((ours.day, ours.week, ours.month)):
        assert_allclose((values * ours.level)[:-1, 0], theirs[:, k], rtol=1e-12)
    assert_allclose(ours.market[:-1, 0], theirs[:, 2] / ours.level[:-1, 0], rtol=1e-12)


def test_a_series_as_volatile_as_ever_is_forecast_at_the_sum_of_the_weights():
    """By hand: |r| = 1 % every day, so every ratio is 1: F = sqrt(252 pi / 2) * .01 * 1.04."""
    returns = np.where(np.arange(252) % 2, 0.01, -0.01)
    ours = forecast(build_regressors(returns[:, np.newaxis], returns))
    assert_allclose(ours.volatility_forecast, [[math.sqrt(252 * math.pi / 2) * 0.01 * 1.04]])


def test_shipped_coefficients_are_the_published_ones():
    for proxy, (weights, residual_variance) in NUMERICS_TABLE.items():
        assert_equal(SHIPPED_COEFFICIENTS[proxy].weights, weights)
        assert SHIPPED_COEFFICIENTS[proxy].residual_variance == residual_variance


@pytest.mark.parametrize(
    ("n_obs", "defined", "short"),
    [(62, False, False), (63, True, True), (125, True, True), (126, True, False)],
)
def test_a_short_history_is_flagged_and_a_shorter_one_undefined(n_obs, defined, short):
    returns, market, _ = simulated(3, sessions=252, symbols=1)
    returns = np.where(np.isnan(returns), 0.01, returns)
    returns[: 252 - n_obs] = np.nan
    found = build_regressors(returns, market)
    assert found.n_obs[0, 0] == n_obs
    assert found.short_history[0, 0] == short
    assert np.isfinite(forecast(found).volatility_forecast[0, 0]) == defined


def test_the_month_stands_in_for_a_day_that_is_four_sessions_old():
    """2 of the last 5 sessions have no return at first, then 4, where the week is unknown too."""
    returns, market, _ = simulated(4, sessions=252, symbols=3)
    returns = np.where(np.isnan(returns), 0.01, returns)
    returns[-3:, 1], returns[-4:, 2] = np.nan, np.nan
    found = build_regressors(returns, market)
    assert_equal(found.daily_lag_imputed, [[False, False, True]])
    assert found.day[0, 2] == found.month[0, 2]
    assert found.day[0, 1] != found.month[0, 1]
    assert_equal(np.isfinite(forecast(found).volatility_forecast), [[True, False, False]])


def test_ranges_are_used_whole_or_not_at_all():
    """239 of 252 are under 95 %; enough of them, but none lately, is no range of the week."""
    returns, market, ranges = simulated(5, sessions=252, symbols=4)
    ranges = np.where(np.isnan(ranges), 0.01, ranges)
    ranges[:12, 1], ranges[:13, 2], ranges[-3:, 3] = np.nan, np.nan, np.nan
    found = build_regressors(returns, market, ranges)
    assert_equal(found.proxy, [[RANGE_MARKET, RANGE_MARKET, CLOSE_MARKET, CLOSE_MARKET]])
    by_close = build_regressors(returns, market)
    for name in ("day", "week", "month"):
        assert_equal(getattr(found, name)[:, 2:], getattr(by_close, name)[:, 2:])
        assert (getattr(found, name)[:, :2] != getattr(by_close, name)[:, :2]).all()
    assert_equal(found.level, by_close.level)


@pytest.mark.parametrize("still", [21, 252])
def test_a_price_that_is_not_made_has_no_forecast(still):
    returns, market, ranges = simulated(6, sessions=252, symbols=2)
    returns[-still:, 0] = 0.0
    found = build_regressors(returns, market, ranges)
    ours = forecast(found)
    assert_equal(found.no_price_movement, [[True, False]])
    assert (found.level[0, 0] == 0.0) == (still == 252)
    assert np.isnan(
        [
            ours.volatility_forecast[0, 0],
            ours.root_variance_forecast[0, 0],
            ours.low[0, 0],
            ours.high[0, 0],
            ours.ratio[0, 0],
        ]
    ).all()
    assert not ours.clipped[0, 0]


def test_the_ratio_is_clipped_and_says_so():
    """One day of 400 % after a quiet year, and a quiet month after a wild year under weights that
    see nothing else.
    """
    calm = np.tile([0.001, -0.001], 126)
    wild, quiet = calm.copy(), np.where(np.arange(252) < 231, 0.05, 0.001)
    wild[-21:] = 0.5
    month_only = {
        proxy: Coefficients(np.array([0.0, 0.0, 0.0, 1.0, 0.0]), 0.0) for proxy in PROXIES
    }
    found = build_regressors(np.column_stack([wild, calm, quiet]), calm)
    ours = forecast(found, [month_only])
    assert_equal(ours.clipped, [[True, False, True]])
    assert_allclose(
        ours.volatility_forecast / (math.sqrt(252) * found.level), [[6.0, 1.0, 0.25]], rtol=1e-12
    )
    assert ours.ratio[0, 0] > 6.0
    assert ours.ratio[0, 2] < 0.25


def test_each_day_uses_the_version_that_was_known_then():
    returns, market, ranges = simulated(7)
    found = build_regressors(returns, market, ranges)
    other = {
        proxy: Coefficients(SHIPPED_COEFFICIENTS[proxy].weights * 1.1, 0.2) for proxy in PROXIES
    }
    version = (np.arange(len(found.level)) >= 30).astype(np.int64)
    ours = forecast(found, [SHIPPED_COEFFICIENTS, other], version)
    before, after = forecast(found), forecast(found, [other])
    for mixed, early, late in zip(ours, before, after, strict=True):
        assert_equal(mixed, np.concatenate([early[:30], late[30:]]))
    assert (ours.root_variance_forecast[30:] != before.root_variance_forecast[30:]).all()


def test_shapes_that_do_not_fit_are_refused():
    returns, market, ranges = simulated(8)
    for wrong in (
        (returns[:, 0], market, None),
        (returns, market[1:], None),
        (returns, market, ranges[1:]),
    ):
        with pytest.raises(ValueError, match="same sessions"):
            build_regressors(*wrong)
    with pytest.raises(ValueError, match="252 rows"):
        build_regressors(returns[:251], market[:251])
    with pytest.raises(ValueError, match="one per day"):
        forecast(build_regressors(returns, market), (SHIPPED_COEFFICIENTS,), np.zeros(3, np.int64))


def results(returns: np.ndarray, market: np.ndarray, ranges: np.ndarray) -> list[np.ndarray]:
    found = build_regressors(returns, market, ranges)
    return [*found, *forecast(found)]


@repeatable
@given(st.integers(0, 10_000), st.floats(0.001, 100.0))
def test_leverage_scales_the_forecast_and_leaves_its_ratio(seed, k):
    returns, market, ranges = simulated(seed, sessions=255, symbols=3)
    found, levered = (
        build_regressors(returns, market, ranges),
        build_regressors(k * returns, market, k * ranges),
    )
    for name in Regressors._fields:
        factor = k if name == "level" else 1
        assert_allclose(
            getattr(levered, name), factor * getattr(found, name), rtol=1e-9, err_msg=name
        )
    once, scaled = forecast(found), forecast(levered)
    for name in Forecast._fields:
        factor = 1 if name in ("ratio", "clipped") else k
        assert_allclose(
            getattr(scaled, name), factor * getattr(once, name), rtol=1e-9, err_msg=name
        )


@repeatable
@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
def test_a_forecast_is_positive_wherever_the_price_has_moved_and_undefined_elsewhere(seed, still):
    returns, market, ranges = simulated(seed, sessions=255, symbols=3)
    returns = np.where(np.isnan(returns), 0.01, returns)
    returns[np.random.default_rng(seed).random(returns.shape) < still] = 0.0
    expected = forecast(build_regressors(returns, market, ranges)).volatility_forecast
    moved = realized_volatility(returns, window=21, min_obs=15).volatility[231:] > 0.0
    assert_equal(expected > 0.0, moved)
    assert_equal(np.isnan(expected), ~moved)


@repeatable
@given(st.integers(0, 10_000))
def test_each_day_and_series_alone_gives_the_same_to_the_last_bit(seed):
    returns, market, ranges = simulated(seed, sessions=256, symbols=4)
    together = results(returns, market, ranges)
    for day in range(5):
        for symbol in range(4):
            window, one = slice(day, day + 252), slice(symbol, symbol + 1)
            alone = results(returns[window, one], market[window], ranges[window, one])
            assert_equal(
                [values[0, 0] for values in alone], [values[day, symbol] for values in together]
            )


def test_nothing_after_a_day_moves_its_forecast():
    returns, market, ranges = simulated(9)
    before = results(returns, market, ranges)
    returns[270:], market[270:], ranges[270:] = 0.5, np.nan, 7.0
    for earlier, later in zip(before, results(returns, market, ranges), strict=True):
        assert_equal(later[: 270 - 251], earlier[: 270 - 251])
