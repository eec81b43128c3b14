"""`riskmetrics run` and `riskmetrics backfill`: the job, for one session or a range of them."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.output import echo_err, echo_progress
from riskmetrics.cli.shared_options import DAY_FORMAT, Day

if TYPE_CHECKING:
    from collections.abc import Sequence

Assets = Annotated[
    str, typer.Option("--assets", help="Only these assets, separated by commas. Default: all.")
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Ask no vendor and no language model, whatever keys are set."),
]


def run(day: Day = None, assets: Assets = "", offline: Offline = False) -> None:
    """Compute every metric for one exchange session; what is missing is fetched first, if FMP_API_KEY is set.

    Exit codes: 4 if some of it could not be fetched, 3 if too much of it, 5 if the network is at
    fault.

    Example: riskmetrics run --date 2022-12-28
    """
    from riskmetrics import trading_calendar

    session = day.date() if day else find_latest_session(offline=offline)
    run_daily_risk(trading_calendar.validate_range(session, session), assets, offline=offline)


def find_latest_session(*, offline: bool) -> date:
    """Return the latest ended session on which the market index has a close, fetched if need be, and say that it was chosen."""
    from riskmetrics import settings
    from riskmetrics.cli.database import connect_at_head, read_transaction
    from riskmetrics.db import input_queries

    configured = settings.load()
    if configured.fmp_api_key is not None and not offline:
        from riskmetrics.ingest.prices import refresh_market_index
        from riskmetrics.ingest.vendor_client import open_vendor_client

        with connect_at_head() as engine, open_vendor_client(engine, configured, echo_err) as feed:
            for note in refresh_market_index(feed, configured.market_index):
                echo_err(note)
    with read_transaction() as connection:
        session = input_queries.read_latest_session(connection, configured.market_index)
    echo_err(
        f"no --date: taking {session}, the latest ended session with a close of the market index"
    )
    return session


def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=DAY_FORMAT, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY_FORMAT, help="Last day.")],
    assets: Assets = "",
    offline: Offline = False,
    ai_all: Annotated[
        bool,
        typer.Option(
            "--ai-all",
            help=(
                "Let a language model write the insights of every session, not of the last one"
                " alone."
            ),
        ),
    ] = False,
) -> None:
    """Compute every metric for a range of sessions, in one run.

    A range whose ends are not sessions is rounded inward.

    Example: riskmetrics backfill --from 2022-01-03 --to 2022-12-28
    """
    from riskmetrics import trading_calendar

    days = trading_calendar.clip_to_sessions(first.date(), last.date())
    if (days[0], days[-1]) != (first.date(), last.date()):
        echo_err(
            f"the range is rounded inward to sessions that have ended: {days[0]} to {days[-1]}"
        )
    run_daily_risk(days, assets, offline=offline, ai_all=ai_all)


def catch_up(offline: Offline = False) -> None:
    """Compute the latest session, and in the same run those of the month before it that some asset has not been computed for.

    What a scheduler of the system's own, such as cron, needs every evening; Dagster's schedule does
    the same.

    Example: riskmetrics catch-up
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli import launch as launching

    session = find_latest_session(offline=offline)
    first = min(launching.missing_sessions(settings.load(), session), default=session)
    run_daily_risk(trading_calendar.validate_range(first, session), offline=offline)


def run_daily_risk(
    days: "Sequence[date]", assets: str = "", *, offline: bool = False, ai_all: bool = False
) -> None:
    """Run the job for ``days`` and end with its exit code if that is not 0."""
    from riskmetrics import settings
    from riskmetrics.cli import launch
    from riskmetrics.cli.database import connect_at_head

    span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} sessions)"
    echo_progress(f"Running daily_risk for {span} …")
    # says what is wrong with the database before Dagster is loaded, and keeps an embedded server up
    with connect_at_head():
        chosen = [name.strip() for name in assets.split(",") if name.strip()]
        outcome = launch.run(settings.load(), days, chosen, offline=offline, ai_all=ai_all)
    echo_err(
        f"run {outcome.run_id}: {'done' if outcome.exit_code == 0 else 'not all well'}, {span}"
    )
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
