"""Intermediate results that several explanations of a session share."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from riskmetrics.explain.source_rows import SourceRows

P = ParamSpec("P")
T = TypeVar("T")


def compute_once(
    function: Callable[Concatenate[SourceRows, P], T],
) -> Callable[Concatenate[SourceRows, P], T]:
    """Return a function of source rows that computes once for each of its other arguments."""

    @wraps(function)
    def compute(sources: SourceRows, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = function, *args, *kwargs.items()
        return sources.get_or_compute(key, lambda: function(sources, *args, **kwargs))

    return compute
