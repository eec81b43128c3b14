"""All notations of a symbol have one normal form; similar text is not changed."""

import csv
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riskmetrics.sources import simulate
from riskmetrics.symbols import CLASS_SHARES, MAX_SYMBOL_LENGTH, normalize_symbol, parse_option
from tests.conftest import SHARED_DATA, needs_shared_data

NORMAL_FORMS = {
    "BRK-B": "BRKB|BRK.B|BRK/B|BRK B|BRK-B|brk.b|Brk b| BRK\u00a0B |BRK\u2013B|BRK.B.US|brkb.us",
    "BF-B": "BFB|BF.B|BF/B|BF B|BF-B|bf-b.us",
    "MKC-V": "MKC.V|MKC-V|MKCV|MKC V",  # voting stock; .V is Vancouver for any other
    "ERIC-B": "ERIC B|ERIC/B",
    "RCI-B.TO": "RCI.B.TO|RCI-B.TO|RCI/B.TO",
    "BT-A.L": "BT.A.L|BT-A.L|BT/A.L",
    "AAPL": "aapl|AAPL.US|aapl.us|AAPL.US.US",
    "A": "A.US|a",
    "US": "US|us.us",
    "BAC-PL": "BAC-PL|BAC.PRL|BAC/PRL|BAC PRL|BAC-PRL|BAC PR L|BAC.PR.L|BAC^L|BAC_L.US",
    "BCE-PA.TO": "BCE.PR.A.TO|BCE-PA.TO",
    "ACHR-WS": "ACHR.WS|ACHR/WS|ACHR WS|ACHR-WS",
    "IPOD-U": "IPOD.U|IPOD/U|IPOD-U",
    "REI-UN.TO": "REI.UN.TO|REI-UN.TO",
    "BTC-USD": "BTC-USD|btc/usd",
    "BRKB240119C00350000": "BRKB  240119C00350000|-BRKB240119C350|BRK B 19JAN24 350 C",
    "BRKB240119P00350000": "brkb240119p00350000|BRK/B 01/19/2024 350.00 P",
}
WRITTEN = [(normal, text) for normal, texts in NORMAL_FORMS.items() for text in texts.split("|")]
LISTED = "VOD.L RR.L ABC.V BMW.F AAPL.O IBM.N 7203.T AIR.PA CEZ.PR SAP.DE SHOP.TO 0700.HK"
PLAIN = "BTC-USD ^GSPC ^SPX ES=F EURUSD=X DX-Y.NYB SIM00001 NA NAN TRUE GOOGL FOXA HUBB"


@pytest.mark.parametrize(("normal", "written"), WRITTEN)
def test_every_notation_has_one_normal_form(normal: str, written: str) -> None:
    assert normalize_symbol(written) == normal


@pytest.mark.parametrize("listed", f"{LISTED} {PLAIN}".split())
def test_listings_indices_pairs_and_plain_symbols_stay(listed: str) -> None:
    assert normalize_symbol(listed) == listed
    assert normalize_symbol(listed.lower()) == listed


NO_SYMBOLS = "| |N/A|n.a.|AAPL US Equity|Apple (AAPL)|/ES|-AAPL|.US|stra\u00dfe|BRK.\u0131|=A1|A;B"


@pytest.mark.parametrize("text", NO_SYMBOLS.split("|"))
def test_what_is_no_symbol_is_none(text: str) -> None:
    assert normalize_symbol(text) is None


def test_the_longest_symbol_and_one_character_more() -> None:
    assert normalize_symbol("A" * MAX_SYMBOL_LENGTH) == "A" * MAX_SYMBOL_LENGTH
    assert normalize_symbol("A" * (MAX_SYMBOL_LENGTH + 1)) is None
    assert normalize_symbol("A" * MAX_SYMBOL_LENGTH + ".US") is not None  # the normal form counts
    assert normalize_symbol("BRKB", 5) == "BRK-B"
    assert normalize_symbol("BRKB", 4) is None
    assert normalize_symbol("A.US" + ".US" * 10_000_000) is None


PARTS = "BRK BF BAC A B C L V PR P US U WS TO BRKB 250117 C00250000 C250 N 1 . / - ^ _ ="
TEXTS = st.text(st.sampled_from("ABCKLPRSUVWbr019./-^_= \u2013"), max_size=12)
JOINED = st.lists(st.sampled_from([*PARTS.split(), " "]), max_size=9).map("".join)


@given(TEXTS | JOINED)
@example("AAPL250117C250.US")
@example("BAC_L.US")
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    symbol = normalize_symbol(text)
    if symbol is not None:
        assert normalize_symbol(symbol) == symbol
        assert len(symbol) <= MAX_SYMBOL_LENGTH


@given(
    st.sampled_from(CLASS_SHARES),
    st.sampled_from(["", ".", "/", " ", "-"]),
    st.sampled_from(["", ".US", " "]),
)
def test_a_listed_class_share_is_one_symbol(symbol: str, mark: str, end: str) -> None:
    assert normalize_symbol(symbol.replace("-", mark).lower() + end) == symbol


@given(st.sampled_from(CLASS_SHARES), st.sampled_from(["", ".", "/"]))
def test_an_option_is_on_the_normal_form_of_its_underlying(symbol: str, mark: str) -> None:
    option = parse_option(f"{symbol.replace('-', mark)} 01/19/2024 350.00 C")
    assert option is not None
    assert option.underlying == symbol
    again = parse_option(option.symbol)
    assert again is not None
    assert again.underlying == symbol


LISTED = [
    *("A", "AAPL", "AMZN", "BRK-B", "BRKB", "BF-A", "BFB", "CARR", "FOXA", "GOOG", "GOOGL", "HEI"),
    *("HEI-A", "LEN", "LEN-B", "MOG-A", "NWSA", "STZ", "T", "UHAL-B", "V"),
]
"""Common stocks as they are listed, among them every kind of class share, two without a mark."""


def read_fund() -> list[str]:
    """Read the published holdings of a fund, in which only BRKB and BFB have no separator."""
    with (SHARED_DATA / "sp500_holdings_2023-12-20.csv").open() as lines:
        held = [row["ticker"] for row in csv.DictReader(lines)]
    assert len(held) > 500
    return held


@pytest.mark.parametrize(
    "read",
    [pytest.param(lambda: LISTED, id="listed"), pytest.param(read_fund, marks=needs_shared_data)],
)
def test_listed_symbols_are_normal_but_for_two_unmarked_classes(
    read: Callable[[], list[str]],
) -> None:
    normal = {symbol: normalize_symbol(symbol) for symbol in read()}
    respelled = {text: symbol for text, symbol in normal.items() if text != symbol}
    assert respelled == {"BRKB": "BRK-B", "BFB": "BF-B"}


def test_simulated_symbols_are_normal() -> None:
    known = simulate.true_parameters(50, 1).index
    assert [normalize_symbol(symbol) for symbol in known] == list(known)
