"""Faults of stored prices on a session: of what is held on it, and of the indices."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import input_queries
from riskmetrics.db.price_decisions import read_accepted_moves
from riskmetrics.db.split_suspects import find_import_splices, find_suspected_splits
from riskmetrics.panels import Bars
from riskmetrics.results import price_faults


class StoredFaults(NamedTuple):
    """Faults, and the prices in which they were searched."""

    found: pd.DataFrame
    """Rows of `price_faults.find_faults`."""
    bars: Bars


def read_faults(connection: sa.Connection, day: date, indices: Iterable[str]) -> StoredFaults:
    """Find the faults of prices up to a session, as the run of that session warns of them."""
    sessions = price_faults.required_sessions(day)
    bars = input_queries.read_held_bars(connection, sessions, indices)
    symbols = bars.close.columns
    found = price_faults.find_faults(
        bars,
        find_suspected_splits(connection, symbols),
        find_import_splices(connection, symbols, sessions),
        read_accepted_moves(connection),
    )
    return StoredFaults(found, bars)
