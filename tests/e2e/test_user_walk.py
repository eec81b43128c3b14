"""A user's first hour, in separate processes on their own embedded server: import, run, show."""

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest

from riskmetrics.sources import sample
from tests.conftest import COMMAND, SHARED_DATA, needs_shared_data


@pytest.fixture
def riskmetrics(tmp_path: Path):
    """Call the installed command in an empty directory; returns (exit code, stdout, stderr)."""
    unwanted = ("RISKMETRICS", "DAGSTER", "FMP")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not any(word in name for word in unwanted)
    }

    def call(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return call


def _holdings(path: Path, rows: list[dict[str, object]]) -> str:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


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
    assert code == 0, err
    assert "2 lots opened" in out
    assert "1 row rejected" in err
    assert "line 4" in err
    code, out, err = riskmetrics("import", "prices", str(sample.FOLDER / "prices.csv.gz"))
    assert (code, "no adj_close column: adj_close := close" in err) == (0, True), err
    assert riskmetrics("import", "profiles", str(sample.FOLDER / "profiles.csv"))[0] == 0
    assert riskmetrics("import", "benchmark", str(sample.FOLDER / "benchmark.csv"))[0] == 0

    code, _, err = riskmetrics("run", "--date", "2022-12-28")
    assert code == 3
    assert "no close of SPY on 2022-12-28" in err
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


@needs_shared_data
def test_a_portfolio_of_real_prices_with_spy_as_the_market(riskmetrics) -> None:
    """Oracle: statsmodels on the file itself."""
    import pandas as pd
    import statsmodels.api as sm

    for arguments in (
        ("import", "prices", str(SHARED_DATA / "prices_daily.parquet")),
        ("import", "profiles", str(SHARED_DATA / "symbols.csv")),
        ("import", "benchmark", str(SHARED_DATA / "sp500_sector_weights.csv")),
        (
            "import",
            "portfolio",
            str(SHARED_DATA / "portfolios" / "balanced_25.csv"),
            "--name",
            "Balanced",
            "--as-of",
            "2024-12-06",
        ),
        (
            "import",
            "portfolio",
            str(SHARED_DATA / "portfolios" / "long_short.csv"),
            "--name",
            "Hedged",
            "--as-of",
            "2024-12-06",
        ),
        ("run", "--date", "2024-12-06"),
    ):
        code, _, err = riskmetrics(*arguments)
        assert code == 0, err
    betas = json.loads(riskmetrics("show", "betas", "--json")[1])
    assert len(betas) == 30
    prices = (
        pd.read_parquet(SHARED_DATA / "prices_daily.parquet")
        .pivot(index="date", columns="symbol", values="close")
        .sort_index()
    )
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
    snapshots = {
        row["portfolio"]: row for row in json.loads(riskmetrics("show", "snapshot", "--json")[1])
    }
    last = prices.iloc[-1]
    holdings = pd.read_csv(SHARED_DATA / "portfolios" / "long_short.csv")
    values = [
        quantity * last[symbol]
        for symbol, quantity in zip(holdings["symbol"], holdings["quantity"], strict=True)
    ]
    gross = sum(map(abs, values))
    assert snapshots["Hedged"]["total_value"] == pytest.approx(sum(values), abs=0.01)
    assert snapshots["Hedged"]["hhi"] == pytest.approx(
        sum((value / gross) ** 2 for value in values), abs=5.1e-5
    )
    beta = sum(
        value * row["beta"]
        for value, row in zip(values, _in_order(betas, holdings["symbol"]), strict=True)
    ) / sum(values)
    assert snapshots["Hedged"]["beta_calculated_90d"] == pytest.approx(beta, abs=6e-5)
    assert snapshots["Hedged"]["beta_portfolio_regression"] == pytest.approx(beta, abs=6e-5)


def _in_order(betas: list[dict[str, object]], symbols: "pd.Series[str]") -> list[dict[str, object]]:  # noqa: F821
    of_hedged = {row["symbol"]: row for row in betas if row["portfolio"] == "Hedged"}
    return [of_hedged[symbol] for symbol in symbols]
