"""Sums of returns that several figures of a valuation share."""

from collections.abc import Sequence
from dataclasses import dataclass

from riskmetrics import panels
from riskmetrics.metrics.pro_forma_returns import ExposedReturns


@dataclass
class KeptReturns:
    """Sums behind the pro-forma returns of each day, kept by `pro_forma.pro_forma_windows`."""

    returns: panels.Returns | None = None
    length: int = 0
    by_day: Sequence[ExposedReturns] = ()
