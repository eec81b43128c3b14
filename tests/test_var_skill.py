"""Benchmark of value at risk: independence against a hand calculation, and what is planted."""

import math
from importlib import resources

import numpy as np
import pytest
from scipy.stats import chi2

from benchmarks import var_skill
from benchmarks.var_skill import (
    WINDOW,
    independence_p_value,
    random_portfolios,
    score_horizon,
    score_methods,
)
from riskmetrics.metrics.tail_risk import historical_risk


def test_independence_is_christoffersens_likelihood_ratio() -> None:
    days = np.array([0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0], dtype=bool)
    # transitions by hand: 00 five times, 01 twice, 10 twice, 11 twice
    stays, starts = 2 / 4, 2 / 7
    together = 4 / 11
    ratio = 2 * (
        5 * math.log(1 - starts)
        + 2 * math.log(starts)
        + 2 * math.log(1 - stays)
        + 2 * math.log(stays)
        - 7 * math.log(1 - together)
        - 4 * math.log(together)
    )
    assert independence_p_value(days) == pytest.approx(chi2.sf(ratio, 1), rel=1e-12)


@pytest.mark.parametrize("days", [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
def test_exceptions_that_cannot_follow_each_other_are_not_rejected(days: list[int]) -> None:
    assert independence_p_value(np.array(days, dtype=bool)) == 1.0


def test_filtering_keeps_its_level_where_volatility_moves() -> None:
    rng = np.random.default_rng(3)
    rows = WINDOW + 400
    volatility = 0.01 * np.exp(0.9 * np.sin(np.arange(rows) / 40.0))[:, np.newaxis]
    returns = volatility * rng.standard_normal((rows, 20))
    scores = {(score.method, score.level): score for score in score_methods(returns)}
    filtered, historical = (scores[name, 0.95] for name in ("filtered", "historical, 504 sessions"))
    assert filtered.breach_rate == pytest.approx(0.05, abs=0.015)
    assert filtered.shortfall_ratio == pytest.approx(1.0, abs=0.05)
    assert historical.independence_rejections > filtered.independence_rejections
    normal = scores["normal, EWMA 0.94", 0.95]
    assert normal.breach_rate == pytest.approx(0.05, abs=0.015)


def test_a_days_value_at_risk_uses_only_the_days_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    returns = 0.01 * np.random.default_rng(4).standard_normal((WINDOW + 2, 3))
    seen = []

    def record(window: np.ndarray, level: float) -> var_skill.Tail:
        seen.append(window)
        return var_skill.Tail(*historical_risk(window, level=level, min_obs=500)[:2])

    monkeypatch.setattr(var_skill, "METHODS", {"recorded": record})
    score_methods(returns)
    for number, window in enumerate(seen[:2]):
        np.testing.assert_array_equal(window, returns[number : number + WINDOW])


def test_portfolios_are_the_same_each_time_and_hold_what_exists() -> None:
    returns = np.random.default_rng(5).standard_normal((50, 6))
    first, second = (random_portfolios(returns, 10) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (50, 10)
    for column in first.T:  # each is a combination of the columns
        residual = column - returns @ np.linalg.lstsq(returns, column, rcond=None)[0]
        np.testing.assert_allclose(residual, 0.0, atol=1e-12)


def test_the_bundled_sample_gives_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    with resources.as_file(resources.files("riskmetrics.sources") / "sample/prices.csv.gz") as path:
        var_skill.main([str(path), "--market", "SPX", "--portfolios", "5", "--from", "2022-10-03"])
    printed = capsys.readouterr().out
    assert "5 portfolios of" in printed
    assert "| filtered" in printed


def test_simulated_losses_of_ten_sessions_keep_their_level_where_one_day_has_fat_tails() -> None:
    """Sums of ten independent returns have thinner tails than √10 times one return."""
    returns = 0.01 * np.random.default_rng(6).standard_t(4, (WINDOW + 600, 20))
    scores = {(score.method, score.level): score for score in score_horizon(returns)}
    paths, root = (scores[f"filtered, {name}", 0.99] for name in ("paths", "√-scaled"))
    assert paths.shortfall_ratio == pytest.approx(1.0, abs=0.15)
    assert paths.mean_value_at_risk < root.mean_value_at_risk
    assert math.isnan(paths.independence_rejections)
    assert paths.breach_rate == pytest.approx(0.01, abs=0.006)
