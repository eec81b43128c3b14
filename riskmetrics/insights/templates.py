"""Prompts: the templates of `ai_insight_templates` with a fact sheet put in, as they leave the machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Any, Literal

from riskmetrics.errors import RiskmetricsError
from riskmetrics.insights import verify
from riskmetrics.insights.draft import Draft, Prompt
from riskmetrics.insights.facts import Fact, Sheet
from riskmetrics.insights.kinds import NAMES
from riskmetrics.insights.lexicon import Words, vocabulary

Disclosure = Literal["aliases", "tickers", "names"]

LONGEST_QUESTION = 500
"""Characters of a user's question that are sent."""

_MAX_TOKENS = 4000


class BadTemplate(RiskmetricsError):
    """A template of `ai_insight_templates` that cannot be rendered."""


@dataclass(frozen=True)
class Template:
    """A row of `ai_insight_templates`."""

    insight_type: str
    version: str
    system_prompt: str
    investigation_prompt: str
    model_preference: str | None
    max_tokens: int
    required: tuple[str, ...]
    """Providers without whose facts there is no such insight."""
    optional: tuple[str, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Template":
        """Return the template of a stored row."""
        return cls(
            row["insight_type"],
            row["version"],
            row["system_prompt"],
            row["investigation_prompt"],
            row["model_preference"],
            int(row["max_tokens"] or _MAX_TOKENS),
            tuple(row["required_tools"] or ()),
            tuple(row["optional_tools"] or ()),
        )

    @cached_property
    def digest(self) -> str:
        """Sha256 hex of all that it asks for: a changed template makes new insights."""
        parts = [self.system_prompt, self.investigation_prompt, self.max_tokens, self.required, self.optional]
        return sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def providers(self) -> tuple[str, ...]:
        """Providers of facts that it may use."""
        return (*self.required, *self.optional)


def prompt(template: Template, sheet: Sheet, model: str, disclose: Disclosure, question: str | None = None) -> Prompt:
    """Return what is sent for a sheet: aliases, numbers and enums, and as much of names as ``disclose`` allows.

    Raises
    ------
    BadTemplate
        If the template names what there is not, or reaches for what it may not.
    """
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    given = {
        "insight_type": template.insight_type,
        "portfolio": sheet.portfolio,
        "day": sheet.day.isoformat(),
        "severity": sheet.severity.level if sheet.severity else "info",
        "question": (question or "")[:LONGEST_QUESTION],
    }
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)
    try:
        system, task = (environment.from_string(text).render(given) for text in (template.system_prompt, template.investigation_prompt))
    except TemplateError as error:
        raise BadTemplate(f"template {template.insight_type} {template.version} cannot be rendered: {error}") from error
    return Prompt(f"{system}\n\n{rules()}", task, sheet_json(sheet, disclose), model, template.max_tokens, schema(sheet))


@cache
def rules() -> str:
    """Return what the verifier asks of lengths and words, from where it looks itself."""
    lengths = ", ".join(f"{part} {most}" for part, most in verify.LONGEST.items())
    numbers = ", ".join(f"{most} {part}" for part, most in verify.MOST.items())
    said = (f"- {use}: {'; '.join(map(_said, words))}" for use, words in vocabulary().items())
    words = '"said_as" of the facts, their aliases, the day, and these words, by use; any other word is refused'
    return "\n".join([f"At most {numbers}. Characters at most: {lengths}.", f"Vocabulary: {words}.", *said])


def _said(words: Words) -> str:
    return ", ".join(words.phrases) + (f" ({', '.join(words.kinds)})" if words.kinds else "")


def sheet_json(sheet: Sheet, disclose: Disclosure) -> str:
    """Return the facts as canonical JSON, with the names that may leave the machine."""
    things = {alias: _disclosed(called, disclose) for alias, called in sheet.called.items()}
    facts = [_outgoing(fact) for fact in sheet.facts.values()]
    return canonical({"portfolio": sheet.portfolio, "day": sheet.day.isoformat(), "things": things, "facts": facts})


def schema(sheet: Sheet) -> dict[str, Any]:
    """Return the JSON schema of a draft that may cite the facts of a sheet and no others."""
    found = Draft.model_json_schema()
    found["$defs"]["Finding"]["properties"]["facts"]["items"] = {"type": "string", "enum": sorted(sheet.facts)}
    return found


def canonical(value: object) -> str:
    """Return JSON that is the same text for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _outgoing(fact: Fact) -> dict[str, Any]:
    record = {key: value for key, value in fact.record.items() if key not in ("source", "key", "value", "as_of", "kind")}
    return record | {"family": fact.kind.family, "said_as": [said for said in fact.kind.said_as if fact.kind.name in NAMES[said]]}


def _disclosed(called: Mapping[str, str], disclose: Disclosure) -> dict[str, str]:
    """Sectors are an enumeration and always said; symbols and names only as allowed; scenarios are named by users, as names are."""
    allowed = {"aliases": {"sector"}, "tickers": {"sector", "symbol"}, "names": {"sector", "symbol", "name", "scenario"}}[disclose]
    return {kind: name for kind, name in called.items() if kind in allowed}
