"""Ratios whose denominator is rounding or sampling error are undefined, never huge."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.metrics.active_contributions import active_contributions
from riskmetrics.metrics.active_risk import ROUNDING, active_risk, expected_active_risk
from riskmetrics.metrics.market_alpha import market_alpha
from riskmetrics.metrics.minimums import MIN_RISK, MIN_SESSION_RISK
from riskmetrics.metrics.performance import performance
from riskmetrics.metrics.return_distribution import return_distribution
from riskmetrics.metrics.underwater import underwater

N = 252
MARKET = np.random.default_rng(3).normal(4e-4, 0.01, N)


def of_volatility(volatility: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Return returns (N, 1) with an annualized volatility and a mean of 2 basis points."""
    noise = np.random.default_rng(5).normal(size=N)
    scaled = (noise - noise.mean()) / noise.std(ddof=1) * volatility / np.sqrt(252)
    return (2e-4 + scaled)[:, np.newaxis]


@pytest.mark.parametrize(("factor", "is_defined"), [(1 - 1e-9, False), (1 + 1e-9, True)])
def test_ratios_to_volatility_need_a_tenth_of_a_percent(factor: float, is_defined: bool) -> None:
    returns = of_volatility(MIN_RISK * factor)
    sharpe = performance(returns, MARKET, min_obs=126).sharpe_ratio[0]
    kelly = return_distribution(returns, min_obs=126).kelly_leverage[0]
    assert np.isfinite([sharpe, kelly]).tolist() == [is_defined] * 2
    if is_defined:
        series = pd.Series(returns[:, 0])
        assert_allclose(sharpe, np.sqrt(252) * series.mean() / series.std())
        assert_allclose(kelly, series.mean() / series.var())


def ratios_to_risk(returns: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> dict[str, float]:
    """Return each ratio of a series to a measure of its risk."""
    own = returns[:, np.newaxis]
    found = performance(own, MARKET, min_obs=126)._asdict()
    found |= return_distribution(own, min_obs=126)._asdict()
    found |= underwater(own, min_obs=126)._asdict()
    names = "sharpe_ratio sortino_ratio calmar_ratio kelly_leverage omega_ratio payoff_ratio"
    return {name: float(found[name][0]) for name in [*names.split(), "martin_ratio"]}


@pytest.mark.parametrize("jump", [0.0, 0.05])
def test_a_single_tiny_loss_is_no_measure_of_risk(jump: float) -> None:
    """Gains of 2 basis points and a loss of -1e-6, without and with a volatility of 5%."""
    returns = np.full(N, 2e-4)
    returns[100], returns[200] = -1e-6, 2e-4 + jump
    defined = {name for name, ratio in ratios_to_risk(returns).items() if np.isfinite(ratio)}
    assert defined == ({"sharpe_ratio", "kelly_leverage"} if jump else set())


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("sortino_ratio", MIN_RISK),  # of one session among 252, sqrt(252 * mean(loss²))
        ("calmar_ratio", MIN_RISK),
        ("omega_ratio", MIN_RISK),
        ("payoff_ratio", MIN_SESSION_RISK),
        ("martin_ratio", MIN_RISK * np.sqrt(N)),  # under water for one session
    ],
)
@pytest.mark.parametrize(("factor", "is_defined"), [(1 - 1e-9, False), (1 + 1e-9, True)])
def test_a_ratio_needs_a_loss_of_a_tenth_of_a_percent_a_year(
    name: str, loss: float, factor: float, is_defined: bool
) -> None:
    returns = np.full(N, 0.02)
    returns[100] = -loss * factor
    assert np.isfinite(ratios_to_risk(returns)[name]) == is_defined


@pytest.mark.parametrize(("factor", "is_defined"), [(1 - 1e-9, False), (1 + 1e-9, True)])
def test_a_tail_and_a_capture_need_a_move_beyond_rounding(factor: float, is_defined: bool) -> None:
    small, market = MIN_SESSION_RISK * factor, np.where(np.arange(N) % 2, 0.01, -0.01)
    tail = return_distribution(np.full((N, 1), -small), min_obs=126).tail_ratio[0]
    found = performance(market[:, np.newaxis], np.sign(market) * small, min_obs=126)
    ratios = [tail, found.up_capture[0], found.down_capture[0]]
    assert np.isfinite(ratios).tolist() == [is_defined] * 3


def test_a_money_market_fund_has_a_return_but_no_such_ratio() -> None:
    """Prices that grow by 2 basis points a session, rounded to 4 decimals."""
    prices = np.round(100 * 1.0002 ** np.arange(N + 1), 4)
    returns = (prices[1:] / prices[:-1] - 1)[:, np.newaxis]
    found, alpha = (
        performance(returns, MARKET, min_obs=126),
        market_alpha(returns, MARKET, min_obs=126),
    )
    assert_allclose(found.annual_return, 1.0002**252 - 1, rtol=1e-4)
    assert np.isnan([found.sharpe_ratio[0], alpha.treynor_ratio[0]]).all()
    assert np.isnan(return_distribution(returns, min_obs=126).kelly_leverage[0])


@pytest.mark.parametrize(("t_statistic", "is_defined"), [(1.959, False), (1.961, True)])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_treynor_ratio_needs_a_beta_beyond_its_error(
    t_statistic: float, is_defined: bool, sign: float
) -> None:
    """Oracle: the t of statsmodels."""
    noise = np.random.default_rng(7).normal(1e-3, 0.01, N)
    design = sm.add_constant(MARKET)
    residual = sm.OLS(noise, design).fit().resid
    error = sm.OLS(residual, design).fit().bse[1]
    returns = 1e-3 + residual + sign * t_statistic * error * MARKET
    assert_allclose(abs(sm.OLS(returns, design).fit().tvalues[1]), t_statistic, rtol=1e-9)
    found = market_alpha(returns[:, np.newaxis], MARKET, min_obs=126)
    assert np.isfinite(found.treynor_ratio).tolist() == [is_defined]
    if is_defined:
        annual = np.prod(1 + returns) - 1
        assert_allclose(found.treynor_ratio, annual / found.year_beta)


def test_a_fund_of_the_index_has_no_active_risk_and_no_ratio_of_rounding_errors() -> None:
    returns = (MARKET * 607.81 * 10 / 6078.1 * (1 + 4 * np.finfo(float).eps))[:, np.newaxis]
    assert (returns[:, 0] != MARKET).any()
    found = active_risk(returns, MARKET, min_obs=126)
    expected = expected_active_risk(returns, MARKET, min_obs=126)
    assert [found.tracking_error[0], found.active_return[0]] == [0.0, 0.0]
    assert np.isnan([found.information_ratio[0], expected.market_share[0]]).all()
    assert [expected.expected_tracking_error[0], expected.active_beta[0]] == [0.0, 0.0]
    parts = active_contributions(
        returns,
        np.ones((N, 1)),
        MARKET[:, np.newaxis],
        MARKET,
        np.ones(1),
        column=np.zeros(1, np.int64),
        portfolio=np.zeros(1, np.int64),
        min_obs=126,
    )
    assert_array_equal([parts.component[0], parts.cash[0]], [np.nan, np.nan])


@pytest.mark.parametrize(("relative", "is_active"), [(0.5 * ROUNDING, False), (2 * ROUNDING, True)])
def test_differences_beyond_rounding_count(relative: float, is_active: bool) -> None:
    returns = (MARKET * (1 + relative))[:, np.newaxis]
    assert (active_risk(returns, MARKET, min_obs=126).tracking_error[0] > 0) is np.bool_(is_active)
