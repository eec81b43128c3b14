"""Tables of prices in any shape, as tables with one row per symbol and day.

A table is long (with a column of symbols), of a single symbol, which the file is named after, or
wide (`wide_price_tables`).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.metrics._typing import BoolArray
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources.column_contents import find_columns_by_content, find_ticker_column
from riskmetrics.sources.file_kinds import (
    OTHER_KIND_REMEDY,
    PRICE_KINDS,
    FileKind,
    classify_lines,
    classify_table,
    require_kind,
)
from riskmetrics.sources.holdings_columns import (
    header_currency,
    strip_unit,
    strip_units,
)
from riskmetrics.sources.price_layouts import describe_vendor, load_price_layouts
from riskmetrics.sources.price_titles import names_other_quantity
from riskmetrics.sources.stated_currency import (
    has_dollar_headers,
    require_full_amounts,
    stated_currency,
)
from riskmetrics.sources.table_headers import (
    HeaderAliases,
    HeaderChoice,
    choose_columns,
    describe_columns,
    header_key,
    missing_columns_error,
    widest_record,
)
from riskmetrics.sources.table_kinds import DATE
from riskmetrics.sources.tabular_files import Table, read_columns
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary
from riskmetrics.sources.wide_price_tables import (
    MARK,
    NO_SYMBOLS,
    choose_two_levels,
    choose_wide,
    lengthen,
    wide_error,
)
from riskmetrics.sources.wide_price_values import refuse_other_values
from riskmetrics.symbols import normalize_symbol
from riskmetrics.text import truncate

_REQUIRED = ("date", "close")
_PRICES = ("open", "high", "low", "close", "adj_close")
_TRADE_HEADERS = frozenset(
    {
        "quantity",
        "qty",
        "action",
        "transactiontype",
        "tradetype",
        "buysell",
        "commission",
        "orderid",
    }
)
"""Headers, normalized, that no table of prices has."""
_MAX_TITLE_WORDS = 8
"""Words of the longest title; a longer line is a remark."""
_MAX_QUOTED_CHARS = 100
_LETTERS = {"t": "time", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
_AMOUNT = re.compile(r"-?\d+(?:[.,]\d+)*")
_EVENT = re.compile(
    r"dividend|capital gain|stock split|\b\d+(\.\d+)?\s*[:/]\s*\d+(\.\d+)?\s+split", re.IGNORECASE
)
_FILE_SYMBOL = re.compile(
    r"(?:daily_adjusted_|daily_|eod-|wiki-)?"
    r"(?P<symbol>\^?[A-Z][A-Z0-9]{0,5}(?:[.-][A-Z]{1,2})?)"
    r"(?:[ _-]Historical[ _]Data|_daily|_historical|_prices)?(?: ?\(\d+\))?"
)
_STOOQ_FILE = re.compile(r"(?P<symbol>[a-z][a-z0-9-]{0,6})[._]us(?:_d)?", re.IGNORECASE)


class PriceHeaderChooser:
    """Recognizes the header of a table of prices in any shape."""

    def choose(self, path: Path, records: Sequence[list[str]]) -> HeaderChoice | None:
        """Return the columns of prices if the first record is the header of such a table."""
        aliases = load_price_layouts().columns
        headers = strip_units(_name_letters(records[0]))
        keys = {header_key(header) for header in headers}
        if keys & {*aliases["date"]} and keys & {*aliases["close"], *aliases["midpoint"]}:
            found = classify_table(headers, records[1:])
            has_close = any("close" in key for key in keys)
            if not has_close or FileKind.TRANSACTIONS in found.kinds:
                require_kind(path, found, PRICE_KINDS)
            if not has_close:
                _refuse_trades(path, headers)
            required = ("date",) if keys & {*aliases["midpoint"]} else _REQUIRED
            positions, _ = choose_columns(path, headers, aliases, required)
            _refuse_foreign_headers(path, [records[0][place] for place in positions.values()])
            _refuse_second_currency(path, records[0], positions, aliases)
            _find_columns(positions, records)
            notes = describe_columns(headers, {name: (place,) for name, place in positions.items()})
            clock = [place for place, header in enumerate(headers) if header_key(header) == "time"]
            if clock and positions["date"] not in clock:
                positions["clock"] = clock[0]
            if warnings := describe_vendor(keys):
                positions.pop("dividend", None)  # closes contain them
            return HeaderChoice(positions, [*notes, *warnings])
        choice = choose_two_levels(path, records) or choose_wide(path, records[0])
        if choice is not None:
            _refuse_foreign_headers(path, records[0])
        return choice

    def check_above(
        self, path: Path, records: Sequence[list[str]], header: list[str], choice: HeaderChoice
    ) -> None:
        """Raise DataQualityError if the lines above the header say what cannot be read.

        They name another currency than USD, which the header does not, or another quantity than
        prices above columns of symbols.
        """
        is_wide = any(MARK in name for name in choice.positions)
        for place, line in enumerate(records):
            if sum(map(bool, line)) == 1:
                require_full_amounts(path, place + 1, line)
                _require_prices(path, " ".join(line), is_wide=is_wide)
        is_stated = "currency" in choice.positions or has_dollar_headers(header)
        if not is_stated and (code := stated_currency(records)):
            raise DataQualityError(
                f"{path} has prices in {code}, as a line above its header states: only USD is"
                " supported"
            )

    def refusal(self, path: Path, records: Sequence[list[str]], separator: str) -> DataQualityError:
        """Return the error that names the missing columns; raise it if the kind is another."""
        require_kind(path, classify_lines(records), PRICE_KINDS, remedy=OTHER_KIND_REMEDY)
        if error := wide_error(path, records):
            return error
        if any(map(_is_value, records[0])):
            first = truncate(",".join(records[0]), _MAX_QUOTED_CHARS)
            return DataQualityError(
                f"{path} has no line of headers: its first line is {first}. Add one, such as"
                " Date,Open,High,Low,Close,Volume"
            )
        return missing_columns_error(
            path, widest_record(records), load_price_layouts().columns, _REQUIRED, separator
        )


def read_price_table(path: Path, symbol: str | None, limits: Limits = DEFAULT_LIMITS) -> Table:
    """Read a table of prices of any shape as a table with one row per symbol and day.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet.
    symbol : str, optional
        Symbol of a table without symbols. Default: named by the file.

    Raises
    ------
    UsageError
        If the symbol of a table without symbols is unknown, or specified for one with symbols.
    DataQualityError
        If the file is not a table of prices, or exceeds a limit.
    """
    table = read_columns(path, PriceHeaderChooser(), limits, PRICE_KINDS)
    is_wide = any(MARK in name for name in table.columns)
    if symbol and normalize_symbol(symbol) is None:
        raise UsageError(f"--symbol {symbol} is not a symbol")
    if symbol and (is_wide or "symbol" in table.columns):
        raise UsageError(f"{path} has a column for symbols: omit --symbol")
    if is_wide:
        refuse_other_values(table)
        return lengthen(table)
    if "symbol" in table.columns:
        return table
    return _drop_events(_add_symbol(table, symbol))


def symbol_of_file(path: Path) -> str | None:
    """Return the symbol that a file is named after in upper case, or as Stooq does; None if none.

    Examples
    --------
    >>> [symbol_of_file(Path(name)) for name in ("CSCO.csv", "brk-b.us.txt", "DATA.csv", "ko.csv")]
    ['CSCO', 'BRK-B', None, None]
    """
    stem = path.name.removesuffix(".gz")
    stem = re.sub(r"\.(csv|txt|tsv|xlsx|parquet)$", "", stem, flags=re.IGNORECASE)
    found = _STOOQ_FILE.fullmatch(stem) or _FILE_SYMBOL.fullmatch(stem)
    if not found or found["symbol"].casefold() in NO_SYMBOLS:
        return None
    return normalize_symbol(found["symbol"])


def _name_letters(headers: Sequence[str]) -> list[str]:
    """Return headers with the names of the single letters that Polygon and Finnhub write.

    In upper case they are symbols.
    """
    is_letters = {*headers} >= {"t", "c"} or {*headers} >= {"o", "h", "l", "c"}
    return [_LETTERS.get(header, header) if is_letters else header for header in headers]


def _is_value(cell: str) -> bool:
    """Return whether a cell is a date or a number, not a header."""
    return bool(DATE.fullmatch(cell.strip()) or _AMOUNT.fullmatch(cell.strip()))


def _require_prices(path: Path, title: str, *, is_wide: bool) -> None:
    """Raise DataQualityError if the title of columns of symbols names another quantity."""
    words, vocabulary = {*bare_words(title).split()}, load_vocabulary()
    padded = f" {bare_words(title)} "
    named = {
        word for name in vocabulary.no_prices if f" {name} " in padded for word in name.split()
    }
    is_of_prices = not (words - named).isdisjoint(vocabulary.amounts | {"close", "closing"})
    is_other = not is_of_prices and names_other_quantity(title)
    is_other |= not words.isdisjoint(vocabulary.rescaled)
    if is_wide and is_other and len(words) <= _MAX_TITLE_WORDS:
        raise DataQualityError(
            f"{path} has the title {title.strip()}, so its columns of symbols are no prices"
        )


def _refuse_foreign_headers(path: Path, headers: Sequence[str]) -> None:
    """Raise DataQualityError if a header names another currency than USD, such as Close (EUR)."""
    for header in headers:
        if code := header_currency(header):
            raise DataQualityError(
                f"{path} has prices in {code} in the column {header.strip()}: only USD is supported"
            )


def _refuse_second_currency(
    path: Path, headers: Sequence[str], positions: Mapping[str, int], aliases: HeaderAliases
) -> None:
    """Raise DataQualityError if a column such as Close USD is next to one without a currency."""
    for place, header in enumerate(headers):
        key = header_key(strip_unit(header))
        name = next((one for one in _PRICES if key in aliases[one]), "")
        chosen = positions.get(name, place)
        if chosen != place and has_dollar_headers([header]):
            raise DataQualityError(
                f"{path} has the columns {headers[chosen].strip()} and {header.strip()}, so the"
                " currency of the first is unknown. Keep the one in USD"
            )


def _find_columns(positions: dict[str, int], records: Sequence[list[str]]) -> None:
    """Add columns of currencies and symbols whose header is not known, if first cells show them."""
    if positions.get("identifier") == positions.get("symbol"):
        positions.pop("identifier", None)
    if positions.get("unadjusted_close") == positions.get("close"):
        positions.pop("unadjusted_close", None)
    if "symbol" not in positions:
        found_place = find_ticker_column(records[0], records[1:])
        positions |= {"symbol": found_place} if found_place is not None else {}
    places = sorted(set(range(len(records[0]))) - {*positions.values()})
    texts = (
        (place, {record[place].strip() for record in records[1:] if place < len(record)})
        for place in places
    )
    found = find_columns_by_content(texts, positions)
    positions.update({name: place for name, place in found.items() if name == "currency"})


def _refuse_trades(path: Path, headers: Sequence[str]) -> None:
    """Raise DataQualityError if a table has columns of holdings or transactions."""
    found = [header.strip() for header in headers if header_key(header) in _TRADE_HEADERS]
    if found:
        raise DataQualityError(
            f"{path} has a column {found[0]}: it is a list of holdings or transactions, not of"
            " prices. Use riskmetrics import portfolio or transactions"
        )


def _add_symbol(table: Table, symbol: str | None) -> Table:
    """Return a table with a column of its only symbol."""
    named = symbol or symbol_of_file(table.path)
    if named is None:
        raise UsageError(
            f"{table.path} has prices without a symbol, and its name is not one. Pass --symbol"
        )
    if not symbol:
        table.notes.append(f"the symbol {named} is the name of the file")
    column = pa.chunked_array([pa.array([named] * table.n_rows, pa.string())])
    return table._replace(columns={"symbol": column, **table.columns})


def _drop_events(table: Table) -> Table:
    """Drop rows that state a dividend or a split instead of prices, with a note."""
    is_event: BoolArray = np.zeros(table.n_rows, dtype=bool)
    for name in _PRICES:
        if name in table.columns and pa.types.is_string(table.columns[name].type):
            text = pc.fill_null(table.columns[name], "")
            found = pc.match_substring_regex(text, _EVENT.pattern, ignore_case=True)
            is_event |= found.to_numpy()
    rejected = [row for row in table.rejected if not _EVENT.search(row.raw_row)]
    count = np.count_nonzero(is_event) + len(table.rejected) - len(rejected)
    if not count:
        return table
    table.notes.append(f"rows of dividends and splits are not read: {count}")
    return table.keep_rows(~is_event)._replace(rejected=rejected)
