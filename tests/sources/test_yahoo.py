"""yfinance's own code against a local server that speaks Yahoo's protocol."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from urllib3.util.retry import Retry
from yfinance.data import YfData

from riskmetrics import gics
from riskmetrics.errors import (
    InvalidResponseError,
    RateLimitError,
    TimeLimitError,
    VendorUnavailableError,
)
from riskmetrics.sources import request_policy
from riskmetrics.sources.request_policy import CallLimits, Timeouts
from riskmetrics.sources.vendor_rows import profiles_to_frame
from riskmetrics.sources.yahoo import YahooClient
from riskmetrics.sources.yahoo_session import YahooSession
from tests.fmp_server import Reply
from tests.yahoo_server import CHART, SUMMARY, YahooMarket, YahooServer, serve_yahoo

FIRST, LAST, SPLIT, EX = date(2024, 9, 3), date(2024, 12, 6), date(2024, 10, 1), date(2024, 11, 4)
FAST = Retry(total=1, allowed_methods=["GET"])


@pytest.fixture
def market() -> YahooMarket:
    """What Yahoo tells."""
    return YahooMarket(LAST)


@pytest.fixture
def server(market: YahooMarket) -> Iterator[YahooServer]:
    """Yield a local server in place of Yahoo's hosts."""
    with serve_yahoo(market) as running:
        yield running


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of yfinance's files, of which a process has one."""
    return tmp_path_factory.mktemp("home") / "yahoo"


@pytest.fixture
def open_client(server: YahooServer, cache_folder: Path) -> Callable[..., object]:
    """Return an opener of a client that retries once and at once."""

    @contextmanager
    def open_client(url: str = "", **options: object) -> Iterator[YahooClient]:
        settings = {
            "rate_limiter": lambda: None,
            "retries": FAST,
            "timeouts": Timeouts(30.0, 30.0, 30.0),
            "cooldown": 0.01,
            **options,
        }
        with YahooSession(url or server.url, **settings) as session:
            yield YahooClient(session, cache_folder)

    return open_client


@pytest.fixture
def client(open_client: Callable[..., object]) -> Iterator[YahooClient]:
    """Yield a client for one test."""
    with open_client() as client:
        yield client


def test_both_closes_of_every_session_are_those_of_the_market(client, market):
    """The market computes them itself, with a split and a dividend in the range."""
    market.splits["S001", SPLIT], market.dividends["S001", EX] = 4.0, 1.5
    parsed = client.fetch_prices("S001", FIRST, LAST)
    expected = {day: prices for day, prices in market.closes("S001").items() if day >= FIRST}
    assert parsed.rejected == []
    assert parsed.rows["date"].to_list() == list(expected)
    np.testing.assert_allclose(
        parsed.rows[["close", "adj_close"]], list(expected.values()), rtol=1e-7
    )
    assert parsed.rows["has_adj_close"].all()
    assert set(parsed.rows["symbol"]) == {"S001"}


def test_a_session_in_progress_is_not_taken(client, market):
    last = date(2024, 12, 5)
    assert client.fetch_prices("A", FIRST, last).rows["date"].max() == last


def test_a_hole_is_rejected_and_kept_and_the_rest_is_taken(client, market):
    market.holes.add(("A", EX))
    parsed = client.fetch_prices("A", FIRST, LAST)
    (row,) = parsed.rejected
    assert row.reason == "no close"
    assert '"date": "2024-11-04"' in row.raw_row
    assert EX not in set(parsed.rows["date"])
    assert len(parsed.rows) == sum(day >= FIRST for day in market.closes("A")) - 1


@pytest.mark.parametrize("symbol", ["NOSUCH", "GONE"])
def test_a_symbol_that_is_unknown_or_has_ended_has_no_rows(client, market, symbol):
    """Yahoo answers 404 for the one, and 400 for a range after the last day of the other."""
    market.delisted_on["GONE"] = date(2024, 1, 5)
    parsed = client.fetch_prices(symbol, FIRST, LAST)
    assert (parsed.rows.empty, parsed.rejected) == (True, [])


@pytest.mark.parametrize("currency", ["GBp", "CAD"])
def test_prices_in_another_currency_are_never_dollars(client, market, currency):
    market.currencies["VOD.L"] = currency
    parsed = client.fetch_prices("VOD.L", FIRST, LAST)
    assert parsed.rows.empty
    assert {row.reason for row in parsed.rejected} == {
        f"currency {currency}: only USD is supported"
    }


def test_an_answer_in_the_name_of_another_symbol_is_rejected_with_the_command(client, market):
    market.renamed["FB"] = "META"
    parsed = client.fetch_prices("FB", FIRST, LAST)
    assert parsed.rows.empty
    assert {row.reason for row in parsed.rejected} == {
        "symbol META instead of FB; if FB was renamed, run `riskmetrics symbols rename FB META`"
    }


def test_dividends_without_an_adjusted_close_are_an_error(client, market):
    """The library gives the close as the adjusted close if Yahoo sends none."""
    market.without_adjustment |= {"A", "B"}
    market.dividends["A", EX] = 1.0
    with pytest.raises(InvalidResponseError, match="no dividend-adjusted closes"):
        client.fetch_prices("A", FIRST, LAST)
    assert len(client.fetch_prices("B", FIRST, LAST).rows)  # nothing was paid: they are equal


def test_an_answer_that_yfinance_cannot_read_says_which_version_it_is(client, market, server):
    def renamed_column(path: str, query: dict[str, str]) -> Reply:
        reply = market(path, query)
        reply.body["chart"]["result"][0]["indicators"]["quote"][0].pop("close")
        return reply

    server.answers = renamed_column
    with pytest.raises(InvalidResponseError, match=r"yfinance 1\.\S+ cannot read .*KeyError"):
        client.fetch_prices("A", FIRST, LAST)


def test_a_column_that_yfinance_does_not_return_is_named(client, monkeypatch):
    def without_adjusted(*_: object, **__: object) -> object:
        return pd.DataFrame({"Open": [1.0], "High": [1.0], "Low": [1.0], "Close": [1.0]})

    monkeypatch.setattr("yfinance.Ticker.history", without_adjusted)
    monkeypatch.setattr("yfinance.Ticker.get_history_metadata", lambda _: {})
    with pytest.raises(InvalidResponseError, match="no column Adj Close, Volume, Dividends of A"):
        client.fetch_prices("A", FIRST, LAST)


def test_a_profile_has_a_gics_sector_and_beta_and_a_fund_has_no_sector(client):
    found = [client.fetch_profile(symbol) for symbol in ("S003", "SPY")]
    frame = profiles_to_frame([row for answer in found for row in answer.rows])
    stock, fund = frame.to_dict("records")
    assert (stock["sector"], stock["beta"], stock["market_cap"]) == ("Consumer Staples", 1.1, 4e9)
    assert (stock["company_name"], stock["exchange"]) == ("S003 Inc.", "NYSE")
    assert (stock["is_etf"], fund["is_etf"]) == (False, True)
    assert pd.isna(fund["sector"])
    assert fund["beta"] == 1.0  # of three years: funds have no other


def test_a_capitalization_in_another_currency_is_left_out(client, market):
    market.currencies["S001"] = "EUR"
    (profile,) = client.fetch_profile("S001").rows
    assert (profile.market_cap, profile.sector) == (None, "Communication Services")


def test_an_unknown_symbol_has_no_profile(client):
    assert client.fetch_profile("NOSUCH").rows == []


def test_a_description_of_any_length_is_cut_to_its_column(client, market):
    reply = market(f"{SUMMARY}/S001", {"modules": "assetProfile,quoteType"})
    reply.body["quoteSummary"]["result"][0]["assetProfile"]["longBusinessSummary"] = "x" * 5000
    market.replies[SUMMARY, "S001"] = reply
    (profile,) = client.fetch_profile("S001").rows
    assert len(profile.description) == 1000


def test_the_weights_of_a_fund_are_those_of_the_eleven_sectors_in_percent(client):
    rows = client.fetch_sector_weights("SPY").rows
    assert {gics.to_gics_sector(row.sector) for row in rows} == set(gics.SECTORS)
    assert sum(row.weight for row in rows) == pytest.approx(100)


@pytest.mark.parametrize(("weight", "percent"), [(1, 100), (0, 0), (None, None), (True, None)])
def test_a_weight_is_a_fraction_and_what_is_none_is_rejected(client, market, weight, percent):
    reply = market(
        f"{SUMMARY}/XLK", {"modules": "quoteType,summaryProfile,topHoldings,fundProfile"}
    )
    reply.body["quoteSummary"]["result"][0]["topHoldings"]["sectorWeightings"] = [
        {"technology": weight}
    ]
    market.replies[SUMMARY, "XLK"] = reply
    found = client.fetch_sector_weights("XLK")
    assert [row.weight for row in found.rows] == ([] if percent is None else [percent])
    assert len(found.rejected) == (percent is None)


def test_a_rate_limit_is_retried_when_yahoo_says(client, market, server, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(request_policy, "sleep", waited.append)
    limited = [Reply("Too Many Requests", 429, "text/html", (("Retry-After", "7"),))]
    server.answers = lambda path, query: limited.pop() if limited else market(path, query)
    assert len(client.fetch_prices("A", FIRST, LAST).rows)
    assert waited == [7.0]


def test_a_rate_limit_that_stays_ends_all_requests(client, market, server):
    market.replies[CHART, ""] = Reply("Too Many Requests", 429, "text/html")
    for symbol in "ABC":
        with pytest.raises(RateLimitError, match="RISKMETRICS_YAHOO_CALLS_PER_MINUTE"):
            client.fetch_prices(symbol, FIRST, LAST)
    assert server.count()["/v8/finance/chart/A"] == 2  # again after the cooldown
    assert server.count()["/v8/finance/chart/B"] == 0


def test_a_rate_limit_of_the_crumb_leaves_prices_and_is_named_for_profiles(
    client, server, monkeypatch
):
    """Prices need no crumb; without one, Yahoo answers 401 to a request of a profile."""
    monkeypatch.setattr(
        "tests.yahoo_server.CRUMB_REPLY", Reply("Too Many Requests", 429, "text/plain")
    )
    YfData()._crumb = None  # of earlier tests
    assert len(client.fetch_prices("A", FIRST, LAST).rows)
    with pytest.raises(RateLimitError, match="rate limit reached"):
        client.fetch_profile("S001")


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (Reply("down", 503, "text/html"), VendorUnavailableError, "status 503 for A"),
        (Reply("no", 403, "text/html"), InvalidResponseError, "cannot read"),
        (Reply("<html>", 200, "text/html"), InvalidResponseError, "cannot read"),
        (Reply(fault="reset"), VendorUnavailableError, "cannot be reached"),
        (Reply({"chart": {}}, fault="cut"), VendorUnavailableError, "cannot be reached"),
    ],
    ids=["503", "403", "page", "reset", "cut"],
)
def test_a_fault_is_named_and_says_what_to_do(client, market, reply, error, text):
    market.replies[CHART, "A"] = reply
    with pytest.raises(error, match=text):
        client.fetch_prices("A", FIRST, LAST)


def test_a_server_that_answers_slowly_ends_at_the_time_limit(open_client, market):
    market.replies[CHART, "A"] = Reply(fault="silence")
    with (
        open_client(limits=CallLimits(call_seconds=0.3)) as client,
        pytest.raises((TimeLimitError, VendorUnavailableError), match="Yahoo"),
    ):
        client.fetch_prices("A", FIRST, LAST)


@pytest.mark.parametrize(("room", "is_taken"), [(0, True), (-1, False)])
def test_an_answer_over_the_limit_is_refused(open_client, market, room, is_taken):
    """Both sides of the limit, which counts bytes."""
    size = len(market(f"{CHART}/A", {"period1": "0", "period2": str(2**40)}).content)
    market.replies[CHART, "A"] = market(f"{CHART}/A", {"period1": "0", "period2": str(2**40)})
    with open_client(limits=CallLimits(max_answer_bytes=size + room)) as client:
        if is_taken:
            assert len(client.fetch_prices("A", FIRST, LAST).rows)
        else:
            with pytest.raises(InvalidResponseError, match="RISKMETRICS_MAX_ANSWER_MB"):
                client.fetch_prices("A", FIRST, LAST)


def test_no_server_is_named_with_its_setting(open_client):
    with (
        open_client("http://127.0.0.1:9") as client,
        pytest.raises(VendorUnavailableError, match="RISKMETRICS_YAHOO_URL"),
    ):
        client.fetch_prices("A", FIRST, LAST)


def test_every_request_is_admitted_and_a_refusal_sends_nothing(open_client, server):
    """The cookie and the crumb count too."""
    admitted: list[int] = []

    def admit() -> None:
        admitted.append(1)

    def refuse() -> None:
        raise RateLimitError("used up")

    with open_client(rate_limiter=admit) as client:
        client.fetch_profile("S001")
    assert len(admitted) == server.received > len(server.calls)
    before = server.received
    with open_client(rate_limiter=refuse) as client, pytest.raises(RateLimitError, match="used up"):
        client.fetch_prices("A", FIRST, LAST)
    assert server.received == before
