"""`riskmetrics show insights`: print the insights of a session with their evidence."""

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmetrics.cli.database import (
    find_session,
    missing_results_error,
    read_transaction,
    write_transaction,
)
from riskmetrics.cli.output import print_json
from riskmetrics.cli.shared_options import AsJson, Day, PortfolioName
from riskmetrics.errors import NotStoredError

if TYPE_CHECKING:
    from uuid import UUID

_LINE_WIDTH = 100
"""Longest lines of a note, in characters; a terminal may have shorter ones."""

_LEAD_SENTENCES = 2

_JSON_COLUMNS = (
    *("portfolio", "id", "insight_type", "severity", "title", "summary", "full_analysis"),
    *("key_findings", "recommendations"),
    *("data_limitations", "focus_area", "user_question", "provider", "model_used"),
    *("prompt_version", "data_quality", "cost_usd"),
    *("generation_time_ms", "token_count_input", "token_count_output", "tool_calls_count"),
    *("cache_hit", "cache_source_id", "cache_key"),
    *("user_rating", "user_feedback", "viewed", "dismissed", "day", "created_at", "expires_at"),
    *("updated_at", "run_id"),
)


def insights(
    day: Day = None,
    portfolio: PortfolioName = None,
    every: Annotated[
        bool, typer.Option("--all", help="Include dismissed insights, and answers to questions.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print insights, with findings and their evidence.

    Example: riskmetrics show insights --date 2022-12-28 --portfolio Growth
    """
    from riskmetrics.db import insight_store, result_queries

    with read_transaction() as connection:
        session = find_session(connection, day, portfolio)
        rows = insight_store.read_latest_insights(connection, session, portfolio, include_all=every)
        if not rows and not result_queries.read_snapshots(connection, session, portfolio).size:
            raise missing_results_error(connection, session, portfolio)
    if not rows:
        raise NotStoredError(
            f"no insights are stored for {session}: generate them with riskmetrics ai generate"
            f" --date {session}"
        )
    print_insights(session, rows, as_json=as_json)
    _mark_viewed([row["id"] for row in rows])


def _mark_viewed(ids: "Sequence[UUID]") -> None:
    """Record that insights were shown, unless the role in use is read-only."""
    import psycopg
    import sqlalchemy as sa

    from riskmetrics.db import insight_store

    try:
        with write_transaction() as connection:
            insight_store.set_insight_flags(connection, ids, viewed=True)
    except sa.exc.DBAPIError as error:
        if not isinstance(
            error.orig, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction
        ):
            raise


def print_lead(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print title, first sentences and advice of the daily summaries among insights."""
    from riskmetrics.present import formatting

    width = min(shutil.get_terminal_size((_LINE_WIDTH, 0)).columns, _LINE_WIDTH)
    for row in rows:
        if row["insight_type"] == "daily_summary":
            typer.echo(f"  [{row['severity']}] {row['title']}")
            advice = [each["text"] for each in row["recommendations"] or []]
            text = " ".join([formatting.first_sentences(row["summary"], _LEAD_SENTENCES), *advice])
            typer.echo(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  "))


def print_insights(day: date, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print insights by portfolio with evidence, limitations and author, or as JSON."""
    if as_json:
        print_json([{name: row[name] for name in _JSON_COLUMNS} for row in rows])
        return
    portfolio = None
    for row in rows:
        if row["portfolio"] != portfolio:
            portfolio = row["portfolio"]
            typer.echo(f"\nInsights, {portfolio}, {day}")
        question = f"  “{row['user_question']}”" if row["user_question"] else ""
        typer.echo(f"  [{row['severity']}] {row['title']}{question}")
        for line in _format_insight(row):
            typer.echo(_wrap(f"      {line}"))


def _wrap(line: str) -> str:
    """Return a line in as many as a terminal needs; a pipe gets one."""
    if not sys.stdout.isatty():
        return line
    text = line.lstrip(" ")
    start = " " * (len(line) - len(text))
    width = min(shutil.get_terminal_size((_LINE_WIDTH, 0)).columns, _LINE_WIDTH)
    return textwrap.fill(text, width, initial_indent=start, subsequent_indent=start)


def _format_insight(row: Mapping[str, Any]) -> list[str]:
    from riskmetrics.present import formatting

    lines = [row["summary"], *([row["full_analysis"]] if row["full_analysis"] else [])]
    findings = row["key_findings"] or []
    if evidence := formatting.prose_evidence(findings):
        lines.append(f"    {evidence}")
    for finding in formatting.listed_findings(findings):
        lines += [f"- {finding['text']}", f"    {formatting.evidence(finding['evidence'])}"]
    lines += [f"> {advice['text']}" for advice in row["recommendations"] or []]
    lines += [f"Caveats: {row['data_limitations']}"] if row["data_limitations"] else []
    lines.append(
        f"{row['provider']}, {row['model_used']}, template {row['prompt_version']}, {row['id']}"
    )
    return lines
