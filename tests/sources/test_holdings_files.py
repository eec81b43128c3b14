"""Files of holdings in the layouts of people; what they hold is written by hand beside them."""

import gzip
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources.brokers import read_holdings, read_portfolio
from riskmetrics.sources.lot_validation import weights_to_quantities
from tests.sources.accounts import held


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_make_no_difference(tmp_path, encoding, newline):
    path = tmp_path / "file.csv"
    path.write_bytes(
        newline.join(["Account;Symbol;Quantity", "Größe;ko;1,5", "Größe;JNJ;2"]).encode(encoding)
    )
    [account] = read_holdings(path).accounts
    assert (account.name, [lot[::2] for lot in held(account)]) == (
        "Größe",
        [("KO", 1.5), ("JNJ", 2)],
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_and_a_line_that_names_one_is_skipped(file, delimiter):
    rows = [["Ticker", "Shares", "Average cost"], ["KO", "10", "55.10"]]
    found = read_holdings(
        file("\n".join([f"sep={delimiter}", *(delimiter.join(row) for row in rows)]))
    )
    assert held(found.accounts[0]) == [("KO", "LONG", 10, 55.1)]


def test_a_european_table_with_its_own_numbers(file):
    text = (
        'Ticker;Quantity;Avg Price;Market Value\n aapl ;1.200;150,5;\nbrk b;(5);400,25;\nMSFT;5;"€'
        ' 300,00";\nKO;7;60;£420\n'
    )
    [account] = read_holdings(file(text)).accounts
    assert held(account) == [("AAPL", "LONG", 1200, 150.5), ("BRK-B", "SHORT", -5, 400.25)]
    assert [row.reason for row in account.holdings.rejected] == [
        *(
            "entry_price € 300,00: only USD is supported",
            "market_value £420: only USD is supported",
        ),
    ]


@pytest.mark.parametrize(
    "written", ["BRK.B", "BRK/B", "BRK-B", "brk b", " Brk.b ", "\u00a0BRK.B", "BRK\u00a0B", "BRKB"]
)
def test_classes_of_shares_are_written_one_way(file, written):
    assert held(read_holdings(file(f"symbol,quantity\n{written},1\n")).accounts[0])[0][0] == "BRK-B"


@pytest.mark.parametrize(
    ("row", "taken"),
    [
        ("912797KR4,10000,$99.50,$9950.00", False),  # a bill, in per cent of its face value
        ("AAPL  250117C00250000,2,5.00,100.00", False),  # a contract on 10 shares
        ("AAPL  250117C00250000,2,5.00,1000.00", True),
        ("KO,200.5,$62.53,$12537.27", True),
        ("PENNY,1000,$0.01,$14.90", True),
        ("KO,-10,62.53,-625.30", True),
        ("KO,10,62.53,--", True),
    ],
)
def test_what_is_not_worth_its_quantity_at_its_price_is_no_share(file, row, taken):
    parsed = read_portfolio(
        file(f"symbol,quantity,last price,current value\nPG,1,170,170\n{row}\n")
    )
    assert len(parsed.rows) == 1 + taken
    assert [
        row.reason.endswith("only shares, funds and options on them are supported")
        for row in parsed.rejected
    ] == [True] * (not taken)


def test_the_cost_basis_is_the_entry_price_and_the_last_price_is_not(file):
    parsed = read_portfolio(
        file(
            "symbol,quantity,price,cost"
            " basis\nKO,-200.5,62.53,11047.55\nGIFT,3,10.5,0\nPG,3,173.82,--\n"
        )
    )
    assert parsed.rows["entry_price"].fillna(-1).to_list() == pytest.approx([55.1, -1, -1])
    assert parsed.rows["last_price"].to_list() == [62.53, 10.5, 173.82]


def test_a_private_holding_is_worth_its_market_value(file):
    parsed = read_portfolio(
        file("symbol,quantity,asset class,market value\nHOUSE,4,Private Equity,5000\n")
    )
    assert parsed.rows["last_price"].to_list() == [1250]


@pytest.mark.parametrize(
    "line", ["Cash,5000,", "USD,5000,1.00", "Cash & Cash Investments,5000,--", "SPAXX**,5000,$1.00"]
)
def test_cash_is_no_holding(file, line):
    found = read_holdings(file(f"symbol,quantity,price\nKO,10,62.53\n{line}\nTotal,5010,\n"))
    assert [lot[0] for lot in held(found.accounts[0])] == ["KO"]
    assert found.accounts[0].cash == 5000
    assert found.skipped == [(3, "cash, 5,000.00"), (4, "a total")]


def test_a_share_called_cash_is_told_by_its_price_and_cash_in_another_currency_is_not_counted(file):
    found = read_holdings(file("symbol,quantity,price,currency\nCASH,10,75.50,USD\nCASH,10,,EUR\n"))
    assert [lot[0] for lot in held(found.accounts[0])] == ["CASH"]
    assert np.isnan(found.accounts[0].cash)
    assert found.skipped == [(3, "cash without an amount in USD")]


def test_a_formula_is_never_a_value_nor_a_name(file):
    text = (
        'account,symbol,quantity\n"=HYPERLINK(""x"")",KO,1\n+B,"=""AA""&""PL""",2\n'
        "+B,@SUM,1\n+B,JNJ,=1+1\n+B,PG,2\n"
    )
    found = read_holdings(file(text))
    assert [(one.name, [lot[0] for lot in held(one)]) for one in found.accounts] == [
        ('HYPERLINK("x")', ["KO"]),
        ("B", ["PG"]),
    ]
    assert len(found.accounts[1].holdings.rejected) == 3


def test_accounts_are_told_apart_by_their_numbers_where_the_ends_are_the_same(file):
    text = "account number,account name,symbol,quantity\n11110001,IRA,KO,1\n22220001,IRA,KO,2\n"
    assert [one.name for one in read_holdings(file(text)).accounts] == [
        "IRA 11110001",
        "IRA 22220001",
    ]


def test_a_second_table_is_not_read(file):
    text = (
        "Account Number,Symbol,Shares,Share Price,\n1,VTI,10.5,280,\n\nAccount Number,Trade"
        " Date,Symbol,Shares,\n1,2024-01-02,VTI,10,\n"
    )
    found = read_holdings(file(text))
    assert [lot[:3] for lot in held(found.accounts[0])] == [("VTI", "LONG", 10.5)]
    assert found.skipped == [(4, "part of another table"), (5, "part of another table")]


def test_a_torn_line_is_rejected_and_a_sentence_is_left_out(file):
    found = read_holdings(
        file(
            "symbol,quantity,price\nKO,1,2.5\nAAPL\nPG,5\nAll of these prices are delayed,"
            " see\nJNJ,1,2,3\n"
        )
    )
    assert [(row.line, row.raw_row) for row in found.rejected] == [
        (3, "AAPL"),
        (4, "PG,5"),
        (6, "JNJ,1,2,3"),
    ]
    assert found.skipped == [(5, "a remark")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "<!DOCTYPE html>\n<html><head><title>Log In | A &amp; B\n</title>",
            r"is an HTML page titled 'Log In \| A & B', not a table",
        ),
        ("\n <html><body>", "is an HTML page, not a table"),
        (
            '<!DOCTYPE html>\n<html><head><meta name="generator" content="riskmetrics">\n',
            "is a report that riskmetrics wrote, not a table. Import the file from your broker",
        ),
        ("%PDF-1.7\n", "is a PDF document. Save the table as CSV"),
        ("\ufeff", "is empty"),
        (
            "symbol,quantity,name\nKO,1," + "x" * 200_000 + "\n",
            "or a cell has more than 131,072 characters",
        ),
        (
            (
                "Offene"
                " Positionen,Header,DataDiscriminator,Vermögenswertkategorie,Währung,Symbol,Menge\n"
            ),
            "is an Interactive Brokers statement in another language. Export it in English",
        ),
        ("<?xml version='1.0'?><FlexQueryResponse/>", "is XML, not a table"),
        (
            "Date,Action,Symbol,Quantity,Amount\n2024-12-06,Buy,KO,1,-60\n",
            "is a list of transactions, not a table of holdings",
        ),
        (
            "Statement,Header,Field Name\nTrades,Header,Symbol,Quantity\n",
            "without the section Open Positions",
        ),
        (
            "symbol,quantity\n",
            "has a header but no row. If all positions were sold, pass --allow-empty",
        ),
        (
            "symbol,quantity\nCash,100\nTotal,100\n",
            "has no holding. If all positions were sold, pass --allow-empty",
        ),
        ("symbol,quantity\nKO,\n", "no valid row. Line 2: no quantity"),
        ("symbol,quantity\nKO\n", "no valid row. Line 2: 1 cells, but the header has 2"),
        ("symbol,price\nKO,5\n", "no known column of symbols"),
        ("KO,5\nPG,7\n", "no known column of symbols"),
        ('symbol,quantity\n"KO,5\n', "a quotation mark is not closed"),
        (
            "symbol,quantity\nKO,\x1b[31m5\n",
            "is not a text file: line 2 has a control character",
        ),
        ("symbol,weight\nKO,0.4\n", "sum to 0.4, neither 1 nor 100. Add what is missing"),
        ("symbol,weight\nKO,0.6\nPEP,0.8\n", "sum to 1.4, neither 1 nor 100. Remove what counts"),
        ("symbol,weight\nKO,60\nPEP,80\n", "sum to 140, neither 1 nor 100. Remove what counts"),
    ],
)
def test_a_file_that_is_no_table_of_holdings_is_refused_by_what_it_is(file, content, message):
    with pytest.raises(DataQualityError, match=message) as caught:
        read_holdings(file(content))
    assert "\n" not in str(caught.value)


def test_nothing_is_held_only_where_that_is_said_and_no_line_is_unclear(file):
    [account] = read_holdings(file("symbol,quantity\n"), allow_empty=True).accounts
    assert account.holdings.rows.empty
    with pytest.raises(DataQualityError, match="no valid row"):
        read_holdings(file("symbol,quantity\nKO,x\n"), allow_empty=True)


def test_an_account_of_which_nothing_can_be_read_is_not_stated_at_all(file):
    found = read_holdings(file("account,symbol,quantity\nA,KO,1\nB,PG,x\n"))
    assert [one.name for one in found.accounts] == ["A"]
    assert [row.line for row in found.rejected] == [3]


@pytest.mark.parametrize(
    "weights", [("0.6", "-0.1", "0.5"), ("60%", "-10 %", "50%"), ("60", "-10", "50")]
)
def test_weights_become_quantities_at_a_price(file, weights):
    found = read_holdings(file("symbol,weight\nKO,{}\nXOM,{}\nCash,{}\n".format(*weights)))
    lots = found.accounts[0].holdings.rows
    assert (found.has_weights, lots["quantity"].to_list()) == (True, [0.6, -0.1])
    assert found.accounts[0].holdings.notes == [
        "the weights of the holdings sum to 50.00%; 50.00% of --value is cash"
    ]
    held = weights_to_quantities(
        lots, {"KO": Decimal(60), "XOM": Decimal(100)}, 10_000, date(2024, 12, 6)
    )
    assert held["quantity"].to_list() == pytest.approx([100, -10])
    with pytest.raises(DataQualityError, match="no price of XOM on 2024-12-06"):
        weights_to_quantities(lots, {"KO": Decimal(60)}, 10_000, date(2024, 12, 6))
    with pytest.raises(DataQualityError, match="quantity of KO, XOM is out of range"):
        weights_to_quantities(
            lots, {"KO": Decimal(60), "XOM": Decimal(100)}, 1e-9, date(2024, 12, 6)
        )


def test_parquet_and_gzip_say_the_same_as_text(file, tmp_path):
    text = "account,symbol,quantity,entry_price\nA,KO,1.5,60.25\nB,PG,2,\n"
    frame = pd.read_csv(file(text))
    frame.to_parquet(tmp_path / "holdings.parquet")
    (tmp_path / "holdings.csv.gz").write_bytes(gzip.compress(text.encode()))
    plain = read_holdings(file(text)).accounts
    for name in ("holdings.parquet", "holdings.csv.gz"):
        accounts = read_holdings(tmp_path / name).accounts
        assert [one.name for one in accounts] == ["A", "B"]
        for one, other in zip(accounts, plain, strict=True):
            pd.testing.assert_frame_equal(one.holdings.rows, other.holdings.rows)


def test_the_holdings_of_several_accounts_are_not_those_of_one(file):
    with pytest.raises(UsageError, match="holdings of 2 accounts"):
        read_portfolio(file("account,symbol,quantity\nA,KO,1\nB,KO,1\n"))
