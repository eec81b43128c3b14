"""Source rows that a recalculation used, merged when they are shown."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce

import pandas as pd


class RowsUsed(Mapping[str, pd.DataFrame]):
    """Source rows by description; sessions x symbols of one kind are merged into one frame.

    Frames are merged when they are read: most recalculations are compared and never shown.
    """

    def __init__(self) -> None:
        self._recorded: dict[str, list[Callable[[], pd.DataFrame]]] = {}
        self._merged: dict[str, pd.DataFrame] = {}

    def record(self, what: str, read: Callable[[], pd.DataFrame]) -> None:
        """Record that rows were used; ``read`` returns them."""
        self._recorded.setdefault(what, []).append(read)
        self._merged.pop(what, None)

    def include(self, others: "RowsUsed") -> None:
        """Record the rows of an intermediate, which must be complete."""
        for what in others:
            self.record(what, partial(others.__getitem__, what))

    def __getitem__(self, what: str) -> pd.DataFrame:
        """Return the rows of a description."""
        if what not in self._merged:
            frames = (read() for read in self._recorded[what])
            self._merged[what] = reduce(_merge, frames)
        return self._merged[what]

    def __iter__(self) -> Iterator[str]:
        """Yield the descriptions in the order of first use."""
        return iter(self._recorded)

    def __len__(self) -> int:
        """Return the number of descriptions."""
        return len(self._recorded)


def _merge(known: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    if frame.index.name != "date":
        return frame
    if frame.columns.isin(known.columns).all() and frame.index.isin(known.index).all():
        return known
    return known.combine_first(frame)
