"""Cash of portfolios on each session, and the stated values of holdings without a price."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray
from riskmetrics.metrics.portfolio import cash_flows, group_sums, is_open
from riskmetrics.results import lot_prices
from riskmetrics.results.ledger import Ledger
from riskmetrics.results.lot_frames import is_listed


class CashBalances(NamedTuple):
    """Parts of the equity of portfolios that closes do not give, each of shape (P, D + 1)."""

    cash: FloatArray
    """Cash without distributions; NaN where a holding in it has a price."""
    stated_value: FloatArray
    """Value of holdings without a price, at the price of their statement."""


def roll_cash(ledger: Ledger) -> CashBalances:
    """Return the cash of each portfolio, and the stated values of its holdings without a price.

    Cash is the equity balance less the net value at its anchor, plus the cash flows of trades
    since. A holding without a price at the anchor, or at its purchase since, is worth the price of
    its statement: that value is in neither cash nor exposure, but in the equity, until the holding
    has a price. Without such a price it stays in the cash. On a day on which it has a price it
    would count twice, so the cash is NaN. A portfolio that is kept by transactions has the sum of
    their amounts.
    """
    trades, days, n = ledger.lot_arrays, ledger.valuation_sessions, len(ledger.portfolios)
    lot_cash_anchor = ledger.cash_anchor[ledger.lot_portfolio]
    anchor_prices = lot_prices.prices_on(ledger.lots, ledger.closes, lot_cash_anchor)[:, None]
    net = group_sums(
        ledger.net_holdings(lot_cash_anchor[:, None], anchor_prices).values,
        ledger.instrument_portfolio,
        n,
    )
    is_open_at_anchor = is_open(trades.entry, trades.exit, lot_cash_anchor[:, None])
    is_unpriced = np.isnan(anchor_prices) & is_open_at_anchor
    prices = _stated_prices(ledger, lot_cash_anchor, is_unpriced[:, 0])
    values = (trades.units * prices)[:, None]
    flows = cash_flows(
        trades._replace(
            entry_price=np.where(np.isnan(trades.entry_price), prices, trades.entry_price),
            exit_price=np.where(np.isnan(trades.exit_price), prices, trades.exit_price),
        ),
        lot_cash_anchor,
        days,
    )
    in_cash = np.isnan(flows) | (is_unpriced & np.isnan(values))
    is_counted_twice = ledger.count_lots(in_cash & ledger.is_open & np.isfinite(ledger.prices)) > 0

    def sum_stated(is_stated: BoolArray) -> FloatArray:
        return group_sums(np.where(is_stated, values, 0.0), ledger.lot_portfolio, n)

    balance = ledger.portfolios["equity_balance"].to_numpy(float)[:, None]
    flow = group_sums(flows, ledger.lot_portfolio, n)
    cash = balance - net - sum_stated(is_unpriced) + flow
    rolled = np.where(
        np.isnat(ledger.cash_anchor)[:, None], 0.0, np.where(is_counted_twice, np.nan, cash)
    )
    from_transactions = ledger.transaction_cash
    return CashBalances(
        np.where(from_transactions.is_known[:, None], from_transactions.balance, rolled),
        sum_stated(ledger.is_open & np.isnan(ledger.prices)),
    )


def _stated_prices(
    ledger: Ledger, lot_cash_anchor: DateArray, is_unpriced: BoolArray
) -> FloatArray:
    """Return the price in the statement of lots that have no close when they enter the cash, (L,).

    NaN for all others: those with a close at the anchor, or with a price of their purchase since.
    """
    arrays, lots = ledger.lot_arrays, ledger.lots
    is_bought_since = np.isnan(arrays.entry_price) & (arrays.entry > lot_cash_anchor)
    is_known = ledger.transaction_cash.is_known[ledger.lot_portfolio]
    needs_price = (is_unpriced | is_bought_since) & is_listed(lots) & ~is_known
    return np.where(needs_price, lots["last_price"].to_numpy(float), np.nan)
