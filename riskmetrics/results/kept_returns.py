"""Sums of returns that several figures of a valuation share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from riskmetrics import panels
from riskmetrics.metrics.pro_forma_returns import ExposedReturns, ProFormaReturns


class DailySums(NamedTuple):
    """Sums behind the pro-forma returns of each day, in windows of a length."""

    returns: panels.Returns
    length: int
    by_day: Sequence[ExposedReturns]

    def serve(self, returns: panels.Returns, length: int) -> bool:
        """Return whether windows of a length of ``returns`` are ends of these."""
        return self.length >= length and self.returns.ends_with(returns)


@dataclass
class KeptReturns:
    """What `pro_forma.pro_forma_windows` keeps; None: nothing yet, or the book is too large."""

    sums: DailySums | None = None
    scaled: dict[bool, list[ProFormaReturns]] = field(default_factory=dict)
    """Those sums as returns, and as changes of value (True), by day, each (W, P)."""
