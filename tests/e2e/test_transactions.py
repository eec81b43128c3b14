"""A history of transactions: imported, computed over two weeks, explained, corrected."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import Result

from riskmetrics import trading_calendar
from tests.commands import invoke
from tests.e2e.conftest import Run, list_differences, query_frame, recalculate_explanations

FIRST, LAST = date(2022, 12, 12), date(2022, 12, 28)
HISTORY = """\
Date,Type,Symbol,Quantity,Price,Fees,Amount
2022-12-12,Deposit,,,,,20000.00
2022-12-13,Buy,AAPL,60,{AAPL},1.00,
2022-12-13,Sell short,XOM,20,{XOM},1.00,
2022-12-14,Transfer in,PEP,25,,,
2022-12-15,Fee,,,,,-12.50
2022-12-16,Withdrawal,,,,,-500.00
2022-12-19,Sell,AAPL,25,{AAPL},1.00,
2022-12-20,Interest,,,,,3.25
2022-12-21,Buy to cover,XOM,20,{XOM},1.00,
2022-12-22,Transfer out,PEP,5,,,
2022-12-28,Deposit,,,,,1000.00
"""
PRICES = {"AAPL": "140.00", "XOM": "105.00"}


def call(*arguments: str) -> Result:
    return invoke(*arguments)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Return a history of the sample's symbols."""
    path = tmp_path / "history.csv"
    path.write_text(HISTORY.format(**PRICES))
    return path


@pytest.mark.slow(12)
def test_values_cash_and_returns_follow_from_transactions(
    sample: str, run: Run, history: Path
) -> None:
    imported = call("import", "transactions", str(history), "--portfolio", "Kept")
    assert imported.exit_code == 0, imported.stderr
    sessions = trading_calendar.sessions_between(FIRST, LAST)
    assert run(sessions).exit_code == 0
    rows = query_frame(
        sample,
        "SELECT s.* FROM portfolio_snapshots s JOIN portfolios p ON p.id = s.portfolio_id"
        " WHERE p.name = 'Kept' ORDER BY snapshot_date",
    )
    assert rows["snapshot_date"].tolist() == sessions
    assert set(rows["equity_source"]) == {"transactions"}
    explained = call("explain", "Kept", "total_value")
    assert explained.exit_code == 0
    assert "cash is known" not in explained.stdout  # on which day is a matter of statements
    flows: defaultdict[date, Decimal] = defaultdict(Decimal)
    for line in HISTORY.format(**PRICES).splitlines()[1:]:
        day, kind, _, quantity, price, fees, amount = line.split(",")
        signs = {"Buy": -1, "Buy to cover": -1, "Sell": 1, "Sell short": 1}
        if kind in signs:
            value = signs[kind] * Decimal(quantity) * Decimal(price) - Decimal(fees)
        else:
            value = Decimal(amount or 0)
        flows[date.fromisoformat(day)] += value
    cash = [float(sum(value for day, value in flows.items() if day <= last)) for last in sessions]
    assert rows["cash_value"].astype(float).tolist() == pytest.approx(cash)
    equity = rows["total_value"].astype(float).tolist()
    pnl = rows["daily_pnl"].astype(float).tolist()
    outside = {date(2022, 12, 16): -500.0, date(2022, 12, 28): 1000.0}
    closes = query_frame(
        sample, "SELECT date, close FROM market_data_cache WHERE symbol = 'PEP'"
    ).set_index("date")["close"]
    outside[date(2022, 12, 14)] = 25 * float(closes[date(2022, 12, 14)])
    outside[date(2022, 12, 22)] = -5 * float(closes[date(2022, 12, 22)])
    returns = rows["daily_return"].astype(float).tolist()
    for place in range(1, len(sessions)):
        flow = outside.get(sessions[place], 0.0)
        income = float(rows["income"].fillna(0).iloc[place])
        assert equity[place] - equity[place - 1] + income == pytest.approx(
            pnl[place] + flow, abs=0.02
        )
        start = equity[place - 1] + max(flow, 0.0)
        assert returns[place] == pytest.approx(pnl[place] / start, abs=2e-6)
    for day in (LAST, date(2022, 12, 14)):
        assert list_differences(recalculate_explanations(sample, day, ["Kept"])) == []


def test_lots_older_than_the_calendar_are_valued(sample: str, run: Run, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text(
        "Date,Type,Symbol,Quantity,Price,Amount\n1900-01-01,Deposit,,,,100\n"
        "1985-12-27,Buy,KO,10,2,-20\n"
    )
    imported = call("import", "transactions", str(old), "--portfolio", "Old")
    assert imported.exit_code == 0, imported.stderr
    assert run([LAST], ["portfolio_values"]).exit_code == 0
    rows = query_frame(
        sample,
        "SELECT s.total_value - 80 - 10 * m.close AS difference FROM portfolio_snapshots s"
        " JOIN portfolios p ON p.id = s.portfolio_id JOIN market_data_cache m"
        " ON m.symbol = 'KO' AND m.date = s.snapshot_date WHERE p.name = 'Old'",
    )
    assert rows["difference"].astype(float).tolist() == pytest.approx([0.0], abs=0.005)


def test_a_correction_changes_the_lots_and_the_next_run_the_values(
    sample: str, run: Run, history: Path
) -> None:
    call("import", "transactions", str(history), "--portfolio", "Kept")
    assert run([LAST], ["portfolio_values"]).exit_code == 0
    query = (
        "SELECT total_value FROM portfolio_snapshots s JOIN portfolios p ON p.id = s.portfolio_id"
        " WHERE p.name = 'Kept'"
    )
    before = float(query_frame(sample, query)["total_value"].item())
    arguments = ("import", "transactions", str(history), "--portfolio", "Kept", "--replace")
    assert "outdated" not in call(*arguments).stderr
    history.write_text(HISTORY.format(**PRICES).replace("-12.50", "-112.50"))
    corrected = call(*arguments)
    assert corrected.exit_code == 0
    assert f"Results from {LAST} on are outdated" in corrected.stderr
    assert f"{LAST} to {LAST}" in call("status").stdout  # outdated results
    assert run([LAST], ["portfolio_values"]).exit_code == 0
    after = float(query_frame(sample, query)["total_value"].item())
    assert after == pytest.approx(before - 100)
