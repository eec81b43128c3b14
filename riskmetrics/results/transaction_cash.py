"""Cash and flows of the portfolios whose cash follows from transactions.

Transactions without any deposit or withdrawal do not determine the cash: such a portfolio is valued
like one without a stated equity.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.results.lot_frames import date_array, is_listed
from riskmetrics.results.running_sums import RunningSums
from riskmetrics.transactions.model import EXTERNAL_KINDS, OPTION_ENDS, TRADES, Kind

NO_FLOWS = pd.DataFrame(columns=["portfolio_id", "day", "kind", "symbol", "amount"])
"""Flows if no portfolio is kept by transactions."""

MAX_DAYS_TO_PAYMENT = 92
"""Days from an ex-day within which its dividend is paid: a quarter. Most are paid within 60."""

_EXTERNAL = [kind.value for kind in EXTERNAL_KINDS]
_TRADES = [kind.value for kind in (*TRADES, *OPTION_ENDS)]
_COSTS = [Kind.INTEREST.value, Kind.FEE.value, Kind.TAX.value]


class TransactionCash(NamedTuple):
    """Cash of P portfolios on D + 1 valuation sessions, and flows on the last D; 0 if unknown."""

    is_known: BoolArray
    """Whether the cash follows from transactions, (P,)."""
    balance: FloatArray
    """Cash after the transactions of each session, (P, D + 1)."""
    external: FloatArray
    """Deposits less withdrawals since the previous session, (P, D)."""
    trades: FloatArray
    """Proceeds less purchases since the previous session, with fees, (P, D)."""
    other: FloatArray
    """Interest, fees, taxes, and dividends that closes do not show, since the previous session,
    (P, D)."""
    other_since_start: FloatArray
    """The same since the first transaction, (P, D)."""


def sum_transaction_cash(
    flows: pd.DataFrame,
    portfolio_ids: pd.Index,
    valuation_sessions: DateArray,
    distributions: pd.DataFrame,
    lots: pd.DataFrame,
) -> TransactionCash:
    """Sum the cash flows of transactions.

    Parameters
    ----------
    flows : DataFrame
        Rows of `db.transactions.read_cash_flows`.
    portfolio_ids : Index
        Ids of the P portfolios.
    valuation_sessions : (D + 1,) array of dates
        Sessions of a run, and the one before.
    distributions : DataFrame
        Distributions that closes show: `income.Distributions.events`. The dividends of the day
        that pays one of them are in the P&L of the ex-day already, and only in the cash when they
        are paid.
    lots : DataFrame
        Lots as read by `db.input_queries`. The P&L of an ex-day has the distributions of those
        held overnight.
    """
    known = flows["portfolio_id"][flows["kind"].isin(_EXTERNAL)].unique()
    flows = flows[flows["portfolio_id"].isin(known) & flows["portfolio_id"].isin(portfolio_ids)]
    row = portfolio_ids.get_indexer(pd.Index(flows["portfolio_id"])).astype(np.int64)
    kind = flows["kind"]
    selections = {
        "balance": np.ones(len(flows), dtype=bool),
        "external": kind.isin(_EXTERNAL).to_numpy(bool),
        "trades": kind.isin(_TRADES).to_numpy(bool),
        "other": kind.isin(_COSTS).to_numpy(bool)
        | _is_unshown_dividend(flows, distributions, lots),
    }
    sums = {
        name: _sum_selected(flows, row, selected, len(portfolio_ids), valuation_sessions)
        for name, selected in selections.items()
    }
    return TransactionCash(
        is_known=np.isin(np.arange(len(portfolio_ids)), row),
        balance=sums["balance"],
        external=np.diff(sums["external"]),
        trades=np.diff(sums["trades"]),
        other=np.diff(sums["other"]),
        other_since_start=sums["other"][:, 1:],
    )


def _is_unshown_dividend(
    flows: pd.DataFrame, distributions: pd.DataFrame, lots: pd.DataFrame
) -> BoolArray:
    """Return which flows are dividends that the closes do not show as distributions, (N,).

    A day with dividends of a portfolio and symbol pays the latest distribution of held lots that no
    earlier day has paid. Ex-days and payments are matched like opening and closing parentheses: a
    payment closes the ex-day before it at its depth.
    """
    is_dividend = (flows["kind"] == Kind.DIVIDEND.value).to_numpy(bool)
    is_shown = np.zeros(len(flows), dtype=bool)
    names = ["portfolio_id", "symbol", "day"]
    paid = flows.loc[is_dividend, names].astype({"symbol": object, "day": "datetime64[s]"})
    days = paid.drop_duplicates()
    is_paid = ~(distributions["amount"] <= 0.0)  # a wrong price's payment that is reversed is none
    ex_days = distributions.loc[is_paid, ["symbol", "date"]].set_axis(names[1:], axis=1)
    ex_days = (
        days[names[:2]]
        .drop_duplicates()
        .merge(ex_days.astype({"symbol": object, "day": "datetime64[s]"}), on="symbol")
    )
    ex_days = ex_days[_is_held_overnight(ex_days, lots)]
    events = pd.concat([ex_days.assign(step=1), days.assign(step=-1)], ignore_index=True)
    events = events.sort_values([*names, "step"], ascending=[True, True, True, False])
    keys = [events[name] for name in names[:2]]
    walk = events["step"].groupby(keys, observed=True).cumsum()
    lowest = walk.groupby(keys, observed=True).cummin().clip(upper=0)  # payments of no ex-day
    depth = (walk - lowest).where(events["step"] > 0, walk - lowest + 1)
    previous = events.groupby([*keys, depth], observed=True)[["day", "step"]].shift()
    age = events["day"] - previous["day"]
    is_match = (events["step"] < 0) & (previous["step"] > 0)
    shown = events.loc[is_match & (age <= pd.Timedelta(days=MAX_DAYS_TO_PAYMENT)), names]
    is_shown[is_dividend] = pd.MultiIndex.from_frame(paid).isin(pd.MultiIndex.from_frame(shown))
    return is_dividend & ~is_shown


def _is_held_overnight(ex_days: pd.DataFrame, lots: pd.DataFrame) -> BoolArray:
    """Return for each portfolio_id, symbol and day whether a lot is held before the day, (E,)."""
    names = ["portfolio_id", "symbol"]
    row = ex_days.groupby(names, observed=True).ngroup().to_numpy().astype(np.int64)
    holdings = ex_days[names].assign(row=row).drop_duplicates()
    own = lots[is_listed(lots)].astype({"symbol": object}).merge(holdings, on=names)
    changes = pd.concat(
        pd.DataFrame({"row": own["row"], "day": date_array(own, name), "step": step})
        for name, step in (("entry_date", 1.0), ("exit_date", -1.0))
    )
    changes = changes[changes["day"].notna()].sort_values("day")
    n_held = RunningSums(
        changes["row"].to_numpy(np.int64),
        changes["day"].to_numpy("datetime64[D]"),
        changes["step"].to_numpy(float),
    )
    before = (ex_days["day"] - pd.Timedelta(days=1)).to_numpy("datetime64[D]")
    return n_held.sum_through(row, before) > 0


def _sum_selected(
    flows: pd.DataFrame, row: IntArray, selected: BoolArray, n_portfolios: int, sessions: DateArray
) -> FloatArray:
    """Return the running sums of the selected flows at each session, (P, D + 1)."""
    days = flows["day"].to_numpy("datetime64[D]")[selected]
    sums = RunningSums(row[selected], days, flows["amount"].to_numpy(float)[selected])
    return sums.sum_through(np.arange(n_portfolios)[:, None], sessions[None, :])
