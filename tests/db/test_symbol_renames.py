"""FB becomes META: lots, options, prices, profile, decisions and settings, without false moves."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import identifier_store, input_writes, stored_settings, tables, vendor
from riskmetrics.db.symbol_renames import RenamedRows, rename_symbol
from riskmetrics.errors import DataQualityError, UsageError

DAYS = trading_calendar.sessions_between(date(2022, 1, 3), date(2022, 12, 28))
CLOSES = np.round(300 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, len(DAYS)))), 2)


def store(
    connection: sa.Connection, symbol: str, first: int, last: int, *, ratio: float = 1.0, **changed
) -> None:
    """Store closes of a symbol from one session to another, at a ratio to the true ones."""
    closes = CLOSES[first:last] * ratio
    rows = {
        "symbol": symbol,
        "date": DAYS[first:last],
        "open": closes,
        "high": closes,
        "low": closes,
        "close": closes,
        "adj_close": closes * 0.9,
        "volume": 1000,
        "has_adj_close": True,
    }
    input_writes.store_prices(connection, pd.DataFrame(rows | changed), f"{symbol}.csv")


def stored(connection: sa.Connection, symbol: str) -> dict[date, tuple[float, float, str]]:
    """Return close, adjusted close and source of each day."""
    table = tables.market_data_cache
    columns = (table.c.date, table.c.close, table.c.adj_close, table.c.data_source)
    rows = connection.execute(sa.select(*columns).where(table.c.symbol == symbol)).all()
    return {day: (float(close), adjusted, source) for day, close, adjusted, source in rows}


def add_lots(connection: sa.Connection, *lots: dict[str, object]) -> None:
    """Store lots of a new portfolio."""
    portfolio = connection.scalar(
        sa.insert(tables.portfolios)
        .values(name="Growth", currency="USD")
        .returning(tables.portfolios.c.id)
    )
    common = {
        "portfolio_id": portfolio,
        "quantity": 10,
        "entry_price": 100,
        "entry_date": date(2022, 1, 3),
        "position_type": "LONG",
        "investment_class": "PUBLIC",
        "underlying_symbol": None,
    }
    connection.execute(sa.insert(tables.positions), [common | lot for lot in lots])


def test_a_history_goes_to_a_name_without_prices_as_it_is(connection):
    store(connection, "FB", 0, 100)
    before = stored(connection, "FB")
    assert rename_symbol(connection, "FB", "META") == RenamedRows(0, 100)
    assert stored(connection, "META") == before
    assert stored(connection, "FB") == {}


@pytest.mark.parametrize("ratio", [1.0, 0.25])
def test_earlier_closes_are_restated_to_the_new_history(connection, ratio):
    """The new name's history was fetched after a split: the old one's returns stay."""
    store(connection, "FB", 0, 110)
    store(connection, "META", 100, 200, ratio=ratio)
    assert rename_symbol(connection, "FB", "META") == RenamedRows(0, 110)
    found = stored(connection, "META")
    assert sorted(found) == DAYS[:200]
    closes = np.array([found[day][0] for day in sorted(found)])
    adjusted = np.array([found[day][1] for day in sorted(found)])
    np.testing.assert_allclose(closes, CLOSES[:200] * ratio, atol=0.0051)
    np.testing.assert_allclose(adjusted, CLOSES[:200] * ratio * 0.9, rtol=1e-4)
    assert found[DAYS[99]][2] == "FB.csv"
    assert found[DAYS[100]][2] == "META.csv"
    assert stored(connection, "FB") == {}


@pytest.mark.parametrize(
    ("first", "changed"),
    [
        (101, {}),  # nine common sessions
        (110, {}),  # none
        (100, {"has_adj_close": False}),
        (100, {"close": 50.0, "open": 50.0, "high": 50.0, "low": 50.0}),  # another share
    ],
)
def test_histories_that_do_not_continue_each_other_stay(connection, first, changed):
    store(connection, "FB", 0, 110)
    store(connection, "META", first, 200, **changed)
    with pytest.raises(DataQualityError, match="do not continue each other"):
        rename_symbol(connection, "FB", "META")
    assert len(stored(connection, "FB")) == 110
    assert len(stored(connection, "META")) == 200 - first


def drift(seed: int, volatility: float, price: float = 300.0) -> np.ndarray:
    """Return closes of a volatility per session."""
    moves = np.random.default_rng(seed).normal(0, volatility, len(DAYS))
    return price * np.exp(np.cumsum(moves))


@pytest.mark.parametrize("volatility", [0.0005, 0.003, 0.02, 0.06])
def test_independent_returns_are_no_renaming_however_calm(connection, volatility):
    """Neither is a calm series that has half of the other one's moves."""
    first, other = drift(2, volatility), drift(3, volatility)
    store(connection, "FB", 0, 200, close=first[:200])
    for closes in (other, np.sqrt(first * other)):
        store(connection, "META", 0, 200, close=closes[:200])
        with pytest.raises(DataQualityError, match="different returns"):
            rename_symbol(connection, "FB", "META")
    assert len(stored(connection, "FB")) == 200


@pytest.mark.parametrize("price", [2.0, 300.0])
def test_returns_that_differ_by_rounding_and_a_split_are_of_one_security(connection, price):
    closes = drift(2, 0.003, price)
    split = np.where(np.arange(len(DAYS)) < 90, 1.0, 0.25)
    store(connection, "FB", 0, 200, close=(closes * split).round(2)[:200])
    store(connection, "META", 0, 200, close=closes.round(4)[:200])
    assert rename_symbol(connection, "FB", "META") == RenamedRows(0, 200)


@pytest.mark.parametrize(
    ("n_others", "apart", "is_renamed"),
    [(40, 0.5, True), (41, 0.5, False), (200, 0.15, True), (200, 0.151, False)],
)
def test_four_of_five_returns_must_be_equal(connection, n_others, apart, is_renamed):
    """Both have 200 returns, of which some of the other one's are larger by a share."""
    moves = np.where(np.arange(201) % 2, 0.002, -0.002)
    larger = moves * np.where(np.arange(201) <= n_others, 1 + apart, 1.0)
    first, other = (1e4 * np.cumprod(1 + values) for values in (moves, larger))
    store(connection, "FB", 0, 201, close=first)
    store(connection, "META", 0, 201, close=other)
    if is_renamed:
        assert rename_symbol(connection, "FB", "META") == RenamedRows(0, 201)
    else:
        with pytest.raises(DataQualityError, match="different returns"):
            rename_symbol(connection, "FB", "META")


def test_lots_and_options_have_the_new_name(connection):
    option = {"position_type": "LC", "investment_class": "OPTIONS", "underlying_symbol": "FB"}
    terms = {"strike_price": 300, "expiration_date": date(2023, 1, 20)}
    add_lots(
        connection,
        {"symbol": "FB", "strike_price": None, "expiration_date": None},
        {"symbol": "FBX", "strike_price": None, "expiration_date": None},
        {"symbol": "FB230120C00300000", **option, **terms},
        {"symbol": "named otherwise", **option, **terms},
    )
    assert rename_symbol(connection, "FB", "META") == RenamedRows(3, 0)
    table = tables.positions
    rows = connection.execute(
        sa.select(table.c.symbol, table.c.underlying_symbol).order_by(table.c.symbol)
    ).all()
    assert sorted(rows) == sorted(
        [
            ("FBX", None),
            ("META", None),
            ("META230120C00300000", "META"),
            ("named otherwise", "META"),
        ]
    )


def test_the_root_of_an_option_has_no_dash(connection):
    add_lots(
        connection,
        {
            "symbol": "BFB230120C00300000",
            "position_type": "LC",
            "investment_class": "OPTIONS",
            "underlying_symbol": "BF-B",
            "strike_price": 300,
            "expiration_date": date(2023, 1, 20),
        },
    )
    rename_symbol(connection, "BF-B", "BN-C")
    table = tables.positions
    (row,) = connection.execute(sa.select(table.c.symbol, table.c.underlying_symbol)).all()
    assert row == ("BNC230120C00300000", "BN-C")


def test_profile_decisions_and_index_go_along_unless_the_new_name_has_its_own(connection):
    store(connection, "FB", 0, 20)
    profile = {"data_source": "FMP"}
    for symbol in ("FB", "OLD", "NEW"):
        connection.execute(
            sa.insert(tables.company_profiles).values(
                symbol=symbol, company_name=f"{symbol} Inc.", **profile
            )
        )
    store(connection, "OLD", 0, 20)
    for symbol, day in (("OLD", DAYS[3]), ("OLD", DAYS[4]), ("NEW", DAYS[3])):
        connection.execute(
            sa.insert(tables.price_decisions).values(symbol=symbol, date=day, kind="accept")
        )
    input_writes.store_setting(connection, stored_settings.MARKET_INDEX, "FB")
    vendor.record_answer(connection, "FMP", "prices", "FB", problem="FMP has no price of FB")
    rename_symbol(connection, "FB", "META")
    rename_symbol(connection, "OLD", "NEW")
    table = tables.company_profiles
    names = connection.execute(sa.select(table.c.symbol, table.c.company_name)).all()
    assert sorted(names) == [("META", "FB Inc."), ("NEW", "NEW Inc.")]
    decisions = connection.execute(
        sa.select(tables.price_decisions.c.symbol, tables.price_decisions.c.date)
    ).all()
    assert sorted(decisions) == [("NEW", DAYS[3]), ("NEW", DAYS[4])]
    assert stored_settings.read_market_index(connection, None) == "META"
    assert vendor.read_last_problem(connection, "FMP") is None


def test_sector_weights_of_a_fund_go_along(connection):
    store(connection, "OLDF", 0, 20)
    for fund, sector in (("OLDF", "Energy"), ("OLDF", "Utilities"), ("NEWF", "Energy")):
        weights = {"date": DAYS[5], "sector": [sector], "weight": [0.4 if fund == "OLDF" else 1.0]}
        input_writes.store_benchmark_weights(connection, pd.DataFrame(weights), fund, "file")
        if fund == "OLDF":  # an import replaces the weights of a day
            connection.execute(
                sa.update(tables.benchmarks_sector_weights)
                .where(tables.benchmarks_sector_weights.c.sector == "Energy")
                .values(asof_date=DAYS[6])
            )
    profile = {"symbol": "OLDF", "is_etf": True, "data_source": "file"}
    connection.execute(sa.insert(tables.company_profiles).values(profile))
    rename_symbol(connection, "OLDF", "NEWF")
    table = tables.benchmarks_sector_weights
    query = sa.select(table.c.benchmark_code, table.c.asof_date, table.c.sector)
    # the weights of a day are of one fund: those of the old name on DAYS[5] would add to the new
    assert sorted(connection.execute(query).all()) == [
        ("NEWF", DAYS[5], "Energy"),
        ("NEWF", DAYS[6], "Energy"),
    ]


def test_the_weights_of_a_benchmark_stay_although_a_symbol_has_its_code(connection):
    store(connection, "SP500", 0, 20)
    weights = pd.DataFrame({"date": DAYS[5], "sector": ["Energy"], "weight": [1.0]})
    input_writes.store_benchmark_weights(connection, weights, "SP500", "file")
    rename_symbol(connection, "SP500", "GSPC")
    code = sa.select(tables.benchmarks_sector_weights.c.benchmark_code)
    assert connection.scalars(code).all() == ["SP500"]


def test_a_symbol_is_renamed_twice_and_back(connection):
    """Prices, lots, options, identifiers and the profile follow every time, and nothing is lost."""
    option = {"position_type": "LC", "investment_class": "OPTIONS", "underlying_symbol": "FB"}
    terms = {"strike_price": 300, "expiration_date": date(2023, 1, 20)}
    add_lots(
        connection,
        {"symbol": "FB", "strike_price": None, "expiration_date": None},
        {"symbol": "FB230120C00300000", **option, **terms},
    )
    store(connection, "FB", 0, 50)
    store(connection, "META", 30, 80)
    identifier_store.store_symbols(connection, {"30303M102": "FB"}, "file")
    names = ["FB", "META", "MVRS", "META", "FB"]
    for old, new in pairwise(names):
        rename_symbol(connection, old, new)
        assert sorted(stored(connection, new)) == DAYS[:80]
        assert stored(connection, old) == {}
        assert identifier_store.read_symbols(connection, ["30303M102"]) == {"30303M102": new}
        rows = connection.execute(sa.select(tables.positions.c.symbol)).scalars().all()
        assert sorted(rows) == [new, f"{new}230120C00300000"]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [("FB", "FB", "are both FB"), ("NOSUCH", "META", "no lot and no price of NOSUCH")],
)
def test_a_renaming_of_nothing_is_refused(connection, old, new, text):
    with pytest.raises(UsageError, match=text):
        rename_symbol(connection, old, new)
