"""`riskmetrics ai`: generate, preview, verify, rate and hide insights."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer

from riskmetrics.cli import template_commands
from riskmetrics.cli.ask import ask, budget
from riskmetrics.cli.database import connect_at_head, read_transaction, write_transaction
from riskmetrics.cli.insight_requests import (
    build_generation_context,
    generate_with_model,
    select_requests,
)
from riskmetrics.cli.output import echo_err, pluralize, print_json, require_printable
from riskmetrics.cli.shared_options import AsJson, Day, PortfolioName
from riskmetrics.errors import DataQualityError, NotStoredError

_WRITE, _REVIEW, _MODEL = "Write insights", "Review insights", "Language model"

app = typer.Typer(
    help="Write, check and rate insights: text with verified figures.", no_args_is_help=True
)
app.add_typer(template_commands.app, name="templates", rich_help_panel=_MODEL)

_InsightId = Annotated[
    UUID, typer.Argument(help="Id of an insight, as printed by riskmetrics show insights.")
]
_TypeOption = Annotated[
    str | None,
    typer.Option(
        "--type",
        help="Only this type, such as concentration_risk. Default: the types of the daily job.",
    ),
]


@app.command(rich_help_panel=_WRITE)
def generate(
    day: Day = None,
    portfolio: PortfolioName = None,
    insight_type: _TypeOption = None,
    as_json: AsJson = False,
) -> None:
    """Generate the insights of a session.

    A language model writes them if ANTHROPIC_API_KEY is set, else fixed rules do. Existing insights
    for the same facts are kept.

    Example: riskmetrics ai generate --date 2022-12-28 --portfolio Growth --type concentration_risk
    """
    from riskmetrics import settings
    from riskmetrics.db import insight_store, write
    from riskmetrics.insights import pipeline

    configured = settings.load()
    counts = {"written": 0, "from_cache": 0, "in_batch": 0, "unwritten": 0}
    with connect_at_head() as engine:
        with engine.begin() as connection:
            write.lock_asset(connection, "ai_insights")
            session, requests = select_requests(
                connection, configured, day, portfolio, insight_type
            )
            generation_context = build_generation_context(configured)
            stored_keys = insight_store.read_cache_keys(connection, [session])
            unwritten = pipeline.without_model_text(requests, generation_context, stored_keys)
            if configured.anthropic_api_key is None:
                counts["written"] = insight_store.store_insights(
                    connection,
                    list(pipeline.insight_rows(unwritten, generation_context, stored_keys)),
                ).changed
        if configured.anthropic_api_key is not None:
            counts |= generate_with_model(engine, configured, unwritten, generation_context)
    summary = {
        "day": session.isoformat(),
        **counts,
        "unchanged": len(requests) - sum(counts.values()),
    }
    if as_json:
        print_json(summary)
    else:
        others = {
            "from_cache": "copied from the cache",
            "in_batch": "pending in a batch",
            "unwritten": "without facts",
        }
        parts = [
            f"{pluralize(counts['written'], 'insight')} written for {session}",
            f"{summary['unchanged']} unchanged",
            *(f"{counts[name]} {text}" for name, text in others.items() if counts[name]),
        ]
        typer.echo(", ".join(parts))


@app.command(rich_help_panel=_MODEL)
def preview(
    day: Day = None,
    portfolio: PortfolioName = None,
    insight_type: _TypeOption = None,
    as_json: AsJson = False,
) -> None:
    """Print the prompts for a language model, and what they would cost.

    Nothing is sent.

    Example: riskmetrics ai preview --date 2022-12-28 --portfolio Growth --type daily_summary
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from riskmetrics import settings
    from riskmetrics.insights import claude, cost
    from riskmetrics.insights.prompts import build_prompt

    configured = settings.load()
    with read_transaction() as connection:
        _, requests = select_requests(connection, configured, day, portfolio, insight_type)
    prompts = []
    for request in requests:
        exact_prompt = build_prompt(
            request,
            request.template.model_preference or configured.ai_model,
            configured.ai_anonymization,
        )
        price = claude.estimate_price(exact_prompt)
        expected, maximum = price or (None, None)
        amounts = {"expected_usd": expected, "max_usd": maximum}
        prompts.append({"insight_type": request.insight_type, **asdict(exact_prompt), **amounts})
    if as_json:
        print_json(prompts)
        return
    for sent in prompts:
        typer.echo(
            f"--- {sent['insight_type']}, system\n{sent['system']}\n--- task\n{sent['task']}\n---"
            f" facts\n{sent['facts']}\n"
        )
    costs = [(sent["expected_usd"], sent["max_usd"]) for sent in prompts]
    known_costs = [each for each in costs if each[0] is not None]
    cost_text = (
        f"about {sum(each[0] for each in known_costs):f} USD, at most"
        f" {sum(each[1] for each in known_costs):f}"
    )
    unpriced_models = sorted({sent["model"] for sent in prompts if sent["expected_usd"] is None})
    today = datetime.now(UTC).date()
    problems = [cost.unknown_rates_problem(model, today) for model in unpriced_models]
    models = ", ".join(sorted({sent["model"] for sent in prompts}))
    echo_err(
        f"{pluralize(len(prompts), 'prompt')} to {models}:"
        f" {'; '.join([cost_text] * bool(known_costs) + problems)}; nothing was sent"
    )


@app.command(rich_help_panel=_REVIEW)
def verify(insight: _InsightId, as_json: AsJson = False) -> None:
    """Check the figures of a stored insight against its facts.

    Exit code: 3 if one of them does not match.

    Example: riskmetrics ai verify 6f0e2c1a-7f43-4f7c-9a52-3f3f6a1f0b1d
    """
    from riskmetrics.db import insight_store
    from riskmetrics.insights import reverify

    with read_transaction() as connection:
        row = insight_store.read_insight(connection, insight)
    if row is None:
        raise _unknown_insight_error(insight)
    violations = reverify.find_stored_violations(row)
    if as_json:
        print_json({"id": str(insight), "passed": not violations, "violations": violations})
    else:
        typer.echo(
            "\n".join(violations) or f"verified: every figure of “{row['title']}” matches its facts"
        )
    if violations:
        raise typer.Exit(DataQualityError.exit_code)


@app.command(rich_help_panel=_REVIEW)
def rate(
    insight: _InsightId,
    rating: Annotated[float, typer.Argument(min=0, max=5, help="Rating from 0.0 to 5.0.")],
    feedback: Annotated[
        str | None, typer.Option("--feedback", help="Comment on the insight.")
    ] = None,
) -> None:
    """Rate an insight, and update the mean rating of its template.

    Example: riskmetrics ai rate 6f0e2c1a-7f43-4f7c-9a52-3f3f6a1f0b1d 4.5 --feedback "to the point"
    """
    from riskmetrics.db import insight_store

    require_printable(feedback or "", "--feedback")
    rounded_rating = Decimal(f"{rating:.1f}")
    with write_transaction() as connection:
        if not insight_store.rate_insight(connection, insight, rounded_rating, feedback):
            raise _unknown_insight_error(insight)
    typer.echo(f"rated {rounded_rating}")


@app.command(rich_help_panel=_REVIEW)
def dismiss(
    insight: _InsightId,
    undo: Annotated[bool, typer.Option("--undo", help="Show the insight again.")] = False,
) -> None:
    """Hide an insight.

    Example: riskmetrics ai dismiss 6f0e2c1a-7f43-4f7c-9a52-3f3f6a1f0b1d
    """
    from riskmetrics.db import insight_store

    with write_transaction() as connection:
        if not insight_store.set_insight_flags(connection, [insight], dismissed=not undo):
            raise _unknown_insight_error(insight)
    typer.echo("shown again" if undo else "dismissed")


app.command(rich_help_panel=_WRITE)(ask)
app.command(rich_help_panel=_MODEL)(budget)


def _unknown_insight_error(insight: UUID) -> NotStoredError:
    return NotStoredError(f"there is no insight {insight}: see riskmetrics show insights --json")
