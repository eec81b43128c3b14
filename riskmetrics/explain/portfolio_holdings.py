"""Holdings of a portfolio at a close, valued lot by lot, and its pro-forma returns."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY_SHARE, meets_minimum
from riskmetrics.results.lot_frames import OPTION_RIGHTS
from riskmetrics.transactions.model import CONTRACT_SIZE

INSTRUMENT_KEYS = ["symbol", "underlying", "listed", "right", "strike_price", "expiration_date"]
"""Columns of lots that identify an instrument."""

Lot = Any
"""A lot, as `DataFrame.itertuples` returns it."""


@dataclass(frozen=True)
class Holdings:
    """A portfolio at a close; amounts in its currency."""

    instruments: pd.DataFrame
    """Instruments held, lots netted.

    Columns: symbol, underlying, units, value, last (last known value), stale, exposure,
    has_return_series (of the underlying).
    """
    cash: float
    stated_value: float
    """Value of holdings without a price, at the price of their statement."""

    @property
    def net_value(self) -> float:
        """Sum of the signed values of the priced instruments."""
        return float(self.instruments["value"].sum())

    @property
    def gross_value(self) -> float:
        """Sum of the absolute values of the priced instruments."""
        return float(self.instruments["value"].abs().sum())

    @property
    def equity(self) -> float:
        """Net value plus cash plus stated values of holdings without a price."""
        return self.net_value + self.cash + self.stated_value

    @property
    def weight_denominator(self) -> float:
        """Equity that weights are divided by; NaN if it is below 5% of gross exposure."""
        gross = max(self.gross_value, self.gross_exposure)
        return (
            self.equity
            if self.equity > 0
            and (gross == 0 or meets_minimum(self.equity / gross, MIN_EQUITY_SHARE))
            else math.nan
        )

    @property
    def price_coverage(self) -> float:
        """Share of gross exposure that has a price.

        An unpriced instrument counts with its last known value, else with the mean of the others.
        """
        sizes = self.instruments["exposure"].abs()
        last = sizes.fillna(self.instruments["last"].abs())
        total = last.fillna(last.mean()).sum()
        return float(sizes.sum() / total) if total > 0 else float(sizes.notna().mean())

    @property
    def has_price_coverage(self) -> bool:
        """Whether at least 80% of the instruments, and of gross exposure, have a price."""
        shares = float(self.instruments["exposure"].notna().mean()), self.price_coverage
        return bool(meets_minimum(min(shares), MIN_COVERAGE))

    @property
    def risk_denominator(self) -> float:
        """Equity that risk figures are divided by; NaN if too few holdings have a price."""
        return self.weight_denominator if self.has_price_coverage else math.nan

    @property
    def gross_exposure(self) -> float:
        """Sum of absolute exposures, the denominator of coverage."""
        return float(self.instruments["exposure"].abs().sum())

    @property
    def exposed_instruments(self) -> pd.DataFrame:
        """Instruments with a known, nonzero exposure and a return series."""
        frame = self.instruments
        return frame[frame["has_return_series"] & (frame["exposure"].fillna(0.0) != 0)]

    @property
    def symbol_weights(self) -> "pd.Series[float]":
        """Exposures of symbols, options included, over equity; NaN without a price."""
        held = self.instruments[self.instruments["has_return_series"]]
        exposures = held.groupby("underlying")["exposure"]
        return exposures.agg(lambda known: known.sum(skipna=False)) / self.risk_denominator

    def weight_inputs(self) -> dict[str, float]:
        """Return the inputs of weights, as an explanation shows them."""
        values = {"net value": self.net_value, "cash": self.cash}
        stated = {"holdings without a price": self.stated_value} if self.stated_value else {}
        return (
            values
            | stated
            | {
                "equity": self.equity,
                "weights are of": self.weight_denominator,
                "share with a price": self.price_coverage,
            }
        )


def value_holdings(sources: SourceRows, day: date | None = None) -> Holdings:
    """Value a portfolio at the close of a session, by default the explained one."""
    return _holdings_on(sources, day or sources.day)


@compute_once
def _holdings_on(sources: SourceRows, day: date) -> Holdings:
    return Holdings(
        _instruments(sources, day), _cash_balance(sources, day), _stated_value(sources, day)
    )


@compute_once
def delta_holdings(sources: SourceRows) -> Holdings:
    """Value a portfolio at the close of the explained session, with options at delta exposure."""
    holdings, options = value_holdings(sources), sources.options["exposure"].astype(float)
    instruments = holdings.instruments
    exposure = [
        options.reindex(ids).sum(skipna=False) if right else math.nan
        for ids, right in zip(instruments["position_ids"], instruments["right"], strict=True)
    ]
    is_known = np.isfinite(exposure)
    return Holdings(
        instruments.assign(
            exposure=np.where(is_known, exposure, instruments["value"]),
            has_return_series=instruments["has_return_series"] | is_known,
        ),
        holdings.cash,
        holdings.stated_value,
    )


@compute_once
def pro_forma_returns(
    sources: SourceRows, n_sessions: int, day: date | None = None
) -> pd.DataFrame:
    """Return the pro-forma series of the day's holdings: change, return and coverage.

    The sessions end on ``day``, by default the explained one. A session on which less than 80% of
    exposure has a return is NaN; the others are divided by their coverage.
    """
    holdings = delta_holdings(sources)
    exposed = holdings.exposed_instruments
    returns = sources.returns({*exposed["underlying"], sources.market}, n_sessions, day)
    signed, size = (
        exposure.groupby(exposed["underlying"]).sum()
        for exposure in (exposed["exposure"], exposed["exposure"].abs())
    )
    own = returns[signed.index]
    coverage = (own.notna() * size).sum(axis=1) / (holdings.gross_exposure or math.nan)
    change = (own.fillna(0.0) * signed).sum(axis=1) / coverage.where(coverage > 0)
    change = change.where(
        meets_minimum((coverage * holdings.price_coverage).to_numpy(float), MIN_COVERAGE)
        & holdings.has_price_coverage
    )
    return pd.DataFrame(
        {"change": change, "return": change / holdings.risk_denominator, "coverage": coverage}
    )


def lot_price(sources: SourceRows, lot: Lot, day: date) -> tuple[float, bool]:
    """Return the price of a unit of a lot on a day, and whether it is stale; NaN if unknown.

    Instruments without closes have a stated price.
    """
    if lot.listed:
        return sources.close(lot.symbol, day)
    if not pd.isna(lot.last_price):
        return float(lot.last_price), False
    of_value = (
        lot.investment_class == "PRIVATE" and lot.quantity != 0 and not pd.isna(lot.market_value)
    )
    return (abs(lot.market_value) / abs(lot.quantity) if of_value else math.nan), False


@compute_once
def lots(sources: SourceRows) -> list[Lot]:
    """Return the portfolio's lots with units (contracts multiplied), trade prices and dates."""
    frame = sources.lots.copy()
    frame["right"] = frame["position_type"].map(OPTION_RIGHTS).fillna("")
    frame["listed"] = (frame["right"] == "") & (
        frame["investment_class"].fillna("PUBLIC") != "PRIVATE"
    )
    of_option = frame["underlying_symbol"].fillna(frame["symbol"])
    frame["underlying"] = frame["symbol"].where(
        frame["listed"], of_option.where(frame["right"] != "")
    )
    frame["units"] = frame["quantity"] * np.where(frame["right"] != "", CONTRACT_SIZE, 1)
    for name in ("entry_date", "exit_date"):
        frame[name] = [None if pd.isna(day) else day.date() for day in frame[name]]
    frame["entry_price_stated"] = frame["entry_price"]
    found: list[Lot] = list(frame.itertuples(index=False))
    return [
        lot._replace(
            entry_price=_trade_price(sources, lot, "entry"),
            exit_price=_trade_price(sources, lot, "exit"),
        )
        for lot in found
    ]


def is_open(lot: Lot, day: date) -> bool:
    """Return whether a lot is held at the close of a day."""
    return bool(lot.entry_date <= day and (lot.exit_date is None or lot.exit_date > day))


def is_overnight(lot: Lot, day: date) -> bool:
    """Return whether a lot is held from before a day, so that it receives its distributions."""
    return bool(lot.entry_date < day and (lot.exit_date is None or lot.exit_date >= day))


def _trade_price(sources: SourceRows, lot: Lot, end: str) -> float:
    """Return the price of a trade: stated, else the session's close, else a sale's last close."""
    stated, day = getattr(lot, f"{end}_price"), getattr(lot, f"{end}_date")
    if not pd.isna(stated) or day is None or (end == "entry" and lot.entry_date_assumed):
        return float(stated)
    known, _ = lot_price(sources, lot, day)
    return float(lot.exit_close) if math.isnan(known) and end == "exit" and lot.listed else known


def _instruments(sources: SourceRows, day: date) -> pd.DataFrame:
    rows = []
    for lot in lots(sources):
        if is_open(lot, day):
            known, stale = lot_price(sources, lot, day)
            terms = {name: getattr(lot, name) for name in INSTRUMENT_KEYS}
            last = known if not math.isnan(known) else _last_price(sources, lot, day)
            values = {
                "units": lot.units,
                "value": lot.units * known,
                "last": lot.units * last,
                "stale": stale,
            }
            rows.append(terms | {"position_id": lot.position_id} | values)
    columns = [*INSTRUMENT_KEYS, "position_id", "units", "value", "last", "stale"]
    frame = pd.DataFrame(rows, columns=columns).groupby(INSTRUMENT_KEYS, dropna=False, sort=False)
    netted = frame.agg(
        units=("units", "sum"),
        value=("value", lambda values: values.sum(skipna=False)),
        last=("last", lambda values: values.sum(skipna=False)),
        stale=("stale", "any"),
        position_ids=("position_id", list),
    ).reset_index()
    netted = netted[netted["units"].round(10) != 0].reset_index(drop=True)
    return netted.assign(
        exposure=netted["value"].astype(float), has_return_series=netted["listed"].astype(bool)
    )


def _last_price(sources: SourceRows, lot: Lot, day: date) -> float:
    """Return the last close of any age, else the stated value per unit, else the entry price."""
    known = sources.last_close(lot.symbol, day) if lot.listed else math.nan
    stated = (
        abs(lot.market_value / lot.units)
        if lot.units and not pd.isna(lot.market_value)
        else math.nan
    )
    found = (known, lot.last_price, stated, lot.entry_price_stated)
    return next((float(price) for price in found if not pd.isna(price)), math.nan)


def _cash_balance(sources: SourceRows, day: date) -> float:
    """Return stated equity less the holdings' value at that time, plus later trades and income.

    The cash of a portfolio that is kept by transactions is the sum of their amounts.
    """
    if sources.is_cash_from_transactions:
        flows = sources.cash_flows
        return math.fsum(flows["amount"][flows["day"] <= pd.Timestamp(day)])
    anchor = sources.cash_anchor
    if anchor is None:
        return 0.0
    cash = float(sources.portfolio_row["equity_balance"]) - float(
        _instruments(sources, anchor)["value"].sum()
    )
    cash -= _stated_value(sources, anchor)
    for lot in lots(sources):
        stated = _stated_price(sources, lot)
        bought, sold = (
            stated if math.isnan(price) else price for price in (lot.entry_price, lot.exit_price)
        )
        for traded, amount in (
            (lot.entry_date, -lot.units * bought),
            (lot.exit_date, lot.units * sold),
        ):
            if traded is not None and not math.isnan(amount):
                cash += amount * ((traded <= day) - (traded <= anchor))
    return cash + income(sources, anchor, day)


def _stated_value(sources: SourceRows, day: date) -> float:
    """Return the value of the holdings without a price at the price of their statement."""
    unpriced = (
        lot
        for lot in lots(sources)
        if is_open(lot, day) and math.isnan(lot_price(sources, lot, day)[0])
    )
    values = (lot.units * _stated_price(sources, lot) for lot in unpriced)
    return math.fsum(value for value in values if not math.isnan(value))


def _stated_price(sources: SourceRows, lot: Lot) -> float:
    """Return the price in the statement of a lot without a close when it entered the cash."""
    anchor = sources.cash_anchor
    if anchor is None or not lot.listed or pd.isna(lot.last_price):
        return math.nan
    is_unpriced = is_open(lot, anchor) and math.isnan(lot_price(sources, lot, anchor)[0])
    is_bought_since = math.isnan(lot.entry_price) and lot.entry_date > anchor
    return float(lot.last_price) if is_unpriced or is_bought_since else math.nan


def income(sources: SourceRows, after: date, day: date, *, needs_entry_date: bool = False) -> float:
    """Return distributions with ex-dates after ``after`` and up to ``day``; negative backwards.

    With ``needs_entry_date``, only lots with a known entry date count.
    """
    if day < after:
        return -income(sources, day, after, needs_entry_date=needs_entry_date)
    total = 0.0
    for lot in lots(sources):
        if lot.listed and not (needs_entry_date and lot.entry_date_assumed):
            for ex_day, amount in sources.distributions(lot.symbol).items():
                is_paid = after < ex_day <= day and not math.isnan(amount)
                total += amount * lot.units if is_paid and is_overnight(lot, ex_day) else 0.0
    return total


def previous_holdings(sources: SourceRows) -> Holdings:
    """Return the portfolio at the close of the previous session."""
    return value_holdings(sources, trading_calendar.previous_session(sources.day))
