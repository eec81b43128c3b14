"""What several assets start from, read the same way by each."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics import panels, trading_calendar
from riskmetrics.db import read, stored_prices
from riskmetrics.db.suspects import suspected_moves
from riskmetrics.errors import RefusedFit
from riskmetrics.panels import STALE_AFTER
from riskmetrics.resources import Warehouse
from riskmetrics.results import betas, calibration, income, options, rates, stress, tail_risk, valuation, volatility
from riskmetrics.results.lots import is_listed, open_positions, underlying
from riskmetrics.results.model import Versions, versions
from riskmetrics.results.valuation import Valuation

T = TypeVar("T")

MAX_HALT = 63
"""Sessions without a price across which a distribution is still found, whatever days are in the run."""


def _once(compute: Callable[[Warehouse, sa.Connection, Sequence[date]], T]) -> Callable[[Warehouse, sa.Connection, Sequence[date]], T]:
    """Make the assets of a run share what is computed here: they see the same holdings, whatever is imported meanwhile."""

    @wraps(compute)
    def shared(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> T:
        return warehouse.once((compute.__name__, *days), lambda: compute(warehouse, connection, days))

    return shared


def open_symbols(lots: pd.DataFrame, days: Sequence[date]) -> set[str]:
    """Symbols that lots open on one of ``days`` move with: listed ones, and the underlyings of options."""
    lot, _ = open_positions(lots, days)
    return set(underlying(lots.iloc[lot]).dropna())


def returns(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date], window: int) -> panels.Returns:
    """Believed returns of every symbol held on one of ``days``, and of both indices, over the windows of sessions that end on them."""
    return _longest_returns(warehouse, connection, days).last(len(days) + window - 1)


@_once
def _longest_returns(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> panels.Returns:
    indices = {warehouse.market_index(connection), warehouse.rate_index(connection)}
    symbols = open_symbols(lots(warehouse, connection), days) | indices
    return returns_of(warehouse, connection, symbols, days, tail_risk.WINDOW)


def returns_of(
    warehouse: Warehouse,
    connection: sa.Connection,
    symbols: set[str],
    days: Sequence[date],
    window: int,
) -> panels.Returns:
    """Believed returns of ``symbols`` over the windows of ``window`` sessions that end on ``days``."""
    closes = read.adjusted_closes(connection, symbols, trading_calendar.window(days, window + 1))
    closes = panels.lengthened(closes, len(days) + window + 1)
    return panels.believed_returns(closes, suspects(warehouse, connection))


def suspects(warehouse: Warehouse, connection: sa.Connection) -> pd.DataFrame:
    """Return the suspected splits of everything that is or was held, and of both indices."""

    def find() -> pd.DataFrame:
        indices = {warehouse.market_index(connection), warehouse.rate_index(connection)}
        return suspected_moves(connection, read.symbols_ever_held(connection) | indices)

    return warehouse.once(("suspects",), find)


@_once
def market_betas(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> betas.SymbolBetas:
    """Estimate the market beta of every symbol held on one of ``days``, on each of which the market must have a close."""
    market = warehouse.market_index(connection)
    symbols = {*open_symbols(lots(warehouse, connection), days), market}
    closes = read.adjusted_closes(connection, symbols, trading_calendar.window(days, betas.WINDOW + 1))
    panels.require(closes, days, market)
    return betas.estimate(panels.believed_returns(closes, suspects(warehouse, connection)), market)


@_once
def rate_betas(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> tuple[betas.SymbolBetas, rates.TwoFactorBetas]:
    """Estimate the rate beta of every symbol held on one of ``days``, alone and beside the market's."""
    market, rate = warehouse.market_index(connection), warehouse.rate_index(connection)
    believed = returns(warehouse, connection, days, betas.WINDOW)
    return betas.estimate(believed, rate), rates.two_factor(believed, market, rate)


def stress_betas(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> stress.Betas:
    """Estimate every beta that a stress scenario may take, of every symbol held on one of ``days``."""
    return stress.Betas(market_betas(warehouse, connection, days), *rate_betas(warehouse, connection, days))


def model(connection: sa.Connection) -> Versions:
    """Every version of the volatility forecast's coefficients."""
    return versions(read.har_coefficients(connection))


def proposed_model(connection: sa.Connection, market: str, rate: str, through: date) -> calibration.Proposal:
    """Fit the volatility forecast's coefficients anew to all stocks, on their sessions up to ``through``."""
    trading_calendar.require_ended([through])
    stocks = read.stocks(connection, through, but=[market, rate])
    if stocks.empty:
        raise RefusedFit(f"no price of a stock up to {through} is stored; import prices")
    bars = read.bars(connection, {*stocks["symbol"], market}, trading_calendar.between(stocks["first"].min().date(), through))
    suspected = suspected_moves(connection, bars["adj_close"].columns)
    return calibration.propose(bars, market, read.har_coefficients(connection), suspected)


@_once
def symbol_volatility(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> volatility.SymbolVolatility:
    """Measure and forecast the volatility of every symbol held on one of ``days``."""
    market = warehouse.market_index(connection)
    symbols = {*open_symbols(lots(warehouse, connection), days), market}
    bars = _bars(connection, symbols, days, volatility.SYMBOL_WINDOW)
    believed = panels.believed_bars(**bars, suspects=suspects(warehouse, connection))
    return volatility.of_symbols(*believed, market, model(connection))


def _bars(connection: sa.Connection, symbols: set[str], days: Sequence[date], window: int) -> dict[str, pd.DataFrame]:
    bars = read.bars(connection, symbols, trading_calendar.window(days, window + 1))
    return {name: panels.lengthened(of, len(days) + window + 1) for name, of in bars.items()}


@_once
def portfolio_volatility(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> volatility.PortfolioVolatility:
    """Measure and forecast the volatility of every portfolio on ``days``."""
    of_days, symbols = exposed(warehouse, connection, days), pd.Index(sorted(open_symbols(lots(warehouse, connection), days)), dtype="str")
    alone = {symbols[column] for column in np.unique(of_days.sole(symbols)) if column >= 0}
    bars = _bars(connection, alone, days, volatility.PORTFOLIO_WINDOW)
    _, ranges = panels.believed_bars(**bars, suspects=suspects(warehouse, connection))
    believed = returns(warehouse, connection, days, volatility.PORTFOLIO_WINDOW)
    return volatility.of_portfolios(of_days, believed, ranges, warehouse.market_index(connection), model(connection))


def lots(warehouse: Warehouse, connection: sa.Connection) -> pd.DataFrame:
    """Every lot ever held."""
    return warehouse.once(("lots",), lambda: read.lots(connection))


@_once
def valued(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> Valuation:
    """Value every portfolio on ``days``. For what needs no exposure of options: see `exposed`."""
    portfolios, held, anchors = read.portfolios(connection), lots(warehouse, connection), read.cash_anchors(connection)
    market = market_of(connection, days, held, anchors, suspects(warehouse, connection))
    return valuation.value(days, portfolios, held, anchors, market)


def market_of(
    connection: sa.Connection,
    days: Sequence[date],
    held: pd.DataFrame,
    anchors: "pd.Series[Any]",
    suspected: pd.DataFrame,
) -> valuation.Market:
    """Read what valuing ``held`` on ``days`` needs: closes, the last ones before, and distributions since the first entry or anchor.

    A distribution is not known on the session of one of the ``suspected`` splits.
    """
    symbols, listed = underlying(held).dropna(), held.loc[is_listed(held), "symbol"]
    entries = [day.date() for day in held.loc[~held["entry_date_assumed"].astype(bool), "entry_date"].dropna().unique()]
    first, last = min([*entries, *anchors, days[0]]), max([*anchors, days[-1]])
    steps = stored_prices.adjustment_steps(connection, listed, trading_calendar.window([first], MAX_HALT)[0], last)
    return valuation.Market(
        read.closes(connection, symbols, valuation.sessions_needed(days, held, anchors)),
        stored_prices.last_closes(connection, symbols, valuation.recent_sessions(days)[0]),
        income.distributions(steps, stored_prices.symbols_without_adjusted_close(connection, listed), suspected),
        suspected,
    )


@_once
def exposed(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> Valuation:
    """Value every portfolio on ``days``, and count options by their exposure to what they are on."""
    of_days, held = valued(warehouse, connection, days), lots(warehouse, connection)
    if not open_symbols(options.options(held), days):
        return of_days
    return options.by_delta(of_days, held, valued_options(warehouse, connection, days))


@_once
def valued_options(warehouse: Warehouse, connection: sa.Connection, days: Sequence[date]) -> pd.DataFrame:
    """Value every option open on one of ``days``: rows of `position_option_exposures`."""
    held = options.options(lots(warehouse, connection))
    closes = read.closes(connection, open_symbols(held, days), trading_calendar.window(days, STALE_AFTER))
    estimates = symbol_volatility(warehouse, connection, days)
    return options.position_rows(held, days, closes, estimates, warehouse.option_terms)
