"""Batches on a local server are sent and collected once, also after failures."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa

from riskmetrics.db import batch_store, tables
from riskmetrics.db.batch_store import BatchRequest
from riskmetrics.insights.budget import Caps
from riskmetrics.insights.claude import Claude
from riskmetrics.insights.message_batches import (
    BatchPrompt,
    BatchWriter,
    collect_ended_batches,
    find_ended_batches,
    send_batch,
)
from tests.fmp_server import Reply
from tests.insights.conftest import DOLLAR, LATE, PATIENT, PLANNED, PROMPT
from tests.messages_server import error, message, serve

DAY = date(2022, 12, 28)
HALF = Decimal("0.000800")
"""Half of 0.0016 USD."""


@pytest.fixture
def prompts(engine: sa.Engine) -> list[BatchPrompt]:
    """Three prompts of one portfolio."""
    with engine.begin() as connection:
        new = (
            sa.insert(tables.portfolios)
            .values(name="Growth", currency="USD")
            .returning(tables.portfolios.c.id)
        )
        portfolio: UUID = connection.execute(new).scalar_one()
    return [
        BatchPrompt(replace(PROMPT, task=f"Task {name}."), portfolio, DAY, "daily_summary")
        for name in "abc"
    ]


class RecordingStore:
    """A store that records the answers."""

    def __init__(self, *prompts: BatchPrompt) -> None:
        self.prompts, self.answers = prompts, []

    def __call__(self, collected: BatchWriter, requests: Sequence[BatchRequest]) -> None:
        """Record the answers of a batch."""
        assert {each.day for each in requests} == {DAY}
        self.answers += [collected.write(each.prompt) for each in self.prompts]


def spent(claude: Claude) -> list[tuple[object, ...]]:
    """Return cost and settlement of each request."""
    columns = tables.ai_spend.c.cost, tables.ai_spend.c.settled_at.is_not(None)
    with claude.budget.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns))]


def grow_old(claude: Claude, by: timedelta) -> None:
    """Age the stored batches."""
    with claude.budget.engine.begin() as connection:
        connection.execute(
            sa.update(tables.ai_batches).values(created_at=tables.ai_batches.c.created_at - by)
        )


def test_a_batch_is_sent_waited_for_and_collected_at_half_the_price(writer, prompts):
    with serve(lambda _: message()) as server:
        claude, store = writer(server.url), RecordingStore(*prompts)
        assert send_batch(claude, prompts) is None
        assert collect_ended_batches(claude, store) == 0
        assert spent(claude) == [(None, False)] * 3
        server.ended = True
        assert collect_ended_batches(claude, store) == 1
        assert collect_ended_batches(claude, store) == 0
        assert not server.calls
        ((_, requests),) = server.batches.items()
    assert [answer.plan for answer in store.answers] == [PLANNED] * 3
    assert [answer.usage.cost for answer in store.answers] == [HALF] * 3
    assert spent(claude) == [(HALF, True)] * 3
    assert {request["params"]["messages"][0]["content"][0]["text"] for request in requests} == {
        "Task a.",
        "Task b.",
        "Task c.",
    }


def test_pending_prompts_are_not_sent_again(writer, prompts):
    with serve(lambda _: message()) as server:
        claude = writer(server.url)
        assert [
            send_batch(claude, prompts[:2]),
            send_batch(claude, prompts),
            send_batch(claude, prompts),
        ] == [None] * 3
        assert [len(requests) for requests in server.batches.values()] == [2, 1]


def test_concurrent_processes_send_the_same_prompts_once(writer, prompts):
    with serve(lambda _: message()) as server, ThreadPoolExecutor(6) as pool:
        claude = writer(server.url)
        assert list(pool.map(lambda _: send_batch(claude, prompts), range(6))) == [None] * 6
        assert [len(requests) for requests in server.batches.values()] == [3]
    assert spent(claude) == [(None, False)] * 3


@pytest.mark.parametrize(
    "fault",
    [Reply(fault="reset"), Reply(fault="silence"), error(500, "api_error"), Reply("<html>")],
)
def test_a_batch_whose_response_was_lost_is_found_again_and_charged_once(writer, prompts, fault):
    """Another user's batch of the same account is left alone."""
    with serve(lambda _: message()) as server:
        timeouts = LATE if fault.fault == "silence" else PATIENT
        claude, store = writer(server.url, timeouts=timeouts), RecordingStore(*prompts)
        server.batches["msgbatch_of_others"] = [{"custom_id": "theirs-1", "params": {}}] * 3
        server.fault = fault
        assert send_batch(claude, prompts)
        server.fault = None
        assert send_batch(claude, prompts) is None
        assert collect_ended_batches(claude, store) == 0
        server.ended = True
        assert collect_ended_batches(claude, store) == 1
        assert len(server.batches) == 2
    assert len(store.answers) == 3
    assert spent(claude) == [(HALF, True)] * 3


@pytest.mark.parametrize("n_newer", [99, 100, 250])
def test_a_lost_batch_is_found_behind_pages_of_other_batches(writer, prompts, n_newer):
    """The vendor lists at most 100 batches at once."""
    with serve(lambda _: message()) as server:
        claude, store = writer(server.url), RecordingStore(*prompts)
        server.fault = Reply(fault="reset")
        assert send_batch(claude, prompts)
        server.fault = None
        server.batches |= {
            f"msgbatch_of_others_{number}": [{"custom_id": "theirs-1", "params": {}}]
            for number in range(n_newer)
        }
        server.ended = True
        assert collect_ended_batches(claude, store) == 1
    assert len(store.answers) == 3
    assert spent(claude) == [(HALF, True)] * 3


def test_a_batch_that_never_arrived_costs_nothing_and_may_be_sent_again(writer, prompts):
    with serve(lambda _: message()) as server:
        claude = writer(server.url)
        server.fault = Reply(fault="reset")
        assert send_batch(claude, prompts)
        server.batches.clear()
        server.fault = None
        assert collect_ended_batches(claude, RecordingStore()) == 0  # it may be on its way
        grow_old(claude, timedelta(minutes=11))
        assert collect_ended_batches(claude, RecordingStore()) == 1
        assert spent(claude) == [(0, True)] * 3
        assert send_batch(claude, prompts) is None
        assert len(server.batches) == 1


@pytest.mark.parametrize(
    "refusal", [error(400, "invalid_request_error"), error(401, "authentication_error")]
)
def test_a_batch_that_is_refused_is_closed_at_once(writer, prompts, refusal):
    with serve(lambda _: message()) as server:
        claude = writer(server.url)
        server.fault = refusal
        assert "status 4" in (send_batch(claude, prompts) or "")
        assert find_ended_batches(claude) == []
    assert spent(claude) == [(0, True)] * 3


def test_a_failed_store_leaves_the_batch_to_the_next_run(writer, prompts):
    with serve(lambda _: message()) as server:
        claude, store = writer(server.url), RecordingStore(*prompts)
        send_batch(claude, prompts)
        server.ended = True

        def dying(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            collect_ended_batches(claude, dying)
        assert spent(claude) == [(None, False)] * 3
        assert collect_ended_batches(claude, store) == 1
    assert spent(claude) == [(HALF, True)] * 3


def test_a_batch_being_collected_is_skipped_by_others(writer, prompts, engine):
    with serve(lambda _: message()) as server:
        claude = writer(server.url)
        send_batch(claude, prompts)
        server.ended = True
        with engine.begin() as connection:
            (batch,) = batch_store.read_open_batches(connection)
            assert batch_store.claim_batch(connection, batch.id)
            assert collect_ended_batches(claude, RecordingStore()) == 0
        assert collect_ended_batches(claude, RecordingStore()) == 1


def test_requests_without_an_answer_have_a_reason_and_no_cost(writer, prompts):
    def answers(body):
        return error(500, "api_error") if "Task b." in str(body) else message()

    with serve(answers) as server:
        claude, store = (
            writer(server.url),
            RecordingStore(
                *prompts, prompts[0]._replace(prompt=replace(PROMPT, task="Another day's."))
            ),
        )
        send_batch(claude, prompts)
        server.ended = True
        assert collect_ended_batches(claude, store) == 1
    assert [answer.problem for answer in store.answers] == [
        None,
        "the batch ended without an answer (errored)",
        None,
        "the facts or the template changed after the batch was sent",
    ]
    assert sorted(spent(claude), key=str) == [(0, True), (HALF, True), (HALF, True)]


def test_unreadable_results_are_fetched_again_until_they_expire(writer, prompts):
    with serve(lambda _: message()) as server:
        claude = writer(server.url)
        send_batch(claude, prompts)
        server.ended = True
        known = server.batches.copy()
        server.batches = {name: [{"custom_id": None}] for name in known}  # nothing that can be read
        assert collect_ended_batches(claude, RecordingStore()) == 0
        grow_old(claude, timedelta(days=30))
        assert collect_ended_batches(claude, RecordingStore()) == 1
        assert find_ended_batches(claude) == []


def test_prompts_above_a_cap_are_not_sent(writer, prompts):
    with serve(lambda _: message()) as server:
        claude = writer(server.url, Caps(DOLLAR, Decimal("0.003"), DOLLAR))
        assert "RISKMETRICS_AI_USD_PER_RUN" in (send_batch(claude, prompts) or "")
        assert [len(requests) for requests in server.batches.values()] == [2]
