"""Losses of portfolios in stress scenarios: rows of `portfolio_stress`."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import stress as metrics
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.results.betas import MIN_PAIRED_RETURNS, SymbolBetas, missing_index_reason
from riskmetrics.results.decayed_betas import DecayedBetas
from riskmetrics.results.option_revaluation import OptionBook
from riskmetrics.results.rate_sensitivity import TwoFactorBetas
from riskmetrics.results.scenario_losses import (
    ScenarioLoss,
    no_scenario_rows,
    scenario_rows,
    sum_sensitivities,
)
from riskmetrics.results.snapshots import insufficient_coverage
from riskmetrics.results.stress_margins import loss_margins
from riskmetrics.results.stress_options import SymbolMoves, option_differences
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation

_BETA_LABELS = "a market beta", "a rate beta"


class StressBetas(NamedTuple):
    """Betas of symbols (S) on the sessions of a run (D)."""

    market: DecayedBetas
    rates: SymbolBetas
    two_factor: TwoFactorBetas
    """Betas for scenarios that move both factors: either one with the other factor held fixed, so
    that their common part is not counted twice."""


class History(NamedTuple):
    """Prices and returns that the losses of scenarios are computed from."""

    closes: pd.DataFrame
    """Adjusted closes, `window_ends` x symbols, among them the market index."""
    returns: panels.Returns
    """Returns of the DECAYED_WINDOW sessions that end on each session, of both indices too."""
    suspects: pd.DataFrame | None = None
    """Suspected splits of the whole history, as from `panels.suspected_splits`. A symbol has no
    return over a window with one."""


class _WindowReturns(NamedTuple):
    """Prices of symbols (S) at the ends of E windows, (E, S), and proxies of their returns."""

    before: FloatArray
    after: FloatArray
    proxy: FloatArray
    """Beta on each session times the return of the market index, (D, E, S)."""
    symbols: "pd.Index[str]"

    @property
    def moves(self) -> SymbolMoves:
        """Return of each symbol, or its proxy."""
        own = self.after / self.before - 1.0
        return SymbolMoves(np.where(np.isnan(own), self.proxy, own), self.symbols)


def window_ends(scenarios: pd.DataFrame) -> list[date]:
    """Return the first and last days of the windows to replay, in order."""
    days = pd.concat([scenarios["first_day"], scenarios["last_day"]]).dropna()
    return [day.date() for day in sorted(set(days))]


def stress_rows(
    valuation: Valuation,
    scenarios: pd.DataFrame,
    betas: StressBetas,
    history: History,
    options: OptionBook | None = None,
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
    history : History
        Prices of the replayed windows, and returns.
    options : OptionBook, optional
        Options to be revalued; None: no portfolio has options.

    Returns
    -------
    DataFrame
        Columns of `portfolio_stress`: the loss as a fraction of equity, negative for a gain; a row
        with a loss of NaN has a reason.
    """
    is_replayed = scenarios["first_day"].notna()
    moved, replayed = scenarios[~is_replayed], scenarios[is_replayed]
    windows = _window_returns(replayed, history, betas.market)
    losses = [
        *_factor_losses(valuation, moved, betas, history),
        *_replayed_losses(valuation, replayed, windows),
    ]
    if not losses:
        return no_scenario_rows(valuation)
    symbol_moves = [*_factor_moves(moved, betas), windows.moves]
    volatility_moves = np.append(moved["volatility_move"], replayed["volatility_move"])
    differences = option_differences(
        valuation, volatility_moves.astype(float), symbol_moves, options
    )
    frames = [
        scenario_rows(valuation, name, loss, options, difference)
        for name, loss, difference in zip(
            [*moved["name"], *replayed["name"]], losses, differences, strict=True
        )
    ]
    return pd.concat(frames, ignore_index=True)


def _factor_losses(
    valuation: Valuation, scenarios: pd.DataFrame, betas: StressBetas, history: History
) -> Iterator[ScenarioLoss]:
    market_betas, rate_betas, both = betas
    one_factor = (
        sum_sensitivities(valuation, market_betas.estimates.beta, market_betas.symbols),
        sum_sensitivities(valuation, rate_betas.ols.beta, rate_betas.returns.frame.columns),
    )
    two_factor = tuple(
        sum_sensitivities(valuation, beta, both.symbols)
        for beta in (both.ols.beta_1, both.ols.beta_2)
    )
    indices = market_betas.market_index, rate_betas.index_symbol
    margins = loss_margins(valuation, scenarios, history.returns, indices)
    few = Reason(
        f"fewer than {MIN_PAIRED_RETURNS} returns of {MIN_COVERAGE:.0%} of gross exposure and of"
        " the factors, for the margin"
    )
    for at, (market, rates) in enumerate(
        zip(scenarios["market_move"], scenarios["rate_move"], strict=True)
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
            missing_index_reason(rate_betas.index_symbol),
            rate_betas.is_index_missing & (1 in moves),
        )
        yield ScenarioLoss(
            sum(parts[1:], parts[0]),
            coverage,
            (no_rates, insufficient_coverage(what, coverage)),
            margin=margins[at],
            no_margin=few,
        )


def _loss(beta: FloatArray, move: float) -> FloatArray:
    return metrics.factor_losses(beta.ravel(), np.array([move])).reshape(beta.shape)


def _factor_moves(scenarios: pd.DataFrame, betas: StressBetas) -> Iterator[SymbolMoves]:
    """Yield the moves of symbols in each scenario: the sums of betas times moves."""
    market, rates, both = betas
    for market_move, rate_move in zip(
        scenarios["market_move"], scenarios["rate_move"], strict=True
    ):
        if np.isnan(rate_move):
            moves, symbols = market.estimates.beta * market_move, market.symbols
        elif np.isnan(market_move):
            moves, symbols = rates.ols.beta * rate_move, rates.returns.frame.columns
        else:
            moves = both.ols.beta_1 * market_move + both.ols.beta_2 * rate_move
            symbols = both.symbols
        yield SymbolMoves(moves[:, np.newaxis], symbols)


def _window_returns(
    scenarios: pd.DataFrame, history: History, betas: DecayedBetas
) -> _WindowReturns:
    """Return the returns of symbols in each window, and what stands for missing ones."""
    closes = history.closes
    before, after = (
        closes.reindex(pd.DatetimeIndex(scenarios[end])).to_numpy()
        for end in ("first_day", "last_day")
    )
    is_suspect = _has_split_suspect(scenarios, closes.columns, history.suspects)
    after = np.where(is_suspect, np.nan, after)
    index = closes.columns.get_loc(betas.market_index)
    market = (after / before - 1.0)[:, index]
    column = betas.symbols.get_indexer(closes.columns)
    beta = np.where(column >= 0, betas.estimates.beta[:, column], np.nan)
    return _WindowReturns(
        before, after, beta[:, np.newaxis, :] * market[:, np.newaxis], closes.columns
    )


def _replayed_losses(
    valuation: Valuation, scenarios: pd.DataFrame, windows: _WindowReturns
) -> Iterator[ScenarioLoss]:
    owner, n = valuation.instrument_portfolio, len(valuation.portfolios)
    held = zip(
        valuation.exposures.T,
        valuation.underlying_columns(windows.symbols),
        valuation.priced_share.T,
        windows.proxy,
        strict=True,
    )
    days = [
        metrics.replay(
            windows.before,
            windows.after,
            exposure,
            column=column,
            portfolio=owner,
            n_portfolios=n,
            priced_share=priced,
            proxy=proxy,
        )
        for exposure, column, priced, proxy in held
    ]
    # each of shape (P, D, E)
    found = metrics.Replay._make(np.stack(parts, axis=1) for parts in zip(*days, strict=True))
    for e, (first, last) in enumerate(
        zip(scenarios["first_day"], scenarios["last_day"], strict=True)
    ):
        ends_after_day = np.broadcast_to(
            pd.to_datetime(valuation.sessions).to_numpy() < last.to_datetime64(),
            valuation.net.shape,
        )
        loss, coverage, proxied = (
            np.where(ends_after_day, np.nan, values[:, :, e]) for values in found
        )
        yield ScenarioLoss(
            loss * valuation.amount_denominator,
            coverage,
            (
                Reason(
                    f"the replayed window ends on {last:%Y-%m-%d}, after the day", ends_after_day
                ),
                insufficient_coverage(
                    f"holdings with closes on {first:%Y-%m-%d} and {last:%Y-%m-%d}, or a beta",
                    coverage,
                ),
            ),
            proxied_share=proxied,
        )


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
