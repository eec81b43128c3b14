"""Company profiles: what a symbol is, asked once a week."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from riskmetrics.db import imports, vendor
from riskmetrics.errors import SourceError
from riskmetrics.ingest.feed import NO_KEY, VENDOR, Feed, Refreshed, side_by_side
from riskmetrics.text import name_some

if TYPE_CHECKING:
    from riskmetrics.sources.fmp import Found, Profile

FRESH = timedelta(days=7)
"""How long an answer stands before it is asked for again."""

_BATCH = 40
"""Profiles that are stored together: an interruption loses no more."""

KIND = "profile"


def due(connection: sa.Connection, symbols: Iterable[str]) -> list[str]:
    """Return the symbols whose profile was not answered within the week, sorted."""
    names = sorted(set(symbols))
    answers = vendor.answers(connection, VENDOR, KIND, names)
    stale = datetime.now(UTC) - FRESH
    return [symbol for symbol in names if symbol not in answers or answers[symbol].at < stale]


def refresh(feed: Feed | None, symbols: Iterable[str]) -> Refreshed:
    """Fetch and store the profiles that are due; a symbol that the vendor does not know is a note, what fails is a problem.

    What an answer lacks stays as it is stored.
    """
    if feed is None:
        return Refreshed(notes=(NO_KEY,))
    with feed.engine.connect() as connection:
        asked = due(connection, symbols)
    problems: dict[str, SourceError] = {}
    unknown: list[str] = []
    for start in range(0, len(asked), _BATCH):
        found, failed = side_by_side(asked[start : start + _BATCH], feed.fmp.profile)
        problems |= failed
        _store(feed, found)
        unknown += [symbol for symbol, answer in found.items() if not answer.rows]
    notes = (f"{VENDOR} has no profile of {name_some(unknown)}: imported profiles are used",) if unknown else ()
    return Refreshed(len(asked), problems, notes)


def _store(feed: Feed, found: "dict[str, Found[Profile]]") -> None:
    from riskmetrics.sources.fmp import profile_rows

    profiles = [answer.rows[0] for answer in found.values() if answer.rows]
    with feed.engine.begin() as connection:
        imports.reject(connection, KIND, VENDOR, [row for answer in found.values() for row in answer.rejected])
        if profiles:
            imports.profiles(connection, profile_rows(profiles).assign(last_updated=datetime.now(UTC)), VENDOR)
        for symbol, answer in found.items():
            vendor.answered(connection, VENDOR, KIND, symbol, problem=None if answer.rows else "no row that fits")
