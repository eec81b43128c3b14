"""`riskmetrics export`: every value in the files equals the stored one."""

import csv
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from riskmetrics.db import result_tables, tables
from riskmetrics.errors import UsageError
from tests.db.small_results import FIRST_DAY, FORMULA_NAME, GROWTH, SECOND_DAY, store_small_results

TABLES = {result.table.name for result in result_tables.list_result_tables()}


@pytest.fixture(autouse=True)
def filled(engine: sa.Engine) -> sa.Engine:
    """Store a row of every kind for two portfolios and two days."""
    with engine.begin() as connection:
        store_small_results(connection)
    return engine


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_session_becomes_a_csv_file_per_table(call, tmp_path: Path) -> None:
    result = call("export", "out/deep", "--date", f"{SECOND_DAY}", "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert {row["table"] for row in printed} == TABLES
    assert {path.name for path in (tmp_path / "out/deep").iterdir()} == {
        f"{name}.csv" for name in TABLES
    }
    for row in printed:
        assert (
            row["rows"]
            == len(_csv(tmp_path / row["file"]))
            == (1 if row["table"].startswith("symbol_") else 2)
        )
    beta = next(
        row
        for row in _csv(tmp_path / "out/deep/position_market_betas.csv")
        if row["portfolio"] == GROWTH
    )
    assert (beta["symbol"], beta["calc_date"], beta["beta"], beta["p_value"]) == (
        "AAPL",
        "2022-12-28",
        "2.000000",
        "",
    )
    assert beta["created_at"].endswith("+00")
    snapshot = _csv(tmp_path / "out/deep/portfolio_snapshots.csv")[0]
    assert (snapshot["total_value"], snapshot["daily_pnl"]) == ("1500.00", "")


def test_text_in_csv_cannot_become_a_formula_and_numbers_stay_numbers(call, tmp_path: Path) -> None:
    assert call("export", "out").exit_code == 0
    rates = _csv(tmp_path / "out/position_interest_rate_betas.csv")
    assert [row["portfolio"] for row in rates] == [f"'{FORMULA_NAME}", GROWTH]
    assert {row["ir_beta"] for row in rates} == {"-0.000001"}
    assert {row["reason"] for row in _csv(tmp_path / "out/undefined_metrics.csv")} == {
        "'-1 left, ü"
    }


def test_parquet_has_the_types_and_the_text_of_the_tables(call, tmp_path: Path) -> None:
    result = call(
        "export", "out", "--date", f"{FIRST_DAY}", "--to", f"{SECOND_DAY}", "--format", "parquet"
    )
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"{name}.parquet" for name in TABLES
    }
    rows = pq.read_table(tmp_path / "out/position_market_betas.parquet").to_pylist()
    assert [(row["calc_date"], row["portfolio"], row["beta"]) for row in rows] == [
        (day, name, Decimal(beta))
        for day, beta in ((FIRST_DAY, "1.000000"), (SECOND_DAY, "2.000000"))
        for name in (FORMULA_NAME, GROWTH)
    ]
    snapshots = pq.read_table(tmp_path / "out/portfolio_snapshots.parquet").to_pylist()
    assert {(row["snapshot_date"], row["total_value"], row["hhi"]) for row in snapshots} == {
        (date(2022, 12, 27), Decimal("1000.10"), None),
        (date(2022, 12, 28), Decimal("1500.00"), None),
    }


def test_a_table_without_rows_has_its_header_in_both_kinds(
    call, tmp_path: Path, filled: sa.Engine
) -> None:
    with filled.begin() as connection:
        connection.execute(sa.delete(tables.position_volatility))
    for form in ("csv", "parquet"):
        assert call("export", "out", "--format", form).exit_code == 0
    header = (tmp_path / "out/position_volatility.csv").read_text().splitlines()
    assert header == [",".join(["portfolio", "symbol", *tables.position_volatility.c.keys()])]
    assert pq.read_schema(tmp_path / "out/position_volatility.parquet").names == header[0].split(
        ","
    )


def test_files_are_replaced_only_by_force(call, tmp_path: Path) -> None:
    (tmp_path / "portfolio_snapshots.csv").write_text("mine")
    refused = call("export", ".")
    assert isinstance(refused.exception, UsageError)
    assert "already contains portfolio_snapshots.csv" in str(refused.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["portfolio_snapshots.csv"]
    assert call("export", ".", "--force").exit_code == 0
    assert re.search(
        r"already contains \S+, \S+, \S+ and \d\d more:", str(call("export", ".").exception)
    )
    assert len(_csv(tmp_path / "portfolio_snapshots.csv")) == 2


def test_an_empty_day_leaves_no_file_and_exits_1(call, tmp_path: Path) -> None:
    result = call("export", "out", "--date", "2022-12-23")
    assert result.exit_code == 1
    assert "no results are stored from 2022-12-23" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_reversed_range_and_a_folder_that_is_a_file_are_refused(call, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for arguments, sentence in (
        (("out", "--date", f"{SECOND_DAY}", "--to", f"{FIRST_DAY}"), "the range is reversed"),
        (("file",), "cannot write file: File exists"),
        (("file/out",), "cannot write file/out: Not a directory"),
    ):
        result = call("export", *arguments)
        assert isinstance(result.exception, UsageError), result.output
        assert sentence in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
