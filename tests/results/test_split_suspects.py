"""A suspected split in a book: its effect on windows and P&L, its dates and reasons."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_books import (
    MARKET,
    SCENARIOS,
    SESSIONS,
    Book,
    book,
    drawdown_rows,
    lot,
    random_closes,
)

from riskmetrics import panels
from riskmetrics.results import betas, price_moves, pro_forma, snapshots
from riskmetrics.results.beta_reference_check import max_abs_difference

FIRST = 150
BEFORE, DAY, NEXT, LATER = SESSIONS[FIRST - 1 : FIRST + 3]


def daily_and_cumulative(of: Book, *days: date) -> list[tuple[float, float]]:
    """Profit of the day and since entry of portfolio A on each day; NaN as -1."""
    rows, _ = snapshots.value_rows(of.value_book(*days))
    found = rows[["daily_pnl", "cumulative_pnl"]].fillna(-1.0)
    return [tuple(row) for row in found.to_numpy().tolist()]


def coverage(of: Book, metric: str, *days: date) -> list[tuple[int, int]]:
    """Instruments covered and all of portfolio A on each day."""
    rows = snapshots.value_coverage(of.value_book(*days))
    rows = rows[rows["metric"] == metric]
    return list(zip(rows["n_covered"].tolist(), rows["n_total"].tolist(), strict=True))


def two_stocks(*prices: float, **fields: object) -> Book:
    """40 shares of A at ``prices`` from BEFORE on, bought at 390; 10 of B, which gains 1 a day from
    50.
    """
    days = SESSIONS[FIRST - 3 : FIRST + 3]
    a = dict(zip(days, (400.0, 400.0, *prices), strict=True))
    b = {day: 50.0 + at for at, day in enumerate(days)}
    lots = (lot("A", 40.0, **{"entry_price": 390.0} | fields), lot("B", 10.0, entry_price=50.0))
    return book(*lots, closes={"A": a, "B": b})


def test_a_suspected_split_stays_out_of_profit_on_its_day_and_out_of_that_since_entry() -> None:
    """By hand: 10 a day from B; A gains 40 on NEXT and 80 on LATER; since entry nobody can know."""
    of = two_stocks(400.0, 100.0, 101.0, 103.0)
    known = [(10.0, 40.0 * 10 + 20.0), (10.0, -1.0), (50.0, -1.0), (90.0, -1.0)]
    assert daily_and_cumulative(of, BEFORE, DAY, NEXT, LATER) == known
    assert coverage(of, "daily_pnl", BEFORE, DAY, NEXT, LATER) == [(2, 2), (1, 2), (2, 2), (2, 2)]
    assert coverage(of, "validated_prices", BEFORE, DAY, NEXT, LATER) == [(2, 2), *[(1, 2)] * 3]
    _, undefined = snapshots.value_rows(of.value_book(BEFORE, DAY, NEXT, LATER))
    reasons = undefined[undefined["metric"] == "portfolio_snapshots.cumulative_pnl"]
    assert reasons["day"].dt.date.tolist() == [DAY, NEXT, LATER]
    assert set(reasons["reason"]) == {
        "lots held over a suspected split that is not resolved: 1; see `riskmetrics prices list`"
    }


def test_the_value_stays_as_the_closes_give_it() -> None:
    rows, _ = snapshots.value_rows(two_stocks(400.0, 100.0, 101.0, 103.0).value_book(DAY))
    assert rows["long_value"].tolist() == [40 * 100.0 + 10 * 53.0]


def test_a_portfolio_of_nothing_else_has_no_profit_and_says_why() -> None:
    of = book(lot("A", 40.0), closes={"A": {BEFORE: 400.0, DAY: 100.0}})
    rows, undefined = snapshots.value_rows(of.value_book(DAY))
    assert rows["daily_pnl"].isna().all()
    reasons = undefined.set_index("metric")["reason"]
    for name in ("daily_pnl", "daily_return"):
        assert reasons[f"portfolio_snapshots.{name}"].startswith(
            "instruments with a suspected split on the day: 1,"
        )


def test_a_move_that_reverts_is_out_of_profit_both_ways_and_not_since_entry() -> None:
    """By hand: 400 at both ends; to count the way back alone would be a gain of 12,000."""
    of = two_stocks(400.0, 100.0, 400.0, 401.0)
    known = [(10.0, -1.0), (10.0, 440.0), (50.0, 490.0)]
    assert daily_and_cumulative(of, DAY, NEXT, LATER) == known
    for day, expected in zip((DAY, NEXT, LATER), known, strict=True):
        assert daily_and_cumulative(of, day) == [expected]


def test_a_lot_bought_on_the_session_of_a_bad_tick_has_no_profit_back_from_it() -> None:
    """Bought at 399, with a close of 100 that the next session takes back: no gain of 12,000."""
    of = two_stocks(400.0, 100.0, 400.0, 401.0, entry_date=DAY, entry_price=399.0)
    (_, since_entry), (back, since_entry_back), later = daily_and_cumulative(of, DAY, NEXT, LATER)
    assert since_entry == 40 * (100.0 - 399.0) + 30.0  # nobody can know yet that the close is wrong
    assert (back, since_entry_back) == (10.0, 40.0 + 40.0)
    assert later == (50.0, 80.0 + 50.0)
    assert daily_and_cumulative(of, NEXT) == [(10.0, 80.0)]


@pytest.mark.parametrize("days", [(BEFORE, DAY), (DAY, NEXT), (NEXT, LATER), (DAY,), (LATER,)])
def test_a_move_at_either_end_of_a_range_counts_as_on_its_own(days: tuple[date, ...]) -> None:
    for prices in ((400.0, 100.0, 101.0, 103.0), (400.0, 100.0, 400.0, 401.0)):
        of = two_stocks(*prices)
        assert daily_and_cumulative(of, *days) == [daily_and_cumulative(of, day)[0] for day in days]


def test_a_short_lot_gains_nothing_by_a_suspected_split() -> None:
    """40 shares sold at 390: the fall to 100 would be a gain of 12,000."""
    short = lot("A", -40.0, position_type="SHORT", entry_price=390.0)
    closes = dict(zip((BEFORE, DAY, NEXT), (400.0, 100.0, 101.0), strict=True))
    of = book(short, closes={"A": closes})
    expected = [(-1.0, -400.0), (-1.0, -1.0), (-40.0, -1.0)]
    assert daily_and_cumulative(of, BEFORE, DAY, NEXT) == expected


def test_of_two_moves_each_keeps_out_the_lots_held_over_it() -> None:
    """2:1 on DAY and 1:10 on LATER: a lot bought between them is held over the second alone."""
    prices = dict(zip((BEFORE, DAY, NEXT, LATER), (400.0, 200.0, 201.0, 2010.0), strict=True))
    first = book(lot("A", 1.0, entry_price=400.0), closes={"A": prices})
    assert first.suspects()["in_close"].tolist() == [2.0, 0.1]
    expected = [(-1.0, 0.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, -1.0)]
    assert daily_and_cumulative(first, BEFORE, DAY, NEXT, LATER) == expected
    second = book(lot("A", 1.0, entry_price=200.0, entry_date=DAY), closes={"A": prices})
    assert daily_and_cumulative(second, DAY, NEXT, LATER) == [(0.0, 0.0), (1.0, 1.0), (-1.0, -1.0)]


class AcceptedBook(Book):
    """A book whose owner took every move as real."""

    def suspects(self) -> pd.DataFrame:
        """Return no suspected split."""
        return super().suspects().iloc[:0]


OPTION: dict[str, object] = {
    "position_type": "LC",
    "investment_class": "OPTIONS",
    "underlying_symbol": "S0",
    "strike_price": 60.0,
    "last_price": 2.5,
    "entry_price": 2.0,
    "expiration_date": date(2026, 1, 16),
}
HELD_OVER = [
    lot("S0", 10.0, portfolio_id="A"),
    lot("S0", -4.0, portfolio_id="B", position_type="SHORT"),
    lot("S0 CALL", 1.0, portfolio_id="C", **OPTION),
    lot("S0", 7.0, portfolio_id="D", exit_date=SESSIONS[FIRST + 4]),
    lot("S0", 7.0, portfolio_id="E", entry_date=BEFORE, exit_date=DAY, exit_price=30.0),
]
NOT_HELD_OVER = [
    lot("S0", 7.0, portfolio_id="F", entry_date=DAY, entry_price=12.0),
    lot("S0", 7.0, portfolio_id="G", exit_date=BEFORE, exit_price=33.0),
    lot("S0", -7.0, portfolio_id="H", position_type="SHORT", entry_date=NEXT),
]


@pytest.mark.parametrize("factor", [0.25, 10.0])
@pytest.mark.parametrize("anchor", [None, DAY, NEXT])
def test_what_both_decisions_agree_on_stays_and_the_rest_is_undefined(
    factor: float,
    anchor: date | None,
) -> None:
    """Every owner also holds S1. The equity is not stated, or on the move's session, or later."""
    closes = random_closes(["S0", "S1"], np.random.default_rng(4))
    is_new = closes.index >= pd.Timestamp(DAY)
    jumped, divided = closes.copy(), closes.assign(S0=closes["S0"] * factor)
    jumped.loc[is_new, "S0"] *= factor
    equity = dict.fromkeys("ABCDEFGH", (None if anchor is None else 9000.0, anchor))
    others = [lot("S1", 20.0, portfolio_id=name, entry_price=45.0) for name in "ABCDEFGH"]
    days = SESSIONS[FIRST : FIRST + 8]

    def figures(of: Book) -> pd.DataFrame:
        rows, _ = snapshots.value_rows(of.value_book(*days))
        return rows.set_index(["portfolio_id", "snapshot_date"]).sort_index()

    of = book(*HELD_OVER, *NOT_HELD_OVER, *others, closes=jumped, equity=equity)
    suspected = figures(of)
    split = figures(of._replace(closes=divided))
    accepted = figures(AcceptedBook(*of))
    owners = suspected.index.get_level_values("portfolio_id")
    is_over = owners.isin(list("ABCDE"))
    assert_array_equal(suspected["cumulative_pnl"].isna(), is_over)
    is_day = suspected.index.get_level_values("snapshot_date") == pd.Timestamp(DAY)
    values = ("long_value", "short_value", "total_value", "cash_value")
    for name in (*values, "daily_pnl", "daily_return", "cumulative_pnl"):
        is_settled = ~(is_over & is_day & name.startswith("daily"))
        if name in ("total_value", "cash_value", "daily_return") and anchor == NEXT:
            is_settled &= ~is_day  # the equity of a later session is carried back over the move
        is_known = is_settled & suspected[name].notna().to_numpy()
        assert is_known.sum() >= 24
        for decided in (accepted, split):
            found, expected = suspected[name][is_known], decided[name][is_known]
            assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=name)
    rest = figures(book(*others, closes=jumped, equity=equity))["daily_pnl"]
    assert_allclose(suspected["daily_pnl"][is_over & is_day], rest[is_over & is_day], rtol=1e-12)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"entry_date": DAY, "entry_price": 99.0}, [(50.0, 40.0 + 30.0), (50.0, 80.0 + 40.0)]),
        ({"entry_date": BEFORE}, [(10.0, -1.0), (50.0, -1.0)]),
        ({"exit_date": DAY, "exit_price": 99.0}, [(10.0, -1.0), (10.0, -1.0)]),
        (
            {"exit_date": BEFORE, "exit_price": 391.0},
            [(10.0, 40.0 + 30.0), (10.0, 40.0 + 40.0)],
        ),
    ],
)
def test_only_lots_held_over_the_move_are_concerned(
    fields: dict[str, object], expected: list[tuple[float, float]]
) -> None:
    """Bought on its day, or sold before it, a lot has its profit; bought before, or sold on it,
    not.
    """
    of = two_stocks(400.0, 100.0, 101.0, 103.0, **fields)
    assert daily_and_cumulative(of, DAY, NEXT) == expected


def test_an_option_on_what_may_have_split_has_no_profit_either() -> None:
    """Its strike, its price and its delta may be those of another number of shares."""
    option = {"position_type": "LC", "investment_class": "OPTIONS", "strike_price": 300.0}
    option |= {"last_price": 2.5, "entry_price": 2.0, "expiration_date": date(2026, 1, 16)}
    a = dict(zip((BEFORE, DAY, NEXT), (400.0, 100.0, 101.0), strict=True))
    of = book(lot("A CALL", 1.0, underlying_symbol="A", **option), closes={"A": a})
    assert daily_and_cumulative(of, BEFORE, DAY, NEXT) == [(0.0, 50.0), (-1.0, -1.0), (0.0, -1.0)]
    assert coverage(of, "validated_prices", BEFORE, DAY, NEXT) == [(1, 1), (0, 1), (0, 1)]


@pytest.mark.parametrize("gap", [0, 1, 5, 6, 63, 64])
def test_a_split_after_days_without_a_price_is_no_loss(gap: int) -> None:
    """Values rest on the old close for five sessions; afterwards the day has no start."""
    days = SESSIONS[FIRST - 70 : FIRST + 1]
    closes = dict.fromkeys(days[: 70 - gap], 400.0) | {DAY: 100.0, NEXT: 101.0}
    of = book(lot("A", 40.0), closes={"A": closes})
    assert daily_and_cumulative(of, DAY, NEXT) == [(-1.0, -1.0), (40.0, -1.0)]
    assert daily_and_cumulative(of, NEXT) == [(40.0, -1.0)]
    _, undefined = snapshots.value_rows(of.value_book(DAY, NEXT))
    reasons = undefined[undefined["metric"] == "portfolio_snapshots.cumulative_pnl"]["reason"]
    assert len(reasons) == 2
    assert reasons.str.startswith("lots held over a suspected split").all()


@pytest.mark.parametrize("gap", [5, 6, 20])
def test_a_split_behind_a_halt_is_replaced_by_its_proxy_in_a_replay(gap: int) -> None:
    closes = random_closes(["S0"], np.random.default_rng(4))
    window = SCENARIOS.set_index("name").loc["autumn"]
    first, last = window["first_day"], window["last_day"]
    inside = closes.index[(closes.index > first) & (closes.index < last)]
    halted = closes.copy()
    halted.loc[inside[3 : 3 + gap], "S0"] = np.nan
    of = book(lot("S0", 10.0), closes=halted)
    assert of.stress(DAY).set_index("scenario").loc["autumn", "loss"] < 1.0
    split = halted.copy()
    split.loc[split.index >= inside[3 + gap], "S0"] *= 0.25
    row = of._replace(closes=split).stress(DAY).set_index("scenario").loc["autumn"]
    assert row["proxied_share"] == 1.0
    assert abs(row["loss"]) < 0.1


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.1, 10.0])
def test_no_window_of_any_later_day_has_the_return_of_a_suspected_split(factor: float) -> None:
    """Neither a beta nor a portfolio's return: figures are those of a history without the
    return.
    """
    closes = random_closes(["S0", "S1"], np.random.default_rng(4))
    split = closes.copy()
    split.loc[split.index >= pd.Timestamp(DAY), "S0"] *= factor
    of = book(lot("S0", 10.0), lot("S1", -2.0, position_type="SHORT"), closes=split)
    smooth = of._replace(closes=closes)
    returns, expected = of.returns(90, DAY, NEXT, LATER), smooth.returns(90, DAY, NEXT, LATER)
    day = returns.frame.index == pd.Timestamp(DAY)
    assert returns.frame.loc[day, "S0"].isna().all()
    assert expected.frame.loc[day, "S0"].notna().all()
    assert_allclose(returns.frame[~day], expected.frame[~day], rtol=1e-12)
    for window in pro_forma.pro_forma_windows(of.value_with_deltas(DAY, NEXT, LATER), returns, 90):
        assert np.nanmax(np.abs(window.symbol_returns)) < 0.1
    table = of.betas(DAY, NEXT, LATER).ols
    column = list(split.columns).index("S0")
    assert table.n_obs[:, column].tolist() == [89, 89, 89]
    without = closes.assign(S0=closes["S0"].where(closes.index != pd.Timestamp(DAY)))
    oracle = of._replace(closes=without).betas(DAY, NEXT, LATER).ols
    assert oracle.n_obs[:, column].tolist() == [89, 88, 88]  # a missing close costs two returns
    assert_allclose(table.beta[:, column], oracle.beta[:, column], atol=0.02)


def test_equity_stated_before_the_move_is_as_the_closes_give_it_and_is_flagged() -> None:
    """By hand: cash of 20,000 - 40 * 400 - 10 * 52; a recorded 4:1 split would leave 12,000
    more.
    """
    of = two_stocks(400.0, 100.0, 101.0, 103.0)
    of = of._replace(
        portfolios=of.portfolios.assign(equity_balance=20_000.0),
        anchors=pd.Series({"A": BEFORE}, dtype=object),
    )
    rows, _ = snapshots.value_rows(of.value_book(BEFORE, DAY))
    assert rows["cash_value"].tolist() == [3_480.0, 3_480.0]
    assert rows["total_value"].tolist() == [20_000.0, 3_480.0 + 40 * 100.0 + 530.0]
    assert coverage(of, "validated_prices", BEFORE, DAY) == [(2, 2), (1, 2)]


def test_a_suspected_split_of_the_market_index_is_in_no_beta() -> None:
    """Oracle: the index without the jump, its return of that session missing."""
    closes = random_closes(["S0"], np.random.default_rng(4))
    jumped = closes.copy()
    jumped.loc[jumped.index >= pd.Timestamp(DAY), MARKET] *= 0.1
    of = book(lot("S0", 10.0), closes=jumped)
    found = of.betas(DAY, NEXT, LATER)
    smooth = of._replace(closes=closes).returns(90, DAY, NEXT, LATER)
    frame = smooth.frame.copy()
    frame.loc[pd.Timestamp(DAY), MARKET] = np.nan
    oracle = betas.estimate_betas(smooth._replace(frame=frame), MARKET)
    assert found.ols.n_obs[:, 0].tolist() == [89, 89, 89]
    assert_allclose(found.ols.beta, oracle.ols.beta, rtol=1e-9)


def test_the_second_opinion_leaves_out_what_the_regression_leaves_out() -> None:
    """Statsmodels on the same returns; with the split among them it would differ by far."""
    closes = random_closes(["S0"], np.random.default_rng(4))
    closes.loc[closes.index >= pd.Timestamp(DAY), "S0"] *= 0.5
    of = book(lot("S0", 10.0), closes=closes)
    rows, _ = betas.position_rows(of.betas(NEXT), of.lots, [NEXT], betas.MARKET_BETA_TABLE)
    rows = rows.assign(symbol="S0", market_index=MARKET)
    assert max_abs_difference(rows, closes, of.suspects()) < 1e-10
    assert max_abs_difference(rows, closes) > 0.1


def test_a_crash_that_is_no_split_is_out_of_the_portfolio_s_own_day_and_in_the_next() -> None:
    """A fall by 60 %, of which only the next session can tell that it is no bad tick."""
    closes = random_closes(["S0"], np.random.default_rng(4))
    closes.loc[closes.index >= pd.Timestamp(DAY), "S0"] *= 0.4
    of = book(lot("S0", 10.0), closes=closes)
    assert of.suspects().empty
    returns = of.returns(pro_forma.YEAR_WINDOW, DAY, NEXT)
    on_day, on_next = (
        window.series[:, 0]
        for window in pro_forma.pro_forma_windows(
            of.value_with_deltas(DAY, NEXT), returns, pro_forma.YEAR_WINDOW
        )
    )
    assert np.isnan(on_day[-1])
    assert on_next[-2] == pytest.approx(
        closes["S0"][pd.Timestamp(DAY)] / closes["S0"][pd.Timestamp(BEFORE)] - 1
    )
    rows = drawdown_rows(of.value_with_deltas(DAY, NEXT), returns).set_index("day")[
        "current_drawdown"
    ]
    assert rows[pd.Timestamp(DAY)] < 0.3
    assert rows[pd.Timestamp(NEXT)] > 0.55
    window, _ = returns.windows(pro_forma.YEAR_WINDOW)
    assert np.isnan(window[-1, 0])


def test_a_replayed_window_with_a_suspected_split_is_replaced_by_its_proxy() -> None:
    """The scenario's window ends before; another symbol, and a split after it, change nothing."""
    closes = random_closes(["S0", "S1"], np.random.default_rng(4))
    of = book(lot("S0", 10.0), closes=closes)
    plain = of.stress(DAY).set_index("scenario")
    window = SCENARIOS.set_index("name").loc["autumn"]
    first, last = window["first_day"], window["last_day"]
    inside = closes.index[(closes.index > first) & (closes.index <= last)]
    outcomes = {}
    for name, symbol, day in (
        ("inside", "S0", inside[3]),
        ("last", "S0", last),
        ("first", "S0", first),
        ("other", "S1", inside[3]),
    ):
        split = closes.copy()
        split.loc[split.index >= day, symbol] *= 0.25
        row = of._replace(closes=split).stress(DAY).set_index("scenario").loc["autumn"]
        outcomes[name] = None if row["proxied_share"] else row["loss"]
    assert outcomes["inside"] is None
    assert outcomes["last"] is None
    assert outcomes["first"] == pytest.approx(plain.loc["autumn", "loss"], rel=1e-12)
    assert outcomes["other"] == plain.loc["autumn", "loss"]


def test_ranges_of_a_suspected_day_are_left_out() -> None:
    days = pd.to_datetime(SESSIONS[:10])
    close = pd.DataFrame({"X": [100.0] * 5 + [50.0] * 5}, index=days)
    missing = close * np.nan
    suspects = panels.suspected_splits(panels.Bars(close, close, missing, missing))
    _, ranges = panels.clean_bars(close, close * 1.01, close * 0.99, suspects)
    assert ranges["X"].isna().tolist() == [False] * 3 + [True] + [False] * 4


def test_open_suspects_are_those_known_on_a_day() -> None:
    of = two_stocks(400.0, 100.0, 400.0, 401.0)
    suspects = of.suspects()
    assert price_moves.select_open_suspects(suspects, BEFORE).empty
    assert price_moves.select_open_suspects(suspects, DAY)["symbol"].tolist() == ["A"]
    assert price_moves.select_open_suspects(suspects, NEXT).empty


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (4.0, "4:1"),
        (0.1, "1:10"),
        (1.5, "3:2"),
        (1.25, "5:4"),
        (4 / 3, "4:3"),
        (1 / 3, "1:3"),
        (50.0, "50:1"),
        (1 / 50, "1:50"),
    ],
)
def test_a_ratio_is_written_new_shares_first(ratio: float, text: str) -> None:
    assert price_moves.format_split(ratio) == text
