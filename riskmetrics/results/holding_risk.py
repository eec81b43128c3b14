"""Holdings of portfolios by underlying: active contributions and incremental value at risk."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.active_contributions import active_contributions
from riskmetrics.metrics.incremental_risk import incremental_value_at_risk
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.metrics.tail_risk import MIN_OBS_95, VAR_WINDOW
from riskmetrics.results.contribution_results import NetLines
from riskmetrics.results.exposures import symbol_sectors
from riskmetrics.results.pro_forma import (
    MIN_YEAR_OBS,
    YEAR_WINDOW,
    ProFormaWindow,
    insufficient_observations,
    pro_forma_windows,
)
from riskmetrics.results.undefined_reasons import Reason, first_reason_texts
from riskmetrics.results.valuation import Valuation

MAX_INCREMENTAL = 30
"""Holdings of a portfolio with an incremental value at risk: the largest weights."""

INCREMENTAL_LEVEL = 0.95
"""Its confidence level: at 99 % five days of two years would decide it."""

CASH = "Cash"
"""Name of the row of active contributions that belongs to no sector."""

_UNPRICED = "a holding of the sector has no price"


class HoldingRisk(NamedTuple):
    """Risk of lines (N) and of portfolios (P) on the sessions of a run (D)."""

    active: FloatArray
    """Contribution to the expected tracking error, (N, D)."""
    incremental: FloatArray
    """Incremental value at risk, (N, D); NaN also beyond the MAX_INCREMENTAL largest weights."""
    cash: FloatArray
    """Active contribution of the difference between exposure and equity, (P, D)."""
    n_paired: FloatArray
    """Sessions of the year on which the portfolio and the market have a return, (P, D)."""
    market_index: str


def estimate_holding_risk(
    valuation: Valuation, net: NetLines, returns: panels.Returns, market_index: str
) -> HoldingRisk:
    """Estimate active contributions and incremental value at risk of every line.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    net : NetLines
        Its lines, (N,).
    returns : Returns
        Returns of the VAR_WINDOW sessions that end on each of them.
    market_index : str
        Symbol of the market index, one of the columns of ``returns``.
    """
    market = returns.column(market_index)
    column = returns.frame.columns.get_indexer(pd.Index(net.lines["underlying"])).astype(np.int64)
    active, incremental = (np.full(net.weight.shape, np.nan) for _ in range(2))
    cash, n_paired = (np.full(valuation.net.shape, np.nan) for _ in range(2))
    year, owner = slice(VAR_WINDOW - YEAR_WINDOW, None), net.portfolio
    for window in pro_forma_windows(valuation, returns, VAR_WINDOW):
        day = window.day
        index = market[day : day + VAR_WINDOW][year]
        active[:, day], cash[:, day] = active_contributions(
            window.series[year],
            window.coverage[year],
            window.symbol_returns[year],
            index,
            net.weight[:, day],
            column=column,
            portfolio=owner,
            min_obs=MIN_YEAR_OBS,
        )
        is_paired = np.isfinite(window.series[year]) & np.isfinite(index)[:, np.newaxis]
        n_paired[:, day] = is_paired.sum(axis=0)
        weight = np.where(net.is_held[:, day], net.weight[:, day], np.nan)
        incremental[:, day] = _incremental_var(window, weight, column, owner)
    return HoldingRisk(active, incremental, cash, n_paired, market_index)


def _incremental_var(
    window: ProFormaWindow, weight: FloatArray, column: IntArray, portfolio: IntArray
) -> FloatArray:
    """Return the incremental value at risk of the lines with the largest weights, (N,)."""
    found = np.full(len(column), np.nan)
    candidates = np.flatnonzero((column >= 0) & np.isfinite(weight))
    by_size = np.lexsort((-np.abs(weight[candidates]), portfolio[candidates]))
    owner = portfolio[candidates][by_size]
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    chosen = np.sort(candidates[by_size[rank < MAX_INCREMENTAL]])
    found[chosen] = incremental_value_at_risk(
        window.series,
        window.coverage,
        window.symbol_returns,
        weight[chosen],
        column=column[chosen],
        portfolio=portfolio[chosen],
        level=INCREMENTAL_LEVEL,
        min_obs=MIN_OBS_95,
    )
    return found


def extend_contributions(
    valuation: Valuation, net: NetLines, risk: HoldingRisk, rows: pd.DataFrame
) -> pd.DataFrame:
    """Return the `contribution_rows` of a valuation with active and incremental risk.

    A row without a reason gets that of an undefined active contribution.
    """
    line, day = np.nonzero(net.is_held & valuation.is_valued[net.portfolio])
    texts = _active_reasons(valuation, risk)[net.portfolio[line], day]
    reasons = rows["undefined_reason"]
    is_explained = reasons.notna() | (texts == "")
    return rows.assign(
        active_component=risk.active[line, day],
        incremental_var_95=risk.incremental[line, day],
        undefined_reason=reasons.where(is_explained, pd.Series(texts, rows.index, dtype="str")),
    )


def _active_reasons(valuation: Valuation, risk: HoldingRisk) -> "NDArray[np.object_]":
    """Return the reasons of undefined active contributions, (P, D)."""
    return first_reason_texts(
        np.isnan(risk.cash) & valuation.is_valued,
        *valuation.common_reasons,
        insufficient_observations(risk.n_paired, YEAR_WINDOW, MIN_YEAR_OBS, risk.market_index),
        Reason("the portfolio has no active risk"),
    )


def active_sector_rows(
    valuation: Valuation, net: NetLines, risk: HoldingRisk, profiles: pd.DataFrame
) -> pd.DataFrame:
    """Return rows of `portfolio_active_sectors`: the sectors of each portfolio, and cash.

    ``profiles`` are those of the underlyings, as for `exposures.sector_rows`.
    """
    sectors = pd.Index(symbol_sectors(list(net.lines["underlying"]), profiles))
    cells = pd.DataFrame({"portfolio": net.portfolio, "sector": sectors})
    keys = cells.drop_duplicates(ignore_index=True)
    cell = cells.groupby(list(cells), sort=False).ngroup().to_numpy().astype(np.int64)

    def total(per_line: FloatArray | BoolArray) -> FloatArray:
        return group_sums(per_line.astype(float), cell, len(keys))

    owner = keys["portfolio"].to_numpy(np.int64)
    component = np.where(np.isnan(risk.cash[owner]), np.nan, total(risk.active))
    weight = np.where(total(np.isnan(net.weight)) > 0, np.nan, total(net.weight))
    n = len(valuation.portfolios)
    total_weight, total_active = (
        group_sums(np.nan_to_num(each), net.portfolio, n) for each in (net.weight, risk.active)
    )
    names = np.append(keys["sector"].to_numpy(object), np.full(n, CASH, dtype=object))
    owner = np.append(owner, np.arange(n))
    is_shown = np.vstack([total(net.is_held) > 0, valuation.is_valued])
    is_shown &= valuation.is_valued[owner]
    tracking_error = risk.cash + total_active
    values = np.vstack([component, risk.cash])
    row, day = np.nonzero(is_shown)
    texts = _active_reasons(valuation, risk)[owner[row], day]
    defined_weight = np.where(np.isnan(valuation.risk_denominator), np.nan, 1.0 - total_weight)
    weights = np.vstack([weight, defined_weight])[row, day]
    texts = np.where(np.isnan(weights) & (texts == ""), _UNPRICED, texts)
    return pd.DataFrame(
        {
            **valuation.keys(owner[row], day),
            "sector": pd.array(names[row], dtype="str"),
            "exposure_weight": weights,
            "sector_component": values[row, day],
            "sector_share": values[row, day] / tracking_error[owner[row], day],
            "undefined_reason": pd.Series(texts, dtype=object).replace("", None),
        }
    )
