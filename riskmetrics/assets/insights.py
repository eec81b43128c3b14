"""What is said of the results: the one group of assets that computes no figure, and whose failure fails nothing."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import date

import dagster as dg
import pandas as pd
from dagster._core.definitions.metadata import RawMetadataValue

from riskmetrics.assets import reports
from riskmetrics.assets.partitions import of_sessions, run_sessions
from riskmetrics.assets.portfolios import (
    portfolio_betas,
    portfolio_rate_betas,
    portfolio_values,
    portfolio_volatility,
    sector_concentration,
)
from riskmetrics.assets.risk import option_exposures, portfolio_drawdowns, portfolio_tail_risk, risk_contributions, stress_tests
from riskmetrics.assets.scores import forecast_scores
from riskmetrics.db import insights as stored
from riskmetrics.db import tables
from riskmetrics.insights import again, facts, pipeline
from riskmetrics.insights.templates import Template
from riskmetrics.resources import Model, Warehouse, provenance

_FAILED = "insights_failed"

_REREAD = 20
"""Stored insights that a run checks again."""


@of_sessions(
    "insights",
    *(portfolio_values, portfolio_betas, portfolio_rate_betas, portfolio_volatility, sector_concentration, forecast_scores),
    *(portfolio_tail_risk, risk_contributions, portfolio_drawdowns, stress_tests, option_exposures),
    writes=(tables.ai_insights,),
)
def ai_insights(context: dg.AssetExecutionContext, warehouse: Warehouse, model: Model) -> None:
    """Analyses of every portfolio in prose whose every figure is checked (`ai_insights`); what is there for the same facts stays."""
    days = run_sessions(context)
    try:
        _write(context, warehouse, model, days)
    except Exception as error:  # noqa: BLE001  # the risk is computed and stored: what is said of it may be said later
        context.log.warning(f"no insights: {error}")
        for day in days:
            context.add_asset_metadata({_FAILED: str(error)}, partition_key=day.isoformat())


def _write(context: dg.AssetExecutionContext, warehouse: Warehouse, model: Model, days: Sequence[date]) -> None:
    """Let the rules write, but for the sessions for which a model may be asked; what one has worded stays in any case."""
    started, by, dear = time.perf_counter(), provenance(context), model.days(days)
    terms = pipeline.Terms(model=model.name, disclose=model.disclose, run_id=by.dagster_run_id, code_version=by.code_version)
    collect_batches(model, terms)
    with warehouse.begin("ai_insights") as connection:
        templates = [Template.of(row) for row in stored.active_templates(connection) if row["insight_type"] in warehouse.insight_types]
        wanted = list(pipeline.requests(facts.sheets(connection, days), templates))
        known = stored.known(connection, days)
        left = pipeline.unworded(wanted, terms, known)
        rows = list(pipeline.rows([request for request in left if request.sheet.day not in dear], terms, known))
        written = stored.store(connection, rows)
    paid = _pay(model, [request for request in left if request.sheet.day in dear], terms)
    seconds = time.perf_counter() - started
    of_run = {"run_rows_changed": written.changed, "run_seconds": seconds}
    by_day: dict[date, list[pipeline.Request]] = {day: [] for day in days}
    for request in wanted:
        by_day[request.sheet.day].append(request)
    for day, requests in by_day.items():
        of_day = _of_day(requests, preview=day == days[-1])
        context.add_asset_metadata({**of_day, **of_run, **(paid if day in dear else {})}, partition_key=day.isoformat())


def _of_day(wanted: Sequence[pipeline.Request], *, preview: bool) -> dict[str, RawMetadataValue]:
    """Say how severe a session's insights are, and of how much that they look at there is a value."""
    sheets = [(request.insight_type, request.sheet) for request in wanted]
    rows = [(sheet.portfolio_id, of, sheet.severity.level, sheet.severity.focus or "") for of, sheet in sheets if sheet.severity]
    numbers: dict[str, RawMetadataValue] = {"dagster/partition_row_count": len(rows)}
    numbers |= {f"severity_{level}": count for level, count in Counter(level for _, _, level, _ in rows).items()}
    known, lacking = sum(len(sheet.facts) for _, sheet in sheets), sum(len(sheet.missing) for _, sheet in sheets)
    if known:
        numbers["coverage"] = known / (known + lacking)
    if preview:
        numbers |= reports.shown(pd.DataFrame(rows, columns=["portfolio_id", "insight_type", "severity", "because_of"]))
    return numbers


def collect_batches(model: Model, terms: pipeline.Terms) -> int:
    """Store what was asked for in batches that have ended; returns how many batches were closed."""
    if model.claude is None:
        return 0
    from riskmetrics.insights import paid

    return paid.collect(model.claude, terms)


def _pay(model: Model, wanted: Sequence[pipeline.Request], terms: pipeline.Terms) -> dict[str, int | float]:
    """Ask the model, and say how often it was asked and what that cost."""
    if model.claude is None:
        return {}
    from riskmetrics.insights import paid

    done = paid.write(model.claude, wanted, terms)
    return {**{f"run_{what}_by_model": count for what, count in done.items()}, "run_cost_usd": float(model.claude.budget.spent())}


@dg.asset_check(asset=ai_insights)
def insights_hold(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """Every portfolio has insights, and a handful of the stored ones say what their facts say."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        rows, lacking = stored.some(connection, days, _REREAD), stored.portfolios_without(connection, days)
    wanted = bool(warehouse.insight_types - {"", "none"})
    found = {str(row["id"]): wrong[0] for row in rows if (wrong := again.complaints(row))}
    first = "".join(f"; {insight}: {wrong}" for insight, wrong in list(found.items())[:1])
    return dg.AssetCheckResult(
        passed=not found and not (wanted and lacking),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"checked_again": len(rows), "do_not_hold": len(found), "portfolio_sessions_without": lacking},
        description=f"{len(found)} of {len(rows)} insights do not hold{first}; {lacking} portfolio sessions have none",
    )
