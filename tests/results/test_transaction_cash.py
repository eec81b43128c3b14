"""Cash, P&L and returns of portfolios that are kept by transactions, by hand."""

import math
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from small_books import Book, book, lot

from riskmetrics.explain import day_pnl
from riskmetrics.results import snapshots
from riskmetrics.results.income import Distributions
from riskmetrics.results.transaction_cash import sum_transaction_cash

FRI, MON, TUE, WED, THU = (date(2024, 1, day) for day in (19, 22, 23, 24, 25))
WEEK = {FRI: 10.0, MON: 10.0, TUE: 11.0, WED: 12.0, THU: 13.0}


def kept(*lots: dict, flows: list[tuple], closes=None, **others) -> Book:
    """Return a book whose portfolio A has cash flows of (day, kind, amount[, symbol])."""
    rows = [("A", pd.Timestamp(flow[0]), flow[1], (*flow, None)[3], flow[2]) for flow in flows]
    frame = pd.DataFrame(rows, columns=["portfolio_id", "day", "kind", "symbol", "amount"])
    made = book(*lots, closes=closes or {"X": WEEK}, **others)
    return made._replace(cash_flows=frame)


def rows_of(made: Book, *days: date) -> pd.DataFrame:
    """Return the value rows on some days."""
    return snapshots.value_rows(made.value_book(*days))[0]


BOUGHT = lot("X", 50, entry_date=TUE, entry_price=10.5)
HELD_LONG = lot("X", 50, entry_date=date(2023, 10, 23), entry_price=10.5)
FLOWS = [(MON, "deposit", 1000.0), (TUE, "buy", -525.0)]


def test_cash_is_known_on_every_session_and_equity_changes_by_the_pnl_and_the_flows() -> None:
    days = MON, TUE, WED, THU
    found = rows_of(kept(BOUGHT, flows=[*FLOWS, (WED, "fee", -2.0), (THU, "interest", 3.0)]), *days)
    assert found["cash_value"].tolist() == [1000, 475, 473, 476]
    assert found["total_value"].tolist() == [1000, 1025, 1073, 1126]
    assert found["daily_pnl"].tolist() == [0, 25, 48, 53]
    assert found["cumulative_pnl"].tolist() == [0, 25, 73, 126]
    assert_allclose(found["daily_return"][1:], [25 / 1000, 48 / 1025, 53 / 1073])
    assert set(found["equity_source"]) == {"transactions"}


def test_the_rows_of_one_day_have_the_bits_of_the_range() -> None:
    made = kept(BOUGHT, flows=[*FLOWS, (WED, "fee", -0.1), (THU, "interest", 0.7)])
    days = MON, TUE, WED, THU
    ranged = rows_of(made, *days)
    for place, day in enumerate(days):
        single = rows_of(made, day)
        pd.testing.assert_series_equal(single.iloc[0], ranged.iloc[place], check_names=False)


def test_a_deposit_is_there_at_the_start_and_a_withdrawal_leaves_at_the_end_of_its_day() -> None:
    held = lot("X", 50, entry_date=FRI, entry_price=10.0)
    start = [(FRI, "deposit", 500.0), (FRI, "buy", -500.0)]
    paid_in = rows_of(kept(held, flows=[*start, (TUE, "deposit", 500.0)]), TUE).iloc[0]
    assert paid_in["daily_return"] == pytest.approx(50 / 1000)
    paid_out = rows_of(kept(held, flows=[*start, (TUE, "withdrawal", -100.0)]), TUE).iloc[0]
    assert paid_out["daily_return"] == pytest.approx(50 / 500)
    assert paid_out["total_value"] == 450


def test_transferred_lots_are_flows_at_their_close() -> None:
    held = lot("X", 50, entry_date=FRI, entry_price=10.0)
    received = lot("X", 50, entry_date=TUE, entry_price=11.0)
    flows = [(FRI, "deposit", 500.0), (FRI, "buy", -500.0)]
    made = kept(held, received, flows=flows)
    row = rows_of(made, TUE).iloc[0]
    assert (row["cash_value"], row["total_value"], row["daily_pnl"]) == (0, 1100, 50)
    assert row["daily_return"] == pytest.approx(50 / (500 + 550))
    assert rows_of(made, WED).iloc[0]["daily_return"] == pytest.approx(100 / 1100)


def test_the_rounding_of_a_stored_price_is_no_transfer() -> None:
    bought = lot("X", 300, entry_date=TUE, entry_price=3.3333)  # for 1,000.00
    made = kept(bought, flows=[(MON, "deposit", 1000.0), (TUE, "buy", -1000.0)])
    assert made.value_book(TUE).start_of_day.equity.item() == 1000.0


def test_a_dividend_counts_once_on_the_ex_day_if_closes_show_it_else_when_it_is_paid() -> None:
    flows = [*FLOWS, (THU, "dividend", 25.0, "X")]
    event = pd.DataFrame(
        {"symbol": ["X"], "date": pd.to_datetime([WED]), "amount": [0.5]},
    )
    shown = kept(BOUGHT, flows=flows)._replace(distributions=Distributions(event, frozenset()))
    rows = rows_of(shown, WED, THU)
    assert rows["daily_pnl"].tolist() == [50 + 25, 50]
    assert rows["cash_value"].tolist() == [475, 500]
    none = Distributions(event.iloc[:0], frozenset({"X"}))
    rows = rows_of(kept(BOUGHT, flows=flows)._replace(distributions=none), WED, THU)
    assert rows["daily_pnl"].tolist() == [50, 50 + 25]
    money_market = [*FLOWS, (THU, "dividend", 4.0, "SPAXX")]
    assert rows_of(kept(BOUGHT, flows=money_market), THU)["daily_pnl"].item() == 54


@pytest.mark.parametrize(
    ("ex_day", "amount", "is_profit"),
    [
        (MON, 0.5, False),
        (date(2023, 10, 25), 0.5, False),  # 92 days before the payment
        (date(2023, 10, 24), 0.5, True),
        (MON, math.nan, False),  # a suspected split hides how much
        (MON, -0.5, True),  # a wrong price's payment that is reversed
        (None, 0.0, True),
    ],
)
def test_a_dividend_that_adjusted_closes_do_not_show_is_profit_when_it_is_paid(
    ex_day, amount, is_profit
) -> None:
    """Such as one of a cent, in closes of two decimals: 0.25 are 0.005 a share."""
    dates = pd.to_datetime([ex_day] if ex_day else [])
    events = pd.DataFrame({"symbol": "X", "date": dates, "amount": amount})
    made = kept(HELD_LONG, flows=[*FLOWS, (THU, "dividend", 0.25, "X")])
    made = made._replace(distributions=Distributions(events, frozenset()))
    rows = rows_of(made, WED, THU)
    assert rows["cash_value"].tolist() == [475, 475.25]
    assert rows["daily_pnl"].tolist() == [50, 50.25 if is_profit else 50]


@pytest.mark.parametrize(
    ("ex_days", "payments", "profit"),
    [
        # one distribution: the second payment is another one, which no close shows
        ([(1, 5)], {(1, 20): 25.0, (3, 20): 7.0}, 7.0),
        ([(1, 5)], {(1, 5): 25.0, (3, 20): 7.0}, 7.0),
        # a quarterly payer, and one that pays after the next ex-day
        ([(1, 5), (4, 5)], {(1, 20): 25.0, (4, 20): 26.0}, 0.0),
        ([(1, 5), (2, 5)], {(2, 10): 25.0, (3, 10): 26.0}, 0.0),
        ([(1, 5), (2, 5), (3, 5)], {(2, 10): 25.0, (3, 10): 26.0}, 0.0),
        # two distributions that are paid on a day
        ([(1, 5), (1, 8)], {(1, 20): 25.0}, 0.0),
        # a special dividend with a later ex-day that is paid before the ordinary one
        ([(1, 5), (1, 12)], {(1, 19): 50.0, (2, 2): 25.0}, 0.0),
        ([(1, 5), (1, 12)], {(1, 19): 50.0, (2, 2): 25.0, (2, 9): 3.0}, 3.0),
        # a payment before any ex-day pays none of a later one
        ([(1, 12)], {(1, 5): 4.0, (1, 19): 50.0, (2, 2): 25.0}, 29.0),
    ],
)
def test_a_day_of_payments_pays_the_latest_distribution_that_is_not_paid(
    ex_days, payments, profit, monkeypatch
) -> None:
    assert_profit_of_payments([HELD_LONG], ex_days, payments, profit, monkeypatch)


JAN_3, FEB_1 = (1, 3), (2, 1)


@pytest.mark.parametrize(
    ("held", "ex_days", "payments", "profit"),
    [
        # bought between the ex-days: the second payment is a special one that no close shows
        ([("1-15", None)], [JAN_3, FEB_1], {(2, 8): 25.0, (2, 20): 3.0}, 3.0),
        ([("1-15", None)], [JAN_3], {(2, 8): 25.0}, 25.0),
        # bought on the ex-day, and sold on it
        ([("1-3", None)], [JAN_3], {(2, 8): 25.0}, 25.0),
        ([("1-2", "1-3")], [JAN_3], {(2, 8): 25.0}, 0.0),
        ([("1-2", "1-2")], [JAN_3], {(2, 8): 25.0}, 25.0),
        # sold, and bought again
        ([("1-2", "1-10"), ("2-5", None)], [JAN_3, FEB_1], {(2, 8): 25.0, (2, 20): 3.0}, 3.0),
        ([("1-2", "1-10"), ("1-8", None)], [JAN_3, FEB_1], {(2, 8): 25.0, (2, 20): 3.0}, 0.0),
        ([], [JAN_3], {(2, 8): 25.0}, 25.0),
    ],
)
def test_only_the_distribution_of_a_day_on_which_lots_are_held_is_paid(
    held, ex_days, payments, profit, monkeypatch
) -> None:
    """By hand: no income is in the P&L of another ex-day, so its payment is profit when paid."""
    spans = [[pd.Timestamp(f"2024-{day}") if day else None for day in span] for span in held]
    lots = [lot("X", 50, entry_date=entry, exit_date=end) for entry, end in spans]
    elsewhere = [
        lot("X", 1, portfolio_id="B"),
        lot("Y", 1),
        lot("X", 1, investment_class="PRIVATE"),
    ]
    assert_profit_of_payments([*lots, *elsewhere], ex_days, payments, profit, monkeypatch)


def explained_lot(row: dict) -> SimpleNamespace:
    """Return a row of lots as `explain` has it, with dates and whether it is listed."""
    entry, end = (
        None if pd.isna(row[name]) else row[name].date() for name in ("entry_date", "exit_date")
    )
    listed = row["investment_class"] != "PRIVATE"
    return SimpleNamespace(symbol=row["symbol"], listed=listed, entry_date=entry, exit_date=end)


def assert_profit_of_payments(lots, ex_days, payments, profit, monkeypatch) -> None:
    """Assert what counts as profit when it is paid, by a run and by the other calculation."""
    paid = [(date(2024, *day), "dividend", amount, "X") for day, amount in payments.items()]
    # of another portfolio, which gets the distribution as well, and of another symbol
    others = [("B", pd.Timestamp(2024, 1, 6), "dividend", "X", 3.0)]
    others += [("A", pd.Timestamp(2024, 1, 6), "dividend", "Y", 0.0)]
    made = kept(*lots, flows=[(MON, "deposit", 1000.0), *paid])
    more = pd.DataFrame(others, columns=made.cash_flows.columns)
    flows = pd.concat([made.cash_flows, more], ignore_index=True)
    dates = [date(2024, *day) for day in ex_days]
    events = pd.DataFrame({"symbol": "X", "date": pd.to_datetime(dates), "amount": 0.5})
    end = date(2024, 6, 28)
    sessions = np.array([FRI, end], dtype="datetime64[D]")
    cash = sum_transaction_cash(flows, pd.Index(["A"]), sessions, events, made.lots)
    assert cash.other_since_start.item() == profit
    own = made.lots[made.lots["portfolio_id"] == "A"].to_dict("records")
    monkeypatch.setattr(day_pnl, "lots", lambda _: [explained_lot(row) for row in own])
    amounts = dict.fromkeys(dates, 0.5)
    sources = SimpleNamespace(
        cash_flows=flows[flows["portfolio_id"] == "A"], day=end, distributions=lambda _: amounts
    )
    assert day_pnl.cash_pnl(sources, date.min) == profit


def test_without_deposits_the_portfolio_is_valued_as_one_without_a_stated_equity() -> None:
    made = kept(BOUGHT, flows=[(TUE, "buy", -525.0), (WED, "fee", -2.0)])
    plain = book(BOUGHT, closes={"X": WEEK})
    pd.testing.assert_frame_equal(rows_of(made, TUE, WED), rows_of(plain, TUE, WED))


def test_another_portfolio_is_not_affected() -> None:
    other = lot("X", 7, portfolio_id="B", entry_date=MON, entry_price=10.0)
    made = kept(BOUGHT, other, flows=FLOWS, equity={"A": (None, None), "B": (100.0, TUE)})
    plain = book(other, closes={"X": WEEK}, equity={"B": (100.0, TUE)})
    both, alone = rows_of(made, TUE, WED), rows_of(plain, TUE, WED)
    pd.testing.assert_frame_equal(
        both[both["portfolio_id"] == "B"].reset_index(drop=True), alone.reset_index(drop=True)
    )


def test_the_missing_equity_balance_has_its_reason() -> None:
    _, undefined = snapshots.value_rows(kept(BOUGHT, flows=FLOWS).value_book(TUE))
    (reason,) = undefined.loc[undefined["metric"] == "portfolio_snapshots.equity_balance", "reason"]
    assert reason == "no equity balance is stated: cash follows from transactions"


def test_an_option_without_a_price_counts_when_it_is_exercised_next_to_the_shares() -> None:
    """By hand: a call with the strike 8, bought for 1.50 a share, is exercised at 11: 3 - 1.50."""
    call = lot(
        "X240119C00008000",
        1,
        entry_date=MON,
        entry_price=1.5,
        exit_date=TUE,
        exit_price=0.0,
        position_type="LC",
        investment_class="OPTIONS",
        underlying_symbol="X",
        strike_price=8.0,
        expiration_date=TUE,
    )
    other = lot("X", 50, entry_date=MON, entry_price=10.0)
    flows = [(MON, "deposit", 3000.0), (MON, "buy", -500.0), (MON, "buy", -150.0)]
    delivered = lot("X", 100, entry_date=TUE, entry_price=8.0)
    flows += [(TUE, "exercise", 0.0), (TUE, "buy", -800.0)]
    days = MON, TUE, WED
    found = rows_of(kept(other, call, delivered, flows=flows), *days)
    assert found["daily_pnl"].tolist() == [0, 50 + 300 - 150, 150]
    assert found["cumulative_pnl"].iloc[-1] == found["daily_pnl"].sum() == 3350 - 3000
    assert found["total_value"].iloc[-1] == 1550 + 150 * 12 == 3350
    for day, row in zip(days, found.to_dict("records"), strict=True):
        single = rows_of(kept(other, call, delivered, flows=flows), day).iloc[0]
        assert single["daily_pnl"] == row["daily_pnl"]


def test_a_part_of_an_option_that_is_sold_has_a_profit_though_the_rest_has_no_price() -> None:
    terms = {
        "position_type": "LC",
        "investment_class": "OPTIONS",
        "underlying_symbol": "X",
        "strike_price": 8.0,
        "expiration_date": date(2024, 6, 21),
        "entry_date": MON,
        "entry_price": 3.0,
    }
    sold = lot("X240621C00008000", 1, exit_date=WED, exit_price=5.0, **terms)
    rest = lot("X240621C00008000", 1, **terms)
    flows = [(MON, "deposit", 2000.0), (MON, "buy", -1100.0), (WED, "sell", 500.0)]
    made = kept(lot("X", 50, entry_date=MON, entry_price=10.0), sold, rest, flows=flows)
    assert rows_of(made, TUE, WED)["daily_pnl"].tolist() == [50, 50 + 200]
