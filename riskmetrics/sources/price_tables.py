"""Tables of prices in any shape, as tables with one row per symbol and day.

A table is long (with a column of symbols), of a single symbol, which the file is named after, or
wide (with columns of symbols, and perhaps a second line of headers that names the prices).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.limits import DEFAULT_LIMITS, Limits
from riskmetrics.metrics._typing import BoolArray, IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.column_contents import find_columns_by_content
from riskmetrics.sources.file_kinds import (
    OTHER_KIND_REMEDY,
    PRICE_KINDS,
    FileKind,
    classify_lines,
    classify_table,
    require_kind,
)
from riskmetrics.sources.holdings_columns import header_currency, strip_units
from riskmetrics.sources.price_layouts import describe_vendor, load_price_layouts
from riskmetrics.sources.table_headers import (
    HeaderChoice,
    choose_columns,
    header_key,
    missing_columns_error,
    widest_record,
)
from riskmetrics.sources.tabular_files import Table, read_columns
from riskmetrics.symbols import normalize_symbol

_REQUIRED = ("date", "close")
_FIELDS = ("open", "high", "low", "close", "adj_close", "volume")
"""Columns that a wide table may have for each symbol."""
_MARK = "|"
"""Separates field and symbol in the name of a column of a wide table."""
_LEVEL_LABELS = frozenset({"", "price", "ticker", "symbol", "attributes", "symbols", "date"})
"""First cells of the two lines of headers of a wide table."""
_WORDS = frozenset(
    """
    data price prices table bars daily eod quote quotes stock stocks export file history hist
    historical download output report sheet test book index total average mean type action amount
    value fee fees note notes time rate yield return returns pnl nav count rank id name sector cash
    quantity qty shares units weight weights cost basis account description class side strike
    expiry multiplier portfolio market currency marketvalue costbasis buy sell order commission
    dividends splits stocksplits capitalgains transactions turnover change changepct vwap trades
    openint
    """.split()  # noqa: SIM905  # a list of that many quoted words is harder to read
)
"""Words in headers and names of files that are no symbols."""
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
_MAX_WEIGHT_ERROR = 1e-3
"""Relative deviation from 1 or 100 up to which the numbers of all rows are weights."""
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
        headers = strip_units(records[0])
        keys = {header_key(header) for header in headers}
        if keys & {*aliases["date"]} and keys & {*aliases["close"], *aliases["midpoint"]}:
            found = classify_table(headers, records[1:])
            has_close = any("close" in key for key in keys)
            if not has_close or FileKind.TRANSACTIONS in found.kinds:
                require_kind(path, found, PRICE_KINDS)
            if not has_close:
                _refuse_trades(path, headers)
            required = ("date",) if keys & {*aliases["midpoint"]} else _REQUIRED
            positions, notes = choose_columns(path, headers, aliases, required)
            _refuse_foreign_headers(path, [records[0][place] for place in positions.values()])
            _find_currency(positions, records)
            if warnings := describe_vendor(keys):
                positions.pop("dividend", None)  # closes contain them
            return HeaderChoice(positions, [*notes, *warnings])
        choice = _choose_two_levels(records) or _choose_wide(records[0])
        if choice is not None:
            _refuse_foreign_headers(path, records[0])
        return choice

    def refusal(self, path: Path, records: Sequence[list[str]], separator: str) -> DataQualityError:
        """Return the error that names the missing columns; raise it if the kind is another."""
        require_kind(path, classify_lines(records), PRICE_KINDS, remedy=OTHER_KIND_REMEDY)
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
    table = read_columns(path, PriceHeaderChooser(), limits)
    is_wide = any(_MARK in name for name in table.columns)
    if symbol and normalize_symbol(symbol) is None:
        raise UsageError(f"--symbol {symbol} is not a symbol")
    if symbol and (is_wide or "symbol" in table.columns):
        raise UsageError(f"{path} has a column for symbols: omit --symbol")
    if is_wide:
        _refuse_other_values(table)
        return _lengthen(table)
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
    if not found or found["symbol"].casefold() in _WORDS:
        return None
    return normalize_symbol(found["symbol"])


def _refuse_foreign_headers(path: Path, headers: Sequence[str]) -> None:
    """Raise DataQualityError if a header names another currency than USD, such as Close (EUR)."""
    for header in headers:
        if code := header_currency(header):
            raise DataQualityError(
                f"{path} has prices in {code} in the column {header.strip()}: only USD is supported"
            )


def _find_currency(positions: dict[str, int], records: Sequence[list[str]]) -> None:
    """Add a column of currencies whose header is not known, if its first cells show it."""
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


def _refuse_other_values(table: Table) -> None:
    """Raise DataQualityError if the columns of symbols have returns or weights, not prices."""
    closes = [column for name, column in table.columns.items() if name.startswith(f"close{_MARK}")]
    readings = (
        np.array([cells.parse_numbers(column, mark)[0] for column in closes])
        for mark in cells.DECIMAL_MARKS
    )
    values = max(readings, key=lambda numbers: np.count_nonzero(np.isfinite(numbers)))
    known = np.isfinite(values).any(axis=0)
    sums = np.nansum(values[:, known], axis=0)
    is_whole = any(np.allclose(sums, whole, rtol=_MAX_WEIGHT_ERROR) for whole in (1, 100))
    if (values < 0).any():
        raise DataQualityError(
            f"{table.path} has negative numbers in columns of symbols: they are returns or"
            " changes, not prices"
        )
    if len(closes) > 1 and known.any() and is_whole:
        raise DataQualityError(
            f"{table.path} has rows that sum to {sums[0]:.4g}: they are weights, not prices"
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


def _choose_two_levels(records: Sequence[list[str]]) -> HeaderChoice | None:
    """Return the columns of two lines of headers, prices and symbols in either order."""
    if len(records) < 3 or len(records[1]) != len(records[0]):
        return None
    first, second = records[0], records[1]
    fields = _match_fields(first)
    if fields is None:
        first, second = second, first
        fields = _match_fields(first)
    symbols = [normalize_symbol(cell) if cell.strip() else None for cell in second[1:]]
    if (
        fields is None
        or not all(symbols)
        or any(header_key(line[0]) not in _LEVEL_LABELS for line in records[:2])
        or not {"close"} & {*fields}
    ):
        return None
    has_date_line = not any(cell.strip() for cell in records[2][1:])
    positions = {"date": 0}
    for place, (field, symbol) in enumerate(zip(fields, symbols, strict=True), 1):
        if field:
            positions.setdefault(f"{field}{_MARK}{symbol}", place)
    notes = [] if "adj_close" in fields else describe_vendor({"close", "dividends", "stocksplits"})
    return HeaderChoice(positions, notes, 3 if has_date_line else 2)


def _match_fields(line: Sequence[str]) -> list[str | None] | None:
    """Return the price that each header after the first names; None if one is unknown."""
    fields = [_field(cell) for cell in line[1:]]
    known = all(
        field or header_key(cell) in _WORDS for field, cell in zip(fields, line[1:], strict=True)
    )
    return fields if known and any(fields) else None


def _field(text: str) -> str | None:
    key, aliases = header_key(text), load_price_layouts().columns
    return next((field for field in _FIELDS if key in aliases[field]), None)


def _choose_wide(headers: Sequence[str]) -> HeaderChoice | None:
    """Return the columns of a table with a date and one column per symbol or price of a symbol."""
    if header_key(headers[0]) not in {*load_price_layouts().columns["date"], ""}:
        return None
    positions = {"date": 0}
    for place, header in enumerate(headers[1:], 1):
        if not header.strip():
            continue
        parsed = _parse_wide_header(header.strip())
        if parsed is None or f"{parsed.field}{_MARK}{parsed.symbol}" in positions:
            return None
        positions[f"{parsed.field}{_MARK}{parsed.symbol}"] = place
    if len(positions) == 1:
        return None
    symbols = list(dict.fromkeys(name.split(_MARK)[1] for name in positions if _MARK in name))
    named = ", ".join(symbols[:8]) + (f" and {len(symbols) - 8} more" if symbols[8:] else "")
    return HeaderChoice(positions, [f"columns are symbols: {named}"])


class _WideHeader(NamedTuple):
    symbol: str
    field: str


def _parse_wide_header(header: str) -> _WideHeader | None:
    """Parse a symbol in upper case, perhaps with the name of a price before or after it."""
    for pattern in (r"(?P<symbol>[^ _]+)[ _](?P<field>.+)", r"(?P<field>.+)[ _](?P<symbol>[^ _]+)"):
        found = re.fullmatch(pattern, header)
        if found and (field := _field(found["field"])) and (name := _symbol(found["symbol"])):
            return _WideHeader(name, field)
    name = _symbol(header)
    return _WideHeader(name, "close") if name else None


def _symbol(text: str) -> str | None:
    """Return the symbol that a header in upper case is; None if it is another word."""
    key = header_key(text)
    is_word = key in _WORDS or any(
        key in headers for headers in load_price_layouts().columns.values()
    )
    if is_word or text != text.upper() or not re.search("[A-Z]", text):
        return None
    return normalize_symbol(text)


def _lengthen(table: Table) -> Table:
    """Return the long form of a wide table, without the cells that are empty for a symbol."""
    names = [name.split(_MARK) for name in table.columns if _MARK in name]
    fields = list(dict.fromkeys(field for field, _ in names))
    symbols = list(dict.fromkeys(symbol for _, symbol in names))
    n_rows = table.n_rows
    empty = pa.nulls(n_rows, pa.string())
    columns = {
        "symbol": _chunks([pa.array([symbol] * n_rows, pa.string()) for symbol in symbols]),
        "date": _chunks([table.columns["date"]] * len(symbols)),
        **{
            field: _chunks(
                [table.columns.get(f"{field}{_MARK}{symbol}", empty) for symbol in symbols]
            )
            for field in fields
        },
    }

    def locate(rows: IntArray) -> list[tuple[int, str]]:
        return table.locate(rows % n_rows)

    long = table._replace(columns=columns, locate=locate)
    is_empty = np.ones(long.n_rows, dtype=bool)
    for field in fields:
        is_empty &= cells.is_missing(cells.trim_text(columns[field])).to_numpy()
    if is_empty.any():
        long.notes.append(f"empty cells of symbols are not read: {np.count_nonzero(is_empty):,}")
    if is_empty.all():
        raise DataQualityError(f"{table.path} has no price")
    return long.keep_rows(~is_empty)


def _chunks(parts: Sequence[pa.Array | pa.ChunkedArray]) -> pa.ChunkedArray:
    """Concatenate arrays; as text if they have several types."""
    kinds = {part.type for part in parts}
    if len(kinds) > 1:
        parts = [pc.cast(part, pa.string()) for part in parts]
    return pa.chunked_array(
        [
            chunk
            for part in parts
            for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])
        ],
        parts[0].type,
    )


def _drop_events(table: Table) -> Table:
    """Drop rows that state a dividend or a split instead of prices, with a note."""
    is_event: BoolArray = np.zeros(table.n_rows, dtype=bool)
    for name in ("open", "high", "low", "close", "adj_close"):
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
