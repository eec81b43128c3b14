"""Claims of a session as answers show them, and those that answer a question."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from riskmetrics.insights import realize
from riskmetrics.insights.claims import Claim, claims_of
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.questions.answering import answer_by_rules
from riskmetrics.mcp_server.identities import Identity

_ALIASED_ONLY: Final = (
    "No holding is shown by that name. Names are aliases: name a holding as an answer shows it."
)
"""In place of the statement that an instrument is not held, which aliases must not reveal."""


def shown_claims(identity: Identity, sheet: Sheet) -> Iterator[dict[str, Any]]:
    """Yield the claims that notes can state; `answer_claims` states the others."""
    names = realize.display_names(sheet, identity.show_entity)
    for claim in claims_of(sheet).values():
        if not claim.form.is_answer:
            yield _show(claim, names, sheet)


def answer_claims(
    identity: Identity, sheet: Sheet, question: str, portfolios: Sequence[str], today: date
) -> dict[str, Any]:
    """Return the claims that answer a question, what is missing, and the nearest questions.

    Parameters
    ----------
    portfolios : sequence of str
        The other portfolios as answers show them.
    today : date
        Session from which a day of the question, such as yesterday, is counted.
    """
    names, found = realize.display_names(sheet, identity.show_entity), claims_of(sheet)
    aliases = {alias: _shown_entity(identity, entity) for alias, entity in sheet.aliases.items()}
    names_of_all = (identity.shown_name, *portfolios)
    plan = answer_by_rules(question, found, aliases, names_of_all, sheet.day, today)
    missing = realize.realize_missing(plan.missing)
    if identity.anonymization == "aliases" and "other_instruments" in plan.missing:
        others = [each for each in plan.missing if each != "other_instruments"]
        missing = f"{_ALIASED_ONLY} {realize.realize_missing(others)}".strip()
    stated = (*plan.statements(), *plan.recommendations)
    return {
        "claims": [_show(found[each], names, sheet) for each in stated],
        "missing": missing,
        "unknown_words": plan.unread,
        "nearest": plan.nearest,
    }


def _shown_entity(identity: Identity, entity: Mapping[str, str]) -> dict[str, str]:
    """Return what an alias stands for by the names that a question can have."""
    shown = dict(entity)
    if "symbol" in entity:
        shown["symbol"] = identity.show_symbol(entity["symbol"])
    if "scenario" in entity:
        shown["scenario"] = identity.show_scenario(entity["scenario"])
    if identity.anonymization != "names":
        shown.pop("name", None)
    return shown


def _show(claim: Claim, names: Mapping[str, str], sheet: Sheet) -> dict[str, Any]:
    return {
        "id": claim.id,
        "topic": claim.form.topic,
        "role": claim.form.role,
        "level": claim.instance.level,
        "is_new": claim.is_new,
        "text": realize.realize_claim(claim, names, realize.note_seed(sheet)),
        "evidence": realize.evidence(claim.evidence, names),
    }
