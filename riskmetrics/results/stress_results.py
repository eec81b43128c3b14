"""Losses of portfolios in stress scenarios: rows of `portfolio_stress`."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.metrics.portfolio import WeightedBeta
from riskmetrics.metrics.stress import Replay, factor_losses, replay
from riskmetrics.results.betas import MIN_PAIRED_RETURNS, SymbolBetas, missing_index_reason
from riskmetrics.results.decayed_betas import DecayedBetas
from riskmetrics.results.option_revaluation import OptionBook
from riskmetrics.results.rate_sensitivity import TwoFactorBetas
from riskmetrics.results.scenario_losses import ScenarioLoss, scenario_rows, sum_sensitivities
from riskmetrics.results.snapshots import insufficient_coverage
from riskmetrics.results.stress_margins import loss_margins
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation


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


class _Sensitivity(NamedTuple):
    """Betas of symbols to a factor, (D, S), and those of portfolios in currency, (P, D)."""

    label: str
    symbols: "pd.Index[str]"
    of_symbols: FloatArray
    of_portfolios: WeightedBeta


class _WindowReturns(NamedTuple):
    """Prices of symbols (S) at the ends of E windows, (E, S), and proxies of their returns."""

    before: FloatArray
    after: FloatArray
    proxy: FloatArray
    """Beta on each session times the return of the market index, (D, E, S)."""
    market: FloatArray
    """Return of the market index, (E,)."""
    symbols: "pd.Index[str]"

    @property
    def moves(self) -> FloatArray:
        """Return of each symbol, or its proxy, (D, E, S)."""
        own = self.after / self.before - 1.0
        return np.where(np.isnan(own), self.proxy, own)


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
    losses = [
        *_factor_losses(valuation, scenarios[~is_replayed], betas, history),
        *_replayed_losses(valuation, scenarios[is_replayed], betas.market, history),
    ]
    return scenario_rows(valuation, losses, options)


def _factor_losses(
    valuation: Valuation, scenarios: pd.DataFrame, betas: StressBetas, history: History
) -> Iterator[ScenarioLoss]:
    market, rates, both = betas

    def sum_betas(label: str, per_symbol: FloatArray, symbols: "pd.Index[str]") -> _Sensitivity:
        total = sum_sensitivities(valuation, per_symbol, symbols)
        return _Sensitivity(label, symbols, per_symbol, total)

    one_factor = (
        sum_betas("a market beta", market.estimates.beta, market.symbols),
        sum_betas("a rate beta", rates.ols.beta, rates.returns.frame.columns),
    )
    two_factor = tuple(
        sum_betas("both betas", beta, both.symbols) for beta in (both.ols.beta_1, both.ols.beta_2)
    )
    indices = market.market_index, rates.index_symbol
    margins = loss_margins(valuation, scenarios, history.returns, indices)
    few = Reason(
        f"fewer than {MIN_PAIRED_RETURNS} returns of {MIN_COVERAGE:.0%} of gross exposure and of"
        " the factors, for the margin"
    )
    for scenario, margin in zip(scenarios.to_dict("records"), margins, strict=True):
        moves = [scenario["market_move"], scenario["rate_move"]]
        is_joint = not np.isnan(moves).any()
        moved = [
            (factor, move)
            for factor, move in zip(two_factor if is_joint else one_factor, moves, strict=True)
            if not np.isnan(move)
        ]
        returns = [factor.of_symbols * move for factor, move in moved]
        changes = [_loss(factor.of_portfolios.beta, move) for factor, move in moved]
        first, _ = moved[0]
        coverage = first.of_portfolios.coverage
        no_rates = Reason(
            missing_index_reason(rates.index_symbol),
            rates.is_index_missing & (not np.isnan(scenario["rate_move"])),
        )
        yield ScenarioLoss(
            scenario["name"],
            scenario["volatility_move"],
            first.symbols,
            sum(returns[1:], returns[0]),
            sum(changes[1:], changes[0]),
            coverage,
            (no_rates, insufficient_coverage(f"positions with {first.label}", coverage)),
            margin=margin,
            no_margin=few,
        )


def _loss(beta: FloatArray, move: float) -> FloatArray:
    return factor_losses(beta.ravel(), np.array([move])).reshape(beta.shape)


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
    proxy = beta[:, np.newaxis, :] * market[:, np.newaxis]
    return _WindowReturns(before, after, proxy, market, closes.columns)


def _replay(valuation: Valuation, windows: _WindowReturns) -> Replay:
    """Return the replay of all windows on all sessions, each array of shape (P, D, E)."""
    owner, n = valuation.instrument_portfolio, len(valuation.portfolios)
    held = zip(
        valuation.exposures.T,
        valuation.underlying_columns(windows.symbols),
        valuation.priced_share.T,
        windows.proxy,
        strict=True,
    )
    days = [
        replay(
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
    return Replay._make(np.stack(parts, axis=1) for parts in zip(*days, strict=True))


def _replayed_losses(
    valuation: Valuation, scenarios: pd.DataFrame, betas: DecayedBetas, history: History
) -> Iterator[ScenarioLoss]:
    windows = _window_returns(scenarios, history, betas)
    found = _replay(valuation, windows)
    moves = windows.moves
    for e, scenario in enumerate(scenarios.to_dict("records")):
        first, last = scenario["first_day"], scenario["last_day"]
        ends_after_day = np.broadcast_to(
            pd.to_datetime(valuation.sessions).to_numpy() < last.to_datetime64(),
            valuation.net.shape,
        )
        loss, coverage, proxied = (
            np.where(ends_after_day, np.nan, values[:, :, e]) for values in found
        )
        or_beta = (
            f" ({betas.market_index} has no return between them, so no beta is used)"
            if np.isnan(windows.market[e])
            else ", or a beta"
        )
        yield ScenarioLoss(
            scenario["name"],
            scenario["volatility_move"],
            windows.symbols,
            moves[:, e],
            loss * valuation.amount_denominator,
            coverage,
            (
                Reason(
                    f"the replayed window ends on {last:%Y-%m-%d}, after the day", ends_after_day
                ),
                insufficient_coverage(
                    f"holdings with closes on {first:%Y-%m-%d} and {last:%Y-%m-%d}{or_beta}",
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
