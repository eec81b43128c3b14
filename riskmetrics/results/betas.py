"""Market betas: of symbols, and of the positions that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray
from riskmetrics.metrics.regression import OLS, rolling_ols
from riskmetrics.results.valuation import is_listed, open_positions

WINDOW = 90
"""Returns in the window of a beta, in sessions, stored as `window_days`."""

MIN_PAIRS = 60
"""Paired returns below which a beta is not estimated."""

METHOD = "OLS_SIMPLE"
"""One regressor and an intercept, equal weights, stored as `method`."""

METRICS = [f"position_market_betas.{name}" for name in ("beta", "alpha", "r_squared", "std_error", "p_value")]


@dataclass(frozen=True)
class SymbolBetas:
    """Betas of symbols (S) on the sessions of a run (D), and the returns they come from (D + WINDOW - 1 rows)."""

    ols: OLS
    returns: pd.DataFrame
    market: str


def estimate(closes: pd.DataFrame, days: Sequence[date], market: str) -> SymbolBetas:
    """Estimate the market beta of every symbol over the window that ends on each of ``days``.

    Parameters
    ----------
    closes : DataFrame
        Adjusted closes, sessions x symbols: WINDOW sessions before the first of ``days`` to the last.
    days : sequence of date
        Consecutive sessions.

    Raises
    ------
    MissingPrices
        If the market index has no close on one of ``days``; inside a window its gaps are left out pairwise.
    ValueError
        If ``closes`` are not those of the windows that end on ``days``.
    """
    if len(closes) != WINDOW + len(days):
        raise ValueError(f"{len(days)} windows of {WINDOW} returns need {WINDOW + len(days)} sessions of closes, not {len(closes)}")
    panels.require(closes, days, market)
    returns = panels.simple_returns(closes)
    ols = rolling_ols(returns.to_numpy(), returns[market].to_numpy(), window=WINDOW, min_obs=MIN_PAIRS)
    return SymbolBetas(ols, returns, market)


def position_rows(betas: SymbolBetas, lots: pd.DataFrame, days: Sequence[date]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per open position and day for `position_market_betas`, and the reasons of what is undefined in it."""
    lot, day = open_positions(lots, days)
    column = betas.returns.columns.get_indexer(pd.Index(lots["symbol"]))[lot]
    listed = is_listed(lots)[lot]
    statistics = {name: np.where(listed, getattr(betas.ols, name)[day, column], np.nan) for name in OLS._fields if name != "n_obs"}
    rows = pd.DataFrame(
        {
            "portfolio_id": lots["portfolio_id"].to_numpy()[lot],
            "position_id": lots["position_id"].to_numpy()[lot],
            "calc_date": pd.to_datetime(list(days)).to_numpy()[day],
            **statistics,
            "observations": np.where(listed, betas.ols.n_obs[day, column], 0),
            "window_days": WINDOW,
            "method": METHOD,
            "market_index": betas.market,
        }
    )
    undefined = panels.undefined_rows(rows, "position_market_betas", _reasons(rows, listed), subject="position_id", day="calc_date")
    return rows, undefined


def _reasons(rows: pd.DataFrame, listed: BoolArray) -> "dict[str, pd.Series[str]]":
    """Why a column is missing, on the rows on which one is: R² is missing wherever another is."""
    missing = rows["r_squared"].isna()
    of, listed = rows[missing], listed[missing]
    too_few = of["observations"].astype("str") + f" paired returns in the {WINDOW} sessions to the day; {MIN_PAIRS} are needed"
    why = too_few.where(of["observations"] < MIN_PAIRS, "the market index did not move in the window")
    why = why.where(listed, "an option or a private holding has no return series of its own")
    flat = why.where(of["beta"].isna(), "the price did not move in the window")
    return {"beta": why, "alpha": why, "std_error": why, "r_squared": flat, "p_value": flat}
