"""Reference implementation of the metrics of one position with pandas and statsmodels.

Requires a history without gaps and bad ticks. Figures are named like those of riskmetrics, with the
family as prefix.
"""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.stats import norm
from statsmodels.regression.rolling import RollingOLS

from riskmetrics.metrics import har
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.reference_ols import statsmodels_ols
from riskmetrics.metrics.shrinkage import PRIOR_MEAN, PRIOR_SD
from riskmetrics.metrics.two_factor import TwoFactorOLS
from riskmetrics.metrics.volatility import (
    LOG_ERROR_MEAN,
    LOG_ERROR_SD,
    MIN_TREND_STRENGTH,
    MONTH,
    PERCENTILE_WINDOW,
    SESSIONS_PER_YEAR,
    WEEK,
)
from riskmetrics.results.betas import BETA_WINDOW
from riskmetrics.results.volatility_results import OOS_R_SQUARED_WINDOW, QUARTER

Figures = dict[str, FloatArray]
"""One value per session of the run, by family and name."""


def betas_by_fits(returns: FloatArray, market: FloatArray, rate: FloatArray) -> Figures:
    """Fit every window separately: on the market, on rates, and on both."""
    spans = [slice(last - BETA_WINDOW, last) for last in range(BETA_WINDOW, len(returns) + 1)]
    found: Figures = {}
    for family, index in (("market", market), ("rate", rate)):
        fits = [statsmodels_ols(returns[span], index[span]) for span in spans]
        found |= {
            f"{family}.{name}": np.array([getattr(fit, name) for fit in fits])
            for name in fits[0]._fields
        }
    beta, error = found["market.beta"], found["market.std_error"]
    found["adjusted.beta"] = (PRIOR_SD**2 * beta + error**2 * PRIOR_MEAN) / (PRIOR_SD**2 + error**2)
    found["adjusted.std_error"] = np.sqrt(1.0 / (1.0 / PRIOR_SD**2 + 1.0 / error**2))
    both, rows = np.column_stack([np.ones_like(market), market, rate]), []
    for span in spans:
        fit = sm.OLS(returns[span], both[span]).fit()
        rows.append(
            [*fit.params[1:], fit.params[0], fit.rsquared, *fit.bse[1:], *fit.pvalues[1:], fit.nobs]
        )
    return found | dict(
        zip([f"both.{name}" for name in TwoFactorOLS._fields], np.array(rows).T, strict=True)
    )


def betas_by_rolling(returns: FloatArray, market: FloatArray, rate: FloatArray) -> None:
    """Estimate the same betas with RollingOLS of statsmodels."""
    for index in (market, rate, np.column_stack([market, rate])):
        fit = RollingOLS(returns, sm.add_constant(index), window=BETA_WINDOW).fit()
        _ = fit.params, fit.rsquared, fit.bse, fit.pvalues  # lazy properties


def volatility_figures(
    adj_close: "pd.Series[float]",
    high: "pd.Series[float]",
    low: "pd.Series[float]",
    market: "pd.Series[float]",
) -> Figures:
    """Compute realized volatility, forecasts and their scores with pandas."""
    year, half, root = har.LEVEL_WINDOW, np.sqrt(np.pi / 2), np.sqrt(SESSIONS_PER_YEAR)
    returns, range_volatility = adj_close.pct_change(), np.log(high / low) / np.sqrt(4 * np.log(2))
    absolute, abs_market_return = half * returns.abs(), market.pct_change().abs()
    level, month = absolute.rolling(year).mean(), root * returns.rolling(MONTH).std()
    lags = [
        range_volatility,
        range_volatility.rolling(WEEK).mean(),
        range_volatility.rolling(MONTH).mean(),
    ]
    ratios = [lag / range_volatility.rolling(year).mean() for lag in lags] + [
        abs_market_return.rolling(MONTH).mean() / abs_market_return.rolling(year).mean()
    ]
    (constant, *weights), residual_variance = har.SHIPPED_COEFFICIENTS["range_market"]
    ratio = constant + sum(weight * of for weight, of in zip(weights, ratios, strict=True))
    expected = root * level * ratio.clip(har.MIN_RATIO, har.MAX_RATIO)
    probability = pd.Series(
        norm.cdf((np.log(expected / month) - LOG_ERROR_MEAN) / LOG_ERROR_SD), adj_close.index
    )
    strength = (2 * probability - 1).abs()
    forward_volatility = root * np.sqrt(
        (returns**2).rolling(FORECAST_HORIZON).mean().shift(-FORECAST_HORIZON)
    )
    error, of_month = (
        ((forward_volatility - of) ** 2).rolling(OOS_R_SQUARED_WINDOW).sum().shift(FORECAST_HORIZON)
        for of in (expected, month)
    )
    found = {
        "realized_21d": month,
        "realized_63d": root * returns.rolling(QUARTER).std(),
        "daily": root * absolute,
        "weekly": root * absolute.rolling(WEEK).mean(),
        "monthly": root * absolute.rolling(MONTH).mean(),
        "volatility_forecast": expected,
        "root_variance_forecast": expected * np.sqrt(1 + residual_variance),
        "low": expected * har.INTERVAL_MULTIPLIERS[0],
        "high": expected * har.INTERVAL_MULTIPLIERS[1],
        "rise_probability": probability,
        "strength": strength,
        "direction": np.sign(probability - 0.5).where(strength >= MIN_TREND_STRENGTH, 0.0),
        "percentile": (month.rolling(PERCENTILE_WINDOW + 1).rank() - 1) / PERCENTILE_WINDOW,
        **{
            f"ewma_{decay}": root * np.sqrt(_weighted_means(returns**2, decay / 100))
            for decay in (94, 97)
        },
        "oos_r_squared": 1 - error / of_month,
    }
    return {f"volatility.{name}": of.to_numpy() for name, of in found.items()}


def _weighted_means(squares: "pd.Series[float]", decay: float) -> "pd.Series[float]":
    """Return weighted means over one year, unlike `ewm`, which uses the whole history."""
    weights = decay ** np.arange(har.LEVEL_WINDOW)
    means = np.convolve(squares.iloc[1:], weights / weights.sum(), "valid")
    return pd.Series(means, squares.index[-len(means) :])
