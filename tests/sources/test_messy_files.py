"""Files of other brokers, programs and countries, and other kinds of mess; truth by hand."""

from datetime import date
from fractions import Fraction

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from riskmetrics.sources.price_files import read_prices
from riskmetrics.sources.transaction_files import TransactionList, read_transactions


def held(found: HoldingsFile) -> dict[str, float]:
    """Return the quantity of each symbol in all accounts."""
    rows = [one.holdings.rows for one in found.accounts]
    return {s: q for part in rows for s, q in zip(part["symbol"], part["quantity"], strict=True)}


def trades(found: TransactionList) -> list[tuple[str, str | None, float, float]]:
    """Return kind, symbol, quantity and amount of each transaction."""
    return [
        (one.kind.value, one.symbol, float(one.quantity), float(one.amount))
        for one in found.transactions
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Account currency: CAD", "CAD"),
        ("Währung;EUR", "EUR"),
        ("Portfolio value in GBP", "GBP"),
        ("Base currency: Euro", "EUR"),
    ],
)
def test_a_line_above_the_table_states_its_currency(file, line, code):
    separator = ";" if ";" in line else ","
    holdings, prices, bought = (
        "\n".join([line, *(row.replace(",", separator) for row in rows), ""])
        for rows in (
            ["Symbol,Quantity,Price", "QQA,5,10"],
            ["Symbol,Date,Close", "QQA,2024-12-02,10"],
            ["Date,Type,Symbol,Quantity,Amount", "2024-12-02,Buy,QQA,5,-50"],
        )
    )
    with pytest.raises(DataQualityError, match=f"currency {code}"):
        read_holdings(file(holdings))
    with pytest.raises(DataQualityError, match=f"prices in {code}"):
        read_prices(file(prices))
    [row] = read_transactions(file(bought)).rejected
    assert row.reason.startswith(f"currency {code}")


@pytest.mark.parametrize(
    "line",
    [
        "Base currency: USD",
        "Account: EUR fund",
        "Portfolio in USD",
        "Amounts may be shown in EUR or USD",
        "For residents in CAD",
        "Metals are priced in XAU",
    ],
)
def test_other_lines_above_the_table_state_no_currency(file, line):
    assert held(read_holdings(file(f"{line}\nSymbol,Quantity,Price\nQQA,5,10\n"))) == {"QQA": 5}


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("Last,Market Value", ["62,2480", "470,1880"], [55, 300]),
        ("Last,Market Value", ["62,2480"], [55]),
        ("Gain,Note", ["1,x", "2,y"], [1.375, 75]),  # nothing tells it from a total
    ],
)
def test_a_cost_nearer_to_the_price_than_to_the_value_is_of_a_share(file, header, rows, expected):
    stated = ["KO,40,55", "QQA,4,300"]
    lines = [f"{one},{rest}" for one, rest in zip(stated, rows, strict=False)]
    found = read_holdings(file("\n".join([f"Symbol,Shares,Cost,{header}", *lines, ""])))
    assert found.accounts[0].holdings.rows["entry_price"].tolist() == expected
    is_noted = "the cost is read as that of a share" in found.accounts[0].holdings.notes
    assert is_noted is (expected[0] == 55)
    total = read_holdings(file("Symbol,Shares,Cost,Price,Value\nKO,40,2200,62,2480\n"))
    assert total.accounts[0].holdings.rows["entry_price"].tolist() == [55]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Symbol,Shares,Active\nQQA,5,TRUE\nQQB,7,FALSE\n", {"QQA": 5}),
        ("Symbol,Shares,Is held\nQQA,5,yes\nQQB,7,no\n", {"QQA": 5}),
        (
            "Unrealized Positions\nSymbol,Quantity\nQQA,5\n\nRealized Positions\nSymbol,Quantity\n"
            "QQB,7\n",
            {"QQA": 5},
        ),
        (
            "Symbol,Quantity\nClosed positions,\nQQB,7\nOpen positions,\nQQA,5\n",
            {"QQA": 5},
        ),
    ],
)
def test_what_is_no_longer_held_is_skipped(file, text, expected):
    found = read_holdings(file(text))
    assert held(found) == expected
    assert any("no longer held" in line.reason for line in found.skipped)


def test_the_sum_of_lots_is_no_lot(file):
    text = (
        "Symbol,Lot,Quantity,Open date\nQQA,Total,40,\nQQA,1,25,2023-01-05\nQQA,2,15,2023-06-05\n"
    )
    rows = read_holdings(file(text)).accounts[0].holdings.rows
    assert rows["quantity"].tolist() == [25, 15]
    alone = read_holdings(file("Symbol,Lot,Quantity\nQQA,Total,40\nQQB,1,5\n"))
    assert held(alone) == {"QQA": 40, "QQB": 5}


def test_asset_classes_in_the_place_of_a_description(file):
    found = read_holdings(file("Symbol,Quantity,Product\nQQA,5,Stock\nUS500,1,CFD\nQQB,7,ETF\n"))
    assert held(found) == {"QQA": 5, "QQB": 7}


def test_invisible_and_full_width_signs(file):
    assert held(read_holdings(file("Symbol,Quantity\n\u200bQQA,5\nQQB\u200e,７\n"))) == {
        "QQA": 5,
        "QQB": 7,
    }


def test_values_of_several_days_are_no_holdings(file):
    text = "date,symbol,variable,value\n2024-12-02,QQA,close,5\n2024-12-03,QQA,close,6\n"
    with pytest.raises(DataQualityError, match="table of values or a table of prices"):
        read_holdings(file(text))


@pytest.mark.parametrize(
    "text",
    [
        "Symbol;Antall;Snittkurs;Valuta\nQQA;5;10,5;USD\n",
        "Tunnus;Määrä;Keskihinta;Valuutta\nQQA;5;10,5;USD\n",
        "Ticker;Počet kusů;Nákupní cena;Měna\nQQA;5;10,5;USD\n",
        "Sembol;Adet;Maliyet;Para Birimi\nQQA;5;10,5;USD\n",
    ],
)
def test_other_languages(file, text):
    found = read_holdings(file(text))
    assert held(found) == {"QQA": 5}
    assert found.accounts[0].holdings.rows["entry_price"].tolist() == [10.5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # the description names the kind
            "Date,Description,Symbol,Quantity,Price,Amount\n2024-12-02,PURCHASE ALPHA,QQA,4,10,40\n"
            "2024-12-05,SALE ALPHA,QQA,-1,11,11\n",
            [("buy", "QQA", 4, -40), ("sell", "QQA", 1, 11)],
        ),
        (  # the sign of the quantity does
            "Symbol,Date,Quantity,Price,Commission\nQQA,2024-12-02,4,10,0\nQQA,2024-12-05,-1,11,0\n",
            [("buy", "QQA", 4, -40), ("sell", "QQA", 1, 11)],
        ),
        (
            "Date,Type,Symbol,Quantity,Amount\n2024-12-02,Buy,QQA,4,-40\n"
            "2024-12-04,Dividend Reinvestment,QQA,1,9.5\n",
            [("buy", "QQA", 4, -40), ("buy", "QQA", 1, -9.5)],
        ),
        (  # a program states a reinvested dividend in one line
            "Date,Type,Symbol,Quantity,Amount\n2024-12-01,Deposit,,,50\n2024-12-02,Buy,QQA,4,-40\n"
            "2024-12-04,ReinvDiv,QQA,1,-9.5\n",
            [
                ("deposit", None, 0, 50),
                ("buy", "QQA", 4, -40),
                ("buy", "QQA", 1, -9.5),
                ("dividend", "QQA", 0, 9.5),
            ],
        ),
        (  # and a broker in two
            "Date,Type,Symbol,Quantity,Amount\n2024-12-01,Deposit,,,50\n2024-12-02,Buy,QQA,4,-40\n"
            "2024-12-04,Dividend,QQA,,9.5\n2024-12-04,Reinvest,QQA,1,-9.5\n",
            [
                ("deposit", None, 0, 50),
                ("buy", "QQA", 4, -40),
                ("dividend", "QQA", 0, 9.5),
                ("buy", "QQA", 1, -9.5),
            ],
        ),
    ],
)
def test_transactions_without_a_column_of_kinds_and_reinvestments(file, text, expected):
    found = read_transactions(file(text))
    assert trades(found) == expected
    assert found.rejected == []


@pytest.mark.parametrize(
    "rows",
    [
        "QQA,2024-12-02,4,10,0\nQQA,2024-12-05,1,11,0\n",
        "QQA,2024-12-02,4,10,in\nQQA,2024-12-05,-1,1,x",
    ],
)
def test_the_sign_names_no_kind_where_something_else_may(file, rows):
    """All quantities are positive, or an unknown column has words."""
    with pytest.raises(DataQualityError, match=r"no line with headers of a date, a kind|can be"):
        read_transactions(file(f"Symbol,Date,Quantity,Price,Remainder\n{rows}"))


def test_an_unknown_status_does_not_execute_an_order(file):
    text = (
        "Date,Type,Symbol,Quantity,Amount,Status\n"
        "2024-12-02,Buy,QQA,4,-40,{}\n2024-12-03,Buy,QQA,1,-10,{}\n"
    )
    found = read_transactions(file(text.format("Executed", "Voided")))
    assert (len(found.transactions), found.rejected) == (1, [])
    [row] = read_transactions(file(text.format("Executed", "Mystery"))).rejected
    assert "status 'Mystery' does not tell" in row.reason
    assert len(read_transactions(file(text.format("Mystery", "Mystery"))).transactions) == 2


def test_another_table_of_transactions_below_is_named(file):
    first = "Date,Type,Symbol,Quantity,Amount\n2024-12-02,Buy,QQA,4,-40\n"
    with pytest.raises(
        DataQualityError, match="line 4 begins another table, with the columns Date"
    ):
        read_transactions(file(f"{first}Dividends\nDate,Symbol,Amount\n2024-12-04,QQA,9\n"))
    repeated = read_transactions(file(first + "More\n" + first.replace("QQA", "QQB")))
    assert [one.symbol for one in repeated.transactions] == ["QQA", "QQB"]


def test_the_currency_of_the_account_is_that_of_the_amounts(file):
    header = "Date,Type,Symbol,Quantity,Price,Amount,Account Currency,Instrument Currency"
    [row] = read_transactions(file(f"{header}\n2024-12-02,Buy,QQA,4,10,-32,GBP,USD\n")).rejected
    assert row.reason.startswith("currency GBP")


def test_prices_of_other_instruments_are_rejected(file):
    rows = "2024-12-02,QQA,Stock,10\n2024-12-02,SOL,Crypto,230\n"
    found = read_prices(file(f"Date,Symbol,Type,Close\n{rows}"))
    assert found.rows["symbol"].tolist() == ["QQA"]
    assert found.rejected[0].reason.startswith("Crypto: only prices of shares")


def test_times_in_a_column_of_their_own_are_intraday(file):
    times = ["09:30", "12:00", "16:00"]
    rows = "".join(f"2024-12-0{day},{time},QQA,10\n" for day in (2, 3) for time in times)
    with pytest.raises(DataQualityError, match="several times of QQA on 2024-12-02"):
        read_prices(file(f"Date,Time,Symbol,Close\n{rows}"))
    daily = "2024-12-02,16:00,QQA,10\n2024-12-03,16:00,QQA,11\n"
    assert len(read_prices(file(f"Date,Time,Symbol,Close\n{daily}")).rows) == 2


def test_two_lines_of_headers_with_decorated_symbols(file):
    text = (
        ",QQA US Equity,QQA US Equity,QQB US Equity\nDate,PX_LAST,PX_VOLUME,PX_LAST\n"
        "2024-12-02,10,500,20\n"
    )
    rows = read_prices(file(text)).rows
    assert dict(zip(rows["symbol"], rows["close"], strict=True)) == {"QQA": 10, "QQB": 20}


def test_the_pricing_date_is_the_day(file):
    header = "Asset Strategy,Ticker,Quantity,Local CCY,Value,Pricing Date"
    found = read_holdings(file(f"{header}\nUS,QQA,5,USD,50,12/06/2024 00:00:00\nFOOTNOTES\n"))
    assert (found.day, held(found), found.rejected) == (date(2024, 12, 6), {"QQA": 5}, [])


def test_merged_cells_of_accounts_are_filled(file):
    text = "Account,Symbol,Quantity\nRoth,QQA,5\n,QQB,7\nTaxable,QQA,3\n,Total,15\n"
    found = read_holdings(file(text))
    held_in = {one.name: one.holdings.rows["symbol"].tolist() for one in found.accounts}
    assert held_in == {"Roth": ["QQA", "QQB"], "Taxable": ["QQA"]}
    repeated = "Account,Symbol,Quantity\nRoth,QQA,5\nRoth,QQB,7\n,QQC,3\n"
    found = read_holdings(file(repeated))
    assert [one.name for one in found.accounts] == ["Roth", ""]


@pytest.mark.parametrize("name", ["Current %", "Actual weight", "Current allocation (%)"])
def test_the_current_weight_precedes_the_target(file, name):
    rows = "QQA,60,55\nQQB,40,45\n"
    assert held(read_holdings(file(f"Symbol,Target %,{name}\n{rows}"))) == {
        "QQA": 0.55,
        "QQB": 0.45,
    }


@pytest.mark.parametrize("title", ["Open Orders", "Watchlist", "Closed positions"])
def test_sections_of_what_is_not_held(file, title):
    text = f"Positions\nSymbol,Quantity\nQQA,5\n\n{title}\nSymbol,Quantity\nQQB,7\n"
    assert held(read_holdings(file(text))) == {"QQA": 5}


def test_an_exchange_rate_shows_a_foreign_currency(file):
    rows = "QQA,5,1.00\nQQB,7,1.05\nQQC,3,\n"
    found = read_holdings(file(f"Symbol,Quantity,FX Rate\n{rows}"))
    assert held(found) == {"QQA": 5, "QQC": 3}
    assert "an exchange rate of 1.05" in found.accounts[0].holdings.rejected[0].reason
    with_currency = "Symbol,Quantity,FX Rate,Currency\nQQA,5,0.95,USD\n"  # to another base
    assert held(read_holdings(file(with_currency))) == {"QQA": 5}


def test_columns_of_long_and_short_positions_are_one(file):
    text = "Symbol,Long Market Value,Short Market Value,Quantity\nQQA,50,,5\nQQB,,70,7\n"
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQB": -7}
    text = "Symbol,Long Quantity,Short Quantity,Price\nQQA,5,,1\nQQB,0,(7),1\n"
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQB": -7}
    both = "Symbol,Quantity Long,Quantity Short\nQQA,5,7\n"
    with pytest.raises(DataQualityError, match="line 2 has 5 in Quantity Long and 7 in Quantity S"):
        read_holdings(file(both))
    gains = "Symbol,Quantity,Long Term Gain,Short Term Gain\nQQA,5,1,2\n"
    assert held(read_holdings(file(gains))) == {"QQA": 5}


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_the_days_of_a_wide_table_need_no_header(file, name):
    rows = read_prices(file(f"{name},QQA,QQB\n2024-12-02,10,20\n")).rows
    assert dict(zip(rows["symbol"], rows["close"], strict=True)) == {"QQA": 10, "QQB": 20}


TABLE = "Symbol,Quantity\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # another account
            f"Account: IRA\n{TABLE}QQA,5\nClosed positions\n{TABLE}QQB,7\n"
            f"Account: 401k\n{TABLE}QQC,3\n",
            {"QQA": 5, "QQC": 3},
        ),
        (f"{TABLE}QQA,5\nSold,\nQQB,7\nAccount:,401k\nQQC,3\n", {"QQA": 5, "QQC": 3}),
        (  # another account in its column
            "Account,Symbol,Quantity\nIRA,QQA,5\nSold,,\nIRA,QQB,7\n401k,QQC,3\n",
            {"QQA": 5, "QQC": 3},
        ),
        (  # closed positions of the accounts above
            "Account,Symbol,Quantity\nIRA,QQA,5\n401k,QQC,3\nSold,,\nIRA,QQB,7\n401k,QQD,3\n",
            {"QQA": 5, "QQC": 3},
        ),
        (  # closed positions that name their accounts
            f"Account: IRA\n{TABLE}QQA,5\nAccount: 401k\n{TABLE}QQC,3\nClosed positions\n"
            f"Account: IRA\n{TABLE}QQB,7\nAccount: 401k\n{TABLE}QQD,3\n",
            {"QQA": 5, "QQC": 3},
        ),
        (f"{TABLE}QQA,5\nClosed positions\nAccount: IRA\n{TABLE}QQB,7\n", {"QQA": 5}),
        (  # an unrelated title
            f"Orders\nNone\n\nAccount positions\n{TABLE}QQA,5\n",
            {"QQA": 5},
        ),
        (  # what the section states of its rows ends with it
            f"Closed positions\n{TABLE}Short\nBonds\nQQB,7\nAccount: 401k\nQQA,5\n",
            {"QQA": 5},
        ),
        *(
            (
                f"{TABLE}QQA,5\nClosed positions\n{one}\n{TABLE}QQB,7\n{two}\n{TABLE}QQC,3\n",
                {"QQA": 5},
            )
            for one, two in (("Technology", "Energy"), ("2023", "2024"), ("Long", "Short"))
        ),
        (f"Orders\n{TABLE}QQB,7\nMy stuff\n{TABLE}QQA,5\n", {"QQA": 5}),
        (  # and titles of parts of the section
            f"{TABLE}QQA,5\nRealized gains\nShort term\n{TABLE}QQB,7\nStocks\n{TABLE}QQC,3\n"
            f"Sold in 2024\n{TABLE}QQD,3\nTotal\n{TABLE}QQE,3\n",
            {"QQA": 5},
        ),
    ],
)
def test_a_closed_section_ends_at_another_account_or_title(file, text, expected):
    assert held(read_holdings(file(text))) == expected


def test_the_dividend_of_a_reinvestment_can_be_in_another_file(file):
    text = (
        "Date,Type,Symbol,Quantity,Amount\n2024-02-01,Reinvest,QQA,1,-9.5\n"
        "2024-02-02,Deposit,,,50\n"
    )
    found = read_transactions(file(text))
    assert trades(found) == [("buy", "QQA", 1, -9.5), ("deposit", None, 0, 50)]
    assert any("dividend is not in this file: 1. " in note for note in found.notes)


@pytest.mark.parametrize(
    ("words", "quantity", "expected"),
    [
        ("Stock split from 10 to 40 shares", 30, (None, 30)),
        ("Split 4 to 1", 30, (None, 30)),
        ("Split 4 to 1", "", (4, None)),
        ("Reverse split 1 to 10", "", (Fraction(1, 10), None)),
        ("10-to-1 reverse split", "", (Fraction(1, 10), None)),
        ("Split 4 for 1", 30, (4, 30)),
        ("Split 1 to 4", "", None),
        ("Split from 40 to 1", "", None),
    ],
)
def test_the_ratio_of_a_split_in_words(file, words, quantity, expected):
    text = (
        "Date,Type,Symbol,Quantity,Amount,Description\n2024-12-02,Buy,QQA,10,-40,\n"
        f"2024-12-04,Split,QQA,{quantity},,{words}\n"
    )
    found = read_transactions(file(text))
    splits = [(one.ratio, one.added_shares) for one in found.transactions if one.kind == "split"]
    assert splits == ([] if expected is None else [expected])
    assert len(found.rejected) == (expected is None)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (  # large gains of few shares
            ["NVDA,2,130,260,40", "AAPL,3,240,720,330", "BRK.B,2,460,920,560"],
            [20, 110, 280],
        ),
        (["QQA,5,100,500,100"], [100]),  # nearer by the factor 5
        (["QQA,4.99,100,499,100"], [100 / 4.99]),
        (["QQA,40,62,2480,55", "QQB,40,62,2480,2000"], [55 / 40, 50]),  # no majority
    ],
)
def test_a_cost_is_of_a_share_only_if_it_clearly_is(file, rows, expected):
    found = read_holdings(file("\n".join(["Symbol,Shares,Price,Value,Cost", *rows, ""])))
    entries = found.accounts[0].holdings.rows["entry_price"].tolist()
    assert entries == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["QQA,2,130,260,40,220", "QQB,40,10,400,8,392"], [20, 0.2]),  # totals
        (["QQA,2,130,260,100,60", "QQB,3,10,30,8,6"], [100, 8]),  # of a share
    ],
)
def test_the_gain_tells_what_a_cost_is(file, rows, expected):
    found = read_holdings(file("\n".join(["Symbol,Shares,Price,Value,Cost,Gain/Loss", *rows, ""])))
    entries = found.accounts[0].holdings.rows["entry_price"].tolist()
    assert entries == pytest.approx(expected)


@pytest.mark.parametrize("cost", ["Cost", "Price"])
def test_two_columns_of_gains_tell_nothing(file, cost):
    assert held(read_holdings(file(f"Symbol,Shares,{cost},Gain,Gain\nQQA,5,10,1,2\n"))) == {
        "QQA": 5
    }


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0", "2.5", "-1.3"], {"QQA", "QQB", "QQC"}),  # active weights
        (["0", "0", ""], {"QQA", "QQB", "QQC"}),
        (["0", "1", ""], {"QQB", "QQC"}),
        (["no", "yes", "n/a"], {"QQB", "QQC"}),
        (["No", "", ""], {"QQB", "QQC"}),
    ],
)
def test_active_is_a_word_or_a_weight(file, cells, expected):
    lines = [f"{name},5,{cell}" for name, cell in zip(("QQA", "QQB", "QQC"), cells, strict=True)]
    text = "\n".join(["Symbol,Quantity,Active", *lines, ""])
    assert held(read_holdings(file(text))).keys() == expected


def test_a_currency_in_the_table_precedes_the_lines_above(file):
    line = "Reporting currency: EUR\n"
    found = read_holdings(file(f"{line}Symbol,Quantity,Last price US$\nQQA,5,10\n"))
    assert (held(found), found.rejected) == ({"QQA": 5}, [])
    for header, cell in (("Close,Currency", "10,USD"), ("Close (USD)", "10")):
        text = f"{line}Date,Symbol,{header}\n2024-12-02,QQA,{cell}\n"
        assert read_prices(file(text)).rows["close"].tolist() == [10]
    text = f"{line}Date,Type,Symbol,Quantity,Amount (USD)\n2024-12-02,Buy,QQA,4,-40\n"
    assert read_transactions(file(text)).rejected == []


def test_days_of_prices_are_no_days_of_holdings(file):
    text = "Symbol,Quantity,Price Date\nQQA,5,12/06/2024\nQQB,7,12/05/2024\nQQC,7,01/02/2024\n"
    found = read_holdings(file(text))
    assert (found.day, held(found)) == (None, {"QQA": 5, "QQB": 7, "QQC": 7})
    header = "Asset Strategy,Ticker,Quantity,Local CCY,Value,Pricing Date"
    rows = "US,QQA,5,USD,50,12/06/2024 00:00:00\nUS,QQB,7,USD,70,12/05/2024 00:00:00\n"
    assert read_holdings(file(f"{header}\n{rows}FOOTNOTES\n")).day == date(2024, 12, 6)


@pytest.mark.parametrize("pair", ["Short Name,Long Name", "Short Description,Long Description"])
def test_short_and_long_names_are_no_sides(file, pair):
    assert held(read_holdings(file(f"Symbol,Quantity,{pair}\nQQA,5,A,Alpha\n"))) == {"QQA": 5}


def test_a_sign_states_the_side_next_to_columns_of_both(file):
    text = "Symbol,Long Market Value,Short Market Value,Quantity\nQQA,50,0,5\nQQB,,70,-7\n"
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQB": -7}


@pytest.mark.parametrize("cell", ["USD", "0", "N/A", "1.00000001", "1.0001", "0.9999"])
def test_an_exchange_rate_of_nothing(file, cell):
    assert held(read_holdings(file(f"Symbol,Quantity,FX\nQQA,5,{cell}\n"))) == {"QQA": 5}


@pytest.mark.parametrize("cell", ["EUR", "1.00011", "0.99989"])
def test_an_exchange_rate_of_another_currency(file, cell):
    text = f"Symbol,Quantity,FX\nQQA,5,{cell}\nQQB,7,1\n"
    assert held(read_holdings(file(text))) == {"QQB": 7}


def test_cambio_is_no_exchange_rate(file):
    found = read_holdings(file("Símbolo;Cantidad;Cambio\nQQA;5;12,5\n"))
    assert held(found) == {"QQA": 5}


@pytest.mark.parametrize("kind", ["Bond", "Fixed Income", "Commodity", "Currency"])
def test_prices_of_listed_funds_of_other_classes(file, kind):
    found = read_prices(file(f"Date,Symbol,Type,Close\n2024-12-02,QQA,{kind},10\n"))
    assert (found.rows["symbol"].tolist(), found.rejected) == (["QQA"], [])


@pytest.mark.parametrize("names", [["GOOGL", "CMCSA", "KO"], ["VTSAX", "GOOGL", "CMCSA", "GOLDX"]])
@pytest.mark.parametrize("header", ["Stock", "Security"])
def test_symbols_of_five_letters_under_the_header_of_a_name(file, names, header):
    rows = "".join(f"{name},5\n" for name in names)
    assert held(read_holdings(file(f"{header},Shares\n{rows}"))) == dict.fromkeys(names, 5)


@pytest.mark.parametrize(
    ("status", "n_trades"),
    [("Trade settled", 2), ("Filled 1 of 1", 2), ("Active", 1), ("Valid", 1)],
)
def test_the_first_words_of_a_status_count(file, status, n_trades):
    text = (
        "Date,Type,Symbol,Quantity,Amount,Status\n"
        f"2024-12-02,Buy,QQA,4,-40,Filled\n2024-12-03,Buy,QQA,1,-10,{status}\n"
    )
    found = read_transactions(file(text))
    assert (len(found.transactions), len(found.rejected)) == (n_trades, 2 - n_trades)


def test_the_amount_of_norwegian_files_has_the_fees(file):
    text = "Handelsdato;Type;Ticker;Antall;Kurs;Beløp\n2024-12-02;Kjøp;QQA;400;10,0;-4001,5\n"
    [bought] = read_transactions(file(text)).transactions
    assert float(bought.amount) == -4001.5


def test_a_lone_code_of_a_vendor_is_named(file):
    note = "QQA.O is read as written, a class or preferred share. If it is QQA, write QQA"
    found = read_holdings(file("Symbol,Quantity\nQQA.O,5\nQQB,7\nQQC,3\n"))
    assert note in found.accounts[0].holdings.notes
    rows = "".join(f"2024-12-02,Buy,{name},4,-40\n" for name in ("QQA.O", "QQB", "QQC"))
    assert note in read_transactions(file(f"Date,Type,Symbol,Quantity,Amount\n{rows}")).notes
    rows = "".join(f"2024-12-02,{name},10\n" for name in ("QQA.O", "QQB", "QQC"))
    assert note in read_prices(file(f"Date,Symbol,Close\n{rows}")).notes
