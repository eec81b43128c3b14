"""Options of a run's sessions, to be revalued under moves of their underlyings."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.filtered_simulation import draw_changes, volatility_ratios
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.metrics.revaluation import Options, revaluation_difference, volatility_after
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.results.lot_frames import OPTION_RIGHTS, open_positions
from riskmetrics.results.option_results import PricingParameters
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation
from riskmetrics.transactions.model import CONTRACT_SIZE


class SessionOptions(NamedTuple):
    """Options that are held on a session, and their portfolios, each of shape (N,)."""

    options: Options
    portfolio: IntArray
    underlying: "pd.Index[str]"
    parameters: PricingParameters
    n_portfolios: int

    def difference(self, move: FloatArray, volatility: FloatArray) -> FloatArray:
        """Return changes of value by full revaluation minus those by delta, (K, P), in currency.

        ``move`` and ``volatility`` are (K, N), as in `metrics.revaluation`. An option whose
        underlying has no move adds nothing.
        """
        by_option = revaluation_difference(
            self.options,
            move,
            volatility,
            rate=self.parameters.risk_free_rate,
            dividend_yield=self.parameters.dividend_yield,
        )
        return group_sums(np.ascontiguousarray(by_option.T), self.portfolio, self.n_portfolios).T

    def select(self, chosen: IntArray) -> "SessionOptions":
        """Return some of the options."""
        return self._replace(
            options=Options._make(values[chosen] for values in self.options),
            portfolio=self.portfolio[chosen],
            underlying=self.underlying[chosen],
        )


@dataclass(frozen=True)
class OptionBook:
    """Options that are open on the sessions of a run: one entry per position and session, (R,)."""

    held: SessionOptions
    day: IntArray
    is_known: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    """Whether an option has a value."""
    n_days: int

    @cached_property
    def n_options(self) -> FloatArray:
        """Number of option positions, (P, D)."""
        return self._count(np.ones(len(self.day)))

    @cached_property
    def n_unknown(self) -> FloatArray:
        """Number of option positions without a value, (P, D)."""
        return self._count((~self.is_known).astype(float))

    @property
    def unknown_reason(self) -> Reason:
        """Reason of figures that need the value of every option."""
        return Reason(
            "an option has no Black-Scholes value; see `riskmetrics show options`",
            self.n_unknown > 0,
        )

    def session(self, day: int) -> SessionOptions:
        """Return the options with a value on a session."""
        return self.held.select(np.flatnonzero((self.day == day) & self.is_known))

    def _count(self, per_position: FloatArray) -> FloatArray:
        cell = self.held.portfolio * self.n_days + self.day
        shape = self.held.n_portfolios, self.n_days
        counts = group_sums(per_position[:, np.newaxis], cell, shape[0] * shape[1])
        return counts.reshape(shape)


def build_option_book(
    valuation: Valuation, lots: pd.DataFrame, rows: pd.DataFrame, parameters: PricingParameters
) -> OptionBook:
    """Return the open options of the sessions of a valuation.

    ``lots`` are from `option_results.option_lots`, ``rows`` their `option_results.position_rows` on
    the same sessions.
    """
    lot, day = open_positions(lots, valuation.sessions)
    owner = pd.Index(valuation.portfolios["portfolio_id"])
    is_call = (lots["position_type"].map(OPTION_RIGHTS) == "CALL").to_numpy(bool)
    options = Options(
        is_call[lot],
        lots["quantity"].to_numpy(float)[lot] * CONTRACT_SIZE,
        rows["underlying_price"].to_numpy(float),
        lots["strike_price"].to_numpy(float)[lot],
        rows["years_to_expiration"].to_numpy(float),
        rows["volatility"].to_numpy(float),
    )
    held = SessionOptions(
        options,
        owner.get_indexer(pd.Index(lots["portfolio_id"]))[lot].astype(np.int64),
        pd.Index(rows["underlying_symbol"]),
        parameters,
        len(valuation.portfolios),
    )
    is_known = np.isfinite(rows["value"].to_numpy(float)) & np.isfinite(options.spot)
    return OptionBook(held, day, is_known, len(valuation.sessions))


def revalue_session(
    held: SessionOptions, changes: FloatArray, filtered: FloatArray, moves: FloatArray
) -> FloatArray:
    """Return filtered one-session changes of the portfolios' values with options revalued, (W, P).

    Parameters
    ----------
    held : SessionOptions
        N options.
    changes : (T, P) array
        Pro-forma changes of value, with options by delta.
    filtered : (W, P) array
        `filtered_simulation.filter_returns` of them.
    moves : (T, N) array
        Returns of each option's underlying; NaN is missing.
    """
    filtered_moves = _filter_moves(held, changes, moves)
    volatility = volatility_after(held.options.volatility, filtered_moves[np.newaxis])
    return filtered + held.difference(filtered_moves, volatility)


def revalue_paths(
    held: SessionOptions,
    changes: FloatArray,
    filtered: FloatArray,
    moves: FloatArray,
    paths: FloatArray,
    horizon: int,
) -> FloatArray:
    """Return simulated paths with options revalued at their ends, (n_paths, P).

    ``paths`` are `filtered_simulation.simulate_paths` of ``filtered``; underlyings move as in the
    sessions that a path is drawn from. Other parameters are those of `revalue_session`.
    """
    filtered_moves, revalued = _filter_moves(held, changes, moves), paths.copy()
    for portfolio in np.unique(held.portfolio):
        chosen = np.flatnonzero(held.portfolio == portfolio)
        sessions = np.flatnonzero(np.isfinite(filtered[:, portfolio]))
        if not len(sessions):
            continue
        own = np.nan_to_num(filtered_moves[np.ix_(sessions, chosen)])
        steps = (own - own.mean(axis=0))[draw_changes(len(sessions), horizon, len(paths))]
        options = held.select(chosen)
        volatility = volatility_after(options.options.volatility, steps)
        revalued[:, portfolio] += options.difference(steps.sum(axis=0), volatility)[:, portfolio]
    return revalued


def _filter_moves(held: SessionOptions, changes: FloatArray, moves: FloatArray) -> FloatArray:
    """Return the moves of underlyings in the ratio that filters their portfolio, (W, N)."""
    portfolios, own = np.unique(held.portfolio, return_inverse=True)
    return moves[-VAR_WINDOW:] * volatility_ratios(changes[:, portfolios])[:, own]
