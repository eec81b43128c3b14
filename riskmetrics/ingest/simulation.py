"""Simulate a market and portfolios, and store them in blocks that limit memory."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import input_writes, simulation_store
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.sources import simulate

MAX_ROWS_PER_BLOCK = 250_000
"""Prices or lots per transaction, which limits memory."""

MAX_PRICES, MAX_LOTS = 100_000_000, 10_000_000
"""Limits of one simulation: about 1 GB of memory and 1 GB of disk."""


class Simulation(NamedTuple):
    """Size and random seed of a simulated market with portfolios."""

    n_stocks: int
    """Number of stocks, in addition to the market and rate proxies."""
    sessions: Sequence[date]
    n_portfolios: int
    n_lots: int
    """Open lots per portfolio."""
    seed: int

    @property
    def description(self) -> str:
        """Return the identity of the simulation, as stored with the database."""
        return (
            f"{self.n_stocks} stocks on {len(self.sessions)} sessions to {self.sessions[-1]},"
            f" {self.n_portfolios} portfolios of {self.n_lots} lots, seed {self.seed}"
        )


def store_simulation(
    engine: sa.Engine, simulation: Simulation, on_progress: Callable[[str], None]
) -> None:
    """Store a simulation in a database that is empty or contains only the same simulation.

    Blocks have a transaction each. ``on_progress`` receives a line of text after each of them.

    Raises
    ------
    UsageError
        If the database contains anything else.
    """
    with engine.begin() as connection:
        simulation_store.mark_simulation(connection, simulation.description, simulate.MARKET_INDEX)
    closes = _store_market(engine, simulation, on_progress)
    _store_portfolios(engine, simulation, closes, on_progress)


def _store_market(
    engine: sa.Engine, simulation: Simulation, on_progress: Callable[[str], None]
) -> pd.DataFrame:
    """Store prices, profiles and benchmark weights; return closes, sessions x symbols."""
    source = simulation_store.SIMULATED_SOURCE
    closes: list[pd.DataFrame] = []
    for block in simulate.simulate_market_blocks(
        simulation.n_stocks,
        simulation.sessions,
        simulation.seed,
        symbols_per_block=max(MAX_ROWS_PER_BLOCK // len(simulation.sessions), 1),
    ):
        with engine.begin() as connection:
            simulation_store.store_prices(connection, block.prices)
            input_writes.store_profiles(
                connection, simulate.profiles(block.true_parameters), source
            )
        closes.append(block.closes)
        on_progress(f"  prices stored up to {block.true_parameters.index[-1]}")
    weights = simulate.benchmark(simulation.sessions[0])
    with engine.begin() as connection:
        input_writes.store_benchmark_weights(connection, weights, DEFAULT_BENCHMARK, source)
    return pd.concat(closes, axis=1)


def _store_portfolios(
    engine: sa.Engine,
    simulation: Simulation,
    closes: pd.DataFrame,
    on_progress: Callable[[str], None],
) -> None:
    portfolios_per_block = max(MAX_ROWS_PER_BLOCK // simulation.n_lots, 1)
    for first in range(0, simulation.n_portfolios, portfolios_per_block):
        numbers = range(first, min(first + portfolios_per_block, simulation.n_portfolios))
        block = simulate.simulate_portfolios(numbers, simulation.n_lots, closes, simulation.seed)
        with engine.begin() as connection:
            simulation_store.store_portfolios(connection, *block)
        on_progress(f"  portfolios stored up to {block.portfolios['name'].iloc[-1]}")
