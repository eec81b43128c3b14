"""ISINs and CUSIPs in the place of symbols, by identifiers of real securities."""

from itertools import product
from pathlib import Path

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import read_holdings
from riskmetrics.sources.files import read_prices, read_profiles
from riskmetrics.sources.security_identifiers import (
    KnownSymbols,
    StatedSecurity,
    has_wrong_check_digit,
    identifier_key,
    learn_symbols,
)
from riskmetrics.sources.transaction_files import read_transactions
from riskmetrics.sources.transaction_rows import TransactionOptions

PUBLISHED = {
    "AAPL": ("US0378331005", "037833100"),
    "MSFT": ("US5949181045", "594918104"),
    "BRK-B": ("US0846707026", "084670702"),
    "SHOP": ("CA82509L1076", "82509L107"),
    "AXTA": ("BMG0750C1082", "G0750C108"),
    "CCL": ("PA1436583006", "143658300"),
}
"""ISIN and CUSIP as the issuers publish them."""
MEDTRONIC = "IE00BTN1Y115"
"""An ISIN that does not contain the CUSIP, G5960L103."""
KEYS = {pair[1]: symbol for symbol, pair in PUBLISHED.items()}


def look_up(keys):
    """Return the symbols of the published identifiers."""
    return {key: KEYS[key] for key in keys if key in KEYS}


@pytest.mark.parametrize(("isin", "cusip"), PUBLISHED.values())
def test_isin_and_cusip_of_a_security_have_one_key(isin: str, cusip: str) -> None:
    assert identifier_key(isin) == identifier_key(cusip) == identifier_key(isin.lower()) == cusip


def test_identifiers_without_a_cusip_inside_and_of_bonds() -> None:
    assert (identifier_key(MEDTRONIC), identifier_key("G5960L103")) == (MEDTRONIC, "G5960L103")
    assert identifier_key("912797LX3") is identifier_key("US912797LX38") is None  # Treasury bill


@pytest.mark.parametrize("isin", [pair[0] for pair in PUBLISHED.values()])
def test_every_single_wrong_digit_is_found(isin: str) -> None:
    """Both check digits find it, at every place and for every digit."""
    places = [place for place, sign in enumerate(isin) if sign.isdigit()]
    for place, digit in product(places, "0123456789"):
        typo = isin[:place] + digit + isin[place + 1 :]
        if typo != isin:
            assert identifier_key(typo) is None
            assert has_wrong_check_digit(typo)
            assert place == 11 or identifier_key(typo[2:11]) is None


def test_rows_that_carry_both_teach() -> None:
    rows = [
        ("NASDAQ:AAPL", "US0378331005", ""),
        ("MSFT", "594918104", "USD"),
        ("SHOP.TO", "CA82509L1076", "CAD"),
        ("VOD.L", "GB00BH4HKS39", "USD"),
        ("AAPL250117C00250000", "US0378331005", "USD"),
        ("AXTA", "BMG0750C1083", "USD"),
        ("FB", "US30303M1027", "USD"),
        ("META", "30303M102", "USD"),
        ("", "PA1436583006", "USD"),
    ]
    assert learn_symbols(map(StatedSecurity._make, rows)) == {
        "037833100": "AAPL",
        "594918104": "MSFT",
    }


def write(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text)
    return path


def quantities(path: Path, known: KnownSymbols = KnownSymbols()) -> dict[str, float]:  # noqa: B008
    [account] = read_holdings(path, known=known).accounts
    rows = account.holdings.rows
    return dict(zip(rows["symbol"], rows["quantity"], strict=True))


def test_holdings_by_isin_or_cusip_are_mapped_or_rejected_by_line(tmp_path: Path) -> None:
    path = write(tmp_path, f"ISIN,Quantity\nUS0378331005,15\n594918104,4\n{MEDTRONIC},7\n")
    found = read_holdings(path, known=KnownSymbols({}, look_up))
    [account] = found.accounts
    assert dict(account.holdings.rows[["symbol", "quantity"]].to_numpy()) == {"AAPL": 15, "MSFT": 4}
    [rejected] = account.holdings.rejected
    assert rejected.line == 4
    assert f"{MEDTRONIC} is an ISIN, not a symbol" in rejected.reason
    assert "import profiles with a column ISIN" in rejected.reason
    assert found.identifiers == {}
    with pytest.raises(DataQualityError, match="US0378331005 is an ISIN, not a symbol"):
        read_holdings(path)


def test_a_user_maps_identifiers_and_names(tmp_path: Path) -> None:
    path = write(tmp_path, f"Symbol,Quantity\nUS0378331005,15\n{MEDTRONIC},7\nOur Fund A,3\n")
    mapped = {MEDTRONIC.lower(): "MDT", "our fund a": "FUNDA"}
    assert quantities(path, KnownSymbols(mapped, look_up)) == {"AAPL": 15, "MDT": 7, "FUNDA": 3}


def test_other_rows_of_a_file_name_the_symbol(tmp_path: Path) -> None:
    """The row without a symbol is of another account, as in a consolidated statement."""
    text = (
        "Account,Symbol,CUSIP,Quantity\nA,AAPL,037833100,15\nB,,037833100,4\nB,594918104,,2\n"
        "B,PG,742718109,3\n"
    )
    found = read_holdings(write(tmp_path, text), known=KnownSymbols({}, look_up))
    held = {
        account.name: dict(account.holdings.rows[["symbol", "quantity"]].to_numpy())
        for account in found.accounts
    }
    assert held == {"A": {"AAPL": 15}, "B": {"AAPL": 4, "MSFT": 2, "PG": 3}}
    assert found.identifiers == {"037833100": "AAPL", "742718109": "PG"}


def test_the_symbol_of_a_row_precedes_its_identifier(tmp_path: Path) -> None:
    path = write(tmp_path, "Symbol,ISIN,Quantity\nXYZ,US0378331005,15\n")
    assert quantities(path, KnownSymbols({}, look_up)) == {"XYZ": 15}


def test_a_wrong_check_digit_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "Symbol,ISIN,Quantity\nAAPL,US0378331006,15\nUS5949181046,,4\n")
    found = read_holdings(path)
    [account] = found.accounts
    assert list(account.holdings.rows["symbol"]) == ["AAPL"]
    assert any(
        "wrong check digit" in note and "US0378331006" in note for note in account.holdings.notes
    )
    [rejected] = account.holdings.rejected
    assert "US5949181046 is no symbol, and as an ISIN or CUSIP its check digit" in rejected.reason
    assert found.identifiers == {}


def test_options_and_cash_do_not_teach(tmp_path: Path) -> None:
    text = (
        "Symbol,ISIN,Quantity,Asset class,Price\nKO,US1912161007,10,Stock,60\n"
        "AAPL,US0378331005,1,Option,5\nVMFXX,US9229062018,100,Cash,1\n"
    )
    path = write(tmp_path, text)
    assert read_holdings(path).identifiers == {"191216100": "KO"}


TRADES = (
    "Date,Type,Symbol,ISIN,Quantity,Price,Currency\n"
    "2024-01-02,Buy,,US0378331005,10,180,USD\n"
    "2024-01-03,Buy,MSFT,US5949181045,4,370,USD\n"
    "2024-01-04,Sell,,US5949181045,1,371,USD\n"
    "2024-01-05,Buy,594918104,,2,372,USD\n"
)


def test_transactions_by_identifier(tmp_path: Path) -> None:
    path = write(tmp_path, TRADES)
    found = read_transactions(path, TransactionOptions(look_up=look_up))
    symbols = [one.symbol for one in found.transactions]
    assert symbols == ["AAPL", "MSFT", "MSFT", "MSFT"]
    assert found.identifiers == {"594918104": "MSFT"}
    unknown = read_transactions(path)
    assert [row.line for row in unknown.rejected] == [2]
    assert "pass --map US0378331005=SYMBOL" in unknown.rejected[0].reason
    mapped = read_transactions(path, TransactionOptions({"US0378331005": "AAPL"}))
    assert [one.symbol for one in mapped.transactions] == symbols


def test_a_transaction_with_a_wrong_check_digit(tmp_path: Path) -> None:
    found = read_transactions(write(tmp_path, TRADES.replace("US0378331005", "US0378331006")))
    [rejected] = found.rejected
    assert "US0378331006 is no ISIN: its check digit is wrong" in rejected.reason


def test_prices_by_isin(tmp_path: Path) -> None:
    text = f"ISIN,Date,Close\nUS0378331005,2024-12-05,243.04\n{MEDTRONIC},2024-12-05,360\n"
    path = write(tmp_path, text)
    found = read_prices(path, look_up=look_up)
    assert list(found.rows["symbol"]) == ["AAPL"]
    assert "US0378331005 is read as AAPL" in found.notes
    assert [row.line for row in found.rejected] == [3]
    with pytest.raises(DataQualityError, match="US0378331005 is an ISIN, not a symbol"):
        read_prices(path)


def test_profiles_have_identifiers(tmp_path: Path) -> None:
    text = (
        f"symbol,name,ISIN,CUSIP\nAAPL,Apple,US0378331005,037833100\nMDT,Medtronic,{MEDTRONIC},"
        "G5960L103\nKO,Coca-Cola,US1912161008,\nPG,P&G,,\n"
    )
    found = read_profiles(write(tmp_path, text))
    keys = dict(zip(found.rows["symbol"], map(sorted, found.rows["identifiers"]), strict=True))
    assert keys == {"AAPL": ["037833100"], "MDT": ["G5960L103", MEDTRONIC], "KO": [], "PG": []}
    assert any("column isin" in note and "US1912161008" in note for note in found.notes)
