"""Recalculated statistics of pro-forma returns, by other means than their functions."""

import math
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.catalog import Statistic, all_statistics
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculated_betas import fit_ols
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row, first_and_last_day
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.active_risk import HALF_LIFE, ROUNDING
from riskmetrics.metrics.decayed_beta import Z_95
from riskmetrics.metrics.minimums import MIN_RISK, MIN_SESSION_RISK
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR

Returns: TypeAlias = "pd.Series[float]"
"""Returns by session of the window; NaN where one is missing."""

Formula = Callable[..., Mapping[str, Any]]
"""Function of the portfolio's returns and, if the statistic uses them, of those of the index.

The portfolio's returns are then NaN where the index has none. It returns figures by column; those
that it leaves out are undefined.
"""


def _recalculate(
    statistic: Statistic, formula: Formula, sources: SourceRows, _: Row
) -> Recalculation:
    """Recalculate the figures of a statistic, which need a minimum number of returns."""
    own, inputs = pro_forma_returns(sources, statistic.sessions)["return"], dict[str, Any]()
    window, series = first_and_last_day(own), [own]
    if statistic.uses_market:
        index = sources.index_returns(sources.market, statistic.sessions)
        series = [own.where(index.notna()), index]
        inputs["market index"] = sources.market
    n_obs = int(series[0].count())
    values = dict.fromkeys((figure.column for figure in statistic.figures), math.nan)
    if n_obs >= statistic.min_obs:
        values |= formula(*series)
    inputs |= delta_holdings(sources).weight_inputs()
    return Recalculation(values | {"observations": n_obs}, inputs, window, n_obs)


def _growth(returns: Returns) -> float:
    """Return the product of 1 + r, which a loss of more than everything ends at 0."""
    return float(np.prod((1 + returns.dropna().to_numpy(float)).clip(0.0)))


def _annual_return(returns: Returns) -> float:
    return float(_growth(returns) ** (SESSIONS_PER_YEAR / returns.count()) - 1)


def _divide(value: float, risk: float, minimum: float = MIN_RISK) -> float:
    """Return the quotient; NaN if the amount of risk is missing or below a minimum."""
    return value / risk if abs(risk) >= minimum else math.nan


def _depth(returns: Returns) -> Returns:
    """Return how far the wealth is below its maximum so far, from the close before on."""
    wealth = (1 + returns.fillna(0.0)).clip(lower=0.0).cumprod()
    return 1 - wealth / wealth.cummax().clip(lower=1.0)


def _drawdowns(own: Returns) -> dict[str, Any]:
    closes = trading_calendar.sessions_with_lookback([own.index[-1].date()], len(own))
    wealth = pd.Series(
        np.append(1.0, (1 + own.fillna(0.0)).clip(lower=0.0).cumprod()), pd.DatetimeIndex(closes)
    )
    depth = 1 - wealth / wealth.cummax()
    trough = pd.Timestamp(str(depth.idxmax()))
    values = {
        "current_drawdown": float(depth.iloc[-1]),
        "current_drawdown_peak": _peak_day(wealth),
        "max_drawdown": float(depth.max()),
    }
    if depth.max() > 0:
        values |= {
            "max_drawdown_peak": _peak_day(wealth[:trough]),
            "max_drawdown_trough": trough.date(),
        }
    return values


def _peak_day(wealth: Returns) -> date:
    return pd.Timestamp(str(wealth.idxmax())).date()


def _market_regression(own: Returns, market: Returns) -> dict[str, Any]:
    fit = fit_ols(own, market)
    (beta,), (std_error,), n_obs = fit["beta"], fit["std_error"], fit["observations"]
    residuals = (own - fit["alpha"] - beta * market).dropna()
    variance = SESSIONS_PER_YEAR * float((residuals**2).sum()) / (n_obs - 2)
    return {
        "beta": beta,
        "std_error": std_error,
        "r_squared": fit["r_squared"],
        "specific_volatility": math.sqrt(variance) if math.isfinite(beta) else math.nan,
    }


def active_returns(own: Returns, market: Returns) -> Returns:
    """Return the differences; those that are rounding errors of equal returns are 0."""
    active = own - market
    return active.mask(active.abs() <= ROUNDING * market.abs(), 0.0)


def _active_risk(own: Returns, market: Returns) -> dict[str, Any]:
    active = active_returns(own, market)
    risk = float(active.std()) * math.sqrt(SESSIONS_PER_YEAR)
    mean = float(active.mean()) * SESSIONS_PER_YEAR
    ratio = mean / risk if risk else math.nan
    return {"tracking_error": risk, "active_return": mean, "information_ratio": ratio}


def expected_active_risk(own: Returns, market: Returns) -> dict[str, Any]:
    """Return the figures that are expected of the differences from the market index."""
    frame = pd.DataFrame(
        {"active": active_returns(own, market), "market": market.where(own.notna())}
    )
    moments = frame.ewm(halflife=HALF_LIFE).cov().loc[frame.index[-1]]
    variance, index = moments.loc["active", "active"], moments.loc["market", "market"]
    beta = moments.loc["active", "market"] / index
    return {
        "expected_tracking_error": math.sqrt(SESSIONS_PER_YEAR * max(variance, 0.0)),
        "active_beta": beta,
        "market_share": beta**2 * index / variance if variance > 0 else math.nan,
    }


def _performance(own: Returns, market: Returns) -> dict[str, Any]:
    annual, worst = _annual_return(own), float(_depth(own).max())
    spreads = float(own.std()), float(np.sqrt((own.clip(upper=0) ** 2).mean()))
    mean, year = float(own.mean()) * SESSIONS_PER_YEAR, math.sqrt(SESSIONS_PER_YEAR)
    sharpe, sortino = (_divide(mean, spread * year) for spread in spreads)
    captures = []
    for is_counted in (own.notna() & (market > 0), own.notna() & (market < 0)):
        rows = is_counted.sum()
        gained, index = (
            _growth(returns[is_counted]) ** (1 / rows) - 1 if rows else math.nan
            for returns in (own, market)
        )
        captures.append(_divide(gained, index, MIN_SESSION_RISK))
    return {
        "annual_return": annual,
        "sharpe_ratio": sharpe,
        "sortino_ratio": sortino,
        "calmar_ratio": _divide(annual, worst),
        "up_capture": captures[0],
        "down_capture": captures[1],
    }


def _return_distribution(own: Returns) -> dict[str, Any]:
    from scipy import stats  # slow to import

    r = own.dropna().to_numpy(float)
    gains, losses = r[r > 0], -r[r < 0]
    high, low = np.quantile(r, [0.95, 0.05]).tolist()
    signs = "".join("-" if each < 0 else "+" for each in r)
    values = {
        "win_rate": len(gains) / len(r),
        "omega_ratio": _divide(gains.sum(), losses.sum()),
        "tail_ratio": abs(_divide(high, low, MIN_SESSION_RISK)),
        "losing_streak": max(map(len, signs.split("+"))),
    }
    if len(gains) and len(losses):
        values["payoff_ratio"] = _divide(gains.mean(), losses.mean(), MIN_SESSION_RISK)
    if np.ptp(r) > 0:
        skewness, kurtosis = stats.skew(r, bias=False), stats.kurtosis(r, bias=False)
        ratio = r.mean() / r.std(ddof=1)
        spread = 1 - skewness * ratio + (kurtosis + 2) / 4 * ratio**2
        values |= {
            "skewness": skewness,
            "excess_kurtosis": kurtosis,
            "probabilistic_sharpe": stats.norm.cdf(ratio * math.sqrt((len(r) - 1) / spread)),
            "kelly_leverage": _divide(r.mean(), r.var(ddof=1), MIN_SESSION_RISK**2),
        }
    return values


def _recalculate_underwater(own: Returns) -> dict[str, Any]:
    depth = _depth(own)
    counted = depth[own.notna()]
    ulcer = float(np.sqrt(np.mean(counted**2)))
    spells = (depth > 0).groupby((depth <= 0).cumsum()).sum()
    is_over = (spells > 0) & (spells.index != spells.index[-1])
    return {
        "ulcer_index": ulcer,
        "average_drawdown": counted.mean(),
        "time_under_water": (counted > 0).mean(),
        "longest_drawdown": int((spells + is_over).max()),
        "martin_ratio": _divide(_annual_return(own), ulcer),
    }


def _alpha(own: Returns, market: Returns) -> dict[str, Any]:
    from statsmodels.regression.linear_model import OLS  # slow to import
    from statsmodels.tools import add_constant

    paired = pd.concat([own, market], axis=1, keys=["own", "index"]).dropna()
    if paired["index"].nunique() == 1:
        return {}
    fit = OLS(paired["own"], add_constant(paired["index"])).fit()
    beta = float(fit.params["index"])
    return {
        "alpha": float(fit.params["const"]) * SESSIONS_PER_YEAR,
        "alpha_std_error": float(fit.bse["const"]) * SESSIONS_PER_YEAR,
        "year_beta": beta,
        "market_correlation": paired["own"].corr(paired["index"]),
        "treynor_ratio": _annual_return(own) / beta
        if abs(beta) > Z_95 * float(fit.bse["index"])
        else math.nan,
    }


_OLS = "statsmodels OLS of the portfolio's returns on the index"
_FORMULAS: dict[str, tuple[str, Formula]] = {
    "portfolio_drawdowns": ("pandas cumprod and cummax", _drawdowns),
    "portfolio_market_regressions": (_OLS, _market_regression),
    "portfolio_active_risk": (
        "pandas mean and standard deviation of the differences", _active_risk
    ),
    "portfolio_expected_active_risk": (
        "pandas exponentially weighted covariance", expected_active_risk
    ),
    "portfolio_performance": ("products of numpy, and sample moments of pandas", _performance),
    "portfolio_return_distribution": (
        "numpy quantiles and sums, and moments of scipy.stats", _return_distribution
    ),
    "portfolio_underwater": ("pandas cumprod and cummax", _recalculate_underwater),
    "portfolio_alpha": (_OLS, _alpha),
}  # fmt: skip

METRIC_GROUPS = [
    MetricGroup(
        tables.STATISTIC_TABLES[statistic.table], method, partial(_recalculate, statistic, formula)
    )
    for statistic in all_statistics()
    if statistic.table in _FORMULAS
    for method, formula in [_FORMULAS[statistic.table]]
]
