"""Portfolios valued on sessions: lots, portfolios and closes in, labelled values out. No database here.

`value` is the one place where holdings meet prices; every portfolio figure starts from its result.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics import portfolio as metrics
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.panels import STALE_AFTER
from riskmetrics.results import lot_prices
from riskmetrics.results.lots import CONTRACT_SIZE, OPTION_RIGHTS, days_of, is_listed, is_option, underlying


class Profit(NamedTuple):
    """Profit of portfolios, and what is missing in it, each of shape (P, D)."""

    daily: FloatArray
    """Of the instruments whose profit is known; NaN where there is none of them."""
    n_traded: FloatArray
    """Instruments held at some time after the previous close."""
    n_known: FloatArray
    """Those among them whose profit is in `daily`."""
    cumulative: FloatArray
    """Since entry; NaN where the entry price, or the present price, of a lot is not known."""
    n_no_entry_price: FloatArray
    """Lots entered by the day whose entry price is not known."""
    n_no_end_price: FloatArray
    """Lots entered by the day whose price on it, or at their exit, is not known."""
    n_doubted: FloatArray
    """Of the `n_traded`, those whose close of the day, or of the session before, is on the day not believed."""


class Reason(NamedTuple):
    """Why a figure is undefined where ``holds``, (P, D); the text may quote a ``number``, (P, D)."""

    text: str
    holds: BoolArray | bool = True
    number: FloatArray | None = None


@dataclass(frozen=True)
class Valuation:
    """Portfolios (P) and their instruments (I) on the sessions of a run (D); money in the prices' currency.

    Lots of one instrument are netted. `values` is 0 where an instrument is not held and NaN where it is
    held and has no price. `value` counts what is listed by its value, `options.by_delta` options too.
    """

    days: list[date]
    portfolios: pd.DataFrame
    """One row per portfolio: portfolio_id, name, equity_balance."""
    instruments: pd.DataFrame
    """One row per instrument: portfolio (row), symbol, listed, right (of an option), underlying (as `lots.underlying` gives it)."""
    instrument: IntArray
    """Row of each lot's instrument, (L,)."""
    direction: FloatArray
    """Sign of the netted quantity, (I, D)."""
    values: FloatArray
    exposures: FloatArray
    """Money that moves with the underlying's returns where `follows` holds, elsewhere the value, (I, D)."""
    follows: BoolArray
    """Whether it is known how an instrument moves with its underlying, (I, D)."""
    stale: BoolArray
    """Whether the value rests on the close of an earlier session, (I, D)."""
    sourced: BoolArray
    """Whether a holding's close, an option's underlying's, or a private holding's stated value is known, (I, D)."""
    cash: FloatArray
    """NaN where a holding has a price that it lacked when the equity was stated, or when it was bought."""
    equity_before: FloatArray
    """Equity at the session before each day, NaN where nothing that was held then has a price, or the cash is not known."""
    held_before: BoolArray
    """Whether anything was held at the session before each day, (P, D)."""
    profit: Profit

    @cached_property
    def held(self) -> BoolArray:
        """Whether an instrument is held, (I, D); lots that cancel hold nothing."""
        held: BoolArray = self.direction != 0
        return held

    @cached_property
    def portfolio(self) -> IntArray:
        """Row of each instrument's portfolio, (I,)."""
        return self.instruments["portfolio"].to_numpy(np.int64)

    def total(self, per_instrument: FloatArray | BoolArray) -> FloatArray:
        """Sum (I, D) over each portfolio's instruments, NaN as nothing: (P, D)."""
        return metrics.group_sums(per_instrument.astype(float), self.portfolio, len(self.portfolios))

    @cached_property
    def net(self) -> FloatArray:
        """Signed value of all instruments, (P, D)."""
        return self.total(self.values)

    @cached_property
    def long(self) -> FloatArray:
        """Value of the instruments held long, (P, D)."""
        return self.total(np.maximum(self.values, 0))

    @cached_property
    def short(self) -> FloatArray:
        """Value of the instruments held short, (P, D): negative."""
        return self.total(np.minimum(self.values, 0))

    @cached_property
    def gross(self) -> FloatArray:
        """Long less short value, (P, D)."""
        return self.long - self.short

    @cached_property
    def equity(self) -> FloatArray:
        """Net value plus cash, (P, D)."""
        return self.net + self.cash

    @cached_property
    def weight_base(self) -> FloatArray:
        """What weights are taken of, (P, D): equity, or gross exposure where equity is not positive; NaN where that is 0 too."""
        return np.where(self.equity > 0, self.equity, np.where(self.gross > 0, self.gross, np.nan))

    @cached_property
    def to_cover(self) -> FloatArray:
        """Size of all exposures, of which coverage is a share, (P, D)."""
        return self.total(np.abs(self.exposures))

    @cached_property
    def n_held(self) -> FloatArray:
        """Instruments held, (P, D)."""
        return self.total(self.held)

    @cached_property
    def n_priced(self) -> FloatArray:
        """Instruments held that have a price, (P, D)."""
        return self.total(self.held & np.isfinite(self.values))

    @cached_property
    def valued(self) -> BoolArray:
        """Whether a portfolio can be valued, (P, D): it is empty, or something in it has a price; and its cash is known."""
        valued: BoolArray = ((self.n_held == 0) | (self.n_priced > 0)) & np.isfinite(self.cash)
        return valued

    def columns(self, symbols: "pd.Index[str]") -> Iterator[IntArray]:
        """Position in ``symbols`` of what each instrument follows on each day, (I,): -1 for one that follows none."""
        column = self._underlyings(symbols)
        return (np.where(follows, column, -1) for follows in self.follows.T)

    def sole(self, symbols: "pd.Index[str]") -> IntArray:
        """Position in ``symbols`` of the one that all of a portfolio's holdings follow on a day, (P, D): -1 where they do not."""
        column = np.stack(list(self.columns(symbols)), axis=1)
        lowest, highest = np.full(self.net.shape, len(symbols)), np.full(self.net.shape, -1)
        np.minimum.at(lowest, self.portfolio, np.where(self.held, column, len(symbols)))
        np.maximum.at(highest, self.portfolio, np.where(self.held, column, -1))
        return np.where(lowest == highest, highest, -1)

    def of_symbols(self, figures: FloatArray, symbols: "pd.Index[str]") -> FloatArray:
        """Figures of symbols (D, S) as figures of the instruments that follow them (I, D); NaN for one that follows none."""
        column = self._underlyings(symbols)
        return np.where(self.follows & (column >= 0)[:, None], figures.T[column], np.nan)

    @cached_property
    def _underlying(self) -> "tuple[IntArray, pd.Index[str]]":
        """What each instrument follows, as an index into symbols, (I,), and those: the many lots of a symbol are looked up once."""
        code, symbols = pd.factorize(self.instruments["underlying"])
        return code.astype(np.int64), pd.Index(symbols)

    def _underlyings(self, symbols: "pd.Index[str]") -> IntArray:
        code, own = self._underlying
        return np.where(code >= 0, symbols.get_indexer(own)[code], -1) if len(own) else code

    def rows(self, columns: Mapping[str, FloatArray], day: str, where: BoolArray | None = None) -> pd.DataFrame:
        """Return portfolio_id, the day, and columns given as (P, D): a row where a portfolio can be valued, or ``where`` (P, D) holds."""
        portfolio, session = np.nonzero(self.valued if where is None else where)
        keys = {"portfolio_id": self.portfolios["portfolio_id"].to_numpy()[portfolio], day: pd.to_datetime(self.days).to_numpy()[session]}
        return pd.DataFrame(keys | {name: values[portfolio, session] for name, values in columns.items()})

    def reasons(self, figures: FloatArray, *reasons: Reason) -> "pd.Series[str]":
        """Return the first reason that holds wherever ``figures``, (P, D), are NaN, by the index of `rows`."""
        undefined = np.isnan(figures) & self.valued
        texts = np.full(undefined.shape, "", dtype=object)
        unexplained = undefined.copy()
        for text, holds, number in reasons:
            here = unexplained & holds
            texts[here] = text if number is None else [text.format(of) for of in number[here]]
            unexplained &= ~here
        return pd.Series(texts[undefined], index=np.flatnonzero(undefined[self.valued]), dtype="str")


def sessions_needed(days: Sequence[date], lots: pd.DataFrame, anchors: "pd.Series[Any]") -> list[date]:
    """Sessions whose closes `value` looks at: around the days, the cash anchors and trades whose price is not known."""
    points = {trading_calendar.at_or_before(point) for point in (*anchors, *_unpriced_trades(lots))}
    around = (trading_calendar.window([point], STALE_AFTER) for point in points)
    return sorted({*trading_calendar.window(days, STALE_AFTER + 1), *(session for window in around for session in window)})


def value(days: Sequence[date], portfolios: pd.DataFrame, lots: pd.DataFrame, anchors: "pd.Series[Any]", closes: pd.DataFrame) -> Valuation:
    """Value every portfolio on ``days``.

    Parameters
    ----------
    days : sequence of date
        Consecutive sessions.
    portfolios, lots : DataFrame
        As `db.read` gives them.
    anchors : Series of date by portfolio_id
        The session on which a portfolio's equity balance holds; absent where it has none.
    closes : DataFrame
        Sessions x symbols, at least `sessions_needed`.

    Returns
    -------
    Valuation
        In each portfolio's currency. A holding without a price has the value NaN, and is left out of sums.
    """
    sessions = [trading_calendar.previous(days[0]), *days]
    stamps = np.array(sessions, dtype="datetime64[D]")
    owner = pd.Index(portfolios["portfolio_id"]).get_indexer(pd.Index(lots["portfolio_id"])).astype(np.int64)
    instruments, instrument = _instruments(lots, owner)
    owners, n, m = instruments["portfolio"].to_numpy(np.int64), len(portfolios), len(instruments)

    trades = _trades(lots, closes)
    prices, stale, sourced = lot_prices.prices(lots, closes, sessions)
    held = metrics.holdings(trades, stamps, prices, instrument, m)
    n_held, n_priced = _count(held.direction != 0, owners, n), _count((held.direction != 0) & np.isfinite(held.values), owners, n)
    cash = _cash(portfolios, lots, owner, anchors, trades, closes, stamps, prices, instruments, instrument)
    equity = np.where((n_held > 0) & (n_priced == 0), np.nan, metrics.group_sums(held.values, owners, n) + cash)
    is_open = metrics.is_open(trades.entry, trades.exit, stamps)
    return Valuation(
        days=list(days),
        portfolios=portfolios,
        instruments=instruments,
        instrument=instrument,
        direction=held.direction[:, 1:],
        values=held.values[:, 1:],
        exposures=held.values[:, 1:],
        follows=np.broadcast_to(instruments["listed"].to_numpy(bool)[:, None], (m, len(days))),
        stale=_count(is_open & stale, instrument, m)[:, 1:] > 0,
        sourced=_count(is_open & ~sourced, instrument, m)[:, 1:] == 0,
        cash=cash[:, 1:],
        equity_before=equity[:, :-1],
        held_before=n_held[:, :-1] > 0,
        profit=_profit(lots, trades, stamps, prices, lot_prices.doubted(lots, closes, days), owner, instrument, owners, n),
    )


def _profit(
    lots: pd.DataFrame,
    trades: metrics.Lots,
    days: DateArray,
    prices: FloatArray,
    doubted: BoolArray,
    owner: IntArray,
    instrument: IntArray,
    owners: IntArray,
    n: int,
) -> Profit:
    """Profit of portfolios on each day but the first; an instrument of which a lot's profit is unknown is left out."""
    of_lots, m = metrics.profit_and_loss(trades, days, prices), len(owners)
    traded = _count(of_lots.takes_part, instrument, m) > 0
    known = traded & (_count(np.isnan(of_lots.daily), instrument, m) == 0)
    n_traded, n_known = _count(traded, owners, n), _count(known, owners, n)
    daily = metrics.group_sums(np.where(known, metrics.group_sums(of_lots.daily, instrument, m), 0.0), owners, n)
    entered = trades.entry[:, None] <= days[1:]
    no_entry_price = entered & lots["entry_price"].isna().to_numpy()[:, None]
    no_end_price = entered & np.isnan(of_lots.end)
    unknown = _count(no_entry_price | no_end_price, owner, n) > 0
    return Profit(
        daily=np.where((n_traded > 0) & (n_known == 0), np.nan, daily),
        n_traded=n_traded,
        n_known=n_known,
        cumulative=np.where(unknown, np.nan, metrics.group_sums(of_lots.cumulative, owner, n)),
        n_no_entry_price=_count(no_entry_price, owner, n),
        n_no_end_price=_count(no_end_price, owner, n),
        n_doubted=_count(_count(of_lots.takes_part & doubted, instrument, m) > 0, owners, n),
    )


def _count(what: BoolArray, group: IntArray, n_groups: int) -> FloatArray:
    return metrics.group_sums(what.astype(float), group, n_groups)


def _trades(lots: pd.DataFrame, closes: pd.DataFrame) -> metrics.Lots:
    """Lots as arrays; a trade whose day is known and whose price is not is taken to be at that session's close, an exit at the last."""
    multiplier = np.where(is_option(lots), CONTRACT_SIZE, 1)
    exit_price = _trade_prices(lots, closes, "exit_date", "exit_price")
    return metrics.Lots(
        units=lots["quantity"].to_numpy(float) * multiplier,
        entry=days_of(lots, "entry_date"),
        entry_price=_trade_prices(lots, closes, "entry_date", "entry_price"),
        exit=days_of(lots, "exit_date"),
        exit_price=np.where(is_listed(lots) & np.isnan(exit_price), lots["exit_close"].to_numpy(float), exit_price),
    )


def _trade_prices(lots: pd.DataFrame, closes: pd.DataFrame, day: str, price: str) -> FloatArray:
    known, days = lots[price].to_numpy(float), days_of(lots, day)
    unpriced = np.isnan(known) & ~_is_assumed(lots, day).to_numpy(bool)
    return np.where(unpriced, lot_prices.prices_on(lots, closes, np.where(unpriced, days, np.datetime64("NaT"))), known)


def _unpriced_trades(lots: pd.DataFrame) -> list[date]:
    return [
        day.date()
        for name, price in (("entry_date", "entry_price"), ("exit_date", "exit_price"))
        for day in lots.loc[lots[price].isna() & lots[name].notna() & ~_is_assumed(lots, name), name].unique()
    ]


def _is_assumed(lots: pd.DataFrame, day: str) -> "pd.Series[bool]":
    return lots["entry_date_assumed"].astype(bool) & (day == "entry_date")


def _instruments(lots: pd.DataFrame, owner: IntArray) -> tuple[pd.DataFrame, IntArray]:
    """What is netted: stocks by symbol, options by symbol, underlying, right, strike and expiration; and each lot's row among them."""
    keys = pd.DataFrame(
        {
            "portfolio": owner,
            "symbol": lots["symbol"],
            "underlying": underlying(lots),
            "listed": is_listed(lots),
            "right": lots["position_type"].map(OPTION_RIGHTS),
            "strike": lots["strike_price"],
            "expiration": lots["expiration_date"],
        }
    )
    row = keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup().to_numpy().astype(np.int64)
    first = np.unique(row, return_index=True)[1]
    return keys.iloc[first].reset_index(drop=True), row


def _cash(
    portfolios: pd.DataFrame,
    lots: pd.DataFrame,
    owner: IntArray,
    anchors: "pd.Series[Any]",
    trades: metrics.Lots,
    closes: pd.DataFrame,
    days: DateArray,
    prices: FloatArray,
    instruments: pd.DataFrame,
    instrument: IntArray,
) -> FloatArray:
    """Cash of each portfolio, (P, D): its equity balance less the net value at its anchor, rolled by the trades since.

    What has no price at the anchor, or when it was bought, stays in the cash. On a day on which it has one it would
    count twice: then the cash is NaN.
    """
    anchor = pd.to_datetime(portfolios["portfolio_id"].map(anchors)).to_numpy("datetime64[D]")
    own, n = anchor[owner], len(portfolios)
    prices_then = lot_prices.prices_on(lots, closes, own)[:, None]
    held = metrics.holdings(trades, own[:, None], prices_then, instrument, len(instruments))
    net = metrics.group_sums(held.values, instruments["portfolio"].to_numpy(np.int64), n)
    flows = metrics.cash_flows(trades, own, days)
    in_cash = np.isnan(flows) | (np.isnan(prices_then) & metrics.is_open(trades.entry, trades.exit, own[:, None]))
    twice = _count(in_cash & metrics.is_open(trades.entry, trades.exit, days) & np.isfinite(prices), owner, n) > 0
    cash = portfolios["equity_balance"].to_numpy(float)[:, None] - net + metrics.group_sums(flows, owner, n)
    return np.where(np.isnat(anchor)[:, None], 0.0, np.where(twice, np.nan, cash))
