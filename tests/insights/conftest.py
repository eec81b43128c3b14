"""A prompt, and a writer for a local Messages API server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from riskmetrics.insights.anthropic_http import CallLimits, Timeouts
from riskmetrics.insights.budget import Budget, Caps
from riskmetrics.insights.claude import Claude, open_client
from riskmetrics.insights.draft_schemas import Prompt
from riskmetrics.insights.plan import Plan, Step
from riskmetrics.insights.prompts import plan_schema
from tests.fmp_server import KEY

PROMPT = Prompt(
    "Answer with numbers of claims.",
    "Summarize the day.",
    '{"claims":[{"id":"C01"},{"id":"C02"}]}',
    "claude-haiku-5-5",
    4000,
    plan_schema(is_question=False),
    ("quiet", "day_loss"),
)
PLANNED = Plan(headline="quiet", paragraphs=[[Step(claim="day_loss")]])
"""The plan of `messages_server.PLAN` with the ids of PROMPT."""
DOLLAR = Decimal(1)
PATIENT = Timeouts(connect=30.0, read=30.0, total=30.0)
"""For answers that come, however busy the machine is."""
TIGHT = Timeouts(connect=2.0, read=1.0, total=1.0)
"""For those that do not."""
LATE = Timeouts(connect=30.0, read=4.0, total=4.0)
"""For one that does not, and those after it that do."""

NewWriter = Callable[..., Claude]


@pytest.fixture
def writer(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewWriter]:
    """Return a factory of writers for a URL, with short retry delays."""
    monkeypatch.setattr("anthropic._base_client.INITIAL_RETRY_DELAY", 0.01)

    def writer(
        url: str,
        caps: Caps = Caps(DOLLAR, DOLLAR, DOLLAR),  # noqa: B008  # a tuple
        timeouts: Timeouts = PATIENT,
        bounds: CallLimits = CallLimits(),  # noqa: B008  # a tuple
    ) -> Claude:
        opened = open_client(SecretStr(KEY), url, timeouts, bounds.max_answer_bytes)
        return Claude(clients.enter_context(opened), Budget(engine, caps, "a run"), bounds)

    with ExitStack() as clients:
        yield writer
