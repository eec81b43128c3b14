"""Reading of files with daily returns of factors, also in the layout of Kenneth French's library.

A table is long (date, factor, return) or wide (a column of dates, and one per factor).
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.errors import DataQualityError
from riskmetrics.factor_sets import require_factor_name
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources.file_kinds import PRICE_KINDS, refuse_known_kind
from riskmetrics.sources.price_layouts import load_price_layouts
from riskmetrics.sources.row_validation import (
    INFERRED,
    Notation,
    ParseResult,
    RowValidator,
    to_dates,
    validate_table,
)
from riskmetrics.sources.table_headers import (
    HeaderChoice,
    choose_columns,
    header_key,
    missing_columns_error,
    widest_record,
)
from riskmetrics.sources.tabular_files import Table, read_columns

_LONG_COLUMNS = {
    "date": (),
    "factor": ("factor", "factorname"),
    "return": ("return", "factorreturn", "ret", "dailyreturn"),
}
_FRENCH_FACTORS = frozenset(
    {"mktrf", "smb", "hml", "rmw", "cma", "rf", "mom", "umd", "strev", "ltrev", "wml"}
)
"""Normalized headers of French's files, whose returns are in percent."""
_FRENCH_MISSING = (-99.99, -999.0)
MAX_TYPICAL_RETURN = 0.1
"""Root mean square of a factor's returns above which they are percent, not fractions."""


class _FactorHeaderChooser:
    """Recognizes the header of a long or a wide table of factor returns."""

    def choose(self, path: Path, records: Sequence[list[str]]) -> HeaderChoice | None:
        headers = records[0]
        keys = [header_key(header) for header in headers]
        if all(set(keys) & {*names} for names in _aliases().values()):
            return HeaderChoice(*choose_columns(path, headers, _aliases(), (*_LONG_COLUMNS,)))
        if len(headers) < 2 or keys[0] not in {*_aliases()["date"], ""}:
            return None
        names = [header.strip() for header in headers[1:]]
        if len({*names}) < len(names) or not all(map(_is_factor_name, names)):
            return None
        return HeaderChoice({"date": 0} | {name: at for at, name in enumerate(names, 1)}, [])

    def check_above(
        self, path: Path, records: Sequence[list[str]], header: list[str], choice: HeaderChoice
    ) -> None:
        """Accept any lines above the header."""

    def refusal(self, path: Path, records: Sequence[list[str]], separator: str) -> DataQualityError:
        refuse_known_kind(path, records, "a table of factor returns", PRICE_KINDS)
        return missing_columns_error(
            path, widest_record(records), _aliases(), (*_LONG_COLUMNS,), separator
        )


def _aliases() -> dict[str, tuple[str, ...]]:
    return _LONG_COLUMNS | {"date": load_price_layouts().columns["date"]}


def _is_factor_name(text: str) -> bool:
    try:
        require_factor_name(text)
    except ValueError:
        return False
    return bool(re.search(r"[A-Za-z]", text))


def read_factors(
    path: Path,
    limits: Limits = DEFAULT_LIMITS,
    notation: Notation = INFERRED,
    *,
    is_percent: bool = False,
) -> ParseResult:
    """Read daily returns of factors.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet: date, factor and return; or date and one column per factor, such as
        the daily files of Kenneth French's library. Lines of text above and below are not read.
    is_percent : bool
        Whether returns are in percent; those of French's files are.

    Returns
    -------
    ParseResult
        factor, day (datetime.date, a session), factor_return (fraction). Days before the calendar,
        and missing returns, are left out; a note has their number.

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If the file is no table of daily returns, has no valid row, or returns that are too large
        for fractions.
    """
    table = _drop_text_lines(read_columns(path, _FactorHeaderChooser(), limits))
    is_long = "factor" in table.columns
    names = ["return"] if is_long else [name for name in table.columns if name != "date"]
    is_french = not is_long and all(header_key(name) in _FRENCH_FACTORS for name in names)
    validator = validate_table(table, notation, names)
    days = validator.days("date")
    columns = [validator.numbers(name) for name in names]
    factors = [validator.text("factor")] if is_long else [pd.Series(name, days) for name in names]
    if is_long:
        known = {name: _is_factor_name(name) for name in factors[0].unique()}
        validator.reject(~factors[0].map(known).astype(bool), "'{factor}' is no name of a factor")
        keys = pd.DataFrame({"factor": factors[0], "day": days})
        validator.reject(np.isnan(columns[0]), "no return")
    else:
        keys = pd.DataFrame({"day": days})
    scale = 100.0 if is_percent or is_french else 1.0
    columns = [np.where(np.isin(values, _FRENCH_MISSING), np.nan, values) for values in columns]
    columns = [values / scale for values in columns]
    _require_fractions(path, columns)
    is_early = _validate_days(validator, days)
    for values in columns:
        validator.reject(np.abs(values) >= 1, "a return of 100% or more")
    validator.reject_duplicates(keys, "{factor} on {date}" if is_long else "{date}")
    return _to_rows(validator, factors, days, columns, is_early)


def _drop_text_lines(table: Table) -> Table:
    """Drop lines of text and of years below the daily returns; refuse monthly returns."""
    dates = table.text("date")
    if len(dates) and re.fullmatch(r"\d{6}", dates.iloc[0]):
        raise DataQualityError(
            f"{table.path} has monthly returns: its first date is {dates.iloc[0]}. Import the file"
            " of daily returns"
        )
    is_day = dates.str.contains(r"\d", regex=True) & ~dates.str.fullmatch(r"\d{4}")
    rejected = [row for row in table.rejected if re.match(r"\W*\d", row.raw_row)]
    n_dropped = int((~is_day).sum()) + len(table.rejected) - len(rejected)
    if not n_dropped:
        return table
    table.notes.append(f"lines of text or annual returns are not read: {n_dropped}")
    return table.keep_rows(is_day.to_numpy(bool))._replace(rejected=rejected)


def _validate_days(validator: RowValidator, days: DateArray) -> BoolArray:
    """Reject rows without a completed session, and return which are before the calendar."""
    sessions = trading_calendar.sessions_index().to_numpy("datetime64[D]")
    last = trading_calendar.last_completed_session()
    is_early: BoolArray = days < sessions[0]
    validator.reject(np.isnat(days), "no date")
    validator.reject(
        days > np.datetime64(last), f"{{date}} is after {last}, the last completed session"
    )
    validator.reject(
        ~is_early & ~np.isin(days, sessions), "{date} is not a session: the exchange is closed"
    )
    return is_early


def _require_fractions(path: Path, columns: Sequence[FloatArray]) -> None:
    """Raise DataQualityError if the returns of a factor are too large for fractions."""
    for values in columns:
        known = values[np.isfinite(values)]
        typical = float(np.sqrt(np.mean(known**2))) if len(known) else 0.0
        if typical > MAX_TYPICAL_RETURN:
            raise DataQualityError(
                f"{path} has returns that are typically {typical:.0%} a day: they are in percent,"
                " or not daily. Pass --percent if they are in percent"
            )


def _to_rows(
    validator: RowValidator,
    factors: Sequence["pd.Series[str]"],
    days: DateArray,
    columns: Sequence[FloatArray],
    is_early: BoolArray,
) -> ParseResult:
    """Return the valid returns, one row per factor and day."""
    result = validator.result(pd.DataFrame({"place": np.arange(len(days))}))
    place = result.rows["place"].to_numpy()
    early = is_early[place]
    if early.any():
        first = trading_calendar.FIRST_SESSION
        result.notes.append(f"days before {first}, where the calendar begins: {early.sum():,}")
    place = place[~early]
    parts = [
        pd.DataFrame(
            {
                "factor": names.to_numpy(object)[place],
                "day": to_dates(days[place]),
                "factor_return": values[place],
            }
        )
        for names, values in zip(factors, columns, strict=True)
    ]
    rows = pd.concat(parts, ignore_index=True)
    is_missing = rows["factor_return"].isna()
    if is_missing.any():
        result.notes.append(f"missing returns are left out: {is_missing.sum():,}")
    rows = rows[~is_missing].reset_index(drop=True)
    if rows.empty:
        raise DataQualityError(f"{validator.table.path} has no return since the calendar begins")
    return result._replace(rows=rows)
