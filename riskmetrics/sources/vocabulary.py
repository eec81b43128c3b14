"""Words of files in seven languages: headers of columns, and names of transactions.

The words are data, in ``layouts/vocabulary.toml``.
"""

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from riskmetrics.sources.tabular_files import header_key

_MAX_ACTION_WORDS = 3
"""Number of words of the longest name of a transaction that is told by its first words."""


class Vocabulary(NamedTuple):
    """Words of files by meaning, in all languages."""

    columns: dict[str, tuple[str, ...]]
    """Headers of each column as normalized by `tabular_files.header_key`, the preferred first."""
    trades: frozenset[str]
    """Texts that a purchase or sale starts with, in lower case without punctuation."""
    actions: frozenset[str]
    """Texts that any transaction starts with."""


def fold_text(text: str) -> str:
    """Return text in lower case with single spaces and without accents.

    Examples
    --------
    >>> fold_text(" Reinvestição  de DIVIDENDOS")
    'reinvesticao de dividendos'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())


def spellings(word: str) -> tuple[str, ...]:
    """Return the keys of a header word: with its accented letters dropped, bare or as digraphs.

    Examples
    --------
    >>> spellings("Währung")
    ('whrung', 'wahrung', 'waehrung')
    """
    digraphs = word.casefold().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"})
    return tuple(dict.fromkeys(map(header_key, (word, fold_text(word), digraphs))))


@cache
def load_vocabulary() -> Vocabulary:
    """Load the words; the result must not be changed."""
    text = files("riskmetrics.sources").joinpath("layouts", "vocabulary.toml").read_text("utf-8")
    content = tomllib.loads(text)
    columns = {
        name: tuple(
            dict.fromkeys(
                key for words in by_language.values() for word in words for key in spellings(word)
            )
        )
        for name, by_language in content["columns"].items()
    }
    trades, others = (
        frozenset(_words(word) for words in content["actions"][kind].values() for word in words)
        for kind in ("trade", "other")
    )
    return Vocabulary(columns, trades, trades | others)


def is_action(text: str) -> bool:
    """Return whether a text starts with the name of a transaction.

    Examples
    --------
    >>> [is_action(text) for text in ("BUY - MARKET", "Dividendo", "YOU BOUGHT ACME", "Buyside")]
    [True, True, True, False]
    """
    return _starts_with(text, load_vocabulary().actions)


def is_trade(text: str) -> bool:
    """Return whether a text starts with the name of a purchase or a sale.

    Examples
    --------
    >>> [is_trade(text) for text in ("Sell to open", "Verkauf", "Dividend")]
    [True, True, False]
    """
    return _starts_with(text, load_vocabulary().trades)


def _starts_with(text: str, names: frozenset[str]) -> bool:
    words = _words(text).split(" ", maxsplit=_MAX_ACTION_WORDS)
    return any(" ".join(words[:length]) in names for length in range(1, _MAX_ACTION_WORDS + 1))


def _words(text: str) -> str:
    """Return the words of a text, without punctuation: Top-up becomes top up."""
    return re.sub(r"[\W_]+", " ", fold_text(text)).strip()
