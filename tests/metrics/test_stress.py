"""Stress losses against hand calculation and loops over holdings."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_equal

from riskmetrics.metrics.stress import Replay, factor_losses, replay, slope_std_error

repeatable = settings(max_examples=40)


def index(*values):
    return np.array(values, dtype=np.int64)


def test_a_fall_of_the_market_costs_beta_times_it_and_pays_a_hedged_book():
    losses = factor_losses(np.array([1.5, -0.5, np.nan]), np.array([-0.2, 0.1]))
    assert_allclose(losses, [[0.3, -0.15], [-0.1, 0.05], [np.nan, np.nan]], rtol=1e-15)


def test_a_replay_by_hand():
    """Long 0.6 of what halved, short 0.4 of what fell by a quarter: 0.3 lost, 0.1 won.

    In the second episode both doubled.
    """
    before, after = np.array([[100.0, 80.0], [10.0, 5.0]]), np.array([[50.0, 60.0], [20.0, 10.0]])
    found = replay(
        before,
        after,
        np.array([0.6, -0.4]),
        column=index(0, 1),
        portfolio=index(0, 0),
        n_portfolios=1,
    )
    assert_allclose(found.loss, [[0.2, -0.2]], rtol=1e-15)
    assert_array_equal(found.coverage, [[1.0, 1.0]])


def test_an_episode_in_which_the_portfolio_follows_its_only_symbol_compounds_its_returns():
    """Oracle: the product of 1 + return."""
    returns = np.random.default_rng(2).normal(0.0, 0.02, 60)
    found = replay(
        np.ones((1, 1)),
        np.prod(1 + returns)[None, None],
        np.ones(1),
        column=index(0),
        portfolio=index(0),
        n_portfolios=1,
    )
    assert_allclose(found.loss, [[1 - np.prod(1 + returns)]], rtol=1e-14)


@pytest.mark.parametrize(("share", "defined"), [(0.81, True), (0.79, False)])
def test_prices_at_both_ends_must_cover_four_fifths_of_gross(share, defined):
    """By hand: what has prices lost 10 %; it stands for the rest."""
    before, after = np.array([[1.0, np.nan, 1.0]]), np.array([[0.9, 1.0, np.nan]])
    weight = np.array([share, (share - 1) / 3, (1 - share) / 3, (1 - share) / 3])
    found = replay(
        before,
        after,
        weight,
        column=index(0, 1, 2, -1),
        portfolio=index(0, 0, 0, 0),
        n_portfolios=1,
    )
    assert_allclose(found.coverage, [[share]], rtol=1e-15)
    assert_allclose(found.loss, [[0.1 if defined else np.nan]], rtol=1e-14)


def test_a_portfolio_without_exposure_has_neither_loss_nor_coverage():
    found = replay(
        np.ones((2, 1)),
        np.ones((2, 1)),
        np.array([0.0, 1.0]),
        column=index(0, 0),
        portfolio=index(1, 2),
        n_portfolios=3,
    )
    assert_array_equal(np.isnan(found.loss), [[True, True], [True, True], [False, False]])
    assert_array_equal(np.isnan(found.coverage), np.isnan(found.loss))


@repeatable
@given(st.integers(0, 2**32 - 1))
def test_agrees_with_a_loop_and_has_the_same_bits_alone_and_in_a_batch(seed):
    """Oracle: a sum over the holdings of each portfolio and episode."""
    rng = np.random.default_rng(seed)
    before, after = rng.uniform(50, 150, (2, 4, 9))
    before[rng.random(before.shape) < 0.08] = np.nan
    weight, column, portfolio = (
        rng.normal(0, 0.3, 20),
        rng.integers(-1, 9, 20),
        rng.integers(0, 3, 20),
    )
    batch = replay(before, after, weight, column=column, portfolio=portfolio, n_portfolios=3)
    for p in range(3):
        mine = np.flatnonzero(portfolio == p)
        for e in range(4):
            known = [i for i in mine if column[i] >= 0 and np.isfinite(before[e, column[i]])]
            coverage = sum(abs(weight[i]) for i in known) / sum(abs(weight[i]) for i in mine)
            with np.errstate(invalid="ignore"):  # nothing is covered
                loss = np.divide(
                    -sum(
                        weight[i] * (after[e, column[i]] / before[e, column[i]] - 1) for i in known
                    ),
                    coverage,
                )
            assert_allclose(batch.coverage[p, e], coverage, rtol=1e-12)
            assert_allclose(
                batch.loss[p, e], loss if coverage >= 0.8 else np.nan, rtol=1e-9, atol=1e-12
            )
            alone = replay(
                before[[e]],
                after[[e]],
                weight[mine],
                column=column[mine],
                portfolio=np.zeros(len(mine), np.int64),
                n_portfolios=1,
            )
            assert_equal(
                alone,
                Replay._make(values[p : p + 1, e : e + 1] for values in batch),
            )


def test_arrays_that_do_not_fit_raise():
    closes, weight = np.ones((2, 3)), np.ones(2)
    for before, weights in ((closes[:1], weight), (closes[0], weight), (closes, weight[:1])):
        with pytest.raises(ValueError, match="must be"):
            replay(
                before, closes, weights, column=index(0, 1), portfolio=index(0, 0), n_portfolios=1
            )


def test_a_proxy_stands_for_missing_prices_and_is_counted():
    """60 of what lost a tenth, 40 without prices that lost a fifth by proxy: 14 lost."""
    before, after = np.array([[10.0, np.nan]]), np.array([[9.0, 5.0]])
    held = {"column": index(0, 1), "portfolio": index(0, 0), "n_portfolios": 1}
    proxy = np.array([[0.5, -0.2]])  # a symbol with prices does not need one
    found = replay(before, after, np.array([60.0, 40.0]), **held, proxy=proxy)
    assert_allclose(found.loss, [[14.0]], rtol=1e-12)
    assert_array_equal(found.coverage, [[1.0]])
    assert_allclose(found.proxied_share, [[0.4]], rtol=1e-12)
    none = replay(before, after, np.array([60.0, 40.0]), **held, proxy=proxy * np.nan)
    assert_array_equal(none.loss, [[np.nan]])
    assert_allclose([none.coverage, none.proxied_share], [[[0.6]], [[0.0]]], rtol=1e-12)


@pytest.mark.parametrize("has_control", [False, True])
def test_standard_errors_are_statsmodels_weighted_robust_ones(has_control):
    rng = np.random.default_rng(7)
    x, control = rng.standard_normal((2, 300))
    y = 0.5 * x[:, None] + 0.3 * control[:, None] + rng.standard_normal((300, 3)) * (
        1 + np.abs(x[:, None])
    )  # fmt: skip
    y[5:40, 1] = np.nan
    weight = 0.5 ** (np.arange(299, -1, -1) / 89)
    found = slope_std_error(y, x, weight, control=control if has_control else None, min_obs=60)
    for at, own in enumerate(y.T):
        known = np.isfinite(own)
        regressors = sm.add_constant(np.column_stack([x, control] if has_control else [x])[known])
        fit = sm.WLS(own[known], regressors, weights=weight[known]).fit(cov_type="HC0")
        assert found[at] == pytest.approx(fit.bse[1], rel=1e-9)


@pytest.mark.parametrize(("n_known", "is_defined"), [(60, True), (59, False)])
def test_a_standard_error_needs_enough_returns_and_a_factor_that_moves(n_known, is_defined):
    rng = np.random.default_rng(8)
    y, x = rng.standard_normal((90, 1)), rng.standard_normal(90)
    y[n_known:] = np.nan
    assert np.isfinite(slope_std_error(y, x, np.ones(90), min_obs=60))[0] == is_defined
    flat = slope_std_error(np.nan_to_num(y), np.ones(90), np.ones(90), min_obs=60)
    assert np.isnan(flat[0])
