"""Users' files: prices, company profiles and benchmark weights, read strictly.

What can be understood is taken, in the file's order; every other row is handed back with its line,
its text and the reason. Nothing here knows the database.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import gics, trading_calendar
from riskmetrics.limits import DEFAULT, Limits
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray
from riskmetrics.sources.layouts import SYMBOL
from riskmetrics.sources.review import WHOLE, WORTH_SAYING, Parsed, Review, dates_of, enumerate_some, or_none
from riskmetrics.sources.tables import RejectedRow, read_table

__all__ = ["Parsed", "RejectedRow", "read_benchmark", "read_prices", "read_profiles"]

_DATE = ("date", "day", "tradingday", "tradingdate", "asof", "asofdate", "timestamp", "datetime")

PRICE_COLUMNS = {
    "symbol": SYMBOL,
    "date": _DATE,
    "open": ("open", "openprice", "openingprice"),
    "high": ("high", "highprice"),
    "low": ("low", "lowprice"),
    "close": ("close", "closeprice", "closingprice", "closelast", "price"),
    "adj_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjcloseprice", "adjustedcloseprice", "adjprice"),
    "volume": ("volume", "vol", "tradedvolume"),
    "currency": ("currency",),
}
PROFILE_COLUMNS = {
    "symbol": SYMBOL,
    "company_name": ("companyname", "name", "company", "securityname", "description"),
    "asset_type": ("assettype", "type", "securitytype", "assetclass"),
    "sector": ("gicssector", "gicssectorname", "gics", "sector", "sectorname", "fmpsector"),
    "industry": ("industry", "gicsindustry", "industryname"),
    "beta": ("beta", "beta1y", "providerbeta"),
}
BENCHMARK_COLUMNS = {
    "date": _DATE,
    "sector": PROFILE_COLUMNS["sector"],
    "weight": ("weight", "weightpctnormalised", "weightpctnormalized", "weightpct", "weightpercent", "weightpercentage", "weightpctoffund"),
    "market_cap": ("marketcap", "marketcapitalization"),
    "num_constituents": ("numconstituents", "nconstituents", "constituents"),
}

BETA_LIMIT = 1e4 - 1
"""What a database's NUMERIC(8, 4) holds, rounded."""
LEAST_ADJUSTED, MOST_ADJUSTED = 1e-12, 1e15
"""Beyond any price: decades of dividends, and reverse splits year after year, make adjusted closes that none of their days had."""
ROUNDING = 0.01
"""How far, in dollars, a close may lie outside its day's range: two prices, each rounded to cents, differ by that."""


def read_prices(path: Path, limits: Limits = DEFAULT) -> Parsed:
    """Read daily prices, one row per symbol and exchange session.

    Parameters
    ----------
    path : Path
        CSV or Parquet with symbol, date and close; open, high, low, adj_close and volume may be there.

    Returns
    -------
    Parsed
        symbol, date (datetime.date), open, high, low, close, adj_close (float64, dollars; NaN where
        absent, adj_close never is), volume (Int64, shares, rounded; NA where absent), has_adj_close
        (bool: False where adj_close is the close because the file has none).

    Raises
    ------
    UsageError
        If there is no such file.
    DataQualityError
        If it is not a table of prices or has no good row.

    Notes
    -----
    A symbol without any adj_close gets adj_close := close, and a note says so. A symbol that has it on some
    rows loses the others: mixing the two would put a false return where they meet.
    """
    review = Review(read_table(path, PRICE_COLUMNS, required=("symbol", "date", "close"), limits=limits))
    return review.parsed(price_rows(review))


def price_rows(review: Review) -> pd.DataFrame:
    """Return every row of a table of prices as `read_prices` says; the review knows which are not good."""
    symbols, days = review.symbols("symbol"), review.days("date")
    review.reject(symbols == "", "no symbol")
    _reject_days_without_session(review, days)
    opens, highs, lows, closes = (review.prices(name) for name in ("open", "high", "low", "close"))
    adjusted, volume = review.numbers("adj_close"), review.numbers("volume")
    _reject_impossible_ranges(review, highs, lows, closes)
    believable = np.isnan(adjusted) | ((adjusted > LEAST_ADJUSTED) & (adjusted < MOST_ADJUSTED))
    review.reject(~believable, "adj_close {adj_close} is not a price above zero")
    review.reject((volume < 0) | (volume >= 2.0**63), "volume {volume} is not a number of shares")
    review.reject_foreign_currency()
    keys = pd.DataFrame({"symbol": pd.factorize(symbols)[0], "date": days.astype(np.int64)})
    review.reject(_lacks_what_its_symbol_has(keys["symbol"], adjusted, review.good), "no adj_close, which {symbol} has on other rows")
    review.reject_repeated(keys, "{symbol} on {date}")
    unadjusted = np.isnan(adjusted) & review.good
    if unadjusted.any():
        who = f"for {enumerate_some(symbols[unadjusted])}" if "adj_close" in review.table.columns else "column"
        review.notes.append(f"no adj_close {who}: adj_close := close")
    return pd.DataFrame(
        {
            "symbol": symbols,
            "date": dates_of(days),
            "open": opens,
            "high": highs,
            "low": lows,
            "close": closes,
            "adj_close": np.where(unadjusted, closes, adjusted),
            "volume": pd.Series(np.round(np.where(review.good, volume, np.nan))).astype("Int64"),
            "has_adj_close": ~unadjusted,
        }
    )


def _reject_impossible_ranges(review: Review, highs: FloatArray, lows: FloatArray, closes: FloatArray) -> None:
    """Reject rows without a close, and those whose prices contradict each other beyond rounding."""
    review.reject(np.isnan(closes), "no close")
    review.reject(highs < lows, "high {high} is below low {low}")
    slack = ROUNDING + 1e-6 * closes
    review.reject(closes > highs + slack, "close {close} is above high {high}")
    review.reject(closes < lows - slack, "close {close} is below low {low}")


def _reject_days_without_session(review: Review, days: DateArray) -> None:
    """Reject what cannot be an end-of-day price: no date, one before the calendar, a session to come, a closed day."""
    first, ended = trading_calendar.FIRST_SESSION, trading_calendar.last_ended()
    review.reject(np.isnat(days), "no date")
    review.reject(days < np.datetime64(first), f"{{date}} lies before {first}, where the calendar starts")
    review.reject(days > np.datetime64(ended), f"{{date}} lies after {ended}, the latest session that has closed")
    sessions = trading_calendar.sessions_index().to_numpy("datetime64[D]")
    review.reject(~np.isin(days.astype("datetime64[D]"), sessions), "the exchange is closed on {date}")


def _lacks_what_its_symbol_has(codes: "pd.Series[int]", adjusted: FloatArray, good: BoolArray) -> BoolArray:
    """Where a row has no adjusted close although a good row of its symbol has one."""
    has = np.bincount(codes[good & ~np.isnan(adjusted)], minlength=len(codes)) > 0
    lacks: BoolArray = np.isnan(adjusted) & has[codes]
    return lacks


def read_profiles(path: Path, limits: Limits = DEFAULT) -> Parsed:
    """Read what companies and funds are, one row per symbol.

    Parameters
    ----------
    path : Path
        CSV or Parquet with symbol; company name, asset type, sector, industry and beta may be there.

    Returns
    -------
    Parsed
        symbol, company_name (at most 200 characters, None if missing), is_etf, is_fund (boolean, NA without an
        asset type), sector (GICS name, None if missing or unknown: a note names the unknown), industry (at most 100
        characters or None), beta (float64, the vendor's, dimensionless, NaN if missing).

    Raises
    ------
    UsageError
        If there is no such file.
    DataQualityError
        If it is not a table of profiles or has no good row.
    """
    review = Review(read_table(path, PROFILE_COLUMNS, required=("symbol",), limits=limits))
    symbols, beta = review.symbols("symbol"), review.numbers("beta")
    review.reject(symbols == "", "no symbol")
    review.reject(np.abs(beta) >= BETA_LIMIT, "beta {beta} is too large")
    review.reject_unprintable("company_name", "industry")
    review.reject_repeated(symbols.to_frame(), "{symbol}")
    given, kind = review.text("sector"), review.text("asset_type").str.upper()
    sectors = _gics_sectors(given)
    unknown = (given != "") & sectors.isna() & review.good
    if unknown.any():
        review.notes.append(f"sectors that are not GICS, kept as unclassified: {enumerate_some(given[unknown])}")
    etf = kind.str.contains(r"\bETFS?\b|EXCHANGE.TRADED", regex=True)
    fund = kind.str.contains("FUND") & ~etf
    return review.parsed(
        pd.DataFrame(
            {
                "symbol": symbols,
                "company_name": or_none(review.text("company_name").str.slice(0, 200)),
                "is_etf": etf.astype("boolean").mask(kind == ""),
                "is_fund": fund.astype("boolean").mask(kind == ""),
                "sector": sectors,
                "industry": or_none(review.text("industry").str.slice(0, 100)),
                "beta": beta,
            }
        )
    )


def _gics_sectors(given: "pd.Series[str]") -> "pd.Series[Any]":
    """GICS names, None where the given one is missing or unknown."""
    return pd.Series([gics.sector(name) for name in given], dtype=object)


def read_benchmark(path: Path, limits: Limits = DEFAULT) -> Parsed:
    """Read a benchmark's sector weights, one row per date and GICS sector.

    Parameters
    ----------
    path : Path
        CSV or Parquet with date, sector and weight, in fractions or in per cent: what a date's weights sum to tells which; the sector's
        market_cap (dollars) and num_constituents may be there.

    Returns
    -------
    Parsed
        date (datetime.date), sector (GICS name), weight (float64, fraction; they sum to 1 on each date, and a
        note says where they had to be rescaled), market_cap (float64) and num_constituents (Int64), missing where absent.

    Raises
    ------
    UsageError
        If there is no such file.
    DataQualityError
        If it is not a table of weights or has no good row.
    """
    review = Review(read_table(path, BENCHMARK_COLUMNS, required=("date", "sector", "weight"), limits=limits))
    days, given, weights = review.days("date"), review.text("sector"), review.numbers("weight")
    sectors = _gics_sectors(given)
    review.reject(np.isnat(days), "no date")
    review.reject(days > np.datetime64(trading_calendar.last_ended()), "{date} lies in the future")
    review.reject(sectors.isna(), "sector '{sector}' is not a GICS sector")
    review.reject(np.isnan(weights), "no weight")
    review.reject((weights < 0) | np.isinf(weights), "weight {weight} is not a share of a benchmark")
    caps, counts = review.numbers("market_cap"), review.numbers("num_constituents")
    review.reject((caps < 0) | np.isinf(caps), "market_cap {market_cap} is not an amount")
    review.reject((counts < 0) | (counts % 1 != 0) & ~np.isnan(counts), "num_constituents {num_constituents} is not a number of stocks")
    review.reject_repeated(pd.DataFrame({"date": days, "sector": sectors}), "{sector} on {date}")
    sums = pd.Series(np.where(review.good, weights, 0.0)).groupby(days).transform("sum").to_numpy()
    whole = np.select([(sums > low) & (sums < high) for low, high, _ in WHOLE], [of for _, _, of in WHOLE], np.nan)
    review.reject(np.isnan(whole), "the good weights of {date} sum to neither 1 nor 100")
    rescaled = review.good & (np.abs(sums / whole - 1) > WORTH_SAYING)
    for day, total in dict(zip(dates_of(days)[rescaled], (sums / whole)[rescaled], strict=True)).items():
        review.notes.append(f"the weights of {day} sum to {100 * total:.2f} %: rescaled to 100 %")
    whole_counts = pd.array(np.where(review.good, counts, np.nan), dtype="Int64")
    rows = {
        "date": dates_of(days),
        "sector": sectors,
        "weight": weights / np.where(review.good, sums, np.nan),  # of a date without a good row: 0
        "market_cap": caps,
        "num_constituents": whole_counts,
    }
    return review.parsed(pd.DataFrame(rows))
