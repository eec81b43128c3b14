"""Errors of riskmetrics. Each message states what happened, where, and what to do.

RiskmetricsError             exit 1
├── NotStoredError           exit 1  what a command is to show or change is undefined or not stored
├── QueryError               exit 1  a query of the user cannot be run
├── UsageError               exit 2  invalid option, unknown name or impossible range
│   └── InvalidSessionError  not a completed exchange session
├── DataQualityError         exit 3  the data are insufficient
│   ├── MissingPricesError   required closes are not in the database
│   └── CalibrationRejectedError  a calibration that is not safe to forecast with
├── SourceError              exit 5  a vendor request failed
│   ├── VendorUnavailableError  no connection, timeout, truncated response, server error
│   │   └── TimeLimitError    time limit of a call or of the run exceeded
│   ├── InvalidResponseError  a response that does not match the vendor's documentation
│   ├── RateLimitError       rate limit reached
│   ├── UnknownSymbolError   exit 3  the vendor has no data for the symbol
│   ├── EntitlementError     exit 6  the plan of the API key does not include the data
│   └── AuthenticationError  exit 6  the vendor rejected the API key
├── AlertDeliveryError       exit 5  an alert was not delivered
├── WorkerError              exit 1  a worker was lost, again and again
├── ConfigurationError       exit 6  invalid settings
└── DatabaseError            exit 6  the database cannot be reached or used
    └── SchemaError          the schema does not match this version

A run that completes without some of its input ends with PARTIAL_EXIT_CODE.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

PARTIAL_EXIT_CODE = 4
"""Exit code of a run that succeeded although some of its input is missing or outdated."""


class RiskmetricsError(Exception):
    """Base class of all errors of riskmetrics; the message is written for users."""

    exit_code = 1


class NotStoredError(RiskmetricsError):
    """What a command is to show or change is undefined or not stored."""


class QueryError(RiskmetricsError):
    """A query of the user that the database rejects, or whose result is too large."""


class UsageError(RiskmetricsError):
    """Invalid use: a wrong option, an unknown name or an impossible range."""

    exit_code = 2


class InvalidSessionError(UsageError):
    """A day or range of days that does not consist of completed exchange sessions."""


class DataQualityError(RiskmetricsError):
    """The data are missing, invalid or insufficient for the computation."""

    exit_code = 3


class MissingPricesError(DataQualityError):
    """A required symbol has no close on some sessions."""

    def __reduce__(self) -> tuple[type["MissingPricesError"], tuple[str, Sequence[date]]]:
        """Return what the error is built from: a worker sends it to the run."""
        return type(self), (self.symbol, self.days)

    def __init__(self, symbol: str, days: Sequence[date]) -> None:
        shown = ", ".join(day.isoformat() for day in days[:5]) + (
            f" and {len(days) - 5} more" if len(days) > 5 else ""
        )
        super().__init__(
            f"no close of {symbol} on {shown}: import it with `riskmetrics import prices FILE`"
        )
        self.symbol, self.days = symbol, tuple(days)


class CalibrationRejectedError(DataQualityError):
    """A calibration with too few observations, or with coefficients that are not safe to use."""


class SourceError(RiskmetricsError):
    """A request to a vendor failed; the message never contains the API key.

    Attributes
    ----------
    retryable : bool
        An immediate retry may succeed.
    scope : {"", "endpoint", "vendor"}
        What the rest of the run skips: nothing, the endpoint, or all requests to the vendor.
    retry_after : str or None
        Value of the vendor's Retry-After header.
    """

    exit_code = 5
    retryable = False
    scope: Literal["", "endpoint", "vendor"] = ""
    retry_after: str | None = None


class VendorUnavailableError(SourceError):
    """No connection, a timeout, a truncated response, or a server error."""

    retryable = True

    def __init__(self, message: str, retry_after: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TimeLimitError(VendorUnavailableError):
    """The time limit of a call, or of all calls of a run, is exceeded."""

    retryable = False

    def __init__(self, message: str, *, is_run_wide: bool = False) -> None:
        super().__init__(message)
        self.scope = "vendor" if is_run_wide else ""


class InvalidResponseError(SourceError):
    """A response that does not match the vendor's documentation; a truncated one is retryable."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class RateLimitError(SourceError):
    """Rate limit reached; ``transient`` if waiting for a minute may be enough."""

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
    """The vendor has no data for a symbol."""

    exit_code = 3


class EntitlementError(SourceError):
    """The plan of the API key does not include the symbol, or the whole endpoint."""

    exit_code = 6

    def __init__(self, message: str, *, is_endpoint_wide: bool = False) -> None:
        super().__init__(message)
        self.scope = "endpoint" if is_endpoint_wide else ""


class AuthenticationError(SourceError):
    """The vendor rejected the API key."""

    exit_code = 6
    scope = "vendor"


class AlertDeliveryError(RiskmetricsError):
    """A webhook or mail server rejected an alert; ``delivered_to``: channels that accepted it."""

    exit_code = 5

    def __init__(self, message: str, delivered_to: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.delivered_to = delivered_to


class WorkerError(RiskmetricsError):
    """Workers were lost while they computed a shard, as often as it is tried."""


class ConfigurationError(RiskmetricsError):
    """Invalid settings."""

    exit_code = 6


class DatabaseError(RiskmetricsError):
    """The database cannot be reached, started or used."""

    exit_code = 6


class SchemaError(DatabaseError):
    """The schema of the database does not match this version of riskmetrics."""


def root_cause(error: BaseException) -> BaseException:
    """Return the exception behind another: ours if there is one, else the first."""
    while error.__cause__ is not None and not isinstance(error, RiskmetricsError):
        error = error.__cause__
    return error
