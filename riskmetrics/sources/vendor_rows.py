"""Rows of vendors in the form that is common to all: bars, profiles, constituents, sector weights.

A row that does not match its model is returned as rejected, with its text and the reason.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import pandas as pd
import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from riskmetrics import gics
from riskmetrics.metrics._typing import IntArray
from riskmetrics.sources.files import BETA_LIMIT
from riskmetrics.sources.row_validation import RowValidator
from riskmetrics.sources.security_identifiers import identifier_key
from riskmetrics.sources.tabular_files import RejectedRow, Table
from riskmetrics.symbols import normalize_symbol
from riskmetrics.text import UNPRINTABLE

UNPRINTABLE_CHARACTERS = re.compile(f"[{UNPRINTABLE}\t\n]")
"""Pattern of characters that are replaced by spaces in text of a vendor."""

MONEY_LIMIT = 1e16
"""Limit of a NUMERIC(18, 2) column, exclusive, in dollars."""

_TEXT_COLUMNS = ("symbol", "date", "currency")


def text_validator(max_length: int) -> AfterValidator:
    """Return a validator that removes control characters, truncates, and maps blank to None."""
    return AfterValidator(
        lambda text: UNPRINTABLE_CHARACTERS.sub(" ", text or "").strip()[:max_length] or None
    )


class VendorRow(BaseModel):
    """A row of a response; fields that the model does not name are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


Name = Annotated[str | None, text_validator(200)]
Exchange = Annotated[str | None, text_validator(50)]
Description = Annotated[str | None, text_validator(1000)]
MarketCap = Annotated[float | None, Field(ge=0, lt=MONEY_LIMIT)]
Beta = Annotated[float | None, Field(gt=-BETA_LIMIT, lt=BETA_LIMIT)]


class Profile(VendorRow):
    """Profile of a company or fund; a vendor's model gives fields their names in its responses."""

    symbol: str
    name: Name = None
    sector: Annotated[str | None, text_validator(100)] = None
    industry: Annotated[str | None, text_validator(100)] = None
    exchange: Exchange = None
    country: Annotated[str | None, text_validator(50)] = None
    description: Description = None
    market_cap: MarketCap = None
    beta: Beta = None
    is_etf: bool | None = None
    is_fund: bool | None = None
    isin: str | None = None
    cusip: str | None = None

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Keys of the ISIN and the CUSIP, those that are valid."""
        keys = {identifier_key(text) for text in (self.isin, self.cusip) if text}
        return tuple(key for key in keys if key)

    @property
    def gics_sector(self) -> str | None:
        """GICS sector; None for a fund, and if the sector is missing or unknown."""
        return None if self.is_etf or self.is_fund else gics.to_gics_sector(self.sector or "")


def _validate_symbol(text: str) -> str:
    """Return the normalized symbol, or raise ValueError."""
    if symbol := normalize_symbol(text):
        return symbol
    raise ValueError("not a valid symbol")


class Constituent(VendorRow):
    """A constituent of the S&P 500, without weight and market capitalization."""

    symbol: Annotated[str, AfterValidator(_validate_symbol)]
    sector: str
    cik: str | None = None


class SectorWeight(VendorRow):
    """Weight of a sector in a fund, in percent of net assets including cash."""

    sector: str
    weight: float = Field(alias="weightPercentage", ge=0, le=100)


R = TypeVar("R", bound=VendorRow)
R_co = TypeVar("R_co", bound=VendorRow, covariant=True)
N = TypeVar("N", bound=Profile | Constituent)


class ValidatedRows(NamedTuple, Generic[R_co]):
    """Valid rows of a response with their text, and rejected rows."""

    rows: Sequence[R_co]
    texts: list[str]
    rejected: list[RejectedRow]


def validate_rows(content: Sequence[Any], model: type[R]) -> ValidatedRows[R]:
    """Validate each row separately, so that an invalid row does not affect the others."""
    rows, texts, rejected = list[R](), list[str](), list[RejectedRow]()
    for item in content:
        text = json.dumps(item, ensure_ascii=False)
        try:
            rows.append(model.model_validate_json(text))
            texts.append(text)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            reason = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg']}"
                for fault in faults[:3]
            )
            rejected.append(RejectedRow(None, text, reason))
    return ValidatedRows(rows, texts, rejected)


def reject_duplicates(found: ValidatedRows[N]) -> ValidatedRows[N]:
    """Reject every row after the first of a symbol."""
    rows, texts, rejected = list[N](), list[str](), list(found.rejected)
    symbols: set[str] = set()
    for row, text in zip(found.rows, found.texts, strict=True):
        if row.symbol in symbols:
            rejected.append(
                RejectedRow(None, text, f"duplicate row for {row.symbol}; the first is kept")
            )
        else:
            rows.append(row)
            texts.append(text)
        symbols.add(row.symbol)
    return ValidatedRows(rows, texts, rejected)


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
            "identifiers": profile.identifiers,
        }
        for profile in profiles
    ]
    return pd.DataFrame(rows).astype(
        {"market_cap": "float64", "beta": "float64", "is_etf": "boolean", "is_fund": "boolean"}
    )


def bar_validator(
    vendor: str, columns: Mapping[str, Sequence[Any]], texts: Sequence[str]
) -> RowValidator:
    """Return a validator of bars, for `files.price_rows`.

    Parameters
    ----------
    vendor : str
        Name of the vendor.
    columns : mapping
        symbol, date, open, high, low, close, adj_close, volume, currency, any subset: text of
        symbol, date and currency, numbers or None otherwise.
    texts : sequence of str
        Text of each row, which is kept if the row is rejected.
    """
    kinds = {name: pa.string() if name in _TEXT_COLUMNS else pa.float64() for name in columns}
    arrow = {
        name: pa.chunked_array([pa.array(values, kinds[name])]) for name, values in columns.items()
    }

    def locate(rows: IntArray) -> list[tuple[int, str]]:
        return [(0, texts[row]) for row in rows]

    return RowValidator(Table(Path(vendor), arrow, [], [], locate))
