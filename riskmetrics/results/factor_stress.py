"""Losses of portfolios in scenarios that move factors: rows of `portfolio_stress`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from riskmetrics.factor_sets import MARKET, parse_moves
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.portfolio import weighted_beta
from riskmetrics.results.factor_results import SymbolFactors
from riskmetrics.results.snapshots import insufficient_coverage
from riskmetrics.results.stress_results import scenario_rows
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
    valuation: Valuation, scenarios: pd.DataFrame, found: SymbolFactors
) -> pd.DataFrame:
    """Return a row of `portfolio_stress` per portfolio, day and scenario that moves factors.

    ``found`` are the factor exposures on the sessions of the valuation. Factors that a scenario
    does not name do not move.
    """
    frames = []
    for scenario in scenarios[scenarios["factor_moves"].notna()].to_dict("records"):
        moves = scenario_moves({str(name): value for name, value in scenario.items()})
        names = found.model.names
        unknown = ", ".join(name for name in moves if name not in names)
        exposure, coverage = (
            _move_value(valuation, found, {names.index(name): m for name, m in moves.items()})
            if not unknown
            else (np.full(valuation.net.shape, np.nan),) * 2
        )
        frames.append(
            scenario_rows(
                valuation,
                str(scenario["name"]),
                -exposure,
                coverage,
                Reason(f"RISKMETRICS_FACTORS does not have the factor {unknown}", bool(unknown)),
                *(
                    reason
                    for name in moves
                    if not unknown
                    for reason in found.model.exclusion_reasons(
                        names.index(name), valuation.net.shape
                    )
                ),
                insufficient_coverage("positions with factor exposures", coverage),
            )
        )
    return (
        pd.concat(frames, ignore_index=True)
        if frames
        else scenario_rows(valuation, "", valuation.net, valuation.net).iloc[:0]
    )


def _move_value(
    valuation: Valuation, found: SymbolFactors, moves: Mapping[int, float]
) -> tuple[FloatArray, FloatArray]:
    """Return the change of value in currency and its coverage, each (P, D)."""
    # the return of a symbol: one sum per symbol, as all moves happen together
    response = sum(found.exposure[k] * move for k, move in moves.items())
    returns = valuation.map_to_instruments(np.asarray(response), found.symbols)
    weighed = weighted_beta(
        valuation.exposures,
        returns,
        returns,
        np.ones_like(returns),
        valuation.instrument_portfolio,
        valuation.amount_denominator,
        valuation.priced_share,
    )
    return weighed.beta, weighed.coverage
