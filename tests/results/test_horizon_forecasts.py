"""Forecasts with the shipped versions: classes of series, horizons, and no look-ahead."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_books import MARKET, Book, book, lot

from benchmarks import shipped_versions
from riskmetrics import trading_calendar
from riskmetrics.results import (
    forecasts,
    horizon_forecasts,
    portfolio_volatility_results,
    volatility_results,
)
from riskmetrics.results.model_versions import ModelVersions
from riskmetrics.results.volatility_results import OTHER_HORIZONS, DailyBars

DAY = date(2024, 3, 27)
DAYS = trading_calendar.sessions_with_lookback([DAY], 2)
ALL = trading_calendar.sessions_with_lookback(DAYS, volatility_results.SYMBOL_WINDOW + 1)
VERSIONS = shipped_versions.load()
SYMBOLS = ["X", "Y", "Z"]


@pytest.fixture
def closes() -> pd.DataFrame:
    """Closes of three symbols and of the market."""
    moves = np.random.default_rng(3).normal(0.0, 0.012, (len(ALL), 4))
    names = pd.Index([*SYMBOLS, MARKET], dtype="str")
    return pd.DataFrame(
        50 * np.exp(np.cumsum(moves, axis=0)), index=pd.to_datetime(ALL), columns=names
    )


def bars_of(closes: pd.DataFrame, sessions: pd.DatetimeIndex, symbols: list[str]) -> DailyBars:
    """Random ranges, opens over closes and volumes of every session and symbol."""
    rng = np.random.default_rng(4)
    whole = [
        pd.DataFrame(values, index=closes.index, columns=closes.columns)
        for values in (
            rng.uniform(0.005, 0.02, closes.shape),
            np.exp(rng.normal(0.0, 0.005, closes.shape)),
            rng.uniform(1e5, 1e6, closes.shape),
        )
    ]
    return DailyBars(*(frame.loc[sessions, symbols].to_numpy() for frame in whole))


def symbol_estimates(
    of: Book,
    closes: pd.DataFrame,
    days: list[date],
    versions: ModelVersions = VERSIONS,
    funds: tuple[str, ...] = (MARKET,),
    *,
    has_bars: bool = True,
) -> volatility_results.SymbolVolatility:
    returns = of.returns(volatility_results.SYMBOL_WINDOW, *days)
    symbols = list(returns.frame.columns)
    bars = bars_of(closes, pd.DatetimeIndex(returns.frame.index), symbols)
    if not has_bars:
        bars = DailyBars(*(np.full_like(values, np.nan) for values in bars[:3]))
    return volatility_results.estimate_symbol_volatility(returns, bars, MARKET, versions, funds)


def portfolio_estimates(
    of: Book, closes: pd.DataFrame, days: list[date], versions: ModelVersions = VERSIONS
) -> portfolio_volatility_results.PortfolioVolatility:
    returns = of.returns(portfolio_volatility_results.PORTFOLIO_WINDOW, *days)
    bars = bars_of(closes, pd.DatetimeIndex(returns.frame.index), ["X"])
    return portfolio_volatility_results.estimate_portfolio_volatility(
        of.value_book(*days), returns, pd.Index(["X"]), bars, MARKET, versions
    )


def test_every_session_from_2005_on_has_a_version_that_ends_before_it():
    days = [date(2005, 1, 3), date(2017, 12, 1), date(2021, 1, 4), date(2022, 12, 28), DAY]
    assert not VERSIONS.is_in_sample(days).any()
    assert VERSIONS.is_in_sample([date(2004, 12, 30)]).all()
    assert [VERSIONS.names[at] for at in VERSIONS.version_on(days)] == [
        *("shipped-2004-12.2", "shipped-2017-11.2", "shipped-2020-12.2", "shipped-2021-12.2"),
        "shipped-2023-12.2",
    ]


def test_a_portfolio_of_one_symbol_has_its_forecasts_at_every_horizon(closes):
    lots = [lot("X", 3), lot("X", -2, portfolio_id="B", position_type="SHORT")]
    value = closes.loc[str(DAY), "X"]
    of = book(*lots, closes=closes, equity={"A": (3 * value, DAY), "B": (value, DAY)})
    symbol, found = symbol_estimates(of, closes, [DAY]), portfolio_estimates(of, closes, [DAY])
    at = symbol.symbols.get_loc("X")
    for portfolio, leverage in ((0, 1.0), (1, 2.0)):
        for name in ("volatility_forecast", "root_variance_forecast", "low", "high"):
            assert_allclose(
                getattr(found.figures, name)[portfolio, 0],
                leverage * getattr(symbol.figures, name)[0, at],
                rtol=1e-12,
            )
            for horizon in OTHER_HORIZONS:
                assert_allclose(
                    getattr(found.horizons[horizon], name)[portfolio, 0],
                    leverage * getattr(symbol.horizons[horizon], name)[0, at],
                    rtol=1e-12,
                )
        assert_allclose(
            found.figures.rise_probability[portfolio, 0],
            symbol.figures.rise_probability[0, at],
            rtol=1e-12,
        )


def test_a_portfolio_of_several_symbols_is_averaged_with_its_exponential_variances(closes):
    """By hand, with the regression of the portfolio's returns and the stored benchmarks."""
    value = closes.loc[str(DAY), ["X", "Y"]].sum()
    of = book(lot("X", 1), lot("Y", 1), closes=closes, equity={"A": (value, DAY)})
    at = VERSIONS.names.index("shipped-2023-12.2")

    def find(portfolio_weights: np.ndarray) -> portfolio_volatility_results.PortfolioVolatility:
        horizons = [dict(one) for one in VERSIONS.horizons]
        for horizon, model in horizons[at].items():
            own = model.corrections["portfolio"]._replace(ewma_weights=portfolio_weights)
            horizons[at][horizon] = model._replace(
                corrections=dict(model.corrections) | {"portfolio": own}
            )
        return portfolio_estimates(of, closes, [DAY], replace(VERSIONS, horizons=horizons))

    found, of_regression = portfolio_estimates(of, closes, [DAY]), find(np.zeros(2))
    figures = found.figures
    for mine, regression in (
        (figures, of_regression.figures),
        *((found.horizons[one], of_regression.horizons[one]) for one in OTHER_HORIZONS),
    ):
        assert_allclose(
            mine.root_variance_forecast**2,
            0.4 * regression.root_variance_forecast**2
            + 0.2 * figures.ewma_94**2
            + 0.4 * figures.ewma_97**2,
            rtol=1e-12,
        )
        assert (mine.root_variance_forecast != regression.root_variance_forecast).all()


def test_a_range_of_days_has_the_bits_of_its_days(closes):
    lots = lot("X", 3), lot("X", 1, portfolio_id="B"), lot("Y", 1, portfolio_id="B")
    of = book(*lots, closes=closes, equity={"A": (500.0, DAY), "B": (500.0, DAY)})
    whole, wholes = symbol_estimates(of, closes, DAYS), portfolio_estimates(of, closes, DAYS)
    for row, day in enumerate(DAYS):
        one, ones = symbol_estimates(of, closes, [day]), portfolio_estimates(of, closes, [day])
        assert_array_equal(
            whole.figures.volatility_forecast[row], one.figures.volatility_forecast[0]
        )
        assert_array_equal(whole.oos_r_squared[row], one.oos_r_squared[0])
        for horizon in OTHER_HORIZONS:
            for many, single in zip(whole.horizons[horizon], one.horizons[horizon], strict=True):
                assert_array_equal(many[row], single[0])
            for many, single in zip(wholes.horizons[horizon], ones.horizons[horizon], strict=True):
                assert_array_equal(many[:, row], single[:, 0])


def test_without_bars_a_fund_has_another_level_than_a_stock(closes):
    """By hand: both corrections of the version, with the same features."""
    of = book(lot("X", 1), closes=closes)
    stock, fund = (
        symbol_estimates(of, closes, [DAY], funds=funds, has_bars=False).figures
        for funds in ((), ("X",))
    )
    at = list(of.returns(252, DAY).frame.columns).index("X")
    assert fund.root_variance_forecast[0, at] != stock.root_variance_forecast[0, at]
    known = VERSIONS.models(21).corrections[VERSIONS.names.index("shipped-2023-12.2")]
    for figures, name in ((stock, "stock"), (fund, "diversified")):
        assert_allclose(
            figures.volatility_forecast[0, at] / figures.root_variance_forecast[0, at],
            known[name].volatility_ratio,
        )
        assert_allclose(figures.low[0, at] / figures.volatility_forecast[0, at], known[name].low)


def test_a_version_without_a_horizon_has_null_with_the_reason(closes):
    """The former version has no other horizon; a price that stands still has its own reason."""
    closes["Y"] = 5.0
    of = book(lot("X", 1), lot("Y", 1), closes=closes)
    plain = replace(VERSIONS, horizons=[{} for _ in VERSIONS.names])
    for versions, of_x in (
        (VERSIONS, None),
        (plain, "version shipped-2023-12.2 has no coefficients of this horizon"),
    ):
        found = symbol_estimates(of, closes, [DAY], versions)
        rows = forecasts.symbol_forecasts(found, of.lots, [DAY])
        others = horizon_forecasts.symbol_rows(found, of.lots, [DAY], rows)
        assert others[["subject", "horizon"]].to_numpy().tolist() == [
            [symbol, horizon] for horizon in (1, 5, 63) for symbol in ("X", "Y")
        ]
        reasons = others.groupby("subject")["undefined_reason"].unique()
        assert [None if pd.isna(one) else one for one in reasons["X"]] == [of_x]
        assert list(reasons["Y"]) == ["the price did not move in the trailing 21 sessions"]
        values = others.drop(columns="undefined_reason")[others["undefined_reason"].isna()]
        assert not values.drop(columns="portfolio_id").isna().any(axis=None)


def test_nothing_after_a_day_moves_its_forecasts(closes):
    of = book(lot("X", 1), closes=closes)
    before = symbol_estimates(of, closes, [DAYS[0]])
    later = closes.copy()
    later.loc[later.index > pd.Timestamp(DAYS[0]), "X"] *= 1.3
    after = symbol_estimates(book(lot("X", 1), closes=later), closes, [DAYS[0]])
    for horizon in OTHER_HORIZONS:
        for one, other in zip(before.horizons[horizon], after.horizons[horizon], strict=True):
            assert_array_equal(one, other)
