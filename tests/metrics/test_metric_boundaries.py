"""Every threshold of a metric on its boundary: the minimum is defined, one less is not."""

import numpy as np
import pytest
from test_calibration import TRUTH, panel, realized_by

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import (
    calibration,
    drawdown,
    forecast_score,
    har,
    regression,
    tail_risk,
    two_factor,
    volatility,
    windows,
)

ENOUGH, TOO_FEW = 40, 39
WINDOW = 60


def returns_of(n_known: int, rows: int = WINDOW, series: int = 1) -> np.ndarray:
    """Return random returns, of which the last ``n_known`` of each series are known."""
    values = np.random.default_rng(3).normal(0, 0.01, (rows, series))
    values[: rows - n_known] = np.nan
    return values


def _ols(n_known: int) -> np.ndarray:
    x = np.random.default_rng(4).normal(0, 0.01, WINDOW)
    return regression.rolling_ols(returns_of(n_known), x, window=WINDOW, min_obs=ENOUGH).beta


def _two_factor(n_known: int) -> np.ndarray:
    x1, x2 = np.random.default_rng(4).normal(0, 0.01, (2, WINDOW))
    return two_factor.rolling_two_factor(
        returns_of(n_known), x1, x2, window=WINDOW, min_obs=ENOUGH
    ).beta_1


def _realized(n_known: int) -> np.ndarray:
    return volatility.realized_volatility(
        returns_of(n_known), window=WINDOW, min_obs=ENOUGH
    ).volatility


def _mean(n_known: int) -> np.ndarray:
    return windows.window_means(returns_of(n_known), WINDOW, min_obs=ENOUGH).mean


def _drawdown(n_known: int) -> np.ndarray:
    return drawdown.drawdown(returns_of(n_known), min_obs=ENOUGH).current_drawdown


def _var(n_known: int) -> np.ndarray:
    found = tail_risk.historical_risk(
        returns_of(n_known), level=0.95, window=WINDOW, min_obs=ENOUGH
    )
    return found.value_at_risk


def _ewma(n_known: int) -> np.ndarray:
    return volatility.ewma_volatility(
        returns_of(n_known), decay=0.94, window=WINDOW, min_obs=ENOUGH
    )


@pytest.mark.parametrize(
    "metric",
    [_ols, _two_factor, _realized, _mean, _drawdown, _var, _ewma],
    ids=lambda of: of.__name__.strip("_"),
)
def test_as_many_observations_as_are_needed_are_enough_and_one_less_is_not(metric) -> None:
    assert np.isfinite(metric(ENOUGH)).all()
    assert np.isnan(metric(TOO_FEW)).all()


@pytest.mark.parametrize(("n_known", "n_tested"), [(ENOUGH, 1), (TOO_FEW, 0)])
def test_a_day_is_tested_where_its_window_has_just_enough_losses(
    n_known: int, n_tested: int
) -> None:
    """The last day is known in both, and never in its own window."""
    returns = returns_of(n_known + 1, WINDOW + 1)
    smaller = tail_risk.loss_ranks(returns, window=WINDOW, n_days=1)
    found = tail_risk.var_exceptions(
        returns, smaller, level=0.95, window=WINDOW, n_days=1, min_obs=ENOUGH
    )
    assert found.n_tested.tolist() == [n_tested]


@pytest.mark.parametrize(("n_known", "is_defined"), [(ENOUGH, True), (TOO_FEW, False)])
def test_a_skill_needs_just_enough_completed_forecasts(n_known: int, is_defined: bool) -> None:
    realized = 0.2 + returns_of(n_known)
    of = {"window": WINDOW, "min_obs": ENOUGH}
    expected, trailing = np.full((2, WINDOW + forecast_score.FORECAST_HORIZON, 1), 0.19)
    found = forecast_score.rolling_oos_r_squared(expected, trailing - 0.05, realized, **of)
    assert np.isfinite(found[0][-1]).all() == is_defined


@pytest.mark.parametrize(
    ("n_earlier", "is_defined"),
    [(volatility.PERCENTILE_MIN_OBS, True), (volatility.PERCENTILE_MIN_OBS - 1, False)],
)
def test_a_percentile_needs_half_a_year_of_earlier_values(n_earlier: int, is_defined: bool) -> None:
    values = np.abs(returns_of(n_earlier + 1, volatility.PERCENTILE_WINDOW + 1))
    assert np.isfinite(volatility.percentile_rank(values)[0]).all() == is_defined


@pytest.mark.parametrize("ratio", [1.2, 0.9])
def test_a_trend_whose_strength_is_the_limit_itself_is_not_stable(
    ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is set to the strength, and to the next number above it."""
    forecast, realized = np.array([[0.2 * ratio]]), np.array([[0.2]])
    strength = float(volatility.volatility_trend(forecast, realized).strength[0, 0])
    monkeypatch.setattr(volatility, "MIN_TREND_STRENGTH", strength)
    assert volatility.volatility_trend(forecast, realized)[2].tolist() == [[np.sign(ratio - 1.05)]]
    monkeypatch.setattr(volatility, "MIN_TREND_STRENGTH", np.nextafter(strength, 1.0))
    assert volatility.volatility_trend(forecast, realized)[2].tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("n_known", "has_level", "is_short"),
    [
        (har.MIN_LEVEL_OBS - 1, False, False),
        (har.MIN_LEVEL_OBS, True, True),
        (har.FULL_LEVEL_OBS - 1, True, True),
        (har.FULL_LEVEL_OBS, True, False),
    ],
)
def test_a_history_is_short_from_a_quarter_to_half_a_year(
    n_known: int, has_level: bool, is_short: bool
) -> None:
    returns = returns_of(n_known, har.LEVEL_WINDOW)
    found = har.build_regressors(returns, returns_of(har.LEVEL_WINDOW, har.LEVEL_WINDOW)[:, 0])
    assert bool(np.isfinite(found.level[0, 0])) == has_level
    assert bool(found.short_history[0, 0]) == is_short


@pytest.mark.parametrize(
    ("ratio", "is_clipped"),
    [
        (har.MIN_RATIO, False),
        (np.nextafter(har.MIN_RATIO, 0), True),
        (har.MAX_RATIO, False),
        (np.nextafter(har.MAX_RATIO, 9), True),
    ],
)
def test_a_ratio_on_a_limit_is_not_clipped_and_the_next_number_beyond_is(
    ratio: float, is_clipped: bool
) -> None:
    """Weights that pass the ratio of the day on, exactly."""
    inputs = har.build_regressors(
        *(returns_of(har.LEVEL_WINDOW, har.LEVEL_WINDOW), returns_of(252, 252)[:, 0])
    )
    alone = har.Coefficients(weights=(0.0, 1.0, 0.0, 0.0, 0.0), residual_variance=0.0)
    of_day = inputs._replace(day=np.full_like(inputs.day, ratio))
    found = har.forecast(of_day, [dict.fromkeys(har.PROXIES, alone)])
    assert found.ratio.tolist() == [[ratio]]
    assert bool(found.clipped[0, 0]) == is_clipped


DAYS = calibration.MIN_CALIBRATION_YEARS * calibration.SESSIONS_PER_YEAR
SYMBOLS = calibration.MIN_CALIBRATION_SYMBOLS


@pytest.mark.parametrize(
    ("days", "symbols", "short", "complaint"),
    [
        (DAYS, SYMBOLS, 0, None),
        (DAYS - 1, SYMBOLS, 0, f"{DAYS - 1} sessions have pairs for close_market; {DAYS} required"),
        (
            DAYS,
            SYMBOLS - 1,
            0,
            f"{SYMBOLS - 1} series have a year of pairs for close_market; {SYMBOLS} required",
        ),
        (DAYS, SYMBOLS, DAYS - 252, None),  # one series has a year of pairs exactly
        (DAYS, SYMBOLS, DAYS - 251, f"{SYMBOLS - 1} series have a year of pairs"),
    ],
)
def test_a_fit_is_refused_one_session_or_one_series_below_what_it_needs(
    days: int, symbols: int, short: int, complaint: str | None
) -> None:
    inputs = panel(days=days, symbols=symbols)
    realized = realized_by(inputs, TRUTH["close_market"])
    realized[:short, 0] = np.nan
    if complaint is None:
        assert calibration.fit([(inputs, realized)], proxy="close_market").n_symbols == symbols
    else:
        with pytest.raises(CalibrationRejectedError, match=complaint):
            calibration.fit([(inputs, realized)], proxy="close_market")


def test_weights_may_sum_to_either_bound_itself_and_to_no_more_or_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bounds are set to the sum of a fit, and to the numbers beside it."""
    inputs = panel(days=DAYS, symbols=SYMBOLS)
    blocks = [(inputs, realized_by(inputs, TRUTH["close_market"]))]
    total = float(calibration.fit(blocks, proxy="close_market").coefficients.weights.sum())
    below, above = np.nextafter(total, 0), np.nextafter(total, 2)
    for lowest, highest in ((total, total), (below, total), (total, above)):
        monkeypatch.setattr(calibration, "WEIGHT_SUM_BOUNDS", (lowest, highest))
        assert calibration.fit(blocks, proxy="close_market").n_symbols == SYMBOLS
    for lowest, highest in ((above, above), (0.0, below)):
        monkeypatch.setattr(calibration, "WEIGHT_SUM_BOUNDS", (lowest, highest))
        with pytest.raises(CalibrationRejectedError, match="sum"):
            calibration.fit(blocks, proxy="close_market")
