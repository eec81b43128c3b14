"""Transaction files of brokers and trackers: every layout, languages, documents and refusals."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources.transaction_files import TransactionList, read_transactions
from riskmetrics.sources.transaction_layouts import load_layouts
from riskmetrics.sources.transaction_rows import TransactionOptions
from riskmetrics.transactions.lots import build_lots, cash_balances, open_quantities
from riskmetrics.transactions.model import Kind

SAMPLES = Path(__file__).parent / "transactions"
"""Invented histories in the layouts of brokers and trackers, and what they leave."""
EXPECTED = tomllib.loads((SAMPLES / "expected.toml").read_text())


def read(folder: Path, content: str | bytes, *, account: str = "", **options) -> TransactionList:
    """Read a file with a content."""
    file = folder / "history"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_transactions(file, TransactionOptions(**options), account=account)


def outcome(parsed: TransactionList) -> tuple[dict[str, float], float]:
    """Return the holdings and the cash that transactions leave; none is rejected."""
    assert parsed.rejected == []
    history = build_lots(parsed.transactions)
    assert history.rejected == []
    held = open_quantities(history.lots, date.max)
    cash = float(cash_balances(parsed.transactions)[-1][1])
    return {symbol: float(quantity) for symbol, quantity in held.items()}, cash


def test_every_layout_has_a_sample() -> None:
    names = {sample["layout"] for sample in EXPECTED.values()}
    assert {layout.name for layout in load_layouts()} - names == {"table of transactions"}


def test_the_page_names_every_layout() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "transactions.md").read_text()
    names = [layout.name for layout in load_layouts()[:-1]]
    assert [name for name in names if f"| {name} |" not in page] == []


@pytest.mark.parametrize("name", EXPECTED)
def test_a_layout_leaves_the_holdings_and_the_cash_of_its_file(name: str) -> None:
    expected = EXPECTED[name]
    options = TransactionOptions(symbols=expected.get("symbols", {}))
    parsed = read_transactions(SAMPLES / f"{name}.csv", options)
    assert parsed.layout == expected["layout"]
    held, cash = outcome(parsed)
    assert held == expected["holdings"]
    assert cash == pytest.approx(expected["cash"], abs=1e-9)
    assert len(parsed.skipped) == expected["skipped"]


@pytest.mark.parametrize(
    "language", ["german", "french", "spanish", "italian", "portuguese", "dutch"]
)
def test_the_general_layout_reads_other_languages(language: str) -> None:
    parsed = read_transactions(SAMPLES / f"table_{language}.csv")
    assert parsed.layout == "table of transactions"
    assert outcome(parsed) == ({"AAA": 6}, 1743.25)
    assert [one.day.isoformat() for one in parsed.transactions] == [
        *("2024-01-03", "2024-01-04", "2024-02-15", "2024-03-20"),
    ]


def test_a_workbook_and_other_encodings_are_read_like_csv(tmp_path: Path) -> None:
    text = (SAMPLES / "table_german.csv").read_text()
    expected = read(tmp_path, text).transactions
    for encoding in ("utf-16", "cp1252", "utf-8-sig"):
        assert read(tmp_path, text.encode(encoding)).transactions == expected


FLEX = (SAMPLES / "flex.xml").read_text()


def test_a_flex_query_in_xml(tmp_path: Path) -> None:
    parsed = read(tmp_path, FLEX)
    assert parsed.layout == "Interactive Brokers Flex query (XML)"
    assert outcome(parsed) == ({"FLX": 18}, 1000 - 501 + 219 + 199.5 + 3 - 0.45)
    assert read(tmp_path, FLEX).transactions == parsed.transactions


def test_a_canceled_trade_and_an_unknown_corporate_action_are_refused(tmp_path: Path) -> None:
    canceled = FLEX.replace('netCash="219" buySell="SELL"', 'netCash="219" buySell="SELL (Ca.)"')
    assert "cancels another line" in read(tmp_path, canceled).rejected[0].reason
    merger = FLEX.replace('type="FS"', 'type="TC"')
    assert "unknown kind 'MERGER'" in read(tmp_path, merger).rejected[0].reason


def test_entities_and_damaged_documents_are_refused(tmp_path: Path) -> None:
    bomb = FLEX.replace("<FlexQueryResponse", '<!DOCTYPE x [<!ENTITY a "b">]><FlexQueryResponse', 1)
    with pytest.raises(DataQualityError, match="declares a document type"):
        read(tmp_path, bomb)
    with pytest.raises(DataQualityError, match="no readable Flex query"):
        read(tmp_path, FLEX.replace("</Trades>", ""))
    with pytest.raises(DataQualityError, match="no readable OFX"):
        read(tmp_path, OFX.replace("</INVTRANLIST>", ""))


def ofx_trade(tag: str, kind: str, fitid: str, day: str, units: str, price: str, total: str) -> str:
    """Return a purchase or sale."""
    side = tag[:3] if tag.startswith("BUY") else "SELL"
    inner = "INVBUY" if side == "BUY" else "INVSELL"
    return (
        f"<{tag}><{inner}><INVTRAN><FITID>{fitid}<DTTRADE>{day}</INVTRAN>"
        "<SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP</SECID>"
        f"<UNITS>{units}<UNITPRICE>{price}<COMMISSION>1.00<TOTAL>{total}"
        f"<SUBACCTSEC>CASH<SUBACCTFUND>CASH</{inner}>{kind}</{tag}>"
    )


OFX = (
    "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\n"
    "COMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
    "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20240701"
    "<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>"
    "<INVSTMTMSGSRSV1><INVSTMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><INVSTMTRS>"
    "<DTASOF>20240630<CURDEF>USD<INVACCTFROM><BROKERID>b.com<ACCTID>77</INVACCTFROM>"
    "<INVTRANLIST><DTSTART>20240101<DTEND>20240630"
    + ofx_trade("BUYSTOCK", "<BUYTYPE>BUY", "b1", "20240105120000", "10", "50", "-501.00")
    + ofx_trade("SELLSTOCK", "<SELLTYPE>SELL", "s1", "20240216", "-4", "60", "239.00")
    + "<INCOME><INVTRAN><FITID>i1<DTTRADE>20240315</INVTRAN><SECID><UNIQUEID>000000001"
    "<UNIQUEIDTYPE>CUSIP</SECID><INCOMETYPE>DIV<TOTAL>3.10<SUBACCTSEC>CASH<SUBACCTFUND>CASH"
    "</INCOME>"
    "<REINVEST><INVTRAN><FITID>r1<DTTRADE>20240315</INVTRAN><SECID><UNIQUEID>000000001"
    "<UNIQUEIDTYPE>CUSIP</SECID><INCOMETYPE>DIV<TOTAL>-30.00<SUBACCTSEC>CASH<UNITS>0.5"
    "<UNITPRICE>60</REINVEST>"
    "<SPLIT><INVTRAN><FITID>x1<DTTRADE>20240520</INVTRAN><SECID><UNIQUEID>000000001"
    "<UNIQUEIDTYPE>CUSIP</SECID><SUBACCTSEC>CASH<OLDUNITS>6.5<NEWUNITS>13<NUMERATOR>2"
    "<DENOMINATOR>1</SPLIT>"
    "<INVBANKTRAN><STMTTRN><TRNTYPE>DEP<DTPOSTED>20240103<TRNAMT>1000.00<FITID>d1<NAME>Bank"
    "</STMTTRN><SUBACCTFUND>CASH</INVBANKTRAN>"
    "</INVTRANLIST></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>"
    "<SECLISTMSGSRSV1><SECLIST><STOCKINFO><SECINFO><SECID><UNIQUEID>000000001<UNIQUEIDTYPE>CUSIP"
    "</SECID><SECNAME>OFX Corp<TICKER>OFXX</SECINFO></STOCKINFO></SECLIST></SECLISTMSGSRSV1></OFX>"
)


def test_an_ofx_file(tmp_path: Path) -> None:
    parsed = read(tmp_path, OFX)
    assert parsed.layout == "OFX"
    assert outcome(parsed) == ({"OFXX": 13}, 1000 - 501 + 239 + 3.1)
    bought = next(one for one in parsed.transactions if one.kind == Kind.BUY)
    assert (bought.day, bought.fees, bought.amount) == (date(2024, 1, 5), 1, -501)


TABLE = "Date,Type,Symbol,Quantity,Price\n2024-01-03,Buy,AAA,10,50\n"


def test_a_missing_amount_is_quantity_times_price_less_fees(tmp_path: Path) -> None:
    parsed = read(tmp_path, TABLE.replace("Price\n", "Price,Fee\n").replace("50\n", "50.005,1.5\n"))
    assert [(one.amount, one.fees) for one in parsed.transactions] == [
        (Decimal("-501.55"), Decimal("1.5"))
    ]


def test_whether_amounts_contain_the_fees_is_inferred(tmp_path: Path) -> None:
    header = "Date,Type,Symbol,Quantity,Price,Fee,Amount\n2024-01-03,Buy,AAA,10,50,2,"
    assert read(tmp_path, header + "502\n").transactions[0].amount == -502
    assert read(tmp_path, header + "500\n").transactions[0].amount == -502


@pytest.mark.parametrize(("amount", "sign"), [("-501", 1), ("501", None)])
def test_the_direction_of_a_transfer_is_its_sign(
    tmp_path: Path, amount: str, sign: int | None
) -> None:
    parsed = read(
        tmp_path,
        f"Date,Type,Symbol,Quantity,Amount\n2024-01-03,Buy,AAA,10,{amount}\n"
        "2024-01-02,Wire transfer,,,1000\n",
    )
    if sign is None:
        assert "the direction is unknown" in parsed.rejected[0].reason
    else:
        assert parsed.transactions[0].kind == Kind.DEPOSIT


def test_the_terms_of_an_option_may_have_a_decimal_comma(tmp_path: Path) -> None:
    parsed = read(
        tmp_path,
        "Datum;Typ;Symbol;Stück;Kurs;Basispreis;Verfall;Call/Put\n"
        "15.01.2024;Kauf;AAA;1;2,50;62,50;17.01.2025;Call\n",
    )
    assert parsed.transactions[0].symbol == "AAA250117C00062500"
    assert parsed.transactions[0].amount == -250


def test_amounts_without_prices_are_net_and_said_to_be(tmp_path: Path) -> None:
    parsed = read(tmp_path, "Date,Type,Symbol,Quantity,Fee,Amount\n2024-01-03,Buy,AAA,10,2,502\n")
    assert parsed.transactions[0].amount == -502
    assert "no price tells it" in parsed.notes[-1]


@pytest.mark.parametrize(
    ("ratio", "description", "expected"),
    [
        ("4:1", "", 4),
        ("1/10", "", 0.1),
        ("3", "", 3),
        ("", "3 FOR 2 SPLIT", 1.5),
        ("", "1:4", None),
    ],
)
def test_a_split_ratio_is_new_to_old_shares(
    tmp_path: Path, ratio: str, description: str, expected: float | None
) -> None:
    parsed = read(
        tmp_path,
        "Date,Type,Symbol,Quantity,Price,Ratio,Description\n2024-01-03,Buy,AAA,10,50,,\n"
        f"2024-02-05,Split,AAA,,,{ratio},{description}\n",
    )
    if expected is None:
        assert "split without a ratio" in parsed.rejected[0].reason
    else:
        assert float(parsed.transactions[1].ratio or 0) == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-01-03,Buy,AAA,10,50,EUR,", "currency EUR: only USD is supported"),
        ("2024-01-03,Buy,AAA,10,50,USD,Bond", "Bond: only shares"),
        ("2024-01-03,Buy,AAA,10,50,USD,Futures", "Futures: only shares"),
        ("2024-01-03,Buy,AAA,10,50,USD,Option", "the terms of the option AAA are unreadable"),
        ("2024-01-03,Buy,US0378331005,10,50,USD,", "only the identifier US0378331005"),
        ("2024-01-03,Buy,Some Name Inc.,10,50,USD,", "is not a symbol: pass --map"),
        ("2024-01-03,Buy,,10,50,USD,", "buy without a symbol"),
        ("2024-01-03,Buy,AAA,10,,USD,", "buy without a price or an amount"),
        ("2024-01-03,Buy,AAA,-10,50,USD,", "sign of the opposite of a buy"),
        ("2024-02-30,Buy,AAA,10,50,USD,", "is not an unambiguous date"),
        ("2024-01-03,Exercise,AAA,10,50,USD,", "exercise of AAA, which is no option"),
        ("2024-01-03,Symbol change,AAA,,,USD,", "symbol change without a new symbol"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_with_its_reason(
    tmp_path: Path, row: str, reason: str
) -> None:
    header = "Date,Type,Symbol,Quantity,Price,Currency,Asset class\n"
    parsed = read(tmp_path, f"{header}2024-01-02,Sell,BBB,1,5,USD,\n{row}\n")
    assert [one.line for one in parsed.rejected] == [3]
    assert reason in parsed.rejected[0].reason


@pytest.mark.parametrize("difference", ["10", "10.01"])
def test_the_amount_may_differ_from_quantity_times_price_by_two_percent(
    tmp_path: Path, difference: str
) -> None:
    amount = 500 + Decimal(difference)
    text = f"Date,Type,Symbol,Quantity,Price,Amount\n2024-01-03,Buy,AAA,10,50,-{amount}\n"
    assert len(read(tmp_path, text).rejected) == (difference != "10")


def test_a_line_is_a_total_if_it_has_no_day(tmp_path: Path) -> None:
    """Not what it is called: the name of a security may come first."""
    content = """Name,Date,Type,Symbol,Quantity,Price,Amount (USD)
TotalEnergies SE,2022-12-01,Buy,TTE,10,60.00,-600.00
Total SE,2022-12-02,Buy,TOT,1,50.00,-50.00
Gesamt,,,,,,-650.00
Total,,,,,,-650.00
"""
    parsed = read(tmp_path, content)
    assert outcome(parsed) == ({"TTE": 10.0, "TOT": 1.0}, -650.0)
    assert parsed.skipped == [(4, "a total"), (5, "a total")]


def test_a_total_may_be_in_the_column_of_days(tmp_path: Path) -> None:
    content = """Date,Type,Symbol,Quantity,Price,Amount (EUR)
Total,,,,,-600.00
2022-12-01,Buy,TTE,10,60.00,-600.00
"""
    assert (2, "a total") in read(tmp_path, content).skipped


def test_the_reason_why_a_text_cannot_be_split_is_that_of_holdings_files(tmp_path: Path) -> None:
    with pytest.raises(DataQualityError, match="a quotation mark is not closed"):
        read(tmp_path, '"Date,Type,Symbol\n2022-12-01,Buy,AAPL\n')
    with pytest.raises(DataQualityError, match="is empty"):
        read(tmp_path, "\n \n")


def test_several_accounts_need_a_choice(tmp_path: Path) -> None:
    text = (
        "Date,Type,Symbol,Quantity,Price,Account\n2024-01-03,Buy,AAA,10,50,X1\n"
        "2024-01-03,Buy,BBB,10,50,Y2\n"
    )
    with pytest.raises(UsageError, match="2 accounts"):
        read(tmp_path, text)
    with pytest.raises(UsageError, match="matches no account"):
        read(tmp_path, text, account="Z")
    assert [one.symbol for one in read(tmp_path, text, account="y2").transactions] == ["BBB"]


def test_other_kinds_of_files_are_refused_with_the_command_for_them(tmp_path: Path) -> None:
    with pytest.raises(DataQualityError, match=r"is a table of holdings.*import portfolio"):
        read(tmp_path, "Symbol,Quantity,Market value\nAAA,5,100\n")
    with pytest.raises(DataQualityError, match=r"is a table of prices.*import prices"):
        read(tmp_path, "symbol,date,open,close\nAAA,2024-01-03,5,6\n")
    with pytest.raises(DataQualityError, match="date, a kind"):
        read(tmp_path, "Order,Item\n1,Apples\n")


def test_ambiguous_dates_and_numbers_need_a_choice(tmp_path: Path) -> None:
    text = "Date,Type,Symbol,Quantity,Price\n01/03/2024,Buy,AAA,10,50\n"
    assert "pass --dates" in read(tmp_path, text).rejected[0].reason
    assert read(tmp_path, text, date_order="dmy").transactions[0].day == date(2024, 3, 1)
    assert read(tmp_path, text, date_order="mdy").transactions[0].day == date(2024, 1, 3)
    ambiguous = TABLE.replace(",", ";").replace("10;50", "1.000;50")
    with pytest.raises(UsageError, match=r"ambiguous number: 1\.000"):
        read(tmp_path, ambiguous)
    assert read(tmp_path, ambiguous, decimal=",").transactions[0].quantity == 1000


def test_equal_lines_are_several_transactions_and_ids_tell_them_apart(tmp_path: Path) -> None:
    row = "2024-01-03,Buy,AAA,10,50\n"
    references = [one.reference for one in read(tmp_path, TABLE + row).transactions]
    assert len(set(references)) == 2
    assert read(tmp_path, TABLE).transactions[0].reference == references[0]


def test_the_newest_line_may_be_first(tmp_path: Path) -> None:
    newest = "2024-02-05,Sell,AAA,4,50\n2024-02-05,Sell,AAA,6,51\n"
    header, row = TABLE.splitlines(keepends=True)
    parsed = read(tmp_path, header + newest + row)
    assert [(one.kind, one.quantity, one.ordinal) for one in parsed.transactions] == [
        (Kind.BUY, 10, 0),
        (Kind.SELL, 6, 0),
        (Kind.SELL, 4, 1),
    ]
