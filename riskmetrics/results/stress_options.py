"""Options in stress scenarios, valued at the moved prices and volatilities."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.results.option_revaluation import OptionBook
from riskmetrics.results.valuation import Valuation


class SymbolMoves(NamedTuple):
    """Moves of symbols (S) in K scenarios on each session, (D, K, S); NaN is unknown."""

    moves: FloatArray
    symbols: "pd.Index[str]"


def option_differences(
    valuation: Valuation,
    volatility_moves: FloatArray,
    scenarios: "list[SymbolMoves]",
    options: OptionBook | None,
) -> FloatArray:
    """Return changes of value by full revaluation minus those by delta, (K, P, D), in currency.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    volatility_moves : (K,) array
        Relative changes of volatilities; NaN is none.
    scenarios : list of SymbolMoves
        Moves of all K scenarios, in their order.
    options : OptionBook or None
        Open options.

    Returns
    -------
    (K, P, D) array
        NaN for portfolios with an option without a value, 0 without options. An option whose
        underlying has no move adds nothing, as in the delta approximation.
    """
    differences = np.zeros((len(volatility_moves), *valuation.net.shape))
    if options is None:
        return differences
    factor = 1.0 + np.nan_to_num(volatility_moves)[:, np.newaxis]
    for day in range(len(valuation.sessions)):
        held = options.session(day)
        if not len(held.portfolio):
            continue
        moves = []
        for scenario in scenarios:
            column = scenario.symbols.get_indexer(held.underlying)
            moves.append(np.where(column >= 0, scenario.moves[day][:, column], np.nan))
        move = np.concatenate(moves)
        differences[:, :, day] = held.difference(move, held.options.volatility * factor)
    return np.where(options.n_unknown > 0, np.nan, differences)
