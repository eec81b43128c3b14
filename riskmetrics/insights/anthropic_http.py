"""Timeouts, retry rules and response size limits on top of Anthropic's SDK."""

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
from riskmetrics.size_limits import MEGABYTE

NOT_SENT_ERRORS = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""Errors raised before a request was sent."""

_BATCH_SIZE_FACTOR = 8
"""Limit of all results of a batch, in multiples of the limit of one answer."""

CALL_DEADLINE: ContextVar[Deadline | None] = ContextVar("CALL_DEADLINE", default=None)
"""Deadline of the caller, after which the SDK, in its own thread, must not retry."""


TIMEOUT_PROBLEM = "Anthropic did not answer in time"
CONNECTION_PROBLEM = "the connection to Anthropic failed or was interrupted"


class Timeouts(NamedTuple):
    """Seconds to wait for a connection, the next bytes, the whole answer, and a Retry-After."""

    connect: float = 5.0
    read: float = 60.0
    total: float = 120.0
    retry_after: float = 30.0


class CallLimits(NamedTuple):
    """Limits of calls: bytes of an answer, seconds of an insight and of all insights of a run."""

    max_answer_bytes: int = 8 * MEGABYTE
    """A message of 4,000 tokens has about 20,000 bytes."""
    insight_seconds: float = 180.0
    """Of one insight or question, including retries and waits."""
    run_seconds: float = 1800.0
    """From the first call of a run."""


def retry_middleware(timeouts: Timeouts) -> Callable[[APIRequest, CallNext], "APIResponse[Any]"]:
    """Return a middleware that lets the SDK retry only requests without cost.

    It stops on a Retry-After above the limit, for which the SDK would sleep for hours. Interrupted
    requests may have been charged, so that each attempt must be visible to the budget.
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
            # without the cause, or the SDK would retry
            raise VendorUnavailableError(TIMEOUT_PROBLEM if late else CONNECTION_PROBLEM) from None
        seconds = _retry_after_seconds(response.headers)
        if response.status_code >= 400 and seconds > timeouts.retry_after:
            raise RateLimitError(
                f"Anthropic returned status {response.status_code}; retry after {seconds:.0f} s"
            )
        return response

    return attempt


def _retry_after_seconds(headers: httpx2.Headers) -> float:
    """Return the seconds of Retry-After in the SDK's formats: milliseconds, seconds or a date."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            return float(headers.get(name, "")) / unit
    with suppress(InvalidHeader):
        return Retry().parse_retry_after(headers.get("retry-after", ""))
    return 0.0


def response_limit_hook(
    timeouts: Timeouts, max_answer_bytes: int
) -> Callable[[httpx2.Response], None]:
    """Return a hook that limits the total time and size of a response.

    A compressed response, which was not requested, is refused: its size after decompression is
    unknown.
    """

    def limit_response(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise httpx2.DecodingError("the response is compressed", request=response.request)
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
    """A response body with limits of time and size; with ``is_line_delimited``, per line."""

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
                raise httpx2.ReadTimeout("the response is incomplete")
            most_of_all = self._max_bytes * (_BATCH_SIZE_FACTOR if self._is_line_delimited else 1)
            if whole > most_of_all or (self._is_line_delimited and line > self._max_bytes):
                raise httpx2.ReadError("the response exceeds RISKMETRICS_MAX_ANSWER_MB")
            yield chunk

    def close(self) -> None:
        """Release the connection."""
        self._body.close()
