"""The vendor's refusals become errors that say what to do."""

import pytest

from riskmetrics.errors import (
    AuthenticationError,
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    SourceError,
    VendorUnavailableError,
)
from riskmetrics.sources import fmp_responses, vendor_http
from riskmetrics.sources.vendor_http import VendorResponse
from tests.fmp_server import BAD_KEY, LIMIT, NO_ENDPOINT, NO_SYMBOL
from tests.sources.fmp_answers import GOOD, asked

REFUSALS = [
    (BAD_KEY, 401, AuthenticationError, "vendor", False),
    (BAD_KEY, 200, AuthenticationError, "vendor", False),
    (NO_SYMBOL, 402, EntitlementError, "", False),
    ({"Error Message": NO_SYMBOL}, 402, EntitlementError, "", False),
    (NO_ENDPOINT, 402, EntitlementError, "endpoint", False),
    (
        {"Error Message": "Exclusive Endpoint : not available"},
        403,
        EntitlementError,
        "endpoint",
        False,
    ),
    (
        {"Error Message": "Legacy Endpoint : Due to Legacy endpoints being no longer supported"},
        403,
        EntitlementError,
        "endpoint",
        False,
    ),
    (LIMIT, 429, RateLimitError, "vendor", False),
    (LIMIT, 200, RateLimitError, "vendor", False),
    (
        {"Error Message": "Bandwidth Limit Reach . Please upgrade your plan"},
        429,
        RateLimitError,
        "vendor",
        False,
    ),
    ("<html><h1>502 Bad Gateway</h1></html>", 502, VendorUnavailableError, "", True),
    ("", 503, VendorUnavailableError, "", True),
    (
        "Query Error: Invalid or missing query parameter - symbol",
        400,
        InvalidResponseError,
        "",
        False,
    ),
    ("<html>moved</html>", 302, InvalidResponseError, "", False),
    (
        '[{"symbol":"AAPL","date":"2024-12-06","open":242.91,"high":244.',
        200,
        InvalidResponseError,
        "",
        True,
    ),
    ("<html>please log in</html>", 200, InvalidResponseError, "", True),
    ("", 200, InvalidResponseError, "", True),
    (b"[\xff]", 200, InvalidResponseError, "", True),
    ("[" * 5000, 200, InvalidResponseError, "", True),
    ({}, 200, InvalidResponseError, "", False),
    ({"Error Message": "Something new"}, 200, InvalidResponseError, "", False),
    ({"Error Message": ["?"]}, 200, InvalidResponseError, "", False),
    ("null", 200, InvalidResponseError, "", True),
    ('"Limit Reach"', 200, RateLimitError, "vendor", False),
]


@pytest.mark.parametrize("endpoint", GOOD)
@pytest.mark.parametrize(("body", "status", "kind", "scope", "is_retryable"), REFUSALS)
def test_a_refusal_has_a_type_a_scope_and_whether_to_retry(
    endpoint, body, status, kind, scope, is_retryable
):
    with pytest.raises(SourceError) as caught:
        asked({endpoint: body, "historical-price-eod/full": body}, endpoint, status)
    assert (type(caught.value), caught.value.scope, caught.value.retryable) == (
        kind,
        scope,
        is_retryable,
    )
    assert len(str(caught.value)) > 20


def test_a_redirect_asks_for_the_right_address():
    with pytest.raises(InvalidResponseError, match="Check RISKMETRICS_FMP_URL"):
        asked({"profile": "<html>moved</html>"}, "profile", 302)


def test_the_bandwidth_quota_is_not_waited_for():
    with pytest.raises(RateLimitError) as caught:
        asked(
            {"profile": {"Error Message": "Bandwidth Limit Reach . Please upgrade your plan"}},
            "profile",
            429,
        )
    assert not caught.value.transient


def test_an_answer_may_have_exactly_as_many_rows_as_the_limit(monkeypatch):
    answer = VendorResponse(200, b"[{}, {}, {}]", None)
    request = (answer, "FMP", "profile", fmp_responses.find_error)
    monkeypatch.setattr(vendor_http, "_MAX_RESPONSE_ROWS", 3)
    assert vendor_http.decode_rows(*request) == [{}, {}, {}]
    monkeypatch.setattr(vendor_http, "_MAX_RESPONSE_ROWS", 2)
    with pytest.raises(InvalidResponseError, match="3 rows"):
        vendor_http.decode_rows(*request)


def test_what_the_vendor_says_is_quoted_without_control_characters():
    with pytest.raises(InvalidResponseError) as caught:
        asked({"profile": {"Error Message": "Some\x1b[31mthing\u202e new"}}, "profile", 200)
    assert "Some [31mthing  new".replace("  ", " ") in str(caught.value)
