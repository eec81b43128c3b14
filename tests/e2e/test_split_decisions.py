"""A split that stored prices are not adjusted for: a run names it, a user decides, and results follow."""

import json
from datetime import date

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from riskmetrics.cli.main import app
from riskmetrics.report.page import render
from tests.conftest import connected
from tests.e2e.conftest import Run, differing, explained_anew, fetched, results

DAY = date(2022, 12, 28)
SPLIT_DAY = "2022-12-20"
PLANT = f"""
    UPDATE market_data_cache
    SET open = 4 * open, high = 4 * high, low = 4 * low, close = 4 * close, adj_close = 4 * adj_close
    WHERE symbol = 'PG' AND date < '{SPLIT_DAY}'
"""
COMMANDS = (
    f"riskmetrics prices split PG {SPLIT_DAY} 4:1",
    f"riskmetrics prices accept PG {SPLIT_DAY}",
)
HOLDERS = "SELECT DISTINCT name FROM positions p JOIN portfolios f ON f.id = portfolio_id WHERE symbol = 'PG'"
BETA = """
    SELECT DISTINCT beta, observations FROM position_market_betas b
    JOIN positions p ON p.id = position_id WHERE symbol = 'PG'
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_split_is_named_kept_out_decided_and_undone(sample: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([DAY]).exit_code == 0
    clean = results(sample)
    (clean_beta,) = fetched(sample, BETA)["beta"]
    capsys.readouterr()
    with connected(sample) as connection:
        connection.execute(sa.text(PLANT))
        holders = set(connection.scalars(sa.text(HOLDERS)))
    assert holders

    assert run([DAY]).exit_code == 0
    warnings = " ".join(capsys.readouterr().err.split())
    assert all(command in warnings for command in COMMANDS)
    ((beta, n_obs),) = fetched(sample, BETA).to_numpy().tolist()
    assert n_obs == 89
    assert beta == pytest.approx(clean_beta, abs=0.02)
    unknown = fetched(
        sample,
        "SELECT name FROM undefined_metrics JOIN portfolios p ON p.id = portfolio_id "
        "WHERE metric = 'portfolio_snapshots.cumulative_pnl' AND reason LIKE '%suspected split%'",
    )
    assert set(unknown["name"]) == holders
    shown = call("show", "snapshot")
    said = [line for line in shown.stderr.splitlines() if "a suspected split" in line]
    assert {line.partition(",")[0] for line in said} == holders
    assert all(command in call("show", "quality").stdout for command in COMMANDS)
    with connected(sample) as connection:
        page = " ".join(render(connection, DAY).split())
    assert all(page.count(f"{command} if ") == len(holders) for command in COMMANDS)
    doctor = " ".join(call("doctor").stdout.split())
    assert f"1 suspected split waits for a decision: PG {SPLIT_DAY}" in doctor

    assert call("prices", "accept", "PG", SPLIT_DAY).exit_code == 0
    assert run([DAY]).exit_code == 0
    ((accepted_beta, n_obs),) = fetched(sample, BETA).to_numpy().tolist()
    assert n_obs == 90
    assert abs(accepted_beta - clean_beta) > 0.05
    assert "suspected split" not in " ".join(fetched(sample, "SELECT reason FROM undefined_metrics")["reason"])

    assert call("prices", "undo", "PG", SPLIT_DAY).exit_code == 0
    assert call("prices", "split", "pg", SPLIT_DAY, "4").exit_code == 0
    capsys.readouterr()
    assert run([DAY]).exit_code == 0
    assert "split" not in capsys.readouterr().err
    for name, table in results(sample).items():
        assert table.equals(clean[name]), name
    assert json.loads(call("prices", "list", "--json").stdout)[0]["state"] == "split"


def test_every_number_over_a_split_and_a_tick_is_the_same_computed_another_way(sample: str, run: Run) -> None:
    """On the day of both, and on the next, which shows that one of them was a bad tick."""
    days = [date(2022, 12, 20), date(2022, 12, 21)]
    with connected(sample) as connection:
        holder = connection.scalar(sa.text(HOLDERS))
        connection.execute(sa.text(PLANT))
        tick = (
            "UPDATE market_data_cache SET close = close / 10, adj_close = adj_close / 10 "
            "WHERE date = :day AND symbol = (SELECT min(symbol) FROM positions "
            "JOIN portfolios p ON p.id = portfolio_id WHERE name = :name AND symbol <> 'PG')"
        )
        connection.execute(sa.text(tick), {"day": days[0], "name": holder})
    assert run(days).exit_code == 0
    for day in days:
        assert differing(explained_anew(sample, day, [holder])) == []
    covered = fetched(
        sample,
        "SELECT n_total - n_covered AS missing FROM portfolio_coverage "
        "JOIN portfolios p ON p.id = portfolio_id "
        f"WHERE metric = 'daily_pnl' AND name = '{holder}' ORDER BY day",
    )
    assert covered["missing"].tolist() == [2, 1]
