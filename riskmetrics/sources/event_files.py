"""Reading of calendars of events, such as days of earnings reports."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.errors import DataQualityError
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources.file_kinds import KindChooser
from riskmetrics.sources.layouts import SYMBOL_HEADERS
from riskmetrics.sources.row_validation import (
    INFERRED,
    Notation,
    ParseResult,
    to_dates,
    validate_table,
)
from riskmetrics.sources.tabular_files import read_columns

EVENT_COLUMNS = {
    "symbol": SYMBOL_HEADERS,
    "date": (
        *("date", "day", "eventdate", "earningsdate", "earnings", "reportdate"),
        *("reporteddate", "reportingdate", "earningsreportdate", "nextearnings"),
        *("nextearningsdate", "nextreport", "nextreportdate", "startdatetime"),
    ),
    "known_on": ("knownon", "known", "announcedon", "announced"),
}

MAX_EVENTS_PER_YEAR = 52
"""Maximum of events of a symbol in a calendar year: one a week."""


def read_events(
    path: Path, limits: Limits = DEFAULT_LIMITS, notation: Notation = INFERRED
) -> ParseResult:
    """Read a calendar of events, one row per symbol and day.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet with symbol and date; optionally known_on, the day on which the date
        became known.

    Returns
    -------
    ParseResult
        symbol, day (datetime.date, past or to come) and known_on (datetime.date, None where
        missing).

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If the file is not a calendar of events, or has no valid row.
    """
    required = ("symbol", "date")
    chooser = KindChooser(EVENT_COLUMNS, required, "a calendar of events", ("known_on",))
    table = read_columns(path, chooser, limits)
    validator = validate_table(table, notation, ())
    symbols = validator.symbols("symbol")
    days, known = validator.days("date"), validator.days("known_on")
    first, last = trading_calendar.FIRST_SESSION, trading_calendar.calendar_end()
    validator.reject(symbols == "", "no symbol")
    validator.reject(np.isnat(days), "no date")
    validator.reject(
        (days < np.datetime64(first)) | (days > np.datetime64(last)),
        f"{{date}} is outside the calendar ({first} to {last})",
    )
    validator.reject(known > np.datetime64(date.today()), "known_on {known_on} is in the future")
    keys = pd.DataFrame({"symbol": symbols, "day": days})
    validator.reject_duplicates(keys, "{symbol} on {date}")
    _require_calendar(path, keys[validator.valid_rows])
    return validator.result(keys.assign(day=to_dates(days), known_on=to_dates(known)))


def _require_calendar(path: Path, keys: pd.DataFrame) -> None:
    """Raise DataQualityError if a symbol has so many days that they are prices or trades."""
    counts = keys.groupby(["symbol", keys["day"].dt.year]).size()
    if len(counts) and counts.max() > MAX_EVENTS_PER_YEAR:
        largest = int(counts.to_numpy().argmax())
        symbol, year = (counts.index.get_level_values(level)[largest] for level in (0, 1))
        raise DataQualityError(
            f"{path} has {counts.max()} days of {symbol} in {year}: it is no calendar of events,"
            f" which has at most {MAX_EVENTS_PER_YEAR} a year"
        )
