"""Panels of prices from the rows of a file."""

from collections.abc import Sequence
from datetime import date

import pandas as pd


def pivot_rows(
    rows: pd.DataFrame, sessions: Sequence[date], symbols: Sequence[str], name: str
) -> pd.DataFrame:
    """Return a column of rows of prices as sessions x symbols; NaN where there is none."""
    panel = rows.assign(date=pd.to_datetime(rows["date"])).pivot(
        index="date", columns="symbol", values=name
    )
    found = panel.reindex(
        pd.to_datetime(list(sessions)), columns=pd.Index(list(symbols), dtype="str")
    )
    return found.rename_axis(index=None, columns=None).astype(float)
