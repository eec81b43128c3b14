"""Refresh data from several sources in order of preference: one that fails is followed by the next.

A symbol stays with the source that its stored prices are from, as long as that source answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from riskmetrics import trading_calendar
from riskmetrics.db import stored_prices, stored_settings, vendor
from riskmetrics.errors import EntitlementError, SourceError, UnknownSymbolError
from riskmetrics.ingest import prices, profiles
from riskmetrics.ingest.vendor_client import NO_SOURCE_WARNING, RefreshResult, VendorClient
from riskmetrics.sources.market_data_source import Capability
from riskmetrics.text import join_names


def refresh_prices(
    clients: Sequence[VendorClient], symbols: Mapping[str, date | None], days: Sequence[date]
) -> RefreshResult:
    """Fetch and store the missing prices of each symbol from the first source that has them.

    Parameters
    ----------
    clients : sequence of VendorClient
        Sources in order of preference; without one that has prices the result has a warning.
    symbols, days
        As in `prices.refresh`.

    Returns
    -------
    RefreshResult
        ``errors`` has the error of the preferred source for each symbol that no source has.
    """
    usable = _with_capability(clients, Capability.PRICES)
    if len(usable) < 2:
        client = usable[0] if usable else None
        if clients and not usable:
            return _no_capability(clients)
        return prices.refresh(client, symbols, days)
    with usable[0].engine.connect() as connection:
        owners = stored_prices.read_price_sources(connection, symbols)
    candidates = {
        symbol: sorted(usable, key=lambda client: client.name != owner)
        for symbol in symbols
        for owner in [owners[symbol].name if symbol in owners else None]
    }
    calls, warnings, failures = 0, list[str](), dict[str, list[tuple[str, SourceError]]]()
    resolved: dict[str, str] = {}
    pending = set(symbols)
    for place in range(len(usable)):
        for client in usable:
            requested = [
                symbol
                for symbol in symbols
                if symbol in pending and candidates[symbol][place] is client
            ]
            if not requested:
                continue
            result = prices.refresh(client, {symbol: symbols[symbol] for symbol in requested}, days)
            calls += result.api_calls
            warnings += result.warnings
            for symbol, error in result.errors.items():
                failures.setdefault(symbol, []).append((client.name, error))
            resolved |= {symbol: client.name for symbol in requested if symbol not in result.errors}
        pending = {symbol for symbol in pending if len(failures.get(symbol, ())) == place + 1}
    warnings += _describe_fallbacks(failures, resolved)
    errors = {symbol: failures[symbol][0][1] for symbol in symbols if symbol in pending}
    return RefreshResult(calls, errors, tuple(dict.fromkeys(warnings)))


def _describe_fallbacks(
    failures: Mapping[str, Sequence[tuple[str, SourceError]]], resolved: Mapping[str, str]
) -> list[str]:
    """Return a warning for each reason for which another source was used."""
    symbols_by_reason: dict[tuple[str, str], list[str]] = {}
    for symbol, failed in failures.items():
        used = resolved.get(symbol)
        # the first error of a symbol without prices is in the errors of the result
        for _, error in failed if used else failed[1:]:
            outcome = f"using {used}" if used else "no other source has it"
            symbols_by_reason.setdefault((str(error), outcome), []).append(symbol)
    return [
        f"{join_names(symbols)}: {reason} ({outcome})"
        for (reason, outcome), symbols in symbols_by_reason.items()
    ]


def refresh_market_index(clients: Sequence[VendorClient], override: str | None) -> tuple[str, ...]:
    """Update the market index to the last completed session; return warnings.

    Raises
    ------
    SourceError
        If the request fails. An unknown index, or one outside the plan, gives a warning, because it
        can be imported.
    """
    if not clients:
        return (NO_SOURCE_WARNING,)
    with clients[0].engine.connect() as connection:
        index = stored_settings.read_market_index(connection, override)
    result = refresh_prices(clients, {index: None}, [trading_calendar.last_completed_session()])
    for error in result.errors.values():
        if not isinstance(error, (EntitlementError, UnknownSymbolError)):
            raise error
    return (*result.warnings, *map(str, result.errors.values()))


def refresh_profiles(clients: Sequence[VendorClient], symbols: Iterable[str]) -> RefreshResult:
    """Fetch and store the profiles that are due, each from the first source that has it.

    Warnings are those of the last source that was called; errors are those of the preferred source
    for each symbol that no source has.
    """
    usable = _with_capability(clients, Capability.PROFILES)
    if not usable:
        return _no_capability(clients) if clients else profiles.refresh(None, symbols)
    result, calls, pending = RefreshResult(), 0, sorted(set(symbols))
    errors: dict[str, SourceError] = {}
    for client in usable:
        result = profiles.refresh(client, pending)
        calls += result.api_calls
        errors = {**result.errors, **errors}
        with client.engine.connect() as connection:
            answers = vendor.read_answers(connection, client.name, profiles.KIND, pending)
        unknown = {symbol for symbol, answer in answers.items() if answer.problem}
        pending = [symbol for symbol in pending if symbol in unknown | result.errors.keys()]
        if not pending:
            break
    failed = {symbol: errors[symbol] for symbol in pending if symbol in errors}
    return result._replace(api_calls=calls, errors=failed)


def _with_capability(clients: Sequence[VendorClient], capability: Capability) -> list[VendorClient]:
    return [client for client in clients if client.has(capability)]


def _no_capability(clients: Sequence[VendorClient]) -> RefreshResult:
    names = join_names([client.name for client in clients])
    return RefreshResult(
        warnings=(
            f"{names} provides no data of this kind; using imported data. Add a source that does to"
            " RISKMETRICS_SOURCE, such as yahoo",
        )
    )
