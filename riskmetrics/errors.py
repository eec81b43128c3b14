"""Errors raised on purpose, each one sentence: what, where, what to do.

RiskmetricsError             exit 1
├── UsageError               exit 2  what was asked for cannot be asked
│   └── InvalidSession       a day that is not an exchange session that has ended
├── DataQualityError         exit 3  the data do not allow an answer
│   ├── MissingPrices        required closes are not in the database
│   └── RefusedFit           a calibration that would not be safe to forecast with
├── ConfigurationError       exit 6  settings that cannot work
└── DatabaseError            exit 6  the database cannot be reached or used
    └── SchemaError          its schema is not one this version can use
"""

from collections.abc import Sequence
from datetime import date


class RiskmetricsError(Exception):
    """Anything riskmetrics refuses or cannot do; the text is fit for a user."""

    exit_code = 1


class UsageError(RiskmetricsError):
    """What was asked for cannot be asked: wrong option, unknown name, impossible range."""

    exit_code = 2


class InvalidSession(UsageError):
    """A day, or a range of days, that is not made of exchange sessions that have ended."""


class DataQualityError(RiskmetricsError):
    """The data do not allow an answer."""

    exit_code = 3


class MissingPrices(DataQualityError):
    """A required symbol has no close on some sessions."""

    def __init__(self, symbol: str, days: Sequence[date]) -> None:
        shown = ", ".join(day.isoformat() for day in days[:5]) + (f" and {len(days) - 5} more" if len(days) > 5 else "")
        super().__init__(f"no close of {symbol} on {shown}: import it with `riskmetrics import prices FILE`")
        self.symbol, self.days = symbol, tuple(days)


class RefusedFit(DataQualityError):
    """A calibration that rests on too little, or whose coefficients would not be safe to forecast with."""


class ConfigurationError(RiskmetricsError):
    """Settings that cannot work."""

    exit_code = 6


class DatabaseError(RiskmetricsError):
    """The database cannot be reached, started or used."""

    exit_code = 6


class SchemaError(DatabaseError):
    """The database's schema is not one that this version of riskmetrics can use."""
