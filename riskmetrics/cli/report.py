"""`riskmetrics report`: write a session's results as a page or a PDF, or serve them as a page."""

import os
import shutil
from datetime import date
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from riskmetrics import folders
from riskmetrics.addresses import REPORT_PORT
from riskmetrics.cli.report_rendering import Request, render
from riskmetrics.cli.shared_options import Day, PortfolioName, day_option
from riskmetrics.errors import UsageError

_DEFAULT_OUT = "report"
_MIN_HISTORY = 2


class Format(StrEnum):
    """Formats of a report."""

    HTML = "html"
    PDF = "pdf"


def _check_history(number: int | None) -> int | None:
    if number is not None and number < _MIN_HISTORY:
        raise typer.BadParameter(
            f"it must be greater than or equal to {_MIN_HISTORY}, because charts draw lines between"
            " sessions. Leave it out for 252"
        )
    return number


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
        typer.Option(
            callback=_check_history,
            help="Sessions that charts over time show, at least 2. Default: 252.",
        ),
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
    if out is not None:
        _check_name(out, kind)
    if serve:
        from riskmetrics.cli.report_server import serve_report

        serve_report(request, port)
    else:
        write_report(request, out or Path(f"{_DEFAULT_OUT}.{kind}"), kind)


def _check_name(out: Path, kind: Format) -> None:
    """Raise UsageError if a file has the ending of the other format."""
    ending = out.suffix.casefold().removeprefix(".")
    if ending != kind and ending in list(Format):
        raise UsageError(
            f"--out {out} would be {kind.upper()}: add --format {ending}, or choose another name"
        )


def write_report(
    request: Request, out: Path, kind: Format = Format.HTML, *, is_quiet: bool = False
) -> None:
    """Write the report of a request, and print its path unless ``is_quiet``."""
    try:
        if kind is Format.PDF:
            from riskmetrics.cli.pdf import print_page, require_browser

            require_browser()  # before the page is rendered
            content = print_page(render(request, is_printed=True))
        else:
            content = render(request).encode()
        write_file(out, content)
    except FileNotFoundError:
        raise UsageError(
            f"the directory {out.parent} does not exist: create it, or choose another file with"
            " --out"
        ) from None
    except OSError as error:
        raise UsageError(
            f"cannot write {out}: {error.strerror}. Choose another file with --out, or free space"
        ) from None
    if not is_quiet:
        typer.echo(str(out))


def write_file(out: Path, content: bytes) -> None:
    """Write a file atomically, with the mode of the file that it replaces, else by the umask."""
    folders.refuse_untrusted_link(out)
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
