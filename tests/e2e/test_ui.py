"""Dagster's UI as `riskmetrics ui` starts it."""

from datetime import date

import sqlalchemy as sa

from riskmetrics.definitions import defs
from tests.e2e import ui_server
from tests.e2e.conftest import Run

QUERY = """{
  assetNodes {
    assetKey { path } groupName description kinds isPartitioned
    owners { ... on TeamAssetOwner { team } }
    assetChecksOrError { ... on AssetChecks { checks { name description } } }
    metadataEntries { label ... on TableSchemaMetadataEntry { schema { columns { name type description } } } }
    assetMaterializations(limit: 1) { metadataEntries { __typename label } }
  }
  runsOrError { ... on Runs { results { runId status tags { key value } } } }
  repositoriesOrError {
    ... on RepositoryConnection { nodes { schedules { name cronSchedule executionTimezone pipelineName } } }
  }
}"""


def test_the_ui_shows_the_graph_and_the_runs_of_the_command_line(sample: str, run: Run) -> None:
    run_id = run([date(2022, 12, 28)]).run_id
    with ui_server.serve() as address:
        data = ui_server.ask(address, QUERY)
    groups = {node["assetKey"]["path"][0]: node["groupName"] for node in data["assetNodes"]}
    assert groups == {
        **dict.fromkeys(("market_prices", "company_profiles", "benchmark_weights"), "market_data"),
        "har_coefficients": "model",
        **dict.fromkeys(("position_betas", "interest_rate_betas", "position_volatility"), "positions"),
        **dict.fromkeys(("portfolio_values", "portfolio_betas", "portfolio_rate_betas", "portfolio_volatility"), "portfolios"),
        **dict.fromkeys(("sector_concentration", "portfolio_tail_risk", "risk_contributions", "portfolio_drawdowns"), "portfolios"),
        **dict.fromkeys(("stress_tests", "option_exposures", "forecast_scores"), "portfolios"),
        "ai_insights": "insights",
    }
    for node in data["assetNodes"]:
        name = node["assetKey"]["path"][0]
        assert (bool(node["description"]), node["owners"]) == (True, [{"team": "riskmetrics"}]), name
        assert "postgres" in node["kinds"], name
        (schema,) = [entry["schema"]["columns"] for entry in node["metadataEntries"] if entry["label"] == "dagster/column_schema"]
        table = next(entry for entry in node["metadataEntries"] if entry["label"] == "dagster/table_name")
        assert table, name
        assert any(column["description"] for column in schema), name
        shown = {entry["label"] for made in node["assetMaterializations"] for entry in made["metadataEntries"]}
        if node["isPartitioned"]:
            of_figures = set() if name == "ai_insights" else {"undefined_values", "preview"}
            assert {"dagster/partition_row_count", "run_rows_changed"} | of_figures <= shown, name
        elif name != "har_coefficients":  # fitted when a person asks for it
            assert {"dagster/row_count", "preview"} <= shown, name
    (own,) = [run for run in data["runsOrError"]["results"] if run["runId"] == run_id]
    tags = {tag["key"]: tag["value"] for tag in own["tags"]}
    assert own["status"] == "SUCCESS"
    assert tags["dagster/partition"] == "2022-12-28"
    assert tags["riskmetrics/started_by"] == "the command line"
    assert tags["riskmetrics/code_version"]
    ((schedule,),) = [repository["schedules"] for repository in data["repositoriesOrError"]["nodes"]]
    assert list(schedule.values()) == ["after_close", "30 18 * * 1-5", "America/New_York", "daily_risk"]


def test_the_columns_that_the_ui_shows_are_those_of_the_database(engine: sa.Engine) -> None:
    """Oracle: what Postgres says of the migrated tables."""
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        metadata = graph.get(key).metadata
        name = metadata["dagster/table_name"]
        shown = {column.name: (column.type, column.constraints.nullable) for column in metadata["dagster/column_schema"].columns}
        columns = sa.inspect(engine).get_columns(name)
        stored = {column["name"]: (column["type"].compile(dialect=engine.dialect).lower(), column["nullable"]) for column in columns}
        assert shown == stored, name
