"""Stored figures and their formulas, as `riskmetrics explain` states them."""

from docs.site.markdown import as_code
from riskmetrics.explain.registry import METRIC_GROUPS

FORMULAS = {
    (group.table.name, column): " ".join(formula.split())
    for group in METRIC_GROUPS
    for column, formula in group.formulas.items()
}
"""Formula of each figure, by table and column."""


def describe_figure(table: str, column: str) -> str:
    """Return the formula of a figure; empty if the column is none."""
    formula = FORMULAS.get((table, column))
    return f"Formula: {as_code(formula)}" if formula else ""
