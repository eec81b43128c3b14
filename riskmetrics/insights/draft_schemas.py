"""Types exchanged with planners: prompts, answers and usage."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from riskmetrics.insights.plan import Plan


@dataclass(frozen=True)
class Prompt:
    """Request to a planner: claims with aliases, numbers and enums only."""

    system: str
    task: str
    """The investigation prompt, rendered."""
    facts: str
    """Canonical JSON of the claims, with aliases or the names that may be sent."""
    model: str
    max_tokens: int
    schema: dict[str, Any]
    """JSON schema of Plan, with numbers of claims as enums."""
    claims: tuple[str, ...] = ()
    """Ids of the claims in the order of their numbers."""


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
    """A plan, or the reason for a missing one."""

    plan: Plan | None
    """None if there is a problem."""
    problem: str | None
    """One sentence without secrets or names, stored with the rules' fallback."""
    usage: Usage
    model: str
    """Model name in the vendor's answer."""


class Writer(Protocol):
    """A language model that plans notes."""

    provider: str
    """For example "anthropic"."""

    def write(self, prompt: Prompt) -> Answer:
        """Return the answer to a prompt."""
        ...
