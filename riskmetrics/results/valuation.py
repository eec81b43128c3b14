"""Valuation of portfolios on sessions, from lots, portfolios and closes.

`value_portfolios` is the only place where holdings meet prices; every portfolio figure starts from
its result. The module does not access the database.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmetrics import trading_calendar
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import (
    INSUFFICIENT_EQUITY,
    MIN_COVERAGE,
    meets_minimum,
    sufficient_equity,
)
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.results import lot_prices
from riskmetrics.results.cash_balances import roll_cash
from riskmetrics.results.income import Income
from riskmetrics.results.kept_returns import KeptReturns
from riskmetrics.results.ledger import Ledger, PnL, StartOfDay
from riskmetrics.results.lot_income import compute_income
from riskmetrics.results.transaction_cash import NO_FLOWS
from riskmetrics.results.undefined_reasons import Reason, first_reason_texts, round_share_down
from riskmetrics.results.valuation_inputs import MarketData

_ARRAYS_BY_SESSION = (
    *("direction", "values", "exposures", "has_return_series", "is_stale", "has_price_source"),
    *("unpriced_value", "cash", "stated_value"),
)


@dataclass(frozen=True)
class Valuation:
    """Portfolios (P) and their instruments (I) on the sessions of a run (D).

    Amounts are in the prices' currency. Lots of one instrument are netted. `values` is 0 where an
    instrument is not held and NaN where it is held without a price. `value_portfolios` sets
    exposures of listed holdings to their values; `option_results.apply_delta_exposures` adds those
    of options.
    """

    sessions: list[date]
    portfolios: pd.DataFrame
    """One row per portfolio: portfolio_id, name, equity_balance."""
    instruments: pd.DataFrame
    """One row per instrument: portfolio (row), symbol, listed, right (of an option), underlying (as
    from `lot_frames.underlying`)."""
    lot_instrument: IntArray
    """Row of each lot's instrument, (L,)."""
    direction: FloatArray
    """Sign of the netted quantity, (I, D)."""
    values: FloatArray
    exposures: FloatArray
    """Exposure to the underlying where `has_return_series`, elsewhere the value, (I, D)."""
    has_return_series: BoolArray
    """Whether the exposure of an instrument to its underlying is known, (I, D)."""
    is_stale: BoolArray
    """Whether the value uses the close of an earlier session, (I, D)."""
    has_price_source: BoolArray
    """Whether a close (of an option's underlying) or a private holding's stated value is known, (I,
    D)."""
    unpriced_value: FloatArray
    """Size of the last known or stated value of a holding without a price, (I, D).

    NaN where none is known, 0 for other instruments.
    """
    cash: FloatArray
    """Cash, (P, D); NaN where a holding has a price now, but had neither a close nor a stated price
    when the equity was stated or the holding was bought."""
    stated_value: FloatArray
    """Value of holdings without a price at the price of their statement, (P, D): in the equity, but
    in neither cash nor exposures."""
    start_of_day: StartOfDay
    pnl: PnL
    income: Income
    is_cash_from_transactions: BoolArray
    """Whether the cash of a portfolio is the sum of its transactions, (P,)."""
    kept_returns: KeptReturns = field(default_factory=KeptReturns, init=False, compare=False)

    def select_sessions(self, sessions: Sequence[date]) -> "Valuation":
        """Return the same values of some of the sessions, consecutive ones."""
        first = self.sessions.index(sessions[0])
        days = slice(first, first + len(sessions))
        arrays = {name: getattr(self, name)[:, days] for name in _ARRAYS_BY_SESSION}
        return replace(
            self,
            sessions=self.sessions[days],
            start_of_day=StartOfDay._make(each[:, days] for each in self.start_of_day),
            pnl=PnL._make(each[:, days] for each in self.pnl),
            income=Income._make(each[:, days] for each in self.income),
            **arrays,
        )

    @cached_property
    def is_held(self) -> BoolArray:
        """Return whether an instrument is held, (I, D); lots that cancel are not."""
        held: BoolArray = self.direction != 0
        return held

    @cached_property
    def instrument_portfolio(self) -> IntArray:
        """Return the row of each instrument's portfolio, (I,)."""
        return self.instruments["portfolio"].to_numpy(np.int64)

    def sum_by_portfolio(self, per_instrument: FloatArray | BoolArray) -> FloatArray:
        """Sum (I, D) over each portfolio's instruments, with NaN as 0: (P, D)."""
        return group_sums(
            per_instrument.astype(float), self.instrument_portfolio, len(self.portfolios)
        )

    @cached_property
    def net(self) -> FloatArray:
        """Return the signed value of all instruments, (P, D)."""
        return self.sum_by_portfolio(self.values)

    @cached_property
    def long_value(self) -> FloatArray:
        """Return the value of long instruments, (P, D)."""
        return self.sum_by_portfolio(np.maximum(self.values, 0))

    @cached_property
    def short_value(self) -> FloatArray:
        """Return the value of short instruments, (P, D): not positive."""
        return self.sum_by_portfolio(np.minimum(self.values, 0))

    @cached_property
    def gross_value(self) -> FloatArray:
        """Return long less short value, (P, D)."""
        return self.long_value - self.short_value

    @cached_property
    def equity(self) -> FloatArray:
        """Return net value plus cash plus stated values of holdings without a price, (P, D)."""
        return self.net + self.cash + self.stated_value

    @cached_property
    def equity_share_denominator(self) -> FloatArray:
        """Return what equity is compared with, (P, D): the larger of gross value and exposure.

        Gross exposure is the sum of the sizes of known exposures.
        """
        return np.maximum(self.gross_value, self.sum_by_portfolio(np.abs(self.exposures)))

    @cached_property
    def equity_share(self) -> FloatArray:
        """Return equity as a share of `equity_share_denominator`, (P, D)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.equity / self.equity_share_denominator

    @cached_property
    def weight_denominator(self) -> FloatArray:
        """Return the equity for weights, (P, D).

        NaN where it is not positive or `equity_share` is below MIN_EQUITY_SHARE.
        """
        return sufficient_equity(self.equity, self.equity_share_denominator)

    @cached_property
    def n_with_exposure(self) -> FloatArray:
        """Return the number of held instruments with a known exposure, (P, D)."""
        return self.sum_by_portfolio(self.is_held & np.isfinite(self.exposures))

    @cached_property
    def priced_share(self) -> FloatArray:
        """Return the known share of gross exposure, (P, D).

        A holding without a price counts by its last known or stated value, and one without either
        as the mean of the others.
        """
        is_known = np.isfinite(self.exposures) & self.is_held
        known = self.sum_by_portfolio(np.abs(self.exposures))
        unpriced = self.sum_by_portfolio(np.where(is_known, 0.0, self.unpriced_value))
        n_valued = self.n_with_exposure + self.sum_by_portfolio(
            self.is_held & ~is_known & np.isfinite(self.unpriced_value)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            total = (known + unpriced) * (1.0 + (self.n_held - n_valued) / n_valued)
            return np.where(total > 0, known / total, self.n_with_exposure / self.n_held)

    @cached_property
    def has_prices(self) -> BoolArray:
        """Return whether MIN_COVERAGE of instruments and of gross exposure have a price, (P, D)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            by_count = meets_minimum(self.n_with_exposure / self.n_held, MIN_COVERAGE)
        return by_count & meets_minimum(self.priced_share, MIN_COVERAGE)

    @cached_property
    def risk_denominator(self) -> FloatArray:
        """Return the denominator of risk figures, (P, D).

        It is `weight_denominator`, NaN where too few holdings have a price.
        """
        return np.where(self.has_prices, self.weight_denominator, np.nan)

    @cached_property
    def amount_denominator(self) -> FloatArray:
        """Return the denominator of risk figures in currency, (P, D).

        It is 1, and NaN where too few holdings have a price.
        """
        return np.where(self.has_prices, 1.0, np.nan)

    @cached_property
    def n_held(self) -> FloatArray:
        """Return the number of held instruments, (P, D)."""
        return self.sum_by_portfolio(self.is_held)

    @cached_property
    def n_priced(self) -> FloatArray:
        """Return the number of held instruments with a price, (P, D)."""
        return self.sum_by_portfolio(self.is_held & np.isfinite(self.values))

    @cached_property
    def is_valued(self) -> BoolArray:
        """Return whether a portfolio can be valued, (P, D).

        It is empty or has an instrument with a price, and its cash is known.
        """
        valued: BoolArray = ((self.n_held == 0) | (self.n_priced > 0)) & np.isfinite(self.cash)
        return valued

    def underlying_columns(self, symbols: "pd.Index[str]") -> Iterator[IntArray]:
        """Yield the index in ``symbols`` of each underlying by day, (I,); -1 if none."""
        column = self._underlying_positions(symbols)
        return (np.where(follows, column, -1) for follows in self.has_return_series.T)

    def single_underlying(self, symbols: "pd.Index[str]") -> IntArray:
        """Return the index in ``symbols`` of a portfolio's only underlying, (P, D); -1 if none."""
        column = np.stack(list(self.underlying_columns(symbols)), axis=1)
        lowest, highest = np.full(self.net.shape, len(symbols)), np.full(self.net.shape, -1)
        np.minimum.at(
            lowest, self.instrument_portfolio, np.where(self.is_held, column, len(symbols))
        )
        np.maximum.at(highest, self.instrument_portfolio, np.where(self.is_held, column, -1))
        return np.where(lowest == highest, highest, -1)

    def map_to_instruments(self, figures: FloatArray, symbols: "pd.Index[str]") -> FloatArray:
        """Map figures of symbols (D, S) to the instruments on them (I, D); NaN if there is none."""
        column = self._underlying_positions(symbols)
        return np.where(self.has_return_series & (column >= 0)[:, None], figures.T[column], np.nan)

    @cached_property
    def _underlying_codes(self) -> "tuple[IntArray, pd.Index[str]]":
        """Return each instrument's underlying as an index into symbols, (I,), and the symbols.

        Used to look up the many instruments of a symbol once.
        """
        code, symbols = pd.factorize(self.instruments["underlying"])
        return code.astype(np.int64), pd.Index(symbols)

    def _underlying_positions(self, symbols: "pd.Index[str]") -> IntArray:
        code, own = self._underlying_codes
        return np.where(code >= 0, symbols.get_indexer(own)[code], -1) if len(own) else code

    def to_frame(
        self, columns: Mapping[str, NDArray[Any]], day: str, where: BoolArray | None = None
    ) -> pd.DataFrame:
        """Return a frame of portfolio_id, the day, and ``columns`` given as (P, D).

        It has a row where a portfolio can be valued, or where ``where`` (P, D) is true.
        """
        portfolio, session = np.nonzero(self.is_valued if where is None else where)
        figures = {name: values[portfolio, session] for name, values in columns.items()}
        return pd.DataFrame(self.keys(portfolio, session, day) | figures)

    def keys(
        self, portfolio: IntArray, session: IntArray, day: str = "day"
    ) -> dict[str, NDArray[Any]]:
        """Return the columns portfolio_id and ``day`` of rows, from their places in both."""
        return {
            "portfolio_id": self.portfolios["portfolio_id"].to_numpy()[portfolio],
            day: pd.to_datetime(self.sessions).to_numpy()[session],
        }

    def undefined_reasons(self, figures: FloatArray, *reasons: Reason) -> "pd.Series[str]":
        """Return the first reason that applies where ``figures`` (P, D) are NaN.

        Indexed as `to_frame`.
        """
        undefined = np.isnan(figures) & self.is_valued
        texts = first_reason_texts(undefined, *reasons)
        return pd.Series(
            texts[undefined], index=np.flatnonzero(undefined[self.is_valued]), dtype="str"
        )

    def risk_reasons(self, figures: FloatArray, *reasons: Reason) -> "pd.Series[str]":
        """Return the same of figures in units of equity, with `common_reasons` before others."""
        return self.undefined_reasons(figures, *self.common_reasons, *reasons)

    @cached_property
    def common_reasons(self) -> tuple[Reason, ...]:
        """Return the reasons of undefined risk figures, in units of equity.

        All but the last also apply to figures in currency.
        """
        required = f"{MIN_COVERAGE:.0%} required"
        with np.errstate(divide="ignore", invalid="ignore"):
            too_few = ~meets_minimum(self.n_with_exposure / self.n_held, MIN_COVERAGE)
        too_little = ~meets_minimum(self.priced_share, MIN_COVERAGE)
        return (
            Reason(
                "the portfolio holds nothing with a value",
                self.sum_by_portfolio(np.abs(self.exposures)) == 0,
            ),
            Reason(
                f"{{:.0f}} of {{:.0f}} instruments have a price; {required}",
                too_few,
                self.n_with_exposure,
                self.n_held,
            ),
            Reason(
                f"holdings with a price make up {{:.1%}} of the last known value; {required}",
                too_little,
                round_share_down(self.priced_share),
            ),
            Reason(
                INSUFFICIENT_EQUITY,
                np.isnan(self.weight_denominator),
                round_share_down(self.equity_share),
            ),
        )


def value_portfolios(
    sessions: Sequence[date],
    portfolios: pd.DataFrame,
    lots: pd.DataFrame,
    anchors: "pd.Series[Any]",
    market: MarketData,
    cash_flows: pd.DataFrame = NO_FLOWS,
) -> Valuation:
    """Value every portfolio on ``sessions``.

    Parameters
    ----------
    sessions : sequence of date
        Sessions of a run, consecutive.
    portfolios, lots : DataFrame
        Portfolios and lots as read by `db.input_queries`.
    anchors : Series of date by portfolio_id
        Session of each portfolio's equity balance; absent if it has none.
    market : MarketData
        Closes and distributions.
    cash_flows : DataFrame, optional
        Cash flows of transactions as read by `db.transactions.read_cash_flows`. Default: none.

    Returns
    -------
    Valuation
        In each portfolio's currency. The value of a holding without a price is NaN, 0 in sums.
    """
    valuation_sessions = [trading_calendar.previous_session(sessions[0]), *sessions]
    prices, stale, has_price_source = lot_prices.price_lots(lots, market.closes, valuation_sessions)
    events = market.distributions.events
    ledger = Ledger.from_frames(
        portfolios, lots, anchors, market.closes, valuation_sessions, prices, cash_flows, events
    )
    held = ledger.net_holdings(ledger.valuation_sessions, prices)
    values, listed = held.values[:, 1:], ledger.instruments["listed"].to_numpy(bool)
    income = compute_income(ledger, market.distributions)
    balances = roll_cash(ledger)
    cash, income = balances.cash + income.cash, Income._make(each[:, 1:] for each in income)
    return Valuation(
        list(sessions),
        portfolios,
        ledger.instruments,
        ledger.lot_instrument,
        direction=held.direction[:, 1:],
        values=values,
        exposures=values,
        has_return_series=np.broadcast_to(listed[:, None], values.shape),
        is_stale=ledger.any_lot(ledger.is_open & stale)[:, 1:],
        has_price_source=~ledger.any_lot(ledger.is_open & ~has_price_source)[:, 1:],
        unpriced_value=ledger.unpriced_values(
            held, market.recent_closes(sessions), market.earlier_closes
        )[:, 1:],
        cash=cash[:, 1:],
        stated_value=balances.stated_value[:, 1:],
        start_of_day=ledger.start_of_day(held, cash + balances.stated_value),
        pnl=ledger.pnl(
            lot_prices.has_unconfirmed_price(lots, market.closes, sessions),
            lot_prices.split_suspicion(lots, market.suspects, sessions),
            income,
        ),
        income=income,
        is_cash_from_transactions=ledger.transaction_cash.is_known,
    )
