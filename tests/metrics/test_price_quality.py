"""Detectors of bad prices: planted faults are found, clean markets are silent, point in time."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal, assert_equal

from riskmetrics import trading_calendar
from riskmetrics.metrics.large_moves import large_moves
from riskmetrics.metrics.price_quality import (
    MAX_PRICES_BEFORE,
    STALE_WINDOW,
    bad_ticks,
    point_in_time_estimates,
    split_suspects,
    stale_closes,
)
from riskmetrics.metrics.regression import OLS, rolling_ols
from riskmetrics.metrics.splices import (
    MIN_SPLICE_SYMBOLS,
    adjustment_breaks,
    shifts_at_splices,
)
from riskmetrics.sources import sample
from riskmetrics.sources.simulate import simulate_market
from tests.conftest import SHARED_DATA, needs_shared_data
from tests.traded_market import EVERY_TRADED_MARKET, TradedMarket


class Bars(NamedTuple):
    """A market, each of shape (T, N)."""

    close: np.ndarray
    adj_close: np.ndarray
    high: np.ndarray
    low: np.ndarray


def bars(rows: pd.DataFrame) -> Bars:
    return Bars(
        *(
            rows.pivot(index="date", columns="symbol", values=name).to_numpy(float)
            for name in Bars._fields
        )
    )


def column(*prices: float) -> np.ndarray:
    return np.array(prices)[:, np.newaxis]


def found(mask: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(cell) for cell in np.argwhere(mask).tolist()]


@pytest.fixture(scope="module")
def simulated() -> Bars:
    """A hundred stocks and two indices over 500 sessions, without a fault."""
    return bars(
        simulate_market(
            100, trading_calendar.sessions_with_lookback([date(2024, 12, 6)], 499), seed=7
        ).prices
    )


def assert_silent(market: Bars) -> None:
    ticks, suspects = bad_ticks(market.adj_close), split_suspects(*market)
    assert not ticks.bad.any()
    assert not ticks.unconfirmed.any()
    assert not stale_closes(market.close).is_stale.any()
    assert np.isnan(suspects.unadjusted).all()
    assert np.isnan(suspects.half_adjusted).all()
    assert np.isnan(adjustment_breaks(market.close, market.adj_close)).all()


def test_a_simulated_market_raises_no_alarm(simulated):
    assert_silent(simulated)


def test_the_bundled_sample_raises_no_alarm():
    assert_silent(bars(sample.prices().rows))


@needs_shared_data
def test_five_years_of_35_symbols_raise_no_alarm():
    prices = pd.read_parquet(SHARED_DATA / "prices_daily.parquet")
    assert_silent(bars(prices.assign(adj_close=prices["close"])))


@pytest.mark.parametrize("build", EVERY_TRADED_MARKET)
def test_closes_as_traded_show_their_splits_and_nothing_else(
    build: Callable[[], TradedMarket],
) -> None:
    """Five years, more than 200 dividends and three splits."""
    traded = build()
    market = bars(traded.rows)
    closes = traded.rows.pivot(index="date", columns="symbol", values="close")
    suspects = split_suspects(*market)
    assert np.isnan(suspects.unadjusted).all()
    assert np.isnan(suspects.in_adj_close).all()
    assert [
        (
            f"{closes.index[row]:%Y-%m-%d}",
            closes.columns[column],
            suspects.half_adjusted[row, column],
        )
        for row, column in found(~np.isnan(suspects.half_adjusted))
    ] == traded.splits
    assert_equal(suspects.in_close, suspects.half_adjusted)
    assert not bad_ticks(market.adj_close).suspect.any()
    assert np.isnan(adjustment_breaks(market.close, market.adj_close)).all()


@pytest.mark.parametrize("ratio", [5 / 4, 4 / 3, 3 / 2])
@pytest.mark.parametrize(("off", "is_found"), [(0.0, True), (0.0019, True), (0.0021, False)])
def test_a_small_split_is_suspected_in_the_close_alone_and_near_its_ratio(
    ratio: float, off: float, is_found: bool
) -> None:
    """Prices of a million, so that rounding to cents allows nothing; of both closes it is a
    loss.
    """
    adj_close = 1e6 * column(1.0, 1.01, 0.99)
    close = adj_close * column(ratio * (1 + off), 1.0, 1.0)
    missing = np.full(close.shape, np.nan)
    suspects = split_suspects(close, adj_close, missing, missing)
    assert_equal(suspects.in_close[:, 0], [np.nan, ratio if is_found else np.nan, np.nan])
    assert np.isnan(suspects.in_adj_close).all()
    assert np.isnan(split_suspects(close, close, missing, missing).in_close).all()


def test_a_suspicion_on_its_own_day_does_not_know_whether_the_move_reverts() -> None:
    close = column(100.0, 25.0, 100.0)
    missing = np.full(close.shape, np.nan)
    suspects = split_suspects(close, close, missing, missing)
    assert_equal(suspects.in_close[:, 0], [np.nan, 4.0, np.nan])
    assert_equal(suspects.close_reverts[:, 0], [False, True, False])
    assert np.isnan(suspects.unadjusted).all()
    on_the_day = split_suspects(close[:2], close[:2], missing[:2], missing[:2])
    assert_equal(on_the_day.in_close, suspects.in_close[:2])
    assert not on_the_day.close_reverts.any()


@pytest.mark.slow(4)
@settings(max_examples=50)
@given(st.data())
def test_a_suspicion_needs_six_earlier_prices_and_none_later(data: st.DataObject) -> None:
    """What lets a query judge each move by the rows around it alone, however long a halt was."""
    levels = st.sampled_from([100.0, 98.0, 51.0, 25.0, 10.0, 200.0, 0.0, np.nan, np.nan, np.nan])
    prices = data.draw(arrays(np.float64, (24, 1), elements=levels))
    adjusted = data.draw(arrays(np.float64, (24, 1), elements=levels))
    missing = np.full(prices.shape, np.nan)
    whole = split_suspects(prices, adjusted, missing, missing)
    stored = np.flatnonzero(~np.isnan(prices[:, 0]) | ~np.isnan(adjusted[:, 0]))
    for at, row in enumerate(stored):
        first = stored[max(at - MAX_PRICES_BEFORE, 0)]
        rows = slice(max(first - 1, 0), row + 2)
        part = split_suspects(prices[rows], adjusted[rows], missing[rows], missing[rows])
        for name in ("in_close", "in_adj_close", "close_reverts", "adj_close_reverts"):
            assert_equal(getattr(part, name)[row - rows.start], getattr(whole, name)[row])
        to_the_day = slice(0, row + 1)
        then = split_suspects(*(of[to_the_day] for of in (prices, adjusted, missing, missing)))
        assert_equal(then.in_close[row], whole.in_close[row])
        assert_equal(then.in_adj_close[row], whole.in_adj_close[row])


@pytest.mark.parametrize("factor", [0.001, 0.1, 0.3, 3.0, 10.0, 1000.0])
def test_every_planted_tick_is_found_and_nothing_else(simulated, factor):
    prices = simulated.adj_close.copy()
    columns = np.arange(prices.shape[1])
    rows = 1 + 37 * columns % (len(prices) - 2)
    prices[rows, columns] *= factor
    ticks = bad_ticks(prices)
    assert sorted(found(ticks.bad)) == sorted(zip(rows.tolist(), columns.tolist(), strict=True))
    assert not ticks.unconfirmed.any()


@pytest.mark.parametrize(
    ("prices", "bad", "unconfirmed"),
    [
        ((100, 151, 100, 101), [1], []),
        ((100, 49, 100, 101), [1], []),
        ((100, 150, 100, 101), [], []),  # not over a half
        ((100, 50, 100, 101), [], [2]),  # but back from there is
        ((100, 160, 112, 112), [1], []),  # by hand: ln 1.12 / ln 1.6 = 0.24 is left
        ((100, 160, 113, 113), [], [1]),  # and here 0.26
        ((100, 40, 42, 41), [], [1]),  # a crash
        ((100, 40, 42, 100), [], [1, 3]),
        ((100, 40), [], [1]),  # nobody can know yet
        ((100, 0, 100, 101), [1], []),
        ((100, -5, 100, 101), [1], []),
        ((100, np.inf, 100, 101), [1], []),
        ((100, 1e300, 100, 101), [1], []),
        ((100, np.nan, 1000, 1000), [], []),  # no return, no move
        ((100, 1000, np.nan, 100), [], [1]),  # not given back on the session after
        (
            (1000, 100, 101, 100),
            [],
            [1],
        ),  # a history that begins with a tick: the first row cannot be judged
        ((100, 10, 100, 10, 100, 101), [1, 2, 3], []),
    ],
)
def test_a_tick_is_a_move_over_a_half_that_the_next_session_gives_back(prices, bad, unconfirmed):
    ticks = bad_ticks(column(*prices))
    assert found(ticks.bad) == [(row, 0) for row in bad]
    assert found(ticks.unconfirmed) == [(row, 0) for row in unconfirmed]


def test_a_short_squeeze_is_not_a_bad_tick():
    """GameStop, closes as traded from 2021-01-26 to 2021-02-03: +135 %, -44 %, +68 %, -31 %, -60 %,
    +3 %.
    """
    ticks = bad_ticks(column(147.98, 347.51, 193.60, 325.00, 225.00, 90.00, 92.41))
    assert not ticks.bad.any()
    assert found(ticks.unconfirmed) == [(1, 0), (3, 0), (5, 0)]


WINDOW = 6


def betas_on_each_day(prices: np.ndarray, market: np.ndarray) -> OLS:
    """As an asset does it: bad prices are missing, the return that needs an unjudged price is
    dropped.
    """
    ticks = bad_ticks(prices)
    known = np.where(ticks.bad, np.nan, prices)
    returns = (known[1:] / known[:-1] - 1.0)[1:]

    def estimate(returns: np.ndarray, rows: slice, _: object) -> OLS:
        return rolling_ols(returns, market[2:][rows], window=WINDOW, min_obs=3)

    return point_in_time_estimates(estimate, returns, ticks.unconfirmed[2:], WINDOW)


@st.composite
def wild_markets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Prices of 1 to 4 symbols with gaps, of which every other move is a tick, a crash or a split,
    and returns of a market.
    """
    shape = draw(st.integers(WINDOW + 2, WINDOW + 12)), draw(st.integers(1, 4))
    levels = st.sampled_from(
        [100.0, 101.0, 99.5, 98.0, 100.5, 103.0, 10.0, 45.0, 160.0, 230.0, 1000.0, 0.0, np.nan]
    )
    market = draw(arrays(np.int64, shape[0], elements=st.integers(-300, 300))) / 10_000
    return draw(arrays(np.float64, shape, elements=levels)), market


@pytest.mark.slow(3)
@settings(max_examples=200)
@given(wild_markets())
def test_a_backfill_knows_on_each_day_what_the_day_itself_knew_to_the_last_bit(wild):
    """The day's own run loads the prices of its window, one more to judge the first, and none after
    it.
    """
    prices, market = wild
    backfill = betas_on_each_day(prices, market)
    for day in range(len(backfill.beta)):
        rows = slice(day, day + WINDOW + 2)
        daily = betas_on_each_day(prices[rows], market[rows])
        assert_equal(daily, OLS(*(values[day : day + 1] for values in backfill)))


@settings(max_examples=100)
@given(wild_markets())
def test_a_symbol_alone_has_the_same_bits_as_among_others(wild):
    prices, market = wild
    together = betas_on_each_day(prices, market)
    for symbol in range(prices.shape[1]):
        alone = slice(symbol, symbol + 1)
        assert_equal(
            betas_on_each_day(prices[:, alone], market),
            OLS(*(values[:, alone] for values in together)),
        )


@pytest.mark.parametrize(("after", "counted"), [(41.0, [6, 5, 6]), (99.0, [6, 5, 4])])
def test_a_crash_counts_from_the_day_after_and_a_tick_never(after, counted):
    """Returns in the window to the session before a fall by 60 %, to its own, and to the one after
    it.
    """
    prices = column(100, 101, 100, 102, 101, 100, 101, 100, 40, after)
    fits = betas_on_each_day(prices, np.linspace(-0.01, 0.01, len(prices)))
    assert fits.n_obs[:, 0].tolist() == counted


def test_a_run_counts_the_sessions_with_the_same_close():
    close = np.arange(1.0, STALE_WINDOW + 9)[:, np.newaxis]
    close[-6:-1] = close[-6]
    close[-1] = np.nan
    assert stale_closes(close).run[:, 0].tolist() == [1, 1, 1, 2, 3, 4, 5, 0]
    assert stale_closes(close).is_stale[:, 0].tolist() == [False] * 6 + [True, False]


@pytest.mark.parametrize(("zeros", "is_stale"), [(15, False), (16, True)])
def test_more_than_a_quarter_of_zero_returns_is_stale(zeros, is_stale):
    """By hand: 15 of 63 are 23.8 %, 16 are 25.4 %; no close stands still for more than two
    sessions.
    """
    moves = np.ones(STALE_WINDOW)
    moves[: 2 * zeros : 2] = 0.0
    measured = stale_closes(np.concatenate([[100.0], 100.0 + moves.cumsum()])[:, np.newaxis])
    assert measured.zero_share[0, 0] == zeros / STALE_WINDOW
    assert measured.run[0, 0] < 5
    assert measured.is_stale[0, 0] == is_stale


def test_staleness_agrees_with_pandas_where_closes_are_missing():
    """Oracle: rolling sums and group-wise counts of pandas."""
    rng = np.random.default_rng(3)
    close = rng.integers(10, 13, (150, 8)).astype(float)
    close[rng.random(close.shape) < 0.3] = np.nan
    close[20:110, 0] = np.nan
    measured = stale_closes(close)
    frame = pd.DataFrame(close)
    change = frame.diff()
    known = change.notna().rolling(STALE_WINDOW).sum()
    share = (
        (change == 0).rolling(STALE_WINDOW).sum() / known.where(known >= STALE_WINDOW / 2)
    ).to_numpy()[STALE_WINDOW:]
    runs = [
        frame[name].groupby((frame[name].diff() != 0).cumsum()).cumcount() + 1 for name in frame
    ]
    assert_array_equal(measured.zero_share, share)
    assert np.isnan(share[:, 0]).any()
    assert_array_equal(
        measured.run, pd.concat(runs, axis=1).where(frame.notna(), 0).to_numpy()[STALE_WINDOW:]
    )


def test_a_halted_close_is_stale_whatever_history_precedes_it():
    halted = np.full((3 * STALE_WINDOW, 1), 12.5)
    for rows in (len(halted), STALE_WINDOW + 1):
        measured = stale_closes(halted[-rows:])
        assert (measured.run[-1, 0], measured.zero_share[-1, 0]) == (STALE_WINDOW + 1, 1.0)


def test_staleness_of_too_short_a_history_raises():
    with pytest.raises(ValueError, match="need 64 sessions"):
        stale_closes(np.ones((STALE_WINDOW, 2)))


@pytest.mark.parametrize(
    ("ratio", "before", "close", "high", "low"),
    [
        (4, 499.23, 129.04, 131.00, 126.00),  # Apple, 2020-08-31
        (5, 2213.40, 498.32, 500.14, 440.11),  # Tesla, 2020-08-31
        (10, 1208.88, 121.79, 123.10, 117.01),  # NVIDIA, 2024-06-10
    ],
)
def test_published_splits_are_found_in_closes_as_traded(ratio, before, close, high, low):
    """Close before, and close, high and low of the first session after, as traded."""
    as_traded, highs, lows = column(before, close), column(before, high), column(before, low)
    neither = split_suspects(as_traded, as_traded, highs, lows)
    assert_equal(neither.unadjusted[:, 0], [np.nan, ratio])
    assert np.isnan(neither.half_adjusted).all()
    for one, other in (
        (as_traded, column(before / ratio, close)),
        (column(before / ratio, close), as_traded),
    ):
        half = split_suspects(one, other, highs, lows)
        assert_equal(half.half_adjusted[:, 0], [np.nan, ratio])
        assert np.isnan(half.unadjusted).all()


def read_sample() -> pd.DataFrame:
    """Read the sample, with the high and the low of Apple's split day as published."""
    prices = sample.prices().rows
    is_split_day = (prices["symbol"] == "AAPL") & (prices["date"] == date(2020, 8, 31))
    high, low = 131.00 / 129.04, 126.00 / 129.04
    return prices.assign(
        high=(prices["close"] * high).where(is_split_day),
        low=(prices["close"] * low).where(is_split_day),
    )


def read_adjusted() -> pd.DataFrame:
    """Read the optional daily prices, which are adjusted for splits and dividends."""
    prices = pd.read_parquet(SHARED_DATA / "prices_daily.parquet")
    return prices.assign(adj_close=prices["close"])


SPLITS = [
    pytest.param(read_sample, "AAPL", "2020-08-31", 4, id="sample"),
    *(
        pytest.param(read_adjusted, *split, marks=needs_shared_data)
        for split in (
            ("AAPL", "2020-08-31", 4),
            ("TSLA", "2020-08-31", 5),
            ("NVDA", "2021-07-20", 4),
            ("AMZN", "2022-06-06", 20),
            ("GOOGL", "2022-07-18", 20),
            ("TSLA", "2022-08-25", 3),
            ("WMT", "2024-02-26", 3),
            ("NVDA", "2024-06-10", 10),
        )
    ),
]


@pytest.mark.parametrize(("read", "symbol", "day", "ratio"), SPLITS)
def test_a_real_split_taken_out_by_hand_is_found_on_its_day_and_nothing_else(
    read: Callable[[], pd.DataFrame], symbol: str, day: str, ratio: float
) -> None:
    prices = read()
    prices = prices[prices["symbol"] == symbol]
    adjusted = bars(prices)
    row = int((np.sort(pd.to_datetime(prices["date"])) < np.datetime64(day)).sum())
    earlier = np.arange(len(prices))[:, np.newaxis] < row
    unadjusted = Bars(*(np.where(earlier, ratio * values, values) for values in adjusted))
    suspects = split_suspects(*unadjusted)
    assert found(~np.isnan(suspects.unadjusted)) == [(row, 0)]
    assert suspects.unadjusted[row, 0] == ratio
    half = split_suspects(*unadjusted._replace(adj_close=adjusted.adj_close))
    assert found(~np.isnan(half.half_adjusted)) == [(row, 0)]
    assert half.half_adjusted[row, 0] == ratio


@pytest.mark.parametrize("ratio", [2, 3, 4, 5, 10, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 10])
def test_planted_splits_are_found_with_their_ratio(simulated, ratio):
    columns = np.arange(simulated.close.shape[1])
    rows = 1 + 37 * columns % (len(simulated.close) - 2)
    scale = np.where(np.arange(len(simulated.close))[:, np.newaxis] < rows, ratio, 1.0)
    suspects = split_suspects(*(values * scale for values in simulated))
    assert sorted(found(~np.isnan(suspects.unadjusted))) == sorted(
        zip(rows.tolist(), columns.tolist(), strict=True)
    )
    assert (suspects.unadjusted[rows, columns] == ratio).all()
    assert np.isnan(suspects.half_adjusted).all()


@pytest.mark.parametrize(
    ("prices", "unadjusted"),
    [
        ((100, 51, 52), [np.nan, 2, np.nan]),  # without high and low, 2.5 % around the ratio
        ((100, 53, 54), [np.nan, np.nan, np.nan]),
        ((100, 66, 67), [np.nan, np.nan, np.nan]),  # a third is lost without a split, too
        ((10, 99, 100), [np.nan, 0.1, np.nan]),
        ((100, 25, 100), [np.nan, np.nan, np.nan]),  # a bad tick
        ((100, np.nan, 25), [np.nan, np.nan, 4]),  # a value may rest on the old close meanwhile
        ((100, *[0.0] * 5, 25), [*[np.nan] * 6, 4]),  # the sixth price before is the good one
        ((100, *[0.0] * 6, 25), [np.nan] * 8),  # the seventh is not looked at
        (
            (100, 1000, 101, 25),
            [np.nan, np.nan, np.nan, 4],
        ),  # the price before is good, the tick is not
        ((100, 101, 25.2), [np.nan, np.nan, 4]),  # may be a tick, as far as anyone knows
    ],
)
def test_a_split_is_a_move_near_its_ratio_that_does_not_come_back(prices, unadjusted):
    close = column(*prices)
    missing = np.full(close.shape, np.nan)
    assert_equal(split_suspects(close, close, missing, missing).unadjusted[:, 0], unadjusted)


@pytest.mark.parametrize("n_missing", [5, 6, 63, 64, 300])
def test_a_split_is_suspected_behind_a_halt_of_any_length(n_missing: int) -> None:
    """In both closes, in the close alone, and a small one in the close alone."""
    halt = [np.nan] * n_missing
    missing = np.full((n_missing + 2, 1), np.nan)
    smooth = column(100.0, *halt, 101.0)
    for ratio, is_in_both in ((4.0, True), (4.0, False), (1.5, False)):
        close = column(ratio * 100.0, *halt, 101.0)
        suspects = split_suspects(close, close if is_in_both else smooth, missing, missing)
        assert_equal(suspects.in_close[:, 0], [np.nan, *halt, ratio])
        assert_equal(suspects.in_adj_close[:, 0], [np.nan, *halt, ratio if is_in_both else np.nan])


@pytest.mark.parametrize(("n_missing", "reach"), [(0, 0.025), (3, 0.05), (35, 0.15), (63, 0.15)])
def test_the_reach_around_a_ratio_grows_with_the_halt(n_missing: int, reach: float) -> None:
    """By hand: 2.5 % times the square root of the sessions between the prices, at most 15 %."""
    halt = [np.nan] * n_missing
    missing = np.full((n_missing + 2, 1), np.nan)
    for off, ratio in ((reach - 1e-6, 2.0), (reach + 1e-6, np.nan)):
        for before in (100.0 * (1 + off), 100.0 / (1 + off)):
            close = column(before, *halt, 50.0)
            suspects = split_suspects(close, close, missing, missing)
            assert_equal(suspects.in_close[:, 0], [np.nan, *halt, ratio])


@pytest.mark.parametrize(("close", "ratio"), [(58.0, np.nan), (57.0, 2.0)])
def test_a_wide_range_does_not_make_a_split_of_a_close_far_from_it(close, ratio):
    """By hand: 100 / 58 is 14 % short of 2, a ratio of 1.16, and 100 / 57 one of 1.14."""
    prices, high, low = column(100, close), column(101, 60), column(99, 49)
    assert_equal(split_suspects(prices, prices, high, low).unadjusted[:, 0], [np.nan, ratio])


@pytest.mark.parametrize(
    ("prices", "ratio"),
    [
        ((100.0, 38.4), np.nan),  # by hand: 3 / 1.15 is a fall of 61.67 %
        ((100.0, 38.3), 3.0),
        ((10.0, 26.1), 1 / 3),
        ((10.0, 26.0), np.nan),
        ((100.0, 1.7392), 50.0),  # 57.5 old shares are the most
        ((100.0, 1.7390), np.nan),
        ((100.0, 47.9), np.nan),  # 2:1 still needs the day's range
    ],
)
def test_from_three_to_one_on_a_split_is_suspected_within_15_percent(prices, ratio):
    close = column(*prices)
    missing = np.full(close.shape, np.nan)
    assert_equal(split_suspects(close, close, missing, missing).in_close[:, 0], [np.nan, ratio])


def test_a_split_with_an_overnight_gap_is_suspected_by_its_range_or_without_it():
    """4:1 with +4.3 %, and a range that never comes back to the price before."""
    close, high, low = column(111.07, 28.97), column(112.0, 29.3), column(109.0, 28.8)
    assert_equal(split_suspects(close, close, high, low).in_close[:, 0], [np.nan, 4.0])


@needs_shared_data
@pytest.mark.parametrize("ratio", [3, 4, 10, 15, 50, 1 / 3, 1 / 30])
@pytest.mark.parametrize("has_range", [True, False])
def test_a_split_from_three_to_one_on_is_found_with_the_moves_of_real_days(ratio, has_range):
    """Every session of 35 real symbols in turn; only the moves of the day remain over 15 %."""
    market = bars(read_adjusted())
    extremes = (market.high, market.low) if has_range else (market.close * np.nan,) * 2
    n_sessions, n_symbols = market.close.shape
    n_found = 0
    for first in range(1, 61):
        rows = np.minimum(first + 61 * np.arange(n_symbols) % (n_sessions - 62), n_sessions - 2)
        scale = np.where(np.arange(n_sessions)[:, np.newaxis] < rows, ratio, 1.0)
        scaled = [values * scale for values in (market.close, market.close, *extremes)]
        suspects = split_suspects(*scaled).in_close[rows, np.arange(n_symbols)]
        n_found += int((np.abs(np.log(suspects / ratio)) < 0.3).sum())
    assert n_found >= 0.998 * 60 * n_symbols


@pytest.mark.parametrize(
    ("prices", "is_large"),
    [
        ((100, 150, 151), [False, False, False]),
        ((100, 150.1, 151), [False, True, False]),
        ((100, 57.5, 57), [False, False, False]),
        ((100, 57.4, 57), [False, True, False]),
        ((100, 1000, 101), [False, False, False]),  # a bad tick, and the way back
        ((100, 101, 160), [False, False, False]),  # unconfirmed, which is another finding
        ((100, 101, 55), [False, False, True]),  # not over half: the next session confirms nothing
        ((100, np.nan, 55), [False, False, False]),
        ((100, 0, 55), [False, False, False]),
    ],
)
def test_a_large_move_stays_and_has_no_close_missing(prices, is_large):
    assert large_moves(column(*prices))[:, 0].tolist() == is_large


def test_a_seam_is_where_the_factor_falls():
    """By hand: a dividend of 1 % between the first piece, as of its last row, and the second, which
    is adjusted for it.
    """
    close = column(100.0, 101.0, 102.0, 101.0, 100.0)
    factor = column(1.0, 1.0, 0.99, 0.99, 1.0)
    fall = adjustment_breaks(close, (close * factor).round(2))
    assert found(~np.isnan(fall)) == [(2, 0)]
    assert fall[2, 0] == pytest.approx(0.01, abs=1e-4)


def test_a_seam_is_found_across_missing_sessions():
    close = column(100.0, 101.0, np.nan, 102.0, 101.0)
    factor = column(1.0, 1.0, 1.0, 0.99, 0.99)
    assert found(~np.isnan(adjustment_breaks(close, close * factor))) == [(3, 0)]


def test_dividends_rounding_and_bad_ticks_make_no_seam():
    """Closes near three dollars, in cents, with a dividend of one cent every ten sessions; a tick
    in the adjusted closes only.
    """
    close = (3.0 + np.sin(np.arange(80.0)) * 0.3).round(2)[:, np.newaxis]
    adj_close = (close * 0.997 ** (7 - np.arange(80) // 10)[:, np.newaxis]).round(2)
    adj_close[41] *= 10
    assert np.isnan(adjustment_breaks(close, adj_close)).all()


@pytest.mark.parametrize("build", EVERY_TRADED_MARKET)
def test_every_seam_with_a_dividend_after_it_is_found_in_histories_as_traded(
    build: Callable[[], TradedMarket],
) -> None:
    """Rows before a seam are adjusted as of the last of them, the others as the vendor did, whose
    factor tells of the dividends.
    """
    market = bars(build().rows)
    factor, n_planted = market.adj_close / market.close, 0
    for seam in range(60, len(factor), 61):
        dividends_after = (
            factor[seam] < 1 - 1e-4
        )  # one that is paid on the seam itself has no session in both pieces
        rows = np.arange(len(factor))[:, np.newaxis] < seam
        pieces = np.where(
            rows & (factor[seam - 1] > 0), market.adj_close / factor[seam - 1], market.adj_close
        ).round(4)
        known = factor[seam - 1] > 0
        assert_array_equal(
            found(~np.isnan(adjustment_breaks(market.close, pieces))),
            [(seam, n) for n in np.flatnonzero(dividends_after & known)],
        )
        n_planted += int((dividends_after & known).sum())
    assert n_planted > 200


@pytest.mark.parametrize(
    "detect",
    [bad_ticks, stale_closes, lambda prices: split_suspects(prices, prices, prices, prices)],
)
def test_no_symbol_and_no_known_price_raise_no_alarm(detect):
    for prices in (np.empty((70, 0)), np.full((70, 2), np.nan)):
        for values in detect(prices):
            assert not np.nan_to_num(values).any()
            assert values.shape[1] == prices.shape[1]


@pytest.mark.parametrize("build", EVERY_TRADED_MARKET)
@pytest.mark.parametrize(
    ("dividend_days", "found_at_least", "found_at_most"),
    [(0, 0.0, 0.0), (126, 0.0, 0.0), (252, 0.3, 1.0), (500, 0.9, 1.0)],
)
def test_closes_adjusted_as_of_two_days_shift_where_they_meet(
    build: Callable[[], TradedMarket],
    dividend_days: int,
    found_at_least: float,
    found_at_most: float,
) -> None:
    """Nine stocks, earlier rows adjusted as of the seam and later ones that much later, and an
    index without a seam.
    """
    traded = build()
    close, adj_close = (
        traded.rows.pivot(index="date", columns="symbol", values=name)
        for name in ("close", "adj_close")
    )
    symbols = [*traded.payers, traded.index]
    own = np.array([symbol != traded.index for symbol in symbols])
    adjusted = adj_close[symbols].to_numpy()
    factor = adjusted / close[symbols].to_numpy()
    hits, days = [], range(400, len(close) - 501, 11)
    for seam in days:
        prices = adjusted / factor[seam - 1 + dividend_days]
        prices[:seam, own] = (adjusted / factor[seam - 1])[:seam, own]
        returns = prices[seam - 199 : seam + 116] / prices[seam - 200 : seam + 115] - 1.0
        at_seam = np.zeros(returns.shape, dtype=bool)
        at_seam[199, own] = True
        shift = shifts_at_splices(returns, at_seam)
        assert np.isnan(np.delete(shift, 199)).all()
        assert not shift[199] > 0
        hits.append(not np.isnan(shift[199]))
    assert found_at_least <= np.mean(hits) <= found_at_most


def seam_returns(n_at_seam: int, shift: float, n_usual: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns that go up and down by 1 % in turn, and on the last of ``n_usual + 1`` sessions by
    ``shift``.
    """
    returns = np.tile([[0.01], [-0.01]], (n_usual, 8))[: n_usual + 1]
    returns[-1, :n_at_seam] = shift
    returns[:, n_at_seam:] = 0.0
    at_seam = np.zeros(returns.shape, dtype=bool)
    at_seam[-1, :n_at_seam] = True
    return returns, at_seam


@pytest.mark.parametrize(
    ("n_at_seam", "shift", "n_usual", "is_found"),
    [
        (MIN_SPLICE_SYMBOLS, -0.0126, 126, True),
        (MIN_SPLICE_SYMBOLS, 0.0126, 126, True),
        (MIN_SPLICE_SYMBOLS - 1, -0.0126, 126, False),
        (
            MIN_SPLICE_SYMBOLS,
            -0.0125,
            126,
            False,
        ),  # by hand: 1.25 times the 1 % of the other sessions
        (MIN_SPLICE_SYMBOLS, -0.0126, 125, False),
        (8, -0.0126, 126, True),  # without any other symbol
    ],
)
def test_a_shift_at_a_seam_counts_beyond_every_usual_one(
    n_at_seam: int, shift: float, n_usual: int, is_found: bool
) -> None:
    returns, at_seam = seam_returns(n_at_seam, shift, n_usual)
    found_shift = shifts_at_splices(returns, at_seam)
    assert np.isnan(found_shift[:-1]).all()
    assert np.isnan(found_shift[-1]) != is_found
    if is_found:
        assert found_shift[-1] == shift
