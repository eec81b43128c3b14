"""Company profiles from the vendor, refreshed once a week."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from riskmetrics.db import input_writes, vendor
from riskmetrics.errors import SourceError
from riskmetrics.ingest.vendor_client import (
    NO_SOURCE_WARNING,
    RefreshResult,
    VendorClient,
    fetch_concurrently,
)
from riskmetrics.text import join_names

if TYPE_CHECKING:
    from riskmetrics.sources.vendor_rows import Profile, ValidatedRows

MAX_AGE = timedelta(days=7)
"""Age after which a profile is fetched again."""

_BATCH_SIZE = 40
"""Profiles per transaction, and so the most that an interruption loses."""

KIND = "profile"


def symbols_due(connection: sa.Connection, source: str, symbols: Iterable[str]) -> list[str]:
    """Return the symbols whose profile was not requested from a source in the past week, sorted."""
    names = sorted(set(symbols))
    answers = vendor.read_answers(connection, source, KIND, names)
    stale = datetime.now(UTC) - MAX_AGE
    return [
        symbol for symbol in names if symbol not in answers or answers[symbol].received_at < stale
    ]


def refresh(client: VendorClient | None, symbols: Iterable[str]) -> RefreshResult:
    """Fetch and store the profiles that are due; unknown symbols give a warning, failures an error.

    A field that is missing in the response keeps its stored value.
    """
    if client is None:
        return RefreshResult(warnings=(NO_SOURCE_WARNING,))
    with client.engine.connect() as connection:
        requested = symbols_due(connection, client.name, symbols)
    errors: dict[str, SourceError] = {}
    unknown: list[str] = []
    for start in range(0, len(requested), _BATCH_SIZE):
        responses, fetch_errors = fetch_concurrently(
            requested[start : start + _BATCH_SIZE], client.api.fetch_profile
        )
        errors |= fetch_errors
        _store(client, responses)
        unknown += [symbol for symbol, response in responses.items() if not response.rows]
    warnings = (
        (f"{client.name} has no profile of {join_names(unknown)}; using imported profiles",)
        if unknown
        else ()
    )
    return RefreshResult(len(requested), errors, warnings)


def _store(client: VendorClient, responses: "dict[str, ValidatedRows[Profile]]") -> None:
    from riskmetrics.sources.vendor_rows import profiles_to_frame

    profiles = [response.rows[0] for response in responses.values() if response.rows]
    with client.engine.begin() as connection:
        input_writes.store_rejected_rows(
            connection,
            KIND,
            client.name,
            [row for answer in responses.values() for row in answer.rejected],
        )
        if profiles:
            input_writes.store_profiles(
                connection,
                profiles_to_frame(profiles).assign(last_updated=datetime.now(UTC)),
                client.name,
            )
        for symbol, answer in responses.items():
            vendor.record_answer(
                connection,
                client.name,
                KIND,
                symbol,
                problem=None if answer.rows else "no valid row",
            )
