"""Verification of a stored insight against its stored facts."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from riskmetrics.insights import render, verify
from riskmetrics.insights.draft_schemas import Draft
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.facts import Fact


def find_stored_violations(row: Mapping[str, Any]) -> list[str]:
    """Return the violations of a row of `ai_insights`; empty if it is valid.

    The draft is verified against the stored facts, and the text against the draft rendered again. A
    row written by other software has no stored facts, which is a violation.
    """
    context = row["context_data"]
    if not isinstance(context, dict) or "draft" not in context:
        return ["not written by riskmetrics: no facts are stored to verify it against"]
    try:
        draft, sheet = Draft.model_validate(context["draft"]), stored_sheet(row)
    except (ValidationError, KeyError, ValueError) as error:
        return [f"stored facts cannot be read: {type(error).__name__}"]
    found = [
        f"{fact.id} is shown as {fact.formatted!r}; its value is {fact.reformatted!r}"
        for fact in sheet.facts.values()
        if fact.formatted != fact.reformatted
    ]
    found += verify.find_violations(draft, sheet)
    if not found:
        text = render.render(draft, sheet, "")
        shown = {
            name: value for name, value in text._asdict().items() if name != "data_limitations"
        }
        found += [
            f"{name} does not match the draft"
            for name, value in shown.items()
            if row[name] != value
        ]
    return found


def stored_sheet(row: Mapping[str, Any]) -> Sheet:
    """Return the fact sheet stored with a row."""
    context = row["context_data"]
    facts = [Fact.from_record(record) for record in context["facts"]]
    return Sheet(
        str(row["portfolio_id"]),
        row["day"],
        {fact.id: fact for fact in facts},
        context["aliases"],
        context["missing"],
    )
