"""Place the bars of the report on an axis."""

from collections.abc import Iterable
from typing import NamedTuple


class Axis(NamedTuple):
    """A linear axis of a bar, mapped to 0 to 100."""

    low: float
    high: float

    @classmethod
    def from_values(cls, values: Iterable[float | None]) -> "Axis":
        """Return the axis that spans zero and all values that are not None."""
        known = [0.0, *(value for value in values if value is not None)]
        low, high = min(known), max(known)
        return cls(low, high if high > low else low + 1.0)

    def position(self, value: float) -> float:
        """Return the position of a value on the axis, 0 to 100."""
        return round(100.0 * (value - self.low) / (self.high - self.low), 2)
