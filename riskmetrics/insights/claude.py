"""Client of Anthropic's Messages API that plans insights; every call ends as an `Answer`.

Only the prompt is sent. Failures are stored in our own words, because the vendor's message may
quote the request. `temperature` is never sent: the API refuses it.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

import anthropic
import sqlalchemy as sa
from anthropic.types import Message, ToolUseBlock
from pydantic import SecretStr

from riskmetrics.deadlines import Deadline, run_with_timeout
from riskmetrics.insights import cost
from riskmetrics.insights.anthropic_http import (
    CALL_DEADLINE,
    CallLimits,
    Timeouts,
    response_limit_hook,
    retry_middleware,
)
from riskmetrics.insights.budget import Budget, BudgetRefusal, open_budget
from riskmetrics.insights.cost import PROVIDER, Price
from riskmetrics.insights.draft_schemas import Answer, Prompt
from riskmetrics.insights.model_replies import (
    CALL_ERRORS,
    ZERO_USAGE,
    Reply,
    failure_reply,
    read_answer,
    reply_with_cost,
    typed_blocks,
)
from riskmetrics.settings import Settings
from riskmetrics.size_limits import MEGABYTE

T = TypeVar("T")

MAX_LOOKUP_TURNS = 4
"""Turns in which a model may request more claims before it must answer."""

_API_OVERHEAD_TOKENS = 1024
"""Upper bound of the tokens that the API adds for tools and structured output."""

_MAX_ATTEMPTS = 3
"""Attempts per exchange if calls are interrupted; each is within the budget."""

_TOOL_NAME = "claims"

_CACHE_CONTROL = {"type": "ephemeral"}
"""Marks the end of a prompt's part that other calls repeat; the vendor keeps it 5 minutes."""

_EFFORT = "low"
"""Effort of the model, which selects and orders what is computed here; all rated models have it."""

for _name in ("anthropic", "httpx2", "httpcore2"):
    # at DEBUG they log prompts and headers, regardless of ANTHROPIC_LOG
    logging.getLogger(_name).setLevel(logging.INFO)


def open_client(
    key: SecretStr,
    url: str,
    timeouts: Timeouts = Timeouts(),  # noqa: B008  # a tuple
    max_answer_bytes: int = CallLimits().max_answer_bytes,
) -> anthropic.Anthropic:
    """Open a client with explicit key and URL, timeouts, and no redirects or tracing.

    The SDK adds the headers of ANTHROPIC_CUSTOM_HEADERS if it is set.
    """
    hooks = {"response": [response_limit_hook(timeouts, max_answer_bytes)]}
    return anthropic.Anthropic(
        api_key=key.get_secret_value(),
        base_url=url,
        max_retries=2,
        timeout=anthropic.Timeout(timeouts.read, connect=timeouts.connect),
        default_headers={"Accept-Encoding": "identity"},
        http_client=anthropic.DefaultHttpxClient(follow_redirects=False, event_hooks=hooks),
        middleware=[retry_middleware(timeouts)],
        open_telemetry=False,
    )


@dataclass
class Claude:
    """A writer that calls Anthropic's Messages API within the budget and the time limits."""

    client: anthropic.Anthropic
    budget: Budget
    limits: CallLimits = CallLimits()  # noqa: RUF009  # a tuple
    provider: str = PROVIDER
    _deadlines: dict[str, Deadline] = field(default_factory=dict)
    """Deadlines by prompt digest; the empty key is the run's."""

    def deadline_for(self, prompt: Prompt | None = None) -> Deadline:
        """Return the deadline of a prompt's calls; without a prompt, of a single call."""
        run = self._deadlines.setdefault("", Deadline.from_now(self.limits.run_seconds))
        own = Deadline.from_now(self.limits.insight_seconds)
        return min(
            run, own if prompt is None else self._deadlines.setdefault(prompt_digest(prompt), own)
        )

    def write(self, prompt: Prompt) -> Answer:
        """Plan a note from the claims in one call."""
        return self._answer(prompt, opening_turns(prompt))

    def ask(self, prompt: Prompt, first_claims: str, claims_by_topic: Mapping[str, str]) -> Answer:
        """Answer a question; the model may look up claims in several turns.

        The model can read only ``claims_by_topic`` and cannot write anything.

        Parameters
        ----------
        first_claims : str
            JSON of the claims sent first, instead of all.
        claims_by_topic : mapping
            Topic to JSON of its claims, anonymized as in the prompt.
        """
        turns, used = opening_turns(replace(prompt, facts=first_claims)), ZERO_USAGE
        for turn in range(MAX_LOOKUP_TURNS + 1):
            last = turn == MAX_LOOKUP_TURNS
            tools = {
                "cache_control": _CACHE_CONTROL,  # up to the last block: turns repeat the earlier
                "tools": [_lookup_tool(claims_by_topic)],
                "tool_choice": {"type": "none" if last else "auto"},
            }
            reply = self._exchange(prompt, turns, tools)
            used += reply.usage
            calls = _tool_calls(reply.message)
            if reply.message is None or not calls:
                return read_answer(prompt, reply, used)
            used = replace(used, tool_calls=used.tool_calls + len(calls))
            results = [_tool_result(call, claims_by_topic) for call in calls]
            turns = [*turns, reply.message.to_param(), {"role": "user", "content": results}]
        return Answer(
            None,
            f"Claude requested more claims {MAX_LOOKUP_TURNS} times without answering",
            used,
            prompt.model,
        )

    def _answer(self, prompt: Prompt, turns: Sequence[Any]) -> Answer:
        reply = self._exchange(prompt, turns)
        return read_answer(prompt, reply, reply.usage)

    def _exchange(
        self, prompt: Prompt, turns: Sequence[Any], tools: Mapping[str, Any] | None = None
    ) -> Reply:
        """Reserve budget, call and settle; repeat an interrupted call."""
        body, used = request_body(prompt, turns) | dict(tools or {}), ZERO_USAGE
        for _ in range(_MAX_ATTEMPTS):
            deadline = self.deadline_for(prompt)
            if deadline.seconds_left <= 0:
                return Reply(None, self._time_limit(), used)
            reservation = self.budget.reserve(
                prompt_digest(prompt),
                prompt.model,
                getattr(_estimate_body_price(body), "maximum", None),
            )
            if isinstance(reservation, BudgetRefusal):
                return Reply(None, reservation.reason, used)
            reply = _call(self.client, body, deadline)
            self.budget.settle(reservation, reply.usage)
            used += reply.usage
            if not reply.is_interrupted:
                break
        return reply._replace(usage=used)

    def _time_limit(self) -> str:
        whole_run = self._deadlines[""].seconds_left <= 0
        name = "RISKMETRICS_AI_RUN_SECONDS" if whole_run else "RISKMETRICS_AI_SECONDS"
        seconds = self.limits.run_seconds if whole_run else self.limits.insight_seconds
        return f"time limit reached ({seconds:g} s, {name})"


@contextmanager
def open_claude(engine: sa.Engine, settings: Settings, run_id: str) -> Iterator[Claude]:
    """Yield the Claude writer of the settings for one run; the settings have an API key."""
    key = settings.anthropic_api_key or SecretStr("")
    bounds = CallLimits(
        settings.max_answer_mb * MEGABYTE, settings.ai_seconds, settings.ai_run_seconds
    )
    with open_client(
        key, settings.anthropic_url, max_answer_bytes=bounds.max_answer_bytes
    ) as client:
        yield Claude(client, open_budget(engine, settings, run_id), bounds)


def opening_turns(prompt: Prompt) -> list[Any]:
    """Return the first turn of a conversation: task and claims as separate blocks."""
    texts = (prompt.task, f"<claims>\n{prompt.facts}\n</claims>")
    return [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]


def request_body(prompt: Prompt, turns: Sequence[Any]) -> dict[str, Any]:
    """Return the request body, as `ai preview` shows it."""
    return {
        "model": prompt.model,
        "max_tokens": prompt.max_tokens,
        "system": [{"type": "text", "text": prompt.system, "cache_control": _CACHE_CONTROL}],
        "messages": list(turns),
        "output_config": {
            "effort": _EFFORT,
            "format": {"type": "json_schema", "schema": prompt.schema},
        },
    }


def estimate_price(prompt: Prompt, *, batch: bool = False) -> Price | None:
    """Return the estimated price of a prompt's first call; None if the rates are unknown."""
    return _estimate_body_price(request_body(prompt, opening_turns(prompt)), batch=batch)


def prompt_digest(prompt: Prompt) -> str:
    """Return the SHA-256 hex digest of a prompt, the key of its spending."""
    return sha256(json.dumps(asdict(prompt), sort_keys=True).encode()).hexdigest()


def _estimate_body_price(body: Mapping[str, Any], *, batch: bool = False) -> Price | None:
    size = len(json.dumps(body, ensure_ascii=False, default=str).encode()) + _API_OVERHEAD_TOKENS
    return cost.estimate(
        body["model"], size, body["max_tokens"], datetime.now(UTC).date(), batch=batch
    )


def call_with_deadline(deadline: Deadline, call: Callable[[], T]) -> T:
    """Return the result of a call; raise TimeoutError and stop retries at the deadline."""

    def run() -> T:
        CALL_DEADLINE.set(deadline)  # runs in its own thread and context
        return call()

    return run_with_timeout(deadline.seconds_left, run)


def _call(client: anthropic.Anthropic, body: Mapping[str, Any], deadline: Deadline) -> Reply:
    """Call the API; the client retries faults without cost. Failures return as a Reply."""
    try:
        message = call_with_deadline(deadline, lambda: client.messages.create(**body))
    except CALL_ERRORS as error:
        return failure_reply(error)
    return reply_with_cost(message, body["model"])


def _lookup_tool(claims_by_topic: Mapping[str, str]) -> dict[str, Any]:
    topics = {"topic": {"type": "string", "enum": sorted(claims_by_topic)}}
    return {
        "name": _TOOL_NAME,
        "description": (
            "All claims of a topic about this portfolio and day, as JSON, numbered like the others."
        ),
        "input_schema": {
            "type": "object",
            "properties": topics,
            "required": ["topic"],
            "additionalProperties": False,
        },
    }


def _tool_calls(message: Message | None) -> list[ToolUseBlock]:
    return (
        typed_blocks(message, ToolUseBlock)
        if message is not None and message.stop_reason == "tool_use"
        else []
    )


def _tool_result(call: ToolUseBlock, claims_by_topic: Mapping[str, str]) -> dict[str, Any]:
    """Return the result of a tool call; errors are in our own words, never an exception's."""
    is_known = call.name == _TOOL_NAME and isinstance(call.input, dict)
    topic = call.input.get("topic") if is_known else None
    claims = claims_by_topic.get(topic) if isinstance(topic, str) else None
    wrong = {"is_error": True} if claims is None else {}
    return {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": claims or f"The topics are {', '.join(sorted(claims_by_topic))}.",
        **wrong,
    }
