"""What several assets start from, read the same way by each."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics import panels, trading_calendar
from riskmetrics.db import read
from riskmetrics.errors import RefusedFit
from riskmetrics.results import betas, calibration, rates, stress, valuation, volatility
from riskmetrics.results.model import Versions, versions
from riskmetrics.results.valuation import Valuation


def open_symbols(lots: pd.DataFrame, days: Sequence[date]) -> set[str]:
    """Listed symbols of which a lot is open on one of ``days``."""
    lot, _ = valuation.open_positions(lots, days)
    held = lots.iloc[lot]
    return set(held.loc[valuation.is_listed(held), "symbol"])


def returns(connection: sa.Connection, symbols: set[str], days: Sequence[date], window: int) -> panels.Returns:
    """Believed returns of ``symbols`` over the windows of ``window`` sessions that end on ``days``."""
    closes = read.adjusted_closes(connection, symbols, trading_calendar.window(days, window + 1))
    return panels.believed_returns(panels.lengthened(closes, len(days) + window + 1))


def market_betas(connection: sa.Connection, lots: pd.DataFrame, days: Sequence[date], market: str) -> betas.SymbolBetas:
    """Estimate the market beta of every listed symbol open on one of ``days``, on each of which the market must have a close."""
    closes = read.adjusted_closes(connection, {*open_symbols(lots, days), market}, trading_calendar.window(days, betas.WINDOW + 1))
    panels.require(closes, days, market)
    return betas.estimate(panels.believed_returns(closes), market)


def rate_betas(
    connection: sa.Connection, lots: pd.DataFrame, days: Sequence[date], market: str, rate: str
) -> tuple[betas.SymbolBetas, rates.TwoFactorBetas]:
    """Estimate the rate beta of every listed symbol open on one of ``days``, alone and beside the market's."""
    believed = returns(connection, {*open_symbols(lots, days), market, rate}, days, betas.WINDOW)
    return betas.estimate(believed, rate), rates.two_factor(believed, market, rate)


def stress_betas(connection: sa.Connection, lots: pd.DataFrame, days: Sequence[date], market: str, rate: str) -> stress.Betas:
    """Estimate every beta that a stress scenario may take, of every listed symbol open on one of ``days``."""
    return stress.Betas(market_betas(connection, lots, days, market), *rate_betas(connection, lots, days, market, rate))


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
    return calibration.propose(bars, market, read.har_coefficients(connection))


def symbol_volatility(connection: sa.Connection, symbols: set[str], days: Sequence[date], market: str) -> volatility.SymbolVolatility:
    """Measure and forecast the volatility of ``symbols`` on ``days``."""
    bars = read.bars(connection, {*symbols, market}, trading_calendar.window(days, volatility.SYMBOL_WINDOW + 1))
    bars = {name: panels.lengthened(of, len(days) + volatility.SYMBOL_WINDOW + 1) for name, of in bars.items()}
    return volatility.of_symbols(*panels.believed_bars(**bars), market, model(connection))


def portfolio_volatility(
    connection: sa.Connection, valuation: Valuation, lots: pd.DataFrame, market: str
) -> volatility.PortfolioVolatility:
    """Measure and forecast the volatility of every portfolio on the days of its valuation."""
    symbols, days = open_symbols(lots, valuation.days), valuation.days
    believed = returns(connection, {*symbols, market}, days, volatility.PORTFOLIO_WINDOW)
    return volatility.of_portfolios(valuation, believed, market, model(connection))


def valued(connection: sa.Connection, days: Sequence[date]) -> tuple[Valuation, pd.DataFrame]:
    """Value every portfolio on ``days``; returns the lots too."""
    portfolios, lots, anchors = read.portfolios(connection), read.lots(connection), read.cash_anchors(connection)
    symbols = lots.loc[valuation.is_listed(lots), "symbol"]
    closes = read.closes(connection, symbols, valuation.sessions_needed(days, lots, anchors))
    return valuation.value(days, portfolios, lots, anchors, closes), lots
