"""Inputs of a calibration: the prices of all stocks up to a day."""

from datetime import date

import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import calibration_queries, input_queries
from riskmetrics.db.split_suspects import find_suspected_splits
from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.results import model_calibration


def propose_calibration(
    connection: sa.Connection, market: str, rate: str, through: date
) -> model_calibration.Proposal:
    """Fit the volatility forecast's coefficients to all stocks, on sessions up to ``through``."""
    trading_calendar.require_completed_sessions([through])
    stocks = calibration_queries.read_stocks(connection, through, exclude=[market, rate])
    if stocks.empty:
        raise CalibrationRejectedError(
            f"no price of a stock up to {through} is stored; import prices"
        )
    bars = input_queries.read_price_panels(
        connection,
        ("adj_close", "high", "low", "open", "close", "volume"),
        {*stocks["symbol"], market},
        trading_calendar.sessions_between(stocks["first"].min().date(), through),
    )
    suspected = find_suspected_splits(connection, bars["adj_close"].columns)
    return model_calibration.propose_version(
        bars,
        market,
        calibration_queries.read_har_coefficients(connection),
        suspected,
        calibration_queries.read_variance_corrections(connection),
    )
