"""Recalculated tail risk, contributions, drawdowns and stress results."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import Holdings, pro_forma_returns, value_holdings
from riskmetrics.explain.recalculated_betas import fit_ols, portfolio_beta
from riskmetrics.explain.recalculated_covariance import decayed_covariance
from riskmetrics.explain.recalculated_factors import factor_move_loss
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.explain.volatility_figures import portfolio_figures
from riskmetrics.metrics import tail_risk as method
from riskmetrics.metrics.filtered_simulation import FILTER_DECAY, FILTER_WINDOW, MIN_FILTER_OBS
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.betas import BETA_WINDOW
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW
from riskmetrics.results.tail_risk_results import (
    MIN_BACKTEST_DAYS,
    MIN_OBS_BY_LEVEL,
    TAIL_RISK_WINDOW,
)


def _first_and_last_day(frame: pd.DataFrame) -> Any:
    first, last = frame.index[[0, -1]]
    return first.date(), last.date()


def _recompute_tail_risk(sources: SourceRows, row: Row) -> Recalculation:
    level, root = float(row["level"]), math.sqrt(row["horizon_days"])
    inputs = {"method": row["method"], "level": level, "sessions": row["horizon_days"]}
    holdings = value_holdings(sources, is_delta_adjusted=True)
    if row["method"] == "parametric":
        from scipy import stats

        forecast = sources.forecast(sources.portfolio) or {
            "root_variance_forecast": None,
            "observations": 0,
        }
        risk, n_obs = forecast["root_variance_forecast"], forecast["observations"]
        in_money = (
            portfolio_figures(sources)["root_variance_amount"]
            if risk is None
            else risk * holdings.weight_denominator
        )
        daily = in_money / math.sqrt(SESSIONS_PER_YEAR)
        density = stats.norm.pdf(stats.norm.ppf(level)) / (1 - level)
        values = _tail_risk_values(
            holdings, stats.norm.ppf(level) * daily * root, density * daily * root
        )
        return Recalculation(
            values | {"observations": n_obs},
            inputs | {"daily volatility in money": daily},
            None,
            n_obs,
        )
    returns = pro_forma_returns(sources, TAIL_RISK_WINDOW)["change"]
    if row["method"] == "filtered":
        returns = _rescale_to_latest_volatility(returns)
    returns = returns.iloc[-method.VAR_WINDOW :]
    losses = -returns.dropna().to_numpy(float)
    at_risk = shortfall = math.nan
    if len(losses) >= MIN_OBS_BY_LEVEL[level]:
        at_risk = float(np.quantile(losses, level))
        shortfall = float(losses[losses >= at_risk].mean())
    values = _tail_risk_values(holdings, at_risk * root, shortfall * root) | {
        "observations": len(losses)
    }
    inputs |= {"losses beyond": int((losses > at_risk).sum()), **holdings.weight_inputs()}
    return Recalculation(values, inputs, _first_and_last_day(returns.to_frame()), len(losses))


def _rescale_to_latest_volatility(returns: "pd.Series[float]") -> "pd.Series[float]":
    """Return each return times the latest volatility / the volatility before it."""

    def volatility(window: "pd.Series[float]") -> float:
        known = window.notna()
        if known.sum() < MIN_FILTER_OBS:
            return math.nan
        weights = FILTER_DECAY ** np.arange(len(window) - 1, -1, -1)[known]
        return math.sqrt(float(np.average(window[known] ** 2, weights=weights)))

    estimates = pd.Series(math.nan, returns.index)
    for last in range(FILTER_WINDOW, len(returns) + 1):
        estimates.iloc[last - 1] = volatility(returns.iloc[last - FILTER_WINDOW : last])
    before = estimates.shift(1)
    return returns / before.where(before > 0) * estimates.iloc[-1]


def _tail_risk_values(holdings: Holdings, at_risk: float, shortfall: float) -> dict[str, Any]:
    """Return value at risk and expected shortfall as fractions of equity and as amounts."""
    values = {
        "value_at_risk": at_risk / holdings.weight_denominator,
        "expected_shortfall": shortfall / holdings.weight_denominator,
    }
    return values | {"value_at_risk_amount": at_risk, "expected_shortfall_amount": shortfall}


def _recompute_backtest(sources: SourceRows, row: Row) -> Recalculation:
    from scipy import stats

    level, returns = float(row["level"]), pro_forma_returns(sources, TAIL_RISK_WINDOW)["change"]
    losses, tested = -returns.to_numpy(float), []
    for at in range(method.VAR_WINDOW, TAIL_RISK_WINDOW):
        before = losses[at - method.VAR_WINDOW : at]
        before = before[np.isfinite(before)]
        if np.isfinite(losses[at]) and len(before) >= MIN_OBS_BY_LEVEL[level]:
            tested.append(losses[at] > np.quantile(before, level))
    n, exceptions = len(tested), int(sum(tested))
    expected = n * (1 - level)
    values = {
        "expected_exceptions": expected,
        "exceptions": exceptions,
        "n_tested": n,
        "likelihood_ratio": math.nan,
        "p_value": math.nan,
    }
    if n >= MIN_BACKTEST_DAYS:
        test = stats.power_divergence(
            [exceptions, n - exceptions], [expected, n - expected], lambda_="log-likelihood"
        )
        values |= {"likelihood_ratio": float(test.statistic), "p_value": float(test.pvalue)}
    return Recalculation(
        values,
        {"level": level} | value_holdings(sources, is_delta_adjusted=True).weight_inputs(),
        _first_and_last_day(returns.to_frame()),
        n,
    )


def _recompute_contribution(sources: SourceRows, row: Row) -> Recalculation:
    holdings, symbol = value_holdings(sources, is_delta_adjusted=True), row["symbol"]
    own = pro_forma_returns(sources, YEAR_WINDOW)
    counted, held = (
        own["return"].notna(),
        holdings.instruments[holdings.instruments["has_return_series"]],
    )
    returns = sources.returns(
        {*holdings.exposed["underlying"], sources.market, symbol}, YEAR_WINDOW
    )[symbol]
    weight = (
        float(held["exposure"][held["underlying"] == symbol].sum(skipna=False))
        / holdings.risk_denominator
    )
    whole, part = own["return"][counted], (returns / own["coverage"])[counted]
    marginal = volatility = math.nan
    if len(whole) >= MIN_YEAR_OBS:
        volatility = float(whole.std())
        if volatility > 0 and part.notna().any():
            marginal = float(np.cov(part.fillna(0.0), whole)[0, 1]) / volatility
    year = math.sqrt(SESSIONS_PER_YEAR)
    decayed = decayed_covariance(sources)
    added = decayed.marginal(symbol)
    values = {
        "weight": weight,
        "component": weight * marginal * year,
        "marginal": marginal * year,
        "share": weight * marginal / volatility if volatility > 0 else math.nan,
        "decayed_component": weight * added,
        "decayed_marginal": added,
        "decayed_share": weight * added / decayed.volatility
        if decayed.volatility > 0
        else math.nan,
        "observations": len(part.dropna()),
    }
    inputs = {
        "symbol": symbol,
        "volatility of the portfolio": volatility * year,
        "volatility, age-decayed": decayed.volatility,
    } | holdings.weight_inputs()
    return Recalculation(values, inputs, _first_and_last_day(own), int(counted.sum()))


def _recompute_ex_ante(sources: SourceRows, row: Row) -> Recalculation:
    holdings, own = (
        value_holdings(sources, is_delta_adjusted=True),
        pro_forma_returns(sources, YEAR_WINDOW),
    )
    n_obs = int(own["return"].count())
    if row["method"] == "decayed":
        found = decayed_covariance(sources)
        figures = (found.volatility, found.shrinkage, found.effective_observations)
    elif n_obs >= MIN_YEAR_OBS:
        figures = (float(own["return"].std()) * math.sqrt(SESSIONS_PER_YEAR), 0.0, float(n_obs))
    else:
        figures = (math.nan,) * 3
    names = ("volatility", "shrinkage", "effective_observations")
    values = dict(zip(names, figures, strict=True)) | {"observations": n_obs}
    return Recalculation(
        values, holdings.weight_inputs(), _first_and_last_day(own), int(values["observations"])
    )


def _recompute_drawdown(sources: SourceRows, _: Row) -> Recalculation:
    returns = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    n_obs = int(returns.count())
    names = (
        *("current_drawdown", "current_drawdown_peak"),
        *("max_drawdown", "max_drawdown_peak", "max_drawdown_trough"),
    )
    values: dict[str, Any] = dict.fromkeys(names) | {"observations": n_obs}
    if n_obs >= MIN_YEAR_OBS:
        closes = pd.DatetimeIndex(
            pd.to_datetime(trading_calendar.sessions_with_lookback([sources.day], YEAR_WINDOW))
        )
        wealth = pd.Series(
            np.append(1.0, (1 + returns.fillna(0.0)).clip(lower=0.0).cumprod()),
            index=closes[-len(returns) - 1 :],
        )
        fall = 1 - wealth / wealth.cummax()
        trough = pd.Timestamp(str(fall.idxmax()))
        values |= {
            "current_drawdown": float(fall.iloc[-1]),
            "current_drawdown_peak": _peak_day(wealth),
            "max_drawdown": float(fall.max()),
        }
        if fall.max() > 0:
            values |= {
                "max_drawdown_peak": _peak_day(wealth[:trough]),
                "max_drawdown_trough": trough.date(),
            }
    return Recalculation(
        values,
        value_holdings(sources, is_delta_adjusted=True).weight_inputs(),
        _first_and_last_day(returns.to_frame()),
        n_obs,
    )


def _peak_day(wealth: "pd.Series[float]") -> date:
    return pd.Timestamp(str(wealth.idxmax())).date()


def _recompute_stress(sources: SourceRows, row: Row) -> Recalculation:
    holdings, scenario = (
        value_holdings(sources, is_delta_adjusted=True),
        sources.scenario(row["scenario"]),
    )
    if pd.notna(scenario["first_day"]):
        loss, coverage = _replayed_loss(sources, holdings, scenario)
    elif pd.notna(scenario["factor_moves"]):
        loss, coverage = factor_move_loss(sources, holdings, scenario)
    else:
        loss, coverage = _factor_loss(sources, holdings, scenario)
    inputs = {
        name: scenario[name]
        for name in ("market_move", "rate_move", "factor_moves", "first_day", "last_day")
        if pd.notna(scenario[name])
    }
    return Recalculation(
        {"loss": loss / holdings.weight_denominator, "loss_value": loss, "coverage": coverage},
        inputs | holdings.weight_inputs(),
    )


def _factor_loss(
    sources: SourceRows, holdings: Holdings, scenario: "pd.Series[Any]"
) -> tuple[float, float]:
    """Return the loss, minus the sum of beta times move, and its coverage.

    If both factors move, the betas are those of the two-factor regression.
    """
    moves = {"market_move": sources.market, "rate_move": sources.rate}
    moving = [name for name in moves if pd.notna(scenario[name])]
    indices = [moves[name] for name in moving]
    found = [
        portfolio_beta(sources, holdings, *indices, factor=at, is_in_currency=True)
        for at in range(len(moving))
    ]
    return (
        -sum(fit["beta"] * scenario[name] for fit, name in zip(found, moving, strict=True)),
        found[0]["coverage"],
    )


def _replayed_loss(
    sources: SourceRows, holdings: Holdings, scenario: "pd.Series[Any]"
) -> tuple[float, float]:
    first, last = (scenario[name].date() for name in ("first_day", "last_day"))
    if sources.day < last:
        return math.nan, math.nan
    exposed = holdings.exposed
    closes = sources.adjusted_closes(set(exposed["underlying"]), [first, last])
    change = exposed["underlying"].map(closes.iloc[-1] / closes.iloc[0] - 1).astype(float)
    change = change.mask(exposed["underlying"].isin(sources.split_suspects(first, last)))
    covered_share = (
        float(exposed["exposure"].abs()[change.notna()].sum()) / holdings.gross_exposure
        if holdings.gross_exposure
        else math.nan
    )
    coverage = covered_share * holdings.price_coverage
    enough = meets_minimum(coverage, MIN_COVERAGE) and holdings.has_price_coverage
    return (
        -float((exposed["exposure"] * change).sum()) / covered_share if enough else math.nan
    ), coverage


def _recompute_market_regression(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, BETA_WINDOW)["return"]
    market = sources.index_returns(sources.market, BETA_WINDOW)
    fit = fit_ols(own, market)
    (beta,), (std_error,), n_obs = fit["beta"], fit["std_error"], fit["observations"]
    residuals = (own - fit["alpha"] - beta * market).dropna()
    variance = SESSIONS_PER_YEAR * float((residuals**2).sum()) / (n_obs - 2) if n_obs > 2 else 0.0
    values = {
        "beta": beta,
        "std_error": std_error,
        "r_squared": fit["r_squared"],
        "specific_volatility": math.sqrt(variance) if math.isfinite(beta) else math.nan,
        "observations": n_obs,
    }
    return _compared_with_market(sources, values, own, n_obs)


def _recompute_active_risk(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    active = (own - sources.index_returns(sources.market, YEAR_WINDOW)).dropna()
    risk, mean = (
        (
            float(active.std()) * math.sqrt(SESSIONS_PER_YEAR),
            float(active.mean()) * SESSIONS_PER_YEAR,
        )
        if len(active) >= MIN_YEAR_OBS
        else (math.nan, math.nan)
    )
    values = {
        "tracking_error": risk,
        "active_return": mean,
        "information_ratio": mean / risk if risk else math.nan,
        "observations": len(active),
    }
    return _compared_with_market(sources, values, own, len(active))


def _recompute_performance(sources: SourceRows, _: Row) -> Recalculation:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    index = sources.index_returns(sources.market, YEAR_WINDOW)
    paired = pd.concat([own, index], axis=1, keys=["own", "index"]).dropna()
    names = ("annual_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio")
    values: dict[str, Any] = dict.fromkeys((*names, "up_capture", "down_capture"), math.nan)
    if len(paired) >= MIN_YEAR_OBS:
        r = paired["own"]
        wealth = np.exp(np.log1p(r).cumsum())
        annual = float(wealth.iloc[-1] ** (SESSIONS_PER_YEAR / len(r)) - 1)
        worst = float((1 - wealth / wealth.cummax().clip(lower=1)).max())
        spreads = float(r.std()), float(np.sqrt((r.clip(upper=0) ** 2).mean()))
        ratios = [
            float(r.mean()) * math.sqrt(SESSIONS_PER_YEAR) / s if s else math.nan for s in spreads
        ]
        captures = []
        for rows in (paired[paired["index"] > 0], paired[paired["index"] < 0]):
            means = np.expm1(np.log1p(rows).mean())
            captures.append(float(means["own"] / means["index"]) if len(rows) else math.nan)
        found = (annual, *ratios, annual / worst if worst else math.nan, *captures)
        values = dict(zip(values, found, strict=True))
    values["observations"] = len(paired)
    return _compared_with_market(sources, values, own, len(paired))


def _compared_with_market(
    sources: SourceRows, values: dict[str, Any], own: "pd.Series[float]", n_obs: int
) -> Recalculation:
    holdings = value_holdings(sources, is_delta_adjusted=True)
    inputs = {"market index": sources.market, **holdings.weight_inputs()}
    return Recalculation(values, inputs, _first_and_last_day(own.to_frame()), n_obs)


METRIC_GROUPS = [
    MetricGroup(
        tables.portfolio_tail_risk,
        "numpy.quantile and scipy.stats.norm over the source returns and the stored forecast",
        _recompute_tail_risk,
    ),
    MetricGroup(
        tables.portfolio_var_backtests,
        "numpy.quantile per day, and scipy.stats.power_divergence (G test)",
        _recompute_backtest,
    ),
    MetricGroup(
        tables.portfolio_risk_contributions,
        "numpy.cov over the source returns",
        _recompute_contribution,
    ),
    MetricGroup(
        tables.portfolio_ex_ante_volatility,
        "numpy.cov of the holdings, and the matrices of Ledoit and Wolf (2004)",
        _recompute_ex_ante,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_drawdowns"],
        "pandas cumprod and cummax",
        _recompute_drawdown,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_market_regressions"],
        "statsmodels OLS of the portfolio's returns on the index",
        _recompute_market_regression,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_active_risk"],
        "pandas mean and standard deviation of the differences",
        _recompute_active_risk,
    ),
    MetricGroup(
        tables.STATISTIC_TABLES["portfolio_performance"],
        "pandas: sums of logarithms, and sample moments",
        _recompute_performance,
    ),
    MetricGroup(
        tables.portfolio_stress,
        "statsmodels OLS, one fit per symbol, and pandas",
        _recompute_stress,
    ),
]
