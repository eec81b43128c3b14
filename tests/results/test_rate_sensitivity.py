"""Sensitivity to interest rates: of positions, beside the market's, and of portfolios."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from small_books import MARKET, SESSIONS, book, lot, random_closes

from riskmetrics.results import betas, rate_sensitivity

DAY = SESSIONS[150]
RATES = "S0"


@pytest.fixture
def closes() -> pd.DataFrame:
    """A bond fund, called S0, and two stocks that follow it and the market."""
    return random_closes([RATES, "X", "Y"], np.random.default_rng(5))


def window(closes: pd.DataFrame, *symbols: str) -> list[np.ndarray]:
    returns = closes.loc[: str(DAY)].pct_change().iloc[-90:]
    return [returns[symbol].to_numpy() for symbol in symbols]


def test_a_rate_beta_is_the_regression_on_the_rate_index_alone(closes):
    """Oracle: statsmodels."""
    of = book(lot("X", 1), closes=closes)
    row = betas.position_rows(of.rate_betas(DAY)[0], of.lots, [DAY], betas.RATE_BETA_TABLE)[0].iloc[
        0
    ]
    x, bonds = window(closes, "X", RATES)
    fit = sm.OLS(x, sm.add_constant(bonds)).fit()
    expected = [fit.params[1], fit.params[0], fit.rsquared, fit.bse[1], fit.pvalues[1], 90]
    assert_allclose(
        row[["ir_beta", "alpha", "r_squared", "std_error", "p_value", "observations"]].astype(
            float
        ),
        expected,
        rtol=1e-8,
    )
    assert row["rate_index"] == RATES


def test_beside_the_market_the_rate_beta_is_that_of_both_together(closes):
    """Oracle: statsmodels with two regressors."""
    of = book(lot("X", 1), closes=closes)
    row = rate_sensitivity.symbol_rows(of.rate_betas(DAY)[1], of.lots, [DAY]).iloc[0]
    x, market, bonds = window(closes, "X", MARKET, RATES)
    fit = sm.OLS(x, sm.add_constant(np.column_stack([market, bonds]))).fit()
    found = row[
        [
            "alpha",
            "market_beta",
            "rate_beta",
            "market_std_error",
            "rate_std_error",
            "rate_p_value",
            "r_squared",
        ]
    ].astype(float)
    assert_allclose(found, [*fit.params, *fit.bse[1:], fit.pvalues[2], fit.rsquared], rtol=1e-8)
    assert pd.isna(row["undefined_reason"])


def test_a_portfolios_rate_beta_is_the_signed_sum_of_its_positions(closes):
    """Half long, a quarter short, a quarter in cash."""
    x, y = closes.loc[str(DAY), ["X", "Y"]]
    of = book(
        lot("X", 50 / x),
        lot("Y", -25 / y, position_type="SHORT"),
        closes=closes,
        equity={"A": (100.0, DAY)},
    )
    one, two = of.rate_betas(DAY)
    row = rate_sensitivity.portfolio_rows(of.value_book(DAY), one, two)[0].iloc[0]
    of_x, of_y = (
        sm.OLS(own, sm.add_constant(bonds)).fit().params[1]
        for own, bonds in (window(closes, s, RATES) for s in "XY")
    )
    assert_allclose(row["rate_beta"], 0.5 * of_x - 0.25 * of_y, rtol=1e-9)
    assert pd.isna(row["undefined_reason"])


def test_without_prices_of_the_rate_index_everything_is_undefined_and_says_so(closes):
    closes[RATES] = np.nan
    of = book(lot("X", 1), closes=closes)
    one, two = of.rate_betas(DAY)
    rows, undefined = betas.position_rows(one, of.lots, [DAY], betas.RATE_BETA_TABLE)
    assert rows["ir_beta"].isna().all()
    why = "no returns of S0 in the trailing 90 sessions: import its prices, or set another index"
    assert set(undefined["reason"]) == {why}
    row = rate_sensitivity.symbol_rows(two, of.lots, [DAY]).iloc[0]
    assert row["undefined_reason"] == why
    row = rate_sensitivity.portfolio_rows(of.value_book(DAY), one, two)[0].iloc[0]
    assert row["undefined_reason"] == why


def test_an_adjusted_beta_is_drawn_to_one_by_as_much_as_it_is_uncertain(closes):
    """Vasicek's weights by hand: the prior's variance is 0.35²."""
    of = book(lot("X", 1), lot("X", 2), closes=closes)
    estimated = of.betas(DAY)
    rows = betas.adjusted_beta_rows(estimated, of.lots, [DAY])
    plain = betas.position_rows(estimated, of.lots, [DAY], betas.MARKET_BETA_TABLE)[0].iloc[0]
    weight = 0.35**2 / (0.35**2 + plain["std_error"] ** 2)
    assert_allclose(rows["beta"], [weight * plain["beta"] + (1 - weight)], rtol=1e-12)
