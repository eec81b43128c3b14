"""Betas to one index, the market or interest rates: of symbols, and of the positions that hold them."""

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

BETA_WINDOW = 90
"""Returns in the window of a beta, in sessions, stored as `window_days`."""

MIN_PAIRED_RETURNS = 60
"""Paired returns below which a beta is not estimated."""

NO_PRICE_MOVEMENT = "the price did not move in the window"

METHOD = "OLS_SIMPLE"
"""One regressor and an intercept, equal weights, stored as `method`."""


@dataclass(frozen=True)
class BetaTable:
    """Where regressions on an index are stored."""

    table: str
    day_column: str
    index_column: str
    """Column that names the index."""
    index_label: str
    """What the index is called in a reason."""
    statistic_columns: dict[str, str]
    """Column of each statistic of `OLS`."""
    constant_columns: dict[str, str]

    @property
    def metrics(self) -> list[str]:
        """'table.column' of all that may be undefined."""
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
    """Betas of symbols (S) on the sessions of a run (D), and the returns they come from (D + WINDOW - 1 rows)."""

    ols: OLS
    returns: panels.Returns
    index_symbol: str

    @cached_property
    def is_index_missing(self) -> BoolArray:
        """Whether the index has no return in the whole window of each session, (D,)."""
        return has_no_index_returns(self.returns, self.index_symbol)


def estimate_betas(returns: panels.Returns, index: str) -> SymbolBetas:
    """Regress every symbol on an index, one of them, over the window that ends on each session but the first WINDOW - 1.

    Gaps of either are left out pairwise; of fewer than MIN_PAIRED_RETURNS pairs nothing is
    estimated.
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
    betas: SymbolBetas, lots: pd.DataFrame, days: Sequence[date], beta_table: BetaTable
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per open position and day, and the reasons of what is undefined in it.

    Parameters
    ----------
    betas : SymbolBetas
        Of the symbols of all listed lots; options and private holdings have no beta.
    lots : DataFrame
        As `db.input_queries` gives them.
    days : sequence of date
        Consecutive sessions.
    stored : Stored
        MARKET or RATES.

    Raises
    ------
    ValueError
        If ``betas`` are not those of the windows that end on ``days``.
    """
    if len(betas.ols.beta) != len(days):
        raise ValueError(
            f"{len(days)} days need {len(days)} windows, not {len(betas.ols.beta)}: pass"
            " consecutive sessions"
        )
    lot, day = open_positions(lots, days)
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
            beta_table.day_column: pd.to_datetime(list(days)).to_numpy()[day],
            **statistics,
            "window_days": BETA_WINDOW,
            beta_table.index_column: betas.index_symbol,
            **beta_table.constant_columns,
        }
    )
    why = _reasons(rows, listed, betas.is_index_missing[day], beta_table)
    return rows, panels.undefined_rows(
        rows, beta_table.table, why, subject="position_id", day=beta_table.day_column
    )


def has_no_index_returns(returns: panels.Returns, index: str) -> BoolArray:
    """Whether an index has no return in the window that ends on each session but the first WINDOW - 1, (D,)."""
    is_missing: BoolArray = (
        window_counts(np.isfinite(returns.column(index))[:, np.newaxis], BETA_WINDOW)[:, 0] == 0
    )
    return is_missing


def missing_index_reason(index: str) -> str:
    """Why nothing has a beta to an index that is absent."""
    return (
        f"no returns of {index} in the trailing {BETA_WINDOW} sessions: import its prices, or set"
        " another index"
    )


def undefined_beta_reasons(observations: "pd.Series[int]", index_label: str) -> "pd.Series[str]":
    """Why a regression on an index that is not absent has no result."""
    too_few = (
        observations.astype("str")
        + f" paired returns in the trailing {BETA_WINDOW} sessions; {MIN_PAIRED_RETURNS} required"
    )
    return too_few.where(
        observations < MIN_PAIRED_RETURNS, f"the {index_label} did not move in the window"
    )


def adjusted_beta_rows(
    betas: SymbolBetas, lots: pd.DataFrame, days: Sequence[date]
) -> pd.DataFrame:
    """Return rows of `symbol_adjusted_betas`: one per symbol and day on which it, or an option on it, is held.

    A row whose beta is undefined says why.
    """
    symbols = betas.returns.frame.columns
    day, column = open_symbols(lots, days, symbols)
    ols = OLS._make(values[day, column] for values in betas.ols)
    adjusted = vasicek(ols.beta, np.where(np.isnan(ols.r_squared), np.nan, ols.std_error))
    missing = np.flatnonzero(np.isnan(adjusted.beta))
    why = undefined_beta_reasons(
        pd.Series(ols.n_obs[missing], index=missing), MARKET_BETA_TABLE.index_label
    ).where(np.isnan(ols.beta[missing]), NO_PRICE_MOVEMENT)
    return pd.DataFrame(
        {
            "symbol": symbols[column],
            "day": pd.to_datetime(list(days)).to_numpy()[day],
            **adjusted._asdict(),
            "prior_mean": PRIOR_MEAN,
            "prior_std": PRIOR_SD,
            "market_index": betas.index_symbol,
            "undefined_reason": why.reindex(range(len(day))),
        }
    )


def _reasons(
    rows: pd.DataFrame, listed: BoolArray, is_index_missing: BoolArray, beta_table: BetaTable
) -> "dict[str, pd.Series[str]]":
    """Why a column is missing, on the rows on which one is: R² is missing wherever another is."""
    missing = rows["r_squared"].isna()
    undefined_rows, listed = rows[missing], listed[missing]
    why = undefined_beta_reasons(undefined_rows["observations"], beta_table.index_label).mask(
        is_index_missing[missing], missing_index_reason(str(rows[beta_table.index_column].max()))
    )
    why = why.where(listed, NO_RETURN_SERIES)
    flat = why.where(undefined_rows[beta_table.statistic_columns["beta"]].isna(), NO_PRICE_MOVEMENT)
    return {
        column: flat if name in ("r_squared", "p_value") else why
        for name, column in beta_table.statistic_columns.items()
        if name != "n_obs"
    }
