"""Strict reading of files of daily prices, in the layouts of `price_layouts`."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics import trading_calendar
from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources import cells
from riskmetrics.sources.asset_classes import asset_class
from riskmetrics.sources.identifier_forms import describe_identifier, is_foreign_isin
from riskmetrics.sources.intraday_prices import refuse_intraday
from riskmetrics.sources.name_forms import describe_text
from riskmetrics.sources.price_adjustments import PriceArrays, adjust_prices
from riskmetrics.sources.price_tables import read_price_table
from riskmetrics.sources.row_validation import (
    INFERRED,
    MAX_RESPELLINGS_NAMED,
    MIN_PRICE,
    PRICE_LIMIT,
    Notation,
    ParseResult,
    RowValidator,
    join_names,
    to_dates,
    validate_table,
)
from riskmetrics.sources.security_identifiers import (
    SymbolLookup,
    look_up_nothing,
    resolve_identifiers,
)
from riskmetrics.sources.stated_currency import stated_currency
from riskmetrics.sources.symbol_forms import (
    describe_lone_codes,
    is_foreign_exchange,
    parse_symbol_form,
    parse_symbol_forms,
)
from riskmetrics.sources.tabular_files import RejectedRow, Table
from riskmetrics.symbols import parse_option

MIN_ADJ_CLOSE, ADJ_CLOSE_LIMIT = 1e-12, 1e15
"""Range of adjusted closes, exclusive; wider than that of prices: adjustments accumulate."""
UNADJUSTED_NOTE = "the close is used, so dividends count as price falls"
"""What follows from prices without adjusted closes."""
RANGE_TOLERANCE = 0.01
"""Dollars that a close may lie outside of low and high, because each is rounded to cents."""

_VOLUME_SCALES = {"volume_thousands": 1e3, "volume_millions": 1e6}
_AMOUNTS = ("open", "high", "low", "close", "adj_close", "midpoint", "dividend")
_LISTING = re.compile(r"\.(?!(?:PK|OB|NYB|CBT|CME|CMX|NYM)$)[A-Z]{1,4}$")
"""Code of a listing at the end of a symbol, except those of over-the-counter and futures markets
of the United States."""
_MIN_WEEK_SESSIONS, _MAX_WEEK_SESSIONS = 4, 5
"""Sessions of a week, with and without a holiday."""
_MIN_PERIODS = 3
"""Number of gaps between days from which on the period of prices is recognized."""
_UNLISTED_CLASSES = ("crypto", "option", "future")
"""Classes whose prices are not those of shares; bonds can be those that a listed fund holds."""
_EVENT = r"(?i)(?:cash |special |stock |reverse |ordinary )*(?:dividends?|distributions?|splits?)"
"""Kind of a row that states what was paid, or a ratio, instead of a price."""
_SEPARATORS = ',;|\t" '
_DAILY_PERIODS = ("", "D", "1D", "DAY", "1DAY", "DAILY")

REPEATED_ROW = "duplicate row; the one of an earlier file is kept"
"""Reason of a rejected row of which nothing is missing."""


def read_prices(
    path: Path,
    limits: Limits = DEFAULT_LIMITS,
    notation: Notation = INFERRED,
    symbol: str | None = None,
    look_up: SymbolLookup = look_up_nothing,
) -> ParseResult:
    """Read daily prices, one row per symbol and exchange session.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet with date and close, and the symbol in a column, in the headers of the
        closes or in the name of the file; optionally open, high, low, adj_close, volume, splits and
        dividends.
    limits : Limits
        Limits of the file.
    notation : Notation
        Decimal mark and order of dates, if not inferred.
    symbol : str, optional
        Symbol of a file without symbols.
    look_up : callable, optional
        Returns the known symbols of ISINs and CUSIPs in the place of symbols.

    Returns
    -------
    ParseResult
        symbol, date (datetime.date), open, high, low, close, adj_close (float64, dollars; NaN where
        absent, except adj_close), volume (Int64, shares, rounded; NA where absent), has_adj_close
        (bool: False where adj_close is the close because the file has none).

    Raises
    ------
    UsageError
        If the file does not exist, its decimal mark is ambiguous, or its symbol unknown.
    DataQualityError
        If the file is not a table of prices, or has no valid row.

    Notes
    -----
    The adjusted close of a symbol without any is its close, and a note says so. If a symbol has it
    on some rows only, the other rows are rejected: a mixture would give false returns. Raw closes
    are divided by the splits of the file (`price_adjustments`).
    """
    table = _strip_decoration(read_price_table(path, symbol, limits), look_up)
    refuse_intraday(table, notation)
    validator = validate_table(table, notation, _AMOUNTS, ("volume", *_VOLUME_SCALES))
    if "period" in table.columns:
        periods = validator.text("period").str.upper()
        validator.reject(
            ~periods.isin(_DAILY_PERIODS), "period {period}: only daily prices are supported"
        )
    _reject_unusable_symbols(validator)
    classes = validator.text("investment_class").map(asset_class)
    validator.reject(
        classes.isin(_UNLISTED_CLASSES),
        "{investment_class}: only prices of shares and funds are supported",
    )
    is_event = validator.text("investment_class").str.fullmatch(_EVENT)
    validator.reject(is_event, "{investment_class}: the row states no price")
    parsed = validator.result(price_rows(validator))
    _refuse_foreign_footer(table, parsed.rejected)
    _refuse_longer_periods(path, parsed.rows)
    return parsed


def _strip_decoration(table: Table, look_up: SymbolLookup) -> Table:
    """Return a table with symbols, such as KO for NYSE:KO, and for its ISIN if that is known.

    The column ``form_problem`` has the problem of a decorated symbol that is no US listing.
    """
    texts = pc.fill_null(cells.trim_text(table.columns["symbol"]), "")
    distinct = pc.unique(texts).to_pylist()
    known = resolve_identifiers(distinct, {}, look_up)
    parsed = parse_symbol_forms(known.get(text, text) for text in distinct)
    forms = {text: parsed[known.get(text, text)] for text in distinct}
    decorated = {
        text: form for text, form in forms.items() if text != form.symbol or describe_text(text)
    }
    lone = describe_lone_codes(distinct)
    if not decorated:
        return table._replace(notes=[*table.notes, *lone[:MAX_RESPELLINGS_NAMED]])
    notes = [
        f"{text} is read as {form.symbol}" for text, form in decorated.items() if not form.problem
    ]
    notes += lone
    added = {
        "symbol": {text: form.symbol for text, form in forms.items()},
        "form_problem": {text: form.problem for text, form in decorated.items()},
    }
    columns = {
        name: pa.chunked_array([pa.array(cells.map_unique(texts, found.get), pa.string())])
        for name, found in added.items()
    }
    return table._replace(
        columns={**table.columns, **columns}, notes=[*table.notes, *notes[:MAX_RESPELLINGS_NAMED]]
    )


def _refuse_foreign_footer(table: Table, rejected: list[RejectedRow]) -> None:
    """Raise DataQualityError if a line of text below the prices states another currency."""
    lines = ([row.raw_row.strip(_SEPARATORS)] for row in rejected)
    if "currency" not in table.columns and (code := stated_currency(lines)):
        raise DataQualityError(
            f"{table.path} has prices in {code}, as a line below them states: only USD is supported"
        )


def _reject_unusable_symbols(validator: RowValidator) -> None:
    """Reject rows of identifiers, and of foreign listings without a currency."""
    validator.reject(validator.text("form_problem") != "", "{form_problem}")
    codes, symbols = pd.factorize(validator.symbols("symbol"))
    identifiers = [describe_identifier(symbol) for symbol in symbols]
    for kind in {*identifiers} - {""}:
        is_kind = np.array([one == kind for one in identifiers], dtype=bool)[codes]
        validator.reject(is_kind, f"{{symbol}} is {kind}")
    is_abroad = np.array(
        [bool(_LISTING.search(one) or parse_symbol_form(one).listing) for one in symbols],
        dtype=bool,
    )[codes]
    for name, is_foreign in (("exchange", is_foreign_exchange), ("identifier", is_foreign_isin)):
        if name in validator.table.columns:
            texts = pc.fill_null(cells.trim_text(validator.table.columns[name]), "")
            is_abroad |= cells.map_unique(texts, is_foreign, "bool")
    if is_abroad.any():
        validator.reject(
            is_abroad & (validator.text("currency") == "").to_numpy(bool),
            "{symbol} is listed outside the United States, and its currency is unknown: only USD is"
            " supported. If the prices are in USD, add a column currency",
        )


def _refuse_longer_periods(path: Path, rows: pd.DataFrame) -> None:
    """Raise DataQualityError if all days of each symbol are a week or more apart."""
    sessions = trading_calendar.sessions_index().to_numpy("datetime64[D]")
    places = np.searchsorted(sessions, rows["date"].to_numpy("datetime64[D]"))
    order = np.lexsort((places, rows["symbol"].to_numpy(str)))
    gaps = np.diff(places[order])[np.diff(pd.factorize(rows["symbol"])[0][order]) == 0]
    if len(gaps) >= _MIN_PERIODS and gaps.min() >= _MIN_WEEK_SESSIONS:
        period = "month" if np.median(gaps) > 2 * _MAX_WEEK_SESSIONS else "week"
        raise DataQualityError(
            f"{path} has one price per {period}. Import daily prices: returns, volatility and beta"
            " are calculated from them"
        )


def reject_repeated_rows(files: Mapping[Path, ParseResult]) -> dict[Path, ParseResult]:
    """Reject rows for a symbol and day of an earlier file, and those that would mix closes.

    A symbol whose closes are adjusted for dividends in one file only would have false returns where
    the files meet.
    """
    seen: set[tuple[str, date]] = set()
    is_adjusted: dict[str, bool] = {}
    kept = {}
    for path, parsed in files.items():
        rows = parsed.rows
        keys = list(zip(rows["symbol"], rows["date"], strict=True))
        repeated = np.array([key in seen for key in keys], dtype=bool)
        for symbol, adjusted in rows.groupby("symbol", sort=False)["has_adj_close"].first().items():
            is_adjusted.setdefault(str(symbol), bool(adjusted))
        mixed = (rows["symbol"].map(is_adjusted) != rows["has_adj_close"]).to_numpy(bool)
        rejected = [
            *_reject_rows(rows[repeated], REPEATED_ROW),
            *_reject_rows(
                rows[mixed & ~repeated],
                "adj_close is adjusted in only one of this and an earlier file",
            ),
        ]
        seen.update(key for key, is_bad in zip(keys, repeated | mixed, strict=True) if not is_bad)
        kept[path] = parsed._replace(
            rows=rows[~(repeated | mixed)], rejected=[*parsed.rejected, *rejected]
        )
    return kept


def _reject_rows(rows: pd.DataFrame, reason: str) -> list[RejectedRow]:
    texts = rows.drop(columns="has_adj_close").to_csv(index=False, header=False).splitlines()
    return [RejectedRow(None, text, reason) for text in texts]


def price_rows(validator: RowValidator) -> pd.DataFrame:
    """Return all rows of a price table as in `read_prices`; the validator marks rejected rows."""
    symbols, days = validator.symbols("symbol"), validator.days("date")
    validator.reject(symbols == "", "no symbol")
    _reject_non_sessions(validator, days)
    opens, highs, lows, closes = (
        validator.prices(name) for name in ("open", "high", "low", "close")
    )
    closes = _fill_midpoints(validator, closes)
    adjusted = validator.numbers("adj_close")
    volume = _read_volumes(validator)
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
    prices = adjust_prices(
        validator, symbols, days, PriceArrays(opens, highs, lows, closes, adjusted, volume)
    )
    _reject_out_of_range(validator, prices)
    unadjusted = np.isnan(prices.adj_close) & validator.valid_rows
    if unadjusted.any():
        what = (
            f"no adjusted close for {join_names(symbols[unadjusted])}"
            if "adj_close" in validator.table.columns
            else "no column of adjusted closes"
        )
        validator.notes.append(f"{what}: {UNADJUSTED_NOTE}")
    _note_options(validator, symbols)
    whole_volume = np.round(np.where(validator.valid_rows, prices.volume, np.nan))
    return pd.DataFrame(
        {
            "symbol": symbols,
            "date": to_dates(days),
            "open": prices.open,
            "high": prices.high,
            "low": prices.low,
            "close": prices.close,
            "adj_close": np.where(unadjusted, prices.close, prices.adj_close),
            "volume": pd.Series(whole_volume).astype("Int64"),
            "has_adj_close": ~unadjusted,
        }
    )


def _note_options(validator: RowValidator, symbols: "pd.Series[str]") -> None:
    """Note symbols of options: their values are those that are stated with the holdings."""
    distinct = symbols[validator.valid_rows].drop_duplicates()
    options = distinct[[parse_option(one) is not None for one in distinct]]
    if len(options):
        validator.notes.append(
            f"closes of options are stored, but do not value holdings: {join_names(options)}. State"
            " the prices of options with the holdings"
        )


def _read_volumes(validator: RowValidator) -> FloatArray:
    """Return volumes in shares; the header of a column may state thousands or millions."""
    volume = validator.numbers("volume", has_magnitudes=True)
    for name, factor in _VOLUME_SCALES.items():
        volume = np.where(np.isnan(volume), validator.numbers(name) * factor, volume)
    return volume


def _fill_midpoints(validator: RowValidator, closes: FloatArray) -> FloatArray:
    """Return closes with the prices of CRSP, where a minus marks the midpoint of bid and ask."""
    if "midpoint" not in validator.table.columns:
        return closes
    signed = validator.numbers("midpoint")
    prices = np.abs(signed)
    is_price = (prices >= MIN_PRICE) & (prices < PRICE_LIMIT)
    validator.reject(~np.isnan(prices) & ~is_price, "price {midpoint} is not a price")
    prices = np.where(is_price, prices, np.nan)
    if is_midpoint := np.count_nonzero((signed < 0) & validator.valid_rows):
        validator.notes.append(f"closes that are midpoints of bid and ask: {is_midpoint:,}")
    return np.where(np.isnan(closes), prices, closes)


def _reject_out_of_range(validator: RowValidator, prices: PriceArrays) -> None:
    """Reject rows whose prices or volume leave their range by the adjustment."""
    for values in (prices.open, prices.high, prices.low, prices.close):
        validator.reject(
            (values < MIN_PRICE) | (values >= PRICE_LIMIT),
            "the prices, divided by later splits, are out of range (0.0001 to 99,999,999)",
        )
    validator.reject(
        prices.volume >= 2.0**63, "volume {volume}, times later splits, is not a number of shares"
    )


def _reject_impossible_ranges(
    validator: RowValidator, highs: FloatArray, lows: FloatArray, closes: FloatArray
) -> None:
    """Reject rows without a close, and rows with a close outside of low and high."""
    validator.reject(np.isnan(closes), "no close")
    validator.reject(highs < lows, "high {high} is below low {low}")
    slack = RANGE_TOLERANCE + 1e-6 * closes
    validator.reject(closes > highs + slack, "close {close} is above high {high}")
    validator.reject(closes + slack < lows, "close {close} is below low {low}")


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
