"""Options shared by several commands."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.output import JSON_HELP

if TYPE_CHECKING:
    from riskmetrics.sources.row_validation import Notation

DAY_FORMAT = ["%Y-%m-%d"]
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Wide = Annotated[
    bool, typer.Option("--wide", help="Print every column, however wide the terminal is.")
]
Day = Annotated[
    datetime | None,
    typer.Option(
        "--date", formats=DAY_FORMAT, help="Session, such as 2022-12-28. Default: the latest."
    ),
]
PortfolioName = Annotated[str | None, typer.Option("--portfolio", help="Only this portfolio.")]
File = Annotated[Path, typer.Argument(help="CSV, Excel or Parquet file.")]
Decimal = Annotated[
    str, typer.Option(help="Decimal mark, point or comma, if the numbers are ambiguous.")
]
Dates = Annotated[
    str, typer.Option(help="Order of dates, mdy, dmy or ymd, if the dates are ambiguous.")
]
_DECIMAL_MARKS = {"": None, "point": ".", ".": ".", "comma": ",", ",": ","}


def to_date(moment: datetime | None) -> date | None:
    """Return the date of an option, or None if it is not set."""
    return moment.date() if moment else None


def parse_notation(decimal: str, dates: str) -> "Notation":
    """Return the notation of numbers and dates that the options specify.

    Raises
    ------
    UsageError
        If an option has another value than those accepted.
    """
    from riskmetrics.errors import UsageError
    from riskmetrics.sources.dates import DATE_ORDERS
    from riskmetrics.sources.row_validation import Notation

    if decimal not in _DECIMAL_MARKS:
        raise UsageError(f"--decimal {decimal} is invalid: use point or comma")
    if dates and dates not in DATE_ORDERS:
        raise UsageError(f"--dates {dates} is invalid: use {', '.join(DATE_ORDERS)}")
    return Notation(_DECIMAL_MARKS[decimal], dates or None)
