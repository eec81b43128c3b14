"""Dagster's UI as `riskmetrics ui` starts it."""

import os
from datetime import date

import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.addresses import served_report_url
from riskmetrics.db.tables import STATISTIC_TABLES
from riskmetrics.definitions import defs
from tests.e2e import ui_server
from tests.e2e.conftest import ComputedSample

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
    computed_sample: str, computed_template: ComputedSample
) -> None:
    umask = os.umask(0)
    try:
        with ui_server.serve() as address:
            data = ui_server.query_graphql(address, QUERY)
    finally:
        os.umask(umask)
    home = settings.load().dagster_directory
    assert [path for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []
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
                assert entries["report"]["url"] == served_report_url(date(2022, 12, 28)), name
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
