"""Refusal of prices of several times of a day."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError
from riskmetrics.sources import cells
from riskmetrics.sources.row_validation import Notation
from riskmetrics.sources.tabular_files import Table

_CLOCK = re.compile(r"\d[T ]\d?\d:?\d\d|\d{9}")
"""Part of a date with a time."""
_MIDNIGHT = re.compile(r"\d[T ]00?:?00")
"""Part of a date with midnight, which labels a day."""


def refuse_intraday(table: Table, notation: Notation) -> None:
    """Raise DataQualityError if a symbol has several times on a day: none of them is the close.

    The time is in the column ``date``, or in the column ``clock``.
    """
    distinct = pc.unique(cells.trim_text(table.columns["date"])).to_pylist()
    if "clock" not in table.columns and not any(_CLOCK.search(text or "") for text in distinct):
        return
    stamps, texts = pd.factorize(table.text("date"))
    column = pa.chunked_array([pa.array([*texts], pa.string())])
    days = cells.parse_dates(column, notation.date_order, table.default_order)[0][stamps]
    frame = pd.DataFrame(
        {
            "symbol": table.text("symbol"),
            "day": days.astype(np.int64),
            "stamp": stamps,
            "clock": table.text("clock"),
        }
    )[~np.isnat(days) & ~table.text("date").str.contains(_MIDNIGHT)].drop_duplicates()
    repeated = frame[frame.duplicated(["symbol", "day"])]
    if len(repeated):
        first = repeated.iloc[0]
        raise DataQualityError(
            f"{table.path} has several times of {first['symbol']} on"
            f" {np.datetime64(int(first['day']), 'D')}. Import daily prices, not intraday prices"
        )
