"""Dagster's UI as `riskmetrics ui` starts it: what it answers, and its pages in a browser."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from riskmetrics.addresses import served_report_url
from riskmetrics.db import tables
from riskmetrics.db.tables import STATISTIC_TABLES
from riskmetrics.definitions import defs
from tests.conftest import NewDatabase
from tests.e2e import browser, ui_server
from tests.e2e.conftest import ComputedSample, copy_home, use_database

pytestmark = pytest.mark.together(35)

DAY = date(2022, 12, 28)

QUERY = """{
  assetNodes {
    assetKey { path } groupName description kinds isPartitioned
    owners { ... on TeamAssetOwner { team } }
    assetChecksOrError { ... on AssetChecks { checks { name description } } }
    metadataEntries {
      label ... on TableSchemaMetadataEntry { schema { columns { name type description } } }
    }
    assetMaterializations(limit: 1) { metadataEntries {
      __typename label ... on MarkdownMetadataEntry { mdStr } ... on IntMetadataEntry { intValue }
      ... on UrlMetadataEntry { url }
    } }
  }
  runsOrError { ... on Runs { results { runId status tags { key value } } } }
  repositoriesOrError {
    ... on RepositoryConnection {
      nodes { schedules { name cronSchedule executionTimezone pipelineName } }
    }
  }
}"""

INLINE = 1000
"""Characters of Markdown above which the UI shows a button instead."""

JOBS = {
    "daily_risk": True,
    "insights": True,
    "calibrate": False,
    "seed_benchmark": False,
    "collect_insights": False,
}
"""Jobs, and whether their runs have partitions."""


class ServedUI(NamedTuple):
    """A running UI, and what it and its daemon had said when it first answered."""

    address: str
    said: str


@pytest.fixture(scope="module")
def ui(
    computed_template: ComputedSample,
    create_database: NewDatabase,
    fast_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServedUI]:
    """Serve the computed sample, under umask 000: nothing in the home is open to others."""
    url = create_database(sa.make_url(computed_template.url).database)
    home = Path(copy_home(computed_template.home, fast_folder))
    folder = tmp_path_factory.mktemp("ui")
    log = folder / "ui.log"
    with ExitStack() as stack:
        umask = os.umask(0)
        try:
            with use_database(url, home) as patch:
                patch.chdir(folder)
                address = stack.enter_context(ui_server.serve(log))
        finally:
            os.umask(umask)
        ui_server.query_graphql(address, "{ version }")
        yield ServedUI(address, log.read_text())
    dagster = home / "dagster"
    assert [path for path in (dagster, *dagster.rglob("*")) if path.stat().st_mode & 0o077] == []


def test_every_asset_and_check_says_what_it_is_and_every_job_tags_its_runs() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node, name = graph.get(key), key.to_user_string()
        assert str(node.description).endswith("."), name
        assert (node.owners, node.group_name != "default", "postgres" in node.kinds) == (
            ["team:riskmetrics"],
            True,
            True,
        ), name
        assert all(
            column.description for column in node.metadata["dagster/column_schema"].columns
        ), name
    checks = [graph.get(key) for key in graph.asset_check_keys]
    assert [check.key.name for check in checks if not check.description] == []
    jobs = {job.name: job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
    assert {name: job.partitions_def is not None for name, job in jobs.items()} == JOBS
    for name, job in jobs.items():
        assert job.description, name
        assert job.run_tags["riskmetrics/code_version"], name


def test_the_job_of_insights_computes_no_figure() -> None:
    layer = defs.resolve_job_def("insights").asset_layer
    assert {key.to_user_string() for key in layer.executable_asset_keys} == {"ai_insights"}


def test_the_ui_shows_the_graph_and_the_runs_of_the_command_line(
    ui: ServedUI, computed_template: ComputedSample
) -> None:
    data = ui_server.query_graphql(ui.address, QUERY)
    groups = {node["assetKey"]["path"][0]: node["groupName"] for node in data["assetNodes"]}
    assert groups == {
        **dict.fromkeys(("market_prices", "company_profiles", "benchmark_weights"), "market_data"),
        "har_coefficients": "model",
        **dict.fromkeys(
            ("position_betas", "interest_rate_betas", "position_volatility"), "positions"
        ),
        **dict.fromkeys(
            ("portfolio_values", "portfolio_betas", "portfolio_rate_betas", "portfolio_volatility"),
            "portfolios",
        ),
        **dict.fromkeys(
            ("sector_concentration", "portfolio_tail_risk", "risk_contributions"), "portfolios"
        ),
        **dict.fromkeys(STATISTIC_TABLES, "portfolios"),
        **dict.fromkeys(("stress_tests", "option_exposures", "forecast_outcomes"), "portfolios"),
        **dict.fromkeys(("correlations", "liquidity", "portfolio_limit_checks"), "portfolios"),
        "portfolio_factor_exposures": "portfolios",
        "symbol_factor_exposures": "positions",
        "ai_insights": "insights",
    }
    for node in data["assetNodes"]:
        name = node["assetKey"]["path"][0]
        assert (bool(node["description"]), node["owners"]) == (
            True,
            [{"team": "riskmetrics"}],
        ), name
        assert "postgres" in node["kinds"], name
        (schema,) = [
            entry["schema"]["columns"]
            for entry in node["metadataEntries"]
            if entry["label"] == "dagster/column_schema"
        ]
        table = next(
            entry for entry in node["metadataEntries"] if entry["label"] == "dagster/table_name"
        )
        assert table, name
        assert [column["name"] for column in schema if not column["description"]] == [], name
        entries = {
            entry["label"]: entry
            for made in node["assetMaterializations"]
            for entry in made["metadataEntries"]
        }
        plotted = {
            name
            for name, entry in entries.items()
            if entry["__typename"] in ("IntMetadataEntry", "FloatMetadataEntry")
        }
        if node["isPartitioned"]:
            assert {"dagster/partition_row_count", "run_rows_changed"} <= plotted, name
            assert len(entries["preview"]["mdStr"]) < INLINE, name
            if node["groupName"] == "portfolios":
                assert entries["report"]["url"] == served_report_url(DAY), name
            if entries["dagster/partition_row_count"]["intValue"]:
                assert "coverage" in plotted, name
            if (
                "coverage" in plotted
                and not entries.get("undefined_values", {"intValue": 0})["intValue"]
            ):
                assert any(of.startswith(("median_", "severity_")) for of in plotted), name
        elif name != "har_coefficients":  # fitted when a person asks for it
            assert "dagster/row_count" in plotted, name
            assert len(entries["preview"]["mdStr"]) < INLINE, name
    results, run_id = data["runsOrError"]["results"], computed_template.run_id
    (own,) = [run for run in results if run["runId"] == run_id]
    tags = {tag["key"]: tag["value"] for tag in own["tags"]}
    assert own["status"] == "SUCCESS"
    assert tags["dagster/partition"] == "2022-12-28"
    assert tags["riskmetrics/started_by"] == "the command line"
    assert tags["riskmetrics/code_version"]
    ((schedule,),) = [
        repository["schedules"] for repository in data["repositoriesOrError"]["nodes"]
    ]
    assert list(schedule.values()) == [
        "after_close",
        "30 18 * * 1-5",
        "America/New_York",
        "daily_risk",
    ]


def test_the_columns_that_the_ui_shows_are_those_of_the_database(engine: sa.Engine) -> None:
    """Oracle: what Postgres says of the migrated tables."""
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        metadata = graph.get(key).metadata
        name = metadata["dagster/table_name"]
        shown = {
            column.name: (column.type, column.constraints.nullable)
            for column in metadata["dagster/column_schema"].columns
        }
        columns = sa.inspect(engine).get_columns(name)
        stored = {
            column["name"]: (
                column["type"].compile(dialect=engine.dialect).lower(),
                column["nullable"],
            )
            for column in columns
        }
        assert shown == stored, name


@pytest.mark.timeout(600)  # several pages, each with the patience for a loaded machine
@pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_the_graph_an_assets_pages_and_a_jobs_runs_and_no_startup_warning(
    ui: ServedUI, computed_template: ComputedSample, tmp_path: Path
) -> None:
    graph, address = defs.resolve_asset_graph(), ui.address
    groups = {str(graph.get(key).group_name) for key in graph.materializable_asset_keys}
    assert "warning" not in ui.said.lower()
    with browser.open_browser(tmp_path / "profile") as page:
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
