"""The vendor with its quota, and questions to it side by side."""

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
    from riskmetrics.sources.fmp import (
        FmpClient,
    )  # with requests, a tenth of a second that runs without a key do not need

VENDOR = "FMP"
"""Its name, in data_source and in sentences."""

NO_API_KEY_WARNING = "FMP_API_KEY is not set: what was imported is used"

T = TypeVar("T")


class VendorClient(NamedTuple):
    """A vendor that may be asked, and the database that its answers go to."""

    engine: sa.Engine
    api: "FmpClient"
    calls_per_day: int | None


class RefreshResult(NamedTuple):
    """What became of asking for what was missing.

    ``errors`` are by symbol (or code of a benchmark) and mean that something is still missing;
    ``warnings`` are for people.
    """

    api_calls: int = 0
    errors: dict[str, SourceError] = {}  # noqa: RUF012  # never changed
    warnings: tuple[str, ...] = ()


@contextmanager
def open_vendor_client(
    engine: sa.Engine, settings: Settings, on_wait: Callable[[str], None]
) -> Iterator[VendorClient | None]:
    """Yield the vendor, or None where no key is set; ``on_wait`` is called before long waits."""
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
    """Ask for several symbols at once; returns what came of each, and the errors of those of which nothing came.

    Raises
    ------
    AuthenticationError
        If that is one of them: none of the others can be had either.
    """
    from riskmetrics.sources.vendor_http import CONCURRENCY

    pool = ThreadPoolExecutor(CONCURRENCY)
    try:
        futures = {symbol: pool.submit(fetch, symbol) for symbol in symbols}
        exceptions = {symbol: future.exception() for symbol, future in futures.items()}
    finally:
        pool.shutdown(
            cancel_futures=True
        )  # Ctrl-C waits for the calls under way, not for hundreds that are not
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
