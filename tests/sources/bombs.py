"""Files whose few bytes stand for gigabytes, or that never end."""

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MEGABYTE = 1 << 20
_HEADER = b"symbol,date,close\n"


def gzip_bomb(folder: Path) -> Path:
    """Write 2.5 GB of prices in 11 MB."""
    return _packed(folder / "bomb.csv.gz", _HEADER, b"AAPL,2024-12-06,1.00\n" * 50_000, 2_500)


def gzip_of_blanks(folder: Path) -> Path:
    """Write 2 GB of spaces, on one line."""
    return _packed(folder / "blanks.csv.gz", b"symbol,date,close\n", b" " * MEGABYTE, 2_000)


def gzip_of_parquet(folder: Path) -> Path:
    """Write what begins as Parquet and goes on for 1.1 GB."""
    return _packed(folder / "bomb.parquet.gz", b"PAR1", bytes(MEGABYTE), 1_100)


def _packed(path: Path, head: bytes, piece: bytes, count: int) -> Path:
    """Write gzip members: the same compressed piece, again and again."""
    with path.open("wb") as file:
        file.write(gzip.compress(head))
        member = gzip.compress(piece)
        for _ in range(count):
            file.write(member)
    return path


def one_line(folder: Path) -> Path:
    """Write a line of 100 MB."""
    return _written(folder / "line.csv", [_HEADER, b"A" * (100 * MEGABYTE)])


def million_columns(folder: Path) -> Path:
    """Write a header of a million names, and a row."""
    header = ",".join(["symbol", "date", "close", *(f"c{n}" for n in range(1_000_000))])
    return _written(folder / "columns.csv", [header.encode(), b"\n", b"," * 1_000_002, b"\n"])


def short_names(folder: Path) -> Path:
    """Write a header of 300,000 empty names, on a line that is short enough."""
    return _written(
        folder / "names.csv", [b"symbol,date,close" + b"," * 300_000 + b"\n" + b"," * 300_002]
    )


def tiny_symbols(folder: Path) -> Path:
    """Write 1.5 million different symbols."""
    rows = (f"{n:X},2024-12-06,1\n".encode() for n in range(1_500_000))
    return _written(folder / "symbols.csv", [_HEADER, b"".join(rows)])


def tiny_dates(folder: Path) -> Path:
    """Write half a million different times."""
    rows = (f"A,2024-12-06 00:00:00.{n},1\n".encode() for n in range(500_000))
    return _written(folder / "dates.csv", [_HEADER, b"".join(rows)])


def bad_rows(folder: Path) -> Path:
    """Write a million rows without a price."""
    return _written(folder / "bad.csv", [_HEADER, b"A,2024-12-06,x\n" * 1_000_000])


def torn_rows(folder: Path) -> Path:
    """Write a million rows that lack a cell."""
    return _written(folder / "torn.csv", [_HEADER, b"A,2024-12-06\n" * 1_000_000])


def blank_lines(folder: Path) -> Path:
    """Write 20 million line ends."""
    return _written(folder / "blank.csv", [_HEADER, b"\n" * (20 * MEGABYTE)])


def another_table(folder: Path) -> Path:
    """Write 900 MB, of which little is on the disk, of a table of something else."""
    path = _written(folder / "other.csv", [b"text,number\n", b"x,1\n" * 300_000])
    os.truncate(path, 900 * MEGABYTE)
    return path


def sparse(folder: Path) -> Path:
    """Write a file of 8 TB, none of which is on the disk."""
    path = _written(folder / "sparse.csv", [_HEADER])
    os.truncate(path, 8 << 40)
    return path


def equal_rows(folder: Path) -> Path:
    """Write 15 million equal rows as Parquet: run-length encoding stores a single value."""
    columns = {"symbol": pa.repeat("AAPL", 5_000_000), **_rest(5_000_000)}
    repeated = pa.table(columns)
    path = folder / "rows.parquet"
    with pq.ParquetWriter(path, repeated.schema) as writer:
        for _ in range(3):
            writer.write_table(repeated)
    return path


def long_cells(folder: Path) -> Path:
    """Write 100,000 cells of a megabyte each as Parquet, all the same."""
    cells = pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int32()), 100_000), pa.array(["A" * MEGABYTE])
    )
    return _parquet(folder / "cells.parquet", {"symbol": cells, **_rest(100_000)})


def wide_cells(folder: Path) -> Path:
    """Write 15,000 equal cells of 100 kB each as Parquet, with the length as part of the type."""
    value = pa.array([b"A" * 100_000], pa.binary(100_000))
    cells = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 500), value)
    table = pa.table({"symbol": cells, **_rest(500)})
    path = folder / "wide.parquet"
    with pq.ParquetWriter(
        path, table.schema, store_schema=False
    ) as writer:  # expands what it writes
        for _ in range(30):
            writer.write_table(table)
    return path


def growing_cells(folder: Path) -> Path:
    """Write cells that each repeat all of the one before but for its end."""
    cells = pa.array(["A" * 100_000 + str(n) for n in range(2_000)])
    columns = {"symbol": cells, **_rest(2_000)}
    path = folder / "growing.parquet"
    table = pa.table(columns)
    with pq.ParquetWriter(
        path, table.schema, use_dictionary=False, column_encoding={"symbol": "DELTA_BYTE_ARRAY"}
    ) as writer:
        for _ in range(6):
            writer.write_table(table)
    return path


def nested_cells(folder: Path) -> Path:
    """Write a list of a million numbers in one cell."""
    cells = pa.array([[0.0] * 1_000_000], pa.list_(pa.float64()))
    return _parquet(folder / "nested.parquet", {"symbol": cells, **_rest(1)})


def parquet_columns(folder: Path) -> Path:
    """Write 50,000 columns as Parquet."""
    return _parquet(
        folder / "columns.parquet",
        {"symbol": ["A"], **_rest(1), **{f"c{n}": [1] for n in range(50_000)}},
    )


def _rest(n_rows: int) -> dict[str, pa.Array]:
    return {"date": pa.repeat("2024-12-06", n_rows), "close": pa.repeat(1.0, n_rows)}


def _parquet(path: Path, columns: dict[str, object]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def _written(path: Path, pieces: list[bytes]) -> Path:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    return path


def device(_: Path) -> Path:
    """Give a device that never ends."""
    return Path("/dev/zero")


ALL = (
    gzip_bomb,
    gzip_of_blanks,
    gzip_of_parquet,
    one_line,
    million_columns,
    short_names,
    tiny_symbols,
    tiny_dates,
    bad_rows,
    torn_rows,
    blank_lines,
    another_table,
    sparse,
    equal_rows,
    long_cells,
    wide_cells,
    growing_cells,
    nested_cells,
    parquet_columns,
    device,
)
