"""Decisions about suspected splits: detection, storage, and the prices that queries return."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import (
    holdings,
    input_queries,
    input_writes,
    price_decisions,
    stored_prices,
    tables,
)
from riskmetrics.db.price_decisions import SplitRatio
from riskmetrics.db.split_suspects import MAX_SPLICES, find_import_splices, find_suspected_splits
from riskmetrics.panels import Bars, suspected_splits
from riskmetrics.results.income import infer_distributions
from tests.traded_market import EVERY_TRADED_MARKET, TradedMarket

DAYS = trading_calendar.sessions_between(date(2024, 11, 18), date(2024, 12, 6))
SPLIT_DAY = DAYS[10]
BEFORE = DAYS[9]


def store(
    connection: sa.Connection, symbol: str, closes: Sequence[float], **columns: object
) -> None:
    """Store closes on DAYS, by default in both columns and without high and low."""
    rows = [
        {"symbol": symbol, "date": day, "close": close, "adj_close": close, "data_source": "test"}
        for day, close in zip(DAYS, closes, strict=True)
        if not np.isnan(close)
    ]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    connection.execute(sa.insert(tables.market_data_cache), rows)


def closes_with_split(ratio: float = 4.0) -> "list[float]":
    """Return closes of about 400 that fall by ``ratio`` on SPLIT_DAY."""
    closes = 400.0 + np.arange(len(DAYS)) % 3
    closes[10:] /= ratio
    return [float(close) for close in closes]


def hold(connection: sa.Connection, symbol: str, **columns: object) -> str:
    """Create a portfolio with one lot; return its id."""
    table = tables.portfolios
    statement = sa.insert(table).values(name=f"P{symbol}", currency="USD").returning(table.c.id)
    owner = connection.scalar(statement)
    lot = {"symbol": symbol, "position_type": "LONG", "quantity": 40, "entry_date": DAYS[0]}
    connection.execute(sa.insert(tables.positions).values(portfolio_id=owner, **lot | columns))
    return str(owner)


def test_a_move_of_both_closes_is_suspected_until_it_is_decided(connection: sa.Connection) -> None:
    store(connection, "A", closes_with_split())
    store(connection, "B", [100.0 + at % 2 for at in range(len(DAYS))])
    (suspect,) = find_suspected_splits(connection).to_dict("records")
    assert (suspect["symbol"], suspect["date"].date()) == ("A", SPLIT_DAY)
    assert (suspect["in_close"], suspect["in_adj_close"]) == (4.0, 4.0)
    assert find_suspected_splits(connection, ["B"]).empty
    price_decisions.record_decision(connection, "A", SPLIT_DAY, None, "test")
    assert find_suspected_splits(connection).empty
    assert price_decisions.remove_decision(connection, "A", SPLIT_DAY)
    assert len(find_suspected_splits(connection)) == 1
    price_decisions.record_decision(connection, "A", SPLIT_DAY, SplitRatio(4, 1), "test")
    assert find_suspected_splits(connection).empty


def test_a_decision_about_one_day_leaves_the_others_suspected(connection: sa.Connection) -> None:
    closes = np.array(closes_with_split())
    closes[13:] *= 10
    store(connection, "A", closes)
    price_decisions.record_decision(connection, "A", SPLIT_DAY, None, "test")
    (suspect,) = find_suspected_splits(connection).to_dict("records")
    assert (suspect["date"].date(), suspect["in_close"]) == (DAYS[13], 0.1)


def test_the_query_finds_what_looking_at_every_price_finds(connection: sa.Connection) -> None:
    """Oracle: the detector on whole panels.

    Wild prices with gaps, ticks and splits in each close.
    """
    rng = np.random.default_rng(8)
    levels = [100.0, 101.0, 98.0, 51.0, 25.0, 10.0, 200.0, 1000.0, np.nan]
    for number in range(40):
        shares = [0.3, 0.25, 0.2, 0.05, 0.05, 0.05, 0.03, 0.02, 0.05]
        closes = rng.choice(levels, len(DAYS), p=shares)
        known = closes[~np.isnan(closes)]
        factor = rng.choice([1.0, 1.0, 0.75, 2.0], len(known))
        store(connection, f"S{number:02d}", closes, adj_close=known * factor)
    whole = input_queries.read_price_panels(
        connection, Bars._fields, [f"S{n:02d}" for n in range(40)], DAYS
    )
    expected = suspected_splits(Bars(**whole)).sort_values(["symbol", "date"], ignore_index=True)
    assert len(expected) > 50
    assert expected["close_reverts"].any()
    pd.testing.assert_frame_equal(
        find_suspected_splits(connection), expected, check_dtype=False, check_exact=True
    )


@pytest.mark.parametrize("n_missing", [5, 6, 63, 64, 300])
def test_a_split_behind_a_halt_is_suspected_until_decided(
    connection: sa.Connection,
    n_missing: int,
) -> None:
    """Splits of both closes, and of the close alone, whose adjusted close implies no income."""
    days = trading_calendar.sessions_with_lookback([SPLIT_DAY], n_missing + 3)
    known, source = [0, 1, 2, n_missing + 3], {"data_source": "test"}
    closes = dict(zip((days[at] for at in known), (400.0, 401.0, 400.0, 101.0), strict=True))
    rows = [
        {"symbol": symbol, "date": day, "close": close, "adj_close": close / scale} | source
        for day, close in closes.items()
        for symbol, scale in (("A", 1.0), ("HALF", 4.0 if day < SPLIT_DAY else 1.0))
    ]
    connection.execute(sa.insert(tables.market_data_cache), rows)
    found = find_suspected_splits(connection)
    assert found["symbol"].tolist() == ["A", "HALF"]
    assert set(found["date"].dt.date) == {SPLIT_DAY}
    assert found["in_close"].tolist() == [4.0, 4.0]
    steps = stored_prices.read_adjustment_steps(connection, ["HALF"], days[0], SPLIT_DAY)
    assert len(steps) == 1
    assert infer_distributions(steps, [], found).events["amount"].isna().all()
    price_decisions.record_decision(connection, "A", SPLIT_DAY, SplitRatio(4, 1), "test")
    price_decisions.record_decision(connection, "HALF", SPLIT_DAY, None, "test")
    assert find_suspected_splits(connection).empty


def test_the_query_looks_back_to_the_sixth_price_over_halts(connection: sa.Connection) -> None:
    """Oracle: the detector on whole panels. Two prices of three are missing, some for months."""
    rng = np.random.default_rng(3)
    days = trading_calendar.sessions_with_lookback([SPLIT_DAY], 399)
    levels = [100.0, 98.0, 51.0, 25.0, 10.0, 200.0, 1000.0]
    shares = [0.5, 0.2, 0.1, 0.1, 0.03, 0.05, 0.02]
    symbols = [f"S{number:02d}" for number in range(20)]
    rows = []
    for symbol in symbols:
        is_halted = np.repeat(rng.random(20) < 0.6, 20)
        for day, has_price in zip(days, (rng.random(400) < 0.5) & ~is_halted, strict=True):
            close, factor = rng.choice(levels, p=shares), rng.choice([1.0, 0.5])
            row = {"symbol": symbol, "date": day, "close": close, "adj_close": close * factor}
            rows += [row | {"data_source": "test"}] * int(has_price)
    connection.execute(sa.insert(tables.market_data_cache), rows)
    whole = input_queries.read_price_panels(connection, Bars._fields, symbols, days)
    expected = suspected_splits(Bars(**whole)).sort_values(["symbol", "date"], ignore_index=True)
    assert len(expected) > 50
    pd.testing.assert_frame_equal(
        find_suspected_splits(connection), expected, check_dtype=False, check_exact=True
    )


def test_a_split_rescales_earlier_prices_for_every_reader_and_stored_ones_stay(
    connection: sa.Connection,
) -> None:
    closes = closes_with_split()
    bars = {"open": closes, "high": closes, "low": closes, "volume": [1000] * len(closes)}
    store(connection, "A", closes, **bars)
    owner = hold(connection, "A", exit_date=BEFORE)
    option = {"position_type": "LC", "strike_price": 60, "expiration_date": BEFORE}
    option |= {"underlying_symbol": "A", "investment_class": "OPTIONS", "portfolio_id": owner}
    lot = {"symbol": "A CALL", "quantity": 1, "entry_date": DAYS[0]}
    connection.execute(sa.insert(tables.positions).values(**lot | option))
    raw = stored_prices.read_price_history(connection, "A")
    price_decisions.record_decision(connection, "A", SPLIT_DAY, SplitRatio(4, 1), "test")
    expected = np.where(np.array(DAYS) < SPLIT_DAY, np.array(closes) / 4, closes)
    assert input_queries.read_closes(connection, ["A"], DAYS)["A"].tolist() == expected.tolist()
    assert (
        input_queries.read_adjusted_closes(connection, ["A"], DAYS)["A"].tolist()
        == expected.tolist()
    )
    assert (
        input_queries.read_held_bars(connection, DAYS[:5], []).low["A"].tolist()
        == expected[:5].tolist()
    )
    names = ["high", "open", "volume"]
    found = input_queries.read_price_panels(connection, names, ["A"], DAYS)
    assert found["high"]["A"].tolist() == found["open"]["A"].tolist() == expected.tolist()
    assert found["volume"]["A"].tolist() == [4000.0] * 10 + [1000.0] * (len(DAYS) - 10)
    before = Decimal(str(expected[9]))
    assert holdings.read_session_closes(connection, ["A"], BEFORE) == {"A": before}
    lots = input_queries.read_lots(connection, DAYS[-1]).set_index("position_type")
    assert lots.loc["LONG", "exit_close"] == expected[9]
    assert lots.loc["LC", "exit_price"] == expected[9] - 60
    pd.testing.assert_frame_equal(stored_prices.read_price_history(connection, "A"), raw)


def test_two_splits_and_a_reverse_split_multiply(connection: sa.Connection) -> None:
    """By hand: 1200 before a 3:2 and a 4:1 is 1200 / 6; a 1:10 after both makes it 2000."""
    closes = [1200.0] * 5 + [800.0] * 5 + [200.0] * 3 + [2000.0] * (len(DAYS) - 13)
    store(connection, "A", closes)
    store(connection, "B", closes)
    decided = (
        (DAYS[5], SplitRatio(3, 2)),
        (DAYS[10], SplitRatio(4, 1)),
        (DAYS[13], SplitRatio(1, 10)),
    )
    for day, ratio in decided:
        price_decisions.record_decision(connection, "A", day, ratio, "test")
    found = input_queries.read_closes(connection, ["A", "B"], DAYS)
    assert found["A"].tolist() == [2000.0] * len(DAYS)
    assert found["B"].tolist() == closes


@pytest.mark.parametrize("column", ["close", "adj_close"])
def test_a_split_rescales_only_the_close_that_makes_the_move(
    connection: sa.Connection, column: str
) -> None:
    smooth = [100.0] * len(DAYS)
    jumping = [400.0] * 10 + [100.0] * (len(DAYS) - 10)
    of_both = {"close": smooth, "adj_close": smooth} | {column: jumping}
    store(connection, "A", of_both["close"], adj_close=of_both["adj_close"])
    assert len(find_suspected_splits(connection)) == 1
    price_decisions.record_decision(connection, "A", SPLIT_DAY, SplitRatio(4, 1), "test")
    assert input_queries.read_closes(connection, ["A"], DAYS)["A"].tolist() == smooth
    assert input_queries.read_adjusted_closes(connection, ["A"], DAYS)["A"].tolist() == smooth
    assert find_suspected_splits(connection).empty


def test_corrected_prices_take_a_recorded_split_out_of_effect(connection: sa.Connection) -> None:
    """Otherwise the split would be adjusted for twice."""
    store(connection, "A", closes_with_split())
    price_decisions.record_decision(connection, "A", SPLIT_DAY, SplitRatio(4, 1), "test")
    corrected = [101.0] * len(DAYS)
    rows = pd.DataFrame({"symbol": "A", "date": DAYS, "close": corrected, "adj_close": corrected})
    input_writes.store_prices(connection, rows.assign(has_adj_close=True), "test")
    assert input_queries.read_closes(connection, ["A"], DAYS)["A"].tolist() == corrected
    (decided,) = price_decisions.read_decisions(connection).to_dict("records")
    assert not decided["close_moves"]
    assert not decided["adj_close_moves"]
    assert find_suspected_splits(connection).empty


@pytest.mark.parametrize(("price", "is_explained"), [(50.01, False), (49.99, True)])
def test_a_split_explains_a_move_that_is_nearer_to_it_than_to_none(
    price: float, is_explained: bool
) -> None:
    """By hand: half way to a 4:1 split, in logarithms, is a fall by half."""
    assert SplitRatio(4, 1).matches_move(100.0, price) == is_explained
    assert SplitRatio(1, 4).matches_move(price, 100.0) == is_explained
    assert not SplitRatio(4, 1).matches_move(100.0, float("nan"))
    assert not SplitRatio(4, 1).matches_move(0.0, 25.0)


def test_other_symbols_and_later_days_do_not_change(connection: sa.Connection) -> None:
    store(connection, "A", closes_with_split())
    store(connection, "AA", closes_with_split())
    price_decisions.record_decision(connection, "A", SPLIT_DAY, SplitRatio(4, 1), "test")
    assert input_queries.read_closes(connection, ["AA"], DAYS)["AA"].tolist() == closes_with_split()
    assert find_suspected_splits(connection)["symbol"].tolist() == ["AA"]


@pytest.mark.parametrize("shares", [(0, 1), (4, None), (4, 4), (-4, 1)])
def test_the_database_refuses_a_split_that_is_none(
    connection: sa.Connection, shares: tuple[int, int | None]
) -> None:
    row = {"symbol": "A", "date": SPLIT_DAY, "kind": "split"}
    row |= dict(zip(("new_shares", "old_shares"), shares, strict=True))
    with pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.insert(tables.price_decisions).values(row))


@pytest.mark.parametrize("build", EVERY_TRADED_MARKET)
def test_splits_of_closes_as_traded_are_found_and_taken_out(
    connection: sa.Connection, build: Callable[[], TradedMarket]
) -> None:
    """Every split in five years; then the closes move as the adjusted closes do."""
    market = build()
    splits = sorted((symbol, day, ratio) for day, symbol, ratio in market.splits)
    symbols = sorted({symbol for symbol, _, _ in splits})
    rows = market.rows[market.rows["symbol"].isin([*symbols, "PG"])].assign(has_adj_close=True)
    rows["date"] = rows["date"].dt.date
    names = ["symbol", "date", *Bars._fields, "open", "volume", "has_adj_close"]
    input_writes.store_prices(connection, rows[names], "test")
    found = find_suspected_splits(connection)
    keys = list(zip(found["symbol"], found["date"].dt.strftime("%Y-%m-%d"), strict=True))
    assert keys == [(symbol, day) for symbol, day, _ in splits]
    assert found["in_close"].tolist() == [ratio for _, _, ratio in splits]
    assert found["in_adj_close"].isna().all()
    ratios = {1.25: SplitRatio(5, 4), 1.5: SplitRatio(3, 2)}
    for symbol, day, ratio in splits:
        price_decisions.record_decision(
            connection, symbol, date.fromisoformat(day), ratios[ratio], "test"
        )
    assert find_suspected_splits(connection).empty
    days = sorted(set(rows["date"]))
    closes, adjusted = (
        of(connection, symbols, days)
        for of in (input_queries.read_closes, input_queries.read_adjusted_closes)
    )
    assert (closes.pct_change() - adjusted.pct_change()).abs().max(axis=None) < 0.02  # dividends
    as_delivered = rows.pivot(index="date", columns="symbol", values="adj_close")
    np.testing.assert_array_equal(adjusted.to_numpy(), as_delivered[symbols].to_numpy())


def add_closes(
    engine: sa.Engine, symbols: Sequence[str], days: Sequence[date], **columns: object
) -> None:
    """Import closes of a file without adjusted closes, in a separate transaction."""
    rows = [
        {"symbol": symbol, "date": day, "close": 100.0, "adj_close": 100.0}
        for symbol in symbols
        for day in days
    ]
    frame = pd.DataFrame(rows).assign(**{"has_adj_close": False} | columns)
    with engine.begin() as connection:
        input_writes.store_prices(connection, frame, "file")


def test_imports_of_close_only_files_meet_at_a_seam(engine: sa.Engine) -> None:
    """A history replaced by the same closes, or with adjusted closes, has no splice."""
    add_closes(engine, ["A", "B"], DAYS[:5])
    add_closes(engine, ["A"], DAYS[:8])
    add_closes(engine, ["B", "NEW"], DAYS[6:])
    for days in (DAYS[:5], DAYS[5:]):
        add_closes(engine, ["ADJUSTED"], days, has_adj_close=True)
    with engine.connect() as connection:
        found = find_import_splices(connection, ["A", "ADJUSTED", "B", "NEW"], DAYS)
        assert find_import_splices(connection, ["A"], DAYS[:5]).empty
    keys = list(zip(found["symbol"], found["date"].dt.date, strict=True))
    assert keys == [("A", DAYS[5]), ("B", DAYS[6])]


@pytest.mark.parametrize(("n_seams", "is_listed"), [(MAX_SPLICES, True), (MAX_SPLICES + 1, False)])
def test_a_symbol_imported_every_night_has_no_pieces(
    connection: sa.Connection, n_seams: int, is_listed: bool
) -> None:
    days = trading_calendar.sessions_with_lookback([DAYS[-1]], n_seams)
    rows = [
        {
            "symbol": "A",
            "date": day,
            "close": 100.0,
            "adj_close": 100.0,
            "data_source": f"file {at}: close only",
        }
        for at, day in enumerate(days)
    ]
    connection.execute(sa.insert(tables.market_data_cache), rows)
    assert len(find_import_splices(connection, ["A"], days)) == (n_seams if is_listed else 0)
