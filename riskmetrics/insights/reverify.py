"""A stored insight held once more against the facts that it keeps."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from riskmetrics.insights import render, verify
from riskmetrics.insights.draft_schemas import Draft
from riskmetrics.insights.fact_sheet import Fact, Sheet


def find_stored_violations(row: Mapping[str, Any]) -> list[str]:
    """Return what of a row of `ai_insights` does not hold: its draft against its facts, its text against the draft rendered anew.

    A row that other code wrote keeps no facts in this form, and is said to.
    """
    context = row["context_data"]
    if not isinstance(context, dict) or "draft" not in context:
        return ["it was not written by riskmetrics: it keeps no facts to check it against"]
    try:
        draft, sheet = Draft.model_validate(context["draft"]), stored_sheet(row)
    except (ValidationError, KeyError, ValueError) as error:
        return [f"its facts cannot be read: {type(error).__name__}"]
    found = [
        f"{fact.id} is shown as {fact.formatted!r}, and is {fact.reformatted!r}"
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
            f"{name} is not what its draft says"
            for name, value in shown.items()
            if row[name] != value
        ]
    return found


def stored_sheet(row: Mapping[str, Any]) -> Sheet:
    """Return the fact sheet that a row keeps."""
    context = row["context_data"]
    facts = [Fact.from_record(record) for record in context["facts"]]
    return Sheet(
        str(row["portfolio_id"]),
        row["day"],
        {fact.id: fact for fact in facts},
        context["called"],
        context["missing"],
    )
