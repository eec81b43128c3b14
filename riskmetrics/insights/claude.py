"""Claude words insights: every call to Anthropic's Messages API, with all that can go wrong on the way, ends here as an `Answer`.

What is sent is the prompt and nothing else; what is kept of a failure is a sentence of ours, for
the vendor's own may quote what it was sent. `temperature` is never sent: the API refuses it.
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
"""Turns in which a model may ask for more facts before it has to answer."""

_API_OVERHEAD_TOKENS = 1024
"""Tokens that the API itself adds to a prompt for tools and structured output, and more."""

ZERO_USAGE = Usage(0, 0, Decimal(0))

_MAX_ATTEMPTS = 3
"""Calls, each within the budget, of which the first ones broke off."""

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
"""What asking may raise; the last four, because the SDK trusts what it reads."""

_TOOL_NAME = "facts"

for _name in ("anthropic", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(
        logging.INFO
    )  # their DEBUG prints prompts and headers, whatever ANTHROPIC_LOG says


class Reply(NamedTuple):
    """One exchange: the message or what was wrong instead, and what it cost."""

    message: Message | None
    problem: str | None
    usage: Usage
    is_interrupted: bool = False
    """It was sent, and nobody knows what became of it."""


def open_client(
    key: SecretStr,
    url: str,
    timeouts: Timeouts = Timeouts(),  # noqa: B008  # a tuple
    max_answer_bytes: int = CallLimits().max_answer_bytes,
) -> anthropic.Anthropic:
    """Open a client that looks nowhere else for a key or an address, traces nothing, follows no redirect and waits for nobody for long.

    The SDK adds the headers of ANTHROPIC_CUSTOM_HEADERS, where that is set.
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
    """A writer that asks Anthropic's Messages API, each call within the budget and the limits of time."""

    client: anthropic.Anthropic
    budget: Budget
    limits: CallLimits = CallLimits()  # noqa: RUF009  # a tuple
    provider: str = PROVIDER
    _deadlines: dict[str, Deadline] = field(default_factory=dict)
    """Of the run, under no name, and of each prompt."""

    def deadline_for(self, prompt: Prompt | None = None) -> Deadline:
        """Return when calls for a prompt have to end; of calls for none, each may take as long as an insight."""
        run = self._deadlines.setdefault("", Deadline.from_now(self.limits.run_seconds))
        own = Deadline.from_now(self.limits.insight_seconds)
        return min(
            run, own if prompt is None else self._deadlines.setdefault(prompt_digest(prompt), own)
        )

    def write(self, prompt: Prompt) -> Answer:
        """Word an insight from the whole fact sheet, in one call."""
        return self._answer(prompt, opening_turns(prompt))

    def repair(self, prompt: Prompt, draft: Draft, violations: Sequence[str]) -> Answer:
        """Show the model its draft and what is wrong with it."""
        wrong = "These points are wrong:\n" + "\n".join(
            f"- {complaint}" for complaint in violations
        )
        turns: list[dict[str, Any]] = [
            {"role": "assistant", "content": draft.model_dump_json()},
            {
                "role": "user",
                "content": f"{wrong}\nAnswer again, whole, without them. Change nothing else.",
            },
        ]
        return self._answer(prompt, [*opening_turns(prompt), *turns])

    def ask(
        self, prompt: Prompt, initial_facts: str, facts_by_provider: Mapping[str, str]
    ) -> Answer:
        """Answer a question, looking up facts in turns; nothing but ``facts_by_provider`` can be read, and nothing written.

        Parameters
        ----------
        first : str
            JSON of the facts to begin with, instead of all that the prompt holds.
        facts_by_provider : mapping
            JSON of the facts by the provider's name, as they may leave the machine.
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
            f"Claude asked for more facts {MAX_LOOKUP_TURNS} times and did not answer",
            used,
            prompt.model,
        )

    def _answer(self, prompt: Prompt, turns: Sequence[Any]) -> Answer:
        reply = self._exchange(prompt, turns)
        return read_answer(prompt, reply, reply.usage)

    def _exchange(
        self, prompt: Prompt, turns: Sequence[Any], tools: Mapping[str, Any] | None = None
    ) -> Reply:
        """Reserve, call, settle; and again after a call that broke off, which may have been charged like any other."""
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
        return f"the {seconds:g} s that {name} allows are used up"


@contextmanager
def open_claude(engine: sa.Engine, settings: Settings, run_id: str) -> Iterator[Claude]:
    """Yield the writer that the settings name, for one run; they hold a key."""
    key = settings.anthropic_api_key or SecretStr("")
    bounds = CallLimits(
        settings.max_answer_mb * MEGABYTE, settings.ai_seconds, settings.ai_run_seconds
    )
    with open_client(
        key, settings.anthropic_url, max_answer_bytes=bounds.max_answer_bytes
    ) as client:
        yield Claude(client, open_budget(engine, settings, run_id), bounds)


def opening_turns(prompt: Prompt) -> list[Any]:
    """The first turn of a conversation: the task, and the facts apart from it."""
    texts = (prompt.task, f"<facts>\n{prompt.facts}\n</facts>")
    return [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]


def request_body(prompt: Prompt, turns: Sequence[Any]) -> dict[str, Any]:
    """The body of a call: what `ai preview` shows is what is sent."""
    return {
        "model": prompt.model,
        "max_tokens": prompt.max_tokens,
        "system": prompt.system,
        "messages": list(turns),
        "output_config": {"format": {"type": "json_schema", "schema": prompt.schema}},
    }


def estimate_price(prompt: Prompt, *, batch: bool = False) -> Price | None:
    """What the first call for a prompt will cost; None: the model's rates are not known."""
    return _estimate_body_price(request_body(prompt, opening_turns(prompt)), batch=batch)


def prompt_digest(prompt: Prompt) -> str:
    """What spending on a prompt is filed under: the same for the same prompt, whoever sends it."""
    return sha256(json.dumps(asdict(prompt), sort_keys=True).encode()).hexdigest()


def _estimate_body_price(body: Mapping[str, Any], *, batch: bool = False) -> Price | None:
    size = len(json.dumps(body, ensure_ascii=False, default=str).encode()) + _API_OVERHEAD_TOKENS
    return cost.estimate(
        body["model"], size, body["max_tokens"], datetime.now(UTC).date(), batch=batch
    )


def call_with_deadline(deadline: Deadline, call: Callable[[], T]) -> T:
    """Return the answer to a call; TimeoutError if it takes longer, after which the client asks no more."""

    def run() -> T:
        CALL_DEADLINE.set(deadline)  # in a thread, and so a context, of its own
        return call()

    return run_with_timeout(deadline.seconds_left, run)


def _call(client: anthropic.Anthropic, body: Mapping[str, Any], deadline: Deadline) -> Reply:
    """Ask once, which the client repeats after faults that cost nothing; whatever goes wrong comes back as a sentence."""
    try:
        message = call_with_deadline(deadline, lambda: client.messages.create(**body))
    except CALL_ERRORS as error:
        return failure_reply(error)
    return reply_with_cost(message, body["model"])


def failure_reply(error: Exception) -> Reply:
    """A failure in a sentence that quotes nothing, with what it cost: a call that is known not to have been answered costs nothing."""
    if isinstance(error, RateLimitError):
        return Reply(None, str(error), ZERO_USAGE)
    if isinstance(error, (VendorUnavailableError, TimeoutError)):
        return Reply(None, str(error) or TIMEOUT_PROBLEM, UNKNOWN_USAGE, is_interrupted=True)
    if isinstance(error, anthropic.APIStatusError):
        kind = f" ({error.type})" if error.type in _ERROR_TYPES else ""
        return Reply(None, f"Anthropic answered with status {error.status_code}{kind}", ZERO_USAGE)
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
    """A message with what it cost; what is none (a page of HTML, {}) costs nobody knows what."""
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
    """Make a draft of a message, if it is whole and of the form asked for."""
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
        return None, f"Claude's answer is not of the form asked for ({where}: {first['type']})"


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
    """The blocks of a kind; the SDK does not check that content is a list."""
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
    """The answer to a tool call; a mistake of the model's is told in words of ours, never an exception's."""
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
    "max_tokens": "Claude's answer was cut off at its longest allowed length",
    "model_context_window_exceeded": "the facts are more than the model can read",
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
"""What the API says is wrong; its own sentences may quote what it was sent."""
