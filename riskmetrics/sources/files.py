"""Strict reading of user files: company profiles and benchmark weights; `price_files` has prices.

Valid rows are returned in file order, all other rows with line, text and reason. This module does
not use the database.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import gics, trading_calendar
from riskmetrics.metrics._typing import DateArray, FloatArray
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources.file_kinds import KindChooser
from riskmetrics.sources.layouts import HEADER_ALIASES, SYMBOL_HEADERS
from riskmetrics.sources.name_forms import describe_text
from riskmetrics.sources.price_files import price_rows, read_prices
from riskmetrics.sources.row_validation import (
    INFERRED,
    RESCALE_NOTE_TOLERANCE,
    WEIGHT_SCALES,
    Notation,
    ParseResult,
    RowValidator,
    blank_to_none,
    join_names,
    to_dates,
    validate_table,
)
from riskmetrics.sources.security_identifiers import identifier_key
from riskmetrics.sources.symbol_forms import is_foreign_exchange
from riskmetrics.sources.tabular_files import RejectedRow, read_columns

__all__ = [
    "ParseResult",
    "RejectedRow",
    "price_rows",
    "read_benchmark",
    "read_prices",
    "read_profiles",
]

_DATE_HEADERS = (
    "date",
    "day",
    "tradingday",
    "tradingdate",
    "asof",
    "asofdate",
    "timestamp",
    "datetime",
)

PROFILE_COLUMNS = {
    "symbol": SYMBOL_HEADERS,
    "company_name": (
        "companyname",
        "longname",
        "shortname",
        "name",
        "company",
        "securityname",
        "description",
        "security",
    ),
    "asset_type": ("assettype", "type", "securitytype", "quotetype", "assetclass"),
    "sector": ("gicssector", "gicssectorname", "gics", "sector", "sectorname", "fmpsector"),
    "industry": ("industry", "gicsindustry", "industryname"),
    "beta": ("beta", "beta1y", "providerbeta"),
    "isin": ("isin", "isincode"),
    "cusip": ("cusip", "cusipcode", "cusipnumber"),
    "exchange": HEADER_ALIASES["exchange"],
}
BENCHMARK_COLUMNS = {
    "date": _DATE_HEADERS,
    "sector": PROFILE_COLUMNS["sector"],
    "weight": (
        "weight",
        "weightpctnormalised",
        "weightpctnormalized",
        "weightpct",
        "weightpercent",
        "weightpercentage",
        "weightpctoffund",
    ),
    "market_cap": ("marketcap", "marketcapitalization"),
    "num_constituents": ("numconstituents", "nconstituents", "constituents"),
}

BETA_LIMIT = 1e4 - 1
"""Limit of a NUMERIC(8, 4) column, exclusive."""


def read_profiles(
    path: Path, limits: Limits = DEFAULT_LIMITS, notation: Notation = INFERRED
) -> ParseResult:
    """Read profiles of companies and funds, one row per symbol.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet with symbol; optionally company name, asset type, sector, industry,
        beta, ISIN and CUSIP.

    Returns
    -------
    ParseResult
        symbol, company_name (at most 200 characters, None if missing), is_etf, is_fund (boolean, NA
        without an asset type), sector (GICS name, None if missing or unknown: a note names the
        unknown), industry (at most 100 characters or None), beta (float64, the vendor's,
        dimensionless, NaN if missing), identifiers (tuple of the keys of its ISIN and
        CUSIP; a note names those that are invalid).

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If the file is not a table of profiles, or has no valid row.
    """
    chooser = KindChooser(
        PROFILE_COLUMNS, ("symbol",), "a table of profiles", ("sector", "industry", "beta")
    )
    table = read_columns(path, chooser, limits)
    validator = validate_table(table, notation, amounts=("beta",))
    symbols, beta = validator.symbols("symbol"), validator.numbers("beta")
    validator.reject(symbols == "", "no symbol")
    described = validator.text("symbol").map(describe_text)
    for reason in {*described} - {""}:
        validator.reject(described == reason, f"{{symbol}} is {reason}")
    is_foreign = validator.text("exchange").map(is_foreign_exchange)
    validator.reject(is_foreign, "{symbol} is listed on {exchange}, not in the United States")
    validator.reject(np.abs(beta) >= BETA_LIMIT, "beta {beta} is too large")
    validator.reject_unprintable("company_name", "industry")
    validator.reject_duplicates(symbols.to_frame(), "{symbol}")
    sector_names, kind = validator.text("sector"), validator.text("asset_type").str.upper()
    sectors = _gics_sectors(sector_names)
    unknown = (sector_names != "") & sectors.isna() & validator.valid_rows
    if unknown.any():
        validator.notes.append(
            f"unknown sectors, stored as unclassified: {join_names(sector_names[unknown])}"
        )
    etf = kind.str.contains(r"\bETFS?\b|EXCHANGE.TRADED", regex=True)
    fund = kind.str.contains("FUND") & ~etf
    return validator.result(
        pd.DataFrame(
            {
                "symbol": symbols,
                "company_name": blank_to_none(validator.text("company_name").str.slice(0, 200)),
                "is_etf": etf.astype("boolean").mask(kind == ""),
                "is_fund": fund.astype("boolean").mask(kind == ""),
                "sector": sectors,
                "industry": blank_to_none(validator.text("industry").str.slice(0, 100)),
                "beta": beta,
                "identifiers": _identifier_keys(validator),
            }
        )
    )


def _identifier_keys(validator: RowValidator) -> list[tuple[str, ...]]:
    """Return the keys of the ISINs and CUSIPs of each row; a note names the invalid ones."""
    columns = []
    for name in ("isin", "cusip"):
        texts = validator.text(name)
        keys = [identifier_key(text) for text in texts]
        invalid = (texts != "") & np.array([key is None for key in keys]) & validator.valid_rows
        if invalid.any():
            validator.notes.append(
                f"column {name}: not stored, because the check digit is wrong or it is of a bond:"
                f" {join_names(texts[invalid])}"
            )
        columns.append(keys)
    return [tuple({key for key in pair if key}) for pair in zip(*columns, strict=True)]


def _gics_sectors(names: "pd.Series[str]") -> "pd.Series[Any]":
    """Return GICS sector names, None where the name is missing or unknown."""
    return pd.Series([gics.to_gics_sector(name) for name in names], dtype=object)


def read_benchmark(
    path: Path, limits: Limits = DEFAULT_LIMITS, notation: Notation = INFERRED
) -> ParseResult:
    """Read a benchmark's sector weights, one row per date and GICS sector.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet with date, sector and weight, as fractions or in percent, which is
        inferred from the sum of a date; optionally market_cap (dollars) and num_constituents of
        the sector.

    Returns
    -------
    ParseResult
        date (datetime.date), sector (GICS name), weight (float64, fraction; the weights of a date
        sum to 1, and a note says which dates were rescaled), market_cap (float64) and
        num_constituents (Int64), missing where absent.

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If the file is not a table of weights, or has no valid row.
    """
    required = ("date", "sector", "weight")
    chooser = KindChooser(BENCHMARK_COLUMNS, required, "a table of sector weights", required)
    table = read_columns(path, chooser, limits)
    sizes = ("market_cap", "num_constituents")
    validator = validate_table(table, notation, amounts=("weight",), counts=sizes)
    days, sector_names = validator.days("date"), validator.text("sector")
    weights = validator.numbers("weight")
    sectors = _gics_sectors(sector_names)
    validator.reject(np.isnat(days), "no date")
    validator.reject(
        days > np.datetime64(trading_calendar.last_completed_session()), "{date} is in the future"
    )
    validator.reject(sectors.isna(), "sector '{sector}' is not a GICS sector")
    validator.reject(np.isnan(weights), "no weight")
    validator.reject(
        (weights < 0) | np.isinf(weights), "weight {weight} is not a valid benchmark weight"
    )
    caps, counts = (
        validator.numbers("market_cap", has_magnitudes=True),
        validator.numbers("num_constituents"),
    )
    validator.reject((caps < 0) | np.isinf(caps), "market_cap {market_cap} is not an amount")
    validator.reject(
        (counts < 0) | (counts % 1 != 0) & ~np.isnan(counts),
        "num_constituents {num_constituents} is not a number of stocks",
    )
    validator.reject_duplicates(
        pd.DataFrame({"date": days, "sector": sectors}), "{sector} on {date}"
    )
    sums = _sum_weights_by_day(validator, days, weights)
    whole_counts = pd.array(np.where(validator.valid_rows, counts, np.nan), dtype="Int64")
    rows = {
        "date": to_dates(days),
        "sector": sectors,
        # the sum of a date without a valid row is 0
        "weight": weights / np.where(validator.valid_rows, sums, np.nan),
        "market_cap": caps,
        "num_constituents": whole_counts,
    }
    return validator.result(pd.DataFrame(rows))


def _sum_weights_by_day(
    validator: RowValidator, days: DateArray, weights: FloatArray
) -> FloatArray:
    """Return the sum of the valid weights of each row's date; reject sums other than 1 or 100."""
    sums: FloatArray = (
        pd.Series(np.where(validator.valid_rows, weights, 0.0))
        .groupby(days)
        .transform("sum")
        .to_numpy()
    )
    scale = np.select(
        [(sums > low) & (sums < high) for low, high, _ in WEIGHT_SCALES],
        [total for _, _, total in WEIGHT_SCALES],
        np.nan,
    )
    validator.reject(np.isnan(scale), "the valid weights of {date} sum to neither 1 nor 100")
    rescaled = validator.valid_rows & (np.abs(sums / scale - 1) > RESCALE_NOTE_TOLERANCE)
    for day, total in dict(
        zip(to_dates(days)[rescaled], (sums / scale)[rescaled], strict=True)
    ).items():
        validator.notes.append(f"the weights of {day} sum to {100 * total:.2f}%; rescaled to 100%")
    return sums
