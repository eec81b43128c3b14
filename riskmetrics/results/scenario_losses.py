"""Losses of portfolios in one scenario, as rows of `portfolio_stress`."""

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
    """Losses of portfolios in a scenario in currency, (P, D), and the reasons of undefined ones."""

    loss: FloatArray
    coverage: FloatArray
    reasons: tuple[Reason, ...]
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
    valuation: Valuation,
    name: str,
    found: ScenarioLoss,
    options: OptionBook | None,
    difference: FloatArray,
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
    return valuation.to_frame(figures, "day").assign(scenario=name, undefined_reason=reason)


def no_scenario_rows(valuation: Valuation) -> pd.DataFrame:
    """Return the columns of `scenario_rows` without rows."""
    empty = np.full(valuation.net.shape, np.nan)
    return scenario_rows(valuation, "", ScenarioLoss(empty, empty, ()), None, empty).iloc[:0]
