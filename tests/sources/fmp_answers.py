"""Good answers of the vendor, and a client that is given what the vendor answers."""

from collections.abc import Mapping
from datetime import date

from riskmetrics.sources.fmp import FmpClient
from riskmetrics.sources.vendor_http import VendorHttpClient, VendorResponse
from tests.fmp_server import KEY, Reply

FRIDAY, MONDAY = "2024-12-06", "2024-12-09"


def bar(day: str = FRIDAY, close: float = 242.84, **changed: object) -> dict[str, object]:
    """Return a row of the split-adjusted history."""
    row = {
        "symbol": "AAPL",
        "date": day,
        "open": 242.91,
        "high": 244.63,
        "low": 242.08,
        "close": close,
        "volume": 36870600,
    }
    return {**row, "change": -0.07, "changePercent": -0.03, "vwap": 243.1, **changed}


def adjusted(day: str = FRIDAY, close: float = 241.84, **changed: object) -> dict[str, object]:
    """Return a row of the dividend-adjusted history."""
    return {
        "symbol": "AAPL",
        "date": day,
        "adjOpen": 242.0,
        "adjHigh": 243.7,
        "adjLow": 241.1,
        "adjClose": close,
        "volume": 1,
        **changed,
    }


PROFILE = {
    "symbol": "AAPL",
    "marketCap": 3670755560800,
    "beta": 1.24,
    "companyName": "Apple Inc.",
    "exchange": "NASDAQ",
    "industry": "Consumer Electronics",
    "description": "(text)",
    "sector": "Technology",
    "country": "US",
    "cusip": "037833100",
    "isin": "US0378331005",
    "isEtf": False,
    "isFund": False,
}


GOOD = {
    "historical-price-eod/full": [bar(MONDAY, 243.0), bar()],
    "historical-price-eod/dividend-adjusted": [adjusted(MONDAY, 242.0), adjusted()],
    "profile": [PROFILE],
    "sp500-constituent": [
        {"symbol": "AAPL", "sector": "Technology", "cik": "0000320193"},
        {"symbol": "BRK-B", "sector": "Financial Services"},
    ],
    "etf/sector-weightings": [
        {"symbol": "SPY", "sector": "Technology", "weightPercentage": 31.97},
        {"sector": "Energy", "weightPercentage": 3.2},
    ],
}


class Canned(VendorHttpClient):
    """Answers without a server: what is under test begins where bytes have arrived."""

    def __init__(self, answers: Mapping[str, object], status: int = 200) -> None:
        super().__init__("http://vendor", KEY, lambda: None)
        self.answers, self.status = answers, status

    def get(self, path, params, read):
        """Give the canned answer of the path."""
        return read(
            VendorResponse(
                self.status, Reply(self.answers[path.removeprefix("/stable/")]).content, None
            )
        )


def asked(
    answers: Mapping[str, object], endpoint: str, status: int = 200
) -> tuple[list[object], list[tuple[object, ...]]]:
    """Ask what an endpoint is for, and return rows and rejected rows."""
    client = FmpClient(Canned({**GOOD, **answers}, status))
    if endpoint.startswith("historical"):
        parsed = client.fetch_prices("AAPL", date(2024, 1, 2), date(2024, 12, 31))
        return parsed.rows.to_dict("records"), [tuple(row) for row in parsed.rejected]
    calls = {
        "profile": lambda: client.fetch_profile("AAPL"),
        "sp500-constituent": client.fetch_constituents,
        "etf/sector-weightings": lambda: client.fetch_sector_weights("SPY"),
    }
    found = calls[endpoint]()
    assert len(found.rows) == len(found.texts)
    return [row.model_dump() for row in found.rows], [tuple(row) for row in found.rejected]
