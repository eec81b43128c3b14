"""The rule-based writer: sentences of `rules.yaml` whose facts and conditions are met."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from riskmetrics.insights.draft_schemas import Draft, Finding
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.lexicon import PLACEHOLDER

PROVIDER = "rules"

RULES_NOTICE = "Written by fixed rules, not by a language model."

_COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


class _Line(NamedTuple):
    text: str
    facts: tuple[str, ...]
    """Ids of the facts in its text and condition, in order and without duplicates."""
    when: tuple[str, str, str] | None
    is_fallback: bool
    """Used only if no other line of its part is."""


def rules_version() -> str:
    """Return the version of the rules, which is stored as the model name."""
    return str(_load_rules()["version"])


def write_draft(insight_type: str, sheet: Sheet) -> Draft:
    """Return the draft that the rules write for the facts."""
    lines = {
        part: _select_lines(candidates, sheet)
        for part, candidates in _parsed_lines()[insight_type].items()
    }
    found = {
        part: [Finding(text=line.text, facts=list(line.facts)) for line in lines[part]]
        for part in ("findings", "recommendations")
    }
    return Draft(
        title=(
            lines["title"][0].text
            if lines["title"]
            else insight_type.replace("_", " ").capitalize()
        ),
        summary=" ".join(line.text for line in lines["summary"]),
        analysis=" ".join(line.text for line in lines["analysis"]),
        limitations="",
        **found,
    )


def _select_lines(lines: list[_Line], sheet: Sheet) -> list[_Line]:
    found = [line for line in lines if _is_true(line, sheet)]
    return [line for line in found if not line.is_fallback] or found


def _is_true(line: _Line, sheet: Sheet) -> bool:
    """Return whether a line's facts exist and its condition is true.

    Figures with the same formatted value are neither above nor below each other.
    """
    if not all(fact in sheet.facts for fact in line.facts):
        return False
    if line.when is None:
        return True
    name, sense, other = line.when
    fact = sheet.facts[name]
    if sense == "~" or other == "0":
        sign = {"up": 1, "down": -1, ">": 1, "<": -1}[other if sense == "~" else sense]
        return fact.value * sign > 0 and any(digit in fact.formatted for digit in "123456789")  # type: ignore[operator]
    right = sheet.facts[other]
    return _COMPARATORS[sense](fact.value, right.value) and (
        "=" in sense or fact.formatted != right.formatted
    )


@cache
def _load_rules() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_text())
    return found


@cache
def _parsed_lines() -> dict[str, dict[str, list[_Line]]]:
    return {
        kind: {part: [_parse_line(row) for row in rows] for part, rows in parts.items()}
        for kind, parts in _load_rules()["types"].items()
    }


def _parse_line(row: dict[str, Any]) -> _Line:
    name, sense, other = row["when"].split() if "when" in row else ("", "", "")
    condition_facts = [] if not sense else [name] if sense == "~" or other == "0" else [name, other]
    facts = dict.fromkeys(
        [*(found[1] for found in PLACEHOLDER.finditer(row["text"])), *condition_facts]
    )
    return _Line(
        row["text"], tuple(facts), (name, sense, other) if sense else None, row.get("alone", False)
    )
