"""Replace the stored price history of a symbol by that of a source, on request."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.db import (
    changed_returns,
    input_writes,
    outdated_results,
    stored_prices,
    used_closes,
    vendor,
    write,
)
from riskmetrics.errors import ConfigurationError, DataQualityError, UnknownSymbolError, UsageError
from riskmetrics.ingest import prices
from riskmetrics.ingest.vendor_client import VendorClient
from riskmetrics.sources.market_data_source import Capability


class ReplacedHistory(NamedTuple):
    """Closes before and after, and the first and last session of the new history."""

    removed: int
    stored: int
    first: date
    last: date
    warnings: tuple[str, ...] = ()
    """Results that are outdated by it."""


def choose_source(clients: Sequence[VendorClient], name: str) -> VendorClient:
    """Return the first source that has prices, or the one named.

    Raises
    ------
    ConfigurationError
        If no source with prices is configured.
    UsageError
        If no configured source with prices has the name.
    """
    usable = [client for client in clients if client.has(Capability.PRICES)]
    if not usable:
        raise ConfigurationError(
            "no data source is configured that has prices. Set RISKMETRICS_SOURCE or FMP_API_KEY,"
            " or import the whole history with `riskmetrics import prices FILE`"
        )
    named = [client for client in usable if name.casefold() in ("", client.name.casefold())]
    if not named:
        known = ", ".join(client.name for client in usable)
        raise UsageError(f"--source {name} is not one of the configured sources: {known}")
    return named[0]


def replace_history(
    client: VendorClient, symbol: str, *, is_shorter_accepted: bool
) -> ReplacedHistory:
    """Fetch the whole history of a symbol, and store it instead of the stored one.

    Raises
    ------
    UnknownSymbolError
        If the source has no price of the symbol.
    DataQualityError
        If the new history starts or ends within the stored one, unless that is accepted.
    SourceError
        If the request fails.
    """
    last = trading_calendar.last_completed_session()
    with client.engine.connect() as connection:
        spans = prices.spans(stored_prices.read_price_coverage(connection, [symbol]))
    start = trading_calendar.previous_session(last, prices.HISTORY_SESSIONS)
    first = min(start, spans[symbol][0]) if symbol in spans else start
    fetched = prices.fetch(client, symbol, first, last)
    if fetched.rows.empty:
        raise UnknownSymbolError(f"{client.name} has no price of {symbol}. Check the symbol")
    new = min(fetched.rows["date"]), max(fetched.rows["date"])
    if symbol in spans and not is_shorter_accepted:
        stored = spans[symbol]
        if new[0] > stored[0] or new[1] < stored[1]:
            raise DataQualityError(
                f"{client.name} has prices of {symbol} from {new[0]} to {new[1]}, and prices from"
                f" {stored[0]} to {stored[1]} are stored. To replace them, pass --shorten"
            )
    with client.engine.begin() as connection:
        write.lock_asset(connection, prices.KIND)
        used = used_closes.read_used_closes(connection)
        changed = outdated_results.find_changed_closes(connection, fetched.rows, used)
        returns = changed_returns.find_changed_returns(connection, fetched.rows, used)
        history = stored_prices.read_price_history(connection, symbol)
        lost = {*pd.DatetimeIndex(history["date"]).date} - {*fetched.rows["date"]}
        removed = input_writes.delete_prices(connection, symbol)
        input_writes.store_prices(connection, fetched.rows, client.name)
        warnings = [
            *outdated_results.record_changed_closes(connection, changed),
            *outdated_results.record_missing_closes(connection, symbol, lost, used),
            *changed_returns.record_changed_returns(connection, returns, used),
        ]
        if warnings and (outdated := outdated_results.read_outdated(connection)):
            warnings.append(outdated_results.describe_outdated(outdated))
        vendor.record_answer(connection, client.name, prices.KIND, symbol, first_day=first)
    return ReplacedHistory(removed, len(fetched.rows), *new, tuple(warnings))
