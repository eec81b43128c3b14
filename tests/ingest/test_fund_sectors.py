"""Sector weights of held funds: once a week, one call each, without harm where there are none."""

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries, input_writes
from riskmetrics.errors import VendorUnavailableError
from riskmetrics.ingest import fund_sectors
from riskmetrics.ingest.vendor_client import RefreshResult
from tests.fmp_server import NO_ENDPOINT, Reply

WEIGHTINGS = "etf/sector-weightings"


def stored_funds(engine: sa.Engine) -> dict[str, pd.DataFrame]:
    with engine.connect() as connection:
        return input_queries.read_fund_weights(
            connection, ["XLE", "MTUM", "TLT"], trading_calendar.last_completed_session()
        )


def test_the_weights_of_a_fund_are_asked_once_a_week_and_sum_to_one(feed, vendor, engine):
    assert fund_sectors.refresh([feed], ["XLE", "MTUM"]) == RefreshResult(api_calls=2)
    found = stored_funds(engine)
    assert list(found) == ["MTUM", "XLE"]
    assert found["XLE"].iloc[0].to_list() == pytest.approx([1 / 11] * 11)
    assert found["XLE"].index.tolist() == [pd.Timestamp(trading_calendar.last_completed_session())]
    assert fund_sectors.refresh([feed], ["XLE", "MTUM"]) == RefreshResult()
    assert vendor.count() == {WEIGHTINGS: 2}


def test_a_bond_fund_has_no_weights_and_is_asked_again_after_a_week(feed, market, vendor, engine):
    market.replies[WEIGHTINGS, "TLT"] = Reply([])
    assert fund_sectors.refresh([feed], ["TLT", "XLE"]) == RefreshResult(api_calls=2)
    assert list(stored_funds(engine)) == ["XLE"]
    assert fund_sectors.refresh([feed], ["TLT", "XLE"]) == RefreshResult()


def test_a_plan_without_weights_is_asked_once(feed, market, engine):
    closed = Reply(NO_ENDPOINT, 402, "text/plain")
    market.replies |= {(WEIGHTINGS, name): closed for name in ("XLE", "MTUM")}
    found = fund_sectors.refresh([feed], ["XLE", "MTUM"])
    assert (found.api_calls, found.errors, len(found.warnings)) == (1, {}, 1)
    assert stored_funds(engine) == {}


def test_a_vendor_that_is_down_is_an_error_of_the_fund(feed, vendor, engine):
    vendor.answers = lambda *_: Reply("<html>", 502)
    found = fund_sectors.refresh([feed], ["XLE"])
    assert isinstance(found.errors["XLE"], VendorUnavailableError)
    assert stored_funds(engine) == {}


def test_held_funds_are_those_that_their_profiles_say_without_trackers_of_the_benchmark(engine):
    profiles = pd.DataFrame(
        {
            "symbol": ["SPY", "XLE", "VTSAX", "AAPL"],
            "is_etf": [True, True, False, False],
            "is_fund": [False, False, True, False],
        }
    )
    with engine.begin() as connection:
        input_writes.store_profiles(connection, profiles, "test")
        held = ["SPY", "XLE", "AAPL", "NONE", "VTSAX"]
        found = fund_sectors.read_held_funds(connection, held, "SP500")
        assert sorted(found) == ["VTSAX", "XLE"]
        assert "SPY" in fund_sectors.read_held_funds(connection, held, "WORLD")
