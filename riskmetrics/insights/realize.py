"""Realization: the text of claims and plans, with figures and names in their slots."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from string import Formatter
from textwrap import shorten
from typing import Any, NamedTuple

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.plan import MISSING_FACTS, RULE_ANSWERS, Plan, Step
from riskmetrics.insights.slots import Slot, clean_name
from riskmetrics.present.formatting import quantity
from riskmetrics.symbols import parse_option

VERSION = "13"
"""Part of the cache key; increment it with any change of rendered text but of phrasings."""

Names = Mapping[str, str]
"""Alias to the name in the text."""

_MAX_TITLE_CHARS = 200

_SHORT = " (short)"
"""End of the name of a short position."""

_MINUS = re.compile(r"(?<![^\s(\[])-(?=\d)")
"""A hyphen that begins a number; another is part of a word, or between the ends of a range."""

COLUMN = "column"
"""Key of a finding that is a sentence of the prose: the column that has it."""

NOT_ANSWERED, NOTHING = "Not answered", "Nothing to tell"
"""Titles of answers without a claim: what was asked is not stored, or is not so."""

UNTITLED = "Figures of the session"
"""Title of statements that prove no headline."""

_NO_ALARMS = RULE_ANSWERS.keys() - {
    *("no_rule", "definitions", "options", "no_limits_set", "no_such_limit")
}


class NoteText(NamedTuple):
    """Text columns of `ai_insights`."""

    title: str
    summary: str
    full_analysis: str
    key_findings: list[dict[str, Any]]
    """Sentences with their evidence: those of the prose, marked by `COLUMN`, then the list."""
    recommendations: list[dict[str, Any]]
    data_limitations: str


def display_name(entity: Mapping[str, str]) -> str:
    """Return the name of an alias without control characters; an option is named by its terms.

    Examples
    --------
    >>> display_name({"symbol": "AAPL240119C00150000"})
    'AAPL Jan 19 2024 150 call'
    """
    named = (
        entity[kind]
        for kind in ("symbol", "sector", "factor", "scenario", "limit")
        if kind in entity
    )
    shown = next(named)
    if "symbol" in entity and (option := parse_option(shown)):
        right = "call" if option.right == "C" else "put"
        day = f"{option.expiration:%b} {option.expiration.day} {option.expiration.year}"
        return f"{option.underlying} {day} {quantity(float(option.strike))} {right}"
    return clean_name(shown)


def display_names(sheet: Sheet, show: Callable[[Mapping[str, str]], str] = display_name) -> Names:
    """Return the name of each alias: symbol, sector or scenario, without control characters.

    A short position is named as one, as its weight is stated without a sign; an option says whether
    it was bought or written.

    Parameters
    ----------
    show : callable, optional
        Function of what an alias stands for that returns its name; empty: the alias itself.
    """
    return {
        alias: shown + _side(sheet, alias, is_option=_is_option(entity) and shown != alias)
        for alias, entity in sheet.aliases.items()
        for shown in [_with_minus(show(entity), entity) or alias]
    }


def _with_minus(name: str, entity: Mapping[str, str]) -> str:
    """Return the name of a scenario with a minus sign, which commands write as a hyphen."""
    return _MINUS.sub("−", name) if "scenario" in entity else name


def _is_option(entity: Mapping[str, str]) -> bool:
    return parse_option(entity.get("symbol", "")) is not None


def _side(sheet: Sheet, alias: str, *, is_option: bool) -> str:
    """Return the end of a name that says on which side a position is; empty for a long one."""
    side = sheet.by_type.get(("side", alias))
    if is_option and side is not None:
        return " (written)" if side.value == "short" else " (bought)"
    return _SHORT if side is not None and side.value == "short" else ""


def realize_claim(claim: Claim, names: Names, seed: str = "") -> str:
    """Return the sentence of a claim, or the text of a headline.

    Parameters
    ----------
    names : mapping
        Alias to name. An alias that is missing stands for itself.
    seed : str, optional
        Chooses among the phrasings, such as alias of the portfolio and session.
    """
    return realize_phrasing(_choose_phrasing(claim, seed), claim.slots, names)


def realize_phrasing(phrasing: str, slots: Mapping[str, Slot], names: Names) -> str:
    """Return a phrasing with its slots filled; a name is inserted as it is, braces included."""
    parts = []
    for literal, slot, _, _ in Formatter().parse(phrasing):
        parts.append(literal)
        if slot is not None:
            parts.append(_show(slots[slot], names))
    return "".join(parts)


def realize_steps(
    steps: Sequence[Step], claims: Mapping[str, Claim], names: Names, seed: str = ""
) -> str:
    """Return the paragraph of some steps; a connective joins a sentence to the one before."""
    sentences: list[str] = []
    for step in steps:
        claim = claims[step.claim]
        sentence = realize_claim(claim, names, seed)
        if step.connective and sentences:
            begins_with_slot = _choose_phrasing(claim, seed).startswith("{")
            joined = sentence if begins_with_slot else sentence[0].lower() + sentence[1:]
            sentences[-1] = f"{sentences[-1].removesuffix('.')}, {step.connective} {joined}"
        else:
            sentences.append(sentence)
    return " ".join(sentences)


def realize_note(
    plan: Plan, claims: Mapping[str, Claim], sheet: Sheet, limitations: str = ""
) -> NoteText:
    """Return the text of a plan whose claims are true of the sheet."""
    names, seed = display_names(sheet), note_seed(sheet)

    def find(claim_id: str) -> dict[str, Any]:
        claim = claims[claim_id]
        text = realize_claim(claim, names, seed)
        return {"text": text, "evidence": evidence(claim.evidence, names)}

    paragraphs = [realize_steps(steps, claims, names, seed) for steps in plan.paragraphs]
    summary, *others = paragraphs or [""]
    missing = realize_missing(plan.missing, plan.nearest, plan.unread)
    if plan.headline:
        title = realize_claim(claims[plan.headline], names, seed)
    elif plan.statements():
        title = UNTITLED
    else:
        title = NOTHING if set(plan.missing) & _NO_ALARMS else NOT_ANSWERED
        summary, missing = missing, ""
    if missing:
        limitations = f"{limitations} {missing}".strip()
    return NoteText(
        title=shorten(title, _MAX_TITLE_CHARS, placeholder=" …"),
        summary=summary,
        full_analysis="\n\n".join(others),
        key_findings=[
            *(
                find(step.claim) | {COLUMN: "full_analysis" if place else "summary"}
                for place, steps in enumerate(plan.paragraphs)
                for step in steps
            ),
            *map(find, plan.findings),
        ],
        recommendations=[*map(find, plan.recommendations)],
        data_limitations=limitations,
    )


def realize_missing(
    missing: Sequence[str], nearest: Sequence[str] = (), unread: Sequence[str] = ()
) -> str:
    """Return what a question asks for and no claim tells, and what to ask; or an empty text.

    Parameters
    ----------
    nearest : sequence of str, optional
        Questions that the facts answer.
    unread : sequence of str, optional
        Words of the question that are not known.
    """
    sentences = [RULE_ANSWERS[each] for each in missing if each in RULE_ANSWERS]
    if parts := [MISSING_FACTS[each] for each in missing if each in MISSING_FACTS]:
        sentences.append(f"The stored facts do not contain {'; '.join(parts)}.")
    if unread:
        words = ", ".join(f"“{clean_name(each)}”" for each in unread)
        sentences.append(f"Words that are not known: {words}.")
    if nearest:
        sentences.append(f"You can ask: {' '.join(f'“{each}”' for each in nearest)}")
    return " ".join(sentences)


def note_seed(sheet: Sheet) -> str:
    """Return what the choice of phrasings depends on: portfolio and session."""
    return f"{sheet.portfolio} {sheet.day.isoformat()}"


def evidence(facts: Iterable[Fact], names: Names) -> list[dict[str, str]]:
    """Return the facts behind a claim, each with its value as tables show it."""
    return [
        {
            "fact": fact.id,
            "value": fact.table_text,
            "what": fact.fact_type.labels[0],
            **({"of": names.get(fact.entity, fact.entity)} if fact.entity else {}),
            **({"window": fact.fact_type.window} if fact.fact_type.window else {}),
            **({"quality": fact.quality} if fact.quality != "ok" else {}),
        }
        for fact in facts
    ]


def _choose_phrasing(claim: Claim, seed: str) -> str:
    phrasings = claim.form.phrasings
    chosen = int(sha256(f"{seed} {claim.id}".encode()).hexdigest()[:8], 16)
    return phrasings[chosen % len(phrasings)]


def _show(slot: Slot, names: Names) -> str:
    if slot.kind == "subject" and str(slot.value).startswith("SCN"):
        return f"“{names.get(str(slot.value), str(slot.value))}”"
    if slot.kind in ("name", "symbol", "label", "subject"):
        named = names.get(str(slot.value), str(slot.value))
        return named.removesuffix(_SHORT) if slot.kind == "symbol" else named
    if isinstance(slot.value, tuple):
        listed = [realize_phrasing(entry.phrasing, entry.slots, names) for entry in slot.value]
        is_nested = any(
            isinstance(each.value, tuple) and len(each.value) > 1
            for entry in slot.value
            for each in entry.slots.values()
        )
        if is_nested:
            return "; ".join(listed)
        return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
    return slot.show()
