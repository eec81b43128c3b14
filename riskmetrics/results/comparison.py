"""Comparison of the results of two computed sessions."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray


class ComparedFigure(NamedTuple):
    """Table of a figure, and how it is compared."""

    table: str
    decimals: int
    """Decimals of the change."""
    label: str = ""
    """Name in a list without sections; empty: that of the figure."""


COMPARED_FIGURES: Mapping[str, ComparedFigure] = {
    "total_value": ComparedFigure("portfolio_snapshots", 2),
    "daily_pnl": ComparedFigure("portfolio_snapshots", 2),
    "cumulative_pnl": ComparedFigure("portfolio_snapshots", 2),
    "gross_exposure": ComparedFigure("portfolio_snapshots", 2, "Gross exposure"),
    "net_exposure": ComparedFigure("portfolio_snapshots", 2, "Net exposure"),
    "beta_calculated_90d": ComparedFigure("portfolio_snapshots", 4),
    "expected_volatility_21d": ComparedFigure(
        "portfolio_snapshots", 4, "Volatility, forecast for 21 sessions"
    ),
    "realized_volatility_21d": ComparedFigure(
        "portfolio_snapshots", 4, "Volatility, last 21 sessions"
    ),
    "value_at_risk": ComparedFigure("portfolio_tail_risk", 6, "Value at risk, 95%, filtered"),
    "expected_shortfall": ComparedFigure(
        "portfolio_tail_risk", 6, "Expected shortfall, 95%, filtered"
    ),
    "current_drawdown": ComparedFigure("portfolio_drawdowns", 6),
    "hhi": ComparedFigure("portfolio_snapshots", 4),
    "effective_num_positions": ComparedFigure("portfolio_snapshots", 2),
    "top_3_concentration": ComparedFigure("portfolio_snapshots", 4),
}
"""Compared figures by column; those of tail risk are of `HEADLINE_TAIL`."""

MAX_CONTRIBUTORS = 3
"""Positions of a portfolio that explain the change of its value."""

MIN_BETA_MOVE_STD_ERRORS = 2.0
"""Minimum move of a position's beta, in standard errors, that is reported."""

_WEIGHT_DECIMALS = 9
"""Decimals of weights: sums of shares differ from equal ones by rounding."""

_BETA_DECIMALS = 6

_SECTOR_KEYS = ["portfolio", "sector"]
_POSITION_KEYS = ["portfolio", "symbol", "position_type"]
_VALUE_KEYS = ["portfolio", "subject", "metric"]


class SessionResults(NamedTuple):
    """Stored results of one session, as frames read by `db.result_queries`.

    Snapshots have the columns of COMPARED_FIGURES, whatever table they are of.
    """

    snapshots: pd.DataFrame
    sectors: pd.DataFrame
    betas: pd.DataFrame
    undefined: pd.DataFrame


class Comparison(NamedTuple):
    """Changes between two sessions; `change` is after minus before, missing if one is missing."""

    figures: pd.DataFrame
    """Figures of all portfolios of either session: portfolio, figure, before, after, change."""

    sectors: pd.DataFrame
    """Gross weights that differ, the largest move first.

    Columns: portfolio, sector, before, after, change.
    """

    positions: pd.DataFrame
    """Positions that were opened, closed or resized.

    Columns: portfolio, symbol, position_type, before, after, change (quantities), status.
    """

    betas: pd.DataFrame
    """Position betas that moved.

    Columns: portfolio, symbol, position_type, before, after, change, standard_errors.
    """

    undefined: pd.DataFrame
    """Values that became undefined (new) or are defined now (resolved).

    Columns: portfolio, subject, metric, status, reason.
    """


def compare(before: SessionResults, after: SessionResults) -> Comparison:
    """Compare the results of two sessions.

    Figures cover the portfolios of either session, the other frames those of both. A sector that is
    missing in one session has weight 0. Lots of one symbol and type are one position. A beta moved
    if it changed by more than MIN_BETA_MOVE_STD_ERRORS times the larger of its two standard errors.
    Overlapping windows share returns, so this is a measure of size, not a test.
    """
    figures = _compare_figures(before.snapshots, after.snapshots)
    both = _computed_portfolios(before) & _computed_portfolios(after)
    before, after = _select_portfolios(before, both), _select_portfolios(after, both)
    positions = _join_sessions(
        _net_positions(before.betas), _net_positions(after.betas), _POSITION_KEYS
    )
    return Comparison(
        figures,
        _compare_sectors(before.sectors, after.sectors),
        _compare_positions(positions),
        _compare_betas(positions),
        _compare_undefined(before, after),
    )


def find_contributors(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the positions whose prices changed the value of their portfolio most.

    Parameters
    ----------
    before, after : DataFrame
        Rows of `position_values`. The quantity is that of the earlier session: what was bought or
        sold since then is no gain or loss.

    Returns
    -------
    DataFrame
        Columns portfolio, symbol and amount, at most MAX_CONTRIBUTORS of a portfolio,
        the largest first.
    """
    keys = ["portfolio", "symbol", "right", "underlying"]
    one, other = (rows.astype(dict.fromkeys(keys, object)) for rows in (before, after))
    joined = one.merge(other[[*keys, "price"]], on=keys, suffixes=("", "_after"))
    ratio = joined["price_after"] / joined["price"] - 1
    moved = joined.assign(
        symbol=joined["underlying"].fillna(joined["symbol"]), amount=joined["value"] * ratio
    )
    sums = moved.groupby(["portfolio", "symbol"], as_index=False)["amount"].sum()
    sums = sums.assign(size=sums["amount"].abs()).query("size > 0")
    ordered = sums.sort_values(["portfolio", "size", "symbol"], ascending=[True, False, True])
    largest: pd.DataFrame = ordered.drop(columns="size").groupby("portfolio").head(MAX_CONTRIBUTORS)
    return largest


def _computed_portfolios(session: SessionResults) -> set[str]:
    # a portfolio without any price has only reasons
    return {*session.snapshots["portfolio"], *session.undefined["portfolio"]}


def _select_portfolios(session: SessionResults, portfolios: set[str]) -> SessionResults:
    return SessionResults(*(frame[frame["portfolio"].isin(portfolios)] for frame in session))


def _join_sessions(before: pd.DataFrame, after: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Outer-join two frames on ``key``; other columns get the suffix _before or _after."""
    # pandas 3.1 cannot merge empty columns of strings
    one, other = (frame.astype(dict.fromkeys(key, object)) for frame in (before, after))
    return one.merge(
        other, on=key, how="outer", suffixes=("_before", "_after"), validate="one_to_one"
    ).sort_values(key, ignore_index=True)


def _with_change(joined: pd.DataFrame, key: list[str], column: str) -> pd.DataFrame:
    """Return key, before, after and change of a column."""
    before = joined[f"{column}_before"].astype(float)
    after = joined[f"{column}_after"].astype(float)
    return joined[key].assign(before=before, after=after, change=after - before)


def _compare_figures(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    key = ["portfolio", "figure"]
    changed = _with_change(
        _join_sessions(_melt_figures(before), _melt_figures(after), key), key, "value"
    )
    decimals = [COMPARED_FIGURES[name].decimals for name in changed["figure"]]
    order = changed["figure"].map(list(COMPARED_FIGURES).index)
    change = [
        round(value, places) + 0.0
        for value, places in zip(changed["change"], decimals, strict=True)
    ]
    ordered = changed.assign(change=change, order=order).sort_values(
        ["portfolio", "order"], ignore_index=True
    )
    return ordered.drop(columns="order")


def _melt_figures(snapshots: pd.DataFrame) -> pd.DataFrame:
    return snapshots.melt(
        "portfolio", list(COMPARED_FIGURES), var_name="figure", value_name="value"
    )


def _compare_sectors(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    columns = [*_SECTOR_KEYS, "gross_weight"]
    joined = _join_sessions(before[columns], after[columns], _SECTOR_KEYS).fillna(
        {"gross_weight_before": 0.0, "gross_weight_after": 0.0}
    )
    changed = _with_change(joined, _SECTOR_KEYS, "gross_weight")
    changed = changed.assign(
        change=changed["change"].round(_WEIGHT_DECIMALS), size=changed["change"].abs()
    )
    ordered = changed[changed["change"] != 0].sort_values(
        ["portfolio", "size", "sector"], ascending=[True, False, True], ignore_index=True
    )
    return ordered.drop(columns="size")


def _net_positions(betas: pd.DataFrame) -> pd.DataFrame:
    """Return positions with summed quantities; the lots of a symbol have the same beta."""
    held = betas.groupby(_POSITION_KEYS, as_index=False).agg(
        {"quantity": "sum", "beta": "first", "std_error": "first"}
    )
    return held.astype({"quantity": float, "beta": float, "std_error": float})


def _compare_positions(positions: pd.DataFrame) -> pd.DataFrame:
    changed = _with_change(positions, _POSITION_KEYS, "quantity")
    before, after = changed["before"], changed["after"]
    status = np.select(
        [before.isna(), after.isna(), before != after], ["opened", "closed", "resized"], ""
    )
    return _filter_rows(changed.assign(status=status), status != "")


def _compare_betas(positions: pd.DataFrame) -> pd.DataFrame:
    changed = _with_change(positions, _POSITION_KEYS, "beta")
    std_error = positions[["std_error_before", "std_error_after"]].max(axis="columns", skipna=False)
    changed = changed.assign(
        change=changed["change"].round(_BETA_DECIMALS),
        standard_errors=changed["change"].abs() / std_error,
    )
    moved = changed[changed["change"].abs() > MIN_BETA_MOVE_STD_ERRORS * std_error]
    return moved.sort_values(
        ["portfolio", "standard_errors"], ascending=[True, False], ignore_index=True
    )


def _compare_undefined(before: SessionResults, after: SessionResults) -> pd.DataFrame:
    columns = [*_VALUE_KEYS, "reason"]
    one, other = (
        session.undefined[columns].drop_duplicates(_VALUE_KEYS) for session in (before, after)
    )
    joined = _join_sessions(one, other, _VALUE_KEYS)
    new, gone = joined["reason_before"].isna(), joined["reason_after"].isna()
    subjects = pd.MultiIndex.from_frame(joined[["portfolio", "subject"]])
    held_before, held_after = (
        pd.MultiIndex.from_frame(session.betas[["portfolio", "symbol"]])
        for session in (before, after)
    )
    closed = subjects.isin(held_before.difference(held_after))
    resolved = gone & ~closed & joined["portfolio"].isin(after.snapshots["portfolio"])
    status = np.select([new, resolved], ["new", "resolved"], "")
    reason = joined["reason_after"].where(new, joined["reason_before"])
    return _filter_rows(joined[_VALUE_KEYS].assign(status=status, reason=reason), status != "")


def _filter_rows(frame: pd.DataFrame, rows: BoolArray) -> pd.DataFrame:
    return frame[rows].reset_index(drop=True)
