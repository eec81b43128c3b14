"""Clocks that stand still: no session closes, and no day ends, between two readings of a test."""

from datetime import UTC, date, datetime, tzinfo

from riskmetrics import trading_calendar


def stopped_clock(moment: datetime) -> type[datetime]:
    """Return the class `datetime` with one present: ``moment`` (timezone-aware)."""

    class StoppedClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return moment.astimezone(tz)

    return StoppedClock


def stopped_date(day: date) -> type[date]:
    """Return the class `date` with one today: ``day``."""

    class StoppedDate(date):
        @classmethod
        def today(cls) -> date:
            return day

    return StoppedDate


def calendar_present() -> datetime:
    """Return what the trading calendar takes for the present."""
    clock: type[datetime] = vars(trading_calendar)["datetime"]
    return clock.now(UTC)


def stop_calendar(moment: datetime) -> None:
    """Let the trading calendar of this process take ``moment`` for the present."""
    vars(trading_calendar)["datetime"] = stopped_clock(moment)
