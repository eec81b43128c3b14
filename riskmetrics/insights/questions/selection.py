"""The claims that belong to an answer: those of its forms about what the question names."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.limit_facts import LIMIT_NAMES
from riskmetrics.insights.plan import MAX_STEPS, MIN_SALIENCE, STANDING_PLACE, repeats
from riskmetrics.insights.questions.clauses import Ask
from riskmetrics.insights.questions.question_figures import Answer
from riskmetrics.insights.severity import OWN_LIMITS

MAX_STATEMENTS: Final = 2 * MAX_STEPS
"""Most claims of an answer: two paragraphs."""


class Facts(NamedTuple):
    """What answers a question."""

    claims: Mapping[str, Claim]
    aliases: Mapping[str, Mapping[str, str]]


def _is_alarm(claim: Claim) -> bool:
    """Return whether a claim is an alarm, advice or about a limit of the portfolio."""
    is_own_limit = claim.form.id.startswith("own_limit") and not claim.form.is_answer
    return claim.instance.level != "info" or claim.form.role == "advice" or is_own_limit


def _is_new(claim: Claim) -> bool:
    is_said = claim.is_new and claim.instance.salience >= MIN_SALIENCE
    return is_said and not claim.form.is_answer


def _is_new_alarm(claim: Claim) -> bool:
    is_standing = claim.form.place == STANDING_PLACE
    return claim.instance.level != "info" and claim.is_new and not is_standing


def _share_rank(claim: Claim) -> int:
    """Return the rank of a position's share of the volatility."""
    return claim.instance.facts[-1].rank or 0


_SELECTIONS: Final[Mapping[str, Callable[[Claim], bool]]] = {
    "": lambda _: True,
    "alarms": _is_alarm,
    "news": _is_new,
    "new_alarms": _is_new_alarm,
    "largest_shares": lambda claim: _share_rank(claim) in (1, 2),
    "lead": lambda claim: claim.form.topic == "result" and claim.form.place == 0,
}
"""Name of a selection to whether a claim belongs to it."""


def lead_headline(claims: Mapping[str, Claim]) -> Claim | None:
    """Return the headline of the session's leading note, if it has one."""
    headlines = (each for each in claims.values() if each.form.role == "headline")
    return next((each for each in headlines if not each.form.is_answer), None)


_ORDERS: Final[Mapping[str, Callable[[Claim], float]]] = {
    "salience": lambda claim: -claim.instance.salience,
    "weight": lambda claim: -_first_value(claim) if claim.instance.subject else 0.0,
    "share": _share_rank,
}
"""Name of an order to the place of a claim: the smallest is stated first."""


def _first_value(claim: Claim) -> float:
    return float(claim.instance.facts[0].value)


def select_claims(answer: Answer, ask: Ask, facts: Facts) -> list[Claim]:
    """Return the claims of an answer about what the question names, in their order."""
    named = {each.alias for each in ask.subjects}
    if ask.limited:
        limit = LIMIT_NAMES[ask.limited]
        aliases = facts.aliases.items()
        named |= {alias for alias, entity in aliases if entity.get("limit") == limit}
        named = named or {ask.limited}  # no alias: nothing is about it
    lead = lead_headline(facts.claims) if answer.only == "lead" else None
    proofs = lead.proofs if lead else ()
    found = [
        (place, _has_other_moves(claim, ask, facts), _ORDERS[answer.order](claim), claim.id)
        for claim in facts.claims.values()
        if (place := _place(answer, claim.form.id)) is not None
        and (claim.id in proofs if proofs else _SELECTIONS[answer.only](claim))
        and claim.form.role != "headline"
        and (not named or is_about(claim, named) or _is_on_alert_of(claim, ask))
        and (ask.market_move is None or _moves(claim, ask.market_move))
        and not (_is_weight(claim) and _first_value(claim) <= (ask.weight_above or 0.0))
    ]
    ordered = [facts.claims[claim_id] for *_, claim_id in sorted(found)]
    statements: list[Claim] = []
    for claim in ordered:
        stated = {fact for each in statements for fact in each.shown_ids}
        if claim.form.role == "statement" and not repeats(claim, stated):
            statements.append(claim)
    advice = [claim for claim in ordered if claim.form.role == "advice"]
    return [*statements[: answer.most], *advice]


def _place(answer: Answer, form_id: str) -> int | None:
    """Return the place of a form in an answer; None if it does not belong to it."""
    places = enumerate(answer.forms)
    return next((at for at, pattern in places if fnmatchcase(form_id, pattern)), None)


def _is_weight(claim: Claim) -> bool:
    return claim.form.id == "position_weight"


def is_about(claim: Claim, aliases: set[str]) -> bool:
    """Return whether a claim is about one of some subjects."""
    kinds = ("name", "symbol", "label", "subject")
    names = (slot.value for slot in claim.slots.values() if slot.kind in kinds)
    return bool(aliases & {claim.instance.subject, *names})


def _is_on_alert_of(claim: Claim, ask: Ask) -> bool:
    """Return whether a claim is about an alert that is asked about, by a figure with levels."""
    kinds = {fact.fact_type.name for fact in claim.evidence}
    is_of_kind = any(ask.limited == OWN_LIMITS.get(kind) for kind in kinds)
    return ask.figure.key == "alerts" and is_of_kind


def _moves(claim: Claim, move: float) -> bool:
    """Return whether a claim is about a move of the market."""
    slot = claim.slots.get("move")
    return slot is not None and abs(float(str(slot.value)) - move) < 1e-9


def _has_other_moves(claim: Claim, ask: Ask, facts: Facts) -> bool:
    """Return whether more than the market moves in a scenario, though only the market is named."""
    entity = facts.aliases.get(claim.instance.subject, {})
    return ask.market_move is not None and "moves" in entity


def is_long(answer: Answer, ask: Ask, facts: Facts) -> bool:
    """Return whether more claims answer than an answer can state, of one that states all."""
    if answer.most < MAX_STATEMENTS:
        return False
    if ask.weight_above is not None and not _has_all_above(ask.weight_above, facts.claims):
        return True
    found = select_claims(answer.model_copy(update={"most": len(facts.claims)}), ask, facts)
    return sum(each.form.role == "statement" for each in found) > MAX_STATEMENTS


def _has_all_above(weight: float, claims: Mapping[str, Claim]) -> bool:
    """Return whether the claims contain every position above a weight."""
    facts = [claim.instance.facts[0] for claim in claims.values() if _is_weight(claim)]
    ranks = {fact.rank for fact in facts}
    held = next((_first_value(each) for each in claims.values()
        if each.form.id in ("positions_held", "position_held")), None)  # fmt: skip
    smaller = (fact.rank for fact in facts if float(fact.value) <= weight and fact.rank)
    return len(facts) == held or any(ranks.issuperset(range(1, rank)) for rank in smaller)
