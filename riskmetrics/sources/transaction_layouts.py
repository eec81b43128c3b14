"""Layouts of transaction files: columns, and words that name the kind of a transaction.

A layout is data in ``layouts/transactions/*.toml``: ``name``, ``signatures`` (sets of headers that
start the table), ``columns`` (headers of each column; ``@name`` stands for the headers of
``layouts/vocabulary.toml``) and ``kinds`` (first words of each kind). ``general.toml`` has the
words in seven languages, which every layout understands too.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from riskmetrics.sources.tabular_files import HeaderAliases
from riskmetrics.sources.vocabulary import bare_words, expand_headers
from riskmetrics.transactions.model import TransactionKind

SKIPPED = "skip"
"""Kind of the lines that change neither holdings nor cash."""
UNSUPPORTED = "unsupported"
"""Kind of the lines that change holdings in a way that the line does not tell."""
GENERAL = "general"
"""File of the layout that reads any table with a date, a kind and a quantity or amount."""
REQUIRED_COLUMNS = ("day",)
CASH_TRANSFER = "cash_transfer"
"""Kind of the moves of cash whose direction only the sign of the amount tells."""
_FOLDER = "layouts", "transactions"


class TransactionLayout(NamedTuple):
    """Rules to recognize and read one kind of transaction file."""

    name: str
    signatures: tuple[frozenset[str], ...]
    """Sets of headers; a line that has all headers of one set starts the table."""
    columns: HeaderAliases
    kinds: Mapping[str, str]
    """Kind, or one of the other names above, by the words that its text starts with."""
    decimal_mark: str | None = None
    """Decimal mark that the broker always writes."""
    date_order: str | None = None
    """Order of day, month and year in its dates, such as mdy. None: inferred."""
    is_net: bool | None = None
    """Whether amounts contain the fees. None: inferred from quantity times price."""
    has_gross_header: bool = False
    """Whether the header of the amounts says that they are without fees and taxes."""
    has_signed_fees: bool = False
    """Whether fees that cost are negative, and rebates positive."""
    kind_by_sign: bool = False
    """Whether a positive quantity without a kind is a purchase, and a negative one a sale."""
    currency_after: str | None = None
    """Header of the column that the currency follows in a column without a header."""
    terms_pattern: str | None = None
    """Regular expression with groups quantity and price for the text of the kind.

    It may have the groups symbol, currency, and terms for those of an option.
    """
    last_row: str | None = None
    """Cell, in lower case, of the line below which other tables follow."""
    section: str | None = None
    """Section of a statement whose lines start with the section's name."""
    fixed_kind: str | None = None
    """Kind of all lines of a section."""
    has_options_in_description: bool = False
    """Whether the symbol of an option is its underlying, and the terms are in the description."""
    required_values: Mapping[str, str] = {}
    """Value that each of these columns must have, in lower case; other lines are skipped."""

    @property
    def is_general(self) -> bool:
        """Return whether this is the layout of any table with known headers."""
        return not self.signatures and self.section is None

    def matches_header(self, keys: frozenset[str]) -> bool:
        """Return whether a line with these headers starts the table."""
        return any(signature <= keys for signature in self.signatures)

    def find_kind(self, text: str) -> str | None:
        """Return the kind of the longest words that a text starts with; None if there are none.

        A single letter, such as B, has to be the whole text.

        Examples
        --------
        >>> general = load_layouts()[-1]
        >>> [general.find_kind(text) for text in ("Sell", "SELL_SHORT", "Achat", "Verkauf", "x")]
        ['sell', 'sell_short', 'buy', 'sell', None]
        """
        words = bare_words(text).split(" ")
        starts = [" ".join(words[:length]) for length in range(len(words), 0, -1)]
        long_enough = (one for one in starts if len(one) > 1 or one == starts[0])
        return next((self.kinds[one] for one in long_enough if one in self.kinds), None)

    def names_kind(self, text: str) -> bool:
        """Return whether a word of a text, at any place, names a kind."""
        return any(word in self.kinds for word in bare_words(text).split(" "))


@cache
def load_layouts() -> tuple[TransactionLayout, ...]:
    """Load all layouts, the general one last; the result must not be changed."""
    folder = files("riskmetrics.sources").joinpath(*_FOLDER)
    content = {
        path.name.removesuffix(".toml"): tomllib.loads(path.read_text("utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".toml")
    }
    general = content.pop(GENERAL)
    words = _kind_words(general["kinds"])
    layouts = [
        _parse_layout(part, words)
        for name in sorted(content)
        for part in _split_sections(content[name])
    ]
    return (*layouts, _parse_layout(general, words))


def _split_sections(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one layout per section of a statement, each with what all of them have."""
    sections = content.pop("sections", None)
    return [content] if sections is None else [content | section for section in sections]


def _parse_layout(content: dict[str, Any], general_words: Mapping[str, str]) -> TransactionLayout:
    content = dict(content)
    columns = {name: expand_headers(words) for name, words in content.pop("columns").items()}
    signatures = tuple(frozenset(expand_headers(words)) for words in content.pop("signatures", ()))
    kinds = {**general_words, **_kind_words(content.pop("kinds", {}))}
    return TransactionLayout(signatures=signatures, columns=columns, kinds=kinds, **content)


def _kind_words(words_by_kind: Mapping[str, list[str] | dict[str, list[str]]]) -> dict[str, str]:
    """Return the kind of each word; words may be grouped by language."""
    found: dict[str, str] = {}
    for kind, words in words_by_kind.items():
        if kind not in (SKIPPED, UNSUPPORTED, CASH_TRANSFER):
            TransactionKind(kind)
        groups = words.values() if isinstance(words, dict) else [words]
        for word in (word for group in groups for word in group):
            key = bare_words(word)
            if found.setdefault(key, kind) != kind:
                raise ValueError(f"'{word}' names {found[key]} and {kind}")
    return found
