"""Explanations as records of plain values, for JSON."""

from collections.abc import Mapping
from typing import Any

from riskmetrics.explain.recalculation import to_json_value
from riskmetrics.explain.registry import Explanation


def explanation_record(explanation: Explanation) -> dict[str, Any]:
    """Return definition, stored and recomputed value, window, inputs and run of an explanation."""
    figure, recalculation = explanation.figure, explanation.recalculation
    if recalculation:
        recalculation = recalculation.by_column.get(figure.column, recalculation)
    return {
        "metric": figure.name,
        "key": _plain(explanation.key),
        "unit": figure.unit.value,
        "formula": figure.formula,
        "reference": figure.reference,
        "minimum": figure.minimum,
        "stored": to_json_value(explanation.stored),
        "recomputed": to_json_value(explanation.recomputed),
        "recomputed_by": explanation.method,
        "equal": explanation.is_equal,
        "undefined_reason": explanation.reason,
        "data_window": figure.window,
        "window": [day.isoformat() for day in (recalculation and recalculation.window) or ()],
        "observations": recalculation and recalculation.observations,
        "parameters": _plain(explanation.parameters),
        "inputs": _plain(recalculation.inputs if recalculation else {}),
        "run_id": explanation.run_id,
        "code_version": explanation.code_version,
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_json_value(value) for name, value in values.items()}
