"""The Claude client against a local Messages API server: answers, faults and costs."""

import logging
import re
import threading
import time
import tracemalloc
import zlib
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.insights.anthropic_http import CallLimits, Timeouts
from riskmetrics.insights.budget import Caps
from riskmetrics.insights.claude import MAX_LOOKUP_TURNS
from riskmetrics.insights.draft_schemas import Usage
from tests.fmp_server import KEY, Reply
from tests.forked_commands import PATIENCE
from tests.insights.conftest import DOLLAR, LATE, PATIENT, PLANNED, PROMPT, TIGHT
from tests.messages_server import PLAN, error, in_turn, message, serve

COST = Decimal("0.001600")
"""6,000 tokens at 0.10 USD a million and 2,000 at 0.50."""


def amounts(engine: sa.Engine) -> list[tuple[Decimal | None, bool]]:
    """Return the cost of each call, and whether it is settled."""
    columns = tables.ai_spend.c.cost, tables.ai_spend.c.settled_at.is_not(None)
    with engine.connect() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                sa.select(*columns).order_by(tables.ai_spend.c.reserved_at)
            )
        ]


def test_a_plan_comes_back_with_its_tokens_and_their_price(writer, engine):
    with serve(lambda _: message()) as server:
        answer = writer(server.url).write(PROMPT)
    assert answer.plan == PLANNED
    assert (answer.problem, answer.model) == (None, "claude-haiku-5-5-20261001")
    assert answer.usage == Usage(6000, 2000, COST)
    assert amounts(engine) == [(COST, True)]
    (sent,) = server.calls
    assert set(sent) == {"model", "max_tokens", "system", "messages", "output_config"}
    assert sent["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": PROMPT.schema},
    }
    assert sent["system"] == [
        {"type": "text", "text": PROMPT.system, "cache_control": {"type": "ephemeral"}}
    ]


def test_tokens_of_the_vendors_cache_have_rates_of_their_own(writer):
    """By hand, USD per million: 1,000 * 0.10 + 2,000 * 0.125 + 4,000 * 0.01 + 500 * 0.50."""
    cached = {
        "input_tokens": 1000,
        "cache_creation_input_tokens": 2000,
        "cache_read_input_tokens": 4000,
        "output_tokens": 500,
    }
    with serve(lambda _: message(**cached)) as server:
        assert writer(server.url).write(PROMPT).usage == Usage(7000, 500, Decimal("0.000640"))


PASSING = {
    "429": error(429, "rate_limit_error", ("Retry-After", "0")),
    "529": error(529, "overloaded_error"),
    "500": error(500, "api_error"),
    "dropped": Reply(fault="reset"),
    "cut": Reply(message().body, fault="cut"),
    "slow": Reply(fault="silence"),
    "dripping": Reply(message().body, fault="drip"),
}
SLOW = {"silence", "drip"}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_temporary_fault_is_retried_and_counted_if_it_may_have_been_charged(
    writer, engine, fault
):
    timeouts = LATE if fault.fault in SLOW else PATIENT
    with serve(in_turn(fault, message())) as server:
        answer = writer(server.url, timeouts=timeouts).write(PROMPT)
    assert answer.plan == PLANNED
    assert len(server.calls) == 2
    assert answer.usage.cost == (None if fault.fault else COST)
    assert amounts(engine) == [(None, True)] * bool(fault.fault) + [(COST, True)]


def test_repeated_interruptions_end_at_the_cap(writer, engine):
    with serve(lambda _: PASSING["dropped"]) as server:
        answer = writer(server.url, Caps(Decimal("0.006"), DOLLAR, DOLLAR)).write(PROMPT)
    assert "RISKMETRICS_AI_USD_PER_INSIGHT" in (answer.problem or "")
    assert len(server.calls) == len(amounts(engine)) < 3
    assert answer.usage.cost is None


LASTING = {
    "429": (PASSING["429"], r"status 429 \(rate_limit_error\)", 3, Decimal(0)),
    "429 for hours": (
        error(429, "rate_limit_error", ("Retry-After", "7200")),
        r"status 429; retry after 7200 s",
        1,
        Decimal(0),
    ),
    "hours, in milliseconds": (
        error(503, "api_error", ("Retry-After-Ms", "7200000")),
        "retry after 7200 s",
        1,
        Decimal(0),
    ),
    "hours and a half": (
        error(429, "rate_limit_error", ("Retry-After", "7200.5")),
        "retry after 720",
        1,
        Decimal(0),
    ),
    "an endless wait": (
        error(429, "rate_limit_error", ("Retry-After", "inf")),
        "retry after inf s",
        1,
        Decimal(0),
    ),
    "a date": (
        error(429, "rate_limit_error", ("Retry-After", "Sat, 01 Jan 2039 00:00:00 GMT")),
        "retry after",
        1,
        Decimal(0),
    ),
    "529": (PASSING["529"], r"status 529 \(overloaded_error\)", 3, Decimal(0)),
    "500": (PASSING["500"], r"status 500 \(api_error\)", 3, Decimal(0)),
    "an unknown key": (
        error(401, "authentication_error"),
        r"status 401 \(authentication_error\)",
        1,
        Decimal(0),
    ),
    "an error nobody knows": (error(400, f"{KEY}_error"), r"status 400$", 1, Decimal(0)),
    "an address elsewhere": (
        Reply(status=307, headers=(("Location", "/v1/other"),)),
        "status 307",
        1,
        Decimal(0),
    ),
    "dropped": (PASSING["dropped"], "interrupted", 3, None),
    "slow": (PASSING["slow"], "did not answer in time", 3, None),
    "dripping": (PASSING["dripping"], "did not answer in time", 3, None),
    "HTML": (Reply("<html>Sign in</html>", content_type="text/html"), "cannot be read", 1, None),
    "{}": (Reply({}), "cannot be read", 1, None),
    "[]": (Reply([]), "cannot be read", 1, None),
    "null": (Reply("null"), "cannot be read", 1, None),
    "broken JSON": (Reply('{"id": "msg_1", "type": "mess'), "cannot be read", 1, None),
    "no UTF-8": (Reply(b'{"id": "\xff\xfe"}'), "cannot be read", 1, None),
    "deep JSON": (Reply("[" * 200_000), "cannot be read", 1, None),
    "a number without end": (Reply('{"id": ' + "9" * 1_000_000 + "}"), "cannot be read", 1, None),
    "not gzip": (Reply(b"{}", headers=(("Content-Encoding", "gzip"),)), "interrupted", 3, None),
    "no usage": (Reply({**message().body, "usage": None}), "cannot be read", 1, None),
    "usage in words": (message(input_tokens="many"), "cannot be read", 1, None),  # type: ignore[arg-type]
    "usage below zero": (message(output_tokens=-1), "cannot be read", 1, None),
    "truncation": (
        message(stop_reason="max_tokens"),
        "truncated at the maximum length",
        1,
        COST,
    ),
    "refusal": (message([], "refusal"), "refused", 1, COST),
    "too much to read": (
        message([], "model_context_window_exceeded"),
        "exceed the model's context window",
        1,
        COST,
    ),
    "a reason nobody knows": (message(stop_reason="pause_turn"), "before the end", 1, COST),
    "no content": (
        Reply({**message().body, "content": None}),
        r"\(as a whole: json_invalid\)",
        1,
        COST,
    ),
    "prose": (message("The portfolio is calm."), r"\(as a whole: json_invalid\)", 1, COST),
    "a missing field": (
        message({**PLAN, "paragraphs": None}),
        r"\(paragraphs: list_type\)",
        1,
        COST,
    ),
    "a field too many": (
        message({**PLAN, "Bought by Ann": 1}),
        r"\(as a whole: extra_forbidden\)",
        1,
        COST,
    ),
    "half a character": (
        message('{"headline": "\\ud800"}'),
        r"\(as a whole: json_invalid\)",
        1,
        COST,
    ),
}


@pytest.mark.parametrize(("fault", "problem", "n_calls", "cost"), LASTING.values(), ids=LASTING)
def test_a_lasting_fault_ends_as_a_sentence_with_what_it_cost(
    writer, engine, fault, problem, n_calls, cost
):
    """A call that may have been charged, such as an interrupted one, keeps its reservation."""
    timeouts = TIGHT if fault.fault in SLOW else PATIENT
    began = time.monotonic()
    with serve(lambda _: fault) as server:
        answer = writer(server.url, timeouts=timeouts).write(PROMPT)
    assert time.monotonic() - began < 25  # three attempts of a second; of a silence, 30
    assert answer.plan is None
    assert answer.problem is not None
    assert re.search(problem, answer.problem)
    assert KEY not in answer.problem
    assert len(server.calls) == n_calls
    assert answer.usage.cost == cost
    assert amounts(engine) == [(cost, True)] * (n_calls if cost is None else 1)


def test_a_server_that_is_not_there_costs_nothing(writer):
    with serve(lambda _: message()) as server:
        url = server.url
    answer = writer(url).write(PROMPT)
    assert answer.problem == "the connection to Anthropic failed or was interrupted"
    assert answer.usage == Usage(0, 0, Decimal(0))


def use(topic: object, name: str = "claims") -> dict[str, object]:
    """Return a block that calls the tool."""
    return {
        "type": "tool_use",
        "id": "toolu_1",
        "name": name,
        "input": topic if isinstance(topic, dict) else {"topic": topic},
    }


def test_a_question_is_answered_after_looking_up_claims(writer, engine):
    """Two tool calls in three exchanges, with the sum of their costs."""
    replies = message([use("stress")], "tool_use"), message([use("betas")], "tool_use"), message()
    with serve(in_turn(*replies)) as server:
        answer = writer(server.url).ask(PROMPT, "[]", {"stress": '[{"id":"crash"}]', "betas": "[]"})
    assert answer.plan == PLANNED
    assert answer.usage == Usage(18000, 6000, 3 * COST, tool_calls=2)
    assert len(amounts(engine)) == 3
    assert server.calls[0]["tools"][0]["input_schema"]["properties"]["topic"]["enum"] == [
        "betas",
        "stress",
    ]
    assert all(call["cache_control"] == {"type": "ephemeral"} for call in server.calls)
    results = [
        turn["content"][0]
        for turn in server.calls[2]["messages"]
        if turn["content"][0]["type"] == "tool_result"
    ]
    assert [result["content"] for result in results] == ['[{"id":"crash"}]', "[]"]


@pytest.mark.parametrize(
    "wrong", [use("DROP TABLE"), use({"topic": ["stress"]}), use({}), use("stress", "shell")]
)
def test_an_invalid_tool_call_returns_our_own_error_message(writer, wrong):
    with serve(in_turn(message([wrong], "tool_use"), message())) as server:
        assert writer(server.url).ask(PROMPT, "[]", {"stress": "[]"}).plan is not None
    (result,) = server.calls[1]["messages"][-1]["content"]
    assert (result["is_error"], result["content"]) == (True, "The topics are stress.")


def test_a_model_that_only_looks_up_claims_is_stopped(writer):
    with serve(lambda _: message([use("stress")], "tool_use")) as server:
        answer = writer(server.url).ask(PROMPT, "[]", {"stress": "[]"})
    assert answer.plan is None
    assert "requested more claims 4 times" in (answer.problem or "")
    assert len(server.calls) == MAX_LOOKUP_TURNS + 1
    assert server.calls[-1]["tool_choice"] == {"type": "none"}
    assert answer.usage.cost == 5 * COST


def test_a_cap_ends_a_conversation_before_the_call_that_could_exceed_it(writer, engine):
    with serve(lambda _: message([use("stress")], "tool_use")) as server:
        answer = writer(server.url, Caps(Decimal("0.006"), DOLLAR, DOLLAR)).ask(
            PROMPT, "[]", {"stress": "[]"}
        )
    assert "RISKMETRICS_AI_USD_PER_INSIGHT" in (answer.problem or "")
    assert 0 < len(server.calls) < MAX_LOOKUP_TURNS
    assert (
        answer.usage.cost
        == len(server.calls) * COST
        == sum(cost or 0 for cost, _ in amounts(engine))
    )


def test_neither_key_nor_prompt_is_logged_at_any_level(writer, caplog):
    caplog.set_level(logging.DEBUG)
    with serve(in_turn(PASSING["500"], PASSING["dropped"], message())) as server:
        assert writer(server.url).write(PROMPT).plan is not None
    assert KEY not in caplog.text
    assert PROMPT.task not in caplog.text
    assert PROMPT.facts not in caplog.text


def test_environment_variables_of_the_sdk_are_ignored(writer, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another")
    with serve(lambda _: message()) as server:
        assert writer(server.url).write(PROMPT).plan is not None
    assert "another" not in server.log


def test_an_answer_may_be_exactly_as_large_as_the_limit(writer):
    size = len(message().content)
    with serve(lambda _: message()) as server:
        exact, tight = (CallLimits(max_answer_bytes=most) for most in (size, size - 1))
        assert writer(server.url, bounds=exact).write(PROMPT).plan is not None
        assert writer(server.url, bounds=tight).write(PROMPT).plan is None


def test_an_unrequested_compressed_answer_is_not_decompressed(writer):
    """300 MB of spaces before the message are sent as 300 KB."""
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packed.compress(b" " * (1 << 20)) for _ in range(300)]
    body = b"".join([*pieces, packed.compress(message().content), packed.flush()])
    fault = Reply(body, headers=(("Content-Encoding", "gzip"),))
    tracemalloc.start()
    try:
        with serve(lambda _: fault) as server:
            assert writer(server.url).write(PROMPT).plan is None
            assert "accept-encoding: identity" in server.log.lower()
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


ENDLESS = {
    "silence": Reply(fault="silence"),
    "dripping headers": Reply(fault="drip headers"),
    "dripping body": Reply(b" " * 1000, fault="drip"),
    "asks to retry forever": error(503, "api_error", ("Retry-After", "1")),
    "only looks up claims": message(
        [{"type": "tool_use", "id": "t", "name": "claims", "input": {"topic": "a"}}], "tool_use"
    ),
}


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("limit", ["insight", "run"])
def test_a_question_ends_at_its_time_limit_whatever_the_vendor_does(
    writer, engine, advance_clock, fault, limit
):
    """Single timeouts exceed the time of a question; after the limit, nothing is sent."""
    slow = Timeouts(60.0, 60.0, 60.0, 60.0)
    bounds = CallLimits(insight_seconds=0.6) if limit == "insight" else CallLimits(run_seconds=0.6)

    def answer(_: object) -> Reply:
        if not fault.fault and fault.status == 200:
            advance_clock(0.25)  # five turns would take longer than the limit
        return fault

    with serve(answer) as server:
        began, asking = time.monotonic(), writer(server.url, timeouts=slow, bounds=bounds)
        found = asking.ask(PROMPT, "[]", {"a": "[]"})
        assert time.monotonic() - began < 25  # 0.6 seconds; without the limit, 30
        calls = len(server.calls)
        name = "RISKMETRICS_AI_SECONDS" if limit == "insight" else "RISKMETRICS_AI_RUN_SECONDS"
        assert name in (found.problem or "")
        assert asking.write(PROMPT).plan is None
        server.closing.set()  # what is under way is interrupted, and could be sent again
        for thread in threading.enumerate():
            if thread.name.endswith("(run)"):  # of a call that was late
                thread.join(PATIENCE)
                assert not thread.is_alive()
        assert len(server.calls) == calls
    assert all(settled for _, settled in amounts(engine))


def test_each_insight_of_a_run_has_its_own_time_limit(writer, advance_clock):
    other = replace(PROMPT, task="Another task.")
    with serve(lambda _: message()) as server:
        asking = writer(server.url, bounds=CallLimits(insight_seconds=60))
        assert asking.write(PROMPT).plan is not None
        advance_clock(61)
        assert "RISKMETRICS_AI_SECONDS" in (asking.write(PROMPT).problem or "")
        assert asking.write(other).plan is not None
