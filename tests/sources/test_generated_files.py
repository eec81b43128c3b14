"""Files with known truth: every one is read as it is, or refused; none is silently wrong."""

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
import python_calamine

from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from tests.sources import generated_scores
from tests.sources.generated_files import KINDS, decode, generate_file, generate_files, score_files
from tests.sources.generated_files import format_report as describe
from tests.sources.generated_holdings import holdings_file
from tests.sources.generated_notation import (
    Day,
    Number,
    Row,
    choose_notation,
    format_cell,
    format_day,
    write_rows,
    write_workbook,
)
from tests.sources.generated_scores import Score, Verdict, score_file
from tests.sources.generated_truth import GeneratedFile
from tests.sources.generated_words import LANGUAGES

FILES_PER_KIND = 120
MIN_RIGHT_SHARE_OF_PLAIN = {
    "holdings": 1.0,
    "weights": 1.0,
    "values": 1.0,
    "transactions": 0.9,
    "prices": 1.0,
}
"""Share of plain files of a kind that must be read, not just refused."""


@pytest.mark.parametrize("kind", KINDS)
def test_no_generated_file_is_silently_wrong(kind: str) -> None:
    report = score_files(kind, FILES_PER_KIND, seed=1)
    assert report.silently_wrong() == 0, describe(report, has_examples=True)


@pytest.mark.parametrize(("kind", "share"), MIN_RIGHT_SHARE_OF_PLAIN.items())
def test_plain_files_are_read(kind: str, share: float) -> None:
    report = score_files(kind, FILES_PER_KIND, seed=2, only_plain=True)
    assert sum(report.plain.values()) >= 10
    right = report.share(Verdict.RIGHT, kind, of_plain=True)
    assert right >= share, describe(report, has_examples=True)


def test_the_same_seed_gives_the_same_files() -> None:
    first, again, other = (
        [file.content for file in generate_files("all", 60, seed)] for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


def test_files_have_every_language_separator_encoding_and_row() -> None:
    traits = {trait for file in generate_files("all", 600) for trait in file.traits}
    expected = {f"language {code}" for code in LANGUAGES}
    expected |= {f"delimiter {mark!r}" for mark in (",", ";", "\t", "xlsx")}
    expected |= {f"encoding {name}" for name in ("utf-8", "utf-8-sig", "utf-16", "cp1252")}
    expected |= {f"row {kind}" for kind in ("option", "bond", "future", "crypto", "fx", "foreign")}
    expected |= {f"layout {name}" for name in ("long", "wide", "single", "yfinance", "stooq")}
    expected |= {"title line", "total line", "footer", "cash line", "split", "short position"}
    assert expected <= traits


@pytest.mark.parametrize("number", range(20))
def test_delimited_text_has_the_cells_that_were_written(number: int) -> None:
    rows: list[Row] = [["a;b,c", 'q"q'], [Number(Decimal("-1234.50"), True), Day(date(2024, 2, 3))]]
    languages = list(LANGUAGES.values())
    notation = choose_notation(Random(number), languages[number % 7], is_plain=False)
    content = write_rows(rows, notation)
    if notation.delimiter == "xlsx":
        assert content.startswith(b"PK")
        return
    lines = csv.reader(io.StringIO(decode(content)), delimiter=notation.delimiter)
    written = [[format_cell(cell, notation) for cell in row] for row in rows]
    assert [line[:2] for line in lines] == written


def test_a_workbook_has_typed_cells() -> None:
    content = write_workbook([["é & <", Number(Decimal("-1.50")), Day(date(2024, 12, 6))]])
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.get_sheet_by_index(0).to_python() == [["é & <", -1.5, date(2024, 12, 6)]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("iso", "2024-12-06"),
        ("mdy", "12/06/2024"),
        ("short", "12/6/24"),
        ("dotted", "06.12.2024"),
        ("month", "06-Dec-2024"),
        ("serial", "45632"),  # as Excel for Windows counts
    ],
)
def test_a_date_in_each_notation(name: str, text: str) -> None:
    assert format_day(date(2024, 12, 6), name, LANGUAGES["en"].months) == text


def _plain_file() -> GeneratedFile:
    """Return a plain file of holdings with a cash line and entry prices."""
    files = (holdings_file(Random(n), is_plain=True) for n in range(100))
    return next(f for f in files if f.truth.cash and f.truth.entry_prices and f.truth.value)


Change = Callable[[HoldingsFile], HoldingsFile]


def _change_rows(column: str, factor: float) -> Change:
    def change(parsed: HoldingsFile) -> HoldingsFile:
        for account in parsed.accounts:
            account.holdings.rows.loc[0, column] *= factor
        return parsed

    return change


def _drop_row(parsed: HoldingsFile) -> HoldingsFile:
    accounts = [
        account._replace(
            holdings=account.holdings._replace(rows=account.holdings.rows.iloc[1:])
        )
        for account in parsed.accounts
    ]  # fmt: skip
    return parsed._replace(accounts=accounts)


def _change_account(**facts: float) -> Change:
    return lambda parsed: parsed._replace(
        accounts=[account._replace(**facts) for account in parsed.accounts]
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_change_rows("quantity", 1000), "wrong quantity"),
        (_change_rows("quantity", -1), "wrong quantity"),
        (_change_rows("entry_price", 1.01), "wrong entry price"),
        (_change_rows("entry_price", float("nan")), "entry price lost"),
        (_drop_row, "position lost"),
        (_change_account(cash=1.0), "wrong cash"),
        (_change_account(value=1.0), "wrong value"),
    ],
)
def test_a_planted_error_of_holdings_is_found(
    change: Change, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _plain_file()
    assert score_file(file, tmp_path).verdict is Verdict.RIGHT
    monkeypatch.setattr(generated_scores, "read_holdings", lambda path: change(read_holdings(path)))
    score = score_file(file, tmp_path)
    assert score.verdict is Verdict.WRONG
    assert code in _codes(score)


@pytest.mark.parametrize(
    ("column", "factor", "code"), [("close", 10, "wrong close"), ("volume", 1000, "wrong volume")]
)
def test_a_planted_error_of_prices_is_found(
    column: str, factor: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = (generate_file("prices", number) for number in range(200))
    file = next(f for f in files if f.is_plain and "volume" in f.headers)
    read = generated_scores.read_prices

    def read_wrong(path: Path) -> object:
        parsed = read(path)
        parsed.rows[column] *= factor
        return parsed

    assert score_file(file, tmp_path).verdict is Verdict.RIGHT
    monkeypatch.setattr(generated_scores, "read_prices", read_wrong)
    assert code in _codes(score_file(file, tmp_path))


def _codes(score: Score) -> set[str]:
    return {difference.code for difference in score.differences}
