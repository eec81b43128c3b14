"""Rate sensitivity: two-factor betas of symbols, and rate betas of portfolios."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.portfolio import WeightedBeta
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.metrics.two_factor import TwoFactorOLS, rolling_two_factor
from riskmetrics.results.betas import (
    BETA_WINDOW,
    MIN_PAIRED_RETURNS,
    NO_PRICE_MOVEMENT,
    SymbolBetas,
    has_no_index_returns,
    missing_index_reason,
)
from riskmetrics.results.lot_frames import open_symbols
from riskmetrics.results.snapshots import build_beta_coverage, insufficient_coverage, weigh_betas
from riskmetrics.results.undefined_reasons import Reason, count_texts, first_reasons
from riskmetrics.results.valuation import Valuation

RATE_BETA_COVERAGE = ("rate_beta", "two_factor_rate_beta")


@dataclass(frozen=True)
class TwoFactorBetas:
    """Two-factor betas of symbols (S) to the market and the rate index on D sessions."""

    ols: TwoFactorOLS
    symbols: "pd.Index[str]"
    market_index: str
    rate_index: str
    is_rate_index_missing: BoolArray
    """Whether the rate index has no return in the window of each session, (D,)."""


def estimate_two_factor_betas(
    returns: panels.Returns, market_index: str, rate_index: str
) -> TwoFactorBetas:
    """Regress every symbol on both indices over the window that ends on each session.

    The first BETA_WINDOW - 1 sessions have no window. Both indices are among the symbols. Sessions
    on which one of the three has no return are left out; with fewer than MIN_PAIRED_RETURNS
    sessions the estimates are NaN.
    """
    market_returns, rate_returns = returns.column(market_index), returns.column(rate_index)

    def fit(values: FloatArray, rows: slice, _: slice | IntArray) -> TwoFactorOLS:
        return rolling_two_factor(
            values,
            market_returns[rows],
            rate_returns[rows],
            window=BETA_WINDOW,
            min_obs=MIN_PAIRED_RETURNS,
        )

    ols = point_in_time_estimates(fit, returns.values(), returns.unconfirmed, BETA_WINDOW)
    return TwoFactorBetas(
        ols,
        returns.frame.columns,
        market_index,
        rate_index,
        has_no_index_returns(returns, rate_index),
    )


def symbol_rows(
    betas: TwoFactorBetas, lots: pd.DataFrame, sessions: Sequence[date]
) -> pd.DataFrame:
    """Return rows of `symbol_two_factor_betas`, one per day and symbol held directly or by options.

    A row with undefined betas has a reason.
    """
    day, column = open_symbols(lots, sessions, betas.symbols)
    ols = TwoFactorOLS._make(values[day, column] for values in betas.ols)
    missing = np.flatnonzero(np.isnan(ols.r_squared))
    n_obs = pd.Series(ols.n_obs[missing], index=missing)
    too_few = count_texts(
        n_obs,
        f" of the trailing {BETA_WINDOW} sessions have returns of the price,"
        f" {betas.market_index} and {betas.rate_index}; {MIN_PAIRED_RETURNS} required",
    )
    reasons = too_few.where(
        n_obs < MIN_PAIRED_RETURNS,
        f"{betas.market_index} and {betas.rate_index} are collinear in the window",
    )
    reasons = reasons.mask(
        betas.is_rate_index_missing[day[missing]], missing_index_reason(betas.rate_index)
    ).where(np.isnan(ols.beta_2[missing]), NO_PRICE_MOVEMENT)
    return pd.DataFrame(
        {
            "symbol": betas.symbols[column],
            "day": pd.to_datetime(list(sessions)).to_numpy()[day],
            "market_beta": ols.beta_1,
            "market_std_error": ols.std_error_1,
            "market_p_value": ols.p_value_1,
            "rate_beta": ols.beta_2,
            "rate_std_error": ols.std_error_2,
            "rate_p_value": ols.p_value_2,
            "alpha": ols.alpha,
            "r_squared": ols.r_squared,
            "observations": ols.n_obs,
            "window_days": BETA_WINDOW,
            "market_index": betas.market_index,
            "rate_index": betas.rate_index,
            "undefined_reason": reasons.reindex(range(len(day))),
        }
    )


def portfolio_rows(
    valuation: Valuation, rate_betas: SymbolBetas, two_factor_betas: TwoFactorBetas
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_rate_betas`, and their coverage.

    One row per day and portfolio that can be valued. ``rate_betas`` are betas to the rate index
    alone, ``two_factor_betas`` with the market as second factor, both on its sessions. A row has
    the reason of its first undefined figure.
    """
    symbols = rate_betas.returns.frame.columns
    beta, r_squared, n_obs = (
        valuation.map_to_instruments(values.astype(float), symbols)
        for values in (rate_betas.ols.beta, rate_betas.ols.r_squared, rate_betas.ols.n_obs)
    )
    two_factor_market, two_factor_rate = (
        valuation.map_to_instruments(values, two_factor_betas.symbols)
        for values in (two_factor_betas.ols.beta_1, two_factor_betas.ols.beta_2)
    )
    rate, market_with_rate_fixed, rate_with_market_fixed = (
        weigh_betas(valuation, values, r_squared, n_obs)
        for values in (beta, two_factor_market, two_factor_rate)
    )
    rows = valuation.to_frame(
        {
            "rate_beta": rate.beta,
            "r_squared": rate.r_squared,
            "observations": rate.observations,
            "two_factor_market_beta": market_with_rate_fixed.beta,
            "two_factor_rate_beta": rate_with_market_fixed.beta,
        },
        "day",
    ).astype({"observations": "Int64"})
    reason = _select_first_reasons(valuation, rate_betas, rate, rate_with_market_fixed)
    coverage = build_beta_coverage(
        valuation,
        RATE_BETA_COVERAGE,
        (beta, two_factor_rate),
        (rate.coverage, rate_with_market_fixed.coverage),
    )
    return rows.assign(rate_index=rate_betas.index_symbol, undefined_reason=reason), coverage


def _select_first_reasons(
    valuation: Valuation,
    rate_betas: SymbolBetas,
    rate: WeightedBeta,
    rate_with_market_fixed: WeightedBeta,
) -> "pd.Series[str]":
    """Return the reason of the first undefined figure of each row that has one."""
    missing = missing_index_reason(rate_betas.index_symbol)
    none = Reason(missing, rate_betas.is_index_missing)
    flat = Reason(
        "no position with a rate beta has an R²: none of their prices moved in the window"
    )
    one, two = (
        insufficient_coverage(f"positions with a {kind} beta", found.coverage)
        for kind, found in (("rate", rate), ("two-factor", rate_with_market_fixed))
    )
    return first_reasons(
        valuation.risk_reasons(rate.beta, none, one),
        valuation.risk_reasons(rate_with_market_fixed.beta, none, two),
        valuation.undefined_reasons(rate.r_squared, flat),
    )
