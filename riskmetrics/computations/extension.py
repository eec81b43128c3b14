"""Figures of portfolios that other packages add, by the entry point ``riskmetrics.metrics``."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskmetrics.catalog.figure import EXTENSION_TABLE, Figure
from riskmetrics.computations.result_asset import EXTENSIONS, Edge, ResultAsset
from riskmetrics.db import tables
from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.errors import ConfigurationError
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.results.undefined_reasons import Reason

_MAX_NAME_LENGTH = 64
"""Characters of `portfolio_figures.figure`."""
_NAME_PATTERN = f"[A-Za-z0-9_]{{1,{_MAX_NAME_LENGTH}}}"
"""Names of figures; they are names of Dagster's assets too."""


@dataclass(frozen=True)
class PortfolioFigure:
    """A figure with one number per portfolio and session, stored in `portfolio_figures`.

    Examples
    --------
    A package defines the figure, and names it in its pyproject.toml:

    >>> leverage = PortfolioFigure(
    ...     Figure(
    ...         "portfolio_figures", "leverage", "Leverage", Unit.NUMBER,
    ...         "gross value / equity", minimum="equity is positive",
    ...     ),
    ...     lambda inputs: inputs.valuation.gross_value / inputs.valuation.equity,
    ... )  # doctest: +SKIP
    """

    figure: Figure
    """Its table is portfolio_figures, and its column the name of the figure."""
    compute: Callable[[RunInputs], FloatArray]
    """Values of all portfolios of ``inputs.valuation`` on its sessions, (P, D); NaN: undefined.

    In a large book these are the portfolios of a shard: values must not depend on others.
    """

    def __post_init__(self) -> None:
        """Refuse a figure that cannot be stored, or whose name cannot be an asset's.

        Raises
        ------
        ConfigurationError
            If the table is another one, or the name has other characters or is too long.
        """
        if self.figure.table != EXTENSION_TABLE:
            raise ConfigurationError(
                f"the table of {self.figure.name} must be {EXTENSION_TABLE}, where figures of other"
                " packages are stored"
            )
        if not re.fullmatch(_NAME_PATTERN, self.figure.column):
            raise ConfigurationError(
                f"{self.figure.column!r} cannot be the name of a figure: use at most"
                f" {_MAX_NAME_LENGTH} letters, digits and underscores"
            )

    @property
    def asset(self) -> ResultAsset:
        """Return the asset that computes and stores the figure."""
        return ResultAsset(
            self.figure.column,
            f"{self.figure.label}: {self.figure.formula}.",
            {"portfolio_values": Edge.SHARES},
            (tables.portfolio_figures,),
            self._compute_rows,
            "value",
            group=EXTENSIONS,
        )

    def _compute_rows(self, inputs: RunInputs) -> Computed:
        valuation, name = inputs.valuation, self.figure.column
        values = np.asarray(self.compute(inputs), dtype=float)
        expected = len(valuation.portfolios), len(inputs.sessions)
        if values.shape != expected:
            raise ValueError(
                f"{name} has the shape {values.shape}; {expected} is required, portfolios x"
                " sessions"
            )
        values = np.where(np.isfinite(values), values, np.nan)
        requirement = self.figure.minimum or "its inputs are defined"
        reason = Reason(f"required: {requirement}")
        rows = valuation.to_frame({"value": values}, "day").assign(
            figure=name, undefined_reason=valuation.undefined_reasons(values, reason)
        )
        table = tables.portfolio_figures
        return Computed([TableRows(table, rows, condition=table.c.figure == name)])
