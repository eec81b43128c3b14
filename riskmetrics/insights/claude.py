"""Claude words insights: every call to Anthropic's Messages API, with all that can go wrong on the way, ends here as an `Answer`.

What is sent is the prompt and nothing else; what is kept of a failure is a sentence of ours, for the vendor's own may quote what it was
sent. `temperature` is never sent: the API refuses it.
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

from riskmetrics.deadlines import Deadline, run_within
from riskmetrics.errors import RateLimited, Unreachable
from riskmetrics.insights import cost
from riskmetrics.insights.budget import Budget, Refused, open_budget
from riskmetrics.insights.cost import PROVIDER, Price, Tokens
from riskmetrics.insights.draft import Answer, Draft, Prompt, Usage
from riskmetrics.insights.transport import (
    BROKE_OFF,
    CALL_ENDS,
    LATE,
    NOT_SENT,
    Bounds,
    Timeouts,
    patient,
    whole_answers,
)
from riskmetrics.limits import MEGABYTE
from riskmetrics.settings import Settings

T = TypeVar("T")

LONGEST_LOOK_UP = 4
"""Turns in which a model may ask for more facts before it has to answer."""

_OVERHEAD = 1024
"""Tokens that the API itself adds to a prompt for tools and structured output, and more."""

NOTHING = Usage(0, 0, Decimal(0))

_ATTEMPTS = 3
"""Calls, each within the budget, of which the first ones broke off."""

FAULTS = (
    *(anthropic.AnthropicError, httpx2.HTTPError, RateLimited, Unreachable, TimeoutError),
    *(ValueError, TypeError, AttributeError, RecursionError),
)
"""What asking may raise; the last four, because the SDK trusts what it reads."""

_TOOL = "facts"

for _name in ("anthropic", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.INFO)  # their DEBUG prints prompts and headers, whatever ANTHROPIC_LOG says


class Reply(NamedTuple):
    """One exchange: the message or what was wrong instead, and what it cost."""

    message: Message | None
    problem: str | None
    usage: Usage
    broke_off: bool = False
    """It was sent, and nobody knows what became of it."""


def connect(
    key: SecretStr,
    url: str,
    timeouts: Timeouts = Timeouts(),  # noqa: B008  # a tuple
    answer_bytes: int = Bounds().answer_bytes,
) -> anthropic.Anthropic:
    """Open a client that looks nowhere else for a key or an address, traces nothing, follows no redirect and waits for nobody for long.

    The SDK adds the headers of ANTHROPIC_CUSTOM_HEADERS, where that is set.
    """
    hooks = {"response": [whole_answers(timeouts, answer_bytes)]}
    return anthropic.Anthropic(
        api_key=key.get_secret_value(),
        base_url=url,
        max_retries=2,
        timeout=anthropic.Timeout(timeouts.read, connect=timeouts.connect),
        default_headers={"Accept-Encoding": "identity"},
        http_client=anthropic.DefaultHttpxClient(follow_redirects=False, event_hooks=hooks),
        middleware=[patient(timeouts)],
        open_telemetry=False,
    )


@dataclass
class Claude:
    """A writer that asks Anthropic's Messages API, each call within the budget and the limits of time."""

    client: anthropic.Anthropic
    budget: Budget
    bounds: Bounds = Bounds()  # noqa: RUF009  # a tuple
    provider: str = PROVIDER
    _ends: dict[str, Deadline] = field(default_factory=dict)
    """Of the run, under no name, and of each prompt."""

    def ends(self, prompt: Prompt | None = None) -> Deadline:
        """Return when calls for a prompt have to end; of calls for none, each may take as long as an insight."""
        run = self._ends.setdefault("", Deadline.after(self.bounds.run_seconds))
        own = Deadline.after(self.bounds.seconds)
        return min(run, own if prompt is None else self._ends.setdefault(subject(prompt), own))

    def write(self, prompt: Prompt) -> Answer:
        """Word an insight from the whole fact sheet, in one call."""
        return self._answer(prompt, opening(prompt))

    def repair(self, prompt: Prompt, draft: Draft, complaints: Sequence[str]) -> Answer:
        """Show the model its draft and what is wrong with it."""
        wrong = "These points are wrong:\n" + "\n".join(f"- {complaint}" for complaint in complaints)
        turns: list[dict[str, Any]] = [
            {"role": "assistant", "content": draft.model_dump_json()},
            {"role": "user", "content": f"{wrong}\nAnswer again, whole, without them. Change nothing else."},
        ]
        return self._answer(prompt, [*opening(prompt), *turns])

    def ask(self, prompt: Prompt, first: str, look_up: Mapping[str, str]) -> Answer:
        """Answer a question, looking up facts in turns; nothing but ``look_up`` can be read, and nothing written.

        Parameters
        ----------
        first : str
            JSON of the facts to begin with, instead of all that the prompt holds.
        look_up : mapping
            JSON of the facts by the provider's name, as they may leave the machine.
        """
        turns, used = opening(replace(prompt, facts=first)), NOTHING
        for turn in range(LONGEST_LOOK_UP + 1):
            last = turn == LONGEST_LOOK_UP
            tools = {"tools": [_tool(look_up)], "tool_choice": {"type": "none" if last else "auto"}}
            reply = self._exchange(prompt, turns, tools)
            used += reply.usage
            calls = _tool_calls(reply.message)
            if reply.message is None or not calls:
                return read(prompt, reply, used)
            used = replace(used, tool_calls=used.tool_calls + len(calls))
            results = [_looked_up(call, look_up) for call in calls]
            turns = [*turns, reply.message.to_param(), {"role": "user", "content": results}]
        return Answer(None, f"Claude asked for more facts {LONGEST_LOOK_UP} times and did not answer", used, prompt.model)

    def _answer(self, prompt: Prompt, turns: Sequence[Any]) -> Answer:
        reply = self._exchange(prompt, turns)
        return read(prompt, reply, reply.usage)

    def _exchange(self, prompt: Prompt, turns: Sequence[Any], tools: Mapping[str, Any] | None = None) -> Reply:
        """Reserve, call, settle; and again after a call that broke off, which may have been charged like any other."""
        sent, used = request(prompt, turns) | dict(tools or {}), NOTHING
        for _ in range(_ATTEMPTS):
            ends = self.ends(prompt)
            if ends.seconds_left <= 0:
                return Reply(None, self._time_limit(), used)
            allowed = self.budget.reserve(subject(prompt), prompt.model, getattr(_price(sent), "most", None))
            if isinstance(allowed, Refused):
                return Reply(None, allowed.reason, used)
            reply = _call(self.client, sent, ends)
            self.budget.settle(allowed, reply.usage)
            used += reply.usage
            if not reply.broke_off:
                break
        return reply._replace(usage=used)

    def _time_limit(self) -> str:
        whole_run = self._ends[""].seconds_left <= 0
        name = "RISKMETRICS_AI_RUN_SECONDS" if whole_run else "RISKMETRICS_AI_SECONDS"
        seconds = self.bounds.run_seconds if whole_run else self.bounds.seconds
        return f"the {seconds:g} s that {name} allows are used up"


@contextmanager
def open_claude(engine: sa.Engine, settings: Settings, run_id: str) -> Iterator[Claude]:
    """Yield the writer that the settings name, for one run; they hold a key."""
    key = settings.anthropic_api_key or SecretStr("")
    bounds = Bounds(settings.max_answer_mb * MEGABYTE, settings.ai_seconds, settings.ai_run_seconds)
    with connect(key, settings.anthropic_url, answer_bytes=bounds.answer_bytes) as client:
        yield Claude(client, open_budget(engine, settings, run_id), bounds)


def opening(prompt: Prompt) -> list[Any]:
    """The first turn of a conversation: the task, and the facts apart from it."""
    texts = (prompt.task, f"<facts>\n{prompt.facts}\n</facts>")
    return [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]


def request(prompt: Prompt, turns: Sequence[Any]) -> dict[str, Any]:
    """The body of a call: what `ai preview` shows is what is sent."""
    return {
        "model": prompt.model,
        "max_tokens": prompt.max_tokens,
        "system": prompt.system,
        "messages": list(turns),
        "output_config": {"format": {"type": "json_schema", "schema": prompt.schema}},
    }


def estimate(prompt: Prompt, *, batch: bool = False) -> Price | None:
    """What the first call for a prompt will cost; None: the model's rates are not known."""
    return _price(request(prompt, opening(prompt)), batch=batch)


def subject(prompt: Prompt) -> str:
    """What spending on a prompt is filed under: the same for the same prompt, whoever sends it."""
    return sha256(json.dumps(asdict(prompt), sort_keys=True).encode()).hexdigest()


def _price(sent: Mapping[str, Any], *, batch: bool = False) -> Price | None:
    size = len(json.dumps(sent, ensure_ascii=False, default=str).encode()) + _OVERHEAD
    return cost.estimate(sent["model"], size, sent["max_tokens"], datetime.now(UTC).date(), batch=batch)


def call_before(ends: Deadline, ask: Callable[[], T]) -> T:
    """Return the answer to a call; TimeoutError if it takes longer, after which the client asks no more."""

    def run() -> T:
        CALL_ENDS.set(ends)  # in a thread, and so a context, of its own
        return ask()

    return run_within(ends.seconds_left, run)


def _call(client: anthropic.Anthropic, sent: Mapping[str, Any], ends: Deadline) -> Reply:
    """Ask once, which the client repeats after faults that cost nothing; whatever goes wrong comes back as a sentence."""
    try:
        message = call_before(ends, lambda: client.messages.create(**sent))
    except FAULTS as error:
        return failed(error)
    return counted(message, sent["model"])


def failed(error: Exception) -> Reply:
    """A failure in a sentence that quotes nothing, with what it cost: a call that is known not to have been answered costs nothing."""
    if isinstance(error, RateLimited):
        return Reply(None, str(error), NOTHING)
    if isinstance(error, (Unreachable, TimeoutError)):
        return Reply(None, str(error) or LATE, UNKNOWN, broke_off=True)
    if isinstance(error, anthropic.APIStatusError):
        kind = f" ({error.type})" if error.type in _ERROR_TYPES else ""
        return Reply(None, f"Anthropic answered with status {error.status_code}{kind}", NOTHING)
    if isinstance(error, anthropic.APIConnectionError):
        problem = LATE if isinstance(error, anthropic.APITimeoutError) else BROKE_OFF
        return Reply(None, problem, NOTHING if isinstance(error.__cause__, NOT_SENT) else UNKNOWN)
    return Reply(None, _UNREADABLE, UNKNOWN)


def counted(message: object, model: str, *, batch: bool = False) -> Reply:
    """A message with what it cost; what is none (a page of HTML, {}) costs nobody knows what."""
    usage = getattr(message, "usage", None)
    tokens = Tokens(*(getattr(usage, name, None) or 0 for name in _TOKENS))
    if not isinstance(message, Message) or not all(type(count) is int and count >= 0 for count in tokens) or not tokens.prompt:
        return Reply(None, _UNREADABLE, UNKNOWN)
    return Reply(message, None, Usage(tokens.prompt, tokens.output, cost.price(model, tokens, datetime.now(UTC).date(), batch=batch)))


def read(prompt: Prompt, reply: Reply, used: Usage) -> Answer:
    """Make a draft of a message, if it is whole and of the form asked for."""
    message = reply.message
    if message is None:
        return Answer(None, reply.problem, used, prompt.model)
    model = message.model if isinstance(message.model, str) and message.model.isprintable() else prompt.model
    draft, problem = _draft(message)
    return Answer(draft, problem, used, model[:50])


def _draft(message: Message) -> tuple[Draft | None, str | None]:
    if message.stop_reason not in {"end_turn", "stop_sequence"}:
        return None, _STOPPED.get(str(message.stop_reason), "Claude stopped before the end of its answer")
    text = "".join(block.text for block in _blocks(message, TextBlock) if isinstance(block.text, str))
    try:
        return Draft.model_validate_json(text), None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = next((field for field in first["loc"] if field in Draft.model_fields), "as a whole")
        return None, f"Claude's answer is not of the form asked for ({where}: {first['type']})"


def _tool(look_up: Mapping[str, str]) -> dict[str, Any]:
    kinds = {"kind": {"type": "string", "enum": sorted(look_up)}}
    return {
        "name": _TOOL,
        "description": "More facts of this portfolio and day, as JSON. Cite them by their ids like the others.",
        "input_schema": {"type": "object", "properties": kinds, "required": ["kind"], "additionalProperties": False},
    }


def _blocks(message: Message | None, kind: type[Any]) -> list[Any]:
    """The blocks of a kind; the SDK does not check that content is a list."""
    content = message.content if message is not None else None
    return [block for block in content if isinstance(block, kind)] if isinstance(content, list) else []


def _tool_calls(message: Message | None) -> list[ToolUseBlock]:
    return _blocks(message, ToolUseBlock) if message is not None and message.stop_reason == "tool_use" else []


def _looked_up(call: ToolUseBlock, look_up: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a tool call; a mistake of the model's is told in words of ours, never an exception's."""
    kind = call.input.get("kind") if call.name == _TOOL and isinstance(call.input, dict) else None
    facts = look_up.get(kind) if isinstance(kind, str) else None
    wrong = {"is_error": True} if facts is None else {}
    return {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": facts or f"The kinds of facts are {', '.join(sorted(look_up))}.",
        **wrong,
    }


UNKNOWN = Usage(0, 0, None)
_UNREADABLE = "Anthropic's answer cannot be read"
_TOKENS = ("output_tokens", "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_STOPPED = {
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
