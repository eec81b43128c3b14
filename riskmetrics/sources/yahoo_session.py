"""HTTP session for yfinance: the library's own requests, with the limits and retries of a vendor.

yfinance decides what to request, and imitates a browser by curl_cffi. This session decides when,
how often and how long, and raises the errors of this package for responses that state one.
"""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from curl_cffi import CurlECode, CurlOpt
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException
from urllib3.util.retry import Retry

from riskmetrics.deadlines import Deadline
from riskmetrics.errors import (
    InvalidResponseError,
    RateLimitError,
    SourceError,
    UnknownSymbolError,
    VendorUnavailableError,
)
from riskmetrics.size_limits import MEGABYTE
from riskmetrics.sources.request_policy import RETRIES, CallLimits, RequestPolicy, Timeouts

VENDOR = "Yahoo"
"""Name of the vendor in messages."""

_DATA_PATHS = ("/v7/", "/v8/", "/v10/", "/ws/")
"""Paths of data; yfinance itself handles responses of other paths, which set cookie and crumb."""

_COMPLEMENT_PATHS = ("/ws/",)
"""Paths of data that a symbol may lack."""

# what yfinance cannot do without, an error of this package states
logging.getLogger("yfinance").setLevel(logging.CRITICAL)


class YahooSession(Session[Response]):
    """Session of yfinance for one run; a context manager.

    Parameters
    ----------
    url : str or None
        Base URL that answers in place of all hosts of Yahoo; None: those hosts.
    rate_limiter, retries, timeouts, limits, cooldown, on_wait
        As in `RequestPolicy`.
    """

    def __init__(
        self,
        url: str | None,
        rate_limiter: Callable[[], None],
        *,
        retries: Retry = RETRIES,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # a tuple
        limits: CallLimits = CallLimits(),  # noqa: B008  # a tuple
        cooldown: float = 60.0,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        largest: Any = limits.max_answer_bytes  # annotated as text by curl_cffi
        super().__init__(impersonate="chrome", curl_options={CurlOpt.MAXFILESIZE_LARGE: largest})
        self._url = url.rstrip("/") if url else None
        self._seconds, self._max_bytes = timeouts.total, limits.max_answer_bytes
        self._is_crumb_refused = False
        self._policy = RequestPolicy(
            "Yahoo",
            "RISKMETRICS_YAHOO",
            rate_limiter,
            retries=retries,
            timeouts=timeouts,
            limits=limits,
            cooldown=cooldown,
            on_wait=on_wait,
        )

    def request(self, method: Any, url: str, *arguments: Any, **options: Any) -> Response:
        """Send a request of yfinance within the limits.

        Raises
        ------
        SourceError
            For a request of data, as `RequestPolicy.repeat`. UnknownSymbolError if Yahoo does not
            know the symbol, or has no data of it in the range.
        RequestException
            If a request for cookie or crumb fails; yfinance continues without them.
        """
        address = urlsplit(url)
        if self._url:
            query = f"?{address.query}" if address.query else ""
            url = f"{self._url}{address.path}{query}"
        send = super().request
        if not address.path.startswith(_DATA_PATHS):
            self._policy.admit(address.path)
            response = send(method, url, *arguments, **options | {"timeout": self._seconds})
            if address.path.endswith("/getcrumb"):
                self._is_crumb_refused = response.status_code == 429
            return response

        def attempt(deadline: Deadline) -> Response:
            options["timeout"] = max(min(self._seconds, deadline.seconds_left), 0.001)
            try:
                response = send(method, url, *arguments, **options)
            except RequestException as error:
                failure = self._connection_error(error, options["timeout"])
            else:
                if stated := self._stated_error(address.path, response):
                    raise stated
                return response
            raise failure

        return self._policy.repeat(_endpoint(address.path), attempt)

    def _connection_error(self, error: RequestException, seconds: float) -> SourceError:
        if error.code == CurlECode.FILESIZE_EXCEEDED:
            return self._size_error()
        if error.code == CurlECode.OPERATION_TIMEDOUT:
            return VendorUnavailableError(
                f"{VENDOR} did not complete its response within {seconds:g} s"
            )
        return VendorUnavailableError(
            f"{VENDOR} cannot be reached ({type(error).__name__}). Check the network"
            + (" and RISKMETRICS_YAHOO_URL" if self._url else "")
        )

    def _size_error(self) -> InvalidResponseError:
        return InvalidResponseError(
            f"{VENDOR} sent a response larger than {self._max_bytes / MEGABYTE:,.4g} MB. If this"
            " size is expected, raise RISKMETRICS_MAX_ANSWER_MB"
        )

    def _stated_error(self, path: str, response: Response) -> SourceError | None:
        """Return the error that a response states; None for one that yfinance handles."""
        status, subject = response.status_code, path.rpartition("/")[2]
        if len(response.content) > self._max_bytes:
            return self._size_error()
        if status == 429 or (status in (401, 403) and self._is_crumb_refused):
            return RateLimitError(
                f"{VENDOR} rate limit reached. The next run fetches what is missing; lower"
                " RISKMETRICS_YAHOO_CALLS_PER_MINUTE",
                transient=True,
                retry_after=response.headers.get("Retry-After"),
            )
        if status == 408 or status >= 500:
            return VendorUnavailableError(
                f"{VENDOR} server error (status {status} for {subject}). Try again later",
                response.headers.get("Retry-After"),
            )
        is_missing = status == 404 or (status == 400 and "doesn't exist" in response.text)
        if is_missing and not path.startswith(_COMPLEMENT_PATHS):
            return UnknownSymbolError(f"{VENDOR} does not know {subject}")
        return None


def _endpoint(path: str) -> str:
    """Return the part of a path that is the same for all symbols: /v8/finance/chart."""
    return "/".join(path.split("/")[:4])
