"""Strict reading of user files: prices, company profiles and benchmark weights.

Valid rows are returned in file order, all other rows with line, text and reason. This module does
not use the database.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import gics, trading_calendar
from riskmetrics.limits import DEFAULT_LIMITS, Limits
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray
from riskmetrics.sources.decimal_marks import infer_table_decimal
from riskmetrics.sources.layouts import SYMBOL_HEADERS
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
)
from riskmetrics.sources.tabular_files import RejectedRow, Table, read_table

__all__ = ["ParseResult", "RejectedRow", "read_benchmark", "read_prices", "read_profiles"]

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

PRICE_COLUMNS = {
    "symbol": SYMBOL_HEADERS,
    "date": _DATE_HEADERS,
    "open": ("open", "openprice", "openingprice"),
    "high": ("high", "highprice"),
    "low": ("low", "lowprice"),
    "close": ("close", "closeprice", "closingprice", "closelast", "price"),
    "adj_close": (
        "adjclose",
        "adjustedclose",
        "closeadj",
        "closeadjusted",
        "adjcloseprice",
        "adjustedcloseprice",
        "adjprice",
    ),
    "volume": ("volume", "vol", "tradedvolume"),
    "currency": ("currency",),
}
_PRICES = ("open", "high", "low", "close", "adj_close")
PROFILE_COLUMNS = {
    "symbol": SYMBOL_HEADERS,
    "company_name": ("companyname", "name", "company", "securityname", "description"),
    "asset_type": ("assettype", "type", "securitytype", "assetclass"),
    "sector": ("gicssector", "gicssectorname", "gics", "sector", "sectorname", "fmpsector"),
    "industry": ("industry", "gicsindustry", "industryname"),
    "beta": ("beta", "beta1y", "providerbeta"),
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
MIN_ADJ_CLOSE, ADJ_CLOSE_LIMIT = 1e-12, 1e15
"""Range of adjusted closes, exclusive; wider than that of prices: adjustments accumulate."""
RANGE_TOLERANCE = 0.01
"""Dollars that a close may lie outside of low and high, because each is rounded to cents."""


def read_prices(
    path: Path, limits: Limits = DEFAULT_LIMITS, notation: Notation = INFERRED
) -> ParseResult:
    """Read daily prices, one row per symbol and exchange session.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet with symbol, date and close; optionally open, high, low, adj_close and
        volume.
    notation : Notation
        Decimal mark and order of dates, if not inferred.

    Returns
    -------
    ParseResult
        symbol, date (datetime.date), open, high, low, close, adj_close (float64, dollars; NaN where
        absent, except adj_close), volume (Int64, shares, rounded; NA where absent), has_adj_close
        (bool: False where adj_close is the close because the file has none).

    Raises
    ------
    UsageError
        If the file does not exist, or its decimal mark is ambiguous.
    DataQualityError
        If the file is not a table of prices, or has no valid row.

    Notes
    -----
    A symbol without any adj_close gets adj_close := close, and a note says so. If a symbol has it
    on some rows only, the other rows are rejected: a mixture would give false returns.
    """
    table = read_table(path, PRICE_COLUMNS, required=("symbol", "date", "close"), limits=limits)
    validator = _validate(table, notation, amounts=_PRICES, counts=("volume",))
    return validator.result(price_rows(validator))


def _validate(
    table: Table, notation: Notation, amounts: Iterable[str], counts: Iterable[str] = ()
) -> RowValidator:
    """Return a validator with the notation of a table, inferred where it is not specified."""
    decimal = notation.decimal or infer_table_decimal(table, amounts, counts)
    return RowValidator(table, decimal, notation.date_order)


def price_rows(validator: RowValidator) -> pd.DataFrame:
    """Return all rows of a price table as in `read_prices`; the validator marks rejected rows."""
    symbols, days = validator.symbols("symbol"), validator.days("date")
    validator.reject(symbols == "", "no symbol")
    _reject_non_sessions(validator, days)
    opens, highs, lows, closes = (
        validator.prices(name) for name in ("open", "high", "low", "close")
    )
    adjusted = validator.numbers("adj_close")
    volume = validator.numbers("volume", has_magnitudes=True)
    _reject_impossible_ranges(validator, highs, lows, closes)
    is_valid_adj_close = np.isnan(adjusted) | (
        (adjusted > MIN_ADJ_CLOSE) & (adjusted < ADJ_CLOSE_LIMIT)
    )
    validator.reject(~is_valid_adj_close, "adj_close {adj_close} is not a positive price")
    validator.reject(
        (volume < 0) | (volume >= 2.0**63), "volume {volume} is not a number of shares"
    )
    validator.reject_foreign_currency()
    keys = pd.DataFrame({"symbol": pd.factorize(symbols)[0], "date": days.astype(np.int64)})
    validator.reject(
        _is_missing_adj_close(keys["symbol"], adjusted, validator.valid_rows),
        "no adj_close, although {symbol} has it on other rows",
    )
    validator.reject_duplicates(keys, "{symbol} on {date}")
    unadjusted = np.isnan(adjusted) & validator.valid_rows
    if unadjusted.any():
        who = (
            f"for {join_names(symbols[unadjusted])}"
            if "adj_close" in validator.table.columns
            else "column"
        )
        validator.notes.append(f"no adj_close {who}: adj_close := close")
    return pd.DataFrame(
        {
            "symbol": symbols,
            "date": to_dates(days),
            "open": opens,
            "high": highs,
            "low": lows,
            "close": closes,
            "adj_close": np.where(unadjusted, closes, adjusted),
            "volume": (
                pd.Series(np.round(np.where(validator.valid_rows, volume, np.nan))).astype("Int64")
            ),
            "has_adj_close": ~unadjusted,
        }
    )


def _reject_impossible_ranges(
    validator: RowValidator, highs: FloatArray, lows: FloatArray, closes: FloatArray
) -> None:
    """Reject rows without a close, and rows with a close outside of low and high."""
    validator.reject(np.isnan(closes), "no close")
    validator.reject(highs < lows, "high {high} is below low {low}")
    slack = RANGE_TOLERANCE + 1e-6 * closes
    validator.reject(closes > highs + slack, "close {close} is above high {high}")
    validator.reject(closes < lows - slack, "close {close} is below low {low}")


def _reject_non_sessions(validator: RowValidator, days: DateArray) -> None:
    """Reject rows without a date, outside of the calendar, in the future, or on closed days."""
    first, ended = trading_calendar.FIRST_SESSION, trading_calendar.last_completed_session()
    validator.reject(np.isnat(days), "no date")
    validator.reject(
        days < np.datetime64(first), f"{{date}} is before {first}, the start of the calendar"
    )
    validator.reject(
        days > np.datetime64(ended),
        f"{{date}} is after {ended}, the last completed session",
    )
    sessions = trading_calendar.sessions_index().to_numpy("datetime64[D]")
    validator.reject(
        ~np.isin(days.astype("datetime64[D]"), sessions), "the exchange is closed on {date}"
    )


def _is_missing_adj_close(
    codes: "pd.Series[int]", adjusted: FloatArray, good: BoolArray
) -> BoolArray:
    """Return a mask of rows without adjusted close although a valid row of the symbol has one."""
    has = np.bincount(codes[good & ~np.isnan(adjusted)], minlength=len(codes)) > 0
    is_missing: BoolArray = np.isnan(adjusted) & has[codes]
    return is_missing


def read_profiles(
    path: Path, limits: Limits = DEFAULT_LIMITS, notation: Notation = INFERRED
) -> ParseResult:
    """Read profiles of companies and funds, one row per symbol.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet with symbol; optionally company name, asset type, sector, industry
        and beta.

    Returns
    -------
    ParseResult
        symbol, company_name (at most 200 characters, None if missing), is_etf, is_fund (boolean, NA
        without an asset type), sector (GICS name, None if missing or unknown: a note names the
        unknown), industry (at most 100 characters or None), beta (float64, the vendor's,
        dimensionless, NaN if missing).

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If the file is not a table of profiles, or has no valid row.
    """
    table = read_table(path, PROFILE_COLUMNS, required=("symbol",), limits=limits)
    validator = _validate(table, notation, amounts=("beta",))
    symbols, beta = validator.symbols("symbol"), validator.numbers("beta")
    validator.reject(symbols == "", "no symbol")
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
            }
        )
    )


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
    table = read_table(path, BENCHMARK_COLUMNS, required=required, limits=limits)
    sizes = ("market_cap", "num_constituents")
    validator = _validate(table, notation, amounts=("weight",), counts=sizes)
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
        [of for _, _, of in WEIGHT_SCALES],
        np.nan,
    )
    validator.reject(np.isnan(scale), "the valid weights of {date} sum to neither 1 nor 100")
    rescaled = validator.valid_rows & (np.abs(sums / scale - 1) > RESCALE_NOTE_TOLERANCE)
    for day, total in dict(
        zip(to_dates(days)[rescaled], (sums / scale)[rescaled], strict=True)
    ).items():
        validator.notes.append(f"the weights of {day} sum to {100 * total:.2f}%; rescaled to 100%")
    return sums
