"""Sizes of holdings in other notations and columns, and lines that are sums or not held."""

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import HoldingsFile, StatedSize, read_holdings


def held(found: HoldingsFile) -> dict[str, float]:
    """Return the quantity of each symbol in all accounts."""
    rows = [one.holdings.rows for one in found.accounts]
    pairs = [pair for part in rows for pair in zip(part["symbol"], part["quantity"], strict=True)]
    return {symbol: sum(q for one, q in pairs if one == symbol) for symbol, _ in pairs}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *(
            ("1.2K", 1200),
            ("3M", 3e6),
            ("12 shares", 12),
            ("12 Stk.", 12),
            ("12 Aktien", 12),
            ("12 sh", 12),
            ("12 Long", 12),
        ),
        *(("12 Short", -12), ("-12 short", -12)),
    ],
)
def test_quantities_with_a_word_or_letter(file, cell, expected):
    text = f"Symbol,Quantity,Price\nQQA,{cell},10.5\n"
    found = read_holdings(file(text))
    assert held(found) == {"QQA": expected}
    is_rounded = cell[-1] in "KM"
    assert any("rounded" in note for note in found.accounts[0].holdings.notes) == is_rounded


@pytest.mark.parametrize("cell", ["12 kg", "12 EUR", "12%", "K"])
def test_quantities_of_something_else(file, cell):
    with pytest.raises(DataQualityError):
        read_holdings(file(f"Symbol,Quantity,Price\nQQA,{cell},10.5\n"))


def test_totals_of_both_sides_are_no_position(file):
    text = (
        "Symbol,Long Market Value,Short Market Value,Quantity\nQQA,50,,5\nQQB,,70,7\nTotal,50,70,\n"
    )
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQB": -7}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("QQA,--,5,100\nQQA,2024-03-04,5,280\n", {"QQA": 10}),
        ("QQA,,12,200\nQQA,2023-04-03,5,90\nQQA,2024-03-04,7,110\n", {"QQA": 12}),
        ("QQA,,12,200.2\nQQA,2023-04-03,5,90\nQQA,2024-03-04,7,110\n", {"QQA": 12}),
        ("QQA,,12,200.3\nQQA,2023-04-03,5,90\nQQA,2024-03-04,7,110\n", {"QQA": 24}),
        (  # a position of one lot next to one of two
            "QQA,,12,200\nQQA,2023-04-03,5,90\nQQA,2024-03-04,7,110\nQQB,,3,60\n"
            "QQB,2024-03-04,3,60\nQQC,,3,60\nQQC,2024-03-04,3,70\n",
            {"QQA": 12, "QQB": 3, "QQC": 6},
        ),
    ],
)
def test_the_cost_tells_whether_a_position_is_the_sum_of_lots(file, rows, expected):
    found = read_holdings(file(f"Symbol,Acquired,Shares,Cost basis\n{rows}"))
    assert held(found) == expected


SIDES = "Long Market Value,Short Market Value"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Account,{SIDES}\n1,300,0\n\nSymbol,Quantity,Price\nQQA,5,60\n", {"QQA": 5}),
        (f"Asset,{SIDES}\nStocks,300,0\n\nSymbol,Quantity,Price\nQQA,5,60\n", {"QQA": 5}),
        (
            f"Account,{SIDES}\n1,300,0\n\nSymbol,Quantity,Currency\nQQA,5,USD\nQQB,7,CAD\n",
            {"QQA": 5},
        ),
        (
            f"Account,{SIDES}\n1,300,0\n\nSymbol,Quantity,Status\nQQA,5,Open\nQQB,7,Closed\n",
            {"QQA": 5},
        ),
        (f"Cash,{SIDES}\n3,300,0\n\nSymbol,Note,Quantity,Value\nQQA,A,5,300\n", {"QQA": 5}),
        (f"Symbol,Quantity,{SIDES}\nQQA,-3,120,300\n", {"QQA": -3}),
        (
            "Symbol,Quantity,Long Quantity,Short Quantity\nQQA,5,5,0\nQQB,7,,7\n",
            {"QQA": 5, "QQB": -7},
        ),
        (
            "Symbol,Quantity,Long Quantity,Short Quantity\nQQA,5,5,0\nQQB,-7,,7\n",
            {"QQA": 5, "QQB": -7},
        ),
        (
            "Symbol,Side,Quantity,Long Quantity,Short Quantity\nQQA,Long,5,5,0\nQQB,Short,7,0,7\n",
            {"QQA": 5, "QQB": -7},
        ),
        (
            f"Symbol,Quantity,Market Value,{SIDES}\nQQA,5,300,300,0\nQQB,7,70,0,70\n",
            {"QQA": 5, "QQB": -7},
        ),
    ],
)
def test_columns_of_both_sides_next_to_others(file, text, expected):
    assert held(read_holdings(file(text))) == expected


def test_a_quantity_next_to_both_sides_needs_a_sign(file):
    with pytest.raises(DataQualityError, match="line 2 has 120 in Long Market Value and 300 in"):
        read_holdings(file(f"Symbol,Quantity,{SIDES}\nQQA,3,120,300\n"))


def test_a_negative_value_is_that_of_a_short_position(file):
    text = "Symbol,Quantity,Price,Market Value\nQQA,5,10,50\nQQB,7,3,-21\nQQC,4,2,(8)\n"
    found = read_holdings(file(text))
    assert held(found) == {"QQA": 5, "QQB": -7, "QQC": -4}
    assert found.accounts[0].value == 50 - 21 - 8


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["QQA,12,242.84,2914.08", "QQB,400,62.5,25000"], {"QQA": 12, "QQB": 400}),
        (["QQA,12,242.84,2914.08", "QQB,400,62.5,25800"], None),  # not the product, by 3%
    ],
)
def test_an_unknown_column_is_the_quantity_if_it_is_value_by_price(file, rows, expected):
    text = "\n".join(["Symbol,Pieces kept,Price,Market Value", *rows, ""])
    if expected is None:
        with pytest.raises(DataQualityError, match="Pieces kept"):
            read_holdings(file(text))
        return
    assert held(read_holdings(file(text))) == expected
    with_weights = text.replace("Value\n", "Value,Weight\n").replace("8\n", "8,10%\n")
    assert held(read_holdings(file(with_weights.replace("000\n", "000,90%\n")))) == expected


def test_values_and_prices_precede_weights(file):
    text = "Symbol,Weight,Market Value,Price\nQQA,10%,50,10\nQQB,90%,450,3\n"
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQB": 150}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a plan, of which two positions are not held yet
        (
            "Symbol,Target weight,Price,Value\nQQA,40%,60,1000\nQQB,30%,160,0\nQQC,30%,130,0\n",
            {"QQA": 0.4, "QQB": 0.3, "QQC": 0.3},
        ),
        (
            "Symbol,Model weight,Price,Value\nQQA,60%,60,600\nQQB,40%,160,400\n",
            {"QQA": 0.6, "QQB": 0.4},
        ),
        ("Symbol,Weight,Price,Value\nQQA,60%,60,600\nQQB,40%,--,400\n", {"QQA": 0.6, "QQB": 0.4}),
        (
            "Symbol,Weight,Price,Value\nQQA,50%,60,600\nQQA250117C00060000,50%,3,600\n",
            {"QQA": 0.5, "QQA250117C00060000": 0.5},
        ),
        # the weights are those of the values up to their last digit, with cash and a total
        (
            "Symbol,Weight,Price,Value\nQQA,60.0%,60,600\nQQB,30.0%,160,300\nCash,10.0%,,100\n"
            "Total,100.0%,,1000\n",
            {"QQA": 10, "QQB": 1.875},
        ),
        (
            "Symbol,Weight,Price,Value\nQQA,60.0%,60,600.9\nQQB,40.0%,160,399.1\n",
            {"QQA": 10.015, "QQB": 2.494375},
        ),
        (
            "Symbol,Weight,Price,Value\nQQA,60.0%,60,601.1\nQQB,40.0%,160,398.9\n",
            {"QQA": 0.6, "QQB": 0.4},
        ),
        # shares of each account, not of the file
        (
            "Account,Symbol,Weight,Price,Value\nA,QQA,100%,60,600\nB,QQB,100%,160,400\n",
            {"QQA": 10, "QQB": 2.5},
        ),
    ],
)
def test_values_by_prices_replace_weights_that_agree(file, text, expected):
    assert held(read_holdings(file(text))) == pytest.approx(expected)


@pytest.mark.parametrize("header", ["% of account", "% of total"])
@pytest.mark.parametrize("weights", [("60%", "40%"), ("12.5%", "8.3%")])
def test_shares_of_something_greater_do_not_replace_values(file, header, weights):
    text = f"Symbol,Value,{header}\nQQA,600,{weights[0]}\nQQB,400,{weights[1]}\n"
    found = read_holdings(file(text))
    assert (held(found), found.stated_size) == ({"QQA": 600, "QQB": 400}, StatedSize.VALUE)


def test_shares_of_a_total_without_values_are_weights(file):
    found = read_holdings(file("Symbol,% of total\nQQA,60%\nQQB,40%\n"))
    assert held(found) == {"QQA": 0.6, "QQB": 0.4}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("QQA,,12,120\nQQA,2023-04-03,5,50\nQQA,2024-03-04,7,70\n", 12),
        ("QQA,2023-04-03,5,50\nQQA,2024-03-04,7,70\nQQA,,12,120\n", 12),
        ("QQA,,5,50\nQQA,2024-03-04,5,50\n", 10),  # two equal lots
        ("QQA,,12,130\nQQA,2023-04-03,5,50\nQQA,2024-03-04,7,70\n", 24),  # not of their value
        ("QQA,,5,50\nQQA,2023-04-03,5,50\nQQA,2024-03-04,7,70\n", 17),
        ("QQA,,12,120\nQQA,,5,50\nQQA,2024-03-04,7,70\n", 24),
    ],
)
def test_a_position_next_to_its_lots_is_their_sum(file, rows, expected):
    found = read_holdings(file(f"Symbol,Purchase date,Quantity,Market Value\n{rows}"))
    assert held(found) == {"QQA": expected}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("QQA,5,50\nQQB,7,450\nALL,12,500\n", {"QQA": 5, "QQB": 7}),
        ("QQA,5,50\nSum,5,50\nQQB,7,450\nSum,7,450\n", {"QQA": 5, "QQB": 7}),
        ("QQA,5,50\nQQB,7,450\nALL,13,500\n", {"QQA": 5, "QQB": 7, "ALL": 13}),
        ("qqa,5,50\nqqb,7,50\n", {"QQA": 5, "QQB": 7}),
        ("QQA,5,50\nQQB,5,50\n", {"QQA": 5, "QQB": 5}),
        ("Qqa,5,50\nQqb,5,50\nQqc,10,100\n", {"QQA": 5, "QQB": 5, "QQC": 10}),
        ("QQA,10,100\nQQA,20,200\nQQA,30,300\n", {"QQA": 60}),  # lots at one price
        ("QQA,1,10\nQQA,2,20\nQQA,3,30\nQQA,6,60\n", {"QQA": 12}),
        ("QQA,5,50\nQQB,5,50\nQQC,10,100\n", {"QQA": 5, "QQB": 5, "QQC": 10}),
        ("QQA,5,50\nALL,5,50\n", {"QQA": 5, "ALL": 5}),
        ("ALL,5,50\nALL,5,50\nALL,10,100\n", {"ALL": 20}),
    ],
)
def test_a_line_with_the_sums_of_values_and_quantities_is_a_total(file, rows, expected):
    assert held(read_holdings(file(f"Symbol,Quantity,Market Value\n{rows}"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Group,Symbol,Quantity\nOpen,QQA,5\nClosed,QQB,7\n", {"QQA": 5}),
        ("Symbol,Quantity,Type\nQQA,5,Open\nQQB,7,Closed\n", {"QQA": 5}),
        ("Symbol,Quantity,List\nQQA,5,Holdings\nQQB,7,Watchlist\n", {"QQA": 5}),
        ("Symbol,Quantity,Group\nQQA,5,Closed\nQQB,7,Closed\n", {"QQA": 5, "QQB": 7}),
        ("Symbol,Quantity,Position state\nQQA,5,Open\nQQB,7,Closed\n", {"QQA": 5}),
    ],
)
def test_a_column_of_states(file, text, expected):
    assert held(read_holdings(file(text))) == expected


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        *((header, "Open,Closed") for header in ("Market state", "New investors", "Fund status")),
        *(("Status", f"Hold,{one}") for one in ("Watch", "Tracked", "Orders", "Past")),
        *((header, "Current,Watch") for header in ("Conviction", "Category", "Group")),
        *(("Style", "Active,Tracked"), ("Dividend payer", "Current,Former")),
    ],
)
def test_a_column_of_states_of_other_things(file, header, cells):
    first, second = cells.split(",")
    text = f"Symbol,Quantity,{header}\nQQA,5,{first}\nQQB,7,{second}\n"
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQB": 7}


def test_the_type_of_a_closed_end_fund_is_no_state(file):
    """Open and Closed can be types of funds, or states: what is not known is rejected."""
    found = read_holdings(file("Symbol,Quantity,Type\nQQA,5,Open\nQQB,7,Closed\n"))
    assert held(found) == {"QQA": 5}
    [row] = found.accounts[0].holdings.rejected
    assert (row.line, "the type Closed is that of a closed position or" in row.reason) == (3, True)


@pytest.mark.parametrize("cell", ["No", "FALSE"])
def test_a_column_that_denies_all_rows_is_refused(file, cell):
    with pytest.raises(DataQualityError, match=f"says {cell} on all rows"):
        read_holdings(file(f"Symbol,Quantity,Active\nQQA,5,{cell}\nCash,100,\n"))


@pytest.mark.parametrize(
    ("rows", "cash"),
    [
        ("Cash balance,,500\nAvailable cash,,450\n", 500),
        ("Available cash,,450\n", 450),
        ("Settled cash,,450\nUnsettled cash,,50\n", 500),
        ("Available cash,,500\nPending activity,,-20\n", 480),
        ("Available cash,,500\nUnsettled cash,,50\n", 550),
        ("Available cash,,500\nMargin balance,,-1500\n", -1000),
        ("VMFXX,3000,3000\nAvailable cash,,200\n", 3200),
        ("Cash,,500\nAvailable cash,,500\n", 500),
        ("Cash,,500\nAvailable cash,,500.01\n", 1000.01),  # not a part of it
        ("Cash,,500\nUSD,,300\nAvailable cash,,200\n", 1000),  # of which one?
        ("Cash,,500\nBuying power cash,,1000\n", 500),
    ],
)
def test_available_cash_is_a_part_of_the_cash(file, rows, cash):
    found = read_holdings(file(f"Symbol,Quantity,Market Value\nQQA,5,50\n{rows}"))
    assert found.accounts[0].cash == cash


def titles(found: HoldingsFile) -> list[int]:
    """Return the numbers of the lines that are skipped as titles."""
    return [line.line for line in found.skipped if "title" in line.reason]


@pytest.mark.parametrize(
    ("text", "expected", "lines"),
    [
        (
            "Symbol,Shares,Price,Value\nTECH,22,,6700\nAAPL,10,190,1900\nMSFT,12,400,4800\n"
            "OIL,20,,2200\nXOM,20,110,2200\nTotal,42,,8900\n",
            {"AAPL": 10, "MSFT": 12, "XOM": 20},
            [2, 5],
        ),
        (
            "Ticker,Value\nAAPL,1900\nMSFT,4800\nTECH,6700\nPFE,1000\nJNJ,1200\nCARE,2200\n"
            "Total,8900\n",
            {"AAPL": 1900, "MSFT": 4800, "PFE": 1000, "JNJ": 1200},
            [4, 7],
        ),
        (
            "Symbol,Shares,Price,Value\nTECH,,,6750\nAAPL,10,190,1900\nMSFT,12,404.17,4850\n"
            "Cash,,,500\nTotal,,,7250\n",
            {"AAPL": 10, "MSFT": 12},
            [2],
        ),
        (
            "Ticker,Weight\nTECH,60%\nAAPL,25%\nMSFT,35%\nBOND,40%\nBND,40%\n",
            {"AAPL": 0.25, "MSFT": 0.35, "BND": 0.4},
            [2, 5],
        ),
    ],
    ids=["priced", "below, with a total", "next to cash", "weights"],
)
def test_a_title_with_the_sum_of_its_group_is_not_held(file, text, expected, lines):
    found = read_holdings(file(text))
    assert held(found) == pytest.approx(expected)
    assert titles(found) == lines


@pytest.mark.parametrize(
    "text",
    [
        "Symbol,Shares\nAAPL,30\nMSFT,10\nKO,20\nPEP,15\nV,5\nGE,10\n",
        "Symbol,Value\nAAPL,10000\nMSFT,5000\nKO,5000\nPEP,6000\nV,3000\nGE,3000\n",
        "Symbol,Value\nAAPL,67.5\nMSFT,19.5\nKO,48\nTotal,135\n",
        "Symbol,Shares,Price,Value\nAAPL,6,10,60\nMSFT,2,10,20\nKO,4,10,40\n",
        "Symbol,Value\nVTI,40050\nBND,20025\nGLD,20025\nKO,10050\nPEP,5025\nV,5025\n",
        "Symbol,Weight\nVTI,40\nBND,20\nGLD,20\nKO,10\nPEP,5\nV,5\n",
        "Symbol,Weight,Price\nVTI,50,\nBND,25,70\nGLD,25,180\n",
        "Symbol,Quantity,Price\nAAPL,10,100\nKO,20,60\nV,30,\n",
    ],
    ids=[
        *("counts", "round values", "the total counts all", "all have a price", "exact values"),
        *("weights", "weights and prices", "counts without a price"),
    ],
)
def test_sums_by_chance_are_held(file, text):
    found = read_holdings(file(text))
    assert len(held(found)) == text.count("\n") - 1 - text.count("Total")
    assert not titles(found)


@pytest.mark.parametrize("total", ["", "Total,10200,\n"])
def test_a_holding_without_a_price_is_rejected_if_others_sum_to_its_value(file, total):
    text = "Symbol,Value,Price\nV,5100,\nBND,2550,75\nGLD,2550,170\n"
    [found] = read_holdings(file(text + total)).accounts
    assert found.holdings.rows["quantity"].tolist() == [34, 15]
    assert [row.line for row in found.holdings.rejected] == [2]


def test_the_title_of_a_group_of_cash_is_not_cash(file):
    text = "Symbol,Shares,Price,Value\nUS,,,3640\nQQA,10,240,2400\nQQB,20,62,1240\n"
    found = read_holdings(file(f"{text}CASH,,,500\nSPAXX,500,1,500\nTotal,,,4140\n"))
    assert held(found) == {"QQA": 10, "QQB": 20}
    assert (found.accounts[0].cash, found.accounts[0].equity) == (500, 4140)


@pytest.mark.parametrize("word", ["TOTALS (USD)", "Total (USD)", "Grand Total $"])
def test_a_total_that_names_the_dollar_is_no_cash(file, word):
    text = "Symbol,Shares,Price,Value\nQQA,10,240,2400\nCASH,,,100\n"
    found = read_holdings(file(f"{text}{word},,,2500\n"))
    assert (held(found), found.accounts[0].cash) == ({"QQA": 10}, 100)


def test_a_fund_whose_name_starts_with_total_is_held(file):
    rows = "Total Stock Market ETF (VTI),10,250\nTotal SE (TTE),5,60\nQQA,1,200\nTotal,,\n"
    found = read_holdings(file(f"Symbol,Quantity,Price\n{rows}"))
    assert held(found) == {"VTI": 10, "TTE": 5, "QQA": 1}


@pytest.mark.parametrize("cell", ['"QQA\nSome Co."', '"Some Co.\nQQA"', "Some Co. (NYSE: QQA)"])
def test_a_symbol_and_its_name_in_one_cell(file, cell):
    assert held(read_holdings(file(f"Symbol,Shares\n{cell},10\nQQB,5\n"))) == {"QQA": 10, "QQB": 5}


@pytest.mark.parametrize("cells", ["Debit balance,,,500", "Net debit balance,,,-500"])
def test_a_debit_balance_is_owed_whatever_its_sign(file, cells):
    [found] = read_holdings(file(f"Symbol,Quantity,Price,Value\nQQA,10,60,600\n{cells}\n")).accounts
    assert (found.cash, found.equity) == (-500, 100)
