"""What users' files bring: rows into their tables, bad rows beside them with the reason."""

import hashlib
from collections.abc import Iterable

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables, write
from riskmetrics.db.copy import fetch, server_encoding
from riskmetrics.db.read import CLOSE_ONLY, any_of
from riskmetrics.db.write import Written

MAX_RAW_ROW = 2_000
"""Characters of a rejected row that are kept; the readers of files keep as many bytes."""


def reject(connection: sa.Connection, kind: str, source: str, rows: Iterable[tuple[int | None, str, str]]) -> int:
    """Keep rows that were not taken, as (line, raw row, reason); the same rejection again is the same row. Returns their number."""
    count, kept, encoding = 0, {}, server_encoding(connection)
    for line, *given in rows:
        source_text, raw_row, reason = (_storable(text, encoding) for text in (source, *given))
        texts = {"kind": kind, "source": source_text, "raw_row": raw_row[:MAX_RAW_ROW], "reason": reason}
        digest = hashlib.sha256("\x1f".join([*texts.values(), str(line)]).encode()).hexdigest()
        kept[digest] = {**texts, "line": line, "digest": digest}
        count += 1
    if kept:
        write.upsert(connection, tables.rejected_rows, pd.DataFrame(list(kept.values())).astype({"line": "Int64"}), key=["digest"])
    return count


def _storable(text: str, encoding: str) -> str:
    """Return text without what Postgres refuses: that may be what is wrong with a row.

    A NUL and half a surrogate pair are replaced. Where the database's encoding is not UTF-8, what is
    not ASCII is spelled out as Python does in a literal.
    """
    if encoding not in ("UTF8", "SQL_ASCII"):  # the latter stores bytes as they come
        return text.replace("\x00", "\\x00").encode("ascii", "backslashreplace").decode()
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def prices(connection: sa.Connection, rows: pd.DataFrame, source: str) -> tuple[Written, list[str]]:
    """Store daily prices; returns the symbols left out because they would mix adjusted and unadjusted closes.

    A file of one kind replaces a history of the other only as a whole. Open, high, low and volume that the file lacks
    stay as they are stored, unless the close of that day changes: then they may be of another basis, and go.

    Parameters
    ----------
    rows : DataFrame
        symbol, date, open, high, low, close, adj_close, volume, and has_adj_close: whether the file gave one.
    source : str
        Where they come from, for data_source.
    """
    write.lock(connection, "prices")  # what is stored of a symbol must not change between the look at it and the write
    mixed = _mixed(connection, rows)
    taken = rows[~rows["symbol"].isin(mixed)]
    labels = taken["has_adj_close"].map({True: source, False: source + CLOSE_ONLY})
    incoming = taken.drop(columns="has_adj_close").assign(data_source=labels)
    return write.upsert(connection, tables.market_data_cache, incoming, key=["symbol", "date"], keep_while_same="close"), mixed


def _mixed(connection: sa.Connection, rows: pd.DataFrame) -> list[str]:
    """Symbols of which closes of the other kind are stored for days that the file does not replace."""
    table = tables.market_data_cache

    def stored(symbols: "pd.Series[str]", *, close_only: bool) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.symbol == any_of(symbols.unique()), table.c.data_source.endswith(CLOSE_ONLY) == sa.literal(close_only))

    adjusted = rows["has_adj_close"]
    other = sa.or_(stored(rows["symbol"][adjusted], close_only=True), stored(rows["symbol"][~adjusted], close_only=False))
    days = fetch(connection, sa.select(table.c.symbol, table.c.date).where(other))
    replaced = pd.MultiIndex.from_arrays([rows["symbol"], pd.to_datetime(rows["date"])])
    return sorted(days["symbol"][~pd.MultiIndex.from_frame(days).isin(replaced)].unique())


def profiles(connection: sa.Connection, rows: pd.DataFrame, source: str) -> Written:
    """Store company profiles, one per symbol; what the file lacks, a column or a cell, stays as it is stored."""
    write.lock(connection, "profiles")
    return write.upsert(connection, tables.company_profiles, rows.assign(data_source=source), key=["symbol"])


def benchmark(connection: sa.Connection, rows: pd.DataFrame, code: str, source: str) -> Written:
    """Make ``rows`` (date, sector, weight, market_cap, num_constituents) the benchmark's sector weights on their dates."""
    table = tables.benchmarks_sector_weights
    frame = rows.rename(columns={"date": "asof_date"}).assign(benchmark_code=code, data_source=source)
    scope = sa.and_(table.c.benchmark_code == code, table.c.asof_date.in_(sorted(set(rows["date"]))))
    return write.replace(connection, table, frame, key=("benchmark_code", "asof_date", "sector"), scope=scope)


def scenarios(connection: sa.Connection, rows: pd.DataFrame, *, only: bool) -> Written:
    """Make ``rows`` the stress scenarios of their names, or with ``only`` all that there are."""
    table = tables.stress_scenarios
    write.lock(connection, "scenarios")
    scope = sa.true() if only else table.c.name == any_of(rows["name"])
    return write.replace(connection, table, rows, key=["name"], scope=scope)


def keep_setting(connection: sa.Connection, name: str, value: str) -> None:
    """Keep a setting with the database, such as the market index that its data use."""
    rows = pd.DataFrame([{"name": name, "value": value}])
    write.upsert(connection, tables.database_settings, rows, key=["name"])
