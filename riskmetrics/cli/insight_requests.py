"""Requests of insights by commands, and their generation with the language model."""

from datetime import date
from typing import TYPE_CHECKING

from riskmetrics.cli.database import find_session, missing_results_error
from riskmetrics.errors import NotStoredError, UsageError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    import sqlalchemy as sa

    from riskmetrics.insights.pipeline import GenerationContext
    from riskmetrics.insights.request import Request
    from riskmetrics.settings import Settings


def select_requests(
    connection: "sa.Connection",
    configured: "Settings",
    day: date | None,
    portfolio: str | None,
    insight_type: str | None,
    question: str | None = None,
    today: date | None = None,
) -> "tuple[date, list[Request]]":
    """Return the session and the insight requests of the options; exit if there are none.

    A question counts its days from the session, unless ``today`` is another one.
    """
    from riskmetrics.db import input_queries, insight_store
    from riskmetrics.insights import fact_reading
    from riskmetrics.insights.question_facts import add_question_facts
    from riskmetrics.insights.request import writable_requests
    from riskmetrics.insights.templates import Template

    session = find_session(connection, day, portfolio)
    active = {
        row["insight_type"]: Template.from_row(row)
        for row in insight_store.read_active_templates(connection)
    }
    if insight_type and insight_type not in active:
        raise UsageError(
            f"no template of type {insight_type} is active: see riskmetrics ai templates list"
        )
    daily = set(configured.ai_types.split(","))
    chosen = {insight_type} if insight_type else daily
    sheets = fact_reading.read_sheets(connection, [session], portfolio)
    templates = [template for kind, template in active.items() if kind in daily | chosen]
    names: tuple[str, ...] = ()
    if question is not None and portfolio is not None:
        others = {*input_queries.read_portfolios(connection)["name"]} - {portfolio}
        names = (portfolio, *sorted(others))
        sheets = [add_question_facts(connection, sheet) for sheet in sheets]
    requests = [
        request
        for request in writable_requests(sheets, templates, question, names, today)
        if request.insight_type in chosen
    ]
    if not sheets:
        raise missing_results_error(connection, session, portfolio)
    if not requests:
        portfolio_phrase = f" of {portfolio}" if portfolio else ""
        raise NotStoredError(
            f"no facts{portfolio_phrase} for these insights on {session}: compute them with"
            f" riskmetrics run --date {session}"
        )
    return session, requests


def build_generation_context(configured: "Settings") -> "GenerationContext":
    """Return the context shared by all insights of a command."""
    from riskmetrics.insights.pipeline import GenerationContext
    from riskmetrics.resources import code_version

    return GenerationContext(
        model=configured.ai_model,
        anonymization=configured.ai_anonymization,
        code_version=code_version(),
    )


def generate_with_model(
    engine: "sa.Engine",
    configured: "Settings",
    requests: "Sequence[Request]",
    generation_context: "GenerationContext",
) -> "Counter[str]":
    """Generate insights with the language model; the command counts as a run in the budget."""
    from uuid import uuid4

    from riskmetrics.insights import model_writer
    from riskmetrics.insights.claude import open_claude

    with open_claude(engine, configured, str(uuid4())) as claude:
        return model_writer.write_insights(claude, requests, generation_context)
