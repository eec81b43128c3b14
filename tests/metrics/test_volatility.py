"""Realized volatility against numpy, scipy and hand calculation.

Includes missing-value rules and bit-exactness.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_equal
from scipy import stats

from riskmetrics.metrics.volatility import (
    DIRECTIONS,
    absolute_volatility,
    lagged_means,
    percentile_rank,
    range_proxy,
    realized_volatility,
    volatility_trend,
)
from riskmetrics.metrics.windows import window_means, window_sums

repeatable = settings(max_examples=40)


@pytest.fixture
def returns() -> np.ndarray:
    """Returns of 13 symbols over 320 sessions, a tenth missing but for the first two."""
    rng = np.random.default_rng(20241206)
    values = rng.standard_t(5, (320, 13)) * rng.uniform(0.005, 0.03, 13)
    values[:, 2:][rng.random((320, 11)) < 0.1] = np.nan
    values[40:75, 5] = np.nan
    return values


@pytest.mark.parametrize(("window", "min_obs"), [(21, 15), (63, 45), (252, 126)])
def test_realized_volatility_agrees_with_numpy_window_by_window(returns, window, min_obs):
    """Oracle: numpy.nanstd with ddof=1 on each window's own returns."""
    volatility, n_obs = realized_volatility(returns, window=window, min_obs=min_obs)
    assert volatility.shape == (320 - window + 1, 13)
    for day in range(0, len(volatility), 7):
        for symbol in range(13):
            known = returns[day : day + window, symbol]
            known = known[~np.isnan(known)]
            assert n_obs[day, symbol] == len(known)
            expected = np.std(known, ddof=1) * math.sqrt(252) if len(known) >= min_obs else np.nan
            assert_allclose(volatility[day, symbol], expected, rtol=1e-12)
    assert np.isnan(volatility).any() == (window < 252)


def test_realized_volatility_by_hand():
    """Two returns of +1 % and -1 %: variance 2 * .01² per session, n - 1 = 1."""
    volatility, n_obs = realized_volatility(
        np.array([[0.01], [np.nan], [-0.01]]), window=3, min_obs=2
    )
    assert_allclose(volatility, [[math.sqrt(2 * 0.0001 * 252)]])
    assert n_obs[0, 0] == 2


@pytest.mark.parametrize("constant", [0.0, 0.0001, -0.3, 1 / 3])
def test_returns_that_do_not_vary_have_volatility_zero(constant):
    assert_equal(
        realized_volatility(np.full((84, 1), constant), window=63, min_obs=45).volatility,
        np.zeros((22, 1)),
    )


def test_infinities_are_missing_everywhere(returns):
    infinite = np.where(np.isnan(returns), np.inf, returns)
    assert_equal(
        realized_volatility(infinite, window=21, min_obs=15),
        realized_volatility(returns, window=21, min_obs=15),
    )
    assert_equal(absolute_volatility(infinite), absolute_volatility(returns))


def test_absolute_volatility_agrees_with_plain_means(returns):
    """Oracle: a loop over the definition with numpy's mean."""
    daily, weekly, monthly = absolute_volatility(returns)
    for day in range(0, len(daily), 5):
        for symbol in range(13):
            past = returns[: day + 21, symbol]
            for ours, lag, needed in ((weekly, 5, 3), (monthly, 21, 15)):
                known = past[-lag:][~np.isnan(past[-lag:])]
                expected = (
                    math.sqrt(math.pi / 2 * 252) * np.abs(known).mean()
                    if len(known) >= needed
                    else np.nan
                )
                assert_allclose(ours[day, symbol], expected, rtol=1e-12)
            recent = past[-4:][~np.isnan(past[-4:])]
            expected = math.sqrt(math.pi / 2 * 252) * abs(recent[-1]) if len(recent) else np.nan
            assert_allclose(daily[day, symbol], expected, rtol=1e-12)
    assert np.isnan(daily).any()
    assert np.isnan(weekly).any()
    assert np.isnan(monthly).any()


@pytest.mark.parametrize(("age", "day"), [(0, 0.2), (3, 0.2), (4, np.nan)])
def test_the_day_is_the_last_value_up_to_three_sessions_old(age, day):
    values = np.full((30, 1), 0.1)
    values[29 - age] = 0.2
    values[30 - age :] = np.nan
    assert_equal(lagged_means(values).day[-1, 0], day)


def test_the_range_of_a_day_by_hand():
    """ln(e/1) / sqrt(4 ln 2) = 0.6005612."""
    assert_allclose(
        range_proxy(np.array([[math.e]]), np.array([[1.0]])), [[0.6005612043932249]], rtol=1e-15
    )


def test_the_mean_squared_range_of_a_random_walk_is_its_variance():
    """Parkinson's (1980) result; a walk in 1,000 steps sees slightly less than the whole range."""
    rng = np.random.default_rng(7)
    prices = np.exp(np.cumsum(rng.normal(0.0, 0.02 / math.sqrt(1000), (1000, 2000)), axis=0))
    prices = np.vstack([np.ones(2000), prices])
    proxy = range_proxy(prices.max(axis=0), prices.min(axis=0))
    assert_allclose(math.sqrt(np.mean(proxy**2)), 0.02, rtol=0.04)


@pytest.mark.parametrize(
    ("high", "low"),
    [
        (9.0, 10.0),
        (10.0, 10.0),
        (10.0, 0.0),
        (10.0, -1.0),
        (np.nan, 1.0),
        (1.0, np.nan),
        (np.inf, 1.0),
    ],
)
def test_a_bar_without_a_valid_range_has_none(high, low):
    assert_equal(
        range_proxy(np.array([[high, 11.0]]), np.array([[low, 10.0]])),
        [[np.nan, range_proxy(np.array(11.0), np.array(10.0))]],
    )


@pytest.mark.parametrize("n_days", [1, 48, 251, 252])
def test_percentile_rank_agrees_with_scipy(n_days):
    """Oracle: scipy.stats.percentileofscore(kind="mean") among the earlier 252, ties and gaps
    included; from 252 days on, the days are compared at once.
    """
    rng = np.random.default_rng(3)
    shape = (252 + n_days, 9)
    volatility = np.round(rng.lognormal(-1.5, 0.4, shape), 2)  # two decimals: plenty of ties
    volatility[rng.random(volatility.shape) < 0.2] = np.nan
    volatility[:150, 4] = np.nan
    rank, n_obs = percentile_rank(volatility)
    for day, symbol in np.ndindex(rank.shape):
        earlier = volatility[day : day + 252, symbol]
        earlier = earlier[~np.isnan(earlier)]
        today = volatility[day + 252, symbol]
        assert n_obs[day, symbol] == len(earlier)
        defined = len(earlier) >= 126 and not np.isnan(today)
        expected = stats.percentileofscore(earlier, today, kind="mean") / 100 if defined else np.nan
        assert_allclose(rank[day, symbol], expected, rtol=1e-12)
    assert 0 < np.isnan(rank).sum() < rank.size


def test_the_trend_is_the_normal_probability_of_more_volatility():
    """Oracle: scipy.stats.norm; the direction by the probabilities of NUMERICS."""
    forecast, realized = np.array([0.30, 0.20, 0.10, 0.22]), np.array([0.20, 0.20, 0.20, 0.20])
    probability, strength, direction = volatility_trend(forecast, realized)
    expected = stats.norm.cdf((np.log(forecast / realized) - 0.06) / 0.33)
    assert_allclose(probability, expected, rtol=1e-12)
    assert_allclose(strength, np.abs(2 * expected - 1), rtol=1e-12)
    assert [DIRECTIONS[value] for value in direction] == [
        "increasing",
        "stable",
        "decreasing",
        "stable",
    ]


@pytest.mark.parametrize(
    ("forecast", "realized"), [(np.nan, 0.2), (0.2, np.nan), (0.2, 0.0), (0.0, 0.2)]
)
def test_a_trend_from_or_to_nothing_is_undefined(forecast, realized):
    assert_equal(
        np.array(volatility_trend(np.array([forecast]), np.array([realized]))),
        np.full((3, 1), np.nan),
    )


@pytest.mark.parametrize("function", [absolute_volatility, percentile_rank])
def test_too_few_rows_are_refused(function):
    with pytest.raises(ValueError, match="rows"):
        function(np.zeros((20, 2)))


@pytest.mark.parametrize(("window", "min_obs"), [(22, 15), (0, 2), (21, 1), (21, 22)])
def test_windows_that_do_not_fit_are_refused(window, min_obs):
    with pytest.raises(ValueError, match=r"required|rows"):
        realized_volatility(np.zeros((21, 1)), window=window, min_obs=min_obs)


def test_window_means_agree_with_numpy(returns):
    """Oracle: numpy.nanmean of each window."""
    mean, n_obs = window_means(returns, 63, min_obs=1)
    windows = np.lib.stride_tricks.sliding_window_view(returns, 63, axis=0)
    assert_equal(n_obs, (~np.isnan(windows)).sum(axis=2))
    assert_allclose(mean, np.nanmean(windows, axis=2), rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("window", [1, 2, 63, 64, 90])
@pytest.mark.parametrize("decay", [1.0, 0.94])
def test_window_sums_are_those_of_python_and_of_each_window_alone(returns, window, decay):
    """Oracle: `math.fsum`, which does not round on its way; alone, to the last bit."""
    values = np.nan_to_num(returns)
    sums = window_sums(values, window, decay=decay)
    weights = decay ** np.arange(window - 1, -1, -1)
    assert len(sums) == len(values) - window + 1
    for day in range(0, len(sums), 20):
        own = values[day : day + window]
        assert_allclose(
            sums[day], [math.fsum(column) for column in own.T * weights], rtol=1e-12, atol=1e-15
        )
        assert_equal(window_sums(own, window, decay=decay)[0], sums[day])


@st.composite
def panels(draw: st.DrawFn) -> np.ndarray:
    """Returns of 1 to 5 symbols in whole basis points over 21 to 40 sessions, a tenth missing."""
    shape = draw(st.integers(21, 40)), draw(st.integers(1, 5))
    basis_points = draw(arrays(np.int64, shape, elements=st.integers(-2000, 2000)))
    missing = draw(
        arrays(np.bool_, shape, elements=st.integers(0, 9).map(lambda digit: digit == 0))
    )
    return np.where(missing, np.nan, basis_points / 10_000)


def results(returns: np.ndarray) -> tuple[np.ndarray, ...]:
    """Every volatility of the last 21 sessions on each day."""
    return (*realized_volatility(returns, window=21, min_obs=15), *absolute_volatility(returns))


@repeatable
@given(panels(), st.floats(0.01, 100.0))
def test_leverage_scales_every_volatility(returns, k):
    volatility, n_obs, *absolute = results(returns)
    scaled, same_n_obs, *scaled_absolute = results(k * returns)
    assert_equal(same_n_obs, n_obs)
    for left, right in zip((scaled, *scaled_absolute), (volatility, *absolute), strict=True):
        assert_allclose(left, k * right, rtol=1e-9)


@repeatable
@given(panels())
def test_each_day_and_symbol_alone_gives_the_same_to_the_last_bit(returns):
    together = results(returns)
    for day in range(len(together[0])):
        for symbol in range(returns.shape[1]):
            alone = results(returns[day : day + 21, symbol : symbol + 1])
            assert_equal(
                [values[0, 0] for values in alone], [values[day, symbol] for values in together]
            )


def test_ranks_and_ranges_alone_are_the_same_to_the_last_bit():
    rng = np.random.default_rng(11)
    volatility = rng.lognormal(-1.5, 0.4, (270, 7))
    ranks = percentile_rank(volatility)
    for day in range(len(ranks.rank)):
        for symbol in range(7):
            alone = percentile_rank(volatility[day : day + 253, symbol : symbol + 1])
            assert_equal(
                (alone.rank[0, 0], alone.n_obs[0, 0]),
                (ranks.rank[day, symbol], ranks.n_obs[day, symbol]),
            )
    high, low = 1.0 + volatility, np.ones_like(volatility)
    assert_equal(range_proxy(high[:, 3:4], low[:, 3:4]), range_proxy(high, low)[:, 3:4])


@pytest.mark.parametrize("k", [2.0**-8, 0.5, 1024.0])
def test_leverage_leaves_ranks_and_trends(returns, k):
    """By powers of 2, which move no tie."""

    def ranks_and_trends(values: np.ndarray) -> tuple[np.ndarray, ...]:
        volatility = realized_volatility(values, window=21, min_obs=15).volatility
        return (
            *percentile_rank(volatility),
            *volatility_trend(absolute_volatility(values).week, volatility),
        )

    assert_equal(ranks_and_trends(k * returns), ranks_and_trends(returns))
