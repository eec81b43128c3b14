"""Format lists of names, and escape characters of external text that are unsafe to print.

Control characters can rewrite a terminal, and directional marks can reverse a line.
"""

import re
from collections.abc import Iterable, Sequence

MAX_NAMES = 5
"""Names that a message lists before it counts the rest."""

UNPRINTABLE = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters except tab and line feed
    r"\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"  # directional marks, separators
)
"""Characters that are unsafe to print, as part of a character class of a regular expression."""

_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")
_UNPRINTABLE_OR_SPACE = re.compile(f"[{UNPRINTABLE}\t\n]")
_PLURAL = re.compile(r"(?<=^1 )(?:\w+ )?\w+s\b")
_PLURAL_VERB = re.compile(r"\b(?:have|are)\b")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Stand for bytes of the command line that are not UTF-8; no database accepts them."""
_PARSER_DETAIL = re.compile(r"(?<=must be a valid )(\w+), (?:unable to parse|invalid \w+:)[^.;]*")
"""How pydantic failed to parse a value, after what it should be."""
_COLOR_SEQUENCE = re.compile(r"\x1b\[(?:[0-79]|[1-9]\d+)?(?:;(?:[0-79]|[1-9]\d+))*m")
"""Terminal sequences for colors and font weights; not 8, which hides text."""


def is_printable(text: str, *, one_line: bool = False) -> bool:
    r"""Return whether text can be printed and stored unchanged.

    Parameters
    ----------
    text : str
    one_line : bool
        Tabs and line feeds are not allowed either.

    Examples
    --------
    >>> is_printable("a\tb"), is_printable("a\tb", one_line=True), is_printable("\x1b[8m")
    (True, False, False)
    """
    pattern = _UNPRINTABLE_OR_SPACE if one_line else _UNPRINTABLE
    return not pattern.search(text) and not _LONE_SURROGATE.search(text)


def escape_controls(text: str, *, one_line: bool = False) -> str:
    r"""Return text with its control characters escaped as repr does.

    Parameters
    ----------
    text : str
    one_line : bool
        Escape tabs and line feeds too.

    Examples
    --------
    >>> escape_controls("name\x1b[2J\n", one_line=True)
    'name\\x1b[2J\\n'
    """
    pattern = _UNPRINTABLE_OR_SPACE if one_line else _UNPRINTABLE
    return pattern.sub(lambda found: repr(found[0])[1:-1], text)


def escape_all_but_colors(text: str) -> str:
    r"""Return text with its control characters escaped, except sequences for terminal colors.

    Examples
    --------
    >>> escape_all_but_colors("\x1b[1mbold\x1b[0m \x1b[2J")
    '\x1b[1mbold\x1b[0m \\x1b[2J'
    """
    colors = _COLOR_SEQUENCE.findall(text)
    parts = [escape_controls(part) for part in _COLOR_SEQUENCE.split(text)]
    return "".join(part for pair in zip(parts, [*colors, ""], strict=True) for part in pair)


def match_names(text: str, names: Sequence[str]) -> list[str]:
    """Return the names that are a text, else those that contain it; case is ignored.

    Examples
    --------
    >>> match_names("u1", ["U1", "U12"]), match_names("2", ["U1", "U12"])
    (['U1'], ['U12'])
    """
    sought = text.casefold()
    same = [name for name in names if text and name.casefold() == sought]
    return same or [name for name in names if sought in name.casefold()]


def join_names(names: Sequence[object], max_names: int = MAX_NAMES, separator: str = ", ") -> str:
    """Return the first ``max_names`` names, and the number of the others.

    Examples
    --------
    >>> join_names(["A", "B", "C"], max_names=2)
    'A, B and 1 more'
    """
    listed = separator.join(map(str, names[:max_names]))
    return listed + (f" and {len(names) - max_names:,} more" if len(names) > max_names else "")


def agree_with_number(text: str) -> str:
    """Return a text that starts with a number and a plural; of 1 it is singular.

    Examples
    --------
    >>> agree_with_number("1 paired returns in the trailing 90 sessions")
    '1 paired return in the trailing 90 sessions'
    >>> agree_with_number("1 of the last 90 sessions have a volume")
    '1 of the last 90 sessions has a volume'
    >>> agree_with_number("21 sessions are completed")
    '21 sessions are completed'
    """
    if not text.startswith("1 "):
        return text
    found = text if text.startswith("1 of ") else _PLURAL.sub(_drop_plural, text, count=1)
    return _PLURAL_VERB.sub(lambda verb: "has" if verb[0] == "have" else "is", found, count=1)


def _drop_plural(phrase: re.Match[str]) -> str:
    return phrase[0].removesuffix("ies") + "y" if phrase[0].endswith("ies") else phrase[0][:-1]


def truncate(text: str, max_chars: int) -> str:
    """Return a text, or the start of a longer one with an ellipsis.

    Examples
    --------
    >>> truncate("symbol, price", 13), truncate("symbol, price", 12)
    ('symbol, price', 'symbol, pric…')
    """
    return text if len(text) <= max_chars else f"{text[:max_chars].rstrip()}…"


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return a question that names the known name nearest to a mistyped one, or nothing.

    The only name that starts with it is nearer than any other.

    Examples
    --------
    >>> suggest_name("growht", ["Growth", "Income"]), suggest_name("XYZ", ["Growth"])
    (' (did you mean Growth?)', '')
    >>> suggest_name("sharpe", ["share", "sharpe_ratio"])
    ' (did you mean sharpe_ratio?)'
    """
    from difflib import get_close_matches

    by_letters = {one.casefold(): one for one in known}
    sought = name.casefold()
    longer = [one for one in by_letters if len(sought) > 2 and one.startswith(sought)]
    nearest = longer if len(longer) == 1 else get_close_matches(sought, by_letters, n=1)
    return f" (did you mean {by_letters[nearest[0]]}?)" if nearest else ""


def describe_extra(name: str) -> str:
    """Return how an extra is installed; no package registry has riskmetrics.

    Examples
    --------
    >>> describe_extra("mcp")
    "run pip install -e '.[mcp]' in the checkout"
    """
    return f"run pip install -e '.[{name}]' in the checkout"


def simplify_validation(message: str) -> str:
    """Return a message of pydantic without what only a programmer needs.

    Examples
    --------
    >>> simplify_validation(
    ...     "Input should be a valid integer, unable to parse string as an integer"
    ... )
    'it must be a valid integer'
    """
    text = message.replace("Value error, ", "").replace("Input should be", "it must be")
    return _PARSER_DETAIL.sub(r"\1", text)
