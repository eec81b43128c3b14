"""Prices, profiles and sector weights of Yahoo Finance by the library yfinance; no key is needed.

yfinance reads what Yahoo's own pages request, which Yahoo changes without notice. A response that
yfinance cannot read, or that it reads without the expected columns, is an InvalidResponseError.
"""

import json
import warnings
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import yfinance
from pydantic import Field
from yfinance.exceptions import (
    YFException,
    YFPricesMissingError,
    YFRateLimitError,
    YFTzMissingError,
)

from riskmetrics import folders
from riskmetrics.errors import InvalidResponseError, RateLimitError, UnknownSymbolError
from riskmetrics.sources.files import price_rows
from riskmetrics.sources.market_data_source import MarketDataSource
from riskmetrics.sources.row_validation import ParseResult
from riskmetrics.sources.vendor_rows import (
    Description,
    Exchange,
    MarketCap,
    Name,
    Profile,
    SectorWeight,
    ValidatedRows,
    bar_validator,
    validate_rows,
)
from riskmetrics.sources.yahoo_session import VENDOR, YahooSession
from riskmetrics.symbols import normalize_symbol

# yfinance turns on its own deprecation warnings, which users cannot act on
warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")

_COLUMNS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
}
"""Columns of yfinance, with their names in this package."""

_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,  # an HTTP status that yfinance does not handle
    TypeError,
    ValueError,
    YFException,
)
"""Errors of yfinance for a response that it cannot read."""

T = TypeVar("T")


class YahooProfile(Profile):
    """Profile of a company or fund; the beta is Yahoo's of five years of monthly returns."""

    name: Name = Field(None, alias="longName")
    exchange: Exchange = Field(None, alias="fullExchangeName")
    description: Description = Field(None, alias="longBusinessSummary")
    market_cap: MarketCap = Field(None, alias="marketCap")


class YahooClient(MarketDataSource):
    """Client of Yahoo Finance; requests are made one after another.

    Parameters
    ----------
    session : YahooSession
        Session of all requests of yfinance.
    cache_folder : Path
        Directory in which yfinance keeps its cookie and the time zones of symbols.
    """

    def __init__(self, session: YahooSession, cache_folder: Path) -> None:
        self._session = session
        self._lock = Lock()  # yfinance shares one cookie and crumb, which it renews on refusals
        _configure(cache_folder)

    def fetch_prices(self, symbol: str, first: date, last: date) -> ParseResult:
        """Fetch the daily prices of a symbol; see `MarketDataSource.fetch_prices`.

        The request has no end, because yfinance caches responses that have one.
        """

        def read(ticker: yfinance.Ticker) -> tuple[pd.DataFrame, dict[str, Any]]:
            frame = ticker.history(
                start=first.isoformat(),
                interval="1d",
                auto_adjust=False,
                actions=True,
                keepna=True,
            )
            metadata = ticker.get_history_metadata()
            return frame, {name: metadata.get(name) for name in ("symbol", "currency")}

        try:
            frame, metadata = self._ask(symbol, read)
        except UnknownSymbolError:
            return ParseResult(pd.DataFrame(), [], [])
        return _parse_history(symbol, frame, metadata, last)

    def fetch_profile(self, symbol: str) -> ValidatedRows[YahooProfile]:
        """Fetch the profile of a symbol: one row, or none if Yahoo does not know the symbol."""
        try:
            info = self._ask(symbol, lambda ticker: dict(ticker.info))
        except UnknownSymbolError:
            return ValidatedRows([], [], [])
        kind = info.get("quoteType")
        if kind in (None, "NONE"):
            return ValidatedRows([], [], [])
        fields = ("sector", "industry", "country", "fullExchangeName", "longBusinessSummary")
        row = {
            **{name: info.get(name) for name in fields},
            "symbol": symbol,
            "longName": info.get("longName") or info.get("shortName"),
            # of a listing in another currency, the capitalization is in that currency
            "marketCap": info.get("marketCap") if info.get("currency") == "USD" else None,
            "beta": info.get("beta", info.get("beta3Year")),
            "is_etf": kind == "ETF",
            "is_fund": kind == "MUTUALFUND",
        }
        return validate_rows([row], YahooProfile)

    def fetch_sector_weights(self, fund: str) -> ValidatedRows[SectorWeight]:
        """Fetch the sector weights of a fund, in percent of its shares."""
        weights: dict[str, Any] = self._ask(
            fund, lambda ticker: dict(ticker.funds_data.sector_weightings)
        )
        rows = [
            {
                "sector": name.replace("realestate", "real_estate").replace("_", " ").title(),
                "weightPercentage": _to_percent(weight),
            }
            for name, weight in weights.items()
        ]
        return validate_rows(rows, SectorWeight)

    def _ask(self, symbol: str, read: Callable[[yfinance.Ticker], T]) -> T:
        """Let yfinance request data of a symbol, and translate its errors.

        Raises
        ------
        SourceError
            Those of `YahooSession`; UnknownSymbolError also if the response has no prices.
        """
        try:
            with self._lock:
                return read(yfinance.Ticker(symbol, session=self._session))
        except (YFPricesMissingError, YFTzMissingError):
            raise UnknownSymbolError(f"{VENDOR} has no price of {symbol}") from None
        except YFRateLimitError:
            raise RateLimitError(f"{VENDOR} rate limit reached. Run again in an hour") from None
        except _UNREADABLE as error:
            reason = type(error).__name__
        raise InvalidResponseError(
            f"yfinance {yfinance.__version__} cannot read {VENDOR}'s response to {symbol}"
            f" ({reason}). Update it with pip install --upgrade yfinance"
        )


def _to_percent(weight: Any) -> Any:
    """Return a fraction in percent; anything else than a number as it is, to be rejected."""
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    return weight * 100 if is_number else weight


@cache
def _configure(cache_folder: Path) -> None:
    """Let yfinance raise its errors, and keep its files in a private directory."""
    folders.create_home(cache_folder.parent)
    folders.create_private_folder(cache_folder)  # it contains a pickle, which runs code when read
    yfinance.set_tz_cache_location(str(cache_folder))
    yfinance.config.debug.hide_exceptions = False


def _parse_history(
    symbol: str, frame: pd.DataFrame, metadata: dict[str, Any], last: date
) -> ParseResult:
    """Validate the rows of a history up to ``last`` like those of a file."""
    if missing := [name for name in (*_COLUMNS, "Dividends") if name not in frame]:
        raise InvalidResponseError(
            f"yfinance {yfinance.__version__} returned no column {', '.join(missing)} of {symbol}."
            " Update riskmetrics and yfinance"
        )
    days = np.array([day.date() for day in pd.DatetimeIndex(frame.index)], dtype=object)
    _require_adjustment(symbol, frame)
    frame, days = frame[days <= last], days[days <= last]
    answered = normalize_symbol(str(metadata["symbol"])) or symbol
    columns: dict[str, list[Any]] = {
        "symbol": [answered] * len(days),
        "date": [day.isoformat() for day in days],
        "currency": [str(metadata["currency"] or "unknown")] * len(days),
    }
    for theirs, ours in _COLUMNS.items():
        columns[ours] = [None if pd.isna(number) else float(number) for number in frame[theirs]]
    texts = [
        json.dumps(dict(zip(columns, values, strict=True)))
        for values in zip(*columns.values(), strict=True)
    ]
    validator = bar_validator(VENDOR, columns, texts)
    validator.reject(
        np.full(len(days), answered != symbol),
        f"symbol {answered} instead of {symbol}; if {symbol} was renamed, run `riskmetrics symbols"
        f" rename {symbol} {answered}`",
    )
    parsed = validator.result(price_rows(validator), allow_empty=True)
    return parsed._replace(rejected=[row._replace(line=None) for row in parsed.rejected])


def _require_adjustment(symbol: str, frame: pd.DataFrame) -> None:
    """Raise InvalidResponseError if the history has dividends and no adjusted close reflects them.

    yfinance returns the close as the adjusted close if a response has none.
    """
    has_dividend = (frame["Dividends"].iloc[1:] > 0).any()
    if has_dividend and np.allclose(frame["Close"], frame["Adj Close"], rtol=0, equal_nan=True):
        raise InvalidResponseError(
            f"{VENDOR} returned dividends of {symbol} and no dividend-adjusted closes. Try again"
            " later, or import its prices from a file"
        )
