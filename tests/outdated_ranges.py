"""The range of sessions that is marked as outdated."""

from datetime import date

import sqlalchemy as sa

from riskmetrics.db.outdated_results import read_outdated


def read_outdated_range(connection: sa.Connection) -> tuple[date, date] | None:
    """Return the first and the last session with outdated results, or None."""
    found = read_outdated(connection)
    return found and (found.first, found.last)
