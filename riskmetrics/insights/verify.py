"""Verifier of drafts: every figure has its name, every comparison and direction is true.

A statement that cannot be verified is rejected, even if it is true.
"""

from collections.abc import Iterator

from riskmetrics.insights.draft_schemas import Draft, Finding
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.lexicon import PLACEHOLDER, load_lexicon, parse_sentences
from riskmetrics.insights.sentence_check import SentenceCheck

VERSION = "4"
"""Part of the cache key; increment it with any change of what passes."""

MAX_CHARS = {"title": 160, "summary": 1200, "analysis": 4000, "limitations": 1200, "finding": 500}
"""Maximum characters per part, before figures are inserted."""

MAX_ITEMS = {"findings": 8, "recommendations": 5}


def verifier_version() -> str:
    """Return the combined version of the verifier and the lexicon."""
    return f"{VERSION}.{load_lexicon()['version']}"


def find_violations(draft: Draft, sheet: Sheet) -> list[str]:
    """Return the violations of a draft; empty if it may be shown."""
    found = list(_form_violations(draft))
    texts = {name: getattr(draft, name) for name in ("title", "summary", "analysis", "limitations")}
    for name, text in texts.items():
        found += [
            f"{name}: {complaint}"
            for complaint in text_violations(text, sheet, is_title=name == "title")
        ]
    for name in MAX_ITEMS:
        for number, finding in enumerate(getattr(draft, name), start=1):
            found += [
                f"{name} {number}: {complaint}"
                for complaint in _finding_violations(
                    finding, sheet, is_advice=name == "recommendations"
                )
            ]
    return found


def _form_violations(draft: Draft) -> Iterator[str]:
    for name in ("title", "summary", "analysis", "limitations"):
        text = getattr(draft, name)
        if len(text) > MAX_CHARS[name]:
            yield f"{name}: {len(text)} characters exceed the limit of {MAX_CHARS[name]}"
        if not text.strip() and name in ("title", "summary"):
            yield f"{name}: must not be empty"
    for name, max_items in MAX_ITEMS.items():
        items = getattr(draft, name)
        if len(items) > max_items:
            yield f"{name}: {len(items)} items exceed the limit of {max_items}"
        yield from (
            f"{name} {n}: must have 1 to {MAX_CHARS['finding']} characters"
            for n, item in enumerate(items, 1)
            if not 0 < len(item.text) <= MAX_CHARS["finding"]
        )
    if not draft.findings:
        yield "findings: at least one is required"
    if not PLACEHOLDER.search(draft.summary):
        yield "summary: must state a figure"


def text_violations(text: str, sheet: Sheet, *, is_title: bool = False) -> list[str]:
    """Return the violations of a text, each with its sentence."""
    return [
        fault
        for sentence in parse_sentences(text)
        for fault in SentenceCheck(sentence, sheet, is_title).violations
    ]


def _finding_violations(finding: Finding, sheet: Sheet, *, is_advice: bool) -> Iterator[str]:
    """Yield violations of a finding: its text, and evidence that differs from its statements.

    Advice may also cite the threshold of a fact it names.
    """
    checks = [
        SentenceCheck(sentence, sheet, is_title=False) for sentence in parse_sentences(finding.text)
    ]
    for check in checks:
        yield from check.violations
    if not finding.facts:
        yield "cites no fact"
    known, figures = (
        {fact for fact in finding.facts if fact in sheet.facts},
        {found[1] for found in PLACEHOLDER.finditer(finding.text)},
    )
    yield from (f"unknown fact {fact}" for fact in finding.facts if fact not in known)
    yield from (f"states {fact} without citing it" for fact in sorted(figures - known))
    stated: set[str] = set().union(*(reading.stated_facts for reading in checks))
    families = {sheet.facts[fact].fact_type.family for fact in stated} if is_advice else set()
    thresholds = {
        fact
        for fact in known
        if sheet.facts[fact].fact_type.provider == "severity"
        and sheet.facts[fact].fact_type.family in families
    }
    yield from (f"cites {fact} without stating it" for fact in sorted(known - stated - thresholds))
