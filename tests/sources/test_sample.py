"""The bundled sample against the exchange calendar, published figures and itself."""

from datetime import date

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from riskmetrics import gics
from riskmetrics.sources import sample


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    """Closes, sessions by symbols."""
    return sample.prices().rows.pivot(index="date", columns="symbol", values="close")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pandas.core.series")
def test_every_symbol_has_a_close_on_every_session_of_the_exchange(closes):
    """Oracle: the exchange's own calendar."""
    calendar = exchange_calendars.get_calendar("XNYS", start="2017-11-01", end="2023-01-31")
    sessions = calendar.sessions_in_range(str(sample.FIRST_SESSION), str(sample.LAST_SESSION))
    assert list(closes.index) == [session.date() for session in sessions]
    assert closes.shape == (1277, 26)
    assert closes.notna().all(axis=None)


def test_the_index_closes_where_the_exchange_published_it(closes):
    """Published S&P 500 closes: highs before the falls of 2020 and 2022, low between, year ends."""
    published = {
        date(2018, 12, 31): 2506.85,
        date(2019, 12, 31): 3230.78,
        date(2020, 2, 19): 3386.15,
        date(2020, 3, 23): 2237.40,
        date(2020, 12, 31): 3756.07,
        date(2021, 12, 31): 4766.18,
        date(2022, 1, 3): 4796.56,
        date(2022, 12, 28): 3783.22,
    }
    assert closes.loc[list(published), sample.MARKET_INDEX].to_list() == pytest.approx(
        list(published.values()), abs=0.005
    )


def test_the_sample_is_read_without_a_rejected_row():
    everything = [
        sample.prices(),
        sample.profiles(),
        sample.benchmark(),
        *(portfolio.holdings for portfolio in sample.portfolios()),
    ]
    assert [parsed.rejected for parsed in everything] == [[]] * 6


def test_the_profiles_cover_the_prices_and_name_gics_sectors(closes):
    profiles = sample.profiles().rows.set_index("symbol")
    assert sorted(profiles.index) == sorted(closes.columns)
    assert sorted(profiles.index[profiles["is_etf"]]) == ["MTUM", "QUAL", "SIZE", "USMV", "VLUE"]
    assert sorted(profiles.index[profiles["sector"].isna()]) == [
        "MTUM",
        "QUAL",
        "SIZE",
        "SPX",
        "USMV",
        "VLUE",
    ]
    assert profiles.loc[["AAPL", "JPM", "GE", "WMT"], "sector"].to_list() == [
        "Information Technology",
        "Financials",
        "Industrials",
        "Consumer Staples",
    ]


def test_the_benchmark_has_all_sectors_and_sums_to_one():
    parsed = sample.benchmark()
    assert sorted(parsed.rows["sector"]) == sorted(gics.SECTORS)
    assert parsed.rows["weight"].sum() == pytest.approx(1, abs=1e-12)
    assert parsed.notes == ["the weights of 2021-12-31 sum to 100.20%; rescaled to 100%"]


def test_lots_were_opened_at_the_close_of_their_entry_date(closes):
    for portfolio in sample.portfolios():
        lots = portfolio.holdings.rows
        paid = [
            closes.loc[day, symbol]
            for day, symbol in zip(lots["entry_date"], lots["symbol"], strict=True)
        ]
        assert lots["entry_price"].to_list() == paid, portfolio.name


def test_the_portfolios_are_stated_for_the_last_session_with_the_equity_that_the_readme_tells():
    readme = (sample.FOLDER / "README.md").read_text(encoding="utf-8")
    for portfolio in sample.portfolios():
        assert portfolio.as_of == sample.LAST_SESSION
        [line] = [
            line
            for line in readme.splitlines()
            if f"`{portfolio.name.lower().replace(' ', '_').replace('-', '_')}.csv`" in line
        ]
        assert f"equity ${portfolio.equity:,} on {portfolio.as_of}" in line


def test_equity_on_its_day_is_the_net_value_and_some_cash(closes):
    """The portfolios match their names: long only, one name above half, leveraged and hedged."""
    held = {}
    for name, equity, as_of, holdings in sample.portfolios():
        lots = holdings.rows[holdings.rows["entry_date"] <= as_of]
        held[name] = (
            lots["quantity"].to_numpy()
            * closes.loc[as_of, lots["symbol"]].to_numpy()
            / float(equity)
        )
    assert list(held) == ["Core Equity", "Concentrated", "Long-Short"]
    assert all(0 < values.sum() < 1 for values in held.values())
    assert held["Core Equity"].min() > 0
    assert held["Core Equity"].max() < 0.15
    assert held["Concentrated"].max() > 0.5
    assert np.abs(held["Long-Short"]).sum() > 1.5


def test_the_long_short_portfolio_has_several_lots_of_a_symbol_some_opened_later():
    lots = next(
        portfolio.holdings.rows
        for portfolio in sample.portfolios()
        if portfolio.name == "Long-Short"
    )
    assert lots["symbol"].duplicated().sum() == 5
    assert (lots["entry_date"] > date(2021, 12, 31)).sum() == 2
    assert (lots["quantity"] < 0).equals(lots["position_type"] == "SHORT")


def test_the_sample_is_small():
    assert sum(file.stat().st_size for file in sample.FOLDER.iterdir()) < 400_000
