"""HTTP client of a data vendor: timeouts, limits and redaction of the API key.

The key may be part of the URL, and errors and log lines of `requests` and urllib3 quote URLs. This
module therefore replaces their exceptions by its own messages, filters their logging, and redacts
the key in every response body.
"""

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import quote, quote_plus, urlsplit

import pydantic_core
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError
from urllib3.util.retry import Retry

from riskmetrics.deadlines import Deadline, run_with_timeout
from riskmetrics.errors import InvalidResponseError, SourceError, VendorUnavailableError
from riskmetrics.size_limits import MEGABYTE
from riskmetrics.sources.request_policy import RETRIES, CallLimits, RequestPolicy, Timeouts

CONCURRENCY = 4
"""Maximum number of simultaneous calls."""

_CONNECTION_ERRORS: list[tuple[type[Exception] | tuple[type[Exception], ...], str]] = [
    (requests.ConnectTimeout, "accepted no connection within {connect:g} s"),
    ((requests.ReadTimeout, ReadTimeoutError), "did not respond within {read:g} s"),
    (requests.exceptions.SSLError, "failed TLS certificate verification"),
    (requests.exceptions.ProxyError, "cannot be reached through the proxy in HTTPS_PROXY"),
    ((ProtocolError, requests.exceptions.ChunkedEncodingError), "closed the connection early"),
    (
        requests.ConnectionError,
        "cannot be reached. Check the network and {prefix}_URL",
    ),
]
"""Message by type of the error or of its cause; the first match is used."""

_KEY_PARAMETER = "apikey"
_KEY_IN_URL = re.compile(rf"({_KEY_PARAMETER}=)[^&\s\"']*")

T = TypeVar("T")


class VendorResponse(NamedTuple):
    """A response of any status, with the API key redacted."""

    status: int
    body: bytes
    retry_after: str | None


ErrorFinder = Callable[[VendorResponse, Any, str], tuple[SourceError | None, str]]
"""Returns the error that a response to a request states by its content, if any, and its message."""

_MAX_RESPONSE_ROWS = 50_000
"""Maximum rows of a response; sixty years of sessions are 15,120."""


def decode_rows(
    response: VendorResponse, vendor: str, request: str, find_error: ErrorFinder
) -> list[Any]:
    """Return the rows of a JSON response, or raise the error that it states.

    Parameters
    ----------
    response : VendorResponse
        Response of any status.
    vendor, request : str
        Name of the vendor, and what was requested, in messages.
    find_error : callable
        Recognizes the errors of the vendor; the content is None if it is not JSON.
    """
    try:
        content = pydantic_core.from_json(response.body)
    except ValueError:
        content = None
    error, text = find_error(response, content, request)
    if error:
        raise error
    if content is None:
        raise InvalidResponseError(
            f"{vendor} response to {request} is truncated or not JSON. Try again later",
            retryable=True,
        )
    if not isinstance(content, list):
        raise InvalidResponseError(
            f"{vendor} response to {request} is not a list" + (f": '{text}'" if text else "")
        )
    if len(content) > _MAX_RESPONSE_ROWS:
        raise InvalidResponseError(
            f"{vendor} response to {request} has {len(content):,} rows (maximum"
            f" {_MAX_RESPONSE_ROWS:,})"
        )
    return content


class _HeaderKey(requests.auth.AuthBase):
    """Authentication by a header; unlike a header of the session, ~/.netrc does not replace it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


class _RedactKeyFilter(logging.Filter):
    """Logging filter that redacts the API key in the URLs that urllib3 logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the key in a record and keep the record."""
        record.msg, record.args = _KEY_IN_URL.sub(r"\1***", record.getMessage()), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_RedactKeyFilter())
# urllib3.connection warns about malformed headers and quotes the URL and the response
logging.getLogger("urllib3.connection").addFilter(lambda _: False)


class VendorHttpClient(RequestPolicy):
    """Thread-safe HTTP client of one vendor; a context manager.

    Parameters
    ----------
    url : str
        Base URL that paths are appended to.
    key : str
        API key.
    rate_limiter : callable
        As in `RequestPolicy`, like ``limits``, ``cooldown`` and ``on_wait``.
    setting_prefix : str
        Start of the names of the settings of the vendor.
    key_scheme : str
        Scheme of the Authorization header that contains the key; "" sends the key in the URL.
    """

    def __init__(
        self,
        url: str,
        key: str,
        rate_limiter: Callable[[], None],
        *,
        setting_prefix: str = "RISKMETRICS_FMP",
        key_scheme: str = "",
        retries: Retry = RETRIES,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # a tuple
        limits: CallLimits = CallLimits(),  # noqa: B008  # a tuple
        cooldown: float = 60.0,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(
            urlsplit(url).hostname or "the vendor",
            setting_prefix,
            rate_limiter,
            retries=retries,
            timeouts=timeouts,
            limits=limits,
            cooldown=cooldown,
            on_wait=on_wait,
        )
        self._url = url.rstrip("/")
        self._secrets = {
            form.encode() for form in (key, quote(key), quote(key, safe=""), quote_plus(key))
        }
        self._session = requests.Session()
        if key_scheme:
            self._session.auth = _HeaderKey(f"{key_scheme} {key}")
        else:
            self._session.params = {_KEY_PARAMETER: key}
        # the adapter does not retry: `repeat` does, and counts every attempt
        adapter = HTTPAdapter(pool_maxsize=CONCURRENCY, pool_block=True)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

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
            As `RequestPolicy.repeat`.
        """
        return self.repeat(path, lambda deadline: parse(self._send(path, params, deadline)))

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
        return next(messages, "sent no valid HTTP response").format(
            **self._timeouts._asdict(), prefix=self._setting_prefix
        )
