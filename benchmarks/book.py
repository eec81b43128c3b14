"""What the assets of a run compute of a simulated market in memory: from prices and lots to the rows that they would write."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.results import (
    as_of,
    betas,
    contributions,
    drawdowns,
    exposures,
    forecasts,
    income,
    options,
    rates,
    snapshots,
    stress,
    tail_risk,
    valuation,
    volatility,
)
from riskmetrics.results.model import Versions
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.sources import simulate
from riskmetrics.sources.simulate import MARKET_INDEX, RATE_INDEX

LAST_SESSION = date(2024, 12, 6)
VERSIONS = Versions(["shipped-1"], [har.SHIPPED], np.array([har.SHIPPED_THROUGH], dtype="datetime64[D]"))
TERMS = options.Terms(risk_free_rate=0.04, dividend_yield=0.0)

MOVES = ((0.1, None), (-0.1, None), (-0.2, None), (-0.4, None), (None, 0.1), (None, -0.1), (-0.2, -0.1))
REPLAYS = ((-250, -210), (-200, -160), (-150, -110), (-100, -60), (-50, -10))
"""As many scenarios as are shipped: moves of the market and of rates, and windows of sessions, counted from the last."""

_SYMBOLS_PER_BLOCK = 500
Frames: TypeAlias = tuple[pd.DataFrame, ...]


@dataclass(frozen=True)
class Book:
    """What assets read, and what those of a run share, computed when it is first asked for; prices are sessions x symbols."""

    days: list[date]
    bars: dict[str, pd.DataFrame]
    profiles: pd.DataFrame
    portfolios: pd.DataFrame
    lots: pd.DataFrame

    @cached_property
    def believed_returns(self) -> panels.Returns:
        """Returns of all sessions."""
        return panels.believed_returns(self.bars["adj_close"])

    def returns(self, window: int) -> panels.Returns:
        """Believed returns of the windows that end on the days."""
        return self.believed_returns.last(len(self.days) + window - 1)

    @cached_property
    def market_betas(self) -> betas.SymbolBetas:
        """Market betas of symbols."""
        return betas.estimate(self.returns(betas.WINDOW), MARKET_INDEX)

    @cached_property
    def rate_betas(self) -> tuple[betas.SymbolBetas, rates.TwoFactorBetas]:
        """Rate betas of symbols, alone and beside the market's."""
        believed = self.returns(betas.WINDOW)
        return betas.estimate(believed, RATE_INDEX), rates.two_factor(believed, MARKET_INDEX, RATE_INDEX)

    @cached_property
    def symbol_volatility(self) -> volatility.SymbolVolatility:
        """Volatility of symbols, past and expected."""
        return volatility.of_symbols(*panels.believed_bars(**self.bars), MARKET_INDEX, VERSIONS)

    @cached_property
    def valued(self) -> valuation.Valuation:
        """Values of portfolios, whose equity was stated on the last session."""
        anchors = pd.Series(self.days[-1], index=self.portfolios["portfolio_id"], dtype=object)
        closes = self.bars["adj_close"].iloc[-(len(self.days) + panels.STALE_AFTER + 1) :]
        nothing = pd.DataFrame({"symbol": [], "date": pd.to_datetime([]), "amount": []}).astype({"symbol": "str"})
        market = valuation.Market(closes, pd.Series(dtype=float), income.Distributions(nothing, frozenset()))
        return valuation.value(self.days, self.portfolios, self.lots, anchors, market)

    @cached_property
    def portfolio_volatility(self) -> volatility.PortfolioVolatility:
        """Volatility of portfolios, past and expected."""
        symbols, returns = self.bars["adj_close"].columns, self.returns(volatility.PORTFOLIO_WINDOW)
        alone = [symbols[column] for column in np.unique(self.valued.sole(symbols)) if column >= 0]
        bars = {name: of.iloc[-(len(returns.frame) + 2) :][alone] for name, of in self.bars.items()}
        return volatility.of_portfolios(self.valued, returns, panels.believed_bars(**bars)[1], MARKET_INDEX, VERSIONS)


def position_betas(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    one, lots, days = book.market_betas, book.lots, book.days
    return *betas.position_rows(one, lots, days, betas.MARKET), betas.adjusted_rows(one, lots, days)


def interest_rate_betas(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    (one, two), lots, days = book.rate_betas, book.lots, book.days
    return *betas.position_rows(one, lots, days, betas.RATES), rates.symbol_rows(two, lots, days)


def position_volatility(book: Book) -> Frames:
    """Make the rows that the asset writes, with the options that its rows are told."""
    of, lots, days = book.symbol_volatility, book.lots, book.days
    valued = options.position_rows(options.options(lots), days, book.bars["adj_close"], of, TERMS)
    return *forecasts.position_rows(of, lots, days, valued), forecasts.symbol_forecasts(of, lots, days)


def portfolio_values(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    return *snapshots.value_rows(book.valued), snapshots.value_coverage(book.valued)


def portfolio_betas(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    return snapshots.beta_rows(book.valued, book.market_betas, book.profiles)


def portfolio_rate_betas(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    return rates.portfolio_rows(book.valued, *book.rate_betas)


def portfolio_volatility(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    estimates = book.portfolio_volatility
    return *forecasts.portfolio_rows(book.valued, estimates), forecasts.portfolio_forecasts(book.valued, estimates)


def sector_concentration(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    weights = simulate.benchmark(book.days[0]).pivot(index="date", columns="sector", values="weight")
    sectors = exposures.sector_rows(book.valued, book.profiles, weights, DEFAULT_BENCHMARK)
    return sectors, *exposures.concentration_rows(book.valued, sectors)


def portfolio_tail_risk(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    expected = book.portfolio_volatility
    returns = book.returns(tail_risk.WINDOW)
    return tail_risk.rows(book.valued, returns, expected.risk_in_money, expected.figures.observations)


def risk_contributions(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    return (contributions.rows(book.valued, book.returns(as_of.YEAR)),)


def portfolio_drawdowns(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    return (drawdowns.rows(book.valued, book.returns(as_of.YEAR)),)


def stress_tests(book: Book) -> Frames:
    """Make the rows that the asset writes."""
    closes = book.bars["adj_close"]
    moves = pd.DataFrame(MOVES, columns=["market_move", "rate_move"], dtype=float)
    windows = pd.DataFrame(closes.index.to_numpy()[np.array(REPLAYS)], columns=["first_day", "last_day"])
    scenarios = pd.concat([moves, windows], ignore_index=True).assign(name=lambda rows: rows.index.astype("str"))
    replayed = closes.reindex(pd.to_datetime(stress.ends(scenarios)))
    return (stress.rows(book.valued, scenarios, stress.Betas(book.market_betas, *book.rate_betas), replayed),)


ESTIMATES = ("believed_returns", "market_betas", "rate_betas", "symbol_volatility")
POSITIONS = (position_betas, interest_rate_betas, position_volatility)
SHARED = ("believed_returns", "valued", "market_betas", "rate_betas", "portfolio_volatility")
"""Of a book, what the assets of positions and of portfolios start from."""
PORTFOLIOS = (
    portfolio_values,
    portfolio_betas,
    portfolio_rate_betas,
    portfolio_volatility,
    sector_concentration,
    portfolio_tail_risk,
    risk_contributions,
    portfolio_drawdowns,
    stress_tests,
)


def of_symbols(symbols: int, sessions: int) -> Book:
    """Simulate a market of which one portfolio holds every stock, and the history that all metrics of a position take."""
    days, bars, profiles = _market(symbols, sessions, volatility.SYMBOL_WINDOW)
    stocks, entered = bars["adj_close"].columns[2:], bars["adj_close"].index[0]
    names = {"id": stocks, "portfolio_id": "one", "symbol": stocks, "position_type": "LONG", "investment_class": "PUBLIC"}
    lots = pd.DataFrame({**names, "quantity": 1.0, "entry_price": 1.0, "entry_date": entered})
    return Book(days, bars, profiles, pd.DataFrame({"portfolio_id": ["one"]}), _as_read(lots))


def of_portfolios(symbols: int, portfolios: int, lots: int) -> Book:
    """Simulate portfolios on one session, and the history that all their metrics take."""
    days, bars, profiles = _market(symbols, 1, tail_risk.WINDOW)
    made = simulate.simulate_portfolios(range(portfolios), lots, bars["adj_close"].iloc[:, 2:], seed=1)
    return Book(days, bars, profiles, made.portfolios.rename(columns={"id": "portfolio_id"}), _as_read(made.lots))


def _market(symbols: int, sessions: int, window: int) -> tuple[list[date], dict[str, pd.DataFrame], pd.DataFrame]:
    """Return sessions, the bars of both indices and all stocks in windows of ``window`` returns that end on them, and profiles."""
    days = trading_calendar.between(trading_calendar.FIRST_SESSION, LAST_SESSION)[-(sessions + window + 1) :]
    truth, parts = simulate.truth(symbols, seed=1), {name: list[FloatArray]() for name in ("adj_close", "high", "low")}
    for block in simulate.market_blocks(symbols, days, seed=1, symbols_per_block=_SYMBOLS_PER_BLOCK):
        for name, blocks in parts.items():
            blocks.append(block.prices[name].to_numpy().reshape(-1, len(days)))
    bars = {name: pd.DataFrame(np.concatenate(of).T.copy(), pd.DatetimeIndex(days), truth.index) for name, of in parts.items()}
    return days[-sessions:], bars, simulate.profiles(truth).set_index("symbol")


def _as_read(lots: pd.DataFrame) -> pd.DataFrame:
    """Return simulated lots as `db.read.lots` does: in its order, with its columns."""
    numbers = dict.fromkeys(("exit_price", "exit_close", "strike_price", "last_price", "market_value"), np.nan)
    dates = dict.fromkeys(("exit_date", "expiration_date"), pd.Series(pd.NaT, lots.index, dtype="datetime64[s]"))
    none = pd.Series(pd.NA, lots.index, dtype="str")
    lots = lots.assign(**numbers, **dates, underlying_symbol=none, entry_date_assumed=False).rename(columns={"id": "position_id"})
    return lots.sort_values(["portfolio_id", "symbol", "position_type", "entry_date", "position_id"], ignore_index=True)
