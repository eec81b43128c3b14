"""`riskmetrics report`: write a session's results as an HTML page."""

import os
import shutil
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from riskmetrics import folders
from riskmetrics.cli.shared_options import Day, to_date


def report(
    day: Day = None,
    out: Annotated[Path, typer.Option("--out", help="Report file to write.")] = Path("report.html"),
) -> None:
    """Write a session's results as a self-contained HTML page.

    Example: riskmetrics report --date 2022-12-28 --out report.html
    """
    write_report(to_date(day), out)


def write_report(day: date | None, out: Path) -> None:
    """Write the page of ``day``, by default the latest day with results, and print its path."""
    from riskmetrics.cli.database import find_session, read_transaction
    from riskmetrics.errors import UsageError
    from riskmetrics.report.page import render_page

    with read_transaction() as connection:
        page = render_page(connection, find_session(connection, day))
    try:
        write_page(out, page)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from None
    typer.echo(str(out))


def write_page(out: Path, page: str) -> None:
    """Write a page atomically, with the mode of the file that it replaces, else by the umask."""
    folders.refuse_planted_link(out)
    target = Path(os.path.realpath(out))  # a link stays a link
    is_replaceable = (out.is_file() and os.access(out, os.W_OK)) or not out.exists()
    if not is_replaceable or not os.access(target.parent, os.W_OK):
        out.write_text(page, encoding="utf-8")
        return
    with TemporaryDirectory(prefix=".report-", dir=target.parent) as folder:
        unfinished = Path(folder) / "report.html"
        unfinished.write_text(page, encoding="utf-8")
        if target.exists():
            shutil.copymode(target, unfinished)
        unfinished.replace(target)
