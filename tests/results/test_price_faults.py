"""Faults planted in clean prices are found with symbol, session and measure, and no others."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from riskmetrics.panels import Bars
from riskmetrics.results import price_faults
from riskmetrics.results.price_faults import FAULT_KINDS, describe_findings, find_faults

DAY = date(2024, 12, 6)
SESSIONS = price_faults.required_sessions(DAY)
N = len(SESSIONS)


@pytest.fixture
def bars() -> Bars:
    """Closes of A and B that move by about 1 %, a dividend of each halfway; highs and lows 1 %
    away.
    """
    rng = np.random.default_rng(5)
    close = 80 * np.exp(rng.normal(0, 0.01, (N, 2)).cumsum(axis=0)).round(4)
    factor = np.where(np.arange(N)[:, None] < N // 2, 0.99, 1.0)
    index, columns = pd.DatetimeIndex(pd.to_datetime(SESSIONS)), pd.Index(["A", "B"], dtype="str")
    return Bars(
        *(
            pd.DataFrame(values, index, columns)
            for values in (close, close * factor, close * 1.01, close * 0.99)
        )
    )


def listed(bars: Bars) -> list[tuple[str, str, str, float]]:
    """Fault, symbol, day and measure of every finding."""
    found = find_faults(bars)
    return [
        (row.fault, row.symbol, f"{row.day:%m-%d}", round(row.measure, 4))
        for row in found.itertuples()
    ]


def at(day: str) -> int:
    return SESSIONS.index(date.fromisoformat(day))


def test_a_year_is_looked_at_and_a_quarter_before_it():
    """By hand: 252 returns need 253 closes, 63 more stand before the first of them."""
    assert (N, SESSIONS[-1]) == (316, DAY)


def test_prices_without_a_fault_have_no_finding(bars):
    found = find_faults(bars)
    assert found.empty
    assert list(found.columns) == ["fault", "symbol", "day", "measure", "finding", "what_to_do"]


def test_closes_that_stand_still_are_listed_by_run_the_longest_first(bars):
    for first, last in (
        ("2024-03-04", "2024-03-08"),
        ("2024-07-08", "2024-07-16"),
        ("2024-12-03", "2024-12-06"),
    ):
        for prices in (bars.close, bars.adj_close):
            prices.loc[first:last, "B"] = prices.loc[first, "B"]
    assert listed(bars) == [
        ("stale_prices", "B", "07-16", 7),
        ("stale_prices", "B", "03-08", 5),
    ]  # four sessions are no fault yet


def test_zero_returns_of_a_quarter_are_listed_once_where_they_are_most(bars):
    """Every third return from row 200 to 299 is 0: 21 of 63."""
    for prices in (bars.close, bars.adj_close):
        values = prices["A"].to_numpy().copy()
        values[201:300:3] = values[200:299:3]
        prices["A"] = values
    ((fault, symbol, _, share),) = listed(bars)
    assert (fault, symbol, share) == ("stale_prices", "A", round(21 / 63, 4))


@pytest.mark.parametrize(
    ("missing", "expected"), [(5, []), (6, [("stale_prices", "A", "11-27", 6)])]
)
def test_a_history_that_stopped_is_listed_when_no_older_close_stands_in(bars, missing, expected):
    for prices in bars:
        prices.iloc[-missing:, 0] = np.nan
    assert listed(bars) == expected


def test_a_bad_tick_is_listed_with_its_move_and_once_for_both_closes(bars):
    row = at("2024-05-15")
    before = bars.adj_close.iloc[row - 1, 1]
    bars.close.iloc[row, 1] = bars.adj_close.iloc[row, 1] = 10 * before
    assert listed(bars) == [("bad_ticks", "B", "05-15", 9.0)]


def test_a_tick_in_the_close_alone_and_a_price_of_zero_are_listed(bars):
    bars.close.iloc[at("2024-05-15"), 1] *= 100
    bars.adj_close.iloc[at("2024-05-20"), 0] = 0.0
    found = find_faults(bars)
    assert found[["fault", "symbol"]].to_numpy().tolist() == [
        ["bad_ticks", "A"],
        ["bad_ticks", "B"],
    ]
    assert found["finding"][0] == "adj_close on 2024-05-20 is not a valid price"
    assert np.isnan(found["measure"][0])
    assert found["finding"][1].startswith("close moves by +")


def test_a_large_move_of_the_last_session_alone_is_listed_as_unconfirmed(bars):
    for row in (at("2024-05-15"), N - 1):  # the first is a crash that stays
        for prices in bars:
            prices.iloc[row:, 0] *= 0.43
    found = find_faults(bars)
    assert found[["fault", "symbol", "day"]].to_numpy().tolist() == [
        ["bad_ticks", "A", pd.Timestamp(DAY)],
        ["large_moves", "A", pd.Timestamp("2024-05-15")],
    ]
    assert "unconfirmed until the next session" in found["finding"][0]


def test_a_move_that_stays_is_listed_until_it_is_accepted(bars):
    """A 2:1 split with a move of its own, and a rise; the largest comes first."""
    for day, symbol, factor in (("2024-05-15", "A", 1.6), ("2024-06-10", "B", 0.5 * 0.94)):
        for prices in bars:
            prices.loc[day:, symbol] *= factor
    assert [row[:3] for row in listed(bars)] == [
        ("large_moves", "B", "06-10"),
        ("large_moves", "A", "05-15"),
    ]
    text = find_faults(bars)["what_to_do"][1]
    assert text.startswith("`riskmetrics prices accept A 2024-05-15` if the move is real; ")
    assert "`riskmetrics prices split A 2024-05-15 RATIO`" in text
    accepted = pd.DataFrame({"symbol": ["A"], "date": [pd.Timestamp("2024-05-15")]})
    assert find_faults(bars, accepted=accepted)["symbol"].tolist() == ["B"]


@pytest.mark.parametrize("ratio", [4.0, 0.1])
def test_a_split_in_neither_close_is_listed_and_so_is_one_in_a_single_close(bars, ratio):
    earlier = slice(0, at("2024-06-10"))
    for prices in bars:
        prices.iloc[earlier, 0] *= ratio
    bars.adj_close.iloc[earlier, 1] *= ratio
    assert listed(bars) == [
        ("unadjusted_splits", "B", "06-10", ratio),
        ("unadjusted_splits", "A", "06-10", ratio),
    ]
    assert find_faults(bars)["finding"].str.contains("do not move alike").tolist() == [True, False]


def test_a_seam_is_listed_with_the_fall_of_the_factor(bars):
    """By hand: rows before it were adjusted as of a day before a dividend of 2 %, 1 / 0.98 too
    high.
    """
    bars.adj_close.iloc[: at("2024-03-01"), 0] /= 0.98
    assert listed(bars) == [("adjustment_breaks", "A", "03-01", 0.02)]


@pytest.mark.parametrize(
    ("closes", "means"),
    [
        (253, None),
        (252, None),
        (241, None),  # 240 of 252 are 95.2 %, 239 are 94.8 %
        (240, "239 of 252 returns: one-year figures use fewer returns"),
        (127, "126 of 252 returns: one-year figures use fewer returns"),
        (
            126,
            ("125 of 252 returns: no volatility percentile, one-year figures use fewer returns"),
        ),
        (
            63,
            (
                "62 of 252 returns: no volatility forecast, no volatility percentile, one-year"
                " figures use fewer returns"
            ),
        ),
        (
            60,
            (
                "59 of 252 returns: no beta, no volatility forecast, no volatility percentile,"
                " one-year figures use fewer returns"
            ),
        ),
        (
            0,
            (
                "0 of 252 returns: no beta, no volatility forecast, no volatility percentile,"
                " one-year figures use fewer returns"
            ),
        ),
    ],
)
def test_a_short_history_says_what_it_leaves_undefined(bars, closes, means):
    for prices in bars:
        prices.iloc[: N - closes, 0] = np.nan
    found = find_faults(bars)
    assert found["finding"].tolist() == ([] if means is None else [means])
    if means:
        assert found["fault"][0] == "short_histories"
        remedy = "import the missing prices, or earlier" if closes else "correct the symbol with"
        assert found["what_to_do"][0].startswith(remedy)
        assert (
            found["day"][0] == pd.Timestamp(SESSIONS[N - closes])
            if closes
            else pd.isna(found["day"][0])
        )


@pytest.mark.parametrize(
    ("gap", "expected"), [(1, []), (63, []), (64, [("short_histories", "B", "09-07", 124)])]
)
def test_gaps_are_no_short_history_before_they_leave_a_metric_undefined(bars, gap, expected):
    """Every gap of one session costs two returns: 252 - 2 * 63 = 126 are enough."""
    for prices in bars:
        prices.iloc[N - 2 * gap : N : 2, 1] = np.nan
    assert [found for found in listed(bars) if found[0] == "short_histories"] == expected


def test_a_sentence_names_three_counts_the_rest_and_says_what_to_do(bars):
    days = ("2024-03-04", "2024-04-04", "2024-05-06", "2024-06-04", "2024-07-08")
    for place, day in enumerate(days):
        bars.adj_close.loc[day, "A"] *= 3 + place
    found = find_faults(bars)
    text = describe_findings("bad_ticks", found, bars)
    assert text.startswith("bad ticks in 1 of 2 symbols (A: adj_close moves by +")
    assert [day in text for day in days] == [False, False, True, True, True]
    assert text.endswith("and back; and 2 more): " + FAULT_KINDS["bad_ticks"].what_to_do)
    assert (
        describe_findings("stale_prices", found[:0], bars)
        == f"no stale prices in 2 symbols, {SESSIONS[0]} to {DAY}"
    )


def test_no_symbol_has_no_finding(bars):
    nothing = Bars(*(prices.iloc[:, :0] for prices in bars))
    assert find_faults(nothing).empty
    assert find_faults(
        nothing, splices=pd.DataFrame({"symbol": ["A"], "date": bars.close.index[:1]})
    ).empty


def test_pieces_that_shift_together_where_they_meet_are_listed_by_symbol() -> None:
    """Six symbols of a file without adjusted closes, 3 % too high before the second download; one
    of a history of its own.
    """
    rng = np.random.default_rng(5)
    close = 80 * np.exp((rng.normal(0, 0.01, (N, 1)) + rng.normal(0, 0.004, (N, 7))).cumsum(axis=0))
    close[: at("2024-03-01"), :6] *= 1.03
    names = [*"ABCDEF", "INDEX"]
    frame = pd.DataFrame(
        close, pd.DatetimeIndex(pd.to_datetime(SESSIONS)), pd.Index(names, dtype="str")
    )
    bars = Bars(frame, frame, frame * 1.01, frame * 0.99)
    seams = pd.DataFrame({"symbol": names[:6], "date": pd.Timestamp("2024-03-01")})
    found = find_faults(bars, splices=seams)
    assert found[["fault", "symbol"]].to_numpy().tolist() == [
        ["adjustment_breaks", name] for name in "ABCDEF"
    ]
    assert found["day"].unique().tolist() == [pd.Timestamp("2024-03-01")]
    assert found["measure"].between(0.02, 0.04).all()
    assert "when 6 symbols moved by -" in found["finding"][0]
    assert find_faults(bars, splices=seams[:4]).empty
    assert find_faults(bars).empty
