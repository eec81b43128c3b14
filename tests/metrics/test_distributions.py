"""Distributions inferred from two closes, against known ex-days."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from riskmetrics.metrics.distributions import cash_distribution
from tests.traded_market import EVERY_TRADED_MARKET, TradedMarket


def one(close_before, close, adj_before, adj):
    arrays = (np.array([value], dtype=float) for value in (close_before, close, adj_before, adj))
    return cash_distribution(*arrays).item()


@pytest.fixture(scope="module", params=EVERY_TRADED_MARKET)
def market(request: pytest.FixtureRequest) -> TradedMarket:
    return request.param()


@pytest.fixture(scope="module")
def paid(market: TradedMarket) -> pd.DataFrame:
    """Return the distributions inferred for a market, by symbol and day."""
    prices = market.rows.sort_values(["symbol", "date"], ignore_index=True)
    before = prices.groupby("symbol")[["close", "adj_close"]].shift()
    arrays = before["close"], prices["close"], before["adj_close"], prices["adj_close"]
    found = cash_distribution(*(of.to_numpy(float) for of in arrays))
    return prices.assign(paid=found, date=prices["date"].astype("str"))[before["close"].notna()]


def test_declared_dividends_are_found_to_a_tenth_of_a_cent(
    market: TradedMarket, paid: pd.DataFrame
) -> None:
    for symbol, declared in market.dividends.items():
        found = paid[paid["symbol"] == symbol].set_index("date")["paid"]
        assert_allclose(found[list(declared)], list(declared.values()), atol=1e-3)


def test_nothing_is_paid_between_ex_days(market: TradedMarket, paid: pd.DataFrame) -> None:
    """Five years of quarterly payers have 20 ex-days, of a bond fund 60; some pay nothing."""
    counts = (paid["paid"] > 0).groupby(paid["symbol"]).sum()
    assert counts[list(market.n_ex_days)].to_dict() == dict(market.n_ex_days)


def test_both_ways_of_adjusting_agree_to_second_order():
    """1.50 on a share that closes at 100 and then at 99: by the factor 1 - D / 100, and by total
    returns.
    """
    by_factor = one(100, 99, 100 * (1 - 1.5 / 100), 99)
    by_total_return = one(100, 99, 100 * 99 / (99 + 1.5), 99)
    assert by_factor == pytest.approx(1.5, rel=1e-12)
    assert by_total_return == pytest.approx(1.5, abs=1.5**2 / 100)


@pytest.mark.parametrize(("close", "paid"), [(50.0, 0.0), (49.98, 0.0), (50.02, 0.0)])
def test_what_rounding_explains_is_no_income(close, paid):
    """All four prices have two decimals; a factor of .97317 between them is rounded to cents."""
    assert one(50.0, close, round(50 * 0.97317, 2), round(close * 0.97317, 2)) == paid


def test_a_finer_price_tells_of_a_smaller_distribution():
    """A cent on 50: within the rounding of cents, beyond that of four decimals."""
    assert one(50.00, 50.00, 49.99, 50.00) == 0
    assert one(50.1234, 50.1234, 50.1134, 50.1234) == pytest.approx(0.01, abs=1e-4)


def test_the_rounding_of_four_prices_is_the_boundary():
    """Half a cent of each close and of each adjusted close make 0.0199975 on prices near 40."""
    assert one(40.0, 40.0, 39.99, 40.0) == 0
    assert one(40.0, 40.0, 39.98, 40.0) == pytest.approx(0.02)


def test_a_falling_adjustment_is_no_distribution():
    """adj_close / close falls by 1 %: rows adjusted as of different days meet."""
    assert np.isnan(one(100, 100, 100, 99))


@pytest.mark.parametrize("scale", [0.25, 1 / 3, 10.0])
def test_prices_rescaled_by_a_split_have_the_rounding_of_the_stored_ones(scale):
    """2,000 days in cents without a distribution: as they are, and times the shares of a split."""
    rng = np.random.default_rng(3)
    close = np.round(200 * np.exp(rng.normal(0, 0.01, 2001).cumsum()), 2)
    adjusted = np.round(close * 0.9137, 2)
    pairs = [of[at] for of in (close, adjusted) for at in (slice(None, -1), slice(1, None))]
    assert not np.nan_to_num(cash_distribution(*pairs), nan=1.0).any()
    rescaled = cash_distribution(
        *(of * scale for of in pairs), close_scale=scale, adj_close_scale=scale
    )
    assert not np.nan_to_num(rescaled, nan=1.0).any()


def test_a_missing_price_leaves_it_unknown():
    assert np.isnan(one(np.nan, 100, 98, 99))
