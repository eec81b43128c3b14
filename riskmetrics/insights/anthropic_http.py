"""How long to wait for Anthropic: what its SDK leaves open of time and size is closed here."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, NamedTuple

import httpx2
from anthropic import APIConnectionError, APIRequest, APIResponse, APITimeoutError, CallNext
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from riskmetrics.deadlines import Deadline
from riskmetrics.errors import RateLimitError, VendorUnavailableError
from riskmetrics.limits import MEGABYTE

NOT_SENT_ERRORS = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""Faults before anything was sent."""

_BATCH_SIZE_FACTOR = 8
"""Times the largest answer that all answers of a batch together may have."""

CALL_DEADLINE: ContextVar[Deadline | None] = ContextVar("CALL_DEADLINE", default=None)
"""When who asked gives up; the SDK, which goes on in a thread of its own, must not ask again after that."""


TIMEOUT_PROBLEM = "Anthropic did not answer in time"
CONNECTION_PROBLEM = "the connection to Anthropic could not be made, or broke off"


class Timeouts(NamedTuple):
    """Seconds to wait: for a connection, for the next bytes, for the whole answer, and longest if the vendor says when to come back."""

    connect: float = 5.0
    read: float = 60.0
    total: float = 120.0
    retry_after: float = 30.0


class CallLimits(NamedTuple):
    """Most that is taken of Anthropic: bytes of an answer, and seconds of an insight and of a run's insights."""

    max_answer_bytes: int = 8 * MEGABYTE
    """A message of 4,000 tokens has some 20,000."""
    insight_seconds: float = 180.0
    """Of one insight or question: all its calls, retries and waits, repairs among them."""
    run_seconds: float = 1800.0
    """From the first call of a run on."""


def retry_middleware(timeouts: Timeouts) -> Callable[[APIRequest, CallNext], "APIResponse[Any]"]:
    """Return a middleware that leaves to the SDK only what may be repeated unseen.

    It gives up when it is told to come back later than is worth waiting for: the SDK would sleep
    for hours. And what broke off after it was sent may have been charged: who counts the cost has
    to know of each such attempt.
    """

    def attempt(request: APIRequest, call_next: CallNext) -> "APIResponse[Any]":
        deadline = CALL_DEADLINE.get()
        if deadline is not None and deadline.seconds_left <= 0:
            raise VendorUnavailableError(TIMEOUT_PROBLEM)
        try:
            response = call_next(request)
        except APIConnectionError as error:
            if request.options.method != "post" or isinstance(error.__cause__, NOT_SENT_ERRORS):
                raise
            late = isinstance(error, APITimeoutError)
            raise VendorUnavailableError(
                TIMEOUT_PROBLEM if late else CONNECTION_PROBLEM
            ) from None  # with a cause that may be repeated the SDK would do so
        seconds = _retry_after_seconds(response.headers)
        if response.status_code >= 400 and seconds > timeouts.retry_after:
            raise RateLimitError(
                f"Anthropic answered with status {response.status_code} and to come back in"
                f" {seconds:.0f} s"
            )
        return response

    return attempt


def _retry_after_seconds(headers: httpx2.Headers) -> float:
    """When to come back, in each spelling that the SDK obeys: milliseconds, seconds with or without a fraction, a date."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            return float(headers.get(name, "")) / unit
    with suppress(InvalidHeader):
        return Retry().parse_retry_after(headers.get("retry-after", ""))
    return 0.0


def response_limit_hook(
    timeouts: Timeouts, max_answer_bytes: int
) -> Callable[[httpx2.Response], None]:
    """Return a hook after which an answer that drips counts as late, and one that is too large ends.

    An answer that is compressed although nobody asked for that is refused: its few bytes could
    stand for any number.
    """

    def limit_response(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise httpx2.DecodingError("the answer is compressed", request=response.request)
        if isinstance(response.stream, httpx2.SyncByteStream):
            is_line_delimited = response.request.url.path.endswith("/results")
            response.stream = _LimitedStream(
                response.stream,
                timeouts.total,
                max_answer_bytes,
                is_line_delimited=is_line_delimited,
            )

    return limit_response


class _LimitedStream(httpx2.SyncByteStream):
    """A body that has to arrive within some seconds, and no larger than allowed; ``is_line_delimited``, each line of it."""

    def __init__(
        self,
        body: httpx2.SyncByteStream,
        seconds: float,
        max_bytes: int,
        *,
        is_line_delimited: bool,
    ) -> None:
        self._body, self._deadline, self._max_bytes = body, Deadline.from_now(seconds), max_bytes
        self._is_line_delimited = is_line_delimited

    def __iter__(self) -> Iterator[bytes]:
        whole = line = 0
        for chunk in self._body:
            whole += len(chunk)
            line = len(chunk) - chunk.rfind(b"\n") - 1 if b"\n" in chunk else line + len(chunk)
            if self._deadline.seconds_left <= 0:
                raise httpx2.ReadTimeout("the answer is not whole")
            most_of_all = self._max_bytes * (_BATCH_SIZE_FACTOR if self._is_line_delimited else 1)
            if whole > most_of_all or (self._is_line_delimited and line > self._max_bytes):
                raise httpx2.ReadError("the answer is larger than RISKMETRICS_MAX_ANSWER_MB")
            yield chunk

    def close(self) -> None:
        """Release the connection."""
        self._body.close()
