"""Write throughput: rows per second into position_market_betas with all indexes and a million rows.

Compares `write.replace_rows`, as called by the asset, with a plain COPY into the table, which is a
lower bound of the time, and with executemany. Each method writes a batch from a data frame and
commits, on a durable server. Before each, a checkpoint, so that full-page writes cost the same, and
VACUUM ANALYZE. The order rotates.
"""

import io
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa

from benchmarks import measure
from benchmarks.job import temporary_home
from riskmetrics import trading_calendar
from riskmetrics.db import result_writes, simulation_store, tables, write
from riskmetrics.db.copy import driver_connection
from riskmetrics.results import betas
from riskmetrics.sources import simulate

TABLE = tables.position_market_betas
KEY = ("portfolio_id", "position_id", "calc_date", "method", "window_days")
PROVENANCE = write.Provenance("00000000-0000-4000-8000-000000000000", "benchmark")

Days = Sequence[date]


class Size(NamedTuple):
    """Number of stored rows, and of rows that each method writes."""

    portfolios: int = 100
    lots: int = 100
    sessions: int = 100
    batch: int = 10
    executemany_rows: int = 20_000
    repeats: int = 5


QUICK = Size(portfolios=10, sessions=20, batch=2, executemany_rows=100, repeats=1)


def report(quick: bool) -> str:
    """Time all write methods and compare them."""
    size = QUICK if quick else Size()
    days = trading_calendar.sessions_between(date(2023, 1, 3), date(2024, 12, 31))[
        : size.sessions + size.batch
    ]
    stored, fresh = days[: size.sessions], days[size.sessions :]
    same, half = stored[: size.batch], stored[-size.batch :]
    with temporary_home() as (home, engine):
        lots = _store_lots(engine, size)
        for first in range(0, size.sessions, size.batch):
            part = stored[first : first + size.batch]
            _run_in_transaction(
                engine, partial(write_with_replace, rows=simulate_beta_rows(lots, part), days=part)
            )
        new, unchanged, changed = (
            simulate_beta_rows(lots, fresh),
            simulate_beta_rows(lots, same),
            simulate_beta_rows(lots, half),
        )
        with_ids = _with_ascending_ids(engine, new)
        few = with_ids.head(size.executemany_rows)
        ways: dict[str, tuple[Callable[[sa.Connection], object], int]] = {
            "COPY, no index or key": (partial(write_without_indexes, rows=with_ids), len(new)),
            "COPY, new rows": (partial(write_with_copy, rows=with_ids), len(new)),
            "replace, new rows": (partial(write_with_replace, rows=new, days=fresh), len(new)),
            "replace, unchanged rows": (
                partial(write_with_replace, rows=unchanged, days=same),
                len(unchanged),
            ),
            "replace, half changed": (
                partial(write_with_replace, rows=changed, days=half),
                len(changed),
            ),
            "executemany, new rows": (partial(write_with_executemany, rows=few), len(few)),
        }
        costs: dict[str, list[measure.Cost]] = {name: [] for name in ways}
        for repeat in range(size.repeats):
            place = repeat % len(ways)
            changed["beta"] = changed["beta"].where(
                np.arange(len(changed)) % 2 == 0, changed["beta"] + 0.1
            )
            for name, (way, _) in [*ways.items()][place:] + [*ways.items()][:place]:
                _reset_table(engine, fresh)
                costs[name].append(
                    measure.measure_cost(partial(_run_in_transaction, engine, way), home)
                )
    medians = {name: measure.median_cost(each) for name, each in costs.items()}
    return _text(size, {name: (medians[name], rows) for name, (_, rows) in ways.items()})


def simulate_beta_rows(lots: pd.DataFrame, days: Days) -> pd.DataFrame:
    """Return simulated betas of every lot on ``days``, in the format of the asset; reproducible."""
    count, rng = len(lots) * len(days), np.random.default_rng(days[0].toordinal())
    return pd.DataFrame(
        {
            "portfolio_id": lots["portfolio_id"].repeat(len(days)).to_numpy(),
            "position_id": lots["id"].repeat(len(days)).to_numpy(),
            "calc_date": np.tile(pd.to_datetime(list(days)).to_numpy(), len(lots)),
            **{
                name: rng.normal(1.0, 0.3, count)
                for name in ("beta", "alpha", "r_squared", "std_error", "p_value")
            },
            "observations": betas.BETA_WINDOW,
            "window_days": betas.BETA_WINDOW,
            "method": betas.METHOD,
            "market_index": simulate.MARKET_INDEX,
        }
    )


def write_with_replace(
    connection: sa.Connection, rows: pd.DataFrame, days: Days
) -> write.WriteCounts:
    """Write rows in the same way as the asset."""
    return write.replace_rows(
        connection,
        TABLE,
        rows,
        key=KEY,
        scope=result_writes.scope_of_sessions(TABLE.c.calc_date, days),
        provenance=PROVENANCE,
    )


def write_with_copy(connection: sa.Connection, rows: pd.DataFrame, name: str = TABLE.name) -> None:
    """Write rows by a plain COPY of CSV from pyarrow, as `write.replace_rows` uses."""
    arrow = pa.Table.from_pandas(
        rows.assign(**PROVENANCE._asdict()), preserve_index=False
    ).combine_chunks()
    text = io.BytesIO()
    pa.csv.write_csv(arrow, text, pa.csv.WriteOptions(include_header=False))
    statement = f"COPY {name} ({', '.join(arrow.column_names)}) FROM STDIN (FORMAT csv)"
    with driver_connection(connection).cursor() as cursor, cursor.copy(statement.encode()) as into:
        into.write(text.getbuffer())


def write_without_indexes(connection: sa.Connection, rows: pd.DataFrame) -> None:
    """Write rows by a plain COPY into a table without indexes and keys: what their upkeep costs."""
    name = f"{TABLE.name}_without_indexes"
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {TABLE.name} INCLUDING DEFAULTS)")
    write_with_copy(connection, rows, name)


def write_with_executemany(connection: sa.Connection, rows: pd.DataFrame) -> None:
    """Write rows by pipelined INSERT statements of psycopg."""
    rows = rows.assign(**PROVENANCE._asdict())
    names, values = ", ".join(rows.columns), ", ".join(["%s"] * len(rows.columns))
    statement = f"INSERT INTO {TABLE.name} ({names}) VALUES ({values})"  # noqa: S608  # our names
    with driver_connection(connection).cursor() as cursor:
        cursor.executemany(statement.encode(), rows.astype(object).itertuples(index=False))


def _store_lots(engine: sa.Engine, size: Size) -> pd.DataFrame:
    closes = simulate.simulate_market(
        500, trading_calendar.sessions_between(date(2022, 1, 3), date(2022, 6, 30)), seed=1
    ).closes
    block = simulate.simulate_portfolios(range(size.portfolios), size.lots, closes, seed=1)
    with engine.begin() as connection:
        simulation_store.store_portfolios(connection, *block)
    return block.lots


def _with_ascending_ids(engine: sa.Engine, rows: pd.DataFrame) -> pd.DataFrame:
    """Add ascending ids like `write.replace_rows`: random ids would slow down the other methods."""
    with engine.connect() as connection:
        ids = connection.scalars(
            sa.select(sa.cast(sa.func.uuidv7(), sa.Text)).select_from(
                sa.func.generate_series(1, len(rows))
            )
        ).all()
    return rows.assign(id=ids)


def _run_in_transaction(engine: sa.Engine, way: Callable[[sa.Connection], object]) -> None:
    with engine.begin() as connection:
        way(connection)


def _reset_table(engine: sa.Engine, fresh: Days) -> None:
    """Remove the rows that the last method added, and vacuum the table."""
    with engine.begin() as connection:
        connection.execute(sa.delete(TABLE).where(TABLE.c.calc_date.in_(fresh)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {TABLE.name}")
        connection.exec_driver_sql("CHECKPOINT")


def _text(size: Size, ways: dict[str, tuple[measure.Cost, int]]) -> str:
    speed = {name: rows / cost.wall for name, (cost, rows) in ways.items()}
    copied = speed["COPY, new rows"]
    lines = [
        (
            name,
            f"{rows:,}",
            f"{speed[name]:,.0f}",
            f"{speed[name] / copied:.2f}",
            f"{cost.client / rows * 1e6:.1f}",
            f"{cost.server / rows * 1e6:.1f}",
            f"{cost.peak:,.0f}",
        )
        for name, (cost, rows) in ways.items()
    ]
    head = ["", "rows", "rows/s", "vs. COPY", "client µs/row", "server µs/row", "peak MB"]
    targets = [
        measure.Target(
            "replace, new rows, relative to COPY", 0.8, speed["replace, new rows"] / copied
        ),
        measure.Target(
            "replace, unchanged rows, relative to COPY",
            5.0,
            speed["replace, unchanged rows"] / copied,
        ),
    ]
    return f"""## Writing

Into `position_market_betas` with five indexes, two foreign keys and
{size.portfolios * size.lots * size.sessions:,} rows, on a durable server. Each method starts with a
data frame, stores ascending ids and ends with a commit; `replace` is `write.replace_rows`. Medians
of {size.repeats}, in rotating order. CPU time is that of this process and of the server; memory is
the peak of the process, including the interpreter. New rows are limited by the maintenance of
indexes, unchanged rows by the COPY to a temporary table and its joins.

{measure.markdown_table(head, lines)}

{measure.targets_table(targets)}
"""
