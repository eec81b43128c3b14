"""`riskmetrics report`: one self-contained page."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from riskmetrics.cli.options import Day, day_of
from riskmetrics.cli.output import fail


def report(day: Day = None, out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("report.html")) -> None:
    """Write a session's results as one self-contained HTML page.

    Example: riskmetrics report --date 2022-12-28 --out report.html
    """
    write(day_of(day), out)


def write(day: date | None, out: Path) -> None:
    """Write the page of ``day``, by default of the latest day that has results, and print where it is."""
    from riskmetrics.cli.database import reading
    from riskmetrics.db import stored
    from riskmetrics.errors import UsageError
    from riskmetrics.report.page import render

    with reading() as connection:
        session = day or stored.latest_day(connection)
        if session is None:
            raise fail("no results are stored yet: riskmetrics run")
        page = render(connection, session)
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from None
    typer.echo(str(out))
