"""Options shared by several commands."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmetrics.cli.output import JSON_HELP, require_printable
from riskmetrics.errors import UsageError

if TYPE_CHECKING:
    from riskmetrics.sources.row_validation import Notation


def _parse_day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        raise typer.BadParameter(
            f"{text} is not a date. Write year, month and day, such as 2022-12-28"
        ) from None


DAY_FORMAT: Mapping[str, Any] = {"parser": _parse_day, "metavar": "YYYY-MM-DD"}
"""How an argument or option of the type ``date`` is read and shown."""


def day_option(*names: str, help_text: str) -> Any:
    """Return an option that takes a day."""
    return typer.Option(*names, help=help_text, **DAY_FORMAT)


AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Wide = Annotated[
    bool, typer.Option("--wide", help="Print every column, however wide the terminal is.")
]
Day = Annotated[
    date | None,
    day_option("--date", help_text="Session, such as 2022-12-28. Default: the latest."),
]
PortfolioName = Annotated[str | None, typer.Option("--portfolio", help="Only this portfolio.")]
File = Annotated[Path, typer.Argument(help="CSV, Excel or Parquet file.")]
Decimal = Annotated[
    str, typer.Option(help="Decimal mark, point or comma, if the numbers are ambiguous.")
]
Dates = Annotated[
    str, typer.Option(help="Order of dates, mdy, dmy or ymd, if the dates are ambiguous.")
]
_MAX_NAME_LENGTH = 255
"""Length of the column of names, in characters."""
_MAX_AMOUNT = 1e14
"""Limit of an amount of money in its column, in USD."""
_DECIMAL_MARKS = {"": None, "point": ".", ".": ".", "comma": ",", ",": ","}


def parse_notation(decimal: str, dates: str) -> "Notation":
    """Return the notation of numbers and dates that the options specify.

    Raises
    ------
    UsageError
        If an option has another value than those accepted.
    """
    from riskmetrics.sources.dates import DATE_ORDERS
    from riskmetrics.sources.row_validation import Notation

    if decimal not in _DECIMAL_MARKS:
        raise UsageError(f"--decimal {decimal} is invalid: use point or comma")
    if dates and dates not in DATE_ORDERS:
        raise UsageError(f"--dates {dates} is invalid: use {', '.join(DATE_ORDERS)}")
    return Notation(_DECIMAL_MARKS[decimal], dates or None)


def check_portfolio_name(name: str) -> str:
    """Return the name of a portfolio if it can be stored and printed.

    Raises
    ------
    UsageError
        If it is empty, longer than its column, or has a control character.
    """
    if not 0 < len(name) <= _MAX_NAME_LENGTH:
        raise UsageError(f"the name of a portfolio has 1 to {_MAX_NAME_LENGTH} characters")
    return require_printable(name, "the name of a portfolio", one_line=True)


def check_amount(option: str, amount: float | None) -> None:
    """Raise UsageError if an amount of money does not fit its column."""
    if amount is not None and not abs(amount) < _MAX_AMOUNT:  # also refuses NaN
        raise UsageError(f"{option} {amount} is not a valid amount in USD")


def check_not_future(as_of: date | None) -> None:
    """Raise UsageError if a day of holdings is in the future."""
    if as_of is not None and as_of > date.today():
        raise UsageError(f"--as-of {as_of} is in the future")
