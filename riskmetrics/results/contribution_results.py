"""Risk contributions of holdings to portfolio volatility: `portfolio_risk_contributions`."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.contributions import risk_contributions
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.results.pro_forma import (
    MIN_YEAR_OBS,
    YEAR_WINDOW,
    insufficient_observations,
    pro_forma_windows,
)
from riskmetrics.results.undefined_reasons import first_reason_texts
from riskmetrics.results.valuation import Valuation


class NetLines(NamedTuple):
    """Holdings by underlying (N) on the sessions of a run (D)."""

    lines: pd.DataFrame
    """One row per portfolio and underlying: portfolio (row), underlying."""
    is_held: BoolArray
    weight: FloatArray
    """Exposure over equity; NaN without a price, 0 where it is not held."""

    @property
    def portfolio(self) -> IntArray:
        """Return the row of each line's portfolio, (N,)."""
        return self.lines["portfolio"].to_numpy(np.int64)


def contribution_rows(valuation: Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return a row of `portfolio_risk_contributions` per portfolio, underlying and session.

    Options are included in the row of their underlying. ``valuation`` is on D sessions, ``returns``
    are of the YEAR_WINDOW sessions that end on each of them.
    """
    lines, is_held, weight = net_by_underlying(valuation)
    column = returns.frame.columns.get_indexer(pd.Index(lines["underlying"]))
    owner = lines["portfolio"].to_numpy(np.int64)
    component, marginal, n_obs = (np.full(weight.shape, np.nan) for _ in range(3))
    volatility, n_days = (np.full(valuation.net.shape, np.nan) for _ in range(2))
    for window in pro_forma_windows(valuation, returns, YEAR_WINDOW):
        at = window.day
        contributions = risk_contributions(
            window.series,
            window.coverage,
            window.symbol_returns,
            weight[:, at],
            column=column,
            portfolio=owner,
            min_obs=MIN_YEAR_OBS,
        )
        component[:, at], marginal[:, at], n_obs[:, at], volatility[:, at] = contributions
        n_days[:, at] = np.isfinite(window.series).sum(axis=0)
    line, day = np.nonzero(is_held & valuation.is_valued[owner])
    portfolio = owner[line]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = component[line, day] / volatility[portfolio, day]
    missing = np.flatnonzero(np.isnan(share))
    undefined = np.isnan(valuation.risk_denominator) & valuation.is_valued
    common_reason = first_reason_texts(undefined, *valuation.common_reasons)[
        portfolio[missing], day[missing]
    ]
    reasons = _reasons(
        weight, n_obs, n_days, line[missing], portfolio[missing], day[missing], missing
    )
    reasons = reasons.where(common_reason == "", pd.Series(common_reason, missing, dtype="str"))
    return pd.DataFrame(
        {
            "portfolio_id": valuation.portfolios["portfolio_id"].to_numpy()[portfolio],
            "symbol": lines["underlying"].to_numpy()[line],
            "day": pd.to_datetime(valuation.sessions).to_numpy()[day],
            "weight": weight[line, day],
            "component": component[line, day],
            "marginal": marginal[line, day],
            "share": share,
            "observations": n_obs[line, day].astype(np.int64),
            "undefined_reason": reasons.reindex(range(len(line))),
        }
    )


def _reasons(
    weight: FloatArray,
    n_obs: FloatArray,
    n_days: FloatArray,
    line: IntArray,
    portfolio: IntArray,
    day: IntArray,
    index: IntArray,
) -> "pd.Series[str]":
    """Return the reasons of undefined contributions of the given lines and days."""
    few = insufficient_observations(n_days, YEAR_WINDOW, MIN_YEAR_OBS)
    conditions = (
        np.isnan(weight[line, day]),
        n_days[portfolio, day] < MIN_YEAR_OBS,
        n_obs[line, day] == 0,
    )
    texts = (
        "the symbol has no price, and so no weight",
        [few.text.format(count) for count in n_days[portfolio, day]],
        "the symbol has no return on any session of the portfolio's return series",
    )
    return pd.Series(
        np.select(conditions, texts, "the portfolio's value did not move in the window"),
        index,
        dtype="str",
    )


def net_by_underlying(valuation: Valuation) -> NetLines:
    """Net the instruments of each underlying: a stock and the options on it are one line."""
    # a private holding has no underlying
    has_underlying = valuation.instruments["underlying"].notna().to_numpy(bool)
    keys = valuation.instruments.loc[has_underlying, ["portfolio", "underlying"]]
    lines = keys.drop_duplicates(ignore_index=True)
    line = keys.groupby(list(keys), sort=False).ngroup().to_numpy().astype(np.int64)

    def total(per_instrument: FloatArray | BoolArray) -> FloatArray:
        return group_sums(per_instrument[has_underlying].astype(float), line, len(lines))

    follows = valuation.is_held & valuation.has_return_series
    weight = (
        np.where(follows, valuation.exposures, 0.0)
        / valuation.risk_denominator[valuation.instrument_portfolio]
    )
    return NetLines(
        lines,
        total(follows) > 0,
        np.where(total(follows & np.isnan(weight)) > 0, np.nan, total(weight)),
    )
