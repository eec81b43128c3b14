"""From text to form and slots: what a reader can tell back from a sentence."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from string import Formatter
from typing import NamedTuple

from riskmetrics.insights.claims import Form, catalog
from riskmetrics.insights.slots import PATTERNS

_NAME = r"[A-Z][A-Za-z0-9]*(?: [A-Z][a-z]+)*(?: \(short\))?"
"""Names of the tests' things: a symbol or a sector."""

_LABEL = r"[a-z]+(?:[ -][a-z]+)*"
"""Names of factors and limits."""


class _Phrasing(NamedTuple):
    """A phrasing of a form: what a text begins with that it gives, and its whole pattern."""

    form_id: str
    start: str
    pattern: "re.Pattern[str]"


@cache
def parse(text: str) -> Sequence[tuple[str, Mapping[str, str]]]:
    """Return the forms whose phrasings give a text, with the texts of their slots."""
    return tuple(
        (phrasing.form_id, found.groupdict())
        for phrasing in _phrasings()
        if text.startswith(phrasing.start) and (found := phrasing.pattern.fullmatch(text))
    )


@cache
def _phrasings() -> Sequence[_Phrasing]:
    return tuple(
        _Phrasing(each.id, start, re.compile(_regular_expression(each, phrasing)))
        for each in catalog().values()
        for phrasing in each.phrasings
        for start, *_ in [next(Formatter().parse(phrasing))]
    )


def _regular_expression(each: Form, phrasing: str) -> str:
    parts = []
    for literal, slot, _, _ in Formatter().parse(phrasing):
        parts.append(re.escape(literal))
        if slot is not None:
            kind = each.slots[slot]
            named = {**PATTERNS, "name": _NAME, "label": _LABEL, "subject": _NAME}
            is_scenario = "“{" + slot + "}”" in phrasing
            pattern = r"[^“”]+" if is_scenario else named[kind]
            parts.append(f"(?P<{slot}>{pattern})")
    return "".join(parts)


def number_in(shown: str) -> tuple[float, float]:
    """Return the number of a slot's text and half a unit of its last digit."""
    digits = re.sub(r"[^\d.−]", "", shown).replace("−", "-").rstrip(".")
    decimals = len(digits.partition(".")[2])
    scale = 100 if "%" in shown or "point" in shown else 1
    if shown.startswith(("below", "above")):  # between 0 and the figure
        return float(digits) / scale / 2, abs(float(digits)) / scale / 2
    return float(digits) / scale, 0.5 * 10.0**-decimals / scale
