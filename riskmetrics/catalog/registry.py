"""All figures, their lookup by name, and the data dictionary."""

from functools import cache
from typing import Any

from riskmetrics.catalog import (
    betas,
    concentration,
    correlations,
    factors,
    forecasts,
    liquidity,
    options,
    portfolio_statistics,
    stress,
    tail_risk,
    values,
    volatility,
)
from riskmetrics.catalog.figure import EXTENSION_TABLE, Figure
from riskmetrics.catalog.listing import Listing
from riskmetrics.catalog.statistic import Statistic
from riskmetrics.errors import ConfigurationError, UsageError
from riskmetrics.text import suggest_name

EXTENSION_GROUP = "riskmetrics.metrics"
"""Group of the entry points by which other packages add figures of portfolios."""

_FIGURE_MODULES = (
    *(values, concentration, betas, volatility, forecasts, tail_risk, correlations),
    *(portfolio_statistics, factors, stress, options, liquidity),
)
_FIGURES: dict[str, Figure] = {
    figure.name: figure for subject in _FIGURE_MODULES for figure in subject.FIGURES
}
_LISTINGS: dict[str, Listing] = {
    listing.table: listing for subject in _FIGURE_MODULES for listing in subject.LISTINGS
}
_DICTIONARY_FIELDS = (
    *("table", "column", "label", "unit", "formula", "window", "minimum", "reference", "short"),
)
"""Fields of a figure in the data dictionary."""


def all_figures() -> tuple[Figure, ...]:
    """Return every figure of this package, by subject."""
    return tuple(_FIGURES.values())


def all_statistics() -> tuple[Statistic, ...]:
    """Return the statistics of pro-forma returns, each of which has a table of its own."""
    return portfolio_statistics.STATISTICS


def all_listings() -> tuple[Listing, ...]:
    """Return the listings of result tables, by subject."""
    return tuple(_LISTINGS.values())


def listing_of(table: str) -> Listing:
    """Return the listing of a table."""
    return _LISTINGS[table]


@cache
def load_extensions() -> tuple[Any, ...]:
    """Return the `computations.extension.PortfolioFigure` of other packages.

    Raises
    ------
    ConfigurationError
        If one cannot be loaded, or has no figure of the table portfolio_figures.
    """
    from importlib.metadata import entry_points  # slow to import

    found = []
    for entry in entry_points(group=EXTENSION_GROUP):
        try:
            extension = entry.load()
        except Exception as error:
            raise ConfigurationError(
                f"the extension {entry.name} ({entry.value}) cannot be loaded: {error}"
            ) from error
        figure = getattr(extension, "figure", None)
        if not isinstance(figure, Figure) or figure.table != EXTENSION_TABLE:
            raise ConfigurationError(
                f"the extension {entry.name} ({entry.value}) is no PortfolioFigure of the table"
                f" {EXTENSION_TABLE}"
            )
        found.append(extension)
    return tuple(found)


def extension_figures() -> tuple[Figure, ...]:
    """Return the figures of other packages."""
    return tuple(extension.figure for extension in load_extensions())


def figures_of(table: str) -> tuple[Figure, ...]:
    """Return the figures of a table."""
    return tuple(figure for figure in _FIGURES.values() if figure.table == table)


@cache
def _figures_by_column() -> dict[str, list[Figure]]:
    """Return the figures of this package by their column, which several tables can have."""
    found: dict[str, list[Figure]] = {}
    for figure in _FIGURES.values():
        found.setdefault(figure.column, []).append(figure)
    return found


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
    found: list[Figure] = [
        *_figures_by_column().get(name, ()),
        *(figure for figure in extension_figures() if name in (figure.name, figure.column)),
    ]
    if len(found) > 1:
        raise UsageError(
            f"{name} is a column of several tables; specify one of:"
            f" {', '.join(figure.name for figure in found)}"
        )
    if not found:
        columns = {figure.column for figure in all_figures()}
        raise UsageError(
            f"there is no figure {name}{suggest_name(name, columns)}: list all with `riskmetrics"
            " explain --list`"
        )
    return found[0]


def data_dictionary() -> list[dict[str, Any]]:
    """Return the data dictionary: what defines every figure, the unit in words."""
    figures = (*all_figures(), *extension_figures())
    return [
        {name: getattr(figure, name) for name in _DICTIONARY_FIELDS} | {"unit": figure.unit.value}
        for figure in figures
    ]
