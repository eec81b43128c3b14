"""Benchmark of covariances: what is planted is found."""

import numpy as np
import pytest

from benchmarks.covariance_skill import score_covariances
from benchmarks.forecast_models import random_weights


def test_recent_sessions_forecast_better_where_volatility_moves() -> None:
    rng = np.random.default_rng(5)
    volatility = 0.01 * np.exp(0.8 * np.sin(np.arange(900) / 90.0))[:, np.newaxis]
    common = rng.standard_normal((900, 1))
    returns = volatility * (common + rng.standard_normal((900, 12)))
    scores = score_covariances(returns, random_weights(12, 10))
    for name in ("exponentially weighted", "exponentially weighted, shrunk"):
        assert scores[name].ratio < 0.8
        assert scores[name].t < -2
    assert scores["equal weights"].ratio == 1


def test_the_variance_of_white_noise_is_forecast_without_bias() -> None:
    returns = 0.01 * np.random.default_rng(6).standard_normal((900, 12))
    for score in score_covariances(returns, random_weights(12, 10)).values():
        assert score.bias == pytest.approx(0, abs=0.05)
