"""Dagster's UI in a real browser: the asset graph, an asset's pages and the runs of a job."""

from datetime import date
from pathlib import Path

import pytest

from riskmetrics.db import tables
from riskmetrics.definitions import defs
from tests.e2e import browser, ui_server
from tests.e2e.conftest import ComputedSample

DAY = date(2022, 12, 28)


@pytest.mark.slow(25)
@pytest.mark.timeout(600)  # several pages, each with the patience for a loaded machine
@pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_the_graph_an_assets_pages_and_a_jobs_runs_and_no_startup_warning(
    computed_sample: str, computed_template: ComputedSample, tmp_path: Path
) -> None:
    graph, log = defs.resolve_asset_graph(), tmp_path / "ui.log"
    groups = {str(graph.get(key).group_name) for key in graph.materializable_asset_keys}
    with ui_server.serve(log) as address, browser.open_browser(tmp_path / "profile") as page:
        ui_server.query_graphql(address, "{ version }")
        assert "warning" not in log.read_text().lower()
        page.open(f"{address}/asset-groups", *groups)
        around = (
            "market_prices",
            "har_coefficients",
            "portfolio_betas",
            "portfolio_rate_betas",
            "forecast_outcomes",
            "option_exposures",
        )
        of_group = ("interest_rate_betas", "position_betas", "position_volatility")
        page.open(
            f"{address}/locations/riskmetrics.definitions/asset-groups/positions/lineage",
            *of_group,
            *around,
            "2 / 2 Passed",
        )
        page.open(
            f"{address}/assets/portfolio_tail_risk?view=overview",
            "Value at risk and expected shortfall of every portfolio",
            *(
                "Group\nportfolios",
                "Owners\nriskmetrics",
                "Kinds\n",
                "pandas",
                "Postgres",
                "Jobs\ndaily_risk",
            ),
            *(column.name for column in tables.portfolio_tail_risk.c),
            "Confidence level: at 0.99, one session in a hundred has a larger loss.",
        )
        shown = page.open(
            f"{address}/assets/portfolio_tail_risk?view=events",
            "partition_row_count",
            "median_value_at_risk",
            "expected_shortfall_amount",
        )
        assert "[Show Markdown]" not in shown
        page.open(
            f"{address}/assets/position_betas?view=checks",
            "betas_match_statsmodels",
            "beta_extreme",
            "Succeeded",
            "0 of 37 betas",
        )
        page.open(
            f"{address}/locations/riskmetrics.definitions/jobs/daily_risk/runs",
            computed_template.run_id[:8],
            "Success",
        )
