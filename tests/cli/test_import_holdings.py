"""Holdings files by the command line: kinds, layouts, closed holdings, equity and values."""

import json
from pathlib import Path

import pytest

from riskmetrics.errors import ConfigurationError, DataQualityError
from tests.cli.test_import_portfolio import portfolios

HEADER = "Symbol,Quantity,Market value\n"


@pytest.fixture
def load(call, tmp_path: Path):
    """Import a text into portfolio P."""

    def load(text: str, *options: str):
        (tmp_path / "file.csv").write_text(text)
        return call("import", "portfolio", str(tmp_path / "file.csv"), "--name", "P", *options)

    return load


def test_a_quantity_of_zero_closes_the_holding(call, load) -> None:
    load(f"{HEADER}QQA,10,300\nQQB,5,100\nCash,,50\n", "--as-of", "2024-12-05")
    done = load(f"{HEADER}QQA,10,310\nQQB,0,0\nCash,,150\n", "--as-of", "2024-12-06")
    assert "closed on 2024-12-06: QQB" in done.stderr
    assert portfolios(call) == {"P": (1, 460, "2024-12-06")}


def test_equity_is_not_recorded_if_a_rejected_line_is_missing_from_it(call, load) -> None:
    text = f"{HEADER}QQA,10,300\n/ESH5,1,500\nCash,,100\n"
    done = load(text, "--as-of", "2024-12-06")
    assert "equity is unknown" in done.stderr
    assert portfolios(call) == {"P": (1, None, "2024-12-06")}
    load(f"{text}Account total,,900\n", "--as-of", "2024-12-06")
    assert portfolios(call) == {"P": (1, 900, "2024-12-06")}


def test_values_become_quantities_at_the_closes_of_the_day(call, load, tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_text("symbol,date,close\nQQA,2024-12-06,40\n")
    call("import", "prices", str(tmp_path / "bars.csv"))
    query = "SELECT symbol, quantity FROM positions"
    text = "Symbol,Market value\nQQA,100\nCash,50\n"
    done = load(text, "--as-of", "2024-12-06")
    assert (
        "quantities are the values of the file divided by the closes of 2024-12-06" in done.stderr
    )
    shown = json.loads(call("db", "sql", query, "--format", "json").stdout)
    assert [(row["symbol"], float(row["quantity"])) for row in shown] == [("QQA", 2.5)]
    assert portfolios(call) == {"P": (1, 150, "2024-12-06")}


def test_a_dry_run_names_the_kind_and_its_evidence(call, load) -> None:
    done = load(f"{HEADER}QQA,10,300\n", "--dry-run", "--json")
    shown = json.loads(done.stdout)
    assert shown["kind"] == ["holdings"]
    assert shown["evidence"] == ["columns Symbol, Quantity", "column Market value"]
    assert "a table of holdings (columns Symbol, Quantity" in done.stderr


def test_another_kind_of_file_names_the_command_to_use(call, load) -> None:
    refused = load("Symbol,Action,Quantity\nQQA,Sell,5\n")
    assert isinstance(refused.exception, DataQualityError)
    assert "Use `riskmetrics import transactions`" in str(refused.exception)


def test_a_check_of_transactions_and_of_prices_names_their_command_and_no_layout_of_holdings(
    call, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    path.write_text(
        "Run Date,Action,Symbol,Quantity,Price ($),Fees ($),Amount ($),Settlement Date\n"
        "01/02/2024,YOU BOUGHT QQA,QQA,10,185.5,0.02,-1855.02,01/04/2024\n"
        "02/02/2024,YOU SOLD QQA,QQA,-4,186,0.01,743.99,02/06/2024\n"
    )
    checked = json.loads(call("layouts", "check", str(path), "--json").stdout)
    assert checked["commands"] == ["riskmetrics import transactions"]
    assert [one["layout"] for one in checked["layouts"]] == ["Fidelity activity"]
    meanings = {one["header"]: one["meaning"] for one in checked["columns"]}
    assert [meanings[name] for name in ("Run Date", "Action", "Fees ($)", "Amount ($)")] == [
        *("day", "kind", "fees", "amount")
    ]
    path.write_text("Date,Symbol,Close\n2024-01-02,QQA,185\n2024-01-03,QQA,184\n")
    prices = call("layouts", "check", str(path)).stdout
    assert "Import it with `riskmetrics import prices`." in prices
    assert "Layouts" not in prices


def test_layouts_are_listed_and_a_file_is_checked_against_them(
    call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = json.loads(call("layouts", "list", "--json").stdout)
    assert {"layout": "Fidelity positions", "left_out": "bonds"} in [
        {"layout": row["layout"], "left_out": row["left_out"].partition(",")[0]} for row in rows
    ]
    path = tmp_path / "file.csv"
    path.write_text(f"{HEADER}QQA,10,300\n")
    checked = call("layouts", "check", str(path))
    assert checked.stdout.startswith("a table of holdings (columns Symbol, Quantity")
    shown = json.loads(call("layouts", "check", str(path), "--json").stdout)
    assert [one["layout"] for one in shown["layouts"] if one["matches"]] == ["table of holdings"]
    assert "Import it with `riskmetrics import portfolio`." in checked.stdout
    monkeypatch.setenv("RISKMETRICS_LAYOUTS", str(tmp_path / "missing"))
    assert isinstance(call("layouts", "list").exception, ConfigurationError)
