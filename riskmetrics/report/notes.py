"""Why values of a portfolio are missing: each reason once, with a number to refer to."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from riskmetrics.results import betas, exposures, forecasts, options, snapshots

Record = dict[str, Any]

OF_PORTFOLIO = "(portfolio)"
"""Subject of what is undefined of the portfolio itself, as `db.stored.undefined` calls it."""

UNEXPLAINED = "neither a value nor a reason is stored: the step that computes it may not have run for this session"

_IN_ORDER = [
    *snapshots.VALUE_METRICS,
    *options.METRICS,
    *snapshots.BETA_METRICS,
    *exposures.METRICS,
    *(f"portfolio_rate_betas.{name}" for name in ("rate_beta", "r_squared", "two_factor_rate_beta")),
    *forecasts.SNAPSHOT_METRICS,
    *betas.MARKET.metrics,
    *forecasts.POSITION_METRICS,
    *betas.RATES.metrics,
]


class Note(NamedTuple):
    """One reason, and what it explains."""

    number: int
    reason: str
    metrics: list[str]
    symbols: list[str]
    n_values: int


class Notes:
    """The reasons of one portfolio, numbered in the order in which the page shows what they explain."""

    def __init__(self, undefined: Sequence[Record], shown: Mapping[str, Sequence[Record]]) -> None:
        """Number the stored reasons, and say so where a missing value has none.

        Parameters
        ----------
        undefined : sequence of records
            metric ('table.column'), subject (a symbol or OF_PORTFOLIO), reason.
        shown : mapping of table to its rows
            What the page shows; a row of a position holds its symbol.
        """
        explained = {(row["metric"], row["subject"]) for row in undefined}
        rows = [*undefined, *(row for row in _missing(shown) if (row["metric"], row["subject"]) not in explained)]
        rank = {metric: place for place, metric in enumerate(_IN_ORDER)}
        rows.sort(key=lambda row: rank.get(row["metric"], len(rank)))
        by_reason: dict[str, list[Record]] = {}
        for row in rows:
            by_reason.setdefault(row["reason"], []).append(row)
        self.n_values = len(rows)
        self.reasons = [_note(number, reason, of) for number, (reason, of) in enumerate(by_reason.items(), start=1)]
        self._numbers: dict[tuple[str, str], dict[int, None]] = {}
        for number, of in enumerate(by_reason.values(), start=1):
            for row in of:
                self._numbers.setdefault((row["metric"], row["subject"]), {})[number] = None

    def numbers(self, metric: str, subject: str = OF_PORTFOLIO) -> list[int]:
        """Return the numbers of the reasons why a value is missing; several where lots of one symbol differ."""
        return list(self._numbers[metric, subject])


def _note(number: int, reason: str, rows: Sequence[Record]) -> Note:
    metrics = dict.fromkeys(row["metric"].partition(".")[2].replace("_", " ") for row in rows)
    symbols = dict.fromkeys(row["subject"] for row in rows if row["subject"] != OF_PORTFOLIO)
    return Note(number, reason, list(metrics), list(symbols), len(rows))


def _missing(shown: Mapping[str, Sequence[Record]]) -> list[Record]:
    found = []
    for metric in _IN_ORDER:
        table, _, column = metric.partition(".")
        # a sector's missing value is missing for the portfolio as a whole
        missing = [row for row in shown[table] if row[column] is None]
        reasons = {row.get("symbol", OF_PORTFOLIO): row.get("undefined_reason") or UNEXPLAINED for row in missing}
        found += [{"metric": metric, "subject": subject, "reason": reason} for subject, reason in reasons.items()]
    return found
