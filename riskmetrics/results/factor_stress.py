"""Losses of portfolios in scenarios that move factors: rows of `portfolio_stress`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.factor_sets import MARKET, parse_moves
from riskmetrics.results.factor_results import SymbolFactors
from riskmetrics.results.option_revaluation import OptionBook
from riskmetrics.results.scenario_losses import ScenarioLoss, scenario_rows, sum_sensitivities
from riskmetrics.results.snapshots import insufficient_coverage
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
    chosen = scenarios[scenarios["factor_moves"].notna()].to_dict("records")
    losses = [
        _scenario_loss(valuation, {str(name): value for name, value in scenario.items()}, factors)
        for scenario in chosen
    ]
    return scenario_rows(valuation, losses, options)


def _scenario_loss(
    valuation: Valuation, scenario: Mapping[str, Any], factors: SymbolFactors
) -> ScenarioLoss:
    """Return the loss of portfolios and the moves of symbols in a scenario that moves factors."""
    names, shape, moves = factors.model.names, valuation.net.shape, scenario_moves(scenario)
    reasons: tuple[Reason, ...]
    if unknown := ", ".join(name for name in moves if name not in names):
        loss = coverage = np.full(shape, np.nan)
        reason = Reason(f"RISKMETRICS_FACTORS does not have the factor {unknown}", condition=True)
        symbol_returns, reasons = np.full(factors.r_squared.shape, np.nan), (reason,)
    else:
        # the return of a symbol: one sum per symbol, as all moves happen together
        parts = [factors.exposure[names.index(name)] * move for name, move in moves.items()]
        symbol_returns = sum(parts[1:], parts[0])
        change = sum_sensitivities(valuation, symbol_returns, factors.symbols)
        loss, coverage = -change.beta, change.coverage
        excluded = (
            reason
            for name in moves
            for reason in factors.model.exclusion_reasons(names.index(name), shape)
        )
        uncovered = insufficient_coverage("positions with factor exposures", coverage)
        reasons = (*excluded, uncovered)
    return ScenarioLoss(
        scenario["name"],
        scenario["volatility_move"],
        factors.symbols,
        symbol_returns,
        loss,
        coverage,
        reasons,
    )
