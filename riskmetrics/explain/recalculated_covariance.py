"""Recalculated exponentially weighted covariance of holdings, by numpy and pandas."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.decayed_covariance import COVARIANCE_HALF_LIFE
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW


class Covariance(NamedTuple):
    """Annualized exponentially weighted, shrunk covariance of the holdings of a portfolio."""

    weights: "pd.Series[float]"
    """Weight of each symbol in equity."""
    matrix: pd.DataFrame
    shrinkage: float
    effective_observations: float
    n_obs: int

    @property
    def volatility(self) -> float:
        """Return the volatility of the portfolio; NaN with too few observations."""
        if self.n_obs < MIN_YEAR_OBS:
            return math.nan
        weights = self.weights.to_numpy(float)
        return math.sqrt(max(float(weights @ self.matrix.to_numpy(float) @ weights), 0.0))

    def marginal_contribution(self, symbol: str) -> float:
        """Return the marginal contribution of a symbol; NaN if it is undefined."""
        if symbol not in self.matrix or not self.volatility > 0:
            return math.nan
        row = self.matrix.loc[symbol].to_numpy(float)
        return float(row @ self.weights.to_numpy(float)) / self.volatility


@compute_once
def decayed_covariance(sources: SourceRows) -> Covariance:
    """Return the exponentially weighted covariance of the day's holdings."""
    weights = delta_holdings(sources).symbol_weights.dropna()
    own = pro_forma_returns(sources, YEAR_WINDOW)
    counted = own["return"].notna()
    n_obs = int(counted.sum())
    if n_obs < MIN_YEAR_OBS or weights.empty:
        empty = pd.DataFrame(math.nan, weights.index, weights.index)
        return Covariance(weights, empty, math.nan, math.nan, n_obs)
    returns = sources.returns({*weights.index, sources.market}, YEAR_WINDOW)[list(weights.index)]
    parts = returns.div(own["coverage"], axis=0)[counted].fillna(0.0).to_numpy()
    decay = (2.0 ** (-np.arange(YEAR_WINDOW)[::-1] / COVARIANCE_HALF_LIFE))[counted.to_numpy()]
    sample = np.atleast_2d(np.cov(parts.T, aweights=decay, ddof=0))
    scaled = parts - np.average(parts, axis=0, weights=decay)
    scaled *= np.sqrt(n_obs * decay / decay.sum())[:, np.newaxis]
    target, shrinkage = _shrink(sample, scaled)
    matrix = (1.0 - shrinkage) * sample + shrinkage * target
    known = returns.notna()[counted].any().to_numpy()
    frame = pd.DataFrame(matrix * SESSIONS_PER_YEAR, weights.index, weights.index)
    frame = frame.loc[known, known]
    effective = float(decay.sum() ** 2 / (decay**2).sum())
    return Covariance(weights[known], frame, shrinkage, effective, n_obs)


def _shrink(sample: "np.ndarray[Any, Any]", scaled: "np.ndarray[Any, Any]") -> tuple[Any, float]:
    """Return the target of constant correlation and the intensity, from matrices of the paper."""
    n_obs, deviation = len(scaled), np.sqrt(np.diag(sample))
    moving = deviation > 0
    if moving.sum() < 3:
        return sample, 0.0
    s, d, x = sample[np.ix_(moving, moving)], deviation[moving], scaled[:, moving]
    off_diagonal = ~np.eye(len(d), dtype=bool)
    mean = (s / np.outer(d, d))[off_diagonal].mean()
    target = np.outer(deviation, deviation) * mean
    np.fill_diagonal(target, np.diag(sample))
    pi = (x**2).T @ x**2 / n_obs - s**2
    theta = (x**3).T @ x / n_obs - np.diag(s)[:, np.newaxis] * s
    rho = np.trace(pi) + mean * (np.outer(1.0 / d, d) * theta)[off_diagonal].sum()
    gamma = ((s - target[np.ix_(moving, moving)]) ** 2).sum()
    return target, float(np.clip((pi.sum() - rho) / gamma / n_obs, 0.0, 1.0))
