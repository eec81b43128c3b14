"""Open data sources with their rate limits, and concurrent requests to them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from riskmetrics.db import vendor
from riskmetrics.errors import AuthenticationError, SourceError
from riskmetrics.settings import Settings
from riskmetrics.sources.market_data_source import Capability, MarketDataSource, SourceDefinition
from riskmetrics.sources.source_registry import configured_definitions

NO_SOURCE_WARNING = (
    "no data source is configured (FMP_API_KEY is not set, RISKMETRICS_SOURCE names none); using"
    " imported data only"
)

T = TypeVar("T")


class VendorClient(NamedTuple):
    """An open data source, and the database that its data is stored in."""

    engine: sa.Engine
    api: MarketDataSource
    definition: SourceDefinition
    calls_per_day: int | None

    @property
    def name(self) -> str:
        """Return the name of the source, in data_source and in messages."""
        return self.definition.name

    def has(self, capability: Capability) -> bool:
        """Return whether the source provides a kind of data."""
        return capability in self.definition.capabilities


class RefreshResult(NamedTuple):
    """Result of fetching missing data.

    ``errors`` has the error of each symbol (or benchmark code) whose data is still missing;
    ``warnings`` are messages for the user.
    """

    api_calls: int = 0
    errors: dict[str, SourceError] = {}  # noqa: RUF012  # never changed
    warnings: tuple[str, ...] = ()


@contextmanager
def open_vendor_clients(
    engine: sa.Engine, settings: Settings, on_wait: Callable[[str], None]
) -> Iterator[tuple[VendorClient, ...]]:
    """Yield the configured sources in order of preference; ``on_wait`` reports long waits.

    Raises
    ------
    ConfigurationError
        If a configured source is not installed, or its key is missing.
    """
    with ExitStack() as stack:
        clients = []
        for definition in configured_definitions(settings):
            limits = definition.limits(settings)
            wait_for_quota = partial(vendor.wait_for_quota, engine, definition.name, *limits)
            api = stack.enter_context(definition.open(settings, wait_for_quota, on_wait))
            clients.append(VendorClient(engine, api, definition, limits.calls_per_day))
        yield tuple(clients)


def fetch_concurrently(
    symbols: Iterable[str], fetch: Callable[[str], T]
) -> tuple[dict[str, T], dict[str, SourceError]]:
    """Fetch several symbols concurrently; return the result, or else the error, of each symbol.

    Parameters
    ----------
    symbols : iterable of str
        Symbols to fetch.
    fetch : callable
        Fetches one symbol, or raises SourceError.

    Raises
    ------
    AuthenticationError
        If any symbol fails with it, because all others would fail too.
    """
    from riskmetrics.sources.vendor_http import CONCURRENCY  # imports requests

    pool = ThreadPoolExecutor(CONCURRENCY)
    try:
        futures = {symbol: pool.submit(fetch, symbol) for symbol in symbols}
        exceptions = {symbol: future.exception() for symbol, future in futures.items()}
    finally:
        # Ctrl-C waits for the calls in progress, not for those still queued
        pool.shutdown(cancel_futures=True)
    if authentication_error := next(
        (error for error in exceptions.values() if isinstance(error, AuthenticationError)), None
    ):
        raise authentication_error
    errors = {
        symbol: error for symbol, error in exceptions.items() if isinstance(error, SourceError)
    }
    return {
        symbol: future.result() for symbol, future in futures.items() if symbol not in errors
    }, errors
