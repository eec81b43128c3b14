"""Prompts of a planner: the template, and the true claims with the names that may be sent."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.draft_schemas import Prompt
from riskmetrics.insights.plan import (
    MAX_FINDINGS,
    MAX_PARAGRAPHS,
    MAX_RECOMMENDATIONS,
    MAX_STEPS,
    Plan,
)
from riskmetrics.insights.realize import Names, display_name, realize_claim
from riskmetrics.insights.templates import (
    MAX_QUESTION_CHARS,
    Anonymization,
    canonical_json,
    escape_tags,
    render_template,
)

if TYPE_CHECKING:
    from riskmetrics.insights.pipeline import Request

_RULES = f"""You answer with ids of claims, and write no text.
The headline is a claim of role headline, recommendations are claims of role advice, all others are
statements. A claim is told once. At most {MAX_PARAGRAPHS} paragraphs of {MAX_STEPS} claims,
{MAX_FINDINGS} findings and {MAX_RECOMMENDATIONS} recommendations.
A connective joins a claim to the one before it in its paragraph: "mainly because" if the second
explains the first, "but" or "while" if their signs are opposed, "and" within a topic, else "".
What breaks a rule is dropped."""


def build_prompt(request: "Request", model: str, anonymization: Anonymization) -> Prompt:
    """Return the prompt for a request; ``anonymization`` limits the names in it.

    Raises
    ------
    TemplateRenderError
        If the template uses an unknown variable or an unsafe attribute.
    """
    sheet, template = request.sheet, request.template
    variables = {
        "insight_type": template.insight_type,
        "portfolio": sheet.portfolio,
        "day": sheet.day.isoformat(),
        "severity": request.severity,
        "question": (request.question or "")[:MAX_QUESTION_CHARS],
    }
    system, task = render_template(template, variables)
    return Prompt(
        f"{system}\n\n{_RULES}",
        task,
        claims_json(request.claims, visible_names(sheet.aliases, anonymization)),
        model,
        template.max_tokens,
        plan_schema(request.claims),
    )


def claims_json(claims: Mapping[str, Claim], names: Names) -> str:
    """Return claims as canonical JSON, in which no name can close the block that holds it."""
    records = [
        {
            "id": claim.id,
            "text": realize_claim(claim, names),
            "role": claim.form.role,
            "topic": claim.form.topic,
            "salience": round(claim.salience, 2),
            "new": claim.is_new,
            "sign": claim.instance.sign,
            **({"level": claim.instance.level} if claim.instance.level != "info" else {}),
            **({"explains": claim.instance.supports} if claim.instance.supports else {}),
        }
        for claim in claims.values()
    ]
    return escape_tags(canonical_json({"claims": records}))


def visible_names(
    aliases: Mapping[str, Mapping[str, str]], anonymization: Anonymization
) -> dict[str, str]:
    """Return the names that may be sent by alias; sectors always, scenarios only with 'names'."""
    allowed = {
        "aliases": ("sector",),
        "tickers": ("sector", "symbol"),
        "names": ("sector", "symbol", "scenario"),
    }[anonymization]
    return {
        alias: display_name(entity)
        for alias, entity in aliases.items()
        if any(kind in entity for kind in allowed)
    }


def plan_schema(claims: Mapping[str, Claim]) -> dict[str, Any]:
    """Return the JSON schema of a plan that may contain only the given claims."""
    found = Plan.model_json_schema()

    def ids(role: str) -> dict[str, Any]:
        return {
            "type": "string",
            "enum": sorted(each.id for each in claims.values() if each.form.role == role),
        }

    found["$defs"]["Step"]["properties"]["claim"] = ids("statement")
    properties = found["properties"]
    properties["headline"] = ids("headline")
    properties["findings"] = {"type": "array", "items": ids("statement")}
    advice = ids("advice")
    properties["recommendations"] = (
        {"type": "array", "items": advice}
        if advice["enum"]
        else {"type": "array", "maxItems": 0, "items": {"type": "string"}}
    )
    return found
