"""Materialization metadata for Dagster's UI: numbers per session, and a preview table."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from math import isnan

import dagster as dg
import pandas as pd

from riskmetrics.addresses import served_report_url
from riskmetrics.computations.result_asset import ResultAsset
from riskmetrics.computations.summaries import PREVIEW_ROWS, Summary
from riskmetrics.dagster_private import RawMetadataValue, set_asset_metadata
from riskmetrics.db.write import WriteCounts
from riskmetrics.errors import UnknownSymbolError
from riskmetrics.ingest.vendor_client import NO_SOURCE_WARNING, RefreshResult
from riskmetrics.text import MAX_NAMES, join_names

NOT_FETCHED_KEY = "not_fetched"
"""Metadata key: number of symbols that were not fetched. Any makes the run a partial one."""

_MAX_PREVIEW_COLUMNS = 8
"""Columns of one."""

_NAMES = ("portfolio", "symbol", "subject")
"""Columns that are shown even if all rows have the same value."""

_MAX_INLINE_CHARS = 1000
"""Characters of Markdown from which on the UI hides it behind a button."""

_UUID_PATTERN = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def log_materialization(
    context: dg.AssetExecutionContext, asset: ResultAsset, summary: Summary
) -> None:
    """Attach row counts, undefined values, write counts and a median to each session.

    The median of the asset's headline over a session's rows plots from session to session: where
    it leaps, look at the data.
    """
    last, by_session = max(summary.sessions), {}
    for session, rows in summary.sessions.items():
        metadata = _count_metadata(rows.n_rows, rows.undefined) | _write_metadata(summary.written)
        if (coverage := rows.coverage) is not None:
            metadata["coverage"] = dg.MetadataValue.float(coverage)
        if (median := rows.median) is not None:
            metadata[f"median_{asset.headline}"] = dg.MetadataValue.float(median)
        if session == last:  # one of a range is enough to see what the rows are
            metadata["preview"] = dg.MetadataValue.md(
                format_markdown(_varying_columns(summary.preview))
            )
            if asset.group == "portfolios":
                metadata["report"] = dg.MetadataValue.url(served_report_url(session))
        by_session[session.isoformat()] = metadata
    set_asset_metadata(context, asset.name, by_session)


def _varying_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the first columns in which rows differ, and those that name what a row is of."""
    least = min(len(rows) - 1, 1)
    cells = rows.astype(object).where(rows.notna(), None).to_numpy()
    shown = [
        name in _NAMES or len({str(cell) for cell in column if cell is not None}) > least
        for name, column in zip(rows.columns, cells.T, strict=True)
    ]
    return rows.loc[:, shown].iloc[:, :_MAX_PREVIEW_COLUMNS]


def _count_metadata(
    n_rows: int, undefined: Mapping[tuple[str, str], int]
) -> dict[str, RawMetadataValue]:
    metadata: dict[str, RawMetadataValue] = {
        "dagster/partition_row_count": dg.MetadataValue.int(n_rows),
        "undefined_values": dg.MetadataValue.int(sum(undefined.values())),
    }
    if undefined:
        columns: dict[str, Counter[str]] = {}
        for (reason, metric), count in undefined.items():
            columns.setdefault(reason, Counter())[metric.partition(".")[2]] += count
        reason_rows = [
            (reason, ", ".join(sorted(counts)), counts.total())
            for reason, counts in sorted(columns.items())[:PREVIEW_ROWS]
        ]
        metadata["undefined_reasons"] = dg.MetadataValue.md(
            _format_table(["reason", "columns", "values"], reason_rows)
        )
    return metadata


def _write_metadata(written: WriteCounts) -> dict[str, RawMetadataValue]:
    return {
        f"run_rows_{name}": dg.MetadataValue.int(count) for name, count in written._asdict().items()
    }


def fetch_metadata(
    context: dg.AssetExecutionContext,
    result: RefreshResult,
    n_requested: int,
    *,
    reported_elsewhere: Collection[str] = (),
) -> dict[str, RawMetadataValue]:
    """Log fetch errors by reason and return them as metadata, out of ``n_requested``.

    That a source does not know a symbol is not logged if another message names the symbol.
    """
    for note in result.warnings[:MAX_NAMES]:
        (context.log.info if note == NO_SOURCE_WARNING else context.log.warning)(note)
    if len(result.warnings) > MAX_NAMES:
        context.log.warning(
            f"and {len(result.warnings) - MAX_NAMES} more notes of this kind: see the metadata of"
            " the asset in Dagster's UI"
        )
    reasons: dict[str, list[str]] = {}
    for subject, error in result.errors.items():
        if not (isinstance(error, UnknownSymbolError) and subject in reported_elsewhere):
            reasons.setdefault(str(error), []).append(subject)
    frequent = sorted(reasons.items(), key=lambda item: -len(item[1]))
    for reason, subjects in frequent[:MAX_NAMES]:
        context.log.warning(
            f"{len(subjects)} of {n_requested} not fetched ({join_names(subjects)}): {reason}"
        )
    if len(frequent) > MAX_NAMES:
        n_rest = sum(len(subjects) for _, subjects in frequent[MAX_NAMES:])
        context.log.warning(
            f"{n_rest} of {n_requested} not fetched for {len(frequent) - MAX_NAMES} other reasons:"
            " see fetch_errors in the metadata of the asset in Dagster's UI"
        )
    table = pd.DataFrame(
        [(subject, str(error)) for subject, error in result.errors.items()],
        columns=["subject", "reason"],
    )
    error_metadata: dict[str, RawMetadataValue] = (
        {"fetch_errors": dg.MetadataValue.md(format_markdown(table))} if result.errors else {}
    )
    return {
        "api_calls": result.api_calls,
        NOT_FETCHED_KEY: len(result.errors),
        "notes": list(result.warnings),
        **error_metadata,
    }


def format_markdown(table: pd.DataFrame) -> str:
    """Return the first rows of a frame as a Markdown table that the UI shows inline."""
    return _format_table(list(table.columns), table.head(PREVIEW_ROWS).to_numpy(object).tolist())


def _format_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    written = ["| " + " | ".join(_format_cell(cell) for cell in line) + " |" for line in lines]
    ends = accumulate(len(line) + 1 for line in written)
    return "\n".join(
        line for line, end in zip(written, ends, strict=True) if end <= _MAX_INLINE_CHARS
    )


def _format_cell(value: object) -> str:
    """Return a value as text: six digits, dates without time, the start of a long id."""
    if isinstance(value, float):
        return "—" if isnan(value) else f"{value:.6g}"
    text = str(value).removesuffix(" 00:00:00")  # a day is a timestamp in a frame
    return text[:8] if _UUID_PATTERN.fullmatch(text) else text.replace("|", "/")


def preview(table: pd.DataFrame) -> dict[str, RawMetadataValue]:
    """Return the first rows of a frame as metadata."""
    return {"preview": dg.MetadataValue.md(format_markdown(table))}
