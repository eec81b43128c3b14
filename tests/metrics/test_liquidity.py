"""Days to liquidate against numpy's median, a day-by-day sale, and boundaries."""

import numpy as np
import pytest

from riskmetrics.metrics.liquidity import (
    MIN_VOLUME_OBS,
    VOLUME_WINDOW,
    days_to_liquidate,
    median_volume,
    portfolio_liquidity,
)


def test_the_median_is_numpys_with_and_without_gaps() -> None:
    rng = np.random.default_rng(1)
    volume = rng.lognormal(13.0, 1.0, (VOLUME_WINDOW + 4, 6))
    volume[rng.random(volume.shape) < 0.3] = np.nan
    found = median_volume(volume)
    for day in range(5):
        window = volume[day : day + VOLUME_WINDOW]
        expected = np.nanmedian(window, axis=0)
        expected[np.isfinite(window).sum(axis=0) < MIN_VOLUME_OBS] = np.nan
        np.testing.assert_allclose(found.shares[day], expected, rtol=1e-15)
        np.testing.assert_array_equal(found.n_obs[day], np.isfinite(window).sum(axis=0))


@pytest.mark.parametrize(
    ("n_known", "is_defined"), [(MIN_VOLUME_OBS, True), (9, False), (0, False)]
)
def test_needs_ten_volumes(n_known: int, is_defined: bool) -> None:
    volume = np.full((VOLUME_WINDOW, 1), np.nan)
    volume[:n_known] = 1e6
    assert np.isfinite(median_volume(volume).shares[0, 0]) == is_defined


def test_without_volume_or_shares_days_are_undefined() -> None:
    shares, volume = np.array([10.0, np.nan, 10.0, 0.0]), np.array([0.0, 1.0, np.nan, 1.0])
    np.testing.assert_array_equal(
        days_to_liquidate(shares, volume, 0.2), [np.nan, np.nan, np.nan, 0.0]
    )


def test_shares_sold_are_those_of_a_sale_day_by_day() -> None:
    rng = np.random.default_rng(2)
    shares, price, volume = (rng.lognormal(mean, 1.5, 8) for mean in (9.0, 4.0, 9.0))
    days = days_to_liquidate(shares, volume, 0.2)
    found = portfolio_liquidity((shares * price)[:, None], days[:, None], np.zeros(8, np.int64), 1)
    left, sold = shares.copy(), {}
    for day in range(1, 21):
        left = np.maximum(left - 0.2 * volume, 0.0)
        sold[day] = 1 - (left * price).sum() / (shares * price).sum()
    for horizon, share in zip((1, 5, 20), found[1:4], strict=True):
        assert share[0, 0] == pytest.approx(sold[horizon], rel=1e-9)
    assert found.days[0, 0] == days.max()
    assert found.coverage[0, 0] == 1.0


@pytest.mark.parametrize(("unknown", "is_defined"), [(20.0, True), (20.1, False)])
def test_needs_four_fifths_of_gross_value(unknown: float, is_defined: bool) -> None:
    size, days = np.array([[80.0], [unknown]]), np.array([[2.0], [np.nan]])
    found = portfolio_liquidity(size, days, np.zeros(2, np.int64), 1)
    assert found.coverage[0, 0] == pytest.approx(80 / (80 + unknown))
    assert np.isfinite(found.days[0, 0]) == is_defined
    assert np.isfinite(found.share_1d[0, 0]) == is_defined


def test_a_portfolio_without_holdings_is_undefined() -> None:
    found = portfolio_liquidity(np.zeros((1, 1)), np.full((1, 1), np.nan), np.zeros(1, np.int64), 2)
    for values in found:
        assert np.isnan(values).all()
