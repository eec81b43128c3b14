"""Tail risk against numpy's and scipy's quantiles and distributions, and published regions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from scipy import integrate, stats

from riskmetrics.metrics.tail_risk import (
    BACKTEST_WINDOW,
    MIN_OBS_95,
    MIN_OBS_99,
    VAR_WINDOW,
    Backtest,
    HistoricalRisk,
    historical_risk,
    kupiec,
    loss_ranks,
    parametric_risk,
    sqrt_time_scaled,
    var_exceptions,
)

repeatable = settings(max_examples=60)
seeds = st.integers(0, 2**32 - 1)
levels = st.sampled_from([0.9, 0.95, 0.975, 0.99])


def panel(seed, sessions=60, series=5, missing=0.1):
    rng = np.random.default_rng(seed)
    returns = rng.standard_t(4, (sessions, series)) * 0.01
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns


def test_a_tail_by_hand():
    """Losses of 1 to 21 %: the 90 % quantile is the 19th, and 19, 20 and 21 lie at or beyond it."""
    returns = -np.random.default_rng(0).permutation(np.arange(1.0, 22.0))[:, None] / 100
    found = historical_risk(returns, level=0.9, window=21, min_obs=1)
    assert_allclose([found.value_at_risk[0], found.expected_shortfall[0]], [0.19, 0.20], rtol=1e-15)
    assert_array_equal(found.n_obs, [21])


@repeatable
@given(seeds, levels)
def test_agrees_with_the_quantile_of_numpy_and_the_mean_beyond_it(seed, level):
    """Oracle: np.quantile of each series' own losses."""
    returns = panel(seed)
    found = historical_risk(returns, level=level, window=50, min_obs=30)
    for series in range(returns.shape[1]):
        losses = -returns[-50:, series]
        losses = losses[np.isfinite(losses)]
        quantile = np.quantile(losses, level)
        assert found.n_obs[series] == len(losses)
        assert_allclose(found.value_at_risk[series], quantile, rtol=1e-14)
        assert_allclose(
            found.expected_shortfall[series], losses[losses >= quantile].mean(), rtol=1e-14
        )


def test_approaches_the_normal_tail_of_normal_returns():
    """Oracle: the normal quantile, with 200,000 draws."""
    returns = np.random.default_rng(1).normal(0.0, 0.2 / np.sqrt(252), (200_000, 1))
    found, normal = (
        historical_risk(returns, level=0.99, window=200_000, min_obs=MIN_OBS_99),
        parametric_risk(np.array([0.2]), level=0.99),
    )
    assert_allclose(found.value_at_risk, normal.value_at_risk, rtol=0.01)
    assert_allclose(found.expected_shortfall, normal.expected_shortfall, rtol=0.01)


def test_equal_losses_are_all_in_the_tail_and_the_shortfall_is_not_below_them():
    """Three losses of 0.1 average a little under 0.1 or over it in binary fractions, seven of 0.7
    too.
    """
    for loss in np.linspace(0.01, 0.9, 90):
        found = historical_risk(np.full((7, 1), -loss), level=0.9, window=7, min_obs=1)
        assert found.value_at_risk[0] == loss
        assert loss <= found.expected_shortfall[0] <= loss * (1 + 1e-15)


def test_a_risk_that_is_a_gain_stays_one():
    assert (
        historical_risk(np.full((20, 1), 0.01), level=0.95, window=20, min_obs=1).value_at_risk[0]
        == -0.01
    )


def test_too_few_returns_leave_the_count_and_only_the_series_that_lacks_them():
    returns = panel(3, missing=0.0)
    whole = historical_risk(returns, level=0.95, window=60, min_obs=58)
    returns[:3, 1], returns[:, 2], returns[5, 3] = np.nan, np.nan, np.inf
    found = historical_risk(returns, level=0.95, window=60, min_obs=58)
    assert_array_equal(found.n_obs, [60, 57, 0, 59, 60])
    assert_array_equal(np.isnan(found.value_at_risk), [False, True, True, False, False])
    assert_array_equal(np.isnan(found.expected_shortfall), np.isnan(found.value_at_risk))
    assert_equal([values[[0, 4]] for values in found], [values[[0, 4]] for values in whole])


@pytest.mark.parametrize(
    ("days", "level", "beyond"),
    [(MIN_OBS_95, 0.95, 7), (MIN_OBS_99, 0.99, 5), (VAR_WINDOW, 0.99, 6)],
)
def test_the_fewest_returns_leave_a_handful_beyond_the_quantile(days, level, beyond):
    """By hand: 125 x .95 = 118.75, 499 x .99 = 494.01 and 503 x .99 = 497.97 losses lie below
    it.
    """
    losses = np.arange(float(days))
    found = historical_risk(-losses[:, None], level=level, window=days, min_obs=days)
    assert (losses > found.value_at_risk).sum() == beyond
    assert_allclose(found.expected_shortfall, losses[-beyond:].mean(), rtol=1e-14)


@repeatable
@given(seeds, levels, st.sampled_from([0.25, 2.0, 8.0]))
def test_leverage_scales_both_and_a_gain_every_day_lowers_them_by_itself(seed, level, leverage):
    returns = panel(seed)
    found, geared, richer = (
        historical_risk(values, level=level, window=60, min_obs=20)
        for values in (returns, leverage * returns, returns + 0.5)
    )
    for ours, scaled_, shifted in zip(found[:2], geared[:2], richer[:2], strict=True):
        assert_allclose(scaled_, leverage * ours, rtol=1e-12)
        assert_allclose(shifted, ours - 0.5, rtol=1e-12)


@repeatable
@given(seeds, levels)
def test_a_series_has_the_same_bits_alone_in_any_batch_and_whatever_came_before(seed, level):
    returns = panel(seed)
    batch = historical_risk(returns, level=level, window=40, min_obs=20)
    earlier = returns.copy()
    earlier[:20] = 0.3
    assert_equal(historical_risk(earlier, level=level, window=40, min_obs=20), batch)
    for series in range(returns.shape[1]):
        alone = historical_risk(
            np.asfortranarray(returns[:, [series]]), level=level, window=40, min_obs=20
        )
        assert_equal(alone, HistoricalRisk(*(values[[series]] for values in batch)))


@repeatable
@given(st.floats(0.05, 0.999), st.floats(0.01, 2.0))
def test_the_parametric_tail_agrees_with_scipy(level, volatility):
    """Oracle: scipy's normal distribution, and its tail integrated numerically."""
    found = parametric_risk(np.array([volatility, np.nan]), level=level)
    normal = stats.norm(0.0, volatility / np.sqrt(252))
    quantile = normal.ppf(level)
    tail = integrate.quad(lambda z: z * stats.norm.pdf(z), stats.norm.ppf(level), np.inf)[0] / (
        1 - level
    )
    assert_allclose(found.value_at_risk, [quantile, np.nan], rtol=1e-9, atol=1e-15)
    assert_allclose(found.expected_shortfall, [tail * normal.std(), np.nan], rtol=1e-7)


def test_ten_days_are_the_square_root_of_ten():
    assert_allclose(
        sqrt_time_scaled(np.array([0.02, np.nan])), [0.0632455532033676, np.nan], rtol=1e-14
    )


def exceptions_of(returns, *, level, min_obs, **days):
    return var_exceptions(
        returns, loss_ranks(returns, **days), level=level, min_obs=min_obs, **days
    )


@repeatable
@given(seeds, st.integers(1, 5), st.sampled_from([1, 40, 300]))
def test_smaller_losses_agree_with_scipys_rank_in_the_window(seed, series, window):
    """Oracle: scipy.stats.percentileofscore, strictly below; 300 days are more than a byte
    counts.
    """
    returns = np.round(panel(seed, sessions=window + 12, series=series, missing=0.1), 3)
    found = loss_ranks(returns, window=window, n_days=10)
    for day in range(10):
        for column in range(series):
            losses, own = (
                -returns[day + 2 : day + 2 + window, column],
                -returns[day + 2 + window, column],
            )
            known = losses[np.isfinite(losses)]
            expected = (
                stats.percentileofscore(known, own, kind="strict") * len(known) / 100
                if len(known) and np.isfinite(own)
                else 0
            )
            assert found[day, column] == pytest.approx(expected, abs=1e-9)


@repeatable
@given(seeds, levels)
def test_exceptions_agree_with_a_loop_over_days(seed, level):
    """Oracle: np.quantile of the days before each tested day."""
    returns = panel(seed, sessions=90, missing=0.15)
    found = exceptions_of(returns, level=level, window=40, n_days=30, min_obs=32)
    exceptions, tested = np.zeros(5, int), np.zeros(5, int)
    for day in range(60, 90):
        for series in range(5):
            losses = -returns[day - 40 : day, series]
            losses = losses[np.isfinite(losses)]
            if len(losses) >= 32 and np.isfinite(returns[day, series]):
                tested[series] += 1
                exceptions[series] += -returns[day, series] > np.quantile(losses, level) + 1e-15
    assert_equal(found, Backtest(exceptions, tested))


def test_the_day_itself_is_not_in_its_window_and_a_loss_as_large_as_the_limit_is_no_exception():
    """Losses that grow every day always pass the worst before; falling and equal ones never do."""
    growing = -np.linspace(0.01, 0.02, 50)
    returns = np.column_stack([growing, growing[::-1], np.full(50, -0.1)])
    found = exceptions_of(returns, level=0.99, window=30, n_days=20, min_obs=30)
    assert_equal(found, Backtest(np.array([20, 0, 0]), np.array([20, 20, 20])))


@pytest.mark.parametrize(("loss", "exceptions"), [(0.625, 0), (0.6875, 1)])
def test_a_loss_equal_to_a_limit_that_lies_between_two_losses_is_no_exception(loss, exceptions):
    """By hand: at 75 % the limit of losses of 0, 0.25 and 1 is half way between the larger two; all
    of it is exact in binary.
    """
    found = exceptions_of(
        -np.array([[0.0], [0.25], [1.0], [loss]]), level=0.75, window=3, n_days=1, min_obs=3
    )
    assert_equal(found, Backtest(np.array([exceptions]), np.array([1])))


def test_a_year_is_tested_on_two_before_it_unless_told_otherwise():
    """By hand: 756 returns are exactly enough."""
    returns = panel(2, sessions=VAR_WINDOW + BACKTEST_WINDOW, series=2, missing=0.0)
    assert_array_equal(exceptions_of(returns, level=0.95, min_obs=MIN_OBS_95).n_tested, [252, 252])
    with pytest.raises(ValueError, match="too few to test"):
        loss_ranks(returns[1:])


def test_rows_before_the_windows_of_a_backtest_do_not_matter():
    returns = panel(11, sessions=80)
    cut = exceptions_of(returns[10:], level=0.95, window=40, n_days=30, min_obs=20)
    assert_equal(exceptions_of(returns, level=0.95, window=40, n_days=30, min_obs=20), cut)


@pytest.mark.parametrize(
    ("level", "days", "most_too_few", "least_too_many"),
    [
        (0.99, 510, 1, 11),
        (0.99, 1000, 4, 17),
        (0.975, 255, 2, 12),
        (0.975, 510, 6, 21),
        (0.975, 1000, 15, 36),
        (0.95, 255, 6, 21),
        (0.95, 510, 16, 36),
        (0.95, 1000, 37, 65),
        (0.90, 255, 16, 36),
        (0.90, 510, 38, 65),
        (0.90, 1000, 81, 120),
    ],
)
def test_rejects_where_kupiec_did(level, days, most_too_few, least_too_many):
    """Published: Kupiec (1995), numbers of failures rejected at 5 %."""
    exceptions = np.arange(days // 4)
    rejected = kupiec(exceptions, np.full_like(exceptions, days), level=level).p_value < 0.05
    assert_array_equal(rejected, (exceptions <= most_too_few) | (exceptions >= least_too_many))


@repeatable
@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), levels)
def test_the_likelihood_ratio_agrees_with_the_binomial_distribution(counts, level):
    """Oracle: twice the difference of scipy's binomial log probabilities, no exception and
    nothing but exceptions among them.
    """
    n, x = counts
    found = kupiec(np.array([x]), np.array([n]), level=level)
    theirs = 2 * (stats.binom.logpmf(x, n, x / n) - stats.binom.logpmf(x, n, 1 - level))
    assert_allclose(found.likelihood_ratio[0], theirs, rtol=1e-9, atol=1e-9)
    assert_allclose(found.p_value[0], stats.chi2.sf(found.likelihood_ratio[0], 1), rtol=1e-12)
    assert_allclose(found.expected_exceptions[0], n * (1 - level), rtol=1e-15)


@pytest.mark.parametrize(("x", "likelihood"), [(0, 0.95), (252, 0.05)])
def test_no_breach_and_nothing_but_breaches_are_limits(x, likelihood):
    """By hand: the unrestricted likelihood is 1."""
    found = kupiec(np.array([x]), np.array([252]), level=0.95)
    assert_allclose(found.likelihood_ratio, [-2 * 252 * np.log(likelihood)], rtol=1e-12)


def test_without_a_tested_day_nothing_is_expected_and_the_rest_is_undefined():
    found = kupiec(np.array([0]), np.array([0]), level=0.95)
    assert_array_equal(np.concatenate(found), [0.0, np.nan, np.nan])


def test_levels_windows_and_counts_that_make_no_sense_raise():
    returns = np.zeros((10, 1))
    for level in (0.0, 1.0, 95.0, np.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            historical_risk(returns, level=level, window=10, min_obs=1)
        with pytest.raises(ValueError, match="between 0 and 1"):
            parametric_risk(np.ones(1), level=level)
    for window, min_obs in ((11, 1), (10, 0), (5, 6)):
        with pytest.raises(ValueError, match="min_obs"):
            historical_risk(returns, level=0.95, window=window, min_obs=min_obs)
    with pytest.raises(ValueError, match="too few to test"):
        exceptions_of(returns, level=0.95, window=8, n_days=3, min_obs=1)
    for exceptions, days in (([3], [2]), ([-1], [2]), ([1, 1], [2])):
        with pytest.raises(ValueError, match="exceptions"):
            kupiec(np.array(exceptions), np.array(days), level=0.95)
