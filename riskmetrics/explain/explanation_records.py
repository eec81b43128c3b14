"""Explanations as records of plain values, for JSON."""

from collections.abc import Mapping
from typing import Any

from riskmetrics.explain.explainer import Explanation
from riskmetrics.explain.recalculation import to_json_value


def explanation_record(explanation: Explanation) -> dict[str, Any]:
    """Return definition, stored and recalculated value, window, inputs and run of one."""
    figure, recalculation = explanation.figure, explanation.recalculation
    if recalculation:
        recalculation = recalculation.by_column.get(figure.column, recalculation)
    return {
        "metric": figure.name,
        "key": _json_values(explanation.key),
        "unit": figure.unit.value,
        "formula": figure.formula,
        "reference": figure.reference,
        "minimum": figure.minimum,
        "stored": to_json_value(explanation.stored),
        "recalculated": to_json_value(explanation.recalculated),
        "recalculated_by": explanation.method,
        "equal": explanation.is_equal,
        "undefined_reason": explanation.reason,
        "data_window": figure.window,
        "window": [day.isoformat() for day in (recalculation and recalculation.window) or ()],
        "observations": recalculation and recalculation.observations,
        "parameters": _json_values(explanation.parameters),
        "inputs": _json_values(recalculation.inputs if recalculation else {}),
        "run_id": explanation.run_id,
        "code_version": explanation.code_version,
    }


def _json_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_json_value(value) for name, value in values.items()}
