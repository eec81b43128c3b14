"""Text that several packages share."""

from collections.abc import Sequence

MAX_NAMES = 5
"""Names that a message lists before it counts the rest."""


def name_some(names: Sequence[object], most: int = MAX_NAMES) -> str:
    """Return the first of several names and the number of the rest.

    Examples
    --------
    >>> name_some(["A", "B", "C"], most=2)
    'A, B and 1 more'
    """
    listed = ", ".join(map(str, names[:most]))
    return listed + (f" and {len(names) - most:,} more" if len(names) > most else "")
