"""A split missing in stored prices: the run names it, the user decides, results follow."""

import json
from datetime import date

import pytest
import sqlalchemy as sa
from typer.testing import Result

from riskmetrics.db import input_queries
from riskmetrics.insights import fact_reading
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import (
    Run,
    list_differences,
    query_frame,
    read_results,
    recalculate_explanations,
)
from tests.report_options import render

DAY = date(2022, 12, 28)
SPLIT_DAY = "2022-12-20"
PLANT = f"""
    UPDATE market_data_cache
    SET open = 4 * open, high = 4 * high, low = 4 * low, close = 4 * close,
        adj_close = 4 * adj_close
    WHERE symbol = 'PG' AND date < '{SPLIT_DAY}'
"""
COMMANDS = (
    f"riskmetrics prices split PG {SPLIT_DAY} 4:1",
    f"riskmetrics prices accept PG {SPLIT_DAY}",
)
HOLDERS = (
    "SELECT DISTINCT name FROM positions p JOIN portfolios f ON f.id = portfolio_id WHERE symbol ="
    " 'PG'"
)
BETA = """
    SELECT DISTINCT beta, observations FROM position_market_betas b
    JOIN positions p ON p.id = position_id WHERE symbol = 'PG'
"""


def call(*arguments: str) -> Result:
    return invoke(*arguments)


def test_a_split_is_named_kept_out_decided_and_undone(
    computed_sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = read_results(computed_sample)
    (clean_beta,) = query_frame(computed_sample, BETA)["beta"]
    capsys.readouterr()
    with open_connection(computed_sample) as connection:
        connection.execute(sa.text(PLANT))
        holders = set(connection.scalars(sa.text(HOLDERS)))
    assert holders

    assert run([DAY]).exit_code == 0
    warnings = " ".join(capsys.readouterr().err.split())
    assert all(command in warnings for command in COMMANDS)
    ((beta, n_obs),) = query_frame(computed_sample, BETA).to_numpy().tolist()
    assert n_obs == 89
    assert beta == pytest.approx(clean_beta, abs=0.02)
    unknown = query_frame(
        computed_sample,
        "SELECT name FROM undefined_metrics JOIN portfolios p ON p.id = portfolio_id "
        "WHERE metric = 'portfolio_snapshots.cumulative_pnl' AND reason LIKE '%suspected split%'",
    )
    assert set(unknown["name"]) == holders
    shown = call("show", "snapshot")
    said = [line for line in shown.stderr.splitlines() if "a suspected split" in line]
    assert {line.partition(",")[0] for line in said} == holders
    quality = call("show", "quality").stdout
    assert all(command in quality for command in COMMANDS)
    with open_connection(computed_sample) as connection:
        page = " ".join(render(connection, DAY).split())
    assert all(page.count(f"{command} if ") == len(holders) for command in COMMANDS)
    doctor = " ".join(call("doctor").stdout.split())
    assert f"1 suspected split waits for a decision: PG {SPLIT_DAY}" in doctor

    assert call("prices", "accept", "PG", SPLIT_DAY).exit_code == 0
    assert run([DAY]).exit_code == 0
    ((accepted_beta, n_obs),) = query_frame(computed_sample, BETA).to_numpy().tolist()
    assert n_obs == 90
    assert abs(accepted_beta - clean_beta) > 0.05
    assert "suspected split" not in " ".join(
        query_frame(computed_sample, "SELECT reason FROM undefined_metrics")["reason"]
    )

    assert call("prices", "undo", "PG", SPLIT_DAY).exit_code == 0
    assert call("prices", "split", "pg", SPLIT_DAY, "4").exit_code == 0
    capsys.readouterr()
    assert run([DAY]).exit_code == 0
    assert "split" not in capsys.readouterr().err
    for name, table in read_results(computed_sample).items():
        assert table.equals(clean[name]), name
    assert json.loads(call("prices", "list", "--json").stdout)[0]["state"] == "split"


TICK = """
    UPDATE market_data_cache SET close = close / 10, adj_close = adj_close / 10
    WHERE date = :day AND symbol IN ('MTUM', 'AAPL')
"""
HALT = """
    DELETE FROM market_data_cache
    WHERE symbol = 'KO' AND date BETWEEN '2022-12-01' AND '2022-12-19'
"""
SPLIT_AFTER_HALT = """
    UPDATE market_data_cache SET close = close * 3, adj_close = adj_close * 3
    WHERE symbol = 'KO' AND date < '2022-12-01'
"""
BOUGHT = """
    INSERT INTO positions (portfolio_id, symbol, position_type, quantity, entry_price, entry_date)
    SELECT id, 'MTUM', 'LONG', 5, 100, :day FROM portfolios WHERE name = :name
"""


@pytest.mark.slow(15)
def test_every_number_over_splits_and_ticks_is_the_same_another_way(sample: str, run: Run) -> None:
    """Splits are suspected on the day, and the next day confirms that some were bad ticks.

    PG splits, KO splits behind a halt of 13 sessions, AAPL has a bad tick, and MTUM, which is
    bought on the session of its tick.
    """
    days = [date(2022, 12, 20), date(2022, 12, 21)]
    with open_connection(sample) as connection:
        holder = connection.scalar(sa.text(HOLDERS))
        terms = {"day": days[0], "name": holder}
        for statement in (PLANT, HALT, SPLIT_AFTER_HALT):
            connection.execute(sa.text(statement))
        connection.execute(sa.text(TICK), {"day": days[0]})
        connection.execute(sa.text(BOUGHT), terms)
    assert run(days).exit_code == 0
    for day in days:
        assert list_differences(recalculate_explanations(sample, day, [holder])) == []
    covered = query_frame(
        sample,
        "SELECT n_total - n_covered AS missing FROM portfolio_coverage "
        "JOIN portfolios p ON p.id = portfolio_id "
        f"WHERE metric = 'daily_pnl' AND name = '{holder}' ORDER BY day",
    )
    assert covered["missing"].tolist() == [3, 2]
    assert f"prices split KO {SPLIT_DAY} 3:1" in call("prices", "list").stdout
    with open_connection(sample) as connection:
        names = input_queries.read_portfolios(connection).set_index("portfolio_id")["name"]
        found = fact_reading.read_sheets(connection, days[1:])
    sheets = {names[sheet.portfolio_id]: sheet for sheet in found}
    assert len(sheets) == 3
    for name, sheet in sheets.items():
        is_concerned = name != "Long-Short"
        assert any("unconfirmed close" in text for text in sheet.caveats) == is_concerned
        assert ("total_value_change" in sheet.facts) != is_concerned
        assert ("gross_exposure_change" in sheet.facts) != is_concerned
        assert "beta_change" in sheet.facts
