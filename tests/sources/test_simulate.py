"""The simulated market against its true parameters, within standard errors of other estimators."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from riskmetrics import trading_calendar
from riskmetrics.gics import SECTORS
from riskmetrics.sources import simulate
from riskmetrics.sources.simulate import Market

DAYS = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, date(2024, 12, 6))[-1000:]
N_STOCKS = 300


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate.simulate_market(N_STOCKS, DAYS, seed=7)


@pytest.fixture(scope="module")
def returns(market: Market) -> pd.DataFrame:
    return market.closes.pct_change().iloc[1:]


def assert_centred(errors: "pd.Series[float]", tolerance: float = 4.0) -> None:
    """The mean of independent errors is zero within their own standard error."""
    assert abs(errors.mean()) < tolerance * errors.std() / np.sqrt(len(errors))


def test_regressions_on_both_indices_find_the_betas_within_their_standard_errors(
    market: Market, returns: pd.DataFrame
) -> None:
    """Oracle: statsmodels.

    Errors in units of the standard error have mean 0 and standard deviation 1.
    """
    x = sm.add_constant(returns[["SPY", "TLT"]].to_numpy())
    fits = {
        symbol: sm.OLS(returns[symbol].to_numpy(), x).fit()
        for symbol in market.true_parameters.index[2:]
    }
    for place, name in enumerate(["beta", "rate_beta"], start=1):
        z = pd.Series(
            {
                symbol: (
                    (fit.params[place] - market.true_parameters.loc[symbol, name]) / fit.bse[place]
                )
                for symbol, fit in fits.items()
            }
        )
        assert_centred(z)
        assert z.std() == pytest.approx(
            1.0, abs=4 * np.sqrt((z.kurt() + 2) / (4 * len(z)))
        )  # standard error of a standard deviation


def test_the_indices_are_independent_so_that_one_factor_is_enough(returns: pd.DataFrame) -> None:
    assert abs(returns["SPY"].corr(returns["TLT"])) < 4 * np.sqrt(
        (1 + 1) / len(returns)
    )  # twice the variance: volatility clusters


def test_variances_are_those_of_the_parameters(market: Market, returns: pd.DataFrame) -> None:
    """Of residuals: the factors' variance over four years is far from its expectation."""
    known = market.true_parameters.iloc[2:]
    factors = returns[["SPY", "TLT"]].to_numpy() @ known[["beta", "rate_beta"]].to_numpy().T
    own = (returns[known.index] - factors).var() * 252
    assert_centred(own / known["idiosyncratic_volatility"] ** 2 - 1)


def test_returns_have_the_stated_volatility_on_each_day(
    market: Market, returns: pd.DataFrame
) -> None:
    standardized = (returns - returns.mean()) / market.volatility.iloc[1:]
    assert standardized.stack().std() == pytest.approx(
        1.0, abs=0.025
    )  # all stocks share the indices' thousand shocks
    assert standardized.kurt().median() == pytest.approx(0.0, abs=0.1)
    assert (returns.kurt() > 0.3).mean() > 0.9  # and without it, fat tails


def test_volatility_clusters(returns: pd.DataFrame) -> None:
    size = returns.abs()
    for lag in (1, 5, 21):
        autocorrelation = size.apply(lambda one, lag=lag: one.autocorr(lag))
        assert autocorrelation.mean() > 0.03
        assert (autocorrelation > 0).mean() > 0.8


def test_the_range_has_the_variance_of_the_hours_in_which_the_exchange_is_open(
    market: Market,
) -> None:
    """Parkinson (1980): the mean squared log range of a Brownian path is 4 ln 2 variances."""
    bars = market.prices
    variance = market.volatility.to_numpy().T.ravel() ** 2
    parkinson = np.log(bars["high"] / bars["low"]) ** 2 / (4 * np.log(2)) / variance
    open_to_close = np.log(bars["close"] / bars["open"]) ** 2 / variance
    before = bars["close"].shift().where(bars["symbol"] == bars["symbol"].shift())
    overnight = np.log(bars["open"] / before) ** 2 / variance
    assert parkinson.mean() == pytest.approx(1 - simulate.OVERNIGHT_VARIANCE_SHARE, rel=0.03)
    assert open_to_close.mean() == pytest.approx(1 - simulate.OVERNIGHT_VARIANCE_SHARE, rel=0.05)
    assert overnight.mean() == pytest.approx(simulate.OVERNIGHT_VARIANCE_SHARE, rel=0.05)


def test_bars_are_consistent(market: Market) -> None:
    bars = market.prices
    assert len(bars) == (N_STOCKS + 2) * len(DAYS)
    assert not bars.isna().to_numpy().any()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["low"] > 0).all()
    assert (bars["volume"] > 0).all()
    assert (bars["adj_close"] == bars["close"]).all()
    assert list(bars["date"].unique()) == list(pd.DatetimeIndex(DAYS))
    pd.testing.assert_frame_equal(
        bars.pivot(index="date", columns="symbol", values="close")[market.closes.columns],
        market.closes,
        check_names=False,
    )


def test_sectors_go_round_the_eleven_of_gics(market: Market) -> None:
    counts = simulate.profiles(market.true_parameters)["sector"].value_counts()
    assert set(counts.index) == set(SECTORS)
    assert set(counts) == {N_STOCKS // 11, N_STOCKS // 11 + 1}
    weights = simulate.benchmark(DAYS[0]).set_index("sector")["weight"]
    assert set(weights.index) == set(SECTORS)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_the_vendors_beta_is_near_the_truth(market: Market) -> None:
    profiles = simulate.profiles(market.true_parameters).set_index("symbol")
    assert profiles.loc[profiles["is_etf"]].index.tolist() == ["SPY", "TLT"]
    error = (profiles["beta"] - market.true_parameters["beta"]).iloc[2:]
    assert_centred(error)
    assert error.abs().max() < 0.25


def test_a_seed_gives_the_same_bits_and_another_seed_other_ones() -> None:
    first, again, other = (simulate.simulate_market(5, DAYS[-50:], seed) for seed in (1, 1, 2))
    for mine, same, different in zip(first, again, other, strict=True):
        pd.testing.assert_frame_equal(mine, same, check_exact=True)
        assert not mine.equals(different)


def test_more_symbols_and_smaller_blocks_leave_every_bit_as_it_was() -> None:
    days = DAYS[-50:]
    few, many = simulate.simulate_market(5, days, 1), simulate.simulate_market(12, days, 1)
    pd.testing.assert_frame_equal(few.prices, many.prices.iloc[: len(few.prices)], check_exact=True)
    blocks = list(simulate.simulate_market_blocks(12, days, 1, symbols_per_block=3))
    assert [len(block.true_parameters) for block in blocks] == [3, 3, 3, 3, 2]
    pd.testing.assert_frame_equal(
        pd.concat([block.prices for block in blocks], ignore_index=True),
        many.prices,
        check_exact=True,
    )
    pd.testing.assert_frame_equal(
        pd.concat([block.true_parameters for block in blocks]),
        simulate.true_parameters(12, 1),
        check_exact=True,
    )


@pytest.fixture(scope="module")
def portfolios(market: Market) -> simulate.Portfolios:
    return simulate.simulate_portfolios(range(30), 40, market.closes, seed=7)


def test_portfolios_have_the_exposures_of_their_kind(
    market: Market, portfolios: simulate.Portfolios
) -> None:
    lots = portfolios.lots.assign(
        value=portfolios.lots["quantity"] * portfolios.lots["symbol"].map(market.closes.iloc[-1])
    )
    by_portfolio = lots.groupby("portfolio_id")["value"]
    equity = portfolios.portfolios.set_index("id")["equity_balance"]
    net, gross = (
        by_portfolio.sum() / equity,
        by_portfolio.agg(lambda values: values.abs().sum()) / equity,
    )
    for kind, (expected_net, expected_gross) in enumerate([(0.98, 0.98), (1.0, 1.6), (0.0, 1.9)]):
        ids = portfolios.portfolios["id"].iloc[kind::3]
        assert net[ids].to_numpy() == pytest.approx(expected_net, abs=0.02)  # whole shares
        assert gross[ids].to_numpy() == pytest.approx(expected_gross, abs=0.02)
    weights = lots["value"].abs() / lots["portfolio_id"].map(
        by_portfolio.agg(lambda values: values.abs().sum())
    )
    assert weights.max() < 0.25
    assert equity.between(5e4, 2e7).all()


def test_lots_are_entered_at_a_close_and_some_symbols_have_several(
    market: Market, portfolios: simulate.Portfolios
) -> None:
    lots = portfolios.lots
    assert len(lots) == 30 * 40
    assert lots["id"].is_unique
    closes = market.closes.stack()
    assert (
        lots["entry_price"].to_numpy()
        == closes[list(zip(lots["entry_date"], lots["symbol"], strict=True))].to_numpy()
    ).all()
    assert ((lots["position_type"] == "SHORT") == (lots["quantity"] < 0)).all()
    assert (lots["quantity"] == lots["quantity"].round()).all()
    assert (lots["quantity"] != 0).all()
    held = lots.groupby("portfolio_id")["symbol"].nunique()
    assert set(held) == {36}
    assert (lots.groupby(["portfolio_id", "symbol"])["position_type"].nunique() == 1).all()


def test_a_portfolio_is_the_same_whatever_others_are_asked_for(
    market: Market, portfolios: simulate.Portfolios
) -> None:
    some = simulate.simulate_portfolios(range(10, 12), 40, market.closes, seed=7)
    pd.testing.assert_frame_equal(
        some.portfolios, portfolios.portfolios.iloc[10:12].reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(some.lots, portfolios.lots.iloc[400:480].reset_index(drop=True))


def test_a_portfolio_may_have_more_lots_than_there_are_symbols() -> None:
    market = simulate.simulate_market(1, DAYS[-2:], 1)
    lots = simulate.simulate_portfolios(range(3), 10, market.closes, 1).lots
    assert len(lots) == 30
    assert set(lots["symbol"]) == {"SPY", "TLT", "SIM00001"}
