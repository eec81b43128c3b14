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

__all__ = [
    "Figure",
    "PortfolioFigure",
    "RunInputs",
    "Unit",
    "__version__",
    "build_definitions",
    "open_snapshot",
]

_MODULES = {
    "Figure": "riskmetrics.catalog.figure",
    "PortfolioFigure": "riskmetrics.computations.extension",
    "RunInputs": "riskmetrics.inputs.run_inputs",
    "Unit": "riskmetrics.catalog.figure",
    "build_definitions": "riskmetrics.definitions",
    "open_snapshot": "riskmetrics.inputs.snapshot",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name == "__version__":
        return import_module("importlib.metadata").version("riskmetrics")
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
