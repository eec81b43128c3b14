"""Summaries of what an asset computed and wrote: small enough to be sent, and to be added up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.db.result_writes import TableRows
from riskmetrics.db.write import WriteCounts
from riskmetrics.metrics._typing import FloatArray, IntArray

PREVIEW_ROWS = 12
"""Rows of the last session that a summary has."""

MAX_VALUES = 4_096
"""Values from which a shard's median is computed; of more values, every second, third … is kept."""


@dataclass(frozen=True)
class SessionSummary:
    """Rows of one session."""

    n_rows: int = 0
    defined_share: float = 0.0
    """Sum over rows of the share of figures that are not NULL."""
    undefined: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Number of undefined values by reason and metric."""
    values: FloatArray = field(default_factory=lambda: np.empty(0))
    """Values of the headline, sorted."""
    weights: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    """Number of values that each of them stands for."""

    @property
    def coverage(self) -> float | None:
        """Return the share of figures that are not NULL; None without rows."""
        return self.defined_share / self.n_rows if self.n_rows else None

    @property
    def median(self) -> float | None:
        """Return the median of the headline; None without a value."""
        values = np.sort(np.repeat(self.values, self.weights))
        if not len(values):
            return None
        # np.median takes five times as long for the few values of a session
        lower, upper = values[(len(values) - 1) // 2], values[len(values) // 2]
        return float(lower if len(values) % 2 else (lower + upper) / 2)

    def add(self, other: "SessionSummary") -> "SessionSummary":
        """Return the summary of the rows of both."""
        return SessionSummary(
            self.n_rows + other.n_rows,
            self.defined_share + other.defined_share,
            self.undefined + other.undefined,
            np.concatenate([self.values, other.values]),
            np.concatenate([self.weights, other.weights]),
        )


@dataclass(frozen=True)
class Summary:
    """What an asset stored in a run, in its first table."""

    sessions: dict[date, SessionSummary]
    written: WriteCounts
    preview: pd.DataFrame
    """First rows of the last session."""


def summarize(
    computed: TableRows, written: WriteCounts, headline: str, sessions: Sequence[date]
) -> Summary:
    """Summarize the rows of a table on ``sessions``; ``headline`` is the column of the median."""
    rows, undefined, day = computed.rows, computed.undefined, computed.session_column
    if undefined is None:
        reasons = pd.DataFrame({"day": rows[day], "metric": "", "reason": rows["undefined_reason"]})
        undefined = reasons[reasons["reason"].notna()]
    causes = _count_causes(undefined, sessions)
    place = _places(rows[day], sessions)
    defined_share = rows.select_dtypes("number").notna().mean(axis=1).to_numpy()
    values = rows[headline].to_numpy(float, na_value=np.nan)
    known = np.flatnonzero(~np.isnan(values))
    found = {
        session: SessionSummary(n_rows, share, cause, *_thin(values[known[of_session]]))
        for session, n_rows, share, cause, of_session in zip(
            sessions,
            np.bincount(place, minlength=len(sessions)).tolist(),
            np.bincount(place, defined_share, len(sessions)).tolist(),
            causes,
            _split_by_place(place[known], len(sessions)),
            strict=True,
        )
    }
    last = rows[place == len(sessions) - 1]
    return Summary(found, written, last.head(PREVIEW_ROWS))


def _count_causes(
    undefined: pd.DataFrame, sessions: Sequence[date]
) -> list[Counter[tuple[str, str]]]:
    """Return the number of undefined values by reason and metric, of each session."""
    counts = [Counter[tuple[str, str]]() for _ in sessions]
    sizes = undefined.groupby(["day", "reason", "metric"], sort=False).size()
    for place, (_, reason, metric), size in zip(
        _places(sizes.index.get_level_values("day"), sessions), sizes.index, sizes, strict=True
    ):
        counts[place][reason, metric] = size
    return counts


def add_summaries(summaries: Iterable[Summary]) -> Summary:
    """Add up the summaries of shards, in order; there is at least one."""
    first, *others = summaries
    sessions = dict(first.sessions)
    for other in others:
        for day, summary in other.sessions.items():
            sessions[day] = sessions[day].add(summary)
    parts = [first, *others]
    return Summary(
        sessions,
        WriteCounts(*(sum(counts) for counts in zip(*(p.written for p in parts), strict=True))),
        next((part.preview for part in parts if len(part.preview)), first.preview),
    )


def _places(days: "pd.Series[Any] | pd.Index[Any]", sessions: Sequence[date]) -> IntArray:
    """Return the place in ``sessions`` of each day, which is one of them."""
    listed = pd.DatetimeIndex(pd.to_datetime(list(sessions)))
    return listed.get_indexer(pd.DatetimeIndex(days)).astype(np.int64)


def _split_by_place(place: IntArray, n_places: int) -> list[IntArray]:
    """Return where each place is, in order."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(n_places + 1))
    return np.split(order, starts)[1:-1]


def _thin(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return at most MAX_VALUES of the sorted values, and how many each of them stands for.

    Examples
    --------
    >>> _thin(np.array([3.0, 1.0]))
    (array([1., 3.]), array([1, 1]))
    >>> kept, weights = _thin(np.arange(10_000.0))
    >>> len(kept), weights.sum()
    (3334, 10000)
    """
    step = -(-len(values) // MAX_VALUES) or 1
    starts = np.arange(0, len(values), step)
    weights = np.diff(np.append(starts, len(values)))
    return np.sort(values)[starts + weights // 2], weights.astype(np.int64)
