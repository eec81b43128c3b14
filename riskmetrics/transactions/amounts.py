"""Validation of stated transactions: signs, amounts, prices and fees."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from riskmetrics.transactions.model import (
    CASH_KINDS,
    CASH_UNIT,
    CONTRACT_SIZE,
    OPTION_ENDS,
    TRADES,
    Kind,
    Transaction,
    TransactionKind,
)

MAX_AMOUNT_DIFFERENCE = Decimal("0.02")
"""Relative difference allowed between a stated amount and quantity times price, which may be
rounded. A bond, or a contract of another size, differs by more."""
MAX_AMOUNT_ROUNDING = Decimal(1)
"""Difference that is always allowed, USD: fractions of a share are rounded."""
QUANTITY_LIMIT, PRICE_LIMIT, AMOUNT_LIMIT = Decimal(10**12), Decimal(10**8 - 1), Decimal(10**14)
"""Exclusive limits of a quantity, of a price and of an amount in USD, which their columns hold."""
_OUTFLOWS = (Kind.BUY, Kind.BUY_TO_COVER, Kind.FEE, Kind.TAX, Kind.WITHDRAWAL)
_INCOMES = (Kind.DIVIDEND, Kind.INTEREST)
_COSTS = (Kind.FEE, Kind.TAX, Kind.WITHDRAWAL)
_COUNTERPARTS = {
    Kind.DEPOSIT: Kind.WITHDRAWAL,
    Kind.WITHDRAWAL: Kind.DEPOSIT,
    Kind.TRANSFER_IN: Kind.TRANSFER_OUT,
    Kind.TRANSFER_OUT: Kind.TRANSFER_IN,
}
_CASH_TRANSFERS = {Kind.TRANSFER_IN: Kind.DEPOSIT, Kind.TRANSFER_OUT: Kind.WITHDRAWAL}


@dataclass(frozen=True)
class StatedTransaction:
    """A transaction as a file states it; numbers have the signs of the file."""

    kind: TransactionKind
    day: date | None
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    fees: Decimal | None = None
    """Fees and taxes of the line, positive if they cost."""
    ratio: Fraction | None = None
    new_symbol: str | None = None
    lot_day: date | None = None
    reference: str = ""
    line: int | None = None
    needs_sign: bool = False
    """Whether the direction of the cash is known from the sign of the amount only."""
    is_left_out: bool = False
    """Whether it is the cash of a security that does not belong to the portfolio."""


class AmountConvention(NamedTuple):
    """Meaning of the numbers of a file."""

    is_signed: bool
    """Whether money that leaves is negative."""
    is_net: bool
    """Whether the amounts of trades contain the fees."""
    has_signed_quantities: bool
    """Whether the quantities of sales are negative."""
    unsigned_costs: frozenset[TransactionKind] = frozenset()
    """Fees, taxes or withdrawals if none of them is negative, although purchases are."""
    has_gross_incomes: bool | None = None
    """Whether the tax of a line is not in the amount of an income.

    None: inferred from quantity times price.
    """
    is_cost: bool = False
    """Whether amounts are what enters the holdings: purchases positive, sales negative."""


class InvalidTransactionError(ValueError):
    """A stated transaction that cannot be applied; the message is the reason."""


def detect_convention(
    stated: Iterable[StatedTransaction],
    *,
    is_net: bool | None = None,
    has_gross_header: bool = False,
) -> AmountConvention:
    """Infer the signs of a file, and whether amounts contain fees unless ``is_net`` states it.

    If no trade shows it, the amounts are without fees if ``has_gross_header`` says so.
    Purchases show whether amounts have signs; a file without purchases has if one is negative.

    Examples
    --------
    >>> bought = StatedTransaction(
    ...     Kind.BUY, None, "KO", Decimal(10), Decimal(60), Decimal(601), Decimal(1)
    ... )
    >>> detect_convention([bought])[:3]
    (False, True, False)
    """
    stated = list(stated)
    paid = [one.amount for one in stated if one.kind == Kind.BUY and one.amount]
    amounts = paid or [one.amount for one in stated if one.amount]
    sales = [one for one in stated if one.kind == Kind.SELL]
    sold = [one.quantity for one in sales if one.quantity]
    received = [one.amount for one in sales if one.amount]
    is_signed = any(amount < 0 for amount in amounts)
    costs = {one.kind for one in stated if one.kind in _COSTS and (one.amount or 0) > 0}
    negative = {one.kind for one in stated if (one.amount or 0) < 0}
    contains_fees, has_gross_incomes = is_net, None if is_net is None else not is_net
    if contains_fees is None:
        contains_fees = _contains_fees(stated, default=not has_gross_header)
        has_gross_incomes = True if has_gross_header and not contains_fees else None
    return AmountConvention(
        is_signed=is_signed,
        is_net=contains_fees,
        has_signed_quantities=any(quantity < 0 for quantity in sold),
        unsigned_costs=frozenset(costs - negative if is_signed else ()),
        has_gross_incomes=has_gross_incomes,
        is_cost=bool(paid and received) and not is_signed and max(received) < 0,
    )


def _contains_fees(stated: Iterable[StatedTransaction], *, default: bool) -> bool:
    """Return whether amounts are nearer to quantity times price with fees than without.

    A trade whose amount is neither does not count: it is rejected.
    """
    from_net = from_gross = Decimal(0)
    for one in stated:
        if one.kind in TRADES and one.amount and one.price and one.quantity and one.fees:
            amount, computed = abs(one.amount), _gross_value(one)
            gross = amount - (one.fees if one.kind in _OUTFLOWS else -one.fees)
            if not any(_is_rounded(number, computed) for number in (amount, gross)):
                continue
            from_gross += abs(amount - computed)
            from_net += abs(gross - computed)
    return default if from_net == from_gross else from_net < from_gross


def complete_transaction(stated: StatedTransaction, convention: AmountConvention) -> Transaction:
    """Return a transaction with the signs and amounts that its kind implies.

    Raises
    ------
    InvalidTransactionError
        If a needed value is missing, or values contradict each other.
    """
    if stated.day is None:
        raise InvalidTransactionError("no date")
    completed = _complete(stated, stated.day, convention)
    for name, limit in (
        ("quantity", QUANTITY_LIMIT),
        ("added_shares", QUANTITY_LIMIT),
        ("price", PRICE_LIMIT),
        ("amount", AMOUNT_LIMIT),
        ("fees", AMOUNT_LIMIT),
    ):
        if abs(number := getattr(completed, name) or Decimal(0)) >= limit:
            text = f"{name.replace('_', ' ')} {number.normalize():,f}"
            raise InvalidTransactionError(f"{text} is too large")
    return completed


def _complete(stated: StatedTransaction, day: date, convention: AmountConvention) -> Transaction:
    transaction = Transaction(
        stated.kind,
        day,
        symbol=stated.symbol,
        lot_day=stated.lot_day,
        reference=stated.reference,
        line=stated.line,
    )
    if stated.kind in TRADES:
        return _complete_trade(transaction, stated, convention)
    if stated.kind in _CASH_TRANSFERS and stated.symbol is None:
        stated = replace(stated, kind=_CASH_TRANSFERS[stated.kind])
    if stated.kind in CASH_KINDS:
        return _complete_cash(transaction, stated, convention)
    if stated.symbol is None:
        raise InvalidTransactionError(f"{stated.kind} without a symbol")
    if stated.kind == Kind.SPLIT:
        return _complete_split(transaction, stated)
    if stated.kind == Kind.SYMBOL_CHANGE:
        if stated.new_symbol in (None, stated.symbol):
            raise InvalidTransactionError("symbol change without a new symbol")
        return replace(transaction, new_symbol=stated.new_symbol)
    return _complete_delivery(transaction, stated, convention)


def _gross_value(stated: StatedTransaction) -> Decimal:
    """Return quantity times price, USD."""
    transaction = Transaction(stated.kind, date.min, symbol=stated.symbol)
    return (
        abs(stated.quantity or Decimal(0)) * (stated.price or Decimal(0)) * transaction.multiplier
    )


def _complete_trade(
    transaction: Transaction, stated: StatedTransaction, convention: AmountConvention
) -> Transaction:
    stated = _with_positive_price(stated)
    if stated.symbol is None:
        raise InvalidTransactionError(f"{stated.kind} without a symbol")
    if not stated.quantity:
        raise InvalidTransactionError(f"{stated.kind} without a quantity")
    is_purchase = stated.kind in (Kind.BUY, Kind.BUY_TO_COVER)
    is_opposite = stated.quantity < 0 if is_purchase else stated.quantity > 0
    if is_opposite and (is_purchase or convention.has_signed_quantities):
        raise InvalidTransactionError(
            f"quantity {stated.quantity} has the sign of the opposite of a {stated.kind}: a"
            " canceled trade? Leave both out"
        )
    if stated.price is None and not stated.amount:
        raise InvalidTransactionError(f"{stated.kind} without a price or an amount")
    sign = -1 if stated.kind in _OUTFLOWS else 1
    fees = stated.fees or Decimal(0)
    if stated.amount is None or (stated.amount == 0 and _gross_value(stated)):
        net = (sign * _gross_value(stated) - fees).quantize(CASH_UNIT, ROUND_HALF_UP)
    else:
        net = _sign_amount(stated, convention, sign)
        gross = net if not convention.is_net else net + fees
        _require_consistent(stated, abs(gross))
        net = net if convention.is_net else net - fees
    price = stated.price
    if price is None:
        price = abs(net + fees) / (abs(stated.quantity) * transaction.multiplier)
    if not net and not transaction.is_option:
        raise InvalidTransactionError(
            f"{stated.kind} at a price of 0: state shares received for nothing as a transfer in"
        )
    return replace(transaction, amount=net, quantity=abs(stated.quantity), price=price, fees=fees)


def _with_positive_price(stated: StatedTransaction) -> StatedTransaction:
    """Return a trade whose price does not have the sign of its negative amount; else raise."""
    if stated.price is None or stated.price >= 0:
        return stated
    if not stated.amount or stated.amount > 0:
        raise InvalidTransactionError(f"price {stated.price} is negative")
    return replace(stated, price=-stated.price)


def _sign_amount(stated: StatedTransaction, convention: AmountConvention, sign: int) -> Decimal:
    """Return the amount with the sign that the kind implies; raise if the file's sign differs."""
    amount = stated.amount or Decimal(0)
    if convention.is_cost:
        return sign * abs(amount)
    if not convention.is_signed:
        amount *= sign
    if amount * sign < 0 and abs(amount) > abs(stated.fees or Decimal(0)):
        raise InvalidTransactionError(
            f"amount {stated.amount} has the sign of the opposite of a {stated.kind}: a canceled"
            " trade? Leave both out"
        )
    return amount


def _is_rounded(gross: Decimal, computed: Decimal) -> bool:
    """Return whether a gross amount is quantity times price but for their rounding."""
    allowed = max(MAX_AMOUNT_ROUNDING, MAX_AMOUNT_DIFFERENCE * computed)
    return abs(gross - computed) <= allowed


def _require_consistent(stated: StatedTransaction, gross: Decimal) -> None:
    """Raise if the gross amount is not quantity times price."""
    if stated.price is None:
        return
    if not _is_rounded(gross, _gross_value(stated)):
        raise InvalidTransactionError(
            f"amount {stated.amount} is not quantity {stated.quantity} times price {stated.price}"
            f" (a bond, or a contract of another size than {CONTRACT_SIZE}?); only shares, funds"
            " and options on them are supported"
        )


def _complete_cash(
    transaction: Transaction, stated: StatedTransaction, convention: AmountConvention
) -> Transaction:
    amount, kind = _cash_amount(stated), stated.kind
    if kind in _INCOMES and stated.fees and _is_gross_income(stated, convention):
        amount -= stated.fees
    if stated.needs_sign and not convention.is_signed:
        raise InvalidTransactionError(
            "the amounts have no signs, so the direction is unknown: state a deposit or a"
            " withdrawal"
        )
    if kind in convention.unsigned_costs and amount > 0:
        received = "a deposit" if kind == Kind.WITHDRAWAL else "interest"
        raise InvalidTransactionError(
            f"{kind} of {amount.normalize():f}, while purchases are negative: write"
            f" {-amount.normalize():f} if it was paid, or state {received} if it was received"
        )
    if not convention.is_signed and kind in _OUTFLOWS:
        amount = -abs(amount)
    expected = -1 if kind in _OUTFLOWS else 1
    if kind in _COUNTERPARTS and amount * expected < 0:
        kind = _COUNTERPARTS[kind]
    return replace(transaction, kind=kind, amount=amount)


def _is_gross_income(stated: StatedTransaction, convention: AmountConvention) -> bool:
    """Return whether the tax of a line has to be subtracted from the amount of an income.

    Not if the amount and the tax are quantity times price. If the file does not say that amounts
    are gross, only if the amount itself is quantity times price.
    """
    if stated.amount is None:
        return True
    amount, computed = abs(stated.amount), _gross_value(stated)
    if not computed or convention.has_gross_incomes is False:
        return bool(convention.has_gross_incomes)
    contains_tax = abs(amount + (stated.fees or 0) - computed) <= CASH_UNIT
    return not contains_tax and (
        bool(convention.has_gross_incomes) or abs(amount - computed) <= CASH_UNIT
    )


def _cash_amount(stated: StatedTransaction) -> Decimal:
    """Return the stated amount, else quantity times price, the quantity of cash, or the fee."""
    if stated.amount is not None:
        return stated.amount
    if stated.quantity and (stated.price or stated.symbol is None):
        return stated.quantity * (stated.price or 1)
    if stated.kind == Kind.FEE and stated.fees:
        return -stated.fees
    raise InvalidTransactionError(f"{stated.kind} without an amount")


def _complete_split(transaction: Transaction, stated: StatedTransaction) -> Transaction:
    if stated.ratio is not None and stated.ratio <= 0:
        raise InvalidTransactionError(f"split ratio {stated.ratio} is not positive")
    if stated.ratio is None and not stated.quantity:
        raise InvalidTransactionError("split without a ratio or added shares")
    return replace(transaction, ratio=stated.ratio, added_shares=stated.quantity or None)


def _complete_delivery(
    transaction: Transaction, stated: StatedTransaction, convention: AmountConvention
) -> Transaction:
    """Complete a transfer of securities, or the end of an option."""
    if not stated.quantity:
        raise InvalidTransactionError(f"{stated.kind} without a quantity")
    transaction = replace(transaction, quantity=abs(stated.quantity))
    if stated.kind in OPTION_ENDS:
        if not transaction.is_option:
            raise InvalidTransactionError(f"{stated.kind} of {stated.symbol}, which is no option")
        sign = -1 if stated.kind == Kind.ASSIGNMENT else 1
        amount = stated.amount or Decimal(0)
        return replace(transaction, amount=amount if convention.is_signed else sign * amount)
    kind = stated.kind
    if kind == Kind.TRANSFER_IN and stated.quantity < 0:
        kind = _COUNTERPARTS[kind]
    return replace(transaction, kind=kind, price=stated.price)
