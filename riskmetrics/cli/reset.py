"""`riskmetrics reset` and `riskmetrics reprocess`: remove and recompute results."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import read_transaction, write_transaction
from riskmetrics.cli.output import echo_err, pluralize
from riskmetrics.cli.shared_options import PortfolioName, day_option
from riskmetrics.errors import PARTIAL_EXIT_CODE, NotStoredError, UsageError

if TYPE_CHECKING:
    from riskmetrics.db.result_tables import Scope

All = Annotated[
    bool, typer.Option("--all", help="All portfolios, including those removed by portfolio remove.")
]
First = Annotated[
    date | None,
    day_option("--from", help_text="First day. Default: the first day with results."),
]
Last = Annotated[
    date | None,
    day_option("--to", help_text="Last day. Default: the last day with results."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def reset(
    portfolio: PortfolioName = None,
    every: All = False,
    first: First = None,
    last: Last = None,
    insights: Annotated[
        bool, typer.Option("--insights", help="Also remove insights and their ratings.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove results of portfolios, of a range of days or all days.

    Imported data is never removed. If a run is in progress, its remaining assets still write their
    results: run its days again.

    Example: riskmetrics reset --portfolio Growth --from 2022-01-03 --to 2022-12-28
    """
    scope = _parse_scope(portfolio, every, first, last)
    if not yes and not _confirm_removal(scope, "Remove them?", insights=insights):
        echo_err("nothing to remove: no matching results are stored (see riskmetrics status)")
        return
    _remove_results(scope, insights=insights)


def reprocess(
    portfolio: PortfolioName = None,
    every: All = False,
    first: First = None,
    last: Last = None,
    yes: Yes = False,
) -> None:
    """Remove results, and compute their sessions again in one run.

    All portfolios are recomputed. If the ends of the range are not sessions, the range is shortened
    to the sessions within it.

    Example: riskmetrics reprocess --all --from 2022-12-01 --to 2022-12-28
    """
    from riskmetrics import settings, trading_calendar
    from riskmetrics.cli.launch import prepare_instance
    from riskmetrics.cli.run import require_prices, run_daily_risk
    from riskmetrics.db import result_tables

    configured = settings.load()
    prepare_instance(configured)  # fails before anything is removed if no run could follow
    scope = _parse_scope(portfolio, every, first, last)
    with read_transaction() as connection:
        stored = result_tables.read_day_range(connection, scope)
    start, end = scope.first or (stored and stored[0]), scope.last or (stored and stored[1])
    if start is None or end is None:
        raise NotStoredError("no results are stored to derive the days from: pass --from and --to")
    days = trading_calendar.clip_to_sessions(start, end)
    scope = scope._replace(first=start, last=end)
    if not configured.source_names:
        with read_transaction() as connection:
            require_prices(connection, configured.market_index, days[0])
    echo_err(
        f"all portfolios will be recomputed from {days[0]} to {days[-1]}"
        f" ({pluralize(len(days), 'session')})"
    )
    if not yes:
        _confirm_removal(scope, "Remove them and run?")
    _remove_results(scope)
    try:
        run_daily_risk(days)
    except typer.Exit as ended:
        if ended.exit_code != PARTIAL_EXIT_CODE:  # results are stored, from incomplete data
            echo_err(
                "the earlier results are removed. Fix the cause, then run riskmetrics backfill"
                f" --from {days[0]} --to {days[-1]}"
            )
        raise


def _parse_scope(
    portfolio: str | None, every: bool, first: date | None, last: date | None
) -> "Scope":
    """Return the scope of the options; exit if the portfolio does not exist."""
    from riskmetrics.db.portfolios import find_portfolio_id
    from riskmetrics.db.result_tables import Scope

    if every == (portfolio is not None):
        raise UsageError("specify which results: either --portfolio NAME or --all")
    if first and last and first > last:
        raise UsageError(
            f"the range is reversed: {first:%Y-%m-%d} comes after {last:%Y-%m-%d}. Exchange --from"
            " and --to"
        )
    with read_transaction() as connection:
        if portfolio is not None:
            find_portfolio_id(connection, portfolio)
    return Scope(portfolio, first, last)


def _confirm_removal(scope: "Scope", question: str, *, insights: bool = False) -> bool:
    """Print the number of rows and ask for confirmation; exit if it is refused.

    Returns whether there are any rows; if not, no confirmation is needed.
    """
    from riskmetrics.db import result_tables

    # not in the transaction that removes, which would keep runs waiting for the answer
    with read_transaction() as connection:
        rows = result_tables.count_results(connection, scope, include_insights=insights)
    if rows:
        echo_err(_format_counts(rows))
        typer.confirm(question, abort=True, err=True)
    return bool(rows)


def _remove_results(scope: "Scope", *, insights: bool = False) -> None:
    """Remove the results of a scope in one transaction that locks out assets; print the counts."""
    from riskmetrics.db import result_tables
    from riskmetrics.definitions import defs

    assets = [key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()]
    with write_transaction() as connection:
        removed = result_tables.remove_results(
            connection, scope, assets=assets, include_insights=insights
        )
    typer.echo(
        f"{pluralize(sum(removed.values()), 'row')} removed"
        + (":\n" + _format_counts(removed) if removed else "")
    )


def _format_counts(rows: "dict[str, int]") -> str:
    return "\n".join(f"  {name:<30}{number:>12,}" for name, number in rows.items())
