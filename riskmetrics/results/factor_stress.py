"""Losses of portfolios in scenarios that move factors: rows of `portfolio_stress`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from riskmetrics.factor_sets import MARKET, parse_moves
from riskmetrics.results.factor_results import SymbolFactors
from riskmetrics.results.option_revaluation import OptionBook
from riskmetrics.results.scenario_losses import (
    ScenarioLoss,
    no_scenario_rows,
    scenario_rows,
    sum_sensitivities,
)
from riskmetrics.results.snapshots import insufficient_coverage
from riskmetrics.results.stress_options import SymbolMoves, option_differences
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation


def scenario_moves(scenario: Mapping[str, object]) -> dict[str, float]:
    """Return the moves of a scenario with factor moves, by factor, that of the market too.

    Examples
    --------
    >>> scenario_moves({"factor_moves": "value=-0.05", "market_move": -0.1})
    {'value': -0.05, 'market': -0.1}
    """
    moves = parse_moves(str(scenario["factor_moves"]))
    if not pd.isna(market := scenario["market_move"]):  # type: ignore[call-overload]
        moves[MARKET] = float(str(market))
    return moves


def factor_stress_rows(
    valuation: Valuation,
    scenarios: pd.DataFrame,
    factors: SymbolFactors,
    options: OptionBook | None = None,
) -> pd.DataFrame:
    """Return a row of `portfolio_stress` per portfolio, day and scenario that moves factors.

    ``factors`` are the factor exposures on the sessions of the valuation, and ``options`` are
    revalued. Factors that a scenario does not name do not move.
    """
    chosen = scenarios[scenarios["factor_moves"].notna()]
    if chosen.empty:
        return no_scenario_rows(valuation)
    losses, moves = [], []
    for scenario in chosen.to_dict("records"):
        factor_moves = scenario_moves({str(name): value for name, value in scenario.items()})
        loss, move = _scenario_loss(valuation, factor_moves, factors)
        losses.append(loss)
        moves.append(move)
    volatility_moves = chosen["volatility_move"].to_numpy(float)
    differences = option_differences(valuation, volatility_moves, moves, options)
    frames = [
        scenario_rows(valuation, str(name), loss, options, difference)
        for name, loss, difference in zip(chosen["name"], losses, differences, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def _scenario_loss(
    valuation: Valuation, moves: Mapping[str, float], factors: SymbolFactors
) -> tuple[ScenarioLoss, SymbolMoves]:
    """Return the loss of portfolios and the moves of symbols, if factors move by ``moves``."""
    names, shape = factors.model.names, valuation.net.shape
    if unknown := ", ".join(name for name in moves if name not in names):
        undefined = np.full(shape, np.nan)
        reason = Reason(f"RISKMETRICS_FACTORS does not have the factor {unknown}", condition=True)
        symbol_returns = np.full(factors.r_squared.shape, np.nan)
        loss = ScenarioLoss(undefined, undefined, (reason,))
    else:
        # the return of a symbol: one sum per symbol, as all moves happen together
        parts = [factors.exposure[names.index(name)] * move for name, move in moves.items()]
        symbol_returns = sum(parts[1:], parts[0])
        change = sum_sensitivities(valuation, symbol_returns, factors.symbols)
        excluded = (
            reason
            for name in moves
            for reason in factors.model.exclusion_reasons(names.index(name), shape)
        )
        uncovered = insufficient_coverage("positions with factor exposures", change.coverage)
        loss = ScenarioLoss(-change.beta, change.coverage, (*excluded, uncovered))
    return loss, SymbolMoves(symbol_returns[:, np.newaxis], factors.symbols)
