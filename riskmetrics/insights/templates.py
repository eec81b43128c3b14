"""Prompts, built from the templates of `ai_insight_templates` and an anonymized fact sheet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Any, Literal

from riskmetrics.errors import RiskmetricsError
from riskmetrics.insights import verify
from riskmetrics.insights.draft_schemas import Draft, Prompt
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import TYPES_BY_LABEL
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.lexicon import WordGroup, vocabulary

Anonymization = Literal["aliases", "tickers", "names"]

MAX_QUESTION_CHARS = 500
"""Maximum length of a user's question; the rest is not sent."""

_DEFAULT_MAX_TOKENS = 4000


class TemplateRenderError(RiskmetricsError):
    """A template cannot be rendered."""


@dataclass(frozen=True)
class Template:
    """A row of `ai_insight_templates`."""

    insight_type: str
    version: str
    system_prompt: str
    investigation_prompt: str
    model_preference: str | None
    max_tokens: int
    required_providers: tuple[str, ...]
    """Providers whose facts the insight requires."""
    optional_providers: tuple[str, ...]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Template":
        """Return the template of a stored row."""
        return cls(
            row["insight_type"],
            row["version"],
            row["system_prompt"],
            row["investigation_prompt"],
            row["model_preference"],
            int(row["max_tokens"] or _DEFAULT_MAX_TOKENS),
            tuple(row["required_tools"] or ()),
            tuple(row["optional_tools"] or ()),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 hex digest of the contents; a changed template makes new insights."""
        parts = [
            self.system_prompt,
            self.investigation_prompt,
            self.max_tokens,
            self.required_providers,
            self.optional_providers,
        ]
        return sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def providers(self) -> tuple[str, ...]:
        """Required and optional providers."""
        return (*self.required_providers, *self.optional_providers)


def build_prompt(
    template: Template,
    sheet: Sheet,
    model: str,
    anonymization: Anonymization,
    question: str | None = None,
) -> Prompt:
    """Return the prompt for a sheet; ``anonymization`` limits the names in it.

    Raises
    ------
    TemplateRenderError
        If the template uses an unknown variable or an unsafe attribute.
    """
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    variables = {
        "insight_type": template.insight_type,
        "portfolio": sheet.portfolio,
        "day": sheet.day.isoformat(),
        "severity": sheet.severity.level if sheet.severity else "info",
        "question": (question or "")[:MAX_QUESTION_CHARS],
    }
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=False
    )
    try:
        system, task = (
            environment.from_string(text).render(variables)
            for text in (template.system_prompt, template.investigation_prompt)
        )
    except TemplateError as error:
        raise TemplateRenderError(
            f"template {template.insight_type} {template.version} cannot be rendered: {error}"
        ) from error
    return Prompt(
        f"{system}\n\n{verifier_rules()}",
        task,
        sheet_json(sheet, anonymization),
        model,
        template.max_tokens,
        draft_schema(sheet),
    )


@cache
def verifier_rules() -> str:
    """Return the verifier's limits and vocabulary as text for the prompt."""
    lengths = ", ".join(f"{part} {most}" for part, most in verify.MAX_CHARS.items())
    numbers = ", ".join(f"{most} {part}" for part, most in verify.MAX_ITEMS.items())
    vocabulary_lines = (
        f"- {use}: {'; '.join(map(_format_words, words))}" for use, words in vocabulary().items()
    )
    words = (
        '"said_as" of the facts, their aliases, the day, and these words, by use; any other word is'
        " refused"
    )
    return "\n".join(
        [
            f"At most {numbers}. Characters at most: {lengths}.",
            f"Vocabulary: {words}.",
            *vocabulary_lines,
        ]
    )


def _format_words(words: WordGroup) -> str:
    return ", ".join(words.phrases) + (
        f" ({', '.join(words.fact_types)})" if words.fact_types else ""
    )


def sheet_json(sheet: Sheet, anonymization: Anonymization) -> str:
    """Return the facts as canonical JSON, with the names that ``anonymization`` allows.

    Angle brackets are escaped: a company's name cannot end the block of facts in a prompt.
    """
    entities = {
        alias: _visible_names(entity, anonymization) for alias, entity in sheet.aliases.items()
    }
    facts = [_fact_for_model(fact) for fact in sheet.facts.values()]
    text = canonical_json(
        {
            "portfolio": sheet.portfolio,
            "day": sheet.day.isoformat(),
            "things": entities,
            "facts": facts,
        }
    )
    return escape_tags(text)


def draft_schema(sheet: Sheet) -> dict[str, Any]:
    """Return the JSON schema of a draft that may cite only the facts of a sheet."""
    found = Draft.model_json_schema()
    found["$defs"]["Finding"]["properties"]["facts"]["items"] = {
        "type": "string",
        "enum": sorted(sheet.facts),
    }
    return found


def canonical_json(value: object) -> str:
    """Return deterministic JSON."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def escape_tags(text: str) -> str:
    """Return JSON with the characters of tags escaped, which stand only in its strings."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _fact_for_model(fact: Fact) -> dict[str, Any]:
    record = {
        key: value
        for key, value in fact.record.items()
        if key not in ("source", "key", "value", "as_of", "kind")
    }
    return record | {
        "family": fact.fact_type.family,
        "said_as": [
            label for label in fact.fact_type.labels if fact.fact_type.name in TYPES_BY_LABEL[label]
        ],
    }


def _visible_names(entity: Mapping[str, str], anonymization: Anonymization) -> dict[str, str]:
    """Return the names that may be sent; sectors always, scenarios only with 'names'."""
    allowed = {
        "aliases": {"sector"},
        "tickers": {"sector", "symbol"},
        "names": {"sector", "symbol", "name", "scenario"},
    }[anonymization]
    return {kind: name for kind, name in entity.items() if kind in allowed}
