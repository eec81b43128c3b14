"""Rendering of drafts: figures replace placeholders, names replace aliases."""

import re
from collections.abc import Mapping
from textwrap import shorten
from typing import Any, NamedTuple

from riskmetrics.insights.draft_schemas import Draft, Finding
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.lexicon import PLACEHOLDER

VERSION = "2"
"""Part of the cache key; increment it with any change of rendered text."""

_ALIAS = re.compile(r"\b(?:POS|SEC|SCN|FAC)_\d\d\b")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class RenderedText(NamedTuple):
    """Text columns of `ai_insights`."""

    title: str
    summary: str
    full_analysis: str
    key_findings: list[dict[str, Any]]
    recommendations: list[dict[str, Any]]
    data_limitations: str


def render(draft: Draft, sheet: Sheet, caveats: str) -> RenderedText:
    """Return the text of a verified draft; ``caveats`` are appended to its limitations."""
    limitations = " ".join(
        part for part in (_render_text(draft.limitations, sheet), caveats) if part
    )
    return RenderedText(
        title=shorten(
            _render_text(draft.title, sheet), 200, placeholder=" …"
        ),  # cuts at spaces, never within a figure
        summary=_render_text(draft.summary, sheet),
        full_analysis=_render_text(draft.analysis, sheet),
        key_findings=[_render_finding(finding, sheet) for finding in draft.findings],
        recommendations=[_render_finding(finding, sheet) for finding in draft.recommendations],
        data_limitations=limitations,
    )


def display_name(entity: Mapping[str, str]) -> str:
    """Return the name of an alias without control characters; a scenario's is quoted."""
    named = (entity[kind] for kind in ("symbol", "sector", "factor") if kind in entity)
    shown = next(named, None) or f"“{entity['scenario']}”"
    return _UNPRINTABLE.sub(" ", shown)


def _render_finding(finding: Finding, sheet: Sheet) -> dict[str, Any]:
    """Return the text of a finding with its evidence."""
    evidence = [
        {
            "fact": fact.id,
            "value": fact.formatted,
            "what": fact.fact_type.labels[0],
            **({"of": display_name(sheet.aliases[fact.entity])} if fact.entity else {}),
            **({"window": fact.fact_type.window} if fact.fact_type.window else {}),
            **({"quality": fact.quality} if fact.quality != "ok" else {}),
        }
        for fact in (sheet.facts[fact_id] for fact_id in finding.facts)
    ]
    return {"text": _render_text(finding.text, sheet), "evidence": evidence}


def _render_text(text: str, sheet: Sheet) -> str:
    def figure(found: "re.Match[str]") -> str:
        fact = sheet.facts[found[1]]
        return fact.unsigned if found[2] else fact.formatted

    named = _ALIAS.sub(
        lambda found: found[0] if found[0] not in sheet.aliases else f"\0{found[0]}\0", text
    )
    shown = PLACEHOLDER.sub(figure, named)  # before names are inserted, which may contain braces
    return re.sub(r"\0(\w+)\0", lambda found: display_name(sheet.aliases[found[1]]), shown).strip()
