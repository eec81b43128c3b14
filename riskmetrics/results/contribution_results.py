"""Volatility of portfolios by two covariances, and the contributions of holdings to it."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.contributions import RiskContributions, risk_contributions
from riskmetrics.metrics.decayed_covariance import DecayedRisk, decayed_risk_contributions
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.results.pro_forma import (
    MIN_YEAR_OBS,
    YEAR_WINDOW,
    insufficient_observations,
    pro_forma_windows,
)
from riskmetrics.results.undefined_reasons import Reason, first_reason_texts
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


class _Risk(NamedTuple):
    """Contributions of lines, (I, D), and volatility of portfolios, (P, D), by two covariances."""

    equal: RiskContributions
    decayed: DecayedRisk
    n_days: IntArray


def contribution_rows(
    valuation: Valuation, net: NetLines, returns: panels.Returns
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_risk_contributions`, and of `portfolio_ex_ante_volatility`.

    There is a contribution per portfolio, underlying and session, and a volatility per portfolio,
    session and method. Options are included in the row of their underlying. ``valuation`` is on D
    sessions, ``net`` are its lines, ``returns`` are of the YEAR_WINDOW sessions that end on each of
    them.
    """
    lines, is_held, weight = net
    column = returns.frame.columns.get_indexer(pd.Index(lines["underlying"]))
    owner = net.portfolio
    risk = _compute_risk(valuation, returns, np.where(is_held, weight, np.nan), column, owner)
    line, day = np.nonzero(is_held & valuation.is_valued[owner])
    portfolio = owner[line]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = risk.equal.component[line, day] / risk.equal.volatility[portfolio, day]
        decayed_share = risk.decayed.component[line, day] / risk.decayed.volatility[portfolio, day]
    undefined = np.isnan(valuation.risk_denominator) & valuation.is_valued
    common = first_reason_texts(undefined, *valuation.common_reasons)[portfolio, day]
    texts = first_reason_texts(
        np.isnan(share) | np.isnan(decayed_share),
        Reason("the symbol has no price, and so no weight", np.isnan(weight[line, day])),
        insufficient_observations(risk.n_days[portfolio, day], YEAR_WINDOW, MIN_YEAR_OBS),
        Reason(
            "the symbol has no return on any session of the portfolio's return series",
            risk.equal.n_obs[line, day] == 0,
        ),
        Reason("the portfolio's value did not move in the window"),
    )
    texts = np.where((texts == "") | (common == ""), texts, common)
    rows = pd.DataFrame(
        {
            **valuation.keys(portfolio, day),
            "symbol": lines["underlying"].to_numpy()[line],
            "weight": weight[line, day],
            "component": risk.equal.component[line, day],
            "marginal": risk.equal.marginal[line, day],
            "share": share,
            "decayed_component": risk.decayed.component[line, day],
            "decayed_marginal": risk.decayed.marginal[line, day],
            "decayed_share": decayed_share,
            "observations": risk.equal.n_obs[line, day],
            "undefined_reason": pd.Series(texts, dtype="str").mask(texts == ""),
        }
    )
    return rows, _volatility_rows(valuation, risk)


def _compute_risk(
    valuation: Valuation,
    returns: panels.Returns,
    weight: FloatArray,
    column: IntArray,
    owner: IntArray,
) -> _Risk:
    """Compute the risk of every session with both covariances."""
    equal, decayed, n_days = [], [], []
    for window in pro_forma_windows(valuation, returns, YEAR_WINDOW):
        inputs = window.series, window.coverage, window.symbol_returns, weight[:, window.day]
        equal.append(
            risk_contributions(*inputs, column=column, portfolio=owner, min_obs=MIN_YEAR_OBS)
        )
        decayed.append(
            decayed_risk_contributions(
                *inputs, column=column, portfolio=owner, min_obs=MIN_YEAR_OBS
            )
        )
        n_days.append(np.isfinite(window.series).sum(axis=0))
    return _Risk(
        RiskContributions._make(np.stack(by_day, axis=1) for by_day in zip(*equal, strict=True)),
        DecayedRisk._make(np.stack(by_day, axis=1) for by_day in zip(*decayed, strict=True)),
        np.stack(n_days, axis=1),
    )


def _volatility_rows(valuation: Valuation, risk: _Risk) -> pd.DataFrame:
    """Return rows of `portfolio_ex_ante_volatility`, by method."""
    names = ("volatility", "shrinkage", "effective_observations")
    figures = {
        "equal_weighted": (risk.equal.volatility, np.zeros(risk.n_days.shape), risk.n_days),
        "decayed": tuple(getattr(risk.decayed, name) for name in names),
    }
    frames = []
    for method, values in figures.items():
        few = insufficient_observations(risk.n_days, YEAR_WINDOW, MIN_YEAR_OBS)
        reasons = valuation.risk_reasons(values[0], few)
        is_defined = np.isfinite(values[0])
        columns = {
            name: np.where(is_defined, figure, np.nan)
            for name, figure in zip(names, values, strict=True)
        }
        rows = valuation.to_frame(columns | {"observations": risk.n_days}, "day")
        frames.append(rows.assign(method=method, undefined_reason=reasons))
    return pd.concat(frames, ignore_index=True)


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
