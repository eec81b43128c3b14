"""Errors raised on purpose, each one sentence: what, where, what to do.

RiskmetricsError             exit 1
├── UsageError               exit 2  what was asked for cannot be asked
│   └── InvalidSession       a day that is not an exchange session that has ended
├── DataQualityError         exit 3  the data do not allow an answer
│   ├── MissingPrices        required closes are not in the database
│   └── RefusedFit           a calibration that would not be safe to forecast with
├── SourceError              exit 5  a vendor did not answer as its contract says
│   ├── Unreachable          no connection, no answer in time, one that broke off, a fault of the server
│   │   └── TimeLimitError    the time that a call or a run may take is used up
│   ├── BadAnswer            an answer that does not fit
│   ├── RateLimited          no more calls for now
│   ├── UnknownSymbol        exit 3  the vendor has nothing on it
│   ├── NotInPlan            exit 6  the vendor has it, and not for this key
│   └── KeyRefused           exit 6  the vendor does not know the key
├── AlertNotSent             exit 5  nobody could be told
├── ConfigurationError       exit 6  settings that cannot work
└── DatabaseError            exit 6  the database cannot be reached or used
    └── SchemaError          its schema is not one this version can use

A run that is done but for some of its input ends with PARTIAL.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

PARTIAL = 4
"""Exit code of a run that went well with what could be fetched, and lacks some."""


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


class SourceError(RiskmetricsError):
    """A vendor did not answer as its contract says; the text never holds its key.

    Attributes
    ----------
    again : bool
        Asking the same again at once may succeed.
    closes : str
        What need not be asked any more in this run: nothing, the endpoint, or the vendor at all.
    retry_after : str or None
        When to ask again, as the vendor's header says.
    """

    exit_code = 5
    again = False
    closes: Literal["", "endpoint", "vendor"] = ""
    retry_after: str | None = None


class Unreachable(SourceError):
    """No connection, no answer in time, one that broke off, or a fault of the server."""

    again = True

    def __init__(self, sentence: str, retry_after: str | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class TimeLimitError(Unreachable):
    """The time that a call, or a run with all its calls, may take is used up."""

    again = False

    def __init__(self, sentence: str, *, whole_run: bool = False) -> None:
        super().__init__(sentence)
        self.closes = "vendor" if whole_run else ""


class BadAnswer(SourceError):
    """An answer that is not what the vendor documents; one that broke off may come whole the next time."""

    def __init__(self, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.again = again


class RateLimited(SourceError):
    """No more calls for now; ``passing``: a minute may be enough to wait."""

    closes = "vendor"

    def __init__(self, sentence: str, *, passing: bool = False, retry_after: str | None = None) -> None:
        super().__init__(sentence)
        self.passing, self.retry_after, self.again = passing, retry_after, retry_after is not None


class UnknownSymbol(SourceError):
    """The vendor answers that there is nothing on a symbol."""

    exit_code = 3


class NotInPlan(SourceError):
    """What was asked is not for this key: the symbol, or the whole endpoint."""

    exit_code = 6

    def __init__(self, sentence: str, *, endpoint: bool = False) -> None:
        super().__init__(sentence)
        self.closes = "endpoint" if endpoint else ""


class KeyRefused(SourceError):
    """The vendor does not know the key."""

    exit_code = 6
    closes = "vendor"


class AlertNotSent(RiskmetricsError):
    """A webhook or a mail server did not take an alert; ``taken_by`` are the channels that did."""

    exit_code = 5

    def __init__(self, sentence: str, taken_by: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.taken_by = taken_by


class ConfigurationError(RiskmetricsError):
    """Settings that cannot work."""

    exit_code = 6


class DatabaseError(RiskmetricsError):
    """The database cannot be reached, started or used."""

    exit_code = 6


class SchemaError(DatabaseError):
    """The database's schema is not one that this version of riskmetrics can use."""
