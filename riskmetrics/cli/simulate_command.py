"""`riskmetrics simulate`: fill a database with a simulated market of known parameters."""

from datetime import date
from typing import Annotated

import typer

from riskmetrics.cli.database import connect_at_head
from riskmetrics.cli.output import echo_progress
from riskmetrics.cli.shared_options import day_option
from riskmetrics.errors import UsageError


def simulate(
    n_stocks: Annotated[
        int,
        typer.Option(
            "--stocks",
            min=1,
            help="Number of stocks, in addition to the market and rate proxies SPY and TLT.",
        ),
    ] = 50,
    n_sessions: Annotated[
        int,
        typer.Option(
            "--sessions", min=2, max=5000, help="Number of exchange sessions with prices."
        ),
    ] = 300,
    n_portfolios: Annotated[
        int, typer.Option("--portfolios", min=1, help="Number of portfolios.")
    ] = 6,
    n_lots: Annotated[int, typer.Option("--lots", min=1, help="Open lots per portfolio.")] = 25,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed; the same seed gives the same market.")
    ] = 1,
    last_session: Annotated[
        date | None,
        day_option(help_text="Last session. Default: the latest ended session."),
    ] = None,
) -> None:
    """Fill a database with a simulated market and portfolios.

    For tests and benchmarks. Requires a database that is empty or contains only the same
    simulation.

    Example: RISKMETRICS_HOME=/tmp/simulated riskmetrics simulate --stocks 500 --sessions 1000
    --portfolios 100
    """
    from riskmetrics import trading_calendar
    from riskmetrics.ingest import simulation
    from riskmetrics.sources.simulate import INDICES

    n_prices, n_all_lots = (n_stocks + len(INDICES)) * n_sessions, n_portfolios * n_lots
    if n_prices > simulation.MAX_PRICES or n_all_lots > simulation.MAX_LOTS:
        raise UsageError(
            f"{n_prices:,} prices and {n_all_lots:,} lots exceed the limits of"
            f" {simulation.MAX_PRICES:,} prices and {simulation.MAX_LOTS:,} lots. Reduce --stocks,"
            " --sessions, --portfolios or --lots."
        )
    last = last_session or trading_calendar.last_completed_session()
    trading_calendar.require_completed_sessions([last])
    sessions = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, last)
    if len(sessions) < n_sessions:
        raise UsageError(
            f"--sessions {n_sessions} is too many: the calendar has {len(sessions)} up to {last}."
            f" Use --sessions {len(sessions)} or fewer, or a later --last-session."
        )
    simulated = simulation.Simulation(n_stocks, sessions[-n_sessions:], n_portfolios, n_lots, seed)
    with connect_at_head() as engine:
        simulation.store_simulation(engine, simulated, echo_progress)
    typer.echo(f"{simulated.description}\nNext: riskmetrics run --date {last}")
