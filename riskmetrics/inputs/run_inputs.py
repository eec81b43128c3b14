"""Inputs of the sessions of a run, and the series that several figures are computed from."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.db import event_queries, factor_queries, input_queries, stored_prices
from riskmetrics.inputs.shared_series import SharedSeries
from riskmetrics.inputs.snapshot import Snapshot, list_open_symbols
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results import (
    betas,
    decayed_betas,
    event_panels,
    factor_results,
    income,
    liquidity_results,
    option_results,
    portfolio_volatility_results,
    pro_forma,
    rate_sensitivity,
    stress_results,
    tail_risk_results,
    valuation,
    valuation_inputs,
    volatility_results,
)
from riskmetrics.results.lot_frames import underlying
from riskmetrics.results.option_revaluation import OptionBook, build_option_book
from riskmetrics.results.valuation import Valuation

P = ParamSpec("P")
T = TypeVar("T")

MAX_HALT_SESSIONS = 63
"""Longest price gap, in sessions, across which a distribution is still detected."""


def _derive_once(
    derive: "Callable[Concatenate[RunInputs, P], T]",
) -> "Callable[Concatenate[RunInputs, P], T]":
    """Return a function that derives a series of symbols once for each of its other arguments.

    Shards of portfolios have the same series; those of symbols have their own.
    """

    @wraps(derive)
    def derive_once(inputs: "RunInputs", /, *args: P.args, **kwargs: P.kwargs) -> T:
        name = derive.__name__, *args, *kwargs.items(), *inputs.sessions
        return inputs.symbol_series.get_or_compute(name, lambda: derive(inputs, *args, **kwargs))

    return derive_once


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
    _series: SharedSeries = field(default_factory=SharedSeries, init=False, repr=False)

    @cached_property
    def open_symbols(self) -> set[str]:
        """Listed symbols and option underlyings of lots open on one of the sessions."""
        return self.snapshot.open_symbols(self.sessions)

    @property
    @_derive_once
    def _series_symbols(self) -> set[str]:
        """Symbols that have a series: `open_symbols`, of all shards of portfolios."""
        return self.snapshot.series_symbols(self.sessions)

    @property
    def symbol_series(self) -> SharedSeries:
        """Series of symbols that were derived; see `_shared`."""
        return self.snapshot.shared if self.snapshot.is_of_portfolios else self._series

    def clean_returns(self, window: int) -> panels.Returns:
        """Return clean returns of held symbols and both indices, in windows of ``window``."""
        # the figures of symbols need a fraction of the history that those of portfolios do
        is_of_symbols = self.snapshot.shard is not None and not self.snapshot.is_of_portfolios
        longest = DECAYED_WINDOW if is_of_symbols else tail_risk_results.TAIL_RISK_WINDOW
        return self._longest_returns(longest).last(len(self.sessions) + window - 1)

    @_derive_once
    def _longest_returns(self, window: int) -> panels.Returns:
        return self.clean_returns_for(self._series_symbols | self.snapshot.indices, window)

    def clean_returns_for(self, symbols: Collection[str], window: int) -> panels.Returns:
        """Return clean returns of ``symbols`` in windows that end on the sessions."""
        sessions = trading_calendar.sessions_with_lookback(self.sessions, window + 1)
        closes = input_queries.read_adjusted_closes(self.snapshot.connection, symbols, sessions)
        closes = panels.pad_history(closes, len(self.sessions) + window + 1)
        return panels.clean_returns(closes, self.snapshot.suspected_splits)

    @property
    @_derive_once
    def market_betas(self) -> betas.SymbolBetas:
        """Market betas of held symbols.

        Raises
        ------
        MissingPricesError
            If the market index has no close on one of the sessions.
        """
        connection, market = self.snapshot.connection, self.snapshot.market_index
        closes = input_queries.read_adjusted_closes(connection, [market], self.sessions)
        panels.require_closes(closes, self.sessions, market)
        return betas.estimate_betas(self.clean_returns(betas.BETA_WINDOW), market)

    @property
    @_derive_once
    def decayed_betas(self) -> decayed_betas.DecayedBetas:
        """Exponentially weighted market betas of held symbols."""
        return decayed_betas.estimate_decayed_betas(
            self.clean_returns(DECAYED_WINDOW), self.snapshot.market_index
        )

    @property
    @_derive_once
    def rate_betas(self) -> betas.SymbolBetas:
        """One-factor rate betas of held symbols."""
        return betas.estimate_betas(self.clean_returns(betas.BETA_WINDOW), self.snapshot.rate_index)

    @property
    @_derive_once
    def two_factor_betas(self) -> rate_sensitivity.TwoFactorBetas:
        """Market and rate betas of held symbols, each with the other index held fixed."""
        returns, snapshot = self.clean_returns(betas.BETA_WINDOW), self.snapshot
        return rate_sensitivity.estimate_two_factor_betas(
            returns, snapshot.market_index, snapshot.rate_index
        )

    @property
    @_derive_once
    def factor_model(self) -> factor_results.FactorModel:
        """Factors of the joint regression on each session."""
        snapshot, window = self.snapshot, pro_forma.YEAR_WINDOW
        names = [factor.name for factor in snapshot.terms.factors if not factor.fund]
        funds = self.clean_returns_for({snapshot.market_index, *snapshot.factor_funds}, window)
        return factor_results.build_model(
            snapshot.terms.factors,
            snapshot.market_index,
            funds,
            factor_queries.read_factor_returns(
                snapshot.connection, names, funds.frame.index[0], funds.frame.index[-1]
            ),
        )

    @property
    @_derive_once
    def symbol_factors(self) -> factor_results.SymbolFactors:
        """Factor exposures of held symbols."""
        returns = self.clean_returns(pro_forma.YEAR_WINDOW)
        return factor_results.estimate_symbol_factors(returns, self.factor_model)

    @cached_property
    def stress_betas(self) -> stress_results.StressBetas:
        """Betas that stress scenarios use."""
        return stress_results.StressBetas(
            self.decayed_betas, self.rate_betas, self.two_factor_betas
        )

    @property
    @_derive_once
    def stress_history(self) -> stress_results.History:
        """Closes of held symbols and the market at the ends of replayed windows, and returns."""
        snapshot = self.snapshot
        closes = input_queries.read_adjusted_closes(
            snapshot.connection,
            self._series_symbols | {snapshot.market_index},
            stress_results.window_ends(snapshot.stress_scenarios),
        )
        returns = self.clean_returns(DECAYED_WINDOW)
        return stress_results.History(closes, returns, snapshot.suspected_splits)

    @cached_property
    def symbol_volatility(self) -> volatility_results.SymbolVolatility:
        """Realized and forecast volatility of held symbols; in a shard of portfolios, of options.

        No other figure of a portfolio needs the volatility of a symbol.
        """
        market, symbols = self.snapshot.market_index, self.open_symbols
        if self.snapshot.is_of_portfolios:
            options = option_results.option_lots(self.snapshot.lots)
            symbols = list_open_symbols(options, self.sessions)
        returns, bars = self._bars({*symbols, market}, volatility_results.SYMBOL_WINDOW)
        return volatility_results.estimate_symbol_volatility(
            returns, bars, market, self.snapshot.model_versions, self.snapshot.funds
        )

    @cached_property
    def portfolio_volatility(self) -> portfolio_volatility_results.PortfolioVolatility:
        """Realized and forecast volatility of every portfolio."""
        exposures = self.option_adjusted_valuation
        symbols = pd.Index(sorted(self.open_symbols), dtype="str")
        chosen = np.unique(exposures.single_underlying(symbols))
        single_underlyings = {symbols[column] for column in chosen if column >= 0}
        window = portfolio_volatility_results.PORTFOLIO_WINDOW
        single, bars = self._bars(single_underlyings, window)
        return portfolio_volatility_results.estimate_portfolio_volatility(
            exposures,
            self.clean_returns(window),
            single.frame.columns,
            bars,
            self.snapshot.market_index,
            self.snapshot.model_versions,
            self.snapshot.funds,
        )

    def _bars(
        self, symbols: Collection[str], window: int
    ) -> tuple[panels.Returns, volatility_results.DailyBars]:
        """Return clean returns and bars of windows that end on the sessions."""
        prices = input_queries.read_price_panels(
            self.snapshot.connection,
            ("adj_close", "high", "low", "open", "close", "volume"),
            symbols,
            trading_calendar.sessions_with_lookback(self.sessions, window + 1),
        )
        n_rows = len(self.sessions) + window + 1
        bars = {name: panels.pad_history(frame, n_rows) for name, frame in prices.items()}
        returns, ranges = panels.clean_bars(
            bars["adj_close"], bars["high"], bars["low"], self.snapshot.suspected_splits
        )
        opens = panels.opens_over_closes(bars["open"], bars["close"])
        volumes = bars["volume"].to_numpy()[2:]
        events = event_queries.read_events(self.snapshot.connection, symbols)
        event_ages = event_panels.align_events(
            events, pd.DatetimeIndex(returns.frame.index), returns.frame.columns
        )
        return returns, volatility_results.DailyBars(ranges.to_numpy(), opens, volumes, event_ages)

    @cached_property
    def valuation(self) -> Valuation:
        """Values of every portfolio; see `option_adjusted_valuation` for exposures of options."""
        return valuation.value_portfolios(
            self.sessions,
            self.snapshot.portfolios,
            self.snapshot.lots,
            self.snapshot.cash_anchors,
            self.read_market_data(),
            self.snapshot.cash_flows,
        )

    def read_market_data(self) -> valuation_inputs.MarketData:
        """Read closes, last closes before the sessions, and distributions of the lots."""
        snapshot, lots, anchors = self.snapshot, self.snapshot.lots, self.snapshot.cash_anchors
        symbols = underlying(lots).dropna()
        return valuation_inputs.MarketData(
            input_queries.read_closes(
                snapshot.connection,
                symbols,
                valuation_inputs.required_sessions(self.sessions, lots, anchors),
            ),
            stored_prices.read_last_closes(
                snapshot.connection, symbols, valuation_inputs.recent_sessions(self.sessions)[0]
            ),
            self._distributions,
            snapshot.suspected_splits,
        )

    @property
    def _distributions(self) -> income.Distributions:
        """Distributions of the history of all holdings: the same for other sessions in it."""
        snapshot, sessions = self.snapshot, self.sessions
        span = snapshot.history_span()
        first = min(span.first or sessions[0], sessions[0])
        # a lot can be older than the calendar
        first = max(first, trading_calendar.FIRST_SESSION)
        last = max(span.last or sessions[-1], sessions[-1])
        has_all_symbols = snapshot.shard is None or snapshot.is_of_portfolios
        series = snapshot.shared if has_all_symbols else self._series
        return series.get_or_compute(
            ("distributions", first, last), lambda: self._infer_distributions(first, last)
        )

    def _infer_distributions(self, first: date, last: date) -> income.Distributions:
        """Infer distributions; they are not known on the session of a suspected split."""
        connection, listed = self.snapshot.connection, self.snapshot.listed_symbols()
        start = trading_calendar.sessions_with_lookback([first], MAX_HALT_SESSIONS)[0]
        return income.infer_distributions(
            self.snapshot.adjustment_steps(listed, start, last),
            stored_prices.find_unadjusted_symbols(connection, listed),
            self.snapshot.suspected_splits,
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
            option_lots, self.sessions, closes, self.symbol_volatility, self.snapshot.terms.pricing
        )

    @cached_property
    def option_book(self) -> OptionBook | None:
        """Open options, to be revalued; None if there are none."""
        option_lots = option_results.option_lots(self.snapshot.lots)
        if not list_open_symbols(option_lots, self.sessions):
            return None
        return build_option_book(
            self.valuation, option_lots, self.option_exposures, self.snapshot.terms.pricing
        )

    @property
    @_derive_once
    def liquidity_market(self) -> liquidity_results.Market:
        """Closes and volumes of held symbols on the sessions and those before them."""
        sessions = trading_calendar.sessions_with_lookback(self.sessions, liquidity_results.HISTORY)
        return liquidity_results.Market(
            **input_queries.read_price_panels(
                self.snapshot.connection, ("close", "volume"), self._series_symbols, sessions
            )
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
    def fund_weights(self) -> dict[str, pd.DataFrame]:
        """Sector weights of the funds that are held, by symbol and as-of date."""
        held = self.valuation.instruments["underlying"].dropna().unique()
        return input_queries.read_fund_weights(self.snapshot.connection, held, self.sessions[-1])
