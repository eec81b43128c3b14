"""Results removed, recomputed, compared and exported, by real runs on the sample."""

import json
from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.errors import DataQualityError
from riskmetrics.results.comparison import COMPARED_FIGURES
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import RESULT_KEYS, Run, query_frame, read_results

FIRST, LAST = date(2022, 12, 27), date(2022, 12, 28)


def test_sessions_compare_by_what_they_store_and_are_the_same_when_they_are_reprocessed(
    sample: str, run: Run
) -> None:
    """Daily P&L equals the change of value for unchanged holdings."""
    assert run(trading_calendar.sessions_between(FIRST, LAST)).exit_code == 0
    compared = invoke("compare", "--from", f"{FIRST}", "--to", f"{LAST}", "--json")
    assert compared.exit_code == 0, compared.output
    changes = json.loads(compared.stdout)
    figures = {(row["portfolio"], row["figure"]): row for row in changes["figures"]}
    assert len(figures) == 3 * len(COMPARED_FIGURES)
    assert [row for row in figures.values() if row["change"] is None] == []
    moves = query_frame(
        sample,
        "SELECT portfolio, symbol, sum(daily_price_pnl) AS amount FROM v_positions_latest"
        " GROUP BY 1, 2 ORDER BY 1, abs(sum(daily_price_pnl)) DESC",
    )
    largest = moves.astype({"amount": float}).groupby("portfolio").head(3).to_dict("records")
    assert [(row["portfolio"], row["symbol"]) for row in changes["contributors"]] == [
        (row["portfolio"], row["symbol"]) for row in largest
    ]
    for contributor, row in zip(changes["contributors"], largest, strict=True):
        assert contributor["amount"] == pytest.approx(row["amount"])
    for name in ("Concentrated", "Core Equity", "Long-Short"):
        profit = figures[name, "daily_pnl"]["after"]
        assert figures[name, "total_value"]["change"] == pytest.approx(profit, abs=0.011)
        assert figures[name, "cumulative_pnl"]["change"] == pytest.approx(profit, abs=0.011)

    before = read_results(sample)
    done = invoke("reprocess", "--portfolio", "Long-Short", "--yes")
    assert done.exit_code == 0, done.output
    assert f"recomputed from {FIRST} to {LAST} (2 sessions)" in done.stderr
    assert "rows removed:" in done.stdout
    after = read_results(sample)
    for name in RESULT_KEYS:
        pd.testing.assert_frame_equal(after[name], before[name])


def test_results_are_kept_if_the_market_index_has_no_closes(sample: str, run: Run) -> None:
    assert run([LAST], ["portfolio_values"]).exit_code == 0
    invoke("db", "setting", "market_index", "NONE")
    done = invoke("reprocess", "--all", "--from", f"{LAST}", "--to", f"{LAST}", "--yes")
    assert isinstance(done.exception, DataQualityError)
    assert len(query_frame(sample, "SELECT 1 FROM portfolio_snapshots")) == 3


def test_a_run_that_fails_after_the_removal_says_how_to_go_on(sample: str) -> None:
    with open_connection(sample) as connection:
        connection.execute(
            sa.text("DELETE FROM market_data_cache WHERE symbol = 'SPX' AND date = :day"),
            {"day": LAST},
        )
    done = invoke("reprocess", "--all", "--from", f"{LAST}", "--to", f"{LAST}", "--yes")
    assert done.exit_code == 3
    assert (
        "Fix the cause, then run riskmetrics backfill --from 2022-12-28 --to 2022-12-28"
        in done.stderr
    )
