"""Reading of stress scenario files: moves of market, rates and factors, or historical windows."""

from pathlib import Path

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.factor_sets import parse_moves
from riskmetrics.metrics._typing import DateArray, FloatArray
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources.file_kinds import KindChooser
from riskmetrics.sources.row_validation import (
    INFERRED,
    Notation,
    ParseResult,
    RowValidator,
    blank_to_none,
    to_dates,
    validate_table,
)
from riskmetrics.sources.tabular_files import read_columns

SCENARIO_COLUMNS = {
    "name": ("name", "scenario", "scenarioname"),
    "market_move": ("marketmove", "market", "spy"),
    "rate_move": ("ratemove", "ratesmove", "rates", "tlt"),
    "volatility_move": ("volatilitymove", "volatility", "vol"),
    "factor_moves": ("factormoves", "factors"),
    "first_day": ("firstday", "from", "start", "startdate", "begin"),
    "last_day": ("lastday", "to", "end", "enddate"),
    "description": ("description", "comment", "note", "notes"),
}
MAX_NAME_LENGTH = 64
MAX_VOLATILITY_MOVE = 10
"""Largest relative change of volatilities: from 20 % to 220 %."""


def read_scenarios(
    path: Path, limits: Limits = DEFAULT_LIMITS, notation: Notation = INFERRED
) -> ParseResult:
    """Read stress scenarios, one row per name.

    Parameters
    ----------
    path : Path
        CSV, Excel or Parquet with name, and optionally market_move, rate_move, volatility_move,
        factor_moves, first_day, last_day and description.

    Returns
    -------
    ParseResult
        name, market_move, rate_move, volatility_move (float64, fractions, NaN where absent),
        factor_moves (as `factor_sets.parse_moves` reads them, None where absent), first_day,
        last_day (datetime.date, None where absent; completed sessions), description (text, empty
        where absent).

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If the file is not a table of scenarios, or has no valid row.
    """
    distinctive = tuple(name for name in SCENARIO_COLUMNS if name not in {"name", "description"})
    chooser = KindChooser(SCENARIO_COLUMNS, ("name",), "a table of stress scenarios", distinctive)
    table = read_columns(path, chooser, limits)
    move_columns = ("market_move", "rate_move", "volatility_move")
    validator = validate_table(table, notation, move_columns)
    names = validator.text("name")
    moves = {name: validator.numbers(name) for name in move_columns}
    window_days = {name: validator.days(name) for name in ("first_day", "last_day")}
    validator.reject(names == "", "no name")
    validator.reject(
        names.str.len() > MAX_NAME_LENGTH,
        f"name '{{name}}' is longer than {MAX_NAME_LENGTH} characters",
    )
    validator.reject_unprintable("name", "description")
    for name in ("market_move", "rate_move"):
        validator.reject(
            (moves[name] <= -1) | (moves[name] > 1),
            f"{name} {{{name}}} is not a fraction between -1 and 1 (-0.2 is a 20% loss)",
        )
    volatility_move = moves["volatility_move"]
    validator.reject(
        (volatility_move <= -1) | (volatility_move > MAX_VOLATILITY_MOVE),
        f"volatility_move {{volatility_move}} is not between -1 and {MAX_VOLATILITY_MOVE} (0.5 is"
        " from 20% to 30%)",
    )
    factor_moves = validator.text("factor_moves")
    _reject_invalid_moves(validator, factor_moves, moves["rate_move"])
    _reject_invalid_windows(validator, window_days["first_day"], window_days["last_day"])
    moved = ~np.isnan(moves["market_move"]) | ~np.isnan(moves["rate_move"])
    moved |= (factor_moves != "").to_numpy(bool)
    validator.reject(
        moved & ~np.isnat(window_days["first_day"]),
        "both moves and a window; a scenario has one or the other",
    )
    validator.reject(~moved & np.isnat(window_days["first_day"]), "neither a move nor a window")
    validator.reject_duplicates(names.to_frame(), "{name}")
    return validator.result(
        pd.DataFrame(
            {
                "name": names,
                **moves,
                "factor_moves": blank_to_none(factor_moves),
                **{name: to_dates(days) for name, days in window_days.items()},
                "description": validator.text("description"),
            }
        )
    )


def _reject_invalid_moves(
    validator: RowValidator, factor_moves: "pd.Series[str]", rate_move: FloatArray
) -> None:
    """Reject moves of factors that cannot be read, and those with a move of rates.

    Exposures to factors hold the market fixed, not rates.
    """
    for text in set(factor_moves) - {""}:
        try:
            parse_moves(text)
        except ValueError as error:
            reason = str(error).replace("{", "{{").replace("}", "}}")
            validator.reject(factor_moves == text, f"factor_moves: {reason}")
    validator.reject(
        (factor_moves != "").to_numpy(bool) & ~np.isnan(rate_move),
        "factor_moves and a rate_move; a scenario has one or the other",
    )


def _reject_invalid_windows(validator: RowValidator, first: DateArray, last: DateArray) -> None:
    ended, sessions = (
        trading_calendar.last_completed_session(),
        trading_calendar.sessions_index().to_numpy("datetime64[D]"),
    )
    validator.reject(
        np.isnat(first) != np.isnat(last), "a window needs both first_day and last_day"
    )
    validator.reject(
        last > np.datetime64(ended),
        f"last_day {{last_day}} is after {ended}, the last completed session",
    )
    for name, days in (("first_day", first), ("last_day", last)):
        validator.reject(
            ~np.isnat(days) & ~np.isin(days, sessions),
            f"{name} {{{name}}} is not a session: the exchange is closed, or the calendar starts"
            " later",
        )
    validator.reject(first >= last, "last_day {last_day} is not after first_day {first_day}")
