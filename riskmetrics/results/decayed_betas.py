"""Exponentially weighted market betas of symbols and portfolios."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW, HALF_LIFE, DecayedBeta, decayed_beta
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.results.betas import (
    MARKET_BETA_TABLE,
    MIN_PAIRED_RETURNS,
    NO_PRICE_MOVEMENT,
    undefined_beta_reasons,
)
from riskmetrics.results.lot_frames import open_symbols
from riskmetrics.results.pro_forma import insufficient_observations, pro_forma_blocks
from riskmetrics.results.snapshots import build_beta_coverage, insufficient_coverage, weigh_betas
from riskmetrics.results.undefined_reasons import Reason, first_reasons
from riskmetrics.results.valuation import Valuation

DECAYED_COVERAGE = ("decayed_beta",)


@dataclass(frozen=True)
class DecayedBetas:
    """Exponentially weighted betas of symbols (S) to the market index on D sessions."""

    estimates: DecayedBeta
    symbols: "pd.Index[str]"
    market_index: str


def estimate_decayed_betas(returns: panels.Returns, market_index: str) -> DecayedBetas:
    """Regress every symbol on the market index over the window that ends on each session.

    The first DECAYED_WINDOW - 1 sessions have no window. The index is one of the symbols. Missing
    returns are left out pairwise; with fewer than MIN_PAIRED_RETURNS pairs the estimates are NaN.
    """
    market = returns.column(market_index)

    def fit(values: FloatArray, rows: slice, _: slice | IntArray) -> DecayedBeta:
        return decayed_beta(values, market[rows], min_obs=MIN_PAIRED_RETURNS)

    estimates = point_in_time_estimates(fit, returns.values(), returns.unconfirmed, DECAYED_WINDOW)
    return DecayedBetas(estimates, returns.frame.columns, market_index)


def symbol_rows(betas: DecayedBetas, lots: pd.DataFrame, sessions: Sequence[date]) -> pd.DataFrame:
    """Return rows of `symbol_decayed_betas`, one per day and symbol held directly or by options.

    A row with an undefined beta has a reason.
    """
    day, column = open_symbols(lots, sessions, betas.symbols)
    found = DecayedBeta._make(values[day, column] for values in betas.estimates)
    missing = np.flatnonzero(np.isnan(found.beta))
    market = betas.symbols.get_loc(betas.market_index)
    is_market_flat = np.isnan(betas.estimates.beta[day[missing], market])
    n_obs = pd.Series(found.n_obs[missing], index=missing)
    reasons = undefined_beta_reasons(n_obs, MARKET_BETA_TABLE.index_label, DECAYED_WINDOW).where(
        is_market_flat | (n_obs < MIN_PAIRED_RETURNS), NO_PRICE_MOVEMENT
    )
    estimates = found._asdict()
    return pd.DataFrame(
        {
            "symbol": betas.symbols[column],
            "day": pd.to_datetime(list(sessions)).to_numpy()[day],
            "observations": estimates.pop("n_obs"),
            **estimates,
            "window_days": DECAYED_WINDOW,
            "half_life": HALF_LIFE,
            "market_index": betas.market_index,
            "undefined_reason": reasons.reindex(range(len(day))),
        }
    )


def portfolio_rows(
    valuation: Valuation, betas: DecayedBetas, returns: panels.Returns
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_decayed_betas`, and the coverage of the betas of positions.

    One row per day and portfolio that can be valued. ``returns`` are of the DECAYED_WINDOW sessions
    that end on each of its sessions. A row has the reason of its first undefined figure.
    """
    beta, n_obs = (
        valuation.map_to_instruments(values.astype(float), betas.symbols)
        for values in (betas.estimates.beta, betas.estimates.n_obs)
    )
    weighted = weigh_betas(valuation, beta, n_obs=n_obs)
    market = returns.column(betas.market_index)
    parts = []
    for block in pro_forma_blocks(valuation, returns, DECAYED_WINDOW):
        index = np.stack([market[w.day : w.day + DECAYED_WINDOW] for w in block.windows], axis=1)
        of_series = np.repeat(index, len(valuation.portfolios), axis=1)
        fit = decayed_beta(block.series, of_series, min_obs=MIN_PAIRED_RETURNS)
        parts.append([block.by_day(figures[0]) for figures in fit])  # each series is one window
    own = DecayedBeta._make(np.concatenate(by_day, axis=1) for by_day in zip(*parts, strict=True))
    rows = valuation.to_frame(
        {
            "beta": weighted.beta,
            "regression_beta": own.beta,
            "std_error": own.std_error,
            "forecast_std_error": own.forecast_std_error,
            "observations": own.n_obs,
        },
        "day",
    )
    few = insufficient_observations(
        own.n_obs, DECAYED_WINDOW, MIN_PAIRED_RETURNS, betas.market_index
    )
    flat = Reason(f"the portfolio or {betas.market_index} did not move in the window")
    uncovered = insufficient_coverage(
        "positions with an exponentially weighted beta", weighted.coverage
    )
    first = first_reasons(
        valuation.risk_reasons(weighted.beta, uncovered),
        valuation.risk_reasons(own.beta, few, flat),
    )
    coverage = build_beta_coverage(valuation, DECAYED_COVERAGE, (beta,), (weighted.coverage,))
    return rows.assign(market_index=betas.market_index, undefined_reason=first), coverage
