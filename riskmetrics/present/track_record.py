"""The track record of stored forecasts, as commands and the report show it."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog.track_records import ForecastKind, method_label
from riskmetrics.db import track_record_queries
from riskmetrics.results import track_record_summary

SUBJECT_CLASSES = {"portfolios": "Portfolios", "stocks": "Stocks", "funds": "Funds"}
"""Classes of subjects whose forecasts are pooled, with their names in tables."""

LOSS_LABELS = {
    ForecastKind.VOLATILITY: "QLIKE of the variance; 0 is perfect",
    ForecastKind.VALUE_AT_RISK: "quantile loss, in basis points of equity",
    ForecastKind.BETA: "squared error",
}

BASIS_POINTS = 1e4


class TrackRecord(NamedTuple):
    """Scores of forecasts, and tests of value at risk."""

    scores: pd.DataFrame
    """Columns `track_record_summary.SCORE_COLUMNS`."""
    tests: pd.DataFrame
    """Columns `track_record_summary.TEST_COLUMNS`, a row per portfolio."""
    pooled_tests: pd.DataFrame
    """Columns `track_record_summary.POOLED_COLUMNS`."""

    def describe_missing(self) -> str:
        """Return why some scores are missing; empty if none is."""
        least = track_record_summary.MIN_SCORED_FORECASTS
        has_few = bool((self.scores["n_obs"] < least).any())
        return f"scores need {least} forecasts with an outcome" if has_few else ""

    def has_in_sample(self) -> bool:
        """Return whether a model was fitted to data after some of its forecasts."""
        return bool(self.scores["in_sample"].astype(bool).any())

    def rows_of(self, kind: ForecastKind) -> pd.DataFrame:
        """Return the scores of a kind."""
        return self.scores[self.scores["kind"] == kind.value]


def read_track_record(
    connection: sa.Connection,
    day: date | None = None,
    *,
    kinds: Collection[ForecastKind] = tuple(ForecastKind),
    portfolio: str | None = None,
    by_subject: bool = False,
) -> TrackRecord:
    """Return the track record of the forecasts completed by ``day``, default all.

    Parameters
    ----------
    kinds : collection of ForecastKind
        Kinds of forecasts.
    portfolio : str, optional
        Name: only its forecasts.
    by_subject : bool
        Whether scores are by symbol and portfolio, instead of by class.
    """
    scores = pd.concat(
        [
            track_record_summary.summarize_daily_sums(
                track_record_queries.read_daily_sums(
                    connection, kind, day, portfolio=portfolio, by_subject=by_subject
                ),
                kind,
            )
            for kind in kinds
        ],
        ignore_index=True,
    )
    tests = track_record_summary.summarize_exceptions(
        track_record_queries.read_exception_counts(connection, day, portfolio)
    )
    if ForecastKind.VALUE_AT_RISK not in kinds:
        tests = tests[:0]
    return TrackRecord(scores, tests, track_record_summary.pool_exceptions(tests))


def label_methods(rows: pd.DataFrame, kind: ForecastKind) -> pd.DataFrame:
    """Return rows with the methods of a kind under their names in tables."""
    return rows.assign(method=[method_label(kind.value, name) for name in rows["method"]])
