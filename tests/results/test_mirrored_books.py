"""Algebra of portfolios: opposite holdings, and the holdings of two portfolios together."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.results.small_books import SESSIONS, Book, book, lot, random_closes

DAY = SESSIONS[-1]
SYMBOLS = ["S0", "S1", "S2", "S3", "S4"]
EQUITY = 50_000.0
repeatable = settings(max_examples=2, phases=[Phase.explicit, Phase.generate])
seeds = st.integers(0, 2**32 - 1)

OPPOSITE = {
    "betas": ["beta_calculated_90d", "beta_portfolio_regression"],
    "portfolio_decayed": ["beta", "regression_beta"],
    "factor_exposures": ["exposure", "t_statistic"],
    "contributions": ["weight", "marginal", "decayed_marginal"],
    "stress": ["loss", "loss_value"],
    "values": ["net_exposure", "daily_pnl"],
    "sectors": ["net_weight"],
}
"""Figures that change their sign with all holdings."""
SAME = {
    "betas": ["beta_calculated_90d_r_squared", "beta_calculated_90d_observations"],
    "portfolio_decayed": ["std_error", "forecast_std_error"],
    "factor_exposures": ["std_error", "coverage", "vif"],
    "factor_risk": ["component", "share"],
    "contributions": ["component", "share", "decayed_component", "decayed_share"],
    "ex_ante": ["volatility", "shrinkage", "effective_observations"],
    "diversification": [
        *("average_correlation", "first_component_share", "diversification_ratio"),
        *("highest_correlation", "lowest_correlation"),
    ],
    "correlations": ["correlation"],
    "portfolio_volatility": [
        *("realized_volatility_21d", "realized_volatility_63d", "expected_volatility_21d"),
        "volatility_percentile",
    ],
    "portfolio_forecasts": ["volatility_forecast", "root_variance_forecast", "low", "high"],
    "concentration": ["hhi", "effective_num_positions", "top_3_concentration"],
    "values": ["total_value", "gross_exposure"],
    "stress": ["loss_margin", "coverage"],
    "sectors": ["gross_weight"],
}
"""Figures that do not know the sign of all holdings."""
MONEY = {"stress": ["loss_value"], "values": ["net_exposure", "daily_pnl", "total_value"]}
SHARES_OF_EQUITY = {
    "betas": ["beta_calculated_90d", "beta_portfolio_regression"],
    "portfolio_decayed": ["beta", "regression_beta"],
    "factor_exposures": ["exposure"],
}


def invest(quantities: dict[str, Iterable[float]], rng: np.random.Generator) -> Book:
    """Return portfolios of the same symbols, with their equity stated on the day itself."""
    lots = [
        lot(
            symbol,
            quantity,
            portfolio_id=name,
            position_type="LONG" if quantity > 0 else "SHORT",
        )
        for name, held in quantities.items()
        for symbol, quantity in zip(SYMBOLS, held, strict=True)
    ]
    return book(
        *lots,
        closes=random_closes(SYMBOLS, rng),
        equity={name: (EQUITY * len(name), DAY) for name in quantities},
        benchmark={SESSIONS[0]: {"Energy": 0.4, "Financials": 0.6}},
    )


def split(results: dict[str, pd.DataFrame], names: Iterable[str]) -> list[dict[str, pd.DataFrame]]:
    """Return the rows of each portfolio."""
    return [
        {
            name: table[table["portfolio_id"] == portfolio].reset_index(drop=True)
            for name, table in results.items()
            if "portfolio_id" in table
        }
        for portfolio in names
    ]


@pytest.mark.slow(2)
@repeatable
@given(seeds)
def test_opposite_holdings_have_opposite_betas_and_the_same_risk(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = rng.uniform(10, 300, len(SYMBOLS)) * rng.choice([-1, 1], len(SYMBOLS))
    of = invest({"A": held, "B": -held}, rng)
    ours, theirs = split(of.results(DAY), "AB")
    for figures, sign in ((OPPOSITE, -1.0), (SAME, 1.0)):
        for table, columns in figures.items():
            for column in columns:
                found, expected = (each[table][column].to_numpy(float) for each in (theirs, ours))
                assert np.isfinite(expected).any(), (table, column)
                assert_allclose(
                    found, sign * expected, rtol=1e-9, atol=1e-9, err_msg=f"{table}.{column}"
                )


@pytest.mark.slow(2)
@repeatable
@given(seeds)
def test_money_and_exposures_of_two_portfolios_add_up_and_their_risk_does_not_exceed_the_sum(
    seed: int,
) -> None:
    """A standard deviation is a norm: that of a sum is at most the sum of both."""
    rng = np.random.default_rng(seed)
    one, other = rng.uniform(-300, 300, (2, len(SYMBOLS)))
    of = invest({"A": one, "B": other, "AB": one + other}, rng)
    *parts, whole = split(of.results(DAY), ("A", "B", "AB"))
    for figures, equity in ((MONEY, (1.0, 1.0, 1.0)), (SHARES_OF_EQUITY, (1.0, 1.0, 2.0))):
        for table, columns in figures.items():
            for column in columns:
                total = sum(
                    part[table][column].to_numpy(float) * share
                    for part, share in zip(parts, equity, strict=False)
                )
                assert np.isfinite(total).any(), (table, column)
                found = whole[table][column].to_numpy(float) * equity[2]
                assert_allclose(found, total, rtol=1e-9, atol=1e-6, err_msg=f"{table}.{column}")
    for table, column, row in (
        ("portfolio_volatility", "realized_volatility_63d", 0),
        ("ex_ante", "volatility", 1),
    ):
        assert parts[0]["ex_ante"]["method"].iloc[1] == "equal_weighted"
        first, second, both = (each[table][column].iloc[row] for each in (*parts, whole))
        assert abs(first - second) - 1e-12 <= 2 * both <= first + second + 1e-12


def test_a_rarer_loss_is_larger_and_the_mean_beyond_it_larger_still() -> None:
    rng = np.random.default_rng(3)
    held = {name: rng.uniform(-300, 300, len(SYMBOLS)) for name in "ABCDEFGH"}
    tail = invest(held, rng).results(DAY)["tail_risk"]
    tail = tail[tail["value_at_risk_amount"].notna()]
    assert set(tail["method"]) == {"historical", "filtered", "parametric"}
    assert (tail["expected_shortfall_amount"] >= tail["value_at_risk_amount"]).all()
    parametric = tail[tail["method"] == "parametric"]
    by_level = parametric.pivot_table(
        "value_at_risk_amount", ["portfolio_id", "horizon_days"], "level"
    )
    assert (by_level[0.99] > by_level[0.95]).all()
    by_horizon = tail.pivot_table(
        "value_at_risk_amount", ["portfolio_id", "method", "level"], "horizon_days"
    )
    assert (by_horizon[10] > by_horizon[1]).all()
