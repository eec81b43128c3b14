"""Distributions inferred from two closes, against real ex-days."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from riskmetrics.metrics.distributions import cash_distribution

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "prices_raw_and_adjusted.parquet"

DECLARED = {
    "JPM": {"2017-07-03": 0.50, "2017-10-05": 0.56, "2018-10-04": 0.80, "2019-10-03": 0.90},
    "XOM": {"2017-05-10": 0.77, "2018-05-11": 0.82, "2019-05-10": 0.87},
    "V": {"2017-05-17": 0.165, "2018-05-17": 0.21, "2020-02-13": 0.30},
}
"""Dividends per share as the companies declared them, by ex-day."""


def one(close_before, close, adj_before, adj):
    arrays = (np.array([value], dtype=float) for value in (close_before, close, adj_before, adj))
    return cash_distribution(*arrays).item()


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    if not DATA.exists():
        pytest.skip(f"{DATA.name} is not here: real ex-days are not compared")
    prices = pd.read_parquet(DATA).sort_values(["symbol", "date"], ignore_index=True)
    before = prices.groupby("symbol")[["close", "adj_close"]].shift()
    arrays = before["close"], prices["close"], before["adj_close"], prices["adj_close"]
    paid = cash_distribution(*(of.to_numpy(float) for of in arrays))
    return prices.assign(paid=paid, date=prices["date"].astype("str"))[before["close"].notna()]


@pytest.mark.parametrize("symbol", DECLARED)
def test_declared_dividends_are_found_to_a_tenth_of_a_cent(real, symbol):
    found = real[real["symbol"] == symbol].set_index("date")["paid"]
    assert_allclose(found[list(DECLARED[symbol])], list(DECLARED[symbol].values()), atol=1e-3)


def test_nothing_is_paid_between_ex_days(real):
    """Five years of quarterly payers have 20 or 21 ex-days, of a bond fund 60; Amazon and Alphabet
    paid nothing.
    """
    counts = (real["paid"] > 0).groupby(real["symbol"]).sum()
    assert counts[["AEP", "JPM", "PG", "V", "XOM", "TLT", "AMZN", "GOOG"]].tolist() == [
        *[20] * 5,
        60,
        0,
        0,
    ]


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
