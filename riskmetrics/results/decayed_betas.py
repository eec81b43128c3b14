"""Age-decayed market betas of symbols."""

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


@dataclass(frozen=True)
class DecayedBetas:
    """Age-decayed betas of symbols (S) to the market index on D sessions."""

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
