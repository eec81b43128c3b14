"""Active contributions against weighted covariances of numpy, and their invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.active_contributions import ActiveContributions, active_contributions
from riskmetrics.metrics.active_risk import HALF_LIFE, expected_active_risk

ROWS = 252


def _market(seed: int, n_symbols: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_t(5, ROWS)
    beta = rng.uniform(0.5, 1.5, n_symbols)
    return market[:, None] * beta + 0.01 * rng.standard_normal((ROWS, n_symbols)), market


def _split(
    returns: np.ndarray, market: np.ndarray, weight: np.ndarray, min_obs: int = 126
) -> tuple[ActiveContributions, np.ndarray, np.ndarray]:
    """Contributions of one portfolio, its series, and its coverage."""
    known = np.isfinite(returns)
    coverage = (known * np.abs(weight)).sum(axis=1) / np.abs(weight).sum()
    series = (np.where(known, returns, 0.0) * weight).sum(axis=1) / coverage
    found = active_contributions(
        series[:, None],
        coverage[:, None],
        returns,
        market,
        weight,
        column=np.arange(len(weight)),
        portfolio=np.zeros(len(weight), np.int64),
        min_obs=min_obs,
    )
    return found, series, coverage


def test_components_are_weighted_covariances_by_numpy() -> None:
    returns, market = _market(1)
    weight = np.array([0.5, 0.4, -0.2, 0.1])
    found, series, _ = _split(returns, market, weight)
    ages = np.arange(ROWS - 1, -1, -1)
    parts = np.column_stack([(returns - market[:, None]) * weight, (weight.sum() - 1) * market])
    covariance = np.cov(
        np.column_stack([parts, series - market]).T, aweights=0.5 ** (ages / HALF_LIFE)
    )
    expected = covariance[:-1, -1] * 252 / np.sqrt(covariance[-1, -1] * 252)
    np.testing.assert_allclose(np.append(found.component, found.cash), expected, rtol=1e-10)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.15))
def test_contributions_sum_to_the_expected_tracking_error(seed: int, missing: float) -> None:
    returns, market = _market(seed)
    rng = np.random.default_rng(seed)
    returns[:, 1:][rng.random((ROWS, 3)) < missing] = np.nan
    found, series, _ = _split(returns, market, rng.uniform(0.1, 0.6, 4))
    risk = expected_active_risk(series[:, None], market, min_obs=126).expected_tracking_error
    assert found.component.sum() + found.cash[0] == pytest.approx(risk[0], rel=1e-9)


def test_a_fund_of_the_index_contributes_nothing() -> None:
    returns, market = _market(2)
    returns[:, 0] = market
    found, _, _ = _split(returns, market, np.array([0.7, 0.1, 0.1, 0.1]))
    assert found.component[0] == pytest.approx(0.0, abs=1e-12)
    assert found.cash[0] == pytest.approx(0.0, abs=1e-12)  # all equity is invested
    assert (np.abs(found.component[1:]) > 1e-3).all()


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_needs_enough_sessions(n_known: int, is_defined: bool) -> None:
    returns, market = _market(3)
    market[n_known:] = np.nan
    found, _, _ = _split(returns, market, np.full(4, 0.25))
    assert np.isfinite(found.component).all() == is_defined
    assert np.isfinite(found.cash).all() == is_defined


def test_a_portfolio_without_active_risk_has_no_contributions() -> None:
    _, market = _market(4)
    found, _, _ = _split(market[:, None].copy(), market, np.ones(1))
    assert np.isnan(found.component).all()
    assert np.isnan(found.cash).all()


def test_a_portfolio_has_the_same_bits_alone_and_among_others() -> None:
    returns, market = _market(5)
    weight = np.array([0.3, 0.3, 0.2, 0.2])
    alone, series, coverage = _split(returns, market, weight)
    other = _market(6)[0][:, 0]
    both = active_contributions(
        np.column_stack([other, series, other]),
        np.column_stack([coverage] * 3),
        returns,
        market,
        np.append(0.9, weight),
        column=np.array([1, 0, 1, 2, 3]),
        portfolio=np.array([0, 1, 1, 1, 1]),
        min_obs=126,
    )
    np.testing.assert_array_equal(both.component[1:], alone.component)
    assert both.cash[1] == alone.cash[0]
