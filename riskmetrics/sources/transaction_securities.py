"""Securities of the rows of transactions: their symbols, and those that are not supported."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from riskmetrics.sources.asset_classes import asset_class, is_supported_class
from riskmetrics.sources.identifier_forms import is_foreign_isin
from riskmetrics.sources.option_terms import names_option
from riskmetrics.sources.security_identifiers import (
    StatedSecurity,
    has_wrong_check_digit,
    identifier_key,
    learn_symbols,
)
from riskmetrics.sources.symbol_forms import is_coin, is_foreign_exchange, is_usd, parse_symbol_form
from riskmetrics.symbols import normalize_symbol


class StatedRow(NamedTuple):
    """A row of a file: cells by column."""

    line: int | None
    raw: str
    cells: Mapping[str, str]
    table: str = ""
    """Key of its layout."""


class UnreadRowError(ValueError):
    """A row that is no transaction; the message is the reason."""

    def __init__(self, reason: str, *, is_rejected: bool = True) -> None:
        super().__init__(reason)
        self.is_rejected = is_rejected
        """Whether the row could change holdings or cash."""


def security_names(row: StatedRow) -> list[str]:
    """Return the texts that may name the security of a row."""
    names = ("symbol", "identifier", "description")
    return [row.cells[name] for name in names if row.cells.get(name)]


def plain_symbol(row: StatedRow, text: str, *, has_vendor_codes: bool = False) -> str:
    """Return the normal form of a symbol without decoration; raise if it is not supported."""
    form = parse_symbol_form(text, has_vendor_codes=has_vendor_codes)
    if identifier_key(text):
        raise unknown_identifier(text)
    if form.problem:
        raise UnreadRowError(f"{form.problem}; pass --leave-out {text!r}")
    if form.listing and not row.cells.get("currency"):
        raise UnreadRowError(_foreign_listing_reason(text))
    if symbol := normalize_symbol(form.symbol):
        return symbol
    raise UnreadRowError(f"symbol '{text}' is not a symbol: pass --map '{text}=SYMBOL'")


def unknown_identifier(text: str) -> UnreadRowError:
    """Return the error of a row whose security is only named by an ISIN or CUSIP."""
    if has_wrong_check_digit(text):
        return UnreadRowError(f"{text} is no ISIN: its check digit is wrong. Correct it")
    return UnreadRowError(f"only the identifier {text}: pass --map {text}=SYMBOL")


def learn_row_symbols(rows: Iterable[StatedRow]) -> dict[str, str]:
    """Return the symbols that rows of shares state next to an identifier, by its key."""
    return learn_symbols(
        StatedSecurity(row.cells["symbol"], row.cells["identifier"], row.cells.get("currency", ""))
        for row in rows
        if row.cells.keys() >= {"symbol", "identifier"} and not _is_option(row)
    )


def _is_option(row: StatedRow) -> bool:
    """Return whether a row may be of an option, whose identifier may be that of the share."""
    return (
        bool(row.cells.get("option_right") or row.cells.get("strike_price"))
        or asset_class(row.cells.get("investment_class", "")) == "option"
        or names_option(row.cells.get("description", ""))
    )


def _foreign_listing_reason(name: str) -> str:
    return (
        f"{name} is listed outside the United States and the file states no currency: only USD is"
        f" supported. If it is in USD, add a column Currency, else pass --leave-out {name!r}"
    )


def reject_unsupported(
    row: StatedRow, price: Decimal | None = None, *, has_coins: bool = False
) -> None:
    """Raise if a row is in another currency, or of an asset class that has no prices."""
    currency = row.cells.get("currency", "").upper()
    leave_out = f"pass --leave-out {next(iter(security_names(row)), 'NAME')!r}"
    if currency and not is_usd(currency):
        raise UnreadRowError(f"currency {currency}: only USD is supported; {leave_out}")
    is_abroad = is_foreign_exchange(row.cells.get("exchange", ""))
    if not currency and (is_abroad or is_foreign_isin(row.cells.get("identifier", ""))):
        raise UnreadRowError(_foreign_listing_reason(next(iter(security_names(row)), "the row")))
    symbol, name = row.cells.get("symbol", ""), row.cells.get("description", "")
    if is_coin(symbol, name, math.inf if has_coins and not name else float(price or 0)):
        raise UnreadRowError(f"{symbol} is a cryptocurrency; {leave_out}")
    stated = row.cells.get("investment_class", "")
    if not is_supported_class(stated, symbol, name):
        raise UnreadRowError(
            f"{stated}: only shares, funds and options on them are supported; {leave_out}"
        )
