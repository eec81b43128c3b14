"""Lots and cash that follow from transactions, against an independent computation."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from random_years import generate_year, match_by_intervals

from riskmetrics.transactions.lots import (
    DatedLot,
    build_lots,
    cash_balances,
    is_cash_known,
    open_quantities,
)
from riskmetrics.transactions.model import Kind, Transaction

JANUARY = date(2024, 1, 2)


def trade(
    kind: Kind, day: int, quantity: str, price: str, symbol: str = "KO", **others
) -> Transaction:
    """Return a trade of so many days after the start, without fees unless an amount is given."""
    sign = -1 if kind in (Kind.BUY, Kind.BUY_TO_COVER) else 1
    size = 100 if len(symbol) > 10 else 1
    amount = others.pop("amount", sign * Decimal(quantity) * Decimal(price) * size)
    return Transaction(
        kind,
        JANUARY + timedelta(days=day),
        Decimal(amount),
        symbol,
        Decimal(quantity),
        Decimal(price),
        **others,
    )


def lots(*transactions: Transaction) -> list[tuple[object, ...]]:
    """Return quantity, entry, exit and prices of the lots; no transaction is rejected."""
    history = build_lots(transactions)
    assert history.rejected == []
    return [
        (
            float(lot.quantity),
            (lot.entry_date - JANUARY).days,
            None if lot.entry_price is None else float(lot.entry_price),
            lot.exit_date and (lot.exit_date - JANUARY).days,
            None if lot.exit_price is None else float(lot.exit_price),
        )
        for lot in history.lots
    ]


def reasons(*transactions: Transaction) -> list[str]:
    """Return the reasons of the rejected transactions."""
    return [one.reason for one in build_lots(transactions).rejected]


def test_a_sale_closes_the_oldest_lots_and_splits_the_last_of_them() -> None:
    bought = trade(Kind.BUY, 0, "10", "50"), trade(Kind.BUY, 5, "10", "60")
    assert lots(*bought, trade(Kind.SELL, 9, "15", "70")) == [
        (10, 0, 50, 9, 70),
        (5, 5, 60, 9, 70),
        (5, 5, 60, None, None),
    ]


def test_a_sale_with_a_lot_day_closes_the_lots_of_that_day() -> None:
    bought = trade(Kind.BUY, 0, "10", "50"), trade(Kind.BUY, 5, "10", "60")
    sold = trade(Kind.SELL, 9, "4", "70", lot_day=JANUARY + timedelta(days=5))
    assert lots(*bought, sold) == [
        (10, 0, 50, None, None),
        (4, 5, 60, 9, 70),
        (6, 5, 60, None, None),
    ]
    more = replace(sold, quantity=Decimal(11))
    assert "10 are held in lots of 2024-01-07" in reasons(*bought, more)[0]


def test_prices_contain_the_fees_and_may_be_negative() -> None:
    call = "KO250117C00060000"
    opened = trade(Kind.BUY, 0, "1", "0.5", call, amount="-51")
    assert lots(opened, trade(Kind.SELL, 3, "1", "0.01", call, amount="-0.3")) == [
        (1, 0, 0.51, 3, -0.003)
    ]


def test_a_split_adjusts_earlier_lots_open_and_closed_and_no_later_one() -> None:
    split = Transaction(Kind.SPLIT, JANUARY + timedelta(days=5), symbol="KO", ratio=Fraction(4))
    assert lots(
        trade(Kind.BUY, 0, "10", "400"),
        trade(Kind.SELL, 3, "4", "440"),
        split,
        trade(Kind.BUY, 5, "8", "111"),
    ) == [(16, 0, 100, 3, 110), (24, 0, 100, None, None), (8, 5, 111, None, None)]


@pytest.mark.parametrize(
    ("added", "expected"), [("30", 40), ("5", 15), ("-9", 1), ("-6.6667", None), ("0.5", 10.5)]
)
def test_a_simple_ratio_is_inferred_from_added_shares_and_others_are_refused(
    added: str, expected: float | None
) -> None:
    split = Transaction(Kind.SPLIT, JANUARY, symbol="KO", added_shares=Decimal(added))
    bought = trade(Kind.BUY, -1, "10", "400")
    if expected is None:
        assert "do not determine the ratio" in reasons(bought, split)[0]
    else:
        assert lots(bought, split)[0][0] == expected


def test_a_ratio_and_added_shares_have_to_agree() -> None:
    bought = trade(Kind.BUY, -1, "10", "400")
    split = Transaction(
        Kind.SPLIT, JANUARY, symbol="KO", ratio=Fraction(4), added_shares=Decimal(30)
    )
    assert lots(bought, split)[0][0] == 40
    inverse = replace(split, ratio=Fraction(1, 4))
    assert "is not that of 30 added shares, 4" in reasons(bought, inverse)[0]


def test_a_split_by_added_shares_of_something_that_is_not_held_is_refused() -> None:
    split = Transaction(Kind.SPLIT, JANUARY, symbol="KO", added_shares=Decimal(3))
    assert len(reasons(split)) == 1


def test_a_purchase_with_a_lot_day_covers_the_lots_of_that_day_first() -> None:
    older, newer = (trade(Kind.SELL_SHORT, at, "5", "50") for at in (0, 2))
    covered = trade(Kind.BUY, 9, "7", "40", lot_day=JANUARY + timedelta(days=2))
    found = build_lots([older, newer, covered])
    assert found.rejected == []
    assert [
        (lot.quantity, (lot.entry_date - JANUARY).days)
        for lot in found.lots
        if lot.exit_date is None
    ] == [(-3, 0)]


def test_a_purchase_is_not_lost_if_its_lot_day_names_no_short_lot() -> None:
    """Some brokers state the acquisition date of each purchase."""
    short = trade(Kind.SELL_SHORT, 0, "5", "50")
    bought = trade(Kind.BUY, 9, "8", "40", lot_day=JANUARY + timedelta(days=9))
    found = build_lots([short, bought])
    assert open_quantities(found.lots, JANUARY + timedelta(days=9)) == {"KO": 3}


def test_short_lots_are_closed_by_covers_and_by_purchases_that_then_open_long() -> None:
    short = trade(Kind.SELL_SHORT, 0, "10", "50")
    assert lots(short, trade(Kind.BUY_TO_COVER, 4, "4", "40")) == [
        (-4, 0, 50, 4, 40),
        (-6, 0, 50, None, None),
    ]
    assert lots(short, trade(Kind.BUY, 4, "12", "40")) == [
        (-10, 0, 50, 4, 40),
        (2, 4, 40, None, None),
    ]


@pytest.mark.parametrize("kind", [Kind.SELL, Kind.BUY_TO_COVER, Kind.TRANSFER_OUT])
def test_closing_more_than_is_held_is_refused_and_changes_nothing(kind: Kind) -> None:
    opened = trade(Kind.SELL_SHORT if kind == Kind.BUY_TO_COVER else Kind.BUY, 0, "10", "50")
    history = build_lots([opened, trade(kind, 1, "10.0000000001", "60")])
    assert "10 are" in history.rejected[0].reason
    assert [abs(lot.quantity) for lot in history.lots if lot.exit_date is None] == [10]
    assert lots(opened, trade(kind, 1, "10", "60"))[0][3] == 1


def test_a_day_trade_is_possible_in_any_order_of_the_file() -> None:
    bought = trade(Kind.BUY, 0, "10", "50", ordinal=1)
    assert lots(trade(Kind.SELL, 0, "10", "51", ordinal=0), bought) == [(10, 0, 50, 0, 51)]


def test_options_end_at_nothing_or_at_the_cash_they_settle_for() -> None:
    call, put = "KO250117C00060000", "KO250117P00050000"
    day = JANUARY + timedelta(days=7)
    assert lots(
        trade(Kind.BUY, 0, "2", "3", call),
        trade(Kind.SELL_SHORT, 0, "1", "2", put),
        Transaction(Kind.EXERCISE, day, symbol=call, quantity=Decimal(1)),
        Transaction(Kind.EXPIRATION, day, symbol=call, quantity=Decimal(1)),
        Transaction(Kind.ASSIGNMENT, day, Decimal(-500), put, Decimal(1)),
    ) == [(1, 0, 3, 7, 0), (1, 0, 3, 7, 0), (-1, 0, 2, 7, 5)]


def test_transferred_lots_have_no_price_of_their_own() -> None:
    day = JANUARY + timedelta(days=3)
    assert lots(
        Transaction(Kind.TRANSFER_IN, JANUARY, symbol="KO", quantity=Decimal(5)),
        Transaction(Kind.TRANSFER_OUT, day, symbol="KO", quantity=Decimal(2)),
    ) == [(2, 0, None, 3, None), (3, 0, None, None, None)]


def test_a_change_of_symbol_renames_all_lots() -> None:
    day = JANUARY + timedelta(days=3)
    history = build_lots(
        [
            trade(Kind.BUY, 0, "5", "10", "FB"),
            trade(Kind.SELL, 1, "2", "11", "FB"),
            Transaction(Kind.SYMBOL_CHANGE, day, symbol="FB", new_symbol="META"),
            trade(Kind.SELL, 4, "3", "12", "META"),
        ]
    )
    assert history.rejected == []
    assert [(lot.symbol, lot.quantity) for lot in history.lots] == [("META", 2), ("META", 3)]


def test_cash_is_the_sum_of_amounts_and_known_only_with_a_deposit() -> None:
    deposit = Transaction(Kind.DEPOSIT, JANUARY, Decimal("100.10"))
    fee = Transaction(Kind.FEE, JANUARY + timedelta(days=2), Decimal("-0.20"))
    assert cash_balances([fee, deposit]) == [
        (JANUARY, Decimal("100.10")),
        (fee.day, Decimal("99.90")),
    ]
    assert (is_cash_known([fee]), is_cash_known([fee, deposit])) == (False, True)


def _merge(found: list[tuple[object, ...]]) -> dict[tuple[object, ...], Fraction]:
    """Return the quantity by everything else, because equal neighbors are one lot or several."""
    merged: defaultdict[tuple[object, ...], Fraction] = defaultdict(Fraction)
    for symbol, quantity, *rest in found:
        prices = [None if one is None else _cents(one) for one in (rest[1], rest[3])]
        merged[symbol, rest[0], prices[0], rest[2], prices[1]] += Fraction(quantity)
    return {key: value for key, value in merged.items() if abs(value) > Fraction(1, 10**9)}


def _cents(price: Fraction | Decimal) -> int:
    """Return a price in units of its column, a ten-thousandth."""
    return round(Fraction(price) * 10_000)


@pytest.mark.parametrize("seed", range(5))
def test_a_generated_year_gives_the_lots_and_the_cash_of_an_independent_computation(
    seed: int,
) -> None:
    year = generate_year(seed)
    history = build_lots(Random(seed).sample(year, len(year)))
    assert history.rejected == []
    expected = _merge(match_by_intervals(year))
    computed = _merge([tuple(lot) for lot in history.lots])
    assert computed.keys() == expected.keys()
    for key, quantity in expected.items():
        # each lot is rounded to ten decimals, and a key may be the sum of some
        assert abs(computed[key] - quantity) < Fraction(20, 10**10), key
    by_day: defaultdict[date, Decimal] = defaultdict(Decimal)
    for one in year:
        by_day[one.day] += one.amount
    balances = dict(cash_balances(year))
    assert [balances[day] for day in sorted(by_day)] == [
        sum((by_day[other] for other in by_day if other <= day), Decimal(0))
        for day in sorted(by_day)
    ]


def test_open_quantities_are_net_and_of_the_close() -> None:
    lot = DatedLot("KO", Decimal(5), JANUARY, Decimal(1), JANUARY + timedelta(days=2), Decimal(1))
    short = lot._replace(quantity=Decimal(-5), exit_date=None)
    assert open_quantities([lot], JANUARY + timedelta(days=1)) == {"KO": 5}
    assert open_quantities([lot], JANUARY + timedelta(days=2)) == {}
    assert open_quantities([lot], JANUARY - timedelta(days=1)) == {}
    assert open_quantities([lot, short], JANUARY) == {}
