"""Requests to the vendors themselves: the responses are as other tests assume.

Those of a vendor with a key run if the key is set.
"""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from riskmetrics import gics
from riskmetrics.sources.fmp import FmpClient
from riskmetrics.sources.market_data_source import MarketDataSource
from riskmetrics.sources.tiingo import TiingoClient
from riskmetrics.sources.vendor_http import VendorHttpClient

pytestmark = pytest.mark.live

FMP_KEY = os.environ.get("FMP_API_KEY", "")
TIINGO_KEY = os.environ.get("RISKMETRICS_TIINGO_API_KEY", "")
# Apple's split of 4:1 on 2020-08-31
BEFORE, AFTER = date(2020, 8, 24), date(2020, 9, 4)


@pytest.fixture(autouse=True)
def no_network() -> None:
    """Allow connections: these are the only tests that leave the machine."""


def check_prices(client: MarketDataSource) -> None:
    """Check recent prices, and a split: the close of 2020-08-28 was 499.23 USD before it."""
    recent = client.fetch_prices("AAPL", date.today() - timedelta(days=30), date.today())
    assert recent.rejected == []
    assert len(recent.rows) > 10
    assert recent.rows["has_adj_close"].all()
    split = client.fetch_prices("AAPL", BEFORE, AFTER).rows.set_index("date")["close"]
    assert split[date(2020, 8, 28)] == pytest.approx(499.23 / 4, abs=0.01)
    assert split[date(2020, 8, 31)] == pytest.approx(129.04, abs=0.01)
    assert client.fetch_prices("NOSUCHSYMBOL", BEFORE, AFTER).rows.empty


@pytest.mark.skipif(not FMP_KEY, reason="FMP_API_KEY is not set")
def test_fmp_answers_as_its_examples_do() -> None:
    """Use symbols that every plan has."""
    with VendorHttpClient("https://financialmodelingprep.com", FMP_KEY, lambda: None) as http:
        client = FmpClient(http)
        prices, profile = (
            client.fetch_prices("AAPL", date.today() - timedelta(days=30), date.today()),
            client.fetch_profile("AAPL"),
        )
    assert prices.rejected == profile.rejected == []
    assert len(prices.rows) > 10
    assert prices.rows["has_adj_close"].all()
    (row,) = profile.rows
    assert (row.symbol, row.gics_sector, row.is_etf) == ("AAPL", "Information Technology", False)
    assert row.identifiers == ("037833100",)


@pytest.mark.skipif(not TIINGO_KEY, reason="RISKMETRICS_TIINGO_API_KEY is not set")
def test_tiingo_answers_as_its_documentation_says() -> None:
    with VendorHttpClient(
        "https://api.tiingo.com",
        TIINGO_KEY,
        lambda: None,
        setting_prefix="RISKMETRICS_TIINGO",
        key_scheme="Token",
    ) as http:
        check_prices(TiingoClient(http))


def test_yahoo_answers_as_yfinance_reads_it(tmp_path: Path) -> None:
    """No key is needed."""
    from riskmetrics.sources.yahoo import YahooClient
    from riskmetrics.sources.yahoo_session import YahooSession

    with YahooSession(None, lambda: None) as session:
        client = YahooClient(session, tmp_path / "yahoo")
        check_prices(client)
        (profile,) = client.fetch_profile("AAPL").rows
        weights = client.fetch_sector_weights("SPY").rows
    assert (profile.gics_sector, profile.is_etf) == ("Information Technology", False)
    assert {gics.to_gics_sector(row.sector) for row in weights} == set(gics.SECTORS)
    assert sum(row.weight for row in weights) == pytest.approx(100, abs=1)
