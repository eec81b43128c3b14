"""Lines of a delimited text whose tables may begin anywhere, by each delimiter that splits it."""

import csv
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from riskmetrics.errors import DataQualityError
from riskmetrics.limits import Limits
from riskmetrics.sources.statement_lines import Line, split_records
from riskmetrics.sources.table_headers import DELIMITERS


def split_by_delimiters(path: Path, text: str) -> dict[str, list[Line]]:
    """Return the non-blank lines of a text by each delimiter that can split it.

    Raises
    ------
    DataQualityError
        If none can, or there is no line.
    """
    readings = {}
    for delimiter in DELIMITERS:
        with suppress(csv.Error):  # expected for a wrong delimiter
            readings[delimiter] = split_records(text, delimiter)
    if not readings:
        raise DataQualityError(
            f"{path} cannot be read as a table: a quotation mark is not closed or is inside a cell,"
            f" or a cell has more than {csv.field_size_limit():,} characters"
        )
    if not any(readings.values()):
        raise DataQualityError(f"{path} is empty")
    return readings


def widest_delimiter(readings: dict[str, list[Line]]) -> str:
    """Return the delimiter that gives most cells in one line."""
    return max(
        readings,
        key=lambda delimiter: max((len(line.cells) for line in readings[delimiter]), default=0),
    )


def require_columns_in_limit(path: Path, lines: Sequence[Line], limits: Limits) -> None:
    """Raise DataQualityError if a line has more cells than a file may have columns."""
    if max(line.n_cells for line in lines) > limits.columns:
        raise DataQualityError(
            f"{path} has more than {limits.columns:,} columns. Remove columns, or raise"
            " RISKMETRICS_MAX_COLUMNS"
        )
