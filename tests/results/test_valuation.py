"""Values, cash and profit of small books, by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_books import Book, book, lot

from riskmetrics import trading_calendar
from riskmetrics.results import snapshots

MON, TUE, WED, THU, FRI = (date(2024, 1, day) for day in (22, 23, 24, 25, 26))
SAT, NEXT_MON = date(2024, 1, 27), date(2024, 1, 29)
WEEK = {MON: 10.0, TUE: 11.0, WED: 12.0, THU: 13.0, FRI: 14.0, NEXT_MON: 15.0}
HUNDRED = dict.fromkeys(WEEK, 100.0)


def reason(book, day, column):
    """Why a column is NULL on a day; the test fails if it is not."""
    _, undefined = snapshots.value_rows(book.value_book(day))
    (found,) = undefined.loc[undefined["metric"] == f"portfolio_snapshots.{column}", "reason"]
    return found


def test_long_short_gross_net_and_equity_by_hand():
    """10 X at 11 and -5 Y at 100: long 110, short -500; with an equity of 1,000 there are 1,390 in
    cash.
    """
    of = book(
        lot("X", 10),
        lot("Y", -5, position_type="SHORT"),
        closes={"X": WEEK, "Y": HUNDRED},
        equity={"A": (1000.0, TUE)},
    )
    rows, _ = snapshots.value_rows(of.value_book(TUE))
    row = rows.iloc[0]
    assert (row["long_value"], row["short_value"], row["gross_exposure"], row["net_exposure"]) == (
        110,
        -500,
        610,
        -390,
    )
    assert (row["cash_value"], row["total_value"]) == (1390, 1000)
    assert (row["num_positions"], row["num_long_positions"], row["num_short_positions"]) == (
        2,
        1,
        1,
    )


def test_cash_is_rolled_by_trades_to_both_sides_of_the_day_that_it_is_known_on():
    """1,000 of equity on Wednesday, 10 X at 12 held, so 880 in cash; 10 X cost 105 on Tuesday, and
    brought 140 on Friday.
    """
    of = book(
        lot("X", 10, entry_date=TUE, entry_price=10.5, exit_date=FRI, exit_price=14.0),
        closes={"X": WEEK},
        equity={"A": (1000, WED)},
    )
    valued = of.value_book(MON, TUE, WED, THU, FRI, NEXT_MON)
    assert_array_equal(valued.cash[0], [985, 880, 880, 880, 1020, 1020])
    assert_array_equal(valued.equity[0], [985, 990, 1000, 1010, 1020, 1020])


def test_a_trade_on_the_day_of_the_equity_balance_is_already_in_it():
    of = book(
        lot("X", 10, entry_date=WED, entry_price=12.0),
        closes={"X": WEEK},
        equity={"A": (1000, WED)},
    )
    assert_array_equal(of.value_book(TUE, WED).cash[0], [1000, 880])


def test_an_equity_balance_of_a_weekend_is_that_of_fridays_closes():
    of = book(lot("X", 10), closes={"X": WEEK}, equity={"A": (1000, SAT)})
    assert_array_equal(of.value_book(FRI, NEXT_MON).equity[0], [1000, 1010])


def test_without_an_equity_balance_there_is_no_cash_and_it_is_said():
    of = book(lot("X", 10), closes={"X": WEEK})
    assert_array_equal(of.value_book(TUE).equity, [[110]])
    assert reason(of, TUE, "equity_balance") == "no equity balance is stated: cash is taken as 0"


def test_profit_runs_from_the_entry_price_on_the_first_day_and_to_the_exit_price_on_the_last():
    """10 X: bought at 10.5 on Tuesday (close 11): 5; 10 a day; sold at 13.5 on Friday (close before
    13): 5.
    """
    of = book(
        lot("X", 10, entry_date=TUE, entry_price=10.5, exit_date=FRI, exit_price=13.5),
        closes={"X": WEEK},
    )
    profit = of.value_book(MON, TUE, WED, THU, FRI, NEXT_MON).pnl
    assert_array_equal(profit.daily[0], [0, 5, 10, 10, 5, 0])
    assert_array_equal(profit.cumulative[0], [0, 5, 15, 25, 30, 30])


def test_a_short_sale_gains_when_the_price_falls():
    of = book(
        lot("X", -10, position_type="SHORT", entry_date=TUE, entry_price=11.5),
        closes={"X": {MON: 10, TUE: 11, WED: 8}},
    )
    assert_array_equal(of.value_book(TUE, WED).pnl.daily[0], [5, 30])


def test_a_lot_opened_and_closed_on_one_day_leaves_its_profit_and_nothing_else():
    of = book(
        lot("X", 10, entry_date=TUE, entry_price=10, exit_date=TUE, exit_price=12.5),
        closes={"X": WEEK},
        equity={"A": (1000, MON)},
    )
    valued = of.value_book(MON, TUE, WED)
    assert_array_equal(valued.pnl.daily[0], [0, 25, 0])
    assert_array_equal(valued.equity[0], [1000, 1025, 1025])
    assert_array_equal(valued.n_held[0], [0, 0, 0])


def test_trades_on_a_weekend_show_on_monday():
    """Bought on Saturday at Friday's close: the profit of Monday is Friday's close to Monday's.

    Sold on Saturday: its price is the end.
    """
    bought = book(lot("X", 10, entry_date=SAT, entry_price=None), closes={"X": WEEK}).value_book(
        FRI, NEXT_MON
    )
    assert_array_equal(bought.values[0], [0, 150])
    assert_array_equal(bought.pnl.daily[0], [0, 10])
    sold = book(lot("X", 10, exit_date=SAT, exit_price=14.5), closes={"X": WEEK}).value_book(
        FRI, NEXT_MON
    )
    assert_array_equal(sold.values[0], [140, 0])
    assert_array_equal(sold.pnl.daily[0], [10, 5])


def test_daily_return_is_of_the_equity_of_the_session_before():
    """10 X go from 11 to 12 in a portfolio worth 1,000 on Tuesday: 10 / 1,000."""
    of = book(lot("X", 10), closes={"X": WEEK}, equity={"A": (1000, TUE)})
    rows, _ = snapshots.value_rows(of.value_book(WED))
    assert rows["daily_return"].tolist() == [0.01]


def test_the_first_day_of_a_portfolio_without_stated_equity_returns_on_what_was_paid():
    """10 X bought at 10.50 on Tuesday, which closes at 11: 5 on 105.

    The day before has nothing to return on.
    """
    of = book(lot("X", 10, entry_date=TUE, entry_price=10.5), closes={"X": WEEK})
    rows, _ = snapshots.value_rows(of.value_book(TUE))
    assert rows["daily_return"].tolist() == pytest.approx([5 / 105], rel=1e-12)
    assert (
        reason(of, MON, "daily_return")
        == "nothing was held on the previous session, and cash was 0.00"
    )


def test_a_purchase_without_stated_equity_comes_in_at_the_start_of_its_day():
    """23,995 held that gain 239.95, and 38,750 bought that gain 151.05: 391 / (23,995 + 38,750) =
    .62 %, not 1.63 %.
    """
    closes = {"X": {MON: 239.95, TUE: 242.3495}, "Y": {MON: 390.0, TUE: 389.0105}}
    bought = lot("Y", 100, entry_date=TUE, entry_price=387.5)
    of = book(lot("X", 100), bought, closes=closes)
    rows, _ = snapshots.value_rows(of.value_book(TUE))
    assert rows["daily_pnl"].tolist() == pytest.approx([391.0])
    assert rows["daily_return"].tolist() == pytest.approx([391 / 62_745], rel=1e-12)
    stated = book(
        lot("X", 100), bought, closes=closes, equity={"A": (100_000.0, MON)}
    )  # the cash was there
    assert snapshots.value_rows(stated.value_book(TUE))[0][
        "daily_return"
    ].tolist() == pytest.approx([391 / 100_000])


def test_what_is_sold_without_stated_equity_leaves_at_the_end_of_its_day():
    """10 X at 11 on Tuesday, 5 of them sold at 11.50 on Wednesday, which closes at 12: 5 x .5 + 5 x
    1 on 110.
    """
    of = book(lot("X", 5), lot("X", 5, exit_date=WED, exit_price=11.5), closes={"X": WEEK})
    rows, _ = snapshots.value_rows(of.value_book(WED))
    assert rows["daily_return"].tolist() == pytest.approx([7.5 / 110], rel=1e-12)


def test_no_return_on_equity_that_was_not_positive():
    """-10 X at 11 with no cash: equity -110."""
    of = book(lot("X", -10, position_type="SHORT"), closes={"X": WEEK})
    why = "equity at the start of the day was -110.00 at a gross exposure of 110.00; 5% required"
    assert reason(of, WED, "daily_return") == why
    assert_array_equal(of.value_book(WED).weight_denominator, [[np.nan]])


@pytest.mark.parametrize(
    ("equity", "is_defined"), [(50.0, True), (49.99, False), (0.0, False), (-1.0, False)]
)
def test_fractions_of_equity_need_five_per_cent_of_gross_exposure(equity, is_defined):
    """10 X at 11 and -8.9 short Y at 100: gross 1,000; money figures stay whatever the equity."""
    lots = lot("X", 10), lot("Y", -8.9, position_type="SHORT")
    of = book(*lots, closes={"X": WEEK, "Y": HUNDRED}, equity={"A": (equity, TUE)})
    valued = of.value_book(TUE)
    assert valued.gross_value.item() == 1000
    assert np.isfinite(valued.weight_denominator.item()) == is_defined
    rows, undefined = snapshots.value_rows(of.value_book(WED))
    assert rows["daily_pnl"].tolist() == [10.0]
    assert rows["daily_return"].notna().item() == is_defined
    assert rows["equity_source"].item() == "stated_equity"
    assert is_defined == ("portfolio_snapshots.daily_return" not in set(undefined["metric"]))


def test_the_base_of_a_series_is_named_and_never_gross():
    """Without a stated equity it is the net value on every day, also on those on which it is too
    small.
    """
    lots = lot("X", 10), lot("Y", -1, position_type="SHORT")
    of = book(*lots, closes={"X": {MON: 10.0, TUE: 20.0, WED: 10.1}, "Y": HUNDRED})
    rows, _ = snapshots.value_rows(of.value_book(MON, TUE, WED))
    assert rows["equity_source"].tolist() == ["net_value"] * 3
    assert_array_equal(of.value_book(MON, TUE, WED).weight_denominator, [[np.nan, 100, np.nan]])


def test_an_unknown_entry_price_is_the_close_of_its_day_for_cash_and_unknown_for_the_profit_since():
    """10 X bought on Tuesday at an unknown price, taken as the close of 11: 110 less in cash."""
    of = book(
        lot("X", 10, entry_date=TUE, entry_price=None),
        closes={"X": WEEK},
        equity={"A": (1000, MON)},
    )
    valued = of.value_book(MON, TUE, WED)
    assert_array_equal(valued.cash[0], [1000, 890, 890])
    assert_array_equal(valued.pnl.daily[0], [0, 0, 10])
    assert_array_equal(valued.pnl.cumulative[0], [0, np.nan, np.nan])
    assert reason(of, WED, "cumulative_pnl") == "lots without an entry price: 1"


def test_an_unknown_exit_price_is_the_close_of_its_day():
    of = book(lot("X", 10, exit_date=WED), closes={"X": WEEK}, equity={"A": (1000, TUE)})
    valued = of.value_book(TUE, WED)
    assert_array_equal(valued.equity[0], [1000, 1010])
    assert_array_equal(valued.pnl.cumulative[0], [10, 20])


def test_an_assumed_entry_date_is_no_trade():
    """The lot is old and its price unknown: the close of the assumed day is not asked for."""
    of = book(
        lot("X", 10, entry_date="1990-01-02", entry_date_assumed=True, entry_price=None),
        closes={"X": WEEK},
        equity={"A": (1000, WED)},
    )
    valued = of.value_book(TUE, WED)
    assert_array_equal(valued.equity[0], [990, 1000])
    assert np.isnan(valued.pnl.cumulative).all()


def test_lots_that_cancel_hold_nothing():
    """0.1 + 0.2 - 0.3 leaves 5.6e-17 in binary fractions."""
    of = book(
        lot("X", 0.1),
        lot("X", 0.2),
        lot("X", -0.3, position_type="SHORT"),
        lot("Y", 1),
        closes={"X": WEEK, "Y": HUNDRED},
    )
    valued = of.value_book(TUE)
    assert_array_equal(valued.values, [[0], [100]])
    assert_array_equal(valued.n_held, [[1]])
    assert_array_equal(valued.net, [[100]])


def test_an_older_close_counts_as_stale_and_is_made_up_for_later():
    """No close on Tuesday and Wednesday: no profit, and all of it on Thursday."""
    of = book(lot("X", 10), closes={"X": {MON: 10, THU: 13}})
    valued = of.value_book(TUE, WED, THU)
    assert_array_equal(valued.values[0], [100, 100, 130])
    assert_array_equal(valued.is_stale[0], [True, True, False])
    assert_array_equal(valued.pnl.daily[0], [0, 0, 30])


def counts(*numbers: int) -> dict[str, int]:
    return dict(zip(snapshots.VALUE_COVERAGE, numbers, strict=True))


def covered(of: Book, *days: date) -> pd.DataFrame:
    """Share of instruments that each metric covers, days x metrics."""
    return snapshots.value_coverage(of.value_book(*days)).pivot(
        index="day", columns="metric", values="coverage"
    )


def test_an_option_has_a_source_if_its_underlying_has_a_close_and_a_price_if_one_is_stated():
    """A stock, a call on it and a call on what has no close; a private holding whose value is not
    stated.
    """
    call = {"position_type": "LC", "investment_class": "OPTIONS"}
    of = book(
        lot("X", 1),
        lot("X1", 1, underlying_symbol="X", **call),
        lot("Y1", 1, underlying_symbol="Y", last_price=2.0, **call),
        lot("HOUSE", 1, investment_class="PRIVATE"),
        closes={"X": WEEK},
    )
    assert covered(of, TUE).loc[:, ["price_sources", "prices"]].to_numpy().tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("closes", "validated"),
    [
        (
            (10, 17, 10, 10),
            [0.5, 0.5, 1],
        ),  # on its own day a tick, on the next what took it back: value, then profit, rest on it
        ((10, 17, 17, 17), [0.5, 1, 1]),  # a move that stands
        ((10, 14, 10, 10), [1, 1, 1]),  # by less than half
        ((10, 17, np.nan, 10), [0.5, 1, 1]),  # without a close nothing takes it back
    ],
)
def test_a_move_over_half_is_doubted_on_its_day_and_where_the_next_session_takes_it_back(
    closes, validated
):
    """By hand, of two instruments; days one by one say the same, so no later close is looked at."""
    days = trading_calendar.sessions_between(MON, date(2024, 1, 26))[:4]
    of = book(
        lot("X", 1),
        lot("Y", 1),
        closes={"X": dict(zip(days, closes, strict=True)), "Y": dict.fromkeys(days, 5.0)},
    )
    assert covered(of, *days[1:])["validated_prices"].tolist() == validated
    assert [covered(of, day)["validated_prices"].item() for day in days[1:]] == validated


def test_coverage_counts_prices_closes_of_the_day_and_profits():
    """X has a close of the day, Y an older one, Z none until now: its P&L of the day is unknown."""
    of = book(
        lot("X", 1), lot("Y", 1), lot("Z", 1), closes={"X": WEEK, "Y": {MON: 5.0}, "Z": {WED: 5.0}}
    )
    table = snapshots.value_coverage(of.value_book(TUE, WED)).set_index(["metric", "day"])
    assert table.xs("2024-01-23", level="day")["n_covered"].to_dict() == counts(2, 1, 2, 3, 2, 3)
    assert table.xs("2024-01-24", level="day")["n_covered"].to_dict() == counts(3, 2, 3, 3, 2, 3)
    assert_allclose(table["coverage"] * 3, table["n_covered"])
    assert (table["n_total"] == 3).all()


def test_a_close_older_than_five_sessions_leaves_a_holding_out():
    of = book(lot("X", 10), lot("Y", 1), closes={"X": {date(2024, 1, 12): 10.0}, "Y": HUNDRED})
    on_the_fifth, on_the_sixth = date(2024, 1, 22), TUE  # the 15th is a holiday
    assert_array_equal(of.value_book(on_the_fifth, on_the_sixth).values[0], [100, np.nan])
    assert_array_equal(of.value_book(on_the_sixth).net, [[100]])
    assert (
        reason(of, on_the_sixth, "cumulative_pnl")
        == "lots without a price on the day or at exit: 1"
    )


def test_closes_are_looked_for_before_the_session_before_the_first_day_too():
    """Tuesday's profit starts at Monday's price, which is the close of five sessions earlier."""
    valued = book(lot("X", 10), closes={"X": {date(2024, 1, 12): 9.0, TUE: 11.0}}).value_book(TUE)
    assert_array_equal(valued.pnl.daily, [[20]])
    assert_array_equal(valued.start_of_day.equity, [[90]])


def test_closes_are_looked_for_before_trades_and_equity_balances_too():
    """Bought on Friday the 19th, sold on Monday, at unknown prices: 8 and 9 were the closes before.

    Equity was stated on the 18th.
    """
    bought, held = date(2024, 1, 19), date(2024, 1, 18)
    closes = {
        "X": {held: 8.0, date(2024, 1, 22): 9.0, FRI: 20.0},
        "Y": {date(2024, 1, 17): 30.0, FRI: 35.0},
    }
    of = book(
        lot("X", 10, entry_date=bought, entry_price=None, exit_date=TUE),
        lot("Y", 1),
        closes=closes,
        equity={"A": (1000.0, held)},
    )
    assert_array_equal(of.value_book(FRI).cash, [[1000 - 30 - 80 + 90]])


def test_an_option_is_worth_a_hundred_times_its_stated_price():
    """2 calls at 3.50 are 700; a put sold at 1.25 is -125; closes of the same symbol are not
    theirs.
    """
    option = {"investment_class": "OPTIONS", "strike_price": 10.0, "expiration_date": "2024-06-21"}
    call = lot("X", 2, position_type="LC", last_price=3.5, entry_price=3.0, **option)
    put = lot("X", -1, position_type="SP", last_price=1.25, entry_price=1.25, **option)
    valued = book(call, put, closes={"X": WEEK}).value_book(TUE)
    assert_array_equal(valued.values, [[700], [-125]])
    assert_array_equal(valued.pnl.cumulative, [[100]])


def test_an_option_without_a_stated_price_is_left_out():
    option = lot("X", 1, position_type="LC", investment_class="OPTIONS", strike_price=10.0)
    valued = book(option, lot("X", 1), closes={"X": WEEK}).value_book(TUE)
    assert_array_equal(valued.values, [[np.nan], [11]])
    assert_array_equal(valued.n_priced / valued.n_held, [[0.5]])


@pytest.mark.parametrize(
    ("stated", "value"),
    [
        ({"last_price": 7.0}, 28),
        ({"market_value": 30.0}, 30),
        ({"last_price": 7.0, "market_value": 30.0}, 28),
        ({}, np.nan),
    ],
)
def test_a_private_holding_is_worth_what_its_owner_said(stated, value):
    """4 units at a stated price, else the stated value; the closes of a listed company of that name
    are not its own.
    """
    valued = book(
        lot("X", 4, investment_class="PRIVATE", **stated), lot("X", 1), closes={"X": WEEK}
    ).value_book(TUE)
    assert_array_equal(valued.values, [[value], [11]])


def test_a_book_without_any_listed_holding_needs_no_close():
    of = book(lot("FUND", 1, investment_class="PRIVATE", market_value=500.0))
    assert of.closes.shape[1] == 0
    assert_array_equal(of.value_book(TUE).net, [[500]])


def test_a_portfolio_of_which_nothing_is_priced_has_a_reason_and_no_row():
    """Its coverage is stored all the same: 0 of 2."""
    of = book(lot("X", 1), lot("Y", 1), equity={"A": (1000.0, TUE)})
    rows, undefined = snapshots.value_rows(of.value_book(TUE))
    assert rows.empty
    assert undefined[["metric", "reason"]].to_numpy().tolist() == [
        [
            "portfolio_snapshots.total_value",
            (
                "none of 2 instruments has a price on the day or the 5 sessions before; no row was"
                " written"
            ),
        ]
    ]
    coverage = snapshots.value_coverage(of.value_book(TUE)).set_index("metric")
    assert coverage.loc["prices", ["coverage", "n_covered", "n_total"]].tolist() == [0, 0, 2]


def test_the_first_day_with_a_price_has_neither_profit_nor_return():
    of = book(lot("X", 1), closes={"X": {WED: 12.0}})
    assert reason(of, WED, "daily_pnl").startswith("no holding has both a start price")
    assert (
        reason(of, WED, "daily_return")
        == "the portfolio could not be valued on the previous session"
    )


def test_an_empty_portfolio_is_its_cash():
    of = book(equity={"A": (1000.0, MON), "B": (None, None)})
    rows, undefined = snapshots.value_rows(of.value_book(TUE))
    assert rows["total_value"].tolist() == [1000, 0]
    assert (rows[["gross_exposure", "daily_pnl", "cumulative_pnl", "num_positions"]] == 0).all(
        axis=None
    )
    assert rows["daily_return"].tolist()[0] == 0
    assert (
        reason(book(), TUE, "daily_return")
        == "nothing was held on the previous session, and cash was 0.00"
    )
    assert set(undefined["portfolio_id"]) == {"B"}
    assert snapshots.value_coverage(of.value_book(TUE)).empty


def test_a_holding_without_a_price_when_the_equity_was_stated_does_not_count_twice():
    """It is in the cash until it has a price; then the cash is unknown and its figures are NULL."""
    of = book(
        lot("X", 10),
        lot("Y", 5),
        closes={"X": WEEK, "Y": {WED: 100.0}},
        equity={"A": (1000.0, MON)},
    )
    assert snapshots.value_rows(of.value_book(TUE))[0]["total_value"].tolist() == [
        1000 + 10 * (WEEK[TUE] - WEEK[MON])
    ]
    rows, undefined = snapshots.value_rows(of.value_book(WED))
    assert rows.empty
    assert undefined["metric"].tolist() == ["portfolio_snapshots.total_value"]
    assert "the cash is unknown" in undefined["reason"].iloc[0]


STATED = "stated_value"


def test_a_holding_without_a_price_is_at_its_stated_value_and_not_in_the_cash():
    """A statement of Monday: 10 X at 10, 5 Y at 20 and 300 in cash. Y has no close until Thursday.

    Its value is part of the equity, at the stated price, then at its closes; the cash is as stated.
    """
    of = book(
        lot("X", 10),
        lot("Y", 5, last_price=20.0, entry_price=None),
        lot("Z", -2, position_type="SHORT", last_price=15.0),
        closes={"X": WEEK, "Y": {THU: 30.0, FRI: 31.0}},
        equity={"A": (100 + 100 - 30 + 300.0, MON)},
    )
    valued = of.value_book(MON, TUE, WED, THU, FRI)
    assert_array_equal(valued.cash[0], [300] * 5)
    assert_array_equal(valued.stated_value[0], [70, 70, 70, -30, -30])
    assert_array_equal(valued.equity[0], [470, 480, 490, 300 + 130 + 150 - 30, 565])
    assert_array_equal(valued.gross_value[0], [100, 110, 120, 280, 295])
    assert_array_equal(valued.pnl.daily[0], [np.nan, 10, 10, 10, 15])
    rows, _ = snapshots.value_rows(valued)
    assert (rows["net_exposure"] + rows["cash_value"] + rows[STATED] == rows["total_value"]).all()
    returns = rows["daily_return"].to_numpy()
    assert np.isnan(returns).all()  # at most two of three holdings have a P&L


def test_a_return_is_of_the_equity_with_stated_values():
    """Five shares gain 10 together; of 1,000 on Monday, 50 were in a holding without a price."""
    held = [lot(f"X{at}", 2) for at in range(5)]
    of = book(
        *held,
        lot("Y", 5, last_price=10.0),
        closes={f"X{at}": WEEK for at in range(5)},
        equity={"A": (1000.0, MON)},
    )
    rows, _ = snapshots.value_rows(of.value_book(TUE))
    row = rows.iloc[0]
    assert (row["daily_return"], row["cash_value"], row[STATED]) == (0.01, 850, 50)


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ({"exit_price": 24.0}, 120.0),
        ({"exit_price": None}, 100.0),
        ({"exit_price": None, "exit_close": 22.0}, 110.0),
    ],
)
def test_a_sale_of_a_holding_at_its_stated_value_is_at_its_price_or_that_value(fields, after):
    """5 Y of no close, stated at 20, are sold on Wednesday."""
    of = book(
        lot("X", 10),
        lot("Y", 5, last_price=20.0, exit_date=WED, **fields),
        closes={"X": WEEK},
        equity={"A": (500.0, MON)},
    )
    valued = of.value_book(TUE, WED, THU)
    assert_array_equal(valued.cash[0], [300, 300 + after, 300 + after])
    assert_array_equal(valued.stated_value[0], [100, 0, 0])
    assert_array_equal(valued.equity[0], [510, 420 + after, 430 + after])


@pytest.mark.parametrize(("entry_price", "cost"), [(None, 100.0), (18.0, 90.0)])
def test_days_before_a_purchase_at_no_close_have_its_cost_in_the_cash(entry_price, cost):
    of = book(
        lot("X", 10),
        lot("Y", 5, last_price=20.0, entry_date=TUE, entry_price=entry_price),
        closes={"X": WEEK},
        equity={"A": (500.0, WED)},
    )
    valued = of.value_book(MON, TUE, WED)
    assert_array_equal(valued.cash[0], [280 + cost, 280, 280])
    assert_array_equal(valued.stated_value[0], [0, 100, 100])


def test_a_purchase_since_the_equity_was_stated_at_no_close_is_at_its_stated_price():
    of = book(
        lot("X", 10),
        lot("Y", 5, last_price=20.0, entry_date=WED, entry_price=None),
        closes={"X": WEEK, "Y": {FRI: 25.0}},
        equity={"A": (500.0, MON)},
    )
    valued = of.value_book(TUE, WED, THU, FRI)
    assert_array_equal(valued.cash[0], [400, 300, 300, 300])
    assert_array_equal(valued.stated_value[0], [0, 100, 100, 0])
    assert_array_equal(valued.equity[0], [510, 520, 530, 565])


def test_a_stated_price_is_not_used_where_a_close_was_known():
    """X had a close when the equity was stated: its later holes are gaps, not stated values.

    Options, and portfolios without a stated equity, are as before.
    """
    gap = {MON: 10.0}
    later = date(2024, 2, 5)
    option = lot("Y240216C00010000", 1, position_type="LC", investment_class="OPTIONS")
    option |= {"underlying_symbol": "Y", "strike_price": 10.0, "expiration_date": date(2024, 2, 16)}
    lots = (lot("X", 10, last_price=9.0), option, lot("W", 1))
    closes = {"X": gap, "W": dict.fromkeys((MON, later), 1.0)}
    of = book(*lots, closes=closes, equity={"A": (500.0, MON)})
    assert_array_equal(of.value_book(later).stated_value, [[0]])
    assert_array_equal(of.value_book(later).cash, [[399]])
    unfunded = book(lot("X", 10), lot("Y", 5, last_price=20.0), closes={"X": WEEK})
    assert_array_equal(unfunded.value_book(TUE).stated_value, [[0]])
    assert_array_equal(unfunded.value_book(TUE).equity, [[110]])


def test_a_sale_without_a_price_brings_the_last_close_however_old():
    """1,000 of equity on Monday, 110 of it in X and Y; X has no close any more and leaves nine days
    later, at the last one known.
    """
    sold = date(2024, 1, 31)
    left = lot("X", 10, exit_date=sold, exit_close=10.0)
    of = book(
        left,
        lot("Y", 1),
        closes={"X": {MON: 10.0}, "Y": WEEK | {sold: 10.0}},
        equity={"A": (1000.0, MON)},
    )
    assert snapshots.value_rows(of.value_book(sold))[0][
        ["cash_value", "total_value"]
    ].to_numpy().tolist() == [[890 + 100, 1000]]


def test_a_sold_out_portfolio_keeps_its_profit():
    of = book(
        lot("X", 10, exit_date=TUE, exit_price=11.0),
        closes={"X": WEEK},
        equity={"A": (1000.0, MON)},
    )
    rows, _ = snapshots.value_rows(of.value_book(WED))
    assert rows[
        ["total_value", "cash_value", "cumulative_pnl", "daily_pnl"]
    ].to_numpy().tolist() == [[1010, 1010, 10, 0]]


def test_no_portfolio_at_all_gives_no_row():
    rows, undefined = snapshots.value_rows(book(equity={}).value_book(TUE))
    assert rows.empty
    assert undefined.empty
