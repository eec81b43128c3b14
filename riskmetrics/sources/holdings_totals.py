"""Lines of a holdings table that are totals: by their words, or as the sums of others."""

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.sources.holdings_cash import map_bool
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary, starts_with
from riskmetrics.symbols import MAX_TICKER_LENGTH

_MIN_NAME_WORDS = 4
"""Words of the name of a fund that begins with Total."""


def is_total_line(table: Table) -> BoolArray:
    """Return a mask of the lines of totals: by the symbol, else by the name of the line."""
    symbol, name = table.text("symbol"), table.text("description")
    totals = load_vocabulary().totals
    return map_bool(symbol.mask(symbol == "", name), lambda text: starts_with(text, totals))


def is_sum_above(
    table: Table, value: FloatArray, quantity: FloatArray, price: FloatArray
) -> BoolArray:
    """Return a mask of the lines of a sum.

    They are without a symbol, have a word below several lines, or have a word such as All in its
    place, no price, and the sums of the values and of the quantities of other symbols. With a name
    or a word they have no terms of a holding: a value can be a sum by chance. The name of a total
    or of an asset class is that of no holding, so that one line above is enough.
    """
    sums = np.zeros((2, 2))  # of all lines and of the section; of values and quantities
    n_above = 0
    found = np.zeros(table.n_rows, dtype=bool)
    symbols: set[str] = set()
    names = load_vocabulary().sums
    description = table.text("description")
    for row, symbol in enumerate(table.text("symbol")):
        amounts = np.array([value[row], quantity[row]])
        if np.isnan(amounts[0]) or amounts[0] == 0:
            continue
        is_sum = np.isclose(amounts, sums, rtol=1e-6)
        is_word = symbol.isalpha() and len(symbol) > MAX_TICKER_LENGTH and n_above > 1
        is_title = symbol != symbol.upper()  # SUM after one line may be a symbol
        is_named = bare_words(symbol) in names and symbol not in symbols
        is_named &= is_title or len(symbols) > 1
        is_of_both = is_named and np.isnan(price[row]) and is_sum.all(axis=1).any()
        has_terms = np.isfinite(price[row]) or (amounts[1] > 0 and not is_sum.all(axis=1).any())
        is_lone = symbol == "" and description[row] == ""
        is_other = (symbol == "" and n_above > 1) or is_word
        is_sum_of_values = is_sum[:, 0].any() and (is_lone or (is_other and not has_terms))
        if symbol == "" and _is_sum_name(description[row]):
            is_sum_of_values |= is_sum.all(axis=1).any() or (is_sum[:, 0].any() and not has_terms)
        found[row] = is_of_both or is_sum_of_values
        n_above += not found[row]
        symbols |= set() if found[row] else {symbol}
        sums += 0 if found[row] else np.nan_to_num(amounts)
        sums[1] *= not found[row]
    return found


def _is_sum_name(name: str) -> bool:
    """Return whether the whole name of a line is a word for a total, or that of an asset class."""
    vocabulary = load_vocabulary()
    return any(
        bare_words(name) in words for words in (vocabulary.totals, *vocabulary.classes.values())
    )


def has_terms(table: Table, quantity: FloatArray, price: FloatArray) -> BoolArray:
    """Return a mask of the lines without a symbol whose name is that of a holding, not of a total.

    Total International Index Trust has a quantity, and a price or a name of several words.
    """
    n_words = table.text("description").map(bare_words).str.count(" ").to_numpy() + 1
    is_holding: BoolArray = (quantity > 0) & (np.isfinite(price) | (n_words >= _MIN_NAME_WORDS))
    return is_holding & (table.text("symbol") == "").to_numpy(bool)
