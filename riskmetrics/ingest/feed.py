"""The vendor with its quota, and questions to it side by side."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import sqlalchemy as sa

from riskmetrics.db import vendor
from riskmetrics.errors import KeyRefused, SourceError
from riskmetrics.limits import MEGABYTE
from riskmetrics.settings import Settings

if TYPE_CHECKING:
    from riskmetrics.sources.fmp import Fmp  # with requests, a tenth of a second that runs without a key do not need

VENDOR = "FMP"
"""Its name, in data_source and in sentences."""

NO_KEY = "FMP_API_KEY is not set: what was imported is used"

T = TypeVar("T")


class Feed(NamedTuple):
    """A vendor that may be asked, and the database that its answers go to."""

    engine: sa.Engine
    fmp: "Fmp"
    calls_per_day: int | None


class Refreshed(NamedTuple):
    """What became of asking for what was missing.

    ``problems`` are by symbol (or code of a benchmark) and mean that something is still missing; ``notes`` are for people.
    """

    asked: int = 0
    problems: dict[str, SourceError] = {}  # noqa: RUF012  # never changed
    notes: tuple[str, ...] = ()


@contextmanager
def open_feed(engine: sa.Engine, settings: Settings, tell: Callable[[str], None]) -> Iterator[Feed | None]:
    """Yield the vendor, or None where no key is set; ``tell`` is called before long waits."""
    if settings.fmp_api_key is None:
        yield None
        return
    from riskmetrics.sources.fmp import Fmp
    from riskmetrics.sources.http import Bounds, Http

    per_minute, per_day = settings.fmp_calls_per_minute, settings.fmp_calls_per_day
    address = settings.fmp_url.rstrip("/").removesuffix("/stable")
    key = settings.fmp_api_key.get_secret_value()
    bounds = Bounds(settings.max_answer_mb * MEGABYTE, settings.fmp_call_seconds, settings.fmp_run_seconds)

    def admit() -> None:
        vendor.admit(engine, VENDOR, per_minute, per_day)

    with Http(address, key, admit, bounds=bounds, tell=tell) as http:
        yield Feed(engine, Fmp(http), per_day)


def side_by_side(symbols: Iterable[str], ask: Callable[[str], T]) -> tuple[dict[str, T], dict[str, SourceError]]:
    """Ask for several symbols at once; returns what came of each, and the errors of those of which nothing came.

    Raises
    ------
    KeyRefused
        If that is one of them: none of the others can be had either.
    """
    from riskmetrics.sources.http import CONCURRENCY

    pool = ThreadPoolExecutor(CONCURRENCY)
    try:
        futures = {symbol: pool.submit(ask, symbol) for symbol in symbols}
        errors = {symbol: future.exception() for symbol, future in futures.items()}
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C waits for the calls under way, not for hundreds that are not
    if refused := next((error for error in errors.values() if isinstance(error, KeyRefused)), None):
        raise refused
    problems = {symbol: error for symbol, error in errors.items() if isinstance(error, SourceError)}
    return {symbol: future.result() for symbol, future in futures.items() if symbol not in problems}, problems
