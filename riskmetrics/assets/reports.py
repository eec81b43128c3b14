"""What an asset tells the UI: per session numbers that plot, and a small table that a person can read."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from math import isnan
from uuid import UUID

import dagster as dg
import pandas as pd
from dagster._core.definitions.metadata import RawMetadataValue

from riskmetrics.db.write import Written
from riskmetrics.ingest.feed import NO_KEY, Refreshed

NOT_FETCHED = "not_fetched"
"""Metadata: how many symbols a vendor did not give; a run in which there are any is done in part."""

_SHOWN = 12
"""Rows of a table that is shown inline."""

_WIDE = 8
"""Columns of one."""


def materialized(
    context: dg.AssetExecutionContext,
    days: Sequence[date],
    rows: pd.DataFrame,
    written: Written,
    *,
    day: str,
    undefined: pd.DataFrame | None = None,
) -> None:
    """Attach row counts, undefined values and the write's outcome to the materialization of each session.

    ``undefined`` are the reasons kept in `undefined_metrics`; rows of a table that keeps them itself have an undefined_reason.
    """
    if undefined is None:
        reasons = pd.DataFrame({"day": rows[day], "metric": "", "reason": rows["undefined_reason"]})
        undefined = reasons[reasons["reason"].notna()]
    counts, missing = rows[day].value_counts(), dict(iter(undefined.groupby("day")))
    defined = rows.select_dtypes("number").notna().mean(axis=1).groupby(rows[day]).mean()
    for session in days:
        at = pd.Timestamp(session)
        metadata = _numbers(int(counts.get(at, 0)), missing.get(at)) | _outcome(written)
        if at in defined.index:
            metadata["coverage"] = dg.MetadataValue.float(float(defined[at]))  # share of figures that are not NULL
        if session == days[-1]:  # one of a range is enough to see what the rows are
            metadata["preview"] = dg.MetadataValue.md(markdown(_telling(rows[rows[day] == at].head(_SHOWN))))
        context.add_asset_metadata(metadata, partition_key=session.isoformat())


def _telling(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the first columns in which rows differ."""
    return rows.loc[:, rows.astype(str).nunique() > min(len(rows) - 1, 1)].iloc[:, :_WIDE]


def _numbers(n_rows: int, missing: pd.DataFrame | None) -> dict[str, RawMetadataValue]:
    metadata: dict[str, RawMetadataValue] = {
        "dagster/partition_row_count": dg.MetadataValue.int(n_rows),
        "undefined_values": dg.MetadataValue.int(0 if missing is None else len(missing)),
    }
    if missing is not None:
        metrics: dict[str, Counter[str]] = {}
        for metric, reason in zip(missing["metric"], missing["reason"], strict=True):
            metrics.setdefault(reason, Counter())[metric.partition(".")[2]] += 1
        table = pd.DataFrame(
            [(reason, ", ".join(sorted(of)), of.total()) for reason, of in sorted(metrics.items())], columns=["reason", "columns", "values"]
        )
        metadata["why_undefined"] = dg.MetadataValue.md(markdown(table.head(_SHOWN)))
    return metadata


def _outcome(written: Written) -> dict[str, RawMetadataValue]:
    return {f"run_rows_{name}": dg.MetadataValue.int(count) for name, count in written._asdict().items()}


def refreshed(context: dg.AssetExecutionContext, found: Refreshed, of: int) -> dict[str, RawMetadataValue]:
    """Say what a vendor did not give, with the reason, and return it as metadata; ``of`` is how many were wanted."""
    for note in found.notes:
        (context.log.info if note == NO_KEY else context.log.warning)(note)
    reasons: dict[str, list[str]] = {}
    for subject, error in found.problems.items():
        reasons.setdefault(str(error), []).append(subject)
    for reason, subjects in reasons.items():
        context.log.warning(f"{len(subjects)} of {of} not fetched ({', '.join(subjects)}): {reason}")
    table = pd.DataFrame([(subject, str(error)) for subject, error in found.problems.items()], columns=["subject", "reason"])
    why: dict[str, RawMetadataValue] = {"why_not_fetched": dg.MetadataValue.md(markdown(table))} if found.problems else {}
    return {"asked_of_the_vendor": found.asked, NOT_FETCHED: len(found.problems), "notes": list(found.notes), **why}


def markdown(table: pd.DataFrame) -> str:
    """Return a frame as a Markdown table."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy(object).tolist()]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    """Return a value as text: figures with six digits, of a long id its beginning."""
    if isinstance(value, UUID):
        return value.hex[:8]
    if isinstance(value, float):
        return "—" if isnan(value) else f"{value:.6g}"
    return str(value).replace("|", "/")


def shown(table: pd.DataFrame) -> dict[str, RawMetadataValue]:
    """Return the first rows of a frame as metadata, with its length."""
    return {"dagster/row_count": dg.MetadataValue.int(len(table)), "preview": dg.MetadataValue.md(markdown(table.head(_SHOWN)))}
