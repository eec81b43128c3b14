"""Lots as `db.input_queries` gives them: of what kind each is, what it moves with, and on which days it is open."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray, DateArray, IntArray
from riskmetrics.metrics.portfolio import is_open

CONTRACT_SIZE = 100
"""Shares of the underlying per option contract."""

OPTION_RIGHTS = {"LC": "CALL", "SC": "CALL", "LP": "PUT", "SP": "PUT"}
"""What an option of each position type is a right to: the others are no options."""

NO_RETURN_SERIES = "an option or a private holding has no return series of its own"
"""Why a figure of returns is undefined of a position."""


def open_positions(lots: pd.DataFrame, days: Sequence[date]) -> tuple[IntArray, IntArray]:
    """Row of the lot and of the day, two arrays of one length, for every lot held at the close of a day; lot by lot."""
    lot, day = np.nonzero(
        is_open(
            date_array(lots, "entry_date"),
            date_array(lots, "exit_date"),
            np.array(days, dtype="datetime64[D]"),
        )
    )
    return lot, day


def open_symbols(
    lots: pd.DataFrame, days: Sequence[date], symbols: "pd.Index[str]"
) -> tuple[IntArray, IntArray]:
    """Row of the day and column among ``symbols`` for every symbol that is the underlying of a lot open at the close of a day; by day."""
    lot, day = open_positions(lots, days)
    column = symbols.get_indexer(pd.Index(underlying(lots)))[lot]
    held = np.zeros((len(days), len(symbols)), dtype=bool)
    held[day[column >= 0], column[column >= 0]] = True
    rows, columns = np.nonzero(held)
    return rows, columns


def is_listed(lots: pd.DataFrame) -> BoolArray:
    """Whether a holding is one whose symbol has closes: neither an option nor private."""
    return ~(is_option(lots) | (lots["investment_class"] == "PRIVATE").to_numpy(bool))


def is_option(lots: pd.DataFrame) -> BoolArray:
    """Whether a holding is an option."""
    return lots["position_type"].isin(OPTION_RIGHTS).to_numpy(bool)


def underlying(lots: pd.DataFrame) -> "pd.Series[str]":
    """Symbol that a holding moves with: its own if it is listed, that of what an option is on; missing for a private holding."""
    return (
        lots["symbol"]
        .mask(is_option(lots), lots["underlying_symbol"].fillna(lots["symbol"]))
        .where(is_listed(lots) | is_option(lots))
    )


def date_array(lots: pd.DataFrame, column: str) -> DateArray:
    """A column of dates as an array, (L,): NaT where there is none."""
    return lots[column].to_numpy("datetime64[D]")
