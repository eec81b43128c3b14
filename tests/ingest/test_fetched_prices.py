"""Stored price histories after vendor requests: first fetch, updates, restatements, errors."""

import _thread
from datetime import UTC, date, datetime
from itertools import count
from threading import Barrier
from time import monotonic, sleep

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_writes, outdated_results, stored_prices, tables, used_closes
from riskmetrics.errors import (
    AuthenticationError,
    DataQualityError,
    EntitlementError,
    InvalidResponseError,
    RateLimitError,
    UnknownSymbolError,
    VendorUnavailableError,
)
from riskmetrics.ingest import late_closes, prices
from riskmetrics.ingest.prices import refresh, require_price_coverage
from riskmetrics.ingest.vendor_client import NO_SOURCE_WARNING, RefreshResult
from riskmetrics.results import (
    betas,
    portfolio_volatility_results,
    pro_forma,
    tail_risk_results,
    volatility_results,
)
from riskmetrics.sources.vendor_http import CONCURRENCY
from tests.fmp_market import LAST, Market
from tests.fmp_server import BAD_KEY, LIMIT, NO_ENDPOINT, Reply
from tests.forked_commands import PATIENCE
from tests.stopped_clocks import stopped_clock

FULL, ADJUSTED = "historical-price-eod/full", "historical-price-eod/dividend-adjusted"
MONDAY, TUESDAY = date(2024, 12, 9), date(2024, 12, 10)
RESULT = dict.fromkeys(
    [
        *("total_value", "cash_value", "long_value", "short_value", "gross_exposure"),
        *("net_exposure", "num_positions", "num_long_positions", "num_short_positions"),
    ],
    1,
)
"""Values of a portfolio on a session."""


def stored(engine: sa.Engine, symbol: str = "A") -> dict[date, tuple[float, float]]:
    """Close and adjusted close of each stored day."""
    with engine.connect() as connection:
        rows = stored_prices.read_price_history(connection, symbol)
    return {
        day: (close, adjusted)
        for day, close, adjusted in zip(rows["date"], rows["close"], rows["adj_close"], strict=True)
    }


def prices_stored(engine: sa.Engine) -> int:
    """How many prices are stored."""
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(tables.market_data_cache))


def test_the_first_question_brings_five_years_in_two_calls(feed, vendor, market, engine):
    assert refresh(feed, {"A": None}, [LAST]) == RefreshResult(api_calls=1)
    vendor_closes = {
        day: closes
        for day, closes in market.closes("A").items()
        if day >= trading_calendar.previous_session(LAST, prices.HISTORY_SESSIONS)
    }
    assert stored(engine) == vendor_closes
    assert vendor.count() == {FULL: 1, ADJUSTED: 1}


def test_what_is_stored_and_what_was_just_answered_is_not_asked_again(feed, vendor, tomorrow):
    refresh(feed, {"A": None}, [LAST])
    assert refresh(feed, {"A": None}, [LAST]) == RefreshResult()
    assert refresh(feed, {"A": None}, [MONDAY]) == RefreshResult()  # answered a moment ago
    tomorrow()
    assert refresh(feed, {"A": None}, [LAST]) == RefreshResult()
    assert vendor.count().total() == 2


def test_an_increment_asks_for_ten_sessions_more_than_is_new(
    feed, vendor, market, engine, tomorrow
):
    refresh(feed, {"A": None}, [LAST])
    tomorrow()
    market.through = TUESDAY
    assert refresh(feed, {"A": None}, [TUESDAY]) == RefreshResult(api_calls=1)
    assert {query["from"] for _, query in vendor.calls[2:]} == {
        trading_calendar.previous_session(LAST, 10).isoformat()
    }
    assert vendor.count().total() == 4
    assert max(stored(engine)) == TUESDAY
    assert stored(engine)[TUESDAY] == market.closes("A")[TUESDAY]


def test_a_last_close_that_was_provisional_is_corrected_without_fetching_all_anew(
    feed, vendor, market, engine, tomorrow
):
    refresh(feed, {"A": None}, [LAST])
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE market_data_cache SET close = 1, adj_close = 1 WHERE date = '2024-12-06'"
            )
        )
    tomorrow()
    market.through = MONDAY
    refresh(feed, {"A": None}, [MONDAY])
    assert vendor.count().total() == 4
    assert stored(engine)[LAST] == market.closes("A")[LAST]


@pytest.mark.parametrize("event", ["split", "dividend", "both", "reverse split"])
def test_a_restated_history_is_fetched_anew_and_has_no_false_move(
    feed, vendor, market, engine, tomorrow, event
):
    """Oracle: what the vendor tells of the whole history on the later day."""
    refresh(feed, {"A": None, "B": None}, [LAST])
    tomorrow()
    market.through = TUESDAY
    if event in ("split", "both", "reverse split"):
        market.splits["A", TUESDAY] = 0.1 if event == "reverse split" else 4
    if event in ("dividend", "both"):
        market.dividends["A", MONDAY] = 0.5
    found = refresh(feed, {"A": None, "B": None}, [TUESDAY])
    assert found.errors == {}
    split = {"split": "4:1", "both": "4:1", "reverse split": "1:10"}.get(event)
    assert found.warnings == (
        "prices of A were restated (split or dividend); fetching the full history",
        *[
            f"earlier closes of A are restated as after a split of {split}: if a quantity is from"
            " before it, import the holdings again"
        ][: split is not None],
    )
    assert vendor.count().total() == 4 + 4 + 2
    vendor_closes = market.closes("A")
    assert {day: vendor_closes[day] for day in stored(engine)} == stored(engine)
    adjusted = np.array([prices[1] for prices in stored(engine).values()])
    assert np.abs(np.diff(adjusted) / adjusted[:-1]).max() < 0.06


def test_a_plan_of_few_years_does_not_take_away_the_years_before(feed, market, engine, tomorrow):
    """Returns of older rows are unchanged and levels continue, compared with a full history."""
    refresh(feed, {"A": None}, [LAST])
    before = stored(engine)
    tomorrow()
    market.through, market.splits["A", TUESDAY], market.dividends["A", MONDAY] = TUESDAY, 4, 0.5
    market.first = date(2022, 1, 3)
    refresh(feed, {"A": None}, [TUESDAY])
    market.first = min(before)
    vendor_closes, found = market.closes("A"), stored(engine)
    assert found.keys() == before.keys() | {MONDAY, TUESDAY}
    for day, (close, adjusted) in found.items():
        assert close == pytest.approx(vendor_closes[day][0], abs=0.01)
        assert adjusted == pytest.approx(vendor_closes[day][1], abs=0.01)
    with engine.connect() as connection:
        volumes = stored_prices.read_price_history(connection, "A").set_index("date")["volume"]
    assert volumes[date(2020, 1, 2)] == pytest.approx(4000, rel=0.01)


def test_a_plan_that_refuses_old_days_is_asked_for_five_years(
    feed, vendor, market, engine, tomorrow, monkeypatch
):
    """On 2026-10-30: earlier prices have the ratio of the oldest day in the plan, as rounded."""
    present = stopped_clock(datetime(2026, 10, 30, 22, tzinfo=UTC))
    for module in ("trading_calendar", "ingest.prices", "db.vendor"):
        monkeypatch.setattr(f"riskmetrics.{module}.datetime", present)
    refresh(feed, {"A": None}, [LAST])
    before = stored(engine)
    tomorrow()
    oldest = trading_calendar.previous_session(
        trading_calendar.last_completed_session(), prices.HISTORY_SESSIONS
    ).isoformat()
    market.through, market.dividends["A", MONDAY] = TUESDAY, 0.5
    vendor.answers = lambda path, query: (
        market(path, query)
        if query["from"] >= oldest
        else Reply("Premium Query Parameter: 'Special Parameters : the values for 'from'", 402)
    )
    assert refresh(feed, {"A": None}, [TUESDAY]).errors == {}
    vendor_closes, found = market.closes("A"), stored(engine)
    assert found.keys() == before.keys() | {MONDAY, TUESDAY}
    assert [found[day][1] for day in found] == pytest.approx(
        [vendor_closes[day][1] for day in found], abs=0.011
    )


def test_answers_about_another_share_do_not_replace_what_is_stored(feed, market, engine, tomorrow):
    """A ticker reused by another company: recent prices are not a multiple of the stored ones."""
    refresh(feed, {"A": None}, [LAST])
    before = stored(engine)
    tomorrow()
    other = Market(TUESDAY)
    other.first = date(2023, 1, 3)

    def renamed(endpoint: str) -> Reply:
        rows = other(
            "/stable/" + endpoint, {"symbol": "OTHER", "from": "2020-01-01", "to": "2024-12-31"}
        ).body
        return Reply([{**row, "symbol": "A"} for row in rows])

    market.replies = {(endpoint, "A"): renamed(endpoint) for endpoint in (FULL, ADJUSTED)}
    found = refresh(feed, {"A": None}, [TUESDAY])
    assert isinstance(found.errors["A"], InvalidResponseError)
    assert "the stored prices, which are kept" in str(found.errors["A"])
    assert stored(engine) == before


def test_a_symbol_answered_under_a_new_name_is_said_with_it(feed, market, engine, tomorrow):
    refresh(feed, {"A": None}, [LAST])
    before = stored(engine)
    tomorrow()
    market.through = TUESDAY
    for endpoint in (FULL, ADJUSTED):
        rows = market(
            "/stable/" + endpoint, {"symbol": "A", "from": "2024-11-01", "to": "2024-12-31"}
        ).body
        market.replies[endpoint, "A"] = Reply([{**row, "symbol": "NEW"} for row in rows])
    problem = refresh(feed, {"A": None}, [TUESDAY]).errors["A"]
    assert "symbol NEW instead of A; if A was renamed, change the symbol of the holding" in str(
        problem
    )
    assert stored(engine) == before


def test_a_split_that_is_applied_to_part_of_the_past_does_not_replace_what_is_stored(
    feed, market, engine, tomorrow
):
    """The vendor restates the last half year first, and the years before it a day later."""
    refresh(feed, {"A": None}, [LAST])
    before = stored(engine)
    tomorrow()
    whole, unsplit = Market(TUESDAY), Market(TUESDAY)
    whole.splits["A", TUESDAY] = 4
    asked = {"symbol": "A", "from": "2019-01-02", "to": "2024-12-31"}
    for endpoint in (FULL, ADJUSTED):
        late, early = (vendor("/stable/" + endpoint, asked).body for vendor in (whole, unsplit))
        rows = [row for row in late if row["date"] >= "2024-06-03"] + [
            row for row in early if row["date"] < "2024-06-03"
        ]
        market.replies[endpoint, "A"] = Reply(rows)
    problem = refresh(feed, {"A": None}, [TUESDAY]).errors["A"]
    assert "a new jump on 2024-06-03" in str(problem)
    assert stored(engine) == before
    market.replies, market.through, market.splits = {}, TUESDAY, whole.splits
    assert refresh(feed, {"A": None}, [TUESDAY]).errors == {}
    vendor_closes = whole.closes("A")
    assert {day: vendor_closes[day] for day in stored(engine)} == stored(engine)


def test_three_of_thirty_symbols_that_fail_leave_twenty_seven_and_say_why(feed, market, engine):
    symbols = dict.fromkeys(f"X{number}" for number in range(30))
    market.refuse("X3")
    market.unknown |= {"X7"}
    market.replies[ADJUSTED, "X9"] = Reply('[{"symbol": "X9", "da')
    found = refresh(feed, symbols, [LAST])
    assert {symbol: type(error) for symbol, error in found.errors.items()} == {
        "X3": EntitlementError,
        "X7": UnknownSymbolError,
        "X9": InvalidResponseError,
    }
    with engine.connect() as connection:
        assert set(
            stored_prices.read_price_coverage(connection, symbols)["symbol"]
        ) == symbols.keys() - {"X3", "X7", "X9"}
    require_price_coverage(found, symbols)
    require_price_coverage(found, list(symbols)[:15])  # four fifths
    with pytest.raises(DataQualityError, match="3 of 14 symbols have missing prices"):
        require_price_coverage(found, list(symbols)[:14])


def test_closes_that_results_depend_on_are_read_at_the_start_and_the_end_of_a_refresh(
    feed, engine, monkeypatch: pytest.MonkeyPatch
):
    read, calls = used_closes.read_used_closes, []
    monkeypatch.setattr(
        used_closes, "read_used_closes", lambda connection: calls.append(1) or read(connection)
    )
    monkeypatch.setattr(outdated_results, "read_used_closes", used_closes.read_used_closes)
    assert refresh(feed, dict.fromkeys("ABCDE"), [LAST]).errors == {}
    assert prices_stored(engine) > 0
    assert calls == [1, 1]


@pytest.mark.parametrize(("held", "is_outdated"), [("A", True), ("Z", False)])
def test_results_that_another_run_stores_during_a_refresh_are_outdated_if_they_use_its_closes(
    feed, engine, monkeypatch: pytest.MonkeyPatch, held: str, is_outdated: bool
):
    """The other run read its closes before the refresh stored them."""
    read = used_closes.read_used_closes

    def store_results_then(connection: sa.Connection) -> used_closes.UsedCloses | None:
        found = read(connection)
        monkeypatch.setattr(used_closes, "read_used_closes", read)
        store_result(engine, held, LAST)
        return found

    monkeypatch.setattr(used_closes, "read_used_closes", store_results_then)
    found = refresh(feed, {"A": None}, [LAST])
    warned = [text for text in found.warnings if "stored while their closes changed" in text]
    assert len(warned) == is_outdated
    with engine.connect() as connection:
        expected = (LAST, LAST) if is_outdated else None
        assert outdated_results.read_outdated(connection) == expected
    assert "stored while" not in " ".join(refresh(feed, {"A": None}, [LAST]).warnings)


def store_result(engine: sa.Engine, symbol: str, day: date) -> None:
    """Store a lot of a symbol, and values of its portfolio on a day."""
    with engine.begin() as connection:
        owner = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name="P", currency="USD")
            .returning(tables.portfolios.c.id)
        )
        lot = {"symbol": symbol, "position_type": "LONG", "quantity": 1, "entry_date": day}
        connection.execute(sa.insert(tables.positions), lot | {"portfolio_id": owner})
        row = RESULT | {"portfolio_id": owner, "snapshot_date": day}
        connection.execute(sa.insert(tables.portfolio_snapshots), row)


def test_an_update_that_corrects_a_used_close_says_which_results_are_outdated(
    feed, vendor, market, engine, tomorrow
):
    """The last close was 100 times too high in the answer of the night before."""
    first = trading_calendar.previous_session(LAST, prices.HISTORY_SESSIONS)
    bars = market("/stable/" + FULL, {"symbol": "A", "from": str(first), "to": str(LAST)}).body
    wrong = {**bars[0], **{name: 100 * bars[0][name] for name in ("open", "high", "low", "close")}}
    market.replies[FULL, "A"] = Reply([wrong, *bars[1:]])
    assert refresh(feed, {"A": None}, [LAST]).warnings == ()
    store_result(engine, "A", LAST)
    tomorrow()
    del market.replies[FULL, "A"]
    market.through = MONDAY
    (warning,) = refresh(feed, {"A": None}, [MONDAY]).warnings
    close = bars[0]["close"]
    assert warning == (
        f"1 stored close changed: A {LAST} {100 * close:,.2f} → {close:,.2f}. Results from {LAST}"
        f" on are outdated: recompute them with riskmetrics reprocess --all --from {LAST} --to"
        f" {LAST}"
    )
    assert len(vendor.calls) == 4  # an update, no history


@pytest.mark.parametrize(("ex_day", "is_late"), [(LAST, True), (MONDAY, False)])
def test_a_dividend_that_is_announced_late_outdates_results_since_its_ex_day(
    feed, market, engine, tomorrow, ex_day, is_late
):
    """A dividend of the new session changes no return between stored closes."""
    market.through = LAST
    refresh(feed, {"A": None}, [LAST])
    before = trading_calendar.previous_session(LAST, 1)
    store_result(engine, "A", before)
    with engine.begin() as connection:
        results = tables.portfolio_snapshots
        row = RESULT | {"snapshot_date": LAST}
        owner = connection.scalar(sa.select(results.c.portfolio_id))
        connection.execute(sa.insert(results), row | {"portfolio_id": owner})
    tomorrow()
    market.through, market.dividends["A", ex_day] = MONDAY, 0.5
    warnings = refresh(feed, {"A": None}, [MONDAY]).warnings
    late = [text for text in warnings if "announced late" in text]
    assert (
        late
        == [
            f"adj_close of A has another return on {LAST}, as by a dividend announced late. Results"
            f" from {LAST} on are outdated: recompute them with riskmetrics reprocess --all --from"
            f" {LAST} --to {LAST}"
        ][: int(is_late)]
    )
    with engine.connect() as connection:
        expected = (LAST, LAST) if is_late else None
        assert outdated_results.read_outdated(connection) == expected


def test_an_update_that_adds_a_close_to_a_computed_session_says_so(feed, market, engine, tomorrow):
    market.delisted_on = {"A": date(2024, 12, 5)}
    refresh(feed, {"A": None}, [LAST])
    store_result(engine, "A", LAST)
    tomorrow()
    market.delisted_on, market.through = {}, MONDAY
    (warning,) = refresh(feed, {"A": None}, [MONDAY]).warnings
    assert warning.startswith(f"1 close added to computed sessions: A {LAST} ")
    with engine.connect() as connection:
        assert outdated_results.read_outdated(connection) == (LAST, LAST)


def test_a_vendor_that_is_down_is_a_fault_of_the_network_and_is_asked_three_times(
    feed, vendor, engine
):
    vendor.answers = lambda *_: Reply(fault="reset")
    found = refresh(feed, dict.fromkeys("ABCDEFGH"), [LAST])
    assert len(vendor.calls) <= 2 * 6  # each with its retry; four side by side
    with pytest.raises(VendorUnavailableError, match="8 of 8 symbols have missing prices"):
        require_price_coverage(found, "ABCDEFGH")
    assert prices_stored(engine) == 0


def test_a_key_that_is_refused_ends_it_at_once(feed, vendor):
    vendor.answers = lambda *_: Reply(BAD_KEY, 401)
    with pytest.raises(AuthenticationError):
        refresh(feed, dict.fromkeys("ABCDEFGH"), [LAST])
    assert len(vendor.calls) <= 4


@pytest.mark.usefixtures("no_day_ends")
def test_a_used_up_quota_keeps_what_came_and_the_next_run_fetches_the_rest(open_vendor, engine):
    symbols = dict.fromkeys("ABCDEFGH")
    with open_vendor(RISKMETRICS_FMP_CALLS_PER_DAY=10) as feed:
        found = refresh(feed, symbols, [LAST])
    assert found.errors
    assert all(
        isinstance(error, RateLimitError) and "RISKMETRICS_FMP_CALLS_PER_DAY" in str(error)
        for error in found.errors.values()
    )
    with engine.connect() as connection:
        assert (
            set(stored_prices.read_price_coverage(connection, symbols)["symbol"])
            == symbols.keys() - found.errors.keys()
        )
    with open_vendor() as feed:
        assert refresh(feed, symbols, [LAST]) == RefreshResult(api_calls=len(found.errors))


def test_a_limit_that_comes_with_status_200_is_no_empty_history(feed, market, engine):
    market.replies[FULL, "A"] = Reply(LIMIT)
    assert isinstance(refresh(feed, {"A": None}, [LAST]).errors["A"], RateLimitError)
    assert prices_stored(engine) == 0


def test_a_symbol_that_the_vendor_does_not_know_is_said_each_time_and_asked_once(
    feed, vendor, tomorrow
):
    for asked in (1, 0, 0):
        found = refresh(feed, {"NOSUCH": None}, [LAST])
        assert found.api_calls == asked
        assert "FMP has no price of NOSUCH" in str(found.errors["NOSUCH"])
    tomorrow()
    assert refresh(feed, {"NOSUCH": None}, [LAST]).api_calls == 1
    assert vendor.count() == {FULL: 2}


def test_what_does_not_fit_is_kept_and_the_rest_is_stored(feed, market, engine):
    first = trading_calendar.previous_session(LAST, prices.HISTORY_SESSIONS)
    rows = market("/stable/" + FULL, {"symbol": "A", "from": str(first), "to": str(LAST)}).body
    market.replies[FULL, "A"] = Reply([{**rows[0], "close": "n/a"}, *rows[1:]])
    found = refresh(feed, {"A": None}, [LAST])
    assert found.errors == {}
    (warning,) = found.warnings
    assert warning.startswith("2 rows of FMP prices of A rejected (close: Input should be a valid")
    assert "riskmetrics show rejected" in warning
    assert max(stored(engine)) == date(2024, 12, 5)
    with engine.connect() as connection:
        kept = connection.execute(sa.select(tables.rejected_rows).order_by("reason")).all()
    assert {(row.kind, row.source, row.line) for row in kept} == {("prices", "FMP", None)}
    assert any('"close": "n/a"' in row.raw_row for row in kept)
    assert any(row.reason == "no split-adjusted price on 2024-12-06" for row in kept)
    assert prices.fetch(feed, "A", first, LAST).rejected == []  # they are named once


def test_an_answer_of_which_nothing_fits_is_a_problem_and_kept_whole(feed, market, engine):
    market.replies[FULL, "A"] = Reply(
        [{"symbol": "A", "date": "2024-12-06", "price": 242.84, "volume": 1}] * 2
    )
    found = refresh(feed, {"A": None}, [LAST])
    assert "no valid row of A. All 2 rows are in rejected_rows" in str(found.errors["A"])
    with engine.connect() as connection:
        assert (
            connection.scalar(sa.select(sa.func.count()).select_from(tables.rejected_rows)) == 1
        )  # the same row twice


def bars(days: list[date], closes: list[float], *, adjusted: bool) -> pd.DataFrame:
    """Return rows as a file of closes has them."""
    frame = pd.DataFrame(
        {"symbol": "A", "date": pd.Series(days, dtype=object), "close": closes, "adj_close": closes}
    )
    return frame.assign(
        open=np.nan,
        high=np.nan,
        low=np.nan,
        volume=pd.array([pd.NA] * len(days), dtype="Int64"),
        has_adj_close=adjusted,
    )


@pytest.mark.parametrize("adjusted", [True, False])
def test_a_files_history_that_is_continued_by_the_vendor_becomes_the_vendors(
    feed, market, engine, adjusted
):
    """The file's closes are without the dividend of June, or adjusted on another day."""
    market.dividends["A", date(2024, 6, 3)] = 1.5
    days = [day for day in market.closes("A") if date(2023, 1, 3) <= day < LAST]
    with engine.begin() as connection:
        input_writes.store_prices(
            connection,
            bars(days, [market.closes("A")[day][0] for day in days], adjusted=adjusted),
            "file",
        )
    assert refresh(feed, {"A": None}, [LAST]).errors == {}
    vendor_closes = market.closes("A")
    assert {day: vendor_closes[day] for day in stored(engine)} == stored(engine)
    assert min(stored(engine)) == trading_calendar.previous_session(LAST, prices.HISTORY_SESSIONS)


def test_a_files_history_that_is_up_to_date_is_not_asked_for(feed, vendor, market, engine):
    days = [day for day in market.closes("A") if date(2024, 1, 2) <= day <= LAST]
    with engine.begin() as connection:
        input_writes.store_prices(connection, bars(days, [1.0] * len(days), adjusted=True), "file")
    assert refresh(feed, {"A": None}, [LAST]) == RefreshResult()
    assert vendor.calls == []


def test_an_earlier_session_brings_the_years_before_it_and_asks_for_them_once(
    feed, vendor, market, engine, tomorrow
):
    refresh(feed, {"A": None}, [LAST])
    tomorrow()
    early = date(2021, 1, 4)
    assert refresh(feed, {"A": None}, [early]) == RefreshResult(api_calls=1)
    assert refresh(feed, {"A": None}, [early]) == RefreshResult()  # the vendor has no more
    assert min(stored(engine)) == min(market.closes("A"))
    assert vendor.count().total() == 4


def test_a_plan_without_dividends_has_closes_for_adjusted_ones_and_says_so_until_there_are_any(
    feed, open_vendor, market, engine, tomorrow
):
    market.dividends["A", date(2024, 6, 3)] = 1.5
    market.replies[ADJUSTED, ""] = Reply(NO_ENDPOINT, 402, "text/plain")
    found = refresh(feed, {"A": None, "B": None}, [LAST])
    assert found.warnings == (
        (
            "your FMP plan does not include adjusted closes: the close is used, so dividends count"
            " as price falls"
        ),
    )
    assert all(close == adjusted for close, adjusted in stored(engine).values())
    tomorrow()
    market.through, market.replies = MONDAY, {}
    with open_vendor() as upgraded:
        assert refresh(upgraded, {"A": None}, [MONDAY]).errors == {}
    vendor_closes = market.closes("A")
    assert {day: vendor_closes[day] for day in stored(engine)} == stored(engine)


def test_a_plan_that_loses_the_dividends_keeps_the_adjusted_closes_that_are_stored(
    feed, open_vendor, market, engine, tomorrow
):
    """New days continue the last level with returns of closes; later, the history is refetched."""
    market.dividends["A", date(2024, 12, 4)] = 1.5
    refresh(feed, {"A": None}, [date(2024, 12, 6)])
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE market_data_cache SET adj_close = adj_close * 0.98"))
    before = stored(engine)
    tomorrow()
    market.through, market.replies[ADJUSTED, ""] = TUESDAY, Reply(NO_ENDPOINT, 402, "text/plain")
    with open_vendor() as smaller:
        found = refresh(smaller, {"A": None}, [TUESDAY])
    assert (
        found.errors,
        len(found.warnings),
        "dividends count as price falls" in found.warnings[0],
    ) == ({}, 1, True)
    after = stored(engine)
    assert {day: after[day] for day in before} == before
    assert after[TUESDAY][1] / before[LAST][1] == pytest.approx(
        after[TUESDAY][0] / before[LAST][0], rel=1e-12
    )
    tomorrow()
    market.replies, market.through = {}, date(2024, 12, 11)
    with open_vendor() as larger:
        assert refresh(larger, {"A": None}, [date(2024, 12, 11)]).errors == {}
    vendor_closes = market.closes("A")
    assert {day: vendor_closes[day] for day in stored(engine)} == stored(engine)


def test_a_split_on_a_plan_that_has_lost_the_dividends_leaves_what_is_stored(
    feed, open_vendor, market, engine, tomorrow
):
    market.dividends["A", date(2024, 6, 3)] = 1.5
    refresh(feed, {"A": None}, [LAST])
    before = stored(engine)
    tomorrow()
    market.through, market.splits["A", TUESDAY] = TUESDAY, 4
    market.replies[ADJUSTED, ""] = Reply(NO_ENDPOINT, 402, "text/plain")
    with open_vendor() as smaller:
        assert isinstance(
            refresh(smaller, {"A": None}, [TUESDAY]).errors["A"], InvalidResponseError
        )
    assert stored(engine) == before


@pytest.mark.usefixtures("terminal")
def test_an_interruption_does_not_wait_for_what_is_not_yet_asked(feed, vendor):
    numbers, all_at_work = count(), Barrier(CONCURRENCY)

    def interrupt(path: str, query: dict[str, str]) -> Reply:
        number = next(numbers)
        if number < CONCURRENCY:  # nobody waits for a thread that is interrupted in its start
            all_at_work.wait(PATIENCE)
        else:
            sleep(0.1)  # a busy machine wakes the main thread within ten answers
        if number == 0:
            _thread.interrupt_main()
        return Reply([])

    vendor.answers = interrupt
    with pytest.raises(KeyboardInterrupt):
        refresh(feed, dict.fromkeys(f"X{number}" for number in range(200)), [LAST])
    assert len(vendor.calls) < 40


def test_what_is_no_longer_held_is_fetched_to_its_exit_and_no_further(feed, vendor, tomorrow):
    sold = {"A": date(2024, 11, 1)}
    assert refresh(feed, sold, [LAST]).api_calls == 1
    tomorrow()
    assert refresh(feed, sold, [TUESDAY]).api_calls == 0
    assert vendor.count().total() == 2


def test_a_history_that_has_ended_is_said_with_its_last_day(feed, market, engine, tomorrow):
    market.delisted_on = {"OLD": date(2024, 10, 1), "LATE": date(2024, 12, 2)}
    symbols = dict.fromkeys(["OLD", "LATE", "SPY"])
    refresh(feed, symbols, [LAST])
    with engine.connect() as connection:
        known = stored_prices.read_price_coverage(connection, symbols)
        before = stored_prices.read_price_coverage(connection, symbols, last_day=date(2024, 10, 1))
    assert late_closes.find_ended_histories(known, symbols, "SPY") == {"OLD": date(2024, 10, 1)}
    assert late_closes.find_carried_closes(known, symbols, "SPY") == {"LATE": date(2024, 12, 2)}
    for find in (late_closes.find_ended_histories, late_closes.find_carried_closes):
        assert find(before, symbols, "SPY") == {}
    tomorrow()
    assert refresh(feed, {"OLD": None}, [LAST]) == RefreshResult(
        api_calls=1
    )  # nothing new is no problem
    assert refresh(feed, {"OLD": None}, [LAST]) == RefreshResult()


@pytest.mark.parametrize(("age", "find"), [(5, "carried"), (6, "ended")])
def test_a_close_stands_for_five_sessions_and_then_the_history_has_ended(
    feed, market, engine, age, find
):
    last = trading_calendar.previous_session(LAST, age)
    market.delisted_on = {"LATE": last}
    refresh(feed, dict.fromkeys(["LATE", "SPY"]), [LAST])
    with engine.connect() as connection:
        known = stored_prices.read_price_coverage(connection, ["LATE", "SPY"])
    for name in ("carried", "ended"):
        found = getattr(
            late_closes, f"find_{name}_{'closes' if name == 'carried' else 'histories'}"
        )
        assert found(known, ["LATE", "SPY"], "SPY") == ({"LATE": last} if name == find else {})
        assert found(known, ["LATE"], "NONE") == {}


def test_without_a_key_nothing_is_asked_and_that_is_said():
    assert refresh(None, {"A": None}, [LAST]) == RefreshResult(warnings=(NO_SOURCE_WARNING,))


@pytest.mark.parametrize(
    ("sessions_before", "is_asked"),
    [(prices.LOOKBACK_SESSIONS, False), (prices.LOOKBACK_SESSIONS - 1, True)],
)
def test_a_history_is_asked_for_where_it_begins_after_the_longest_window(
    feed, vendor, market, engine, sessions_before, is_asked
):
    """It is up to date; the vendor was asked for less before, and knows of more."""
    begins = trading_calendar.previous_session(LAST, sessions_before)
    days = [day for day in market.closes("A") if begins <= day <= LAST]
    with engine.begin() as connection:
        input_writes.store_prices(
            connection,
            bars(days, [market.closes("A")[day][0] for day in days], adjusted=True),
            "FMP",
        )
        prices.vendor.record_answer(
            connection,
            "FMP",
            prices.KIND,
            "A",
            first_day=trading_calendar.previous_session(LAST, 50),
        )
    assert refresh(feed, {"A": None}, [LAST]).api_calls == is_asked


@pytest.mark.parametrize(
    ("sessions_before", "is_asked"),
    [(prices.LOOKBACK_SESSIONS, False), (prices.LOOKBACK_SESSIONS - 1, True)],
)
def test_a_vendor_that_was_asked_for_the_longest_window_has_no_more(
    feed, vendor, market, engine, sessions_before, is_asked
):
    """What it gave begins later: the symbol was listed then."""
    days = [
        day
        for day in market.closes("A")
        if trading_calendar.previous_session(LAST, 50) <= day <= LAST
    ]
    with engine.begin() as connection:
        input_writes.store_prices(
            connection,
            bars(days, [market.closes("A")[day][0] for day in days], adjusted=True),
            "FMP",
        )
        asked_from = trading_calendar.previous_session(LAST, sessions_before)
        prices.vendor.record_answer(connection, "FMP", prices.KIND, "A", first_day=asked_from)
    assert refresh(feed, {"A": None}, [LAST]).api_calls == is_asked


def test_every_window_of_results_lies_within_what_is_fetched():
    """As assets read them: a window of returns, and one session more to compare the first with."""
    windows = {
        "tail risk": tail_risk_results.TAIL_RISK_WINDOW,
        "volatility of symbols": volatility_results.SYMBOL_WINDOW,
        "volatility of portfolios": portfolio_volatility_results.PORTFOLIO_WINDOW,
        "betas": betas.BETA_WINDOW,
        "contributions and drawdowns": pro_forma.YEAR_WINDOW,
    }
    reach = {
        name: trading_calendar.sessions_with_lookback([LAST], window + 1)[0]
        for name, window in windows.items()
    }
    assert min(reach.values()) == trading_calendar.previous_session(LAST, prices.LOOKBACK_SESSIONS)


@pytest.mark.parametrize("n_symbols", [5, 10, 15, 35, 55, 70, 95, 505, 5000])
def test_exactly_four_fifths_of_the_symbols_are_enough_and_one_less_is_not(n_symbols):
    symbols = [f"S{number}" for number in range(n_symbols)]
    failed = {symbol: InvalidResponseError("refused") for symbol in symbols[: n_symbols // 5]}
    require_price_coverage(RefreshResult(n_symbols, failed), symbols)
    one_more = failed | {symbols[-1]: InvalidResponseError("refused")}
    with pytest.raises(DataQualityError, match=f"{len(one_more)} of {n_symbols} symbols"):
        require_price_coverage(RefreshResult(n_symbols, one_more), symbols)


def test_a_vendor_that_drips_ends_a_run_at_its_time_limit(
    open_vendor, market, engine, advance_clock
):
    """What came before is stored; the rest is not asked for once the time is used up."""
    with open_vendor(RISKMETRICS_FMP_RUN_SECONDS=600.0) as feed:
        refresh(feed, {"A": None}, [LAST])
        advance_clock(599)
        slow = dict.fromkeys(["B", "C", "D", "E", "F"])
        market.replies |= {(FULL, symbol): Reply(fault="drip headers") for symbol in slow}
        began = monotonic()
        found = refresh(feed, {"A": None, **slow}, [LAST])
        assert monotonic() - began < 60  # one second, on a machine that has other things to do
    assert set(found.errors) == set(slow)
    assert all("RISKMETRICS_FMP_RUN_SECONDS" in str(error) for error in found.errors.values())
    assert stored(engine)
    with pytest.raises(VendorUnavailableError) as caught:
        require_price_coverage(found, {"A": None, **slow})
    assert caught.value.exit_code == 5
