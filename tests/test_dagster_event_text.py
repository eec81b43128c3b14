"""The text of events is the one that Dagster writes, to the character."""

import math
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import AssetObservationData, StepMaterializationData

from riskmetrics.dagster_event_text import EventTexts


def entry(event: dg.DagsterEvent | None, timestamp: float = 1_700_000_000.25) -> dg.EventLogEntry:
    untyped: Any = dg.EventLogEntry
    made: dg.EventLogEntry = untyped(
        None, "debug", 'a "message"', "run", timestamp, dagster_event=event
    )
    return made


def materialization(
    asset: str = "asset", timestamp: float = 1_700_000_000.25, **values: Any
) -> dg.EventLogEntry:
    data = StepMaterializationData(dg.AssetMaterialization(asset, **values))
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION.value
    return entry(dg.DagsterEvent(kind, "job", event_specific_data=data), timestamp)


METADATA: dict[str, Any] = {
    "zero": 0,
    "large": 10**30,
    "negative zero": -0.0,
    "tenth": 0.1,
    "tiny": 5e-324,
    "no number": math.nan,
    "infinite": -math.inf,
    "true": True,
    "nothing": None,
    "no int": dg.MetadataValue.int(None),  # type: ignore[arg-type]
    '"value": null} é': 1,
    "text": 'quotes " and \\ and é \n',
    "markdown": dg.MetadataValue.md("| a |\n| --- |"),
    "json": {"b": [1, {"c": None}], "a": "x"},
    "table": dg.MetadataValue.table([dg.TableRecord({"a": 1, "b": "x"})]),
    "schema": dg.TableSchema([dg.TableColumn("a", "int")]),
    "asset": dg.AssetKey(["a", "b"]),
}


@pytest.mark.parametrize("name", METADATA)
def test_each_kind_of_metadata_is_written_as_dagster_does(name: str) -> None:
    texts = EventTexts()
    others = materialization(metadata={name: 7, "other": 1.5})
    for event in (others, materialization(metadata={name: METADATA[name]}), others):
        assert texts.serialize(event) == dg.serialize_value(event)


def test_events_that_differ_anywhere_are_written_as_dagster_does() -> None:
    events = [
        materialization(partition="2024-01-02", tags={"b": "1", "a": "2"}, metadata={"n": 1}),
        materialization(partition="2024-01-03", tags={"a": "other"}, metadata={"n": 2}),
        materialization(partition="2024-01-03", timestamp=1e16),
        materialization(asset="other", partition="2024-01-03"),
        materialization(description="described"),
        materialization(),
        materialization()._replace(run_id="another"),
        materialization()._replace(level=10, step_key="step"),
        entry(None),
        materialization(metadata={"same": dg.MetadataValue.md("x")}),
        materialization(metadata={"same": dg.MetadataValue.text("x")}),
        materialization(metadata={"same": 1}),
        materialization(metadata={"same": 1.0}),
        materialization(metadata=METADATA),
    ]
    observed = AssetObservationData(dg.AssetObservation("asset", metadata={"n": 1}))
    kind = dg.DagsterEventType.ASSET_OBSERVATION.value
    events += [
        entry(dg.DagsterEvent(kind, "job", event_specific_data=observed)),
        entry(dg.DagsterEvent("STEP_START", "job", step_key="step")),
    ]
    texts = EventTexts()
    for event in events + events[::-1]:
        assert texts.serialize(event) == dg.serialize_value(event)
