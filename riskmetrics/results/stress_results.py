"""Losses of portfolios in stress scenarios: rows of `portfolio_stress`."""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics import stress as metrics
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.portfolio import weighted_beta
from riskmetrics.results.betas import SymbolBetas, missing_index_reason
from riskmetrics.results.rate_sensitivity import TwoFactorBetas
from riskmetrics.results.snapshots import insufficient_coverage
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation

_BETA_LABELS = "a market beta", "a rate beta"


class StressBetas(NamedTuple):
    """Betas of symbols (S) on the sessions of a run (D)."""

    market: SymbolBetas
    rates: SymbolBetas
    two_factor: TwoFactorBetas
    """Betas for scenarios that move both factors: either one with the other factor held fixed, so
    that their common part is not counted twice."""


class _Sensitivity(NamedTuple):
    """Sensitivity to a factor, each of shape (P, D); beta is the currency change per unit move."""

    beta: FloatArray
    coverage: FloatArray


def window_ends(scenarios: pd.DataFrame) -> list[date]:
    """Return the first and last days of the windows to replay, in order."""
    days = pd.concat([scenarios["first_day"], scenarios["last_day"]]).dropna()
    return [day.date() for day in sorted(set(days))]


def stress_rows(
    valuation: Valuation,
    scenarios: pd.DataFrame,
    betas: StressBetas,
    closes: pd.DataFrame,
    suspects: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return a row of `portfolio_stress` per portfolio, day and scenario.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    scenarios : DataFrame
        Rows of `stress_scenarios`; those with a first_day are replayed.
    betas : StressBetas
        Betas on the sessions of the valuation.
    closes : DataFrame
        Adjusted closes, `window_ends` x symbols.
    suspects : DataFrame, optional
        Suspected splits of the whole history, as from `panels.suspected_splits`. A symbol has no
        return over a window with one.

    Returns
    -------
    DataFrame
        Columns of `portfolio_stress`: the loss as a fraction of equity, negative for a gain; a row
        with a loss of NaN has a reason.
    """
    replayed = scenarios["first_day"].notna()
    frames = [
        *_factor_move_rows(valuation, scenarios[~replayed], betas),
        *_replay_rows(valuation, scenarios[replayed], closes, suspects),
    ]
    return (
        pd.concat(frames, ignore_index=True)
        if frames
        else scenario_rows(valuation, "", valuation.net, valuation.net).iloc[:0]
    )


def _factor_move_rows(
    valuation: Valuation, scenarios: pd.DataFrame, betas: StressBetas
) -> list[pd.DataFrame]:
    symbols = (
        betas.market.returns.frame.columns,
        betas.rates.returns.frame.columns,
        betas.two_factor.symbols,
    )
    one_factor = (
        _sensitivity(valuation, betas.market.ols.beta, symbols[0]),
        _sensitivity(valuation, betas.rates.ols.beta, symbols[1]),
    )
    two_factor = tuple(
        _sensitivity(valuation, beta, symbols[2])
        for beta in (betas.two_factor.ols.beta_1, betas.two_factor.ols.beta_2)
    )
    frames = []
    for name, market, rates in zip(
        scenarios["name"], scenarios["market_move"], scenarios["rate_move"], strict=True
    ):
        moves = {factor: move for factor, move in enumerate((market, rates)) if not np.isnan(move)}
        known = two_factor if len(moves) == 2 else one_factor
        parts = [_loss(known[factor].beta, move) for factor, move in moves.items()]
        coverage = known[next(iter(moves))].coverage
        what = (
            "positions with both betas"
            if len(moves) == 2
            else f"positions with {_BETA_LABELS[next(iter(moves))]}"
        )
        no_rates = Reason(
            missing_index_reason(betas.rates.index_symbol),
            betas.rates.is_index_missing & (1 in moves),
        )
        frames.append(
            scenario_rows(
                valuation,
                name,
                sum(parts[1:], parts[0]),
                coverage,
                no_rates,
                insufficient_coverage(what, coverage),
            )
        )
    return frames


def _sensitivity(valuation: Valuation, beta: FloatArray, symbols: "pd.Index[str]") -> _Sensitivity:
    instrument_betas = valuation.map_to_instruments(beta, symbols)
    found = weighted_beta(
        valuation.exposures,
        instrument_betas,
        instrument_betas,
        np.ones_like(instrument_betas),
        valuation.instrument_portfolio,
        valuation.amount_denominator,
        valuation.priced_share,
    )
    return _Sensitivity(found.beta, found.coverage)


def _loss(beta: FloatArray, move: float) -> FloatArray:
    return metrics.factor_losses(beta.ravel(), np.array([move])).reshape(beta.shape)


def _replay_rows(
    valuation: Valuation,
    scenarios: pd.DataFrame,
    closes: pd.DataFrame,
    suspects: pd.DataFrame | None,
) -> list[pd.DataFrame]:
    before, after = (
        closes.reindex(pd.DatetimeIndex(scenarios[end])).to_numpy()
        for end in ("first_day", "last_day")
    )
    after = np.where(_has_split_suspect(scenarios, closes.columns, suspects), np.nan, after)
    owner, n = valuation.instrument_portfolio, len(valuation.portfolios)
    held = zip(
        valuation.exposures.T,
        valuation.underlying_columns(closes.columns),
        valuation.priced_share.T,
        strict=True,
    )
    days = [
        metrics.replay(
            before,
            after,
            exposure,
            column=column,
            portfolio=owner,
            n_portfolios=n,
            priced_share=priced,
        )
        for exposure, column, priced in held
    ]
    # each of shape (P, D, E)
    found = metrics.Replay._make(np.stack(parts, axis=1) for parts in zip(*days, strict=True))
    frames = []
    for e, (name, first, last) in enumerate(
        zip(scenarios["name"], scenarios["first_day"], scenarios["last_day"], strict=True)
    ):
        ends_after_day = np.broadcast_to(
            pd.to_datetime(valuation.sessions).to_numpy() < last.to_datetime64(),
            valuation.net.shape,
        )
        loss, coverage = (np.where(ends_after_day, np.nan, values[:, :, e]) for values in found)
        loss = loss * valuation.amount_denominator
        reasons = (
            Reason(f"the replayed window ends on {last:%Y-%m-%d}, after the day", ends_after_day),
            insufficient_coverage(
                f"holdings with closes on {first:%Y-%m-%d} and {last:%Y-%m-%d}", coverage
            ),
        )
        frames.append(scenario_rows(valuation, name, loss, coverage, *reasons))
    return frames


def _has_split_suspect(
    scenarios: pd.DataFrame, symbols: "pd.Index[str]", suspects: pd.DataFrame | None
) -> BoolArray:
    """Return whether the adjusted close has a suspected split in each window, (E, S).

    A move that the next session shows to be a bad tick counts only on the last session of a window.
    """
    found = np.zeros((len(scenarios), len(symbols)), dtype=bool)
    if suspects is None:
        return found
    suspects = suspects[suspects["in_adj_close"].notna() & suspects["symbol"].isin(symbols)]
    day, reverts = suspects["date"], suspects["adj_close_reverts"].astype(bool)
    columns = symbols.get_indexer(pd.Index(suspects["symbol"]))
    ends = zip(scenarios["first_day"], scenarios["last_day"], strict=True)
    for e, (first, last) in enumerate(ends):
        is_inside = (day > first) & ((day == last) | (day < last) & ~reverts)
        found[e, columns[is_inside.to_numpy(bool)]] = True
    return found


def scenario_rows(
    valuation: Valuation, name: str, loss: FloatArray, coverage: FloatArray, *reasons: Reason
) -> pd.DataFrame:
    """Return rows of one scenario; ``loss`` is in currency."""
    fraction = loss / valuation.weight_denominator
    figures = {"loss": fraction, "loss_value": loss, "coverage": coverage}
    *gates, too_little_equity = valuation.common_reasons
    reason = valuation.undefined_reasons(fraction, *gates, *reasons, too_little_equity)
    return valuation.to_frame(figures, "day").assign(scenario=name, undefined_reason=reason)
