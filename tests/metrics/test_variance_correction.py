"""Fit and application of the variance correction against statsmodels, by hand, known truths."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics.forecast_features import Features
from riskmetrics.metrics.har import Forecast
from riskmetrics.metrics.variance_calibration import (
    MIN_YEAR_DAYS,
    VariancePairs,
    deviations_within_days,
    equal_weight_portfolios,
    fit_correction,
    fit_day_effects,
    require_safe,
    typical_level,
)
from riskmetrics.metrics.variance_correction import (
    BARS,
    DIVERSIFIED,
    PORTFOLIO,
    STOCK,
    Correction,
    CorrectionTable,
    correct,
)


def pairs(days: int = 300, series: int = 12, seed: int = 1) -> VariancePairs:
    """Gamma outcomes around exp(level of the day + features x weights), and trailing ratios."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), series)
    x = rng.normal(0.0, 0.5, (days * series, 3))
    level = np.repeat(rng.normal(0.0, 1.0, days), series)
    ratio = np.exp(level + x @ [0.3, -0.2, 0.9]) * rng.gamma(4.0, 0.25, len(day))
    trailing = np.sqrt(ratio) * np.exp(rng.normal(0.1, 0.5, len(day)))
    ewma = ratio[:, None] * np.exp(rng.normal(0.1, 0.5, (len(day), 2)))
    return VariancePairs(day, day // 50, ratio, trailing, x, ewma)


def test_day_effects_are_those_of_a_gamma_regression_with_a_dummy_for_every_day():
    some = pairs(days=25, series=8)
    dummies = (some.day[:, None] == np.arange(25)).astype(float)
    gamma = sm.families.Gamma(sm.families.links.Log())
    theirs = sm.GLM(some.ratio, np.column_stack([some.features, dummies]), family=gamma).fit(
        tol=1e-12, maxiter=200
    )
    ours = fit_day_effects(some.ratio, some.features, some.day)
    assert_allclose(ours, theirs.params[:3], rtol=1e-6)


def test_a_crash_of_all_series_does_not_move_the_weights():
    some = pairs()
    crash = np.where(some.day < 30, 50.0 * some.ratio, some.ratio)
    assert_allclose(
        fit_day_effects(crash, some.features, some.day),
        fit_day_effects(some.ratio, some.features, some.day),
        atol=1e-12,
    )


def test_features_that_do_not_vary_within_days_are_refused():
    some = pairs()
    with pytest.raises(CalibrationRejectedError, match="do not vary"):
        fit_day_effects(some.ratio, some.day[:, None].astype(float), some.day)


@pytest.mark.parametrize(("days", "counts"), [(MIN_YEAR_DAYS, True), (MIN_YEAR_DAYS - 1, False)])
def test_a_year_needs_25_days_to_count(days, counts):
    day = np.arange(2 * MIN_YEAR_DAYS + days)
    year = np.minimum(day // MIN_YEAR_DAYS, 2)
    values = np.array([1.0, 2.0, 9.0])[year]
    assert typical_level(values, year, day) == (2.0 if counts else 1.5)


def test_a_fit_finds_its_truth_and_the_interval_holds_four_fifths():
    """Oracles: the truth, statsmodels' probit, and the share of the outcomes in the interval."""
    some = pairs(days=1500)
    some = some._replace(year=some.day * 0)
    found = fit_correction(some, ("season", "quarter", "range_level"))
    assert_allclose(found.weights, [0.3, -0.2, 0.9], atol=0.03)
    x = np.clip(some.features, found.lowest, found.highest) - found.centers
    root = np.exp(0.5 * (found.constant + x @ found.weights))
    error = np.sqrt(some.ratio) / root
    assert_allclose(np.mean(error**2), 1.0, rtol=1e-12)
    assert_allclose(np.mean(error), found.volatility_ratio, rtol=1e-12)
    held = (found.low * found.volatility_ratio <= error) & (
        error <= found.high * found.volatility_ratio
    )
    assert_allclose(held.mean(), 0.8, atol=0.001)
    growth = np.log(root * found.volatility_ratio / some.trailing)
    rises = (np.sqrt(some.ratio) > some.trailing).astype(float)
    theirs = sm.Probit(rises, sm.add_constant(growth)).fit(disp=0).params
    assert_allclose([-found.rise_mean / found.rise_sd, 1 / found.rise_sd], theirs, rtol=1e-9)


def test_unused_features_have_no_weight_and_may_be_missing():
    some = pairs()
    some.features[:, 2] = np.nan
    found = fit_correction(some, ("season",))
    assert found.weights[1:].tolist() == [0.0, 0.0]
    some.features[:, 0] = np.nan
    with pytest.raises(CalibrationRejectedError, match="no completed forecast has the features"):
        fit_correction(some, ("season",))


def test_trailing_volatility_that_says_nothing_of_rises_is_refused():
    some = pairs()
    constant = some._replace(trailing=np.full(len(some.ratio), 1e-9))
    with pytest.raises(CalibrationRejectedError, match="whether volatility rises"):
        fit_correction(constant, ("season",))


@pytest.mark.parametrize(
    ("level", "season", "is_safe"),
    [(-0.5, 0.0, True), (0.8, 0.0, True), (-0.501, 0.0, False), (0.801, 0.0, False),
     (0.1, -0.001, False)],
)  # fmt: skip
def test_a_correction_is_safe_within_its_bounds(level, season, is_safe):
    of = correction(constant=level, weights=np.array([season, -1.0, -1.0]))
    if is_safe:
        assert require_safe(of, "stock") is of
    else:
        with pytest.raises(CalibrationRejectedError, match="stock"):
            require_safe(of, "stock")


def test_portfolios_are_equal_weight_and_need_four_fifths_of_their_returns():
    returns = np.arange(20.0)[np.newaxis] / 100.0
    found = equal_weight_portfolios(returns)
    assert_allclose(found[0], [np.mean(returns[0, first::n]) for n in (1, 2, 4)
                               for first in range(n)])  # fmt: skip
    returns[0, :4] = np.nan
    assert_allclose(equal_weight_portfolios(returns)[0, 0], np.mean(returns[0, 4:]))
    returns[0, 4] = np.nan
    assert np.isnan(equal_weight_portfolios(returns)[0, 0])


def correction(**changes: object) -> Correction:
    """Return a correction of the level, with the changes."""
    plain = Correction(
        constant=0.1,
        weights=np.array([0.3, 0.2, 1.0]),
        centers=np.array([0.5, 0.0, -0.2]),
        lowest=np.array([0.0, -1.0, -0.5]),
        highest=np.array([2.0, 1.0, 0.5]),
        volatility_ratio=0.95,
        low=0.65,
        high=1.4,
        rise_mean=0.05,
        rise_sd=0.3,
    )
    return plain._replace(**changes)


def forecast(days: int, series: int) -> Forecast:
    volatility = np.full((days, series), 0.2)
    return Forecast(volatility, volatility * 1.05, volatility * 0.6, volatility * 1.5,
                    volatility * 0 + 1, volatility > 1)  # fmt: skip


def test_the_formula_by_hand_for_each_class_and_for_a_version_without_corrections():
    """Three days: without corrections, with those of stocks and portfolios, and with bars."""
    features = Features(
        close_season=np.full((3, 2), 3.0),  # clipped to 2
        bar_season=np.full((3, 2), 1.0),
        quarter=np.full((3, 2), np.nan),  # its center
        range_level=np.full((3, 2), -0.4),
        uses_bars=np.tile([True, False], (3, 1)),
    )
    of_stock, of_fund = correction(), correction(constant=-0.1, weights=np.zeros(3))
    known = [
        {},
        {"stock": of_stock, "diversified": of_fund},
        {"stock": of_stock, "diversified": of_fund, "bars": correction(constant=0.0)},
    ]
    found = correct(
        forecast(3, 2),
        features,
        CorrectionTable.build(known),
        np.array([0, 1, 2]),
        np.array([STOCK, DIVERSIFIED]),
    )
    stock, fund, bars = 0.1 + 0.3 * 1.5, -0.1, 0.3 * 0.5 - 1.0 * 0.2
    logs = np.array([[stock, fund], [bars, fund]])
    root = found.forecast.root_variance_forecast
    assert_array_equal(root[0], forecast(3, 2).root_variance_forecast[0])
    assert_allclose(root[1:], 0.2 * np.exp(logs / 2), rtol=1e-14)
    assert_allclose(found.forecast.volatility_forecast[1:], 0.95 * root[1:], rtol=1e-14)
    assert_allclose(found.forecast.low[1:], 0.65 * 0.95 * root[1:], rtol=1e-14)
    assert_allclose(found.forecast.high[1:], 1.4 * 0.95 * root[1:], rtol=1e-14)
    assert_array_equal(found.rise_mean[:, 0], [0.06, 0.05, 0.05])
    assert_array_equal(found.rise_sd[:, 0], [0.33, 0.3, 0.3])
    assert BARS == 2


def test_a_portfolio_is_averaged_with_exponential_variances_by_hand():
    """A version without weights of a portfolio forecasts it like a fund, whatever the EWMA is."""
    features = Features(*[np.full((2, 2), np.nan)] * 4, np.zeros((2, 2), bool))
    of_fund = correction(constant=0.0, weights=np.zeros(3))
    known = [
        {"stock": of_fund, "diversified": of_fund},
        {
            "stock": of_fund,
            "diversified": of_fund,
            "portfolio": of_fund._replace(ewma_weights=np.array([0.2, 0.4])),
        },
    ]
    ewma = np.full((2, 2), 0.1), np.full((2, 2), 0.3)
    ewma[0][0], ewma[1][0] = np.nan, np.nan
    found = correct(
        forecast(2, 2),
        features,
        CorrectionTable.build(known),
        np.array([0, 1]),
        np.array([PORTFOLIO, DIVERSIFIED]),
        ewma,
    ).forecast
    average = np.sqrt(0.4 * 0.2**2 + 0.2 * 0.1**2 + 0.4 * 0.3**2)
    assert_allclose(found.root_variance_forecast, [[0.2, 0.2], [average, 0.2]], rtol=1e-14)
    assert_allclose(found.high, 1.4 * 0.95 * found.root_variance_forecast, rtol=1e-14)


def test_a_fund_with_bars_has_the_variance_of_bars_and_an_interval_of_its_own():
    """Before a version knows that interval, it has that of a stock with bars."""
    of_bars = correction(constant=0.0)
    of_fund_bars = of_bars._replace(low=0.7, high=1.3, volatility_ratio=0.97)
    plain = {"stock": correction(), "diversified": correction(constant=-0.1)}
    features = Features(*[np.full((2, 2), 0.2)] * 4, np.ones((2, 2), bool))
    found = correct(
        forecast(2, 2),
        features,
        CorrectionTable.build(
            [plain | {"bars": of_bars}, plain | {"bars": of_bars, "diversified_bars": of_fund_bars}]
        ),
        np.array([0, 1]),
        np.array([STOCK, DIVERSIFIED]),
    ).forecast
    root = found.root_variance_forecast
    assert len(np.unique(root)) == 1
    assert_allclose(found.low / root, 0.95 * 0.65 * np.ones((2, 2)) * [[1, 1], [1, 0.679 / 0.6175]])
    assert_allclose(found.volatility_forecast / root, [[0.95, 0.95], [0.95, 0.97]])


def test_a_correction_with_exponential_weights_has_the_quantiles_of_the_average():
    """Oracle: pandas, for the mean, the quantiles and the level of the typical year."""
    some = pairs()
    weights = np.array([0.2, 0.4])
    found = fit_correction(some, ("quarter",), weights=np.zeros(3), ewma_weights=weights)
    table = pd.DataFrame({"year": some.year, "ratio": some.ratio})
    level = table.groupby("year")["ratio"].mean().median()
    assert_allclose(np.exp(found.constant), level)
    table["error"] = np.sqrt(some.ratio / (0.4 * level + some.ewma @ weights))
    errors = table.groupby("year")["error"]
    assert_allclose(found.volatility_ratio, errors.mean().median())
    for value, share in ((found.low, 0.1), (found.high, 0.9)):
        assert_allclose(value * found.volatility_ratio, errors.quantile(share).median())
    assert_array_equal(found.ewma_weights, weights)
    assert_array_equal(fit_correction(some, ("quarter",)).ewma_weights, [0.0, 0.0])


def test_deviations_within_days_are_those_of_pandas():
    some = pairs(days=7, series=3)
    shuffled = np.random.default_rng(5).permutation(len(some.day))
    values, day = some.ratio[shuffled], some.day[shuffled]
    of_pandas = pd.Series(values) - pd.Series(values).groupby(day).transform("mean")
    assert_allclose(deviations_within_days(values, day), of_pandas, atol=1e-14)


def test_versions_without_any_correction_change_nothing():
    plain = forecast(2, 1)
    features = Features(*[np.full((2, 1), np.nan)] * 4, np.zeros((2, 1), bool))
    found = correct(
        plain, features, CorrectionTable.build([{}, {}]), np.array([0, 1]), np.array([STOCK])
    )
    assert found.forecast is plain
