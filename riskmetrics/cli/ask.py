"""`riskmetrics ai ask` and `ai budget`: questions to a language model, and what models cost."""

from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import connect_at_head, read_transaction, require_database
from riskmetrics.cli.insight_requests import (
    build_generation_context,
    generate_with_model,
    select_requests,
)
from riskmetrics.cli.output import print_frame, print_json, require_printable
from riskmetrics.cli.shared_options import AsJson, Day
from riskmetrics.cli.show_insights import print_insights
from riskmetrics.errors import NotStoredError, UsageError

if TYPE_CHECKING:
    from riskmetrics.insights.plan import Plan


def ask(
    portfolio: Annotated[str, typer.Argument(help="Name of the portfolio.")],
    question: Annotated[
        str | None,
        typer.Argument(
            help="Your question, at most 500 characters. It is sent to the model unchanged."
            " Without one, what can be asked is printed."
        ),
    ] = None,
    day: Day = None,
    as_json: AsJson = False,
) -> None:
    """Ask a question about a portfolio; stored facts answer it.

    Without ANTHROPIC_API_KEY, fixed rules answer questions about figures, with level, window,
    comparison and position; any other question prints three that can be asked. A day in the
    question, such as "on December 20", chooses the session unless --date does. Answers are cached
    per question and set of facts.

    Example: riskmetrics ai ask Growth "What drives the volatility?" --date 2022-12-28
    """
    from riskmetrics import settings
    from riskmetrics.db import insight_store
    from riskmetrics.db.portfolios import find_portfolio_id
    from riskmetrics.insights import pipeline
    from riskmetrics.insights.questions.parsing import find_named_session
    from riskmetrics.insights.templates import MAX_QUESTION_CHARS

    if question is None:
        with read_transaction() as connection:
            find_portfolio_id(connection, portfolio)
        typer.echo(f"You can ask:{_list_questions()}")
        return
    if not 0 < len(question.strip()) <= MAX_QUESTION_CHARS:
        raise UsageError(f"a question must have 1 to {MAX_QUESTION_CHARS} characters")
    require_printable(question, "the question")
    configured = settings.load()
    require_database()
    with connect_at_head() as engine:
        with engine.connect() as connection:
            text = question.strip()
            session, requests = select_requests(
                connection, configured, day, portfolio, "custom", text
            )
            if day is None and (other := find_named_session(text, session)) is not None:
                _, requests = select_requests(
                    connection, configured, other, portfolio, "custom", text, session
                )
        request = requests[0]
        if configured.anthropic_api_key is None and not _is_answered(request.plan):
            raise UsageError(_offer(request.plan))
        context = build_generation_context(configured)
        if configured.anthropic_api_key is None:
            with engine.begin() as connection:
                rows = list(pipeline.insight_rows([request], context, ()))
                insight_store.store_insights(connection, rows)
        else:
            generate_with_model(engine, configured, [request], context)
        keys = pipeline.answer_keys(
            request, context, by_model=configured.anthropic_api_key is not None
        )
        with engine.connect() as connection:
            answer = insight_store.read_answer(connection, keys)
    if answer is None:
        raise NotStoredError(
            f"too many facts of {portfolio} are undefined to answer: see riskmetrics show undefined"
        )
    print_insights(request.sheet.day, [answer], as_json=as_json)


def _is_answered(plan: "Plan | None") -> bool:
    """Return whether the rules read a question; what they refuse, they answer."""
    return plan is not None and (bool(plan.statements()) or "no_rule" not in plan.missing)


def _list_questions() -> str:
    """Return all questions that are offered, by group."""
    from riskmetrics.insights.questions.question_figures import offered_questions

    return "".join(
        f"\n{group}" + "".join(f"\n  {each}" for each in examples)
        for group, examples in offered_questions().items()
    )


def _offer(plan: "Plan | None") -> str:
    """Return the message on a question that no rule answers: the nearest that can be asked."""
    unread = ", ".join(f"“{each}”" for each in plan.unread) if plan else ""
    nearest = "".join(f"\n  {each}" for each in plan.nearest) if plan else ""
    return (
        "without ANTHROPIC_API_KEY, fixed rules answer questions about stored figures only"
        f"{f'; not known: {unread}' if unread else ''}. Set the key"
        f"{f', or ask:{nearest}' if nearest else '.'}\nWithout a question, the command lists all."
    )


def budget(as_json: AsJson = False) -> None:
    """Print the cost of models over 30 days, and what is left today.

    Example: riskmetrics ai budget
    """
    import pandas as pd

    from riskmetrics import settings
    from riskmetrics.db import spending

    configured = settings.load()
    with read_transaction() as connection:
        days = spending.read_spend_by_day(connection, 30)
        remaining_usd = configured.ai_usd_per_day - spending.read_spend_today(connection)
    caps = {
        "insight": configured.ai_usd_per_insight,
        "run": configured.ai_usd_per_run,
        "day": configured.ai_usd_per_day,
    }
    if as_json:
        print_json(
            {
                "caps_usd": caps,
                "remaining_today_usd": max(remaining_usd, 0),
                "days": [dict(day) for day in days],
            }
        )
        return
    if days:
        shown = pd.DataFrame([dict(day) for day in days]).astype(
            {"paid_usd": float, "reserved_usd": float}
        )
        print_frame(
            shown,
            as_json=False,
            formats=dict.fromkeys(("paid_usd", "reserved_usd"), "{:.6f}".format),
            title="Language model calls",
        )
    typer.echo(
        f"{max(remaining_usd, 0):.6f} of {caps['day']:.2f} USD left today (UTC); caps:"
        f" {caps['run']:.2f} per run, {caps['insight']:.2f} per insight"
    )
