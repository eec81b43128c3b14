"""`riskmetrics import transactions`: lots in Postgres, repeated imports, corrections, refusals."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables, transactions
from riskmetrics.errors import DataQualityError, UsageError
from tests.conftest import open_connection
from tests.transactions.random_years import generate_year, match_by_intervals

HISTORY = """\
Date,Type,Symbol,Quantity,Price,Fees,Amount
2024-01-02,Deposit,,,,,10000.00
2024-01-03,Buy,KO,100,60,1,-6001.00
2024-02-05,Sell,KO,40,61,1,2439.00
2024-03-04,Dividend,KO,,,,29.10
2024-03-05,Buy,PG,10,150,0,-1500.00
"""


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Return a small history."""
    path = tmp_path / "history.csv"
    path.write_text(HISTORY)
    return path


def lots(url: str) -> list[tuple[object, ...]]:
    """Return the lots that are not deleted."""
    table = tables.positions
    names = ("symbol", "quantity", "entry_date", "entry_price", "exit_date", "exit_price")
    query = sa.select(*(table.c[name] for name in names)).where(table.c.deleted_at.is_(None))
    with open_connection(url) as connection:
        rows = connection.execute(query.order_by(table.c.symbol, table.c.exit_date)).all()
    return [
        tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in rows
    ]


KO_AND_PG = [
    ("KO", 40.0, date(2024, 1, 3), 60.01, date(2024, 2, 5), 60.975),
    ("KO", 60.0, date(2024, 1, 3), 60.01, None, None),
    ("PG", 10.0, date(2024, 3, 5), 150.0, None, None),
]


def test_lots_and_cash_follow_and_a_second_import_changes_nothing(
    call, history: Path, database: str
) -> None:
    first = call("import", "transactions", str(history), "--portfolio", "Mine")
    assert first.exit_code == 0, first.stderr
    assert "5 transactions added, 0 corrected, 0 unchanged" in first.stdout
    assert "3 lots added, 0 removed, 0 changed; cash 4,967.10" in first.stdout
    assert lots(database) == KO_AND_PG
    again = call("import", "transactions", str(history), "--portfolio", "Mine")
    assert "0 transactions added, 0 corrected, 5 unchanged" in again.stdout
    assert "0 lots added, 0 removed, 0 changed" in again.stdout
    assert lots(database) == KO_AND_PG


def test_a_dry_run_shows_what_results_and_stores_nothing(
    call, history: Path, database: str
) -> None:
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine", "--dry-run")
    printed = call(*arguments).stdout
    assert "(dry run)" in printed
    rows = [line.split() for line in printed.splitlines()]
    assert [(row[0], float(row[1]), row[2]) for row in rows if row and row[0] in ("KO", "PG")] == [
        ("KO", 60, "2024-01-03"),
        ("PG", 10, "2024-03-05"),
    ]
    shown = json.loads(call(*arguments, "--json").stdout)
    assert (shown["kind"], shown["cash"]) == ("transactions", "4967.1000")
    assert shown["holdings"] == {"KO": "60", "PG": "10"}
    assert lots(database) == []
    assert "Mine" not in call("portfolio", "list").stdout


def test_a_corrected_line_replaces_the_stored_one_if_the_user_says_so(
    call, history: Path, database: str
) -> None:
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine")
    call(*arguments)
    history.write_text(HISTORY.replace("10,150,0,-1500.00", "12,150,0,-1800.00"))
    refused = call(*arguments)
    assert isinstance(refused.exception, UsageError)
    assert "2024-03-05 buy 10 PG, −1,500.00" in str(refused.exception)
    assert lots(database) == KO_AND_PG
    replaced = call(*arguments, "--replace")
    assert "1 transaction added, 0 corrected, 4 unchanged, 1 removed" in replaced.stdout
    assert lots(database) == [*KO_AND_PG[:2], ("PG", 12.0, date(2024, 3, 5), 150.0, None, None)]


def test_another_part_of_the_history_is_added(call, history: Path, database: str) -> None:
    call("import", "transactions", str(history), "--portfolio", "Mine")
    history.write_text("Date,Type,Amount\n2024-01-31,Interest,1.25\n2024-02-29,Fee,-3.00\n")
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine")
    assert "--add" in str(call(*arguments).exception)
    assert "2 transactions added" in call(*arguments, "--add").stdout
    assert lots(database) == KO_AND_PG


def test_a_lot_that_is_sold_later_keeps_its_row(call, history: Path, database: str) -> None:
    def ids() -> list[object]:
        table = tables.positions
        query = sa.select(table.c.id).where(table.c.symbol == "PG", table.c.deleted_at.is_(None))
        with open_connection(database) as connection:
            return list(connection.scalars(query))

    arguments = ("import", "transactions", str(history), "--portfolio", "Mine")
    call(*arguments)
    before = ids()
    history.write_text(HISTORY + "2024-04-02,Sell,PG,10,160,0,1600.00\n")
    assert "0 lots added, 0 removed, 1 changed" in call(*arguments).stdout
    assert ids() == before
    assert lots(database)[2][4:] == (date(2024, 4, 2), 160.0)


def test_by_the_id_of_a_broker_a_correction_needs_no_decision(
    call, history: Path, database: str
) -> None:
    header, *rows = HISTORY.splitlines()
    text = "\n".join([f"{header},Transaction ID", *(f"{row},T{n}" for n, row in enumerate(rows))])
    history.write_text(text)
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine")
    call(*arguments)
    history.write_text(text.replace("10,150,0,-1500.00", "12,150,0,-1800.00"))
    assert "0 transactions added, 1 corrected, 4 unchanged" in call(*arguments).stdout
    assert lots(database)[2][1] == 12.0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2024-04-02,Sell,PG,11,150,0,1650.00", "but 10 are held on 2024-04-02"),
        ("2024-04-02,Vesting,PG,11,150,0,1650.00", "unknown kind 'Vesting'"),
        (",Sell,PG,1,150,0,150.00", "no date"),
        ("2024-04-02,Sell,PG,1,150,0,15.00", "is not quantity"),
        ("2024-04-02,Sell,PG,one,150,0,150.00", "quantity 'one' is not a number"),
        ("2024-04-02,Sell,PG,,150,0,150.00", "sell without a quantity"),
        ("2024-04-02,Buy,PG,1,150,0,150.00", "opposite of a buy"),
        ("2024-04-02,Cancel buy,PG,1,150,0,150.00", "cancels another line"),
        ("2024-04-02,Split,PG,,,,", "split without a ratio or added shares"),
        ("2024-04-02,Dividend,PG,,,,", "dividend without an amount"),
    ],
)
def test_a_line_that_cannot_be_applied_refuses_the_whole_file(
    call, history: Path, database: str, line: str, reason: str
) -> None:
    history.write_text(HISTORY + line + "\n")
    result = call("import", "transactions", str(history), "--portfolio", "Mine")
    assert isinstance(result.exception, DataQualityError)
    assert "nothing was stored" in str(result.exception)
    assert f"rejected, line 7: {reason}" in result.stderr or reason in result.stderr
    assert lots(database) == []
    with open_connection(database) as connection:
        (stored,) = connection.execute(sa.select(tables.rejected_rows)).mappings()
    assert (stored["kind"], stored["line"]) == ("transactions", 7)
    assert reason in stored["reason"]


def test_a_line_without_quantity_and_amount_changes_nothing(call, history: Path) -> None:
    history.write_text(HISTORY + "2024-04-02,Proxy vote,PG,,,,\n")
    result = call("import", "transactions", str(history), "--portfolio", "Mine")
    assert result.exit_code == 0
    assert "skipped, 1 line: no quantity and no amount: Proxy vote" in result.stderr


def test_what_is_left_out_takes_its_cash_along(call, history: Path) -> None:
    history.write_text(HISTORY.replace(",PG,10", ",GERMAN BOND,10"))
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine", "--json")
    result = call(*arguments, "--dry-run")
    assert isinstance(result.exception, DataQualityError)
    assert "--map 'GERMAN BOND=SYMBOL'" in result.stderr
    shown = json.loads(call(*arguments, "--leave-out", "german bond").stdout)
    assert (shown["holdings"], shown["cash"]) == ({"KO": "60"}, "4967.1000")


def test_without_a_deposit_the_cash_is_unknown_and_said_to_be(call, history: Path) -> None:
    history.write_text(HISTORY.replace("2024-01-02,Deposit,,,,,10000.00\n", ""))
    result = call("import", "transactions", str(history), "--portfolio", "Mine")
    assert "cash is unknown" in result.stderr
    assert "cash" not in result.stdout


def test_cash_below_zero_is_said(call, history: Path) -> None:
    history.write_text(HISTORY.replace("10000.00", "5000.00"))
    result = call("import", "transactions", str(history), "--portfolio", "Mine")
    assert "cash is −1,001.00 on 2024-01-03" in result.stderr


def test_a_missing_split_shows_in_the_stored_closes(call, history: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("symbol,date,close\nKO,2024-01-03,15.1\nKO,2024-02-05,15.2\n")
    assert call("import", "prices", str(prices)).exit_code == 0
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine")
    result = call(*arguments)
    assert "a split of 4:1 is missing" in result.stderr
    history.write_text(
        HISTORY.replace("Amount\n", "Amount,Ratio\n").replace(
            "2024-03-05", "2024-03-04,Split,KO,,,,,4:1\n2024-03-05"
        )
    )
    result = call(*arguments, "--json")
    assert json.loads(result.stdout)["holdings"] == {"KO": "240", "PG": "10"}


SPLIT_HISTORY = """\
Date,Type,Symbol,Quantity,Price,Amount,Ratio
2024-01-02,Deposit,,,,10000.00,
2024-01-03,Buy,KO,20,100,-2000.00,
{lines}2024-03-05,Sell,KO,20,26,520.00,
"""
SPLIT, REVERSE = "2024-02-05,Split,KO,,,,4:1\n", "2024-02-20,Split,KO,,,,1:4\n"


@pytest.fixture
def unadjusted(call, tmp_path: Path) -> None:
    """Store closes that fall by a 4:1 split with a move of 4 % on 2024-02-05."""
    closes = {"2024-01-03": 100, "2024-02-02": 100, "2024-02-05": 26, "2024-03-05": 26}
    prices = tmp_path / "prices.csv"
    rows = [f"KO,{day},{close}" for day, close in closes.items()]
    prices.write_text("\n".join(["symbol,date,close", *rows, ""]))
    assert call("import", "prices", str(prices)).exit_code == 0


@pytest.mark.parametrize("lines", [SPLIT, SPLIT + REVERSE, SPLIT.replace("02-05", "02-07")])
@pytest.mark.usefixtures("unadjusted")
def test_a_stated_split_that_stored_closes_make_is_to_be_recorded_for_the_prices(
    call, history: Path, lines: str
) -> None:
    history.write_text(SPLIT_HISTORY.format(lines=lines))
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine")
    refused = call(*arguments)
    assert isinstance(refused.exception, DataQualityError)
    assert "not adjusted for its split of 4:1: they move by it on 2024-02-05" in refused.stderr
    assert "riskmetrics prices split KO 2024-02-05 4:1" in refused.stderr
    assert "is missing" not in refused.stderr
    assert call("prices", "split", "KO", "2024-02-05", "4:1").exit_code == 0
    result = call(*arguments, "--json")
    if REVERSE in lines:
        assert "they agree without the stated split of 1:4 on 2024-02-20" in result.stderr
        assert isinstance(result.exception, DataQualityError)
    else:
        assert json.loads(result.stdout)["holdings"] == {"KO": "60"}


@pytest.mark.usefixtures("unadjusted")
def test_lots_over_a_suspected_split_that_no_line_states_are_a_warning(call, history: Path) -> None:
    history.write_text(SPLIT_HISTORY.format(lines=""))
    arguments = ("import", "transactions", str(history), "--portfolio", "Mine")
    result = call(*arguments)
    assert result.exit_code == 0
    assert "KO is held over a suspected split of 4:1 on 2024-02-05" in result.stderr
    assert call("prices", "accept", "KO", "2024-02-05").exit_code == 0
    assert "suspected split" not in call(*arguments).stderr


def test_statements_and_transactions_do_not_mix(call, history: Path, tmp_path: Path) -> None:
    statement = tmp_path / "positions.csv"
    statement.write_text("symbol,quantity\nKO,60\n")
    stated = ("import", "portfolio", str(statement), "--as-of", "2024-03-06")
    assert call(*stated, "--name", "Stated").exit_code == 0
    refused = call("import", "transactions", str(history), "--portfolio", "Stated")
    assert "come from statements" in str(refused.exception)
    call("import", "transactions", str(history), "--portfolio", "Mine")
    checked = call(*stated, "--name", "Mine")
    assert checked.exit_code == 0
    assert "PG: 10 by transactions, 0 in the file" in checked.stderr
    assert "1 difference" in checked.stdout
    statement.write_text("symbol,quantity\nKO,60\nPG,10\n")
    assert "holdings agree with its transactions" in call(*stated, "--name", "Mine").stdout


def test_cash_of_transactions_replaces_the_equity_of_a_statement_without_holdings(
    call, history: Path, tmp_path: Path
) -> None:
    statement = tmp_path / "positions.csv"
    statement.write_text("symbol,quantity\n")
    options = ("--name", "Mine", "--as-of", "2024-01-02", "--allow-empty", "--equity", "777")
    assert call("import", "portfolio", str(statement), *options).exit_code == 0
    assert json.loads(call("portfolio", "list", "--json").stdout)[0]["equity_balance"] == 777
    call("import", "transactions", str(history), "--portfolio", "Mine")
    (listed,) = json.loads(call("portfolio", "list", "--json").stdout)
    assert (listed["equity_balance"], listed["equity_as_of"]) == (None, None)


def test_a_statement_of_an_earlier_day_is_compared_with_that_day(
    call, history: Path, tmp_path: Path
) -> None:
    call("import", "transactions", str(history), "--portfolio", "Mine")
    statement = tmp_path / "positions.csv"
    statement.write_text("symbol,quantity\nKO,100\n")
    stated = ("import", "portfolio", str(statement), "--as-of", "2024-02-02", "--name", "Mine")
    assert "agree" in call(*stated).stdout


@pytest.mark.parametrize("seed", [11, 12])
def test_a_generated_year_is_stored_exactly(call, tmp_path: Path, database: str, seed: int) -> None:
    year = generate_year(seed)
    lines = ["Date,Kind,Symbol,Quantity,Amount,Ratio"]
    for one in year:
        kind = one.kind.value.replace("_", " ")
        amount = f"{one.amount:f}" if one.amount else ""
        quantity = f"{one.quantity:f}" if one.quantity else ""
        ratio = f"{one.ratio.numerator}:{one.ratio.denominator}" if one.ratio else ""
        lines.append(f"{one.day},{kind},{one.symbol or ''},{quantity},{amount},{ratio}")
    file = tmp_path / "year.csv"
    file.write_text("\n".join(lines) + "\n")
    result = call("import", "transactions", str(file), "--portfolio", "Year")
    assert result.exit_code == 0, result.stderr
    found: Counter[tuple[object, ...]] = Counter()
    for symbol, quantity, entry, entry_price, exit_date, exit_price in lots(database):
        prices = (
            round(price, 4) if price is not None else None for price in (entry_price, exit_price)
        )
        found[symbol, entry, exit_date, *prices] += round(quantity * 10**6)
    expected: Counter[tuple[object, ...]] = Counter()
    for symbol, quantity, entry, entry_price, exit_date, exit_price in match_by_intervals(year):
        prices = (
            None if price is None else round(float(round(price * 10_000)) / 10_000, 4)
            for price in (entry_price, exit_price)
        )
        expected[symbol, entry, exit_date, *prices] += round(quantity * 10**6)
    assert {key: pytest.approx(units, abs=10) for key, units in expected.items()} == dict(found)
    with open_connection(database) as connection:
        flows = transactions.read_cash_flows(connection)
    assert round(flows["amount"].sum(), 4) == float(sum(one.amount for one in year))
    assert f"cash {sum(one.amount for one in year):,.2f}" in result.stdout
