"""The insights asset and its check. A failure here does not fail the run."""

import time
import traceback
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg
import pandas as pd

from riskmetrics.assets import limit_checks, reports, table_schemas
from riskmetrics.assets.partitions import run_sessions, session_partitions
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.dagster_private import RawMetadataValue
from riskmetrics.db import insight_store, shown_names, tables
from riskmetrics.insights import fact_reading, pipeline, reverify
from riskmetrics.insights.request import Request, writable_requests
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
    progress = _Progress(set(run_sessions(context)))
    try:
        _write_insights(context, warehouse, language_model, progress)
    except Exception as error:  # noqa: BLE001  # results are stored; insights can be generated later
        context.log.warning(f"insight generation stopped after {progress.n_rows} rows: {error}")
        context.log.debug(traceback.format_exc())  # Dagster's event log does not keep exc_info
        for day in sorted(progress.unfinished_days):
            context.add_asset_metadata({_FAILURE_KEY: str(error)}, partition_key=day.isoformat())


@dataclass
class _Progress:
    """What is stored already, if a later step fails."""

    unfinished_days: set[date]
    n_rows: int = 0
    """Rows that were inserted or updated by rules."""


def _write_insights(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    language_model: LanguageModel,
    progress: _Progress,
) -> None:
    """Generate by rules, and by a model where it is allowed; text by a model is kept."""
    start_time = time.perf_counter()
    run_provenance = provenance(context)
    days = run_sessions(context)
    generation_context = pipeline.GenerationContext(
        model=language_model.name,
        anonymization=language_model.anonymization,
        run_id=run_provenance.dagster_run_id,
        code_version=run_provenance.code_version,
    )
    collect_batches(language_model, generation_context)
    model_days = language_model.days_with_model(days)
    summaries, for_model = _write_by_rules(
        warehouse, days, model_days, generation_context, progress
    )
    by_rules = {day: summary for day, summary in summaries.items() if day not in model_days}

    def add_metadata(finished: Mapping[date, _Summary], more: Mapping[str, int | float]) -> None:
        seconds = time.perf_counter() - start_time
        shared = {"run_rows_changed": progress.n_rows, "run_seconds": seconds, **more}
        for day, summary in finished.items():
            preview = _preview(warehouse, summary) if day == days[-1] else {}
            metadata = {**summary.metadata(), **preview, **shared}
            context.add_asset_metadata(metadata, partition_key=day.isoformat())
        progress.unfinished_days -= finished.keys()

    add_metadata(by_rules, {})
    model_metadata = _generate_with_model(language_model, for_model, generation_context)
    add_metadata({day: summaries[day] for day in days if day in model_days}, model_metadata)


def _write_by_rules(
    warehouse: Warehouse,
    days: Sequence[date],
    model_days: Collection[date],
    generation_context: pipeline.GenerationContext,
    progress: _Progress,
) -> "tuple[dict[date, _Summary], list[Request]]":
    """Store the insights of sessions without a model; return those that a model writes."""
    summaries = {day: _Summary() for day in days}
    for_model: list[Request] = []
    with warehouse.read() as connection:
        templates = [
            Template.from_row(row)
            for row in insight_store.read_active_templates(connection)
            if row["insight_type"] in warehouse.insight_types
        ]
        stored_keys = insight_store.read_cache_keys(connection, days)
        batches = fact_reading.read_sheet_batches(connection, days) if templates else ()
        for sheets in batches:
            requests = list(writable_requests(sheets, templates))
            for request in requests:
                summaries[request.sheet.day].add(request)
            pending = pipeline.without_model_text(requests, generation_context, stored_keys)
            by_rules = [request for request in pending if request.sheet.day not in model_days]
            for_model += [request for request in pending if request.sheet.day in model_days]
            rows = list(pipeline.insight_rows(by_rules, generation_context, stored_keys))
            # each batch locks relations of its own until it commits: a server has some thousands
            with warehouse.begin("ai_insights") as writing:
                changed = insight_store.store_insights(writing, rows).changed
            progress.n_rows += changed
    return summaries, for_model


@dataclass
class _Summary:
    """Severities and fact coverage of a session's insights."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    n_facts: int = 0
    n_missing: int = 0

    def add(self, request: Request) -> None:
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


def _preview(warehouse: Warehouse, summary: _Summary) -> dict[str, RawMetadataValue]:
    """Return the preview of a session's insights."""
    with warehouse.read() as connection:
        return reports.preview(shown_names.replace_ids_with_names(connection, summary.table()))


def collect_batches(
    language_model: LanguageModel, generation_context: pipeline.GenerationContext
) -> int:
    """Store the results of completed batches, and return the number of batches that were closed."""
    if language_model.claude is None:
        return 0
    from riskmetrics.insights import model_writer

    return model_writer.store_batch_answers(
        language_model.claude, generation_context, language_model.warehouse.insight_types
    )


def _generate_with_model(
    language_model: LanguageModel,
    requests: Sequence[Request],
    generation_context: pipeline.GenerationContext,
) -> dict[str, int | float]:
    """Write insights with the model, and return the numbers of insights and the cost."""
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
    """Every portfolio has insights, and a sample matches its stored facts."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        rows = insight_store.sample_insights(connection, days, _REVERIFY_SAMPLE_SIZE)
        n_without_insights = insight_store.count_without_insights(connection, days)
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
            f"{len(failed)} of {len(rows)} insights failed verification{first};"
            f" {n_without_insights} portfolio sessions have none"
        ),
    )
