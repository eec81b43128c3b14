"""Figures of portfolios that other packages add, by the entry point ``riskmetrics.metrics``."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskmetrics.catalog.figure import Figure
from riskmetrics.computations.result_asset import Edge, ResultAsset
from riskmetrics.db import tables
from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.results.undefined_reasons import Reason


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
    """Values of all portfolios of ``inputs.valuation`` on its sessions, (P, D); NaN: undefined."""

    @property
    def asset(self) -> ResultAsset:
        """Return the asset that computes and stores the figure."""
        return ResultAsset(
            self.figure.column,
            "extensions",
            f"{self.figure.label}: {self.figure.formula}.",
            {"portfolio_values": Edge.SHARES},
            (tables.portfolio_figures,),
            self._compute_rows,
            "value",
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
