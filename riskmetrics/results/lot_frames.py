"""Properties of lots as read by `db.input_queries`: kind, underlying, and open sessions."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, DateArray, IntArray
from riskmetrics.metrics.portfolio import is_open

OPTION_RIGHTS = {"LC": "CALL", "SC": "CALL", "LP": "PUT", "SP": "PUT"}
"""Right of an option by position type; other position types are not options."""

NO_RETURN_SERIES = "an option or a private holding has no return series of its own"
"""Reason of undefined return figures of a position."""


def open_positions(lots: pd.DataFrame, sessions: Sequence[date]) -> tuple[IntArray, IntArray]:
    """Return the rows of lots and of sessions for every lot open at a close, lot by lot."""
    lot, day = np.nonzero(
        is_open(
            date_array(lots, "entry_date"),
            date_array(lots, "exit_date"),
            np.array(sessions, dtype="datetime64[D]"),
        )
    )
    return lot, day


def open_symbols(
    lots: pd.DataFrame, sessions: Sequence[date], symbols: "pd.Index[str]"
) -> tuple[IntArray, IntArray]:
    """Return rows of sessions and columns of ``symbols`` that open lots depend on, by session."""
    lot, day = open_positions(lots, sessions)
    column = symbols.get_indexer(pd.Index(underlying(lots)))[lot]
    held = np.zeros((len(sessions), len(symbols)), dtype=bool)
    held[day[column >= 0], column[column >= 0]] = True
    rows, columns = np.nonzero(held)
    return rows, columns


def is_listed(lots: pd.DataFrame) -> BoolArray:
    """Return whether each holding has closes of its own: neither an option nor private."""
    return ~(is_option(lots) | _is_private(lots))


def _is_private(lots: pd.DataFrame) -> BoolArray:
    return (lots["investment_class"] == "PRIVATE").to_numpy(bool)


def is_option(lots: pd.DataFrame) -> BoolArray:
    """Return whether each holding is an option."""
    return lots["position_type"].isin(OPTION_RIGHTS).to_numpy(bool)


def underlying(lots: pd.DataFrame) -> "pd.Series[str]":
    """Return the symbol whose price drives each holding; missing for a private holding.

    It is the symbol itself of a listed holding, and the underlying of an option.
    """
    option, private = is_option(lots), _is_private(lots)
    symbols = lots["symbol"].mask(option, lots["underlying_symbol"].fillna(lots["symbol"]))
    return symbols.where(option | ~private)


def date_array(lots: pd.DataFrame, column: str) -> DateArray:
    """Return a column of dates as an array, (L,); NaT where missing."""
    return lots[column].to_numpy("datetime64[D]")
