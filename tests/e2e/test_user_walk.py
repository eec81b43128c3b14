"""A user's first hour: files are imported, a session runs, and the results are shown."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import statsmodels.api as sm

from riskmetrics.sources import sample
from tests.commands import invoke
from tests.conftest import SHARED_DATA, needs_shared_data
from tests.forked_commands import run_forked


@pytest.fixture
def riskmetrics(tmp_path: Path, command_server: None):
    """Call the command in an empty directory; returns (exit code, stdout, stderr).

    Every call is a process that starts the embedded server of that directory and stops it.
    """
    unwanted = ("RISKMETRICS", "DAGSTER", "FMP")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not any(word in name for word in unwanted)
    }

    def call(*arguments: str) -> tuple[int, str, str]:
        done = run_forked(arguments, environment, tmp_path)
        return done.returncode, done.stdout, done.stderr

    return call


def _holdings(path: Path, rows: list[dict[str, object]]) -> str:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.mark.slow(20)
def test_a_user_imports_files_runs_a_session_and_reads_the_results(
    riskmetrics, tmp_path: Path
) -> None:
    holdings = _holdings(
        tmp_path / "mine.csv",
        [
            {"Ticker": "AAPL", "Shares": 100},
            {"Ticker": "XOM", "Shares": -50},
            {"Ticker": "JPM", "Shares": ""},
        ],
    )
    code, out, err = riskmetrics(
        "import", "portfolio", holdings, "--name", "Growth", "--equity", "25000"
    )
    assert code == 4, err
    assert "2 lots opened" in out
    assert "1 row rejected" in err
    assert "line 4" in err
    code, out, err = riskmetrics("import", "prices", str(sample.FOLDER / "prices.csv.gz"))
    assert (
        code,
        "no column of adjusted closes: the close is used, so dividends count as price falls" in err,
    ) == (0, True), err
    assert riskmetrics("import", "profiles", str(sample.FOLDER / "profiles.csv"))[0] == 0
    assert riskmetrics("import", "benchmark", str(sample.FOLDER / "benchmark.csv"))[0] == 0

    code, _, err = riskmetrics("run", "--date", "2022-12-28")
    assert code == 3
    assert "no close of the market index SPY is stored" in err
    assert "riskmetrics db setting market_index SPX" in err  # the nearest symbol with prices
    assert riskmetrics("db", "setting", "market_index", "SPX")[0] == 0
    code, _, err = riskmetrics("run", "--date", "2022-12-28")
    assert code == 0, err

    code, out, err = riskmetrics("show", "betas", "--date", "2022-12-28", "--json")
    assert code == 0, err
    betas = {row["symbol"]: row for row in json.loads(out)}
    assert betas.keys() == {"AAPL", "XOM"}
    assert betas["AAPL"]["observations"] == 90
    code, out, _ = riskmetrics("show", "snapshot", "--json")
    snapshot = json.loads(out)[0]
    assert snapshot["total_value"] == 25000
    assert snapshot["num_short_positions"] == 1
    code, out, _ = riskmetrics("show", "sectors")
    assert (code, "Information Technology" in out) == (0, True)
    code, out, _ = riskmetrics("show", "undefined", "--json")
    assert {"portfolio_snapshots.cumulative_pnl", "portfolio_snapshots.beta_provider_1y"} <= {
        row["metric"] for row in json.loads(out)
    }
    code, out, _ = riskmetrics("report", "--out", "page.html")
    assert code == 0
    assert "Growth" in (tmp_path / "page.html").read_text()
    code, out, _ = riskmetrics(
        "db", "sql", "SELECT line, reason FROM rejected_rows", "--format", "csv"
    )
    assert out.startswith("line,reason\n4,")
    assert riskmetrics("show", "betas", "--date", "2022-12-27")[0] == 1


class Book(NamedTuple):
    """Files of a market and two portfolios, and the last session of the prices."""

    prices: Path
    profiles: Path
    benchmark: Path
    balanced: Path
    hedged: Path
    day: str


def sample_book(folder: Path) -> Book:
    """Return the files of the sample, with its index under the name of the default market."""
    prices = pd.read_csv(sample.FOLDER / "prices.csv.gz").replace({"symbol": {"SPX": "SPY"}})
    prices.to_csv(folder / "prices.csv", index=False)
    names = ("profiles", "benchmark", "core_equity", "long_short")
    files = (sample.FOLDER / f"{name}.csv" for name in names)
    return Book(folder / "prices.csv", *files, f"{sample.LAST_SESSION}")


def real_book(_: Path) -> Book:
    """Return the files of the optional data set."""
    names = ("prices_daily.parquet", "symbols.csv", "sp500_sector_weights.csv")
    portfolios = (
        SHARED_DATA / "portfolios" / f"{name}.csv" for name in ("balanced_25", "long_short")
    )
    return Book(*(SHARED_DATA / name for name in names), *portfolios, "2024-12-06")


@pytest.mark.parametrize("make", [sample_book, pytest.param(real_book, marks=needs_shared_data)])
def test_figures_of_imported_files_are_those_of_statsmodels_and_of_hand_calculations(
    make: Callable[[Path], Book], database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Oracle: statsmodels on the file itself."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
    book = make(tmp_path)

    def call(*arguments: str) -> str:
        result = invoke(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    for kind in ("prices", "profiles", "benchmark"):
        call("import", kind, str(getattr(book, kind)))
    for file, name in ((book.balanced, "Balanced"), (book.hedged, "Hedged")):
        call("import", "portfolio", str(file), "--name", name, "--as-of", book.day)
    call("run", "--date", book.day)
    betas = json.loads(call("show", "betas", "--json"))
    held = {
        (name, symbol)
        for file, name in ((book.balanced, "Balanced"), (book.hedged, "Hedged"))
        for symbol in pd.read_csv(file)["symbol"]
    }
    assert {(row["portfolio"], row["symbol"]) for row in betas} == held
    prices = read_closes(book.prices)
    returns = prices.pct_change().iloc[-90:]
    for row in betas:
        fit = sm.OLS(
            returns[row["symbol"]].to_numpy(), sm.add_constant(returns["SPY"].to_numpy())
        ).fit()
        assert row["beta"] == pytest.approx(fit.params[1], abs=5.01e-7)
        assert row["alpha"] == pytest.approx(fit.params[0], abs=5.01e-7)
        assert row["std_error"] == pytest.approx(fit.bse[1], abs=5.01e-7)
        assert row["r_squared"] == pytest.approx(fit.rsquared, abs=5.01e-7)
        assert row["market_index"] == "SPY"
    (hedged,) = [
        row
        for row in json.loads(call("show", "snapshot", "--json"))
        if row["portfolio"] == "Hedged"
    ]
    lots = pd.read_csv(book.hedged).groupby("symbol")["quantity"].sum()
    values = lots * prices.iloc[-1][lots.index]
    beta_of = {row["symbol"]: row["beta"] for row in betas if row["portfolio"] == "Hedged"}
    beta = (values * pd.Series(beta_of)).sum() / values.sum()
    assert hedged["total_value"] == pytest.approx(values.sum(), abs=0.01)
    assert hedged["hhi"] == pytest.approx(((values / values.abs().sum()) ** 2).sum(), abs=5.1e-5)
    assert hedged["beta_calculated_90d"] == pytest.approx(beta, abs=6e-5)
    assert hedged["beta_portfolio_regression"] == pytest.approx(beta, abs=6e-5)


def read_closes(file: Path) -> pd.DataFrame:
    """Return the closes of a file, sessions by symbols."""
    rows = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    return rows.pivot(index="date", columns="symbol", values="close").sort_index()
