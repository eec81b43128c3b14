"""The views for dashboards, and the dashboards that read them."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import yaml
from typer.testing import CliRunner

from riskmetrics.cli.main import app
from tests.e2e.conftest import Run

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
FIRST, LAST = date(2022, 11, 28), date(2022, 12, 28)
"""Two sessions; the second is the 21st after the first, and completes its forecasts."""

OFTEN_EMPTY = {"Portfolios that lag behind"}

STORED = {
    "SELECT day, portfolio_id, total_value, beta_calculated_90d, hhi FROM v_portfolio_risk":
        "SELECT snapshot_date, portfolio_id, total_value, beta_calculated_90d, hhi"
        " FROM portfolio_snapshots",
    "SELECT day, portfolio_id, value_at_risk_99, current_drawdown FROM v_portfolio_risk":
        "SELECT day, portfolio_id, value_at_risk, current_drawdown"
        " FROM portfolio_tail_risk JOIN portfolio_drawdowns USING (portfolio_id, day)"
        " WHERE method = 'historical' AND level = 0.99 AND horizon_days = 1",
    "SELECT day, portfolio_id, expected_volatility_low FROM v_portfolio_risk":
        "SELECT day, portfolio_id, low FROM volatility_forecasts WHERE portfolio_id IS NOT NULL",
    "SELECT DISTINCT day FROM v_portfolio_risk_latest":
        "SELECT max(snapshot_date) FROM portfolio_snapshots",
    "SELECT day, position_id, market_beta, realized_vol_21d FROM v_positions":
        "SELECT calc_date, b.position_id, beta, realized_vol_21d FROM position_market_betas b"
        " JOIN position_volatility v"
        " ON v.position_id = b.position_id AND calculation_date = calc_date",
    "SELECT position_id, market_beta FROM v_positions_latest":
        "SELECT position_id, beta FROM position_market_betas WHERE calc_date = '2022-12-28'",
    "SELECT day, volatility_forecast, realized, in_interval FROM v_forecasts"
    " WHERE realized IS NOT NULL":
        "SELECT made_on, forecast, outcome, low <= outcome AND outcome <= high"
        " FROM forecast_outcomes"
        " WHERE outcome IS NOT NULL AND kind = 'volatility' AND method = 'har'",
    "SELECT day, metric, coverage, n_total FROM v_quality":
        "SELECT day, metric, coverage, n_total FROM portfolio_coverage",
    "SELECT day, sector, gross_weight, active_weight FROM v_sectors":
        "SELECT day, sector, gross_weight, active_weight FROM portfolio_sector_weights",
    "SELECT day, scenario, loss, undefined_reason FROM v_stress":
        "SELECT day, scenario, loss, undefined_reason FROM portfolio_stress",
    "SELECT day, symbol, weight, share FROM v_contributions":
        "SELECT day, symbol, weight, share FROM portfolio_risk_contributions",
    "SELECT day, method, level, horizon_days, value_at_risk FROM v_tail_risk":
        "SELECT day, method, level, horizon_days, value_at_risk FROM portfolio_tail_risk",
    "SELECT day, limit_name, status FROM v_limits":
        "SELECT day, limit_name, status FROM portfolio_limit_checks",
    "SELECT day, insight_type, title FROM v_insights":
        "SELECT day, insight_type, title FROM ai_insights",
    "SELECT day, metric, reason FROM v_undefined":
        "SELECT day, metric, reason FROM undefined_metrics",
}  # fmt: skip
"""Queries of views, and queries of the underlying tables with equal results."""


def panels() -> list[tuple[str, str]]:
    """Return title and query of every panel and of every dashboard variable."""
    found = []
    for path in (GRAFANA / "dashboards").glob("*.json"):
        board: dict[str, Any] = json.loads(path.read_text())
        found += [
            (panel["title"], target["rawSql"])
            for panel in board["panels"]
            for target in panel["targets"]
        ]
        found += [(choice["label"], choice["query"]) for choice in board["templating"]["list"]]
    return found


def asked(query: str) -> str:
    """Return a panel's query as Grafana sends it, for a year of the portfolio Long-Short."""
    query = re.sub(r"\$__timeFilter\(([^)]*)\)", r"\1 BETWEEN '2022-01-01' AND '2022-12-31'", query)
    return re.sub(r"\$(portfolio|subject)", "Long-Short", query)


def test_views_show_what_is_stored_and_every_panel_of_the_dashboards_finds_it(
    sample: str, run: Run
) -> None:
    set_limit = ["limits", "set", "Concentrated", "single_name", "25%"]
    assert CliRunner().invoke(app, set_limit).exit_code == 0
    assert [run([day]).exit_code for day in (FIRST, LAST)] == [0, 0]
    with psycopg.connect(sample.replace("+psycopg", "")) as connection:
        for view, table in STORED.items():
            shown = sorted(map(repr, connection.execute(view).fetchall()))
            assert shown, view
            assert shown == sorted(map(repr, connection.execute(table).fetchall())), view
        for title, query in panels():
            rows = connection.execute(asked(query)).fetchall()
            assert rows or title in OFTEN_EMPTY, title
            assert (
                any(value is not None for row in rows for value in row) or title in OFTEN_EMPTY
            ), title
        connection.execute("UPDATE portfolios SET deleted_at = now()")
        assert connection.execute(
            "SELECT count(*) FROM v_portfolio_risk, v_positions, v_quality"
        ).fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM v_forecasts WHERE portfolio_id IS NOT NULL"
        ).fetchone() == (0,)


def test_dashboards_read_the_source_that_is_provisioned_and_only_views() -> None:
    (source,) = yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "riskmetrics.yaml").read_text()
    )["datasources"]
    for path in (GRAFANA / "dashboards").glob("*.json"):
        text = path.read_text()
        assert set(re.findall(r'"uid": "(.*?)"', text)) == {source["uid"], path.stem}
        assert set(re.findall(r'"type": "(grafana\S*?)"', text)) == {source["type"]}
    assert len(panels()) > 15
    assert all(
        set(re.findall(r"FROM (\w+)", query)) <= {f"v_{name}" for name in VIEWS}
        for _, query in panels()
    )


def test_a_panel_of_one_figure_names_its_column_where_that_is_a_text(database: str) -> None:
    """Grafana's stat panel shows only numbers unless a column is named."""
    boards = [json.loads(path.read_text()) for path in (GRAFANA / "dashboards").glob("*.json")]
    shown = [panel for board in boards for panel in board["panels"] if panel["type"] == "stat"]
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        for panel in shown:
            (column,) = connection.execute(asked(panel["targets"][0]["rawSql"])).description or ()
            named = panel.get("options", {}).get("reduceOptions", {}).get("fields")
            assert column.type_display != "text" or named == f"/^{column.name}$/", panel["title"]
    assert len(shown) > 3


VIEWS = (
    "portfolio_risk",
    "portfolio_risk_latest",
    "positions",
    "positions_latest",
    "forecasts",
    "quality",
    "undefined",
)
