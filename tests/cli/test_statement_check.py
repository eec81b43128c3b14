"""What an import of holdings says before it stores: unknown symbols, totals and changes."""

from pathlib import Path

import pytest

from riskmetrics.errors import UsageError
from riskmetrics.symbols import find_near_symbols

HEADER = "symbol,quantity\n"


@pytest.fixture
def load(call, tmp_path: Path):
    """Import lines of holdings of G, and return the messages."""
    prices = tmp_path / "prices.csv"
    prices.write_text(
        "symbol,date,close\n" + "".join(f"{one},2022-12-28,10\n" for one in ("AAPL", "MSFT", "KO"))
    )
    profiles = tmp_path / "profiles.csv"
    profiles.write_text("symbol,name,asset_type,sector\nAAPL,Apple,stock,Technology\n")
    assert call("import", "prices", str(prices)).exit_code == 0
    assert call("import", "profiles", str(profiles)).exit_code == 0

    def load(lines: str, *options: str) -> str:
        file = tmp_path / "holdings.csv"
        file.write_text(HEADER + lines)
        given = ("--name", "G", "--as-of", "2022-12-28", *options)
        done = call("import", "portfolio", str(file), *given)
        assert done.exit_code == 0, done.output
        return str(done.stderr)

    return load


def test_a_typing_error_is_named_with_the_nearest_symbol(load):
    said = load("APPL,10\nMSFT,5\nZZZZ,1\n", "--dry-run")
    assert (
        "no price is stored for APPL: is it AAPL? Correct the file; once stored, riskmetrics"
        " symbols rename APPL AAPL corrects it" in said
    )
    assert "no price is stored for ZZZZ: check the symbol, or import its prices" in said
    assert "no profile is stored for MSFT: its sector will be Unclassified" in said


def test_a_dry_run_names_the_changes_and_stores_none_of_them(load):
    assert "G, new" not in load("AAPL,10\nMSFT,5\n")
    for _ in range(2):
        said = load("AAPL,12.5\nKO,1\n", "--dry-run")
        assert "G, new: KO 1" in said
        assert "G, no longer held: MSFT 5" in said
        assert "G, changed: AAPL 10 → 12.5" in said
    load("AAPL,12.5\nKO,1\n")
    assert "G: the same holdings as before" in load("AAPL,12.5\nKO,1\n")


@pytest.mark.parametrize(
    ("held", "kept", "is_refused"), [("ABCD", "A", True), ("ABCD", "AB", False), ("ABC", "", False)]
)
def test_a_script_needs_yes_to_sell_most_of_several_positions(
    call, tmp_path: Path, held: str, kept: str, is_refused: bool
) -> None:
    """A download that broke off must not close the portfolio; without one it asks on a terminal."""
    file = tmp_path / "holdings.csv"
    given = ("import", "portfolio", str(file), "--name", "G", "--allow-empty")
    file.write_text(HEADER + "".join(f"QQ{letter},1\n" for letter in held))
    assert call(*given, "--as-of", "2022-12-27").exit_code == 0
    file.write_text(HEADER + "".join(f"QQ{letter},1\n" for letter in kept))
    done = call(*given, "--as-of", "2022-12-28")
    if not is_refused:
        assert done.exit_code == 0
        return
    assert "1 of 4 positions that are held, so the others would be sold" in str(done.exception)
    assert call(*given, "--as-of", "2022-12-28", "--yes").exit_code == 0


@pytest.mark.parametrize(("n_unreadable", "is_refused"), [(1, True), (2, False)])
def test_positions_of_rejected_rows_are_not_sold(
    call, tmp_path: Path, n_unreadable: int, is_refused: bool
) -> None:
    file = tmp_path / "holdings.csv"
    given = ("import", "portfolio", str(file), "--name", "G")
    file.write_text(HEADER + "QQA,1\nQQB,1\nBRKB,1\nQQD,1\nQQE,1\n")
    assert call(*given, "--as-of", "2022-12-27").exit_code == 0
    rejected = "".join(f"{one},x\n" for one in ("BRK/B", "QQD")[:n_unreadable])
    file.write_text(f"{HEADER}QQA,1\n{rejected}")
    done = call(*given, "--as-of", "2022-12-28")
    assert isinstance(done.exception, UsageError) == is_refused
    assert is_refused or done.exit_code == 4, done.output


@pytest.mark.parametrize(("accounts", "is_refused"), [("A", True), ("AB", False)])
def test_rejected_rows_of_one_account_keep_no_position_of_another(
    call, tmp_path: Path, accounts: str, is_refused: bool
) -> None:
    """Account B states two of its five positions; three rows of A, or of both, are unreadable."""
    file = tmp_path / "holdings.csv"
    given = ("import", "portfolio", str(file), "--as-of")
    header = "account,symbol,quantity\n"
    file.write_text(header + "".join(f"{name},QQ{one},1\n" for name in "AB" for one in "ABCDE"))
    assert call(*given, "2022-12-27").exit_code == 0
    rows = [f"{name},QQ{one},1\n" for name in "AB" for one in "AB"]
    unread = [f"{name},QQ{one},x\n" for name in accounts for one in "CDE"]
    file.write_text(header + "".join([*rows, *unread]))
    done = call(*given, "2022-12-28")
    assert isinstance(done.exception, UsageError) == is_refused
    assert not is_refused or "B: the file has 2 of 5 positions" in str(done.exception)


@pytest.mark.parametrize("size", ["weight", "value"])
def test_a_file_of_weights_or_values_that_sells_most_needs_yes_too(
    call, tmp_path: Path, size: str
) -> None:
    file, prices = tmp_path / "holdings.csv", tmp_path / "prices.csv"
    prices.write_text("symbol,date,close\nQQA,2022-12-28,10\nQQB,2022-12-28,10\n")
    assert call("import", "prices", str(prices)).exit_code == 0
    given = ("import", "portfolio", str(file), "--name", "G", "--as-of")
    file.write_text(HEADER + "".join(f"QQ{letter},1\n" for letter in "ABCDE"))
    assert call(*given, "2022-12-27").exit_code == 0
    stated = ("--value", "1000") if size == "weight" else ()
    file.write_text(f"symbol,{size}\nQQA,0.5\nQQB,0.5\nQQC,0\n")
    refused = call(*given, "2022-12-28", *stated).exception
    assert isinstance(refused, UsageError)
    assert "G: the file has 2 of 5 positions that are held" in str(refused)
    held = ("db", "sql", "SELECT DISTINCT symbol FROM positions WHERE exit_date IS NULL")
    assert call(*held).stdout.count("QQ") == 5
    assert call(*given, "2022-12-28", *stated, "--yes").exit_code == 0
    assert call(*held).stdout.count("QQ") == 2


@pytest.mark.parametrize(("n_accounts", "end"), [(3, ""), (4, "; and so in 1 more portfolio")])
def test_a_refusal_names_every_account_that_would_lose_most_of_its_positions(
    call, tmp_path: Path, n_accounts: int, end: str
) -> None:
    file = tmp_path / "holdings.csv"

    def write(letters: str) -> None:
        names = [f"Account {number}" for number in range(1, n_accounts + 1)]
        lines = [f"{name},QQ{letter},1\n" for name in names for letter in letters]
        file.write_text("account,symbol,quantity\n" + "".join(lines))

    write("ABCD")
    assert call("import", "portfolio", str(file), "--as-of", "2022-12-27").exit_code == 0
    write("A")
    refused = str(call("import", "portfolio", str(file), "--as-of", "2022-12-28").exception)
    described = "; ".join(
        f"Account {number}: the file has 1 of 4 positions that are held, so the others would be"
        " sold"
        for number in (1, 2, 3)
    )
    assert refused == f"{described}{end}. Pass --yes if the file is complete"


SCHWAB = (
    '"Positions for account Income ...321 as of 04:00 PM ET, 2024/12/06"\n'
    '"Symbol","Description","Qty (Quantity)","Price","Mkt Val (Market Value)","Cost Basis"\n'
    '"AAPL","APPLE","10","$100.00","$1,000.00","$900.00"\n'
    '%s"Cash & Cash Investments","--","--","--","$100.00","--"\n'
    '"Account Total","--","--","--","$%s","$900.00"\n'
)


@pytest.mark.parametrize(
    ("total", "is_told"),
    [("1,100.00", False), ("1,000.00", False), ("1,111.50", True), ("1,088.00", True)],
)
def test_a_total_that_the_lines_do_not_add_up_to_is_told(call, tmp_path, total, is_told):
    """Lots of 1,000 USD and 100 in cash; some brokers state the total without cash."""
    file = tmp_path / "positions.csv"
    file.write_text(SCHWAB % ("", total))
    done = call("import", "portfolio", str(file), "--dry-run")
    assert (f"add up to 1,100.00, and it states a total of {total}" in done.stderr) is is_told


def test_the_part_of_the_total_that_is_not_imported_is_told(call, tmp_path):
    file = tmp_path / "positions.csv"
    bill = '"912797LX3","US TREASURY BILL DUE 02/06/25","5,000","$99.20","$4,960.00","$4,930.00"\n'
    file.write_text(SCHWAB % (bill, "6,060.00"))
    done = call("import", "portfolio", str(file), "--dry-run")
    assert "total of 6,060.00, of which 4,960.00 are lines that are not imported" in done.stderr


@pytest.mark.parametrize(
    ("symbol", "known", "found"),
    [
        ("APPL", ["AAPL", "APP", "MSFT"], ["AAPL", "APP"]),
        ("MFST", ["MSFT", "MFS"], ["MFS", "MSFT"]),
        ("GOOGLE", ["GOOG", "GOOGL"], ["GOOGL"]),
        ("KO", ["K", "KR"], []),
        ("AAPL", ["AAPL"], []),
        ("BRK-B", ["BRK-A"], ["BRK-A"]),
    ],
)
def test_symbols_one_error_away(symbol, known, found):
    assert find_near_symbols(symbol, known) == found


def test_a_setting_without_data_is_warned_of_at_once(call, load, tmp_path: Path):
    """`load` stores prices of AAPL, MSFT and KO."""
    known = call("db", "setting", "market_index", "AAPL")
    assert (known.stdout, known.stderr) == ("AAPL\n", "")
    for name in ("market_index", "rate_index"):
        unknown = call("db", "setting", name, "APPL")
        assert (unknown.exit_code, unknown.stdout) == (0, "APPL\n")
        said = " ".join(unknown.stderr.split())
        assert "warning: no price of APPL (is it AAPL?) is stored" in said
        assert call("db", "setting", name).stderr == ""
    without = call("db", "setting", "benchmark", "NOPE")
    assert without.stdout == "NOPE\n"
    said = " ".join(without.stderr.split())
    assert "warning: no sector weights of NOPE are stored" in said
    assert "riskmetrics import benchmark FILE --code NOPE" in said
    weights = tmp_path / "weights.csv"
    weights.write_text("date,sector,weight\n2022-12-28,Energy,0.6\n2022-12-28,Utilities,0.4\n")
    assert call("import", "benchmark", str(weights), "--code", "NOPE").exit_code == 0
    assert call("db", "setting", "benchmark", "NOPE").stderr == ""


def test_a_stored_typing_error_is_named_with_the_nearest_symbol_until_it_is_renamed(call, load):
    load("APPL,10\nKO,5\n")
    assert call("db", "setting", "market_index", "MSFT").exit_code == 0
    added = call("portfolio", "add", "Tiny", "AAPL=10", "MSTF=5", "--as-of", "2022-12-28")
    assert "no price is stored for MSTF (is it MSFT?): riskmetrics run fetches it" in added.stderr
    doctor = " ".join(call("doctor").stdout.split())
    assert "missing for 2 of 4 symbols held on that session: APPL (is it AAPL?)" in doctor
    assert "riskmetrics symbols rename OLD NEW" in doctor
    quality = call("show", "quality").stdout
    assert "no price in a year: APPL (is it AAPL?), MSTF (is it MSFT?)" in quality
    for old, new in (("APPL", "AAPL"), ("MSTF", "MSFT")):
        assert call("symbols", "rename", old, new).exit_code == 0
    assert "is it" not in call("doctor").stdout + call("show", "quality").stdout
