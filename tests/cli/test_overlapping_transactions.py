"""Overlapping files of one history, in any order, leave what a single file leaves."""

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.transactions.model import Transaction
from tests.cli.conftest import Call
from tests.conftest import open_connection
from tests.transactions.random_years import generate_year

HEADER = "Date,Kind,Symbol,Quantity,Amount,Ratio,Transaction ID"


def write_line(one: Transaction, reference: str = "") -> str:
    """Return a transaction as a line of a table."""
    kind = one.kind.value.replace("_", " ")
    amount = f"{one.amount:f}" if one.amount else ""
    quantity = f"{one.quantity:f}" if one.quantity else ""
    ratio = f"{one.ratio.numerator}:{one.ratio.denominator}" if one.ratio else ""
    return f"{one.day},{kind},{one.symbol or ''},{quantity},{amount},{ratio},{reference}"


def stored(url: str, portfolio: str) -> tuple[Counter, Counter]:
    """Return the lots and the transactions of a portfolio."""
    lots, rows, names = tables.positions, tables.transactions, tables.portfolios
    lot_names = ("symbol", "quantity", "entry_date", "entry_price", "exit_date", "exit_price")
    row_names = ("day", "kind", "symbol", "quantity", "amount")
    counts = []
    with open_connection(url) as connection:
        for table, columns, condition in (
            (lots, lot_names, lots.c.deleted_at.is_(None)),
            (rows, row_names, sa.true()),
        ):
            query = (
                sa.select(*(table.c[name] for name in columns))
                .join(names, names.c.id == table.c.portfolio_id)
                .where(names.c.name == portfolio, condition)
            )
            counts.append(Counter(map(tuple, connection.execute(query))))
    return counts[0], counts[1]


class Importer:
    """Imports texts into portfolios."""

    def __init__(self, call, folder: Path) -> None:
        self._call, self._folder = call, folder

    def __call__(self, portfolio: str, lines: list[str], *options: str):
        """Import a table of these lines."""
        path = self._folder / "file.csv"
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        return self._call("import", "transactions", str(path), "--portfolio", portfolio, *options)

    def in_any_order(self, portfolio: str, files: list[list[str]], *options: str) -> None:
        """Import files; one that is refused for sales of what is not held yet comes again later."""
        waiting = list(files)
        while waiting:
            refused = [lines for lines in waiting if self(portfolio, lines, *options).exit_code]
            assert len(refused) < len(waiting)
            waiting = refused


@pytest.fixture
def load(call, tmp_path: Path) -> Importer:
    """Return an importer of texts."""
    return Importer(call, tmp_path)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_year_in_overlapping_files_is_the_year(load: Importer, database: str, seed: int) -> None:
    """Each file has the days of a period; some have ids, and all overlap."""
    random, year = Random(seed), generate_year(seed)
    load("Whole", [write_line(one) for one in year])
    days = sorted({one.day for one in year})
    cuts = sorted(random.sample(range(1, len(days)), 4))
    starts, ends = [0, *cuts], [*cuts, len(days)]
    files = []
    for start, end in zip(starts, ends, strict=True):
        first, last = max(start - random.randint(1, 60), 0), min(end + 40, len(days))
        has_ids = random.random() < 0.5
        files.append(
            [
                write_line(one, f"T{place}" if has_ids else "")
                for place, one in enumerate(year)
                if days[first] <= one.day <= days[last - 1]
            ]
        )
    random.shuffle(files)
    load.in_any_order("Parts", files)
    assert stored(database, "Parts") == stored(database, "Whole")
    load.in_any_order("Parts", random.sample(files, len(files)))
    assert stored(database, "Parts") == stored(database, "Whole")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_sale_of_a_day_may_be_in_another_file_than_its_purchases(
    load: Importer, database: str, order: tuple[int, int]
) -> None:
    bought = [
        "2024-03-04,Deposit,,,9000.00,,",
        "2024-03-05,Buy,KO,10,-600.00,,",
        "2024-03-05,Buy,KO,10,-610.00,,",
    ]
    sold = ["2024-03-05,Sell,KO,15,930.00,,"]
    load("Whole", [*bought, *sold])
    files = [bought, sold]
    load.in_any_order("Parts", [files[place] for place in order], "--add")
    assert stored(database, "Parts") == stored(database, "Whole")


def test_a_sale_before_its_purchase_names_what_is_missing(load: Importer) -> None:
    done = load("P", ["2024-03-05,Sell,KO,15,930.00,,"])
    assert isinstance(done.exception, DataQualityError)
    assert "import the earlier transactions" in done.stderr


BOTH = [
    "2024-03-04,Deposit,,,9000.00,,{}",
    "2024-03-05,Buy,KO,10,-600.00,,{}",
    "2024-03-05,Buy,KO,10,-600.00,,{}",
]
IDS = [line.format(f"T{place}") for place, line in enumerate(BOTH)]
PLAIN = [line.format("") for line in BOTH]


@pytest.mark.parametrize(
    "files",
    [
        (IDS, PLAIN),
        (PLAIN, IDS),
        (PLAIN[:2], IDS[:2], IDS[:1] + IDS[2:], PLAIN),
        (IDS[:2], PLAIN, IDS[:1] + IDS[2:]),
        (PLAIN[:2], IDS, PLAIN),
    ],
)
def test_ids_and_fingerprints_are_one_transaction(
    load: Importer, database: str, files: tuple[list[str], ...]
) -> None:
    """Two fills of one price are two transactions, whichever file states them first."""
    for lines in files:
        done = load("P", lines, "--add")
        assert done.exit_code == 0, done.stderr
    _, found = stored(database, "P")
    assert sorted(found.values()) == [1, 2]
    assert re.search("[23] transactions? of the file count once with equal ones", done.stderr) or (
        files[-1] is not PLAIN
    )
    with open_connection(database) as connection:
        has_id = connection.scalars(sa.select(tables.transactions.c.has_id)).all()
    assert has_id == [True] * 3


def test_an_equal_transaction_of_another_layout_counts_once_with_a_warning(
    call: Call, load: Importer, tmp_path: Path
) -> None:
    load("P", ["2024-03-04,Deposit,,,500.00,,", "2024-03-05,Buy,KO,10,-600.00,,"])
    file = tmp_path / "broker.csv"
    file.write_text(
        "Activity Date,Process Date,Settle Date,Instrument,Description,Trans Code,Quantity,Price,"
        "Amount\n3/5/2024,3/5/2024,3/7/2024,KO,Coca-Cola,Buy,10,$60.00,($600.00)\n"
    )
    done = call("import", "transactions", str(file), "--portfolio", "P", "--add")
    assert done.exit_code == 0, done.stderr
    assert "1 transaction of the file count once" in done.stderr
    assert "--keep-both" in done.stderr
    again = load("P", ["2024-03-04,Deposit,,,500.00,,"])
    assert "count once" not in again.stderr


def test_equal_transactions_of_two_brokers_are_kept_both_on_request(
    call: Call, load: Importer, database: str, tmp_path: Path
) -> None:
    """Importing either file again, with the option or without, changes nothing."""
    lines = ["2024-03-04,Deposit,,,900.00,,", "2024-03-05,Buy,KO,10,-600.00,,"]
    file = tmp_path / "broker.csv"
    header = "Activity Date,Process Date,Settle Date,Instrument,Description,Trans Code,Quantity,"
    file.write_text(
        f"{header}Price,Amount\n3/5/2024,3/5/2024,3/7/2024,KO,Coca-Cola,Buy,10,$60.00,($600.00)\n"
        "3/4/2024,3/4/2024,3/4/2024,,ACH Deposit,ACH,,,$900.00\n"
    )
    command = ("import", "transactions", str(file), "--portfolio", "P")
    load("P", lines)
    call(*command)  # counts once
    assert sorted(stored(database, "P")[1].values()) == [1, 1]
    for options in (["--keep-both"], ["--keep-both"], []):
        done = call(*command, *options)
        assert done.exit_code == 0, done.stderr
        assert "count once" not in done.stderr
        assert load("P", lines, "--add").exit_code == 0
        lots, transactions = stored(database, "P")
        assert sorted(transactions.values()) == [2, 2]
        assert sum(lots.values()) == 2


def test_two_brokers_with_the_same_layout_are_not_kept_both(
    call: Call, load: Importer, database: str, tmp_path: Path
) -> None:
    load("P", ["2024-03-04,Deposit,,,900.00,,", "2024-03-05,Buy,KO,10,-600.00,,"])
    file = tmp_path / "other.csv"
    file.write_text("Date,Type,Symbol,Quantity,Amount\n2024-03-04,Deposit,,,900.00\n")
    command = ("import", "transactions", str(file), "--portfolio", "P", "--add")
    done = call(*command, "--keep-both")
    assert isinstance(done.exception, UsageError)
    assert "stored ones of the same layout, table of transactions: 1. " in str(done.exception)
    assert sorted(stored(database, "P")[1].values()) == [1, 1]
    file.write_text("Date,Type,Symbol,Quantity,Amount\n2024-03-04,Deposit,,,901.00\n")
    for _ in range(2):
        assert call(*command, "--keep-both").exit_code == 0
    assert sum(stored(database, "P")[1].values()) == 3


def test_two_ids_of_one_broker_are_two_transactions(load: Importer, database: str) -> None:
    load("P", IDS[:2])
    load("P", [IDS[0], IDS[1].replace("T1", "T9")], "--add")
    assert sorted(stored(database, "P")[1].values()) == [1, 2]


def test_the_order_of_a_day_is_that_of_the_file_with_most_of_it(
    load: Importer, database: str
) -> None:
    """An export of noon has the first lines of the day; the sale takes the first purchase."""
    day = [
        "2024-03-05,Buy,KO,10,-630.00,,",
        "2024-03-05,Buy,KO,10,-600.00,,",
        "2024-03-05,Buy,KO,10,-615.00,,",
    ]
    start, sold = ["2024-03-04,Deposit,,,9000.00,,"], ["2024-03-06,Sell,KO,10,650.00,,"]
    load("Whole", [*start, *day, *sold])
    load("Parts", [*start, *day[1:]], "--add")
    load("Parts", [*start, *day], "--add")
    load("Parts", [*day[1:], *sold], "--add")
    assert stored(database, "Parts") == stored(database, "Whole")
