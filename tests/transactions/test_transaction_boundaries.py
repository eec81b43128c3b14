"""Thresholds of transactions: the last value within, and the first beyond."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from riskmetrics.transactions.amounts import (
    AmountConvention,
    InvalidTransactionError,
    StatedTransaction,
    complete_transaction,
    detect_convention,
)
from riskmetrics.transactions.holdings_comparison import compare_holdings
from riskmetrics.transactions.lots import DatedLot, build_lots
from riskmetrics.transactions.model import Kind, Transaction
from riskmetrics.transactions.price_check import (
    TradePrice,
    find_large_prices,
    list_trade_prices,
    missing_split,
)

DAY = date(2024, 5, 1)
SIGNED = AmountConvention(is_signed=True, is_net=True, has_signed_quantities=False)


@pytest.mark.parametrize(
    ("price", "ratio"),
    [
        *((139.9, None), (140.0, "3:2"), (171.0, "3:2"), (172.0, "2:1"), (1000.0, "10:1")),
        *((71.5, None), (71.4, "2:3"), (25.0, "1:4"), (5740.0, "50:1"), (5760.0, None)),
    ],
)
def test_a_price_that_differs_by_a_factor_of_1_4_shows_a_split(
    price: float, ratio: str | None
) -> None:
    assert missing_split(TradePrice("X", DAY, price), 100.0) == ratio


@pytest.mark.parametrize(("quantity", "n"), [("2.5", 1), ("2.49", 0)])
def test_trades_of_25_dollars_are_checked(quantity: str, n: int) -> None:
    lot = DatedLot("X", Decimal(quantity), DAY, Decimal(10), None, None)
    assert len(list_trade_prices([lot])) == n
    option = lot._replace(symbol="X250117C00250000", quantity=Decimal(9))
    assert list_trade_prices([option]) == []


@pytest.mark.parametrize(("stated", "n"), [("10.001", 0), ("10.0011", 1), ("9.999", 0)])
def test_holdings_that_differ_by_a_thousandth_agree(stated: str, n: int) -> None:
    assert len(compare_holdings({"X": Decimal(10)}, {"X": Decimal(stated)})) == n


@pytest.mark.parametrize(
    ("quantity", "amount", "is_valid"),
    [("1", "-11", True), ("1", "-11.01", False), ("100", "-1020", True), ("100", "-1020.1", False)],
)
def test_an_amount_differs_by_a_dollar_or_two_percent_at_most(
    quantity: str, amount: str, is_valid: bool
) -> None:
    stated = StatedTransaction(
        Kind.BUY, DAY, "X", Decimal(quantity), Decimal(10), amount=Decimal(amount)
    )
    if is_valid:
        assert complete_transaction(stated, SIGNED).amount == Decimal(amount)
    else:
        with pytest.raises(InvalidTransactionError, match="is not quantity"):
            complete_transaction(stated, SIGNED)


@pytest.mark.parametrize(("added", "is_inferred"), [("99", True), ("100", False)])
def test_a_split_of_up_to_100_to_1_is_inferred(added: str, is_inferred: bool) -> None:
    bought = Transaction(Kind.BUY, DAY, Decimal(-10), "X", Decimal(1))
    split = Transaction(Kind.SPLIT, DAY.replace(day=2), symbol="X", added_shares=Decimal(added))
    assert (build_lots([bought, split]).rejected == []) == is_inferred


def test_fees_above_the_proceeds_are_no_contradiction_of_the_sign() -> None:
    sold = StatedTransaction(
        Kind.SELL,
        DAY,
        "X250117C00250000",
        Decimal(1),
        Decimal("0.01"),
        Decimal("-0.3"),
        Decimal("1.3"),
    )
    assert complete_transaction(sold, SIGNED).amount == Decimal("-0.3")


@pytest.mark.parametrize(("price", "found"), [("99999998.9999", set()), ("99999999", {"KO"})])
def test_prices_of_lots_are_less_than_a_hundred_million(price: str, found: set[str]) -> None:
    entered = DatedLot("KO", Decimal(1), DAY, Decimal(price), None, None)
    sold = DatedLot("KO", Decimal(1), DAY, None, DAY, Decimal(price))
    assert find_large_prices([entered]) == find_large_prices([sold]) == found


@pytest.mark.parametrize("kind", [Kind.FEE, Kind.TAX, Kind.WITHDRAWAL])
def test_a_positive_cost_next_to_negative_purchases_is_refused_unless_another_is_negative(
    kind: Kind,
) -> None:
    bought = StatedTransaction(Kind.BUY, DAY, "KO", Decimal(1), Decimal(60), Decimal(-60))
    cost = StatedTransaction(kind, DAY, amount=Decimal(5))
    with pytest.raises(InvalidTransactionError, match="write -5 if it was paid"):
        complete_transaction(cost, detect_convention([bought, cost]))
    paid = replace(cost, amount=Decimal(-1))
    refund = complete_transaction(cost, detect_convention([bought, cost, paid]))
    assert refund.amount == 5


def test_a_withdrawal_may_be_a_negative_deposit_and_unsigned_fees_are_paid() -> None:
    deposit = StatedTransaction(Kind.DEPOSIT, DAY, amount=Decimal(-5))
    assert complete_transaction(deposit, SIGNED).kind == Kind.WITHDRAWAL
    unsigned = detect_convention([StatedTransaction(Kind.FEE, DAY, amount=Decimal(3))])
    fee = StatedTransaction(Kind.FEE, DAY, amount=Decimal(3))
    assert complete_transaction(fee, unsigned).amount == -3
    refund = StatedTransaction(Kind.FEE, DAY, amount=Decimal(3))
    assert complete_transaction(refund, SIGNED).amount == 3


@pytest.mark.parametrize(("amount", "net"), [("225.00", "224.99"), ("224.99", "224.99")])
def test_a_rejected_trade_does_not_tell_whether_amounts_contain_fees(amount, net) -> None:
    """The option has the price of a contract instead of that of a share, as some exports do."""
    share = StatedTransaction(
        Kind.SELL, DAY, "QQA", Decimal(-5), Decimal(45), Decimal(amount), Decimal("0.01")
    )
    option = replace(
        share,
        symbol="QQA240216P00040000",
        quantity=Decimal(-1),
        price=Decimal(80),
        amount=Decimal("78.86") if amount == "225.00" else Decimal("81.14"),
        fees=Decimal("1.14"),
    )
    for kind in (Kind.SELL, Kind.BUY):
        rejected = replace(option, kind=kind, quantity=Decimal(1 if kind == Kind.BUY else -1))
        convention = detect_convention([share, rejected])
        assert complete_transaction(share, convention).amount == Decimal(net)
        with pytest.raises(InvalidTransactionError, match="is not quantity"):
            complete_transaction(rejected, convention)
