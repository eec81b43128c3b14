"""Replies of Anthropic's Messages API: errors, costs, and drafts read from messages."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import anthropic
import httpx2
from anthropic.types import Message, TextBlock
from pydantic import ValidationError

from riskmetrics.errors import RateLimitError, VendorUnavailableError
from riskmetrics.insights import cost
from riskmetrics.insights.anthropic_http import CONNECTION_PROBLEM, NOT_SENT_ERRORS, TIMEOUT_PROBLEM
from riskmetrics.insights.cost import Tokens
from riskmetrics.insights.draft_schemas import Answer, Prompt, Usage
from riskmetrics.insights.plan import Plan
from riskmetrics.insights.prompts import with_ids

ZERO_USAGE = Usage(0, 0, Decimal(0))
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


class Reply(NamedTuple):
    """One exchange: the message or the problem, with its cost."""

    message: Message | None
    problem: str | None
    usage: Usage
    is_interrupted: bool = False
    """The request was sent, and its outcome is unknown."""


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
    """Return the answer with the plan of a message, if it is complete and matches the schema."""
    message = reply.message
    if message is None:
        return Answer(None, reply.problem, used, prompt.model)
    model = (
        message.model
        if isinstance(message.model, str) and message.model.isprintable()
        else prompt.model
    )
    plan, problem = _parse_plan(message)
    return Answer(plan and with_ids(plan, prompt.claims), problem, used, model[:50])


def _parse_plan(message: Message) -> tuple[Plan | None, str | None]:
    if message.stop_reason not in {"end_turn", "stop_sequence"}:
        return None, _STOP_REASON_PROBLEMS.get(
            str(message.stop_reason), "Claude stopped before the end of its answer"
        )
    text = "".join(
        block.text for block in typed_blocks(message, TextBlock) if isinstance(block.text, str)
    )
    try:
        return Plan.model_validate_json(text), None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = next((field for field in first["loc"] if field in Plan.model_fields), "as a whole")
        return None, f"Claude's answer does not match the schema ({where}: {first['type']})"


def typed_blocks(message: Message | None, kind: type[Any]) -> list[Any]:
    """Return the blocks of a kind; the SDK does not check that content is a list."""
    content = message.content if message is not None else None
    return (
        [block for block in content if isinstance(block, kind)] if isinstance(content, list) else []
    )
