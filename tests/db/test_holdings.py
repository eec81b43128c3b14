"""Sequences of statements: the open lots of each day are those stated for it."""

import threading
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmetrics.db import holdings, portfolios, tables
from riskmetrics.errors import UsageError
from riskmetrics.trading_calendar import FIRST_SESSION
from tests.forked_commands import PATIENCE
from tests.outdated_ranges import read_outdated_range

LOTS = tables.positions
NOVEMBER, DECEMBER, SATURDAY = date(2024, 11, 29), date(2024, 12, 6), date(2024, 12, 7)
BOUGHT = date(2020, 3, 23)
LOT = {
    **dict.fromkeys(("entry_price", "strike_price", "last_price"), np.nan),
    **dict.fromkeys(("entry_date", "underlying_symbol", "expiration_date")),
    "investment_class": "PUBLIC",
}


def lot(symbol: str, quantity: float, **others: object) -> dict[str, object]:
    """Return a row in the format of `read_portfolio`."""
    return (
        LOT
        | {
            "symbol": symbol,
            "quantity": float(quantity),
            "position_type": "SHORT" if quantity < 0 else "LONG",
        }
        | others
    )


def state(
    connection: sa.Connection,
    day: date,
    *lots: dict[str, object],
    equity: Decimal | None = None,
    name: str = "P",
) -> tuple[int, ...]:
    """Apply a statement; return the numbers of opened, closed, corrected, unchanged lots."""
    columns = ["symbol", "quantity", "position_type", *LOT]
    return holdings.apply_statement(
        connection, name, pd.DataFrame(list(lots), columns=columns), as_of=day, equity=equity
    )[1:5]


def closes(connection: sa.Connection, day: date, **prices: float) -> None:
    """Store closes of symbols on a day."""
    rows = [
        {"symbol": symbol, "date": day, "close": close, "data_source": "test"}
        for symbol, close in prices.items()
    ]
    connection.execute(sa.insert(tables.market_data_cache), rows)


def stored(connection: sa.Connection, *names: str) -> list[tuple[object, ...]]:
    """Return columns of all lots in a stable order; quantities and prices as float."""
    rows = connection.execute(
        sa.select(*(LOTS.c[name] for name in names)).order_by(
            LOTS.c.symbol, LOTS.c.entry_date, LOTS.c.exit_date, LOTS.c.quantity
        )
    )
    return [
        tuple(float(value) if isinstance(value, Decimal) else value for value in row)
        for row in rows
    ]


def open_on(connection: sa.Connection, day: date) -> Counter[tuple[str, float]]:
    """Return the lots open on a day by the rule of the metrics."""
    is_open = sa.and_(
        LOTS.c.entry_date <= day, sa.or_(LOTS.c.exit_date.is_(None), LOTS.c.exit_date > day)
    )
    return Counter(
        (symbol, float(quantity))
        for symbol, quantity in connection.execute(
            sa.select(LOTS.c.symbol, LOTS.c.quantity).where(is_open)
        )
    )


def test_the_same_statement_again_changes_nothing_in_any_order(connection):
    lots = [
        *[
            lot("A", 10),
            lot("A", 10, entry_price=9),
            lot("A", 10, entry_date=BOUGHT, entry_price=5),
            lot("A", 10, entry_date=BOUGHT, entry_price=6),
        ],
        *[
            lot("B", -3.00005, entry_price=7.00005),
            lot("C", 1, entry_date=DECEMBER, entry_price=8),
            lot("D", 2, investment_class="PRIVATE", last_price=9),
        ],
    ]
    assert state(connection, DECEMBER, *lots) == (7, 0, 0, 0)
    before = stored(connection, *LOTS.c.keys())
    for again in (lots, lots[::-1], lots[3:] + lots[:3]):
        assert state(connection, DECEMBER, *again) == (0, 0, 0, 7)
    assert state(connection, DECEMBER + timedelta(days=30), *lots) == (0, 0, 0, 7)
    assert stored(connection, *LOTS.c.keys()) == before


def test_an_unknown_entry_is_assumed_at_the_first_statement_only(connection):
    closes(connection, DECEMBER, A=100, B=20)
    state(connection, NOVEMBER, lot("A", 10))
    state(connection, DECEMBER, lot("A", 10), lot("B", 5), lot("C", 1), lot("D", 1, entry_price=4))
    assert stored(connection, "symbol", "entry_date", "entry_price", "entry_date_assumed") == [
        ("A", FIRST_SESSION, None, True),
        ("B", DECEMBER, 20, False),
        ("C", DECEMBER, None, False),
        ("D", DECEMBER, 4, False),
    ]


def test_what_is_not_stated_again_has_left_at_the_close(connection):
    closes(connection, DECEMBER, A=100, B=20)
    state(connection, NOVEMBER, lot("A", 10), lot("B", 5, investment_class="PRIVATE"), lot("C", 1))
    assert state(connection, DECEMBER, lot("C", 1)) == (0, 2, 0, 1)
    assert stored(connection, "symbol", "exit_date", "exit_price") == [
        ("A", DECEMBER, 100),
        ("B", DECEMBER, None),
        ("C", None, None),
    ]
    assert state(connection, DECEMBER) == (0, 1, 0, 0)


def test_a_changed_quantity_is_a_sale_and_a_purchase_at_the_close(connection):
    """The stated average cost is that of the whole holding and would count its profit twice."""
    closes(connection, DECEMBER, A=100)
    state(connection, NOVEMBER, lot("A", 10, entry_date=BOUGHT, entry_price=40))
    changed = lot("A", 15, entry_date=BOUGHT, entry_price=55)
    assert state(connection, DECEMBER, changed) == (1, 1, 0, 0)
    assert state(connection, DECEMBER, changed) == (0, 0, 0, 1)
    assert stored(
        connection, "quantity", "entry_date", "entry_price", "exit_date", "exit_price"
    ) == [
        (10, BOUGHT, 40, DECEMBER, 100),
        (15, DECEMBER, 100, None, None),
    ]


def test_a_purchase_of_the_day_itself_keeps_its_price(connection):
    closes(connection, DECEMBER, A=100)
    state(connection, NOVEMBER, lot("A", 10))
    bought = lot("A", 15, entry_date=DECEMBER, entry_price=99)
    assert state(connection, DECEMBER, bought) == (1, 1, 0, 0)
    assert state(connection, DECEMBER, bought) == (0, 0, 0, 1)
    assert stored(connection, "entry_price", "exit_price") == [(None, 100), (99, None)]


def test_news_entered_on_the_day_of_the_statement_before_was_held_elsewhere_until_now(connection):
    """The earlier statement would contain it; a lot entered the day after keeps its entry."""
    closes(connection, DECEMBER, B=100, C=100)
    state(connection, NOVEMBER, lot("A", 10))
    after = NOVEMBER + timedelta(days=1)
    before = lot("B", 1, entry_date=NOVEMBER, entry_price=40)
    state(connection, DECEMBER, lot("A", 10), before, lot("C", 1, entry_date=after, entry_price=40))
    _, moved, new = stored(connection, "symbol", "entry_date", "entry_price")
    assert (moved, new) == (("B", DECEMBER, 100), ("C", after, 40))


def test_of_several_equal_lots_only_the_ones_too_many_leave(connection):
    state(connection, NOVEMBER, *[lot("A", 10)] * 3, lot("A", 5))
    assert state(connection, DECEMBER, *[lot("A", 10)] * 2, lot("A", 7)) == (1, 2, 0, 2)
    assert open_on(connection, DECEMBER) == Counter({("A", 10): 2, ("A", 7): 1})
    assert open_on(connection, NOVEMBER) == Counter({("A", 10): 3, ("A", 5): 1})


def test_an_entry_that_is_filled_in_later_is_taken_over_once(connection):
    state(
        connection,
        NOVEMBER,
        lot("A", 10),
        lot("A", 10),
        lot("B", 5, entry_date=BOUGHT),
        lot("C", 1),
    )
    filled = [
        lot("A", 10, entry_date=BOUGHT, entry_price=40),
        lot("A", 10),
        lot("B", 5, entry_date=BOUGHT, entry_price=3),
        lot("C", 1, entry_price=7),
    ]
    assert state(connection, DECEMBER, *filled) == (0, 0, 3, 1)
    assert state(connection, DECEMBER, *filled[::-1]) == (0, 0, 0, 4)
    assert stored(connection, "symbol", "entry_date", "entry_price", "entry_date_assumed") == [
        ("A", FIRST_SESSION, None, True),
        ("A", BOUGHT, 40, False),
        ("B", BOUGHT, 3, False),
        ("C", FIRST_SESSION, 7, True),
    ]


def test_a_corrected_price_goes_to_the_lot_of_its_date(connection):
    later = date(2021, 6, 1)
    state(
        connection,
        NOVEMBER,
        lot("A", 10, entry_date=BOUGHT, entry_price=40),
        lot("A", 10, entry_date=later, entry_price=60),
    )
    corrected = [
        lot("A", 10, entry_date=later, entry_price=61),
        lot("A", 10, entry_date=BOUGHT, entry_price=41),
    ]
    assert state(connection, NOVEMBER, *corrected) == (0, 0, 2, 0)
    assert stored(connection, "entry_date", "entry_price") == [(BOUGHT, 41), (later, 61)]


def test_what_was_bought_elsewhere_before_the_last_statement_enters_on_the_day(connection):
    """According to the previous statement it was not held in this portfolio."""
    closes(connection, DECEMBER, A=100)
    state(connection, NOVEMBER, lot("B", 1))
    moved_in, bought_since = (
        lot("A", 10, entry_date=BOUGHT, entry_price=5),
        lot("C", 2, entry_date=date(2024, 12, 2), entry_price=6),
    )
    assert state(connection, DECEMBER, lot("B", 1), moved_in, bought_since) == (2, 0, 0, 1)
    assert state(connection, DECEMBER, lot("B", 1), moved_in, bought_since) == (0, 0, 0, 3)
    assert stored(connection, "symbol", "entry_date", "entry_price")[::2] == [
        ("A", DECEMBER, 100),
        ("C", date(2024, 12, 2), 6),
    ]
    assert open_on(connection, NOVEMBER) == Counter({("B", 1): 1})


def test_a_lot_that_the_days_first_statement_forgot_keeps_its_entry(connection):
    state(connection, DECEMBER, lot("A", 10))
    state(connection, DECEMBER, lot("A", 10), lot("B", 5, entry_date=BOUGHT, entry_price=3))
    assert stored(connection, "symbol", "entry_date", "entry_price")[1] == ("B", BOUGHT, 3)


def test_a_holding_that_turns_short_closes_and_opens(connection):
    closes(connection, DECEMBER, A=100)
    state(connection, NOVEMBER, lot("A", 10))
    assert state(connection, DECEMBER, lot("A", -10)) == (1, 1, 0, 0)
    assert stored(connection, "position_type", "quantity", "entry_price", "exit_price") == [
        ("LONG", 10, None, 100),
        ("SHORT", -10, 100, None),
    ]


def test_options_are_told_apart_by_their_terms_and_have_no_close(connection):
    closes(connection, DECEMBER, AAPL=240)
    terms = {
        "position_type": "SC",
        "investment_class": "OPTIONS",
        "underlying_symbol": "AAPL",
        "expiration_date": date(2025, 1, 17),
    }
    low, high = (
        lot("AAPL", -2, strike_price=250, **terms),
        lot("AAPL", -2, strike_price=260, last_price=3.1, **terms),
    )
    state(connection, NOVEMBER, low, high)
    assert state(connection, DECEMBER, high | {"last_price": 4.2}, low | {"quantity": -1.0}) == (
        1,
        1,
        1,
        0,
    )
    assert sorted(
        stored(connection, "strike_price", "quantity", "entry_price", "exit_price", "last_price"),
        key=str,
    ) == [
        (250, -1, None, None, None),
        (250, -2, None, None, None),
        (260, -2, None, None, 4.2),
    ]


def test_a_short_that_other_code_stored_without_its_sign_is_the_same_lot(connection):
    state(connection, NOVEMBER, lot("A", -10))
    connection.execute(sa.update(LOTS).values(quantity=10))
    assert state(connection, DECEMBER, lot("A", -10)) == (0, 0, 0, 1)


def test_on_a_closed_day_the_close_before_it_counts(connection):
    closes(connection, DECEMBER, A=100)
    state(connection, NOVEMBER, lot("A", 10))
    state(connection, SATURDAY, lot("A", 12))
    assert stored(connection, "entry_date", "entry_price", "exit_date", "exit_price") == [
        (FIRST_SESSION, None, SATURDAY, 100),
        (SATURDAY, 100, None, None),
    ]


def test_a_day_before_the_last_statement_is_refused_and_changes_nothing(connection):
    state(connection, DECEMBER, lot("A", 10))
    before = stored(connection, *LOTS.c.keys())
    with pytest.raises(
        UsageError,
        match=(
            "holdings of P are already stored for 2024-12-06, later than 2024-11-29: use a later"
        ),
    ):
        state(connection, NOVEMBER)
    assert stored(connection, *LOTS.c.keys()) == before


def test_an_equity_stays_until_another_is_stated(connection):
    columns = (
        tables.portfolios.c.equity_balance,
        tables.portfolios.c.equity_as_of,
        tables.portfolios.c.holdings_as_of,
    )
    state(connection, NOVEMBER, lot("A", 10), equity=Decimal("1000.50"))
    state(connection, DECEMBER, lot("A", 10))
    assert connection.execute(sa.select(*columns)).one() == (Decimal("1000.50"), NOVEMBER, DECEMBER)
    state(connection, DECEMBER, lot("A", 10), equity=Decimal(-5))
    assert connection.execute(sa.select(*columns)).one() == (Decimal(-5), DECEMBER, DECEMBER)


def test_a_removed_portfolio_can_be_imported_again_under_its_name(connection):
    state(connection, DECEMBER, lot("A", 10))
    assert portfolios.remove_portfolio(connection, "P")
    assert not portfolios.remove_portfolio(connection, "P")
    assert state(connection, NOVEMBER, lot("A", 10)) == (1, 0, 0, 0)
    assert connection.scalar(sa.select(sa.func.count(LOTS.c.portfolio_id.distinct()))) == 2


def compute(connection: sa.Connection, name: str, *days: date) -> None:
    """Store values of a portfolio on days, as a run does."""
    table = tables.portfolio_snapshots
    owner = portfolios.find_portfolio_id(connection, name)
    required = [
        column.name
        for column in table.c
        if not (column.nullable or column.server_default or column.default)
    ]
    rows = [
        dict.fromkeys(required, 1) | {"portfolio_id": owner, "snapshot_date": day} for day in days
    ]
    connection.execute(sa.insert(table), rows)


KEPT = [lot("A", 10), lot("B", 5, entry_date=BOUGHT, entry_price=4)]
"""Lots that were held on both days with results."""


@pytest.mark.parametrize(
    ("day", "lots", "equity", "first"),
    [
        (DECEMBER, KEPT, None, None),  # the same again
        (DECEMBER, KEPT[1:], None, DECEMBER),  # sold
        (DECEMBER, [*KEPT, lot("C", 1)], None, DECEMBER),  # bought on an unknown day
        (DECEMBER, [lot("A", 11), KEPT[1]], None, DECEMBER),
        (SATURDAY, KEPT[1:], None, None),  # after the last result
        (SATURDAY, [*KEPT, lot("C", 1, entry_date=DECEMBER)], None, DECEMBER),
        (SATURDAY, [*KEPT, lot("C", 1, entry_date=SATURDAY)], None, None),
        (DECEMBER, [KEPT[0], KEPT[1] | {"entry_price": 5.0}], None, NOVEMBER),
        (DECEMBER, [lot("A", 10, entry_date=BOUGHT), KEPT[1]], None, NOVEMBER),
        (DECEMBER, [KEPT[0] | {"last_price": 2.0}, KEPT[1]], None, None),  # valued at its close
        (DECEMBER, [KEPT[0] | {"investment_class": "PRIVATE"}, KEPT[1]], None, DECEMBER),
        (DECEMBER, KEPT, Decimal(900), DECEMBER),
        (SATURDAY, KEPT, Decimal(900), None),
    ],
)
def test_results_from_the_first_changed_day_on_are_outdated(connection, day, lots, equity, first):
    state(connection, NOVEMBER, *KEPT)
    state(connection, NOVEMBER, *KEPT, name="Other")
    compute(connection, "P", NOVEMBER, DECEMBER)
    state(connection, day, *lots, equity=equity)
    state(connection, day, name="Other")  # without results
    expected = None if first is None else (first, DECEMBER)
    assert read_outdated_range(connection) == expected
    state(connection, day, *lots, equity=equity)
    assert read_outdated_range(connection) == expected


def test_two_portfolios_of_a_name_are_not_guessed_between(connection):
    connection.execute(sa.insert(tables.portfolios), [{"name": "P", "currency": "USD"}] * 2)
    with pytest.raises(UsageError, match="2 portfolios are named P: rename them"):
        state(connection, DECEMBER)


def test_two_statements_at_the_same_time_are_taken_one_after_the_other(engine):
    barrier, results = threading.Barrier(2), []

    def run() -> None:
        with engine.begin() as connection:
            barrier.wait(PATIENCE)
            results.append(state(connection, DECEMBER, lot("A", 10), lot("B", 5)))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(results) == [(0, 0, 0, 2), (2, 0, 0, 0)]
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.portfolios)) == 1


stated_lots = st.lists(
    st.builds(
        lot,
        st.sampled_from("AB"),
        st.sampled_from([5, 10, -5]),
        entry_date=st.sampled_from([None, BOUGHT]),
        entry_price=st.sampled_from([np.nan, 7.0]),
    ),
    max_size=5,
)


@given(
    statements=st.lists(stated_lots, min_size=1, max_size=5),
    gaps=st.lists(st.integers(1, 40), min_size=5, max_size=5),
    data=st.data(),
)
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_open_on_a_stated_day_is_what_was_stated(connection, statements, gaps, data):
    """Applying the last statement again, in another order, changes nothing."""
    days = [NOVEMBER + timedelta(days=gap) for gap in accumulate(gaps)][: len(statements)]
    with connection.begin_nested() as savepoint:
        for day, lots in zip(days, statements, strict=True):
            state(connection, day, *lots)
        for day, lots in zip(days, statements, strict=True):
            assert open_on(connection, day) == Counter(
                (row["symbol"], row["quantity"]) for row in lots
            )
        again = data.draw(st.permutations(statements[-1]))
        assert state(connection, days[-1], *again) == (0, 0, 0, len(again))
        savepoint.rollback()
