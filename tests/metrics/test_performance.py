"""Performance: the formulas of the papers in plain Python, boundaries and invariants."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.performance import performance

repeatable = settings(max_examples=30)


def _simulate(seed: int, rows: int = 252, series: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_t(4, rows)
    returns = rng.uniform(-1, 2, series) * market[:, np.newaxis]
    returns += 0.015 * rng.standard_normal((rows, series))
    returns[rng.random(returns.shape) < 0.1] = np.nan
    market[rng.random(rows) < 0.02] = np.nan
    return market, returns


def _by_the_papers(own: list[float], market: list[float]) -> list[float]:
    """Return the figures by loops, one session after the other."""
    value = peak = 1.0
    worst = 0.0
    for each in own:
        value *= 1 + each
        peak = max(peak, value)
        worst = max(worst, 1 - value / peak)
    annual = value ** (252 / len(own)) - 1
    mean = statistics.fmean(own)
    downside = math.sqrt(sum(each**2 for each in own if each < 0) / len(own))
    captures = []
    for sign in (1, -1):
        days = [(a, b) for a, b in zip(own, market, strict=True) if sign * b > 0]
        geometric = (statistics.geometric_mean([1 + pair[i] for pair in days]) - 1 for i in (0, 1))
        captures.append(next(geometric) / next(geometric))
    year = math.sqrt(252)
    return [
        annual,
        year * mean / statistics.stdev(own),
        year * mean / downside,
        annual / worst,
        *captures,
        len(own),
    ]


@repeatable
@given(st.integers(0, 2**32 - 1))
def test_figures_are_those_of_the_papers(seed: int) -> None:
    market, returns = _simulate(seed)
    found = performance(returns, market, min_obs=126)
    for column in range(returns.shape[1]):
        paired = np.isfinite(returns[:, column]) & np.isfinite(market)
        expected = _by_the_papers(returns[paired, column].tolist(), market[paired].tolist())
        np.testing.assert_allclose([each[column] for each in found], expected, rtol=1e-8)


def test_a_series_has_the_same_bits_alone_and_beside_others() -> None:
    market, returns = _simulate(11, series=70)
    together = performance(returns, market, min_obs=126)
    for column in (0, 33, 69):
        alone = performance(returns[:, column : column + 1], market, min_obs=126)
        for whole, part in zip(together, alone, strict=True):
            assert whole[column] == part[0]


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_just_enough_pairs(n_known: int, is_defined: bool) -> None:
    rng = np.random.default_rng(3)
    market, returns = 0.01 * rng.standard_normal(252), 0.01 * rng.standard_normal((252, 1))
    returns[: 252 - n_known - 5] = np.nan
    market[-5:] = np.nan
    found = performance(returns, market, min_obs=126)
    assert found.n_obs.tolist() == [n_known]
    for values in found[:-1]:
        assert np.isfinite(values).all() == is_defined


def test_the_index_captures_all_of_itself() -> None:
    market = 0.01 * np.random.default_rng(4).standard_normal(252)
    found = performance(market[:, np.newaxis], market, min_obs=126)
    assert (found.up_capture[0], found.down_capture[0]) == (1.0, 1.0)


def test_a_denominator_of_zero_is_undefined() -> None:
    """Equal gains: no volatility, no loss, no drawdown, no fall of the index."""
    found = performance(np.full((130, 1), 0.01), np.full(130, 0.02), min_obs=126)
    assert found.annual_return[0] == pytest.approx(1.01**252 - 1)
    assert found.up_capture[0] == pytest.approx(0.5)
    for values in (found.sharpe_ratio, found.sortino_ratio, found.calmar_ratio, found.down_capture):
        assert np.isnan(values[0])


def test_a_total_loss_ends_the_growth() -> None:
    returns = np.full((126, 1), 0.01)
    returns[60] = -1.5
    found = performance(returns, np.full(126, 0.01), min_obs=126)
    assert found.annual_return[0] == -1.0
    assert found.calmar_ratio[0] == -1.0


def test_no_pair_at_all_is_undefined_without_a_warning() -> None:
    found = performance(np.full((130, 1), np.nan), np.zeros(130), min_obs=126)
    assert all(np.isnan(values[0]) for values in found[:-1])
    assert found.n_obs.tolist() == [0]
