"""`riskmetrics ai ask` and `ai budget`: questions to a language model, and what models have cost."""

from typing import Annotated

import typer

from riskmetrics.cli.options import AsJson, Day, day_of
from riskmetrics.cli.output import fail, present, print_json, require_printable


def ask(
    portfolio: Annotated[str, typer.Argument(help="Name of the portfolio.")],
    question: Annotated[str, typer.Argument(help="What you want to know, in 500 characters at most. It is sent as it is.")],
    day: Day = None,
    as_json: AsJson = False,
) -> None:
    """Ask a question about a portfolio; the same one about the same facts is paid for once. Without ANTHROPIC_API_KEY the rules answer.

    Example: riskmetrics ai ask Growth "What drives the volatility?" --date 2022-12-28
    """
    from riskmetrics import settings
    from riskmetrics.cli.database import connected
    from riskmetrics.cli.insight_list import show
    from riskmetrics.cli.insights import asked, terms, wanted
    from riskmetrics.db import insights as stored
    from riskmetrics.insights import pipeline
    from riskmetrics.insights.templates import LONGEST_QUESTION

    if not 0 < len(question.strip()) <= LONGEST_QUESTION:
        raise fail(f"a question has 1 to {LONGEST_QUESTION} characters", code=2)
    require_printable(question, "the question")
    configured = settings.load()
    with connected() as engine:
        with engine.connect() as connection:
            _, (request, *_) = wanted(connection, configured, day_of(day), portfolio, "custom", question.strip())
        made = terms(configured)
        if configured.anthropic_api_key is None:
            with engine.begin() as connection:
                stored.store(connection, list(pipeline.rows([request], made, ())))
        else:
            asked(engine, configured, [request], made)
        with engine.connect() as connection:
            found = [row for row in stored.latest(connection, request.sheet.day, portfolio) if row["user_question"] == request.question]
    if not found:
        raise fail(f"too many facts of {portfolio} have no value to say anything: riskmetrics show undefined")
    show(request.sheet.day, found, as_json=as_json)


def budget(as_json: AsJson = False) -> None:
    """Print what language models have cost in the last days, and what may still be spent today.

    Example: riskmetrics ai budget
    """
    import pandas as pd

    from riskmetrics import settings
    from riskmetrics.cli.database import reading
    from riskmetrics.db import spending

    configured = settings.load()
    with reading() as connection:
        days = spending.by_day(connection, 30)
        left = configured.ai_usd_per_day - spending.today(connection)
    caps = {"insight": configured.ai_usd_per_insight, "run": configured.ai_usd_per_run, "day": configured.ai_usd_per_day}
    if as_json:
        print_json({"caps_usd": caps, "left_today_usd": max(left, 0), "days": [dict(day) for day in days]})
        return
    if days:
        shown = pd.DataFrame([dict(day) for day in days]).astype({"paid_usd": float, "reserved_usd": float})
        present(
            shown, as_json=False, formats=dict.fromkeys(("paid_usd", "reserved_usd"), "{:.6f}".format), title="Calls to language models"
        )
    typer.echo(
        f"{max(left, 0):.6f} of {caps['day']:.2f} USD are left today (UTC); "
        f"a run may spend {caps['run']:.2f}, an insight {caps['insight']:.2f}"
    )
