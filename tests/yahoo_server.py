"""A local server that answers in place of Yahoo's hosts, as yfinance asks them; requests counted.

Data need the cookie and the crumb that a session gets first, as Yahoo's do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

from tests.fmp_market import SECTORS, Market
from tests.fmp_server import Answers, FmpServer, Reply, send
from tests.listening import listening

CRUMB = "Cr.umb/1"
CRUMB_REPLY = Reply(CRUMB, 200, "text/plain")
NEW_YORK = ZoneInfo("America/New_York")
CHART, SUMMARY, QUOTE = "/v8/finance/chart", "/v10/finance/quoteSummary", "/v7/finance/quote"
NOT_FOUND = {
    "chart": {
        "result": None,
        "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"},
    }
}
NO_QUOTE = {
    "quoteSummary": {
        "result": None,
        "error": {"code": "Not Found", "description": "Quote not found for symbol: NOSUCH"},
    }
}
NO_DAYS = {
    "chart": {
        "result": None,
        "error": {
            "code": "Bad Request",
            "description": "Data doesn't exist for startDate = 1577854800, endDate = 1733461200",
        },
    }
}
BAD_CRUMB = {
    "finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}
}


class YahooServer(FmpServer):
    """A running server; ``received`` counts all requests, also those of cookie and crumb."""

    received = 0


@contextmanager
def serve_yahoo(answers: Answers) -> Iterator[YahooServer]:
    """Start a server on a free port of this machine; calls are those of data."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.received += 1
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if asked.path in ("", "/"):
                cookie = "A3=d=AQABBK; Expires=Fri, 31 Dec 2100 00:00:00 GMT; Path=/"
                reply = Reply("", 404, "text/html", (("Set-Cookie", cookie),))
            elif asked.path == "/v1/test/getcrumb":
                reply = CRUMB_REPLY
            elif asked.path.startswith("/ws/fundamentals-timeseries/"):
                reply = Reply({"timeseries": {"result": [], "error": None}})
            elif not asked.path.startswith(("/v7/", "/v8/", "/v10/")):
                reply = Reply("<html></html>", 404, "text/html")
            elif (
                query.pop("crumb", "") != CRUMB or "A3=" not in self.headers.get("Cookie", "")
            ) and not asked.path.startswith(CHART):
                reply = Reply(BAD_CRUMB, 401)
            else:
                server.calls.append((asked.path, query))
                reply = server.answers(asked.path, query)
            send(self, reply, server.closing)

        def log_message(self, *_: object) -> None:
            """Suppress request logging."""

    server = YahooServer("", answers)
    with listening(Handler, server.closing) as server.url:
        yield server


class YahooMarket(Market):
    """The simulated market in Yahoo's protocol: prices as 32-bit floats, with the day's actions.

    ``holes`` are days without numbers; ``renamed`` has the symbol in whose name Yahoo answers;
    ``currencies`` and ``without_adjustment`` name symbols that are quoted otherwise.
    """

    def __init__(self, through: date) -> None:
        super().__init__(through)
        self.holes: set[tuple[str, date]] = set()
        self.renamed: dict[str, str] = {}
        self.currencies: dict[str, str] = {}
        self.without_adjustment: set[str] = set()

    def __call__(self, path: str, query: dict[str, str]) -> Reply:
        """Answer a question."""
        endpoint, _, symbol = path.rpartition("/")
        if path.startswith(QUOTE):
            endpoint, symbol = QUOTE, query["symbols"]
        if reply := self.replies.get((endpoint, symbol)) or self.replies.get((endpoint, "")):
            return reply
        if symbol in self.unknown:
            return Reply(NOT_FOUND if endpoint == CHART else NO_QUOTE, 404)
        if endpoint == CHART:
            return self._chart(symbol, query)
        if endpoint == SUMMARY:
            parts = self._summary(symbol, query["modules"].split(","))
            return Reply({"quoteSummary": {"result": [parts], "error": None}})
        quote = {"symbol": symbol, "longName": f"{symbol} Inc.", "fullExchangeName": "NYSE"}
        return Reply({"quoteResponse": {"result": [quote], "error": None}})

    def _chart(self, symbol: str, query: dict[str, str]) -> Reply:
        first, last = (int(query.get(name, "0")) for name in ("period1", "period2"))
        closes = self.closes(symbol)
        days = [day for day in closes if "range" in query or first <= opening(day) < last]
        days = days[-1:] if "range" in query else days
        if not days:
            return Reply(NO_DAYS, 400)
        close, adjusted = (
            [
                None if (symbol, day) in self.holes else float(np.float32(closes[day][place]))
                for day in days
            ]
            for place in (0, 1)
        )
        indicators = {
            "quote": [
                {
                    "open": close,
                    "high": [price and price * 1.01 for price in close],
                    "low": [price and price * 0.99 for price in close],
                    "close": close,
                    "volume": [price and 1000 for price in close],
                }
            ],
            "adjclose": [{"adjclose": adjusted}],
        }
        if symbol in self.without_adjustment:
            del indicators["adjclose"]
        result = {
            "meta": self._meta(symbol),
            "timestamp": [opening(day) for day in days],
            "events": self._events(symbol, days),
            "indicators": indicators,
        }
        return Reply({"chart": {"result": [result], "error": None}})

    def _meta(self, symbol: str) -> dict[str, object]:
        return {
            "currency": self.currencies.get(symbol, "USD"),
            "symbol": self.renamed.get(symbol, symbol),
            "exchangeName": "NYQ",
            "instrumentType": "ETF" if symbol in self.funds else "EQUITY",
            "gmtoffset": -18000,
            "timezone": "EST",
            "exchangeTimezoneName": "America/New_York",
            "priceHint": 2,
            "dataGranularity": "1d",
            "range": "",
            "validRanges": ["1d", "5d", "1y", "max"],
        }

    def _events(self, symbol: str, days: list[date]) -> dict[str, object]:
        paid = {
            str(opening(ex)): {"amount": amount, "date": opening(ex)}
            for (of, ex), amount in self.dividends.items()
            if of == symbol and ex in days
        }
        split = {
            str(opening(ex)): {
                "date": opening(ex),
                "numerator": ratio,
                "denominator": 1.0,
                "splitRatio": f"{ratio:g}:1",
            }
            for (of, ex), ratio in self.splits.items()
            if of == symbol and ex in days
        }
        return {"dividends": paid, "splits": split}

    def _summary(self, symbol: str, modules: list[str]) -> dict[str, object]:
        is_fund = symbol in self.funds
        number = int(symbol[1:]) if symbol in self.stocks else 0
        stock = {
            "sector": SECTORS[number % 11],
            "industry": "Things",
            "country": "United States",
            "longBusinessSummary": "(text)",
        }
        parts = {
            "quoteType": {"quoteType": "ETF" if is_fund else "EQUITY", "symbol": symbol},
            "assetProfile": {"longBusinessSummary": "(text)"} if is_fund else stock,
            "summaryDetail": {
                "currency": self.currencies.get(symbol, "USD"),
                "marketCap": 10**9 * (number + 1),
                **({} if is_fund else {"beta": 1.1}),
            },
            "defaultKeyStatistics": {"beta3Year": 1.0} if is_fund else {},
            "financialData": {},
            "summaryProfile": {"longBusinessSummary": "(text)"},
            "fundProfile": {"family": "(family)"},
            "topHoldings": {"holdings": [], "sectorWeightings": SECTOR_WEIGHTS},
        }
        return {name: parts[name] for name in modules}


SECTOR_WEIGHTS = [
    {"realestate": 0.0204},
    {"consumer_cyclical": 0.1073},
    {"basic_materials": 0.0181},
    {"consumer_defensive": 0.0553},
    {"technology": 0.3262},
    {"communication_services": 0.0931},
    {"financial_services": 0.1345},
    {"utilities": 0.025},
    {"industrials": 0.0762},
    {"healthcare": 0.1088},
    {"energy": 0.0351},
]


def opening(day: date) -> int:
    """Return the time stamp of a day's bar: the opening of the exchange."""
    return int(datetime.combine(day, time(9, 30), NEW_YORK).astimezone(UTC).timestamp())
