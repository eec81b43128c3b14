"""Notations of trades in files of brokers and in tables: truth by hand."""

from fractions import Fraction

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.transaction_files import TransactionList, read_transactions

HEAD = "Date,Type,Symbol,Quantity,Price,Amount"
BOUGHT = "2024-03-04,Buy,QQA,12,170,-2040"


def trades(found: TransactionList) -> list[tuple[str, str | None, float, float]]:
    """Return kind, symbol, quantity and amount of each transaction."""
    return [
        (one.kind.value, one.symbol, float(one.quantity), float(one.amount))
        for one in found.transactions
    ]


@pytest.mark.parametrize("status", ["Withdrawn", "Lapsed", "Killed"])
def test_orders_that_were_not_executed(file, status):
    found = read_transactions(file(f"{HEAD},Status\n{BOUGHT},{status}\n"))
    assert (found.transactions, found.rejected) == ([], [])
    assert [line.reason for line in found.skipped] == [f"not executed: {status}"]


def test_a_withdrawal_that_is_withdrawn_is_told(file):
    text = f"{HEAD},Status\n{BOUGHT},Executed\n2024-03-05,Withdrawal,,,,-500,Withdrawn\n"
    found = read_transactions(file(text))
    assert len(found.transactions) == 1
    assert [row.reason[:18] for row in found.rejected] == ["status 'Withdrawn'"]


@pytest.mark.parametrize(
    ("header", "cells", "n_trades", "n_rejected"),
    [
        ("Canceled", ["No", "Yes"], 1, 0),
        ("Is canceled", ["", "true"], 1, 0),
        ("Flag", ["NEW", "CXL"], 1, 1),  # it can cancel the other line
        ("Storno", ["", "1"], 1, 0),
        ("Flag", ["A", "B"], 2, 0),
        ("Correction", ["", "Canceled"], 1, 1),
        ("", ["", "Canceled"], 1, 1),
        ("Batch", ["", "CXL"], 1, 1),
        ("On partial fill", ["Cancel", "Cancel"], 2, 0),
        ("Rest of order", ["", "Canceled"], 2, 0),
    ],
)
def test_a_column_that_cancels_lines(file, header, cells, n_trades, n_rejected):
    rows = "".join(f"{BOUGHT},{cell}\n" for cell in cells)
    found = read_transactions(file(f"{HEAD},{header}\n{rows}"))
    assert (len(found.transactions), len(found.rejected)) == (n_trades, n_rejected)


def test_the_filled_quantity_precedes_that_of_the_order(file):
    text = "Date,Side,Symbol,Qty,Filled Qty,Price\n2024-03-04,Buy,QQA,12,5,170\n"
    assert trades(read_transactions(file(text))) == [("buy", "QQA", 5, -850)]


@pytest.mark.parametrize(
    ("header", "cells", "quantities"),
    [
        ("Filled Qty", ["12", "7"], [12, 7]),  # at most that of the order
        ("Executed qty", ["5", "8"], [12, 7]),  # cumulated
        ("Shares filled", ["100%", "50%"], [12, 7]),
        ("Filled Qty", ["", ""], [12, 7]),
        ("Filled Qty", ["5", "7"], [5, 7]),
        ("Filled Qty", ["5", ""], [5]),
        ("Filled Qty", ["12", ""], [12, 7]),  # no row has only a part
    ],
)
def test_a_column_of_filled_quantities_has_parts_of_the_orders(file, header, cells, quantities):
    text = (
        f"Date,Side,Symbol,Qty,{header},Price\n2024-03-04,Buy,QQA,12,{cells[0]},170\n"
        f"2024-03-05,Buy,QQA,7,{cells[1]},170\n"
    )
    found = read_transactions(file(text))
    assert [float(one.quantity) for one in found.transactions] == quantities
    assert len(found.rejected) == 2 - len(quantities)


@pytest.mark.parametrize(
    ("headers", "costs", "amount"),
    [
        ("SEC fee,Total fee", "0.05,1.05", 2038.95),
        ("Commission,Other fees,Fees", "1,0.05,1.05", 2038.95),
        ("Fees,Commission,Other fees", "1.05,1,0.05", 2038.95),
        ("Commission,Fees", "1,1", 2038),
        ("Commission,Fee", "1,0.10%", 2039),
        ("Commission,Fee", "1,standard", 2039),
        ("Commission,Fees,Other fees", "1,1.05,0.06", 2037.95),  # not the sum, by a cent
    ],
)
def test_a_total_of_costs_is_not_added_to_them(file, headers, costs, amount):
    text = f"Date,Type,Symbol,Quantity,Price,{headers}\n2024-03-04,Sell,QQA,12,170,{costs}\n"
    assert trades(read_transactions(file(text))) == [("sell", "QQA", 12, amount)]


def test_commissions_and_fees_are_both_costs(file):
    text = (
        "Date,Type,Symbol,Quantity,Price,Commission,Fees,Amount\n"
        "2024-03-04,Sell short,QQA,12,170,1,0.05,2040\n"
    )
    assert trades(read_transactions(file(text))) == [("sell_short", "QQA", 12, 2038.95)]


def test_a_price_with_the_sign_of_its_amount(file):
    text = f"{HEAD}\n{BOUGHT.replace(',170,', ',-170,')}\n"
    assert trades(read_transactions(file(text))) == [("buy", "QQA", 12, -2040)]
    [row] = read_transactions(file(text.replace("-2040", "2040"))).rejected
    assert row.reason == "price -170.0 is negative"


@pytest.mark.parametrize(("code", "n_trades"), [("USD", 1), ("SEK", 0)])
def test_of_several_columns_of_currencies_that_of_the_amount_counts(file, code, n_trades):
    text = (
        "Date,Type,Symbol,Quantity,Fee,Currency,Amount,Currency,Cost,Currency\n"
        f"2024-03-04,Buy,QQA,12,1,EUR,-2040,{code},20400,SEK\n"
    )
    found = read_transactions(file(text))
    assert len(found.transactions) == n_trades
    assert len(found.rejected) == 1 - n_trades


@pytest.mark.parametrize(("codes", "n_trades"), [(("EUR", "USD"), 0), (("USD", "EUR"), 1)])
def test_a_currency_can_stand_before_its_amount(file, codes, n_trades):
    text = (
        "Date,Type,Symbol,Quantity,Currency,Amount,Currency,Balance\n"
        f"2024-03-04,Buy,QQA,12,{codes[0]},-2040,{codes[1]},1000\n"
    )
    found = read_transactions(file(text))
    assert (len(found.transactions), len(found.rejected)) == (n_trades, 1 - n_trades)


def test_a_currency_between_two_amounts_is_not_guessed(file):
    text = (
        "Date,Type,Symbol,Quantity,Price,Currency,Amount,Currency,Balance\n"
        "2024-03-04,Buy,QQA,12,170,EUR,-2040,USD,1000\n"
    )
    with pytest.raises(DataQualityError, match="2 columns named Currency"):
        read_transactions(file(text))


def test_the_cash_operations_of_xtb(file):
    text = (
        "Account;1;Currency;USD\nID;Type;Time;Symbol;Comment;Amount\n"
        "1;Deposit;01.03.2024 10:00:00;;Deposit;5000\n"
        "2;Stock purchase;04.03.2024 15:30:00;QQA.US;OPEN BUY 12 @ 170.00;-2040\n"
        "3;Stock sale;05.12.2024 15:30:00;QQA.US;CLOSE BUY 5/12 @ 240.00;1200\n"
    )
    assert trades(read_transactions(file(text))) == [
        ("deposit", None, 0, 5000),
        ("buy", "QQA", 12, -2040),
        ("sell", "QQA", 5, 1200),
    ]


def test_the_cash_balance_of_thinkorswim(file):
    text = (
        "Account Statement for D-1 since 3/1/24 through 12/6/24\n\nCash Balance\n"
        "DATE,TIME,TYPE,REF #,DESCRIPTION,Misc Fees,Commissions & Fees,AMOUNT,BALANCE\n"
        "3/1/24,00:00:00,BAL,,Cash balance at the start,,,,5\n"
        '3/4/24,10:30:00,TRD,="1",BOT +12 QQA @170.00,,,"-2,040.00",5\n'
        '12/5/24,10:30:00,TRD,="2",SOLD -5 QQA @240.00,-0.05,-1,"1,200.00",5\n'
        '12/5/24,10:31:00,TRD,="3",BOT +1 QQA 100 17 JAN 25 250 CALL @3.10,,,-310.00,5\n'
        ",,,,TOTAL,-0.05,-1,5,5\n\nFutures Statements\n\n"
        "Trade Date,Exec Date,Exec Time,Type,Ref #,Description,Amount,Balance\n"
    )
    found = read_transactions(file(text))
    assert found.rejected == []
    assert trades(found) == [
        ("buy", "QQA", 12, -2040),
        ("sell", "QQA", 5, 1198.95),
        ("buy", "QQA250117C00250000", 1, -310),
    ]


@pytest.mark.parametrize(
    ("columns", "cells", "dividend"),
    [
        ("Gross,Tax,Net", "2.50,0.38,2.12", 2.12),
        ("Gross,Tax", "2.50,0.38", 2.12),
        ("Tax", "0.38", 2.12),
        ("Net,Tax", "2.12,0.38", 2.12),
    ],
)
def test_a_dividend_is_paid_without_its_tax(file, columns, cells, dividend):
    text = f"Date,Type,Symbol,Quantity,Price,{columns}\n2024-03-04,Dividend,QQA,10,0.25,{cells}\n"
    assert trades(read_transactions(file(text)))[0][3] == pytest.approx(dividend)


@pytest.mark.parametrize(
    ("header", "bought", "income", "paid"),
    [
        (
            "Amount",
            "600,1,",
            "10,0.25,2.12,,0.38",
            2.12,
        ),  # trades without fees say nothing of taxes
        ("Amount", "600,1,", "10,0.25,2.50,,0.38", 2.12),
        ("Amount", "601,1,", "10,0.25,2.50,,0.38", 2.12),
        ("Amount", "600,1,", ",,2.12,,0.38", 2.12),
        ("Gross amount", "600,1,", ",,2.50,,0.38", 2.12),
        ("Gross amount", "600,1,", "10,0.25,2.12,,0.38", 2.12),
        (
            "Gross amount",
            "601,1,",
            ",,2.12,,0.38",
            2.12,
        ),  # the header is wrong: it contains the fee
    ],
)
@pytest.mark.parametrize("kind", ["Dividend", "Interest"])
def test_an_income_next_to_trades_is_stored_without_its_tax(
    file, header, bought, income, paid, kind
):
    head = f"Date,Type,Symbol,Quantity,Price,{header},Commission,Tax"
    rows = f"2024-01-02,Buy,QQA,10,60,{bought}\n2024-03-04,{kind},QQA,{income}\n"
    assert [row[3] for row in trades(read_transactions(file(f"{head}\n{rows}")))] == [-601, paid]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Quantity,Price,Gross amount,Commission", "10,5,51,1"),
        ("Quantity,Price,Gross amount,Commission", "10,5,50,1"),
        ("Quantity,Gross amount,Commission", "10,50,1"),
        ("Quantity,Price,Net,Amount", "10,5,5.1,51"),  # Net is that of a share
        ("Quantity,Price,Commission,Gross,Net", "10,5,1,50,51"),
        ("Quantity,Price,Commission,Net", "10,5,1,51"),
    ],
)
def test_the_amount_of_a_trade_contains_its_fees_once(file, header, cells):
    found = read_transactions(file(f"Date,Type,Symbol,{header}\n2024-03-04,Buy,QQA,{cells}\n"))
    assert trades(found) == [("buy", "QQA", 10, -51)]


@pytest.mark.parametrize("name", ["Position Qty", "Holding Shares", "Total Units"])
def test_what_is_held_after_a_trade_is_not_its_quantity(file, name):
    rows = f"Date,Type,Symbol,{name},Price,Shares\n2024-03-04,Buy,QQA,110,5,10\n"
    assert trades(read_transactions(file(rows))) == [("buy", "QQA", 10, -50)]
    alone = f"Date,Type,Symbol,{name},Price,Amount\n2024-03-04,Buy,QQA,110,5,-50\n"
    found = read_transactions(file(alone))
    assert [row.reason for row in found.rejected] == ["buy without a quantity"]


def test_a_column_of_kinds_with_an_unknown_header(file):
    text = "Trade Time;Way;Asset;Volume;Execution Price;Broker Fee\n"
    rows = "2024-03-04 14:30;BUY;QQA;10;150,00;1,00\n2024-03-05 14:30;SELL;QQA;4;155,00;1,00\n"
    expected = [("buy", "QQA", 10, -1501), ("sell", "QQA", 4, 619)]
    assert trades(read_transactions(file(text + rows))) == expected


@pytest.mark.parametrize(
    ("header", "first", "second"),
    [("Grade", "B", "A"), ("Share class", "A", "A"), ("Way", "B", "S")],
)
def test_letters_below_an_unknown_header_are_no_kinds(file, header, first, second):
    text = f"Trade date,{header},Symbol,Quantity,Price\n"
    rows = f"2024-03-04,{first},QQA,10,5\n2024-03-05,{second},QQA,4,5\n"
    with pytest.raises(DataQualityError, match="no line with headers of a date, a kind"):
        read_transactions(file(text + rows))


def test_securities_of_etoro_in_other_currencies_are_rejected(file):
    text = "Date,Type,Details,Amount,Units,Realized Equity Change,Asset type\n"
    row = "05/11/2024 15:30:12,{},{},{},{},0.00,Stocks\n"
    lines = [("Open Position", "QQA.PA/EUR", 500, 2), ("Dividend", "QQB.L/GBX", 5, "-")]
    lines += [("Open Position", "QQC/USD", 400, 2), ("SDRT", "QQC/USD", -2.5, "-")]
    found = read_transactions(file(text + "".join(row.format(*line) for line in lines)))
    assert [one.reason.partition(":")[0] for one in found.rejected] == [
        *("currency EUR", "currency GBX")
    ]
    assert [row[0::3] for row in trades(found)] == [("buy", -400), ("tax", -2.5)]


def test_an_amount_of_shares_is_the_quantity(file):
    text = "TradeDate,B/S,Instrument Symbol,Amount,Price,Traded Value,Booked Amount\n"
    rows = "02-Dec-2024,Bought,QQA:xnas,10,150,-1500,-1501\n06-Dec-2024,Sold,QQA,-4,155,620,619\n"
    expected = [("buy", "QQA", 10, -1501), ("sell", "QQA", 4, 619)]
    assert trades(read_transactions(file(text + rows))) == expected


def test_shares_of_a_reinvestment_program_are_paid_with_the_dividend(file):
    found = read_transactions(file(f"{HEAD}\n{BOUGHT}\n2024-06-04,DRIP,QQA,0.08,62.5,5.00\n"))
    assert trades(found)[-1] == ("buy", "QQA", 0.08, -5)


@pytest.mark.parametrize(
    ("text", "quantity", "ratio"),
    [
        ("Split 10:1", 90, 10),
        ("Split 1:10", 90, 10),
        ("Split 10:1", 100, 10),  # the holding after it: the lots tell that 100 are not added
        ("Reverse split 1:10", -9, Fraction(1, 10)),
        ("Split", 90, None),
    ],
)
def test_a_ratio_in_the_text_of_a_split(file, text, quantity, ratio):
    rows = f"2024-06-03,Buy,QQA,10,50,-500\n2024-06-10,{text},QQA,{quantity},,\n"
    assert read_transactions(file(f"{HEAD}\n{rows}")).transactions[-1].ratio == ratio


def test_an_option_with_a_space_behind_its_underlying(file):
    found = read_transactions(file(f"{HEAD}\n2024-03-04,BTO,QQA 250117C200,2,10,-2001.30\n"))
    assert trades(found) == [("buy", "QQA250117C00200000", 2, -2001.3)]
