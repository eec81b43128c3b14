"""Series of pro-forma returns: today's holdings applied to the sessions before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.inputs.snapshot import Snapshot, SnapshotTerms
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.minimums import divide_by_risk
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.tail_risk import VAR_WINDOW, historical_risk
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR, realized_volatility
from riskmetrics.metrics.windows import window_means
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.results.exposures import symbol_sectors
from riskmetrics.results.position_values import position_values
from riskmetrics.results.pro_forma import pro_forma_windows
from riskmetrics.results.tail_risk_results import MIN_OBS_BY_LEVEL, TAIL_RISK_WINDOW

ROLLING_WINDOW, MIN_ROLLING_OBS = 126, 63
"""Sessions of rolling Sharpe ratios and volatilities, and the minimum number of returns in them."""

VAR_LEVEL = 0.95
"""Level of the value at risk that daily returns are compared with."""


@dataclass(frozen=True)
class ProForma:
    """Returns of one portfolio's holdings of a session over the sessions that end on it."""

    days: pd.DatetimeIndex
    """Sessions of the returns, (T,)."""
    returns: FloatArray
    """Simple returns, (T,); NaN where too little of gross exposure has one."""
    market: FloatArray
    """Returns of the market index, (T,)."""

    def frame(self, n_sessions: int) -> pd.DataFrame:
        """Return day, portfolio and market of the last sessions: simple returns."""
        rows = pd.DataFrame({"day": self.days, "portfolio": self.returns, "market": self.market})
        return rows.iloc[-n_sessions:].reset_index(drop=True)

    def rolling_figures(self, n_sessions: int) -> pd.DataFrame:
        """Return day, volatility, market_volatility and sharpe_ratio of `ROLLING_WINDOW`."""
        both = np.column_stack([self.returns, self.market])
        risk, _ = realized_volatility(both, window=ROLLING_WINDOW, min_obs=MIN_ROLLING_OBS)
        mean = window_means(both, ROLLING_WINDOW, min_obs=MIN_ROLLING_OBS).mean
        sharpe = divide_by_risk(mean * SESSIONS_PER_YEAR, risk)
        rows = pd.DataFrame(
            {
                "day": self.days[ROLLING_WINDOW - 1 :],
                "volatility": risk[:, 0],
                "market_volatility": risk[:, 1],
                "sharpe_ratio": sharpe[:, 0],
            }
        )
        return rows.iloc[-n_sessions:].reset_index(drop=True)

    def rolling_beta(self, n_sessions: int) -> pd.DataFrame:
        """Return day, beta and std_error of the regression on the market index."""
        fit = rolling_ols(
            self.returns[:, np.newaxis],
            self.market,
            window=BETA_WINDOW,
            min_obs=MIN_PAIRED_RETURNS,
        )
        days = self.days[BETA_WINDOW - 1 :]
        rows = pd.DataFrame({"day": days, "beta": fit.beta[:, 0], "std_error": fit.std_error[:, 0]})
        return rows.iloc[-n_sessions:].reset_index(drop=True)

    def value_at_risk(self, n_sessions: int) -> pd.DataFrame:
        """Return day, portfolio (return), value_at_risk of the window before, and is_exception.

        An exception is a loss beyond the value at risk, as `portfolio_var_backtests` counts it.
        """
        n_days = min(n_sessions, len(self.returns) - VAR_WINDOW)
        windows = np.lib.stride_tricks.sliding_window_view(
            self.returns[-VAR_WINDOW - n_days :], VAR_WINDOW
        )
        risk = historical_risk(
            windows[:-1].T, level=VAR_LEVEL, min_obs=MIN_OBS_BY_LEVEL[VAR_LEVEL]
        ).value_at_risk
        rows = self.frame(n_days)[["day", "portfolio"]]
        return rows.assign(value_at_risk=risk, is_exception=-rows["portfolio"] > risk)


@dataclass(frozen=True)
class BookInputs:
    """What charts and tables need of the stored inputs on one session."""

    positions: pd.DataFrame
    """Rows of `position_values`, with the sector or, of a fund, the class."""
    series: dict[str, ProForma]
    """Name of the portfolio to its pro-forma returns; without one none is known."""
    market_index: str


def read_book_inputs(
    connection: sa.Connection,
    terms: SnapshotTerms,
    day: date,
    portfolios: Collection[str] | None = None,
) -> BookInputs:
    """Value positions and apply the holdings of a session to the sessions before.

    Parameters
    ----------
    connection : Connection
        In a transaction that only reads.
    terms : SnapshotTerms
        The settings of the run.
    day : date
        Exchange session.
    portfolios : collection of str, optional
        Names of the portfolios whose series are built. Default: all.
    """
    snapshot = Snapshot(connection, terms)
    inputs = RunInputs(snapshot, [day])
    valuation = inputs.option_adjusted_valuation
    positions = _value_positions(inputs)
    symbols = positions["underlying"].dropna().unique().tolist()
    sectors = dict(zip(symbols, symbol_sectors(symbols, inputs.profiles), strict=True))
    positions["sector"] = positions["underlying"].map(sectors)
    returns = inputs.clean_returns(TAIL_RISK_WINDOW)
    market = returns.column(snapshot.market_index)
    (window,) = pro_forma_windows(valuation, returns, TAIL_RISK_WINDOW)
    days = pd.DatetimeIndex(window.sessions[1:])
    names = valuation.portfolios["name"]
    series = {
        name: ProForma(days, window.series[:, column], market)
        for column, name in enumerate(names)
        if (portfolios is None or name in portfolios)
        and np.isfinite(window.series[:, column]).any()
    }
    return BookInputs(positions, series, snapshot.market_index)


def read_positions(connection: sa.Connection, terms: SnapshotTerms, day: date) -> pd.DataFrame:
    """Return rows of `position_values` of all portfolios on a session."""
    return _value_positions(RunInputs(Snapshot(connection, terms), [day]))


def _value_positions(inputs: RunInputs) -> pd.DataFrame:
    snapshot = inputs.snapshot
    return position_values(
        inputs.option_adjusted_valuation,
        snapshot.lots,
        snapshot.cash_anchors,
        inputs.read_market_data(),
    )
