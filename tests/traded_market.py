"""Markets as they traded, with the adjusted closes of a vendor, and what is known about them.

One is built from the bundled sample, whose closes are adjusted for dividends and splits: chosen
dividends and splits are put back. The other is an optional data set of real prices.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from riskmetrics.sources import sample
from tests.conftest import SHARED_DATA, needs_shared_data

Key = tuple[str, str]
"""Symbol and day."""


class TradedMarket(NamedTuple):
    """Daily bars as traded, with adjusted closes, and what is known about them."""

    rows: pd.DataFrame
    splits: Sequence[tuple[str, str, float]]
    """Every split: day, symbol and new shares per old share."""
    dividends: Mapping[str, Mapping[str, float]]
    """Some dividends per share by ex-day, by symbol."""
    n_ex_days: Mapping[str, int]
    """Number of all ex-days, by symbol."""
    payers: Sequence[str]
    """Symbols over all sessions that pay dividends and are not split."""
    index: str
    """A symbol that stands for the market."""


SPLITS = [("2018-08-31", "BBY", 1.25), ("2019-06-10", "AMD", 1.5), ("2021-08-30", "RRC", 1.5)]
PAYERS = ("BAC", "CVX", "HD", "JNJ", "JPM", "LLY", "MRK", "MSFT", "PEP", "PG", "UNH", "XOM")
YIELDS = dict(zip(PAYERS, np.linspace(0.003, 0.009, len(PAYERS)), strict=True))
"""Quarterly dividend over the close before it."""
EX_DAYS = range(40, 1277, 63)
"""Sessions of the sample that are ex-days of all payers, shifted by one session for each."""


@cache
def build_from_sample() -> TradedMarket:
    """Put dividends and splits back into the closes of the sample.

    From the last session back, a dividend D with its ex-day today multiplies the adjustment of the
    sessions before by 1 - D / close before, and a split of r new shares per old share divides it
    by r: as CRSP, Yahoo and EOD Historical Data define an adjusted close.
    """
    adjusted = sample.prices().rows.pivot(index="date", columns="symbol", values="adj_close")
    adjusted.index = pd.to_datetime(adjusted.index)
    dividends = {
        symbol: _known_dividends(adjusted[symbol], [day + shift for day in EX_DAYS])
        for shift, symbol in enumerate(PAYERS)
    }
    splits = {(symbol, day): ratio for day, symbol, ratio in SPLITS}
    symbols = sorted({*PAYERS, *(symbol for _, symbol, _ in SPLITS), "AAPL", sample.MARKET_INDEX})
    rows = [
        _trade(symbol, adjusted[symbol], dividends.get(symbol, {}), splits) for symbol in symbols
    ]
    n_ex_days = {symbol: len(paid) for symbol, paid in dividends.items()} | {"AAPL": 0}
    return TradedMarket(
        pd.concat(rows, ignore_index=True),
        sorted(SPLITS),
        dividends,
        n_ex_days,
        PAYERS,
        sample.MARKET_INDEX,
    )


def _known_dividends(adjusted: "pd.Series[float]", ex_days: Sequence[int]) -> dict[str, float]:
    """Return dividends in cents by ex-day, as fractions of the adjusted close before."""
    share = YIELDS[str(adjusted.name)]
    return {
        f"{adjusted.index[day]:%Y-%m-%d}": round(share * adjusted.iloc[day - 1], 2)
        for day in ex_days
        if day < len(adjusted)
    }


def _trade(
    symbol: str,
    adjusted: "pd.Series[float]",
    dividends: Mapping[str, float],
    splits: Mapping[Key, float],
) -> pd.DataFrame:
    """Return bars as traded: closes in cents, and a range around each as wide as a usual day."""
    close, factor = adjusted.to_numpy(float).round(2), np.ones(len(adjusted))
    for at in range(len(close) - 1, 0, -1):
        day = f"{adjusted.index[at]:%Y-%m-%d}"
        dividend, ratio = dividends.get(day, 0.0), splits.get((symbol, day), 1.0)
        close[at - 1] = round((adjusted.iloc[at - 1] / factor[at] + dividend) * ratio, 2)
        factor[at - 1] = factor[at] * (1 - dividend / close[at - 1]) / ratio
    width = np.random.default_rng(len(symbol)).uniform(0.002, 0.012, (2, len(close)))
    return pd.DataFrame(
        {
            "symbol": symbol,
            "date": adjusted.index,
            "open": close,
            "high": (close * (1 + width[0])).round(2),
            "low": (close * (1 - width[1])).round(2),
            "close": close,
            "volume": 1_000_000,
            "adj_close": (close * factor).round(4),
        }
    )


REAL_SPLITS = [("2018-03-01", "BF-B", 1.25), ("2018-12-11", "ROL", 1.5), ("2020-12-11", "ROL", 1.5)]
"""Every split in the optional data set, as the companies published them."""

DECLARED = {
    "JPM": {"2017-07-03": 0.50, "2017-10-05": 0.56, "2018-10-04": 0.80, "2019-10-03": 0.90},
    "XOM": {"2017-05-10": 0.77, "2018-05-11": 0.82, "2019-05-10": 0.87},
    "V": {"2017-05-17": 0.165, "2018-05-17": 0.21, "2020-02-13": 0.30},
}
"""Dividends per share as the companies declared them, by ex-day."""


@cache
def read_real() -> TradedMarket:
    """Read five years of 14 symbols, of which five quarterly payers have 20 ex-days each."""
    rows = pd.read_parquet(SHARED_DATA / "prices_raw_and_adjusted.parquet")
    rows = rows.assign(date=pd.to_datetime(rows["date"]))
    counts = dict.fromkeys(("AEP", "JPM", "PG", "V", "XOM"), 20) | {"TLT": 60, "AMZN": 0, "GOOG": 0}
    left_out = {"TLT", "CARR", "ROL", "BF-B", "IVV"}
    payers = sorted(set(rows["symbol"]) - left_out)
    return TradedMarket(rows, REAL_SPLITS, DECLARED, counts, payers, "IVV")


EVERY_TRADED_MARKET = [
    pytest.param(build_from_sample, id="sample"),
    pytest.param(read_real, id="real", marks=needs_shared_data),
]
"""Readers of the markets, as parameters of a test or a fixture."""
