"""What an asset tells the UI: per session numbers that plot, and a small table that a person can read."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import pandas as pd
from dagster._core.definitions.metadata import RawMetadataValue

from riskmetrics.db.write import Written

_SHOWN = 12
"""Rows of a table that is shown inline."""


def materialized(
    context: dg.AssetExecutionContext, days: Sequence[date], rows: pd.DataFrame, written: Written, *, day: str, undefined: pd.DataFrame
) -> None:
    """Attach row counts, undefined values and the write's outcome to the materialization of each session."""
    if not context.has_partition_key_range and not context.has_partition_key:
        context.add_asset_metadata(_numbers(rows, undefined, day, days[-1]) | _outcome(written))
        return
    for session in days:
        context.add_asset_metadata(_numbers(rows, undefined, day, session) | _outcome(written), partition_key=session.isoformat())


def _numbers(rows: pd.DataFrame, undefined: pd.DataFrame, day: str, session: date) -> dict[str, RawMetadataValue]:
    own = rows[rows[day] == pd.Timestamp(session)]
    missing = undefined[undefined["day"] == pd.Timestamp(session)]
    metadata: dict[str, RawMetadataValue] = {
        "dagster/partition_row_count": dg.MetadataValue.int(len(own)),
        "undefined_values": dg.MetadataValue.int(len(missing)),
    }
    if len(missing):
        grouped = missing.groupby("reason")["metric"]
        columns = grouped.agg(lambda metrics: ", ".join(sorted({metric.partition(".")[2] for metric in metrics})))
        table = pd.DataFrame({"columns": columns, "values": grouped.size()}).reset_index().head(_SHOWN)
        metadata["why_undefined"] = dg.MetadataValue.md(markdown(table))
    return metadata


def _outcome(written: Written) -> dict[str, RawMetadataValue]:
    return {f"run_rows_{name}": dg.MetadataValue.int(count) for name, count in written._asdict().items()}


def markdown(table: pd.DataFrame) -> str:
    """Return a frame as a Markdown table."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy(object).tolist()]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines)


def shown(table: pd.DataFrame) -> dict[str, RawMetadataValue]:
    """Return the first rows of a frame as metadata, with its length."""
    return {"dagster/row_count": dg.MetadataValue.int(len(table)), "preview": dg.MetadataValue.md(markdown(table.head(_SHOWN)))}
