"""Portfolios valued on sessions: lots, portfolios and closes in, labelled values out. No database here.

`value` is the one place where holdings meet prices; every portfolio figure starts from its result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics import portfolio as metrics
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.panels import STALE_AFTER, latest_known

CONTRACT_SIZE = 100
"""Shares of the underlying per option contract."""

_OPTION_TYPES = {"LC": "CALL", "SC": "CALL", "LP": "PUT", "SP": "PUT"}


@dataclass(frozen=True)
class Valuation:
    """Portfolios (P) and their instruments (I) on the sessions of a run (D); money in the prices' currency.

    Lots of one instrument are netted. `values` is 0 where an instrument is not held and NaN where it is
    held and has no price.
    """

    days: list[date]
    portfolios: pd.DataFrame
    """One row per portfolio: portfolio_id, name, equity_balance."""
    instruments: pd.DataFrame
    """One row per instrument: portfolio (row), symbol, listed, option."""
    direction: FloatArray
    """Sign of the netted quantity, (I, D)."""
    values: FloatArray
    stale: BoolArray
    net: FloatArray
    cash: FloatArray
    equity_before: FloatArray
    """Equity at the session before each day, NaN where nothing that was held then has a price."""
    daily_pnl: FloatArray
    """NaN where no holding's profit can be formed."""
    n_profit_unknown: FloatArray
    """Lots left out of `daily_pnl` because a price is missing, (P, D)."""
    cumulative_pnl: FloatArray
    """NaN where the entry price, or the present price, of a lot is not known."""

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
        """What weights are taken of, (P, D): equity, or gross exposure where equity is not positive."""
        return np.where(self.equity > 0, self.equity, self.gross)

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
        """Whether a portfolio can be valued, (P, D): it is empty, or something in it has a price."""
        valued: BoolArray = (self.n_held == 0) | (self.n_priced > 0)
        return valued

    def rows(self, columns: Mapping[str, FloatArray], day: str) -> pd.DataFrame:
        """Return one row per portfolio and day that can be valued: portfolio_id, the day, and columns given as (P, D)."""
        portfolio, session = np.nonzero(self.valued)
        keys = {"portfolio_id": self.portfolios["portfolio_id"].to_numpy()[portfolio], day: pd.to_datetime(self.days).to_numpy()[session]}
        return pd.DataFrame(keys | {name: values[portfolio, session] for name, values in columns.items()})

    def reasons(self, *rules: tuple[BoolArray, str]) -> "pd.Series[str]":
        """Return, aligned with `rows`, the text of the first rule whose (P, D) condition holds; the last rule's if none does."""
        texts = np.select([condition for condition, _ in rules], [text for _, text in rules], default=rules[-1][1])
        return pd.Series(texts[self.valued])


def sessions_needed(days: Sequence[date], lots: pd.DataFrame, anchors: "pd.Series[Any]") -> list[date]:
    """Sessions whose closes `value` looks at: around the days, the cash anchors and trades whose price is not known."""
    points = {trading_calendar.previous(days[0]), *days, *anchors, *_unpriced_trades(lots)}
    return sorted({day for point in points for day in trading_calendar.window([trading_calendar.at_or_before(point)], STALE_AFTER)})


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
    """
    sessions = [trading_calendar.previous(days[0]), *days]
    stamps = _stamps(sessions)
    owner = pd.Index(portfolios["portfolio_id"]).get_indexer(pd.Index(lots["portfolio_id"])).astype(np.int64)
    instruments, instrument = _instruments(lots, owner)
    n, m = len(portfolios), len(instruments)

    prices, stale = _prices(lots, closes, sessions)
    trades = _trades(lots, closes)
    values, is_open = metrics.lot_values(trades, stamps, prices), metrics.is_open(trades.entry, trades.exit, stamps)
    # quantities have four decimals: rounding removes what binary fractions leave of lots that cancel
    direction = np.sign(np.round(metrics.group_sums(np.where(is_open, trades.units[:, None], 0.0), instrument, m), 4))
    netted = np.where(_counts(np.isnan(values), instrument, m) > 0, np.nan, metrics.group_sums(values, instrument, m))

    net, cash = metrics.group_sums(values, owner, n), _cash(portfolios, lots, owner, anchors, trades, closes, sessions)
    n_open, n_valued = _counts(is_open, owner, n), _counts(is_open & np.isfinite(values), owner, n)
    profit = metrics.profit_and_loss(trades, stamps, prices)
    n_known = _counts(profit.takes_part & np.isfinite(profit.daily), owner, n)
    basis_known = np.isfinite(profit.cumulative) & (lots["entry_price"].notna().to_numpy()[:, None] | ~_entered(trades, stamps))
    return Valuation(
        days=list(days),
        portfolios=portfolios,
        instruments=instruments,
        direction=direction[:, 1:],
        values=np.where(direction == 0, 0.0, netted)[:, 1:],
        stale=_counts(is_open & stale, instrument, m)[:, 1:] > 0,
        net=net[:, 1:],
        cash=cash[:, 1:],
        equity_before=np.where((n_open > 0) & (n_valued == 0), np.nan, net + cash)[:, :-1],
        daily_pnl=np.where((_counts(profit.takes_part, owner, n) > 0) & (n_known == 0), np.nan, metrics.group_sums(profit.daily, owner, n)),
        n_profit_unknown=_counts(profit.takes_part, owner, n) - n_known,
        cumulative_pnl=np.where(_counts(~basis_known, owner, n) > 0, np.nan, metrics.group_sums(profit.cumulative, owner, n)),
    )


def _counts(what: BoolArray, group: IntArray, n_groups: int) -> FloatArray:
    return metrics.group_sums(what.astype(float), group, n_groups)


def _entered(trades: metrics.Lots, stamps: DateArray) -> BoolArray:
    entered: BoolArray = trades.entry[:, None] <= stamps[1:]
    return entered


def _prices(lots: pd.DataFrame, closes: pd.DataFrame, days: Sequence[date]) -> tuple[FloatArray, BoolArray]:
    """Price of each lot on each day, (L, D), and whether it is a close of an earlier session.

    Only listed holdings have closes; an option or a private holding has the price that its owner stated.
    """
    known, stale = latest_known(closes, days)
    column = closes.columns.get_indexer(pd.Index(lots["symbol"]))
    listed = (is_listed(lots) & (column >= 0))[:, None]
    private = lots["investment_class"] == "PRIVATE"
    stated = lots["last_price"].fillna((lots["market_value"].abs() / lots["quantity"].abs()).where(private)).to_numpy(float)
    prices = np.where(listed, known.to_numpy().T[column], np.where(is_listed(lots), np.nan, stated)[:, None])
    return prices, np.where(listed, stale.to_numpy().T[column], False)


def open_positions(lots: pd.DataFrame, days: Sequence[date]) -> tuple[IntArray, IntArray]:
    """Row of the lot and of the day for every lot held at the close of a day."""
    lot, day = np.nonzero(metrics.is_open(_days_of(lots, "entry_date"), _days_of(lots, "exit_date"), _stamps(days)))
    return lot, day


def is_listed(lots: pd.DataFrame) -> BoolArray:
    """Whether a holding is one whose symbol has closes: neither an option nor private."""
    return ~(lots["position_type"].isin(_OPTION_TYPES) | (lots["investment_class"] == "PRIVATE")).to_numpy(bool)


def _trades(lots: pd.DataFrame, closes: pd.DataFrame) -> metrics.Lots:
    """Lots as arrays; a trade whose day is known and whose price is not is taken to be at that session's close."""
    multiplier = np.where(lots["position_type"].isin(_OPTION_TYPES), CONTRACT_SIZE, 1)
    return metrics.Lots(
        units=lots["quantity"].to_numpy(float) * multiplier,
        entry=_days_of(lots, "entry_date"),
        entry_price=_trade_prices(lots, closes, "entry_date", "entry_price"),
        exit=_days_of(lots, "exit_date"),
        exit_price=_trade_prices(lots, closes, "exit_date", "exit_price"),
    )


def _trade_prices(lots: pd.DataFrame, closes: pd.DataFrame, day: str, price: str) -> FloatArray:
    prices = lots[price].to_numpy(float).copy()
    for index in np.flatnonzero(np.isnan(prices) & lots[day].notna() & ~_is_assumed(lots, day)):
        session = trading_calendar.at_or_before(lots[day].iloc[int(index)].date())
        known, _ = _prices(lots.iloc[[int(index)]], closes, [session])
        prices[index] = known[0, 0]
    return prices


def _unpriced_trades(lots: pd.DataFrame) -> list[date]:
    return [
        day.date()
        for name, price in (("entry_date", "entry_price"), ("exit_date", "exit_price"))
        for day in lots.loc[lots[price].isna() & lots[name].notna() & ~_is_assumed(lots, name), name].unique()
    ]


def _is_assumed(lots: pd.DataFrame, day: str) -> "pd.Series[bool]":
    return lots["entry_date_assumed"].astype(bool) & (day == "entry_date")


def _instruments(lots: pd.DataFrame, owner: IntArray) -> tuple[pd.DataFrame, IntArray]:
    """What is netted: stocks by symbol, options by symbol, right, strike and expiration; and each lot's row among them."""
    keys = pd.DataFrame(
        {
            "portfolio": owner,
            "symbol": lots["symbol"],
            "listed": is_listed(lots),
            "right": lots["position_type"].map(_OPTION_TYPES),
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
    sessions: Sequence[date],
) -> FloatArray:
    """Cash of each portfolio, (P, D): its equity balance less the net value at its anchor, rolled by the trades since."""
    anchored = portfolios["portfolio_id"].map(anchors)
    cash = np.zeros((len(portfolios), len(sessions)))
    for anchor in sorted(anchored.dropna().unique()):
        rows = (anchored == anchor).to_numpy()
        members = rows[owner]
        own = metrics.Lots(*(field[members] for field in trades))
        prices, _ = _prices(lots[members], closes, [trading_calendar.at_or_before(anchor)])
        stamp = _stamps([anchor])
        net = metrics.group_sums(metrics.lot_values(own, stamp, prices), owner[members], len(portfolios))
        flows = metrics.group_sums(metrics.cash_flows(own, stamp, _stamps(sessions)), owner[members], len(portfolios))
        cash[rows] = (portfolios["equity_balance"].to_numpy(float)[:, None] - net + flows)[rows]
    return cash


def _days_of(lots: pd.DataFrame, column: str) -> DateArray:
    return lots[column].to_numpy("datetime64[D]")


def _stamps(days: Sequence[date]) -> DateArray:
    return np.array(days, dtype="datetime64[D]")
