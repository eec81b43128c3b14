"""Layouts as data: those of the package, of a user's folder, and mistakes in them."""

from pathlib import Path

import pytest

from riskmetrics.errors import ConfigurationError, DataQualityError
from riskmetrics.size_limits import DEFAULT_LIMITS
from riskmetrics.sources.brokers import read_holdings
from riskmetrics.sources.layout_checks import check_file
from riskmetrics.sources.layouts import load_layouts, parse_layout
from tests.sources.accounts import held

OWN = """
name = "Example Bank"
headers = [["Instrument Code", "Free Balance"]]
cash = ['house account\\|']
statements = ['Client (?P<account>[^|]+)']
export = "Positions > Export"

[columns]
symbol = ["Instrument Code"]
quantity = ["Free Balance"]
"""
EXPORT = "Client QQ\nInstrument Code,Free Balance\nQQA,5\nHouse Account,70\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "layouts"
    path.mkdir()
    (path / "example.toml").write_text(OWN)
    return path


def test_a_layout_in_a_folder_is_used_first(file, folder):
    with pytest.raises(DataQualityError, match="no known column of symbols"):
        read_holdings(file(EXPORT))
    found = read_holdings(file(EXPORT), layouts=load_layouts(folder))
    [account] = found.accounts
    assert (found.layout, account.name, account.cash) == ("Example Bank", "QQ", 70)
    assert [lot[:3] for lot in held(account)] == [("QQA", "LONG", 5)]
    assert load_layouts(folder).layouts[0].name == "Example Bank"
    assert load_layouts(folder).layouts[-1].is_general


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("name =", "name"), "is not a TOML file"),
        (('name = "Example Bank"', ""), "name: Field required"),
        (("headers =", "header ="), "header: Extra inputs are not permitted"),
        ((OWN.splitlines()[2], "headers = []"), "headers is missing"),
        (("[columns]\nsymbol", "[columns]\nticker"), "unknown columns ticker; known are symbol,"),
        (("house account", "(house account"), "is not a regular expression"),
        (("?P<account>", "?P<owner>"), "has the groups owner; known are account,"),
        (("export =", 'decimal_mark = ";"\nexport ='), "decimal_mark: Input should be"),
    ],
)
def test_a_mistake_in_a_layout_names_its_field(folder, change, message):
    (folder / "example.toml").write_text(OWN.replace(*change))
    with pytest.raises(ConfigurationError, match=rf"example\.toml.*{message}"):
        load_layouts(folder)


def test_a_folder_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match=r"RISKMETRICS_LAYOUTS=.* is not a directory"):
        load_layouts(tmp_path / "missing")


def test_every_layout_of_the_package_says_what_to_click_or_why_it_is_not_read():
    known = load_layouts()
    assert len(known.layouts) > 10
    assert all(one.export for one in known.layouts if not one.is_general)
    assert all(one.unsupported for one in known.unsupported)
    names = [one.name for one in (*known.layouts, *known.unsupported)]
    assert len(names) == len(set(names))


def test_an_unsupported_file_is_named(file):
    with pytest.raises(DataQualityError, match="a portfolio of Degiro, which has ISINs"):
        read_holdings(file("Product,Symbol/ISIN,Amount\nQQ INC,US0378331005,5\n"))


def test_a_check_explains_every_layout_and_column(file):
    path = file("My list\nTicker;Stück;Xyzzy\nQQA;5;x\n")
    found = check_file(path, DEFAULT_LIMITS, load_layouts())
    assert (found.header_line, found.file_format) == (2, "UTF-8, semicolons")
    assert [one.layout for one in found.layouts if one.matches] == ["table of holdings"]
    schwab = next(one for one in found.layouts if one.layout == "Schwab positions")
    assert schwab.reason == "missing: qtyquantity, symbol"
    assert [tuple(one) for one in found.columns] == [
        ("Ticker", "symbol"),
        ("Stück", "quantity"),
        ("Xyzzy", "not used"),
    ]


def test_a_layout_with_the_least_it_needs_is_valid():
    layout = parse_layout("x.toml", b'name = "X"\nheaders = [["A b", "C"]]')
    assert layout.matches_header(frozenset({"ab", "c", "d"}))
    assert not layout.matches_header(frozenset({"ab"}))
