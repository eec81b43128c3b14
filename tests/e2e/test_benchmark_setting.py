"""The benchmark is a setting stored in the database, and every comparison follows it."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import Result

from riskmetrics import gics
from riskmetrics.db import input_writes
from riskmetrics.errors import ConfigurationError, UsageError
from riskmetrics.settings import load
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import Run, list_differences, query_frame, recalculate_explanations

DAY = date(2022, 12, 28)


def call(*arguments: str) -> Result:
    return invoke(*arguments)


@pytest.fixture
def world(sample: str, tmp_path: Path) -> str:
    """Import a second benchmark, half of it Energy and the rest in equal parts."""
    others = [sector for sector in gics.SECTORS if sector != "Energy"]
    weights = {"Energy": 0.5} | dict.fromkeys(others, 0.5 / len(others))
    lines = [f"2022-11-30,{sector},{weight}" for sector, weight in weights.items()]
    file = tmp_path / "world.csv"
    file.write_text("date,sector,weight\n" + "\n".join(lines) + "\n")
    result = call("import", "benchmark", str(file), "--code", "world")
    assert result.exit_code == 0, result.output
    assert "results use the benchmark SP500" in result.stderr
    assert "riskmetrics db setting benchmark WORLD" in result.stderr
    return sample


def test_everything_follows_the_benchmark_that_is_kept_with_the_database(
    world: str, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("db", "setting", "benchmark", " world ").stdout == "WORLD\n"
    assert json.loads(call("status", "--json").stdout)["benchmark"] == "WORLD"
    doctor = json.loads(call("doctor", "--json").stdout)
    texts = [finding["finding"] for finding in doctor if "sector weights of" in str(finding)]
    assert [text for text in texts if "WORLD as of 2022-11-30" in text]
    outcome = run([DAY])
    assert outcome.exit_code == 0
    assert "SP500" not in capsys.readouterr().err
    rows = json.loads(call("show", "sectors", "--json").stdout)
    assert {row["benchmark_code"] for row in rows} == {"WORLD"}
    assert {row["benchmark_asof"] for row in rows} == {"2022-11-30"}
    for row in rows:
        no_sectors = {"Fund, not looked through": 0, "Unclassified": 0}
        expected = {"Energy": 0.5, **no_sectors}.get(row["sector"], 0.05)
        assert row["benchmark_weight"] == pytest.approx(expected, abs=1e-6)
        if row["sector"] != "Fund, not looked through":
            assert row["active_weight"] == pytest.approx(row["net_weight"] - expected, abs=1e-6)
    evaluations = {of.check_name: of for of in outcome.result.get_asset_check_evaluations()}
    assert (
        evaluations["benchmark_complete"].description
        == "WORLD of 2022-11-30 has 11 of 11 sectors, which sum to 1.0000"
    )
    facts = query_frame(
        world,
        "SELECT context_data::text AS facts FROM ai_insights WHERE insight_type ="
        " 'concentration_risk'",
    )["facts"]
    assert len(facts) == 3
    assert all('"Energy"' in text and "50.0%" in text for text in facts)
    assert call("report", "--out", str(tmp_path / "page.html")).exit_code == 0
    page = (tmp_path / "page.html").read_text()
    assert page.count("WORLD weights of 2022-11-30") == 3
    assert "SP500" not in page
    # a row says what it was compared with, and is explained by that, whatever is set now
    assert call("db", "setting", "benchmark", "SP500").stdout == "SP500\n"
    explanations = recalculate_explanations(world, DAY, ["Concentrated"])
    assert {"WORLD"} == {of.stored for of in explanations if of.figure.column == "benchmark_code"}
    assert list_differences(explanations) == []


def test_the_environment_goes_before_what_is_kept_and_a_benchmark_without_weights_is_named(
    world: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("db", "setting", "benchmark", "WORLD").exit_code == 0
    monkeypatch.setenv("RISKMETRICS_BENCHMARK", "none-such")
    assert call("db", "setting", "benchmark").stdout == "NONE-SUCH\n"
    assert (
        run([DAY], ["benchmark_weights", "portfolio_values", "sector_concentration"]).exit_code == 0
    )
    error = capsys.readouterr().err
    assert f"no sector weights of NONE-SUCH are stored up to {DAY}" in error
    assert "`riskmetrics import benchmark FILE --code NONE-SUCH`" in error
    rows = query_frame(
        world, "SELECT benchmark_weight, active_weight FROM portfolio_sector_weights"
    )
    assert rows.isna().all(axis=None)


def test_a_file_without_a_code_is_of_the_benchmark_in_use(sample: str, tmp_path: Path) -> None:
    assert call("db", "setting", "benchmark", "WORLD").exit_code == 0
    file = tmp_path / "weights.csv"
    file.write_text("date,sector,weight\n2022-11-30,Energy,1\n")
    result = call("import", "benchmark", str(file))
    assert (result.exit_code, result.stderr) == (0, "")
    with open_connection(sample) as connection:
        query = (
            "SELECT benchmark_code FROM benchmarks_sector_weights WHERE asof_date = '2022-11-30'"
        )
        assert connection.scalars(sa.text(query)).all() == ["WORLD"]


@pytest.mark.parametrize("code", ["", "a b", "é", "x" * 33, "-x", "A;DROP"])
def test_what_is_no_code_is_refused_at_every_door(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    refused = call("db", "setting", "benchmark", "--", code)
    assert isinstance(refused.exception, UsageError)
    assert "is not a benchmark code" in str(refused.exception)
    if code:
        file = tmp_path / "weights.csv"
        file.write_text("date,sector,weight\n2022-11-30,Energy,1\n")
        refused = call("import", "benchmark", str(file), f"--code={code}")
        assert isinstance(refused.exception, UsageError)
        monkeypatch.setenv("RISKMETRICS_BENCHMARK", code)
        with pytest.raises(ConfigurationError, match="RISKMETRICS_BENCHMARK"):
            load()


def test_a_code_of_the_greatest_length_is_one(sample: str) -> None:
    assert call("db", "setting", "benchmark", "x" * 32).stdout == "X" * 32 + "\n"


@pytest.mark.parametrize(
    ("energy", "n_sectors", "passes"),
    [
        (0.505, 11, True),
        (0.495, 11, True),
        (0.505001, 11, False),
        (0.494999, 11, False),
        (0.5, 10, False),
    ],
)
def test_a_benchmark_is_complete_with_all_sectors_and_a_sum_within_half_a_per_cent(
    sample: str, run: Run, energy: float, n_sectors: int, passes: bool
) -> None:
    others = [sector for sector in gics.SECTORS if sector != "Energy"][: n_sectors - 1]
    with open_connection(sample) as connection:
        weights = {"Energy": energy} | dict.fromkeys(others, 0.5 / len(others))
        rows = pd.DataFrame(
            {"date": DAY, "sector": list(weights), "weight": list(weights.values())}
        )
        input_writes.store_benchmark_weights(connection, rows, "SP500", "test")
    outcome = run([DAY], ["benchmark_weights"])
    (check,) = [
        of
        for of in outcome.result.get_asset_check_evaluations()
        if of.check_name == "benchmark_complete"
    ]
    assert check.passed == passes


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("mtum", "holdings of MTUM are divided into these sectors; the benchmark stays SP500"),
        ("XLK", "holdings of XLK are divided into these sectors; the benchmark stays SP500"),
        ("SPY", "SPY tracks SP500: its holdings are divided by the sector weights of SP500"),
        ("AAPL", "results use the benchmark SP500; switch with riskmetrics db setting benchmark"),
        ("HELD", "holdings of HELD are divided into these sectors; the benchmark stays SP500"),
    ],
)
def test_weights_of_a_fund_are_for_its_holdings_and_not_another_benchmark(
    sample: str, tmp_path: Path, code: str, note: str
) -> None:
    """MTUM is a fund by its profile, XLK and SPY are well known, HELD has no profile."""
    file = tmp_path / "weights.csv"
    file.write_text("date,sector,weight\n2022-11-30,Energy,1\n")
    with open_connection(sample) as connection:
        connection.execute(sa.text("UPDATE positions SET symbol = 'HELD' WHERE symbol = 'GE'"))
    result = call("import", "benchmark", str(file), "--code", code)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith(f"note: {note}")
