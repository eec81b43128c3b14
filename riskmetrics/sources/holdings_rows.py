"""Rows of a holdings table: forms of symbols, lots below positions, cash and totals."""

import math
import re
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.sources.asset_classes import (
    is_cash_name,
    is_cash_text,
    is_foreign_cash,
)
from riskmetrics.sources.column_contents import MISSING_TEXTS
from riskmetrics.sources.holdings_cash import (
    can_be_share,
    find_cash,
    find_cash_sums,
    has_par_price,
    is_debit,
    is_part_of_cash,
    is_unsigned,
    map_bool,
    names_cash,
)
from riskmetrics.sources.holdings_groups import find_group_titles
from riskmetrics.sources.holdings_lots import skipped_lines
from riskmetrics.sources.holdings_sizes import read_numbers
from riskmetrics.sources.holdings_terms import (
    add_option_rights,
    class_texts,
    closed_problems,
    described_options,
    option_symbols,
    side_texts,
    sold_texts,
    unclear_states,
    unread_holdings,
    with_texts,
)
from riskmetrics.sources.holdings_totals import has_terms, is_sum_above, is_total_line
from riskmetrics.sources.identifier_forms import is_cusip, is_debt_cusip, is_foreign_isin
from riskmetrics.sources.layouts import CASH_ROW_SYMBOL, Layout
from riskmetrics.sources.statement_parser import SkippedLine
from riskmetrics.sources.symbol_forms import (
    CURRENCIES,
    SymbolForm,
    describe_lone_codes,
    is_coin,
    is_foreign_exchange,
    is_usd,
    parse_symbol_forms,
)
from riskmetrics.sources.tabular_files import Table
from riskmetrics.symbols import MAX_TICKER_LENGTH

MAX_DECORATIONS_NAMED = 8
_NAME = r"[A-Z][a-z]+(?:[ -][A-Z][a-z]+)*"
_WEIGHT_ROUNDING = 1e-3
_UNCLEAR_CASH = (
    " is cash or one share of that symbol: if it is cash, write Cash in a column Name, else the"
    " name of the security"
)
_MAX_PAR_DIFFERENCE = Decimal("0.0001")
"""Difference from 1 of an exchange rate that converts nothing."""


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
    problems = problems.mask(problems == "", closed_problems(table))
    problems = problems.mask(
        (problems == "") & _are_names(table),
        written + " is a name: write its symbol, or pass --map NAME=SYMBOL",
    )
    decorated = dict.fromkeys(
        f"{text} is read as {symbol}"
        for text, symbol in zip(written, symbols, strict=True)
        if text != symbol
    )
    problems = problems.mask(problems == "", unclear_states(table))
    problems = problems.mask(problems == "", unread_holdings(table))
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


def _are_names(table: Table) -> "pd.Series[bool]":
    """Return a mask of the symbols in the case of names, such as Visa, if one is too long for one.

    Some write symbols in that case, too: Aapl.
    """
    symbols = table.text("symbol")
    is_other = map_bool(symbols, is_cash_text) | map_bool(symbols, is_cash_name)
    are_names = symbols.str.fullmatch(_NAME) & ~(is_other | is_total_line(table))
    are_names &= table.text("quantity").str.contains(r"\d")
    has_long = (symbols[are_names].str.len() > MAX_TICKER_LENGTH).any()
    return are_names & bool(has_long)


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
    return table.keep_rows(~is_shared), skipped_lines(table, np.where(is_shared, reasons, ""))


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
    quantity = read_numbers(table, "quantity", decimal)
    is_total = is_total_line(table) & ~has_terms(table, quantity, price)
    cash = find_cash(table, layout, has_par_price(table, value, quantity, price)) & ~is_total
    unclear = cash & can_be_share(table, value, quantity, price)
    table, cash = _with_problem(table, unclear, _UNCLEAR_CASH), cash & ~unclear
    amount = np.where(cash & is_debit(table), -np.abs(amount), amount)
    total = is_total | is_sum_above(table, value, quantity, price)
    is_named = names_cash(table)  # a section of cash can end with the total of all
    total, cash = total & ~(cash & is_named), cash & ~(total & ~is_named)
    unsigned = cash & (amount > 0) & is_unsigned(table)
    foreign = cash & (
        np.isnan(amount)
        | unsigned
        | ~table.text("currency").isin(["", "USD"]).to_numpy(bool)
        | map_bool(table.text("symbol"), is_foreign_cash)
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
    cash &= ~(part := is_part_of_cash(table, cash & ~foreign, amount))
    reasons[part] = "a part of the cash on another line"
    cash &= ~(sums := find_cash_sums(table, cash & ~foreign, amount))
    reasons[sums] = "the sum of the cash next to it"
    reasons[foreign] = "cash without an amount in USD"
    reasons[unsigned] = "a margin balance without a sign, which may be owed: pass --equity"
    reasons[total] = "a total"
    groups = (reasons == "", cash & ~foreign, total)
    titles = _find_titles(*groups, (amount, quantity, price), size_column)
    reasons[titles] = "a title with the sum of its group"
    cash &= ~titles
    is_holding = (reasons == "").astype(bool)
    dollars, totals = amount[cash & ~foreign], value[total & ~np.isnan(value)]
    if size_column == "market_value" and not len(totals):
        _refuse_unnamed_total(table.keep_rows(is_holding), value[is_holding])
    return SplitRows(
        table.keep_rows(is_holding),
        float(dollars.sum()) if len(dollars) else float("nan"),
        float(value[is_holding].sum()),
        float(totals[-1]) if len(totals) else float("nan"),
        not foreign.any(),
        bool(((gone | (sold != "")) & ~(is_blank | cash | total)).any()),
        skipped_lines(table, reasons),
    )


def _with_problem(table: Table, rows: BoolArray, suffix: str) -> Table:
    """Return a table with a problem of some rows, which begins with their symbol."""
    problems = table.text("form_problem").mask(rows, table.text("symbol") + suffix)
    return with_texts(table, form_problem=problems)


def _refuse_unnamed_total(table: Table, value: FloatArray) -> None:
    """Raise DataQualityError if the first or the last of at least three values sums the others."""
    for place in (0, -1) if len(value) > 2 else ():
        if math.isclose(2 * value[place], value.sum(), rel_tol=1e-6):
            [(line, _)] = table.locate(np.array([range(len(value))[place]]))
            raise DataQualityError(
                f"{table.path}: the value on line {line}, {table.text('symbol').iloc[place]}, is"
                " the sum of all others. If it is a total, name it Total; if it is a holding, move"
                " its line between others"
            )


def _find_titles(
    held: BoolArray,
    cash: BoolArray,
    total: BoolArray,
    numbers: tuple[FloatArray, ...],
    size_column: str,
) -> BoolArray:
    """Return a mask of the lines that are titles of groups, with the sum of each.

    Cash is in a group of its own, or in none.
    """
    amount, quantity, price = numbers
    totals = amount[total & np.isfinite(amount)]
    stated = float(totals[-1]) if len(totals) else math.nan
    without_cash = stated - float(np.nansum(amount[cash]))
    titles = np.zeros_like(held)
    for rows, whole in ((held | cash, stated), (held, stated), (held, without_cash)):
        if size_column == "weight" and math.isnan(whole):
            twice = [one for one in (1.0, 100.0) if _is_twice(amount[rows], one)]
            if not twice:
                continue
            whole = twice[0]  # noqa: PLW2901
        titles[rows] = find_group_titles(amount[rows], quantity[rows], price[rows], whole)
        if titles.any():
            break
    # one weight of 100 % and others that sum to it can be a portfolio with a loan
    is_clear = size_column != "weight" or np.count_nonzero(titles) > 1
    return titles if is_clear else np.zeros_like(held)


def _is_twice(weights: FloatArray, whole: float) -> bool:
    """Return whether weights sum to twice the whole: each group is counted twice."""
    return math.isclose(weights.sum(), 2 * whole, rel_tol=_WEIGHT_ROUNDING)
