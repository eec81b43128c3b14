"""Lines of cash in a holdings table: which they are, and whether their amount is owed."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.sources.asset_classes import is_cash_name, is_cash_text, is_foreign_cash
from riskmetrics.sources.layouts import Layout
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.vocabulary import fold_text, load_vocabulary

_BUYING_POWER = "buying power"
_TICKER = r"[A-Z]{1,5}"
_MAX_PAR_ROUNDING = 0.01
"""Difference from 1 of the price of cash with interest that is not paid yet."""


def find_cash(table: Table, layout: Layout, is_par: BoolArray) -> BoolArray:
    """Return a mask of the lines of cash: by words, of those whose price is 1 or missing."""
    symbol, name, stated = (
        table.text(column) for column in ("symbol", "description", "investment_class")
    )
    described = symbol.str.lower() + "|" + name.str.lower() + "|" + stated.str.lower()
    patterns = [re.compile(pattern) for pattern in layout.cash]
    by_layout = map_bool(described, lambda text: any(one.match(text) for one in patterns))
    by_words = (
        map_bool(symbol, is_cash_text)
        | map_bool(symbol, lambda text: text.endswith("**") or (" " in text and is_cash_name(text)))
        | map_bool(name, is_cash_name)
        | map_bool(stated, is_cash_text)
    )
    cash: BoolArray = ((by_layout | by_words) & is_par) | map_bool(symbol, is_foreign_cash)
    return cash


def names_cash(table: Table) -> BoolArray:
    """Return a mask of the lines whose symbol or name is that of cash, not only their class."""
    symbol, name = table.text("symbol"), table.text("description")
    named: BoolArray = map_bool(symbol, is_cash_text) | map_bool(name, is_cash_name)
    return named


def has_par_price(
    table: Table, value: FloatArray, quantity: FloatArray, price: FloatArray
) -> BoolArray:
    """Return a mask of the lines whose price is 1, or missing, as far as the value shows it.

    An amount can also be the price of a quantity of 1 of what has no name but Cash. A line that is
    cash by its own words, and neither a fund nor a symbol, has no price.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.where(np.isnan(price), value / quantity, price)
    symbols, names = table.text("symbol"), table.text("description")
    stated = table.text("investment_class")
    is_named = map_bool(names, is_cash_name)
    has_word = map_bool(symbols, is_cash_text)
    has_word &= map_bool(stated, lambda text: not text or is_cash_text(text))
    is_unnamed = (names == "").to_numpy(bool) & has_word
    is_amount = _is_amount(value, quantity, price) & (is_named | is_unnamed)
    is_account = map_bool(symbols, _is_account)
    is_account &= ~_are_tickers(symbols) | map_bool(names, _is_account)
    is_par: BoolArray = (np.abs(implied - 1) <= _MAX_PAR_ROUNDING) | ~np.isfinite(implied)
    is_par |= (value == quantity) | is_amount | is_account
    return is_par


def can_be_share(
    table: Table, value: FloatArray, quantity: FloatArray, price: FloatArray
) -> BoolArray:
    """Return a mask of the lines that can be an amount of cash, or one share: CASH,1,75.2,75.2.

    CASH and USD are symbols of securities, too. A name or an asset class tells the two apart.
    """
    symbols = table.text("symbol")
    has_words = (table.text("description") != "") | (table.text("investment_class") != "")
    is_quoted = _is_amount(value, quantity, price) & np.isfinite(price) & (price != 1)
    can_be: BoolArray = is_quoted & _are_tickers(symbols) & map_bool(symbols, is_cash_text)
    return can_be & ~has_words.to_numpy(bool)


def _is_amount(value: FloatArray, quantity: FloatArray, price: FloatArray) -> BoolArray:
    """Return a mask of the lines with a quantity of 1, whose price is their value."""
    is_amount: BoolArray = (quantity == 1) & (np.isnan(price) | (price == value))
    return is_amount


def _are_tickers(symbols: "pd.Series[str]") -> BoolArray:
    """Return a mask of the symbols that have the form of one of a share."""
    return symbols.str.fullmatch(_TICKER).to_numpy(bool)


def _is_account(text: str) -> bool:
    """Return whether a text is that of cash, and not that of a money market fund."""
    if not is_cash_text(text):
        return False
    folded = fold_text(text)
    return not any(part in folded for part in load_vocabulary().cash_parts)


def is_part_of_cash(table: Table, cash: BoolArray, amount: FloatArray) -> BoolArray:
    """Return a mask of the lines of available cash, if one other line states all cash.

    The whole is not smaller than a part of it. Buying power can be more, and is none of the cash.
    """
    vocabulary = load_vocabulary()
    symbol = table.text("symbol")
    names = symbol.mask(symbol == "", table.text("description")).map(fold_text)
    is_whole = cash & names.isin([*vocabulary.cash_whole]).to_numpy(bool)
    is_available = cash & names.isin([*vocabulary.cash_available]).to_numpy(bool)
    if np.count_nonzero(is_whole) != 1:
        return np.zeros_like(cash)
    is_power = names.str.startswith(_BUYING_POWER).to_numpy(bool)
    is_part: BoolArray = is_available & ((amount <= amount[is_whole][0]) | is_power)
    return is_part


def find_cash_sums(table: Table, cash: BoolArray, amount: FloatArray) -> BoolArray:
    """Return a mask of the lines of all cash that are the sum of the lines of cash next to them.

    Those are at least two, all above or all below it, with names of their own: Cash, or its title,
    sums a bank sweep and a money market fund.
    """
    vocabulary = load_vocabulary()
    symbol = table.text("symbol")
    names = symbol.mask(symbol == "", table.text("description")).map(fold_text)
    is_whole = names.isin([*vocabulary.cash_whole]).to_numpy(bool)
    is_available = names.isin([*vocabulary.cash_available]).to_numpy(bool)
    found = np.zeros_like(cash)
    for row in np.flatnonzero(cash & is_whole):
        parts = cash & ~is_available & (names != names.iloc[row]).to_numpy(bool)
        above, below = parts[:row][::-1], parts[row + 1 :]
        n_above, n_below = (int(np.argmin([*side, False])) for side in (above, below))
        sides = (amount[row - n_above : row], amount[row + 1 : row + 1 + n_below])
        found[row] = any(len(side) > 1 and np.isclose(side.sum(), amount[row]) for side in sides)
    return found


def is_debit(table: Table) -> BoolArray:
    """Return a mask of the lines that name cash that is owed."""
    return _is_named(table, load_vocabulary().cash_debit)


def is_unsigned(table: Table) -> BoolArray:
    """Return a mask of the lines of cash that is owed by its name only if it is negative."""
    return _is_named(table, load_vocabulary().cash_margin)


def _is_named(table: Table, words: frozenset[str]) -> BoolArray:
    names = (table.text(column).map(fold_text) for column in ("symbol", "description"))
    return np.logical_or(*(one.isin([*words]).to_numpy(bool) for one in names))


def map_bool(texts: "pd.Series[str]", predicate: Callable[[str], bool]) -> BoolArray:
    """Return the result of a predicate for each text."""
    return np.array([predicate(text) for text in texts], dtype=bool)
