"""Verification of a stored insight against its stored facts."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from riskmetrics.insights.alert_texts import alert_texts, severe_texts
from riskmetrics.insights.claims import Claim, catalog_digest, claims_of
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.plan import LEADING_TYPE, Plan, prune
from riskmetrics.insights.realize import NOT_ANSWERED, NOTHING, UNTITLED, NoteText, realize_note
from riskmetrics.insights.stored_drafts import DRAFT_FACT_TYPES, Draft, render_draft


def find_stored_violations(row: Mapping[str, Any]) -> list[str]:
    """Return the violations of a row of `ai_insights`; empty if it is valid.

    The claims of its plan are evaluated on the stored facts, and its text is compared with the plan
    realized again. A row from before the sentence catalog is compared with its draft. A row written
    by other software has no stored facts, which is a violation.
    """
    context = row["context_data"]
    if not isinstance(context, dict) or not ("plan" in context or "draft" in context):
        return ["not written by riskmetrics: no facts are stored to verify it against"]
    try:
        sheet = stored_sheet(row)
        found = [*_find_wrong_facts(sheet)]
        if found:
            return found
        if "draft" in context:
            return [*_find_differences(row, render_draft(_read_draft(context), sheet), "draft")]
        return [*_find_plan_violations(row, sheet)]
    except (ValidationError, KeyError, ValueError) as error:
        return [f"stored facts cannot be read: {type(error).__name__}"]


def stored_sheet(row: Mapping[str, Any]) -> Sheet:
    """Return the fact sheet stored with a row."""
    context = row["context_data"]
    facts = [Fact.from_record(each, FACT_TYPES | DRAFT_FACT_TYPES) for each in context["facts"]]
    more = {"limits": context["limits"]} if "limits" in context else {}
    return Sheet(
        str(row["portfolio_id"]),
        row["day"],
        {fact.id: fact for fact in facts},
        context["aliases"],
        context["missing"],
        **more,
    )


def _read_draft(context: Mapping[str, Any]) -> Draft:
    return Draft.model_validate(context["draft"])


def _find_wrong_facts(sheet: Sheet) -> Iterator[str]:
    for fact in sheet.facts.values():
        if fact.formatted != fact.reformatted_text:
            yield f"{fact.id} is shown as {fact.formatted!r}; its value is {fact.reformatted_text!r}"


def _find_plan_violations(row: Mapping[str, Any], sheet: Sheet) -> Iterator[str]:
    context = row["context_data"]
    if context["catalog"] != catalog_digest():
        stored = {NOT_ANSWERED, NOTHING, UNTITLED, *context["claims"].values()}
        yield from (
            f"{name} contains a sentence that is not a stored claim"
            for name, text in _sentences(row)
            if text not in stored
        )
        return
    plan, claims = Plan.model_validate(context["plan"]), claims_of(sheet)
    if prune(plan, claims) != plan:
        yield "a claim of the plan is not true of the stored facts"
    else:
        yield from _find_differences(row, realize_note(plan, claims, sheet), "plan")
    if row["insight_type"] == LEADING_TYPE and row["user_question"] is None:
        yield from _find_attention_violations(context, sheet, claims)


def _find_attention_violations(
    context: Mapping[str, Any], sheet: Sheet, claims: Mapping[str, Claim]
) -> Iterator[str]:
    """Yield what is wrong with the list of what needs attention.

    It begins with the alerts in force; each other text is a severe claim that is true. Which of
    these were new is not stored.
    """
    listed, alerts = context.get("attention"), alert_texts(sheet)
    if not isinstance(listed, list) or listed[: len(alerts)] != alerts:
        yield "attention does not list the alerts of the stored facts"
    elif not {*listed[len(alerts) :]} <= {*severe_texts(sheet, claims.values())}:
        yield "attention contains a sentence that is not a severe claim of the stored facts"


def _sentences(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts of a row that are single claims: title, findings and recommendations."""
    yield "title", row["title"]
    for part in ("key_findings", "recommendations"):
        for finding in row[part] or ():
            yield part, finding["text"]


def _find_differences(row: Mapping[str, Any], text: NoteText, source: str) -> Iterator[str]:
    for name, value in text._asdict().items():
        if name != "data_limitations" and row[name] != value:
            yield f"{name} does not match the {source}"
