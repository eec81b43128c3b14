"""Client of the ``/stable/`` endpoints of Financial Modeling Prep (FMP), and its error responses.

A row that does not match its model is returned as rejected, with its text and the reason. An error
response becomes an exception that states whether a retry can help. Status code and content type
are not reliable: FMP sends errors as JSON, as plain text, and with status 200.
"""

from datetime import date
from typing import Annotated, TypeVar

import numpy as np
import pandas as pd
from pydantic import Field

from riskmetrics.errors import EntitlementError, InvalidResponseError
from riskmetrics.sources.fmp_responses import VENDOR, find_error
from riskmetrics.sources.market_data_source import MarketDataSource
from riskmetrics.sources.price_files import price_rows
from riskmetrics.sources.row_validation import ParseResult
from riskmetrics.sources.tabular_files import RejectedRow
from riskmetrics.sources.vendor_http import VendorHttpClient, decode_rows
from riskmetrics.sources.vendor_rows import (
    Constituent,
    MarketCap,
    Name,
    Profile,
    SectorWeight,
    ValidatedRows,
    VendorRow,
    bar_validator,
    reject_duplicates,
    validate_rows,
)
from riskmetrics.symbols import normalize_symbol

_HISTORY, _ADJUSTED = (
    "/stable/historical-price-eod/full",
    "/stable/historical-price-eod/dividend-adjusted",
)
_PROFILE, _CONSTITUENTS, _WEIGHTINGS = (
    "/stable/profile",
    "/stable/sp500-constituent",
    "/stable/etf/sector-weightings",
)

IsoDate = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Bar(VendorRow):
    """A daily bar of the split-adjusted history, not adjusted for dividends."""

    symbol: str
    date: IsoDate
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float
    volume: float | None = None


class AdjustedBar(VendorRow):
    """A daily close adjusted for splits and dividends."""

    symbol: str
    date: IsoDate
    close: float = Field(alias="adjClose")


class FmpProfile(Profile):
    """Profile of a company or fund.

    FMP gives a fund the sector of its manager, so check `is_etf` and `is_fund` first.
    """

    name: Name = Field(None, alias="companyName")
    market_cap: MarketCap = Field(None, alias="marketCap")
    is_etf: bool | None = Field(None, alias="isEtf")
    is_fund: bool | None = Field(None, alias="isFund")


R = TypeVar("R", bound=VendorRow)
S = TypeVar("S", Bar, AdjustedBar, FmpProfile)


class FmpClient(MarketDataSource):
    """Client of the FMP endpoints that the package uses."""

    def __init__(self, http: VendorHttpClient) -> None:
        self._http = http

    def fetch_prices(self, symbol: str, first: date, last: date) -> ParseResult:
        """Fetch the daily prices of a symbol; see `MarketDataSource.fetch_prices`.

        Takes two calls: ``close`` is adjusted for splits only, ``adj_close`` for splits and
        dividends. A day that is missing in one of the two histories is rejected, as is a row of
        another symbol. If the plan does not include the dividend-adjusted history, adj_close is the
        close, and a note says so.
        """
        params = {"symbol": symbol, "from": first.isoformat(), "to": last.isoformat()}
        bars = self._fetch_symbol_rows(_HISTORY, symbol, params, Bar)
        if not bars.rows:
            return ParseResult(pd.DataFrame(), bars.rejected, [])
        try:
            adjusted = self._fetch_symbol_rows(_ADJUSTED, symbol, params, AdjustedBar)
        except EntitlementError as error:
            if error.scope != "endpoint":
                raise
            return _join_histories(bars, None)
        if adjusted.rejected and not adjusted.rows:
            return ParseResult(pd.DataFrame(), [*bars.rejected, *adjusted.rejected], [])
        if not adjusted.rows:
            raise InvalidResponseError(
                f"{VENDOR} returned prices of {symbol} but no dividend-adjusted prices. Report this"
                " to FMP support"
            )
        return _join_histories(bars, adjusted)

    def fetch_profile(self, symbol: str) -> ValidatedRows[FmpProfile]:
        """Fetch the profile of a symbol: one row, or none if FMP does not know the symbol."""
        return reject_duplicates(
            self._fetch_symbol_rows(_PROFILE, symbol, {"symbol": symbol}, FmpProfile)
        )

    def fetch_constituents(self) -> ValidatedRows[Constituent]:
        """Fetch the constituents of the S&P 500, without duplicates."""
        return reject_duplicates(self._fetch_rows(_CONSTITUENTS, {}, Constituent))

    def fetch_sector_weights(self, fund: str) -> ValidatedRows[SectorWeight]:
        """Fetch the sector weights of a fund, in percent; cash is excluded from their sum."""
        return self._fetch_rows(_WEIGHTINGS, {"symbol": fund}, SectorWeight)

    def _fetch_symbol_rows(
        self, path: str, symbol: str, params: dict[str, str], model: type[S]
    ) -> ValidatedRows[S]:
        """Fetch rows of one symbol; rows of other symbols are rejected."""
        found = self._fetch_rows(path, params, model)
        rows, texts, rejected = list[S](), list[str](), list(found.rejected)
        for row, text in zip(found.rows, found.texts, strict=True):
            name = normalize_symbol(row.symbol)
            if name == symbol:
                rows.append(row)
                texts.append(text)
            else:
                reason = (
                    f"symbol {name or '(missing)'} instead of {symbol}; if {symbol} was renamed,"
                    " change the symbol of the holding"
                )
                rejected.append(RejectedRow(None, text, reason))
        return ValidatedRows(rows, texts, rejected)

    def _fetch_rows(self, path: str, params: dict[str, str], model: type[R]) -> ValidatedRows[R]:
        request = " ".join(
            [path.removeprefix("/stable/"), *([params["symbol"]] if "symbol" in params else [])]
        )
        return self._http.get(
            path,
            params,
            lambda answer: validate_rows(decode_rows(answer, VENDOR, request, find_error), model),
        )


def _join_histories(
    bars: ValidatedRows[Bar], adjusted: ValidatedRows[AdjustedBar] | None
) -> ParseResult:
    """Join the two histories by day, and validate the rows like those of a file."""
    closes: dict[str, float] = {}
    rejected = [*bars.rejected, *(adjusted.rejected if adjusted else ())]
    days = {bar.date for bar in bars.rows}
    for row, text in zip(adjusted.rows, adjusted.texts, strict=True) if adjusted else ():
        if row.date in closes or row.date not in days:
            reason = (
                f"duplicate row for {row.date}; the first is kept"
                if row.date in closes
                else f"no split-adjusted price on {row.date}"
            )
            rejected.append(RejectedRow(None, text, reason))
        closes.setdefault(row.date, row.close)
    columns = {
        name: [getattr(bar, name) for bar in bars.rows]
        for name in ("symbol", "date", "open", "high", "low", "close", "volume")
    }
    if adjusted:
        columns["adj_close"] = [closes.get(bar.date) for bar in bars.rows]
    validator = bar_validator(VENDOR, columns, bars.texts)
    rows = price_rows(validator)
    if adjusted:  # the close must not replace an adjusted close that is missing
        validator.reject(
            np.array([bar.date not in closes for bar in bars.rows]),
            "no dividend-adjusted close on {date}",
        )
        validator.notes.clear()
    parsed = validator.result(rows, allow_empty=True)
    return parsed._replace(
        rejected=[*rejected, *(row._replace(line=None) for row in parsed.rejected)]
    )
