"""Files of holdings in the layouts of brokers and of people; what they hold is written by hand beside them."""

import gzip
import time
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.errors import DataQualityError, RiskmetricsError, UsageError
from riskmetrics.sources.brokers import Account, read_holdings, read_portfolio
from riskmetrics.sources.lots import quantities
from riskmetrics.sources.option_symbols import option
from tests.conftest import SHARED_DATA

with_shared_data = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the developers' data set is not beside the checkout")

repeatable = settings(derandomize=True, deadline=None, max_examples=60)

SCHWAB = """"Positions for All-Accounts as of 04:12 PM ET, 12/06/2024"

"Individual                ...123"
"Symbol","Description","Qty (Quantity)","Price","Mkt Val (Market Value)","Cost Basis","Security Type",
"BRK/B","BERKSHIRE HATHAWAY","1,035","$470.50","$486,967.50","$311,535.00","Equity",
"AAPL 01/17/2025 250.00 C","CALL APPLE INC $250","-2","$5.10","-$1,020.00","($800.00)","Option",
"91282CPU9","US TREASURY NOTE","5,000","$99.50","$4,975.00","$5,000.00","Fixed Income",
"Cash & Cash Investments","--","--","--","$8,123.45","--","Cash and Money Market",
"Account Total","","--","--","$499,045.95","$316,535.00","--",

"Doe Family Trust, Jane Doe ...456"
"Symbol","Description","Qty (Quantity)","Price","Mkt Val (Market Value)","Cost Basis","Security Type",
"KO","COCA-COLA","10","$62.53","$625.30","--","Equity",
"""

FIDELITY = """Account Number,Account Name,Symbol,Description,Quantity,Last Price,Current Value,Cost Basis Total,Average Cost Basis,Type
Z00000001,Individual - TOD,SPAXX**,HELD IN MONEY MARKET,,,$1234.56,,,Cash,
Z00000001,Individual - TOD,TGT,TARGET CORP,-100,$156.13,-$15613.00,$10000.00,$100.00,Margin,
Z00000001,Individual - TOD, -SNDK260917C1500,SNDK SEP 17 2026 $1500 CALL,1,$692.00,$69200.00,$69591.00,$695.91,Margin,
Z00000001,Individual - TOD,Pending Activity,,,,$-250.00,,,
200000002,ROTH IRA,brk.b,BERKSHIRE HATHAWAY,0.125,$470.50,$58.81,n/a,n/a,Cash,

"Brokerage services are provided by a member of NYSE, SIPC."
Prices are delayed by at least fifteen minutes, A, IT and ALL of them
"Date downloaded Dec-06-2024 5:12 p.m ET"
"""

INTERACTIVE_BROKERS = """Statement,Header,Field Name,Field Value
Statement,Data,BrokerName,Interactive Brokers LLC
Statement,Data,Period,"January 1, 2024 - December 6, 2024"
Account Information,Header,Field Name,Field Value
Account Information,Data,Account,U1234567
Net Asset Value,Header,Asset Class,Prior Total,Current Long,Current Short,Current Total,Change
Net Asset Value,Data,Stock,-2954.90,3522.00,-8008.20,-4486.20,-1531.30
Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,Proceeds,Comm/Fee,Code
Trades,Data,Order,Stocks,USD,TSLA,"2024-03-15, 10:30:00",100,150.00,-15000,-5,O
Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity,Mult,Cost Price,Cost Basis,Close Price,Value,Code
Open Positions,Data,Summary,Stocks,USD,BRK B,"1,100",1,301.5,331650,470.5,517550,
Open Positions,Data,Lot,Stocks,USD,BRK B,"1,100",1,301.5,331650,470.5,517550,
Open Positions,Data,Summary,Stocks,USD,GOOG,-50,1,140.00,-7000.00,145.00,-7250.00,
Open Positions,Total,,Stocks,USD,,,,,324650,,510300,
Open Positions,Data,Summary,Stocks,EUR,SAP,10,1,140.00,1400.00,145.00,1450.00,
Open Positions,Data,Summary,Equity and Index Options,USD,AAPL 17JAN25 180 P,-5,100,3.50,-1750.00,4.00,-2000.00,
Open Positions,Data,Summary,Futures,USD,ESZ4,1,50,6000,300000,6090,304500,
Open Positions,Data,Summary,Stocks,USD,ODD,1,10,6,60,6,60,
Cash Report,Header,Currency Summary,Currency,Total,Securities,Futures,
Cash Report,Data,Ending Cash,Base Currency Summary,43419.25,43419.25,0,
Cash Report,Data,Ending Cash,USD,-257.35,-257.35,0,
"""


def held(account: Account) -> list[tuple[object, ...]]:
    """Symbol, type, quantity and entry price of each lot."""
    return [tuple(row) for row in account.holdings.rows[["symbol", "position_type", "quantity", "entry_price"]].to_numpy().tolist()]


def test_schwab_positions_of_several_accounts(file):
    found = read_holdings(file(SCHWAB))
    assert (found.layout, found.day) == ("Schwab positions", date(2024, 12, 6))
    mine, trust = found.accounts
    assert (mine.name, mine.cash, mine.value) == ("Individual ...123", 8123.45, 485947.5)
    assert held(mine) == [("BRK-B", "LONG", 1035, 301), ("AAPL250117C00250000", "SC", -2, 4)]
    assert mine.holdings.rows.iloc[1][["underlying_symbol", "strike_price", "expiration_date", "last_price"]].to_list() == [
        *("AAPL", 250, date(2025, 1, 17), 5.1),
    ]
    assert [(row.line, row.reason) for row in mine.holdings.rejected] == [
        (7, "Fixed Income: only shares, funds and options on them are valued")
    ]
    assert trust.name == "Doe Family Trust, Jane Doe ...456"
    assert [lot[:3] for lot in held(trust)] == [("KO", "LONG", 10)]
    assert np.isnan(trust.holdings.rows["entry_price"][0])
    assert np.isnan(trust.cash)
    assert found.left_out == [(1, "the day"), (3, "the account"), (8, "cash, 8,123.45"), (9, "a total"), (11, "the account")]


def test_fidelity_positions_of_several_accounts(file):
    found = read_holdings(file("\ufeff" + FIDELITY))
    assert (found.layout, found.day) == ("Fidelity positions", date(2024, 12, 6))
    mine, roth = found.accounts
    assert (mine.name, mine.cash) == ("Individual - TOD ...0001", pytest.approx(984.56))
    assert held(mine) == [("TGT", "SHORT", -100, 100), ("SNDK260917C01500000", "LC", 1, 695.91)]
    assert mine.value == -15613 + 69200
    assert (roth.name, held(roth)[0][:3]) == ("ROTH IRA ...0002", ("BRK-B", "LONG", 0.125))
    assert found.rejected == mine.holdings.rejected == []
    assert [line.line for line in found.left_out] == [2, 5, 8, 9, 10]


def test_an_activity_statement_of_interactive_brokers(file):
    found = read_holdings(file(INTERACTIVE_BROKERS))
    assert (found.layout, found.day) == ("Interactive Brokers activity statement", date(2024, 12, 6))
    [account] = found.accounts
    assert (account.name, account.cash, account.value) == ("Account ...4567", -257.35, 517550 - 7250 - 2000)
    assert held(account) == [("BRK-B", "LONG", 1100, 301.5), ("GOOG", "SHORT", -50, 140), ("AAPL250117P00180000", "SP", -5, 3.5)]
    assert [(row.line, row.reason) for row in account.holdings.rejected] == [
        (15, "currency EUR: only USD is supported"),
        (17, "Futures: only shares, funds and options on them are valued"),
        (18, "a multiplier of 10, which is neither that of shares nor of options on them"),
    ]
    reasons = {line.line: line.reason for line in found.left_out}
    assert (reasons[12], reasons[14], reasons[21]) == ("no open position: Lot", "no open position: Total", "cash, -257.35")
    assert reasons.keys() == {*range(1, 11), 12, 14, 19, 20, 21} - {10}


def test_a_concatenated_statement_tells_its_accounts_apart(file):
    other = INTERACTIVE_BROKERS.replace("U1234567", "U7654321").replace("GOOG,-50", "GOOG,70")
    accounts = read_holdings(file(INTERACTIVE_BROKERS + other)).accounts
    assert [(account.name, held(account)[1][2], account.cash) for account in accounts] == [
        ("Account ...4567", -50, -257.35),
        ("Account ...4321", 70, -257.35),
    ]


@with_shared_data
@pytest.mark.parametrize(
    ("name", "accounts"),
    [
        ("schwab", [("Individual ...123", 6, 136572.85)]),
        ("fidelity", [("Individual - TOD ...0001", 3, 43782.97), ("ROTH IRA ...0002", 2, float("nan"))]),
    ],
)
def test_example_exports_load_without_an_option(name, accounts):
    """Oracle: the sum of value and cash is the total that the first broker states; the second's was added up by hand."""
    found = read_holdings(SHARED_DATA / "portfolios" / f"{name}_positions.csv")
    assert found.day == date(2024, 12, 6)
    assert [(one.name, len(one.holdings.rows), one.holdings.rejected) for one in found.accounts] == [(*one[:2], []) for one in accounts]
    assert [one.value + one.cash for one in found.accounts] == pytest.approx([one[2] for one in accounts], nan_ok=True)
    assert found.rejected == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_make_no_difference(tmp_path, encoding, newline):
    path = tmp_path / "file.csv"
    path.write_bytes(newline.join(["Account;Symbol;Quantity", "Größe;ko;1,5", "Größe;JNJ;2"]).encode(encoding))
    [account] = read_holdings(path).accounts
    assert (account.name, [lot[::2] for lot in held(account)]) == ("Größe", [("KO", 1.5), ("JNJ", 2)])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_and_a_line_that_names_one_is_skipped(file, delimiter):
    rows = [["Ticker", "Shares", "Average cost"], ["KO", "10", "55.10"]]
    found = read_holdings(file("\n".join([f"sep={delimiter}", *(delimiter.join(row) for row in rows)])))
    assert held(found.accounts[0]) == [("KO", "LONG", 10, 55.1)]


def test_a_european_table_with_its_own_numbers(file):
    text = 'Ticker;Quantity;Avg Price;Market Value\n aapl ;1.200;150,5;\nbrk b;(5);400,25;\nMSFT;5;"€ 300,00";\nKO;7;60;£420\n'
    [account] = read_holdings(file(text)).accounts
    assert held(account) == [("AAPL", "LONG", 1200, 150.5), ("BRK-B", "SHORT", -5, 400.25)]
    assert [row.reason for row in account.holdings.rejected] == [
        *("entry_price € 300,00: only USD is supported", "market_value £420: only USD is supported"),
    ]


@pytest.mark.parametrize("written", ["BRK.B", "BRK/B", "BRK-B", "brk b", " Brk.b ", "\u00a0BRK.B", "BRK\u00a0B", "BRKB"])
def test_classes_of_shares_are_written_one_way(file, written):
    assert held(read_holdings(file(f"symbol,quantity\n{written},1\n")).accounts[0])[0][0] == "BRK-B"


@pytest.mark.parametrize(
    ("written", "symbol", "terms"),
    [
        ("AAPL  250117C00250000", "AAPL250117C00250000", ("AAPL", "C", Decimal(250), date(2025, 1, 17))),
        ("aapl250117p00192500", "AAPL250117P00192500", ("AAPL", "P", Decimal("192.5"), date(2025, 1, 17))),
        (" -AAPL250117C250", "AAPL250117C00250000", ("AAPL", "C", Decimal(250), date(2025, 1, 17))),
        ("-F260116P7.5", "F260116P00007500", ("F", "P", Decimal("7.5"), date(2026, 1, 16))),
        ("BRK/B 01/17/2025 400.50 P", "BRKB250117P00400500", ("BRK-B", "P", Decimal("400.5"), date(2025, 1, 17))),
        ("BRK B 17JAN25 400 C", "BRKB250117C00400000", ("BRK-B", "C", Decimal(400), date(2025, 1, 17))),
    ],
)
def test_symbols_of_options_are_read_in_every_broker_s_way(written, symbol, terms):
    found = option(written)
    assert found is not None
    assert (found.symbol, (found.underlying, found.right, found.strike, found.expiration)) == (symbol, terms)


@pytest.mark.parametrize("written", ["AAPL", "-KO", "AAPL 13/17/2025 250.00 C", "AAPL250230C00250000", "AAPL250117X00250000", ""])
def test_what_is_no_symbol_of_an_option_is_none(written):
    assert option(written) is None


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("AAPL250230C00250000", "looks like that of an option and cannot be read as one"),  # the 30th of February
        ("AAPL_011725C250", "looks like that of an option and cannot be read as one"),
        ("F 01/17/25 7.5 C", "is not a symbol"),
        ("AAPL JAN 17 2025 250 C", "is not a symbol"),
        ("AAPL US Equity", "is not a symbol"),
        ("N/A", "is not a symbol"),
        ("AAPL1 01/17/2025 250.00 C", "is an adjusted option: what it delivers is not known"),
        ("-AAPL7250117C250", "is an adjusted option: what it delivers is not known"),
    ],
)
def test_what_is_no_share_is_not_held_as_one(file, written, reason):
    """A symbol that cannot be read must not become another one by leaving out its spaces."""
    parsed = read_portfolio(file(f"symbol,quantity\nKO,1\n{written},1\n"))
    assert parsed.rows["symbol"].to_list() == ["KO"]
    assert [reason in row.reason for row in parsed.rejected] == [True]


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
    parsed = read_portfolio(file(f"symbol,quantity,last price,current value\nPG,1,170,170\n{row}\n"))
    assert len(parsed.rows) == 1 + taken
    assert [row.reason.endswith("only shares, funds and options on them are valued") for row in parsed.rejected] == [True] * (not taken)


def test_money_market_funds_are_cash_whoever_holds_them(file):
    """By their symbols: the broker's class says Mutual Fund."""
    swvxx = '"SWVXX","VALUE ADVANTAGE MONEY INV","5,000.00","$1.00","$5,000.00","N/A","Mutual Fund",\n'
    found = read_holdings(file(SCHWAB.replace('"91282CPU9"', swvxx + '"91282CPU9"', 1)))
    assert found.accounts[0].cash == 8123.45 + 5000
    assert read_holdings(file("symbol,quantity\nKO,1\nVMFXX,700.25\n")).accounts[0].cash == 700.25


def test_a_cost_that_the_broker_calls_incomplete_is_not_known(file):
    parsed = read_portfolio(file("symbol,quantity,cost basis\nKO,1,Incomplete\n"))
    assert (len(parsed.rows), parsed.rejected) == (1, [])


def test_lots_that_stand_below_their_sum_do_not_count_twice(file):
    """As in a query of Interactive Brokers with both levels of detail."""
    found = read_holdings(file("Symbol,Quantity,Multiplier,LevelOfDetail\nKO,100,1,SUMMARY\nKO,60,1,LOT\nKO,40,1,LOT\nMINI,1,10,SUMMARY\n"))
    assert held(found.accounts[0])[0][2] == 100
    assert [(line.line, line.reason) for line in found.left_out] == [(3, "no open position: LOT"), (4, "no open position: LOT")]
    assert "a multiplier of 10" in found.accounts[0].holdings.rejected[0].reason


def test_cash_of_interactive_brokers_in_another_currency_is_left_out_and_said(file):
    found = read_holdings(file(INTERACTIVE_BROKERS + "Cash Report,Data,Ending Cash,EUR,100,100,0,\n"))
    assert found.accounts[0].cash == -257.35
    assert (found.left_out[-1].line, found.left_out[-1].reason) == (22, "cash, of which no amount in USD is stated")


def test_ten_thousand_lines_with_long_descriptions_are_read_in_seconds(file):
    lines = "".join(f"Z1,Individual,S{number},THE SHARES OF SOME COMPANY INC,10,$62.53,$625.30,--,--,Cash,\n" for number in range(10_000))
    began = time.process_time()
    found = read_holdings(file(FIDELITY.partition("\n")[0] + "\n" + lines))
    assert len(found.accounts[0].holdings.rows) == 10_000
    assert time.process_time() - began < 5


def test_an_option_s_symbol_and_a_contradicting_type_are_rejected(file):
    text = "symbol,quantity,side\nAAPL250117C00250000,1,LP\nAAPL250117C00250000,1,long\nAAPL250117C00250000,3,short\n"
    parsed = read_portfolio(file(text))
    assert parsed.rows[["position_type", "quantity"]].to_numpy().tolist() == [["LC", 1], ["SC", -3]]
    assert [row.reason for row in parsed.rejected] == ["position_type LP contradicts the option's symbol AAPL250117C00250000"]


def test_the_cost_basis_is_the_entry_price_and_the_last_price_is_not(file):
    parsed = read_portfolio(file("symbol,quantity,price,cost basis\nKO,-200.5,62.53,11047.55\nGIFT,3,10.5,0\nPG,3,173.82,--\n"))
    assert parsed.rows["entry_price"].fillna(-1).to_list() == pytest.approx([55.1, -1, -1])
    assert parsed.rows["last_price"].to_list() == [62.53, 10.5, 173.82]


def test_a_private_holding_is_worth_its_market_value(file):
    parsed = read_portfolio(file("symbol,quantity,asset class,market value\nHOUSE,4,Private Equity,5000\n"))
    assert parsed.rows["last_price"].to_list() == [1250]


@pytest.mark.parametrize("line", ["Cash,5000,", "USD,5000,1.00", "Cash & Cash Investments,5000,--", "SPAXX**,5000,$1.00"])
def test_cash_is_no_holding(file, line):
    found = read_holdings(file(f"symbol,quantity,price\nKO,10,62.53\n{line}\nTotal,5010,\n"))
    assert [lot[0] for lot in held(found.accounts[0])] == ["KO"]
    assert found.accounts[0].cash == 5000
    assert found.left_out == [(3, "cash, 5,000.00"), (4, "a total")]


def test_a_share_called_cash_is_told_by_its_price_and_cash_in_another_currency_is_not_counted(file):
    found = read_holdings(file("symbol,quantity,price,currency\nCASH,10,75.50,USD\nCASH,10,,EUR\n"))
    assert [lot[0] for lot in held(found.accounts[0])] == ["CASH"]
    assert np.isnan(found.accounts[0].cash)
    assert found.left_out == [(3, "cash, of which no amount in USD is stated")]


def test_a_formula_is_never_a_value_nor_a_name(file):
    text = 'account,symbol,quantity\n"=HYPERLINK(""x"")",KO,1\n+B,"=""AAPL""",2\n+B,@SUM,1\n+B,JNJ,=1+1\n+B,PG,2\n'
    found = read_holdings(file(text))
    assert [(one.name, [lot[0] for lot in held(one)]) for one in found.accounts] == [('HYPERLINK("x")', ["KO"]), ("B", ["PG"])]
    assert len(found.accounts[1].holdings.rejected) == 3


def test_accounts_are_told_apart_by_their_numbers_where_the_ends_are_the_same(file):
    text = "account number,account name,symbol,quantity\n11110001,IRA,KO,1\n22220001,IRA,KO,2\n"
    assert [one.name for one in read_holdings(file(text)).accounts] == ["IRA 11110001", "IRA 22220001"]


def test_a_second_table_is_not_read(file):
    text = "Account Number,Symbol,Shares,Share Price,\n1,VTI,10.5,280,\n\nAccount Number,Trade Date,Symbol,Shares,\n1,2024-01-02,VTI,10,\n"
    found = read_holdings(file(text))
    assert [lot[:3] for lot in held(found.accounts[0])] == [("VTI", "LONG", 10.5)]
    assert found.left_out == [(4, "part of another table"), (5, "part of another table")]


def test_a_torn_line_is_rejected_and_a_sentence_is_left_out(file):
    found = read_holdings(file("symbol,quantity,price\nKO,1,2.5\nAAPL\nPG,5\nAll of these prices are delayed, see\nJNJ,1,2,3\n"))
    assert [(row.line, row.raw_row) for row in found.rejected] == [(3, "AAPL"), (4, "PG,5"), (6, "JNJ,1,2,3")]
    assert found.left_out == [(5, "a remark")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!DOCTYPE html>\n<html><head><title>Log In | A &amp; B\n</title>", r"is an HTML page called 'Log In \| A & B', not a table"),
        ("\n <html><body>", "is an HTML page, not a table"),
        ("%PDF-1.7\n", "is a PDF document: save the table as CSV"),
        ("\ufeff", "is empty"),
        ("symbol,quantity,name\nKO,1," + "x" * 200_000 + "\n", "or a cell has more than 131,072 characters"),
        (
            "Offene Positionen,Header,DataDiscriminator,Vermögenswertkategorie,Währung,Symbol,Menge\n",
            "is a statement of Interactive Brokers in another language: export it in English",
        ),
        ("<?xml version='1.0'?><FlexQueryResponse/>", "is XML, not a table"),
        ("Date,Action,Symbol,Quantity,Amount\n2024-12-06,Buy,KO,1,-60\n", "is a list of transactions, not of holdings"),
        ("Statement,Header,Field Name\nTrades,Header,Symbol,Quantity\n", "without a section Open Positions"),
        ("symbol,quantity\n", "states no holding: if all was sold, say --allow-empty"),
        ("symbol,quantity\nCash,100\nTotal,100\n", "states no holding: if all was sold, say --allow-empty"),
        ("symbol,quantity\nKO,\n", "no good row: on line 2, no quantity"),
        ("symbol,quantity\nKO\n", "no good row: on line 2, 1 cells where the header has 2"),
        ("symbol,price\nKO,5\n", "no column quantity"),
        ("KO,5\nPG,7\n", "no column symbol"),
        ('symbol,quantity\n"KO,5\n', "a quotation mark is never closed"),
        ("symbol,quantity\nKO,\x1b[31m5\n", "is not a text file: a control character stands on line 2"),
        ("symbol,weight\nKO,0.4\n", "sum to 0.4, neither 1 nor 100"),
    ],
)
def test_a_file_that_is_no_table_of_holdings_is_refused_by_what_it_is(file, content, message):
    with pytest.raises(DataQualityError, match=message) as caught:
        read_holdings(file(content))
    assert "\n" not in str(caught.value)


def test_an_account_that_holds_cash_alone_is_stated_to_hold_nothing_else(file):
    text = FIDELITY.replace("200000002,ROTH IRA,brk.b,BERKSHIRE HATHAWAY,0.125,$470.50,$58.81", "200000002,ROTH IRA,FDRXX**,,,,$5.00")
    roth = read_holdings(file(text)).accounts[1]
    assert (roth.name, roth.cash, len(roth.holdings.rows)) == ("ROTH IRA ...0002", 5, 0)


def test_nothing_is_held_only_where_that_is_said_and_no_line_is_unclear(file):
    [account] = read_holdings(file("symbol,quantity\n"), may_be_empty=True).accounts
    assert account.holdings.rows.empty
    with pytest.raises(DataQualityError, match="no good row"):
        read_holdings(file("symbol,quantity\nKO,x\n"), may_be_empty=True)


def test_an_account_of_which_nothing_can_be_read_is_not_stated_at_all(file):
    found = read_holdings(file("account,symbol,quantity\nA,KO,1\nB,PG,x\n"))
    assert [one.name for one in found.accounts] == ["A"]
    assert [row.line for row in found.rejected] == [3]


@pytest.mark.parametrize("weights", [("0.6", "-0.1", "0.5"), ("60%", "-10 %", "50%"), ("60", "-10", "50")])
def test_weights_become_quantities_at_a_price(file, weights):
    found = read_holdings(file("symbol,weight\nKO,{}\nXOM,{}\nCash,{}\n".format(*weights)))
    lots = found.accounts[0].holdings.rows
    assert (found.by_weight, lots["quantity"].to_list()) == (True, [0.6, -0.1])
    assert found.accounts[0].holdings.notes == ["the weights of what is held sum to 50.00%, so that 50.00% of --value is cash"]
    held = quantities(lots, {"KO": Decimal(60), "XOM": Decimal(100)}, 10_000, date(2024, 12, 6))
    assert held["quantity"].to_list() == pytest.approx([100, -10])
    with pytest.raises(DataQualityError, match="no price of XOM on 2024-12-06"):
        quantities(lots, {"KO": Decimal(60)}, 10_000, date(2024, 12, 6))
    with pytest.raises(DataQualityError, match="the quantity of KO, XOM cannot be stored"):
        quantities(lots, {"KO": Decimal(60), "XOM": Decimal(100)}, 1e-6, date(2024, 12, 6))


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
    with pytest.raises(UsageError, match="the holdings of 2 accounts"):
        read_portfolio(file("account,symbol,quantity\nA,KO,1\nB,KO,1\n"))


@repeatable
@given(
    st.sampled_from([SCHWAB, FIDELITY, INTERACTIVE_BROKERS, "symbol;quantity;entry_date\nKO;1,5;2024-12-06\n"]),
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.integers(0, 12),
            st.sampled_from([",", ";", "\n", "=", '"', "$", "€", "1.200", "(5)", "--", "Total", "1e999", "nan", "99/99/9999", "%", "\x00"]),
        ),
        max_size=5,
    ),
)
def test_a_damaged_file_is_read_or_refused_and_never_a_crash(file_in_memory, text, damages):
    """What is taken fits its columns, whatever stood in the file; every line of it is a lot, rejected or left out."""
    for where, length, junk in damages:
        start = int(where * len(text))
        text = text[:start] + junk + text[start + length :]
    try:
        found = read_holdings(file_in_memory(text))
    except RiskmetricsError:
        return
    lots = [one.holdings for one in found.accounts]
    for rows in (one.rows for one in lots):
        assert rows["quantity"].abs().between(1e-4, 1e12).all()
        assert rows["entry_price"].dropna().between(1e-4, 1e8).all()
    told = sum(len(one.rows) + len(one.rejected) for one in lots) + len(found.rejected) + len(found.left_out)
    records = len([line for line in text.splitlines() if line.strip(",; \t\r")])
    assert told <= records
    if '"' not in text:
        headers = sum("quantity" in line.casefold() for line in text.splitlines())
        assert told >= records - headers
