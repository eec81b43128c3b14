"""The comparison of stored values detects one bit, and ignores columns that vary per run."""

from pathlib import Path

import pytest

from benchmarks import stored_values

HEADER = "portfolio,portfolio_id,day,beta,undefined_reason,created_at\n"


def folder(path: Path, *rows: str, header: str = HEADER, table: str = "portfolio_betas") -> Path:
    (path / "sample").mkdir(parents=True)
    (path / "sample" / f"{table}.csv").write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def test_ids_times_order_and_wording_do_not_count(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", "A,1,2022-12-28,0.1,,09:00", "B,2,2022-12-28,,90 needed,09:00")
    new = folder(tmp_path / "new", "B,3,2022-12-28,,60 of 90,10:00", "A,4,2022-12-28,0.1,,10:00")
    assert stored_values.differences(old, new, {}) == []
    assert stored_values.main(["compare", str(old), str(new)]) == 0


@pytest.mark.parametrize("changed", ["0.30000000000000004", "", "0.30"])
def test_one_bit_counts(tmp_path: Path, changed: str) -> None:
    old = folder(tmp_path / "old", "A,1,2022-12-28,0.3,,09:00")
    new = folder(tmp_path / "new", f"A,1,2022-12-28,{changed},,09:00")
    first, *rows = stored_values.differences(old, new, {})
    assert first == "sample/portfolio_betas.csv: 2 rows differ (1 old, 1 new)"
    assert len(rows) == 3  # names, and a row of each side
    assert stored_values.main(["compare", str(old), str(new)]) == 1


def test_a_reason_that_goes_counts(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", "A,1,2022-12-28,,90 needed,09:00")
    new = folder(tmp_path / "new", "A,1,2022-12-28,,,09:00")
    assert len(stored_values.differences(old, new, {})) == 4


def test_a_row_stored_twice_counts(tmp_path: Path) -> None:
    row = "A,1,2022-12-28,0.3,,09:00"
    old, new = folder(tmp_path / "old", row), folder(tmp_path / "new", row, row)
    assert stored_values.differences(old, new, {})[0].endswith(": 1 rows differ (1 old, 2 new)")


def test_renames_are_stated(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", "A,1,2022-12-28,0.3,,09:00")
    header = HEADER.replace("beta", "market_beta")
    new = folder(
        tmp_path / "new", "A,1,2022-12-28,0.3,,09:00", header=header, table="portfolio_market_betas"
    )
    renamed = {"portfolio_betas": "portfolio_market_betas", "beta": "market_beta"}
    assert stored_values.differences(old, new, renamed) == []
    assert len(stored_values.differences(old, new, {})) == 2  # each table is missing on one side


def test_nothing_to_compare_is_a_difference(tmp_path: Path) -> None:
    assert len(stored_values.differences(tmp_path, tmp_path, {})) == 1
