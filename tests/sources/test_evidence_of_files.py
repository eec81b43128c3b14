"""Files whose headers are known, and whose cells and lines say what the headers do not."""

from datetime import date

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from riskmetrics.sources.files import read_prices, read_profiles
from riskmetrics.sources.transaction_files import read_transactions


def _held(found: HoldingsFile) -> dict[str, float]:
    held: dict[str, float] = {}
    for account in found.accounts:
        for row in account.holdings.rows.itertuples():
            held[row.symbol] = held.get(row.symbol, 0) + row.quantity
    return held


def _reasons(found: HoldingsFile) -> list[str]:
    rows = [*found.rejected, *(row for one in found.accounts for row in one.holdings.rejected)]
    return [row.reason for row in rows]


@pytest.mark.parametrize(
    "names", [("VISA", "FORD", "NIKE"), ("VISA", "KO", "IBM"), ("DUST", "RIDE", "KO")]
)
def test_names_in_capitals_are_no_symbols(file, names):
    rows = "".join(f"{name},10,62.5\n" for name in names)
    with pytest.raises(DataQualityError, match="no known column of symbols"):
        read_holdings(file("Stock,Shares,Price\n" + rows))
    trades = "".join(f"2024-12-06,{name},Buy,10,62.5\n" for name in names)
    assert not read_transactions(file("Date,Stock,Action,Shares,Price\n" + trades)).transactions
    closes = f"Date,{','.join(names)}\n2024-12-05,30,20,10\n2024-12-06,31,21,11\n"
    with pytest.raises(DataQualityError, match="look like names, not symbols"):
        read_prices(file(closes))


def test_symbols_that_can_be_spoken_are_read(file):
    content = "Stock,Shares\nMETA,10\nCOST,20\nSHOP,5\nAAPL,3\n"
    assert _held(read_holdings(file(content))) == {"META": 10, "COST": 20, "SHOP": 5, "AAPL": 3}


def test_names_in_the_column_of_symbols_are_rejected_everywhere(file):
    found = read_holdings(file("Symbol,Shares\nVisa,10\nAapl,20\n2-Mar,5\n"))
    assert _held(found) == {"AAPL": 20}
    assert [reason.split(".")[0] for reason in _reasons(found)] == [
        "Visa is a name: write its symbol",
        "2-Mar is a date, not a symbol",
    ]
    closes = read_prices(file("Symbol,Date,Close\nVisa,2024-12-06,310\nV,2024-12-06,310\n"))
    assert closes.rows["symbol"].tolist() == ["V"]
    profiles = read_profiles(file("Symbol,Sector\nFord,Financials\nF,Consumer Discretionary\n"))
    assert profiles.rows["symbol"].tolist() == ["F"]


def test_profiles_of_foreign_listings_are_rejected(file):
    content = "Symbol,Exchange,Security,Sector\nKO,NYSE,Coca-Cola,Consumer Staples\n"
    found = read_profiles(file(content + "T,TSX,Telus,Communication Services\n"))
    assert found.rows[["symbol", "company_name"]].to_numpy().tolist() == [["KO", "Coca-Cola"]]
    assert found.rejected[0].reason == "T is listed on TSX, not in the United States"


@pytest.mark.parametrize(
    ("lines", "day"),
    [
        ("Prices as of 2024-12-09\nPositions as of 2024-12-06", "2024-12-06"),
        ("Exchange rates as of 2024-11-29\nStatement date: 2024-12-06", "2024-12-06"),
        ("Portfolio valuation (prices as of 2024-12-09)\nAs of 2024-12-06", "2024-12-06"),
        ("Positions and prices as of 2024-12-06\nPrinted on 2024-12-09", "2024-12-06"),
        ("Prices as of 2024-12-06", "2024-12-06"),
        ("Run Date: 2024-12-09\nHoldings for close of business: 2024-12-06", "2024-12-06"),
        ("Date: Friday, 2024-12-06", "2024-12-06"),
        ('"Friday, December 6, 2024"', "2024-12-06"),
        ("Report date,Fri 06-Dec-2024,", "2024-12-06"),
        ("Portefeuille au vendredi 6 décembre 2024", "2024-12-06"),
    ],
)
def test_the_day_of_the_positions_precedes_that_of_the_prices(file, lines, day):
    found = read_holdings(file(f"{lines}\nSymbol,Quantity,Price\nKO,40,62.5\n"))
    assert found.day == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("dollars", "others"), [("USD,,,", "EUR,,,"), ("Equities (USD),,,", "Equities - CAD,,,")]
)
def test_a_title_with_a_currency_is_that_of_the_rows_below(file, dollars, others):
    rows = f"{dollars}\nKO,40,62.5,2500\n{others}\nT,10,21.5,215\n{dollars}\nV,3,310,930\n"
    found = read_holdings(file("Symbol,Quantity,Price,Value\n" + rows))
    assert _held(found) == {"KO": 40, "V": 3}
    assert [reason.split(":")[1] for reason in _reasons(found)] == [" only USD is supported"]


def test_an_account_that_is_the_sum_of_the_others_is_skipped(file):
    rows = "IRA,KO,40\nIRA,PG,10\nTaxable,KO,5\nCombined,KO,45\nCombined,PG,10\n"
    found = read_holdings(file("Account,Symbol,Quantity\n" + rows))
    assert _held(found) == {"KO": 45, "PG": 10}
    assert [line for line, reason in found.skipped if "sum of the other accounts" in reason] == [
        5,
        6,
    ]


@pytest.mark.parametrize(
    "rows", ["A,KO,40\nB,KO,5\nC,KO,45\n", "A,KO,20\nA,PG,25\nB,KO,20\nB,PG,25\n"]
)
def test_accounts_that_may_be_equal_by_chance_are_kept(file, rows):
    found = read_holdings(file("Account,Symbol,Quantity\n" + rows))
    assert sum(_held(found).values()) == 90


def test_quantities_in_dollars_are_values(file):
    found = read_holdings(file('Ticker,Position,Price\nKO,"$2,500.00",62.5\nV,"$930.00",310\n'))
    assert _held(found) == {"KO": 40, "V": 3}


def test_an_unknown_column_is_the_quantity_with_the_decimal_mark_of_all_rows(file):
    content = "Symbol,Settled,Price,Value\nKO,30,62.5,2500\nV,10,310,3100\n"
    with pytest.raises(DataQualityError, match="unknown columns Settled"):
        read_holdings(file(content))


def test_a_note_names_a_quantity_that_may_be_a_part(file):
    content = "Symbol,Quantity available,Price,Value\nKO,30,62.5,2500\nV,10,310,3100\n"
    [account] = read_holdings(file(content)).accounts
    [note] = [one for one in account.holdings.notes if "quantity times price" in one]
    assert ": KO. Check" in note


def test_numbers_with_the_separators_of_india_are_read(file):
    content = 'Symbol,Quantity,Value\nKO,"1,00,000","62,50,000.00"\nV,10,"3,100.00"\n'
    assert _held(read_holdings(file(content))) == {"KO": 100_000, "V": 10}


def test_columns_that_begin_at_a_base_are_no_prices(file):
    content = "Date,KO,PG\n2024-12-05,100,100\n2024-12-06,100.4,101.5\n"
    with pytest.raises(DataQualityError, match="begin at 100: they are rebased"):
        read_prices(file(content))


def test_prices_by_trade_date_and_below_a_line_of_securities_are_read(file):
    by_row = read_prices(file('Symbol,Trade Date,Last\nKO,"Fri, Dec 6, 2024",62.5\n'))
    by_column = read_prices(
        file("Security,KO US Equity,V US Equity\nDates,PX_LAST,PX_LAST\n2024-12-06,62.5,310\n")
    )
    closes = [one.rows[["symbol", "close"]].to_numpy().tolist() for one in (by_row, by_column)]
    assert closes == [[["KO", 62.5]], [["KO", 62.5], ["V", 310.0]]]


@pytest.mark.parametrize("total", [",,,,Net total,-2500", ",,,Total,,-2500"])
def test_a_total_of_transactions_may_be_in_any_column(file, total):
    content = "Date,Action,Symbol,Quantity,Price,Amount\n2024-12-02,Buy,KO,40,62.50,-2500\n"
    found = read_transactions(file(f"{content}{total}\n"))
    assert [(one.symbol, one.quantity) for one in found.transactions] == [("KO", 40)]
    assert not found.rejected


def test_a_portfolio_of_commsec_is_refused(file):
    content = "Code,Avail Units,Purchase $,Last $,Market Value $\nBHP,9,40,41,369\n"
    with pytest.raises(DataQualityError, match="Australian dollars"):
        read_holdings(file(content))


@pytest.mark.parametrize("symbols", [("CAVA", "MSFT"), ("SBUX", "KO"), ("QCOM", "TMUS")])
def test_symbols_next_to_letters_that_cannot_be_spoken_are_no_names(file, symbols):
    rows = "".join(f"{symbol},10\n" for symbol in symbols)
    assert _held(read_holdings(file("Stock,Shares\n" + rows))) == dict.fromkeys(symbols, 10)
    closes = f"Date,{','.join(symbols)}\n2024-12-05,30,20\n2024-12-06,31,21\n"
    assert {*read_prices(file(closes)).rows["symbol"]} == {*symbols}


def test_columns_that_may_be_names_are_refused_with_a_way_out(file):
    with pytest.raises(DataQualityError, match=r"BOND, GOLD.*columns Symbol, Date and Close"):
        read_prices(file("Date,BOND,GOLD\n2024-12-05,30,20\n2024-12-06,31,21\n"))
    found = read_prices(file("Symbol,Date,Close\nBOND,2024-12-05,90\nGOLD,2024-12-05,17\n"))
    assert found.rows["symbol"].to_list() == ["BOND", "GOLD"]


def test_money_market_funds_are_not_rebased(file):
    found = read_prices(file("Date,VMFXX,SPAXX\n2024-12-05,1,1\n2024-12-06,1,1\n"))
    assert found.rows["close"].to_list() == [1.0] * 4


def test_the_apostrophe_of_a_spreadsheet_is_no_part_of_a_symbol(file):
    assert _held(read_holdings(file("Symbol,Shares\n'KO,10\n"))) == {"KO": 10}
    assert read_profiles(file("Symbol,Sector\n'KO,Energy\n")).rows["symbol"].to_list() == ["KO"]
    for content in ("Symbol,Date,Close\n'KO,2024-12-05,62\n", "Date,'KO\n2024-12-05,62\n"):
        assert read_prices(file(content)).rows["symbol"].to_list() == ["KO"]
    [trade] = read_transactions(
        file("Date,Action,Symbol,Quantity,Price\n2024-12-05,Buy,'KO,5,62\n")
    ).transactions
    assert trade.symbol == "KO"


def test_a_remark_on_the_currency_before_a_conversion_states_none(file):
    content = "Symbol,Quantity,Price\nConverted from EUR\nKO,10,62.5\n"
    assert _held(read_holdings(file(content))) == {"KO": 10}


_POSITIONS = "Symbol,Shares,Price,Value\nKO,10,62.5,625\nV,2,310,620\n"


@pytest.mark.parametrize(
    "total",
    ["Total EUR,,,1245", "Total (EUR),,,1245", "Total,EUR,,1245", "Total,,,1245 EUR"],
)
def test_a_total_that_sums_the_rows_names_their_currency(file, total):
    with pytest.raises(DataQualityError, match="currency EUR: only USD"):
        read_holdings(file(f"{_POSITIONS}{total}\n"))


@pytest.mark.parametrize(
    "total", ["Total EUR,,,1180", "Total USD,,,1245", "Total EUR,,,1180\nTotal USD,,,1245"]
)
def test_a_total_in_the_currency_of_the_account_is_not_that_of_the_rows(file, total):
    assert _held(read_holdings(file(f"{_POSITIONS}{total}\n"))) == {"KO": 10, "V": 2}


def test_a_benchmark_below_the_positions_is_not_held(file):
    for title in ("Benchmark", "Vergleichsindex"):
        found = read_holdings(file(f"{_POSITIONS}\n{title}\nSPY,1,600,600\n"))
        assert _held(found) == {"KO": 10, "V": 2}
    for title in ("Benchmark", "Benchmark: SPY", "Benchmark,SPY"):  # of the portfolio
        assert _held(read_holdings(file(f"{title}\n{_POSITIONS}"))) == {"KO": 10, "V": 2}
