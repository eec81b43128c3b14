"""How long to wait for Anthropic: what its SDK leaves open of time and size is closed here."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

import httpx2
from anthropic import APIConnectionError, APIRequest, APIResponse, APITimeoutError, CallNext
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from riskmetrics.errors import RateLimited, Unreachable

NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""Faults before anything was sent."""

LARGEST = 64 << 20
"""Bytes of one answer; a message of 4,000 tokens has some 20,000, and a batch has many."""


LATE = "Anthropic did not answer in time"
BROKE_OFF = "the connection to Anthropic could not be made, or broke off"


class Timeouts(NamedTuple):
    """Seconds to wait: for a connection, for the next bytes, for the whole answer, and longest if the vendor says when to come back."""

    connect: float = 5.0
    read: float = 60.0
    whole: float = 120.0
    retry_after: float = 30.0


def patient(timeouts: Timeouts) -> Callable[[APIRequest, CallNext], "APIResponse[Any]"]:
    """Return a middleware that leaves to the SDK only what may be repeated unseen.

    It gives up when it is told to come back later than is worth waiting for: the SDK would sleep for hours. And what broke off after it
    was sent may have been charged: who counts the cost has to know of each such attempt.
    """

    def attempt(request: APIRequest, call_next: CallNext) -> "APIResponse[Any]":
        try:
            response = call_next(request)
        except APIConnectionError as error:
            if request.options.method != "post" or isinstance(error.__cause__, NOT_SENT):
                raise
            late = isinstance(error, APITimeoutError)
            raise Unreachable(LATE if late else BROKE_OFF) from None  # with a cause that may be repeated the SDK would do so
        seconds = _seconds(response.headers)
        if response.status_code >= 400 and seconds > timeouts.retry_after:
            raise RateLimited(f"Anthropic answered with status {response.status_code} and to come back in {seconds:.0f} s")
        return response

    return attempt


def _seconds(headers: httpx2.Headers) -> float:
    """When to come back, in each spelling that the SDK obeys: milliseconds, seconds with or without a fraction, a date."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        with suppress(ValueError):
            return float(headers.get(name, "")) / unit
    with suppress(InvalidHeader):
        return Retry().parse_retry_after(headers.get("retry-after", ""))
    return 0.0


def whole_answers(timeouts: Timeouts) -> Callable[[httpx2.Response], None]:
    """Return a hook after which an answer that drips, each byte in time, counts as late all the same, and an endless one ends."""

    def bound(response: httpx2.Response) -> None:
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Bounded(response.stream, timeouts.whole)

    return bound


class _Bounded(httpx2.SyncByteStream):
    """A body that has to arrive within some seconds."""

    def __init__(self, body: httpx2.SyncByteStream, seconds: float) -> None:
        self._body, self._ends = body, monotonic() + seconds

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._body:
            size += len(chunk)
            if monotonic() > self._ends or size > LARGEST:
                raise httpx2.ReadTimeout("the answer is not whole")
            yield chunk

    def close(self) -> None:
        """Release the connection."""
        self._body.close()
