"""Distributions received by lots: by day, in cash, and since entry."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.metrics.distributions import cash_distribution
from riskmetrics.metrics.portfolio import Lots, group_sums
from riskmetrics.results.lot_frames import is_listed
from riskmetrics.results.running_sums import RunningSums


class Distributions(NamedTuple):
    """Known distributions of symbols."""

    events: pd.DataFrame
    """symbol, date (ex-day), amount per share in the prices' currency; NaN where unknown."""
    single_close_symbols: frozenset[str]
    """Symbols with only one kind of close, from which no distribution can be inferred."""


class Income(NamedTuple):
    """Distributions of portfolios in currency, each (P, D) except by_instrument.

    Short lots pay them.
    """

    daily: FloatArray
    """Sum over instruments with known distributions; NaN if there are none."""
    n_known: FloatArray
    """Listed instruments whose distributions of the day are known."""
    n_listed: FloatArray
    """Listed instruments held overnight before the day."""
    n_single: FloatArray
    """Listed instruments held overnight without an adjusted close."""
    by_instrument: FloatArray
    """Known distributions of each instrument, (I, D)."""
    cash: FloatArray
    """Received between the cash anchor and each day; with the opposite sign before the anchor."""
    cumulative: FloatArray
    """Received since entry by lots with a known entry date."""


def infer_distributions(
    steps: pd.DataFrame, single_close_symbols: Sequence[str], suspects: pd.DataFrame | None = None
) -> Distributions:
    """Infer distributions from the days on which adj_close / close changes.

    ``steps`` are read by `db.stored_prices.read_adjustment_steps`: symbol, date, and both closes of
    the day and of the row before it. The amount is unknown on the session of one of ``suspects``,
    rows of `panels.suspected_splits`.
    """
    names = ("close_before", "close", "adj_close_before", "adj_close")
    scales = {name: steps[name].to_numpy(float) for name in ("close_scale", "adj_close_scale")}
    amount = cash_distribution(*(steps[name].to_numpy(float) for name in names), **scales)
    if suspects is not None:
        moves = pd.MultiIndex.from_frame(suspects[["symbol", "date"]])
        amount[pd.MultiIndex.from_frame(steps[["symbol", "date"]]).isin(moves)] = np.nan
    amount = _reverse_bad_ticks(steps, amount)
    events = pd.DataFrame({"symbol": steps["symbol"], "date": steps["date"], "amount": amount})
    return Distributions(events[events["amount"] != 0], frozenset(single_close_symbols))


_SAME_LEVEL_TOLERANCE = 2e-3
"""Relative tolerance for adj_close / close to count as back at its level two rows before."""


def _reverse_bad_ticks(steps: pd.DataFrame, amount: FloatArray) -> FloatArray:
    """Reverse the amount caused by one wrong price, on the step back to the previous adjustment."""
    before = steps.shift(1)
    level = before["adj_close_before"] / before["close_before"]
    is_next_row = (steps["symbol"] == before["symbol"]) & (steps["close_before"] == before["close"])
    is_next_row &= steps["adj_close_before"] == before["adj_close"]
    is_back = is_next_row & (
        (steps["adj_close"] / steps["close"] / level - 1).abs() < _SAME_LEVEL_TOLERANCE
    )
    paid = np.nan_to_num(np.roll(amount, 1))
    return np.where(is_back, -paid, amount)


def compute_income(
    lots: pd.DataFrame,
    trades: Lots,
    distributions: Distributions,
    lot_portfolio: IntArray,
    lot_instrument: IntArray,
    instrument_portfolio: IntArray,
    anchor: DateArray,
    valuation_sessions: Sequence[date],
) -> Income:
    """Assign the distributions of each ex-day to the lots held at the close before it.

    Parameters
    ----------
    lots, trades : DataFrame, Lots
        L lots as read by `db.input_queries`, and as arrays.
    distributions : Distributions
        Distributions of their symbols, from the first entry or anchor on.
    lot_portfolio, lot_instrument : (L,) arrays
        Row of each lot's portfolio and instrument.
    instrument_portfolio : (I,) array
        Row of each instrument's portfolio.
    anchor : (P,) array
        Day at whose close the cash is known; NaT if no equity is stated.
    valuation_sessions : sequence of date
        D + 1 consecutive sessions: those of a run, and the one before.

    Returns
    -------
    Income
        With D + 1 columns.
    """
    n, stamps = len(anchor), np.array(valuation_sessions, dtype="datetime64[D]")
    shape = n, len(valuation_sessions)
    paid = _payments(lots, trades, distributions.events, valuation_sessions)
    in_run = paid[paid["day"] >= 0]
    known = in_run[in_run["amount"].notna()]
    daily = _sum_payments(known, lot_portfolio, shape)
    by_instrument = _sum_payments(
        known, lot_instrument, (len(instrument_portfolio), len(valuation_sessions))
    )

    over_night = (
        _is_paid(trades.entry[:, None], trades.exit[:, None], stamps) & is_listed(lots)[:, None]
    )
    single = (
        over_night & lots["symbol"].isin(distributions.single_close_symbols).to_numpy(bool)[:, None]
    )
    missing = single.copy()
    undefined = in_run[in_run["amount"].isna()]
    missing[undefined["lot"], undefined["day"]] = True
    n_listed, n_known, n_single = _count_listed(
        over_night, missing, single, lot_instrument, instrument_portfolio, n
    )

    with_entry_date = paid[~lots["entry_date_assumed"].to_numpy(bool)[paid["lot"]]]
    portfolio, everyday = np.arange(n)[:, None], np.broadcast_to(stamps, shape)
    return Income(
        daily=np.where((n_listed > 0) & (n_known == 0), np.nan, daily),
        n_known=n_known,
        n_listed=n_listed,
        n_single=n_single,
        by_instrument=by_instrument,
        cash=_sum_cash(paid, lot_portfolio, anchor, everyday),
        cumulative=_running_sums(with_entry_date, lot_portfolio).sum_through(portfolio, everyday),
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
    over_night: BoolArray,
    missing: BoolArray,
    single: BoolArray,
    lot_instrument: IntArray,
    instrument_portfolio: IntArray,
    n_portfolios: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Count the listed, known and single-close instruments held overnight, each (P, D)."""
    is_held, is_unknown, is_single = (
        group_sums(flags.astype(float), lot_instrument, len(instrument_portfolio)) > 0
        for flags in (over_night, missing, single)
    )
    n_listed, n_known, n_single = (
        group_sums(flags.astype(float), instrument_portfolio, n_portfolios)
        for flags in (is_held, is_held & ~is_unknown, is_single)
    )
    return n_listed, n_known, n_single


def _sum_cash(
    paid: pd.DataFrame, lot_portfolio: IntArray, anchor: DateArray, everyday: DateArray
) -> FloatArray:
    """Sum payments between each portfolio's anchor and each day, (P, D); 0 without an anchor."""
    total, portfolio = _running_sums(paid, lot_portfolio), np.arange(len(anchor))[:, None]
    before_anchor = total.sum_through(portfolio, anchor[:, None])
    cash = total.sum_through(portfolio, everyday) - before_anchor
    return np.where(np.isnat(anchor)[:, None], 0.0, cash)


def _payments(
    lots: pd.DataFrame, trades: Lots, events: pd.DataFrame, sessions: Sequence[date]
) -> pd.DataFrame:
    """Return the distributions received by lots, by date and lot: lot (row), date, amount, day.

    ``day`` is the index in ``sessions``, -1 if the date is not among them.
    """
    held = pd.DataFrame({"symbol": lots["symbol"].to_numpy(), "lot": np.arange(len(lots))})
    pairs = events.merge(held[is_listed(lots)], on="symbol", how="inner")
    day, lot = pairs["date"].to_numpy("datetime64[D]"), pairs["lot"].to_numpy(np.int64)
    over_night = _is_paid(trades.entry[lot], trades.exit[lot], day)
    pairs = pairs.assign(amount=pairs["amount"].to_numpy() * trades.units[lot])[over_night]
    ordered: pd.DataFrame = pairs[["lot", "date", "amount"]].sort_values(
        ["date", "lot"], ignore_index=True
    )
    ordered["day"] = pd.DatetimeIndex(pd.to_datetime(list(sessions))).get_indexer(
        pd.DatetimeIndex(ordered["date"])
    )
    return ordered


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
