"""FMP responses: decoding of rows, and recognition of errors by message and status."""

from collections.abc import Callable
from typing import Any

from riskmetrics.errors import (
    AuthenticationError,
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    SourceError,
    VendorUnavailableError,
)
from riskmetrics.sources.vendor_http import VendorResponse
from riskmetrics.sources.vendor_rows import UNPRINTABLE_CHARACTERS

VENDOR = "FMP"
"""Name of the vendor in messages."""


def find_error(
    response: VendorResponse, content: Any, request: str
) -> tuple[SourceError | None, str]:
    """Return the error that a response states, if any, and its message."""
    text = _error_message(content, response.body)
    return _vendor_error(response, text, request), text


def _error_message(content: Any, body: bytes) -> str:
    """Return the message of a response (a JSON error message or plain text), or ''."""
    message = content.get("Error Message") if isinstance(content, dict) else content
    text = (
        message
        if isinstance(message, str)
        else body[:500].decode("utf-8", "replace")
        if content is None
        else ""
    )
    return (
        ""
        if text.lstrip().startswith(("[", "{"))
        else " ".join(UNPRINTABLE_CHARACTERS.sub(" ", text).split())[:200]
    )


def _vendor_error(response: VendorResponse, text: str, request: str) -> SourceError | None:
    """Return the error that a response states, by its message, else by its status; else None."""
    message = text.casefold()
    by_words = (
        refusal
        for words, refusal in _ERRORS_BY_MESSAGE.items()
        if any(word in message for word in words.split("|"))
    )
    make_error = next(by_words, None) or _ERRORS_BY_STATUS.get(response.status)
    if make_error is not None:
        return make_error(request, response)
    if response.status in (408, 425) or response.status >= 500:
        return VendorUnavailableError(
            f"{VENDOR} server error (status {response.status} for {request}). Try again later",
            response.retry_after,
        )
    if 300 <= response.status < 400:
        return InvalidResponseError(
            f"{VENDOR} redirects to another address, which is not followed because the request"
            " contains the key. Check RISKMETRICS_FMP_URL"
        )
    if response.status != 200:
        return InvalidResponseError(
            f"{VENDOR} responded to {request} with status {response.status}"
            + (f": '{text}'" if text else "")
        )
    return None


def _authentication_error(_what: str, _answer: VendorResponse) -> SourceError:
    return AuthenticationError(
        f"{VENDOR} rejects the key in FMP_API_KEY. Copy it from your FMP account again"
    )


def _bandwidth_error(_what: str, _answer: VendorResponse) -> SourceError:
    return RateLimitError(
        f"{VENDOR} bandwidth limit of your plan reached (30 days). Wait, or upgrade the plan"
    )


def _rate_limit_error(_what: str, response: VendorResponse) -> SourceError:
    return RateLimitError(
        f"{VENDOR} rate limit reached. The next run fetches what is missing; if the limit is per"
        " minute, lower RISKMETRICS_FMP_CALLS_PER_MINUTE",
        transient=True,
        retry_after=response.retry_after,
    )


def _legacy_endpoint_error(request: str, _answer: VendorResponse) -> SourceError:
    return EntitlementError(
        f"{VENDOR} does not allow {request} for keys created after August 2025. Check"
        " RISKMETRICS_FMP_URL",
        is_endpoint_wide=True,
    )


def _endpoint_entitlement_error(request: str, _answer: VendorResponse) -> SourceError:
    return EntitlementError(
        f"your {VENDOR} plan does not include {request.partition(' ')[0]}"
        " (see docs/how-to/source-fmp.md)",
        is_endpoint_wide=True,
    )


def _symbol_entitlement_error(request: str, _answer: VendorResponse) -> SourceError:
    return EntitlementError(
        f"your {VENDOR} plan does not include {request}. Import it from a file, or upgrade the plan"
    )


_ERRORS_BY_MESSAGE: dict[str, Callable[[str, VendorResponse], SourceError]] = {
    "invalid api key": _authentication_error,
    "bandwidth limit": _bandwidth_error,
    "limit reach": _rate_limit_error,
    "legacy endpoint": _legacy_endpoint_error,
    "restricted endpoint|exclusive endpoint": _endpoint_entitlement_error,
    "premium query parameter": _symbol_entitlement_error,
}
"""Error by phrases of the vendor's message, for any status code."""

_ERRORS_BY_STATUS = {
    401: _authentication_error,
    402: _symbol_entitlement_error,
    403: _endpoint_entitlement_error,
    429: _rate_limit_error,
}
