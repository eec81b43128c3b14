"""Wide tables of prices: columns of symbols, and perhaps a second line that names the prices."""

import re
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.name_forms import has_known_ticker, look_like_names
from riskmetrics.sources.price_layouts import describe_vendor, load_price_layouts
from riskmetrics.sources.price_titles import names_other_quantity
from riskmetrics.sources.symbol_forms import (
    CURRENCIES,
    has_exchange,
    has_vendor_codes,
    is_vendor_code,
    parse_symbol_form,
)
from riskmetrics.sources.table_headers import HeaderChoice, header_key
from riskmetrics.sources.table_kinds import DATE, NUMBER
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary
from riskmetrics.symbols import normalize_symbol
from riskmetrics.text import join_names

_FIELDS = ("open", "high", "low", "close", "adj_close", "volume")
"""Columns that a wide table may have for each symbol."""
MARK = "|"
"""Separates field and symbol in the name of a column of a wide table."""
_LEVEL_LABELS = frozenset(
    {"", "price", "ticker", "symbol", "attributes", "symbols", "date", "dates", "security"}
)
"""First cells of the two lines of headers of a wide table."""
NO_SYMBOLS = frozenset(
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
_DAY_LABELS = frozenset({"date", "dates", "datum", "fecha", "data"})
_TUPLE = re.compile(r"\('(?P<field>[^']+)', '(?P<symbol>[^']+)'\)")
"""Header of two levels that pandas writes as one, such as ('Close', 'KO')."""


def choose_two_levels(path: Path, records: Sequence[list[str]]) -> HeaderChoice | None:
    """Return the columns of two lines of headers, prices and symbols in either order.

    Raises
    ------
    DataQualityError
        If a symbol has several blocks, each with its days.
    """
    if len(records) < 3 or len(records[1]) != len(records[0]):
        return None
    first, second = records[0], records[1]
    if (
        header_key(second[0]) in _DAY_LABELS
        and [*map(header_key, second)].count(header_key(second[0]))
        == sum(map(bool, map(str.strip, first)))
        > 1
    ):
        return _choose_blocks(path, first, second)
    fields = _match_fields(first)
    if fields is None:
        first, second = second, first
        fields = _match_fields(first)
    symbols = [_symbol(cell.strip()) if cell.strip() else None for cell in second[1:]]
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
            positions.setdefault(f"{field}{MARK}{symbol}", place)
    notes = [] if "adj_close" in fields else describe_vendor({"close", "dividends", "stocksplits"})
    return HeaderChoice(positions, notes, 3 if has_date_line else 2)


def _choose_blocks(path: Path, first: Sequence[str], second: Sequence[str]) -> HeaderChoice | None:
    """Return the columns of blocks side by side, each with the days and prices of a symbol.

    Such are the sheets of Bloomberg's BDH: the symbol is above the first column of its block.
    """
    positions, symbol = dict[str, int](), ""
    for place, (above, header) in enumerate(zip(first, second, strict=True)):
        if above.strip():
            symbol = _symbol(above.strip()) or ""
        is_day = header_key(header) == header_key(second[0])
        field = "date" if is_day else _field(header)
        if header.strip() and (not symbol or field is None or is_day != bool(above.strip())):
            return None
        if is_day and f"date{MARK}{symbol}" in positions:
            raise DataQualityError(
                f"{path} has two blocks of {symbol}, each with its days. Put its columns next to"
                " one column of days"
            )
        if header.strip():
            positions.setdefault(f"{field}{MARK}{symbol}", place)
    return HeaderChoice(positions, [], 2)


def _match_fields(line: Sequence[str]) -> list[str | None] | None:
    """Return the price that each header after the first names; None if one is unknown."""
    fields = [_field(cell) for cell in line[1:]]
    known = all(
        field or header_key(cell) in NO_SYMBOLS
        for field, cell in zip(fields, line[1:], strict=True)
    )
    return fields if known and any(fields) else None


def _field(text: str) -> str | None:
    key, aliases = header_key(text), load_price_layouts().columns
    return next((field for field in _FIELDS if key in aliases[field]), None)


def choose_wide(path: Path, headers: Sequence[str]) -> HeaderChoice | None:
    """Return the columns of a table with a date and one column per symbol or price of a symbol."""
    day = _day_place(headers)
    others = [
        (place, header)
        for place, header in enumerate(_in_upper_case(headers, day))
        if place != day and header_key(header) not in _NO_HEADERS
    ]
    names = [header for _, header in others]
    if day is None or _share_other_quantity(names):
        return None
    positions = {"date": day}
    lone, has_codes = _find_lone_symbols(names), has_vendor_codes(names)
    for place, header in others:
        name = _CURRENCY.sub("", header).strip()
        parsed = (
            _WideHeader(name, "close")
            if has_codes and is_vendor_code(name)
            else _parse_wide_header(name, lone)
        )
        if parsed is None or f"{parsed.field}{MARK}{parsed.symbol}" in positions:
            return None
        positions[f"{parsed.field}{MARK}{parsed.symbol}"] = place
    if len(positions) == 1:
        return None
    symbols = list(dict.fromkeys(name.split(MARK)[1] for name in positions if MARK in name))
    _refuse_numbered(path, symbols)
    has_exchanges = all(has_exchange(_CURRENCY.sub("", name).strip()) for name in names)
    if len(symbols) > 1 and not has_exchanges and look_like_names(symbols):
        raise DataQualityError(
            f"{path} has columns that look like names, not symbols: {join_names(symbols)}. Write"
            f" their symbols; if these are symbols, write all with their exchange, such as"
            f" US:{symbols[0]}, or a line for each price, with columns Symbol, Date and Close"
        )
    named = ", ".join(symbols[:8]) + (f" and {len(symbols) - 8} more" if symbols[8:] else "")
    return HeaderChoice(positions, [f"columns are symbols: {named}"])


def _in_upper_case(headers: Sequence[str], day: int | None) -> Sequence[str]:
    """Return headers with symbols in upper case, if all are in lower case and one is known.

    Words such as spread are headers of other numbers than prices.

    Examples
    --------
    >>> _in_upper_case(["date", "msft_close", "ko_close"], 0)
    ['date', 'MSFT_close', 'KO_close']
    >>> _in_upper_case(["date", "spread", "msft"], 0), _in_upper_case(["date", "gdp", "cpi"], 0)
    (['date', 'spread', 'msft'], ['date', 'gdp', 'cpi'])
    """
    found = {
        place: _LOWER_CASE.fullmatch(header)
        for place, header in enumerate(headers)
        if place != day and header_key(header) not in _NO_HEADERS
    }
    symbols = [one["symbol"].upper() if one else "" for one in found.values()]
    rests = [one["rest"] or "" for one in found.values() if one]
    are_symbols = all(symbols) and all(not rest or _field(rest) for rest in rests)
    if not are_symbols or any(map(_field, symbols)) or not has_known_ticker(symbols):
        return headers
    upper = {
        place: one["symbol"].upper() + (one["rest"] or "") for place, one in found.items() if one
    }
    return [upper.get(place, header) for place, header in enumerate(headers)]


def _day_place(headers: Sequence[str]) -> int | None:
    """Return the place of the only header of a day, else of a first column without a name."""
    days = load_price_layouts().columns["date"]
    places = [place for place, header in enumerate(headers) if header_key(header) in days]
    if len(places) == 1:
        return places[0]
    return 0 if header_key(headers[0]) in {*(days if places else ()), *_NO_HEADERS} else None


def wide_error(path: Path, records: Sequence[Sequence[str]]) -> DataQualityError | None:
    """Return the error of a table of days and numbers whose columns are not all symbols."""
    headers, below = records[0], records[1] if len(records) > 1 else ()
    if sum(DATE.fullmatch(header.strip()) is not None for header in headers) > 1:
        return DataQualityError(
            f"{path} has its days in the first line. Transpose it: write a line for each day, and a"
            " column for each symbol"
        )
    day, lone = _day_place(headers), _find_lone_symbols(headers)
    others = [
        (header.strip(), cell.strip())
        for place, (header, cell) in enumerate(zip(headers, below, strict=False))
        if place != day and header.strip()
    ]
    if day is None or not others or not all(NUMBER.fullmatch(cell) for _, cell in others):
        return None
    unknown = [header for header, _ in others if not _parse_wide_header(header, lone)]
    if not unknown or all(map(_field, unknown)):
        return None
    if len(unknown) == len(others):
        return DataQualityError(
            f"{path} has no column close, and columns that are no symbols: {join_names(unknown)}."
            " Write symbols in upper case and remove other columns, or write a line for each price,"
            " with columns Symbol, Date and Close"
        )
    return DataQualityError(
        f"{path} has columns that are no symbols: {join_names(unknown)}. Remove them, write symbols"
        " in upper case, or write a line for each price, with columns Symbol, Date and Close"
    )


def _share_other_quantity(headers: Sequence[str]) -> bool:
    """Return whether the same remark behind all symbols names numbers that are no prices.

    Behind one of them it can be a part of its name, such as High Yield.
    """
    remarks = [_remark(header) for header in headers if header.strip()]
    return len(remarks) > 1 and len({*remarks}) == 1 and names_other_quantity(remarks[0])


_CURRENCY = re.compile(rf"\s*\((?:{'|'.join(sorted(CURRENCIES))})\)\s*$")
"""Currency behind a symbol; a file with another one than USD is refused."""
_NO_HEADERS = ("", "unnamed0", "index")
"""Headers of a column of days without a name, as pandas writes them."""
_LONE_SYMBOLS = frozenset({"low", "open", "high"})
"""Names of prices that are symbols, too."""
_LOWER_CASE = re.compile(r"(?P<symbol>[a-z]{1,5})(?P<rest>[ _.].+)?")
_WIDE_HEADERS = (
    re.compile(r"(?P<symbol>[^ _]+)[ _.](?P<field>.+)"),
    re.compile(r"(?P<field>.+)[ _.](?P<symbol>[^ _]+)"),
)


def _find_lone_symbols(headers: Sequence[str]) -> frozenset[str]:
    """Return the keys of the headers that are symbols although they are names of prices.

    They are if no header is that of a close, and they are alone or next to another symbol; other
    words, such as COST, if they are known symbols next to another one.
    """
    keys = {header_key(header) for header in headers}
    words = {*map(str.casefold, load_vocabulary().markets["word_tickers"])}
    prices = {field for header in headers if (field := _field(header))}
    has_other = any(
        header == header.upper()
        and (_symbol(header) or header_key(header) in words - _LONE_SYMBOLS)
        for header in headers
    )
    if prices & {"close", "adj_close"} or not (len(prices) == 1 or has_other):
        return frozenset()
    return frozenset(keys & (_LONE_SYMBOLS | (words if len(headers) > 1 else {*()})))


class _WideHeader(NamedTuple):
    symbol: str
    field: str


def _parse_wide_header(header: str, lone: Container[str] = ()) -> _WideHeader | None:
    """Parse a symbol in upper case, perhaps with the name of a price before or after it.

    ``lone`` are keys of names of prices that are symbols here, because no other price is next to
    them.
    """
    for pattern in (_TUPLE, *_WIDE_HEADERS):
        found = pattern.fullmatch(header)
        if found and (field := _field(found["field"])) and (name := _symbol(found["symbol"])):
            return _WideHeader(name, field)
    is_symbol = header_key(header) in lone and header == header.upper()
    name = normalize_symbol(header) if is_symbol else _symbol(header)
    return _WideHeader(name, "close") if name else None


def _symbol(text: str) -> str | None:
    """Return the symbol that a header in upper case is; None if it is another word."""
    key = header_key(text)
    is_word = key in NO_SYMBOLS or any(
        key in headers for headers in load_price_layouts().columns.values()
    )
    form = parse_symbol_form(text)
    remark, vocabulary = _remark(text), load_vocabulary()
    is_word |= bare_words(remark) in vocabulary.no_prices | {"p e"}
    is_word |= not vocabulary.rescaled.isdisjoint(bare_words(remark).split())
    if is_word or form.symbol != form.symbol.upper() or not re.search("[A-Z]", form.symbol):
        return None
    # a foreign listing keeps its decoration, for which its rows are rejected
    return text if form.problem and form.symbol != text else normalize_symbol(form.symbol)


def _remark(header: str) -> str:
    """Return the text in brackets behind a symbol; empty if there is none."""
    found = re.search(r"\((.*)\)", header)
    return found[1] if found else ""


def lengthen(table: Table) -> Table:
    """Return the long form of a wide table, without the cells that are empty for a symbol."""
    names = [name.split(MARK) for name in table.columns if MARK in name]
    fields = list(dict.fromkeys(field for field, _ in names if field != "date"))
    symbols = list(dict.fromkeys(symbol for _, symbol in names))
    n_rows = table.n_rows
    empty = pa.nulls(n_rows, pa.string())
    columns = {
        "symbol": _chunks([pa.array([symbol] * n_rows, pa.string()) for symbol in symbols]),
        "date": _chunks(
            [
                table.columns.get(f"date{MARK}{symbol}", table.columns.get("date", empty))
                for symbol in symbols
            ]
        ),
        **{
            field: _chunks(
                [table.columns.get(f"{field}{MARK}{symbol}", empty) for symbol in symbols]
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


def _refuse_numbered(path: Path, symbols: Iterable[str]) -> None:
    """Raise DataQualityError if pandas numbered columns of the same symbol, as in KO and KO.1."""
    names = {*symbols}
    numbered = (name for name in names if re.sub(r"\.\d+$", "", name) in names - {name})
    if found := next(numbered, ""):
        raise DataQualityError(
            f"{path} has the column {found} next to {found.rpartition('.')[0]}, which is another"
            " column of the same name. Keep one"
        )
