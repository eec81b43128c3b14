"""Recalculated losses in stress scenarios."""

import math
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import Holdings, delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculated_betas import (
    decayed_portfolio_beta,
    decayed_regression,
    fit_wls,
    portfolio_beta,
    symbol_regression,
)
from riskmetrics.explain.recalculated_factors import factor_move_loss, symbol_move
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.revalued_options import revaluation_difference
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW, Z_95
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS


def _recompute_stress(sources: SourceRows, row: Row) -> Recalculation:
    holdings = delta_holdings(sources)
    scenario = sources.scenario(row["scenario"])
    values: dict[str, Any] = {"proxied_share": math.nan, "loss_margin": math.nan}
    if pd.notna(scenario["first_day"]):
        loss, coverage, values["proxied_share"] = _replayed_loss(sources, holdings, scenario)
        moves = _window_moves(sources, scenario)
    elif pd.notna(scenario["factor_moves"]):
        loss, coverage = factor_move_loss(sources, holdings, scenario)
        moves = partial(symbol_move, sources, scenario)
    else:
        loss, coverage = _factor_loss(sources, holdings, scenario)
        values["loss_margin"] = _loss_margin(sources, scenario) + 0.0 * loss
        moves = partial(_factor_move, sources, scenario)
    volatility_move = float(np.nan_to_num(scenario["volatility_move"]))
    found = revaluation_difference(sources, lambda name: np.array([[moves(name)]]), volatility_move)
    revalued = math.nan if found is None else loss - float(found[0])
    values |= {
        "revalued_loss": revalued / holdings.weight_denominator,
        "revalued_loss_value": revalued,
    }
    inputs = {
        name: scenario[name]
        for name in ("market_move", "rate_move", "factor_moves", "first_day", "last_day")
        if pd.notna(scenario[name])
    }
    values |= {"loss": loss / holdings.weight_denominator, "loss_value": loss, "coverage": coverage}
    return Recalculation(values, inputs | holdings.weight_inputs())


def _factor_loss(
    sources: SourceRows, holdings: Holdings, scenario: "pd.Series[Any]"
) -> tuple[float, float]:
    """Return the loss, minus the sum of beta times move, and its coverage.

    If both factors move, the betas are those of the two-factor regression; the beta to the market
    alone is age-decayed.
    """
    moves = {"market_move": sources.market, "rate_move": sources.rate}
    moving = [name for name in moves if pd.notna(scenario[name])]
    if moving == ["market_move"]:
        fit = decayed_portfolio_beta(sources, holdings, is_in_currency=True)
        return -fit["beta"] * scenario["market_move"], fit["coverage"]
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
) -> tuple[float, float, float]:
    """Return the loss, its coverage, and the share that moves by beta times the market."""
    first, last = (scenario[name].date() for name in ("first_day", "last_day"))
    if sources.day < last:
        return math.nan, math.nan, math.nan
    exposed = holdings.exposed
    closes = sources.adjusted_closes({*exposed["underlying"], sources.market}, [first, last])
    moves = (closes.iloc[-1] / closes.iloc[0] - 1).astype(float)
    moves = moves.mask(moves.index.isin(list(_split_suspects(sources, first, last))))
    own = exposed["underlying"].map(moves).astype(float)
    betas = {
        symbol: decayed_regression(sources, symbol, sources.market)["beta"]
        for symbol in exposed["underlying"][own.isna()].unique()
    }
    change = own.fillna(exposed["underlying"].map(betas) * moves[sources.market])
    size, gross = exposed["exposure"].abs(), holdings.gross_exposure
    covered_share, proxied_share = (
        float(size[chosen].sum()) / gross if gross else math.nan
        for chosen in (change.notna(), own.isna() & change.notna())
    )
    coverage = covered_share * holdings.price_coverage
    enough = meets_minimum(coverage, MIN_COVERAGE) and holdings.has_price_coverage
    return (
        (-float((exposed["exposure"] * change).sum()) / covered_share if enough else math.nan),
        coverage,
        proxied_share * holdings.price_coverage,
    )


def _window_moves(sources: SourceRows, scenario: "pd.Series[Any]") -> Callable[[str], float]:
    """Return the function of a symbol that gives its return in the window, or beta times index."""
    first, last = (scenario[name].date() for name in ("first_day", "last_day"))

    def move(symbol: str) -> float:
        closes = sources.adjusted_closes({symbol, sources.market}, [first, last])
        found = (closes.iloc[-1] / closes.iloc[0] - 1).astype(float)
        if pd.notna(found[symbol]) and symbol not in _split_suspects(sources, first, last):
            return float(found[symbol])
        beta = decayed_regression(sources, symbol, sources.market)["beta"]
        return float(beta * found[sources.market])

    return move


def _split_suspects(sources: SourceRows, first: date, last: date) -> set[str]:
    """Return symbols with a suspected split in the adjusted close in (first, last]."""
    return {
        row["symbol"]
        for row in sources.suspects.to_dict("records")
        if not pd.isna(row["in_adj_close"])
        and first < row["date"].date() <= last
        and not (row["adj_close_reverts"] and row["date"].date() < last)
    }


def _factor_move(sources: SourceRows, scenario: "pd.Series[Any]", symbol: str) -> float:
    """Return the sum of a symbol's betas times moves."""
    market, rates = scenario["market_move"], scenario["rate_move"]
    if pd.isna(rates):
        return float(decayed_regression(sources, symbol, sources.market)["beta"] * market)
    indices = [sources.rate] if pd.isna(market) else [sources.market, sources.rate]
    betas = symbol_regression(sources, symbol, *indices)["beta"]
    moves = [rates] if pd.isna(market) else [market, rates]
    return float(sum(beta * move for beta, move in zip(betas, moves, strict=True)))


def _loss_margin(sources: SourceRows, scenario: "pd.Series[Any]") -> float:
    """Return 1.96 standard errors of the sum of the portfolio's own betas times moves."""
    from statsmodels.regression.linear_model import OLS  # slow to import
    from statsmodels.tools import add_constant

    market, rates = scenario["market_move"], scenario["rate_move"]
    own = pro_forma_returns(sources, DECAYED_WINDOW)["return"]
    if pd.isna(rates):
        fit = fit_wls(own, sources.index_returns(sources.market, DECAYED_WINDOW))
        return Z_95 * abs(float(market)) * float(fit["forecast_std_error"])
    moves = {sources.market: market, sources.rate: rates}
    moves = {index: move for index, move in moves.items() if pd.notna(move)}
    series = {index: sources.index_returns(index, BETA_WINDOW) for index in moves}
    rows = pd.DataFrame({"own": own.iloc[-BETA_WINDOW:], **series}).dropna()
    if len(rows) < MIN_PAIRED_RETURNS:
        return math.nan
    fit = OLS(rows["own"], add_constant(rows[list(moves)])).fit(cov_type="HC0")
    weights = np.array([0.0, *moves.values()])
    return Z_95 * math.sqrt(float(weights @ np.asarray(fit.cov_params()) @ weights))


METRIC_GROUPS = [
    MetricGroup(
        tables.portfolio_stress,
        "statsmodels OLS, one fit per symbol, and pandas",
        _recompute_stress,
    ),
]
