"""`riskmetrics run`, `backfill` and `catch-up`: run the daily job for one or several sessions."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import connect_at_head, import_in_background, read_transaction
from riskmetrics.cli.output import echo_err, echo_progress, pluralize
from riskmetrics.cli.shared_options import Day, day_option
from riskmetrics.errors import PARTIAL_EXIT_CODE, DataQualityError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from riskmetrics.cli.launch import RunOutcome

Assets = Annotated[
    str, typer.Option("--assets", help="Only these assets, comma-separated. Default: all.")
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Call no data vendor and no language model, even with keys."),
]


def run(day: Day = None, assets: Assets = "", offline: Offline = False) -> None:
    """Compute all figures of one exchange session.

    Missing data is fetched first if a data source is configured. Exit codes: 4 if some of it could
    not be fetched, 3 if too much of it or a check of severity ERROR failed, 5 if the network
    failed.

    Example: riskmetrics run --date 2022-12-28
    """
    from riskmetrics import trading_calendar

    session = day or find_latest_session(offline=offline)
    run_daily_risk(trading_calendar.validate_range(session, session), assets, offline=offline)


def find_latest_session(*, offline: bool) -> date:
    """Return the latest ended session with a close of the market index, and print the choice.

    The market index is fetched first, unless ``offline`` or without a data source.
    """
    from riskmetrics import settings
    from riskmetrics.db import input_queries

    configured = settings.load()
    if configured.source_names and not offline:
        from riskmetrics.ingest.fallback import refresh_market_index
        from riskmetrics.ingest.vendor_client import open_vendor_clients

        with (
            connect_at_head() as engine,
            open_vendor_clients(engine, configured, echo_err) as clients,
        ):
            try:
                notes = refresh_market_index(clients, configured.market_index)
            except SourceError:
                echo_err(
                    "note: to compute from stored prices, such as those of files, pass --offline,"
                    " or set RISKMETRICS_SOURCE=none in .env"
                )
                raise
            for note in notes:
                echo_err(note)
    with read_transaction() as connection:
        session = input_queries.read_latest_session(connection, configured.market_index)
    echo_err(
        f"no --date: using {session}, the latest ended session with a close of the market index"
    )
    return session


def backfill(
    first: Annotated[date, day_option("--from", help_text="First day.")],
    last: Annotated[date, day_option("--to", help_text="Last day.")],
    assets: Assets = "",
    offline: Offline = False,
    ai_all: Annotated[
        bool,
        typer.Option(
            "--ai-all",
            help=(
                "Let a language model write the insights of every session, instead of only the"
                " last."
            ),
        ),
    ] = False,
) -> None:
    """Compute all figures for a range of sessions, in one run.

    If the ends of the range are not sessions, the range is shortened to the sessions within it.

    Example: riskmetrics backfill --from 2022-01-03 --to 2022-12-28
    """
    from riskmetrics import trading_calendar

    days = trading_calendar.clip_to_sessions(first, last)
    if (days[0], days[-1]) != (first, last):
        echo_err(f"the range is shortened to sessions that have ended: {days[0]} to {days[-1]}")
    run_daily_risk(days, assets, offline=offline, ai_all=ai_all)


def catch_up(offline: Offline = False) -> None:
    """Compute the latest session, and recent missing or outdated ones.

    Run it every evening from a scheduler such as cron; Dagster's schedule does the same. A session
    of the past month is missing if some asset has not been computed for it, and one of the last
    five is outdated if its closes or holdings changed afterward.

    Exit codes are those of run; 4 also if the stored closes end before the latest ended session.

    Example: riskmetrics catch-up
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli import launch as launching
    from riskmetrics.db import stored_prices, stored_settings
    from riskmetrics.ingest import late_closes

    session = find_latest_session(offline=offline)
    with read_transaction() as connection:
        market = stored_settings.read_market_index(connection, settings.load().market_index)
        (source,) = stored_prices.read_price_sources(connection, [market]).values()
        outdated = late_closes.find_sessions_to_recompute(connection, market)
    first = min([session, *launching.missing_sessions(settings.load(), session), *outdated])
    is_behind = _warn_if_behind(session, source.name, offline=offline)
    run_daily_risk(trading_calendar.validate_range(first, session), offline=offline)
    if is_behind:
        raise typer.Exit(PARTIAL_EXIT_CODE)


def _warn_if_behind(session: date, source: str, *, offline: bool) -> bool:
    """Return whether a session is not the latest that has ended, and warn if so.

    ``source`` is the name of that of the latest close of the market index, a vendor or "file".
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.sources.source_registry import configured_definitions

    latest = trading_calendar.last_completed_session()
    n_behind = len(trading_calendar.sessions_between(session, latest)) - 1
    definitions = () if offline else configured_definitions(settings.load())
    remedy = (
        f"{source} has no newer close yet: run riskmetrics catch-up again later"
        if source in {definition.name for definition in definitions}
        else "Import newer prices: riskmetrics import prices FILE"
    )
    if n_behind > 0:
        echo_err(
            f"warning: closes of the market index end on {session},"
            f" {pluralize(n_behind, 'session')} before the latest ended session, {latest}. {remedy}"
        )
    return n_behind > 0


def run_daily_risk(
    days: "Sequence[date]", assets: str = "", *, offline: bool = False, ai_all: bool = False
) -> None:
    """Run the daily job for ``days``; exit with its code if that is not 0."""
    from riskmetrics import settings
    from riskmetrics.cli import launch
    from riskmetrics.sources.source_registry import require_known_sources

    span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} sessions)"
    echo_progress(f"Running daily_risk for {span} …")
    # Report a database error before Dagster is needed, and keep an embedded server up.
    configured = settings.load()
    import_in_background("riskmetrics.dagster_events")
    with connect_at_head() as engine:
        chosen = [name.strip() for name in assets.split(",") if name.strip()]
        if offline or not configured.source_names:
            require_known_sources(configured)
            launch.prepare_instance(configured)
            with engine.connect() as connection:
                require_prices(connection, configured.market_index, days[0], is_whole=not chosen)
        outcome = launch.run(configured, days, chosen, offline=offline, ai_all=ai_all)
    echo_err(
        f"run {outcome.run_id}: {_describe_outcome(outcome)}, {span}; {_describe_rows(outcome)}"
    )
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)


def require_prices(
    connection: "sa.Connection", market_index: str | None, day: date, *, is_whole: bool = True
) -> None:
    """Raise DataQualityError unless the closes of the market index begin by the first day.

    Only runs of all assets need any.
    """
    from riskmetrics.db import missing_indices, stored_prices, stored_settings

    market = stored_settings.read_market_index(connection, market_index)
    first = stored_prices.read_price_coverage(connection, [market])["first"]
    if first.empty and is_whole:
        raise DataQualityError(missing_indices.describe_missing_market(connection, market_index))
    if len(first) and first.iloc[0].date() > day:
        raise DataQualityError(
            f"no close of the market index {market} is stored up to {day}, the first is of"
            f" {first.iloc[0]:%Y-%m-%d}: import earlier prices, or choose a later session"
        )


def _describe_rows(outcome: "RunOutcome") -> str:
    """Return how many rows of results the run changed or removed."""
    by_asset = {}
    for event in outcome.result.get_asset_materialization_events():
        by_asset[event.asset_key] = event.materialization.metadata
    counts = (
        metadata[name].value
        for metadata in by_asset.values()
        for name in ("run_rows_changed", "run_rows_removed")
        if name in metadata
    )
    changed = sum(count for count in counts if isinstance(count, int))
    return f"{pluralize(changed, 'row')} changed" if changed else "no row changed"


def _describe_outcome(outcome: "RunOutcome") -> str:
    if not outcome.result.success:
        return "failed"
    if outcome.exit_code == PARTIAL_EXIT_CODE:
        return "finished with missing data"
    return "finished with failed checks" if outcome.exit_code else "done"
