"""Errors raised on purpose, each one sentence: what, where, what to do.

RiskmetricsError             exit 1
├── UsageError               exit 2  what was asked for cannot be asked
│   └── InvalidSessionError  a day that is not an exchange session that has ended
├── DataQualityError         exit 3  the data do not allow an answer
│   ├── MissingPricesError   required closes are not in the database
│   └── CalibrationRejectedError  a calibration that would not be safe to forecast with
├── SourceError              exit 5  a vendor did not answer as its contract says
│   ├── VendorUnavailableError  no connection, no answer in time, one that broke off, a fault of the server
│   │   └── TimeLimitError    the time that a call or a run may take is used up
│   ├── InvalidResponseError  an answer that does not fit
│   ├── RateLimitError       no more calls for now
│   ├── UnknownSymbolError   exit 3  the vendor has nothing on it
│   ├── EntitlementError     exit 6  the vendor has it, and not for this key
│   └── AuthenticationError  exit 6  the vendor does not know the key
├── AlertDeliveryError       exit 5  nobody could be told
├── ConfigurationError       exit 6  settings that cannot work
└── DatabaseError            exit 6  the database cannot be reached or used
    └── SchemaError          its schema is not one this version can use

A run that is done but for some of its input ends with PARTIAL_EXIT_CODE.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

PARTIAL_EXIT_CODE = 4
"""Exit code of a run that went well with what could be fetched, and lacks some."""


class RiskmetricsError(Exception):
    """Anything riskmetrics refuses or cannot do; the text is fit for a user."""

    exit_code = 1


class UsageError(RiskmetricsError):
    """What was asked for cannot be asked: wrong option, unknown name, impossible range."""

    exit_code = 2


class InvalidSessionError(UsageError):
    """A day, or a range of days, that is not made of exchange sessions that have ended."""


class DataQualityError(RiskmetricsError):
    """The data do not allow an answer."""

    exit_code = 3


class MissingPricesError(DataQualityError):
    """A required symbol has no close on some sessions."""

    def __init__(self, symbol: str, days: Sequence[date]) -> None:
        shown = ", ".join(day.isoformat() for day in days[:5]) + (
            f" and {len(days) - 5} more" if len(days) > 5 else ""
        )
        super().__init__(
            f"no close of {symbol} on {shown}: import it with `riskmetrics import prices FILE`"
        )
        self.symbol, self.days = symbol, tuple(days)


class CalibrationRejectedError(DataQualityError):
    """A calibration that rests on too little, or whose coefficients would not be safe to forecast with."""


class SourceError(RiskmetricsError):
    """A vendor did not answer as its contract says; the text never holds its key.

    Attributes
    ----------
    retryable : bool
        Asking the same again at once may succeed.
    scope : str
        What need not be asked any more in this run: nothing, the endpoint, or the vendor at all.
    retry_after : str or None
        When to ask again, as the vendor's header says.
    """

    exit_code = 5
    retryable = False
    scope: Literal["", "endpoint", "vendor"] = ""
    retry_after: str | None = None


class VendorUnavailableError(SourceError):
    """No connection, no answer in time, one that broke off, or a fault of the server."""

    retryable = True

    def __init__(self, message: str, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TimeLimitError(VendorUnavailableError):
    """The time that a call, or a run with all its calls, may take is used up."""

    retryable = False

    def __init__(self, message: str, *, is_run_wide: bool = False) -> None:
        super().__init__(message)
        self.scope = "vendor" if is_run_wide else ""


class InvalidResponseError(SourceError):
    """An answer that is not what the vendor documents; one that broke off may come whole the next time."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class RateLimitError(SourceError):
    """No more calls for now; ``transient``: a minute may be enough to wait."""

    scope = "vendor"

    def __init__(
        self, message: str, *, transient: bool = False, retry_after: str | None = None
    ) -> None:
        super().__init__(message)
        self.transient, self.retry_after, self.retryable = (
            transient,
            retry_after,
            retry_after is not None,
        )


class UnknownSymbolError(SourceError):
    """The vendor answers that there is nothing on a symbol."""

    exit_code = 3


class EntitlementError(SourceError):
    """What was asked is not for this key: the symbol, or the whole endpoint."""

    exit_code = 6

    def __init__(self, message: str, *, is_endpoint_wide: bool = False) -> None:
        super().__init__(message)
        self.scope = "endpoint" if is_endpoint_wide else ""


class AuthenticationError(SourceError):
    """The vendor does not know the key."""

    exit_code = 6
    scope = "vendor"


class AlertDeliveryError(RiskmetricsError):
    """A webhook or a mail server did not take an alert; ``delivered_to`` are the channels that did."""

    exit_code = 5

    def __init__(self, message: str, delivered_to: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.delivered_to = delivered_to


class ConfigurationError(RiskmetricsError):
    """Settings that cannot work."""

    exit_code = 6


class DatabaseError(RiskmetricsError):
    """The database cannot be reached, started or used."""

    exit_code = 6


class SchemaError(DatabaseError):
    """The database's schema is not one that this version of riskmetrics can use."""
