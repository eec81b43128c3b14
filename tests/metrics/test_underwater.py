"""Time under water: quantstats, pandas, boundaries and invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.metrics.drawdown import drawdown
from riskmetrics.metrics.underwater import underwater

repeatable = settings(max_examples=30)


def _simulate(seed: int, series: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    returns = 0.01 * rng.standard_t(4, (252, series)) + rng.uniform(-0.002, 0.002, series)
    returns[rng.random(returns.shape) < 0.1] = np.nan
    return returns


def test_figures_are_those_of_quantstats() -> None:
    """Values of quantstats 0.0.86 on the same 252 returns; its ulcer index divides by n - 1."""
    rng = np.random.default_rng(2022)
    market = 0.01 * rng.standard_t(4, 252)
    returns = 0.7 * market + 0.006 * rng.standard_normal(252)
    found = underwater(returns[:, np.newaxis], min_obs=126)
    correction = np.sqrt(252 / 251)
    assert found.ulcer_index[0] * correction == pytest.approx(0.10319333106280038)
    assert found.martin_ratio[0] / correction == pytest.approx(-0.8544355932503077)
    assert found.average_drawdown[0] == pytest.approx(0.08625904427237724)


@repeatable
@given(st.integers(0, 2**32 - 1))
def test_figures_are_those_of_pandas(seed: int) -> None:
    returns = _simulate(seed)
    found = underwater(returns, min_obs=126)
    for column in range(returns.shape[1]):
        own = pd.Series(returns[:, column])
        wealth = (1 + own.fillna(0)).cumprod()
        depth = 1 - wealth / wealth.cummax().clip(lower=1)
        annual = wealth.iloc[-1] ** (252 / own.count()) - 1
        counted = depth[own.notna()]
        assert found.average_drawdown[column] == pytest.approx(counted.mean())
        assert found.ulcer_index[column] == pytest.approx((counted**2).mean() ** 0.5)
        assert found.martin_ratio[column] == pytest.approx(annual / (counted**2).mean() ** 0.5)
        assert found.time_under_water[column] == (counted > 0).mean()
        spells = (depth > 0).groupby((depth <= 0).cumsum()).sum()
        is_last = spells.index == spells.index[-1]
        lengths = spells + np.where((spells > 0) & ~is_last, 1, 0)  # the recovery
        assert found.longest_drawdown[column] == lengths.max()


def test_sessions_before_the_first_return_are_in_no_mean() -> None:
    returns = _simulate(17)
    late = np.vstack([np.full((120, returns.shape[1]), np.nan), returns[:132]])
    found, alone = underwater(late, min_obs=100), underwater(returns[:132], min_obs=100)
    for with_empty, without in zip(found, alone, strict=True):
        np.testing.assert_allclose(with_empty, without)


def test_the_ulcer_index_is_between_the_average_and_the_maximum_drawdown() -> None:
    returns = _simulate(5, series=50)
    found, deepest = underwater(returns, min_obs=126), drawdown(returns, min_obs=126).max_drawdown
    assert (found.average_drawdown <= found.ulcer_index).all()
    assert (found.ulcer_index <= deepest).all()


def test_a_series_has_the_same_bits_alone_and_beside_others() -> None:
    returns = _simulate(11, series=70)
    together = underwater(returns, min_obs=126)
    for column in (0, 33, 69):
        alone = underwater(returns[:, column : column + 1], min_obs=126)
        for whole, part in zip(together, alone, strict=True):
            assert whole[column] == part[0]


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_just_enough_returns(n_known: int, is_defined: bool) -> None:
    returns = 0.01 * np.random.default_rng(3).standard_normal((252, 1))
    returns[: 252 - n_known] = np.nan
    found = underwater(returns, min_obs=126)
    assert found.n_obs.tolist() == [n_known]
    for values in found[:-1]:
        assert np.isfinite(values).all() == is_defined


@pytest.mark.parametrize(
    ("returns", "longest"),
    [
        ([0.0, 0.0, 0.0], 0),  # never below
        ([-0.5, 0.0, 1.0], 3),  # from the first close to the recovery
        ([-0.5, 0.0, 0.5], 3),  # lasts: to the last session
        ([0.5, -0.5, 1.0], 2),
        ([-0.5, 1.0, -0.5], 2),  # two spells; the second one is shorter
    ],
)
def test_the_longest_drawdown_by_hand(returns: list[float], longest: int) -> None:
    found = underwater(np.array(returns)[:, np.newaxis], min_obs=3)
    assert found.longest_drawdown.tolist() == [longest]


def test_without_drawdown_there_is_no_martin_ratio() -> None:
    found = underwater(np.full((130, 1), 0.01), min_obs=126)
    assert (found.ulcer_index[0], found.average_drawdown[0], found.time_under_water[0]) == (0, 0, 0)
    assert np.isnan(found.martin_ratio[0])


def test_a_total_loss_stays_under_water() -> None:
    returns = np.full((126, 1), 0.01)
    returns[0] = -1.5
    found = underwater(returns, min_obs=126)
    assert (found.ulcer_index[0], found.longest_drawdown[0], found.martin_ratio[0]) == (1, 126, -1)


def test_no_return_at_all_is_undefined_without_a_warning() -> None:
    found = underwater(np.full((130, 1), np.nan), min_obs=126)
    assert all(np.isnan(values[0]) for values in found[:-1])
    assert found.n_obs.tolist() == [0]


@pytest.mark.parametrize("min_obs", [0, 253])
def test_a_minimum_out_of_range_is_refused(min_obs: int) -> None:
    with pytest.raises(ValueError, match="min_obs"):
        underwater(np.zeros((252, 1)), min_obs=min_obs)
