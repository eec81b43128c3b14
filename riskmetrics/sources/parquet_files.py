"""Reading of Parquet files, with limits checked before decompression."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskmetrics.errors import DataQualityError
from riskmetrics.size_limits import MEGABYTE, Limits
from riskmetrics.sources.gzip_stream import is_gzip_stream
from riskmetrics.sources.raw_files import (
    file_too_large,
    measure_size,
    read_whole,
    too_many_rows_error,
)

_MAX_FOOTER_BYTES = 8 * MEGABYTE
"""Maximum size of the metadata; a thousand columns in ten row groups take 1 MB."""

_BATCH_ROWS = 65_536
"""Rows per batch."""


def read_parquet(
    path: Path, stream: BinaryIO, choose: Callable[[list[str]], Mapping[str, int]], limits: Limits
) -> pa.Table:
    """Read the chosen columns of a Parquet file.

    Parameters
    ----------
    path : Path
        Name of the file in errors.
    stream : BinaryIO
        Content of the file.
    choose : callable
        Maps the headers to the columns to read: new name and position of each.
    limits : Limits
        Limits that the decoded content is checked against, whatever the metadata states.

    Raises
    ------
    DataQualityError
        If the file has no row, or exceeds a limit of rows, cell length or bytes.
    """
    if is_gzip_stream(stream):  # Parquet is read from its end, where a gzip stream cannot seek
        measure_size(path, stream, limits)
        stream = io.BytesIO(read_whole(path, stream, limits))
    described = _open_checked(path, stream, limits)
    headers = list(described.schema_arrow.names)
    chosen = {name: headers[position] for name, position in choose(headers).items()}
    texts = _require_flat_columns(path, described.schema_arrow, list(chosen.values()))
    _reject_oversized(path, described.metadata, set(chosen.values()), limits)
    stream.seek(0)
    file = pq.ParquetFile(stream, read_dictionary=texts, pre_buffer=False)
    size, batches = 0, []
    for batch in file.iter_batches(_BATCH_ROWS, columns=list(chosen.values()), use_threads=False):
        columns = [batch.column(header) for header in chosen.values()]
        size += sum(_decoded_size(path, column, limits) for column in columns)
        if size > limits.file_bytes:
            raise file_too_large(path, limits, " of cells")
        spelled = [_decode_dictionary(column) for column in columns]
        batches.append(pa.RecordBatch.from_arrays(spelled, names=list(chosen)))
    if not batches:
        raise DataQualityError(f"{path} has columns but no row")
    return pa.Table.from_batches(batches)


def _open_checked(path: Path, stream: BinaryIO, limits: Limits) -> pq.ParquetFile:
    """Open a Parquet file after checking the size of its metadata and the number of rows."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(size - 8, 0))
    if int.from_bytes(stream.read(4), "little") > _MAX_FOOTER_BYTES:
        raise DataQualityError(
            f"{path} cannot be read as a table: it is damaged, or has thousands of columns"
        )
    stream.seek(0)
    file = pq.ParquetFile(stream, pre_buffer=False)
    if not file.metadata.num_rows:
        raise DataQualityError(f"{path} has columns but no row")
    groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
    if max(file.metadata.num_rows, sum(group.num_rows for group in groups)) > limits.rows:
        raise too_many_rows_error(path, limits)
    return file


def _require_flat_columns(path: Path, schema: pa.Schema, headers: list[str]) -> list[str]:
    """Return the text columns, or raise DataQualityError if a column has lists or records."""
    for header in headers:
        if pa.types.is_nested(schema.field(header).type):
            raise DataQualityError(
                f"{path} has lists or records in the column {header}. Write one value per cell"
            )
    return [header for header in headers if _is_text(schema.field(header).type)]


def _reject_oversized(
    path: Path, metadata: pq.FileMetaData, headers: set[str], limits: Limits
) -> None:
    """Reject columns whose metadata states a decompressed size above the limit."""
    size = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            chunk = group.column(place)
            if chunk.path_in_schema not in headers:
                continue
            size += chunk.total_uncompressed_size
            if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY":  # a dictionary has each value once
                size += chunk.num_values * metadata.schema.column(place).length
            if "DELTA_BYTE_ARRAY" in chunk.encodings:  # a cell may repeat all of the one before
                size += chunk.num_values * min(chunk.total_uncompressed_size, limits.line_bytes)
    if size > limits.file_bytes:
        raise file_too_large(path, limits, " of cells")


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    return any(check(kind) for check in (*checks, pa.types.is_large_binary))


def _decoded_size(path: Path, column: pa.Array, limits: Limits) -> int:
    """Return the decoded bytes of a column, or raise DataQualityError for a long cell."""
    if not pa.types.is_dictionary(column.type) or not _is_text(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    if (pc.max(lengths).as_py() or 0) > limits.line_bytes:
        raise DataQualityError(
            f"{path} has a cell longer than {limits.line_bytes // 1024:,} KB. Check that it is a"
            " table, or raise RISKMETRICS_MAX_LINE_KB"
        )
    return int(pc.sum(pc.cast(lengths.take(column.indices), pa.int64())).as_py() or 0)


def _decode_dictionary(column: pa.Array) -> pa.Array:
    """Return a column with its dictionary decoded and its text validated as UTF-8."""
    if pa.types.is_dictionary(column.type):
        column.dictionary.validate(full=True)
        column = pc.cast(column, column.type.value_type)
    if _is_text(column.type):
        column = pc.cast(column, pa.string())
        column.validate(full=True)
    return column
