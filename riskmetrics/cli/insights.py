"""`riskmetrics ai`: insights written, checked again, rated, and the templates that they come from."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import UUID

import typer

from riskmetrics.cli.ask import ask, budget
from riskmetrics.cli.options import AsJson, Day, PortfolioName, day_of
from riskmetrics.cli.output import fail, present, print_json, require_printable, say

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    import sqlalchemy as sa

    from riskmetrics.insights.pipeline import Request, Terms
    from riskmetrics.settings import Settings

app = typer.Typer(help="Insights: prose about results whose every figure is checked.", no_args_is_help=True)
templates = typer.Typer(help="Templates of insights: prompts by type and version, of which one is active.", no_args_is_help=True)
app.add_typer(templates, name="templates")

_Insight = Annotated[UUID, typer.Argument(help="Id of an insight, as riskmetrics show insights --json gives it.")]
_Type = Annotated[str | None, typer.Option("--type", help="Only this type, such as concentration_risk. Default: those of the daily job.")]
_TypeOf = Annotated[str, typer.Argument(help="Type of insight, such as daily_summary.")]
_Version = Annotated[str, typer.Argument(help="Version of the template, such as v1.")]


@app.command()
def generate(day: Day = None, portfolio: PortfolioName = None, insight_type: _Type = None, as_json: AsJson = False) -> None:
    """Write the insights of a session: by a language model if ANTHROPIC_API_KEY is set, else by the rules.

    One that stands there for the same facts stays as it is.

    Example: riskmetrics ai generate --date 2022-12-28 --portfolio Growth --type concentration_risk
    """
    from riskmetrics import settings
    from riskmetrics.cli.database import connected
    from riskmetrics.db import insights as stored
    from riskmetrics.db import write
    from riskmetrics.insights import pipeline

    configured, made = settings.load(), {"written": 0, "repeated": 0, "waiting": 0, "unwritten": 0}
    with connected() as engine:
        with engine.begin() as connection:
            write.lock(connection, "ai_insights")
            session, requests = wanted(connection, configured, day_of(day), portfolio, insight_type)
            given, known = terms(configured), stored.known(connection, [session])
            left = pipeline.unworded(requests, given, known)
            if configured.anthropic_api_key is None:
                made["written"] = stored.store(connection, list(pipeline.rows(left, given, known))).changed
        if configured.anthropic_api_key is not None:
            made |= asked(engine, configured, left, given)
    found = {"day": session.isoformat(), **made, "unchanged": len(requests) - sum(made.values())}
    if as_json:
        print_json(found)
    else:
        waiting = f", {found['waiting']} asked for in a batch" if found["waiting"] else ""
        typer.echo(f"{found['written']} insights written for {session}, {found['unchanged']} unchanged{waiting}")


@app.command()
def preview(day: Day = None, portfolio: PortfolioName = None, insight_type: _Type = None, as_json: AsJson = False) -> None:
    """Print exactly what would be sent to a language model and what that would cost, and send nothing.

    Example: riskmetrics ai preview --date 2022-12-28 --portfolio Growth --type daily_summary
    """
    from dataclasses import asdict

    from riskmetrics import settings
    from riskmetrics.cli.database import reading
    from riskmetrics.insights import claude
    from riskmetrics.insights.templates import prompt

    configured = settings.load()
    with reading() as connection:
        _, requests = wanted(connection, configured, day_of(day), portfolio, insight_type)
    prompts = []
    for of in requests:
        exact = prompt(of.template, of.sheet, of.template.model_preference or configured.ai_model, configured.ai_disclose, of.question)
        price = claude.estimate(exact)
        cost = {"expected_usd": price.expected, "most_usd": price.most} if price else {"expected_usd": None, "most_usd": None}
        prompts.append({"insight_type": of.insight_type, **asdict(exact), **cost})
    if as_json:
        print_json(prompts)
        return
    for sent in prompts:
        typer.echo(f"--- {sent['insight_type']}, system\n{sent['system']}\n--- task\n{sent['task']}\n--- facts\n{sent['facts']}\n")
    costs = [(sent["expected_usd"], sent["most_usd"]) for sent in prompts]
    known = [cost for cost in costs if cost[0] is not None]
    about = f"about {sum(cost[0] for cost in known):f} USD, at most {sum(cost[1] for cost in known):f}, before a repair"
    unknown = f", and {len(costs) - len(known)} whose model has no known rates" if len(known) < len(costs) else ""
    say(f"{len(prompts)} prompt{'s' * (len(prompts) > 1)} to {configured.ai_model}: {about}{unknown}; nothing was sent")


@app.command()
def verify(insight: _Insight, as_json: AsJson = False) -> None:
    """Check a stored insight again: its words against its own facts, and its text against both. Ends with 3 if it does not hold.

    Example: riskmetrics ai verify 6f0e2c1a-7f43-4f7c-9a52-3f3f6a1f0b1d
    """
    from riskmetrics.cli.database import reading
    from riskmetrics.db import insights as stored
    from riskmetrics.errors import DataQualityError
    from riskmetrics.insights import again

    with reading() as connection:
        row = stored.one(connection, insight)
    if row is None:
        _unknown(insight)
    found = again.complaints(row)
    if as_json:
        print_json({"id": str(insight), "holds": not found, "complaints": found})
    else:
        typer.echo("\n".join(found) or f"it holds: every figure of “{row['title']}” is that of its facts")
    if found:
        raise typer.Exit(DataQualityError.exit_code)


@app.command()
def rate(
    insight: _Insight,
    rating: Annotated[float, typer.Argument(min=0, max=5, help="From 0.0 to 5.0.")],
    feedback: Annotated[str | None, typer.Option("--feedback", help="What was good or bad about it.")] = None,
) -> None:
    """Rate an insight; the mean of its template follows.

    Example: riskmetrics ai rate 6f0e2c1a-7f43-4f7c-9a52-3f3f6a1f0b1d 4.5 --feedback "to the point"
    """
    from riskmetrics.cli.database import writing
    from riskmetrics.db import insights as stored

    require_printable(feedback or "", "--feedback")
    given = Decimal(f"{rating:.1f}")
    with writing() as connection:
        if not stored.rate(connection, insight, given, feedback):
            _unknown(insight)
    typer.echo(f"rated {given}")


@app.command()
def dismiss(insight: _Insight, undo: Annotated[bool, typer.Option("--undo", help="Show it again.")] = False) -> None:
    """Show an insight no more.

    Example: riskmetrics ai dismiss 6f0e2c1a-7f43-4f7c-9a52-3f3f6a1f0b1d
    """
    from riskmetrics.cli.database import writing
    from riskmetrics.db import insights as stored

    with writing() as connection:
        if not stored.mark(connection, [insight], dismissed=not undo):
            _unknown(insight)
    typer.echo("shown again" if undo else "dismissed")


app.command()(ask)
app.command()(budget)


@templates.command("list")
def list_templates(as_json: AsJson = False) -> None:
    """Print every template, how often it was used and how its insights were rated.

    Example: riskmetrics ai templates list
    """
    import pandas as pd

    names = ("insight_type", "version", "active", "name", "usage_count", "avg_quality_score", "created_at", "deprecated_at")
    table = pd.DataFrame([{name: row[name] for name in names} for row in _templates()], columns=names)
    table = table.astype({"usage_count": int, "avg_quality_score": float})
    shown = table.assign(**{name: table[name].astype(str).where(table[name].notna()) for name in ("created_at", "deprecated_at")})
    present(shown, as_json=as_json, formats={"avg_quality_score": "{:.2f}".format}, title="Templates of insights")


@templates.command("show")
def show_template(insight_type: _TypeOf, version: Annotated[str | None, typer.Argument(help="Default: the active one.")] = None) -> None:
    """Print a template as JSON.

    Example: riskmetrics ai templates show daily_summary
    """
    rows = [row for row in _templates(insight_type, version) if version or row["active"]]
    if not rows:
        raise fail(_no_template(insight_type, version or "that is active"))
    print_json(rows[0])


@templates.command()
def diff(insight_type: _TypeOf, old: _Version, new: _Version) -> None:
    """Print what differs between two versions of a template.

    Example: riskmetrics ai templates diff daily_summary v1 v2
    """
    from difflib import unified_diff

    texts = []
    for version in (old, new):
        rows = _templates(insight_type, version)
        if not rows:
            raise fail(_no_template(insight_type, version))
        texts.append([f"{part}: {line}" for part in _COMPARED for line in str(rows[0][part]).splitlines()])
    lines = list(unified_diff(texts[0], texts[1], old, new, lineterm=""))
    typer.echo("\n".join(lines) or "they do not differ")


_COMPARED = ("system_prompt", "investigation_prompt", "model_preference", "max_tokens", "temperature", "required_tools", "optional_tools")


@templates.command()
def activate(insight_type: _TypeOf, version: _Version) -> None:
    """Use a version of a template from now on; the one in use before it stays, deprecated.

    Example: riskmetrics ai templates activate daily_summary v2
    """
    from riskmetrics.cli.database import writing
    from riskmetrics.db import insights as stored

    with writing() as connection:
        if not stored.activate(connection, insight_type, version):
            raise fail(_no_template(insight_type, version))
    typer.echo(f"{insight_type} uses {version}")


def wanted(
    connection: "sa.Connection",
    configured: "Settings",
    day: date | None,
    portfolio: str | None,
    insight_type: str | None,
    question: str | None = None,
) -> "tuple[date, list[Request]]":
    """Return the session and the insights that the options choose; ends the command if there are none."""
    from riskmetrics.db import insights as stored
    from riskmetrics.db.stored import latest_day
    from riskmetrics.insights import facts, pipeline
    from riskmetrics.insights.templates import Template

    session = day or latest_day(connection)
    if session is None:
        raise fail("no results are stored yet: riskmetrics run")
    active = {row["insight_type"]: Template.of(row) for row in stored.active_templates(connection)}
    if insight_type and insight_type not in active:
        raise fail(f"there is no active template of type {insight_type}: see riskmetrics ai templates list", code=2)
    chosen = {insight_type} if insight_type else set(configured.ai_types.split(","))
    sheets = facts.sheets(connection, [session], portfolio)
    found = list(pipeline.requests(sheets, [template for kind, template in active.items() if kind in chosen], question))
    if not found:
        whose = f" of {portfolio}" if portfolio else ""
        raise fail(f"no facts{whose} for that on {session}: has that session run? riskmetrics run --date {session}")
    return session, found


def terms(configured: "Settings") -> "Terms":
    """Return what is the same for all insights of a command."""
    from riskmetrics.insights.pipeline import Terms
    from riskmetrics.resources import code_version

    return Terms(model=configured.ai_model, disclose=configured.ai_disclose, code_version=code_version())


def asked(engine: "sa.Engine", configured: "Settings", requests: "Sequence[Request]", given: "Terms") -> "Counter[str]":
    """Let the language model write; the command is a run of its own to the budget."""
    from uuid import uuid4

    from riskmetrics.insights import paid
    from riskmetrics.insights.claude import open_claude

    with open_claude(engine, configured, str(uuid4())) as claude:
        return paid.write(claude, requests, given)


def _templates(insight_type: str | None = None, version: str | None = None) -> list[dict[str, Any]]:
    from riskmetrics.cli.database import reading
    from riskmetrics.db import insights as stored

    with reading() as connection:
        return stored.templates(connection, insight_type, version)


def _no_template(insight_type: str, version: str) -> str:
    return f"there is no template {insight_type} {version}: see riskmetrics ai templates list"


def _unknown(insight: UUID) -> NoReturn:
    raise fail(f"there is no insight {insight}: see riskmetrics show insights --json")
