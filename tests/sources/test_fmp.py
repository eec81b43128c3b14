"""Parsing of FMP responses: rows, rejected rows with text, or errors with advice."""

import json
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import pandas as pd
import pytest

from riskmetrics.errors import SourceError
from riskmetrics.sources import vendor_rows
from riskmetrics.sources.fmp import FmpClient
from riskmetrics.sources.vendor_http import VendorHttpClient, VendorResponse
from tests.conftest import SHARED_DATA, needs_shared_data
from tests.fmp_server import KEY, NO_ENDPOINT, Reply, serve
from tests.sources.fmp_answers import FRIDAY, GOOD, MONDAY, PROFILE, Canned, adjusted, asked, bar

EXAMPLES = SHARED_DATA / "fmp"


class Example(NamedTuple):
    """An answer of the vendor; the names of errors begin with ``error``."""

    name: str
    body: bytes
    status: int = 200


def test_prices_are_the_split_adjusted_close_and_the_dividend_adjusted_one():
    rows, rejected = asked({}, "historical-price-eod/full")
    assert rejected == []
    expected = {
        "open": 242.91,
        "high": 244.63,
        "low": 242.08,
        "volume": 36870600,
        "has_adj_close": True,
        "symbol": "AAPL",
    }
    days = [(date(2024, 12, 9), 243.0, 242.0), (date(2024, 12, 6), 242.84, 241.84)]
    assert rows == [
        {**expected, "date": day, "close": close, "adj_close": adj} for day, close, adj in days
    ]


def test_without_the_dividend_adjusted_endpoint_the_close_stands_in_and_is_said():
    class Small(Canned):
        def get(self, path, params, read):
            """Refuse one endpoint."""
            return (
                read(VendorResponse(402, NO_ENDPOINT.encode(), None))
                if "dividend" in path
                else super().get(path, params, read)
            )

    parsed = FmpClient(Small(GOOD)).fetch_prices("AAPL", date(2024, 1, 2), date(2024, 12, 31))
    assert parsed.rows["adj_close"].to_list() == parsed.rows["close"].to_list() == [243.0, 242.84]
    assert not parsed.rows["has_adj_close"].any()
    assert parsed.notes == [
        "no column of adjusted closes: the close is used, so dividends count as price falls"
    ]


def test_an_unknown_symbol_is_no_row_and_costs_one_call():
    with (
        serve(lambda *_: Reply([])) as server,
        VendorHttpClient(server.url, KEY, lambda: None) as http,
    ):
        assert (
            FmpClient(http).fetch_prices("NOSUCH", date(2024, 1, 2), date(2024, 12, 6)).rows.empty
        )
        assert server.calls == [
            (
                "/stable/historical-price-eod/full",
                {"symbol": "NOSUCH", "from": "2024-01-02", "to": "2024-12-06"},
            )
        ]


@pytest.mark.parametrize("written", ["BRK-B", "BRK.B", "BRK/B", "BRKB", "brk b", "BRK-B.US"])
def test_an_answer_in_another_spelling_is_of_the_symbol_asked_for(written):
    """The vendor is asked by its own spelling, which is the normal form."""
    calls = []

    class Spelled(Canned):
        def get(self, path, params, read):
            calls.append(params["symbol"])
            return super().get(path, params, read)

    answers = {path: [{**row, "symbol": written} for row in rows] for path, rows in GOOD.items()}
    client = FmpClient(Spelled(answers))
    parsed = client.fetch_prices("BRK-B", date(2024, 1, 2), date(2024, 12, 31))
    assert (parsed.rejected, set(parsed.rows["symbol"])) == ([], {"BRK-B"})
    profile = client.fetch_profile("BRK-B")
    assert vendor_rows.profiles_to_frame(profile.rows)["symbol"].to_list() == ["BRK-B"]
    assert set(calls) == {"BRK-B"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            bar(symbol="MSFT"),
            "symbol MSFT instead of AAPL; if AAPL was renamed, change the symbol of the holding",
        ),
        (bar(date="06/12/2024"), "date: String should match"),
        (bar(date="2024-12-07"), "the exchange is closed on 2024-12-07"),
        (bar(date="2999-12-06"), "is after"),
        (bar(close=None), "close: Input should be a valid number"),
        (bar(close="242.84"), "close: Input should be a valid number"),
        (bar(close=-1), "is not a price"),
        (bar(high=1), "high 1 is below low 242.08"),
        (bar(volume=-1), "volume -1 is not a number of shares"),
        (
            {"symbol": "AAPL", "date": FRIDAY, "price": 242.84, "volume": 36870600},
            "close: Field required",
        ),
        (["AAPL"], "row: Input should be an object"),
        (bar(MONDAY, 99.0), "close 99 is below low"),
        (bar("2024-12-05"), "no adj_close, although AAPL has it on other rows"),
    ],
)
def test_a_row_that_does_not_fit_is_kept_with_its_text_and_takes_no_other_with_it(row, reason):
    rows, rejected = asked(
        {"historical-price-eod/full": [row, *GOOD["historical-price-eod/full"]]},
        "historical-price-eod/full",
    )
    assert len(rows) == 2
    ((line, text, why),) = rejected
    assert (line, json.loads(text)) == (None, row)
    assert reason in why


def test_days_of_one_history_alone_are_rejected():
    history = {
        "historical-price-eod/dividend-adjusted": [
            *GOOD["historical-price-eod/dividend-adjusted"],
            adjusted("2024-12-05"),
            adjusted(),
        ]
    }
    rows, rejected = asked(history, "historical-price-eod/full")
    assert len(rows) == 2
    assert [why for _, _, why in rejected] == [
        "no split-adjusted price on 2024-12-05",
        "duplicate row for 2024-12-06; the first is kept",
    ]


def test_a_fund_keeps_no_sector_of_its_manager():
    spy = {
        **PROFILE,
        "symbol": "SPY",
        "sector": "Financial Services",
        "isEtf": True,
        "beta": None,
        "industry": "",
        "marketCap": None,
    }
    found = FmpClient(Canned({"profile": [spy]})).fetch_profile("SPY")
    (row,) = vendor_rows.profiles_to_frame(found.rows).to_dict("records")
    assert row["sector"] is None
    assert row["industry"] is None
    assert (row["is_etf"], row["is_fund"]) == (True, False)
    assert pd.isna(row["beta"])


def test_a_profile_is_named_as_the_tables_columns_and_its_sector_is_gics():
    found = FmpClient(Canned(GOOD)).fetch_profile("AAPL")
    (row,) = vendor_rows.profiles_to_frame(found.rows).to_dict("records")
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
        "identifiers": ("037833100",),
    }


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("brk/b", None),
        ("X" * 21, "not a valid symbol"),
        ("B\0C", "not a valid symbol"),
        ("", "not a valid symbol"),
        ("AAPL", "duplicate row"),
    ],
)
def test_a_constituent_has_a_symbol_and_stands_once(symbol, reason):
    """What is asked of it later is kept by that symbol, in a column of a certain length."""
    rows, rejected = asked(
        {
            "sp500-constituent": [
                *GOOD["sp500-constituent"][:1],
                {"symbol": symbol, "sector": "Energy"},
            ]
        },
        "sp500-constituent",
    )
    assert [row["symbol"] for row in rows] == ["AAPL", *(["BRK-B"] if reason is None else [])]
    assert [reason in row[2] for row in rejected] == ([] if reason is None else [True])


def test_of_two_profiles_of_a_symbol_the_second_is_handed_back():
    rows, rejected = asked({"profile": [PROFILE, {**PROFILE, "beta": 2.0}]}, "profile")
    assert [row["beta"] for row in rows] == [1.24]
    assert [row[2] for row in rejected] == ["duplicate row for AAPL; the first is kept"]


@pytest.mark.parametrize("close", [1e308, 1e-320])
def test_an_adjusted_close_beyond_any_price_is_handed_back(close):
    rows, rejected = asked(
        {"historical-price-eod/dividend-adjusted": [adjusted(MONDAY, close), adjusted()]},
        "historical-price-eod/full",
    )
    assert [row["date"] for row in rows] == [date(2024, 12, 6)]
    assert "is not a positive price" in rejected[0][2]


def written_examples() -> list[Example]:
    """Return answers written for these tests: good ones, and what the vendor says otherwise."""
    good = [Example(f"good {name}", json.dumps(body).encode()) for name, body in GOOD.items()]
    return [
        *good,
        Example("unknown symbol", b"[]"),
        Example("error: limit in an answer of 200", b'{"Error Message": "Limit Reach ."}'),
        Example("error: limit", b'{"Error Message": "Limit Reach ."}', 429),
        Example("error: key", b'{"Error Message": "Invalid API KEY."}', 401),
        Example("error: plan", b"Special Endpoint : not available under your plan", 402),
        Example("error: gateway", b"<html>502 Bad Gateway</html>", 502),
        Example("error: cut off", b'[{"symbol": "AAPL", "da'),
    ]


def recorded_examples() -> list[Example]:
    """Return the example answers of the optional data set."""
    index = json.loads((EXAMPLES / "index.json").read_text())
    assert len(index) == 31
    return [
        Example(one["file"], (EXAMPLES / one["file"]).read_bytes(), one["http_status"])
        for one in index
    ]


@pytest.mark.parametrize(
    "examples",
    [written_examples, pytest.param(recorded_examples, marks=needs_shared_data)],
)
@pytest.mark.parametrize("endpoint", GOOD)
def test_each_example_answer_to_each_question_is_an_error_or_loses_no_row(
    endpoint: str, examples: Callable[[], list[Example]]
) -> None:
    for name, body, status in examples():
        empty = endpoint == "historical-price-eod/dividend-adjusted" and body.strip() == b"[]"
        if name.startswith(("error", "v3_historical")) or empty:
            with pytest.raises(SourceError):
                asked({endpoint: body}, endpoint, status)
            continue
        rows, rejected = asked({endpoint: body}, endpoint, status)
        content = json.loads(body)
        if endpoint == "historical-price-eod/dividend-adjusted":
            assert len(rejected) + len(rows) >= len(content), name
        else:
            assert len(rows) + sum(json.loads(text) in content for _, text, _ in rejected) == len(
                content
            ), name


@needs_shared_data
def test_the_examples_of_good_answers_are_understood():
    def example(name: str) -> bytes:
        return (EXAMPLES / f"stable_{name}.json").read_bytes()

    answers = {
        "historical-price-eod/full": example("historical_price_eod_full_AAPL"),
        "historical-price-eod/dividend-adjusted": example(
            "historical_price_eod_dividend_adjusted_AAPL"
        ),
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
    assert sum(row["weight"] for row in found["etf/sector-weightings"][0]) == pytest.approx(
        99.75, abs=0.01
    )
    last = found["historical-price-eod/full"][0][0]
    assert (last["date"], last["close"], last["adj_close"], last["volume"]) == (
        date(2024, 12, 6),
        242.84,
        242.84,
        36870600,
    )


def test_where_no_adjusted_close_is_a_price_the_closes_do_not_stand_in():
    """One day is missing and another is 0: both are rejected, with both histories quoted."""
    answer = [{"symbol": "AAPL", "date": MONDAY}, {"symbol": "AAPL", "date": FRIDAY, "adjClose": 0}]
    rows, rejected = asked(
        {"historical-price-eod/dividend-adjusted": answer}, "historical-price-eod/dividend-adjusted"
    )
    assert rows == []
    assert [(json.loads(text), why) for _, text, why in rejected] == [
        (answer[0], "adjClose: Field required"),
        (bar(MONDAY, 243.0), f"no dividend-adjusted close on {MONDAY}"),
        (bar(), "adj_close 0 is not a positive price"),
    ]
