"""Client of the ``/stable/`` endpoints of Financial Modeling Prep (FMP), and its error responses.

A row that does not match its model is returned as rejected, with its text and the reason. An error
response becomes an exception that states whether a retry can help. Status code and content type
are not reliable: FMP sends errors as JSON, as plain text, and with status 200.
"""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from riskmetrics import gics
from riskmetrics.errors import EntitlementError, InvalidResponseError
from riskmetrics.metrics._typing import IntArray
from riskmetrics.sources.files import BETA_LIMIT
from riskmetrics.sources.fmp_responses import UNPRINTABLE_CHARACTERS, VENDOR, decode_rows
from riskmetrics.sources.price_files import price_rows
from riskmetrics.sources.row_validation import ParseResult, RowValidator
from riskmetrics.sources.tabular_files import RejectedRow, Table
from riskmetrics.sources.vendor_http import VendorHttpClient
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

_MONEY_LIMIT = 1e16
"""Limit of a NUMERIC(18, 2) column, exclusive, in dollars."""


def _text_validator(max_length: int) -> AfterValidator:
    """Return a validator that removes control characters, truncates, and maps blank to None."""
    return AfterValidator(
        lambda text: UNPRINTABLE_CHARACTERS.sub(" ", text or "").strip()[:max_length] or None
    )


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


IsoDate = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Bar(_Row):
    """A daily bar of the split-adjusted history, not adjusted for dividends."""

    symbol: str
    date: IsoDate
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float
    volume: float | None = None


class AdjustedBar(_Row):
    """A daily close adjusted for splits and dividends."""

    symbol: str
    date: IsoDate
    close: float = Field(alias="adjClose")


class Profile(_Row):
    """Profile of a company or fund.

    FMP gives a fund the sector of its manager, so check `is_etf` and `is_fund` first.
    """

    symbol: str
    name: Annotated[str | None, _text_validator(200)] = Field(None, alias="companyName")
    sector: Annotated[str | None, _text_validator(100)] = None
    industry: Annotated[str | None, _text_validator(100)] = None
    exchange: Annotated[str | None, _text_validator(50)] = None
    country: Annotated[str | None, _text_validator(50)] = None
    description: Annotated[str | None, _text_validator(1000)] = None
    market_cap: float | None = Field(None, alias="marketCap", ge=0, lt=_MONEY_LIMIT)
    beta: float | None = Field(None, gt=-BETA_LIMIT, lt=BETA_LIMIT)
    is_etf: bool | None = Field(None, alias="isEtf")
    is_fund: bool | None = Field(None, alias="isFund")

    @property
    def gics_sector(self) -> str | None:
        """GICS sector; None for a fund, and if the sector is missing or unknown."""
        return None if self.is_etf or self.is_fund else gics.to_gics_sector(self.sector or "")


def _validate_symbol(text: str) -> str:
    """Return the normalized symbol, or raise ValueError."""
    if symbol := normalize_symbol(text):
        return symbol
    raise ValueError("not a valid symbol")


class Constituent(_Row):
    """A constituent of the S&P 500; the endpoint has no weight and no market capitalization."""

    symbol: Annotated[str, AfterValidator(_validate_symbol)]
    sector: str
    cik: str | None = None


class SectorWeight(_Row):
    """Weight of a sector in a fund, in percent of net assets including cash."""

    sector: str
    weight: float = Field(alias="weightPercentage", ge=0, le=100)


R = TypeVar("R", bound=_Row)
S = TypeVar("S", Bar, AdjustedBar, Profile)
N = TypeVar("N", Profile, Constituent)


class ValidatedRows(NamedTuple, Generic[R]):
    """Valid rows of a response with their text, and rejected rows."""

    rows: list[R]
    texts: list[str]
    rejected: list[RejectedRow]


class FmpClient:
    """Client of the FMP endpoints that the package uses."""

    def __init__(self, http: VendorHttpClient) -> None:
        self._http = http

    def fetch_prices(self, symbol: str, first: date, last: date) -> ParseResult:
        """Fetch the daily prices of a symbol, in the format of `files.read_prices`.

        Takes two calls: ``close`` is adjusted for splits only, ``adj_close`` for splits and
        dividends. A day that is missing in one of the two histories is rejected, as is a row of
        another symbol.

        Parameters
        ----------
        symbol : str
            Normalized symbol.
        first, last : date
            First and last day, inclusive.

        Returns
        -------
        ParseResult
            Without rows if FMP does not know the symbol, has no price in the range, or has only
            rows that are rejected.

        Raises
        ------
        SourceError
            If one of the calls fails. If the plan does not include the dividend-adjusted history,
            adj_close is the close, and a note says so.
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

    def fetch_profile(self, symbol: str) -> ValidatedRows[Profile]:
        """Fetch the profile of a symbol: one row, or none if FMP does not know the symbol."""
        return _reject_duplicates(
            self._fetch_symbol_rows(_PROFILE, symbol, {"symbol": symbol}, Profile)
        )

    def fetch_constituents(self) -> ValidatedRows[Constituent]:
        """Fetch the constituents of the S&P 500, without duplicates."""
        return _reject_duplicates(self._fetch_rows(_CONSTITUENTS, {}, Constituent))

    def fetch_sector_weights(self, fund: str) -> ValidatedRows[SectorWeight]:
        """Fetch the sector weights of a fund, in percent; cash is excluded from their sum."""
        return self._fetch_rows(_WEIGHTINGS, {"symbol": fund}, SectorWeight)

    def _fetch_symbol_rows(
        self, path: str, symbol: str, params: dict[str, str], model: type[S]
    ) -> ValidatedRows[S]:
        """Fetch rows of one symbol; rows of other symbols are rejected."""
        found = self._fetch_rows(path, params, model)
        matching: ValidatedRows[S] = ValidatedRows([], [], found.rejected)
        for row, text in zip(found.rows, found.texts, strict=True):
            name = normalize_symbol(row.symbol)
            if name == symbol:
                matching.rows.append(row)
                matching.texts.append(text)
            else:
                reason = (
                    f"symbol {name or '(missing)'} instead of {symbol}; if {symbol} was renamed,"
                    " change the symbol of the holding"
                )
                matching.rejected.append(RejectedRow(None, text, reason))
        return matching

    def _fetch_rows(self, path: str, params: dict[str, str], model: type[R]) -> ValidatedRows[R]:
        request = " ".join(
            [path.removeprefix("/stable/"), *([params["symbol"]] if "symbol" in params else [])]
        )
        return self._http.get(
            path, params, lambda answer: _validate_rows(decode_rows(answer, request), model)
        )


def _reject_duplicates(found: ValidatedRows[N]) -> ValidatedRows[N]:
    """Reject every row after the first of a symbol."""
    kept: ValidatedRows[N] = ValidatedRows([], [], list(found.rejected))
    symbols: set[str] = set()
    for row, text in zip(found.rows, found.texts, strict=True):
        if row.symbol in symbols:
            kept.rejected.append(
                RejectedRow(None, text, f"duplicate row for {row.symbol}; the first is kept")
            )
        else:
            kept.rows.append(row)
            kept.texts.append(text)
        symbols.add(row.symbol)
    return kept


def profiles_to_frame(profiles: Sequence[Profile]) -> pd.DataFrame:
    """Return profiles in the format of `db.input_writes.store_profiles`; a fund has no sector."""
    rows = [
        {
            "symbol": normalize_symbol(profile.symbol),
            "company_name": profile.name,
            "sector": profile.gics_sector,
            "industry": profile.industry,
            "exchange": profile.exchange,
            "country": profile.country,
            "market_cap": profile.market_cap,
            "description": profile.description,
            "is_etf": profile.is_etf,
            "is_fund": profile.is_fund,
            "beta": profile.beta,
        }
        for profile in profiles
    ]
    return pd.DataFrame(rows).astype(
        {"market_cap": "float64", "beta": "float64", "is_etf": "boolean", "is_fund": "boolean"}
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
    kinds = {name: pa.string() if name in ("symbol", "date") else pa.float64() for name in columns}
    arrow = {
        name: pa.chunked_array([pa.array(values, kinds[name])]) for name, values in columns.items()
    }

    def locate(rows: IntArray) -> list[tuple[int, str]]:
        return [(0, bars.texts[row]) for row in rows]

    validator = RowValidator(Table(Path(VENDOR), arrow, [], [], locate))
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


def _validate_rows(content: list[Any], model: type[R]) -> ValidatedRows[R]:
    """Validate each row separately, so that an invalid row does not affect the others."""
    found: ValidatedRows[R] = ValidatedRows([], [], [])
    for item in content:
        text = json.dumps(item, ensure_ascii=False)
        try:
            found.rows.append(model.model_validate_json(text))
            found.texts.append(text)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            reason = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg']}"
                for fault in faults[:3]
            )
            found.rejected.append(RejectedRow(None, text, reason))
    return found
