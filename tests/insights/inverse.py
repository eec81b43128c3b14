"""From text to form and slots: what a reader can tell back from a sentence."""

import re
from collections.abc import Iterator, Mapping
from string import Formatter

from riskmetrics.insights.claims import Form, catalog
from riskmetrics.insights.slots import PATTERNS

_NAME = r"[A-Z][A-Za-z0-9]*(?: [A-Z][a-z]+)*(?: \(short\))?"
"""Names of the tests' things: a symbol or a sector."""

_LABEL = r"[a-z]+(?:[ -][a-z]+)*"
"""Names of factors and limits."""


def parse(text: str) -> list[tuple[str, Mapping[str, str]]]:
    """Return the forms whose phrasings give a text, with the texts of their slots."""
    return list(_parse(text))


def _parse(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for each in catalog().values():
        for phrasing in each.phrasings:
            found = _pattern(each, phrasing).fullmatch(text)
            if found:
                yield each.id, found.groupdict()


_COMPILED: dict[str, "re.Pattern[str]"] = {}


def _pattern(each: Form, phrasing: str) -> "re.Pattern[str]":
    if phrasing not in _COMPILED:
        _COMPILED[phrasing] = re.compile(_regular_expression(each, phrasing))
    return _COMPILED[phrasing]


def _regular_expression(each: Form, phrasing: str) -> str:
    parts = []
    for literal, slot, _, _ in Formatter().parse(phrasing):
        parts.append(re.escape(literal))
        if slot is not None:
            kind = each.slots[slot]
            named = {**PATTERNS, "name": _NAME, "label": _LABEL}
            is_scenario = "“{" + slot + "}”" in phrasing
            pattern = r"[^“”]+" if is_scenario else named[kind]
            parts.append(f"(?P<{slot}>{pattern})")
    return "".join(parts)


def number_in(shown: str) -> tuple[float, float]:
    """Return the number of a slot's text and half a unit of its last digit."""
    digits = re.sub(r"[^\d.−]", "", shown).replace("−", "-").rstrip(".")
    decimals = len(digits.partition(".")[2])
    scale = 100 if "%" in shown or "point" in shown else 1
    return float(digits) / scale, 0.5 * 10.0**-decimals / scale
