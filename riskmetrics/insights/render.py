"""Drafts as people read them: figures where placeholders stood, names where aliases did."""

import re
from collections.abc import Mapping
from textwrap import shorten
from typing import Any, NamedTuple

from riskmetrics.insights.draft import Draft, Finding
from riskmetrics.insights.facts import Sheet
from riskmetrics.insights.lexicon import PLACEHOLDER

VERSION = "2"
"""Part of what an insight is known by: raise it with any change of how texts look."""

_ALIAS = re.compile(r"\b(?:POS|SEC|SCN)_\d\d\b")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class Text(NamedTuple):
    """What the columns of `ai_insights` hold."""

    title: str
    summary: str
    full_analysis: str
    key_findings: list[dict[str, Any]]
    recommendations: list[dict[str, Any]]
    data_limitations: str


def render(draft: Draft, sheet: Sheet, limits: str) -> Text:
    """Return the text of a verified draft; ``limits`` are what we say ourselves of the data."""
    limitations = " ".join(part for part in (_text(draft.limitations, sheet), limits) if part)
    return Text(
        title=shorten(_text(draft.title, sheet), 200, placeholder=" …"),  # never within a figure
        summary=_text(draft.summary, sheet),
        full_analysis=_text(draft.analysis, sheet),
        key_findings=[_finding(of, sheet) for of in draft.findings],
        recommendations=[_finding(of, sheet) for of in draft.recommendations],
        data_limitations=limitations,
    )


def name(called: Mapping[str, str]) -> str:
    """What an alias stands for: a symbol, a sector, or a scenario in quotes; as one line without control characters."""
    shown = called.get("symbol") or called.get("sector") or f"“{called['scenario']}”"
    return _UNPRINTABLE.sub(" ", shown)


def _finding(finding: Finding, sheet: Sheet) -> dict[str, Any]:
    """Text with the evidence that it rests on."""
    evidence = [
        {
            "fact": fact.id,
            "value": fact.shown_as,
            "what": fact.kind.said_as[0],
            **({"of": name(sheet.called[fact.about])} if fact.about else {}),
            **({"window": fact.kind.window} if fact.kind.window else {}),
            **({"quality": fact.quality} if fact.quality != "ok" else {}),
        }
        for fact in (sheet.facts[of] for of in finding.facts)
    ]
    return {"text": _text(finding.text, sheet), "evidence": evidence}


def _text(text: str, sheet: Sheet) -> str:
    def figure(found: "re.Match[str]") -> str:
        fact = sheet.facts[found[1]]
        return fact.size if found[2] else fact.shown_as

    named = _ALIAS.sub(lambda found: found[0] if found[0] not in sheet.called else f"\0{found[0]}\0", text)
    shown = PLACEHOLDER.sub(figure, named)  # before the names go in: one may hold braces
    return re.sub(r"\0(\w+)\0", lambda found: name(sheet.called[found[1]]), shown).strip()
