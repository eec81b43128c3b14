"""riskmetrics: daily portfolio risk in your own Postgres.

The names below are the public Python API; they are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
    from riskmetrics.catalog.figure import Figure, Unit
    from riskmetrics.computations.extension import PortfolioFigure
    from riskmetrics.definitions import build_definitions
    from riskmetrics.inputs.run_inputs import RunInputs
    from riskmetrics.inputs.snapshot import open_snapshot
    from riskmetrics.notebook.reader import Results, connect

__all__ = [
    "Figure",
    "PortfolioFigure",
    "Results",
    "RunInputs",
    "Unit",
    "__version__",
    "build_definitions",
    "connect",
    "open_snapshot",
]

_MODULES = {
    "Figure": "riskmetrics.catalog.figure",
    "PortfolioFigure": "riskmetrics.computations.extension",
    "Results": "riskmetrics.notebook.reader",
    "RunInputs": "riskmetrics.inputs.run_inputs",
    "Unit": "riskmetrics.catalog.figure",
    "build_definitions": "riskmetrics.definitions",
    "connect": "riskmetrics.notebook.reader",
    "open_snapshot": "riskmetrics.inputs.snapshot",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name == "__version__":
        return import_module("importlib.metadata").version("riskmetrics")
    if name == "metrics":
        return import_module("riskmetrics.metrics")
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
