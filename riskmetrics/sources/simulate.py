r"""Simulated markets and portfolios with known betas, volatilities and sectors, to test estimates.

The simple return of a symbol on a day is :math:`r = \beta m + \gamma b + e`, with the market return
m, the rate return b and the idiosyncratic return e. The three are independent, and each is a normal
shock times its own volatility, whose logarithm is half the sum of two AR(1) processes, one slow and
one fast (Alizadeh, Brandt and Diebold 2002): volatility clusters and tails are fat, but classical
standard errors of a regression are valid, since no volatility depends on a regressor. The bar of a
day comes from a Brownian bridge with the volatility and the return of the day.

Each symbol and portfolio has its own random streams: with the same seed and sessions, additional
symbols and portfolios do not change the others.

References
----------
Alizadeh, Brandt and Diebold (2002), Range-based estimation of stochastic volatility models, Journal
of Finance 57(3).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from riskmetrics.gics import SECTORS
from riskmetrics.metrics._typing import FloatArray, IntArray

INDICES = MARKET_INDEX, RATE_INDEX = "SPY", "TLT"
"""Symbols of the proxies for the market and for rates, which come first."""
SESSIONS_PER_YEAR = 252
MARKET_VOLATILITY, RATE_VOLATILITY = 0.16, 0.14
"""Annualized volatility of simple returns: square root of the expected variance."""
_MARKET_RETURN = 0.06
"""Expected market return per year; stocks earn beta times that."""
_LOG_VARIANCE = ((0.985, 0.7), (0.6, 0.5))
"""Daily autocorrelation and standard deviation of the two components of the log variance."""

OVERNIGHT_VARIANCE_SHARE = 0.2
"""Share of the variance of a day between the previous close and the open."""
_INTRADAY_STEPS = 8
"""Intraday steps of the path of a day.

Within a step, high and low are drawn exactly, but independently of each other.
"""

SECTOR_WEIGHTS = dict(
    zip(SECTORS, (0.09, 0.11, 0.06, 0.04, 0.13, 0.12, 0.09, 0.28, 0.03, 0.025, 0.025), strict=True)
)
"""Sector weights of the benchmark, as fractions: rounded from those of the S&P 500 in the 2020s."""

_PORTFOLIO_STYLES = ((0.0, 0.98), (0.3 / 1.6, 1.6), (0.5, 1.9))
"""Short share of gross value, and leverage, of long-only, 130/30 and market-neutral portfolios."""

_FACTOR, _TRUTH, _PATH, _PORTFOLIO = range(4)
"""Purposes of random streams."""


class Market(NamedTuple):
    """Daily bars of a simulated market, and its true parameters; the indices come first."""

    prices: pd.DataFrame
    """One row per symbol and session, as for `db.input_writes.store_prices`; dollars and shares."""
    true_parameters: pd.DataFrame
    """Parameters by symbol.

    sector (NA for an index), beta, rate_beta, idiosyncratic_volatility (annualized), vendor_beta
    (beta with an error).
    """
    volatility: pd.DataFrame
    """True daily volatility of each return, sessions x symbols, not annualized."""

    @property
    def closes(self) -> pd.DataFrame:
        """Return closes, sessions x symbols in the order of ``true_parameters``."""
        values = self.prices["close"].to_numpy().reshape(self.volatility.shape[::-1]).T
        return pd.DataFrame(values, self.volatility.index, self.volatility.columns)


class Portfolios(NamedTuple):
    """Rows of the tables portfolios and positions, including ids."""

    portfolios: pd.DataFrame
    lots: pd.DataFrame


def true_parameters(n_stocks: int, seed: int) -> pd.DataFrame:
    """Return the parameters of a simulated market; see `Market.true_parameters`."""
    rows: list[tuple[str, str | None, float, float, float, float]] = [
        (MARKET_INDEX, None, 1.0, 0.0, 0.0, 1.0),
        (RATE_INDEX, None, 0.0, 1.0, 0.0, 0.0),
    ]
    for number in range(1, n_stocks + 1):
        rng = _random_stream(seed, _TRUTH, number)
        beta, rate_beta = rng.normal(1.0, 0.3), rng.normal(0.0, 0.25)
        volatility = np.exp(rng.uniform(np.log(0.15), np.log(0.45)))
        rows.append(
            (
                f"SIM{number:05d}",
                SECTORS[(number - 1) % len(SECTORS)],
                beta,
                rate_beta,
                volatility,
                rng.normal(beta, 0.05),
            )
        )
    names = ["symbol", "sector", "beta", "rate_beta", "idiosyncratic_volatility", "vendor_beta"]
    return pd.DataFrame(rows, columns=names).astype({"sector": "str"}).set_index("symbol")


def simulate_market(n_stocks: int, sessions: Sequence[date], seed: int) -> Market:
    """Simulate the two proxies and ``n_stocks`` stocks on ``sessions``.

    Stocks are named SIM00001, SIM00002, …, and cycle through the eleven GICS sectors. ``seed`` is 0
    or more.
    """
    return next(simulate_market_blocks(n_stocks, sessions, seed, symbols_per_block=n_stocks + 2))


def simulate_market_blocks(
    n_stocks: int, sessions: Sequence[date], seed: int, *, symbols_per_block: int
) -> Iterator[Market]:
    """Simulate the identical market of `simulate_market` in blocks of symbols, to save memory."""
    parameters_by_symbol, days, n_sessions = (
        true_parameters(n_stocks, seed),
        pd.DatetimeIndex(list(sessions)),
        len(sessions),
    )
    market, market_variance = _draw_shocks(
        _random_stream(seed, _FACTOR, 0), n_sessions, MARKET_VOLATILITY
    )
    rate, rate_variance = _draw_shocks(
        _random_stream(seed, _FACTOR, 1), n_sessions, RATE_VOLATILITY
    )
    market += _MARKET_RETURN / SESSIONS_PER_YEAR
    for start in range(0, len(parameters_by_symbol), symbols_per_block):
        block = parameters_by_symbol.iloc[start : start + symbols_per_block]
        parameters = block[["beta", "rate_beta", "idiosyncratic_volatility"]].to_numpy()
        bars, volatility = np.empty((6, len(block), n_sessions)), np.empty((n_sessions, len(block)))
        for place, (beta, rate_beta, own_volatility) in enumerate(parameters):
            rng = _random_stream(seed, _PATH, start + place)
            own, own_variance = _draw_shocks(rng, n_sessions, own_volatility)
            variance = beta**2 * market_variance + rate_beta**2 * rate_variance + own_variance
            volatility[:, place] = np.sqrt(variance)
            bars[:, place] = _draw_bars(rng, beta * market + rate_beta * rate + own, variance)
        yield Market(
            _to_long_format(bars, block.index, days),
            block,
            pd.DataFrame(volatility, days, block.index),
        )


def profiles(parameters: pd.DataFrame) -> pd.DataFrame:
    """Return profiles for `db.input_writes.store_profiles`; ``beta`` is the vendor beta."""
    index = parameters["sector"].isna()
    names = "Simulated " + parameters.index.to_series().where(
        index, "company " + parameters.index.str.removeprefix("SIM")
    )
    columns = {
        "company_name": names,
        "sector": parameters["sector"],
        "is_etf": index,
        "is_fund": False,
        "beta": parameters["vendor_beta"],
    }
    return pd.DataFrame(columns).reset_index(names="symbol")


def benchmark(day: date) -> pd.DataFrame:
    """Return sector weights, summing to 1, for `db.input_writes.store_benchmark_weights`."""
    return pd.DataFrame(
        {"date": day, "sector": list(SECTOR_WEIGHTS), "weight": list(SECTOR_WEIGHTS.values())}
    )


def simulate_portfolios(
    numbers: Sequence[int], n_lots: int, closes: pd.DataFrame, seed: int
) -> Portfolios:
    """Simulate portfolios as of the last session: in turn long-only, 130/30 and market-neutral.

    Parameters
    ----------
    numbers : sequence of int
        Numbers of the portfolios, from 0; each portfolio is independent of the others.
    n_lots : int
        Open lots per portfolio; about a tenth are second lots of a symbol.
    closes : (T, N) DataFrame
        Sessions x symbols, dollars, none missing. Lots are entered at closes of the first half of
        the sessions.
    seed : int
        Seed of the random streams, 0 or more.

    Returns
    -------
    Portfolios
        Gross values of about $100,000 to $10,000,000; equity is net value plus cash on the last
        session.
    """
    prices = closes.to_numpy()
    shape = len(numbers), n_lots
    symbol_index, entry_index, quantity = (
        np.empty(shape, np.int64),
        np.empty(shape, np.int64),
        np.empty(shape),
    )
    ids, equity = [], np.empty(len(numbers))
    for row, number in enumerate(numbers):
        rng, (short, leverage) = (
            _random_stream(seed, _PORTFOLIO, number),
            _PORTFOLIO_STYLES[number % len(_PORTFOLIO_STYLES)],
        )
        ids.append(_draw_uuids(rng, n_lots + 1))
        symbol_index[row], weights = _draw_weights(rng, n_lots, prices.shape[1], short)
        entry_index[row] = rng.integers(0, (len(closes) + 1) // 2, n_lots)
        value = weights * rng.lognormal(np.log(1e6), 0.75)
        quantity[row] = np.sign(value) * np.maximum(
            np.round(np.abs(value) / prices[-1, symbol_index[row]]), 1.0
        )
        equity[row] = np.abs(quantity[row] * prices[-1, symbol_index[row]]).sum() / leverage
    portfolios = _tabulate_portfolios(numbers, [own[0] for own in ids], equity, closes.index[-1])
    lots = _tabulate_lots(
        [lot for own in ids for lot in own[1:]],
        portfolios["id"].repeat(n_lots),
        closes,
        symbol_index.ravel(),
        entry_index.ravel(),
        quantity.ravel(),
    )
    return Portfolios(portfolios, lots)


def _tabulate_portfolios(
    numbers: Sequence[int], ids: list[str], equity: FloatArray, day: pd.Timestamp
) -> pd.DataFrame:
    """Return the rows of portfolios, with the equity and the holdings of a day."""
    names = [f"Simulated {number + 1:04d}" for number in numbers]
    return pd.DataFrame({"id": ids, "name": names}).assign(
        currency="USD", equity_balance=equity.round(2), equity_as_of=day, holdings_as_of=day
    )


def _tabulate_lots(
    ids: list[str],
    portfolio_ids: "pd.Series[str]",
    closes: pd.DataFrame,
    symbol_index: IntArray,
    entry_index: IntArray,
    quantity: FloatArray,
) -> pd.DataFrame:
    """Return the rows of lots, each entered at the close of its symbol in its entry session."""
    return pd.DataFrame(
        {
            "id": ids,
            "portfolio_id": portfolio_ids.to_numpy(),
            "symbol": closes.columns.to_numpy()[symbol_index],
            "position_type": np.where(quantity > 0, "LONG", "SHORT"),
            "quantity": quantity,
            "entry_price": closes.to_numpy()[entry_index, symbol_index],
            "entry_date": closes.index[entry_index],
            "investment_class": "PUBLIC",
        }
    )


def _random_stream(seed: int, purpose: int, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, purpose, number])


def _draw_shocks(
    rng: np.random.Generator, n_sessions: int, annualized_volatility: float
) -> tuple[FloatArray, FloatArray]:
    """Return shocks and their daily variances, which have the variance of the given volatility."""
    log_variance = np.zeros(n_sessions)
    for autocorrelation, deviation in _LOG_VARIANCE:
        innovations = rng.standard_normal(n_sessions) * deviation
        # the first is drawn from the stationary distribution
        innovations[1:] *= np.sqrt(1 - autocorrelation**2)
        log_variance += lfilter([1.0], [1.0, -autocorrelation], innovations) - deviation**2 / 2
    variance = annualized_volatility**2 / SESSIONS_PER_YEAR * np.exp(log_variance)
    return np.sqrt(variance) * rng.standard_normal(n_sessions), variance


def _draw_bars(rng: np.random.Generator, returns: FloatArray, variance: FloatArray) -> FloatArray:
    """Return open, high, low, close, adj_close and volume of a symbol, of shape (6, T)."""
    log_returns = np.log1p(returns)
    shares = np.array(
        [
            OVERNIGHT_VARIANCE_SHARE,
            *np.full(_INTRADAY_STEPS, (1 - OVERNIGHT_VARIANCE_SHARE) / _INTRADAY_STEPS),
        ]
    )[:, None]  # of the day's variance
    path = (np.sqrt(shares * variance) * rng.standard_normal((len(shares), len(returns)))).cumsum(
        axis=0
    )
    # a Brownian bridge from the previous close to this one
    path += shares.cumsum(axis=0) * (log_returns - path[-1])
    ends, middles, moves = path[[0, -1]], (path[1:] + path[:-1]) / 2, np.diff(path, axis=0)
    up, down = (
        np.sqrt(moves**2 + 2 * shares[1:] * variance * rng.standard_exponential(moves.shape)) / 2
        for _ in range(2)
    )
    high, low = (middles + up).max(axis=0), (middles - down).min(axis=0)
    # rounding may put an end of the path outside of high and low
    bars = np.stack(
        [ends[0], np.maximum(high, ends.max(axis=0)), np.minimum(low, ends.min(axis=0)), ends[1]]
    )
    last_close = np.exp(rng.uniform(np.log(20), np.log(400)))
    bars += np.log(last_close) - log_returns[::-1].cumsum()[::-1]  # relative to the previous close
    prices = np.exp(bars).round(4)  # precision of the NUMERIC(12, 4) columns
    turnover = rng.lognormal(np.log(1e8), 1.0)  # dollars per day
    volume = (
        turnover
        / last_close
        * np.sqrt(variance / variance.mean())
        * rng.lognormal(0.0, 0.3, len(returns))
    )
    return np.vstack([prices, prices[-1:], volume.round()[None]])


def _to_long_format(
    bars: FloatArray, symbols: "pd.Index[str]", days: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return bars of shape (6, N, T) as one row per symbol and session."""
    names = ["open", "high", "low", "close", "adj_close", "volume"]
    frame = pd.DataFrame(
        {name: values.ravel() for name, values in zip(names, bars, strict=True)}
    ).astype({"volume": "int64"})
    frame.insert(0, "symbol", symbols.repeat(len(days)))
    frame.insert(1, "date", np.tile(days.to_numpy(), len(symbols)))
    return frame.assign(has_adj_close=True)


def _draw_weights(
    rng: np.random.Generator, n_lots: int, n_symbols: int, short: float
) -> tuple[IntArray, FloatArray]:
    """Return symbol number and share of gross value of each lot; short shares sum to ``-short``."""
    n_held = min(n_symbols, -(-9 * n_lots // 10))
    symbols = rng.choice(n_symbols, n_held, replace=False)
    symbol_number = np.concatenate([np.arange(n_held), rng.integers(0, n_held, n_lots - n_held)])
    is_short = symbol_number < int(short * n_held)  # lots of a symbol are on one side
    size = rng.lognormal(0.0, 0.5, n_lots)
    side_total = np.where(is_short, size[is_short].sum(), size[~is_short].sum())
    share = np.where(is_short, -short, 1 - short) if is_short.any() else 1.0
    return symbols[symbol_number], size / side_total * share


def _draw_uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Return version 4 UUIDs from the random stream, so that a simulation is reproducible."""
    random = rng.bytes(16 * count)
    return [
        str(UUID(bytes=random[start : start + 16], version=4))
        for start in range(0, len(random), 16)
    ]
