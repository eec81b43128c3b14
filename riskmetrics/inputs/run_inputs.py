"""Inputs of the sessions of a run, and the series that several figures are computed from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.db import input_queries, stored_prices, volatility_queries
from riskmetrics.inputs.snapshot import Snapshot, list_open_symbols
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results import (
    betas,
    income,
    option_results,
    rate_sensitivity,
    score_results,
    stress_results,
    tail_risk_results,
    valuation,
    valuation_inputs,
    volatility_results,
)
from riskmetrics.results.lot_frames import is_listed, underlying
from riskmetrics.results.valuation import Valuation

MAX_HALT_SESSIONS = 63
"""Longest price gap, in sessions, across which a distribution is still detected."""


@dataclass(frozen=True, eq=False)
class RunInputs:
    """All inputs of some sessions; each series is derived once, when it is first used.

    Figures that are computed from the same RunInputs agree with each other: they have the same
    holdings, prices, estimates and values.

    Examples
    --------
    >>> with open_snapshot(engine, settings) as snapshot:  # doctest: +SKIP
    ...     inputs = RunInputs(snapshot, [date(2022, 12, 28)])
    ...     inputs.market_betas.beta
    """

    snapshot: Snapshot
    sessions: Sequence[date]
    """Exchange sessions, ascending."""

    @cached_property
    def open_symbols(self) -> set[str]:
        """Listed symbols and option underlyings of lots open on one of the sessions."""
        return self.snapshot.open_symbols(self.sessions)

    def clean_returns(self, window: int) -> panels.Returns:
        """Return clean returns of held symbols and both indices, in windows of ``window``."""
        return self._longest_returns.last(len(self.sessions) + window - 1)

    @cached_property
    def _longest_returns(self) -> panels.Returns:
        return self.clean_returns_for(
            self.open_symbols | self.snapshot.indices, tail_risk_results.TAIL_RISK_WINDOW
        )

    def clean_returns_for(self, symbols: Collection[str], window: int) -> panels.Returns:
        """Return clean returns of ``symbols`` in windows that end on the sessions."""
        closes = self._adjusted_closes(symbols, window)
        closes = panels.pad_history(closes, len(self.sessions) + window + 1)
        return panels.clean_returns(closes, self.snapshot.suspected_splits)

    def _adjusted_closes(self, symbols: Collection[str], window: int) -> pd.DataFrame:
        sessions = trading_calendar.sessions_with_lookback(self.sessions, window + 1)
        return input_queries.read_adjusted_closes(self.snapshot.connection, symbols, sessions)

    @cached_property
    def market_betas(self) -> betas.SymbolBetas:
        """Market betas of held symbols.

        Raises
        ------
        MissingPricesError
            If the market index has no close on one of the sessions.
        """
        market = self.snapshot.market_index
        closes = self._adjusted_closes({*self.open_symbols, market}, betas.BETA_WINDOW)
        panels.require_closes(closes, self.sessions, market)
        return betas.estimate_betas(
            panels.clean_returns(closes, self.snapshot.suspected_splits), market
        )

    @cached_property
    def rate_betas(self) -> betas.SymbolBetas:
        """One-factor rate betas of held symbols."""
        return betas.estimate_betas(self.clean_returns(betas.BETA_WINDOW), self.snapshot.rate_index)

    @cached_property
    def two_factor_betas(self) -> rate_sensitivity.TwoFactorBetas:
        """Market and rate betas of held symbols, each with the other index held fixed."""
        return rate_sensitivity.estimate_two_factor_betas(
            self.clean_returns(betas.BETA_WINDOW),
            self.snapshot.market_index,
            self.snapshot.rate_index,
        )

    @cached_property
    def stress_betas(self) -> stress_results.StressBetas:
        """Betas that stress scenarios use."""
        return stress_results.StressBetas(self.market_betas, self.rate_betas, self.two_factor_betas)

    @cached_property
    def stress_closes(self) -> pd.DataFrame:
        """Adjusted closes of held symbols at the ends of the windows of replayed scenarios."""
        ends = stress_results.window_ends(self.snapshot.stress_scenarios)
        return input_queries.read_adjusted_closes(self.snapshot.connection, self.open_symbols, ends)

    @cached_property
    def symbol_volatility(self) -> volatility_results.SymbolVolatility:
        """Realized and forecast volatility of held symbols."""
        market = self.snapshot.market_index
        bars = self._bars({*self.open_symbols, market}, volatility_results.SYMBOL_WINDOW)
        clean_bars = panels.clean_bars(**bars, suspects=self.snapshot.suspected_splits)
        return volatility_results.estimate_symbol_volatility(
            *clean_bars, market, self.snapshot.model_versions
        )

    @cached_property
    def portfolio_volatility(self) -> volatility_results.PortfolioVolatility:
        """Realized and forecast volatility of every portfolio."""
        exposures = self.option_adjusted_valuation
        symbols = pd.Index(sorted(self.open_symbols), dtype="str")
        chosen = np.unique(exposures.single_underlying(symbols))
        single_underlyings = {symbols[column] for column in chosen if column >= 0}
        window = volatility_results.PORTFOLIO_WINDOW
        bars = self._bars(single_underlyings, window)
        _, ranges = panels.clean_bars(**bars, suspects=self.snapshot.suspected_splits)
        return volatility_results.estimate_portfolio_volatility(
            exposures,
            self.clean_returns(window),
            ranges,
            self.snapshot.market_index,
            self.snapshot.model_versions,
        )

    def _bars(self, symbols: Collection[str], window: int) -> dict[str, pd.DataFrame]:
        bars = input_queries.read_bars(
            self.snapshot.connection,
            symbols,
            trading_calendar.sessions_with_lookback(self.sessions, window + 1),
        )
        n_rows = len(self.sessions) + window + 1
        return {name: panels.pad_history(frame, n_rows) for name, frame in bars.items()}

    @cached_property
    def valuation(self) -> Valuation:
        """Values of every portfolio; see `option_adjusted_valuation` for exposures of options."""
        return valuation.value_portfolios(
            self.sessions,
            self.snapshot.portfolios,
            self.snapshot.lots,
            self.snapshot.cash_anchors,
            read_market_data(self.snapshot, self.sessions),
            self.snapshot.cash_flows,
        )

    @cached_property
    def option_adjusted_valuation(self) -> Valuation:
        """Values of every portfolio, with options at their delta exposure."""
        lots = self.snapshot.lots
        if not list_open_symbols(option_results.option_lots(lots), self.sessions):
            return self.valuation
        return option_results.apply_delta_exposures(self.valuation, lots, self.option_exposures)

    @cached_property
    def option_exposures(self) -> pd.DataFrame:
        """Values and sensitivities of open options: rows of `position_option_exposures`."""
        option_lots = option_results.option_lots(self.snapshot.lots)
        closes = input_queries.read_closes(
            self.snapshot.connection,
            list_open_symbols(option_lots, self.sessions),
            trading_calendar.sessions_with_lookback(self.sessions, MAX_STALE_SESSIONS),
        )
        return option_results.position_rows(
            option_lots, self.sessions, closes, self.symbol_volatility, self.snapshot.pricing
        )

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """Sector, kind and vendor beta of what is held."""
        return input_queries.read_profiles(
            self.snapshot.connection, self.valuation.instruments["underlying"].dropna()
        )

    @cached_property
    def benchmark_weights(self) -> pd.DataFrame:
        """Sector weights of the benchmark by as-of date, up to the last session."""
        return input_queries.read_benchmark_weights(
            self.snapshot.connection, self.snapshot.benchmark_code, self.sessions[-1]
        )

    @cached_property
    def completed_forecasts(self) -> pd.DataFrame:
        """Stored volatility forecasts that complete on the sessions: results, to be evaluated."""
        return volatility_queries.read_forecasts(
            self.snapshot.connection, score_results.forecast_sessions(self.sessions)
        )


def read_market_data(snapshot: Snapshot, sessions: Sequence[date]) -> valuation_inputs.MarketData:
    """Read closes, last closes before the sessions, and distributions that valuing lots needs.

    A distribution is not known on the session of a suspected split.
    """
    connection, lots, anchors = snapshot.connection, snapshot.lots, snapshot.cash_anchors
    symbols, listed = underlying(lots).dropna(), lots.loc[is_listed(lots), "symbol"]
    has_entry_date = ~lots["entry_date_assumed"].astype(bool)
    entries = [day.date() for day in lots.loc[has_entry_date, "entry_date"].dropna().unique()]
    first, last = min([*entries, *anchors, sessions[0]]), max([*anchors, sessions[-1]])
    steps = stored_prices.read_adjustment_steps(
        connection,
        listed,
        trading_calendar.sessions_with_lookback([first], MAX_HALT_SESSIONS)[0],
        last,
    )
    return valuation_inputs.MarketData(
        input_queries.read_closes(
            connection, symbols, valuation_inputs.required_sessions(sessions, lots, anchors)
        ),
        stored_prices.read_last_closes(
            connection, symbols, valuation_inputs.recent_sessions(sessions)[0]
        ),
        income.infer_distributions(
            steps,
            stored_prices.find_unadjusted_symbols(connection, listed),
            snapshot.suspected_splits,
        ),
        snapshot.suspected_splits,
    )
