"""Templates of prompts, rows of `ai_insight_templates`, rendered in a sandbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

from riskmetrics.errors import RiskmetricsError

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


def render_template(template: Template, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the system prompt and the task of a template.

    Raises
    ------
    TemplateRenderError
        If the template uses an unknown variable or an unsafe attribute.
    """
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

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
    return system, task


def canonical_json(value: object) -> str:
    """Return deterministic JSON."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def escape_tags(text: str) -> str:
    """Return JSON with the characters of tags escaped, which stand only in its strings."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e")
