"""Protocol of market data sources, and the definition by which one is opened."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from riskmetrics.errors import ConfigurationError
from riskmetrics.settings import Settings

if TYPE_CHECKING:
    # these import requests and pyarrow, which a command without a source does not need
    from riskmetrics.sources.row_validation import ParseResult
    from riskmetrics.sources.vendor_rows import Constituent, Profile, SectorWeight, ValidatedRows

MAX_NAME_LENGTH = 16
"""Length of the columns `vendor_quotas.vendor` and `vendor_responses.vendor`, in characters."""


class Capability(StrEnum):
    """Kind of data that a source may provide."""

    PRICES = "prices"
    PROFILES = "profiles"
    CONSTITUENTS = "constituents"
    SECTOR_WEIGHTS = "sector weights"


class SourceLimits(NamedTuple):
    """Limits of the calls to a source, by all processes together; None: no such limit."""

    calls_per_minute: int
    calls_per_day: int | None
    calls_per_hour: int | None = None


class MarketDataSource(Protocol):
    """An open source of market data; only the methods of its capabilities are called.

    Methods raise a `SourceError` if a request fails, `AuthenticationError` if every request would.
    They are called from several threads. Symbols are in normal form (`symbols.normalize_symbol`).
    """

    def fetch_prices(self, symbol: str, first: date, last: date) -> "ParseResult":
        """Fetch the daily prices of a symbol, in the format of `files.read_prices`.

        ``close`` is adjusted for splits only, ``adj_close`` for splits and dividends, both as of
        the day of the request.

        Parameters
        ----------
        symbol : str
            Normalized symbol.
        first, last : date
            First and last day, inclusive.

        Returns
        -------
        ParseResult
            Without rows if the source does not know the symbol, has no price in the range, or has
            only rows that are rejected.
        """
        raise _not_provided(self, f"prices of {symbol} from {first} to {last}")

    def fetch_profile(self, symbol: str) -> "ValidatedRows[Profile]":
        """Fetch the profile of a symbol: one row, or none if the symbol is unknown."""
        raise _not_provided(self, f"profile of {symbol}")

    def fetch_constituents(self) -> "ValidatedRows[Constituent]":
        """Fetch the constituents of the S&P 500, without duplicates."""
        raise _not_provided(self, "constituents")

    def fetch_sector_weights(self, fund: str) -> "ValidatedRows[SectorWeight]":
        """Fetch the sector weights of a fund, in percent; cash is excluded from their sum."""
        raise _not_provided(self, f"sector weights of {fund}")


def _not_provided(source: MarketDataSource, what: str) -> NotImplementedError:
    return NotImplementedError(f"{type(source).__name__} provides no {what}")


OpenSource = Callable[
    [Settings, Callable[[], None], Callable[[str], None]], AbstractContextManager[MarketDataSource]
]
"""Opens a source: settings, a function to call before every request, and one to report waits."""


@dataclass(frozen=True)
class SourceDefinition:
    """Name, capabilities and limits of a source, and how it is opened."""

    name: str
    """Name in messages and in data_source, at most 16 characters."""
    capabilities: frozenset[Capability]
    limits: Callable[[Settings], SourceLimits]
    open: OpenSource
    find_problem: Callable[[Settings], str | None] = lambda _: None
    """Return what keeps the source from being opened, such as a missing key, or None."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError for a name that its columns cannot store."""
        if not 0 < len(self.name) <= MAX_NAME_LENGTH:
            raise ConfigurationError(
                f"the name of the data source {self.name!r} must have 1 to {MAX_NAME_LENGTH}"
                " characters"
            )
