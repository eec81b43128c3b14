"""Every number that tables of results hold, by name, and the way from a name to its explanation."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import computed, explained
from riskmetrics.errors import UsageError
from riskmetrics.explain import losses, regressions, values, volatility
from riskmetrics.explain.evidence import Chapter, Evidence, agrees, is_undefined
from riskmetrics.explain.sources import Sources

CHAPTERS: list[Chapter] = [*values.CHAPTERS, *regressions.CHAPTERS, *volatility.CHAPTERS, *losses.CHAPTERS]

_OF_THE_ROW = {"id", "subject", "position_id", "portfolio_id", "created_at", "updated_at"}
_DAYS = {result.table.name: result.day.name for result in computed.results()}


class Metric(NamedTuple):
    """A column of results and the chapter that it stands in."""

    chapter: Chapter
    column: str

    @property
    def name(self) -> str:
        """'table.column'."""
        return f"{self.chapter.table.name}.{self.column}"

    @property
    def formula(self) -> str:
        """What it is."""
        return self.chapter.formulas[self.column]


class Explanation(NamedTuple):
    """A stored number beside the same number computed anew."""

    metric: Metric
    key: Mapping[str, Any]
    """Which row it is of."""
    stored: Any
    recomputed: Any
    equal: bool
    """To the digits that the column keeps."""
    reason: str | None
    """Why the stored one is NULL."""
    evidence: Evidence
    given: Mapping[str, Any]
    """What the row says that it was computed with."""
    sources: Mapping[str, pd.DataFrame]
    run_id: str | None
    code_version: str | None


def metrics() -> Iterator[Metric]:
    """Yield every metric there is."""
    for chapter in CHAPTERS:
        for column in chapter.formulas:
            yield Metric(chapter, column)


def find(name: str) -> Metric:
    """Return the metric of a name, 'table.column' or a column that only one table has.

    Raises
    ------
    UsageError
        If there is none, or more than one.
    """
    found = [metric for metric in metrics() if name in (metric.name, metric.column)]
    if len(found) > 1:
        raise UsageError(f"{name} is a column of several tables: say one of {', '.join(metric.name for metric in found)}")
    if not found:
        raise UsageError(f"there is no metric {name}: riskmetrics explain --list names them")
    return found[0]


def explain(
    connection: sa.Connection, portfolio: str, metric: Metric, day: date, *, symbol: str | None, market: str, rate: str
) -> list[Explanation]:
    """Explain each stored value of a metric of a portfolio, given by its id, on a day; empty if none is stored."""
    table = metric.chapter.table
    if symbol is not None and not {"symbol", "subject", "position_id"} & set(table.c.keys()):
        raise UsageError(f"{metric.name} is of the whole portfolio: leave out --symbol")
    sources = Sources(connection, portfolio, day, market, rate)
    rows = explained.rows(connection, table, day, portfolio, symbol)
    return [found for row in rows for found in of_row(connection, sources, metric.chapter, row, [metric.column])]


def of_row(
    connection: sa.Connection, sources: Sources, chapter: Chapter, row: Mapping[str, Any], columns: Iterable[str]
) -> list[Explanation]:
    """Compute values of a stored row anew."""
    sources.used = {}
    evidence = chapter.recompute(sources, row)
    subject, found = row.get("position_id") or row.get("portfolio_id"), []
    key = ({"symbol": row["symbol"]} if "symbol" in row else {}) | _key(chapter.table, row)
    for column in columns:
        metric, stored, recomputed = Metric(chapter, column), row[column], evidence.values[column]
        why = None
        if is_undefined(stored):
            why = row.get("undefined_reason") or explained.reason(connection, metric.name, subject, sources.day)
        found.append(
            Explanation(
                metric,
                key,
                stored,
                recomputed,
                agrees(stored, recomputed, chapter.table.c[column]),
                why,
                evidence,
                {name: row[name] for name in chapter.given},
                dict(sources.used),
                row["dagster_run_id"],
                row["code_version"],
            )
        )
    return found


def _key(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells a row from the others of its portfolio and day."""
    names = [column.name for column in table.primary_key if column.name not in _OF_THE_ROW | {_DAYS[table.name]}]
    return {name: row[name] for name in names}
