"""Mutated responses of Tiingo and Yahoo: no crash, and no row is accepted that was not sent."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from urllib3.util.retry import Retry

from riskmetrics import trading_calendar
from riskmetrics.errors import SourceError
from riskmetrics.sources.request_policy import Timeouts
from riskmetrics.sources.tiingo import TiingoClient
from riskmetrics.sources.vendor_http import VendorHttpClient, VendorResponse
from riskmetrics.sources.yahoo import YahooClient
from riskmetrics.sources.yahoo_session import YahooSession
from tests.fmp_server import KEY, Reply
from tests.sources.test_fmp_mutations import ODD
from tests.tiingo_server import TiingoMarket
from tests.yahoo_server import CHART, SUMMARY, YahooMarket, serve_yahoo

FIRST, LAST = date(2024, 11, 25), date(2024, 12, 6)
SETTINGS = settings(
    database=None,
    suppress_health_check=list(HealthCheck),
)


def paths(node: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the path of every node of a JSON value, but not of the value itself."""
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, child in items:
        yield (*path, key)
        yield from paths(child, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, content: object) -> bytes:
    """Return JSON with one to three nodes replaced, removed or repeated; sometimes cut."""
    value = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        known = list(paths(value))
        if not known:
            break
        *above, key = draw(st.sampled_from(known))
        parent = value
        for step in above:
            parent = parent[step]
        what = draw(st.sampled_from(["replace", "replace", "remove", "repeat"]))
        if what == "remove":
            del parent[key]
        elif what == "repeat" and isinstance(parent, list):
            parent.append(parent[key])
        else:
            parent[key] = draw(ODD)
    body = json.dumps(value).encode("utf-8", "surrogatepass")
    return body[: draw(st.sampled_from([None, None, None, len(body) // 2]))]


class Canned(VendorHttpClient):
    """Answers without a server."""

    def __init__(self, body: bytes) -> None:
        super().__init__("http://vendor", KEY, lambda: None)
        self.body = body

    def get(self, path, params, read):
        """Give the answer."""
        return read(VendorResponse(200, self.body, None))


def market_days(market: TiingoMarket | YahooMarket) -> list[date]:
    """Return the sessions of the range, after a split and a dividend."""
    market.splits["A", date(2024, 12, 2)] = 4.0
    market.dividends["A", date(2024, 12, 4)] = 0.5
    return trading_calendar.sessions_between(FIRST, LAST)


def test_prices_that_a_split_makes_infinite_are_rejected() -> None:
    market = TiingoMarket(LAST)
    rows = [row for row in market.rows("A") if row["date"][:10] >= FIRST.isoformat()]
    rows[-1]["splitFactor"] = 1e-308
    parsed = TiingoClient(Canned(json.dumps(rows).encode())).fetch_prices("A", FIRST, LAST)
    assert len(parsed.rows) == 1
    assert len(parsed.rejected) == len(rows) - 1


@pytest.mark.slow(5)
def test_no_mutation_of_tiingo_s_answer_crashes_or_stores_what_was_not_sent() -> None:
    market = TiingoMarket(LAST)
    days = market_days(market)
    rows = [row for row in market.rows("A") if row["date"][:10] >= FIRST.isoformat()]

    @settings(SETTINGS, max_examples=1500)
    @given(mutated(rows))
    def answer_with(body: bytes) -> None:
        try:
            parsed = TiingoClient(Canned(body)).fetch_prices("A", FIRST, LAST)
        except SourceError:
            return
        sent = [row for row in json.loads(body) if isinstance(row, dict)]
        for row in parsed.rows.to_dict("records"):
            assert row["date"] in days
            assert row["close"] > 0
            (item, *_) = [one for one in sent if str(one["date"])[:10] == str(row["date"])]
            later = {
                one["date"][:10]: one["splitFactor"]
                for one in reversed(sent)
                if one["date"][:10] > str(row["date"])
            }
            factor = 1.0
            for day in sorted(later, reverse=True):
                factor *= later[day]
            assert row["close"] == item["close"] / factor
            assert row["adj_close"] == item["adjClose"]
        assert len(parsed.rows) + len(parsed.rejected) > 0 or not sent

    answer_with()


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of yfinance's files."""
    return tmp_path_factory.mktemp("home") / "yahoo"


@pytest.mark.slow(20)
def test_no_mutation_of_yahoo_s_chart_crashes_or_stores_what_was_not_sent(
    cache_folder: Path,
) -> None:
    """Yfinance's own code reads every one of them."""
    market = YahooMarket(LAST)
    days = market_days(market)
    asked = {"period1": str(1732500000), "period2": str(2**40)}
    chart = market(f"{CHART}/A", asked).body

    with serve_yahoo(market) as server:

        @settings(SETTINGS, max_examples=400)
        @given(mutated(chart))
        def answer_with(body: bytes) -> None:
            server.answers = lambda path, query: (
                Reply(body) if "period1" in query else market(path, query)
            )
            with open_session(server.url) as session:
                try:
                    parsed = YahooClient(session, cache_folder).fetch_prices("A", FIRST, LAST)
                except SourceError:
                    return
            if parsed.rows.empty:
                return
            quote = json.loads(body)["chart"]["result"][0]["indicators"]["quote"][0]
            for row in parsed.rows.to_dict("records"):
                assert row["date"] in days
                assert row["close"] in [float(close) for close in quote["close"] if close]
                assert row["close"] > 0

        answer_with()


@pytest.mark.slow(15)
@pytest.mark.parametrize("endpoint", ["profile", "weights"])
def test_no_mutation_of_yahoo_s_summary_crashes(cache_folder: Path, endpoint: str) -> None:
    market = YahooMarket(LAST)
    modules = {
        "profile": "financialData,quoteType,defaultKeyStatistics,assetProfile,summaryDetail",
        "weights": "quoteType,summaryProfile,topHoldings,fundProfile",
    }[endpoint]
    summary = market(f"{SUMMARY}/S001", {"modules": modules}).body

    with serve_yahoo(market) as server:

        @settings(SETTINGS, max_examples=200)
        @given(mutated(summary))
        def answer_with(body: bytes) -> None:
            server.answers = lambda path, query: (
                Reply(body) if path.startswith(SUMMARY) else market(path, query)
            )
            with open_session(server.url) as session:
                client = YahooClient(session, cache_folder)
                try:
                    found = (
                        client.fetch_profile("S001")
                        if endpoint == "profile"
                        else client.fetch_sector_weights("S001")
                    )
                except SourceError:
                    return
            for row in found.rows:
                if endpoint == "profile":
                    assert row.symbol == "S001"
                else:
                    assert 0 <= row.weight <= 100

        answer_with()


def open_session(url: str) -> YahooSession:
    """Return a session that does not retry and does not wait."""
    return YahooSession(
        url,
        lambda: None,
        retries=Retry(0, allowed_methods=["GET"]),
        timeouts=Timeouts(30.0, 30.0, 30.0),
        cooldown=0.0,
    )
