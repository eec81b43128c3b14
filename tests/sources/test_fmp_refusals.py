"""The vendor's refusals become errors that say what to do."""

import pytest

from riskmetrics.errors import BadAnswer, KeyRefused, NotInPlan, RateLimited, SourceError, Unreachable
from riskmetrics.sources import fmp
from riskmetrics.sources.http import Answer
from tests.fmp_server import BAD_KEY, LIMIT, NO_ENDPOINT, NO_SYMBOL
from tests.sources.fmp_answers import GOOD, asked

REFUSALS = [
    (BAD_KEY, 401, KeyRefused, "vendor", False),
    (BAD_KEY, 200, KeyRefused, "vendor", False),
    (NO_SYMBOL, 402, NotInPlan, "", False),
    ({"Error Message": NO_SYMBOL}, 402, NotInPlan, "", False),
    (NO_ENDPOINT, 402, NotInPlan, "endpoint", False),
    ({"Error Message": "Exclusive Endpoint : not available"}, 403, NotInPlan, "endpoint", False),
    ({"Error Message": "Legacy Endpoint : Due to Legacy endpoints being no longer supported"}, 403, NotInPlan, "endpoint", False),
    (LIMIT, 429, RateLimited, "vendor", False),
    (LIMIT, 200, RateLimited, "vendor", False),
    ({"Error Message": "Bandwidth Limit Reach . Please upgrade your plan"}, 429, RateLimited, "vendor", False),
    ("<html><h1>502 Bad Gateway</h1></html>", 502, Unreachable, "", True),
    ("", 503, Unreachable, "", True),
    ("Query Error: Invalid or missing query parameter - symbol", 400, BadAnswer, "", False),
    ("<html>moved</html>", 302, BadAnswer, "", False),
    ('[{"symbol":"AAPL","date":"2024-12-06","open":242.91,"high":244.', 200, BadAnswer, "", True),
    ("<html>please log in</html>", 200, BadAnswer, "", True),
    ("", 200, BadAnswer, "", True),
    (b"[\xff]", 200, BadAnswer, "", True),
    ("[" * 5000, 200, BadAnswer, "", True),
    ({}, 200, BadAnswer, "", False),
    ({"Error Message": "Something new"}, 200, BadAnswer, "", False),
    ({"Error Message": ["?"]}, 200, BadAnswer, "", False),
    ("null", 200, BadAnswer, "", True),
    ('"Limit Reach"', 200, RateLimited, "vendor", False),
]


@pytest.mark.parametrize("endpoint", GOOD)
@pytest.mark.parametrize(("body", "status", "kind", "closes", "again"), REFUSALS)
def test_a_refusal_says_what_it_is_whether_to_ask_again_and_what_it_closes(endpoint, body, status, kind, closes, again):
    with pytest.raises(SourceError) as caught:
        asked({endpoint: body, "historical-price-eod/full": body}, endpoint, status)
    assert (type(caught.value), caught.value.closes, caught.value.again) == (kind, closes, again)
    assert len(str(caught.value)) > 20


def test_a_redirect_asks_for_the_right_address():
    with pytest.raises(BadAnswer, match="is RISKMETRICS_FMP_URL right"):
        asked({"profile": "<html>moved</html>"}, "profile", 302)


def test_the_bandwidth_quota_is_not_waited_for():
    with pytest.raises(RateLimited) as caught:
        asked({"profile": {"Error Message": "Bandwidth Limit Reach . Please upgrade your plan"}}, "profile", 429)
    assert not caught.value.passing


def test_an_answer_may_have_exactly_as_many_rows_as_the_limit(monkeypatch):
    answer = Answer(200, b"[{}, {}, {}]", None)
    monkeypatch.setattr(fmp, "_MOST_ROWS", 3)
    assert fmp._decoded(answer, "profile") == [{}, {}, {}]
    monkeypatch.setattr(fmp, "_MOST_ROWS", 2)
    with pytest.raises(BadAnswer, match="3 rows"):
        fmp._decoded(answer, "profile")


def test_what_the_vendor_says_is_quoted_without_control_characters():
    with pytest.raises(BadAnswer) as caught:
        asked({"profile": {"Error Message": "Some\x1b[31mthing\u202e new"}}, "profile", 200)
    assert "Some [31mthing  new".replace("  ", " ") in str(caught.value)
