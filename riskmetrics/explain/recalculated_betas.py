"""Recalculated betas of symbols and portfolios: one statsmodels fit at a time."""

import math
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.catalog.betas import FIGURES
from riskmetrics.db import tables
from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import Holdings, delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row, first_and_last_day
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW, FORECAST_ERROR_MULTIPLIER, HALF_LIFE
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS

STATSMODELS = "statsmodels OLS on the source returns"

_ROUNDING_TOLERANCE = 1e-12


def fit_ols(y: "pd.Series[float]", *regressors: "pd.Series[float]") -> dict[str, Any]:
    """Regress ``y`` on an intercept and ``regressors`` over the sessions with all returns.

    Return beta, std_error and p_value (lists in the order of the regressors), alpha, r_squared and
    observations; undefined values are NaN. A constant price has betas of 0 and no R².
    """
    from statsmodels.regression.linear_model import OLS  # slow to import
    from statsmodels.tools import add_constant

    rows = pd.concat([y, *regressors], axis=1).dropna().to_numpy(float)
    values, x = rows[:, 0], rows[:, 1:]
    nan_betas, zero_betas = [math.nan] * len(regressors), [0.0] * len(regressors)
    undefined = dict.fromkeys(("beta", "std_error", "p_value"), nan_betas) | {
        "alpha": math.nan,
        "r_squared": math.nan,
        "observations": len(rows),
    }
    if len(rows) < MIN_PAIRED_RETURNS or not _is_full_rank(x):
        return undefined
    if _is_constant(values):
        known = {"beta": zero_betas, "std_error": zero_betas, "alpha": float(values.mean())}
        return undefined | known
    with np.errstate(all="ignore"):  # a perfect fit leaves no residual to divide by
        found = OLS(values, add_constant(x)).fit()
        betas, errors, p_values = (
            np.array(estimates[1:]) for estimates in (found.params, found.bse, found.pvalues)
        )
    is_rounding = (np.abs(betas) < _ROUNDING_TOLERANCE) & (
        1.0 - found.rsquared < _ROUNDING_TOLERANCE
    )  # an index regressed on itself: the other beta is rounding noise
    return {
        "beta": np.where(is_rounding, 0.0, betas).tolist(),
        "std_error": errors.tolist(),
        "p_value": np.where(is_rounding, 1.0, p_values).tolist(),
        "alpha": float(found.params[0]),
        "r_squared": float(found.rsquared),
        "observations": len(rows),
    }


def _is_constant(values: "np.ndarray[Any, Any]") -> bool:
    return bool(np.ptp(values) <= 1e-13 * np.abs(values).max())


def _is_full_rank(x: "np.ndarray[Any, Any]") -> bool:
    """Return whether the regressors vary and are not collinear."""
    if any(_is_constant(column) for column in x.T):
        return False
    return x.shape[1] == 1 or bool(
        1.0 - np.corrcoef(x.T)[0, 1] ** 2 > math.sqrt(np.finfo(float).eps)
    )


@compute_once
def symbol_regression(sources: SourceRows, symbol: str, *indices: str) -> dict[str, Any]:
    """Regress a symbol on one or two indices over the beta window."""
    returns = sources.returns([symbol], BETA_WINDOW)[symbol]
    return fit_ols(returns, *(sources.index_returns(index, BETA_WINDOW) for index in indices))


def _window(sources: SourceRows, n_sessions: int = BETA_WINDOW) -> tuple[date, date]:
    return first_and_last_day(sources.returns([sources.market], n_sessions))


def _recalculate_position_beta(
    index: str, beta_column: str, sources: SourceRows, row: Row
) -> Recalculation:
    """Recalculate a beta to the index whose symbol is in a column of the row."""
    if sources.is_listed(row["position_id"]):
        found = symbol_regression(sources, row["symbol"], row[index])
    else:  # no return series of its own
        found = fit_ols(pd.Series(dtype=float), pd.Series(dtype=float))
    slopes = {name: found[name][0] for name in ("std_error", "p_value")}
    values = found | slopes | {beta_column: found["beta"][0]}
    inputs = {"symbol": row["symbol"], "index": row[index]}
    return Recalculation(values, inputs, _window(sources), found["observations"])


def _recalculate_two_factor(sources: SourceRows, row: Row) -> Recalculation:
    found = symbol_regression(sources, row["symbol"], row["market_index"], row["rate_index"])
    values = {name: found[name] for name in ("alpha", "r_squared", "observations")}
    for at, factor in enumerate(("market", "rate")):
        values |= {f"{factor}_{name}": found[name][at] for name in ("beta", "std_error", "p_value")}
    inputs = {"symbol": row["symbol"], "market": row["market_index"], "rates": row["rate_index"]}
    return Recalculation(values, inputs, _window(sources), found["observations"])


def _recalculate_adjusted_beta(sources: SourceRows, row: Row) -> Recalculation:
    """Recalculate the Vasicek-adjusted beta: the precision-weighted mean of estimate and prior."""
    found = symbol_regression(sources, row["symbol"], row["market_index"])
    estimate = found["beta"][0]
    error = found["std_error"][0] if not math.isnan(found["r_squared"]) else math.nan
    precision = np.array([1.0 / error**2 if error > 0 else math.inf, 1.0 / row["prior_std"] ** 2])
    if not math.isfinite(precision[0]):
        values = {"beta": estimate if error == 0 else math.nan, "std_error": error}
    else:
        weights = precision / precision.sum()
        values = {
            "beta": weights @ [estimate, row["prior_mean"]],
            "std_error": precision.sum() ** -0.5,
        }
    inputs = {
        "symbol": row["symbol"],
        "beta": estimate,
        "standard error": error,
        "prior": f"N({row['prior_mean']}, {row['prior_std']}²)",
    }
    return Recalculation(values, inputs, _window(sources), found["observations"])


@compute_once
def decayed_regression(sources: SourceRows, symbol: str, index: str) -> dict[str, float]:
    """Regress a symbol on an index with exponential weights, over the window of decayed betas."""
    returns = sources.returns([symbol], DECAYED_WINDOW)[symbol]
    return fit_wls(returns, sources.index_returns(index, DECAYED_WINDOW))


def fit_wls(y: "pd.Series[float]", x: "pd.Series[float]") -> dict[str, float]:
    """Regress ``y`` on an intercept and ``x`` by statsmodels with exponential weights.

    Return the figures of `symbol_decayed_betas`; undefined values are NaN.
    """
    from statsmodels.regression.linear_model import WLS  # slow to import
    from statsmodels.tools import add_constant

    age = pd.Series(np.arange(len(y))[::-1], y.index, name="age")
    rows = pd.concat([y.rename("y"), x.rename("x"), age], axis=1).dropna().to_numpy(float)
    values, regressor, weights = rows[:, 0], rows[:, 1:2], 2.0 ** (-rows[:, 2] / HALF_LIFE)
    names = ("beta", "std_error", "forecast_std_error", "effective_observations")
    found = dict.fromkeys(names, math.nan) | {"observations": float(len(rows))}
    if len(rows) < MIN_PAIRED_RETURNS or _is_constant(values) or _is_constant(regressor[:, 0]):
        return found
    fit = WLS(values, add_constant(regressor), weights=weights).fit(cov_type="HC0")
    is_perfect = 1.0 - fit.rsquared < _ROUNDING_TOLERANCE
    error = 0.0 if is_perfect else float(fit.bse[1])
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    estimates = (float(fit.params[1]), error, FORECAST_ERROR_MULTIPLIER * error, effective)
    return found | dict(zip(names, estimates, strict=True))


def _recalculate_decayed_beta(sources: SourceRows, row: Row) -> Recalculation:
    found = decayed_regression(sources, row["symbol"], row["market_index"])
    inputs = {"symbol": row["symbol"], "index": row["market_index"]}
    window = _window(sources, DECAYED_WINDOW)
    return Recalculation(found, inputs, window, int(found["observations"]))


def weight_betas(
    holdings: Holdings, figures: "dict[str, dict[str, float]]", *, is_in_currency: bool = False
) -> dict[str, float]:
    """Return the exposure-weighted beta of a portfolio, divided by its coverage.

    ``figures`` has beta, and r_squared and observations if they are known, of each underlying. The
    result is NaN below 80% coverage of exposure. With ``is_in_currency``, it is the sum of exposure
    times beta, not divided by equity.
    """
    exposed = holdings.exposed_instruments
    beta, r_squared, n_obs = (
        exposed["underlying"]
        .map(lambda name, figure=figure: figures[name].get(figure, math.nan))
        .astype(float)
        for figure in ("beta", "r_squared", "observations")
    )
    exposure = exposed["exposure"].where(beta.notna()).fillna(0.0)
    covered_share = (
        exposure.abs().sum() / holdings.gross_exposure if holdings.gross_exposure else math.nan
    )
    coverage, n_covered = covered_share * holdings.price_coverage, int((exposure != 0).sum())
    denominator = holdings.risk_denominator
    if is_in_currency:
        denominator = 1.0 if holdings.has_price_coverage else math.nan
    if not meets_minimum(coverage, MIN_COVERAGE) or math.isnan(denominator):
        return dict.fromkeys(("beta", "r_squared", "observations"), math.nan) | {
            "coverage": coverage,
            "n_covered": n_covered,
        }
    sizes = exposure.abs().where(r_squared.notna()).fillna(0.0)
    return {
        "beta": float((exposure * beta).sum() / denominator / covered_share),
        "r_squared": float((sizes * r_squared).sum() / sizes.sum()) if sizes.sum() else math.nan,
        "observations": float(n_obs[exposure != 0].min()),
        "coverage": float(coverage),
        "n_covered": n_covered,
    }


def portfolio_beta(
    sources: SourceRows, holdings: Holdings, *indices: str, factor: int = 0
) -> dict[str, float]:
    """Return a portfolio's beta to the ``factor``-th of ``indices``, the others held fixed."""
    figures = {}
    for symbol in sorted(set(holdings.exposed_instruments["underlying"])):
        found = symbol_regression(sources, symbol, *indices)
        figures[symbol] = found | {"beta": found["beta"][factor]}
    return weight_betas(holdings, figures)


def decayed_portfolio_beta(sources: SourceRows, holdings: Holdings) -> dict[str, float]:
    """Return a portfolio's exposure-weighted mean of exponentially weighted betas."""
    figures = {
        symbol: decayed_regression(sources, symbol, sources.market)
        for symbol in holdings.exposed_instruments["underlying"]
    }
    return weight_betas(holdings, figures)


def _recalculate_portfolio_decayed(sources: SourceRows, row: Row) -> Recalculation:
    holdings = delta_holdings(sources)
    own = fit_wls(
        pro_forma_returns(sources, DECAYED_WINDOW)["return"],
        sources.index_returns(row["market_index"], DECAYED_WINDOW),
    )
    weighted = decayed_portfolio_beta(sources, holdings)
    values = own | {"beta": weighted["beta"], "regression_beta": own["beta"]}
    inputs = holdings.weight_inputs() | {"market index": row["market_index"]}
    window = _window(sources, DECAYED_WINDOW)
    return Recalculation(values, inputs, window, int(own["observations"]))


def vendor_portfolio_beta(sources: SourceRows, holdings: Holdings) -> dict[str, float]:
    """Return a portfolio's exposure-weighted mean of the vendor's betas."""
    symbols = holdings.exposed_instruments["underlying"]
    vendor_betas = sources.profiles(symbols)["beta"].astype(float)
    figures = {symbol: {"beta": vendor_betas.get(symbol, math.nan)} for symbol in symbols}
    return weight_betas(holdings, figures)


def _recalculate_snapshot_betas(sources: SourceRows, _: Row) -> Recalculation:
    holdings = delta_holdings(sources)
    calculated = portfolio_beta(sources, holdings, sources.market)
    terms = holdings.exposed_instruments[["symbol", "underlying", "exposure"]].reset_index(
        drop=True
    )
    beta = [symbol_regression(sources, each, sources.market) for each in terms["underlying"]]
    terms["beta"] = [found["beta"][0] for found in beta]
    sources.record_use("terms of the sum", terms)
    own = fit_ols(
        pro_forma_returns(sources, BETA_WINDOW)["return"],
        sources.index_returns(sources.market, BETA_WINDOW),
    )
    values = {
        "beta_calculated_90d": calculated["beta"],
        "beta_calculated_90d_r_squared": calculated["r_squared"],
        "beta_calculated_90d_observations": calculated["observations"],
        "beta_portfolio_regression": own["beta"][0],
        "beta_provider_1y": vendor_portfolio_beta(sources, holdings)["beta"],
    }
    inputs = holdings.weight_inputs() | {
        "market index": sources.market,
        "share of exposure with a beta": calculated["coverage"],
    }
    return Recalculation(values, inputs, _window(sources), own["observations"])


def _recalculate_portfolio_rates(sources: SourceRows, row: Row) -> Recalculation:
    holdings = delta_holdings(sources)
    alone = portfolio_beta(sources, holdings, row["rate_index"])
    both = [
        portfolio_beta(sources, holdings, sources.market, row["rate_index"], factor=factor)["beta"]
        for factor in (0, 1)
    ]
    values = {
        "rate_beta": alone["beta"],
        "r_squared": alone["r_squared"],
        "observations": alone["observations"],
        "two_factor_market_beta": both[0],
        "two_factor_rate_beta": both[1],
    }
    inputs = holdings.weight_inputs() | {"rate index": row["rate_index"]}
    return Recalculation(values, inputs, _window(sources))


_BY_SYMBOL = f"{STATSMODELS}, one fit per symbol, and pandas"

METRIC_GROUPS = [
    MetricGroup(
        tables.position_market_betas,
        STATSMODELS,
        partial(_recalculate_position_beta, "market_index", "beta"),
    ),
    MetricGroup(
        tables.position_interest_rate_betas,
        STATSMODELS,
        partial(_recalculate_position_beta, "rate_index", "ir_beta"),
    ),
    MetricGroup(tables.symbol_two_factor_betas, STATSMODELS, _recalculate_two_factor),
    MetricGroup(
        tables.symbol_adjusted_betas,
        f"{STATSMODELS}, weighted with the prior by precision",
        _recalculate_adjusted_beta,
    ),
    MetricGroup(
        tables.symbol_decayed_betas,
        "statsmodels WLS with robust errors on the source returns",
        _recalculate_decayed_beta,
    ),
    MetricGroup(tables.portfolio_snapshots, _BY_SYMBOL, _recalculate_snapshot_betas, FIGURES),
    MetricGroup(
        tables.portfolio_decayed_betas,
        "statsmodels WLS with robust errors, one fit per symbol, and pandas",
        _recalculate_portfolio_decayed,
    ),
    MetricGroup(tables.portfolio_rate_betas, _BY_SYMBOL, _recalculate_portfolio_rates),
]
