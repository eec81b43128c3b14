"""Rows of volatility forecasts of other horizons than 21 sessions."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import IntArray
from riskmetrics.results.lot_frames import open_symbols
from riskmetrics.results.portfolio_volatility_results import PortfolioVolatility
from riskmetrics.results.valuation import Valuation
from riskmetrics.results.volatility_results import HorizonForecast, SymbolVolatility


def symbol_rows(
    symbol_volatility: SymbolVolatility,
    lots: pd.DataFrame,
    sessions: Sequence[date],
    forecasts: pd.DataFrame,
) -> pd.DataFrame:
    """Return rows of `volatility_horizon_forecasts` of symbols.

    ``forecasts`` are the `forecasts.symbol_forecasts` of the same arguments.
    """
    day, column = open_symbols(lots, sessions, symbol_volatility.symbols)
    return _rows(forecasts, symbol_volatility.horizons, (day, column))


def portfolio_rows(
    valuation: Valuation, portfolio_volatility: PortfolioVolatility, forecasts: pd.DataFrame
) -> pd.DataFrame:
    """Return rows of `volatility_horizon_forecasts` of portfolios.

    ``forecasts`` are the `forecasts.portfolio_forecasts` of the same arguments.
    """
    portfolio, day = np.nonzero(valuation.is_valued)
    return _rows(forecasts, portfolio_volatility.horizons, (portfolio, day))


def _rows(
    forecasts: pd.DataFrame,
    horizons: Mapping[int, HorizonForecast],
    cells: tuple[IntArray, IntArray],
) -> pd.DataFrame:
    keys = forecasts[["subject", "day", "portfolio_id"]]
    is_undefined = forecasts["volatility_forecast"].isna()
    without_horizon = (
        "version " + forecasts["coefficients_version"] + " has no coefficients of this horizon"
    )
    reasons = forecasts["undefined_reason"].where(is_undefined, without_horizon)
    parts = []
    for horizon, forecast in horizons.items():
        values = {name: getattr(forecast, name)[cells] for name in HorizonForecast._fields}
        missing = np.isnan(values["volatility_forecast"])
        parts.append(
            keys.assign(horizon=horizon, **values, undefined_reason=reasons.where(missing))
        )
    return pd.concat(parts, ignore_index=True)
