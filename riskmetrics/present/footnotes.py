"""Numbered footnotes with the reasons for a portfolio's undefined values."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from riskmetrics.catalog import find_figure
from riskmetrics.errors import UsageError
from riskmetrics.present.formatting import stored_text
from riskmetrics.results import betas, exposures, forecasts, option_results, snapshots

Record = dict[str, Any]

PORTFOLIO_SUBJECT = "(portfolio)"
"""Subject of the portfolio's own undefined values in `db.result_queries.read_undefined_metrics`."""

NO_REASON_STORED = (
    "no value and no reason is stored; the step that computes it may not have run for this session"
)

_METRIC_ORDER = [
    *snapshots.VALUE_METRICS,
    *option_results.GREEK_METRICS,
    *snapshots.BETA_METRICS,
    *exposures.EXPOSURE_METRICS,
    *(
        f"portfolio_rate_betas.{name}"
        for name in ("rate_beta", "r_squared", "two_factor_rate_beta")
    ),
    *forecasts.SNAPSHOT_METRICS,
    *betas.MARKET_BETA_TABLE.metrics,
    *forecasts.POSITION_METRICS,
    *betas.RATE_BETA_TABLE.metrics,
]


class Footnote(NamedTuple):
    """A reason with the labels of the figures and the symbols to which it applies."""

    number: int
    reason: str
    metrics: list[str]
    symbols: list[str]
    n_values: int


class Footnotes:
    """The footnotes of one portfolio, numbered in the order of the page."""

    def __init__(self, undefined: Sequence[Record], shown: Mapping[str, Sequence[Record]]) -> None:
        """Number the stored reasons, and add one for missing values without a reason.

        Parameters
        ----------
        undefined : sequence of records
            metric ('table.column'), subject (a symbol or PORTFOLIO_SUBJECT), reason.
        shown : mapping of table to its rows
            Rows shown on the page; a position's row has its symbol.
        """
        explained = {(row["metric"], row["subject"]) for row in undefined}
        rows = [
            *undefined,
            *(
                row
                for row in _find_missing(shown)
                if (row["metric"], row["subject"]) not in explained
            ),
        ]
        rank = {metric: place for place, metric in enumerate(_METRIC_ORDER)}
        rows.sort(key=lambda row: rank.get(row["metric"], len(rank)))
        by_reason: dict[str, list[Record]] = {}
        for row in rows:
            by_reason.setdefault(row["reason"], []).append(row)
        self.n_values = len(rows)
        self.reasons = [
            _footnote(number, reason, group)
            for number, (reason, group) in enumerate(by_reason.items(), start=1)
        ]
        self._numbers: dict[tuple[str, str], dict[int, None]] = {}
        for number, group in enumerate(by_reason.values(), start=1):
            for row in group:
                self._numbers.setdefault((row["metric"], row["subject"]), {})[number] = None

    def numbers(self, metric: str, subject: str = PORTFOLIO_SUBJECT) -> list[int]:
        """Return the footnote numbers of a missing value.

        There are several if the lots of a symbol have different reasons.
        """
        return list(self._numbers[metric, subject])


def _footnote(number: int, reason: str, rows: Sequence[Record]) -> Footnote:
    metrics = dict.fromkeys(_label(row["metric"]) for row in rows)
    symbols = dict.fromkeys(row["subject"] for row in rows if row["subject"] != PORTFOLIO_SUBJECT)
    return Footnote(number, stored_text(reason), list(metrics), list(symbols), len(rows))


def _label(metric: str) -> str:
    """Return the label of a figure, or the column of one that an earlier version stored."""
    try:
        return find_figure(metric).label
    except UsageError:
        return metric.rpartition(".")[2]


def _find_missing(shown: Mapping[str, Sequence[Record]]) -> list[Record]:
    found = []
    for metric in _METRIC_ORDER:
        table, _, column = metric.partition(".")
        # a missing sector value counts for the portfolio, as sectors have no footnotes of their own
        missing = [row for row in shown[table] if row[column] is None]
        reasons = {
            row.get("symbol", PORTFOLIO_SUBJECT): row.get("undefined_reason") or NO_REASON_STORED
            for row in missing
        }
        found += [
            {"metric": metric, "subject": subject, "reason": reason}
            for subject, reason in reasons.items()
        ]
    return found
