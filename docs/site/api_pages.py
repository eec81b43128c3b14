"""Reference of the Python API: one page for each public module, rendered by mkdocstrings."""

import pkgutil
from collections.abc import Iterator

import riskmetrics.metrics

_OTHER_MODULES = (
    "riskmetrics.notebook.reader",
    "riskmetrics.sources.cells",
    "riskmetrics.symbols",
    "riskmetrics.text",
    "riskmetrics.trading_calendar",
)


def iterate_modules() -> Iterator[str]:
    """Yield the names of the documented modules: all public ones of metrics, and a few others."""
    package = riskmetrics.metrics
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not module.name.rpartition(".")[2].startswith("_"):
            yield module.name
    yield from _OTHER_MODULES


def build_module_page(module: str) -> str:
    """Return the page of a module."""
    return f"""# {module.removeprefix("riskmetrics.")}

Examples assume `from {module} import *`. They run in the tests.

::: {module}
"""
