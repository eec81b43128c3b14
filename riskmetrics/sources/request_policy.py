"""Policy of requests to a vendor: retries, rate limit, time limits, and skipping what is blocked.

How a request is sent is left to subclasses: `vendor_http` sends it with an API key, `yahoo_session`
for the library yfinance.
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic, sleep
from typing import NamedTuple, TypeVar

from urllib3.exceptions import InvalidHeader, MaxRetryError, ProtocolError
from urllib3.util.retry import Retry

from riskmetrics.deadlines import Deadline
from riskmetrics.errors import (
    EntitlementError,
    RateLimitError,
    SourceError,
    TimeLimitError,
    VendorUnavailableError,
)

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

_MIN_REPORTED_WAIT_SECONDS = 5.0
"""Shortest wait, in seconds, that is reported to the user."""

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


class RequestPolicy:
    """Thread-safe policy of the requests of one client to one vendor.

    Parameters
    ----------
    host : str
        Name of the vendor's host in messages.
    setting_prefix : str
        Start of the names of the settings of the vendor, such as RISKMETRICS_FMP.
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
        host: str,
        setting_prefix: str,
        rate_limiter: Callable[[], None],
        *,
        retries: Retry,
        timeouts: Timeouts,
        limits: CallLimits,
        cooldown: float,
        on_wait: Callable[[str], None],
    ) -> None:
        self._host, self._setting_prefix = host, setting_prefix
        self._rate_limiter, self._retries, self._timeouts, self._cooldown, self._on_wait = (
            rate_limiter,
            retries,
            timeouts,
            cooldown,
            on_wait,
        )
        self._limits = limits
        self._state_lock, self._cooldown_lock = Lock(), Lock()
        self._run_deadline: Deadline | None = None
        self._blocked: dict[str, SourceError] = {}
        self._consecutive_failures = 0
        self._cooldown_ended: float | None = None

    def admit(self, path: str) -> None:
        """Wait until a request is within the rate limit, or raise the error that blocks it."""
        self._raise_if_blocked(path)
        self._rate_limiter()

    def repeat(self, path: str, attempt: Callable[[Deadline], T]) -> T:
        """Attempt a request until it succeeds, retries are exhausted, or they do not apply.

        Parameters
        ----------
        path : str
            What the request is counted as; an endpoint-wide error blocks it.
        attempt : callable
            Sends the request and parses its response within the deadline, or raises a SourceError;
            a ``retryable`` one repeats the request.

        Raises
        ------
        SourceError
            The last error, when retries are exhausted or do not apply; without a request if an
            earlier error blocked the endpoint or the vendor.
        """
        retries, seconds_left = self._retries, self._limits.call_seconds
        while True:
            self.admit(path)
            sent_at = monotonic()
            call_deadline = self._call_deadline(Deadline.from_now(seconds_left), path)
            try:
                value = attempt(call_deadline)
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
        name = f"{self._setting_prefix}_{'RUN' if whole_run else 'CALL'}_SECONDS"
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
                f" {self._setting_prefix}_CALL_SECONDS or {self._setting_prefix}_RUN_SECONDS. Run"
                " again later"
            )
        if seconds >= _MIN_REPORTED_WAIT_SECONDS:
            self._on_wait(f"waiting {seconds:.0f} s before the next call: {failure}")
        sleep(seconds)

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
