"""Values, cash flows, P&L and betas of portfolios against hand calculation and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.metrics.portfolio import (
    Lots,
    cash_flows,
    group_sums,
    is_open,
    lot_pnl,
    net_lots,
    regression_beta,
    weighted_beta,
)
from riskmetrics.metrics.pro_forma_returns import exposed_returns, scale_to_equity

repeatable = settings(max_examples=25)
seeds = st.integers(0, 2**32 - 1)
DAYS = np.array(["2024-01-22", "2024-01-23", "2024-01-24", "2024-01-25"], dtype="datetime64[D]")
NEVER = "NaT"


def lots(*rows):
    """(units, entry, entry price, exit, exit price) of each lot."""
    units, entry, entry_price, exit_, exit_price = zip(*rows, strict=True)
    floats = [np.array(values, dtype=float) for values in (units, entry_price, exit_price)]
    days = [np.array(values, dtype="datetime64[D]") for values in (entry, exit_)]
    return Lots(floats[0], days[0], floats[1], days[1], floats[2])


def random_lots(rng):
    """Twelve lots that are bought and sold on DAYS."""
    first, last = np.sort(rng.integers(0, 4, (2, 12)), axis=0)
    return Lots(
        rng.normal(0, 100, 12),
        DAYS[first],
        rng.uniform(1, 9, 12),
        DAYS[last],
        rng.uniform(1, 9, 12),
    )


def index(*values):
    return np.array(values, dtype=np.int64)


def test_a_group_sums_its_own_rows_and_a_missing_value_counts_as_nothing():
    values = np.array([[1.0, np.nan], [10.0, 20.0], [0.5, 4.0]])
    assert_array_equal(group_sums(values, index(2, 0, 2), 3), [[10, 20], [0, 0], [1.5, 4]])


def test_no_rows_and_no_groups_sum_to_nothing():
    assert_array_equal(group_sums(np.empty((0, 2)), index(), 2), np.zeros((2, 2)))
    assert group_sums(np.empty((0, 2)), index(), 0).shape == (0, 2)


@repeatable
@given(seeds)
def test_a_groups_sum_is_the_same_to_the_last_bit_whatever_stands_beside_it(seed):
    """Oracle: adding up the group's rows one by one, in order."""
    rng = np.random.default_rng(seed)
    values, group = (
        rng.lognormal(0, 8, (60, 3)) * rng.choice([-1, 1], (60, 3)),
        rng.integers(0, 5, 60),
    )
    together = group_sums(values, group, 5)
    for number in range(5):
        total = np.zeros(3)
        for row in values[group == number]:
            total = total + row
        assert_array_equal(together[number], total)


def test_a_lot_is_held_from_its_entry_to_the_day_before_its_exit():
    found = lots(
        (1, "2024-01-23", 1, "2024-01-25", 1),
        (1, "2024-01-01", 1, NEVER, np.nan),
        (1, "2024-01-23", 1, "2024-01-23", 1),
    )
    assert_array_equal(
        is_open(found.entry, found.exit, DAYS), [[0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]]
    )


def test_holdings_net_lots_and_leave_an_instrument_unpriced_if_one_of_its_lots_is():
    """3 at 10 and -1 at 10 are 20; 0.1 + 0.2 - 0.3 hold nothing; a priced and an unpriced lot are
    unpriced.
    """
    old = ("2024-01-01", 1, NEVER, np.nan)
    found = net_lots(
        lots((3, *old), (-1, *old), (0.1, *old), (0.2, *old), (-0.3, *old), (1, *old), (1, *old)),
        DAYS[:1],
        np.array([10, 10, 10, 10, 10, 10, np.nan])[:, None],
        index(0, 0, 1, 1, 1, 2, 2),
        3,
    )
    assert_array_equal(found.values[:, 0], [20, 0, np.nan])
    assert_array_equal(found.direction[:, 0], [1, 0, 1])


def test_profit_runs_between_closes_from_the_entry_price_and_to_the_exit_price():
    """2 bought at 10.5 on the second day, sold at 12.5 on the fourth; closes 10, 11, 12, 13: 1 + 2
    + 1 = 4.
    """
    found = lot_pnl(
        lots((2, "2024-01-23", 10.5, "2024-01-25", 12.5)),
        DAYS,
        np.array([[10.0, 11.0, 12.0, 13.0]]),
    )
    assert_array_equal(found.daily, [[1, 2, 1]])
    assert_array_equal(found.cumulative, [[1, 3, 4]])
    assert found.is_active.all()


@repeatable
@given(seeds)
def test_daily_profits_add_up_to_the_cumulative_one(seed):
    rng = np.random.default_rng(seed)
    found = random_lots(rng)
    daily, cumulative, _, _ = lot_pnl(found, DAYS, rng.uniform(1, 9, (12, 4)))
    before = np.where(found.entry <= DAYS[0], cumulative[:, 0] - daily[:, 0], 0.0)
    assert_allclose(before[:, None] + np.cumsum(daily, axis=1), cumulative, rtol=1e-9, atol=1e-9)


@repeatable
@given(seeds)
def test_what_profit_adds_to_value_and_cash_is_all_that_equity_changes_by(seed):
    """Value of the day and cash from trades, against the daily profit."""
    rng = np.random.default_rng(seed)
    found = random_lots(rng)
    prices = rng.uniform(1, 9, (12, 4))
    anchor = DAYS[rng.integers(0, 4, 12)]
    equity = net_lots(found, DAYS, prices, np.arange(12), 12).values + cash_flows(
        found, anchor, DAYS
    )
    assert_allclose(
        np.diff(equity, axis=1), lot_pnl(found, DAYS, prices).daily, rtol=1e-9, atol=1e-9
    )


def test_cash_flows_are_zero_on_the_anchor_and_undone_before_it():
    """A purchase of 2 at 10.5 on the second day, anchored on the third: 21 more before it."""
    bought = lots((2, "2024-01-23", 10.5, NEVER, np.nan))
    assert_array_equal(cash_flows(bought, DAYS[2:3], DAYS), [[21, 0, 0, 0]])
    assert_array_equal(cash_flows(bought, DAYS[:1], DAYS), [[0, -21, -21, -21]])


def test_a_weighted_beta_by_hand():
    """100 x 1.5 - 50 x 0.8 + 50 x ? over 200 of equity; 150 of 200 gross have a beta at first, all
    of it on the second day.
    """
    values = np.array([[100.0, 100.0], [-50.0, -50.0], [10.0, 50.0]])
    beta = np.array([[1.5, 1.5], [0.8, 0.8], [np.nan, 1.0]])
    r_squared, n_obs = (
        np.array([[0.5, 0.5], [0.2, 0.2], [np.nan, np.nan]]),
        np.array([[90.0, 90], [70, 70], [5, 65]]),
    )
    found = weighted_beta(values, beta, r_squared, n_obs, index(0, 0, 0), np.full((1, 2), 200.0))
    assert_allclose(found.beta, [[110 / 200 / (150 / 160), 160 / 200]], rtol=1e-15)
    assert_allclose(found.r_squared, [[(100 * 0.5 + 50 * 0.2) / 150] * 2], rtol=1e-15)
    assert_array_equal(found.observations, [[70, 65]])
    assert_allclose(found.coverage, [[150 / 160, 1]], rtol=1e-15)


@pytest.mark.parametrize(("share", "defined"), [(0.81, True), (0.8, True), (0.79, False)])
def test_a_weighted_beta_needs_four_fifths_of_gross(share, defined):
    values, beta = np.array([[share], [share - 1]]), np.array([[1.0], [np.nan]])
    found = weighted_beta(values, beta, beta, beta, index(0, 0), np.ones((1, 1)))
    assert_allclose(found.coverage, share)
    assert np.isfinite([found.beta, found.r_squared, found.observations]).all() == defined


def test_a_portfolio_without_exposure_has_no_weighted_beta_and_leaves_the_others_alone():
    found = weighted_beta(
        np.array([[2.0], [np.nan]]),
        np.ones((2, 1)),
        np.ones((2, 1)),
        np.ones((2, 1)),
        index(1, 2),
        np.full((3, 1), 2.0),
    )
    for field in found:
        assert_array_equal(field[:, 0], [np.nan, 1, np.nan])


def simulated(rng, n_days=100, n_symbols=6, missing=0.0):
    market = rng.normal(0, 0.01, n_days)
    returns = market[:, None] * rng.uniform(0, 2, n_symbols) + rng.normal(
        0, 0.01, (n_days, n_symbols)
    )
    returns[rng.random(returns.shape) < missing] = np.nan
    return returns, market


def pro_forma_returns(exposures, column, portfolio, equity, returns, priced_share=1.0):
    """Returns of one day's holdings, as fractions of the equity."""
    sums = exposed_returns(exposures, column, portfolio, len(equity), returns)
    return scale_to_equity(sums, equity, priced_share)


def windows_of(values, column, portfolio, equity, returns):
    """Series of every day's holdings over the 90 sessions that end on it."""
    return [
        pro_forma_returns(
            values[:, day], column, portfolio, equity[:, day], returns[day : day + 90]
        ).returns.T
        for day in range(len(returns) - 89)
    ]


def test_a_stock_and_an_option_on_it_move_by_their_sum_and_are_covered_by_their_sizes():
    """By hand: 100 less 80 of the first column in an equity of 50; the second, of size 20, has no
    return: 180 of 200 are covered.
    """
    found = pro_forma_returns(
        np.array([100.0, -80.0, 20.0]),
        index(0, 0, 1),
        index(0, 0, 0),
        np.array([50.0]),
        np.array([[0.1, np.nan]]),
    )
    assert_allclose(found.coverage, [[0.9]], rtol=1e-15)
    assert_allclose(found.returns, [[20 * 0.1 / 50 / 0.9]], rtol=1e-15)


@pytest.mark.parametrize("n", [5, 10, 15])
def test_a_session_with_returns_of_exactly_four_fifths_of_equal_positions_counts(n):
    """Sums of shares round either way: of 500 random values none is undefined."""
    returns = np.where(np.arange(n) < n // 5, np.nan, 0.1)[None, :]
    columns = np.arange(n)
    for value in np.random.default_rng(2).uniform(1, 1e6, 500):
        exposures, equity = np.full(n, value), np.array([n * value])
        found = pro_forma_returns(exposures, columns, index(*[0] * n), equity, returns)
        assert found.returns.item() == pytest.approx(0.1)
    fewer = np.where(np.arange(n) < n // 5 + 1, np.nan, 0.1)[None, :]
    assert np.isnan(
        pro_forma_returns(exposures, columns, index(*[0] * n), equity, fewer).returns.item()
    )


@pytest.mark.parametrize(("priced", "counts"), [(1.0, True), (0.95, True), (0.94, False)])
def test_holdings_without_a_price_count_against_a_session(priced, counts):
    """85 % of what has a price has a return: of 95 % that is 80.75 % of all, of 94 % it is 79.9
    %.
    """
    exposures = np.array([85.0, 15.0])
    returns = np.array([[0.1, np.nan]])
    found = pro_forma_returns(
        exposures, index(0, 1), index(0, 0), np.array([100.0]), returns, np.array([priced])
    )
    assert found.coverage.item() == pytest.approx(0.85)
    assert (
        found.returns.item() == pytest.approx(0.1, nan_ok=False)
        if counts
        else np.isnan(found.returns.item())
    )


def test_what_is_not_held_does_not_change_the_order_in_which_a_series_is_summed():
    """Forty exposures to seven symbols, among them one, ten or a thousand that are 0: the same to
    the last bit.
    """
    rng = np.random.default_rng(8)
    exposures, column, returns = (
        rng.normal(0, 1e5, 40),
        rng.integers(0, 7, 40),
        rng.normal(0, 0.01, (90, 7)),
    )
    alone = pro_forma_returns(exposures, column, index(*[0] * 40), np.array([1e6]), returns)
    for others in (1, 10, 1000):
        at = np.sort(rng.integers(0, 41, others))
        padded, columns = (
            np.insert(exposures, at, 0.0),
            np.insert(column, at, rng.integers(0, 7, others)),
        )
        found = pro_forma_returns(
            padded, columns, index(*[0] * (40 + others)), np.array([1e6]), returns
        )
        assert_array_equal(found.returns, alone.returns)


@repeatable
@given(seeds)
def test_coverage_is_at_most_one_and_exactly_one_where_every_holding_has_a_return(seed):
    """Stocks with options on them, in any order, of any size: sums of sizes round either way."""
    rng = np.random.default_rng(seed)
    n, n_symbols = 200, 7
    exposures = rng.normal(0, 1e5, n) * 10.0 ** rng.integers(-3, 4, n)
    column, portfolio = rng.integers(0, n_symbols, n), rng.integers(0, 20, n)
    returns = np.vstack([np.full(n_symbols, 0.1), np.full(n_symbols, 0.1)])
    returns[1, : rng.integers(1, n_symbols)] = np.nan
    found = pro_forma_returns(exposures, column, portfolio, np.ones(20), returns)
    held = np.isin(np.arange(20), portfolio)
    assert (found.coverage[held, 0] == 1.0).all()
    assert (found.coverage[held] <= 1.0).all()
    others = pro_forma_returns(
        exposures, np.where(column == 0, -1, column), portfolio, np.ones(20), returns
    )
    assert (others.coverage[held] <= 1.0).all()


@repeatable
@given(seeds)
def test_a_direct_beta_agrees_with_statsmodels_on_the_series_of_each_day(seed):
    """Oracle: the portfolio's returns written as a loop, days with less than 80 % of gross left
    out, and statsmodels' OLS.
    """
    rng = np.random.default_rng(seed)
    returns, market = simulated(rng, missing=0.05)
    market[7] = np.nan
    values, portfolio, column = (
        rng.normal(0, 100, (8, 11)),
        index(0, 0, 0, 0, 1, 1, 1, 1),
        index(0, 1, 2, 3, 2, 3, 4, -1),
    )
    values[7] = 1.0
    equity = rng.uniform(100, 500, (2, 11))
    found = regression_beta(
        windows_of(values, column, portfolio, equity, returns), market, min_obs=20
    )
    for p, d in ((0, 0), (0, 10), (1, 5)):
        mine = np.flatnonzero(portfolio == p)
        x, y = [], []
        for row in range(d, d + 90):
            known = [i for i in mine if column[i] >= 0 and np.isfinite(returns[row, column[i]])]
            coverage = sum(abs(values[i, d]) for i in known) / sum(abs(values[i, d]) for i in mine)
            if coverage >= 0.8 and np.isfinite(market[row]):
                y.append(
                    sum(values[i, d] * returns[row, column[i]] for i in known)
                    / equity[p, d]
                    / coverage
                )
                x.append(market[row])
        assert found.n_obs[p, d] == len(x)
        expected = sm.OLS(y, sm.add_constant(x)).fit().params[1] if len(x) >= 20 else np.nan
        assert_allclose(found.beta[p, d], expected, rtol=1e-9)


@repeatable
@given(seeds)
def test_both_betas_of_a_portfolio_agree_with_complete_data(seed):
    """The slope of least squares is linear in the dependent variable."""
    rng = np.random.default_rng(seed)
    returns, market = simulated(rng)
    values, portfolio, column = (
        rng.normal(0, 100, (9, 11)),
        index(0, 0, 0, 1, 1, 1, 1, 1, 1),
        index(0, 1, 2, 0, 1, 2, 3, 4, 5),
    )
    equity = rng.uniform(100, 500, (2, 11))
    of_symbols = np.array(
        [
            [
                sm.OLS(returns[d : d + 90, s], sm.add_constant(market[d : d + 90])).fit().params[1]
                for s in range(6)
            ]
            for d in (0, 10)
        ]
    ).T
    days = [0, 10]
    weighted = weighted_beta(
        values[:, days],
        of_symbols[column],
        np.ones((9, 2)),
        np.full((9, 2), 90.0),
        portfolio,
        np.ascontiguousarray(equity[:, days]),
    )
    direct = regression_beta(
        windows_of(values, column, portfolio, equity, returns), market, min_obs=60
    )
    assert_allclose(direct.beta[:, days], weighted.beta, rtol=1e-9, atol=1e-12)


def test_returns_k_times_as_large_have_a_beta_k_times_as_large():
    returns, market = simulated(np.random.default_rng(5))
    arguments = np.ones((6, 11)), np.arange(6), np.zeros(6, np.int64), np.full((1, 11), 6.0)
    once = regression_beta(windows_of(*arguments, returns), market, min_obs=60)
    thrice = regression_beta(windows_of(*arguments, 3 * returns), market, min_obs=60)
    assert_allclose(thrice.beta, 3 * once.beta, rtol=1e-12)
