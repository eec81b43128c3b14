"""Requests to the real FMP API, if a key is set: the responses are as other tests assume."""

import os
from datetime import date, timedelta

import pytest

from riskmetrics.sources.fmp import FmpClient
from riskmetrics.sources.vendor_http import VendorHttpClient

pytestmark = pytest.mark.live

KEY = os.environ.get("FMP_API_KEY", "")


@pytest.fixture(autouse=True)
def no_network() -> None:
    """Allow connections: this is the one test that leaves the machine."""


@pytest.mark.skipif(not KEY, reason="FMP_API_KEY is not set")
def test_the_vendor_answers_as_its_examples_do() -> None:
    """Three calls, of a symbol that every plan has."""
    with VendorHttpClient("https://financialmodelingprep.com", KEY, lambda: None) as http:
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
