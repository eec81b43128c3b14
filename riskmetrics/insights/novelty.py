"""What is new about a claim: nothing like it was true in the last few sessions."""

from collections.abc import Mapping
from typing import Final

from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import flat_slots

SESSIONS: Final = 5
"""Sessions that are remembered: what ended is new again after as many."""

TRADES: Final = ("n_opened", "n_closed", "n_resized")
"""Types of the numbers of positions that were traded."""

_COUNTS = ("count", "losses", "ordinal", "sessions")
"""Kinds of slots whose numbers do not make a claim new."""

_SAME_WITHIN = 0.1
"""Relative change below which a value counts as nearly the same."""


def is_new(
    instance: Instance,
    form_id: str,
    sheet: Sheet,
    before: Mapping[str, tuple[float, ...]],
    *,
    is_background: bool,
) -> bool:
    """Return whether nothing like an instance of a form was true in the remembered sessions.

    What is true on every other day is stated once, and again if a value rose above, or for some
    forms differs from, each of those that are remembered.

    Parameters
    ----------
    before : mapping
        What is remembered of the session before; of those before it, ``sheet.earlier``.
    """
    return all(
        _is_new_after(instance, form_id, sheet, memory, is_background=is_background)
        for memory in (before, *sheet.earlier)
    )


def _is_new_after(
    instance: Instance,
    form_id: str,
    sheet: Sheet,
    before: Mapping[str, tuple[float, ...]],
    *,
    is_background: bool,
) -> bool:
    """Return whether nothing like an instance of a form was true in one session.

    Background is new if its figures are defined for the first session, or if positions were traded:
    else it comes and goes at its threshold.
    """
    if is_background and not _is_traded(sheet):
        kinds = {fact.fact_type.name for fact in (*instance.facts, *instance.context)}
        return not before or any(defined_key(kind) not in before for kind in kinds)
    now, earlier = numbers_of(instance), before.get(memory_key(form_id, instance, sheet))
    return (
        earlier is None
        or len(earlier) != len(now)
        or any(
            (value - other if instance.is_steady else abs(value - other))
            > _SAME_WITHIN * abs(other)
            for value, other in zip(now, earlier, strict=True)
        )
    )


def _is_traded(sheet: Sheet) -> bool:
    counts = (sheet.by_type.get((name, None)) for name in TRADES)
    return any(fact is not None and float(fact.value) for fact in counts)


def defined_key(kind: str) -> str:
    """Return the key that remembers that a sheet has facts of a type."""
    return f"defined:{kind}"


def memory_key(form_id: str, instance: Instance, sheet: Sheet) -> str:
    """Return a key that does not depend on aliases, which may change from session to session."""
    subject = sheet.aliases.get(instance.subject, {})
    return f"{form_id}:{next(iter(subject.values()), '')}"


def numbers_of(instance: Instance) -> tuple[float, ...]:
    """Return the numbers of an instance, those of its items included, but no counts of sessions."""
    if instance.is_steady:
        return instance.remembered
    return tuple(
        float(slot.value)
        for slot in flat_slots(instance.slots)
        if isinstance(slot.value, int | float) and slot.kind not in _COUNTS
    )
