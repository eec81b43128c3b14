"""Tiingo's raw prices against a local server: adjusted for splits, refused where they cannot be."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np
import pytest
from urllib3.util.retry import Retry

from riskmetrics.errors import (
    AuthenticationError,
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    VendorUnavailableError,
)
from riskmetrics.sources.request_policy import Timeouts
from riskmetrics.sources.tiingo import TiingoClient
from riskmetrics.sources.vendor_http import VendorHttpClient
from tests.fmp_server import KEY, FmpServer, Reply
from tests.tiingo_server import HOURLY, MONTHLY, TiingoMarket, serve_tiingo

FIRST, LAST, SPLIT, EX = date(2024, 9, 3), date(2024, 12, 6), date(2024, 10, 1), date(2024, 11, 4)
FAST = Retry(total=1, allowed_methods=["GET"])


@pytest.fixture
def market() -> TiingoMarket:
    """What Tiingo tells."""
    return TiingoMarket(LAST)


@pytest.fixture
def server(market: TiingoMarket) -> Iterator[FmpServer]:
    """Yield a local server."""
    with serve_tiingo(market) as running:
        yield running


@pytest.fixture
def open_client(server: FmpServer) -> Callable[..., object]:
    """Return an opener of a client that retries once and at once."""

    @contextmanager
    def open_client(key: str = KEY) -> Iterator[TiingoClient]:
        with VendorHttpClient(
            server.url,
            key,
            lambda: None,
            setting_prefix="RISKMETRICS_TIINGO",
            key_scheme="Token",
            retries=FAST,
            timeouts=Timeouts(30.0, 30.0, 30.0),
            cooldown=0.01,
        ) as http:
            yield TiingoClient(http)

    return open_client


@pytest.fixture
def client(open_client: Callable[..., object]) -> Iterator[TiingoClient]:
    """Yield a client for one test."""
    with open_client() as client:
        yield client


def test_a_raw_close_becomes_split_adjusted_and_the_adjusted_close_stays(client, market):
    """The market computes both closes itself; two splits and a dividend are in the range."""
    market.splits["A", SPLIT], market.splits["A", EX] = 4.0, 0.5
    market.dividends["A", date(2024, 11, 8)] = 1.5
    parsed = client.fetch_prices("A", FIRST, LAST)
    expected = {day: prices for day, prices in market.closes("A").items() if day >= FIRST}
    assert market.rows("A")[-90]["close"] == pytest.approx(
        2 * market.closes("A")[date.fromisoformat(market.rows("A")[-90]["date"][:10])][0]
    )  # what the server sends is raw
    assert parsed.rejected == []
    assert parsed.rows["date"].to_list() == list(expected)
    np.testing.assert_allclose(
        parsed.rows[["close", "adj_close"]], list(expected.values()), rtol=1e-12
    )
    assert parsed.rows["volume"].to_list()[0] == 2000
    assert parsed.rows["has_adj_close"].all()


def test_a_split_after_the_last_requested_day_changes_the_closes_before(client, market):
    market.splits["A", LAST] = 4.0
    last = date(2024, 12, 5)
    parsed = client.fetch_prices("A", FIRST, last)
    assert parsed.rows["date"].max() == last
    assert parsed.rows["close"].to_list()[-1] == pytest.approx(market.closes("A")[last][0])


def test_a_day_that_is_sent_twice_is_split_once(client, market, server):
    market.splits["A", SPLIT] = 4.0
    rows = market.rows("A")
    repeated = next(row for row in rows if row["date"].startswith(SPLIT.isoformat()))
    server.answers = lambda *_: Reply([*rows[-90:], repeated])
    parsed = client.fetch_prices("A", FIRST, LAST)
    assert [row.reason for row in parsed.rejected] == [
        "duplicate row for A on 2024-10-01; the first is kept"
    ]
    np.testing.assert_allclose(
        parsed.rows["close"], [market.closes("A")[day][0] for day in parsed.rows["date"]]
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"splitFactor": None}, "splitFactor: Input should be a valid number"),
        ({"splitFactor": 0.0}, "splitFactor: Input should be greater than 0"),
        ({"divCash": -0.1}, "divCash: Input should be greater than or equal to 0"),
        ({"adjClose": "12"}, "adjClose: Input should be a valid number"),
        ({"date": "12/6/2024"}, "date: String should match pattern"),
    ],
)
def test_a_row_that_cannot_be_read_takes_all_with_it(client, market, server, changed, reason):
    """A split that is not seen would leave every earlier close raw."""
    rows = market.rows("A")[-5:]
    server.answers = lambda *_: Reply([*rows[:3], rows[3] | changed, rows[4]])
    parsed = client.fetch_prices("A", FIRST, LAST)
    assert parsed.rows.empty
    (row,) = parsed.rejected
    assert row.reason.startswith(reason)


def test_a_column_that_is_gone_is_a_reason_on_every_row(client, market, server):
    rows = market.rows("A")[-3:]
    for row in rows:
        del row["splitFactor"]
    server.answers = lambda *_: Reply(rows)
    parsed = client.fetch_prices("A", FIRST, LAST)
    assert [row.reason for row in parsed.rejected] == ["splitFactor: Field required"] * 3


@pytest.mark.parametrize("symbol", ["NOSUCH", "GONE", "600519"])
def test_a_symbol_without_prices_has_no_rows(client, market, server, symbol):
    """Unknown, ended before the range, or quoted in yuan, which is not requested at all."""
    market.delisted_on["GONE"] = date(2024, 1, 5)
    parsed = client.fetch_prices(symbol, FIRST, LAST)
    assert (parsed.rows.empty, parsed.rejected) == (True, [])
    assert len(server.calls) == (symbol != "600519")


def test_symbols_are_asked_for_as_tiingo_spells_them(client, server):
    for symbol in ("BRK-B", "BAC-PL"):
        client.fetch_prices(symbol, FIRST, LAST)
    assert [path.split("/")[3] for path, _ in server.calls] == ["BRK-B", "BAC-P-L"]


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (Reply(HOURLY, 200), RateLimitError, "50 calls per hour"),
        (Reply(HOURLY, 429), RateLimitError, "50 calls per hour"),
        (Reply(MONTHLY, 200), RateLimitError, "500 per month"),
        (Reply(HOURLY["detail"], 200, "text/plain"), RateLimitError, "50 calls per hour"),
        (Reply(MONTHLY["detail"][7:], 200, "text/plain"), RateLimitError, "500 per month"),
        (Reply("<html>busy</html>", 200, "text/html"), InvalidResponseError, "not JSON"),
        (Reply({"detail": "no"}, 403), EntitlementError, "plan does not include A"),
        (Reply({"detail": "Invalid token."}, 200), AuthenticationError, "TIINGO_API_KEY"),
        (Reply("down", 502), VendorUnavailableError, "status 502 for A"),
        (Reply("moved", 301), InvalidResponseError, "RISKMETRICS_TIINGO_URL"),
        (Reply('[{"date"', 200), InvalidResponseError, "truncated or not JSON"),
        (Reply({"detail": "hm"}, 200), InvalidResponseError, "is not a list: 'hm'"),
        (Reply(fault="cut", body=[1] * 99), VendorUnavailableError, "closed the connection"),
    ],
)
def test_a_refusal_is_named_and_says_what_to_do(client, market, reply, error, text):
    market.replies["", "A"] = reply
    with pytest.raises(error, match=text):
        client.fetch_prices("A", FIRST, LAST)


def test_a_wrong_key_is_named_and_appears_nowhere(open_client, caplog):
    wrong = "wrong-0123456789"
    with (
        caplog.at_level(logging.DEBUG),
        open_client(wrong) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.fetch_prices("A", FIRST, LAST)
    assert "RISKMETRICS_TIINGO_API_KEY" in str(caught.value)
    assert wrong not in caplog.text + str(caught.value)


def test_netrc_does_not_replace_the_key(client, tmp_path, monkeypatch):
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login someone password else\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    assert len(client.fetch_prices("A", FIRST, LAST).rows)
