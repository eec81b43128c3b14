"""`riskmetrics import transactions` after renamed symbols, moved days, and lines of other files."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables, transactions
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources import transaction_rows
from tests.conftest import open_connection
from tests.stopped_clocks import stopped_date

HISTORY = """\
Date,Type,Symbol,Quantity,Price,Amount
2022-01-03,Deposit,,,,10000.00
2022-01-04,Buy,FB,10,300,-3000.00
2022-03-01,Dividend,FB,,,5.00
2022-04-01,Sell,FB,4,200,800.00
2022-04-05,Buy to open,FB 06/17/2022 200.00 C,1,2,-200.00
"""


@pytest.fixture
def import_text(call, tmp_path: Path) -> Callable:
    """Return a function that imports the text of a history into a portfolio."""
    path = tmp_path / "history.csv"

    def run(text: str, *options: str):
        path.write_text(text)
        return call("import", "transactions", str(path), "--portfolio", "Mine", *options)

    return run


def lots(url: str) -> list[tuple[str, float]]:
    """Return symbols and quantities of the lots that are not deleted."""
    table = tables.positions
    query = sa.select(table.c.symbol, table.c.quantity).where(table.c.deleted_at.is_(None))
    with open_connection(url) as connection:
        return sorted((symbol, float(size)) for symbol, size in connection.execute(query))


def test_a_renamed_symbol_stays_renamed_when_its_history_is_imported_again(
    call, import_text, database: str
) -> None:
    import_text(HISTORY)
    assert call("symbols", "rename", "FB", "META").exit_code == 0
    renamed = [("META", 4.0), ("META", 6.0), ("META220617C00200000", 1.0)]
    assert lots(database) == renamed
    again = import_text(HISTORY)
    assert "5 unchanged; 0 lots added, 0 removed, 0 changed" in again.stdout
    assert lots(database) == renamed
    later = import_text(HISTORY + "2022-05-02,Sell,META,6,210,1260.00\n")
    assert later.exit_code == 0, later.stderr
    call("symbols", "rename", "META", "FB")
    assert lots(database) == [("FB", 4.0), ("FB", 6.0), ("FB220617C00200000", 1.0)]
    assert "0 lots added, 0 removed, 0 changed" in import_text(HISTORY, "--add").stdout


def test_a_file_may_use_the_old_symbol_after_the_renaming_is_recorded(
    call, import_text, database: str
) -> None:
    """The renaming is recorded after the last stored line; the symbol changed in June."""
    import_text(HISTORY)
    assert call("symbols", "rename", "FB", "META").exit_code == 0
    later = "2022-05-02,Sell,FB,2,210,420.00\n2022-05-03,Dividend,FB,,,3.00\n"
    longer = import_text(HISTORY + later)
    assert longer.exit_code == 0, longer.stderr
    option = ("META220617C00200000", 1.0)
    assert lots(database) == [("META", 2.0), ("META", 4.0), ("META", 4.0), option]
    with open_connection(database) as connection:
        flows = transactions.read_cash_flows(connection)
    assert set(flows["symbol"].dropna()) == {"META"}


def test_a_symbol_is_renamed_twice_and_back_with_later_lines(
    call, import_text, database: str
) -> None:
    import_text(HISTORY)
    for old, new in (("FB", "META"), ("META", "MVRS")):
        call("symbols", "rename", old, new)
    later = "2022-05-02,Sell,FB,2,210,420.00\n"
    assert import_text(HISTORY + later).exit_code == 0
    option = "220617C00200000"
    assert lots(database) == [("MVRS", 2.0), ("MVRS", 4.0), ("MVRS", 4.0), (f"MVRS{option}", 1.0)]
    call("symbols", "rename", "MVRS", "FB")
    again = import_text(HISTORY + later + "2022-05-03,Sell,FB,1,210,210.00\n")
    assert again.exit_code == 0, again.stderr
    sizes = [1.0, 2.0, 3.0, 4.0]
    assert lots(database) == [*(("FB", size) for size in sizes), (f"FB{option}", 1.0)]


def test_a_dividend_has_the_symbol_that_its_lots_have_now(import_text, database: str) -> None:
    header = HISTORY.replace("Amount\n", "Amount,New symbol\n", 1)
    assert (
        import_text(
            header
            + "2022-06-09,Symbol change,FB,,,,META\n"
            + "2022-07-01,Dividend,FB,,,7.00,\n"  # of another security with the free symbol
        ).exit_code
        == 0
    )
    with open_connection(database) as connection:
        flows = transactions.read_cash_flows(connection)
    paid = flows[flows["kind"] == "dividend"]
    assert dict(zip(paid["symbol"], paid["amount"], strict=True)) == {"META": 5.0, "FB": 7.0}
    assert flows["symbol"].notna().sum() == 2


def test_a_first_line_that_moved_is_said_to_be_stored_still(import_text) -> None:
    import_text(HISTORY)
    moved = import_text(HISTORY.replace("2022-01-03,Deposit", "2022-01-04,Deposit"))
    assert "1 stored transaction before or after the period of the file stay" in moved.stderr
    assert "2022-01-03 deposit, 10,000.00" in moved.stderr
    assert "stay:" not in import_text("Date,Type,Amount\n2022-12-01,Fee,-1\n").stderr


def test_a_rejected_line_is_that_of_the_imported_file(import_text) -> None:
    import_text(HISTORY)
    header, deposit, _bought, *rest = HISTORY.splitlines(keepends=True)
    shifted = import_text("".join([header, "\n", deposit, *rest]), "--replace")
    assert isinstance(shifted.exception, DataQualityError)
    assert "rejected, line 5: sell of 4 FB, but 0 are held" in shifted.stderr
    other = import_text(
        f"{header}2022-01-04,Buy,KO,1,60,-60.00\n2022-02-01,Sell,FB,8,300,2400.00\n", "--add"
    )
    assert "rejected: sell of 4 FB, but 2 are held on 2022-04-01" in other.stderr


@pytest.mark.parametrize(("days", "is_accepted"), [(0, True), (1, False)])
def test_a_day_in_the_future_is_rejected(
    import_text, monkeypatch: pytest.MonkeyPatch, days: int, is_accepted: bool
) -> None:
    today = date(2022, 12, 28)
    monkeypatch.setattr(transaction_rows, "date", stopped_date(today))
    day = today + timedelta(days=days)
    result = import_text(HISTORY + f"{day},Buy,KO,1,60,-60.00\n")
    assert (result.exit_code == 0) is is_accepted
    assert (f"day {day} is in the future" in result.stderr) is not is_accepted


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1899-12-31,Buy,KO,1,60,-60.00", "day 1899-12-31 is before 1900"),
        ("1900-01-01,Buy,KO,1,60,-60.00", ""),
        ("2022-05-02,Buy,KO,1000000000000,1,", "quantity 1,000,000,000,000 is too large"),
        ("2022-05-02,Buy,KO,999999999999,1,", ""),
        ("2022-05-02,Buy,KO,1,99999999,", "price 99,999,999 is too large"),
        ("2022-05-02,Buy,KO,1,99999998,", ""),
        ("2022-05-02,Deposit,,,,100000000000000", "amount 100,000,000,000,000 is too large"),
        ("2022-05-02,Deposit,,,,99999999999999", ""),
        ("2022-05-02,Buy,KO,1,60,-inf", "amount '-inf' is not a number"),
    ],
)
def test_what_no_column_holds_is_rejected(import_text, line: str, reason: str) -> None:
    result = import_text(f"{HISTORY}{line}\n")
    assert reason in result.stderr
    assert isinstance(result.exception, DataQualityError) is bool(reason), result.stderr


@pytest.mark.parametrize(("high", "is_accepted"), [("300.00", True), ("299.99", False)])
def test_a_price_in_the_range_of_its_session_needs_no_split(
    call, import_text, tmp_path: Path, high: str, is_accepted: bool
) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text(f"symbol,date,open,high,low,close\nFB,2022-01-04,280,{high},140,150\n")
    assert call("import", "prices", str(prices)).exit_code == 0
    result = import_text(HISTORY)
    assert (result.exit_code == 0) is is_accepted, result.stderr
    assert ("a split of 2:1 is missing" in result.stderr) is not is_accepted


@pytest.mark.parametrize(("ratio", "is_accepted"), [("0.00000301", True), ("0.000003", False)])
def test_a_price_that_reverse_splits_make_too_large_is_rejected(
    import_text, ratio: str, is_accepted: bool
) -> None:
    text = HISTORY.replace("Amount\n", "Amount,Ratio\n", 1)
    result = import_text(f"{text}2022-06-01,Split,FB,,,,{ratio}\n")
    assert (result.exit_code == 0) is is_accepted, result.stderr
    assert ("too large: pass --leave-out FB" in result.stderr) is not is_accepted


@pytest.mark.parametrize("amount", ["", "-500.00"])
def test_the_cash_of_a_left_out_purchase_leaves(import_text, amount: str) -> None:
    result = import_text(f"{HISTORY}2022-05-02,Buy,KO,5,100,{amount}\n", "--leave-out", "KO")
    assert "cash 7,105.00" in result.stdout


def test_adding_a_portfolio_kept_by_transactions_names_the_command_for_it(
    call, import_text
) -> None:
    import_text(HISTORY)
    refused = call("portfolio", "add", "Mine", "KO=1")
    assert "`riskmetrics import transactions FILE --portfolio Mine`" in str(refused.exception)


def test_an_account_is_chosen_by_its_whole_number_first(import_text) -> None:
    header, *rows = HISTORY.splitlines()
    text = f"{header},Account\n" + "".join(f"{row},U1\n{row},U12\n" for row in rows)
    assert "5 transactions added" in import_text(text, "--account", "u1").stdout
    assert isinstance(import_text(text, "--account", "U").exception, UsageError)
