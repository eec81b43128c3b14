"""Data of a portfolio for tests of charts, simulated."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.charts.portfolio_data import PortfolioData
from riskmetrics.charts.pro_forma_data import ProForma

DAY = date(2022, 12, 28)
N_SESSIONS = 60


def sessions(count: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(trading_calendar.sessions_with_lookback([DAY], count - 1))


def pro_forma(n_returns: int = 756) -> ProForma:
    rng = np.random.default_rng(7)
    market = 0.01 * rng.standard_normal(n_returns)
    own = 1.2 * market + 0.005 * rng.standard_normal(n_returns)
    return ProForma(sessions(n_returns), own, market)


def portfolio_data(**changed: object) -> PortfolioData:
    """Return data with which every chart has something to show."""
    days = sessions(N_SESSIONS)
    rng = np.random.default_rng(8)
    steps = rng.standard_normal(N_SESSIONS)
    volatility = 0.2 + 0.01 * steps
    history = pd.DataFrame(
        {
            "day": days,
            "total_value": 1e5 + 100 * steps.cumsum(),
            "daily_pnl": 100 * steps,
            "daily_return": 0.001 * steps,
            "cumulative_pnl": 100 * steps.cumsum(),
            "realized_volatility_21d": volatility,
            "effective_num_positions": 3.0,
            "beta": 1.1,
            "std_error": 0.1,
        }
    )
    forecasts = pd.DataFrame(
        {
            "day": days,
            "volatility_forecast": volatility,
            "low": volatility - 0.05,
            "high": volatility + 0.05,
            "in_sample": True,
            "realized": np.where(
                np.arange(N_SESSIONS) < N_SESSIONS - 21, volatility + 0.06, np.nan
            ),
        }
    )
    sectors = pd.DataFrame(
        {
            "day": days[[0, 0, -1, -1]],
            "sector": ["Energy", "Financials"] * 2,
            "net_weight": [0.6, 0.4, 0.5, 0.5],
            "benchmark_weight": [0.1, 0.2, 0.1, 0.2],
            "active_weight": [0.5, 0.2, 0.4, 0.3],
        }
    )
    trades = pd.DataFrame(
        {"day": days[[5, 5]], "symbol": ["A<b>", "B"], "action": ["opened", "closed"]}
    )
    contributions = pd.DataFrame(
        {"symbol": ["A<b>", "B", "C"], "weight": [0.5, 0.3, -0.1], "share": [0.7, 0.4, -0.1]}
    )
    stress = pd.DataFrame({"scenario": ["fall", "rise", "1929"], "loss": [0.3, -0.1, np.nan]})
    correlations = pd.DataFrame(
        {
            "symbol_a": ["A<b>", "A<b>", "B"],
            "symbol_b": ["B", "C", "C"],
            "correlation": [0.5, -0.25, np.nan],
        }
    )
    factors = pd.DataFrame(
        {
            "factor": ["market", "value", "size"],
            "exposure": [1.1, -0.2, np.nan],
            "std_error": [0.05, 0.1, np.nan],
        }
    )
    positions = pd.DataFrame(
        {"underlying": ["A<b>", "B", "C", None], "daily_pnl": [5.0, -7.0, 0.0, np.nan]}
    )
    data = PortfolioData(
        "Growth",
        "USD",
        DAY,
        N_SESSIONS,
        history,
        forecasts,
        sectors,
        trades,
        contributions,
        stress,
        correlations,
        factors,
        positions,
        pro_forma(),
        "SPY",
    )
    return replace(data, **changed)
