"""The vendor client with its rate limits, and concurrent requests to it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import sqlalchemy as sa

from riskmetrics.db import vendor
from riskmetrics.errors import AuthenticationError, SourceError
from riskmetrics.limits import MEGABYTE
from riskmetrics.settings import Settings

if TYPE_CHECKING:
    # imports requests, which takes 0.1 s that a run without a key does not need
    from riskmetrics.sources.fmp import FmpClient

VENDOR = "FMP"
"""Name of the vendor, in data_source and in messages."""

NO_API_KEY_WARNING = "FMP_API_KEY is not set; using imported data only"

T = TypeVar("T")


class VendorClient(NamedTuple):
    """The API of the vendor, and the database that its data is stored in."""

    engine: sa.Engine
    api: "FmpClient"
    calls_per_day: int | None


class RefreshResult(NamedTuple):
    """Result of fetching missing data.

    ``errors`` has the error of each symbol (or benchmark code) whose data is still missing;
    ``warnings`` are messages for the user.
    """

    api_calls: int = 0
    errors: dict[str, SourceError] = {}  # noqa: RUF012  # never changed
    warnings: tuple[str, ...] = ()


@contextmanager
def open_vendor_client(
    engine: sa.Engine, settings: Settings, on_wait: Callable[[str], None]
) -> Iterator[VendorClient | None]:
    """Yield a vendor client, None if no key is set; ``on_wait`` is called before long waits."""
    if settings.fmp_api_key is None:
        yield None
        return
    from riskmetrics.sources.fmp import FmpClient
    from riskmetrics.sources.vendor_http import CallLimits, VendorHttpClient

    per_minute, per_day = settings.fmp_calls_per_minute, settings.fmp_calls_per_day
    address = settings.fmp_url.rstrip("/").removesuffix("/stable")
    key = settings.fmp_api_key.get_secret_value()
    limits = CallLimits(
        settings.max_answer_mb * MEGABYTE, settings.fmp_call_seconds, settings.fmp_run_seconds
    )

    def wait_for_quota() -> None:
        vendor.wait_for_quota(engine, VENDOR, per_minute, per_day)

    with VendorHttpClient(address, key, wait_for_quota, limits=limits, on_wait=on_wait) as http:
        yield VendorClient(engine, FmpClient(http), per_day)


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
    from riskmetrics.sources.vendor_http import CONCURRENCY

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
