"""Limits of a table: columns, rejected rows, and distinct values of a column."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError
from riskmetrics.size_limits import Limits

CARDINALITY_COLUMNS = {"symbol", "date"}
"""Columns whose number of distinct values is limited."""


class CardinalityLimiter:
    """Limits the number of distinct values of the columns of a file."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._values: dict[str, set[object]] = {}

    def add(self, name: str, values: pa.Array | pa.ChunkedArray) -> None:
        """Add values, or raise DataQualityError if the distinct values exceed the limit."""
        found = self._values.setdefault(name, set())
        distinct = pc.unique(values)
        if len(distinct) <= self._limits.symbols:
            found.update(distinct.to_pylist())
        if max(len(distinct), len(found)) > self._limits.symbols:
            raise DataQualityError(
                f"{self._path} has more than {self._limits.symbols:,} distinct values in the"
                f" column {name}. Check the column, or raise RISKMETRICS_MAX_SYMBOLS"
            )


def too_many_rejected_error(path: Path, limits: Limits) -> DataQualityError:
    """Return the error for a file with more rejected rows than the limit."""
    return DataQualityError(
        f"{path} has more than {limits.rejected_rows:,} rejected rows. Check that it is the right"
        " file, or raise RISKMETRICS_MAX_REJECTED_ROWS"
    )


def check_column_count(path: Path, n_columns: int, limits: Limits) -> None:
    """Raise DataQualityError if a file has more columns than the limit."""
    if n_columns > limits.columns:
        raise DataQualityError(
            f"{path} has {n_columns:,} columns (maximum {limits.columns:,}). Remove columns, or"
            " raise RISKMETRICS_MAX_COLUMNS"
        )
