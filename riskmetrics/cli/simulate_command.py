"""`riskmetrics simulate`: fill a database with a simulated market of known parameters."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.output import echo_progress
from riskmetrics.cli.shared_options import DAY_FORMAT, to_date

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    import sqlalchemy as sa

_MAX_ROWS_PER_BLOCK = 250_000
"""Prices or lots per transaction, which limits memory."""

_MAX_PRICES, _MAX_LOTS = 100_000_000, 10_000_000
"""Totals of a simulation: such prices take a gigabyte of memory, such lots a gigabyte of disk."""


def simulate(
    symbols: Annotated[
        int, typer.Option(min=1, help="Number of stocks, in addition to the indices SPY and TLT.")
    ] = 50,
    sessions: Annotated[
        int, typer.Option(min=2, max=5000, help="Number of exchange sessions with prices.")
    ] = 300,
    portfolios: Annotated[int, typer.Option(min=1, help="Number of portfolios.")] = 6,
    positions: Annotated[int, typer.Option(min=1, help="Open lots per portfolio.")] = 25,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed; the same seed gives the same market.")
    ] = 1,
    last_session: Annotated[
        datetime | None,
        typer.Option(formats=DAY_FORMAT, help="Last session. Default: the latest ended session."),
    ] = None,
) -> None:
    """Fill a database with a simulated market and portfolios, for trials and benchmarks.

    Requires a database that is empty or contains only the same simulation.

    Example: RISKMETRICS_HOME=/tmp/simulated riskmetrics simulate --symbols 500 --sessions 1000
    --portfolios 100
    """
    from riskmetrics import trading_calendar
    from riskmetrics.cli.database import connect_at_head
    from riskmetrics.db import simulation_store
    from riskmetrics.errors import UsageError
    from riskmetrics.sources.simulate import MARKET_INDEX

    if symbols * sessions > _MAX_PRICES or portfolios * positions > _MAX_LOTS:
        raise UsageError(
            f"at most {_MAX_PRICES:,} prices and {_MAX_LOTS:,} lots in total can be simulated:"
            " choose fewer symbols, sessions, portfolios or positions"
        )
    last = to_date(last_session) or trading_calendar.last_completed_session()
    trading_calendar.require_completed_sessions([last])
    days = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, last)[-sessions:]
    if len(days) < sessions:
        raise UsageError(
            f"--sessions {sessions} is too many: the calendar has {len(days)} up to {last}"
        )
    size = (
        f"{symbols} stocks on {sessions} sessions to {last}, {portfolios} portfolios of {positions}"
        f" lots, seed {seed}"
    )
    with connect_at_head() as engine:
        with engine.begin() as connection:
            simulation_store.mark_simulation(connection, size, MARKET_INDEX)
        closes = _store_market(engine, symbols, days, seed)
        _store_portfolios(engine, portfolios, positions, closes, seed)
    typer.echo(f"{size}\nNext: riskmetrics run --date {last}")


def _store_market(
    engine: "sa.Engine", n_stocks: int, days: "list[date]", seed: int
) -> "pd.DataFrame":
    """Store prices, profiles and benchmark weights in blocks; return closes, sessions x symbols."""
    import pandas as pd

    from riskmetrics.db import input_writes, simulation_store
    from riskmetrics.settings import DEFAULT_BENCHMARK
    from riskmetrics.sources import simulate

    closes: list[pd.DataFrame] = []
    for block in simulate.simulate_market_blocks(
        n_stocks, days, seed, symbols_per_block=max(_MAX_ROWS_PER_BLOCK // len(days), 1)
    ):
        with engine.begin() as connection:
            simulation_store.store_prices(connection, block.prices)
            input_writes.store_profiles(
                connection,
                simulate.profiles(block.true_parameters),
                simulation_store.SIMULATED_SOURCE,
            )
        closes.append(block.closes)
        echo_progress(f"  prices of {block.true_parameters.index[-1]} …")
    with engine.begin() as connection:
        input_writes.store_benchmark_weights(
            connection,
            simulate.benchmark(days[0]),
            DEFAULT_BENCHMARK,
            simulation_store.SIMULATED_SOURCE,
        )
    return pd.concat(closes, axis=1)


def _store_portfolios(
    engine: "sa.Engine", n_portfolios: int, n_lots: int, closes: "pd.DataFrame", seed: int
) -> None:
    from riskmetrics.db import simulation_store
    from riskmetrics.sources import simulate

    portfolios_per_block = max(_MAX_ROWS_PER_BLOCK // n_lots, 1)
    for first in range(0, n_portfolios, portfolios_per_block):
        block = simulate.simulate_portfolios(
            range(first, min(first + portfolios_per_block, n_portfolios)), n_lots, closes, seed
        )
        with engine.begin() as connection:
            simulation_store.store_portfolios(connection, *block)
        echo_progress(f"  portfolios to {block.portfolios['name'].iloc[-1]} …")
