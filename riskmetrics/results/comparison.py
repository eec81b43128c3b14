"""What changed between two computed sessions, and by how much."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import BoolArray

FIGURES: Mapping[str, int] = {
    "total_value": 2,
    "daily_pnl": 2,
    "cumulative_pnl": 2,
    "beta_calculated_90d": 4,
    "hhi": 4,
    "effective_num_positions": 2,
    "top_3_concentration": 4,
}
"""Columns of a snapshot that are compared, and their decimals as stored."""

STANDARD_ERRORS = 2.0
"""A position's beta has moved if it did by more than this."""

_WEIGHT_DECIMALS = 9
"""Sums of shares end a rounding error away from equal ones."""

_BETA_DECIMALS = 6

_SECTOR = ["portfolio", "sector"]
_POSITION = ["portfolio", "symbol", "position_type"]
_VALUE = ["portfolio", "subject", "metric"]


class Session(NamedTuple):
    """Stored results of a session: frames as `db.stored` reads them."""

    snapshots: pd.DataFrame
    sectors: pd.DataFrame
    betas: pd.DataFrame
    undefined: pd.DataFrame


class Comparison(NamedTuple):
    """Frames of what changed; `change` is after minus before, missing where one of them is."""

    figures: pd.DataFrame
    """Every figure of every portfolio of either session: portfolio, figure, before, after, change."""

    sectors: pd.DataFrame
    """Gross weights that differ, the largest move first: portfolio, sector, before, after, change."""

    positions: pd.DataFrame
    """Positions that were opened, closed or resized: portfolio, symbol, position_type, before, after, change (quantities), what."""

    betas: pd.DataFrame
    """Betas of positions that moved: portfolio, symbol, position_type, before, after, change, standard_errors."""

    undefined: pd.DataFrame
    """Values that became undefined (new) or have a value now (resolved): portfolio, subject, metric, what, reason."""


def compare(before: Session, after: Session) -> Comparison:
    """Compare two sessions.

    Figures are those of the portfolios of either session, the rest is of portfolios that are in both. A sector that one of
    the sessions does not list weighs 0. Lots of one symbol and kind are one position. A beta has moved if it did by more than
    STANDARD_ERRORS times the larger of its two standard errors: windows that overlap share returns, so this is a measure of
    size and not a test.
    """
    figures = _figures(before.snapshots, after.snapshots)
    both = _computed(before) & _computed(after)
    before, after = _of(before, both), _of(after, both)
    positions = _joined(_held(before.betas), _held(after.betas), _POSITION)
    return Comparison(figures, _sectors(before.sectors, after.sectors), _traded(positions), _moved(positions), _undefined(before, after))


def _computed(session: Session) -> set[str]:
    return {*session.snapshots["portfolio"], *session.undefined["portfolio"]}  # without any price there are reasons alone


def _of(session: Session, portfolios: set[str]) -> Session:
    return Session(*(frame[frame["portfolio"].isin(portfolios)] for frame in session))


def _joined(before: pd.DataFrame, after: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Rows of either frame by ``key``; other columns get an end that tells whose they are."""
    one, other = (frame.astype(dict.fromkeys(key, object)) for frame in (before, after))  # pandas 3.1 cannot merge empty columns of strings
    return one.merge(other, on=key, how="outer", suffixes=("_before", "_after"), validate="one_to_one").sort_values(key, ignore_index=True)


def _changed(joined: pd.DataFrame, key: list[str], of: str) -> pd.DataFrame:
    """Return key, before, after and change of a column."""
    before, after = joined[f"{of}_before"].astype(float), joined[f"{of}_after"].astype(float)
    return joined[key].assign(before=before, after=after, change=after - before)


def _figures(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    key = ["portfolio", "figure"]
    changed = _changed(_joined(_long(before), _long(after), key), key, "value")
    decimals, order = changed["figure"].map(FIGURES), changed["figure"].map(list(FIGURES).index)
    change = [round(by, places) + 0.0 for by, places in zip(changed["change"], decimals, strict=True)]
    ordered = changed.assign(change=change, order=order).sort_values(["portfolio", "order"], ignore_index=True)
    return ordered.drop(columns="order")


def _long(snapshots: pd.DataFrame) -> pd.DataFrame:
    return snapshots.melt("portfolio", list(FIGURES), var_name="figure", value_name="value")


def _sectors(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    columns = [*_SECTOR, "gross_weight"]
    joined = _joined(before[columns], after[columns], _SECTOR).fillna({"gross_weight_before": 0.0, "gross_weight_after": 0.0})
    changed = _changed(joined, _SECTOR, "gross_weight")
    changed = changed.assign(change=changed["change"].round(_WEIGHT_DECIMALS), size=changed["change"].abs())
    ordered = changed[changed["change"] != 0].sort_values(["portfolio", "size", "sector"], ascending=[True, False, True], ignore_index=True)
    return ordered.drop(columns="size")


def _held(betas: pd.DataFrame) -> pd.DataFrame:
    """Positions with their quantity; the lots of a symbol have the same beta."""
    held = betas.groupby(_POSITION, as_index=False).agg({"quantity": "sum", "beta": "first", "std_error": "first"})
    return held.astype({"quantity": float, "beta": float, "std_error": float})


def _traded(positions: pd.DataFrame) -> pd.DataFrame:
    changed = _changed(positions, _POSITION, "quantity")
    before, after = changed["before"], changed["after"]
    what = np.select([before.isna(), after.isna(), before != after], ["opened", "closed", "resized"], "")
    return _only(changed.assign(what=what), what != "")


def _moved(positions: pd.DataFrame) -> pd.DataFrame:
    changed = _changed(positions, _POSITION, "beta")
    std_error = positions[["std_error_before", "std_error_after"]].max(axis="columns", skipna=False)
    changed = changed.assign(change=changed["change"].round(_BETA_DECIMALS), standard_errors=changed["change"].abs() / std_error)
    moved = changed[changed["change"].abs() > STANDARD_ERRORS * std_error]
    return moved.sort_values([*_POSITION[:1], "standard_errors"], ascending=[True, False], ignore_index=True)


def _undefined(before: Session, after: Session) -> pd.DataFrame:
    columns = [*_VALUE, "reason"]
    one, other = (session.undefined[columns].drop_duplicates(_VALUE) for session in (before, after))
    joined = _joined(one, other, _VALUE)
    new, gone = joined["reason_before"].isna(), joined["reason_after"].isna()
    subjects = pd.MultiIndex.from_frame(joined[["portfolio", "subject"]])
    held_before, held_after = (pd.MultiIndex.from_frame(session.betas[["portfolio", "symbol"]]) for session in (before, after))
    closed = subjects.isin(held_before.difference(held_after))
    resolved = gone & ~closed & joined["portfolio"].isin(after.snapshots["portfolio"])
    what = np.select([new, resolved], ["new", "resolved"], "")
    reason = joined["reason_after"].where(new, joined["reason_before"])
    return _only(joined[_VALUE].assign(what=what, reason=reason), what != "")


def _only(frame: pd.DataFrame, rows: BoolArray) -> pd.DataFrame:
    return frame[rows].reset_index(drop=True)
