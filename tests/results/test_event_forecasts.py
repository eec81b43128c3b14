"""Forecasts with a calendar of events: better than without where there are some, else the same."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_books import MARKET, book, lot

from benchmarks import shipped_versions
from riskmetrics import panels, trading_calendar
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.forecast_score import forward_realized_volatility, qlike
from riskmetrics.results import portfolio_volatility_results, volatility_results
from riskmetrics.results.event_panels import align_events
from riskmetrics.results.volatility_results import SYMBOL_WINDOW, DailyBars

LAST = date(2024, 11, 29)
DAYS = trading_calendar.sessions_with_lookback([LAST], 251)
SESSIONS = trading_calendar.sessions_with_lookback(DAYS, SYMBOL_WINDOW + 1)
SYMBOLS = [f"S{number}" for number in range(12)]
VERSIONS = shipped_versions.load()
NO_EVENTS = pd.DataFrame({"symbol": [], "day": [], "known_on": []})


def simulate(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return closes and the calendar of companies that report 57 to 69 sessions apart."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, 0.01, (len(SESSIONS), len(SYMBOLS) + 1))
    events = []
    for column, symbol in enumerate(SYMBOLS):
        at = np.cumsum(rng.integers(57, 70, 40)) - rng.integers(0, 63)
        at = at[(at >= 0) & (at < len(SESSIONS))]
        moves[at, column] = rng.choice([-1.0, 1.0], len(at)) * rng.normal(0.08, 0.01, len(at))
        events += [(symbol, SESSIONS[row], SESSIONS[max(row - 21, 0)]) for row in at]
    closes = pd.DataFrame(
        50.0 * np.exp(np.cumsum(moves, axis=0)),
        index=pd.to_datetime(SESSIONS),
        columns=pd.Index([*SYMBOLS, MARKET], dtype="str"),
    )
    calendar = pd.DataFrame(events, columns=["symbol", "day", "known_on"])
    return closes, calendar.assign(**{k: pd.to_datetime(calendar[k]) for k in ("day", "known_on")})


def bars_of(returns: panels.Returns, events: pd.DataFrame, *, has_bars: bool) -> DailyBars:
    shape = returns.frame.shape
    rng = np.random.default_rng(4)
    values = [np.full(shape, np.nan)] * 3
    if has_bars:
        size = np.abs(returns.values()) + 1e-4
        values = [size, np.exp(-0.9 * np.log1p(returns.values())), rng.uniform(9e5, 1e6, shape)]
    index = pd.DatetimeIndex(returns.frame.index)
    return DailyBars(*values, align_events(events, index, returns.frame.columns))


def forecast(
    closes: pd.DataFrame, events: pd.DataFrame, days: list[date] = DAYS, *, has_bars: bool = False
) -> volatility_results.SymbolVolatility:
    returns = book(closes=closes).returns(SYMBOL_WINDOW, *days)
    bars = bars_of(returns, events, has_bars=has_bars)
    return volatility_results.estimate_symbol_volatility(returns, bars, MARKET, VERSIONS)


@pytest.mark.parametrize(("has_bars", "least"), [(False, 0.9), (True, 0.99)])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_true_calendar_beats_the_inferred_season_before_events_and_on_the_whole(
    seed, has_bars, least
):
    """QLIKE of the next 21 sessions; the outcomes are simulated, and the versions are shipped."""
    closes, events = simulate(seed)
    known, inferred = (
        forecast(closes, calendar, has_bars=has_bars) for calendar in (events, NO_EVENTS)
    )
    moves = closes[SYMBOLS].pct_change().loc[str(DAYS[0]) :].to_numpy()
    outcome = forward_realized_volatility(moves)
    reports = events.assign(at=1.0).pivot(index="day", columns="symbol", values="at")
    is_report = reports.reindex(pd.to_datetime(DAYS))[SYMBOLS].notna().to_numpy()
    is_before = np.array([is_report[row + 1 : row + 22].any(axis=0) for row in range(len(outcome))])

    def losses(of: volatility_results.SymbolVolatility) -> FloatArray:
        own = of.symbols.get_indexer(SYMBOLS)
        return qlike(outcome, of.figures.root_variance_forecast[: len(outcome), own])

    better, worse = losses(known), losses(inferred)
    assert 0.2 < is_before.mean() < 0.5
    assert better[is_before].mean() < least * worse[is_before].mean()
    assert better.mean() < worse.mean()


def test_without_events_of_a_symbol_its_values_are_the_same_bits():
    closes, events = simulate(1)
    some = events[events["symbol"] == "S3"]
    without, found = (forecast(closes, calendar) for calendar in (NO_EVENTS, some))
    bare = volatility_results.estimate_symbol_volatility(
        book(closes=closes).returns(SYMBOL_WINDOW, *DAYS),
        DailyBars(*[np.full((len(DAYS) + SYMBOL_WINDOW - 1, 13), np.nan)] * 3),
        *(MARKET, VERSIONS),
    )
    others = without.symbols.drop("S3")
    for name in ("volatility_forecast", "low", "rise_probability"):
        assert_array_equal(getattr(without.figures, name), getattr(bare.figures, name))
        mine, whole = (
            pd.DataFrame(getattr(of.figures, name), columns=of.symbols) for of in (found, without)
        )
        assert_array_equal(mine[others], whole[others])
        assert (mine["S3"] != whole["S3"]).mean() > 0.5


@pytest.mark.parametrize("place", [0, 100, 251])
def test_a_range_of_days_has_the_bits_of_its_days_and_nothing_later_moves_them(place):
    closes, events = simulate(2)
    day = pd.Timestamp(DAYS[place])
    whole = forecast(closes, events)
    alone = forecast(closes.loc[:day], events, [DAYS[place]])
    visible = events[(events["day"] <= day) | (events["known_on"] <= day)]
    point_in_time = forecast(closes.loc[:day], visible, [DAYS[place]])
    for name in ("volatility_forecast", "root_variance_forecast", "rise_probability"):
        expected = getattr(whole.figures, name)[place]
        assert_array_equal(getattr(alone.figures, name)[0], expected)
        assert_array_equal(getattr(point_in_time.figures, name)[0], expected)


def test_a_portfolio_of_one_symbol_uses_the_calendar_of_the_symbol():
    closes, events = simulate(1)
    price = closes.loc[str(LAST), "S3"]
    equity = {"A": (3 * price, LAST), "B": (closes.loc[str(LAST), "S4"], LAST)}
    of = book(lot("S3", 3), lot("S4", 1, portfolio_id="B"), closes=closes, equity=equity)
    own = events[events["symbol"] == "S3"]
    returns = of.returns(portfolio_volatility_results.PORTFOLIO_WINDOW, LAST)
    symbols = pd.Index(["S3", "S4"])
    index = pd.DatetimeIndex(returns.frame.index)
    missing = [np.full((len(index), 2), np.nan)] * 3
    with_calendar, without = (
        portfolio_volatility_results.estimate_portfolio_volatility(
            *(of.value_book(LAST), returns, symbols),
            DailyBars(*missing, align_events(calendar, index, symbols)),
            *(MARKET, VERSIONS),
        ).figures.volatility_forecast[:, 0]
        for calendar in (own, NO_EVENTS)
    )
    symbol = forecast(closes, own, [LAST])
    of_symbol = symbol.figures.volatility_forecast[0, symbol.symbols.get_loc("S3")]
    assert_allclose(with_calendar[0], of_symbol, rtol=1e-12)
    assert with_calendar[0] != without[0]
    assert with_calendar[1] == without[1]


def test_days_without_a_session_count_as_the_next_one():
    """A report on a Saturday, known on a Sunday, is one on Monday that was known on Monday."""
    sessions = pd.DatetimeIndex(pd.to_datetime(SESSIONS))
    past = [("X", day, day) for day in ("2023-11-01", "2024-02-01", "2024-05-01")]

    def ages(day: str, known_on: str) -> FloatArray:
        events = pd.DataFrame([*past, ("X", day, known_on)], columns=["symbol", "day", "known_on"])
        return align_events(events, sessions, pd.Index(["W", "X"])).expand()

    found = ages("2024-08-03", "2024-06-16")
    assert_array_equal(found, ages("2024-08-05", "2024-06-17"))
    assert found.shape == (len(sessions), 2, 4)
    assert (found[:, 0] == -1).all()
    assert (found != ages("2024-08-06", "2024-06-17")).any()
    assert align_events(NO_EVENTS, sessions, pd.Index(["X"])).expand() is None


def test_only_symbols_with_events_take_memory():
    """One symbol of 100,000 has a calendar; a panel of all ages would take 260 MB."""
    sessions = pd.DatetimeIndex(pd.to_datetime(SESSIONS[-322:]))
    symbols = pd.Index([f"S{number:06}" for number in range(100_000)])
    days = pd.to_datetime(SESSIONS[-300::63])
    events = pd.DataFrame({"symbol": "S050000", "day": days, "known_on": days})
    found = align_events(events, sessions, symbols)
    assert found.ages.nbytes + found.columns.nbytes < 1e6
    block = found.select(slice(None), slice(49_984, 50_048)).expand()
    alone = align_events(events, sessions, symbols[[50_000]]).expand()
    assert_array_equal(block[:, 16], alone[:, 0])
    assert (np.delete(block, 16, axis=1) == -1).all()
    assert (alone >= 0).any()
