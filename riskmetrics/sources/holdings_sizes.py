"""Sizes of holdings: quantities, weights and values as plain numbers in their columns."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.sources import cells
from riskmetrics.sources.asset_classes import is_cash_name
from riskmetrics.sources.column_contents import MISSING_TEXTS
from riskmetrics.sources.holdings_terms import with_texts
from riskmetrics.sources.row_validation import WEIGHT_SCALES, RowValidator, join_names
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.vocabulary import load_vocabulary, starts_with
from riskmetrics.symbols import parse_option

_MIN_AMOUNT_SHARE = 0.5
"""Share of the cells with digits above which a column that cannot be read is one of amounts."""
_MAX_VALUE_DIFFERENCE = 0.05
"""Relative difference of a value from quantity times price above which a note names it."""
_MAX_VALUE_RATIO = 5.0
"""Maximum ratio between market value and quantity times price, which may be of another moment."""
_ROUNDED = ("quantity", "market_value", "cost_basis")
"""Columns whose numbers may be rounded to thousands or millions."""
_WITH_WORD = re.compile(r"(?P<number>\S*\d[\d.,]*)[ \u00a0]*(?P<word>[^\W\d_]{2,}\.?)")


def read_numbers(table: Table, name: str, decimal: str) -> FloatArray:
    """Return the numbers of a column, NaN where missing or without column."""
    return (
        cells.parse_numbers(table.columns[name], decimal)[0]
        if name in table.columns
        else np.full(table.n_rows, np.nan)
    )


def plain_sizes(table: Table) -> Table:
    """Return a table with quantities such as ``12 shares``, ``3 Short`` and ``1.2K`` as numbers."""
    if "quantity" in table.columns:
        table = with_texts(table, quantity=table.text("quantity").map(strip_size_unit))
    notes = []
    for name in _ROUNDED:
        if name in table.columns:
            plain = cells.expand_magnitudes(cells.trim_text(table.columns[name]))
            texts = table.text(name)
            table = table._replace(columns={**table.columns, name: plain})
            if (rounded := texts[texts != table.text(name)]).size:
                notes.append(f"{name} is rounded in the file: {join_names(rounded)}")
    return table._replace(notes=[*table.notes, *notes])


def strip_size_unit(text: str) -> str:
    """Return a quantity without the word for it, and with a minus if the word is Short.

    Examples
    --------
    >>> [strip_size_unit(text) for text in ("12 shares", "1.200 Stk.", "3 Short", "5 kg")]
    ['12', '1.200', '-3', '5 kg']
    """
    found = _WITH_WORD.fullmatch(text)
    if not found:
        return text
    word, number = header_key(found["word"]), found["number"]
    if word == "short":
        return number if number.startswith("-") else f"-{number}"
    return number if word == "long" or word in load_vocabulary().units else text


def sides_by_value(table: Table, decimal: str) -> Table:
    """Return a table with the side of positions whose value is negative, but not their quantity."""
    quantity, value = (read_numbers(table, name, decimal) for name in ("quantity", "market_value"))
    stated = table.text("position_type")
    is_short = (quantity > 0) & (value < 0) & (stated == "").to_numpy(bool)
    if not is_short.any():
        return table
    note = f"short by their negative value: {join_names(table.text('symbol')[is_short])}"
    table = table._replace(notes=[*table.notes, note])
    return with_texts(table, position_type=stated.mask(is_short, "SHORT"))


def weight_scale(table: Table, cash: float, decimal: str) -> float:
    """Return the total that weights refer to, 1 or 100, from their sum including cash."""
    total = np.nansum([*read_numbers(table, "weight", decimal), cash])
    whole = next((whole for low, high, whole in WEIGHT_SCALES if low < total < high), None)
    if whole is None:
        is_too_much = 1 < total < 2 or total > 100
        raise DataQualityError(
            f"weights of {table.path} sum to {total:g}, neither 1 nor 100."
            f" {'Remove what counts twice' if is_too_much else 'Add what is missing'}, such as a"
            f" line for {'a total' if is_too_much else 'cash'}"
        )
    return whole


def drop_textual_sizes(table: Table, decimal: str) -> Table:
    """Return a table without columns of sizes that have no amount, if another has one.

    Valor is a value, or the name of a security.
    """
    sizes = [name for name in ("quantity", "weight", "market_value") if name in table.columns]
    textual = {name for name in sizes if _is_textual(table, name, decimal)}
    if len(textual) == len(sizes):
        return table
    columns = {name: column for name, column in table.columns.items() if name not in textual}
    return table._replace(columns=columns)


def _is_textual(table: Table, name: str, decimal: str) -> bool:
    """Return whether a column has no number, and digits in less than half of its filled cells."""
    texts = table.text(name)
    has_digits = texts[~texts.isin([*MISSING_TEXTS])].str.contains(r"\d")
    is_read = bool(np.isfinite(read_numbers(table, name, decimal)).any())
    return not is_read and (len(has_digits) == 0 or has_digits.mean() < _MIN_AMOUNT_SHARE)


def has_quantities_by_price(table: Table, decimal: str) -> bool:
    """Return whether the values divided by prices are the quantities of all rows.

    Each position has both, is no option, and its value has the share that its weight states, if
    there are weights: other weights are those of a plan, or of other days.
    """
    if not {"market_value", "last_price"} <= table.columns.keys():
        return False
    if "weight" not in table.columns:
        return True
    value, price, weight = (
        read_numbers(table, name, decimal) for name in ("market_value", "last_price", "weight")
    )
    symbol = table.text("symbol")
    names = symbol.mask(symbol == "", table.text("description"))
    is_total = names.map(lambda text: starts_with(text, load_vocabulary().totals)).astype(bool)
    is_cash = names.map(is_cash_name).astype(bool)
    is_held = ~(is_total | is_cash | (symbol == "")).to_numpy(bool)
    has_both = np.isfinite(value) & np.isfinite(price)
    has_option = symbol[is_held].map(parse_option).notna().any()
    return bool(has_both[is_held].all()) and not has_option and _agree(table, value, weight)


def _agree(table: Table, value: FloatArray, weight: FloatArray) -> bool:
    """Return whether the weights of each account are those of its values, up to their rounding."""
    decimals = table.text("weight").str.extract(r"[.,](\d+)", expand=False).str.len().max()
    rounding = 10.0 ** -(0 if np.isnan(decimals) else decimals)
    keys = table.text("account") + "|" + table.text("account_number")
    rows = pd.DataFrame({"value": np.nan_to_num(value), "weight": np.nan_to_num(weight)})
    sums = rows.groupby(keys.to_numpy(str)).transform("sum")
    stated = rows["value"] / sums["value"] * sums["weight"]
    return bool(((stated - rows["weight"]).abs() <= rounding).all())


def quantities_from_prices(table: Table, decimal: str) -> Table:
    """Add quantities: market value divided by the price of the file."""
    value, price = (read_numbers(table, name, decimal) for name in ("market_value", "last_price"))
    with np.errstate(divide="ignore", invalid="ignore"):
        quantity = value / price
    quantity[~np.isfinite(quantity)] = np.nan
    column = pa.chunked_array([pa.array(quantity, from_pandas=True)])
    note = "quantities are market value divided by price, because the file has no quantities"
    return table._replace(columns={**table.columns, "quantity": column}, notes=[*table.notes, note])


def place_dollar_sizes(table: Table) -> Table:
    """Return a table whose quantities are values if all have a dollar sign, such as $2,500."""
    columns, quantity = table.columns, table.text("quantity")
    if columns.keys() & {"weight", "market_value"} or not _all_match(quantity, r"[-+(]*(US)?\$.*"):
        return table
    names = {"quantity": "market_value"}
    moved = {names.get(name, name): column for name, column in columns.items()}
    return table._replace(columns=moved)


def strip_percent_signs(table: Table) -> Table:
    """Return a table without the percent signs of its weights; values in percent are weights."""
    columns = table.columns
    if not columns.keys() & {"weight", "quantity"} and _all_match(
        table.text("market_value"), r".*%"
    ):
        columns = {
            "weight" if name == "market_value" else name: column for name, column in columns.items()
        }
        table = table._replace(columns=columns)
    if "weight" not in columns:
        return table
    weights = pc.replace_substring_regex(cells.trim_text(table.columns["weight"]), r" ?%$", "")
    return table._replace(columns={**table.columns, "weight": weights})


def _all_match(texts: "pd.Series[str]", pattern: str) -> bool:
    """Return whether all cells of a column match a pattern or are missing."""
    filled = texts[~texts.isin([*MISSING_TEXTS])]
    return len(filled) > 0 and bool(filled.str.fullmatch(pattern).all())


def check_values(validator: RowValidator, computed: FloatArray, stated: FloatArray) -> None:
    """Reject rows with a value far from quantity times price, such as bonds quoted in percent.

    If most values agree, a note names the others: their quantity may be a part of the position.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = stated / computed
    validator.reject(
        (ratio > 0) & ((ratio < 1 / _MAX_VALUE_RATIO) | (ratio > _MAX_VALUE_RATIO)),
        "market value {market_value} does not match quantity {quantity} at {last_price}"
        " (a bond, or a contract of another size?); only shares, funds and options on them are"
        " supported",
    )
    with np.errstate(invalid="ignore"):
        differs = validator.valid_rows & (np.abs(ratio - 1) > _MAX_VALUE_DIFFERENCE)
    n_compared = np.count_nonzero(validator.valid_rows & np.isfinite(ratio))
    if differs.any() and 2 * np.count_nonzero(differs) <= n_compared:
        names = join_names(validator.text("symbol")[differs])
        validator.notes.append(
            f"the value is not quantity times price, as in the other lines: {names}. Check whether"
            " the column has the whole position"
        )
