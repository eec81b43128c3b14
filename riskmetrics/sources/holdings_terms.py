"""Terms of the rows of a holdings table: class, side, option, and whether it is sold."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from riskmetrics.errors import DataQualityError
from riskmetrics.sources import cells
from riskmetrics.sources.asset_classes import asset_class, is_cash_text
from riskmetrics.sources.column_contents import (
    ACCOUNT_TYPES,
    MISSING_TEXTS,
    SIDES,
    is_closed_state,
    is_state,
)
from riskmetrics.sources.table_kinds import DATE
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.vocabulary import load_vocabulary, starts_with
from riskmetrics.symbols import clean_symbol_text, parse_option

_TERMS = {"strike_price", "expiration_date", "option_right"}
"""Columns of the terms of options."""
_AFFIRMATIONS = ("yes", "true", "y", "x")
_NONZERO = r"[1-9]"
_RIGHTS = ("CALL", "PUT")
_STATES_OF_SHARES = frozenset({"new", "suspended"})
"""Status of an order that is also that of a position, or of the trading of a share."""


def with_texts(table: Table, **texts: "pd.Series[str]") -> Table:
    """Return a table with replaced or added columns of text."""
    added = {
        name: pa.chunked_array([pa.array(text.tolist(), pa.string())])
        for name, text in texts.items()
    }
    return table._replace(columns={**table.columns, **added})


def class_texts(table: Table) -> "pd.Series[str]":
    """Return asset classes as written; from a column named Type where its words are known."""
    stated, kind = table.text("investment_class"), table.text("type")
    named = kind.map(asset_class)
    if set(named) <= {"", "cash"}:  # Cash is the type of an account, next to Margin
        return stated
    return stated.mask((stated == "") & (named != ""), kind)


def side_texts(table: Table) -> "pd.Series[str]":
    """Return position types as written; from a column named Type where it has sides."""
    stated, kind = table.text("position_type"), table.text("type").str.upper()
    if "position_type" in table.columns or not {*kind} & SIDES:
        return stated.mask(stated.str.upper().isin([*ACCOUNT_TYPES]), "")
    return kind.where(kind.isin([*SIDES]), "")


def sold_texts(table: Table) -> "pd.Series[str]":
    """Return the status or the date by which each row is no longer held; empty if it is held."""
    status, sold = table.text("status"), table.text("closed_date")
    is_closed = status.map(is_closed_state).astype(bool)
    is_sold = sold.map(_is_sale).astype(bool)
    if "closed_date" in table.columns:
        days = cells.parse_dates(table.columns["closed_date"], None, table.default_order)[0]
        is_sold &= ~(days > np.datetime64(date.today()))  # a sale that is planned
    held = table.text("held")
    is_gone = held.str.casefold().isin([*load_vocabulary().denials]) & _has_affirmations(held)
    gone = held.map("held: {}".format)
    return sold.where(is_sold, "").mask(is_closed, status).mask(is_gone, gone)


def closed_problems(table: Table) -> "pd.Series[str]":
    """Return why each row may be a position that is no longer held, without a state that tells it.

    A price of sale on all rows is that for which the holdings could be sold now, unless each row
    has a day, as in a list of closed trades.
    """
    symbols, quantity = table.text("symbol"), table.text("quantity")
    is_security = (symbols != "") & ~symbols.map(is_cash_text).astype(bool)
    is_security &= ~table.text("status").map(is_state).astype(bool)
    is_sized = is_security & quantity.str.contains(_NONZERO)
    problems = pd.Series("", index=symbols.index, dtype="str")
    for name, what in (("exit_price", "price of sale"), ("closed_quantity", "sold quantity")):
        texts = table.text(name)
        is_filled = is_sized & texts.str.contains(_NONZERO)
        is_quote = name == "exit_price" and "date" not in table.columns
        if is_quote and is_filled.sum() == is_sized.sum():
            continue
        problem = f"a {what} (" + texts + "), and no state: remove the line if nothing is held,"
        problems = problems.mask(is_filled, problem + " else the column")
    closed = table.text("closed_date")
    is_number = is_sized & closed.str.fullmatch(r"[\d.,]*[1-9][\d.,]*")
    is_number &= ~closed.map(_is_sale).astype(bool)
    problem = "closed (" + closed + ") is neither a date nor yes or no: remove the line if nothing"
    return problems.mask(is_number, problem + " is held, else the column")


def unclear_states(table: Table) -> "pd.Series[str]":
    """Return why the type of each row, such as Closed, does not tell whether it is held.

    It may be that of a fund: open-end or closed-end. A status such as Pending is that of an order,
    or of a trade that is not settled.
    """
    status = table.text("status")
    is_pending = status.map(_is_pending).astype(bool)
    kind = table.text("type")
    is_unclear = kind.map(is_closed_state).astype(bool) & (table.text("status") == "")
    reasons = kind.map(
        "the type {} is that of a closed position or of a fund. Name the column Status, or write"
        " the type in full".format
    )
    pending = status.map(
        "the status {} is that of an order, which may not be executed: remove the line if it is not"
        " held, else the status".format
    )
    return reasons.where(is_unclear, "").mask(is_pending, pending)


def _is_pending(status: str) -> bool:
    """Return whether a status is that of an order that is not executed, and of no position."""
    is_order = starts_with(status, load_vocabulary().unexecuted - _STATES_OF_SHARES)
    return is_order and not is_state(status)


def require_held_rows(table: Table) -> None:
    """Raise DataQualityError if a column such as Active denies all rows, as of another thing."""
    symbols = table.text("symbol")
    is_security = ~symbols.map(is_cash_text).astype(bool) & (symbols != "")
    held = table.text("held")[is_security]
    denials = load_vocabulary().denials
    if len(held) and held.str.casefold().isin([*denials]).all() and _has_affirmations(held):
        raise DataQualityError(
            f"{table.path} says {held.iloc[0]} on all rows in a column such as Active. If nothing"
            " is held, remove the rows and pass --allow-empty; else remove the column"
        )


def _has_affirmations(texts: "pd.Series[str]") -> bool:
    """Return whether a column affirms or denies: by words, or by both 0 and 1.

    Active can be a weight, whose cells are other numbers, or all 0.
    """
    stated = {*texts} - MISSING_TEXTS
    numbers = {text for text in stated if re.search(r"\d", text)}
    return not numbers or numbers == stated == {"0", "1"}


def _is_sale(text: str) -> bool:
    """Return whether a cell in a column such as Sold is a date or an affirmation."""
    return DATE.fullmatch(text) is not None or text.casefold() in _AFFIRMATIONS


def add_option_rights(table: Table) -> Table:
    """Return a table with the rights of options, if a column of classes has Call and Put."""
    rights = class_texts(table).str.upper()
    if "option_right" in table.columns or not {*rights} & {*_RIGHTS}:
        return table
    return with_texts(table, option_right=rights.where(rights.isin(_RIGHTS), ""))


def unread_holdings(table: Table) -> "pd.Series[str]":
    """Return why what an unread column names may be held; "" where it names nothing."""
    named = table.text("unread_holding")
    advice = (
        " can be what is held: write it in the columns of symbols and quantities, or remove the"
        " column"
    )
    return named.mask(named != "", named + advice)


def described_options(
    table: Table, symbols: "pd.Series[str]", classes: "pd.Series[str]"
) -> tuple["pd.Series[str]", "pd.Series[bool]"]:
    """Return symbols with those of options that only the description names.

    The second result is a mask of the options whose description cannot be read.
    """
    texts = table.text("description")
    is_candidate = (
        classes.map(asset_class).isin(["", "option"])
        & texts.str.contains(r"(?i)\b(?:call|put|[cp])\b")
        & texts.str.contains(r"\d")
        & ~symbols.map(lambda text: parse_option(text) is not None).astype(bool)
    )
    if table.columns.keys() >= _TERMS:
        is_candidate &= table.text("strike_price") == ""
    options = texts.where(is_candidate, "").map(parse_option)
    named = options.map(lambda option: option.symbol if option else None)
    is_unreadable = is_candidate & named.isna() & texts.str.match(r"(?i)(?:call|put)\s")
    return named.fillna(symbols), is_unreadable


def option_symbols(
    table: Table, symbols: "pd.Series[str]", classes: "pd.Series[str]"
) -> "pd.Series[str]":
    """Return symbols, with those of options whose terms are in columns of their own."""
    if not table.columns.keys() >= _TERMS:
        return symbols
    days = cells.parse_dates(table.columns["expiration_date"], None, table.default_order)[0]
    parts = zip(
        symbols,
        table.text("underlying_symbol"),
        days,
        table.text("strike_price"),
        table.text("option_right").str.upper().str[:1],
        classes,
        strict=True,
    )
    named = []
    for symbol, underlying, day, strike, right, stated in parts:
        text = f"{clean_symbol_text(underlying or symbol)} {day} {strike} {right}"
        is_option = asset_class(stated) in {"", "option"} and not parse_option(symbol)
        found = parse_option(text) if is_option else None
        named.append(found.symbol if found else symbol)
    return pd.Series(named, dtype="str")
