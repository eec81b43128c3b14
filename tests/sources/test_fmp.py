"""What the vendor's answers become: rows, rejected rows with their text, or an error that says what to do."""

import json
import re
from collections.abc import Mapping
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmetrics.errors import BadAnswer, KeyRefused, NotInPlan, RateLimited, SourceError, Unreachable
from riskmetrics.sources import fmp
from riskmetrics.sources.fmp import Fmp
from riskmetrics.sources.http import Answer, Http
from tests.conftest import SHARED_DATA
from tests.fmp_server import BAD_KEY, KEY, LIMIT, NO_ENDPOINT, NO_SYMBOL, Reply, serve

EXAMPLES = SHARED_DATA / "fmp"
FRIDAY, MONDAY, FAR = "2024-12-06", "2024-12-09", "2024-12-31"


def bar(day: str = FRIDAY, close: float = 242.84, **changed: object) -> dict[str, object]:
    """Return a row of the split-adjusted history."""
    row = {"symbol": "AAPL", "date": day, "open": 242.91, "high": 244.63, "low": 242.08, "close": close, "volume": 36870600}
    return {**row, "change": -0.07, "changePercent": -0.03, "vwap": 243.1, **changed}


def adjusted(day: str = FRIDAY, close: float = 241.84, **changed: object) -> dict[str, object]:
    """Return a row of the dividend-adjusted history."""
    return {"symbol": "AAPL", "date": day, "adjOpen": 242.0, "adjHigh": 243.7, "adjLow": 241.1, "adjClose": close, "volume": 1, **changed}


PROFILE = {
    "symbol": "AAPL",
    "marketCap": 3670755560800,
    "beta": 1.24,
    "companyName": "Apple Inc.",
    "exchange": "NASDAQ",
    "industry": "Consumer Electronics",
    "description": "(text)",
    "sector": "Technology",
    "country": "US",
    "isEtf": False,
    "isFund": False,
}
GOOD = {
    "historical-price-eod/full": [bar(MONDAY, 243.0), bar()],
    "historical-price-eod/dividend-adjusted": [adjusted(MONDAY, 242.0), adjusted()],
    "profile": [PROFILE],
    "sp500-constituent": [
        {"symbol": "AAPL", "sector": "Technology", "cik": "0000320193"},
        {"symbol": "BRK-B", "sector": "Financial Services"},
    ],
    "etf/sector-weightings": [
        {"symbol": "SPY", "sector": "Technology", "weightPercentage": 31.97},
        {"sector": "Energy", "weightPercentage": 3.2},
    ],
}


class Canned(Http):
    """Answers without a server: what is under test begins where bytes have arrived."""

    def __init__(self, answers: Mapping[str, object], status: int = 200) -> None:
        super().__init__("http://vendor", KEY, lambda: None)
        self.answers, self.status = answers, status

    def get(self, path, params, read):
        """Give the canned answer of the path."""
        return read(Answer(self.status, Reply(self.answers[path.removeprefix("/stable/")]).content, None))


def asked(answers: Mapping[str, object], endpoint: str, status: int = 200) -> tuple[list[object], list[tuple[object, ...]]]:
    """Ask what an endpoint is for, and return rows and rejected rows."""
    client = Fmp(Canned({**GOOD, **answers}, status))
    if endpoint.startswith("historical"):
        parsed = client.prices("AAPL", date(2024, 1, 2), date(2024, 12, 31))
        return parsed.rows.to_dict("records"), [tuple(row) for row in parsed.rejected]
    calls = {
        "profile": lambda: client.profile("AAPL"),
        "sp500-constituent": client.constituents,
        "etf/sector-weightings": lambda: client.sector_weightings("SPY"),
    }
    found = calls[endpoint]()
    assert len(found.rows) == len(found.texts)
    return [row.model_dump() for row in found.rows], [tuple(row) for row in found.rejected]


def test_prices_are_the_split_adjusted_close_and_the_dividend_adjusted_one():
    rows, rejected = asked({}, "historical-price-eod/full")
    assert rejected == []
    expected = {"open": 242.91, "high": 244.63, "low": 242.08, "volume": 36870600, "has_adj_close": True, "symbol": "AAPL"}
    days = [(date(2024, 12, 9), 243.0, 242.0), (date(2024, 12, 6), 242.84, 241.84)]
    assert rows == [{**expected, "date": day, "close": close, "adj_close": adj} for day, close, adj in days]


def test_without_the_dividend_adjusted_endpoint_the_close_stands_in_and_is_said():
    class Small(Canned):
        def get(self, path, params, read):
            """Refuse one endpoint."""
            return read(Answer(402, NO_ENDPOINT.encode(), None)) if "dividend" in path else super().get(path, params, read)

    parsed = Fmp(Small(GOOD)).prices("AAPL", date(2024, 1, 2), date(2024, 12, 31))
    assert parsed.rows["adj_close"].to_list() == parsed.rows["close"].to_list() == [243.0, 242.84]
    assert not parsed.rows["has_adj_close"].any()
    assert parsed.notes == ["no adj_close column: adj_close := close"]


def test_an_unknown_symbol_is_no_row_and_costs_one_call():
    with serve(lambda *_: Reply([])) as server, Http(server.url, KEY, lambda: None) as http:
        assert Fmp(http).prices("NOSUCH", date(2024, 1, 2), date(2024, 12, 6)).rows.empty
        assert server.calls == [("/stable/historical-price-eod/full", {"symbol": "NOSUCH", "from": "2024-01-02", "to": "2024-12-06"})]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (bar(symbol="MSFT"), "a row of MSFT, not of AAPL: if it was renamed, hold it under its new name"),
        (bar(date="06/12/2024"), "date: String should match"),
        (bar(date="2024-12-07"), "the exchange is closed on 2024-12-07"),
        (bar(date="2999-12-06"), "lies after"),
        (bar(close=None), "close: Input should be a valid number"),
        (bar(close="242.84"), "close: Input should be a valid number"),
        (bar(close=-1), "is not a price"),
        (bar(high=1), "high 1 is below low 242.08"),
        (bar(volume=-1), "volume -1 is not a number of shares"),
        ({"symbol": "AAPL", "date": FRIDAY, "price": 242.84, "volume": 36870600}, "close: Field required"),
        (["AAPL"], "row: Input should be an object"),
        (bar(MONDAY, 99.0), "close 99 is below low"),
        (bar("2024-12-05"), "no adj_close, which AAPL has on other rows"),
    ],
)
def test_a_row_that_does_not_fit_is_kept_with_its_text_and_takes_no_other_with_it(row, reason):
    rows, rejected = asked({"historical-price-eod/full": [row, *GOOD["historical-price-eod/full"]]}, "historical-price-eod/full")
    assert len(rows) == 2
    ((line, text, why),) = rejected
    assert (line, json.loads(text)) == (None, row)
    assert reason in why


def test_days_of_one_history_alone_are_rejected():
    history = {
        "historical-price-eod/dividend-adjusted": [*GOOD["historical-price-eod/dividend-adjusted"], adjusted("2024-12-05"), adjusted()]
    }
    rows, rejected = asked(history, "historical-price-eod/full")
    assert len(rows) == 2
    assert [why for _, _, why in rejected] == ["the history has no row of 2024-12-05", "a second row for 2024-12-06: the first stands"]


def test_a_fund_keeps_no_sector_of_its_manager():
    spy = {**PROFILE, "symbol": "SPY", "sector": "Financial Services", "isEtf": True, "beta": None, "industry": "", "marketCap": None}
    found = Fmp(Canned({"profile": [spy]})).profile("SPY")
    (row,) = fmp.profile_rows(found.rows).to_dict("records")
    assert row["sector"] is None
    assert row["industry"] is None
    assert (row["is_etf"], row["is_fund"]) == (True, False)
    assert pd.isna(row["beta"])


def test_a_profile_is_named_as_the_tables_columns_and_its_sector_is_gics():
    found = Fmp(Canned(GOOD)).profile("AAPL")
    (row,) = fmp.profile_rows(found.rows).to_dict("records")
    assert row == {
        "symbol": "AAPL",
        "company_name": "Apple Inc.",
        "sector": "Information Technology",
        "industry": "Consumer Electronics",
        "exchange": "NASDAQ",
        "country": "US",
        "market_cap": 3670755560800.0,
        "description": "(text)",
        "is_etf": False,
        "is_fund": False,
        "beta": 1.24,
    }


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


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [("brk/b", None), ("X" * 21, "not a symbol"), ("B\0C", "not a symbol"), ("", "not a symbol"), ("AAPL", "a second row")],
)
def test_a_constituent_has_a_symbol_and_stands_once(symbol, reason):
    """What is asked of it later is kept by that symbol, in a column of a certain length."""
    rows, rejected = asked(
        {"sp500-constituent": [*GOOD["sp500-constituent"][:1], {"symbol": symbol, "sector": "Energy"}]}, "sp500-constituent"
    )
    assert [row["symbol"] for row in rows] == ["AAPL", *(["BRK-B"] if reason is None else [])]
    assert [reason in row[2] for row in rejected] == ([] if reason is None else [True])


def test_of_two_profiles_of_a_symbol_the_second_is_handed_back():
    rows, rejected = asked({"profile": [PROFILE, {**PROFILE, "beta": 2.0}]}, "profile")
    assert [row["beta"] for row in rows] == [1.24]
    assert [row[2] for row in rejected] == ["a second row for AAPL: the first stands"]


@pytest.mark.parametrize("close", [1e308, 1e-320])
def test_an_adjusted_close_beyond_any_price_is_handed_back(close):
    rows, rejected = asked({"historical-price-eod/dividend-adjusted": [adjusted(MONDAY, close), adjusted()]}, "historical-price-eod/full")
    assert [row["date"] for row in rows] == [date(2024, 12, 6)]
    assert "is not a price above zero" in rejected[0][2]


def test_the_bandwidth_quota_is_not_waited_for():
    with pytest.raises(RateLimited) as caught:
        asked({"profile": {"Error Message": "Bandwidth Limit Reach . Please upgrade your plan"}}, "profile", 429)
    assert not caught.value.passing


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the developers' data set is not beside the checkout")
@pytest.mark.parametrize("endpoint", GOOD)
def test_each_example_answer_to_each_question_is_an_error_or_loses_no_row(endpoint):
    index = json.loads((EXAMPLES / "index.json").read_text())
    assert len(index) == 31
    for example in index:
        name, body = example["file"], (EXAMPLES / example["file"]).read_bytes()
        empty = endpoint == "historical-price-eod/dividend-adjusted" and body.strip() == b"[]"
        if name.startswith(("error", "v3_historical")) or empty:
            with pytest.raises(SourceError):
                asked({endpoint: body}, endpoint, example["http_status"])
            continue
        rows, rejected = asked({endpoint: body}, endpoint, example["http_status"])
        content = json.loads(body)
        if endpoint == "historical-price-eod/dividend-adjusted":
            assert len(rejected) + len(rows) >= len(content), name
        else:
            assert len(rows) + sum(json.loads(text) in content for _, text, _ in rejected) == len(content), name


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the developers' data set is not beside the checkout")
def test_the_examples_of_good_answers_are_understood():
    def example(name: str) -> bytes:
        return (EXAMPLES / f"stable_{name}.json").read_bytes()

    answers = {
        "historical-price-eod/full": example("historical_price_eod_full_AAPL"),
        "historical-price-eod/dividend-adjusted": example("historical_price_eod_dividend_adjusted_AAPL"),
        "profile": example("profile_AAPL"),
        "sp500-constituent": example("sp500_constituent"),
        "etf/sector-weightings": example("etf_sector_weightings_SPY"),
    }
    found = {endpoint: asked(answers, endpoint) for endpoint in answers}
    assert {endpoint: (len(rows), rejected) for endpoint, (rows, rejected) in found.items()} == {
        "historical-price-eod/full": (15, []),
        "historical-price-eod/dividend-adjusted": (15, []),
        "profile": (1, []),
        "sp500-constituent": (14, []),
        "etf/sector-weightings": (11, []),
    }
    assert sum(row["weight"] for row in found["etf/sector-weightings"][0]) == pytest.approx(99.75, abs=0.01)
    last = found["historical-price-eod/full"][0][0]
    assert (last["date"], last["close"], last["adj_close"], last["volume"]) == (date(2024, 12, 6), 242.84, 242.84, 36870600)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["AAPL", "2024-12-05", "2024-02-30", "NaN", "1e400", "1,5", "\x00", "=1+1", [], {}, "\ud800"]),
)


@st.composite
def mutated(draw: st.DrawFn, content: list[dict[str, object]]) -> bytes:
    """Return an answer with one to three things wrong: a value, a key, a row, or some of its bytes."""
    rows: list[object] = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(rows) - 1))
        row = rows[at]
        what = draw(st.sampled_from(["value", "drop", "repeat", "replace"]))
        if what == "repeat":
            rows.append(row)
        elif what == "replace" or not isinstance(row, dict) or not row:
            rows[at] = draw(ODD)
        elif what == "value":
            row = rows[at] = dict(row)
            row[draw(st.sampled_from(sorted(row)))] = draw(ODD)
        else:
            row = rows[at] = dict(row)
            del row[draw(st.sampled_from(sorted(row)))]
    body = bytearray(json.dumps(rows).encode())
    for _ in range(draw(st.sampled_from([0, 0, 1, 4]))):
        at = draw(st.integers(0, max(len(body) - 1, 0)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=2))
    return bytes(body[: draw(st.sampled_from([None, None, None, len(body) // 2]))])


def mutations(count: int) -> settings:
    """Try so many; ten thousand of all the good answers together, fewer where one takes longer."""
    return settings(max_examples=count, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def _check(endpoint: str, body: bytes) -> None:
    """No crash; every row that is taken stands in the answer as it was taken; every other one is handed back."""
    try:
        rows, rejected = asked({endpoint: body}, endpoint)
    except SourceError:
        return
    content = json.loads(body)
    texts = [json.loads(text) for _, text, _ in rejected]
    if endpoint == "historical-price-eod/dividend-adjusted":
        closes = [item.get("adjClose") for item in content if isinstance(item, dict)]
        assert all(row["adj_close"] in closes for row in rows)
        assert sum(_stands_in(text, [*content, *GOOD["historical-price-eod/full"]]) for text in texts) >= len(content) - len(rows)
        return
    assert len(rows) + sum(_stands_in(text, content) for text in texts) >= len(content)
    for row in rows:
        assert any(_same(row, item) for item in content), row
        if endpoint == "historical-price-eod/full":
            assert row["close"] > 0
            assert row["date"] in (date(2024, 12, 6), date(2024, 12, 9))


def _stands_in(text: object, content: list[object]) -> bool:
    return any(json.dumps(text) == json.dumps(item) for item in content)


_OURS = {
    "gics_sector": "sector",
    "name": "companyName",
    "market_cap": "marketCap",
    "is_etf": "isEtf",
    "is_fund": "isFund",
    "weight": "weightPercentage",
}


def _same(row: dict[str, object], item: object) -> bool:
    """Whether each number and key of a row that was taken is what an item of the answer says."""
    if not isinstance(item, dict):
        return False
    names = [name for name in ("symbol", "open", "high", "low", "close", "market_cap", "beta", "is_etf", "weight") if name in row]
    pairs = {name: (row[name], item.get(_OURS.get(name, name))) for name in names}
    if "symbol" in pairs:  # taken in capitals, with one spelling of classes of shares
        ours, theirs = pairs.pop("symbol")
        if not isinstance(theirs, str) or re.sub(r"\W", "", str(ours)) != re.sub(r"\W", "", theirs.upper()):
            return False
    return all(ours == theirs or (pd.isna(ours) and theirs is None) for ours, theirs in pairs.values())


@mutations(1000)
@given(mutated(GOOD["historical-price-eod/full"]))
def test_no_mutation_of_a_history_crashes_stores_a_wrong_row_or_loses_one(body):
    _check("historical-price-eod/full", body)


def test_where_no_adjusted_close_is_a_price_the_closes_do_not_stand_in():
    """One day lacks it, the other has 0: neither is taken, and both are handed back."""
    adjusted = [{"symbol": "AAPL", "date": "2024-12-09"}, {"symbol": "AAPL", "date": "2024-12-06", "adjClose": 0}]
    _check("historical-price-eod/dividend-adjusted", json.dumps(adjusted).encode())


@mutations(500)
@given(mutated(GOOD["historical-price-eod/dividend-adjusted"]))
def test_no_mutation_of_an_adjusted_history_crashes_stores_a_wrong_row_or_loses_one(body):
    _check("historical-price-eod/dividend-adjusted", body)


@mutations(2000)
@given(mutated(GOOD["profile"]))
def test_no_mutation_of_a_profile_crashes_stores_a_wrong_row_or_loses_one(body):
    _check("profile", body)


@mutations(2500)
@given(mutated(GOOD["sp500-constituent"]))
def test_no_mutation_of_the_constituents_crashes_stores_a_wrong_row_or_loses_one(body):
    _check("sp500-constituent", body)


@mutations(4000)
@given(mutated(GOOD["etf/sector-weightings"]))
def test_no_mutation_of_the_weightings_crashes_stores_a_wrong_row_or_loses_one(body):
    _check("etf/sector-weightings", body)
