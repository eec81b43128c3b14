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
from numpy.typing import NDArray

from riskmetrics import trading_calendar
from riskmetrics.metrics import portfolio as metrics
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY, TOO_LITTLE_EQUITY, reaches
from riskmetrics.panels import STALE_AFTER
from riskmetrics.results import lot_prices
from riskmetrics.results.income import Distributions, Income, income
from riskmetrics.results.ledger import Ledger, Profit, unpriced_trades


class Reason(NamedTuple):
    """Why a figure is undefined where ``holds``, (P, D); the text may quote numbers, (P, D) each."""

    text: str
    holds: BoolArray | bool = True
    number: FloatArray | None = None
    second: FloatArray | None = None


class Start(NamedTuple):
    """What the return of a day is of, money, each of shape (P, D)."""

    equity: FloatArray
    """Equity at the session before and what came in since; NaN where nothing that was held then has a price, or the cash is not known."""
    gross: FloatArray
    """Gross exposure of the same."""

    @property
    def base(self) -> FloatArray:
        """The equity where it is positive and MIN_EQUITY of gross exposure, elsewhere NaN."""
        return _sufficient_equity(self.equity, self.gross)


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
    unpriced: FloatArray
    """Size of the last known or stated value of a holding without a price, (I, D): NaN where none is known, 0 elsewhere."""
    cash: FloatArray
    """NaN where a holding has a price that it lacked when the equity was stated, or when it was bought."""
    start: "Start"
    profit: Profit
    income: Income

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
    def exposure(self) -> FloatArray:
        """Size of all exposures that are known, (P, D), or of the values where those are larger: what equity is compared with."""
        return np.maximum(self.gross, self.total(np.abs(self.exposures)))

    @cached_property
    def equity_share(self) -> FloatArray:
        """Equity as a share of gross exposure, (P, D)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.equity / self.exposure

    @cached_property
    def weight_base(self) -> FloatArray:
        """Equity that weights are taken of, (P, D): NaN where it is less than MIN_EQUITY of gross exposure."""
        return _sufficient_equity(self.equity, self.exposure)

    @cached_property
    def n_known(self) -> FloatArray:
        """Instruments held whose exposure is known, (P, D)."""
        return self.total(self.held & np.isfinite(self.exposures))

    @cached_property
    def priced_share(self) -> FloatArray:
        """Share of gross exposure that is known, (P, D).

        A holding without a price counts by its last known or stated value, and one without either
        as the mean of the others.
        """
        is_known = np.isfinite(self.exposures) & self.held
        known, unpriced = self.total(np.abs(self.exposures)), self.total(np.where(is_known, 0.0, self.unpriced))
        n_valued = self.n_known + self.total(self.held & ~is_known & np.isfinite(self.unpriced))
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = (known + unpriced) * (1.0 + (self.n_held - n_valued) / n_valued)
            return np.where(whole > 0, known / whole, self.n_known / self.n_held)

    @cached_property
    def has_prices(self) -> BoolArray:
        """Whether MIN_COVERAGE of the instruments, and of gross exposure, have a price, (P, D)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            by_count = reaches(self.n_known / self.n_held, MIN_COVERAGE)
        return by_count & reaches(self.priced_share, MIN_COVERAGE)

    @cached_property
    def risk_base(self) -> FloatArray:
        """What risk figures are fractions of, (P, D): `weight_base`, NaN where too few holdings have a price."""
        return np.where(self.has_prices, self.weight_base, np.nan)

    @cached_property
    def money_base(self) -> FloatArray:
        """1 where risk figures in money are defined, (P, D), NaN where too few holdings have a price."""
        return np.where(self.has_prices, 1.0, np.nan)

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
        texts = first_reasons(undefined, *reasons)
        return pd.Series(texts[undefined], index=np.flatnonzero(undefined[self.valued]), dtype="str")

    @cached_property
    def gates(self) -> tuple[Reason, ...]:
        """Why no risk figure of a portfolio is defined, in units of equity; all but the last hold for money too."""
        needed = f"{MIN_COVERAGE:.0%} are needed"
        with np.errstate(divide="ignore", invalid="ignore"):
            too_few = ~reaches(self.n_known / self.n_held, MIN_COVERAGE)
        too_little = ~reaches(self.priced_share, MIN_COVERAGE)
        return (
            Reason("the portfolio holds nothing with a value", self.total(np.abs(self.exposures)) == 0),
            Reason(f"{{:.0f}} of {{:.0f}} instruments have a price; {needed}", too_few, self.n_known, self.n_held),
            Reason(
                f"holdings with a price make up {{:.1%}} of the last known value; {needed}",
                too_little,
                rounded_down(self.priced_share),
            ),
            Reason(
                TOO_LITTLE_EQUITY,
                np.isnan(self.weight_base),
                rounded_down(self.equity_share),
            ),
        )


def first_reasons(undefined: BoolArray, *reasons: Reason) -> "NDArray[np.object_]":
    """Return the text of the first reason that holds, (P, D); empty where none does, and where nothing is undefined."""
    texts = np.full(undefined.shape, "", dtype=object)
    unexplained = undefined.copy()
    for text, holds, *numbers in reasons:
        here = unexplained & holds
        quoted = [number[here] for number in numbers if number is not None]
        texts[here] = [text.format(*of) for of in zip(*quoted, strict=True)] if quoted else text
        unexplained &= ~here
    return texts


def rounded_down(share: FloatArray) -> FloatArray:
    """Round shares down to a tenth of a per cent, so that one below a minimum is not printed as the minimum."""
    return np.floor(share * 1000 + 1e-6) / 1000


def _sufficient_equity(equity: FloatArray, gross: FloatArray) -> FloatArray:
    """Equity where it is positive and MIN_EQUITY of gross exposure, elsewhere NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        enough = reaches(equity / gross, MIN_EQUITY)
    return np.where((equity > 0) & enough, equity, np.nan)


def sessions_needed(days: Sequence[date], lots: pd.DataFrame, anchors: "pd.Series[Any]") -> list[date]:
    """Sessions whose closes `value` looks at: around the days, the cash anchors and trades whose price is not known."""
    points = {trading_calendar.at_or_before(point) for point in (*anchors, *unpriced_trades(lots))}
    around = (trading_calendar.window([point], STALE_AFTER) for point in points)
    return sorted({*recent_sessions(days), *(session for window in around for session in window)})


def recent_sessions(days: Sequence[date]) -> list[date]:
    """Sessions whose closes may stand in on the days, and on the session before the first."""
    return trading_calendar.window(days, STALE_AFTER + 1)


class Market(NamedTuple):
    """What is known of the prices of all listed holdings, and of what options are on."""

    closes: pd.DataFrame
    """Sessions x symbols, at least `sessions_needed`."""
    earlier: "pd.Series[float]"
    """By symbol, the last close before the `recent_sessions`; absent where there is none."""
    distributions: Distributions
    suspects: pd.DataFrame | None = None
    """Suspected splits of the whole history, as `panels.suspected_splits` lists them; None: none."""


def value(
    days: Sequence[date],
    portfolios: pd.DataFrame,
    lots: pd.DataFrame,
    anchors: "pd.Series[Any]",
    market: Market,
) -> Valuation:
    """Value every portfolio on ``days``.

    Parameters
    ----------
    days : sequence of date
        Consecutive sessions.
    portfolios, lots : DataFrame
        As `db.read` gives them.
    anchors : Series of date by portfolio_id
        The session on which a portfolio's equity balance holds; absent where it has none.
    market : Market
        Closes and distributions.

    Returns
    -------
    Valuation
        In each portfolio's currency. A holding without a price has the value NaN, and is left out of sums.
    """
    closes, sessions = market.closes, [trading_calendar.previous(days[0]), *days]
    prices, stale, sourced = lot_prices.prices(lots, closes, sessions)
    ledger = Ledger.open(portfolios, lots, anchors, closes, sessions, prices)
    held = ledger.hold(ledger.sessions, prices)
    received = income(lots, ledger.trades, market.distributions, ledger.owner, ledger.instrument, ledger.owners, ledger.anchor, sessions)
    cash = ledger.cash() + received.cash
    received = Income._make(of[:, 1:] for of in received)
    return Valuation(
        days=list(days),
        portfolios=portfolios,
        instruments=ledger.instruments,
        instrument=ledger.instrument,
        direction=held.direction[:, 1:],
        values=held.values[:, 1:],
        exposures=held.values[:, 1:],
        follows=np.broadcast_to(ledger.instruments["listed"].to_numpy(bool)[:, None], held.values[:, 1:].shape),
        stale=ledger.any_lot(ledger.is_open & stale)[:, 1:],
        sourced=~ledger.any_lot(ledger.is_open & ~sourced)[:, 1:],
        unpriced=_unpriced(ledger, held, market)[:, 1:],
        cash=cash[:, 1:],
        start=_start(ledger, held, cash),
        profit=ledger.profit(
            lot_prices.doubted(lots, closes, days),
            lot_prices.split_suspicion(lots, market.suspects, days),
            received,
        ),
        income=received,
    )


def _unpriced(ledger: Ledger, held: metrics.Holdings, market: Market) -> FloatArray:
    """Size of what each instrument without a price was last known to be worth, (I, D + 1): NaN where that is not known."""
    recent = market.closes.reindex(pd.to_datetime(recent_sessions(ledger.sessions[1:].tolist())))
    known = lot_prices.last_known(ledger.lots, recent, market.earlier, ledger.sessions)
    last = ledger.hold(ledger.sessions, known)
    return np.where((held.direction != 0) & np.isnan(held.values), np.abs(last.values), 0.0)


def _start(ledger: Ledger, held: metrics.Holdings, cash: FloatArray) -> Start:
    """Equity and gross exposure that each day starts from; purchases of a portfolio without a stated equity come in at its start."""
    n = len(ledger.portfolios)
    n_held = ledger.count_instruments(held.direction != 0)
    n_priced = ledger.count_instruments((held.direction != 0) & np.isfinite(held.values))
    net, gross = (metrics.group_sums(of, ledger.owners, n) for of in (held.values, np.abs(held.values)))
    equity = np.where((n_held > 0) & (n_priced == 0), np.nan, net + cash)
    inflow, size = ledger.inflows()
    return Start(equity[:, :-1] + inflow, gross[:, :-1] + size)
