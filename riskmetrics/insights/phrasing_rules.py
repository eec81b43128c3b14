"""Rules of phrasings: what a sentence must not contain, as a reader could misunderstand it."""

import re
from collections.abc import Collection

_ANAPHORA = re.compile(
    r"\b(?:it|its|he|she|they|them|their|this|these|those|that|former|latter|above-mentioned|also"
    r"|too(?! (?:low|high))|again|instead|therefore|hence|thus)\b",
    re.IGNORECASE,
)
"""Words that may reach out of a sentence; "this portfolio" and "that day" are rephrased."""

_CONNECTIVES = re.compile(
    r"\b(?:because|since|due|owing|thanks|caused?|after|while|whereas|but|although|despite"
    r"|so(?! large))\b",
    re.IGNORECASE,
)
"""Words of causes and contrasts: a form that uses one must list it (`Form.connectives`)."""


def reject_words(form_id: str, words: str, connectives: Collection[str]) -> None:
    """Reject a figure outside slots, a pronoun, or a word of cause or contrast.

    Parameters
    ----------
    connectives : collection of str
        Words of causes and contrasts whose truth the form establishes.

    Raises
    ------
    ValueError
        If there is one.
    """
    if found := re.search(r"[\d%$]", words):
        raise ValueError(f"{form_id}: {found[0]!r} outside slots in {words!r}")
    if found := _ANAPHORA.search(words):
        raise ValueError(f"{form_id}: {found[0]!r} reaches out of {words!r}")
    unlisted = {each.lower() for each in _CONNECTIVES.findall(words)} - set(connectives)
    if unlisted:
        raise ValueError(f"{form_id}: unlisted {sorted(unlisted)} in {words!r}")
