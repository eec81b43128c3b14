"""Prompts of a planner: the template, and the true claims with the names that may be sent."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.draft_schemas import Prompt
from riskmetrics.insights.plan import (
    MAX_FINDINGS,
    MAX_PARAGRAPHS,
    MAX_RECOMMENDATIONS,
    MAX_STEPS,
    MISSING_FACTS,
    Plan,
)
from riskmetrics.insights.realize import Names, display_name, realize_claim
from riskmetrics.insights.request import Request
from riskmetrics.insights.templates import (
    MAX_QUESTION_CHARS,
    Anonymization,
    canonical_json,
    escape_tags,
    render_template,
)

MAX_CLAIMS = 99
"""Claims in a prompt, the most salient ones."""

_RULES = f"""You answer with numbers of claims, such as C07, and write no text.
The headline is a claim of role headline, recommendations are claims of role advice, all others are
statements. A claim is stated once. At most {MAX_PARAGRAPHS} paragraphs of {MAX_STEPS} claims,
{MAX_FINDINGS} findings and {MAX_RECOMMENDATIONS} recommendations.
A connective joins a claim to the one before it in its paragraph: "mainly because" if the second
explains the first, "but" or "while" if their signs are opposed, "and" within a topic, else "".
What breaks a rule is dropped."""

_QUESTION_RULES = """
Tell only claims that answer the question. Under missing, state what it asks for and no claim tells;
if no claim answers it, leave the rest empty."""


def build_prompt(request: Request, model: str, anonymization: Anonymization) -> Prompt:
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
    is_question = request.question is not None
    system, task = render_template(template, variables)
    return Prompt(
        f"{system}\n\n{_RULES}{_QUESTION_RULES * is_question}",
        task,
        claims_json(request.claims, request.claims, visible_names(sheet.aliases, anonymization)),
        model,
        template.max_tokens,
        plan_schema(is_question=is_question),
        tuple(request.claims)[:MAX_CLAIMS],
    )


def claims_json(chosen: Mapping[str, Claim], claims: Mapping[str, Claim], names: Names) -> str:
    """Return claims as canonical JSON, in which no name can close the block that holds it.

    Parameters
    ----------
    chosen : mapping
        Claims to return.
    claims : mapping
        All claims of the request, which number them.
    """
    numbers = {claim_id: number for number, claim_id in _number(claims).items()}
    records = [
        {
            "id": numbers[claim.id],
            "text": realize_claim(claim, names),
            "role": claim.form.role,
            "topic": claim.form.topic,
            "salience": round(claim.salience, 2),
            "new": claim.is_new,
            "sign": claim.instance.sign,
            **({"level": claim.instance.level} if claim.instance.level != "info" else {}),
            **_explained_numbers(claim, claims, numbers),
        }
        for claim in chosen.values()
        if claim.id in numbers
    ]
    return escape_tags(canonical_json({"claims": records}))


def _number(claims: Iterable[str]) -> dict[str, str]:
    """Return the ids of claims by their numbers, which are the same for every portfolio."""
    return {f"C{number:02}": each for number, each in enumerate(islice(claims, MAX_CLAIMS), 1)}


def _explained_numbers(
    claim: Claim, claims: Mapping[str, Claim], numbers: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return the numbers of the claims that a claim explains."""
    found = [
        numbers[each.id]
        for each in claims.values()
        if each.form.id == claim.instance.supports and each.id in numbers
    ]
    return {"explains": found} if found else {}


def with_ids(plan: Plan, claims: Sequence[str]) -> Plan:
    """Return a plan of numbers with the ids of the claims; an unknown number becomes empty.

    Parameters
    ----------
    claims : sequence of str
        Ids of the claims of a prompt in their order.

    Examples
    --------
    >>> with_ids(Plan(headline="C02", paragraphs=[]), ["loss", "calm"]).headline
    'calm'
    """
    ids = _number(claims)

    def find(number: str) -> str:
        return ids.get(number, "")

    return plan.model_copy(
        update={
            "headline": find(plan.headline),
            "paragraphs": [
                [step.model_copy(update={"claim": find(step.claim)}) for step in steps]
                for steps in plan.paragraphs
            ],
            "findings": [find(each) for each in plan.findings],
            "recommendations": [find(each) for each in plan.recommendations],
        }
    )


def visible_names(
    aliases: Mapping[str, Mapping[str, str]], anonymization: Anonymization
) -> dict[str, str]:
    """Return the names that may be sent by alias; scenarios and symbols as the setting allows."""
    allowed = {
        "aliases": ("sector", "factor", "limit"),
        "tickers": ("sector", "factor", "limit", "symbol"),
        "names": ("sector", "factor", "limit", "symbol", "scenario"),
    }[anonymization]
    return {
        alias: display_name(entity)
        for alias, entity in aliases.items()
        if any(kind in entity for kind in allowed)
    }


@cache
def plan_schema(*, is_question: bool) -> dict[str, Any]:
    """Return the JSON schema of a plan of numbers.

    It is the same for all portfolios, so that the vendor compiles it once and its cache of prompts
    holds.
    """
    found = Plan.model_json_schema()
    found["$defs"]["Number"] = {"type": "string", "enum": list(_number([""] * MAX_CLAIMS))}
    number = {"$ref": "#/$defs/Number"}
    found["$defs"]["Step"]["properties"]["claim"] = number
    properties = found["properties"]
    for name in ("nearest", "unread"):  # only rules fill them
        del properties[name]
    properties["headline"] = number
    for name in ("findings", "recommendations"):
        properties[name] = {"type": "array", "items": number}
    if is_question:
        properties["headline"] = {"anyOf": [number, {"type": "string", "enum": [""]}]}
        properties["missing"]["items"]["enum"] = list(MISSING_FACTS)
    else:
        del properties["missing"]
    found["required"] = list(properties)
    return found
