"""Write the file of closed days of the installed exchange_calendars: run it after an upgrade."""

from collections import defaultdict
from datetime import date
from importlib.metadata import version

import pandas as pd

from riskmetrics import trading_calendar

LAST = date(2040, 12, 31)
"""Last day of the file; a schedule that goes on beyond it is computed."""


def describe_closed_days() -> str:
    """Return a line per year: closed weekdays, and early closes with their time in New York."""
    sessions, closes = trading_calendar.compute_schedule(LAST)
    closed = pd.bdate_range(trading_calendar.FIRST_SESSION, LAST).difference(sessions)
    local = closes.dt.tz_convert("America/New_York")
    early = local[local.dt.strftime("%H:%M") != "16:00"]
    by_year: dict[int, list[str]] = defaultdict(list)
    for day in closed:
        by_year[day.year].append(f"{day:%m-%d}")
    for time in early:
        by_year[time.year].append(f"{time:%m-%dT%H:%M}")
    lines = (f"{year} {' '.join(sorted(days))}" for year, days in sorted(by_year.items()))
    return "\n".join([f"exchange_calendars {version('exchange_calendars')}", *lines, ""])


if __name__ == "__main__":
    trading_calendar.CLOSED_DAYS_FILE.write_text(describe_closed_days())
