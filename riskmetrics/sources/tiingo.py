"""Client of the end-of-day prices of Tiingo, and its error responses.

Tiingo's close is raw: neither splits nor dividends are adjusted. Its adjusted close is adjusted for
both. The close of this package, adjusted for splits only, is computed from ``splitFactor``.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from riskmetrics.errors import (
    AuthenticationError,
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    SourceError,
    UnknownSymbolError,
    VendorUnavailableError,
)
from riskmetrics.sources.files import price_rows
from riskmetrics.sources.market_data_source import MarketDataSource
from riskmetrics.sources.row_validation import ParseResult
from riskmetrics.sources.tabular_files import RejectedRow
from riskmetrics.sources.vendor_http import VendorHttpClient, VendorResponse, decode_rows
from riskmetrics.sources.vendor_rows import (
    UNPRINTABLE_CHARACTERS,
    VendorRow,
    bar_validator,
    validate_rows,
)

VENDOR = "Tiingo"
"""Name of the vendor in messages."""

_PREFERRED_SHARE = re.compile(r"-P([A-Z])$")
_CHINESE_SHARE = re.compile(r"\d+")
"""Tiingo quotes symbols that consist of digits in yuan."""


class TiingoBar(VendorRow):
    """A daily bar: raw prices, the adjusted close, and the actions of the day."""

    time: Annotated[str, Field(alias="date", pattern=r"^\d{4}-\d{2}-\d{2}(T.*)?$")]
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float
    adj_close: float = Field(alias="adjClose")
    volume: float | None = None
    dividend: float = Field(alias="divCash", ge=0)
    """USD per share, on the first session without it."""
    split: float = Field(alias="splitFactor", gt=0)
    """New shares per old share, on the first session with the new number."""

    @property
    def day(self) -> str:
        """Return the session, YYYY-MM-DD."""
        return self.time[:10]


class TiingoClient(MarketDataSource):
    """Client of the Tiingo endpoint that the package uses."""

    def __init__(self, http: VendorHttpClient) -> None:
        self._http = http

    def fetch_prices(self, symbol: str, first: date, last: date) -> ParseResult:
        """Fetch the daily prices of a symbol; see `MarketDataSource.fetch_prices`.

        The request has no end: a split after ``last`` changes all earlier closes.
        """
        empty = ParseResult(pd.DataFrame(), [], [])
        if _CHINESE_SHARE.fullmatch(symbol):
            return empty
        ticker = _PREFERRED_SHARE.sub(r"-P-\1", symbol)
        try:
            content: list[Any] = self._http.get(
                f"/tiingo/daily/{ticker}/prices",
                {"startDate": first.isoformat()},
                lambda response: decode_rows(response, VENDOR, ticker, _find_error),
            )
        except UnknownSymbolError:
            return empty
        found = validate_rows(content, TiingoBar)
        if found.rejected:
            # a split in a row that cannot be read would leave all earlier closes unadjusted
            return ParseResult(pd.DataFrame(), found.rejected, [])
        return _adjust_splits(symbol, found.rows, found.texts, last)


def _adjust_splits(
    symbol: str, bars: Sequence[TiingoBar], texts: Sequence[str], last: date
) -> ParseResult:
    """Return bars up to ``last`` with prices divided, and volumes multiplied, by later splits."""
    splits = {bar.day: bar.split for bar in reversed(bars)}  # of a repeated day, the first row
    factor, factors = 1.0, dict[str, float]()
    for day in sorted(splits, reverse=True):
        factors[day] = factor
        factor *= splits[day]
    kept = [
        (bar, text) for bar, text in zip(bars, texts, strict=True) if bar.day <= last.isoformat()
    ]

    def adjust_prices(name: str) -> list[float | None]:
        prices = ((getattr(bar, name), factors[bar.day]) for bar, _ in kept)
        return [None if price is None else price / split for price, split in prices]

    columns: dict[str, list[Any]] = {
        "symbol": [symbol] * len(kept),
        "date": [bar.day for bar, _ in kept],
        **{name: adjust_prices(name) for name in ("open", "high", "low", "close")},
        "adj_close": [bar.adj_close for bar, _ in kept],
        "volume": [
            None if bar.volume is None else bar.volume * factors[bar.day] for bar, _ in kept
        ],
    }
    validator = bar_validator(VENDOR, columns, [text for _, text in kept])
    parsed = validator.result(price_rows(validator), allow_empty=True)
    return parsed._replace(
        rejected=[RejectedRow(None, row.raw_row, row.reason) for row in parsed.rejected]
    )


def _find_error(
    response: VendorResponse, content: Any, ticker: str
) -> tuple[SourceError | None, str]:
    """Return the error that a response states, if any, and its message."""
    text = _error_message(content, response.body)
    return _vendor_error(response, text, ticker), text


def _error_message(content: Any, body: bytes) -> str:
    """Return the message of a response (JSON, or plain text for a used-up limit), or ''."""
    message = content.get("detail") if isinstance(content, dict) else content
    if content is None and not body.lstrip().startswith((b"[", b"{")):
        message = body[:500].decode("utf-8", "replace")
    text = message if isinstance(message, str) else ""
    return " ".join(UNPRINTABLE_CHARACTERS.sub(" ", text).split())[:200]


def _vendor_error(response: VendorResponse, text: str, ticker: str) -> SourceError | None:
    """Return the error that a response states, by its message or its status; else None."""
    message, status = text.casefold(), response.status
    if "run over your" in message or status == 429:
        return _rate_limit_error(message, response)
    if status in (401, 403, 404) or "invalid token" in message:
        return _refusal(401 if "invalid token" in message else status, ticker)
    if status in (408, 425) or status >= 500:
        return VendorUnavailableError(
            f"{VENDOR} server error (status {status} for {ticker}). Try again later",
            response.retry_after,
        )
    if status != 200:
        return InvalidResponseError(
            f"{VENDOR} responded to {ticker} with status {status}. Check RISKMETRICS_TIINGO_URL"
            + (f": '{text}'" if text else "")
        )
    return None


def _refusal(status: int, ticker: str) -> SourceError:
    """Return the error for a request that is refused: the key, the plan, or the symbol."""
    if status == 401:
        return AuthenticationError(
            f"{VENDOR} rejects the key in RISKMETRICS_TIINGO_API_KEY. Copy it from"
            " api.tiingo.com/account/api/token again"
        )
    if status == 403:
        return EntitlementError(f"your {VENDOR} plan does not include {ticker}")
    return UnknownSymbolError(f"{VENDOR} does not know {ticker}")


def _rate_limit_error(message: str, response: VendorResponse) -> RateLimitError:
    """Return the error for a limit: symbols per month, or calls per hour or day."""
    if "symbol" in message:
        return RateLimitError(
            f"{VENDOR} limit of different symbols reached (500 per month on the free plan). Wait"
            " until next month, or upgrade the plan"
        )
    sentence = (
        f"{VENDOR} rate limit reached (50 calls per hour and 1,000 per day on the free plan). What"
        " arrived is stored; run again in an hour for the rest"
    )
    if "hourly" in message or "daily" in message:
        return RateLimitError(sentence)  # a wait of a minute would not help
    return RateLimitError(sentence, transient=True, retry_after=response.retry_after)
