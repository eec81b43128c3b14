"""What an asset tells the UI: per session numbers that plot, and a small table that a person can read."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from math import isnan

import dagster as dg
import pandas as pd
from dagster._core.definitions.metadata import RawMetadataValue

from riskmetrics.db.write import Written
from riskmetrics.ingest.feed import NO_KEY, Refreshed
from riskmetrics.text import MAX_NAMES, name_some

NOT_FETCHED = "not_fetched"
"""Metadata: how many symbols a vendor did not give; a run in which there are any is done in part."""

_SHOWN = 12
"""Rows of a table that is shown inline."""

_WIDE = 8
"""Columns of one."""

_INLINE = 1000
"""Characters of Markdown from which on the UI hides it behind a button."""

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def materialized(
    context: dg.AssetExecutionContext,
    days: Sequence[date],
    rows: pd.DataFrame,
    written: Written,
    *,
    day: str,
    figure: str,
    undefined: pd.DataFrame | None = None,
) -> None:
    """Attach row counts, undefined values, the write's outcome and a median to the materialization of each session.

    ``figure`` is the column whose median over a session's rows plots from session to session: where it leaps, look at the data.
    ``undefined`` are the reasons kept in `undefined_metrics`; rows of a table that keeps them itself have an undefined_reason.
    """
    if undefined is None:
        reasons = pd.DataFrame({"day": rows[day], "metric": "", "reason": rows["undefined_reason"]})
        undefined = reasons[reasons["reason"].notna()]
    counts, missing = rows[day].value_counts(), dict(iter(undefined.groupby("day")))
    defined = rows.select_dtypes("number").notna().mean(axis=1).groupby(rows[day]).mean()
    medians = rows.groupby(day)[figure].median().dropna()
    for session in days:
        at = pd.Timestamp(session)
        metadata = _numbers(int(counts.get(at, 0)), missing.get(at)) | _outcome(written)
        if at in defined.index:
            metadata["coverage"] = dg.MetadataValue.float(float(defined[at]))  # share of figures that are not NULL
        if at in medians.index:
            metadata[f"median_{figure}"] = dg.MetadataValue.float(float(medians[at]))
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
        why = [(reason, ", ".join(sorted(of)), of.total()) for reason, of in sorted(metrics.items())[:_SHOWN]]
        metadata["why_undefined"] = dg.MetadataValue.md(_table(["reason", "columns", "values"], why))
    return metadata


def _outcome(written: Written) -> dict[str, RawMetadataValue]:
    return {f"run_rows_{name}": dg.MetadataValue.int(count) for name, count in written._asdict().items()}


def refreshed(context: dg.AssetExecutionContext, found: Refreshed, of: int) -> dict[str, RawMetadataValue]:
    """Say what a vendor did not give, with the reason, and return it as metadata; ``of`` is how many were wanted."""
    for note in found.notes[:MAX_NAMES]:
        (context.log.info if note == NO_KEY else context.log.warning)(note)
    if len(found.notes) > MAX_NAMES:
        context.log.warning(f"and {len(found.notes) - MAX_NAMES} more notes of this kind: see the metadata of the asset in Dagster's UI")
    reasons: dict[str, list[str]] = {}
    for subject, error in found.problems.items():
        reasons.setdefault(str(error), []).append(subject)
    frequent = sorted(reasons.items(), key=lambda item: -len(item[1]))
    for reason, subjects in frequent[:MAX_NAMES]:
        context.log.warning(f"{len(subjects)} of {of} not fetched ({name_some(subjects)}): {reason}")
    if len(frequent) > MAX_NAMES:
        n_rest = sum(len(subjects) for _, subjects in frequent[MAX_NAMES:])
        context.log.warning(
            f"{n_rest} of {of} not fetched for {len(frequent) - MAX_NAMES} other reasons: see "
            "why_not_fetched in the metadata of the asset in Dagster's UI"
        )
    table = pd.DataFrame([(subject, str(error)) for subject, error in found.problems.items()], columns=["subject", "reason"])
    why: dict[str, RawMetadataValue] = {"why_not_fetched": dg.MetadataValue.md(markdown(table))} if found.problems else {}
    return {"asked_of_the_vendor": found.asked, NOT_FETCHED: len(found.problems), "notes": list(found.notes), **why}


def markdown(table: pd.DataFrame) -> str:
    """Return the first rows of a frame as a Markdown table, as many as the UI shows without being asked."""
    return _table(list(table.columns), table.head(_SHOWN).to_numpy(object).tolist())


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    written = ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines]
    ends = accumulate(len(line) + 1 for line in written)
    return "\n".join(line for line, end in zip(written, ends, strict=True) if end <= _INLINE)


def _cell(value: object) -> str:
    """Return a value as text: figures with six digits, days without their hour, of a long id its beginning."""
    if isinstance(value, float):
        return "—" if isnan(value) else f"{value:.6g}"
    text = str(value).removesuffix(" 00:00:00")  # a day is a timestamp in a frame
    return text[:8] if _ID.fullmatch(text) else text.replace("|", "/")


def shown(table: pd.DataFrame) -> dict[str, RawMetadataValue]:
    """Return the first rows of a frame as metadata."""
    return {"preview": dg.MetadataValue.md(markdown(table))}
