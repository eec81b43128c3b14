"""The views for dashboards, and the dashboards that read them."""

import json
import math
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
import yaml

from riskmetrics import settings
from riskmetrics.charts.pro_forma_data import read_book_inputs
from riskmetrics.inputs.snapshot import read_terms
from riskmetrics.insights.claims import catalog
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import Run, query_frame
from tests.report_options import render

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


def last_stored_year(connection: psycopg.Connection[Any]) -> tuple[str, str]:
    """Return the range of time to which the link of every dashboard leads, whatever the clock says.

    Its variables must exist, and be the same in all dashboards of one day.
    """
    spans = set()
    for path in (GRAFANA / "dashboards").glob("*.json"):
        board = json.loads(path.read_text())
        (link,) = (link for link in board["links"] if link["type"] == "link")
        names = re.fullmatch(rf"/d/{path.stem}\?from=\${{(\w+)}}&to=\${{(\w+)}}", link["url"])
        assert names, link["url"]
        queries = {each["name"]: each["query"] for each in board["templating"]["list"]}
        moments = [
            int(connection.execute(queries[name]).fetchall()[0][0]) / 1000
            for name in names.groups()
        ]
        spans.add(tuple(datetime.fromtimestamp(at, UTC).isoformat() for at in moments))
    ((first, last),) = spans
    assert first.startswith("2021-12-28")
    assert last.startswith("2022-12-29")
    return first, last


def asked(query: str, first: str = "2022-01-01", last: str = "2022-12-31") -> str:
    """Return a panel's query as Grafana sends it, for a range of the portfolio Concentrated."""
    query = re.sub(r"\$__timeFilter\(([^)]*)\)", rf"\1 BETWEEN '{first}' AND '{last}'", query)
    return re.sub(r"\$(portfolio|subject)", "Concentrated", query)


def test_views_show_what_is_stored_and_every_panel_of_the_dashboards_finds_it(
    sample: str, run: Run
) -> None:
    set_limit = ["limits", "set", "Concentrated", "single_name", "25%"]
    assert invoke(*set_limit).exit_code == 0
    assert [run([day]).exit_code for day in (FIRST, LAST)] == [0, 0]
    with psycopg.connect(sample.replace("+psycopg", "")) as connection:
        for view, table in STORED.items():
            shown = sorted(map(repr, connection.execute(view).fetchall()))
            assert shown, view
            assert shown == sorted(map(repr, connection.execute(table).fetchall())), view
        span = last_stored_year(connection)
        for title, query in panels():
            rows = connection.execute(asked(query, *span)).fetchall()
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


def test_positions_have_the_values_and_the_pnl_of_the_pipeline(computed_sample: str) -> None:
    """By symbol: the sums over lots, for a long-only and a long-short portfolio."""
    shown = query_frame(
        computed_sample,
        "SELECT portfolio, symbol, max(price) AS price, sum(value) AS value, max(sector) AS sector,"
        " sum(daily_price_pnl) AS daily_pnl,"
        " sum(cumulative_price_pnl) AS cumulative_price_pnl"
        " FROM v_positions_latest GROUP BY 1, 2",
    ).set_index(["portfolio", "symbol"])
    with open_connection(computed_sample) as connection:
        terms = read_terms(connection, settings.load())
        names = set(shown.index.get_level_values("portfolio"))
        inputs = read_book_inputs(connection, terms, LAST, names)
    expected = inputs.positions.set_index(["portfolio", "symbol"]).loc[shown.index]
    assert len(shown) == len(inputs.positions) > 25
    for column in ("price", "value", "daily_pnl", "cumulative_price_pnl"):
        np.testing.assert_allclose(
            shown[column].astype(float), expected[column], atol=1e-6, err_msg=column
        )
    assert shown.loc[("Concentrated", "AMD"), "sector"] == "Information Technology"
    equity = query_frame(
        computed_sample, "SELECT portfolio, long_value + short_value AS net FROM v_portfolio_risk"
    ).set_index("portfolio")["net"]
    sums = shown["value"].astype(float).groupby("portfolio").sum()
    np.testing.assert_allclose(sums, equity.astype(float)[sums.index], atol=0.01)


def test_a_session_without_a_close_has_the_price_of_the_one_before(sample: str, run: Run) -> None:
    """As the snapshot, whose net value has it; report and `show` mark it."""
    with open_connection(sample) as connection:
        connection.execute(
            sa.text("DELETE FROM market_data_cache WHERE symbol = 'AMD' AND date = :day"),
            {"day": LAST},
        )
    assert run([LAST]).exit_code == 0
    said = "1 of 4 instruments is valued at the close of an earlier session"
    assert said in " ".join(invoke("show", "snapshot").stderr.split())
    shown = query_frame(
        sample,
        "SELECT symbol, value, daily_price_pnl, price_day FROM v_positions_latest"
        " WHERE portfolio = 'Concentrated'",
    ).set_index("symbol")
    assert shown.loc["AMD", "price_day"] == date(2022, 12, 27)
    assert shown.loc["AMD", "daily_price_pnl"] == 0
    assert set(shown.drop("AMD")["price_day"]) == {LAST}
    net = "SELECT long_value + short_value AS net FROM v_portfolio_risk_latest"
    (net_value,) = query_frame(sample, f"{net} WHERE portfolio = 'Concentrated'")["net"]
    assert float(shown["value"].astype(float).sum()) == pytest.approx(float(net_value), abs=0.01)
    with open_connection(sample) as connection:
        page = render(connection, LAST)
    assert "* The close of an earlier session: this one has none." in page
    text = " ".join(page.split())
    assert said in text
    assert "the largest detractor, " in text
    assert catalog()["not_split"].phrasings[0] not in text


def test_a_close_is_used_for_five_sessions_as_in_the_pipeline(sample: str, run: Run) -> None:
    """The fifth session before the 28th is the 20th, eight days earlier: Christmas is between."""
    missing = {"MSFT": (21, 28), "JNJ": (20, 28), "PEP": (20, 27), "KO": (19, 27)}
    with open_connection(sample) as connection:
        for symbol, (first, last) in missing.items():
            connection.execute(
                sa.text(
                    "DELETE FROM market_data_cache WHERE symbol = :symbol AND"
                    " date BETWEEN make_date(2022, 12, :first) AND make_date(2022, 12, :last)"
                ),
                {"symbol": symbol, "first": first, "last": last},
            )
    assert run([LAST]).exit_code == 0
    shown = query_frame(
        sample,
        "SELECT symbol, max(price) AS price, sum(value) AS value, max(price_day) AS price_day,"
        " sum(daily_price_pnl) AS daily_pnl FROM v_positions_latest"
        " WHERE portfolio = 'Core Equity' GROUP BY 1",
    ).set_index("symbol")
    assert shown.loc[list(missing), "price_day"].tolist() == [date(2022, 12, 20), None, LAST, LAST]
    assert shown.index[shown["value"].isna()].tolist() == ["JNJ"]
    assert shown.index[shown["daily_pnl"].isna()].tolist() == ["JNJ", "KO"]
    with open_connection(sample) as connection:
        inputs = read_book_inputs(
            connection, read_terms(connection, settings.load()), LAST, {"Core Equity"}
        )
    own = inputs.positions[inputs.positions["portfolio"] == "Core Equity"].set_index("symbol")
    expected = own.loc[shown.index]
    for column in ("price", "value", "daily_pnl"):
        np.testing.assert_allclose(
            shown[column].astype(float), expected[column], atol=1e-6, err_msg=column
        )


def test_short_lots_options_and_lots_of_the_day_have_their_own_values(computed_sample: str) -> None:
    with psycopg.connect(computed_sample.replace("+psycopg", "")) as connection:
        (lot,) = (
            connection.execute(
                "SELECT position_id FROM v_positions_latest WHERE symbol = 'AMD' LIMIT 1"
            ).fetchone()
            or ()
        )
        query = (
            "SELECT value / price, daily_price_pnl / value, cumulative_price_pnl"
            " FROM v_positions_latest WHERE position_id = %s"
        )

        def change(assignment: str) -> list[float]:
            connection.execute(f"UPDATE positions SET {assignment} WHERE id = %s", [lot])  # type: ignore[arg-type]
            row = connection.execute(query, [lot]).fetchone() or ()
            return [float(value) if value is not None else math.nan for value in row]

        units, _, _ = change("quantity = 10, entry_price = 50")
        assert units == 10
        assert change("position_type = 'SHORT'")[0] == -10
        units, of_day, since_entry = change("entry_date = '2022-12-28'")
        value = connection.execute(
            "SELECT value FROM v_positions_latest WHERE position_id = %s", [lot]
        ).fetchone() or (0,)
        assert of_day * float(value[0]) == pytest.approx(since_entry)
        assert change("position_type = 'LP', last_price = 2")[0] == 1000
        private = change("position_type = 'LONG', investment_class = 'PRIVATE', last_price = 3")
        assert private[0] == 10
        assert math.isnan(change("entry_date = '2022-12-01'")[1])


def test_never_priced_symbols_and_removed_portfolios_are_in_no_view(computed_sample: str) -> None:
    with psycopg.connect(computed_sample.replace("+psycopg", "")) as connection:
        connection.execute(
            "UPDATE volatility_forecasts SET volatility_forecast = NULL, undefined_reason = 'none',"
            " subject = CASE subject WHEN 'AMD' THEN 'GHOST' ELSE subject END"
            " WHERE subject IN ('AAPL', 'AMD')"
        )
        found = connection.execute(
            "SELECT subject FROM v_forecasts WHERE undefined_reason IS NOT NULL"
        ).fetchall()
        assert found == [("AAPL",)]
        connection.execute("UPDATE portfolios SET deleted_at = now() WHERE name = 'Concentrated'")
        views = connection.execute(
            "SELECT table_name, string_agg(column_name, ' ') FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name LIKE 'v\\_%%'"
            " AND column_name IN ('portfolio', 'subject') GROUP BY 1"
        ).fetchall()
        assert len(views) == 13
        for view, columns in views:
            column = str(columns).split()[0]
            statement = f"SELECT count(*) FROM {view} WHERE {column}::text = 'Concentrated'"
            assert connection.execute(statement.encode()).fetchone() == (0,), view
        assert connection.execute("SELECT count(*) FROM v_positions").fetchone() != (0,)


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


def test_a_forecast_is_drawn_as_a_band_and_columns_of_overrides_exist(database: str) -> None:
    boards = [json.loads(path.read_text()) for path in (GRAFANA / "dashboards").glob("*.json")]
    bands = 0
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        for panel in (panel for board in boards for panel in board["panels"]):
            described = connection.execute(asked(panel["targets"][0]["rawSql"])).description or ()
            columns = {column.name for column in described}
            for override in panel["fieldConfig"]["overrides"]:
                if override["matcher"]["id"] == "byName":
                    assert override["matcher"]["options"] in columns, panel["title"]
                for each in override["properties"]:
                    if each["id"] == "custom.fillBelowTo":
                        assert each["value"] in columns
                        bands += 1
            if field := panel.get("options", {}).get("xField"):
                assert field in columns
    assert bands == 2


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
    "limits",
    "tail_risk",
    "sectors",
    "stress",
    "insights",
)
