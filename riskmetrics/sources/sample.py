"""The bundled sample data: five years of real closes and three portfolios.

Read in the same way as the files of a user. Source and license: ``sample/README.md``.
"""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from riskmetrics.sources.brokers import read_portfolio
from riskmetrics.sources.files import read_benchmark, read_prices, read_profiles
from riskmetrics.sources.row_validation import ParseResult

FOLDER = Path(__file__).parent / "sample"
MARKET_INDEX = "SPX"
"""Market index of the sample, which contains the index itself instead of SPY."""
FIRST_SESSION = date(2017, 12, 1)
LAST_SESSION = date(2022, 12, 28)
_EQUITY = {
    "Core Equity": Decimal(195_000),
    "Concentrated": Decimal(68_000),
    "Long-Short": Decimal(125_000),
}
PORTFOLIO_NAMES = tuple(_EQUITY)


class SamplePortfolio(NamedTuple):
    """A sample portfolio: holdings, and equity (net value plus cash, dollars) on a session."""

    name: str
    equity: Decimal
    as_of: date
    holdings: ParseResult


def prices() -> ParseResult:
    """Return closes of 26 symbols, adjusted for splits and dividends, for every sample session."""
    return read_prices(FOLDER / "prices.csv.gz")


def profiles() -> ParseResult:
    """Return name, asset type and GICS sector of the 26 symbols."""
    return read_profiles(FOLDER / "profiles.csv")


def benchmark() -> ParseResult:
    """Return S&P 500 sector weights on 2021-12-31."""
    return read_benchmark(FOLDER / "benchmark.csv")


def portfolios() -> list[SamplePortfolio]:
    """Return a long-only, a concentrated and a long-short portfolio."""
    return [
        SamplePortfolio(
            name,
            equity,
            LAST_SESSION,
            read_portfolio(FOLDER / f"{re.sub('[ -]', '_', name.lower())}.csv", decimal="."),
        )
        for name, equity in _EQUITY.items()
    ]
