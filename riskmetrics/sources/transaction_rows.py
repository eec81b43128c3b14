"""Interpretation of the rows of a transaction file: kind, day, symbol and numbers."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from riskmetrics.sources import dates
from riskmetrics.sources.holdings_columns import FOREIGN_AMOUNT
from riskmetrics.sources.option_terms import find_option_symbol
from riskmetrics.sources.security_identifiers import SymbolLookup, look_up_nothing
from riskmetrics.sources.symbol_forms import is_usd
from riskmetrics.sources.transaction_layouts import (
    CASH_TRANSFER,
    SKIPPED,
    UNSUPPORTED,
    TransactionLayout,
)
from riskmetrics.sources.transaction_numbers import Numbers, require_executed
from riskmetrics.sources.transaction_securities import (
    StatedRow,
    UnreadRowError,
    plain_symbol,
    reject_unsupported,
    security_names,
    unknown_identifier,
)
from riskmetrics.sources.vocabulary import fold_text, load_vocabulary, starts_with
from riskmetrics.symbols import normalize_symbol
from riskmetrics.transactions.amounts import StatedTransaction
from riskmetrics.transactions.model import CASH_KINDS, Kind, TransactionKind

_FEE_COLUMNS = ("commission", "fees", "taxes")
_AS_OF = re.compile(r"^.* as of ", re.IGNORECASE)
_CANCELED = re.compile(
    r"\b(ca|cancel\w*|cxld?|void(?:ed)?|annul\w*|storn\w*|reversal|reversed)\b", re.IGNORECASE
)
_REINVESTED = re.compile(r"reinv|wiederanl|herbeleg|\bdrip\b")
_REINVESTED_WITH_INCOME = re.compile(r"reinv(div|int|lg|md|sh)", re.IGNORECASE)
"""Actions of Quicken that are an income and its reinvestment in one line."""
_RATIO = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*[:/]\s*(\d{1,4})")
_RATIO_IN_TEXT = re.compile(r"(?<![\d.:])(\d{1,3}):(\d{1,3})(?![\d.:])")
_WORDED_RATIO = re.compile(
    r"(?<![\d.])(\d{1,4}(?:\.\d+)?)(?:\s+|-)for(?:\s+|-)(\d{1,4})(?![\d.])",
    re.IGNORECASE,
)
_RATIO_TO = re.compile(
    r"(?<![\d.])(?<!from )(\d{1,4}(?:\.\d+)?)(?:\s+|-)to(?:\s+|-)(\d{1,4})(?![\d.])",
    re.IGNORECASE,
)
"""Ratio that is one only as N to 1, or of a reverse split: 10 to 40 can be shares."""
_REVERSE = re.compile(r"\breverse\b|consolidation", re.IGNORECASE)
_MONEY_MARKET = re.compile(r"[A-Z]{3}XX|[A-Z]+\*\*")
_CASH_SYMBOL = re.compile(r"\$?\$?CASH([-_].*)?|USD|\$", re.IGNORECASE)
_ISSUER = re.compile(r"(?P<symbol>[A-Z0-9. ]{1,20}?) ?\([A-Z]{2}[A-Z0-9]{9}\d\) ?(?P<rest>.*)")
"""Start of a description of Interactive Brokers, such as AAPL(US0378331005) Cash Dividend."""
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")
_OPTION_CLASS = re.compile(r"\b(opt\w*|calls?|puts?|c|p)\b", re.IGNORECASE)
_TRANSFERS = {Kind.DEPOSIT: Kind.TRANSFER_IN, Kind.WITHDRAWAL: Kind.TRANSFER_OUT}


@dataclass(frozen=True)
class TransactionOptions:
    """What a user decides about a file."""

    symbols: Mapping[str, str] = field(default_factory=dict)
    """Symbol by the symbol, ISIN or name in the file."""
    left_out: Collection[str] = ()
    """Symbols, or names in the symbol column, that do not belong to the portfolio."""
    decimal: str | None = None
    """Decimal mark, "." or ",". None: inferred."""
    date_order: str | None = None
    """Order of the dates with separators, mdy or dmy. None: inferred."""
    look_up: SymbolLookup = look_up_nothing
    """Returns the known symbols of ISINs and CUSIPs of rows without a symbol."""


class RowReader:
    """Reader of the rows of a file; ``days`` are its dates, which settle ambiguous ones.

    The default order is used for dates that do not show theirs. ``identified`` are the symbols of
    texts that are identifiers. ``has_vendor_codes`` is that of `symbol_forms.parse_symbol_form`;
    ``statuses`` are those of all rows. With ``has_coins`` SOL is a coin, not a share.
    """

    def __init__(
        self,
        options: TransactionOptions,
        days: Iterable[str],
        default_order: str | None = None,
        identified: Mapping[str, str] = MappingProxyType({}),
        *,
        has_vendor_codes: bool = False,
        statuses: Collection[str] = (),
        has_coins: bool = False,
    ) -> None:
        self._has_vendor_codes, self._has_coins = has_vendor_codes, has_coins
        self._statuses, self._executed = {*statuses}, load_vocabulary().executed
        self._options, self._identified = options, identified
        self._order = dates.infer_order(_AS_OF.sub("", text) for text in days) or default_order
        self._days: dict[tuple[str, str | None], date | None] = {}
        self._left_out = {name.casefold() for name in options.left_out}
        self._symbols = {name.casefold(): symbol for name, symbol in options.symbols.items()}

    def read(
        self, row: StatedRow, numbers: Numbers, layout: TransactionLayout
    ) -> StatedTransaction:
        """Return what a row states.

        Raises
        ------
        UnreadRowError
            If the row is no transaction, or cannot be read.
        """
        row = _name_traded(_name_issuer(row), layout)
        known = _known_numbers(row, numbers, layout)
        row = self._plain_option_terms(row, known, layout)
        kind = _find_kind(row, known, layout)
        is_left_out = any(name.casefold() in self._left_out for name in security_names(row))
        if not is_left_out:
            reject_unsupported(row, known.get("price"), has_coins=self._has_coins)
        if row.cells.get("day") is None:
            raise UnreadRowError("no date")
        self._require_known_status(row.cells.get("status", ""))
        require_executed(known)
        day = self._day(row.cells["day"], layout)
        if day is None:
            raise UnreadRowError(
                f"day '{row.cells['day']}' is not an unambiguous date: pass --dates mdy or dmy"
            )
        if not dates.FIRST_DAY <= day <= date.today():
            place = "in the future" if day > dates.FIRST_DAY else f"before {dates.FIRST_DAY.year}"
            raise UnreadRowError(f"day {day} is {place}: correct it, or leave the line out")
        if is_left_out:
            return _external_cash(row, kind, day, known)
        if kind == Kind.BUY and known.get("amount") and is_reinvested(row):
            known["amount"] = -abs(known["amount"])  # some state the income that it is paid with
        kind, symbol = _refine(kind, self._symbol(row, layout), known)
        if symbol and _MONEY_MARKET.fullmatch(symbol) and kind not in CASH_KINDS:
            raise UnreadRowError("a sweep between cash and a money market fund", is_rejected=False)
        return StatedTransaction(
            kind,
            day,
            symbol=symbol,
            quantity=known.get("quantity"),
            price=known.get("price"),
            amount=known.get("amount"),
            fees=_sum_fees(known, layout),
            ratio=_ratio(row, known.get("quantity")) if kind == Kind.SPLIT else None,
            new_symbol=normalize_symbol(row.cells.get("new_symbol", "")),
            lot_day=self._day(row.cells.get("lot_day", ""), layout),
            reference=row.cells.get("reference", ""),
            line=row.line,
            needs_sign=layout.find_kind(_kind_text(row)) == CASH_TRANSFER,
        )

    def _require_known_status(self, status: str) -> None:
        """Raise if a status that not all rows have does not say whether the row was executed."""
        if len(self._statuses) > 1 and status and not starts_with(status, self._executed):
            raise UnreadRowError(
                f"status '{status}' does not tell if it was executed. Remove the line or the status"
            )

    def _plain_option_terms(
        self, row: StatedRow, numbers: Mapping[str, Decimal], layout: TransactionLayout
    ) -> StatedRow:
        """Write strike and expiration of an option in the notation of a program."""
        terms = {}
        if (strike := numbers.get("strike_price")) is not None:
            terms["strike_price"] = f"{strike:f}"
        if day := self._day(row.cells.get("expiration_date", ""), layout):
            terms["expiration_date"] = day.isoformat()
        return row._replace(cells={**row.cells, **terms})

    def _day(self, text: str, layout: TransactionLayout) -> date | None:
        order = self._options.date_order or layout.date_order or self._order
        if (text, order) not in self._days:
            self._days[text, order] = parse_day(text, order)
        return self._days[text, order]

    def _symbol(self, row: StatedRow, layout: TransactionLayout) -> str | None:
        """Return the normal form of the symbol of a row; None if it has none."""
        for name in security_names(row):
            if mapped := self._symbols.get(name.casefold()):
                return mapped
        if option := find_option_symbol(
            row.cells, in_description=layout.has_options_in_description
        ):
            return option
        stated = f"{row.cells.get('investment_class', '')} {row.cells.get('option_right', '')}"
        if _OPTION_CLASS.search(stated):
            raise UnreadRowError(
                f"the terms of the option {row.cells.get('symbol')} are unreadable"
            )
        text = row.cells.get("symbol", "")
        if _MONEY_MARKET.fullmatch(text.upper()):
            return text.upper()
        isin = text if _ISIN.fullmatch(text) else row.cells.get("identifier", "")
        if symbol := self._identified.get(text or isin):
            return symbol
        if text and not _CASH_SYMBOL.fullmatch(text) and text != isin:
            return plain_symbol(row, text, has_vendor_codes=self._has_vendor_codes)
        if isin:
            raise unknown_identifier(isin)
        return None


def _name_issuer(row: StatedRow) -> StatedRow:
    """Move the symbol that a description starts with into its own cell."""
    for name in ("kind", "payer"):
        if found := _ISSUER.fullmatch(row.cells.get(name, "")):
            symbol = row.cells.get("symbol", found["symbol"])
            texts = {name: found["rest"], "description": found["rest"], "symbol": symbol}
            return row._replace(cells={**row.cells, **texts})
    return row


def _name_traded(row: StatedRow, layout: TransactionLayout) -> StatedRow:
    """Move the symbol in the text of the kind, with the terms of an option, and its currency."""
    found = re.search(layout.terms_pattern or "(?!)", _kind_text(row), re.IGNORECASE)
    named = found.groupdict() if found else {}
    if not (symbol := named.get("symbol")):
        return row
    text = " ".join(filter(None, (symbol, named.get("terms"))))
    currency = {"currency": named["currency"]} if named.get("currency") else {}
    return row._replace(cells={**row.cells, **currency, "symbol": text})


def _known_numbers(
    row: StatedRow, numbers: Numbers, layout: TransactionLayout
) -> dict[str, Decimal]:
    """Return the numbers of a row by column, and those in the text of its kind."""
    for name, number in numbers.items():
        if number is None:
            text = row.cells[name]
            is_foreign = re.match(FOREIGN_AMOUNT, text)
            problem = f"{name} {text}: only USD is supported"
            raise UnreadRowError(problem if is_foreign else f"{name} '{text}' is not a number")
    found = {name: number for name, number in numbers.items() if number is not None}
    if "amount" not in found and found.keys() & {"debit", "credit"}:
        debit, credit = (abs(found.get(name, Decimal(0))) for name in ("debit", "credit"))
        found["amount"] = credit - debit
    pattern = layout.terms_pattern
    if pattern and (terms := re.search(pattern, _kind_text(row), re.IGNORECASE)):
        for name in {"quantity", "price"} & terms.groupdict().keys():
            found.setdefault(name, Decimal(terms[name].replace(",", "")))
    return found


def _find_kind(
    row: StatedRow, numbers: Mapping[str, Decimal], layout: TransactionLayout
) -> TransactionKind:
    text, quantity = _kind_text(row), numbers.get("quantity")
    if _CANCELED.search(text):
        raise UnreadRowError(f"'{text}' cancels another line: leave both lines out")
    found = layout.find_kind(text) if text else None
    found = found or layout.fixed_kind
    if found == SKIPPED:
        raise UnreadRowError(f"no change: {text}", is_rejected=False)
    if found == UNSUPPORTED:
        raise UnreadRowError(
            f"'{text}' does not tell what it changes: state it in a table of your own, such as a"
            " split with its ratio"
        )
    is_spent = quantity and (numbers.get("amount") or 0) < 0
    if found == Kind.DIVIDEND and is_spent and _REINVESTED.search(fold_text(text)):
        return Kind.BUY  # a negative dividend of another text is that of a short position
    if found:
        return Kind.DEPOSIT if found == CASH_TRANSFER else TransactionKind(found)
    if layout.kind_by_sign and quantity and not text:
        return _kind_by_sign(quantity, row.cells.get("code", ""))
    if not text and "day" not in row.cells and _CASH_SYMBOL.fullmatch(row.cells.get("symbol", "")):
        raise UnreadRowError("a balance of cash", is_rejected=False)
    if not quantity and not numbers.get("amount") and not layout.names_kind(text):
        raise UnreadRowError(f"no quantity and no amount: {text or '(empty)'}", is_rejected=False)
    raise UnreadRowError(f"unknown kind '{text}'" if text else "no kind, such as Buy or Sell")


def is_reinvested(row: StatedRow) -> bool:
    """Return whether the text of a row names a reinvested dividend."""
    return _REINVESTED.search(fold_text(_kind_text(row))) is not None


def states_income(row: StatedRow) -> bool:
    """Return whether a line that names a reinvestment is that of the income, too."""
    return _REINVESTED_WITH_INCOME.fullmatch(row.cells.get("kind", "")) is not None


def _kind_by_sign(quantity: Decimal, code: str) -> TransactionKind:
    """Return the side of a trade by its sign, and by the codes O (opens) and C (closes)."""
    codes = set(code.split(";"))
    if "Ca" in codes:
        raise UnreadRowError("the trade is canceled: leave it and the trade itself out")
    if quantity > 0:
        return Kind.BUY_TO_COVER if codes & {"C"} and not codes & {"O"} else Kind.BUY
    return Kind.SELL_SHORT if codes & {"O"} and not codes & {"C"} else Kind.SELL


def _sum_fees(numbers: Mapping[str, Decimal], layout: TransactionLayout) -> Decimal | None:
    stated = [numbers[name] for name in _FEE_COLUMNS if name in numbers]
    if layout.has_signed_fees:
        return -sum(stated, Decimal(0)) if stated else None
    return sum((abs(fee) for fee in stated), Decimal(0)) if stated else None


def _external_cash(
    row: StatedRow, kind: TransactionKind, day: date, numbers: Mapping[str, Decimal]
) -> StatedTransaction:
    """Return the cash of a security that is left out: it leaves, or comes from outside."""
    value = numbers.get("quantity", Decimal(0)) * numbers.get("price", Decimal(0))
    amount = numbers.get("amount", abs(value))
    if not amount or kind in (Kind.SPLIT, Kind.TRANSFER_IN, Kind.TRANSFER_OUT):
        raise UnreadRowError("left out", is_rejected=False)
    if (currency := row.cells.get("currency", "")) and not is_usd(currency):
        raise UnreadRowError("left out, with its cash in another currency", is_rejected=False)
    is_paid = amount < 0 or kind in (Kind.BUY, Kind.BUY_TO_COVER, Kind.FEE, Kind.TAX)
    return StatedTransaction(
        Kind.WITHDRAWAL if is_paid else Kind.DEPOSIT,
        day,
        amount=-abs(amount) if is_paid else amount,
        is_left_out=True,
        reference=row.cells.get("reference", ""),
        line=row.line,
    )


def parse_day(text: str, order: str | None) -> date | None:
    """Return the day of a date or time; None if it is missing, invalid or ambiguous.

    Of a date "as of" another one, the other one is effective.

    Examples
    --------
    >>> parse_day("06/26/2024 as of 06/24/2024", "mdy"), parse_day("2024-03-04 12:00:00 AM", None)
    (datetime.date(2024, 6, 24), datetime.date(2024, 3, 4))
    """
    effective = _AS_OF.sub("", text).replace(";", " ").strip()
    return dates.parse_date(effective, order)


def _kind_text(row: StatedRow) -> str:
    return " ".join(row.cells[name] for name in ("kind", "kind_detail") if row.cells.get(name))


def _refine(
    kind: TransactionKind, symbol: str | None, numbers: Mapping[str, Decimal]
) -> tuple[TransactionKind, str | None]:
    """Return kind and symbol of what a transfer moves: shares if it has a quantity, else cash."""
    if symbol and numbers.get("quantity"):
        return _TRANSFERS.get(kind, kind), symbol
    if kind in (Kind.TRANSFER_IN, Kind.TRANSFER_OUT) and numbers.get("amount"):
        return kind, None
    return kind, symbol


def _ratio(row: StatedRow, quantity: Decimal | None) -> Fraction | None:
    """Return the ratio of a split from its column, or from words such as 4 for 1.

    A colon elsewhere, where 1:4 is old to new shares in some countries, counts only next to added
    shares, whose sign tells the direction: those that do not agree are not added, but the new
    holding. Words such as 4 to 1 count only next to no quantity.
    """
    text = row.cells.get("ratio", "")
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return Fraction(text)
    worded = (row.cells.get("description", ""), _kind_text(row))
    stated = (_RATIO.fullmatch(text), *map(_WORDED_RATIO.search, worded))
    if found := next((one for one in stated if one), None):
        return Fraction(found[1]) / Fraction(found[2])
    if not quantity:
        return _ratio_to(" ".join(worded))
    found = _RATIO_IN_TEXT.search(" ".join(worded))
    terms = [Fraction(term) for term in found.groups()] if found else []
    if not terms or min(terms) != 1:
        return None
    return max(terms) if quantity > 0 else 1 / max(terms)


def _ratio_to(text: str) -> Fraction | None:
    """Return the ratio of words such as 4 to 1, or of a reverse split of 1 to 10 or 10 to 1.

    Examples
    --------
    >>> [str(_ratio_to(text)) for text in ("Split 4 to 1", "Reverse split 10 to 1", "Split 1 to 4")]
    ['4', '1/10', 'None']
    """
    found = _RATIO_TO.search(text)
    if not found:
        return None
    first, second = Fraction(found[1]), Fraction(found[2])
    if _REVERSE.search(text) and first and 1 in (first, second):
        return min(first, second) / max(first, second)
    return first if second == 1 else None
