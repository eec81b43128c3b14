"""Recalculated losses in stress scenarios."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculated_betas import (
    decayed_regression,
    fit_wls,
    symbol_regression,
    weight_betas,
)
from riskmetrics.explain.recalculated_factors import symbol_move
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.revalued_options import revaluation_difference
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW, Z_95
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS


def _recalculate_stress(sources: SourceRows, row: Row) -> Recalculation:
    """Recalculate the loss: minus the sum of exposure times the move of each symbol."""
    holdings, scenario = delta_holdings(sources), sources.scenario(row["scenario"])
    symbols = sorted(
        {*holdings.exposed_instruments["underlying"], *sources.options["underlying_symbol"]}
    )
    proxied_share, margin, has_ended = math.nan, math.nan, True
    if pd.notna(scenario["first_day"]):
        moves, is_proxied = _replayed_moves(sources, scenario, symbols)
        found = {name: {"beta": 1.0 if is_proxied[name] else math.nan} for name in symbols}
        proxied_share = weight_betas(holdings, found)["coverage"]
        has_ended = sources.day >= scenario["last_day"].date()
    elif pd.notna(scenario["factor_moves"]):
        moves = {name: symbol_move(sources, scenario, name) for name in symbols}
    else:
        moves = {name: _index_move(sources, scenario, name) for name in symbols}
        margin = _loss_margin(sources, scenario)
    fit = weight_betas(
        holdings, {name: {"beta": move} for name, move in moves.items()}, is_in_currency=True
    )
    loss = -fit["beta"] if has_ended else math.nan
    volatility_move = float(np.nan_to_num(scenario["volatility_move"]))
    added = revaluation_difference(sources, lambda name: np.array([[moves[name]]]), volatility_move)
    revalued = math.nan if added is None else loss - float(added[0])
    values = {
        "loss": loss / holdings.weight_denominator,
        "loss_value": loss,
        "loss_margin": margin + 0.0 * loss,
        "revalued_loss": revalued / holdings.weight_denominator,
        "revalued_loss_value": revalued,
        "coverage": fit["coverage"] if has_ended else math.nan,
        "proxied_share": proxied_share if has_ended else math.nan,
    }
    inputs = {
        name: scenario[name]
        for name in ("market_move", "rate_move", "factor_moves", "first_day", "last_day")
        if pd.notna(scenario[name])
    }
    return Recalculation(values, inputs | holdings.weight_inputs())


def _replayed_moves(
    sources: SourceRows, scenario: "pd.Series[Any]", symbols: list[str]
) -> tuple[dict[str, float], dict[str, bool]]:
    """Return the return of each symbol in the window, and whether it is beta times the market."""
    first, last = (scenario[name].date() for name in ("first_day", "last_day"))
    closes = sources.adjusted_closes({*symbols, sources.market}, [first, last])
    own = (closes.iloc[-1] / closes.iloc[0] - 1).astype(float)
    own = own.mask(own.index.isin(list(_split_suspects(sources, first, last))))
    moves = {
        name: decayed_regression(sources, name, sources.market)["beta"] * own[sources.market]
        if math.isnan(own[name])
        else float(own[name])
        for name in symbols
    }
    return moves, {name: math.isnan(own[name]) and not math.isnan(moves[name]) for name in symbols}


def _split_suspects(sources: SourceRows, first: date, last: date) -> set[str]:
    """Return symbols with a suspected split in the adjusted close in (first, last]."""
    return {
        row["symbol"]
        for row in sources.suspects.to_dict("records")
        if not pd.isna(row["in_adj_close"])
        and first < row["date"].date() <= last
        and not (row["adj_close_reverts"] and row["date"].date() < last)
    }


def _index_move(sources: SourceRows, scenario: "pd.Series[Any]", symbol: str) -> float:
    """Return the sum of a symbol's betas times the moves of the indices.

    If both move, the betas are those of the two-factor regression; the beta to the market alone is
    exponentially weighted.
    """
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
        _recalculate_stress,
    ),
]
