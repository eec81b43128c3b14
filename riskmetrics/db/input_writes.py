"""What users' files bring: rows into their tables, bad rows beside them with the reason."""

import hashlib
from collections.abc import Iterable

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables, write
from riskmetrics.db.copy import fetch_frame, server_encoding
from riskmetrics.db.input_queries import CLOSE_ONLY_SUFFIX, any_of
from riskmetrics.db.write import WriteCounts

MAX_RAW_ROW_CHARS = 2_000
"""Characters of a rejected row that are kept; the readers of files keep as many bytes."""


def store_rejected_rows(
    connection: sa.Connection, kind: str, source: str, rows: Iterable[tuple[int | None, str, str]]
) -> int:
    """Keep rows that were not taken, as (line, raw row, reason); the same rejection again is the same row. Returns their number."""
    count, rows_by_digest, encoding = 0, {}, server_encoding(connection)
    for line, *fields in rows:
        source_text, raw_row, reason = (
            _to_storable_text(text, encoding) for text in (source, *fields)
        )
        texts = {
            "kind": kind,
            "source": source_text,
            "raw_row": raw_row[:MAX_RAW_ROW_CHARS],
            "reason": reason,
        }
        digest = hashlib.sha256("\x1f".join([*texts.values(), str(line)]).encode()).hexdigest()
        rows_by_digest[digest] = {**texts, "line": line, "digest": digest}
        count += 1
    if rows_by_digest:
        write.upsert_rows(
            connection,
            tables.rejected_rows,
            pd.DataFrame(list(rows_by_digest.values())).astype({"line": "Int64"}),
            key=["digest"],
        )
    return count


def _to_storable_text(text: str, encoding: str) -> str:
    """Return text without what Postgres refuses: that may be what is wrong with a row.

    A NUL and half a surrogate pair are replaced. Where the database's encoding is not UTF-8, what
    is not ASCII is spelled out as Python does in a literal.
    """
    if encoding not in ("UTF8", "SQL_ASCII"):  # the latter stores bytes as they come
        return text.replace("\x00", "\\x00").encode("ascii", "backslashreplace").decode()
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def store_prices(
    connection: sa.Connection, rows: pd.DataFrame, source: str
) -> tuple[WriteCounts, list[str]]:
    """Store daily prices; returns the symbols left out because they would mix adjusted and unadjusted closes.

    A file of one kind replaces a history of the other only as a whole. Open, high, low and volume
    that the file lacks stay as they are stored, unless the close of that day changes: then they may
    be of another basis, and go.

    Parameters
    ----------
    rows : DataFrame
        symbol, date, open, high, low, close, adj_close, volume, and has_adj_close: whether the file
        gave one.
    source : str
        Where they come from, for data_source.
    """
    write.lock_asset(
        connection, "prices"
    )  # what is stored of a symbol must not change between the look at it and the write
    mixed_symbols = _find_mixed_symbols(connection, rows)
    accepted = rows[~rows["symbol"].isin(mixed_symbols)]
    labels = accepted["has_adj_close"].map({True: source, False: source + CLOSE_ONLY_SUFFIX})
    incoming = accepted.drop(columns="has_adj_close").assign(data_source=labels)
    return (
        write.upsert_rows(
            connection,
            tables.market_data_cache,
            incoming,
            key=["symbol", "date"],
            basis_column="close",
        ),
        mixed_symbols,
    )


def _find_mixed_symbols(connection: sa.Connection, rows: pd.DataFrame) -> list[str]:
    """Symbols of which closes of the other kind are stored for days that the file does not replace."""
    table = tables.market_data_cache

    def has_close_kind(symbols: "pd.Series[str]", *, close_only: bool) -> sa.ColumnElement[bool]:
        return sa.and_(
            table.c.symbol == any_of(symbols.unique()),
            table.c.data_source.endswith(CLOSE_ONLY_SUFFIX) == sa.literal(close_only),
        )

    adjusted = rows["has_adj_close"]
    other_kind = sa.or_(
        has_close_kind(rows["symbol"][adjusted], close_only=True),
        has_close_kind(rows["symbol"][~adjusted], close_only=False),
    )
    days = fetch_frame(connection, sa.select(table.c.symbol, table.c.date).where(other_kind))
    replaced = pd.MultiIndex.from_arrays([rows["symbol"], pd.to_datetime(rows["date"])])
    return sorted(days["symbol"][~pd.MultiIndex.from_frame(days).isin(replaced)].unique())


def store_profiles(connection: sa.Connection, rows: pd.DataFrame, source: str) -> WriteCounts:
    """Store company profiles, one per symbol; what the file lacks, a column or a cell, stays as it is stored."""
    write.lock_asset(connection, "profiles")
    return write.upsert_rows(
        connection, tables.company_profiles, rows.assign(data_source=source), key=["symbol"]
    )


def store_benchmark_weights(
    connection: sa.Connection, rows: pd.DataFrame, code: str, source: str
) -> WriteCounts:
    """Make ``rows`` (date, sector, weight, market_cap, num_constituents) the benchmark's sector weights on their dates."""
    table = tables.benchmarks_sector_weights
    frame = rows.rename(columns={"date": "asof_date"}).assign(
        benchmark_code=code, data_source=source
    )
    scope = sa.and_(
        table.c.benchmark_code == code, table.c.asof_date.in_(sorted(set(rows["date"])))
    )
    return write.replace_rows(
        connection, table, frame, key=("benchmark_code", "asof_date", "sector"), scope=scope
    )


def store_scenarios(
    connection: sa.Connection, rows: pd.DataFrame, *, is_complete_set: bool
) -> WriteCounts:
    """Make ``rows`` the stress scenarios of their names, or with ``is_complete_set`` all that there are."""
    table = tables.stress_scenarios
    write.lock_asset(connection, "scenarios")
    scope = sa.true() if is_complete_set else table.c.name == any_of(rows["name"])
    return write.replace_rows(connection, table, rows, key=["name"], scope=scope)


def store_setting(connection: sa.Connection, name: str, value: str) -> None:
    """Keep a setting with the database, such as the market index that its data use."""
    rows = pd.DataFrame([{"name": name, "value": value}])
    write.upsert_rows(connection, tables.database_settings, rows, key=["name"])
