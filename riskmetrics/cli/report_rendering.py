"""Render the report that a command or a served page requests."""

from dataclasses import dataclass
from datetime import date

from riskmetrics.cli.database import find_session, read_transaction
from riskmetrics.errors import UsageError


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


def render(request: Request, *, is_printed: bool = False) -> str:
    """Return the page of a request."""
    from riskmetrics import settings, trading_calendar
    from riskmetrics.inputs.snapshot import read_terms
    from riskmetrics.report.page import render_page
    from riskmetrics.report.report_options import DEFAULT_HISTORY, ReportOptions, open_renderer

    if request.history is not None and request.since is not None:
        raise UsageError("--history and --since exclude each other: give one of them")
    configured = settings.load()
    renderer = open_renderer(configured.home_directory)
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
            renderer=renderer,
            is_interactive=not is_printed,
            links_to_portfolios=request.links_to_portfolios,
        )
        page = render_page(connection, day, options)
    renderer.remove_unused()
    return page
