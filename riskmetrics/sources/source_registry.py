"""Definitions of the data sources that are built in or installed.

A package adds a source by an entry point of the group ``riskmetrics.sources`` that names a
`SourceDefinition`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from riskmetrics.errors import ConfigurationError
from riskmetrics.settings import Settings
from riskmetrics.size_limits import MEGABYTE
from riskmetrics.sources.market_data_source import (
    Capability,
    MarketDataSource,
    SourceDefinition,
    SourceLimits,
)
from riskmetrics.text import describe_extra

if TYPE_CHECKING:
    # this imports requests, which a command without a source does not need
    from riskmetrics.sources.request_policy import CallLimits

ENTRY_POINT_GROUP = "riskmetrics.sources"


def configured_definitions(settings: Settings) -> tuple[SourceDefinition, ...]:
    """Return the definitions of the configured sources, in order of preference.

    Raises
    ------
    ConfigurationError
        If a source is not installed, or its key is missing.
    """
    definitions = tuple(map(_load_definition, settings.source_names))
    for definition in definitions:
        if problem := definition.find_problem(settings):
            raise ConfigurationError(f"the data source {definition.name} cannot be used: {problem}")
    return definitions


def require_known_sources(settings: Settings) -> None:
    """Raise ConfigurationError if a configured source is not installed; keys are not checked."""
    for name in settings.source_names:
        _load_definition(name)


def _load_definition(key: str) -> SourceDefinition:
    """Return the definition of a built-in source, or of one that a package adds."""
    if key in BUILT_IN_SOURCES:
        return BUILT_IN_SOURCES[key]
    installed = {point.name.lower(): point for point in entry_points(group=ENTRY_POINT_GROUP)}
    if key not in installed:
        known = ", ".join([*BUILT_IN_SOURCES, *sorted(installed), "none"])
        raise ConfigurationError(
            f"RISKMETRICS_SOURCE names {key}, which is not installed. Known sources: {known}"
        )
    definition = installed[key].load()
    if not isinstance(definition, SourceDefinition):
        raise ConfigurationError(
            f"the entry point {key} of {ENTRY_POINT_GROUP} is not a SourceDefinition. Update or"
            " remove the package that defines it"
        )
    return definition


@contextmanager
def _open_fmp(
    settings: Settings, wait_for_quota: Callable[[], None], on_wait: Callable[[str], None]
) -> Iterator[MarketDataSource]:
    from riskmetrics.sources.fmp import FmpClient
    from riskmetrics.sources.vendor_http import VendorHttpClient

    address = settings.fmp_url.rstrip("/").removesuffix("/stable")
    assert settings.fmp_api_key is not None  # noqa: S101  # by find_problem
    key = settings.fmp_api_key.get_secret_value()
    limits = _call_limits(settings, settings.fmp_call_seconds, settings.fmp_run_seconds)
    with VendorHttpClient(address, key, wait_for_quota, limits=limits, on_wait=on_wait) as http:
        yield FmpClient(http)


@contextmanager
def _open_tiingo(
    settings: Settings, wait_for_quota: Callable[[], None], on_wait: Callable[[str], None]
) -> Iterator[MarketDataSource]:
    from riskmetrics.sources.tiingo import TiingoClient
    from riskmetrics.sources.vendor_http import VendorHttpClient

    assert settings.tiingo_api_key is not None  # noqa: S101  # by find_problem
    key = settings.tiingo_api_key.get_secret_value()
    limits = _call_limits(settings, settings.tiingo_call_seconds, settings.tiingo_run_seconds)
    with VendorHttpClient(
        settings.tiingo_url,
        key,
        wait_for_quota,
        setting_prefix="RISKMETRICS_TIINGO",
        key_scheme="Token",
        limits=limits,
        on_wait=on_wait,
    ) as http:
        yield TiingoClient(http)


@contextmanager
def _open_yahoo(
    settings: Settings, wait_for_quota: Callable[[], None], on_wait: Callable[[str], None]
) -> Iterator[MarketDataSource]:
    from riskmetrics.sources.yahoo import YahooClient
    from riskmetrics.sources.yahoo_session import YahooSession

    limits = _call_limits(settings, settings.yahoo_call_seconds, settings.yahoo_run_seconds)
    with YahooSession(
        settings.yahoo_url, wait_for_quota, limits=limits, on_wait=on_wait
    ) as session:
        yield YahooClient(session, settings.home_directory / "yahoo")


def _call_limits(settings: Settings, call_seconds: float, run_seconds: float) -> "CallLimits":
    from riskmetrics.sources.request_policy import CallLimits

    return CallLimits(settings.max_answer_mb * MEGABYTE, call_seconds, run_seconds)


def _find_yahoo_problem(_: Settings) -> str | None:
    from importlib.util import find_spec

    if find_spec("yfinance") is None:
        return f"yfinance is not installed: {describe_extra('yahoo')}"
    return None


BUILT_IN_SOURCES = {
    "fmp": SourceDefinition(
        "FMP",
        frozenset(Capability),
        lambda settings: SourceLimits(settings.fmp_calls_per_minute, settings.fmp_calls_per_day),
        _open_fmp,
        lambda settings: None if settings.fmp_api_key else "FMP_API_KEY is not set",
    ),
    "yahoo": SourceDefinition(
        "Yahoo",
        frozenset({Capability.PRICES, Capability.PROFILES, Capability.SECTOR_WEIGHTS}),
        lambda settings: SourceLimits(
            settings.yahoo_calls_per_minute, settings.yahoo_calls_per_day
        ),
        _open_yahoo,
        _find_yahoo_problem,
    ),
    "tiingo": SourceDefinition(
        "Tiingo",
        frozenset({Capability.PRICES}),
        lambda settings: SourceLimits(
            settings.tiingo_calls_per_minute,
            settings.tiingo_calls_per_day,
            settings.tiingo_calls_per_hour,
        ),
        _open_tiingo,
        lambda settings: (
            None if settings.tiingo_api_key else "RISKMETRICS_TIINGO_API_KEY is not set"
        ),
    ),
}
"""Definitions of the built-in sources by their name in RISKMETRICS_SOURCE."""
