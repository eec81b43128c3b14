"""Refusal of prices of several times of a day."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError
from riskmetrics.sources import cells
from riskmetrics.sources.dates import has_time
from riskmetrics.sources.row_validation import Notation
from riskmetrics.sources.tabular_files import Table


def refuse_intraday(table: Table, notation: Notation) -> None:
    """Raise DataQualityError if a symbol has several times on a day: none of them is the close.

    The time is in the column ``date``, or in the column ``clock``. On the last day of a symbol, a
    row without a time may be next to one with the time of its last quote, as Yahoo writes it.
    """
    has_clock = "clock" in table.columns
    distinct = pc.unique(cells.trim_text(table.columns["date"])).to_pylist()
    timed = {text for text in distinct if text and has_time(text)}
    if not has_clock and not timed:
        return
    stamps, texts = pd.factorize(table.text("date"))
    column = pa.chunked_array([pa.array([*texts], pa.string())])
    days = cells.parse_dates(column, notation.date_order, table.default_order)[0][stamps]
    times = np.where([text in timed for text in texts], np.arange(len(texts)), -1)[stamps]
    frame = pd.DataFrame(
        {
            "symbol": table.text("symbol"),
            "day": days.astype(np.int64),
            "time": times,
            "clock": table.text("clock"),
        }
    )[~np.isnat(days)].drop_duplicates()
    if not has_clock:
        last = frame.groupby("symbol")["day"].transform("max")
        frame = frame[(frame["time"] >= 0) | (frame["day"] < last)]
    repeated = frame[frame.duplicated(["symbol", "day"])]
    if len(repeated):
        first = repeated.iloc[0]
        raise DataQualityError(
            f"{table.path} has several times of {first['symbol']} on"
            f" {np.datetime64(int(first['day']), 'D')}. Import daily prices, not intraday prices"
        )
