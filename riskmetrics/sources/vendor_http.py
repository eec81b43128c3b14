"""Asking a vendor over HTTP: timeouts, retries, limits, and a key that never leaves this module.

The key travels in the URL, and what `requests` and urllib3 raise or log quotes URLs. So their
exceptions are replaced here by sentences of our own, their logging is filtered, and the key is
taken out of every answer before anybody sees it.
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
"""Calls under way at once."""

RETRIES = Retry(
    total=3,
    backoff_factor=1.0,
    backoff_jitter=1.0,
    backoff_max=30.0,
    retry_after_max=60,
    allowed_methods=["GET"],
)
"""At once, then after 2 and 4 seconds and up to one more; or when the vendor says, within a minute."""

_MAX_CONSECUTIVE_FAILURES = 3
"""Questions in a row that could not be delivered, after which the vendor counts as down."""

_CONNECTION_ERRORS: list[tuple[type[Exception] | tuple[type[Exception], ...], str]] = [
    (requests.ConnectTimeout, "accepted no connection within {connect:g} s"),
    ((requests.ReadTimeout, ReadTimeoutError), "did not answer within {read:g} s"),
    (
        requests.exceptions.SSLError,
        "does not prove who it is: its TLS certificate is not trusted here",
    ),
    (requests.exceptions.ProxyError, "cannot be reached through the proxy that HTTPS_PROXY names"),
    ((ProtocolError, requests.exceptions.ChunkedEncodingError), "broke the connection off"),
    (
        requests.ConnectionError,
        "cannot be reached: is the network up, and RISKMETRICS_FMP_URL right?",
    ),
]
"""What went wrong, by the kind of error or of the one inside it; the first that fits."""

_MIN_REPORTED_WAIT_SECONDS = 5.0
"""Seconds of waiting from which on somebody is told."""

_KEY_PARAMETER = "apikey"
_KEY_IN_URL = re.compile(rf"({_KEY_PARAMETER}=)[^&\s\"']*")

T = TypeVar("T")


class Timeouts(NamedTuple):
    """Seconds to wait: for a connection, for the next bytes, and for the whole answer."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 90.0


class CallLimits(NamedTuple):
    """Most that is taken of a vendor: bytes of an answer, unpacked, and seconds of a call and of all calls."""

    max_answer_bytes: int = 8 << 20
    """Thirty years of daily prices have two million."""
    call_seconds: float = 180.0
    """Of one question with its retries and waits, but for the wait until the plan admits it."""
    run_seconds: float = 3600.0


class VendorResponse(NamedTuple):
    """What came back, whatever its status; the key is not in it."""

    status: int
    body: bytes
    retry_after: str | None


class _RedactKeyFilter(logging.Filter):
    """Takes the key out of the URLs that urllib3 logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; none is dropped."""
        record.msg, record.args = _KEY_IN_URL.sub(r"\1***", record.getMessage()), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_RedactKeyFilter())
logging.getLogger("urllib3.connection").addFilter(
    lambda _: False
)  # complains of headers, with the address and what the vendor sent


class VendorHttpClient:
    """Questions to one vendor; used by several threads at once, closed at the end of a ``with`` block.

    Parameters
    ----------
    url : str
        What paths are appended to.
    key : str
        Sent in the URL.
    rate_limiter : callable
        Called before every attempt: waits until one more call is within the limits, or raises
        RateLimitError.
    limits : CallLimits
        The time of a run counts from its first question.
    cooldown : float
        Seconds to wait, once, when the vendor says that it is asked too often and not when to ask
        again.
    on_wait : callable
        Called with a sentence before a wait that a person would take for a standstill.
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
        adapter = HTTPAdapter(
            pool_maxsize=CONCURRENCY, pool_block=True
        )  # it never retries: we do, and count
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
        """Ask for a path and return what ``parse`` makes of the answer.

        Parameters
        ----------
        parse : callable
            Raises a SourceError if the answer is none; ``again`` of it has the question asked anew.

        Raises
        ------
        SourceError
            The last error, when retries are used up or do not help; at once, if an earlier question
            closed the endpoint or the vendor.
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
        """Return when a call has to end; TimeLimitError if that has passed."""
        with self._state_lock:
            self._run_deadline = self._run_deadline or Deadline.from_now(self._limits.run_seconds)
        deadline = min(call_deadline, self._run_deadline)
        if deadline.seconds_left <= 0:
            raise self._time_limit_error(path)
        return deadline

    def _time_limit_error(self, path: str) -> TimeLimitError:
        """Say which limit of time is used up, and note it."""
        whole_run = self._run_deadline is not None and self._run_deadline.seconds_left <= 0
        name = "RISKMETRICS_FMP_RUN_SECONDS" if whole_run else "RISKMETRICS_FMP_CALL_SECONDS"
        seconds = self._limits.run_seconds if whole_run else self._limits.call_seconds
        what = "all questions" if whole_run else "a question"
        failure = TimeLimitError(
            f"{self._host} took longer than the {seconds:g} s for {what} with all retries and"
            f" waits: run again later, or raise {name}",
            is_run_wide=whole_run,
        )
        self._record_failure(path, failure)
        return failure

    def _wait(
        self, seconds: float, failure: SourceError, path: str, call_deadline: Deadline
    ) -> None:
        """Wait before another attempt; TimeLimitError at once if that would last beyond the call's limit."""
        if seconds >= call_deadline.seconds_left:
            self._record_failure(path, failure)
            raise TimeLimitError(
                f"{failure}; waiting {seconds:.0f} s more would pass RISKMETRICS_FMP_CALL_SECONDS"
                " or RISKMETRICS_FMP_RUN_SECONDS: run again later"
            )
        if seconds >= _MIN_REPORTED_WAIT_SECONDS:
            self._on_wait(f"waiting {seconds:.0f} s before the next call: {failure}")
        sleep(seconds)

    def _send(
        self, path: str, params: Mapping[str, str], call_deadline: Deadline
    ) -> VendorResponse:
        """Ask once; VendorUnavailableError if no whole answer comes back in time."""
        seconds = min(self._timeouts.total, call_deadline.seconds_left)
        deadline = Deadline.from_now(seconds)
        with suppress(TimeoutError):
            return run_with_timeout(seconds, lambda: self._exchange(path, params, deadline))
        if call_deadline.seconds_left <= 0:
            raise self._time_limit_error(path)
        raise VendorUnavailableError(f"{self._host} did not finish its answer within {seconds:g} s")

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
        raise VendorUnavailableError(
            f"{self._host} {reason}"
        )  # outside of the handler: their text holds the key, and must not hang on ours

    def _read_body(self, response: requests.Response, deadline: Deadline) -> bytes:
        """Read what comes as it comes: who asked may have given up, and an answer may have no end."""
        body, largest = bytearray(), self._limits.max_answer_bytes
        while piece := response.raw.read1(1 << 16, decode_content=True):
            body += piece
            if len(body) > largest:
                raise InvalidResponseError(
                    f"{self._host} answers with more than {largest / MEGABYTE:,.4g} MB: if it"
                    " should, raise RISKMETRICS_MAX_ANSWER_MB"
                )
            if deadline.seconds_left <= 0:
                raise TimeoutError
        return bytes(body)

    def _redact(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret, b"***")
        return body

    def _describe_error(self, error: Exception) -> str:
        """Say what is wrong with the connection by the kind of error, never by its text."""
        kinds = (error, error.args[0] if error.args else None)
        found = (
            sentence
            for kind, sentence in _CONNECTION_ERRORS
            if any(isinstance(one, kind) for one in kinds)
        )
        return next(found, "does not answer in HTTP").format(**self._timeouts._asdict())

    def _raise_if_blocked(self, path: str) -> None:
        with self._state_lock:
            earlier = self._blocked.get("") or self._blocked.get(path)
        if earlier is not None:
            raise _copy_error(earlier)

    def _record_failure(self, path: str, failure: SourceError) -> None:
        """Note what need not be asked any more."""
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
        """Wait a minute if nobody has, and tell whether a question asked at ``sent_at`` may have been answered otherwise after it."""
        with self._cooldown_lock:
            if self._cooldown_ended is None:
                self._wait(self._cooldown, failure, path, call_deadline)
                self._cooldown_ended = monotonic()
            return sent_at < self._cooldown_ended


def _next_retry(retries: Retry, path: str, failure: SourceError) -> Retry | None:
    """Return what is left of ``retries`` after a failure; None: nothing, or another attempt would not help."""
    if not failure.retryable:
        return None
    try:
        return retries.increment("GET", path, error=ProtocolError(str(failure)))
    except MaxRetryError:
        return None


def _copy_error(earlier: SourceError) -> SourceError:
    """Return the same error to raise in another thread."""
    if isinstance(earlier, EntitlementError):
        return EntitlementError(str(earlier), is_endpoint_wide=True)
    if isinstance(earlier, TimeLimitError):
        return TimeLimitError(str(earlier), is_run_wide=True)
    return type(earlier)(str(earlier))


def _retry_delay(retries: Retry, failure: SourceError) -> float:
    """How long to wait before the next attempt."""
    if failure.retry_after is not None:
        try:
            return retries.parse_retry_after(failure.retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            pass  # neither seconds nor a date
    return retries.get_backoff_time()
