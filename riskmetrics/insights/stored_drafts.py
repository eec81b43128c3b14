"""Insights written before the sentence catalog: drafts with placeholders, kept to verify old rows.

Nothing writes them any more. Their sentences were checked when they were written; what can still be
checked is that every figure is that of its fact and that the text is the draft's.
"""

import re
from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from pydantic import BaseModel, ConfigDict

from riskmetrics.insights.fact_shapes import FactType
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.realize import NoteText, display_name, evidence

_PLACEHOLDER = re.compile(r"\{\{(\w+)(\.size)?\}\}")
_ALIAS = re.compile(r"\b(?:POS|SEC|SCN|FAC)_\d\d\b")
_MAX_TITLE_CHARS = 200
_THRESHOLDS = "insights/severity.yaml"

DRAFT_FACT_TYPES = {
    name: FactType(name, "severity", _THRESHOLDS, unit, family, (label,))
    for name, unit, family, label in (
        ("severity", "text", "severity", "severity"),
        ("weight_threshold", "fraction", "position weight", "single-name threshold"),
        ("gross_threshold", "fraction", "sector weight", "sector threshold"),
        ("beta_threshold", "number", "beta", "beta threshold"),
        (
            "volatility_percentile_threshold",
            "fraction",
            "volatility percentile",
            "percentile threshold",
        ),
        ("drawdown_threshold", "fraction", "drawdown", "drawdown threshold"),
        ("gross_to_equity_threshold", "number", "leverage", "leverage threshold"),
        ("result_threshold", "signed fraction", "stress result", "stress threshold"),
    )
}
"""Types of facts that only drafts cite."""


class _Finding(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    facts: list[str]


class Draft(BaseModel):
    """The text of an insight with {{fact_id}} placeholders."""

    model_config = ConfigDict(extra="forbid")

    title: str
    summary: str
    analysis: str
    findings: list[_Finding]
    recommendations: list[_Finding]
    limitations: str


def render_draft(draft: Draft, sheet: Sheet) -> NoteText:
    """Return the text of a draft without limitations.

    Raises
    ------
    KeyError
        If the draft cites a fact that the sheet does not have.
    """
    names = {alias: _name(entity) for alias, entity in sheet.aliases.items()}

    def finding(found: _Finding) -> dict[str, Any]:
        facts = [sheet.facts[fact_id] for fact_id in found.facts]
        return {"text": _render(found.text, sheet, names), "evidence": evidence(facts, names)}

    return NoteText(
        title=shorten(_render(draft.title, sheet, names), _MAX_TITLE_CHARS, placeholder=" …"),
        summary=_render(draft.summary, sheet, names),
        full_analysis=_render(draft.analysis, sheet, names),
        key_findings=[finding(each) for each in draft.findings],
        recommendations=[finding(each) for each in draft.recommendations],
        data_limitations="",
    )


def _name(entity: Mapping[str, str]) -> str:
    return f"“{display_name(entity)}”" if "scenario" in entity else display_name(entity)


def _render(text: str, sheet: Sheet, names: Mapping[str, str]) -> str:
    """Fill placeholders before names are inserted, which may contain braces."""

    def figure(found: "re.Match[str]") -> str:
        fact = sheet.facts[found[1]]
        return fact.unsigned_text if found[2] else fact.formatted

    marked = _ALIAS.sub(lambda found: f"\0{found[0]}\0" if found[0] in names else found[0], text)
    shown = _PLACEHOLDER.sub(figure, marked)
    return re.sub(r"\0(\w+)\0", lambda found: names[found[1]], shown).strip()
