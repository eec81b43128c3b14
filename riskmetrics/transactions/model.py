"""Transactions of a portfolio: kinds, and the record of one transaction."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from riskmetrics.symbols import parse_option

CONTRACT_SIZE = 100
"""Shares of the underlying per option contract."""
QUANTITY_UNIT, PRICE_UNIT, CASH_UNIT = Decimal("1e-10"), Decimal("1e-4"), Decimal("0.01")
"""Smallest units of stored quantities, prices per share and balances."""


class TransactionKind(StrEnum):
    """Kind of a transaction."""

    BUY = "buy"
    """Purchase; covers short lots first."""
    SELL = "sell"
    """Sale of a long holding; never opens a short one."""
    SELL_SHORT = "sell_short"
    """Opening short sale, also of an option that is written."""
    BUY_TO_COVER = "buy_to_cover"
    """Purchase that closes a short holding."""
    DIVIDEND = "dividend"
    """Distribution in cash."""
    INTEREST = "interest"
    FEE = "fee"
    TAX = "tax"
    SPLIT = "split"
    """Split by a ratio, new shares per old share."""
    TRANSFER_IN = "transfer_in"
    """Securities from another account."""
    TRANSFER_OUT = "transfer_out"
    """Securities to another account."""
    DEPOSIT = "deposit"
    """Cash from outside the portfolio."""
    WITHDRAWAL = "withdrawal"
    """Cash to outside the portfolio."""
    EXERCISE = "exercise"
    """Exercise of a long option; the delivery is a purchase or sale of its own."""
    ASSIGNMENT = "assignment"
    """Assignment of a short option; the delivery is a purchase or sale of its own."""
    EXPIRATION = "expiration"
    """Expiration of an option without value."""
    SYMBOL_CHANGE = "symbol_change"
    """New symbol of the same security."""


Kind = TransactionKind

TRADES = (Kind.BUY, Kind.SELL, Kind.SELL_SHORT, Kind.BUY_TO_COVER)
OPTION_ENDS = (Kind.EXERCISE, Kind.ASSIGNMENT, Kind.EXPIRATION)
EXTERNAL_KINDS = (Kind.DEPOSIT, Kind.WITHDRAWAL)
"""Cash from and to outside the portfolio. Without any, its cash is unknown."""
CASH_KINDS = (
    Kind.DIVIDEND,
    Kind.INTEREST,
    Kind.FEE,
    Kind.TAX,
    *EXTERNAL_KINDS,
)
"""Kinds that change the cash only."""

PROCESSING_ORDER = {
    kind: rank
    for rank, kinds in enumerate(
        (
            (Kind.SPLIT, Kind.SYMBOL_CHANGE),
            (Kind.TRANSFER_IN, Kind.BUY, Kind.SELL_SHORT),
            (Kind.SELL, Kind.BUY_TO_COVER, Kind.TRANSFER_OUT, *OPTION_ENDS),
            CASH_KINDS,
        )
    )
    for kind in kinds
}
"""Order of the transactions of a day: splits are effective at the open, and lots open before they
close. First-in first-out, a sale takes the same lots whatever was bought later that day."""


@dataclass(frozen=True)
class Transaction:
    """One transaction in USD, as validated by `amounts.complete_transaction`."""

    kind: TransactionKind
    day: date
    """Day on which the transaction is effective."""
    amount: Decimal = Decimal(0)
    """Change of the cash, net of fees: negative for a purchase; 0 for securities without cash."""
    symbol: str | None = None
    """Symbol in its normal form; None for cash without one."""
    quantity: Decimal = Decimal(0)
    """Shares or contracts, not negative."""
    price: Decimal | None = None
    """Price per share before fees."""
    fees: Decimal = Decimal(0)
    """Fees and taxes in `amount`; negative for a rebate."""
    ratio: Fraction | None = None
    """Shares after a split per share before it."""
    added_shares: Decimal | None = None
    """Shares that a split added to the holding, if they are stated; negative if reverse."""
    new_symbol: str | None = None
    """Symbol after a change of symbol."""
    lot_day: date | None = None
    """Entry day of the lots that the transaction closes. None: first-in first-out."""
    reference: str = ""
    """Broker's id, or a fingerprint of the content: unique in a portfolio."""
    has_broker_id: bool = field(default=False, compare=False)
    """Whether `reference` is of the broker's id, and not a fingerprint."""
    ordinal: int = 0
    """Place among the transactions of its day in the file, in ascending order of time."""
    line: int | None = None
    """Line in the file that stated it."""

    @property
    def multiplier(self) -> int:
        """Return the shares per unit of quantity."""
        return CONTRACT_SIZE if self.is_option else 1

    @property
    def is_option(self) -> bool:
        """Return whether the symbol is that of an option."""
        return self.symbol is not None and parse_option(self.symbol) is not None

    @property
    def units(self) -> Fraction:
        """Return the shares that the quantity stands for."""
        return Fraction(self.quantity) * self.multiplier


def processing_key(transaction: Transaction) -> tuple[date, int, int, str]:
    """Return the key by which transactions are sorted before they are applied."""
    return (
        transaction.day,
        PROCESSING_ORDER[transaction.kind],
        transaction.ordinal,
        transaction.reference,
    )
