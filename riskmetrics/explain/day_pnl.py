"""Independent calculation of P&L, income and purchases of a portfolio's day, lot by lot."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.explain.portfolio_holdings import (
    INSTRUMENT_KEYS,
    Lot,
    income,
    is_overnight,
    lot_price,
    lots,
)
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.results.transaction_cash import MAX_DAYS_TO_PAYMENT
from riskmetrics.transactions.model import OPTION_ENDS, TRADES, Kind

LOT_METHOD = "lot by lot in Python, netted by pandas"
_EXTERNAL = (Kind.DEPOSIT, Kind.WITHDRAWAL)
_TRADES = (*TRADES, *OPTION_ENDS)
_COSTS = (Kind.INTEREST, Kind.FEE, Kind.TAX)


def lot_pnl(sources: SourceRows) -> "list[tuple[Lot, float, float]]":
    """Return each lot entered by the day with its P&L of the day and since entry.

    The P&L of the day is 0 for a lot that was exited earlier.
    """
    day, previous, found = sources.day, trading_calendar.previous_session(sources.day), []
    for lot in lots(sources):
        if lot.entry_date <= day:
            is_exited = lot.exit_date is not None and lot.exit_date <= day
            end = lot.exit_price if is_exited else lot_price(sources, lot, day)[0]
            is_held = not (is_exited and lot.exit_date <= previous)
            moves = _suspected_moves(sources, lot)
            over_split = any(row["date"].date() == day for row in moves)
            is_unknown = over_split or _starts_at_tick(sources, lot)
            daily = lot.units * (math.nan if is_unknown else end - _start_of_pnl(sources, lot))
            total = lot.units * (
                math.nan if _is_held_over_split(sources, lot) else end - lot.entry_price_stated
            )
            found.append((lot, daily if is_held else 0.0, total))
    return found


def _price_before(sources: SourceRows, lot: Lot) -> float:
    """Return the price of a lot on the session before, or that at which it was entered since."""
    previous = trading_calendar.previous_session(sources.day)
    if lot.entry_date <= previous:
        return lot_price(sources, lot, previous)[0]
    return float(lot.entry_price)


def _start_of_pnl(sources: SourceRows, lot: Lot) -> float:
    """Return the price that the day's P&L of a lot starts at."""
    is_late = _counts_when_closed(sources, lot)
    return float(lot.entry_price) if is_late else _price_before(sources, lot)


def _counts_when_closed(sources: SourceRows, lot: Lot) -> bool:
    """Return whether a lot has no price from its known entry to its exit."""
    is_priced = lot.listed or not math.isnan(lot_price(sources, lot, sources.day)[0])
    return not (is_priced or lot.entry_date_assumed)


def _suspected_moves(sources: SourceRows, lot: Lot) -> "list[dict[Any, Any]]":
    """Return suspected splits in the closes of a lot's symbol while it was held."""
    return [
        row
        for row in sources.suspects.to_dict("records")
        if row["symbol"] == lot.underlying
        and not math.isnan(row["in_close"])
        and lot.entry_date < row["date"].date() <= sources.day
        and (lot.exit_date is None or lot.exit_date >= row["date"].date())
    ]


def _starts_at_tick(sources: SourceRows, lot: Lot) -> bool:
    """Return whether a lot was held at the previous close and that close is a bad tick."""
    previous = trading_calendar.previous_session(sources.day)
    ticks = sources.suspects[sources.suspects["close_reverts"].astype(bool)]
    is_tick = (ticks["symbol"] == lot.underlying) & (ticks["date"] == pd.Timestamp(previous))
    return lot.entry_date <= previous and bool(is_tick.any())


def _is_held_over_split(sources: SourceRows, lot: Lot) -> bool:
    """Return whether a lot was held over a suspected split that is not known to be a bad tick."""
    moves = _suspected_moves(sources, lot)
    return any(not row["close_reverts"] or row["date"].date() == sources.day for row in moves)


def instrument_pnl(sources: SourceRows) -> pd.DataFrame:
    """Return the instruments held or traded on the day, with their P&L.

    P&L is NaN unless it is known for every lot. `closed` is that of closed lots without a price.
    """
    previous = trading_calendar.previous_session(sources.day)
    rows = [
        {name: getattr(lot, name) for name in INSTRUMENT_KEYS}
        | {
            "pnl": daily + _lot_income(sources, lot),
            "closed": 0.0 if math.isnan(daily) or not _counts_when_closed(sources, lot) else daily,
            "size": lot.units * _price_before(sources, lot),
            "over_split": _is_held_over_split(sources, lot),
        }
        for lot, daily, _ in lot_pnl(sources)
        if lot.exit_date is None or lot.exit_date > previous
    ]
    kinds = {"pnl": float, "closed": float, "size": float, "over_split": bool}
    frame = pd.DataFrame(rows, columns=[*INSTRUMENT_KEYS, *kinds])
    return (
        frame.groupby(INSTRUMENT_KEYS, dropna=False)
        .agg(
            pnl=("pnl", lambda values: values.sum(skipna=False)),
            closed=("closed", "sum"),
            size=("size", lambda values: abs(values.sum())),
            over_split=("over_split", "any"),
        )
        .astype(kinds)
        .reset_index()
    )


def daily_pnl(sources: SourceRows) -> tuple[float, int, int]:
    """Return the known P&L of the day, and the numbers of known and of all instruments."""
    traded = instrument_pnl(sources)
    pnl, known = traded["pnl"], traded["pnl"].dropna()
    if len(pnl) and not len(known):
        return math.nan, 0, len(pnl)
    other = cash_pnl(sources, trading_calendar.previous_session(sources.day))
    partly_closed = traded.loc[pnl.isna(), "closed"].sum()
    return float(known.sum() + partly_closed) + other, len(known), len(pnl)


def cash_pnl(sources: SourceRows, after: date) -> float:
    """Return interest, fees, taxes, and dividends that closes do not show, after a day."""
    total = 0.0
    for flow in _flows_after(sources, after):
        is_dividend = flow["kind"] == Kind.DIVIDEND
        if flow["kind"] in _COSTS or (is_dividend and not _is_shown(sources, flow)):
            total += flow["amount"]
    return total


def _is_shown(sources: SourceRows, flow: "dict[Any, Any]") -> bool:
    """Return whether a dividend is paid on a day that pays a distribution in the P&L of its day."""
    symbol, paid = flow["symbol"], flow["day"].date()
    own = [lot for lot in lots(sources) if lot.listed and lot.symbol == symbol]
    if not own:
        return False
    flows = sources.cash_flows
    is_payment = (flows["symbol"] == symbol) & (flows["kind"] == Kind.DIVIDEND)
    unpaid = {
        day
        for day, amount in sources.distributions(symbol).items()
        if not amount <= 0.0 and any(is_overnight(lot, day) for lot in own)
    }
    for payment in sorted({day.date() for day in flows.loc[is_payment, "day"]}):
        ex_day = max((day for day in unpaid if day <= payment), default=None)
        if payment == paid:
            return ex_day is not None and (paid - ex_day).days <= MAX_DAYS_TO_PAYMENT
        unpaid.discard(ex_day)
    return False


def _flows_after(sources: SourceRows, after: date) -> "list[dict[Any, Any]]":
    """Return the cash flows of transactions after a day, up to the explained session."""
    return [
        flow
        for flow in sources.cash_flows.to_dict("records")
        if after < flow["day"].date() <= sources.day
    ]


def _transaction_inflows(sources: SourceRows, costs: float, proceeds: float) -> tuple[float, float]:
    """Return the inflow of the day, and the value of the transferred lots in it.

    Lots whose cost is not in the cash of the trades are transfers; what rounding explains is not.
    """
    previous = trading_calendar.previous_session(sources.day)
    flows = _flows_after(sources, previous)
    external = sum(flow["amount"] for flow in flows if flow["kind"] in _EXTERNAL)
    traded = sum(flow["amount"] for flow in flows if flow["kind"] in _TRADES)
    in_kind = traded + costs - proceeds
    moved = sum(
        abs(lot.units)
        for lot in lots(sources)
        if previous < lot.entry_date <= sources.day
        or (lot.exit_date is not None and previous < lot.exit_date <= sources.day)
    )
    if abs(in_kind) <= 1e-4 * moved + 0.01:
        in_kind = 0.0
    return max(external + in_kind, 0.0), max(in_kind, 0.0)


def pnl_coverage(sources: SourceRows) -> float:
    """Return the share of instruments with a known P&L: the smaller of by number and by value."""
    traded = instrument_pnl(sources)
    known, sizes = traded["pnl"].notna(), traded["size"]
    by_value = sizes[known].sum() / sizes.sum() if sizes.sum() > 0 else 1.0
    return float(min(known.mean(), by_value)) if len(traded) else 1.0


def _lot_income(sources: SourceRows, lot: Lot) -> float:
    """Return the day's distribution to a lot; 0 if it is unknown."""
    amount = (
        sources.distributions(lot.symbol).get(sources.day, 0.0)
        if lot in lots_held_overnight(sources)
        else 0.0
    )
    return 0.0 if math.isnan(amount) else amount * lot.units


def lots_held_overnight(sources: SourceRows) -> list[Lot]:
    """Return the listed lots that receive a distribution of the day."""
    return [lot for lot in lots(sources) if lot.listed and is_overnight(lot, sources.day)]


def day_income(sources: SourceRows) -> float:
    """Return the distributions of the day; NaN if none is known for any listed holding."""
    symbols = {lot.symbol for lot in lots_held_overnight(sources)}
    if symbols and not any(sources.has_known_income(symbol) for symbol in symbols):
        return math.nan
    return income(sources, trading_calendar.previous_session(sources.day), sources.day)


def day_inflows(sources: SourceRows) -> tuple[float, float]:
    """Return net and gross inflows of the day; 0 if a stated equity funds purchases."""
    if sources.cash_anchor is not None:
        return 0.0, 0.0
    previous = trading_calendar.previous_session(sources.day)
    entered = [lot for lot in lots(sources) if previous < lot.entry_date <= sources.day]
    costs = np.nan_to_num([lot.units * lot.entry_price for lot in entered])
    exited = [
        lot
        for lot in lots(sources)
        if lot.exit_date is not None and previous < lot.exit_date <= sources.day
    ]
    proceeds = np.nan_to_num([lot.units * lot.exit_price for lot in exited])
    if sources.is_cash_from_transactions:
        return _transaction_inflows(sources, float(costs.sum()), float(proceeds.sum()))
    shorted = float(np.minimum(costs, 0.0).sum())
    paid_in = max(float(np.maximum(costs, 0.0).sum() - np.maximum(proceeds, 0.0).sum()), 0.0)
    return paid_in + shorted, paid_in - shorted
