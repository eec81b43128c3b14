"""Rows of statistics that compare with the market: pandas and statsmodels as oracles."""

import dataclasses
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from small_books import MARKET, book, lot, rows_of
from test_losses import DAY, own_returns, simulated
from test_result_boundaries import moving

from riskmetrics import trading_calendar
from riskmetrics.catalog import Unit, all_statistics
from riskmetrics.catalog.statistic import StatisticFigure
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.results import snapshots
from riskmetrics.results.statistic_rows import statistic_rows


def test_comparisons_with_the_market_are_those_of_the_portfolios_own_returns() -> None:
    of = simulated(1, 3)
    valued = of.value_book(DAY)
    fits = rows_of("portfolio_market_regressions", valued, of.returns(90, DAY))
    active = rows_of("portfolio_active_risk", valued, of.returns(252, DAY))
    market = of.closes[MARKET].pct_change().iloc[1:]
    for rows in (fits, active):
        assert rows["undefined_reason"].isna().all()
    for name in of.portfolios["name"]:
        own = own_returns(of, name)
        fit = sm.OLS(own.iloc[-90:], sm.add_constant(market.iloc[-90:])).fit()
        assert_allclose(
            fits.set_index("portfolio_id")
            .loc[name, ["beta", "std_error", "r_squared", "specific_volatility", "observations"]]
            .astype(float),
            [fit.params.iloc[1], fit.bse.iloc[1], fit.rsquared, np.sqrt(252 * fit.mse_resid), 90],
            rtol=1e-9,
        )
        differences = (own - market).iloc[-252:]
        assert_allclose(
            active.set_index("portfolio_id")
            .loc[name, ["tracking_error", "active_return"]]
            .astype(float),
            [differences.std() * np.sqrt(252), differences.mean() * 252],
            rtol=1e-9,
        )


def test_the_beta_is_that_of_the_snapshot_to_the_last_bit() -> None:
    of = simulated(2, 3)
    days = trading_calendar.sessions_with_lookback([DAY], 2)[-3:]
    valued, returns = of.value_book(*days), of.returns(90, *days)
    rows = rows_of("portfolio_market_regressions", valued, returns)
    from riskmetrics.results.betas import estimate_betas

    stored, _, _ = snapshots.beta_rows(valued, estimate_betas(returns, MARKET), of.profiles)
    both = rows.merge(
        stored, left_on=["portfolio_id", "day"], right_on=["portfolio_id", snapshots.DAY_COLUMN]
    )
    assert len(both) == 9
    assert (both["beta"] == both["beta_portfolio_regression"]).all()


def test_a_market_that_stands_still_is_the_reason_of_a_missing_regression() -> None:
    closes = moving(120)
    closes[MARKET] = dict.fromkeys(closes[MARKET], 100.0)
    of = book(lot("X", 1), closes=closes)
    day = max(closes[MARKET])
    rows = rows_of("portfolio_market_regressions", of.value_book(day), of.returns(90, day))
    assert pd.isna(rows["beta"]).all()
    assert rows["undefined_reason"].tolist() == [f"the returns of {MARKET} are constant"]


class _Gains(NamedTuple):
    gains: FloatArray
    n_obs: IntArray


def mean_gains(returns: FloatArray, *, min_obs: int) -> _Gains:
    """Return the mean of the gains above 100%, which is undefined without one."""
    with np.errstate(invalid="ignore"):
        is_gain = returns > 1.0
        return _Gains(
            np.where(is_gain, returns, 0.0).sum(axis=0) / is_gain.sum(axis=0),
            np.isfinite(returns).sum(axis=0) * (min_obs > 0),
        )


def test_the_market_is_not_the_reason_of_a_statistic_that_does_not_use_it() -> None:
    figure = StatisticFigure("gains", "Mean gain", Unit.FRACTION, "mean of R above 1")
    drawdowns, *_ = all_statistics()
    statistic = dataclasses.replace(
        drawdowns, table="portfolio_gains", function=f"{__name__}:mean_gains", columns=(figure,)
    )
    assert not statistic.uses_market
    closes = moving(300)
    of, day = book(lot("X", 1), closes=closes), max(closes["X"])
    rows = statistic_rows(statistic, of.value_book(day), of.returns(252, day), MARKET)
    assert pd.isna(rows["gains"]).all()
    assert rows["undefined_reason"].tolist() == [
        "mean gain: not defined by the returns of the 252 sessions"
    ]


@pytest.mark.parametrize(("n_returns", "is_defined"), [(60, True), (59, False)])
def test_a_market_without_enough_returns_is_named_in_the_reason(
    n_returns: int, is_defined: bool
) -> None:
    closes = moving(120)
    day = max(closes["X"])
    known = [each for each in sorted(closes[MARKET].items()) if each[0] <= day]
    closes[MARKET] = dict(known[-n_returns - 1 :])
    of = book(lot("X", 1), closes=closes)
    rows = rows_of("portfolio_market_regressions", of.value_book(day), of.returns(90, day))
    assert pd.notna(rows["beta"]).all() == is_defined
    if not is_defined:
        assert rows["undefined_reason"].tolist() == [
            "59 of the trailing 90 sessions have returns of 80% of gross exposure and of"
            f" {MARKET}; 60 required"
        ]
