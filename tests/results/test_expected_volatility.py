"""Volatility of positions and portfolios: each row has its window, version and series."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from small_books import MARKET, SHIPPED, book, lot, only_ranges

from riskmetrics import panels, trading_calendar
from riskmetrics.metrics import har
from riskmetrics.results import forecasts, model_versions, volatility_results

DAY = date(2024, 3, 27)
ALL = trading_calendar.sessions_with_lookback([DAY], volatility_results.SYMBOL_WINDOW + 1)
C = np.sqrt(np.pi / 2)


@pytest.fixture
def closes() -> pd.DataFrame:
    """Two and a half years of three symbols, whose volatility clusters, and of the market."""
    rng = np.random.default_rng(11)
    level = np.exp(0.5 * np.sin(np.arange(len(ALL)) / 40.0))[:, None]
    market = rng.normal(0, 0.008, (len(ALL), 1)) * level
    moves = np.hstack(
        [market * [0.7, 1.0, 1.4] + rng.normal(0, 0.01, (len(ALL), 3)) * level, market]
    )
    return pd.DataFrame(
        50 * np.exp(np.cumsum(moves, axis=0)),
        index=pd.to_datetime(ALL),
        columns=pd.Index(["X", "Y", "Z", MARKET], dtype="str"),
    )


def forecast_of(returns: np.ndarray, market: np.ndarray) -> float:
    """The formula written out for one window of 252 returns of a close and a market (Corsi's lags
    of absolute returns).
    """
    a, m = C * np.abs(returns), np.abs(market)
    level = a.mean()
    ratios = [
        1.0,
        a[-1] / level,
        a[-5:].mean() / level,
        a[-21:].mean() / level,
        m[-21:].mean() / m.mean(),
    ]
    return float(
        np.sqrt(252) * level * np.clip(np.dot([0.48, 0.015, 0.085, 0.28, 0.18], ratios), 0.25, 6)
    )


def test_a_position_has_the_volatility_of_its_symbol(closes):
    """Oracle: numpy's standard deviation, and the forecast's formula written out; skill from a loop
    over completed forecasts.
    """
    of = book(lot("X", 3), closes=closes)
    rows, undefined = forecasts.position_rows(
        of.symbol_volatility(DAY), of.lots, [DAY], of.options(DAY)
    )
    returns = closes.pct_change().dropna()
    x, market = returns["X"].to_numpy(), returns[MARKET].to_numpy()
    row = rows.iloc[0]
    assert_allclose(row["realized_vol_21d"], x[-21:].std(ddof=1) * np.sqrt(252), rtol=1e-9)
    assert_allclose(row["realized_vol_63d"], x[-63:].std(ddof=1) * np.sqrt(252), rtol=1e-9)
    assert_allclose(row["vol_daily"], C * abs(x[-1]) * np.sqrt(252), rtol=1e-9)
    assert_allclose(row["expected_vol_21d"], forecast_of(x[-252:], market[-252:]), rtol=1e-9)
    errors = []
    for end in range(len(x) - 21 - 252, len(x) - 21):  # the last return that each forecast knew
        known, after = slice(end - 251, end + 1), x[end + 1 : end + 22]
        realized, trailing = (
            np.sqrt(252 * np.mean(after**2)),
            x[end - 20 : end + 1].std(ddof=1) * np.sqrt(252),
        )
        errors.append(
            ((realized - forecast_of(x[known], market[known])) ** 2, (realized - trailing) ** 2)
        )
    ours, theirs = np.sum(errors, axis=0)
    assert_allclose(row["model_r_squared"], 1 - ours / theirs, rtol=1e-9)
    assert row["observations"] == 252
    assert undefined.empty


@pytest.mark.parametrize("with_ranges", [True, False])
def test_a_portfolio_of_one_symbol_has_its_volatility_as_many_times_as_it_is_levered(
    closes, with_ranges
):
    """By definition; beside it a portfolio of two symbols, whose range nobody knows."""
    rng = np.random.default_rng(8)
    ranges = (
        pd.DataFrame({"X": rng.uniform(0.005, 0.02, len(closes))}, index=closes.index)
        if with_ranges
        else None
    )
    value = closes.loc[str(DAY), "X"]
    lots = [
        lot("X", 3),
        lot("X", -2, portfolio_id="B", position_type="SHORT"),
        lot("X", 1, portfolio_id="C"),
        lot("Y", 1, portfolio_id="C"),
    ]
    equity = {"A": (3 * value, DAY), "B": (value, DAY), "C": (2 * value, DAY)}
    of = book(*lots, closes=closes, equity=equity, ranges=ranges)
    symbol, found = of.symbol_volatility(DAY), of.portfolio_volatility(DAY).figures
    own = volatility_results.Figures._make(
        figure[0, symbol.symbols.get_loc("X")] for figure in symbol.figures
    )
    for portfolio, leverage in ((0, 1.0), (1, 2.0)):
        for name in (
            "realized_21d",
            "realized_63d",
            "volatility_forecast",
            "root_variance_forecast",
            "low",
            "high",
            "ewma_97",
        ):
            assert_allclose(
                getattr(found, name)[portfolio, 0], leverage * getattr(own, name), rtol=1e-12
            )
        for name in ("rise_probability", "direction", "percentile", "proxy"):
            assert_allclose(getattr(found, name)[portfolio, 0], getattr(own, name), rtol=1e-12)
    assert har.PROXIES[found.proxy[2, 0]] == "close_market"
    assert har.PROXIES[own.proxy] == ("range_market" if with_ranges else "close_market")


def test_a_portfolio_is_less_volatile_than_its_positions_on_average(closes):
    """Portfolio volatility is that of its returns; a weighted mean ignores diversification."""
    of = book(lot("X", 100), lot("Y", 100), lot("Z", 100), closes=closes)
    rows, _, undefined = forecasts.portfolio_rows(of.value_book(DAY), of.portfolio_volatility(DAY))
    returns = closes.pct_change().dropna()[["X", "Y", "Z"]]
    weights = closes.loc[str(DAY), ["X", "Y", "Z"]] / closes.loc[str(DAY), ["X", "Y", "Z"]].sum()
    own = (returns.iloc[-21:] @ weights).std(ddof=1) * np.sqrt(252)
    weighted = (returns.iloc[-21:].std(ddof=1) * np.sqrt(252)) @ weights
    assert_allclose(rows["realized_volatility_21d"].iloc[0], own, rtol=1e-9)
    assert weighted / own > 1.15  # what the shortcut would have been wrong by, here
    assert undefined.empty


def test_long_and_short_of_one_volatility_hedge_each_other_unlike_their_mean(
    closes,
):
    twin = closes.assign(W=closes["X"])
    of = book(
        lot("X", 100),
        lot("W", -99, position_type="SHORT"),
        closes=twin,
        equity={"A": (10_000.0, DAY)},
    )
    rows, _, _ = forecasts.portfolio_rows(of.value_book(DAY), of.portfolio_volatility(DAY))
    value = 100 * closes.loc[str(DAY), "X"]
    alone = closes["X"].pct_change().iloc[-21:].std(ddof=1) * np.sqrt(252) * value / 10_000
    assert_allclose(rows["realized_volatility_21d"].iloc[0], alone / 100, rtol=1e-6)


def test_a_forecast_uses_the_version_that_was_known_on_its_day(closes):
    """One calibrated through the day before counts from then on, and the shipped one until then;
    neither saw its future.
    """
    double = {
        proxy: har.Coefficients(2 * weights, variance)
        for proxy, (weights, variance) in har.SHIPPED_COEFFICIENTS.items()
    }
    known_from = trading_calendar.previous_session(DAY)
    both = model_versions.ModelVersions(
        ["shipped-1", "later"],
        [har.SHIPPED_COEFFICIENTS, double],
        np.array([har.SHIPPED_LAST_TARGET, known_from], dtype="datetime64[D]"),
    )
    days = [trading_calendar.previous_session(known_from), known_from, DAY]
    returns = panels.clean_returns(
        closes.reindex(
            pd.to_datetime(
                trading_calendar.sessions_with_lookback(days, volatility_results.SYMBOL_WINDOW + 1)
            )
        )
    )
    of = book(lot("X", 1), closes=closes)
    ranges = pd.DataFrame(np.nan, index=returns.frame.index, columns=returns.frame.columns)
    rows, plain = (
        forecasts.symbol_forecasts(
            volatility_results.estimate_symbol_volatility(
                returns, only_ranges(ranges), MARKET, versions
            ),
            of.lots,
            days,
        )
        for versions in (both, SHIPPED)
    )
    assert rows["coefficients_version"].tolist() == ["shipped-1", "later", "later"]
    assert_allclose(
        rows["volatility_forecast"] / plain["volatility_forecast"], [1, 2, 2], rtol=1e-12
    )
    assert rows["in_sample"].tolist() == [False, False, False]


def test_days_that_the_shipped_fit_saw_are_in_sample():
    assert SHIPPED.is_in_sample(
        [date(2022, 12, 29), date(2022, 12, 30), date(2023, 1, 3)]
    ).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("gap", "n_missing"),
    [(-100, 2), (-2, 2), (-253, 1), (-254, 0), (-270, 0)],
)
def test_coverage_is_the_mean_over_the_year_to_the_day_and_of_no_session_before(
    closes,
    gap,
    n_missing,
):
    """By hand: without one close two returns of 6 % of gross exposure are missing."""
    closes = closes / closes.iloc[-1]
    closes.iloc[gap, closes.columns.get_loc("Y")] = np.nan
    found = book(lot("X", 94), lot("Y", 6), closes=closes).portfolio_volatility(DAY)
    assert_allclose(found.coverage, [[1 - n_missing * 0.06 / 252]], rtol=1e-12)
    assert found.n_thin.tolist() == [[n_missing]]


@pytest.mark.parametrize(("percent", "n_thin"), [(4, 0), (5, 0), (6, 2), (19, 2), (20, 2), (21, 0)])
def test_a_session_is_thin_below_95_per_cent_and_has_no_return_below_80(closes, percent, n_thin):
    """Two sessions lack the returns of a part of gross exposure."""
    closes = closes / closes.iloc[-1]
    closes.iloc[-100, closes.columns.get_loc("Y")] = np.nan
    lots = lot("X", 100 - percent), lot("Y", percent)
    found = book(*lots, closes=closes).portfolio_volatility(DAY)
    assert found.n_thin.tolist() == [[n_thin]]
    assert found.figures.observations.tolist() == [[250 if percent > 20 else 252]]


def test_what_is_not_known_is_null_with_its_reason(closes):
    """A price listed four months ago, one that stands still, an option without an expiration, and a
    private holding.
    """
    closes.loc[closes.index < closes.index[-60], "X"] = np.nan
    closes["Y"] = 5.0
    call = {"position_type": "LC", "investment_class": "OPTIONS", "strike_price": 10.0}
    house = lot("HOUSE", 1, investment_class="PRIVATE", market_value=5.0)
    of = book(lot("X", 1), lot("Y", 1), lot("Z", 1, **call), house, closes=closes)
    rows, undefined = forecasts.position_rows(
        of.symbol_volatility(DAY), of.lots, [DAY], of.options(DAY)
    )
    why = undefined.set_index(["subject", "metric"])["reason"].rename(
        lambda name: name.partition(".")[2], level="metric"
    )
    counted = undefined[undefined["reason"].str.match(r"\d")]
    assert (
        counted["n_obs"].astype(str).tolist()
        == counted["reason"].str.extract(r"^(\d+)")[0].tolist()
    )
    assert why["0000", "expected_vol_21d"] == "59 returns in the trailing 252 sessions; 63 required"
    assert (
        why["0000", "model_r_squared"]
        == "0 of the last 252 completed forecasts are defined; 126 required"
    )
    assert "realized_vol_63d" not in why["0000"]
    assert why["0001", "expected_vol_21d"] == "the price did not move in the trailing 21 sessions"
    assert set(why["0002"]) == {"the expiration date is missing"}
    assert set(why["0003"]) == {"an option or a private holding has no return series of its own"}
    assert rows["realized_vol_21d"].isna().tolist() == [False, False, True, True]
    missing = rows.set_index("position_id")[
        [name.partition(".")[2] for name in forecasts.POSITION_METRICS]
    ].isna()
    assert missing.to_numpy().sum() == len(undefined)
