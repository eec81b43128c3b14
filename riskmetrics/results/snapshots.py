"""Rows of `portfolio_snapshots`: values, and betas of portfolios."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import portfolio as metrics
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.results.betas import MIN_PAIRS, WINDOW, SymbolBetas
from riskmetrics.results.valuation import Valuation

DAY = "snapshot_date"
_TABLE = "portfolio_snapshots"
_GREEKS = ("portfolio_delta", "portfolio_gamma", "portfolio_theta", "portfolio_vega")
_VOLATILITIES = (
    "realized_volatility_21d",
    "realized_volatility_63d",
    "expected_volatility_21d",
    "volatility_trend",
    "volatility_percentile",
)
_BETAS = (
    "beta_calculated_90d",
    "beta_calculated_90d_r_squared",
    "beta_calculated_90d_observations",
    "beta_portfolio_regression",
    "beta_provider_1y",
)
VALUE_METRICS = [
    f"{_TABLE}.{name}"
    for name in ("total_value", "daily_pnl", "daily_return", "cumulative_pnl", "equity_balance", *_GREEKS, *_VOLATILITIES)
]
BETA_METRICS = [f"{_TABLE}.{name}" for name in _BETAS]


def value_rows(valuation: Valuation) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows themselves, and the reasons of what is undefined, a portfolio without any price included."""
    shape = valuation.net.shape
    has_options = valuation.total(valuation.held & valuation.instruments["right"].notna().to_numpy()[:, None]) > 0
    greek = np.where(has_options, np.nan, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        daily_return = np.where(valuation.equity_before > 0, valuation.daily_pnl / valuation.equity_before, np.nan)
    columns = {
        "total_value": valuation.equity,
        "cash_value": valuation.cash,
        "long_value": valuation.long,
        "short_value": valuation.short,
        "gross_exposure": valuation.gross,
        "net_exposure": valuation.net,
        "daily_pnl": valuation.daily_pnl,
        "daily_return": daily_return,
        "cumulative_pnl": valuation.cumulative_pnl,
        **dict.fromkeys(_GREEKS, greek),
        "num_positions": valuation.n_held,
        "num_long_positions": valuation.total(valuation.direction > 0),
        "num_short_positions": valuation.total(valuation.direction < 0),
        "equity_balance": np.broadcast_to(valuation.portfolios["equity_balance"].to_numpy(float)[:, None], shape),
    }
    rows = valuation.rows(columns, DAY).astype(dict.fromkeys(("num_positions", "num_long_positions", "num_short_positions"), "int64"))
    no_profit = "no holding has a close on the session before"
    reasons = {
        "daily_pnl": valuation.reasons((valuation.n_held >= 0, no_profit)),
        "daily_return": valuation.reasons(
            (np.isnan(valuation.daily_pnl), no_profit),
            (np.isnan(valuation.equity_before), "nothing held on the session before had a price"),
            (valuation.n_held >= 0, "equity on the session before is not positive"),
        ),
        "cumulative_pnl": valuation.reasons((valuation.n_held >= 0, "an entry price, or the price, of a lot is not known")),
        "equity_balance": valuation.reasons((valuation.n_held >= 0, "no equity balance was stated: cash is taken as 0")),
        **dict.fromkeys(_GREEKS, valuation.reasons((has_options, "option sensitivities are not computed by this version"))),
    }
    undefined = panels.undefined_rows(rows, _TABLE, reasons, subject="portfolio_id", day=DAY)
    volatility = rows.assign(**dict.fromkeys(_VOLATILITIES, np.nan))
    not_computed = pd.Series("volatility is not computed by this version", index=rows.index)
    undefined_volatility = panels.undefined_rows(
        volatility, _TABLE, dict.fromkeys(_VOLATILITIES, not_computed), subject="portfolio_id", day=DAY
    )
    return rows, pd.concat([undefined, undefined_volatility, _without_price(valuation)], ignore_index=True)


def _without_price(valuation: Valuation) -> pd.DataFrame:
    portfolio, session = np.nonzero(~valuation.valued)
    ids = valuation.portfolios["portfolio_id"].to_numpy()[portfolio]
    return pd.DataFrame(
        {
            "portfolio_id": ids,
            "subject": ids,
            "day": pd.to_datetime(valuation.days).to_numpy()[session],
            "metric": f"{_TABLE}.total_value",
            "reason": "none of the holdings has a price: no row was written",
            "n_obs": pd.array([0] * len(ids), dtype="Int64"),
        }
    )


def price_coverage(valuation: Valuation) -> pd.DataFrame:
    """Return rows of `portfolio_coverage`: the share of instruments that have a price."""
    return coverage_rows(valuation, {"prices": (valuation.n_priced, valuation.n_priced / np.maximum(valuation.n_held, 1))})


def coverage_rows(valuation: Valuation, metrics_covered: Mapping[str, tuple[FloatArray, FloatArray]]) -> pd.DataFrame:
    """Return rows of `portfolio_coverage` from each metric's instruments covered and its coverage, (P, D); empty portfolios have none."""
    parts = [
        valuation.rows({"coverage": share, "n_covered": count, "n_total": valuation.n_held}, "day").assign(metric=metric)
        for metric, (count, share) in metrics_covered.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows[(rows["n_total"] > 0) & rows["coverage"].notna()].astype({"n_covered": "int64", "n_total": "int64"})


def beta_rows(valuation: Valuation, betas: SymbolBetas, profiles: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the beta columns, their coverage, and the reasons of what is undefined."""
    instruments, base = valuation.instruments, valuation.weight_base
    column = np.where(instruments["listed"], betas.returns.columns.get_indexer(pd.Index(instruments["symbol"])), -1)

    def of_instruments(of_symbols: FloatArray) -> FloatArray:
        return np.where(column[:, None] >= 0, of_symbols.T[column], np.nan)

    beta, r_squared = of_instruments(betas.ols.beta), of_instruments(betas.ols.r_squared)
    calculated = metrics.weighted_beta(
        valuation.values, beta, r_squared, of_instruments(betas.ols.n_obs.astype(float)), valuation.portfolio, base
    )
    direct = metrics.direct_beta(
        valuation.values,
        column,
        valuation.portfolio,
        base,
        betas.returns.to_numpy(),
        betas.returns[betas.market].to_numpy(),
        window=WINDOW,
        min_obs=MIN_PAIRS,
    )
    vendor = np.broadcast_to(instruments["symbol"].map(profiles["beta"]).to_numpy(float)[:, None], beta.shape)
    provider = metrics.weighted_beta(valuation.values, vendor, vendor, np.ones_like(beta), valuation.portfolio, base)
    rows = valuation.rows(
        dict(zip(_BETAS, (calculated.beta, calculated.r_squared, calculated.observations, direct.beta, provider.beta), strict=True)), DAY
    ).astype({"beta_calculated_90d_observations": "Int64"})
    coverage = coverage_rows(
        valuation,
        {
            "beta": (_covered(valuation, beta), calculated.coverage),
            "provider_beta": (_covered(valuation, vendor), provider.coverage),
        },
    )
    own = _why(valuation, calculated.coverage, "positions with a beta")
    reasons = {
        **dict.fromkeys(_BETAS[:3], own),
        "beta_portfolio_regression": _why(valuation, np.zeros_like(base), f"fewer than {MIN_PAIRS} days on which positions with a return"),
        "beta_provider_1y": _why(valuation, provider.coverage, "positions with a vendor's beta"),
    }
    return rows, coverage, panels.undefined_rows(rows, _TABLE, reasons, subject="portfolio_id", day=DAY)


def _covered(valuation: Valuation, beta: FloatArray) -> FloatArray:
    covered: BoolArray = np.isfinite(valuation.values) & (valuation.values != 0) & np.isfinite(beta)
    return valuation.total(covered)


def _why(valuation: Valuation, coverage: FloatArray, what: str) -> "pd.Series[str]":
    return valuation.reasons(
        (valuation.gross == 0, "the portfolio holds nothing with a value"),
        (np.nan_to_num(coverage) < metrics.MIN_COVERAGE, f"{what} make up less than {metrics.MIN_COVERAGE:.0%} of gross exposure"),
    )
