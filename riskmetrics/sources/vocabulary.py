"""Words of files in seven languages: headers of columns, and names of transactions.

The words are data, in ``layouts/vocabulary.toml``.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from typing import NamedTuple

from riskmetrics.sources.table_headers import header_key

_MAX_NAME_WORDS = 3
"""Number of words of the longest name that the first words of a text are compared with."""
_NOUN_FIRST = ("fr", "es", "it", "pt")
"""Languages in which an adjective follows its noun."""


class Vocabulary(NamedTuple):
    """Words of files by meaning, in all languages."""

    columns: dict[str, tuple[str, ...]]
    """Headers of each column as normalized by `tabular_files.header_key`, the preferred first."""
    wholes: frozenset[str]
    """Keys of the headers of weights of a total that can have more than the table."""
    targets: frozenset[str]
    """Words of the headers of weights that are not held yet."""
    trades: frozenset[str]
    """Texts that a purchase or sale starts with, in lower case without punctuation."""
    actions: frozenset[str]
    """Texts that any transaction starts with."""
    classes: dict[str, frozenset[str]]
    """Words of each asset class, in the order in which they are looked for."""
    unexecuted: frozenset[str]
    """Texts that the status of an order that is not executed starts with."""
    canceled: frozenset[str]
    """Texts that mark a line as canceled."""
    flags: frozenset[str]
    """Words of the headers of columns that mark lines."""
    closed: frozenset[str]
    """Texts that the status of a position that is no longer held starts with."""
    units: frozenset[str]
    """Keys of the words behind a quantity."""
    opened: frozenset[str]
    """Texts of the status of a position that is held."""
    states: frozenset[str]
    """Words of the headers of the state of a position."""
    denials: frozenset[str]
    """Words that deny what a header says, in lower case."""
    executed: frozenset[str]
    """Texts of the status of an order that is executed."""
    sections: dict[str, frozenset[str]]
    """Titles of positions that are open, long or short, and words of the titles of those that are
    not held, in lower case without punctuation."""
    amounts: frozenset[str]
    """Last words of a line that names the currency of all amounts."""
    groups: frozenset[str]
    """Those among them of a line that is of the rows below it only."""
    secondary: frozenset[str]
    """Words of the label of a currency that is not the one of the amounts."""
    no_prices: frozenset[str]
    """Names of what columns of symbols may have instead of prices."""
    leading_no_prices: frozenset[str]
    """Those among them of languages in which the noun comes first."""
    rescaled: frozenset[str]
    """Those among them of prices that are not in dollars."""
    tax_terms: frozenset[str]
    """Words of the headers of the term of a gain for the tax."""
    cash: frozenset[str]
    """Symbols, names and classes of cash, normalized by `fold_text`."""
    cash_parts: frozenset[str]
    """Parts of the names of cash accounts and money market funds."""
    cash_available: frozenset[str]
    """Names of the part of the cash that can be spent, normalized like those of cash."""
    cash_whole: frozenset[str]
    """Names of all cash, of which another line may state a part."""
    cash_debit: frozenset[str]
    """Names of cash that is owed."""
    cash_margin: frozenset[str]
    """Names of cash that is owed if its amount is negative."""
    totals: frozenset[str]
    """Texts that a line of totals starts with, in lower case without punctuation."""
    sums: frozenset[str]
    """Words in the place of a symbol on a line of sums."""
    days: frozenset[str]
    """Words before a day, in lower case."""
    created: frozenset[str]
    """Those among them that are before the day on which a file was written."""
    other_days: frozenset[str]
    """Words before a day that is not that of the positions, such as that of a birth."""
    since: frozenset[str]
    """Those among them before the first day of a period."""
    dates: frozenset[str]
    """Those before a day that alone are the word for a date."""
    statements: frozenset[str]
    """Words of the title of positions, or of a statement of them."""
    quoted: frozenset[str]
    """Words before the day of prices or rates."""
    weekdays: frozenset[str]
    """Names of weekdays, in lower case."""
    periods: frozenset[str]
    """Words for the period of a statement."""
    english_days: frozenset[str]
    """The English ones among them, after which the month can come first."""
    unrelated: frozenset[str]
    """Words of headers of numbers that are neither quantities nor values."""
    markets: dict[str, frozenset[str]]
    """Codes of exchanges, listings and currencies, in upper case."""
    english_headers: frozenset[str]
    """Keys of the headers that are English only."""
    foreign_headers: frozenset[str]
    """Keys of the headers that are in other languages only."""
    currency_signs: dict[str, str]
    """Code of the currency of each sign or word in a header, in lower case."""


def fold_text(text: str) -> str:
    """Return text in lower case with single spaces and without accents.

    Examples
    --------
    >>> fold_text(" Reinvestição  de DIVIDENDOS")
    'reinvesticao de dividendos'
    """
    plain = text.casefold()
    if not plain.isascii():
        signs = unicodedata.normalize("NFKD", plain)
        plain = "".join(sign for sign in signs if not unicodedata.combining(sign))
    return " ".join(plain.split())


def spellings(word: str) -> tuple[str, ...]:
    """Return the keys of a header word: with its accented letters dropped, bare or as digraphs.

    Examples
    --------
    >>> spellings("Währung")
    ('whrung', 'wahrung', 'waehrung')
    """
    digraphs = word.casefold().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"})
    return tuple(dict.fromkeys(map(header_key, (word, fold_text(word), digraphs))))


def expand_headers(words: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of headers, where ``@name`` stands for all headers of a column.

    Examples
    --------
    >>> expand_headers(["@rating", "Note"])[:2]
    ('rating', 'ratings')
    """
    vocabulary = load_vocabulary().columns
    keys = (
        key
        for word in words
        for key in (vocabulary[word[1:]] if word.startswith("@") else spellings(word))
    )
    return tuple(dict.fromkeys(keys))


def language_date_order(headers: Iterable[str]) -> str | None:
    """Return dmy if most headers are in another language than English, where the day comes first.

    Examples
    --------
    >>> language_date_order(["Ticker", "Fecha", "Cierre"]), language_date_order(["Date", "Close"])
    ('dmy', None)
    """
    keys, vocabulary = {*map(header_key, headers)}, load_vocabulary()
    n_foreign = len(keys & vocabulary.foreign_headers)
    return "dmy" if n_foreign > len(keys & vocabulary.english_headers) else None


@cache
def load_vocabulary() -> Vocabulary:
    """Load the words; the result must not be changed."""
    text = files("riskmetrics.sources").joinpath("layouts", "vocabulary.toml").read_text("utf-8")
    content = tomllib.loads(text)
    columns = _header_keys(content["columns"], content["abbreviations"])
    english = _headers_of_language(content["columns"], is_english=True)
    foreign = _headers_of_language(content["columns"], is_english=False)
    created = _all_words(content["created"], str.casefold)
    no_prices = _all_words(content["no_prices"])
    noun_first = {one: content["no_prices"][one] for one in _NOUN_FIRST}
    trades, others = (_all_words(content["actions"][kind]) for kind in ("trade", "other"))
    return Vocabulary(
        columns=columns,
        wholes=_all_words(content["wholes"], header_key),
        targets=_all_words(content["targets"]),
        trades=trades,
        actions=trades | others,
        classes=_words_by_kind(content["classes"]),
        unexecuted=_all_words(content["unexecuted"]),
        canceled=_all_words(content["canceled"]),
        flags=_all_words(content["flags"]),
        closed=_all_words(content["closed"]),
        units=frozenset(columns["quantity"]) | _all_words(content["units"], header_key),
        opened=_all_words(content["opened"]),
        states=_all_words(content["states"]),
        denials=_all_words(content["denials"], str.casefold),
        executed=_all_words(content["executed"]),
        sections=_words_by_kind(content["sections"]),
        amounts=_all_words(content["amounts"]),
        groups=_all_words(content["groups"]),
        secondary=_all_words(content["secondary"]),
        no_prices=no_prices,
        leading_no_prices=_all_words(noun_first) - _all_words({"en": content["no_prices"]["en"]}),
        rescaled=_all_words(content["rescaled"]),
        tax_terms=_all_words(content["tax_terms"]),
        cash=_all_words(content["cash"]["words"], fold_text),
        cash_parts=_all_words(content["cash"]["parts"], fold_text),
        cash_available=_all_words(content["cash"]["available"], fold_text),
        cash_whole=_all_words(content["cash"]["whole"], fold_text),
        cash_debit=_all_words(content["cash"]["debit"], fold_text),
        cash_margin=_all_words(content["cash"]["margin"], fold_text),
        totals=_all_words(content["totals"]),
        sums=_all_words(content["sums"]),
        days=_all_words(content["days"], str.casefold) | created,
        created=created,
        other_days=_all_words(content["other_days"]) | _all_words(content["since"]),
        since=_all_words(content["since"]),
        dates=_all_words(content["dates"]),
        statements=_all_words(content["statements"]),
        quoted=_all_words(content["quoted"]),
        weekdays=_all_words(content["weekdays"], str.casefold),
        periods=_all_words(content["periods"]),
        english_days=frozenset(map(str.casefold, content["days"]["en"] + content["created"]["en"])),
        unrelated=_all_words(content["unrelated"]),
        markets={name: frozenset(codes) for name, codes in content["markets"].items()},
        english_headers=english - foreign,
        foreign_headers=foreign - english,
        currency_signs=content["currency_signs"],
    )


def _header_keys(
    columns: Mapping[str, Mapping[str, Sequence[str]]], short_forms: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the keys of the headers of each column, those with abbreviated words last.

    An abbreviation that is a header of another column is only that. Those of quantities are stated,
    because next to a trade Position qty is what is held after it.
    """
    stated = {
        name: [key for words in by_language.values() for word in words for key in spellings(word)]
        for name, by_language in columns.items()
    }
    known = {key for keys in stated.values() for key in keys}
    return {
        name: tuple(
            dict.fromkeys(
                keys
                + [
                    key
                    for word in columns[name]["en"]
                    for key in _abbreviations(word, short_forms)
                    if key not in known and name != "quantity"
                ]
            )
        )
        for name, keys in stated.items()
    }


def _abbreviations(header: str, short_forms: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Return the keys of a header with each of its words in full or abbreviated."""
    words = bare_words(header).split()
    choices = [(word, *short_forms.get(word, ())) for word in words]
    return map("".join, product(*choices))


def _headers_of_language(
    columns: Mapping[str, Mapping[str, Sequence[str]]], *, is_english: bool
) -> frozenset[str]:
    """Return the keys of all headers in English, or in the other languages."""
    return frozenset(
        key
        for by_language in columns.values()
        for language, words in by_language.items()
        if (language == "en") == is_english
        for word in words
        for key in spellings(word)
    )


def bare_words(text: str) -> str:
    """Return the words of a text without punctuation.

    Examples
    --------
    >>> bare_words("Cash top-up")
    'cash top up'
    """
    return re.sub(r"[\W_]+", " ", fold_text(text)).strip()


def _all_words(
    by_language: dict[str, list[str]], normalize: Callable[[str], str] = bare_words
) -> frozenset[str]:
    return frozenset(normalize(word) for words in by_language.values() for word in words)


def _words_by_kind(kinds: dict[str, dict[str, list[str]]]) -> dict[str, frozenset[str]]:
    return {kind: _all_words(by_language) for kind, by_language in kinds.items()}


def is_action(text: str) -> bool:
    """Return whether a text starts with the name of a transaction.

    Examples
    --------
    >>> [is_action(text) for text in ("BUY - MARKET", "Dividendo", "YOU BOUGHT ACME", "Buyside")]
    [True, True, True, False]
    """
    return starts_with(text, load_vocabulary().actions)


def is_trade(text: str) -> bool:
    """Return whether a text starts with the name of a purchase or a sale.

    Examples
    --------
    >>> [is_trade(text) for text in ("Sell to open", "Verkauf", "Dividend")]
    [True, True, False]
    """
    return starts_with(text, load_vocabulary().trades)


def starts_with(text: str, names: frozenset[str]) -> bool:
    """Return whether the first words of a text are one of several names."""
    words = bare_words(text).split(" ", maxsplit=_MAX_NAME_WORDS)
    return any(" ".join(words[:length]) in names for length in range(1, _MAX_NAME_WORDS + 1))
