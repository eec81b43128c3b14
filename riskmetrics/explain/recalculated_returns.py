"""Recalculated distribution of pro-forma returns, time under water, and alpha."""

import math
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.catalog import figures_of
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row, first_and_last_day
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW


def _recompute_distribution(sources: SourceRows, _: Row) -> Recalculation:
    from scipy import stats  # slow to import

    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    r = own.dropna().to_numpy(float)
    values = _undefined("portfolio_return_distribution", len(r))
    if len(r) >= MIN_YEAR_OBS:
        gains, losses = r[r > 0], -r[r < 0]
        high, low = np.quantile(r, [0.95, 0.05]).tolist()
        signs = "".join("-" if each < 0 else "+" for each in r)
        values |= {
            "win_rate": len(gains) / len(r),
            "omega_ratio": gains.sum() / losses.sum() if len(losses) else math.nan,
            "tail_ratio": abs(high / low) if low else math.nan,
            "losing_streak": max(map(len, signs.split("+"))),
        }
        if len(gains) and len(losses):
            values["payoff_ratio"] = gains.mean() / losses.mean()
        if np.ptp(r) > 0:
            skewness, kurtosis = stats.skew(r, bias=False), stats.kurtosis(r, bias=False)
            ratio = r.mean() / r.std(ddof=1)
            spread = 1 - skewness * ratio + (kurtosis + 2) / 4 * ratio**2
            values |= {
                "skewness": skewness,
                "excess_kurtosis": kurtosis,
                "probabilistic_sharpe": stats.norm.cdf(ratio * math.sqrt((len(r) - 1) / spread)),
                "kelly_leverage": r.mean() / r.var(ddof=1),
            }
    return _explained(sources, values, own, len(r))


def _recompute_underwater(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    n_obs = int(own.count())
    values = _undefined("portfolio_underwater", n_obs)
    if n_obs >= MIN_YEAR_OBS:
        wealth = (1 + own.fillna(0.0)).clip(lower=0.0).cumprod()
        depth = 1 - wealth / wealth.cummax().clip(lower=1.0)
        ulcer = float(np.sqrt(np.mean(depth**2)))
        spells = (depth > 0).groupby((depth <= 0).cumsum()).sum()
        is_over = (spells > 0) & (spells.index != spells.index[-1])
        annual = float(wealth.iloc[-1]) ** (SESSIONS_PER_YEAR / n_obs) - 1
        values |= {
            "ulcer_index": ulcer,
            "average_drawdown": depth.mean(),
            "time_under_water": (depth > 0).mean(),
            "longest_drawdown": int((spells + is_over).max()),
            "martin_ratio": annual / ulcer if ulcer else math.nan,
        }
    return _explained(sources, values, own, n_obs)


def _recompute_alpha(sources: SourceRows, _: Row) -> Recalculation:
    from statsmodels.regression.linear_model import OLS  # slow to import
    from statsmodels.tools import add_constant

    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    index = sources.index_returns(sources.market, YEAR_WINDOW)
    paired = pd.concat([own, index], axis=1, keys=["own", "index"]).dropna()
    values = _undefined("portfolio_alpha", len(paired))
    if len(paired) >= MIN_YEAR_OBS and paired["index"].nunique() > 1:
        fit = OLS(paired["own"], add_constant(paired["index"])).fit()
        beta = float(fit.params["index"])
        growth = float(np.prod((1 + paired["own"].to_numpy(float)).clip(0.0)))
        annual = growth ** (SESSIONS_PER_YEAR / len(paired)) - 1
        values |= {
            "alpha": float(fit.params["const"]) * SESSIONS_PER_YEAR,
            "alpha_std_error": float(fit.bse["const"]) * SESSIONS_PER_YEAR,
            "year_beta": beta,
            "market_correlation": paired["own"].corr(paired["index"]),
            "treynor_ratio": annual / beta if beta else math.nan,
        }
    return _explained(sources, values, own, len(paired))


def _undefined(table: str, n_obs: int) -> dict[str, Any]:
    """Return the figures of a table without enough returns."""
    columns = [figure.column for figure in figures_of(table)]
    return dict.fromkeys(columns, math.nan) | {"observations": n_obs}


def _explained(
    sources: SourceRows, values: dict[str, Any], own: "pd.Series[float]", n_obs: int
) -> Recalculation:
    inputs = {"market index": sources.market, **delta_holdings(sources).weight_inputs()}
    return Recalculation(values, inputs, first_and_last_day(own), n_obs)


METRIC_GROUPS = [
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_return_distribution"],
        "numpy quantiles and sums, and moments of scipy.stats",
        _recompute_distribution,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_underwater"],
        "pandas cumprod and cummax",
        _recompute_underwater,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_alpha"],
        "statsmodels OLS of the portfolio's returns on the index",
        _recompute_alpha,
    ),
]
