"""Financial Modeling Prep: its ``/stable/`` endpoints, and what its answers mean.

A row that does not fit its model is handed back with its text and the reason; an answer that is none becomes an error that says
whether to ask again. Status and content type are not to be trusted: refusals come as JSON, as plain text and with status 200.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from riskmetrics import gics
from riskmetrics.errors import BadAnswer, KeyRefused, NotInPlan, RateLimited, SourceError, Unreachable
from riskmetrics.metrics._typing import IntArray
from riskmetrics.sources.files import BETA_LIMIT, price_rows
from riskmetrics.sources.http import Answer, Http
from riskmetrics.sources.review import Parsed, Review
from riskmetrics.sources.tables import RejectedRow, Table
from riskmetrics.symbols import normalize_symbol
from riskmetrics.text import UNPRINTABLE

SOURCE = "FMP"
"""The vendor's name, in sentences."""

_HISTORY, _ADJUSTED = "/stable/historical-price-eod/full", "/stable/historical-price-eod/dividend-adjusted"
_PROFILE, _CONSTITUENTS, _WEIGHTINGS = "/stable/profile", "/stable/sp500-constituent", "/stable/etf/sector-weightings"

_MOST_ROWS = 50_000
"""Rows of an answer; thirty years of sessions are 7,560."""

_MONEY_LIMIT = 1e16
"""What NUMERIC(18, 2) holds."""


_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}\t\n]")


def _text(longest: int) -> AfterValidator:
    """Text that fits its column, without control characters; nothing but space is none at all."""
    return AfterValidator(lambda text: _UNPRINTABLE.sub(" ", text or "").strip()[:longest] or None)


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Bar(_Row):
    """A day of the split-adjusted history; it holds no dividends."""

    symbol: str
    date: Day
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float
    volume: float | None = None


class AdjustedBar(_Row):
    """A day of the history that is adjusted for dividends too."""

    symbol: str
    date: Day
    close: float = Field(alias="adjClose")


class Profile(_Row):
    """What a company or fund is. A fund comes with the sector of its manager: look at the two flags first."""

    symbol: str
    name: Annotated[str | None, _text(200)] = Field(None, alias="companyName")
    sector: Annotated[str | None, _text(100)] = None
    industry: Annotated[str | None, _text(100)] = None
    exchange: Annotated[str | None, _text(50)] = None
    country: Annotated[str | None, _text(50)] = None
    description: Annotated[str | None, _text(1000)] = None
    market_cap: float | None = Field(None, alias="marketCap", ge=0, lt=_MONEY_LIMIT)
    beta: float | None = Field(None, gt=-BETA_LIMIT, lt=BETA_LIMIT)
    is_etf: bool | None = Field(None, alias="isEtf")
    is_fund: bool | None = Field(None, alias="isFund")

    @property
    def gics_sector(self) -> str | None:
        """GICS name; None for a fund, and for a sector that is missing or unknown."""
        return None if self.is_etf or self.is_fund else gics.sector(self.sector or "")


def _symbol(text: str) -> str:
    """Return the normal form of a symbol, or raise ValueError."""
    if symbol := normalize_symbol(text):
        return symbol
    raise ValueError("not a symbol")


class Constituent(_Row):
    """A stock of the S&P 500; the vendor gives neither its weight nor its market capitalisation here."""

    symbol: Annotated[str, AfterValidator(_symbol)]
    sector: str
    cik: str | None = None


class SectorWeight(_Row):
    """A sector's weight in a fund, in per cent of the whole with cash."""

    sector: str
    weight: float = Field(alias="weightPercentage", ge=0, le=100)


R = TypeVar("R", bound=_Row)
S = TypeVar("S", Bar, AdjustedBar, Profile)
N = TypeVar("N", Profile, Constituent)


class Found(NamedTuple, Generic[R]):
    """The rows of an answer that fit, each with its text, and the others."""

    rows: list[R]
    texts: list[str]
    rejected: list[RejectedRow]


class Fmp:
    """The vendor's client."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def prices(self, symbol: str, first: date, last: date) -> Parsed:
        """Daily prices of a symbol, as `files.read_prices` gives those of a file.

        Two calls: ``close`` comes from the history that is adjusted for splits alone, ``adj_close`` from the one that is adjusted
        for dividends too. A day that only one of them has is rejected, as is a row of another symbol.

        Returns
        -------
        Parsed
            Without rows if the vendor does not know the symbol, has no price in the range, or only such as are rejected.

        Raises
        ------
        SourceError
            If either answer is none. Where the plan has no dividend-adjusted history, adj_close := close and a note says so.
        """
        params = {"symbol": symbol, "from": first.isoformat(), "to": last.isoformat()}
        bars = self._of_symbol(_HISTORY, symbol, params, Bar)
        if not bars.rows:
            return Parsed(pd.DataFrame(), bars.rejected, [])
        try:
            adjusted = self._of_symbol(_ADJUSTED, symbol, params, AdjustedBar)
        except NotInPlan as error:
            if error.closes != "endpoint":
                raise
            return _prices(bars, None)
        if adjusted.rejected and not adjusted.rows:
            return Parsed(pd.DataFrame(), [*bars.rejected, *adjusted.rejected], [])
        if not adjusted.rows:
            raise BadAnswer(f"{SOURCE} has prices of {symbol} but no dividend-adjusted ones: say so to its support")
        return _prices(bars, adjusted)

    def profile(self, symbol: str) -> Found[Profile]:
        """What a symbol is: one row, or none if the vendor does not know it."""
        return _without_repeated(self._of_symbol(_PROFILE, symbol, {"symbol": symbol}, Profile))

    def constituents(self) -> Found[Constituent]:
        """The stocks of the S&P 500, each once."""
        return _without_repeated(self._rows(_CONSTITUENTS, {}, Constituent))

    def sector_weightings(self, fund: str) -> Found[SectorWeight]:
        """Sector weights of a fund; they leave out its cash, and need not sum to 100."""
        return self._rows(_WEIGHTINGS, {"symbol": fund}, SectorWeight)

    def _of_symbol(self, path: str, symbol: str, params: dict[str, str], model: type[S]) -> Found[S]:
        """Rows that are of the symbol asked for; the others are rejected."""
        found = self._rows(path, params, model)
        own: Found[S] = Found([], [], found.rejected)
        for row, text in zip(found.rows, found.texts, strict=True):
            name = normalize_symbol(row.symbol)
            if name == symbol:
                own.rows.append(row)
                own.texts.append(text)
            else:
                reason = f"a row of {name or 'no symbol'}, not of {symbol}: if it was renamed, hold it under its new name"
                own.rejected.append(RejectedRow(None, text, reason))
        return own

    def _rows(self, path: str, params: dict[str, str], model: type[R]) -> Found[R]:
        what = " ".join([path.removeprefix("/stable/"), *([params["symbol"]] if "symbol" in params else [])])
        return self._http.get(path, params, lambda answer: _validated(_decoded(answer, what), model))


def _without_repeated(found: Found[N]) -> Found[N]:
    """Reject rows of a symbol that stands above."""
    kept: Found[N] = Found([], [], list(found.rejected))
    symbols: set[str] = set()
    for row, text in zip(found.rows, found.texts, strict=True):
        if row.symbol in symbols:
            kept.rejected.append(RejectedRow(None, text, f"a second row for {row.symbol}: the first stands"))
        else:
            kept.rows.append(row)
            kept.texts.append(text)
        symbols.add(row.symbol)
    return kept


def profile_rows(profiles: Sequence[Profile]) -> pd.DataFrame:
    """Return profiles as `db.imports.profiles` wants them; a fund has no sector of its own."""
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
    return pd.DataFrame(rows).astype({"market_cap": "float64", "beta": "float64", "is_etf": "boolean", "is_fund": "boolean"})


def _prices(bars: Found[Bar], adjusted: Found[AdjustedBar] | None) -> Parsed:
    """Join the two histories by day and look at each row as at that of a file."""
    closes: dict[str, float] = {}
    rejected = [*bars.rejected, *(adjusted.rejected if adjusted else ())]
    days = {bar.date for bar in bars.rows}
    for row, text in zip(adjusted.rows, adjusted.texts, strict=True) if adjusted else ():
        if row.date in closes or row.date not in days:
            reason = f"a second row for {row.date}: the first stands" if row.date in closes else f"the history has no row of {row.date}"
            rejected.append(RejectedRow(None, text, reason))
        closes.setdefault(row.date, row.close)
    columns = {name: [getattr(bar, name) for bar in bars.rows] for name in ("symbol", "date", "open", "high", "low", "close", "volume")}
    if adjusted:
        columns["adj_close"] = [closes.get(bar.date) for bar in bars.rows]
    kinds = {name: pa.string() if name in ("symbol", "date") else pa.float64() for name in columns}
    arrow = {name: pa.chunked_array([pa.array(values, kinds[name])]) for name, values in columns.items()}

    def locate(rows: IntArray) -> list[tuple[int, str]]:
        return [(0, bars.texts[row]) for row in rows]

    review = Review(Table(Path(SOURCE), arrow, [], [], locate))
    rows = price_rows(review)
    if adjusted:  # where none of them is a price, the closes must not stand in
        review.reject(np.array([bar.date not in closes for bar in bars.rows]), "no dividend-adjusted close of {date}")
        review.notes.clear()
    parsed = review.parsed(rows, may_be_empty=True)
    return parsed._replace(rejected=[*rejected, *(row._replace(line=None) for row in parsed.rejected)])


def _decoded(answer: Answer, what: str) -> list[Any]:
    """Return the rows of an answer, or raise the error that it is."""
    try:
        content = pydantic_core.from_json(answer.body)
    except ValueError:
        content = None
    text = _words(content, answer.body)
    if refused := _refusal(answer, text, what):
        raise refused
    if content is None:
        raise BadAnswer(f"{SOURCE} broke its answer to {what} off, or it is not JSON", again=True)
    if not isinstance(content, list):
        raise BadAnswer(f"{SOURCE} answers to {what} with something other than a list" + (f": it says '{text}'" if text else ""))
    if len(content) > _MOST_ROWS:
        raise BadAnswer(f"{SOURCE} answers to {what} with {len(content):,} rows, where {_MOST_ROWS:,} are the most that is read")
    return content


def _words(content: Any, body: bytes) -> str:
    """What an answer says in words, if it does: an object's error message, or plain text."""
    message = content.get("Error Message") if isinstance(content, dict) else content
    text = message if isinstance(message, str) else body[:500].decode("utf-8", "replace") if content is None else ""
    return "" if text.lstrip().startswith(("[", "{")) else " ".join(_UNPRINTABLE.sub(" ", text).split())[:200]


def _refusal(answer: Answer, text: str, what: str) -> SourceError | None:
    """Return what an answer refuses, by its words and then by its status; None: nothing."""
    said = text.casefold()
    by_words = (refusal for words, refusal in _REFUSALS.items() if any(word in said for word in words.split("|")))
    refusal = next(by_words, None) or _BY_STATUS.get(answer.status)
    if refusal is not None:
        return refusal(what, answer)
    if answer.status in (408, 425) or answer.status >= 500:
        return Unreachable(f"{SOURCE} has a fault of its own (status {answer.status} to {what}): try again later", answer.retry_after)
    if 300 <= answer.status < 400:
        return BadAnswer(f"{SOURCE} sends to another address, where the key is not sent: is RISKMETRICS_FMP_URL right?")
    if answer.status != 200:
        return BadAnswer(f"{SOURCE} answers to {what} with status {answer.status}" + (f": '{text}'" if text else ""))
    return None


def _key_refused(_what: str, _answer: Answer) -> SourceError:
    return KeyRefused(f"{SOURCE} does not know the key in FMP_API_KEY: copy it anew from its site")


def _bandwidth_used(_what: str, _answer: Answer) -> SourceError:
    return RateLimited(f"{SOURCE} has sent as many bytes in 30 days as the plan has: wait, or take a larger plan")


def _calls_used(_what: str, answer: Answer) -> SourceError:
    advice = "what is missing is fetched by the next run; if it is the calls per minute, set RISKMETRICS_FMP_CALLS_PER_MINUTE lower"
    return RateLimited(f"{SOURCE} has answered as often as the plan has: {advice}", passing=True, retry_after=answer.retry_after)


def _closed_to_new_keys(what: str, _answer: Answer) -> SourceError:
    return NotInPlan(f"{SOURCE} has closed {what} to keys made after August 2025: is RISKMETRICS_FMP_URL right?", endpoint=True)


def _endpoint_not_in_plan(what: str, _answer: Answer) -> SourceError:
    return NotInPlan(f"the plan does not have {what.partition(' ')[0]}: docs/data.md says what each plan gives", endpoint=True)


def _symbol_not_in_plan(what: str, _answer: Answer) -> SourceError:
    return NotInPlan(f"the plan does not have {what}: import it from a file, or take a larger plan")


_REFUSALS: dict[str, Callable[[str, Answer], SourceError]] = {
    "invalid api key": _key_refused,
    "bandwidth limit": _bandwidth_used,
    "limit reach": _calls_used,
    "legacy endpoint": _closed_to_new_keys,
    "restricted endpoint|exclusive endpoint": _endpoint_not_in_plan,
    "premium query parameter": _symbol_not_in_plan,
}
"""What the vendor's words mean, whatever the status that they come with."""

_BY_STATUS = {401: _key_refused, 402: _symbol_not_in_plan, 403: _endpoint_not_in_plan, 429: _calls_used}


def _validated(content: list[Any], model: type[R]) -> Found[R]:
    """Look at every row by itself: one that does not fit takes no other with it."""
    found: Found[R] = Found([], [], [])
    for item in content:
        text = json.dumps(item, ensure_ascii=False)
        try:
            found.rows.append(model.model_validate_json(text))
            found.texts.append(text)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            reason = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg']}" for fault in faults[:3])
            found.rejected.append(RejectedRow(None, text, reason))
    return found
