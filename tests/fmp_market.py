"""A simulated vendor market as of a day: splits and dividends restate earlier prices."""

from datetime import date

import numpy as np

from riskmetrics import trading_calendar
from tests.fmp_server import NO_SYMBOL, Reply

FIRST, LAST = date(2019, 1, 2), date(2024, 12, 6)
SECTORS = (
    "Basic Materials",
    "Communication Services",
    "Consumer Cyclical",
    "Consumer Defensive",
    "Energy",
    "Financial Services",
    "Healthcare",
    "Industrials",
    "Real Estate",
    "Technology",
    "Utilities",
)


class Market:
    """Prices of any symbol that is asked for, of which some are special.

    ``through`` is the last day that the vendor knows; ``splits`` and ``dividends`` are by (symbol,
    first day without it): new shares per old one, dollars per share. What is in ``replies`` is
    answered instead, by (endpoint, symbol).
    """

    def __init__(self, through: date = LAST) -> None:
        self.through, self.first = through, FIRST
        self.splits: dict[tuple[str, date], float] = {}
        self.dividends: dict[tuple[str, date], float] = {}
        self.replies: dict[tuple[str, str], Reply] = {}
        self.unknown: set[str] = {"NOSUCH"}
        self.funds: set[str] = {"SPY", "TLT"}
        self.delisted_on: dict[str, date] = {}
        self.stocks = [f"S{number:03}" for number in range(40)]
        self.days = trading_calendar.sessions_between(
            FIRST, trading_calendar.last_completed_session()
        )

    def __call__(self, path: str, query: dict[str, str]) -> Reply:
        """Answer a question."""
        endpoint, symbol = path.removeprefix("/stable/"), query.get("symbol", "")
        if reply := self.replies.get((endpoint, symbol)) or self.replies.get((endpoint, "")):
            return reply
        if symbol in self.unknown:
            return Reply([])
        return Reply(
            getattr(self, "_" + endpoint.replace("-", "_").replace("/", "_"))(symbol, query)
        )

    def refuse(self, *symbols: str) -> None:
        """Leave symbols out of the plan."""
        self.replies |= {
            ("historical-price-eod/full", symbol): Reply(NO_SYMBOL, 402, "text/plain")
            for symbol in symbols
        }

    def closes(self, symbol: str) -> dict[date, tuple[float, float]]:
        """Close and adjusted close of each day that the vendor tells of, as known ``through``."""
        days = [
            day
            for day in self.days
            if day <= min(self.through, self.delisted_on.get(symbol, self.through))
        ]
        random = np.random.default_rng(sum(map(ord, symbol)))
        traded = random.uniform(50, 100) * np.exp(np.cumsum(random.normal(0, 0.01, len(days))))
        shares, cash = np.ones(len(days)), np.ones(len(days))
        for (of, ex), ratio in self.splits.items():
            if of == symbol and ex <= self.through:
                shares[: days.index(ex)] /= ratio
                traded[days.index(ex) :] /= ratio
        for (of, ex), amount in self.dividends.items():
            if of == symbol and ex <= self.through:
                at = days.index(ex)
                cash[:at] *= 1 - amount / (traded[at - 1] * shares[at - 1])
        close = np.round(traded * shares, 2)
        adjusted = np.round(traded * shares * cash, 2)
        by_day = {
            day: (float(c), float(a)) for day, c, a in zip(days, close, adjusted, strict=True)
        }
        return {day: prices for day, prices in by_day.items() if day >= self.first}

    def _select_days(self, symbol: str, query: dict[str, str]) -> list[tuple[str, float, float]]:
        first, last = date.fromisoformat(query["from"]), date.fromisoformat(query["to"])
        return [
            (day.isoformat(), *prices)
            for day, prices in reversed(self.closes(symbol).items())
            if first <= day <= last
        ]

    def _historical_price_eod_full(
        self, symbol: str, query: dict[str, str]
    ) -> list[dict[str, object]]:
        return [
            {
                "symbol": symbol,
                "date": day,
                "open": close,
                "high": close * 1.01,
                "low": close * 0.99,
                "close": close,
                "volume": 1000,
            }
            for day, close, _ in self._select_days(symbol, query)
        ]

    def _historical_price_eod_dividend_adjusted(
        self, symbol: str, query: dict[str, str]
    ) -> list[dict[str, object]]:
        return [
            {"symbol": symbol, "date": day, "adjClose": adjusted}
            for day, _, adjusted in self._select_days(symbol, query)
        ]

    def _profile(self, symbol: str, _: dict[str, str]) -> list[dict[str, object]]:
        fund = symbol in self.funds
        number = int(symbol[1:]) if symbol in self.stocks else 0
        sector = "Financial Services" if fund else SECTORS[number % 11]
        return [
            {
                "symbol": symbol,
                "companyName": f"{symbol} Inc.",
                "sector": sector,
                "industry": "Things",
                "exchange": "NYSE",
                "country": "US",
                "description": "(text)",
                "marketCap": 1e9 * (number + 1),
                "beta": 1.1,
                "isEtf": fund,
                "isFund": False,
            }
        ]

    def _sp500_constituent(self, *_: object) -> list[dict[str, object]]:
        return [
            {
                "symbol": symbol,
                "name": symbol,
                "sector": SECTORS[number % 11],
                "cik": f"{number // 2 * 2 if number > 35 else number:010}",
            }
            for number, symbol in enumerate(self.stocks)
        ]

    def _etf_sector_weightings(self, symbol: str, _: dict[str, str]) -> list[dict[str, object]]:
        return [{"symbol": symbol, "sector": sector, "weightPercentage": 9.0} for sector in SECTORS]
