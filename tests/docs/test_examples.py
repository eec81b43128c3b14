"""The examples of docstrings: they run, and give what they state."""

import doctest
import importlib
import inspect
from types import FunctionType, ModuleType

import pytest

from docs.site.api_pages import iterate_modules

MODULES = [importlib.import_module(name) for name in iterate_modules()]


def public_functions(module: ModuleType) -> list[FunctionType]:
    """Return the public functions that a module defines."""
    return [
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_give_what_they_state(module: ModuleType) -> None:
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0
    assert outcome.attempted > 0


@pytest.mark.parametrize(
    "function",
    [function for module in MODULES for function in public_functions(module)],
    ids=lambda function: f"{function.__module__}.{function.__name__}",
)
def test_every_public_function_has_an_example(function: FunctionType) -> None:
    assert ">>> " in (function.__doc__ or "")
