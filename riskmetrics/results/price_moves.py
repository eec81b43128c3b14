"""Moves of stored prices that wait for a user's decision: suspected splits and large moves."""

from datetime import date
from fractions import Fraction

import numpy as np
import pandas as pd

from riskmetrics.metrics.large_moves import large_moves
from riskmetrics.panels import Bars


def accept_command(symbol: str, day: date) -> str:
    """Return the command that accepts a move as real."""
    return f"riskmetrics prices accept {symbol} {day:%Y-%m-%d}"


def format_split(ratio: float) -> str:
    """Format a split ratio, new shares first: 4 is 4:1, 1.5 is 3:2, 0.1 is 1:10."""
    shares = Fraction(ratio).limit_denominator(100)
    return f"{shares.numerator}:{shares.denominator}"


def split_commands(symbol: str, day: date, ratio: float) -> str:
    """Return the remedies of a suspected split, with both commands."""
    split = f"`riskmetrics prices split {symbol} {day:%Y-%m-%d} {format_split(ratio)}`"
    accept = f"`{accept_command(symbol, day)}`"
    return (
        f"import corrected prices; or {split} if it was a split; or {accept} if the price move is"
        " real"
    )


def select_open_suspects(suspects: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the suspected splits known on a day, without those known to be bad ticks.

    Parameters
    ----------
    suspects : DataFrame
        Rows of `panels.suspected_splits`.

    Returns
    -------
    DataFrame
        symbol, date, in_close and in_adj_close (NaN: that close is not suspected), ratio (old price
        over new, of the close if it is suspected).
    """
    is_known = suspects["date"] < pd.Timestamp(day)
    columns = {}
    for name in ("close", "adj_close"):
        reverts = suspects[f"{name}_reverts"].astype(bool) & is_known
        columns[f"in_{name}"] = suspects[f"in_{name}"].mask(reverts)
    ratio = columns["in_close"].fillna(columns["in_adj_close"])
    found = suspects[["symbol", "date"]].assign(**columns, ratio=ratio)
    is_open = ratio.notna() & (suspects["date"] <= pd.Timestamp(day))
    listed: pd.DataFrame = found[is_open].reset_index(drop=True)
    return listed


def split_findings(suspects: pd.DataFrame) -> pd.DataFrame:
    """List moves by the ratio of a split, the largest first: one close first, then both."""
    is_alike = suspects["in_close"] == suspects["in_adj_close"]
    size = np.log(suspects["ratio"]).abs()
    listed = suspects.assign(is_alike=is_alike, size=size).sort_values(
        ["is_alike", "size"], ascending=[True, False], kind="stable"
    )
    findings, commands = [], []
    for row in listed.to_dict("records"):
        day, ratio = row["date"].date(), row["ratio"]
        one = "close and adj_close do not move alike: one of them moves"
        what = "close and adj_close move" if row["is_alike"] else one
        findings.append(f"{what} as if one share became {ratio:.3g} on {day}")
        commands.append(split_commands(row["symbol"], day, ratio))
    return pd.DataFrame(
        {
            "fault": "unadjusted_splits",
            "symbol": listed["symbol"],
            "day": listed["date"],
            "measure": listed["ratio"],
            "finding": pd.array(findings, dtype="str"),
            "what_to_do": pd.array(commands, dtype="str"),
        }
    )


def find_large_moves(bars: Bars, suspects: pd.DataFrame) -> pd.DataFrame:
    """List one-session moves that are neither bad ticks nor suspected splits.

    Parameters
    ----------
    bars : Bars
        Sessions x symbols, with every session between the first and the last.
    suspects : DataFrame
        Rows of `panels.suspected_splits`.

    Returns
    -------
    DataFrame
        symbol, date and move (a return), the largest first: of the adjusted close if it makes the
        move, else of the close.
    """
    found = []
    for prices in (bars.adj_close, bars.close):
        values = prices.to_numpy()
        row, column = np.nonzero(large_moves(values))
        moves = values[row, column] / values[row - 1, column] - 1.0
        keys = {"symbol": prices.columns[column], "date": prices.index[row]}
        found.append(pd.DataFrame(keys | {"move": moves}))
    moves = pd.concat(found).drop_duplicates(["symbol", "date"])
    is_suspect = _keys(moves).isin(_keys(suspects))
    listed: pd.DataFrame = moves[~is_suspect].reset_index(drop=True)
    size = np.log1p(listed["move"]).abs()
    return listed.iloc[np.argsort(-size.to_numpy(), kind="stable")].reset_index(drop=True)


def large_move_findings(moves: pd.DataFrame) -> pd.DataFrame:
    """Describe the moves of `find_large_moves`, in their order."""
    days = [day.date() for day in moves["date"]]
    rows = list(zip(moves["symbol"], days, moves["move"], strict=True))
    return pd.DataFrame(
        {
            "fault": "large_moves",
            "symbol": moves["symbol"],
            "day": moves["date"],
            "measure": moves["move"],
            "finding": pd.array(
                [f"moves by {move:+.0%} on {day}, and stays there" for _, day, move in rows],
                dtype="str",
            ),
            "what_to_do": pd.array(
                [
                    f"`{accept_command(symbol, day)}` if the move is real; `riskmetrics prices"
                    f" split {symbol} {day:%Y-%m-%d} RATIO` if it was a split; or import corrected"
                    " prices"
                    for symbol, day, _ in rows
                ],
                dtype="str",
            ),
        }
    )


def _keys(moves: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([moves["symbol"], pd.DatetimeIndex(moves["date"])])
