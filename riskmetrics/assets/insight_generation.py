"""The insights asset and its check. A failure here does not fail the run."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg
import pandas as pd

from riskmetrics.assets import limit_checks, reports, table_schemas
from riskmetrics.assets.partitions import run_sessions, session_partitions
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.dagster_private import RawMetadataValue
from riskmetrics.db import insight_store as stored
from riskmetrics.db import shown_names, tables
from riskmetrics.insights import fact_sheet, pipeline, reverify
from riskmetrics.insights.templates import Template
from riskmetrics.resources import LanguageModel, Warehouse, provenance

_FAILURE_KEY = "insights_failed"

_REVERIFY_SAMPLE_SIZE = 20
"""Stored insights that a run checks again."""


@dg.asset(
    deps=[
        *(asset.name for asset in RESULT_ASSETS if asset.group == "portfolios"),
        limit_checks.portfolio_limit_checks,
    ],
    partitions_def=session_partitions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="insights",
    kinds={"postgres", "pandas"},
    owners=["team:riskmetrics"],
    metadata=table_schemas.table_metadata(tables.ai_insights),
)
def ai_insights(
    context: dg.AssetExecutionContext, warehouse: Warehouse, language_model: LanguageModel
) -> None:
    """Notes on every portfolio (`ai_insights`); insights on unchanged facts are kept."""
    days = run_sessions(context)
    try:
        _write_insights(context, warehouse, language_model, days)
    except Exception as error:  # noqa: BLE001  # results are stored; insights can be generated later
        context.log.warning(f"no insights: {error}")
        for day in days:
            context.add_asset_metadata({_FAILURE_KEY: str(error)}, partition_key=day.isoformat())


def _write_insights(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    language_model: LanguageModel,
    days: Sequence[date],
) -> None:
    """Generate by rules, and by a model where it is allowed; text by a model is kept."""
    start_time, run_provenance, model_days = (
        time.perf_counter(),
        provenance(context),
        language_model.days_with_model(days),
    )
    generation_context = pipeline.GenerationContext(
        model=language_model.name,
        anonymization=language_model.anonymization,
        run_id=run_provenance.dagster_run_id,
        code_version=run_provenance.code_version,
    )
    collect_batches(language_model, generation_context)
    summaries = {day: _Summary() for day in days}
    changed, for_model = 0, []
    with warehouse.read() as connection:
        templates = [
            Template.from_row(row)
            for row in stored.read_active_templates(connection)
            if row["insight_type"] in warehouse.insight_types
        ]
        stored_keys = stored.read_cache_keys(connection, days)
        for sheets in fact_sheet.read_sheet_batches(connection, days):
            requests = list(pipeline.writable_requests(sheets, templates))
            for request in requests:
                summaries[request.sheet.day].add(request)
            pending = pipeline.without_model_text(requests, generation_context, stored_keys)
            by_rules = [request for request in pending if request.sheet.day not in model_days]
            for_model += [request for request in pending if request.sheet.day in model_days]
            rows = list(pipeline.insight_rows(by_rules, generation_context, stored_keys))
            # each batch locks relations of its own until it commits: a server has some thousands
            with warehouse.begin("ai_insights") as writing:
                changed += stored.store_insights(writing, rows).changed
    model_metadata = _generate_with_model(language_model, for_model, generation_context)
    seconds = time.perf_counter() - start_time
    run_metadata = {"run_rows_changed": changed, "run_seconds": seconds}
    with warehouse.read() as connection:
        last_rows = shown_names.name_rows(connection, summaries[days[-1]].table())
    for day, summary in summaries.items():
        context.add_asset_metadata(
            {
                **summary.metadata(),
                **(reports.preview(last_rows) if day == days[-1] else {}),
                **run_metadata,
                **(model_metadata if day in model_days else {}),
            },
            partition_key=day.isoformat(),
        )


@dataclass
class _Summary:
    """Severities and fact coverage of a session's insights."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    n_facts: int = 0
    n_missing: int = 0

    def add(self, request: pipeline.Request) -> None:
        """Add an insight."""
        sheet = request.sheet
        self.n_facts += len(sheet.facts)
        self.n_missing += len(sheet.missing)
        focus = request.alarm.form.id if request.alarm else ""
        self.rows.append((sheet.portfolio_id, request.insight_type, request.severity, focus))

    def table(self) -> pd.DataFrame:
        """Return a row for each insight."""
        columns = ["portfolio_id", "insight_type", "severity", "focus_area"]
        return pd.DataFrame(self.rows, columns=columns)

    def metadata(self) -> dict[str, RawMetadataValue]:
        """Return the metadata of the session's materialization."""
        numbers: dict[str, RawMetadataValue] = {"dagster/partition_row_count": len(self.rows)}
        counts = Counter(level for _, _, level, _ in self.rows)
        numbers |= {f"severity_{level}": count for level, count in counts.items()}
        if self.n_facts:
            numbers["coverage"] = self.n_facts / (self.n_facts + self.n_missing)
        return numbers


def collect_batches(
    language_model: LanguageModel, generation_context: pipeline.GenerationContext
) -> int:
    """Store what was asked for in batches that have ended; returns how many batches were closed."""
    if language_model.claude is None:
        return 0
    from riskmetrics.insights import model_writer

    return model_writer.store_batch_answers(
        language_model.claude, generation_context, language_model.warehouse.insight_types
    )


def _generate_with_model(
    language_model: LanguageModel,
    requests: Sequence[pipeline.Request],
    generation_context: pipeline.GenerationContext,
) -> dict[str, int | float]:
    """Ask the model, and say how often it was asked and what that cost."""
    if language_model.claude is None:
        return {}
    from riskmetrics.insights import model_writer

    counts = model_writer.write_insights(language_model.claude, requests, generation_context)
    return {
        **{f"run_{outcome}_by_model": count for outcome, count in counts.items()},
        "run_cost_usd": float(language_model.claude.budget.run_spend()),
    }


@dg.asset_check(asset=ai_insights)
def insights_verified(
    context: dg.AssetCheckExecutionContext, warehouse: Warehouse
) -> dg.AssetCheckResult:
    """Every portfolio has insights, and a handful of the stored ones say what their facts say."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        rows, n_without_insights = (
            stored.sample_insights(connection, days, _REVERIFY_SAMPLE_SIZE),
            stored.count_without_insights(connection, days),
        )
    is_generation_enabled = bool(warehouse.insight_types - {"", "none"})
    failed = {
        str(row["id"]): wrong[0] for row in rows if (wrong := reverify.find_stored_violations(row))
    }
    first = "".join(f"; {insight}: {wrong}" for insight, wrong in list(failed.items())[:1])
    return dg.AssetCheckResult(
        passed=not failed and not (is_generation_enabled and n_without_insights),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "reverified": len(rows),
            "failed": len(failed),
            "sessions_without_insights": n_without_insights,
        },
        description=(
            f"{len(failed)} of {len(rows)} insights do not hold{first}; {n_without_insights}"
            " portfolio sessions have none"
        ),
    )
