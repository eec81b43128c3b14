"""Black-Scholes results of options: rows of `position_option_exposures`, and derived figures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.options import OptionValue, black_scholes, years_to_expiration
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.results.lot_frames import (
    OPTION_RIGHTS,
    is_option,
    open_positions,
    underlying,
)
from riskmetrics.results.snapshots import DAY_COLUMN, undefined_snapshots
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation
from riskmetrics.results.volatility_results import SymbolVolatility
from riskmetrics.transactions.model import CONTRACT_SIZE

_GREEKS = {f"portfolio_{greek}": greek for greek in ("delta", "gamma", "theta", "vega")}
GREEK_METRICS = [f"portfolio_snapshots.{name}" for name in _GREEKS]


class PricingParameters(NamedTuple):
    """Rates of the pricing formula: continuously compounded, per year, as fractions."""

    risk_free_rate: float
    dividend_yield: float


def option_lots(lots: pd.DataFrame) -> pd.DataFrame:
    """Return the lots that are options, with each underlying as underlying_symbol."""
    chosen = lots[is_option(lots)].reset_index(drop=True)
    return chosen.assign(underlying_symbol=underlying(chosen))


def position_rows(
    lots: pd.DataFrame,
    sessions: Sequence[date],
    closes: pd.DataFrame,
    volatility: SymbolVolatility,
    parameters: PricingParameters,
) -> pd.DataFrame:
    """Return a row of `position_option_exposures` per open option position and day.

    Parameters
    ----------
    lots : DataFrame
        Result of `option_lots`.
    sessions : sequence of date
        Days of the result.
    closes : DataFrame
        Sessions x symbols, including the underlyings: ``sessions`` and the
        `panels.MAX_STALE_SESSIONS` before them.
    volatility : SymbolVolatility
        Forecasts of the underlyings on ``sessions``.
    parameters : PricingParameters
        Rate and dividend yield, the same for all options.

    Returns
    -------
    DataFrame
        Columns of `position_option_exposures`; a row with a value of NaN has a reason.
    """
    lot, day = open_positions(lots, sessions)
    held = lots.iloc[lot].reset_index(drop=True)
    days = np.array(sessions, dtype="datetime64[D]")[day]
    known, _ = panels.forward_fill(closes, sessions)
    price = _for_underlying(known.to_numpy(), known.columns, held, day)
    expected = _for_underlying(
        volatility.figures.volatility_forecast, volatility.symbols, held, day
    )
    years = years_to_expiration(days, held["expiration_date"].to_numpy("datetime64[D]"))
    strike = held["strike_price"].to_numpy(float)
    found = _value_options(held, price, strike, years, expected, parameters)
    units = held["quantity"].to_numpy(float) * CONTRACT_SIZE
    unknown = np.isnan(found.value) | np.isnan(price) | np.isnan(expected)
    return pd.DataFrame(
        {
            "position_id": held["position_id"],
            "day": days,
            "portfolio_id": held["portfolio_id"],
            **found._asdict(),
            "exposure": np.where(found.delta == 0, 0.0, found.delta * units * price),
            "underlying_symbol": held["underlying_symbol"],
            "underlying_price": price,
            "volatility": expected,
            "years_to_expiration": years,
            **parameters._asdict(),
            "linearized": True,
            "undefined_reason": _reasons(held, strike, years, price).where(unknown),
        }
    )


def _value_options(
    held: pd.DataFrame,
    price: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    expected: FloatArray,
    parameters: PricingParameters,
) -> OptionValue:
    """Apply the Black-Scholes formula to each open option on its day."""
    is_call = (held["position_type"].map(OPTION_RIGHTS) == "CALL").to_numpy(bool)
    return black_scholes(
        is_call,
        price,
        strike,
        years,
        expected,
        rate=parameters.risk_free_rate,
        dividend_yield=parameters.dividend_yield,
    )


def _for_underlying(
    figures: FloatArray, symbols: "pd.Index[str]", held: pd.DataFrame, day: IntArray
) -> FloatArray:
    """Select the figure (D, S) of each option's underlying on its day; NaN if it is missing."""
    column = symbols.get_indexer(pd.Index(held["underlying_symbol"]))
    return np.where(
        column >= 0, np.column_stack([figures, np.full(len(figures), np.nan)])[day, column], np.nan
    )


def _reasons(
    held: pd.DataFrame, strike: FloatArray, years: FloatArray, price: FloatArray
) -> "pd.Series[str]":
    underlying = held["underlying_symbol"]
    no_price = (
        underlying + f" has no close on the day or the {panels.MAX_STALE_SESSIONS} sessions before"
    )
    reasons = (underlying + " has no volatility forecast").mask(np.isnan(price), no_price)
    return reasons.mask(np.isnan(strike), "the strike price is missing").mask(
        np.isnan(years), "the expiration date is missing"
    )


def apply_delta_exposures(
    valuation: Valuation, lots: pd.DataFrame, rows: pd.DataFrame
) -> Valuation:
    """Replace the exposures of options by their delta exposures.

    An option with an unknown delta on a day keeps its value as exposure, without a return series.
    ``lots`` are all lots of the valuation, ``rows`` the `position_rows` of its options.
    """
    is_chosen = is_option(lots)
    lot, day = open_positions(lots[is_chosen], valuation.sessions)
    delta_exposures = np.zeros(valuation.values.shape)
    np.add.at(
        delta_exposures,
        (valuation.lot_instrument[is_chosen][lot], day),
        rows["exposure"].to_numpy(float),
    )
    known = valuation.instruments["right"].notna().to_numpy(bool)[:, None] & np.isfinite(
        delta_exposures
    )
    exposures = np.where(
        known, np.where(valuation.is_held, delta_exposures, 0.0), valuation.exposures
    )
    return replace(
        valuation, exposures=exposures, has_return_series=valuation.has_return_series | known
    )


def elasticity(rows: pd.DataFrame) -> tuple[FloatArray, "pd.Series[str]"]:
    """Return the elasticity of each option to its underlying, and the reasons of undefined values.

    Elasticity is |delta| x price of the underlying / Black-Scholes value, the percentage move of
    the option per percent of the underlying; NaN for an option with value 0.
    """
    value = rows["value"].where(rows["value"] > 0)
    reasons = (
        rows["undefined_reason"]
        .fillna("the Black-Scholes value of the option is 0")
        .mask(rows["years_to_expiration"] < 0, "the option has expired")
    )
    return (rows["delta"].abs() * rows["underlying_price"] / value).to_numpy(float), reasons


def portfolio_rows(
    valuation: Valuation, lots: pd.DataFrame, rows: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the option columns of `portfolio_snapshots`, and the reasons of undefined values.

    Each column is the sum of signed contracts x 100 x sensitivity, 0 without options. ``rows`` are
    the `position_rows` of ``lots`` on the sessions of the valuation.
    """
    shape, (lot, day) = valuation.net.shape, open_positions(lots, valuation.sessions)
    units = lots["quantity"].to_numpy(float)[lot] * CONTRACT_SIZE
    portfolio = pd.Index(valuation.portfolios["portfolio_id"]).get_indexer(
        pd.Index(lots["portfolio_id"])
    )[lot]

    def total(per_position: FloatArray | BoolArray) -> FloatArray:
        cells = group_sums(
            per_position.astype(float)[:, None], portfolio * shape[1] + day, shape[0] * shape[1]
        )
        return cells.reshape(shape)

    n_unknown = total(rows["value"].isna().to_numpy(bool))
    columns = {
        name: np.where(n_unknown > 0, np.nan, total(rows[greek].to_numpy(float) * units))
        for name, greek in _GREEKS.items()
    }
    frame = valuation.to_frame(columns, DAY_COLUMN)
    reasons = valuation.undefined_reasons(
        columns["portfolio_delta"],
        Reason("options with unknown sensitivities: {:.0f}", n_unknown > 0, n_unknown),
    )
    return frame, undefined_snapshots(frame, dict.fromkeys(_GREEKS, reasons))
