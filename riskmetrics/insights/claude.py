"""Client of Anthropic's Messages API that drafts insights; every call ends as an `Answer`.

Only the prompt is sent. Failures are stored in our own words, because the vendor's message may
quote the request. `temperature` is never sent: the API refuses it.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

import anthropic
import httpx2
import sqlalchemy as sa
from anthropic.types import Message, TextBlock, ToolUseBlock
from pydantic import SecretStr, ValidationError

from riskmetrics.deadlines import Deadline, run_with_timeout
from riskmetrics.errors import RateLimitError, VendorUnavailableError
from riskmetrics.insights import cost
from riskmetrics.insights.anthropic_http import (
    CALL_DEADLINE,
    CONNECTION_PROBLEM,
    NOT_SENT_ERRORS,
    TIMEOUT_PROBLEM,
    CallLimits,
    Timeouts,
    response_limit_hook,
    retry_middleware,
)
from riskmetrics.insights.budget import Budget, BudgetRefusal, open_budget
from riskmetrics.insights.cost import PROVIDER, Price, Tokens
from riskmetrics.insights.draft_schemas import Answer, Draft, Prompt, Usage
from riskmetrics.limits import MEGABYTE
from riskmetrics.settings import Settings

T = TypeVar("T")

MAX_LOOKUP_TURNS = 4
"""Turns in which a model may request more facts before it must answer."""

_API_OVERHEAD_TOKENS = 1024
"""Upper bound of the tokens that the API adds for tools and structured output."""

ZERO_USAGE = Usage(0, 0, Decimal(0))

_MAX_ATTEMPTS = 3
"""Attempts per exchange if calls are interrupted; each is within the budget."""

CALL_ERRORS = (
    *(
        anthropic.AnthropicError,
        httpx2.HTTPError,
        RateLimitError,
        VendorUnavailableError,
        TimeoutError,
    ),
    *(ValueError, TypeError, AttributeError, RecursionError),
)
"""Exceptions of a call; the last four because the SDK does not validate responses."""

_TOOL_NAME = "facts"

for _name in ("anthropic", "httpx2", "httpcore2"):
    # at DEBUG they log prompts and headers, regardless of ANTHROPIC_LOG
    logging.getLogger(_name).setLevel(logging.INFO)


class Reply(NamedTuple):
    """One exchange: the message or the problem, with its cost."""

    message: Message | None
    problem: str | None
    usage: Usage
    is_interrupted: bool = False
    """The request was sent, and its outcome is unknown."""


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
        """Draft an insight from the whole fact sheet in one call."""
        return self._answer(prompt, opening_turns(prompt))

    def repair(self, prompt: Prompt, draft: Draft, violations: Sequence[str]) -> Answer:
        """Send the draft back with its violations, and return the corrected answer."""
        errors = "\n".join(f"- {each}" for each in violations)
        request = (
            f"Your answer has these errors:\n{errors}\n"
            "Return the whole answer again without them. Change nothing else."
        )
        turns: list[dict[str, Any]] = [
            {"role": "assistant", "content": draft.model_dump_json()},
            {"role": "user", "content": request},
        ]
        return self._answer(prompt, [*opening_turns(prompt), *turns])

    def ask(
        self, prompt: Prompt, initial_facts: str, facts_by_provider: Mapping[str, str]
    ) -> Answer:
        """Answer a question; the model may look up facts in several turns.

        The model can read only ``facts_by_provider`` and cannot write anything.

        Parameters
        ----------
        initial_facts : str
            JSON of the facts sent first, instead of the prompt's facts.
        facts_by_provider : mapping
            Provider name to JSON of its facts, anonymized as in the prompt.
        """
        turns, used = opening_turns(replace(prompt, facts=initial_facts)), ZERO_USAGE
        for turn in range(MAX_LOOKUP_TURNS + 1):
            last = turn == MAX_LOOKUP_TURNS
            tools = {
                "tools": [_lookup_tool(facts_by_provider)],
                "tool_choice": {"type": "none" if last else "auto"},
            }
            reply = self._exchange(prompt, turns, tools)
            used += reply.usage
            calls = _tool_calls(reply.message)
            if reply.message is None or not calls:
                return read_answer(prompt, reply, used)
            used = replace(used, tool_calls=used.tool_calls + len(calls))
            results = [_tool_result(call, facts_by_provider) for call in calls]
            turns = [*turns, reply.message.to_param(), {"role": "user", "content": results}]
        return Answer(
            None,
            f"Claude requested more facts {MAX_LOOKUP_TURNS} times without answering",
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
    """Return the first turn of a conversation: task and facts as separate blocks."""
    texts = (prompt.task, f"<facts>\n{prompt.facts}\n</facts>")
    return [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]


def request_body(prompt: Prompt, turns: Sequence[Any]) -> dict[str, Any]:
    """Return the request body, as `ai preview` shows it."""
    return {
        "model": prompt.model,
        "max_tokens": prompt.max_tokens,
        "system": prompt.system,
        "messages": list(turns),
        "output_config": {"format": {"type": "json_schema", "schema": prompt.schema}},
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


def failure_reply(error: Exception) -> Reply:
    """Return a failure as a message without quotes, with its cost: 0 if surely not charged."""
    if isinstance(error, RateLimitError):
        return Reply(None, str(error), ZERO_USAGE)
    if isinstance(error, (VendorUnavailableError, TimeoutError)):
        return Reply(None, str(error) or TIMEOUT_PROBLEM, UNKNOWN_USAGE, is_interrupted=True)
    if isinstance(error, anthropic.APIStatusError):
        kind = f" ({error.type})" if error.type in _ERROR_TYPES else ""
        return Reply(None, f"Anthropic returned status {error.status_code}{kind}", ZERO_USAGE)
    if isinstance(error, anthropic.APIConnectionError):
        problem = (
            TIMEOUT_PROBLEM if isinstance(error, anthropic.APITimeoutError) else CONNECTION_PROBLEM
        )
        return Reply(
            None,
            problem,
            ZERO_USAGE if isinstance(error.__cause__, NOT_SENT_ERRORS) else UNKNOWN_USAGE,
        )
    return Reply(None, _UNREADABLE, UNKNOWN_USAGE)


def reply_with_cost(message: object, model: str, *, batch: bool = False) -> Reply:
    """Return a message with its cost; an invalid message (HTML, {}) has an unknown cost."""
    usage = getattr(message, "usage", None)
    tokens = Tokens(*(getattr(usage, name, None) or 0 for name in _TOKEN_FIELDS))
    if (
        not isinstance(message, Message)
        or not all(type(count) is int and count >= 0 for count in tokens)
        or not tokens.prompt
    ):
        return Reply(None, _UNREADABLE, UNKNOWN_USAGE)
    return Reply(
        message,
        None,
        Usage(
            tokens.prompt,
            tokens.output,
            cost.price(model, tokens, datetime.now(UTC).date(), batch=batch),
        ),
    )


def read_answer(prompt: Prompt, reply: Reply, used: Usage) -> Answer:
    """Return the answer with the draft of a message, if it is complete and matches the schema."""
    message = reply.message
    if message is None:
        return Answer(None, reply.problem, used, prompt.model)
    model = (
        message.model
        if isinstance(message.model, str) and message.model.isprintable()
        else prompt.model
    )
    draft, problem = _parse_draft(message)
    return Answer(draft, problem, used, model[:50])


def _parse_draft(message: Message) -> tuple[Draft | None, str | None]:
    if message.stop_reason not in {"end_turn", "stop_sequence"}:
        return None, _STOP_REASON_PROBLEMS.get(
            str(message.stop_reason), "Claude stopped before the end of its answer"
        )
    text = "".join(
        block.text for block in _blocks(message, TextBlock) if isinstance(block.text, str)
    )
    try:
        return Draft.model_validate_json(text), None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = next((field for field in first["loc"] if field in Draft.model_fields), "as a whole")
        return None, f"Claude's answer does not match the schema ({where}: {first['type']})"


def _lookup_tool(facts_by_provider: Mapping[str, str]) -> dict[str, Any]:
    kinds = {"kind": {"type": "string", "enum": sorted(facts_by_provider)}}
    return {
        "name": _TOOL_NAME,
        "description": (
            "More facts of this portfolio and day, as JSON. Cite them by their ids like the others."
        ),
        "input_schema": {
            "type": "object",
            "properties": kinds,
            "required": ["kind"],
            "additionalProperties": False,
        },
    }


def _blocks(message: Message | None, kind: type[Any]) -> list[Any]:
    """Return the blocks of a kind; the SDK does not check that content is a list."""
    content = message.content if message is not None else None
    return (
        [block for block in content if isinstance(block, kind)] if isinstance(content, list) else []
    )


def _tool_calls(message: Message | None) -> list[ToolUseBlock]:
    return (
        _blocks(message, ToolUseBlock)
        if message is not None and message.stop_reason == "tool_use"
        else []
    )


def _tool_result(call: ToolUseBlock, facts_by_provider: Mapping[str, str]) -> dict[str, Any]:
    """Return the result of a tool call; errors are in our own words, never an exception's."""
    kind = (
        call.input.get("kind") if call.name == _TOOL_NAME and isinstance(call.input, dict) else None
    )
    facts = facts_by_provider.get(kind) if isinstance(kind, str) else None
    wrong = {"is_error": True} if facts is None else {}
    return {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": facts or f"The kinds of facts are {', '.join(sorted(facts_by_provider))}.",
        **wrong,
    }


UNKNOWN_USAGE = Usage(0, 0, None)
_UNREADABLE = "Anthropic's answer cannot be read"
_TOKEN_FIELDS = (
    "output_tokens",
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)
_STOP_REASON_PROBLEMS = {
    "max_tokens": "Claude's answer was truncated at the maximum length",
    "model_context_window_exceeded": "the facts exceed the model's context window",
    "refusal": "Claude refused to answer",
}
_ERROR_TYPES = {
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
}
"""Error types of the API; its messages are not used because they may quote the request."""
