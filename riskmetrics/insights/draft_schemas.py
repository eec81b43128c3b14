"""What passes between the pipeline and whoever writes: a prompt goes out, a draft with placeholders comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict


class Finding(BaseModel):
    """A statement and what it rests on."""

    model_config = ConfigDict(extra="forbid")

    text: str
    """Prose with {{fact_id}} placeholders, never a digit."""
    facts: list[str]
    """The ids it rests on."""


class Draft(BaseModel):
    """What a writer (rules or a model) answers."""

    model_config = ConfigDict(extra="forbid")

    title: str
    summary: str
    analysis: str
    findings: list[Finding]
    recommendations: list[Finding]
    limitations: str


@dataclass(frozen=True)
class Prompt:
    """What is sent to a writer: aliases, numbers and enums only."""

    system: str
    task: str
    """The investigation prompt, rendered."""
    facts: str
    """Canonical JSON of the fact sheet as it may leave the machine."""
    model: str
    max_tokens: int
    schema: dict[str, Any]
    """JSON schema of Draft, ids as an enum."""


@dataclass(frozen=True)
class Usage:
    """Of one or more attempts, summed."""

    input_tokens: int
    """Input, cache creation and cache read together."""
    output_tokens: int
    cost: Decimal | None
    """USD, six places; None: nobody knows (the model's rates, or whether a call that broke off was charged)."""
    tool_calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Sum them up; a cost that is not known makes the sum unknown."""
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        tokens = self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        return Usage(*tokens, cost, self.tool_calls + other.tool_calls)


@dataclass(frozen=True)
class Answer:
    """A draft, or why there is none."""

    draft: Draft | None
    """None: see problem."""
    problem: str | None
    """One sentence without secrets or names: stored with the rules row that stands instead."""
    usage: Usage
    model: str
    """As the vendor named it in its answer."""


class Writer(Protocol):
    """Writes drafts for prompts, at a price."""

    provider: str
    """Such as "anthropic"."""

    def write(self, prompt: Prompt) -> Answer:
        """Answer a prompt."""
        ...

    def repair(self, prompt: Prompt, draft: Draft, violations: Sequence[str]) -> Answer:
        """Answer it again, once, after a draft that the verifier refused."""
        ...
