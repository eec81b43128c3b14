"""What kind of table a file is; the truth of each is written by hand."""

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.factor_files import read_factors
from riskmetrics.sources.file_kinds import (
    HOLDINGS_KINDS,
    PRICE_KINDS,
    FileKind,
    classify_lines,
    require_kind,
)
from riskmetrics.sources.files import read_benchmark, read_prices, read_profiles
from riskmetrics.sources.scenarios import read_scenarios

HOLDINGS, TRANSACTIONS = FileKind.HOLDINGS, FileKind.TRANSACTIONS
LONG, WIDE = FileKind.PRICES_LONG, FileKind.PRICES_WIDE

TABLES = {
    "a plain table": ("Symbol,Quantity\nQQA,5\nQQB,7", HOLDINGS),
    "lots with the day of each purchase": (
        "Ticker,Shares,Purchase date,Purchase price\nQQA,5,2024-01-03,9\nQQA,4,2024-02-05,8",
        HOLDINGS,
    ),
    "a rating that says buy": (
        "Symbol,Quantity,Quant Rating\nQQA,5,Buy\nQQB,7,Sell\nQQC,1,Buy",
        HOLDINGS,
    ),
    "reinvested dividends of holdings": (
        "Symbol,Quantity,Dividend handling\nQQA,5,Reinvest\nQQB,7,Reinvest",
        HOLDINGS,
    ),
    "an account that trades": (
        "Symbol,Quantity,Classification\nQQA,5,Trade\nQQB,7,Trade",
        HOLDINGS,
    ),
    "a category of holdings": (
        "Symbol,Quantity,Category\nQQA,5,Dividend\nQQB,7,Dividend",
        HOLDINGS,
    ),
    "one day for all holdings": (
        "Date,Symbol,Quantity\n2024-12-06,QQA,5\n2024-12-06,QQB,7",
        HOLDINGS,
    ),
    "long and short without days": ("Symbol,Quantity\nQQA,5\nQQA,-5", HOLDINGS),
    "English transactions": (
        "Date,Symbol,Type,Quantity,Price\n2024-01-03,QQA,BUY,5,9\n2024-02-05,QQA,SELL,4,8",
        TRANSACTIONS,
    ),
    "German transactions": (
        "Datum;Vorgang;Kürzel;Stück;Kurs\n03.01.2024;Kauf;QQA;5;9\n05.02.2024;Ausschüttung;QQA;;",
        TRANSACTIONS,
    ),
    "French transactions": ("Opération;Symbole;Quantité\nAchat;QQA;5\nVente;QQA;4", TRANSACTIONS),
    "Spanish transactions": ("Operación;Símbolo;Títulos\nCompra;QQA;5\nVenta;QQA;4", TRANSACTIONS),
    "Italian transactions": (
        "Operazione;Simbolo;Quantità\nAcquisto;QQA;5\nVendita;QQA;4",
        TRANSACTIONS,
    ),
    "Portuguese transactions": (
        "Movimentação;Ticker;Quantidade\nCompra;QQA;5\nRendimento;QQA;",
        TRANSACTIONS,
    ),
    "Dutch transactions": ("Actie;Symbool;Aantal\nAankoop;QQA;5\nVerkoop;QQA;4", TRANSACTIONS),
    "dividends alone": ("Date,Action,Symbol,Quantity\n2024-01-03,Dividend,QQA,5", TRANSACTIONS),
    "purchases and sales told by the sign": (
        "Trade Date,Symbol,Quantity,Price\n2024-01-03,QQA,5,9\n2024-02-05,QQA,-4,8",
        TRANSACTIONS,
    ),
    "a commission and an order number": (
        "Symbol,Quantity,Commission,Order ID\nQQA,5,1.00,A1\nQQB,4,1.00,A2",
        TRANSACTIONS,
    ),
    "prices of several symbols": (
        "symbol,date,close\nQQA,2024-12-05,9\nQQA,2024-12-06,8",
        LONG,
    ),
    "prices of one symbol": ("Datum;Eröffnung;Hoch;Tief;Schluss\n05.12.2024;1;2;1;2", LONG),
    "the three header lines of yfinance": (
        "Price,Close,Volume\nTicker,QQA,QQA\nDate,,\n2024-12-05,9,100",
        LONG,
    ),
    "a column per symbol": ("Date,QQA,QQB\n2024-12-05,9,8\n2024-12-06,9,", WIDE),
    "weights": ("Ticker,Target %\nQQA,60\nQQB,40", FileKind.WEIGHTS),
    "values": ("Symbole;Valorisation\nQQA;600\nQQB;400", FileKind.VALUES),
}


def lines_of(text: str) -> list[list[str]]:
    mark = ";" if text.partition("\n")[0].count(";") else ","
    return [line.split(mark) for line in text.splitlines()]


@pytest.mark.parametrize(("text", "kind"), TABLES.values(), ids=TABLES)
def test_the_kind_of_a_table_shows_in_its_columns_and_words(text, kind):
    assert classify_lines(lines_of(text)).kinds == (kind,)
    titled = "My account;;\n\n" + text if ";" in text else "My account,,\n" + text
    assert classify_lines(lines_of(titled)).kinds == (kind,)


def test_a_statement_of_sections_holds_two_kinds():
    text = (
        "Statement,Header,Field\nTrades,Header,Symbol,Quantity\nTrades,Data,QQA,5\n"
        "Open Positions,Header,Symbol,Quantity\nOpen Positions,Data,QQA,5"
    )
    assert classify_lines(lines_of(text)).kinds == (HOLDINGS, TRANSACTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "Date,Symbol,Quantity,Price\n2024-01-03,QQA,5,9\n2024-02-05,QQB,4,8",
        "Date,Symbol,Quantity,Market value\n2024-01-03,QQA,5,9\n2024-02-05,QQA,5,8",
        "Symbol,Quantity,Market value,Commission,Settlement date\nQQA,5,9,1,2024-01-03",
    ],
    ids=["days of purchases or of trades", "snapshots of several days", "columns of both kinds"],
)
def test_a_table_of_two_possible_kinds_is_refused(tmp_path, text):
    found = classify_lines(lines_of(text))
    assert found.kinds == ()
    assert found.alternatives == (HOLDINGS, TRANSACTIONS)
    with pytest.raises(DataQualityError, match="can be a table of holdings or a list of trans"):
        require_kind(tmp_path, found, HOLDINGS_KINDS)


@pytest.mark.parametrize(
    ("text", "expected", "command"),
    [
        ("Symbol,Action,Quantity\nQQA,Sell,5", HOLDINGS_KINDS, "import transactions"),
        ("Symbol,Action,Quantity\nQQA,Sell,5", PRICE_KINDS, "import transactions"),
        ("Symbol,Quantity\nQQA,5", PRICE_KINDS, "import portfolio"),
        ("Symbol,Quantity\nQQA,5", {TRANSACTIONS}, "import portfolio"),
        ("Date,QQA\n2024-12-05,5", HOLDINGS_KINDS, "import prices"),
    ],
)
def test_another_kind_is_refused_with_its_evidence_and_command(tmp_path, text, expected, command):
    found = classify_lines(lines_of(text))
    with pytest.raises(DataQualityError) as refused:
        require_kind(tmp_path, found, expected)
    assert f"Use `riskmetrics {command}`" in str(refused.value)
    assert found.evidence[0] in str(refused.value)
    require_kind(tmp_path, found, set(found.kinds))


@pytest.mark.parametrize(("n_words", "is_list"), [(2, False), (3, True)])
def test_three_of_five_cells_must_name_transactions(n_words, is_list):
    notes = ["Buy"] * n_words + ["Core"] * (5 - n_words)
    text = "Symbol,Quantity,Note\n" + "\n".join(f"QQ{note[0]},5,{note}" for note in notes)
    assert classify_lines(lines_of(text)).kinds == ((TRANSACTIONS,) if is_list else (HOLDINGS,))


def test_an_unknown_kind_passes(tmp_path):
    found = classify_lines(lines_of("a,b\nx,y"))
    assert (found.kinds, found.alternatives) == ((), ())
    require_kind(tmp_path, found, HOLDINGS_KINDS)


POSITIONS = (
    "Positions for account Individual ...789, as of 04:00 PM ET, 2024-12-06\n\n"
    "Symbol,Description,Quantity,Last Price,Market Value,Cost Basis,Type\n"
    "AAPL,APPLE INC,10,242.84,2428.40,1500.00,Cash\nWMRT,WALMART INC,5,95.00,475.00,400.00,Cash\n"
)


@pytest.mark.parametrize(
    ("read", "title"),
    [
        (read_prices, "prices"),
        (read_profiles, "profiles"),
        (read_benchmark, "sector weights"),
        (read_factors, "factor returns"),
        (read_scenarios, "stress scenarios"),
    ],
)
def test_a_brokers_file_given_to_another_command_is_refused_with_the_command(tmp_path, read, title):
    file = tmp_path / "positions.csv"
    file.write_text(POSITIONS)
    with pytest.raises(DataQualityError) as refused:
        read(file)
    message = str(refused.value)
    assert message.startswith(f"{file} is a table of holdings, not a table of {title}: ")
    assert message.endswith("Use `riskmetrics import portfolio`")


def test_profiles_in_a_table_of_holdings_are_read_if_it_has_sectors(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("Symbol,Name,Sector,Quantity\nAAPL,Apple,Information Technology,10\n")
    assert read_profiles(file).rows["sector"].tolist() == ["Information Technology"]


def test_the_columns_of_an_unknown_table_are_those_below_its_title(tmp_path):
    file = tmp_path / "other.csv"
    file.write_text("Report of, the day\nColor;Shape;Size;Age\nred;round;1;2\n")
    with pytest.raises(DataQualityError, match="semicolon-separated columns are: Color, Shape,"):
        read_profiles(file)
