"""Currency and scale of amounts that the lines around a table state."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.symbol_forms import CURRENCIES
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary

_STATED_IN = re.compile(
    r"(?P<label>.*?)(?: (?:are|is|shown|stated|expressed|reported|quoted))* (?:in|en|em)"
    r" (?P<code>[A-Z]{3})\b(?P<rest>.*)"
)
"""Label of amounts with their currency, such as ``Portfolio value in EUR``."""
_IN_BRACKETS = re.compile(r"(?P<label>[^()]*\w) ?\((?P<code>[A-Z]{3})\)")
"""Title above a table with the currency of its amounts: ``Portfolio valuation (SGD)``."""
_MAX_LABEL_WORDS = 5
_DOLLARS = re.compile(r"USD|\bU\.?S\.? ?(?:\$|dollar)", re.IGNORECASE)
_MAX_STATEMENT_CELLS = 3
"""Cells of a line that states the currency of a table."""
_GROUP_TITLE = re.compile(r"(?:.*(?<! from)(?<! aus)(?<! von)[\W_])?(?P<code>[A-Z]{3})\)?")
"""Title of the rows in a currency, such as ``EUR`` and ``Canadian Equities (CAD)``.

Behind words such as ``converted from`` is the currency that they are not in.
"""
_OFFERED = re.compile(
    r"\b(?:available|request|verfügbar|anfrage|disponib\w*|demande|solicitud|richiesta|pedido"
    r"|beschikbaar|aanvraag)\b",
    re.IGNORECASE,
)
"""Words behind a currency in which amounts can be had, not are."""
_SCALED = re.compile(
    r"(?:\b(?:in|en|em)\s|\bUSD\s|US\$\s?|\$\s?)(?:USD\s|US\$\s?|\$\s?)?(?:thousands?|millions?"
    r"|tausend|tsd|mio|milliers|miles|migliaia|milhares|duizend\w*)\b"
    r"|^\W*(?:thousands|millions)(?=\W*$|\sof\s(?:US|\$|dollars))"
    r"|(?:(?:'|\$'?|USD\s'?)000s?|\(000s)(?=\W*$)",
    re.IGNORECASE,
)
"""Scale of amounts, such as ``(in thousands)``, ``USD millions`` and ``$000``."""
_AS_OF = re.compile(r"\b(?:as\s(?:of|at)|on|per|zum|au|al)\s.*", re.IGNORECASE)
_SCALE_LABELS = frozenset({"in", "all", "usd", "us", "dollars"})
_MAX_SCALE_WORDS = 12
_MIN_LABEL_CHARS = 5
"""Letters of the shortest word for a currency at the end of a label; Cur is too short."""


class TableCurrency:
    """Currency of the rows of a table, as the lines around them state it; empty for USD."""

    def __init__(self) -> None:
        self.code = ""
        self.has_dollars = self._is_stated = self._is_of_header = False
        self._footer = ("", 0)

    def start_table(self, above: Iterable[Sequence[str]], header: Sequence[str]) -> None:
        """Process the header of the first table, and the lines above it."""
        lines = [*above]
        self.has_dollars = has_dollar_headers(header)
        self._is_stated = any(map(line_currencies, lines))
        if not self.has_dollars:
            self.code = stated_currency(lines)

    def read_header(self, code: str) -> None:
        """Process the currency that a header of amounts names, which precedes lines; or none."""
        self._is_of_header = bool(code)
        self.code = code or self.code

    def read_line(self, cells: Sequence[str], n_rows: int) -> str:
        """Return the currency that a line below ``n_rows`` rows states; empty if it states none.

        It is that of all rows if the line is of the whole table, and none stated one before.
        """
        is_short = sum(map(bool, cells)) < _MAX_STATEMENT_CELLS
        is_short &= not re.search(r"\d", " ".join(cells))  # else it is of this amount
        codes = line_currencies(cells) if is_short and not self.has_dollars else set()
        is_group = is_short and not self.has_dollars and not codes
        group = _group_currency(cells) if is_group else ""
        codes |= {group} - {""}
        if len(codes) != 1:
            return ""
        [code] = codes
        if self._is_of_header:
            return code
        is_of_all = _is_of_table(cells) and not group
        if is_of_all and not self._is_stated:
            self._footer = (code, n_rows)
        self._is_stated |= is_of_all or code == "USD"
        self.code = "" if code == "USD" else code
        return code

    def of_footer(self, n_rows: int) -> str:
        """Return the currency that only a line below all ``n_rows`` rows states; empty for USD."""
        code, n_above = self._footer
        return code if n_above == n_rows and code != "USD" else ""


def stated_currency(lines: Iterable[Sequence[str]]) -> str:
    """Return the currency other than USD that the lines above a table state; empty if none.

    Next to USD no other is a statement: the lines may be of several accounts.

    Examples
    --------
    >>> stated_currency([["Account currency: CAD"]]), stated_currency([["Währung", "EUR"]])
    ('CAD', 'EUR')
    >>> stated_currency([["Portfolio value in GBP as of 6 December 2024"], ["Base currency: USD"]])
    ''
    """
    found = {code for line in lines for code in (*line_currencies(line), *_title_currencies(line))}
    return "" if "USD" in found else min(found, default="")


def _title_currencies(line: Sequence[str]) -> set[str]:
    """Return the currency in brackets behind the word for amounts in a title above a table.

    Examples
    --------
    >>> [_title_currencies([text]) for text in ("My portfolio (SGD)", "Cash (SGD)")]
    [{'SGD'}, set()]
    """
    filled = [cell.strip() for cell in line if cell.strip()]
    found = _IN_BRACKETS.fullmatch(filled[0]) if len(filled) == 1 else None
    words = bare_words(found["label"]).split() if found else []
    is_title = bool(words) and words[-1] in load_vocabulary().amounts
    return {found["code"]} & CURRENCIES if found and is_title else set()


def line_currencies(line: Sequence[str]) -> set[str]:
    """Return the currencies that a line states for the amounts of other lines.

    Examples
    --------
    >>> line_currencies(["Currency", "USD"]), line_currencies(["Cash", "USD"])
    ({'USD'}, set())
    """
    cells = [cell.strip() for cell in line if cell.strip()]
    label, _, rest = cells[0].partition(":") if cells else ("", "", "")
    value = (rest.strip() or cells[1]) if rest.strip() or len(cells) > 1 else ""
    is_labeled = len(cells) <= _MAX_STATEMENT_CELLS and header_key(label).endswith(
        _currency_words()
    )
    is_labeled &= load_vocabulary().secondary.isdisjoint(bare_words(label).split())
    codes = {_currency_code(value) if is_labeled else "", *map(_labeled_currency, cells)}
    return codes & CURRENCIES


def require_full_amounts(path: Path, number: int, line: Sequence[str]) -> None:
    """Raise DataQualityError if a line says that the amounts of a table are in thousands."""
    text = " ".join(filter(None, line))
    if len(text.split()) <= _MAX_SCALE_WORDS and _states_scale(text):
        raise DataQualityError(
            f"{path}: line {number} states amounts in thousands or millions: {text}. Write them in"
            " full, and remove the line"
        )


def _states_scale(text: str) -> bool:
    """Return whether a text states the scale of amounts; not that of a number, or of volumes.

    Examples
    --------
    >>> [_states_scale(text) for text in ("Values in thousands as of 2024", "(USD '000)")]
    [True, True]
    >>> texts = ("Volume in thousands", "Net assets in millions: 12", "Depot (000 123)")
    >>> [_states_scale(text) for text in texts]
    [False, False, False]
    """
    found = _SCALED.search(text)
    if not found:
        return False
    label, rest = text[: found.start()], _AS_OF.sub("", text[found.end() :])
    words, vocabulary = {*bare_words(label).split()}, load_vocabulary()
    amounts = vocabulary.amounts | {*vocabulary.columns["market_value"]}
    is_of_amounts = bool(words & amounts) and not words & vocabulary.no_prices
    return (is_of_amounts or words <= _SCALE_LABELS) and not re.search(r"\d", label + rest)


def _is_of_table(cells: Sequence[str]) -> bool:
    """Return whether a line with a currency is of a whole table, not of a group or of cash.

    Examples
    --------
    >>> lines = (["All values in EUR"], ["Currency", "EUR"], ["Positions in CAD"])
    >>> [_is_of_table(line) for line in lines]
    [True, True, False]
    """
    found = _STATED_IN.fullmatch(" ".join(filter(None, cells)))
    words = bare_words(found["label"]).split() if found else []
    return not words or words[-1] not in load_vocabulary().groups


def _group_currency(line: Sequence[str]) -> str:
    """Return the currency that a title is, or has at its end; empty if none.

    Examples
    --------
    >>> [_group_currency([text]) for text in ("EUR", "Canadian equities (CAD)", "Technology")]
    ['EUR', 'CAD', '']
    """
    filled = [cell for cell in line if cell]
    found = _GROUP_TITLE.fullmatch(filled[0]) if len(filled) == 1 else None
    return found["code"] if found and found["code"] in CURRENCIES else ""


def _labeled_currency(text: str) -> str:
    """Return the currency of the amounts that a label names; empty for other sentences.

    Examples
    --------
    >>> [_labeled_currency(text) for text in ("All amounts are in EUR", "For residents in CAD")]
    ['EUR', '']
    >>> _labeled_currency("Values in EUR or USD")
    ''
    """
    found = _STATED_IN.fullmatch(text)
    words = bare_words(found["label"]).split() if found else []
    if not found or not words or len(words) > _MAX_LABEL_WORDS:
        return ""
    is_label = words[-1] in load_vocabulary().amounts
    is_label &= not _OFFERED.search(found["rest"])
    has_other = not CURRENCIES.isdisjoint(re.findall(r"\b[A-Z]{3}\b", found["rest"]))
    return found["code"] if is_label and not has_other else ""


def has_dollar_headers(headers: Iterable[str]) -> bool:
    """Return whether a header names the dollar of the United States, which precedes lines above.

    Examples
    --------
    >>> has_dollar_headers(["Symbol", "Last price US$"]), has_dollar_headers(["Price $"])
    (True, False)
    """
    return any(map(_DOLLARS.search, headers))


def _currency_code(text: str) -> str:
    """Return the code that a text is, or the currency that its first word names."""
    first = text.split(" ", maxsplit=1)[0].strip("().,;")
    return (
        first.upper()
        if first.upper() in CURRENCIES
        else load_vocabulary().currency_signs.get(first.casefold(), "")
    )


@cache
def _currency_words() -> tuple[str, ...]:
    """Return the keys of the words that end the label of a currency, such as Base currency."""
    words = load_vocabulary().columns["currency"]
    return tuple(word for word in words if len(word) >= _MIN_LABEL_CHARS)
