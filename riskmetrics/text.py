"""Text that several packages share, and text of others made fit to be shown.

A control character can rewrite a terminal, a mark can reverse a line.
"""

import re
from collections.abc import Sequence

MAX_NAMES = 5
"""Names that a message lists before it counts the rest."""

UNPRINTABLE = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    r"\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"  # marks of direction, line ends
)
"""As a part of a class of characters in a pattern."""

_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")
_UNPRINTABLE_OR_SPACE = re.compile(f"[{UNPRINTABLE}\t\n]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""What bytes that are not UTF-8 become on the command line, and no database takes."""
_COLOR_SEQUENCE = re.compile(r"\x1b\[(?:[0-79]|[1-9]\d+)?(?:;(?:[0-79]|[1-9]\d+))*m")
"""What a terminal shows as a color or a weight of letters; 8, which hides them, is none."""


def is_printable(text: str, *, one_line: bool = False) -> bool:
    """Whether a text can be shown and stored as it is; ``one_line``: it has no tab or line feed either."""
    pattern = _UNPRINTABLE_OR_SPACE if one_line else _UNPRINTABLE
    return not pattern.search(text) and not _LONE_SURROGATE.search(text)


def escape_controls(text: str, *, one_line: bool = False) -> str:
    """Return a text with control characters spelled out, as repr does; ``one_line``: tabs and line feeds too."""
    pattern = _UNPRINTABLE_OR_SPACE if one_line else _UNPRINTABLE
    return pattern.sub(lambda found: repr(found[0])[1:-1], text)


def escape_all_but_colors(text: str) -> str:
    """Return a text in which control characters are spelled out, but for those that color a terminal."""
    colors = _COLOR_SEQUENCE.findall(text)
    parts = [escape_controls(part) for part in _COLOR_SEQUENCE.split(text)]
    return "".join(part for pair in zip(parts, [*colors, ""], strict=True) for part in pair)


def join_names(names: Sequence[object], max_names: int = MAX_NAMES, separator: str = ", ") -> str:
    """Return the first of several names and the number of the rest.

    Examples
    --------
    >>> join_names(["A", "B", "C"], max_names=2)
    'A, B and 1 more'
    """
    listed = separator.join(map(str, names[:max_names]))
    return listed + (f" and {len(names) - max_names:,} more" if len(names) > max_names else "")
