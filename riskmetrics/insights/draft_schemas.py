"""Types exchanged with writers: prompts, drafts with placeholders, answers and usage."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict


class Finding(BaseModel):
    """A statement and its evidence."""

    model_config = ConfigDict(extra="forbid")

    text: str
    """Prose with {{fact_id}} placeholders, never a digit."""
    facts: list[str]
    """Ids of the facts it states."""


class Draft(BaseModel):
    """The text of an insight as a writer (rules or model) drafts it."""

    model_config = ConfigDict(extra="forbid")

    title: str
    summary: str
    analysis: str
    findings: list[Finding]
    recommendations: list[Finding]
    limitations: str


@dataclass(frozen=True)
class Prompt:
    """Request to a writer: aliases, numbers and enums only."""

    system: str
    task: str
    """The investigation prompt, rendered."""
    facts: str
    """Canonical JSON of the anonymized fact sheet."""
    model: str
    max_tokens: int
    schema: dict[str, Any]
    """JSON schema of Draft, with fact ids as an enum."""


@dataclass(frozen=True)
class Usage:
    """Tokens, cost and tool calls of one or more attempts."""

    input_tokens: int
    """Sum of input, cache creation and cache read."""
    output_tokens: int
    cost: Decimal | None
    """USD, six decimals; None if unknown (no rates, or an interrupted call)."""
    tool_calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Add usages; an unknown cost makes the sum unknown."""
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        tokens = self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        return Usage(*tokens, cost, self.tool_calls + other.tool_calls)


@dataclass(frozen=True)
class Answer:
    """A draft, or the reason for a missing one."""

    draft: Draft | None
    """None if there is a problem."""
    problem: str | None
    """One sentence without secrets or names, stored with the rules' fallback."""
    usage: Usage
    model: str
    """Model name in the vendor's answer."""


class Writer(Protocol):
    """A language model that writes drafts for prompts."""

    provider: str
    """For example "anthropic"."""

    def write(self, prompt: Prompt) -> Answer:
        """Return the answer to a prompt."""
        ...

    def repair(self, prompt: Prompt, draft: Draft, violations: Sequence[str]) -> Answer:
        """Return a corrected answer after the verifier rejected a draft."""
        ...
