"""Columns that their cells show, because their headers are not known."""

from collections.abc import Collection, Container, Iterable

from riskmetrics.sources.asset_classes import asset_class
from riskmetrics.sources.symbol_forms import CURRENCIES

MISSING_TEXTS = frozenset({"", "-", "--", "n/a", "N/A"})
_MAX_CLASS_WORDS = 4
"""Words of the longest name of an asset class; a longer text is a remark."""


def find_columns_by_content(
    texts: Iterable[tuple[int, Collection[str]]], known: Container[str]
) -> dict[str, int]:
    """Return the places of the columns of asset classes, currencies and position types.

    Parameters
    ----------
    texts : iterable of (int, collection of str)
        Place and distinct cells of each column whose header is not known.
    known : container of str
        Names of the columns that need not be found.

    Examples
    --------
    >>> find_columns_by_content([(2, {"EUR", ""}), (5, {"Stock", "Future"})], set())
    {'currency': 2, 'investment_class': 5}
    """
    found: dict[str, int] = {}
    for place, cells in texts:
        filled = {*cells} - MISSING_TEXTS
        for name, is_member in _MEMBERS.items():
            if filled and name not in known and name not in found and all(map(is_member, filled)):
                found[name] = place
    return found


def _is_class(text: str) -> bool:
    """Return whether a text names an asset class; Cash can be the type of an account."""
    is_short = len(text.split()) <= _MAX_CLASS_WORDS
    return is_short and asset_class(text) not in {"", "cash"}


def _is_currency(text: str) -> bool:
    return text.upper() in CURRENCIES


def _is_side(text: str) -> bool:
    return text.upper() in {"LONG", "SHORT"}


_MEMBERS = {
    "investment_class": _is_class,
    "currency": _is_currency,
    "position_type": _is_side,
}
"""Whether a cell can be in a column."""
