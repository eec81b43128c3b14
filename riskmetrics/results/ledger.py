"""Ledger of lots by instrument and portfolio: cash, P&L and cash flows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import sufficient_equity
from riskmetrics.metrics.portfolio import Holdings, Lots, group_sums, is_open, lot_pnl, net_lots
from riskmetrics.results import lot_prices
from riskmetrics.results.income import NO_DISTRIBUTIONS, Income
from riskmetrics.results.lot_frames import (
    OPTION_RIGHTS,
    date_array,
    is_listed,
    is_option,
    underlying,
)
from riskmetrics.results.transaction_cash import (
    NO_FLOWS,
    TransactionCash,
    sum_transaction_cash,
)
from riskmetrics.transactions.model import CASH_UNIT, CONTRACT_SIZE, PRICE_UNIT

_PRICE_ROUNDING, _CASH_ROUNDING = float(PRICE_UNIT), float(CASH_UNIT)
"""Rounding of a stored entry and exit price per share, and of the cash of a day, in currency."""


class PnL(NamedTuple):
    """P&L of portfolios, and counts of what is missing in it, each of shape (P, D)."""

    daily: FloatArray
    """Price changes and income of the instruments with a known price change, and interest, fees
    and taxes of transactions; NaN if no price change is known."""
    n_traded: FloatArray
    """Instruments held at some time after the previous close."""
    n_known: FloatArray
    """Traded instruments whose P&L is in `daily`."""
    coverage: FloatArray
    """Share of traded instruments with a P&L, by number or by value at the start of the day,
    whichever is smaller; 1 if nothing is traded."""
    cumulative: FloatArray
    """P&L since entry, with income; NaN where the entry price or the end price of a lot is
    missing."""
    n_no_entry_price: FloatArray
    """Lots entered by the day without an entry price."""
    n_no_end_price: FloatArray
    """Lots entered by the day without a price on it or at exit."""
    n_unconfirmed: FloatArray
    """Traded instruments whose close on the day or the previous session is unconfirmed on
    the day."""
    n_split_suspects: FloatArray
    """Traded instruments whose P&L of the day includes a suspected split."""
    n_lots_over_split: FloatArray
    """Lots held over an unresolved suspected split up to the day."""


class StartOfDay(NamedTuple):
    """Denominators of a day's return, in currency, each of shape (P, D)."""

    equity: FloatArray
    """Equity at the previous session plus inflows since; NaN if no holding then had a price, or the
    cash is unknown."""
    gross_value: FloatArray
    """Gross value at the previous session plus inflows since."""

    @property
    def return_denominator(self) -> FloatArray:
        """Return the equity; NaN where not positive or below MIN_EQUITY_SHARE of gross value."""
        return sufficient_equity(self.equity, self.gross_value)


@dataclass(frozen=True)
class Ledger:
    """L lots of P portfolios on D + 1 valuation sessions: those of a run, and the one before."""

    portfolios: pd.DataFrame
    lots: pd.DataFrame
    closes: pd.DataFrame
    valuation_sessions: DateArray
    prices: FloatArray
    """Price of each lot on each valuation session, (L, D + 1)."""
    lot_arrays: Lots
    lot_portfolio: IntArray
    """Row of each lot's portfolio, (L,)."""
    instruments: pd.DataFrame
    """One row per instrument: portfolio (row), symbol, listed, right (of an option), underlying (as
    from `lot_frames.underlying`)."""
    lot_instrument: IntArray
    """Row of each lot's instrument, (L,)."""
    cash_anchor: DateArray
    """Day at whose close each portfolio's cash is known, (P,); NaT if no equity is stated."""
    transaction_cash: TransactionCash

    @classmethod
    def from_frames(
        cls,
        portfolios: pd.DataFrame,
        lots: pd.DataFrame,
        cash_anchors: "pd.Series[Any]",
        closes: pd.DataFrame,
        valuation_sessions: Sequence[date],
        prices: FloatArray,
        cash_flows: pd.DataFrame = NO_FLOWS,
        distributions: pd.DataFrame = NO_DISTRIBUTIONS,
    ) -> Self:
        """Build a ledger from frames; see `transaction_cash.sum_transaction_cash`."""
        ids = pd.Index(portfolios["portfolio_id"])
        owner = ids.get_indexer(pd.Index(lots["portfolio_id"])).astype(np.int64)
        instruments, instrument = _instruments(lots, owner)
        anchor_days = pd.to_datetime(portfolios["portfolio_id"].map(cash_anchors))
        stamps = np.array(valuation_sessions, dtype="datetime64[D]")
        return cls(
            portfolios,
            lots,
            closes,
            stamps,
            prices,
            _lot_arrays(lots, closes),
            owner,
            instruments,
            instrument,
            anchor_days.to_numpy("datetime64[D]"),
            sum_transaction_cash(cash_flows, ids, stamps, distributions, lots),
        )

    @cached_property
    def instrument_portfolio(self) -> IntArray:
        """Return the row of each instrument's portfolio, (I,)."""
        return self.instruments["portfolio"].to_numpy(np.int64)

    @cached_property
    def is_open(self) -> BoolArray:
        """Return whether each lot is open at the close of each valuation session, (L, D + 1)."""
        return is_open(self.lot_arrays.entry, self.lot_arrays.exit, self.valuation_sessions)

    @property
    def is_entered(self) -> BoolArray:
        """Return whether each lot is entered by the close of each session, (L, D)."""
        return self.lot_arrays.entry[:, None] <= self.valuation_sessions[1:]

    @property
    def has_no_entry_price(self) -> BoolArray:
        """Return whether each lot is entered by each session without a price, (L, D)."""
        return self.is_entered & self.lots["entry_price"].isna().to_numpy()[:, None]

    def count_lots(self, condition: BoolArray) -> FloatArray:
        """Count the lots of each portfolio with a true ``condition`` (L, D): (P, D)."""
        return group_sums(condition.astype(float), self.lot_portfolio, len(self.portfolios))

    def any_lot(self, condition: BoolArray) -> BoolArray:
        """Return whether ``condition`` (L, D) is true for any lot of each instrument: (I, D)."""
        found: BoolArray = (
            group_sums(condition.astype(float), self.lot_instrument, len(self.instruments)) > 0
        )
        return found

    def count_instruments(self, condition: BoolArray) -> FloatArray:
        """Count the instruments of each portfolio with a true ``condition`` (I, D): (P, D)."""
        return group_sums(condition.astype(float), self.instrument_portfolio, len(self.portfolios))

    def net_holdings(self, days: DateArray, prices: FloatArray) -> Holdings:
        """Net the lots by instrument on ``days``, as in `metrics.portfolio.net_lots`."""
        return net_lots(self.lot_arrays, days, prices, self.lot_instrument, len(self.instruments))

    def inflows(self) -> tuple[FloatArray, FloatArray]:
        """Return inflows of portfolios without a stated equity.

        Returns
        -------
        net, gross : (P, D) arrays
            Signed cost of the lots opened after the previous session (negative for short sales),
            and its absolute amount. Sales of the same day pay for purchases first; the remaining
            proceeds leave at the end of the day. Where cash follows from transactions: deposits and
            transfers in, less withdrawals and transfers out, and the transfers; a net outflow is at
            the end of the day.
        """
        cost, proceeds = self._traded_amounts()
        is_unfunded = np.isnat(self.cash_anchor) & ~self.transaction_cash.is_known
        opened = np.where(is_unfunded[self.lot_portfolio][:, None], cost, 0.0)
        n = len(self.portfolios)
        bought, sold, shorted = (
            group_sums(amounts, self.lot_portfolio, n)
            for amounts in (
                np.maximum(opened, 0.0),
                np.maximum(proceeds, 0.0),
                np.minimum(opened, 0.0),
            )
        )
        paid_in = np.maximum(bought - sold, 0.0)
        net, gross = paid_in + shorted, paid_in - shorted
        if not self.transaction_cash.is_known.any():
            return net, gross
        in_kind = self._transfers_in_kind(cost, proceeds)
        is_known = self.transaction_cash.is_known[:, None]
        return (
            np.where(is_known, np.maximum(self.transaction_cash.external + in_kind, 0.0), net),
            np.where(is_known, np.maximum(in_kind, 0.0), gross),
        )

    def _traded_amounts(self) -> tuple[FloatArray, FloatArray]:
        """Return cost of opened and proceeds of closed lots since the previous session, (L, D)."""
        amounts = []
        for when, price in (
            (self.lot_arrays.entry, self.lot_arrays.entry_price),
            (self.lot_arrays.exit, self.lot_arrays.exit_price),
        ):
            after = when[:, None] > self.valuation_sessions[:-1]
            is_traded = after & (when[:, None] <= self.valuation_sessions[1:])
            amounts.append(np.where(is_traded, (self.lot_arrays.units * price)[:, None], 0.0))
        return amounts[0], amounts[1]

    def _transfers_in_kind(self, cost: FloatArray, proceeds: FloatArray) -> FloatArray:
        """Return the value of lots transferred in less out, (P, D).

        It is what lots cost net of proceeds beyond the cash of the trades. A difference that the
        rounding of stored prices explains is 0.
        """
        n = len(self.portfolios)
        rounding = _PRICE_ROUNDING * ((cost != 0) | (proceeds != 0))
        allowed = group_sums(
            np.abs(self.lot_arrays.units)[:, None] * rounding, self.lot_portfolio, n
        )
        in_kind = self.transaction_cash.trades + group_sums(
            np.nan_to_num(cost) - np.nan_to_num(proceeds), self.lot_portfolio, n
        )
        return np.where(np.abs(in_kind) <= allowed + _CASH_ROUNDING, 0.0, in_kind)

    def start_of_day(self, held: Holdings, cash_and_stated_value: FloatArray) -> StartOfDay:
        """Return equity and gross value at the start of each day.

        Inflows are at its start. ``cash_and_stated_value`` (P, D + 1) is the equity without prices.
        """
        n = len(self.portfolios)
        n_held = self.count_instruments(held.direction != 0)
        n_priced = self.count_instruments((held.direction != 0) & np.isfinite(held.values))
        net, gross_value = (
            group_sums(values, self.instrument_portfolio, n)
            for values in (held.values, np.abs(held.values))
        )
        equity = np.where((n_held > 0) & (n_priced == 0), np.nan, net + cash_and_stated_value)
        net_inflow, gross_inflow = self.inflows()
        return StartOfDay(equity[:, :-1] + net_inflow, gross_value[:, :-1] + gross_inflow)

    def pnl(
        self, is_unconfirmed: BoolArray, split_suspicion: lot_prices.SplitSuspicion, income: Income
    ) -> PnL:
        """Return the P&L of portfolios on each day.

        Instruments with a lot whose P&L is unknown are left out. ``is_unconfirmed`` (L, D) flags
        lots with an unconfirmed close; ``split_suspicion`` flags lots affected by a suspected
        split.
        """
        is_late = lot_prices.counts_when_closed(self.lots)
        by_lot = lot_pnl(self.lot_arrays, self.valuation_sessions, self.prices, is_late)
        is_over_split = by_lot.is_active & split_suspicion.on_day
        by_lot = by_lot._replace(daily=np.where(is_over_split, np.nan, by_lot.daily))
        is_unconfirmed = is_unconfirmed | split_suspicion.since_entry
        traded = self.any_lot(by_lot.is_active)
        known = traded & ~self.any_lot(np.isnan(by_lot.daily))
        n, m = len(self.portfolios), len(self.instruments)
        n_traded, n_known = self.count_instruments(traded), self.count_instruments(known)
        by_instrument = group_sums(by_lot.daily, self.lot_instrument, m) + income.by_instrument
        daily = group_sums(np.where(known, by_instrument, 0.0), self.instrument_portfolio, n)
        # a part of an unpriced holding that is closed has a P&L, though the rest has none
        is_partial = is_late[:, None] & ~known[self.lot_instrument]
        daily = daily + group_sums(np.where(is_partial, by_lot.daily, 0.0), self.lot_portfolio, n)
        no_entry_price = self.has_no_entry_price
        no_end_price = self.is_entered & np.isnan(by_lot.end_price)
        unknown = self.count_lots(no_entry_price | no_end_price | split_suspicion.since_entry) > 0
        cumulative = group_sums(by_lot.cumulative, self.lot_portfolio, n) + income.cumulative
        entered_before = self.lot_arrays.entry[:, None] <= self.valuation_sessions[:-1]
        start = np.where(entered_before, self.prices[:, :-1], self.lot_arrays.entry_price[:, None])
        start_value = np.where(by_lot.is_active, self.lot_arrays.units[:, None] * start, 0.0)
        sizes = np.abs(group_sums(start_value, self.lot_instrument, m))
        traded_size, known_size = (
            group_sums(np.where(counted, sizes, 0.0), self.instrument_portfolio, n)
            for counted in (traded, known)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = n_known / n_traded, np.where(traded_size > 0, known_size / traded_size, 1.0)
        return PnL(
            daily=np.where(
                (n_traded > 0) & (n_known == 0), np.nan, daily + self.transaction_cash.other
            ),
            n_traded=n_traded,
            n_known=n_known,
            coverage=np.where(n_traded > 0, np.minimum(*shares), 1.0),
            cumulative=np.where(
                unknown, np.nan, cumulative + self.transaction_cash.other_since_start
            ),
            n_no_entry_price=self.count_lots(no_entry_price),
            n_no_end_price=self.count_lots(no_end_price),
            n_unconfirmed=self.count_instruments(self.any_lot(by_lot.is_active & is_unconfirmed)),
            n_split_suspects=self.count_instruments(self.any_lot(is_over_split)),
            n_lots_over_split=self.count_lots(split_suspicion.since_entry),
        )

    def unpriced_values(
        self, held: Holdings, closes: pd.DataFrame, earlier_closes: "pd.Series[float]"
    ) -> FloatArray:
        """Return the last known value of instruments without a price, (I, D + 1).

        NaN where it is unknown, 0 for other instruments.
        """
        known = lot_prices.last_known_prices(
            self.lots, closes, earlier_closes, self.valuation_sessions
        )
        last = self.net_holdings(self.valuation_sessions, known)
        return np.where((held.direction != 0) & np.isnan(held.values), np.abs(last.values), 0.0)


def unpriced_trade_days(lots: pd.DataFrame) -> list[date]:
    """Return the days of trades without a stated price; the close of the session is used."""
    return [
        day.date()
        for name, price in (("entry_date", "entry_price"), ("exit_date", "exit_price"))
        for day in lots.loc[
            lots[price].isna() & lots[name].notna() & ~_is_assumed(lots, name), name
        ].unique()
    ]


def _lot_arrays(lots: pd.DataFrame, closes: pd.DataFrame) -> Lots:
    """Return lots as arrays; a trade without a price is at the close of its session.

    An exit without one is at the last close.
    """
    multiplier = np.where(is_option(lots), CONTRACT_SIZE, 1)
    exit_price = _trade_prices(lots, closes, "exit_date", "exit_price")
    return Lots(
        units=lots["quantity"].to_numpy(float) * multiplier,
        entry=date_array(lots, "entry_date"),
        entry_price=_trade_prices(lots, closes, "entry_date", "entry_price"),
        exit=date_array(lots, "exit_date"),
        exit_price=np.where(
            is_listed(lots) & np.isnan(exit_price), lots["exit_close"].to_numpy(float), exit_price
        ),
    )


def _trade_prices(
    lots: pd.DataFrame, closes: pd.DataFrame, date_column: str, price_column: str
) -> FloatArray:
    stated, days = lots[price_column].to_numpy(float), date_array(lots, date_column)
    unpriced = np.isnan(stated) & ~_is_assumed(lots, date_column).to_numpy(bool)
    return np.where(
        unpriced,
        lot_prices.prices_on(lots, closes, np.where(unpriced, days, np.datetime64("NaT"))),
        stated,
    )


def _is_assumed(lots: pd.DataFrame, date_column: str) -> "pd.Series[bool]":
    return lots["entry_date_assumed"].astype(bool) & (date_column == "entry_date")


def _instruments(lots: pd.DataFrame, lot_portfolio: IntArray) -> tuple[pd.DataFrame, IntArray]:
    """Return the instruments, and each lot's row among them.

    Stocks are netted by symbol, options by symbol, underlying, right, strike and expiration.
    """
    keys = pd.DataFrame(
        {
            "portfolio": lot_portfolio,
            "symbol": lots["symbol"],
            "underlying": underlying(lots),
            "listed": is_listed(lots),
            "right": lots["position_type"].map(OPTION_RIGHTS),
            "strike": lots["strike_price"],
            "expiration": lots["expiration_date"],
        }
    )
    row = (
        keys.groupby(list(keys.columns), sort=False, dropna=False)
        .ngroup()
        .to_numpy()
        .astype(np.int64)
    )
    first = np.unique(row, return_index=True)[1]
    return keys.iloc[first].reset_index(drop=True), row
