"""Anthropic's Messages API, asked through its SDK on a local server: what comes back, what does not, and what it cost."""

import json
import logging
import re
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
from riskmetrics.insights.draft_schemas import Draft, Usage
from tests.fmp_server import KEY, Reply
from tests.insights.conftest import DOLLAR, PROMPT
from tests.messages_server import DRAFT, error, in_turn, message, serve

COST = Decimal("0.001600")
"""6,000 tokens at 0.10 USD a million and 2,000 at 0.50."""


def amounts(engine: sa.Engine) -> list[tuple[Decimal | None, bool]]:
    """What each call cost, and whether it is settled."""
    columns = tables.ai_spend.c.cost, tables.ai_spend.c.settled_at.is_not(None)
    with engine.connect() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                sa.select(*columns).order_by(tables.ai_spend.c.reserved_at)
            )
        ]


def test_a_draft_comes_back_with_its_tokens_and_their_price(writer, engine):
    with serve(lambda _: message()) as server:
        answer = writer(server.url).write(PROMPT)
    assert answer.draft == Draft(**DRAFT)
    assert (answer.problem, answer.model) == (None, "claude-haiku-5-5-20261001")
    assert answer.usage == Usage(6000, 2000, COST)
    assert amounts(engine) == [(COST, True)]
    (sent,) = server.calls
    assert set(sent) == {"model", "max_tokens", "system", "messages", "output_config"}
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": PROMPT.schema}}


def test_tokens_of_the_vendors_cache_have_rates_of_their_own(writer):
    """By hand: 1,000 at 0.10, 2,000 written at 0.125, 4,000 read at 0.01, 500 out at 0.50 USD a million."""
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


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_fault_is_asked_again_and_one_that_may_have_been_charged_goes_on_counting(
    writer, engine, fault
):
    with serve(in_turn(fault, message())) as server:
        answer = writer(server.url).write(PROMPT)
    assert answer.draft == Draft(**DRAFT)
    assert len(server.calls) == 2
    assert answer.usage.cost == (None if fault.fault else COST)
    assert amounts(engine) == [(None, True)] * bool(fault.fault) + [(COST, True)]


def test_what_breaks_off_again_and_again_ends_at_the_cap(writer, engine):
    with serve(lambda _: PASSING["dropped"]) as server:
        answer = writer(server.url, Caps(Decimal("0.006"), DOLLAR, DOLLAR)).write(PROMPT)
    assert "RISKMETRICS_AI_USD_PER_INSIGHT" in (answer.problem or "")
    assert len(server.calls) == len(amounts(engine)) < 3
    assert answer.usage.cost is None


LASTING = {
    "429": (PASSING["429"], r"status 429 \(rate_limit_error\)", 3, Decimal(0)),
    "429 for hours": (
        error(429, "rate_limit_error", ("Retry-After", "7200")),
        r"status 429 and to come back in 7200 s",
        1,
        Decimal(0),
    ),
    "hours, in milliseconds": (
        error(503, "api_error", ("Retry-After-Ms", "7200000")),
        "come back in 7200 s",
        1,
        Decimal(0),
    ),
    "hours and a half": (
        error(429, "rate_limit_error", ("Retry-After", "7200.5")),
        "to come back in 720",
        1,
        Decimal(0),
    ),
    "an endless wait": (
        error(429, "rate_limit_error", ("Retry-After", "inf")),
        "to come back in inf s",
        1,
        Decimal(0),
    ),
    "a date": (
        error(429, "rate_limit_error", ("Retry-After", "Sat, 01 Jan 2039 00:00:00 GMT")),
        "to come back in",
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
    "dropped": (PASSING["dropped"], "broke off", 3, None),
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
    "not gzip": (Reply(b"{}", headers=(("Content-Encoding", "gzip"),)), "broke off", 3, None),
    "no usage": (Reply({**message().body, "usage": None}), "cannot be read", 1, None),
    "usage in words": (message(input_tokens="many"), "cannot be read", 1, None),  # type: ignore[arg-type]
    "usage below zero": (message(output_tokens=-1), "cannot be read", 1, None),
    "truncation": (
        message(stop_reason="max_tokens"),
        "cut off at its longest allowed length",
        1,
        COST,
    ),
    "refusal": (message([], "refusal"), "refused", 1, COST),
    "too much to read": (
        message([], "model_context_window_exceeded"),
        "more than the model can read",
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
        message({**DRAFT, "analysis": None}),
        r"\(analysis: string_type\)",
        1,
        COST,
    ),
    "a field too many": (
        message({**DRAFT, "Bought by Ann": 1}),
        r"\(as a whole: extra_forbidden\)",
        1,
        COST,
    ),
    "half a character": (message('{"title": "\\ud800"}'), r"\(as a whole: json_invalid\)", 1, COST),
}


@pytest.mark.parametrize(("fault", "problem", "asked", "paid"), LASTING.values(), ids=LASTING)
def test_a_lasting_fault_ends_as_a_sentence_with_what_it_cost(
    writer, engine, fault, problem, asked, paid
):
    """What is not known to be free, such as a call that broke off, goes on counting with what was put aside for it."""
    began = time.monotonic()
    with serve(lambda _: fault) as server:
        answer = writer(server.url).write(PROMPT)
    assert time.monotonic() - began < 10
    assert answer.draft is None
    assert answer.problem is not None
    assert re.search(problem, answer.problem)
    assert KEY not in answer.problem
    assert len(server.calls) == asked
    assert answer.usage.cost == paid
    assert amounts(engine) == [(paid, True)] * (asked if paid is None else 1)


def test_a_server_that_is_not_there_costs_nothing(writer):
    with serve(lambda _: message()) as server:
        url = server.url
    answer = writer(url).write(PROMPT)
    assert answer.problem == "the connection to Anthropic could not be made, or broke off"
    assert answer.usage == Usage(0, 0, Decimal(0))


def test_a_repair_shows_the_draft_and_what_is_wrong_with_it(writer):
    with serve(in_turn(message(), message({**DRAFT, "title": "Calmer"}))) as server:
        claude = writer(server.url)
        draft = claude.write(PROMPT).draft
        assert draft is not None
        repaired = claude.repair(PROMPT, draft, ["the title rests on no fact"]).draft
    assert repaired is not None
    assert repaired.title == "Calmer"
    first, second = server.calls
    assert second["messages"][0] == first["messages"][0]
    assert json.loads(second["messages"][1]["content"]) == DRAFT
    assert "- the title rests on no fact" in second["messages"][2]["content"]


def use(kind: object, name: str = "facts") -> dict[str, object]:
    """A block that calls the tool."""
    return {
        "type": "tool_use",
        "id": "toolu_1",
        "name": name,
        "input": kind if isinstance(kind, dict) else {"kind": kind},
    }


def test_a_question_is_answered_after_looking_up_facts(writer, engine):
    """Two calls of tools and three exchanges, paid for together."""
    asked = message([use("stress")], "tool_use"), message([use("betas")], "tool_use"), message()
    with serve(in_turn(*asked)) as server:
        answer = writer(server.url).ask(PROMPT, "[]", {"stress": '[{"id":"crash"}]', "betas": "[]"})
    assert answer.draft == Draft(**DRAFT)
    assert answer.usage == Usage(18000, 6000, 3 * COST, tool_calls=2)
    assert len(amounts(engine)) == 3
    assert server.calls[0]["tools"][0]["input_schema"]["properties"]["kind"]["enum"] == [
        "betas",
        "stress",
    ]
    results = [
        turn["content"][0]
        for turn in server.calls[2]["messages"]
        if turn["content"][0]["type"] == "tool_result"
    ]
    assert [result["content"] for result in results] == ['[{"id":"crash"}]', "[]"]


@pytest.mark.parametrize(
    "wrong", [use("DROP TABLE"), use({"kind": ["stress"]}), use({}), use("stress", "shell")]
)
def test_what_no_tool_can_do_is_told_to_the_model_in_words_of_ours(writer, wrong):
    with serve(in_turn(message([wrong], "tool_use"), message())) as server:
        assert writer(server.url).ask(PROMPT, "[]", {"stress": "[]"}).draft is not None
    (told,) = server.calls[1]["messages"][-1]["content"]
    assert (told["is_error"], told["content"]) == (True, "The kinds of facts are stress.")


def test_a_model_that_only_asks_is_stopped(writer):
    with serve(lambda _: message([use("stress")], "tool_use")) as server:
        answer = writer(server.url).ask(PROMPT, "[]", {"stress": "[]"})
    assert answer.draft is None
    assert "asked for more facts 4 times" in (answer.problem or "")
    assert len(server.calls) == MAX_LOOKUP_TURNS + 1
    assert server.calls[-1]["tool_choice"] == {"type": "none"}
    assert answer.usage.cost == 5 * COST


def test_a_cap_ends_a_conversation_before_the_call_that_could_pass_it(writer, engine):
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
        assert writer(server.url).write(PROMPT).draft is not None
    assert KEY not in caplog.text
    assert PROMPT.task not in caplog.text
    assert PROMPT.facts not in caplog.text


def test_no_setting_of_the_sdks_own_is_used(writer, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another")
    with serve(lambda _: message()) as server:
        assert writer(server.url).write(PROMPT).draft is not None
    assert "another" not in server.log


def test_an_answer_may_be_exactly_as_large_as_the_limit(writer):
    size = len(message().content)
    with serve(lambda _: message()) as server:
        exact, tight = (CallLimits(max_answer_bytes=most) for most in (size, size - 1))
        assert writer(server.url, bounds=exact).write(PROMPT).draft is not None
        assert writer(server.url, bounds=tight).write(PROMPT).draft is None


def test_a_compressed_answer_that_nobody_asked_for_is_not_unpacked(writer):
    """300 MB of spaces before the message are sent as 300 KB."""
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packed.compress(b" " * (1 << 20)) for _ in range(300)]
    body = b"".join([*pieces, packed.compress(message().content), packed.flush()])
    fault = Reply(body, headers=(("Content-Encoding", "gzip"),))
    tracemalloc.start()
    try:
        with serve(lambda _: fault) as server:
            slow = Timeouts(5.0, 5.0, 30.0)
            assert writer(server.url, timeouts=slow).write(PROMPT).draft is None
            assert "accept-encoding: identity" in server.log.lower()
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


ENDLESS = {
    "silence": Reply(fault="silence"),
    "dripping headers": Reply(fault="drip headers"),
    "dripping body": Reply(b" " * 1000, fault="drip"),
    "asks to come back for ever": error(503, "api_error", ("Retry-After", "1")),
    "only looks up facts": message(
        [{"type": "tool_use", "id": "t", "name": "facts", "input": {"kind": "a"}}], "tool_use"
    ),
}


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("limit", ["insight", "run"])
def test_a_question_ends_at_its_time_limit_whatever_the_vendor_does(writer, engine, fault, limit):
    """Timeouts of single waits are longer than what a question may take; afterwards nothing more is sent."""
    slow = Timeouts(60.0, 60.0, 60.0, 60.0)
    bounds = CallLimits(insight_seconds=0.6) if limit == "insight" else CallLimits(run_seconds=0.6)

    def answer(_: object) -> Reply:
        if not fault.fault and fault.status == 200:
            time.sleep(0.25)  # five turns would take longer than the limit
        return fault

    with serve(answer) as server:
        began, asking = time.monotonic(), writer(server.url, timeouts=slow, bounds=bounds)
        found = asking.ask(PROMPT, "[]", {"a": "[]"})
        assert time.monotonic() - began < 5  # 0.6 seconds, on a machine that has other things to do
        calls = len(server.calls)
        name = "RISKMETRICS_AI_SECONDS" if limit == "insight" else "RISKMETRICS_AI_RUN_SECONDS"
        assert name in (found.problem or "")
        assert asking.repair(PROMPT, Draft(**DRAFT), ["wrong"]).draft is None
        time.sleep(1.1)
        assert len(server.calls) == calls
    assert all(settled for _, settled in amounts(engine))


def test_each_insight_of_a_run_has_a_time_of_its_own(writer):
    other = replace(PROMPT, task="Another task.")
    with serve(lambda _: message()) as server:
        asking = writer(server.url, bounds=CallLimits(insight_seconds=0.5))
        assert asking.write(PROMPT).draft is not None
        time.sleep(0.6)
        assert "RISKMETRICS_AI_SECONDS" in (asking.write(PROMPT).problem or "")
        assert asking.write(other).draft is not None
