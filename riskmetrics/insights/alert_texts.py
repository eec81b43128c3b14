"""Texts of what needs attention in a portfolio, whatever a note states of it."""

from collections.abc import Iterable

from riskmetrics.insights.claims import Claim, View
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.forms.standing_alerts import alerts_by_level
from riskmetrics.insights.plan import is_about_alert
from riskmetrics.insights.realize import (
    display_names,
    note_seed,
    realize_claim,
    realize_phrasing,
)


def attention_texts(sheet: Sheet, claims: Iterable[Claim]) -> list[str]:
    """Return all alerts in force by level, then the severe claims that are about no alert."""
    return [*alert_texts(sheet), *severe_texts(sheet, claims)]


def alert_texts(sheet: Sheet) -> list[str]:
    """Return the alert levels that are reached, a text for each level, critical first."""
    names = display_names(sheet)
    texts = (
        realize_phrasing("{of}.", {"of": each}, names) for each in alerts_by_level(View(sheet))
    )
    return [text[:1].upper() + text[1:] for text in texts]


def severe_texts(sheet: Sheet, claims: Iterable[Claim]) -> list[str]:
    """Return the critical claims and warnings that are about no alert."""
    names, seed = display_names(sheet), note_seed(sheet)
    return [
        realize_claim(claim, names, seed)
        for claim in claims
        if claim.instance.level in ("critical", "warning") and not is_about_alert(claim)
    ]
