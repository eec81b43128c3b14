"""Columns of a statement that only their cells show, because their headers are not known."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from riskmetrics.sources import cells
from riskmetrics.sources.column_contents import MISSING_TEXTS, find_columns_by_content
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.statement_rows import NUMBER_OR_BLANK, is_total, parse_texts
from riskmetrics.sources.symbol_forms import CURRENCIES
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary
from riskmetrics.symbols import normalize_symbol, parse_option
from riskmetrics.transactions.model import CONTRACT_SIZE

Rows = Sequence[tuple[Line, dict[str, str]]]
"""Lines with their cells by column."""
_FUNDS = ("fund", "funds", "etf")
_RANKS = ("position", "positions")
"""Keys of the headers of a quantity, or of the place of the row."""
_YES = frozenset({"y", "yes", "x", "true", "✓"})
_NO = frozenset({"n", "no", "false", ""})
"""Marks of the rows that a column is about, and of the others."""
_VALUE_TOLERANCE = 0.005
"""Relative difference of a value from the product of its rounded quantity and price."""


def find_more_columns(
    header: Sequence[str], columns: dict[str, tuple[int, ...]], rows: Rows
) -> tuple[str, ...]:
    """Add the columns that cells show, and return the headers of unknown columns of numbers.

    Parameters
    ----------
    header : sequence of str
        Headers of the table.
    columns : dict
        Places of the known columns; asset classes, currencies, sides, states, names of rows and
        quantities are added.
    rows : sequence
        Lines with their cells by column, to which the cells of these columns are added.
    """
    _name_unnamed_rows(columns, rows)
    _name_by_value(columns, rows)
    _drop_ranks(header, columns, rows)
    known = {*columns, *(["investment_class"] if "type" in columns else [])}
    vocabulary = load_vocabulary()
    words = {place: {*bare_words(text).split()} for place, text in enumerate(header)}
    texts = [
        (place, texts)
        for place, texts in [
            *_unused_texts(header, columns, rows),
            *_descriptions(columns, rows, words),
        ]
        if vocabulary.tax_terms.isdisjoint(words[place])
    ]
    found = find_columns_by_content(texts, known)
    if "status" in found and not set() < words[found["status"]] <= vocabulary.states:
        del found["status"]  # of another thing, such as the exchange
    if {"last_price", "market_value"} <= columns.keys() and "quantity" not in columns:
        found |= _find_quantity(header, columns, rows)
    for name, place in found.items():
        columns[name] = (place,)
        for line, row in rows:
            row[name] = line.cells[place] if place < len(line.cells) else ""
    _note_unread_options(header, columns, rows)
    _read_short_marks(header, columns, rows)
    return _unknown_numbers(header, columns, rows)


def _drop_ranks(header: Sequence[str], columns: dict[str, tuple[int, ...]], rows: Rows) -> None:
    """Remove a column Position from the quantities if it numbers the rows: 1, 2, 3."""
    place = columns.get("quantity", (0,))[0]
    if "quantity" not in columns or header_key(header[place]) not in _RANKS:
        return
    texts = [text for _, row in rows if (text := row.get("quantity", "").rstrip("."))]
    places = [*map(str, range(1, len(texts) + 1))]
    is_sorted = len(texts) > 2 and {*texts} == {*places}  # by another column
    if len(texts) > 1 and (texts == places or is_sorted):
        del columns["quantity"]
        for _, row in rows:
            row.pop("quantity", None)


def _find_quantity(
    header: Sequence[str], columns: dict[str, tuple[int, ...]], rows: Rows
) -> dict[str, int]:
    """Return the place of the unknown column that is the value divided by the price in all rows.

    The decimal mark with which most rows have both is that of the file.
    """
    sizes = {
        mark: [
            parse_texts([row.get(name, "") for _, row in rows], mark)
            for name in ("last_price", "market_value")
        ]
        for mark in cells.DECIMAL_MARKS
    }
    priced = {
        mark: (price > 0) & np.isfinite(value) & (value != 0)
        for mark, (price, value) in sizes.items()
    }
    n_priced = max(map(np.count_nonzero, priced.values()))
    for mark in (mark for mark in priced if 0 < np.count_nonzero(priced[mark]) == n_priced):
        price, value = (numbers[priced[mark]] for numbers in sizes[mark])
        for place in _unused_places(header, columns):
            texts = [line.cells[place] if place < len(line.cells) else "" for line, _ in rows]
            with np.errstate(invalid="ignore", divide="ignore"):
                ratio = np.abs(value) / (price * np.abs(parse_texts(texts, mark)[priced[mark]]))
            is_size = np.isclose(ratio, 1, rtol=_VALUE_TOLERANCE)
            is_size |= np.isclose(ratio, CONTRACT_SIZE, rtol=_VALUE_TOLERANCE)
            if is_size.all():
                return {"quantity": place}
    return {}


def currency_of_total(rows: Rows) -> str:
    """Return the currency that a total names, such as Total EUR, if it sums the values above it.

    Another amount is the total in the currency of the account, not that of the rows. Empty for USD.
    """
    values: list[str] = []
    first = 0
    for line, row in rows:
        if not is_total(row):
            values.append(row.get("market_value", ""))
            continue
        codes = CURRENCIES.intersection(re.findall(r"\b[A-Z]{3}\b", " ".join(line.cells)))
        amount = re.sub(r"[A-Z ]", "", row.get("market_value", ""))
        if len(codes) == 1 and "USD" not in codes and _is_value_sum(amount, values[first:], values):
            return min(codes)
        first = len(values)
    return ""


def _is_value_sum(amount: str, *groups: list[str]) -> bool:
    """Return whether an amount is the sum of the numbers of a group."""
    for mark, group in itertools.product(cells.DECIMAL_MARKS, groups):
        total, *numbers = parse_texts([amount, *group], mark)
        if total and np.isclose(np.nansum(numbers), total, rtol=_VALUE_TOLERANCE):
            return True
    return False


def _descriptions(
    columns: dict[str, tuple[int, ...]], rows: Rows, words: Mapping[int, set[str]]
) -> Iterator[tuple[int, set[str]]]:
    """Yield the place and the texts of the descriptions, which may be asset classes.

    Under the header Fund, Bonds is the name of a fund.
    """
    for place in columns.get("description", ())[:1]:
        if words[place].isdisjoint(_FUNDS):
            yield place, {row.get("description", "") for _, row in rows}


def _name_unnamed_rows(columns: dict[str, tuple[int, ...]], rows: Rows) -> None:
    """Describe the rows without a symbol, such as cash, by the first of their unused texts."""
    used = {place for places in columns.values() for place in places}
    for line, row in rows:
        if not row.keys() & {"symbol", "identifier", "description"}:
            texts = (cell for place, cell in enumerate(line.cells) if place not in used)
            if text := next((one for one in texts if re.search(r"[^\W\d]", one)), ""):
                row["description"] = text


def _name_by_value(columns: dict[str, tuple[int, ...]], rows: Rows) -> None:
    """Read a column of values that are all words as names: Valor is Spanish for both."""
    values = {row.get("market_value", "") for _, row in rows} - MISSING_TEXTS
    if values and not any(map(re.compile(r"\d").search, values)) and "description" not in columns:
        columns["description"] = columns.pop("market_value")
        for _, row in rows:
            row["description"] = row.pop("market_value", "")


def _read_short_marks(
    header: Sequence[str], columns: dict[str, tuple[int, ...]], rows: Rows
) -> None:
    """Read a column Short of marks such as yes or x as the side of the marked rows.

    Numbers in it can be what is sold short: their rows get the column ``unread_holding``.
    """
    if "position_type" in columns:
        return
    for place, texts in [*_unused_texts(header, columns, rows)]:
        if {*bare_words(header[place]).split()} - {"is"} != {"short"}:
            continue
        are_marks = {text.casefold() for text in texts} - MISSING_TEXTS <= _YES | _NO
        if are_marks:
            columns["position_type"] = (place,)
        for line, row in rows:
            cell = line.cells[place] if place < len(line.cells) else ""
            if are_marks:
                row["position_type"] = "Short" if cell.casefold() in _YES else ""
            elif re.search("[1-9]", cell):
                row["unread_holding"] = f"{header[place]} {cell}"


def _note_unread_options(
    header: Sequence[str], columns: dict[str, tuple[int, ...]], rows: Rows
) -> None:
    """Add the column ``unread_holding`` to rows of which an unused column names an option.

    The row can be that option, or the share that is held next to it.
    """
    places = [*_unused_places(header, columns)]
    for line, row in rows:
        symbol = normalize_symbol(row.get("symbol") or row.get("underlying_symbol", ""))
        for place in places:
            option = parse_option(line.cells[place]) if place < len(line.cells) else None
            if option and option.underlying == symbol:
                row["unread_holding"] = f"{header[place]} {line.cells[place]}"


def _unused_places(header: Sequence[str], columns: dict[str, tuple[int, ...]]) -> Iterator[int]:
    """Yield the place of each unused column that has a header."""
    used = {place for places in columns.values() for place in places}
    yield from (place for place, text in enumerate(header) if text and place not in used)


def _unused_texts(
    header: Sequence[str], columns: dict[str, tuple[int, ...]], rows: Rows
) -> Iterator[tuple[int, set[str]]]:
    """Yield the place and the distinct texts of each unused column that has a header."""
    for place in _unused_places(header, columns):
        yield place, {line.cells[place] for line, _ in rows if place < len(line.cells)}


def _unknown_numbers(
    header: Sequence[str], columns: dict[str, tuple[int, ...]], rows: Rows
) -> tuple[str, ...]:
    """Return the headers of unused columns that have only numbers."""
    unrelated = load_vocabulary().unrelated
    found = []
    for place, texts in _unused_texts(header, columns, rows):
        words = f" {bare_words(header[place])} "
        numbers = texts - MISSING_TEXTS
        is_unrelated = any(f" {word} " in words for word in unrelated)
        if numbers and not is_unrelated and all(map(NUMBER_OR_BLANK.fullmatch, numbers)):
            found.append(header[place])
    return tuple(found)
