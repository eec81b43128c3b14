"""Stored figures, as the catalog describes them."""

from docs.site.markdown import as_code, escape_cell
from riskmetrics.catalog.registry import all_figures

FORMULAS = {(figure.table, figure.column): figure for figure in all_figures()}
"""Record of each figure, by table and column."""


def describe_figure(table: str, column: str, *, is_nullable: bool) -> str:
    """Return label, unit, formula, window, minimum and source of a figure, or "" if it is none."""
    figure = FORMULAS.get((table, column))
    if figure is None:
        return ""
    parts = {
        "Unit": escape_cell(figure.unit.value),
        "Formula": as_code(" ".join(figure.formula.split())),
        "Window": escape_cell(figure.window or ""),
        "NULL": escape_cell(figure.null) if is_nullable else "",
        "Minimum": escape_cell(figure.minimum),
        "Source": escape_cell(figure.reference),
    }
    described = " ".join(f"{name}: {text}." for name, text in parts.items() if text)
    return f"{escape_cell(figure.label)}. {described}"
