"""What users' files bring: rows into their tables, bad rows beside them with the reason."""

import hashlib
from collections.abc import Iterable

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables, write
from riskmetrics.db.copy import fetch
from riskmetrics.db.write import Written

CLOSE_ONLY = ": close only"
"""Ends the data_source of prices whose adj_close is their close because the file had none."""


def reject(connection: sa.Connection, kind: str, source: str, rows: Iterable[tuple[int | None, str, str]]) -> int:
    """Keep rows that were not taken, as (line, raw row, reason); the same rejection again is the same row. Returns their number."""
    frame = pd.DataFrame(list(rows), columns=["line", "raw_row", "reason"]).astype({"line": "Int64"})
    if frame.empty:
        return 0
    frame = frame.assign(kind=kind, source=source)
    facts = frame[["kind", "source", "line", "raw_row", "reason"]].astype(str).agg("\x1f".join, axis="columns")
    frame["digest"] = facts.map(lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    write.upsert(connection, tables.rejected_rows, frame.drop_duplicates("digest"), key=["digest"])
    return len(frame)


def prices(connection: sa.Connection, rows: pd.DataFrame, source: str) -> tuple[Written, list[str]]:
    """Store daily prices; returns the symbols left out because they would mix adjusted and unadjusted closes.

    Parameters
    ----------
    rows : DataFrame
        symbol, date, open, high, low, close, adj_close, volume, and has_adj_close: whether the file gave one.
    source : str
        Where they come from, for data_source.
    """
    table = tables.market_data_cache
    labels = rows["has_adj_close"].map({True: source, False: source + CLOSE_ONLY})
    incoming = rows.drop(columns="has_adj_close").assign(data_source=labels)
    mixed = _mixed(connection, incoming)
    incoming = incoming[~incoming["symbol"].isin(mixed)]
    return write.upsert(connection, table, incoming, key=["symbol", "date"]), mixed


def _mixed(connection: sa.Connection, incoming: pd.DataFrame) -> list[str]:
    """Symbols of which one basis is stored for days that the other does not replace."""
    table = tables.market_data_cache
    symbols = sorted(set(incoming["symbol"]))
    wanted = table.c.symbol == sa.any_(sa.cast(symbols, sa.ARRAY(sa.Text)))
    stored = fetch(connection, sa.select(table.c.symbol, table.c.date, table.c.data_source).where(wanted))
    if stored.empty:
        return []
    new = incoming[["symbol"]].assign(date=pd.to_datetime(incoming["date"]), new=incoming["data_source"].str.endswith(CLOSE_ONLY))
    kept = stored.merge(new[["symbol", "date"]], how="left", indicator=True, on=["symbol", "date"]).query("_merge == 'left_only'")
    basis = kept.assign(kept=kept["data_source"].str.endswith(CLOSE_ONLY)).groupby("symbol")["kept"].agg(["any", "all"])
    of_file = new.groupby("symbol")["new"].first()
    both = basis.join(of_file, how="inner")
    return sorted(both.index[both["any"] & ~both["new"] | ~both["all"] & both["new"]])


def profiles(connection: sa.Connection, rows: pd.DataFrame, source: str) -> Written:
    """Store company profiles, one per symbol."""
    return write.upsert(connection, tables.company_profiles, rows.assign(data_source=source), key=["symbol"])


def benchmark(connection: sa.Connection, rows: pd.DataFrame, code: str, source: str) -> Written:
    """Make ``rows`` (date, sector, weight) the benchmark's sector weights on their dates."""
    table = tables.benchmarks_sector_weights
    frame = rows.rename(columns={"date": "asof_date"}).assign(benchmark_code=code, data_source=source)
    scope = sa.and_(table.c.benchmark_code == code, table.c.asof_date.in_(sorted(set(rows["date"]))))
    return write.replace(connection, table, frame, key=("benchmark_code", "asof_date", "sector"), scope=scope)


def keep_setting(connection: sa.Connection, name: str, value: str) -> None:
    """Keep a setting with the database, such as the market index that its data use."""
    rows = pd.DataFrame([{"name": name, "value": value}])
    write.upsert(connection, tables.database_settings, rows, key=["name"])
