"""Files of holdings in the layouts of brokers; what they hold is written by hand beside them."""

import time
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.errors import RiskmetricsError
from riskmetrics.sources.brokers import read_holdings, read_portfolio
from riskmetrics.sources.table_headers import header_key
from tests.conftest import SHARED_DATA, needs_shared_data
from tests.sources.accounts import held

SCHWAB = """"Positions for All-Accounts as of 04:12 PM ET, 12/06/2024"

"Individual                ...123"
"Symbol","Description","Qty (Quantity)","Price","Mkt Val (Market Value)","Cost Basis",\
"Security Type",
"BRK/B","BERKSHIRE HATHAWAY","1,035","$470.50","$486,967.50","$311,535.00","Equity",
"AAPL 01/17/2025 250.00 C","CALL APPLE INC $250","-2","$5.10","-$1,020.00","($800.00)","Option",
"91282CPU9","US TREASURY NOTE","5,000","$99.50","$4,975.00","$5,000.00","Fixed Income",
"Cash & Cash Investments","--","--","--","$8,123.45","--","Cash and Money Market",
"Account Total","","--","--","$499,045.95","$316,535.00","--",

"Doe Family Trust, Jane Doe ...456"
"Symbol","Description","Qty (Quantity)","Price","Mkt Val (Market Value)","Cost Basis",\
"Security Type",
"KO","COCA-COLA","10","$62.53","$625.30","--","Equity",
"""


FIDELITY = """Account Number,Account Name,Symbol,Description,Quantity,Last Price,Current Value,\
Cost Basis Total,Average Cost Basis,Type
Z00000001,Individual - TOD,SPAXX**,HELD IN MONEY MARKET,,,$1234.56,,,Cash,
Z00000001,Individual - TOD,TGT,TARGET CORP,-100,$156.13,-$15613.00,$10000.00,$100.00,Margin,
Z00000001,Individual - TOD, -SNDK260917C1500,SNDK SEP 17 2026 $1500 CALL,1,$692.00,$69200.00,\
$69591.00,$695.91,Margin,
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
Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,\
Proceeds,Comm/Fee,Code
Trades,Data,Order,Stocks,USD,TSLA,"2024-03-15, 10:30:00",100,150.00,-15000,-5,O
Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity,Mult,Cost Price,\
Cost Basis,Close Price,Value,Code
Open Positions,Data,Summary,Stocks,USD,BRK B,"1,100",1,301.5,331650,470.5,517550,
Open Positions,Data,Lot,Stocks,USD,BRK B,"1,100",1,301.5,331650,470.5,517550,
Open Positions,Data,Summary,Stocks,USD,GOOG,-50,1,140.00,-7000.00,145.00,-7250.00,
Open Positions,Total,,Stocks,USD,,,,,324650,,510300,
Open Positions,Data,Summary,Stocks,EUR,SAP,10,1,140.00,1400.00,145.00,1450.00,
Open Positions,Data,Summary,Equity and Index Options,USD,AAPL 17JAN25 180 P,-5,100,3.50,-1750.00,\
4.00,-2000.00,
Open Positions,Data,Summary,Futures,USD,ESZ4,1,50,6000,300000,6090,304500,
Open Positions,Data,Summary,Stocks,USD,ODD,1,10,6,60,6,60,
Cash Report,Header,Currency Summary,Currency,Total,Securities,Futures,
Cash Report,Data,Ending Cash,Base Currency Summary,43419.25,43419.25,0,
Cash Report,Data,Ending Cash,USD,-257.35,-257.35,0,
"""


repeatable = settings(max_examples=60)


def test_schwab_positions_of_several_accounts(file):
    found = read_holdings(file(SCHWAB))
    assert (found.layout, found.day) == ("Schwab positions", date(2024, 12, 6))
    mine, trust = found.accounts
    assert (mine.name, mine.cash, mine.value) == ("Individual ...123", 8123.45, 485947.5)
    assert held(mine) == [("BRK-B", "LONG", 1035, 301), ("AAPL250117C00250000", "SC", -2, 4)]
    assert mine.holdings.rows.iloc[1][
        ["underlying_symbol", "strike_price", "expiration_date", "last_price"]
    ].to_list() == [
        *("AAPL", 250, date(2025, 1, 17), 5.1),
    ]
    assert [(row.line, row.reason) for row in mine.holdings.rejected] == [
        (7, "Fixed Income: only shares, funds and options on them are supported")
    ]
    assert trust.name == "Doe Family Trust, Jane Doe ...456"
    assert [lot[:3] for lot in held(trust)] == [("KO", "LONG", 10)]
    assert np.isnan(trust.holdings.rows["entry_price"][0])
    assert np.isnan(trust.cash)
    assert found.skipped == [
        (1, "the day"),
        (3, "the account"),
        (8, "cash, 8,123.45"),
        (9, "a total"),
        (11, "the account"),
    ]


def test_fidelity_positions_of_several_accounts(file):
    found = read_holdings(file("\ufeff" + FIDELITY))
    assert (found.layout, found.day) == ("Fidelity positions", date(2024, 12, 6))
    mine, roth = found.accounts
    assert (mine.name, mine.cash) == ("Individual - TOD ...0001", pytest.approx(984.56))
    assert held(mine) == [("TGT", "SHORT", -100, 100), ("SNDK260917C01500000", "LC", 1, 695.91)]
    assert mine.value == -15613 + 69200
    assert (roth.name, held(roth)[0][:3]) == ("ROTH IRA ...0002", ("BRK-B", "LONG", 0.125))
    assert found.rejected == mine.holdings.rejected == []
    assert [line.line for line in found.skipped] == [2, 5, 8, 9, 10]


def test_an_activity_statement_of_interactive_brokers(file):
    found = read_holdings(file(INTERACTIVE_BROKERS))
    assert (found.layout, found.day) == (
        "Interactive Brokers activity statement",
        date(2024, 12, 6),
    )
    [account] = found.accounts
    assert (account.name, account.cash, account.value) == (
        "Account ...4567",
        -257.35,
        517550 - 7250 - 2000,
    )
    assert held(account) == [
        ("BRK-B", "LONG", 1100, 301.5),
        ("GOOG", "SHORT", -50, 140),
        ("AAPL250117P00180000", "SP", -5, 3.5),
    ]
    assert [(row.line, row.reason) for row in account.holdings.rejected] == [
        (15, "currency EUR: only USD is supported"),
        (17, "Futures: only shares, funds and options on them are supported"),
        (18, "multiplier 10 is not supported (1 for shares, 100 for options)"),
    ]
    reasons = {line.line: line.reason for line in found.skipped}
    assert (reasons[12], reasons[14], reasons[21]) == (
        "no open position: Lot",
        "no open position: Total",
        "cash, -257.35",
    )
    assert reasons.keys() == {*range(1, 11), 12, 14, 19, 20, 21} - {10}


def test_a_concatenated_statement_tells_its_accounts_apart(file):
    other = INTERACTIVE_BROKERS.replace("U1234567", "U7654321")
    other = other.replace("GOOG,-50", "GOOG,70").replace("145.00,-7250", "145.00,10150")
    accounts = read_holdings(file(INTERACTIVE_BROKERS + other)).accounts
    assert [(account.name, held(account)[1][2], account.cash) for account in accounts] == [
        ("Account ...4567", -50, -257.35),
        ("Account ...4321", 70, -257.35),
    ]


@needs_shared_data
@pytest.mark.parametrize(
    ("name", "accounts"),
    [
        ("schwab", [("Individual ...123", 6, 136572.85)]),
        (
            "fidelity",
            [("Individual - TOD ...0001", 3, 43782.97), ("ROTH IRA ...0002", 2, float("nan"))],
        ),
    ],
)
def test_example_exports_load_without_an_option(name, accounts):
    """Oracle: value plus cash is the total in the first file; that of the second is by hand."""
    found = read_holdings(SHARED_DATA / "portfolios" / f"{name}_positions.csv")
    assert found.day == date(2024, 12, 6)
    assert [
        (one.name, len(one.holdings.rows), one.holdings.rejected) for one in found.accounts
    ] == [(*one[:2], []) for one in accounts]
    assert [one.value + one.cash for one in found.accounts] == pytest.approx(
        [one[2] for one in accounts], nan_ok=True
    )
    assert found.rejected == []


def test_money_market_funds_are_cash_whoever_holds_them(file):
    """By their symbols: the broker's class says Mutual Fund."""
    swvxx = (
        '"SWVXX","VALUE ADVANTAGE MONEY INV","5,000.00","$1.00","$5,000.00","N/A","Mutual Fund",\n'
    )
    found = read_holdings(file(SCHWAB.replace('"91282CPU9"', swvxx + '"91282CPU9"', 1)))
    assert found.accounts[0].cash == 8123.45 + 5000
    assert read_holdings(file("symbol,quantity\nKO,1\nVMFXX,700.25\n")).accounts[0].cash == 700.25


def test_a_cost_that_the_broker_calls_incomplete_is_not_known(file):
    parsed = read_portfolio(file("symbol,quantity,cost basis\nKO,1,Incomplete\n"))
    assert (len(parsed.rows), parsed.rejected) == (1, [])


def test_lots_that_stand_below_their_sum_do_not_count_twice(file):
    """As in a query of Interactive Brokers with both levels of detail."""
    found = read_holdings(
        file(
            "Symbol,Quantity,Multiplier,LevelOfDetail\nKO,100,1,SUMMARY\nKO,60,1,LOT\nKO,40,1,LOT\nMINI,1,10,SUMMARY\n"
        )
    )
    assert held(found.accounts[0])[0][2] == 100
    assert [(line.line, line.reason) for line in found.skipped] == [
        (3, "no open position: LOT"),
        (4, "no open position: LOT"),
    ]
    assert "multiplier 10" in found.accounts[0].holdings.rejected[0].reason


def test_cash_of_interactive_brokers_in_another_currency_is_left_out_and_said(file):
    found = read_holdings(
        file(INTERACTIVE_BROKERS + "Cash Report,Data,Ending Cash,EUR,100,100,0,\n")
    )
    assert found.accounts[0].cash == -257.35
    assert (found.skipped[-1].line, found.skipped[-1].reason) == (
        22,
        "cash without an amount in USD",
    )


def test_the_time_of_lines_with_long_descriptions_is_linear(file):
    def read_seconds(n_lines: int) -> float:
        lines = "".join(
            f"Z1,Individual,S{place},THE SHARES OF SOME COMPANY INC,10,$62.53,$625.30,--,--,Cash,\n"
            for place in range(n_lines)
        )
        path = file(FIDELITY.partition("\n")[0] + "\n" + lines)
        began = time.process_time()
        assert len(read_holdings(path).accounts[0].holdings.rows) == n_lines
        return time.process_time() - began

    read_seconds(100)
    # a quadratic time has a ratio of 16; the shorter file is read twice against outliers
    assert read_seconds(4_000) < 8 * max(read_seconds(1_000), read_seconds(1_000))


def test_an_account_that_holds_cash_alone_is_stated_to_hold_nothing_else(file):
    text = FIDELITY.replace(
        "200000002,ROTH IRA,brk.b,BERKSHIRE HATHAWAY,0.125,$470.50,$58.81",
        "200000002,ROTH IRA,FDRXX**,,,,$5.00",
    )
    roth = read_holdings(file(text)).accounts[1]
    assert (roth.name, roth.cash, len(roth.holdings.rows)) == ("ROTH IRA ...0002", 5, 0)


@repeatable
@given(
    st.sampled_from(
        [SCHWAB, FIDELITY, INTERACTIVE_BROKERS, "symbol;quantity;entry_date\nKO;1,5;2024-12-06\n"]
    ),
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.integers(0, 12),
            st.sampled_from(
                [
                    ",",
                    ";",
                    "\n",
                    "=",
                    '"',
                    "$",
                    "€",
                    "1.200",
                    "(5)",
                    "--",
                    "Total",
                    "1e999",
                    "nan",
                    "99/99/9999",
                    "%",
                    "\x00",
                ]
            ),
        ),
        max_size=5,
    ),
)
def test_a_damaged_file_is_read_or_refused_and_never_a_crash(file_in_memory, text, damages):
    """Accepted lots fit their columns; every other line of the file is rejected or skipped."""
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
    stated = (
        sum(len(one.rows) + len(one.rejected) for one in lots)
        + len(found.rejected)
        + len(found.skipped)
    )
    records = len([line for line in text.splitlines() if line.strip(",; \t\r")])
    assert stated <= records
    if '"' not in text:
        # a header is recognized without its punctuation: quan,tity
        headers = sum("quantity" in header_key(line) for line in text.splitlines())
        assert stated >= records - headers
