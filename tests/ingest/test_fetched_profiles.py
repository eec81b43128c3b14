"""Profiles once a week, and sector weights of the benchmark made of them."""

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import gics, trading_calendar
from riskmetrics.db import input_queries, input_writes, tables
from riskmetrics.errors import (
    AuthenticationError,
    EntitlementError,
    InvalidResponseError,
    VendorUnavailableError,
)
from riskmetrics.ingest import benchmark, profiles
from riskmetrics.ingest.vendor_client import NO_SOURCE_WARNING, RefreshResult
from riskmetrics.results.benchmark_weights import capitalization_weights, normalize_weights
from tests.fmp_server import BAD_KEY, NO_ENDPOINT, Reply

CONSTITUENTS, WEIGHTINGS = "sp500-constituent", "etf/sector-weightings"
CLOSED = Reply(NO_ENDPOINT, 402, "text/plain")


def profile(engine: sa.Engine, symbol: str) -> dict[str, object]:
    """The stored profile of a symbol."""
    table = tables.company_profiles
    with engine.connect() as connection:
        return dict(
            connection.execute(sa.select(table).where(table.c.symbol == symbol)).mappings().one()
        )


def weights(engine: sa.Engine) -> pd.DataFrame:
    """The latest stored weights of the benchmark."""
    with engine.connect() as connection:
        return input_queries.read_latest_benchmark(connection, "SP500")


def import_energy_alone(engine: sa.Engine) -> None:
    """Store weights of the benchmark that are older than the vendor's would be."""
    old = pd.DataFrame(
        {
            "date": [
                trading_calendar.previous_session(trading_calendar.last_completed_session(), 20)
            ],
            "sector": ["Energy"],
            "weight": [1.0],
        }
    )
    with engine.begin() as connection:
        input_writes.store_benchmark_weights(connection, old, "SP500", "file")


def test_a_profile_is_asked_once_a_week(feed, vendor, engine, tomorrow):
    assert profiles.refresh(feed, ["S001", "SPY"]) == RefreshResult(api_calls=2)
    assert profiles.refresh(feed, ["S001", "SPY", "S002"]) == RefreshResult(api_calls=1)
    found = profile(engine, "S001")
    assert (found["sector"], found["market_cap"], found["is_etf"], found["data_source"]) == (
        "Communication Services",
        2e9,
        False,
        "FMP",
    )
    assert found["last_updated"].tzinfo is not None
    assert (profile(engine, "SPY")["sector"], profile(engine, "SPY")["is_etf"]) == (None, True)
    tomorrow()
    assert profiles.refresh(feed, ["S001"]) == RefreshResult(api_calls=1)
    assert vendor.count() == {"profile": 4}


def test_what_a_profile_lacks_stays_as_it_is_stored(feed, market, engine, tomorrow):
    profiles.refresh(feed, ["S001"])
    market.replies["profile", "S001"] = Reply(
        [
            {
                "symbol": "S001",
                "companyName": "New name",
                "sector": "",
                "beta": None,
                "marketCap": None,
            }
        ]
    )
    tomorrow()
    profiles.refresh(feed, ["S001"])
    found = profile(engine, "S001")
    assert (found["company_name"], found["sector"], found["market_cap"]) == (
        "New name",
        "Communication Services",
        2e9,
    )
    assert float(found["beta"]) == 1.1


def test_isin_and_cusip_of_a_profile_name_its_symbol(feed, market, engine):
    known = {"isin": "US0378331005", "cusip": "037833100"}
    market.replies["profile", "S001"] = Reply([{**market._profile("S001", {})[0], **known}])
    wrong = {"isin": "US5949181046", "cusip": ""}
    market.replies["profile", "S002"] = Reply([{**market._profile("S002", {})[0], **wrong}])
    assert profiles.refresh(feed, ["S001", "S002"]).errors == {}
    table = tables.security_identifiers
    query = sa.select(table.c.identifier, table.c.symbol, table.c.data_source)
    with engine.connect() as connection:
        assert connection.execute(query).all() == [("037833100", "S001", "FMP")]
    assert profile(engine, "S002")["company_name"] == "S002 Inc."


def test_a_beta_that_its_column_does_not_hold_takes_no_other_profile_with_it(feed, market, engine):
    market.replies["profile", "S002"] = Reply(
        [{**market._profile("S002", {})[0], "beta": 9999.99999}]
    )
    assert profiles.refresh(feed, ["S001", "S002"]).errors == {}
    assert profile(engine, "S001")["company_name"] == "S001 Inc."
    with engine.connect() as connection:
        assert connection.scalar(sa.select(tables.rejected_rows.c.reason)).startswith(
            "beta: Input should be less than"
        )


def test_an_unknown_profile_is_a_note_and_a_failure_a_problem_and_neither_touches_the_others(
    feed, market, engine
):
    market.replies["profile", "S002"] = Reply('[{"symbol":')
    market.replies["profile", "S003"] = Reply([{"symbol": "S003", "marketCap": "much"}])
    found = profiles.refresh(feed, ["S001", "NOSUCH", "S002", "S003"])
    assert found.warnings == ("FMP has no profile of NOSUCH, S003; using imported profiles",)
    assert {symbol: type(error) for symbol, error in found.errors.items()} == {
        "S002": InvalidResponseError
    }
    assert profile(engine, "S001")["company_name"] == "S001 Inc."
    with engine.connect() as connection:
        (reason,) = connection.scalars(sa.select(tables.rejected_rows.c.reason)).all()
    assert reason.startswith("marketCap: Input should be a valid number")
    assert profiles.refresh(feed, ["NOSUCH"]) == RefreshResult()


def test_sector_weights_are_those_of_the_stocks_capitalisations(feed, vendor, market, engine):
    """By hand: stock n has n + 1 billion; each of the last two pairs is one company, larger cap."""
    assert benchmark.refresh([feed]) == RefreshResult(api_calls=1)
    expected: dict[str, float] = {}
    for number in range(40):
        if number not in (36, 38):
            name = gics.to_gics_sector(market._profile(f"S{number:03}", {})[0]["sector"])
            expected[name] = expected.get(name, 0.0) + 1e9 * (number + 1)
    found = weights(engine)
    assert dict(zip(found["sector"], found["market_cap"], strict=True)) == expected
    assert found["weight"].sum() == pytest.approx(1, abs=1e-5)
    assert found["weight"][0] == pytest.approx(
        max(expected.values()) / sum(expected.values()), abs=1e-6
    )
    assert found["num_constituents"].sum() == 40
    assert set(found["asof_date"].dt.date) == {trading_calendar.last_completed_session()}
    assert vendor.count() == {CONSTITUENTS: 1, "profile": 40}


def test_a_capitalisation_beyond_any_company_s_is_not_known(feed, market, engine):
    """One of forty may be unknown; with more of them the fund stands in."""
    market.replies["profile", "S010"] = Reply(
        [{**market._profile("S010", {})[0], "marketCap": 9e15}]
    )
    assert benchmark.refresh([feed]) == RefreshResult(api_calls=1)
    assert weights(engine)["num_constituents"].sum() == 39


def test_the_cause_of_missing_capitalizations_is_named(feed, market):
    for number in range(3):
        market.replies["profile", f"S{number:03}"] = Reply('[{"symbol":')
    (warning,) = benchmark.refresh([feed]).warnings
    assert "37 of 40 stocks of the S&P 500 have a market capitalization and a sector" in warning
    assert "3 profiles were not fetched: FMP" in warning


def test_weights_are_asked_for_once_a_week_and_anew_with_the_profiles_that_are_there(
    feed, vendor, engine
):
    benchmark.refresh([feed])
    assert benchmark.refresh([feed]) == RefreshResult()
    assert benchmark.refresh([feed], force=True) == RefreshResult(api_calls=1)
    assert vendor.count() == {CONSTITUENTS: 2, "profile": 40}
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE benchmarks_sector_weights SET asof_date = asof_date - 8")
        )
    benchmark.refresh([feed])
    with engine.connect() as connection:
        assert (
            len(
                input_queries.read_benchmark_weights(
                    connection, "SP500", trading_calendar.last_completed_session()
                )
            )
            == 2
        )


@pytest.mark.parametrize("small", ["plan", "day", "profiles"])
@pytest.mark.usefixtures("no_day_ends")
def test_a_small_plan_takes_the_weights_of_a_fund(market, open_vendor, vendor, engine, small):
    if small == "plan":
        market.replies[CONSTITUENTS, ""] = CLOSED
    elif small == "profiles":
        market.unknown |= {"S030", "S031", "S032"}
    with open_vendor(**({"RISKMETRICS_FMP_CALLS_PER_DAY": 20} if small == "day" else {})) as feed:
        found = benchmark.refresh([feed])
    assert found.errors == {}
    assert {
        "plan": "does not include sp500-constituent",
        "day": "19 calls are left",
        "profiles": "37 of 40 stocks",
    }[small] in found.warnings[0]
    rows = weights(engine)
    assert rows["weight"].to_list() == pytest.approx([1 / 11] * 11, abs=1e-6)
    assert rows["market_cap"].isna().all()
    assert vendor.count()[WEIGHTINGS] == 1


def test_a_plan_without_either_is_told_so_once_and_leaves_what_was_imported(market, feed, engine):
    import_energy_alone(engine)
    market.replies = {(CONSTITUENTS, ""): CLOSED, (WEIGHTINGS, ""): CLOSED}
    found = benchmark.refresh([feed])
    assert (found.errors, len(found.warnings)) == ({}, 3)
    assert "riskmetrics import benchmark FILE" in found.warnings[2]
    assert benchmark.refresh([feed]) == RefreshResult()
    with pytest.raises(EntitlementError):
        benchmark.refresh([feed], force=True)
    assert weights(engine)["sector"].to_list() == ["Energy"]


def test_a_vendor_that_is_down_leaves_the_benchmark_and_is_a_problem(feed, vendor, engine):
    import_energy_alone(engine)
    vendor.answers = lambda *_: Reply("<html>", 502)
    found = benchmark.refresh([feed])
    assert isinstance(found.errors["SP500"], VendorUnavailableError)
    assert weights(engine)["sector"].to_list() == ["Energy"]
    with pytest.raises(VendorUnavailableError):
        benchmark.refresh([feed], force=True)


def test_a_refused_key_is_no_small_plan(feed, vendor):
    vendor.answers = lambda *_: Reply(BAD_KEY, 401)
    with pytest.raises(AuthenticationError):
        benchmark.refresh([feed])


def test_weights_of_fewer_stocks_or_sectors_do_not_replace_better_ones(feed, market, engine):
    benchmark.refresh([feed])
    before = weights(engine)
    market.replies[CONSTITUENTS, ""] = Reply(market._sp500_constituent()[:31])
    with pytest.raises(
        InvalidResponseError,
        match=r"31 stocks in 11 sectors, .* cover 40 in 11; the stored weights are kept",
    ):
        benchmark.refresh([feed], force=True)
    market.replies[WEIGHTINGS, ""] = Reply([{"sector": "Energy", "weightPercentage": 99.0}])
    with pytest.raises(InvalidResponseError):
        benchmark.refresh([feed], force=True)
    pd.testing.assert_frame_equal(weights(engine), before)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"sector": "Energy", "weightPercentage": 50.0}],
        [{"sector": "Crypto", "weightPercentage": 99.0}],
    ],
)
def test_weightings_that_are_no_whole_are_refused(feed, market, engine, rows):
    market.replies = {(CONSTITUENTS, ""): CLOSED, (WEIGHTINGS, ""): Reply(rows)}
    assert isinstance(benchmark.refresh([feed]).errors["SP500"], EntitlementError)
    assert weights(engine).empty


def test_without_a_key_nothing_is_asked():
    assert (
        profiles.refresh(None, ["A"])
        == benchmark.refresh([], force=True)
        == RefreshResult(warnings=(NO_SOURCE_WARNING,))
    )


def test_capitalisations_of_a_hand_calculation():
    """Two classes of one company count once; the sector of a third stock has a quarter."""
    sectors = pd.Series(["Communication Services", "Communication Services", "Energy"])
    found = capitalization_weights(
        sectors, pd.Series([300.0, 299.0, 100.0]), pd.Series(["google", "google", "oil"])
    )
    assert found.to_dict("records") == [
        {
            "sector": "Communication Services",
            "weight": 0.75,
            "market_cap": 300.0,
            "num_constituents": 2,
        },
        {"sector": "Energy", "weight": 0.25, "market_cap": 100.0, "num_constituents": 1},
    ]


def test_weights_in_per_cent_are_scaled_to_one():
    found = normalize_weights(
        pd.Series([60.0, 20.0, 10.0], index=["Energy", "Utilities", "Energy"])
    )
    assert dict(zip(found["sector"], found["weight"], strict=True)) == pytest.approx(
        {"Energy": 7 / 9, "Utilities": 2 / 9}
    )
