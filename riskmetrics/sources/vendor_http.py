"""HTTP client of a data vendor: timeouts, retries, limits and redaction of the API key.

The key is part of the URL, and errors and log lines of `requests` and urllib3 quote URLs. This
module therefore replaces their exceptions by its own messages, filters their logging, and redacts
the key in every response body.
"""

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Lock
from time import monotonic, sleep
from types import TracebackType
from typing import NamedTuple, Self, TypeVar
from urllib.parse import quote, quote_plus, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util.retry import Retry

from riskmetrics.deadlines import Deadline, run_with_timeout
from riskmetrics.errors import (
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    SourceError,
    TimeLimitError,
    VendorUnavailableError,
)
from riskmetrics.limits import MEGABYTE

CONCURRENCY = 4
"""Maximum number of simultaneous calls."""

RETRIES = Retry(
    total=3,
    backoff_factor=1.0,
    backoff_jitter=1.0,
    backoff_max=30.0,
    retry_after_max=60,
    allowed_methods=["GET"],
)
"""Retry immediately, then after 2 and 4 s (jitter up to 1 s), or per Retry-After (at most 60 s)."""

_MAX_CONSECUTIVE_FAILURES = 3
"""Consecutive failed requests after which the vendor is considered unavailable."""

_CONNECTION_ERRORS: list[tuple[type[Exception] | tuple[type[Exception], ...], str]] = [
    (requests.ConnectTimeout, "accepted no connection within {connect:g} s"),
    ((requests.ReadTimeout, ReadTimeoutError), "did not respond within {read:g} s"),
    (requests.exceptions.SSLError, "failed TLS certificate verification"),
    (requests.exceptions.ProxyError, "cannot be reached through the proxy in HTTPS_PROXY"),
    ((ProtocolError, requests.exceptions.ChunkedEncodingError), "closed the connection early"),
    (
        requests.ConnectionError,
        "cannot be reached. Check the network and RISKMETRICS_FMP_URL",
    ),
]
"""Message by type of the error or of its cause; the first match is used."""

_MIN_REPORTED_WAIT_SECONDS = 5.0
"""Shortest wait, in seconds, that is reported to the user."""

_KEY_PARAMETER = "apikey"
_KEY_IN_URL = re.compile(rf"({_KEY_PARAMETER}=)[^&\s\"']*")

T = TypeVar("T")


class Timeouts(NamedTuple):
    """Timeouts in seconds: for a connection, for the next bytes, and for the whole response."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 90.0


class CallLimits(NamedTuple):
    """Limits of a client: response size in bytes (decompressed), seconds per call and per run."""

    max_answer_bytes: int = 8 << 20
    """Thirty years of daily prices take two million bytes."""
    call_seconds: float = 180.0
    """Seconds for one call with retries and waits, without the wait for the rate limiter."""
    run_seconds: float = 3600.0
    """Seconds for all calls of one client."""


class VendorResponse(NamedTuple):
    """A response of any status, with the API key redacted."""

    status: int
    body: bytes
    retry_after: str | None


class _RedactKeyFilter(logging.Filter):
    """Logging filter that redacts the API key in the URLs that urllib3 logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the key in a record and keep the record."""
        record.msg, record.args = _KEY_IN_URL.sub(r"\1***", record.getMessage()), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_RedactKeyFilter())
# urllib3.connection warns about malformed headers and quotes the URL and the response
logging.getLogger("urllib3.connection").addFilter(lambda _: False)


class VendorHttpClient:
    """Thread-safe HTTP client of one vendor; a context manager.

    Parameters
    ----------
    url : str
        Base URL that paths are appended to.
    key : str
        API key, sent in the URL.
    rate_limiter : callable
        Called before every attempt. Waits until another call is within the limits, or raises
        RateLimitError.
    limits : CallLimits
        Limits of size and time. The time of a run starts with its first call.
    cooldown : float
        Seconds to wait, once per client, after a rate-limit response without Retry-After.
    on_wait : callable
        Called with a message before every wait of five seconds or more.
    """

    def __init__(
        self,
        url: str,
        key: str,
        rate_limiter: Callable[[], None],
        *,
        retries: Retry = RETRIES,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # a tuple
        limits: CallLimits = CallLimits(),  # noqa: B008  # a tuple
        cooldown: float = 60.0,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._url = url.rstrip("/")
        self._host = urlsplit(url).hostname or "the vendor"
        self._secrets = {
            form.encode() for form in (key, quote(key), quote(key, safe=""), quote_plus(key))
        }
        self._rate_limiter, self._retries, self._timeouts, self._cooldown, self._on_wait = (
            rate_limiter,
            retries,
            timeouts,
            cooldown,
            on_wait,
        )
        self._limits = limits
        self._session = requests.Session()
        self._session.params = {_KEY_PARAMETER: key}
        # the adapter does not retry: `get` does, and counts every attempt
        adapter = HTTPAdapter(pool_maxsize=CONCURRENCY, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._state_lock, self._cooldown_lock = Lock(), Lock()
        self._run_deadline: Deadline | None = None
        self._blocked: dict[str, SourceError] = {}
        self._consecutive_failures = 0
        self._cooldown_ended: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def get(self, path: str, params: Mapping[str, str], parse: Callable[[VendorResponse], T]) -> T:
        """Request a path, with retries, and return the parsed response.

        Parameters
        ----------
        path : str
            Path below the base URL.
        params : mapping
            Query parameters, without the key.
        parse : callable
            Converts the response, or raises a SourceError; a ``retryable`` one repeats the request.

        Raises
        ------
        SourceError
            The last error, when retries are exhausted or do not apply; without a request if an
            earlier error blocked the endpoint or the vendor.
        """
        retries, seconds_left = self._retries, self._limits.call_seconds
        while True:
            self._raise_if_blocked(path)
            self._rate_limiter()
            sent_at = monotonic()
            call_deadline = self._call_deadline(Deadline.from_now(seconds_left), path)
            try:
                response = self._send(path, params, call_deadline)
                value = parse(response)
            except SourceError as error:
                failure = error
            else:
                self._consecutive_failures = 0
                return value
            if (
                isinstance(failure, RateLimitError)
                and failure.transient
                and not failure.retryable
                and self._wait_for_quota(sent_at, failure, path, call_deadline)
            ):
                seconds_left = call_deadline.seconds_left
                continue
            remaining_retries = _next_retry(retries, path, failure)
            if remaining_retries is None:
                self._record_failure(path, failure)
                raise failure
            retries = remaining_retries
            self._wait(_retry_delay(retries, failure), failure, path, call_deadline)
            seconds_left = call_deadline.seconds_left

    def _call_deadline(self, call_deadline: Deadline, path: str) -> Deadline:
        """Return the deadline of a call, or raise TimeLimitError if it has passed."""
        with self._state_lock:
            self._run_deadline = self._run_deadline or Deadline.from_now(self._limits.run_seconds)
        deadline = min(call_deadline, self._run_deadline)
        if deadline.seconds_left <= 0:
            raise self._time_limit_error(path)
        return deadline

    def _time_limit_error(self, path: str) -> TimeLimitError:
        """Return the error for the exceeded time limit, and record the failure."""
        whole_run = self._run_deadline is not None and self._run_deadline.seconds_left <= 0
        name = "RISKMETRICS_FMP_RUN_SECONDS" if whole_run else "RISKMETRICS_FMP_CALL_SECONDS"
        seconds = self._limits.run_seconds if whole_run else self._limits.call_seconds
        what = "all calls of a run" if whole_run else "one call"
        failure = TimeLimitError(
            f"{self._host} exceeded the limit of {seconds:g} s for {what}, including retries and"
            f" waits. Run again later, or raise {name}",
            is_run_wide=whole_run,
        )
        self._record_failure(path, failure)
        return failure

    def _wait(
        self, seconds: float, failure: SourceError, path: str, call_deadline: Deadline
    ) -> None:
        """Wait before another attempt, or raise TimeLimitError if the wait exceeds the limit."""
        if seconds >= call_deadline.seconds_left:
            self._record_failure(path, failure)
            raise TimeLimitError(
                f"{failure}. Another wait of {seconds:.0f} s would exceed"
                " RISKMETRICS_FMP_CALL_SECONDS or RISKMETRICS_FMP_RUN_SECONDS. Run again later"
            )
        if seconds >= _MIN_REPORTED_WAIT_SECONDS:
            self._on_wait(f"waiting {seconds:.0f} s before the next call: {failure}")
        sleep(seconds)

    def _send(
        self, path: str, params: Mapping[str, str], call_deadline: Deadline
    ) -> VendorResponse:
        """Send one request, or raise VendorUnavailableError if no complete response arrives."""
        seconds = min(self._timeouts.total, call_deadline.seconds_left)
        deadline = Deadline.from_now(seconds)
        with suppress(TimeoutError):
            return run_with_timeout(seconds, lambda: self._exchange(path, params, deadline))
        if call_deadline.seconds_left <= 0:
            raise self._time_limit_error(path)
        raise VendorUnavailableError(
            f"{self._host} did not complete its response within {seconds:g} s"
        )

    def _exchange(self, path: str, params: Mapping[str, str], deadline: Deadline) -> VendorResponse:
        timeouts = (self._timeouts.connect, self._timeouts.read)
        try:
            with self._session.get(
                f"{self._url}{path}",
                params=params,
                timeout=timeouts,
                stream=True,
                allow_redirects=False,
            ) as response:
                body = self._read_body(response, deadline)
                return VendorResponse(
                    response.status_code, self._redact(body), response.headers.get("Retry-After")
                )
        except TimeoutError:
            raise
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            reason = self._describe_error(error)
        # outside the handler: the original error quotes the key and must not become the cause
        raise VendorUnavailableError(f"{self._host} {reason}")

    def _read_body(self, response: requests.Response, deadline: Deadline) -> bytes:
        """Read a body piece by piece, so that size and deadline are checked while it arrives."""
        body, largest = bytearray(), self._limits.max_answer_bytes
        while piece := response.raw.read1(1 << 16, decode_content=True):
            body += piece
            if len(body) > largest:
                raise InvalidResponseError(
                    f"{self._host} sent a response larger than {largest / MEGABYTE:,.4g} MB. If"
                    " this size is expected, raise RISKMETRICS_MAX_ANSWER_MB"
                )
            if deadline.seconds_left <= 0:
                raise TimeoutError
        return bytes(body)

    def _redact(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret, b"***")
        return body

    def _describe_error(self, error: Exception) -> str:
        """Describe a connection error by its type only: its text contains the API key."""
        candidates = (error, error.args[0] if error.args else None)
        messages = (
            message
            for kind, message in _CONNECTION_ERRORS
            if any(isinstance(candidate, kind) for candidate in candidates)
        )
        return next(messages, "sent no valid HTTP response").format(**self._timeouts._asdict())

    def _raise_if_blocked(self, path: str) -> None:
        with self._state_lock:
            earlier = self._blocked.get("") or self._blocked.get(path)
        if earlier is not None:
            raise _copy_error(earlier)

    def _record_failure(self, path: str, failure: SourceError) -> None:
        """Count a failure, and block the endpoint or the vendor if more requests would fail too."""
        with self._state_lock:
            self._consecutive_failures = (
                self._consecutive_failures + 1 if isinstance(failure, VendorUnavailableError) else 0
            )
            if failure.scope == "vendor" or self._consecutive_failures >= _MAX_CONSECUTIVE_FAILURES:
                self._blocked.setdefault("", failure)
            elif failure.scope == "endpoint":
                self._blocked.setdefault(path, failure)

    def _wait_for_quota(
        self, sent_at: float, failure: SourceError, path: str, call_deadline: Deadline
    ) -> bool:
        """Wait once for the rate limit; return whether the request was sent before the wait."""
        with self._cooldown_lock:
            if self._cooldown_ended is None:
                self._wait(self._cooldown, failure, path, call_deadline)
                self._cooldown_ended = monotonic()
            return sent_at < self._cooldown_ended


def _next_retry(retries: Retry, path: str, failure: SourceError) -> Retry | None:
    """Return the remaining retries after a failure; None if exhausted or not retryable."""
    if not failure.retryable:
        return None
    try:
        return retries.increment("GET", path, error=ProtocolError(str(failure)))
    except MaxRetryError:
        return None


def _copy_error(earlier: SourceError) -> SourceError:
    """Return a copy of an error, to be raised in another thread."""
    if isinstance(earlier, EntitlementError):
        return EntitlementError(str(earlier), is_endpoint_wide=True)
    if isinstance(earlier, TimeLimitError):
        return TimeLimitError(str(earlier), is_run_wide=True)
    return type(earlier)(str(earlier))


def _retry_delay(retries: Retry, failure: SourceError) -> float:
    """Return the seconds to wait before the next attempt."""
    if failure.retry_after is not None:
        try:
            return retries.parse_retry_after(failure.retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            pass  # neither seconds nor a date
    return retries.get_backoff_time()
