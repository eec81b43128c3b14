"""Betas to one index, the market or interest rates, of symbols and of positions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.metrics.regression import OLS, rolling_ols
from riskmetrics.metrics.shrinkage import PRIOR_MEAN, PRIOR_SD, vasicek
from riskmetrics.metrics.windows import window_counts
from riskmetrics.results.lot_frames import NO_RETURN_SERIES, is_listed, open_positions, open_symbols
from riskmetrics.results.undefined_reasons import count_texts, undefined_rows

BETA_WINDOW = 90
"""Sessions in the window of a beta, stored as `window_days`."""

MIN_PAIRED_RETURNS = 60
"""Minimum number of paired returns for a beta."""

NO_PRICE_MOVEMENT = "the price did not move in the window"

METHOD = "OLS_SIMPLE"
"""Estimation method, stored as `method`: one regressor and an intercept, equal weights."""


@dataclass(frozen=True)
class BetaTable:
    """Table and columns in which regressions on an index are stored."""

    table: str
    day_column: str
    index_column: str
    """Column with the symbol of the index."""
    index_label: str
    """Name of the index in reasons."""
    statistic_columns: dict[str, str]
    """Column of each statistic of `OLS`."""
    constant_columns: dict[str, str]

    @property
    def metrics(self) -> list[str]:
        """Return 'table.column' of the statistics that may be undefined."""
        return [
            f"{self.table}.{column}"
            for name, column in self.statistic_columns.items()
            if name != "n_obs"
        ]


MARKET_BETA_TABLE = BetaTable(
    "position_market_betas",
    "calc_date",
    "market_index",
    "market index",
    {name: name for name in OLS._fields} | {"n_obs": "observations"},
    {"method": METHOD},
)
RATE_BETA_TABLE = BetaTable(
    "position_interest_rate_betas",
    "calculation_date",
    "rate_index",
    "rate index",
    MARKET_BETA_TABLE.statistic_columns | {"beta": "ir_beta"},
    {},
)


@dataclass(frozen=True)
class SymbolBetas:
    """Betas of symbols (S) on the sessions of a run (D), and the returns behind them.

    The returns have D + BETA_WINDOW - 1 rows.
    """

    ols: OLS
    returns: panels.Returns
    index_symbol: str

    @cached_property
    def is_index_missing(self) -> BoolArray:
        """Return whether the index has no return in the window of each session, (D,)."""
        return has_no_index_returns(self.returns, self.index_symbol)


def estimate_betas(returns: panels.Returns, index: str) -> SymbolBetas:
    """Regress every symbol on an index over the window that ends on each session.

    The first BETA_WINDOW - 1 sessions have no window. ``index`` is one of the symbols. Missing
    returns are left out pairwise; with fewer than MIN_PAIRED_RETURNS pairs the estimates are NaN.
    """
    regressor = returns.column(index)

    def fit(values: FloatArray, rows: slice, _: slice | IntArray) -> OLS:
        return rolling_ols(values, regressor[rows], window=BETA_WINDOW, min_obs=MIN_PAIRED_RETURNS)

    return SymbolBetas(
        point_in_time_estimates(fit, returns.values(), returns.unconfirmed, BETA_WINDOW),
        returns,
        index,
    )


def position_rows(
    betas: SymbolBetas, lots: pd.DataFrame, sessions: Sequence[date], beta_table: BetaTable
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per open position and day, and the reasons of undefined values.

    Parameters
    ----------
    betas : SymbolBetas
        Betas of the symbols of all listed lots; options and private holdings have no beta.
    lots : DataFrame
        Lots as read by `db.input_queries`.
    sessions : sequence of date
        Consecutive sessions.
    beta_table : BetaTable
        MARKET_BETA_TABLE or RATE_BETA_TABLE.

    Raises
    ------
    ValueError
        If ``betas`` do not have one window per day.
    """
    if len(betas.ols.beta) != len(sessions):
        raise ValueError(
            f"{len(sessions)} sessions need {len(sessions)} windows, not {len(betas.ols.beta)};"
            " pass consecutive sessions"
        )
    lot, day = open_positions(lots, sessions)
    column = betas.returns.frame.columns.get_indexer(pd.Index(lots["symbol"]))[lot]
    listed = is_listed(lots)[lot]
    statistics = {
        to: np.where(
            listed, getattr(betas.ols, name)[day, column], 0 if name == "n_obs" else np.nan
        )
        for name, to in beta_table.statistic_columns.items()
    }
    rows = pd.DataFrame(
        {
            "portfolio_id": lots["portfolio_id"].to_numpy()[lot],
            "position_id": lots["position_id"].to_numpy()[lot],
            beta_table.day_column: pd.to_datetime(list(sessions)).to_numpy()[day],
            **statistics,
            "window_days": BETA_WINDOW,
            beta_table.index_column: betas.index_symbol,
            **beta_table.constant_columns,
        }
    )
    reasons = _reasons(rows, listed, betas.is_index_missing[day], beta_table)
    counted = np.where(listed, rows["observations"], np.nan)  # nothing, without a series
    return rows, undefined_rows(
        rows,
        beta_table.table,
        reasons,
        subject="position_id",
        day=beta_table.day_column,
        n_obs=dict.fromkeys(reasons, counted),
    )


def has_no_index_returns(returns: panels.Returns, index: str) -> BoolArray:
    """Return whether an index has no return in the window that ends on each session, (D,).

    The first BETA_WINDOW - 1 sessions have no window.
    """
    is_missing: BoolArray = (
        window_counts(np.isfinite(returns.column(index))[:, np.newaxis], BETA_WINDOW)[:, 0] == 0
    )
    return is_missing


def missing_index_reason(index: str) -> str:
    """Return the reason of undefined betas to an index without returns."""
    return (
        f"no returns of {index} in the trailing {BETA_WINDOW} sessions: import its prices, or set"
        " another index"
    )


def undefined_beta_reasons(
    observations: "pd.Series[int]", index_label: str, window: int = BETA_WINDOW
) -> "pd.Series[str]":
    """Return the reasons of undefined regressions on an index that has returns."""
    too_few = count_texts(
        observations,
        f" paired returns in the trailing {window} sessions; {MIN_PAIRED_RETURNS} required",
    )
    return too_few.where(
        observations < MIN_PAIRED_RETURNS, f"the {index_label} did not move in the window"
    )


def adjusted_beta_rows(
    betas: SymbolBetas, lots: pd.DataFrame, sessions: Sequence[date]
) -> pd.DataFrame:
    """Return rows of `symbol_adjusted_betas`, one per day and symbol held directly or by options.

    A row with an undefined beta has a reason.
    """
    symbols = betas.returns.frame.columns
    day, column = open_symbols(lots, sessions, symbols)
    ols = OLS._make(values[day, column] for values in betas.ols)
    adjusted = vasicek(ols.beta, np.where(np.isnan(ols.r_squared), np.nan, ols.std_error))
    missing = np.flatnonzero(np.isnan(adjusted.beta))
    reasons = undefined_beta_reasons(
        pd.Series(ols.n_obs[missing], index=missing), MARKET_BETA_TABLE.index_label
    ).where(np.isnan(ols.beta[missing]), NO_PRICE_MOVEMENT)
    return pd.DataFrame(
        {
            "symbol": symbols[column],
            "day": pd.to_datetime(list(sessions)).to_numpy()[day],
            **adjusted._asdict(),
            "prior_mean": PRIOR_MEAN,
            "prior_std": PRIOR_SD,
            "market_index": betas.index_symbol,
            "undefined_reason": reasons.reindex(range(len(day))),
        }
    )


def _reasons(
    rows: pd.DataFrame, listed: BoolArray, is_index_missing: BoolArray, beta_table: BetaTable
) -> "dict[str, pd.Series[str]]":
    """Return the reason of each missing column; where any is missing, R² is missing."""
    missing = rows["r_squared"].isna()
    undefined, listed = rows[missing], listed[missing]
    reasons = undefined_beta_reasons(undefined["observations"], beta_table.index_label).mask(
        is_index_missing[missing], missing_index_reason(str(rows[beta_table.index_column].max()))
    )
    reasons = reasons.where(listed, NO_RETURN_SERIES)
    flat = reasons.where(undefined[beta_table.statistic_columns["beta"]].isna(), NO_PRICE_MOVEMENT)
    return {
        column: flat if name in ("r_squared", "p_value") else reasons
        for name, column in beta_table.statistic_columns.items()
        if name != "n_obs"
    }
