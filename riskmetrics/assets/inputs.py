"""What several assets start from, read the same way by each."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics import panels, trading_calendar
from riskmetrics.db import calibration_queries, input_queries, stored_prices
from riskmetrics.db.split_suspects import find_suspected_splits
from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.resources import Warehouse
from riskmetrics.results import (
    betas,
    income,
    model_calibration,
    option_results,
    rate_sensitivity,
    stress_results,
    tail_risk_results,
    valuation,
    valuation_inputs,
    volatility_results,
)
from riskmetrics.results.lot_frames import is_listed, open_positions, underlying
from riskmetrics.results.model_versions import ModelVersions, parse_versions
from riskmetrics.results.valuation import Valuation

T = TypeVar("T")

MAX_HALT_SESSIONS = 63
"""Longest price gap, in sessions, across which a distribution is still detected."""


def _cached(
    compute: Callable[[Warehouse, sa.Connection, Sequence[date]], T],
) -> Callable[[Warehouse, sa.Connection, Sequence[date]], T]:
    """Share the result among the assets of a run, so that all see the same holdings."""

    @wraps(compute)
    def shared(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> T:
        return warehouse.cached(
            (compute.__name__, *days), lambda: compute(warehouse, connection, days)
        )

    return shared


def list_open_symbols(lots: pd.DataFrame, days: Sequence[date]) -> set[str]:
    """Return listed symbols and option underlyings of lots that are open on one of ``days``."""
    lot, _ = open_positions(lots, days)
    return set(underlying(lots.iloc[lot]).dropna())


def read_clean_returns(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date], window: int
) -> panels.Returns:
    """Return clean returns of held symbols and both indices, in windows that end on ``days``."""
    return _read_longest_returns(warehouse, connection, days).last(len(days) + window - 1)


@_cached
def _read_longest_returns(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> panels.Returns:
    indices = {warehouse.market_index(connection), warehouse.rate_index(connection)}
    symbols = list_open_symbols(read_lots(warehouse, connection), days) | indices
    return read_symbol_returns(
        warehouse, connection, symbols, days, tail_risk_results.TAIL_RISK_WINDOW
    )


def read_symbol_returns(
    warehouse: Warehouse,
    connection: sa.Connection,
    symbols: set[str],
    days: Sequence[date],
    window: int,
) -> panels.Returns:
    """Clean returns of ``symbols`` in windows of ``window`` sessions that end on ``days``."""
    closes = input_queries.read_adjusted_closes(
        connection, symbols, trading_calendar.sessions_with_lookback(days, window + 1)
    )
    closes = panels.pad_history(closes, len(days) + window + 1)
    return panels.clean_returns(closes, read_suspected_splits(warehouse, connection))


def read_suspected_splits(warehouse: Warehouse, connection: sa.Connection) -> pd.DataFrame:
    """Return the suspected splits of everything that is or was held, and of both indices."""

    def find() -> pd.DataFrame:
        indices = {warehouse.market_index(connection), warehouse.rate_index(connection)}
        return find_suspected_splits(
            connection, input_queries.read_symbols_ever_held(connection) | indices
        )

    return warehouse.cached(("suspects",), find)


@_cached
def estimate_market_betas(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> betas.SymbolBetas:
    """Estimate market betas of held symbols; the market index needs a close on each of ``days``."""
    market = warehouse.market_index(connection)
    symbols = {*list_open_symbols(read_lots(warehouse, connection), days), market}
    closes = input_queries.read_adjusted_closes(
        connection, symbols, trading_calendar.sessions_with_lookback(days, betas.BETA_WINDOW + 1)
    )
    panels.require_closes(closes, days, market)
    return betas.estimate_betas(
        panels.clean_returns(closes, read_suspected_splits(warehouse, connection)), market
    )


@_cached
def estimate_rate_betas(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> tuple[betas.SymbolBetas, rate_sensitivity.TwoFactorBetas]:
    """Estimate one-factor rate betas and two-factor betas of symbols held on one of ``days``."""
    market, rate = warehouse.market_index(connection), warehouse.rate_index(connection)
    clean_returns = read_clean_returns(warehouse, connection, days, betas.BETA_WINDOW)
    return betas.estimate_betas(clean_returns, rate), rate_sensitivity.estimate_two_factor_betas(
        clean_returns, market, rate
    )


def estimate_stress_betas(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> stress_results.StressBetas:
    """Estimate the betas that stress scenarios use, of symbols held on one of ``days``."""
    return stress_results.StressBetas(
        estimate_market_betas(warehouse, connection, days),
        *estimate_rate_betas(warehouse, connection, days),
    )


def read_model_versions(connection: sa.Connection) -> ModelVersions:
    """Every version of the volatility forecast's coefficients."""
    return parse_versions(calibration_queries.read_har_coefficients(connection))


def calibrate_model(
    connection: sa.Connection, market: str, rate: str, through: date
) -> model_calibration.Proposal:
    """Fit the volatility forecast's coefficients to all stocks, on sessions up to ``through``."""
    trading_calendar.require_completed_sessions([through])
    stocks = calibration_queries.read_stocks(connection, through, exclude=[market, rate])
    if stocks.empty:
        raise CalibrationRejectedError(
            f"no price of a stock up to {through} is stored; import prices"
        )
    bars = input_queries.read_bars(
        connection,
        {*stocks["symbol"], market},
        trading_calendar.sessions_between(stocks["first"].min().date(), through),
    )
    suspected = find_suspected_splits(connection, bars["adj_close"].columns)
    return model_calibration.propose_version(
        bars, market, calibration_queries.read_har_coefficients(connection), suspected
    )


@_cached
def estimate_symbol_volatility(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> volatility_results.SymbolVolatility:
    """Measure and forecast the volatility of every symbol held on one of ``days``."""
    market = warehouse.market_index(connection)
    symbols = {*list_open_symbols(read_lots(warehouse, connection), days), market}
    bars = _read_bars(connection, symbols, days, volatility_results.SYMBOL_WINDOW)
    clean_bars = panels.clean_bars(**bars, suspects=read_suspected_splits(warehouse, connection))
    return volatility_results.estimate_symbol_volatility(
        *clean_bars, market, read_model_versions(connection)
    )


def _read_bars(
    connection: sa.Connection, symbols: set[str], days: Sequence[date], window: int
) -> dict[str, pd.DataFrame]:
    bars = input_queries.read_bars(
        connection, symbols, trading_calendar.sessions_with_lookback(days, window + 1)
    )
    return {name: panels.pad_history(frame, len(days) + window + 1) for name, frame in bars.items()}


@_cached
def estimate_portfolio_volatility(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> volatility_results.PortfolioVolatility:
    """Measure and forecast the volatility of every portfolio on ``days``."""
    exposures, symbols = (
        value_option_adjusted(warehouse, connection, days),
        pd.Index(sorted(list_open_symbols(read_lots(warehouse, connection), days)), dtype="str"),
    )
    single_underlyings = {
        symbols[column] for column in np.unique(exposures.single_underlying(symbols)) if column >= 0
    }
    bars = _read_bars(connection, single_underlyings, days, volatility_results.PORTFOLIO_WINDOW)
    _, ranges = panels.clean_bars(**bars, suspects=read_suspected_splits(warehouse, connection))
    clean_returns = read_clean_returns(
        warehouse, connection, days, volatility_results.PORTFOLIO_WINDOW
    )
    return volatility_results.estimate_portfolio_volatility(
        exposures,
        clean_returns,
        ranges,
        warehouse.market_index(connection),
        read_model_versions(connection),
    )


def read_lots(warehouse: Warehouse, connection: sa.Connection) -> pd.DataFrame:
    """Every lot ever held."""
    return warehouse.cached(("lots",), lambda: input_queries.read_lots(connection))


@_cached
def value_portfolios(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> Valuation:
    """Value every portfolio on ``days``.

    For what needs no exposure of options: see `value_option_adjusted`.
    """
    portfolios, all_lots, anchors = (
        input_queries.read_portfolios(connection),
        read_lots(warehouse, connection),
        input_queries.read_cash_anchors(connection),
    )
    market = read_market(
        connection, days, all_lots, anchors, read_suspected_splits(warehouse, connection)
    )
    return valuation.value_portfolios(days, portfolios, all_lots, anchors, market)


def read_market(
    connection: sa.Connection,
    days: Sequence[date],
    all_lots: pd.DataFrame,
    anchors: "pd.Series[Any]",
    suspected: pd.DataFrame,
) -> valuation_inputs.MarketData:
    """Read closes, last closes before the run, and distributions that valuing lots needs.

    A distribution is not known on the session of one of the ``suspected`` splits.
    """
    symbols, listed = underlying(all_lots).dropna(), all_lots.loc[is_listed(all_lots), "symbol"]
    entries = [
        day.date()
        for day in (
            all_lots.loc[~all_lots["entry_date_assumed"].astype(bool), "entry_date"]
            .dropna()
            .unique()
        )
    ]
    first, last = min([*entries, *anchors, days[0]]), max([*anchors, days[-1]])
    steps = stored_prices.read_adjustment_steps(
        connection,
        listed,
        trading_calendar.sessions_with_lookback([first], MAX_HALT_SESSIONS)[0],
        last,
    )
    return valuation_inputs.MarketData(
        input_queries.read_closes(
            connection, symbols, valuation_inputs.required_sessions(days, all_lots, anchors)
        ),
        stored_prices.read_last_closes(
            connection, symbols, valuation_inputs.recent_sessions(days)[0]
        ),
        income.infer_distributions(
            steps, stored_prices.find_unadjusted_symbols(connection, listed), suspected
        ),
        suspected,
    )


@_cached
def value_option_adjusted(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> Valuation:
    """Value every portfolio on ``days``, with options at their delta exposure."""
    values, all_lots = (
        value_portfolios(warehouse, connection, days),
        read_lots(warehouse, connection),
    )
    if not list_open_symbols(option_results.option_lots(all_lots), days):
        return values
    return option_results.apply_delta_exposures(
        values, all_lots, value_options(warehouse, connection, days)
    )


@_cached
def value_options(
    warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]
) -> pd.DataFrame:
    """Value every option open on one of ``days``: rows of `position_option_exposures`."""
    option_lots = option_results.option_lots(read_lots(warehouse, connection))
    closes = input_queries.read_closes(
        connection,
        list_open_symbols(option_lots, days),
        trading_calendar.sessions_with_lookback(days, MAX_STALE_SESSIONS),
    )
    estimates = estimate_symbol_volatility(warehouse, connection, days)
    return option_results.position_rows(
        option_lots, days, closes, estimates, warehouse.pricing_parameters
    )
