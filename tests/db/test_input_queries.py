"""Queries of inputs, compared with rows written by hand."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries, input_writes, stored_prices, stored_settings, tables
from riskmetrics.errors import DataQualityError

DAYS = trading_calendar.sessions_between(date(2024, 12, 2), date(2024, 12, 6))
FRIDAY = DAYS[-1]
TODAY = date(2025, 1, 2)


def price(connection: sa.Connection, symbol: str, days: list[date], close: float = 100.0) -> None:
    """Store a close, and an adjusted close that is a dollar lower."""
    rows = [
        {
            "symbol": symbol,
            "date": day,
            "close": close,
            "adj_close": close - 1,
            "data_source": "test",
        }
        for day in days
    ]
    connection.execute(sa.insert(tables.market_data_cache), rows)


def portfolio(connection: sa.Connection, name: str, *symbols: str, **values: object) -> str:
    """Create a portfolio with a lot of each symbol, held since 2020; return its id."""
    table = tables.portfolios
    key = connection.scalar(
        sa.insert(table).values(name=name, currency="USD", **values).returning(table.c.id)
    )
    for symbol in symbols:
        hold(connection, key, symbol)
    return str(key)


def hold(connection: sa.Connection, portfolio_id: object, symbol: str, **values: object) -> None:
    """Add a lot."""
    lot = {
        "portfolio_id": portfolio_id,
        "symbol": symbol,
        "position_type": "LONG",
        "quantity": 1,
        "entry_date": date(2020, 1, 2),
    }
    connection.execute(sa.insert(tables.positions).values(**lot | values))


def test_the_market_index_is_the_override_else_the_stored_one_else_spy(connection):
    assert stored_settings.read_market_index(connection) == "SPY"
    assert stored_settings.read_market_index(connection, "VTI") == "VTI"
    input_writes.store_setting(connection, stored_settings.MARKET_INDEX, "SPX")
    assert stored_settings.read_market_index(connection) == "SPX"
    assert stored_settings.read_market_index(connection, "VTI") == "VTI"


def test_closes_are_sessions_by_symbols_and_what_is_not_stored_is_missing(connection):
    price(connection, "A", DAYS[:2])
    price(connection, "B", DAYS[2:3], 0.1)
    price(connection, "C", DAYS)
    found = input_queries.read_closes(connection, ["B", "A", "Z", "A"], DAYS[:3])
    expected = pd.DataFrame(
        {"A": [100, 100, np.nan], "B": [np.nan, np.nan, 0.1], "Z": [np.nan] * 3},
        index=pd.to_datetime(DAYS[:3]),
    )
    pd.testing.assert_frame_equal(
        found, expected, check_index_type=False, check_freq=False, check_column_type=False
    )
    assert input_queries.read_adjusted_closes(connection, ["A"], DAYS[:1]).to_numpy().tolist() == [
        [99.0]
    ]
    assert input_queries.read_closes(connection, [], DAYS).shape == (5, 0)


def test_more_symbols_than_a_query_has_parameters_can_be_asked_for(connection):
    price(connection, "S7", DAYS)
    symbols = [f"S{i}" for i in range(70_000)]
    found = input_queries.read_closes(connection, symbols, DAYS[:1])
    assert (found.shape, found["S7"].to_list(), int(found.notna().sum(axis=None))) == (
        (1, 70_000),
        [100],
        1,
    )
    assert len(stored_prices.read_price_coverage(connection, symbols)) == 1
    assert input_queries.read_profiles(connection, symbols).empty


def test_price_coverage_counts_the_closes_of_a_symbol(connection):
    price(connection, "A", DAYS[:2])
    price(connection, "B", DAYS[3:4])
    assert stored_prices.read_price_coverage(connection, ["B", "A", "Z"]).to_dict("records") == [
        {"symbol": "A", "closes": 2, "first": pd.Timestamp(DAYS[0]), "last": pd.Timestamp(DAYS[1])},
        {"symbol": "B", "closes": 1, "first": pd.Timestamp(DAYS[3]), "last": pd.Timestamp(DAYS[3])},
    ]


def test_price_coverage_through_a_day_does_not_count_later_closes(connection):
    price(connection, "A", DAYS[:4])
    price(connection, "B", DAYS[3:4])
    found = stored_prices.read_price_coverage(connection, ["A", "B"], last_day=DAYS[2]).to_dict(
        "records"
    )
    first, last = pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[2])
    assert found == [{"symbol": "A", "closes": 3, "first": first, "last": last}]


def test_symbols_held_on_a_range_of_days_are_those_open_on_one_of_them(connection):
    """A lot is held on its entry day but not on its exit day."""
    key = portfolio(connection, "P")
    hold(connection, key, "SOLD", entry_date=DAYS[0], exit_date=DAYS[1])
    hold(connection, key, "BRIEF", entry_date=DAYS[1], exit_date=DAYS[2])
    hold(connection, key, "LAST", entry_date=DAYS[3])
    hold(connection, key, "LATER", entry_date=DAYS[4])
    assert input_queries.read_held_symbols(connection, DAYS[1], DAYS[3]) == ["BRIEF", "LAST"]
    assert input_queries.read_held_symbols(connection, DAYS[1]) == ["BRIEF"]
    assert input_queries.read_held_symbols(connection, DAYS[3]) == ["LAST"]


def test_lots_are_signed_ordered_and_not_the_deleted_ones(connection):
    deleted = datetime(2024, 1, 1, tzinfo=UTC)
    key = portfolio(connection, "P", "B")
    hold(connection, key, "A", position_type="SHORT", quantity=-3)
    hold(connection, key, "C", position_type="SHORT", quantity=3)
    option = {
        "investment_class": "OPTIONS",
        "strike_price": 250,
        "expiration_date": date(2199, 1, 18),
    }
    hold(connection, key, "D", position_type="SC", quantity=2, **option)
    hold(connection, key, "E", exit_date=FRIDAY)
    hold(connection, key, "X", deleted_at=deleted)
    portfolio(connection, "Q", "Y", deleted_at=deleted)
    found = input_queries.read_lots(connection, TODAY)
    assert found[["symbol", "quantity"]].to_numpy().tolist() == [
        ["A", -3],
        ["B", 1],
        ["C", -3],
        ["D", -2],
        ["E", 1],
    ]
    assert found["exit_date"].isna().to_list() == [True] * 4 + [False]
    assert input_queries.read_held_symbols(connection, DAYS[0]) == ["A", "B", "C", "D", "E"]
    assert input_queries.read_portfolios(connection)[["name", "currency"]].to_numpy().tolist() == [
        ["P", "USD"]
    ]


def test_prices_are_needed_of_what_was_ever_held_and_of_what_options_are_on(connection):
    key = portfolio(connection, "P", "A")
    hold(connection, key, "B", exit_date=DAYS[1])
    hold(connection, key, "B", exit_date=FRIDAY)
    hold(connection, key, "C", exit_date=FRIDAY)
    hold(connection, portfolio(connection, "Q"), "C")
    hold(
        connection,
        key,
        "A 250 C",
        position_type="LC",
        underlying_symbol="O",
        investment_class="OPTIONS",
    )
    hold(connection, key, "U", position_type="SP", investment_class="OPTIONS", exit_date=DAYS[0])
    hold(connection, key, "V", investment_class="PRIVATE")
    hold(connection, key, "X", deleted_at=datetime(2024, 1, 1, tzinfo=UTC))
    portfolio(connection, "R", "Y", deleted_at=datetime(2024, 1, 1, tzinfo=UTC))
    assert input_queries.read_price_end_dates(connection) == {
        "A": None,
        "B": FRIDAY,
        "C": None,
        "O": None,
        "U": DAYS[0],
    }


def test_a_history_is_that_of_one_symbol_with_the_kind_of_its_closes(connection):
    price(connection, "A", DAYS[:2])
    price(connection, "B", DAYS[:1])
    connection.execute(
        sa.text("UPDATE market_data_cache SET data_source = 'file: close only' WHERE date = :day"),
        {"day": DAYS[1]},
    )
    found = stored_prices.read_price_history(connection, "A")
    assert (found["date"].to_list(), found["has_adj_close"].to_list()) == (DAYS[:2], [True, False])
    assert stored_prices.read_price_history(connection, "Z").empty


def test_an_option_that_expired_ends_the_day_after_at_what_exercising_it_brought(connection):
    """By hand, with the underlying at 100 on the last close before expiration.

    Options that were closed before, or have not expired, are not changed.
    """
    owner, expired = portfolio(connection, "P"), date(2024, 12, 7)
    price(connection, "A", DAYS)
    common = {"investment_class": "OPTIONS", "underlying_symbol": "A", "expiration_date": expired}
    for number, own in enumerate(
        (
            {"position_type": "LC", "strike_price": 90},
            {
                "position_type": "SP",
                "strike_price": 90,
                "exit_date": date(2024, 12, 20),
                "exit_price": 5,
            },
            {"position_type": "LP", "strike_price": 104},
            {"position_type": "LC", "strike_price": 90, "underlying_symbol": "NONE"},
            {"position_type": "SC", "strike_price": 90, "exit_date": DAYS[0], "exit_price": 11},
            {"position_type": "LC", "strike_price": 90, "expiration_date": date(2199, 1, 18)},
        )
    ):
        hold(connection, owner, f"A{number}", **common | own)
    found = input_queries.read_lots(connection, TODAY).set_index("symbol")
    assert found["exit_price"].fillna(-1).tolist() == [10, 0, 4, -1, 11, -1]
    assert found["exit_date"].dt.date.tolist() == [*[date(2024, 12, 8)] * 4, DAYS[0], pd.NaT]


@pytest.mark.parametrize(("days_ago", "is_expired"), [(0, False), (1, True)])
def test_an_option_expires_after_its_day_of_expiration(connection, days_ago, is_expired):
    expiration = date(2024, 12, 7)
    owner = portfolio(connection, "P")
    terms = {"position_type": "LC", "strike_price": 90, "expiration_date": expiration}
    hold(connection, owner, "O", investment_class="OPTIONS", underlying_symbol="A", **terms)
    as_of = expiration + timedelta(days=days_ago)
    (found,) = input_queries.read_lots(connection, as_of).itertuples()
    assert pd.isna(found.exit_date) == (not is_expired)
    assert not is_expired or found.exit_date.date() == expiration + timedelta(days=1)


@pytest.mark.parametrize(("days_after", "exit_price"), [(0, 7.0), (1, 7.0), (2, 10.0)])
def test_an_option_closed_up_to_the_day_after_its_expiration_keeps_its_price(
    connection,
    days_after,
    exit_price,
):
    """After that it has expired, with an intrinsic value of 100 minus the strike of 90."""
    owner, expiration = portfolio(connection, "P"), date(2024, 12, 7)
    price(connection, "A", DAYS)
    terms = {"position_type": "LC", "strike_price": 90, "expiration_date": expiration}
    option = {"investment_class": "OPTIONS", "underlying_symbol": "A"}
    closed = {"exit_date": expiration + timedelta(days=days_after), "exit_price": 7}
    hold(connection, owner, "O", **option, **terms, **closed)
    (found,) = input_queries.read_lots(connection, TODAY).itertuples()
    assert found.exit_price == exit_price
    assert found.exit_date.date() == expiration + timedelta(days=min(days_after, 1))


@pytest.mark.parametrize(("days_after", "stated"), [(2, 0.0), (2, 3.5), (None, None)])
def test_an_expired_option_of_transactions_ends_at_what_its_line_states_else_at_0(
    connection, days_after, stated
):
    """The shares that are delivered at the strike are a line of their own: 10 a share in them."""
    owner, expiration = portfolio(connection, "P"), date(2024, 12, 7)
    price(connection, "A", DAYS)
    bought = {"kind": "buy", "day": DAYS[0], "ordinal": 1, "symbol": "O", "reference": "1"}
    amounts = {"quantity": 1, "price": 2, "amount": -200, "fees": 0}
    origin = {"layout": "table", "source": "file", "source_digest": "0" * 64, "line": 2}
    connection.execute(
        sa.insert(tables.transactions).values(
            portfolio_id=owner, **bought, **amounts, **origin, has_id=False
        )
    )
    closed = {"exit_date": days_after and expiration + timedelta(days=days_after)}
    terms = {"position_type": "LC", "strike_price": 90, "expiration_date": expiration}
    option = {"investment_class": "OPTIONS", "underlying_symbol": "A", "exit_price": stated}
    hold(connection, owner, "O", **option, **terms, **closed)
    (found,) = input_queries.read_lots(connection, TODAY).itertuples()
    assert found.exit_price == (stated or 0)
    assert found.exit_date.date() == expiration + timedelta(days=1)


def test_cash_is_anchored_on_the_last_valued_day_up_to_the_stated_one(connection):
    """Each case by hand: prices of A end on Tuesday, those of B continue."""
    price(connection, "A", DAYS[:2])
    price(connection, "B", DAYS)
    stated = {"equity_balance": 1000, "equity_as_of": FRIDAY}
    expected = {
        portfolio(connection, "prices end before", "A", **stated): DAYS[1],
        portfolio(connection, "one has a close", "A", "B", **stated): FRIDAY,
        portfolio(
            connection, "stated between", "B", equity_balance=1000, equity_as_of=DAYS[2]
        ): DAYS[2],
        portfolio(
            connection,
            "stated on a closed day",
            "B",
            equity_balance=1000,
            equity_as_of=FRIDAY + timedelta(days=1),
        ): FRIDAY,
        portfolio(connection, "no prices", "Z", **stated): FRIDAY,
        portfolio(connection, "holds nothing", **stated): FRIDAY,
    }
    bought_later = portfolio(connection, "bought later", "A", **stated)
    hold(connection, bought_later, "B", entry_date=FRIDAY + timedelta(days=3))
    undated = portfolio(
        connection,
        "day of the balance unknown",
        "B",
        equity_balance=1000,
        created_at=datetime(2024, 12, 4, 12, tzinfo=UTC),
    )
    portfolio(connection, "no balance", "B")
    assert input_queries.read_cash_anchors(connection).to_dict() == expected | {
        bought_later: DAYS[1],
        undated: DAYS[2],
    }


@pytest.mark.parametrize(("days_later", "anchor"), [(0, FRIDAY), (1, DAYS[1])])
def test_a_close_of_what_was_bought_by_the_stated_day_anchors_cash(connection, days_later, anchor):
    """Prices of A, held before, end on Tuesday; B is bought on the stated Friday, or later."""
    price(connection, "A", DAYS[:2])
    price(connection, "B", DAYS)
    owner = portfolio(connection, "P", "A", equity_balance=1000, equity_as_of=FRIDAY)
    hold(connection, owner, "B", entry_date=FRIDAY + timedelta(days=days_later))
    assert input_queries.read_cash_anchors(connection).to_dict() == {owner: anchor}


def test_without_a_balance_there_is_no_anchor(connection):
    assert input_queries.read_cash_anchors(connection).empty


def test_the_latest_session_is_the_last_ended_one_of_the_market_index(connection):
    with pytest.raises(DataQualityError, match="no close of the market index SPY is stored"):
        input_queries.read_latest_session(connection)
    price(connection, "SPY", [*DAYS[:3], date(2999, 1, 4)])
    price(connection, "VTI", DAYS)
    assert input_queries.read_latest_session(connection) == DAYS[2]
    assert input_queries.read_latest_session(connection, "VTI") == FRIDAY


def test_bars_are_of_what_is_held_at_their_end_and_of_indices_with_a_close(connection):
    for symbol in ("HELD", "SOLD", "LATER", "SPY", "OTHER"):
        price(connection, symbol, DAYS)
    owner = portfolio(connection, "P", "HELD", "UNPRICED")
    hold(connection, owner, "SOLD", exit_date=DAYS[3])
    hold(connection, owner, "LATER", entry_date=FRIDAY)
    bars = input_queries.read_held_bars(connection, DAYS[:4], ["SPY", "TLT"])
    assert all(list(prices.columns) == ["HELD", "SPY", "UNPRICED"] for prices in bars)
    assert bars.close["HELD"].tolist() == [100.0] * 4
    assert bars.adj_close["SPY"].tolist() == [99.0] * 4
    assert bars.close["UNPRICED"].isna().all()
    assert bars.high.isna().to_numpy().all()
    assert list(input_queries.read_held_bars(connection, DAYS, []).close.columns) == [
        "HELD",
        "LATER",
        "UNPRICED",
    ]


def test_benchmark_weights_are_those_up_to_a_day(connection):
    for day, share in ((DAYS[0], 0.25), (DAYS[3], 0.5)):
        rows = pd.DataFrame(
            {"date": day, "sector": ["Energy", "Materials"], "weight": [share, 1 - share]}
        )
        input_writes.store_benchmark_weights(connection, rows, "SP500", "test")
    assert input_queries.read_benchmark_weights(connection, "SP500", DAYS[2]).to_dict("index") == {
        pd.Timestamp(DAYS[0]): {"Energy": 0.25, "Materials": 0.75}
    }
    assert list(input_queries.read_benchmark_weights(connection, "SP500", DAYS[4])["Energy"]) == [
        0.25,
        0.5,
    ]
    assert input_queries.read_benchmark_weights(connection, "OTHER", FRIDAY).empty


def test_weights_of_funds_are_those_of_the_requested_ones_up_to_a_day(connection):
    for code, day in (("XLE", DAYS[0]), ("XLE", DAYS[3]), ("XLK", DAYS[3]), ("SP500", DAYS[0])):
        rows = pd.DataFrame({"date": [day], "sector": ["Energy"], "weight": [1.0]})
        input_writes.store_benchmark_weights(connection, rows, code, "test")
    found = input_queries.read_fund_weights(connection, ["XLE", "XLK", "AAPL"], DAYS[2])
    assert {symbol: list(weights.index) for symbol, weights in found.items()} == {
        "XLE": [pd.Timestamp(DAYS[0])]
    }
    assert set(input_queries.read_fund_weights(connection, ["XLE", "XLK"], DAYS[3])) == {
        "XLE",
        "XLK",
    }


def test_sectors_that_other_code_stored_under_a_vendor_s_names_are_read_by_those_of_gics(
    connection,
):
    """On one day both names of a sector are stored; an unknown name is kept."""
    profiles = [
        ("T", "Technology"),
        ("F", "financial services"),
        ("E", "Energy"),
        ("X", "Crypto"),
        ("N", None),
    ]
    rows = [
        {"symbol": symbol, "sector": sector, "data_source": "other"} for symbol, sector in profiles
    ]
    connection.execute(sa.insert(tables.company_profiles), rows)
    found = input_queries.read_profiles(connection, [symbol for symbol, _ in profiles])["sector"]
    assert found.fillna("").to_dict() == {
        "T": "Information Technology",
        "F": "Financials",
        "E": "Energy",
        "X": "Crypto",
        "N": "",
    }
    weights = [("Technology", 0.3), ("Information Technology", 0.2), ("Energy", 0.5)]
    rows = [
        {"benchmark_code": "SP500", "asof_date": FRIDAY, "sector": sector, "weight": weight}
        for sector, weight in weights
    ]
    connection.execute(sa.insert(tables.benchmarks_sector_weights), rows)
    assert input_queries.read_benchmark_weights(connection, "SP500", FRIDAY).to_dict("records") == [
        {"Energy": 0.5, "Information Technology": 0.5}
    ]
