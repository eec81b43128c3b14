"""Users' stress scenarios, read strictly: moves of the market and of rates, or windows of the past."""

from pathlib import Path

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.limits import DEFAULT, Limits
from riskmetrics.metrics._typing import DateArray
from riskmetrics.sources.review import Parsed, Review, dates_of
from riskmetrics.sources.tables import read_table

COLUMNS = {
    "name": ("name", "scenario", "scenarioname"),
    "market_move": ("marketmove", "market", "spy"),
    "rate_move": ("ratemove", "ratesmove", "rates", "tlt"),
    "first_day": ("firstday", "from", "start", "startdate", "begin"),
    "last_day": ("lastday", "to", "end", "enddate"),
    "description": ("description", "comment", "note", "notes"),
}
LONGEST_NAME = 64


def read_scenarios(path: Path, limits: Limits = DEFAULT) -> Parsed:
    """Read stress scenarios, one row per name.

    Parameters
    ----------
    path : Path
        CSV or Parquet with name, and market_move, rate_move, first_day, last_day, description as far as they apply.

    Returns
    -------
    Parsed
        name, market_move, rate_move (float64, fractions, NaN where absent), first_day, last_day (datetime.date, None where
        absent: sessions that have ended), description (text, empty where absent).

    Raises
    ------
    UsageError
        If there is no such file.
    DataQualityError
        If it is not a table of scenarios or has no good row.
    """
    review = Review(read_table(path, COLUMNS, required=("name",), limits=limits))
    names = review.text("name")
    moves = {name: review.numbers(name) for name in ("market_move", "rate_move")}
    ends = {name: review.days(name) for name in ("first_day", "last_day")}
    review.reject(names == "", "no name")
    review.reject(names.str.len() > LONGEST_NAME, f"name '{{name}}' is longer than {LONGEST_NAME} characters")
    review.reject_unprintable("name", "description")
    for name, move in moves.items():
        review.reject((move <= -1) | (move > 1), f"{name} {{{name}}} is not a fraction between -1 and 1: -0.2 is a fall by a fifth")
    _reject_windows_without_sessions(review, ends["first_day"], ends["last_day"])
    moved = ~np.isnan(moves["market_move"]) | ~np.isnan(moves["rate_move"])
    review.reject(moved & ~np.isnat(ends["first_day"]), "moves and a window: a scenario is one or the other")
    review.reject(~moved & np.isnat(ends["first_day"]), "neither a move nor a window")
    review.reject_repeated(names.to_frame(), "{name}")
    return review.parsed(
        pd.DataFrame(
            {"name": names, **moves, **{name: dates_of(days) for name, days in ends.items()}, "description": review.text("description")}
        )
    )


def _reject_windows_without_sessions(review: Review, first: DateArray, last: DateArray) -> None:
    ended, sessions = trading_calendar.last_ended(), trading_calendar.sessions_index().to_numpy("datetime64[D]")
    review.reject(np.isnat(first) != np.isnat(last), "a window needs both first_day and last_day")
    review.reject(last > np.datetime64(ended), f"last_day {{last_day}} lies after {ended}, the latest session that has closed")
    for name, days in (("first_day", first), ("last_day", last)):
        review.reject(
            ~np.isnat(days) & ~np.isin(days, sessions),
            f"{name} {{{name}}} is not a session: the exchange is closed, or the calendar starts later",
        )
    review.reject(first >= last, "last_day {last_day} does not come after first_day {first_day}")
