"""All figures, their lookup by name, and the data dictionary."""

from dataclasses import asdict
from typing import Any

from riskmetrics.catalog import (
    betas,
    concentration,
    forecasts,
    options,
    stress,
    tail_risk,
    values,
    volatility,
)
from riskmetrics.catalog.figure import Figure
from riskmetrics.errors import UsageError

_FIGURES = {
    figure.name: figure
    for figure in (
        *values.FIGURES,
        *concentration.FIGURES,
        *betas.FIGURES,
        *volatility.FIGURES,
        *forecasts.FIGURES,
        *tail_risk.FIGURES,
        *stress.FIGURES,
        *options.FIGURES,
    )
}


def all_figures() -> tuple[Figure, ...]:
    """Return every figure, by subject."""
    return tuple(_FIGURES.values())


def figures_of(table: str) -> tuple[Figure, ...]:
    """Return the figures of a table."""
    return tuple(figure for figure in _FIGURES.values() if figure.table == table)


def find_figure(name: str) -> Figure:
    """Return the figure with a name: 'table.column', or a column that only one table has.

    Raises
    ------
    UsageError
        If no figure, or more than one, has the name.

    Examples
    --------
    >>> find_figure("hhi").label
    'HHI'
    """
    if name in _FIGURES:
        return _FIGURES[name]
    found = [figure for figure in _FIGURES.values() if figure.column == name]
    if len(found) > 1:
        raise UsageError(
            f"{name} is a column of several tables; specify one of:"
            f" {', '.join(figure.name for figure in found)}"
        )
    if not found:
        raise UsageError(f"no metric {name}; list all metrics with `riskmetrics explain --list`")
    return found[0]


def describe() -> list[dict[str, Any]]:
    """Return the data dictionary: the fields of every figure, the unit in words."""
    return [asdict(figure) | {"unit": figure.unit.value} for figure in _FIGURES.values()]
