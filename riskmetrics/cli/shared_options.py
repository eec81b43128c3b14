"""Options shared by several commands."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from riskmetrics.cli.output import JSON_HELP

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
File = Annotated[Path, typer.Argument(help="CSV or Parquet file.")]


def to_date(moment: datetime | None) -> date | None:
    """Return the date of an option, or None if it is not set."""
    return moment.date() if moment else None
