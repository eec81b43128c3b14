"""Losses of portfolios in scenarios, with options revalued: rows of `portfolio_stress`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.portfolio import WeightedBeta
from riskmetrics.results.option_revaluation import OptionBook
from riskmetrics.results.snapshots import weigh_betas
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation


class ScenarioLoss(NamedTuple):
    """Moves of symbols (S) in a scenario, and losses of portfolios in currency, (P, D)."""

    name: str
    volatility_move: float
    """Relative change of volatilities, for options; NaN is none."""
    symbols: "pd.Index[str]"
    moves: FloatArray
    """Returns of the symbols on each session, (D, S); NaN is unknown."""
    loss: FloatArray
    coverage: FloatArray
    reasons: tuple[Reason, ...]
    """Reasons of undefined losses."""
    margin: FloatArray | None = None
    """Half the 95 % interval in units of equity; None for style factors and historical windows."""
    no_margin: Reason = Reason("")
    proxied_share: FloatArray | None = None
    """None without a historical window."""


def sum_sensitivities(
    valuation: Valuation, per_symbol: FloatArray, symbols: "pd.Index[str]"
) -> WeightedBeta:
    """Sum sensitivities of symbols, (D, S): changes of value in currency per unit move, (P, D)."""
    return weigh_betas(
        valuation, valuation.map_to_instruments(per_symbol, symbols), is_in_currency=True
    )


def scenario_rows(
    valuation: Valuation, losses: Sequence[ScenarioLoss], options: OptionBook | None
) -> pd.DataFrame:
    """Return a row of `portfolio_stress` per portfolio, day and scenario."""
    if not losses:
        empty = np.full(valuation.net.shape, np.nan)
        none = ScenarioLoss("", np.nan, pd.Index([], dtype="str"), empty, empty, empty, ())
        return _loss_rows(valuation, none, None, empty).iloc[:0]
    differences = _option_differences(valuation, losses, options)
    frames = [
        _loss_rows(valuation, loss, options, difference)
        for loss, difference in zip(losses, differences, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def _loss_rows(
    valuation: Valuation, found: ScenarioLoss, options: OptionBook | None, difference: FloatArray
) -> pd.DataFrame:
    """Return rows of one scenario.

    ``difference`` is what the revaluation of options adds to their delta approximation, (P, D), in
    currency.
    """
    undefined = np.full(valuation.net.shape, np.nan)
    fraction, denominator = found.loss / valuation.weight_denominator, valuation.weight_denominator
    has_options = np.zeros(undefined.shape, np.bool_) if options is None else options.n_options > 0
    revalued = np.where(has_options, found.loss - difference, np.nan)
    margin = (
        undefined if found.margin is None else np.where(np.isnan(fraction), np.nan, found.margin)
    )
    figures = {
        "loss": fraction,
        "loss_margin": margin,
        "loss_value": found.loss,
        "revalued_loss": revalued / denominator,
        "revalued_loss_value": revalued,
        "coverage": found.coverage,
        "proxied_share": undefined if found.proxied_share is None else found.proxied_share,
    }
    *gates, too_little_equity = valuation.common_reasons
    reason = valuation.undefined_reasons(fraction, *gates, *found.reasons, too_little_equity)
    if options is not None:
        is_unknown = np.where(options.n_unknown > 0, np.nan, 0.0)
        reason = reason.combine_first(
            valuation.undefined_reasons(is_unknown, options.unknown_reason)
        )
    if found.margin is not None:
        reason = reason.combine_first(valuation.undefined_reasons(margin, found.no_margin))
    return valuation.to_frame(figures, "day").assign(scenario=found.name, undefined_reason=reason)


def _option_differences(
    valuation: Valuation, losses: Sequence[ScenarioLoss], options: OptionBook | None
) -> FloatArray:
    """Return changes of value by full revaluation minus those by delta, (K, P, D), in currency.

    They are NaN for portfolios with an option without a value, 0 without options. An option whose
    underlying has no move adds nothing, as in the delta approximation.
    """
    differences = np.zeros((len(losses), *valuation.net.shape))
    if options is None:
        return differences
    volatility_moves = np.array([loss.volatility_move for loss in losses])
    factor = 1.0 + np.nan_to_num(volatility_moves)[:, np.newaxis]
    for day in range(len(valuation.sessions)):
        held = options.session(day)
        if len(held.portfolio):
            moves = []
            for loss in losses:
                column = loss.symbols.get_indexer(held.underlying)
                moves.append(np.where(column >= 0, loss.moves[day, column], np.nan))
            differences[:, :, day] = held.difference(
                np.stack(moves), held.options.volatility * factor
            )
    return np.where(options.n_unknown > 0, np.nan, differences)
