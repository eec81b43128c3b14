"""Rows of a holdings table: forms of symbols, lots below positions, cash and totals."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.sources import cells
from riskmetrics.sources.asset_classes import (
    is_cash_name,
    is_cash_text,
    is_foreign_cash,
)
from riskmetrics.sources.column_contents import MISSING_TEXTS
from riskmetrics.sources.holdings_terms import (
    add_option_rights,
    class_texts,
    described_options,
    option_symbols,
    side_texts,
    sold_texts,
    with_texts,
)
from riskmetrics.sources.layouts import CASH_ROW_SYMBOL, Layout
from riskmetrics.sources.row_validation import WEIGHT_SCALES
from riskmetrics.sources.statement_days import parse_stated_day
from riskmetrics.sources.statement_parser import SkippedLine
from riskmetrics.sources.symbol_forms import (
    CURRENCIES,
    SymbolForm,
    describe_lone_codes,
    is_coin,
    is_cusip,
    is_debt_cusip,
    is_foreign_exchange,
    is_foreign_isin,
    is_usd,
    parse_symbol_forms,
)
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.vocabulary import load_vocabulary, starts_with

MAX_DECORATIONS_NAMED = 8
_MIN_AMOUNT_SHARE = 0.5
"""Share of the cells with digits above which a column that cannot be read is one of amounts."""
_MAX_TICKER_CHARS = 5
_MAX_PAR_DIFFERENCE = Decimal("0.0001")
"""Difference from 1 of an exchange rate that converts nothing."""
_LOT_DATE = r"\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{4}-\d\d-\d\d"
"""Pattern of a date in the place of a symbol, as in a line of a lot below its position."""


class SplitRows(NamedTuple):
    """Rows of one account by what they are."""

    holdings: Table
    cash: float
    """Cash, dollars; NaN if none is stated."""
    value: float
    """Sum of the market values of the holdings, rejected ones included; NaN if one is missing."""
    total: float
    """Total of the account, dollars, as the file states it; NaN if it does not."""
    is_cash_complete: bool
    """Whether the amounts of all cash lines are known in USD."""
    has_closed: bool
    """Whether a holding is stated to be gone, by a quantity of zero."""
    skipped: list[SkippedLine]


def prepare_rows(table: Table, layout: Layout) -> Table:
    """Return a table with asset classes, bare symbols and the currency as a code.

    Adds the column ``form_problem``: why the form of the symbol is not supported, else empty.
    """
    has_symbols = "symbol" in table.columns
    written = table.text("symbol" if has_symbols else "identifier")
    written = written.mask(written.isin([*MISSING_TEXTS]), "")
    table = with_texts(table, symbol=written)
    parsed = parse_symbol_forms(written)
    forms = [parsed[text] for text in written]
    currency = table.text("currency").str.upper()
    currency = currency.mask(currency.map(is_usd).astype(bool), "USD")
    symbols = pd.Series([form.symbol for form in forms], dtype="str")
    problems = pd.Series([form.problem for form in forms], dtype="str")
    if layout.funds_by_cusip:
        funds = symbols.map(lambda one: is_cusip(one) and not is_debt_cusip(one)).astype(bool)
        problems = problems.mask(funds, "")
    if not has_symbols:  # other identifiers, such as a WKN, have the form of a symbol
        is_identifier = written.str.contains(r"\d") & ~problems.str.contains("ISIN|CUSIP")
        problems = problems.mask(
            is_identifier, written + " is an identifier, not a symbol. Add a column Symbol"
        )
    problems = problems.mask(
        (problems == "") & _is_abroad(table, forms) & (currency == ""),
        written + " is listed outside the United States and the file states no currency: only USD"
        " is supported. If it is in USD, add a column Currency",
    )
    has_rate = table.text("fx_rate").map(_converts).astype(bool)
    problems = problems.mask(
        (problems == "") & has_rate & (currency == ""),
        "an exchange rate of "
        + table.text("fx_rate")
        + " without a currency: only USD is supported",
    )
    coins = map(is_coin, symbols, table.text("description"))
    problems = problems.mask(pd.Series(coins, dtype=bool), written + " is a cryptocurrency")
    decorated = dict.fromkeys(
        f"{text} is read as {symbol}"
        for text, symbol in zip(written, symbols, strict=True)
        if text != symbol
    )
    table = add_option_rights(table)
    classes = class_texts(table)
    symbols, is_unreadable = described_options(table, symbols, classes)
    problems = problems.mask(
        is_unreadable, "the description is that of an option: write its symbol in its place"
    )
    prepared = with_texts(
        table,
        symbol=option_symbols(table, symbols, classes),
        form_problem=problems,
        investment_class=classes,
        currency=currency,
        position_type=side_texts(table),
    )
    forms_named = [*decorated, *describe_lone_codes(written)][:MAX_DECORATIONS_NAMED]
    return prepared._replace(notes=[*table.notes, *forms_named])


def _converts(rate: str) -> bool:
    """Return whether a cell is an exchange rate other than 1, or the currency itself.

    Examples
    --------
    >>> [_converts(text) for text in ("1,05", "EUR", "1.00000001", "0", "USD", "N/A")]
    [True, True, False, False, False, False]
    """
    if rate.upper() in CURRENCIES:
        return not is_usd(rate)
    if not re.fullmatch(r"\d+(?:[.,]\d+)?", rate):
        return False
    number = Decimal(rate.replace(",", "."))
    return number != 0 and abs(number - 1) > _MAX_PAR_DIFFERENCE


def _is_abroad(table: Table, forms: list[SymbolForm]) -> "pd.Series[bool]":
    """Return whether each row is listed outside the United States, by exchange, symbol or ISIN."""
    by_exchange = table.text("exchange").map(is_foreign_exchange).astype(bool)
    by_isin = table.text("identifier").map(is_foreign_isin).astype(bool)
    return by_exchange | by_isin | pd.Series([form.listing != "" for form in forms], dtype=bool)


def place_lots(table: Table, decimal: str, dates: str | None) -> tuple[Table, list[SkippedLine]]:
    """Replace positions by the lots below them, and return the skipped lines.

    A line of a lot has its date in the place of the symbol. Lots whose quantities do not sum to
    that of the position are skipped instead of the position.
    """
    symbols = table.text("symbol")
    is_lot = symbols.str.fullmatch(_LOT_DATE).to_numpy(bool)
    if "quantity" not in table.columns or not is_lot.any() or is_lot[0]:
        return table, []
    position = np.maximum.accumulate(np.where(is_lot, 0, np.arange(table.n_rows)))
    quantity = read_numbers(table, "quantity", decimal)
    sums = np.bincount(position[is_lot], np.nan_to_num(quantity[is_lot]), minlength=table.n_rows)
    has_lots = np.isin(np.arange(table.n_rows), position[is_lot])
    agrees = np.isclose(sums, quantity) & has_lots
    skipped = np.where(is_lot, ~agrees[position], agrees)
    days = symbols.map(
        lambda text: str(parse_stated_day(text, dates or table.default_order).day or text)
    )
    entry = table.text("entry_date").mask(is_lot, days)
    placed = with_texts(
        table, symbol=symbols.iloc[position].reset_index(drop=True), entry_date=entry
    )
    reasons = np.where(
        is_lot, "a lot; the lots do not sum to the position", "the sum of the lots below"
    )
    return placed.keep_rows(~skipped), _skipped_lines(table, np.where(skipped, reasons, ""))


def place_report_cash(table: Table, decimal: str) -> tuple[Table, list[SkippedLine]]:
    """Give the cash of a consolidated statement to its account; skip it if there are several."""
    numbers = table.text("account_number")
    shared = (table.text("symbol") == CASH_ROW_SYMBOL) & numbers.str.contains("(?i)consolidated")
    own = numbers[~shared].unique()
    if not shared.any() or len(own) == 0:
        return table, []
    if len(own) == 1:
        return with_texts(table, account_number=numbers.mask(shared, own[0])), []
    is_shared = shared.to_numpy(bool)
    amounts = zip(read_numbers(table, "market_value", decimal), table.text("currency"), strict=True)
    reasons = [
        f"cash, {amount:,.2f} {currency}, of several accounts together: pass --equity"
        for amount, currency in amounts
    ]
    return table.keep_rows(~is_shared), _skipped_lines(table, np.where(is_shared, reasons, ""))


def split_rows(table: Table, layout: Layout, decimal: str, size_column: str) -> SplitRows:
    """Split the rows of an account into holdings, cash, totals and lines that are neither.

    Parameters
    ----------
    table : Table
        Result of `prepare_rows` for one account.
    layout : Layout
        Layout of the file.
    decimal : str
        Decimal mark of the numbers.
    size_column : str
        Column that states how much is held: quantity, weight or market_value.
    """
    value, size = (read_numbers(table, name, decimal) for name in ("market_value", size_column))
    amount = np.where(np.isnan(value) | (size_column == "weight"), size, value)
    price = read_numbers(table, "last_price", decimal)
    is_par = np.isnan(price) | (price == 1) | (value == size)
    cash = _is_cash(table, layout, is_par) & ~_is_total(table)
    total = _is_total(table) | _is_sum_above(table, value)
    foreign = cash & (
        np.isnan(amount)
        | ~table.text("currency").isin(["", "USD"]).to_numpy(bool)
        | _map_bool(table.text("symbol"), is_foreign_cash)
    )
    is_unnamed = (table.text("symbol") == "").to_numpy(bool)
    is_blank = is_unnamed & np.isnan(size) & (np.isnan(value) | (value == 0))
    gone = (size == 0) & (np.isnan(value) | (value == 0))
    reasons = np.full(table.n_rows, "", dtype=object)
    reasons[gone] = f"{size_column} 0: no longer held"
    sold = sold_texts(table).to_numpy(object)
    reasons[sold != ""] = [f"sold or closed ({text}): no longer held" for text in sold[sold != ""]]
    reasons[is_blank] = "no symbol and no quantity"
    reasons[cash] = [f"cash, {dollars:,.2f}" for dollars in amount[cash]]
    reasons[foreign] = "cash without an amount in USD"
    reasons[total] = "a total"
    is_holding = (reasons == "").astype(bool)
    dollars, totals = amount[cash & ~foreign], value[total & ~np.isnan(value)]
    return SplitRows(
        table.keep_rows(is_holding),
        float(dollars.sum()) if len(dollars) else float("nan"),
        float(value[is_holding].sum()),
        float(totals[-1]) if len(totals) else float("nan"),
        not foreign.any(),
        bool(((gone | (sold != "")) & ~(is_blank | cash | total)).any()),
        _skipped_lines(table, reasons),
    )


def read_numbers(table: Table, name: str, decimal: str) -> FloatArray:
    """Return the numbers of a column, NaN where missing or without column."""
    return (
        cells.parse_numbers(table.columns[name], decimal)[0]
        if name in table.columns
        else np.full(table.n_rows, np.nan)
    )


def weight_scale(table: Table, cash: float, decimal: str) -> float:
    """Return the total that weights refer to, 1 or 100, from their sum including cash."""
    total = np.nansum([*read_numbers(table, "weight", decimal), cash])
    whole = next((whole for low, high, whole in WEIGHT_SCALES if low < total < high), None)
    if whole is None:
        raise DataQualityError(
            f"weights of {table.path} sum to {total:g}, neither 1 nor 100. Add what is missing,"
            " such as a line for cash"
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


def quantities_from_prices(table: Table, decimal: str) -> Table:
    """Add quantities: market value divided by the price of the file."""
    value, price = (read_numbers(table, name, decimal) for name in ("market_value", "last_price"))
    with np.errstate(divide="ignore", invalid="ignore"):
        quantity = value / price
    quantity[~np.isfinite(quantity)] = np.nan
    column = pa.chunked_array([pa.array(quantity, from_pandas=True)])
    note = "quantities are market value divided by price, because the file has no quantities"
    return table._replace(columns={**table.columns, "quantity": column}, notes=[*table.notes, note])


def strip_percent_signs(table: Table) -> Table:
    """Return a table without the percent signs of its weights; values in percent are weights."""
    columns = table.columns
    if not columns.keys() & {"weight", "quantity"} and _is_in_percent(table.text("market_value")):
        columns = {
            "weight" if name == "market_value" else name: column for name, column in columns.items()
        }
        table = table._replace(columns=columns)
    if "weight" not in columns:
        return table
    weights = pc.replace_substring_regex(cells.trim_text(table.columns["weight"]), r" ?%$", "")
    return table._replace(columns={**table.columns, "weight": weights})


def _is_in_percent(texts: "pd.Series[str]") -> bool:
    """Return whether all cells of a column are percentages or missing."""
    filled = texts[~texts.isin([*MISSING_TEXTS])]
    return len(filled) > 0 and bool(filled.str.endswith("%").all())


def _skipped_lines(table: Table, reasons: NDArray[Any]) -> list[SkippedLine]:
    places = np.flatnonzero(reasons != "")
    return [
        SkippedLine(line, str(reason))
        for (line, _), reason in zip(table.locate(places), reasons[places], strict=True)
    ]


def _map_bool(texts: "pd.Series[str]", predicate: Callable[[str], bool]) -> BoolArray:
    return np.array([predicate(text) for text in texts], dtype=bool)


def _is_total(table: Table) -> BoolArray:
    """Return a mask of the lines of totals: by the symbol, else by the name of the line."""
    symbol, name = table.text("symbol"), table.text("description")
    totals = load_vocabulary().totals
    return _map_bool(symbol.mask(symbol == "", name), lambda text: starts_with(text, totals))


def _is_sum_above(table: Table, value: FloatArray) -> BoolArray:
    """Return a mask of the lines of a sum: without a symbol, or with a word and several lines."""
    above = section = 0.0
    n_above = 0
    found = np.zeros(table.n_rows, dtype=bool)
    for row, (symbol, amount) in enumerate(zip(table.text("symbol"), value, strict=True)):
        if np.isnan(amount) or amount == 0:
            continue
        is_word = symbol.isalpha() and len(symbol) > _MAX_TICKER_CHARS and n_above > 1
        is_sum = bool(np.isclose(amount, [above, section], rtol=1e-6).any())
        found[row] = is_sum and (symbol == "" or is_word)
        n_above += not found[row]
        above, section = (above, 0.0) if found[row] else (above + amount, section + amount)
    return found


def _is_cash(table: Table, layout: Layout, is_par: BoolArray) -> BoolArray:
    """Return a mask of the lines of cash: by words, of those whose price is 1 or missing."""
    symbol, name, stated = (
        table.text(column) for column in ("symbol", "description", "investment_class")
    )
    described = symbol.str.lower() + "|" + name.str.lower() + "|" + stated.str.lower()
    patterns = [re.compile(pattern) for pattern in layout.cash]
    by_layout = _map_bool(described, lambda text: any(one.match(text) for one in patterns))
    by_words = (
        _map_bool(symbol, is_cash_text)
        | _map_bool(symbol, lambda text: text.endswith("**"))
        | _map_bool(name, is_cash_name)
        | _map_bool(stated, is_cash_text)
    )
    cash: BoolArray = ((by_layout | by_words) & is_par) | _map_bool(symbol, is_foreign_cash)
    return cash
