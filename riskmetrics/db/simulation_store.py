"""Store simulated data in a database that is marked as a simulation and contains nothing else.

Stored rows never change, so rows are only inserted: without the comparisons of `write.upsert_rows`
that takes half the time.
"""

import time

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import input_writes, stored_prices, stored_settings, tables, write
from riskmetrics.db.copy import analyze, copy_in
from riskmetrics.db.row_counts import has_rows
from riskmetrics.errors import UsageError

SIMULATED_SOURCE = "simulated"
"""Value of data_source in simulated rows."""
_DESCRIPTION = "Simulated: nobody holds it"
_SIMULATION_SETTING = "simulation"
_EMPTY_DATABASE_HINT = (
    "simulate into an empty database, with RISKMETRICS_HOME set to an empty directory"
)


def mark_simulation(connection: sa.Connection, simulation: str, market_index: str) -> None:
    """Mark the database as that of ``simulation``, such as "50 stocks, seed 1".

    Raises
    ------
    UsageError
        If the database contains prices, profiles, benchmark weights or portfolios that are not
        simulated, or another simulation.
    """
    write.lock_asset(connection, "simulation")
    settings, portfolios = tables.database_settings, tables.portfolios
    inputs = tables.market_data_cache, tables.company_profiles, tables.benchmarks_sector_weights
    foreign = [
        *(
            table.name
            for table in inputs
            if has_rows(connection, table, table.c.data_source != SIMULATED_SOURCE)
        ),
        *connection.scalars(
            sa.select(portfolios.c.name)
            .where(portfolios.c.description.is_distinct_from(_DESCRIPTION))
            .limit(5)
        ),
    ]
    if foreign:
        raise UsageError(
            f"the database contains data that are not simulated ({', '.join(foreign)}):"
            f" {_EMPTY_DATABASE_HINT}"
        )
    stored = connection.scalar(
        sa.select(settings.c.value).where(settings.c.name == _SIMULATION_SETTING)
    )
    if stored not in {None, simulation}:
        raise UsageError(
            f"the database contains another simulation ({stored}): {_EMPTY_DATABASE_HINT}"
        )
    input_writes.store_setting(connection, _SIMULATION_SETTING, simulation)
    input_writes.store_setting(connection, stored_settings.MARKET_INDEX, market_index)


def store_prices(connection: sa.Connection, rows: pd.DataFrame) -> None:
    """Store daily prices of symbols without prices; columns as in `input_writes.store_prices`."""
    write.lock_asset(connection, "prices")
    stored = stored_prices.read_price_coverage(connection, rows["symbol"].unique())["symbol"]
    new = rows[~rows["symbol"].isin(stored)].drop(columns="has_adj_close")
    _insert(
        connection,
        tables.market_data_cache,
        new.assign(id=_ascending_ids(len(new)), data_source=SIMULATED_SOURCE),
    )


def store_portfolios(
    connection: sa.Connection, portfolios: pd.DataFrame, lots: pd.DataFrame
) -> None:
    """Store new portfolios and their lots; the columns are those of the tables.

    Portfolios whose id is stored already are skipped, with their lots.
    """
    write.lock_asset(connection, "holdings")
    table = tables.portfolios
    requested = sa.cast(list(portfolios["id"]), sa.ARRAY(sa.Uuid(as_uuid=False)))
    stored = [
        str(portfolio_id)
        for portfolio_id in connection.scalars(
            sa.select(table.c.id).where(table.c.id == sa.any_(requested))
        )
    ]
    _insert(
        connection,
        table,
        portfolios[~portfolios["id"].isin(stored)].assign(description=_DESCRIPTION),
    )
    _insert(connection, tables.positions, lots[~lots["portfolio_id"].isin(stored)])


def _insert(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> None:
    name, columns = f"new_{table.name}", list(rows.columns)
    if len(rows):
        copy_in(connection, table, rows, name)
        connection.execute(
            sa.insert(table).from_select(
                columns, sa.select(sa.table(name, *map(sa.column, columns))), include_defaults=False
            )
        )
        analyze(connection, table, len(rows))


def _ascending_ids(count: int) -> list[str]:
    """Return uuids of version 7, made of the time and a counter.

    Insertion into an index of millions of keys is twice as fast in ascending order.
    """
    milliseconds = time.time_ns() // 1_000_000
    clock = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}"
    return [f"{clock}-7000-8000-{number:012x}" for number in range(count)]
