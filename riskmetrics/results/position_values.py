"""Price, value, weight and P&L of each instrument of the portfolios on one session."""

from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.portfolio import group_sums, lot_pnl
from riskmetrics.results import lot_prices
from riskmetrics.results.ledger import Ledger
from riskmetrics.results.valuation import Valuation
from riskmetrics.results.valuation_inputs import MarketData
from riskmetrics.transactions.model import CONTRACT_SIZE


def position_values(
    valuation: Valuation, lots: pd.DataFrame, anchors: "pd.Series[Any]", market: MarketData
) -> pd.DataFrame:
    """Return a row per instrument that is held on the last session of a valuation.

    Parameters
    ----------
    valuation : Valuation
    lots : DataFrame
        Its lots.
    anchors, market
        As in `valuation.value_portfolios`.

    Returns
    -------
    DataFrame
        portfolio (name), symbol, right (of an option), underlying, quantity (shares or contracts,
        lots netted), price (per share), is_stale (whether the price is the close of an earlier
        session), is_stated (whether the price is one that a file stated, on all sessions), value,
        weight (exposure / equity), daily_pnl (with income) and cumulative_price_pnl (price change
        of all lots since their entry, without income). Amounts are in the portfolio's currency; NaN
        where unknown.
    """
    ledger = _one_day_ledger(valuation, lots, anchors, market)
    suspicion = lot_prices.split_suspicion(lots, market.suspects, valuation.sessions[-1:])
    by_lot = lot_pnl(ledger.lot_arrays, ledger.valuation_sessions, ledger.prices)
    units = np.where(ledger.is_open, ledger.lot_arrays.units[:, np.newaxis], 0.0)[:, 1:]
    n_units = group_sums(units, ledger.lot_instrument, len(ledger.instruments))[:, 0]
    owner, value = valuation.instrument_portfolio, valuation.values[:, -1]
    daily, cumulative = (
        _sum_lots(ledger, np.where(is_unknown, np.nan, pnl))
        for pnl, is_unknown in (
            (by_lot.daily, by_lot.is_active & suspicion.on_day),
            (by_lot.cumulative, ledger.has_no_entry_price | suspicion.since_entry),
        )
    )
    names = ledger.instruments[["symbol", "right", "underlying"]]
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = names.assign(
            portfolio=valuation.portfolios["name"].to_numpy()[owner],
            quantity=n_units / np.where(names["right"].notna(), CONTRACT_SIZE, 1),
            price=value / n_units,
            is_stale=valuation.is_stale[:, -1],
            is_stated=np.isfinite(value) & ~ledger.instruments["listed"].to_numpy(bool),
            value=value,
            weight=valuation.exposures[:, -1] / valuation.weight_denominator[owner, -1],
            daily_pnl=daily + valuation.income.by_instrument[:, -1],
            cumulative_price_pnl=cumulative,
        )
    return rows[valuation.is_held[:, -1]].reset_index(drop=True)


def _one_day_ledger(
    valuation: Valuation, lots: pd.DataFrame, anchors: "pd.Series[Any]", market: MarketData
) -> Ledger:
    """Return the ledger of the last session, without flows of cash."""
    session = valuation.sessions[-1]
    days = [trading_calendar.previous_session(session), session]
    prices, _, _ = lot_prices.price_lots(lots, market.closes, days)
    return Ledger.from_frames(valuation.portfolios, lots, anchors, market.closes, days, prices)


def _sum_lots(ledger: Ledger, amounts: FloatArray) -> FloatArray:
    """Return the sums by instrument, (I,); NaN if one of its lots is NaN."""
    sums = group_sums(amounts, ledger.lot_instrument, len(ledger.instruments))
    unknown = ledger.any_lot(np.isnan(amounts))
    return np.where(unknown, np.nan, sums)[:, 0]
