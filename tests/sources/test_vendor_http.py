"""HTTP requests to a local server: retries, time limits, and redaction of the key."""

import logging
import time
import traceback
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import quote, quote_plus

import pytest
from urllib3.util.retry import Retry

from riskmetrics.errors import (
    AuthenticationError,
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    TimeLimitError,
    VendorUnavailableError,
)
from riskmetrics.sources import request_policy
from riskmetrics.sources.request_policy import CallLimits, Timeouts
from riskmetrics.sources.vendor_http import CONCURRENCY, VendorHttpClient, VendorResponse
from tests.fmp_server import KEY, Reply, serve
from tests.forked_commands import PATIENCE

PATH = "/stable/profile"
FAST = Retry(total=2, backoff_factor=0.01, retry_after_max=60, allowed_methods=["GET"])
PATIENT, TIGHT = Timeouts(30.0, 30.0, 30.0), Timeouts(2.0, 1.0, 1.0)
"""For answers that come, however busy the machine is, and for those that do not."""
LATE = Timeouts(30.0, 4.0, 4.0)
"""For an answer that does not come, and one after it that does."""


def body(answer: VendorResponse) -> bytes:
    """Take an answer of status 200; anything else is a fault of the server."""
    if answer.status == 429:
        raise RateLimitError("too often", transient=True, retry_after=answer.retry_after)
    if answer.status != 200:
        raise VendorUnavailableError(f"status {answer.status}", answer.retry_after)
    return answer.body


def client(url: str, **options: object) -> VendorHttpClient:
    """Return a client that retries twice and at once."""
    return VendorHttpClient(
        url,
        KEY,
        lambda: None,
        **{"retries": FAST, "timeouts": PATIENT, "cooldown": 0.01, **options},
    )


def replies(*given: Reply):
    """Give these answers in turn, the last one for ever."""
    left = list(given)
    return lambda *_: left.pop(0) if len(left) > 1 else left[0]


GOOD = Reply([{"symbol": "AAPL"}])


@pytest.mark.parametrize(
    "bad",
    [
        Reply(fault="reset"),
        Reply(fault="silence"),
        Reply(b"x" * 1200, fault="drip"),
        Reply(b"x" * 100, fault="cut"),
        Reply(status=502),
    ],
    ids=["reset", "silence", "drip", "cut", "502"],
)
def test_a_fault_on_the_way_is_asked_again_and_ends_as_an_error_without_the_key(bad):
    is_slow = bad.fault in ("silence", "drip")
    with serve(replies(bad, GOOD)) as server:
        with client(server.url, timeouts=LATE if is_slow else PATIENT) as asking:
            assert asking.get(PATH, {"symbol": "AAPL"}, body) == GOOD.content
        assert len(server.calls) == 2
        server.answers = replies(bad)
        with (
            client(server.url, timeouts=TIGHT if is_slow else PATIENT) as asking,
            pytest.raises(VendorUnavailableError) as caught,
        ):
            asking.get(PATH, {}, body)
        assert len(server.calls) == 2 + 3
    assert KEY not in "".join(traceback.format_exception(caught.value, chain=True))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_server_that_is_not_there_is_named_without_the_key():
    with serve(replies(GOOD)) as server:
        url = server.url
    with (
        client(url) as asking,
        pytest.raises(VendorUnavailableError, match=r"127\.0\.0\.1 cannot be reached") as caught,
    ):
        asking.get(PATH, {}, body)
    assert KEY not in "".join(traceback.format_exception(caught.value, chain=True))


def test_a_drip_ends_when_the_whole_answer_is_late():
    """Each byte comes in time; the answer would take a minute."""
    with (
        serve(replies(Reply(b"x" * 1200, fault="drip"))) as server,
        client(server.url, retries=Retry(0), timeouts=TIGHT) as asking,
    ):
        began = time.monotonic()
        with pytest.raises(
            VendorUnavailableError, match=r"did not complete its response within 1 s"
        ):
            asking.get(PATH, {}, body)
        assert time.monotonic() - began < 30


def test_after_three_questions_that_could_not_be_delivered_nothing_more_is_sent():
    with (
        serve(replies(Reply(fault="reset"))) as server,
        client(server.url, retries=Retry(0)) as asking,
    ):
        for _ in range(10):
            with pytest.raises(VendorUnavailableError, match="closed the connection early"):
                asking.get(PATH, {}, body)
        assert len(server.calls) == 3


def test_every_attempt_is_admitted_and_a_refusal_sends_nothing():
    admitted = []

    def admit() -> None:
        if len(admitted) == 4:
            raise RateLimitError("the calls of the day are used up")
        admitted.append(1)

    with (
        serve(replies(Reply(status=502), GOOD)) as server,
        VendorHttpClient(server.url, KEY, admit, retries=FAST) as asking,
    ):
        for _ in range(3):
            asking.get(PATH, {}, body)
        with pytest.raises(RateLimitError, match="used up"):
            asking.get(PATH, {}, body)
        assert len(server.calls) == len(admitted) == 4


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("100000", 60), ("Fri, 31 Dec 2100 00:00:00 GMT", 60), ("soon", 0), ("-5", 0)],
)
def test_retry_after_is_honoured_up_to_a_minute(monkeypatch, header, seconds):
    waited = []
    monkeypatch.setattr(request_policy, "sleep", waited.append)
    for status in (429, 503):
        with (
            serve(
                replies(Reply(status=status, headers=(("Retry-After", header),)), GOOD)
            ) as server,
            client(server.url) as asking,
        ):
            assert asking.get(PATH, {}, body) == GOOD.content
    assert [second for second in waited if second != 0.01] == [seconds, seconds]


def test_waits_grow_and_are_jittered():
    retries, waits = request_policy.RETRIES, []
    while (
        left := request_policy._next_retry(retries, PATH, VendorUnavailableError(""))
    ) is not None:
        retries = left
        waits.append(request_policy._retry_delay(retries, VendorUnavailableError("")))
    assert waits[0] == 0
    assert 2 <= waits[1] <= 3
    assert 4 <= waits[2] <= 5
    assert len(waits) == 3


def test_a_limit_that_lasts_is_asked_once_more_after_a_pause_and_then_by_nobody():
    """Four threads run into it: one pause for all, and none of them loops."""
    with (
        serve(replies(Reply(status=429))) as server,
        client(server.url, cooldown=1.0) as asking,
        ThreadPoolExecutor(4) as pool,
    ):
        began = time.monotonic()
        futures = [pool.submit(asking.get, PATH, {}, body) for _ in range(100)]
        errors = {type(future.exception()) for future in futures}
        assert time.monotonic() - began < 15  # 25 pauses, if each call of a thread had its own
        assert len(server.calls) <= 8
    assert errors == {RateLimitError}


def test_a_limit_that_passes_costs_one_question_of_each_thread():
    with serve(replies(Reply(status=429), GOOD)) as server, client(server.url) as asking:
        assert [asking.get(PATH, {}, body) for _ in range(3)] == [GOOD.content] * 3
        assert len(server.calls) == 4


@pytest.mark.parametrize(
    ("failure", "asked"),
    [
        (EntitlementError("not this symbol"), 4),
        (EntitlementError("not this endpoint", is_endpoint_wide=True), 3),
        (AuthenticationError("unknown"), 1),
        (InvalidResponseError("no list"), 4),
    ],
)
def test_what_a_refusal_closes_is_not_asked_again(failure, asked):
    """Twice the profile, twice something else: a closed endpoint leaves the other one open."""

    def refuse(answer: VendorResponse) -> None:
        raise failure

    with serve(replies(GOOD)) as server, client(server.url) as asking:
        for path in (PATH, PATH, "/stable/quote", "/stable/other"):
            with pytest.raises(type(failure), match=str(failure)):
                asking.get(path, {}, refuse)
        assert len(server.calls) == asked


def test_an_answer_that_echoes_the_key_loses_it():
    with (
        serve(
            lambda path, query: Reply(f"no such page: {path}?apikey={KEY}", 404, "text/html")
        ) as server,
        client(server.url) as asking,
    ):
        answer = asking.get(PATH, {}, lambda answer: answer)
    assert answer.body == b"no such page: /stable/profile?apikey=***"


def test_an_answer_that_echoes_the_key_as_an_address_has_it_loses_it(monkeypatch):
    key = "a+b/c=="
    monkeypatch.setattr("tests.fmp_server.KEY", key)
    forms = [key, quote(key), quote(key, safe=""), quote_plus(key)]
    with (
        serve(replies(Reply(" ".join(forms), 404, "text/html"))) as server,
        VendorHttpClient(server.url, key, lambda: None) as asking,
    ):
        answer = asking.get(PATH, {}, lambda answer: answer)
    assert answer.body == b"*** *** *** ***"


def test_what_urllib3_logs_does_not_hold_the_key(caplog):
    with (
        caplog.at_level(logging.DEBUG),
        serve(replies(Reply(fault="reset"), GOOD)) as server,
        client(server.url) as asking,
    ):
        asking.get(PATH, {"symbol": "AAPL"}, body)
    assert "GET /stable/profile?apikey=***&symbol=AAPL" in caplog.text
    assert KEY not in caplog.text


def test_a_header_that_urllib3_complains_of_does_not_put_the_key_into_its_log(caplog):
    """That complaint comes from another module, and quotes the address and what the vendor sent."""
    odd = Reply(GOOD.body, headers=((f"no header, as the key {KEY} is none\r\nX", "1"),))
    with (
        caplog.at_level(logging.DEBUG),
        serve(replies(odd)) as server,
        client(server.url) as asking,
    ):
        assert asking.get(PATH, {}, body) == GOOD.content
    assert "GET /stable/profile?apikey=***" in caplog.text
    assert KEY not in caplog.text


def test_who_waits_long_is_told_why_and_a_moment_is_not_worth_a_word(monkeypatch):
    """One minute for all threads, or per Retry-After; an immediate retry is not reported."""
    stated = []
    monkeypatch.setattr(request_policy, "sleep", lambda _: None)
    with (
        serve(lambda *_: GOOD if stated else Reply(status=429)) as server,
        client(server.url, cooldown=60.0, on_wait=stated.append) as asking,
    ):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: asking.get(PATH, {}, body), range(4)))
        assert stated == ["waiting 60 s before the next call: too often"]
        server.answers = replies(
            Reply(status=503, headers=(("Retry-After", "9"),)), Reply(fault="reset"), GOOD
        )
        asking.get(PATH, {}, body)
    assert stated[1:] == ["waiting 9 s before the next call: status 503"]


def test_a_redirect_is_not_followed_with_the_key():
    with (
        serve(
            replies(Reply(status=302, headers=(("Location", "http://127.0.0.1:1/elsewhere"),)))
        ) as server,
        client(server.url) as asking,
    ):
        assert asking.get(PATH, {}, lambda answer: answer.status) == 302
        assert len(server.calls) == 1


def test_no_more_than_four_calls_are_under_way_at_once():
    under_way, most = [], []
    together = Barrier(CONCURRENCY)

    def answer(path: str, query: dict[str, str]) -> Reply:
        under_way.append(1)
        most.append(len(under_way))
        together.wait(PATIENCE)
        under_way.pop()
        together.wait(PATIENCE)
        return GOOD

    with serve(answer) as server, client(server.url) as asking, ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: asking.get(PATH, {}, body), range(8 * CONCURRENCY)))
    assert max(most) == CONCURRENCY


def test_an_answer_may_be_exactly_as_large_as_the_limit():
    with serve(replies(Reply(b"x" * 5000))) as server:
        with client(server.url, limits=CallLimits(max_answer_bytes=5000)) as asking:
            assert len(asking.get(PATH, {}, body)) == 5000
        with (
            client(server.url, limits=CallLimits(max_answer_bytes=4999)) as asking,
            pytest.raises(InvalidResponseError, match="RISKMETRICS_MAX_ANSWER_MB"),
        ):
            asking.get(PATH, {}, body)


def test_an_answer_that_expands_is_refused_before_it_is_in_memory():
    """300 MB of zeros are sent as 300 KB."""
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    sent = b"".join([*(packed.compress(bytes(1 << 20)) for _ in range(300)), packed.flush()])
    tracemalloc.start()
    try:
        with (
            serve(replies(Reply(sent, headers=(("Content-Encoding", "gzip"),)))) as server,
            client(server.url) as asking,
            pytest.raises(InvalidResponseError, match="larger than 8 MB"),
        ):
            asking.get(PATH, {}, body)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


ENDLESS = {
    "silence": Reply(fault="silence"),
    "dripping headers": Reply(fault="drip headers"),
    "dripping body": Reply(b"x" * 1000, fault="drip"),
    "asks to come back for ever": Reply(status=503, headers=(("Retry-After", "1"),)),
    "rate limit for ever": Reply(status=429),
}


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("limit", ["call", "run"])
def test_a_question_ends_at_its_time_limit_whatever_the_vendor_does(fault, limit):
    """Timeouts of single waits are longer than what a call may take."""
    slow = Timeouts(60.0, 60.0, 60.0)
    bounds = CallLimits(call_seconds=0.5) if limit == "call" else CallLimits(run_seconds=0.5)
    with (
        serve(replies(fault)) as server,
        client(server.url, limits=bounds, timeouts=slow, cooldown=30.0) as asking,
    ):
        began = time.monotonic()
        with pytest.raises(
            TimeLimitError, match=f"RISKMETRICS_FMP_{limit.upper()}_SECONDS"
        ) as caught:
            asking.get(PATH, {}, body)
        assert time.monotonic() - began < 25  # half a second; without the limit, 30
    assert caught.value.exit_code == 5
    assert KEY not in "".join(traceback.format_exception(caught.value, chain=True))


def test_after_the_time_of_a_run_nothing_is_sent(advance_clock):
    with (
        serve(replies(GOOD)) as server,
        client(server.url, limits=CallLimits(run_seconds=60)) as asking,
    ):
        advance_clock(61)  # before the first question no time counts
        assert asking.get(PATH, {}, body) == GOOD.content
        advance_clock(61)
        for path in (PATH, "/stable/quote"):
            with pytest.raises(TimeLimitError, match="RISKMETRICS_FMP_RUN_SECONDS"):
                asking.get(path, {}, body)
        assert len(server.calls) == 1


def test_the_wait_until_the_plan_admits_a_call_is_no_part_of_its_time(advance_clock):
    with serve(replies(GOOD)) as server:
        slow = VendorHttpClient(
            server.url, KEY, lambda: advance_clock(61), limits=CallLimits(call_seconds=60)
        )
        with slow as asking:
            assert asking.get(PATH, {}, body) == GOOD.content
