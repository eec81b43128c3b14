"""The catalog of figures: one record for each stored figure of a result table.

A record states label, unit, formula, window, minimum of observations and reference. Commands, the
report, insights, explanations and the data dictionary derive from it. Records are text, so that
the catalog imports in milliseconds; `tests/catalog` compares them with the tables and constants.
"""

from riskmetrics.catalog.figure import Figure, Unit
from riskmetrics.catalog.registry import (
    all_figures,
    describe,
    extension_figures,
    figures_of,
    find_figure,
)

__all__ = [
    "Figure",
    "Unit",
    "all_figures",
    "describe",
    "extension_figures",
    "figures_of",
    "find_figure",
]
