"""Exponentially weighted betas of symbols and portfolios in stored rows."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from small_books import MARKET, SESSIONS, book, lot, random_closes

from riskmetrics.results import decayed_betas

DAY = SESSIONS[150]


@pytest.fixture
def closes():
    return random_closes(["X", "Y", "Z"], np.random.default_rng(11))


def portfolio_row(of, day=DAY):
    rows, coverage = decayed_betas.portfolio_rows(
        of.value_book(day), of.decayed_betas(day), of.returns(decayed_betas.DECAYED_WINDOW, day)
    )
    return rows.iloc[0], coverage.iloc[0]


def symbol_row(of, day=DAY):
    return decayed_betas.symbol_rows(of.decayed_betas(day), of.lots, [day]).iloc[0]


def test_a_symbol_has_the_weighted_fit_of_all_returns_to_the_day(closes):
    """Oracle: statsmodels; 150 returns of the window exist."""
    row = symbol_row(book(lot("Y", 3), closes=closes))
    returns = closes.loc[: str(DAY), ["Y", MARKET]].pct_change().iloc[1:]
    weight = 0.5 ** (np.arange(len(returns))[::-1] / 89)
    fit = sm.WLS(returns["Y"], sm.add_constant(returns[MARKET]), weights=weight).fit(cov_type="HC0")
    found = row[["beta", "std_error", "forecast_std_error"]].tolist()
    assert_allclose(found, [fit.params[MARKET], fit.bse[MARKET], 4 * fit.bse[MARKET]], rtol=1e-9)
    assert row[["observations", "window_days", "half_life"]].tolist() == [150, 504, 89]


@pytest.mark.parametrize(("n_closes", "is_defined"), [(60, False), (61, True)])
def test_sixty_paired_returns_are_enough(closes, n_closes, is_defined):
    closes.loc[: str(SESSIONS[150 - n_closes]), "X"] = np.nan
    row = symbol_row(book(lot("X", 1), closes=closes))
    assert np.isfinite(row["beta"]) == is_defined
    reason = "59 paired returns in the trailing 504 sessions; 60 required"
    assert row["undefined_reason"] == reason or is_defined


def test_what_does_not_move_is_named(closes):
    of = book(lot("X", 1), closes=closes.assign(X=5.0))
    assert symbol_row(of)["undefined_reason"] == "the price did not move in the window"
    of = book(lot("X", 1), closes=closes.assign(**{MARKET: 5.0}))
    assert symbol_row(of)["undefined_reason"] == "the market index did not move in the window"


def test_weighted_betas_equal_the_regression_of_the_portfolio_with_complete_data(closes):
    """Sum of w x beta is exact for least squares with any weights; long, short and cash."""
    of = book(
        lot("X", 100),
        lot("Y", -40, position_type="SHORT"),
        lot("Z", 5),
        closes=closes,
        equity={"A": (20_000.0, SESSIONS[100])},
    )
    row, coverage = portfolio_row(of)
    assert_allclose(row["beta"], row["regression_beta"], rtol=1e-9)
    assert coverage[["metric", "coverage", "n_covered"]].tolist() == ["decayed_beta", 1, 3]


def test_a_portfolio_of_one_position_has_the_beta_and_the_errors_of_its_symbol(closes):
    of = book(lot("X", 7), closes=closes)
    row, symbol = portfolio_row(of)[0], symbol_row(of)
    names = ["beta", "std_error", "forecast_std_error", "observations"]
    assert_allclose(row[names].tolist(), symbol[names].tolist(), rtol=1e-9)


def test_too_little_coverage_is_undefined_with_its_reason(closes):
    closes.loc[: str(SESSIONS[130]), "Y"] = np.nan
    price = closes.loc[str(DAY), ["X", "Y"]]
    of = book(lot("X", 79 / price["X"]), lot("Y", 21 / price["Y"]), closes=closes)
    row, coverage = portfolio_row(of)
    assert np.isnan(row["beta"])
    assert row["undefined_reason"] == (
        "positions with an exponentially weighted beta make up 79.0% of gross exposure;"
        " 80% required"
    )
    assert_allclose(coverage["coverage"], 0.79)
