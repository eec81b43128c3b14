"""Store the rows of imported files, and rejected rows with their reasons."""

import hashlib
from collections.abc import Iterable

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import identifier_store, tables, write
from riskmetrics.db.copy import fetch_frame, server_encoding
from riskmetrics.db.sql_expressions import CLOSE_ONLY_SUFFIX, any_of
from riskmetrics.db.write import WriteCounts

MAX_RAW_ROW_CHARS = 2_000
"""Stored characters of a rejected row; the file readers keep as many bytes."""


def store_rejected_rows(
    connection: sa.Connection, kind: str, source: str, rows: Iterable[tuple[int | None, str, str]]
) -> int:
    """Store rejected rows, each as (line, raw row, reason); return their number.

    The same rejection is stored only once.
    """
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


def count_rejected_rows(connection: sa.Connection, source: str) -> int:
    """Return the number of stored rejections of a file or vendor."""
    rejected = tables.rejected_rows
    count = sa.select(sa.func.count()).select_from(rejected).where(rejected.c.source == source)
    return int(connection.execute(count).scalar_one())


def _to_storable_text(text: str, encoding: str) -> str:
    """Replace characters that Postgres cannot store: they may be the reason of the rejection.

    NULs and lone surrogates are replaced. If the encoding of the database is not UTF-8, characters
    that are not ASCII are escaped as in a Python literal.
    """
    if encoding not in ("UTF8", "SQL_ASCII"):  # SQL_ASCII stores any bytes
        return text.replace("\x00", "\\x00").encode("ascii", "backslashreplace").decode()
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def store_prices(
    connection: sa.Connection, rows: pd.DataFrame, source: str
) -> tuple[WriteCounts, list[str]]:
    """Store daily prices, except of symbols that would mix adjusted and unadjusted closes.

    A file of one kind replaces a history of the other kind only completely. Open, high, low and
    volume that are missing in the file keep their stored values, unless the close of the day
    changes: then they may have another basis and become NULL.

    Parameters
    ----------
    rows : DataFrame
        symbol, date, open, high, low, close, adj_close, volume, and has_adj_close: whether the file
        contained adj_close.
    source : str
        Value of data_source.

    Returns
    -------
    tuple of WriteCounts and list of str
        Written rows, and the symbols that were left out.
    """
    # Stored prices must not change between the check and the write.
    write.lock_asset(connection, "prices")
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


def delete_prices(connection: sa.Connection, symbol: str) -> int:
    """Delete the stored prices of a symbol, before others replace them; return their number."""
    table = tables.market_data_cache
    return connection.execute(sa.delete(table).where(table.c.symbol == symbol)).rowcount


def _find_mixed_symbols(connection: sa.Connection, rows: pd.DataFrame) -> list[str]:
    """Return the symbols with stored closes of the other kind on days that are not replaced."""
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
    """Store company profiles, one per symbol; missing columns and cells keep stored values.

    A column ``identifiers`` has the keys of the ISIN and CUSIP of each symbol. One that several
    symbols have is not stored.
    """
    write.lock_asset(connection, "profiles")
    if "identifiers" in rows:
        stated = rows[["identifiers", "symbol"]].explode("identifiers").dropna()
        unique = stated[~stated["identifiers"].duplicated(keep=False)]
        symbols = dict(zip(unique["identifiers"], unique["symbol"], strict=True))
        identifier_store.store_symbols(connection, symbols, source)
        rows = rows.drop(columns="identifiers")
    return write.upsert_rows(
        connection, tables.company_profiles, rows.assign(data_source=source), key=["symbol"]
    )


def store_benchmark_weights(
    connection: sa.Connection, rows: pd.DataFrame, code: str, source: str
) -> WriteCounts:
    """Replace the sector weights of a benchmark on the dates of ``rows``.

    Columns date, sector, weight, market_cap and num_constituents.
    """
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
    """Replace the stress scenarios named in ``rows``, or with ``is_complete_set`` all of them."""
    table = tables.stress_scenarios
    write.lock_asset(connection, "scenarios")
    scope = sa.true() if is_complete_set else table.c.name == any_of(rows["name"])
    return write.replace_rows(connection, table, rows, key=["name"], scope=scope)


def store_setting(connection: sa.Connection, name: str, value: str) -> None:
    """Store a setting in the database, such as the market index that its data use."""
    rows = pd.DataFrame([{"name": name, "value": value}])
    write.upsert_rows(connection, tables.database_settings, rows, key=["name"])
