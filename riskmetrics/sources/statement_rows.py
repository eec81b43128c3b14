"""Rows of a statement that are no holdings: totals, remarks, and sums of the lots next to them."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.sources import cells
from riskmetrics.sources.asset_classes import is_cash_text
from riskmetrics.sources.holdings_sizes import strip_size_unit
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.symbol_forms import CURRENCIES
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.table_kinds import DATE
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary, starts_with
from riskmetrics.symbols import normalize_symbol

MIN_SENTENCE_WORDS = 5
"""Number of words from which on a cell is treated as a sentence."""
_MAX_TICKER_CHARS = 5
NUMBER_OR_BLANK = re.compile(
    r"[-+\u2212($]*\d[\d.,'\u2019 \u00a0\u202f\u2009]*\)?( ?(USD|\$))?|--?|n/a", re.I
)

_MAX_SIZE_CHARS = 60
_NAMES = ("symbol", "identifier", "description", "account", "account_number")
"""Columns that identify a row, the most specific first."""
_DAY_OR_TIME = re.compile(rf"(?:{DATE.pattern}|\d{{1,2}}:\d\d.*)$")


def named_cells(line: Line, columns: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Return the cells of a line by column; of a repeated column the first.

    The word for a total in the first cell is the name of a line without one, whatever its column.
    """
    row = {
        name: line.cells[places[0]]
        for name, places in columns.items()
        if places[0] < len(line.cells)
    }
    text = next(filter(None, line.cells), "")
    if any(row.get(name) for name in _NAMES) or not starts_with(text, load_vocabulary().totals):
        return row
    return {**{name: cell for name, cell in row.items() if cell != text}, "description": text}


def parse_texts(texts: list[str], decimal: str) -> FloatArray:
    """Return the numbers of texts, NaN where a text is none."""
    return cells.parse_numbers(pa.chunked_array([pa.array(texts, pa.string())]), decimal)[0]


def find_lot_sums(
    rows: Sequence[tuple[Line, Mapping[str, str]]], used: Collection[int]
) -> set[int]:
    """Return the places of the rows that a cell of an unused column calls the total of lots.

    Other rows must have the same security and sum to its quantity: they are the lots.

    Parameters
    ----------
    rows : sequence
        Lines with their cells by column.
    used : collection of int
        Places of the used columns.
    """
    totals = load_vocabulary().totals
    sums = {
        place
        for place, (line, _) in enumerate(rows)
        if any(bare_words(cell) in totals for cell in _other_cells(line.cells, used))
    }
    lots: dict[tuple[str, ...], list[str]] = {}
    for place, (_, row) in enumerate(rows):
        if place not in sums and row.get("symbol"):
            lots.setdefault(_security(row), []).append(row.get("quantity", ""))
    return {
        place
        for place in sums
        if (security := _security(rows[place][1])) in lots
        and _is_quantity_sum(rows[place][1].get("quantity", ""), lots[security])
    }


def _is_quantity_sum(total: str, quantities: Sequence[str]) -> bool:
    """Return whether a quantity is the sum of others in one notation, or is not stated."""
    if not _has_digit(total):
        return True
    stated = [strip_size_unit(text) for text in (total, *quantities) if _has_digit(text)]
    readings = (parse_texts(stated, mark) for mark in cells.DECIMAL_MARKS)
    return any(np.isclose(np.sum(numbers[1:]), numbers[0]) for numbers in readings)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def fill_merged_accounts(rows: Sequence[dict[str, str]]) -> None:
    """Name the account of each row below the only one that names it, as merged cells do.

    Accounts are not filled in where one is named twice: its blank cells mean something else.
    """
    for name in ("account", "account_number"):
        named = [row[name] for row in rows if row.get(name)]
        if len(set(named)) < len(named) or not rows or not rows[0].get(name):
            continue
        last = ""
        for row in rows:
            last = row.get(name) or last
            if row.get("symbol") and not is_total(row):
                row[name] = last


def _other_cells(cells: Sequence[str], used: Collection[int]) -> Iterator[str]:
    return (cell for place, cell in enumerate(cells) if cell and place not in used)


def _security(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return account and symbol of a row."""
    return tuple(row.get(name, "") for name in ("account", "account_number", "symbol"))


def is_total(row: Mapping[str, str]) -> bool:
    """Return whether the first identifying text of a row is the word for a total."""
    text = next((row[name] for name in _NAMES if row.get(name)), "")
    return starts_with(text, load_vocabulary().totals)


def is_total_of_accounts(row: Mapping[str, str]) -> bool:
    """Return whether a line without a security has the word for a total in place of an account.

    It would be an account of its own.
    """
    accounts = (row.get("account", ""), row.get("account_number", ""))
    is_named = any(row.get(name) for name in ("symbol", "identifier", "description"))
    totals = load_vocabulary().totals
    return not is_named and any(starts_with(text, totals) for text in accounts)


def has_security(row: Mapping[str, str]) -> bool:
    """Return whether a row names a security: it is neither cash nor a total."""
    symbol = row.get("symbol", "")
    return bool(symbol) and not (is_total(row) or is_cash_text(symbol))


def is_remark(line: Line, row: Mapping[str, str]) -> bool:
    """Return whether a line is a sentence rather than a holding, which has digits in a size."""
    if len(line.cells) == 1:
        text = line.cells[0]
        is_word = text.isalpha() and len(text) > _MAX_TICKER_CHARS
        return is_word or " " in text or normalize_symbol(text) is None
    sizes = (row.get(name, "") for name in ("quantity", "weight", "market_value"))
    is_sentence = any(len(cell.split()) >= MIN_SENTENCE_WORDS for cell in line.cells)
    return (
        is_sentence
        and not any(map(is_size, sizes))
        and not any(map(NUMBER_OR_BLANK.fullmatch, line.cells))
    )


def is_size(text: str) -> bool:
    """Return whether a text is a number with or without a unit or currency, and no day or time.

    Examples
    --------
    >>> [is_size(text) for text in ("12 shares", "US$ 5", "1 000,50 EUR", "60%", "12x")]
    [True, True, True, True, True]
    >>> [is_size(text) for text in ("900 Salem Street", "RI 02917", "2024-01-05", "10:00", "")]
    [False, False, False, False, False]
    """
    if len(text) > _MAX_SIZE_CHARS or not _has_digit(text) or _DAY_OR_TIME.match(text):
        return False
    return all(_has_digit(word) or _is_unit(word) for word in text.split())


def _is_unit(word: str) -> bool:
    """Return whether a word next to a number is that of a unit, a side or a currency."""
    vocabulary, key = load_vocabulary(), header_key(word)
    is_currency = key.upper() in {*CURRENCIES, "US"} or word.casefold() in vocabulary.currency_signs
    return not key or is_currency or key in vocabulary.units or key in {"long", "short"}
