"""Sensitivity to interest rates beside the one-factor betas: with the market held fixed, and of portfolios."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import portfolio as metrics
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.price_quality import as_known_on_each_day
from riskmetrics.metrics.two_factor import TwoFactorOLS, rolling_two_factor
from riskmetrics.results.betas import FLAT, MIN_PAIRS, WINDOW, SymbolBetas, absent, no_index
from riskmetrics.results.lots import open_symbols
from riskmetrics.results.snapshots import coverage_rows, n_covered, too_little
from riskmetrics.results.valuation import Reason, Valuation

COVERAGE = ("rate_beta", "two_factor_rate_beta")


@dataclass(frozen=True)
class TwoFactorBetas:
    """Betas of symbols (S) to the market and to the rate index together on the sessions of a run (D)."""

    ols: TwoFactorOLS
    symbols: "pd.Index[str]"
    market: str
    rates: str
    rates_are_absent: BoolArray
    """Whether the rate index has no return in the whole window of each session, (D,)."""


def two_factor(returns: panels.Returns, market: str, rates: str) -> TwoFactorBetas:
    """Regress every symbol on both indices, two of them, over the window that ends on each session but the first WINDOW - 1.

    Sessions on which one of the three has no return are left out; of fewer than MIN_PAIRS nothing is estimated.
    """
    of_market, of_rates = returns.of(market), returns.of(rates)

    def fit(values: FloatArray, rows: slice, _: slice | IntArray) -> TwoFactorOLS:
        return rolling_two_factor(values, of_market[rows], of_rates[rows], window=WINDOW, min_obs=MIN_PAIRS)

    ols = as_known_on_each_day(fit, returns.values(), returns.unconfirmed, WINDOW)
    return TwoFactorBetas(ols, returns.frame.columns, market, rates, absent(returns, rates))


def symbol_rows(betas: TwoFactorBetas, lots: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """Return rows of `symbol_two_factor_betas`: one per symbol and day on which it, or an option on it, is held.

    A row whose betas are undefined says why.
    """
    day, column = open_symbols(lots, days, betas.symbols)
    ols = TwoFactorOLS._make(values[day, column] for values in betas.ols)
    missing = np.flatnonzero(np.isnan(ols.r_squared))
    n_obs = pd.Series(ols.n_obs[missing], index=missing)
    too_few = n_obs.astype("str") + (
        f" of the {WINDOW} sessions to the day have returns of the price, {betas.market} and {betas.rates}; {MIN_PAIRS} are needed"
    )
    why = too_few.where(n_obs < MIN_PAIRS, f"{betas.market} and {betas.rates} do not move apart from each other in the window")
    why = why.mask(betas.rates_are_absent[day[missing]], no_index(betas.rates)).where(np.isnan(ols.beta_2[missing]), FLAT)
    return pd.DataFrame(
        {
            "symbol": betas.symbols[column],
            "day": pd.to_datetime(list(days)).to_numpy()[day],
            "market_beta": ols.beta_1,
            "market_std_error": ols.std_error_1,
            "market_p_value": ols.p_value_1,
            "rate_beta": ols.beta_2,
            "rate_std_error": ols.std_error_2,
            "rate_p_value": ols.p_value_2,
            "alpha": ols.alpha,
            "r_squared": ols.r_squared,
            "observations": ols.n_obs,
            "window_days": WINDOW,
            "market_index": betas.market,
            "rate_index": betas.rates,
            "undefined_reason": why.reindex(range(len(day))),
        }
    )


def portfolio_rows(valuation: Valuation, one: SymbolBetas, two: TwoFactorBetas) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_rate_betas`, one per portfolio that can be valued and day, and their coverage.

    ``one`` are betas to the rate index alone, ``two`` beside the market, both on the days of the valuation. A row says why its
    first figure that is undefined is.
    """
    symbols = one.returns.frame.columns

    def weighted(beta: FloatArray, r_squared: FloatArray, n_obs: FloatArray) -> metrics.WeightedBeta:
        return metrics.weighted_beta(
            valuation.exposures,
            beta,
            r_squared,
            n_obs,
            valuation.portfolio,
            valuation.risk_base,
            valuation.priced_share,
        )

    beta, r_squared, n_obs = (valuation.of_symbols(of.astype(float), symbols) for of in (one.ols.beta, one.ols.r_squared, one.ols.n_obs))
    of_market, of_rates = (valuation.of_symbols(of, two.symbols) for of in (two.ols.beta_1, two.ols.beta_2))
    rate, market_held, rate_held = (weighted(of, r_squared, n_obs) for of in (beta, of_market, of_rates))
    rows = valuation.rows(
        {
            "rate_beta": rate.beta,
            "r_squared": rate.r_squared,
            "observations": rate.observations,
            "two_factor_market_beta": market_held.beta,
            "two_factor_rate_beta": rate_held.beta,
        },
        "day",
    ).astype({"observations": "Int64"})
    none = *valuation.gates, Reason(no_index(one.index), one.index_is_absent)
    flat = Reason("no position with a rate beta has an R²: none of their prices moved in the window")
    why = [
        valuation.reasons(rate.beta, *none, too_little("positions with a rate beta", rate.coverage)),
        valuation.reasons(rate_held.beta, *none, too_little("positions with a two-factor beta", rate_held.coverage)),
        valuation.reasons(rate.r_squared, flat),
    ]
    reason = pd.concat(why).groupby(level=0).first().reindex(rows.index)
    covered = zip(COVERAGE, (beta, of_rates), (rate.coverage, rate_held.coverage), strict=True)
    coverage = coverage_rows(valuation, {metric: (n_covered(valuation, of), valuation.n_held, share) for metric, of, share in covered})
    return rows.assign(rate_index=one.index, undefined_reason=reason), coverage
