"""Distributions received by the lots of a ledger: by day, in cash, and since entry."""

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.results.income import Distributions, Income
from riskmetrics.results.ledger import Ledger
from riskmetrics.results.lot_frames import is_listed
from riskmetrics.results.running_sums import RunningSums


def compute_income(ledger: Ledger, distributions: Distributions) -> Income:
    """Assign the distributions of each ex-day to the lots held at the close before it.

    ``distributions`` are those of the symbols of the ledger, from the first entry or anchor on. The
    result has a column for each of the D + 1 valuation sessions.
    """
    stamps = ledger.valuation_sessions
    shape = len(ledger.cash_anchor), len(stamps)
    paid = _payments(ledger, distributions.events)
    in_run = paid[paid["day"] >= 0]
    known = in_run[in_run["amount"].notna()]
    daily = _sum_payments(known, ledger.lot_portfolio, shape)
    by_instrument = _sum_payments(known, ledger.lot_instrument, (len(ledger.instruments), shape[1]))
    n_listed, n_known, n_single = _count_listed(
        ledger, in_run[in_run["amount"].isna()], distributions.single_close_symbols
    )
    has_entry_date = ~ledger.lots["entry_date_assumed"].to_numpy(bool)
    since_entry = _running_sums(paid[has_entry_date[paid["lot"]]], ledger.lot_portfolio)
    portfolio, everyday = np.arange(shape[0])[:, None], np.broadcast_to(stamps, shape)
    return Income(
        daily=np.where((n_listed > 0) & (n_known == 0), np.nan, daily),
        n_known=n_known,
        n_listed=n_listed,
        n_single=n_single,
        by_instrument=by_instrument,
        cash=_sum_cash(paid, ledger, everyday),
        cumulative=since_entry.sum_through(portfolio, everyday),
    )


def _sum_payments(
    payments: pd.DataFrame, lot_group: IntArray, shape: tuple[int, int]
) -> FloatArray:
    """Sum payments by group of lots and day into an array of ``shape`` (groups, D)."""
    sums = np.zeros(shape)
    np.add.at(
        sums,
        (lot_group[payments["lot"]], payments["day"].to_numpy()),
        payments["amount"].to_numpy(),
    )
    return sums


def _count_listed(
    ledger: Ledger, undefined: pd.DataFrame, single_close_symbols: frozenset[str]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Count the listed, known and single-close instruments held overnight, each (P, D + 1).

    ``undefined`` are the payments of unknown amount.
    """
    trades, symbols = ledger.lot_arrays, ledger.lots["symbol"]
    over_night = _is_paid(trades.entry[:, None], trades.exit[:, None], ledger.valuation_sessions)
    over_night &= is_listed(ledger.lots)[:, None]
    single = over_night & symbols.isin(single_close_symbols).to_numpy(bool)[:, None]
    missing = single.copy()
    missing[undefined["lot"], undefined["day"]] = True
    is_held, is_unknown, is_single = (
        ledger.any_lot(flags) for flags in (over_night, missing, single)
    )
    n_listed, n_known, n_single = (
        group_sums(flags.astype(float), ledger.instrument_portfolio, len(ledger.cash_anchor))
        for flags in (is_held, is_held & ~is_unknown, is_single)
    )
    return n_listed, n_known, n_single


def _sum_cash(paid: pd.DataFrame, ledger: Ledger, everyday: DateArray) -> FloatArray:
    """Sum payments between the anchor and each day, (P, D + 1); 0 without an anchor."""
    anchor = ledger.cash_anchor[:, None]
    total, portfolio = _running_sums(paid, ledger.lot_portfolio), np.arange(len(anchor))[:, None]
    cash = total.sum_through(portfolio, everyday) - total.sum_through(portfolio, anchor)
    return np.where(np.isnat(anchor), 0.0, cash)


def _payments(ledger: Ledger, events: pd.DataFrame) -> pd.DataFrame:
    """Return the distributions received by lots, by date and lot: lot (row), date, amount, day.

    ``day`` is the index in the valuation sessions, -1 if the date is not among them.
    """
    lots, trades = ledger.lots, ledger.lot_arrays
    held = pd.DataFrame({"symbol": lots["symbol"].to_numpy(), "lot": np.arange(len(lots))})
    pairs = events.merge(held[is_listed(lots)], on="symbol", how="inner")
    day, lot = pairs["date"].to_numpy("datetime64[D]"), pairs["lot"].to_numpy(np.int64)
    over_night = _is_paid(trades.entry[lot], trades.exit[lot], day)
    pairs = pairs.assign(amount=pairs["amount"].to_numpy() * trades.units[lot])[over_night]
    ordered = pairs[["lot", "date", "amount"]].sort_values(["date", "lot"], ignore_index=True)
    sessions = pd.DatetimeIndex(ledger.valuation_sessions)
    return ordered.assign(day=sessions.get_indexer(pd.DatetimeIndex(ordered["date"])))


def _is_paid(entry: DateArray, exit_: DateArray, ex_day: DateArray) -> BoolArray:
    """Return whether holdings from ``entry`` to ``exit_`` receive a distribution (broadcasts)."""
    paid: BoolArray = (entry < ex_day) & ~(exit_ < ex_day)
    return paid


def _running_sums(payments: pd.DataFrame, lot_portfolio: IntArray) -> RunningSums:
    """Return running sums of known payments by portfolio, in their order: by date and lot."""
    known = payments[payments["amount"].notna()]
    return RunningSums(
        lot_portfolio[known["lot"]],
        known["date"].to_numpy("datetime64[D]"),
        known["amount"].to_numpy(float),
    )
