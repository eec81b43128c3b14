"""Distributions in profit, cash and returns of small books, by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_books import SESSIONS, book, lot

from riskmetrics.results import snapshots
from riskmetrics.results.income import Distributions, infer_distributions
from tests.traded_market import EVERY_TRADED_MARKET

MON, TUE, WED, THU, FRI = (date(2024, 1, day) for day in (22, 23, 24, 25, 26))
WEEK = dict(zip((MON, TUE, WED, THU, FRI), (10.0, 11.0, 12.0, 13.0, 14.0), strict=True))


def paying(of, events: list[tuple[str, date, float]], unknown: tuple[str, ...] = ()):
    """The book whose symbols pay money per share on ex-days."""
    frame = pd.DataFrame(events, columns=["symbol", "date", "amount"]).astype(
        {"symbol": "str", "amount": float}
    )
    return of._replace(
        distributions=Distributions(
            frame.assign(date=pd.to_datetime(frame["date"])), frozenset(unknown)
        )
    )


def values(of, *days: date) -> pd.DataFrame:
    return snapshots.value_rows(of.value_book(*days))[0]


def test_an_ex_day_pays_the_lots_held_over_the_night_and_is_in_the_cash_from_then_on():
    """10 X pay .50 on Wednesday: 5 in the profit of the day and in the cash; equity was stated on
    Tuesday.
    """
    of = paying(
        book(lot("X", 10), closes={"X": WEEK}, equity={"A": (1000.0, TUE)}), [("X", WED, 0.5)]
    )
    rows = values(of, TUE, WED, THU)
    assert rows["income"].tolist() == [0, 5, 0]
    assert rows["daily_pnl"].tolist() == [10, 15, 10]
    assert rows["cash_value"].tolist() == [890, 895, 895]
    assert rows["total_value"].tolist() == [1000, 1015, 1025]
    assert_allclose(rows["daily_return"], [10 / 990, 15 / 1000, 10 / 1015], rtol=1e-12)


def test_equity_stated_after_an_ex_day_holds_what_was_paid():
    """Undone before it: cash is 5 less on Tuesday than on Wednesday."""
    of = paying(
        book(lot("X", 10), closes={"X": WEEK}, equity={"A": (1000.0, THU)}), [("X", WED, 0.5)]
    )
    assert_array_equal(of.value_book(TUE, WED, THU).cash[0], [865, 870, 870])


def test_a_lot_bought_on_the_ex_day_gets_nothing_and_one_sold_on_it_does():
    bought = lot("X", 10, entry_date=WED, entry_price=12.0)
    sold = lot("X", 10, exit_date=WED, exit_price=12.0)
    paid = [("X", WED, 0.5)]
    assert values(paying(book(bought, closes={"X": WEEK}), paid), WED)["income"].tolist() == [0]
    assert values(paying(book(sold, closes={"X": WEEK}), paid), WED)["income"].tolist() == [5]
    left = lot("X", 10, exit_date=TUE, exit_price=11.0)
    assert values(paying(book(left, lot("X", 1), closes={"X": WEEK}), paid), WED)[
        "income"
    ].tolist() == [0.5]


def test_who_is_short_pays():
    of = paying(
        book(lot("X", -10, position_type="SHORT"), closes={"X": WEEK}, equity={"A": (1000.0, TUE)}),
        [("X", WED, 0.5)],
    )
    assert values(of, WED)[["income", "daily_pnl", "total_value"]].to_numpy().tolist() == [
        [-5, -15, 985]
    ]


def test_profit_since_entry_has_what_was_paid_since_and_not_before():
    """Bought on Tuesday at 10.50; X paid on Monday, Wednesday and Thursday."""
    of = book(lot("X", 10, entry_date=TUE, entry_price=10.5), closes={"X": WEEK})
    of = paying(of, [("X", MON, 0.5), ("X", WED, 0.5), ("X", THU, 0.25)])
    assert_array_equal(of.value_book(MON, TUE, WED, THU).pnl.cumulative[0], [0, 5, 20, 32.5])


def test_profit_since_an_unknown_entry_has_no_income_that_may_be_of_somebody_else():
    of = book(
        lot("X", 10, entry_date="1990-01-02", entry_date_assumed=True, entry_price=9.0),
        closes={"X": WEEK},
    )
    assert_array_equal(paying(of, [("X", WED, 0.5)]).value_book(WED).pnl.cumulative, [[30]])


def test_one_close_tells_of_no_distribution_and_that_is_said():
    """X alone: NULL with the reason; beside Y, whose income is known, it is left out and
    counted.
    """
    of = paying(book(lot("X", 10), closes={"X": WEEK}), [], unknown=("X",))
    rows, undefined = snapshots.value_rows(of.value_book(WED))
    assert rows["income"].isna().all()
    assert rows["daily_pnl"].tolist() == [10]
    (why,) = undefined.loc[undefined["metric"] == "portfolio_snapshots.income", "reason"]
    assert why == "distributions are unknown: no holding has both a close and an adjusted close"
    both = paying(
        book(lot("X", 10), lot("Y", 4), closes={"X": WEEK, "Y": WEEK}),
        [("Y", WED, 0.25)],
        unknown=("X",),
    )
    assert values(both, WED)["income"].tolist() == [1]
    coverage = snapshots.value_coverage(both.value_book(WED)).set_index("metric").loc["income"]
    assert coverage[["n_covered", "n_total", "coverage"]].tolist() == [1, 2, 0.5]


def test_options_and_private_holdings_receive_nothing():
    call = lot(
        "X", 1, position_type="LC", last_price=2.0, strike_price=9.0, investment_class="OPTIONS"
    )
    house = lot("X", 1, investment_class="PRIVATE", market_value=5.0)
    of = paying(book(call, house, closes={"X": WEEK}), [("X", WED, 0.5)])
    assert values(of, WED)["income"].tolist() == [0]
    assert "income" not in set(
        snapshots.value_coverage(of.value_book(WED)).query("n_total > 0")["metric"]
    )


def test_an_unknown_distribution_is_left_out_of_profit_and_counted():
    """Of X one of the two closes moves by a split: its amount is NaN."""
    of = paying(
        book(lot("X", 10), lot("Y", 4), closes={"X": WEEK, "Y": WEEK}),
        [("X", WED, np.nan), ("Y", WED, 0.25)],
    )
    coverage = snapshots.value_coverage(of.value_book(TUE, WED)).query("metric == 'income'")
    assert coverage["n_covered"].tolist() == [2, 1]
    assert values(of, WED)["income"].tolist() == [1]


@pytest.mark.parametrize("days", [(TUE, WED, THU, FRI), (THU, FRI), (FRI,)])
def test_a_range_of_days_has_the_bits_of_its_days(days):
    """Amounts that no binary fraction holds, several on one day, in two portfolios."""
    lots = [
        lot("X", 0.1, entry_date=MON),
        lot("Y", 0.3, entry_date=MON),
        lot("X", 7.7, portfolio_id="B", entry_date=MON),
    ]
    of = book(*lots, closes={"X": WEEK, "Y": WEEK}, equity={"A": (1000.0, MON), "B": (1000.0, FRI)})
    events = [
        (symbol, day, 0.1 + at / 30)
        for at, day in enumerate((TUE, WED, THU, FRI))
        for symbol in "XY"
    ]
    of = paying(of, events)
    together, alone = of.value_book(*days), of.value_book(FRI)
    for name in ("cash", "equity"):
        assert_array_equal(getattr(together, name)[:, -1], getattr(alone, name)[:, 0])
    assert_array_equal(together.pnl.cumulative[:, -1], alone.pnl.cumulative[:, 0])
    assert_array_equal(together.income.daily[:, -1], alone.income.daily[:, 0])


def steps_of(closes: list[float], adjusted: list[float], symbol: str = "X") -> pd.DataFrame:
    """Rows as the database gives them: those on which adj_close / close changes."""
    days = pd.to_datetime([MON, TUE, WED, THU, FRI])[: len(closes)]
    frame = pd.DataFrame({"symbol": symbol, "date": days, "close": closes, "adj_close": adjusted})
    before = frame[["close", "adj_close"]].shift().add_suffix("_before")
    frame = pd.concat([frame, before], axis=1).assign(close_scale=1.0, adj_close_scale=1.0)
    factor = frame["adj_close"] / frame["close"]
    return frame[(factor / factor.shift() - 1).abs() > 1e-7].reset_index(drop=True)


def test_steps_of_the_adjustment_become_distributions():
    """1.50 on a share that closes at 100 and then at 99; a step that rounding explains is none."""
    steps = pd.concat(
        [steps_of([100.0, 99.0], [98.5, 99.0]), steps_of([50.0, 50.0], [49.99, 50.0], "Y")]
    )
    found = infer_distributions(steps, ["Z"])
    assert found.events["symbol"].tolist() == ["X"]
    assert found.events["amount"].tolist() == pytest.approx([1.5])
    assert found.single_close_symbols == {"Z"}


@pytest.mark.parametrize(
    ("closes", "adjusted"),
    [
        ([100.0, 100.0, 100.0, 100.0], [90.0, 87.3, 90.0, 90.0]),  # adj_close 3 % too low for a day
        ([100.0, 70.0, 100.0, 100.0], [90.0, 90.0, 90.0, 90.0]),  # close too low
        ([100.0, 160.0, 100.0, 100.0], [90.0, 90.0, 90.0, 90.0]),  # close too high
    ],
)
def test_a_wrong_price_of_one_day_leaves_no_cash(closes, adjusted):
    """What the day seems to pay, or the way back from it, is taken back the day after."""
    events = infer_distributions(steps_of(closes, adjusted), []).events
    of = book(
        lot("X", 10),
        closes={"X": dict(zip(WEEK, closes, strict=False))},
        equity={"A": (2000.0, MON)},
    )
    valued = of._replace(distributions=Distributions(events, frozenset())).value_book(
        MON, TUE, WED, THU
    )
    assert valued.equity[0, -1] == pytest.approx(2000)
    assert np.nansum(valued.pnl.daily) == pytest.approx(0)


def test_a_dividend_the_day_after_another_stays():
    """1.00 and then 2.00 on 100: the level does not come back."""
    events = infer_distributions(steps_of([100.0, 100.0, 100.0], [97.02, 98.0, 100.0]), []).events
    assert events["amount"].tolist() == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize("paid", [0.02, 0.1, 0.19, 0.21])
def test_a_dividend_below_the_tolerance_between_rounded_prices_is_paid_once(paid):
    """Adjusted closes of four decimals: each row moves the level by rounding."""
    closes = [98.17, 100.0, 101.33, 99.11, 103.7]
    level = np.array([1 - paid / 100, 1 - paid / 100, 1, 1, 1]) * 0.71937
    adjusted = np.round(closes * level, 4).tolist()
    steps = steps_of(closes, adjusted)
    assert len(steps) > 2
    events = infer_distributions(steps, []).events
    assert events["date"].tolist() == [pd.Timestamp(WED)]
    assert events["amount"].tolist() == pytest.approx([paid], abs=1e-3)


@pytest.mark.parametrize("load", EVERY_TRADED_MARKET)
def test_declared_dividends_of_a_traded_market_are_paid_once_and_nothing_else_is(load):
    market = load()
    prices = market.rows.sort_values(["symbol", "date"], ignore_index=True)
    before = prices.groupby("symbol")[["close", "adj_close"]].shift().add_suffix("_before")
    rows = pd.concat([prices, before], axis=1).assign(close_scale=1.0, adj_close_scale=1.0)
    rows = rows[rows["close_before"].notna()]
    factor = rows["adj_close"] / rows["close"]
    step = factor / (rows["adj_close_before"] / rows["close_before"]) - 1
    events = infer_distributions(rows[step.abs() > 1e-7].reset_index(drop=True), []).events
    for symbol, declared in market.dividends.items():
        found = events[events["symbol"] == symbol].assign(day=events["date"].astype("str"))
        paid = found.set_index("day")["amount"]
        assert_allclose(paid[list(declared)], list(declared.values()), atol=1e-3)
    counts = events.groupby("symbol").size()
    assert {symbol: counts.get(symbol, 0) for symbol in market.n_ex_days} == market.n_ex_days


def test_income_of_an_instrument_whose_price_change_is_unknown_is_not_in_the_profit():
    """X has no close for ten sessions and comes back at 90 with 10 paid; Y stands still."""
    days = SESSIONS[20:40]
    x = dict.fromkeys(days[:5], 100.0) | dict.fromkeys(days[15:], 90.0)
    of = book(lot("X", 10), lot("Y", 1), closes={"X": x, "Y": dict.fromkeys(days, 100.0)})
    rows, undefined = snapshots.value_rows(paying(of, [("X", days[15], 10.0)]).value_book(days[15]))
    assert rows["daily_pnl"].tolist() == [0]
    assert rows["income"].tolist() == [100]
    assert rows["daily_return"].isna().all()  # it is of one instrument of two
    (why,) = undefined.loc[undefined["metric"] == "portfolio_snapshots.daily_return", "reason"]
    assert why.endswith("80% required")


def test_a_switch_of_holdings_without_stated_equity_is_paid_by_the_sale():
    """100 X bought at 100 are sold at 110, and 110 Y bought at 100 the same day: 1,000 on
    10,000.
    """
    sold = lot("X", 100, exit_date=TUE, exit_price=110.0)
    bought = lot("Y", 110, entry_date=TUE, entry_price=100.0)
    closes = {"X": {MON: 100.0, TUE: 110.0}, "Y": {MON: 100.0, TUE: 100.0}}
    rows, _ = snapshots.value_rows(book(sold, bought, closes=closes).value_book(TUE))
    assert rows["daily_return"].tolist() == pytest.approx([0.1])


def test_a_day_whose_closes_do_not_fit_each_other_says_so():
    of = paying(book(lot("X", 10), closes={"X": WEEK}), [("X", WED, np.nan)])
    _, undefined = snapshots.value_rows(of.value_book(WED))
    (why,) = undefined.loc[undefined["metric"] == "portfolio_snapshots.income", "reason"]
    assert why.startswith("close and adjusted close of the holdings are inconsistent on the day")
