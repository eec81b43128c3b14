"""Incremental value at risk against numpy's quantile of the portfolio without the holding."""

import numpy as np
import pytest

from riskmetrics.metrics.incremental_risk import incremental_value_at_risk

ROWS = 504


def _book(seed: int, n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 0.01 * rng.standard_t(4, (ROWS, n)), rng.uniform(-0.4, 0.6, n)


def _incremental(
    returns: np.ndarray, weight: np.ndarray, *, level: float = 0.95, min_obs: int = 126
) -> np.ndarray:
    n = len(weight)
    return incremental_value_at_risk(
        (returns @ weight)[:, None],
        np.ones((len(returns), 1)),
        returns,
        weight,
        column=np.arange(n),
        portfolio=np.zeros(n, np.int64),
        level=level,
        min_obs=min_obs,
    )


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_is_the_difference_of_two_quantiles_by_numpy(level: float) -> None:
    returns, weight = _book(1)
    whole = np.quantile(-(returns @ weight), level)
    expected = [
        whole - np.quantile(-(np.delete(returns, at, axis=1) @ np.delete(weight, at)), level)
        for at in range(len(weight))
    ]
    np.testing.assert_allclose(_incremental(returns, weight, level=level), expected, rtol=1e-9)


def test_the_only_holding_is_the_whole_value_at_risk_and_cash_is_none() -> None:
    returns, _ = _book(2, 2)
    returns[:, 1] = 0.0
    found = _incremental(returns, np.array([1.0, 0.5]))
    assert found[0] == pytest.approx(np.quantile(-returns[:, 0], 0.95), rel=1e-12)
    assert found[1] == 0.0


def test_the_sum_is_not_the_value_at_risk_of_the_book() -> None:
    returns, _ = _book(3)
    weight = np.full(5, 0.2)
    whole = np.quantile(-(returns @ weight), 0.95)
    assert _incremental(returns, weight).sum() < 0.8 * whole  # diversification is in each of them


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_needs_enough_returns(n_known: int, is_defined: bool) -> None:
    returns, weight = _book(4)
    series = (returns @ weight)[:, None]
    series[n_known:] = np.nan
    found = incremental_value_at_risk(
        series, np.ones((ROWS, 1)), returns, weight, column=np.arange(5),
        portfolio=np.zeros(5, np.int64), level=0.95, min_obs=126,
    )  # fmt: skip
    assert np.isfinite(found).all() == is_defined


def test_a_missing_return_of_the_holding_leaves_the_day_as_it_is() -> None:
    returns, weight = _book(5, 2)
    returns[::7, 0] = np.nan
    known = np.isfinite(returns[:, 0])
    coverage = np.where(known, 1.0, 0.6)
    series = np.nansum(returns * weight, axis=1) / coverage
    found = incremental_value_at_risk(
        series[:, None], coverage[:, None], returns, weight, column=np.arange(2),
        portfolio=np.zeros(2, np.int64), level=0.95, min_obs=126,
    )  # fmt: skip
    without = np.where(known, series - weight[0] * returns[:, 0] / coverage, series)
    expected = np.quantile(-series, 0.95) - np.quantile(-without, 0.95)
    assert found[0] == pytest.approx(expected, rel=1e-9)


def test_a_holding_has_the_same_bits_alone_and_in_a_batch() -> None:
    rng = np.random.default_rng(6)
    returns, n = 0.01 * rng.standard_normal((ROWS, 300)), 300
    weight, owner = rng.uniform(0.0, 0.1, n), np.arange(n) // 100
    series = np.column_stack(
        [returns[:, owner == each] @ weight[owner == each] for each in range(3)]
    )
    options = {"level": 0.95, "min_obs": 126}
    together = incremental_value_at_risk(
        series, np.ones((ROWS, 3)), returns, weight, column=np.arange(n), portfolio=owner, **options
    )
    alone = incremental_value_at_risk(
        np.ascontiguousarray(series[:, 2:]), np.ones((ROWS, 1)), returns, weight[[299]],
        column=np.array([299]), portfolio=np.array([0]), **options,
    )  # fmt: skip
    assert alone[0] == together[299]
