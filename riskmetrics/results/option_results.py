"""Options by Black-Scholes: rows of `position_option_exposures`, and what other figures take from them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import options as metrics
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.results.lot_frames import (
    CONTRACT_SIZE,
    OPTION_RIGHTS,
    is_option,
    open_positions,
    underlying,
)
from riskmetrics.results.snapshots import DAY_COLUMN
from riskmetrics.results.valuation import Reason, Valuation
from riskmetrics.results.volatility_results import SymbolVolatility

_GREEKS = {f"portfolio_{greek}": greek for greek in ("delta", "gamma", "theta", "vega")}
GREEK_METRICS = [f"portfolio_snapshots.{name}" for name in _GREEKS]


class PricingParameters(NamedTuple):
    """What the formula takes beside prices: continuously compounded, per year, as fractions."""

    risk_free_rate: float
    dividend_yield: float


def option_lots(lots: pd.DataFrame) -> pd.DataFrame:
    """Return the lots that are options, with the symbol that each is an option on as underlying_symbol."""
    chosen = lots[is_option(lots)].reset_index(drop=True)
    return chosen.assign(underlying_symbol=underlying(chosen))


def position_rows(
    lots: pd.DataFrame,
    sessions: Sequence[date],
    closes: pd.DataFrame,
    volatility: SymbolVolatility,
    parameters: PricingParameters,
) -> pd.DataFrame:
    """Return a row per open option position and day.

    Parameters
    ----------
    lots : DataFrame
        As `options` gives them.
    sessions : sequence of date
        The days.
    closes : DataFrame
        Sessions x symbols, the underlyings among them: ``sessions`` and the
        `panels.MAX_STALE_SESSIONS` before them.
    volatility : SymbolVolatility
        Forecasts of the underlyings on ``sessions``.
    terms : Terms
        Rate and dividend yield, the same for all.

    Returns
    -------
    DataFrame
        Columns of `position_option_exposures`; a row whose value is NaN says why.
    """
    lot, day = open_positions(lots, sessions)
    held, days = (
        lots.iloc[lot].reset_index(drop=True),
        np.array(sessions, dtype="datetime64[D]")[day],
    )
    known, _ = panels.forward_fill(closes, sessions)
    price = _for_underlying(known.to_numpy(), known.columns, held, day)
    expected = _for_underlying(
        volatility.figures.volatility_forecast, volatility.symbols, held, day
    )
    years = metrics.years_to_expiration(days, held["expiration_date"].to_numpy("datetime64[D]"))
    is_call = (held["position_type"].map(OPTION_RIGHTS) == "CALL").to_numpy(bool)
    strike = held["strike_price"].to_numpy(float)
    found = metrics.black_scholes(
        is_call,
        price,
        strike,
        years,
        expected,
        rate=parameters.risk_free_rate,
        dividend_yield=parameters.dividend_yield,
    )
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
            "years": years,
            **parameters._asdict(),
            "linearised": True,
            "undefined_reason": _reasons(held, strike, years, price).where(unknown),
        }
    )


def _for_underlying(
    figures: FloatArray, symbols: "pd.Index[str]", held: pd.DataFrame, day: IntArray
) -> FloatArray:
    """Pick from figures of symbols (D, S) that of each option's underlying on its day; NaN for one that is not there."""
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
    why = (underlying + " has no volatility forecast").mask(np.isnan(price), no_price)
    return why.mask(np.isnan(strike), "the strike price is missing").mask(
        np.isnan(years), "the expiration date is missing"
    )


def apply_delta_exposures(
    valuation: Valuation, lots: pd.DataFrame, rows: pd.DataFrame
) -> Valuation:
    """Count options by their exposure to the underlying; one whose delta is not known on a day stays a value that follows nothing.

    ``lots`` are all that the valuation is of, ``rows`` what `position_rows` makes of its options on
    the days of the valuation.
    """
    is_chosen = is_option(lots)
    lot, day = open_positions(lots[is_chosen], valuation.days)
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
    """Per cent that each option moves if its underlying moves by one, and why that is not known.

    It is |delta| x price of the underlying / value by Black-Scholes, NaN for an option that is
    worth nothing.
    """
    value = rows["value"].where(rows["value"] > 0)
    why = (
        rows["undefined_reason"]
        .fillna("the Black-Scholes value of the option is 0")
        .mask(rows["years"] < 0, "the option has expired")
    )
    return (rows["delta"].abs() * rows["underlying_price"] / value).to_numpy(float), why


def portfolio_rows(
    valuation: Valuation, lots: pd.DataFrame, rows: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the columns of `portfolio_snapshots` that sum over options, 0 without any, and the reasons of what is undefined.

    Each is the sum of signed contracts x 100 x the sensitivity; ``rows`` are what `position_rows`
    makes of ``lots`` on the days of the valuation.
    """
    shape, (lot, day) = valuation.net.shape, open_positions(lots, valuation.days)
    units = lots["quantity"].to_numpy(float)[lot] * CONTRACT_SIZE
    portfolio = pd.Index(valuation.portfolios["portfolio_id"]).get_indexer(
        pd.Index(lots["portfolio_id"])
    )[lot]

    def total(of_positions: FloatArray | BoolArray) -> FloatArray:
        cells = group_sums(
            of_positions.astype(float)[:, None], portfolio * shape[1] + day, shape[0] * shape[1]
        )
        return cells.reshape(shape)

    n_unknown = total(rows["value"].isna().to_numpy(bool))
    columns = {
        name: np.where(n_unknown > 0, np.nan, total(rows[greek].to_numpy(float) * units))
        for name, greek in _GREEKS.items()
    }
    frame = valuation.to_frame(columns, DAY_COLUMN)
    why = valuation.undefined_reasons(
        columns["portfolio_delta"],
        Reason("options with unknown sensitivities: {:.0f}", n_unknown > 0, n_unknown),
    )
    return frame, panels.undefined_rows(
        frame,
        "portfolio_snapshots",
        dict.fromkeys(_GREEKS, why),
        subject="portfolio_id",
        day=DAY_COLUMN,
    )
