"""Titles of tables of numbers by day and symbol that are no prices."""

import re

from riskmetrics.sources.vocabulary import bare_words, load_vocabulary

_EARNINGS_MULTIPLE = re.compile(r"\bP/E\b", re.IGNORECASE)
_TITLE_REST = re.compile(
    r"(?<=\w)(?:\s+(?:in|of|by|per|for|to|from|since|de|des|du|der|von|del|di|do|da|van)\b"
    r"|\s*[(,;:]|\s+[-–—]\s).*",
    re.IGNORECASE,
)
"""Part of a title that is not its noun: from a preposition, a bracket or a separator on."""


def names_other_quantity(title: str) -> bool:
    """Return whether a title is that of numbers that are no prices.

    Its noun counts: the last word, or the one before a preposition or a remark.

    Examples
    --------
    >>> titles = ("Daily returns in %", "P/E", "Rendements quotidiens", "Volume (shares)")
    >>> [names_other_quantity(title) for title in titles]
    [True, True, True, True]
    >>> titles = ("Dividend aristocrats", "Large cap equities", "P. Miller", "No weights")
    >>> [names_other_quantity(title) for title in titles]
    [False, False, False, False]
    """
    if _EARNINGS_MULTIPLE.search(title):
        return True
    words = bare_words(_TITLE_REST.sub("", title)).split()
    vocabulary = load_vocabulary()
    if not words or words[0] in vocabulary.denials:
        return False
    names = {words[-1], " ".join(words[-2:])} & vocabulary.no_prices
    return bool(names) or words[0] in vocabulary.leading_no_prices
