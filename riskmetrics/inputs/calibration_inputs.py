"""Inputs of a calibration: the prices of all stocks up to a day."""

from datetime import date
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import calibration_queries, input_queries
from riskmetrics.db.split_suspects import find_suspected_splits
from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.results import calibration_backtest, model_calibration


class CalibrationInputs(NamedTuple):
    """What a calibration reads."""

    bars: dict[str, pd.DataFrame]
    stored_versions: pd.DataFrame
    stored_corrections: pd.DataFrame
    suspects: pd.DataFrame


def propose_calibration(
    connection: sa.Connection, market: str, rate: str, through: date
) -> model_calibration.Proposal:
    """Fit the volatility forecast's coefficients to all stocks, on sessions up to ``through``."""
    inputs = _read_inputs(connection, market, rate, through)
    return model_calibration.propose_version(
        inputs.bars, market, inputs.stored_versions, inputs.suspects, inputs.stored_corrections
    )


def backtest(connection: sa.Connection, market: str, rate: str, through: date) -> pd.DataFrame:
    """Fit at the start of every year and score each fit on its year; nothing is stored."""
    inputs = _read_inputs(connection, market, rate, through)
    return calibration_backtest.backtest_calibration(
        inputs.bars, market, inputs.stored_versions, inputs.stored_corrections, inputs.suspects
    )


def _read_inputs(
    connection: sa.Connection, market: str, rate: str, through: date
) -> CalibrationInputs:
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
    return CalibrationInputs(
        bars,
        calibration_queries.read_har_coefficients(connection),
        calibration_queries.read_variance_corrections(connection),
        find_suspected_splits(connection, bars["adj_close"].columns),
    )
