"""Features of the variance correction against pandas, by hand, and without look-ahead."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.metrics.forecast_features import (
    FEATURE_WINDOW,
    MIN_SURPRISE,
    Features,
    build_features,
)


def bars(rows: int = 420, symbols: int = 3, seed: int = 1) -> tuple[np.ndarray, ...]:
    """Returns, ranges, opens over closes and volumes of independent sessions."""
    rng = np.random.default_rng(seed)
    shape = rows, symbols
    returns = rng.normal(0.0, 0.015, shape)
    ranges = rng.uniform(0.005, 0.03, shape)
    opens = np.exp(rng.normal(0.0, 0.01, shape))
    return returns, ranges, opens, rng.uniform(1e5, 1e6, shape)


def in_pandas(returns, ranges, opens, volumes) -> Features:
    """Oracle: rolling windows of pandas, from the description of the features."""
    r, opening, volume = (pd.DataFrame(values) for values in (returns, opens, volumes))
    usual = r.abs().rolling(63, min_periods=45).mean()
    gap = (np.log(1 + r) + np.log(opening)).abs()
    active = np.sqrt(volume / volume.rolling(63, min_periods=45).mean())

    def season(surprise: pd.DataFrame) -> np.ndarray:
        largest = np.log(surprise.rolling(21, min_periods=15).max().clip(lower=0.3))
        return (sum(largest.shift(63 * n - 21) for n in range(1, 5)) / 4).to_numpy()[313:]

    moves = np.log(1 + r).abs()
    year = r.abs().rolling(252, min_periods=63).mean()
    wide = pd.DataFrame(ranges).rolling(252, min_periods=240).mean()
    return Features(
        season(moves / usual),
        season(gap.fillna(moves) * active.fillna(1.0) / usual),
        np.log(usual / year).to_numpy()[313:],
        np.log(wide / (np.sqrt(np.pi / 2) * year)).to_numpy()[313:],
        np.ones((len(r) - 313, r.shape[1]), bool),
    )


def test_features_are_those_of_pandas():
    some = bars()
    some[0][100:105, 1] = np.nan
    some[2][200:205, 2] = np.nan
    some[3][50:55, 0] = 0.0
    ours = build_features(*some)
    some[3][50:55, 0] = np.nan
    for name, expected in in_pandas(*some)._asdict().items():
        assert_allclose(getattr(ours, name), expected, rtol=1e-10, atol=1e-12, err_msg=name)


def test_a_day_depends_on_its_own_window_to_the_last_bit():
    some = bars()
    whole = build_features(*some)
    for end in (FEATURE_WINDOW, 350, 420):
        one = build_features(*(values[end - FEATURE_WINDOW : end, 1:2] for values in some))
        for name, values in one._asdict().items():
            assert_array_equal(
                values, getattr(whole, name)[end - FEATURE_WINDOW : end - FEATURE_WINDOW + 1, 1:2]
            )


def test_the_unit_of_volumes_and_the_size_of_ranges_do_not_matter_to_the_season():
    returns, ranges, opens, volumes = bars()
    one, other = (
        build_features(returns, ranges * k, opens, volumes * 10.0 * k) for k in (1.0, 2.0)
    )
    assert_allclose(one.bar_season, other.bar_season, rtol=1e-12)
    assert_allclose(other.range_level - one.range_level, np.log(2.0), rtol=1e-12)


@pytest.mark.parametrize(("missing", "usable"), [(12, True), (13, False)])
@pytest.mark.parametrize("which", [1, 2, 3])
def test_bars_are_usable_if_each_covers_240_of_252_sessions(which, missing, usable):
    some = bars(FEATURE_WINDOW, 1)
    some[which][-missing:] = np.nan
    assert build_features(*some).uses_bars.tolist() == [[usable]]


def test_without_bars_only_returns_count():
    returns = bars()[0]
    found, whole = build_features(returns), build_features(*bars())
    assert not found.uses_bars.any()
    assert np.isnan(found.bar_season).all()
    assert_array_equal(found.close_season, whole.close_season)


def test_a_month_without_surprise_has_the_floor():
    """By hand: calm months at 42 and 105 sessions, an event at 168 and at 231."""
    returns = np.full((FEATURE_WINDOW, 1), 0.01)
    returns[::2] *= -1.0
    calm = build_features(returns).close_season
    assert_allclose(calm, np.log1p(-0.01) * 0 + np.log(-np.log(0.99) / 0.01), rtol=1e-12)
    quiet = returns.copy()
    quiet[-63:-42] = 1e-6  # the whole month 42 sessions ago
    quiet[-125:-63] = 0.02
    assert build_features(quiet).close_season[0, 0] < calm[0, 0] + np.log(2.0) / 2
    assert MIN_SURPRISE == 0.3


@pytest.mark.parametrize(("known", "is_defined"), [(15, True), (14, False)])
def test_a_month_needs_15_of_21_returns(known, is_defined):
    returns = bars(FEATURE_WINDOW, 1)[0]
    month = np.arange(FEATURE_WINDOW - 42 - 21, FEATURE_WINDOW - 42)
    returns[month[known:]] = np.nan
    assert np.isfinite(build_features(returns).close_season[0, 0]) == is_defined


@pytest.mark.parametrize(("known", "is_defined"), [(45, True), (44, False)])
def test_the_quarter_needs_45_of_63_returns(known, is_defined):
    returns = bars(FEATURE_WINDOW, 1)[0]
    returns[-63:][known:] = np.nan
    assert np.isfinite(build_features(returns).quarter[0, 0]) == is_defined


def test_too_short_a_history_is_an_error():
    with pytest.raises(ValueError, match="314"):
        build_features(np.zeros((FEATURE_WINDOW - 1, 1)))
