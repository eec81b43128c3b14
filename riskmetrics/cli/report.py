"""`riskmetrics report`: write a session's results as a page or a PDF, or serve them as a page."""

import os
import shutil
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from riskmetrics import folders
from riskmetrics.addresses import REPORT_PORT
from riskmetrics.cli.shared_options import Day, PortfolioName, day_option

_DEFAULT_OUT = "report"


class Format(StrEnum):
    """Formats of a report."""

    HTML = "html"
    PDF = "pdf"


@dataclass(frozen=True)
class Request:
    """Content of a report."""

    day: date | None = None
    """Session. None: the latest with results."""
    portfolio: str | None = None
    history: int | None = None
    """Sessions that charts over time show. None: a year."""
    since: date | None = None
    """First day of charts over time, instead of their number of sessions."""
    against: date | None = None
    """Session to compare with. None: that of a week before."""
    is_interactive: bool = True
    links_to_portfolios: bool = False
    """Whether the overview links to pages of portfolios that are not shown in full."""


def report(
    day: Day = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write. Default: report.html or report.pdf."),
    ] = None,
    kind: Annotated[
        Format, typer.Option("--format", help="A page, or a PDF by a headless Chromium.")
    ] = Format.HTML,
    portfolio: PortfolioName = None,
    history: Annotated[
        int | None,
        typer.Option(min=2, help="Sessions that charts over time show. Default: 252."),
    ] = None,
    since: Annotated[
        date | None,
        day_option(help_text="First day of charts over time."),
    ] = None,
    against: Annotated[
        date | None,
        day_option(help_text="Session to compare with. Default: a week before, if stored."),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the page on this machine until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Port of --serve.")] = REPORT_PORT,
) -> None:
    """Write results as a page with charts, as a PDF, or serve them.

    The page is one file. That of several portfolios starts with an overview. Charts are pictures
    where scripts are off, and in print. With --serve the page is rendered again for each request,
    so that it shows the latest run.

    Example: riskmetrics report --date 2022-12-28 --out report.html

    riskmetrics report --portfolio Growth --since 2022-01-03 --format pdf
    """
    request = Request(day, portfolio, history, since, against)
    if serve:
        from riskmetrics.cli.report_server import serve_report

        serve_report(request, port)
    else:
        write_report(request, out or Path(f"{_DEFAULT_OUT}.{kind}"), kind)


def write_report(request: Request, out: Path, kind: Format = Format.HTML) -> None:
    """Write the report of a request, and print its path."""
    from riskmetrics.errors import UsageError

    try:
        if kind is Format.PDF:
            from riskmetrics.cli.pdf import print_page, require_browser

            require_browser()  # before the page is rendered
            content = print_page(render(request, is_printed=True))
        else:
            content = render(request).encode()
        write_file(out, content)
    except OSError as error:
        raise UsageError(
            f"cannot write {out}: {error.strerror}. Choose another file with --out, or free space"
        ) from None
    typer.echo(str(out))


def render(request: Request, *, is_printed: bool = False) -> str:
    """Return the page of a request."""
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli.database import find_session, read_transaction
    from riskmetrics.errors import UsageError
    from riskmetrics.inputs.snapshot import read_terms
    from riskmetrics.report.options import DEFAULT_HISTORY, ReportOptions, open_drawings
    from riskmetrics.report.page import render_page

    if request.history is not None and request.since is not None:
        raise UsageError("--history and --since exclude each other: give one of them")
    configured = settings.load()
    drawings = open_drawings(configured.home_directory)
    with read_transaction() as connection:
        day = find_session(connection, request.day, request.portfolio)
        trading_calendar.require_completed_sessions([day])
        n_sessions = request.history or DEFAULT_HISTORY
        if request.since is not None:
            n_sessions = len(trading_calendar.sessions_between(request.since, day)) - 1
            if n_sessions < 1:
                raise UsageError(f"--since {request.since} is not before the session of {day}")
        options = ReportOptions(
            read_terms(connection, configured),
            portfolio=request.portfolio,
            n_sessions=n_sessions,
            against=request.against,
            drawings=drawings,
            is_interactive=not is_printed,
            links_to_portfolios=request.links_to_portfolios,
        )
        page = render_page(connection, day, options)
    drawings.remove_unused()
    return page


def write_file(out: Path, content: bytes) -> None:
    """Write a file atomically, with the mode of the file that it replaces, else by the umask."""
    folders.refuse_planted_link(out)
    target = Path(os.path.realpath(out))  # a link stays a link
    is_replaceable = (out.is_file() and os.access(out, os.W_OK)) or not out.exists()
    if not is_replaceable or not os.access(target.parent, os.W_OK):
        out.write_bytes(content)
        return
    with TemporaryDirectory(prefix=".report-", dir=target.parent) as folder:
        unfinished = Path(folder) / "report"
        unfinished.write_bytes(content)
        if target.exists():
            shutil.copymode(target, unfinished)
        unfinished.replace(target)
