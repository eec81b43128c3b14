"""Lines that look like totals, remarks, cash or parts of another table, and are held; by hand."""

import math
from datetime import date

import pytest

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from riskmetrics.sources.transaction_files import read_transactions


def held(found: HoldingsFile) -> dict[str, float]:
    """Return the quantity of each symbol in all accounts."""
    sums: dict[str, float] = {}
    for account in found.accounts:
        rows = account.holdings.rows
        for symbol, quantity in zip(rows["symbol"], rows["quantity"], strict=True):
            sums[symbol] = sums.get(symbol, 0.0) + quantity
    return sums


def rejected(found: HoldingsFile) -> list[str]:
    rows = [*found.rejected, *(row for one in found.accounts for row in one.holdings.rejected)]
    return [row.raw_row for row in rows]


STOCKS = "Symbol,Shares,Price,Value\nQQA,10,19,190\nQQB,5,44,220\n"


@pytest.mark.parametrize(
    "below",
    [
        "Retirement\nTicker,Quantity,Market value\nQQC,7,70\n",
        # one security again, and another one
        "Funds\nSymbol,Units,NAV,Market value\nQQC,7,10,70\nQQA,3,19,57\n",
        # the same securities in other quantities are of another account
        "Ticker,Quantity,Sector\nQQA,4,Energy\nQQB,5,Energy\n",
        "Retirement\nSymbol,Shares,Purchase date\nQQA,7,2023-01-01\n",
        "Tax lots\nSymbol,Shares,Purchase date\nQQA,4,2023-01-04\nQQA,60,2023-02-03\n",
        "Retirement\nTicker,Market value\nQQA,70\n",
        "Hedges\nTicker,Quantity,Side\nQQA,10,Short\n",
        "Hedges\nTicker,Quantity,Sector\nQQA,-10,Energy\n",
        "Retirement\nTicker,Quantity\nAcme Target 2045,7\n",
        "Short positions\nTicker,Quantity,Sector\nQQA,10,Energy\n",
        "Sectors\nTicker,Quantity,Sector\nQQA,10,Energy\nShort positions\nQQB,5,Energy\n",
    ],
)
def test_a_second_table_with_other_holdings_is_refused(file, below):
    with pytest.raises(DataQualityError, match="begins another table of holdings"):
        read_holdings(file(f"{STOCKS}\n{below}"))


@pytest.mark.parametrize(
    "below",
    [
        "Equities\nTicker,Quantity,Sector\nQQB,5,Energy\nQQA,10,Energy\n",
        "Tax lots\nSymbol,Shares,Purchase date\nQQA,4,2023-01-04\nQQA,6,2023-02-03\n",
        "Tax lots\nSymbol,Shares,Purchase date\nQQA,4.00,2023-01-04\nQQA,6 sh,2023-02-03\n",
        "Equities\nTicker,Quantity,Sector\nQQB US,5,Energy\nNYSE:QQA,10 shares,Energy\n",
        "Equities\nTicker,Market value\nQQA,190\nQQB,221\n",
        "Short-term gains\nSymbol,Shares,Date sold\nQQX,4,2023-01-04\n",
        "Ideas\nSymbol,Target weight,Rating\nQQX,5,Buy\n",
        "Ideas\nSymbol,Shares,Rating\nQQX,,Buy\n",
        "Closed positions\nTicker,Quantity,Proceeds\nQQX,5,70\n",
    ],
)
def test_a_second_view_of_the_holdings_is_not_read(file, below):
    assert held(read_holdings(file(f"{STOCKS}\n{below}"))) == {"QQA": 10, "QQB": 5}


@pytest.mark.parametrize(
    ("positions", "view"),
    [
        ("QQA,0.1\nQQA,0.2\nQQB,5\n", "QQA,0.3,\nQQB,5,\n"),
        ("QQA,10.1234\nQQB,5\n", "QQA,10.12,\nQQB,5,\n"),
        ("QQA,-10\nQQB,5\n", "QQA,10,Short\nQQB,5,Long\n"),
        ("QQA,1;5\nQQB,5\n", "QQA,1;50,\nQQB,5,\n"),
    ],
)
def test_a_view_in_another_notation_is_not_read(file, positions, view):
    text = f"Symbol,Shares\n{positions}\nSectors\nTicker,Quantity,Side\n{view}"
    table = file(text.replace(",", "\t").replace(";", ",")) if ";" in text else file(text)
    first = float(view.split(",")[1].replace(";", "."))
    expected = -first if "Short" in view else first
    assert held(read_holdings(table)) == pytest.approx({"QQA": expected, "QQB": 5}, abs=0.005)


@pytest.mark.parametrize(
    ("positions", "other"), [("QQA,10.1234\n", "QQA,10.2\n"), ("QQA,10.4\n", "QQA,10\n")]
)
def test_quantities_that_rounding_does_not_explain_are_refused(file, positions, other):
    with pytest.raises(DataQualityError, match="begins another table of holdings, with QQA"):
        read_holdings(file(f"Symbol,Shares\n{positions}\nIRA\nTicker,Quantity\n{other}"))


@pytest.mark.parametrize(
    "footer",
    [
        "Exported,2024-01-05,10:00",
        "Brokerage services are provided by Acme Brokerage LLC, 900 Salem Street, Smithfield RI",
        "S&P 500,100,Index",
        "S&P 500 Index,100.5,",
    ],
)
def test_a_footer_below_a_view_is_no_holding(file, footer):
    view = "Sectors\nTicker,Quantity,Sector\nQQA,10,Tech\nQQB,5,Energy\n"
    assert held(read_holdings(file(f"{STOCKS}\n{view}{footer}\n"))) == {"QQA": 10, "QQB": 5}


@pytest.mark.parametrize(
    "below",
    [
        "Transactions\nSymbol,Quantity,Price,Trade date\nQQZ,5,3,2024-01-05\n",
        "Recent trades\nSymbol,Quantity,Price,Trade date\nQQA,-5,3,2024-01-05\n",
        "Performance\nSymbol,Value,Gain\nSPY,100,5\n",
        "Sector allocation\nTicker,Value\nEnergy,190\nTech,220\n",
    ],
)
def test_a_table_whose_title_is_not_of_positions_is_not_read(file, below):
    assert held(read_holdings(file(f"{STOCKS}\n{below}"))) == {"QQA": 10, "QQB": 5}
    with pytest.raises(DataQualityError, match="begins another table of holdings, with QQC"):
        read_holdings(file(f"{STOCKS}\n{below}\nRetirement\n{STOCKS.replace('QQ', 'QQC')}"))


@pytest.mark.parametrize("header", ["", "Symbol,Shares,Price,Value\n"])
def test_a_group_may_have_the_title_of_another_table(file, header):
    found = read_holdings(file(f"{STOCKS}Trades\n{header}QQC,7,10,70\n"))
    assert held(found) == {"QQA": 10, "QQB": 5, "QQC": 7}


@pytest.mark.parametrize("header", ["", "Ticker,Quantity,Market value\n", "Symbol,Shares,Price\n"])
def test_what_may_be_held_below_a_table_of_closed_positions_is_refused(file, header):
    closed = "Closed positions\nTicker,Quantity,Proceeds\nQQX,5,70\n"
    with pytest.raises(DataQualityError, match=r"QQC|Retirement"):
        read_holdings(file(f"{STOCKS}\n{closed}Retirement\n{header}QQC,7,70\n"))


@pytest.mark.parametrize(
    "footer",
    [
        "Disclosures\nPrices may be delayed, 20 minutes, and 15, more",
        "End of report\nExported,2024-01-05,10:00",
    ],
)
def test_a_footer_below_closed_positions_is_no_holding(file, footer):
    text = f"{STOCKS}Closed positions\nQQX,5,3,15\n{footer}\n"
    assert held(read_holdings(file(text))) == {"QQA": 10, "QQB": 5}


def test_a_disclaimer_with_an_address_is_a_remark(file):
    text = "Services are provided by Acme Brokerage LLC, Member NYSE, 900 Salem Street, RI 02917"
    found = read_holdings(file(f"{STOCKS}\n{text}\n"))
    assert (held(found), rejected(found)) == ({"QQA": 10, "QQB": 5}, [])


@pytest.mark.parametrize("title", ["Options", "Roth IRA", "Satellite"])
def test_a_title_below_positions_that_are_not_held_leaves_open_what_is(file, title):
    text = f"Symbol,Quantity,Price\nQQA,10,19\nClosed positions\nQQX,5,3\n{title}\nQQB,5,44\n"
    with pytest.raises(DataQualityError, match=f"line 6 is below {title}.*Open positions"):
        read_holdings(file(text))
    clear = text.replace(title, "Open positions")
    assert held(read_holdings(file(clear))) == {"QQA": 10, "QQB": 5}
    parts = text.replace("Closed positions\n", "Closed positions\nStocks\n")
    assert held(read_holdings(file(parts))) == {"QQA": 10}


@pytest.mark.parametrize("weights", [(100, 50, 50), (100, 60, 40)])
def test_weights_of_a_portfolio_with_a_loan_are_no_sum_of_each_other(file, weights):
    rows = zip(("QQA", "QQB", "QQC"), weights, strict=True)
    text = "Symbol,Weight\n" + "".join(f"{symbol},{weight}%\n" for symbol, weight in rows)
    with pytest.raises(DataQualityError, match="sum to 200"):
        read_holdings(file(text))


@pytest.mark.parametrize(
    "line",
    [
        ",Target 2045 Trust,20,5,100",  # the value of all lines above, by chance
        ",Target 2045 Trust,20,,100",
        ",Total International Stock Index Trust,40,10,400",
        ",Total International Stock Index Trust,40,,400",
        "BITCOIN,,0.001,100000,100",
    ],
)
def test_a_holding_without_a_symbol_is_rejected_and_no_total(file, line):
    header = "Symbol,Description,Quantity,Price,Value\n"
    text = f"{header}QQA,Acme,6,10,60\nQQB,Other,4,10,40\n{line}\n"
    found = read_holdings(file(text))
    assert (held(found), rejected(found)) == ({"QQA": 6, "QQB": 4}, [line])


@pytest.mark.parametrize("line", [",Sum of the above,,,100", ",,10,,100", "Total,,10,,100"])
def test_a_total_without_terms_of_a_holding_is_skipped(file, line):
    header = "Symbol,Description,Quantity,Price,Value\n"
    found = read_holdings(file(f"{header}QQA,Acme,6,10,60\nQQB,Other,4,10,40\n{line}\n"))
    assert (held(found), rejected(found)) == ({"QQA": 6, "QQB": 4}, [])


@pytest.mark.parametrize(
    ("lines", "is_total"),
    [
        ("QQA,Acme,4,10,40\n,Stocks,4,,40", True),
        ("QQA,Acme,4,10,40\n,Equities,,,40", True),
        ("QQA,Acme,10,10,100\n,Total,10,10,100", True),
        ("QQA,Acme,10,19,190\nQQB,Other,5,44,220\n,Total,15,19,410", True),
        ("QQA,Acme,4,10,40\n,Stocks,5,,40", False),  # in another quantity
        ("QQA,Acme,4,10,40\n,Stocks of the world,4,,40", False),
        ("QQA,Acme,10,10,100\n,Total,20,10,200", False),
    ],
)
def test_a_sum_with_the_name_of_a_total_or_of_a_class_is_a_total(file, lines, is_total):
    found = read_holdings(file(f"Symbol,Description,Quantity,Price,Value\n{lines}\n"))
    assert [line.reason for line in found.skipped] == ["a total"] * is_total
    assert rejected(found) == ([] if is_total else [lines.splitlines()[-1]])


def test_a_word_for_a_total_in_another_column_is_no_sum_of_lots(file):
    header = "Symbol,Quantity,Cost,Purchase date,Return\n"
    lots = "QQA,10,150,2023-01-04,Total\nQQA,5,80,2023-02-03,Price\n"
    assert held(read_holdings(file(header + lots))) == {"QQA": 15}
    sums = "QQA,15,230,,Total\nQQA,10,150,2023-01-04,\nQQA,5,80,2023-02-03,\n"
    assert held(read_holdings(file(header + sums))) == {"QQA": 15}
    header = "Symbol;Quantity;Cost;Purchase date;Return\n"
    lots = "QQA;12,5;150,25;04.01.2023;Total\nQQA;5,5;80,10;03.02.2023;Price\n"
    assert held(read_holdings(file(header + lots))) == {"QQA": 18}
    sums = "QQA;18;230,35;;Total\nQQA;12,5;150,25;04.01.2023;\nQQA;5,5;80,10;03.02.2023;\n"
    assert held(read_holdings(file(header + sums))) == {"QQA": 18}
    sums = sums.replace("QQA;18;", "QQA;18 Stück;")
    assert held(read_holdings(file(header + sums))) == {"QQA": 18}


def test_a_lot_without_a_date_is_no_sum_of_lots_at_other_prices(file):
    header = "Symbol,Quantity,Purchase date,Purchase price\n"
    lots = "QQA,4,2023-01-04,120\nQQA,6,2023-02-03,130\n"
    assert held(read_holdings(file(f"{header}QQA,10,,100\n{lots}"))) == {"QQA": 20}
    assert held(read_holdings(file(f"{header}QQA,10,,126.00\n{lots}"))) == {"QQA": 10}


@pytest.mark.parametrize(
    ("line", "quantity", "cash"),
    [
        ("SGOV,iShares 0-3 Month Treasury,100,10050,Cash", 100, math.nan),
        ("MMKT,Texas Capital Government Money Market ETF,100,10050,ETF", 100, math.nan),
        ("QQM,Acme Money Market Fund,100,100.35,Cash", None, 100.35),  # with interest to be paid
        ("CASH,,1,5000,", None, 5000),
        ("CASH,Pathward Financial,50,4000,", 50, math.nan),
        ("CASH,,1,75.2,Stock", 1, math.nan),
        ("SGOV,,1,100.5,Cash", 1, math.nan),
        # words of cash alone, of which the quantity can be in another currency
        ("Cash,Cash balance,1000,1085,", None, 1085),
        ("CASH,Cash,1000,1085,", None, 1085),
        ("Cash and cash equivalents,,100,105,", None, 105),
    ],
)
def test_a_fund_whose_price_is_not_1_is_no_cash(file, line, quantity, cash):
    found = read_holdings(
        file(f"Symbol,Name,Quantity,Value,Asset class\nQQA,Acme,1,5,Stock\n{line}\n")
    )
    symbol = line.partition(",")[0]
    assert held(found) == {"QQA": 1} | ({symbol: quantity} if quantity else {})
    assert found.accounts[0].cash == pytest.approx(cash, nan_ok=True)


@pytest.mark.parametrize("symbol", ["CASH", "USD"])  # Pathward Financial, ProShares Ultra Semi
def test_one_share_with_a_symbol_that_is_a_word_of_cash_is_rejected(file, symbol):
    header = "Symbol,Name,Quantity,Price,Value\nQQA,Acme,1,5,5\n"
    found = read_holdings(file(f"{header}{symbol},,1,75.2,75.2\n"))
    assert (held(found), rejected(found)) == ({"QQA": 1}, [f"{symbol},,1,75.2,75.2"])
    assert math.isnan(found.accounts[0].cash)
    share = read_holdings(file(f"{header}{symbol},Some fund,1,75.2,75.2\n"))
    assert held(share) == {"QQA": 1, symbol: 1}
    for line in (f"{symbol},Cash,1,75.2,75.2", f"{symbol},,75.2,1,75.2", "Cash,,1,75.2,75.2"):
        cash = read_holdings(file(f"{header}{line}\n"))
        assert (held(cash), cash.accounts[0].cash) == ({"QQA": 1}, 75.2)


@pytest.mark.parametrize(
    ("name", "amount", "cash"),
    [
        ("Margin debt", "5000", -5000),
        ("Margin loan", "-5000", -5000),
        ("Margin balance", "-5000", -5000),
        ("Margin balance", "5000", math.nan),  # owed at some brokers, and not at others
        ("Margin used", "5000", math.nan),  # collateral for contracts for difference, or a debt
    ],
)
def test_cash_that_is_owed(file, name, amount, cash):
    found = read_holdings(file(f"Symbol,Quantity,Price,Value\nQQA,10,19,190\n{name},,,{amount}\n"))
    assert held(found) == {"QQA": 10}
    assert found.accounts[0].cash == pytest.approx(cash, nan_ok=True)
    has_reason = any("without a sign" in line.reason for line in found.skipped)
    assert has_reason == math.isnan(cash)


@pytest.mark.parametrize("size", ["12 shares", "12 Stk.", "12x"])
def test_a_line_with_a_long_name_and_a_size_is_no_remark(file, size):
    name = "Vanguard Total Stock Market Index Fund"
    found = read_holdings(file(f"Symbol,Description,Quantity\nQQA,{name},{size}\nQQB,Acme,5\n"))
    if size == "12x":
        assert rejected(found) == [f"QQA,{name},{size}"]
    else:
        assert held(found) == {"QQA": 12, "QQB": 5}
    weights = f"Symbol,Description,Weight\nQQA,{name},60%\nQQB,Acme,40%\n"
    assert held(read_holdings(file(weights))) == {"QQA": 0.6, "QQB": 0.4}


def test_values_below_mv_are_of_their_side(file):
    text = "Symbol,Shares,Long MV,Short MV\nQQA,10,190,\nQQB,5,,150\n"
    assert held(read_holdings(file(text))) == {"QQA": 10, "QQB": -5}


@pytest.mark.parametrize(
    ("columns", "held_by"), [("Shares,Price", "10,19"), ("Price,Shares", "19,10")]
)
def test_a_position_that_numbers_the_lines_is_no_quantity(file, columns, held_by):
    text = f"Position,Symbol,{columns}\n1,QQA,{held_by}\n2,QQB,{held_by}\n"
    assert held(read_holdings(file(text))) == {"QQA": 10, "QQB": 10}
    with pytest.raises(DataQualityError, match=r"may be quantities.* Position"):
        read_holdings(file("Position,Symbol,Value\n1,QQA,190\n2,QQB,440\n"))
    with pytest.raises(DataQualityError, match=r"may be quantities.* Position"):
        read_holdings(file("Position,Symbol,Value\n3,QQC,80\n1,QQA,190\n2,QQB,440\n"))
    weights = read_holdings(file("Position,Symbol,Weight\n1,QQA,60%\n2,QQB,40%\n"))
    assert held(weights) == {"QQA": 0.6, "QQB": 0.4}
    shares = read_holdings(file("Position,Symbol,Price\n2,QQA,19\n1,QQB,44\n"))
    assert held(shares) == {"QQA": 2, "QQB": 1}


@pytest.mark.parametrize("name", ["NAV", "TOT", "ALL"])
def test_a_value_that_is_the_sum_of_all_others_is_refused(file, name):
    values = "QQA,190.25\nQQB,440.10\n"
    for text in (f"{values}{name},630.35\n", f"{name},630.35\n{values}"):
        with pytest.raises(DataQualityError, match=f"{name}, is the sum of all others"):
            read_holdings(file("Symbol,Value\n" + text))
    found = read_holdings(file(f"Symbol,Value\nQQA,190.25\n{name},630.35\nQQB,440.10\n"))
    assert held(found) == {"QQA": 190.25, name: 630.35, "QQB": 440.10}


def test_weights_that_are_held_precede_those_of_a_plan(file):
    text = "Ticker,Target,Actual,Drift\nQQA,50%,55%,5%\nQQB,50%,45%,-5%\n"
    assert held(read_holdings(file(text))) == {"QQA": 0.55, "QQB": 0.45}


def test_symbols_of_shares_next_to_coins_are_coins(file):
    rows = "BTC,0.5,98000\nSOL,10,230\nLTC,5,110\n"
    with pytest.raises(DataQualityError, match="BTC is a cryptocurrency"):
        read_holdings(file("Symbol,Quantity,Price\n" + rows))
    shares = "QQA,1,5\nQQB,1,5\nQQC,1,5\n"
    found = read_holdings(file("Symbol,Quantity,Price\n" + rows.replace("SOL", "QQD") + shares))
    assert held(found) == {"QQA": 1, "QQB": 1, "QQC": 1, "QQD": 10, "LTC": 5}
    trades = "".join(f"2024-12-02,Buy,{row}\n" for row in rows.splitlines())
    listed = read_transactions(file("Date,Type,Symbol,Quantity,Price\n" + trades))
    assert (len(listed.transactions), len(listed.rejected)) == (0, 3)


def test_a_day_behind_a_title_of_positions_is_read_or_asked_for(file):
    text = "Portfolio holdings {}\nSymbol,Quantity\nQQA,10\n"
    assert read_holdings(file(text.format("12/13/2024"))).day == date(2024, 12, 13)
    with pytest.raises(UsageError, match="12/06/2024, which can be two days"):
        read_holdings(file(text.format("12/06/2024")))
    assert (
        read_holdings(file(text.replace("holdings", "launched").format("12/13/2024"))).day is None
    )


GERMAN = "Symbol;Anzahl;Kurs;Wert\nQQA;10,5;19,00;199,50\nQQB;5;44,10;220,50\n"


@pytest.mark.parametrize(
    ("below", "other"),
    [
        ("Depot 2\nTicker;Stück;Marktwert\nQQC;7,5;70,25\n", "QQC"),
        ("Depot 2\nTicker;Stück;Marktwert\nQQA;4,5;85,50\n", "QQA"),
        ("Depot 2\nTicker;Marktwert\nQQB;70,25\n", "QQB"),
        ("Lots\nSymbol;Anzahl;Kaufdatum\nQQA;4,5;04.01.2023\nQQA;60;03.02.2023\n", "QQA"),
        ("Geschlossen\nTicker;Stück;Erlös\nQQX;5;70\nVorsorge\nQQC;7,5;70,25\n", "Vorsorge"),
    ],
)
def test_a_second_table_in_comma_notation_is_refused(file, below, other):
    with pytest.raises(DataQualityError, match=other):
        read_holdings(file(f"{GERMAN}\n{below}"))


@pytest.mark.parametrize(
    "below",
    [
        "Branchen\nTicker;Stück;Sektor\nQQB;5,00;Energie\nQQA;10,50;Energie\n",
        "Lots\nSymbol;Anzahl;Kaufdatum\nQQA;4,25;04.01.2023\nQQA;6,25;03.02.2023\n",
        "Branchen\nTicker;Marktwert\nQQA;199,50\nQQB;220,50\n",
    ],
)
def test_a_view_in_comma_notation_is_not_read(file, below):
    assert held(read_holdings(file(f"{GERMAN}\n{below}"))) == {"QQA": 10.5, "QQB": 5}


def test_lines_of_a_second_part_in_comma_notation(file):
    name = "Vanguard Total Stock Market Index Fund"
    part = f"Fonds\nSymbol;Name;Anzahl;Kurs;Wert\nQQC;{name};12 Stk.;10,00;120,00\n"
    rest = ";Total International Stock Trust;10;54,00;540,00\nMargin-Kredit;;;;\n"
    found = read_holdings(file(f"Aktien\n{GERMAN}\n{part}{rest}"))
    assert held(found) == {"QQA": 10.5, "QQB": 5, "QQC": 12}
    assert rejected(found)[0].startswith(";Total International")
